# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Beside a live daemon: an agent with the official SDK, a payments service, and its bookkeeping as the attester.

ww_host provider api.provider.test
ww_host payments payments.test
ww_certs api.provider.test payments.test
ww_node_server provider provider.mjs
ww_node_server payments payments.mjs
ww_npm
ww_monitor_copies
ww_contracts
printf '    attesters:\n      - {name: bank, key: %s}\n      - {name: erp, key: %s}\n' "${PUBLIC[bank]}" "${PUBLIC[erp]}" >>"$WW_RUN/contracts.yaml"
start() { ww_daemon live --contracts "$WW_RUN/contracts.yaml" "$@"; }
live() { import "$WW_STATE" "$1" --socket "$WW_SOCKET"; }
stream() { timeout 60 "$ww" tail --socket "$WW_SOCKET" --since 0 -o json "$@"; }
# The verdict about an order: by what the service made of it, or by the words of its model call.
verdict_of() { records "$WW_STATE" | jq -c "select(.kind == \"verdict\" and .$1 == \"$2\")" | tail -n 1; }

start
stream -n 3 --filter kind=verdict >"$WW_RUN/verdicts" &
judged=$!
ww_watched agent "$WW_NODE" "$WW_NPM/agent.mjs" '[{"order":"A17","mode":"real"},{"order":"B23","mode":"masked"},{"order":"A31","mode":"skip"}]' >"$WW_RUN/agent.log" 2>&1
wait "$judged"
is 'three verdicts' "$(jq -r .record.verdict "$WW_RUN/verdicts" | sort | tr '\n' ' ')" 'CONFIRMED_T1 MASKED_ERROR NO_ACTION '
is 'the service made one refund' "$("$WW_LIB/truth" "$WW_RUN/payments.ndjson" "sum(1 for r in req if r.status == 201)")" 1

# The bookkeeping knows the refund by the id that the service gave it (servers/payments.mjs).
created=r_$(printf '0 A17' | sha256sum | cut -c1-12)
real=$(jq -r 'select(.record.verdict == "CONFIRMED_T1") | .record.action' "$WW_RUN/verdicts")
masked=$(jq -r 'select(.record.verdict == "MASKED_ERROR") | .record.toolCallId' "$WW_RUN/verdicts")
attest_py bank refund_order createdId "$created" achieved >"$WW_RUN/booked"
ok 'the bookkeeping attests what it has' live "$WW_RUN/booked" || cat "$WW_RUN/import.err"
is '  T3, on the disk when it is said' "$(newest "$WW_STATE" "$real" | jq -r .verdict)" CONFIRMED_T3
ok 'again' live "$WW_RUN/booked"
ok '  it was there' grep -q 'was there already' "$WW_RUN/import.out"
attest erp refund_order "$masked" achieved >"$WW_RUN/beside"
ok 'and what it has not' live "$WW_RUN/beside"
is '  the wire keeps its word' "$(verdict_of toolCallId "$masked" | jq -r '.verdict + " " + .findings[0].finding')" 'MASKED_ERROR ATTESTED_WITHOUT_WIRE'
attest thief refund_order "$masked" achieved >"$WW_RUN/forged"
code=0; live "$WW_RUN/forged" || code=$?
is 'forged' "$code $(grep -c 'not signed by an attester' "$WW_RUN/import.err")" '1 1'
spoken() # requests, as they are, at once
{
	timeout 10 python3 -c 'import socket, sys
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.sendall(sys.stdin.buffer.read()); s.shutdown(socket.SHUT_WR)
print(s.makefile().read().strip())' "$WW_SOCKET"
}
printf '{"op":"attest","envelope":"","size":999999,"verdicts":[],"recorded":[]}\n{"op":"attest"}\n{"op":"attest","envelope":"e30=","size":999999,"verdicts":[999999],"recorded":[]}\n' |
	spoken >"$WW_RUN/answers"
is 'requests that are none' "$(grep -c '"ok":false' "$WW_RUN/answers")" 3

