/* SPDX-License-Identifier: Apache-2.0 */
/* What is said of one peer for one agent. The numbers in names are those of placement.h. */
#include "policy/placement.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "policy/tables_read.h"

#define AT ((struct ww_wall){1795780800000000000ull}) /* 2026-11-27T12:00:00Z */

static const char policy_text[] =
	"version: 1\n"
	"host: {position: [50.11, 8.68], within_km: 5, source: test}\n"
	"areas:\n"
	"- {name: germany, countries: [DE]}\n"
	"- {name: america, countries: [US]}\n"
	"regions:\n"
	"- {name: frankfurt, labels: [eu-central-1], area: germany}\n"
	"- {name: eu, labels: [eu-*, DE]}\n"
	"- {name: us, labels: ['us-*', northcentralus, IAD], area: america}\n"
	"agents:\n"
	"- {name: both, cgroup: /both, allowed_regions: [eu, frankfurt], allowed_homes: [DE]}\n"
	"- {name: place, cgroup: /place, allowed_regions: [eu, frankfurt]}\n"
	"- {name: strict, cgroup: /strict, allowed_regions: [frankfurt]}\n"
	"- {name: law, cgroup: /law, allowed_homes: [DE, IE]}\n"
	"- {name: free, cgroup: /free}\n";

static const char tables_text[] =
	"version: 1\n"
	"as_of: 2026-11-01\n"
	"operators:\n"
	"- {name: de-op, home: DE, basis: contract}\n"
	"- {name: us-op, home: US, basis: contract}\n"
	"- {name: was-de, home: DE, basis: contract, valid_until: 2026-11-26}\n"
	"- {name: will-be-de, home: DE, basis: contract, valid_from: 2026-11-28}\n"
	"- {name: two, home: DE, basis: contract}\n"
	"prefixes:\n"
	"- {cidr: [192.0.2.0/28], operator: de-op, region: eu-1, basis: contract}\n"
	"- {cidr: [192.0.2.16/28], operator: us-op, region: us-1, basis: contract}\n"
	"- {cidr: [192.0.2.32/28], operator: us-op, region: eu-1, basis: contract}\n"
	"- {cidr: [192.0.2.48/28], operator: nobody, region: eu-1, basis: contract}\n"
	"- {cidr: [192.0.2.64/28], operator: was-de, region: eu-1, basis: contract}\n"
	"- {cidr: [192.0.2.80/28], operator: will-be-de, region: eu-1, basis: contract}\n"
	"- {cidr: [192.0.2.96/28], operator: de-op, region: ap-1, basis: contract}\n"
	"- {cidr: [192.0.2.112/28], operator: de-op, region: Global, basis: contract}\n"
	"- {cidr: [192.0.2.128/28], operator: de-op, basis: contract}\n"
	"- {cidr: [192.0.2.144/28], operator: de-op, region: eu-1, basis: contract}\n"
	"- {cidr: [192.0.2.144/28], operator: de-op, region: us-1, basis: contract}\n"
	"- {cidr: [192.0.2.160/27], operator: de-op, region: eu-1, basis: contract}\n"
	"- {cidr: [192.0.2.160/28], operator: de-op, region: us-1, basis: contract,\n"
	"   valid_until: 2026-11-26}\n"
	"- {cidr: [192.0.2.192/28], operator: de-op, region: eu-2, basis: contract}\n"
	"- {cidr: [192.0.2.192/28], operator: de-op, region: eu-1, basis: contract}\n"
	"- {cidr: [192.0.2.208/28], operator: two, region: eu-central-1, basis: contract}\n"
	"- {cidr: [192.0.2.224/28], operator: de-op, region: eu-1, basis: contract,\n"
	"   valid_from: 2026-11-28}\n"
	"- {cidr: [0.0.0.0/0, '::/0'], operator: us-op, region: us-1, basis: contract}\n"
	"- {cidr: [10.7.0.0/16, 'fd00:7::/32'], operator: de-op, region: eu-1, basis: contract}\n"
	"- {cidr: [10.8.0.0/16], operator: de-op, region: eu-1, basis: contract,\n"
	"   valid_until: 2026-11-26}\n"
	"- {cidr: [127.0.0.0/8, '::1/128', 0.0.0.0/32], operator: de-op, region: eu-1,\n"
	"   basis: contract}\n"
	"- {cidr: [169.254.169.254/32], operator: de-op, region: eu-1, basis: contract}\n"
	"- {cidr: ['2001:db8:1::/48'], operator: de-op, region: eu-1, basis: contract}\n";

