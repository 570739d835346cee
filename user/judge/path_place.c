/* SPDX-License-Identifier: Apache-2.0 */
#include "judge/path_case.h"

#include <strings.h>

#define PORT_DNS      53
#define QUESTION_MAX  320u
#define QUESTIONS_FEW 512u /* that nobody has answered yet */

bool ww_path_names_alike(const char *name, const char *authority)
{
	size_t n = strlen(name);
	const char *port = strrchr(authority, ':');
	size_t m = port && authority[0] != '[' ? (size_t)(port - authority) : strlen(authority);

	if (n && name[n - 1] == '.')
		n--;
	if (m && authority[m - 1] == '.')
		m--;
	return n == m && strncasecmp(name, authority, n) == 0;
}

static void add_name(struct ww_placement_ask *a, const char *name)
{
	if (!name || !name[0] || a->name_count >= WW_PLACEMENT_NAMES_MAX)
		return;
	for (unsigned i = 0; i < a->name_count; i++) {
		if (strcmp(a->names[i], name) == 0)
			return;
	}
	a->names[a->name_count++] = name;
}

/* An answer of DNS gave this name the connection's address. */
static bool was_told(const struct ww_leg_flow *f, const char *name)
{
	for (unsigned i = 0; i < f->name_count; i++) {
		if (ww_path_names_alike(f->names[i].name, name))
			return true;
	}
	return false;
}

/*
 * A proxy, or whoever is at this host's own address, is not the one that the client calls. What it
 * says to call goes before what else the address is called, so that no number of other names hides
 * it; and last where it is the client's word alone.
 */
static void add_names(struct ww_placement_ask *a, const struct ww_leg_flow *f,
		      const struct ww_leg *leg)
{
	const char *said[] = {leg ? leg->sni : f->sni, leg ? leg->authority : NULL};
	unsigned others = WW_PLACEMENT_NAMES_MAX - WW_ARRAY_SIZE(said);
	unsigned told;

	for (unsigned i = 0; i < WW_ARRAY_SIZE(said); i++) {
		if (said[i] && was_told(f, said[i]))
			add_name(a, said[i]);
	}
	for (unsigned i = 0; i < f->name_count && a->name_count < others; i++)
		add_name(a, f->names[i].name);
	told = a->name_count;
	for (unsigned i = 0; i < WW_ARRAY_SIZE(said); i++)
		add_name(a, said[i]);
	a->said_count = a->name_count - told;
}

static void place(const struct ww_path_world *w, const struct ww_policy_agent *agent,
		  const struct ww_leg_flow *f, const struct ww_leg *leg, struct ww_boot at,
		  struct ww_placement *ret)
{
	struct ww_placement_ask a = {.policy = w->policy, .agent = agent, .tables = w->tables};
	bool direct = f && !f->tunnelled && !ww_endpoint_loopback(&f->peer);

	/* One of them is there; without the connection nothing is known of a proxy on the way. */
	a.peer = leg ? leg->peer : f->peer;
	a.at = ww_clock_wall(w->clock, at);
	if (direct)
		add_names(&a, f, leg);
	if (f) {
		a.rtt_min_us = f->rtt_min_us;
		a.key_holder_us = f->key_holder_us;
	}
	a.rtt_counts = direct;
	ww_placement_of(&a, ret);
}

void ww_path_place(const struct ww_path_world *w, const struct ww_policy_agent *agent,
		   const struct ww_leg_flow *f, const struct ww_leg *leg, struct ww_placement *ret)
{
	place(w, agent, f, leg, leg ? leg->t_first_req : f->t_open, ret);
}

void ww_path_place_since(const struct ww_path_world *w, const struct ww_policy_agent *agent,
			 const struct ww_leg_flow *f, struct ww_boot from, struct ww_placement *ret)
{
	place(w, agent, f, NULL, f->t_open.ns > from.ns ? f->t_open : from, ret);
}

static bool said_yes(bool asks, enum ww_standing s)
{
	return !asks || s == WW_STANDING_ALLOWED;
}

/* A question is a name of 255 bytes at most, twelve more of a head, and what goes with it. */
bool ww_path_resolves(const struct ww_leg_flow *f)
{
	return f->peer.port == PORT_DNS && !f->tls && !f->explained &&
	       f->bytes_sent <= QUESTIONS_FEW + (uint64_t)f->lookups * QUESTION_MAX;
}

bool ww_path_allowed(const struct ww_policy_agent *a, const struct ww_placement *pl)
{
	bool unlisted = pl->region == WW_STANDING_UNLISTED || pl->home == WW_STANDING_UNLISTED;

	if (!a->asks_region && !a->asks_home)
		return true;
	if (pl->ambiguous || (pl->findings & WW_PLACEMENT_LABEL_IMPOSSIBLE))
		return false;
	if (unlisted && a->on_unlisted == WW_POLICY_UNLISTED_WARN)
		return pl->region != WW_STANDING_FORBIDDEN && pl->home != WW_STANDING_FORBIDDEN &&
		       pl->region != WW_STANDING_MIXED && pl->home != WW_STANDING_MIXED;
	return said_yes(a->asks_region, pl->region) && said_yes(a->asks_home, pl->home);
}

bool ww_path_forbidden(const struct ww_policy_agent *a, const struct ww_placement *pl)
{
	bool unlisted = pl->region == WW_STANDING_UNLISTED || pl->home == WW_STANDING_UNLISTED;

	return pl->region == WW_STANDING_FORBIDDEN || pl->home == WW_STANDING_FORBIDDEN ||
	       (unlisted && a->on_unlisted == WW_POLICY_UNLISTED_DENY);
}

const struct ww_policy_agent *ww_path_agent(const struct ww_path_world *w, uint64_t cgroup,
					    struct ww_actor_key actor, struct ww_actor_key root)
{
	const struct ww_actor *a, *r;

	if (!w->policy)
		return NULL;
	a = ww_actors_get(w->actors, actor);
	r = ww_actors_get(w->actors, root);
	return ww_policy_agent(w->policy, ww_coverage_path(w->coverage, cgroup), a ? a->exe : NULL,
			       r ? r->exe : NULL);
}
