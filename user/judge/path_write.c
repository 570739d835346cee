/* SPDX-License-Identifier: Apache-2.0 */
#include "judge/path_write.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>

#include "base/encode.h"
#include "base/hash.h"
#include "policy/area_write.h"
#include "judge/verdict.h"

#define REFS_MAX 64u

/* A record being written. */
struct page {
	const struct ww_path_world *w;
	const struct ww_path_case *c;
	uint32_t revision;
	unsigned legs;                      /* told */
	uint16_t rows[WW_PATH_ROWS_MAX];    /* of them, in their order */
	uint16_t numbers[WW_PATH_ROWS_MAX]; /* seq of a row, 0: it is not told */
	struct ww_jsonw *j;
};

#define FINDING_(n, b, t, d) [b] = (t),
static const char *const finding_names[] = {WW_PATH_FINDINGS(FINDING_)};

void ww_path_id(uint64_t id, uint32_t revision, char *out)
{
	char hex[17];

	snprintf(hex, sizeof(hex), "%016llx", (unsigned long long)id);
	out = ww_put_text(ww_put_text(out, "y-"), hex);
	if (revision)
		ww_put_dec(ww_put_text(out, "-"), revision);
}

static void put_actor(struct ww_jsonw *j, const char *key, struct ww_actor_key actor)
{
	char id[WW_ACTOR_ID_MAX];

	ww_actor_id(actor, id);
	ww_jsonw_put_cstr(j, ww_jsonw_name(key), id);
}

static void put_endpoint(struct ww_jsonw *j, const char *key, const struct ww_endpoint *e)
{
	char text[WW_ENDPOINT_TEXT_MAX];

	ww_endpoint_text(e, text);
	ww_jsonw_put_cstr(j, ww_jsonw_name(key), text);
}

static void put_flow(struct ww_jsonw *j, const char *key, uint64_t cookie)
{
	char id[WW_FLOW_ID_MAX];

	ww_flow_id(cookie, id);
	ww_jsonw_put_cstr(j, ww_jsonw_name(key), id);
}

static void exchange_id(const struct ww_leg *l, const char *letter, char *out)
{
	ww_put_dec(ww_put_text(ww_put_hex(ww_put_text(out, letter), l->cookie), "-"), l->index);
}

static void put_exchange(struct ww_jsonw *j, const char *key, const char *letter,
			 const struct ww_leg *l)
{
	char id[WW_EXCHANGE_ID_MAX];

	exchange_id(l, letter, id);
	ww_jsonw_put_cstr(j, ww_jsonw_name(key), id);
}

static void put_wall(const struct ww_path_world *w, struct ww_jsonw *j, const char *key,
		     struct ww_boot t)
{
	char when[WW_RFC3339_MAX];

	ww_wall_rfc3339(ww_clock_wall(w->clock, t), when);
	ww_jsonw_put_cstr(j, ww_jsonw_name(key), when);
}

static void put_program(const struct ww_path_world *w, struct ww_jsonw *j,
			struct ww_actor_key actor)
{
	const struct ww_actor *a = ww_actors_get(w->actors, actor);

	if (a && a->exe[0])
		ww_jsonw_cstr(j, "program", a->exe);
}

static void put_digest(struct ww_jsonw *j, const char *key, const struct ww_sha256 *d)
{
	ww_jsonw_put_hex(j, ww_jsonw_name(key), ww_slice(d->b, sizeof(d->b)));
}

static const char *proto_name(const struct ww_leg_flow *f)
{
	return f->channel                   ? "stdio"
	       : f->ip_proto == IPPROTO_TCP ? "tcp"
	       : f->ip_proto == IPPROTO_UDP ? "udp"
					    : "other";
}

/* --- which legs are told ------------------------------------------------------------------------
 */

