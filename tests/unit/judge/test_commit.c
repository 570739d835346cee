/* SPDX-License-Identifier: Apache-2.0 */
/* The acknowledgment-action gap: nothing was joined; was there nothing? */
#include "scene.h"

#define NEWCOMER 300u /* not known before */

/* A turn's span that declares "done"; its tool span says the same when `tool` is set. */
static void say_done(struct scene *s, bool tool, uint64_t from, uint64_t to)
{
	struct ww_span turn = span_of(s, WW_SPAN_AGENT, "", "", WW_SPAN_OK, from, to);
	struct ww_span p = tool_span(s, "c9", WW_SPAN_OK, from + 10, to - 10);

	claim_on(&turn, "cl-9", "refund", "c9", true, to - 5);
	if (tool)
		tell(s, &p);
	tell(s, &turn);
}

/* A complete conversation with the model, as every honest and dishonest turn has it. */
static void talk(struct scene *s, uint64_t ms)
{
	model_answers(s, ms, NULL, NULL, NULL);
}

/* --- must not be NO_ACTION ----------------------------------------------------------------------
 */

/* S6.2, numbers varied. */
static void test_lost_events(void **state)
{
	static const unsigned counts[] = {1, 3, 4096};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(counts); i++) {
		struct scene *s = scene_open();

		talk(s, 1200);
		tick(s, 1000);
		lost(s, counts[i], 1500);
		say_done(s, i == 0, 1000, 2000);
		tick(s, 6000);
		json_t *r = expect(s, "UNVERIFIABLE", "EVENT_LOSS", "E0", "NONE");

		assert_int_equal(number(json_object_get(r, "coverage"), "lostEvents"), counts[i]);
		assert_string_equal(text(json_object_get(r, "coverage"), "lostCause"),
				    "data ring full");
		assert_int_equal(world_item(r, "losses"), 0);
		assert_int_equal(world_item(r, "coverage"), 1);
		scene_close(s);
	}
}

static void test_losses_outside_the_window(void **state)
{
	struct scene *s = scene_open();

	tick(s, 4000);
	lost(s, 9, 4500); /* between 4 s and 4.5 s */
	tick(s, 5000);
	say_done(s, true, 6000, 7000);
	tick(s, 12000);
	expect(s, "NO_ACTION", "", "E0", "NONE");
	scene_close(s);
}

static void test_gaps_in_coverage(void **state)
{
	for (unsigned i = 0; i < 4; i++) {
		struct scene *s = scene_open();

		if (i == 0)
			gap(s, 100, 1500);
		else if (i == 1)
			cover(s, 31 & ~WW_COVERS_UDP, WW_PROBE_ATTACHED, 900);
		else if (i == 2)
			cover(s, 0, WW_PROBE_DETACHED, 1500);
		say_done(s, true, 1000, 2000);
		if (i == 3) { /* the tape ends before the window */
			ww_judge_finish(s->judge, at_ms(2100));
		} else {
			tick(s, 6000);
		}
		json_t *r = expect(s, "UNVERIFIABLE", "COVERAGE_GAP", "E0", "NONE");

		assert_int_equal(world_item(r, "coverage"), 0);
		scene_close(s);
	}
}

/* The window's margin reaches before the scope; a process born in it cannot have acted then. */
static void test_span_right_after_birth(void **state)
{
	for (unsigned older = 0; older < 2; older++) {
		struct scene *s = scene_open();
		struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 20, 1000);

		if (!older)
			p.actor.start_ns = p.root.start_ns = at_ms(10).ns;
		tell(s, &p);
		tick(s, 6000);
		if (older)
			expect(s, "UNVERIFIABLE", "COVERAGE_GAP", "E0", "NONE");
		else
			expect(s, "NO_ACTION", "", "E0", "NONE");
		scene_close(s);
	}
}

/* `run` enters the scope and executes the command; a process that was there before is another case.
 */
static void test_span_right_after_exec(void **state)
{
	static const struct {
		bool walked;
		uint64_t begin;
		bool judged;
	} cases[] = {{false, 20, true}, {false, 10, true}, {false, 9, false}, {true, 20, false}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scene *s = scene_open();
		struct ww_event_exec ev = {0};
		struct ww_span p;

		if (cases[i].walked)
			feed(s, &ev, WW_EVENT_PROC_INFO, sizeof(ev), 5, NEWCOMER, 0);
		feed(s, &ev, WW_EVENT_PROC_EXEC, sizeof(ev), 10, NEWCOMER, 0);
		feed(s, &ev, WW_EVENT_PROC_EXEC, sizeof(ev), 15, NEWCOMER, 0);
		p = tool_span(s, "c1", WW_SPAN_OK, cases[i].begin, 1000);
		p.actor = p.root = process(NEWCOMER);
		tell(s, &p);
		tick(s, 6000);
		if (cases[i].judged)
			expect(s, "NO_ACTION", "", "E0", "NONE");
		else
			expect(s, "UNVERIFIABLE", "COVERAGE_GAP", "E0", "NONE");
		scene_close(s);
	}
}

