/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../lib/events.h"
#include "flow/coverage.h"

#define ALL_SOCKETS \
	(WW_COVERS_TCP | WW_COVERS_UDP | WW_COVERS_RAW | WW_COVERS_UNIX | WW_COVERS_PROC)

static void feed(struct ww_coverage *c, void *ev)
{
	assert_int_equal(ww_coverage_feed(c, ev), 0);
	free(ev);
}

static void attach(struct ww_coverage *c, uint64_t t, uint16_t status, uint64_t bits)
{
	struct ww_event_coverage *ev = ev_make(sizeof(*ev), WW_EVENT_COVERAGE, t, 0, 0);

	ev->what = WW_COVERAGE_SOCKETS;
	ev->status = status;
	ev->detail = bits;
	feed(c, ev);
}

static struct ww_coverage *covered(void)
{
	struct ww_event_scope *scope = ev_make(sizeof(*scope), WW_EVENT_SCOPE, 10, 0, 0);
	struct ww_coverage *c = NULL;

	assert_int_equal(ww_coverage_new(&c), 0);
	scope->entered = 1;
	feed(c, scope);
	attach(c, 10, WW_PROBE_ATTACHED, ALL_SOCKETS);
	feed(c, ev_tick(20));
	return c;
}

static struct ww_coverage_answer ask(struct ww_coverage *c, uint64_t from, uint64_t to)
{
	struct ww_coverage_answer a;

	ww_coverage_query(c, EV_CGROUP, (struct ww_boot){from}, (struct ww_boot){to}, &a);
	return a;
}

static void windows(void **state)
{
	WW_AUTO(ww_coverage_free_auto) struct ww_coverage *c = covered();

	assert_false(ask(c, 5, 15).whole_window); /* began before we did */
	assert_true(ask(c, 11, 20).whole_window);
	assert_false(
		ask(c, 11, 21).whole_window); /* losses after the last check are not known yet */
	feed(c, ev_tick(30));
	assert_true(ask(c, 11, 21).whole_window);
	assert_int_equal(ask(c, 11, 21).covers, ALL_SOCKETS);
}

/* Nobody is in the cgroup any more: the time after it is covered, as far as losses are known. */
static void left_empty(void **state)
{
	WW_AUTO(ww_coverage_free_auto) struct ww_coverage *c = covered();
	struct ww_event_scope *left = ev_make(sizeof(*left), WW_EVENT_SCOPE, 25, 0, 0);

	feed(c, left);
	feed(c, ev_tick(40));
	assert_true(ask(c, 11, 40).whole_window);
	assert_false(ask(c, 11, 41).whole_window);
}

static void unknown_scope(void **state)
{
	WW_AUTO(ww_coverage_free_auto) struct ww_coverage *c = covered();
	struct ww_coverage_answer a;

	ww_coverage_query(c, 12345, (struct ww_boot){11}, (struct ww_boot){12}, &a);
	assert_false(a.known);
	assert_false(a.whole_window);
}

/* A loss report covers all the time since the counters were last read, for every scope when nobody
 * is named. */
static void losses_reach_back(void **state)
{
	WW_AUTO(ww_coverage_free_auto) struct ww_coverage *c = covered();
	struct ww_event_loss *ev = ev_make(sizeof(*ev), WW_EVENT_LOSS, 35, 0, 0);

	ev->h.cgroup = 0;
	ev->events = 3;
	ev->bytes = 300;
	feed(c, ev_tick(30));
	feed(c, ev);
	feed(c, ev_tick(40));
	assert_int_equal(ask(c, 31, 33).lost_events, 3);
	assert_int_equal(ask(c, 36, 40).lost_events, 0);
	assert_int_equal(ask(c, 11, 29).lost_events, 0);
	assert_int_equal(ask(c, 11, 30).lost_events, 3); /* the edge counts against us */
}

