/* SPDX-License-Identifier: Apache-2.0 */
/* Files of tables: what they say, and what is refused, with its place. */
#include "policy/tables_read.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/json.h"
#include "rt/file.h"

#define SOURCE "source-sha256: 0000000000000000000000000000000000000000000000000000000000000000\n"
#define HEAD   "wirewitness-rows 1\nshape: aws\n" SOURCE "as-of: 2026-11-20T03:21:09Z\n"
#define YAML   "version: 1\nas_of: 2026-11-01\n"

static const struct ww_tables_import nothing = {.until = INT32_MAX};
static struct ww_tables_error error;

struct dump {
	char text[4096];
	size_t n;
};

static bool dump_row(void *ctx, const struct ww_tables_file *table, const struct ww_cidr *prefix,
		     const struct ww_tables_words *w, uint32_t line)
{
	struct dump *d = ctx;
	char text[WW_CIDR_TEXT_MAX], from[WW_TABLES_DATE_MAX] = "", until[WW_TABLES_DATE_MAX] = "";

	ww_cidr_text(prefix, text);
	if (w->valid.from != INT32_MIN)
		ww_tables_day_text(w->valid.from, from);
	if (w->valid.until != INT32_MAX)
		ww_tables_day_text(w->valid.until, until);
	d->n += (size_t)snprintf(d->text + d->n, sizeof(d->text) - d->n,
				 "%u %s %.*s|%.*s|%.*s|%.*s|%s|%s|%s\n", line, text,
				 (int)w->operator_name.n, w->operator_name.p, (int)w->service.n,
				 w->service.p, (int)w->region.n, w->region.p, (int)w->zone.n,
				 w->zone.p, ww_tables_basis_name(w->basis), from, until);
	return true;
}

static const char *dump(const struct ww_tables *t)
{
	static struct dump d;

	d = (struct dump){.n = 0};
	ww_tables_each(t, dump_row, &d);
	return d.text;
}

static struct ww_tables *published(struct ww_slice file, const struct ww_tables_import *how)
{
	struct ww_tables *t = NULL;

	if (ww_tables_published_read(file, how, &t, &error) < 0)
		fail_msg("%llu: %s", (unsigned long long)error.at, error.text);
	return t;
}

static void must_refuse_published(struct ww_slice file, const struct ww_tables_import *how,
				  bool offset, uint64_t at, const char *text)
{
	struct ww_tables *t = NULL;

	assert_int_equal(ww_tables_published_read(file, how, &t, &error), -EINVAL);
	assert_null(t);
	assert_non_null(strstr(error.text, text));
	if (error.offset != offset || error.at != at)
		fail_msg("%s: at %s %llu, expected %llu", error.text,
			 error.offset ? "offset" : "line", (unsigned long long)error.at,
			 (unsigned long long)at);
}

static struct ww_tables *table(const char *name, struct ww_slice file)
{
	struct ww_tables *t = NULL;

	assert_int_equal(ww_tables_new(&t), 0);
	if (ww_tables_read(t, name, file, &error) < 0)
		fail_msg("%llu: %s", (unsigned long long)error.at, error.text);
	assert_int_equal(ww_tables_seal(t), 0);
	return t;
}

static void must_refuse(const char *name, const char *file, uint64_t line, const char *text)
{
	WW_AUTO(ww_tables_free_auto) struct ww_tables *t = NULL;

	assert_int_equal(ww_tables_new(&t), 0);
	assert_int_equal(ww_tables_read(t, name, ww_slice_str(file), &error), -EINVAL);
	if (!strstr(error.text, text) || error.offset || error.at != line)
		fail_msg("%s\n%llu: %s", file, (unsigned long long)error.at, error.text);
}

#define AWS_TOP  "{\"syncToken\":\"1\",\"createDate\":\"2026-11-20-03-21-09\","
#define AWS_ROW  "\"region\":\"eu-1\",\"service\":\"S\",\"network_border_group\":\"eu-1\"}"
#define AWS_NONE "\"ipv6_prefixes\":[]}"

