/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ExportTraceServiceRequest in OTLP's JSON encoding (opentelemetry-proto, "JSON Protobuf
 * Encoding"): ids in hexadecimal of either case, enums as integers only, lowerCamelCase names only,
 * unknown names ignored, 64-bit integers as number or string, bytes in base64. A member that is
 * null counts as absent.
 *
 * Numbered invariants:
 *  1. No recursion over input: objects nest in a fixed order, AnyValue by an explicit bounded
 *     stack.
 *  2. What is wrong inside a span but is still JSON costs that span only: the tokenizer goes back
 *     to the span's beginning and skips it. Broken JSON ends the request.
 *  3. Members come in any order: where the order matters the wanted one is looked for first, on a
 *     copy of the tokenizer.
 */
#include <errno.h>

#include "base/encode.h"
#include "base/json.h"
#include "claim/otlp_build.h"
#include "claim/text.h"

/* Frames per nested array or list: AnyValue, its ArrayValue, the values; a list has KeyValue
 * between. */
#define FRAMES_MAX (4 * WW_OTLP_NEST_MAX + 1)

#define NUMBER_TEXT_MAX 64

/* The longest raw text that string() resolves, two escapes over its measure. */
#define SCRATCH_BYTES_MAX (6 * (WW_ATTR_BYTES_MAX + 4))

struct decoder {
	struct ww_otlp_build *b;
	struct ww_json j;
	struct ww_buf scratch; /* a string with its escapes resolved */
	ww_otlp_attr_fn sink;  /* what the attributes read now belong to */
	char key[WW_ATTR_KEY_BYTES_MAX +
		 5]; /* of the attribute; room for a character too many, to see it */
	char nested_key[WW_ATTR_KEY_BYTES_MAX +
			1]; /* of a list's element, until its value begins */
};

/* Reads the value that begins with token t. Every handler leaves the tokenizer behind the value. */
typedef int (*take_fn)(struct decoder *d, const struct ww_json_token *t);

struct member {
	const char *name;
	take_fn take;
};

static int bad(struct decoder *d, const char *why)
{
	return ww_otlp_build_bad(d->b, -EINVAL, why);
}

/* --- walking ------------------------------------------------------------------------------------
 */

static int answer(struct decoder *d, enum ww_parse p)
{
	if (p == WW_PARSE_DONE)
		return 0;
	return ww_otlp_build_bad(d->b, -EBADMSG,
				 p == WW_PARSE_BAD ? d->j.error.reason : "the JSON is cut off");
}

static int next(struct decoder *d, struct ww_json_token *ret_token)
{
	return answer(d, ww_json_next(&d->j, ret_token));
}

static int skip(struct decoder *d, const struct ww_json_token *t)
{
	return answer(d, ww_json_skip(&d->j, t));
}

/* The next member that is not null: 1; at the object's end: 0. */
static int next_member(struct decoder *d, struct ww_json_token *ret_key,
		       struct ww_json_token *ret_value)
{
	do {
		int r = next(d, ret_key);

		if (r < 0)
			return r;
		if (ret_key->type == WW_JSON_END_OBJECT)
			return 0;
		r = next(d, ret_value);
		if (r < 0)
			return r;
	} while (ret_value->type == WW_JSON_NULL);
	return 1;
}

/* The object that begins with t, each known member to its handler. */
static int object(struct decoder *d, const struct ww_json_token *t, const struct member *members,
		  size_t count)
{
	struct ww_json_token key, value;
	int r;

	if (t->type != WW_JSON_OBJECT)
		return bad(d, "object expected");
	while ((r = next_member(d, &key, &value)) > 0) {
		take_fn take = skip;

		for (size_t i = 0; i < count && take == skip; i++) {
			if (ww_json_is(&key, members[i].name))
				take = members[i].take;
		}
		r = take(d, &value);
		if (r < 0)
			return r;
	}
	return r;
}

#define OBJECT(d, t, members) object(d, t, members, WW_ARRAY_SIZE(members))

