/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/guarded.h"

#include <stdio.h>

#include "actor/actor.h"
#include "flow/flow.h"
#include "policy/cidr.h"

#define NAME_OF(n, v, t, d) [v] = t,
static const char *const mode_names[] = {WW_GUARD_MODES(NAME_OF)};
static const char *const hook_names[] = {WW_GUARD_HOOKS(NAME_OF)};
static const char *const why_names[] = {WW_GUARD_WHYS(NAME_OF)};

const char *ww_guard_mode_name(unsigned mode)
{
	return mode < WW_ARRAY_SIZE(mode_names) ? mode_names[mode] : "unknown";
}

const char *ww_guard_hook_name(unsigned hook)
{
	return hook < WW_ARRAY_SIZE(hook_names) && hook_names[hook] ? hook_names[hook] : "unknown";
}

const char *ww_guard_why_name(unsigned why)
{
	return why < WW_ARRAY_SIZE(why_names) ? why_names[why] : "unknown";
}

void ww_guarded_list(struct ww_guarded *g, const struct ww_event_guard_list *ev)
{
	if (ev->failed)
		return;
	g->lists[g->next].generation = ev->generation;
	memcpy(g->lists[g->next].digest.b, ev->digest, sizeof(ev->digest));
	g->next = (g->next + 1) % WW_GUARDED_LISTS;
}

static const struct ww_sha256 *find_list(const struct ww_guarded *g, uint32_t generation)
{
	for (unsigned i = 0; i < WW_GUARDED_LISTS; i++) {
		if (generation && g->lists[i].generation == generation)
			return &g->lists[i].digest;
	}
	return NULL;
}

static const char *what_of(const struct ww_event_guard *ev)
{
	if (ev->mode != WW_GUARD_MODE_ENFORCE)
		return "would-deny";
	return ev->hook == WW_GUARD_HOOK_RESET || ev->hook == WW_GUARD_HOOK_DROP ? "cut" : "denied";
}

static void write_actor(const struct ww_event_guard *ev, const char *program, struct ww_jsonw *w)
{
	char id[WW_ACTOR_ID_MAX];

	if (!ev->h.actor.pid) {
		ww_jsonw_null(w, "actor");
		return;
	}
	ww_actor_id(ev->h.actor, id);
	ww_jsonw_cstr(w, "actor", id);
	ww_jsonw_cstr(w, "program", program && program[0] ? program : NULL);
}

static void write_proto(uint8_t proto, struct ww_jsonw *w)
{
	char text[16];

	snprintf(text, sizeof(text), "ip-%u", proto);
	ww_jsonw_cstr(w, "proto", proto == 6 ? "tcp" : proto == 17 ? "udp" : text);
}

/* Whose word, and which. */
static void write_rule(const struct ww_event_guard *ev, struct ww_jsonw *w)
{
	struct ww_cidr c = {.bits = ev->prefix_bits, .family = ev->prefix_family};
	char text[WW_CIDR_TEXT_MAX];

	memcpy(c.addr, ev->prefix, sizeof(c.addr));
	if (ev->agent_bytes)
		ww_jsonw_str(w, "agent", ww_slice(ev->text, ev->agent_bytes));
	else
		ww_jsonw_null(w, "agent");
	ww_jsonw_cstr(w, "why", ww_guard_why_name(ev->why));
	if (c.family == 2 || c.family == 10) {
		ww_cidr_text(&c, text);
		ww_jsonw_cstr(w, "prefix", text);
	} else {
		ww_jsonw_null(w, "prefix");
	}
	if (ev->text_bytes)
		ww_jsonw_str(w, "rule", ww_slice(ev->text + ev->agent_bytes, ev->text_bytes));
}

void ww_guarded_write(const struct ww_guarded *g, const struct ww_event_guard *ev,
		      const char *program, struct ww_wall t, struct ww_jsonw *w)
{
	const struct ww_sha256 *list = find_list(g, ev->generation);
	char when[WW_RFC3339_MAX], text[WW_ENDPOINT_TEXT_MAX], id[48], flow[WW_FLOW_ID_MAX];

	ww_jsonw_object(w, NULL);
	ww_jsonw_cstr(w, "kind", "guard");
	snprintf(id, sizeof(id), "q-%llx-%llx-%x", (unsigned long long)ev->h.time_ns,
		 (unsigned long long)ev->h.seq, ev->h.cpu);
	ww_jsonw_cstr(w, "id", id);
	ww_wall_rfc3339(t, when);
	ww_jsonw_cstr(w, "t", when);
	ww_jsonw_cstr(w, "mode", what_of(ev));
	ww_jsonw_cstr(w, "hook", ww_guard_hook_name(ev->hook));
	write_actor(ev, program, w);
	ww_jsonw_id64(w, "cgroup", ev->h.cgroup);
	ww_flow_id(ev->h.cookie, flow);
	ww_jsonw_cstr(w, "flow", ev->h.cookie ? flow : NULL);
	write_proto(ev->proto, w);
	ww_endpoint_text(&ev->peer, text);
	ww_jsonw_cstr(w, "peer", text);
	ww_jsonw_u64(w, "attempts", ev->attempts);
	write_rule(ev, w);
	ww_jsonw_u64(w, "generation", ev->generation);
	if (list)
		ww_jsonw_hex(w, "list", ww_slice(list->b, sizeof(list->b)));
	else
		ww_jsonw_null(w, "list");
	ww_jsonw_end_object(w);
}

void ww_guarded_list_write(const struct ww_event_guard_list *ev, struct ww_jsonw *w)
{
	ww_jsonw_object(w, "guard");
	ww_jsonw_cstr(w, "mode", ww_guard_mode_name(ev->mode));
	ww_jsonw_bool(w, "inForce", !ev->failed);
	ww_jsonw_u64(w, "generation", ev->generation);
	ww_jsonw_hex(w, "list", ww_slice(ev->digest, sizeof(ev->digest)));
	ww_jsonw_u64(w, "prefixes", ev->prefixes);
	ww_jsonw_u64(w, "rules", ev->rules);
	ww_jsonw_u64(w, "commands", ev->commands);
	if (ev->pid) {
		ww_jsonw_object(w, "by");
		ww_jsonw_u64(w, "uid", ev->uid);
		ww_jsonw_u64(w, "pid", ev->pid);
		ww_jsonw_end_object(w);
	} else {
		ww_jsonw_null(w, "by");
	}
	ww_jsonw_end_object(w);
}
