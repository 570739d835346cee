# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The monitor under test, on private copies only; source it after net.sh and ww_begin:
#
#   ww_monitor_copies [openssl]               WW_PRIV_LIB, WW_NODE, WW_CURL, WW_PYTHON and WW_PROBED, the options that name them;
#                                             with "openssl" these leave out Node's own
#   ww_contracts [SUCCESS-BODY-RULE...]       $WW_RUN/contracts.yaml: the tool refund_order at host "payments"
#   ww_free_port                              prints a free TCP port of 127.0.0.1
#   ww_daemon NAME [OPTIONS]                  wirewitnessd, waits until it is ready; WW_SOCKET, WW_STATE, WW_OTLP; what it
#                                             tells systemd is in $WW_RUN/NAME.notify
#   ww_status EXPRESSION                      a Python expression over the daemon's status object `s`
#   ww_watched NAME CMD...                    `wirewitness run` with the private hosts file; its cgroup is NAME-PID
#   ww_record NAME [OPTIONS] -- CMD...        `wirewitness record`: $WW_RUN/NAME.tape and $WW_RUN/NAME.records
#   ww_needs_xmod                             ends the script as skipped where golang.org/x/mod is not installed; before ww_begin
#   ww_go_build PROGRAM SOURCE                of Debian's Go sources
#   ww_hide PROGRAM                           takes the section headers away: the program runs, and its TLS cannot be found
#   ww_appears FILE TEXT [SECONDS]            FILE has TEXT, or has it soon (at most 30 s)
#   ww_appears_times FILE TEXT N              in so many lines
#   ww_head_from FILE SIZE                    a checkpoint in FILE is of so many records or more, or is soon
#   ww_records_fit                            checks every record of the run against docs/schema (ww_checked calls it); where
#                                             a test makes up records, WW_FIT_KINDS are those that it does not (a|b)

ww_monitor_copies()
{
	eval "$("$WW_LIB/privlibs.sh" copies "$WW_BUILD")"
	WW_PROBED=(--no-default-libraries --tls-library "$WW_PRIV_LIB/libssl.so.3" --tls-library "$WW_PRIV_LIB/libcrypto.so.3")
	[[ ${1-} == openssl ]] || WW_PROBED+=(--tls-library "$WW_NODE")
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

WW_GO_SOURCES=/usr/share/gocode
ww_needs_xmod()
{
	[[ -d $WW_GO_SOURCES/src/golang.org/x/mod/sumdb/tlog ]] || {
		echo 'no golang-golang-x-mod-dev'
		exit 77
	}
}

ww_go_build()
{
	GO111MODULE=off GOPATH=$WW_GO_SOURCES GOFLAGS='' GOCACHE=$WW_BUILD/gocache go build -o "$1" "$2"
}

# ELF64: the offset, count and string section of the section headers.
ww_hide()
{
	head -c 8 /dev/zero | dd of="$1" bs=1 seek=40 conv=notrunc status=none
	head -c 4 /dev/zero | dd of="$1" bs=1 seek=60 conv=notrunc status=none
}

# ww_followed FILE: all its lines, and those to come; also of a file that is not there yet or is replaced.
ww_followed()
{
	exec tail -n +1 -F --pid=$$ "$1" 2>/dev/null
}

ww_appears()
{
	timeout "${3-30}" grep -qF -m 1 -- "$2" <(ww_followed "$1")
}

ww_appears_times()
{
	[[ $(timeout 30 grep -cF -m "$3" -- "$2" <(ww_followed "$1")) == "$3" ]]
}

ww_head_from()
{
	local line

	while read -r -t 30 line; do
		[[ ! $line =~ ^[0-9]+$ ]] || ((line < $2)) || return 0
	done < <(ww_followed "$1")
	return 1
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
