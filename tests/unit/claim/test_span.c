/* SPDX-License-Identifier: Apache-2.0 */
/* The record of a span: content stays out, and it always fits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/json.h"
#include "claim/span.h"

static struct ww_digest_key key;

static int setup(void **state)
{
	static const uint8_t bytes[32] = "a key for tests";

	ww_digest_key_init(&key, bytes);
	return 0;
}

static void write_record(const struct ww_span *s, struct ww_buf *out)
{
	struct ww_jsonw w;

	ww_buf_init(out, WW_RECORD_BYTES_MAX);
	ww_jsonw_init(&w, out);
	ww_span_write(s, &key, &w);
	assert_true(ww_jsonw_ok(&w));
	assert_int_equal(w.depth, 0);
}

static void assert_valid_json(const struct ww_buf *b)
{
	struct ww_json_token t;
	struct ww_json j;
	enum ww_parse p;

	ww_json_init(&j, ww_buf_slice(b));
	while ((p = ww_json_next(&j, &t)) == WW_PARSE_DONE)
		;
	assert_int_equal(p, WW_PARSE_END);
}

static bool contains(const struct ww_buf *b, const char *s)
{
	return memmem(b->p, b->n, s, strlen(s)) != NULL;
}

static void content_stays_out(void **state)
{
	static const char *const keys[] = {
		"gen_ai.prompt",
		"gen_ai.input.messages",
		"gen_ai.tool.call.arguments",
		"gen_ai.tool.call.result",
		"input.value",
		"url.full",
		"any.other",
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(keys); i++) {
		struct ww_attr a = {.key = keys[i], .value = "a secret", .type = 1};
		struct ww_span s = {.attrs = &a, .attr_count = 1};
		struct ww_buf record WW_AUTO_BUF = {0};

		write_record(&s, &record);
		assert_false(contains(&record, "secret"));
		assert_true(contains(&record, keys[i]));
		assert_true(contains(&record, "\"bytes\":8}"));
	}
	/* A long value of a known name may be anything. */
	struct ww_buf record WW_AUTO_BUF = {0};
	char text[300];
	struct ww_attr a = {.key = "gen_ai.tool.name", .value = text, .type = 1, .cut = true};
	struct ww_span s = {.attrs = &a, .attr_count = 1};

	memset(text, 's', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	write_record(&s, &record);
	assert_false(contains(&record, "ssss"));
	assert_true(contains(&record, "\"bytes\":299,\"cut\":true}"));
}

static void whole_record(void **state)
{
	struct ww_attr attrs[] = {
		{.key = "gen_ai.tool.name", .value = "refund", .type = 1},
		{.key = "gen_ai.operation.name", .value = "execute_tool", .type = 1},
		{.key = "tool.name", .value = "other", .type = 1},
		{.key = "note", .value = "x", .type = 1},
	};
	struct ww_span s = {
		.trace_id = {0x5b, 0x8e, [15] = 1},
		.span_id = {0xee, [7] = 2},
		.parent_id = {0xaa, [7] = 3},
		.trace_sampled_known = true,
		.kind = 1,
		.status = WW_SPAN_OK,
		.start = {1795428000000000000u},
		.end = {1795428001500000000u},
		.name = "execute_tool refund",
		.scope_name = "scope",
		.service_name = "service",
		.sender_region = "eu-north-1",
		.actor = {.start_ns = 16, .pid = 42},
		.root = {.start_ns = 15, .pid = 41},
		.cgroup = 0xabc,
		.received = {77},
		.said_pid = 7,
		.claim_count = 1,
		.claims = {{.claim_id = "c-1",
			    .tool = "refund",
			    .done = true,
			    .at = {1795428001000000000u}}},
		.claims_dropped = 2,
		.attr_count = 4,
		.attrs = attrs,
		.attrs_dropped = 3,
	};
	struct ww_buf record WW_AUTO_BUF = {0};

	ww_span_normalise(&s);
	write_record(&s, &record);
	assert_valid_json(&record);
	assert_int_equal(ww_buf_add(&record, "", 1), 0);
	assert_string_equal(
		(char *)record.p,
		"{\"kind\":\"span\",\"id\":\"s-ee00000000000002\",\"t\":\"2026-11-23T10:00:00."
		"000000000Z\","
		"\"end\":\"2026-11-23T10:00:01.500000000Z\",\"traceId\":"
		"\"5b8e0000000000000000000000000001\","
		"\"spanId\":\"ee00000000000002\",\"parentId\":\"aa00000000000003\",\"sampled\":"
		"false,"
		"\"name\":\"execute_tool "
		"refund\",\"spanKind\":1,\"status\":\"OK\",\"service\":\"service\","
		"\"scope\":\"scope\",\"senderRegion\":\"eu-north-1\",\"actor\":\"p42-10\",\"root\":"
		"\"p41-f\",\"cgroup\":"
		"\"0000000000000abc\","
		"\"receivedBootNs\":77,\"saidPid\":7,\"role\":\"tool\",\"operation\":\"execute_"
		"tool\","
		"\"tool\":\"refund\",\"generation\":2,\"conflicts\":[\"tool\"],"
		"\"claims\":[{\"claimId\":\"c-1\",\"tool\":\"refund\",\"tense\":\"done\","
		"\"at\":\"2026-11-23T10:00:01.000000000Z\"}],"
		"\"attrs\":{\"gen_ai.tool.name\":\"refund\",\"gen_ai.operation.name\":\"execute_"
		"tool\","
		"\"tool.name\":\"other\",\"note\":{\"digest\":"
		"\"ad1ff874772aeb5adb95f7b015f99bea8fff464d38507672fe0aa10fe08b57ed\",\"bytes\":1}}"
		","
		"\"attrsDropped\":3,\"claimsDropped\":2}");
}

