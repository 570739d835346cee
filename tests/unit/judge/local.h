/* SPDX-License-Identifier: Apache-2.0 */
/* Scenes of programs that are run and files that change. */
#pragma once

#include "scene.h"

#define LOCAL_CONTRACTS                                                                 \
	"version: 1\n"                                                                  \
	"contracts:\n"                                                                  \
	"- {tool: dump, effect: process, programs: [/usr/bin/pg_dump, tar], exit: 0}\n" \
	"- {tool: notify, effect: process, programs: [notify-send]}\n"                  \
	"- {tool: report, effect: file, files: [\"/srv/out/{name}.pdf\"]}\n"            \
	"- {tool: move, effect: file, files: [\"/srv/in/**\"], changes: [renamed]}\n"   \
	"- {tool: clean, effect: file, files: [/srv/lock], changes: [removed]}\n"       \
	"- {tool: note, effect: file}\n"

#define PDF     "/srv/out/a.pdf"
#define WRITTEN (WW_CHANGE_MODIFIED | WW_CHANGE_CLOSED)

static inline void called(struct scene *s, uint32_t pid, const char *path, const char *name,
			  bool own_mounts, uint64_t ms)
{
	struct ww_event_exec ev = {.parent = process(AGENT),
				   .path_bytes = (uint16_t)strlen(path),
				   .own_mounts = own_mounts};

	memcpy(ev.path, path, ev.path_bytes);
	memcpy(ev.comm, name, strnlen(name, sizeof(ev.comm) - 1));
	feed(s, &ev, WW_EVENT_PROC_EXEC, sizeof(ev), ms, pid, 0);
}

/* By its own name. */
static inline void executed(struct scene *s, uint32_t pid, const char *path, uint64_t ms)
{
	const char *slash = strrchr(path, '/');

	called(s, pid, path, slash ? slash + 1 : "", false, ms);
}

static inline void exited(struct scene *s, uint32_t pid, int code, uint64_t ms)
{
	struct ww_event_exit ev = {.code = code};

	feed(s, &ev, WW_EVENT_PROC_EXIT, sizeof(ev), ms, pid, 0);
}

/* By a new child of that parent; ran(): of the agent. */
static inline void ran_under(struct scene *s, uint32_t parent, uint32_t pid, const char *path,
			     int code, uint64_t from, uint64_t to)
{
	born(s, pid, parent, from);
	executed(s, pid, path, from);
	exited(s, pid, code, to);
}

static inline void ran(struct scene *s, uint32_t pid, const char *path, int code, uint64_t from,
		       uint64_t to)
{
	ran_under(s, AGENT, pid, path, code, from, to);
}

/* Seen at `ms`, within the 10 ms before it. */
static inline void changed_by(struct scene *s, uint32_t pid, const char *path, uint32_t what,
			      uint64_t ms)
{
	struct ww_event_change ev = {
		.since_ns = at_ms(ms - 10).ns, .what = what, .path_bytes = (uint32_t)strlen(path)};

	memcpy(ev.path, path, ev.path_bytes);
	feed(s, &ev, WW_EVENT_CHANGE, sizeof(ev), ms, pid, 0);
}

static inline void changed(struct scene *s, const char *path, uint32_t what, uint64_t ms)
{
	changed_by(s, AGENT, path, what, ms);
}

/* cgroup 0: whoever changes it. */
static inline void watch_of(struct scene *s, uint64_t cgroup, const char *template, uint16_t status,
			    enum ww_files_why why, uint64_t ms)
{
	struct ww_event_coverage ev = {.what = WW_COVERAGE_FILES,
				       .status = status,
				       .detail = why,
				       .path_bytes = (uint32_t)strlen(template)};
	struct ww_event *h = &ev.h;

	memcpy(ev.path, template, ev.path_bytes);
	h->version = WW_EVENT_VERSION;
	h->kind = WW_EVENT_COVERAGE;
	h->size = sizeof(ev);
	h->time_ns = at_ms(ms).ns;
	h->cgroup = cgroup;
	assert_int_equal(ww_judge_event(s->judge, h), 0);
}

static inline void watch(struct scene *s, const char *template, uint16_t status,
			 enum ww_files_why why, uint64_t ms)
{
	watch_of(s, 0, template, status, why, ms);
}

static inline void scope_ended(struct scene *s, uint64_t cgroup, uint64_t ms)
{
	struct ww_event_scope ev = {.h = {.version = WW_EVENT_VERSION,
					  .kind = WW_EVENT_SCOPE,
					  .size = sizeof(ev),
					  .time_ns = at_ms(ms).ns,
					  .cgroup = cgroup}};

	assert_int_equal(ww_judge_event(s->judge, &ev.h), 0);
}

static inline struct scene *open_watched(void)
{
	static const char *const templates[] = {"/srv/out/{name}.pdf", "/srv/in/**", "/srv/lock"};
	struct scene *s = scene_open_with(LOCAL_CONTRACTS);

	for (unsigned i = 0; i < WW_ARRAY_SIZE(templates); i++)
		watch(s, templates[i], WW_PROBE_ATTACHED, WW_FILES_NONE, 0);
	return s;
}

static inline void claim(struct scene *s, const char *tool, const char *call,
			 enum ww_span_status status, uint64_t from, uint64_t to)
{
	struct ww_span p = span_of(s, WW_SPAN_TOOL, tool, call, status, from, to);

	tell(s, &p);
}

/* On its turn's span: to be done by `date`. */
static inline void announced(struct scene *s, const char *id, const char *tool, uint64_t at,
			     uint64_t date)
{
	struct ww_span turn = span_of(s, WW_SPAN_AGENT, "", "", WW_SPAN_OK, at - 900, at + 100);

	claim_on(&turn, id, tool, "", false, at);
	turn.claims[0].deadline = wall_ms(date);
	tell(s, &turn);
}
