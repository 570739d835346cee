/* SPDX-License-Identifier: Apache-2.0 */
#include "base/encode.h"

#include <errno.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

static const char hex_digits[] = "0123456789abcdef";

void ww_hex_encode(struct ww_slice in, char *out)
{
	for (size_t i = 0; i < in.n; i++) {
		*out++ = hex_digits[in.p[i] >> 4];
		*out++ = hex_digits[in.p[i] & 15];
	}
	*out = '\0';
}

char *ww_put_text(char *out, const char *text)
{
	size_t n = strlen(text);

	memcpy(out, text, n + 1);
	return out + n;
}

char *ww_put_dec(char *out, uint64_t v)
{
	size_t digits = 1;

	for (uint64_t rest = v; rest >= 10; rest /= 10)
		digits++;
	out += digits;
	*out = '\0';
	for (char *at = out; digits > 0; digits--, v /= 10)
		*--at = (char)('0' + v % 10);
	return out;
}

char *ww_put_hex(char *out, uint64_t v)
{
	size_t digits = v ? (size_t)(67 - __builtin_clzll(v)) / 4 : 1;

	out += digits;
	*out = '\0';
	for (char *at = out; digits > 0; digits--, v >>= 4)
		*--at = hex_digits[v & 15];
	return out;
}

/* 0..15, or -1 when c is not a digit. Without a branch: digits and letters come as they like. */
static int hex_value(uint8_t c)
{
	unsigned decimal = c - (unsigned)'0', letter = (c | 0x20u) - (unsigned)'a';
	int v = letter < 6 ? (int)letter + 10 : -1;

	return decimal < 10 ? (int)decimal : v;
}

int ww_hex_decode(struct ww_slice in, uint8_t *out, size_t ret_n)
{
	int all = 0; /* negative as soon as one is */

	if (in.n % 2 != 0 || in.n / 2 != ret_n)
		return -EINVAL;
	for (size_t i = 0; i < in.n; i++)
		all |= hex_value(in.p[i]);
	if (all < 0)
		return -EINVAL;
	for (size_t i = 0; i < ret_n; i++)
		out[i] = (uint8_t)(hex_value(in.p[2 * i]) << 4 | hex_value(in.p[2 * i + 1]));
	return 0;
}

static const char base64_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void ww_base64_encode(struct ww_slice in, char *out)
{
	for (size_t i = 0; i < in.n; i += 3) {
		size_t left = in.n - i;
		uint32_t v = (uint32_t)in.p[i] << 16;

		if (left > 1)
			v |= (uint32_t)in.p[i + 1] << 8;
		if (left > 2)
			v |= in.p[i + 2];
		*out++ = base64_digits[v >> 18];
		*out++ = base64_digits[v >> 12 & 63];
		*out++ = left > 1 ? base64_digits[v >> 6 & 63] : '=';
		*out++ = left > 2 ? base64_digits[v & 63] : '=';
	}
	*out = '\0';
}

/* A digit's value and one; 0 where c is none. Those of the URL-safe alphabet only are marked. */
#define URL_SAFE 0x80u

static const uint8_t base64_values[256] = {
	['A'] = 1,
	['B'] = 2,
	['C'] = 3,
	['D'] = 4,
	['E'] = 5,
	['F'] = 6,
	['G'] = 7,
	['H'] = 8,
	['I'] = 9,
	['J'] = 10,
	['K'] = 11,
	['L'] = 12,
	['M'] = 13,
	['N'] = 14,
	['O'] = 15,
	['P'] = 16,
	['Q'] = 17,
	['R'] = 18,
	['S'] = 19,
	['T'] = 20,
	['U'] = 21,
	['V'] = 22,
	['W'] = 23,
	['X'] = 24,
	['Y'] = 25,
	['Z'] = 26,
	['a'] = 27,
	['b'] = 28,
	['c'] = 29,
	['d'] = 30,
	['e'] = 31,
	['f'] = 32,
	['g'] = 33,
	['h'] = 34,
	['i'] = 35,
	['j'] = 36,
	['k'] = 37,
	['l'] = 38,
	['m'] = 39,
	['n'] = 40,
	['o'] = 41,
	['p'] = 42,
	['q'] = 43,
	['r'] = 44,
	['s'] = 45,
	['t'] = 46,
	['u'] = 47,
	['v'] = 48,
	['w'] = 49,
	['x'] = 50,
	['y'] = 51,
	['z'] = 52,
	['0'] = 53,
	['1'] = 54,
	['2'] = 55,
	['3'] = 56,
	['4'] = 57,
	['5'] = 58,
	['6'] = 59,
	['7'] = 60,
	['8'] = 61,
	['9'] = 62,
	['+'] = 63,
	['/'] = 64,
	['-'] = 63 | URL_SAFE,
	['_'] = 64 | URL_SAFE,
};

/* The digits of `in` without padding in *ret_digits; 0 or -EINVAL: the length, or unused bits. */
static int base64_shape(struct ww_slice in, size_t *ret_digits)
{
	size_t digits = in.n;
	unsigned last;

	if (in.n % 4 != 0)
		return -EINVAL;
	while (digits > 0 && in.n - digits < 2 && in.p[digits - 1] == '=')
		digits--;
	/* RFC 4648 section 3.5: unused bits zero, or one value has several texts. */
	last = digits ? (base64_values[in.p[digits - 1]] & ~URL_SAFE) - 1 : 0;
	if ((in.n - digits == 1 && (last & 3)) || (in.n - digits == 2 && (last & 15)))
		return -EINVAL;
	*ret_digits = digits;
	return 0;
}

#ifdef __x86_64__
#define AVX2 __attribute__((target("avx2"))) static inline

