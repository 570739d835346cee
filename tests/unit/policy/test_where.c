/* SPDX-License-Identifier: Apache-2.0 */
/* What a flow's record says of its peer: which addresses, and the text. */
#include "policy/where.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdarg.h>
#include <cmocka.h>

#include "policy/tables_read.h"

#define AT ((struct ww_wall){1795780800000000000ull}) /* 2026-11-27T12:00:00Z */

static struct ww_endpoint address(const char *text)
{
	struct ww_endpoint e = {.port = 443};

	e.family = strchr(text, ':') ? AF_INET6 : AF_INET;
	assert_int_equal(inet_pton(e.family, text, e.addr), 1);
	return e;
}

static void test_public(void **state)
{
	static const char *const apart[] = {
		"0.0.0.0",
		"0.1.2.3",
		"10.0.0.1",
		"100.64.0.1",
		"100.127.255.255",
		"127.0.0.1",
		"127.255.255.255",
		"169.254.1.1",
		"172.16.0.1",
		"172.31.255.255",
		"192.168.1.1",
		"224.0.0.1",
		"239.1.1.1",
		"255.255.255.255",
		"::",
		"::1",
		"fc00::1",
		"fdff::1",
		"fe80::1",
		"febf::1",
		"ff02::1",
		"::ffff:10.0.0.1",
		"::ffff:127.0.0.1",
	};
	static const char *const open[] = {
		"1.1.1.1",   "100.63.255.255", "100.128.0.1",     "172.15.0.1",  "172.32.0.1",
		"192.0.2.1", "203.0.113.7",    "223.255.255.255", "2001:db8::1", "2a00::1",
		"fbff::1",   "fec0::1",        "::ffff:1.1.1.1",  "::2",
	};
	struct ww_endpoint none = {0};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(apart); i++) {
		struct ww_endpoint e = address(apart[i]);

		if (ww_where_public(&e))
			fail_msg("%s", apart[i]);
	}
	for (unsigned i = 0; i < WW_ARRAY_SIZE(open); i++) {
		struct ww_endpoint e = address(open[i]);

		if (!ww_where_public(&e))
			fail_msg("%s", open[i]);
	}
	assert_false(ww_where_public(&none));
}

static void read_table(struct ww_tables *t, const char *name, const char *text)
{
	struct ww_tables_error error = {0};

	if (ww_tables_read(t, name, ww_slice_str(text), &error) < 0)
		fail_msg("%s", error.text);
}

static const char *where(const struct ww_tables *t, const char *peer)
{
	static struct ww_buf b;
	struct ww_endpoint e = address(peer);
	struct ww_jsonw w;

	ww_buf_done(&b);
	ww_buf_init(&b, 1u << 20);
	ww_jsonw_init(&w, &b);
	ww_jsonw_object(&w, NULL);
	ww_where_write(t, &e, AT, &w);
	ww_jsonw_end_object(&w);
	assert_true(ww_jsonw_ok(&w));
	assert_int_equal(ww_buf_add(&b, "", 1), 0);
	return (const char *)b.p;
}

#define LAWS                                                                             \
	"version: 1\nas_of: 2026-11-01\noperators:\n"                                    \
	"- {name: cloud, home: XA, basis: contract, valid_until: 2026-11-26}\n"          \
	"- {name: other, home: XB, basis: provider-doc}\n"                               \
	"prefixes:\n"                                                                    \
	"- {cidr: [203.0.113.0/24], operator: cloud, region: r1, basis: contract}\n"     \
	"- {cidr: [203.0.113.0/25], operator: cloud, region: r2, basis: contract,\n"     \
	"   valid_until: 2026-11-27}\n"                                                  \
	"- {cidr: [203.0.113.0/25], operator: other, service: s, basis: provider-doc,\n" \
	"   valid_from: 2026-12-01}\n"
#define LAWS_SHA "\"table\":\"laws.yaml\",\"sha256\":\"%s\",\"asOf\":\"2026-11-01\""

