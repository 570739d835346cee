# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# One static file, and nothing of the product beyond base, ledger and the rules.

ok 'a static binary' make -s -C "$root" O="${out#"$root"/}" static-verify
static=$out/static/wirewitness-verify
ok '  that asks for no loader' sh -c "! readelf -lW '$static' | grep -q INTERP"
ok '  and no library' sh -c "! readelf -dW '$static' | grep -q NEEDED"
ok '  as ldd says' sh -c "ldd '$static' 2>&1 | grep -qE 'statically linked|not a dynamic executable'"
mkdir jail && cp "$static" $honest.json plain.json bent.json kept/20 $honest/vkey jail/ && cp log/vkey jail/log.vkey &&
	cp lie.json erased.json jail/ && cp lie/vkey jail/lie.vkey && cp erased/vkey jail/erased.vkey
jailed() { env -i "$(command -v chroot || echo /usr/sbin/chroot)" jail /wirewitness-verify "$@"; }
ok 'in an empty root' code 0 jailed -K /vkey /$honest.json
ok '  it still tells a bent proof' code 1 jailed -K /log.vkey -c /20 /bent.json
ok '  from none' code 4 jailed -K /log.vkey -c /20 /plain.json
ok '  it derives' code 0 jailed -K /vkey --rederive /$honest.json
ok '  tells lies' code 1 jailed -K /lie.vkey --rederive /lie.json
ok '  from what cannot be derived' code 4 jailed -K /erased.vkey --rederive /erased.json
ok '  no key' code 3 jailed /$honest.json

needed=$(readelf -dW "$verify" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' | sort | tr '\n' ' ')
is 'the other one needs two libraries' "$needed" 'libc.so.6 libcrypto.so.3 '
# What is linked, by the functions of each module.
linked() {
	nm "$verify" | awk '$2 == "T" && /ww_/ {print $3}' | sort >functions
	find "$out/user" -name '*.o' | sort | while read -r o; do
		nm "$o" | awk '$2 == "T" {print $3}' | sort | comm -12 - functions | grep -q . && echo "${o#"$out"/user/}"
	done | grep -v -e '^base/' -e '^ledger/' | tr '\n' ' '
}
is 'and of the product the rules, and what is pure of the policy' "$(linked)" \
	'judge/lens/attest.o judge/lens/commit.o judge/lens/control_rule.o judge/lens/effect.o judge/lens/local_rule.o judge/lens/path_rule.o judge/lens/prose.o judge/rule.o policy/answer.o policy/attester.o policy/cidr.o policy/contract.o policy/failure.o policy/host_glob.o policy/local.o policy/scalar.o '
