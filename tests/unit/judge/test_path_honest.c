/* SPDX-License-Identifier: Apache-2.0 */
/* What must not be said of a path: every condition by which a good end is only apparent, by name;
 * who must not be believed; bytes that must not be counted. */
#include "../../lib/path_rig.h"

#define US       "198.51.100.7"
#define EU       "203.0.113.7"
#define SG       "192.0.2.7"
#define MIXED    "198.18.0.7" /* listed in two regions */
#define EXPIRED  "198.18.1.7"
#define UNLISTED "9.9.9.9"

#define SPAN_A RIG_TRACE "-00f067aa0ba902b7"
#define SPAN_B RIG_TRACE2 "-01f067aa0ba902b7"
#define SPAN_G RIG_TRACE "-02f067aa0ba902b7"
#define SPAN_H RIG_TRACE "-03f067aa0ba902b7"

static struct rig rig;

static int rig_done(void **state)
{
	rig_close(&rig);
	return 0;
}

/* A request that is answered. */
static void ask(uint64_t ms, uint32_t pid, uint64_t cookie, const char *addr, const char *trace,
		const char *prompt)
{
	rig_connect(&rig, ms, pid, cookie, addr, 443, "api.example", RIG_TLS);
	rig_ask(&rig, ms + 10, cookie, "api.example", trace, prompt);
	rig_reply(&rig, ms + 200, cookie, "r-1");
	rig_stat(&rig, ms + 500, cookie);
}

static void ask_eu(uint64_t ms, uint64_t cookie, const char *trace)
{
	ask(ms, AGENT, cookie, EU, trace, RIG_PROMPT);
}

static json_t *played(const char *verdict, const char *reason, const char *join)
{
	json_t *p;

	rig_play(&rig);
	p = rig_path(&rig);
	rig_expect(p, verdict, reason, join);
	return p;
}

#define WITHIN "WITHIN_POLICY_TO_HORIZON"

/* --- the view -----------------------------------------------------------------------------------
 */

static void inside(void **state)
{
	json_t *p, *l;

	rig_open(&rig, RIG_POLICY);
	ask_eu(100, 1, SPAN_A);
	p = played(WITHIN, "", "EXACT");
	assert_int_equal(json_array_size(json_object_get(p, "open")), 0);
	assert_int_equal(rig_count(&rig, "path"), 1);
	assert_int_equal(rig_count(&rig, "crossing"), 0);
	l = rig_leg(p, 1);
	assert_string_equal(rig_text(l, "requestAcked"), "all");
	assert_true(json_equal(json_object_get(l, "requestBytes"),
			       json_object_get(l, "requestAckedBytes")));
}

static void events_lost(void **state)
{
	rig_open(&rig, RIG_POLICY);
	ask_eu(100, 1, SPAN_A);
	rig_lost(&rig, 150, WW_LOSS_RING_CONTROL);
	played("UNVERIFIABLE", "EVENT_LOSS", NULL);
}

static void not_watched_for_a_while(void **state)
{
	rig_open(&rig, RIG_POLICY);
	ask_eu(100, 1, SPAN_A);
	rig_gap(&rig, 250, 100);
	played("UNVERIFIABLE", "COVERAGE_GAP", NULL);
}

static void unix_socket(void **state)
{
	rig_open(&rig, RIG_POLICY);
	ask_eu(100, 1, SPAN_A);
	rig_unix(&rig, 90, AGENT, "/run/forward.sock");
	played("UNVERIFIABLE", "REMOTE_EXECUTOR", NULL);
}

static void watching_ended(void **state)
{
	rig_open(&rig, RIG_POLICY);
	ask_eu(100, 1, SPAN_A);
	rig.end_ms = 1000;
	played("UNVERIFIABLE", "COVERAGE_GAP", NULL);
}

