# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The third part of `run`, after daemon.sh: logs that tell two stories.

# --- an old copy goes on, and its heads are of other sizes than those that a witness saw ------------------------------
ww_stop w2
cp -a "$WW_STATE" "$WW_RUN/backup"
from=$(size_of "$WW_STATE/checkpoint")
mk "$WW_STATE" $((from + 30))
is "a witness has seen more than the copy has" "$(ask w1 "$WW_STATE" "$(size_of "$(find "$WW_RUN/w1/logs" -name checkpoint)")")" 200
cp -a "$WW_STATE" "$WW_RUN/true.state"
rm -rf "$WW_STATE" && mv "$WW_RUN/backup" "$WW_STATE"
mk "$WW_STATE" $((from + 50))
is "the copy has grown beyond: 422, with what the witness holds" "$(ask w1 "$WW_STATE" $((from + 30)))$(size_of "$WW_RUN/answer")" "422$((from + 30))"
start --otlp off
ok "the daemon finds that it contradicts it" ww_appears "$WW_RUN/daemon.log" "do not extend it"
grow s
ok "  and stops" ww_appears "$WW_RUN/daemon.notify" 'STATUS=ledger stopped'
is "  the proof is kept" "$(forks "$WW_STATE" | wc -l)" 1
is "  and holds for x/mod" "$(xmod fork "$(forks "$WW_STATE")" "$log")" $((from + 30))
sed '$d' "$(forks "$WW_STATE")" >"$WW_RUN/bent"
ok "  not with a hash less" refused xmod fork "$WW_RUN/bent" "$log"
ww_stop daemon
cp "$WW_RUN/true.state/checkpoint" "$WW_STATE/checkpoint.cosigned"
rm -r "$WW_STATE/equivocation"
ok "met in a file at the start: refused" refused "$WW_BUILD/wirewitnessd" --state "$WW_STATE" --socket "$WW_RUN/no.sock" \
	--otlp off "${WW_PROBED[@]}" "${publish[@]}"
ok "  and said" grep -q 'signed two histories' "$WW_RUN/refused"
is "  with the proof" "$(xmod fork "$(forks "$WW_STATE")" "$log")" $((from + 30))
rm -rf "$WW_STATE" && mv "$WW_RUN/true.state" "$WW_STATE"
witness w2

# --- the log itself tells two stories ---------------------------------------------------------------------------------
cp -a "$WW_STATE" "$WW_RUN/other"
before=$(size_of "$WW_STATE/checkpoint")
more=$((before + 50))
mk "$WW_STATE" $more
mk "$WW_RUN/other" $more
is "a witness has seen the other one" "$(ask w1 "$WW_RUN/other" "$before")" 200
start --otlp off --publish-ca /etc/ssl/certs/ca-certificates.crt
ok "a collector with a foreign certificate is told" ww_appears "$WW_RUN/daemon.log" 'certificate'
ok "met in a witness's answer: it is told" ww_appears "$WW_RUN/daemon.log" 'equivocation: witness test/w1 holds another tree'
grow e
ok "the ledger stops" ww_appears "$WW_RUN/daemon.log" "error: the ledger stopped: "
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
