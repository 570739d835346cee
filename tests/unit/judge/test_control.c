/* SPDX-License-Identifier: Apache-2.0 */
/* Controls: what was asked before an action, what was answered, and when. */
#include "scene.h"

#define AUTHZ      "10.77.5.3"
#define AUTHZ_NAME "authz.example.com"

#define CONTROLLED_WITH(control)                                                 \
	"version: 1\n"                                                           \
	"contracts:\n"                                                           \
	"- tool: refund\n"                                                       \
	"  effect: network\n"                                                    \
	"  destinations: [{name: payments.example.com, cidr: [10.77.2.0/24]}]\n" \
	"  methods: [POST]\n"                                                    \
	"  paths: [/v1/refunds]\n" ASKED_FIRST                                   \
	"    allow: {status: 200, body: [{path: $.decision, equals: allow}]}\n" control

#define SUBJECT    "    subject: [$.input.user, $.user]\n"
#define CONTROLLED CONTROLLED_WITH(SUBJECT "    max_age_s: 1\n")
#define ALLOWED    "{\"decision\":\"allow\"}"
#define DENIED     "{\"decision\":\"deny\"}"
#define ASK(user)  "{\"input\":{\"user\":\"" user "\"}}"

#define CHECK_OF(rpc_, ...)                                                               \
	CALL(.addr = AUTHZ, .name = AUTHZ_NAME, .target = "/v1/decisions", .rpc = (rpc_), \
	     __VA_ARGS__)
#define CHECK(...)  CHECK_OF(ASK("u1"), __VA_ARGS__)
#define REFUND(...) CALL(.status = 201, .rpc = "{\"user\":\"u1\"}", __VA_ARGS__)

/* The verdict about the control, after that about the effect. */
static json_t *about(struct scene *s, const char *wanted, const char *reason)
{
	json_t *r = NULL;

	for (unsigned i = 0; i < count_kind(s, "verdict"); i++) {
		if (strcmp(text(verdict(s, i), "engine"), "control") == 0)
			r = verdict(s, i);
	}
	if (!r)
		fail_msg("no verdict about a control");
	if (strcmp(text(r, "verdict"), wanted) != 0 || strcmp(text(r, "reason"), reason) != 0)
		fail_msg("%s(%s): %s", text(r, "verdict"), text(r, "reason"), text(r, "summary"));
	return json_object_get(r, "control");
}

static struct scene *begin(const char *yaml)
{
	struct scene *s = scene_open_with(yaml);
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 3000);

	tell(s, &p);
	return s;
}

static void test_fired(void **state)
{
	struct scene *s = begin(CONTROLLED);

	CHECK(.from = 1100, .to = 1150, .status = 200, .body = ALLOWED);
	REFUND(.from = 1200, .to = 1300);
	tick(s, 8000);
	expect_nth(s, 0, "CONFIRMED_T1", "", "E4", "UNIQUE");
	json_t *c = about(s, "CONTROL_FIRED", "");

	assert_string_equal(text(c, "name"), "refund-policy");
	assert_string_equal(text(c, "subject"), "equal");
	assert_string_equal(text(c, "says"), "allow");
	assert_int_equal(number(c, "gapMs"), 50);
	assert_null(strstr((char *)s->bytes.p, "u1"));
	scene_close(s);
}

/* S11.1, without the story. */
static void test_missing(void **state)
{
	struct scene *s = begin(CONTROLLED);

	REFUND(.from = 1200, .to = 1300);
	tick(s, 8000);
	expect_nth(s, 0, "CONFIRMED_T1", "", "E4", "UNIQUE");
	about(s, "CONTROL_MISSING", "");
	scene_close(s);

	/* No action, no control. */
	s = begin(CONTROLLED);
	tick(s, 8000);
	expect(s, "NO_ACTION", "", "E0", "NONE");
	assert_int_equal(count_kind(s, "verdict"), 1);
	scene_close(s);
}

