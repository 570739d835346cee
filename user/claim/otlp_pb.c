/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ExportTraceServiceRequest in protobuf's binary encoding, by hand: few messages, and the input is
 * hostile. Field numbers are those of opentelemetry-proto 1.x (trace/v1, common/v1, resource/v1).
 *
 * Numbered invariants:
 *  1. No recursion over input: messages nest in a fixed order, AnyValue by an explicit bounded
 *     stack.
 *  2. Unknown fields are skipped; a known field with another wire type, a group or a cut-off field
 *     makes its message malformed.
 *  3. What is malformed inside a span costs that span only; outside, the request.
 *  4. Of a repeated singular field the last one stands.
 */
#include <errno.h>

#include "base/cursor.h"
#include "claim/otlp_build.h"
#include "claim/text.h"

enum wire { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

struct field {
	uint32_t number;
	uint8_t wire;
	uint64_t value;        /* VARINT, FIXED32, FIXED64 */
	struct ww_slice bytes; /* BYTES */
};

static uint64_t varint(struct ww_cursor *c)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t b = ww_cursor_u8(c);

		/* The tenth byte has room for one bit. */
		if (shift == 63 && b > 1)
			break;
		v |= (uint64_t)(b & 0x7f) << shift;
		if (!(b & 0x80))
			return v;
	}
	c->bad = true;
	return 0;
}

/* The next field; false at the end of the message and when it is malformed (c->bad). */
static bool next_field(struct ww_cursor *c, struct field *ret)
{
	uint64_t tag;

	if (ww_cursor_left(c) == 0)
		return false;
	tag = varint(c);
	*ret = (struct field){.number = (uint32_t)(tag >> 3), .wire = tag & 7};
	if (tag > UINT32_MAX || ret->number == 0)
		c->bad = true;
	switch (ret->wire) {
	case VARINT:
		ret->value = varint(c);
		break;
	case FIXED64:
		ret->value = ww_cursor_le64(c);
		break;
	case BYTES:
		ret->bytes = ww_cursor_take(c, varint(c));
		break;
	case FIXED32:
		ret->value = ww_cursor_le32(c);
		break;
	default:
		c->bad = true;
		break;
	}
	return ww_cursor_ok(c);
}

/* At the end of a message's fields: 0, or -EINVAL when it ended in the middle of one. */
static int end_of(struct ww_otlp_build *b, const struct ww_cursor *c)
{
	return ww_cursor_ok(c) ? 0 : ww_otlp_build_bad(b, -EINVAL, "malformed or cut-off field");
}

static int wire_type(struct ww_otlp_build *b, const struct field *f, enum wire wanted)
{
	return f->wire == wanted ? 0 : ww_otlp_build_bad(b, -EINVAL, "wrong wire type");
}

/* The last BYTES field of each of the numbers 1 to n (at most 2), empty where there is none. 0 or
 * -EINVAL. */
static int find_bytes(struct ww_otlp_build *b, struct ww_slice message, struct ww_slice *ret_bytes,
		      uint32_t n)
{
	struct ww_slice found[2] = {WW_SLICE_NULL, WW_SLICE_NULL};
	struct ww_cursor c = ww_cursor(message);
	struct field f;

	while (next_field(&c, &f)) {
		if (f.number > n)
			continue;
		if (wire_type(b, &f, BYTES) < 0)
			return -EINVAL;
		found[f.number - 1] = f.bytes;
	}
	memcpy(ret_bytes, found, n * sizeof(*ret_bytes));
	return end_of(b, &c);
}

/* --- AnyValue, KeyValue -------------------------------------------------------------------------
 */

/* The member of the oneof that is set last; number 0: none. */
static int any_member(struct ww_otlp_build *b, struct ww_slice any, struct field *ret)
{
	static const uint8_t wires[] = {
		[WW_OTLP_STRING] = BYTES,   [WW_OTLP_BOOL] = VARINT, [WW_OTLP_INT] = VARINT,
		[WW_OTLP_DOUBLE] = FIXED64, [WW_OTLP_ARRAY] = BYTES, [WW_OTLP_KVLIST] = BYTES,
		[WW_OTLP_BYTES] = BYTES,
	};
	struct ww_cursor c = ww_cursor(any);
	struct field f;

	*ret = (struct field){0};
	while (next_field(&c, &f)) {
		if (f.number >= WW_ARRAY_SIZE(wires))
			continue;
		if (wire_type(b, &f, wires[f.number]) < 0)
			return -EINVAL;
		*ret = f;
	}
	return end_of(b, &c);
}

