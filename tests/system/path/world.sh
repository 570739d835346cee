# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The hosts of this test: where they are, what they do, what tables and the policy say of them. Source it after far.sh, monitor.sh
# and ww_begin. The watched host is in Frankfurt; no way is shorter than light takes for the place that a host plays.

WORLD_LIB=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# Host -> delay, addresses, name of the first.
declare -A WORLD_HOST=(
	[eu]='1000 203.0.113.1,2001:db8:1::1 api-eu.test'
	[eux]='1000 203.0.113.11,203.0.113.12 redirect-eu.test'
	[us]='25000 198.51.100.1,2001:db8:2::1 api-us.test'
	[usx]='25000 198.51.100.11,198.51.100.12,198.51.100.13,2001:db8:2::11 reset-us.test'
	[sg]='40000 198.18.1.1,2001:db8:3::1 api-sg.test'
	[sgx]='40000 198.18.1.11,198.18.1.12,198.18.1.13,198.18.1.14,198.18.1.15 saas.test'
	[mid]='8000 198.19.0.1,198.19.1.1 nowhere.test'
	[names]='0 10.9.9.53'
	[zero]='0 203.0.113.101,10.9.9.9 near.test'
)

# Server -> host, address, name, what it is, faults.
declare -A WORLD_SERVER=(
	[eu]='eu :: api-eu.test provider'
	[redirect]='eux 203.0.113.11 redirect-eu.test provider to=https://api-sg.test'
	[vectors]='eux 203.0.113.12 vectors.test collector'
	[both]='usx 198.51.100.13 both.test provider'
	[us]='us :: api-us.test provider'
	[reset]='usx 198.51.100.11 reset-us.test provider reset=400'
	[busy]='usx 198.51.100.12 busy-us.test provider status=503'
	[sg]='sg :: api-sg.test provider'
	[saas]='sgx 198.18.1.11 saas.test collector'
	[slow]='sgx 198.18.1.12 slow-sg.test provider hold=GO'
	[forged]='sgx 198.18.1.13 forged-sg.test provider head=x-ms-region:westeurope'
	[moved]='sgx 198.18.1.14 moved.test provider'
	[nowhere]='mid 198.19.0.1 nowhere.test provider'
	[old]='mid 198.19.1.1 old.test provider'
	[near]='zero 203.0.113.101 near.test provider'
	[inside]='zero 10.9.9.9 inside.test provider'
)

# world_hosts HOST...
world_hosts()
{
	local host words

	for host; do
		read -ra words <<<"${WORLD_HOST[$host]}"
		ww_far "$host" "${words[@]}"
	done
}

# world_servers SERVER...: behind their names in the agents' hosts file; "slow" waits for a line in $WW_RUN/go.
world_servers()
{
	local name host address cert kind fault faults=()

	mkfifo "$WW_RUN/go"
	ww_certs $(printf '%s\n' "${WORLD_SERVER[@]}" | awk '{ print $3 }' | sort) localhost
	for name; do
		read -r host address cert kind fault <<<"${WORLD_SERVER[$name]}"
		[[ $address == :: ]] || grep -qF "$address $cert" "$WW_RUN/hosts" || echo "$address $cert" >>"$WW_RUN/hosts"
		faults=()
		[[ -z $fault ]] || faults=(--fault "${fault/GO/"$WW_RUN/go"}")
		if [[ $kind == collector ]]; then
			mkdir "$WW_RUN/$name.bodies"
			ww_far_server "$name" "$host" "$cert" 443 env BODIES="$WW_RUN/$name.bodies" node "$WORLD_LIB/collector.mjs" --addr "$address"
		else
			ww_far_server "$name" "$host" "$cert" 443 node "$WW_LIB/servers/provider.mjs" --addr "$address" "${faults[@]}"
		fi
	done
}