static void test_aws(void **state)
{
	WW_AUTO(ww_tables_free_auto)
	struct ww_tables *t = published(
		WW_SLICE_LIT(AWS_TOP
			     "\"prefixes\":[{\"ip_prefix\":\"203.0.113.0/24\"," AWS_ROW
			     ",{\"network_border_group\":\"eu-1-far\",\"service\":\"S\\u00e9\","
			     "\"region\":\"eu-1\",\"ip_prefix\":\"203.0.113.0/25\"}],"
			     "\"ipv6_prefixes\":[{\"ipv6_prefix\":\"2001:db8::/32\","
			     "\"region\":\"GLOBAL\",\"service\":\"S\"}]}\n"),
		&nothing);

	assert_string_equal(dump(t), "0 203.0.113.0/24 aws|S|eu-1||published||\n"
				     "0 203.0.113.0/25 aws|S\xc3\xa9|eu-1|eu-1-far|published||\n"
				     "0 2001:db8::/32 aws|S|GLOBAL||published||\n");
	assert_string_equal(ww_tables_at(t, 0)->as_of, "2026-11-20T03:21:09Z");
	assert_string_equal(ww_tables_at(t, 0)->shape, "aws");
}

static void test_gcp(void **state)
{
	struct ww_tables_import how = nothing;
	WW_AUTO(ww_tables_free_auto) struct ww_tables *t = NULL;

	assert_int_equal(ww_tables_day_parse(WW_SLICE_LIT("2027-01-31"), &how.until), 0);
	t = published(
		WW_SLICE_LIT("{\"syncToken\":\"1\",\"creationTime\":"
			     "\"2026-11-20T03:21:09.17137\",\"prefixes\":["
			     "{\"ipv4Prefix\":\"203.0.113.0/27\",\"service\":\"Google Cloud\","
			     "\"scope\":\"europe-west3\"},{\"ipv6Prefix\":\"2001:db8:40::/44\","
			     "\"service\":\"Google Cloud\",\"scope\":\"global\"}]}"),
		&how);
	assert_string_equal(
		dump(t), "0 203.0.113.0/27 gcp|Google Cloud|europe-west3||published||2027-01-31\n"
			 "0 2001:db8:40::/44 gcp|Google Cloud|global||published||2027-01-31\n");
	assert_string_equal(ww_tables_at(t, 0)->as_of, "2026-11-20T03:21:09Z");
}

/* Members in any order. */
static void test_azure(void **state)
{
	struct ww_tables_import how = {.until = INT32_MAX, .as_of = "2026-11-17"};
	static const char text[] =
		"{\"changeNumber\":3,\"cloud\":\"Public\",\"values\":[{\"properties\":{"
		"\"addressPrefixes\":[\"198.51.100.0/25\",\"2001:db8:7::/56\"],\"region\":\"\","
		"\"systemService\":\"AzureStorage\",\"platform\":\"Azure\",\"regionId\":0,"
		"\"networkFeatures\":[\"NSG\"],\"changeNumber\":1},\"id\":\"Storage\",\"name\":"
		"\"Storage\"},{\"name\":\"AzureCloud.westeurope\",\"id\":\"x\",\"properties\":{"
		"\"region\":\"westeurope\",\"systemService\":\"\",\"networkFeatures\":null,"
		"\"addressPrefixes\":[\"198.51.100.0/25\"]}}]}";
	WW_AUTO(ww_tables_free_auto) struct ww_tables *t = published(WW_SLICE_LIT(text), &how);

	assert_string_equal(
		dump(t), "0 198.51.100.0/25 azure|AzureCloud.westeurope|westeurope||published||\n"
			 "0 198.51.100.0/25 azure|Storage|||published||\n"
			 "0 2001:db8:7::/56 azure|Storage|||published||\n");
	assert_string_equal(ww_tables_at(t, 0)->as_of, "2026-11-17");
	must_refuse_published(WW_SLICE_LIT(text), &nothing, false, 0, "give --as-of");
}

