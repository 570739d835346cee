/* SPDX-License-Identifier: Apache-2.0 */
#include "join/held.h"

#include <errno.h>

#include "base/buf.h"
#include "base/encode.h"
#include "base/nfd.h"
#include "join/answered.h"
#include "join/held_flow.h"
#include "join/match_index.h"
#include "policy/body_rule.h"

#define ANCESTORS_MAX   64u /* deeper nesting of spans is not followed */
#define MODEL_PEERS_MAX 64u
#define ID_BYTES_MAX    256u

struct ww_held {
	const struct ww_contracts *contracts;
	const struct ww_digest_key *key;
	struct ww_match **newest; /* by contract */
	struct ww_match_index index;
	struct ww_held_exchange *x_first, *x_last;
	struct ww_held_flow *f_by_cookie;
	struct ww_held_flow *live_first, *live_last, *closed_first, *closed_last;
	struct ww_held_span *s_first, *s_last, *s_by_key, *s_by_response;
	struct ww_endpoint models[MODEL_PEERS_MAX];
	unsigned model_count;
	uint64_t seq;
	struct ww_boot blind;
	struct ww_held_counts counts;
	struct ww_match found[WW_CONTRACTS_MAX]; /* of the exchange that comes in */
};

#define APPEND(first, last, e)              \
	do {                                \
		(e)->prev = (last);         \
		if (last)                   \
			(last)->next = (e); \
		else                        \
			(first) = (e);      \
		(last) = (e);               \
	} while (0)

#define UNLINK(first, last, e)                       \
	do {                                         \
		if ((e)->prev)                       \
			(e)->prev->next = (e)->next; \
		else                                 \
			(first) = (e)->next;         \
		if ((e)->next)                       \
			(e)->next->prev = (e)->prev; \
		else                                 \
			(last) = (e)->prev;          \
	} while (0)

const char *ww_held_wire_name(enum ww_wire w)
{
#define WIRE_NAME_(n, v, t, d) [v] = (t),
	static const char *const names[WW_WIRE_MAX] = {WW_WIRES(WIRE_NAME_)};

	return (unsigned)w < WW_WIRE_MAX ? names[w] : "unknown";
}

const char *ww_held_read_name(enum ww_read r)
{
#define READ_NAME_(n, v, t, d) [v] = (t),
	static const char *const names[WW_READ_MAX] = {WW_READS(READ_NAME_)};

	return (unsigned)r < WW_READ_MAX ? names[r] : "unknown";
}

bool ww_held_same_tree(struct ww_actor_key x, struct ww_actor_key y)
{
	return x.pid != 0 && ww_actor_key_eq(x, y);
}

int ww_held_new(const struct ww_contracts *contracts, const struct ww_digest_key *key,
		struct ww_held **ret_held)
{
	WW_AUTO(ww_held_free_auto) struct ww_held *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	h->contracts = contracts;
	h->key = key;
	h->newest = calloc(contracts->all + 1, sizeof(struct ww_match *));
	if (!h->newest)
		return -ENOMEM;
	*ret_held = WW_TAKE(h);
	return 0;
}

static void blind(struct ww_held *h, struct ww_boot t)
{
	if (t.ns > h->blind.ns)
		h->blind = t;
}

/* --- exchanges ----------------------------------------------------------------------------------
 */

struct ww_match *ww_held_same_id(const struct ww_held *h, const struct ww_match *m)
{
	return ww_match_index_same_id(&h->index, m);
}

struct ww_match *ww_held_newest_of(const struct ww_held *h, uint32_t contract,
				   struct ww_actor_key root)
{
	return ww_match_index_of_tree(&h->index, contract, root);
}

static void pull_match(struct ww_held *h, struct ww_match *m)
{
	ww_match_index_remove(&h->index, m);
	if (m->older)
		m->older->newer = m->newer;
	if (m->newer)
		m->newer->older = m->older;
	else
		h->newest[m->contract] = m->older;
}

static void exchange_drop(struct ww_held *h, struct ww_held_exchange *x)
{
	for (unsigned i = 0; i < x->match_count; i++) {
		free(x->matches[i].subjects);
		pull_match(h, &x->matches[i]);
	}
	UNLINK(h->x_first, h->x_last, x);
	h->counts.exchanges--;
	blind(h, x->arrived);
	free(x);
}

