/* SPDX-License-Identifier: Apache-2.0 */
#include "judge/path.h"

#include <errno.h>
#include <netinet/in.h>

#include "action/shingles.h"
#include "judge/path_recent.h"
#include "judge/path_write.h"

#define HITS_MAX 256u /* as many as one agent has that are remembered */
/* Paths of one tree that a span, or a connection's end, may be of. */
#define NEAR_MAX 64u
/* What is not known to be a handshake where events were lost is taken for one, up to this. */
#define HANDSHAKE_MAX   (64u << 10)
#define TLS_APPLICATION 23 /* RFC 8446 section 5.1 */
/* What is too old is looked for so often. */
#define EXPIRE_NS 5000000000ull

struct ww_paths {
	struct ww_path_world w;
	struct ww_legs *legs;
	struct ww_path_spans *spans;
	struct ww_shingles *shingles;
	struct ww_path_recents *recents;
	const struct ww_digest_key *key;
	ww_record_fn emit;
	void *ctx;
	struct ww_boot now, expired;
	struct ww_path_counts counts;
	struct ww_buf record;
	struct ww_path_case c; /* of the path that is looked at */
};

/* --- life ---------------------------------------------------------------------------------------
 */

static void settle(struct ww_paths *t, struct ww_leg_path *p, bool last);

/* What was not told yet is told before it is forgotten. */
static void path_gone(void *ctx, struct ww_leg_path *p)
{
	struct ww_paths *t = ctx;

	if (p->dirty)
		settle(t, p, true);
	if (p->searchable)
		ww_shingles_forget(t->shingles, p->id);
}

int ww_paths_new(const struct ww_path_config *cfg, const struct ww_path_deps *deps,
		 ww_record_fn emit, void *ctx, struct ww_paths **ret)
{
	WW_AUTO(ww_paths_free_auto) struct ww_paths *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return -ENOMEM;
	ww_buf_init(&t->record, WW_RECORD_BYTES_MAX - WW_PATH_ROOM);
	r = ww_legs_new(&t->legs);
	if (r == 0)
		r = ww_path_spans_new(&t->spans);
	if (r == 0)
		r = ww_path_recents_new(&t->recents);
	if (r == 0)
		r = ww_shingles_new(cfg->digest_key, &t->shingles);
	if (r < 0)
		return r;
	t->w = (struct ww_path_world){.legs = t->legs,
				      .spans = t->spans,
				      .shingles = t->shingles,
				      .actors = deps->actors,
				      .flows = deps->flows,
				      .coverage = deps->coverage,
				      .clock = deps->clock,
				      .policy = cfg->policy,
				      .tables = cfg->tables,
				      .grace_ns = cfg->grace_ns};
	t->key = deps->key;
	t->emit = emit;
	t->ctx = ctx;
	ww_legs_on_gone(t->legs, path_gone, t);
	*ret = WW_TAKE(t);
	return 0;
}

void ww_paths_free(struct ww_paths *t)
{
	if (!t)
		return;
	ww_legs_free(t->legs);
	ww_path_spans_free(t->spans);
	ww_shingles_free(t->shingles);
	ww_path_recents_free(t->recents);
	ww_buf_done(&t->record);
	free(t);
}

/* --- crossings ----------------------------------------------------------------------------------
 */

/* Bytes that are payload for certain. Where events were lost, what looks plain may be a handshake.
 */
static bool has_payload(const struct ww_paths *t, const struct ww_leg_flow *f)
{
	struct ww_coverage_answer a;

	if (ww_legs_payload(f) == 0)
		return false;
	if (f->tls || f->explained || f->ip_proto != IPPROTO_TCP || f->bytes_acked > HANDSHAKE_MAX)
		return true;
	ww_coverage_query(t->w.coverage, f->cgroup, f->t_open, t->now, &a);
	return a.lost_events == 0 && a.gaps == 0 && f->seen_birth;
}

