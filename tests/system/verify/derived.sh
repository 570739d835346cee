# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Verdicts derived again: what is true passes, no lie does.

for tape in node_refunds python_refunds anthropic_refunds; do
	ledger "$tape" <"$tapes/$tape.records"
	for how in '' --complete; do
		report "$tape" "$tape.json" $how
		ok "$tape $how: every verdict follows" code 0 "$verify" -K "$tape/vkey" --rederive -o json "$tape.json"
		is '  all four of them' "$(jq -c '.rederived | [.verdicts, .agree, .differ, .undecided, .sections, .findings]' stdout)" \
			'[4,4,0,0,0,[]]'
	done
done
honest=node_refunds
ok 'the CLI derives, too' code 0 "$ww" verify -K $honest/vkey --rederive $honest.json
ok '  and says so' said 'every verdict follows from the evidence that it cites'
ok 'a report of one trace' report $honest trace.json --trace 956225f779197aa090e18ef9f39e0e34
ok '  is enough for its verdict' code 0 "$verify" -K $honest/vkey --rederive trace.json
ok 'without being asked nothing is derived' code 0 "$verify" -K $honest/vkey -o json $honest.json
is '  and it says so' "$(check rederived)" absent

# Others export spans with the same ids, and so does the agent itself, with another status: honest verdicts stay so.
twice() { jq -c "if .kind == \"span\" then ., ($1) else . end" "$tapes/$honest.records"; } # CODE of jq: the second span
claimed() { jq -r .payload "$1" | base64 -d | jq -c --slurpfile r "$2" '[.predicate.claims.list[].evidenceIndexes[] | $r[.] |
	select(.kind == "span").root] | unique'; } # REPORT RECORDS: whose spans are its evidence
own=$(jq -cs '[.[] | select(.kind == "span").root] | unique' "$tapes/$honest.records")
for code in '.root = "p9-9" | .status = "ERROR"' 'del(.actor, .root, .cgroup) | .status = "ERROR"' '.status = "ERROR"'; do
	twice "$code" >again.ndjson
	ledger again <again.ndjson
	for how in '' --complete; do
		report again again.json $how
		ok "spans again with $code $how" code 0 "$verify" -K again/vkey --rederive -o json again.json
		is '  every verdict follows' "$(jq -c '.rederived | [.verdicts, .agree, .findings]' stdout)" '[4,4,[]]'
		is '  and names its own' "$(claimed again.json again.ndjson)" "$own"
	done
done
# A turn of which only the answer's text is left; from the tape, with prose read.
cp "$tapes/$honest.records" called.records
"$out/dev/tapemute" "$tapes/python_refunds.tape" mute.tape 'order A31' 'order C5' && "$ww" replay --phrases on mute.tape >mute.records
ledger mute <mute.records
for how in '' --complete; do
	report mute mute.json $how
	ok "what prose alone says $how" code 0 "$verify" -K mute/vkey --rederive -o json mute.json
	is '  follows, too' "$(jq -c '.rederived | [.verdicts, .agree, .findings]' stdout)" '[4,4,[]]'
done

# What only the record of the tool call tells is listed with the exchange that it is; the calls of the model with the paths of
# their prompts.
jq -c 'if .kind == "exchange" and .path == "/v1/refunds" then ., {kind: "mcp_call", id: ("t" + .id[1:]), t, exchange: .id} else . end' \
	called.records | ledger calls
report calls calls.json
is 'the tool calls of the listed exchanges' "$(jq -r .payload calls.json | base64 -d | jq -c '[.predicate.records[] | .kind] |
	[(map(select(. == "mcp_call")) | length), (map(select(. == "model_call")) | length)]')" '[3,8]'

# The important attacks: the log is made, and signed, with the lie in it. Everything but the derivation passes.
while IFS=$'\t' read -r name wanted field of; do
	"$here/lies.py" "$name" "$of.records" >lie.ndjson
	ledger lie <lie.ndjson && report lie lie.json --complete
	ok "$name" code "$wanted" "$verify" -K lie/vkey --rederive -o json lie.json
	[ "$field" = - ] || is "  names $field" "$(jq -r --arg f "$field" --argjson open "$([ "$wanted" = 4 ] && echo true || echo false)" \
		'[.rederived.findings[] | select(.field == $f and (.outcome == "undecided") == $open)] | length > 0' stdout)" true
	[ "$wanted" = 0 ] || is '  and only the derivation shows it' \
		"$(jq -c '[.checks[] | select(.state != "passed" and .state != "absent") | .name]' stdout)" '["rederived"]'
done < <("$here/lies.py" list)

# Says exactly what, to people.
"$here/lies.py" exchange-altered "$tapes/$honest.records" | ledger lie && report lie lie.json --complete
ok 'a lie, in words' code 1 "$verify" -K lie/vkey --rederive lie.json
ok '  not by the CLI either' code 1 "$ww" verify -K lie/vkey --rederive lie.json
ok '  record, verdict, member, expected, found' said \
	'record 47, v-a00e10a69e48f2bb-1: wire.attempts.status: expected 201, by record 16, found 503'

# What is withheld is no evidence.
{ cat "$tapes/$honest.records"; echo; echo "erase $(grep -n '"id":"x-14d1-0"' "$tapes/$honest.records" | head -1 | cut -d: -f1 | awk '{print $1 - 1}')"; } |
	ledger erased
report erased erased.json --complete
ok 'with the exchange erased the report is whole' code 0 "$verify" -K erased/vkey erased.json
ok '  but its verdict cannot be derived' code 4 "$verify" -K erased/vkey --rederive erased.json
ok '  which is said' said 'cannot be derived'

# The report's own sections say what its records say.
section() { # NAME CODE FIELD
	signed $honest $honest.json "$2" >section.json
	ok "$1" code 1 "$verify" -K $honest/vkey --rederive -o json section.json
	is "  names $3" "$(jq -r --arg f "$3" '[.rederived.findings[] | select(.field == $f)] | length > 0' stdout)" true
}
section 'another verdict in the claims' 'p["claims"]["list"][1]["verdict"] = "CONFIRMED_T1"' 'report: claims.verdict'
section 'another outcome in the claims' 'p["claims"]["list"][1]["outcome"] = "corroborated"' 'report: claims.outcome'
section 'a claim left out' 'p["claims"]["list"].pop(1)' claims.list
section 'a claim twice' 'p["claims"]["list"].append(p["claims"]["list"][0])' claims.list
section 'a claim of no verdict' 'p["claims"]["list"][0]["index"] = 0' claims.list
section 'another number of verdicts' 'p["summary"]["verdicts"] = 3' summary.verdicts
