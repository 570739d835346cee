#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A throw-away certificate authority and one server certificate per name, for tests only, valid for two days.
#   tests/lib/certs.sh DIR NAME...      writes DIR/ca.pem and DIR/NAME.{pem,key}; a NAME may be an IPv4 address
# The authority's key is not kept. Quick when the certificates are there and still valid for a day.
set -euo pipefail

dir=$1
shift
mkdir -p "$dir"
current=1
for name in "$@"; do
	openssl x509 -in "$dir/$name.pem" -noout -checkend 86400 >/dev/null 2>&1 &&
		openssl verify -CAfile "$dir/ca.pem" "$dir/$name.pem" >/dev/null 2>&1 || current=
done
[[ -z $current ]] || exit 0

work=$(mktemp -d "$dir/.ca.XXXXXX")
trap 'rm -rf "$work"' EXIT
umask 077
key=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)

openssl req -x509 "${key[@]}" -keyout "$work/ca.key" -out "$work/ca.pem" -days 2 \
	-subj "/CN=wirewitness throw-away test CA" \
	-addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign" 2>/dev/null
for name in "$@"; do
	kind=DNS
	[[ $name =~ ^[0-9.]+$ ]] && kind=IP
	printf 'subjectAltName=%s:%s\nextendedKeyUsage=serverAuth\n' "$kind" "$name" >"$work/ext"
	openssl req -new "${key[@]}" -keyout "$work/$name.key" -out "$work/$name.csr" -subj "/CN=$name" 2>/dev/null
	openssl x509 -req -in "$work/$name.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" -CAcreateserial -days 2 \
		-extfile "$work/ext" -out "$work/$name.pem" 2>/dev/null
done
for name in "$@"; do
	mv "$work/$name.key" "$work/$name.pem" "$dir/"
done
chmod 644 "$work/ca.pem"
mv "$work/ca.pem" "$dir/"
