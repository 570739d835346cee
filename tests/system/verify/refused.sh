# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Exit codes, and what is refused because it is not understood.

key=(-K $honest/vkey)
{ head -20 "$tapes/$honest.records"; } | ledger staged && cp staged/checkpoint early.head
sed -n '21,$p' "$tapes/$honest.records" | "$out/dev/ledger_append" staged && report staged staged.json
ok 'verified' code 0 "$verify" "${key[@]}" $honest.json
ok 'no key: whole' code 3 "$verify" $honest.json
ok '  unless that is enough' code 0 "$verify" --allow-untrusted $honest.json
ok '  derived, still no key' code 3 "$verify" --rederive $honest.json
ok '  and a verdict that cannot be derived comes first' code 4 "$verify" --rederive erased.json
ok '  and what cannot be shown comes first' code 4 "$verify" --checkpoint early.head staged.json
ok 'another key' code 1 "$verify" -K python_refunds/vkey $honest.json
ok 'help' code 0 "$verify" --help
for c in 0 1 2 3 4; do
	ok "  has exit code $c" grep -qE "^  $c  " stdout
	ok '  so has the manual' grep -qx ".It $c" "$root/tools/man/wirewitness-verify.1"
	ok '  and docs/reports.md' grep -qE "^\| $c \|" "$root/docs/reports.md"
done
for args in '' "$honest.json $honest.json" "--nonsense $honest.json" "-o xml $honest.json" "-k a -K b $honest.json" \
	"--history x $honest.json" "--log . $honest.json" "--equivocation-dir . $honest.json" "-K a -K b $honest.json" \
	"-K nothing $honest.json" 'nothing.json' "-k nokey $honest.json" "--witnesses $honest/vkey $honest.json" \
	"-c nothing $honest.json" "--log nothing -c $honest/checkpoint $honest.json" .; do
	# shellcheck disable=SC2086
	ok "usage or trouble: $args" code 2 "$verify" $args
done
mkfifo pipe
ok 'from a pipe' sh -c "cat $honest.json >pipe & '$verify' -K $honest/vkey --rederive pipe >/dev/null"
ok 'from standard input' sh -c "'$verify' -K $honest/vkey --rederive - <$honest.json >/dev/null"
ln -s $honest.json link.json
ok 'through a link' code 0 "$verify" "${key[@]}" link.json
ln -s loop.json loop.json
ok 'not through one that leads nowhere' code 2 "$verify" "${key[@]}" loop.json
ok 'an empty file' sh -c ': >empty.json' && ok '  is none' code 1 "$verify" "${key[@]}" empty.json

odd() { # NAME CODE CHECK: signed with the key, and not understood
	signed $honest $honest.json "$2" >odd.json
	ok "$1" code 1 "$verify" "${key[@]}" --rederive -o json odd.json
	is "  by $3" "$(check "$3")" failed
}
odd 'another version of the predicate' 's["predicateType"] += "2"' statement
odd 'another statement' 's["_type"] = "https://in-toto.io/Statement/v2"' statement
odd 'a third subject' 's["subject"].append(s["subject"][0])' statement
odd 'the same subject twice' 's["subject"][1] = s["subject"][0]' statement
odd 'another digest algorithm' 's["subject"][0]["digest"] = {"sha512": "0" * 128}' statement
odd 'upper-case digests' 's["subject"][0]["digest"]["sha256"] = s["subject"][0]["digest"]["sha256"].upper()' statement
odd 'another kind of selection' 'p["ledger"]["selection"] = "some"' statement
for time in '' now 2026-11-27 2026-11-27T10:00:00 2026-11-27T10:00:00.Z 2026-11-27T10:00:00-10:00 2026-11-27t10:00:00Z; do
	odd "made at '$time'" "p[\"createdAt\"] = \"$time\"" statement