static void test_peers_that_could_act(void **state)
{
	for (unsigned i = 0; i < 2; i++) {
		struct scene *s = scene_open();
		struct ww_endpoint e = endpoint("127.0.0.1", 9000);

		if (i == 0)
			reached_unix(s, "/run/helper.sock", 1500);
		else
			ww_coverage_loopback(s->coverage, CGROUP, at_ms(1500), &e);
		say_done(s, false, 1000, 2000);
		tick(s, 6000);
		json_t *r = expect(s, "UNVERIFIABLE", "REMOTE_EXECUTOR", "E0", "NONE");

		assert_int_equal(world_item(r, "peers"), 0);
		assert_non_null(strstr(text(r, "summary"), i ? "127.0.0.1:9000" : "helper.sock"));
		scene_close(s);
	}
}

static void test_unread_tls_to_anywhere(void **state)
{
	struct scene *s = scene_open();

	flow_open(s, 5, AGENT, "192.0.2.7", 443, 1100);
	flow_state(s, 5, WW_EVENT_FLOW_STATE, 1, 0, 0, 0, 0, 1110);
	flow_tls(s, 5, 1120);
	flow_state(s, 5, WW_EVENT_FLOW_CLOSE, 7, WW_CLOSE_FIN_LOCAL, 3000, 3000, 4000, 1500);
	say_done(s, true, 1000, 2000);
	tick(s, 6000);
	json_t *r = expect(s, "UNVERIFIABLE", "TLS_OPAQUE", "E0", "NONE");

	assert_int_equal(world_item(r, "tls"), 0);
	scene_close(s);
}

/* The wire showed a handshake that the counters do not know of yet: nobody knows what followed. */
static void test_counters_behind(void **state)
{
	for (unsigned known = 0; known < 2; known++) {
		struct scene *s = scene_open();
		uint64_t sent = known ? HANDSHAKE_OUT : 0;

		flow_begin(s, &(struct call){.addr = "192.0.2.7", .from = 1100}, 5, AGENT);
		flow_state(s, 5, WW_EVENT_FLOW_STAT, 1, 0, sent, sent, HANDSHAKE_IN, 1200);
		say_done(s, true, 1000, 2000);
		tick(s, 6000);
		if (known)
			expect(s, "NO_ACTION", "", "E0", "NONE");
		else
			expect(s, "UNVERIFIABLE", "TLS_OPAQUE", "E0", "NONE");
		scene_close(s);
	}
}

static void test_unread_tls_to_a_known_model(void **state)
{
	struct scene *s = scene_open();

	talk(s, 900); /* decoded: this address is a model's */
	flow_open(s, 50, AGENT, MODEL, 443, 1100);
	flow_state(s, 50, WW_EVENT_FLOW_STATE, 1, 0, 0, 0, 0, 1110);
	flow_tls(s, 50, 1120);
	flow_state(s, 50, WW_EVENT_FLOW_CLOSE, 7, WW_CLOSE_FIN_LOCAL, 3000, 3000, 4000, 1500);
	say_done(s, true, 1000, 2000);
	tick(s, 6000);
	expect(s, "NO_ACTION", "", "E0", "NONE");
	scene_close(s);
}

static void test_plain_bytes_to_anywhere(void **state)
{
	struct scene *s = scene_open();

	flow_open(s, 5, AGENT, "192.0.2.7", 3128, 1100);
	flow_state(s, 5, WW_EVENT_FLOW_STATE, 1, 0, 0, 0, 0, 1110);
	flow_state(s, 5, WW_EVENT_FLOW_CLOSE, 7, WW_CLOSE_FIN_LOCAL, 3000, 3000, 4000, 1500);
	say_done(s, true, 1000, 2000);
	tick(s, 6000);
	json_t *r = expect(s, "UNVERIFIABLE", "PLAINTEXT_INCOMPLETE", "E0", "NONE");

	assert_int_equal(world_item(r, "plain"), 0);
	scene_close(s);
}

static void account_of(struct scene *s, int64_t remainder, uint64_t open)
{
	struct ww_flow f = {.cookie = 9,
			    .root = process(AGENT),
			    .cgroup = CGROUP,
			    .closed = true,
			    .tls = true,
			    .bind = WW_BIND_RANDOM,
			    .role = WW_FLOW_CONNECT,
			    .bytes_sent = 5000,
			    .exchanges = 1};

	f.t_open = at_ms(1100);
	f.t_close = at_ms(1500);
	f.peer = endpoint("192.0.2.7", 443);
	f.account[WW_DIR_OUT].checked = f.account[WW_DIR_IN].checked = true;
	f.account[WW_DIR_OUT].remainder = remainder;
	f.account[WW_DIR_OUT].overhead_max = open;
	ww_judge_flow(s->judge, &f);
	ww_judge_flow(s->judge, &f);
}

