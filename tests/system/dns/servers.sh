# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The name servers of this test and the listener behind their names; source it after net.sh, ww_begin and
# `ww_host names; ww_host liar; ww_host stranger`. The log of dnsmasq is $WW_RUN/names.queries.
#   dns_servers      starts them; WW_PORT[listener] is where every address listens
dns_servers()
{
	local here i
	# Every name and its address; nothing is asked of anybody else.
	local server=(dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --no-poll --user=root --pid-file=
		--local=/test/ --log-queries=extra --log-facility="$WW_RUN/names.queries"
		--host-record=api.test,127.78.0.1,300 --host-record=real.test,127.78.0.2,300 --cname=www.test,real.test,60
		--host-record=one.test,127.78.0.3,300 --host-record=two.test,127.78.0.3,300 --host-record=zero.test,127.78.0.4,0
		--host-record=child.test,127.78.0.5,300 --host-record=node.test,127.78.0.6,300 --host-record=cares.test,127.78.0.7,300
		--host-record=go.test,127.78.0.8,300 --host-record=tcp.test,127.78.0.12,300 --host-record=six.test,::1,300)

	here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
	server+=(--dns-rr=svc.test,65,"$("$here/binding.py")")
	for i in {1..31}; do
		server+=("--host-record=a-rather-long-name-of-many-addresses.test,127.78.1.$i,300")
	done
	ww_start names ip netns exec "ww-names-$$" "${server[@]}"
	ww_start_ready liar /usr/bin/python3 "$here/liar.py" "ww-liar-$$" "ww-stranger-$$" "$WW_RUN/liar.ndjson"
	ww_start_ready listener /usr/bin/python3 "$here/listener.py"
	ww_appears "$WW_RUN/names.queries" ': started, version'
}