/* What the verdict needs comes first: whoever violates, whatever is not as it should be. */
static unsigned weight(const struct ww_path_case *c, unsigned row)
{
	const struct ww_path_row *r = &c->rows[row];

	if (c->ruling.deciding >= 0 && c->ground_rows[c->ruling.deciding] == row)
		return 3;
	if (r->leg && (r->findings & ~(uint32_t)(WW_PATH_CONNECT_BY_IP | WW_PATH_ECH_PRESENT)))
		return 2;
	return r->leg && (r->purpose == WW_LEG_DERIVED || r->cause != WW_LEG_CAUSE_TURN);
}

static void choose(struct page *p, unsigned most)
{
	unsigned left = most;

	memset(p->numbers, 0, sizeof(p->numbers));
	for (unsigned least = 4; least-- > 0 && left > 0;) {
		for (unsigned i = 0; i < p->c->count && left > 0; i++) {
			if (weight(p->c, i) == least) {
				p->numbers[i] = 1;
				left--;
			}
		}
	}
	p->legs = 0;
	for (unsigned i = 0; i < p->c->count; i++) {
		if (!p->numbers[i])
			continue;
		p->rows[p->legs++] = (uint16_t)i;
		p->numbers[i] = (uint16_t)p->legs;
	}
}

/* --- a leg --------------------------------------------------------------------------------------
 */

static void put_findings(struct ww_jsonw *j, uint32_t findings)
{
	ww_jsonw_array(j, "findings");
	for (unsigned i = 0; i < WW_ARRAY_SIZE(finding_names); i++) {
		if (findings & (1u << i))
			ww_jsonw_cstr(j, NULL, finding_names[i]);
	}
	ww_jsonw_end_array(j);
}

static void put_names(struct ww_jsonw *j, const struct ww_path_row *r)
{
	const struct ww_leg_flow *f = r->flow;

	ww_jsonw_array(j, "names");
	for (unsigned i = 0; f && i < f->name_count; i++)
		ww_jsonw_cstr(j, NULL, f->names[i].name);
	ww_jsonw_end_array(j);
	ww_jsonw_array(j, "dns");
	for (unsigned i = 0; f && i < f->name_count; i++) {
		const struct ww_leg_name *n = &f->names[i];
		uint64_t age = f->t_open.ns > n->answered.ns ? f->t_open.ns - n->answered.ns : 0;
		char id[WW_LOOKUP_ID_MAX];

		ww_jsonw_object(j, NULL);
		ww_lookup_id(n->cookie, n->serial, id);
		ww_jsonw_cstr(j, "lookup", id);
		ww_jsonw_cstr(j, "name", n->name);
		ww_jsonw_u64(j, "ageMs", age / 1000000u);
		ww_jsonw_end_object(j);
	}
	ww_jsonw_end_array(j);
}

static void put_request(const struct page *p, const struct ww_path_row *r)
{
	struct ww_jsonw *j = p->j;
	const struct ww_leg *l = r->leg;
	const struct ww_leg_flow *f = r->flow;

	put_exchange(j, "exchange", "x-", l);
	if (l->model)
		put_exchange(j, "modelCall", "m-", l);
	put_flow(j, "flow", l->cookie);
	put_actor(j, "actor", l->actor);
	put_program(p->w, j, l->actor);
	put_endpoint(j, "local", &l->local);
	put_endpoint(j, "peer", &l->peer);
	if (f)
		ww_jsonw_cstr(j, "proto", proto_name(f));
	if (l->sni[0])
		ww_jsonw_cstr(j, "sni", l->sni);
	if (l->authority[0])
		ww_jsonw_cstr(j, "authority", l->authority);
	put_names(j, r);
	if (f && f->seen_birth)
		ww_jsonw_u64(j, "connectBootNs", f->t_open.ns);
	ww_jsonw_u64(j, "firstRequestBootNs", l->t_first_req.ns);
	ww_jsonw_u64(j, "lastRequestBootNs", l->t_last_req.ns);
	if (l->t_first_resp.ns)
		ww_jsonw_u64(j, "firstResponseBootNs", l->t_first_resp.ns);
	ww_jsonw_u64(j, "endBootNs", l->t_end.ns);
	ww_jsonw_u64(j, "requestBytes", l->req_bytes);
	if (l->acked_how != WW_LEG_ACKED_UNKNOWN)
		ww_jsonw_u64(j, "requestAckedBytes", l->acked);
	ww_jsonw_cstr(j, "requestAcked", ww_leg_acked_name(l->acked_how));
	ww_jsonw_u64(j, "responseBytes", l->resp_bytes);
	ww_jsonw_cstr(j, "outcome", ww_exchange_outcome_name(l->outcome));
	if (l->status)
		ww_jsonw_u64(j, "status", l->status);
	if (l->model_name[0])
		ww_jsonw_cstr(j, "model", l->model_name);
	if (l->response_id[0])
		ww_jsonw_cstr(j, "responseId", l->response_id);
	if (l->request_id[0])
		ww_jsonw_cstr(j, "requestId", l->request_id);
}

