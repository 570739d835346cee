/* SPDX-License-Identifier: Apache-2.0 */
/* The policy file: every error with its place, the globs, whom a rule is about, the warnings. */
#include "policy/policy_file.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "policy/policy_lint.h"
#include "policy/tables_read.h"

#define NOBODY "version: 1\nagents: []\n"
#define AREA   NOBODY "areas:\n- "
#define REGION NOBODY "regions:\n- "
#define HOST   NOBODY "host:\n  "
#define AGENT  "version: 1\nregions: [{name: eu, labels: [eu-*]}]\nagents:\n- "

static struct ww_policy *load(const char *yaml)
{
	struct ww_contract_error e = {0};
	struct ww_policy *p = NULL;
	int r = ww_policy_parse(ww_slice_str(yaml), &p, &e);

	if (r < 0)
		print_error("%u:%u: %s\n", e.line, e.column, e.text);
	assert_int_equal(r, 0);
	return p;
}

struct bad {
	const char *yaml;
	unsigned line, column;
	const char *says; /* part of the message */
};

static void refuse(const struct bad *b)
{
	struct ww_contract_error e = {0};
	struct ww_policy *p = (void *)1;
	int r = ww_policy_parse(ww_slice_str(b->yaml), &p, &e);

	if (r != -EINVAL || e.line != b->line || e.column != b->column || !strstr(e.text, b->says))
		fail_msg("%s\n-> %d, %u:%u: %s", b->yaml, r, e.line, e.column, e.text);
	assert_ptr_equal(p, (void *)1); /* output unchanged on failure */
	assert_null(strchr(e.text, '\n'));
}

#define KEY   "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="
#define KEYED NOBODY "attesters:\n- {name: audit, key: " KEY "}\n"

static void test_attesters(void **state)
{
	static const struct bad bads[] = {
		{NOBODY "attesters: []\n", 3, 12, "at least one entry"},
		{NOBODY "attesters:\n- {name: a}\n", 4, 3, "the key key"},
		{NOBODY "attesters:\n- {name: a, key: abcd}\n", 4, 18, "SubjectPublicKeyInfo"},
		{NOBODY "attesters:\n- {name: a b, key: " KEY "}\n", 4, 10, "letters, digits"},
		{KEYED "- {name: b, key: " KEY "}\n", 5, 0, "its name or key again"},
		{KEYED "- {name: b, key: " KEY ", tool: x}\n", 5, 80, "tool"},
	};
	WW_AUTO(ww_policy_free_auto) struct ww_policy *p = load(KEYED);

	assert_int_equal(p->attester_count, 1);
	assert_string_equal(p->attesters[0].name, "audit");
	assert_int_equal(p->attesters[0].type, WW_ATTESTER_ED25519);
	for (size_t i = 0; i < WW_ARRAY_SIZE(bads); i++)
		refuse(&bads[i]);
}

