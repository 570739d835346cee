# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Without a daemon, over the records of a tape: who may attest is put into the terms of its verdicts.

attester bank
attester erp ec
attester other # of another tool
(cd "$WW_RUN" && mkdir thief && cd thief && bash -euo pipefail ../key.sh >/dev/null 2>&1)
tapes=$here/../../golden/tapes
jq -c --arg bank "${PUBLIC[bank]}" --arg erp "${PUBLIC[erp]}" 'if .kind == "verdict" and .grounds.terms then
	.grounds.terms = ({effect: .grounds.terms.effect, attesters: [{name: "bank", key: $bank}, {name: "erp", key: $erp}]} +
		(.grounds.terms | del(.effect))) else . end' "$tapes/node_refunds.records" >"$WW_RUN/made"
{
	sed 's|@PAYMENTS@|10.77.2.2|' "$tapes/contracts.yaml"
	printf '    attesters:\n      - {name: bank, key: %s}\n      - {name: erp, key: %s}\n' "${PUBLIC[bank]}" "${PUBLIC[erp]}"
	printf '  - tool: notify\n    effect: local\n    attesters: [{name: other, key: %s}]\n' "${PUBLIC[other]}"
} >"$WW_RUN/tape.yaml"
st=$WW_RUN/st
fresh() { rm -rf "$st" && "$WW_BUILD/dev/ledger_append" "$st" <"${1:-$WW_RUN/made}"; }
take() { import "$st" "$1" --socket "$WW_RUN/none" --contracts "${2:-$WW_RUN/tape.yaml}"; }
count() { records "$st" | jq -c "select(.kind == \"$1\")" | wc -l; }
of() { jq -r "select(.kind == \"verdict\" and .verdict == \"$1\") | .$2" "$WW_RUN/made" | head -n 1; }
call=$(of CONFIRMED_T1 toolCallId) action=$(of CONFIRMED_T1 action)

"$ww" contract check "$WW_RUN/tape.yaml" >"$WW_RUN/checked"
is 'the contract is understood' "$(grep -v 'raises no verdict' "$WW_RUN/checked")" ''
fresh
attest bank refund_order "$call" achieved >"$WW_RUN/good"
ok 'taken in' take "$WW_RUN/good" || cat "$WW_RUN/import.err"
is 'T3' "$(newest "$st" "$action" | jq -c '[.verdict, .tier, .evidence, .attested.wireVerdict, .supersedes]')" \
	"[\"CONFIRMED_T3\",\"T3\",\"E4\",\"CONFIRMED_T1\",\"v-${action#a-}-1\"]"
size=$(records "$st" | wc -l)
ok 'again' take "$WW_RUN/good"
ok '  it was there' grep -q 'was there already' "$WW_RUN/import.out"
is '  no record of it' "$(records "$st" | wc -l)" "$size"
attest erp refund_order "$call" not-achieved >"$WW_RUN/denied"
ok 'another denies it, by P-256' take "$WW_RUN/denied" || cat "$WW_RUN/import.err"
is 'no longer T3' "$(newest "$st" "$action" | jq -c '[.verdict, .tier, .findings[0].finding]')" '["CONFIRMED_T1","T1","ATTESTED_NOT_ACHIEVED"]'
for verdict in MASKED_ERROR NO_ACTION; do
	attest_py bank refund_order action "$(of $verdict action)" achieved >"$WW_RUN/beside"
	ok "beside $verdict" take "$WW_RUN/beside" || cat "$WW_RUN/import.err"
	is "  it stays $verdict" "$(newest "$st" "$(of $verdict action)" | jq -c '[.verdict, .tier, .findings[-1].finding]')" \
		"[\"$verdict\",\"T0\",\"ATTESTED_WITHOUT_WIRE\"]"
done

