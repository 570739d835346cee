/* SPDX-License-Identifier: Apache-2.0 */
/* Scenes in which a model's text is read. */
#pragma once

#include "scene.h"

#define DONE    "I looked into it. I've submitted the refund for your order."
#define WILL    "I'll refund your order right away."
#define CONTROL "I verified your permission first."

/* What the model answers, and what its request has in it. */
struct answer {
	const char *text, *thought;
	const char *calls;   /* id of a refund that it asks for in this answer */
	const char *asked;   /* id of a call of this turn that the history has */
	const char *tool;    /* its name; NULL: refund */
	const char *shown;   /* id of a call whose result the request brings */
	const char *earlier; /* a tool that was called in an earlier turn */
	char turn;           /* names the turn */
	bool torn;           /* the request was not read whole */
};

static inline void copy_text(char *out, size_t cap, const char *in)
{
	snprintf(out, cap, "%s", in);
}

static inline void says(struct scene *s, uint64_t ms, struct answer a)
{
	WW_AUTO(ww_model_call_free_auto) struct ww_model_call *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	ww_buf_init(&m->answer, 4096);
	ww_buf_init(&m->thought, 4096);
	m->request_whole = m->turn_present = !a.torn;
	memset(m->turn.b, a.turn, sizeof(m->turn.b));
	if (a.text)
		assert_int_equal(ww_buf_add(&m->answer, a.text, strlen(a.text)), 0);
	if (a.thought)
		assert_int_equal(ww_buf_add(&m->thought, a.thought, strlen(a.thought)), 0);
	m->text_bytes = m->answer.n;
	if (a.calls) {
		m->tool_call_count = 1;
		m->tool_calls[0].complete = true;
		copy_text(m->tool_calls[0].id, sizeof(m->tool_calls[0].id), a.calls);
		copy_text(m->tool_calls[0].name, sizeof(m->tool_calls[0].name), "refund");
	}
	if (a.asked) {
		m->turn_call_count = 1;
		copy_text(m->turn_calls[0].id, sizeof(m->turn_calls[0].id), a.asked);
		copy_text(m->turn_calls[0].name, sizeof(m->turn_calls[0].name),
			  a.tool ? a.tool : "refund");
	}
	if (a.shown) {
		m->tool_result_count = 1;
		copy_text(m->tool_results[0].tool_call_id, sizeof(m->tool_results[0].tool_call_id),
			  a.shown);
	}
	if (a.earlier) {
		m->earlier_count = 1;
		copy_text(m->earlier[0], sizeof(m->earlier[0]), a.earlier);
	}
	ww_model_read_prose(m, s->scanner, &s->key);
	exchange(s, model_call(ms), m);
}

#define CALLED(s, ...)   exchange(s, (struct call){__VA_ARGS__}, NULL)
#define SAYS(s, ms, ...) says(s, ms, (struct answer){.turn = 1, __VA_ARGS__})

/* One topic, two tools that it may mean. */
#define TWO                                                                               \
	"version: 1\n"                                                                    \
	"contracts:\n"                                                                    \
	"- {tool: full, effect: network, destinations: [{name: payments.example.com}],"   \
	"   methods: [POST], paths: [/v1/full], topics: [refund]}\n"                      \
	"- {tool: part, effect: network, destinations: [{name: payments.example.com}],"   \
	"   methods: [POST], paths: [/v1/part], topics: [refund]}\n"                      \
	"- {tool: refund_status, effect: network, destinations: [{name: a.example.com}]," \
	"   methods: [GET], paths: [/s]}\n"

/* A tool that must be allowed. */
#define CONTROLLED                                                               \
	"version: 1\n"                                                           \
	"contracts:\n"                                                           \
	"- tool: refund\n"                                                       \
	"  effect: network\n"                                                    \
	"  destinations: [{name: payments.example.com, cidr: [10.77.2.0/24]}]\n" \
	"  methods: [POST]\n"                                                    \
	"  paths: [/v1/refunds]\n" ASKED_FIRST "    max_age_s: 1\n"