static void test_list(void **state)
{
	struct ww_tables_import how = {
		.until = INT32_MAX, .as_of = "2026-11-02", .operator_name = WW_SLICE_LIT("cdn")};
	WW_AUTO(ww_tables_free_auto)
	struct ww_tables *t = published(WW_SLICE_LIT("203.0.113.0/24\n2001:db8::/32"), &how);

	assert_string_equal(dump(t), "1 203.0.113.0/24 cdn||||published||\n"
				     "2 2001:db8::/32 cdn||||published||\n");
	must_refuse_published(WW_SLICE_LIT("203.0.113.0/24\n"), &nothing, false, 0,
			      "give --operator");
	how.as_of[0] = '\0';
	must_refuse_published(WW_SLICE_LIT("203.0.113.0/24\n"), &how, false, 0, "give --as-of");
	must_refuse_published(WW_SLICE_LIT("203.0.113.0/24\n\n"), &how, false, 2, "a network");
	must_refuse_published(WW_SLICE_LIT("203.0.113.0/24\n# no\n"), &how, false, 2, "a network");
	must_refuse_published(WW_SLICE_LIT("203.0.113.0/24\n203.0.113.0\n"), &how, false, 2, "/24");
	must_refuse_published(WW_SLICE_LIT("203.0.113.0/24\r\n"), &how, false, 0, "understood");
	must_refuse_published(WW_SLICE_LIT(""), &how, false, 0, "understood");
	must_refuse_published(WW_SLICE_LIT("hello\n"), &how, false, 0, "understood");
}

/* The offset of the first `what` in a text. */
#define OFFSET(text, what) ((uint64_t)(strstr(text, what) - (text)))

static void refuse_at(const char *text, const char *what, const char *reason)
{
	must_refuse_published(ww_slice_str(text), &nothing, true, OFFSET(text, what), reason);
}

static void test_bad_json(void **state)
{
	static const char whole[] =
		AWS_TOP "\"prefixes\":[{\"ip_prefix\":\"203.0.113.0/24\"," AWS_ROW "]," AWS_NONE;
	struct ww_tables_import how = nothing;

	/* Cut off wherever: never taken, and the place is where it breaks off or before. */
	for (size_t n = 0; n < sizeof(whole) - 1; n++) {
		WW_AUTO(ww_tables_free_auto) struct ww_tables *t = NULL;

		assert_int_equal(ww_tables_published_read(ww_slice(whole, n), &nothing, &t, &error),
				 -EINVAL);
		assert_true(error.text[0] && error.at <= n);
	}
	refuse_at(AWS_TOP "\"prefixes\":[{\"ip_prefix\":\"203.0.113.0/33\"," AWS_ROW "]," AWS_NONE,
		  "203.0", "host bits");
	refuse_at(AWS_TOP "\"prefixes\":[{\"ip_prefix\":\"203.0.113.1/24\"," AWS_ROW "]," AWS_NONE,
		  "203.0", "host bits");
	refuse_at(AWS_TOP "\"prefixes\":[{\"ip_prefix\":\"203.0.113.0\"," AWS_ROW "]," AWS_NONE,
		  "203.0", "a network");
	refuse_at(AWS_TOP "\"prefixes\":[{\"ip_prefix\":7," AWS_ROW "]," AWS_NONE, "7,",
		  "a network");
	refuse_at(AWS_TOP "\"prefixes\":[{" AWS_ROW "]," AWS_NONE, "{\"region",
		  "no member ip_prefix");
	refuse_at(AWS_TOP
		  "\"prefixes\":[{\"withdrawn\":true,\"ip_prefix\":\"203.0.113.0/24\"," AWS_ROW
		  "]," AWS_NONE,
		  "withdrawn", "not known");
	refuse_at(AWS_TOP
		  "\"prefixes\":[{\"ip_prefix\":\"203.0.113.0/24\",\"service\":\"T\"," AWS_ROW
		  "]," AWS_NONE,
		  "service\":\"S", "duplicate key: service");
	refuse_at(AWS_TOP "\"createDate\":\"2026-11-20-03-21-09\",\"prefixes\":[]," AWS_NONE,
		  "createDate\":\"2026-11-20-03-21-09\",\"pre", "duplicate key");
	refuse_at(AWS_TOP "\"prefixes\":[{\"ip_prefix\":\"203.0.113.0/24\",\"region\":NaN,"
			  "\"service\":\"S\"}]," AWS_NONE,
		  "NaN", "not JSON");
	refuse_at(AWS_TOP "\"prefixes\":[{\"ip_prefix\":\"203.0.113.0/24\",\"region\":\"a\\nb\","
			  "\"service\":\"S\"}]," AWS_NONE,
		  "a\\nb", "control");
	refuse_at(AWS_TOP "\"prefixes\":{}," AWS_NONE, "{}", "an array");
	refuse_at("{\"createDate\":\"2026-11-31-03-21-09\",\"syncToken\":\"1\",\"prefixes\":[]"
		  "," AWS_NONE,
		  "2026", "time of publication");
	refuse_at("{\"createDate\":\"2026-11-20T03:21:09Z\",\"syncToken\":\"1\",\"prefixes\":[]"
		  "," AWS_NONE,
		  "2026", "a time like");
	refuse_at(
		"{\"creationTime\":\"today-and-tomorrow-too\",\"syncToken\":\"1\",\"prefixes\":[]}",
		"today", "time of publication");
	refuse_at("{\"syncToken\":\"1\",\"creationTime\":\"2026-11-20T03:21:09\",\"prefixes\":["
		  "{\"service\":\"s\",\"scope\":\"x\"}]}",
		  "{\"service", "one of ipv4Prefix and ipv6Prefix");
	must_refuse_published(WW_SLICE_LIT("{\"a\":1}"), &nothing, false, 0, "not understood");
	must_refuse_published(WW_SLICE_LIT(AWS_TOP "\"prefixes\":[]," AWS_NONE), &nothing, false, 0,
			      "no networks");
	must_refuse_published(WW_SLICE_LIT(AWS_TOP "\"prefixes\":[]," AWS_NONE "x"), &nothing, true,
			      sizeof(AWS_TOP "\"prefixes\":[]," AWS_NONE) - 1, "behind the end");
	strncpy(how.as_of, "2026-11-02", sizeof(how.as_of));
	must_refuse_published(WW_SLICE_LIT(whole), &how, true, OFFSET(whole, "2026"), "its own");
	how = nothing;
	how.operator_name = WW_SLICE_LIT("me");
	must_refuse_published(WW_SLICE_LIT(whole), &how, false, 0, "bare lists");
}

