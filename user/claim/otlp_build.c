/* SPDX-License-Identifier: Apache-2.0 */
#include "claim/otlp_build.h"

#include <errno.h>
#include <stdio.h>

#include "claim/text.h"

void ww_otlp_build_init(struct ww_otlp_build *b, void (*fn)(void *ctx, struct ww_span *span),
			void *ctx)
{
	*b = (struct ww_otlp_build){.fn = fn, .ctx = ctx, .why = ""};
	ww_otlp_value_init(&b->value);
	ww_buf_init(&b->text, WW_SPAN_BYTES_MAX);
}

void ww_otlp_build_done(struct ww_otlp_build *b)
{
	ww_otlp_value_done(&b->value);
	ww_buf_wipe(&b->text);
}

int ww_otlp_build_bad(struct ww_otlp_build *b, int r, const char *why)
{
	b->why = why;
	return r;
}

/* --- resource and scope -------------------------------------------------------------------------
 */

void ww_otlp_build_resource(struct ww_otlp_build *b)
{
	b->service_name[0] = '\0';
	b->sender_region[0] = '\0';
	b->scope_name[0] = '\0';
	b->said_pid = 0;
}

int ww_otlp_build_resource_attr(struct ww_otlp_build *b, struct ww_slice key)
{
	struct ww_slice value = ww_otlp_value_slice(&b->value);
	uint64_t pid;

	if (b->value.dropped)
		return 0;
	if (ww_slice_eq_str(key, "service.name"))
		(void)ww_text_copy(b->service_name, sizeof(b->service_name), value, NULL);
	else if (ww_slice_eq_str(key, "cloud.region"))
		(void)ww_text_copy(b->sender_region, sizeof(b->sender_region), value, NULL);
	else if (ww_slice_eq_str(key, "process.pid") && ww_slice_u64(value, &pid) == 0 &&
		 pid <= UINT32_MAX)
		b->said_pid = (uint32_t)pid;
	return 0;
}

void ww_otlp_build_scope(struct ww_otlp_build *b, struct ww_slice name)
{
	/* A label: what is cut off says nothing that a verdict rests on. */
	(void)ww_text_copy(b->scope_name, sizeof(b->scope_name), name, NULL);
}

/* --- span ---------------------------------------------------------------------------------------
 */

bool ww_otlp_build_span(struct ww_otlp_build *b)
{
	b->span = (struct ww_span){.said_pid = b->said_pid};
	memcpy(b->span.service_name, b->service_name, sizeof(b->service_name));
	memcpy(b->span.sender_region, b->sender_region, sizeof(b->sender_region));
	memcpy(b->span.scope_name, b->scope_name, sizeof(b->scope_name));
	ww_buf_clear(&b->text);
	b->event_count = 0;
	if (b->result.spans + b->result.rejected < WW_SPANS_PER_REQUEST)
		return true;
	b->why = "too many spans in one request";
	ww_otlp_build_reject(b);
	return false;
}

int ww_otlp_build_id(struct ww_otlp_build *b, uint8_t *id, size_t n, struct ww_slice bytes)
{
	if (bytes.n != 0 && bytes.n != n)
		return ww_otlp_build_bad(b, -EINVAL,
					 n == sizeof(b->span.trace_id) ? "trace id is not 16 bytes"
								       : "span id is not 8 bytes");
	memset(id, 0, n);
	if (bytes.n > 0)
		memcpy(id, bytes.p, n);
	return 0;
}

void ww_otlp_build_name(struct ww_otlp_build *b, struct ww_slice name)
{
	(void)ww_text_copy(b->span.name, sizeof(b->span.name), name, NULL);
}

void ww_otlp_build_kind(struct ww_otlp_build *b, uint64_t kind)
{
	b->span.kind =
		kind <= 5 ? (uint8_t)kind : 0; /* 5: CONSUMER, the last one; 0: unspecified */
}

void ww_otlp_build_status(struct ww_otlp_build *b, uint64_t code)
{
	b->span.status = code <= WW_SPAN_ERROR ? (enum ww_span_status)code : WW_SPAN_UNSET;
}

void ww_otlp_build_flags(struct ww_otlp_build *b, uint32_t flags)
{
	b->span.trace_sampled_known = true;
	b->span.trace_sampled = flags & 1; /* W3C trace flags are the low 8 bits */
}

