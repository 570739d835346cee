/* SPDX-License-Identifier: Apache-2.0 */
#include "join/held.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "base/encode.h"

static const char yaml[] =
	"version: 1\n"
	"contracts:\n"
	"- tool: a\n"
	"  effect: network\n"
	"  destinations: [{name: a.test, cidr: [10.0.0.0/8]}]\n"
	"  methods: [POST]\n"
	"  paths: [/a]\n"
	"  success: {status: 200-202, body: [{path: $.ok, equals: \"true\"}]}\n"
	"- tool: b\n"
	"  effect: network\n"
	"  destinations: [{name: a.test, cidr: [10.0.0.0/8]}, {name: b.test, cidr: [10.0.0.0/8]}]\n"
	"  methods: [POST]\n"
	"  paths: [/a, \"/b/{id}\"]\n"
	"  success: {status: 202}\n";

struct fixture {
	struct ww_contracts *contracts;
	struct ww_digest_key key;
	struct ww_held *held;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct ww_contract_error e;

	ww_digest_key_init(&f->key, (const uint8_t *)"0123456789abcdef0123456789abcdef");
	assert_int_equal(ww_contracts_parse(ww_slice_str(yaml), &f->contracts, &e), 0);
	assert_int_equal(ww_held_new(f->contracts, &f->key, &f->held), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	ww_held_free(f->held);
	ww_contracts_free(f->contracts);
	free(f);
	return 0;
}

static struct ww_exchange post(const char *host, const char *target, uint16_t status,
			       const char *body)
{
	struct ww_exchange x = {.cookie = 9,
				.client = true,
				.outcome = WW_X_COMPLETE,
				.method = "POST",
				.status = status};

	x.root.pid = 7;
	x.peer.family = AF_INET;
	x.peer.addr[0] = 10;
	x.t_first_req.ns = 100;
	x.t_last_resp.ns = 200;
	snprintf(x.sni, sizeof(x.sni), "%s", host);
	snprintf(x.target, sizeof(x.target), "%s", target);
	x.resp.data = ww_slice_str(body);
	x.resp.whole = true;
	return x;
}

static struct ww_held_exchange *take(struct fixture *f, const struct ww_exchange *x)
{
	struct ww_held_exchange *e = NULL;

