/* SPDX-License-Identifier: Apache-2.0 */
/* The rule of paths by itself: every ground that is set takes the good end away by its name, and a
 * violation needs all of its own. */
#include "judge/path_rule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static struct ww_path_ground leg;
static struct ww_path_grounds grounds;

static int set_up(void **state)
{
	leg = (struct ww_path_ground){.evidence = WW_EVIDENCE_E4, .join = WW_JOIN_EXACT};
	grounds = (struct ww_path_grounds){.asked = true,
					   .legs = &leg,
					   .count = 1,
					   .known = true,
					   .whole = true,
					   .covered = true};
	return 0;
}

static void expect(enum ww_verdict verdict, enum ww_reason reason)
{
	struct ww_path_ruling r;

	ww_path_rule(&grounds, &r);
	assert_int_equal(r.verdict, verdict);
	assert_int_equal(r.reason, reason);
	if (reason)
		assert_true(r.open & (1u << reason));
}

static void expect_none(void)
{
	struct ww_path_ruling r;

	ww_path_rule(&grounds, &r);
	assert_int_equal(r.verdict, WW_VERDICT_UNVERIFIABLE);
	assert_int_equal(r.reason, WW_REASON_OUTCOME_UNKNOWN);
}

#define WITHIN WW_VERDICT_WITHIN_POLICY_TO_HORIZON

/* Sets one ground, expects its reason, takes it back. */
#define OPENS(member, value, why)                                 \
	do {                                                      \
		__typeof__(member) was_ = member;                 \
		member = value;                                   \
		expect(WW_VERDICT_UNVERIFIABLE, WW_REASON_##why); \
		member = was_;                                    \
		expect(WITHIN, WW_REASON_NONE);                   \
	} while (0)

static void each_ground(void **state)
{
	expect(WITHIN, WW_REASON_NONE);
	OPENS(leg.join, WW_JOIN_AMBIGUOUS, AMBIGUOUS_JOIN);
	OPENS(leg.join, WW_JOIN_NONE, AMBIGUOUS_JOIN);
	OPENS(leg.unresolved, true, ACTOR_UNRESOLVED);
	OPENS(leg.impossible, true, LABEL_IMPOSSIBLE);
	OPENS(leg.ambiguous, true, LABEL_AMBIGUOUS);
	OPENS(leg.unlisted, true, NO_CONTRACT);
	OPENS(leg.local, true, REMOTE_EXECUTOR);
	OPENS(leg.shared, true, SHARED_CONNECTION);
	OPENS(leg.incomplete, true, PLAINTEXT_INCOMPLETE);
	OPENS(grounds.dropped, 1, EVENT_LOSS);
	OPENS(grounds.forgotten, true, EVENT_LOSS);
	OPENS(grounds.lost, 1, EVENT_LOSS);
	OPENS(grounds.orphans, true, ACTOR_UNRESOLVED);
	OPENS(grounds.early, true, COVERAGE_GAP);
	OPENS(grounds.known, false, COVERAGE_GAP);
	OPENS(grounds.whole, false, COVERAGE_GAP);
	OPENS(grounds.covered, false, COVERAGE_GAP);
	OPENS(grounds.gaps, 1, COVERAGE_GAP);
	OPENS(grounds.unix_peers, 1, REMOTE_EXECUTOR);
	OPENS(grounds.raw_sockets, 1, PLAINTEXT_INCOMPLETE);
	OPENS(grounds.unbound, 1, PLAINTEXT_INCOMPLETE);
	/* A path without a leg is none. */
	grounds.count = 0;
	expect_none();
}

static void each_unread(void **state)
{
#define REASON_(n, t, r) [WW_PATH_UNREAD_##n] = WW_REASON_##r,
	static const enum ww_reason reasons[WW_PATH_UNREAD_MAX] = {WW_PATH_UNREADS(REASON_)};

	for (unsigned u = 0; u < WW_PATH_UNREAD_MAX; u++) {
		assert_string_not_equal(ww_path_unread_name(u), "unknown");
		grounds.unread = 1u << u;
		expect(WW_VERDICT_UNVERIFIABLE, reasons[u]);
	}
	assert_string_equal(ww_path_unread_name(WW_PATH_UNREAD_MAX), "unknown");
}

/* Bytes acknowledged, for certain, where they may not go: nothing else matters then. */
static void violation(void **state)
{
	struct ww_path_ruling r;

	leg.forbidden = true;
	leg.evidence = WW_EVIDENCE_E2;
	expect(WW_VERDICT_VIOLATION, WW_REASON_NONE);
	ww_path_rule(&grounds, &r);
	assert_int_equal(r.open, 0); /* that they were acknowledged is known */
	grounds.lost = grounds.gaps = 1;
	grounds.whole = false;
	leg.ambiguous = leg.contradicted = true;
	expect(WW_VERDICT_VIOLATION, WW_REASON_NONE);
	set_up(NULL);
	leg.forbidden = true;
	leg.evidence = WW_EVIDENCE_E1;
	expect(WW_VERDICT_UNVERIFIABLE, WW_REASON_OUTCOME_UNKNOWN);
	leg.evidence = WW_EVIDENCE_E4;
	leg.join = WW_JOIN_AMBIGUOUS;
	expect(WW_VERDICT_UNVERIFIABLE, WW_REASON_AMBIGUOUS_JOIN);
	leg.join = WW_JOIN_UNIQUE;
	leg.unresolved = true;
	expect(WW_VERDICT_UNVERIFIABLE, WW_REASON_ACTOR_UNRESOLVED);
	leg.unresolved = false;
	expect(WW_VERDICT_VIOLATION, WW_REASON_NONE);
	grounds.asked = false;
	expect(WW_VERDICT_NOT_APPLICABLE, WW_REASON_NONE);
}

static void contradiction(void **state)
{
	leg.contradicted = true;
	expect(WW_VERDICT_CLAIM_CONTRADICTED, WW_REASON_NONE);
	grounds.lost = 1;
	expect(WW_VERDICT_CLAIM_CONTRADICTED, WW_REASON_NONE);
	leg.join = WW_JOIN_AMBIGUOUS;
	expect(WW_VERDICT_UNVERIFIABLE, WW_REASON_AMBIGUOUS_JOIN);
	set_up(NULL);
	leg.contradicted = leg.ambiguous = true;
	expect(WW_VERDICT_UNVERIFIABLE, WW_REASON_LABEL_AMBIGUOUS);
}

/* The first of several in the order in which they are said. */
static void order(void **state)
{
	struct ww_path_ruling r;
	unsigned i = 0;

	leg.unlisted = true;
	grounds.lost = 1;
	grounds.unix_peers = 1;
	ww_path_rule(&grounds, &r);
	assert_int_equal(r.reason, WW_REASON_NO_CONTRACT);
	assert_string_equal(ww_path_open(r.open, &i), "NO_CONTRACT");
	assert_string_equal(ww_path_open(r.open, &i), "REMOTE_EXECUTOR");
	assert_string_equal(ww_path_open(r.open, &i), "EVENT_LOSS");
	assert_null(ww_path_open(r.open, &i));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(each_ground, set_up),
		cmocka_unit_test_setup(each_unread, set_up),
		cmocka_unit_test_setup(violation, set_up),
		cmocka_unit_test_setup(contradiction, set_up),
		cmocka_unit_test_setup(order, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
