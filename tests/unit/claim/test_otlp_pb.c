/* SPDX-License-Identifier: Apache-2.0 */
/* Hostile protobuf: what is malformed costs its span or the request, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>

#include "claim/otlp.h"
#include "pb_writer.h"

#define AUTO_BUF WW_AUTO_BUF = {.max = 8 << 20}

static const uint8_t trace_id[16] = {1, 2, 3}, span_id[8] = {4, 5, 6};

/* What was delivered: counts, and the last span's name and attributes. */
static struct {
	unsigned spans;
	char name[256];
	unsigned attrs, dropped, events_dropped, claims, claims_dropped;
	char first_key[300], first_value[WW_ATTR_BYTES_MAX + 1], service[128], scope[128];
} got;

static void take(void *ctx, struct ww_span *s)
{
	got.spans++;
	snprintf(got.name, sizeof(got.name), "%s", s->name);
	snprintf(got.service, sizeof(got.service), "%s", s->service_name);
	snprintf(got.scope, sizeof(got.scope), "%s", s->scope_name);
	got.attrs = s->attr_count;
	got.dropped = s->attrs_dropped;
	got.events_dropped = s->events_dropped;
	got.claims = s->claim_count;
	got.claims_dropped = s->claims_dropped;
	snprintf(got.first_key, sizeof(got.first_key), "%s", s->attr_count ? s->attrs[0].key : "");
	snprintf(got.first_value, sizeof(got.first_value), "%s",
		 s->attr_count ? s->attrs[0].value : "");
}

static int decode(const struct ww_buf *body, struct ww_otlp_result *ret)
{
	memset(&got, 0, sizeof(got));
	return ww_otlp_decode(WW_CLAIM_OTLP_PROTOBUF, ww_buf_slice(body), take, NULL, ret);
}

static void ids(struct ww_buf *span)
{
	pb_bytes(span, 1, trace_id, sizeof(trace_id));
	pb_bytes(span, 2, span_id, sizeof(span_id));
}

/* A request around the spans in `spans` (fields 2 of ScopeSpans). */
static void request(struct ww_buf *spans, struct ww_buf *body)
{
	struct ww_buf resource AUTO_BUF;

	pb_message(&resource, 2, spans);
	pb_message(body, 1, &resource);
}

/* Decodes a request of one span. */
static int decode_span(struct ww_buf *span, struct ww_otlp_result *ret)
{
	struct ww_buf spans AUTO_BUF, body AUTO_BUF;

	pb_message(&spans, 2, span);
	request(&spans, &body);
	return decode(&body, ret);
}

/* A KeyValue whose AnyValue is `any`, as field `field`. */
static void attribute(struct ww_buf *to, unsigned field, const char *key, struct ww_buf *any)
{
	struct ww_buf kv AUTO_BUF;

	pb_text(&kv, 1, key);
	pb_message(&kv, 2, any);
	pb_message(to, field, &kv);
}

static void text_attribute(struct ww_buf *to, unsigned field, const char *key, const char *value)
{
	struct ww_buf any AUTO_BUF;

	pb_text(&any, 1, value);
	attribute(to, field, key, &any);
}

/* --- cut and flipped ----------------------------------------------------------------------------
 */

static void read_golden(struct ww_buf *out)
{
	uint8_t *to;
	FILE *f = fopen("tests/golden/otlp/agent_turn.pb", "rbe");

	assert_non_null(f);
	assert_int_equal(ww_buf_reserve(out, 65536, &to), 0);
	out->n = fread(to, 1, 65536, f);
	fclose(f);
}

