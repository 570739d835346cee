/* SPDX-License-Identifier: Apache-2.0 */
/* Verdicts of paths: a recorded one, judged as it would be under a policy, and every way to lie. */
#include "ledger/rederive.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <jansson.h>

#include "base/buf.h"
#include "rt/file.h"

#define TAPE "tests/golden/tapes/node_refunds.records"

struct tape {
	struct ww_buf file;
	json_t *path; /* the first one */
};

static void load(struct tape *t)
{
	struct ww_slice rest, line;

	ww_buf_init(&t->file, 4u << 20);
	assert_int_equal(ww_file_read(TAPE, &t->file), 0);
	rest = ww_buf_slice(&t->file);
	t->path = NULL;
	while (!t->path && ww_slice_line(&rest, &line)) {
		json_t *record = json_loadb((const char *)line.p, line.n, 0, NULL);

		if (strcmp(json_string_value(json_object_get(record, "kind")), "path") == 0)
			t->path = json_incref(record);
		json_decref(record);
	}
	assert_non_null(t->path);
}

static void unload(struct tape *t)
{
	ww_buf_done(&t->file);
	json_decref(t->path);
}

/* What is said of the path after the tape's exchanges; *ret_field the first place. */
static struct ww_rederive_result derive(const struct tape *t, json_t *path, char ret_field[48],
					bool exchanges)
{
	WW_AUTO(ww_rederive_free_auto) struct ww_rederive *rd = NULL;
	struct ww_slice rest = ww_buf_slice(&t->file), line;
	char *text = json_dumps(path, JSON_COMPACT);
	struct ww_rederive_result got;
	uint64_t index = 0;

	assert_int_equal(ww_rederive_new(&rd), 0);
	while (ww_slice_line(&rest, &line)) {
		json_t *record = json_loadb((const char *)line.p, line.n, 0, NULL);
		const char *kind = json_string_value(json_object_get(record, "kind"));

		if (exchanges && strcmp(kind, "exchange") == 0)
			assert_int_equal(
				ww_rederive_add(rd, index++, ww_slice_str("exchange"), line), 0);
		json_decref(record);
	}
	assert_int_equal(ww_rederive_add(rd, index, ww_slice_str("path"), ww_slice_str(text)), 0);
	assert_int_equal(ww_rederive_run(rd, WW_SLICE_NULL, WW_SLICE_NULL), 0);
	got = *ww_rederive_result(rd);
	assert_int_equal(got.paths, 1);
	snprintf(ret_field, 48, "%s", got.n_findings ? got.findings[0].field : "");
	free(text);
	return got;
}

static json_t *leg_of(json_t *path, unsigned i)
{
	json_t *leg = json_array_get(json_object_get(path, "legs"), i);

	assert_non_null(leg);
	return leg;
}

static void place(json_t *path, const char *region, const char *home)
{
	json_t *leg;
	size_t i;

	json_array_foreach(json_object_get(path, "legs"), i, leg) json_object_set_new(
		leg, "place",
		json_pack("{s:s,s:s,s:b,s:b,s:[],s:{}}", "region", region, "home", home, "local", 0,
			  "ambiguous", 0, "labels", "bounds"));
}

/* As it would be judged, where all that was seen is allowed. */
static json_t *judged(const struct tape *t)
{
	json_t *path = json_deep_copy(t->path);

	json_object_set_new(path, "agent", json_string("support"));
	json_object_set_new(path, "verdict", json_string("WITHIN_POLICY_TO_HORIZON"));
	json_object_set_new(path, "open", json_array());
	place(path, "allowed", "not-asked");
	return path;
}

static void verdict(json_t *path, const char *word, const char *reason)
{
	json_object_set_new(path, "verdict", json_string(word));
	json_object_set_new(path, "reason", reason ? json_string(reason) : json_null());
}

static void open_as(json_t *path, const char *reason)
{
	json_array_append_new(json_object_get(path, "open"), json_string(reason));
}

static void check(const struct tape *t, json_t *path, bool good, const char *field)
{
	char got[48];
	struct ww_rederive_result r = derive(t, path, got, true);

	assert_int_equal(r.paths_undecided, 0);
	if (r.paths_differ != !good || strcmp(got, field) != 0) {
		char *text = json_dumps(path, JSON_COMPACT);

		fail_msg("differs %d at '%s', wanted '%s': %s", (int)r.paths_differ, got, field,
			 text);
	}
	json_decref(path);
}

static void as_recorded(void **state)
{
	struct tape t;
	json_t *path;

	load(&t);
	check(&t, json_deep_copy(t.path), true, "");
	path = json_deep_copy(t.path);
	verdict(path, "VIOLATION", NULL);
	check(&t, path, false, "verdict"); /* of no agent of a policy */
	unload(&t);
}