/* A lost control event could have told of a peer that is still there. */
static void losses_that_last(void **state)
{
	static const struct {
		uint32_t cause;
		bool lasts;
	} causes[] = {
		{WW_LOSS_RING_DATA, false}, {WW_LOSS_USER_READ, false},   {WW_LOSS_ARGS, false},
		{WW_LOSS_HOLD, false},      {WW_LOSS_RING_CONTROL, true}, {WW_LOSS_MAP_FULL, true},
		{WW_LOSS_MEMORY, true},     {WW_LOSS_SEQUENCE, true},
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(causes); i++) {
		WW_AUTO(ww_coverage_free_auto) struct ww_coverage *c = covered();
		struct ww_event_scope *left;

		ww_coverage_loss(c, EV_CGROUP, (struct ww_boot){35}, causes[i].cause, 1, 0);
		feed(c, ev_tick(100));
		assert_int_equal(ask(c, 30, 34).lost_events, 1);
		assert_int_equal(ask(c, 11, 19).lost_events, 0);
		assert_int_equal(ask(c, 50, 60).lost_events, causes[i].lasts);
		left = ev_make(sizeof(*left), WW_EVENT_SCOPE, 110, 0, 0);
		feed(c, left);
		assert_int_equal(ask(c, 105, 120).lost_events, causes[i].lasts);
		assert_int_equal(ask(c, 111, 120).lost_events, 0); /* nobody is there */
	}
}

/* What the cap cuts is by design: it is counted but does not block anything by itself. */
static void cap_is_no_loss(void **state)
{
	WW_AUTO(ww_coverage_free_auto) struct ww_coverage *c = covered();
	struct ww_event_loss *ev = ev_make(sizeof(*ev), WW_EVENT_LOSS, 25, 0, 0);

	ev->cause = WW_LOSS_CAP;
	ev->events = 1;
	ev->bytes = 1 << 20;
	feed(c, ev);
	assert_int_equal(ask(c, 11, 30).lost_events, 0);
}

static void unix_peers(void **state)
{
	WW_AUTO(ww_coverage_free_auto) struct ww_coverage *c = covered();
	struct ww_event_unix *absent = ev_make(sizeof(*absent), WW_EVENT_UNIX_PEER, 25, 5, 0);
	struct ww_event_unix *there = ev_make(sizeof(*there), WW_EVENT_UNIX_PEER, 26, 5, 0);

	absent->absent = 1;
	memcpy(there->path, "/run/helper.sock", 16);
	there->path_bytes = 16;
	feed(c, absent);
	assert_int_equal(ask(c, 11, 20).unix_peers, 0);
	feed(c, there);
	assert_int_equal(ask(c, 11, 20).unix_peers, 0); /* before it */
	assert_int_equal(ask(c, 11, 99).unix_peers, 1);
	assert_int_equal(ask(c, 50, 99).unix_peers, 1); /* the connection may still be open */
	assert_string_equal(ask(c, 50, 99).detail, "unix socket /run/helper.sock");
}

static void gaps_and_raw(void **state)
{
	WW_AUTO(ww_coverage_free_auto) struct ww_coverage *c = covered();
	struct ww_event_coverage *gap = ev_make(sizeof(*gap), WW_EVENT_COVERAGE, 60, 0, 0);
	struct ww_event_flow *raw = ev_open(70, 5, 3, ev_endpoint("0.0.0.0", 0));

	gap->what = WW_COVERAGE_GAP;
	gap->detail = 20;
	feed(c, gap);
	raw->type = 3;
	feed(c, raw);
	feed(c, ev_tick(100));
	assert_true(ask(c, 11, 39).whole_window);
	assert_false(ask(c, 11, 41).whole_window);
	assert_int_equal(ask(c, 61, 69).raw_sockets, 0);
	assert_int_equal(ask(c, 61, 80).raw_sockets, 1);
	attach(c, 110, WW_PROBE_DETACHED, 0);
	feed(c, ev_tick(120));
	assert_false(ask(c, 111, 115).whole_window);
}

