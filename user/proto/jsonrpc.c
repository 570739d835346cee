/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/jsonrpc.h"

#include <errno.h>

#include "base/json.h"

/* One direction. */
struct line {
	struct ww_body_keep keep;
	bool begun;    /* bytes of a line are kept */
	bool skipping; /* until the next newline: its begin is not known */
	uint64_t offset;
	uint64_t bytes;
	struct ww_boot first, last;
};

struct ww_jsonrpc {
	struct ww_messages *shared;
	struct line lines[2];            /* by enum ww_dir: the agent's, the server's */
	struct ww_message_queue waiting; /* requests, in order */
	struct ww_stray stray;           /* lines of the server that are no messages */
};

int ww_jsonrpc_new(struct ww_messages *shared, struct ww_jsonrpc **ret_jsonrpc)
{
	struct ww_jsonrpc *j = calloc(1, sizeof(*j));

	if (!j)
		return -ENOMEM;
	j->shared = shared;
	*ret_jsonrpc = j;
	return 0;
}

/* --- one message --------------------------------------------------------------------------------
 */

enum member { JSONRPC, METHOD, ID, RESULT, ERROR, MEMBERS };

struct members {
	bool there[MEMBERS];
	struct ww_json_token first[MEMBERS]; /* of the value */
	struct ww_slice text[MEMBERS];       /* the whole value, if it was not cut off */
};

static int member_of(const struct ww_json_token *key)
{
	static const char *const names[MEMBERS] = {"jsonrpc", "method", "id", "result", "error"};

	for (int i = 0; i < MEMBERS; i++) {
		if (ww_json_is(key, names[i]))
			return i;
	}
	return -1;
}

/* DONE after the whole object; MORE when it is cut off. */
static enum ww_parse read_members(struct ww_slice doc, struct members *m)
{
	struct ww_json_token t;
	struct ww_json j;
	enum ww_parse r;

	ww_json_init(&j, doc);
	r = ww_json_next(&j, &t);
	if (r == WW_PARSE_DONE && t.type != WW_JSON_OBJECT)
		return WW_PARSE_BAD;
	while (r == WW_PARSE_DONE && (r = ww_json_next(&j, &t)) == WW_PARSE_DONE &&
	       t.type == WW_JSON_KEY) {
		int i = member_of(&t);

		r = ww_json_next(&j, &t);
		if (r != WW_PARSE_DONE)
			break;
		if (i >= 0 && m->there[i])
			return WW_PARSE_BAD; /* readers would not agree which one counts */
		if (i >= 0) {
			m->there[i] = true;
			m->first[i] = t;
		}
		r = ww_json_skip(&j, &t);
		if (i >= 0 && r == WW_PARSE_DONE)
			m->text[i] = ww_slice_sub(doc, t.at, j.at - t.at);
	}
	if (r == WW_PARSE_DONE)
		r = ww_json_next(&j, &t) == WW_PARSE_END ? WW_PARSE_DONE : WW_PARSE_BAD;
	return r;
}

static bool is_version(const struct ww_json_token *t)
{
	/* JSON-RPC 2.0, 4: "MUST be exactly "2.0"." */
	return t->type == WW_JSON_STRING && ww_json_is(t, "2.0");
}

/* 4: "An identifier [...] that MUST contain a String, Number, or NULL value". A null one names
 * nobody. */
static bool is_id(const struct members *m)
{
	return m->there[ID] &&
	       (m->first[ID].type == WW_JSON_STRING || m->first[ID].type == WW_JSON_NUMBER) &&
	       m->text[ID].n;
}

enum ww_parse ww_rpc_message_parse(struct ww_slice doc, struct ww_rpc_message *ret)
{
	struct members m = {0};
	enum ww_parse r = read_members(doc, &m);
	bool answers = m.there[RESULT] || m.there[ERROR];

	if (r != WW_PARSE_DONE && r != WW_PARSE_MORE)
		return WW_PARSE_BAD;
	/* What stands before a cut stands; what is not there may stand behind it. */
	if (r == WW_PARSE_MORE && !(m.there[JSONRPC] && is_id(&m) && (m.there[METHOD] || answers)))
		return WW_PARSE_MORE;
	if (!m.there[JSONRPC] || !is_version(&m.first[JSONRPC]) ||
	    (m.there[METHOD] && m.first[METHOD].type != WW_JSON_STRING) ||
	    (m.there[ID] && !is_id(&m) && m.first[ID].type != WW_JSON_NULL))
		return WW_PARSE_BAD;
	if (m.there[METHOD] ? answers : !(is_id(&m) && answers))
		return WW_PARSE_BAD; /* also: readers would not agree whether it asks or answers */
	/* It asks for no answer, and a server may carry it out all the same. */
	if (!is_id(&m) && ww_json_is(&m.first[METHOD], "tools/call"))
		return WW_PARSE_BAD;
	ret->kind = !m.there[METHOD] ? WW_RPC_RESPONSE
		    : is_id(&m)      ? WW_RPC_REQUEST
				     : WW_RPC_NOTIFICATION;
	ret->id = is_id(&m) ? m.text[ID] : WW_SLICE_NULL;
	ret->method = m.first[METHOD];
	return WW_PARSE_DONE;
}