static void test_unexplained_bytes(void **state)
{
	static const struct {
		int64_t remainder;
		uint64_t open;
		bool blocks;
	} rows[] = {{1024, 0, true}, {32, 0, true},   {31, 0, false},
		    {-30, 0, false}, {75, 44, false}, {76, 44, true}};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		struct scene *s = scene_open();

		account_of(s, rows[i].remainder, rows[i].open);
		/* one decoded exchange on that flow, so that only the account speaks */
		struct ww_exchange x = {.cookie = 9,
					.client = true,
					.root = process(AGENT),
					.outcome = WW_X_COMPLETE,
					.status = 200,
					.method = "GET",
					.target = "/",
					.req_bytes = 300};

		x.t_first_req = x.t_last_resp = at_ms(1200);
		x.peer = endpoint("192.0.2.7", 443);
		deliver(s, &x, NULL);
		say_done(s, true, 1000, 2000);
		tick(s, 6000);
		if (rows[i].blocks)
			expect(s, "UNVERIFIABLE", "PLAINTEXT_INCOMPLETE", "E0", "NONE");
		else
			expect(s, "NO_ACTION", "", "E0", "NONE");
		scene_close(s);
	}
}

/* The kernel counts a request before its plaintext is told: with the next look all is explained. */
static void test_counters_ahead_of_plaintext(void **state)
{
	for (unsigned told = 0; told < 2; told++) {
		struct scene *s = scene_open();
		struct call c = {.addr = "192.0.2.7",
				 .port = 443,
				 .name = "other.example",
				 .method = "GET",
				 .target = "/",
				 .from = 1200,
				 .to = 1300,
				 .status = 200,
				 .stays_open = true,
				 .hidden = 322};
		struct ww_exchange x;

		c.cookie = exchange(s, c, NULL);
		say_done(s, true, 1000, 2000);
		tick(s, 6000);
		assert_int_equal(count_kind(s, "verdict"), 0);
		if (told) {
			ww_flows_get(s->flows, c.cookie)->bytes_sent -= c.hidden; /* its own */
			c.hidden = 0;
			c.from = c.to = 6100;
			flow_for(s, &c, c.cookie);
			fill_exchange(s, &c, c.cookie, &x);
			x.index = 1;
			x.req_offset = 300;
			assert_int_equal(ww_judge_exchange(s->judge, &x, NULL, NULL), 0);
		}
		tick(s, 7100);
		if (told)
			expect(s, "NO_ACTION", "", "E0", "NONE");
		assert_int_equal(count_kind(s, "verdict"), told);
		tick(s, 14000);
		if (!told)
			expect(s, "UNVERIFIABLE", "PLAINTEXT_INCOMPLETE", "E0", "NONE");
		scene_close(s);
	}
}

/* Times that were not set, or are of before the tree was there, say nothing of when; and the window
 * that they make explains nobody's call. */
static void test_times_that_cannot_be(void **state)
{
	struct scene *s = scene_open();
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 2000);

	p.start.ns = p.end.ns = 0;
	tell(s, &p);
	tick(s, 14000);
	expect(s, "UNVERIFIABLE", "CLOCK_UNBOUNDED", "E0", "NONE");
	scene_close(s);

	s = scene_open();
	p = tool_span(s, "c1", WW_SPAN_OK, 1000, 2000);
	p.root.start_ns = at_ms(2500).ns;
	tell(s, &p);
	tick(s, 14000);
	expect(s, "UNVERIFIABLE", "CLOCK_UNBOUNDED", "E0", "NONE");
	scene_close(s);

	s = scene_open();
	CALL(.from = 2200, .to = 2300, .status = 201);
	p = tool_span(s, "c1", WW_SPAN_OK, 1000, 2000);
	p.received = at_ms(2500);
	tell(s, &p);
	p = tool_span(s, "c2", WW_SPAN_OK, 1000, 2400);
	p.start.ns = 0;
	tell(s, &p);
	tick(s, 14000);
	expect_nth(s, 0, "UNVERIFIABLE", "CLOCK_UNBOUNDED", "E0", "NONE");
	expect_nth(s, 1, "UNVERIFIABLE", "AMBIGUOUS_JOIN", "E0", "NONE");
	scene_close(s);
}

/* Bytes past the end of a request were lost: they may have held the declared one, and what is found
 * after them may be content. */
static void test_lost_request_bytes(void **state)
{
	static const struct {
		const char *target;
		enum ww_exchange_outcome outcome;
		uint32_t findings;
		uint16_t status;
	} rows[] = {
		{"/upload", WW_X_REQUEST_CUT, WW_X_GAP_REQUEST, 404},
		{"/health", WW_X_COMPLETE, WW_X_FOUND_AGAIN, 200},
		{"/v1/refunds", WW_X_COMPLETE, WW_X_FOUND_AGAIN, 201},
		{"/v1/refunds", WW_X_COMPLETE, WW_X_FOUND_AGAIN, 503},
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		struct scene *s = scene_open();
		struct call c = {.from = 1100, .to = 1300, .status = rows[i].status};
		uint64_t cookie = ++s->next_cookie;
		struct ww_exchange x;

		flow_for(s, &c, cookie);
		fill_exchange(s, &c, cookie, &x);
		snprintf(x.target, sizeof(x.target), "%s", rows[i].target);
		x.outcome = rows[i].outcome;
		x.findings = rows[i].findings;
		deliver(s, &x, NULL);
		hang_up(s, &c, cookie);
		say_done(s, true, 1000, 2000);
		tick(s, 6000);
		expect(s, "UNVERIFIABLE", "PLAINTEXT_INCOMPLETE", "E3", "UNIQUE");
		scene_close(s);
	}
}

