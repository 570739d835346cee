/* SPDX-License-Identifier: Apache-2.0 */
#include "action/model.h"

#include <errno.h>

#include "action/anthropic.h"
#include "action/openai.h"
#include "base/encode.h"
#include "proto/sse.h"

static const struct ww_parts_dialect *const dialects[] = {&ww_openai, &ww_anthropic};

/* Decoding a string never makes it longer, and bodies are far below this. */
#define SCRATCH_BYTES_MAX (64u << 20)

static const struct ww_parts_dialect *dialect_of(const struct ww_exchange *x)
{
	size_t n = strcspn(x->target, "?#");

	if (!x->client || x->outcome == WW_X_UNPARSED || strcmp(x->method, "POST") != 0)
		return NULL;
	for (size_t i = 0; i < WW_ARRAY_SIZE(dialects); i++) {
		const char *end = dialects[i]->path_end;
		size_t len = strlen(end);

		if (n >= len && memcmp(x->target + n - len, end, len) == 0)
			return dialects[i];
	}
	return NULL;
}

/* Whether there is content that can be read: not lost, not in a coding that we do not undo. */
static bool readable(const struct ww_body *b)
{
	return b->data.n > 0 && b->coding != WW_CODING_OTHER;
}

/* --- request
 * ---------------------------------------------------------------------------------------- */

static struct ww_parts_value *member_of(struct ww_parts_request *r, const struct ww_json_token *k)
{
	if (ww_json_is(k, "model"))
		return &r->model;
	if (ww_json_is(k, "messages"))
		return &r->messages;
	if (ww_json_is(k, "stream"))
		return &r->stream;
	if (ww_json_is(k, "system"))
		return &r->system;
	if (ww_json_is(k, "tools"))
		return &r->tools;
	return ww_json_is(k, "n") ? &r->n : NULL;
}

static enum ww_parse request_members(struct ww_parts *p, struct ww_json *j,
				     struct ww_parts_request *req)
{
	struct ww_json_token k, v;
	enum ww_parse r;

	while ((r = ww_parts_member(j, &k, &v)) == WW_PARSE_DONE) {
		struct ww_parts_value *to = member_of(req, &k);

		if (to == &req->messages && v.type == WW_JSON_ARRAY)
			p->messages_seen = true;
		/* Which of two the provider takes is not known. */
		if (to && to->present)
			p->call->findings |= WW_X_MALFORMED_BODY;
		r = ww_parts_keep(j, &v, to);
		if (r != WW_PARSE_DONE)
			return r;
	}
	return r == WW_PARSE_END ? ww_parts_close(j) : r;
}

static void read_request(struct ww_parts *p, const struct ww_parts_dialect *d)
{
	const struct ww_body *body = &p->x->req;
	struct ww_model_call *c = p->call;
	struct ww_parts_request req = {0};
	struct ww_slice tools;
	struct ww_json j;
	enum ww_parse r;

	if (!readable(body))
		return;
	r = ww_parts_open(&j, body->data);
	if (r == WW_PARSE_DONE)
		r = request_members(p, &j, &req);
	if (r == WW_PARSE_BAD || (r != WW_PARSE_DONE && body->whole))
		c->findings |= WW_X_MALFORMED_BODY;
	if (req.model.present)
		ww_parts_string(p, &req.model.first, c->model_asked, sizeof(c->model_asked));
	c->stream_asked = ww_parts_is(&req.stream, WW_JSON_TRUE);
	c->request_whole = r == WW_PARSE_DONE && body->whole && p->messages_seen;
	if (!c->request_whole || !ww_parts_is(&req.messages, WW_JSON_ARRAY))
		return;
	d->request(p, &req);
	c->conversation = p->rolling;
	if (p->system.begun)
		ww_parts_text_end(p, &p->system, &c->system, &c->system_bytes);
	tools = ww_parts_raw(&req.tools);
	c->tools_bytes = tools.n;
	if (tools.n > 0)
		ww_digest(p->key, tools, &c->tools);
}

/* --- response
 * --------------------------------------------------------------------------------------- */

static bool is_stream(const struct ww_body *b)
{
	struct ww_slice type = ww_slice_str(b->content_type);

	if (type.n > 0)
		return ww_slice_ieq_str(
			ww_slice_trim(ww_slice_sub(type, 0, ww_slice_find(type, 0, ';'))),
			"text/event-stream");
	return ww_slice_starts(b->data, WW_SLICE_LIT("data:")) ||
	       ww_slice_starts(b->data, WW_SLICE_LIT("event:"));
}

static void read_stream(struct ww_parts *p, const struct ww_parts_dialect *d)
{
	struct ww_model_call *c = p->call;
	struct ww_slice in = p->x->resp.data;
	struct ww_sse_event e;
	struct ww_sse s;
	bool broken = false;

	c->streamed = true;
	ww_sse_init(&s, WW_SSE_LINE_BYTES_MAX);
	while (!p->terminal && !broken && ww_sse_next(&s, &in, &e) == WW_PARSE_DONE)
		broken = d->event(p, e.data) != WW_PARSE_DONE;
	if (broken)
		c->findings |= WW_X_MALFORMED_BODY;
	p->no_memory |= s.no_memory;
	if (s.lost > 0)
		c->findings |= WW_X_LIMIT;
	/* The stream's own end counts, not the connection's: clients leave as soon as they have it.
	 */
	c->response_whole = !broken && s.lost == 0 && !c->error_type[0] &&
			    (p->terminal || (p->x->resp.whole && c->stop_reason[0]));
	ww_sse_done(&s);
}

