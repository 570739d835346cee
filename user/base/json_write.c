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

/* What stands before every value: the comma after the previous one, and the key. */
static void begin(struct ww_jsonw *w, const char *key)
{
	struct ww_slice k;

	if (w->comma)
		add(w, ",", 1);
	w->comma = true;
	if (!key)
		return;
	k = ww_slice_str(key);
	if (ww_utf8_plain(k, 0) == k.n) {
		char *to = room(w, k.n + 3);

		if (!to)
			return;
		*to = '"';
		memcpy(to + 1, k.p, k.n);
		memcpy(to + 1 + k.n, "\":", 2);
		w->out->n += k.n + 3;
	} else {
		add_quoted(w, k);
		add(w, ":", 1);
	}
}

static void open_container(struct ww_jsonw *w, const char *key, const char *bracket)
{
	if (w->err == 0 && w->depth >= WW_JSONW_DEPTH_MAX)
		w->err = -E2BIG;
	begin(w, key);
	add(w, bracket, 1);
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

void ww_jsonw_object(struct ww_jsonw *w, const char *key)
{
	open_container(w, key, "{");
}

void ww_jsonw_array(struct ww_jsonw *w, const char *key)
{
	open_container(w, key, "[");
}

void ww_jsonw_end_object(struct ww_jsonw *w)
{
	close_container(w, "}");
}

void ww_jsonw_end_array(struct ww_jsonw *w)
{
	close_container(w, "]");
}

void ww_jsonw_str(struct ww_jsonw *w, const char *key, struct ww_slice value)
{
	begin(w, key);
	add_quoted(w, value);
}

void ww_jsonw_cstr(struct ww_jsonw *w, const char *key, const char *value)
{
	if (value)
		ww_jsonw_str(w, key, ww_slice_str(value));
	else
		ww_jsonw_null(w, key);
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

void ww_jsonw_u64(struct ww_jsonw *w, const char *key, uint64_t value)
{
	char text[DIGITS_MAX];
	size_t at = decimal(value, text);
	bool quoted = value > SAFE_INTEGER_MAX;

	begin(w, key);
	if (quoted)
		add(w, "\"", 1);
	add(w, text + at, DIGITS_MAX - at);
	if (quoted)
		add(w, "\"", 1);
}

void ww_jsonw_i64(struct ww_jsonw *w, const char *key, int64_t value)
{
	char text[DIGITS_MAX];
	size_t at = decimal(value < 0 ? 0 - (uint64_t)value : (uint64_t)value, text);

	begin(w, key);
	if (value < 0)
		add(w, "-", 1);
	add(w, text + at, DIGITS_MAX - at);
}

void ww_jsonw_bool(struct ww_jsonw *w, const char *key, bool value)
{
	begin(w, key);
	add_cstr(w, value ? "true" : "false");
}

void ww_jsonw_null(struct ww_jsonw *w, const char *key)
{
	begin(w, key);
	add_cstr(w, "null");
}

void ww_jsonw_hex(struct ww_jsonw *w, const char *key, struct ww_slice bytes)
{
	char *to;

	begin(w, key);
	add(w, "\"", 1);
	to = room(w, 2 * bytes.n + 1); /* with the NUL */
	if (!to)
		return;
	ww_hex_encode(bytes, to);
	w->out->n += 2 * bytes.n;
	add(w, "\"", 1);
}

void ww_jsonw_id64(struct ww_jsonw *w, const char *key, uint64_t id)
{
	uint64_t big_endian = htobe64(id);

	ww_jsonw_hex(w, key, ww_slice(&big_endian, sizeof(big_endian)));
}

void ww_jsonw_raw(struct ww_jsonw *w, const char *key, struct ww_slice json)
{
	begin(w, key);
	add(w, json.p, json.n);
}
