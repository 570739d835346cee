/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What somebody who holds the log's key could record about read-backs, late calls, several items,
 * shown results and controls: the auditor's rules find each lie, and name its
 * place. Lies about calls and spans are in tests/system/verify/lies.py.
 */
#include "lies.h"

#define LATER                              \
	REFUND_TO                          \
	"  id_path: $.id\n"                \
	"  async_deadline: 20s\n"          \
	"  readback:\n"                    \
	"    path: \"/v1/refunds/{id}\"\n" \
	"    id_path: $.id\n"

#define ITEMS     \
	REFUND_TO \
	"  bulk: {items: $.items, status_path: $.status}\n"

#define CONTROLLED                                                              \
	REFUND_TO                                                               \
	ASKED_FIRST                                                             \
	"    allow: {status: 200, body: [{path: $.decision, equals: allow}]}\n" \
	"    subject: [$.user, $.user]\n"                                       \
	"    max_age_s: 1\n"

#define RUN(...)                                                                          \
	CALL(.addr = "10.77.5.3", .name = "authz.example.com", .target = "/v1/decisions", \
	     __VA_ARGS__)
#define USER "{\"user\":\"u1\"}"

/* --- what is true -------------------------------------------------------------------------------
 */

static struct scene *begin(const char *yaml)
{
	return scene_open_with(yaml);
}

static struct scene *span_over(struct scene *s, uint64_t until)
{
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500);

	tell(s, &p);
	tick(s, until);
	return s;
}

static struct scene *read_back(void)
{
	struct scene *s = begin(LATER);

	CALL(.from = 1100, .to = 1200, .status = 201);
	CALL(.method = "GET", .target = "/v1/refunds/r_9", .from = 1300, .to = 1400, .status = 200);
	return span_over(s, 9000);
}

static struct scene *missing(void)
{
	struct scene *s = begin(LATER);

	CALL(.from = 1100, .to = 1200, .status = 202);
	CALL(.method = "GET", .target = "/v1/refunds/r_9", .from = 9000, .to = 9100, .status = 404,
	     .body = "{}");
	span_over(s, 5000);
	tick(s, 24000);
	return s;
}

static struct scene *partial(void)
{
	struct scene *s = begin(ITEMS);

	CALL(.from = 1100, .to = 1200, .status = 207,
	     .body = "{\"items\":[{\"status\":201},{\"status\":201},{\"status\":422}]}");
	return span_over(s, 9000);
}

static struct scene *late(void)
{
	struct scene *s = begin(REFUND_TO);
	struct ww_span p = span_of(s, WW_SPAN_AGENT, "", "", WW_SPAN_OK, 1000, 2000);

	claim_on(&p, "later", "refund", "", false, 1900);
	p.claims[0].deadline = wall_ms(30000);
	tell(s, &p);
	tick(s, 34000);
	CALL(.from = 40000, .to = 40100, .status = 201);
	tick(s, 50000);
	return s;
}

static struct scene *shown(const char *answered)
{
	struct scene *s = begin(REFUND_TO "  id_path: $.id\n");

	model_answers(s, 1500, "call-5", "refund", NULL);
	if (answered)
		CALL(.from = 1700, .to = 1800, .status = 201, .body = answered);
	model_is_shown(s, 2600, "call-5", "{\"id\":\"r_8\"}", false);
	tick(s, 14000);
	return s;
}

static struct scene *altered(void)
{
	return shown("{\"id\":\"r_9\"}");
}

static struct scene *same(void)
{
	return shown("{\"id\":\"r_8\"}");
}

static struct scene *invented(void)
{
	return shown(NULL);
}

/* Denied without a trace, after it was allowed. */
static struct scene *stray(void)
{
	struct scene *s = begin(CONTROLLED "    same: trace\n");
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500);

	RUN(.from = 1010, .to = 1050, .status = 200, .rpc = USER,
	    .body = "{\"decision\":\"allow\"}", .traced = &p);
	RUN(.from = 1100, .to = 1150, .status = 200, .rpc = USER,
	    .body = "{\"decision\":\"deny\"}");
	CALL(.from = 1200, .to = 1300, .status = 201, .rpc = USER, .traced = &p);
	tell(s, &p);
	tick(s, 9000);
	return s;
}

static struct scene *controlled(const char *decision)
{
	struct scene *s = begin(CONTROLLED);

