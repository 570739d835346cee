# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by run: per block of the page, what is changed in the folder before it runs again. A block without its
# function here fails the test.

no() { ok "  refused: $1" refused "$name" "${@:2}"; }

# Changes. other_char: the text of that member with its tenth character replaced, so that base64 stays base64.
late_char='(.[0:-20] + (if .[-20:-19] == "A" then "B" else "A" end) + .[-19:])'
other_char='(.[0:10] + (if .[10:11] == "A" then "B" else "A" end) + .[11:])'
edit() { sed -i "$2" "$1"; } # FILE EXPRESSION
jedit() { jq -c "$2" "$1" >edited && mv edited "$1"; } # FILE EXPRESSION
put() { cp "$WW_RUN/$1" "$2"; }
flip() { # FILE OFFSET
	local byte
	byte=$(od -An -tu1 -j "$2" -N 1 "$1")
	printf "\\x$(printf %02x $((byte ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
# note FILE LINE: one character in the middle of that line's last word
note() { awk -v at="$2" 'NR == at { n = length($0) - 20; c = substr($0, n, 1); $0 = substr($0, 1, n - 1) (c == "A" ? "B" : "A") substr($0, n + 1) } 1' \
	"$1" >edited && mv edited "$1"; }
payload() { # EXPRESSION
	jq -r .payload report.json | base64 -d | sed "$1" | base64 -w0 >edited
	jq -c --rawfile p edited '.payload = $p' report.json >edited.json && mv edited.json report.json && rm edited
}
in_note() { jedit payload.json ".predicate.checkpoint |= (split(\"\n\") | $1 | join(\"\n\"))"; }
in_proof() { awk -v skip="$1" '/^$/ { after = 1 } 1 { if (after && n++ == skip) next; print }' refund.tlog-proof >edited && mv edited refund.tlog-proof; }
other_key() { sed -i "s|^.*\$|$(cat "$WW_RUN/other.state/vkey")|" vkey; }
wrong_id() { sed -i 's/+\(.\)/+\10/; s/\(+.\{8\}\)./\1/' vkey; }

tamper_envelope() {
	no 'a verdict in the payload' payload 's/MASKED_ERROR/CONFIRMED_T1/'
	no 'one digit' payload 's/"recordCount":[0-9]/"recordCount":9/'
	no 'the signature' jedit report.json ".signatures[0].sig |= $other_char"
	no 'the type' jedit report.json '.payloadType = "application/json"'
	no 'the report of another log' put other.json report.json
	no 'another key' other_key
	no 'a key whose id is not its own' wrong_id
}
tamper_svr() {
	no 'a property' jedit report.svr.json ".payload |= $late_char"
	no 'the signature' jedit report.svr.json ".signatures[0].sig |= $other_char"
	no 'that of another log' put other.svr report.svr.json
	no 'beside another report' jedit payload.json '.subject[1].digest.sha256 |= (.[1:] + .[0:1])'
	no 'another key' other_key
}
tamper_checkpoint() {
	no 'its size' in_note '.[1] |= "9" + .'
	no 'its root' in_note ".[2] |= $other_char"
	no 'its signature' in_note ".[4] |= $late_char"
	no 'no signature' in_note 'del(.[4])'
	no 'the size that the report names' jedit payload.json '.predicate.ledger.treeSize += 1'
	no 'the root that the report names' jedit payload.json '.predicate.ledger.rootHash |= sub("^."; "0g")'
	no 'another key' other_key
}
tamper_witnesses() {
	local first

	first=$(grep -n '^— test/' folder/checkpoint | head -n 1 | cut -d: -f1)
	no 'a forged cosignature' note checkpoint "$first"
	no 'one cosignature missing' edit checkpoint "${first}d"
	no 'none' edit checkpoint '/^— test/d'
	no 'its time' edit checkpoint "${first}s/\\(— [^ ]* .\\{12\\}\\)./\\1_/;${first}s/_/B/"
	no 'the witness of another name' edit witnesses 's|^test/w1+|test/w3+|'
	no 'the tree' edit checkpoint.text '2s/^/9/'
	no 'a larger quorum' edit witnesses 's/^quorum 2/quorum 3/'
	no 'a witness whose id is not its own' edit witnesses 's/^test.w1+./&0/;s/^\(test.w1+.\{8\}\)./\1/'
}
one='.predicate.records |= map(if .kind == "verdict" then'
tamper_record() {
	no 'its text' jedit payload.json "$one .record |= sub(\"verdict\"; \"Verdict\") else . end)"
	no 'its salt' jedit payload.json "$one .salt |= (.[1:] + .[0:1]) else . end)"
	no 'its place' jedit payload.json "$one .index -= 1 else . end)"
	no 'a step' jedit payload.json "$one .inclusionProof[1] |= $other_char else . end)"
	no 'a step less' jedit payload.json "$one .inclusionProof |= .[1:] else . end)"
	no 'a step more' jedit payload.json "$one .inclusionProof += .inclusionProof[0:1] else . end)"
	no 'no steps' jedit payload.json "$one .inclusionProof = [] else . end)"
	no 'the root' note checkpoint.text 3
	no 'the size' edit checkpoint.text '2s/$/9/'
}
tamper_tree() {
	no 'one text' jedit payload.json '.predicate.records[7].record |= sub("\"kind\""; "\"Kind\"")'
	no 'one salt' jedit payload.json '.predicate.records[-1].salt |= (.[1:] + .[0:1])'
	no 'one kind' jedit payload.json '.predicate.records[3].kind |= (if . == "life" then "loss" else "life" end)'
	no 'one step' jedit payload.json ".predicate.records[5].inclusionProof[0] |= $other_char"
	no 'a record left out' jedit payload.json 'del(.predicate.records[9])'
	no 'a record left out, and the count' jedit payload.json 'del(.predicate.records[9]) | .predicate.ledger.recordCount -= 1'
	no 'the last one left out, and all numbers' jedit payload.json \
		'del(.predicate.records[-1]) | .predicate.ledger.recordCount -= 1 | .predicate.ledger.lastIndex -= 1'
	no 'a record twice' jedit payload.json '.predicate.records[4] = .predicate.records[3]'
	no 'the subject' jedit payload.json '(.subject[] | select(.name == "records").digest.sha256) |= (.[1:] + .[0:1])'
	no 'the root' note checkpoint.text 3
}
tamper_stamp() {
	no 'over another signature' jedit report.json ".signatures[0].sig |= $other_char"
	no 'another report' put other.json report.json
	no 'its bytes' jedit report.sigstore.json \
		'.verificationMaterial.timestampVerificationData.rfc3161Timestamps[0].signedTimestamp |= '"$late_char"
	no 'of another report' put other.sigstore.json report.sigstore.json
	no 'of another report, moved here' jedit report.sigstore.json \
		".verificationMaterial.timestampVerificationData = $(jq -c .verificationMaterial.timestampVerificationData other.sigstore.json)"
	no 'none' jedit report.sigstore.json 'del(.verificationMaterial.timestampVerificationData)'
	no 'an authority that is not trusted' put foreign.pem ca.pem
}
entry=.verificationMaterial.tlogEntries[0]
tamper_bundle() {
	no 'the payload' jedit report.sigstore.json ".dsseEnvelope.payload |= $other_char"
	no 'the signature' jedit report.sigstore.json ".dsseEnvelope.signatures[0].sig |= $other_char"
	no 'the entry' jedit report.sigstore.json "$entry.canonicalizedBody |= $other_char"
	no 'a step' jedit report.sigstore.json "$entry.inclusionProof.hashes[0] |= $other_char"
	no 'the place' jedit report.sigstore.json "$entry.inclusionProof.logIndex = \"1\""
	no 'the size' jedit report.sigstore.json "$entry.inclusionProof.checkpoint.envelope |= sub(\"\\n(?<n>[0-9]+)\\n\"; \"\\n9\\(.n)\\n\")"
	no 'no entry' jedit report.sigstore.json '.verificationMaterial.tlogEntries = []'
	no 'no time stamp' jedit report.sigstore.json 'del(.verificationMaterial.timestampVerificationData)'
	no 'another trust root' put other.root root.json
	no 'a key that was replaced before the time stamp' jedit root.json '.tlogs[0].publicKey.validFor.end = "2020-01-01T00:00:00Z"'
	no 'another report beside it' put other.json report.json
}
tamper_proof() {
	no 'its place' edit refund.tlog-proof 's/^index .*/index 1/'
	no 'its record' edit refund.tlog-proof "s|^extra .*|extra $(sed -n 's/^extra //p' folder/refund.tlog-proof | base64 -d | sed 's/verdict/Verdict/2' | base64 -w0)|"
	no 'a step' note refund.tlog-proof 4
	no 'a step less' edit refund.tlog-proof 4d
	no 'the tree' edit refund.tlog-proof '/^$/,$s/^\([0-9]*\)$/9\1/'
	no 'a cosignature missing' in_proof 6
	no 'another key' other_key
}
tamper_extends() {
	no 'history written anew with the key in hand' put forked.state/checkpoint kept
	no 'the kept size' edit kept '2s/$/9/'
	no 'the head' edit ledger/checkpoint '2s/$/9/'
	no 'the log of somebody else' put other.state/checkpoint ledger/checkpoint
	no 'a log that is shorter than what was kept' eval 'cp kept now && cp ledger/checkpoint kept && cp now ledger/checkpoint'
	no 'a tile' flip "ledger/$(cd folder && cd ledger && find tile/0 -type f | sort | tail -n 1)" 40
	no 'another key' other_key
}
add_fork() { jq -c --rawfile n "$WW_RUN/forked.state/checkpoint" \
	'.resourceLogs[0].scopeLogs[0].logRecords[0].body.stringValue = $n' collector.ndjson | head -n 1 >edited && cat edited >>collector.ndjson; }
tamper_collector() {
	no 'one that says another story' add_fork
	no 'one that was changed' edit collector.ndjson '1s/\(stringValue":"[^"]*\\n\)\([0-9]*\\n\)/\19\2/'
	no 'nothing arrived' edit collector.ndjson d
}
tamper_stream() {
	no 'a word' edit stream.ndjson 's/"verdict":"./"verdict":"X/'
	no 'its place' edit stream.ndjson 's/"cursor":/"cursor":1/'
	no 'the proof of another record' eval '"$ww" proof -d "$state" -O edited 3 && mv edited refund.tlog-proof'
}
tamper_page() {
	no 'the report in it' edit page.html '/^<template id="report">$/,/^<\/template>/s/"payload":"./"payload":"_/'
	no 'another report in it' put other.html page.html
	no 'none in it' edit page.html 's/id="report"/id="Report"/'
}
one_side() { jq -c '.checkpoint |= (split("\n") | del(.[-2]) | join("\n"))' history >edited && mv edited history; }
unsigned() { jq -c '.record |= (fromjson | .note |= (split("\n") | del(.[-2]) | join("\n")) | tojson)' history >edited && mv edited history; }
tamper_rotation() {
	no 'at another place' edit history '1s/"index":/"index":1/'
	no 'one step missing' edit history 1d
	no 'in another order' eval 'tac history >edited && mv edited history'
	no 'a hand-over that one side signed' one_side
	no 'a rotation that one side signed' unsigned
	no 'a salt' jedit history '.salt |= (.[1:] + .[0:1])'
	no 'a step' jedit history ".proof[0] |= $other_char"
	no 'another first key' other_key
	no 'another last key' put other.state/vkey vkey.new
}
# The key's holder signs all of it anew: nothing but the derivation is left to object.
in_place_of() { # STATE REPORT
	put "$2" report.json && put "$1/vkey" vkey && put "$1/checkpoint" kept && rm -rf ledger && mkdir ledger &&
		cp -a "$WW_RUN/$1/checkpoint" "$WW_RUN/$1/tile" ledger/
}
tamper_derived() {
	no 'the report of another log' put other.json report.json
	no 'a kept checkpoint of another log' put other.state/checkpoint kept
	no 'a later checkpoint of another story' put forked.state/checkpoint kept
	no 'the kept checkpoint, one character' note kept 3
	no 'the payload' payload 's/MASKED_ERROR/CONFIRMED_T1/'
	no 'another key' other_key
	for lie in "${lies[@]}"; do no "a lie of the key's holder, $lie" in_place_of "$lie.state" "$lie.json"; done
	no 'evidence that is withheld' in_place_of erased.state erased.json
}
tamper_ours() {
	no 'a step of the history left out' edit history 1d
	no 'a history of another order' eval 'tac history >edited && mv edited history'
	no 'a history, and a key that is none of it' put other.state/vkey vkey.new
	no 'the payload' payload 's/MASKED_ERROR/CONFIRMED_T1/'
	no 'the root that others do not look at' jedit report.sigstore.json "$entry.inclusionProof.rootHash |= $other_char"
	no 'the index that others do not look at' jedit report.sigstore.json "$entry.logIndex = \"1\""
	no 'a cosignature missing' in_proof 6
	no 'another key' other_key
}