static const char names_text[] =
	"version: 1\n"
	"as_of: 2026-11-02\n"
	"operators:\n"
	"- {name: two, home: US, basis: contract}\n"
	"prefixes:\n"
	"- {hosts: ['*.de.example'], operator: de-op, region: eu-1, basis: contract}\n"
	"- {hosts: ['*.us.example'], operator: us-op, region: us-1, basis: contract}\n"
	"- {hosts: ['old.de.example'], operator: de-op, region: eu-1, basis: contract,\n"
	"   valid_until: 2026-11-26}\n"
	"- {cidr: [203.0.113.0/24], operator: net-op, basis: contract}\n";

static struct ww_policy *policy;
static struct ww_tables *tables;

static void read_into(struct ww_tables *t, const char *name, const char *text)
{
	struct ww_tables_error e = {0};

	if (ww_tables_read(t, name, ww_slice_str(text), &e) < 0)
		fail_msg("%llu: %s", (unsigned long long)e.at, e.text);
}

static void parse(const char *text, struct ww_policy **ret)
{
	struct ww_contract_error e = {0};

	if (ww_policy_parse(ww_slice_str(text), ret, &e) < 0)
		fail_msg("%u:%u: %s", e.line, e.column, e.text);
}

static int setup(void **state)
{
	parse(policy_text, &policy);
	assert_int_equal(ww_tables_new(&tables), 0);
	read_into(tables, "a.yaml", tables_text);
	read_into(tables, "b.yaml", names_text);
	return ww_tables_seal(tables);
}

static int teardown(void **state)
{
	ww_policy_free(policy);
	ww_tables_free(tables);
	return 0;
}

static struct ww_placement_ask question(const char *agent, const char *peer)
{
	struct ww_placement_ask a = {
		.policy = policy, .tables = tables, .at = AT, .rtt_counts = true};

	if (agent)
		a.agent = ww_policy_agent_named(policy, ww_slice_str(agent));
	assert_true(!agent == !a.agent);
	if (!peer[0])
		return a;
	a.peer.family = strchr(peer, ':') ? AF_INET6 : AF_INET;
	a.peer.port = 443;
	assert_int_equal(inet_pton(a.peer.family, peer, a.peer.addr), 1);
	return a;
}

static struct ww_placement place(const char *agent, const char *peer)
{
	struct ww_placement_ask a = question(agent, peer);
	struct ww_placement p;

	ww_placement_of(&a, &p);
	return p;
}

static struct ww_placement place_named(const char *agent, const char *peer, const char *name)
{
	struct ww_placement_ask a = question(agent, peer);
	struct ww_placement p;

	a.names[a.name_count++] = name;
	ww_placement_of(&a, &p);
	return p;
}

static struct ww_placement place_timed(const char *agent, const char *peer, uint32_t rtt_us,
				       uint32_t key_us)
{
	struct ww_placement_ask a = question(agent, peer);
	struct ww_placement p;

	a.rtt_min_us = rtt_us;
	a.key_holder_us = key_us;
	ww_placement_of(&a, &p);
	return p;
}

#define ALLOWED   WW_STANDING_ALLOWED
#define FORBIDDEN WW_STANDING_FORBIDDEN
#define MIXED     WW_STANDING_MIXED
#define UNLISTED  WW_STANDING_UNLISTED
#define NOT_ASKED WW_STANDING_NOT_ASKED

#define REGION    WW_PLACEMENT_OUT_OF_REGION
#define HOME      WW_PLACEMENT_OUT_OF_HOME
#define UNKNOWN   WW_PLACEMENT_UNLISTED_DESTINATION
#define AMBIGUOUS WW_PLACEMENT_LABEL_AMBIGUOUS

struct expected {
	const char *agent, *peer;
	enum ww_standing region, home;
	uint32_t findings;
	unsigned counted, told;
};

static void check(unsigned i, const struct expected *e, const struct ww_placement *p)
{
	if (p->region != e->region || p->home != e->home || p->findings != e->findings ||
	    p->counted != e->counted || p->label_count != e->told ||
	    p->ambiguous != !!(e->findings & AMBIGUOUS))
		fail_msg("%u: %s %s: region %s, home %s, findings %x, %u of %u%s", i,
			 e->agent ? e->agent : "-", e->peer, ww_standing_name(p->region),
			 ww_standing_name(p->home), p->findings, p->counted, p->label_count,
			 p->ambiguous ? ", ambiguous" : "");
}

