# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Hosts far away: each in a network namespace of its own behind a way that takes a fixed time (tools/dev/relay.c), with
# public-looking addresses that lead nowhere else. The watched host is a namespace as well: the script and all that it starts
# is in it, and what it does to addresses and routes ends with it. Source it after net.sh:
#
#   ww_apart "$@"                              first of all: runs the script again, in a namespace of its own
#   ww_far NAME DELAY-US ADDRESS[,ADDRESS] HOSTNAME...
#                                              namespace ww-NAME-PID, so many microseconds away, IPv4 and IPv6; its names
#                                              get the first address; the relay's counts are in $WW_RUN/NAME.relay at its end
#   ww_far_server NAME HOST CERT PORT CMD...   a server there: CMD --cert F --key F --log $WW_RUN/NAME.ndjson --port PORT

#   ww_listens NAME ADDRESS:PORT               waits until somebody there listens, by the kernel's list

WW_HERE4=192.0.2.10
WW_HERE6=2001:db8:2::10

ww_apart()
{
	[[ -e /dev/net/tun ]] || { echo 'no /dev/net/tun'; exit 77; }
	[[ -n ${WW_APART-} ]] || WW_APART=1 exec unshare --net -- "$0" "$@"
	ip link set lo up
	ip addr add $WW_HERE4/32 dev lo
	ip addr add $WW_HERE6/128 dev lo nodad
}

ww_far()
{
	local name=$1 delay=$2 addresses=$3 ns here there address
	shift 3

	ns=ww-$name-$$
	ip netns add "$ns"
	WW_HOSTS_MADE+=("$ns ")
	ip -n "$ns" link set lo up
	ww_start_ready "relay-$name" "$WW_BUILD/dev/relay" "$delay" "$WW_RUN/$name.relay"
	read -r here there <<<"${WW_PORT[relay-$name]}"
	# What waits for the relay, which may not get to run for a while.
	ip link set "$there" netns "$ns" name eth0 txqueuelen 10000
	ip link set "$here" name "to-$name" txqueuelen 10000 up
	ip -n "$ns" link set eth0 up
	for address in ${addresses//,/ }; do
		if [[ $address == *:* ]]; then
			ip -n "$ns" addr add "$address/128" dev eth0 nodad
			ip route add "$address/128" dev "to-$name" src $WW_HERE6
		else
			ip -n "$ns" addr add "$address/32" dev eth0
			ip route add "$address/32" dev "to-$name" src $WW_HERE4
		fi
	done
	ip -n "$ns" route add default dev eth0
	ip -n "$ns" -6 route add default dev eth0
	WW_ADDR[$name]=${addresses%%,*}
	[[ $# == 0 ]] || echo "${addresses%%,*} $*" >>"$WW_RUN/hosts"
}

ww_far_server()
{
	local name=$1 host=$2 cert=$3 port=$4

	shift 4
	ww_start_ready "$name" ip netns exec "ww-$host-$$" "$@" --cert "$WW_CERTS/$cert.pem" --key "$WW_CERTS/$cert.key" \
		--log "$WW_RUN/$name.ndjson" --port "$port"
}

ww_listens()
{
	local n

	for n in {1..600}; do
		[[ -z $(ip netns exec "ww-$1-$$" ss -Hltn "src $2") ]] || return 0
		sleep 0.05
	done
	ww_die "nobody listens at $2"
}
