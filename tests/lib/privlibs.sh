#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Private copies of what the tests probe, so that a probe never sits in a file that other programs of the machine use.
# Prints shell assignments (eval them):
#   privlibs.sh copies [BUILD]    WW_PRIV_LIB (for LD_LIBRARY_PATH: libssl, libcrypto, libgnutls), WW_NODE, WW_CURL, WW_PYTHON
#   privlibs.sh openssl [BUILD]   fetches OpenSSL 1.1.1 and 3.5 of the neighbour Debian releases with a private apt
#                                 configuration: WW_OSSL_1_1_1, WW_OSSL_3_5 (folders; run DIR/openssl, whose
#                                 libraries are in DIR/lib); status 77 and the reason when they cannot be had
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
what=${1-}
priv=$(realpath -m "${2:-$root/build}")/priv

# A copy, not a hard link: probes belong to the inode.
copy()
{
	local from to=$2

	from=$(readlink -f "$1")
	mkdir -p "$(dirname "$to")"
	cmp -s "$from" "$to" || { rm -f "$to" && cp "$from" "$to.new" && mv "$to.new" "$to"; }
}

library()
{
	/sbin/ldconfig -p | awk -v n="$1" '$1 == n && /x86-64|AArch64/ { print $NF; exit }'
}

copies()
{
	local name

	for name in libssl.so.3 libcrypto.so.3 libgnutls.so.30; do
		copy "$(library $name)" "$priv/lib/$name"
	done
	copy "$(command -v node)" "$priv/bin/node"
	copy /usr/bin/curl "$priv/bin/curl"
	copy /usr/bin/python3 "$priv/bin/python3"
	printf 'WW_PRIV_LIB=%q\nWW_NODE=%q\nWW_CURL=%q\nWW_PYTHON=%q\n' \
		"$priv/lib" "$priv/bin/node" "$priv/bin/curl" "$priv/bin/python3"
}

skip()
{
	echo "privlibs: $*" >&2
	exit 77
}

# The machine's own mirrors serve the neighbour releases too; its list says where they are.
mirror()
{
	apt-get indextargets --format '$(REPO_URI) $(CODENAME)' 'Created-By: Packages' |
		awk -v c="$1" '$2 == c { print $1; exit }'
}

apt_private()
{
	local apt=$priv/apt debian security

	debian=$(mirror bookworm) security=$(mirror bookworm-security)
	[[ -n $debian && -n $security ]] || skip "no Debian bookworm mirror in the machine's apt sources"
	mkdir -p "$apt/state/lists/partial" "$apt/cache/archives/partial"
	{
		echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $debian bullseye main"
		echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $security bullseye-security main"
		echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $debian trixie main"
	} >"$apt/sources.list"
	cat >"$apt/apt.conf" <<-CONF
		Dir::Etc::sourcelist "$apt/sources.list";
		Dir::Etc::sourceparts "-";
		Dir::State "$apt/state";
		Dir::State::lists "$apt/state/lists";
		Dir::State::status "/var/lib/dpkg/status";
		Dir::Cache "$apt/cache";
		Acquire::Languages "none";
		APT::Sandbox::User "root";
	CONF
	APT_CONFIG=$apt/apt.conf apt-get -qq update >"$priv/apt.log" 2>&1 || skip "apt-get update: $(tail -n 1 "$priv/apt.log")"
}

# unpack FOLDER RELEASE PACKAGE...: that release's libraries and its openssl, which brings its own C library where
# the machine's is too old for it.
unpack()
{
	local dir=$1 release=$2 name deb loader run

	shift 2
	rm -rf "$dir" "$dir.tmp"
	mkdir -p "$dir.tmp"
	for name in "$@"; do
		(cd "$dir.tmp" && APT_CONFIG=$priv/apt/apt.conf apt-get -qq download "$name/$release" >>"$priv/apt.log" 2>&1) ||
			skip "download of $name from $release: $(tail -n 1 "$priv/apt.log")"
	done
	for deb in "$dir.tmp"/*.deb; do
		dpkg -x "$deb" "$dir.tmp/root"
	done
	mkdir -p "$dir/lib" "$dir/bin"
	find "$dir.tmp/root" -name '*.so.*' -path '*linux-gnu*' -not -path '*/gconv/*' -exec cp -P {} "$dir/lib/" \;
	cp "$dir.tmp/root/usr/bin/openssl" "$dir/bin/"
	rm -rf "$dir.tmp"
	loader=$(find "$dir/lib" -name 'ld-linux-*')
	run=(env "LD_LIBRARY_PATH=$dir/lib")
	[[ -z $loader ]] || run=("$loader" --library-path "$dir/lib")
	printf '#!/bin/sh\nexec %s "$@"\n' "${run[*]} $dir/bin/openssl" >"$dir/openssl"
	chmod 755 "$dir/openssl"
}

version()
{
	"$1/openssl" version 2>&1
}

openssl_versions()
{
	local old=$priv/ossl-1.1.1 new=$priv/ossl-3.5

	if [[ $(version "$old") != OpenSSL\ 1.1.1* || $(version "$new") != OpenSSL\ 3.5.* ]]; then
		apt_private
		unpack "$old" bullseye-security libssl1.1 openssl
		unpack "$new" trixie libssl3t64 openssl libc6
		rm -rf "$priv/apt"
	fi
	[[ $(version "$old") == OpenSSL\ 1.1.1* ]] || skip "OpenSSL 1.1.1 does not run: $(version "$old" | head -n 1)"
	[[ $(version "$new") == OpenSSL\ 3.5.* ]] || skip "OpenSSL 3.5 does not run: $(version "$new" | head -n 1)"
	echo "# $(version "$old"), $(version "$new")"
	printf 'WW_OSSL_1_1_1=%q\nWW_OSSL_3_5=%q\n' "$old" "$new"
}

case $what in
copies) copies ;;
openssl) openssl_versions ;;
*)
	echo "usage: privlibs.sh copies|openssl [BUILD]" >&2
	exit 2
	;;
esac
