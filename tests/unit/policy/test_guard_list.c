/* SPDX-License-Identifier: Apache-2.0 */
/* The guard's list against a reading of its rules that looks at all of them, each time. Numbers are
 * those of the invariants in guard_list.h. */
#include "policy/guard_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>

#include "base/own.h"
#include "policy/where.h"

static struct ww_cidr cidr(const char *text)
{
	struct ww_cidr c;

	assert_int_equal(ww_cidr_parse(ww_slice_str(text), &c), 0);
	return c;
}

static struct ww_endpoint endpoint(const char *text)
{
	struct ww_endpoint e = {.family = strchr(text, ':') ? AF_INET6 : AF_INET};

	assert_int_equal(inet_pton(e.family, text, e.addr), 1);
	return e;
}

static struct ww_guard_list *new_list(void)
{
	struct ww_guard_list *l = NULL;

	assert_int_equal(ww_guard_list_new(&l), 0);
	return l;
}

static void add(struct ww_guard_list *l, const char *prefix, bool deny, unsigned layer,
		uint64_t agents)
{
	struct ww_guard_rule r = {.prefix = cidr(prefix),
				  .deny = deny,
				  .layer = (uint8_t)layer,
				  .why = WW_GUARD_WHY_POLICY,
				  .agents = agents};

	assert_int_equal(ww_guard_list_add(l, &r), 0);
}

/* What the kernel does with the entries: the longest one that has the address. */
static uint64_t look_up(const struct ww_guard_list *l, const struct ww_endpoint *to)
{
	uint8_t addr[16] = {[10] = 0xff, [11] = 0xff};
	const struct ww_guard_entry *e, *best = NULL;
	uint32_t count;

	if (to->family == AF_INET)
		memcpy(addr + 12, to->addr, 4);
	else
		memcpy(addr, to->addr, 16);
	e = ww_guard_list_entries(l, &count);
	for (uint32_t i = 0; i < count; i++) {
		bool has = true;

		for (unsigned bit = 0; bit < e[i].bits && has; bit++)
			has = ((addr[bit / 8] ^ e[i].addr[bit / 8]) & (0x80u >> bit % 8)) == 0;
		if (has && (!best || e[i].bits > best->bits))
			best = &e[i];
	}
	assert_non_null(best);
	return best->deny;
}

static bool denies(const struct ww_guard_list *l, const char *to)
{
	struct ww_endpoint e = endpoint(to);
	unsigned agent;
	bool by_rule = ww_guard_list_why(l, 1, &e, &agent) != NULL;

	assert_int_equal(look_up(l, &e) & 1, by_rule);
	return by_rule;
}

static void longest(void **state)
{
	WW_AUTO(ww_guard_list_free_auto) struct ww_guard_list *l = new_list();

	add(l, "203.0.0.0/16", true, WW_GUARD_POLICY, 1);
	add(l, "203.0.113.0/24", false, WW_GUARD_POLICY, 1);
	add(l, "203.0.113.9", true, WW_GUARD_POLICY, 1);
	add(l, "2001:db8::/32", true, WW_GUARD_POLICY, 1);
	assert_int_equal(ww_guard_list_seal(l), 0);
	assert_true(denies(l, "203.0.1.1"));
	assert_false(denies(l, "203.0.113.1"));
	assert_true(denies(l, "203.0.113.9"));
	assert_true(denies(l, "::ffff:203.0.113.9")); /* 3 */
	assert_false(denies(l, "203.1.0.0"));
	assert_true(denies(l, "2001:db8:1::1"));
	assert_false(denies(l, "2001:db9::"));
}

static void layers(void **state)
{
	WW_AUTO(ww_guard_list_free_auto) struct ww_guard_list *l = new_list();

	add(l, "203.0.113.0/24", false, WW_GUARD_POLICY, 1); /* longer, and lower */
	add(l, "203.0.0.0/16", true, WW_GUARD_COMMAND, 1);
	add(l, "198.51.100.0/24", true, WW_GUARD_DERIVED, 1);
	add(l, "198.51.0.0/16", false, WW_GUARD_POLICY, 1);
	add(l, "192.0.2.0/24", false, WW_GUARD_POLICY, 1);
	add(l, "192.0.2.0/24", true, WW_GUARD_POLICY, 1); /* the later one */
	assert_int_equal(ww_guard_list_seal(l), 0);
	assert_true(denies(l, "203.0.113.1"));
	assert_false(denies(l, "198.51.100.1"));
	assert_true(denies(l, "192.0.2.1"));
}

