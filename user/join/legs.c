/* SPDX-License-Identifier: Apache-2.0 */
#include "join/legs.h"

#include <errno.h>
#include <netinet/in.h>
#include <utlist.h>

#include "join/legs_own.h"

#define NAME_(n, t, ...) (t),

const char *ww_leg_purpose_name(enum ww_leg_purpose p)
{
	static const char *const names[] = {WW_LEG_PURPOSES(NAME_)};

	return (unsigned)p < WW_LEG_PURPOSE_MAX ? names[p] : "unknown";
}

const char *ww_leg_cause_name(enum ww_leg_cause c)
{
	static const char *const names[] = {WW_LEG_CAUSES(NAME_)};

	return (unsigned)c < WW_LEG_CAUSE_MAX ? names[c] : "unknown";
}

const char *ww_leg_by_name(enum ww_leg_by b)
{
	static const char *const names[] = {WW_LEG_BYS(NAME_)};

	return (unsigned)b < WW_LEG_BY_MAX ? names[b] : "unknown";
}

const char *ww_leg_acked_name(enum ww_leg_acked a)
{
	static const char *const names[] = {WW_LEG_ACKEDS(NAME_)};

	return (unsigned)a < WW_LEG_ACKED_MAX ? names[a] : "unknown";
}

void ww_legs_blind(struct ww_boot *blind, struct ww_boot t)
{
	if (t.ns > blind->ns)
		*blind = t;
}

/* --- trees --------------------------------------------------------------------------------------
 */

struct ww_leg_tree *ww_legs_tree(const struct ww_legs *l, struct ww_actor_key root)
{
	struct ww_leg_tree *t = NULL;
	uint64_t key[2] = {root.start_ns, root.pid};

	HASH_FIND(hh, l->trees, key, sizeof(key), t);
	return t;
}

struct ww_leg_tree *ww_legs_tree_for(struct ww_legs *l, struct ww_actor_key root)
{
	struct ww_leg_tree *t = ww_legs_tree(l, root);

	if (t)
		return t;
	t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	t->key[0] = root.start_ns;
	t->key[1] = root.pid;
	t->root = root;
	HASH_ADD(hh, l->trees, key, sizeof(t->key), t);
	if (!t->hh.tbl) {
		free(t);
		return NULL;
	}
	return t;
}

void ww_legs_tree_settle(struct ww_legs *l, struct ww_leg_tree *t)
{
	if (!t || t->flows || t->legs || t->paths)
		return;
	HASH_DELETE(hh, l->trees, t);
	free(t);
}

bool ww_legs_serves(const struct ww_legs *l, struct ww_actor_key root)
{
	const struct ww_leg_tree *t = ww_legs_tree(l, root);

	return t && t->accepted;
}

/* --- requests -----------------------------------------------------------------------------------
 */

static void unref(struct ww_legs *l, struct ww_leg *leg)
{
	if (--leg->refs == 0) {
		l->counts.legs--;
		free(leg->claims);
		free(leg);
	}
}

/* Out of the lists; the paths that have it keep it. */
static void forget_leg(struct ww_legs *l, struct ww_leg *leg)
{
	struct ww_leg_tree *tree = leg->tree;

	DL_DELETE2(l->legs, leg, older, younger);
	l->listed--;
	DL_DELETE(tree->legs, leg);
	leg->tree = NULL;
	ww_legs_tree_settle(l, tree);
	unref(l, leg);
}

static struct ww_boot last_of(const struct ww_exchange *x)
{
	return x->t_last_resp.ns > x->t_last_req.ns ? x->t_last_resp : x->t_last_req;
}

struct texts {
	const char *text[5];
	size_t bytes[5];
};

static size_t measure(struct texts *t)
{
	size_t all = 0;

	for (unsigned i = 0; i < WW_ARRAY_SIZE(t->text); i++)
		all += t->bytes[i] = strlen(t->text[i]) + 1;
	return all;
}