static void put_connection(const struct page *p, const struct ww_path_row *r)
{
	struct ww_jsonw *j = p->j;
	const struct ww_leg_flow *f = r->flow;

	put_flow(j, "flow", f->cookie);
	put_actor(j, "actor", f->owner);
	put_program(p->w, j, f->owner);
	put_endpoint(j, "local", &f->local);
	put_endpoint(j, "peer", &f->peer);
	ww_jsonw_cstr(j, "proto", proto_name(f));
	if (f->sni)
		ww_jsonw_cstr(j, "sni", f->sni);
	put_names(j, r);
	ww_jsonw_u64(j, "connectBootNs", f->t_open.ns);
	if (f->closed)
		ww_jsonw_u64(j, "endBootNs", f->t_close.ns);
	ww_jsonw_cstr(j, "outcome", r->refused ? "refused" : "attempt");
}

static void put_lookup(const struct page *p, const struct ww_path_row *r)
{
	struct ww_jsonw *j = p->j;
	const struct ww_leg_lookup *l = r->lookup;
	char id[WW_LOOKUP_ID_MAX];

	ww_lookup_id(l->cookie, l->serial, id);
	ww_jsonw_cstr(j, "lookup", id);
	put_flow(j, "flow", l->cookie);
	put_actor(j, "actor", l->actor);
	put_endpoint(j, "peer", &l->server);
	ww_jsonw_cstr(j, "proto", l->proto == IPPROTO_TCP ? "tcp" : "udp");
	ww_jsonw_u64(j, "firstRequestBootNs", l->asked.ns);
	ww_jsonw_u64(j, "firstResponseBootNs", l->answered.ns);
	ww_jsonw_cstr(j, "outcome", "complete");
}

static void put_join(const struct page *p, const struct ww_path_row *r)
{
	struct ww_jsonw *j = p->j;

	ww_jsonw_cstr(j, "evidence", ww_verdict_evidence_name(r->evidence));
	ww_jsonw_cstr(j, "join", ww_verdict_join_name(r->join));
	ww_jsonw_cstr(j, "by", ww_leg_by_name(r->by));
	if (r->told && r->told->form[0]) {
		ww_jsonw_object(j, "copy");
		ww_jsonw_u64(j, "shared", r->told->shared);
		ww_jsonw_u64(j, "of", r->told->of);
		ww_jsonw_cstr(j, "form", r->told->form);
		ww_jsonw_end_object(j);
	}
	if (r->join != WW_JOIN_AMBIGUOUS) {
		ww_jsonw_null(j, "candidates");
		return;
	}
	ww_jsonw_array(j, "candidates");
	for (unsigned i = 0; i < r->candidate_count; i++)
		put_exchange(j, NULL, "x-", r->candidates[i]);
	ww_jsonw_end_array(j);
	if (r->candidate_total)
		ww_jsonw_u64(j, "candidatesTotal", r->candidate_total);
}

