/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conversations of the official SDKs, byte by byte as they went over the connection, against what
 * the SDK itself made of them (tests/golden/llm/capture.mjs, dialects.mjs). The whole way:
 * connection bytes, HTTP, gzip, JSON or event stream.
 */
#include "action/model.h"
#include "base/encode.h"
#include "proto/proto.h"
#include "golden.h"

struct talk {
	struct ww_digest_key key;
	struct ww_buf text; /* what we made of it, in the form of NAME.txt */
	unsigned exchanges;
	unsigned findings;
	unsigned linked; /* calls that continue the one before */
	struct ww_sha256 before;
};

static void say_sized(struct talk *t, const char *what, const char *rest, uint64_t bytes,
		      const struct ww_sha256 *d, const char *end)
{
	char hex[65];

	ww_hex_encode(ww_slice(d->b, sizeof(d->b)), hex);
	say(&t->text, "%s%s %llu %s%s\n", what, rest, (unsigned long long)bytes, hex, end);
}

static void say_count(struct talk *t, const char *name, const struct ww_model_count *n)
{
	if (n->present)
		say(&t->text, " %s=%llu", name, (unsigned long long)n->value);
}

static void say_call(struct talk *t, const struct ww_model_call *c)
{
	char rest[300];

	say(&t->text, "call %s streamed=%d asked=%s served=%s response=%s request=%s stop=%s\n",
	    ww_model_provider_name(c->provider), c->streamed, c->model_asked, c->model_served,
	    c->response_id, c->request_id, c->stop_reason);
	say(&t->text, "usage");
	say_count(t, "input", &c->usage.input);
	say_count(t, "output", &c->usage.output);
	say_count(t, "cacheRead", &c->usage.cache_read);
	say_count(t, "cacheWrite", &c->usage.cache_write);
	say_count(t, "reasoning", &c->usage.reasoning);
	say_count(t, "total", &c->usage.total);
	say(&t->text, "\n");
	for (unsigned i = 0; i < c->tool_call_count; i++) {
		assert_true(c->tool_calls[i].complete);
		snprintf(rest, sizeof(rest), " %s %s", c->tool_calls[i].id, c->tool_calls[i].name);
		say_sized(t, "tool", rest, c->tool_calls[i].argument_bytes,
			  &c->tool_calls[i].arguments, c->tool_calls[i].remote ? " remote" : "");
	}
	for (unsigned i = 0; i < c->tool_result_count; i++) {
		const struct ww_model_tool_result *r = &c->tool_results[i];

		snprintf(rest, sizeof(rest), r->tool[0] ? " %s(%s)" : " %s%s", r->tool_call_id,
			 r->tool);
		say_sized(t, "result", rest, r->bytes, &r->digest, "");
	}
	if (c->text_bytes)
		say_sized(t, "text", "", c->text_bytes, &c->text, "");
	if (c->prompt_present) {
		struct ww_sha256 kept;

		say_sized(t, "prompt", "", c->prompt_bytes, &c->prompt, "");
		/* What is kept of it is what was digested. */
		ww_digest(&t->key, ww_buf_slice(&c->prompt_text), &kept);
		assert_memory_equal(&kept, &c->prompt, sizeof(kept));
	}
}

static void take(void *ctx, const struct ww_exchange *x)
{
	struct talk *t = ctx;
	struct ww_model_call *c = NULL;

	t->exchanges++;
	t->findings |= x->findings;
	assert_int_equal(x->outcome, WW_X_COMPLETE);
	assert_true(x->req.whole && x->resp.whole);
	assert_null(memmem(x, sizeof(*x), "SECRET-KEY", 10));
	assert_int_equal(ww_model_decode(x, &t->key, &c), 0);
	assert_true(c->request_whole && c->response_whole);
	assert_int_equal(c->findings, 0);
	if (c->parent_present)
		t->linked += memcmp(&c->parent, &t->before, sizeof(t->before)) == 0;
	t->before = c->conversation;
	say_call(t, c);
	ww_model_call_free(c);
}