static void test_refused(void **state)
{
	static const struct bad bads[] = {
		{"", 1, 1, "a mapping with version and agents"},
		{"x", 1, 1, "expected a mapping, found \"x\""},
		{"agents: []\n", 1, 1, "the key version"},
		{"version: 1\n", 1, 1, "the key agents"},
		{"version: 2\nagents: []\n", 1, 10, "expected version 1, found \"2\""},
		{NOBODY "agents: []\n", 3, 1, "every key once"},
		{NOBODY "areas: {}\n", 3, 8, "expected a list, found a mapping"},
		{NOBODY "extra: 1\n", 3, 1,
		 "one of the keys version, host, areas, regions, agents, guard, attesters, found"},
		{NOBODY "areas: &a []\n", 3, 8, "an anchor, alias or tag"},
		{NOBODY "---\n" NOBODY, 3, 1, "one document"},
		{NOBODY "areas: [\n", 4, 1, "not YAML: "},
		{NOBODY "\tareas: []\n", 3, 1, "a tab"},
		/* host */
		{HOST "position: [1, 2]\n  within_km: 1\n", 4, 3, "the key source"},
		{HOST "position: [1]\n", 4, 13, "degrees north, degrees east, found one number"},
		{HOST "position: []\n", 4, 13, "at least one entry"},
		{HOST "position: [1, 2, 3]\n", 4, 20, "no more, found \"3\""},
		{HOST "position: [90.000001, 2]\n", 4, 14, "degrees north, -90 to 90"},
		{HOST "position: [-90.1, 2]\n", 4, 14, "degrees north"},
		{HOST "position: [1, 180.1]\n", 4, 17, "degrees east"},
		{HOST "position: [1.1234567, 2]\n", 4, 14, "at most six decimals"},
		{HOST "position: [1., 2]\n", 4, 14, "degrees north"},
		{HOST "position: [.5, 2]\n", 4, 14, "degrees north"},
		{HOST "position: [-, 2]\n", 4, 14, "degrees north"},
		{HOST "position: [1e1, 2]\n", 4, 14, "degrees north"},
		{HOST "position: [+1, 2]\n", 4, 14, "degrees north"},
		{HOST "position: [nan, 2]\n", 4, 14, "degrees north"},
		{HOST "position: [99999999999999999999, 2]\n", 4, 14, "degrees north"},
		{HOST "position: [[1], 2]\n", 4, 14,
		 "degrees north, -90 to 90, of at most six "
		 "decimals, found a list"},
		{HOST "within_km: -1\n", 4, 14, "kilometres, at most 20038"},
		{HOST "within_km: 20038.001\n", 4, 14, "kilometres, at most 20038"},
		{HOST "within_km: 1.0001\n", 4, 14, "at most three decimals"},
		{HOST "source: ''\n", 4, 11, "who says where this host is, found nothing"},
		/* areas */
		{AREA "{name: a}\n", 4, 3, "countries, polygon or circle, found none of them"},
		{AREA "{countries: [DE]}\n", 4, 3, "the key name"},
		{AREA "{name: a, countries: [DE], circle: {center: [1, 2], km: 3}}\n", 4, 3,
		 "more than one of them"},
		{AREA "{name: a b, countries: [DE]}\n", 4, 10, "letters, digits"},
		{AREA "{name: a, countries: []}\n", 4, 24, "at least one entry"},
		{AREA "{name: a, countries: [DE, XX]}\n", 4, 29, "alpha-2 code, such as DE, found"},
		{AREA "{name: a, countries: [de]}\n", 4, 25, "alpha-2"},
		{AREA "{name: a, countries: [DEU]}\n", 4, 25, "alpha-2"},
		{AREA "{name: a, polygon: [[1, 2], [3, 4]]}\n", 4, 22, "at least three positions"},
		{AREA "{name: a, polygon: [[1, 2], [3, 4], 5]}\n", 4, 39, "expected a list"},
		{AREA "{name: a, polygon: [[1, 2], [3, 4], [91, 0]]}\n", 4, 40, "degrees north"},
		{AREA "{name: a, polygon: [[1, 2], [3, 4], [5, 361]]}\n", 4, 43, "degrees east"},
		{AREA "{name: a, polygon: [[0, 0], [1, 1], [0, 1], [1, 0]]}\n", 4, 3,
		 "a piece of the Earth, found "},
		{AREA "{name: a, circle: {center: [1, 2]}}\n", 4, 21, "the key km"},
		{AREA "{name: a, circle: {center: [1, 2], km: 0}}\n", 4, 42, "more than 0"},
		{AREA "{name: a, circle: {center: [1, 181], km: 1}}\n", 4, 34, "degrees east"},
		{AREA "{name: a, countries: [DE]}\n- {name: a, countries: [FR]}\n", 5, 3,
		 "every area once, found \"a\" again"},
		/* regions */
		{REGION "{name: a}\n", 4, 3, "the key labels"},
		{REGION "{name: a, labels: []}\n", 4, 21, "at least one entry"},
		{REGION "{name: a, labels: ['']}\n", 4, 22, "found nothing"},
		{REGION "{name: a, labels: ['eu-?']}\n", 4, 22, "only * stands for others"},
		{REGION "{name: a, labels: ['eu-[12]']}\n", 4, 22, "only * stands for others"},
		{REGION "{name: a, labels: ['eu-{a}']}\n", 4, 22, "only * stands for others"},
		{REGION "{name: a, labels: ['eu-**']}\n", 4, 22, "only * stands for others"},
		{REGION "{name: a, labels: [a], area: b}\n", 4, 32,
		 "the name of an area of this file, found b"},
		{REGION "{name: a, labels: [a]}\n- {name: a, labels: [b]}\n", 5, 3,
		 "every region once"},
		/* agents */
		{AGENT "{name: a}\n", 4, 3, "cgroup or program: whom is it about?, found neither"},
		{AGENT "{cgroup: /a}\n", 4, 3, "the key name"},
		{AGENT "{name: a, cgroup: a}\n", 4, 21, "a path that begins with /"},
		{AGENT "{name: a, cgroup: '/a?'}\n", 4, 21, "only * stands for others"},
		{AGENT "{name: a, program: [node]}\n", 4, 23, "a path that begins with /"},
		{AGENT "{name: a, program: []}\n", 4, 22, "at least one entry"},
		{AGENT "{name: a, program: /a}\n", 4, 22, "expected a list"},
		{AGENT "{name: a, cgroup: /a, allowed_regions: []}\n", 4, 42,
		 "at least one region"},
		{AGENT "{name: a, cgroup: /a, allowed_regions: [us]}\n", 4, 43,
		 "the name of a region of this file, found us"},
		{AGENT "{name: a, cgroup: /a, allowed_regions: [eu, eu]}\n", 4, 47,
		 "every region once, found \"eu\" again"},
		{AGENT "{name: a, cgroup: /a, allowed_homes: []}\n", 4, 40, "at least one entry"},
		{AGENT "{name: a, cgroup: /a, on_unlisted: pass}\n", 4, 38, "fail, warn or deny"},
		{AGENT "{name: a, cgroup: /a}\n- {name: a, cgroup: /b}\n", 5, 3,
		 "every agent once"},
		{AGENT "{name: a, cgroup: /a, regions: [eu]}\n", 4, 25,
		 "name, cgroup, program, allowed_regions, allowed_homes, on_unlisted"},
		{NOBODY "guard: {}\n", 3, 8, "the key mode"},
		{NOBODY "guard: {mode: on}\n", 3, 15, "off, dry-run or enforce"},
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(bads); i++)
		refuse(&bads[i]);
}

