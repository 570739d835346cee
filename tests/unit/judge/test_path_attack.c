/* SPDX-License-Identifier: Apache-2.0 */
/* Ways out that look as if nothing had gone out, and what only looks as if something had. */
#include "../../lib/path_rig.h"
#include "../proto/dns_messages.h"
#include "join/legs.h"

#define US "198.51.100.7"
#define EU "203.0.113.7"

#define UNLISTED "9.9.9.9"

#define SPAN_A RIG_TRACE "-00f067aa0ba902b7"
#define SPAN_B RIG_TRACE2 "-01f067aa0ba902b7"
#define SPAN_G RIG_TRACE "-02f067aa0ba902b7"

#define WITHIN "WITHIN_POLICY_TO_HORIZON"

static struct rig rig;

static int rig_done(void **state)
{
	rig_close(&rig);
	return 0;
}

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

/* No revision of any path of this process says so. */
static void never(uint32_t pid, const char *verdict)
{
	char actor[32];

	snprintf(actor, sizeof(actor), "p%u-", pid);
	for (unsigned i = 0; i < rig.record_count; i++) {
		json_t *r = rig.records[i];

		if (strcmp(rig_text(r, "kind"), "path") == 0 &&
		    strncmp(rig_text(r, "actor"), actor, strlen(actor)) == 0 &&
		    strcmp(rig_text(r, "verdict"), verdict) == 0)
			fail_msg("%s", rig_text(r, "summary"));
	}
	assert_non_null(rig_path_of(&rig, pid, 0));
}

/* --- sockets ------------------------------------------------------------------------------------
 */

/* One-way datagrams that begin like QUIC: nobody need answer to have them. */
static struct ww_event_counters *datagrams(uint64_t cookie, uint16_t port, uint64_t bytes)
{
	struct ww_event_flow *open = ev_open(rig_ns(300), AGENT, cookie, ev_endpoint(US, port));
	struct ww_event_counters *n;

	open->proto = 17;
	open->type = 2;
	rig_put(&rig, open);
	n = ev_counters(WW_EVENT_FLOW_STAT, rig_ns(700), cookie, bytes, 0);
	n->proto = 17;
	n->peer = ev_endpoint(US, port);
	n->bytes_acked = 0;
	rig_put(&rig, n);
	return n;
}

static void quic_without_answer(void **state)
{
	static const uint8_t initial[48] = {0xc3, 0, 0, 0, 1, 8, 1, 2, 3, 4, 5, 6, 7, 8};
	struct ww_event_packet *p;

	rig_open(&rig, RIG_POLICY);
	ask_eu(100, 1, SPAN_A);
	datagrams(2, 443, 60000);
	p = ev_packet(rig_ns(310), AGENT, 2, 17, WW_DIR_OUT, 0, initial, sizeof(initial));
	p->peer = ev_endpoint(US, 443);
	p->what = WW_PACKET_QUIC;
	rig_put(&rig, p);
	rig_play(&rig);
	never(AGENT, WITHIN);
}

/* It was opened while its peer was listed, and used when the row had expired. */
static void row_that_expires(void **state)
{
	const uint64_t later = 10 * 3600 * 1000; /* the next day */

	rig_open(&rig, RIG_POLICY);
	rig_connect(&rig, 50, AGENT, 1, "198.18.2.7", 443, "other.example", RIG_OPAQUE);
	rig_say(&rig, 60, 1, WW_DIR_OUT, RIG_PROMPT);
	rig_stat(&rig, 70, 1);
	ask_eu(100, 2, SPAN_A);
	ask_eu(later, 3, SPAN_B);
	rig_say(&rig, later + 20, 1, WW_DIR_OUT, RIG_PROMPT RIG_PROMPT);
	rig_stat(&rig, later + 500, 1);
	rig.end_ms = later + 8000;
	rig_play(&rig);
	rig_expect(rig_path_of(&rig, AGENT, 0), WITHIN, "", NULL);
	rig_expect(rig_path_of(&rig, AGENT, 1), "UNVERIFIABLE", "TLS_OPAQUE", NULL);
}

/* A cipher whose framing is not known. */
static void unknown_cipher(void **state)
{
	struct ww_event_hello *h;

	rig_open(&rig, RIG_POLICY);
	ask_eu(100, 1, SPAN_A);
	rig_connect(&rig, 300, AGENT, 2, US, 443, "other.example", RIG_OPAQUE);
	for (unsigned i = 0; i < rig.count; i++) {
		h = (struct ww_event_hello *)rig.ev[i];
		if (h->h.kind == WW_EVENT_TLS_HELLO && h->h.cookie == 2 && !h->client)
			h->bytes[45] = 0x77; /* none that is known */
	}
	rig_say(&rig, 320, 2, WW_DIR_OUT, RIG_PROMPT RIG_PROMPT RIG_PROMPT);
	rig_stat(&rig, 700, 2);
	rig_play(&rig);
	never(AGENT, WITHIN);
}

