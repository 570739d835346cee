# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by run: the report as a bundle, the short result, and who accepts and refuses what.

ok 'a bundle' bundle plain --svr plain.svr
ok '  verifies here' code 0 "$ww" verify --key-file "$vkey" plain.bundle
ok '  and with the auditor'\''s program' code 0 "$out/wirewitness-verify" --key-file "$vkey" plain.bundle
ok '  and with both generations of other verifiers' both_say ok 0 plain.bundle
ok '  under another key it does not' code 1 "$ww" verify --key-file words/vkey plain.bundle
is '  tampered with, they refuse' "$(tampered 0 plain.bundle)" 'all refused: 14, unseen by them: 2, half: 1, ours refuses: 17'
is '  its entry is the ledger'\''s leaf' "$(jq -r '.verificationMaterial.tlogEntries[0].canonicalizedBody' plain.bundle | base64 -d)" \
	"$("$ww" ls reports -d "$state" -o json | jq -c .record.entry)"
ok '  the report record fits its schema' sh -c "'$ww' ls reports -d '$state' -o json | jq -c .record >reports.ndjson &&
	node '$here/schema.mjs' '$root/docs/schema' '$npm' records reports.ndjson >/dev/null"
ok 'the next report lists it' report -O next.json --complete
ok '  and verifies' code 0 "$out/wirewitness-verify" --key-file "$vkey" next.json
ok '  and fits the schema' fits next.json
ok 'a second bundle, from the ledger that has grown' bundle second
printf 'erase %s\n' "$("$ww" ls reports -d "$state" -o json | jq .cursor | head -n 1)" | "$out/dev/ledger_append" "$state"
ok 'erased, the next report still verifies' report -O erased.json --complete
ok '  also elsewhere' code 0 "$out/wirewitness-verify" --key-file "$vkey" erased.json
is '  as withheld' "$(payload erased.json | jq '[.predicate.records[] | select(.kind == "report" and has("digest"))] | length')" 1
ok 'a time stamp needs a bundle' code 2 "$ww" report -d "$state" -O no.json --timestamp http://127.0.0.1:1/

payload plain.svr >svr.json
is 'the short result is over the same subjects' "$(jq -c .subject svr.json)" "$(payload plain.json | jq -c .subject)"
is '  an svr' "$(jq -r .predicateType svr.json)" https://in-toto.io/attestation/svr/v0.2
is '  with every verdict' "$(jq -r '.predicate.properties[]' svr.json | sed -n 's/^WIREWITNESS_OUTCOME_\([a-z-]*\):v-.*/\1/p' | sort | uniq -c | xargs)" \
	'9 contradicted 3 corroborated'
is '  and how many' "$(jq -r '.predicate.properties[]' svr.json | grep VERDICTS)" WIREWITNESS_VERDICTS:12
jq -r '.signatures[0].sig' plain.svr | base64 -d >svr.sig
{ printf 'DSSEv1 28 application/vnd.in-toto+json %s ' "$(wc -c <svr.json)"; cat svr.json; } >svr.signed
{ printf '\060\052\060\005\006\003\053\145\160\003\041\000'; cut -d+ -f3- "$vkey" | base64 -d | tail -c 32; } >key.der
ok '  signed, by openssl' code 0 openssl pkeyutl -verify -rawin -pubin -keyform DER -inkey key.der -in svr.signed -sigfile svr.sig