/* `n` numbered items behind a head. */
static char *many(const char *head, const char *item, unsigned n, const char *tail)
{
	size_t room = strlen(head) + strlen(tail) + n * (strlen(item) + 16) + 1;
	int mark = (int)(strchr(item, '#') - item);
	char *text = malloc(room);
	size_t at;

	assert_non_null(text);
	at = (size_t)snprintf(text, room, "%s", head);
	for (unsigned i = 0; i < n; i++)
		at += (size_t)snprintf(text + at, room - at, "%.*s%u%s", mark, item, i,
				       item + mark + 1);
	snprintf(text + at, room - at, "%s", tail);
	return text;
}

static void check_limit(const char *head, const char *item, unsigned n, const char *tail,
			const char *says)
{
	struct ww_contract_error e = {0};
	WW_AUTO_FREE char *good = many(head, item, n, tail);
	WW_AUTO_FREE char *bad = many(head, item, n + 1, tail);
	struct ww_policy *p = NULL;

	ww_policy_free(load(good));
	assert_int_equal(ww_policy_parse(ww_slice_str(bad), &p, &e), -EINVAL);
	if (!strstr(e.text, says) || !e.line || !e.column)
		fail_msg("%u:%u: %s", e.line, e.column, e.text);
}

#define LETTERS16 "aaaaaaaaaaaaaaaa"
#define LETTERS63 LETTERS16 LETTERS16 LETTERS16 "aaaaaaaaaaaaaaa"

