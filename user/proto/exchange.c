/* SPDX-License-Identifier: Apache-2.0 */
/* Names and the ledger record of an exchange. */
#include "proto/exchange.h"

#include "base/encode.h"
#include "proto/coding.h"
#include "proto/multipart.h"

static const char *const outcome_names[] = {
	[WW_X_OPEN] = "open",           [WW_X_COMPLETE] = "complete",
	[WW_X_NO_REPLY] = "no-reply",   [WW_X_RESET] = "reset",
	[WW_X_CUT_SHORT] = "cut-short", [WW_X_REQUEST_CUT] = "request-cut",
	[WW_X_UPGRADED] = "upgraded",   [WW_X_UNPARSED] = "unparsed",
	[WW_X_MESSAGE] = "message",     [WW_X_MESSAGE_CUT] = "message-cut",
};

static const struct {
	uint32_t bit;
	const char *name;
} finding_names[] = {
	{WW_X_MALFORMED_REQUEST, "malformed-request"},
	{WW_X_MALFORMED_RESPONSE, "malformed-response"},
	{WW_X_MALFORMED_CODING, "malformed-coding"},
	{WW_X_MALFORMED_BODY, "malformed-body"},
	{WW_X_GAP_REQUEST, "gap-in-request"},
	{WW_X_GAP_RESPONSE, "gap-in-response"},
	{WW_X_CUT, "field-cut"},
	{WW_X_TRUNCATED_REQUEST, "request-truncated"},
	{WW_X_TRUNCATED_RESPONSE, "response-truncated"},
	{WW_X_CODING_UNKNOWN, "coding-unknown"},
	{WW_X_BOMB, "decompression-bomb"},
	{WW_X_RESPONSE_FIRST, "response-first"},
	{WW_X_LIMIT, "limit"},
	{WW_X_FOUND_AGAIN, "found-again"},
	{WW_X_FIELDS_UNKNOWN, "fields-unknown"},
};

void ww_exchange_id(const struct ww_exchange *x, char *out)
{
	out = ww_put_hex(ww_put_text(out, "x-"), x->cookie);
	ww_put_dec(ww_put_text(out, "-"), x->index);
}

const char *ww_ws_type_name(enum ww_ws_type t)
{
	switch (t) {
	case WW_WS_TEXT:
		return "text";
	case WW_WS_BINARY:
		return "binary";
	case WW_WS_CLOSE:
		return "close";
	default:
		return "unknown";
	}
}

const char *ww_exchange_outcome_name(enum ww_exchange_outcome o)
{
	return (unsigned)o < WW_ARRAY_SIZE(outcome_names) ? outcome_names[o] : "unknown";
}

const char *ww_exchange_finding_name(uint32_t bit)
{
	for (size_t i = 0; i < WW_ARRAY_SIZE(finding_names); i++)
		if (finding_names[i].bit == bit)
			return finding_names[i].name;
	return NULL;
}

static bool is_grpc_type(const char *type)
{
	static const char prefix[] = "application/grpc";
	char end;

	if (strncasecmp(type, prefix, sizeof(prefix) - 1) != 0)
		return false;
	end = type[sizeof(prefix) - 1];
	return end == '\0' || end == '+' || end == ';' || end == ' ';
}

