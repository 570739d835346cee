/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies of model calls and of MCP tool calls. First byte: bit 0 dialect, bit 1 event stream, bits
 * 2-3 coding of the response, bit 4 request whole, bit 5 response whole, bit 6 the next byte says
 * the dialect (bits 0-3), the content type (bits 4-5) and the coding's third bit (6). Bit 7: the
 * response is also read as pieces of an AWS event stream, a line each, the event's name before the
 * first space. The request goes up to the first NUL, the rest is the response.
 */
#include <assert.h>

#include "action/bedrock.h"
#include "action/mcp.h"
#include "base/json.h"
#include "proto/body.h"

#include "../lib/whole_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BODY_BYTES_MAX (256u << 10)

static void check_call(const struct ww_model_call *c)
{
	static const struct ww_clock_map clock;
	struct ww_jsonw w;
	struct ww_buf out;

	assert(c->tool_call_count <= WW_TOOL_CALLS_MAX);
	assert(c->tool_result_count <= WW_TOOL_CALLS_MAX);
	assert(c->response_whole || (!c->usage.input.present && !c->usage.output.present));
	assert(c->request_whole || (!c->prompt_present && c->tool_result_count == 0));
	assert(memchr(c->model_asked, '\0', sizeof(c->model_asked)));
	assert(memchr(c->stop_reason, '\0', sizeof(c->stop_reason)));
	ww_buf_init(&out, WW_RECORD_BYTES_MAX);
	ww_jsonw_init(&w, &out);
	ww_model_write(c, &clock, &w);
	assert(ww_jsonw_ok(&w));
	assert(whole_json(ww_buf_slice(&out)));
	ww_buf_done(&out);
}

static void check_mcp(const struct ww_exchange *x, const struct ww_mcp_call *m)
{
	static const struct ww_clock_map clock;
	struct ww_json_token t;
	struct ww_jsonw w;
	struct ww_buf out;

	assert(m->tool[0] && memchr(m->tool, '\0', sizeof(m->tool)));
	assert(!ww_mcp_is_other(x));
	/* An answer cannot be read from what did not arrive, but for the events of a stream. */
	assert(m->answer == WW_MCP_NONE || m->streamed || x->resp.whole);
	assert(m->answer != WW_MCP_NONE || (!m->text.n && !m->structured.n));
	ww_buf_init(&out, WW_RECORD_BYTES_MAX);
	ww_jsonw_init(&w, &out);
	ww_mcp_write(m, x, &clock, &w);
	assert(ww_jsonw_ok(&w));
	assert(ww_json_path(ww_buf_slice(&out), "$", &t, NULL) == WW_PARSE_DONE);
	ww_buf_done(&out);
}

static void take_content(struct ww_body_keep *k, struct ww_bodies *all, enum ww_coding coding,
			 struct ww_slice wire, bool whole, struct ww_body *ret_body)
{
	/* In two pieces, so that codings and their headers are split too. */
	ww_body_begin(k, all, coding);
	ww_body_add(k, ww_slice_sub(wire, 0, wire.n / 3));
	ww_body_add(k, ww_slice_sub(wire, wire.n / 3, wire.n));
	(void)ww_body_end(k, whole, WW_X_TRUNCATED_RESPONSE, ret_body); /* findings do not matter */
	assert(ret_body->wire_bytes == wire.n);
	assert(ret_body->data.n <= BODY_BYTES_MAX);
}

static const char *const targets[] = {
	"/v1/chat/completions",
	"/v1/messages",
	"/v1/responses",
	"/openai/deployments/d/chat/completions",
	"/chat/completions",
	"/v1beta/models/g:generateContent",
	"/v1beta/models/g:streamGenerateContent",
	"/model/a%3A0/converse",
	"/model/a%3A0/converse-stream",
	"/model/a%3A0/invoke",
	"/model/a%3A0/invoke-with-response-stream",
	"/api/chat",
	"/api/generate",
	"/openai/responses",
	"/models/%/%2:generateContent",
	"/api/other",
};

static const char *const types[] = {
	"application/json",
	"text/event-stream",
	"application/x-ndjson",
	"application/vnd.amazon.eventstream",
};