static void test_limits(void **state)
{
	struct ww_contract_error e = {0};
	struct ww_policy *p = NULL;
	WW_AUTO_FREE char *large = calloc(1, WW_POLICY_FILE_BYTES + 2);

	assert_non_null(large);
	check_limit(NOBODY "areas:\n", "- {name: a#, circle: {center: [1, 2], km: 1}}\n",
		    WW_POLICY_AREAS_MAX, "", "at most 64 entries");
	check_limit(NOBODY "regions:\n", "- {name: r#, labels: [x]}\n", WW_POLICY_REGIONS_MAX, "",
		    "at most 64 entries");
	check_limit("version: 1\nagents:\n", "- {name: a#, cgroup: /a}\n", WW_POLICY_AGENTS_MAX, "",
		    "at most 256 entries");
	check_limit(REGION "{name: r, labels: [x", ", l#", WW_POLICY_LABELS_MAX - 1, "]}\n",
		    "at most 1024 entries");
	check_limit(AGENT "{name: a, program: [/x", ", /l#", WW_POLICY_ITEMS_MAX - 1, "]}\n",
		    "at most 256 entries");
	check_limit(AGENT "{name: a, cgroup: /a, allowed_homes: [x", ", h#",
		    WW_POLICY_ITEMS_MAX - 1, "]}\n", "at most 256 entries");
	ww_policy_free(load(REGION "{name: " LETTERS63 ", labels: [a]}\n"));
	refuse(&(struct bad){REGION "{name: a" LETTERS63 ", labels: [a]}\n", 4, 10, "at most 63"});
	memset(large, '#', WW_POLICY_FILE_BYTES + 1);
	assert_int_equal(ww_policy_parse(ww_slice(large, WW_POLICY_FILE_BYTES + 1), &p, &e),
			 -EFBIG);
	assert_non_null(strstr(e.text, "512 KiB"));
	assert_null(p);
}

static void test_read(void **state)
{
	static const char yaml[] =
		"version: 1\n"
		"host: {position: [-33.5, 151.123456], within_km: 0.25, source: \"a desk\"}\n"
		"agents:\n"
		"- name: one\n  cgroup: /a/*\n  program: [/usr/bin/x, '/opt/*']\n"
		"  allowed_regions: [b]\n  allowed_homes: [DE, ie]\n  on_unlisted: deny\n"
		"- {name: two, program: ['*']}\n"
		"regions:\n- {name: a, labels: [one]}\n- {name: b, labels: [two, th*], area: z}\n"
		"areas:\n- {name: y, circle: {center: [1, 2], km: 3}}\n"
		"- {name: z, countries: [DE, NO]}\n"
		"guard: {mode: enforce}\n";
	WW_AUTO(ww_policy_free_auto) struct ww_policy *p = load(yaml);
	const struct ww_policy_agent *a = p->agents;
	struct ww_sha256 digest;
	char text[WW_POLICY_HOST_TEXT_MAX];
	WW_AUTO_BUF struct ww_buf b;
	struct ww_jsonw w;

	assert_int_equal(p->agent_count, 2);
	assert_string_equal(a->name, "one");
	assert_true(a->asks_region && a->asks_home);
	assert_int_equal(a->regions, 2);
	assert_int_equal(a->on_unlisted, WW_POLICY_UNLISTED_DENY);
	assert_true(ww_policy_home_allowed(a, WW_SLICE_LIT("IE")));
	assert_false(ww_policy_home_allowed(a, WW_SLICE_LIT("D")));
	assert_false(a[1].asks_region || a[1].asks_home);
	assert_ptr_equal(p->regions[1].area, &p->areas[1]);
	assert_null(p->regions[0].area);
	assert_int_equal(p->guard, WW_POLICY_GUARD_ENFORCE);
	assert_string_equal(ww_policy_guard_name(p->guard), "enforce");
	assert_true(p->host.position.lat == -33.5 && p->host.position.lon == 151.123456);
	assert_true(p->host.within_km == 0.25);
	ww_sha256(ww_slice_str(yaml), &digest);
	assert_memory_equal(ww_policy_digest(p).b, digest.b, sizeof(digest.b));
	assert_true(ww_slice_eq_str(p->text, yaml));
	ww_policy_host_text(p, text);
	assert_string_equal(text, "-33.5, 151.123456 within 0.25 km");
	ww_buf_init(&b, 4096);
	ww_jsonw_init(&w, &b);
	ww_jsonw_object(&w, NULL);
	ww_policy_write_host(p, &w);
	ww_jsonw_end_object(&w);
	assert_true(ww_slice_eq_str(ww_buf_slice(&b),
				    "{\"host\":{\"position\":[-33.5,151.123456],\"withinKm\":0.25,"
				    "\"source\":\"a desk\"}}"));
}

