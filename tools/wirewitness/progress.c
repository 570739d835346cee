/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define BAR_WIDTH 40u
#define MUCH      50000u /* records: about a second */

void ww_progress_begin(struct ww_progress *p, const char *what, bool lines)
{
	*p = (struct ww_progress){
		.what = what, .lines = lines, .terminal = isatty(STDERR_FILENO) == 1};
}

static void draw(struct ww_progress *p, uint64_t done, uint64_t size)
{
	static const char full[] = "########################################";
	unsigned width = (unsigned)(done * BAR_WIDTH / size);

	fprintf(stderr, "\r[%-*.*s] %3u %%  %" PRIu64 " of %" PRIu64 " %s", (int)BAR_WIDTH,
		(int)width, full, (unsigned)(done * 100 / size), done, size, p->what);
	fflush(stderr);
	p->drawn = true;
}

static void write_line(struct ww_progress *p, uint64_t done, uint64_t size)
{
	unsigned tenths = (unsigned)(done * 10 / size);

	if (tenths == p->tenths && p->begun)
		return;
	p->tenths = tenths;
	fprintf(stderr, "%" PRIu64 " of %" PRIu64 " %s\n", done, size, p->what);
}

void ww_progress_step(void *progress, uint64_t done, uint64_t size)
{
	struct ww_progress *p = progress;

	if (size == 0)
		return;
	if (!p->begun)
		p->from = done;
	if (p->terminal && size - p->from >= MUCH)
		draw(p, done, size);
	else if (!p->terminal && p->lines)
		write_line(p, done, size);
	p->begun = true;
}

void ww_progress_end(struct ww_progress *p)
{
	if (p->drawn)
		fputc('\n', stderr);
	p->drawn = false;
}