	if (decision)
		RUN(.from = 1100, .to = 1150, .status = 200, .rpc = USER, .body = decision);
	CALL(.from = 1200, .to = 1300, .status = 201, .rpc = USER);
	return span_over(s, 9000);
}

static struct scene *allowed(void)
{
	return controlled("{\"decision\":\"allow\"}");
}

static struct scene *denied(void)
{
	return controlled("{\"decision\":\"deny\"}");
}

static struct scene *uncontrolled(void)
{
	return controlled(NULL);
}

static struct scene *after(void)
{
	struct scene *s = begin(CONTROLLED);

	CALL(.from = 1200, .to = 1300, .status = 201, .rpc = USER);
	RUN(.from = 1320, .to = 1350, .status = 200, .rpc = USER,
	    .body = "{\"decision\":\"allow\"}");
	return span_over(s, 9000);
}

/* --- what is not --------------------------------------------------------------------------------
 */

static void no_readback(json_t *list, json_t *v)
{
	json_t *w = both_wires(list, v);

	json_object_del(w, "readback");
	json_object_del(w, "readbackTotal");
	json_object_del(w, "readbacks");
}

static void said_not_shown(json_t *list, json_t *v)
{
	SET(first(both_wires(list, v), "readbacks"), "{ss}", "read", "not-shown");
}

static void read_is_an_error(json_t *list, json_t *v)
{
	SET(by_id(list, text(in(v, "wire"), "readback")), "{si}", "status", 404);
}

static void read_before_the_call(json_t *list, json_t *v)
{
	SET(in(by_id(list, text(in(v, "wire"), "readback")), "request"), "{si}", "firstBootNs", 1);
}

static void read_of_another_path(json_t *list, json_t *v)
{
	SET(by_id(list, text(in(v, "wire"), "readback")), "{ss}", "path", "/v1/orders/{}");
}

static void read_by_another(json_t *list, json_t *v)
{
	SET(first(in(v, "wire"), "readbacks"), "{sb}", "otherCaller", 1);
}

static void id_was_known(json_t *list, json_t *v)
{
	SET(first(both_wires(list, v), "attempts"), "{sb}", "idKnown", 1);
}

static void called_missing(json_t *list, json_t *v)
{
	SET(v, "{ss,ss,ss}", "verdict", "EFFECT_MISSING", "tier", "T0", "evidence", "E4");
}

static void called_shown(json_t *list, json_t *v)
{
	json_t *w = both_wires(list, v);

	SET(v, "{ss,ss,ss}", "verdict", "CONFIRMED_T2", "tier", "T2", "evidence", "E6");
	SET(w, "{sO}", "readback", in(first(w, "readbacks"), "exchange"));
	SET(first(w, "readbacks"), "{ss}", "read", "shown");
}

static void read_answered(json_t *list, json_t *v)
{
	json_t *r = first(both_wires(list, v), "readbacks");

	SET(r, "{si}", "status", 200);
	SET(by_id(list, text(r, "exchange")), "{si}", "status", 200);
	SET(r, "{ss}", "read", "shown");
}

static void read_hidden(json_t *list, json_t *v)
{
	SET(by_id(list, text(first(in(v, "wire"), "readbacks"), "exchange")), "{si}", "status",
	    200);
	no_readback(list, v);
}

static void deadline_moved(json_t *list, json_t *v)
{
	SET(in(v, "grounds"), "{sI}", "showsUntilBootNs", (json_int_t)at_ms(10000).ns);
}

static void deadline_left_out(json_t *list, json_t *v)
{
	json_object_del(v, "deadline");
}

static void all_items(json_t *list, json_t *v)
{
	SET(v, "{si}", "k", 3);
}

static void fewer_items(json_t *list, json_t *v)
{
	SET(v, "{si}", "n", 2);
}

static void more_items(json_t *list, json_t *v)
{
	SET(first(both_wires(list, v), "attempts"), "{si}", "itemsGood", 4);
}

static void partial_confirmed(json_t *list, json_t *v)
{
	SET(v, "{ss,ss,s[]}", "verdict", "CONFIRMED_T1", "tier", "T1", "closedWorld");
	json_object_del(v, "k");
	json_object_del(v, "n");
}

static void no_bulk_terms(json_t *list, json_t *v)
{
	json_object_del(in(in(v, "grounds"), "terms"), "bulkItems");
}