/* What the cap cut off may have been anything. */
static void request_cut(void **state)
{
	struct ww_event_data *d;
	char text[512];

	rig_open(&rig, RIG_POLICY);
	rig_connect(&rig, 100, AGENT, 1, EU, 443, "api.example", RIG_TLS);
	snprintf(text, sizeof(text),
		 "POST /v1/chat/completions HTTP/1.1\r\nHost: api.example\r\n"
		 "Content-Type: application/json\r\nContent-Length: 150\r\n\r\n"
		 "{\"model\":\"gpt-x\",\"messages\":[{\"role\":\"user\",\"content\":\"hello");
	rig_say(&rig, 110, 1, WW_DIR_OUT, text);
	d = (struct ww_event_data *)rig.ev[rig.count - 2];
	assert_int_equal(d->h.kind, WW_EVENT_DATA);
	d->call_bytes += 93;
	d->requested += 93;
	((struct ww_event_record *)rig.ev[rig.count - 1])->bytes += 93;
	rig_conn(&rig, 1)->plain_bytes[WW_DIR_OUT] += 93;
	rig_conn(&rig, 1)->wire[WW_DIR_OUT] += 93;
	rig_reply(&rig, 300, 1, "r-1");
	rig_stat(&rig, 500, 1);
	played("UNVERIFIABLE", "PLAINTEXT_INCOMPLETE", NULL);
}

/* --- where it went ------------------------------------------------------------------------------
 */

static void listed_in_two_places(void **state)
{
	json_t *p;

	rig_open(&rig, RIG_POLICY);
	ask(100, AGENT, 1, MIXED, SPAN_A, RIG_PROMPT);
	p = played("UNVERIFIABLE", "LABEL_AMBIGUOUS", NULL);
	assert_non_null(rig_finding(p, "LABEL_AMBIGUOUS", 1));
	assert_int_equal(rig_count(&rig, "crossing"), 0);
}

static void listed_once(void **state)
{
	rig_open(&rig, RIG_POLICY);
	ask(100, AGENT, 1, EXPIRED, SPAN_A, RIG_PROMPT);
	played("UNVERIFIABLE", "NO_CONTRACT", NULL);
}

static void unlisted_by_policy(void **state)
{
	rig_open(&rig, RIG_REGIONS "- {name: a, cgroup: \"/agents/*\", allowed_regions: [eu], "
				   "on_unlisted: warn}\n");
	ask(100, AGENT, 1, UNLISTED, SPAN_A, RIG_PROMPT);
	assert_non_null(rig_finding(played(WITHIN, "", NULL), "UNLISTED_DESTINATION", 1));
	rig_close(&rig);
	rig_open(&rig, RIG_REGIONS "- {name: a, cgroup: \"/agents/*\", allowed_regions: [eu], "
				   "on_unlisted: deny}\n");
	ask(100, AGENT, 1, UNLISTED, SPAN_A, RIG_PROMPT);
	played("VIOLATION", "", NULL);
	assert_non_null(rig_crossing(&rig, 1));
}

static void home_is_another_question(void **state)
{
	json_t *p;

	rig_open(&rig, RIG_REGIONS "- {name: a, cgroup: \"/agents/*\", allowed_regions: [eu, us], "
				   "allowed_homes: [DE]}\n");
	ask(100, AGENT, 1, US, SPAN_A, RIG_PROMPT);
	p = played("VIOLATION", "", NULL);
	assert_string_equal(rig_text(rig_finding(p, "OUT_OF_HOME", 1), "home"), "US");
	assert_null(rig_finding(p, "OUT_OF_REGION", 1));
}

static void nobody_asked(void **state)
{
	json_t *p;

	rig_open(&rig, RIG_REGIONS "- {name: a, cgroup: \"/others/*\", allowed_regions: [eu]}\n");
	ask(100, AGENT, 1, US, SPAN_A, RIG_PROMPT);
	p = played("NOT_APPLICABLE", "", NULL);
	assert_true(json_is_null(json_object_get(p, "agent")));
	assert_int_equal(rig_count(&rig, "crossing"), 0);
	rig_close(&rig);
	rig_open(&rig, NULL);
	ask(100, AGENT, 1, US, SPAN_A, RIG_PROMPT);
	played("NOT_APPLICABLE", "", NULL);
	assert_int_equal(rig_count(&rig, "crossing"), 0);
}

/* --- what cannot be read ------------------------------------------------------------------------
 */

static void opaque_to(const char *addr)
{
	rig_connect(&rig, 300, AGENT, 2, addr, 443, "other.example", RIG_OPAQUE);
	rig_say(&rig, 320, 2, WW_DIR_OUT, RIG_PROMPT RIG_PROMPT);
	rig_stat(&rig, 700, 2);
	rig_say(&rig, 900, 2, WW_DIR_OUT, RIG_PROMPT);
	rig_stat(&rig, 1200, 2);
}

