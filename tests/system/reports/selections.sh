# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by run: which records a report is about, what it says of them, and that it always says the same.

counts() { payload "$1" | jq -c '.predicate.selection | [.population.verdicts, .selected.verdicts, .withheld]'; }

ok 'everything' report -O all.json
ok '  verifies' code 0 "$out/wirewitness-verify" --key-file "$vkey" all.json
ok '  fits the schema' fits all.json
is '  population, selected, withheld' "$(counts all.json)" '[12,12,0]'
is '  completeness stands before verdicts' "$(payload all.json | jq -c '.predicate | keys_unsorted - ["wording","limits"]')" \
	'["createdAt","scope","instrument","period","selection","coverage","destinations","summary","claims","paths","jurisdiction","sampling","verification","ledger","records","checkpoint"]'
is '  outcomes' "$(payload all.json | jq -c '[.predicate.claims.list[] | .verdict + " " + .outcome] | unique')" \
	'["CONFIRMED_T1 corroborated","MASKED_ERROR contradicted","NO_ACTION contradicted"]'
is '  evidence is listed' "$(payload all.json | jq -c '.predicate as $p | [$p.claims.list[].evidenceIndexes[]] - [$p.records[].index]')" '[]'
is '  jurisdiction is unknown' "$(payload all.json | jq -c '[.predicate.jurisdiction[].word]')" '["unknown","unknown","unknown"]'
is '  it has the time of the head' "$(payload all.json | jq -r .predicate.createdAt)" \
	"$(jq -rs '[.[] | select(.kind == "life" or .kind == "coverage") | .t] | max' records.ndjson)"

trace=$(jq -rs '[.[] | select(.kind == "verdict" and .verdict == "NO_ACTION")][0].span.traceId' records.ndjson)
ok 'by trace' report -O trace.json --trace "$trace"
is '  as the records say' "$(listed trace.json verdict)" \
	"$(jq -cs --arg t "$trace" '[.[] | select(.kind == "verdict" and .span.traceId == $t) | .id]' records.ndjson)"
