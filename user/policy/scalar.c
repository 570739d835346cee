/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/scalar.h"

#include <errno.h>
#include <math.h>

#include "base/nfd.h"

/* Digits that an integer may take: none that a reader means to be exact is longer. */
#define INTEGER_DIGITS_MAX 40

/* A number as its significant digits, times ten to the power of `scale`. */
struct decimal {
	bool minus;
	unsigned count;
	int scale;
	char digits[WW_SCALAR_BYTES_MAX];
};

static const uint8_t *take_digits(const uint8_t *p, const uint8_t *end, struct decimal *d)
{
	for (; p < end && *p >= '0' && *p <= '9'; p++) {
		if (d->count || *p != '0')
			d->digits[d->count++] = (char)*p;
	}
	return p;
}

/* NULL: no exponent follows. */
static const uint8_t *take_exponent(const uint8_t *p, const uint8_t *end, struct decimal *d)
{
	bool minus = false;
	int e = 0;

	if (p < end && (*p == '+' || *p == '-'))
		minus = *p++ == '-';
	if (p == end || *p < '0' || *p > '9')
		return NULL;
	for (; p < end && *p >= '0' && *p <= '9'; p++)
		e = e < 100000 ? e * 10 + (*p - '0') : e;
	d->scale += minus ? -e : e;
	return p;
}

/* False: s is no number as JSON writes it. At most WW_SCALAR_BYTES_MAX bytes. */
static bool read_decimal(struct ww_slice s, struct decimal *d)
{
	const uint8_t *p = s.p, *end = s.p + s.n, *whole;

	d->count = 0;
	d->scale = 0;
	d->minus = p < end && *p == '-';
	whole = p += d->minus;
	p = take_digits(p, end, d);
	if (p == whole || (*whole == '0' && p - whole > 1))
		return false;
	if (p < end && *p == '.') {
		const uint8_t *part = ++p;

		p = take_digits(p, end, d);
		if (p == part)
			return false;
		d->scale -= (int)(p - part);
	}
	if (p < end && (*p == 'e' || *p == 'E'))
		p = take_exponent(p + 1, end, d);
	if (p != end)
		return false;
	while (d->count && d->digits[d->count - 1] == '0') {
		d->count--;
		d->scale++;
	}
	return true;
}

static int integer_text(const struct decimal *d, struct ww_buf *out)
{
	char text[INTEGER_DIGITS_MAX + 1];
	size_t n = 0;

	if (d->minus)
		text[n++] = '-';
	memcpy(text + n, d->digits, d->count);
	n += d->count;
	memset(text + n, '0', (size_t)d->scale);
	return ww_buf_add(out, text, n + (size_t)d->scale);
}

/* The shortest text that the same double has. */
static int double_text(struct ww_slice raw, struct ww_buf *out)
{
	char text[WW_SCALAR_BYTES_MAX + 1];
	double v;
	int n = 0;

	memcpy(text, raw.p, raw.n);
	text[raw.n] = '\0';
	v = strtod(text, NULL);
	for (int digits = 15; digits <= 17; digits++) {
		n = snprintf(text, sizeof(text), "%.*g", digits, v);
		if (strtod(text, NULL) == v)
			break;
	}
	return ww_buf_add(out, text, (size_t)n);
}

static int number_text(struct ww_slice raw, struct ww_buf *out)
{
	struct decimal d;

	if (raw.n > WW_SCALAR_BYTES_MAX)
		return -EMSGSIZE;
	if (!read_decimal(raw, &d))
		return -ENOENT;
	if (d.count == 0)
		return ww_buf_add(out, "0", 1);
	return d.scale >= 0 && d.count + (unsigned)d.scale <= INTEGER_DIGITS_MAX
		       ? integer_text(&d, out)
		       : double_text(raw, out);
}

static int string_text(const struct ww_json_token *t, struct ww_buf *out)
{
	WW_AUTO(ww_buf_wipe) struct ww_buf text = {0};
	int r;

	ww_buf_init(&text, out->max);
	r = ww_json_unescape(t, &text);
	return r < 0 ? r : ww_nfd(ww_buf_slice(&text), out);
}

int ww_scalar_text(const struct ww_json_token *t, struct ww_buf *out)
{
	switch (t->type) {
	case WW_JSON_STRING:
		return string_text(t, out);
	case WW_JSON_NUMBER:
		return number_text(t->raw, out);
	case WW_JSON_TRUE:
	case WW_JSON_FALSE:
		return ww_buf_add(out, t->raw.p, t->raw.n);
	default:
		return -ENOENT;
	}
}

int ww_scalar_value(const struct ww_json_token *t, struct ww_buf *out)
{
	WW_AUTO(ww_buf_wipe) struct ww_buf text = {0};
	int r = ww_scalar_text(t, out);
	struct decimal d;

	if (r < 0 || t->type != WW_JSON_STRING || !out->n || !read_decimal(ww_buf_slice(out), &d))
		return r;
	ww_buf_init(&text, WW_SCALAR_BYTES_MAX);
	r = number_text(ww_buf_slice(out), &text);
	if (r < 0)
		return r;
	ww_buf_clear(out);
	return ww_buf_add(out, text.p, text.n);
}

int ww_scalar_rounded(struct ww_slice value, struct ww_buf *out)
{
	char text[WW_SCALAR_BYTES_MAX + 1];
	struct decimal d;

	if (value.n > WW_SCALAR_BYTES_MAX)
		return -EMSGSIZE;
	if (!read_decimal(value, &d) || d.scale < 0)
		return -ENOENT;
	memcpy(text, value.p, value.n);
	text[value.n] = '\0';
	return fabs(strtod(text, NULL)) < 0x1p53 ? -ENOENT : double_text(value, out);
}
