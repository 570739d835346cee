# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by run: report and verify.

vkey=$state/vkey
ok 'report' code 0 "$ww" report -d "$state" -O r.json
ok '  verifies' code 0 "$ww" verify r.json --key-file "$vkey"
ok '  also with the auditor'\''s program' code 0 "$out/wirewitness-verify" --key "$(cat "$vkey")" r.json
ok '  from a socket' python3 -c 'import socket, subprocess, sys, threading
a, b = socket.socketpair()
threading.Thread(target=lambda: (a.sendall(open("r.json", "rb").read()), a.close())).start()
sys.exit(subprocess.call(sys.argv[1:], stdin=b, stdout=subprocess.DEVNULL))' "$ww" verify -K "$vkey" -
ok '  from standard input too' eval '"$ww" verify - --key-file "$vkey" <r.json | grep -q VERIFIED'
ok '  has a page' grep -q '^   UNVERIFIABLE: 1 of 4 (25.0 %)$' r.json.txt
cp "$vkey" vkey
sed -n '/^      jq -r .payload/,/^         -in signed.bin/p' r.json.txt >commands
ok '  whose commands verify with openssl' bash -e commands
is '  and fail when a byte is changed' "$(sed -i 's/refund/refuse/' payload.json; sed -i 2d commands; sed -i 1d commands
	bash -e commands 2>&1 | tail -n 1)" 'Signature Verification Failure'
ok 'never overwrites' code 1 "$ww" report -d "$state" -O r.json
ok '  but when told to' code 0 "$ww" report -d "$state" -O r.json --force
ok 'standard output cannot take two files' code 2 "$ww" report -d "$state" -O -
for names in '--html r2.json' '--bundle r2.json' '--svr r2.json.txt' '--html x --trust-root x'; do
	# shellcheck disable=SC2086
	ok "$names: one name for two files" code 2 "$ww" report -d "$state" -O r2.json --force $names
	ok '  nothing is made' test ! -e r2.json
done
ok 'where to is needed' code 2 "$ww" report -d "$state"
ok 'a filter chooses verdicts' code 0 "$ww" report -d "$state" -O f.json -f 'verdict=MASKED_ERROR'
jq -r .payload f.json | base64 -d | jq -c '[.predicate.records[].record | fromjson | .id] | sort' >got
is '  with what they rest on' "$(cat got)" \
	'["a-00000002","c-abc-1","d-1","f-51","p77-1f","s-0000000000000002","v-00000002-1","x-51-1","x-99-1","x-99-1"]'
ok 'a period by index' code 0 "$ww" report -d "$state" -O p.json --from 10 --to 14 --complete
is '  complete' "$(jq -r .payload p.json | base64 -d | jq -c '[.predicate.ledger.selection, (.predicate.records | map(.index))]')" \
	'["range",[10,11,12,13,14]]'
ok '  has no coverage record, so it is not called complete' grep -q 'All seen, nothing lost: no' p.json.txt
ok 'an empty period' code 1 "$ww" report -d "$state" -O e.json -S 2027-01-01T00:00:00Z
ok 'complete and filtered exclude each other' code 2 "$ww" report -d "$state" -O e.json -f kind=verdict --complete
printf 'erase 8\n' | "$out/dev/ledger_append" "$state"
ok 'an erased record is withheld' code 0 "$ww" report -d "$state" -O w.json --complete
ok '  and the report verifies' code 0 "$ww" verify w.json --key-file "$vkey"
ok 'ls passes it over' code 0 "$ww" ls exchanges -d "$state"
ok 'without a key it is not verified' code 1 "$ww" verify r.json
"$out/dev/ledger_append" "$work/other" <story.ndjson
ok 'another key' code 1 "$ww" verify r.json --key-file "$work/other/vkey"
ok 'no key at all in the file' code 3 "$ww" verify r.json --key-file r.json
head -c 2000 r.json >cut.json
ok 'a cut file' code 1 "$ww" verify cut.json --key-file "$vkey"
ok 'no file' code 3 "$ww" verify none.json --key-file "$vkey"

# The other files that are made: never overwritten, and what is not there is not an error of the machine.
ok 'a proof' code 0 "$ww" proof -d "$state" -O one.tlog-proof 0
ok '  is not overwritten' code 1 "$ww" proof -d "$state" -O one.tlog-proof 0
ok '  of no record' code 1 "$ww" proof -d "$state" 99999999
ok '  is none' said "no record '99999999'"
ok 'a page' code 0 "$ww" html r.json -O r.html
ok '  is not overwritten' code 1 "$ww" html r.json -O r.html
ok '  of what is no report' code 1 "$ww" html vkey -O no.html
ok '  the way on is said' said 'wirewitness verify says which'
ok 'exported by the word of ls' code 0 "$ww" export -d "$state" --format csv --kind verdicts
cp stdout plural.csv
ok '  and by the name of the kind' code 0 "$ww" export -d "$state" --format csv --kind verdict
ok '  the same' cmp stdout plural.csv
ok 'a filter that no verdict can fit' code 2 "$ww" actions -d "$state" -f kind=exchange

# What was erased is no verdict any more, and must not look as if there never was one.
"$out/dev/ledger_append" "$work/pruned" <story.ndjson
jq -r 'select(.kind == "verdict") | "erase \(input_line_number - 1)"' story.ndjson | "$out/dev/ledger_append" "$work/pruned"
ok 'a report without its verdicts' code 0 "$ww" report -d "$work/pruned" -O gone.json
ok '  says how many there were' said '4 verdicts of the period have no content any more'
ok '  so does the page' grep -qx '   4 more have no content any more: what they said is not known here' gone.json.txt
ok '  and an export' code 0 "$ww" export -d "$work/pruned" --format csv
ok '  beside the table' grep -q 'more without content' stderr
