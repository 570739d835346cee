# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by run: the events of a tape judged again under other contracts.

tape=$work/node_refunds.tape
golden=$tapes/node_refunds.records
mkdir "$work/again" && cd "$work/again" || exit 1

digest() { sha256sum <"$1" | cut -d ' ' -f 1; }
verdicts() { grep '^{"kind":"verdict"' "$1"; }
words() { verdicts "$1" | jq -r '.verdict + (if .reason then "/" + .reason else "" end)' | xargs; }
seen() { grep -v '^{"kind":"\(action\|verdict\)"' "$1"; }
payload() { jq -r .payload "$1" | base64 -d; }
fits() { node "$here/../reports/schema.mjs" "$root/docs/schema" "$npm" "$@" >"$work/fits" || { cat "$work/fits"; return 1; }; }
# What every second judgement must say, whatever it finds: marked JUDGED CONTRACTS.
marked()
{
	python3 - "$golden" "$1" "$(digest own.yaml)" "$(digest "$2")" <<'PY'
import hashlib, json, sys
first, second, own, other = sys.argv[1:]
stood = {}
for line in open(first, 'rb'):
    r = json.loads(line)
    if r['kind'] == 'verdict':
        stood[r['action']] = (r['id'], hashlib.sha256(line[:-1]).hexdigest())
ids, n = {v for v, _ in stood.values()}, 0
for line in open(second):
    r = json.loads(line)
    if r['kind'] not in ('verdict', 'action'):
        assert 'reevaluates' not in r, r['kind']
        continue
    verdict, record = stood[r['action'] if r['kind'] == 'verdict' else r['id']]
    assert r['reevaluates'] == {'verdict': verdict, 'record': record, 'contracts': own}, r['reevaluates']
    if r['kind'] == 'verdict':
        n += 1
        assert r['contracts'] == other and own != other
        assert r['id'] not in ids and r['id'].startswith('e-') and other[:8] in r['id'], r['id']
        assert r['summary'].startswith('judged again under other contracts; '), r['summary']
assert n == len(stood) == 4, n
PY
}

# The contracts that the tape was recorded under stand in its manifest.
python3 - "$tape" own.yaml <<'PY'
import json, struct, sys
data = open(sys.argv[1], 'rb').read()
n = struct.unpack('<I', data[8:12])[0]
open(sys.argv[2], 'w').write(json.loads(data[12:12 + n])['contracts'])
PY
is 'each verdict names the contracts it was judged by' "$(verdicts "$golden" | jq -r .contracts | sort -u)" "$(digest own.yaml)"
"$ww" replay -c own.yaml "$tape" | cmp - "$golden" && status=same || status=other
is 'the same contracts: the first judgement, unmarked' $status same

sed 's/status: 2xx/status: 503/' own.yaml >lenient.yaml
(cat own.yaml; echo '# a word more') >touched.yaml
sed 's/refund_order/send_mail/' own.yaml >unknown.yaml
printf 'version: 1\ncontracts: []\n' >none.yaml
for name in lenient touched unknown none; do
	ok "$name contracts: judged again" code 0 "$ww" replay -c $name.yaml "$tape"
	cp stdout $name.records
	ok '  what was seen stays' cmp <(seen "$golden") <(seen $name.records)
	ok '  every action and verdict says so' marked $name.records $name.yaml
done
is 'the first verdicts' "$(words "$golden")" 'CONFIRMED_T1 MASKED_ERROR NO_ACTION MASKED_ERROR'
is 'lenient: another result' "$(words lenient.records)" 'MASKED_ERROR CONFIRMED_T1 NO_ACTION MASKED_ERROR'
is 'touched: the same words, and yet marked' "$(words touched.records)" "$(words "$golden")"
for name in unknown none; do
	is "$name: nothing declares the tool" "$(words $name.records)" "$(for i in 1 2 3 4; do printf 'UNVERIFIABLE/NO_CONTRACT '; done | xargs)"