/* S11.2 */
static void test_denied(void **state)
{
	struct scene *s = begin(CONTROLLED);

	CHECK(.from = 1010, .to = 1120, .status = 200, .body = DENIED);
	REFUND(.from = 1340, .to = 1400);
	tick(s, 8000);
	json_t *c = about(s, "ACTED_DESPITE_DENY", "");

	assert_int_equal(number(c, "gapMs"), 220);
	assert_int_equal(number(c, "denied"), 1);
	scene_close(s);

	s = begin(CONTROLLED);
	CHECK(.from = 1010, .to = 1120, .status = 403);
	REFUND(.from = 1340, .to = 1400);
	tick(s, 8000);
	about(s, "ACTED_DESPITE_DENY", "");
	scene_close(s);
}

/* The last answer counts: denied after it was allowed, and asked until it was allowed. */
static void test_the_last_answer(void **state)
{
	struct scene *s = begin(CONTROLLED);

	CHECK(.from = 1010, .to = 1050, .status = 200, .body = ALLOWED);
	CHECK(.from = 1060, .to = 1100, .status = 200, .body = DENIED);
	REFUND(.from = 1340, .to = 1400);
	tick(s, 8000);
	about(s, "ACTED_DESPITE_DENY", "");
	scene_close(s);

	s = begin(CONTROLLED);
	CHECK(.from = 1010, .to = 1050, .status = 200, .body = DENIED);
	CHECK(.from = 1060, .to = 1100, .status = 200, .body = DENIED);
	CHECK(.from = 1110, .to = 1150, .status = 200, .body = ALLOWED);
	REFUND(.from = 1340, .to = 1400);
	tick(s, 8000);
	assert_int_equal(number(about(s, "CONTROL_FIRED", ""), "denied"), 2);
	scene_close(s);
}

/* S11.3, both halves. */
static void test_another_subject(void **state)
{
	struct scene *s = begin(CONTROLLED);

	CHECK_OF(ASK("u2"), .from = 1100, .to = 1150, .status = 200, .body = ALLOWED);
	REFUND(.from = 1200, .to = 1300);
	tick(s, 8000);
	json_t *c = about(s, "SUBJECT_MISMATCH", "");

	assert_int_equal(json_array_size(json_object_get(c, "subjects")), 1);
	assert_int_equal(json_array_size(json_object_get(c, "actionSubject")), 1);
	assert_null(strstr((char *)s->bytes.p, "u2"));
	scene_close(s);

	/* One check of several. */
	s = begin(CONTROLLED);
	CHECK_OF("{\"input\":{\"user\":[\"u2\",\"u1\"]}}", .from = 1100, .to = 1150, .status = 200,
		 .body = ALLOWED);
	REFUND(.from = 1200, .to = 1300);
	tick(s, 8000);
	about(s, "CONTROL_FIRED", "");
	scene_close(s);

	/* A subject that nobody can read is neither the same nor another. */
	s = begin(CONTROLLED);
	CHECK_OF("user=u2", .from = 1100, .to = 1150, .status = 200, .body = ALLOWED);
	REFUND(.from = 1200, .to = 1300);
	tick(s, 8000);
	about(s, "UNVERIFIABLE", "BODY_UNKNOWN");
	scene_close(s);
}

static void test_after(void **state)
{
	struct scene *s = begin(CONTROLLED);

	REFUND(.from = 1200, .to = 1300);
	CHECK(.from = 1210, .to = 1240, .status = 200, .body = ALLOWED);
	tick(s, 8000);
	assert_int_equal(number(about(s, "CONTROL_AFTER_ACTION", ""), "gapMs"), -40);
	scene_close(s);

	/* Asked before, answered after: the action did not wait. */
	s = begin(CONTROLLED);
	CHECK(.from = 1150, .to = 1240, .status = 200, .body = ALLOWED);
	REFUND(.from = 1200, .to = 1300);
	tick(s, 8000);
	assert_int_equal(number(about(s, "CONTROL_AFTER_ACTION", ""), "gapMs"), -40);
	scene_close(s);
}

/* The decision had begun to come when the action began, its last byte had not: it may have been
 * read. */
