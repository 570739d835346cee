/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/warden.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/log.h"
#include "daemon/warden_commands.h"
#include "flow/guarded.h"
#include "policy/guard_rules.h"
#include "sense/cut.h"
#include "sense/event_check.h"
#include "sense/guard.h"

#define DAY_NS 86400000000000ull

/* The part of the list that policy and tables give, and its map. */
struct base {
	struct ww_guard_list *list;
	int map;
	struct ww_sha256 digest;
	uint32_t derived; /* rules of regions and homes */
	uint64_t day;     /* that it is of; */
	bool dated;       /* another day may give another one */
};

struct ww_warden {
	struct ww_warden_config cfg;
	struct ww_live *live;
	enum ww_guard_mode mode;
	struct ww_warden_commands commands;
	struct base base;
	struct ww_guard_list
		*base_before; /* of generation - 1, where that had another; else NULL */
	uint32_t generation;
	struct ww_guard_list *now,
		*before;  /* commands in force; those that events may still name */
	uint64_t told_ns; /* of the last event made here */
};

static struct ww_wall wall_now(void)
{
	struct ww_clock_map now;

	ww_clock_sample(&now);
	return now.wall;
}

/* Events are named by their time. */
static uint64_t next_time(struct ww_warden *w)
{
	uint64_t now = ww_boot_now().ns;

	w->told_ns = now > w->told_ns ? now : w->told_ns + 1;
	return w->told_ns;
}

/* --- lists -------------------------------------------------------------------------------------
 */

static int add_command(const struct ww_warden *w, const struct ww_warden_command *c,
		       struct ww_guard_list *l, uint32_t *ret_networks)
{
	struct ww_guard_rule rule = {.prefix = c->prefix,
				     .deny = true,
				     .layer = WW_GUARD_COMMAND,
				     .why = WW_GUARD_WHY_COMMAND,
				     .agents = WW_GUARD_ANYBODY};
	char text[WW_WARDEN_TEXT_MAX];
	bool by_program;
	int r;

	*ret_networks = 1;
	if (c->agent[0])
		rule.agents =
			ww_guard_rules_agent(w->cfg.policy, ww_slice_str(c->agent), &by_program);
	ww_warden_command_text(c, text);
	r = ww_guard_list_text_add(l, ww_slice_str(text), &rule.text);
	if (r < 0 || !rule.agents)
		return r;
	if (c->what == WW_WARDEN_REGION)
		return ww_guard_rules_region(w->cfg.policy, w->cfg.tables, ww_slice_str(c->region),
					     &rule, l, ret_networks);
	return c->what == WW_WARDEN_ALL ? ww_guard_list_add_all(l, &rule)
					: ww_guard_list_add(l, &rule);
}

static int make_commands(const struct ww_warden *w, struct ww_guard_list **ret)
{
	WW_AUTO(ww_guard_list_free_auto) struct ww_guard_list *l = NULL;
	uint32_t networks;
	int r = ww_guard_list_new(&l);

	for (unsigned i = 0; i < w->commands.count && r == 0; i++)
		r = add_command(w, &w->commands.at[i], l, &networks);
	if (r == 0)
		r = ww_guard_list_seal(l);
	if (r < 0)
		return r;
	*ret = WW_TAKE(l);
	return 0;
}

static void base_done(struct base *b)
{
	ww_guard_list_free(b->list);
	if (b->map >= 0)
		close(b->map);
	*b = (struct base){.map = -1};
}

static int make_base(const struct ww_warden *w, struct ww_wall at, struct base *ret)
{
	WW_AUTO(ww_guard_derived_done) struct ww_guard_derived derived = {.rules = NULL};
	WW_AUTO(base_done) struct base b = {.map = -1, .day = at.ns / DAY_NS};
	int r = ww_guard_list_new(&b.list);

	if (r == 0)
		r = ww_guard_rules_lists(w->cfg.policy, b.list);
	if (r == 0)
		r = ww_guard_rules_derive(w->cfg.policy, w->cfg.tables, at, &derived);
	for (uint32_t i = 0; i < derived.count && r == 0; i++)
		r = ww_guard_list_add(b.list, &derived.rules[i]);
	if (r == 0)
		r = ww_guard_list_seal(b.list);
	if (r < 0)
		return r;
	b.digest = ww_guard_list_digest(b.list);
	b.derived = derived.count;
	b.dated = derived.dated;
	*ret = b;
	b = (struct base){.map = -1};
	return 0;
}

