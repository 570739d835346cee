/* SPDX-License-Identifier: Apache-2.0 */
#include "action/symbols.h"

#include "base/encode.h"
#include "base/utf8.h"

#define SPECIAL 1 /* begins an escape, or a character that may be left out */

/* 0: left out. */
#define SAME8(b)  b, b + 1, b + 2, b + 3, b + 4, b + 5, b + 6, b + 7
#define SAME16(b) SAME8(b), SAME8(b + 8)
#define ALPHABET                                                                                  \
	'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', \
		's', 't', 'u', 'v', 'w', 'x', 'y', 'z'

/* clang-format off */
static const uint8_t symbol_of[256] = {
	['%'] = SPECIAL, ['\\'] = SPECIAL,
	['0'] = SAME8('0'), '8', '9',
	['A'] = ALPHABET,
	['a'] = ALPHABET,
	[0x80] = SAME16(0x80), SAME16(0x90), SAME16(0xa0), SAME16(0xb0),
	[0xc2] = SPECIAL,
	[0xe0] = SPECIAL, SPECIAL, SPECIAL, SPECIAL,
	0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xeb, 0xec, 0xed, 0xee, SPECIAL,
	SAME16(0xf0),
};
/* clang-format on */

struct out {
	uint8_t *p;
	size_t n;
};

static void put(struct out *o, uint8_t symbol)
{
	o->p[o->n++] = symbol;
}

/* The byte that stands at an offset, and how much of the text it takes; 0: none is there. */
static uint8_t byte_at(const struct ww_symbols *s, size_t at, size_t *ret_n)
{
	size_t end = at + 1;
	uint8_t c;

	if (at >= s->in.n) {
		*ret_n = 0;
		return 0;
	}
	c = s->in.p[at];
	if (c == '%') {
		while (s->in.n - end >= 2 && s->in.p[end] == '2' && s->in.p[end + 1] == '5')
			end += 2;
		if (ww_hex_decode(ww_slice_sub(s->in, end, 2), &c, 1) == 0)
			end += 2;
	}
	*ret_n = end - at;
	return c;
}

/* Whether a character of two or three bytes is one that is left out. */
static bool is_left_out(uint8_t first, uint8_t second, uint8_t third)
{
	if (first == 0xc2)
		return true;
	if (first == 0xe2)
		return second == 0x80 || (second == 0x81 && third < 0xb0);
	if (first == 0xe3)
		return second == 0x80;
	return first == 0xef &&
	       ((second == 0xbb && third == 0xbf) || (second == 0xbf && third == 0xbd));
}

static bool is_continuation(uint8_t c)
{
	return (c & 0xc0) == 0x80;
}

/* Of alphabets one symbol for a letter: the last byte. See symbols.h. */
static size_t lead_bytes(uint8_t first)
{
	if (first < 0xc0)
		return 0;
	if (first < 0xe0)
		return 1;
	if (first < 0xe2)
		return 2;
	return first == 0xe3;
}

/* A byte that does not stand for itself, or the begin of a character that may be left out. */
static void put_byte(struct ww_symbols *s, uint8_t c, struct out *o)
{
	size_t n2, n3 = 0;
	uint8_t c2, c3 = 0x80;

	if (symbol_of[c] > SPECIAL)
		put(o, symbol_of[c]);
	if (symbol_of[c] != SPECIAL || c < 0x80)
		return;
	c2 = byte_at(s, s->at, &n2);
	if (c != 0xc2)
		c3 = byte_at(s, s->at + n2, &n3);
	if (is_continuation(c2) && is_continuation(c3)) {
		if (is_left_out(c, c2, c3)) {
			s->at += n2 + n3;
			return;
		}
		if (lead_bytes(c) == 2)
			s->at += n2;
	}
	if (lead_bytes(c) == 0)
		put(o, c);
}

/* u and four hexadecimal digits at an offset, and how much of the text they take. */
static bool unit_at(const struct ww_symbols *s, size_t at, uint32_t *ret_unit, size_t *ret_n)
{
	size_t begin = at, n;
	uint8_t b[2], c[5];

	for (unsigned i = 0; i < sizeof(c); i++, at += n)
		c[i] = byte_at(s, at, &n);
	if (c[0] != 'u' || ww_hex_decode(ww_slice(c + 1, 4), b, 2) < 0)
		return false;
	*ret_unit = (uint32_t)b[0] << 8 | b[1];
	*ret_n = at - begin;
	return true;
}

static size_t skip_backslashes(const struct ww_symbols *s, size_t at)
{
	size_t n;

	while (byte_at(s, at, &n) == '\\')
		at += n;
	return at;
}

/* The second half of a surrogate pair, with its escape. */
static bool low_surrogate(struct ww_symbols *s, uint32_t *code)
{
	size_t at = skip_backslashes(s, s->at), n;
	uint32_t low;

	if (at == s->at || !unit_at(s, at, &low, &n) || low < 0xdc00 || low > 0xdfff)
		return false;
	*code = 0x10000 + ((*code - 0xd800) << 10) + (low - 0xdc00);
	s->at = at + n;
	return true;
}

static void put_code(struct ww_symbols *s, uint32_t code, struct out *o)
{
	uint8_t b[4] = {0};
	size_t n;

	if (code >= 0xd800 && code <= 0xdbff && !low_surrogate(s, &code))
		return;
	if (code >= 0xdc00 && code <= 0xdfff)
		return;
	n = ww_utf8_put(code, b);
	if (n == 1) {
		if (symbol_of[b[0]] > SPECIAL)
			put(o, symbol_of[b[0]]);
		return;
	}
	if ((n == 2 || n == 3) && is_left_out(b[0], b[1], b[2]))
		return;
	for (size_t i = lead_bytes(b[0]); i < n; i++)
		put(o, b[i]);
}

/* Behind backslashes. */
static void put_escape(struct ww_symbols *s, struct out *o)
{
	uint32_t code;
	size_t n;

	for (;;) {
		switch (byte_at(s, s->at, &n)) {
		case 'n':
		case 'r':
		case 't':
		case 'b':
		case 'f':
			s->at += n;
			return;
		case 'u':
			if (!unit_at(s, s->at, &code, &n))
				return;
			s->at += n;
			if (code != '\\') {
				put_code(s, code, o);
				return;
			}
			s->at = skip_backslashes(s, s->at);
			continue; /* a backslash that was written so */
		default:
			return;
		}
	}
}

static void put_special(struct ww_symbols *s, struct out *o)
{
	size_t n;
	uint8_t c = byte_at(s, s->at, &n);

	s->percent |= n > 1;
	s->at += n;
	if (c != '\\') {
		put_byte(s, c, o);
		return;
	}
	s->at = skip_backslashes(s, s->at);
	put_escape(s, o);
}

size_t ww_symbols_next(struct ww_symbols *s, uint8_t *out, size_t room)
{
	struct out o = {.p = out};

	while (s->at < s->in.n && room - o.n >= WW_SYMBOLS_ROOM) {
		const uint8_t *p = s->in.p + s->at;
		size_t n = s->in.n - s->at, i = 0, k = o.n;

		if (n > room - o.n)
			n = room - o.n;
		for (; i < n && symbol_of[p[i]] != SPECIAL; i++) {
			out[k] = symbol_of[p[i]];
			k += symbol_of[p[i]] != 0;
		}
		s->at += i;
		o.n = k;
		if (i < n && room - o.n >= WW_SYMBOLS_ROOM)
			put_special(s, &o);
	}
	return o.n;
}