static void set_id(struct ww_held *h, struct ww_slice id, struct ww_match *m)
{
	struct ww_sha256 d;

	ww_digest(h->key, id, &d);
	memcpy(m->id.of, d.b, sizeof(m->id.of));
	m->id.contract = m->contract;
	m->id_present = true;
}

static void set_place(struct ww_held *h, const struct ww_contract *c, const char *template,
		      const struct ww_exchange *x, struct ww_match *m)
{
	WW_AUTO_BUF struct ww_buf b = {0};
	struct ww_sha256 d;
	int r;

	ww_buf_init(&b, sizeof(x->target));
	r = ww_readback_place(&c->readback, template, x->target, &b);
	h->counts.refused += r == -ENOMEM;
	m->placed = r == 0;
	if (r < 0 || b.n == 0)
		return;
	ww_digest(h->key, ww_buf_slice(&b), &d);
	memcpy(&m->place, d.b, sizeof(m->place));
}

/* The scalar at path in the answer; false: it is not known to be there. */
static bool read_id(struct ww_held *h, const char *path, struct ww_slice text, bool whole,
		    struct ww_buf *out)
{
	int r = ww_body_rule_id(path, text, whole, out);

	h->counts.refused += r == -ENOMEM;
	return r == 0;
}

/* The created id, and the members that the model must be shown. */
static void take_answer(struct ww_held *h, const struct ww_contract *c, const struct ww_exchange *x,
			const struct ww_mcp_call *mcp, struct ww_match *m)
{
	struct ww_document d = ww_answered_document(x, mcp);
	WW_AUTO_BUF struct ww_buf b = {0};

	if (x->resp.coding == WW_CODING_OTHER)
		return;
	ww_buf_init(&b, ID_BYTES_MAX);
	h->counts.refused +=
		ww_answer_read(c, h->key, d.text, d.whole, false, &m->answer) == -ENOMEM;
	if (read_id(h, c->id_path, d.text, mcp ? d.whole : x->resp.whole, &b))
		set_id(h, ww_buf_slice(&b), m);
	if (m->id_present && c->readback.path)
		set_place(h, c, m->template, x, m);
}

static int read_subject(struct ww_held *h, const struct ww_control *k, bool of_control,
			const struct ww_exchange *x, struct ww_subjects *ret_subjects)
{
	if (k->subject_count == 0 || x->req.coding == WW_CODING_OTHER)
		return 0;
	return ww_subjects_read(k->subject[of_control ? 0 : 1], h->key, x->req.data, x->req.whole,
				ret_subjects);
}

/* Without memory nothing is known of them. */
static void take_subjects(struct ww_held *h, const struct ww_contract *c,
			  const struct ww_exchange *x, struct ww_match *m)
{
	unsigned n = c->of ? 1 : c->control_count;
	int r = 0;

	if (n == 0)
		return;
	m->subjects = calloc(n, sizeof(*m->subjects));
	for (unsigned i = 0; m->subjects && i < n && r == 0; i++)
		r = read_subject(h, c->of ? c->of : &c->controls[i], c->of != NULL, x,
				 &m->subjects[i]);
	h->counts.refused += !m->subjects || r < 0;
}

/* What the answer to a request for `id` says of it. */
static enum ww_read by_answer(struct ww_held *h, const struct ww_readback *b,
			      const struct ww_exchange *x, struct ww_slice id)
{
	const struct ww_success *s = &b->success;
	WW_AUTO_BUF struct ww_buf got = {0};
	unsigned rule;

	ww_buf_init(&got, ID_BYTES_MAX);
	if (x->status < 200)
		return WW_READ_UNKNOWN;
	if (x->status < s->status_min || x->status > s->status_max)
		return WW_READ_NOT_SHOWN;
	if (!ww_answered_whole(x))
		return WW_READ_UNKNOWN;
	if (!read_id(h, b->id_path, x->resp.data, true, &got))
		return WW_READ_UNKNOWN;
	if (!ww_slice_eq(ww_buf_slice(&got), id))
		return WW_READ_NOT_SHOWN;
	switch (ww_body_rule_check(s, x->resp.data, true, &rule)) {
	case WW_BODY_HOLDS:
		return WW_READ_SHOWN;
	case WW_BODY_VIOLATES:
		return WW_READ_NOT_SHOWN;
	default:
		return WW_READ_UNKNOWN;
	}
}

