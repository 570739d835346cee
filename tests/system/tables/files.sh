# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The commands, without a monitor. Sourced by run, in the scratch folder.

mkdir drawn
for seed in 1 2; do
	rm -rf drawn/T
	"$here/oracle.py" make drawn "$seed" $((seed == 1 ? 100000 : 3000))
	ok "$seed: drawn prefixes are taken in" code 0 "$ww" tables import drawn/aws.json --as a --tables drawn/T
	ok '  and a list' code 0 "$ww" tables import drawn/list.txt --as b --operator cdn --as-of 2026-11-01 --tables drawn/T
	"$WW_BUILD/dev/lookups" drawn/T <drawn/asked >drawn/got
	"$here/oracle.py" answer drawn >drawn/want
	ok "  $(wc -l <drawn/got) addresses get the rows that Python finds" cmp drawn/got drawn/want
done

# The digest of a folder needs nothing of ours; what is imported does not depend on when or how often.
digest() { (cd "$1" && sha256sum -- * | sha256sum | cut -d' ' -f1); }
ok 'a folder' code 0 "$ww" tables check drawn/T
cp -r drawn/T again
ok 'the same again' code 0 "$ww" tables import drawn/aws.json --as a --tables again
ok '  says that it replaces it' said 'it replaces the one that was there'
ok '  which has the same bytes' cmp drawn/T/a.rows again/a.rows
ok '  and the digest that sha256sum gives' said "2 tables, sha256 $(digest again)"
ok '  and names the file that it was made of' grep -qx "source-sha256: $(sha256sum <drawn/aws.json | cut -d' ' -f1)" again/a.rows

# Refused, with the place, and nothing is put into the folder.
before=$(digest again)
refuse() # NAME PLACE-AND-REASON ARGUMENT...: of a file on standard input
{
	local name=$1 text=$2

	shift 2
	cat >bad
	ok "refused: $name" code 1 "$ww" tables check bad "$@"
	ok '  with its place' said "bad$text"
	ok '  on import as well' code 1 "$ww" tables import bad --as a --tables again "$@"
	ok '  with its place' said "bad$text"
}
entry='{"syncToken":"1","createDate":"2026-11-20-03-21-09","ipv6_prefixes":[],"prefixes":[{"region":"r","service":"s","ip_prefix":'
head=${entry%%2026*}
at() { echo ": offset $((${#entry} + $1)): error:"; }
refuse 'JSON that breaks off' "$(at 8) the file ends too early" < <(printf '%s' "$entry\"203.0.1")
refuse 'prefix length 33' "$(at 1) expected a network" <<<"$entry\"203.0.113.0/33\"}]}"
refuse 'host bits' "$(at 1) expected a network" <<<"$entry\"203.0.113.7/24\"}]}"
refuse 'a duplicate key' "$(at 18) duplicate key: region" <<<"$entry\"203.0.113.0/24\",\"region\":\"q\"}]}"
refuse 'NaN' "$(at 0) not JSON" <<<"${entry}NaN}]}"
refuse 'a date that is none' ": offset ${#head}: error: expected the time of publication" <<<"${entry/11-20/13-20}\"203.0.113.0/24\"}]}"
refuse 'a member that is not known' "$(at 18) a member that is not known" <<<"$entry\"203.0.113.0/24\",\"until\":1}]}"
refuse '10 MB of brackets' "$(at 0) expected a network" < <(printf '%s' "$entry" && head -c 10000000 /dev/zero | tr '\0' '[')
refuse 'a list with something else' ':2: error: expected a network' --operator o --as-of 2026-11-01 <<<$'203.0.113.0/24\n203.0.113.0/99'
refuse 'a list of nobody' ': error: a bare list does not say whose' <<<'203.0.113.0/24'
refuse 'something else' ': error: not understood' <<<'hello'
is 'nothing of it is in the folder' "$(digest again)" "$before"
sed -i '9s/aws/a\tb/' again/a.rows
ok 'a folder with a broken table' code 1 "$ww" tables check again
ok '  says in which line' said 'again/a.rows:9: error: expected prefix, operator'
ok '  and is not asked' code 3 "$ww" tables show 203.0.113.7 --tables again
echo >again/notes.txt
rm again/a.rows
ok 'a file that is no table' code 1 "$ww" tables check again
ok '  is named' said 'again/notes.txt: error: expected a file called NAME.rows, NAME.yaml or NAME.mmdb'
ok 'a date that does not exist' code 2 "$ww" tables import bad --as a --tables again --as-of 2026-02-30
ok 'an address that is none' code 2 "$ww" tables show 203.0.113.0/24 --tables drawn/T