	assert_int_equal(ww_held_add_exchange(f->held, x, false, NULL, &e), 0);
	return e;
}

static void test_how_it_stands_under_a_contract(void **state)
{
	static const struct {
		enum ww_exchange_outcome outcome;
		uint16_t status;
		const char *body;
		uint32_t findings;
		enum ww_wire wire;
	} rows[] = {
		{WW_X_COMPLETE, 200, "{\"ok\":true}", 0, WW_WIRE_SUCCESS},
		{WW_X_COMPLETE, 201, "{\"ok\":\"true\"}", 0, WW_WIRE_SUCCESS},
		{WW_X_COMPLETE, 200, "{\"ok\":false}", 0, WW_WIRE_BODY_FAILED},
		{WW_X_COMPLETE, 200, "", 0, WW_WIRE_BODY_FAILED},
		{WW_X_COMPLETE, 200, "ok", 0, WW_WIRE_BODY_UNKNOWN},
		{WW_X_CUT_SHORT, 200, "{\"ok\":true}", 0, WW_WIRE_BODY_UNKNOWN},
		{WW_X_RESET, 200, "{\"ok\":true}", 0, WW_WIRE_BODY_UNKNOWN},
		{WW_X_COMPLETE, 202, "{\"ok\":true}", 0, WW_WIRE_ACCEPTED},
		{WW_X_COMPLETE, 203, "{\"ok\":true}", 0, WW_WIRE_FAILED},
		{WW_X_COMPLETE, 302, "", 0, WW_WIRE_REDIRECTED},
		{WW_X_COMPLETE, 500, "{\"ok\":true}", 0, WW_WIRE_FAILED},
		{WW_X_REQUEST_CUT, 413, "", 0, WW_WIRE_FAILED},
		{WW_X_NO_REPLY, 0, "", 0, WW_WIRE_NO_REPLY},
		{WW_X_RESET, 0, "", 0, WW_WIRE_NO_REPLY},
		{WW_X_RESET, 100, "", 0, WW_WIRE_NO_REPLY}, /* interim only */
		{WW_X_REQUEST_CUT, 0, "", 0, WW_WIRE_NOT_SENT},
		{WW_X_REQUEST_CUT, 0, "", WW_X_GAP_REQUEST, WW_WIRE_UNDECODED},
		{WW_X_UPGRADED, 101, "", 0, WW_WIRE_UNDECODED},
		{WW_X_OPEN, 0, "", 0, WW_WIRE_UNFINISHED},
		{WW_X_OPEN, 503, "", 0, WW_WIRE_FAILED},
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		struct ww_exchange x = post("a.test", "/a", rows[i].status, rows[i].body);
		struct ww_held_exchange *e;

		x.outcome = rows[i].outcome;
		x.findings = rows[i].findings;
		e = take(*state, &x);
		assert_non_null(e);
		assert_int_equal(e->match_count, 2);
		if (e->matches[0].wire != rows[i].wire)
			fail_msg("row %u: %s", i, ww_held_wire_name(e->matches[0].wire));
	}
}

/* HTTP says 200 of every gRPC call that reached the server. */
static void test_grpc(void **state)
{
	static const struct {
		const char *type;
		enum ww_exchange_outcome outcome;
		struct ww_grpc_status grpc;
		uint16_t status;
		enum ww_wire wire;
	} rows[] = {
		{"application/grpc", WW_X_COMPLETE, {true, true, 0}, 200, WW_WIRE_SUCCESS},
		{"application/grpc+proto",
		 WW_X_COMPLETE,
		 {true, true, 13},
		 200,
		 WW_WIRE_BODY_FAILED},
		{"application/grpc", WW_X_COMPLETE, {true, false, 0}, 200, WW_WIRE_BODY_UNKNOWN},
		{"application/grpc", WW_X_COMPLETE, {0}, 200, WW_WIRE_BODY_UNKNOWN},
		{"application/grpc", WW_X_RESET, {0}, 200, WW_WIRE_BODY_UNKNOWN},
		{"application/grpc", WW_X_CUT_SHORT, {true, true, 0}, 200, WW_WIRE_BODY_UNKNOWN},
		{"application/grpc", WW_X_COMPLETE, {true, true, 0}, 503, WW_WIRE_FAILED},
		{"application/grpc", WW_X_RESET, {0}, 0, WW_WIRE_NO_REPLY},
		{"application/grpc-web", WW_X_COMPLETE, {0}, 200, WW_WIRE_SUCCESS},
		{"application/json", WW_X_COMPLETE, {true, true, 13}, 200, WW_WIRE_SUCCESS},
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		struct ww_exchange x = post("a.test", "/a", rows[i].status, "{\"ok\":true}");
		struct ww_held_exchange *e;

		x.outcome = rows[i].outcome;
		x.grpc = rows[i].grpc;
		memcpy(x.req.content_type, rows[i].type, strlen(rows[i].type));
		e = take(*state, &x);
		assert_non_null(e);
		if (e->matches[0].wire != rows[i].wire)
			fail_msg("row %u: %s", i, ww_held_wire_name(e->matches[0].wire));
	}
}

/* An answer whose end only the close told: with nothing in it, its text may have been cut off. */
static void test_an_end_told_by_the_close(void **state)
{
	static const struct {
		const char *body;
		enum ww_wire wire;
	} rows[] = {
		{"{\"ok\":true}", WW_WIRE_SUCCESS},
		{"", WW_WIRE_BODY_UNKNOWN},
		{" \r\n\t", WW_WIRE_BODY_UNKNOWN},
		{"{\"ok\":tr", WW_WIRE_BODY_UNKNOWN},
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		struct ww_exchange x = post("a.test", "/a", 200, rows[i].body);

		x.resp.by_close = true;
		if (take(*state, &x)->matches[0].wire != rows[i].wire)
			fail_msg("row %u", i);
	}
}

/* What is kept of a long path is no path. */
static void test_a_cut_path(void **state)
{
	struct fixture *f = *state;
	struct ww_exchange x = post("b.test", "/b/", 202, "");
	struct ww_held_exchange *e;

	memset(x.target + 3, 'x', sizeof(x.target) - 4);
	e = take(f, &x);
	assert_non_null(e);
	for (unsigned i = 0; i < e->match_count; i++) {
		assert_null(e->matches[i].template);
		assert_true(e->matches[i].almost || !e->matches[i].destination);
	}
	x.target[9] = '?';
	e = take(f, &x);
	assert_string_equal(e->matches[0].template, "/b/{id}");
}

/* The same exchange stands differently under two contracts. */
static void test_every_contract_on_its_own(void **state)
{
	struct ww_exchange x = post("a.test", "/a", 202, "{\"ok\":true}");
	struct ww_held_exchange *e = take(*state, &x);

	assert_int_equal(e->matches[0].wire, WW_WIRE_ACCEPTED);
	assert_int_equal(e->matches[1].wire, WW_WIRE_SUCCESS); /* 202 is all it declares */
}

static void test_unread_coding_decides_nothing(void **state)
{
	struct ww_exchange x = post("a.test", "/a", 200, "{\"ok\":true}");

	x.resp.coding = WW_CODING_OTHER;
	assert_int_equal(take(*state, &x)->matches[0].wire, WW_WIRE_BODY_UNKNOWN);
}

static void test_what_is_held(void **state)
{
	struct fixture *f = *state;
	struct ww_exchange x = post("c.test", "/a", 200, "");
	struct ww_held_exchange *e;

	x.peer.addr[0] = 192;
	assert_null(take(f, &x)); /* neither name nor address is declared */
	x.trace.present = true;
	e = take(f, &x); /* the like call elsewhere, with a trace context */
	assert_non_null(e);
	assert_false(e->matches[0].destination);
	assert_string_equal(e->matches[0].template, "/a");

	x = post("c.test", "/a", 200, "");
	e = take(f, &x); /* the declared address under another name */
	assert_true(e->matches[0].almost);
	assert_false(e->matches[0].destination);

	x = post("b.test", "/other", 200, "");
	e = take(f, &x); /* a decoy at the right host */
	assert_int_equal(e->match_count, 1);
	assert_int_equal(e->matches[0].contract, 1);
	assert_true(e->matches[0].destination);
	assert_null(e->matches[0].template);

	x = post("a.test", "/a", 200, "{}");
	x.client = false; /* somebody asked us */
	assert_null(take(f, &x));
	assert_int_equal(ww_held_counts(f->held).exchanges, 3);
}

static void test_lists_go_back_in_order_of_arrival(void **state)
{
	struct fixture *f = *state;
	unsigned n = 0;

	for (unsigned i = 0; i < 5; i++) {
		struct ww_exchange x = post("b.test", "/b/1", 202, "");

		x.index = i;
		x.t_last_resp.ns = i == 3 ? 50 : 200 + i; /* the fourth ended long before */
		(void)take(f, &x);
	}
	assert_null(ww_held_newest(f->held, 0));
	for (struct ww_match *m = ww_held_newest(f->held, 1); m; m = m->older) {
		assert_int_equal(m->x->index, 4 - n);
		if (m->older)
			assert_true(m->older->x->arrived.ns <= m->x->arrived.ns);
		n++;
	}
	assert_int_equal(n, 5);
	ww_held_expire(f->held, (struct ww_boot){204});
	assert_int_equal(ww_held_counts(f->held).exchanges, 1);
	assert_int_equal(ww_held_newest(f->held, 1)->x->index, 4);
	assert_int_equal(ww_held_blind_until(f->held).ns, 202);
}

static struct ww_span span(uint32_t pid, uint8_t id, uint8_t parent, enum ww_span_role role)
{
	struct ww_span s = {.role = role};