/* It looks like TLS for one record, and like nothing after that. */
static void hello_and_then_anything(void **state)
{
	struct rig_conn *c;
	uint8_t hello[512];

	rig_open(&rig, RIG_POLICY);
	ask_eu(100, 1, SPAN_A);
	c = rig_connect(&rig, 300, AGENT, 2, US, 443, "", RIG_PLAIN);
	c->plain = false;
	rig_hello(&rig, 305, c, WW_DIR_OUT, true, hello, rig_client_hello("a.example", 2, hello));
	c->plain = true;
	rig_say(&rig, 320, 2, WW_DIR_OUT, RIG_PROMPT);
	rig_stat(&rig, 700, 2);
	rig_play(&rig);
	never(AGENT, WITHIN);
}

/* What the peer had and the kernel did not hear of. */
static void sent_and_not_acknowledged(void **state)
{
	struct rig_conn *c;
	uint64_t before;

	rig_open(&rig, RIG_POLICY);
	ask_eu(100, 1, SPAN_A);
	c = rig_connect(&rig, 300, AGENT, 2, US, 443, "other.example", RIG_OPAQUE);
	before = c->wire[WW_DIR_OUT];
	rig_say(&rig, 320, 2, WW_DIR_OUT, RIG_PROMPT RIG_PROMPT);
	rig_counters(&rig, 400, c, WW_EVENT_FLOW_CLOSE, before, WW_CLOSE_RST_PEER);
	rig_play(&rig);
	never(AGENT, WITHIN);
	assert_int_equal(rig_count(&rig, "crossing"), 0);
}

/* Port 53 makes no DNS of it. */
static void port_of_dns(void **state)
{
	rig_open(&rig, RIG_POLICY);
	ask_eu(100, 1, SPAN_A);
	rig_connect(&rig, 300, AGENT, 2, US, 53, "", RIG_PLAIN);
	rig_say(&rig, 310, 2, WW_DIR_OUT, RIG_PROMPT RIG_PROMPT RIG_PROMPT RIG_PROMPT RIG_PROMPT);
	rig_stat(&rig, 700, 2);
	rig_play(&rig);
	never(AGENT, WITHIN);
	assert_non_null(rig_crossing(&rig, 2));
}

static void tls_on_port_of_dns(void **state)
{
	rig_open(&rig, RIG_POLICY);
	ask_eu(100, 1, SPAN_A);
	rig_connect(&rig, 300, AGENT, 2, US, 53, "other.example", RIG_OPAQUE);
	rig_say(&rig, 310, 2, WW_DIR_OUT, RIG_PROMPT RIG_PROMPT RIG_PROMPT);
	rig_stat(&rig, 700, 2);
	rig_play(&rig);
	never(AGENT, WITHIN);
	assert_non_null(rig_crossing(&rig, 2));
}

/* A handshake, and the alert by which TLS says good-bye. */
static void good_bye(void **state)
{
	struct rig_conn *c;

	rig_open(&rig, RIG_POLICY);
	ask_eu(100, 1, SPAN_A);
	c = rig_connect(&rig, 300, AGENT, 2, US, 443, "other.example", RIG_OPAQUE);
	rig_record(&rig, 320, c, WW_DIR_OUT, 23, 24);
	rig_end(&rig, 400, 2, WW_CLOSE_FIN_LOCAL);
	rig_play(&rig);
	assert_int_equal(rig_count(&rig, "crossing"), 0);
	rig_expect(rig_path(&rig), WITHIN, "", NULL);
}

/* The last record of the handshake was sent, and its event lost. */
static void finished_unseen(void **state)
{
	struct rig_conn *c;

	rig_open(&rig, RIG_POLICY);
	ask_eu(100, 1, SPAN_A);
	c = rig_connect(&rig, 300, AGENT, 2, US, 443, "other.example", RIG_OPAQUE);
	free(rig.ev[--rig.count]);
	assert_int_equal(c->records[WW_DIR_OUT], 2);
	rig_stat(&rig, 310, 2);
	rig_lost(&rig, 390, WW_LOSS_RING_CONTROL);
	rig_play(&rig);
	assert_int_equal(rig_count(&rig, "crossing"), 0);
}

/* Sent, and then the socket was given to another tree. */
static void given_away(void **state)
{
	struct ww_event_flow *ev;

	rig_open(&rig, RIG_POLICY);
	ask_eu(100, 1, SPAN_A);
	rig_connect(&rig, 300, AGENT, 2, US, 443, "other.example", RIG_OPAQUE);
	rig_say(&rig, 320, 2, WW_DIR_OUT, RIG_PROMPT RIG_PROMPT);
	rig_stat(&rig, 700, 2);
	ev = ev_open(rig_ns(800), OTHER, 2, ev_endpoint(US, 443));
	ev->h.kind = WW_EVENT_FLOW_OWNER;
	rig_put(&rig, ev);
	rig_play(&rig);
	never(AGENT, WITHIN);
}