/* The account of a connection that began before us tells nothing. */
static void test_account_not_checked(void **state)
{
	struct scene *s = scene_open();
	uint64_t cookie = CALL(.method = "GET", .target = "/health", .from = 1100, .to = 1300,
			       .status = 200, .stays_open = true);
	struct ww_event_counters late = {
		.bytes_sent = 900, .bytes_received = 1322, .state_new = 1, .proto = 6};

	feed(s, &late, WW_EVENT_FLOW_STAT, sizeof(late), 1400, 0, cookie);
	say_done(s, true, 1000, 2000);
	tick(s, 6000);
	json_t *r = expect(s, "UNVERIFIABLE", "PLAINTEXT_INCOMPLETE", "E0", "NONE");

	assert_int_equal(world_item(r, "account"), 0);
	scene_close(s);
}

/* Plaintext whose socket is not known: it may have been the call. */
static void test_plaintext_without_a_socket(void **state)
{
	static const struct {
		uint64_t ms;
		bool gone, blocks;
	} rows[] = {
		{1500, false, true}, {1500, true, true},   {900, false, false},
		{900, true, false},  {4500, false, false},
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		struct scene *s = scene_open();

		if (rows[i].ms < 1000)
			flow_data(s, 0, AGENT, WW_DIR_OUT, 0, 300, rows[i].ms);
		say_done(s, true, 1000, 2000);
		if (rows[i].ms > 1000)
			flow_data(s, 0, AGENT, WW_DIR_OUT, 0, 300, rows[i].ms);
		if (rows[i].gone) /* while it is judged, nobody waits for the socket any more */
			died(s, AGENT, rows[i].ms + 100);
		tick(s, 6000);
		if (rows[i].blocks)
			expect(s, "UNVERIFIABLE", "PLAINTEXT_INCOMPLETE", "E0", "NONE");
		else
			expect(s, "NO_ACTION", "", "E0", "NONE");
		scene_close(s);
	}
}

static void test_owner_unknown(void **state)
{
	struct scene *s = scene_open();

	CALL(.from = 1100, .to = 1300, .status = 201, .orphan = true);
	say_done(s, true, 1000, 2000);
	tick(s, 6000);
	json_t *r = expect(s, "UNVERIFIABLE", "ACTOR_UNRESOLVED", "E0", "NONE");

	assert_int_equal(world_item(r, "owners"), 0);
	assert_int_equal(world_item(r, "others"), 0);
	scene_close(s);
}

static void test_another_tree_made_the_call(void **state)
{
	struct scene *s = scene_open();

	CALL(.pid = STRANGER, .from = 1100, .to = 1300, .status = 201);
	say_done(s, true, 1000, 2000);
	tick(s, 14000);
	expect(s, "UNVERIFIABLE", "REMOTE_EXECUTOR", "E0", "NONE");
	scene_close(s);
}

/* Two actions wait because of it; who made the call says so, and it is none of theirs. */
static void test_another_tree_tells_of_its_call(void **state)
{
	static const char *const words[] = {"NO_ACTION", "NO_ACTION", "CONFIRMED_T1"};
	struct scene *s = scene_open();
	struct ww_span second = tool_span(s, "c8", WW_SPAN_OK, 1020, 1900);
	struct ww_span theirs = tool_span(s, "c9", WW_SPAN_OK, 1050, 1400);

	CALL(.pid = STRANGER, .from = 1100, .to = 1300, .status = 201);
	say_done(s, true, 1000, 2000);
	tell(s, &second);
	tick(s, 5000);
	assert_int_equal(count_kind(s, "verdict"), 0);
	theirs.actor = process(STRANGER);
	theirs.root = ww_actors_root(s->actors, theirs.actor);
	theirs.received = at_ms(5100);
	tell(s, &theirs);
	tick(s, 6500);
	tick(s, 14000);
	assert_int_equal(count_kind(s, "verdict"), WW_ARRAY_SIZE(words));
	for (unsigned i = 0; i < WW_ARRAY_SIZE(words); i++)
		assert_string_equal(text(verdict(s, i), "verdict"), words[i]);
	scene_close(s);
}

static void test_late_call(void **state)
{
	struct scene *s = scene_open();

	say_done(s, true, 1000, 2000);
	CALL(.from = 2600, .to = 2700, .status = 201);
	tick(s, 14000);
	json_t *r = expect(s, "UNVERIFIABLE", "AMBIGUOUS_JOIN", "E0", "NONE");

	assert_int_equal(world_item(r, "late"), 0);
	scene_close(s);
}

/* The span's clock is four seconds behind: the call seems to come after it. */
static void test_call_before_the_span_arrived(void **state)
{
	struct scene *s = scene_open();
	struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1200);

	CALL(.from = 5100, .to = 5200, .status = 201);
	p.received = at_ms(5300);
	tell(s, &p);
	tick(s, 17000);
	expect(s, "UNVERIFIABLE", "AMBIGUOUS_JOIN", "E0", "NONE");
	scene_close(s);
}

