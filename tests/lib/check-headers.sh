#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check-headers.sh O "INCLUDES": every header compiles alone, with gcc and clang.
set -u
out=$1 inc=$2 bad=0 n=0
mkdir -p "$out/headers"
while read -r h; do
	for cc in gcc clang; do
		n=$((n + 1))
		printf '#include "%s"\n' "$h" > "$out/headers/alone.c"
		if ! $cc -std=gnu17 -D_GNU_SOURCE -DWW_VERSION='""' $inc -I. -Itools/wirewitness -Wall -Wextra -Wno-unused-parameter \
			-Wno-unused-function -Werror -fsyntax-only "$out/headers/alone.c"; then
			echo "check-headers: $h does not stand alone with $cc"
			bad=$((bad + 1))
		fi
	done
done < <(git ls-files 'include/*.h' 'user/*.h' 'tools/*.h')
printf '%d passed, %d failed\n' $((n - bad)) "$bad"
[ "$bad" -eq 0 ]