static void truncated(void **state)
{
	struct ww_buf body AUTO_BUF;
	struct ww_otlp_result result;
	size_t n;

	read_golden(&body);
	n = body.n;
	assert_int_equal(decode(&body, &result), 0);
	assert_int_equal(result.spans, 3);
	/* One ResourceSpans holds all: cut anywhere nothing is delivered. The empty body is valid.
	 */
	for (size_t cut = 1; cut < n; cut++) {
		/* An exact copy: a sanitizer sees a read behind the end. */
		uint8_t *copy WW_AUTO_FREE = malloc(cut);

		assert_non_null(copy);
		memcpy(copy, body.p, cut);
		memset(&got, 0, sizeof(got));
		assert_int_equal(ww_otlp_decode(WW_CLAIM_OTLP_PROTOBUF, ww_slice(copy, cut), take,
						NULL, &result),
				 -EBADMSG);
		assert_int_equal(result.spans, 0);
		assert_int_equal(got.spans, 0);
		assert_true(result.message[0] != '\0');
	}
}

/* Spans whose own bytes are cut, inside a sound request: that span is rejected, the next stands. */
static void truncated_span(void **state)
{
	struct ww_buf whole AUTO_BUF;

	ids(&whole);
	pb_text(&whole, 5, "whole");
	text_attribute(&whole, 9, "key", "value");
	for (size_t cut = 0; cut <= whole.n; cut++) {
		struct ww_buf spans AUTO_BUF, body AUTO_BUF, next AUTO_BUF;
		struct ww_otlp_result result;

		ids(&next);
		pb_text(&next, 5, "next");
		pb_bytes(&spans, 2, whole.p, cut);
		pb_message(&spans, 2, &next);
		request(&spans, &body);
		assert_int_equal(decode(&body, &result), 0);
		assert_int_equal(result.spans + result.rejected, 2);
		assert_int_equal(result.spans, got.spans);
		assert_string_equal(got.name, "next");
		if (result.rejected)
			assert_memory_equal(result.message, "span rejected: ", 15);
	}
}

