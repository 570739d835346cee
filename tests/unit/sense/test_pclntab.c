/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of Go's functions: each known version, cut at every length, and damaged in each field. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "sense/pclntab.h"

#define V16 0xfffffffau
#define V18 0xfffffff0u
#define V20 0xfffffff1u

#define TEXT 0x401000u

struct table {
	uint8_t b[1024];
	size_t n;
	bool wide;
	size_t names, entries, records; /* where they begin */
};

static const char *const names[] = {"runtime.text", "main.main", "crypto/tls.(*Conn).Read",
				    "crypto/tls.(*Conn).Re"};
static const uint32_t distance[] = {0, 0x20, 0x100, 0x180, 0x200};

#define COUNT (sizeof(names) / sizeof(names[0]))

static void put(struct table *t, size_t at, uint64_t v, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		t->b[at + i] = (uint8_t)(v >> (8 * i));
	if (at + bytes > t->n)
		t->n = at + bytes;
}

static void put_head(struct table *t, uint32_t magic)
{
	size_t at = t->wide ? 24 : 32;

	put(t, 0, magic, 4);
	put(t, 6, 1, 1); /* quantum */
	put(t, 7, 8, 1); /* pointer */
	put(t, 8, COUNT, 8);
	put(t, 16, 0, 8);
	if (!t->wide)
		put(t, 24, TEXT, 8);
	t->names = at + 40;
	put(t, at, t->names, 8);
}

static void make(struct table *t, uint32_t magic)
{
	size_t at, width, name_at[COUNT];

	memset(t, 0, sizeof(*t));
	t->wide = magic == V16;
	width = t->wide ? 8 : 4;
	put_head(t, magic);
	at = t->names;
	for (size_t i = 0; i < COUNT; i++) {
		name_at[i] = at - t->names;
		memcpy(t->b + at, names[i], strlen(names[i]) + 1);
		at += strlen(names[i]) + 1;
	}
	t->entries = (at + 7) & ~(size_t)7;
	put(t, t->names - 8, t->entries, 8);
	t->records = t->entries + (2 * COUNT + 1) * width;
	for (size_t i = 0; i <= COUNT; i++) {
		uint64_t entry = distance[i] + (t->wide ? TEXT : 0);
		size_t record = t->records + i * 16;

		put(t, t->entries + 2 * i * width, entry, width);
		if (i == COUNT)
			continue;
		put(t, t->entries + (2 * i + 1) * width, record - t->entries, width);
		put(t, record, entry, width);
		put(t, record + width, name_at[i], 4);
	}
}

static enum ww_parse open_table(const struct table *t, size_t n, struct ww_pclntab *ret,
				struct ww_parse_error *error)
{
	return ww_pclntab_open(ww_slice(t->b, n), ret, error);
}

static enum ww_parse find(const struct table *t, const char *name, struct ww_pclntab_function *fn,
			  struct ww_parse_error *error)
{
	struct ww_pclntab p;

	assert_int_equal(open_table(t, t->n, &p, error), WW_PARSE_DONE);
	return ww_pclntab_find(&p, name, fn, error);
}

static void test_versions(void **state)
{
	static const uint32_t magic[] = {V16, V18, V20};

	for (size_t v = 0; v < 3; v++) {
		struct ww_pclntab_function fn;
		struct ww_parse_error error;
		struct ww_pclntab p;
		struct table t;

		make(&t, magic[v]);
		assert_int_equal(open_table(&t, t.n, &p, &error), WW_PARSE_DONE);
		assert_int_equal(p.count, COUNT);
		for (size_t i = 0; i < COUNT; i++) {
			assert_int_equal(ww_pclntab_at(&p, i, &fn, &error), WW_PARSE_DONE);
			assert_true(ww_slice_eq_str(fn.name, names[i]));
			assert_int_equal(fn.vaddr, TEXT + distance[i]);
			assert_int_equal(fn.size, distance[i + 1] - distance[i]);
			assert_int_equal(find(&t, names[i], &fn, &error), WW_PARSE_DONE);
			assert_int_equal(fn.vaddr, TEXT + distance[i]);
		}
		assert_int_equal(ww_pclntab_at(&p, COUNT, &fn, &error), WW_PARSE_END);
		assert_int_equal(find(&t, "main.mai", &fn, &error), WW_PARSE_END);
		assert_int_equal(find(&t, "main.main.func1", &fn, &error), WW_PARSE_END);
	}
}

