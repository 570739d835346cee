/* SPDX-License-Identifier: Apache-2.0 */
/* A connection that speaks in frames, beside an action that nothing was joined with. */
#include "scene.h"

/* A turn's span that declares "done"; its tool span says the same. */
static void say_done(struct scene *s, uint64_t from, uint64_t to)
{
	struct ww_span turn = span_of(s, WW_SPAN_AGENT, "", "", WW_SPAN_OK, from, to);
	struct ww_span p = tool_span(s, "c9", WW_SPAN_OK, from + 10, to - 10);

	claim_on(&turn, "cl-9", "refund", "c9", true, to - 5);
	tell(s, &p);
	tell(s, &turn);
}

/* On HTTP/2 every byte is a frame's: what is not read may be a request, however short. */
static void test_unread_frames(void **state)
{
	static const struct {
		uint64_t spoken, read;
		unsigned exchanges;
		bool blocks;
	} rows[] = {
		{345, 345, 1, false}, {345, 332, 1, true}, {33, 33, 0, false}, {46, 33, 0, true}};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		struct scene *s = scene_open();
		struct ww_exchange x = {.cookie = 9,
					.client = true,
					.root = process(AGENT),
					.outcome = WW_X_COMPLETE,
					.status = 200,
					.method = "GET",
					.target = "/",
					.stream = 1,
					.req_bytes = 300};
		struct ww_flow f = {.cookie = 9,
				    .root = process(AGENT),
				    .cgroup = CGROUP,
				    .tls = true,
				    .bind = WW_BIND_RANDOM,
				    .role = WW_FLOW_CONNECT,
				    .bytes_sent = 5000,
				    .exchanges = rows[i].exchanges,
				    .read_out = rows[i].read};

		f.t_open = at_ms(1100);
		f.peer = endpoint("192.0.2.7", 443);
		f.account[WW_DIR_OUT].checked = f.account[WW_DIR_IN].checked = true;
		f.account[WW_DIR_OUT].explained = rows[i].spoken;
		ww_judge_flow(s->judge, &f);
		x.t_first_req = x.t_last_resp = at_ms(1200);
		x.peer = f.peer;
		if (rows[i].exchanges)
			deliver(s, &x, NULL);
		say_done(s, 1000, 2000);
		tick(s, 6000);
		if (rows[i].blocks)
			expect(s, "UNVERIFIABLE", "TLS_OPAQUE", "E0", "NONE");
		else
			expect(s, "NO_ACTION", "", "E0", "NONE");
		scene_close(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unread_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