static void test_standing(void **state)
{
	static const struct expected asked[] = {
		{"both", "192.0.2.1", ALLOWED, ALLOWED, 0, 1, 1},
		{"both", "::ffff:192.0.2.1", ALLOWED, ALLOWED, 0, 1, 1},
		{"place", "192.0.2.1", ALLOWED, NOT_ASKED, 0, 1, 1},
		{"law", "192.0.2.1", NOT_ASKED, ALLOWED, 0, 1, 1},
		{"free", "192.0.2.1", NOT_ASKED, NOT_ASKED, 0, 1, 1},
		{NULL, "192.0.2.1", NOT_ASKED, NOT_ASKED, 0, 1, 1},
		{"strict", "192.0.2.1", FORBIDDEN, NOT_ASKED, REGION, 1, 1},
		{"both", "192.0.2.17", FORBIDDEN, FORBIDDEN, REGION | HOME, 1, 1},
		{"both", "192.0.2.33", ALLOWED, FORBIDDEN, HOME, 1, 1},
		{"both", "192.0.2.49", ALLOWED, UNLISTED, UNKNOWN, 1, 1}, /* no home declared */
		{"both", "192.0.2.65", ALLOWED, UNLISTED, UNKNOWN, 1, 1}, /* no longer */
		{"both", "192.0.2.81", ALLOWED, UNLISTED, UNKNOWN, 1, 1}, /* not yet */
		{"both", "192.0.2.97", FORBIDDEN, ALLOWED, REGION, 1, 1}, /* 4: a word of none */
		{"both", "192.0.2.113", MIXED, ALLOWED, AMBIGUOUS, 1, 1}, /* 4: "Global" */
		{NULL, "192.0.2.113", NOT_ASKED, NOT_ASKED, AMBIGUOUS, 1, 1},
		{"both", "192.0.2.129", UNLISTED, ALLOWED, UNKNOWN, 1, 1}, /* says no region */
		{"both", "192.0.2.145", MIXED, ALLOWED, AMBIGUOUS, 2, 2},
		{NULL, "192.0.2.145", NOT_ASKED, NOT_ASKED, AMBIGUOUS, 2, 2},
		/* 1: neither does a shorter prefix speak for one that has expired */
		{"both", "192.0.2.161", UNLISTED, UNLISTED, UNKNOWN, 0, 1},
		{"both", "192.0.2.177", ALLOWED, ALLOWED, 0, 1, 1},
		/* two words of one region of the policy do not contradict each other */
		{"both", "192.0.2.193", ALLOWED, ALLOWED, 0, 2, 2},
		{"strict", "192.0.2.193", FORBIDDEN, NOT_ASKED, REGION, 2, 2},
		/* the first region that has the word has it alone */
		{"place", "192.0.2.209", ALLOWED, NOT_ASKED, 0, 1, 1},
		{"strict", "192.0.2.209", ALLOWED, NOT_ASKED, 0, 1, 1},
		/* two homes of one operator; what is not asked for is not ambiguous */
		{NULL, "192.0.2.209", NOT_ASKED, NOT_ASKED, AMBIGUOUS, 1, 1},
		{"law", "192.0.2.113", NOT_ASKED, ALLOWED, 0, 1, 1},
		{"law", "192.0.2.145", NOT_ASKED, ALLOWED, 0, 2, 2},
		{"free", "192.0.2.145", NOT_ASKED, NOT_ASKED, 0, 2, 2},
		{"law", "192.0.2.209", NOT_ASKED, MIXED, AMBIGUOUS, 1, 1},
		{"both", "192.0.2.225", UNLISTED, UNLISTED, UNKNOWN, 0, 1}, /* not yet */
		{"both", "2001:db8:1::1", ALLOWED, ALLOWED, 0, 1, 1},
		{"both", "2001:db8:2::1", FORBIDDEN, FORBIDDEN, REGION | HOME, 1, 1}, /* ::/0 */
		/* b.yaml has this network, without a region */
		{"place", "203.0.113.1", FORBIDDEN, NOT_ASKED, REGION, 2, 2},
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(asked); i++) {
		struct ww_placement p = place(asked[i].agent, asked[i].peer);

		check(i, &asked[i], &p);
		assert_false(p.local || p.loopback || p.by_name);
	}
}

