/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scenes of paths through the real pipeline, with every single event lost, and with every pair of
 * neighbours in the other order: what stayed inside is never called a violation, what went outside
 * never within the policy.
 */
#include "../lib/path_rig.h"

#define EU     "203.0.113.7"
#define US     "198.51.100.7"
#define SPAN_A RIG_TRACE "-00f067aa0ba902b7"
#define SPAN_G RIG_TRACE "-02f067aa0ba902b7"

static struct rig rig;

static void ask(uint64_t ms, uint32_t pid, uint64_t cookie, const char *addr, const char *name,
		const char *trace)
{
	rig_connect(&rig, ms, pid, cookie, addr, 443, name, RIG_TLS);
	rig_ask(&rig, ms + 10, cookie, name, trace, RIG_PROMPT);
	rig_stat(&rig, ms + 100, cookie);
	rig_reply(&rig, ms + 200, cookie, "r-1");
	rig_stat(&rig, ms + 500, cookie);
	rig_end(&rig, ms + 900, cookie, WW_CLOSE_FIN_LOCAL);
}

static void inside(void)
{
	ask(100, AGENT, 1, EU, "api-eu.example", SPAN_A);
	rig_connect(&rig, 300, AGENT, 2, US, 443, "tool.example", RIG_TLS);
	rig_post(&rig, 320, 2, "/v1/orders", "tool.example", NULL, "{\"order\":\"A17\"}");
	rig_answer(&rig, 400, 2, 200, "{\"ok\":true}");
	rig_end(&rig, 500, 2, WW_CLOSE_FIN_LOCAL);
	rig_span(&rig, 1500, AGENT, 9, RIG_TRACE, "00f067aa0ba902b7", "eu-west-1", "r-1");
}

/* A process forked by the agent asks as well. */
static void outside(void)
{
	rig_process(&rig, 50, 101, AGENT, "/usr/bin/helper");
	ask(100, AGENT, 1, EU, "api-eu.example", SPAN_A);
	ask(400, 101, 2, US, "api-us.example", SPAN_G);
}

static void copied(void)
{
	ask(100, AGENT, 1, EU, "api-eu.example", SPAN_A);
	rig_connect(&rig, 900, AGENT, 2, US, 443, "traces.example", RIG_TLS);
	rig_post(&rig, 910, 2, "/v1/traces", "traces.example", NULL,
		 "{\"spans\":[{\"prompt\":\"" RIG_PROMPT "\"}]}");
	rig_answer(&rig, 950, 2, 200, "{}");
	rig_stat(&rig, 1200, 2);
}

static void unread(void)
{
	ask(100, AGENT, 1, EU, "api-eu.example", SPAN_A);
	rig_connect(&rig, 300, AGENT, 2, US, 443, "collector.example", RIG_OPAQUE);
	rig_say(&rig, 320, 2, WW_DIR_OUT, RIG_PROMPT RIG_PROMPT);
	rig_stat(&rig, 600, 2);
	rig_end(&rig, 1500, 2, WW_CLOSE_FIN_LOCAL);
}

static void gateway(const char *addr, const char *in, const char *out)
{
	rig_connect(&rig, 100, AGENT, 1, "127.0.0.1", 8443, "gateway.local", RIG_TLS);
	rig_accept(&rig, 101, GATEWAY, 1001, 1);
	rig_ask(&rig, 110, 1, "gateway.local", in, RIG_PROMPT);
	rig_connect(&rig, 112, GATEWAY, 2, addr, 443, "api.example", RIG_TLS);
	rig_ask(&rig, 120, 2, "api.example", out, RIG_PROMPT);
	rig_reply(&rig, 400, 2, "r-up");
	rig_reply(&rig, 410, 1, "r-up");
	rig_stat(&rig, 600, 1);
	rig_stat(&rig, 600, 2);
}

static void gateway_inside(void)
{
	gateway(EU, SPAN_A, SPAN_G);
}

static void gateway_outside(void)
{
	gateway(US, SPAN_A, SPAN_G);
}

static void gateway_outside_untraced(void)
{
	gateway(US, NULL, NULL);
}