static void local(void **state)
{
	static const char *const apart[] = {
		"127.0.0.1", "10.1.2.3", "192.168.0.1", "100.64.0.1", "169.254.169.254",
		"224.0.0.1", "::1",      "fe80::1",     "fd00::1",    "0.0.0.0"};
	WW_AUTO(ww_guard_list_free_auto) struct ww_guard_list *l = new_list();

	add(l, "0.0.0.0/0", true, WW_GUARD_POLICY, 1);
	add(l, "8.0.0.0/6", true, WW_GUARD_POLICY, 1);
	add(l, "::/0", true, WW_GUARD_POLICY, 1);
	add(l, "10.7.0.0/16", true, WW_GUARD_POLICY, 1);
	assert_int_equal(ww_guard_list_seal(l), 0);
	for (size_t i = 0; i < WW_ARRAY_SIZE(apart); i++)
		assert_false(denies(l, apart[i])); /* 2 */
	assert_true(denies(l, "10.7.1.1"));
	assert_true(denies(l, "9.9.9.9"));
	assert_true(denies(l, "11.0.0.0"));
	assert_true(denies(l, "2001:db8::1"));
}

static void all_of_an_agent(void **state)
{
	WW_AUTO(ww_guard_list_free_auto) struct ww_guard_list *l = new_list();
	struct ww_guard_rule r = {.deny = true, .layer = WW_GUARD_COMMAND, .agents = 1};

	assert_int_equal(ww_guard_list_add_all(l, &r), 0);
	assert_int_equal(ww_guard_list_seal(l), 0);
	assert_true(denies(l, "10.1.2.3"));
	assert_true(denies(l, "fd00::1"));
	assert_true(denies(l, "203.0.113.1"));
	assert_true(denies(l, "2001:db8::1"));
	assert_false(denies(l, "127.0.0.1"));
	assert_false(denies(l, "::1"));
	assert_false(denies(l, "0.0.0.0"));
}

/* --- drawn -------------------------------------------------------------------------------------
 */

#define RULES  60u
#define ASKED  200u
#define ROUNDS 300u

static uint32_t seed;

static uint32_t draw(uint32_t below)
{
	seed = seed * 1664525u + 1013904223u;
	return (uint32_t)(((uint64_t)seed * below) >> 32);
}

/* Few addresses that lie close, around the borders of the local networks. */
static void draw_address(uint16_t *ret_family, uint8_t addr[16])
{
	static const char *const near[] = {"9.255.255.255",
					   "10.0.0.0",
					   "10.0.1.0",
					   "10.255.255.255",
					   "126.255.255.255",
					   "127.0.0.1",
					   "203.0.113.7",
					   "203.0.112.0",
					   "fc00::",
					   "fbff:ffff::",
					   "2001:db8::",
					   "2001:db8::1",
					   "::1",
					   "::2",
					   "ff02::1"};
	struct ww_endpoint e = endpoint(near[draw(WW_ARRAY_SIZE(near))]);
	unsigned bytes = e.family == AF_INET ? 4 : 16;

	memset(addr, 0, 16);
	memcpy(addr, e.addr, bytes);
	if (draw(2))
		addr[draw(bytes)] ^= (uint8_t)(1u << draw(8));
	*ret_family = e.family;
}

static struct ww_guard_rule draw_rule(void)
{
	struct ww_guard_rule r = {.deny = draw(3) > 0,
				  .layer = (uint8_t)draw(WW_GUARD_LAYERS),
				  .agents = draw(3) ? 1ull << draw(3) : 7};
	uint16_t family;
	unsigned bytes;