/* SHA-256 over the digests of both parts: of policy and tables, then of commands. */
static struct ww_sha256 digest_of(const struct base *b, const struct ww_guard_list *commands)
{
	struct ww_sha256 second = ww_guard_list_digest(commands), both;
	struct ww_sha256_ctx c;

	ww_sha256_begin(&c);
	ww_sha256_add(&c, ww_slice(b->digest.b, sizeof(b->digest.b)));
	ww_sha256_add(&c, ww_slice(second.b, sizeof(second.b)));
	ww_sha256_end(&c, &both);
	return both;
}

static uint32_t entries(const struct ww_guard_list *l)
{
	uint32_t count;

	(void)ww_guard_list_entries(l, &count);
	return count;
}

static int explain_list(int r, struct ww_errtext *why)
{
	if (r == -E2BIG)
		return ww_errtext_set(why, r,
				      "the guard's list is too long: at most %u rules, and %u "
				      "networks of different standing",
				      WW_GUARD_RULES_MAX, WW_GUARD_PREFIXES_MAX);
	return r < 0 ? ww_errtext_errno(why, r, "cannot make the guard's list") : 0;
}

/* Told first, then in force; what was in force stays where it cannot be. */
static int put(struct ww_warden *w, const struct base *b, const struct ww_guard_list *commands,
	       struct ww_event_guard_list *told, struct ww_errtext *why)
{
	struct ww_guard_bpf *g = ww_sense_guard(ww_live_sense(w->live));
	WW_AUTO_FD int map = -1;
	int r = ww_guard_build(commands, told->generation, w->mode, &map);

	if (r < 0)
		return ww_errtext_errno(why, r, "cannot give the kernel the guard's list");
	/* What the list before the one that goes now decided is told while it can be explained. */
	ww_guard_sweep(g, true);
	ww_live_drain(w->live);
	told->h = ww_event_header(WW_EVENT_GUARD_LIST, sizeof(*told), next_time(w));
	ww_live_tell(w->live, &told->h);
	r = ww_guard_swap(g, b->map, map);
	if (r == 0)
		return 0;
	told->h.time_ns = next_time(w);
	told->failed = 1;
	ww_live_tell(w->live, &told->h);
	return ww_errtext_errno(why, r, "cannot put the guard's list in force");
}

/* A new list of all that holds now. fresh: another base, taken over on success; NULL: as it is. */
static int renew(struct ww_warden *w, struct base *fresh, const char *text,
		 struct ww_warden_who who, struct ww_errtext *why)
{
	WW_AUTO(ww_guard_list_free_auto) struct ww_guard_list *commands = NULL;
	struct base *b = fresh ? fresh : &w->base;
	struct ww_event_guard_list told = {.uid = who.uid,
					   .pid = who.pid,
					   .mode = (uint8_t)w->mode,
					   .generation = w->generation + 1,
					   .commands = w->commands.count};
	struct ww_sha256 digest;
	int r = explain_list(make_commands(w, &commands), why);

	if (r == 0 && b->map < 0)
		r = explain_list(ww_guard_build(b->list, 0, w->mode, &b->map), why);
	if (r < 0)
		return r;
	digest = digest_of(b, commands);
	told.prefixes = entries(b->list) + entries(commands);
	told.rules = ww_guard_list_rules(b->list) + ww_guard_list_rules(commands);
	memcpy(told.digest, digest.b, sizeof(told.digest));
	told.text_bytes = (uint32_t)strnlen(text, sizeof(told.text));
	memcpy(told.text, text, told.text_bytes);
	r = put(w, b, commands, &told, why);
	if (r < 0)
		return r;
	ww_guard_list_free(w->before);
	w->before = w->now;
	w->now = WW_TAKE(commands);
	ww_guard_list_free(w->base_before);
	w->base_before = fresh ? WW_TAKE(w->base.list) : NULL;
	if (fresh) {
		base_done(&w->base);
		w->base = *fresh;
		*fresh = (struct base){.map = -1};
	}
	w->generation = told.generation;
	return 0;
}