/* Feeds NAME.talk; `step` bytes at a time, 0: as they came. */
static void play(const char *name, size_t step, struct talk *t)
{
	static const struct ww_proto_ops ops = {.exchange = take};
	static const uint8_t key[32] = "unit test key";
	struct ww_slice talk = load(name, "talk");
	struct ww_proto_config cfg = {.key = &t->key};
	struct ww_flow f = {.cookie = 1, .role = WW_FLOW_CONNECT};
	struct ww_proto *p = NULL;
	uint8_t *bytes = malloc(FILE_MAX);
	uint64_t at[2] = {0, 0};
	size_t end, n;

	*t = (struct talk){0};
	ww_buf_init(&t->text, FILE_MAX);
	ww_digest_key_init(&t->key, key);
	assert_int_equal(ww_proto_new(&cfg, &ops, t, &p), 0);
	for (size_t from = 0; from < talk.n; from = end + 1) {
		enum ww_dir dir = talk.p[from] == '>' ? WW_DIR_OUT : WW_DIR_IN;

		end = ww_slice_find(talk, from, '\n');
		assert_int_equal(ww_base64_decode(ww_slice_sub(talk, from + 2, end - from - 2),
						  false, bytes, FILE_MAX, &n),
				 0);
		for (size_t i = 0; i < n; i += step ? step : n) {
			struct ww_slice piece =
				ww_slice_sub(ww_slice(bytes, n), i, step ? step : n);

			ww_proto_bytes(p, &f, dir, at[dir], piece, (struct ww_boot){1});
			at[dir] += piece.n;
		}
	}
	f.how = WW_CLOSE_FIN_LOCAL;
	ww_proto_closed(p, &f);
	ww_proto_free(p);
	free(bytes);
	free((void *)(uintptr_t)talk.p);
}

/* `linked`: how many of its calls go on with the one before. */
static void check(const char *name, unsigned linked)
{
	struct ww_slice want = load(name, "txt");
	static const size_t steps[] = {0, 1, 7, 1000, 100000};

	for (size_t i = 0; i < WW_ARRAY_SIZE(steps); i++) {
		struct talk t;

		play(name, steps[i], &t);
		if (!ww_slice_eq(ww_buf_slice(&t.text), want))
			fail_msg("%s step %zu:\n%.*s", name, steps[i], (int)t.text.n, t.text.p);
		assert_int_equal(t.exchanges, 2);
		assert_int_equal(t.findings, 0);
		assert_int_equal(t.linked, linked);
		ww_buf_done(&t.text);
	}
	free((void *)(uintptr_t)want.p);
}

static void openai_chat(void **state)
{
	check("llm/openai_json", 1);
	check("llm/openai_stream", 1);
}

static void anthropic_messages(void **state)
{
	check("llm/anthropic_json", 1);
	check("llm/anthropic_stream", 1);
}

static void openai_responses(void **state)
{
	check("llm/responses_json", 1);
	check("llm/responses_stream", 1);
}

static void azure(void **state)
{
	check("llm/azure_json", 1);
	check("llm/azure_stream", 1);
}

static void vllm_and_a_gateway(void **state)
{
	check("llm/vllm_json", 1);
	check("llm/vllm_stream", 1);
	check("llm/gateway_json", 1);
	check("llm/gateway_stream", 1);
}

static void gemini(void **state)
{
	check("llm/gemini_json", 1);
	check("llm/gemini_stream", 1);
}

static void bedrock(void **state)
{
	check("llm/converse_json", 1);
	check("llm/converse_stream", 1);
	check("llm/invoke_json", 1);
	check("llm/invoke_stream", 1);
}

static void ollama(void **state)
{
	check("llm/ollama_chat_json", 1);
	check("llm/ollama_chat_stream", 1);
	check("llm/ollama_generate_json", 0);
	check("llm/ollama_generate_stream", 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(openai_chat),
		cmocka_unit_test(anthropic_messages),
		cmocka_unit_test(openai_responses),
		cmocka_unit_test(azure),
		cmocka_unit_test(vllm_and_a_gateway),
		cmocka_unit_test(gemini),
		cmocka_unit_test(bedrock),
		cmocka_unit_test(ollama),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