/* 3: private and local addresses. */
static void test_local(void **state)
{
	static const struct expected asked[] = {
		{"both", "10.7.1.1", ALLOWED, ALLOWED, 0, 1, 1}, /* declared */
		{"both", "::ffff:10.7.1.1", ALLOWED, ALLOWED, 0, 1, 1},
		{"both", "fd00:7::1", ALLOWED, ALLOWED, 0, 1, 1},
		{"strict", "10.7.1.1", FORBIDDEN, NOT_ASKED, REGION, 1, 1},
		{"both", "10.8.1.1", UNLISTED, UNLISTED, UNKNOWN, 0, 1}, /* was declared */
		{"both", "10.9.1.1", NOT_ASKED, NOT_ASKED, 0, 0, 0},     /* 0.0.0.0/0 is not it */
		{"both", "192.168.0.1", NOT_ASKED, NOT_ASKED, 0, 0, 0},
		{"both", "100.64.0.1", NOT_ASKED, NOT_ASKED, 0, 0, 0},
		{"both", "fd00:8::1", NOT_ASKED, NOT_ASKED, 0, 0, 0},
		{"both", "fe80::1", NOT_ASKED, NOT_ASKED, 0, 0, 0},
		{"both", "224.0.0.1", NOT_ASKED, NOT_ASKED, 0, 0, 0},
		{"both", "169.254.169.254", ALLOWED, ALLOWED, 0, 1, 1},
		{"both", "169.254.169.253", NOT_ASKED, NOT_ASKED, 0, 0, 0},
	};
	static const char *const loopback[] = {
		"127.0.0.1", "127.9.9.9", "::1",           "::ffff:127.0.0.1",
		"0.0.0.0",   "::",        "::ffff:0.0.0.0"};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(asked); i++) {
		struct ww_placement p = place(asked[i].agent, asked[i].peer);

		check(i, &asked[i], &p);
		assert_true(p.local && !p.loopback);
	}
	for (unsigned i = 0; i < WW_ARRAY_SIZE(loopback); i++) {
		struct ww_placement_ask a = question("both", loopback[i]);
		struct ww_placement p;

		a.names[a.name_count++] = "a.us.example";
		a.rtt_min_us = 20;
		ww_placement_of(&a, &p);
		if (!p.local || !p.loopback || p.region != NOT_ASKED || p.label_count ||
		    p.findings || p.tcp.rtt_us)
			fail_msg("%s", loopback[i]);
		assert_string_equal(p.no_bound, "loopback");
	}
}

static void test_private_rows_of_others(void **state)
{
	WW_AUTO(ww_tables_free_auto) struct ww_tables *t = NULL;
	struct ww_tables_words w = {.operator_name = WW_SLICE_LIT("us-op"),
				    .region = WW_SLICE_LIT("us-1"),
				    .basis = WW_TABLES_PUBLISHED,
				    .valid = WW_TABLES_ALWAYS};
	struct ww_tables_file meta = {.name = "p.rows", .shape = "list"};
	struct ww_placement_ask a = question("both", "10.1.1.1");
	struct ww_placement p;
	struct ww_cidr c;

	assert_int_equal(ww_cidr_parse(WW_SLICE_LIT("10.0.0.0/8"), &c), 0);
	assert_int_equal(ww_tables_new(&t), 0);
	assert_int_equal(ww_tables_add(t, &meta), 0);
	assert_int_equal(ww_tables_add_row(t, &c, &w, 0), 0);
	assert_int_equal(ww_tables_seal(t), 0);
	a.tables = t;
	ww_placement_of(&a, &p);
	assert_int_equal(p.region, NOT_ASKED);
	assert_int_equal(p.labels_total, 0);
}

static void test_names(void **state)
{
	struct ww_placement p = place_named("both", "", "api.DE.example:443");
	struct ww_placement_ask a;

	check(0, &(struct expected){"both", "", ALLOWED, ALLOWED, 0, 1, 1}, &p);
	assert_true(p.by_name && p.labels[0].by_name && !p.local);
	p = place_named("both", "192.0.2.1", "api.de.example");
	check(1, &(struct expected){"both", "de", ALLOWED, ALLOWED, 0, 2, 2}, &p);
	assert_true(!p.by_name && !p.labels[0].by_name && p.labels[1].by_name);
	/* The address is listed elsewhere than the name. */
	p = place_named("both", "192.0.2.17", "api.de.example");
	check(2, &(struct expected){"both", "us", MIXED, MIXED, AMBIGUOUS, 2, 2}, &p);
	p = place_named("both", "192.0.2.1", "api.us.example");
	check(3, &(struct expected){"both", "de", MIXED, MIXED, AMBIGUOUS, 2, 2}, &p);
	/* The most exact name speaks, and it has expired. */
	p = place_named("both", "", "old.de.example");
	check(4, &(struct expected){"both", "", UNLISTED, UNLISTED, UNKNOWN, 0, 1}, &p);
	assert_false(p.by_name);
	p = place_named("both", "", "de.example");
	check(5, &(struct expected){"both", "", UNLISTED, UNLISTED, UNKNOWN, 0, 0}, &p);
	/* Names are asked of a private address where its network is declared. */
	p = place_named("both", "10.9.1.1", "api.us.example");
	assert_int_equal(p.labels_total, 0);
	p = place_named("both", "10.7.1.1", "api.de.example");
	assert_int_equal(p.counted, 2);
	/* One row is one label, however often the name is given. */
	a = question("both", "");
	a.names[a.name_count++] = "api.de.example";
	a.names[a.name_count++] = "API.de.example:8443";
	a.names[a.name_count++] = NULL;
	ww_placement_of(&a, &p);
	assert_int_equal(p.labels_total, 1);
}