static void take_readback(struct ww_held *h, const struct ww_contract *c,
			  const struct ww_exchange *x, struct ww_match *m)
{
	WW_AUTO_BUF struct ww_buf plain = {0};
	uint8_t id[WW_READBACK_ID_MAX];
	size_t n;
	int r;

	if (!ww_readback_request(&c->readback, x->method, x->target, id, &n))
		return;
	ww_buf_init(&plain, ID_BYTES_MAX);
	r = ww_nfd(ww_slice(id, n), &plain);
	h->counts.refused += r == -ENOMEM;
	if (r < 0)
		return;
	set_id(h, ww_buf_slice(&plain), m);
	set_place(h, c, c->readback.path, x, m);
	m->read = (uint8_t)by_answer(h, &c->readback, x, ww_buf_slice(&plain));
	if (x->resp.coding != WW_CODING_OTHER)
		h->counts.refused += ww_answer_read(c, h->key, x->resp.data, ww_answered_whole(x),
						    false, &m->answer) == -ENOMEM;
}

static const char *name_of(const struct ww_exchange *x)
{
	if (x->channel)
		return x->program;
	return x->sni[0] ? x->sni : x->authority;
}

/* Both names that the request goes by must be declared: one server answers for many. */
static bool declared(const struct ww_contract *c, const struct ww_exchange *x)
{
	if (x->channel)
		return ww_pattern_program(&c->call, x->program);
	return ww_pattern_destination(&c->call, name_of(x), &x->peer) &&
	       (!x->authority[0] || ww_pattern_destination(&c->call, x->authority, &x->peer));
}

/* The address of a destination that names its addresses. */
static bool address_declared(const struct ww_contract *c, const struct ww_endpoint *peer)
{
	unsigned with = 0;

	for (unsigned i = 0; i < c->call.destination_count; i++)
		with += c->call.destinations[i].cidr_count > 0;
	return with && ww_pattern_address(&c->call, peer);
}

/* The rest of the path is not known. */
static bool path_cut(const struct ww_exchange *x)
{
	return strlen(x->target) == sizeof(x->target) - 1 && !strchr(x->target, '?');
}

/* One of name and address is declared, or the path is written in another way: a server may well
 * have taken it for the declared call. A stub on loopback is none. */
static bool almost(const struct ww_contract *c, const struct ww_exchange *x,
		   const struct ww_match *m)
{
	if (x->channel) /* not known what it is, or who was asked */
		return m->destination ? !m->template
				      : ww_pattern_program_may_be(&c->call, x->program, x->called);
	if (m->destination || ww_endpoint_loopback(&x->peer))
		return m->destination && !m->template &&
		       (path_cut(x) || ww_pattern_request_like(&c->call, x->method, x->target));
	return m->template &&
	       (address_declared(c, &x->peer) || ww_pattern_name(&c->call, name_of(x)) ||
		ww_pattern_name(&c->call, x->authority));
}

/* The declared path that the request is for; a channel has no paths, only calls. */
static const char *template_of(const struct ww_contract *c, const struct ww_exchange *x)
{
	if (x->channel)
		return strcmp(x->method, WW_MCP_CALL_METHOD) == 0 ? "" : NULL;
	return path_cut(x) ? NULL : ww_pattern_request(&c->call, x->method, x->target);
}

/* By its message: whether the contract of a tool of this protocol can mean x at all. What cannot be
 * told, or asks for more before it is carried out, is no call and not nothing. */
static bool means_mcp(const struct ww_contract *c, const struct ww_exchange *x,
		      const struct ww_mcp_call *mcp, struct ww_match *m)
{
	if (mcp ? strcmp(mcp->tool, c->mcp_tool) != 0 : ww_mcp_is_other(x))
		return false;
	if (m->template && (!mcp || mcp->answer == WW_MCP_INPUT_REQUIRED)) {
		m->almost |= m->destination;
		m->template = NULL;
	}
	return true;
}

