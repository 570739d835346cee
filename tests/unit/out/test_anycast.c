/* SPDX-License-Identifier: Apache-2.0 */
#include "out/anycast.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "wording_rules.h"

/* Frankfurt and Ashburn are 6,549 km apart: light needs 43.7 ms there and back. */
#define FRANKFURT "[50.11,8.68]"
#define ASHBURN   "[39.04,-77.49]"

static char text[4096];

static struct ww_slice path(const char *id, const char *position, const char *peer, unsigned rtt_us,
			    const char *more)
{
	int n = snprintf(text, sizeof(text),
			 "{\"kind\":\"path\",\"id\":\"%s\",\"legs\":[{\"seq\":3,\"peer\":\"%s\","
			 "\"place\":{\"local\":false,\"bounds\":{\"tcp\":{\"rttUs\":%u}}}%s}],"
			 "\"host\":{\"position\":%s,\"withinKm\":5,\"source\":\"contract\"}}",
			 id, peer, rtt_us, more, position);

	return ww_slice(text, (size_t)n);
}

static void add(struct ww_anycast *a, const char *host, struct ww_slice record)
{
	struct ww_errtext why = {""};

	assert_int_equal(ww_anycast_host(a, host, &why), 0);
	assert_int_equal(ww_anycast_add(a, record, &why), 0);
}

struct answer {
	struct ww_buf out;
	uint64_t count, several;
};

static void end(struct ww_anycast *a, struct answer *ret)
{
	struct ww_errtext why = {""};

	ww_buf_init(&ret->out, 1 << 20);
	assert_int_equal(ww_anycast_end(a, &why), 0);
	assert_int_equal(ww_anycast_text(a, &ret->out, &ret->count, &ret->several), 0);
	assert_int_equal(ww_buf_add(&ret->out, "", 1), 0);
}

static bool has(const struct answer *a, const char *what)
{
	return strstr((const char *)a->out.p, what) != NULL;
}

static void two_hosts(const char *peer, unsigned first_us, unsigned second_us, struct answer *ret)
{
	WW_AUTO(ww_anycast_free_auto) struct ww_anycast *a = NULL;

	assert_int_equal(ww_anycast_new(&a), 0);
	add(a, "a.jsonl", path("y-1-1", FRANKFURT, peer, first_us, ""));
	add(a, "b.jsonl", path("y-2-1", ASHBURN, peer, second_us, ""));
	end(a, ret);
}

static void several(void **state)
{
	struct answer a;

	two_hosts("203.0.113.7:443", 1000, 900, &a);
	assert_int_equal(a.count, 1);
	assert_int_equal(a.several, 1);
	assert_true(has(&a, "203.0.113.7: more than one machine answers\n"));
	assert_true(has(&a, "measured: 1000 us from a.jsonl (declared at 50.11, 8.68 degrees, "
			    "within 5 km, by: contract), leg 3 of y-1-1; light allows at most "));
	assert_true(has(&a, "measured: 900 us from b.jsonl (declared at 39.04, -77.49 degrees"));
	assert_true(has(&a, "have no point in common (hard bound)"));
	ww_buf_done(&a.out);
}

/* Together more than the way: nothing follows. */
static void one(void **state)
{
	struct answer a;

	two_hosts("[2001:db8::7]:443", 30000, 20000, &a);
	assert_int_equal(a.count, 1);
	assert_int_equal(a.several, 0);
	assert_true(has(&a, "[2001:db8::7]: one machine can have answered both\n"));
	assert_true(has(&a, "nothing follows"));
	ww_buf_done(&a.out);
}

/* 6,549 km by c are 43,690 us in all. Well below it they cannot meet, well above they do. */
static void around_the_border(void **state)
{
	static const struct {
		unsigned us;
		bool several;
	} rows[] = {{41000, true}, {42900, true}, {43700, false}, {45000, false}};

	for (size_t i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		struct answer a;

		two_hosts("203.0.113.7:443", rows[i].us / 2, rows[i].us / 2, &a);
		assert_int_equal(a.several, rows[i].several);
		ww_buf_done(&a.out);
	}
}