/* 10 MB of brackets. */
static void test_nesting(void **state)
{
	static const char head[] = AWS_TOP "\"prefixes\":";
	size_t n = 10u << 20;
	char *text = malloc(n);

	assert_non_null(text);
	memset(text, '[', n);
	memcpy(text, head, sizeof(head) - 1);
	must_refuse_published(ww_slice(text, n), &nothing, true, sizeof(head), "an object");
	memset(text, '[', n);
	text[0] = '{';
	memcpy(text + 1, "\"a\":", 4);
	must_refuse_published(ww_slice(text, n), &nothing, true, 5 + WW_JSON_DEPTH_MAX - 1,
			      "not JSON");
	free(text);
}

/* The same rows come back, and the same bytes. */
static void test_rows(void **state)
{
	struct ww_tables_import how = nothing;
	WW_AUTO(ww_tables_free_auto) struct ww_tables *t = NULL, *again = NULL;
	static const char top[] = "wirewitness-rows 1\nshape: aws\nsource-sha256: ";
	static const char rest[] =
		"as-of: 2026-11-20T03:21:09Z\nvalid-until: 2027-01-31\nrows: 1\n\n"
		"203.0.113.0/24\taws\tS\teu-1\t\n";
	WW_AUTO_BUF struct ww_buf out;
	struct ww_sha256 source;
	static const char text[] =
		AWS_TOP "\"prefixes\":[{\"ip_prefix\":\"203.0.113.0/24\"," AWS_ROW
			",{\"ip_prefix\":\"203.0.113.0/24\"," AWS_ROW "]," AWS_NONE;

	assert_int_equal(ww_tables_day_parse(WW_SLICE_LIT("2027-01-31"), &how.until), 0);
	t = published(WW_SLICE_LIT(text), &how);
	assert_int_equal(ww_tables_at(t, 0)->repeated, 1);
	ww_buf_init(&out, 1u << 16);
	assert_int_equal(ww_tables_rows_write(t, &out), 0);
	assert_int_equal(out.n, sizeof(top) - 1 + 65 + sizeof(rest) - 1);
	assert_memory_equal(out.p, top, sizeof(top) - 1);
	assert_memory_equal(out.p + out.n - (sizeof(rest) - 1), rest, sizeof(rest) - 1);
	again = table("aws.rows", ww_buf_slice(&out));
	assert_string_equal(dump(again), "8 203.0.113.0/24 aws|S|eu-1||published||2027-01-31\n");
	ww_sha256(WW_SLICE_LIT(text), &source);
	assert_memory_equal(&ww_tables_at(again, 0)->source, &source, sizeof(source));
	ww_sha256(ww_buf_slice(&out), &source);
	assert_memory_equal(&ww_tables_at(again, 0)->digest, &source, sizeof(source));
}