static void take_texts(struct ww_leg *leg, const struct texts *t)
{
	const char **to[] = {&leg->sni, &leg->authority, &leg->model_name, &leg->response_id,
			     &leg->request_id};
	char *at = leg->texts;

	for (unsigned i = 0; i < WW_ARRAY_SIZE(to); i++) {
		memcpy(at, t->text[i], t->bytes[i]);
		*to[i] = at;
		at += t->bytes[i];
	}
}

static void take_call(struct ww_leg *leg, const struct ww_model_call *call)
{
	leg->model = true;
	leg->request_whole = call->request_whole;
	leg->turn_present = call->turn_present;
	leg->prompt_present = call->prompt_present;
	leg->prompt_bytes = call->prompt_bytes;
	leg->conversation = call->conversation;
	leg->turn = call->turn;
	leg->prompt = call->prompt;
}

/* Without memory they are missing: nothing rests on them. */
static void take_claims(struct ww_legs *l, struct ww_leg *leg, const struct ww_place_claims *x,
			const struct ww_place_claims *call)
{
	unsigned more = call ? call->count : 0;

	if (x->count + more == 0)
		return;
	leg->claims = malloc((x->count + more) * sizeof(*leg->claims));
	if (!leg->claims) {
		l->counts.refused++;
		return;
	}
	leg->claim_count = x->count + more;
	memcpy(leg->claims, x->item, x->count * sizeof(*leg->claims));
	if (more)
		memcpy(leg->claims + x->count, call->item, more * sizeof(*leg->claims));
}

static void take_exchange(struct ww_leg *leg, const struct ww_exchange *x)
{
	leg->cookie = x->cookie;
	leg->index = x->index;
	leg->actor = x->actor;
	leg->root = x->root;
	leg->cgroup = x->cgroup;
	leg->local = x->local;
	leg->peer = x->peer;
	leg->t_first_req = x->t_first_req;
	leg->t_last_req = x->t_last_req;
	leg->t_first_resp = x->t_first_resp;
	leg->t_end = last_of(x);
	leg->req_bytes = x->req_bytes;
	leg->resp_bytes = x->resp_bytes;
	leg->req_end = x->req_offset + x->req_bytes;
	/* Of HTTP/2 the range holds what other streams sent in between, but the body's own bytes.
	 */
	leg->req_least = x->stream ? x->req.wire_bytes : x->req_bytes;
	leg->outcome = (uint8_t)x->outcome;
	leg->status = x->status;
	leg->stream = x->stream;
	leg->findings = x->findings;
	leg->body_whole = x->req.whole;
	leg->body = x->req.digest;
	leg->trace = x->trace;
}

static void forget_path(struct ww_legs *l, struct ww_leg_path *p);

/* The oldest goes first: of what is listed, then with its path. */
static void make_room(struct ww_legs *l, const struct ww_leg *leg)
{
	while (l->counts.legs > WW_LEGS_MAX && (l->legs != leg || l->paths)) {
		/* A path keeps its requests, listed or not. */
		if (l->paths && (l->legs == leg || l->paths->last.ns <= l->legs->t_end.ns)) {
			l->counts.paths_dropped++;
			forget_path(l, l->paths);
			continue;
		}
		ww_legs_blind(&l->blind.requests, l->legs->t_end);
		l->counts.legs_dropped++;
		forget_leg(l, l->legs);
	}
}

int ww_legs_add(struct ww_legs *l, const struct ww_exchange *x, const struct ww_model_call *call,
		struct ww_boot now, struct ww_leg **ret)
{
	struct texts t = {.text = {x->sni, x->authority, "", "", x->request_id}};
	struct ww_leg_tree *tree = ww_legs_tree_for(l, x->root);
	struct ww_leg *leg;

