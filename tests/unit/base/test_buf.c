/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void ceiling(void **state)
{
	struct ww_buf b WW_AUTO_BUF = {0};
	uint8_t *p = NULL;

	ww_buf_init(&b, 5);
	assert_int_equal(ww_buf_add(&b, "abcdef", 6), -EMSGSIZE);
	assert_int_equal(b.n, 0);
	assert_int_equal(ww_buf_add(&b, "abc", 3), 0);
	assert_int_equal(ww_buf_add(&b, "def", 3), -EMSGSIZE);
	assert_int_equal(ww_buf_reserve(&b, 3, &p), -EMSGSIZE);
	assert_int_equal(ww_buf_reserve(&b, SIZE_MAX, &p), -EMSGSIZE);
	assert_null(p);
	assert_true(ww_slice_eq_str(ww_buf_slice(&b), "abc"));
	assert_true(b.cap <= b.max);
	assert_int_equal(ww_buf_add_some(&b, "def", 3), 2);
	assert_int_equal(ww_buf_add_some(&b, "f", 1), 0);
	assert_true(ww_slice_eq_str(ww_buf_slice(&b), "abcde"));
}

static void no_room_at_all(void **state)
{
	struct ww_buf b WW_AUTO_BUF = {0};

	assert_int_equal(ww_buf_add(&b, "", 0), 0);
	assert_int_equal(ww_buf_add(&b, NULL, 0), 0);
	assert_int_equal(ww_buf_add(&b, "a", 1), -EMSGSIZE);
	assert_int_equal(ww_buf_add_some(&b, "a", 1), 0);
}

/* Without it the address sanitizer stops the program where malloc would return NULL. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

/* The ceiling is allowed, the memory for it is not there. */
static void memory_shortage(void **state)
{
	struct ww_buf b WW_AUTO_BUF = {0};
	uint8_t *p = NULL;

	ww_buf_init(&b, SIZE_MAX);
	assert_int_equal(ww_buf_add(&b, "abc", 3), 0);
	assert_int_equal(ww_buf_reserve(&b, SIZE_MAX / 4, &p), -ENOMEM);
	assert_null(p);
	assert_true(ww_slice_eq_str(ww_buf_slice(&b), "abc"));
}

static void growth(void **state)
{
	struct ww_buf b WW_AUTO_BUF = {0};
	uint8_t *p = NULL;

	ww_buf_init(&b, 100000);
	for (unsigned i = 0; i < 100000; i++)
		assert_int_equal(ww_buf_add(&b, &(uint8_t){(uint8_t)(i * 7)}, 1), 0);
	assert_int_equal(b.n, 100000);
	assert_int_equal(b.cap, 100000);
	for (unsigned i = 0; i < 100000; i++)
		assert_int_equal(b.p[i], (uint8_t)(i * 7));

	ww_buf_clear(&b);
	assert_int_equal(b.cap, 100000);
	assert_int_equal(ww_buf_reserve(&b, 2, &p), 0);
	assert_int_equal(b.n, 0);
	memcpy(p, "hi", 2);
	b.n += 2;
	assert_true(ww_slice_eq_str(ww_buf_slice(&b), "hi"));
}

static void consume(void **state)
{
	struct ww_buf b WW_AUTO_BUF = {0};

	ww_buf_init(&b, 16);
	ww_buf_consume(&b, 3);
	assert_int_equal(ww_buf_add(&b, "abcdef", 6), 0);
	ww_buf_consume(&b, 0);
	ww_buf_consume(&b, 4);
	assert_true(ww_slice_eq_str(ww_buf_slice(&b), "ef"));
	ww_buf_consume(&b, 99);
	assert_int_equal(b.n, 0);
}

static void reuse(void **state)
{
	struct ww_buf b = {0};

	ww_buf_init(&b, 4);
	assert_int_equal(ww_buf_add(&b, "abc", 3), 0);
	ww_buf_wipe(&b);
	assert_null(b.p);
	ww_buf_wipe(&b);
	assert_int_equal(ww_buf_add(&b, "abcd", 4), 0);
	assert_int_equal(ww_buf_add(&b, "e", 1), -EMSGSIZE);
	ww_buf_done(&b);
	ww_buf_done(&b);
	assert_int_equal(b.max, 4);
	assert_int_equal(b.n + b.cap, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ceiling),         cmocka_unit_test(no_room_at_all),
		cmocka_unit_test(memory_shortage), cmocka_unit_test(growth),
		cmocka_unit_test(consume),         cmocka_unit_test(reuse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