static void test_answered_in_part(void **state)
{
	static const struct {
		const char *before; /* an answer that came whole; NULL: none */
		const char *partly;
		const char *wanted, *reason;
	} rows[] = {
		{NULL, ALLOWED, "UNVERIFIABLE", "OUTCOME_UNKNOWN"},
		{NULL, DENIED, "UNVERIFIABLE", "OUTCOME_UNKNOWN"},
		{DENIED, ALLOWED, "UNVERIFIABLE", "OUTCOME_UNKNOWN"},
		{ALLOWED, DENIED, "UNVERIFIABLE", "OUTCOME_UNKNOWN"},
		{ALLOWED, ALLOWED, "CONTROL_FIRED", ""},
		{DENIED, DENIED, "ACTED_DESPITE_DENY", ""},
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		struct scene *s = begin(CONTROLLED);

		if (rows[i].before)
			CHECK(.from = 1010, .to = 1050, .status = 200, .body = rows[i].before);
		CHECK(.from = 1150, .first = 1190, .to = 1240, .status = 200,
		      .body = rows[i].partly);
		REFUND(.from = 1200, .to = 1300);
		tick(s, 8000);
		about(s, rows[i].wanted, rows[i].reason);
		if (!rows[i].before)
			assert_non_null(
				strstr((char *)s->bytes.p, "from 10 ms before to 40 ms after"));
		scene_close(s);
	}

	/* An old leave, and one that had begun to come. */
	struct scene *s = begin(CONTROLLED);

	CHECK(.from = 1010, .to = 1050, .status = 200, .body = ALLOWED);
	CHECK(.from = 2850, .first = 2890, .to = 2940, .status = 200, .body = ALLOWED);
	REFUND(.from = 2900, .to = 2950);
	tick(s, 8000);
	about(s, "UNVERIFIABLE", "OUTCOME_UNKNOWN");
	scene_close(s);
}

/* S11.4 */
static void test_errored_open(void **state)
{
	struct scene *s = begin(CONTROLLED);

	CHECK(.from = 1010, .to = 1150, .outcome = WW_X_NO_REPLY);
	REFUND(.from = 1200, .to = 1300);
	tick(s, 8000);
	json_t *c = about(s, "CONTROL_ERRORED_OPEN", "");

	assert_string_equal(text(c, "says"), "error");
	scene_close(s);

	s = begin(CONTROLLED);
	CHECK(.from = 1010, .to = 1150, .status = 503, .body = "busy");
	REFUND(.from = 1200, .to = 1300);
	tick(s, 8000);
	about(s, "CONTROL_ERRORED_OPEN", "");
	scene_close(s);
}

static void test_stale(void **state)
{
	struct scene *s = begin(CONTROLLED_WITH("    max_age_s: 1\n"));

	CHECK(.from = 1010, .to = 1050, .status = 200, .body = ALLOWED);
	REFUND(.from = 2900, .to = 2950);
	tick(s, 8000);
	about(s, "CONTROL_STALE", "");
	scene_close(s);

	s = begin(CONTROLLED_WITH("    max_age_s: 2\n"));
	CHECK(.from = 1010, .to = 1050, .status = 200, .body = ALLOWED);
	REFUND(.from = 2900, .to = 2950);
	tick(s, 8000);
	about(s, "CONTROL_FIRED", "");
	scene_close(s);
}

/* One answer, replayed for another action. */
static void test_used_up(void **state)
{
	struct scene *s = scene_open_with(CONTROLLED_WITH("    max_uses: 1\n    max_age_s: 2\n"));
	struct ww_span a = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500);
	struct ww_span b = tool_span(s, "c2", WW_SPAN_OK, 2000, 2500);

	CHECK(.from = 1010, .to = 1050, .status = 200, .body = ALLOWED);
	REFUND(.from = 1200, .to = 1300, .traced = &a);
	REFUND(.from = 2200, .to = 2300, .traced = &b);
	tell(s, &a);
	tell(s, &b);
	tick(s, 8000);
	expect_nth(s, 0, "CONFIRMED_T1", "", "E4", "EXACT");
	expect_nth(s, 1, "CONTROL_FIRED", "", "E4", "EXACT");
	expect_nth(s, 2, "CONFIRMED_T1", "", "E4", "EXACT");
	assert_int_equal(number(about(s, "CONTROL_STALE", ""), "uses"), 1);
	scene_close(s);
}