bool ww_exchange_is_grpc(const struct ww_exchange *x)
{
	return is_grpc_type(x->req.content_type) || is_grpc_type(x->resp.content_type);
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* "v1", "v2beta1": the one use of digits that is no id. */
static bool is_version(const char *s, size_t n)
{
	size_t i = 1;

	if (n < 2 || n > 10 || s[0] != 'v')
		return false;
	while (i < n && s[i] >= '0' && s[i] <= '9')
		i++;
	if (i == 1 || i > 4)
		return false;
	if (n - i >= 4 && strncmp(s + i, "beta", 4) == 0)
		i += 4;
	else if (n - i >= 5 && strncmp(s + i, "alpha", 5) == 0)
		i += 5;
	while (i < n && s[i] >= '0' && s[i] <= '9')
		i++;
	return i == n;
}

#define WORD_BYTES_MAX 32u

/* A segment that is a name of the interface, not a value: letters joined by one of - _ . : */
static bool is_word(const char *s, size_t n)
{
	bool joint = true;

	if (n == 0 || n > WORD_BYTES_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		bool letter = is_letter(s[i]);

		/* A leading dot or underscore is common (".well-known", "_search"). */
		if (!letter && (!strchr("-_.:", s[i]) || (joint && i > 0)))
			return false;
		joint = !letter;
	}
	return !joint;
}

void ww_exchange_path_template(const char *target, char *out)
{
	size_t n = strcspn(target, "?#"), at = 0, used = 0;

	if (target[0] != '/') {
		/* Absolute form: the path behind the authority; asterisk form as it is. */
		const char *authority = memmem(target, n, "://", 3);
		const char *slash = authority ? strchr(authority + 3, '/') : NULL;

		at = slash && slash < target + n ? (size_t)(slash - target) : n;
		if (strcmp(target, "*") == 0)
			out[used++] = '*';
	}
	while (at < n) {
		size_t len = strcspn(target + at + 1, "/?#");
		const char *segment = target + at + 1;

		if (len > n - at - 1)
			len = n - at - 1;
		if (used + len + 4 > 256)
			break;
		out[used++] = '/';
		if (len > 0 && (is_word(segment, len) || is_version(segment, len))) {
			memcpy(out + used, segment, len);
			used += len;
		} else if (len > 0) {
			out[used++] = '{';
			out[used++] = '}';
		}
		at += 1 + len;
	}
	out[used] = '\0';
}

static void write_body(const struct ww_body *b, struct ww_jsonw *w)
{
	ww_jsonw_object(w, "body");
	ww_jsonw_u64(w, "wireBytes", b->wire_bytes);
	ww_jsonw_u64(w, "decodedBytes", b->decoded_bytes);
	ww_jsonw_u64(w, "keptBytes", b->data.n);
	ww_jsonw_bool(w, "whole", b->whole);
	ww_jsonw_cstr(w, "coding", ww_coding_name(b->coding));
	if (b->content_type[0])
		ww_jsonw_cstr(w, "contentType", b->content_type);
	ww_jsonw_hex(w, "digest", ww_slice(b->digest.b, sizeof(b->digest.b)));
	if (b->form)
		ww_form_write(b->form, w);
	ww_jsonw_end_object(w);
}

static void write_side(const char *key, uint64_t offset, uint64_t bytes, struct ww_boot first,
		       struct ww_boot last, const struct ww_body *body, struct ww_jsonw *w)
{
	ww_jsonw_object(w, key);
	ww_jsonw_u64(w, "offset", offset);
	ww_jsonw_u64(w, "bytes", bytes);
	ww_jsonw_u64(w, "firstBootNs", first.ns);
	ww_jsonw_u64(w, "lastBootNs", last.ns);
	write_body(body, w);
	ww_jsonw_end_object(w);
}

static void write_names(const struct ww_exchange *x, struct ww_jsonw *w)
{
	char text[256];

	ww_jsonw_bool(w, "client", x->client);
	ww_endpoint_text(&x->local, text);
	ww_jsonw_cstr(w, "local", text);
	ww_endpoint_text(&x->peer, text);
	ww_jsonw_cstr(w, "peer", text);
	if (x->channel)
		ww_jsonw_cstr(w, "program", x->program);
	if (x->sni[0])
		ww_jsonw_cstr(w, "sni", x->sni);
	if (x->authority[0])
		ww_jsonw_cstr(w, "authority", x->authority);
	if (x->method[0]) {
		ww_jsonw_cstr(w, "method", x->method);
		ww_exchange_path_template(x->target, text);
		ww_jsonw_cstr(w, "path", text);
	}
	if (x->status)
		ww_jsonw_u64(w, "status", x->status);
	if (ww_exchange_is_grpc(x)) {
		ww_jsonw_object(w, "grpc");
		if (x->grpc.known)
			ww_jsonw_u64(w, "status", x->grpc.code);
		ww_jsonw_end_object(w);
	}
}

static void write_events(const struct ww_event_facts *e, struct ww_jsonw *w)
{
	if (!e->present)
		return;
	ww_jsonw_object(w, "eventStream");
	ww_jsonw_u64(w, "count", e->count);
	ww_jsonw_u64(w, "failures", e->failures);
	if (e->failure[0])
		ww_jsonw_cstr(w, "failure", e->failure);
	ww_jsonw_bool(w, "whole", e->whole);
	ww_jsonw_end_object(w);
}

static void write_web_socket(const struct ww_exchange *x, struct ww_jsonw *w)
{
	struct ww_exchange opened_by = {.cookie = x->cookie, .index = x->ws.opened_by};
	char id[WW_EXCHANGE_ID_MAX];

	if (x->ws.type == WW_WS_NONE)
		return;
	ww_exchange_id(&opened_by, id);
	ww_jsonw_object(w, "webSocket");
	ww_jsonw_cstr(w, "openedBy", id);
	ww_jsonw_cstr(w, "from", x->req_bytes > 0 ? "client" : "server");
	ww_jsonw_u64(w, "number", x->ws.number);
	ww_jsonw_cstr(w, "type", ww_ws_type_name((enum ww_ws_type)x->ws.type));
	ww_jsonw_u64(w, "frames", x->ws.frames);
	ww_jsonw_u64(w, "controls", x->ws.controls);
	if (x->ws.close_code)
		ww_jsonw_u64(w, "closeCode", x->ws.close_code);
	ww_jsonw_end_object(w);
}

static void write_ids(const struct ww_exchange *x, struct ww_jsonw *w)
{
	if (x->trace.present) {
		ww_jsonw_hex(w, "traceId", ww_slice(x->trace.trace_id, 16));
		ww_jsonw_hex(w, "spanId", ww_slice(x->trace.span_id, 8));
	}
	if (x->request_id[0])
		ww_jsonw_cstr(w, "requestId", x->request_id);
	if (x->idempotency_key_digest[0])
		ww_jsonw_cstr(w, "idempotencyKeyDigest", x->idempotency_key_digest);
	if (x->retry_after)
		ww_jsonw_u64(w, "retryAfterS", x->retry_after_s);
	ww_place_write(&x->places, w);
}

void ww_exchange_write(const struct ww_exchange *x, const struct ww_clock_map *clock,
		       struct ww_jsonw *w)
{
	struct ww_boot t = x->t_first_req.ns ? x->t_first_req : x->t_first_resp;
	char text[WW_EXCHANGE_ID_MAX > WW_RFC3339_MAX ? WW_EXCHANGE_ID_MAX : WW_RFC3339_MAX];

	ww_jsonw_object(w, NULL);
	ww_jsonw_cstr(w, "kind", "exchange");
	ww_exchange_id(x, text);
	ww_jsonw_cstr(w, "id", text);
	ww_wall_rfc3339(ww_clock_wall(clock, t), text);
	ww_jsonw_cstr(w, "t", text);
	ww_flow_id(x->cookie, text);
	ww_jsonw_cstr(w, "flow", text);
	ww_jsonw_u64(w, "index", x->index);
	if (x->stream)
		ww_jsonw_u64(w, "stream", x->stream);
	ww_actor_id(x->actor, text);
	ww_jsonw_cstr(w, "actor", text);
	ww_actor_id(x->root, text);
	ww_jsonw_cstr(w, "root", text);
	ww_jsonw_id64(w, "cgroup", x->cgroup);
	ww_jsonw_cstr(w, "outcome", ww_exchange_outcome_name(x->outcome));
	ww_jsonw_array(w, "findings");
	for (size_t i = 0; i < WW_ARRAY_SIZE(finding_names); i++)
		if (x->findings & finding_names[i].bit)
			ww_jsonw_cstr(w, NULL, finding_names[i].name);
	ww_jsonw_end_array(w);
	write_names(x, w);
	write_events(&x->events, w);
	write_web_socket(x, w);
	write_ids(x, w);
	write_side("request", x->req_offset, x->req_bytes, x->t_first_req, x->t_last_req, &x->req,
		   w);
	write_side("response", x->resp_offset, x->resp_bytes, x->t_first_resp, x->t_last_resp,
		   &x->resp, w);
	ww_jsonw_end_object(w);
}
