/* SPDX-License-Identifier: Apache-2.0 */
#include "base/nfd.h"

#include <errno.h>

#include "base/nfd_data.h"
#include "base/utf8.h"

#define CHARACTERS_MAX 1024u

/* Unicode 14.0 section 3.12 */
#define S_BASE  0xac00u
#define L_BASE  0x1100u
#define V_BASE  0x1161u
#define T_BASE  0x11a7u
#define V_COUNT 21u
#define T_COUNT 28u
#define S_COUNT 11172u

struct text {
	unsigned count;
	bool over;
	uint32_t codes[CHARACTERS_MAX];
	uint8_t classes[CHARACTERS_MAX];
};

static uint8_t class_of(uint32_t code)
{
	size_t from = 0, to = WW_ARRAY_SIZE(classes);

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (code < classes[mid].from)
			to = mid;
		else if (code > classes[mid].to)
			from = mid + 1;
		else
			return classes[mid].class;
	}
	return 0;
}

/* Behind all of a lower or equal class since the last one of class 0: the order stays that of the
 * text where classes are equal. */
static void put(struct text *t, uint32_t code)
{
	uint8_t class = class_of(code);
	unsigned at = t->count;

	if (t->count == CHARACTERS_MAX) {
		t->over = true;
		return;
	}
	while (class && at > 0 && t->classes[at - 1] > class) {
		t->codes[at] = t->codes[at - 1];
		t->classes[at] = t->classes[at - 1];
		at--;
	}
	t->codes[at] = code;
	t->classes[at] = class;
	t->count++;
}

static bool decompose(uint32_t code, uint32_t *ret_first, uint32_t *ret_second)
{
	size_t from = 0, to = WW_ARRAY_SIZE(decompositions);

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (code == decompositions[mid].code) {
			*ret_first = decompositions[mid].first;
			*ret_second = decompositions[mid].second;
			return true;
		}
		if (code < decompositions[mid].code)
			to = mid;
		else
			from = mid + 1;
	}
	return false;
}

static void put_hangul(struct text *t, uint32_t code)
{
	uint32_t s = code - S_BASE;

	put(t, L_BASE + s / (V_COUNT * T_COUNT));
	put(t, V_BASE + s % (V_COUNT * T_COUNT) / T_COUNT);
	if (s % T_COUNT)
		put(t, T_BASE + s % T_COUNT);
}

/* Only the first part of a decomposition decomposes further, at most three times. */
static void put_decomposed(struct text *t, uint32_t code)
{
	uint32_t behind[4], second;
	unsigned n = 0;

	if (code >= S_BASE && code < S_BASE + S_COUNT) {
		put_hangul(t, code);
		return;
	}
	while (n < WW_ARRAY_SIZE(behind) && decompose(code, &code, &second)) {
		if (second)
			behind[n++] = second;
	}
	put(t, code);
	while (n > 0)
		put(t, behind[--n]);
}

/* The character of n bytes, which is valid. */
static uint32_t code_of(const uint8_t *p, size_t n)
{
	static const uint8_t mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	uint32_t code = p[0] & mask[n];

	for (size_t i = 1; i < n; i++)
		code = code << 6 | (p[i] & 0x3f);
	return code;
}

static bool is_ascii(struct ww_slice in)
{
	uint8_t any = 0;

	for (size_t i = 0; i < in.n; i++)
		any |= in.p[i];
	return any < 0x80;
}

int ww_nfd(struct ww_slice in, struct ww_buf *out)
{
	struct text t;
	size_t before = out->n, n;

	t.count = 0;
	t.over = false;
	if (is_ascii(in))
		return ww_buf_add(out, in.p, in.n);
	for (size_t at = 0; at < in.n; at += n) {
		if (ww_utf8_next(in, at, &n) != WW_PARSE_DONE)
			return ww_buf_add(out, in.p, in.n);
		put_decomposed(&t, code_of(in.p + at, n));
	}
	for (unsigned i = 0; i < t.count && !t.over; i++) {
		uint8_t bytes[4];
		int r = ww_buf_add(out, bytes, ww_utf8_put(t.codes[i], bytes));

		if (r < 0) {
			out->n = before;
			return r;
		}
	}
	return t.over ? -EMSGSIZE : 0;
}