/* --- exchanges ----------------------------------------------------------------------------------
 */

/* Two texts of one id are two ids: "1" and 1.0 are not 1 to those who compare texts; who writes the
 * answer copies what was asked. */
static struct ww_sha256 key_of(struct ww_slice id)
{
	struct ww_sha256 d;

	ww_sha256(id, &d);
	return d;
}

/* What may have answered any of them. */
static void lose_responses(struct ww_jsonrpc *j, uint32_t finding)
{
	for (struct ww_message *m = j->waiting.head; m; m = m->next) {
		m->resp_lost = true;
		m->x.findings |= finding;
	}
}

static struct ww_message *waiting_for(struct ww_jsonrpc *j, const struct ww_sha256 *key)
{
	for (struct ww_message *m = j->waiting.head; m; m = m->next) {
		if (memcmp(m->rpc_id.b, key->b, sizeof(key->b)) == 0)
			return m;
	}
	return NULL;
}

static void finish(struct ww_jsonrpc *j, struct ww_flow *f, struct ww_message *m)
{
	ww_message_unlink(&j->waiting, m);
	ww_message_finish(j->shared, f, m);
}

static void take_times(struct ww_exchange *x, const struct line *l, bool request)
{
	if (request) {
		x->t_first_req = l->first;
		x->t_last_req = l->last;
		x->req_offset = l->offset;
		x->req_bytes = l->bytes;
	} else {
		x->t_first_resp = l->first;
		x->t_last_resp = l->last;
		x->resp_offset = l->offset;
		x->resp_bytes = l->bytes;
	}
}

/* Keeps doc, a part of a line that goes away. */
static void take_body(struct ww_jsonrpc *j, struct ww_slice doc, bool whole, bool request,
		      struct ww_message *m)
{
	struct ww_body_keep *keep = request ? &m->req : &m->resp;
	struct ww_body *body = request ? &m->x.req : &m->x.resp;

	ww_body_begin(keep, &j->shared->bodies, WW_CODING_IDENTITY);
	ww_body_add(keep, doc);
	m->x.findings |= ww_body_end(
		keep, whole, request ? WW_X_TRUNCATED_REQUEST : WW_X_TRUNCATED_RESPONSE, body);
	snprintf(body->content_type, sizeof(body->content_type), "application/json");
}

static struct ww_message *begin(struct ww_jsonrpc *j, struct ww_flow *f)
{
	struct ww_message *m = ww_message_new(j->shared, f);

	if (m) {
		m->x.client = true;
		ww_message_push(&j->waiting, m);
	}
	return m;
}

/* The agent said something that is not known. */
static void add_unknown(struct ww_jsonrpc *j, struct ww_flow *f, const struct line *l,
			uint32_t finding)
{
	struct ww_message *m = begin(j, f);

	if (!m)
		return;
	take_times(&m->x, l, true);
	m->x.findings |= finding;
	m->req_broken = true;
	finish(j, f, m);
}

static void add_request(struct ww_jsonrpc *j, struct ww_flow *f, const struct line *l,
			struct ww_slice doc, bool whole, const struct ww_rpc_message *rpc)
{
	struct ww_sha256 key = key_of(rpc->id);
	struct ww_message *same = waiting_for(j, &key), *m;
	struct ww_buf method;

	if (j->waiting.depth >= WW_PIPELINE_MAX) {
		j->waiting.head->x.findings |= WW_X_LIMIT;
		j->waiting.head->resp_lost = true;
		finish(j, f, j->waiting.head);
	}
	m = begin(j, f);
	if (!m)
		return;
	m->rpc_id = key;
	m->req_done = true;
	take_times(&m->x, l, true);
	take_body(j, doc, whole, true, m);
	ww_buf_init(&method, sizeof(m->x.method) - 1);
	if (ww_json_unescape(&rpc->method, &method) == 0 && method.n &&
	    !memchr(method.p, 0, method.n))
		memcpy(m->x.method, method.p, method.n);
	else
		m->x.findings |= WW_X_CUT;
	ww_buf_done(&method);
	if (same) {
		same->resp_lost = m->resp_lost = true;
		same->twice = m->twice = true;
	}
}

/* What another program answered than was asked is not the answer of either. */
static bool is_of_other(const struct ww_message *m, const struct ww_flow *f)
{
	const char *program = f->channel->program ? f->channel->program : "";

	return strncmp(m->x.program, program, sizeof(m->x.program) - 1) != 0;
}

