/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guard's list is made of networks once, the placement of addresses one by one: of drawn
 * policies and tables both forbid the same agents the same addresses, and where they do not, that
 * is so on purpose.
 */
#include "policy/guard_rules.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "policy/placement.h"
#include "policy/tables_read.h"

#define AT     ((struct ww_wall){1795780800000000000ull}) /* 2026-11-27T12:00:00Z */
#define ROUNDS 60u
#define ROWS   40u
#define ASKED  400u

static uint64_t seed;

static unsigned draw(unsigned n)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)(seed >> 33) % n;
}

static const char *one_of(const char *const *words, unsigned n)
{
	return words[draw(n)];
}

/* Some few networks in each other, also at the edges of private ones and of all. */
static struct ww_cidr draw_network(void)
{
	static const char *const around[] = {"203.0.112.0/20", "10.0.0.0/8",    "8.0.0.0/6",
					     "0.0.0.0/0",      "9.0.0.0/8",     "11.0.0.0/8",
					     "169.254.0.0/16", "2001:db8::/32", "fd00::/8",
					     "2000::/3",       "::/0"};
	struct ww_cidr c;
	unsigned most, bits;

	assert_int_equal(ww_cidr_parse(ww_slice_str(one_of(around, WW_ARRAY_SIZE(around))), &c), 0);
	most = c.family == AF_INET ? 32 : 128;
	bits = draw(5) == 0 ? most : c.bits + draw(9);
	for (unsigned i = c.bits; i < bits && i < most; i++)
		c.addr[i / 8] |= (uint8_t)(draw(2) << (7 - i % 8));
	c.bits = (uint8_t)(bits < most ? bits : most);
	return c;
}

static struct ww_tables *draw_tables(struct ww_cidr networks[ROWS])
{
	static const char *const operators[] = {"a", "b", "c", ""};
	static const char *const regions[] = {"eu-1", "eu-2", "us-1", "x-1", "GLOBAL", ""};
	static const char homes[] = "version: 1\nas_of: 2026-11-01\noperators:\n"
				    "- {name: a, home: DE, basis: contract}\n"
				    "- {name: b, home: US, basis: contract}\n";
	struct ww_tables_error e = {0};
	struct ww_tables *t = NULL;

	assert_int_equal(ww_tables_new(&t), 0);
	assert_int_equal(ww_tables_read(t, "a.yaml", ww_slice_str(homes), &e), 0);
	for (unsigned i = 0; i < ROWS; i++) {
		struct ww_tables_words w = {
			.operator_name = ww_slice_str(one_of(operators, 4)),
			.region = ww_slice_str(one_of(regions, 6)),
			.basis = draw(3) ? WW_TABLES_CONTRACT : WW_TABLES_PUBLISHED,
			.valid = draw(8) ? WW_TABLES_ALWAYS : (struct ww_tables_time){0, 100}};

		if (i == ROWS / 2)
			assert_int_equal(
				ww_tables_add(t, &(struct ww_tables_file){.name = "b.rows"}), 0);
		networks[i] = draw_network();
		assert_int_equal(ww_tables_add_row(t, &networks[i], &w, i), 0);
	}
	assert_int_equal(ww_tables_seal(t), 0);
	return t;
}

static struct ww_policy *draw_policy(void)
{
	static const char *const regions[] = {"", ", allowed_regions: [eu]",
					      ", allowed_regions: [us]",
					      ", allowed_regions: [eu, us]"};
	static const char *const homes[] = {"", ", allowed_homes: [DE]",
					    ", allowed_homes: [DE, US]"};
	static const char *const unlisted[] = {"", ", on_unlisted: warn", ", on_unlisted: deny"};
	struct ww_contract_error e = {0};
	struct ww_policy *p = NULL;
	char text[1024];
	int n = snprintf(text, sizeof(text),
			 "version: 1\nregions: [{name: eu, labels: ['eu-*']}, "
			 "{name: us, labels: ['us-*']}]\nagents:\n");

	for (unsigned i = 0; i < 5; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n,
			      "- {name: a%u, cgroup: /a%u%s%s%s}\n", i, i, one_of(regions, 4),
			      one_of(homes, 3), one_of(unlisted, 3));
	if (ww_policy_parse(ww_slice_str(text), &p, &e) < 0)
		fail_msg("%u: %s", e.line, e.text);
	return p;
}

static struct ww_guard_list *derive(const struct ww_policy *p, const struct ww_tables *t)
{
	struct ww_guard_derived d = {0};
	struct ww_guard_list *l = NULL;
	uint32_t text;