static void test_bad_rows(void **state)
{
	static const struct {
		const char *text;
		uint64_t line;
		const char *reason;
	} rows[] = {
		{"", 1, "wirewitness-rows 1"},
		{"wirewitness-rows 2\n", 1, "wirewitness-rows 1"},
		{"wirewitness-rows 1\nshape: maxmind\n", 2, "shape"},
		{"wirewitness-rows 1\nshape: aws\nsource-sha256: 00\n", 3, "64"},
		{"wirewitness-rows 1\nshape: aws\n" SOURCE "as-of: soon\n", 4, "as-of"},
		{HEAD, 5, "found the end"},
		{HEAD "valid-until: 2027-02-30\nrows: 0\n\n", 5, "valid-until"},
		{HEAD "rows: some\n\n", 5, "their number"},
		{HEAD "rows: 0\nrows: 0\n\n", 6, "an empty line"},
		{HEAD "rows: 1\n\n", 7, "as many rows"},
		{HEAD "rows: 0\n\n203.0.113.0/24\ta\tb\tc\t\n", 7, "expected the end"},
		{HEAD "rows: 1\n\n203.0.113.0/24\ta\tb\tc\n", 7, "tabs between"},
		{HEAD "rows: 1\n\n203.0.113.0/24\ta\tb\tc\td\te\n", 7, "tabs between"},
		{HEAD "rows: 1\n\n203.0.113.0/24\ta\tb\tc\td", 7, "as many rows"},
		{HEAD "rows: 1\n\n203.0.113.0/33\ta\tb\tc\t\n", 7, "host bits"},
		{HEAD "rows: 1\n\n203.0.113.1/24\ta\tb\tc\t\n", 7, "host bits"},
		{HEAD "rows: 1\n\n203.0.113.0\ta\tb\tc\t\n", 7, "host bits"},
		{HEAD "rows: 1\n\n203.0.113.0/24\ta\x01\tb\tc\t\n", 7, "tabs between"},
		{HEAD "rows: 1\n\n203.0.113.0/24\t\xff\tb\tc\t\n", 7, "tabs between"},
		{HEAD "rows: 1\n\n::ffff:203.0.113.0/120\ta\tb\tc\t\n", 7, "host bits"},
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(rows); i++)
		must_refuse("a.rows", rows[i].text, rows[i].line, rows[i].reason);
	must_refuse("a.txt", HEAD "rows: 0\n\n", 0, "NAME.rows");
	must_refuse("a b.rows", HEAD "rows: 0\n\n", 0, "NAME.rows");
	must_refuse(".rows", HEAD "rows: 0\n\n", 0, "NAME.rows");
}