/* The span's clock is behind: what else could have acted came after it, but before its receipt. */
static void test_executor_before_the_span_arrived(void **state)
{
	static const struct {
		uint64_t ms;
		bool opaque;
		const char *verdict, *reason;
	} rows[] = {{5100, false, "UNVERIFIABLE", "REMOTE_EXECUTOR"},
		    {5100, true, "UNVERIFIABLE", "TLS_OPAQUE"},
		    {5400, false, "NO_ACTION", ""},
		    {5400, true, "NO_ACTION", ""}};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		struct scene *s = scene_open();
		struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1200);

		if (!rows[i].opaque) {
			reached_unix(s, "/run/helper.sock", rows[i].ms);
		} else {
			flow_open(s, 5, AGENT, "192.0.2.7", 443, rows[i].ms);
			flow_state(s, 5, WW_EVENT_FLOW_STATE, 1, 0, 0, 0, 0, rows[i].ms);
			flow_tls(s, 5, rows[i].ms);
			flow_state(s, 5, WW_EVENT_FLOW_CLOSE, 7, WW_CLOSE_FIN_LOCAL, 3000, 3000,
				   4000, rows[i].ms + 50);
		}
		p.received = at_ms(5300);
		tell(s, &p);
		tick(s, 9000);
		expect(s, rows[i].verdict, rows[i].reason, "E0", "NONE");
		scene_close(s);
	}
}

/* A claim that was said before its turn began, or after it was received, was timed by nothing. */
static void test_claim_at_no_time(void **state)
{
	for (unsigned i = 0; i < 2; i++) {
		struct scene *s = scene_open();
		struct ww_span turn = span_of(s, WW_SPAN_AGENT, "", "", WW_SPAN_OK, 1000, 2000);

		CALL(.from = 1100, .to = 1300, .status = 201);
		claim_on(&turn, "cl-1", "refund", "", true, 1900);
		turn.claims[0].at = i ? wall_ms(9000) : (struct ww_wall){1790000000};
		tell(s, &turn);
		tick(s, 19000);
		expect(s, "UNVERIFIABLE", "CLOCK_UNBOUNDED", "E0", "NONE");
		scene_close(s);
	}
}

/* A process of the scope, but not of the tree, sent what nothing reads. */
static void test_unread_bytes_of_a_neighbour(void **state)
{
	struct scene *s = scene_open();

	flow_open(s, 5, STRANGER, "192.0.2.7", 443, 1100);
	flow_state(s, 5, WW_EVENT_FLOW_STAT, 1, 0, 900, 900, 300, 1500);
	say_done(s, true, 1000, 2000);
	tick(s, 6000);
	json_t *r = expect(s, "UNVERIFIABLE", "REMOTE_EXECUTOR", "E0", "NONE");

	assert_int_equal(world_item(r, "others"), 0);
	scene_close(s);
}

static void test_process_that_left(void **state)
{
	struct scene *s = scene_open();
	struct ww_event ev = {0};

	feed(s, &ev, WW_EVENT_PROC_LEFT, sizeof(ev), 900, AGENT, 0);
	say_done(s, true, 1000, 2000);
	tick(s, 6000);
	json_t *r = expect(s, "UNVERIFIABLE", "REMOTE_EXECUTOR", "E0", "NONE");

	assert_int_equal(world_item(r, "peers"), 0);
	scene_close(s);
}

static void test_deferred_tool(void **state)
{
	static const char yaml[] = "version: 1\n"
				   "contracts:\n"
				   "- tool: refund\n"
				   "  effect: network\n"
				   "  destinations: [{cidr: [10.77.2.0/24]}]\n"
				   "  methods: [POST]\n"
				   "  paths: [/v1/refunds]\n"
				   "  deferred: true\n";
	struct scene *s = scene_open_with(yaml);
	char dated[sizeof(yaml) + 32];

	say_done(s, true, 1000, 2000);
	tick(s, 6000);
	json_t *r = expect(s, "UNVERIFIABLE", "REMOTE_EXECUTOR", "E0", "NONE");

	assert_int_equal(world_item(r, "deferral"), 0);
	scene_close(s);

	snprintf(dated, sizeof(dated), "%s  async_deadline: 20s\n", yaml);
	s = scene_open_with(dated);
	say_done(s, true, 1000, 2000);
	tick(s, 20000);
	assert_int_equal(s->count, 0);
	tick(s, 26000);
	expect(s, "NO_ACTION", "", "E0", "NONE");
	scene_close(s);
}

/* --- absence ------------------------------------------------------------------------------------
 */