	if (call) {
		t.text[2] = call->model_served[0] ? call->model_served : call->model_asked;
		t.text[3] = call->response_id;
		t.text[4] = call->request_id;
	}
	leg = tree ? malloc(sizeof(*leg) + measure(&t)) : NULL;
	if (!leg) {
		ww_legs_tree_settle(l, tree);
		ww_legs_blind(&l->blind.requests, now);
		l->counts.legs_dropped++;
		return -ENOMEM;
	}
	memset(leg, 0, sizeof(*leg));
	take_exchange(leg, x);
	take_texts(leg, &t);
	if (call)
		take_call(leg, call);
	leg->due = ww_legs_written(ww_legs_flow_get(l, x->cookie));
	take_claims(l, leg, &x->places, call ? &call->places : NULL);
	leg->arrived = now;
	leg->tree = tree;
	leg->refs = 1;
	l->counts.legs++;
	l->listed++;
	DL_APPEND2(l->legs, leg, older, younger);
	DL_APPEND(tree->legs, leg);
	make_room(l, leg);
	*ret = leg;
	return 0;
}

const struct ww_leg *ww_legs_last(const struct ww_legs *l)
{
	return l->legs ? l->legs->older : NULL;
}

const struct ww_leg *ww_legs_before(const struct ww_legs *l, const struct ww_leg *leg)
{
	return leg == l->legs ? NULL : leg->older;
}

/* --- paths --------------------------------------------------------------------------------------
 */

static struct ww_leg_path *newest_of(const struct ww_legs *l, const struct ww_path_key *key)
{
	struct ww_leg_path *p = NULL;

	HASH_FIND(hh_key, l->by_key, key, sizeof(*key), p);
	return p;
}

/* Takes it from among those with its key, of which the table has the newest. */
static void unchain(struct ww_legs *l, struct ww_leg_path *p)
{
	struct ww_leg_path *q = newest_of(l, &p->key);

	if (q == p) {
		HASH_DELETE(hh_key, l->by_key, p);
		if (p->older)
			HASH_ADD(hh_key, l->by_key, key, sizeof(p->key), p->older);
		return;
	}
	while (q && q->older != p)
		q = q->older;
	if (q)
		q->older = p->older;
}

static void forget_path(struct ww_legs *l, struct ww_leg_path *p)
{
	struct ww_leg_tree *tree = p->tree;

	if (l->gone)
		l->gone(l->gone_ctx, p);
	ww_legs_told(l, p);
	unchain(l, p);
	HASH_DELETE(hh, l->by_id, p);
	DL_DELETE(l->paths, p);
	l->counts.paths--;
	for (unsigned i = 0; i < p->count; i++)
		unref(l, p->legs[i].leg);
	DL_DELETE2(tree->paths, p, tree_prev, tree_next);
	ww_legs_tree_settle(l, tree);
	free(p->legs);
	free(p);
}

void ww_legs_touch(struct ww_legs *l, struct ww_leg_path *p, struct ww_boot now)
{
	if (p->dirty)
		DL_DELETE2(l->waiting, p, wait_prev, wait_next);
	DL_APPEND2(l->waiting, p, wait_prev, wait_next);
	p->dirty = true;
	p->changed = now;
}

void ww_legs_told(struct ww_legs *l, struct ww_leg_path *p)
{
	if (p->dirty)
		DL_DELETE2(l->waiting, p, wait_prev, wait_next);
	p->dirty = false;
}

struct ww_leg_path *ww_legs_waiting(const struct ww_legs *l)
{
	return l->waiting;
}

static bool has_leg(const struct ww_leg_path *p, const struct ww_leg *leg)
{
	for (unsigned i = p->count; i > 0; i--) {
		if (p->legs[i - 1].leg == leg)
			return true;
	}
	return false;
}

static bool went_well(const struct ww_path_leg *pl)
{
	return pl->purpose == WW_LEG_INFERENCE && pl->owners == 1 && pl->leg->status >= 200 &&
	       pl->leg->status < 300;
}