static void put_claim(struct ww_jsonw *j, const char *by, const char *from, const char *says)
{
	ww_jsonw_object(j, NULL);
	ww_jsonw_cstr(j, "by", by);
	ww_jsonw_cstr(j, "from", from);
	ww_jsonw_cstr(j, "says", says);
}

static void span_id(const struct ww_path_span *s, char out[WW_SPAN_ID_MAX])
{
	ww_put_text(out, "s-");
	ww_hex_encode(ww_slice(s->key.span_id, sizeof(s->key.span_id)), out + 2);
}

static void put_claims(struct ww_jsonw *j, const struct ww_path_row *r)
{
	ww_jsonw_array(j, "claims");
	for (unsigned i = 0; i < r->leg->claim_count; i++) {
		enum ww_place_from from = (enum ww_place_from)r->leg->claims[i].from;

		put_claim(j, ww_place_by_name(ww_place_by(from)), ww_place_from_name(from),
			  r->leg->claims[i].says);
		ww_jsonw_cstr(j, "about", ww_place_about_name(ww_place_about(from)));
		ww_jsonw_end_object(j);
	}
	for (unsigned i = 0; i < r->span_count; i++) {
		char id[WW_SPAN_ID_MAX];

		if (!r->spans[i]->region)
			continue;
		put_claim(j, "span", "cloud.region", r->spans[i]->region);
		ww_jsonw_cstr(j, "about", "endpoint");
		span_id(r->spans[i], id);
		ww_jsonw_cstr(j, "span", id);
		ww_jsonw_end_object(j);
	}
	ww_jsonw_end_array(j);
}

static void put_place(const struct page *p, const struct ww_path_row *r)
{
	struct ww_placement pl;

	if (!p->w->policy && !p->w->tables)
		return;
	ww_path_place(p->w, p->c->agent, r->flow, r->leg, &pl);
	ww_jsonw_object(p->j, "place");
	ww_placement_write(&pl, p->j);
	ww_jsonw_end_object(p->j);
}

static void put_leg(const struct page *p, unsigned at)
{
	const struct ww_path_row *r = &p->c->rows[p->rows[at]];
	unsigned of = r->of ? p->numbers[r->of - 1] : 0;
	struct ww_jsonw *j = p->j;

	ww_jsonw_object(j, NULL);
	ww_jsonw_u64(j, "seq", at + 1);
	ww_jsonw_cstr(j, "kind", "observed");
	ww_jsonw_cstr(j, "purpose", ww_leg_purpose_name(r->purpose));
	ww_jsonw_cstr(j, "cause", ww_leg_cause_name(r->cause));
	if (of)
		ww_jsonw_u64(j, "of", of);
	else
		ww_jsonw_null(j, "of");
	if (r->leg)
		put_request(p, r);
	else if (r->lookup)
		put_lookup(p, r);
	else
		put_connection(p, r);
	put_join(p, r);
	if (r->leg || r->flow)
		put_place(p, r);
	if (r->leg)
		put_claims(j, r);
	put_findings(j, r->findings);
	ww_jsonw_end_object(j);
}

/* --- the rest -----------------------------------------------------------------------------------
 */

/* The first label that counts and says something of it; NULL: none. */
static const struct ww_placement_label *label_of(const struct ww_placement *pl, bool home)
{
	for (unsigned i = 0; i < pl->label_count; i++) {
		const struct ww_placement_label *l = &pl->labels[i];

		if (!l->impossible && !l->early && !l->expired &&
		    (home ? l->home != NULL : l->region.n > 0))
			return l;
	}
	return NULL;
}

/* Its region, as a table has it; empty: none. */
static struct ww_slice region_of(const struct page *p, const struct ww_path_row *r)
{
	const struct ww_placement_label *l;
	struct ww_placement pl;

	ww_path_place(p->w, p->c->agent, r->flow, r->leg, &pl);
	l = label_of(&pl, false);
	return l ? l->region : (struct ww_slice){0};
}