/* S6.1 */
static void test_claim_without_action(void **state)
{
	for (unsigned i = 0; i < 2; i++) {
		struct scene *s = scene_open();

		talk(s, 1200);
		talk(s, 1900);
		say_done(s, i, 1000, 2000);
		tick(s, 6000);
		json_t *r = expect(s, "NO_ACTION", "", "E0", "NONE");
		json_t *egress = json_object_get(r, "egress");

		assert_string_equal(text(r, "engine"), "commit");
		assert_string_equal(text(json_object_get(r, "said"), "claim"), "done");
		assert_int_equal(json_array_size(egress), 2);
		assert_string_equal(text(json_array_get(egress, 0), "peer"), "10.77.1.2:443");
		assert_true(json_is_true(json_object_get(json_array_get(egress, 0), "model")));
		for (unsigned k = 0; k < json_array_size(json_object_get(r, "closedWorld")); k++)
			assert_true(json_is_true(json_object_get(
				json_array_get(json_object_get(r, "closedWorld"), k), "pass")));
		scene_close(s);
	}
}

static void test_tool_span_alone(void **state)
{
	static const struct {
		enum ww_span_status status;
		const char *verdict;
	} rows[] = {{WW_SPAN_OK, "NO_ACTION"},
		    {WW_SPAN_UNSET, "NO_ACTION"},
		    {WW_SPAN_ERROR, "ATTEMPTED_FAILED"}};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		struct scene *s = scene_open();
		struct ww_span p = tool_span(s, "", rows[i].status, 1000, 1400);

		tell(s, &p);
		tick(s, 6000);
		expect(s, rows[i].verdict, "", "E0", "NONE");
		scene_close(s);
	}
}

/* S6.4: the dummy request at the right host. */
static void test_decoy(void **state)
{
	static const struct {
		const char *method, *target;
	} rows[] = {{"GET", "/"}, {"GET", "/v1/refunds"}, {"POST", "/health"}, {"HEAD", "/v1/x"}};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		struct scene *s = scene_open();

		CALL(.method = rows[i].method, .target = rows[i].target, .from = 1200, .to = 1300,
		     .status = 200);
		say_done(s, true, 1000, 2000);
		tick(s, 6000);
		json_t *r = expect(s, "NO_ACTION", "", "E0", "NONE");
		json_t *near = json_array_get(json_object_get(wire(r), "nearMiss"), 0);

		assert_string_equal(text(near, "why"), "request");
		assert_string_equal(text(near, "method"), rows[i].method);
		assert_string_equal(text(near, "destination"), PAY_NAME);
		scene_close(s);
	}
}

/* S6.4, second half: the same without plaintext. */
static void test_decoy_unread(void **state)
{
	for (unsigned i = 0; i < 3; i++) {
		struct scene *s = scene_open();

		flow_open(s, 5, AGENT, PAY, 8443, i == 1 ? 100 : 1100);
		if (i == 2)
			lost(s, 1, 1100);
		flow_state(s, 5, WW_EVENT_FLOW_STATE, 1, 0, 0, 0, 0, 1110);
		flow_tls(s, 5, 1120);
		flow_state(s, 5, WW_EVENT_FLOW_CLOSE, 7, WW_CLOSE_FIN_LOCAL, 3000, 3000, 500, 1500);
		say_done(s, false, 1000, 2000);
		tick(s, 6000);
		if (i == 0)
			expect(s, "ACTED_UNDECODED", "", "E2", "UNIQUE");
		else if (i == 1) /* opened before the turn: its bytes may be older */
			expect(s, "UNVERIFIABLE", "TLS_OPAQUE", "E2", "UNIQUE");
		else /* they may be another action's, which was lost */
			expect(s, "UNVERIFIABLE", "EVENT_LOSS", "E2", "UNIQUE");
		assert_non_null(strstr(text(verdict(s, 0), "summary"), "effect unknown"));
		scene_close(s);
	}
}

static void test_connection_refused(void **state)
{
	struct scene *s = scene_open();

	flow_open(s, 5, AGENT, PAY, 8443, 1100);
	flow_state(s, 5, WW_EVENT_FLOW_CLOSE, 7, WW_CLOSE_REFUSED, 0, 0, 0, 1110);
	say_done(s, true, 1000, 2000);
	tick(s, 6000);
	json_t *r = expect(s, "NO_ACTION", "", "E0", "NONE");

	assert_int_equal(number(r, "refused"), 1);
	scene_close(s);
}

/* Two refunds said, one made. */
static void test_one_call_serves_one_claim(void **state)
{
	struct scene *s = scene_open();
	struct ww_span turn = span_of(s, WW_SPAN_AGENT, "", "", WW_SPAN_OK, 1000, 3000);

	CALL(.from = 1500, .to = 1600, .status = 201);
	claim_on(&turn, "first", "refund", "", true, 2000);
	claim_on(&turn, "second", "refund", "", true, 2900);
	tell(s, &turn);
	tick(s, 8000);
	expect_nth(s, 0, "CONFIRMED_T1", "", "E4", "UNIQUE");
	json_t *r = expect_nth(s, 1, "NO_ACTION", "", "E0", "NONE");

	assert_string_equal(
		text(json_array_get(json_object_get(json_object_get(r, "said"), "claims"), 0),
		     "claimId"),
		"second");
	scene_close(s);
}

