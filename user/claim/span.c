/* SPDX-License-Identifier: Apache-2.0 */
#include "claim/span.h"

#include "base/encode.h"
#include "claim/dialect.h"

/* A kept value longer than this is written as its digest: names, ids and numbers are short. */
#define VALUE_BYTES_MAX 256

/*
 * Where the list of attributes stops: with the longest member (a key and a value, each byte
 * escaped) it stays in WW_RECORD_BYTES_MAX, together with the end of the record.
 */
#define ATTRS_UNTIL_BYTES (WW_RECORD_BYTES_MAX - 8192)

void ww_span_done(struct ww_span *s)
{
	free(s->memory);
	s->memory = NULL;
	s->attrs = NULL;
	s->attr_count = 0;
}

const char *ww_span_attr(const struct ww_span *s, const char *key)
{
	for (unsigned i = 0; i < s->attr_count; i++) {
		if (strcmp(s->attrs[i].key, key) == 0)
			return s->attrs[i].value;
	}
	return NULL;
}

void ww_span_id(const struct ww_span *s, char *out)
{
	out[0] = 's';
	out[1] = '-';
	ww_hex_encode(ww_slice(s->span_id, sizeof(s->span_id)), out + 2);
}

/* --- record -------------------------------------------------------------------------------------
 */

static const char *const field_names[] = {
#define NAME(n, member, text) [WW_SPAN_FIELD_##n] = text,
	WW_SPAN_FIELDS(NAME)
#undef NAME
};

const char *ww_span_status_name(enum ww_span_status s)
{
	return s == WW_SPAN_OK ? "OK" : s == WW_SPAN_ERROR ? "ERROR" : "UNSET";
}

static void write_time(struct ww_jsonw *w, const char *key, struct ww_wall t)
{
	char text[WW_RFC3339_MAX];

	ww_wall_rfc3339(t, text);
	ww_jsonw_cstr(w, key, text);
}

static void write_text(struct ww_jsonw *w, const char *key, const char *text)
{
	if (text[0] != '\0')
		ww_jsonw_cstr(w, key, text);
}

static void write_actor(struct ww_jsonw *w, const struct ww_span *s)
{
	char id[WW_ACTOR_ID_MAX];

	if (s->actor.pid != 0) {
		ww_actor_id(s->actor, id);
		ww_jsonw_cstr(w, "actor", id);
		ww_actor_id(s->root, id);
		ww_jsonw_cstr(w, "root", id);
		ww_jsonw_id64(w, "cgroup", s->cgroup);
	}
	ww_jsonw_u64(w, "receivedBootNs", s->received.ns);
	if (s->said_pid != 0)
		ww_jsonw_u64(w, "saidPid", s->said_pid);
}

static void write_view(struct ww_jsonw *w, const struct ww_span *s)
{
	static const char *const roles[] = {[WW_SPAN_OTHER] = "other",
					    [WW_SPAN_MODEL] = "model",
					    [WW_SPAN_TOOL] = "tool",
					    [WW_SPAN_AGENT] = "agent",
					    [WW_SPAN_HTTP] = "http"};

	ww_jsonw_cstr(w, "role", roles[s->role]);
#define TEXT(n, member, text) write_text(w, text, s->member);
	WW_SPAN_TEXTS(TEXT)
#undef TEXT
	if (s->server_port != 0)
		ww_jsonw_u64(w, field_names[WW_SPAN_FIELD_SERVER_PORT], s->server_port);
	if (s->usage_in_present)
		ww_jsonw_u64(w, field_names[WW_SPAN_FIELD_USAGE_IN], s->usage_in);
	if (s->usage_out_present)
		ww_jsonw_u64(w, field_names[WW_SPAN_FIELD_USAGE_OUT], s->usage_out);
	ww_jsonw_u64(w, "generation", s->generation);
	if (s->conflicts == 0)
		return;
	ww_jsonw_array(w, "conflicts");
	for (unsigned i = 0; i < WW_SPAN_FIELD_MAX; i++) {
		if (s->conflicts & 1u << i)
			ww_jsonw_cstr(w, NULL, field_names[i]);
	}
	ww_jsonw_end_array(w);
}

