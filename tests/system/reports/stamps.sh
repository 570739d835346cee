# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by run: RFC 3161 time stamps, from a throw-away authority; openssl judges.

. "$here/authority.sh"
authority "$work"
stamp() { bundle "$1" --timestamp-ca ca/chain.pem "${@:2}"; }

ok 'a time stamp' stamp stamped --timestamp "$url/tsa"
ok '  that says when' said 'time stamp: 20'
ok '  the bundle verifies' code 0 "$ww" verify --key-file "$vkey" stamped.bundle
jq -r '.dsseEnvelope.signatures[0].sig' stamped.bundle | base64 -d >sig.bin
jq -r '.verificationMaterial.timestampVerificationData.rfc3161Timestamps[0].signedTimestamp' stamped.bundle |
	base64 -d >stamp.tsr
ok '  by openssl too' code 0 openssl ts -verify -data sig.bin -in stamp.tsr -CAfile ca/ca.pem -untrusted ca/tsa.pem
printf x >>sig.bin
ok '  not over other bytes' code 1 openssl ts -verify -data sig.bin -in stamp.tsr -CAfile ca/ca.pem -untrusted ca/tsa.pem
ok '  and by both generations of other verifiers' both_say ok 1 stamped.bundle
is '  tampered with, they refuse' "$(tampered 1 stamped.bundle)" 'all refused: 15, unseen by them: 2, half: 1, ours refuses: 18'
ok 'through a command' stamp command --timestamp-command "curl -sS --fail -H 'Content-Type: application/timestamp-query' --data-binary @- $url/tsa"
ok '  is as good' both_say ok 1 command.bundle
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout other.key -out other.pem -days 2 \
	-subj /CN=somebody-else 2>/dev/null
ok 'an authority that is not trusted' bundle foreign --timestamp-ca other.pem --timestamp "$url/tsa"
ok '  leaves the report without a stamp, and says so' said 'the report has no time stamp'
for case in refuse stale; do
	ok "an authority that answers with: $case" stamp "$case" --timestamp "$url/$case"
	ok '  the same' said 'the report has no time stamp'
	ok '  the report is whole' both_say ok 0 "$case.bundle"
done
kill "$authority_pid"
wait "$authority_pid" 2>/dev/null
ok 'an authority that is not there' stamp gone --timestamp "$url/tsa"
ok '  the same' said 'the report has no time stamp'
ok 'a command that fails' stamp fails --timestamp-command false
ok '  the same' said 'the report has no time stamp'
ok 'https is for a command' stamp https --timestamp https://127.0.0.1:1/tsa
ok '  it says' said 'https is for --timestamp-command'
# A stamp over another signature, moved into a bundle: those verifiers refuse, and so do we.
jq -c --arg t "$(base64 -w0 stamp.tsr)" '.verificationMaterial.timestampVerificationData = {rfc3161Timestamps: [{signedTimestamp: $t}]}' \
	gone.bundle >moved.bundle
cp gone.root moved.root
ok 'a stamp of another report' both_say refused 1 moved.bundle
ok '  is refused by ours' code 1 "$ww" verify --key-file "$vkey" moved.bundle