/* Of several round trips the shortest counts; ports do not; other addresses are other peers. */
static void shortest(void **state)
{
	WW_AUTO(ww_anycast_free_auto) struct ww_anycast *a = NULL;
	struct ww_errtext why = {""};
	struct answer got;

	assert_int_equal(ww_anycast_new(&a), 0);
	add(a, "a", path("y-1-1", FRANKFURT, "203.0.113.7:443", 90000, ""));
	assert_int_equal(
		ww_anycast_add(a, path("y-9-1", FRANKFURT, "203.0.113.7:80", 1500, ""), &why), 0);
	assert_int_equal(
		ww_anycast_add(a, path("y-8-1", FRANKFURT, "203.0.113.9:80", 1500, ""), &why), 0);
	add(a, "b", path("y-2-1", ASHBURN, "203.0.113.7:443", 2000, ""));
	end(a, &got);
	assert_int_equal(got.count, 1);
	assert_int_equal(got.several, 1);
	assert_true(has(&got, "measured: 1500 us from a"));
	assert_true(has(&got, "of y-9-1"));
	ww_buf_done(&got.out);
}

/* Those with several responders come first, and name the two hosts that show it. */
static void three_hosts(void **state)
{
	WW_AUTO(ww_anycast_free_auto) struct ww_anycast *a = NULL;
	struct ww_errtext why = {""};
	struct answer got;

	assert_int_equal(ww_anycast_new(&a), 0);
	add(a, "a", path("y-1-1", FRANKFURT, "203.0.113.1:443", 50000, ""));
	assert_int_equal(
		ww_anycast_add(a, path("y-1-2", FRANKFURT, "203.0.113.7:443", 1000, ""), &why), 0);
	add(a, "b", path("y-2-1", "[50.2,8.7]", "203.0.113.1:443", 50000, ""));
	assert_int_equal(
		ww_anycast_add(a, path("y-2-2", "[50.2,8.7]", "203.0.113.7:443", 1100, ""), &why),
		0);
	add(a, "c", path("y-3-1", ASHBURN, "203.0.113.7:443", 1200, ""));
	end(a, &got);
	assert_int_equal(got.count, 2);
	assert_int_equal(got.several, 1);
	assert_true(ww_slice_starts(ww_buf_slice(&got.out),
				    WW_SLICE_LIT("203.0.113.7: more than one")));
	assert_true(has(&got, "measured: 1200 us from c"));
	ww_buf_done(&got.out);
}

static void not_counted(void **state)
{
	WW_AUTO(ww_anycast_free_auto) struct ww_anycast *a = NULL;
	struct ww_errtext why = {""};
	static const char local[] =
		"{\"kind\":\"path\",\"id\":\"y-1-3\",\"legs\":[{\"seq\":1,\"peer\":\"10.0.0.5:"
		"443\","
		"\"place\":{\"local\":true,\"bounds\":{\"tcp\":{\"rttUs\":100}}}},"
		"{\"peer\":\"203.0.113.8:1\",\"place\":{\"bounds\":{\"none\":\"proxy\"}}},"
		"{\"peer\":\"not an "
		"address\",\"place\":{\"bounds\":{\"tcp\":{\"rttUs\":100}}}},7]}";
	struct answer got;

	assert_int_equal(ww_anycast_new(&a), 0);
	add(a, "a", path("y-1-1", FRANKFURT, "203.0.113.1:443", 1000, ""));
	assert_int_equal(ww_anycast_add(a, ww_slice_str(local), &why), 0);
	assert_int_equal(
		ww_anycast_add(a, WW_SLICE_LIT("{\"kind\":\"flow\",\"peer\":\"x\"}"), &why), 0);
	add(a, "b", path("y-2-1", ASHBURN, "203.0.113.2:443", 1000, ""));
	assert_int_equal(ww_anycast_add(a, ww_slice_str(local), &why), 0);
	end(a, &got);
	assert_int_equal(got.count, 0);
	ww_buf_done(&got.out);
}

/* --- refused ------------------------------------------------------------------------------------
 */