static void unread_elsewhere(void **state)
{
	json_t *p, *c;

	rig_open(&rig, RIG_POLICY);
	ask_eu(100, 1, SPAN_A);
	opaque_to(US);
	p = played("UNVERIFIABLE", "TLS_OPAQUE", NULL);
	assert_int_equal(json_integer_value(json_object_get(p, "opaqueTotal")), 1);
	assert_non_null(rig_finding(p, "SIZE_ONLY_COPY", 0));
	assert_int_equal(rig_count(&rig, "crossing"), 1);
	c = rig_crossing(&rig, 2);
	assert_non_null(c);
	/* Told with the first counters that say so, and only of payload. */
	assert_string_equal(rig_text(c, "t"), "2026-09-21T14:13:20.700000000Z");
	assert_int_equal(json_integer_value(json_object_get(c, "payloadBytesAcked")),
			 2 * strlen(RIG_PROMPT) + RIG_FRAMING);
	assert_string_equal(rig_text(c, "requestAcked"), "atLeast");
}

static void unread_inside(void **state)
{
	rig_open(&rig, RIG_POLICY);
	ask_eu(100, 1, SPAN_A);
	opaque_to(EU);
	played(WITHIN, "", NULL);
	assert_int_equal(rig_count(&rig, "crossing"), 0);
}

/* A handshake is no payload, whatever its peer. */
static void handshake_alone(void **state)
{
	json_t *p, *l;

	rig_open(&rig, RIG_POLICY);
	rig_connect(&rig, 50, AGENT, 2, US, 443, "api.example", RIG_OPAQUE);
	rig_stat(&rig, 600, 2);
	rig_end(&rig, 900, 2, WW_CLOSE_FIN_LOCAL);
	ask_eu(100, 1, SPAN_A);
	p = played(WITHIN, "", NULL);
	assert_int_equal(rig_count(&rig, "crossing"), 0);
	assert_int_equal(json_integer_value(json_object_get(p, "opaqueTotal")), 0);
	rig_close(&rig);
	/* Beside it, to the same address: it lost a race. */
	rig_open(&rig, RIG_POLICY);
	rig_connect(&rig, 90, AGENT, 2, EU, 443, "api.example", RIG_REFUSED);
	rig_connect(&rig, 95, AGENT, 3, EU, 443, "api.example", RIG_TLS);
	rig_end(&rig, 99, 3, WW_CLOSE_FIN_LOCAL);
	ask_eu(100, 1, SPAN_A);
	p = played(WITHIN, "", "EXACT");
	l = rig_leg_for(p, "attempt", 0);
	assert_string_equal(rig_text(l, "outcome"), "refused");
	assert_string_equal(rig_text(l, "evidence"), "E0");
	l = rig_leg_for(p, "attempt", 1);
	assert_string_equal(rig_text(l, "outcome"), "attempt");
	assert_string_equal(rig_text(l, "evidence"), "E1");
	assert_null(rig_leg_for(p, "attempt", 2));
}

static void plain_and_datagrams(void **state)
{
	struct ww_event_flow *open;
	struct ww_event_counters *n;
	json_t *p;

	rig_open(&rig, RIG_POLICY);
	ask_eu(100, 1, SPAN_A);
	rig_connect(&rig, 300, AGENT, 2, US, 8080, "", RIG_PLAIN);
	rig_say(&rig, 310, 2, WW_DIR_OUT, "x");
	rig_stat(&rig, 700, 2);
	open = ev_open(rig_ns(300), AGENT, 3, ev_endpoint(US, 5000));
	open->proto = 17;
	open->type = 2;
	open->role = WW_FLOW_SEND;
	rig_put(&rig, open);
	n = ev_counters(WW_EVENT_FLOW_STAT, rig_ns(700), 3, 900, 0);
	n->proto = 17;
	n->peer = ev_endpoint(US, 5000);
	n->bytes_acked = 0;
	rig_put(&rig, n);
	p = played("UNVERIFIABLE", "PLAINTEXT_INCOMPLETE", NULL);
	assert_int_equal(json_integer_value(json_object_get(p, "opaqueTotal")), 2);
	assert_int_equal(rig_count(&rig, "crossing"), 2);
	assert_string_equal(rig_text(rig_crossing(&rig, 3), "requestAcked"), "sent");
	assert_int_equal(
		json_integer_value(json_object_get(rig_crossing(&rig, 2), "payloadBytesAcked")), 1);
}

