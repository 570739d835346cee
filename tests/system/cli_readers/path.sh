# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by run: path and path anycast, over a ledger of the golden path records at other times, with a later revision
# of one, and a digest that is made here, by openssl, of the install's key and a text.

paths=$work/paths
golden=$here/../../golden/paths
prompt='Where is my order?
It is late.'
hmac() { openssl dgst -sha256 -mac HMAC -macopt "hexkey:$(xxd -p -c 64 "$paths/digest.key")" | awk '{print $NF}'; }

# The key is there before the records: an install makes it at its first start.
head -n 1 story.ndjson | "$out/dev/ledger_append" "$paths"
at() { jq -c --arg t "$1" "${2:-.}" "$golden/$3.json" | jq -c --arg t "$1" '.t = $t'; }
{
	at 2026-11-24T14:31:00.500000000Z '.traceIds = ["11111111111111111111111111111111"]' contradicted
	at 2026-11-24T14:32:01.000000000Z '.legs[1].endBootNs += 3000000000' failover
	at 2026-11-24T14:32:40.000000000Z '.agent = "billing" | .program = "/usr/bin/python3.11" | .traceIds = []' unlisted
	at 2026-11-24T14:40:00.000000000Z '.revision = 1 | .id = (.path + "-1") | .verdict = "UNVERIFIABLE" | .reason = "EVENT_LOSS" | del(.supersedes)' copy
	at 2026-11-24T14:40:00.000000000Z '.promptDigest = "'"$(printf '%s' "$prompt" | hmac)"'"' copy
	at 2026-11-25T09:00:00.000000000Z . hostile
} >paths.ndjson
"$out/dev/ledger_append" "$paths" <paths.ndjson
path() { "$ww" path -d "$paths" "$@"; }
ids() { jq -r .record.id stdout | xargs; }

ok 'path' code 0 path
is '  a line each, newest last' "$(rows | awk '{print $3}' | xargs)" \
	'y-0000000000000002-1 y-0000000000c0ffee-1 y-0000000000000003-1 y-0000000000000006-2 y-000000000000000b-1'
is '  harmless' "$(grep -c "$(printf '\033')" stdout)" 0
ok '  the newest two' code 0 path -n 2 -o json
is '  in order' "$(ids)" 'y-0000000000000006-2 y-000000000000000b-1'
ok '  with superseded ones' code 0 path --all -o json
is '  all' "$(ids | wc -w)" 6
ok '  they fit their schema' node "$here/../reports/schema.mjs" "$here/../../../docs/schema" "$out/npm-reports" path stdout

ok 'at a minute' code 0 path --at 2026-11-24T14:32Z -o json
is '  both that were under way' "$(ids)" 'y-0000000000c0ffee-1 y-0000000000000003-1'
ok 'at a second' code 0 path --at 2026-11-24T14:32:01Z
is '  its page' "$(head -n 1 stdout)" 'PATH y-0000000000c0ffee, revision 1, ledger index 2'
is '  verdict before legs, legs before the horizon' "$(grep -oE '^(VIOLATION|LEGS|FINDINGS|COVERAGE|WHAT)|horizon' stdout | xargs)" \
	'VIOLATION LEGS horizon FINDINGS COVERAGE WHAT'
is '  no line is too wide' "$(awk 'length($0) > 100' stdout | wc -l)" 0
ok '  one that lasts is found while it does' code 0 path --at 2026-11-24T14:32:04Z -o json
is '  the same' "$(ids)" y-0000000000c0ffee-1
ok 'when nothing was' code 1 path --at 2026-11-24T14:35Z
ok '  says when the one before ended' said 'the last one before that time ended 2026-11-24T14:32:4'
ok '  and when the next began' said 'the first one after it began 2026-11-24T14:40:00'
ok '  and that nothing is known to have been watched' said 'no record says that anything was watched then'
for wrong in tuesday 14:32 2026-11-24T14:32; do
	ok "no time: $wrong" code 2 path --at "$wrong"
	ok '  says what is one' said 'such as 2026-11-24T14:32Z or'