/* The array that begins with t, each element to take. */
static int array(struct decoder *d, const struct ww_json_token *t, take_fn take)
{
	struct ww_json_token element;

	if (t->type != WW_JSON_ARRAY)
		return bad(d, "array expected");
	for (;;) {
		int r = next(d, &element);

		if (r < 0 || element.type == WW_JSON_END_ARRAY)
			return r;
		r = take(d, &element);
		if (r < 0)
			return r;
	}
}

/* Invariant 3: takes the first member `name` of the object, if any, and goes back to the object's
 * beginning. */
static int look_ahead(struct decoder *d, const char *name, take_fn take)
{
	struct ww_json begin = d->j;
	struct ww_json_token key, value;
	int r;

	while ((r = next_member(d, &key, &value)) > 0) {
		bool found = ww_json_is(&key, name);

		r = found ? take(d, &value) : skip(d, &value);
		if (r < 0 || found)
			break;
	}
	/* What is broken is found again, by the walk that follows. */
	if (r != -EBADMSG)
		d->j = begin;
	return r;
}

/* --- scalars ------------------------------------------------------------------------------------
 */

/*
 * The text of string token t, at least its first `bytes_max` + 1 bytes: a caller with that ceiling
 * sees that there is more. Borrowed from the input or from scratch. 0, -EINVAL, -ENOMEM.
 */
static int string(struct decoder *d, const struct ww_json_token *t, size_t bytes_max,
		  struct ww_slice *ret_text)
{
	struct ww_json_token part = *t;
	size_t end = 0, enough = 6 * (bytes_max + 1); /* an escape gives one byte or more for six */
	int r;

	if (t->type != WW_JSON_STRING && t->type != WW_JSON_KEY)
		return bad(d, "string expected");
	if (!t->escaped) {
		*ret_text = t->raw;
		return 0;
	}
	while (end < t->raw.n && end < enough) {
		if (t->raw.p[end] == '\\')
			end += t->raw.p[end + 1] == 'u' ? 6 : 2;
		else
			end++;
	}
	part.raw.n = end;
	ww_buf_clear(&d->scratch);
	r = ww_json_unescape(&part, &d->scratch);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return bad(d, "string expected");
	*ret_text = ww_buf_slice(&d->scratch);
	return 0;
}

/* An unsigned integer, as number or as string. */
static int u64(struct decoder *d, const struct ww_json_token *t, uint64_t *ret_value)
{
	if ((t->type == WW_JSON_NUMBER || t->type == WW_JSON_STRING) &&
	    ww_slice_u64(t->raw, ret_value) == 0)
		return 0;
	return bad(d, "unsigned integer expected");
}

static int enum_value(struct decoder *d, const struct ww_json_token *t, uint64_t *ret_value)
{
	if (ww_json_u64(t, ret_value) == 0)
		return 0;
	return bad(d, "enum values are integers");
}

static int id(struct decoder *d, const struct ww_json_token *t, uint8_t *to, size_t n)
{
	uint8_t bytes[16];

	if (t->type != WW_JSON_STRING)
		return bad(d, "id: string expected");
	if (t->raw.n == 0)
		return ww_otlp_build_id(d->b, to, n, WW_SLICE_NULL);
	if (ww_hex_decode(t->raw, bytes, n) < 0)
		return bad(d, n == sizeof(bytes) ? "trace id is not 32 hexadecimal digits"
						 : "span id is not 16 hexadecimal digits");
	return ww_otlp_build_id(d->b, to, n, ww_slice(bytes, n));
}

/* --- AnyValue -----------------------------------------------------------------------------------
 */

static int any_string(struct decoder *d, const char *key, const struct ww_json_token *t)
{
	struct ww_slice text;
	int r = string(d, t, WW_ATTR_BYTES_MAX, &text);

	if (r == 0)
		ww_otlp_value_string(&d->b->value, key, text);
	return r;
}

static int any_bool(struct decoder *d, const char *key, const struct ww_json_token *t)
{
	if (t->type != WW_JSON_TRUE && t->type != WW_JSON_FALSE)
		return bad(d, "boolean expected");
	ww_otlp_value_bool(&d->b->value, key, t->type == WW_JSON_TRUE);
	return 0;
}