static void add_response(struct ww_jsonrpc *j, struct ww_flow *f, const struct line *l,
			 struct ww_slice doc, bool whole, const struct ww_rpc_message *rpc)
{
	struct ww_sha256 key = key_of(rpc->id);
	struct ww_message *m = waiting_for(j, &key);

	if (m && m->twice)
		return;
	if (m && is_of_other(m, f)) {
		m->resp_lost = true;
		f->channel->strange = true;
		return;
	}
	if (!m) {
		lose_responses(j, 0); /* an agent may take "1" for 1 */
		m = begin(j, f);
		if (!m)
			return;
		m->orphan = true;
		m->x.findings |= WW_X_RESPONSE_FIRST;
		/* Seen from its opening on, it cannot have been asked before. */
		f->channel->strange |= f->channel->since.ns && f->channel->since.ns == f->t_open.ns;
	}
	m->resp_lost = false;
	m->resp_done = true;
	take_times(&m->x, l, false);
	take_body(j, doc, whole, false, m);
	finish(j, f, m);
}

/* --- lines --------------------------------------------------------------------------------------
 */

/* A line that is no message, or one that is not known: what could it have been? */
static void take_unknown(struct ww_jsonrpc *j, struct ww_flow *f, enum ww_dir dir, bool whole)
{
	const struct line *l = &j->lines[dir];

	if (dir == WW_DIR_OUT) {
		f->channel->since.ns = 0;
		add_unknown(j, f, l, whole ? WW_X_MALFORMED_REQUEST : WW_X_TRUNCATED_REQUEST);
		return;
	}
	/* Servers print what does not belong there; agents pass over it, or are less strict. */
	ww_stray_add(&j->stray, l->offset, l->bytes, l->first, l->last);
	lose_responses(j, whole ? 0 : WW_X_TRUNCATED_RESPONSE);
}

static bool take_message(struct ww_jsonrpc *j, struct ww_flow *f, enum ww_dir dir,
			 struct ww_slice doc, bool whole)
{
	struct line *l = &j->lines[dir];
	struct ww_rpc_message rpc;
	enum ww_parse r = ww_rpc_message_parse(doc, &rpc);

	if (r != WW_PARSE_DONE)
		return false;
	if (rpc.kind == WW_RPC_REQUEST && dir == WW_DIR_OUT)
		add_request(j, f, l, doc, whole, &rpc);
	else if (rpc.kind == WW_RPC_RESPONSE && dir == WW_DIR_IN)
		add_response(j, f, l, doc, whole, &rpc);
	return true;
}

/* All or none: half a batch is not known. */
static bool take_batch(struct ww_jsonrpc *j, struct ww_flow *f, enum ww_dir dir,
		       struct ww_slice line, bool whole)
{
	struct ww_json_token t;
	struct ww_json json;
	bool known = whole;

	for (unsigned pass = 0; pass < 2 && known; pass++) {
		enum ww_parse r;

		ww_json_init(&json, line);
		r = ww_json_next(&json, &t); /* the array */
		while (known && (r = ww_json_next(&json, &t)) == WW_PARSE_DONE &&
		       t.type != WW_JSON_END_ARRAY) {
			struct ww_rpc_message rpc;
			struct ww_slice doc;

			known = t.type == WW_JSON_OBJECT &&
				ww_json_skip(&json, &t) == WW_PARSE_DONE;
			doc = ww_slice_sub(line, t.at, json.at - t.at);
			if (known && pass == 0)
				known = ww_rpc_message_parse(doc, &rpc) == WW_PARSE_DONE;
			else if (known)
				known = take_message(j, f, dir, doc, true);
		}
		known = known && r == WW_PARSE_DONE && ww_json_next(&json, &t) == WW_PARSE_END;
	}
	return known;
}

/* The protocol begins with "initialize": who sees that has missed nothing. Else what was said
 * before this message is not known. */
static void get_in_step(struct ww_jsonrpc *j, struct ww_flow *f, struct ww_slice doc)
{
	const struct line *l = &j->lines[WW_DIR_OUT];
	struct ww_rpc_message rpc;
	bool opens;

	if (f->channel->since.ns)
		return;
	opens = f->seen_birth && l->offset == 0 &&
		ww_rpc_message_parse(doc, &rpc) == WW_PARSE_DONE && rpc.kind == WW_RPC_REQUEST &&
		ww_json_is(&rpc.method, "initialize");
	f->channel->since = opens ? f->t_open : l->first;
}

