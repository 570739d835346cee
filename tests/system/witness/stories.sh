# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The third part of `run`, after daemon.sh: logs that tell two stories.

# --- the log itself tells two stories ---------------------------------------------------------------------------------
cp -a "$WW_STATE" "$WW_RUN/other"
more=$(($(size_of "$WW_STATE/checkpoint") + 50))
mk "$WW_STATE" $more
mk "$WW_RUN/other" $more
is "a witness has seen the other one" "$(ask w1 "$WW_RUN/other" "$(size_of "$WW_STATE/checkpoint.cosigned")")" 200
start --otlp off --publish-ca /etc/ssl/certs/ca-certificates.crt
ok "a collector with a foreign certificate is told" appears "$WW_RUN/daemon.log" 'certificate'
ok "met in a witness's answer: it is told" appears "$WW_RUN/daemon.log" 'equivocation: witness test/w1 holds another tree'
grow e
ok "the ledger stops" appears "$WW_RUN/daemon.notify" 'STATUS=ledger stopped'
ok "and says why" grep -q 'nothing more is signed' <(ww_status "s['ledger']['stopped']")
is "the proof is kept" "$(forks "$WW_STATE" | wc -l)" 1
is "and holds for x/mod" "$(xmod fork "$(forks "$WW_STATE")" "$log")" $more
ww_stop daemon
ok "no start after that" refused "$WW_BUILD/wirewitnessd" --state "$WW_STATE" --socket "$WW_RUN/no.sock" --otlp off "${WW_PROBED[@]}"
# Met in a file: what witnesses cosigned is another tree.
rm -rf "$WW_RUN/daemon.state" && mv "$WW_RUN/other" "$WW_RUN/daemon.state"
mk "$WW_RUN/daemon.state" $((more + 10))
xmod request "$WW_RUN/daemon.state" 0 | sed '1,2d' >"$WW_RUN/daemon.state/checkpoint.cosigned"
cp -a "$WW_RUN/daemon.state" "$WW_RUN/rolled"
mk "$WW_RUN/daemon.state" $((more + 20))
cp "$WW_RUN/daemon.state/checkpoint" "$WW_RUN/rolled/checkpoint.cosigned"
refuses() { refused "$WW_BUILD/wirewitnessd" --state "$1" --socket "$WW_RUN/no.sock" --otlp off "${WW_PROBED[@]}" "${publish[@]}"; }
ok "shorter than what witnesses cosigned: refused" refuses "$WW_RUN/rolled"
ok "  and said" grep -q 'rolled back: witnesses cosigned' "$WW_RUN/refused"
mk "$WW_RUN/rolled" $((more + 20))
ok "another tree than witnesses cosigned: refused" refuses "$WW_RUN/rolled"
is "  with the proof" "$(xmod fork "$(forks "$WW_RUN/rolled")" "$log")" $((more + 20))