static int any_double(struct decoder *d, const char *key, const struct ww_json_token *t)
{
	char text[NUMBER_TEXT_MAX], *end;
	double v;
	bool word;

	if (t->type != WW_JSON_NUMBER && t->type != WW_JSON_STRING)
		return bad(d, "number expected");
	if (!ww_text_copy(text, sizeof(text), t->raw, NULL))
		return -E2BIG;
	/* The mapping's words are strtod's as well; strtod knows more, which is not meant. */
	word = !strcmp(text, "NaN") || !strcmp(text, "Infinity") || !strcmp(text, "-Infinity");
	v = strtod(text, &end);
	if (end == text || *end != '\0' || (!word && text[strspn(text, "0123456789+-.eE")]))
		return bad(d, "number expected");
	ww_otlp_value_double(&d->b->value, key, v);
	return 0;
}

/*
 * What is no 64-bit integer: as number taken for the double it is (JavaScript's SDK sends 1e21 so),
 * as string out of range -E2BIG.
 */
static int any_int(struct decoder *d, const char *key, const struct ww_json_token *t)
{
	struct ww_slice digits = t->raw;
	bool negative = digits.n > 0 && digits.p[0] == '-';
	uint64_t v = 0;
	int r;

	if (t->type != WW_JSON_NUMBER && t->type != WW_JSON_STRING)
		return bad(d, "integer expected");
	if (negative)
		digits = ww_slice_sub(digits, 1, digits.n);
	r = ww_slice_u64(digits, &v);
	if (r == 0 && v > (uint64_t)INT64_MAX + negative)
		r = -ERANGE;
	if (r < 0 && t->type == WW_JSON_NUMBER)
		return any_double(d, key, t);
	if (r < 0)
		return r == -ERANGE ? -E2BIG : bad(d, "integer expected");
	ww_otlp_value_int(&d->b->value, key, negative ? (int64_t)(0 - v) : (int64_t)v);
	return 0;
}

static int any_bytes(struct decoder *d, const char *key, const struct ww_json_token *t)
{
	char padded[WW_ATTR_BYTES_MAX + 4];
	uint8_t bytes[WW_ATTR_BYTES_MAX];
	struct ww_slice text;
	size_t n;
	bool cut;
	int r = string(d, t, WW_ATTR_BYTES_MAX, &text);

	if (r < 0)
		return r;
	cut = !ww_text_copy(padded, WW_ATTR_BYTES_MAX + 1, text, &n);
	/* Protobuf's JSON mapping accepts base64 without its padding. */
	while (n % 4 != 0 && n < WW_ATTR_BYTES_MAX)
		padded[n++] = '=';
	if (ww_base64_decode(ww_slice(padded, n), true, bytes, sizeof(bytes), &n) < 0)
		return bad(d, "base64 expected");
	ww_otlp_value_bytes(&d->b->value, key, ww_slice(bytes, n), cut);
	return 0;
}

static const struct {
	const char *name;
	enum ww_otlp_type type;
	int (*take)(struct decoder *d, const char *key, const struct ww_json_token *t);
} any_members[] = {
	{"stringValue", WW_OTLP_STRING, any_string}, {"intValue", WW_OTLP_INT, any_int},
	{"boolValue", WW_OTLP_BOOL, any_bool},       {"doubleValue", WW_OTLP_DOUBLE, any_double},
	{"arrayValue", WW_OTLP_ARRAY, NULL},         {"kvlistValue", WW_OTLP_KVLIST, NULL},
	{"bytesValue", WW_OTLP_BYTES, any_bytes},
};

struct frame {
	enum { ANY, HOLDER, VALUES, KEY_VALUE } what; /* HOLDER: ArrayValue or KeyValueList */
	bool list;                                    /* HOLDER, VALUES: of a KeyValueList */
	bool keyed;                                   /* ANY: it belongs to nested_key */
	bool seen;                                    /* ANY: a member; KEY_VALUE: its value */
};

/* A walk through one AnyValue. */
struct walk {
	struct frame frames[FRAMES_MAX];
	uint32_t depth;
};

static void push(struct walk *w, struct frame f)
{
	w->frames[w->depth++] = f;
}