static void look_for_crossing(struct ww_paths *t, struct ww_leg_flow *f)
{
	const struct ww_policy_agent *agent;
	struct ww_placement pl;

	if (!t->w.policy || f->crossed || f->settled || f->receiver || f->channel ||
	    f->role == WW_FLOW_ACCEPT || !f->role || f->owner.pid == 0 || ww_path_resolves(f) ||
	    !has_payload(t, f))
		return;
	agent = ww_path_agent(&t->w, f->cgroup, f->owner, f->root);
	f->settled = !agent || (!agent->asks_region && !agent->asks_home);
	if (f->settled)
		return;
	ww_path_place(&t->w, agent, f, NULL, &pl);
	if (!ww_path_forbidden(agent, &pl)) {
		/* More is known of where it leads at its end: the round trip, names. */
		f->settled = f->closed;
		return;
	}
	f->crossed = true;
	if (!ww_crossing_write(&t->w, f, agent, &pl, t->now, &t->record)) {
		t->counts.records_lost++;
		return;
	}
	t->counts.crossings++;
	t->emit(t->ctx, WW_RECORD_CROSSING, ww_buf_slice(&t->record));
}

/* --- what comes in ------------------------------------------------------------------------------
 */

static struct ww_leg_flow *update(struct ww_paths *t, uint64_t cookie)
{
	struct ww_flow *f = cookie ? ww_flows_get(t->w.flows, cookie) : NULL;

	return f ? ww_legs_flow(t->legs, f, t->now) : NULL;
}

/* Of what no hook reads it is these that say that more than a handshake was sent: one may be lost,
 * and nothing tells. */
static void note_record(struct ww_paths *t, const struct ww_event_record *ev)
{
	struct ww_leg_flow *f = ww_legs_flow_get(t->legs, ev->h.cookie);

	if (f && ev->dir == WW_DIR_OUT && ev->type == TLS_APPLICATION && f->sealed < UINT16_MAX)
		f->sealed++;
}

void ww_paths_event(struct ww_paths *t, const struct ww_event *ev)
{
	const struct ww_event_hello *hello = (const struct ww_event_hello *)ev;
	struct ww_leg_flow *f = NULL;

	if (ev->time_ns > t->now.ns)
		t->now.ns = ev->time_ns;
	switch (ev->kind) {
	case WW_EVENT_FLOW_OPEN:
	case WW_EVENT_FLOW_OWNER:
	case WW_EVENT_FLOW_STATE:
	case WW_EVENT_FLOW_STAT:
	case WW_EVENT_FLOW_CLOSE:
		f = update(t, ev->cookie);
		break;
	case WW_EVENT_TLS_HELLO:
		/* The client said something before it: to somebody on the way. */
		if (hello->client && hello->dir == WW_DIR_OUT && hello->stream_offset > 0)
			f = update(t, ev->cookie);
		if (f && f->setup <= hello->stream_offset)
			f->tunnelled = true;
		break;
	case WW_EVENT_TLS_RECORD:
		note_record(t, (const struct ww_event_record *)ev);
		break;
	default:
		break;
	}
	if (f)
		look_for_crossing(t, f);
}

/* Something was heard that may change what is said of the paths that have a leg on it. */
static void touch(struct ww_paths *t, uint64_t cookie, struct ww_actor_key root)
{
	const struct ww_leg_tree *tree = ww_legs_tree(t->legs, root);
	struct ww_leg_path *p = tree && tree->paths ? tree->paths->tree_prev : NULL;

	for (unsigned n = 0; p && n < NEAR_MAX; n++) {
		for (unsigned i = 0; i < p->count; i++) {
			const struct ww_leg *l = p->legs[i].leg;

			if (l->cookie == cookie && l->acked_how != WW_LEG_ACKED_ALL) {
				ww_legs_touch(t->legs, p, t->now);
				break;
			}
		}
		p = p == tree->paths ? NULL : p->tree_prev;
	}
}

void ww_paths_flow(struct ww_paths *t, struct ww_flow *f)
{
	struct ww_leg_flow *e = ww_legs_flow(t->legs, f, t->now);

	if (!e)
		return;
	look_for_crossing(t, e);
	touch(t, f->cookie, f->root);
}

void ww_paths_lookup(struct ww_paths *t, const struct ww_lookup *l)
{
	struct ww_leg_flow *f = ww_legs_flow_get(t->legs, l->cookie);

	if (f)
		f->lookups += l->asks;
	if (l->answer)
		ww_legs_lookup(t->legs, l);
}