static void write_claims(struct ww_jsonw *w, const struct ww_span *s)
{
	if (s->claim_count == 0)
		return;
	ww_jsonw_array(w, "claims");
	for (unsigned i = 0; i < s->claim_count; i++) {
		const struct ww_declared_claim *c = &s->claims[i];

		ww_jsonw_object(w, NULL);
		ww_jsonw_cstr(w, "claimId", c->claim_id);
		write_text(w, "action", c->action);
		write_text(w, "tool", c->tool);
		write_text(w, "toolCallId", c->tool_call_id);
		ww_jsonw_cstr(w, "tense", c->done ? "done" : "will");
		if (c->deadline.ns != 0)
			write_time(w, "deadline", c->deadline);
		write_time(w, "at", c->at);
		ww_jsonw_end_object(w);
	}
	ww_jsonw_end_array(w);
}

static void write_attr(struct ww_jsonw *w, const struct ww_attr *a, const struct ww_digest_key *key)
{
	struct ww_slice value = ww_slice_str(a->value);
	struct ww_sha256 digest;

	if (value.n <= VALUE_BYTES_MAX && ww_dialect_keeps(a->key)) {
		ww_jsonw_str(w, a->key, value);
		return;
	}
	ww_digest(key, value, &digest);
	ww_jsonw_object(w, a->key);
	ww_jsonw_hex(w, "digest", ww_slice(digest.b, sizeof(digest.b)));
	ww_jsonw_u64(w, "bytes", value.n);
	if (a->cut)
		ww_jsonw_bool(w, "cut", true);
	ww_jsonw_end_object(w);
}

/* Readers disagree which of two members of one name counts: a record has the first only. */
static bool is_repeated(const struct ww_span *s, unsigned i)
{
	unsigned first = 0;

	while (strcmp(s->attrs[first].key, s->attrs[i].key) != 0)
		first++;
	return first < i;
}

/* begin: where the record begins in the writer's buffer. */
static void write_attrs(struct ww_jsonw *w, const struct ww_span *s,
			const struct ww_digest_key *key, size_t begin)
{
	unsigned omitted = 0;

	ww_jsonw_object(w, "attrs");
	for (unsigned i = 0; i < s->attr_count; i++) {
		if (w->out->n - begin >= ATTRS_UNTIL_BYTES || is_repeated(s, i))
			omitted++;
		else
			write_attr(w, &s->attrs[i], key);
	}
	ww_jsonw_end_object(w);
	if (omitted)
		ww_jsonw_u64(w, "attrsOmitted", omitted);
	if (s->attrs_dropped != 0)
		ww_jsonw_u64(w, "attrsDropped", s->attrs_dropped);
	if (s->events_dropped != 0)
		ww_jsonw_u64(w, "eventsDropped", s->events_dropped);
	if (s->claims_dropped != 0)
		ww_jsonw_u64(w, "claimsDropped", s->claims_dropped);
}

void ww_span_write(const struct ww_span *s, const struct ww_digest_key *key, struct ww_jsonw *w)
{
	static const uint8_t root[sizeof(s->parent_id)];
	size_t begin = w->out->n;
	char id[WW_SPAN_ID_MAX];

	ww_jsonw_object(w, NULL);
	ww_jsonw_cstr(w, "kind", "span");
	ww_span_id(s, id);
	ww_jsonw_cstr(w, "id", id);
	write_time(w, "t", s->start);
	write_time(w, "end", s->end);
	ww_jsonw_hex(w, "traceId", ww_slice(s->trace_id, sizeof(s->trace_id)));
	ww_jsonw_hex(w, "spanId", ww_slice(s->span_id, sizeof(s->span_id)));
	if (memcmp(s->parent_id, root, sizeof(root)) != 0)
		ww_jsonw_hex(w, "parentId", ww_slice(s->parent_id, sizeof(s->parent_id)));
	if (s->trace_sampled_known)
		ww_jsonw_bool(w, "sampled", s->trace_sampled);
	ww_jsonw_cstr(w, "name", s->name);
	ww_jsonw_u64(w, "spanKind", s->kind);
	ww_jsonw_cstr(w, "status", ww_span_status_name(s->status));
	write_text(w, "service", s->service_name);
	write_text(w, "scope", s->scope_name);
	write_text(w, "senderRegion", s->sender_region);
	write_actor(w, s);
	write_view(w, s);
	write_claims(w, s);
	write_attrs(w, s, key, begin);
	ww_jsonw_end_object(w);
}
