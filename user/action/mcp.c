/* SPDX-License-Identifier: Apache-2.0 */
#include "action/mcp.h"

#include <errno.h>

#include <wirewitness/limits.h>

#include "base/encode.h"
#include "base/json.h"
#include "proto/head.h"
#include "proto/sse.h"

#define PARTS_MAX 16u /* of one answer; an answer of more is not read as text */

const char *ww_mcp_answer_name(enum ww_mcp_answer a)
{
#define NAME_(n, v, t, d) [v] = (t),
	static const char *const names[WW_MCP_ANSWER_MAX] = {WW_MCP_ANSWERS(NAME_)};

	return (unsigned)a < WW_MCP_ANSWER_MAX ? names[a] : "unknown";
}

static bool readable(const struct ww_body *b)
{
	return b->data.n > 0 && b->coding != WW_CODING_OTHER;
}

/* One value of a document. False: it is not there, or cannot be told. */
static bool value_at(struct ww_slice doc, const char *path, struct ww_json_token *ret_token,
		     struct ww_slice *ret_range)
{
	return ww_json_path(doc, path, ret_token, ret_range) == WW_PARSE_DONE;
}

static bool string_at(struct ww_slice doc, const char *path, const char *wanted)
{
	struct ww_json_token t;

	return value_at(doc, path, &t, NULL) && t.type == WW_JSON_STRING && ww_json_is(&t, wanted);
}

/* --- request ------------------------------------------------------------------------------------
 */

/* A name that does not fit is not compared with declared ones: none is that long. */
static int take_tool(struct ww_slice doc, struct ww_mcp_call *c)
{
	struct ww_json_token t;
	struct ww_buf text;
	int r;

	if (!value_at(doc, "$.params.name", &t, NULL) || t.type != WW_JSON_STRING)
		return -ENOENT;
	ww_buf_init(&text, sizeof(c->tool) - 1);
	r = ww_json_unescape(&t, &text);
	if (r == 0 && memchr(text.p ? text.p : (const uint8_t *)"", 0, text.n))
		r = -ENOENT;
	if (r == 0 && text.n)
		memcpy(c->tool, text.p, text.n);
	ww_buf_done(&text);
	return r == -ENOMEM ? r : r < 0 || !c->tool[0] ? -ENOENT : 0;
}

static void take_trace(struct ww_slice doc, struct ww_mcp_call *c)
{
	struct ww_json_token t;

	if (value_at(doc, "$.params._meta.traceparent", &t, NULL) && t.type == WW_JSON_STRING &&
	    !t.escaped)
		(void)ww_head_traceparent(t.raw, &c->trace); /* invalid: as if not sent */
}

static int read_request(const struct ww_exchange *x, const struct ww_digest_key *key,
			struct ww_mcp_call *c, struct ww_slice *ret_id)
{
	struct ww_slice doc = x->req.data, arguments;
	struct ww_json_token t;
	int r;

	if (!string_at(doc, "$.jsonrpc", "2.0") ||
	    !string_at(doc, "$.method", WW_MCP_CALL_METHOD) || !value_at(doc, "$.id", &t, ret_id))
		return -ENOENT;
	r = take_tool(doc, c);
	if (r < 0)
		return r;
	take_trace(doc, c);
	if (value_at(doc, "$.params.arguments", &t, &arguments)) {
		c->argument_bytes = arguments.n;
		ww_digest(key, arguments, &c->arguments);
	}
	return 0;
}

/* --- answer -------------------------------------------------------------------------------------
 */

static void take_code(struct ww_slice doc, struct ww_mcp_call *c)
{
	struct ww_json_token t;
	uint64_t code;
	bool minus;

	if (!value_at(doc, "$.error.code", &t, NULL) || t.type != WW_JSON_NUMBER)
		return;
	minus = ww_slice_starts(t.raw, WW_SLICE_LIT("-"));
	t.raw = ww_slice_sub(t.raw, minus, SIZE_MAX);
	if (ww_json_u64(&t, &code) < 0 || code > INT32_MAX)
		return;
	c->code_present = true;
	c->code = minus ? -(int64_t)code : (int64_t)code;
}

/* What a message without error says. */
static enum ww_mcp_answer answer_of(struct ww_slice doc)
{
	struct ww_json_token t;

