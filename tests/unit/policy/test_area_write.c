/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/area_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>
#include <jansson.h>

static const char policy[] =
	"version: 1\n"
	"host: {position: [50.11, 8.68], within_km: 5, source: here}\n"
	"areas:\n"
	"  - {name: eu, countries: [DE, FR, IE]}\n"
	"  - {name: hall-7, polygon: [[50.0, 8.0], [50.5, 8.0], [50.5, 9.25]]}\n"
	"  - {name: south, polygon: [[-33.5, -70.000001], [-34, -71], [-33, -71]]}\n"
	"  - {name: ring, circle: {center: [50.1, 8.7], km: 50}}\n"
	"agents:\n"
	"  - {name: a, program: [/usr/bin/node]}\n";

static void write_of(const char *yaml, struct ww_buf *out)
{
	WW_AUTO(ww_policy_free_auto) struct ww_policy *p = NULL;
	struct ww_contract_error error;
	struct ww_jsonw w;

	if (ww_policy_parse(ww_slice_str(yaml), &p, &error) < 0)
		fail_msg("%s", error.text);
	ww_buf_init(out, 1 << 20);
	ww_jsonw_init(&w, out);
	ww_jsonw_object(&w, NULL);
	ww_policy_write_areas(p, &w);
	ww_jsonw_end_object(&w);
	assert_true(ww_jsonw_ok(&w));
	assert_int_equal(ww_buf_add(out, "", 1), 0);
}

/* A radius is never told shorter than it is. */
static void as_the_file_has_it(void **state)
{
	WW_AUTO_BUF struct ww_buf out = {0};

	write_of(policy, &out);
	assert_string_equal(
		(const char *)out.p,
		"{\"areas\":[{\"name\":\"eu\",\"countries\":[\"DE\",\"FR\",\"IE\"]},"
		"{\"name\":\"hall-7\",\"polygon\":[[50.0,8.0],[50.5,8.0],[50.5,9.25]]},"
		"{\"name\":\"south\",\"polygon\":[[-33.5,-70.000001],[-34.0,-71.0],[-33.0,-71.0]]},"
		"{\"name\":\"ring\",\"circle\":{\"center\":[50.1,8.7],\"km\":50.001}}]}");
}

/* What does not fit is left out, what comes after it is not. */
static void bounded(void **state)
{
	WW_AUTO_BUF struct ww_buf out = {0};
	char yaml[65536];
	json_t *json;
	size_t n;

	n = (size_t)snprintf(yaml, sizeof(yaml),
			     "version: 1\nareas:\n  - {name: large, polygon: [[0, 0]");
	for (unsigned i = 1; i < 500; i++)
		n += (size_t)snprintf(yaml + n, sizeof(yaml) - n, ", [%.2f, %.4f]", i * 0.01,
				      i * i * 0.0001);
	snprintf(yaml + n, sizeof(yaml) - n,
		 ", [6, 0]]}\n  - {name: small, countries: [DE]}\n"
		 "agents:\n  - {name: a, program: [/usr/bin/node]}\n");
	write_of(yaml, &out);
	assert_true(out.n < WW_AREAS_BYTES_MAX);
	json = json_loads((const char *)out.p, 0, NULL);
	assert_non_null(json);
	assert_int_equal(json_array_size(json_object_get(json, "areas")), 1);
	json_decref(json);
}

static void none(void **state)
{
	WW_AUTO_BUF struct ww_buf out = {0};

	write_of("version: 1\nagents:\n  - {name: a, program: [/usr/bin/node]}\n", &out);
	assert_string_equal((const char *)out.p, "{}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_the_file_has_it),
		cmocka_unit_test(bounded),
		cmocka_unit_test(none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