/* It looks plain, but what would have said that it is TLS may be what was lost. */
static void maybe_a_handshake(void **state)
{
	rig_open(&rig, RIG_POLICY);
	ask_eu(100, 1, SPAN_A);
	rig_lost(&rig, 320, WW_LOSS_RING_CONTROL);
	rig_connect(&rig, 300, AGENT, 2, US, 443, "", RIG_PLAIN);
	rig_say(&rig, 310, 2, WW_DIR_OUT, RIG_PROMPT);
	rig_stat(&rig, 700, 2);
	rig_play(&rig);
	assert_int_equal(rig_count(&rig, "crossing"), 0);
}

/* --- whom to believe ----------------------------------------------------------------------------
 */

/* Another tree has the trace of the agent: in its request, and in a span of its own. */
static void forged_trace(void **state)
{
	json_t *p;

	rig_open(&rig, RIG_POLICY);
	ask_eu(100, 1, SPAN_A);
	ask(150, OTHER, 2, US, SPAN_A, RIG_PROMPT);
	rig_span(&rig, 1000, OTHER, 9, RIG_TRACE, "00f067aa0ba902b7", "us-east-1", "r-1");
	p = played(WITHIN, "", "EXACT");
	assert_int_equal(json_integer_value(json_object_get(p, "legsTotal")), 1);
	assert_int_equal(json_array_size(json_object_get(p, "spans")), 0);
	rig_expect(rig_path_of(&rig, OTHER, 0), "VIOLATION", "", NULL);
}

static void down_to_gateway(uint64_t ms, uint32_t pid, uint64_t cookie, const char *trace,
			    const char *prompt, uint64_t length)
{
	rig_connect(&rig, ms, pid, cookie, "127.0.0.1", 8443, "gateway.local", RIG_TLS);
	rig_accept(&rig, ms + 1, GATEWAY, 1000 + cookie, cookie);
	rig_ask(&rig, ms + 10, cookie, "gateway.local", trace, prompt);
	rig_reply(&rig, ms + length, cookie, "r-1");
	rig_stat(&rig, ms + length + 100, cookie);
}

static void up_from_gateway(uint64_t ms, uint64_t cookie, const char *addr, const char *trace,
			    const char *prompt, uint64_t length)
{
	rig_connect(&rig, ms, GATEWAY, cookie, addr, 443, "api.example", RIG_TLS);
	rig_ask(&rig, ms + 10, cookie, "api.example", trace, prompt);
	rig_reply(&rig, ms + length, cookie, "r-1");
	rig_stat(&rig, ms + length + 100, cookie);
}

#define OTHERS_PROMPT                                                                           \
	"Write a long and friendly letter to all of our suppliers about the new opening hours " \
	"of the warehouse in the second week of December, please."

/* Two callers of a gateway, one with the trace of the other: it goes to the us. */
static void forged_trace_through_gateway(void **state)
{
	json_t *p;

	rig_open(&rig, RIG_POLICY);
	down_to_gateway(100, AGENT, 1, SPAN_A, RIG_PROMPT, 500);
	down_to_gateway(110, OTHER, 2, SPAN_H, OTHERS_PROMPT, 500);
	up_from_gateway(120, 3, EU, SPAN_G, RIG_PROMPT, 300);
	up_from_gateway(130, 4, US, SPAN_G, OTHERS_PROMPT, 300);
	p = played(WITHIN, "", NULL);
	assert_int_equal(json_integer_value(json_object_get(p, "legsTotal")), 2);
	rig_expect(rig_path_of(&rig, OTHER, 0), "VIOLATION", "", NULL);
	rig_close(&rig);
	/* What the caller sent is not read: whose the request to the us is, is not certain. */
	rig_open(&rig, RIG_POLICY);
	down_to_gateway(100, AGENT, 1, SPAN_A, RIG_PROMPT, 500);
	rig_connect(&rig, 105, OTHER, 2, "127.0.0.1", 8443, "gateway.local", RIG_OPAQUE);
	rig_accept(&rig, 106, GATEWAY, 1002, 2);
	rig_say(&rig, 110, 2, WW_DIR_OUT, OTHERS_PROMPT);
	up_from_gateway(130, 4, US, SPAN_G, OTHERS_PROMPT, 300);
	p = played("UNVERIFIABLE", "AMBIGUOUS_JOIN", NULL);
}