	if (!value_at(doc, "$.result", &t, NULL) || t.type != WW_JSON_OBJECT)
		return WW_MCP_NONE;
	switch (ww_json_path(doc, "$.result.resultType", &t, NULL)) {
	case WW_PARSE_DONE:
		if (t.type != WW_JSON_STRING || !ww_json_is(&t, "complete"))
			return WW_MCP_INPUT_REQUIRED;
		break;
	case WW_PARSE_END:
		break; /* revisions before 2026 have no such member */
	default:
		return WW_MCP_NONE;
	}
	switch (ww_json_path(doc, "$.result.isError", &t, NULL)) {
	case WW_PARSE_DONE: /* of null, or "false", readers would make this or that */
		return t.type == WW_JSON_FALSE  ? WW_MCP_RESULT
		       : t.type == WW_JSON_TRUE ? WW_MCP_TOOL_ERROR
						: WW_MCP_NONE;
	case WW_PARSE_END:
		return WW_MCP_RESULT;
	default:
		return WW_MCP_NONE;
	}
}

static bool no_result(struct ww_slice doc)
{
	struct ww_json_token t;
	enum ww_parse r = ww_json_path(doc, "$.result", &t, NULL);

	return r == WW_PARSE_END || (r == WW_PARSE_DONE && t.type == WW_JSON_NULL);
}

/* Whether the message answers the request, and how. */
static bool read_answer(struct ww_slice doc, struct ww_slice id, struct ww_mcp_call *c)
{
	struct ww_json_token t;
	struct ww_slice got;

	if (!string_at(doc, "$.jsonrpc", "2.0") || !value_at(doc, "$.id", &t, &got) ||
	    !ww_slice_eq(got, id))
		return false;
	switch (ww_json_path(doc, "$.error", &t, NULL)) {
	case WW_PARSE_DONE:
		if (t.type == WW_JSON_NULL || !no_result(doc))
			break; /* some write both: a reader takes the one, the other, or neither */
		c->answer = WW_MCP_RPC_ERROR;
		take_code(doc, c);
		break;
	case WW_PARSE_END:
		c->answer = answer_of(doc);
		break;
	default:
		break; /* readers would not agree what it says */
	}
	return c->answer != WW_MCP_NONE;
}

static bool is_stream(const struct ww_body *b)
{
	struct ww_slice type = ww_slice_str(b->content_type);

	return ww_slice_ieq_str(ww_slice_trim(ww_slice_sub(type, 0, ww_slice_find(type, 0, ';'))),
				"text/event-stream");
}

/* Over the ceiling, or not text: the buffer is empty and says nothing. */
static int part_text(struct ww_slice doc, unsigned part, struct ww_buf *out, bool *ret_there)
{
	struct ww_json_token t;
	char path[64];
	int r;

	snprintf(path, sizeof(path), "$.result.content[%u]", part);
	*ret_there = value_at(doc, path, &t, NULL);
	if (!*ret_there)
		return 0;
	snprintf(path, sizeof(path), "$.result.content[%u].type", part);
	if (part == PARTS_MAX || !string_at(doc, path, "text"))
		return -ENOENT;
	snprintf(path, sizeof(path), "$.result.content[%u].text", part);
	if (!value_at(doc, path, &t, NULL) || t.type != WW_JSON_STRING)
		return -ENOENT;
	r = part ? ww_buf_add(out, "\n", 1) : 0;
	return r < 0 ? r : ww_json_unescape(&t, out);
}

static int take_content(struct ww_slice doc, struct ww_mcp_call *c)
{
	struct ww_json_token t;
	struct ww_slice range;
	bool there = true;
	int r = 0;

	for (unsigned i = 0; there && r == 0; i++)
		r = part_text(doc, i, &c->text, &there);
	if (r < 0)
		ww_buf_clear(&c->text);
	if (r == -ENOMEM)
		return r;
	if (!value_at(doc, "$.result.structuredContent", &t, &range) || t.type != WW_JSON_OBJECT)
		return 0;
	r = ww_buf_add(&c->structured, range.p, range.n);
	return r == -ENOMEM ? r : 0;
}

/* 0; -EAGAIN: it does not answer the request; -ENOMEM. */
static int take_message(struct ww_slice doc, struct ww_slice id, struct ww_mcp_call *c)
{
	if (!read_answer(doc, id, c))
		return -EAGAIN;
	return c->answer == WW_MCP_RESULT || c->answer == WW_MCP_TOOL_ERROR ? take_content(doc, c)
									    : 0;
}

/* The first message that answers; an event stays readable when later ones were cut off. */
static int read_stream(const struct ww_exchange *x, struct ww_slice id, struct ww_mcp_call *c)
{
	struct ww_slice in = x->resp.data;
	struct ww_sse_event e;
	struct ww_sse s;
	int r = -EAGAIN;

	c->streamed = true;
	ww_sse_init(&s, WW_SSE_LINE_BYTES_MAX);
	while (r == -EAGAIN && ww_sse_next(&s, &in, &e) == WW_PARSE_DONE)
		r = take_message(e.data, id, c);
	if (s.no_memory)
		r = -ENOMEM;
	ww_sse_done(&s);
	return r;
}

static int read_response(const struct ww_exchange *x, const struct ww_digest_key *key,
			 struct ww_slice id, struct ww_mcp_call *c)
{
	int r = -EAGAIN;