	assert_int_equal(ww_guard_list_new(&l), 0);
	assert_int_equal(ww_guard_list_text_add(l, WW_SLICE_NULL, &text), 0);
	assert_int_equal(ww_guard_rules_derive(p, t, AT, &d), 0);
	for (uint32_t i = 0; i < d.count; i++) {
		d.rules[i].text = text;
		assert_int_equal(ww_guard_list_add(l, &d.rules[i]), 0);
	}
	ww_guard_derived_done(&d);
	assert_int_equal(ww_guard_list_seal(l), 0);
	return l;
}

/* The first, the last, or any address of a network, or the one before or behind it. */
static struct ww_endpoint draw_address(const struct ww_cidr *c)
{
	unsigned most = c->family == AF_INET ? 32 : 128, how = draw(5);
	struct ww_endpoint e = {.family = c->family, .port = 443};
	bool up = how == 4;

	memcpy(e.addr, c->addr, sizeof(e.addr));
	for (unsigned i = c->bits; i < most; i++)
		e.addr[i / 8] |= (uint8_t)((how == 1 || how == 4 ? 1
					    : how == 2           ? draw(2)
								 : 0)
					   << (7 - i % 8));
	for (unsigned i = most / 8; how >= 3 && i-- > 0;) {
		e.addr[i] = (uint8_t)(e.addr[i] + (up ? 1 : -1));
		if (e.addr[i] != (up ? 0 : 0xff))
			break;
	}
	return e;
}

static bool forbidden(const struct ww_policy *p, const struct ww_policy_agent *a,
		      const struct ww_tables *t, const struct ww_endpoint *to)
{
	struct ww_placement_ask ask = {.policy = p, .agent = a, .tables = t, .peer = *to, .at = AT};
	struct ww_placement pl;

	ww_placement_of(&ask, &pl);
	if (pl.region == WW_STANDING_FORBIDDEN || pl.home == WW_STANDING_FORBIDDEN)
		return true;
	/* What is not listed of a private network is not for the guard to deny. */
	return !pl.local && a->on_unlisted == WW_POLICY_UNLISTED_DENY &&
	       (pl.region == WW_STANDING_UNLISTED || pl.home == WW_STANDING_UNLISTED);
}

/* As the kernel side looks it up: whom the entry with the longest prefix denies. */
static uint64_t looked_up(const struct ww_guard_list *l, const struct ww_endpoint *to)
{
	struct ww_cidr addr = {.family = AF_INET6, .bits = 128};
	const struct ww_guard_entry *entries, *found = NULL;
	uint32_t count;

	memcpy(addr.addr, to->addr, sizeof(addr.addr));
	if (to->family == AF_INET) {
		memset(addr.addr, 0, 10);
		memset(addr.addr + 10, 0xff, 2);
		memcpy(addr.addr + 12, to->addr, 4);
	}
	entries = ww_guard_list_entries(l, &count);
	for (uint32_t i = 0; i < count; i++) {
		unsigned bits = entries[i].bits, whole = bits / 8;

		if (memcmp(entries[i].addr, addr.addr, whole) == 0 &&
		    (bits % 8 == 0 ||
		     (entries[i].addr[whole] ^ addr.addr[whole]) >> (8 - bits % 8) == 0) &&
		    (!found || bits >= found->bits))
			found = &entries[i];
	}
	return found ? found->deny : 0;
}

static void test_agree(void **state)
{
	unsigned denied = 0, asked = 0;

	for (unsigned round = 0; round < ROUNDS; round++) {
		struct ww_cidr networks[ROWS];
		struct ww_guard_list *l;
		struct ww_tables *t;
		struct ww_policy *p;

		seed = round + 1;
		t = draw_tables(networks);
		p = draw_policy();
		l = derive(p, t);
		for (unsigned i = 0; i < ASKED; i++) {
			struct ww_endpoint to = draw_address(&networks[draw(ROWS)]);
			uint64_t deny = looked_up(l, &to);

			for (unsigned k = 0; k < p->agent_count; k++) {
				bool want = forbidden(p, &p->agents[k], t, &to);
				char text[INET6_ADDRSTRLEN];

				asked++;
				denied += want;
				if (!(deny & 2ull << k) == want)
					fail_msg("round %u, %s for %s: %s", round,
						 inet_ntop(to.family, to.addr, text, sizeof(text)),
						 p->agents[k].name, want ? "forbidden" : "not");
			}
		}
		ww_guard_list_free(l);
		ww_tables_free(t);
		ww_policy_free(p);
	}
	assert_in_range(denied, asked / 10, asked - asked / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_agree)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
