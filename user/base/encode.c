/* SPDX-License-Identifier: Apache-2.0 */
#include "base/encode.h"

#include <errno.h>

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

/* 0..15, or -1 when c is not a digit. */
static int hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int ww_hex_decode(struct ww_slice in, uint8_t *out, size_t ret_n)
{
	if (in.n % 2 != 0 || in.n / 2 != ret_n)
		return -EINVAL;
	for (size_t i = 0; i < in.n; i++) {
		if (hex_value(in.p[i]) < 0)
			return -EINVAL;
	}
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
	size_t digits, n;
	int r = base64_shape(in, &digits);

	if (r < 0)
		return r;
	n = in.n / 4 * 3 - (in.n - digits);
	if (!base64_digits_ok(in.p, digits, url_safe))
		return -EINVAL;
	if (n > cap)
		return -EMSGSIZE;
	for (size_t i = 0, at = 0; at < n; i += 4, at += 3) {
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