/* The same prompt by two trees at once, and no trace: whose is which is not known. */
static void two_alike_of_two_trees(void **state)
{
	json_t *p;

	rig_open(&rig, RIG_POLICY);
	down_to_gateway(100, AGENT, 1, NULL, RIG_PROMPT, 500);
	down_to_gateway(110, OTHER, 2, NULL, RIG_PROMPT, 500);
	up_from_gateway(120, 3, EU, NULL, RIG_PROMPT, 300);
	up_from_gateway(130, 4, US, NULL, RIG_PROMPT, 300);
	p = played("UNVERIFIABLE", "AMBIGUOUS_JOIN", "AMBIGUOUS");
	assert_int_equal(json_integer_value(json_object_get(p, "legsTotal")), 3);
	rig_expect(rig_path_of(&rig, OTHER, 0), "UNVERIFIABLE", "AMBIGUOUS_JOIN", NULL);
	/* The gateway's own request is a path of its own, and no doubt about it. */
	assert_non_null(rig_crossing(&rig, 4));
}

/* A gateway that tries again elsewhere: one request of the agent, two of its own. */
static void gateway_fails_over(void **state)
{
	json_t *p;

	rig_open(&rig, RIG_POLICY);
	down_to_gateway(100, AGENT, 1, NULL, RIG_PROMPT, 900);
	rig_connect(&rig, 120, GATEWAY, 3, EU, 443, "api-eu.example", RIG_TLS);
	rig_ask(&rig, 130, 3, "api-eu.example", NULL, RIG_PROMPT);
	rig_answer(&rig, 200, 3, 503, "{\"error\":{\"message\":\"busy\"}}");
	rig_stat(&rig, 500, 3);
	up_from_gateway(300, 4, SG, NULL, RIG_PROMPT, 300);
	p = played("VIOLATION", "", NULL);
	assert_int_equal(json_integer_value(json_object_get(p, "legsTotal")), 3);
	assert_non_null(rig_finding(p, "DISCLOSED_ON_FAILED_LEG", 2));
	assert_non_null(rig_finding(p, "OUT_OF_REGION", 3));
}

static void gateway_out_of_sight(void **state)
{
	json_t *p;

	rig_open(&rig, RIG_POLICY);
	rig_connect(&rig, 100, AGENT, 1, "127.0.0.1", 8443, "gateway.local", RIG_TLS);
	rig_ask(&rig, 110, 1, "gateway.local", SPAN_A, RIG_PROMPT);
	rig_reply(&rig, 300, 1, "r-1");
	rig_stat(&rig, 500, 1);
	p = played("UNVERIFIABLE", "REMOTE_EXECUTOR", NULL);
	assert_non_null(rig_finding(p, "PROXIED_HORIZON", 1));
	assert_string_equal(rig_text(json_array_get(json_object_get(p, "horizon"), 0), "ends"),
			    "gateway");
	rig_close(&rig);
	/* A private address is nobody's that is known here. */
	rig_open(&rig, RIG_POLICY);
	ask(100, AGENT, 1, "10.9.9.9", SPAN_A, RIG_PROMPT);
	p = played("UNVERIFIABLE", "REMOTE_EXECUTOR", NULL);
	assert_non_null(rig_finding(p, "PROXIED_HORIZON", 1));
}

/* A watched process that answers by itself, and one that sends something on that nobody reads. */
static void model_on_this_host(void **state)
{
	json_t *p;

	rig_open(&rig, RIG_POLICY);
	down_to_gateway(100, AGENT, 1, SPAN_A, RIG_PROMPT, 500);
	p = played(WITHIN, "", NULL);
	assert_string_equal(rig_text(json_array_get(json_object_get(p, "horizon"), 0), "ends"),
			    "host");
	rig_close(&rig);
	rig_open(&rig, RIG_POLICY);
	down_to_gateway(100, AGENT, 1, SPAN_A, RIG_PROMPT, 500);
	rig_connect(&rig, 120, GATEWAY, 2, EU, 443, "api.example", RIG_OPAQUE);
	rig_say(&rig, 130, 2, WW_DIR_OUT, RIG_PROMPT);
	rig_stat(&rig, 400, 2);
	played("UNVERIFIABLE", "REMOTE_EXECUTOR", NULL);
}

