/* SPDX-License-Identifier: Apache-2.0 */
#include "terminal.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

static volatile sig_atomic_t in_line;
static volatile sig_atomic_t asked_to_end;

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
	in_line = 0;
	return ok && !asked_to_end;
}