static struct ww_placement place_said(const char *peer, const char *told, const char *said)
{
	struct ww_placement_ask a = question("both", peer);
	struct ww_placement p;

	if (told)
		a.names[a.name_count++] = told;
	a.names[a.name_count++] = said;
	a.said_count = 1;
	ww_placement_of(&a, &p);
	return p;
}

/* 5 */
static void test_names_said(void **state)
{
	struct ww_placement p = place_said("", NULL, "api.de.example");

	check(0, &(struct expected){"both", "", UNLISTED, UNLISTED, UNKNOWN, 1, 1}, &p);
	p = place_said("", "api.de.example", "other.example");
	check(1, &(struct expected){"both", "", ALLOWED, ALLOWED, 0, 1, 1}, &p);
	/* Two names of one row, one of which was told. */
	p = place_said("", "api.de.example", "b.de.example");
	check(2, &(struct expected){"both", "", ALLOWED, ALLOWED, 0, 1, 1}, &p);
	p = place_said("192.0.2.1", NULL, "api.de.example");
	check(3, &(struct expected){"both", "de", ALLOWED, ALLOWED, 0, 2, 2}, &p);
	/* It forbids, and takes no address's word. */
	p = place_said("", NULL, "api.us.example");
	assert_int_equal(p.region, FORBIDDEN);
	assert_true(p.findings & WW_PLACEMENT_OUT_OF_REGION);
	p = place_said("192.0.2.17", NULL, "api.de.example");
	check(4, &(struct expected){"both", "us", MIXED, MIXED, AMBIGUOUS, 2, 2}, &p);
}

/* 2: what light says. From Frankfurt, 900 us reach 135 km. */
static void test_light(void **state)
{
	struct ww_placement p = place_timed("both", "192.0.2.17", 900, 0);
	struct ww_placement_ask a;

	assert_int_equal(p.region, UNLISTED);
	assert_int_equal(p.home, UNLISTED); /* its row does not count */
	assert_int_equal(p.findings, WW_PLACEMENT_LABEL_IMPOSSIBLE | UNKNOWN);
	assert_true(p.labels[0].impossible && p.counted == 0 && p.label_count == 1);
	assert_int_equal(p.tcp.excluded, 2);
	assert_int_equal(p.tcp.rtt_us, 900);
	assert_in_range(p.tcp.hard_m, 134906, 135200);
	assert_in_range(p.tcp.fibre_m, 89937, 90200);
	assert_null(p.no_bound);
	/* The row about Germany stays. */
	p = place_timed("both", "192.0.2.209", 900, 0);
	assert_int_equal(p.counted, 1);
	assert_int_equal(p.tcp.excluded, 2);
	/* So far light goes: nothing is excluded. */
	p = place_timed("both", "192.0.2.17", 60000, 0);
	assert_int_equal(p.region, FORBIDDEN);
	assert_int_equal(p.tcp.excluded, 0);
	/* The key holder's time alone does it as well. */
	p = place_timed("both", "192.0.2.17", 60000, 2000);
	assert_true(p.labels[0].impossible);
	assert_int_equal(p.tcp.excluded, 0);
	assert_int_equal(p.key_holder.excluded, 2);
	/* Of a region without an area light says nothing. */
	p = place_timed("both", "192.0.2.1", 1, 1);
	assert_int_equal(p.counted, 1);
	/* Behind a proxy, or where nothing was measured, nothing is claimed. */
	p = place("both", "192.0.2.17");
	assert_string_equal(p.no_bound, "unmeasured");
	a = question("both", "192.0.2.17");
	a.rtt_counts = false;
	a.rtt_min_us = a.key_holder_us = 900;
	ww_placement_of(&a, &p);
	assert_string_equal(p.no_bound, "proxy");
	assert_true(p.tcp.rtt_us == 0 && p.key_holder.rtt_us == 0 && !p.labels[0].impossible);
	assert_int_equal(p.region, FORBIDDEN);
}