/* A proxy was asked for the way: TLS began behind other bytes. */
static void tunnel(void **state)
{
	struct rig_conn *c;
	uint8_t hello[512];
	json_t *p;

	rig_open(&rig, RIG_POLICY);
	c = rig_connect(&rig, 100, AGENT, 1, EU, 3128, "", RIG_PLAIN);
	rig_say(&rig, 105, 1, WW_DIR_OUT, "CONNECT api.example:443 HTTP/1.1\r\n\r\n");
	c->plain = false;
	rig_hello(&rig, 110, c, WW_DIR_OUT, true, hello, rig_client_hello("api.example", 1, hello));
	rig_hello(&rig, 111, c, WW_DIR_IN, false, hello, rig_server_hello(hello));
	rig_record(&rig, 112, c, WW_DIR_OUT, 23, RIG_FINISHED);
	rig_ask(&rig, 120, 1, "api.example", SPAN_A, RIG_PROMPT);
	rig_reply(&rig, 300, 1, "r-1");
	rig_stat(&rig, 500, 1);
	rig_play(&rig);
	p = rig_path(&rig);
	assert_non_null(rig_finding(p, "PROXIED_HORIZON", 1));
	assert_string_equal(rig_text(json_array_get(json_object_get(p, "horizon"), 0), "ends"),
			    "proxy");
}

static void descriptor_passed(void **state)
{
	struct ww_event_flow *ev;

	rig_open(&rig, RIG_POLICY);
	rig_connect(&rig, 100, AGENT, 1, EU, 443, "api.example", RIG_TLS);
	ev = ev_open(rig_ns(105), OTHER, 1, ev_endpoint(EU, 443));
	ev->h.kind = WW_EVENT_FLOW_OWNER;
	rig_put(&rig, ev);
	rig_ask(&rig, 110, 1, "api.example", SPAN_A, RIG_PROMPT);
	rig_reply(&rig, 300, 1, "r-1");
	rig_stat(&rig, 500, 1);
	rig_play(&rig);
	for (unsigned i = 0; i < rig.record_count; i++) {
		assert_string_equal(rig_text(rig.records[i], "verdict"), "UNVERIFIABLE");
		assert_string_equal(rig_text(rig.records[i], "reason"), "ACTOR_UNRESOLVED");
	}
	assert_true(rig_count(&rig, "path") > 0);
}

static void fronted(void **state)
{
	rig_open(&rig, RIG_POLICY);
	rig_connect(&rig, 100, AGENT, 1, EU, 443, "cover.example", RIG_TLS);
	rig_ask(&rig, 110, 1, "hidden.example:443", SPAN_A, RIG_PROMPT);
	rig_reply(&rig, 300, 1, "r-1");
	rig_stat(&rig, 500, 1);
	assert_non_null(rig_finding(played(WITHIN, "", NULL), "AUTHORITY_SNI_MISMATCH", 1));
}

/* --- bytes --------------------------------------------------------------------------------------
 */

/* Of a request that was sent in part, and of that acknowledged in part. */
static void acknowledged_in_part(void **state)
{
	struct rig_conn *c;
	uint64_t before;
	json_t *l;

	rig_open(&rig, RIG_POLICY);
	c = rig_connect(&rig, 100, AGENT, 1, US, 443, "api.example", RIG_TLS);
	before = c->wire[WW_DIR_OUT];
	rig_ask(&rig, 110, 1, "api.example", SPAN_A, RIG_PROMPT);
	rig_counters(&rig, 300, c, WW_EVENT_FLOW_CLOSE, before + 100, WW_CLOSE_RST_PEER);
	l = rig_leg(played("VIOLATION", "", NULL), 1);
	assert_string_equal(rig_text(l, "requestAcked"), "atLeast");
	assert_in_range(json_integer_value(json_object_get(l, "requestAckedBytes")), 1, 100);
	assert_string_equal(rig_text(l, "evidence"), "E2");
	rig_close(&rig);
	/* Nothing but the handshake was. */
	rig_open(&rig, RIG_POLICY);
	c = rig_connect(&rig, 100, AGENT, 1, US, 443, "api.example", RIG_TLS);
	before = c->wire[WW_DIR_OUT];
	rig_ask(&rig, 110, 1, "api.example", SPAN_A, RIG_PROMPT);
	rig_counters(&rig, 300, c, WW_EVENT_FLOW_CLOSE, before, WW_CLOSE_RST_PEER);
	l = rig_leg(played("UNVERIFIABLE", "OUTCOME_UNKNOWN", NULL), 1);
	assert_int_equal(json_integer_value(json_object_get(l, "requestAckedBytes")), 0);
	assert_string_equal(rig_text(l, "evidence"), "E1");
	assert_int_equal(rig_count(&rig, "crossing"), 0);
	rig_close(&rig);
	/* The kernel did not get to send all of it: what it sent is acknowledged. */
	rig_open(&rig, RIG_POLICY);
	c = rig_connect(&rig, 100, AGENT, 1, US, 443, "api.example", RIG_TLS);
	before = c->wire[WW_DIR_OUT];
	rig_ask(&rig, 110, 1, "api.example", SPAN_A, RIG_PROMPT);
	c->wire[WW_DIR_OUT] = before + 150;
	rig_counters(&rig, 300, c, WW_EVENT_FLOW_CLOSE, before + 150, WW_CLOSE_RST_PEER);
	l = rig_leg(played("VIOLATION", "", NULL), 1);
	assert_string_equal(rig_text(l, "requestAcked"), "atLeast");
	assert_in_range(json_integer_value(json_object_get(l, "requestAckedBytes")), 1, 150);
}