/* Fills found[] (as large as the contracts); returns how many mean the exchange. */
static unsigned match_all(struct ww_held *h, const struct ww_exchange *x,
			  const struct ww_mcp_call *mcp, struct ww_match *found)
{
	unsigned n = 0;

	for (unsigned i = 0; i < h->contracts->all; i++) {
		const struct ww_contract *c = &h->contracts->items[i];
		struct ww_match m = {.contract = i, .wire = WW_WIRE_UNDECODED};

		if (!ww_contract_networked(c) || (x->channel && !ww_pattern_programs(&c->call)))
			continue;
		m.destination = declared(c, x);
		m.template = template_of(c, x);
		m.almost = almost(c, x, &m);
		if (c->mcp_tool && !means_mcp(c, x, mcp, &m))
			continue;
		/* The like call elsewhere is evidence only where a trace context names its action.
		 */
		if (!m.destination && !m.almost && !(m.template && x->trace.present))
			continue;
		if (m.template) {
			const struct ww_mcp_call *answer = c->mcp_tool ? mcp : NULL;

			m.wire = (uint8_t)ww_answered(c, x, answer, &m);
			take_answer(h, c, x, answer, &m);
			take_subjects(h, c, x, &m);
		} else if (m.destination && !path_cut(x) && !x->channel) {
			take_readback(h, c, x, &m);
		}
		found[n++] = m;
	}
	return n;
}

static struct ww_boot end_of(const struct ww_exchange *x)
{
	if (x->t_last_resp.ns)
		return x->t_last_resp;
	return x->t_last_req.ns ? x->t_last_req : x->t_first_req;
}

static void copy_facts(struct ww_held_exchange *e, const struct ww_exchange *x)
{
	e->index = x->index;
	e->cookie = x->cookie;
	e->root = x->root;
	e->cgroup = x->cgroup;
	e->peer = x->peer;
	e->t_first_req = x->t_first_req;
	e->answered = x->t_first_resp;
	e->req_bytes = x->req_bytes;
	e->req_end = x->req_offset + x->req_bytes;
	e->resp_bytes = x->resp_bytes;
	e->outcome = x->outcome;
	e->status = x->status;
	e->channel = x->channel;
	e->retry_after = x->retry_after;
	e->retry_after_s = x->retry_after_s;
	e->trace = x->trace;
	e->caller_known = x->caller_known;
	e->caller = x->caller;
	e->keyed = ww_hex_decode(ww_slice_str(x->idempotency_key_digest), e->idempotency.b,
				 sizeof(e->idempotency.b)) == 0;
	memcpy(e->method, x->method, sizeof(e->method));
	e->ended = end_of(x);
}

/* 0 or -ENOMEM: then none is linked. */
static int link_matches(struct ww_held *h, struct ww_held_exchange *e)
{
	for (unsigned i = 0; i < e->match_count; i++) {
		struct ww_match *m = &e->matches[i];

		m->x = e;
		if (ww_match_index_add(&h->index, m) < 0) {
			while (i-- > 0)
				pull_match(h, &e->matches[i]);
			return -ENOMEM;
		}
		m->older = h->newest[m->contract];
		if (m->older)
			m->older->newer = m;
		h->newest[m->contract] = m;
	}
	return 0;
}

static struct ww_held_flow *flow_ensure(struct ww_held *h, uint64_t cookie, struct ww_boot opened,
					struct ww_boot now);

/* One block: the exchange, its matches, its texts. */
static int hold(struct ww_held *h, const struct ww_exchange *x, const struct ww_match *found,
		unsigned n, struct ww_held_exchange **ret_exchange)
{
	size_t matches_n = n * sizeof(*found), name_n = strlen(name_of(x)) + 1;
	struct ww_held_exchange *e;
	char path[256], *texts;

	ww_exchange_path_template(x->target, path);
	e = calloc(1, sizeof(*e) + matches_n + name_n + strlen(path) + 1);
	if (!e)
		return -ENOMEM;
	memcpy(e->matches, found, matches_n);
	e->match_count = n;
	texts = (char *)e->matches + matches_n;
	memcpy(texts, name_of(x), name_n);
	memcpy(texts + name_n, path, strlen(path) + 1);
	e->name = texts;
	e->path = texts + name_n;
	copy_facts(e, x);
	e->seq = ++h->seq;
	/* A lost reply is told when its connection closes: long after exchanges that ended later.
	 */
	e->arrived = e->ended;
	if (h->x_last && h->x_last->arrived.ns > e->arrived.ns)
		e->arrived = h->x_last->arrived;
	if (link_matches(h, e) < 0) {
		free(e);
		return -ENOMEM;
	}
	APPEND(h->x_first, h->x_last, e);
	h->counts.exchanges++;
	*ret_exchange = e;
	return 0;
}

