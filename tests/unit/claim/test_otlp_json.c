/* SPDX-License-Identifier: Apache-2.0 */
/* OTLP's JSON mapping, rule by rule, and hostile JSON. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>

#include "claim/otlp.h"

#define IDS           "\"traceId\":\"5b8efff798038103d269b633813fc60c\",\"spanId\":\"eee19b7ec3c1b174\""
#define SPANS(spans)  "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[" spans "]}]}]}"
#define SPAN(members) SPANS("{" IDS "," members "}")
#define VALUE(any)    SPAN("\"attributes\":[{\"key\":\"k\",\"value\":" any "}]")

static struct {
	unsigned spans;
	struct ww_span last; /* without memory */
	char key[300], value[WW_ATTR_BYTES_MAX + 1];
	uint8_t type;
	bool cut;
} got;

static void take(void *ctx, struct ww_span *s)
{
	got.spans++;
	got.last = *s;
	got.last.attrs = NULL;
	got.last.memory = NULL;
	if (s->attr_count == 0)
		return;
	snprintf(got.key, sizeof(got.key), "%s", s->attrs[0].key);
	snprintf(got.value, sizeof(got.value), "%s", s->attrs[0].value);
	got.type = s->attrs[0].type;
	got.cut = s->attrs[0].cut;
}

static int decode(const char *json, struct ww_otlp_result *ret)
{
	size_t n = strlen(json);
	uint8_t *copy WW_AUTO_FREE = malloc(n + 1);

	assert_non_null(copy);
	memcpy(copy, json, n);
	memset(&got, 0, sizeof(got));
	return ww_otlp_decode(WW_CLAIM_OTLP_JSON, ww_slice(copy, n), take, NULL, ret);
}

static void assert_rejected(const char *json, const char *why)
{
	struct ww_otlp_result result;
	char message[200];

	snprintf(message, sizeof(message), "span rejected: %s", why);
	assert_int_equal(decode(json, &result), 0);
	assert_int_equal(got.spans, 0);
	assert_int_equal(result.rejected, 1);
	assert_string_equal(result.message, message);
}

static void assert_value(const char *json, uint8_t type, const char *value)
{
	struct ww_otlp_result result;

	assert_int_equal(decode(json, &result), 0);
	assert_string_equal(result.message, "");
	assert_int_equal(got.spans, 1);
	assert_int_equal(got.last.attr_count, 1);
	assert_string_equal(got.key, "k");
	assert_int_equal(got.type, type);
	assert_string_equal(got.value, value);
	assert_false(got.cut);
}

/* --- broken -------------------------------------------------------------------------------------
 */

static void not_a_request(void **state)
{
	static const char *const texts[] = {
		"",
		"null",
		"[]",
		"1",
		"{",
		"{}x",
		"{\"resourceSpans\":{}}",
		"{\"resourceSpans\":[1]}",
		"{\"resourceSpans\":[null]}",
		"{\"resourceSpans\":[{\"scopeSpans\":{}}]}",
		"{\"resourceSpans\":[{\"scopeSpans\":[[]]}]}",
		"{\"resourceSpans\":[{\"resource\":[]}]}",
		"{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":1}]}}]}",
		"{\"resourceSpans\":[{\"scopeSpans\":[{\"scope\":{\"name\":1}}]}]}",
		"{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":{}}]}]}",
		"{\"resourceSpans\":[],}",
		"{\"resourceSpans\":[],\"x\":\"\xff\"}",
	};
	struct ww_otlp_result result;

	for (size_t i = 0; i < WW_ARRAY_SIZE(texts); i++) {
		assert_int_equal(decode(texts[i], &result), -EBADMSG);
		assert_memory_equal(result.message, "malformed request: ", 19);
	}
}

static void read_golden(struct ww_buf *out)
{
	uint8_t *to;
	FILE *f = fopen("tests/golden/otlp/agent_turn.json", "rbe");

	assert_non_null(f);
	ww_buf_init(out, 65536);
	assert_int_equal(ww_buf_reserve(out, 65536, &to), 0);
	out->n = fread(to, 1, 65536, f);
	fclose(f);
}

