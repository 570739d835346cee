/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/guard_rules.h"

#include <arpa/inet.h>
#include <errno.h>

#include "policy/placement.h"
#include "policy/where.h"

#define NESTED_MAX 130u

static uint64_t bit_of(unsigned agent)
{
	return 1ull << (agent + 1);
}

static unsigned agent_count(const struct ww_policy *p)
{
	return p ? p->agent_count : 0;
}

uint64_t ww_guard_rules_agents(const struct ww_policy *p, struct ww_slice cgroup_path)
{
	uint64_t agents = 0;

	for (unsigned i = 0; i < agent_count(p); i++) {
		const struct ww_policy_agent *a = &p->agents[i];

		if (a->cgroup && !ww_policy_glob(ww_slice_str(a->cgroup), cgroup_path, false))
			continue;
		agents |= bit_of(i);
		if (a->program_count == 0)
			return agents;
	}
	return agents | 1; /* none of them */
}

uint64_t ww_guard_rules_agent(const struct ww_policy *p, struct ww_slice name, bool *ret_by_program)
{
	for (unsigned i = 0; i < agent_count(p); i++) {
		if (!ww_slice_eq_str(name, p->agents[i].name))
			continue;
		*ret_by_program = p->agents[i].program_count > 0;
		return bit_of(i);
	}
	return 0;
}

struct ww_slice ww_guard_rules_name(const struct ww_policy *p, unsigned bit)
{
	return bit == 0 || bit > agent_count(p) ? WW_SLICE_NULL
						: ww_slice_str(p->agents[bit - 1].name);
}

int ww_guard_rules_lists(const struct ww_policy *p, struct ww_guard_list *l)
{
	struct ww_guard_rule rule = {
		.layer = WW_GUARD_POLICY, .why = WW_GUARD_WHY_POLICY, .agents = WW_GUARD_ANYBODY};
	int r = ww_guard_list_text_add(l, WW_SLICE_NULL, &rule.text);

	for (unsigned i = 0; i < p->guard_allow_count && r == 0; i++) {
		rule.prefix = p->guard_allow[i];
		r = ww_guard_list_add(l, &rule);
	}
	rule.deny = true;
	for (unsigned i = 0; i < p->guard_deny_count && r == 0; i++) {
		rule.prefix = p->guard_deny[i];
		r = ww_guard_list_add(l, &rule);
	}
	return r;
}

/* --- of the tables -----------------------------------------------------------------------------
 */

struct networks {
	struct ww_cidr *at; /* in order: IPv4 first, by address, shorter ones first; each once */
	uint32_t count, cap;
	bool dated;
	int err;
};

static int compare(const void *va, const void *vb)
{
	const struct ww_cidr *a = va, *b = vb;
	int r = (int)a->family - (int)b->family;

	if (r == 0)
		r = memcmp(a->addr, b->addr, sizeof(a->addr));
	return r ? r : (int)a->bits - (int)b->bits;
}

static bool note_network(void *ctx, const struct ww_tables_file *table,
			 const struct ww_cidr *prefix, const struct ww_tables_words *words,
			 uint32_t line)
{
	struct networks *n = ctx;
	struct ww_cidr *grown;

	n->dated |= words->valid.from != INT32_MIN || words->valid.until != INT32_MAX;
	if (n->count && compare(&n->at[n->count - 1], prefix) == 0)
		return true;
	if (n->count == n->cap) {
		n->cap = n->cap ? n->cap * 2 : 1024;
		grown = reallocarray(n->at, n->cap, sizeof(*n->at));
		if (!grown) {
			n->err = -ENOMEM;
			return false;
		}
		n->at = grown;
	}
	n->at[n->count++] = *prefix;
	return true;
}

/* Networks that are others' everywhere are among them: what is said of one around does not reach
 * into them, and their addresses say nothing of it. */
static int find_networks(const struct ww_tables *t, struct networks *ret)
{
	const struct ww_cidr *apart;
	uint32_t kept = 0;

	if (t)
		ww_tables_each(t, note_network, ret);
	for (unsigned i = 0; ret->count && (apart = ww_where_apart_at(i)) != NULL; i++)
		(void)note_network(ret, NULL, apart,
				   &(struct ww_tables_words){.valid = WW_TABLES_ALWAYS}, 0);
	if (ret->err < 0)
		return ret->err;
	if (ret->count)
		qsort(ret->at, ret->count, sizeof(*ret->at), compare);
	for (uint32_t i = 0; i < ret->count; i++) {
		if (kept == 0 || compare(&ret->at[kept - 1], &ret->at[i]) != 0)
			ret->at[kept++] = ret->at[i];
	}
	ret->count = kept;
	return 0;
}

static void networks_done(struct networks *n)
{
	free(n->at);
}