/* Two requests on one connection: the second was not acknowledged. */
static void one_connection_for_two(void **state)
{
	struct rig_conn *c;
	uint64_t after;
	json_t *l;

	rig_open(&rig, RIG_POLICY);
	c = rig_connect(&rig, 100, AGENT, 1, EU, 443, "api.example", RIG_TLS);
	rig_ask(&rig, 110, 1, "api.example", SPAN_A, RIG_PROMPT);
	rig_reply(&rig, 200, 1, "r-1");
	after = c->wire[WW_DIR_OUT];
	rig_ask(&rig, 210, 1, "api.example", SPAN_B, OTHERS_PROMPT);
	rig_counters(&rig, 300, c, WW_EVENT_FLOW_CLOSE, after, WW_CLOSE_RST_PEER);
	rig_play(&rig);
	l = rig_leg(rig_path_of(&rig, AGENT, 0), 1);
	assert_string_equal(rig_text(l, "requestAcked"), "all");
	l = rig_leg(rig_path_of(&rig, AGENT, 1), 1);
	assert_int_equal(json_integer_value(json_object_get(l, "requestAckedBytes")), 0);
	assert_string_equal(rig_text(l, "evidence"), "E1");
}

/* --- what belongs together ----------------------------------------------------------------------
 */

static void causes(void **state)
{
	json_t *p;

	rig_open(&rig, RIG_POLICY);
	rig_connect(&rig, 100, AGENT, 1, EU, 443, "a.example", RIG_TLS);
	rig_ask(&rig, 110, 1, "a.example", SPAN_A, RIG_PROMPT);
	rig_answer(&rig, 150, 1, 429, "{\"error\":{\"message\":\"slow down\"}}");
	rig_ask(&rig, 200, 1, "a.example", SPAN_A, RIG_PROMPT);
	rig_answer(&rig, 250, 1, 307, "{}");
	rig_connect(&rig, 290, AGENT, 2, EU, 443, "b.example", RIG_TLS);
	rig_ask(&rig, 300, 2, "b.example", SPAN_A, RIG_PROMPT);
	rig_connect(&rig, 340, AGENT, 3, EU, 443, "c.example", RIG_TLS);
	rig_ask(&rig, 350, 3, "c.example", SPAN_A, RIG_PROMPT);
	rig_reply(&rig, 600, 3, "r-3");
	rig_reply(&rig, 650, 2, "r-2");
	for (uint64_t c = 1; c <= 3; c++)
		rig_stat(&rig, 800, c);
	p = played(WITHIN, "", "EXACT");
	assert_string_equal(rig_text(rig_leg(p, 1), "cause"), "first");
	assert_string_equal(rig_text(rig_leg(p, 2), "cause"), "retry");
	assert_string_equal(rig_text(rig_leg(p, 3), "cause"), "redirect");
	assert_string_equal(rig_text(rig_leg(p, 4), "cause"), "hedge");
	assert_non_null(rig_finding(p, "DISCLOSED_ON_FAILED_LEG", 1));
}