static bool speaks_of(const struct ww_leg_path *p, const struct ww_span *s)
{
	if (p->traced && memcmp(p->trace_id, s->trace_id, sizeof(p->trace_id)) == 0)
		return true;
	for (unsigned i = 0; i < p->count && s->response_id[0]; i++) {
		if (strcmp(p->legs[i].leg->response_id, s->response_id) == 0)
			return true;
	}
	return false;
}

int ww_paths_span(struct ww_paths *t, const struct ww_span *span)
{
	const struct ww_leg_tree *tree = ww_legs_tree(t->legs, span->root);
	struct ww_leg_path *p = tree && tree->paths ? tree->paths->tree_prev : NULL;

	for (unsigned n = 0; p && n < NEAR_MAX; n++) {
		if (speaks_of(p, span))
			ww_legs_touch(t->legs, p, t->now);
		p = p == tree->paths ? NULL : p->tree_prev;
	}
	return ww_path_spans_add(t->spans, span);
}

/* --- requests -----------------------------------------------------------------------------------
 */

/* What of a request could not be looked into. */
static void note_unread(struct ww_leg_flow *f, const struct ww_exchange *x, bool partial)
{
	struct ww_boot end = x->t_last_req.ns ? x->t_last_req : x->t_first_req;

	if (!f)
		return;
	f->exchanges++;
	f->answered |= x->status > 0;
	if (!x->stream && x->t_last_resp.ns > f->ended.ns)
		f->ended = x->t_last_resp;
	if (x->field_bytes >= f->field_bytes) {
		f->field_bytes = x->field_bytes;
		f->headed = end;
	}
	if (x->outcome == WW_X_UNPARSED)
		f->unparsed = true;
	if (x->outcome == WW_X_UPGRADED && x->status != 101)
		f->tunnelled = true; /* what follows is between the client and somebody behind */
	if (partial || (x->req.wire_bytes && !x->req.whole) ||
	    (x->findings & (WW_X_GAP_REQUEST | WW_X_TRUNCATED_REQUEST | WW_X_CODING_UNKNOWN)))
		f->unread = end;
}

static bool same_prompt(const struct ww_leg_path *p, const struct ww_leg_path *q)
{
	return p->prompt_present && q->prompt_present &&
	       memcmp(&p->prompt, &q->prompt, sizeof(p->prompt)) == 0;
}

/* A later turn sends the history again: one leg to each peer is enough. */
static bool has_peer(const struct ww_leg_path *p, const struct ww_endpoint *peer)
{
	for (unsigned i = 0; i < p->count; i++) {
		if (ww_endpoint_eq(&p->legs[i].leg->peer, peer))
			return true;
	}
	return false;
}

struct copies {
	const struct ww_exchange *x;
	const struct ww_model_call *call;
	struct ww_leg *leg;
	struct ww_leg_path *own; /* that it is a leg of as a call to the model */
	unsigned count;
	struct ww_leg_path *of[HITS_MAX]; /* others that it is a leg of */
};

/* Paths with the text of `p`: those of the request's own tree, where there are any. */
static unsigned count_owners(const struct ww_paths *t, const struct ww_leg_path *p,
			     struct ww_actor_key root, bool *ret_home)
{
	unsigned home = 0, all = 0;

	for (const struct ww_leg_path *q = ww_legs_paths(t->legs); q; q = q->next) {
		if (q != p && !same_prompt(p, q))
			continue;
		all++;
		home += ww_actor_key_eq(q->root, root);
	}
	*ret_home = home > 0;
	return home ? home : all;
}

static void take_copy(struct ww_paths *t, struct copies *k, struct ww_leg_path *p,
		      const struct ww_shingle_hit *hit, unsigned owners)
{
	struct ww_path_leg pl = {.leg = k->leg,
				 .purpose = WW_LEG_DERIVED,
				 .by = WW_LEG_BY_SHINGLES,
				 .join = owners == 1 ? WW_JOIN_UNIQUE : WW_JOIN_AMBIGUOUS,
				 .shared = hit->shared,
				 .of = hit->of,
				 .owners = owners};

	memcpy(pl.form, hit->form, sizeof(pl.form));
	if (k->call && has_peer(p, &k->x->peer))
		return;
	if (ww_legs_derived(t->legs, p, &pl) && k->count < HITS_MAX)
		k->of[k->count++] = p;
}

