/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/tile.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>

static void assert_path(uint32_t level, uint64_t n, uint32_t width, const char *want)
{
	char path[WW_TILE_PATH_MAX];

	assert_int_equal(ww_tile_path(&(struct ww_tile){level, n, width}, path), 0);
	assert_string_equal(path, want);
}

static void test_bad_coordinates(void **state)
{
	static const struct ww_tile bad[] = {
		{0, 0, 0},
		{0, 0, 257},
		{65, 0, 256},
		{0, (uint64_t)INT64_MAX + 1, 256},
	};
	char path[WW_TILE_PATH_MAX];

	for (size_t i = 0; i < WW_ARRAY_SIZE(bad); i++)
		assert_int_equal(ww_tile_path(&bad[i], path), -EINVAL);
}

static void test_path(void **state)
{
	assert_path(0, 0, 256, "tile/0/000");
	assert_path(0, 1234067, 256, "tile/0/x001/x234/067");
	assert_path(1, 999, 7, "tile/1/999.p/7");
	assert_path(63, 1000, 255, "tile/63/x001/000.p/255");
	assert_path(WW_TILE_ENTRIES, 273, 112, "tile/entries/273.p/112");
	assert_path(0, INT64_MAX, 255, "tile/0/x009/x223/x372/x036/x854/x775/807.p/255");
}

/* The worked example of the C2SP specification: 70,000 leaves. */
static void test_width(void **state)
{
	const uint64_t size = 70000;

	assert_int_equal(ww_tile_width(0, 272, size), 256);
	assert_int_equal(ww_tile_width(0, 273, size), 112);
	assert_int_equal(ww_tile_width(0, 274, size), 0);
	assert_int_equal(ww_tile_width(1, 0, size), 256);
	assert_int_equal(ww_tile_width(1, 1, size), 17);
	assert_int_equal(ww_tile_width(2, 0, size), 1);
	assert_int_equal(ww_tile_width(3, 0, size), 0);
	assert_int_equal(ww_tile_width(WW_TILE_ENTRIES, 273, size), 112);
	assert_int_equal(ww_tile_width(0, 0, 0), 0);
	assert_int_equal(ww_tile_width(63, 0, INT64_MAX), 0);
	assert_int_equal(ww_tile_width(7, 0, INT64_MAX), 127);
}

static void test_bad_bundles(void **state)
{
	static const struct ww_slice bad[] = {
		WW_SLICE_LIT("\x00"),      /* half a length */
		WW_SLICE_LIT("\x00\x00"),  /* an entry without bytes */
		WW_SLICE_LIT("\x00\x02x"), /* passes the end */
		WW_SLICE_LIT("\xff\xffxxxx"),
	};
	WW_AUTO_BUF struct ww_buf b = {0};
	struct ww_slice entry;

	for (size_t i = 0; i < WW_ARRAY_SIZE(bad); i++) {
		struct ww_cursor c = ww_cursor(bad[i]);

		assert_int_equal(ww_tile_bundle_next(&c, &entry), WW_PARSE_BAD);
		assert_int_equal(ww_tile_bundle_next(&c, &entry), WW_PARSE_BAD);
	}
	ww_buf_init(&b, 8);
	assert_int_equal(ww_tile_bundle_add(&b, WW_SLICE_NULL), -EINVAL);
	assert_int_equal(ww_tile_bundle_add(&b, ww_slice(bad, 65536)), -EINVAL);
	assert_int_equal(ww_tile_bundle_add(&b, WW_SLICE_LIT("1234567")), -EMSGSIZE);
	assert_int_equal(b.n, 0);
}

static void test_bundle(void **state)
{
	WW_AUTO_BUF struct ww_buf b = {0};
	struct ww_slice entry;
	struct ww_cursor c;
	uint8_t *big = calloc(1, WW_TILE_ENTRY_MAX);

	assert_non_null(big);
	ww_buf_init(&b, WW_TILE_BUNDLE_MAX);
	assert_int_equal(ww_tile_bundle_add(&b, WW_SLICE_LIT("ab")), 0);
	assert_int_equal(ww_tile_bundle_add(&b, ww_slice(big, WW_TILE_ENTRY_MAX)), 0);
	assert_memory_equal(b.p,
			    "\x00\x02"
			    "ab\xff\xff",
			    6);
	c = ww_cursor(ww_buf_slice(&b));
	assert_int_equal(ww_tile_bundle_next(&c, &entry), WW_PARSE_DONE);
	assert_true(ww_slice_eq_str(entry, "ab"));
	assert_int_equal(ww_tile_bundle_next(&c, &entry), WW_PARSE_DONE);
	assert_int_equal(entry.n, WW_TILE_ENTRY_MAX);
	assert_int_equal(ww_tile_bundle_next(&c, &entry), WW_PARSE_END);
	free(big);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_coordinates), cmocka_unit_test(test_path),
		cmocka_unit_test(test_width),           cmocka_unit_test(test_bad_bundles),
		cmocka_unit_test(test_bundle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