done
# A control that only the other contracts have was not judged then; the action's own verdict was.
(cat own.yaml; cat <<'YAML'
    controls:
      - name: leave
        destinations: [{name: authz.test, cidr: [192.0.2.0/24]}]
        methods: [POST]
        paths: [/v1/decisions]
        allow: {status: 200}
        subject: [$.order, $.order]
YAML
) >leave.yaml
ok 'a control that nobody judged then' code 0 "$ww" replay -c leave.yaml "$tape"
cp stdout leave.records
ok '  has verdicts of its own, which name no first one' sh -c "grep '\"control\"' leave.records | jq -e -s 'map(select(.kind == \"verdict\")) |
	length > 0 and all(.[]; .reevaluates.verdict == null and .reevaluates.record == null and (.id | test(\"^e-[0-9a-f]+-k0-[0-9a-f]{8}-1\$\")))' >/dev/null"
grep -v '"control":{' leave.records >plain.records
ok '  beside those of the actions, which do' marked plain.records leave.yaml
"$ww" replay -c leave.yaml "$tape" | cmp -s - leave.records && status=same || status=other
is '  the same bytes again' $status same
ok 'the records fit the schemas' fits records ./*.records
sed 's/"id":"e-/"id":"v-/' lenient.records >forged
ok '  which refuse one that looks like a first verdict' sh -c "! node '$here/../reports/schema.mjs' '$root/docs/schema' '$npm' records forged >/dev/null"
jq -c 'del(.reevaluates)' lenient.records >forged
ok '  and one that lost its mark' sh -c "! node '$here/../reports/schema.mjs' '$root/docs/schema' '$npm' records forged >/dev/null"

# Ledgers and what is made of them.
for name in own lenient touched; do
	ok "a ledger, $name contracts" code 0 "$ww" replay -c $name.yaml -d $name "$tape"
	ok '  with its report' code 0 "$ww" report -d $name -O $name.json --html $name.html --svr $name.svr --requested-by auditor
	payload $name.json >$name.payload
done
is 'each says which, by digest' "$(for name in own lenient touched; do
	"$ww" show -d $name 0 -o json | jq -r '.shown.record | .contracts + " " + .tape.contracts'; done | xargs)" \
	"$(for name in own lenient touched; do echo "$(digest $name.yaml) $(digest own.yaml)"; done | xargs)"
is 'each has a key of its own' "$(cat own/vkey lenient/vkey touched/vkey | sort -u | wc -l)" 3
ok '  and its report verifies' code 0 "$work/bin/wirewitness-verify" --key-file touched/vkey touched.json
ok '  under no other' code 1 "$work/bin/wirewitness-verify" --key-file own/vkey touched.json
for name in lenient touched; do
	ok "$name: the report fits its schema" fits report $name.payload
	is '  it names the tape' "$(jq -r '.predicate.scope | [.tape, .tapeEnd, .policy] | join(" ")' $name.payload)" \
		"$(digest "$tape") in order $(digest $name.yaml)"
	is '  it counts them' "$(jq -c '.predicate.summary | [.verdicts, .reevaluated]' $name.payload)" '[4,4]'
	is '  names each first verdict' "$(jq -r '.predicate.claims.list[] | .reevaluates.verdict + " " + .reevaluates.record' $name.payload |
		sha256sum)" "$(verdicts "$golden" | while read -r line; do
		echo "$(jq -r .id <<<"$line") $(printf %s "$line" | sha256sum | cut -d ' ' -f 1)"; done | sha256sum)"
	is '  the short result, too' "$(payload $name.svr | jq '[.predicate.properties[] | select(. == "WIREWITNESS_REEVALUATED:4")] | length')" 1
	is '  the page for reading' "$(grep -c '4 of them judged again under other contracts' $name.json.txt)" 1
	is '  with the tape' "$(grep -c "Tape       $(digest "$tape"), which ended in order" $name.json.txt)" 1
	is '  the page for people' "$(grep -o 'judges again <span class="v">v-[0-9a-f-]*' $name.html | sort -u | wc -l)" 4
	is '  the table' "$("$ww" export -d $name --format csv | python3 -c 'import csv, sys
print(len({r["reevaluates.verdict"] for r in csv.DictReader(sys.stdin) if r["reevaluates.contracts"]}))')" 4
done
is 'of first verdicts nothing says so' "$(grep -c 'reevaluated\|REEVALUATED\|judge[sd] again' own.payload own.html own.json.txt | cut -d : -f 2 | xargs)" '0 0 0'

# What must be refused.
patched() { python3 - "$tape" "$1" "$2" "$3" <<'PY'
import sys
data, old, new = open(sys.argv[1], 'rb').read(), sys.argv[2].encode(), sys.argv[3].encode()
assert data.count(old) == 1 and len(old) == len(new)
open(sys.argv[4], 'wb').write(data.replace(old, new))
PY
}
version=$("$ww" version | grep -o '[0-9]*\.[0-9]*\.[0-9]*' | head -n 1)
other=${version//[1-9]/7}
patched "\"wirewitness\":\"$version\"" "\"wirewitness\":\"$other\"" old.tape
ok 'a tape of another version is replayed' code 0 "$ww" replay old.tape
ok '  its records' cmp stdout "$golden"
ok '  with a word about it' said "is of version $other, this is $version"
ok '  but not judged again' code 3 "$ww" replay -c lenient.yaml old.tape
ok '  says why' said 'cannot be derived'
is '  and nothing else' "$(wc -c <stdout)" 0
ok '  nor into a ledger' code 3 "$ww" replay -c lenient.yaml -d refused old.tape
ok '  of which nothing is left' test ! -e refused
patched "\"wirewitness\":\"$version\"" "\"wirewitnezz\":\"$version\"" nameless.tape
ok 'a tape of no version is not judged again' code 3 "$ww" replay -c lenient.yaml nameless.tape
patched '{"version":1,"wire' '{"version":2,"wire' later.tape
ok 'a tape of another form is none' code 3 "$ww" replay later.tape
sed 's/effect: network/effect: everything/' own.yaml >bad.yaml
ok 'contracts that are wrong' code 3 "$ww" replay -c bad.yaml -d refused "$tape"
ok '  are named' said 'bad.yaml:4'
ok '  and leave nothing' test ! -e refused
ok 'contracts that are not there' code 3 "$ww" replay -c missing.yaml "$tape"
sums own >before
ok 'an existing ledger is not written to' code 3 "$ww" replay -d own "$tape"
sums own >after
ok '  nor touched' cmp before after

# A tape without its end: what is there, and a ledger that says so.
head -c $(($(stat -c %s "$tape") * 80 / 100)) "$tape" >cut.tape
ok 'a tape that was cut off' code 1 "$ww" replay -d cut cut.tape
is '  is named in the ledger' "$("$ww" show -d cut 0 -o json | jq -r .shown.record.tape.end)" 'cut off'
ok '  judged again' code 1 "$ww" replay -c none.yaml cut.tape
cd "$work" || exit 1