static void mixed(void **state)
{
	static const char first[] = "{\"kind\":\"life\",\"event\":\"start\",\"host\":\"one\"}",
			  second[] = "{\"kind\":\"life\",\"event\":\"start\",\"host\":\"two\"}";
	WW_AUTO(ww_anycast_free_auto) struct ww_anycast *a = NULL;
	struct ww_errtext why = {""};

	assert_int_equal(ww_anycast_new(&a), 0);
	add(a, "a.jsonl", path("y-1-1", FRANKFURT, "203.0.113.1:443", 1000, ""));
	assert_int_equal(
		ww_anycast_add(a, path("y-2-1", ASHBURN, "203.0.113.1:443", 1000, ""), &why),
		-EINVAL);
	assert_non_null(strstr(why.text, "a.jsonl: records of two positions"));
	assert_int_equal(ww_anycast_add(a, ww_slice_str(first), &why), 0);
	assert_int_equal(ww_anycast_add(a, ww_slice_str(second), &why), -EINVAL);
	assert_non_null(strstr(why.text, "two hosts are mixed"));
}

static void twice(void **state)
{
	static const char life[] = "{\"kind\":\"life\",\"event\":\"start\",\"host\":\"one\"}";

	for (unsigned named = 0; named < 2; named++) {
		WW_AUTO(ww_anycast_free_auto) struct ww_anycast *a = NULL;
		struct ww_errtext why = {""};

		assert_int_equal(ww_anycast_new(&a), 0);
		for (unsigned i = 0; i < 2; i++) {
			add(a, i ? "b" : "a",
			    path(named && i ? "y-7-1" : "y-1-1", FRANKFURT, "203.0.113.1:443", 1000,
				 ""));
			if (named)
				assert_int_equal(ww_anycast_add(a, ww_slice_str(life), &why), 0);
		}
		assert_int_equal(ww_anycast_end(a, &why), -EINVAL);
		assert_non_null(strstr(why.text, "a and b are of one host"));
	}
}

static void no_position(void **state)
{
	static const char *const bad[] = {
		"[91,8]", "[50.11,181]", "[\"50\",8]", "[50.11]", "{}", "[1e999,0]", "[50.11,8.68,",
	};
	static const char none[] = "{\"kind\":\"path\",\"id\":\"y-1-1\",\"legs\":[]}";
	WW_AUTO(ww_anycast_free_auto) struct ww_anycast *a = NULL;
	struct ww_errtext why = {""};

	assert_int_equal(ww_anycast_new(&a), 0);
	assert_int_equal(ww_anycast_host(a, "a", &why), 0);
	for (size_t i = 0; i < WW_ARRAY_SIZE(bad); i++)
		assert_int_equal(
			ww_anycast_add(a, path("y-1-1", bad[i], "203.0.113.1:443", 1000, ""), &why),
			-EINVAL);
	assert_int_equal(ww_anycast_add(a, WW_SLICE_LIT("{}"), &why), -EINVAL);
	assert_int_equal(ww_anycast_add(a, ww_slice_str(none), &why), 0);
	assert_int_equal(ww_anycast_end(a, &why), -ENODATA);
	assert_non_null(strstr(why.text, "a: no path record with a position"));
}

static void too_many(void **state)
{
	WW_AUTO(ww_anycast_free_auto) struct ww_anycast *a = NULL;
	struct ww_errtext why = {""};

	assert_int_equal(ww_anycast_new(&a), 0);
	for (unsigned i = 0; i < WW_ANYCAST_HOSTS_MAX; i++)
		assert_int_equal(ww_anycast_host(a, "x", &why), 0);
	assert_int_equal(ww_anycast_host(a, "x", &why), -E2BIG);
}

static void words(void **state)
{
	for (unsigned i = 0; ww_anycast_pattern(i); i++) {
		const char *why = wording_breaks(ww_anycast_pattern(i));

		if (why)
			fail_msg("%s, in: %s", why, ww_anycast_pattern(i));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(several),
		cmocka_unit_test(one),
		cmocka_unit_test(around_the_border),
		cmocka_unit_test(shortest),
		cmocka_unit_test(three_hosts),
		cmocka_unit_test(not_counted),
		cmocka_unit_test(mixed),
		cmocka_unit_test(twice),
		cmocka_unit_test(no_position),
		cmocka_unit_test(too_many),
		cmocka_unit_test(words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
