/* SPDX-License-Identifier: Apache-2.0 */
#include "out/why.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>
#include <jansson.h>

#include "judge/verdict.h"
#include "out/template.h"
#include "out/why_change.h"

#define RECORDS_MAX 256

/* The records of a golden tape; `hidden`: as if that one were not there. */
struct records {
	unsigned count;
	json_t *each[RECORDS_MAX];
	struct ww_slice text[RECORDS_MAX];
	char *file;
	unsigned hidden;
};

static void load(struct records *r, const char *path)
{
	FILE *f = fopen(path, "re");
	struct ww_slice rest, line;
	size_t n;

	assert_non_null(f);
	*r = (struct records){.hidden = RECORDS_MAX, .file = malloc(1 << 20)};
	n = fread(r->file, 1, 1 << 20, f);
	assert_true(n > 0 && n < 1 << 20);
	fclose(f);
	rest = ww_slice(r->file, n);
	while (ww_slice_line(&rest, &line)) {
		assert_true(r->count < RECORDS_MAX);
		r->each[r->count] = json_loadb((const char *)line.p, line.n, 0, NULL);
		assert_non_null(r->each[r->count]);
		r->text[r->count++] = line;
	}
}

static void unload(struct records *r)
{
	for (unsigned i = 0; i < r->count; i++)
		json_decref(r->each[i]);
	free(r->file);
}

