/* SPDX-License-Identifier: Apache-2.0 */
#include "out/paths.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>
#include <jansson.h>

#include "base/own.h"
#include "out/member.h"

#define TEXT_OF(n, v, t, d) [v] = t,
static const char *const kinds[WW_RECORD_MAX] = {WW_RECORD_KINDS(TEXT_OF)};

/* Members of the schemas that were met, by their place in the table. */
static ww_path_kinds met[1024];

static void meet(const char *path, unsigned kind)
{
	for (unsigned i = 0; ww_path_at(i); i++) {
		if (strcmp(ww_path_at(i)->path, path) == 0) {
			met[i] |= WW_PATH_KIND(kind);
			return;
		}
	}
	fail_msg("paths.c: a row is missing: {\"%s\", K(%s)}", path, kinds[kind]);
}

/* Every member that a schema names is in the table, and is of that kind there. */
static void walk(json_t *schema, json_t *node, const char *path, unsigned kind)
{
	const char *ref = json_string_value(json_object_get(node, "$ref")), *key;
	json_t *properties = json_object_get(node, "properties"), *value;
	char inner[WW_MEMBER_PATH_MAX];

	if (ref) {
		assert_memory_equal(ref, "#/$defs/", 8);
		value = json_object_get(json_object_get(schema, "$defs"), ref + 8);
		assert_non_null(value);
		walk(schema, value, path, kind);
	} else if (properties) {
		json_object_foreach(properties, key, value)
		{
			snprintf(inner, sizeof(inner), "%s%s%s", path, *path ? "." : "", key);
			walk(schema, value, inner, kind);
		}
	} else if (json_object_get(node, "items")) {
		walk(schema, json_object_get(node, "items"), path, kind);
	} else if (json_object_get(node, "additionalProperties")) {
		snprintf(inner, sizeof(inner), "%s.", path);
		meet(inner, kind);
	} else {
		meet(path, kind);
	}
}

static void as_the_schemas(void **state)
{
	for (unsigned k = 1; k < WW_RECORD_MAX; k++) {
		char path[128];
		json_t *schema;

		if (!kinds[k])
			continue; /* a number that is nobody's yet */
		snprintf(path, sizeof(path), "docs/schema/records/%s.json", kinds[k]);
		schema = json_load_file(path, 0, NULL);
		if (!schema)
			fail_msg("%s cannot be read", path);
		walk(schema, schema, "", k);
		json_decref(schema);
	}
	for (unsigned i = 0; ww_path_at(i); i++) {
		assert_true(i < WW_ARRAY_SIZE(met));
		if (met[i] != ww_path_at(i)->kinds)
			fail_msg("paths.c: '%s' has kinds that the schemas do not have it in",
				 ww_path_at(i)->path);
		if (i > 0)
			assert_true(strcmp(ww_path_at(i - 1)->path, ww_path_at(i)->path) < 0);
	}
}

static unsigned kind_of(struct ww_slice record)
{
	const struct ww_slice path = WW_SLICE_LIT("kind");
	struct ww_json_token v;

	ww_member_pick(record, &path, 1, &v);
	for (unsigned k = 1; k < WW_RECORD_MAX; k++) {
		if (ww_slice_eq_str(v.raw, kinds[k]))
			return k;
	}
	return 0;
}

/* What the pipeline writes can be asked for. */
static void as_the_records(void **state)
{
	static char line[1 << 17];
	FILE *f = fopen("tests/golden/tapes/node_refunds.records", "re");
	unsigned members = 0;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		struct ww_slice record = ww_slice(line, strlen(line) - 1);
		struct ww_member_walk w;
		struct ww_member m;

		ww_member_begin(&w, record);
		while (ww_member_next(&w, &m)) {
			if (!(ww_path_find(m.path) & WW_PATH_KIND(kind_of(record))))
				fail_msg("'%.*s' is not known", (int)m.path.n,
					 (const char *)m.path.p);
			members++;
		}
	}
	fclose(f);
	assert_true(members > 1000);
}

static void near(void **state)
{
	static const struct {
		const char *text, *meant;
		ww_path_kinds kinds;
	} cases[] = {
		{"verdct", "verdict", WW_PATH_KINDS_ALL},
		{"Tool", "tool", WW_PATH_KINDS_ALL},
		{"toolcallid", "toolCallId", WW_PATH_KINDS_ALL},
		{"tool_call_id", "toolCallId", WW_PATH_KINDS_ALL},
		{"raeson", "reason", WW_PATH_KINDS_ALL},
		{"wire.staus", "wire.status", WW_PATH_KINDS_ALL},
		{"sni", "tls.sni", WW_PATH_KIND(WW_RECORD_FLOW)},
		{"remainder", "account.in.remainder", WW_PATH_KIND(WW_RECORD_FLOW)},
		{"colour", NULL, WW_PATH_KINDS_ALL},
		{"verdct", NULL, WW_PATH_KIND(WW_RECORD_FLOW)},
		{"", NULL, WW_PATH_KINDS_ALL},
		{"x", NULL, WW_PATH_KINDS_ALL},
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(cases); i++) {
		const char *got = ww_path_near(ww_slice_str(cases[i].text), cases[i].kinds);

		if (cases[i].meant ? !got || strcmp(got, cases[i].meant) != 0 : got != NULL)
			fail_msg("'%s': %s", cases[i].text, got ? got : "nothing");
	}
	assert_int_equal(ww_path_find(WW_SLICE_LIT("attrs.gen_ai.tool.name")),
			 WW_PATH_KIND(WW_RECORD_SPAN));
	assert_int_equal(ww_path_find(WW_SLICE_LIT("attrs.")), 0);
	assert_int_equal(ww_path_find(WW_SLICE_LIT("attrs")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_the_schemas),
		cmocka_unit_test(as_the_records),
		cmocka_unit_test(near),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
