# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by run: tail.

ok 'no daemon: says how to start one' code 3 "$ww" tail -s "$sock"
ok '  with the command' said 'sudo wirewitnessd'
ok 'a filter that means nothing is refused' code 2 "$ww" tail -s "$sock" -f 'verdict=NOACTION'
ok '  with the reason' said "'NOACTION': there is no such verdict"
for when in yesterday 10x m -5 1e3 2026-11-23 2026-02-30T00:00:00Z 2026-11-23T10:00:00 2026-11-23T10:00:00+25:00 ''; do
	ok "'$when' is no time" code 2 "$ww" tail -s "$sock" -S "$when"
done
ok 'an unknown option is refused' code 2 "$ww" tail --nonsense
daemon long.ndjson
ok 'json: the stream, byte for byte' code 0 "$ww" tail -s "$sock" -o json -S start -n "$total"
ok '  nothing lost, nothing repeated' cmp stdout long.stream
ok 'a cursor: what comes after it' code 0 "$ww" tail -s "$sock" -o json -S 41 -n 1
ok '  and not itself' said '"cursor":42,'
ok 'a cursor beyond the end is of another ledger' code 3 "$ww" tail -s "$sock" -S "$total" -n 1
ok '  says so' said 'it is another one'
ok 'a filter' code 0 "$ww" tail -s "$sock" -S start -f 'kind=verdict verdict=NO_ACTION' -n 150
is '  only what fits' "$(grep -c ' NO_ACTION ' stdout)" 150
ok 'a person sees verdicts and exchanges' code 0 "$ww" tail -s "$sock" -S start -n 300
is '  not actors, flows, spans' "$(grep -cE '  (ACTOR|FLOW|SPAN|ACTION|COVERAGE) ' stdout)" 0
ok '  but --all' code 0 "$ww" tail -s "$sock" -S start --all -n "$total"
is '  all' "$(wc -l <stdout)" "$total"
is '  without a byte that acts on the terminal' "$(LC_ALL=C tr -d '\n\40-\176\200-\377' <stdout | wc -c)" 0
for when in 2026-11-23T10:05:00Z 2026-11-23T11:05:00.5+01:00; do
	from=${when/11:05:00.5+01:00/10:05:00.5Z}
	jq -c --arg t "${from%Z}" 'select(.record.t >= $t)' long.stream >want
	ok "since $when" code 0 "$ww" tail -s "$sock" -o json -S "$when" -n "$(wc -l <want)"
	ok '  finds what was then, though flows began before' cmp stdout want
done
"$ww" tail -s "$sock" -o json -S start | head -n 3 >three
is 'a reader that goes away ends it' "$(wc -l <three) ${PIPESTATUS[0]}" '3 0'
mkfifo follow
"$ww" tail -s "$sock" -o json -S $((total - 2)) >follow &
tail_pid=$!
exec 3<follow
read -r line <&3
kill -INT "$tail_pid"
wait "$tail_pid"
is 'interrupted: ends in good order' "$? ${line:0:20}" "0 {\"v\":1,\"cursor\":$((total - 1))"
exec 3<&-
stop

# The daemon dies again and again, mostly inside a line; the reader must see every record once.
daemon long.ndjson 97 torn
"$ww" tail -s "$sock" -o json -S start -n "$total" >resumed 2>resumed.err &
tail_pid=$!
while wait -n -p ended "$tail_pid" "$daemon_pid"; [ "$ended" = "$daemon_pid" ]; do daemon long.ndjson 97 torn; done
ok 'restarts of the daemon: ends' [ "$ended" = "$tail_pid" ]
ok '  nothing lost, nothing repeated' cmp resumed long.stream
ok '  and it said so' grep -q 'the daemon went away' resumed.err
stop
daemon long.ndjson 50
"$ww" tail -s "$sock" -o json -S start >/dev/null 2>other.err &
tail_pid=$!
wait "$daemon_pid"
daemon story.ndjson
wait "$tail_pid"
is 'another ledger behind the same socket: refused' "$? $(grep -c 'it is another one' other.err)" '3 1'
stop
