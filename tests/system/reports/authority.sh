# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced: authority DIR makes a throw-away CA and time stamp authority in DIR/ca and starts it on 127.0.0.1. Sets
# authority_pid, which the caller ends, and url.

authority() {
	local dir=$1 here

	here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
	mkdir -p "$dir/ca"
	cat >"$dir/ca/ca.cnf" <<-CNF
		[req]
		distinguished_name = dn
		[dn]
		[ca_cert]
		basicConstraints = critical,CA:TRUE
		keyUsage = critical,keyCertSign
		subjectKeyIdentifier = hash
		[tsa_cert]
		basicConstraints = CA:FALSE
		keyUsage = critical,digitalSignature
		extendedKeyUsage = critical,timeStamping
		subjectKeyIdentifier = hash
		authorityKeyIdentifier = keyid
		[tsa]
		default_tsa = authority
		[authority]
		serial = $dir/ca/serial
		signer_cert = $dir/ca/tsa.pem
		certs = $dir/ca/ca.pem
		signer_key = $dir/ca/tsa.key
		signer_digest = sha256
		default_policy = 1.3.6.1.4.1.99999.1
		digests = sha256
		ess_cert_id_alg = sha256
	CNF
	(
		cd "$dir/ca" && echo 01 >serial
		p256=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -config ca.cnf)
		openssl req -x509 "${p256[@]}" -keyout ca.key -out ca.pem -days 2 -subj /CN=throw-away-ca -extensions ca_cert
		openssl req "${p256[@]}" -keyout tsa.key -out tsa.csr -subj /CN=throw-away-tsa
		openssl x509 -req -in tsa.csr -CA ca.pem -CAkey ca.key -set_serial 2 -days 2 -out tsa.pem -extfile ca.cnf \
			-extensions tsa_cert
	) >"$dir/ca.log" 2>&1 || cat "$dir/ca.log"
	cat "$dir/ca/tsa.pem" "$dir/ca/ca.pem" >"$dir/ca/chain.pem"
	rm -f "$dir/authority.port" && mkfifo "$dir/authority.port"
	"$here/authority.py" "$dir/ca/ca.cnf" >"$dir/authority.port" &
	authority_pid=$!
	read -r url <"$dir/authority.port"
	url=http://127.0.0.1:$url
}
