/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drawn scenes: what an agent, its helpers and a gateway do, in any mixture and at any time, with
 * one event lost or none. What each of them does to the prompt is known when it is drawn: where
 * some of it left for another region, no path of the agent's is within the policy; where all
 * stayed, none is a violation, and nothing crossed.
 */
#include "../lib/path_rig.h"

#define EU     "203.0.113.7"
#define US     "198.51.100.7"
#define SPAN_A RIG_TRACE "-00f067aa0ba902b7"
#define SPAN_G RIG_TRACE "-02f067aa0ba902b7"
#define HELPER 101u
#define SCENES 400u

static struct rig rig;
static uint32_t drawn;
static uint64_t cookies;
static bool leaked, outside;

static uint32_t draw(uint32_t below)
{
	drawn = drawn * 1664525 + 1013904223;
	return (drawn >> 8) % below;
}

static uint64_t connect_to(uint64_t ms, uint32_t pid, const char *addr, uint16_t port,
			   enum rig_kind kind)
{
	rig_connect(&rig, ms, pid, ++cookies, addr, port, "api.example", kind);
	return cookies;
}

static void close_some(uint64_t ms, uint64_t cookie)
{
	rig_stat(&rig, ms, cookie);
	if (draw(2))
		rig_end(&rig, ms + 1 + draw(900), cookie,
			draw(2) ? WW_CLOSE_FIN_LOCAL : WW_CLOSE_RST_PEER);
}

static void asks(uint64_t ms, uint32_t pid, const char *addr)
{
	uint64_t c = connect_to(ms, pid, addr, 443, RIG_TLS);

	rig_ask(&rig, ms + 10, c, "api.example", draw(2) ? SPAN_A : NULL, RIG_PROMPT);
	if (draw(4))
		rig_reply(&rig, ms + 100, c, "r-1");
	close_some(ms + 150, c);
	leaked |= addr[0] == '1';
	outside |= addr[0] == '1';
}

static void asks_eu(uint64_t ms)
{
	asks(ms, draw(2) ? AGENT : HELPER, EU);
}

static void asks_us(uint64_t ms)
{
	asks(ms, draw(2) ? AGENT : HELPER, US);
}

static void calls_tool(uint64_t ms)
{
	uint64_t c = connect_to(ms, AGENT, US, 443, RIG_TLS);

	rig_post(&rig, ms + 10, c, "/v1/orders", "tool.example", NULL, "{\"order\":\"A17\"}");
	rig_answer(&rig, ms + 50, c, 200, "{\"ok\":true}");
	close_some(ms + 80, c);
	outside = true;
}

static void copies(uint64_t ms)
{
	uint64_t c = connect_to(ms, draw(2) ? AGENT : HELPER, US, 443, RIG_TLS);
	char text[2048];

	if (draw(2)) {
		rig_post(&rig, ms + 10, c, "/v1/traces", "traces.example", NULL,
			 "{\"p\":\"" RIG_PROMPT "\"}");
	} else {
		snprintf(text, sizeof(text), "GET /q?q=%s HTTP/1.1\r\nHost: q.example\r\n\r\n",
			 RIG_PROMPT);
		for (char *p = text + 7; strncmp(p, " HTTP/1.1\r", 10) != 0; p++)
			*p = *p == ' ' ? '+' : *p;
		rig_say(&rig, ms + 10, c, WW_DIR_OUT, text);
	}
	if (draw(4))
		rig_answer(&rig, ms + 50, c, 200, "{}");
	close_some(ms + 80, c);
	leaked = outside = true;
}

static void unread(uint64_t ms)
{
	static const enum rig_kind kinds[] = {RIG_OPAQUE, RIG_PLAIN};
	static const uint16_t ports[] = {443, 53, 8080};
	uint64_t c = connect_to(ms, draw(2) ? AGENT : HELPER, US, ports[draw(3)], kinds[draw(2)]);

	rig_say(&rig, ms + 10, c, WW_DIR_OUT,
		RIG_PROMPT RIG_PROMPT RIG_PROMPT RIG_PROMPT RIG_PROMPT);
	close_some(ms + 50, c);
	leaked = outside = true;
}

static void knocks(uint64_t ms)
{
	uint64_t c = connect_to(ms, AGENT, US, 443, draw(2) ? RIG_OPAQUE : RIG_REFUSED);

	if (!rig_conn(&rig, c)->wire[WW_DIR_OUT])
		return;
	if (draw(2))
		rig_record(&rig, ms + 5, rig_conn(&rig, c), WW_DIR_OUT, 23, 24);
	close_some(ms + 10, c);
}

