/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One turn of a tape without its tool call, for tests: tapemute IN OUT FROM TO
 *
 * From the first plaintext that has the text FROM to the first that has TO, or to the end, the
 * members that name tool calls get other names of the same length, and no spans are exported. What
 * is left of the turn is the answer's text. Compressed messages stay as they are.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sense/tape.h"

struct mute {
	const char *from, *to;
	bool on, over;
	struct ww_tape_writer *out;
};

static void rename_all(struct ww_event_data *d, const char *name)
{
	size_t n = strlen(name);
	uint8_t *at = d->bytes;

	while ((at = memmem(at, d->captured - (size_t)(at - d->bytes), name, n))) {
		at[1] = 'x';
		at += n;
	}
}

static bool has(const struct ww_event_data *d, const char *text)
{
	return memmem(d->bytes, d->captured, text, strlen(text)) != NULL;
}

static int put(struct mute *m, const struct ww_event *ev)
{
	struct ww_event_data *d = malloc(ev->size);
	int r;

	if (!d)
		return -ENOMEM;
	memcpy(d, ev, ev->size);
	if (ev->kind == WW_EVENT_DATA) {
		m->over |= m->on && has(d, m->to);
		m->on |= has(d, m->from);
	}
	if (ev->kind == WW_EVENT_DATA && m->on && !m->over) {
		rename_all(d, "\"tool_calls\"");
		rename_all(d, "\"tool\"");
		rename_all(d, "\"tool_use\"");
		rename_all(d, "\"tool_result\"");
	}
	r = ww_tape_write(m->out, &d->h);
	free(d);
	return r;
}

static int copy(struct mute *m, struct ww_tape_reader *in)
{
	const struct ww_event *ev;
	uint64_t ended = 0;
	int r, e;

	while ((r = ww_tape_next(in, &ev)) == 0) {
		ended = ev->time_ns;
		if (ev->kind == WW_EVENT_END || (ev->kind == WW_EVENT_CLAIM && m->on && !m->over))
			continue;
		r = put(m, ev);
		if (r < 0)
			break;
	}
	e = ww_tape_close(m->out, ended);
	return r != -ENODATA ? r : e;
}

int main(int argc, char **argv)
{
	struct ww_tape_reader *in = NULL;
	struct mute m = {0};
	int r;

	if (argc != 5) {
		fprintf(stderr, "usage: tapemute IN OUT FROM TO\n");
		return 2;
	}
	m.from = argv[3];
	m.to = argv[4];
	r = ww_tape_open(argv[1], &in);
	if (r == 0)
		r = ww_tape_create(argv[2], ww_tape_manifest(in), &m.out);
	if (r == 0)
		r = copy(&m, in);
	ww_tape_reader_free(in);
	if (r == 0 && m.on)
		return 0;
	fprintf(stderr, "tapemute: %s\n", r < 0 ? strerror(-r) : "no such turn");
	return 1;
}
