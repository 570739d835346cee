# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Attesters in folders of their own, who have nothing but the commands of docs/attestations.md:
#
#   attester NAME [ec]                        makes $WW_RUN/NAME with its keys; its public key is in PUBLIC[NAME]
#   attest NAME TOOL CALL OUTCOME             prints the attestation, by openssl and jq
#   attest_py NAME TOOL MEMBER ID OUTCOME     the same in Python
#   sign NAME                                 the same of any statement, NAME/statement
#   import STATE FILE [OPTION...]             `attest import`: what it says goes to $WW_RUN/import.out, errors to import.err

page=$here/../../../docs/attestations.md
for block in key.sh attest.sh attest.py attest_path.sh; do
	sed -n "/^\`\`\`[a-z]* file=$block\$/,/^\`\`\`\$/p" "$page" | sed '1d;$d' >"$WW_RUN/$block"
	[[ -s $WW_RUN/$block ]] || ww_die "the page has no block $block"
done

declare -A PUBLIC
attester()
{
	mkdir "$WW_RUN/$1"
	if [[ ${2-} == ec ]]; then
		openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$WW_RUN/$1/attester.pem" 2>/dev/null
		PUBLIC[$1]=$(openssl pkey -in "$WW_RUN/$1/attester.pem" -pubout -outform DER | base64 -w0)
	else
		PUBLIC[$1]=$(cd "$WW_RUN/$1" && bash -euo pipefail ../key.sh 2>/dev/null)
	fi
}

attest()
{
	(
		cd "$WW_RUN/$1"
		tool=$2 call=$3 outcome=$4 bash -euo pipefail ../attest.sh
		if openssl pkey -in attester.pem -noout -text | grep -q prime256v1; then # the page's words on P-256
			openssl dgst -sha256 -sign attester.pem -out sig pae
			jq --arg sig "$(base64 -w0 sig)" '.signatures[0].sig = $sig' attestation.json >changed
			mv changed attestation.json
		fi
		cat attestation.json
	)
}

attest_py() { (cd "$WW_RUN/$1" && shift && python3 ../attest.py "$@"); }

# Any statement, `statement` in the folder.
sign()
{
	(
		cd "$WW_RUN/$1"
		{ printf 'DSSEv1 28 application/vnd.in-toto+json %d ' "$(wc -c <statement)"; cat statement; } >pae
		openssl pkeyutl -sign -rawin -inkey attester.pem -in pae -out sig
		jq -n --arg payload "$(base64 -w0 statement)" --arg sig "$(base64 -w0 sig)" \
			'{payload: $payload, payloadType: "application/vnd.in-toto+json", signatures: [{sig: $sig}]}'
	)
}

import()
{
	local state=$1 file=$2
	shift 2
	"$ww" attest import -d "$state" "$@" "$file" >"$WW_RUN/import.out" 2>"$WW_RUN/import.err"
}

records() { "$ww" ls -d "$1" -o json | jq -c .record; }
newest() { records "$1" | jq -c "select(.kind == \"verdict\" and .action == \"$2\")" | tail -n 1; }
