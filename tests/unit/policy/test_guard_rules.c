/* SPDX-License-Identifier: Apache-2.0 */
/* What of policy and tables becomes rules, against what the placement says of each single address.
 */
#include "policy/guard_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include <arpa/inet.h>

#include "policy/placement.h"

static const char policy_text[] =
	"version: 1\n"
	"regions:\n"
	"  - {name: eu, labels: [\"eu-*\"]}\n"
	"  - {name: us, labels: [\"us-*\"]}\n"
	"agents:\n"
	"  - {name: prog, cgroup: \"/a/*\", program: [/bin/x], allowed_regions: [us]}\n"
	"  - {name: fail, cgroup: \"/a/*\", allowed_regions: [eu]}\n"
	"  - {name: deny, cgroup: \"/b\", allowed_regions: [eu], on_unlisted: deny}\n"
	"  - {name: home, cgroup: \"/c\", allowed_homes: [DE]}\n"
	"  - {name: free, cgroup: \"/d\"}\n"
	"guard: {mode: enforce, deny: [192.0.2.0/24, 192.0.2.7], allow: [192.0.2.7, 192.0.2.8]}\n";

static struct ww_policy *policy(void)
{
	struct ww_contract_error error = {0};
	struct ww_policy *p = NULL;

	if (ww_policy_parse(ww_slice_str(policy_text), &p, &error) < 0)
		fail_msg("%u: %s", error.line, error.text);
	return p;
}

static uint32_t seed;

static uint32_t draw(uint32_t below)
{
	seed = seed * 1664525u + 1013904223u;
	return (uint32_t)(((uint64_t)seed * below) >> 32);
}

