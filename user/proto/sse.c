/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariants:
 *  1. The result does not depend on how the input was split.
 *  2. `one` borrows from the input of the current call only: on leaving with MORE it is copied to
 * `data`.
 */
#include "proto/sse.h"

#include <errno.h>

#include <wirewitness/limits.h>

#define TYPE_BYTES_MAX 256u
#define ID_BYTES_MAX   1024u

void ww_sse_init(struct ww_sse *s, size_t bytes_max)
{
	if (bytes_max > WW_SSE_LINE_BYTES_MAX)
		bytes_max = WW_SSE_LINE_BYTES_MAX;
	*s = (struct ww_sse){0};
	ww_buf_init(&s->line, bytes_max);
	ww_buf_init(&s->data, bytes_max);
	ww_buf_init(&s->type, TYPE_BYTES_MAX);
	ww_buf_init(&s->id, ID_BYTES_MAX);
}

void ww_sse_done(struct ww_sse *s)
{
	ww_buf_wipe(&s->line);
	ww_buf_wipe(&s->data);
	ww_buf_wipe(&s->type);
	ww_buf_wipe(&s->id);
}

/* False: the ceiling, or no memory. */
static bool add(struct ww_sse *s, struct ww_buf *b, const void *p, size_t n)
{
	int r = ww_buf_add(b, p, n);

	s->no_memory |= r == -ENOMEM;
	return r == 0;
}

static void set(struct ww_sse *s, struct ww_buf *b, struct ww_slice value)
{
	ww_buf_clear(b);
	if (!add(s, b, value.p, value.n))
		s->over = true;
}

static void own_the_borrowed_line(struct ww_sse *s)
{
	if (!s->has_one)
		return;
	s->has_one = false;
	if (!add(s, &s->data, s->one.p, s->one.n))
		s->over = true;
}

static void add_data(struct ww_sse *s, struct ww_slice value, bool borrowed)
{
	if (!s->has_data && borrowed) {
		s->has_data = s->has_one = true;
		s->one = value;
		return;
	}
	own_the_borrowed_line(s);
	if ((s->has_data && !add(s, &s->data, "\n", 1)) || !add(s, &s->data, value.p, value.n))
		s->over = true;
	s->has_data = true;
}

/* "Collect the characters on the line": one field, or a comment, which begins with a colon. */
static void take_field(struct ww_sse *s, struct ww_slice line, bool borrowed)
{
	size_t colon = ww_slice_find(line, 0, ':');
	struct ww_slice name = ww_slice_sub(line, 0, colon);
	struct ww_slice value = ww_slice_sub(line, colon + 1, line.n);

	/* "If value starts with a U+0020 SPACE character, remove it": one, not more. */
	if (value.n > 0 && value.p[0] == ' ')
		value = ww_slice_sub(value, 1, value.n);
	if (ww_slice_eq_str(name, "data"))
		add_data(s, value, borrowed);
	else if (ww_slice_eq_str(name, "event"))
		set(s, &s->type, value);
	else if (ww_slice_eq_str(name, "id") && ww_slice_find(value, 0, '\0') == value.n)
		set(s, &s->id, value);
	/* retry, comments and unknown fields say nothing about the content. */
}

static void forget_event(struct ww_sse *s)
{
	ww_buf_clear(&s->data);
	ww_buf_clear(&s->type);
	s->has_data = s->has_one = s->over = s->given = false;
}

/* An empty line. True: there is an event to hand out. */
static bool dispatch(struct ww_sse *s, struct ww_sse_event *ret_event)
{
	if (s->over)
		s->lost++;
	if (s->over || !s->has_data) {
		forget_event(s);
		return false;
	}
	ret_event->type = ww_buf_slice(&s->type);
	ret_event->data = s->has_one ? s->one : ww_buf_slice(&s->data);
	ret_event->id = ww_buf_slice(&s->id);
	s->given = true;
	return true;
}

/* A whole line without its end. True: it ended an event. */
static bool take_line(struct ww_sse *s, struct ww_slice line, struct ww_sse_event *ret_event)
{
	bool event = false;

	if (s->over_line) {
		s->over_line = false;
		s->over = true;
	} else if (s->line.n > 0) {
		if (!add(s, &s->line, line.p, line.n))
			s->over = true;
		else
			take_field(s, ww_buf_slice(&s->line), false);
	} else if (line.n == 0) {
		event = dispatch(s, ret_event);
	} else if (line.n > s->line.max) {
		s->over = true;
	} else {
		take_field(s, line, true);
	}
	ww_buf_clear(&s->line);
	return event;
}

/* Bytes before and after the BOM differ only by three; it may come in pieces. */
static void skip_bom(struct ww_sse *s, struct ww_slice *in)
{
	static const uint8_t bom[] = {0xef, 0xbb, 0xbf};

	while (!s->started && in->n > 0) {
		if (in->p[0] != bom[s->line.n]) {
			s->started = true;
		} else if (s->line.n == 2) {
			s->started = true;
			ww_buf_clear(&s->line);
			*in = ww_slice_sub(*in, 1, in->n);
		} else {
			if (!add(s, &s->line, in->p, 1))
				s->started = s->over_line = true;
			*in = ww_slice_sub(*in, 1, in->n);
		}
	}
}

static size_t line_end(struct ww_slice in)
{
	const uint8_t *lf = memchr(in.p, '\n', in.n);
	size_t n = lf ? (size_t)(lf - in.p) : in.n;

	return ww_slice_find(ww_slice_sub(in, 0, n), 0, '\r');
}

enum ww_parse ww_sse_next(struct ww_sse *s, struct ww_slice *in, struct ww_sse_event *ret_event)
{
	if (s->given)
		forget_event(s);
	skip_bom(s, in);
	while (in->n > 0) {
		struct ww_slice line;
		size_t n;

		if (s->after_cr) {
			s->after_cr = false;
			if (in->p[0] == '\n') {
				*in = ww_slice_sub(*in, 1, in->n);
				continue;
			}
		}
		n = line_end(*in);
		line = ww_slice_sub(*in, 0, n);
		if (n == in->n) { /* the line goes on in the next input */
			if (!s->over_line && !add(s, &s->line, line.p, line.n))
				s->over_line = true;
			*in = WW_SLICE_NULL;
			break;
		}
		s->after_cr = in->p[n] == '\r';
		*in = ww_slice_sub(*in, n + 1, in->n);
		if (take_line(s, line, ret_event))
			return WW_PARSE_DONE;
	}
	own_the_borrowed_line(s);
	return WW_PARSE_MORE;
}

bool ww_sse_pending(const struct ww_sse *s)
{
	return !s->given && (s->line.n > 0 || s->over_line || s->has_data || s->over);
}