/* --- requests -----------------------------------------------------------------------------------
 */

static const char *query(const char *prompt)
{
	static char out[2048];
	size_t n = 0;

	for (; *prompt && n < sizeof(out) - 4; prompt++)
		out[n++] = *prompt == ' ' ? '+' : *prompt;
	out[n] = '\0';
	return out;
}

/* A search: the prompt is in the query. */
static void in_the_target(void **state)
{
	char text[4096];

	rig_open(&rig, RIG_POLICY);
	ask_eu(100, 1, SPAN_A);
	rig_connect(&rig, 400, AGENT, 2, US, 443, "search.example", RIG_TLS);
	snprintf(text, sizeof(text), "GET /search?q=%s HTTP/1.1\r\nHost: search.example\r\n\r\n",
		 query(RIG_PROMPT));
	rig_say(&rig, 410, 2, WW_DIR_OUT, text);
	rig_answer(&rig, 500, 2, 200, "{}");
	rig_stat(&rig, 700, 2);
	rig_play(&rig);
	never(AGENT, WITHIN);
}

static void in_a_header(void **state)
{
	json_t *opaque;
	char text[4096];

	rig_open(&rig, RIG_POLICY);
	ask_eu(100, 1, SPAN_A);
	rig_connect(&rig, 400, AGENT, 2, US, 443, "search.example", RIG_TLS);
	snprintf(text, sizeof(text),
		 "GET /search HTTP/1.1\r\nHost: search.example\r\nX-Query: %s\r\n\r\n", RIG_PROMPT);
	rig_say(&rig, 410, 2, WW_DIR_OUT, text);
	rig_answer(&rig, 500, 2, 200, "{}");
	rig_stat(&rig, 700, 2);
	rig_play(&rig);
	never(AGENT, WITHIN);
	rig_expect(rig_path(&rig), "UNVERIFIABLE", "PLAINTEXT_INCOMPLETE", NULL);
	opaque = json_array_get(json_object_get(rig_path(&rig), "opaque"), 0);
	assert_string_equal(rig_text(opaque, "why"), "field");
}

/* What says who asks is no room for a copy, or hardly any call to another service would be read. */
static void long_token(void **state)
{
	char text[4096], token[512];

	memset(token, 'x', sizeof(token) - 1);
	token[sizeof(token) - 1] = '\0';
	rig_open(&rig, RIG_POLICY);
	ask_eu(100, 1, SPAN_A);
	rig_connect(&rig, 400, AGENT, 2, US, 443, "search.example", RIG_TLS);
	snprintf(text, sizeof(text),
		 "GET /search HTTP/1.1\r\nHost: search.example\r\nUser-Agent: "
		 "python-requests/2.31.0\r\n"
		 "Authorization: Bearer %s\r\nAccept-Encoding: gzip, deflate\r\n\r\n",
		 token);
	rig_say(&rig, 410, 2, WW_DIR_OUT, text);
	rig_answer(&rig, 500, 2, 200, "{}");
	rig_stat(&rig, 700, 2);
	rig_play(&rig);
	rig_expect(rig_path(&rig), WITHIN, "", NULL);
}

/* A request that has not come to its end when the path is told, or ever. */
static void not_ended(void **state)
{
	rig_open(&rig, RIG_POLICY);
	ask_eu(100, 1, SPAN_A);
	rig_connect(&rig, 400, AGENT, 2, US, 443, "stream.example", RIG_TLS);
	rig_say(&rig, 410, 2, WW_DIR_OUT,
		"POST /in HTTP/1.1\r\nHost: stream.example\r\nContent-Length: 100000\r\n\r\n"
		"{\"p\":\"" RIG_PROMPT "\"");
	rig_stat(&rig, 700, 2);
	rig_play(&rig);
	never(AGENT, WITHIN);
}

/* Before the model was asked: that it was the prompt is known only after that. */
static void before_the_prompt(void **state)
{
	rig_open(&rig, RIG_POLICY);
	rig_connect(&rig, 50, AGENT, 2, US, 443, "vectors.example", RIG_TLS);
	rig_post(&rig, 60, 2, "/query", "vectors.example", NULL, "{\"near\":\"" RIG_PROMPT "\"}");
	rig_answer(&rig, 90, 2, 200, "{}");
	rig_stat(&rig, 95, 2);
	ask_eu(100, 1, SPAN_A);
	rig_play(&rig);
	never(AGENT, WITHIN);
}