const char *ww_held_rule(const struct ww_contract *c, const struct ww_match *m)
{
	if (m->wire != WW_WIRE_BODY_FAILED && m->wire != WW_WIRE_BODY_UNKNOWN)
		return NULL;
	if (m->rule == WW_RULE_BULK)
		return c->bulk.items;
	if (m->rule == WW_RULE_MCP)
		return "$.result";
	if (m->rule == WW_RULE_GRPC)
		return "grpc-status";
	return m->rule == WW_RULE_PARTS ? "207" : c->success.rules[m->rule].path;
}

void ww_held_exchange_id(const struct ww_held_exchange *x, char *out)
{
	struct ww_exchange named = {.cookie = x->cookie, .index = x->index};

	ww_exchange_id(&named, out);
}

/* Where one request's bytes were lost past its end, others may have been; and what is found after
 * them may be no request at all. */
static bool torn(const struct ww_exchange *x)
{
	return x->client && (x->findings & WW_X_FOUND_AGAIN ||
			     (x->outcome == WW_X_REQUEST_CUT && x->findings & WW_X_GAP_REQUEST));
}

static void add_model_peer(struct ww_held *h, const struct ww_endpoint *peer)
{
	if (ww_held_is_model_peer(h, peer))
		return;
	if (h->model_count < MODEL_PEERS_MAX)
		h->models[h->model_count++] = *peer;
}

int ww_held_add_exchange(struct ww_held *h, const struct ww_exchange *x, bool model,
			 const struct ww_mcp_call *mcp, struct ww_held_exchange **ret_exchange)
{
	struct ww_held_flow *f = flow_ensure(h, x->cookie, x->t_first_req, end_of(x));
	struct ww_held_exchange *e = NULL;
	unsigned n;
	int r = f ? 0 : -ENOMEM;

	if (f) {
		f->delivered++;
		f->model |= model;
		f->torn |= torn(x);
		if (x->client && x->req_offset + x->req_bytes > f->told)
			f->told = x->req_offset + x->req_bytes;
		/* Of a WebSocket's messages it is not known what they do. */
		if (x->outcome == WW_X_UNPARSED || x->outcome == WW_X_UPGRADED || x->ws.type)
			f->undecoded++;
	}
	if (model)
		add_model_peer(h, &x->peer);
	n = x->client && !x->ws.type && !(x->findings & WW_X_FOUND_AGAIN)
		    ? match_all(h, x, mcp, h->found)
		    : 0;
	if (n > 0 && r == 0)
		r = hold(h, x, h->found, n, &e);
	for (unsigned i = 0; i < n && !e; i++)
		free(h->found[i].subjects);
	/* The message's own context, where the request has none. */
	if (e && !e->trace.present && mcp)
		e->trace = mcp->trace;
	if (r < 0) {
		h->counts.exchanges_dropped++;
		blind(h, end_of(x));
		return r;
	}
	while (h->counts.exchanges > WW_EXCHANGES_HELD_MAX) {
		h->counts.exchanges_dropped++;
		exchange_drop(h, h->x_first);
	}
	*ret_exchange = e;
	return 0;
}

struct ww_match *ww_held_newest(const struct ww_held *h, uint32_t contract)
{
	return h->newest[contract];
}

bool ww_held_is_model_peer(const struct ww_held *h, const struct ww_endpoint *peer)
{
	for (unsigned i = 0; i < h->model_count; i++) {
		if (ww_endpoint_eq(&h->models[i], peer))
			return true;
	}
	return false;
}

/* --- flows --------------------------------------------------------------------------------------
 */

static void flow_unlink(struct ww_held *h, struct ww_held_flow *f)
{
	if (f->closed)
		UNLINK(h->closed_first, h->closed_last, f);
	else
		UNLINK(h->live_first, h->live_last, f);
}

static void flow_drop(struct ww_held *h, struct ww_held_flow *f)
{
	HASH_DELETE(hh, h->f_by_cookie, f);
	flow_unlink(h, f);
	h->counts.flows--;
	free(f->name);
	ww_buf_done(&f->others);
	free(f);
}

struct ww_held_flow *ww_held_flow_get(const struct ww_held *h, uint64_t cookie)
{
	struct ww_held_flow *f = NULL;

	HASH_FIND(hh, h->f_by_cookie, &cookie, sizeof(cookie), f);
	return f;
}

struct ww_held_flow *ww_held_flows_live(const struct ww_held *h)
{
	return h->live_first;
}

struct ww_held_flow *ww_held_flows_closed(const struct ww_held *h)
{
	return h->closed_last;
}