static void put_place_of(const struct page *p, const struct ww_path_row *r, bool home)
{
	const struct ww_placement_label *l;
	struct ww_placement pl;

	ww_path_place(p->w, p->c->agent, r->flow, r->leg, &pl);
	l = label_of(&pl, home);
	if (l && home)
		ww_jsonw_cstr(p->j, "home", l->home);
	else if (l)
		ww_jsonw_str(p->j, "region", l->region);
}

static void put_finding(const struct page *p, unsigned at, unsigned bit)
{
	const struct ww_path_row *r = &p->c->rows[p->rows[at]];
	struct ww_jsonw *j = p->j;

	ww_jsonw_object(j, NULL);
	ww_jsonw_cstr(j, "finding", finding_names[bit]);
	ww_jsonw_u64(j, "leg", at + 1);
	if ((1u << bit) & (WW_PATH_OUT_OF_REGION | WW_PATH_REGION_CLAIM_DIFFERS))
		put_place_of(p, r, false);
	if ((1u << bit) == WW_PATH_OUT_OF_HOME)
		put_place_of(p, r, true);
	if ((1u << bit) == WW_PATH_DERIVED_COPY && r->told) {
		ww_jsonw_u64(j, "shared", r->told->shared);
		ww_jsonw_u64(j, "of", r->told->of);
		ww_jsonw_cstr(j, "form", r->told->form);
	}
	ww_jsonw_end_object(j);
}

static void put_all_findings(const struct page *p)
{
	struct ww_jsonw *j = p->j;

	ww_jsonw_array(j, "findings");
	for (unsigned at = 0; at < p->legs; at++) {
		uint32_t findings = p->c->rows[p->rows[at]].findings;

		for (unsigned bit = 0; bit < WW_ARRAY_SIZE(finding_names); bit++) {
			if (findings & (1u << bit))
				put_finding(p, at, bit);
		}
	}
	for (unsigned i = 0; i < p->c->opaque_count; i++) {
		if (!p->c->opaque[i].size)
			continue;
		ww_jsonw_object(j, NULL);
		ww_jsonw_cstr(j, "finding", "SIZE_ONLY_COPY");
		put_flow(j, "flow", p->c->opaque[i].flow->cookie);
		ww_jsonw_end_object(j);
	}
	ww_jsonw_end_array(j);
}

static void put_opaque(const struct page *p)
{
	struct ww_jsonw *j = p->j;

	ww_jsonw_array(j, "opaque");
	for (unsigned i = 0; i < p->c->opaque_count; i++) {
		const struct ww_path_opaque *o = &p->c->opaque[i];
		const struct ww_leg_flow *f = o->flow;
		struct ww_placement pl;

		ww_jsonw_object(j, NULL);
		put_flow(j, "flow", f->cookie);
		put_actor(j, "actor", f->owner);
		put_endpoint(j, "peer", &f->peer);
		if (f->sni)
			ww_jsonw_cstr(j, "sni", f->sni);
		ww_jsonw_u64(j, "bytesSent", f->bytes_sent);
		ww_jsonw_cstr(j, "why", ww_path_unread_name(o->why));
		if (p->c->agent) {
			ww_path_place_since(p->w, p->c->agent, f, p->c->from, &pl);
			ww_jsonw_cstr(j, "region", ww_standing_name(pl.region));
			ww_jsonw_cstr(j, "home", ww_standing_name(pl.home));
		}
		ww_jsonw_end_object(j);
	}
	ww_jsonw_end_array(j);
	ww_jsonw_u64(j, "opaqueTotal", p->c->opaque_total);
}

static void put_horizon(const struct page *p)
{
	struct ww_jsonw *j = p->j;

	ww_jsonw_array(j, "horizon");
	for (unsigned at = 0; at < p->legs; at++) {
		const struct ww_path_row *r = &p->c->rows[p->rows[at]];

		if (r->ends == WW_HORIZON_NONE)
			continue;
		ww_jsonw_object(j, NULL);
		ww_jsonw_u64(j, "leg", at + 1);
		ww_jsonw_cstr(j, "ends", ww_horizon_name(r->ends));
		ww_jsonw_end_object(j);
	}
	ww_jsonw_end_array(j);
}