/* It ended while the model was still answering, so that nothing of a prompt was known. */
static void beside_the_prompt(void **state)
{
	rig_open(&rig, RIG_POLICY);
	rig_connect(&rig, 100, AGENT, 1, EU, 443, "api.example", RIG_TLS);
	rig_ask(&rig, 110, 1, "api.example", SPAN_A, RIG_PROMPT);
	rig_connect(&rig, 120, AGENT, 2, US, 443, "guard.example", RIG_TLS);
	rig_post(&rig, 130, 2, "/check", "guard.example", NULL, "{\"text\":\"" RIG_PROMPT "\"}");
	rig_answer(&rig, 160, 2, 200, "{}");
	rig_stat(&rig, 180, 2);
	rig_reply(&rig, 2000, 1, "r-1");
	rig_stat(&rig, 2100, 1);
	rig_play(&rig);
	never(AGENT, WITHIN);
	rig_expect(rig_path(&rig), "VIOLATION", "", NULL);
}

/* Words that no other text with another `seed` has. */
static void make_words(uint32_t seed, char *out, size_t bytes)
{
	uint32_t x = 12345 + 7919 * seed;

	for (size_t n = 0; n < bytes; n++) {
		x = x * 1664525 + 1013904223;
		out[n] = (char)((x >> 24) % 6 ? 'a' + (x >> 16) % 26 : ' ');
	}
	out[bytes] = '\0';
}

/* A batch with more prompts than one request was looked through for. */
static void batch_of_prompts(void **state)
{
	char prompt[201], batch[20000] = "{\"spans\":[\"\"";
	unsigned within = 0;

	rig_open(&rig, RIG_POLICY);
	for (unsigned i = 0; i < 24; i++) {
		make_words(i, prompt, sizeof(prompt) - 1);
		rig_connect(&rig, 100 + i, AGENT, 1 + i, EU, 443, "api.example", RIG_TLS);
		rig_ask(&rig, 130 + i, 1 + i, "api.example", NULL, prompt);
		rig_reply(&rig, 200 + i, 1 + i, "r-1");
		rig_stat(&rig, 300 + i, 1 + i);
		snprintf(batch + strlen(batch), sizeof(batch) - strlen(batch), ",\"%s\"%s", prompt,
			 i == 23 ? "]}" : "");
	}
	rig_connect(&rig, 400, AGENT, 60, US, 443, "traces.example", RIG_TLS);
	rig_post(&rig, 420, 60, "/v1/traces", "traces.example", NULL, batch);
	rig_answer(&rig, 450, 60, 200, "{}");
	rig_stat(&rig, 500, 60);
	rig_play(&rig);
	for (unsigned i = 0; i < 24; i++) {
		json_t *p = rig_path_of(&rig, AGENT, i);

		assert_non_null(p);
		within += strcmp(rig_text(p, "verdict"), WITHIN) == 0;
	}
	assert_int_equal(within, 0);
}

static char words[32400];

static void ask_long(uint64_t ms, uint64_t cookie, const char *prompt)
{
	static char text[40000];

	rig_connect(&rig, ms, AGENT, cookie, EU, 443, "api.example", RIG_TLS);
	snprintf(text, sizeof(text),
		 "{\"model\":\"gpt-x\",\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}]}",
		 prompt);
	rig_post(&rig, ms + 10, cookie, "/v1/chat/completions", "api.example", NULL, text);
	rig_reply(&rig, ms + 30, cookie, "r-1");
	rig_stat(&rig, ms + 40, cookie);
}

/* Others push it out of what is remembered, and then it is copied. */
static void pushed_out(void **state)
{
	rig_open(&rig, RIG_POLICY);
	ask_long(100, 1, RIG_PROMPT);
	for (unsigned i = 0; i < 12; i++) {
		make_words(i, words, sizeof(words) - 1);
		ask_long(200 + 50 * i, 2 + i, words);
	}
	rig_connect(&rig, 1000, AGENT, 40, US, 443, "traces.example", RIG_TLS);
	rig_post(&rig, 1020, 40, "/v1/traces", "traces.example", NULL,
		 "{\"p\":\"" RIG_PROMPT "\"}");
	rig_answer(&rig, 1050, 40, 200, "{}");
	rig_stat(&rig, 1100, 40);
	rig_play(&rig);
	assert_string_not_equal(rig_text(rig_path_of(&rig, AGENT, 0), "verdict"), WITHIN);
}

/* What eight texts have is of none of them, and then the first is copied. */
static void made_common(void **state)
{
	char text[512];

	rig_open(&rig, RIG_POLICY);
	ask_long(100, 1, RIG_PROMPT);
	for (unsigned i = 0; i < 9; i++) {
		snprintf(text, sizeof(text), RIG_PROMPT " %u%u%u and what %c%c does", i, i, i,
			 'a' + (int)i, 'k' + (int)i);
		ask_long(200 + 50 * i, 2 + i, text);
	}
	rig_connect(&rig, 1000, AGENT, 40, US, 443, "traces.example", RIG_TLS);
	rig_post(&rig, 1020, 40, "/v1/traces", "traces.example", NULL,
		 "{\"p\":\"" RIG_PROMPT "\"}");
	rig_answer(&rig, 1050, 40, 200, "{}");
	rig_stat(&rig, 1100, 40);
	rig_play(&rig);
	assert_string_not_equal(rig_text(rig_path_of(&rig, AGENT, 0), "verdict"), WITHIN);
}