	if ((!x->channel && x->status / 100 != 2) || !readable(&x->resp))
		return 0;
	if (is_stream(&x->resp))
		r = read_stream(x, id, c);
	else if (x->resp.whole)
		r = take_message(x->resp.data, id, c);
	if (c->text.n)
		ww_digest(key, ww_buf_slice(&c->text), &c->digest);
	return r == -ENOMEM ? r : 0;
}

/* --- the call -----------------------------------------------------------------------------------
 */

/* Cheap: most exchanges are something else. The slash may be escaped. */
static bool may_be(const struct ww_exchange *x)
{
	if (x->channel)
		return strcmp(x->method, WW_MCP_CALL_METHOD) == 0;
	return strcmp(x->method, "POST") == 0 && strstr(x->req.content_type, "json") &&
	       readable(&x->req) &&
	       memmem(x->req.data.p, x->req.data.n, "/call\"", strlen("/call\""));
}

bool ww_mcp_is_other(const struct ww_exchange *x)
{
	struct ww_json_token t;

	if (x->channel)
		return x->method[0] && !may_be(x);
	return x->req.whole && readable(&x->req) && string_at(x->req.data, "$.jsonrpc", "2.0") &&
	       value_at(x->req.data, "$.method", &t, NULL) && t.type == WW_JSON_STRING &&
	       !ww_json_is(&t, WW_MCP_CALL_METHOD);
}

int ww_mcp_decode(const struct ww_exchange *x, const struct ww_digest_key *key,
		  struct ww_mcp_call **ret_call)
{
	WW_AUTO(ww_mcp_call_free_auto) struct ww_mcp_call *c = NULL;
	struct ww_slice id;
	int r;

	if (!may_be(x))
		return -ENOENT;
	if (!x->req.whole || ww_slice_starts(ww_slice_trim(x->req.data), WW_SLICE_LIT("[")))
		return -EAGAIN;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	ww_buf_init(&c->text, WW_TOOL_RESULTS_BYTES);
	ww_buf_init(&c->structured, WW_TOOL_RESULTS_BYTES);
	r = read_request(x, key, c, &id);
	if (r == 0)
		r = read_response(x, key, id, c);
	if (r < 0)
		return r;
	*ret_call = WW_TAKE(c);
	return 0;
}

void ww_mcp_call_free(struct ww_mcp_call *c)
{
	if (c) {
		ww_buf_wipe(&c->text);
		ww_buf_wipe(&c->structured);
	}
	free(c);
}

/* --- record -------------------------------------------------------------------------------------
 */

static void write_sized(struct ww_jsonw *w, const char *key, const struct ww_sha256 *d,
			uint64_t bytes)
{
	if (bytes == 0)
		return;
	ww_jsonw_object(w, key);
	ww_jsonw_u64(w, "bytes", bytes);
	ww_jsonw_hex(w, "digest", ww_slice(d->b, sizeof(d->b)));
	ww_jsonw_end_object(w);
}

void ww_mcp_write(const struct ww_mcp_call *c, const struct ww_exchange *x,
		  const struct ww_clock_map *clock, struct ww_jsonw *w)
{
	char exchange[WW_EXCHANGE_ID_MAX], id[WW_EXCHANGE_ID_MAX], text[WW_RFC3339_MAX],
		actor[WW_ACTOR_ID_MAX];

	ww_exchange_id(x, exchange);
	ww_put_text(ww_put_text(id, "t"), exchange + 1);
	ww_jsonw_object(w, NULL);
	ww_jsonw_cstr(w, "kind", "mcp_call");
	ww_jsonw_cstr(w, "id", id);
	ww_wall_rfc3339(ww_clock_wall(clock, x->t_first_req), text);
	ww_jsonw_cstr(w, "t", text);
	ww_jsonw_cstr(w, "exchange", exchange);
	ww_actor_id(x->actor, actor);
	ww_jsonw_cstr(w, "actor", actor);
	ww_jsonw_cstr(w, "tool", c->tool);
	write_sized(w, "arguments", &c->arguments, c->argument_bytes);
	if (c->trace.present) {
		ww_jsonw_hex(w, "traceId", ww_slice(c->trace.trace_id, sizeof(c->trace.trace_id)));
		ww_jsonw_hex(w, "spanId", ww_slice(c->trace.span_id, sizeof(c->trace.span_id)));
	}
	ww_jsonw_cstr(w, "answer", ww_mcp_answer_name(c->answer));
	ww_jsonw_bool(w, "streamed", c->streamed);
	if (c->code_present)
		ww_jsonw_i64(w, "errorCode", c->code);
	write_sized(w, "result", &c->digest, c->text.n);
	ww_jsonw_end_object(w);
}
