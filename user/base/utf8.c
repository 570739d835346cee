/* SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum ww_parse ww_utf8_next(struct ww_slice in, size_t at, size_t *ret_n)
{
	const uint8_t *p = in.p + at;
	size_t left = in.n - at, want;
	uint8_t low = 0x80, high = 0xbf; /* of the second byte: RFC 3629 section 4 */

	*ret_n = 1;
	if (p[0] < 0x80)
		return WW_PARSE_DONE;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return WW_PARSE_BAD;
	want = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	for (size_t i = 1; i < want; i++) {
		*ret_n = i;
		if (i == left)
			return WW_PARSE_MORE;
		if (p[i] < low || p[i] > high)
			return WW_PARSE_BAD;
		low = 0x80;
		high = 0xbf;
	}
	*ret_n = want;
	return WW_PARSE_DONE;
}

size_t ww_utf8_put(uint32_t code, uint8_t out[4])
{
	if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		code = 0xfffd;
	if (code < 0x80) {
		out[0] = (uint8_t)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (uint8_t)(0xc0 | code >> 6);
		out[1] = (uint8_t)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (uint8_t)(0xe0 | code >> 12);
		out[1] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
		out[2] = (uint8_t)(0x80 | (code & 0x3f));
		return 3;
	}
	out[0] = (uint8_t)(0xf0 | code >> 18);
	out[1] = (uint8_t)(0x80 | (code >> 12 & 0x3f));
	out[2] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
	out[3] = (uint8_t)(0x80 | (code & 0x3f));
	return 4;
}

static inline bool plain(uint8_t c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

#ifdef __SSE2__
/* A bit for each byte that is not plain. */
static inline unsigned not_plain(__m128i x)
{
	const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\');
	/* Signed: bytes above 0x7f are negative, so one comparison finds them and controls. */
	__m128i hit =
		_mm_or_si128(_mm_cmplt_epi8(x, _mm_set1_epi8(0x20)),
			     _mm_or_si128(_mm_cmpeq_epi8(x, quote), _mm_cmpeq_epi8(x, slash)));

	return (unsigned)_mm_movemask_epi8(hit);
}

/* Steps over 16 plain bytes at a time, then over 8, as most texts are short; stops at the first
 * other byte, or near the end. */
static inline size_t plain_blocks(struct ww_slice in, size_t at)
{
	unsigned mask;

	for (; in.n - at >= 16; at += 16) {
		mask = not_plain(_mm_loadu_si128((const __m128i *)(const void *)(in.p + at)));
		if (mask)
			return at + (size_t)__builtin_ctz(mask);
	}
	if (in.n - at < 8)
		return at;
	mask = not_plain(_mm_loadl_epi64((const __m128i *)(const void *)(in.p + at))) & 0xff;
	return at + (mask ? (size_t)__builtin_ctz(mask) : 8);
}
#else
/* 0x80 in the lowest zero byte of x (bytes above it may be marked falsely). */
static inline uint64_t zero_byte(uint64_t x)
{
	return (x - 0x0101010101010101ull) & ~x & 0x8080808080808080ull;
}

static inline size_t plain_blocks(struct ww_slice in, size_t at)
{
	const uint64_t ones = 0x0101010101010101ull, tops = 0x8080808080808080ull;

	for (; in.n - at >= 8; at += 8) {
		uint64_t x;

		memcpy(&x, in.p + at, sizeof(x));
		if ((x & tops) || ((x - ones * 0x20) & ~x & tops) || zero_byte(x ^ ones * '"') ||
		    zero_byte(x ^ ones * '\\'))
			return at;
	}
	return at;
}
#endif

size_t ww_utf8_plain(struct ww_slice in, size_t at)
{
	if (at >= in.n)
		return in.n;
	at = plain_blocks(in, at);
	while (at < in.n && plain(in.p[at]))
		at++;
	return at;
}