static void truncated(void **state)
{
	struct ww_buf body WW_AUTO_BUF = {0};
	struct ww_otlp_result result;

	read_golden(&body);
	for (size_t cut = 0; cut < body.n; cut++) {
		uint8_t *copy WW_AUTO_FREE = malloc(cut + 1);

		assert_non_null(copy);
		memcpy(copy, body.p, cut);
		memset(&got, 0, sizeof(got));
		assert_int_equal(ww_otlp_decode(WW_CLAIM_OTLP_JSON, ww_slice(copy, cut), take, NULL,
						&result),
				 -EBADMSG);
		assert_string_equal(result.message, "malformed request: the JSON is cut off");
		/* Spans before the cut were delivered, and the result says so. */
		assert_int_equal(result.spans, got.spans);
		assert_int_equal(result.rejected, 0);
	}
}

static void flipped_bits(void **state)
{
	struct ww_buf body WW_AUTO_BUF = {0};
	struct ww_otlp_result result;

	read_golden(&body);
	for (size_t bit = 0; bit < body.n * 8; bit++) {
		int r;

		body.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
		memset(&got, 0, sizeof(got));
		r = ww_otlp_decode(WW_CLAIM_OTLP_JSON, ww_buf_slice(&body), take, NULL, &result);
		assert_true(r == 0 || r == -EBADMSG);
		assert_int_equal(result.spans, got.spans);
		assert_true(result.spans + result.rejected <= 3);
		body.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

/* --- the mapping --------------------------------------------------------------------------------
 */

static void ids(void **state)
{
	struct ww_otlp_result result;

	assert_int_equal(decode(SPANS("{\"traceId\":\"5B8EFFF798038103D269B633813FC60C\","
				      "\"spanId\":\"EEe19b7ec3c1b174\",\"parentSpanId\":\"\"}"),
				&result),
			 0);
	assert_int_equal(got.spans, 1);
	assert_memory_equal(got.last.trace_id, "\x5b\x8e\xff\xf7\x98\x03", 6);
	assert_memory_equal(got.last.span_id, "\xee\xe1\x9b", 3);
	assert_rejected(SPANS("{\"traceId\":\"5b8e\",\"spanId\":\"eee19b7ec3c1b174\"}"),
			"trace id is not 32 hexadecimal digits");
	/* Base64, as plain protobuf JSON would have it. */
	assert_rejected(
		SPANS("{\"traceId\":\"W47/95gDgQPSabYzgT/GDA==\",\"spanId\":\"eee19b7ec3c1b174\"}"),
		"trace id is not 32 hexadecimal digits");
	assert_rejected(SPANS("{\"traceId\":\"5b8efff798038103d269b633813fc60c\",\"spanId\":"
			      "\"eee19b7ec3c1b17\"}"),
			"span id is not 16 hexadecimal digits");
	assert_rejected(SPANS("{\"traceId\":\"5b8efff798038103d269b633813fc60c\",\"spanId\":"
			      "\"zzz19b7ec3c1b174\"}"),
			"span id is not 16 hexadecimal digits");
	assert_rejected(SPANS("{\"traceId\":1,\"spanId\":\"eee19b7ec3c1b174\"}"),
			"id: string expected");
	assert_rejected(SPANS("{\"traceId\":\"5b8efff798038103d269b633813fc60c\"}"),
			"span id is absent or all zero");
	assert_rejected(SPANS("{\"traceId\":null,\"spanId\":\"eee19b7ec3c1b174\"}"),
			"trace id is absent or all zero");
	assert_rejected(SPANS("{}"), "trace id is absent or all zero");
}

static void one_malformed_span(void **state)
{
	struct ww_otlp_result result;

	assert_int_equal(decode(SPANS("{" IDS ",\"name\":\"a\"},"
				      "{" IDS ",\"name\":{\"x\":[1,{}]},\"kind\":[[]]},"
				      "7,"
				      "{" IDS ",\"attributes\":[{\"key\":\"k\",\"value\":{"
				      "\"stringValue\":[1,[2]]}}]},"
				      "{" IDS ",\"name\":\"b\"}"),
				&result),
			 0);
	assert_int_equal(result.spans, 2);
	assert_int_equal(result.rejected, 3);
	assert_string_equal(result.message, "span rejected: string expected");
	assert_string_equal(got.last.name, "b");
}

static void numbers(void **state)
{
	struct ww_otlp_result result;

	assert_int_equal(decode(SPAN("\"kind\":3,\"startTimeUnixNano\":\"1795428000123456789\","
				     "\"endTimeUnixNano\":1795428000123456790,\"status\":{\"code\":"
				     "2,\"message\":\"x\"},"
				     "\"flags\":257"),
				&result),
			 0);
	assert_int_equal(got.last.kind, 3);
	assert_int_equal(got.last.status, WW_SPAN_ERROR);
	assert_true(got.last.start.ns == 1795428000123456789u);
	assert_true(got.last.end.ns == 1795428000123456790u);
	assert_true(got.last.trace_sampled_known && got.last.trace_sampled);
	/* Enums are integers only; what is not known is nothing. */
	assert_rejected(SPAN("\"kind\":\"SPAN_KIND_CLIENT\""), "enum values are integers");
	assert_rejected(SPAN("\"kind\":\"3\""), "enum values are integers");
	assert_rejected(SPAN("\"status\":{\"code\":\"STATUS_CODE_OK\"}"),
			"enum values are integers");
	assert_int_equal(decode(SPAN("\"kind\":77,\"status\":{\"code\":9}"), &result), 0);
	assert_int_equal(got.last.kind, 0);
	assert_int_equal(got.last.status, WW_SPAN_UNSET);
	assert_rejected(SPAN("\"startTimeUnixNano\":-1"), "unsigned integer expected");
	assert_rejected(SPAN("\"startTimeUnixNano\":1.5"), "unsigned integer expected");
	assert_rejected(SPAN("\"startTimeUnixNano\":\"18446744073709551616\""),
			"unsigned integer expected");
	assert_rejected(SPAN("\"flags\":4294967296"), "32-bit integer expected");
}

/* Snake case and unknown names are not ours; null is absent. */
static void names(void **state)
{
	struct ww_otlp_result result;

	assert_int_equal(
		decode("{\"x\":[{\"y\":1}],\"resource_spans\":1,\"resourceSpans\":[{\"schemaUrl\":"
		       "\"s\","
		       "\"scopeSpans\":[{\"z\":{},\"scope\":null,\"spans\":[{" IDS ",\"name\":null,"
		       "\"start_time_unix_nano\":\"5\",\"unknown\":[[[{}]]],\"links\":[7],"
		       "\"attributes\":null,\"events\":null,\"status\":null}]},{\"spans\":null}]},"
		       "{\"scopeSpans\":null}]}",
		       &result),
		0);
	assert_int_equal(got.spans, 1);
	assert_true(got.last.start.ns == 0);
	/* Names may be written with escapes. */
	assert_int_equal(decode(SPAN("\"n\\u0061me\":\"\\ud83d\\ude80 \\u0000\""), &result), 0);
	assert_string_equal(got.last.name, "🚀 \xef\xbf\xbd");
}

static void any_order(void **state)
{
	struct ww_otlp_result result;

	assert_int_equal(
		decode("{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"attributes\":[{"
		       "\"value\":"
		       "{\"kvlistValue\":{\"values\":[{\"value\":{\"arrayValue\":{\"values\":[{"
		       "\"intValue\":1}]}},"
		       "\"key\":\"inner\"}]}},\"key\":\"k\"}],\"events\":[{\"attributes\":["
		       "{\"value\":{\"stringValue\":\"done\"},\"key\":\"claim.tense\"},"
		       "{\"value\":{\"stringValue\":\"c\"},\"key\":\"claim.id\"}],\"timeUnixNano\":"
		       "5,"
		       "\"name\":\"wirewitness.claim\"}]," IDS
		       "}],\"scope\":{\"name\":\"scope\"}}],"
		       "\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{"
		       "\"stringValue\":\"me\"}},"
		       "{\"key\":\"cloud.region\",\"value\":{\"stringValue\":\"eu-west-1\"}},"
		       "{\"key\":\"process.pid\",\"value\":{\"intValue\":\"77\"}}]}}]}",
		       &result),
		0);
	assert_int_equal(got.spans, 1);
	assert_string_equal(got.last.service_name, "me");
	assert_string_equal(got.last.scope_name, "scope");
	assert_int_equal(got.last.said_pid, 77);
	/* Where the sender runs is not where the span's call goes. */
	assert_string_equal(got.last.sender_region, "eu-west-1");
	assert_string_equal(got.last.region, "");
	assert_string_equal(got.value, "{\"inner\":[1]}");
	assert_int_equal(got.last.claim_count, 1);
	assert_true(got.last.claims[0].at.ns == 5 && got.last.claims[0].done);
}

static void values(void **state)
{
	assert_value(VALUE("{\"stringValue\":\"a\\n\\u00e9\"}"), 1, "a\né");
	assert_value(VALUE("{\"boolValue\":true}"), 2, "true");
	assert_value(VALUE("{\"intValue\":\"-9223372036854775808\"}"), 3, "-9223372036854775808");
	assert_value(VALUE("{\"intValue\":9223372036854775807}"), 3, "9223372036854775807");
	assert_value(VALUE("{\"intValue\":1e21}"), 4, "1e+21");
	assert_value(VALUE("{\"intValue\":-0}"), 3, "0");
	assert_value(VALUE("{\"doubleValue\":-1.50e2}"), 4, "-150");
	assert_value(VALUE("{\"doubleValue\":\"2.5\"}"), 4, "2.5");
	assert_value(VALUE("{\"doubleValue\":\"NaN\"}"), 4, "NaN");
	assert_value(VALUE("{\"doubleValue\":\"-Infinity\"}"), 4, "-Infinity");
	assert_value(VALUE("{\"bytesValue\":\"AAE=\"}"), 7, "AAE=");
	assert_value(VALUE("{\"bytesValue\":\"_-8\"}"), 7, "/+8=");
	assert_value(VALUE("{\"bytesValue\":\"\\/+8=\"}"), 7, "/+8=");
	assert_value(VALUE("{\"arrayValue\":{}}"), 5, "[]");
	assert_value(VALUE("{\"arrayValue\":{\"values\":[{},{\"doubleValue\":\"NaN\"},"
			   "{\"intValue\":\"9007199254740993\"},{\"stringValue\":null}]}}"),
		     5, "[null,\"NaN\",\"9007199254740993\",null]");
	assert_value(VALUE("{\"kvlistValue\":{\"values\":[{\"key\":\"a\"},{\"value\":{"
			   "\"boolValue\":false}},"
			   "{\"key\":\"a\\\"b\",\"value\":{\"kvlistValue\":{}}}]}}"),
		     6, "{\"a\":null,\"\":false,\"a\\\"b\":{}}");
	assert_value(VALUE("{}"), 0, "");
	assert_value(VALUE("null"), 0, "");
	assert_value(VALUE("{\"stringValue\":null,\"intValue\":5}"), 3, "5");
	assert_value(VALUE("{\"someValue\":{\"a\":[1]},\"intValue\":5}"), 3, "5");
}

static void malformed_values(void **state)
{
	assert_rejected(VALUE("{\"stringValue\":5}"), "string expected");
	assert_rejected(VALUE("{\"boolValue\":\"true\"}"), "boolean expected");
	assert_rejected(VALUE("{\"intValue\":\"1x\"}"), "integer expected");
	assert_rejected(VALUE("{\"intValue\":true}"), "integer expected");
	assert_rejected(VALUE("{\"doubleValue\":\"0x10\"}"), "number expected");
	assert_rejected(VALUE("{\"doubleValue\":\"inf\"}"), "number expected");
	assert_rejected(VALUE("{\"doubleValue\":\"\"}"), "number expected");
	assert_rejected(VALUE("{\"doubleValue\":[]}"), "number expected");
	assert_rejected(VALUE("{\"bytesValue\":\"A\"}"), "base64 expected");
	assert_rejected(VALUE("{\"bytesValue\":\"AA*=\"}"), "base64 expected");
	assert_rejected(VALUE("{\"arrayValue\":[]}"), "object expected");
	assert_rejected(VALUE("{\"arrayValue\":{\"values\":{}}}"), "array expected");
	assert_rejected(VALUE("{\"arrayValue\":{\"values\":[null]}}"), "object expected");
	assert_rejected(VALUE("{\"arrayValue\":{\"values\":[{\"stringValue\":5}]}}"),
			"string expected");
	assert_rejected(VALUE("{\"kvlistValue\":{\"values\":[{\"key\":5}]}}"), "string expected");
	assert_rejected(VALUE("{\"kvlistValue\":{\"values\":[{\"value\":5}]}}"), "object expected");
	assert_rejected(VALUE("{\"kvlistValue\":{\"values\":[{\"value\":{},\"value\":{}}]}}"),
			"a key has two values");
	assert_rejected(VALUE("{\"stringValue\":\"a\",\"intValue\":5}"), "a value has two types");
	assert_rejected(VALUE("5"), "object expected");
}

/* --- ceilings -----------------------------------------------------------------------------------
 */

static void dropped_attributes(void **state)
{
	struct ww_otlp_result result;

	/* Out of range, and a key over its ceiling: dropped, the span stands, what follows too. */
	assert_int_equal(decode(SPAN("\"attributes\":[{\"key\":\"big\",\"value\":{\"intValue\":"
				     "\"9223372036854775808\"}},"
				     "{\"value\":{\"intValue\":1}},"
				     "{\"key\":\"k\",\"value\":{\"intValue\":1}}]"),
				&result),
			 0);
	assert_int_equal(result.spans, 1);
	assert_int_equal(got.last.attr_count, 1);
	assert_int_equal(got.last.attrs_dropped, 2);
	assert_string_equal(got.key, "k");
	assert_memory_equal(result.message, "not kept: 2 attributes", 22);
}

static void add(struct ww_buf *b, const char *s)
{
	assert_int_equal(ww_buf_add(b, s, strlen(s)), 0);
}

static void long_texts(void **state)
{
	/* Plain, every character escaped, and pairs of surrogates. */
	static const struct {
		const char *unit;
		unsigned count;
		size_t kept;
	} cases[] = {{"x", 4096, 4096},
		     {"x", 4097, 4096},
		     {"\\u0041", 4096, 4096},
		     {"\\u0041", 9000, 4096},
		     {"\\ud83d\\ude80", 1024, 4096},
		     {"\\ud83d\\ude80", 5000, 4096},
		     {"\\u20ac", 1366, 4095},
		     {"\\n", 5000, 4096},
		     {"\\ud83d", 1366, 4095}};

	for (size_t i = 0; i < WW_ARRAY_SIZE(cases); i++) {
		struct ww_buf b WW_AUTO_BUF = {.max = 1 << 20};
		struct ww_otlp_result result;

		add(&b, "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{" IDS
			",\"attributes\":[{\"key\":\"k\",\"value\":{\"stringValue\":\"");
		for (unsigned n = 0; n < cases[i].count; n++)
			add(&b, cases[i].unit);
		add(&b, "\"}}]}]}]}]}");
		assert_int_equal(ww_buf_add(&b, "", 1), 0);
		assert_int_equal(decode((char *)b.p, &result), 0);
		assert_int_equal(got.spans, 1);
		assert_int_equal(strlen(got.value), cases[i].kept);
		assert_int_equal(got.cut, i != 0 && i != 2 && i != 4);
	}
}

static void long_keys(void **state)
{
	static const struct {
		const char *unit;
		unsigned count;
		bool kept;
	} cases[] = {{"k", 256, true},       {"k", 257, false},       {"k", 5000, false},
		     {"\\u006b", 256, true}, {"\\u006b", 257, false}, {"\\u20ac", 85, true},
		     {"\\u20ac", 86, false}, {"\\n", 4000, false}};

	for (size_t i = 0; i < WW_ARRAY_SIZE(cases); i++) {
		struct ww_buf b WW_AUTO_BUF = {.max = 1 << 20};
		struct ww_otlp_result result;

		add(&b, "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{" IDS
			",\"attributes\":[{\"key\":\"");
		for (unsigned n = 0; n < cases[i].count; n++)
			add(&b, cases[i].unit);
		add(&b, "\",\"value\":{\"stringValue\":\"v\"}}]}]}]}]}");
		assert_int_equal(ww_buf_add(&b, "", 1), 0);
		assert_int_equal(decode((char *)b.p, &result), 0);
		assert_int_equal(got.last.attr_count, cases[i].kept);
		assert_int_equal(got.last.attrs_dropped, !cases[i].kept);
	}
}

static void depth_bombs(void **state)
{
	static const unsigned depths[] = {11, 12, 13, 16, 17, 40, 10000};

	for (size_t i = 0; i < WW_ARRAY_SIZE(depths); i++) {
		for (int list = 0; list < 2; list++) {
			struct ww_buf b WW_AUTO_BUF = {.max = 4 << 20};
			struct ww_otlp_result result;
			int r;

			add(&b, "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{" IDS
				",\"attributes\":[{\"key\":\"k\",\"value\":");
			for (unsigned n = 0; n < depths[i]; n++)
				add(&b,
				    list ? "{\"kvlistValue\":{\"values\":[{\"key\":\"k\",\"value\":"
					 : "{\"arrayValue\":{\"values\":[");
			add(&b, "{\"intValue\":1}");
			for (unsigned n = 0; n < depths[i]; n++)
				add(&b, list ? "}]}}" : "]}}");
			add(&b, "}]}]}]}]}");
			assert_int_equal(ww_buf_add(&b, "", 1), 0);
			r = decode((char *)b.p, &result);
			if (depths[i] <= 12) {
				assert_int_equal(r, 0);
				assert_int_equal(got.last.attr_count, 1);
			} else if (r == 0) {
				assert_int_equal(got.spans, 1);
				assert_int_equal(got.last.attrs_dropped, 1);
			} else {
				/* Deeper than the tokenizer goes: the request ends. */
				assert_true(depths[i] > 16 || (list && depths[i] > 12));
				assert_string_equal(result.message,
						    "malformed request: nesting too deep");
			}
		}
	}
}

static void too_many_spans(void **state)
{
	struct ww_buf b WW_AUTO_BUF = {.max = 4 << 20};
	struct ww_otlp_result result;

	add(&b, "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[");
	for (unsigned i = 0; i < WW_SPANS_PER_REQUEST + 1; i++)
		add(&b, i ? ",{" IDS "}" : "{" IDS "}");
	add(&b, "]}]}]}");
	assert_int_equal(ww_buf_add(&b, "", 1), 0);
	assert_int_equal(decode((char *)b.p, &result), 0);
	assert_int_equal(got.spans, WW_SPANS_PER_REQUEST);
	assert_int_equal(result.rejected, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(not_a_request),
		cmocka_unit_test(truncated),
		cmocka_unit_test(flipped_bits),
		cmocka_unit_test(ids),
		cmocka_unit_test(one_malformed_span),
		cmocka_unit_test(numbers),
		cmocka_unit_test(names),
		cmocka_unit_test(any_order),
		cmocka_unit_test(values),
		cmocka_unit_test(malformed_values),
		cmocka_unit_test(dropped_attributes),
		cmocka_unit_test(long_texts),
		cmocka_unit_test(long_keys),
		cmocka_unit_test(depth_bombs),
		cmocka_unit_test(too_many_spans),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