static void test_yaml(void **state)
{
	WW_AUTO(ww_tables_free_auto)
	struct ww_tables *t = table(
		"laws.yaml",
		WW_SLICE_LIT(YAML
			     "operators:\n"
			     "  - {name: aws, home: US, basis: contract, valid_until: 2026-12-31}\n"
			     "prefixes:\n"
			     "  - cidr: [203.0.113.0/24, '2001:db8::/32']\n"
			     "    operator: aws\n    service: refunds\n    region: eu-1\n"
			     "    basis: provider-doc\n    valid_from: 2026-01-01\n"
			     "  - {cidr: [198.51.100.0/24], operator: cdn, basis: contract}\n"));
	const struct ww_tables_operator *o;
	unsigned i = 0;

	assert_string_equal(dump(t),
			    "12 198.51.100.0/24 cdn||||contract||\n"
			    "6 203.0.113.0/24 aws|refunds|eu-1||provider-doc|2026-01-01|\n"
			    "6 2001:db8::/32 aws|refunds|eu-1||provider-doc|2026-01-01|\n");
	o = ww_tables_operator(t, WW_SLICE_LIT("aws"), &i);
	assert_non_null(o);
	assert_string_equal(o->home, "US");
	assert_int_equal(o->basis, WW_TABLES_CONTRACT);
}

static bool dump_host(void *ctx, const struct ww_tables_file *file, const char *host,
		      const struct ww_tables_words *words, uint32_t line)
{
	char *out = ctx;
	size_t n = strlen(out);

	snprintf(out + n, 512 - n, "%u %s %.*s\n", line, host, (int)words->region.n,
		 (const char *)words->region.p);
	return true;
}

static void test_yaml_names(void **state)
{
	WW_AUTO(ww_tables_free_auto)
	struct ww_tables *t = table(
		"names.yaml",
		WW_SLICE_LIT(YAML
			     "prefixes:\n"
			     "- {hosts: ['*.a.example', A.example], cidr: [203.0.113.0/24],\n"
			     "   operator: a, region: r1, basis: contract}\n"
			     "- {hosts: [x.a.example], operator: a, region: r2,\n"
			     "   basis: contract, valid_until: 2026-11-27}\n"
			     "- {hosts: [a.EXAMPLE], operator: a, region: r1, basis: contract}\n"
			     "- {hosts: [a.example], operator: a, region: r3,\n"
			     "   basis: contract}\n"));
	struct ww_wall at = {1795780800000000000ull}; /* 2026-11-27 */
	struct ww_tables_answer a;
	char hosts[512] = "";

	assert_string_equal(dump(t), "4 203.0.113.0/24 a||r1||contract||\n");
	ww_tables_each_host(t, dump_host, hosts);
	assert_string_equal(hosts, "4 *.a.example r1\n4 A.example r1\n6 x.a.example r2\n"
				   "9 a.example r3\n");
	assert_int_equal(ww_tables_at(t, 0)->rows, 5);
	assert_int_equal(ww_tables_at(t, 0)->repeated, 1); /* but for case the same row */
	ww_tables_find_name(t, "X.A.example:443", at, &a);
	assert_int_equal(a.count, 2);
	assert_string_equal(a.rows[0].host, "x.a.example"); /* the most exact one first */
	assert_true(a.rows[0].speaks && !a.rows[1].speaks && a.speaking == 1);
	assert_false(a.rows[0].expired || a.ambiguous);
	at.ns += 86400000000000ull; /* a day later: no other speaks in its place */
	ww_tables_find_name(t, "x.a.example", at, &a);
	assert_true(a.rows[0].expired && a.rows[0].speaks && !a.rows[1].speaks);
	ww_tables_find_name(t, "a.example.", at, &a);
	assert_true(a.count == 2 && a.ambiguous);
	ww_tables_find_name(t, "example", at, &a);
	assert_int_equal(a.count, 0);
	ww_tables_find_name(t, "", at, &a);
	assert_int_equal(a.count, 0);
}