/* The rule that forbids it, by command or else by policy; NULL: none, or the list is gone. */
static const struct ww_guard_rule *why_of(const struct ww_warden *w, uint32_t generation,
					  uint64_t agents, const struct ww_endpoint *to,
					  unsigned *ret_agent, struct ww_slice *ret_text)
{
	bool last = generation + 1 == w->generation;
	const struct ww_guard_list *parts[2] = {
		last ? w->before : w->now, last && w->base_before ? w->base_before : w->base.list};

	for (unsigned i = 0; i < 2 && (last || generation == w->generation); i++) {
		const struct ww_guard_rule *rule =
			parts[i] ? ww_guard_list_why(parts[i], agents, to, ret_agent) : NULL;

		if (!rule)
			continue;
		*ret_text = ww_guard_list_text(parts[i], rule->text);
		return rule;
	}
	return NULL;
}

/* --- for live ----------------------------------------------------------------------------------
 */

static uint64_t agents(void *ctx, const char *path)
{
	struct ww_warden *w = ctx;

	return ww_guard_rules_agents(w->cfg.policy, ww_slice_str(path));
}

static void explain(void *ctx, struct ww_event_guard *ev)
{
	struct ww_warden *w = ctx;
	struct ww_slice name, text = WW_SLICE_NULL;
	unsigned agent = 0;
	const struct ww_guard_rule *rule =
		why_of(w, ev->generation, ev->agents, &ev->peer, &agent, &text);

	ev->why = WW_GUARD_WHY_UNKNOWN;
	if (!rule)
		return;
	ev->why = rule->why;
	memcpy(ev->prefix, rule->prefix.addr, sizeof(ev->prefix));
	ev->prefix_family = rule->prefix.family;
	ev->prefix_bits = rule->prefix.bits;
	name = ww_guard_rules_name(w->cfg.policy, agent);
	text = ww_slice_sub(text, 0, sizeof(ev->text) - name.n);
	ev->agent_bytes = (uint16_t)name.n;
	ev->text_bytes = (uint32_t)text.n;
	if (name.n)
		memcpy(ev->text, name.p, name.n);
	if (text.n)
		memcpy(ev->text + name.n, text.p, text.n);
}

static int start(void *ctx, struct ww_live *live)
{
	struct ww_warden *w = ctx;
	struct ww_errtext why = {""};
	int r;

	w->live = live;
	(void)ww_warden_commands_expire(&w->commands, wall_now(), NULL);
	r = renew(w, NULL, "start", (struct ww_warden_who){0, 0}, &why);
	if (r < 0)
		ww_log(WW_LOG_ERR, "%s", why.text);
	return r;
}

struct ww_live_guard ww_warden_guard(struct ww_warden *w)
{
	return w ? (struct ww_live_guard){w, agents, explain, start} : (struct ww_live_guard){0};
}

/* --- life --------------------------------------------------------------------------------------
 */

/* What the kernel cannot tell apart is said once, and not enforced. */
static void tell_programs(const struct ww_warden *w)
{
	for (unsigned i = 0; i < w->cfg.policy->agent_count; i++) {
		const struct ww_policy_agent *a = &w->cfg.policy->agents[i];

		if (a->program_count)
			ww_log(WW_LOG_WARN,
			       "guard: agent %s is told apart by its program, the kernel knows "
			       "cgroups: where others may be in its scope, only what all of them "
			       "are forbidden is denied",
			       a->name);
	}
}

