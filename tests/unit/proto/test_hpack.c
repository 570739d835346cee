/* SPDX-License-Identifier: Apache-2.0 */
/* The examples of RFC 7541, what is refused, and what is known after a loss (invariants of
 * hpack.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/encode.h"
#include "proto/hpack.h"

/* "name: value\n" of each field; "?" for what is not known; the answer that ended it. */
static enum ww_parse read_block(struct ww_hpack *h, const char *hex, char *out, size_t cap)
{
	struct ww_parse_error error = {0};
	struct ww_hpack_field f;
	size_t n = strlen(hex) / 2, used = 0;
	uint8_t *block = malloc(n ? n : 1);
	enum ww_parse r;

	assert_non_null(block);
	assert_int_equal(ww_hex_decode(ww_slice_str(hex), block, n), 0);
	ww_hpack_begin(h, ww_slice(block, n));
	out[0] = '\0';
	while ((r = ww_hpack_next(h, &f, &error)) == WW_PARSE_DONE || r == WW_PARSE_GAP) {
		assert_true(r == WW_PARSE_GAP || f.named);
		used += (size_t)snprintf(
			out + used, cap - used, "%.*s: %.*s\n", f.named ? (int)f.name.n : 1,
			f.named ? (const char *)f.name.p : "?", f.kept ? (int)f.value.n : 1,
			f.kept ? (const char *)f.value.p : "?");
		assert_true(used < cap);
	}
	assert_true(r != WW_PARSE_BAD || error.reason);
	free(block);
	return r;
}

static void is(struct ww_hpack *h, const char *hex, enum ww_parse answer, const char *text)
{
	char got[1024];

	assert_int_equal(read_block(h, hex, got, sizeof(got)), answer);
	assert_string_equal(got, text);
}

static struct ww_digest_key key;

static struct ww_hpack *fresh(ww_hpack_want_fn want)
{
	struct ww_hpack *h = NULL;

	assert_int_equal(ww_hpack_new(want, &key, &h), 0);
	assert_true(ww_hpack_whole(h));
	return h;
}

#define EXAMPLE ":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com\n"

static void test_rfc_requests(void **state)
{
	static const char *const blocks[2][3] = {
		{"828684410f7777772e6578616d706c652e636f6d", "828684be58086e6f2d6361636865",
		 "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565"},
		{"828684418cf1e3c2e5f23a6ba0ab90f4ff", "828684be5886a8eb10649cbf",
		 "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf"},
	};

	for (int i = 0; i < 2; i++) {
		struct ww_hpack *h = fresh(NULL);

		is(h, blocks[i][0], WW_PARSE_END, EXAMPLE);
		is(h, blocks[i][1], WW_PARSE_END, EXAMPLE "cache-control: no-cache\n");
		is(h, blocks[i][2], WW_PARSE_END,
		   ":method: GET\n:scheme: https\n:path: /index.html\n:authority: www.example.com\n"
		   "custom-key: custom-value\n");
		ww_hpack_free(h);
	}
}

/* C.6: a table of 256 bytes, so that entries are evicted. */
static void test_rfc_responses(void **state)
{
	struct ww_hpack *h = fresh(NULL);

	is(h,
	   "3fe101488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad"
	   "171863c78f0b97c8e9ae82ae43d3",
	   WW_PARSE_END,
	   ":status: 302\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:21 GMT\n"
	   "location: https://www.example.com\n");
	is(h, "4883640effc1c0bf", WW_PARSE_END,
	   ":status: 307\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:21 GMT\n"
	   "location: https://www.example.com\n");
	is(h,
	   "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b3"
	   "35dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
	   WW_PARSE_END,
	   ":status: 200\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:22 GMT\n"
	   "location: https://www.example.com\ncontent-encoding: gzip\n"
	   "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1\n");
	/* The third block's entries took the whole of it: the first ones are gone. */
	is(h, "c1", WW_PARSE_BAD, "");
	ww_hpack_free(h);
}

