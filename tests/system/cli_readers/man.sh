# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by run: the manual pages name every command and option that the programs have, and no other.

man=$here/../../../tools/man
options() { "$@" --help 2>/dev/null | grep -oE -- '--[a-z][a-z-]+' | grep -vE '^--(help|usage|version)$' | sort -u; }
missing() { # PAGE: options and words on standard input that the page does not have
	local page
	page=$(sed 's/\\-/-/g' "$1")
	while read -r word; do
		grep -qF -- "${word#--}" <<<"$page" || echo "$word"
	done | xargs
}
commands=$("$ww" --help | awk '/^  [a-z]/ { print $1 }')
for command in $commands; do
	is "wirewitness.1: $command and its options" \
		"$( (echo "$command"; options "$ww" "$command") | missing "$man/wirewitness.1")" ''
done
is 'wirewitnessd.8: its options' "$(options "$out/wirewitnessd" | missing "$man/wirewitnessd.8")" ''
is 'wirewitness-verify.1: its options' "$(options "$out/wirewitness-verify" | missing "$man/wirewitness-verify.1")" ''
is 'wirewitness-witness.8: its options' "$(options "$out/wirewitness-witness" | missing "$man/wirewitness-witness.8")" ''
# described PAGE [COMMAND]: the options that it has in its lists, "-x, --long" each; of a command, those of its section
described() {
	awk -v want="${2-}" '/^\.S[sh] / { at = $2 } /^\.It Fl / && (want == "" || at == want) {
		for (i = 3; i < NF; i++) if ($i == "," && $(i + 1) == "Fl" && length($(i - 1)) == 1)
			print "-" $(i - 1) ", -" $(i + 2) }' "$1" | sed 's/\\-/-/g'
}
surplus() { # options on standard input that a program's help does not have
	local help
	help=$("$@" --help 2>/dev/null)
	while read -r option; do
		grep -qE -- "${option%%,*}(, -[a-zA-Z])*, ${option##*, }(=|$| )" <<<"$help" || echo "$option" # aliases stand between
	done | xargs
}
total=0
for command in $commands; do
	described "$man/wirewitness.1" "$command" >described
	is "wirewitness.1: $command has the options that are described" "$(surplus "$ww" "$command" <described)" ''
	total=$((total + $(wc -l <described)))
done
ok '  which are many' test "$total" -ge 25
described "$man/wirewitnessd.8" >described
is 'wirewitnessd.8: it has the options that are described' "$(surplus "$out/wirewitnessd" <described)" ''
is '  all of them are' "$(wc -l <described)" "$(options "$out/wirewitnessd" | wc -l)"
described "$man/wirewitness-witness.8" >described
is 'wirewitness-witness.8: it has the options that are described' "$(surplus "$out/wirewitness-witness" <described)" ''
is '  all of them are' "$(wc -l <described)" "$(options "$out/wirewitness-witness" | wc -l)"
if command -v mandoc >/dev/null; then
	is 'mandoc has nothing to say' "$(mandoc -T lint -W warning "$man"/*.[18] 2>&1)" ''
fi