# The envelope of the record, by openssl alone.
records "$st" | jq 'select(.kind == "attestation" and .attester == "bank") | .envelope' | jq -s '.[0]' >"$WW_RUN/recorded"
jq -j .payload "$WW_RUN/recorded" | base64 -d >"$WW_RUN/payload"
{ printf 'DSSEv1 28 application/vnd.in-toto+json %d ' "$(wc -c <"$WW_RUN/payload")"; cat "$WW_RUN/payload"; } >"$WW_RUN/pae"
jq -r '.signatures[0].sig' "$WW_RUN/recorded" | base64 -d >"$WW_RUN/sig"
base64 -d <<<"${PUBLIC[bank]}" | openssl pkey -pubin -inform DER -out "$WW_RUN/pub.pem"
ok 'openssl verifies what is recorded' openssl pkeyutl -verify -rawin -pubin -inkey "$WW_RUN/pub.pem" -in "$WW_RUN/pae" -sigfile "$WW_RUN/sig"

# --- the report -------------------------------------------------------------------------------------------------------
report() { rm -f "$WW_RUN"/r.json* "$WW_RUN/r.html" && "$ww" report -d "$st" -O "$WW_RUN/r.json" --html "$WW_RUN/r.html" "$@" >"$WW_RUN/report.out" 2>&1; }
rederived() { # what --rederive says of the report at $1 in one word
	"$verify" --key-file "$st/vkey" --rederive -o json "${1:-$WW_RUN/r.json}" >"$WW_RUN/verified" 2>/dev/null || true
	jq -r '.checks[] | select(.name == "rederived") | .state' "$WW_RUN/verified"
}
ok 'a report' report --filter "action=$action" || cat "$WW_RUN/report.out"
is 'it has the attestations' "$(jq -r .payload "$WW_RUN/r.json" | base64 -d | jq -r '.predicate.records[].kind' | grep -c attestation)" 2
is 'T3 is derived again' "$(rederived)" passed
is 'the page says who attested' "$(grep -c 'E7, attested by' "$WW_RUN/r.html")" 1
is 'the table has it' "$("$ww" actions -d "$st" -o json --filter "action=$action" | jq -r .attested)" 'achieved, not-achieved by bank, erp'
ok 'why names it' grep -q 'attested by bank: achieved, evidence E7' <("$ww" why -d "$st" "$action")

# Who holds the log's key and writes other records: CODE changes them, the verifier must not say yes.
lies() { # NAME WORD CODE
	fresh <(records "$st.honest" | jq -c "$3")
	ok "lie: $1: a report" report || cat "$WW_RUN/report.out"
	is "lie: $1" "$(rederived)" "$2"
}
cp -a "$st" "$st.honest"
lies 'none' passed .
lies 'a signature of somebody else' failed "if .kind == \"attestation\" then .envelope.signatures[0].sig |= (\"AAAA\" + .[4:]) else . end"
lies 'a key that did not sign' failed "if .kind == \"verdict\" and .attested then .grounds.terms.attesters[0].key = \"${PUBLIC[other]}\" else . end"
lies 'T3 though denied' failed 'if .kind == "verdict" and .attested and (.attested.attestations | length) == 2 then .verdict = "CONFIRMED_T3" | .tier = "T3" else . end'
lies 'a denial left out' failed 'if .kind == "verdict" and .attested and (.attested.attestations | length) == 2 then .attested.attestations |= .[:1] | .verdict = "CONFIRMED_T3" | .tier = "T3" | del(.findings) else . end'
lies 'T3 of a masked error' failed 'if .kind == "verdict" and .attested.wireVerdict == "MASKED_ERROR" then .verdict = "CONFIRMED_T3" | .tier = "T3" | del(.findings) else . end'
lies 'T3 without a column' failed 'if .verdict == "CONFIRMED_T1" and (.attested | not) then .verdict = "CONFIRMED_T3" | .tier = "T3" else . end'
lies 'an attestation of another action' failed "if .kind == \"attestation\" and .by == \"toolCallId\" and .attester == \"bank\" then .action = \"$(of MASKED_ERROR action)\" else . end"
lies 'an attestation withheld' open 'if .kind == "attestation" and .attester == "bank" and .by == "toolCallId" then empty else . end'

