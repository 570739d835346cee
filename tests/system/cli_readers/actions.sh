# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by run: actions and why, over the ledger of records.sh and one in which a verdict was superseded. What is right
# is taken from the records themselves, by jq.

rows() { tail -n +2 stdout; } # of the table in stdout
records() { jq -c "$@" story.ndjson; }

ok 'actions' code 0 "$ww" actions -d "$state"
is '  a row for each, in order' "$(rows | awk '{print $NF}' | xargs)" "$(records -r 'select(.kind == "verdict").id' | xargs)"
is '  said, span, wire, verdict' "$(rows | awk '/MASKED_ERROR/ {print $3, $4, $5, $6, $7, $8}')" 'MASKED_ERROR done OK 503 Retry-After 5'
is '  the program, harmless' "$(rows | grep -c 'node\\x1b\[31m  ')" 4
ok 'actions -o json' code 0 "$ww" actions -d "$state" -o json
is '  an object each, of the records' "$(jq -c '[.v, .id, .action, .t, .verdict, .reason, .evidence, .join, .tool, .toolCallId, .status, .superseded]' stdout)" \
	"$(records 'select(.kind == "verdict") | [1, .id, .action, .t, .verdict, .reason, .evidence, .join, .tool, .toolCallId, .wire.status, false]')"
is '  and their place' "$(jq -c .cursor stdout | xargs)" "$(records 'input_line_number - 1 as $n | select(.kind == "verdict") | $n' | xargs)"
is '  the three columns as texts' "$(jq -c '[.said, .span, .wire]' stdout | head -n 3 | xargs)" \
	'[done,OK,201] [done,OK,503 Retry-After 5] [done,OK,no declared call found]'
for by in "--verdict=NO_ACTION,MASKED_ERROR" "-f verdict=NO_ACTION,MASKED_ERROR" "-f verdict!=CONFIRMED_T1 -f verdict!=CONFIRMED_T1,UNVERIFIABLE"; do
	# shellcheck disable=SC2086
	ok "actions $by" code 0 "$ww" actions -d "$state" $by
	is '  only these' "$(rows | awk '{print $3}' | sort | xargs)" 'MASKED_ERROR NO_ACTION'
done
ok 'by tool' code 1 "$ww" actions -d "$state" --tool 'transfer*'
ok '  that nobody has' said 'no action was found'
ok 'by agent' code 0 "$ww" actions -d "$state" --agent node
is '  all' "$(rows | wc -l)" 4
ok 'by time' code 0 "$ww" actions -d "$state" -S 2026-11-23T10:00:02Z -U 2026-11-23T10:00:04Z -o json
is '  only these' "$(jq -r .id stdout | xargs)" \
	"$(records -r 'select(.kind == "verdict" and .t >= "2026-11-23T10:00:02" and .t < "2026-11-23T10:00:04").id' | xargs)"
ok 'sorted' code 0 "$ww" actions -d "$state" --sort verdict -o json
is '  by that column' "$(jq -r .verdict stdout)" "$(records -r 'select(.kind == "verdict").verdict' | LC_ALL=C sort)"
ok 'reversed' code 0 "$ww" actions -d "$state" --sort verdict -r -o json
is '  by that column' "$(jq -r .verdict stdout)" "$(records -r 'select(.kind == "verdict").verdict' | LC_ALL=C sort -r)"
ok 'the newest two' code 0 "$ww" actions -d "$state" -n 2
is '  in order' "$(rows | awk '{print $3}' | xargs)" 'NO_ACTION UNVERIFIABLE'
ok 'no such column' code 2 "$ww" actions -d "$state" --sort colour

# A misspelt key is an error wherever there is a filter, and says what was probably meant.
for command in "actions -d $state" "ls -d $state" "ls verdicts -d $state" "tail -s $sock" "report -d $state -O m.json" \
	"export -d $state --format csv"; do
	# shellcheck disable=SC2086
	ok "$command: a misspelt key" code 2 "$ww" $command -f 'verdct=NO_ACTION'
	ok '  with the near one' said "did you mean 'verdict'?"
done
ok 'a key of other records' code 2 "$ww" ls flows -d "$state" -f 'sni=payments.test'
ok '  with the one that was meant' said "did you mean 'tls.sni'?"

