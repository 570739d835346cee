# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Checks of a test script: one line each, counted, summed up at the end by ww_checked (status 1 if any failed).
# In $WW_RESULTS, when it is set, the counts are added for the runner above: "passed failed".

WW_PASSED=0
WW_FAILED=0

# ok NAME CMD...: CMD succeeds.
ok()
{
	local name=$1

	shift
	if "$@"; then
		WW_PASSED=$((WW_PASSED + 1))
		echo "ok      $name"
	else
		WW_FAILED=$((WW_FAILED + 1))
		echo "NOT OK  $name"
	fi
}

# is NAME GOT WANTED: the two texts are equal.
is()
{
	if [[ $2 == "$3" ]]; then
		ok "$1" true
	else
		ok "$1" false
		printf '        got    %s\n        wanted %s\n' "$2" "$3"
	fi
}

# code WANTED CMD...: CMD ends with that exit code. What it writes is in the files stdout and stderr of the current folder.
code()
{
	local want=$1 got=0

	shift
	"$@" >stdout 2>stderr </dev/null || got=$?
	[[ $got == "$want" ]] || {
		echo "        exit code $got, wanted $want: $*"
		head -n 40 stdout stderr
		return 1
	}
}

# said TEXT: so the last such command did.
said()
{
	grep -qF -- "$1" stdout stderr || {
		head -n 40 stdout stderr
		return 1
	}
}

ww_checked()
{
	# Live suites (monitor.sh): whatever was recorded fits the published schemas.
	! declare -F ww_records_fit >/dev/null || ww_records_fit
	[[ -z ${WW_RESULTS-} ]] || echo "$WW_PASSED $WW_FAILED" >>"$WW_RESULTS"
	echo "$WW_PASSED passed, $WW_FAILED failed"
	((WW_FAILED == 0 && WW_PASSED > 0))
}
