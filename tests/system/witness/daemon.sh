# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The second part of `run`: a daemon and its witnesses.

# --- two that work, four that do not ----------------------------------------------------------------------------------
publish=()
quiet() { "$@" >>"$WW_RUN/quiet"; }
start() { ww_daemon daemon --origin "$WW_ORIGIN" "${publish[@]}" "$@"; }
start --otlp off
ok "without a destination the record says so" life_says '"event":"publish","text":"no destination: checkpoints stay on this host'

"$WW_BUILD/wirewitness" doctor --socket "$WW_SOCKET" >"$WW_RUN/doctor"
ok "and doctor" grep -q 'checkpoints do not leave this host' "$WW_RUN/doctor"
ww_stop daemon
log=$(cat "$WW_STATE/vkey")
echo "$log" >"$WW_RUN/logs"
rm -rf "$WW_RUN/w1"
for name in w1 w2 behind; do witness $name; done
fake hang hang
fake garbage garbage
fake ahead ahead
fake replay replay "${url[behind]}"
ww_certs localhost
fake collector collector "$WW_CERTS/localhost.pem" "$WW_CERTS/localhost.key"
url[collector]=https://localhost:${WW_PORT[collector]}
{
	echo '# two of six'
	for name in w1 w2; do echo "$(vkey $name) ${url[$name]}/"; done
	echo "$(vkey behind) ${url[replay]}"
	# Keys of witnesses that were never started: nobody signs with them.
	for name in hang garbage ahead; do
		"$WW_BUILD/wirewitness-witness" --logs "$WW_RUN/logs" --state "$WW_RUN/key.$name" --name "test/$name" \
			--listen 192.0.2.1:1 2>>"$WW_RUN/refused" || true
		echo "$(cat "$WW_RUN/key.$name/vkey") ${url[$name]}"
	done
	echo 'quorum 2'
} >"$WW_RUN/witnesses"
cat >"$WW_RUN/command" <<-'SH'
	#!/bin/sh
	# Whole, or not at all.
	dir=${0%/*}
	[ ! -e "$dir/command.fail" ] || exit 3
	cat >"$dir/command.new" && mv "$dir/command.new" "$dir/command.got"
	env >"$dir/command.env"
SH
chmod 755 "$WW_RUN/command"
publish=(--witnesses "$WW_RUN/witnesses" --publish-file "$WW_RUN/published" --publish-command "$WW_RUN/command"
	--publish-otlp "${url[collector]}/v1/logs" --publish-every 1 --publish-ca "$WW_CERTS/ca.pem")
start --otlp off
keys=("$log" "$(vkey w1)" "$(vkey w2)")
grow a
ok "the quorum cosigns" cosigned_from "$WW_STATE" "$size"
cp "$WW_STATE/checkpoint.cosigned" "$WW_RUN/cosigned"
ok "both signatures and the log's are good under x/mod" quiet xmod cosigned "$WW_RUN/cosigned" "${keys[@]}"
ok "garbage is told" life_says 'test/garbage: its answer is not signature lines'
ok "a size over ours is told" life_says 'test/ahead: it says that it holds'
ok "a replayed cosignature is told" life_says 'test/behind: its cosignature is not good'
ok "a silent one is told" life_says 'test/hang: .*[Tt]ime'
ok "the file has a checkpoint of this log" quiet xmod cosigned "$WW_RUN/published" "$log"
ok "the command got one" quiet xmod cosigned "$WW_RUN/command.got" "$log"
is "with nothing but a path" "$(grep -vcE '^(PATH|PWD|SHLVL|_)=' "$WW_RUN/command.env")" 0
is "doctor lists them all" "$("$WW_BUILD/wirewitness" doctor --socket "$WW_SOCKET" | grep -cE '^  (witness|file|command|otlp) ')" 9

# --- the collector ----------------------------------------------------------------------------------------------------
ok "the collector got log records" ww_appears "$WW_RUN/collector.log.json" wirewitness.checkpoint
"$here/collected.py" "$WW_RUN/collector.log.json" "$WW_RUN/note" >"$WW_RUN/collected"
is "as they should be" "$(cat "$WW_RUN/collected")" "wirewitness $WW_ORIGIN"
ok "whose body is a signed checkpoint" quiet xmod cosigned "$WW_RUN/note" "$log"
# The schedule: nothing is appended, and still they come. Three more of one size.
ok "also when nothing is appended" "$here/collected.py" "$WW_RUN/collector.log.json" --same 3
touch "$WW_RUN/collector.log.json.down" "$WW_RUN/command.fail"
ok "a collector that is down is told" life_says 'publish-failing","text":"otlp .* answers 503'
ok "a command that fails is told" life_says 'publish-failing","text":"command .* ends with code 3'
rm "$WW_RUN/collector.log.json.down" "$WW_RUN/command.fail"
ok "and when it works again" life_says 'publish-resumed","text":"otlp'
is "one record per change, not per try" "$("$WW_BUILD/wirewitness" ls life --state "$WW_STATE" -o json |
	grep -c '"publish-failing","text":"otlp')" 1

# --- proofs -----------------------------------------------------------------------------------------------------------
"$WW_BUILD/wirewitness" proof --state "$WW_STATE" -O "$WW_RUN/proof" 3 2>"$WW_RUN/proof.log"
"$WW_BUILD/wirewitness" ls --state "$WW_STATE" -o json | sed -n 's/^{"v":1,"cursor":3,"record":\(.*\)}$/\1/p' >"$WW_RUN/record"
is "a proof with its record, under x/mod" "$(xmod proof "$WW_RUN/proof" "${keys[@]}")" "3 $(cat "$WW_RUN/record")"
ok "under our verifiers" quiet "$WW_BUILD/wirewitness-verify" --key "$log" --witnesses "$WW_RUN/witnesses" "$WW_RUN/proof"
ok "  both" quiet "$WW_BUILD/wirewitness" verify --key "$log" --witnesses "$WW_RUN/witnesses" "$WW_RUN/proof"
ok "not without a key" refused "$WW_BUILD/wirewitness-verify" "$WW_RUN/proof"
ok "not under another key" refused "$WW_BUILD/wirewitness-verify" --key "$(vkey log)" "$WW_RUN/proof"
sed 's/^quorum 2$/quorum 3/' "$WW_RUN/witnesses" >"$WW_RUN/more"
ok "not for a larger quorum" refused "$WW_BUILD/wirewitness-verify" --key "$log" --witnesses "$WW_RUN/more" "$WW_RUN/proof"
sed 's/^index 3$/index 4/' "$WW_RUN/proof" >"$WW_RUN/bent"
ok "not for another index" refused "$WW_BUILD/wirewitness" verify --key "$log" "$WW_RUN/bent"
ok "no file is replaced" refused "$WW_BUILD/wirewitness" proof --state "$WW_STATE" -O "$WW_RUN/proof" 3
ok "a record that is not there" refused "$WW_BUILD/wirewitness" proof --state "$WW_STATE" 99999999

# --- a witness dies between keeping and answering ---------------------------------------------------------------------
ww_stop w2
witness w2 LD_PRELOAD="$WW_RUN/die.so" WW_DIE="$WW_RUN/die"
touch "$WW_RUN/die"
grow b
"$WW_LIB/await" pid "${WW_PID[w2]}"
{ ww_stop w2 || true; } 2>/dev/null
ok "killed as it was about to answer" test ! -e "$WW_RUN/die"
kept=$(size_of "$(find "$WW_RUN/w2/logs" -name checkpoint)")
ok "what it kept is whole" quiet xmod cosigned "$(find "$WW_RUN/w2/logs" -name checkpoint)" "$log"
heard=$(ww_status "[x['size'] for x in s['publish']['destinations'] if x['name'] == 'test/w2'][0]")
ok "and is more than what the log heard" test "$kept" -gt "$heard"
witness w2
ok "back again: the log goes on from what it holds" cosigned_from "$WW_STATE" "$size"
ok "good under x/mod" quiet xmod cosigned "$WW_STATE/checkpoint.cosigned" "${keys[@]}"

# --- a witness that forgot --------------------------------------------------------------------------------------------
ww_stop w2
cp -a "$WW_RUN/w2" "$WW_RUN/w2.old"
witness w2
grow c
ok "it cosigns more" cosigned_from "$WW_STATE" "$size"
ww_stop w2
mv "$WW_RUN/w2" "$WW_RUN/w2.new" && mv "$WW_RUN/w2.old" "$WW_RUN/w2"
witness w2
ok "rolled back: it is told, and not believed" life_says 'it was rolled back'
ww_stop w2
rm -rf "$WW_RUN/w2" && mv "$WW_RUN/w2.new" "$WW_RUN/w2"
witness w2
grow d
ok "with its memory it counts again" cosigned_from "$WW_STATE" "$size"
ww_stop daemon
is "the last head left the host at the stop" "$(size_of "$WW_RUN/published")" "$(size_of "$WW_STATE/checkpoint")"
ok "the ledger is whole" "$WW_RUN/xmod_ledger" "$WW_STATE"

# --- a report under the cosigned head ---------------------------------------------------------------------------------
report() { "$WW_BUILD/wirewitness" report -d "$WW_STATE" -O "$1" --complete >"$WW_RUN/reported"; }
verify() { "$WW_BUILD/wirewitness-verify" --key "$log" "$@" >"$WW_RUN/verified"; }
head_of() { jq -r .payload "$1" | base64 -d | jq -j .predicate.checkpoint >"$WW_RUN/head"; }
cosigned=$(size_of "$WW_STATE/checkpoint.cosigned")
is "witnesses have cosigned all of it" "$cosigned" "$(size_of "$WW_STATE/checkpoint")"
ok "a report" report "$WW_RUN/report"
ok "  says that it is witnessed" grep -q "^witnessed: .* $cosigned records" "$WW_RUN/reported"
head_of "$WW_RUN/report"
is "  its head is good under x/mod, with both cosignatures" "$(xmod cosigned "$WW_RUN/head" "${keys[@]}")" "$cosigned"
ok "  verified, the quorum too" verify --witnesses "$WW_RUN/witnesses" "$WW_RUN/report"
ok "  by the other program as well" quiet "$WW_BUILD/wirewitness" verify --key "$log" --witnesses "$WW_RUN/witnesses" "$WW_RUN/report"
ok "  not for a larger quorum" refused verify --witnesses "$WW_RUN/more" "$WW_RUN/report"
ok "  which is said" grep -q 'FAIL  witnesses    2 of 6 witnesses cosigned the tree head, 3 are needed' "$WW_RUN/verified"
ok "  unasked, nothing is counted" verify "$WW_RUN/report"
ok "  which is said" grep -q 'none  witnesses    not checked' "$WW_RUN/verified"
# One of the two cosignatures is of another text.
cp "$WW_STATE/checkpoint.cosigned" "$WW_RUN/kept.cosigned"
sed "s|^— test/w2 .*|$(sed -n 's/^— test\/w2 .*/&/p' "$WW_RUN/cosigned")|" "$WW_RUN/kept.cosigned" >"$WW_STATE/checkpoint.cosigned"
report "$WW_RUN/report.forged"
ok "a forged cosignature: not verified" refused verify --witnesses "$WW_RUN/witnesses" "$WW_RUN/report.forged"
ok "  which is said" grep -q 'FAIL  witnesses    a cosignature is not good' "$WW_RUN/verified"
head_of "$WW_RUN/report.forged"
ok "  nor for x/mod" refused xmod cosigned "$WW_RUN/head" "${keys[@]}"
sed '$d' "$WW_RUN/kept.cosigned" >"$WW_STATE/checkpoint.cosigned"
report "$WW_RUN/report.one"
ok "one cosignature missing: not verified" refused verify --witnesses "$WW_RUN/witnesses" "$WW_RUN/report.one"
sed 's/^quorum 2$/quorum 1/' "$WW_RUN/witnesses" >"$WW_RUN/fewer"
ok "  but for a quorum of one" verify --witnesses "$WW_RUN/fewer" "$WW_RUN/report.one"
mv "$WW_RUN/kept.cosigned" "$WW_STATE/checkpoint.cosigned"
cp -a "$WW_STATE" "$WW_RUN/witnessed.state"
mk "$WW_STATE" $((cosigned + 1))
ok "records that nobody cosigned" report "$WW_RUN/report.newer"
ok "  not witnessed, it says" grep -q "^not witnessed: witnesses cosigned $cosigned records" "$WW_RUN/reported"
ok "  verified, but" verify "$WW_RUN/report.newer"
ok "  not witnessed" grep -q 'none  witnesses    not witnessed: only the log has signed' "$WW_RUN/verified"
ok "  and not when witnesses are asked for" refused verify --witnesses "$WW_RUN/fewer" "$WW_RUN/report.newer"
rm -rf "$WW_STATE" && mv "$WW_RUN/witnessed.state" "$WW_STATE"