# Coverage: an empty list says whether it is a blind one.
ok 'nothing in a period that was watched' code 1 "$ww" actions -d "$state" -S 2026-11-23T10:00:04.0000005Z --tool none
ok '  says that it was' said 'what was watched then was seen completely'
ok 'nothing in a period that nobody watched' code 1 "$ww" actions -d "$state" -S 2027-01-01T00:00:00Z
ok '  says that it was not' said 'nothing is known about this period'
(
	cat story.ndjson
	jq -c 'select(.kind == "coverage") | .lostEvents = 3 | .id = "c-abc-2"' story.ndjson
	jq -nc '{kind: "loss", id: "l-5-3", t: "2026-11-23T10:00:05.000000000Z", cgroup: "0000000000000abc", cause: "ring-full", events: 3, bytes: 0}'
) >lossy.ndjson
"$out/dev/ledger_append" "$work/lossy" <lossy.ndjson || exit 1
ok 'nothing found, but events were lost' code 1 "$ww" actions -d "$work/lossy" --tool none
ok '  says so' said 'not all was seen then, 3 events were lost: actions may be missing'
ok 'something found, but events were lost' code 0 "$ww" actions -d "$work/lossy"
ok '  says so, too' grep -q 'not all was seen then' stderr
ok 'json has no remarks in it' code 0 "$ww" actions -d "$work/lossy" -o json
is '  only objects' "$(jq -c .v stdout | sort -u)" 1

# Superseded verdicts.
(
	cat story.ndjson
	jq -c 'select(.id == "v-00000003-1") | .id = "v-00000003-2" | .verdict = "UNVERIFIABLE" | .reason = "EVENT_LOSS" | .supersedes = "v-00000003-1"' story.ndjson
	jq -c 'select(.id == "v-00000003-1") | .id = "v-00000003-3" | .verdict = "REPLY_LOST" | .supersedes = "v-00000003-2"' story.ndjson
) >super.ndjson
"$out/dev/ledger_append" "$work/super" <super.ndjson || exit 1
ok 'the newest verdict of each action' code 0 "$ww" actions -d "$work/super" -o json
is '  only' "$(jq -r .id stdout | xargs)" 'v-00000001-1 v-00000002-1 v-00000004-1 v-00000003-3'
ok 'a filter asks the newest ones' code 1 "$ww" actions -d "$work/super" --verdict NO_ACTION
ok 'all of them' code 0 "$ww" actions -d "$work/super" --all -o json
is '  say what they are' "$(jq -r 'select(.superseded) | .id' stdout | xargs)" 'v-00000003-1 v-00000003-2'
last=$(jq -c 'input_line_number - 1 as $n | select(.id == "v-00000003-2") | $n' super.ndjson)
ok 'as it was at an index' code 0 "$ww" actions -d "$work/super" --to "$last" -o json
is '  the newest of then' "$(jq -r .id stdout | xargs)" 'v-00000001-1 v-00000002-1 v-00000004-1 v-00000003-2'

# why
ok 'why' code 0 "$ww" why v-00000002 -d "$state" --ascii
for said in 'MASKED_ERROR  refund_order' ' 503 ' 'took 12 ms' 'x-51-1' 'f-51' 'payments.test' \
	'bytes out: 1000 = 400 handshake + 0 tickets + 578 explained + 22 overhead + 0 remainder; checked: yes' \
	'what would have changed the verdict' 'by a retry: CONFIRMED_T1'; do
	ok "  $said" said "$said"