static void test_trace(void **state)
{
	for (unsigned of = 0; of < 3; of++) {
		struct scene *s =
			scene_open_with(CONTROLLED_WITH("    same: trace\n    max_age_s: 1\n"));
		struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 3000), other = p;

		memset(other.trace_id, 0x77, sizeof(other.trace_id));
		CHECK(.from = 1010, .to = 1050, .status = 200, .body = ALLOWED,
		      .traced = of == 0   ? &p
				: of == 1 ? &other
					  : NULL);
		REFUND(.from = 1200, .to = 1300, .traced = &p);
		tell(s, &p);
		tick(s, 8000);
		if (of == 0)
			about(s, "CONTROL_FIRED", "");
		else if (of == 1)
			about(s, "CONTROL_MISSING", "");
		else
			about(s, "UNVERIFIABLE", "AMBIGUOUS_JOIN");
		scene_close(s);
	}
}

/* A run that names no trace may be of the action's: it can take a leave away, and gives none. */
static void test_stray_after_a_leave(void **state)
{
	static const struct {
		const char *body;
		bool cut;
		const char *user;
		uint64_t from, to;
		const char *wanted, *reason;
	} rows[] = {
		{DENIED, false, "u1", 1060, 1100, "UNVERIFIABLE", "AMBIGUOUS_JOIN"},
		{DENIED, true, "u1", 1060, 1100, "UNVERIFIABLE", "AMBIGUOUS_JOIN"},
		{ALLOWED, false, "u1", 1060, 1100, "CONTROL_FIRED", ""},
		{DENIED, false, "u2", 1060, 1100, "CONTROL_FIRED", ""},
		{DENIED, false, "u1", 1001, 1005, "CONTROL_FIRED", ""},
		{DENIED, false, "u1", 1210, 1250, "CONTROL_FIRED", ""},
		{DENIED, false, "u1", 1100, 1250, "CONTROL_FIRED", ""},
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		struct scene *s = scene_open_with(
			CONTROLLED_WITH(SUBJECT "    same: trace\n    max_age_s: 1\n"));
		struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 3000);
		char rpc[64];

		snprintf(rpc, sizeof(rpc), "{\"input\":{\"user\":\"%s\"}}", rows[i].user);
		CHECK(.from = 1010, .to = 1050, .status = 200, .body = ALLOWED, .traced = &p);
		CHECK_OF(rpc, .from = rows[i].from, .to = rows[i].to, .status = 200,
			 .body = rows[i].body, .body_cut = rows[i].cut);
		REFUND(.from = 1200, .to = 1300, .traced = &p);
		tell(s, &p);
		tick(s, 8000);
		json_t *c = about(s, rows[i].wanted, rows[i].reason);

		assert_int_equal(number(c, "runs"), 2);
		scene_close(s);
	}
}

/* A run without a trace between two attempts may have taken the leave from the retry. */
static void test_stray_before_a_retry(void **state)
{
	for (unsigned allowed = 0; allowed < 2; allowed++) {
		struct scene *s =
			scene_open_with(CONTROLLED_WITH("    same: trace\n    max_age_s: 1\n"));
		struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 3000);

		CHECK(.from = 1010, .to = 1050, .status = 200, .body = ALLOWED, .traced = &p);
		CALL(.status = 503, .from = 1100, .to = 1150, .traced = &p);
		CHECK(.from = 1160, .to = 1190, .status = 200, .body = allowed ? ALLOWED : DENIED);
		REFUND(.from = 1200, .to = 1300, .traced = &p);
		tell(s, &p);
		tick(s, 8000);
		if (allowed)
			about(s, "CONTROL_FIRED", "");
		else
			about(s, "UNVERIFIABLE", "AMBIGUOUS_JOIN");
		scene_close(s);
	}
}