/* The next member of an AnyValue, or its end. */
static int step_any(struct decoder *d, struct walk *w, struct frame *f)
{
	struct ww_json_token name, t;
	const char *key = f->keyed ? d->nested_key : NULL;
	size_t i = 0;
	int r = next_member(d, &name, &t);

	if (r < 0)
		return r;
	if (r == 0) {
		if (!f->seen)
			ww_otlp_value_nothing(&d->b->value, key);
		w->depth--;
		return 0;
	}
	while (i < WW_ARRAY_SIZE(any_members) && !ww_json_is(&name, any_members[i].name))
		i++;
	if (i == WW_ARRAY_SIZE(any_members))
		return skip(d, &t);
	if (f->seen)
		return bad(d, "a value has two types");
	f->seen = true;
	if (any_members[i].take)
		return any_members[i].take(d, key, &t);
	if (t.type != WW_JSON_OBJECT)
		return bad(d, "object expected");
	r = ww_otlp_value_open(&d->b->value, key, any_members[i].type);
	if (r == 0)
		push(w,
		     (struct frame){.what = HOLDER, .list = any_members[i].type == WW_OTLP_KVLIST});
	return r;
}

/* The next member of an ArrayValue or KeyValueList, or its end. */
static int step_holder(struct decoder *d, struct walk *w, const struct frame *f)
{
	struct ww_json_token name, t;
	int r = next_member(d, &name, &t);

	if (r < 0)
		return r;
	if (r == 0) {
		w->depth--;
		return ww_otlp_value_close(&d->b->value);
	}
	if (!ww_json_is(&name, "values"))
		return skip(d, &t);
	if (t.type != WW_JSON_ARRAY)
		return bad(d, "array expected");
	push(w, (struct frame){.what = VALUES, .list = f->list});
	return 0;
}

static int take_nested_key(struct decoder *d, const struct ww_json_token *t)
{
	struct ww_slice text;
	int r = string(d, t, WW_ATTR_KEY_BYTES_MAX, &text);

	if (r == 0 && !ww_text_copy(d->nested_key, sizeof(d->nested_key), text, NULL))
		d->b->value.cut = true;
	return r;
}

/* The next element of `values`, or its end. */
static int step_values(struct decoder *d, struct walk *w, const struct frame *f)
{
	struct ww_json_token t;
	int r = next(d, &t);

	if (r < 0)
		return r;
	if (t.type == WW_JSON_END_ARRAY) {
		w->depth--;
		return 0;
	}
	if (t.type != WW_JSON_OBJECT)
		return bad(d, "object expected");
	if (!f->list) {
		push(w, (struct frame){.what = ANY});
		return 0;
	}
	d->nested_key[0] = '\0';
	r = look_ahead(d, "key", take_nested_key);
	push(w, (struct frame){.what = KEY_VALUE});
	return r;
}

/* The next member of a KeyValue inside a list, or its end. */
static int step_key_value(struct decoder *d, struct walk *w, struct frame *f)
{
	struct ww_json_token name, t;
	int r = next_member(d, &name, &t);

	if (r < 0)
		return r;
	if (r == 0) {
		if (!f->seen)
			ww_otlp_value_nothing(&d->b->value, d->nested_key);
		w->depth--;
		return 0;
	}
	if (!ww_json_is(&name, "value"))
		return skip(d, &t);
	if (f->seen)
		return bad(d, "a key has two values");
	if (t.type != WW_JSON_OBJECT)
		return bad(d, "object expected");
	f->seen = true;
	push(w, (struct frame){.what = ANY, .keyed = true});
	return 0;
}

/* The AnyValue that begins with t into b->value. */
static int any_value(struct decoder *d, const struct ww_json_token *t)
{
	struct walk w = {.frames = {{.what = ANY}}, .depth = 1};
	int r = t->type == WW_JSON_OBJECT ? 0 : bad(d, "object expected");

	ww_otlp_value_reset(&d->b->value);
	while (r == 0 && w.depth > 0) {
		struct frame *f = &w.frames[w.depth - 1];

		switch (f->what) {
		case ANY:
			r = step_any(d, &w, f);
			break;
		case HOLDER:
			r = step_holder(d, &w, f);
			break;
		case VALUES:
			r = step_values(d, &w, f);
			break;
		case KEY_VALUE:
			r = step_key_value(d, &w, f);
			break;
		}
	}
	return r;
}