/* Makes room: the flow that closed first, else the oldest. */
static void flow_evict(struct ww_held *h, struct ww_boot now)
{
	struct ww_held_flow *f = h->closed_first ? h->closed_first : h->live_first;

	blind(h, f->closed ? f->t_close : now);
	h->counts.flows_dropped++;
	flow_drop(h, f);
}

static struct ww_held_flow *flow_ensure(struct ww_held *h, uint64_t cookie, struct ww_boot opened,
					struct ww_boot now)
{
	struct ww_held_flow *f = ww_held_flow_get(h, cookie);

	if (f)
		return f;
	f = calloc(1, sizeof(*f));
	if (!f)
		return NULL;
	f->cookie = cookie;
	f->t_open = opened;
	HASH_ADD(hh, h->f_by_cookie, cookie, sizeof(f->cookie), f);
	if (!f->hh.tbl) {
		free(f);
		return NULL;
	}
	if (h->counts.flows >= WW_FLOWS_MAX)
		flow_evict(h, now);
	APPEND(h->live_first, h->live_last, f);
	h->counts.flows++;
	return f;
}

void ww_held_update_flow(struct ww_held *h, const struct ww_flow *f, struct ww_boot now)
{
	struct ww_held_flow *e = flow_ensure(h, f->cookie, f->t_open, now);

	if (!e || ww_held_name_flow(e, f) < 0) {
		h->counts.refused++;
		h->counts.flows_dropped++;
		blind(h, now);
	}
	if (!e)
		return;
	e->root = f->root;
	e->cgroup = f->cgroup;
	e->peer = f->peer;
	e->ip_proto = f->ip_proto;
	e->role = f->role;
	e->how = f->how;
	e->established = f->established;
	e->tls = f->tls;
	e->receiver = f->receiver;
	e->bound = f->bind != WW_BIND_UNBOUND;
	e->unchecked =
		e->bound && !(f->account[WW_DIR_OUT].checked && f->account[WW_DIR_IN].checked);
	if (f->closed && !e->closed) {
		UNLINK(h->live_first, h->live_last, e);
		e->next = NULL;
		APPEND(h->closed_first, h->closed_last, e);
		e->closed = true;
	}
	e->t_open = f->t_open;
	e->t_close = f->t_close;
	e->bytes_sent = f->bytes_sent;
	e->bytes_acked = f->bytes_acked;
	e->bytes_received = f->bytes_received;
	e->unread = ww_held_unread(&f->account[WW_DIR_IN]);
	e->begun = f->exchanges;
	e->spoken = f->account[WW_DIR_OUT].explained;
	e->framed = f->read_out > 0;
	if (f->read_out > e->told)
		e->told = f->read_out;
	ww_held_take_channel(e, f);
	for (unsigned dir = 0; dir < 2; dir++) {
		e->setup[dir] = f->account[dir].handshake + f->account[dir].tickets;
		e->unexplained[dir] = ww_held_unexplained(&f->account[dir]);
	}
}

/* --- spans --------------------------------------------------------------------------------------
 */

static struct ww_held_span_key span_key(struct ww_actor_key root, const uint8_t trace_id[16],
					const uint8_t span_id[8])
{
	struct ww_held_span_key k = {.root_start_ns = root.start_ns, .root_pid = root.pid};

	memcpy(k.trace_id, trace_id, sizeof(k.trace_id));
	memcpy(k.span_id, span_id, sizeof(k.span_id));
	return k;
}

static bool response_key(struct ww_actor_key root, const char *id, uint8_t out[16])
{
	char text[200], *at = text;
	size_t n = strlen(id);
	struct ww_sha256 d;

	at = ww_put_text(ww_put_hex(at, root.start_ns), "-");
	at = ww_put_text(ww_put_hex(at, root.pid), "-");
	if (n == 0 || n > (size_t)(text + sizeof(text) - at))
		return false;
	memcpy(at, id, n);
	ww_sha256(ww_slice(text, (size_t)(at - text) + n), &d);
	memcpy(out, d.b, 16);
	return true;
}

static void span_drop(struct ww_held *h, struct ww_held_span *s)
{
	HASH_DELETE(hh, h->s_by_key, s);
	if (s->hh_response.tbl)
		HASH_DELETE(hh_response, h->s_by_response, s);
	UNLINK(h->s_first, h->s_last, s);
	h->counts.spans--;
	free(s);
}