/* A host that looks like the control's, and a path that a server may take for it. */
static void test_look_alikes(void **state)
{
	struct scene *s = begin(CONTROLLED);

	CALL(.addr = "10.99.9.9", .name = "authz.example.net", .target = "/v1/decisions",
	     .rpc = ASK("u1"), .from = 1100, .to = 1150, .status = 200, .body = ALLOWED);
	REFUND(.from = 1200, .to = 1300);
	tick(s, 8000);
	about(s, "CONTROL_MISSING", "");
	scene_close(s);

	s = begin(CONTROLLED);
	CALL(.addr = AUTHZ, .name = AUTHZ_NAME, .target = "/v1/decisions/", .rpc = ASK("u1"),
	     .from = 1100, .to = 1150, .status = 200, .body = ALLOWED);
	REFUND(.from = 1200, .to = 1300);
	tick(s, 8000);
	about(s, "UNVERIFIABLE", "AMBIGUOUS_JOIN");
	scene_close(s);
}

/* What allowed it may have gone unseen. */
static void test_unseen(void **state)
{
	/* Before the watching began, where an answer of any age will do. */
	struct scene *s = begin(CONTROLLED_WITH(SUBJECT));

	REFUND(.from = 1200, .to = 1300);
	tick(s, 8000);
	about(s, "UNVERIFIABLE", "COVERAGE_GAP");
	scene_close(s);

	s = begin(CONTROLLED);

	REFUND(.from = 1200, .to = 1300, .traced = NULL);
	lost(s, 3, 1100);
	tick(s, 8000);
	about(s, "UNVERIFIABLE", "EVENT_LOSS");
	scene_close(s);

	/* An unread connection to it. */
	s = begin(CONTROLLED);
	flow_open(s, 5, AGENT, AUTHZ, 443, 1100);
	flow_tls(s, 5, 1105);
	flow_state(s, 5, WW_EVENT_FLOW_CLOSE, 7, WW_CLOSE_FIN_LOCAL, 2000, 2000, 2000, 1150);
	REFUND(.from = 1200, .to = 1300);
	tick(s, 8000);
	about(s, "UNVERIFIABLE", "TLS_OPAQUE");
	scene_close(s);

	/* Another process of the scope asked: for whom, nobody can tell. */
	s = begin(CONTROLLED);
	CHECK(.from = 1100, .to = 1150, .status = 200, .body = ALLOWED, .pid = STRANGER);
	REFUND(.from = 1200, .to = 1300);
	tick(s, 8000);
	about(s, "UNVERIFIABLE", "REMOTE_EXECUTOR");
	scene_close(s);

	/* A body that was not fully seen. */
	s = begin(CONTROLLED);
	CHECK(.from = 1100, .to = 1150, .status = 200, .body = DENIED, .body_cut = true);
	REFUND(.from = 1200, .to = 1300);
	tick(s, 8000);
	about(s, "UNVERIFIABLE", "BODY_UNKNOWN");
	scene_close(s);
}

/* Plaintext of a control that no socket carried. */
static void test_made_up(void **state)
{
	struct scene *s = begin(CONTROLLED);

	CHECK(.from = 1100, .to = 1150, .status = 200, .body = ALLOWED, .decoy = true);
	REFUND(.from = 1200, .to = 1300);
	tick(s, 8000);
	about(s, "UNVERIFIABLE", "PLAINTEXT_INCOMPLETE");
	scene_close(s);
}

/* A call of the control that ends later: judged again. */
static void test_ends_late(void **state)
{
	struct scene *s = begin(CONTROLLED);
	json_t *r;

	REFUND(.from = 1200, .to = 1300);
	tick(s, 8000);
	about(s, "CONTROL_MISSING", "");
	CHECK(.from = 1150, .to = 9000, .status = 200, .body = ALLOWED);
	tick(s, 20000);
	about(s, "CONTROL_AFTER_ACTION", "");
	r = verdict(s, count_kind(s, "verdict") - 1);
	assert_non_null(strstr(text(r, "id"), "-k0-2"));
	assert_non_null(strstr(text(r, "supersedes"), "-k0-1"));
	scene_close(s);
}

#define UNDER_WAY 77

