# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by run: exports, read back by Python's csv and jq.

export_() { code 0 "$ww" export -d "$state" --force "$@"; }
ok 'JSON Lines' export_ --format jsonl -O out.jsonl --verdict MASKED_ERROR
ok 'the report of that selection' report -O same.json --verdict MASKED_ERROR
is '  has the same records' "$(jq -c .cursor out.jsonl | xargs)" "$(payload same.json | jq -c '.predicate.records[].index' | xargs)"
is '  byte for byte' "$(jq -c .record out.jsonl | sha256sum)" "$(payload same.json | jq -r '.predicate.records[].record' | jq -c . | sha256sum)"
ok 'every kind is a table' sh -c "for k in life actor flow exchange model_call span action verdict path crossing coverage loss finding report; do
	'$ww' export -d '$state' --complete --format csv --kind \$k >\$k.csv || exit 1; done"
ok '  that reads back as the record' python3 - <<'PY'
import csv, json, sys
csv.field_size_limit(1 << 20)
def member(value, path):
    parts = path.split('.')
    values = [value]
    for part in parts:
        values = [x for v in values for x in (v if isinstance(v, list) else [v])]
        values = [v.get(part) for v in values if isinstance(v, dict)]
    values = [x for v in values for x in (v if isinstance(v, list) else [v]) if x is not None and not isinstance(x, dict)]
    return ' '.join(str(v).lower() if isinstance(v, bool) else str(v) for v in values)
records = {}
for n, line in enumerate(open('records.ndjson')):
    records[n] = json.loads(line)
rows = 0
for kind in ['life', 'actor', 'flow', 'exchange', 'model_call', 'span', 'action', 'verdict', 'path', 'coverage']:
    data = open(kind + '.csv', newline='').read()
    assert data.count('\n') == data.count('\r\n'), kind
    for row in csv.DictReader(data.splitlines(True)):
        record = records.get(int(row.pop('cursor')))
        if record is None:
            continue
        assert record['kind'] == kind
        rows += 1
        for path, cell in row.items():
            want = member(record, path)
            assert cell in (want, "'" + want), (kind, path, cell, want)
assert rows == len(records), (rows, len(records))
PY
jq -c 'if .kind == "verdict" then .tool = "=cmd|'"'"' /C calc'"'"'!A0" | .summary = "@x, \"y\"\n-1" else . end' records.ndjson |
	"$out/dev/ledger_append" formulas
"$ww" export -d formulas --format csv >formulas.csv
is 'a formula is text' "$(python3 -c 'import csv
for r in list(csv.DictReader(open("formulas.csv", newline="")))[:1]: print([r["tool"], r["summary"]])')" \
	"[\"'=cmd|' /C calc'!A0\", '\\'@x, \"y\"\\n-1']"
ok 'a number is a number' sh -c "'$ww' export -d formulas --complete --format csv --kind flow | grep -v \"'\" >/dev/null"
ok 'a format is needed' code 2 "$ww" export -d "$state"
ok 'never overwrites' code 1 "$ww" export -d "$state" --format csv -O out.jsonl
ok 'nothing to export' code 1 "$ww" export -d "$state" --format csv --since 2030-01-01T00:00:00Z
