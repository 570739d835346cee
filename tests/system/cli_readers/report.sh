# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by run: report and verify.

vkey=$state/vkey
ok 'report' code 0 "$ww" report -d "$state" -O r.json
ok '  verifies' code 0 "$ww" verify r.json --key-file "$vkey"
ok '  also with the auditor'\''s program' code 0 "$out/wirewitness-verify" --key "$(cat "$vkey")" r.json
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