static void on_time(json_t *list, json_t *v)
{
	json_t *x = by_id(list, text(in(v, "wire"), "exchange"));

	SET(x, "{ss}", "t", "2026-09-21T14:13:45.000000000Z");
	SET(in(x, "request"), "{sI}", "firstBootNs", (json_int_t)at_ms(25000).ns);
}

static void on_time_by_the_wall(json_t *list, json_t *v)
{
	SET(by_id(list, text(in(v, "wire"), "exchange")), "{ss}", "t",
	    "2026-09-21T14:13:45.000000000Z");
}

static void due_earlier(json_t *list, json_t *v)
{
	SET(in(in(v, "grounds"), "late"), "{sI}", "afterBootNs", (json_int_t)at_ms(20000).ns);
}

static void late_by_less(json_t *list, json_t *v)
{
	SET(v, "{si}", "lateMs", 1);
}

static void late_call_failed(json_t *list, json_t *v)
{
	SET(by_id(list, text(in(v, "wire"), "exchange")), "{si}", "status", 503);
}

static void late_denied(json_t *list, json_t *v)
{
	json_object_del(in(v, "grounds"), "late");
}

static void answers_equal(json_t *list, json_t *v)
{
	json_t *g = in(v, "grounds");

	SET(first(g, "answers"), "{sO}", "values", in(g, "shown"));
}

static void shown_equal(json_t *list, json_t *v)
{
	json_t *g = in(v, "grounds");

	SET(g, "{sO}", "shown", in(first(g, "answers"), "values"));
}

/* Both as if they were large numbers that were rounded to one. */
static void called_rounded(json_t *list, json_t *v)
{
	json_t *g = in(v, "grounds");

	SET(g, "{s[s]}", "shownRounded", "0123456789abcdef");
	SET(first(g, "answers"), "{s[s]}", "rounded", "0123456789abcdef");
}

/* Another call is said to have answered so; or one that did, is left out. */
static void like_made_up(json_t *list, json_t *v)
{
	json_t *g = in(v, "grounds");

	SET(g, "{s[{sb,sO}]}", "likeAnswers", "whole", 1, "values", in(g, "shown"));
}

static void called_an_error(json_t *list, json_t *v)
{
	SET(in(v, "grounds"), "{sb}", "shownFailure", 1);
}

static void answer_made_up(json_t *list, json_t *v)
{
	SET(first(in(v, "grounds"), "answers"), "{s[s]}", "values", "0123456789abcdef");
}

static void called_altered(json_t *list, json_t *v)
{
	SET(v, "{ss}", "verdict", "RESULT_ALTERED");
	SET(in(in(v, "said"), "toolResult"), "{s[s]}", "differs", "$.id");
}

static void other_member(json_t *list, json_t *v)
{
	SET(in(in(v, "said"), "toolResult"), "{s[]}", "differs");
}

static void answer_cut(json_t *list, json_t *v)
{
	SET(first(in(v, "grounds"), "answers"), "{sb}", "whole", 0);
}

static void nothing_shown(json_t *list, json_t *v)
{
	json_t *t = in(in(v, "said"), "toolResult");

	json_object_del(t, "shows");
	json_object_del(t, "differs");
	json_object_del(in(v, "grounds"), "shown");
}

static void called_invented(json_t *list, json_t *v)
{
	SET(v, "{ss}", "verdict", "CALL_EMITTED_NOT_EXECUTED");
}

static void fired(json_t *list, json_t *v)
{
	SET(v, "{ss,s[]}", "verdict", "CONTROL_FIRED", "closedWorld");
}

static void fired_by_a_deny(json_t *list, json_t *v)
{
	fired(list, v);
	SET(in(v, "control"), "{ss,si}", "says", "allow", "denied", 0);
	SET(first(in(in(v, "grounds"), "control"), "runs"), "{ss}", "says", "allow");
	SET(by_id(list, text(in(v, "control"), "exchange")), "{si}", "status", 403);
}

static void fired_by_another(json_t *list, json_t *v)
{
	SET(in(v, "control"), "{ss}", "subject", "equal");
	SET(in(v, "control"), "{s[s]}", "subjects", "0123456789abcdef");
}

static void run_hidden(json_t *list, json_t *v)
{
	json_t *c = in(v, "control");
	static const char *const gone[] = {"exchange", "t",        "says",          "status",
					   "subject",  "subjects", "actionSubject", "gapMs"};

	SET(v, "{ss,ss}", "verdict", "CONTROL_MISSING", "evidence", "E0");
	for (size_t i = 0; i < WW_ARRAY_SIZE(gone); i++)
		json_object_del(c, gone[i]);
	SET(c, "{si,si}", "runs", 0, "denied", 0);
	SET(in(in(v, "grounds"), "control"), "{s[]}", "runs");
	SET(v, "{so}", "closedWorld", all_pass());
}

