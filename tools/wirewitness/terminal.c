/* SPDX-License-Identifier: Apache-2.0 */
#include "terminal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/log.h"
#include "cmd.h"

static volatile sig_atomic_t in_line;
static volatile sig_atomic_t asked_to_end;
static int line_error; /* errno of the line that could not be written */

bool ww_terminal_colour(void)
{
	const char *term = getenv("TERM");
	const char *no = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0 && !(no && *no);
}

unsigned ww_terminal_width(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		return 0;
	return size.ws_col;
}

static void end(int sig)
{
	asked_to_end = 1;
	if (!in_line)
		_exit(0); /* every line is flushed when it is written */
}

void ww_terminal_end_on_signals(void)
{
	struct sigaction sa = {.sa_handler = end};

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sa.sa_handler = SIG_IGN; /* a write that fails says the same, at a known place */
	sigaction(SIGPIPE, &sa, NULL);
}

bool ww_terminal_line(struct ww_slice line)
{
	bool ok;

	in_line = 1;
	fwrite(line.p, 1, line.n, stdout);
	fputc('\n', stdout);
	ok = fflush(stdout) == 0;
	if (!ok)
		line_error = errno;
	in_line = 0;
	return ok && !asked_to_end;
}

/* Said by the pipe itself: errno of a write inside of stdio may be long overwritten. */
static bool reader_gone(void)
{
	struct pollfd p = {.fd = STDOUT_FILENO, .events = POLLOUT};

	return poll(&p, 1, 0) == 1 && (p.revents & POLLERR);
}

int ww_terminal_close(int code)
{
	int r = line_error;

	if (fflush(stdout) != 0)
		r = errno;
	if ((r == 0 && !ferror(stdout)) || r == EPIPE || reader_gone())
		return code;
	ww_log_err_r(r ? -r : -EIO, "cannot write to standard output");
	return WW_EXIT_UNABLE;
}