# --- refused ----------------------------------------------------------------------------------------------------------
rm -rf "$st" && cp -a "$st.honest" "$st"
size=$(records "$st" | wc -l)
refused() { # NAME FILE WHY
	local code=0
	take "$2" || code=$?
	is "refused: $1: exit code" "$code" 1
	ok "  and says why" grep -q "$3" "$WW_RUN/import.err" || cat "$WW_RUN/import.err"
}
edit() { jq -c "$1" "$WW_RUN/good" >"$WW_RUN/edited"; }
payload() { # jq code over the statement, signed again by the bank
	jq -r .payload "$WW_RUN/good" | base64 -d | jq -cj "$1" >"$WW_RUN/bank/statement"
	sign bank >"$WW_RUN/edited"
}
attest thief refund_order "$call" achieved >"$WW_RUN/edited"
refused 'a key of nobody' "$WW_RUN/edited" 'not signed by an attester'
attest other refund_order "$call" achieved >"$WW_RUN/edited"
refused "the key of another tool's attester" "$WW_RUN/edited" 'not signed by an attester'
edit '.signatures[0].sig |= ("AAAA" + .[4:])'
refused 'a forged signature' "$WW_RUN/edited" 'not signed by an attester'
edit '.payload |= (.[:40] + "A" + .[41:])'
refused 'a changed payload' "$WW_RUN/edited" 'not taken'
edit '.payloadType = "text/plain"'
refused 'another type' "$WW_RUN/edited" 'payload type'
payload '.predicateType = "https://wirewitness.dev/attestation/v2"'
refused 'a predicate of later' "$WW_RUN/edited" 'predicate is not'
payload '.predicate.expiresAt = "2001-01-01T00:00:00Z" | .predicate.attestedAt = "2000-12-31T00:00:00Z"'
refused 'expired' "$WW_RUN/edited" 'expired'
payload '.predicate.attestedAt = "2099-01-01T00:00:00Z"'
refused 'of the future' "$WW_RUN/edited" 'in the future'
payload '.predicate.attestedAt = "2026-01-01T00:00:00Z"'
refused 'of before the action' "$WW_RUN/edited" 'before the action began'
payload '.predicate.log = "wirewitness/elsewhere"'
refused 'for another ledger' "$WW_RUN/edited" 'for the log'
payload '.subject += .subject'
refused 'two subjects' "$WW_RUN/edited" 'more than one subject'
attest bank refund_order call_of_another_host achieved >"$WW_RUN/edited"
refused 'an action of another host' "$WW_RUN/edited" 'no action of tool'
attest bank notify "$call" achieved >"$WW_RUN/edited"
refused 'another tool' "$WW_RUN/edited" 'not signed by an attester'
{ cat "$WW_RUN/good"; printf '%8192s' ''; } >"$WW_RUN/edited"
refused 'one with too many bytes' "$WW_RUN/edited" 'more than 8192 bytes'
payload '.predicate.reference = "once more"'
refused 'the same word of the same attester' "$WW_RUN/edited" 'bank said achieved of .* already'
sed 's/name: bank/name: till/' "$WW_RUN/tape.yaml" >"$WW_RUN/later.yaml"
payload '.predicate.reference = "later"'
code=0; take "$WW_RUN/edited" "$WW_RUN/later.yaml" || code=$?
is 'refused: a contract of later that names it otherwise' "$code $(grep -c 'judged under a contract' "$WW_RUN/import.err")" '1 1'
is 'nothing was recorded' "$(records "$st" | wc -l)" "$size"

# Two trees with one call id.
jq -c --arg a "$(of NO_ACTION toolCallId)" --arg b "$call" '(.. | strings) |= if . == $a then $b else . end' "$WW_RUN/made" >"$WW_RUN/twins"
fresh "$WW_RUN/twins"
refused 'one id of several actions' "$WW_RUN/good" 'several actions'