/* Nested networks of 203.0.112.0/20, 10.0.0.0/8 and 2001:db8::/32. */
static void draw_prefix(struct ww_cidr *c)
{
	static const uint8_t six[4] = {0x20, 0x01, 0x0d, 0xb8};
	bool is_six = draw(4) == 0;
	unsigned bytes = is_six ? 16 : 4;

	*c = (struct ww_cidr){.family = is_six ? AF_INET6 : AF_INET};
	if (is_six)
		memcpy(c->addr, six, sizeof(six));
	else if (draw(5) == 0)
		c->addr[0] = 10;
	else
		memcpy(c->addr, (const uint8_t[]){203, 0, (uint8_t)(112 + draw(16))}, 3);
	c->addr[is_six ? 4 : 3] = (uint8_t)draw(256);
	c->bits = (uint8_t)(is_six ? 32 + draw(9) : 20 + draw(13));
	for (unsigned bit = c->bits; bit < bytes * 8; bit++)
		c->addr[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
}

static struct ww_tables *draw_tables(void)
{
	static const char *const regions[] = {"eu-west-1", "us-east-1", "ap-1", ""};
	static const char *const names[] = {"aws", "other"};
	struct ww_tables_file file = {.shape = "yaml", .as_of = "2026-11-01"};
	struct ww_tables *t = NULL;

	assert_int_equal(ww_tables_new(&t), 0);
	for (unsigned k = 0; k < WW_ARRAY_SIZE(names); k++) {
		struct ww_tables_operator o = {.basis = WW_TABLES_CONTRACT,
					       .valid = WW_TABLES_ALWAYS};

		snprintf(file.name, sizeof(file.name), "%c.yaml", "ab"[k]);
		assert_int_equal(ww_tables_add(t, &file), 0);
		snprintf(o.name, sizeof(o.name), "%s", names[k]);
		snprintf(o.home, sizeof(o.home), "%s", k ? "DE" : "US");
		assert_int_equal(ww_tables_add_operator(t, &o), 0);
		for (unsigned i = 0; i < 40; i++) {
			struct ww_tables_words w = {.operator_name = ww_slice_str(names[k]),
						    .region = ww_slice_str(regions[draw(4)]),
						    .basis = WW_TABLES_CONTRACT,
						    .valid = WW_TABLES_ALWAYS};
			struct ww_cidr c;

			draw_prefix(&c);
			if (draw(6) == 0)
				w.valid.until = 20000; /* over */
			assert_int_equal(ww_tables_add_row(t, &c, &w, i + 1), 0);
		}
	}
	assert_int_equal(ww_tables_seal(t), 0);
	return t;
}

static uint8_t expected(const struct ww_policy *p, const struct ww_tables *t, struct ww_wall at,
			const struct ww_policy_agent *a, const struct ww_endpoint *to)
{
	struct ww_placement_ask ask = {.policy = p, .agent = a, .tables = t, .peer = *to, .at = at};
	struct ww_placement pl;

	if (!a->asks_region && !a->asks_home)
		return WW_GUARD_WHY_UNKNOWN;
	ww_placement_of(&ask, &pl);
	if (pl.region == WW_STANDING_FORBIDDEN)
		return WW_GUARD_WHY_REGION;
	if (pl.home == WW_STANDING_FORBIDDEN)
		return WW_GUARD_WHY_HOME;
	if (a->on_unlisted == WW_POLICY_UNLISTED_DENY && !pl.local &&
	    (pl.region == WW_STANDING_UNLISTED || pl.home == WW_STANDING_UNLISTED))
		return WW_GUARD_WHY_UNLISTED;
	return WW_GUARD_WHY_UNKNOWN; /* none: it goes */
}

static void one_round(const struct ww_policy *p, struct ww_wall at, unsigned *counts)
{
	WW_AUTO(ww_tables_free_auto) struct ww_tables *t = draw_tables();
	WW_AUTO(ww_guard_list_free_auto) struct ww_guard_list *l = NULL;
	WW_AUTO(ww_guard_derived_done) struct ww_guard_derived d = {.rules = NULL};

	assert_int_equal(ww_guard_list_new(&l), 0);
	assert_int_equal(ww_guard_rules_derive(p, t, at, &d), 0);
	for (uint32_t i = 0; i < d.count; i++)
		assert_int_equal(ww_guard_list_add(l, &d.rules[i]), 0);
	assert_int_equal(ww_guard_list_seal(l), 0);
	for (unsigned i = 0; i < 300; i++) {
		struct ww_endpoint to = {.port = 443};
		struct ww_cidr c;

		draw_prefix(&c);
		to.family = c.family;
		memcpy(to.addr, c.addr, sizeof(to.addr));
		to.addr[c.family == AF_INET ? 3 : 15] = (uint8_t)draw(256);
		for (unsigned a = 0; a < p->agent_count; a++) {
			unsigned who;
			const struct ww_guard_rule *r =
				ww_guard_list_why(l, 1ull << (a + 1), &to, &who);
			uint8_t want = expected(p, t, at, &p->agents[a], &to);

			assert_int_equal(r ? r->why : WW_GUARD_WHY_UNKNOWN, want);
			counts[want]++;
		}
	}
}

static void as_placed(void **state)
{
	WW_AUTO(ww_policy_free_auto) struct ww_policy *p = policy();
	struct ww_wall at = {1780000000ull * 1000000000ull};
	unsigned counts[WW_GUARD_WHY_MAX] = {0};

	seed = 11;
	for (unsigned i = 0; i < 60; i++)
		one_round(p, at, counts);
	assert_true(counts[WW_GUARD_WHY_REGION] > 100 && counts[WW_GUARD_WHY_HOME] > 100 &&
		    counts[WW_GUARD_WHY_UNLISTED] > 100 && counts[WW_GUARD_WHY_UNKNOWN] > 100);
}

static void agents(void **state)
{
	WW_AUTO(ww_policy_free_auto) struct ww_policy *p = policy();
	bool by_program = true;

	/* One that asks for a program may be it or not: the next ones count as well. */
	assert_int_equal(ww_guard_rules_agents(p, ww_slice_str("/a/1")), 2 | 4);
	assert_int_equal(ww_guard_rules_agents(p, ww_slice_str("/b")), 8);
	assert_int_equal(ww_guard_rules_agents(p, ww_slice_str("/elsewhere")), 1);
	assert_int_equal(ww_guard_rules_agents(NULL, ww_slice_str("/b")), 1);
	assert_int_equal(ww_guard_rules_agent(p, ww_slice_str("deny"), &by_program), 8);
	assert_false(by_program);
	assert_int_equal(ww_guard_rules_agent(p, ww_slice_str("prog"), &by_program), 2);
	assert_true(by_program);
	assert_int_equal(ww_guard_rules_agent(p, ww_slice_str("nobody"), &by_program), 0);
	assert_true(ww_slice_eq_str(ww_guard_rules_name(p, 3), "deny"));
	assert_int_equal(ww_guard_rules_name(p, 0).n, 0);
	assert_int_equal(ww_guard_rules_name(p, 6).n, 0);
}

static bool denied(const struct ww_guard_list *l, const char *to)
{
	struct ww_endpoint e = {.family = AF_INET};
	unsigned agent;

	assert_int_equal(inet_pton(AF_INET, to, e.addr), 1);
	return ww_guard_list_why(l, 1, &e, &agent) != NULL;
}

static void lists(void **state)
{
	WW_AUTO(ww_guard_list_free_auto) struct ww_guard_list *l = NULL;
	WW_AUTO(ww_policy_free_auto) struct ww_policy *p = policy();

	assert_int_equal(ww_guard_list_new(&l), 0);
	assert_int_equal(ww_guard_rules_lists(p, l), 0);
	assert_int_equal(ww_guard_list_seal(l), 0);
	assert_true(denied(l, "192.0.2.1"));
	assert_true(denied(l, "192.0.2.7")); /* in both */
	assert_false(denied(l, "192.0.2.8"));
}

static void region(void **state)
{
	WW_AUTO(ww_tables_free_auto) struct ww_tables *t = draw_tables();
	WW_AUTO(ww_guard_list_free_auto) struct ww_guard_list *l = NULL;
	WW_AUTO(ww_policy_free_auto) struct ww_policy *p = policy();
	struct ww_guard_rule like = {.deny = true, .layer = WW_GUARD_COMMAND, .agents = 1};
	uint32_t by_name, by_word, none;

	assert_int_equal(ww_guard_list_new(&l), 0);
	assert_int_equal(ww_guard_rules_region(p, t, ww_slice_str("us"), &like, l, &by_name), 0);
	assert_int_equal(ww_guard_rules_region(p, t, ww_slice_str("US-*"), &like, l, &by_word), 0);
	assert_int_equal(ww_guard_rules_region(p, t, ww_slice_str("mars"), &like, l, &none), 0);
	assert_true(by_name > 5);
	assert_int_equal(by_name, by_word);
	assert_int_equal(none, 0);
	assert_int_equal(ww_guard_list_rules(l), 2 * by_name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_placed),
		cmocka_unit_test(agents),
		cmocka_unit_test(lists),
		cmocka_unit_test(region),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