static void by_gateway(uint64_t ms, const char *addr)
{
	uint64_t down = connect_to(ms, AGENT, "127.0.0.1", 8443, RIG_TLS), up;
	const char *trace = draw(2) ? SPAN_A : NULL;

	rig_accept(&rig, ms + 1, GATEWAY, 1000 + down, down);
	rig_ask(&rig, ms + 10, down, "gateway.local", trace, RIG_PROMPT);
	up = connect_to(ms + 12, GATEWAY, addr, 443, draw(4) ? RIG_TLS : RIG_OPAQUE);
	rig_ask(&rig, ms + 20, up, "api.example", trace ? SPAN_G : NULL, RIG_PROMPT);
	rig_reply(&rig, ms + 200, up, "r-up");
	rig_reply(&rig, ms + 210, down, "r-up");
	rig_stat(&rig, ms + 300, down);
	rig_stat(&rig, ms + 300, up);
	leaked |= addr[0] == '1';
	outside |= addr[0] == '1';
}

static void by_gateway_eu(uint64_t ms)
{
	by_gateway(ms, EU);
}

static void by_gateway_us(uint64_t ms)
{
	by_gateway(ms, US);
}

/* Another tree, with the agent's trace, or with other words. */
static void others(uint64_t ms)
{
	uint64_t c = connect_to(ms, OTHER, US, 443, RIG_TLS);

	rig_ask(&rig, ms + 10, c, "api.example", SPAN_A,
		draw(2) ? RIG_PROMPT : "What is the weather like in the town where you live now?");
	rig_reply(&rig, ms + 100, c, "r-1");
	close_some(ms + 150, c);
	outside = true;
}

static void (*const acts[])(uint64_t ms) = {asks_eu, asks_eu, asks_us,       calls_tool,
					    copies,  unread,  by_gateway_eu, by_gateway_us,
					    others,  knocks};

static unsigned check(uint32_t seed, uint32_t lost)
{
	unsigned wrong = 0;

	for (unsigned i = 0; i < rig.record_count; i++) {
		json_t *r = rig.records[i];
		const char *actor = rig_text(r, "actor"), *verdict = rig_text(r, "verdict");
		bool own = strncmp(actor, "p100-", 5) == 0 || strncmp(actor, "p101-", 5) == 0;
		bool path = strcmp(rig_text(r, "kind"), "path") == 0;

		if (path ? own && !leaked && strcmp(verdict, "VIOLATION") == 0 : !outside) {
			fprintf(stderr, "WRONG scene %u, event %u lost: %s\n", seed, lost,
				rig_text(r, "summary"));
			wrong++;
		}
	}
	return wrong;
}

/* All paths of the agent are of one prompt, at one time: if it left, by any, the last word of the
 * first is not that it did not. */
static unsigned check_within(uint32_t seed, uint32_t lost)
{
	unsigned wrong = 0;

	for (uint32_t pid = AGENT; pid <= HELPER; pid++) {
		for (unsigned i = 0;; i++) {
			json_t *p = rig_path_of(&rig, pid, i);

			if (!p)
				break;
			if (!leaked ||
			    strcmp(rig_text(p, "verdict"), "WITHIN_POLICY_TO_HORIZON") != 0)
				continue;
			fprintf(stderr, "WRONG scene %u, event %u lost: %s\n", seed, lost,
				rig_text(p, "summary"));
			wrong++;
		}
	}
	return wrong;
}

static void drawn_scenes(void **state)
{
	unsigned wrong = 0;

	for (uint32_t seed = 0; seed < SCENES; seed++) {
		unsigned n;

		drawn = seed * 2654435761u + 1;
		cookies = 0;
		leaked = outside = false;
		rig_open(&rig, RIG_POLICY);
		rig_process(&rig, 50, HELPER, AGENT, "/usr/bin/helper");
		asks_eu(100);
		n = 1 + draw(4);
		for (unsigned i = 0; i < n; i++)
			acts[draw(WW_ARRAY_SIZE(acts))](120 + draw(900));
		rig_play(&rig);
		wrong += check(seed, RIG_ALL) + check_within(seed, RIG_ALL);
		for (unsigned i = 0; i < 4; i++) {
			uint32_t at = draw(rig.count);

			if (rig.ev[at]->cpu == WW_EVENT_CPU_USER)
				continue;
			rig_play_without(&rig, at);
			wrong += check(seed, at) + check_within(seed, at);
		}
		rig_close(&rig);
	}
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(drawn_scenes)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