static bool says_json(const struct ww_body *b)
{
	return strstr(b->content_type, "json") != NULL;
}

static void read_document(struct ww_parts *p, const struct ww_parts_dialect *d)
{
	const struct ww_body *body = &p->x->resp;
	struct ww_model_call *c = p->call;
	struct ww_json j;
	enum ww_parse r = ww_parts_open(&j, body->data);

	if (r == WW_PARSE_DONE)
		r = d->response(p, &j);
	if (r == WW_PARSE_DONE)
		r = ww_parts_close(&j);
	c->response_whole = r == WW_PARSE_DONE && body->whole;
	/* An error page in HTML, say from a proxy, is no malformed JSON. */
	if ((r == WW_PARSE_BAD || (r != WW_PARSE_DONE && body->whole)) &&
	    (says_json(body) || p->x->status / 100 == 2))
		c->findings |= WW_X_MALFORMED_BODY;
}

static void read_response(struct ww_parts *p, const struct ww_parts_dialect *d)
{
	struct ww_model_call *c = p->call;

	if (readable(&p->x->resp)) {
		if (is_stream(&p->x->resp))
			read_stream(p, d);
		else
			read_document(p, d);
	}
	if (c->streamed && c->provider == WW_MODEL_OPENAI_CHAT)
		for (unsigned i = 0; i < c->tool_call_count; i++)
			c->tool_calls[i].complete = c->stop_reason[0] != '\0';
	else if (!c->streamed)
		for (unsigned i = 0; i < c->tool_call_count; i++)
			c->tool_calls[i].complete = true;
	ww_parts_slots_end(p);
	if (p->answer.begun)
		ww_parts_text_end(p, &p->answer, &c->text, &c->text_bytes);
	if (!c->response_whole)
		c->usage = (struct ww_model_usage){0};
}

/* --- the call
 * --------------------------------------------------------------------------------------- */

static void parts_free(struct ww_parts *p)
{
	if (!p)
		return;
	ww_buf_wipe(&p->scratch);
	/* Digest states hold the last block of what they were fed. */
	explicit_bzero(p->slot, p->call->tool_call_count * sizeof(p->slot[0]));
	explicit_bzero(p, offsetof(struct ww_parts, slot));
	free(p);
}
WW_DEFINE_AUTO(struct ww_parts, parts_free)

int ww_model_decode(const struct ww_exchange *x, const struct ww_digest_key *key,
		    struct ww_model_call **ret_call)
{
	const struct ww_parts_dialect *d = dialect_of(x);
	struct ww_model_call *c WW_AUTO(ww_model_call_free_auto) = NULL;
	struct ww_parts *p WW_AUTO(parts_free_auto) = NULL;

	if (!d)
		return -ENOENT;
	c = malloc(sizeof(*c));
	if (!c)
		return -ENOMEM;
	memset(c, 0, offsetof(struct ww_model_call, tool_calls));
	p = malloc(sizeof(*p));
	if (!p)
		return -ENOMEM;
	memset(p, 0, offsetof(struct ww_parts, slot));
	p->x = x;
	p->key = key;
	p->call = c;
	ww_buf_init(&p->scratch, SCRATCH_BYTES_MAX);
	ww_buf_init(&c->results, WW_TOOL_RESULTS_BYTES);
	/* One byte more says that there was more. */
	ww_buf_init(&c->answer, WW_PROSE_BYTES_MAX + 1);
	ww_buf_init(&c->thought, WW_PROSE_BYTES_MAX + 1);
	p->rolling = key->empty;
	c->cookie = x->cookie;
	c->index = x->index;
	c->t = x->t_first_req;
	c->actor = x->actor;
	c->provider = d->provider;
	c->status = x->status;
	c->choices = 1;
	memcpy(c->request_id, x->request_id, sizeof(c->request_id));
	read_request(p, d);
	read_response(p, d);
	if (p->no_memory)
		return -ENOMEM;
	if (!p->messages_seen && !p->answer_seen)
		return -ENOENT;
	*ret_call = WW_TAKE(c);
	return 0;
}

void ww_model_call_free(struct ww_model_call *c)
{
	if (!c)
		return;
	ww_buf_wipe(&c->results);
	ww_buf_wipe(&c->answer);
	ww_buf_wipe(&c->thought);
	free(c);
}

void ww_model_read_prose(struct ww_model_call *c, struct ww_phrase_scanner *s,
			 const struct ww_digest_key *key)
{
	const struct ww_phrases *phrases = ww_phrase_scanner_pack(s);

	if (!phrases->bound)
		return;
	c->phrases = phrases;
	ww_phrase_scan(s, ww_buf_slice(&c->answer), ~0u, key, &c->said);
	if (c->thought.n)
		ww_phrase_scan(s, ww_buf_slice(&c->thought), 1u << WW_PHRASE_CONTROL, key,
			       &c->thoughts);
}

const char *ww_model_provider_name(enum ww_model_provider provider)
{
	for (size_t i = 0; i < WW_ARRAY_SIZE(dialects); i++)
		if (dialects[i]->provider == provider)
			return dialects[i]->name;
	return "unknown";
}

void ww_model_id(const struct ww_model_call *c, char *out)
{
	out = ww_put_hex(ww_put_text(out, "m-"), c->cookie);
	ww_put_dec(ww_put_text(out, "-"), c->index);
}