static void add_response(struct ww_held *h, struct ww_held_span *e, const struct ww_span *s)
{
	struct ww_held_span *other = NULL;

	if (s->role != WW_SPAN_MODEL || !response_key(s->root, s->response_id, e->response_key))
		return;
	HASH_FIND(hh_response, h->s_by_response, e->response_key, sizeof(e->response_key), other);
	if (other)
		return;
	HASH_ADD(hh_response, h->s_by_response, response_key, sizeof(e->response_key), e);
	h->counts.refused += !e->hh_response.tbl;
}

struct ww_held_span *ww_held_add_span(struct ww_held *h, const struct ww_span *s)
{
	struct ww_held_span *e;

	if (s->root.pid == 0)
		return NULL;
	e = ww_held_span_get(h, s->root, s->trace_id, s->span_id);
	if (e)
		return e;
	e = calloc(1, sizeof(*e));
	if (!e) {
		h->counts.spans_dropped++;
		h->counts.refused++;
		return NULL;
	}
	e->key = span_key(s->root, s->trace_id, s->span_id);
	memcpy(e->parent, s->parent_id, sizeof(e->parent));
	e->role = (uint8_t)s->role;
	e->arrived = s->received;
	HASH_ADD(hh, h->s_by_key, key, sizeof(e->key), e);
	if (!e->hh.tbl) {
		free(e);
		h->counts.spans_dropped++;
		h->counts.refused++;
		return NULL;
	}
	add_response(h, e, s);
	APPEND(h->s_first, h->s_last, e);
	if (++h->counts.spans > WW_SPANS_HELD_MAX) {
		h->counts.spans_dropped++;
		span_drop(h, h->s_first);
	}
	return e;
}

struct ww_held_span *ww_held_span_get(const struct ww_held *h, struct ww_actor_key root,
				      const uint8_t trace_id[16], const uint8_t span_id[8])
{
	struct ww_held_span_key k = span_key(root, trace_id, span_id);
	struct ww_held_span *s = NULL;

	HASH_FIND(hh, h->s_by_key, &k, sizeof(k), s);
	return s;
}

struct ww_held_span *ww_held_span_up(const struct ww_held *h, struct ww_actor_key root,
				     const uint8_t trace_id[16], const uint8_t span_id[8],
				     enum ww_span_role role)
{
	struct ww_held_span *s = ww_held_span_get(h, root, trace_id, span_id);

	for (unsigned i = 0; s && i < ANCESTORS_MAX; i++) {
		if (s->role == role)
			return s;
		s = ww_held_span_get(h, root, trace_id, s->parent);
	}
	return NULL;
}

uint64_t ww_held_traced(const struct ww_held *h, struct ww_held_exchange *x)
{
	const struct ww_held_span *s;

	if (x->traced || !x->trace.present)
		return x->traced;
	s = ww_held_span_up(h, x->root, x->trace.trace_id, x->trace.span_id, WW_SPAN_TOOL);
	if (s)
		x->traced = s->action;
	return x->traced;
}

struct ww_held_span *ww_held_span_by_response(const struct ww_held *h, struct ww_actor_key root,
					      const char *response_id)
{
	struct ww_held_span *s = NULL;
	uint8_t key[16];

	/* Without OpenTelemetry there is nothing to look for. */
	if (h->s_by_response && response_key(root, response_id, key))
		HASH_FIND(hh_response, h->s_by_response, key, sizeof(key), s);
	return s;
}

/* --- ends ---------------------------------------------------------------------------------------
 */

void ww_held_expire(struct ww_held *h, struct ww_boot t)
{
	while (h->x_first && h->x_first->arrived.ns < t.ns)
		exchange_drop(h, h->x_first);
	while (h->s_first && h->s_first->arrived.ns < t.ns)
		span_drop(h, h->s_first);
	while (h->closed_first && h->closed_first->t_close.ns < t.ns) {
		blind(h, h->closed_first->t_close);
		flow_drop(h, h->closed_first);
	}
}

struct ww_boot ww_held_blind_until(const struct ww_held *h)
{
	return h->blind;
}

struct ww_held_counts ww_held_counts(const struct ww_held *h)
{
	return h->counts;
}

void ww_held_free(struct ww_held *h)
{
	if (!h)
		return;
	while (h->x_first)
		exchange_drop(h, h->x_first);
	while (h->live_first)
		flow_drop(h, h->live_first);
	while (h->closed_first)
		flow_drop(h, h->closed_first);
	while (h->s_first)
		span_drop(h, h->s_first);
	free(h->newest);
	free(h);
}