static bool is_within(const struct ww_cidr *inner, const struct ww_cidr *outer)
{
	struct ww_endpoint e = {.family = inner->family};

	memcpy(e.addr, inner->addr, sizeof(e.addr));
	return inner->bits >= outer->bits && ww_cidr_has(outer, &e);
}

/* The address behind the network's last one. False: there is none. */
static bool step_over(const struct ww_cidr *c, uint8_t addr[16])
{
	unsigned i = c->bits;

	memcpy(addr, c->addr, 16);
	while (i-- > 0) {
		addr[i / 8] ^= (uint8_t)(0x80u >> i % 8);
		if (addr[i / 8] & (0x80u >> i % 8))
			return true; /* it was 0: no carry */
	}
	return false;
}

/* An address of at[i] that no longer network of the list has. False: they cover it. */
static bool find_own(const struct networks *n, uint32_t i, struct ww_endpoint *ret)
{
	const struct ww_cidr *c = &n->at[i];
	uint32_t k = i + 1;

	*ret = (struct ww_endpoint){.family = c->family};
	memcpy(ret->addr, c->addr, sizeof(ret->addr));
	while (k < n->count && is_within(&n->at[k], c)) {
		const struct ww_cidr *inner = &n->at[k];

		if (memcmp(inner->addr, ret->addr, sizeof(ret->addr)) > 0)
			return true;
		if (!step_over(inner, ret->addr))
			return false;
		while (k < n->count && is_within(&n->at[k], inner))
			k++;
	}
	return ww_cidr_has(c, ret);
}

/* Agents by what is said of a network. */
struct said {
	uint64_t region, home, unlisted; /* forbidden, and why */
	uint64_t allowed;
};

static bool asks(const struct ww_policy_agent *a)
{
	return a->asks_region || a->asks_home;
}

static void say(const struct ww_policy *p, const struct ww_tables *t, struct ww_wall at,
		const struct ww_endpoint *e, struct said *ret)
{
	struct ww_placement_ask ask = {.policy = p, .tables = t, .peer = *e, .at = at};
	struct ww_placement pl;

	*ret = (struct said){0};
	for (unsigned i = 0; i < p->agent_count; i++) {
		const struct ww_policy_agent *a = &p->agents[i];
		bool unlisted;

		if (!asks(a))
			continue;
		ask.agent = a;
		ww_placement_of(&ask, &pl);
		unlisted = pl.region == WW_STANDING_UNLISTED || pl.home == WW_STANDING_UNLISTED;
		if (pl.region == WW_STANDING_FORBIDDEN)
			ret->region |= bit_of(i);
		else if (pl.home == WW_STANDING_FORBIDDEN)
			ret->home |= bit_of(i);
		else if (unlisted && !pl.local && a->on_unlisted == WW_POLICY_UNLISTED_DENY)
			ret->unlisted |= bit_of(i);
		else
			ret->allowed |= bit_of(i);
	}
}

struct deriving {
	struct ww_guard_derived *out;
	uint32_t cap;
};