static void test_bad_yaml(void **state)
{
	static const struct {
		const char *text;
		uint64_t line;
		const char *reason;
	} rows[] = {
		{"", 1, "a mapping"},
		{"version: 1\n", 1, "the key as_of"},
		{"version: 2\nas_of: 2026-11-01\n", 1, "version 1"},
		{"version: 1\nas_of: November\n", 2, "a date"},
		{YAML "as_of: 2026-11-02\n", 3, "every key once"},
		{YAML "colour: red\n", 3, "one of the keys"},
		{YAML "prefixes:\n- cidr: [203.0.113.0/33]\n", 4, "host bits"},
		{YAML "prefixes:\n- cidr: [203.0.113.7/24]\n", 4, "host bits"},
		{YAML "prefixes:\n- cidr: []\n", 4, "at least one"},
		{YAML "prefixes:\n- {cidr: [203.0.113.0/24], operator: a}\n", 4, "the key basis"},
		{YAML "prefixes:\n- {cidr: [203.0.113.0/24], operator: a, basis: measured}\n", 4,
		 "contract or provider-doc"},
		{YAML "prefixes:\n- {cidr: [203.0.113.0/24], operator: a, basis: contract,\n"
		      "   valid_until: 2026-13-01}\n",
		 5, "a date"},
		{YAML "prefixes:\n- {cidr: [203.0.113.0/24], operator: a, basis: contract,\n"
		      "   valid_from: 2026-12-01, valid_until: 2026-11-01}\n",
		 4, "the other way round"},
		{YAML "operators:\n- &a {name: a, home: XA, basis: contract}\n", 4, "plain values"},
		{YAML "operators:\n- {name: a, home: XA, basis: contract}\n"
		      "- {name: a, home: XB, basis: contract}\n",
		 5, "every operator once"},
		{YAML "prefixes:\n- {operator: a, basis: contract}\n", 4, "cidr or hosts"},
		{YAML "prefixes:\n- {hosts: [], operator: a, basis: contract}\n", 4,
		 "at least one"},
		{YAML "prefixes:\n- {hosts: ['*'], operator: a, basis: contract}\n", 4,
		 "a name like api.example.com or *.example.com, in its ASCII form, found \"*\""},
		{YAML "prefixes:\n- {hosts: [a.example,\n   b..example]}\n", 5, "a name like"},
		{YAML "prefixes:\n- {hosts: ['b\u00fccher.example']}\n", 4, "in its ASCII form"},
		{YAML "prefixes:\n- {hosts: ['a.example:443']}\n", 4, "a name like"},
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(rows); i++)
		must_refuse("a.yaml", rows[i].text, rows[i].line, rows[i].reason);
}

static void read_golden(const char *name, struct ww_buf *out)
{
	char path[256];

	snprintf(path, sizeof(path), "tests/golden/tables/%s", name);
	ww_buf_init(out, 1u << 20);
	assert_int_equal(ww_file_read(path, out), 0);
}

static const char *asked(const struct ww_tables *t, const char *address)
{
	static struct ww_tables_answer a;
	static char text[512];
	struct ww_endpoint e = {.family = strchr(address, ':') ? AF_INET6 : AF_INET};
	size_t n = 0;

	assert_int_equal(inet_pton(e.family, address, e.addr), 1);
	ww_tables_find(t, &e, (struct ww_wall){1}, &a);
	text[0] = '\0';
	for (unsigned i = 0; i < a.count; i++) {
		const struct ww_tables_words *w = a.rows[i].words;
		char prefix[WW_CIDR_TEXT_MAX];

		ww_cidr_text(&a.rows[i].prefix, prefix);
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s %.*s|%.*s|%.*s",
				      i ? ", " : "", prefix, (int)w->operator_name.n,
				      w->operator_name.p, (int)w->region.n, w->region.p,
				      (int)w->zone.n, w->zone.p);
	}
	return text;
}

