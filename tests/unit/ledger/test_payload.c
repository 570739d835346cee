/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger_test.h"

#include "ledger/payload.h"

static const uint8_t salt[WW_LEAF_SALT_LEN] = {1, 2, 3};

static void frame(uint64_t index, const char *json, struct ww_buf *out)
{
	struct ww_payload p = {.index = index,
			       .kind = WW_SLICE_LIT("flow"),
			       .salt = {salt, sizeof(salt)},
			       .json = ww_slice_str(json)};
	struct ww_slice salted;

	assert_int_equal(ww_payload_encode(&p, out, &salted), 0);
	assert_memory_equal(salted.p, salt, sizeof(salt));
	assert_memory_equal(salted.p + sizeof(salt), json, strlen(json));
}

/* Cut anywhere it asks for more; flipped anywhere it never comes out as a good frame. */
static void test_damaged_frames(void **state)
{
	WW_AUTO_BUF struct ww_buf b = {0};
	struct ww_payload p;

	ww_buf_init(&b, 4096);
	frame(7, "{\"a\":1}", &b);
	for (size_t n = 1; n < b.n; n++) {
		struct ww_cursor c = ww_cursor(ww_slice(b.p, n));

		assert_int_equal(ww_payload_next(&c, &p), WW_PARSE_MORE);
		assert_int_equal(c.at, 0);
	}
	for (size_t bit = 0; bit < b.n * 8; bit++) {
		struct ww_cursor c = ww_cursor(ww_buf_slice(&b));

		b.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_not_equal(ww_payload_next(&c, &p), WW_PARSE_DONE);
		b.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (uint32_t length = 0; length < 43; length++) {
		uint8_t head[100] = {0, 0, 0, (uint8_t)length};
		struct ww_cursor c = ww_cursor(ww_slice(head, sizeof(head)));

		assert_int_equal(ww_payload_next(&c, &p), WW_PARSE_BAD);
	}
}

static void test_frames(void **state)
{
	WW_AUTO_BUF struct ww_buf b = {0};
	struct ww_payload p;
	struct ww_cursor c;

	ww_buf_init(&b, 4096);
	frame(7, "{\"a\":1}", &b);
	frame(8, "x", &b);
	c = ww_cursor(ww_buf_slice(&b));
	assert_int_equal(ww_payload_next(&c, &p), WW_PARSE_DONE);
	assert_true(p.index == 7 && !p.erased && ww_slice_eq_str(p.json, "{\"a\":1}"));
	assert_int_equal(ww_payload_next(&c, &p), WW_PARSE_DONE);
	assert_true(p.index == 8 && ww_slice_eq_str(p.kind, "flow"));
	assert_int_equal(ww_payload_next(&c, &p), WW_PARSE_END);
}

/* An erasure that was torn in the middle reads as damaged, and erasing again finishes it. */
static void test_torn_erasure(void **state)
{
	static const char json[] = "{\"text\":\"a secret that must go away\"}";
	char records[PATH_LEN], dir[PATH_LEN];
	WW_AUTO(ww_payload_reader_free_auto) struct ww_payload_reader *r = NULL;
	WW_AUTO_BUF struct ww_buf b = {0}, file = {0};
	struct ww_payload_writer w;
	struct ww_errtext why = {""};
	struct ww_payload p;
	int fd;

	assert_int_equal(mkdir(at(*state, "log", dir), 0700), 0);
	fd = open(dir, O_RDONLY | O_DIRECTORY);
	ww_buf_init(&b, 4096);
	assert_int_equal(ww_payload_writer_open(fd, 0, &w, &why), 0);
	for (uint64_t i = 0; i < 3; i++)
		frame(i, json, &b);
	assert_int_equal(ww_payload_writer_put(&w, 0, ww_buf_slice(&b)), 0);
	ww_payload_writer_advance(&w, b.n);
	at(*state, "log/records/00000000000000000000", records);
	flip(records, (b.n / 2) * 8); /* inside the second record's text */
	assert_int_equal(ww_payload_reader_new(fd, &r), 0);
	assert_int_equal(ww_payload_reader_get(r, 1, &p), -EUCLEAN);
	assert_int_equal(ww_payload_writer_erase(&w, 1), 0);
	assert_int_equal(ww_payload_writer_erase(&w, 3), -ENODATA);
	for (uint64_t i = 3; i-- > 0;) {
		ww_payload_reader_free(r);
		assert_int_equal(ww_payload_reader_new(fd, &r), 0);
		assert_int_equal(ww_payload_reader_get(r, i, &p), 0);
		assert_true(p.index == i && p.erased == (i == 1));
	}
	assert_int_equal(ww_payload_reader_get(r, 3, &p), -ENODATA);
	slurp(records, &file);
	assert_int_equal(file.n, b.n);
	ww_payload_writer_done(&w);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_damaged_frames),
		cmocka_unit_test(test_frames),
		SCRATCH_TEST(test_torn_erasure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
