# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Where a request was processed, over the paths of a tape under a policy that names who may attest it.

attester auditor
attester cloud ec
mkdir "$WW_RUN/tables"
cat >"$WW_RUN/tables/own.yaml" <<'END'
version: 1
as_of: 2026-01-01
operators:
  - {name: provider, home: DE, basis: contract}
prefixes:
  - {cidr: [10.77.0.0/16], operator: provider, region: eu-1, basis: contract}
END
cat >"$WW_RUN/policy.yaml" <<END
version: 1
regions:
  - {name: eu, labels: [eu-*]}
  - {name: us, labels: [us-*]}
agents:
  - {name: all, program: ["*"], allowed_regions: [eu]}
attesters:
  - {name: auditor, key: ${PUBLIC[auditor]}}
  - {name: cloud, key: ${PUBLIC[cloud]}}
END
ok 'the policy is understood' "$ww" policy check "$WW_RUN/policy.yaml"
told() { "$ww" replay "$tapes/node_refunds.tape" --policy "$WW_RUN/policy.yaml" --tables "$WW_RUN/tables" "$@"; }
told >"$WW_RUN/told"
is 'paths are told' "$(jq -c 'select(.kind == "path")' "$WW_RUN/told" | wc -l)" 4
pst=$WW_RUN/pst
fresh_paths() { rm -rf "$pst" && "$WW_BUILD/dev/ledger_append" "$pst" <"${1:-$WW_RUN/told}"; }
take_path() { import "$pst" "$1" --socket "$WW_RUN/none" --policy "$WW_RUN/policy.yaml"; }
path_now() { records "$pst" | jq -c "select(.kind == \"path\" and .path == \"$path\")" | tail -n 1; }
attest_path() # NAME ID REGION OPERATOR
{
	(
		cd "$WW_RUN/$1"
		id=$2 region=$3 operator=$4 bash -euo pipefail ../attest_path.sh
		if openssl pkey -in attester.pem -noout -text | grep -q prime256v1; then
			openssl dgst -sha256 -sign attester.pem -out sig pae
			jq --arg sig "$(base64 -w0 sig)" '.signatures[0].sig = $sig' attestation.json >changed
			mv changed attestation.json
		fi
		cat attestation.json
	)
}
first=$(jq -cn 'first(inputs | select(.kind == "path"))' "$WW_RUN/told")
path=$(jq -r .path <<<"$first")
response=$(jq -r '.legs[0].responseId' <<<"$first") request=$(jq -r '.legs[1].requestId' <<<"$first")

fresh_paths
attest_path auditor "$response" eu-1 provider >"$WW_RUN/here"
ok 'taken in' take_path "$WW_RUN/here" || cat "$WW_RUN/import.err"
is 'in a column of its own' "$(path_now | jq -c '[.revision, .supersedes, .attested[0].attester, .attested[0].says.region, .attested[0].leg, .attested[0].findings]')" \
	"[2,\"$path-1\",\"auditor\",\"eu-1\",1,[]]"
rest() { jq -cS 'del(.id, .revision, .supersedes, .attested, .findings)'; }
is 'nothing else changes' "$(path_now | rest)" "$(rest <<<"$first")"
size=$(records "$pst" | wc -l)
ok 'again' take_path "$WW_RUN/here"
is '  it was there' "$(grep -c 'was there already' "$WW_RUN/import.out") $(records "$pst" | wc -l)" "1 $size"
attest_path cloud "$response" us-9 provider >"$WW_RUN/there"
jq -r .payload "$WW_RUN/there" | base64 -d | jq -cj --arg id "$request" --arg sha256 "$(printf %s "$request" | sha256sum | cut -d' ' -f1)" \
	'.predicate |= (del(.responseId) | .requestId = $id) | .subject = [{name: $id, digest: {sha256: $sha256}}]' >"$WW_RUN/auditor/statement"
sign auditor >"$WW_RUN/there2"
ok 'elsewhere, by P-256' take_path "$WW_RUN/there" || cat "$WW_RUN/import.err"
ok 'elsewhere, by the id of the request' take_path "$WW_RUN/there2" || cat "$WW_RUN/import.err"
is '  findings of the path' "$(path_now | jq -c '[.findings[] | select(.attestation) | [.finding, .leg, .attestedRegion]]')" \
	'[["ATTESTED_ELSEWHERE",1,"us-9"],["ATTESTED_OUT_OF_REGION",1,"us-9"],["ATTESTED_ELSEWHERE",2,"us-9"],["ATTESTED_OUT_OF_REGION",2,"us-9"]]'