# Validity and contradictions are said.
mkdir small
cat >small/own.yaml <<-YAML
	version: 1
	as_of: 2026-11-01
	operators:
	- {name: aws, home: US, basis: provider-doc}
	prefixes:
	- {cidr: [203.0.113.0/24], operator: aws, region: eu-1, basis: contract}
	- {cidr: [203.0.113.0/24], operator: aws, region: us-1, basis: contract, valid_until: 2020-12-31}
YAML
ok 'a row that has expired, and one that contradicts it' code 0 "$ww" tables check small/own.yaml
ok '  are warned of' said 'small/own.yaml:7: warning: 203.0.113.0/24 is ambiguous: regions eu-1 and us-1 (line 6)'
ok '  both' said 'rows that have expired: 1'
ok '  and errors where that is wanted' code 1 "$ww" tables check small/own.yaml --strict
cat >small/vague.yaml <<-YAML
	version: 1
	as_of: 2026-11-01
	prefixes:
	- {cidr: [203.0.113.0/24], operator: aws, service: a, basis: contract}
	- {cidr: [203.0.113.0/24], operator: aws, service: b, region: eu-1, basis: contract}
	- {cidr: [203.0.113.0/24], operator: aws, service: c, region: us-1, basis: contract}
YAML
ok 'rows that contradict each other beside one that says nothing' code 1 "$ww" tables check small/vague.yaml --strict
ok '  are warned of' said 'small/vague.yaml:6: warning: 203.0.113.0/24 is ambiguous: regions eu-1 and us-1 (line 5)'
rm small/vague.yaml
ok 'asked of when both were valid' code 0 "$ww" tables show 203.0.113.7 --tables small --at 2020-12-31
ok '  says that they contradict each other' said 'ambiguous: rows contradict each other, none is chosen'
ok '  and lists both' test "$(grep -c '^203.0.113.0/24' stdout)" = 2
ok 'asked of a day later' code 0 "$ww" tables show 203.0.113.7 --tables small --at 2021-01-01
ok '  says that one has expired' said 'expired: valid until 2020-12-31'
ok '  and nothing of a contradiction' sh -c '! grep -q ambiguous stdout'
ok '  whose law is declared is said apart' said 'declared: the home of aws is US (provider-doc, own.yaml as of 2026-11-01)'
mkdir gone
sed 's/203.0.113.0/192.0.2.0/; /eu-1/d' small/own.yaml >gone/own.yaml
ok 'asked of what has expired alone' code 0 "$ww" tables show 192.0.2.1 --tables gone
ok '  whose law reaches it is not declared' sh -c 'grep -q expired stdout && ! grep -q declared: stdout'
is '  in JSON neither' "$("$ww" tables show 192.0.2.1 --tables gone -o json | jq -c '[.listed[].expired, .declared]')" '[true,[]]'
ok 'an address that nobody lists' code 1 "$ww" tables show 192.0.2.1 --tables small
ok '  is said to be so' said 'not listed'
ok 'the example is well formed' code 0 "$ww" tables check "$WW_ROOT/docs/examples/tables.yaml"
for database in places operators four; do
	ok "a database: $database" code 0 "$ww" tables import "$here/../../golden/tables/$database.mmdb" --as "$database" --tables small
done
for address in 203.0.113.7 203.0.113.200 2001:db8::1 192.0.2.77 192.0.2.1 10.1.2.3; do
	"$ww" tables show "$address" --tables small -o json || [[ $address == 10.* ]]
done >shown
ok 'what is shown fits its schema' node "$here/../reports/schema.mjs" "$WW_ROOT/docs/schema" "$WW_BUILD/npm-reports" tables shown
is 'databases beside rows, longest prefix first' "$(head -n 1 shown | jq -c '[.listed[] | [.prefix, .table, .region // .operator]]')" \
	'[["203.0.113.0/25","places.mmdb","DE"],["203.0.113.0/24","operators.mmdb","EXAMPLE-A"],["203.0.113.0/24","own.yaml","eu-1"],["203.0.113.0/24","own.yaml","us-1"]]'
ok 'no word says more than is known' sh -c "! grep -riE 'compliant|stayed in|proven|measured (in|at)' shown stdout"