	draw_address(&family, r.prefix.addr);
	bytes = family == AF_INET ? 4 : 16;
	r.prefix.family = (uint8_t)family;
	r.prefix.bits = (uint8_t)draw(bytes * 8 + 1);
	for (unsigned bit = r.prefix.bits; bit < bytes * 8; bit++)
		r.prefix.addr[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
	return r;
}

/* The header's words, one after the other. NULL: nothing decides, or it is allowed. */
static const struct ww_guard_rule *read_rules(const struct ww_guard_rule *rules, uint64_t agent,
					      const struct ww_endpoint *to)
{
	const struct ww_cidr *apart = ww_where_apart(to);

	for (unsigned layer = WW_GUARD_LAYERS; layer-- > 0;) {
		const struct ww_guard_rule *best = NULL;

		for (unsigned i = 0; i < RULES; i++) {
			if (rules[i].layer == layer && (rules[i].agents & agent) &&
			    ww_cidr_has(&rules[i].prefix, to) &&
			    (!best || rules[i].prefix.bits >= best->prefix.bits))
				best = &rules[i];
		}
		if (best && best->deny && apart && best->prefix.bits < apart->bits)
			best = NULL;
		if (best)
			return best->deny ? best : NULL;
	}
	return NULL;
}

static void one_round(void)
{
	WW_AUTO(ww_guard_list_free_auto) struct ww_guard_list *l = new_list();
	struct ww_guard_rule rules[RULES];

	for (unsigned i = 0; i < RULES; i++) {
		rules[i] = draw_rule();
		assert_int_equal(ww_guard_list_add(l, &rules[i]), 0);
	}
	assert_int_equal(ww_guard_list_seal(l), 0);
	for (unsigned i = 0; i < ASKED; i++) {
		struct ww_endpoint to = {.port = 443};
		uint64_t deny;

		draw_address(&to.family, to.addr);
		deny = look_up(l, &to);
		for (unsigned agent = 0; agent < 3; agent++) {
			const struct ww_guard_rule *want = read_rules(rules, 1ull << agent, &to);
			const struct ww_guard_rule *got;
			unsigned who = 99;

			got = ww_guard_list_why(l, 1ull << agent, &to, &who);
			assert_int_equal(deny >> agent & 1, want != NULL);
			assert_int_equal(got != NULL, want != NULL);
			if (!want)
				continue;
			assert_int_equal(who, agent);
			assert_memory_equal(&got->prefix, &want->prefix, sizeof(want->prefix));
		}
	}
}

static void as_the_rules(void **state)
{
	seed = 7;
	for (unsigned i = 0; i < ROUNDS; i++)
		one_round();
}

/* 4: what makes no difference is in no entry, and in no digest. */
static void entries(void **state)
{
	WW_AUTO(ww_guard_list_free_auto) struct ww_guard_list *a = new_list();
	WW_AUTO(ww_guard_list_free_auto) struct ww_guard_list *b = new_list();
	struct ww_sha256 x, y;
	uint32_t count;

	add(a, "203.0.113.0/24", true, WW_GUARD_POLICY, 1);
	add(a, "203.0.113.128/25", true, WW_GUARD_POLICY, 1);
	add(a, "198.51.100.0/24", false, WW_GUARD_POLICY, 1);
	add(b, "203.0.113.0/24", true, WW_GUARD_COMMAND, 1);
	assert_int_equal(ww_guard_list_seal(a), 0);
	assert_int_equal(ww_guard_list_seal(b), 0);
	(void)ww_guard_list_entries(a, &count);
	assert_int_equal(count, 2); /* ::/0 and the one */
	x = ww_guard_list_digest(a);
	y = ww_guard_list_digest(b);
	assert_memory_equal(x.b, y.b, sizeof(x.b));
}

static void full(void **state)
{
	WW_AUTO(ww_guard_list_free_auto) struct ww_guard_list *l = new_list();
	struct ww_guard_rule r = {
		.deny = true, .agents = 1, .prefix = {.bits = 32, .family = AF_INET}};

	for (uint32_t i = 0; i < WW_GUARD_RULES_MAX; i++) {
		uint32_t address = htonl(0x0b000000u + i);

		memcpy(r.prefix.addr, &address, sizeof(address));
		assert_int_equal(ww_guard_list_add(l, &r), 0);
	}
	assert_int_equal(ww_guard_list_add(l, &r), -E2BIG);
	assert_int_equal(ww_guard_list_seal(l), -E2BIG); /* with ::/0 one entry too many */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(longest), cmocka_unit_test(layers),
		cmocka_unit_test(local),   cmocka_unit_test(all_of_an_agent),
		cmocka_unit_test(entries), cmocka_unit_test(as_the_rules),
		cmocka_unit_test(full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