done
ok 'in local time' code 0 path --at 2026-11-24T15:32+01:00 -o json
is '  the same' "$(ids)" 'y-0000000000c0ffee-1 y-0000000000000003-1'
ok 'at a minute, of one agent' code 0 path --at 2026-11-24T14:32Z --agent billing -o json
is '  it alone' "$(ids)" y-0000000000000003-1

ok 'by the program' code 0 path --agent python3.11 -o json
is '  it alone' "$(ids)" y-0000000000000003-1
ok 'by an agent that nobody is' code 1 path --agent nobody
ok '  says so' said 'no path that was recorded is the one asked for'
ok 'by trace' code 0 path --trace 11111111111111111111111111111111 -o json
is '  it alone' "$(ids)" y-0000000000000002-1
ok '  that nothing has' code 1 path --trace 22222222222222222222222222222222
ok '  that is none' code 2 path --trace 1111
ok 'since, until' code 0 path --since 2026-11-24T14:32:30Z --until 2026-11-24T14:50:00Z -o json
is '  begun in between' "$(ids)" 'y-0000000000000003-1 y-0000000000000006-2'

printf '%s' "$prompt" >prompt
printf '%s\n' "$prompt" >prompt.lf
printf '%s\n\n' "$prompt" >prompt.two
for file in prompt prompt.lf; do
	ok "by the text in $file" code 0 path --prompt-file "$file" -o json
	is '  it alone' "$(ids)" y-0000000000000006-2
	is '  the text is nowhere' "$(cat stdout stderr | grep -c 'my order')" 0
done
ok 'by another text' code 1 path --prompt-file prompt.two
ok 'by a file that is not there' code 3 path --prompt-file nowhere
ok 'by text, through the daemon' code 2 "$ww" path --socket "$sock" --prompt-file prompt
ok '  says why' said 'digest key'
mv "$paths/digest.key" digest.key
ok 'by text, without the key' code 3 path --prompt-file prompt
ok '  says why' said 'digest key'
mv digest.key "$paths/digest.key"

ok 'by id' code 0 path y-0000000000000006
is '  the last revision, which names the other' "$(head -n 2 stdout | xargs)" \
	'PATH y-0000000000000006, revision 2, ledger index 5 replaces y-0000000000000006-1, ledger index 4'
ok '  the first revision' code 0 path y-0000000000000006-1
ok '  says that it is superseded' grep -q 'SUPERSEDED: a later revision is y-0000000000000006-2' stdout
ok '  the same as JSON' code 0 path y-0000000000000006-1 -o json
is '  says it, too' "$(jq -r .supersededBy stdout)" y-0000000000000006-2
ok 'by the id of a span' code 0 path s-b7ad6b7169203331 -o json
is '  all that rest on it, each once' "$(ids)" \
	'y-0000000000000002-1 y-0000000000c0ffee-1 y-0000000000000003-1 y-0000000000000006-2 y-000000000000000b-1'
ok 'by the id of an exchange' code 0 path x-a-1 -o json
is '  the path that it carried' "$(ids)" y-0000000000000006-2
ok 'by one that nothing has' code 1 path x-abcdef-1
ok 'by several' code 2 path y-1 y-2
ok 'by id and more' code 2 path y-1 --agent billing
{
	cat paths.ndjson
	at 2026-11-24T14:31:00.500000000Z '.revision = 2 | .id = (.path + "-2") | .supersedes = (.path + "-1")' contradicted
} | "$out/dev/ledger_append" late
ok 'one that is told again later' code 0 "$ww" path -d late -n 4 -o json
is '  stands where it began' "$(ids)" \
	'y-0000000000c0ffee-1 y-0000000000000003-1 y-0000000000000006-2 y-000000000000000b-1'
ok 'an empty ledger' code 1 "$ww" path -d "$state" --agent a
ok '  says that nothing is known' said 'no path is recorded'

# Another host, elsewhere, measured one of the addresses.
jq -c '.id = "y-00000000000000aa-1" | .host.position = [39.04, -77.49] | .legs[0].place.bounds.tcp.rttUs = 800' "$golden/failover.json" |
	"$out/dev/ledger_append" elsewhere