static void test_whom(void **state)
{
	WW_AUTO(ww_policy_free_auto)
	struct ww_policy *p = load("version: 1\nagents:\n"
				   "- {name: both, cgroup: '/a/*', program: [/bin/x]}\n"
				   "- {name: group, cgroup: /a/b}\n"
				   "- {name: program, program: ['/opt/*/run', /bin/x]}\n");
	static const struct {
		const char *cgroup, *exe, *root, *name;
	} asked[] = {
		{"/a/b", "/bin/x", "", "both"},
		{"/a/b/c", "/bin/y", "/bin/x", "both"}, /* the root of its tree */
		{"/a/b", "/bin/y", NULL, "group"},
		{"/a/b", NULL, NULL, "group"},
		{"/A/b", "/bin/x", NULL, "program"},
		{"/z", "/opt/one/two/run", NULL, "program"},
		{"/z", "/opt/run", NULL, NULL},
		{"/z", "", "", NULL},
		{"/a/c", "/bin/y", "/bin/z", NULL},
		{"", "/bin/x", NULL, "program"},
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(asked); i++) {
		const struct ww_policy_agent *a = ww_policy_agent(p, ww_slice_str(asked[i].cgroup),
								  asked[i].exe, asked[i].root);

		if (!asked[i].name != !a || (a && strcmp(a->name, asked[i].name) != 0))
			fail_msg("%u: %s", i, a ? a->name : "nobody");
	}
	assert_null(ww_policy_agent(NULL, WW_SLICE_LIT("/a/b"), NULL, NULL));
	assert_ptr_equal(ww_policy_agent_named(p, WW_SLICE_LIT("group")), &p->agents[1]);
	assert_null(ww_policy_agent_named(p, WW_SLICE_LIT("grou")));
}

/* Against the textbook: what a glob matches, told by trying every way to split the text. */
static bool slow_glob(const char *glob, const char *text)
{
	bool before[65] = {true}; /* of the texts that the glob's beginning matches */

	for (; *glob; glob++) {
		bool now[65] = {false};

		for (unsigned i = 0; i <= strlen(text); i++) {
			if (*glob == '*') {
				for (unsigned k = 0; k <= i; k++)
					now[i] |= before[k];
			} else if (i && before[i - 1]) {
				now[i] = text[i - 1] == *glob;
			}
		}
		memcpy(before, now, sizeof(before));
	}
	return before[strlen(text)];
}

static void fill(char *out, unsigned n, const char *of, uint64_t *seed)
{
	for (unsigned i = 0; i < n; i++) {
		*seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
		out[i] = of[(*seed >> 33) % strlen(of)];
	}
	out[n] = '\0';
}

