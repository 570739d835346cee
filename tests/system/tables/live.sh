# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Flows of a watched client to hosts whose addresses are listed. Sourced by run, in the scratch folder.

# public HOST BLOCK: the host answers at BLOCK.N as well, N as in its own address.
public()
{
	local n=${WW_ADDR[$1]#10.77.}

	n=${n%.2}
	ip -n "ww-$1-$$" addr add "$2.$n/32" dev eth0
	ip route add "$2.$n/32" via "${WW_ADDR[$1]}"
	WW_PUBLIC[$1]=$2.$n
}
declare -A WW_PUBLIC=()
ww_host near near.test
ww_host far far.test
ww_host unlisted unlisted.test
ww_host inside inside.test
public near 203.0.113
public far 198.51.100
public unlisted 192.0.2
for host in near far unlisted; do
	sed -i "s/^${WW_ADDR[$host]} /${WW_PUBLIC[$host]} /" "$WW_RUN/hosts"
done
ww_certs near.test far.test unlisted.test inside.test
for host in near far unlisted inside; do
	ww_start_ready "$host" ip netns exec "ww-$host-$$" node "$WW_LIB/servers/payments.mjs" --cert "$WW_CERTS/$host.test.pem" \
		--key "$WW_CERTS/$host.test.key" --log "$WW_RUN/$host.ndjson"
done
ww_monitor_copies openssl

# As clouds publish them, for these very addresses.
cat >ranges.json <<-JSON
	{"syncToken":"1","createDate":"2026-11-20-03-21-09","prefixes":[
	{"ip_prefix":"203.0.113.0/24","region":"eu-near-1","service":"AMAZON","network_border_group":"eu-near-1"},
	{"ip_prefix":"203.0.113.0/24","region":"eu-near-1","service":"EC2","network_border_group":"eu-near-1"},
	{"ip_prefix":"198.51.100.0/24","region":"xx-old-1","service":"EC2","network_border_group":"xx-old-1"},
	{"ip_prefix":"${WW_PUBLIC[far]}/32","region":"xx-far-1","service":"EC2","network_border_group":"xx-far-1"},
	{"ip_prefix":"${WW_PUBLIC[far]}/32","region":"xx-far-2","service":"S3","network_border_group":"xx-far-2"},
	{"ip_prefix":"10.0.0.0/8","region":"nowhere","service":"EC2","network_border_group":"nowhere"}],"ipv6_prefixes":[]}
JSON
ok 'ranges of the hosts are taken in' code 0 "$ww" tables import ranges.json --as aws --state live.state
is '  into a state directory that the daemon takes' "$(stat -c %a live.state live.state/tables | xargs)" '700 755'
cp small/own.yaml live.state/tables/
cp "$here/../../golden/tables/places.mmdb" live.state/tables/

ask=("$WW_CURL" -sS -o /dev/null --cacert "$WW_CERTS/ca.pem" --no-keepalive)
urls=()
for host in near far unlisted inside; do
	urls+=("https://$host.test/v1/refunds")
done
# One connection after the other, so that the order of closing is the order of asking.
script=$(for url in "${urls[@]}"; do printf '%q ' "${ask[@]}" "$url" && echo; done)

where() { jq -c 'select(.kind == "flow" and .role == "connect" and .tls) | [.tls.sni, .where]' "$@"; }
of() { where "$2" | jq -c "select(.[0] == \"$1.test\") | .[1] | $3" | sort -u; }
said_of() # RECORDS: what must be there, whoever made the records
{
	is '  near: both services of the longest prefix, and the entry of a database' \
		"$(of near "$1" '[.listed[] | [.table, .prefix, .service, .region]] | sort')" \
		'[["aws.rows","203.0.113.0/24","AMAZON","eu-near-1"],["aws.rows","203.0.113.0/24","EC2","eu-near-1"],["own.yaml","203.0.113.0/24",null,"eu-1"],["own.yaml","203.0.113.0/24",null,"us-1"],["places.mmdb","203.0.113.0/25",null,"DE"]]'
	is '  near: what has expired is said to be so' "$(of near "$1" '[.listed[] | select(.expired) | .region]')" '["us-1"]'
	is '  near: two tables contradict each other about one operator' "$(of near "$1" .ambiguous)" true
	is '  near: whose law is declared, and by which file' "$(of near "$1" '[.declared[] | [.operator, .home, .basis, .table]]')" \
		'[["aws","US","provider-doc","own.yaml"]]'
	is '  far: of the longest prefix all rows, none chosen' "$(of far "$1" '[[.listed[] | select(.table == "aws.rows") | .region], .ambiguous]')" \
		'[["xx-far-1","xx-far-2"],true]'
	is '  unlisted: the tables that say nothing of it' "$(of unlisted "$1" '[.listed, .declared, .tables]')" "[[],[],\"$(digest live.state/tables)\"]"
	is '  inside: nothing of a private address' "$(of inside "$1" .)" null
	is '  each row names the file that it is from' "$(where "$1" | jq -r '.[1] | select(.) | .listed[] | "\(.sha256)  \(.table)"' | sort -u)" \
		"$(cd live.state/tables && sha256sum -- * | sort)"
}

ww_daemon live --policy "$WW_ROOT/docs/examples/policy.yaml"
ok 'a watched client asks four hosts' ww_watched client bash -c "$script"
is 'each server saw one request' "$(for host in near far unlisted inside; do "$WW_LIB/truth" "$host.ndjson" 'len(req)'; done | paste -sd' ')" '1 1 1 1'
ww_stop live
"$ww" ls --state "$WW_STATE" -o json | jq -c .record >live.ndjson
echo 'live:'
said_of live.ndjson
is 'the start names each table' "$(jq -r 'select(.event == "start") | .tables | .sha256, (.files[] | "\(.sha256)  \(.name)")' live.ndjson)" \
	"$(digest live.state/tables; cd live.state/tables && sha256sum -- *)"
is '  and the policy' "$(jq -r 'select(.event == "start") | .policy' live.ndjson)" \
	"$(sha256sum <"$WW_ROOT/docs/examples/policy.yaml" | cut -d' ' -f1)"
ok 'a list of flows shows it' code 0 "$ww" ls flows --state "$WW_STATE"
ok '  the operator and the regions' grep -qE "near.test .*DE, aws eu-near-1, aws eu-1 \(ambiguous\)$" stdout
ok 'a record is shown with it' code 0 "$ww" show --state "$WW_STATE" "$(jq -r 'select(.kind == "flow" and .tls.sni == "near.test") | .id' live.ndjson)"
ok '  word by word' said eu-near-1

# From the tape the same bytes, by whoever has the tables; without them none are made up.
mkdir -p open
cp -r live.state/tables open/
ok 'the same recorded' ww_record tape --otlp off --tables live.state/tables --policy "$WW_ROOT/docs/examples/policy.yaml" -- bash -c "$script"
said_of tape.records
replay() { "$ww" replay tape.tape "$@"; }
replay --tables open/tables >replayed
ok 'a replay gives the same bytes' cmp replayed tape.records
ok 'a replay without the tables' code 3 replay
ok '  says which they are' said "the tape was made with address tables (sha256 $(digest live.state/tables))"
ok 'a ledger of the tape names its policy, without the file' code 0 replay --tables live.state/tables --state policy
ok '  ' said "/policy-$(sha256sum <"$WW_ROOT/docs/examples/policy.yaml" | cut -c1-16)/"
replay --tables off >none
ok '  or none are wanted' cmp <(jq -c 'del(.where)' tape.records) <(jq -c . none)
ok '  and then nothing is listed' sh -c '! grep -q where none'
rm open/tables/aws.rows
replay --tables open/tables >others 2>stderr
ok 'other tables: a word about it' said 'these are not the address tables of the tape'
is '  and their digest in the records' "$(where others | jq -r '.[1] | select(.) | .tables' | sort -u)" "$(digest open/tables)"
ok 'a ledger of the tape' code 0 "$ww" replay tape.tape --tables live.state/tables --state one
ok 'a ledger with other tables' code 0 "$ww" replay tape.tape --tables open/tables --state two
ok '  is another log, with another key' sh -c '! cmp -s one/vkey two/vkey'
cp live.state/tables/aws.rows open/tables/
ok 'the same tables from elsewhere' code 0 "$ww" replay tape.tape --tables open/tables --state three
ok '  make the same ledger' cmp one/checkpoint three/checkpoint
sed -i 's/^rows: .*/rows: 1/' open/tables/aws.rows
ok 'a daemon does not start with tables that are broken' code 3 "$WW_BUILD/wirewitnessd" --state no.state --socket no.sock --otlp off \
	--tables open/tables "${WW_PROBED[@]}"
ok '  and says where' said 'open/tables/aws.rows:8: error: expected the end: the head says 1 rows'
ok '  and leaves nothing' test ! -e no.state