is '  and no other verdict, evidence, leg' "$(path_now | rest)" "$(rest <<<"$first")"
ok 'the page says by whom' grep -q 'claimed and signed by cloud: processed in us-9' <("$ww" path -d "$pst" "$path")
rm -f "$WW_RUN"/p.json*
ok 'a report' "$ww" report -d "$pst" -O "$WW_RUN/p.json" --html "$WW_RUN/p.html" >"$WW_RUN/report.out" 2>&1 || cat "$WW_RUN/report.out"
"$verify" --key-file "$pst/vkey" --rederive -o json "$WW_RUN/p.json" >"$WW_RUN/verified" 2>/dev/null || true
is '  derived again' "$(jq -r '.checks[] | select(.name == "rederived") | .state' "$WW_RUN/verified")" passed || cat "$WW_RUN/verified"

size=$(records "$pst" | wc -l)
refused_path() { # NAME FILE WHY
	local code=0
	take_path "$2" || code=$?
	is "refused: $1: exit code" "$code" 1
	ok "  and says why" grep -q "$3" "$WW_RUN/import.err" || cat "$WW_RUN/import.err"
}
attest_path thief "$response" eu-1 provider >"$WW_RUN/edited"
refused_path 'a key of nobody' "$WW_RUN/edited" 'not signed by an attester of the policy'
attest_path bank "$response" eu-1 provider >"$WW_RUN/edited"
refused_path "a key of a tool's attester" "$WW_RUN/edited" 'not signed by an attester of the policy'
jq -c '.signatures[0].sig |= ("AAAA" + .[4:])' "$WW_RUN/here" >"$WW_RUN/edited"
refused_path 'a forged signature' "$WW_RUN/edited" 'not signed by an attester of the policy'
attest_path auditor chatcmpl-of-another-host eu-1 provider >"$WW_RUN/edited"
refused_path 'an id of another host' "$WW_RUN/edited" 'no path is known'
attest_path auditor "$response" eu-1 somebody >"$WW_RUN/edited"
ok 'another operator is news' take_path "$WW_RUN/edited"
size=$((size + 2))
jq -r .payload "$WW_RUN/here" | base64 -d | jq -cj '.predicateType |= sub("v1"; "v2")' >"$WW_RUN/auditor/statement"
sign auditor >"$WW_RUN/edited"
refused_path 'a predicate of later' "$WW_RUN/edited" 'predicate is not'
code=0; import "$pst" "$WW_RUN/here" --socket "$WW_RUN/none" || code=$?
is 'without a policy nobody may' "$code $(grep -c 'without --policy' "$WW_RUN/import.err")" '3 1'
is 'nothing was recorded' "$(records "$pst" | wc -l)" "$size"
fresh_paths <(jq -c --arg of "$path" 'if .kind == "path" and .path == $of then ., (.path = "y-00000000000000ff" | .id = "y-00000000000000ff-1") else . end' "$WW_RUN/told")
refused_path 'an id of two paths' "$WW_RUN/here" 'several paths'

# --- at the end of a tape ---------------------------------------------------------------------------------------------
told --attestation "$WW_RUN/here" --attestation "$WW_RUN/there" >"$WW_RUN/told1"
told --attestation "$WW_RUN/here" --attestation "$WW_RUN/there" >"$WW_RUN/told2"
ok 'replay: the same bytes each time' cmp "$WW_RUN/told1" "$WW_RUN/told2"
is '  the tape, then what was attested' "$(head -n "$(wc -l <"$WW_RUN/told")" "$WW_RUN/told1" | cmp - "$WW_RUN/told" && tail -n 4 "$WW_RUN/told1" | jq -r .kind | tr '\n' ' ')" \
	'attestation path attestation path '
is '  as the ledger has it' "$(tail -n 1 "$WW_RUN/told1" | jq -c '[.revision, (.attested | map(.attester)), (.attested | map(.leg))]')" '[3,["auditor","cloud"],[1,1]]'
