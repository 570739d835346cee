/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_write.h"

#include "base/encode.h"
#include "base/utf8.h"

#include <endian.h>
#include <errno.h>

#define SAFE_INTEGER_MAX ((1ull << 53) - 1) /* RFC 7493 section 2.2 */

void ww_jsonw_init(struct ww_jsonw *w, struct ww_buf *out)
{
	*w = (struct ww_jsonw){.out = out};
}

/* Room for n bytes, to be counted by the caller; NULL: the error stays. */
static inline char *room(struct ww_jsonw *w, size_t n)
{
	uint8_t *p;

	if (w->err == 0)
		w->err = ww_buf_reserve(w->out, n, &p);
	return w->err == 0 ? (char *)p : NULL;
}

static inline void add(struct ww_jsonw *w, const void *p, size_t n)
{
	char *to = room(w, n);

	if (!to || n == 0)
		return;
	memcpy(to, p, n);
	w->out->n += n;
}

static void add_cstr(struct ww_jsonw *w, const char *s)
{
	add(w, s, strlen(s));
}

/* The byte at *at, which is not plain ASCII, escaped or replaced; moves *at over it. */
static void add_special(struct ww_jsonw *w, struct ww_slice s, size_t *at)
{
	static const char short_for[] = {['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r',
					 ['\t'] = 't', ['"'] = '"',  ['\\'] = '\\'};
	uint8_t c = s.p[*at];
	size_t n = 1;

	if (c >= 0x80) {
		if (ww_utf8_next(s, *at, &n) == WW_PARSE_DONE)
			add(w, s.p + *at, n);
		else
			add_cstr(w, WW_UTF8_REPLACEMENT);
	} else if (short_for[c]) {
		add(w, (const char[]){'\\', short_for[c]}, 2);
	} else {
		char text[8];

		(void)snprintf(text, sizeof(text), "\\u%04x", c);
		add_cstr(w, text);
	}
	*at += n;
}

static void add_quoted(struct ww_jsonw *w, struct ww_slice s)
{
	add(w, "\"", 1);
	for (size_t at = 0; at < s.n && w->err == 0;) {
		size_t end = ww_utf8_plain(s, at);

		add(w, s.p + at, end - at);
		at = end;
		if (at < s.n)
			add_special(w, s, &at);
	}
	add(w, "\"", 1);
}

/* Text without anything to escape, in quotes; there is room for text.n + 2 bytes. */
static inline char *put_quoted(char *to, struct ww_slice text)
{
	*to++ = '"';
	if (text.n > 0)
		memcpy(to, text.p, text.n);
	to += text.n;
	*to++ = '"';
	return to;
}

/* Counts what was written up to `to`. */
static inline void finish(struct ww_jsonw *w, const char *to)
{
	w->out->n = (size_t)((const uint8_t *)to - w->out->p);
}

/*
 * What stands before every value: the comma after the previous one, and the key. Returns where the
 * value goes, with room for n bytes of it. NULL: an error, or n is 0.
 */
static char *begin(struct ww_jsonw *w, struct ww_jsonw_name name, size_t n)
{
	struct ww_slice k = ww_slice(name.p, name.n);
	bool plain = name.word || ww_utf8_plain(k, 0) == k.n, comma = w->comma;
	char *to = room(w, comma + (k.p && plain ? k.n + 3 : 0) + n);

	w->comma = true;
	if (!to)
		return NULL;
	if (comma)
		*to++ = ',';
	if (k.p && plain) {
		to = put_quoted(to, k);
		*to++ = ':';
	}
	finish(w, to);
	if (!plain) {
		add_quoted(w, k);
		add(w, ":", 1);
		to = room(w, n);
	}
	return n > 0 ? to : NULL;
}

/* The whole value as it is to stand there. */
static void put(struct ww_jsonw *w, struct ww_jsonw_name name, const void *text, size_t n)
{
	char *to = begin(w, name, n);

	if (!to)
		return;
	memcpy(to, text, n);
	finish(w, to + n);
}

static void open_container(struct ww_jsonw *w, struct ww_jsonw_name name, const char *bracket)
{
	if (w->err == 0 && w->depth >= WW_JSONW_DEPTH_MAX)
		w->err = -E2BIG;
	put(w, name, bracket, 1);
	w->depth++;
	w->comma = false;
}

static void close_container(struct ww_jsonw *w, const char *bracket)
{
	if (w->err == 0 && w->depth == 0)
		w->err = -EINVAL;
	add(w, bracket, 1);
	if (w->depth > 0)
		w->depth--;
	w->comma = true;
}

void ww_jsonw_put_object(struct ww_jsonw *w, struct ww_jsonw_name name)
{
	open_container(w, name, "{");
}

void ww_jsonw_put_array(struct ww_jsonw *w, struct ww_jsonw_name name)
{
	open_container(w, name, "[");
}

void ww_jsonw_end_object(struct ww_jsonw *w)
{
	close_container(w, "}");
}

void ww_jsonw_end_array(struct ww_jsonw *w)
{
	close_container(w, "]");
}

void ww_jsonw_put_str(struct ww_jsonw *w, struct ww_jsonw_name name, struct ww_slice value)
{
	char *to;

	if (ww_utf8_plain(value, 0) < value.n) {
		(void)begin(w, name, 0);
		add_quoted(w, value);
		return;
	}
	to = begin(w, name, value.n + 2);
	if (to)
		finish(w, put_quoted(to, value));
}

void ww_jsonw_put_cstr(struct ww_jsonw *w, struct ww_jsonw_name name, const char *value)
{
	if (value)
		ww_jsonw_put_str(w, name, ww_slice_str(value));
	else
		ww_jsonw_put_null(w, name);
}

#define DIGITS_MAX 20

/* The last characters of text[DIGITS_MAX]: v in decimal. Returns where they begin. */
static size_t decimal(uint64_t v, char text[DIGITS_MAX])
{
	size_t at = DIGITS_MAX;

	do {
		text[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	return at;
}

void ww_jsonw_put_u64(struct ww_jsonw *w, struct ww_jsonw_name name, uint64_t value)
{
	char text[DIGITS_MAX];
	size_t at = decimal(value, text);

	if (value > SAFE_INTEGER_MAX)
		ww_jsonw_put_str(w, name, ww_slice(text + at, DIGITS_MAX - at));
	else
		put(w, name, text + at, DIGITS_MAX - at);
}

void ww_jsonw_put_i64(struct ww_jsonw *w, struct ww_jsonw_name name, int64_t value)
{
	char text[1 + DIGITS_MAX];
	size_t at = decimal(value < 0 ? 0 - (uint64_t)value : (uint64_t)value, text + 1);

	text[at] = '-';
	at += value >= 0;
	put(w, name, text + at, sizeof(text) - at);
}

void ww_jsonw_put_bool(struct ww_jsonw *w, struct ww_jsonw_name name, bool value)
{
	put(w, name, value ? "true" : "false", value ? 4 : 5);
}

void ww_jsonw_put_null(struct ww_jsonw *w, struct ww_jsonw_name name)
{
	put(w, name, "null", 4);
}

void ww_jsonw_put_hex(struct ww_jsonw *w, struct ww_jsonw_name name, struct ww_slice bytes)
{
	char *to = begin(w, name, 2 * bytes.n + 2);

	if (!to)
		return;
	*to++ = '"';
	ww_hex_encode(bytes, to); /* its NUL stands where the quote goes */
	to += 2 * bytes.n;
	*to++ = '"';
	finish(w, to);
}

void ww_jsonw_put_id64(struct ww_jsonw *w, struct ww_jsonw_name name, uint64_t id)
{
	uint64_t big_endian = htobe64(id);

	ww_jsonw_put_hex(w, name, ww_slice(&big_endian, sizeof(big_endian)));
}

void ww_jsonw_put_raw(struct ww_jsonw *w, struct ww_jsonw_name name, struct ww_slice json)
{
	if (json.n > 0)
		put(w, name, json.p, json.n);
	else
		(void)begin(w, name, 0);
}