/* Beyond what of it is remembered. */
static void end_of_a_long_one(void **state)
{
	static char body[40000];

	rig_open(&rig, RIG_POLICY);
	make_words(1, words, sizeof(words) - 1);
	ask_long(100, 1, words);
	snprintf(body, sizeof(body), "{\"p\":\"%s\"}", words + 25000);
	rig_connect(&rig, 300, AGENT, 2, US, 443, "traces.example", RIG_TLS);
	rig_post(&rig, 320, 2, "/v1/traces", "traces.example", NULL, body);
	rig_answer(&rig, 350, 2, 200, "{}");
	rig_stat(&rig, 400, 2);
	rig_play(&rig);
	never(AGENT, WITHIN);
}

/* --- names --------------------------------------------------------------------------------------
 */

static void ask_name(uint64_t ms, uint64_t cookie, const char *addr, const char *name)
{
	rig_connect(&rig, ms, AGENT, cookie, addr, 443, name, RIG_TLS);
	rig_ask(&rig, ms + 10, cookie, name, SPAN_A, RIG_PROMPT);
	rig_reply(&rig, ms + 200, cookie, "r-1");
	rig_stat(&rig, ms + 500, cookie);
}

/* An allowed name, said to an address that nobody lists. */
static void name_that_is_said(void **state)
{
	json_t *l;

	rig_open(&rig, RIG_POLICY);
	ask_name(100, 1, UNLISTED, "api.eu.example");
	rig_play(&rig);
	never(AGENT, WITHIN);
	rig_expect(rig_path(&rig), "UNVERIFIABLE", "NO_CONTRACT", NULL);
	l = json_object_get(rig_leg(rig_path(&rig), 1), "place");
	assert_string_equal(rig_text(l, "region"), "unlisted");
	assert_int_equal(rig_count(&rig, "crossing"), 0);
}

/* The address was given for it, by an answer that was seen. */
static void name_that_was_told(void **state)
{
	struct dns_message q = dns_make(7, false, "api.eu.example", WW_DNS_A);
	struct dns_message a = dns_make(7, true, "api.eu.example", WW_DNS_A);

	dns_add_a(&a, "api.eu.example", 60, UNLISTED);
	rig_open(&rig, RIG_POLICY);
	rig_put(&rig, ev_packet(rig_ns(50), AGENT, 9, 17, WW_DIR_OUT, 0, q.bytes, q.n));
	rig_put(&rig, ev_packet(rig_ns(60), AGENT, 9, 17, WW_DIR_IN, 0, a.bytes, a.n));
	ask_name(100, 1, UNLISTED, "api.eu.example");
	rig_play(&rig);
	rig_expect(rig_path(&rig), WITHIN, "", NULL);
}

/* Who says the name of a place that is not allowed is taken at his word. */
static void forbidden_name_that_is_said(void **state)
{
	rig_open(&rig, RIG_POLICY);
	ask_name(100, 1, UNLISTED, "api.us.example");
	rig_play(&rig);
	rig_expect(rig_path(&rig), "VIOLATION", "", NULL);
}

/* --- paths --------------------------------------------------------------------------------------
 */

/* The same prompt in two traces, and once more without one: of which it is, is not known. */
static void untraced_of_two(void **state)
{
	rig_open(&rig, RIG_POLICY);
	ask(100, AGENT, 1, EU, SPAN_A, RIG_PROMPT);
	ask(110, AGENT, 2, EU, SPAN_B, RIG_PROMPT);
	ask(400, AGENT, 3, US, NULL, RIG_PROMPT);
	rig_play(&rig);
	never(AGENT, WITHIN);
	never(AGENT, "VIOLATION");
	assert_non_null(rig_crossing(&rig, 3));
}

/* So many rounds with the model that no more legs are kept, and then it goes elsewhere. */
static void behind_many_rounds(void **state)
{
	json_t *p;

	rig_open(&rig, RIG_POLICY);
	rig_connect(&rig, 100, AGENT, 1, EU, 443, "api.example", RIG_TLS);
	for (unsigned i = 0; i < WW_LEGS_OF_PATH_MAX + 8; i++) {
		rig_ask(&rig, 110 + 10 * i, 1, "api.example", SPAN_A, RIG_PROMPT);
		rig_reply(&rig, 115 + 10 * i, 1, "r-1");
	}
	rig_stat(&rig, 5500, 1);
	ask(5600, AGENT, 2, US, SPAN_A, RIG_PROMPT);
	rig_play(&rig);
	p = rig_path(&rig);
	rig_expect(p, "VIOLATION", "", NULL);
	assert_true(json_integer_value(json_object_get(p, "legsTotal")) > WW_LEGS_OF_PATH_MAX);
}

