/* SPDX-License-Identifier: Apache-2.0 */
#include "out/printable.h"

#include <stdio.h>

#include <wirewitness/limits.h>

#include "base/utf8.h"

/* The code point of a valid character. */
static uint32_t decode(const uint8_t *p, size_t n)
{
	uint32_t code = n == 1 ? p[0] : p[0] & (0x7fu >> n);

	for (size_t i = 1; i < n; i++)
		code = code << 6 | (p[i] & 0x3f);
	return code;
}

/* Whether a terminal would do something else with it than show it where it stands. */
static bool acts(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0x061c ||
	       (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
	       (code >= 0x2060 && code <= 0x206f) || code == 0xfeff || code >= 0xe0000;
}

static int add_code(struct ww_buf *out, uint32_t code)
{
	char text[16];
	int n = snprintf(text, sizeof(text), code < 0x80 ? "\\x%02x" : "\\u{%04x}", code);

	return ww_buf_add(out, text, (size_t)n);
}

/* JSON has escapes for 16 bits; further characters are a pair of them (RFC 8259 section 7). */
static int add_json_code(struct ww_buf *out, uint32_t code)
{
	char text[16];
	int n;

	if (code == '\n')
		return ww_buf_add(out, "\n", 1);
	if (code == '\t' || code == '\r')
		return ww_buf_add(out, " ", 1);
	if (code < 0x10000)
		n = snprintf(text, sizeof(text), "\\u%04x", code);
	else
		n = snprintf(text, sizeof(text), "\\u%04x\\u%04x",
			     0xd800 + ((code - 0x10000) >> 10), 0xdc00 + (code & 0x3ff));
	return ww_buf_add(out, text, (size_t)n);
}

static int add(struct ww_buf *out, struct ww_slice text,
	       int (*add_acting)(struct ww_buf *out, uint32_t code))
{
	size_t from = 0, at = 0;
	int r = 0;

	while (r == 0 && at < text.n) {
		size_t n = 1;
		enum ww_parse ok = WW_PARSE_DONE;
		uint32_t code = text.p[at];

		if (code >= 0x80) {
			ok = ww_utf8_next(text, at, &n);
			code = ok == WW_PARSE_DONE ? decode(text.p + at, n) : 0;
		}
		if (ok == WW_PARSE_DONE && !acts(code)) {
			at += n;
			continue;
		}
		r = ww_buf_add(out, text.p + from, at - from);
		if (r == 0)
			r = ok == WW_PARSE_DONE ? add_acting(out, code)
						: ww_buf_add(out, WW_UTF8_REPLACEMENT, 3);
		at += n;
		from = at;
	}
	return r == 0 ? ww_buf_add(out, text.p + from, text.n - from) : r;
}

int ww_printable_add(struct ww_buf *out, struct ww_slice text)
{
	return add(out, text, add_code);
}

int ww_printable_json(struct ww_buf *out, struct ww_slice json)
{
	return add(out, json, add_json_code);
}

int ww_printable_value(struct ww_buf *out, const struct ww_json_token *value)
{
	WW_AUTO_BUF struct ww_buf decoded;
	int r;

	ww_buf_init(&decoded, WW_RECORD_BYTES_MAX);
	if (!value->raw.p)
		return 0;
	if (!value->escaped)
		return ww_printable_add(out, value->raw);
	r = ww_json_unescape(value, &decoded);
	return r == 0 ? ww_printable_add(out, ww_buf_slice(&decoded)) : r;
}

size_t ww_printable_columns(struct ww_slice text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++)
		n += (text.p[i] & 0xc0) != 0x80;
	return n;
}

struct ww_slice ww_printable_cut(struct ww_slice text, size_t columns)
{
	size_t i = 0;

	for (; i < text.n; i++) {
		if ((text.p[i] & 0xc0) != 0x80 && columns-- == 0)
			break;
	}
	text.n = i;
	return text;
}