static void run_left_out(json_t *list, json_t *v)
{
	SET(in(in(v, "grounds"), "control"), "{s[]}", "runs");
}

/* The denial gone from the list. */
static void stray_hidden(json_t *list, json_t *v)
{
	json_t *c = in(v, "control"), *g = in(in(v, "grounds"), "control");

	fired(list, v);
	SET(v, "{so}", "reason", json_null());
	SET(c, "{sO,ss,si,si}", "exchange", in(first(g, "runs"), "exchange"), "says", "allow",
	    "runs", 1, "gapMs", 150);
	json_array_remove(in(g, "runs"), 1);
	SET(g, "{si}", "stray", 0);
}

/* Or called one of this trace. */
static void stray_traced(json_t *list, json_t *v)
{
	json_t *g = in(in(v, "grounds"), "control");

	json_object_del(json_array_get(in(g, "runs"), 1), "stray");
	SET(g, "{si}", "stray", 0);
}

static void stray_uncounted(json_t *list, json_t *v)
{
	SET(in(in(v, "grounds"), "control"), "{si}", "stray", 0);
}

static void called_stray(json_t *list, json_t *v)
{
	json_t *g = in(in(v, "grounds"), "control");

	SET(first(g, "runs"), "{sb}", "stray", 1);
	SET(g, "{si}", "stray", 1);
}

static void run_of_another_tree(json_t *list, json_t *v)
{
	SET(by_id(list, text(in(v, "control"), "exchange")), "{ss}", "root", "p1-1");
}

static void other_control(json_t *list, json_t *v)
{
	SET(in(v, "control"), "{ss}", "name", "another");
}

static void narrated(json_t *list, json_t *v)
{
	SET(v, "{ss}", "verdict", "NARRATED_ONLY");
}

static void doubted(json_t *list, json_t *v)
{
	SET(v, "{ss,ss}", "verdict", "UNVERIFIABLE", "reason", "EVENT_LOSS");
	SET(in(in(v, "grounds"), "control"), "{ss}", "doubt", "EVENT_LOSS");
}

static void effect_left_out(json_t *list, json_t *v)
{
	json_t *r;
	size_t i;

	json_array_foreach(list, i, r)
	{
		if (strcmp(text(r, "engine"), "effect") == 0)
			SET(r, "{ss}", "id", "v-0-1");
	}
}

static void other_engine(json_t *list, json_t *v)
{
	SET(v, "{ss}", "engine", "astrology");
}

/* --- each is found ------------------------------------------------------------------------------
 */

