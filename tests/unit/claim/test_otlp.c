/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Both decoders against requests made by OpenTelemetry's own SDK and serializers: what NAME.txt
 * says must be found in NAME.pb and NAME.json, and the two must give the same spans to the last
 * byte.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/encode.h"
#include "claim/otlp.h"

#define FOLDER "tests/golden/otlp/"

static void read_file(const char *name, const char *suffix, struct ww_buf *out)
{
	char path[128];
	uint8_t *to;
	FILE *f;

	snprintf(path, sizeof(path), FOLDER "%s%s", name, suffix);
	f = fopen(path, "rbe");
	assert_non_null(f);
	ww_buf_init(out, 1 << 20);
	assert_int_equal(ww_buf_reserve(out, 1 << 20, &to), 0);
	out->n = fread(to, 1, 1 << 20, f);
	fclose(f);
}

__attribute__((format(printf, 2, 3))) static void say(struct ww_buf *out, const char *fmt, ...)
{
	char line[8192];
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	assert_true(n >= 0 && (size_t)n < sizeof(line));
	assert_int_equal(ww_buf_add(out, line, (size_t)n), 0);
}

/* A span in the form of the .txt files. */
static void describe(void *ctx, struct ww_span *s)
{
	static const uint8_t none[8];
	char trace[33], id[17], parent[17];
	struct ww_buf *out = ctx;

	ww_hex_encode(ww_slice(s->trace_id, 16), trace);
	ww_hex_encode(ww_slice(s->span_id, 8), id);
	ww_hex_encode(ww_slice(s->parent_id, 8), parent);
	say(out,
	    "span %s %s %s kind=%u status=%d start=%" PRIu64 " end=%" PRIu64
	    " service=%s scope=%s name=%s\n",
	    trace, id, memcmp(s->parent_id, none, 8) ? parent : "-", s->kind, s->status,
	    s->start.ns, s->end.ns, s->service_name, s->scope_name, s->name);
	for (unsigned i = 0; i < s->attr_count; i++)
		say(out, "attr %u %s %s\n", s->attrs[i].type, s->attrs[i].key, s->attrs[i].value);
	for (unsigned i = 0; i < s->claim_count; i++)
		say(out, "claim %s %s %s %s %s\n", s->claims[i].claim_id, s->claims[i].action,
		    s->claims[i].tool, s->claims[i].tool_call_id,
		    s->claims[i].done ? "done" : "will");
}

/* Everything that a span holds. */
static void dump(void *ctx, struct ww_span *s)
{
	static const uint8_t key[32] = "a key for tests";
	struct ww_buf record WW_AUTO_BUF = {0}, *out = ctx;
	struct ww_digest_key k;
	struct ww_jsonw w;

	describe(out, s);
	ww_digest_key_init(&k, key);
	ww_buf_init(&record, WW_RECORD_BYTES_MAX);
	ww_jsonw_init(&w, &record);
	ww_span_write(s, &k, &w);
	assert_true(ww_jsonw_ok(&w));
	assert_int_equal(ww_buf_add(out, record.p, record.n), 0);
	say(out, "\n%u dropped, pid %u, flags %d %d\n", s->attrs_dropped, s->said_pid,
	    s->trace_sampled_known, s->trace_sampled);
	for (unsigned i = 0; i < s->attr_count; i++)
		say(out, "%s cut=%d\n", s->attrs[i].key, s->attrs[i].cut);
	for (unsigned i = 0; i < s->claim_count; i++)
		say(out, "at %" PRIu64 " until %" PRIu64 "\n", s->claims[i].at.ns,
		    s->claims[i].deadline.ns);
}

static void decode(enum ww_claim_encoding encoding, const struct ww_buf *body,
		   void (*fn)(void *ctx, struct ww_span *s), struct ww_buf *out)
{
	struct ww_otlp_result result;

	ww_buf_init(out, 1 << 20);
	assert_int_equal(ww_otlp_decode(encoding, ww_buf_slice(body), fn, out, &result), 0);
	assert_int_equal(result.rejected, 0);
	assert_string_equal(result.message, "");
}

static void assert_same_text(const struct ww_buf *a, const struct ww_buf *b)
{
	if (!ww_slice_eq(ww_buf_slice(a), ww_buf_slice(b)))
		fail_msg("expected:\n%.*s\ngot:\n%.*s\n", (int)b->n, (const char *)b->p, (int)a->n,
			 (const char *)a->p);
}