# Killed while it takes one in: then it is there with its verdict, or not at all, and can be brought again.
attest_py bank refund_order toolCallId "$masked" achieved >"$WW_RUN/killed"
jq -r .payload "$WW_RUN/killed" | base64 -d | jq -cj ".predicate.reference = \"killed\"" >"$WW_RUN/bank/statement"
sign bank >"$WW_RUN/killed"
live "$WW_RUN/killed" & brought=$!
{ ww_stop live KILL || true; } 2>/dev/null
wait "$brought" 2>/dev/null || true
start
ok 'killed in the midst: brought again' live "$WW_RUN/killed" || cat "$WW_RUN/import.err"
is '  one record' "$(records "$WW_STATE" | jq -c "select(.kind == \"attestation\" and .attester == \"bank\" and .by == \"toolCallId\")" | wc -l)" 1
is '  that the verdict names' "$(verdict_of toolCallId "$masked" | jq -c '[.verdict, (.attested.attestations | length)]')" "[\"MASKED_ERROR\",2]"

# A daemon of later has it from the ledger.
attest erp refund_order "$(verdict_of action "$real" | jq -r .toolCallId)" not-achieved >"$WW_RUN/denied"
ok 'after a restart another denies it' live "$WW_RUN/denied" || cat "$WW_RUN/import.err"
is '  it is no longer T3' "$(newest "$WW_STATE" "$real" | jq -c '[.verdict, .supersedes, (.attested.attestations | length)]')" \
	"[\"CONFIRMED_T1\",\"v-${real#a-}-2\",2]"

# Two for one action at a time, each of which found it without the other: one comes first, and the other must look again, also later.
skipped=$(jq -r 'select(.record.verdict == "NO_ACTION") | .record.action' "$WW_RUN/verdicts")
asked() # NAME: the request, of what is in the ledger now
{
	"$ww" ls -d "$WW_STATE" -o json | jq -sc --arg action "$skipped" --arg envelope "$(attest_py "$1" refund_order action "$skipped" achieved | base64 -w0)" \
		'{op: "attest", envelope: $envelope, size: length, verdicts: [map(select(.record.kind == "verdict" and .record.action == $action))[-1].cursor], recorded: []}'
}
{ asked bank; asked erp; } >"$WW_RUN/both"
spoken <"$WW_RUN/both" >"$WW_RUN/answers"
is 'two at a time: the second looks again' "$(jq -c '[.ok, .again]' "$WW_RUN/answers" | tr '\n' ' ')" '[true,false] [true,true] '
stream -n 1 --filter "id=$(jq -r '.verdict // empty' "$WW_RUN/answers")" >/dev/null
is '  also when the first is in the ledger' "$(sed -n 2p "$WW_RUN/both" | spoken | jq -c '[.ok, .again]')" '[true,true]'
attest_py erp refund_order action "$skipped" achieved >"$WW_RUN/second"
ok '  it looks, and is taken' live "$WW_RUN/second" || cat "$WW_RUN/import.err"
is '  each verdict has an id of its own, and the last one names both' "$(records "$WW_STATE" | jq -sc --arg action "$skipped" \
	'map(select(.kind == "verdict" and .action == $action)) | [length, (map(.id) | unique | length), (.[-1].attested.attestations | length), .[-1].verdict]')" '[3,3,2,"NO_ACTION"]'

# While the action is open: its first verdict has it. The wait is longer than the test; the daemon's end is the action's.
ww_stop live
start --grace 300 --policy "$WW_RUN/policy.yaml"
calls=$(records "$WW_STATE" | jq -c 'select(.kind == "model_call")' | wc -l)
mkfifo "$WW_RUN/announced"
stream --pending >"$WW_RUN/announced" 2>/dev/null & reader=$!
exec {announced}<"$WW_RUN/announced"
ww_watched open "$WW_NODE" "$WW_NPM/agent.mjs" '[{"order":"A44","mode":"real"}]' >>"$WW_RUN/agent.log" 2>&1
while read -r -t 30 line <&"$announced"; do
	open=$(jq -r '.pending.toolCallId // empty' <<<"$line")
	[[ -z $open ]] || break