static const struct lie lies[] = {
	{read_back, "CONFIRMED_T2", no_readback, "verdict", false},
	{read_back, "CONFIRMED_T2", said_not_shown, "verdict", false},
	{read_back, "CONFIRMED_T2", read_is_an_error, "wire.readbacks.status", false},
	{read_back, "CONFIRMED_T2", read_before_the_call, "wire.readbacks", false},
	{read_back, "CONFIRMED_T2", read_of_another_path, "wire.readbacks", false},
	{read_back, "CONFIRMED_T2", id_was_known, "verdict", false},
	{read_back, "CONFIRMED_T2", read_by_another, "verdict", false},
	{read_back, "CONFIRMED_T2", called_missing, "verdict", false},
	{missing, "EFFECT_MISSING", called_shown, "wire.readbacks.read", false},
	{missing, "EFFECT_MISSING", read_answered, "verdict", false},
	{missing, "EFFECT_MISSING", read_hidden, "wire.readbacks", true},
	{missing, "EFFECT_MISSING", deadline_moved, "grounds.showsUntilBootNs", false},
	{missing, "EFFECT_MISSING", deadline_left_out, "deadline", false},
	{partial, "PARTIAL_EFFECT", all_items, "k", false},
	{partial, "PARTIAL_EFFECT", fewer_items, "n", false},
	{partial, "PARTIAL_EFFECT", more_items, "wire.attempts.items", false},
	{partial, "PARTIAL_EFFECT", partial_confirmed, "verdict", false},
	{partial, "PARTIAL_EFFECT", no_bulk_terms, "wire.attempts.wire", false},
	{late, "ACTED_LATE", on_time, "grounds.late", false},
	{late, "ACTED_LATE", on_time_by_the_wall, "grounds.late", false},
	{late, "ACTED_LATE", due_earlier, "grounds.late", false},
	{late, "ACTED_LATE", late_by_less, "lateMs", false},
	{late, "ACTED_LATE", late_call_failed, "grounds.late.wire", false},
	{late, "ACTED_LATE", late_denied, "verdict", false},
	{altered, "RESULT_ALTERED", answers_equal, "verdict", false},
	{altered, "RESULT_ALTERED", shown_equal, "verdict", false},
	{altered, "RESULT_ALTERED", called_rounded, "verdict", false},
	{altered, "RESULT_ALTERED", like_made_up, "grounds.likeAnswers", false},
	{altered, "RESULT_ALTERED", called_an_error, "verdict", false},
	{invented, "RESULT_INVENTED", called_an_error, "verdict", false},
	{altered, "RESULT_ALTERED", answer_made_up, "grounds.answers", true},
	{altered, "RESULT_ALTERED", other_member, "said.toolResult.differs", false},
	{altered, "RESULT_ALTERED", answer_cut, "verdict", false},
	{altered, "RESULT_ALTERED", nothing_shown, "verdict", false},
	{same, "CONFIRMED_T1", called_altered, "verdict", false},
	{invented, "RESULT_INVENTED", called_invented, "verdict", false},
	{invented, "RESULT_INVENTED", nothing_shown, "verdict", false},
	{denied, "ACTED_DESPITE_DENY", fired, "verdict", false},
	{denied, "ACTED_DESPITE_DENY", fired_by_a_deny, "grounds.control.runs.says", false},
	{after, "CONTROL_AFTER_ACTION", fired, "verdict", false},
	{allowed, "CONTROL_FIRED", fired_by_another, "control.subject", false},
	{allowed, "CONTROL_FIRED", run_hidden, "control.runs", false},
	{allowed, "CONTROL_FIRED", run_left_out, "verdict", false},
	{allowed, "CONTROL_FIRED", run_of_another_tree, "root", false},
	{allowed, "CONTROL_FIRED", other_control, "control.name", false},
	{allowed, "CONTROL_FIRED", doubted, "grounds.control.doubt", false},
	{allowed, "CONTROL_FIRED", effect_left_out, "grounds.control.doubt", true},
	{allowed, "CONTROL_FIRED", other_engine, "engine", true},
	{allowed, "CONTROL_FIRED", called_stray, "grounds.control.runs.stray", false},
	{stray, "UNVERIFIABLE", stray_hidden, "control.runs", false},
	{stray, "UNVERIFIABLE", stray_traced, "grounds.control.runs", false},
	{stray, "UNVERIFIABLE", stray_uncounted, "grounds.control.stray", false},
	{uncontrolled, "CONTROL_MISSING", fired, "verdict", false},
	{uncontrolled, "CONTROL_MISSING", narrated, "verdict", false},
};

static void test_each_is_found(void **state)
{
	each_is_found(lies, WW_ARRAY_SIZE(lies));
}

/* Anybody who exports spans may give one the id of another's, in another tree or in the same. */
static void test_a_forged_span_harms_no_report(void **state)
{
	static const char *const roots[] = {NULL, "p77-1"};

	for (size_t i = 0; i < 2 * WW_ARRAY_SIZE(roots); i++) {
		WW_AUTO_BUF struct ww_buf b = {0};
		const char *root = roots[i / 2];
		struct scene *s = read_back();
		json_t *list, *v, *forged;
		size_t at = 0;

		scene_cover(s);
		list = parsed(s);
		v = last(list, "verdict");
		while (strcmp(text(json_array_get(list, at), "kind"), "span") != 0)
			at++;
		assert_string_equal(text(json_array_get(list, at), "id"),
				    text(in(v, "span"), "id"));
		forged = json_deep_copy(json_array_get(list, at));
		SET(forged, "{ss,ss}", "status", "ERROR", "toolCallId", "call-of-another");
		if (root)
			SET(forged, "{ss}", "root", root);
		assert_int_equal(json_array_insert_new(list, at + i % 2, forged), 0);
		write_all(list, &b);
		all_derived(ww_buf_slice(&b), false);
		json_decref(list);
		scene_close(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_is_found),
		cmocka_unit_test(test_a_forged_span_harms_no_report),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