done
for time in 2026-11-27T10:00:00Z 2026-11-27T10:00:00.5Z; do
	ok "made at $time" sh -c "'$here/edit.py' $honest.json 'p[\"createdAt\"] = \"$time\"' | '$out/dev/dsse_sign' $honest/key >time.json"
	ok '  is a time' code 0 "$verify" "${key[@]}" time.json
done
odd 'a huge size' 'p["ledger"]["treeSize"] = 10 ** 30' statement
odd 'a size with a fraction' 'p["ledger"]["treeSize"] = 54.0' statement
odd 'a negative index' 'p["records"][0]["index"] = -1' records
odd 'one record twice' 'p["records"].insert(1, p["records"][0]); p["ledger"]["recordCount"] += 1' range
odd 'records in another order' 'p["records"].reverse()' range
odd 'a zero byte in a kind' 'p["records"][0]["kind"] = "li\0fe"' records
odd 'a record in both forms' 'p["records"][0]["digest"] = "0" * 64' records
twin() { # NAME OLD NEW: a member of a section twice, which json.dumps does not write
	"$here/edit.py" $honest.json 'pass' | python3 -c 'import sys
text = sys.stdin.read()
assert sys.argv[1] in text
sys.stdout.write(text.replace(sys.argv[1], sys.argv[2], 1))' "$2" "$3" | "$out/dev/dsse_sign" $honest/key >odd.json
	ok "$1" code 1 "$verify" "${key[@]}" -o json odd.json
	is '  by statement' "$(check statement)" failed
	ok '  there is no page of it' code 1 "$ww" html odd.json -O odd.html
}
twin 'a verdict with two outcomes' '"outcome":"contradicted"' '"outcome":"contradicted","outcome":"corroborated"'
twin 'the same, written in another way' '"outcome":"contradicted"' '"outcome":"contradicted","o\u0075tcome":"corroborated"'
twin 'coverage that is complete and is not' '"complete":true' '"complete":false,"complete":true'
odd 'records too deep' 'p["records"][0] = eval("[" * 80 + "]" * 80)' statement
odd 'an envelope of another log in the checkpoint' 'p["checkpoint"] = open("python_refunds/checkpoint").read()' checkpoint
odd 'a consistency proof that is none' 'p["consistency"] = {"size": 1}' statement
ok 'members that nobody knows are ignored' sh -c "'$here/edit.py' $honest.json 'p[\"new\"] = s[\"new\"] = 1' | '$out/dev/dsse_sign' $honest/key >new.json"
ok '  since members may be added' code 0 "$verify" "${key[@]}" --rederive new.json

# The frame, without the key.
twice() { # NAME FILE
	ok "$1" code 1 "$verify" "${key[@]}" -o json "$2"
	is '  by envelope' "$(check envelope)" failed
}
python3 - $honest.json <<'P'
import json, sys
text = open(sys.argv[1]).read()
e = json.loads(text)
open("two_payloads.json", "w").write(text.replace('{"payload"', '{"payload":"e30=","payload"', 1))
open("two_signatures.json", "w").write(text.replace('"signatures"', '"signatures":[],"signatures"', 1))
open("escaped.json", "w").write(text.replace('"payload"', '"p\\u0061yload":"e30=","payload"', 1))
open("cut.json", "w").write(text[:-100])
open("tail.json", "w").write(text + "{}")
open("deep.json", "w").write('{"x":' + "[" * 100000 + "]" * 100000 + "," + text[1:])
open("huge.json", "w").write('{"x":' + "9" * 100000 + "," + text[1:])
e["signatures"] = [{"sig": e["signatures"][0]["sig"] + "AAAA"}]
open("long_signature.json", "w").write(json.dumps(e))
P
twice 'two payloads' two_payloads.json
twice 'two lists of signatures' two_signatures.json
twice 'the same member, written in another way' escaped.json
twice 'a file that ends early' cut.json
twice 'a file with something behind it' tail.json
twice 'nesting without end' deep.json
twice 'a signature of another algorithm' long_signature.json
ok 'a number without end, of a member that nobody reads' code 0 "$verify" "${key[@]}" huge.json