/* A call to the model with the path's prompt that is another path's: it was sent with another
 * history, while the path may have gone on. Whether it did by this is not known. */
static bool may_go_on(const struct ww_leg_path *p, const struct ww_leg *leg)
{
	return leg->t_first_req.ns <= p->last.ns + WW_LEGS_QUIET_NS &&
	       p->first.ns <= leg->t_end.ns + WW_LEGS_QUIET_NS &&
	       !(p->traced && leg->trace.present &&
		 memcmp(p->trace_id, leg->trace.trace_id, sizeof(p->trace_id)) != 0);
}

/* All paths with the text of one that was found. */
static void take_copies(struct ww_paths *t, struct copies *k, const struct ww_leg_path *p,
			const struct ww_shingle_hit *hit)
{
	bool home, again = k->own && same_prompt(p, k->own);
	unsigned owners = count_owners(t, p, k->x->root, &home);

	for (struct ww_leg_path *q = ww_legs_paths(t->legs); q; q = q->next) {
		bool theirs = home && !ww_actor_key_eq(q->root, k->x->root);

		if ((q != p && !same_prompt(p, q)) || q == k->own)
			continue;
		/* What a gateway copies is of those whose prompt it was sent, too: by its path. */
		if (theirs && q->last.ns + WW_LEGS_QUIET_NS >= k->leg->t_first_req.ns)
			ww_legs_touch(t->legs, q, t->now);
		else if (!theirs && (!again || may_go_on(q, k->leg)))
			take_copy(t, k, q, hit, owners);
	}
}

static bool told_before(struct ww_leg_path *const *before, unsigned count,
			const struct ww_leg_path *p)
{
	for (unsigned i = 0; i < count; i++) {
		if (same_prompt(p, before[i]))
			return true;
	}
	return false;
}

/* Looks for prompts in a piece of a request. *ret_partial: not all of it could be looked at. */
static int find_in(struct ww_paths *t, struct copies *k, struct ww_slice piece, bool *ret_partial)
{
	struct ww_shingle_hit hits[HITS_MAX];
	struct ww_leg_path *before[HITS_MAX];
	bool partial = false;
	unsigned count = 0, n = ww_shingles_find(t->shingles, piece, hits, HITS_MAX, &partial);

	*ret_partial |= partial || n == HITS_MAX;
	/* Before any path is looked at: for its room others may be forgotten. */
	if (n && !k->leg && ww_legs_add(t->legs, k->x, k->call, t->now, &k->leg) < 0)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++) {
		struct ww_leg_path *p = ww_legs_path_get(t->legs, hits[i].owner);

		if (!p || p == k->own || told_before(before, count, p))
			continue;
		before[count++] = p;
		take_copies(t, k, p, &hits[i]);
	}
	return 0;
}

static int find_copies(struct ww_paths *t, struct copies *k, bool *ret_partial)
{
	struct ww_slice target = ww_slice_str(k->x->target);
	int r = find_in(t, k, k->x->req.data, ret_partial);

	if (r == 0 && target.n)
		r = find_in(t, k, target, ret_partial);
	*ret_partial |= target.n + 1 >= sizeof(k->x->target);
	return r;
}

/* A request that ended before it was known that the path's prompt is one. */
static int look_again(struct ww_paths *t, struct ww_leg_path *p, const struct ww_path_recent *e,
		      struct ww_slice piece)
{
	struct copies k = {.x = &e->x};
	struct ww_shingle_hit hits[HITS_MAX];
	bool partial = false, home;
	unsigned n = ww_shingles_find(t->shingles, piece, hits, HITS_MAX, &partial), i = 0;

	p->unsearched |= n == HITS_MAX;
	while (i < n && hits[i].owner != p->id)
		i++;
	if (i == n)
		return 0;
	if (ww_legs_add(t->legs, k.x, NULL, t->now, &k.leg) < 0)
		return -ENOMEM;
	take_copy(t, &k, p, &hits[i], count_owners(t, p, e->x.root, &home));
	return 0;
}