/* Both were answered well, by the same peer under the same names: one says what the other does. */
static bool alike(const struct ww_path_leg *a, const struct ww_path_leg *b)
{
	return went_well(a) && went_well(b) && ww_endpoint_eq(&a->leg->peer, &b->leg->peer) &&
	       strcmp(a->leg->sni, b->leg->sni) == 0 &&
	       strcmp(a->leg->authority, b->leg->authority) == 0;
}

static bool is_said(const struct ww_leg_path *p, const struct ww_path_leg *pl)
{
	for (unsigned i = 0; i < p->count; i++) {
		if (&p->legs[i] != pl && alike(&p->legs[i], pl))
			return true;
	}
	return false;
}

/* Of a full path the oldest goes that another one of it stands for, but not the first. False: there
 * is none, or the new one is such a leg itself. */
static bool drop_repeated(struct ww_legs *l, struct ww_leg_path *p, const struct ww_path_leg *new)
{
	unsigned i = 1;

	if (p->count < WW_LEGS_OF_PATH_MAX || is_said(p, new))
		return false;
	while (i < p->count && !is_said(p, &p->legs[i]))
		i++;
	if (i == p->count)
		return false;
	unref(l, p->legs[i].leg);
	memmove(&p->legs[i], &p->legs[i + 1], (p->count - i - 1) * sizeof(p->legs[0]));
	p->count--;
	p->dropped++;
	l->counts.legs_dropped++;
	return true;
}

static bool put_leg(struct ww_legs *l, struct ww_leg_path *p, const struct ww_path_leg *pl)
{
	struct ww_leg *leg = pl->leg;

	if (has_leg(p, leg))
		return false;
	if (p->count == p->room && p->room < WW_LEGS_OF_PATH_MAX) {
		unsigned room = p->room ? 2 * p->room : 2;
		struct ww_path_leg *more = realloc(p->legs, room * sizeof(*more));

		if (more) {
			p->legs = more;
			p->room = room;
		} else {
			l->counts.refused++;
		}
	}
	ww_legs_touch(l, p, leg->arrived);
	if (leg->t_end.ns > p->last.ns)
		p->last = leg->t_end;
	if (leg->t_first_req.ns < p->first.ns)
		p->first = leg->t_first_req;
	if (p->count == p->room && !drop_repeated(l, p, pl)) {
		p->dropped++;
		l->counts.legs_dropped++;
		return false;
	}
	leg->refs++;
	p->legs[p->count++] = *pl;
	return true;
}

bool ww_legs_derived(struct ww_legs *l, struct ww_leg_path *p, const struct ww_path_leg *leg)
{
	return put_leg(l, p, leg);
}

static void key_of(const struct ww_leg *leg, struct ww_path_key *k, uint8_t *ret_by)
{
	memset(k, 0, sizeof(*k));
	k->root_start_ns = leg->root.start_ns;
	k->root_pid = leg->root.pid;
	if (leg->turn_present) {
		*ret_by = WW_LEG_BY_TURN;
		memcpy(k->what, leg->turn.b, sizeof(k->what));
	} else if (leg->prompt_present) {
		*ret_by = WW_LEG_BY_PROMPT;
		memcpy(k->what, leg->prompt.b, sizeof(k->what));
	} else {
		*ret_by = WW_LEG_BY_EXCHANGE;
		memcpy(k->what, &leg->cookie, sizeof(leg->cookie));
		memcpy(k->what + sizeof(leg->cookie), &leg->index, sizeof(leg->index));
	}
}

static bool same_subject(const struct ww_leg_path *p, const struct ww_leg *leg, uint8_t by)
{
	if (p->by != by || leg->t_first_req.ns > p->last.ns + WW_LEGS_QUIET_NS ||
	    leg->t_end.ns + WW_LEGS_QUIET_NS < p->first.ns)
		return false;
	return !p->traced || !leg->trace.present ||
	       memcmp(p->trace_id, leg->trace.trace_id, sizeof(p->trace_id)) == 0;
}