/* A scalar or nothing into b->value; an array or list is opened. 0 or -E2BIG. */
static int any_begin(struct ww_otlp_build *b, const char *key, const struct field *f)
{
	double d;

	switch (f->number) {
	case WW_OTLP_STRING:
		ww_otlp_value_string(&b->value, key, f->bytes);
		return 0;
	case WW_OTLP_BOOL:
		ww_otlp_value_bool(&b->value, key, f->value != 0);
		return 0;
	case WW_OTLP_INT:
		ww_otlp_value_int(&b->value, key, (int64_t)f->value);
		return 0;
	case WW_OTLP_DOUBLE:
		memcpy(&d, &f->value, sizeof(d));
		ww_otlp_value_double(&b->value, key, d);
		return 0;
	case WW_OTLP_BYTES:
		ww_otlp_value_bytes(&b->value, key, f->bytes, false);
		return 0;
	case WW_OTLP_ARRAY:
	case WW_OTLP_KVLIST:
		return ww_otlp_value_open(&b->value, key, f->number);
	default:
		ww_otlp_value_nothing(&b->value, key);
		return 0;
	}
}

/* An element of an array or list: its key (list) and its AnyValue. 0 or -EINVAL. */
static int element(struct ww_otlp_build *b, const struct field *f, bool list,
		   char key[WW_ATTR_KEY_BYTES_MAX + 1], struct ww_slice *ret_any)
{
	struct ww_slice pair[2] = {WW_SLICE_NULL, f->bytes};

	if (wire_type(b, f, BYTES) < 0)
		return -EINVAL;
	if (list) {
		if (find_bytes(b, f->bytes, pair, 2) < 0)
			return -EINVAL;
		if (!ww_text_copy(key, WW_ATTR_KEY_BYTES_MAX + 1, pair[0], NULL))
			b->value.cut = true;
	}
	*ret_any = pair[1];
	return 0;
}

/* An AnyValue into b->value. 0, -EINVAL, -E2BIG, -ENOMEM. */
static int any_value(struct ww_otlp_build *b, struct ww_slice any)
{
	struct ww_cursor stack[WW_OTLP_NEST_MAX]; /* ArrayValue, KeyValueList: values = 1 */
	bool list[WW_OTLP_NEST_MAX];
	char name[WW_ATTR_KEY_BYTES_MAX + 1];
	const char *key = NULL;
	uint32_t depth = 0;
	struct field f;

	for (;;) {
		int r = any_member(b, any, &f);

		if (r == 0)
			r = any_begin(b, key, &f);
		if (r < 0)
			return r;
		if (f.number == WW_OTLP_ARRAY || f.number == WW_OTLP_KVLIST) {
			stack[depth] = ww_cursor(f.bytes);
			list[depth++] = f.number == WW_OTLP_KVLIST;
		}
		/* On to the next element, over the ends of what has no more. */
		for (;;) {
			if (depth == 0)
				return 0;
			if (next_field(&stack[depth - 1], &f)) {
				if (f.number == 1)
					break;
				continue;
			}
			r = end_of(b, &stack[--depth]);
			if (r == 0)
				r = ww_otlp_value_close(&b->value);
			if (r < 0)
				return r;
		}
		key = list[depth - 1] ? name : NULL;
		r = element(b, &f, list[depth - 1], name, &any);
		if (r < 0)
			return r;
	}
}

/* A KeyValue, to what it belongs to. */
static int key_value(struct ww_otlp_build *b, const struct field *f, ww_otlp_attr_fn sink)
{
	struct ww_slice pair[2]; /* key, value */
	int r;

	if (wire_type(b, f, BYTES) < 0 || find_bytes(b, f->bytes, pair, 2) < 0)
		return -EINVAL;
	ww_otlp_value_reset(&b->value);
	r = any_value(b, pair[1]);
	if (r == -E2BIG) {
		ww_otlp_value_reset(&b->value);
		b->value.dropped = true;
	} else if (r < 0) {
		return r;
	}
	return sink(b, pair[0]);
}

/* --- Span ---------------------------------------------------------------------------------------
 */

static int event_field(struct ww_otlp_build *b, const struct field *f)
{
	switch (f->number) {
	case 1:
		if (wire_type(b, f, FIXED64) < 0)
			return -EINVAL;
		b->event_time.ns = f->value;
		return 0;
	case 2:
		if (wire_type(b, f, BYTES) < 0)
			return -EINVAL;
		ww_otlp_build_event_name(b, f->bytes);
		return 0;
	case 3:
		return key_value(b, f, ww_otlp_build_event_attr);
	default:
		return 0;
	}
}

static int event(struct ww_otlp_build *b, const struct field *field)
{
	struct ww_cursor c = ww_cursor(field->bytes);
	struct field f;

	if (wire_type(b, field, BYTES) < 0)
		return -EINVAL;
	if (!ww_otlp_build_event(b))
		return 0;
	while (next_field(&c, &f)) {
		int r = event_field(b, &f);

		if (r < 0)
			return r;
	}
	ww_otlp_build_event_end(b);
	return end_of(b, &c);
}