static const char *text_of(json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

static int get(void *ctx, struct ww_slice id, uint64_t *ret_index, struct ww_slice *ret_json)
{
	struct records *r = ctx;

	for (unsigned i = r->count; i-- > 0;) {
		const char *kind = text_of(r->each[i], "kind");

		if (i == r->hidden || strcmp(kind, "finding") == 0 ||
		    !ww_slice_eq_str(id, text_of(r->each[i], "id")))
			continue;
		*ret_index = i;
		*ret_json = r->text[i];
		return 0;
	}
	return -ENOENT;
}

static int get_none(void *ctx, struct ww_slice id, uint64_t *ret_index, struct ww_slice *ret_json)
{
	return -ENOENT;
}

/* --- what it cites ------------------------------------------------------------------------------
 */

/* A node with an index names a record that is there, one with "missing" names one that is not. */
static unsigned check_node(const struct records *r, json_t *node, unsigned *missing)
{
	static const char *const keys[] = {"id", "exchange", "flow", "span", "action"};
	json_t *index = json_object_get(node, "index"), *child;
	unsigned cited = 0;
	bool named = false;
	size_t i;

	assert_true(text_of(node, "what")[0] != '\0');
	for (i = 0; i < WW_ARRAY_SIZE(keys); i++) {
		const char *id = text_of(node, keys[i]);

		if (index && strcmp(text_of(r->each[json_integer_value(index)], "id"), id) == 0)
			named = true;
	}
	if (index) {
		assert_true(named);
		cited++;
	}
	*missing += json_is_true(json_object_get(node, "missing"));
	assert_false(index && json_object_get(node, "missing"));
	json_array_foreach(json_object_get(node, "children"), i, child) cited +=
		check_node(r, child, missing);
	return cited;
}

static json_t *why_json(struct records *r, unsigned at, ww_why_get_fn fn, struct ww_buf *text)
{
	WW_AUTO(ww_why_tree_free_auto) struct ww_why_tree *tree = NULL;
	struct ww_why_ask ask = {at, r->text[at], WW_SLICE_NULL, fn, r, NULL};
	WW_AUTO_BUF struct ww_buf out;
	json_t *json;

	ww_buf_init(&out, 16 << 20);
	assert_int_equal(ww_why_build(&ask, &tree), 0);
	assert_int_equal(ww_why_tree_json(tree, &out), 0);
	json = json_loadb((const char *)out.p, out.n, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(json);
	ww_buf_clear(text);
	assert_int_equal(ww_why_tree_text(tree, WW_WHY_ASCII, text), 0);
	for (size_t i = 0; i < text->n; i++)
		assert_true(text->p[i] == '\n' || (text->p[i] >= 0x20 && text->p[i] < 0x7f));
	return json;
}

static unsigned count_nodes(json_t *node)
{
	unsigned n = 1;
	json_t *child;
	size_t i;

	json_array_foreach(json_object_get(node, "children"), i, child) n += count_nodes(child);
	return n;
}

static unsigned count_lines(struct ww_slice text)
{
	unsigned n = 0;

	for (size_t i = 0; i < text.n; i++)
		n += text.p[i] == '\n';
	return n;
}

static void golden(void **state)
{
	static const char *const tapes[] = {"node_refunds", "python_refunds", "anthropic_refunds"};
	unsigned verdicts = 0;
	WW_AUTO_BUF struct ww_buf text;

	ww_buf_init(&text, 16 << 20);
	for (size_t t = 0; t < WW_ARRAY_SIZE(tapes); t++) {
		struct records r;
		char path[128];

		snprintf(path, sizeof(path), "tests/golden/tapes/%s.records", tapes[t]);
		load(&r, path);
		for (unsigned i = 0; i < r.count; i++) {
			unsigned missing = 0, none = 0;
			json_t *json;

			if (strcmp(text_of(r.each[i], "kind"), "verdict") != 0)
				continue;
			verdicts++;
			json = why_json(&r, i, get, &text);
			assert_true(check_node(&r, json, &missing) >= 5);
			assert_int_equal(missing, 0);
			assert_int_equal(count_nodes(json), count_lines(ww_buf_slice(&text)));
			json_decref(json);
			/* Nothing but the verdict's own record can be had. */
			json = why_json(&r, i, get_none, &text);
			assert_int_equal(check_node(&r, json, &none), 1);
			assert_true(none >= 4);
			json_decref(json);
		}
		unload(&r);
	}
	assert_int_equal(verdicts, 12);
}

/* Whichever record is not there, the others are cited as before. */
static void one_missing(void **state)
{
	WW_AUTO_BUF struct ww_buf text;
	struct records r;
	unsigned at = 0, seen = 0;

	ww_buf_init(&text, 16 << 20);
	load(&r, "tests/golden/tapes/node_refunds.records");
	while (strcmp(text_of(r.each[at], "verdict"), "MASKED_ERROR") != 0)
		at++;
	for (r.hidden = 0; r.hidden < r.count; r.hidden++) {
		unsigned missing = 0;
		json_t *json = why_json(&r, at, get, &text);

		check_node(&r, json, &missing);
		seen += missing > 0;
		json_decref(json);
	}
	assert_true(seen >= 6);
	unload(&r);
}

static void superseded(void **state)
{
	WW_AUTO(ww_why_tree_free_auto) struct ww_why_tree *tree = NULL;
	struct ww_why_ask ask = {7,
				 WW_SLICE_LIT("{\"kind\":\"verdict\",\"id\":\"v-a-1\",\"verdict\":"
					      "\"NO_ACTION\",\"tool\":\"a\\u001b[1m\\u202eb\"}"),
				 WW_SLICE_LIT("v-a-2"),
				 get_none,
				 NULL,
				 NULL};
	WW_AUTO_BUF struct ww_buf out;

	ww_buf_init(&out, 1 << 20);
	assert_int_equal(ww_why_build(&ask, &tree), 0);
	assert_int_equal(ww_why_tree_text(tree, 0, &out), 0);
	assert_int_equal(ww_buf_add(&out, "", 1), 0);
	assert_non_null(strstr((char *)out.p,
			       "NO_ACTION  a\\x1b[1m\\u{202e}b  -  v-a-1, superseded "
			       "by v-a-2\n├─ means: closed world held"));
	ww_buf_clear(&out);
	assert_int_equal(ww_why_tree_json(tree, &out), 0);
	assert_int_equal(ww_buf_add(&out, "", 1), 0);
	assert_non_null(strstr((char *)out.p, "{\"v\":1,\"beyond\":0,\"what\":\"verdict\",\"id\":"
					      "\"v-a-1\",\"index\":7,\"verdict\":\"NO_ACTION\","
					      "\"tool\":\"a\\u001b[1m\\u202eb\","));
}

static void refused(void **state)
{
	static const char *const bad[] = {
		"", "{", "null", "{}", "[]", "{\"kind\":\"flow\"}", "{\"kind\":\"verdict\""};

	for (size_t i = 0; i < WW_ARRAY_SIZE(bad); i++) {
		struct ww_why_ask ask = {0,   ww_slice_str(bad[i]), WW_SLICE_NULL, get_none, NULL,
					 NULL};
		struct ww_why_tree *tree = NULL;

		assert_int_equal(ww_why_build(&ask, &tree), -EINVAL);
		assert_null(tree);
	}
}

static int fail_io(void *ctx, struct ww_slice id, uint64_t *ret_index, struct ww_slice *ret_json)
{
	return -EIO;
}

static void source_fails(void **state)
{
	struct ww_why_ask ask = {0,
				 WW_SLICE_LIT("{\"kind\":\"verdict\",\"actor\":\"p1-2\"}"),
				 WW_SLICE_NULL,
				 fail_io,
				 NULL,
				 NULL};
	struct ww_why_tree *tree = NULL;

	assert_int_equal(ww_why_build(&ask, &tree), -EIO);
	assert_null(tree);
}

/* --- what would have changed it -----------------------------------------------------------------
 */

static bool has_entry(const struct ww_why_change *(*at)(unsigned), unsigned about)
{
	const struct ww_why_change *c;

	for (unsigned i = 0; (c = at(i)) != NULL; i++) {
		if (c->about == about && !(c->when & ~WW_WHY_WIRE))
			return true;
	}
	return false;
}

#define CHECK_VERDICT(n, v, t, d)                 \
	if (!has_entry(ww_why_change_verdict, v)) \
		fail_msg("no entry in why_change.c for the verdict " t);
#define CHECK_REASON(n, v, t, d)                 \
	if (!has_entry(ww_why_change_reason, v)) \
		fail_msg("no entry in why_change.c for the reason " t);

static void complete(void **state)
{
	WW_VERDICTS(CHECK_VERDICT)
	WW_REASONS(CHECK_REASON)
}

/* Every sentence can be made, of any record, and names only verdicts and reasons that there are. */
static void sentences(void **state)
{
	WW_AUTO_BUF struct ww_buf out;

	ww_buf_init(&out, 1 << 16);
	for (unsigned k = 0; k < 2; k++) {
		const struct ww_why_change *c;

		for (unsigned i = 0;
		     (c = k ? ww_why_change_reason(i) : ww_why_change_verdict(i)) != NULL; i++) {
			ww_buf_clear(&out);
			assert_int_equal(
				ww_template_render(c->text, WW_SLICE_LIT("{}"), false, &out), 0);
			assert_true(out.n > 0 || (k && c->about == WW_REASON_NONE));
			for (size_t at = 0; at < out.n; at++)
				assert_true(out.p[at] >= 0x20 && out.p[at] < 0x7f);
		}
	}
}

static void losses_are_named(void **state)
{
	WW_AUTO(ww_why_tree_free_auto) struct ww_why_tree *tree = NULL;
	struct ww_why_ask ask = {
		0,
		WW_SLICE_LIT(
			"{\"kind\":\"verdict\",\"id\":\"v-a-1\",\"verdict\":\"UNVERIFIABLE\","
			"\"reason\":\"EVENT_LOSS\",\"coverage\":{\"known\":true,\"lostEvents\":3,"
			"\"lostCause\":\"ring-full\"},\"closedWorld\":[{\"item\":\"losses\","
			"\"pass\":false,\"detail\":\"3 "
			"events\"},{\"item\":\"raw\",\"pass\":true}]}"),
		WW_SLICE_NULL,
		get_none,
		NULL,
		NULL};
	WW_AUTO_BUF struct ww_buf out;
	const char *text;

	ww_buf_init(&out, 1 << 20);
	assert_int_equal(ww_why_build(&ask, &tree), 0);
	assert_int_equal(ww_why_tree_text(tree, WW_WHY_ASCII, &out), 0);
	assert_int_equal(ww_buf_add(&out, "", 1), 0);
	text = strstr((char *)out.p, "what would have changed the verdict\n");
	assert_non_null(text);
	assert_string_equal(
		text,
		"what would have changed the verdict\n"
		"   |- without the 3 lost events (cause: ring-full) the evidence would have been "
		"complete enough to decide\n"
		"   |- losses, had it held: no event that touches the scope was lost (it did not: "
		"3 "
		"events)\n"
		"   `- what the reason names: without it the evidence could have decided\n");
	assert_non_null(
		strstr((char *)out.p, "|  |- losses: does NOT hold: 3 events (holds when:"));
	assert_non_null(strstr((char *)out.p, "|  `- raw: holds: no raw or packet socket\n"));
	assert_non_null(strstr((char *)out.p, "|- lost in the window: 3 events, - bytes, cause "
					      "ring-full\n"));
}

/* An item that failed and decided nothing would have changed nothing. */
static void items_that_did_not_decide(void **state)
{
	WW_AUTO(ww_why_tree_free_auto) struct ww_why_tree *tree = NULL;
	struct ww_why_ask ask = {
		0,
		WW_SLICE_LIT(
			"{\"kind\":\"verdict\",\"id\":\"v-a-1\",\"verdict\":\"ACTED_UNDECODED\","
			"\"reason\":null,\"coverage\":{\"known\":true},\"closedWorld\":[{\"item\":"
			"\"raw\",\"pass\":false,\"detail\":\"1 socket\"}]}"),
		WW_SLICE_NULL,
		get_none,
		NULL,
		NULL};
	WW_AUTO_BUF struct ww_buf out = {0};

	ww_buf_init(&out, 1 << 20);
	assert_int_equal(ww_why_build(&ask, &tree), 0);
	assert_int_equal(ww_why_tree_text(tree, WW_WHY_ASCII, &out), 0);
	assert_int_equal(ww_buf_add(&out, "", 1), 0);
	assert_non_null(strstr((char *)out.p, "raw: does NOT hold: 1 socket"));
	assert_null(strstr((char *)out.p, "had it held"));
}

/* Beyond the ceiling nodes are counted, in both forms. */
static void bounded(void **state)
{
	WW_AUTO(ww_why_tree_free_auto) struct ww_why_tree *tree = NULL;
	WW_AUTO_BUF struct ww_buf out;

	ww_buf_init(&out, 1 << 20);
	assert_int_equal(ww_why_tree_new(&tree), 0);
	assert_int_equal(ww_why_tree_add(tree, 0, WW_WHY_VERDICT, WW_SLICE_LIT("{}")), 0);
	for (unsigned i = 1; i < WW_WHY_NODES_MAX + 5; i++)
		assert_int_equal(ww_why_tree_add(tree, 1, WW_WHY_NO_SPAN, WW_SLICE_LIT("{}")), 0);
	assert_int_equal(ww_why_tree_text(tree, WW_WHY_ASCII, &out), 0);
	assert_int_equal(count_lines(ww_buf_slice(&out)), WW_WHY_NODES_MAX + 1);
	assert_memory_equal(out.p + out.n - 17, "and 5 lines more\n", 17);
	ww_buf_clear(&out);
	assert_int_equal(ww_why_tree_json(tree, &out), 0);
	assert_memory_equal(out.p, "{\"v\":1,\"beyond\":5,\"what\":\"verdict\",\"children\":[{",
			    48);
}

/* --- what a server sent meanwhile ---------------------------------------------------------------
 */

/* By a clock since boot that is over 2^53 ns: records have such numbers as strings. */
#define LATE(n) "\"90071992547410" n "\""
#define SENT(id, from)                                             \
	"{\"kind\":\"exchange\",\"id\":\"" id                      \
	"\",\"actor\":\"p9-9\",\"method\":\"GET\",\"path\":\"/\"," \
	"\"request\":{\"firstBootNs\":" from "}}"

static int get_asked(void *ctx, struct ww_slice id, uint64_t *ret_index, struct ww_slice *ret_json)
{
	*ret_index = 1;
	if (ww_slice_eq_str(id, "x-call"))
		*ret_json =
			WW_SLICE_LIT("{\"kind\":\"exchange\",\"id\":\"x-call\",\"flow\":\"f-1\","
				     "\"request\":{\"firstBootNs\":" LATE(
					     "10") "},"
						   "\"response\":{\"lastBootNs\":" LATE("30") "}}");
	else if (ww_slice_eq_str(id, "f-1"))
		*ret_json = WW_SLICE_LIT("{\"kind\":\"flow\",\"id\":\"f-1\","
					 "\"channel\":{\"server\":\"p9-9\"}}");
	else
		return -ENOENT;
	return 0;
}

static int mention_sent(void *ctx, struct ww_slice id, ww_why_mention_fn fn, void *fn_ctx)
{
	static const char *const sent[] = {SENT("x-before", LATE("09")),
					   SENT("x-begin", LATE("10")), SENT("x-end", LATE("30")),
					   SENT("x-after", LATE("31"))};

	assert_true(ww_slice_eq_str(id, "p9-9"));
	for (size_t i = 0; i < WW_ARRAY_SIZE(sent); i++)
		assert_true(fn(fn_ctx, 2 + i, ww_slice_str(sent[i])));
	return 0;
}

static void legs_of_the_time(void **state)
{
	WW_AUTO(ww_why_tree_free_auto) struct ww_why_tree *tree = NULL;
	struct ww_why_ask ask = {
		0,
		WW_SLICE_LIT("{\"kind\":\"verdict\",\"id\":\"v-a-1\",\"verdict\":\"CONFIRMED_T1\","
			     "\"wire\":{\"attempts\":[{\"exchange\":\"x-call\"}]}}"),
		WW_SLICE_NULL,
		get_asked,
		NULL,
		mention_sent};
	WW_AUTO_BUF struct ww_buf out = {0};

	ww_buf_init(&out, 1 << 20);
	assert_int_equal(ww_why_build(&ask, &tree), 0);
	assert_int_equal(ww_why_tree_text(tree, WW_WHY_ASCII, &out), 0);
	assert_null(memmem(out.p, out.n, "x-before", 8));
	assert_non_null(memmem(out.p, out.n, "x-begin", 7));
	assert_non_null(memmem(out.p, out.n, "x-end", 5));
	assert_null(memmem(out.p, out.n, "x-after", 7));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden),
		cmocka_unit_test(one_missing),
		cmocka_unit_test(superseded),
		cmocka_unit_test(refused),
		cmocka_unit_test(source_fails),
		cmocka_unit_test(complete),
		cmocka_unit_test(sentences),
		cmocka_unit_test(losses_are_named),
		cmocka_unit_test(items_that_did_not_decide),
		cmocka_unit_test(legs_of_the_time),
		cmocka_unit_test(bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
