# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by run: samples. Python draws again, from the revealed seeds alone.

printf '%s\n' '{"kind":"life","id":"d-1","t":"2026-11-23T00:00:00.000000000Z","event":"start","text":null,"version":"0.1.0"}' |
	"$out/dev/ledger_append" sampled
"$here/many.py" sampled/digest.key 400 >many.ndjson
"$out/dev/ledger_append" sampled <many.ndjson
sample() { code "$1" "$ww" report -d sampled -O "$2" --force "${@:3}"; }
ok 'a sample' sample 0 sample.json --sample 0.1 --until 2026-11-25T00:00:00Z
ok '  verifies' code 0 "$out/wirewitness-verify" --key-file sampled/vkey sample.json
ok '  as one' grep -q '^  ok    sampling' stdout
ok '  fits the schema' fits sample.json
is '  is what the seeds draw' "$(payload sample.json | "$here/draw.py")" 'as drawn'
ok 'all of it' sample 0 whole.json --sample 100% --until 2026-11-25T00:00:00Z
is '  estimates itself' "$(payload whole.json | jq -c '[.predicate.sampling.estimates[] | .shown == (.estimate | tonumber) and .standardError == "0.000"] | all')" true
ok 'the seed of today stays secret' sample 3 early.json --sample 0.5
ok '  it says until when' said 'is not revealed before its day is over'
ok 'and a share is needed' sample 2 early.json --sample 0
ok 'before any commitment' code 1 "$ww" report -d "$state" -O early.json --sample 0.5

# With the key in hand: a verdict left out, another one put in, the seed changed.
lie() { # NAME PYTHON: the payload changed and signed again is refused
	payload sample.json | python3 -c "import json, sys
s = json.load(sys.stdin); p = s['predicate']; S = p['sampling']
$2
json.dump(s, sys.stdout, separators=(',', ':'), ensure_ascii=False)" >lie.payload
	"$out/dev/dsse_sign" sampled/key <lie.payload >lie.json
	ok "a lie: $1" code 1 "$out/wirewitness-verify" --key-file sampled/vkey lie.json
	ok '  is told' grep -q '^  FAIL  sampling' stdout
}
payload sample.json >truth.payload
"$out/dev/dsse_sign" sampled/key <truth.payload >truth.json
ok 'signed again, the truth verifies' code 0 "$out/wirewitness-verify" --key-file sampled/vkey truth.json
lie 'another seed' 'S["epochs"][0]["seed"] = "00" * 32'
lie 'one not chosen' 'S["notChosen"].append({k: S["chosen"][0][k] for k in ("index", "action")}); S["chosen"].pop(0)'
lie 'one left out of the population' 'S["notChosen"].pop()'
lie 'a prettier estimate' 'S["estimates"][0]["estimate"] = "1.000"'
lie 'another share' 'S["probability"] = "0.2"'
lie 'an outcome' 'x = [c for c in S["chosen"] if c["outcome"] == "corroborated"][0]; x["outcome"] = "unknown"'
