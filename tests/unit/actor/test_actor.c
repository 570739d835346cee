/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../lib/events.h"
#include "actor/actor.h"

static void feed(struct ww_actors *a, void *ev)
{
	assert_int_equal(ww_actors_feed(a, ev), 0);
	free(ev);
}

static void fork_(struct ww_actors *a, uint64_t t, uint32_t parent, uint32_t child)
{
	struct ww_event_fork *ev = ev_make(sizeof(*ev), WW_EVENT_PROC_FORK, t, child, 0);

	ev->parent.pid = parent;
	ev->parent.start_ns = 1000ull * parent;
	feed(a, ev);
}

static struct ww_actor_key key(uint32_t pid)
{
	return (struct ww_actor_key){.pid = pid, .start_ns = 1000ull * pid};
}

/* A time that no kernel gives must not leave it in the list of those that exited. */
static void exit_at_zero(void **state)
{
	WW_AUTO(ww_actors_free_auto) struct ww_actors *a = NULL;

	assert_int_equal(ww_actors_new(&a), 0);
	feed(a, ev_make(sizeof(struct ww_event_exit), WW_EVENT_PROC_EXIT, 0, 11, 0));
	feed(a, ev_make(sizeof(struct ww_event_exit), WW_EVENT_PROC_EXIT, 5, 12, 0));
	assert_int_not_equal(ww_actors_get(a, key(11))->exited.ns, 0);
}

static void lineage(void **state)
{
	WW_AUTO(ww_actors_free_auto) struct ww_actors *a = NULL;

	assert_int_equal(ww_actors_new(&a), 0);
	fork_(a, 1, 10, 11);
	fork_(a, 2, 11, 12);
	fork_(a, 3, 12, 13);
	fork_(a, 4, 20, 21);
	assert_int_equal(ww_actors_root(a, key(13)).pid, 11); /* 10 was never in scope */
	assert_int_equal(ww_actors_root(a, key(12)).pid, 11);
	assert_int_equal(ww_actors_root(a, key(21)).pid, 21);
	assert_int_equal(ww_actors_root(a, key(99)).pid, 99);
	assert_true(ww_actors_get(a, key(12))->born_in_sight);
}

/* The same pid later is another actor. */
static void pid_reuse(void **state)
{
	WW_AUTO(ww_actors_free_auto) struct ww_actors *a = NULL;
	struct ww_event_exit *gone = ev_make(sizeof(*gone), WW_EVENT_PROC_EXIT, 50, 11, 0);
	struct ww_event_fork *again = ev_make(sizeof(*again), WW_EVENT_PROC_FORK, 60, 11, 0);

	assert_int_equal(ww_actors_new(&a), 0);
	fork_(a, 1, 10, 11);
	gone->code = 3;
	feed(a, gone);
	again->h.actor.start_ns = 60;
	feed(a, again);
	assert_int_equal(ww_actors_get(a, key(11))->exit_code, 3);
	assert_int_equal(
		ww_actors_get(a, (struct ww_actor_key){.pid = 11, .start_ns = 60})->exited.ns, 0);
	assert_null(ww_actors_get(a, (struct ww_actor_key){.pid = 11, .start_ns = 61}));
	assert_int_equal(ww_actors_at(a, 11, (struct ww_boot){70})->key.start_ns, 60);
}

static void cycle_ends(void **state)
{
	WW_AUTO(ww_actors_free_auto) struct ww_actors *a = NULL;

	assert_int_equal(ww_actors_new(&a), 0);
	fork_(a, 1, 10, 11);
	fork_(a, 1, 11, 10); /* a forged tape */
	(void)ww_actors_root(a, key(11));
}

static void exec_names(void **state)
{
	WW_AUTO(ww_actors_free_auto) struct ww_actors *a = NULL;
	struct ww_event_exec *ev = ev_make(sizeof(*ev), WW_EVENT_PROC_EXEC, 5, 11, 0);

	assert_int_equal(ww_actors_new(&a), 0);
	memcpy(ev->comm, "sixteen-chars-xx", 16);
	memcpy(ev->path, "/usr/bin/agent", 14);
	ev->path_bytes = 14;
	feed(a, ev);
	assert_string_equal(ww_actors_get(a, key(11))->comm, "sixteen-chars-xx");
	assert_string_equal(ww_actors_get(a, key(11))->exe, "/usr/bin/agent");
	fork_(a, 6, 11, 12);
	assert_string_equal(ww_actors_get(a, key(12))->exe, "/usr/bin/agent");
}

