# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Hosts of a test on one machine: each server runs in a network namespace of its own with an address of its own, the
# agent stays in the machine's namespace and finds them by name through a private /etc/hosts. Source it from a
# bash script with `set -euo pipefail`:
#
#   . tests/lib/net.sh
#   ww_begin demo                              scratch folder $WW_RUN, clean-up on every way out
#   ww_host provider api.provider.test         namespace ww-provider-PID, address 10.77.N.2, name for the agent
#   ww_certs api.provider.test payments.test   $WW_CERTS/ca.pem, $WW_CERTS/NAME.{pem,key}
#   ww_node_server provider provider.mjs       starts it there, waits until it listens; truth in $WW_RUN/provider.ndjson
#   "${WW_WITH_HOSTS[@]}" node agent.mjs       runs a command that sees the names
#   ww_stop provider                           or leave it to the clean-up
#
# Everything made here is removed when the script ends, by exit, error, INT, TERM or HUP; servers die with the script
# even when it is killed, and namespaces of killed scripts are removed by the next ww_begin.
# The scratch folder stays when the script fails or WW_KEEP is set.

WW_LIB=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
WW_ROOT=$(cd "$WW_LIB/../.." && pwd)
WW_BUILD=$(realpath -m "${WW_BUILD:-$WW_ROOT/build}")

declare -A WW_PID=()  # background processes by name
declare -A WW_ADDR=() # address by host
declare -A WW_PORT=() # port by server
WW_HOSTS_MADE=()      # "namespace link" of each host
WW_CGROUPS_MADE=()
WW_FOLDERS_MADE=()

ww_die()
{
	echo "${0##*/}: $*" >&2
	exit 1
}