/* Appends key and value; 0, -EMSGSIZE, -ENOMEM. */
static int add_attr(struct ww_otlp_build *b, struct ww_slice key)
{
	char name[WW_ATTR_KEY_BYTES_MAX + 1];
	size_t n, before = b->text.n;
	int r;

	if (key.n == 0 || b->value.dropped || b->span.attr_count == WW_SPAN_ATTRS_MAX ||
	    !ww_text_copy(name, sizeof(name), key, &n))
		return -EMSGSIZE;
	r = ww_buf_add(&b->text, name, n + 1);
	if (r == 0)
		r = ww_buf_add(&b->text, b->value.text, b->value.n + 1);
	if (r < 0) {
		b->text.n = before;
		return r;
	}
	b->attrs[b->span.attr_count].key = before;
	b->attrs[b->span.attr_count].value = before + n + 1;
	b->attrs[b->span.attr_count].type = b->value.type;
	b->attrs[b->span.attr_count].cut = b->value.cut;
	b->span.attr_count++;
	return 0;
}

int ww_otlp_build_attr(struct ww_otlp_build *b, struct ww_slice key)
{
	int r = add_attr(b, key);

	if (r != -EMSGSIZE)
		return r;
	b->span.attrs_dropped++;
	b->attrs_dropped++;
	return 0;
}

/* --- event --------------------------------------------------------------------------------------
 */

bool ww_otlp_build_event(struct ww_otlp_build *b)
{
	b->event_time = (struct ww_wall){0};
	b->event_declares = false;
	b->declared = (struct ww_declared){0};
	if (b->event_count < WW_SPAN_EVENTS_MAX) {
		b->event_count++;
		return true;
	}
	b->span.events_dropped++;
	return false;
}

void ww_otlp_build_event_name(struct ww_otlp_build *b, struct ww_slice name)
{
	b->event_declares = ww_slice_eq_str(name, WW_DECLARED_EVENT);
}

int ww_otlp_build_event_attr(struct ww_otlp_build *b, struct ww_slice key)
{
	/* Before the event's name is known, too: members come in any order. */
	ww_declared_set(&b->declared, key, ww_otlp_value_slice(&b->value));
	return 0;
}

void ww_otlp_build_event_end(struct ww_otlp_build *b)
{
	struct ww_span *s = &b->span;

	if (!b->event_declares)
		return;
	if (s->claim_count < WW_SPAN_CLAIMS_MAX &&
	    ww_declared_get(&b->declared, b->event_time, &s->claims[s->claim_count]) == 0) {
		s->claim_count++;
		return;
	}
	s->claims_dropped++;
	b->claims_dropped++;
}

/* --- delivery -----------------------------------------------------------------------------------
 */

static bool all_zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] != 0)
			return false;
	}
	return true;
}

/* One block: the attributes, then their text. 0 or -ENOMEM. */
static int settle_attrs(struct ww_otlp_build *b)
{
	struct ww_span *s = &b->span;
	size_t table = s->attr_count * sizeof(*s->attrs);
	struct ww_attr *attrs;
	char *text;

	if (s->attr_count == 0)
		return 0;
	attrs = malloc(table + b->text.n);
	if (!attrs)
		return -ENOMEM;
	text = (char *)(attrs + s->attr_count);
	memcpy(text, b->text.p, b->text.n);
	for (unsigned i = 0; i < s->attr_count; i++)
		attrs[i] = (struct ww_attr){.key = text + b->attrs[i].key,
					    .value = text + b->attrs[i].value,
					    .type = b->attrs[i].type,
					    .cut = b->attrs[i].cut};
	s->memory = attrs;
	s->attrs = attrs;
	return 0;
}

int ww_otlp_build_span_end(struct ww_otlp_build *b)
{
	struct ww_span *s = &b->span;
	int r;

	if (all_zero(s->trace_id, sizeof(s->trace_id)))
		return ww_otlp_build_bad(b, -EINVAL, "trace id is absent or all zero");
	if (all_zero(s->span_id, sizeof(s->span_id)))
		return ww_otlp_build_bad(b, -EINVAL, "span id is absent or all zero");
	r = settle_attrs(b);
	if (r < 0)
		return r;
	ww_span_normalise(s);
	b->result.spans++;
	b->fn(b->ctx, s);
	ww_span_done(s);
	return 0;
}

void ww_otlp_build_reject(struct ww_otlp_build *b)
{
	if (b->result.rejected++ == 0)
		(void)snprintf(b->result.message, sizeof(b->result.message), "span rejected: %s",
			       b->why);
}
