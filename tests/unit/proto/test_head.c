/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/head.h"

#include <wirewitness/limits.h>

static struct ww_exchange x;
static struct ww_digest_key key;
static struct ww_head h;

static int setup(void **state)
{
	static const uint8_t k[32] = {1};

	memset(&x, 0, sizeof(x));
	ww_digest_key_init(&key, k);
	ww_head_begin(&h);
	return 0;
}

static void field(const char *name, const char *value, bool request)
{
	assert_true(ww_head_name(&h, ww_slice_str(name)));
	assert_true(ww_head_value(&h, ww_slice_str(value), request));
	ww_head_field(&h, &x, &key, request);
}

static void must_refuse_bad_traceparents(void **state)
{
	static const char *const bad[] = {
		"",
		"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
		"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-011",
		"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
		"ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		"00-00000000000000000000000000000000-b7ad6b7169203331-01",
		"00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
		"00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		"00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01",
		"00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		"01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.x",
	};
	struct ww_trace_context t = {0}, zero = {0};

	for (size_t i = 0; i < WW_ARRAY_SIZE(bad); i++)
		if (ww_head_traceparent(ww_slice_str(bad[i]), &t))
			fail_msg("taken: %s", bad[i]);
	assert_memory_equal(&t, &zero, sizeof(t));
}

static void takes_good_traceparents(void **state)
{
	struct ww_trace_context t = {0};

	assert_true(ww_head_traceparent(
		WW_SLICE_LIT("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"), &t));
	assert_true(t.present);
	assert_int_equal(t.flags, 0);
	assert_true(ww_head_traceparent(
		WW_SLICE_LIT("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-later"), &t));
	assert_int_equal(t.flags, 1);
	assert_int_equal(t.trace_id[15], 0x9c);
}

static void two_traceparents_are_none(void **state)
{
	static const char tp[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

	field("traceparent", tp, true);
	field("Traceparent", tp, true);
	assert_false(x.trace.present);
}

static void fields_belong_to_their_side(void **state)
{
	field("X-Request-Id", "forged", true);
	field("Retry-After", "9", true);
	assert_string_equal(x.request_id, "");
	assert_false(x.retry_after);
	ww_head_begin(&h);
	field("Host", "forged", false);
	field("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false);
	field("Idempotency-Key", "k", false);
	assert_string_equal(x.authority, "");
	assert_false(x.trace.present);
	assert_string_equal(x.idempotency_key_digest, "");
}

static void names_must_match_whole(void **state)
{
	field("hostx", "a", true);
	field("hos", "a", true);
	field("x-host", "a", true);
	field("content-encodings", "gzip", true);
	field("a-name-that-is-longer-than-any-name-on-the-list", "a", true);
	assert_string_equal(x.authority, "");
	assert_int_equal(h.coding, WW_CODING_IDENTITY);
}

static void pieces_and_empty_values(void **state)
{
	assert_true(ww_head_name(&h, WW_SLICE_LIT("Ho")));
	assert_true(ww_head_name(&h, WW_SLICE_LIT("st")));
	assert_true(ww_head_value(&h, WW_SLICE_LIT("a.exa"), true));
	assert_true(ww_head_value(&h, WW_SLICE_LIT("mple "), true));
	ww_head_field(&h, &x, &key, true);
	field("content-type", "", true);
	field("content-type", "a/b", true);
	assert_string_equal(x.authority, "a.example");
	assert_string_equal(x.req.content_type, "a/b");
}

static void request_ids_by_preference(void **state)
{
	field("apim-request-id", "third", false);
	field("request-id", "second", false);
	field("x-request-id", "first", false);
	field("x-request-id", "again", false);
	field("request-id", "again", false);
	assert_string_equal(x.request_id, "first");
}

static void codings_add_up(void **state)
{
	static const struct {
		const char *a, *b;
		enum ww_coding coding;
	} c[] = {{"gzip", "identity", WW_CODING_GZIP},
		 {"identity", "gzip", WW_CODING_GZIP},
		 {"gzip", "gzip", WW_CODING_OTHER},
		 {"br", "gzip", WW_CODING_OTHER},
		 {"gzip, br", "identity", WW_CODING_OTHER}};

	for (size_t i = 0; i < WW_ARRAY_SIZE(c); i++) {
		ww_head_begin(&h);
		field("content-encoding", c[i].a, false);
		field("content-encoding", c[i].b, false);
		assert_int_equal(h.coding, c[i].coding);
	}
	ww_head_begin(&h);
	field("transfer-encoding", "chunked", false);
	assert_false(h.transfer_other);
	ww_head_begin(&h);
	field("transfer-encoding", "gzip, chunked", false);
	assert_true(h.transfer_other);
}

static void retry_after_seconds_or_date(void **state)
{
	field("retry-after", "120", false);
	field("retry-after", "7", false);
	assert_int_equal(x.retry_after_s, 120);
	memset(&x, 0, sizeof(x));
	ww_head_begin(&h);
	field("retry-after", "Fri, 31 Dec 1999 23:59:59 GMT", false);
	assert_true(x.retry_after);
	assert_int_equal(x.retry_after_s, 0);
	ww_head_begin(&h);
	field("retry-after", "99999999999999999999", false);
	assert_int_equal(x.retry_after_s, 0);
}

/* Two keys with the same long beginning must not look equal. */
static void a_cut_idempotency_key_has_no_digest(void **state)
{
	char long_key[WW_FIELD_BYTES_MAX + 2];

	memset(long_key, 'k', sizeof(long_key));
	long_key[sizeof(long_key) - 1] = '\0';
	field("idempotency-key", long_key, true);
	assert_string_equal(x.idempotency_key_digest, "");
	assert_true(x.findings & WW_X_CUT);
	ww_head_begin(&h);
	field("Idempotency-Key", "short", true);
	assert_int_equal(strlen(x.idempotency_key_digest), 64);
}

static void authority_by_target(void **state)
{
	static const struct {
		const char *method, *target, *host, *want;
	} c[] = {
		{"GET", "/x@y", "a.example:1", "a.example:1"},
		{"GET", "/", "u:p@a.example", "a.example"},
		{"GET", "http://b.example/x@y", "a.example", "b.example"},
		{"GET", "HTTPS://u:p@w@b.example?x", "a.example", "b.example"},
		{"CONNECT", "c.example:443", "a.example", "c.example:443"},
		{"OPTIONS", "*", "a.example", "a.example"},
		{"GET", "/", "", ""},
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(c); i++) {
		memset(&x, 0, sizeof(x));
		memcpy(x.method, c[i].method, strlen(c[i].method));
		memcpy(x.target, c[i].target, strlen(c[i].target));
		memcpy(x.authority, c[i].host, strlen(c[i].host));
		ww_head_authority(&x);
		assert_string_equal(x.authority, c[i].want);
	}
}

#define T(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(must_refuse_bad_traceparents), T(takes_good_traceparents),
		T(two_traceparents_are_none),    T(fields_belong_to_their_side),
		T(names_must_match_whole),       T(pieces_and_empty_values),
		T(request_ids_by_preference),    T(codings_add_up),
		T(retry_after_seconds_or_date),  T(a_cut_idempotency_key_has_no_digest),
		T(authority_by_target),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