int ww_warden_new(const struct ww_warden_config *cfg, struct ww_warden **ret,
		  struct ww_errtext *why)
{
	WW_AUTO(ww_warden_free_auto) struct ww_warden *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return ww_errtext_set(why, -ENOMEM, "out of memory");
	if (!cfg->policy || cfg->policy->guard == WW_POLICY_GUARD_OFF)
		return 0;
	w->cfg = *cfg;
	w->base.map = -1;
	w->mode = cfg->policy->guard == WW_POLICY_GUARD_ENFORCE ? WW_GUARD_MODE_ENFORCE
								: WW_GUARD_MODE_DRY_RUN;
	if (cfg->policy->agent_count > WW_GUARD_AGENTS_MAX)
		return ww_errtext_set(why, -E2BIG, "the guard takes at most %u agents in a policy",
				      WW_GUARD_AGENTS_MAX);
	tell_programs(w);
	r = explain_list(make_base(w, wall_now(), &w->base), why);
	if (r == 0 && cfg->state_dir)
		r = ww_warden_commands_load(&w->commands, cfg->state_dir, why);
	if (r < 0)
		return r;
	*ret = WW_TAKE(w);
	return 0;
}

unsigned ww_warden_kept(const char *state_dir)
{
	WW_AUTO_FREE struct ww_warden_commands *c = calloc(1, sizeof(*c));

	return c && ww_warden_commands_load(c, state_dir, NULL) == 0 ? c->count : 0;
}

void ww_warden_free(struct ww_warden *w)
{
	if (!w)
		return;
	if (w->base.list)
		base_done(&w->base);
	ww_guard_list_free(w->base_before);
	ww_guard_list_free(w->now);
	ww_guard_list_free(w->before);
	free(w);
}

/* What could not be kept holds all the same: a full disk keeps nobody from denying. */
static bool keep(struct ww_warden *w)
{
	int r = w->cfg.state_dir ? ww_warden_commands_save(&w->commands, w->cfg.state_dir) : 0;

	if (r < 0)
		ww_log_err_r(r, "guard: the denials will not be kept over a restart");
	return r == 0;
}

void ww_warden_tick(struct ww_warden *w)
{
	WW_AUTO(base_done) struct base fresh = {.map = -1};
	struct ww_wall now = wall_now();
	struct ww_errtext why = {""};
	char text[WW_PATH_BYTES_MAX] = "another day";
	bool over = ww_warden_commands_expire(&w->commands, now, text);
	bool day = w->base.dated && now.ns / DAY_NS != w->base.day;
	int r = 0;

	if (!over && !day)
		return;
	if (over)
		(void)keep(w);
	w->base.day = now.ns / DAY_NS; /* whatever comes of it: not again and again */
	if (day)
		r = explain_list(make_base(w, now, &fresh), &why);
	if (r == 0)
		r = renew(w, day ? &fresh : NULL, text, (struct ww_warden_who){0, 0}, &why);
	if (r < 0)
		ww_log(WW_LOG_ERR, "guard: %s; the list before stays in force", why.text);
}

/* --- cutting -----------------------------------------------------------------------------------
 */

static bool is_forbidden(const struct ww_warden *w, const struct ww_flow *f, uint64_t *ret_agents)
{
	struct ww_slice text;
	unsigned agent;

	*ret_agents = ww_guard_agents(ww_sense_guard(ww_live_sense(w->live)), f->cgroup);
	for (unsigned i = 0; i < 64; i++) {
		uint64_t one = *ret_agents & 1ull << i;

		if (one && !why_of(w, w->generation, one, &f->peer, &agent, &text))
			return false;
	}
	return *ret_agents != 0;
}

/* 0; -ENOENT: it is gone, or has no one peer; other -errno. */
static int cut(struct ww_warden *w, const struct ww_flow *f, uint64_t of)
{
	struct ww_cut_ask ask = {.local = f->local,
				 .peer = f->peer,
				 .cookie = f->cookie,
				 .netns = f->netns,
				 .pid = f->owner.pid,
				 .proto = f->ip_proto};
	struct ww_event_guard told = {.h = ww_event_header(WW_EVENT_GUARD, sizeof(told), 0),
				      .peer = f->peer,
				      .attempts = 1,
				      .agents = of,
				      .generation = w->generation,
				      .hook = WW_GUARD_HOOK_RESET,
				      .mode = (uint8_t)w->mode,
				      .proto = f->ip_proto};
	int r = w->mode == WW_GUARD_MODE_ENFORCE ? ww_cut_socket(&ask) : 0;

	if (r < 0 && r != -ENOENT) {
		told.hook = WW_GUARD_HOOK_DROP;
		r = ww_guard_drop(ww_sense_guard(ww_live_sense(w->live)), f->cookie);
	}
	if (r < 0)
		return r;
	told.h.actor = f->owner;
	told.h.cgroup = f->cgroup;
	told.h.cookie = f->cookie;
	told.h.time_ns = next_time(w);
	explain(w, &told);
	ww_live_tell(w->live, &told.h);
	return 0;
}