/* Marks the bytes from lo to hi, which are ASCII; signed, so those above 0x7f are below both. */
AVX2 __m256i between(__m256i x, char lo, char hi)
{
	return _mm256_and_si256(_mm256_cmpgt_epi8(x, _mm256_set1_epi8((char)(lo - 1))),
				_mm256_cmpgt_epi8(_mm256_set1_epi8((char)(hi + 1)), x));
}

AVX2 __m256i either(__m256i x, char a, char b)
{
	return _mm256_or_si256(_mm256_cmpeq_epi8(x, _mm256_set1_epi8(a)),
			       _mm256_cmpeq_epi8(x, _mm256_set1_epi8(b)));
}

/* The values of 32 digits; what is none is marked in *bad. */
AVX2 __m256i digits32(__m256i x, bool url_safe, __m256i *bad)
{
	__m256i upper = between(x, 'A', 'Z'), lower = between(x, 'a', 'z');
	__m256i decimal = between(x, '0', '9');
	__m256i v62 = either(x, '+', url_safe ? '-' : '+');
	__m256i v63 = either(x, '/', url_safe ? '_' : '/');
	__m256i ranges = _mm256_or_si256(_mm256_or_si256(upper, lower), decimal);
	__m256i add = _mm256_and_si256(upper, _mm256_set1_epi8(-'A'));

	add = _mm256_or_si256(add, _mm256_and_si256(lower, _mm256_set1_epi8(26 - 'a')));
	add = _mm256_or_si256(add, _mm256_and_si256(decimal, _mm256_set1_epi8(52 - '0')));
	x = _mm256_and_si256(_mm256_add_epi8(x, add), ranges);
	x = _mm256_or_si256(x, _mm256_and_si256(v62, _mm256_set1_epi8(62)));
	x = _mm256_or_si256(x, _mm256_and_si256(v63, _mm256_set1_epi8(63)));
	ranges = _mm256_or_si256(ranges, _mm256_or_si256(v62, v63));
	*bad = _mm256_or_si256(*bad, _mm256_xor_si256(ranges, _mm256_set1_epi8(-1)));
	return x;
}

/* Digits by 32, as 24 bytes of which 28 are written, so that over 16 are left; returns how many. */
__attribute__((target("avx2"))) static size_t decode_blocks(const uint8_t *p, size_t n,
							    bool url_safe, uint8_t *out, bool *bad)
{
	const __m256i order = _mm256_broadcastsi128_si256(
		_mm_setr_epi8(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1));
	__m256i marks = _mm256_setzero_si256();
	size_t i;

	for (i = 0; n - i >= 48; i += 32, out += 24) {
		__m256i x = _mm256_loadu_si256((const __m256i *)(const void *)(p + i));

		x = digits32(x, url_safe, &marks);
		/* Two digits in 12 bits of 16, four in 24 of 32, and these in order. */
		x = _mm256_maddubs_epi16(x, _mm256_set1_epi16(1 << 8 | 1 << 6));
		x = _mm256_madd_epi16(x, _mm256_set1_epi32(1 << 16 | 1 << 12));
		x = _mm256_shuffle_epi8(x, order);
		_mm_storeu_si128((__m128i *)(void *)out, _mm256_castsi256_si128(x));
		_mm_storeu_si128((__m128i *)(void *)(out + 12), _mm256_extracti128_si256(x, 1));
	}
	*bad = _mm256_movemask_epi8(marks) != 0;
	return i;
}

static bool has_blocks(void)
{
	return __builtin_cpu_supports("avx2");
}
#else
static size_t decode_blocks(const uint8_t *p, size_t n, bool url_safe, uint8_t *out, bool *bad)
{
	return 0;
}

static bool has_blocks(void)
{
	return false;
}
#endif

/* Whether all are digits of the alphabet. */
static bool base64_digits_ok(const uint8_t *p, size_t n, bool url_safe)
{
	unsigned marks = 0, bad = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned v = base64_values[p[i]];

		bad |= v == 0;
		marks |= v;
	}
	return !bad && (url_safe || !(marks & URL_SAFE));
}

/* Digit i as its place in four; behind the last one there are zeros. */
static uint32_t base64_place(struct ww_slice in, size_t digits, size_t i)
{
	unsigned v = i < digits ? (base64_values[in.p[i]] & ~URL_SAFE) - 1 : 0;

	return v << (18 - 6 * (i % 4));
}

int ww_base64_decode(struct ww_slice in, bool url_safe, uint8_t *out, size_t cap, size_t *ret_n)
{
	size_t digits, n, i = 0;
	int r = base64_shape(in, &digits);
	bool bad = false;

	if (r < 0)
		return r;
	n = in.n / 4 * 3 - (in.n - digits);
	if (n == 0) {
		*ret_n = 0;
		return digits ? -EINVAL : 0;
	}
	if (n > cap)
		return base64_digits_ok(in.p, digits, url_safe) ? -EMSGSIZE : -EINVAL;
	if (has_blocks())
		i = decode_blocks(in.p, digits, url_safe, out, &bad);
	if (bad || !base64_digits_ok(in.p + i, digits - i, url_safe))
		return -EINVAL;
	for (size_t at = i / 4 * 3; at < n; i += 4, at += 3) {
		uint32_t v = base64_place(in, digits, i) | base64_place(in, digits, i + 1) |
			     base64_place(in, digits, i + 2) | base64_place(in, digits, i + 3);

		out[at] = (uint8_t)(v >> 16);
		if (at + 1 < n)
			out[at + 1] = (uint8_t)(v >> 8);
		if (at + 2 < n)
			out[at + 2] = (uint8_t)v;
	}
	*ret_n = n;
	return 0;
}
