# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by run: contract check, and contract learn over the records of a golden tape.

repo=$here/../../..
tape=$repo/tests/golden/tapes/node_refunds
printf 'version: 1\ncontracts:\n- tool: t\n  effect: magic\n' >magic.yaml
printf 'version: 1\ncontracts:\n- tool: t\n  effect: network\n  destinations: [{name: a.test}]\n  methods: [POST]\n  paths: [/x]\n' >open.yaml
printf 'version: 1\ncontracts:\n- {tool: t, effect: none}\n' >plain.yaml
ok 'contract check: nothing to say' code 0 "$ww" contract check plain.yaml
is '  and says nothing' "$(cat stdout stderr)" ''
ok 'a wrong file' code 1 "$ww" contract check magic.yaml
is '  file, line, what was expected' "$(cut -d, -f1 stdout)" 'magic.yaml:4: error: expected an effect: network'
ok 'a suspicious rule' code 0 "$ww" contract check open.yaml
is '  is a warning' "$(cut -d: -f1-4 stdout)" 'open.yaml:5: warning: no cidr'
ok '  or an error, if wished' code 1 "$ww" contract check --strict open.yaml
ok 'no such file' code 3 "$ww" contract check none.yaml
ok 'no file' code 2 "$ww" contract check
ok 'the example is well formed' code 0 "$ww" contract check "$repo/docs/examples/contracts.yaml"

"$out/dev/ledger_append" "$work/learned" <"$tape.records" || exit 1
ok 'contract learn' code 0 "$ww" contract learn -t refund_order -d "$work/learned"
cp stdout draft.yaml
ok '  says that it is a draft' grep -q '^# DRAFT' draft.yaml
is '  what was seen' "$(grep -vE '^ *#' draft.yaml | sed 's/ *#.*//' | xargs)" \
	'version: 1 contracts: - tool: refund_order effect: network destinations: - name: payments.test cidr: [10.77.2.2] port: 443 methods: [POST] paths: [/v1/refunds] success: status: 200-201'
ok '  every answer with its number' grep -qF 'Answers: 200 (1), 201 (1), 503 (1).' draft.yaml
for id in $(grep -oE 'x-[0-9a-f]+-[0-9]+' draft.yaml); do
	is "  evidence $id is such a call" "$(jq -r "select(.id == \"$id\") | .method + \" \" + .sni + .path" "$tape.records")" 'POST payments.test/v1/refunds'
done
ok '  check accepts it' code 0 "$ww" contract check --strict draft.yaml
ok '  the tape judged under it' code 0 "$ww" replay -c draft.yaml "$tape.tape"
is '  confirms the refund that was made, not the one that failed' \
	"$(jq -r 'select(.kind == "verdict") | .wire.status, .verdict' stdout | xargs -n 2 | grep -E '^(201|503)' | sort | xargs)" '201 CONFIRMED_T1 503 MASKED_ERROR'
ok 'a tool that nobody names' code 1 "$ww" contract learn -t nothing -d "$work/learned"
ok 'learn needs a tool' code 2 "$ww" contract learn -d "$work/learned"
ok 'a period without calls' code 1 "$ww" contract learn -t refund_order -d "$work/learned" -S 2030-01-01T00:00:00Z