static int look_back(struct ww_paths *t, struct ww_leg_path *p)
{
	int r = 0;

	p->unsearched = ww_path_recents_lost(t->recents).ns >= p->first.ns;
	for (const struct ww_path_recent *e = ww_path_recents(t->recents); e && r == 0;
	     e = e->next) {
		if (!ww_actor_key_eq(e->x.root, p->root) ||
		    e->at.ns + WW_PATH_RECENT_KEPT_NS < p->first.ns ||
		    (e->model && has_peer(p, &e->x.peer)))
			continue;
		if (!ww_path_recents_afford(t->recents, e->x.req.data.n + sizeof(e->x.target),
					    t->now)) {
			p->unsearched = true;
			break;
		}
		r = look_again(t, p, e, e->x.req.data);
		if (r == 0 && strchr(e->x.target, '?'))
			r = look_again(t, p, e, ww_slice_str(e->x.target));
	}
	return r;
}

static int remember(struct ww_paths *t, struct ww_leg_path *p, const struct ww_model_call *call)
{
	uint32_t count = 0;
	int r;

	if (p->searchable || call->prompt_text.n == 0)
		return 0;
	r = ww_shingles_add(t->shingles, p->id, p->root, ww_buf_slice(&call->prompt_text), &count);
	p->searchable = r == 0 && count > 0;
	return r == 0 && count > 0 ? look_back(t, p) : r;
}

static void say(struct ww_paths *t, struct ww_leg_path *p, uint64_t gist)
{
	p->told = p->count;
	if (!ww_path_write(&t->w, &t->c, p->revision + 1, &t->record)) {
		t->counts.records_lost++;
		return;
	}
	p->revision++;
	p->said = gist;
	p->verdict = (uint8_t)t->c.ruling.verdict;
	t->counts.written++;
	t->emit(t->ctx, WW_RECORD_PATH, ww_buf_slice(&t->record));
}

/* Whether this request can make a violation of its path: what is known of all others is not looked
 * at again for each that cannot. A gateway's own requests may. */
static bool may_violate(struct ww_paths *t, struct ww_leg_path *p, const struct ww_leg *leg)
{
	const struct ww_leg_flow *f = ww_legs_flow_get(t->legs, leg->cookie);
	struct ww_placement pl;

	if (!p->agent_known) {
		p->agent = ww_path_agent(&t->w, p->cgroup, p->actor, p->root);
		p->agent_known = true;
	}
	if (!p->agent)
		return false;
	if (f && ww_legs_other_end(t->legs, f))
		return true;
	ww_path_place(&t->w, p->agent, f, leg, &pl);
	return ww_path_forbidden(p->agent, &pl);
}

/* A violation is told as soon as it is known, the rest when nothing comes any more. */
static void write_at_once(struct ww_paths *t, struct ww_leg_path *p, const struct ww_leg *leg)
{
	if (!t->w.policy || !p->dirty || p->verdict == WW_VERDICT_VIOLATION ||
	    !may_violate(t, p, leg))
		return;
	ww_path_case_make(&t->w, p, t->now, &t->c);
	if (t->c.ruling.verdict == WW_VERDICT_VIOLATION)
		say(t, p, ww_path_gist(&t->c));
}

static int take_call(struct ww_paths *t, struct copies *k)
{
	int r = ww_legs_add(t->legs, k->x, k->call, t->now, &k->leg);

	if (r == 0)
		r = ww_legs_path_for(t->legs, k->leg, t->key, &k->own);
	return r == 0 ? remember(t, k->own, k->call) : r;
}

int ww_paths_exchange(struct ww_paths *t, const struct ww_exchange *x,
		      const struct ww_model_call *call)
{
	struct copies k = {.x = x, .call = call};
	struct ww_leg_flow *f;
	bool partial = false;
	int r = 0, found, kept;

	if (!x->client || x->channel)
		return 0;
	if (x->t_last_resp.ns > t->now.ns) /* it is told before the event that ended it */
		t->now = x->t_last_resp;
	f = update(t, x->cookie);
	if (f && f->receiver)
		return 0;
	if (call)
		r = take_call(t, &k);
	found = find_copies(t, &k, &partial);
	kept = ww_path_recents_add(t->recents, x, call != NULL, t->now);
	note_unread(f, x, partial || kept < 0);
	if (r == 0 && !k.leg && ww_legs_serves(t->legs, x->root))
		r = ww_legs_add(t->legs, x, NULL, t->now, &k.leg);
	if (f)
		look_for_crossing(t, f);
	if (k.own)
		write_at_once(t, k.own, k.leg);
	for (unsigned i = 0; i < k.count; i++)
		write_at_once(t, k.of[i], k.leg);
	if (kept == -ENOMEM)
		return kept;
	return r < 0 ? r : found;
}