static void test_without_host_or_tables_or_policy(void **state)
{
	WW_AUTO(ww_policy_free_auto) struct ww_policy *other = NULL;
	struct ww_placement_ask a = question("both", "192.0.2.17");
	struct ww_placement p;

	a.tables = NULL;
	ww_placement_of(&a, &p);
	check(0, &(struct expected){"both", "", UNLISTED, UNLISTED, UNKNOWN, 0, 0}, &p);
	a = question("both", "10.9.9.9");
	a.tables = NULL;
	ww_placement_of(&a, &p);
	check(1, &(struct expected){"both", "", NOT_ASKED, NOT_ASKED, 0, 0, 0}, &p);
	a = question(NULL, "192.0.2.17");
	a.policy = NULL;
	a.rtt_min_us = 900;
	ww_placement_of(&a, &p);
	check(2, &(struct expected){NULL, "", NOT_ASKED, NOT_ASKED, 0, 1, 1}, &p);
	assert_int_equal(p.labels[0].in, WW_POLICY_NONE);
	assert_int_equal(p.tcp.rtt_us, 900);
	/* Without the host's position nothing is excluded, and nothing impossible. */
	parse("version: 1\nareas: [{name: america, countries: [US]}]\n"
	      "regions: [{name: us, labels: [us-1], area: america}]\nagents: []\n",
	      &other);
	a = question(NULL, "192.0.2.17");
	a.policy = other;
	a.rtt_min_us = 900;
	ww_placement_of(&a, &p);
	assert_true(p.counted == 1 && p.tcp.excluded == 0 && p.tcp.rtt_us == 900);
	/* A time that is not known: limited rows are not valid. */
	a = question("both", "192.0.2.161");
	a.at = (struct ww_wall){0};
	ww_placement_of(&a, &p);
	check(3, &(struct expected){"both", "", UNLISTED, UNLISTED, UNKNOWN, 0, 1}, &p);
}

static void add(struct ww_tables *t, const char *prefix, const char *operator_name,
		const char *service, const char *region, enum ww_tables_basis basis)
{
	struct ww_tables_words w = {.operator_name = ww_slice_str(operator_name),
				    .service = ww_slice_str(service),
				    .region = ww_slice_str(region),
				    .basis = basis,
				    .valid = WW_TABLES_ALWAYS};
	struct ww_cidr c;

	assert_int_equal(ww_cidr_parse(ww_slice_str(prefix), &c), 0);
	assert_int_equal(ww_tables_add_row(t, &c, &w, 0), 0);
}

static void test_several_tables(void **state)
{
	WW_AUTO(ww_tables_free_auto) struct ww_tables *t = NULL;
	static const struct expected asked[] = {
		/* a database's name of an operator need not have a home; its country speaks */
		{"both", "192.0.2.1", ALLOWED, ALLOWED, 0, 2, 2},
		{"both", "192.0.2.17", MIXED, ALLOWED, AMBIGUOUS, 2, 2},
		/* words that the policy does not know beside one that it does */
		{"both", "192.0.2.33", MIXED, ALLOWED, AMBIGUOUS, 2, 2},
		{NULL, "192.0.2.33", NOT_ASKED, NOT_ASKED, 0, 2, 2},
		{"both", "192.0.2.49", FORBIDDEN, UNLISTED, REGION | UNKNOWN, 2, 2},
		/* an operator of a table that nobody declared leaves it open */
		{"both", "192.0.2.65", ALLOWED, UNLISTED, UNKNOWN, 2, 2},
	};

	assert_int_equal(ww_tables_new(&t), 0);
	read_into(t, "a.yaml",
		  "version: 1\nas_of: 2026-11-01\n"
		  "operators: [{name: cloud, home: DE, basis: contract}]\n");
	assert_int_equal(
		ww_tables_add(t, &(struct ww_tables_file){.name = "c.rows", .shape = "aws"}), 0);
	for (unsigned i = 0; i < 5; i++) {
		static const char *const regions[] = {"eu-1", "eu-1", "eu-1", "x-1", "eu-1"};
		char prefix[32];

		snprintf(prefix, sizeof(prefix), "192.0.2.%u/28", 16 * i);
		add(t, prefix, i == 3 ? "new" : "cloud", "", regions[i], WW_TABLES_PUBLISHED);
	}
	assert_int_equal(
		ww_tables_add(t, &(struct ww_tables_file){.name = "d.mmdb", .shape = "mmdb"}), 0);
	add(t, "192.0.2.0/28", "Cloud, Inc.", "", "DE", WW_TABLES_DATABASE);
	add(t, "192.0.2.16/28", "Cloud, Inc.", "", "us-2", WW_TABLES_DATABASE);
	add(t, "192.0.2.32/28", "Cloud, Inc.", "", "FR", WW_TABLES_DATABASE);
	add(t, "192.0.2.48/28", "Cloud, Inc.", "", "us-2", WW_TABLES_DATABASE);
	add(t, "192.0.2.64/28", "other", "", "", WW_TABLES_PUBLISHED);
	assert_int_equal(ww_tables_seal(t), 0);
	for (unsigned i = 0; i < WW_ARRAY_SIZE(asked); i++) {
		struct ww_placement_ask a = question(asked[i].agent, asked[i].peer);
		struct ww_placement p;

		a.tables = t;
		ww_placement_of(&a, &p);
		check(i, &asked[i], &p);
	}
}

