/* SPDX-License-Identifier: Apache-2.0 */
/* Invariant: the result does not depend on how the input was split. */
#include "proto/aws_stream.h"

#include <errno.h>
#include <zlib.h>

#include <wirewitness/limits.h>

#include "base/cursor.h"

#define PRELUDE_BYTES  12u
#define OVERHEAD_BYTES 16u

void ww_aws_stream_init(struct ww_aws_stream *s, size_t bytes_max)
{
	*s = (struct ww_aws_stream){0};
	ww_buf_init(&s->part, bytes_max);
}

void ww_aws_stream_done(struct ww_aws_stream *s)
{
	ww_buf_wipe(&s->part);
}

/* The first n bytes of the message under way; empty: they are not all there. */
static struct ww_slice front(struct ww_aws_stream *s, struct ww_slice *in, size_t n)
{
	size_t more = n - s->part.n;

	if (s->part.n == 0 && in->n >= n)
		return ww_slice_sub(*in, 0, n);
	if (s->part.n < n) {
		more = more < in->n ? more : in->n;
		if (ww_buf_add(&s->part, in->p, more) < 0) {
			s->broken = s->no_memory = true;
			return WW_SLICE_NULL;
		}
		*in = ww_slice_sub(*in, more, in->n);
	}
	return s->part.n >= n ? ww_slice(s->part.p, n) : WW_SLICE_NULL;
}

/* So many bytes at the front are done with. */
static void pass(struct ww_aws_stream *s, struct ww_slice *in, size_t n)
{
	if (s->part.n > 0)
		ww_buf_clear(&s->part);
	else
		*in = ww_slice_sub(*in, n, in->n);
}

static uint32_t crc_of(struct ww_slice bytes)
{
	return (uint32_t)crc32_z(0, bytes.p, bytes.n);
}

/* The message's length, 0: malformed. */
static uint32_t total_of(struct ww_slice prelude)
{
	struct ww_cursor c = ww_cursor(prelude);
	uint32_t total = ww_cursor_be32(&c), headers = ww_cursor_be32(&c);

	if (ww_cursor_be32(&c) != crc_of(ww_slice_sub(prelude, 0, 8)) || total < OVERHEAD_BYTES ||
	    headers > total - OVERHEAD_BYTES)
		return 0;
	return total;
}

/* The value of one header, of which only strings are of interest. */
static struct ww_slice take_value(struct ww_cursor *c, bool *ret_string)
{
	static const uint8_t bytes[] = {0, 0, 1, 2, 4, 8, 0, 0, 8, 16};
	uint8_t type = ww_cursor_u8(c);

	*ret_string = type == 7;
	if (type >= sizeof(bytes))
		return ww_cursor_take(c, SIZE_MAX); /* more than there is: an error that sticks */
	return ww_cursor_take(c, type == 6 || type == 7 ? ww_cursor_be16(c) : bytes[type]);
}

/* Where the value belongs; NULL: nowhere. */
static struct ww_slice *member_of(struct ww_aws_event *e, struct ww_slice name)
{
	if (ww_slice_eq_str(name, ":message-type"))
		return &e->message_type;
	if (ww_slice_eq_str(name, ":event-type"))
		return &e->event_type;
	if (ww_slice_eq_str(name, ":exception-type"))
		return &e->exception_type;
	return ww_slice_eq_str(name, ":error-code") ? &e->error_code : NULL;
}

static bool take_headers(struct ww_slice headers, struct ww_aws_event *e)
{
	struct ww_cursor c = ww_cursor(headers);

	while (ww_cursor_ok(&c) && ww_cursor_left(&c) > 0) {
		struct ww_slice name = ww_cursor_take(&c, ww_cursor_u8(&c)), value, *to;
		bool string;

		value = take_value(&c, &string);
		to = string ? member_of(e, name) : NULL;
		if (to)
			*to = value; /* of two the last, as the official decoder has it */
		e->headers++;
	}
	return ww_cursor_ok(&c);
}