static void test_broken(void **state)
{
	static const struct {
		const char *hex;
		enum ww_parse answer;
	} rows[] = {
		{"", WW_PARSE_END},
		{"80", WW_PARSE_BAD},                 /* index 0 */
		{"be", WW_PARSE_BAD},                 /* nothing was added yet */
		{"ff80808080", WW_PARSE_MORE},        /* */
		{"ff8080808080", WW_PARSE_BAD},       /* more than 32 bits of octets */
		{"ffffffffff0f", WW_PARSE_BAD},       /* more than 32 bits */
		{"3fe21f", WW_PARSE_BAD},             /* a table of 4097 bytes */
		{"3fe11f", WW_PARSE_END},             /* of 4096 */
		{"203fe11f82", WW_PARSE_END},         /* two updates, as section 4.2 allows */
		{"8220", WW_PARSE_BAD},               /* an update behind a field */
		{"40", WW_PARSE_MORE},                /* */
		{"400161", WW_PARSE_MORE},            /* */
		{"40016102", WW_PARSE_MORE},          /* */
		{"4001610161", WW_PARSE_END},         /* */
		{"00016181ff", WW_PARSE_BAD},         /* 8 bits of padding */
		{"0001618100", WW_PARSE_BAD},         /* padding of zeros */
		{"000161811f", WW_PARSE_END},         /* 'a', padding of ones */
		{"000161850fffffffff", WW_PARSE_BAD}, /* EOS within */
		{"7f808080800000", WW_PARSE_BAD},     /* name at index 63 */
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		struct ww_hpack *h = fresh(NULL);
		char got[1024];

		assert_int_equal(read_block(h, rows[i].hex, got, sizeof(got)), rows[i].answer);
		ww_hpack_free(h);
	}
}

/* Invariant 1: what was added since is known by its place, what is older is not. */
static void test_after_a_loss(void **state)
{
	struct ww_hpack *h = fresh(NULL);

	is(h, "4001610131", WW_PARSE_END, "a: 1\n");
	ww_hpack_lost(h);
	assert_false(ww_hpack_whole(h));
	/* Static entries and literals need no table. */
	is(h, "82000162013288", WW_PARSE_END, ":method: GET\nb: 2\n:status: 200\n");
	is(h, "be", WW_PARSE_END, "?: ?\n");
	is(h, "4001630133be", WW_PARSE_END, "c: 3\nc: 3\n");
	is(h, "bebf", WW_PARSE_END, "c: 3\n?: ?\n");
	/* A known value under an unknown name is an entry of its own, and still unknown. */
	is(h, "7f000134bebf", WW_PARSE_END, "?: ?\n?: ?\nc: 3\n");
	ww_hpack_free(h);
}

/* Invariant 2: the declared size leaves no room for what is not held. */
static void test_whole_again(void **state)
{
	struct ww_hpack *h = fresh(NULL);

	ww_hpack_lost(h);
	is(h, "4001630133", WW_PARSE_END, "c: 3\n");
	is(h, "3f22", WW_PARSE_END, ""); /* 65 = 34 + 31: no second entry fits */
	assert_true(ww_hpack_whole(h));
	is(h, "bf", WW_PARSE_BAD, "");
	ww_hpack_free(h);
	h = fresh(NULL);
	ww_hpack_lost(h);
	is(h, "4001630133", WW_PARSE_END, "c: 3\n");
	is(h, "3f23", WW_PARSE_END, ""); /* 66: one of 32 bytes might */
	assert_false(ww_hpack_whole(h));
	is(h, "bf", WW_PARSE_END, "?: ?\n");
	is(h, "20", WW_PARSE_END, "");
	assert_true(ww_hpack_whole(h));
	is(h, "be", WW_PARSE_BAD, "");
	ww_hpack_free(h);
}

