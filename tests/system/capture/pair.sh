# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The capture side alone on a server that keeps the truth and its client; source it after net.sh, check.sh and ww_begin, and
# set $files: the libraries and programs that are probed.
#
#   pair NAME SERVER CLIENT           prints shell commands that run both: the first line of the server's output is its port,
#                                     for the client $port; call it but once per NAME
#   watch NAME OPTIONS -- COMMANDS    runs shell COMMANDS in a new cgroup under the monitor; facts in $WW_RUN/NAME.dump
#   right NAME                        checks that all of a pair was seen, as the server wrote it down
#   reset_right NAME COUNT            the same of COUNT connections that reset.py ended

WW_CAPTURE=$WW_ROOT/tests/system/capture
capture=$WW_BUILD/tests/system/capture/capture
traffic="/usr/bin/python3 $WW_CAPTURE/traffic.py"
compare="/usr/bin/python3 $WW_CAPTURE/compare.py"
cert="$WW_CERTS/localhost.pem $WW_CERTS/localhost.key"

pair()
{
	mkfifo "$WW_RUN/$1.port"
	cat <<-SH
		set -e
		$2 >$1.port &
		read -r port <$1.port
		$3
		wait \$!
	SH
}

watch()
{
	local name=$1 options=()

	shift
	while [[ $1 != -- ]]; do
		options+=("$1")
		shift
	done
	ww_cgroup "$name"
	(cd "$WW_RUN" && LD_LIBRARY_PATH='' timeout 120 "$capture" "${options[@]}" "$WW_CGROUP" "$files" "$name.dump" -- \
		env "LD_LIBRARY_PATH=$WW_PRIV_LIB" bash -c "$2")
}

whole()
{
	is "$1: nothing was lost" "$(grep -c ^loss "$WW_RUN/$1.dump")" 0
	is "$1: the client was content" "$(grep ^status "$WW_RUN/$1.dump")" 'status 0'
}

right()
{
	ok "$1: every byte, cookie, counter and close is right" $compare other "$WW_RUN/$1.dump" "$WW_RUN/$1.truth"
	whole "$1"
}

# What is sent to a peer that has reset the connection fails, and is not told as sent.
reset_right()
{
	local seen=0 bytes digest

	while read -r _ _ bytes digest _; do
		seen=$((seen + $(grep -c "^stream [0-9a-f]* 0 bytes $bytes sha $digest lost 0 overlap 0 unbound 0" "$WW_RUN/$1.dump")))
	done < <(grep ^tls "$WW_RUN/$1.truth")
	is "$1: streams of just what arrived before it" "$seen" "$2"
	whole "$1"
}