static bool take_message(struct ww_slice m, struct ww_aws_event *ret_event)
{
	struct ww_cursor c = ww_cursor(ww_slice_sub(m, 4, 4)),
			 end = ww_cursor(ww_slice_sub(m, m.n - 4, 4));
	uint32_t headers = ww_cursor_be32(&c);
	struct ww_aws_event e = {0};

	if (ww_cursor_be32(&end) != crc_of(ww_slice_sub(m, 0, m.n - 4)) ||
	    !take_headers(ww_slice_sub(m, PRELUDE_BYTES, headers), &e))
		return false;
	e.payload = ww_slice_sub(m, PRELUDE_BYTES + headers, m.n - OVERHEAD_BYTES - headers);
	*ret_event = e;
	return true;
}

static void skip(struct ww_aws_stream *s, struct ww_slice *in)
{
	size_t n = s->skip < in->n ? (size_t)s->skip : in->n;

	*in = ww_slice_sub(*in, n, in->n);
	s->skip -= n;
}

enum ww_parse ww_aws_stream_next(struct ww_aws_stream *s, struct ww_slice *in,
				 struct ww_aws_event *ret_event)
{
	if (s->given)
		ww_buf_clear(&s->part);
	s->given = false;
	while (!s->broken) {
		struct ww_slice m;
		uint32_t total;

		skip(s, in);
		if (in->n == 0)
			return WW_PARSE_MORE;
		m = front(s, in, PRELUDE_BYTES);
		if (m.n == 0)
			continue;
		total = total_of(m);
		if (total > s->part.max) {
			s->lost++;
			s->skip = total - (s->part.n ? s->part.n : PRELUDE_BYTES);
			pass(s, in, PRELUDE_BYTES);
			continue;
		}
		m = total ? front(s, in, total) : WW_SLICE_NULL;
		if (m.n > 0 && take_message(m, ret_event)) {
			s->given = s->part.n > 0;
			if (!s->given)
				pass(s, in, total);
			return WW_PARSE_DONE;
		}
		s->broken |= total == 0 || m.n > 0;
	}
	return WW_PARSE_BAD;
}

bool ww_aws_stream_pending(const struct ww_aws_stream *s)
{
	return s->skip > 0 || (s->part.n > 0 && !s->given);
}

bool ww_aws_stream_is(const char *content_type)
{
	static const char type[] = "application/vnd.amazon.eventstream";
	char end;

	if (strncasecmp(content_type, type, sizeof(type) - 1) != 0)
		return false;
	end = content_type[sizeof(type) - 1];
	return end == '\0' || end == ';' || end == ' ';
}

/* A name of the interface, as such: a text that is none stays out of records. */
static void take_name(struct ww_slice name, char *out, size_t cap)
{
	static const char word[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

	if (name.n == 0 || name.n >= cap)
		return;
	for (size_t i = 0; i < name.n; i++)
		if (!memchr(word, name.p[i], sizeof(word) - 1))
			return;
	memcpy(out, name.p, name.n);
}

bool ww_aws_stream_read(const struct ww_body *body, struct ww_event_facts *ret_facts)
{
	struct ww_event_facts f = {.present = true};
	struct ww_slice in = body->data;
	struct ww_aws_stream s;
	struct ww_aws_event e;
	enum ww_parse r;

	ww_aws_stream_init(&s, WW_SSE_LINE_BYTES_MAX);
	while ((r = ww_aws_stream_next(&s, &in, &e)) == WW_PARSE_DONE) {
		bool error = ww_slice_eq_str(e.message_type, "error");

		f.count++;
		if (!error && !ww_slice_eq_str(e.message_type, "exception"))
			continue;
		if (f.failures++ == 0)
			take_name(error ? e.error_code : e.exception_type, f.failure,
				  sizeof(f.failure));
	}
	f.whole = body->whole && r == WW_PARSE_MORE && s.lost == 0 && !ww_aws_stream_pending(&s);
	*ret_facts = f;
	ww_aws_stream_done(&s);
	return r != WW_PARSE_BAD || s.no_memory;
}