static void no_member_twice(void **state)
{
	struct ww_attr attrs[] = {
		{.key = "gen_ai.tool.name", .value = "refund", .type = 1},
		{.key = "gen_ai.tool.name", .value = "order", .type = 1},
		{.key = "gen_ai.tool.name", .value = "refund", .type = 1},
	};
	struct ww_span s = {.attrs = attrs, .attr_count = 3};
	struct ww_buf record WW_AUTO_BUF = {0};

	ww_span_normalise(&s);
	write_record(&s, &record);
	assert_valid_json(&record);
	assert_true(contains(&record,
			     "\"attrs\":{\"gen_ai.tool.name\":\"refund\"},\"attrsOmitted\":2"));
	assert_true(contains(&record, "\"tool\":\"refund\""));
}

static void digests_are_keyed(void **state)
{
	struct ww_attr a = {.key = "note", .value = "x", .type = 1};
	struct ww_span s = {.attrs = &a, .attr_count = 1};
	struct ww_buf one WW_AUTO_BUF = {0}, two WW_AUTO_BUF = {0}, same WW_AUTO_BUF = {0};
	static const uint8_t other[32] = "another key";

	write_record(&s, &one);
	write_record(&s, &same);
	assert_true(ww_slice_eq(ww_buf_slice(&one), ww_buf_slice(&same)));
	ww_digest_key_init(&key, other);
	write_record(&s, &two);
	assert_int_equal(one.n, two.n);
	assert_false(ww_slice_eq(ww_buf_slice(&one), ww_buf_slice(&two)));
	setup(NULL);
}

static void fill(char *p, size_t n)
{
	memset(p, 1, n - 1);
	p[n - 1] = '\0';
}

/* Every text as long as it goes, every byte written as six: it must fit all the same. */
static void largest_record(void **state)
{
	static char names[WW_SPAN_ATTRS_MAX][WW_ATTR_KEY_BYTES_MAX + 1], value[257];
	static struct ww_attr attrs[WW_SPAN_ATTRS_MAX];
	static struct ww_span s;
	struct ww_buf record WW_AUTO_BUF = {0};

	fill(value, sizeof(value));
	for (size_t i = 0; i < WW_SPAN_ATTRS_MAX; i++) {
		fill(names[i], sizeof(names[i]));
		names[i][i] = 2; /* each its own */
		attrs[i] = (struct ww_attr){.key = names[i], .value = value, .type = 1};
	}
	attrs[0].key = "gen_ai.tool.name";
	fill(s.name, sizeof(s.name));
	fill(s.scope_name, sizeof(s.scope_name));
	fill(s.service_name, sizeof(s.service_name));
#define FILL(n, member, text) fill(s.member, sizeof(s.member));
	WW_SPAN_TEXTS(FILL)
#undef FILL
	s.claim_count = WW_SPAN_CLAIMS_MAX;
	for (size_t i = 0; i < WW_SPAN_CLAIMS_MAX; i++) {
		fill(s.claims[i].claim_id, sizeof(s.claims[i].claim_id));
		fill(s.claims[i].action, sizeof(s.claims[i].action));
		fill(s.claims[i].tool, sizeof(s.claims[i].tool));
		fill(s.claims[i].tool_call_id, sizeof(s.claims[i].tool_call_id));
		s.claims[i].deadline.ns = 1;
	}
	s.attrs = attrs;
	s.attr_count = WW_SPAN_ATTRS_MAX;
	s.conflicts = (1u << WW_SPAN_FIELD_MAX) - 1;
	write_record(&s, &record);
	assert_valid_json(&record);
	assert_true(contains(&record, "\"attrsOmitted\":"));
}

static void ids(void **state)
{
	struct ww_span s = {.span_id = {0xff, 0, 1, 2, 3, 4, 5, 6}};
	char id[WW_SPAN_ID_MAX];

	ww_span_id(&s, id);
	assert_string_equal(id, "s-ff00010203040506");
	ww_span_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(content_stays_out), cmocka_unit_test(whole_record),
		cmocka_unit_test(no_member_twice),   cmocka_unit_test(digests_are_keyed),
		cmocka_unit_test(largest_record),    cmocka_unit_test(ids),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