/* More rows than are told still count; more than can be looked at leave nothing certain. */
static void test_many_rows(void **state)
{
	for (unsigned rows = 4; rows <= 80; rows += 4) {
		WW_AUTO(ww_tables_free_auto) struct ww_tables *t = NULL;
		struct ww_placement_ask a = question("place", "192.0.2.1");
		struct ww_placement p;

		assert_int_equal(ww_tables_new(&t), 0);
		assert_int_equal(ww_tables_add(t, &(struct ww_tables_file){.name = "c.rows"}), 0);
		for (unsigned i = 0; i < rows; i++) {
			char service[16];

			snprintf(service, sizeof(service), "%02u", i);
			add(t, "192.0.2.0/24", "cloud", service, "eu-1", WW_TABLES_PUBLISHED);
		}
		assert_int_equal(ww_tables_seal(t), 0);
		a.tables = t;
		ww_placement_of(&a, &p);
		assert_int_equal(p.label_count, rows < 8 ? rows : 8);
		assert_int_equal(p.partial, rows > WW_TABLES_MATCHES_MAX);
		assert_int_equal(p.region, p.partial ? MIXED : ALLOWED);
	}
	for (unsigned places = 7; places < 11; places++) {
		WW_AUTO(ww_tables_free_auto) struct ww_tables *t = NULL;
		struct ww_placement_ask a = question("place", "192.0.2.1");
		struct ww_placement p;

		assert_int_equal(ww_tables_new(&t), 0);
		assert_int_equal(ww_tables_add(t, &(struct ww_tables_file){.name = "c.rows"}), 0);
		for (unsigned i = 0; i < 2 * places; i++) {
			char region[16];

			snprintf(region, sizeof(region), i / 2 ? "eu-%02u" : "us-%u", i / 2);
			add(t, "192.0.2.0/24", "cloud", i % 2 ? "a" : "b", region,
			    WW_TABLES_PUBLISHED);
		}
		assert_int_equal(ww_tables_seal(t), 0);
		a.tables = t;
		ww_placement_of(&a, &p);
		assert_int_equal(p.region, MIXED); /* also where us-0 is the last and not told */
		assert_int_equal(p.partial, places > 8);
	}
}

static const char *text(const struct ww_placement *p)
{
	static struct ww_buf b;
	struct ww_jsonw w;

	ww_buf_done(&b);
	ww_buf_init(&b, 1u << 16);
	ww_jsonw_init(&w, &b);
	ww_jsonw_object(&w, NULL);
	ww_placement_write(p, &w);
	ww_jsonw_end_object(&w);
	assert_true(ww_jsonw_ok(&w));
	assert_int_equal(ww_buf_add(&b, "", 1), 0);
	return (const char *)b.p;
}

static void test_text(void **state)
{
	struct ww_placement p = place_timed("both", "192.0.2.17", 900, 2000);

	assert_string_equal(text(&p),
			    "{\"region\":\"unlisted\",\"home\":\"unlisted\",\"local\":false,"
			    "\"ambiguous\":false,\"labels\":[{\"region\":\"us-1\",\"in\":\"us\","
			    "\"operator\":\"us-op\",\"table\":\"a.yaml\",\"asOf\":\"2026-11-01\","
			    "\"basis\":\"contract\",\"by\":\"address\",\"impossible\":true}],"
			    "\"bounds\":{\"tcp\":{\"rttUs\":900,\"withinKm\":135.1,"
			    "\"withinKmOrdinaryFibre\":90.1,\"excluded\":[\"america\"]},"
			    "\"keyHolder\":{\"rttUs\":2000,\"withinKm\":300.0,"
			    "\"withinKmOrdinaryFibre\":200.0,\"excluded\":[\"america\"]}}}");
	p = place_named("both", "192.0.2.161", "api.de.example");
	assert_string_equal(text(&p),
			    "{\"region\":\"allowed\",\"home\":\"allowed\",\"local\":false,"
			    "\"ambiguous\":false,\"labels\":[{\"region\":\"eu-1\",\"in\":\"eu\","
			    "\"operator\":\"de-op\",\"home\":\"DE\",\"table\":\"b.yaml\","
			    "\"asOf\":\"2026-11-02\",\"basis\":\"contract\",\"by\":\"name\","
			    "\"impossible\":false},{\"region\":\"us-1\",\"in\":\"us\","
			    "\"operator\":\"de-op\",\"table\":\"a.yaml\",\"asOf\":\"2026-11-01\","
			    "\"basis\":\"contract\",\"by\":\"address\",\"impossible\":false,"
			    "\"expired\":true}],\"bounds\":{\"none\":\"unmeasured\"}}");
	assert_true(p.by_name); /* no row of the address counts */
	p = place("both", "192.0.2.97");
	assert_non_null(strstr(text(&p), "\"region\":\"ap-1\",\"in\":null,"));
}