ww_begin()
{
	local name=$1 item

	[[ $(id -u) == 0 ]] || ww_die "needs root: it makes network namespaces"
	WW_STARTER=$BASHPID
	mkdir -p "$WW_BUILD/run"
	WW_RUN=$(mktemp -d "$WW_BUILD/run/$name.XXXXXX")
	trap ww_end EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	trap 'exit 129' HUP
	# What a killed run left: its pid is in the name.
	for item in $(ip netns list | sed -n 's/^\(ww-[a-z0-9_]*-[0-9]*\).*/\1/p'); do
		[[ -d /proc/${item##*-} ]] || ip netns delete "$item" 2>/dev/null || true
	done
	for item in "$(ww_cgroup2_mount)"/ww-test-*-*; do
		[[ -d /proc/${item##*-} ]] || ww_cgroup_remove "$item" || true
	done
	WW_CERTS=$WW_BUILD/certs
	sed '/^10\.77\./d' /etc/hosts >"$WW_RUN/hosts"
	WW_WITH_HOSTS=("$WW_LIB/with-hosts" "$WW_RUN/hosts")
}

ww_end()
{
	local status=$? name item

	[[ ${WW_STARTER-} == "$BASHPID" ]] || return "$status"
	trap - EXIT
	trap '' INT TERM HUP
	set +e
	for name in "${!WW_PID[@]}"; do
		ww_stop "$name"
	done
	for item in "${WW_HOSTS_MADE[@]}"; do
		ip link delete "${item#* }" 2>/dev/null
		ip netns delete "${item% *}" 2>/dev/null
	done
	for item in "${WW_CGROUPS_MADE[@]}"; do
		ww_cgroup_remove "$item"
	done
	for item in "${WW_FOLDERS_MADE[@]}"; do
		rm -rf "$item"
	done
	# Failed, or wanted; an interrupt is no failure.
	if [[ -z ${WW_KEEP-} && ($status == 0 || $status -gt 128) ]]; then
		rm -rf "$WW_RUN"
	else
		echo "${0##*/}: left for a look: $WW_RUN" >&2
	fi
	exit "$status"
}

# ww_folder TEMPLATE: makes a folder elsewhere than in the scratch folder (mktemp); WW_FOLDER is it. Never left.
ww_folder()
{
	WW_FOLDERS_MADE+=("$(mktemp -d "$1")")
	WW_FOLDER=${WW_FOLDERS_MADE[-1]}
}

# Where cgroup v2 is mounted; on hybrid machines that is not /sys/fs/cgroup itself.
ww_cgroup2_mount()
{
	local dir

	dir=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts)
	[[ -n $dir ]] || ww_die "no cgroup v2 is mounted (mount -t cgroup2 none DIR)"
	echo "$dir"
}

# ww_cgroup NAME: makes a cgroup of this run; WW_CGROUP is its folder.
ww_cgroup()
{
	WW_CGROUP=$(ww_cgroup2_mount)/ww-test-$1-$$
	mkdir "$WW_CGROUP"
	WW_CGROUPS_MADE+=("$WW_CGROUP")
}

# ww_in_cgroup DIR CMD...: runs CMD in it from its first instruction.
ww_in_cgroup()
{
	local dir=$1

	shift
	bash -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$dir" "$@"
}

ww_cgroup_remove()
{
	[[ -d $1 ]] || return 0
	if [[ -e $1/cgroup.kill ]]; then
		echo 1 >"$1/cgroup.kill"
	fi
	# A killed member leaves in its own time: wait for the kernel's own word that it is empty.
	"$WW_LIB/await" cgroup "$1" && rmdir "$1"
}

# ww_host NAME HOSTNAME...: the kernel refuses a second link of one name, so N is free for sure.
ww_host()
{
	local name=$1 ns=ww-$1-$$ n link=

	shift
	for n in $(seq 1 254); do
		if ip link add "ww77h$n" type veth peer name "ww77n$n" 2>/dev/null; then
			link=ww77h$n
			break
		fi
	done
	[[ -n $link ]] || ww_die "no free network 10.77.N.0/30, or no right to make veth pairs"
	WW_HOSTS_MADE+=("$ns $link")
	ip netns add "$ns"
	ip link set "ww77n$n" netns "$ns" name eth0
	ip addr add "10.77.$n.1/30" dev "$link"
	ip link set "$link" up
	ip -n "$ns" addr add "10.77.$n.2/30" dev eth0
	ip -n "$ns" link set lo up
	ip -n "$ns" link set eth0 up
	ip -n "$ns" route add default via "10.77.$n.1"
	WW_ADDR[$name]=10.77.$n.2
	echo "10.77.$n.2 $*" >>"$WW_RUN/hosts"
}

ww_certs()
{
	"$WW_LIB/certs.sh" "$WW_CERTS" "$@"
}

# ww_in_host NAME CMD...: runs CMD in the host's namespace.
ww_in_host()
{
	local ns=ww-$1-$$

	shift
	ip netns exec "$ns" "$@"
}

# ww_start NAME CMD...: in the background, dies with this script; output in $WW_RUN/NAME.log.
ww_start()
{
	local name=$1

	shift
	setpriv --pdeathsig KILL "$@" >"$WW_RUN/$name.log" 2>&1 </dev/null &
	WW_PID[$name]=$!
}

# ww_start_ready NAME CMD...: as ww_start, and waits for the line "ready PORT" on its standard output.
ww_start_ready()
{
	local name=$1 fifo=$WW_RUN/$1.ready word='' port=''

	shift
	mkfifo "$fifo"
	setpriv --pdeathsig KILL "$@" >"$fifo" 2>"$WW_RUN/$name.log" </dev/null &
	WW_PID[$name]=$!
	# End of file comes at once when the server dies, so only a hung one meets the limit.
	read -r -t 60 word port <"$fifo" || true
	rm -f "$fifo"
	if [[ $word != ready ]]; then
		cat "$WW_RUN/$name.log" >&2
		ww_die "$name did not get ready"
	fi
	WW_PORT[$name]=$port
}

# ww_node_server HOST SCRIPT [OPTIONS]: a server of tests/lib/servers, or at a path, in HOST's namespace, with the
# certificate of the host's first name.
ww_node_server()
{
	local host=$1 script=$2 cert

	shift 2
	[[ $script == */* ]] || script=$WW_LIB/servers/$script
	cert=$(awk -v a="${WW_ADDR[$host]}" '$1 == a { print $2 }' "$WW_RUN/hosts")
	ww_start_ready "$host" ip netns exec "ww-$host-$$" "${WW_SERVER_NODE:-node}" "$script" \
		--cert "$WW_CERTS/$cert.pem" --key "$WW_CERTS/$cert.key" --log "$WW_RUN/$host.ndjson" "$@"
}

# ww_stop NAME [SIGNAL]: ends it and waits for it; a process that ignores the signal is killed. Returns its status.
ww_stop()
{
	local name=$1 pid=${WW_PID[$1]-} status=0

	[[ -n $pid ]] || return 0
	unset "WW_PID[$name]"
	kill "-${2:-TERM}" "$pid" 2>/dev/null || true
	if ! "$WW_LIB/await" pid "$pid"; then
		echo "${0##*/}: $name ignored the signal, killing it" >&2
		kill -KILL "$pid"
	fi
	wait "$pid" 2>/dev/null || status=$?
	return "$status"
}

# The folder where the Node agents run, beside their packages: ES modules are found from where the file is.
ww_npm()
{
	[[ -f $WW_BUILD/npm/.stamp ]] || ww_die "npm packages are missing: run make deps"
	cp "$WW_LIB"/agents/node/*.mjs "$WW_LIB"/sdk/*.mjs "$WW_BUILD/npm/"
	WW_NPM=$WW_BUILD/npm
}
