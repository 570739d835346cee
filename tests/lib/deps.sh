#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What `make deps` runs: Debian packages, then npm packages (pinned by lock files): those of the demo agent into
# BUILD/npm, the verifiers and validators of others into BUILD/npm-reports, the agents of the truth suite into BUILD/npm-truth,
# a browser's driver and an accessibility checker into BUILD/npm-ui, other implementations of wire formats into
# BUILD/npm-wires, outlines of countries in full into BUILD/npm-outlines. Quick when nothing is missing; one line per step that does something.
#   tests/lib/deps.sh [--check] [--demo] [BUILD]     --check installs nothing: prints what is missing, exit 1;
#                                                    --demo: only what building and the demo need
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
check='' demo=''
while [[ ${1-} == --* ]]; do
	case $1 in
	--check) check=1 ;;
	--demo) demo=1 ;;
	*)
		echo "deps: unknown option $1" >&2
		exit 2
		;;
	esac
	shift
done
build=$(realpath -m "${1:-$root/build}")
log=$build/deps.log

# The one list of Debian packages. First what building the programs and the demo takes: compilers, libraries, servers' tools.
packages=(
	gcc make pkg-config clang llvm bpftool git
	libbpf-dev libelf-dev libzydis-dev zlib1g-dev libzstd-dev libbrotli-dev libuv1-dev libmicrohttpd-dev libyaml-dev
	libcurl4-openssl-dev libpcre2-dev libmaxminddb-dev uthash-dev libssl-dev libsqlite3-dev node-llhttp
	openssl curl python3 jq iproute2 procps util-linux ca-certificates
)
# Then what the tests take beside it: their libraries, lint and fuzz tools, a server, verifiers of others, a TPM, a browser.
[[ -n $demo ]] || packages+=(
	libjansson-dev libpcap-dev libcmocka-dev
	zstd # what the test servers code by
	libnghttp2-dev nghttp2-client # what our HTTP/2 is compared with, and a client of it
	clang-format clang-tidy cppcheck libclang-rt-14-dev
	nginx-light mandoc
	libgnutls28-dev gnutls-bin wget # clients of another TLS library
	golang-go golang-golang-x-mod-dev
	golang-github-lucas-clemente-quic-go-dev # another implementation of QUIC
	swtpm tpm2-openssl tpm2-tools
	dnsmasq-base python3-dnspython # a DNS server with a log, and another reader of its messages
	chromium # reads the page of a report as people do
)

missing=()
find_missing()
{
	local have name want=("${packages[@]}")

	# A machine may have its own Node (with npm); only where there is none Debian's are taken.
	command -v node >/dev/null || want+=(nodejs)
	command -v npm >/dev/null || want+=(npm)
	have=$(dpkg-query -W -f '${binary:Package} ${db:Status-Status}\n' "${want[@]}" 2>/dev/null || true)
	have=$(sed -n 's/^\([^ :]*\)\(:[a-z0-9]*\)\{0,1\} installed$/\1/p' <<<"$have")
	missing=()
	for name in "${want[@]}"; do
		grep -qxF "$name" <<<"$have" || missing+=("$name")
	done
}

# Runs a command with its output in the log; the log's end is shown when it fails.
quietly()
{
	if ! "$@" >>"$log" 2>&1; then
		echo "deps: failed: $* (all of it in $log)" >&2
		tail -n 15 "$log" >&2
		exit 1
	fi
}

# Installing nginx must not start or enable a service on the machine.
policy=/usr/sbin/policy-rc.d
install_debian()
{
	local own_policy=

	[[ $(id -u) == 0 ]] || {
		echo "deps: needs root to install: ${missing[*]}" >&2
		exit 1
	}
	echo "deps: apt-get update"
	quietly apt-get -qq -o DPkg::Lock::Timeout=300 update
	echo "deps: installing ${#missing[@]} Debian packages: ${missing[*]}"
	if [[ ! -e $policy ]]; then
		own_policy=1
		trap 'rm -f "$policy"' EXIT
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod 755 "$policy"
	fi
	DEBIAN_FRONTEND=noninteractive quietly apt-get -qq -y --no-install-recommends \
		-o DPkg::Lock::Timeout=300 install "${missing[@]}"
	if [[ -n $own_policy ]]; then
		rm -f "$policy"
		trap - EXIT
	fi
	if [[ " ${missing[*]} " == *" nginx-light "* ]] && command -v systemctl >/dev/null; then
		systemctl disable nginx.service >>"$log" 2>&1 || true
	fi
}

# Folder under BUILD, and where its package.json and lock file are.
npm_sets=(npm tests/lib/agents/node)
[[ -n $demo ]] || npm_sets+=(
	npm-reports tests/system/reports
	npm-truth tests/truth/agents
	npm-ui tests/ui
	npm-wires tests/lib/wires
	npm-outlines tests/system/outlines
)

npm_stamp() # FROM
{
	node --version
	sha256sum <"$root/$1/package-lock.json"
}

npm_current() # TO FROM
{
	[[ -f $build/$1/.stamp ]] && npm_stamp "$2" | cmp -s - "$build/$1/.stamp"
}

install_npm() # TO FROM
{
	local to=$build/$1 from=$root/$2

	mkdir -p "$to"
	rm -f "$to/.stamp"
	cp "$from/package.json" "$from/package-lock.json" "$from/.npmrc" "$to/"
	echo "deps: installing $(grep -c '^    "node_modules/' "$from/package-lock.json") npm packages for $2 (npm ci)"
	(cd "$to" && quietly npm ci --no-progress)
	npm_stamp "$2" >"$to/.stamp"
}

find_missing
if [[ -n $check ]]; then
	((${#missing[@]} == 0)) || echo "deps: missing Debian packages: ${missing[*]}"
	npm_ok=1
	for ((i = 0; i < ${#npm_sets[@]}; i += 2)); do
		command -v node >/dev/null && npm_current "${npm_sets[i]}" "${npm_sets[i + 1]}" && continue
		npm_ok=
		echo "deps: npm packages of ${npm_sets[i + 1]} are not in ${build#"$root"/}/${npm_sets[i]}"
	done
	[[ ${#missing[@]} == 0 && -n $npm_ok ]]
	exit
fi

# Under sudo the build folder is the caller's: the next make may not run as root.
give_back()
{
	[[ -z ${SUDO_UID-} || $(id -u) != 0 ]] || chown -R "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" "$build"
}

mkdir -p "$build"
: >"$log"
give_back
if ((${#missing[@]})); then
	install_debian
fi
for ((i = 0; i < ${#npm_sets[@]}; i += 2)); do
	npm_current "${npm_sets[i]}" "${npm_sets[i + 1]}" || install_npm "${npm_sets[i]}" "${npm_sets[i + 1]}"
done
give_back