static int take_value(struct decoder *d, const struct ww_json_token *t)
{
	struct ww_json begin = d->j;
	int r = any_value(d, t);

	if (r != -E2BIG)
		return r;
	ww_otlp_value_reset(&d->b->value);
	d->b->value.dropped = true;
	d->j = begin;
	return skip(d, t);
}

/* --- KeyValue -----------------------------------------------------------------------------------
 */

static int take_key(struct decoder *d, const struct ww_json_token *t)
{
	struct ww_slice text;
	int r = string(d, t, WW_ATTR_KEY_BYTES_MAX, &text);

	if (r == 0)
		(void)ww_text_copy(d->key, sizeof(d->key), text, NULL);
	return r;
}

static int take_attribute(struct decoder *d, const struct ww_json_token *t)
{
	static const struct member members[] = {{"key", take_key}, {"value", take_value}};
	int r;

	d->key[0] = '\0';
	ww_otlp_value_reset(&d->b->value);
	r = OBJECT(d, t, members);
	return r < 0 ? r : d->sink(d->b, ww_slice_str(d->key));
}

static int attributes(struct decoder *d, const struct ww_json_token *t, ww_otlp_attr_fn sink)
{
	d->sink = sink;
	return array(d, t, take_attribute);
}

/* --- Span ---------------------------------------------------------------------------------------
 */

static int take_event_time(struct decoder *d, const struct ww_json_token *t)
{
	return u64(d, t, &d->b->event_time.ns);
}

static int take_event_name(struct decoder *d, const struct ww_json_token *t)
{
	struct ww_slice text;
	int r = string(d, t, sizeof(WW_DECLARED_EVENT), &text);

	if (r == 0)
		ww_otlp_build_event_name(d->b, text);
	return r;
}

static int take_event_attributes(struct decoder *d, const struct ww_json_token *t)
{
	return attributes(d, t, ww_otlp_build_event_attr);
}

static int take_event(struct decoder *d, const struct ww_json_token *t)
{
	static const struct member members[] = {
		{"timeUnixNano", take_event_time},
		{"name", take_event_name},
		{"attributes", take_event_attributes},
	};
	int r;

	if (!ww_otlp_build_event(d->b))
		return skip(d, t);
	r = OBJECT(d, t, members);
	if (r == 0)
		ww_otlp_build_event_end(d->b);
	return r;
}

static int take_events(struct decoder *d, const struct ww_json_token *t)
{
	return array(d, t, take_event);
}

static int take_code(struct decoder *d, const struct ww_json_token *t)
{
	uint64_t code;
	int r = enum_value(d, t, &code);

	if (r == 0)
		ww_otlp_build_status(d->b, code);
	return r;
}

static int take_status(struct decoder *d, const struct ww_json_token *t)
{
	static const struct member members[] = {{"code", take_code}};

	return OBJECT(d, t, members);
}

static int take_trace_id(struct decoder *d, const struct ww_json_token *t)
{
	return id(d, t, d->b->span.trace_id, sizeof(d->b->span.trace_id));
}

static int take_span_id(struct decoder *d, const struct ww_json_token *t)
{
	return id(d, t, d->b->span.span_id, sizeof(d->b->span.span_id));
}

static int take_parent_id(struct decoder *d, const struct ww_json_token *t)
{
	return id(d, t, d->b->span.parent_id, sizeof(d->b->span.parent_id));
}

static int take_name(struct decoder *d, const struct ww_json_token *t)
{
	struct ww_slice text;
	int r = string(d, t, sizeof(d->b->span.name), &text);

	if (r == 0)
		ww_otlp_build_name(d->b, text);
	return r;
}

static int take_kind(struct decoder *d, const struct ww_json_token *t)
{
	uint64_t kind;
	int r = enum_value(d, t, &kind);

	if (r == 0)
		ww_otlp_build_kind(d->b, kind);
	return r;
}

static int take_start(struct decoder *d, const struct ww_json_token *t)
{
	return u64(d, t, &d->b->span.start.ns);
}

static int take_end(struct decoder *d, const struct ww_json_token *t)
{
	return u64(d, t, &d->b->span.end.ns);
}