jq -c '.legs[0].place.bounds.tcp.rttUs = 900' "$golden/failover.json" | "$out/dev/ledger_append" here
for host in here elsewhere; do
	ok "an export of the host $host" code 0 "$ww" export -d "$host" --format jsonl --kind path -O "$host.jsonl" --force
	ok '  a report' code 0 "$ww" report -d "$host" -O "$host.json" --force
done
for end in jsonl json; do
	ok "anycast, of the $end" code 0 "$ww" path anycast "here.$end" "elsewhere.$end"
	is '  one address has several machines' "$(grep -c 'more than one machine answers' stdout)" 1
	is '  both measurements are named' "$(grep -cE "measured: (900|800) us from (here|elsewhere).$end" stdout)" 2
done
ok 'anycast, of one of each' code 0 "$ww" path anycast here.json elsewhere.jsonl
ok 'anycast, one file' code 2 "$ww" path anycast here.json
ok 'anycast, one host twice' code 3 "$ww" path anycast here.json here.jsonl
ok '  says so' said 'are of one host'
cat here.jsonl elsewhere.jsonl >both.jsonl
ok 'anycast, hosts in one file' code 3 "$ww" path anycast both.jsonl elsewhere.jsonl
ok '  says so' said 'several exports in one file'
head -c -20 here.jsonl >torn.jsonl
ok 'anycast, a torn file' code 3 "$ww" path anycast torn.jsonl elsewhere.jsonl
ok '  says so' said 'its last line is cut off'
sed 's/"payload":"eyJ/"payload":"eyK/' here.json >bad.json
ok 'anycast, a report that is not whole' code 3 "$ww" path anycast bad.json elsewhere.json
ok '  says so' said 'does not pass its checks'
printf 'nothing\n' >nothing
ok 'anycast, no such file' code 3 "$ww" path anycast nothing here.json

# The same records in ls, show, tables and reports.
ok 'ls paths' code 0 "$ww" ls paths -d "$paths"
is '  all revisions' "$(rows | wc -l)" 6
ok 'show' code 0 "$ww" show -d "$paths" y-0000000000c0ffee-1
ok 'as a table' code 0 "$ww" export -d "$paths" --format csv --kind path -O paths.csv
is '  a row each' "$(python3 -c 'import csv; print(len(list(csv.reader(open("paths.csv")))))')" 7
ok 'a report' code 0 "$ww" report -d "$paths" -O paths.json --html paths.html
payload_of() { jq -r .payload "$1" | base64 -d; }
is '  counts the last revisions' "$(payload_of paths.json | jq -c '.predicate.paths | [.paths, .superseded, .unverifiable.count, (.list | length)]')" '[5,1,1,5]'
is '  three words for three questions' "$(payload_of paths.json | jq -c '[.predicate.jurisdiction[].word]')" '["measured","claimed","declared"]'
is '  the readable page leads with what cannot be told' "$(grep -A 2 '^4. PATHS' paths.json.txt | tail -n 1 | xargs)" 'UNVERIFIABLE: 1 of 5 (20.0 %)'
is '  the page has each' "$(grep -oE '<article id="y-[0-9]+"' paths.html | wc -l)" 5
ok '  with maps' grep -q '<svg' paths.html
ok '  and verifies' code 0 "$out/wirewitness-verify" --key-file "$paths/vkey" paths.json
ok '  of one agent' code 0 "$ww" report -d "$paths" -O agent.json --trace 11111111111111111111111111111111
is '  that path alone' "$(payload_of agent.json | jq -c '[.predicate.paths.paths, .predicate.paths.list]')" '[1,[1]]'
ok '  by its name in the policy' code 0 "$ww" report -d "$paths" -O billing.json --agent billing
is '  that path alone' "$(payload_of billing.json | jq -c '[.predicate.paths.paths, .predicate.paths.list]')" '[1,[3]]'
ok '  of an agent that nobody is' code 1 "$ww" report -d "$paths" -O nobody.json --agent nobody