#define CUTS_MAX 4096u

struct cuts {
	struct ww_warden *warden;
	uint64_t cookies[CUTS_MAX];
	unsigned count;
	uint64_t left; /* no room */
};

static bool can_be_cut(const struct ww_flow *f)
{
	return !f->closed && !f->channel && (f->ip_proto == 6 || f->ip_proto == 17) &&
	       f->peer.port && (f->peer.family == 2 || f->peer.family == 10);
}

static void note_cut(void *ctx, struct ww_flow *f)
{
	struct cuts *c = ctx;
	uint64_t of;

	if (!can_be_cut(f) || !is_forbidden(c->warden, f, &of))
		return;
	if (c->count == CUTS_MAX)
		c->left++;
	else
		c->cookies[c->count++] = f->cookie;
}

/* All flows that are there and forbidden now. Returns how many were cut. */
static int cut_all(struct ww_warden *w, struct ww_flows *flows, uint64_t *ret_cut,
		   uint64_t *ret_left)
{
	WW_AUTO_FREE struct cuts *c = calloc(1, sizeof(*c));

	*ret_cut = 0;
	if (!c)
		return -ENOMEM;
	c->warden = w;
	ww_live_drain(w->live);
	ww_flows_each(flows, note_cut, c);
	*ret_left = c->left;
	for (unsigned i = 0; i < c->count; i++) {
		struct ww_flow *f = ww_flows_get(flows, c->cookies[i]);
		uint64_t of;
		int r = f && is_forbidden(w, f, &of) ? cut(w, f, of) : -ENOENT;

		*ret_cut += r == 0;
		*ret_left += r < 0 && r != -ENOENT;
	}
	return 0;
}

/* --- commands ----------------------------------------------------------------------------------
 */

static int check_target(const struct ww_warden *w, const struct ww_warden_command *c,
			struct ww_errtext *why)
{
	WW_AUTO(ww_guard_list_free_auto) struct ww_guard_list *l = NULL;
	bool by_program = false;
	uint32_t networks = 0;
	int r;

	if (c->agent[0] &&
	    !ww_guard_rules_agent(w->cfg.policy, ww_slice_str(c->agent), &by_program))
		return ww_errtext_set(why, -ENOENT, "the policy has no agent %s", c->agent);
	if (by_program)
		return ww_errtext_set(why, -ENOTSUP,
				      "agent %s is told apart by its program; the guard knows "
				      "agents by their cgroup",
				      c->agent);
	r = ww_guard_list_new(&l);
	if (r == 0)
		r = add_command(w, c, l, &networks);
	if (r == 0 && networks == 0)
		return ww_errtext_set(why, -ENOENT, "no table lists a network in region %s",
				      c->region);
	return explain_list(r, why);
}

static void write_list(const struct ww_warden *w, struct ww_jsonw *out)
{
	struct ww_sha256 digest = digest_of(&w->base, w->now);

	ww_jsonw_cstr(out, "mode", ww_guard_mode_name(w->mode));
	ww_jsonw_u64(out, "generation", w->generation);
	ww_jsonw_hex(out, "list", ww_slice(digest.b, sizeof(digest.b)));
	ww_jsonw_u64(out, "prefixes", entries(w->base.list) + entries(w->now));
	ww_jsonw_u64(out, "rules", ww_guard_list_rules(w->base.list) + ww_guard_list_rules(w->now));
}