static int status(struct ww_otlp_build *b, const struct field *field)
{
	struct ww_cursor c = ww_cursor(field->bytes);
	struct field f;

	if (wire_type(b, field, BYTES) < 0)
		return -EINVAL;
	while (next_field(&c, &f)) {
		if (f.number != 3)
			continue;
		if (wire_type(b, &f, VARINT) < 0)
			return -EINVAL;
		ww_otlp_build_status(b, f.value);
	}
	return end_of(b, &c);
}

/* The fields of Span that are plain values. 0 or -EINVAL. */
static int span_scalar(struct ww_otlp_build *b, const struct field *f)
{
	struct ww_span *s = &b->span;

	switch (f->number) {
	case 1:
		return ww_otlp_build_id(b, s->trace_id, sizeof(s->trace_id), f->bytes);
	case 2:
		return ww_otlp_build_id(b, s->span_id, sizeof(s->span_id), f->bytes);
	case 4:
		return ww_otlp_build_id(b, s->parent_id, sizeof(s->parent_id), f->bytes);
	case 5:
		ww_otlp_build_name(b, f->bytes);
		return 0;
	case 6:
		ww_otlp_build_kind(b, f->value);
		return 0;
	case 7:
		s->start.ns = f->value;
		return 0;
	case 8:
		s->end.ns = f->value;
		return 0;
	default:
		ww_otlp_build_flags(b, (uint32_t)f->value);
		return 0;
	}
}

static int span_field(struct ww_otlp_build *b, const struct field *f)
{
	static const uint8_t wires[] = {
		[1] = BYTES,  [2] = BYTES,   [4] = BYTES,   [5] = BYTES,
		[6] = VARINT, [7] = FIXED64, [8] = FIXED64, [16] = FIXED32,
	};

	switch (f->number) {
	case 1:
	case 2:
	case 4:
	case 5:
	case 6:
	case 7:
	case 8:
	case 16:
		if (wire_type(b, f, wires[f->number]) < 0)
			return -EINVAL;
		return span_scalar(b, f);
	case 9:
		return key_value(b, f, ww_otlp_build_attr);
	case 11:
		return event(b, f);
	case 15:
		return status(b, f);
	default:
		return 0;
	}
}

static int span(struct ww_otlp_build *b, struct ww_slice message)
{
	struct ww_cursor c = ww_cursor(message);
	struct field f;
	int r;

	if (!ww_otlp_build_span(b))
		return 0;
	while (next_field(&c, &f)) {
		r = span_field(b, &f);
		if (r < 0)
			return r;
	}
	r = end_of(b, &c);
	return r < 0 ? r : ww_otlp_build_span_end(b);
}

/* --- what holds the spans -----------------------------------------------------------------------
 */

/* Resource: attributes = 1. */
static int resource(struct ww_otlp_build *b, struct ww_slice message)
{
	struct ww_cursor c = ww_cursor(message);
	struct field f;

	ww_otlp_build_resource(b);
	while (next_field(&c, &f)) {
		int r = f.number == 1 ? key_value(b, &f, ww_otlp_build_resource_attr) : 0;

		if (r < 0)
			return r;
	}
	return end_of(b, &c);
}

/* ScopeSpans: scope = 1 (name = 1), spans = 2. The scope is looked for first: fields come in any
 * order. */
static int scope_spans(struct ww_otlp_build *b, const struct field *field)
{
	struct ww_cursor c = ww_cursor(field->bytes);
	struct ww_slice scope, name;
	struct field f;

	if (wire_type(b, field, BYTES) < 0 || find_bytes(b, field->bytes, &scope, 1) < 0 ||
	    find_bytes(b, scope, &name, 1) < 0)
		return -EINVAL;
	ww_otlp_build_scope(b, name);
	while (next_field(&c, &f)) {
		int r;

		if (f.number != 2)
			continue;
		if (wire_type(b, &f, BYTES) < 0)
			return -EINVAL;
		r = span(b, f.bytes);
		if (r == -EINVAL)
			ww_otlp_build_reject(b);
		else if (r < 0)
			return r;
	}
	return end_of(b, &c);
}

/* ResourceSpans: resource = 1, scope_spans = 2. */
static int resource_spans(struct ww_otlp_build *b, const struct field *field)
{
	struct ww_cursor c = ww_cursor(field->bytes);
	struct ww_slice message;
	struct field f;
	int r;

	if (wire_type(b, field, BYTES) < 0 || find_bytes(b, field->bytes, &message, 1) < 0)
		return -EINVAL;
	r = resource(b, message);
	while (r == 0 && next_field(&c, &f)) {
		if (f.number == 2)
			r = scope_spans(b, &f);
	}
	return r < 0 ? r : end_of(b, &c);
}

int ww_otlp_pb_decode(struct ww_otlp_build *b, struct ww_slice body)
{
	struct ww_cursor c = ww_cursor(body);
	struct field f;
	int r = 0;

	while (r == 0 && next_field(&c, &f)) {
		if (f.number == 1)
			r = resource_spans(b, &f);
	}
	if (r == 0)
		r = end_of(b, &c);
	return r == -EINVAL ? -EBADMSG : r;
}