static void hex_of(const struct ww_sha256 *d, char out[2 * WW_SHA256_LEN + 1])
{
	for (unsigned i = 0; i < WW_SHA256_LEN; i++)
		snprintf(out + 2 * i, 3, "%02x", d->b[i]);
}

static void test_text(void **state)
{
	WW_AUTO(ww_tables_free_auto) struct ww_tables *t = NULL;
	char all[2 * WW_SHA256_LEN + 1], laws[2 * WW_SHA256_LEN + 1], expected[2048];
	struct ww_sha256 digest;

	assert_int_equal(ww_tables_new(&t), 0);
	read_table(t, "laws.yaml", LAWS);
	assert_int_equal(ww_tables_seal(t), 0);
	digest = ww_tables_digest(t);
	hex_of(&digest, all);
	ww_sha256(WW_SLICE_LIT(LAWS), &digest);
	hex_of(&digest, laws);
	snprintf(expected, sizeof(expected),
		 "{\"where\":{\"tables\":\"%s\",\"listed\":["
		 "{\"prefix\":\"203.0.113.0/25\",\"operator\":\"cloud\",\"region\":\"r2\","
		 "\"basis\":\"contract\"," LAWS_SHA ",\"validUntil\":\"2026-11-27\"},"
		 "{\"prefix\":\"203.0.113.0/25\",\"operator\":\"other\",\"service\":\"s\","
		 "\"basis\":\"provider-doc\"," LAWS_SHA ",\"validFrom\":\"2026-12-01\","
		 "\"early\":true}],\"declared\":[{\"operator\":\"cloud\",\"home\":\"XA\","
		 "\"basis\":\"contract\"," LAWS_SHA ",\"validUntil\":\"2026-11-26\","
		 "\"expired\":true}],\"summary\":\"cloud r2\"}}",
		 all, laws, laws, laws);
	assert_string_equal(where(t, "203.0.113.7"), expected);
	assert_string_equal(where(t, "::ffff:203.0.113.7"), expected);
	snprintf(expected, sizeof(expected),
		 "{\"where\":{\"tables\":\"%s\",\"listed\":[],\"declared\":[],\"summary\":"
		 "\"nothing\"}}",
		 all);
	assert_string_equal(where(t, "192.0.2.1"), expected);
	assert_string_equal(where(t, "10.0.0.1"), "{}");
}

static void test_many(void **state)
{
	static const char head[] = "wirewitness-rows 1\nshape: list\nsource-sha256: "
				   "00000000000000000000000000000000"
				   "00000000000000000000000000000000\nas-of: 2026-11-01\n"
				   "rows: 90\n\n";
	WW_AUTO(ww_tables_free_auto) struct ww_tables *t = NULL;
	char text[8192];
	const char *said;
	size_t n = (size_t)snprintf(text, sizeof(text), "%s", head);
	unsigned rows = 0;

	for (unsigned i = 0; i < 20; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
				      "203.0.113.0/24\top\ts%02u\tr%u\t\n", i, i % 2);
	for (unsigned i = 0; i < 70; i++) /* more than are told of one address */
		n += (size_t)snprintf(text + n, sizeof(text) - n, "198.51.100.%s\top\ts%02u\tr\t\n",
				      i ? "0/25" : "0/24", i);
	assert_int_equal(ww_tables_new(&t), 0);
	read_table(t, "many.rows", text);
	assert_int_equal(ww_tables_seal(t), 0);
	said = where(t, "203.0.113.7");
	for (const char *p = said; (p = strstr(p, "\"prefix\"")) != NULL; p++)
		rows++;
	assert_int_equal(rows, WW_WHERE_LISTED_MAX);
	assert_non_null(strstr(said, "],\"listedTotal\":20,\"ambiguous\":true,\"declared\":[],"
				     "\"summary\":\"op r0, op r1 (ambiguous)\"}}"));
	said = where(t, "198.51.100.7");
	assert_non_null(
		strstr(said, "],\"listedTotal\":69,\"declared\":[],\"summary\":\"op r\"}}"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_public),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