actor=$(jq -rs '[.[] | select(.kind == "verdict")][5].actor' records.ndjson)
wanted=$(jq -cs --arg a "$actor" '[.[] | select(.kind == "verdict" and .actor == $a) | .id]' records.ndjson)
ok 'by actor' report -O actor.json --agent "$actor"
is '  as the records say' "$(listed actor.json verdict)" "$wanted"
scope=$(jq -rs --arg a "$actor" '([.[] | select(.kind == "verdict" and .actor == $a)][0].cgroup) as $c |
	[.[] | select(.kind == "coverage" and .cgroup == $c)][0].path' records.ndjson)
ok 'by scope' report -O scope.json --agent "${scope##*/}"
is '  the same' "$(listed scope.json verdict)" "$wanted"
ok 'by program' report -O exe.json --agent "$(jq -rs --arg a "$actor" '[.[] | select(.kind == "actor" and .id == $a)][0].exe' records.ndjson)"
is '  all of that program' "$(listed exe.json verdict)" "$(jq -cs --arg a "$actor" '([.[] | select(.kind == "actor" and .id == $a)][0].exe) as $x |
	[.[] | select(.kind == "actor" and .exe == $x) | .id] as $ids | [.[] | select(.kind == "verdict" and (.actor | IN($ids[]))) | .id]' records.ndjson)"
ok 'by verdict and tool' report -O tool.json --verdict MASKED_ERROR,NO_ACTION --tool 'refund*'
is '  as the records say' "$(listed tool.json verdict)" \
	"$(jq -cs '[.[] | select(.kind == "verdict" and .verdict != "CONFIRMED_T1") | .id]' records.ndjson)"
is '  counts' "$(counts tool.json)" '[12,9,0]'
ok 'all together' report -O both.json --verdict MASKED_ERROR --agent "$actor" --trace "$(jq -rs --arg a "$actor" \
	'[.[] | select(.kind == "verdict" and .actor == $a and .verdict == "MASKED_ERROR")][0].span.traceId' records.ndjson)"
is '  is one' "$(listed both.json verdict | jq length)" 1
day=$(jq -rs '.[0].t[0:10]' records.ndjson)
ok 'a day' report -O day.json --day "$day"
is '  is all of it' "$(counts day.json)" '[12,12,0]'
ok 'another day' code 1 "$ww" report -d "$state" -O none.json --day 2026-11-27
ok 'no such day' code 2 "$ww" report -d "$state" -O none.json --day 2026-02-30
ok 'a day and a begin' code 2 "$ww" report -d "$state" -O none.json --day "$day" --since 1d
ok 'from a time on' report -O since.json --since "$(jq -rs '[.[] | select(.kind == "verdict") | .t] | sort | .[6]' records.ndjson)"
is '  half of them' "$(counts since.json)" '[6,6,0]'
ok 'before a relative time' report -O until.json --until 1d --created-at 2026-12-01T00:00:00Z
is '  counts from the report'\''s own' "$(payload until.json | jq -c '.predicate | [.createdAt, .period.askedTo]')" \
	'["2026-12-01T00:00:00.000000000Z","2026-11-30T00:00:00.000000000Z"]'
id=$(jq -rs '[.[] | select(.kind == "verdict" and .verdict == "MASKED_ERROR")][0].id' records.ndjson)
ok 'one record' report -O one.json --id "$id"
is '  with what it cites' "$(payload one.json | jq -c --arg v "$(jq -cs --arg i "$id" '[.[] | select(.id == $i)][0].refs' records.ndjson)" \
	'($v | fromjson) - [.predicate.records[].record | fromjson | .id]')" '[]'
is '  and no other verdict' "$(listed one.json verdict)" "[\"$id\"]"
ok 'one that is no verdict' report -O flow.json --id "$(jq -rs '[.[] | select(.kind == "exchange")][0].id' records.ndjson)"
is '  with its flow' "$(listed flow.json flow | jq length)" 1
ok 'no such record' code 1 "$ww" report -d "$state" -O none.json --id v-ffff
ok 'no such agent' code 1 "$ww" report -d "$state" -O none.json --agent nobody
ok 'no such verdict' code 2 "$ww" report -d "$state" -O none.json --verdict NOTHING
ok 'a trace that is none' code 2 "$ww" report -d "$state" -O none.json --trace xyz
for f in trace actor tool one flow; do
	ok "$f.json fits and verifies" sh -c ". /dev/null; jq -r .payload $f.json | base64 -d >p.json &&
		node '$here/schema.mjs' '$root/docs/schema' '$npm' report p.json >/dev/null &&
		'$out/wirewitness-verify' --key-file '$vkey' $f.json >/dev/null"
done

ok 'in another time zone and locale' env TZ=Asia/Kolkata LC_ALL=de_DE.UTF-8 LANG=de_DE.UTF-8 "$ww" report -d "$state" -O zone.json
ok '  the same bytes' cmp all.json zone.json
ok '  and from a copy of the ledger' sh -c "cp -r '$state' copy && TZ=America/Lima LC_ALL=C '$ww' report -d copy -O zone2.json >/dev/null && cmp all.json zone2.json"
ok 'names that use strong words do not prevent a report' sh -c "
	jq -c 'if .kind == \"verdict\" or .kind == \"action\" then .tool = \"a proven refund\" else . end' records.ndjson |
		'$out/dev/ledger_append' words && '$ww' report -d words -O words.json >/dev/null &&
	'$out/wirewitness-verify' --key-file words/vkey words.json >/dev/null"

# What is derived from records does not change unnoticed; GOLDEN=1 writes it anew, the difference is reviewed.
golden=$root/tests/golden/reports
ok 'for the golden files' report -O golden.json --requested-by somebody --verdict CONFIRMED_T1,NO_ACTION
payload golden.json | jq '.predicate | del(.ledger, .records, .checkpoint)' >sections.json
"$ww" export -d "$state" --format csv >verdicts.csv
[ -z "${GOLDEN-}" ] || cp sections.json verdicts.csv "$golden/"
ok 'the sections are the golden ones' diff "$golden/sections.json" sections.json
ok 'the table is the golden one' cmp "$golden/verdicts.csv" verdicts.csv