static void put_spans(const struct page *p)
{
	char seen[REFS_MAX][WW_SPAN_ID_MAX];
	unsigned count = 0;

	ww_jsonw_array(p->j, "spans");
	for (unsigned at = 0; at < p->legs; at++) {
		const struct ww_path_row *r = &p->c->rows[p->rows[at]];

		for (unsigned i = 0; i < r->span_count && count < REFS_MAX; i++) {
			unsigned k = 0;

			span_id(r->spans[i], seen[count]);
			while (strcmp(seen[k], seen[count]) != 0)
				k++;
			if (k == count)
				ww_jsonw_cstr(p->j, NULL, seen[count++]);
		}
	}
	ww_jsonw_end_array(p->j);
}

static void put_refs(const struct page *p)
{
	unsigned left = REFS_MAX;

	ww_jsonw_array(p->j, "refs");
	for (unsigned at = 0; at < p->legs && left >= 3; at++) {
		const struct ww_path_row *r = &p->c->rows[p->rows[at]];
		char id[WW_LOOKUP_ID_MAX];

		if (r->leg) {
			put_exchange(p->j, NULL, "x-", r->leg);
			if (r->leg->model)
				put_exchange(p->j, NULL, "m-", r->leg);
			put_flow(p->j, NULL, r->leg->cookie);
			left -= 3;
		} else if (r->lookup) {
			ww_lookup_id(r->lookup->cookie, r->lookup->serial, id);
			ww_jsonw_cstr(p->j, NULL, id);
			left--;
		} else {
			put_flow(p->j, NULL, r->flow->cookie);
			left--;
		}
	}
	ww_jsonw_end_array(p->j);
}

static void put_digests(const struct ww_path_world *w, struct ww_jsonw *j)
{
	struct ww_sha256 d;

	if (w->policy) {
		d = ww_policy_digest(w->policy);
		put_digest(j, "policy", &d);
	} else {
		ww_jsonw_null(j, "policy");
	}
	if (w->tables) {
		d = ww_tables_digest(w->tables);
		put_digest(j, "tables", &d);
	} else {
		ww_jsonw_null(j, "tables");
	}
}

static void put_head(const struct page *p)
{
	const struct ww_leg_path *path = p->c->path;
	struct ww_jsonw *j = p->j;
	char id[WW_PATH_ID_MAX];

	ww_jsonw_cstr(j, "kind", "path");
	ww_path_id(path->id, p->revision, id);
	ww_jsonw_cstr(j, "id", id);
	put_wall(p->w, j, "t", path->first);
	ww_path_id(path->id, 0, id);
	ww_jsonw_cstr(j, "path", id);
	ww_jsonw_u64(j, "revision", p->revision);
	put_actor(j, "actor", path->actor);
	put_actor(j, "root", path->root);
	ww_jsonw_id64(j, "cgroup", path->cgroup);
	ww_jsonw_cstr(j, "agent", p->c->agent ? p->c->agent->name : NULL);
	put_program(p->w, j, path->actor);
	ww_jsonw_array(j, "traceIds");
	if (path->traced)
		ww_jsonw_hex(j, NULL, ww_slice(path->trace_id, sizeof(path->trace_id)));
	ww_jsonw_end_array(j);
	put_spans(p);
	if (path->prompt_present) {
		put_digest(j, "promptDigest", &path->prompt);
		ww_jsonw_u64(j, "promptBytes", path->prompt_bytes);
	}
	if (path->turn_present)
		put_digest(j, "turn", &path->turn);
}