/* The provider that it fails over to gets less of the history. */
static void other_history(void **state)
{
	rig_open(&rig, RIG_POLICY);
	rig_connect(&rig, 100, AGENT, 1, EU, 443, "api.example", RIG_TLS);
	rig_post(&rig, 110, 1, "/v1/chat/completions", "api.example", NULL,
		 "{\"model\":\"gpt-x\",\"messages\":[{\"role\":\"user\",\"content\":\"hello\"},"
		 "{\"role\":\"assistant\",\"content\":\"hi\"},"
		 "{\"role\":\"user\",\"content\":\"" RIG_PROMPT "\"}]}");
	rig_answer(&rig, 200, 1, 503, "{\"error\":{\"message\":\"busy\"}}");
	rig_stat(&rig, 250, 1);
	ask(300, AGENT, 2, US, NULL, RIG_PROMPT);
	rig_play(&rig);
	never(AGENT, WITHIN);
}

/* A gateway that keeps a log of what it is asked, far away. */
static void gateway_exports(void **state)
{
	rig_open(&rig, RIG_POLICY);
	rig_connect(&rig, 100, AGENT, 1, "127.0.0.1", 8443, "gateway.local", RIG_TLS);
	rig_accept(&rig, 101, GATEWAY, 1001, 1);
	rig_ask(&rig, 110, 1, "gateway.local", SPAN_A, RIG_PROMPT);
	rig_connect(&rig, 112, GATEWAY, 2, EU, 443, "api-eu.example", RIG_TLS);
	rig_ask(&rig, 120, 2, "api-eu.example", SPAN_G, RIG_PROMPT);
	rig_reply(&rig, 400, 2, "r-up");
	rig_reply(&rig, 410, 1, "r-up");
	rig_stat(&rig, 500, 1);
	rig_stat(&rig, 500, 2);
	rig_connect(&rig, 600, GATEWAY, 3, US, 443, "logs.example", RIG_TLS);
	rig_post(&rig, 620, 3, "/v1/logs", "logs.example", NULL, "{\"p\":\"" RIG_PROMPT "\"}");
	rig_answer(&rig, 650, 3, 200, "{}");
	rig_stat(&rig, 800, 3);
	rig_play(&rig);
	never(AGENT, WITHIN);
}

/* A connection beside that of the gateway that nobody answered. */
static void gateway_tries_two_addresses(void **state)
{
	rig_open(&rig, RIG_POLICY);
	rig_connect(&rig, 100, AGENT, 1, "127.0.0.1", 8443, "gateway.local", RIG_TLS);
	rig_accept(&rig, 101, GATEWAY, 1001, 1);
	rig_ask(&rig, 110, 1, "gateway.local", SPAN_A, RIG_PROMPT);
	rig_connect(&rig, 111, GATEWAY, 3, EU, 443, "api-eu.example", RIG_REFUSED);
	rig_connect(&rig, 112, GATEWAY, 2, EU, 443, "api-eu.example", RIG_TLS);
	rig_ask(&rig, 120, 2, "api-eu.example", SPAN_G, RIG_PROMPT);
	rig_reply(&rig, 400, 2, "r-up");
	rig_reply(&rig, 410, 1, "r-up");
	rig_stat(&rig, 500, 1);
	rig_stat(&rig, 500, 2);
	rig_play(&rig);
	rig_expect(rig_path(&rig), WITHIN, "", NULL);
	assert_non_null(rig_leg_for(rig_path(&rig), "attempt", 0));
}

/* A process of this host that was asked, and hands on over a unix socket, in a scope of its own. */
static void host_of_another_scope(void **state)
{
	struct ww_event_scope *scope;
	struct ww_event_coverage *cover;

	rig_open(&rig, RIG_POLICY);
	scope = ev_make(sizeof(*scope), WW_EVENT_SCOPE, rig_ns(0), 0, 0);
	scope->h.cpu = WW_EVENT_CPU_USER;
	scope->h.cgroup = 78;
	scope->entered = 1;
	scope->path_bytes = (uint32_t)strlen("/gateways/one");
	memcpy(scope->path, "/gateways/one", scope->path_bytes);
	rig_put(&rig, scope);
	cover = ev_make(sizeof(*cover), WW_EVENT_COVERAGE, rig_ns(0), 0, 0);
	cover->h.cpu = WW_EVENT_CPU_USER;
	cover->h.cgroup = 78;
	cover->what = WW_COVERAGE_SOCKETS;
	cover->status = WW_PROBE_ATTACHED;
	cover->detail = 31;
	rig_put(&rig, cover);
	rig_connect(&rig, 100, AGENT, 1, "127.0.0.1", 8443, "gateway.local", RIG_TLS);
	rig_accept(&rig, 101, GATEWAY, 1001, 1);
	rig.ev[rig.count - 1]->cgroup = 78;
	rig_ask(&rig, 110, 1, "gateway.local", SPAN_A, RIG_PROMPT);
	rig_unix(&rig, 120, GATEWAY, "/run/forward.sock");
	rig.ev[rig.count - 1]->cgroup = 78;
	rig_reply(&rig, 410, 1, "r-up");
	rig_stat(&rig, 500, 1);
	rig_play(&rig);
	never(AGENT, WITHIN);
}

