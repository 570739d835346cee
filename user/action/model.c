/* SPDX-License-Identifier: Apache-2.0 */
#include "action/model.h"

#include <errno.h>

#include "action/rows.h"
#include "base/encode.h"

/* Decoding a string never makes it longer, and bodies are far below this. */
#define SCRATCH_BYTES_MAX (64u << 20)

static const struct ww_dialect *dialect_of(const struct ww_exchange *x, struct ww_slice *ret_star)
{
	if (!x->client || x->outcome == WW_X_UNPARSED || strcmp(x->method, "POST") != 0)
		return NULL;
	return ww_dialect_of(x->target, ret_star);
}

/* Whether there is content that can be read: not lost, not in a coding that we do not undo. */
static bool readable(const struct ww_body *b)
{
	return b->data.n > 0 && b->coding != WW_CODING_OTHER;
}

/* --- request
 * ---------------------------------------------------------------------------------------- */

static bool may_be(const struct ww_parts_shape *shape, enum ww_json_type type)
{
	return (shape->array && type == WW_JSON_ARRAY) || (shape->text && type == WW_JSON_STRING);
}

static enum ww_parse request_members(struct ww_parts *p, struct ww_json *j,
				     struct ww_parts_request *req)
{
	const struct ww_parts_shape *shape = p->dialect->shape;
	bool asks = false, has = !shape->needs;
	struct ww_json_token k, v;
	enum ww_parse r;

	while ((r = ww_parts_member(j, &k, &v)) == WW_PARSE_DONE) {
		struct ww_parts_value *to = ww_parts_place(shape->names, &k, req);

		if (to == &req->messages)
			asks |= may_be(shape, v.type);
		has |= v.type == WW_JSON_STRING && shape->needs && ww_json_is(&k, shape->needs);
		p->messages_seen = asks && has;
		/* Which of two the provider takes is not known. */
		if (to && to->present)
			p->call->findings |= WW_X_MALFORMED_BODY;
		r = ww_parts_keep(j, &v, to);
		if (r != WW_PARSE_DONE)
			return r;
	}
	return r == WW_PARSE_END ? ww_parts_close(j) : r;
}

static bool asks_stream(const struct ww_dialect *d, const struct ww_parts_request *req)
{
	switch (d->asked) {
	case WW_DIALECT_BY_MEMBER:
		return ww_parts_is(&req->stream, WW_JSON_TRUE);
	case WW_DIALECT_UNLESS:
		return !ww_parts_is(&req->stream, WW_JSON_FALSE);
	case WW_DIALECT_ALWAYS:
		return true;
	case WW_DIALECT_NEVER:
		break;
	}
	return false;
}