/* What was seen, but not on which socket, is not lost; it is known when it went. */
static void unbound_is_no_loss(void **state)
{
	WW_AUTO(ww_coverage_free_auto) struct ww_coverage *c = covered();

	feed(c, ev_tick(90));
	ww_coverage_loss(c, EV_CGROUP, (struct ww_boot){50}, WW_LOSS_UNBOUND, 1, 300);
	assert_int_equal(ask(c, 0, 49).unbound_calls, 0);
	assert_int_equal(ask(c, 0, 50).unbound_calls, 1);
	assert_int_equal(ask(c, 51, 90).unbound_calls, 0);
	assert_int_equal(ask(c, 0, 90).lost_events, 0);
	assert_int_equal(ask(c, 0, 90).lost_bytes, 0);
}

/* Past the ceiling of marks the newest one widens: nothing is forgotten. */
static void marks_are_bounded(void **state)
{
	WW_AUTO(ww_coverage_free_auto) struct ww_coverage *c = covered();

	for (unsigned i = 0; i < 2000; i++) {
		ww_coverage_loss(c, EV_CGROUP, (struct ww_boot){100 + i}, WW_LOSS_RING_DATA, 1, 10);
		feed(c, ev_tick(100 + i));
	}
	assert_int_equal(ask(c, 0, 10000).lost_events, 2000);
	assert_int_equal(ask(c, 0, 10000).lost_bytes, 20000);
	assert_true(ask(c, 1500, 1500).lost_events > 0);
}

static void enter_and_leave(struct ww_coverage *c, uint64_t cgroup, uint64_t t, bool leave)
{
	for (int entered = 1; entered >= !leave; entered--) {
		struct ww_event_scope *ev = ev_make(sizeof(*ev), WW_EVENT_SCOPE, t, 0, 0);

		ev->h.cgroup = cgroup;
		ev->entered = (uint8_t)entered;
		feed(c, ev);
	}
}

static bool known(const struct ww_coverage *c, uint64_t cgroup)
{
	struct ww_coverage_answer a;

	ww_coverage_query(c, cgroup, (struct ww_boot){0}, (struct ww_boot){9}, &a);
	return a.known;
}

static void count_scope(void *ctx, uint64_t cgroup)
{
	(*(unsigned *)ctx)++;
}

/* A daemon sees more runs than it can remember: the oldest that are over make room. */
static void scopes_are_bounded(void **state)
{
	WW_AUTO(ww_coverage_free_auto) struct ww_coverage *c = covered();
	unsigned all = 0, living = 0;

	for (unsigned i = 0; i < 3 * WW_SCOPE_CGROUPS_MAX; i++) {
		enter_and_leave(c, 100000 - i, 100 + i, true);
		assert_true(known(c, 100000 - i));
	}
	assert_true(known(c, EV_CGROUP)); /* it was never left */
	assert_false(known(c, 100000));
	ww_coverage_each(c, true, count_scope, &all);
	ww_coverage_each(c, false, count_scope, &living);
	assert_int_equal(all, WW_SCOPE_CGROUPS_MAX);
	assert_int_equal(living, 1);

	ww_coverage_expire(c, (struct ww_boot){100 + 3 * WW_SCOPE_CGROUPS_MAX - 1});
	assert_true(known(c, EV_CGROUP));
	assert_true(known(c, 100000 - 3 * WW_SCOPE_CGROUPS_MAX + 1));
	assert_false(known(c, 100000 - 3 * WW_SCOPE_CGROUPS_MAX + 2));

	for (unsigned i = 0; i < WW_SCOPE_CGROUPS_MAX - 2; i++)
		enter_and_leave(c, 200000 + i, 50000, false);
	assert_true(known(c, 200000));
	enter_and_leave(c, 300000, 60000, false); /* the last one over made room */
	assert_true(known(c, 300000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(windows),
		cmocka_unit_test(left_empty),
		cmocka_unit_test(unknown_scope),
		cmocka_unit_test(losses_reach_back),
		cmocka_unit_test(losses_that_last),
		cmocka_unit_test(cap_is_no_loss),
		cmocka_unit_test(unix_peers),
		cmocka_unit_test(unbound_is_no_loss),
		cmocka_unit_test(gaps_and_raw),
		cmocka_unit_test(marks_are_bounded),
		cmocka_unit_test(scopes_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