/* --- what goes out ------------------------------------------------------------------------------
 */

static void settle(struct ww_paths *t, struct ww_leg_path *p, bool last)
{
	bool quiet = last || t->now.ns > p->last.ns + WW_LEGS_QUIET_NS;
	uint64_t since = p->changed.ns > p->last.ns ? p->changed.ns : p->last.ns;
	uint64_t gist;

	if (!last && since + t->w.grace_ns > t->now.ns)
		return;
	/* More of the same is told when no more comes. */
	if (!quiet && p->revision > 0 && p->looked.ns >= p->changed.ns)
		return;
	ww_path_case_make(&t->w, p, t->now, &t->c);
	gist = ww_path_gist(&t->c);
	if (p->revision == 0 || gist != p->said || (quiet && p->told != p->count))
		say(t, p, gist);
	p->looked = p->changed;
	if (quiet || (p->told == p->count && !t->c.rival_open))
		ww_legs_told(t->legs, p);
}

/* Nothing of what a path that may go on needs is forgotten. */
static void expire(struct ww_paths *t)
{
	struct ww_boot before;

	if (t->now.ns <= WW_LEGS_KEPT_NS)
		return;
	before.ns = t->now.ns - WW_LEGS_KEPT_NS;
	for (const struct ww_leg_path *p = ww_legs_paths(t->legs); p; p = p->next) {
		if (p->last.ns + WW_LEGS_QUIET_NS >= t->now.ns && p->first.ns < before.ns)
			before = p->first;
	}
	ww_path_spans_expire(t->spans, before);
	ww_path_recents_expire(t->recents, (struct ww_boot){t->now.ns - WW_PATH_RECENT_KEPT_NS});
	ww_legs_expire(t->legs, before);
}

static void settle_all(struct ww_paths *t, struct ww_boot now, bool last)
{
	struct ww_leg_path *next;

	if (now.ns > t->now.ns)
		t->now = now;
	for (struct ww_leg_path *p = ww_legs_waiting(t->legs); p; p = next) {
		next = p->wait_next;
		if (!last && p->changed.ns + t->w.grace_ns > t->now.ns)
			break; /* those behind it changed later */
		settle(t, p, last);
	}
}

void ww_paths_tick(struct ww_paths *t, struct ww_boot now)
{
	settle_all(t, now, false);
	if (t->expired.ns + EXPIRE_NS <= now.ns) {
		t->expired = now;
		expire(t);
	}
}

void ww_paths_finish(struct ww_paths *t, struct ww_boot now)
{
	settle_all(t, now, true);
}

/* --- what others say of it ---------------------------------------------------------------------
 */

static bool has_leg(const struct ww_leg_path *p, bool response, const char *id)
{
	for (unsigned i = 0; i < p->count; i++) {
		const struct ww_leg *l = p->legs[i].leg;

		if (p->legs[i].join != WW_JOIN_AMBIGUOUS && l->model &&
		    strcmp(response ? l->response_id : l->request_id, id) == 0)
			return true;
	}
	return false;
}

const struct ww_leg_path *ww_paths_with(const struct ww_paths *t, bool response, const char *id,
					const struct ww_leg_path *last)
{
	const struct ww_leg_path *p = last ? last->next : ww_legs_paths(t->legs);

	while (p && !has_leg(p, response, id))
		p = p->next;
	return p;
}

const struct ww_leg_path *ww_paths_get(const struct ww_paths *t, uint64_t id)
{
	return ww_legs_path_get(t->legs, id);
}

void ww_paths_revised(struct ww_paths *t, uint64_t id)
{
	ww_legs_path_get(t->legs, id)->revision++;
}

struct ww_path_counts ww_paths_counts(const struct ww_paths *t)
{
	struct ww_path_counts c = t->counts;

	c.legs = ww_legs_counts(t->legs);
	return c;
}

uint64_t ww_paths_refused(const struct ww_paths *t)
{
	return ww_legs_counts(t->legs).refused + t->counts.records_lost;
}