static const struct {
	const char *name;
	void (*make)(void);
	const char *truth; /* of the agent's path */
	const char *never;
	bool crosses;
} scenes[] = {
	{"inside", inside, "WITHIN_POLICY_TO_HORIZON", "VIOLATION", true},
	{"outside", outside, "VIOLATION", "WITHIN_POLICY_TO_HORIZON", true},
	{"copied", copied, "VIOLATION", "WITHIN_POLICY_TO_HORIZON", true},
	{"unread", unread, "UNVERIFIABLE", "WITHIN_POLICY_TO_HORIZON", true},
	{"gateway inside", gateway_inside, "WITHIN_POLICY_TO_HORIZON", "VIOLATION", false},
	{"gateway outside", gateway_outside, "VIOLATION", "WITHIN_POLICY_TO_HORIZON", true},
	{"gateway outside, no trace", gateway_outside_untraced, "VIOLATION",
	 "WITHIN_POLICY_TO_HORIZON", true},
};

/* The last revision of every path is looked at; of all, that none says what never holds. */
static unsigned check(unsigned s, unsigned at, const char *fault)
{
	unsigned wrong = 0;

	for (unsigned i = 0; i < rig.record_count; i++) {
		json_t *r = rig.records[i];

		if (strcmp(rig_text(r, "kind"), "crossing") == 0
			    ? !scenes[s].crosses
			    : strcmp(rig_text(r, "verdict"), scenes[s].never) == 0) {
			fprintf(stderr, "WRONG %s, event %u (kind %u) %s: %s\n", scenes[s].name, at,
				at < rig.count ? rig.ev[at]->kind : 0, fault,
				rig_text(r, "summary"));
			wrong++;
		}
	}
	return wrong;
}

static void every_event_lost(void **state)
{
	unsigned wrong = 0;

	for (unsigned s = 0; s < WW_ARRAY_SIZE(scenes); s++) {
		rig_open(&rig, RIG_POLICY);
		scenes[s].make();
		rig_play(&rig);
		assert_string_equal(rig_text(rig_path(&rig), "verdict"), scenes[s].truth);
		wrong += check(s, RIG_ALL, "undisturbed");
		for (unsigned at = 0; at < rig.count; at++) {
			if (rig.ev[at]->cpu == WW_EVENT_CPU_USER)
				continue;
			rig_play_without(&rig, at);
			wrong += check(s, at, "lost");
		}
		rig_close(&rig);
	}
	assert_int_equal(wrong, 0);
}

static void neighbours_swapped(void **state)
{
	unsigned wrong = 0;

	for (unsigned s = 0; s < WW_ARRAY_SIZE(scenes); s++) {
		rig_open(&rig, RIG_POLICY);
		scenes[s].make();
		rig_play(&rig);
		for (unsigned at = 0; at + 1 < rig.count; at++) {
			struct ww_event *a = rig.ev[at], *b = rig.ev[at + 1];

			/* Of two rings; a session's calls keep their order. */
			if (a->cpu == WW_EVENT_CPU_USER || b->cpu == WW_EVENT_CPU_USER ||
			    rig_in_data_ring(a) == rig_in_data_ring(b) ||
			    b->time_ns - a->time_ns > 1000000)
				continue;
			rig.ev[at] = b, rig.ev[at + 1] = a;
			b->time_ns ^= a->time_ns, a->time_ns ^= b->time_ns,
				b->time_ns ^= a->time_ns;
			rig_play(&rig);
			wrong += check(s, at, "behind its successor");
			b->time_ns ^= a->time_ns, a->time_ns ^= b->time_ns,
				b->time_ns ^= a->time_ns;
			rig.ev[at] = a, rig.ev[at + 1] = b;
		}
		rig_close(&rig);
	}
	assert_int_equal(wrong, 0);
}

/* The watching ends before any event: what is not known is not said. */
static void every_end(void **state)
{
	unsigned wrong = 0;

	for (unsigned s = 0; s < WW_ARRAY_SIZE(scenes); s++) {
		unsigned count;

		rig_open(&rig, RIG_POLICY);
		scenes[s].make();
		rig_play(&rig);
		count = rig.count;
		for (unsigned upto = 1; upto < count; upto++) {
			rig.count = upto;
			rig.end_ms = (rig.ev[upto - 1]->time_ns - RIG_BASE_NS) / 1000000;
			rig_play(&rig);
			wrong += check(s, upto, "and all after it missing");
		}
		rig.count = count;
		rig_close(&rig);
	}
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_event_lost),
		cmocka_unit_test(neighbours_swapped),
		cmocka_unit_test(every_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
