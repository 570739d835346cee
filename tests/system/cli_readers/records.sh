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
ok 'reindex' code 0 "$ww" reindex -d "$state"
is '  says how far it is, a line per step' "$(cat stderr)" "0 of $(wc -l <story.ndjson) records indexed
$(wc -l <story.ndjson) of $(wc -l <story.ndjson) records indexed"
is '  and what there is' "$(cat stdout)" "$(wc -l <story.ndjson) records are indexed"
ok '  the same answers' code 0 "$ww" show v-00000002 -d "$state"
"$out/dev/ledger_load" make many 70000 || exit 1
ok 'reindex, many records' code 0 "$ww" reindex -d many
is '  a tenth at a time, the last is all of them' "$(tail -n 1 stderr)" '70000 of 70000 records indexed'
rm -f many/index.sqlite*
ok 'ls after that says nothing of it' code 0 "$ww" ls -d many -n 1
is '  where no terminal is' "$(cat stderr)" ''
script -qec "$ww reindex -d many" /dev/null >terminal </dev/null
ok 'a bar on a terminal' grep -qF '[########################################] 100 %  70000 of 70000' terminal
ok 'reindex without a ledger' code 3 "$ww" reindex -d "$work/none"

is 'lines of ls have a date, its time can be told from that of another day' \
	"$("$ww" ls -d "$state" -n 1 | awk '{print $2, $3}')" '2026-11-23 10:00:04.000'
ok 'a record that was changed' cp -r "$state" changed
sed -i 's/MASKED_ERROR/MASKED_ERRAR/' changed/records/*
ok '  ends the listing' code 3 "$ww" ls verdicts -d changed
ok '  by saying that it is damaged' said 'is damaged'
ok '  show says it too' code 3 "$ww" show v-00000002 -d changed
ok '  with the same words' said 'is damaged'
ok '  report refuses' code 3 "$ww" report -d changed -O changed.json
for command in "ls -d $state" "ls verdicts -d $state" "ls -o json -d $state" "show 0 -d $state" version help; do
	# shellcheck disable=SC2086
	is "$command: a full disk is a failure" "$("$ww" $command 2>&1 >/dev/full; echo $?)" \
		"error: cannot write to standard output: No space left on device
3"
done
exec 7> >(:)
wait $!
gone() { "$@" >&7; } # CMD...: standard output is a pipe that nobody reads any more
ok 'a reader that went away is no failure: lines' code 0 gone "$ww" ls -d "$state"
ok '  a table' code 0 gone "$ww" ls verdicts -d "$state"
ok '  a record' code 0 gone "$ww" show 0 -d "$state"
exec 7>&-
for wrong in "ls verdicts flows" show "show a b" verify "verify a b" "tail a" "doctor a" "report a -O b" run replay \
	"replay a b" "record -o t" "record -- true" key proof "proof a b" "prune a" "export a" "reindex a"; do
	# shellcheck disable=SC2086
	ok "$wrong: wrong usage" code 2 "$ww" $wrong
	ok '  says what is wrong' grep -q "^wirewitness ${wrong%% *}: ." stderr
done
ok 'help COMMAND is COMMAND --help' cmp <("$ww" help ls) <("$ww" ls --help)
ok 'help for nothing' code 2 "$ww" help spoons

ok 'a narrow terminal' code 0 script -qec "stty cols 60; '$ww' ls verdicts -d '$state'" /dev/null
tr -d '\r' <stdout | sed 's/\x1b\[[0-9;]*m//g' >narrow
is '  gets lines of its width, cut ones marked' \
	"$(LC_ALL=C.UTF-8 wc -L <narrow) $(grep -c '…$' narrow) $(wc -l <narrow)" '60 5 5'
ok 'colours on a terminal' code 0 script -qec "TERM=xterm '$ww' ls verdicts -d '$state'" /dev/null
ok '  really' grep -q $'\033\\[1;31mMASKED_ERROR' stdout
ok 'but not with NO_COLOR' code 0 script -qec "NO_COLOR=1 TERM=xterm '$ww' ls verdicts -d '$state'" /dev/null
ok '  really' eval '! grep -q $'\''\033'\'' stdout'