static void test_as_many_calls_as_claims(void **state)
{
	for (unsigned i = 0; i < 2; i++) {
		struct scene *s = scene_open();
		struct ww_span turn = span_of(s, WW_SPAN_AGENT, "", "", WW_SPAN_OK, 1000, 3000);

		CALL(.from = 1500, .to = 1600, .status = 201);
		CALL(.from = 1700, .to = 1800, .status = i ? 503 : 200);
		claim_on(&turn, "first", "refund", "", true, 2000);
		claim_on(&turn, "second", "refund", "", true, 2900);
		tell(s, &turn);
		tick(s, 8000);
		for (unsigned k = 0; k < 2; k++) {
			if (i) /* one failed: whose? */
				expect_nth(s, k, "UNVERIFIABLE", "AMBIGUOUS_JOIN", "E0",
					   "AMBIGUOUS");
			else
				expect_nth(s, k, "CONFIRMED_T1", "", "E4", "UNIQUE");
		}
		scene_close(s);
	}
}

/* The first claim had nothing; a later call is none of its business. */
static void test_each_claim_by_its_own_window(void **state)
{
	struct scene *s = scene_open();
	struct ww_span turn = span_of(s, WW_SPAN_AGENT, "", "", WW_SPAN_OK, 1000, 9900);

	CALL(.from = 8000, .to = 8100, .status = 201);
	claim_on(&turn, "first", "refund", "", true, 2000);
	claim_on(&turn, "second", "refund", "", true, 9800);
	tell(s, &turn);
	tick(s, 15000);
	expect_nth(s, 0, "NO_ACTION", "", "E0", "NONE");
	expect_nth(s, 1, "CONFIRMED_T1", "", "E4", "UNIQUE");
	scene_close(s);
}

static void test_announced(void **state)
{
	struct scene *s = scene_open();
	struct ww_span turn = span_of(s, WW_SPAN_AGENT, "", "", WW_SPAN_OK, 1000, 2000);

	claim_on(&turn, "later", "refund", "", false, 1900);
	turn.claims[0].deadline = wall_ms(30000);
	tell(s, &turn);
	tick(s, 20000);
	assert_int_equal(count_kind(s, "verdict"), 1);
	json_t *r = expect_nth(s, 0, "PENDING", "", "E0", "NONE");

	assert_string_equal(
		text(r, "deadline"),
		text(json_array_get(json_object_get(json_object_get(r, "said"), "claims"), 0),
		     "deadline"));
	tick(s, 21000);
	assert_int_equal(count_kind(s, "verdict"), 1); /* told once */
	tick(s, 34000);
	r = expect_nth(s, 1, "NO_ACTION", "", "E0", "NONE");
	assert_string_equal(text(r, "supersedes"), text(verdict(s, 0), "id"));
	scene_close(s);

	s = scene_open();
	turn.claims[0].deadline = wall_ms(30000);
	tell(s, &turn);
	CALL(.from = 25000, .to = 25100, .status = 201);
	tick(s, 34000);
	expect(s, "CONFIRMED_T1", "", "E4", "UNIQUE");
	scene_close(s);

	s = scene_open();
	turn.claims[0].deadline.ns = 0;
	tell(s, &turn);
	tick(s, 400000);
	expect(s, "UNVERIFIABLE", "OUTCOME_UNKNOWN", "E0", "NONE");
	scene_close(s);
}

/* A declared destination on loopback: what goes to our own receiver of claims is no call to it. */
static void test_claims_are_no_calls(void **state)
{
	static const char yaml[] = "version: 1\ncontracts:\n- tool: refund\n  effect: network\n"
				   "  destinations: [{cidr: [127.0.0.0/8], allow_loopback: true}]\n"
				   "  methods: [POST]\n  paths: [/v1/refunds]\n";

	for (unsigned port = 4318; port <= 4319; port++) {
		struct scene *s = scene_open_with(yaml);
		struct ww_span p = tool_span(s, "c1", WW_SPAN_OK, 1000, 1500);

		flow_open(s, 7, AGENT, "127.0.0.1", (uint16_t)port, 1100);
		flow_state(s, 7, WW_EVENT_FLOW_STATE, 1, 0, 0, 0, 0, 1110);
		flow_state(s, 7, WW_EVENT_FLOW_CLOSE, 7, WW_CLOSE_FIN_LOCAL, 400, 400, 90, 1400);
		tell(s, &p);
		tick(s, 6000);
		if (port == 4318)
			expect(s, "NO_ACTION", "", "E0", "NONE");
		else
			expect(s, "ACTED_UNDECODED", "", "E3", "UNIQUE");
		scene_close(s);
	}
}

/* --- the model asked ----------------------------------------------------------------------------
 */

/* S6.3: the runtime died before it acted. */
static void test_crash_before_dispatch(void **state)
{
	struct scene *s = scene_open();

	model_answers(s, 1500, "call-5", "refund", NULL);
	died(s, AGENT, 1600);
	tick(s, 3000);
	assert_int_equal(s->count, 0);
	tick(s, 6000);
	json_t *r = expect(s, "CALL_EMITTED_NOT_EXECUTED", "", "E0", "NONE");

	assert_string_equal(text(r, "toolCallId"), "call-5");
	assert_true(json_is_null(json_object_get(r, "span")));
	scene_close(s);
}