static void test_globs(void **state)
{
	uint64_t seed = 7;
	unsigned matched = 0;

	for (unsigned i = 0; i < 200000; i++) {
		char glob[16], text[16];
		bool yes;

		fill(glob, i % 7, "ab*", &seed);
		fill(text, i % 9, "ab", &seed);
		yes = slow_glob(glob, text);
		matched += yes;
		if (ww_policy_glob(ww_slice_str(glob), ww_slice_str(text), false) != yes)
			fail_msg("%s %s", glob, text);
	}
	assert_in_range(matched, 10000, 190000);
	assert_true(ww_policy_glob(WW_SLICE_LIT("EU-*"), WW_SLICE_LIT("eu-West-1"), true));
	assert_false(ww_policy_glob(WW_SLICE_LIT("EU-*"), WW_SLICE_LIT("eu-West-1"), false));
	assert_false(ww_policy_glob(WW_SLICE_LIT("eu-*"), WW_SLICE_LIT("eu"), true));
}

static void test_regions(void **state)
{
	WW_AUTO(ww_policy_free_auto)
	struct ww_policy *p = load(NOBODY "regions:\n- {name: london, labels: [eu-west-2]}\n"
					  "- {name: eu, labels: ['EU-*', de]}\n");

	assert_int_equal(ww_policy_region_of(p, WW_SLICE_LIT("eu-west-2")), 0);
	assert_int_equal(ww_policy_regions_of(p, WW_SLICE_LIT("eu-west-2")), 3);
	assert_int_equal(ww_policy_region_of(p, WW_SLICE_LIT("eu-west-1")), 1);
	assert_int_equal(ww_policy_region_of(p, WW_SLICE_LIT("DE")), 1);
	assert_int_equal(ww_policy_region_of(p, WW_SLICE_LIT("London")), 0);
	assert_int_equal(ww_policy_region_of(p, WW_SLICE_LIT("Eu")), 1);
	assert_int_equal(ww_policy_region_of(p, WW_SLICE_LIT("us")), WW_POLICY_NONE);
	assert_int_equal(ww_policy_region_of(p, WW_SLICE_NULL), WW_POLICY_NONE);
	assert_int_equal(ww_policy_region_of(NULL, WW_SLICE_LIT("eu")), WW_POLICY_NONE);
}

/* --- warnings -----------------------------------------------------------------------------------
 */

struct warned {
	unsigned count;
	char all[2048];
};

static void take_warning(void *ctx, unsigned line, const char *text)
{
	struct warned *w = ctx;
	size_t n = strlen(w->all);

	w->count++;
	snprintf(w->all + n, sizeof(w->all) - n, "%u: %s\n", line, text);
}

static void check_warned(const char *yaml, unsigned count, const char *says)
{
	WW_AUTO(ww_policy_free_auto) struct ww_policy *p = load(yaml);
	struct warned w = {0};

	ww_policy_lint(p, take_warning, &w);
	if (w.count != count || !strstr(w.all, says))
		fail_msg("%s\n%u: %s", yaml, w.count, w.all);
}

#define LIMITED ", allowed_homes: [DE]}\n"