	s.root.pid = pid;
	s.root.start_ns = 1;
	s.span_id[0] = id;
	s.parent_id[0] = parent;
	s.received.ns = 10;
	return s;
}

static void test_parentage(void **state)
{
	struct fixture *f = *state;
	struct ww_span tool = span(7, 1, 0, WW_SPAN_TOOL), inner = span(7, 2, 1, WW_SPAN_OTHER);
	struct ww_span http = span(7, 3, 2, WW_SPAN_HTTP), nested = span(7, 4, 2, WW_SPAN_TOOL);
	struct ww_span leaf = span(7, 5, 4, WW_SPAN_HTTP), orphan = span(7, 6, 99, WW_SPAN_HTTP);
	struct ww_span circle = span(7, 8, 9, WW_SPAN_OTHER), back = span(7, 9, 8, WW_SPAN_OTHER);
	struct ww_span stranger = span(8, 1, 0, WW_SPAN_TOOL), nobody = span(0, 1, 0, WW_SPAN_TOOL);
	const struct ww_span *all[] = {&leaf,   &http,   &nested, &inner,   &tool,
				       &orphan, &circle, &back,   &stranger};
	struct ww_held_span *up;

	for (unsigned i = 0; i < WW_ARRAY_SIZE(all); i++)
		assert_non_null(ww_held_add_span(f->held, all[i]));
	assert_null(ww_held_add_span(f->held, &nobody));

	up = ww_held_span_up(f->held, http.root, http.trace_id, http.span_id, WW_SPAN_TOOL);
	assert_int_equal(up->key.span_id[0], 1);
	up = ww_held_span_up(f->held, leaf.root, leaf.trace_id, leaf.span_id, WW_SPAN_TOOL);
	assert_int_equal(up->key.span_id[0], 4); /* the nearest one */
	assert_null(ww_held_span_up(f->held, orphan.root, orphan.trace_id, orphan.span_id,
				    WW_SPAN_TOOL));
	assert_null(ww_held_span_up(f->held, circle.root, circle.trace_id, circle.span_id,
				    WW_SPAN_TOOL));
	/* another tree's ids mean nothing here */
	assert_null(
		ww_held_span_up(f->held, stranger.root, http.trace_id, http.span_id, WW_SPAN_TOOL));
	assert_int_equal(ww_held_counts(f->held).spans, 9);
}

static void test_model_spans_by_response(void **state)
{
	struct fixture *f = *state;
	struct ww_span a = span(7, 1, 0, WW_SPAN_MODEL), b = span(8, 2, 0, WW_SPAN_MODEL);
	struct ww_span tool = span(7, 3, 0, WW_SPAN_TOOL);
	const struct ww_held_span *found;

	snprintf(a.response_id, sizeof(a.response_id), "resp-1");
	snprintf(b.response_id, sizeof(b.response_id), "resp-1");
	snprintf(tool.response_id, sizeof(tool.response_id), "resp-2");
	assert_non_null(ww_held_add_span(f->held, &b));
	assert_non_null(ww_held_add_span(f->held, &a));
	assert_non_null(ww_held_add_span(f->held, &tool));
	found = ww_held_span_by_response(f->held, a.root, "resp-1");
	assert_int_equal(found->key.span_id[0], 1);
	assert_null(ww_held_span_by_response(f->held, a.root, "resp-2"));
	assert_null(ww_held_span_by_response(f->held, a.root, ""));
	ww_held_expire(f->held, (struct ww_boot){11});
	assert_null(ww_held_span_by_response(f->held, a.root, "resp-1"));
}

/* To a declared destination, and yet evidence of nothing: what it does is not known. */
static void test_a_message_of_a_websocket(void **state)
{
	struct fixture *f = *state;
	struct ww_exchange x = post("a.test", "", 0, "");

	x.method[0] = '\0';
	x.outcome = WW_X_MESSAGE;
	x.ws.type = WW_WS_TEXT;
	assert_null(take(f, &x));
	assert_int_equal(ww_held_flow_get(f->held, 9)->undecoded, 1);
}

static void test_flows(void **state)
{
	struct fixture *f = *state;
	struct ww_flow flow = {.cookie = 9, .tls = true, .bind = WW_BIND_RANDOM, .exchanges = 3};
	struct ww_exchange x = post("z.test", "/", 200, "");
	struct ww_held_flow *h;

	flow.account[WW_DIR_OUT] = (struct ww_account){.checked = true,
						       .remainder = 90,
						       .overhead = 22,
						       .overhead_max = 44,
						       .handshake = 500,
						       .tickets = 9,
						       .explained = 800};
	flow.account[WW_DIR_IN] = (struct ww_account){.remainder = 90};
	x.req_offset = 100;
	x.req_bytes = 300;
	(void)take(f, &x);
	x.outcome = WW_X_UNPARSED;
	x.req_offset = 0;
	(void)take(f, &x);
	ww_held_update_flow(f->held, &flow, (struct ww_boot){5});
	h = ww_held_flow_get(f->held, 9);
	assert_ptr_equal(ww_held_flows_live(f->held), h);
	assert_int_equal(h->delivered, 2);
	assert_int_equal(h->undecoded, 1);
	assert_int_equal(h->begun, 3);
	assert_int_equal(h->told, 400);
	assert_false(h->torn);
	assert_int_equal(h->spoken, 800);
	assert_int_equal(h->setup[WW_DIR_OUT], 509);
	assert_int_equal(h->unexplained[WW_DIR_OUT], 68); /* less what open reads leave open */
	assert_int_equal(h->unexplained[WW_DIR_IN], 0);   /* not checked: not judged */
	assert_true(h->bound);

	flow.closed = true;
	flow.t_close.ns = 70;
	ww_held_update_flow(f->held, &flow, (struct ww_boot){70});
	assert_null(ww_held_flows_live(f->held));
	assert_ptr_equal(ww_held_flows_closed(f->held), h);
	ww_held_expire(f->held, (struct ww_boot){71});
	assert_null(ww_held_flow_get(f->held, 9));
	assert_int_equal(ww_held_blind_until(f->held).ns, 70);
}

static void test_flow_ceiling(void **state)
{
	struct fixture *f = *state;

	for (uint64_t i = 1; i <= WW_FLOWS_MAX + 3; i++) {
		struct ww_flow flow = {.cookie = i, .closed = i <= 2};

		flow.t_close.ns = i <= 2 ? 40 + i : 0;
		ww_held_update_flow(f->held, &flow, (struct ww_boot){1000 + i});
	}
	assert_int_equal(ww_held_counts(f->held).flows, WW_FLOWS_MAX);
	assert_int_equal(ww_held_counts(f->held).flows_dropped, 3);
	assert_null(ww_held_flow_get(f->held, 1)); /* closed ones first */
	assert_null(ww_held_flow_get(f->held, 2));
	assert_null(ww_held_flow_get(f->held, 3)); /* then the oldest, and that is now */
	assert_true(ww_held_blind_until(f->held).ns > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
		T(test_how_it_stands_under_a_contract),
		T(test_grpc),
		T(test_an_end_told_by_the_close),
		T(test_a_cut_path),
		T(test_every_contract_on_its_own),
		T(test_unread_coding_decides_nothing),
		T(test_what_is_held),
		T(test_lists_go_back_in_order_of_arrival),
		T(test_parentage),
		T(test_model_spans_by_response),
		T(test_a_message_of_a_websocket),
		T(test_flows),
		T(test_flow_ceiling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
