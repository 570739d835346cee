# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by run: bundles and the trust root of a log that has changed its key, and the old key in a thief's hands. What
# the verifiers of others cannot see is asserted as well: the day they do, this file says so.

turned=$work/turned old=$work/turned.old history=$work/turned/keys/history
"$out/dev/ledger_append" "$turned" <records.ndjson
authority "$work/second"
bundled() { # STATE NAME OPTIONS...
	code 0 "$ww" report -d "$1" --force -O "$2.json" --bundle "$2.bundle" --socket "$work/none" \
		--timestamp-ca second/ca/chain.pem "${@:3}"
}
stamped() { bundled "$@" --timestamp "$url/tsa"; }
say() { # WORD STAMPS ROOT BUNDLE: both generations, with the keys of the trust root
	node "$here/sigstore.mjs" "$npm" "$3" roots verify "$2" "$4" >both
	[ "$(awk '{print $1, $2}' both | xargs)" = "3.1.1 $1 4.1.3 $1" ] || { cat both; return 1; }
}
ours() { code "$1" "$out/wirewitness-verify" --key-file "${@:2}"; }

ok 'before the rotation' stamped "$turned" before --trust-root before.root
cp "$turned/vkey" "$old"
cp -a "$turned" stolen
ok 'rotate' code 0 "$ww" key rotate -d "$turned"
ok 'after it' stamped "$turned" after --trust-root after.root
is '  the trust root has both keys' "$(jq '.tlogs | length' after.root)" 2
at=$(jq -r '.record | fromjson | .t' "$history")
is '  the old one until the rotation' "$(jq -r '.tlogs[0].publicKey.validFor.end' after.root)" "${at:0:19}Z"
is '  the new one from there on' "$(jq -r '.tlogs[1].publicKey.validFor | .start + " " + (.end // "no end")' after.root)" "${at:0:19}Z no end"
ok '  both generations: the old report' say ok 1 after.root before.bundle
ok '  and the new one' say ok 1 after.root after.bundle
ok '  the new one not under the old trust root' say refused 1 before.root after.bundle
ok '  the old one still is' say ok 1 before.root before.bundle
ok 'ours: the old one, by the new key' ours 0 "$turned/vkey" --history "$history" before.bundle
ok '  the new one, by the old key' ours 0 "$old" --history "$history" after.bundle
ok '  not without the history' ours 1 "$old" after.bundle

# A date after the rotation takes a second of the clock.
until [[ $(date -u +%FT%T) > ${at:0:19} ]]; do :; done
cp -a stolen stolen.more
ok 'a thief reports after it, with a time stamp' stamped stolen late
ok '  the old key alone cannot tell' ours 0 "$old" late.bundle
ok '  with the history: refused' ours 1 "$old" --history "$history" late.bundle
ok '  and said why' said 'a time stamp is of'
ok '  others, with the new trust root: refused' say refused 1 after.root late.bundle
ok '  because of the key'\''s time' grep -q PUBLIC_KEY_ERROR both
jq -c 'del(.verificationMaterial.timestampVerificationData)' late.bundle >unstamped.bundle
ok '  the stamp taken away: others who ask for none accept' say ok 0 after.root unstamped.bundle
ok '  those who ask for one do not' say refused 1 after.root unstamped.bundle
ok '  ours says what such a key is worth' ours 0 "$old" --history "$history" unstamped.bundle
ok '    namely' said 'who has got hold of it since can have made this report'
ok 'a thief who dates it honestly' bundled stolen.more dated --created-at "$(date -u +%FT%TZ)"
ok '  refused' ours 1 "$old" --history "$history" dated.bundle
ok '  and said why' said 'the report is of 20'
ok '  others do not read dates' say ok 0 after.root dated.bundle
# The tree of the hand-over is the last one that the old key speaks for.
ok 'a log entry beyond the hand-over' bundled stolen.more beyond
ok '  refused' ours 1 "$old" --history "$history" beyond.bundle
ok '  and said why' said 'its checkpoint is of'
ok '  the report in it is not beyond' ours 0 "$old" --history "$history" beyond.json
ok '  others do not know sizes' say ok 0 after.root beyond.bundle
ok 'a third key' code 0 "$ww" key rotate -d "$turned"
ok '  its trust root' code 0 "$ww" report -d "$turned" --trust-root third.root --timestamp-ca second/ca/chain.pem
ok '  the first report' say ok 1 third.root before.bundle
ok '  the second' say ok 1 third.root after.bundle
sed '1s/"index":/"index":1/' "$history" >history.bent
cp history.bent "$history"
ok 'a damaged history gives no trust root' code 3 "$ww" report -d "$turned" --force --trust-root third.root
kill "$authority_pid"
wait "$authority_pid" 2>/dev/null
