# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The part of `run` between daemon.sh and stories.sh: the log changes its key, twice, and its witnesses follow. The file of
# keys that they were started with stays as it was.

cp -a "$WW_STATE" "$WW_RUN/stolen"
held=$(size_of "$WW_STATE/checkpoint.cosigned")
rotate() { "$WW_BUILD/wirewitness" key rotate -d "$WW_STATE" >>"$WW_RUN/quiet"; }
# tell FILE: sends it to w1 as a rotation; prints the status, the answer is in $WW_RUN/answer
tell() { curl -s -o "$WW_RUN/answer" -w '%{http_code}' --data-binary "@$1" "${url[w1]}/add-rotation"; }
keys_of() { find "$WW_RUN/$1/logs" -name keys; }
history=$WW_STATE/keys/history
rotate
mk "$WW_STATE" $((held + 10))
new=$(vkey daemon.state)
is "the new key without the rotation: refused" "$(ask w1 "$WW_STATE" "$held")" 403
is "the rotation without its hand-over: w1 says what it holds" "$(tell "$history")$(cat "$WW_RUN/answer")" "409$held"
jq -c '.checkpoint |= (split("\n") | del(.[-2]) | join("\n"))' "$history" >"$WW_RUN/oneside"
is "a hand-over that one side signed" "$(tell "$WW_RUN/oneside")" 400
jq -c '.record |= (fromjson | .note |= (split("\n") | del(.[-2]) | join("\n")) | tojson)' "$history" >"$WW_RUN/unsigned"
is "a rotation that one side signed" "$(tell "$WW_RUN/unsigned")" 400
jq -c '.index += 1' "$history" >"$WW_RUN/elsewhere"
is "a rotation at another place" "$(tell "$WW_RUN/elsewhere")" 400
mk "$WW_RUN/foreign" 20
"$WW_BUILD/wirewitness" key rotate -d "$WW_RUN/foreign" >>"$WW_RUN/quiet"
is "another log of this name" "$(tell "$WW_RUN/foreign/keys/history")" 403
is "none of it left a trace" "$(keys_of w1)" ''

start --otlp off
grow r1
ok "the witnesses follow, by themselves" cosigned_from "$WW_STATE" "$size"
ok "  good under x/mod, with the new key" quiet xmod cosigned "$WW_STATE/checkpoint.cosigned" "$new" "$(vkey w1)" "$(vkey w2)"
ok "  what they keep is the rotation" cmp -s "$(keys_of w1)" "$history"
ok "  both" cmp -s "$(keys_of w2)" "$history"
ok "  it is told by the witness" grep -q 'has replaced its key' "$WW_RUN/w1.log"
ww_stop w1
ww_stop daemon
witness w1
mk "$WW_RUN/stolen" $((held + 500))
is "the old key in a thief's hands gets nothing" "$(ask w1 "$WW_RUN/stolen" "$(size_of "$WW_STATE/checkpoint")")" 403
"$WW_BUILD/wirewitness" key rotate -d "$WW_RUN/stolen" >>"$WW_RUN/quiet"
is "  nor does its rotation" "$(tell "$WW_RUN/stolen/keys/history")" 403
# Two at once, while no witness was asked; the second one first is refused.
rotate
rotate
tail -n 1 "$history" >"$WW_RUN/third"
is "a step is left out: refused" "$(tell "$WW_RUN/third")" 403
start --otlp off
grow r2
ok "started again, they follow two steps" cosigned_from "$WW_STATE" "$size"
log=$(vkey daemon.state)
keys=("$log" "$(vkey w1)" "$(vkey w2)")
ok "  good under x/mod, with the newest key" quiet xmod cosigned "$WW_STATE/checkpoint.cosigned" "${keys[@]}"
is "  the witness has three steps" "$(wc -l <"$(keys_of w1)")" 3
ww_stop daemon
ok "a report after it is witnessed" report "$WW_RUN/report.rotated"
ok "  verified" verify --witnesses "$WW_RUN/witnesses" "$WW_RUN/report.rotated"
