# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Reports held against checkpoints that somebody kept. The attacker has the key.

records=$tapes/$honest.records
mkdir kept
ledger seed </dev/null # an empty log and its key: what follows are its futures
cp -r seed log
grow() { "$out/dev/ledger_append" log; }
head -20 "$records" | grow && cp log/checkpoint kept/20
sed -n 21,40p "$records" | grow && cp log/checkpoint kept/40
report log at40.json
sed -n '41,$p' "$records" | grow && cp log/checkpoint kept/54
report log plain.json
report log proved.json --extends kept/20 --extends kept/40 --extends kept/54
key=(-K log/vkey)

ok 'a report proves that its log continues what was kept' code 0 "$verify" "${key[@]}" -c kept/20 --checkpoint kept/40 -c kept/54 proved.json
ok '  the CLI reads it, too' code 0 "$ww" verify "${key[@]}" -c kept/20 proved.json
ok 'its own head needs no proof' code 0 "$verify" "${key[@]}" -c kept/54 plain.json
ok 'without a proof nothing is shown' code 4 "$verify" "${key[@]}" -c kept/20 -o json plain.json
is '  which is not success' "$(jq -c '[.verified, .open]' stdout)$(check earlier)" '[false,true]open'
ok '  nor is one of two' code 4 "$verify" "${key[@]}" -c kept/54 -c kept/20 plain.json
ok '  in words' said 'nothing here shows'
ok "the log's tiles show it" code 0 "$verify" "${key[@]}" -c kept/20 -c kept/40 --log log plain.json
ok '  and that a report was continued' code 0 "$verify" "${key[@]}" -c kept/54 --log log at40.json
ok '  without them a later checkpoint stays open' code 4 "$verify" "${key[@]}" -c kept/54 at40.json
mkdir tiles && cp -r log/tile tiles/
ok '  tiles alone are enough' code 0 "$verify" "${key[@]}" -c kept/20 --log tiles plain.json
ok '  tiles of another log show nothing' code 4 "$verify" "${key[@]}" -c kept/20 --log python_refunds plain.json
ok '  nor do missing ones' code 4 "$verify" "${key[@]}" -c kept/20 --log kept plain.json
ok '  it says why' said 'No such file or directory'
ok 'a checkpoint of the empty log needs no proof' code 0 "$verify" "${key[@]}" -c seed/checkpoint plain.json
ok "a checkpoint of another log is none" code 1 "$verify" "${key[@]}" -c python_refunds/checkpoint -o json plain.json
is '  it was looked at' "$(check earlier)" failed
head -n 2 "$records" >garbage
ok '  garbage is none' code 1 "$verify" "${key[@]}" -c garbage plain.json
ok 'two of one' code 0 "$verify" "${key[@]}" -c kept/20 -c kept/20 proved.json

# The past is rewritten: the error of record 16 never was one. Same key, same origin, whole in itself.
cp -r seed forged
sed '17s/"status":503/"status":201/' "$records" >forged.ndjson
head -20 forged.ndjson | "$out/dev/ledger_append" forged && cp forged/checkpoint kept/forged20
sed -n '21,$p' forged.ndjson | "$out/dev/ledger_append" forged
ok 'the forged log differs' code 1 cmp -s log/checkpoint forged/checkpoint
report forged forged.json
ok 'a rewritten log verifies by itself' code 0 "$verify" "${key[@]}" forged.json
ok '  one kept checkpoint is enough to doubt it' code 4 "$verify" "${key[@]}" -c kept/20 forged.json
ok '  and with its tiles to convict it' code 1 "$verify" "${key[@]}" -c kept/20 --log forged forged.json
ok '  in words' said "the log's past was rewritten"
ok '  it cannot prove to continue it' sh -c "! '$ww' report -d forged -O no.json --extends kept/20 2>stderr"
ok '  it says why' grep -q 'does not continue the tree of 20' stderr
ok '  to its own past it can' report forged proved_forged.json --extends kept/forged20
ok '  which is not the one that was kept' code 1 "$verify" "${key[@]}" -c kept/20 -o json proved_forged.json
is '  by the checkpoint alone' "$(jq -c '[.checks[] | select(.state == "failed") | .name]' stdout)" '["earlier"]'
signed log proved.json 'p["consistency"][0]["proof"][0] = p["consistency"][1]["proof"][0]' >bent.json
ok 'a proof that was bent is none' code 1 "$verify" "${key[@]}" -c kept/20 bent.json
signed log proved.json 'p["consistency"] = [{"size": 20, "proof": []}]' >hollow.json
ok 'nor is an empty one' code 1 "$verify" "${key[@]}" -c kept/20 hollow.json

# Two heads of one size: they alone convict the log.
mkdir -m 700 proofs
ok 'two stories of one size' code 1 "$verify" "${key[@]}" -c forged/checkpoint --equivocation-dir proofs -o json plain.json
is '  are one failed check' "$(jq -c '[.checks[] | select(.state == "failed") | .name]' stdout)" '["earlier"]'
is '  the proof is kept' "$(ls proofs/equivocation | sed 's/-.*//')" "$(wc -l <"$records")"
ok '  it holds both heads' sh -c 'cat proofs/equivocation/* | grep -c "^$1$" | grep -qx 2' sh "$(wc -l <"$records")"
sum=$(sha256sum proofs/equivocation/*)
ok '  met the other way round' code 1 "$verify" "${key[@]}" -c log/checkpoint --equivocation-dir proofs forged.json
is '  it is the same file' "$(sha256sum proofs/equivocation/*)" "$sum"
ok '  the CLI keeps it, too' code 1 "$ww" verify "${key[@]}" -c forged/checkpoint --equivocation-dir proofs plain.json
ok 'what is no equivocation is not kept' code 1 "$verify" "${key[@]}" -c kept/20 --log forged --equivocation-dir kept forged.json
ok '  nothing was' test ! -e kept/equivocation
ok 'where it cannot be kept that is said' code 2 "$verify" "${key[@]}" -c forged/checkpoint --equivocation-dir nowhere plain.json