static void test_findings(void **state)
{
	unsigned i = 0;

	assert_string_equal(ww_placement_finding(REGION | AMBIGUOUS, &i), "OUT_OF_REGION");
	assert_string_equal(ww_placement_finding(REGION | AMBIGUOUS, &i), "LABEL_AMBIGUOUS");
	assert_null(ww_placement_finding(REGION | AMBIGUOUS, &i));
}

static void test_claims(void **state)
{
	static const struct {
		const char *peer, *claim;
		enum ww_claim_match match;
	} asked[] = {
		{"192.0.2.1", "eu-1", WW_CLAIM_SAME},
		{"192.0.2.1", "EU-1", WW_CLAIM_SAME},
		{"192.0.2.1", "eu-9", WW_CLAIM_SAME}, /* of the same region */
		{"192.0.2.1", "eu", WW_CLAIM_SAME},
		{"192.0.2.1", "de", WW_CLAIM_SAME},
		{"192.0.2.1", "us-1", WW_CLAIM_DIFFERENT},
		{"192.0.2.1", "us", WW_CLAIM_DIFFERENT},
		{"192.0.2.1", "IAD", WW_CLAIM_DIFFERENT},
		{"192.0.2.1", "North Central US", WW_CLAIM_DIFFERENT},
		{"192.0.2.1", "frankfurt", WW_CLAIM_DIFFERENT},
		{"192.0.2.17", "north central us", WW_CLAIM_SAME},
		{"192.0.2.1", "mars-1", WW_CLAIM_UNKNOWN},
		{"192.0.2.1", "", WW_CLAIM_UNKNOWN},
		{"192.0.2.1", "  ", WW_CLAIM_UNKNOWN},
		/* eu-central-1 is frankfurt, and a word of eu: both can be true */
		{"192.0.2.209", "eu", WW_CLAIM_SAME},
		{"192.0.2.209", "frankfurt", WW_CLAIM_SAME},
		{"192.0.2.209", "us", WW_CLAIM_DIFFERENT},
		{"192.0.2.97", "us", WW_CLAIM_UNKNOWN}, /* nobody says where ap-1 is */
		{"192.0.2.97", "ap-1", WW_CLAIM_SAME},
		{"192.0.2.113", "us", WW_CLAIM_UNKNOWN}, /* Global */
		{"192.0.2.129", "us", WW_CLAIM_UNKNOWN}, /* no region is listed */
		{"192.0.2.161", "us", WW_CLAIM_UNKNOWN}, /* expired */
		{"192.0.2.145", "us", WW_CLAIM_SAME},    /* one of two labels */
		{"10.9.1.1", "us", WW_CLAIM_UNKNOWN},
	};
	char lengthy[200];
	struct ww_placement p;

	for (unsigned i = 0; i < WW_ARRAY_SIZE(asked); i++) {
		p = place(NULL, asked[i].peer);
		if (ww_policy_compare(policy, &p, ww_slice_str(asked[i].claim)) != asked[i].match)
			fail_msg("%s %s", asked[i].peer, asked[i].claim);
	}
	p = place_timed(NULL, "192.0.2.17", 900, 0); /* an impossible row says nothing */
	assert_int_equal(ww_policy_compare(policy, &p, WW_SLICE_LIT("eu-1")), WW_CLAIM_UNKNOWN);
	p = place(NULL, "192.0.2.1");
	assert_int_equal(ww_policy_compare(NULL, &p, WW_SLICE_LIT("us-1")), WW_CLAIM_UNKNOWN);
	memset(lengthy, 'u', sizeof(lengthy));
	assert_int_equal(ww_policy_compare(policy, &p, ww_slice(lengthy, sizeof(lengthy))),
			 WW_CLAIM_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_standing),
		cmocka_unit_test(test_local),
		cmocka_unit_test(test_private_rows_of_others),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_names_said),
		cmocka_unit_test(test_light),
		cmocka_unit_test(test_without_host_or_tables_or_policy),
		cmocka_unit_test(test_several_tables),
		cmocka_unit_test(test_many_rows),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_findings),
		cmocka_unit_test(test_claims),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