static void good_ones(void **state)
{
	struct tape t;
	json_t *path;

	load(&t);
	check(&t, judged(&t), true, "");

	path = judged(&t);
	verdict(path, "VIOLATION", NULL);
	place(path, "forbidden", "not-asked");
	open_as(path, "OUTCOME_UNKNOWN");
	check(&t, path, true, "");

	path = judged(&t); /* what nobody lists may be denied by the policy */
	verdict(path, "VIOLATION", NULL);
	place(path, "unlisted", "not-asked");
	check(&t, path, true, "");

	path = judged(&t);
	verdict(path, "UNVERIFIABLE", "NO_CONTRACT");
	place(path, "unlisted", "not-asked");
	open_as(path, "NO_CONTRACT");
	open_as(path, "TLS_OPAQUE");
	check(&t, path, true, "");

	path = judged(&t);
	verdict(path, "CLAIM_CONTRADICTED", NULL);
	json_object_set_new(leg_of(path, 0), "findings", json_pack("[s]", "REGION_CLAIM_DIFFERS"));
	json_object_set_new(leg_of(path, 0), "claims",
			    json_pack("[{s:s,s:s,s:s,s:s}]", "by", "span", "from", "cloud.region",
				      "says", "x", "about", "endpoint"));
	check(&t, path, true, "");
	unload(&t);
}

/* What a record may not say of itself. */
static void lies(void **state)
{
	struct tape t;
	json_t *path;

	load(&t);
	path = judged(&t); /* a violation that is called none */
	place(path, "forbidden", "not-asked");
	open_as(path, "OUTCOME_UNKNOWN");
	check(&t, path, false, "verdict");

	path = judged(&t); /* the home counts as well */
	place(path, "allowed", "forbidden");
	open_as(path, "OUTCOME_UNKNOWN");
	check(&t, path, false, "verdict");

	path = judged(&t); /* one without any leg for it */
	verdict(path, "VIOLATION", NULL);
	check(&t, path, false, "verdict");

	path = judged(&t); /* something is open */
	open_as(path, "TLS_OPAQUE");
	check(&t, path, false, "verdict");

	path = judged(&t); /* lost events that are not named */
	json_object_set_new(json_object_get(path, "coverage"), "lostEvents", json_integer(3));
	check(&t, path, false, "open");

	path = judged(&t); /* a gap that is not named */
	json_object_set_new(json_object_get(path, "coverage"), "wholeWindow", json_false());
	check(&t, path, false, "open");

	path = judged(&t); /* nor what labels are worth */
	json_object_set_new(json_object_get(leg_of(path, 0), "place"), "ambiguous", json_true());
	check(&t, path, false, "open");

	path = judged(&t); /* nor that it may be another request */
	json_object_set_new(leg_of(path, 0), "join", json_string("AMBIGUOUS"));
	check(&t, path, false, "open");

	path = judged(&t); /* legs that are not told */
	json_object_set_new(path, "legsTotal", json_integer(99));
	check(&t, path, false, "open");

	path = judged(&t); /* not the first reason */
	verdict(path, "UNVERIFIABLE", "TLS_OPAQUE");
	open_as(path, "NO_CONTRACT");
	open_as(path, "TLS_OPAQUE");
	check(&t, path, false, "reason");

	path = judged(&t); /* unverifiable, of nothing */
	verdict(path, "UNVERIFIABLE", "NO_CONTRACT");
	check(&t, path, false, "verdict");

	path = judged(&t); /* a contradiction that nothing shows */
	verdict(path, "CLAIM_CONTRADICTED", NULL);
	check(&t, path, false, "verdict");

	path = judged(&t);
	verdict(path, "NOT_APPLICABLE", NULL);
	check(&t, path, false, "verdict");

	path = judged(&t);
	verdict(path, "LAWFUL", NULL);
	check(&t, path, false, "verdict");
	unload(&t);
}

/* What its exchanges say otherwise. */
static void against_exchanges(void **state)
{
	static const struct {
		const char *key, *field;
	} rows[] = {{"peer", "legs.peer"},
		    {"status", "legs.status"},
		    {"outcome", "legs.outcome"},
		    {"requestBytes", "legs.requestBytes"}};
	struct tape t;

	load(&t);
	for (size_t i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		json_t *path = judged(&t);
		json_t *leg = leg_of(path, 0);

		if (json_is_string(json_object_get(leg, rows[i].key)))
			json_object_set_new(leg, rows[i].key, json_string("203.0.113.1:1"));
		else
			json_object_set_new(leg, rows[i].key, json_integer(201));
		check(&t, path, false, rows[i].field);
	}
	unload(&t);
}

/* Never the first of the three. */
static void not_derivable(void **state)
{
	char field[48];
	struct tape t;
	json_t *path;

	load(&t);
	path = judged(&t);
	assert_int_equal(derive(&t, path, field, false).paths_undecided, 1);
	assert_string_equal(field, "legs.exchange");
	json_object_del(path, "open"); /* an earlier version */
	assert_int_equal(derive(&t, path, field, true).paths_undecided, 1);
	assert_string_equal(field, "open");
	json_decref(path);
	path = judged(&t); /* a later one */
	open_as(path, "SOLAR_STORM");
	assert_int_equal(derive(&t, path, field, true).paths_undecided, 1);
	json_decref(path);
	path = judged(&t);
	json_object_set_new(leg_of(path, 0), "evidence", json_string("E99"));
	assert_int_equal(derive(&t, path, field, true).paths_undecided, 1);
	json_decref(path);
	unload(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_recorded),   cmocka_unit_test(good_ones),
		cmocka_unit_test(lies),          cmocka_unit_test(against_exchanges),
		cmocka_unit_test(not_derivable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