/* What make-mmdb.pl put into them, by another writer. */
static void test_databases(void **state)
{
	static const char *const names[] = {"four.mmdb", "operators.mmdb", "places.mmdb"};
	WW_AUTO(ww_tables_free_auto) struct ww_tables *t = NULL;

	assert_int_equal(ww_tables_new(&t), 0);
	for (unsigned i = 0; i < WW_ARRAY_SIZE(names); i++) {
		WW_AUTO_BUF struct ww_buf file;

		read_golden(names[i], &file);
		assert_int_equal(ww_tables_read(t, names[i], ww_buf_slice(&file), &error), 0);
		memset(file.p, 0, file.n); /* it has its own copy */
	}
	assert_int_equal(ww_tables_seal(t), 0);
	assert_string_equal(ww_tables_at(t, 2)->as_of, "2026-11-27T00:00:00Z");
	assert_string_equal(asked(t, "203.0.113.7"),
			    "203.0.113.0/25 |DE|HE, 203.0.113.0/24 EXAMPLE-A||");
	assert_string_equal(asked(t, "203.0.113.200"),
			    "203.0.113.128/25 |US|, 203.0.113.0/24 EXAMPLE-A||");
	assert_string_equal(asked(t, "::ffff:203.0.113.200"),
			    "203.0.113.128/25 |US|, 203.0.113.0/24 EXAMPLE-A||");
	assert_string_equal(asked(t, "198.51.100.7"), "198.51.100.0/24 ||");
	assert_string_equal(asked(t, "192.0.2.77"), "192.0.2.77/32 |AT|");
	assert_string_equal(asked(t, "192.0.2.1"), "192.0.2.0/26 |CH|");
	assert_string_equal(asked(t, "2001:db8::1"),
			    "2001:db8::/48 EXAMPLE-B||, 2001:db8::/33 |FR|");
	assert_string_equal(asked(t, "2001:db8:ffff:ffff:ffff:ffff:ffff:fff9"),
			    "2001:db8:ffff:ffff:ffff:ffff:ffff:fff0/124 |JP|");
	assert_string_equal(asked(t, "::1"), "");
	assert_string_equal(asked(t, "8.8.8.8"), "");
}

static void refuse_database(struct ww_slice file, const char *text)
{
	WW_AUTO(ww_tables_free_auto) struct ww_tables *t = NULL;

	assert_int_equal(ww_tables_new(&t), 0);
	error.text[0] = '\0';
	assert_int_equal(ww_tables_read(t, "a.mmdb", file, &error), -EINVAL);
	assert_true(error.text[0]);
	assert_non_null(strstr(error.text, text));
}

static void test_bad_databases(void **state)
{
	WW_AUTO_BUF struct ww_buf file, wrong;

	read_golden("places.mmdb", &file);
	read_golden("wrong.mmdb", &wrong);
	for (size_t n = 0; n < file.n; n += n < 1700 ? 61 : 1)
		refuse_database(ww_slice(file.p, n), "");
	refuse_database(ww_buf_slice(&wrong), "entry at 0");
	/* The first node leads to where no node and no entry is. */
	memset(file.p, 0xff, 3);
	refuse_database(ww_buf_slice(&file), "node 0");
}

static void test_shapes(void **state)
{
	WW_AUTO_BUF struct ww_buf file;

	read_golden("four.mmdb", &file);
	assert_string_equal(ww_tables_shape(ww_buf_slice(&file)), "mmdb");
	assert_string_equal(ww_tables_shape(WW_SLICE_LIT("{\"cloud\":1,\"changeNumber\":3")),
			    "azure");
	assert_string_equal(ww_tables_shape(WW_SLICE_LIT("{\"creationTime\":3")), "gcp");
	assert_string_equal(ww_tables_shape(WW_SLICE_LIT("wirewitness-rows 7")), "rows");
	assert_string_equal(ww_tables_shape(WW_SLICE_LIT("2001:db8::/32")), "list");
	assert_null(ww_tables_shape(WW_SLICE_LIT("version: 1\n")));
	assert_null(ww_tables_shape(WW_SLICE_LIT("{\"a\":{\"changeNumber\":3}}")));
	assert_null(ww_tables_shape(WW_SLICE_NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_aws),           cmocka_unit_test(test_gcp),
		cmocka_unit_test(test_azure),         cmocka_unit_test(test_list),
		cmocka_unit_test(test_bad_json),      cmocka_unit_test(test_nesting),
		cmocka_unit_test(test_rows),          cmocka_unit_test(test_bad_rows),
		cmocka_unit_test(test_yaml),          cmocka_unit_test(test_yaml_names),
		cmocka_unit_test(test_bad_yaml),      cmocka_unit_test(test_databases),
		cmocka_unit_test(test_bad_databases), cmocka_unit_test(test_shapes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