static void read_pieces(struct ww_slice in, const struct ww_parts_shape *shape,
			const struct ww_digest_key *key)
{
	struct ww_parts *p = calloc(1, sizeof(*p));
	struct ww_model_call *c = calloc(1, sizeof(*c));
	enum ww_parse r = WW_PARSE_DONE;
	struct ww_slice line;

	assert(p && c);
	p->key = key;
	p->call = c;
	c->streamed = true;
	ww_buf_init(&p->scratch, BODY_BYTES_MAX);
	ww_buf_init(&p->inner, BODY_BYTES_MAX);
	ww_buf_init(&c->answer, WW_PROSE_BYTES_MAX);
	ww_buf_init(&c->thought, WW_PROSE_BYTES_MAX);
	while (r == WW_PARSE_DONE && ww_slice_line(&in, &line)) {
		size_t n = ww_slice_find(line, 0, ' ');
		struct ww_piece one = {.type = ww_slice_sub(line, 0, n),
				       .data = ww_slice_sub(line, n + 1, line.n)};

		r = shape->piece(p, &one);
		assert(r != WW_PARSE_END && r != WW_PARSE_GAP);
	}
	ww_parts_slots_end(p);
	if (p->answer.begun)
		ww_parts_text_end(p, &p->answer, &c->text, &c->text_bytes);
	c->response_whole = true;
	check_call(c);
	ww_buf_done(&p->scratch);
	ww_buf_done(&p->inner);
	ww_model_call_free(c);
	free(p);
}

/* What the second byte says. Returns how many bytes the head of the input has. */
static size_t take_dialect(struct ww_exchange *x, const uint8_t *data, size_t size)
{
	uint8_t second = size > 1 ? data[1] : 0;

	if (!(data[0] & 64)) {
		strncpy(x->target, targets[data[0] & 1], sizeof(x->target) - 1);
		if (data[0] & 2)
			strncpy(x->resp.content_type, types[1], sizeof(x->resp.content_type) - 1);
		return 1;
	}
	strncpy(x->target, targets[second & 15], sizeof(x->target) - 1);
	strncpy(x->resp.content_type, types[second >> 4 & 3], sizeof(x->resp.content_type) - 1);
	x->status = 200;
	return size > 1 ? 2 : 1;
}

static enum ww_coding coding_of(const uint8_t *data, size_t head)
{
	unsigned high = head == 2 ? data[1] >> 4 & 4 : 0;

	return (enum ww_coding)(((data[0] >> 2 & 3) | high) % 6);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t raw_key[32];
	struct ww_exchange x = {.client = true, .method = "POST", .outcome = WW_X_COMPLETE};
	struct ww_body_keep req = {0}, resp = {0};
	struct ww_model_call *c = NULL;
	struct ww_mcp_call *m = NULL;
	struct ww_digest_key key;
	struct ww_bodies all;
	struct ww_exchange named = {0};
	struct ww_slice in;
	size_t nul, head;

	if (size < 1)
		return 0;
	head = take_dialect(&named, data, size);
	in = ww_slice(data + head, size - head);
	nul = ww_slice_find(in, 0, '\0');
	ww_digest_key_init(&key, raw_key);
	ww_bodies_init(&all, &key, BODY_BYTES_MAX);
	memcpy(x.target, named.target, sizeof(x.target));
	x.status = named.status;
	take_content(&req, &all, WW_CODING_IDENTITY, ww_slice_sub(in, 0, nul), data[0] & 16,
		     &x.req);
	take_content(&resp, &all, coding_of(data, head), ww_slice_sub(in, nul + 1, in.n),
		     data[0] & 32, &x.resp);
	memcpy(x.resp.content_type, named.resp.content_type, sizeof(x.resp.content_type));
	if (data[0] & 128)
		read_pieces(ww_slice_sub(in, nul + 1, in.n),
			    data[0] & 1 ? &ww_bedrock_anthropic : &ww_bedrock_converse, &key);
	if (ww_model_decode(&x, &key, &c) == 0)
		check_call(c);
	ww_model_call_free(c);
	strncpy(x.req.content_type, "application/json", sizeof(x.req.content_type) - 1);
	x.status = 200;
	if (ww_mcp_decode(&x, &key, &m) == 0)
		check_mcp(&x, m);
	ww_mcp_call_free(m);
	ww_body_free(&req);
	ww_body_free(&resp);
	assert(all.held_bytes == 0);
	ww_bodies_done(&all);
	return 0;
}