static void test_answered_without_acting(void **state)
{
	struct scene *s = scene_open();

	model_answers(s, 1500, "call-5", "refund", NULL);
	model_answers(s, 2600, NULL, NULL, "call-5");
	tick(s, 8000);
	assert_int_equal(s->count, 0); /* a span may still come */
	tick(s, 14000);
	json_t *r = expect(s, "CALL_EMITTED_NOT_EXECUTED", "", "E0", "NONE");
	json_t *said = json_object_get(r, "said");

	assert_int_equal(number(json_object_get(said, "text"), "bytes"), 42);
	assert_non_null(json_object_get(said, "toolResult"));
	scene_close(s);
}

static void test_nothing_heard_again(void **state)
{
	struct scene *s = scene_open();

	model_answers(s, 1500, "call-5", "refund", NULL);
	tick(s, 60000);
	assert_int_equal(s->count, 0);
	tick(s, 65000);
	expect(s, "CALL_EMITTED_NOT_EXECUTED", "", "E0", "NONE");
	scene_close(s);

	s = scene_open();
	model_answers(s, 1500, "call-5", "refund", NULL);
	tick(s, 5000);
	ww_judge_finish(s->judge, at_ms(5000)); /* the window is still open */
	expect(s, "UNVERIFIABLE", "COVERAGE_GAP", "E0", "NONE");
	scene_close(s);
}

/* The model asked, "done" was claimed, no span, no result, no call. */
static void test_claimed_without_acting(void **state)
{
	struct scene *s = scene_open();
	struct ww_span turn = span_of(s, WW_SPAN_AGENT, "", "", WW_SPAN_OK, 1000, 2000);

	claim_on(&turn, "cl", "refund", "call-5", true, 1900);
	model_answers(s, 1500, "call-5", "refund", NULL);
	tell(s, &turn);
	tick(s, 6000);
	assert_int_equal(s->count, 0); /* a tool span may still come */
	tick(s, 13000);
	expect(s, "NO_ACTION", "", "E0", "NONE");
	scene_close(s);
}

static void test_carried_out_without_a_span(void **state)
{
	struct scene *s = scene_open();

	model_answers(s, 1500, "call-5", "refund", NULL);
	CALL(.from = 1700, .to = 1800, .status = 201);
	model_answers(s, 2600, NULL, NULL, "call-5");
	tick(s, 14000);
	json_t *r = expect(s, "CONFIRMED_T1", "", "E4", "UNIQUE");

	assert_string_equal(text(r, "engine"), "effect");
	scene_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_claims_are_no_calls),
		cmocka_unit_test(test_lost_events),
		cmocka_unit_test(test_losses_outside_the_window),
		cmocka_unit_test(test_gaps_in_coverage),
		cmocka_unit_test(test_span_right_after_birth),
		cmocka_unit_test(test_span_right_after_exec),
		cmocka_unit_test(test_peers_that_could_act),
		cmocka_unit_test(test_unread_tls_to_anywhere),
		cmocka_unit_test(test_counters_behind),
		cmocka_unit_test(test_unread_tls_to_a_known_model),
		cmocka_unit_test(test_plain_bytes_to_anywhere),
		cmocka_unit_test(test_unexplained_bytes),
		cmocka_unit_test(test_counters_ahead_of_plaintext),
		cmocka_unit_test(test_times_that_cannot_be),
		cmocka_unit_test(test_lost_request_bytes),
		cmocka_unit_test(test_account_not_checked),
		cmocka_unit_test(test_plaintext_without_a_socket),
		cmocka_unit_test(test_owner_unknown),
		cmocka_unit_test(test_another_tree_made_the_call),
		cmocka_unit_test(test_another_tree_tells_of_its_call),
		cmocka_unit_test(test_late_call),
		cmocka_unit_test(test_call_before_the_span_arrived),
		cmocka_unit_test(test_executor_before_the_span_arrived),
		cmocka_unit_test(test_claim_at_no_time),
		cmocka_unit_test(test_unread_bytes_of_a_neighbour),
		cmocka_unit_test(test_process_that_left),
		cmocka_unit_test(test_deferred_tool),
		cmocka_unit_test(test_claim_without_action),
		cmocka_unit_test(test_tool_span_alone),
		cmocka_unit_test(test_decoy),
		cmocka_unit_test(test_decoy_unread),
		cmocka_unit_test(test_connection_refused),
		cmocka_unit_test(test_one_call_serves_one_claim),
		cmocka_unit_test(test_as_many_calls_as_claims),
		cmocka_unit_test(test_each_claim_by_its_own_window),
		cmocka_unit_test(test_announced),
		cmocka_unit_test(test_crash_before_dispatch),
		cmocka_unit_test(test_answered_without_acting),
		cmocka_unit_test(test_nothing_heard_again),
		cmocka_unit_test(test_claimed_without_acting),
		cmocka_unit_test(test_carried_out_without_a_span),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
