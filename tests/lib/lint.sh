#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# lint.sh O: format, include direction, names, sizes, licences, static analysis. Silent when all is well but for the last line.
set -u
out=$1 bad=0 checks=0
mkdir -p "$out/lint"

say() {
	bad=$((bad + 1))
	printf 'lint: %s\n' "$*"
}

# check NAME COMMAND...: output of the command is the complaint.
check() {
	local name=$1 text
	shift
	checks=$((checks + 1))
	text=$("$@" 2>&1) || true
	[ -z "$text" ] || say "$name"$'\n'"$text"
}

sources() {
	git ls-files '*.c' '*.h' ':!vmlinux' ':!tests/golden'
}

format() {
	sources | xargs clang-format --dry-run 2>&1 | grep -E 'warning|error' | head -20
}

# A module includes itself and those before it in MODULES.
direction() {
	local modules i f m inc
	modules=$(sed -n 's/^MODULES := //p' Makefile)
	declare -A rank
	i=0
	for m in $modules; do rank[$m]=$((i++)); done
	while IFS=: read -r f inc; do
		m=${f#user/} m=${m%%/*}
		inc=${inc#*\"} inc=${inc%%/*}
		[ -n "${rank[$inc]:-}" ] || continue
		[ "${rank[$inc]}" -le "${rank[$m]}" ] || echo "$f includes $inc, which comes after $m"
	done < <(grep -rHE '^#include "[a-z_]+/' user --include='*.[ch]' | sed 's/:#include /:/')
}

# Between sense and ledger: no clocks, files, sockets, randomness (the OTLP receiver is claim's one door).
purity() {
	grep -nE '\b(clock_gettime|ww_clock_sample|ww_boot_now|time|open|openat|socket|getrandom|rand|fopen|read|write|recv|send)\(' -r \
		user/policy user/actor user/flow user/proto user/action user/claim user/join user/judge --include='*.c' |
		grep -v 'user/claim/otlp_receiver' | grep -vE '\* |//'
}

unique_names() {
	git ls-files 'user/*.c' 'user/*.h' 'bpf/*.c' | sed 's|.*/||' | sort | uniq -d | grep -v '^main\.c$'
}

licences() {
	git ls-files '*.c' '*.h' '*.sh' ':!vmlinux' | xargs grep -L 'SPDX-License-Identifier'
	git ls-files 'bpf/*' | xargs grep -L 'GPL'
}

long_files() {
	git ls-files '*.c' '*.h' ':!vmlinux' | xargs wc -l | awk '$2 != "total" && $1 > 1000 {print $2 ": " $1 " lines"}'
}

long_functions() {
	git ls-files 'user/*.c' 'tools/*.c' 'bpf/*.c' | while read -r f; do
		awk -v f="$f" '/^[a-zA-Z_].*\)$/ || /^[a-zA-Z_].*,$/ {name=$0; head=NR} /^\{/ {start=NR}
			/^\}/ {if (start && NR - start > 80) print f ":" start ": " NR - start " lines: " name; start=0}' "$f"
	done
}

library_prints() {
	grep -rnE '\b(printf|puts|perror|exit|abort)\(' user --include='*.c' |
		grep -vE 'snprintf|user/(base/log|daemon/main)\.c|_exit|vsnprintf'
}

workplace() {
	git grep -nE '/work/|bash_jobs|issue #[0-9]|npmjs|deb\.debian\.org' -- . ':!tests/lib/lint.sh' ':!vmlinux'
}

analysis() {
	cppcheck --quiet --std=c11 --enable=warning,portability --inline-suppr --suppress=missingIncludeSystem \
		--suppress=*:user/base/hash.h --suppress=*:/usr/include/* --error-exitcode=0 -j 2 \
		-Iinclude -Iuser --template='{file}:{line}: {severity}: {message} [{id}]' \
		--suppress=memleak --suppress=resourceLeak --suppress=syntaxError --suppress=unknownMacro --suppress=uninitvar --suppress=preprocessorErrorDirective user tools
}

check 'clang-format' format
check 'include direction' direction
check 'purity between sense and ledger' purity
check 'base names are unique' unique_names
check 'licence lines' licences
check 'files up to 1,000 lines' long_files
check 'functions up to 80 lines' long_functions
check 'libraries answer, mains speak' library_prints
check 'speaks of the product only' workplace
check 'cppcheck' analysis
printf '%d passed, %d failed\n' $((checks - bad)) "$bad"
[ "$bad" -eq 0 ]
