# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The monitor under test, on private copies only; source it after net.sh and ww_begin:
#
#   ww_monitor_copies                         WW_PRIV_LIB, WW_NODE, WW_CURL, WW_PYTHON and WW_PROBED, the options that name them
#   ww_contracts [SUCCESS-BODY-RULE...]       $WW_RUN/contracts.yaml: the tool refund_order at host "payments"
#   ww_free_port                              prints a free TCP port of 127.0.0.1
#   ww_daemon NAME [OPTIONS]                  wirewitnessd, waits until it is ready; WW_SOCKET, WW_STATE, WW_OTLP; what it
#                                             tells systemd is in $WW_RUN/NAME.notify
#   ww_status EXPRESSION                      a Python expression over the daemon's status object `s`
#   ww_watched NAME CMD...                    `wirewitness run` with the private hosts file; its cgroup is NAME-PID
#   ww_record NAME [OPTIONS] -- CMD...        `wirewitness record`: $WW_RUN/NAME.tape and $WW_RUN/NAME.records
#   ww_records_fit                            checks every record of the run against docs/schema (ww_checked calls it); where
#                                             a test makes up records, WW_FIT_KINDS are those that it does not (a|b)

ww_monitor_copies()
{
	eval "$("$WW_LIB/privlibs.sh" copies "$WW_BUILD")"
	WW_PROBED=(--no-default-libraries --tls-library "$WW_PRIV_LIB/libssl.so.3"
		--tls-library "$WW_PRIV_LIB/libcrypto.so.3" --tls-library "$WW_NODE")
}

ww_contracts()
{
	local rule

	cat >"$WW_RUN/contracts.yaml" <<-YAML
		version: 1
		contracts:
		  - tool: refund_order
		    effect: network
		    destinations:
		      - name: payments.test
		        cidr: ["${WW_ADDR[payments]}/32"]
		    methods: [POST]
		    paths: [/v1/refunds]
		    id_path: \$.id
		    success:
		      status: 2xx
		      body:
	YAML
	for rule in "${@:-{path: \$.errors, exists: false\}}"; do
		echo "        - $rule" >>"$WW_RUN/contracts.yaml"
	done
}

ww_free_port()
{
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# Not exported: OTEL_EXPORTER_OTLP_ENDPOINT belongs to the agents, which a test may give to one daemon or another.
ww_daemon()
{
	local name=$1

	shift
	WW_SOCKET=$WW_RUN/$name.sock WW_STATE=$WW_RUN/$name.state WW_OTLP=127.0.0.1:$(ww_free_port)
	# A ledger that was there before may hold records that a test made up.
	[[ -e $WW_STATE/checkpoint ]] || WW_LIVE_STATES+=("$WW_STATE")
	ww_start_ready "$name" "$WW_LIB/notified" "$WW_RUN/$name.notify" "$WW_BUILD/wirewitnessd" \
		--state "$WW_STATE" --socket "$WW_SOCKET" --otlp "$WW_OTLP" "${WW_PROBED[@]}" "$@"
}

ww_status()
{
	"$WW_BUILD/wirewitness" doctor --socket "$WW_SOCKET" -o json |
		python3 -c 'import json, sys; s = json.load(sys.stdin)["status"]; print(eval(sys.argv[1]))' "$1"
}

# A command must not inherit what makes `run` drop its rights: the tests read files of root.
ww_watched()
{
	local name=$1

	shift
	env -u SUDO_UID -u SUDO_GID LD_LIBRARY_PATH="$WW_PRIV_LIB" OTEL_EXPORTER_OTLP_ENDPOINT="http://$WW_OTLP" \
		NODE_EXTRA_CA_CERTS="$WW_CERTS/ca.pem" CA_FILE="$WW_CERTS/ca.pem" AGENT_TAG="$name" \
		"${WW_WITH_HOSTS[@]}" "$WW_BUILD/wirewitness" run --socket "$WW_SOCKET" --name "$name-$$" -- "$@"
}

ww_record()
{
	local name=$1 options=()

	shift
	while [[ $1 != -- ]]; do
		options+=("$1")
		shift
	done
	WW_OTLP=127.0.0.1:$(ww_free_port)
	env -u SUDO_UID -u SUDO_GID LD_LIBRARY_PATH="$WW_PRIV_LIB" OTEL_EXPORTER_OTLP_ENDPOINT="http://$WW_OTLP" \
		NODE_EXTRA_CA_CERTS="$WW_CERTS/ca.pem" CA_FILE="$WW_CERTS/ca.pem" AGENT_TAG="$name" \
		"${WW_WITH_HOSTS[@]}" "$WW_BUILD/wirewitness" record -o "$WW_RUN/$name.tape" -R "$WW_RUN/$name.records" \
		--otlp "$WW_OTLP" "${WW_PROBED[@]}" "${options[@]}" "$@"
}

WW_LIVE_STATES=()
ww_records_fit()
{
	local files=() state

	for state in "${WW_LIVE_STATES[@]}"; do
		"$WW_BUILD/wirewitness" ls --state "$state" -o json 2>/dev/null |
			python3 -c 'import sys
for line in sys.stdin: print(line[line.index("\"record\":") + 9:-2])' |
			grep -E "^\{\"kind\":\"(${WW_FIT_KINDS:-[a-z_]*})\"" >"$state.ndjson" || true
		files+=("$state.ndjson")
	done
	for state in "$WW_RUN"/*.records; do
		[[ ! -s $state ]] || files+=("$state")
	done
	((${#files[@]} == 0)) || ok "every record fits its schema" node "$WW_LIB/../system/reports/schema.mjs" \
		"$WW_LIB/../../docs/schema" "$WW_BUILD/npm-reports" records "${files[@]}"
}
