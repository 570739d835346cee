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

/* 0..63, or -1 when c is not in the alphabet. */
static int base64_value(uint8_t c, bool url_safe)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || (url_safe && c == '-'))
		return 62;
	if (c == '/' || (url_safe && c == '_'))
		return 63;
	return -1;
}

/* The digits of `in` without padding in *ret_digits; 0 or -EINVAL. */
static int base64_check(struct ww_slice in, bool url_safe, size_t *ret_digits)
{
	size_t digits = in.n;
	int last = 0;

	if (in.n % 4 != 0)
		return -EINVAL;
	while (digits > 0 && in.n - digits < 2 && in.p[digits - 1] == '=')
		digits--;
	for (size_t i = 0; i < digits; i++) {
		last = base64_value(in.p[i], url_safe);
		if (last < 0)
			return -EINVAL;
	}
	/* RFC 4648 section 3.5: unused bits zero, or one value has several texts. */
	if ((in.n - digits == 1 && (last & 3)) || (in.n - digits == 2 && (last & 15)))
		return -EINVAL;
	*ret_digits = digits;
	return 0;
}

int ww_base64_decode(struct ww_slice in, bool url_safe, uint8_t *out, size_t cap, size_t *ret_n)
{
	size_t digits, n;
	int r = base64_check(in, url_safe, &digits);

	if (r < 0)
		return r;
	n = in.n / 4 * 3 - (in.n - digits);
	if (n > cap)
		return -EMSGSIZE;
	for (size_t i = 0, at = 0; at < n; i += 4) {
		uint32_t v = 0;

		for (size_t k = 0; k < 4; k++) {
			v <<= 6;
			if (i + k < digits)
				v |= (uint32_t)base64_value(in.p[i + k], url_safe);
		}
		for (int bits = 16; bits >= 0 && at < n; bits -= 8)
			out[at++] = (uint8_t)(v >> bits);
	}
	*ret_n = n;
	return 0;
}