static int take_flags(struct decoder *d, const struct ww_json_token *t)
{
	uint64_t flags;
	int r = u64(d, t, &flags);

	if (r < 0 || flags > UINT32_MAX)
		return bad(d, "32-bit integer expected");
	ww_otlp_build_flags(d->b, (uint32_t)flags);
	return 0;
}

static int take_span_attributes(struct decoder *d, const struct ww_json_token *t)
{
	return attributes(d, t, ww_otlp_build_attr);
}

static int take_span(struct decoder *d, const struct ww_json_token *t)
{
	static const struct member members[] = {
		{"traceId", take_trace_id},
		{"spanId", take_span_id},
		{"parentSpanId", take_parent_id},
		{"name", take_name},
		{"kind", take_kind},
		{"startTimeUnixNano", take_start},
		{"endTimeUnixNano", take_end},
		{"attributes", take_span_attributes},
		{"events", take_events},
		{"status", take_status},
		{"flags", take_flags},
	};
	struct ww_json begin = d->j;
	int r;

	if (!ww_otlp_build_span(d->b))
		return skip(d, t);
	r = OBJECT(d, t, members);
	if (r == 0)
		r = ww_otlp_build_span_end(d->b);
	if (r != -EINVAL)
		return r;
	/* Invariant 2. */
	ww_otlp_build_reject(d->b);
	d->j = begin;
	return skip(d, t);
}

/* --- what holds the spans -----------------------------------------------------------------------
 */

static int take_scope_name(struct decoder *d, const struct ww_json_token *t)
{
	struct ww_slice text;
	int r = string(d, t, sizeof(d->b->scope_name), &text);

	if (r == 0)
		ww_otlp_build_scope(d->b, text);
	return r;
}

static int take_scope(struct decoder *d, const struct ww_json_token *t)
{
	static const struct member members[] = {{"name", take_scope_name}};

	return OBJECT(d, t, members);
}

static int take_spans(struct decoder *d, const struct ww_json_token *t)
{
	return array(d, t, take_span);
}

static int take_scope_spans(struct decoder *d, const struct ww_json_token *t)
{
	static const struct member members[] = {{"spans", take_spans}};
	int r;

	if (t->type != WW_JSON_OBJECT)
		return bad(d, "object expected");
	ww_otlp_build_scope(d->b, WW_SLICE_NULL);
	r = look_ahead(d, "scope", take_scope);
	return r < 0 ? r : OBJECT(d, t, members);
}

static int take_scope_spans_array(struct decoder *d, const struct ww_json_token *t)
{
	return array(d, t, take_scope_spans);
}

static int take_resource_attributes(struct decoder *d, const struct ww_json_token *t)
{
	return attributes(d, t, ww_otlp_build_resource_attr);
}

static int take_resource(struct decoder *d, const struct ww_json_token *t)
{
	static const struct member members[] = {{"attributes", take_resource_attributes}};

	return OBJECT(d, t, members);
}

static int take_resource_spans(struct decoder *d, const struct ww_json_token *t)
{
	static const struct member members[] = {{"scopeSpans", take_scope_spans_array}};
	int r;

	if (t->type != WW_JSON_OBJECT)
		return bad(d, "object expected");
	ww_otlp_build_resource(d->b);
	r = look_ahead(d, "resource", take_resource);
	return r < 0 ? r : OBJECT(d, t, members);
}

static int take_resource_spans_array(struct decoder *d, const struct ww_json_token *t)
{
	return array(d, t, take_resource_spans);
}

static void decoder_done(struct decoder *d)
{
	ww_buf_wipe(&d->scratch);
}

int ww_otlp_json_decode(struct ww_otlp_build *b, struct ww_slice body)
{
	static const struct member members[] = {{"resourceSpans", take_resource_spans_array}};
	struct decoder d WW_AUTO(decoder_done) = {.b = b};
	struct ww_json_token t;
	int r;

	ww_buf_init(&d.scratch, SCRATCH_BYTES_MAX);
	ww_json_init(&d.j, body);
	r = next(&d, &t);
	if (r == 0)
		r = OBJECT(&d, &t, members);
	if (r == 0 && ww_json_next(&d.j, &t) != WW_PARSE_END)
		r = bad(&d, "text after the document");
	return r == -EINVAL ? -EBADMSG : r;
}