/* An entry that does not fit empties the table, and is no error. */
static void test_oversized(void **state)
{
	struct ww_hpack *h = fresh(NULL);

	is(h, "3f0f4001610131", WW_PARSE_END, "a: 1\n"); /* 46 bytes */
	is(h, "40016209313233343536373839be", WW_PARSE_END, "b: 123456789\nb: 123456789\n");
	is(h, "4001620f313233343536373839303132333435", WW_PARSE_END, "b: 123456789012345\n");
	is(h, "be", WW_PARSE_BAD, "");
	ww_hpack_free(h);
}

/* The reader may allow more than is kept here: what is beyond is unknown, not an error. */
static void test_ceiling(void **state)
{
	struct ww_hpack *h = fresh(NULL);
	enum { ENTRIES = WW_HPACK_TABLE_BYTES_MAX / 34 };

	ww_hpack_allow(h, 1 << 20);
	is(h, "3fe1ff3f", WW_PARSE_END, ""); /* 2^20 */
	for (int i = 0; i < ENTRIES + 1; i++)
		is(h, "4001610131", WW_PARSE_END, "a: 1\n");
	assert_false(ww_hpack_whole(h));
	is(h, "ffa202", WW_PARSE_END, "a: 1\n");         /* 417 = 61 + 356 */
	is(h, "fff803be", WW_PARSE_END, "?: ?\na: 1\n"); /* 631 = 61 + 570 */
	ww_hpack_free(h);
}

static enum ww_hpack_want want_path(struct ww_slice name)
{
	return ww_slice_eq_str(name, ":path")    ? WW_HPACK_KEEP
	       : ww_slice_eq_str(name, "cookie") ? WW_HPACK_DIGEST
						 : WW_HPACK_MEASURE;
}

/* Secrets stay out, and count in the table all the same. */
static void test_unwanted(void **state)
{
	struct ww_hpack *h = fresh(want_path);

	is(h, "3f1557023132be", WW_PARSE_END, "authorization: ?\nauthorization: ?\n"); /* 52 */
	is(h, "44023132be", WW_PARSE_END, ":path: 12\n:path: 12\n");
	is(h, "bf", WW_PARSE_BAD, "");
	ww_hpack_free(h);
}

/* Who asks, told apart without keeping what says so: the same from the block and from the table. */
static void test_digested(void **state)
{
	static const uint8_t blocks[2][10] = {{0x60, 2, 'a', '1', 0xbe, 0x60, 2, 'a', '2', 0xbe},
					      {0x60, 2, 'a', '2', 0xbe, 0x60, 2, 'a', '1', 0xbe}};
	static const uint8_t secret[32] = "unit test key";
	uint64_t digest[2][4];

	ww_digest_key_init(&key, secret);
	for (int i = 0; i < 2; i++) {
		struct ww_hpack *h = fresh(want_path);
		struct ww_parse_error error;
		struct ww_hpack_field f;

		ww_hpack_begin(h, ww_slice(blocks[i], sizeof(blocks[i])));
		for (int k = 0; k < 4; k++) {
			assert_int_equal(ww_hpack_next(h, &f, &error), WW_PARSE_DONE);
			assert_true(f.digested && !f.kept && f.value.n == 0);
			digest[i][k] = f.digest;
		}
		ww_hpack_free(h);
	}
	assert_true(digest[0][0] == digest[0][1] && digest[0][2] == digest[0][3]);
	assert_true(digest[0][0] != digest[0][2] && digest[0][0] == digest[1][2]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc_requests), cmocka_unit_test(test_rfc_responses),
		cmocka_unit_test(test_broken),       cmocka_unit_test(test_after_a_loss),
		cmocka_unit_test(test_whole_again),  cmocka_unit_test(test_oversized),
		cmocka_unit_test(test_ceiling),      cmocka_unit_test(test_unwanted),
		cmocka_unit_test(test_digested),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