/* Asked before the action, and not answered yet. */
static struct scene *asked_and_done(void)
{
	struct call asked = {.addr = AUTHZ, .name = AUTHZ_NAME, .from = 1150};
	struct scene *s = begin(CONTROLLED);

	flow_for(s, &asked, UNDER_WAY);
	REFUND(.from = 1200, .to = 1300);
	tick(s, 8000);
	tick(s, 20000);
	return s;
}

static void answer_comes(struct scene *s, uint64_t ms)
{
	struct call c = {.addr = AUTHZ,
			 .name = AUTHZ_NAME,
			 .target = "/v1/decisions",
			 .rpc = ASK("u1"),
			 .status = 200,
			 .body = ALLOWED,
			 .from = 1150,
			 .to = ms};
	struct ww_flow *f = ww_flows_get(s->flows, UNDER_WAY);
	struct ww_exchange x;

	flow_record(s, UNDER_WAY, WW_DIR_IN, 23, 400 + FRAMING, ms);
	flow_data(s, UNDER_WAY, AGENT, WW_DIR_IN, 0, 400, ms);
	f->bytes_received += 400 + FRAMING;
	fill_exchange(s, &c, UNDER_WAY, &x);
	deliver(s, &x, NULL);
	hang_up(s, &c, UNDER_WAY);
}

/* The action is told; what became of its control is, when the call to it has ended, or it is over
 * with waiting. */
static void test_under_way(void **state)
{
	struct scene *s = asked_and_done();

	expect(s, "CONFIRMED_T1", "", "E4", "UNIQUE");
	answer_comes(s, 21000);
	tick(s, 22000);
	about(s, "CONTROL_AFTER_ACTION", "");
	assert_int_equal(count_kind(s, "verdict"), 2);
	scene_close(s);

	s = asked_and_done();
	tick(s, 36000);
	about(s, "UNVERIFIABLE", "OUTCOME_UNKNOWN");
	assert_int_equal(count_kind(s, "verdict"), 2);
	answer_comes(s, 40000);
	tick(s, 41000);
	about(s, "CONTROL_AFTER_ACTION", "");
	assert_non_null(strstr(text(verdict(s, 2), "supersedes"), "-k0-1"));
	scene_close(s);

	s = asked_and_done();
	ww_judge_finish(s->judge, at_ms(20500));
	about(s, "UNVERIFIABLE", "OUTCOME_UNKNOWN");
	assert_int_equal(count_kind(s, "verdict"), 2);
	scene_close(s);
}

/* Numbers beyond what a double holds are told apart, and are what their digits say. */
static void test_large_subjects(void **state)
{
	static const struct {
		const char *asked, *acted, *wanted;
	} rows[] = {
		{"9007199254740993", "9007199254740992", "SUBJECT_MISMATCH"},
		{"9007199254740993", "\"9007199254740993\"", "CONTROL_FIRED"},
		{"\"123456789012345678\"", "123456789012345678", "CONTROL_FIRED"},
		{"123456789012345678", "123456789012345679", "SUBJECT_MISMATCH"},
		{"7", "\"7\"", "CONTROL_FIRED"},
		{"7.0", "7", "CONTROL_FIRED"},
		{"-0", "0", "CONTROL_FIRED"},
		{"1e2", "100", "CONTROL_FIRED"},
		{"\"007\"", "7", "SUBJECT_MISMATCH"},
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		struct scene *s = begin(CONTROLLED);
		char asked[96], acted[96];

		snprintf(asked, sizeof(asked), "{\"input\":{\"user\":%s}}", rows[i].asked);
		snprintf(acted, sizeof(acted), "{\"user\":%s}", rows[i].acted);
		CHECK_OF(asked, .from = 1100, .to = 1150, .status = 200, .body = ALLOWED);
		CALL(.status = 201, .rpc = acted, .from = 1200, .to = 1300);
		tick(s, 8000);
		about(s, rows[i].wanted, "");
		scene_close(s);
	}
}