/* Of every beginning of a table: nothing wrong is said, and nothing is read behind its end. */
static void test_cut(void **state)
{
	static const uint32_t magic[] = {V16, V18, V20};

	for (size_t v = 0; v < 3; v++) {
		struct table t;

		make(&t, magic[v]);
		for (size_t n = 0; n < t.n; n++) {
			struct ww_pclntab_function fn = {.vaddr = 1};
			struct ww_parse_error error;
			uint8_t *copy = malloc(n ? n : 1);
			struct ww_pclntab p;
			enum ww_parse r;

			memcpy(copy, t.b, n);
			r = ww_pclntab_open(ww_slice(copy, n), &p, &error);
			if (r == WW_PARSE_DONE)
				r = ww_pclntab_find(&p, names[COUNT - 1], &fn, &error);
			assert_int_equal(r, WW_PARSE_MORE);
			assert_int_equal(fn.vaddr, 1);
			free(copy);
		}
	}
}

static void damaged(size_t at, uint64_t v, size_t bytes, uint32_t magic, enum ww_parse want)
{
	struct ww_pclntab_function fn;
	struct ww_parse_error error = {0, NULL};
	struct ww_pclntab p;
	struct table t;
	enum ww_parse r;

	make(&t, magic);
	put(&t, at, v, bytes);
	r = open_table(&t, t.n, &p, &error);
	if (r == WW_PARSE_DONE)
		r = ww_pclntab_find(&p, "no such function", &fn, &error);
	assert_int_equal(r, want);
	if (want == WW_PARSE_BAD)
		assert_non_null(error.reason);
}

static void test_head(void **state)
{
	damaged(0, 0xfffffffb, 4, V18, WW_PARSE_BAD); /* Go 1.2 to 1.15 */
	damaged(0, 0xfffffff2, 4, V18, WW_PARSE_BAD); /* one to come */
	damaged(4, 1, 1, V18, WW_PARSE_BAD);
	damaged(6, 3, 1, V18, WW_PARSE_BAD);
	damaged(7, 4, 1, V18, WW_PARSE_BAD);          /* 32 bits */
	damaged(24, 0, 8, V20, WW_PARSE_GAP);         /* the text's start is left to the loader */
	damaged(8, UINT64_MAX, 8, V18, WW_PARSE_BAD); /* functions */
	damaged(8, UINT32_MAX, 8, V18, WW_PARSE_BAD);
	damaged(8, 1u << 20, 8, V18, WW_PARSE_MORE);
	damaged(32, UINT64_MAX, 8, V18, WW_PARSE_BAD); /* names */
	damaged(32, 1u << 20, 8, V18, WW_PARSE_MORE);
	damaged(64, UINT64_MAX, 8, V18, WW_PARSE_BAD); /* entries */
	damaged(64, 1u << 20, 8, V18, WW_PARSE_MORE);
	damaged(56, UINT64_MAX - 3, 8, V16, WW_PARSE_BAD);
}

static void test_entries(void **state)
{
	struct table t;

	make(&t, V18);
	damaged(t.entries + 8, 0x300, 4, V18, WW_PARSE_BAD); /* in disorder, not the record's */
	damaged(t.entries + 4, UINT32_MAX, 4, V18, WW_PARSE_MORE);
	damaged(t.entries + 4, (uint64_t)(t.records - t.entries) + 16, 4, V18, WW_PARSE_BAD);
	damaged(t.records + 4, 0x80000000u, 4, V18, WW_PARSE_BAD); /* a name before the names */
	damaged(t.records + 4, 0x7fffffff, 4, V18, WW_PARSE_MORE); /* one behind the end */
	make(&t, V16);
	damaged(t.entries + 8, UINT64_MAX - 7, 8, V16, WW_PARSE_MORE);
	damaged(t.entries, TEXT + 0x4000, 8, V16, WW_PARSE_BAD);
}

/* A name is told only when it ends. */
static void test_endless_name(void **state)
{
	static uint8_t b[16384];
	struct ww_pclntab_function fn;
	struct ww_parse_error error;
	struct ww_pclntab p;
	struct table t;

	make(&t, V18);
	memset(b, 'x', sizeof(b));
	memcpy(b, t.b, t.n);
	put(&t, t.records + 4, 2000, 4);
	memcpy(b, t.b, t.n);
	assert_int_equal(ww_pclntab_open(ww_slice(b, sizeof(b)), &p, &error), WW_PARSE_DONE);
	assert_int_equal(ww_pclntab_at(&p, 0, &fn, &error), WW_PARSE_BAD);
	assert_int_equal(error.at, t.names + 2000);
	assert_int_equal(ww_pclntab_open(ww_slice(b, 3000), &p, &error), WW_PARSE_DONE);
	assert_int_equal(ww_pclntab_at(&p, 0, &fn, &error), WW_PARSE_MORE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_versions),     cmocka_unit_test(test_cut),
		cmocka_unit_test(test_head),         cmocka_unit_test(test_entries),
		cmocka_unit_test(test_endless_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