/* --- bytes --------------------------------------------------------------------------------------
 */

/* Bytes that no hook saw are no part of the request. */
static void hidden_bytes_are_not_the_request(void **state)
{
	struct rig_conn *c;
	uint64_t before;
	json_t *l;

	rig_open(&rig, RIG_POLICY);
	c = rig_connect(&rig, 100, AGENT, 1, US, 443, "api.example", RIG_TLS);
	rig_record(&rig, 104, c, WW_DIR_OUT, 23, 4000);
	rig_stat(&rig, 105, 1);
	before = c->wire[WW_DIR_OUT];
	rig_ask(&rig, 110, 1, "api.example", SPAN_A, RIG_PROMPT);
	c->wire[WW_DIR_OUT] = before;
	rig_counters(&rig, 300, c, WW_EVENT_FLOW_CLOSE, before, WW_CLOSE_RST_PEER);
	rig_play(&rig);
	l = rig_leg(rig_path(&rig), 1);
	assert_int_equal(json_integer_value(json_object_get(l, "requestAckedBytes")), 0);
}

/* The peer was tired of waiting, and hung up before anything of the request was there. */
static void answered_before_it_was_asked(void **state)
{
	struct rig_conn *c;
	uint64_t before;

	for (unsigned seen = 0; seen < 2; seen++) {
		rig_open(&rig, RIG_POLICY);
		c = rig_connect(&rig, 100, AGENT, 1, US, 443, "api.example", RIG_TLS);
		before = c->wire[WW_DIR_OUT];
		rig_ask(&rig, 110, 1, "api.example", SPAN_A, RIG_PROMPT);
		rig_answer(&rig, 120, 1, 408, "");
		if (seen)
			rig_counters(&rig, 115, c, WW_EVENT_FLOW_STAT, before, 0);
		rig_counters(&rig, 300, c, WW_EVENT_FLOW_CLOSE, before, WW_CLOSE_RST_PEER);
		rig_play(&rig);
		never(AGENT, "VIOLATION");
		never(AGENT, WITHIN);
		assert_int_equal(json_integer_value(json_object_get(rig_leg(rig_path(&rig), 1),
								    "requestAckedBytes")),
				 0);
		if (!seen)
			rig_close(&rig);
	}
}

/* Read by a hook, of a cipher whose framing is not known: the handshake is no payload. */
static void unchecked_handshake(void **state)
{
	struct ww_event_hello *h;
	struct rig_conn *c;
	uint64_t before;

	rig_open(&rig, RIG_POLICY);
	c = rig_connect(&rig, 100, AGENT, 1, US, 443, "api.example", RIG_TLS);
	for (unsigned i = 0; i < rig.count; i++) {
		h = (struct ww_event_hello *)rig.ev[i];
		if (h->h.kind == WW_EVENT_TLS_HELLO && h->h.cookie == 1 && !h->client)
			h->bytes[45] = 0x77;
	}
	before = c->wire[WW_DIR_OUT];
	rig_post(&rig, 110, 1, "/x", "a", NULL, "{}");
	c->wire[WW_DIR_OUT] = before; /* not sent: there was no room in the peer's window */
	rig_counters(&rig, 300, c, WW_EVENT_FLOW_CLOSE, before, WW_CLOSE_RST_PEER);
	ask_eu(400, 2, SPAN_A);
	rig_play(&rig);
	assert_int_equal(rig_count(&rig, "crossing"), 0);
}

/* A gateway of two callers, and one of them is not read: its request has the same trace and prompt.
 */
static void known_to_another_caller(void **state)
{
	rig_open(&rig, RIG_POLICY);
	rig_connect(&rig, 100, AGENT, 1, "127.0.0.1", 8443, "gateway.local", RIG_TLS);
	rig_accept(&rig, 101, GATEWAY, 1001, 1);
	rig_ask(&rig, 110, 1, "gateway.local", SPAN_A, RIG_PROMPT);
	rig_connect(&rig, 105, OTHER, 2, "127.0.0.1", 8443, "gateway.local", RIG_OPAQUE);
	rig_accept(&rig, 106, GATEWAY, 1002, 2);
	rig_say(&rig, 112, 2, WW_DIR_OUT, RIG_PROMPT RIG_PROMPT);
	rig_connect(&rig, 120, GATEWAY, 3, EU, 443, "api.example", RIG_TLS);
	rig_ask(&rig, 125, 3, "api.example", SPAN_G, RIG_PROMPT);
	rig_connect(&rig, 130, GATEWAY, 4, US, 443, "api.example", RIG_TLS);
	rig_ask(&rig, 135, 4, "api.example", SPAN_G, RIG_PROMPT);
	rig_reply(&rig, 300, 3, "r-1");
	rig_reply(&rig, 310, 4, "r-2");
	rig_reply(&rig, 400, 1, "r-1");
	for (uint64_t c = 1; c <= 4; c++)
		rig_stat(&rig, 600, c);
	rig_play(&rig);
	never(AGENT, "VIOLATION");
}