/* Quiet for longer than a path is: the next is another one; then a copy is of either. */
static void said_twice(void **state)
{
	json_t *p;

	rig_open(&rig, RIG_POLICY);
	ask_eu(100, 1, NULL);
	ask_eu(70000, 2, NULL);
	rig.end_ms = 80000;
	rig_play(&rig);
	assert_non_null(rig_path_of(&rig, AGENT, 1));
	assert_null(rig_path_of(&rig, AGENT, 2));
	rig_connect(&rig, 72000, AGENT, 3, US, 443, "traces.example", RIG_TLS);
	rig_post(&rig, 72010, 3, "/v1/traces", "traces.example", NULL,
		 "{\"p\":\"" RIG_PROMPT "\"}");
	rig_answer(&rig, 72100, 3, 200, "{}");
	rig_stat(&rig, 72300, 3);
	rig_play(&rig);
	for (unsigned i = 0; i < 2; i++) {
		p = rig_path_of(&rig, AGENT, i);
		rig_expect(p, "UNVERIFIABLE", "AMBIGUOUS_JOIN", "AMBIGUOUS");
		assert_non_null(rig_leg_for(p, "derived", 0));
	}
	assert_non_null(rig_crossing(&rig, 3));
}

/* Told at once, and again when nothing comes any more; each names the one before. */
static void revisions(void **state)
{
	json_t *p;

	rig_open(&rig, RIG_POLICY);
	ask(100, AGENT, 1, US, SPAN_A, RIG_PROMPT);
	played("VIOLATION", "", "EXACT");
	assert_int_equal(rig_count(&rig, "path"), 2);
	for (unsigned i = 0, n = 0; i < rig.record_count; i++) {
		p = rig.records[i];
		if (strcmp(rig_text(p, "kind"), "path") != 0)
			continue;
		assert_string_equal(rig_text(p, "verdict"), "VIOLATION");
		assert_int_equal(json_integer_value(json_object_get(p, "revision")), ++n);
		if (n == 2)
			assert_int_equal(json_array_size(json_object_get(p, "open")), 0);
		assert_int_equal(strlen(rig_text(p, "supersedes")) > 0, n > 1);
	}
}

/* An agent's turn of many calls is told twice: when it first pauses, and when it is over. */
static void many_calls(void **state)
{
	char body[1024];
	json_t *p;

	rig_open(&rig, RIG_POLICY);
	rig_connect(&rig, 100, AGENT, 1, EU, 443, "api.example", RIG_TLS);
	for (unsigned i = 0; i < 100; i++) {
		uint64_t ms = 200 + 3000 * (uint64_t)i;

		snprintf(
			body, sizeof(body),
			"{\"model\":\"gpt-x\",\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}"
			",{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"c%u\","
			"\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]"
			"}"
			",{\"role\":\"tool\",\"tool_call_id\":\"c%u\",\"content\":\"%u\"}]}",
			RIG_PROMPT, i, i, i);
		rig_post(&rig, ms, 1, "/v1/chat/completions", "api.example", SPAN_A, body);
		rig_reply(&rig, ms + 100, 1, "r-n");
		rig_stat(&rig, ms + 500, 1);
	}
	rig.end_ms = 400000;
	p = played(WITHIN, "", NULL);
	assert_int_equal(rig_count(&rig, "path"), 2);
	assert_int_equal(json_integer_value(json_object_get(p, "legsTotal")), 100);
	assert_true(json_array_size(json_object_get(p, "legs")) >= 24);
	assert_string_equal(rig_text(rig_leg(p, 2), "cause"), "turn");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_teardown(f, rig_done)
	const struct CMUnitTest tests[] = {
		TEST(inside),
		TEST(events_lost),
		TEST(not_watched_for_a_while),
		TEST(unix_socket),
		TEST(watching_ended),
		TEST(request_cut),
		TEST(listed_in_two_places),
		TEST(listed_once),
		TEST(unlisted_by_policy),
		TEST(home_is_another_question),
		TEST(nobody_asked),
		TEST(unread_elsewhere),
		TEST(unread_inside),
		TEST(handshake_alone),
		TEST(plain_and_datagrams),
		TEST(maybe_a_handshake),
		TEST(forged_trace),
		TEST(forged_trace_through_gateway),
		TEST(two_alike_of_two_trees),
		TEST(gateway_fails_over),
		TEST(gateway_out_of_sight),
		TEST(model_on_this_host),
		TEST(tunnel),
		TEST(descriptor_passed),
		TEST(fronted),
		TEST(acknowledged_in_part),
		TEST(one_connection_for_two),
		TEST(causes),
		TEST(said_twice),
		TEST(revisions),
		TEST(many_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