static void take_line(struct ww_jsonrpc *j, struct ww_flow *f, enum ww_dir dir)
{
	struct line *l = &j->lines[dir];
	struct ww_slice doc = ww_slice_trim(ww_buf_slice(&l->keep.buf));
	bool whole = l->keep.wire_bytes == l->keep.buf.n, known;

	if (dir == WW_DIR_OUT)
		get_in_step(j, f, doc);
	if (doc.n == 0 && whole)
		return;
	if (ww_slice_find(doc, 0, '\r') + 1 < doc.n)
		known = false; /* some readers end a line there, and see other messages */
	else if (doc.n && doc.p[0] == '[')
		known = take_batch(j, f, dir, doc, whole);
	else
		known = take_message(j, f, dir, doc, whole);
	if (!known)
		take_unknown(j, f, dir, whole);
}

static void end_line(struct ww_jsonrpc *j, struct ww_flow *f, enum ww_dir dir)
{
	struct line *l = &j->lines[dir];

	if (l->begun)
		take_line(j, f, dir);
	ww_body_recycle(&l->keep);
	l->begun = l->skipping = false;
	l->bytes = 0;
}

static void add_bytes(struct ww_jsonrpc *j, enum ww_dir dir, uint64_t offset, struct ww_slice bytes,
		      struct ww_boot t)
{
	struct line *l = &j->lines[dir];

	if (l->skipping || bytes.n == 0)
		return;
	if (!l->begun) {
		l->begun = true;
		l->offset = offset;
		l->first = t;
		ww_body_begin(&l->keep, &j->shared->bodies, WW_CODING_IDENTITY);
	}
	ww_body_add(&l->keep, bytes);
	l->bytes += bytes.n;
	l->last = t;
}

void ww_jsonrpc_bytes(struct ww_jsonrpc *j, struct ww_flow *f, enum ww_dir dir, uint64_t offset,
		      struct ww_slice bytes, struct ww_boot t)
{
	if (offset == f->channel->line[dir])
		j->lines[dir].skipping = false;
	while (bytes.n) {
		size_t end = ww_slice_find(bytes, 0, '\n');
		bool ends = end < bytes.n;

		add_bytes(j, dir, offset, ww_slice_sub(bytes, 0, end), t);
		j->lines[dir].bytes += ends && j->lines[dir].begun;
		if (ends)
			end_line(j, f, dir);
		offset += end + ends;
		bytes = ww_slice_sub(bytes, end + ends, SIZE_MAX);
	}
	if (dir == WW_DIR_OUT)
		f->channel->loose = j->lines[dir].bytes;
}

void ww_jsonrpc_gap(struct ww_jsonrpc *j, struct ww_flow *f, enum ww_dir dir, uint64_t offset,
		    uint64_t bytes, struct ww_boot t)
{
	struct line *l = &j->lines[dir];

	if (dir == WW_DIR_OUT)
		f->channel->since.ns = 0;
	if (!l->begun) {
		l->offset = offset;
		l->first = t;
	}
	l->last = t;
	l->bytes += bytes;
	if (dir == WW_DIR_OUT) {
		struct ww_message *m = begin(j, f);

		if (m) {
			take_times(&m->x, l, true);
			m->req_lost = true;
			m->x.findings |= WW_X_GAP_REQUEST;
			finish(j, f, m);
		}
	} else {
		lose_responses(j, WW_X_GAP_RESPONSE);
	}
	ww_body_recycle(&l->keep);
	l->begun = false;
	l->bytes = 0;
	l->skipping = true;
}

/* Where the stream ends a message is taken without its newline, by some. */
static bool may_end_with_message(const struct line *l)
{
	struct members m = {0};

	return l->begun &&
	       (l->keep.wire_bytes != l->keep.buf.n ||
		read_members(ww_slice_trim(ww_buf_slice(&l->keep.buf)), &m) != WW_PARSE_MORE);
}

/* What the agent had begun to say. */
static void end_loose(struct ww_jsonrpc *j, struct ww_flow *f)
{
	struct ww_message *m = j->lines[WW_DIR_OUT].bytes ? begin(j, f) : NULL;

	if (!m)
		return;
	take_times(&m->x, &j->lines[WW_DIR_OUT], true);
	finish(j, f, m);
}

void ww_jsonrpc_closed(struct ww_jsonrpc *j, struct ww_flow *f)
{
	const struct ww_stray none = {0};

	end_loose(j, f);
	/* Some of its calls went unseen: an answer may have been among them. */
	if (f->channel->rings || f->channel->forked || f->channel->opaque ||
	    may_end_with_message(&j->lines[WW_DIR_IN]))
		lose_responses(j, 0);
	while (j->waiting.head)
		finish(j, f, j->waiting.head);
	ww_message_strays(j->shared, f, true, &none, &j->stray);
	for (unsigned dir = 0; dir < 2; dir++)
		ww_body_free(&j->lines[dir].keep);
	free(j);
}