/* The agent and another at the gateway, and a request of the gateway's to the us; no traces. */
static void two_at_the_gateway(enum rig_kind kind, const char *trace)
{
	rig_open(&rig, RIG_POLICY);
	rig_connect(&rig, 100, AGENT, 1, "127.0.0.1", 8443, "gateway.local", RIG_TLS);
	rig_accept(&rig, 101, GATEWAY, 1001, 1);
	rig_ask(&rig, 110, 1, "gateway.local", trace, RIG_PROMPT);
	rig_connect(&rig, 105, OTHER, 2, "127.0.0.1", 8443, "gateway.local", kind);
	rig_accept(&rig, 106, GATEWAY, 1002, 2);
	rig_ask(&rig, 112, 2, "gateway.local", NULL,
		"Good morning, what do you have for me today?");
	rig_connect(&rig, 130, GATEWAY, 3, US, 443, "api.example", RIG_TLS);
	rig_ask(&rig, 135, 3, "api.example", trace ? SPAN_G : NULL, RIG_PROMPT);
	rig_reply(&rig, 310, 3, "r-2");
	rig_reply(&rig, 400, 1, "r-1");
	rig_stat(&rig, 600, 1);
	rig_stat(&rig, 600, 3);
}

static void prompt_known_to_another_caller(void **state)
{
	two_at_the_gateway(RIG_OPAQUE, NULL);
	rig_stat(&rig, 600, 2);
	rig_play(&rig);
	never(AGENT, "VIOLATION");
	never(AGENT, WITHIN);
	rig_expect(rig_path_of(&rig, AGENT, 0), "UNVERIFIABLE", "AMBIGUOUS_JOIN", "AMBIGUOUS");
}

/* What is said first of a path of this process. */
static json_t *first_told(uint32_t pid)
{
	for (unsigned i = 0; i < rig.record_count; i++) {
		if (rig_is_path_of(rig.records[i], pid))
			return rig.records[i];
	}
	fail_msg("no path of %u", pid);
	return NULL;
}

/* Until it has ended nothing is known of it; then it is something else. */
static void another_caller_is_not_done(void **state)
{
	for (unsigned i = 0; i < 2; i++) {
		two_at_the_gateway(RIG_TLS, i ? SPAN_A : NULL);
		rig_reply(&rig, 9000, 2, "r-3");
		rig_stat(&rig, 9100, 2);
		rig.end_ms = 70000;
		rig_play(&rig);
		rig_expect(first_told(AGENT), "UNVERIFIABLE", "AMBIGUOUS_JOIN", "AMBIGUOUS");
		rig_expect(rig_path_of(&rig, AGENT, 0), "VIOLATION", "", i ? "EXACT" : "UNIQUE");
		if (i == 0)
			rig_close(&rig);
	}
}

int main(void)
{
#define TEST(f) cmocka_unit_test_teardown(f, rig_done)
	const struct CMUnitTest tests[] = {
		TEST(quic_without_answer),
		TEST(row_that_expires),
		TEST(unknown_cipher),
		TEST(hello_and_then_anything),
		TEST(sent_and_not_acknowledged),
		TEST(port_of_dns),
		TEST(tls_on_port_of_dns),
		TEST(good_bye),
		TEST(finished_unseen),
		TEST(given_away),
		TEST(in_the_target),
		TEST(in_a_header),
		TEST(long_token),
		TEST(not_ended),
		TEST(before_the_prompt),
		TEST(beside_the_prompt),
		TEST(batch_of_prompts),
		TEST(pushed_out),
		TEST(made_common),
		TEST(end_of_a_long_one),
		TEST(name_that_is_said),
		TEST(name_that_was_told),
		TEST(forbidden_name_that_is_said),
		TEST(untraced_of_two),
		TEST(behind_many_rounds),
		TEST(other_history),
		TEST(gateway_exports),
		TEST(gateway_tries_two_addresses),
		TEST(host_of_another_scope),
		TEST(known_to_another_caller),
		TEST(prompt_known_to_another_caller),
		TEST(another_caller_is_not_done),
		TEST(hidden_bytes_are_not_the_request),
		TEST(answered_before_it_was_asked),
		TEST(unchecked_handshake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
