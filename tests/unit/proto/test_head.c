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
	ww_head_begin(&h, &key);
	return 0;
}

static void field(const char *name, const char *value, bool request)
{
	assert_true(ww_head_name(&h, ww_slice_str(name)));
	assert_true(ww_head_value(&h, ww_slice_str(value), request));
	ww_head_field(&h, &x, request);
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
	ww_head_begin(&h, &key);
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
	ww_head_field(&h, &x, true);
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

static void a_vendors_own_request_id_will_do(void **state)
{
	field("x-amzn-requestid", "aws", false);
	field("apim-request-id", "again", false);
	assert_string_equal(x.request_id, "aws");
	field("request-id", "better", false);
	assert_string_equal(x.request_id, "better");
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
		ww_head_begin(&h, &key);
		field("content-encoding", c[i].a, false);
		field("content-encoding", c[i].b, false);
		assert_int_equal(h.coding, c[i].coding);
	}
	ww_head_begin(&h, &key);
	field("transfer-encoding", "chunked", false);
	assert_false(h.transfer_other);
	ww_head_begin(&h, &key);
	field("transfer-encoding", "gzip, chunked", false);
	assert_true(h.transfer_other);
}

static void retry_after_seconds_or_date(void **state)
{
	field("retry-after", "120", false);
	field("retry-after", "7", false);
	assert_int_equal(x.retry_after_s, 120);
	memset(&x, 0, sizeof(x));
	ww_head_begin(&h, &key);
	field("retry-after", "Fri, 31 Dec 1999 23:59:59 GMT", false);
	assert_true(x.retry_after);
	assert_int_equal(x.retry_after_s, 0);
	ww_head_begin(&h, &key);
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
	ww_head_begin(&h, &key);
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

/* What an answer's fields say of place: by an allow-list, of answers only, in order. */
static void places(void **state)
{
	static const struct {
		enum ww_place_from from;
		const char *says;
	} want[] = {
		{WW_PLACE_CF_RAY, "FRA"},        {WW_PLACE_AMZ_CF_POP, "FRA56-P1"},
		{WW_PLACE_MS_REGION, "East US"}, {WW_PLACE_AZURE_REF, "20261128T0102Z-1a"},
		{WW_PLACE_VIA, "1.1 google"},
	};
	char longer[WW_FIELD_BYTES_MAX + 2] = {0};

	field("CF-RAY", "8f2c6d1e0a1b2c3d-FRA", true);
	field("via", "1.1 own-proxy", true);
	assert_int_equal(x.places.count, 0);
	field("CF-RAY", "8f2c6d1e0a1b2c3d-FRA", false);
	field("cf-ray", "8f2c6d1e0a1b2c3e-FRA", false);
	field("X-Amz-Cf-Pop", "FRA56-P1", false);
	field("x-ms-region", " East US ", false);
	field("x-azure-ref", "20261128T0102Z-1a", false);
	field("Via", "1.1 google", false);
	field("x-region", "eu-west-1", false);
	field("server-timing", "edge;dur=1", false);
	assert_int_equal(x.places.count, WW_ARRAY_SIZE(want));
	for (size_t i = 0; i < WW_ARRAY_SIZE(want); i++) {
		assert_int_equal(x.places.item[i].from, want[i].from);
		assert_string_equal(x.places.item[i].says, want[i].says);
	}
	assert_false(x.places.more);
	memset(longer, 'v', WW_FIELD_BYTES_MAX + 1);
	field("via", longer, false);
	assert_true(x.places.more);
	assert_int_equal(x.places.count, WW_ARRAY_SIZE(want));
	/* Behind the body it is too late to be of the head. */
	h.trailer = true;
	field("cf-ray", "8f2c6d1e0a1b2c3d-SIN", false);
	assert_int_equal(x.places.count, WW_ARRAY_SIZE(want));
}

#define T(f) cmocka_unit_test_setup(f, setup)

static uint64_t caller_of(const char *const fields[][2])
{
	setup(NULL);
	for (; (*fields)[0]; fields++)
		field((*fields)[0], (*fields)[1], true);
	assert_false(x.caller_known);
	ww_head_end(&h, &x, true);
	assert_true(x.caller_known);
	return x.caller;
}

#define CALLER(...) caller_of((const char *const[][2]){__VA_ARGS__, {NULL, NULL}})

/* In any order, under any case, in any number of pieces. */
static void tells_callers_apart(void **state)
{
	uint64_t a = CALLER({"Authorization", "Bearer a"}, {"X-Tenant", "7"});

	assert_int_not_equal(a, 0);
	assert_int_equal(CALLER({"x-tenant", "7"}, {"AUTHORIZATION", "Bearer a"}), a);
	assert_int_equal(CALLER({"accept", "*/*"}, {"x-tenant", "7"}, {"host", "h"},
				{"authorization", "Bearer a"}),
			 a);
	assert_int_not_equal(CALLER({"authorization", "Bearer b"}, {"x-tenant", "7"}), a);
	assert_int_not_equal(CALLER({"authorization", "Bearer a"}, {"x-tenant", "8"}), a);
	assert_int_not_equal(CALLER({"authorization", "Bearer a"}), a);
	assert_int_not_equal(CALLER({"authorization", "7"}, {"x-tenant", "Bearer a"}), a);
	assert_int_not_equal(CALLER({"cookie", ""}), 0);
	assert_int_equal(CALLER({"accept", "*/*"}, {"user-agent", "x/1"}), 0);

	setup(NULL);
	assert_true(ww_head_name(&h, WW_SLICE_LIT("Authori")));
	assert_true(ww_head_name(&h, WW_SLICE_LIT("zation")));
	assert_true(ww_head_value(&h, WW_SLICE_LIT("Bear"), true));
	assert_true(ww_head_value(&h, WW_SLICE_LIT("er a"), true));
	ww_head_field(&h, &x, true);
	assert_null(memmem(h.value, sizeof(h.value), "Bear", 4));
	field("x-tenant", "7", true);
	ww_head_end(&h, &x, true);
	assert_int_equal(x.caller, a);
}

static void which_fields_say_who_asks(void **state)
{
	static const char *const say[] = {
		"authorization",
		"Proxy-Authorization",
		"Cookie",
		"x-api-key",
		"apikey",
		"X-Auth-Token",
		"x-amz-security-token",
		"Ocp-Apim-Subscription-Key",
		"stripe-account",
		"OpenAI-Organization",
		"x_tenant_id",
		"X-Goog-User-Project",
		"x-signature",
		"x-a-name-that-is-so-long-that-nobody-knows-where-it-ends",
	};
	static const char *const silent[] = {
		"host",
		"accept",
		"user-agent",
		"idempotency-key",
		"x-request-id",
		"content-type",
		"traceparent",
		"sec-websocket-key",
		"x-stainless-arch",
		"if-none-match",
		"x-user-request-id",
		"keep-alive",
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(say); i++)
		if (!ww_caller_field(ww_slice_sub(ww_slice_str(say[i]), 0, WW_CALLER_NAME_MAX)))
			fail_msg("%s", say[i]);
	for (size_t i = 0; i < WW_ARRAY_SIZE(silent); i++)
		if (ww_caller_field(ww_slice_str(silent[i])))
			fail_msg("%s", silent[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(must_refuse_bad_traceparents),
		T(takes_good_traceparents),
		T(two_traceparents_are_none),
		T(fields_belong_to_their_side),
		T(names_must_match_whole),
		T(pieces_and_empty_values),
		T(request_ids_by_preference),
		T(codings_add_up),
		T(a_vendors_own_request_id_will_do),
		T(codings_add_up),
		T(retry_after_seconds_or_date),
		T(tells_callers_apart),
		T(which_fields_say_who_asks),
		T(a_cut_idempotency_key_has_no_digest),
		T(authority_by_target),
		T(places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