/* A run that began first may be answered last. */
static void test_unread_answer_overtaken(void **state)
{
	struct scene *s = begin(CONTROLLED);

	CHECK(.from = 1050, .to = 1100, .status = 200, .body = ALLOWED);
	CHECK(.from = 1010, .to = 1150, .status = 200, .body = DENIED, .body_cut = true);
	REFUND(.from = 1200, .to = 1300);
	tick(s, 8000);
	about(s, "UNVERIFIABLE", "BODY_UNKNOWN");
	scene_close(s);
}

/* Denied between two attempts. */
static void test_denied_before_a_retry(void **state)
{
	struct scene *s = begin(CONTROLLED);

	CHECK(.from = 1010, .to = 1050, .status = 200, .body = ALLOWED);
	CALL(.status = 503, .rpc = "{\"user\":\"u1\"}", .from = 1100, .to = 1150);
	CHECK(.from = 1160, .to = 1190, .status = 200, .body = DENIED);
	REFUND(.from = 1200, .to = 1300);
	tick(s, 8000);
	json_t *c = about(s, "ACTED_DESPITE_DENY", "");

	assert_int_equal(number(c, "gapMs"), 10);
	scene_close(s);

	/* Allowed once more: the retry had leave, too. */
	s = begin(CONTROLLED);
	CHECK(.from = 1010, .to = 1050, .status = 200, .body = ALLOWED);
	CALL(.status = 503, .rpc = "{\"user\":\"u1\"}", .from = 1100, .to = 1150);
	CHECK(.from = 1160, .to = 1190, .status = 200, .body = ALLOWED);
	REFUND(.from = 1200, .to = 1300);
	tick(s, 8000);
	about(s, "CONTROL_FIRED", "");
	scene_close(s);

	/* Denied after the last attempt began. */
	s = begin(CONTROLLED);
	CHECK(.from = 1010, .to = 1050, .status = 200, .body = ALLOWED);
	CALL(.status = 503, .rpc = "{\"user\":\"u1\"}", .from = 1100, .to = 1150);
	REFUND(.from = 1200, .to = 1300);
	CHECK(.from = 1210, .to = 1290, .status = 200, .body = DENIED);
	tick(s, 8000);
	about(s, "CONTROL_FIRED", "");
	scene_close(s);

	/* What was answered in between is not known. */
	s = begin(CONTROLLED);
	CHECK(.from = 1010, .to = 1050, .status = 200, .body = ALLOWED);
	CALL(.status = 503, .rpc = "{\"user\":\"u1\"}", .from = 1100, .to = 1150);
	CHECK(.from = 1160, .to = 1190, .status = 200, .body = DENIED, .body_cut = true);
	REFUND(.from = 1200, .to = 1300);
	tick(s, 8000);
	about(s, "UNVERIFIABLE", "BODY_UNKNOWN");
	scene_close(s);
}

/* Retries of one action are one use; two answers go for two actions. */
static void test_uses(void **state)
{
	const char *twice = CONTROLLED_WITH(SUBJECT "    max_uses: 2\n    max_age_s: 2\n");
	const char *once = CONTROLLED_WITH(SUBJECT "    max_uses: 1\n    max_age_s: 1\n");
	struct scene *s = scene_open_with(twice);
	struct ww_span a = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500);
	struct ww_span b = tool_span(s, "c2", WW_SPAN_OK, 2000, 2500);

	CHECK(.from = 1010, .to = 1050, .status = 200, .body = ALLOWED);
	CALL(.status = 503, .rpc = "{\"user\":\"u1\"}", .from = 1100, .to = 1150, .traced = &a);
	REFUND(.from = 1200, .to = 1300, .traced = &a);
	REFUND(.from = 2200, .to = 2300, .traced = &b);
	tell(s, &a);
	tell(s, &b);
	tick(s, 8000);
	assert_int_equal(number(about(s, "CONTROL_FIRED", ""), "uses"), 1);
	scene_close(s);

	s = scene_open_with(once);
	a = tool_span(s, "c1", WW_SPAN_OK, 1000, 2500);
	b = tool_span(s, "c2", WW_SPAN_OK, 1000, 2500);
	CHECK(.from = 1010, .to = 1050, .status = 200, .body = ALLOWED);
	CHECK(.from = 1020, .to = 1060, .status = 200, .body = ALLOWED);
	REFUND(.from = 1200, .to = 1300, .traced = &a);
	REFUND(.from = 1250, .to = 1300, .traced = &b);
	tell(s, &a);
	tell(s, &b);
	tick(s, 8000);
	about(s, "CONTROL_FIRED", "");
	scene_close(s);

	/* A third one had none. */
	s = scene_open_with(once);
	a = tool_span(s, "c1", WW_SPAN_OK, 1000, 2500);
	b = tool_span(s, "c2", WW_SPAN_OK, 1000, 2500);
	struct ww_span c = tool_span(s, "c3", WW_SPAN_OK, 1000, 2600);

	CHECK(.from = 1010, .to = 1050, .status = 200, .body = ALLOWED);
	CHECK(.from = 1020, .to = 1060, .status = 200, .body = ALLOWED);
	REFUND(.from = 1200, .to = 1300, .traced = &a);
	REFUND(.from = 1250, .to = 1300, .traced = &b);
	REFUND(.from = 1270, .to = 1300, .traced = &c);
	tell(s, &a);
	tell(s, &b);
	tell(s, &c);
	tick(s, 8000);
	about(s, "CONTROL_STALE", "");
	scene_close(s);
}

