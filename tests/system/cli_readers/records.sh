# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by run: ls and show.

ok 'no ledger: says so' code 3 "$ww" ls -d "$work/none"
"$out/dev/ledger_append" "$state" <story.ndjson || exit 1
ok 'ls' code 0 "$ww" ls -d "$state"
is '  every record a line' "$(wc -l <stdout)" "$(wc -l <story.ndjson)"
ok 'ls verdicts' code 0 "$ww" ls verdicts -d "$state"
is '  the three columns' "$(awk '/MASKED_ERROR/ {print $4, $5, $6, $7, $8, $9, $10}' stdout)" \
	'MASKED_ERROR refund_order done OK 503 Retry-After 5'
ok 'ls -o json is the stream' code 0 "$ww" ls -d "$state" -o json
jq -c .record stdout >back
ok '  byte for byte' cmp back <(jq -c . story.ndjson)
ok 'the newest two' code 0 "$ww" ls verdict -d "$state" -n 2 -o json
is '  in order' "$(jq -r .record.verdict stdout | xargs)" 'NO_ACTION UNVERIFIABLE'
ok 'ls with filter and time' code 0 "$ww" ls spans -d "$state" -f 'toolCallId=call_*' -S 2026-11-23T10:00:03Z
is '  two spans and the titles' "$(wc -l <stdout)" 3
ok 'nothing found is an answer' code 1 "$ww" ls losses -d "$state"
ok 'a word that is no kind' code 2 "$ww" ls spoons -d "$state"
ok 'show by a beginning' code 0 "$ww" show v-00000002 -d "$state"
ok '  what it mentions' grep -qE '^ +8  .* EXCHANGE .* 503' stdout
ok 'show an exchange' code 0 "$ww" show x-51-1 -d "$state"
ok '  who mentions it' grep -qE '^ +10  .* VERDICT .*MASKED_ERROR' stdout
ok 'show -o json' code 0 "$ww" show x-99-1 -d "$state" -o json
is '  is one object, the finding about it too' "$(jq -r '.mentionedBy[].record.kind' stdout)" finding
ok 'show by index' code 0 "$ww" show 0 -d "$state"
ok 'several ids' code 1 "$ww" show v-0000000 -d "$state"
ok 'no such id' code 1 "$ww" show f-ffff -d "$state"
rm -f "$state"/index.sqlite* && mkdir "$state/index.sqlite"
ok 'an index that cannot be written' code 0 "$ww" ls verdicts -d "$state"
rmdir "$state/index.sqlite"
"$ww" ls -d "$state" >/dev/null
printf 'damaged' | dd of="$state/index.sqlite" conv=notrunc status=none
ok 'a damaged index is made anew' code 0 "$ww" show v-00000002 -d "$state"

ok 'colours on a terminal' code 0 script -qec "TERM=xterm '$ww' ls verdicts -d '$state'" /dev/null
ok '  really' grep -q $'\033\\[1;31mMASKED_ERROR' stdout
ok 'but not with NO_COLOR' code 0 script -qec "NO_COLOR=1 TERM=xterm '$ww' ls verdicts -d '$state'" /dev/null
ok '  really' eval '! grep -q $'\''\033'\'' stdout'