static void test_warnings(void **state)
{
	check_warned(NOBODY, 0, "");
	check_warned(AREA "{name: a, countries: [DE]}\n", 1, "4: areas without host");
	check_warned("version: 1\nagents:\n- {name: a, cgroup: /a}\n", 1,
		     "3: a may send everywhere");
	check_warned("version: 1\nagents:\n- {name: a, cgroup: '/a*'" LIMITED
		     "- {name: b, cgroup: /ab" LIMITED,
		     1, "4: nobody is b: whoever would be is a (line 3)");
	check_warned("version: 1\nagents:\n- {name: a, cgroup: '*'" LIMITED
		     "- {name: b, program: [/x]" LIMITED,
		     1, "nobody is b");
	check_warned("version: 1\nagents:\n- {name: a, program: ['/x*', /y]" LIMITED
		     "- {name: b, cgroup: /c, program: [/y, /xx]" LIMITED,
		     1, "nobody is b");
	/* These leave somebody. */
	check_warned("version: 1\nagents:\n- {name: a, cgroup: /ab" LIMITED
		     "- {name: b, cgroup: '/a*'" LIMITED,
		     0, "");
	check_warned("version: 1\nagents:\n- {name: a, program: [/x]" LIMITED
		     "- {name: b, cgroup: /a" LIMITED,
		     0, "");
	check_warned("version: 1\nagents:\n- {name: a, program: [/x]" LIMITED
		     "- {name: b, program: [/x, /y]" LIMITED,
		     0, "");
	check_warned("version: 1\nagents:\n- {name: a, cgroup: /a, program: [/x]" LIMITED
		     "- {name: b, program: [/x]" LIMITED,
		     0, "");
	check_warned(NOBODY "regions:\n- {name: eu, labels: [eu-*]}\n"
			    "- {name: uk, labels: [GB,\n   EU-west-2]}\n",
		     1, "6: no word is left for EU-west-2: the region eu before it has eu-*");
	check_warned(NOBODY "regions:\n- {name: uk, labels: [eu-west-2]}\n"
			    "- {name: eu, labels: [eu-*]}\n",
		     0, "");
}

static void test_warnings_beside_tables(void **state)
{
	static const char rows[] =
		"version: 1\nas_of: 2026-11-01\n"
		"operators: [{name: known, home: DE, basis: contract},\n"
		"  {name: gone, home: DE, basis: contract, valid_until: 2026-10-01}]\n"
		"prefixes:\n"
		"- {cidr: [192.0.2.0/24], operator: known, region: eu-1, basis: contract}\n"
		"- {cidr: [198.51.100.0/24], operator: gone, region: us-1, basis: contract}\n"
		"- {hosts: ['*.example'], operator: other, region: us-2, basis: contract}\n";
	WW_AUTO(ww_policy_free_auto)
	struct ww_policy *p = load(AGENT "{name: a, cgroup: /a" LIMITED);
	WW_AUTO(ww_tables_free_auto) struct ww_tables *t = NULL;
	struct ww_wall at = {1795780800000000000ull};
	struct ww_tables_error e = {0};
	struct warned w = {0};

	assert_int_equal(ww_tables_new(&t), 0);
	assert_int_equal(ww_tables_read(t, "own.yaml", ww_slice_str(rows), &e), 0);
	assert_int_equal(ww_tables_seal(t), 0);
	assert_int_equal(ww_policy_lint_tables(p, t, at, take_warning, &w), 0);
	assert_string_equal(w.all,
			    "0: no region has the word us-1 of own.yaml: nobody is allowed there\n"
			    "0: no home is declared of gone, an operator of own.yaml\n"
			    "0: no region has the word us-2 of own.yaml: nobody is allowed there\n"
			    "0: no home is declared of other, an operator of own.yaml\n");
}

static void check_example(const char *path, unsigned agents, unsigned regions)
{
	WW_AUTO_FREE char *text = calloc(1, 65536);
	struct ww_policy *p;
	FILE *f = fopen(path, "r");

	if (!f)
		skip(); /* started outside the source tree */
	assert_non_null(text);
	assert_true(fread(text, 1, 65535, f) > 0);
	fclose(f);
	p = load(text);
	assert_int_equal(p->agent_count, agents);
	assert_int_equal(p->region_count, regions);
	ww_policy_free(p);
}

static void test_examples(void **state)
{
	check_example("docs/examples/policy.yaml", 2, 3);
	check_example("docs/examples/policy-clouds.yaml", 1, 36);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_attesters),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_whom),
		cmocka_unit_test(test_globs),
		cmocka_unit_test(test_regions),
		cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_warnings_beside_tables),
		cmocka_unit_test(test_examples),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