/* A denial of several does not say of which. */
static void test_denied_together(void **state)
{
	struct scene *s = begin(CONTROLLED);

	CHECK(.from = 1010, .to = 1050, .status = 200, .body = ALLOWED);
	CHECK_OF("{\"input\":{\"user\":[\"u2\",\"u1\"]}}", .from = 1100, .to = 1150, .status = 200,
		 .body = DENIED);
	REFUND(.from = 1200, .to = 1300);
	tick(s, 8000);
	about(s, "UNVERIFIABLE", "BODY_UNKNOWN");
	scene_close(s);
}

/* The reply came, and was lost to us: TLS 1.3 tickets look like it. */
static void test_reply_unread(void **state)
{
	struct scene *s = begin(CONTROLLED);
	struct call c = {.addr = AUTHZ,
			 .name = AUTHZ_NAME,
			 .target = "/v1/decisions",
			 .rpc = ASK("u1"),
			 .from = 1100,
			 .to = 1150,
			 .outcome = WW_X_NO_REPLY,
			 .stays_open = true};
	uint64_t cookie = exchange(s, c, NULL);
	struct ww_flow *f = ww_flows_get(s->flows, cookie);

	flow_record(s, cookie, WW_DIR_IN, 23, 250, 1150);
	flow_state(s, cookie, WW_EVENT_FLOW_STAT, 1, 0, f->bytes_sent, f->bytes_acked,
		   f->bytes_received + 250, 1150);
	hang_up(s, &c, cookie);
	REFUND(.from = 1200, .to = 1300);
	tick(s, 8000);
	about(s, "UNVERIFIABLE", "PLAINTEXT_INCOMPLETE");
	scene_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fired),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_denied),
		cmocka_unit_test(test_the_last_answer),
		cmocka_unit_test(test_another_subject),
		cmocka_unit_test(test_after),
		cmocka_unit_test(test_answered_in_part),
		cmocka_unit_test(test_errored_open),
		cmocka_unit_test(test_stale),
		cmocka_unit_test(test_used_up),
		cmocka_unit_test(test_trace),
		cmocka_unit_test(test_stray_after_a_leave),
		cmocka_unit_test(test_stray_before_a_retry),
		cmocka_unit_test(test_look_alikes),
		cmocka_unit_test(test_unseen),
		cmocka_unit_test(test_made_up),
		cmocka_unit_test(test_ends_late),
		cmocka_unit_test(test_under_way),
		cmocka_unit_test(test_large_subjects),
		cmocka_unit_test(test_unread_answer_overtaken),
		cmocka_unit_test(test_denied_before_a_retry),
		cmocka_unit_test(test_uses),
		cmocka_unit_test(test_denied_together),
		cmocka_unit_test(test_reply_unread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