done
is '  no byte that a terminal obeys' "$(LC_ALL=C tr -d '\n\40-\176' <stdout | wc -c)" 0
ok 'by action' code 0 "$ww" why a-00000003 -d "$work/super" --ascii
is '  its newest verdict' "$(head -n 1 stdout | awk '{print $1}')" REPLY_LOST
ok 'a superseded one' code 0 "$ww" why v-00000003-1 -d "$work/super" --ascii
ok '  says so' eval 'head -n 1 stdout | grep -q "superseded by v-00000003-3"'
ok 'by exchange' code 0 "$ww" why x-51-1 -d "$state" --ascii
is '  the verdict on it' "$(head -n 1 stdout | awk '{print $NF}')" v-00000002-1
ok 'by index' code 0 "$ww" why 10 -d "$state" --ascii
ok 'an exchange that no verdict rests on' code 1 "$ww" why x-99-1 -d "$state"
ok '  says so' said 'no verdict rests on'
ok 'several ids' code 1 "$ww" why v-0000000 -d "$state"
ok 'no such id' code 1 "$ww" why v-ffff -d "$state"
ok 'in the locale of the terminal' code 0 env LC_ALL=C.UTF-8 "$ww" why v-00000002 -d "$state"
ok '  lines are drawn' said '├─ '
ok '  or not' code 0 env LC_ALL=C "$ww" why v-00000002 -d "$state"
is '  in ASCII only' "$(LC_ALL=C tr -d '\n\40-\176' <stdout | wc -c)" 0
bad=
# Messages of a WebSocket are no evidence, nor are names: those tapes have no verdict.
judged=$(grep -l '"kind":"verdict"' "$here"/../../golden/tapes/*.records | sort)
for tape in $judged; do
	name=$(basename "$tape" .records)
	"$out/dev/ledger_append" "$work/$name" <"$tape" || exit 1
	"$out/wirewitness" why --ascii -d "$work/$name" -o json "$(jq -r 'select(.kind == "verdict").id' "$tape" | head -n 1)" >>golden.why || bad+=" $name"
	for id in $(jq -r 'select(.kind == "verdict").id' "$tape"); do
		"$ww" why "$id" -d "$work/$name" -o json >why.json && "$ww" why "$id" -d "$work/$name" --ascii >why.txt || bad+=" $id"
		# Whatever it cites with a place is there, and nothing is cited as missing that is there.
		jq -r '.. | objects | select(.index) | [.index, .id // .deed // .exchange // .flow // empty, .exchange // empty, .flow // empty, .span // empty, .action // empty] | @tsv' why.json |
			while read -r index ids; do
				jq -rse --argjson i "$index" '.[$i].id' "$tape" | grep -qxF -- "$(tr '\t ' '\n\n' <<<"$ids")" || echo "$id cites $ids at $index"
			done >>cited
		jq -r '.. | objects | select(.missing) | .id // .deed // .exchange // .flow // .span // .action' why.json |
			while read -r gone; do grep -qF "\"id\":\"$gone\"" "$tape" && echo "$id: $gone is not missing"; done >>cited
	done
done
is 'why of every verdict of the golden tapes' "$bad" ''
is '  cites what is there, and only that' "$(cat cited)" ''
is '  one of each tape' "$(wc -l <golden.why)" "$(wc -l <<<"$judged")"

# Programs and files: what was looked for, in the words for it.
local=$here/../../golden/tapes/files_programs.records
ok 'actions of programs and files' code 0 "$ww" actions --all -d "$work/files_programs" -o json
is '  what nobody did is no call' "$(jq -r 'select(.verdict == "NO_ACTION") | "\(.tool): \(.wire)"' stdout)" \
	"$(jq -r 'select(.verdict == "NO_ACTION") | if .grounds.terms.effect == "file" then "\(.tool): no change of a declared file found"
		else "\(.tool): no run of a declared program found" end' "$local")"
is '  both are there' "$(jq -r 'select(.verdict == "NO_ACTION").wire' stdout | sort -u | wc -l)" 2
is '  nor is anything else' "$(grep -c 'declared call' stdout)" 0
for id in $(jq -r 'select(.verdict == "NO_ACTION").id' "$local"); do
	ok "why $id" code 0 "$ww" why "$id" -d "$work/files_programs" --ascii
	ok '  says what was looked for' said "$(jq -r --arg id "$id" 'select(.id == $id) | "as declared: 0, no \(.local.sought) found"' "$local")"
	is '  and of no call' "$(grep -c 'declared call' stdout)" 0
done

# Somebody else's spans with the same ids: no verdict rests on them.
cited_spans() { # RECORDS STATE: the trees of the spans that its verdicts cite
	local id
	for id in $(jq -r 'select(.kind == "verdict").id' "$1"); do
		"$ww" why "$id" -d "$2" -o json
	done | jq -r '.. | objects | .index // empty' | sort -nu |
		while read -r id; do jq -rse --argjson i "$id" '.[$i] | select(.kind == "span") | .root' "$1"; done | sort | uniq -c
}
tape=$here/../../golden/tapes/python_refunds.records
jq -c 'if .kind == "span" then ., (.root = "p9-9" | .status = "ERROR") else . end' "$tape" >forged.ndjson
"$out/dev/ledger_append" "$work/forged" <forged.ndjson || exit 1
is 'why beside forged spans cites the true ones' "$(cited_spans forged.ndjson "$work/forged")" "$(cited_spans "$tape" "$work/python_refunds")"

# Over the socket: the same.
daemon story.ndjson
ok 'actions from the daemon' code 0 "$ww" actions -s "$sock"
ok '  as from the ledger' cmp stdout <("$ww" actions -d "$state")
ok 'why from the daemon' code 0 "$ww" why v-00000002 -s "$sock" -o json
ok '  as from the ledger' cmp stdout <("$ww" why v-00000002 -d "$state" -o json)
stop
ok 'no daemon' code 3 "$ww" actions -s "$sock"
ok '  with the command' said 'sudo wirewitnessd'
ok 'one source at a time' code 2 "$ww" actions -s "$sock" -d "$state"

for command in "actions -d $state" "actions -d $state --sort tool" "actions -d $state -o json" "why v-00000002 -d $state"; do
	# shellcheck disable=SC2086
	is "$command: a full disk is a failure" "$("$ww" $command 2>&1 >/dev/full; echo $?)" \
		"error: cannot write to standard output: No space left on device
3"
done
ok 'actions: a narrow terminal' code 0 script -qec "stty cols 60; '$ww' actions -d '$state'" /dev/null
tr -d '\r' <stdout | sed 's/\x1b\[[0-9;]*m//g' >narrow
is '  gets lines of its width, cut ones marked' "$(LC_ALL=C.UTF-8 wc -L <narrow) $(grep -c '…$' narrow) $(wc -l <narrow)" '60 5 5'
for wrong in "actions a" why "why a b"; do
	# shellcheck disable=SC2086
	ok "$wrong: wrong usage" code 2 "$ww" $wrong
done