static void put_ruling(const struct page *p)
{
	const struct ww_path_ruling *r = &p->c->ruling;
	struct ww_jsonw *j = p->j;
	const char *open;
	unsigned i = 0;

	ww_jsonw_cstr(j, "verdict", ww_verdict_name(r->verdict));
	ww_jsonw_cstr(j, "reason", r->reason ? ww_verdict_reason_name(r->reason) : NULL);
	ww_jsonw_array(j, "open");
	while ((open = ww_path_open(r->open, &i)))
		ww_jsonw_cstr(j, NULL, open);
	ww_jsonw_end_array(j);
	ww_jsonw_cstr(j, "evidence", ww_verdict_evidence_name(r->evidence));
	ww_jsonw_cstr(j, "join", ww_verdict_join_name(r->join));
}

static void put_host_of(const struct page *p)
{
	if (p->w->policy) {
		ww_policy_write_host(p->w->policy, p->j);
		ww_policy_write_areas(p->w->policy, p->j);
	}
}

/* What a leg that decides has to do with it. */
static void put_deciding(const struct page *p, const struct ww_path_row *r, char *out, size_t cap)
{
	const char *name = r->leg->authority[0] ? r->leg->authority : r->leg->sni;
	struct ww_slice region = region_of(p, r);
	char peer[WW_ENDPOINT_TEXT_MAX];

	ww_endpoint_text(&r->leg->peer, peer);
	snprintf(out, cap, "; to %.128s%s%s, listed in %.*s: %llu bytes %s", name,
		 name[0] ? " " : "", peer, (int)(region.n ? region.n : 7),
		 region.n ? (const char *)region.p : "nothing", (unsigned long long)r->leg->acked,
		 r->leg->acked_how == WW_LEG_ACKED_SENT ? "sent" : "acknowledged");
}

static void put_summary(const struct page *p)
{
	const struct ww_path_ruling *r = &p->c->ruling;
	unsigned judged = p->c->grounds.count;
	char why[64] = "", about[384] = "", text[512];

	if (r->reason)
		snprintf(why, sizeof(why), "(%s)", ww_verdict_reason_name(r->reason));
	if (r->deciding >= 0)
		put_deciding(p, &p->c->rows[p->c->ground_rows[r->deciding]], about, sizeof(about));
	snprintf(text, sizeof(text), "%s%s: %u leg%s%s", ww_verdict_name(r->verdict), why, judged,
		 judged == 1 ? "" : "s", about);
	ww_jsonw_cstr(p->j, "summary", text);
}

static void put_all(const struct page *p)
{
	struct ww_jsonw *j = p->j;
	char id[WW_PATH_ID_MAX];

	ww_jsonw_object(j, NULL);
	put_head(p);
	put_ruling(p);
	put_all_findings(p);
	ww_jsonw_array(j, "legs");
	for (unsigned at = 0; at < p->legs; at++)
		put_leg(p, at);
	ww_jsonw_end_array(j);
	ww_jsonw_u64(j, "legsTotal", p->c->total + p->c->path->dropped);
	put_opaque(p);
	put_horizon(p);
	ww_jsonw_array(j, "attested");
	ww_jsonw_end_array(j);
	put_digests(p->w, j);
	put_host_of(p);
	ww_coverage_write_answer(&p->c->coverage, p->c->from, p->c->to, j);
	put_refs(p);
	put_summary(p);
	if (p->revision > 1) {
		ww_path_id(p->c->path->id, p->revision - 1, id);
		ww_jsonw_cstr(j, "supersedes", id);
	}
	ww_jsonw_end_object(j);
}

bool ww_path_write(const struct ww_path_world *w, const struct ww_path_case *c, uint32_t revision,
		   struct ww_buf *out)
{
	struct page p = {.w = w, .c = c, .revision = revision};
	struct ww_jsonw j;

	for (unsigned most = WW_PATH_LEGS_TOLD_MAX; most > 0; most /= 2) {
		ww_buf_clear(out);
		ww_jsonw_init(&j, out);
		p.j = &j;
		choose(&p, most);
		put_all(&p);
		if (ww_jsonw_ok(&j))
			return true;
		if (j.err != -EMSGSIZE)
			return false;
	}
	return false;
}