static void check_golden(const char *name, bool described)
{
	struct ww_buf pb WW_AUTO_BUF = {0}, json WW_AUTO_BUF = {0}, text WW_AUTO_BUF = {0};
	struct ww_buf from_pb WW_AUTO_BUF = {0}, from_json WW_AUTO_BUF = {0};
	struct ww_buf all_pb WW_AUTO_BUF = {0}, all_json WW_AUTO_BUF = {0};

	read_file(name, ".pb", &pb);
	read_file(name, ".json", &json);
	decode(WW_CLAIM_OTLP_PROTOBUF, &pb, dump, &all_pb);
	decode(WW_CLAIM_OTLP_JSON, &json, dump, &all_json);
	assert_same_text(&all_json, &all_pb);
	if (!described)
		return;
	read_file(name, ".txt", &text);
	decode(WW_CLAIM_OTLP_PROTOBUF, &pb, describe, &from_pb);
	decode(WW_CLAIM_OTLP_JSON, &json, describe, &from_json);
	assert_same_text(&from_pb, &text);
	assert_same_text(&from_json, &text);
}

static void goldens(void **state)
{
	check_golden("agent_turn", true);
	check_golden("claims", true);
	check_golden("empty", true);
	check_golden("generations", true);
	check_golden("two_resources", true);
	check_golden("values", true);
	check_golden("hand_values", false);
}

/* --- what the hard values must look like --------------------------------------------------------
 */

static void check_values(void *ctx, struct ww_span *s)
{
	static const struct {
		const char *key;
		uint8_t type;
		const char *value;
	} want[] = {
		{"string", 1, "plain"},
		{"empty", 1, ""},
		{"unicode", 1, "Zürich € 🚀 \xef\xbf\xbd \" \\ \n \xe2\x80\xa8"},
		{"lone", 1,
		 "a\xef\xbf\xbd"
		 "b"},
		{"yes", 2, "true"},
		{"no", 2, "false"},
		{"int", 3, "42"},
		{"negative", 3, "-42"},
		{"safe", 3, "9007199254740991"},
		{"tenth", 4, "0.1"},
		{"third", 4, "0.3333333333333333"},
		{"tiny", 4, "4.94065645841247e-324"},
		{"huge", 4, "1.7976931348623157e+308"},
		{"bytes", 7, "AAEC/f7/"},
		{"no bytes", 7, ""},
		{"strings", 5, "[\"a\",\"b \\\"quoted\\\"\",\"🚀\"]"},
		{"numbers", 5, "[1,2.5,-3]"},
		{"mixed", 5, "[\"a\",1,true,0.5,[1,[2,[3]]],{\"k\":\"v\"},\"AQ==\"]"},
		{"none", 5, "[]"},
		{"map", 6, "{\"a\":1,\"b c\":{\"d\":[\"e\"],\"f\":{}},\"bytes\":\"CQk=\"}"},
		{"nothing", 0, ""},
	};

	(*(unsigned *)ctx)++;
	for (size_t i = 0; i < WW_ARRAY_SIZE(want); i++) {
		const char *value = ww_span_attr(s, want[i].key);

		assert_non_null(value);
		assert_string_equal(value, want[i].value);
	}
	for (unsigned i = 0; i < s->attr_count; i++) {
		bool large = !strncmp(s->attrs[i].key, "long", 4) ||
			     !strncmp(s->attrs[i].key, "many", 4);

		assert_int_equal(s->attrs[i].cut, large);
		assert_true(strlen(s->attrs[i].value) <= WW_ATTR_BYTES_MAX);
		if (large)
			assert_true(strlen(s->attrs[i].value) > WW_ATTR_BYTES_MAX - 4);
	}
	/* Whole characters only: 1,365 euro signs are 4,095 bytes. */
	assert_int_equal(strlen(ww_span_attr(s, "long")), 4095);
}

static void hard_values(void **state)
{
	struct ww_buf pb WW_AUTO_BUF = {0}, json WW_AUTO_BUF = {0};
	struct ww_otlp_result result;
	unsigned spans = 0;

	read_file("hand_values", ".pb", &pb);
	read_file("hand_values", ".json", &json);
	assert_int_equal(ww_otlp_decode(WW_CLAIM_OTLP_PROTOBUF, ww_buf_slice(&pb), check_values,
					&spans, &result),
			 0);
	assert_int_equal(ww_otlp_decode(WW_CLAIM_OTLP_JSON, ww_buf_slice(&json), check_values,
					&spans, &result),
			 0);
	assert_int_equal(spans, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(goldens),
		cmocka_unit_test(hard_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