done
attest bank refund_order "$open" achieved >"$WW_RUN/early"
ok 'of an action that is open' live "$WW_RUN/early" || cat "$WW_RUN/import.err"
ok '  it will be named' grep -q 'has no verdict yet' "$WW_RUN/import.out"
ok '  again' live "$WW_RUN/early"
ok '  it was there' grep -q 'was there already' "$WW_RUN/import.out"
{ kill "$reader"; wait "$reader"; } 2>/dev/null || true
# The same of its path, which is told when nothing comes to it any more; and of the ledger, when the daemon has it no more.
stream -n $((calls + 2)) --filter kind=model_call >"$WW_RUN/calls"
response=$(tail -n 1 "$WW_RUN/calls" | jq -r .record.responseId)
attest_path auditor "$response" us-9 provider >"$WW_RUN/placed"
ok 'of a path that is not told yet' live "$WW_RUN/placed" || cat "$WW_RUN/import.err"
ok '  it will be named' grep -q 'has no record yet' "$WW_RUN/import.out"
ww_stop live
path_told() { records "$WW_STATE" | jq -c "select(.kind == \"path\" and any(.legs[]; .responseId == \"$response\"))" | tail -n 1; }
is '  its first record names it' "$(path_told | jq -c '[.revision, .attested[0].attester, [.findings[] | select(.attestation) | .finding]]')" '[1,"auditor",["ATTESTED_OUT_OF_REGION"]]'
start --policy "$WW_RUN/policy.yaml"
attest_path cloud "$response" eu-2 provider >"$WW_RUN/placed2"
ok '  after a restart another says something else' live "$WW_RUN/placed2" || cat "$WW_RUN/import.err"
is '  the next record names both' "$(path_told | jq -c '[.revision, .verdict == "VIOLATION", (.attested | map(.attester))]')" '[2,false,["auditor","cloud"]]'
attest_path bank "$response" eu-2 provider >"$WW_RUN/placed3"
code=0; live "$WW_RUN/placed3" || code=$?
is '  not by an attester of a tool' "$code $(grep -c 'not signed by an attester of the policy' "$WW_RUN/import.err")" '1 1'
ww_stop live
is '  the first verdict is T3' "$(verdict_of toolCallId "$open" | jq -c '[.verdict, .attested.wireVerdict, .supersedes]')" '["CONFIRMED_T3","CONFIRMED_T1",null]'

st=$WW_STATE
ok 'the report of all of it' report || cat "$WW_RUN/report.out"
is '  derived again' "$(rederived)" passed || cat "$WW_RUN/verified"

# A tape, and files beside it: the same bytes each time.
ww_record tape --contracts "$WW_RUN/contracts.yaml" -- "$WW_NODE" "$WW_NPM/agent.mjs" '[{"order":"A55","mode":"real"},{"order":"B66","mode":"masked"}]' >>"$WW_RUN/agent.log" 2>&1
taped() { jq -r "select(.kind == \"verdict\" and .verdict == \"$1\") | .$2" "$WW_RUN/tape.records"; }
attest bank refund_order "$(taped CONFIRMED_T1 toolCallId)" achieved >"$WW_RUN/one"
attest_py bank refund_order action "$(taped MASKED_ERROR action)" achieved >"$WW_RUN/two"
for i in 1 2; do
	"$ww" replay -a "$WW_RUN/one" -a "$WW_RUN/two" "$WW_RUN/tape.tape" >"$WW_RUN/replayed.$i"
	ok "a ledger of it, $i" "$ww" replay -a "$WW_RUN/one" -a "$WW_RUN/two" --state "$WW_RUN/replayed.st$i" "$WW_RUN/tape.tape"
done
ok '  the same bytes' cmp "$WW_RUN/replayed.1" "$WW_RUN/replayed.2"
is '  the same ledger' "$(cat "$WW_RUN/replayed.st1/checkpoint")" "$(cat "$WW_RUN/replayed.st2/checkpoint")"
is '  before them, what there was' "$(head -n "$(wc -l <"$WW_RUN/tape.records")" "$WW_RUN/replayed.1" | cmp - "$WW_RUN/tape.records" && echo same)" same
is '  then they' "$(jq -r 'select(.kind == "verdict" and .attested) | .verdict' "$WW_RUN/replayed.1" | tr '\n' ' ')" 'CONFIRMED_T3 MASKED_ERROR '
attest thief refund_order "$(taped CONFIRMED_T1 toolCallId)" achieved >"$WW_RUN/three"
code=0; "$ww" replay -a "$WW_RUN/three" "$WW_RUN/tape.tape" >"$WW_RUN/replayed.3" 2>/dev/null || code=$?
is '  a forged one' "$code $(grep -c '"attested":{' "$WW_RUN/replayed.3")" '1 0'