uint64_t ww_path_gist(const struct ww_path_case *c)
{
	static const uint64_t key[2] = {0x70617468, 0x67697374};
	struct {
		uint32_t verdict, reason, open, findings, evidence, join, causes, spans;
		uint64_t opaque;
	} g = {.verdict = c->ruling.verdict,
	       .reason = c->ruling.reason,
	       .open = c->ruling.open,
	       .evidence = c->ruling.evidence,
	       .join = c->ruling.join,
	       .opaque = c->opaque_total > 0};

	for (unsigned i = 0; i < c->count; i++) {
		const struct ww_path_row *r = &c->rows[i];

		g.findings |= r->findings;
		if (r->cause != WW_LEG_CAUSE_TURN)
			g.causes |= 1u << r->cause;
		for (unsigned k = 0; k < r->span_count; k++)
			g.spans |= r->spans[k]->region != NULL;
	}
	return ww_siphash_key(key, &g, sizeof(g));
}

bool ww_crossing_write(const struct ww_path_world *w, const struct ww_leg_flow *f,
		       const struct ww_policy_agent *agent, const struct ww_placement *pl,
		       struct ww_boot now, struct ww_buf *out)
{
	bool udp = f->ip_proto != IPPROTO_TCP;
	uint64_t payload = ww_legs_payload(f);
	char id[WW_FLOW_ID_MAX], peer[WW_ENDPOINT_TEXT_MAX], text[256];
	const char *finding;
	struct ww_jsonw j;
	unsigned i = 0;

	ww_buf_clear(out);
	ww_jsonw_init(&j, out);
	ww_jsonw_object(&j, NULL);
	ww_jsonw_cstr(&j, "kind", "crossing");
	ww_put_hex(ww_put_text(id, "g-"), f->cookie);
	ww_jsonw_cstr(&j, "id", id);
	put_wall(w, &j, "t", now);
	put_flow(&j, "flow", f->cookie);
	put_actor(&j, "actor", f->owner);
	put_actor(&j, "root", f->root);
	ww_jsonw_id64(&j, "cgroup", f->cgroup);
	ww_jsonw_cstr(&j, "agent", agent->name);
	put_program(w, &j, f->owner);
	put_endpoint(&j, "peer", &f->peer);
	ww_jsonw_cstr(&j, "proto", proto_name(f));
	if (f->sni)
		ww_jsonw_cstr(&j, "sni", f->sni);
	ww_jsonw_array(&j, "names");
	for (unsigned k = 0; k < f->name_count; k++)
		ww_jsonw_cstr(&j, NULL, f->names[k].name);
	ww_jsonw_end_array(&j);
	if (!udp)
		ww_jsonw_u64(&j, "handshakeBytes", f->setup);
	ww_jsonw_u64(&j, "payloadBytesAcked", payload);
	ww_jsonw_cstr(&j, "requestAcked", udp ? "sent" : "atLeast");
	ww_jsonw_cstr(&j, "evidence", "E2");
	ww_jsonw_array(&j, "findings");
	while ((finding = ww_placement_finding(pl->findings, &i)))
		ww_jsonw_cstr(&j, NULL, finding);
	ww_jsonw_end_array(&j);
	ww_jsonw_object(&j, "place");
	ww_placement_write(pl, &j);
	ww_jsonw_end_object(&j);
	put_digests(w, &j);
	ww_endpoint_text(&f->peer, peer);
	snprintf(text, sizeof(text), "%s: %llu bytes %s by %s", agent->name,
		 (unsigned long long)payload, udp ? "sent, to be received" : "acknowledged", peer);
	ww_jsonw_cstr(&j, "summary", text);
	ww_jsonw_end_object(&j);
	return ww_jsonw_ok(&j);
}