/* Of what nobody chooses: the connection, and the place on it. */
static uint64_t id_of(const struct ww_leg *leg, const struct ww_digest_key *key)
{
	uint8_t in[16] = "path";
	struct ww_sha256 d;
	uint64_t id = 0;

	for (unsigned i = 0; i < 8; i++)
		in[4 + i] = (uint8_t)(leg->cookie >> (8 * i));
	for (unsigned i = 0; i < 4; i++)
		in[12 + i] = (uint8_t)(leg->index >> (8 * i));
	ww_digest(key, ww_slice(in, sizeof(in)), &d);
	for (unsigned i = 0; i < 8; i++)
		id = id << 8 | d.b[i];
	return id;
}

static struct ww_leg_path *make_path(struct ww_legs *l, const struct ww_leg *leg,
				     const struct ww_path_key *k, uint8_t by,
				     const struct ww_digest_key *key)
{
	uint64_t id = id_of(leg, key);
	struct ww_leg_path *p = ww_legs_path_get(l, id) ? NULL : calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->id = id;
	p->key = *k;
	p->by = by;
	p->actor = leg->actor;
	p->root = leg->root;
	p->cgroup = leg->cgroup;
	p->first = leg->t_first_req;
	p->tree = leg->tree;
	p->prompt_present = leg->prompt_present;
	p->turn_present = leg->turn_present;
	p->prompt = leg->prompt;
	p->turn = leg->turn;
	p->prompt_bytes = leg->prompt_bytes;
	p->older = newest_of(l, k);
	HASH_ADD(hh, l->by_id, id, sizeof(p->id), p);
	if (!p->hh.tbl) {
		free(p);
		return NULL;
	}
	if (p->older)
		HASH_DELETE(hh_key, l->by_key, p->older);
	HASH_ADD(hh_key, l->by_key, key, sizeof(p->key), p);
	if (!p->hh_key.tbl) {
		if (p->older)
			HASH_ADD(hh_key, l->by_key, key, sizeof(p->key), p->older);
		HASH_DELETE(hh, l->by_id, p);
		free(p);
		return NULL;
	}
	DL_APPEND2(p->tree->paths, p, tree_prev, tree_next);
	l->counts.paths++;
	DL_APPEND(l->paths, p);
	return p;
}

/* Several go on that it may be of, each with a trace of its own: it is told of all. */
static void share(struct ww_legs *l, const struct ww_leg_path *newest, const struct ww_leg *leg,
		  uint8_t by, struct ww_path_leg *pl)
{
	for (struct ww_leg_path *p = newest->older; p; p = p->older)
		pl->owners += same_subject(p, leg, by);
	if (pl->owners == 1)
		return;
	pl->join = WW_JOIN_AMBIGUOUS;
	for (struct ww_leg_path *p = newest->older; p; p = p->older) {
		if (same_subject(p, leg, by))
			put_leg(l, p, pl);
	}
}

int ww_legs_path_for(struct ww_legs *l, struct ww_leg *leg, const struct ww_digest_key *key,
		     struct ww_leg_path **ret)
{
	struct ww_path_leg pl = {.leg = leg, .purpose = WW_LEG_INFERENCE, .owners = 1};
	struct ww_leg_path *p;
	struct ww_path_key k;
	uint8_t by;