static void read_request(struct ww_parts *p)
{
	const struct ww_body *body = &p->x->req;
	struct ww_model_call *c = p->call;
	struct ww_parts_request req = {0};
	struct ww_slice tools;
	struct ww_json j;
	enum ww_parse r;

	c->stream_asked = p->dialect->asked == WW_DIALECT_ALWAYS;
	if (!readable(body))
		return;
	r = ww_parts_open(&j, body->data);
	if (r == WW_PARSE_DONE)
		r = request_members(p, &j, &req);
	if (r == WW_PARSE_BAD || (r != WW_PARSE_DONE && body->whole))
		c->findings |= WW_X_MALFORMED_BODY;
	if (ww_parts_is(&req.geo, WW_JSON_STRING))
		ww_place_add(&c->places, WW_PLACE_REQUEST_GEO, ww_parts_decoded(p, &req.geo.first));
	if (req.model.present && !p->dialect->model_in_path)
		ww_parts_string(p, &req.model.first, c->model_asked, sizeof(c->model_asked));
	c->request_whole = r == WW_PARSE_DONE && body->whole && p->messages_seen;
	/* Of a part it is known only where the member was reached. */
	if (c->request_whole || req.stream.present)
		c->stream_asked = asks_stream(p->dialect, &req);
	if (!c->request_whole || !may_be(p->dialect->shape, req.messages.first.type))
		return;
	p->dialect->shape->request(p, &req);
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

static enum ww_parse read_piece(struct ww_parts *p, const struct ww_piece *piece)
{
	const struct ww_parts_shape *shape = p->dialect->shape;

	if (shape->piece)
		return shape->piece(p, piece);
	return ww_rows_read_doc(p, piece->data, shape->answer);
}

static void read_stream(struct ww_parts *p, enum ww_pieces_kind kind)
{
	struct ww_model_call *c = p->call;
	enum ww_parse r = WW_PARSE_DONE;
	struct ww_piece piece;
	struct ww_pieces s;

	c->streamed = true;
	ww_pieces_init(&s, kind, &p->x->resp);
	while (!p->terminal && r == WW_PARSE_DONE) {
		r = ww_pieces_next(&s, &piece);
		if (r == WW_PARSE_DONE && read_piece(p, &piece) != WW_PARSE_DONE)
			r = WW_PARSE_BAD;
	}
	if (r == WW_PARSE_BAD)
		c->findings |= WW_X_MALFORMED_BODY;
	p->no_memory |= s.no_memory;
	if (s.lost)
		c->findings |= WW_X_LIMIT;
	/* The stream's own end counts, not the connection's: clients leave as soon as they have it.
	 */
	c->response_whole = r != WW_PARSE_BAD && !s.lost && !p->error_seen &&
			    (p->terminal || ((p->x->resp.whole || s.ended) && c->stop_reason[0]));
	ww_pieces_done(&s);
}

static bool says_json(const struct ww_body *b)
{
	return strstr(b->content_type, "json") != NULL;
}

static void read_document(struct ww_parts *p)
{
	const struct ww_body *body = &p->x->resp;
	struct ww_model_call *c = p->call;
	enum ww_parse r = ww_rows_read_doc(p, body->data, p->dialect->shape->answer);

	c->response_whole = r == WW_PARSE_DONE && body->whole;
	/* An error page in HTML, say from a proxy, is no malformed JSON. */
	if ((r == WW_PARSE_BAD || (r != WW_PARSE_DONE && body->whole)) &&
	    (says_json(body) || p->x->status / 100 == 2))
		c->findings |= WW_X_MALFORMED_BODY;
}

static void read_response(struct ww_parts *p)
{
	const struct ww_dialect *d = p->dialect;
	struct ww_model_call *c = p->call;

	if (readable(&p->x->resp)) {
		enum ww_pieces_kind kind = ww_pieces_of(&p->x->resp, d->pieces, c->stream_asked);

		if (kind != WW_PIECES_NONE)
			read_stream(p, kind);
		else
			read_document(p);
	}
	for (unsigned i = 0; i < c->tool_call_count; i++) {
		if (!c->streamed)
			c->tool_calls[i].complete = true;
		else if (d->shape->complete == WW_PARTS_AT_STOP)
			c->tool_calls[i].complete = c->stop_reason[0] != '\0';
	}
	if (p->error_seen && !c->error_type[0])
		memcpy(c->error_type, "unknown", sizeof("unknown"));
	ww_parts_slots_end(p);
	if (p->answer.begun)
		ww_parts_text_end(p, &p->answer, &c->text, &c->text_bytes);
	if (!c->response_whole)
		c->usage = (struct ww_model_usage){0};
}

/* Whether the answer, where there is one that can be read, is of the dialect. */
static bool answer_fits(const struct ww_parts *p)
{
	return !p->dialect->must_fit || p->answer_seen || p->error_seen ||
	       p->x->status / 100 != 2 || !readable(&p->x->resp);
}

/* --- the call
 * --------------------------------------------------------------------------------------- */

static void parts_free(struct ww_parts *p)
{
	if (!p)
		return;
	ww_buf_wipe(&p->scratch);
	ww_buf_wipe(&p->inner);
	/* Digest states hold the last block of what they were fed. */
	explicit_bzero(p->slot, p->call->tool_call_count * sizeof(p->slot[0]));
	explicit_bzero(p, offsetof(struct ww_parts, slot));
	free(p);
}
WW_DEFINE_AUTO(struct ww_parts, parts_free)

int ww_model_decode(const struct ww_exchange *x, const struct ww_digest_key *key,
		    struct ww_model_call **ret_call)
{
	struct ww_slice star;
	const struct ww_dialect *d = dialect_of(x, &star);
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
	p->dialect = d;
	ww_buf_init(&p->scratch, SCRATCH_BYTES_MAX);
	ww_buf_init(&p->inner, SCRATCH_BYTES_MAX);
	ww_buf_init(&c->results, WW_TOOL_RESULTS_BYTES);
	ww_buf_init(&c->prompt_text, WW_PROMPT_BYTES_MAX);
	/* One byte more says that there was more. */
	ww_buf_init(&c->answer, WW_PROSE_BYTES_MAX + 1);
	ww_buf_init(&c->thought, WW_PROSE_BYTES_MAX + 1);
	p->rolling = key->empty;
	c->cookie = x->cookie;
	c->index = x->index;
	c->t = x->t_first_req;
	c->actor = x->actor;
	c->provider = (enum ww_model_provider)d->provider;
	c->status = x->status;
	c->choices = 1;
	memcpy(c->request_id, x->request_id, sizeof(c->request_id));
	if (d->model_in_path)
		ww_parts_path_text(p, star, c->model_asked, sizeof(c->model_asked));
	if (d->provider == WW_MODEL_BEDROCK_CONVERSE || d->provider == WW_MODEL_BEDROCK_ANTHROPIC)
		ww_place_add(&c->places, WW_PLACE_PROFILE,
			     ww_place_of_model(ww_slice_str(c->model_asked)));
	read_request(p);
	read_response(p);
	if (p->no_memory)
		return -ENOMEM;
	if ((!p->messages_seen && (!p->answer_seen || d->must_fit)) || !answer_fits(p))
		return -ENOENT;
	*ret_call = WW_TAKE(c);
	return 0;
}

void ww_model_call_free(struct ww_model_call *c)
{
	if (!c)
		return;
	ww_buf_wipe(&c->results);
	ww_buf_wipe(&c->prompt_text);
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
	return ww_dialect_name(provider);
}

void ww_model_id(const struct ww_model_call *c, char *out)
{
	out = ww_put_hex(ww_put_text(out, "m-"), c->cookie);
	ww_put_dec(ww_put_text(out, "-"), c->index);
}