# --- pruned ------------------------------------------------------------------------------------------------------------
fresh
begun=$(of CONFIRMED_T1 t) begun=${begun%.*}Z
payload ".predicate.attestedAt = \"$begun\""
ok 'one from when the action was' take "$WW_RUN/edited" || cat "$WW_RUN/import.err"
records "$st" | jq -c "if .kind == \"attestation\" then .t = \"${begun%Z}.000000000Z\" else . end" >"$WW_RUN/then"
fresh "$WW_RUN/then"
ok 'its content is pruned' "$ww" prune -d "$st" --older-than 1s --kind attestation --force
is '  it is gone, and its verdict stays' "$(count attestation 2>/dev/null) $(newest "$st" "$action" 2>/dev/null | jq -r .verdict)" '0 CONFIRMED_T3'
ok '  a report' report || cat "$WW_RUN/report.out"
is '  what it rests on is not there' "$(rederived)" open
ok '  brought again' take "$WW_RUN/edited"
ok '    it was there' grep -q 'was there already' "$WW_RUN/import.out"
ok '  another denies it' take "$WW_RUN/denied" || cat "$WW_RUN/import.err"
is '  the verdict names both' "$(newest "$st" "$action" | jq -c '[.verdict, (.attested.attestations | length)]')" '["CONFIRMED_T1",2]'

# A verdict that a later one supersedes is not asked, though only it had the id.
fresh <(cat "$WW_RUN/made"; jq -c "select(.kind == \"verdict\" and .action == \"$action\") | .id |= sub(\"1$\"; \"2\") | .verdict = \"DUPLICATE_EFFECT\" |
	.tier = \"T0\" | .toolCallId = null | .supersedes = \"v-${action#a-}-1\"" "$WW_RUN/made")
refused 'an id of a verdict that is superseded' "$WW_RUN/good" 'no action of tool'
is '  the last word stays' "$(newest "$st" "$action" | jq -r .verdict)" DUPLICATE_EFFECT

# --- recorded, and killed before its verdict --------------------------------------------------------------------------
fresh <(cat "$WW_RUN/made"; records "$st.honest" | jq -c 'select(.kind == "attestation" and .attester == "bank" and .by == "toolCallId")')
is 'a record without its verdict' "$(count attestation) $(newest "$st" "$action" | jq -r .verdict)" '1 CONFIRMED_T1'
ok '  another one is brought' take "$WW_RUN/denied"
is '  the verdict names both' "$(newest "$st" "$action" | jq -c '[.verdict, (.attested.attestations | length)]')" '["CONFIRMED_T1",2]'
fresh <(cat "$WW_RUN/made"; records "$st.honest" | jq -c 'select(.kind == "attestation" and .attester == "bank" and .by == "toolCallId")')
ok '  the same is brought again' take "$WW_RUN/good"
is '  its verdict is written, and no second record' "$(count attestation) $(newest "$st" "$action" | jq -r .verdict)" '1 CONFIRMED_T3'
ok '  a report' report
is '  derived again' "$(rederived)" passed

# --- what is done on this host ----------------------------------------------------------------------------------------
jq -c --arg bank "${PUBLIC[bank]}" 'if .kind == "verdict" and .grounds.terms then
	.grounds.terms = ({effect: .grounds.terms.effect, attesters: [{name: "bank", key: $bank}]} + (.grounds.terms | del(.effect))) else . end' \
	"$tapes/files_programs.records" >"$WW_RUN/made"
{
	printf 'version: 1\ncontracts:\n'
	printf '  - {tool: %s, effect: %s, attesters: [{name: bank, key: %s}]}\n' write_report 'file, files: ["/run/ww-files/{name}.txt"]' "${PUBLIC[bank]}" \
		check 'process, programs: [/usr/bin/true, /usr/bin/false], exit: 0' "${PUBLIC[bank]}"
} >"$WW_RUN/here.yaml"
is 'nothing to ask of attesters of files and programs' "$("$ww" contract check "$WW_RUN/here.yaml")" ''
fresh
for row in write_report/written/CONFIRMED_T3 check/ran/CONFIRMED_T3 write_report/not-written/NO_ACTION check/failed/MASKED_ERROR; do
	IFS=/ read -r tool call verdict <<<"$row"
	attest bank "$tool" "$call" achieved >"$WW_RUN/done"
	ok "of $tool, $call" take "$WW_RUN/done" "$WW_RUN/here.yaml" || cat "$WW_RUN/import.err"
	is "  $verdict" "$(records "$st" | jq -r "select(.kind == \"verdict\" and .toolCallId == \"$call\") | .verdict" | tail -n 1)" "$verdict"
done
ok 'a report of them' report
is '  derived again' "$(rederived)" passed || cat "$WW_RUN/verified"
