# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by run: the manual pages name every command and option that the programs have.

man=$here/../../../tools/man
options() { "$@" --help 2>/dev/null | grep -oE -- '--[a-z][a-z-]+' | grep -vE '^--(help|usage|version)$' | sort -u; }
missing() { # PAGE: options and words on standard input that the page does not have
	local page
	page=$(sed 's/\\-/-/g' "$1")
	while read -r word; do
		grep -qF -- "${word#--}" <<<"$page" || echo "$word"
	done | xargs
}
for command in run tail ls show report verify key prune record replay doctor version; do
	is "wirewitness.1: $command and its options" \
		"$( (echo "$command"; options "$ww" "$command") | missing "$man/wirewitness.1")" ''
done
is 'wirewitnessd.8: its options' "$(options "$out/wirewitnessd" | missing "$man/wirewitnessd.8")" ''
is 'wirewitness-verify.1: its options' "$(options "$out/wirewitness-verify" | missing "$man/wirewitness-verify.1")" ''
if command -v mandoc >/dev/null; then
	is 'mandoc has nothing to say' "$(mandoc -T lint -W warning "$man"/*.[18] 2>&1)" ''
fi