static int change(struct ww_warden *w, struct ww_slice request, bool deny, struct ww_warden_who who,
		  struct ww_flows *flows, struct ww_jsonw *out, struct ww_errtext *why)
{
	struct ww_warden_commands before = w->commands;
	char text[WW_WARDEN_TEXT_MAX + 8], target[WW_WARDEN_TEXT_MAX];
	uint64_t cuts = 0, left = 0;
	struct ww_warden_command c;
	bool cut_too;
	int r = ww_warden_command_read(request, deny, wall_now(), &c, &cut_too, why);

	if (r < 0)
		return r;
	c.uid = who.uid;
	r = deny ? check_target(w, &c, why) : 0;
	if (r == 0)
		r = deny ? ww_warden_commands_add(&w->commands, &c, why)
			 : ww_warden_commands_remove(&w->commands, &c, why);
	if (r < 0)
		return r;
	ww_warden_command_text(&c, target);
	snprintf(text, sizeof(text), "%s %s", deny ? "deny" : "allow", target);
	r = renew(w, NULL, text, who, why);
	if (r < 0) {
		w->commands = before;
		return r;
	}
	if (cut_too)
		r = cut_all(w, flows, &cuts, &left);
	write_list(w, out);
	ww_jsonw_bool(out, "kept", keep(w));
	if (cut_too) {
		ww_jsonw_u64(out, "cut", cuts);
		ww_jsonw_u64(out, "notCut", left);
	}
	return r;
}

static int cut_one(struct ww_warden *w, struct ww_slice request, struct ww_flows *flows,
		   struct ww_jsonw *out, struct ww_errtext *why)
{
	char id[WW_FLOW_ID_MAX];
	struct ww_flow *f;
	uint64_t cookie, of;
	int r = ww_warden_flow_read(request, &cookie, why);

	if (r < 0)
		return r;
	ww_live_drain(w->live);
	ww_flow_id(cookie, id);
	f = ww_flows_get(flows, cookie);
	if (!f || f->closed)
		return ww_errtext_set(why, -ENOENT, "there is no flow %s now", id);
	if (!can_be_cut(f))
		return ww_errtext_set(why, -ENOTSUP, "%s is no connection that can be cut", id);
	if (!is_forbidden(w, f, &of))
		return ww_errtext_set(why, -EPERM, "%s leads to where it may: deny that first", id);
	r = cut(w, f, of);
	if (r == -ENOENT)
		return ww_errtext_set(why, r,
				      "%s is gone, or has no one peer: then each of its datagrams "
				      "is denied",
				      id);
	if (r < 0)
		return ww_errtext_errno(why, r, "cannot cut %s", id);
	write_list(w, out);
	return 0;
}

static void write_all(const struct ww_warden *w, struct ww_jsonw *out)
{
	write_list(w, out);
	ww_jsonw_u64(out, "policyDeny", w->cfg.policy->guard_deny_count);
	ww_jsonw_u64(out, "policyAllow", w->cfg.policy->guard_allow_count);
	ww_jsonw_u64(out, "derived", w->base.derived);
	ww_warden_commands_write(&w->commands, w->cfg.policy, out);
}

int ww_warden_ask(struct ww_warden *w, struct ww_slice request, struct ww_warden_who who,
		  struct ww_flows *flows, struct ww_jsonw *out, struct ww_errtext *why)
{
	switch (ww_warden_verb(request)) {
	case WW_WARDEN_DENY:
		return change(w, request, true, who, flows, out, why);
	case WW_WARDEN_ALLOW:
		return change(w, request, false, who, flows, out, why);
	case WW_WARDEN_CUT:
		return cut_one(w, request, flows, out, why);
	case WW_WARDEN_LIST:
		write_all(w, out);
		return 0;
	default:
		return ww_errtext_set(why, -EINVAL,
				      "guard: \"do\" must be deny, allow, cut or list");
	}
}

void ww_warden_status(const struct ww_warden *w, struct ww_jsonw *out)
{
	struct ww_guard_counts c = ww_guard_counts(ww_sense_guard(ww_live_sense(w->live)));

	ww_jsonw_object(out, "guard");
	write_list(w, out);
	ww_jsonw_u64(out, "commands", w->commands.count);
	ww_jsonw_u64(out, "looked", c.looked);
	ww_jsonw_u64(out, "forbidden", c.forbidden);
	ww_jsonw_end_object(out);
}
