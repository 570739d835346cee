/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cursor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static const uint8_t bytes[] = {0x01, 0x02, 0x03, 0x04, 0x85, 0x06, 0x07, 0x08};

/* One byte short of every width: zero, sticky, and nothing is consumed. */
static void short_reads(void **state)
{
	for (size_t n = 0; n < 8; n++) {
		struct ww_cursor c = ww_cursor(ww_slice(bytes, n));
		uint64_t v = n < 1   ? ww_cursor_u8(&c)
			     : n < 2 ? ww_cursor_be16(&c)
			     : n < 3 ? ww_cursor_be24(&c)
			     : n < 4 ? ww_cursor_le32(&c)
				     : ww_cursor_be64(&c);

		assert_true(v == 0);
		assert_false(ww_cursor_ok(&c));
		assert_int_equal(ww_cursor_left(&c), 0);
		/* What would have fitted is not given either. */
		assert_int_equal(ww_cursor_u8(&c), 0);
		assert_int_equal(ww_cursor_take(&c, 0).n, 0);
		assert_false(ww_cursor_ok(&c));
	}
}

static void take(void **state)
{
	struct ww_cursor c = ww_cursor(ww_slice(bytes, sizeof(bytes)));

	assert_true(ww_cursor_take(&c, 3).p == bytes);
	assert_int_equal(ww_cursor_left(&c), 5);
	assert_int_equal(ww_cursor_take(&c, 5).n, 5);
	assert_int_equal(ww_cursor_take(&c, 0).n, 0);
	assert_true(ww_cursor_ok(&c));
	assert_null(ww_cursor_take(&c, SIZE_MAX).p);
	assert_false(ww_cursor_ok(&c));

	c = ww_cursor(WW_SLICE_NULL);
	assert_int_equal(ww_cursor_take(&c, 0).n, 0);
	assert_true(ww_cursor_ok(&c));
}

static struct ww_cursor whole(void)
{
	return ww_cursor(ww_slice(bytes, sizeof(bytes)));
}

static void byte_orders(void **state)
{
	struct ww_cursor c = whole();

	assert_int_equal(ww_cursor_u8(&c), 0x01);
	assert_int_equal(ww_cursor_be16(&c), 0x0203);
	assert_int_equal(ww_cursor_be24(&c), 0x048506);
	assert_int_equal(ww_cursor_le16(&c), 0x0807);
	assert_true(ww_cursor_ok(&c));
	c = whole();
	assert_true(ww_cursor_be32(&c) == 0x01020304u);
	assert_true(ww_cursor_le32(&c) == 0x08070685u);
	c = whole();
	assert_true(ww_cursor_be64(&c) == 0x0102030485060708ull);
	c = whole();
	assert_true(ww_cursor_le64(&c) == 0x0807068504030201ull);
	assert_int_equal(ww_cursor_left(&c), 0);
	assert_true(ww_cursor_ok(&c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(short_reads),
		cmocka_unit_test(take),
		cmocka_unit_test(byte_orders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