# world_tables FOLDER [WITHOUT]: what is listed, but for the networks that a pattern tells.
world_tables()
{
	mkdir -p "$1"
	grep -v -e "${2:-no such line}" >"$1/own.yaml" <<-'YAML'
		version: 1
		as_of: 2026-11-01
		operators:
		- {name: model-inc, home: US, basis: provider-doc}
		- {name: saas-inc, home: SG, basis: contract}
		prefixes:
		- {cidr: [203.0.113.0/28, "2001:db8:1::/48"], operator: model-inc, region: eu-central-1, basis: provider-doc}
		- {cidr: [198.51.100.13/32], operator: model-inc, region: eu-central-1, basis: provider-doc}
		- {cidr: [198.51.100.13/32], operator: model-inc, region: us-east-1, basis: provider-doc}
		- {cidr: [198.51.100.0/24, "2001:db8:2::/48"], operator: model-inc, region: us-east-1, basis: provider-doc}
		- {cidr: [198.18.1.0/24, "2001:db8:3::/48"], operator: saas-inc, region: ap-southeast-1, basis: contract}
		- {cidr: [198.19.1.0/24], operator: model-inc, region: eu-central-1, basis: contract, valid_until: 2020-12-31}
		- {cidr: [203.0.113.101/32], operator: model-inc, region: ap-southeast-1, basis: provider-doc}
	YAML
}

# world_policy FILE [MORE-LINES]
world_policy()
{
	cat >"$1" <<-'YAML'
		version: 1
		host: {position: [50.11, 8.68], within_km: 5, source: "the test's own word"}
		areas:
		- {name: eu, circle: {center: [50.1, 8.7], km: 100}}
		- {name: us, circle: {center: [39.0, -77.5], km: 100}}
		- {name: sg, circle: {center: [1.35, 103.8], km: 50}}
		regions:
		- {name: eu, labels: ["eu-*", westeurope, DE], area: eu}
		- {name: us, labels: ["us-*", US], area: us}
		- {name: sg, labels: ["ap-southeast-*", SG], area: sg}
		agents:
		- {name: homely, cgroup: "*/homely-*", allowed_regions: [eu], allowed_homes: [DE]}
		- {name: warned, cgroup: "*/warned-*", allowed_regions: [eu, us], on_unlisted: warn}
		- {name: strict, cgroup: "*/strict-*", allowed_regions: [eu, us], on_unlisted: deny}
		- {name: last, cgroup: "*/last-*", allowed_regions: [eu, us]}
		- {name: support, cgroup: "*", program: ["*/python3*", "*/node*", "*/peer", "*/early"], allowed_regions: [eu, us]}
	YAML
}

# courier NAME CASE ARGUMENT...: an agent of courier.py, a process tree in a scope of its own. A run that fails is in $WW_RUN/failed.
courier()
{
	local name=$1

	shift
	ww_watched "$name" timeout 60 "$WW_PYTHON" "$WORLD_LIB/courier.py" "$@" || echo "$name" >>"$WW_RUN/failed"
}

# sdk NAME CASE ARGUMENT...: the same of sdk.mjs, after ww_npm and copies that have Node.
sdk()
{
	local name=$1

	shift
	cp "$WORLD_LIB/sdk.mjs" "$WW_NPM/path_sdk.mjs"
	ww_watched "$name" timeout 60 "$WW_NODE" "$WW_NPM/path_sdk.mjs" "$@" || echo "$name" >>"$WW_RUN/failed"
}

# world_told: one more run, and its path is told: then so are those before it.
world_told()
{
	courier last simple "$1"
	ok 'the last path is told' timeout 60 grep -qm 1 '"kind":"path".*"agent":"last"' \
		<("$WW_BUILD/wirewitness" tail --socket "$WW_SOCKET" --since start -o json 2>/dev/null)
}

# world_judged RECORDS PLAN: every line of the plan is a check, and that no log contradicts what is said.
world_judged()
{
	local what got wanted

	is 'runs that failed' "$(cat "$WW_RUN/failed" 2>/dev/null || true)" ''
	"$WORLD_LIB/judged.py" "$WW_RUN" "$1" "$2" >"$WW_RUN/judged"
	while IFS=$'\t' read -r what got wanted; do
		is "$what" "$got" "$wanted"
	done < <(grep -v '^WRONG ' "$WW_RUN/judged")
	grep '^WRONG ' "$WW_RUN/judged" || true
	is 'what the logs contradict' "$(grep -c '^WRONG ' "$WW_RUN/judged" || true)" 0
}