static int put(struct deriving *d, const struct ww_cidr *prefix, enum ww_guard_why why,
	       uint64_t agents)
{
	struct ww_guard_rule *grown;

	if (!agents)
		return 0;
	if (d->out->count >= WW_GUARD_RULES_MAX)
		return -E2BIG;
	if (d->out->count == d->cap) {
		d->cap = d->cap ? d->cap * 2 : 1024;
		grown = reallocarray(d->out->rules, d->cap, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		d->out->rules = grown;
	}
	d->out->rules[d->out->count++] = (struct ww_guard_rule){.prefix = *prefix,
								.deny = why != WW_GUARD_WHY_UNKNOWN,
								.layer = WW_GUARD_DERIVED,
								.why = (uint8_t)why,
								.agents = agents,
								.text = UINT32_MAX};
	return 0;
}

static int put_said(struct deriving *d, const struct ww_cidr *prefix, const struct said *s)
{
	int r = put(d, prefix, WW_GUARD_WHY_REGION, s->region);

	if (r == 0)
		r = put(d, prefix, WW_GUARD_WHY_HOME, s->home);
	if (r == 0)
		r = put(d, prefix, WW_GUARD_WHY_UNLISTED, s->unlisted);
	return r < 0 ? r : put(d, prefix, WW_GUARD_WHY_UNKNOWN, s->allowed);
}

/* What holds where no network of the tables is. */
static void say_elsewhere(const struct ww_policy *p, struct said *ret)
{
	*ret = (struct said){0};
	for (unsigned i = 0; i < p->agent_count; i++) {
		if (!asks(&p->agents[i]))
			continue;
		if (p->agents[i].on_unlisted == WW_POLICY_UNLISTED_DENY)
			ret->unlisted |= bit_of(i);
		else
			ret->allowed |= bit_of(i);
	}
}

/* Whether all of it is others' everywhere. */
static bool is_apart(const struct ww_cidr *c)
{
	struct ww_endpoint e = {.family = c->family};
	const struct ww_cidr *apart;

	memcpy(e.addr, c->addr, sizeof(e.addr));
	apart = ww_where_apart(&e);
	return apart && apart->bits <= c->bits;
}

/* Networks that lie in each other, with what was said of each; what the same is said of as of the
 * one around it needs no rule, where that one's reaches. */
struct nest {
	struct {
		const struct ww_cidr *at;
		struct said said;
	} in[NESTED_MAX];
	unsigned depth;
};

static int derive_network(struct deriving *d, struct nest *nest, const struct said *elsewhere,
			  const struct ww_cidr *c, const struct said *said)
{
	const struct said *around;
	int r = 0;

	while (nest->depth && !is_within(c, nest->in[nest->depth - 1].at))
		nest->depth--;
	around = nest->depth ? &nest->in[nest->depth - 1].said : elsewhere;
	if (memcmp(around, said, sizeof(*said)) != 0 ||
	    (is_apart(c) && !(nest->depth && is_apart(nest->in[nest->depth - 1].at))))
		r = put_said(d, c, said);
	nest->in[nest->depth].at = c;
	nest->in[nest->depth++].said = *said;
	return r;
}

static int derive_all(struct deriving *d, const struct ww_policy *p, const struct ww_tables *t,
		      struct ww_wall at, const struct networks *n)
{
	static const struct ww_cidr all[] = {{.family = AF_INET}, {.family = AF_INET6}};
	struct said elsewhere, said;
	struct nest nest = {.depth = 0};
	int r = 0;

	say_elsewhere(p, &elsewhere);
	for (unsigned i = 0; i < WW_ARRAY_SIZE(all) && r == 0; i++)
		r = put(d, &all[i], WW_GUARD_WHY_UNLISTED, elsewhere.unlisted);
	for (uint32_t i = 0; i < n->count && r == 0; i++) {
		struct ww_endpoint own;

		if (!find_own(n, i, &own))
			continue;
		say(p, t, at, &own, &said);
		r = derive_network(d, &nest, &elsewhere, &n->at[i], &said);
	}
	return r;
}

int ww_guard_rules_derive(const struct ww_policy *p, const struct ww_tables *t, struct ww_wall at,
			  struct ww_guard_derived *ret)
{
	WW_AUTO(networks_done) struct networks n = {.at = NULL};
	struct ww_guard_derived out = {.rules = NULL};
	struct deriving d = {.out = &out};
	bool any = false;
	int r = 0;

	for (unsigned i = 0; i < p->agent_count; i++)
		any |= asks(&p->agents[i]);
	if (any)
		r = find_networks(t, &n);
	if (any && r == 0)
		r = derive_all(&d, p, t, at, &n);
	if (r < 0) {
		ww_guard_derived_done(&out);
		return r;
	}
	out.dated = n.dated;
	*ret = out;
	return 0;
}

void ww_guard_derived_done(struct ww_guard_derived *d)
{
	free(d->rules);
	*d = (struct ww_guard_derived){.rules = NULL};
}

/* --- a region ----------------------------------------------------------------------------------
 */

struct region {
	const struct ww_policy *policy;
	unsigned region; /* of the policy, or WW_POLICY_NONE: */
	struct ww_slice word;
	struct ww_guard_rule rule;
	struct ww_guard_list *list;
	uint32_t count;
	int err;
};

static bool add_row(void *ctx, const struct ww_tables_file *table, const struct ww_cidr *prefix,
		    const struct ww_tables_words *words, uint32_t line)
{
	struct region *g = ctx;

	if (words->region.n == 0)
		return true;
	if (g->region != WW_POLICY_NONE ? ww_policy_region_of(g->policy, words->region) != g->region
					: !ww_policy_glob(g->word, words->region, true))
		return true;
	g->rule.prefix = *prefix;
	g->err = ww_guard_list_add(g->list, &g->rule);
	g->count++;
	return g->err == 0;
}

int ww_guard_rules_region(const struct ww_policy *p, const struct ww_tables *t,
			  struct ww_slice region, const struct ww_guard_rule *like,
			  struct ww_guard_list *l, uint32_t *ret_count)
{
	struct region g = {
		.policy = p, .region = WW_POLICY_NONE, .word = region, .rule = *like, .list = l};

	for (unsigned i = 0; p && i < p->region_count; i++) {
		if (ww_slice_eq_str(region, p->regions[i].name))
			g.region = i;
	}
	if (t)
		ww_tables_each(t, add_row, &g);
	*ret_count = g.count;
	return g.err;
}
