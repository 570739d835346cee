/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include "base/own.h"

#include <errno.h>
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static int pipe_fds[2], real_stderr;

static int capture(void **state)
{
	unsetenv("JOURNAL_STREAM");
	real_stderr = dup(STDERR_FILENO);
	return pipe(pipe_fds) < 0 || dup2(pipe_fds[1], STDERR_FILENO) < 0 ? -1 : 0;
}

static int release(void **state)
{
	unsetenv("JOURNAL_STREAM");
	ww_log_set_level(WW_LOG_INFO);
	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	return 0;
}

/* What was written since the last call, ended by a marker so that nothing is also an answer. */
static void assert_logged(const char *want)
{
	char got[8192];
	ssize_t n;

	assert_int_equal(write(pipe_fds[1], "$", 1), 1);
	n = read(pipe_fds[0], got, sizeof(got));
	assert_true(n > 0);
	got[n - 1] = '\0';
	assert_string_equal(got, want);
}

static void no_forged_lines(void **state)
{
	ww_log(WW_LOG_WARN, "bad name %s", "a\nerror: forged\x1b[2J\x7f");
	assert_logged("warning: bad name a?error: forged?[2J?\n");
	ww_log(WW_LOG_WARN, "C1 %s",
	       "\xc2\x9b"
	       "31m \xc2\xa7 \xc3\x9b \xc2");
	assert_logged("warning: C1 ??31m \xc2\xa7 \xc3\x9b \xc2\n");
}

static void long_text_is_cut(void **state)
{
	char text[5000], got[5000];
	ssize_t n;

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(ww_log_err_r(-EIO, "%s", text), -EIO);
	n = read(pipe_fds[0], got, sizeof(got));
	assert_in_range(n, 1000, 1024);
	assert_memory_equal(got, "error: xxx", 10);
	assert_memory_equal(got + n - 2, "x\n", 2);
}

static void levels(void **state)
{
	ww_log(WW_LOG_DEBUG, "quiet");
	assert_logged("");
	ww_log_set_level(WW_LOG_DEBUG);
	ww_log(WW_LOG_DEBUG, "loud");
	assert_logged("debug: loud\n");
	ww_log_set_level(WW_LOG_ERR);
	ww_log(WW_LOG_WARN, "quiet");
	ww_log(WW_LOG_ERR, "loud %d", 1);
	assert_logged("error: loud 1\n");
}

static void errors(void **state)
{
	assert_int_equal(ww_log_err_r(-ENOENT, "cannot open %s", "x"), -ENOENT);
	assert_logged("error: cannot open x: No such file or directory\n");
}

static void journal(void **state)
{
	setenv("JOURNAL_STREAM", "8:1", 1);
	ww_log(WW_LOG_INFO, "up");
	ww_log(WW_LOG_ERR, "down");
	assert_logged("<6>info: up\n<3>error: down\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(no_forged_lines, capture, release),
		cmocka_unit_test_setup_teardown(long_text_is_cut, capture, release),
		cmocka_unit_test_setup_teardown(levels, capture, release),
		cmocka_unit_test_setup_teardown(errors, capture, release),
		cmocka_unit_test_setup_teardown(journal, capture, release),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