	key_of(leg, &k, &by);
	for (p = newest_of(l, &k); p && !same_subject(p, leg, by);)
		p = p->older;
	if (!p) {
		p = make_path(l, leg, &k, by, key);
		if (!p) {
			ww_legs_blind(&l->blind.requests, leg->t_end);
			l->counts.paths_dropped++;
			return -ENOMEM;
		}
	}
	if (!p->traced && leg->trace.present) {
		p->traced = true;
		memcpy(p->trace_id, leg->trace.trace_id, sizeof(p->trace_id));
	}
	pl.by = p->traced && leg->trace.present ? WW_LEG_BY_TRACEPARENT
		: p->count == 0                 ? WW_LEG_BY_EXCHANGE
						: by;
	pl.join = pl.by == WW_LEG_BY_TURN || pl.by == WW_LEG_BY_PROMPT ? WW_JOIN_UNIQUE
								       : WW_JOIN_EXACT;
	if (!leg->trace.present)
		share(l, p, leg, by, &pl);
	put_leg(l, p, &pl);
	*ret = p;
	while (l->counts.paths > WW_LEGS_PATHS_MAX) {
		l->counts.paths_dropped++;
		forget_path(l, l->paths);
	}
	return 0;
}

struct ww_leg_path *ww_legs_path_get(const struct ww_legs *l, uint64_t id)
{
	struct ww_leg_path *p = NULL;

	HASH_FIND(hh, l->by_id, &id, sizeof(id), p);
	return p;
}

struct ww_leg_path *ww_legs_paths(const struct ww_legs *l)
{
	return l->paths;
}

/* --- lookups ------------------------------------------------------------------------------------
 */

void ww_legs_lookup(struct ww_legs *l, const struct ww_lookup *lookup)
{
	struct ww_leg_lookup *e = malloc(sizeof(*e));

	if (!e) {
		l->counts.refused++;
		return;
	}
	*e = (struct ww_leg_lookup){.cookie = lookup->cookie,
				    .serial = lookup->serial,
				    .actor = lookup->actor,
				    .server = lookup->server,
				    .proto = lookup->proto,
				    .asked = lookup->asked,
				    .answered = lookup->answered};
	DL_APPEND(l->lookups, e);
	if (++l->counts.lookups > WW_LEGS_LOOKUPS_MAX) {
		e = l->lookups;
		DL_DELETE(l->lookups, e);
		l->counts.lookups--;
		free(e);
	}
}

const struct ww_leg_lookup *ww_legs_lookup_get(const struct ww_legs *l, uint64_t cookie,
					       uint64_t serial)
{
	for (const struct ww_leg_lookup *e = l->lookups; e; e = e->next) {
		if (e->cookie == cookie && e->serial == serial)
			return e;
	}
	return NULL;
}

/* --- life ---------------------------------------------------------------------------------------
 */

int ww_legs_new(struct ww_legs **ret)
{
	struct ww_legs *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	*ret = l;
	return 0;
}

void ww_legs_free(struct ww_legs *l)
{
	struct ww_leg_lookup *e, *tmp;

	if (!l)
		return;
	l->gone = NULL;
	while (l->paths)
		forget_path(l, l->paths);
	while (l->legs)
		forget_leg(l, l->legs);
	ww_legs_flows_done(l);
	DL_FOREACH_SAFE(l->lookups, e, tmp)
	free(e);
	free(l);
}

void ww_legs_on_gone(struct ww_legs *l, ww_legs_gone_fn fn, void *ctx)
{
	l->gone = fn;
	l->gone_ctx = ctx;
}

void ww_legs_expire(struct ww_legs *l, struct ww_boot t)
{
	while (l->paths && !l->paths->dirty && l->paths->changed.ns < t.ns)
		forget_path(l, l->paths);
	while (l->legs && l->legs->arrived.ns < t.ns)
		forget_leg(l, l->legs);
	while (l->lookups && l->lookups->answered.ns < t.ns) {
		struct ww_leg_lookup *e = l->lookups;

		DL_DELETE(l->lookups, e);
		l->counts.lookups--;
		free(e);
	}
	ww_legs_flows_expire(l, t);
}

struct ww_legs_blind ww_legs_blind_until(const struct ww_legs *l)
{
	return l->blind;
}

struct ww_legs_counts ww_legs_counts(const struct ww_legs *l)
{
	return l->counts;
}