/* What doctor says of a process is about the program that it executes now. */
static void exec_begins_anew(void **state)
{
	WW_AUTO(ww_actors_free_auto) struct ww_actors *a = NULL;
	struct ww_event_coverage *maps = ev_make(sizeof(*maps), WW_EVENT_COVERAGE, 5, 11, 0);

	assert_int_equal(ww_actors_new(&a), 0);
	maps->what = WW_COVERAGE_PROCESS;
	feed(a, maps);
	feed(a, ev_make(sizeof(struct ww_event_data), WW_EVENT_DATA, 6, 11, 77));
	ww_actors_exchange(a, key(11));
	assert_int_equal(ww_actors_get(a, key(11))->tls_files, 1);
	assert_int_equal(ww_actors_get(a, key(11))->tls_bound, 1);
	assert_int_equal(ww_actors_get(a, key(11))->exchanges, 1);
	feed(a, ev_make(sizeof(struct ww_event_exec), WW_EVENT_PROC_EXEC, 7, 11, 0));
	assert_int_equal(ww_actors_get(a, key(11))->tls_files, 0);
	assert_int_equal(ww_actors_get(a, key(11))->tls_events, 0);
	assert_int_equal(ww_actors_get(a, key(11))->tls_bound, 0);
	assert_int_equal(ww_actors_get(a, key(11))->exchanges, 0);
}

/* A process that was there before us: /proc knows its start to a tick, the first event exactly. */
static void coarse_start_becomes_exact(void **state)
{
	WW_AUTO(ww_actors_free_auto) struct ww_actors *a = NULL;
	struct ww_event_exec *info = ev_make(sizeof(*info), WW_EVENT_PROC_INFO, 5, 11, 0);
	struct ww_event *first = ev_make(sizeof(*first), WW_EVENT_TICK, 6, 11, 0);
	struct ww_event *other = ev_make(sizeof(*other), WW_EVENT_TICK, 7, 11, 0);

	assert_int_equal(ww_actors_new(&a), 0);
	info->h.actor.start_ns = 50000000;
	memcpy(info->comm, "old", 3);
	feed(a, info);
	first->actor.start_ns = 54321000;
	feed(a, first);
	assert_string_equal(
		ww_actors_get(a, (struct ww_actor_key){.pid = 11, .start_ns = 54321000})->comm,
		"old");
	assert_null(ww_actors_get(a, (struct ww_actor_key){.pid = 11, .start_ns = 50000000}));
	other->actor.start_ns =
		58000000; /* within the tick, but the entry is exact now: somebody else */
	feed(a, other);
	assert_string_equal(
		ww_actors_get(a, (struct ww_actor_key){.pid = 11, .start_ns = 58000000})->comm, "");
}

/* The walk's events go on to name it by the tick; who was told of it as a parent, too. */
static void coarse_events_behind_an_exact_one(void **state)
{
	WW_AUTO(ww_actors_free_auto) struct ww_actors *a = NULL;
	struct ww_event_exec *info = ev_make(sizeof(*info), WW_EVENT_PROC_INFO, 5, 11, 0);
	struct ww_event_exec *child = ev_make(sizeof(*child), WW_EVENT_PROC_INFO, 5, 12, 0);
	struct ww_event *exact = ev_make(sizeof(*exact), WW_EVENT_TICK, 6, 11, 0);
	struct ww_event *coarse = ev_make(sizeof(*coarse), WW_EVENT_TICK, 7, 11, 0);

	assert_int_equal(ww_actors_new(&a), 0);
	info->h.actor.start_ns = coarse->actor.start_ns = 50000000;
	child->parent = info->h.actor;
	exact->actor.start_ns = 54321000;
	feed(a, info);
	feed(a, child);
	feed(a, exact);
	feed(a, coarse);
	assert_int_equal(ww_actors_at(a, 11, (struct ww_boot){60000000})->key.start_ns, 54321000);
	assert_int_equal(ww_actors_root(a, key(12)).start_ns, 54321000);
}

static void bounded_and_expiring(void **state)
{
	WW_AUTO(ww_actors_free_auto) struct ww_actors *a = NULL;

	assert_int_equal(ww_actors_new(&a), 0);
	for (uint32_t pid = 1; pid <= WW_ACTORS_MAX + 10; pid++)
		fork_(a, pid, 0, pid);
	assert_null(ww_actors_get(a, key(1)));
	assert_non_null(ww_actors_get(a, key(WW_ACTORS_MAX + 10)));
	feed(a, ev_make(sizeof(struct ww_event_exit), WW_EVENT_PROC_EXIT, 70000, 5000, 0));
	ww_actors_expire(a, (struct ww_boot){70000});
	assert_non_null(ww_actors_get(a, key(5000)));
	ww_actors_expire(a, (struct ww_boot){70001});
	assert_null(ww_actors_get(a, key(5000)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lineage),
		cmocka_unit_test(exit_at_zero),
		cmocka_unit_test(pid_reuse),
		cmocka_unit_test(cycle_ends),
		cmocka_unit_test(exec_names),
		cmocka_unit_test(exec_begins_anew),
		cmocka_unit_test(coarse_start_becomes_exact),
		cmocka_unit_test(coarse_events_behind_an_exact_one),
		cmocka_unit_test(bounded_and_expiring),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