static void flipped_bits(void **state)
{
	struct ww_buf body AUTO_BUF;
	struct ww_otlp_result result;

	read_golden(&body);
	for (size_t bit = 0; bit < body.n * 8; bit++) {
		int r;

		body.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
		r = decode(&body, &result);
		assert_true(r == 0 || r == -EBADMSG);
		assert_int_equal(result.spans, got.spans);
		assert_true(result.spans + result.rejected <= 4);
		body.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

/* --- malformed spans ----------------------------------------------------------------------------
 */

static void wrong_ids(void **state)
{
	static const struct {
		size_t trace, span, parent;
		uint8_t byte;
		const char *message;
	} cases[] = {
		{15, 8, 0, 1, "span rejected: trace id is not 16 bytes"},
		{17, 8, 0, 1, "span rejected: trace id is not 16 bytes"},
		{0, 8, 0, 1, "span rejected: trace id is absent or all zero"},
		{16, 8, 0, 0, "span rejected: trace id is absent or all zero"},
		{16, 7, 0, 1, "span rejected: span id is not 8 bytes"},
		{16, 16, 0, 1, "span rejected: span id is not 8 bytes"},
		{16, 0, 0, 1, "span rejected: span id is absent or all zero"},
		{16, 8, 3, 1, "span rejected: span id is not 8 bytes"},
		{16, 8, 8, 1, ""},
		{16, 8, 0, 1, ""},
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(cases); i++) {
		struct ww_buf span AUTO_BUF;
		struct ww_otlp_result result;
		uint8_t id[32];

		memset(id, cases[i].byte, sizeof(id));
		pb_bytes(&span, 1, id, cases[i].trace);
		pb_bytes(&span, 2, id, cases[i].span);
		pb_bytes(&span, 4, id, cases[i].parent);
		assert_int_equal(decode_span(&span, &result), 0);
		assert_string_equal(result.message, cases[i].message);
		assert_int_equal(result.rejected, cases[i].message[0] != '\0');
		assert_int_equal(result.spans, cases[i].message[0] == '\0');
	}
}

static void wrong_wire_types(void **state)
{
	static const unsigned known[] = {1, 2, 4, 5, 6, 7, 8, 9, 11, 15, 16};
	static const unsigned right[] = {2, 2, 2, 2, 0, 1, 1, 2, 2, 2, 5};

	for (size_t i = 0; i < WW_ARRAY_SIZE(known); i++) {
		for (unsigned wire = 0; wire < 8; wire++) {
			static const uint8_t eight[8];
			struct ww_buf span AUTO_BUF;
			struct ww_otlp_result result;
			bool framed = wire == 0 || wire == 1 || wire == 2 || wire == 5;

			ids(&span);
			pb_tag(&span, known[i], wire);
			/* A valid content for the wire type: 0, eight, none, or four zero bytes. */
			pb_raw(&span, eight, wire == 1 ? 8 : wire == 5 ? 4 : 1);
			assert_int_equal(decode_span(&span, &result), 0);
			if (wire == right[i] && known[i] != 1 && known[i] != 2)
				assert_int_equal(result.spans, 1);
			else
				assert_int_equal(result.rejected, 1);
			if (framed && wire != right[i])
				assert_string_equal(result.message,
						    "span rejected: wrong wire type");
		}
	}
}

static void unknown_fields_are_skipped(void **state)
{
	struct ww_buf span AUTO_BUF, any AUTO_BUF;
	struct ww_otlp_result result;

	pb_number(&span, 99, UINT64_MAX);
	pb_fixed64(&span, 100, 1);
	ids(&span);
	pb_text(&span, 3, "trace=state");
	pb_text(&span, 1000000, "later");
	pb_text(&span, 13, "a link that is no message");
	pb_text(&any, 8, "of a later version");
	attribute(&span, 9, "k", &any);
	assert_int_equal(decode_span(&span, &result), 0);
	assert_int_equal(result.spans, 1);
	assert_string_equal(got.first_key, "k");
	assert_string_equal(got.first_value, "");
}

static void hostile_lengths(void **state)
{
	static const char *const tails[] = {
		"\x2a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", /* name of 2^64 - 1 bytes */
		"\x2a\xff\xff\xff\xff\x7f",                     /* of 2^35 - 1 */
		"\x2a\x02x",                                    /* one byte short */
		"\x2a",                                         /* no length */
		"\x30\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02", /* a varint of 65 bits */
		"\x30\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01",
		"\x30\x80",
		"\xfa\xff\xff\xff\xff\x01", /* a tag beyond 32 bits */
		"\x02\x01x",                /* field number 0 */
		"\x0b\x0c",                 /* a group */
		"\x39\x01\x02\x03",         /* a short fixed64 */
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(tails); i++) {
		struct ww_buf span AUTO_BUF, spans AUTO_BUF, body AUTO_BUF;
		struct ww_otlp_result result;

		ids(&span);
		pb_raw(&span, tails[i], strlen(tails[i]));
		assert_int_equal(decode_span(&span, &result), 0);
		assert_int_equal(result.rejected, 1);
		assert_string_equal(result.message, "span rejected: malformed or cut-off field");
		/* The same outside of a span costs the request. */
		pb_raw(&spans, tails[i], strlen(tails[i]));
		request(&spans, &body);
		assert_int_equal(decode(&body, &result), -EBADMSG);
		assert_string_equal(result.message,
				    "malformed request: malformed or cut-off field");
	}
}

static void malformed_outside_of_spans(void **state)
{
	struct ww_buf span AUTO_BUF, spans AUTO_BUF, resource AUTO_BUF, body AUTO_BUF;
	struct ww_otlp_result result;

	pb_number(&body, 1, 1); /* resource_spans as number */
	assert_int_equal(decode(&body, &result), -EBADMSG);
	/* A good ResourceSpans before a broken one: its spans were delivered, and that is said. */
	ww_buf_clear(&body);
	ids(&span);
	pb_message(&spans, 2, &span);
	request(&spans, &body);
	ww_buf_clear(&spans);
	pb_number(&spans, 2, 5);
	request(&spans, &body);
	assert_int_equal(decode(&body, &result), -EBADMSG);
	assert_int_equal(result.spans, 1);
	/* A resource that is broken. */
	ww_buf_clear(&body);
	pb_bytes(&resource, 1, "\x0a\x05", 2);
	pb_message(&body, 1, &resource);
	assert_int_equal(decode(&body, &result), -EBADMSG);
}

/* --- order and repetition -----------------------------------------------------------------------
 */

static void any_order(void **state)
{
	struct ww_buf span AUTO_BUF, kv AUTO_BUF, any AUTO_BUF, spans AUTO_BUF, resource AUTO_BUF;
	struct ww_buf attrs AUTO_BUF, scope AUTO_BUF, body AUTO_BUF;
	struct ww_otlp_result result;

	/* Value before key, ids last, scope after its spans, resource after its scopes. */
	pb_text(&any, 1, "first");
	pb_text(&any, 1, "last");
	pb_message(&kv, 2, &any);
	pb_text(&kv, 1, "key");
	pb_message(&span, 9, &kv);
	pb_text(&span, 5, "first name");
	pb_text(&span, 5, "name");
	ids(&span);
	pb_message(&spans, 2, &span);
	pb_text(&scope, 1, "scope");
	pb_message(&spans, 1, &scope);
	pb_message(&resource, 2, &spans);
	text_attribute(&attrs, 1, "service.name", "service");
	pb_message(&resource, 1, &attrs);
	pb_message(&body, 1, &resource);
	assert_int_equal(decode(&body, &result), 0);
	assert_int_equal(got.spans, 1);
	assert_string_equal(got.name, "name");
	assert_string_equal(got.service, "service");
	assert_string_equal(got.scope, "scope");
	assert_string_equal(got.first_key, "key");
	assert_string_equal(got.first_value, "last");
}

/* --- ceilings -----------------------------------------------------------------------------------
 */

/* An AnyValue of arrays (or lists) inside each other, `depth` of them. */
static void nest(struct ww_buf *any, unsigned depth, bool list)
{
	struct ww_buf inner AUTO_BUF, holder AUTO_BUF, kv AUTO_BUF;

	pb_text(any, 1, "core");
	for (unsigned i = 0; i < depth; i++) {
		ww_buf_clear(&inner);
		pb_raw(&inner, any->p, any->n);
		ww_buf_clear(any);
		if (list) {
			pb_text(&kv, 1, "k");
			pb_message(&kv, 2, &inner);
			pb_message(&holder, 1, &kv);
		} else {
			pb_message(&holder, 1, &inner);
		}
		pb_message(any, list ? 6 : 5, &holder);
	}
}

static void depth_bombs(void **state)
{
	static const unsigned depths[] = {12, 13, 64, 1000, 20000};

	for (size_t i = 0; i < WW_ARRAY_SIZE(depths); i++) {
		for (int list = 0; list < 2; list++) {
			struct ww_buf span AUTO_BUF, any AUTO_BUF;
			struct ww_otlp_result result;

			ids(&span);
			nest(&any, depths[i], list);
			attribute(&span, 9, "deep", &any);
			text_attribute(&span, 9, "after", "stands");
			assert_int_equal(decode_span(&span, &result), 0);
			assert_int_equal(result.spans, 1);
			assert_int_equal(got.dropped, depths[i] > 12);
			assert_int_equal(got.attrs, depths[i] > 12 ? 1 : 2);
			assert_string_equal(got.first_key, depths[i] > 12 ? "after" : "deep");
			if (depths[i] > 12)
				assert_memory_equal(result.message, "not kept: 1 attributes", 22);
		}
	}
}

static void too_many_spans(void **state)
{
	struct ww_buf span AUTO_BUF, spans AUTO_BUF, body AUTO_BUF;
	struct ww_otlp_result result;

	for (unsigned i = 0; i < WW_SPANS_PER_REQUEST + 1; i++) {
		ids(&span);
		pb_message(&spans, 2, &span);
	}
	request(&spans, &body);
	assert_int_equal(decode(&body, &result), 0);
	assert_int_equal(got.spans, WW_SPANS_PER_REQUEST);
	assert_int_equal(result.spans, WW_SPANS_PER_REQUEST);
	assert_int_equal(result.rejected, 1);
	assert_string_equal(result.message, "span rejected: too many spans in one request");
}

static void too_many_attributes(void **state)
{
	struct ww_buf span AUTO_BUF;
	struct ww_otlp_result result;

	ids(&span);
	for (unsigned i = 0; i < WW_SPAN_ATTRS_MAX + 5; i++)
		text_attribute(&span, 9, "k", "v");
	assert_int_equal(decode_span(&span, &result), 0);
	assert_int_equal(got.attrs, WW_SPAN_ATTRS_MAX);
	assert_int_equal(got.dropped, 5);
}

static void large_attributes(void **state)
{
	static char value[10 * WW_ATTR_BYTES_MAX], key[WW_ATTR_KEY_BYTES_MAX + 2];
	struct ww_buf span AUTO_BUF;
	struct ww_otlp_result result;

	memset(value, 'v', sizeof(value) - 1);
	memset(key, 'k', WW_ATTR_KEY_BYTES_MAX);
	ids(&span);
	for (unsigned i = 0; i < 20; i++)
		text_attribute(&span, 9, key, value);
	key[WW_ATTR_KEY_BYTES_MAX] = 'k';
	text_attribute(&span, 9, key, "short value, long key");
	text_attribute(&span, 9, "", "no key");
	assert_int_equal(decode_span(&span, &result), 0);
	/* Each is cut, and together they stay in WW_SPAN_BYTES_MAX. */
	assert_int_equal(strlen(got.first_value), WW_ATTR_BYTES_MAX);
	assert_int_equal(got.attrs,
			 WW_SPAN_BYTES_MAX / (WW_ATTR_BYTES_MAX + WW_ATTR_KEY_BYTES_MAX + 2));
	assert_int_equal(got.attrs + got.dropped, 22);
}

static void claim_event(struct ww_buf *span, const char *id, const char *tense)
{
	struct ww_buf event AUTO_BUF;

	text_attribute(&event, 3, "claim.id", id);
	text_attribute(&event, 3, "claim.tense", tense);
	pb_text(&event, 2, "wirewitness.claim");
	pb_message(span, 11, &event);
}

static void too_many_events(void **state)
{
	struct ww_buf span AUTO_BUF;
	struct ww_otlp_result result;

	ids(&span);
	claim_event(&span, "", "done");
	claim_event(&span, "c", "maybe");
	for (unsigned i = 0; i < WW_SPAN_EVENTS_MAX; i++)
		claim_event(&span, "c", "done");
	assert_int_equal(decode_span(&span, &result), 0);
	assert_int_equal(got.claims, WW_SPAN_CLAIMS_MAX);
	assert_int_equal(got.events_dropped, 2);
	assert_int_equal(got.claims + got.claims_dropped, WW_SPAN_EVENTS_MAX);
	assert_string_equal(result.message, "not kept: 0 attributes over a limit, 120 claim events "
					    "malformed or over the limit");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(truncated),        cmocka_unit_test(truncated_span),
		cmocka_unit_test(flipped_bits),     cmocka_unit_test(wrong_ids),
		cmocka_unit_test(wrong_wire_types), cmocka_unit_test(unknown_fields_are_skipped),
		cmocka_unit_test(hostile_lengths),  cmocka_unit_test(malformed_outside_of_spans),
		cmocka_unit_test(any_order),        cmocka_unit_test(depth_bombs),
		cmocka_unit_test(too_many_spans),   cmocka_unit_test(too_many_attributes),
		cmocka_unit_test(large_attributes), cmocka_unit_test(too_many_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
