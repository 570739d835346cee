/* SPDX-License-Identifier: Apache-2.0 */
#include "call.h"

#include <errno.h>
#include <jansson.h>

#define OPENAI    "/v1/chat/completions"
#define ANTHROPIC "/v1/messages"

static void set_body(struct ww_body *b, struct ww_slice s, bool whole, const char *type)
{
	b->data = s;
	b->whole = whole;
	b->decoded_bytes = s.n;
	memset(b->content_type, 0, sizeof(b->content_type));
	memcpy(b->content_type, type, strlen(type));
}

static void exchange(const char *target, struct ww_slice req, struct ww_slice resp,
		     const char *type)
{
	x = (struct ww_exchange){.cookie = 5,
				 .index = 2,
				 .client = true,
				 .outcome = WW_X_COMPLETE,
				 .method = "POST",
				 .status = 200,
				 .request_id = "req_1"};
	memcpy(x.target, target, strlen(target));
	set_body(&x.req, req, true, "application/json");
	set_body(&x.resp, resp, true, type);
}

static void json_call(const char *target, const char *req, const char *resp)
{
	exchange(target, ww_slice_str(req), ww_slice_str(resp), "application/json");
	assert_int_equal(decode(), 0);
}

static void stream_call(const char *target, const char *req, const char *resp)
{
	exchange(target, ww_slice_str(req), ww_slice_str(resp), "text/event-stream; charset=utf-8");
	assert_int_equal(decode(), 0);
}

/* --- what is no model call, or not all of one
 * ----------------------------------------------------- */

#define HI "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"

static void must_not_be_a_model_call(void **state)
{
	static const struct {
		const char *method, *target, *req, *resp;
	} no[] = {
		{"GET", OPENAI, HI, "{}"},
		{"POST", "/v1/chat/completions/x", HI, "{}"},
		{"POST", "/v1/chat", HI, "{}"},
		{"POST", "/v1/embeddings", HI, "{}"},
		{"POST", "/x?p=/v1/messages", HI, "{}"},
		{"POST", "/v1/messages/count_tokens", HI, "{}"},
		{"POST", OPENAI, "{\"model\":\"m\",\"input\":\"hi\"}", "{}"},
		{"POST", OPENAI, "{\"messages\":\"no array\"}", "{}"},
		{"POST", OPENAI, "[]", "{}"},
		{"POST", OPENAI, "to=alice&text=hi", "ok"},
		{"POST", ANTHROPIC, "{\"to\":\"alice\",\"text\":\"hi\"}", "{\"id\":\"7\"}"},
		{"POST", ANTHROPIC, "", ""},
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(no); i++) {
		exchange(no[i].target, ww_slice_str(no[i].req), ww_slice_str(no[i].resp),
			 "application/json");
		memset(x.method, 0, sizeof(x.method));
		memcpy(x.method, no[i].method, strlen(no[i].method));
		if (decode() != -ENOENT)
			fail_msg("taken: %s %s %s", no[i].method, no[i].target, no[i].req);
	}
	exchange(OPENAI, ww_slice_str(HI), WW_SLICE_NULL, "");
	x.client = false;
	assert_int_equal(decode(), -ENOENT);
	x.client = true;
	x.outcome = WW_X_UNPARSED;
	assert_int_equal(decode(), -ENOENT);
	assert_null(c);
}

static void must_find_malformed_bodies(void **state)
{
	static const char *const req[] = {
		"{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],}",
		"{\"messages\":[]} x",
		"{\"messages\":[{\"role\":\"user\",\"content\":\"\xff\"}]}",
		"{\"messages\":[{\"role\":\"user\"",
		"{\"messages\":[],\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}",
		"{\"model\":\"a\",\"messages\":[],\"model\":\"b\"}",
	};
	static const char *const resp[] = {
		"{\"id\":\"r\",\"choices\":[{}],}",
		"{\"id\":\"r\"} {}",
		"{\"id\":\"r\",\"choices\":",
		"oops",
		"[1]",
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(req); i++) {
		json_call(OPENAI, req[i], "{\"choices\":[]}");
		assert_true(c->findings & WW_X_MALFORMED_BODY);
		assert_true(c->response_whole);
	}
	for (size_t i = 0; i < WW_ARRAY_SIZE(resp); i++) {
		json_call(OPENAI, HI, resp[i]);
		assert_true(c->findings & WW_X_MALFORMED_BODY);
		assert_false(c->response_whole);
		assert_no_usage();
	}
	stream_call(OPENAI, HI,
		    "data: {\"id\":\"r\",\"choices\":[]}\n\ndata: {oops\n\ndata: [DONE]\n\n");
	assert_true(c->findings & WW_X_MALFORMED_BODY);
	assert_false(c->response_whole);
	assert_string_equal(c->response_id, "r");
}

static void an_html_error_page_is_no_malformed_json(void **state)
{
	exchange(OPENAI, ww_slice_str(HI), WW_SLICE_LIT("<html>502</html>"), "text/html");
	x.status = 502;
	assert_int_equal(decode(), 0);
	assert_int_equal(c->findings, 0);
	assert_false(c->response_whole);
	assert_int_equal(c->status, 502);
}

static void no_answer_is_still_a_call(void **state)
{
	exchange(OPENAI, ww_slice_str(HI), WW_SLICE_NULL, "");
	x.outcome = WW_X_RESET;
	x.status = 0;
	x.resp.whole = false;
	assert_int_equal(decode(), 0);
	assert_true(c->request_whole);
	assert_false(c->response_whole);
	assert_int_equal(c->findings, 0);
	assert_no_usage();
	assert_int_equal(c->text_bytes, 0);
}

/* --- OpenAI
 * ----------------------------------------------------------------------------------------- */

static const char openai_request[] =
	"{\"model\":\"gpt-x\",\"stream\":false,\"n\":2,\"messages\":["
	"{\"role\":\"system\",\"content\":\"be \\u0062rief\"},"
	"{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"look\"},"
	"{\"type\":\"image_url\",\"image_url\":{\"url\":\"x\"}},{\"text\":\"here\",\"type\":"
	"\"text\"}]},"
	"{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"call_1\",\"type\":"
	"\"function\","
	"\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1}\"}}]},"
	"{\"tool_call_id\":\"call_1\",\"role\":\"tool\",\"content\":\"r\\u00e9sult\"}],"
	"\"tools\":[ {\"type\":\"function\"} ]}";

static void openai_json(void **state)
{
	json_call(
		OPENAI, openai_request,
		"{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion\",\"model\":\"gpt-x-1\","
		"\"choices\":["
		"{\"finish_reason\":\"tool_calls\",\"index\":0,\"message\":{\"role\":\"assistant\","
		"\"content\":\"let me\",\"tool_calls\":["
		"{\"id\":\"call_2\",\"type\":\"function\",\"function\":{\"arguments\":\"{\\\"x\\\":"
		" 1}\",\"name\":\"g\"}},"
		"{\"id\":\"call_3\",\"type\":\"custom\",\"custom\":{\"name\":\"h\",\"input\":"
		"\"raw\"}}]}},"
		"{\"index\":1,\"finish_reason\":\"stop\",\"message\":{\"content\":\"other\"}}],"
		"\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":4,\"total_tokens\":14,"
		"\"prompt_tokens_details\":{\"cached_tokens\":3,\"cache_write_tokens\":2},"
		"\"completion_tokens_details\":{\"cached_tokens\":99}}}");
	assert_int_equal(c->provider, WW_MODEL_OPENAI_CHAT);
	assert_int_equal(c->findings, 0);
	assert_true(c->request_whole && c->response_whole);
	assert_false(c->streamed || c->stream_asked);
	assert_int_equal(c->cookie, 5);
	assert_int_equal(c->index, 2);
	assert_string_equal(c->model_asked, "gpt-x");
	assert_string_equal(c->model_served, "gpt-x-1");
	assert_string_equal(c->response_id, "chatcmpl-1");
	assert_string_equal(c->request_id, "req_1");
	assert_string_equal(c->stop_reason, "tool_calls");
	assert_string_equal(c->error_type, "");
	assert_int_equal(c->choices, 2);
	assert_int_equal(c->messages, 4);
	assert_count(&c->usage.input, 10);
	assert_count(&c->usage.output, 4);
	assert_count(&c->usage.total, 14);
	assert_count(&c->usage.cache_read, 3);
	assert_count(&c->usage.cache_write, 2);
	assert_int_equal(c->tool_call_count, 2);
	assert_string_equal(c->tool_calls[0].id, "call_2");
	assert_string_equal(c->tool_calls[0].name, "g");
	assert_digest(&c->tool_calls[0].arguments, "{\"x\": 1}");
	assert_int_equal(c->tool_calls[0].argument_bytes, 8);
	assert_true(c->tool_calls[0].complete);
	assert_string_equal(c->tool_calls[1].name, "h");
	assert_digest(&c->tool_calls[1].arguments, "raw");
	assert_int_equal(c->tool_result_count, 1);
	assert_string_equal(c->tool_results[0].tool_call_id, "call_1");
	assert_digest(&c->tool_results[0].digest, "r\xc3\xa9sult");
	assert_int_equal(c->tool_results[0].bytes, 7);
	assert_digest(&c->text, "let me");
	assert_true(c->prompt_present);
	assert_digest(&c->prompt, "look\nhere");
	assert_true(ww_slice_eq_str(ww_buf_slice(&c->prompt_text), "look\nhere"));
	assert_digest(&c->system, "be brief");
	assert_digest(&c->tools, "[ {\"type\":\"function\"} ]");
	assert_true(c->parent_present);
}

#define CHUNK(delta, finish)                                                               \
	"data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"model\":\"gpt-x-1\"," \
	"\"choices\":[{\"index\":0,\"delta\":" delta ",\"finish_reason\":" finish          \
	"}],\"usage\":null}\n\n"

static const char openai_stream_text[] = CHUNK(
	"{\"role\":\"assistant\",\"content\":\"\"}",
	"null") CHUNK("{\"content\":\"Hel\"}", "null") CHUNK("{\"content\":\"lo \\ud83d\\ude00\"}",
							     "null")
	CHUNK("{\"tool_calls\":[{\"index\":0,\"id\":\"call_a\",\"type\":\"function\",\"function\":{"
	      "\"name\":\"f\",\"arguments\":\"\"}}]}",
	      "null") CHUNK("{\"tool_calls\":[{\"index\":1,\"id\":\"call_b\",\"type\":\"function\","
			    "\"function\":{\"name\":\"g\",\"arguments\":\"{\\\"b\"}}]}",
			    "null") CHUNK("{\"tool_calls\":[{\"index\":0,\"function\":{"
					  "\"arguments\":\"{\\\"a\\\":\"}}]}",
					  "null")
		CHUNK("{\"tool_calls\":[{\"index\":1,\"function\":{\"arguments\":\"\\\":2}\"}},{"
		      "\"index\":0,\"function\":{\"arguments\":\"1}\"}}]}",
		      "null")
			CHUNK("{}", "\"tool_calls\"") "data: "
						      "{\"id\":\"c1\",\"choices\":[],\"usage\":{"
						      "\"prompt_tokens\":7,\"completion_tokens\":3,"
						      "\"total_tokens\":10}}\n\n"
						      "data: [DONE]\n\n";

static void openai_stream(void **state)
{
	stream_call(OPENAI, HI, openai_stream_text);
	assert_int_equal(c->findings, 0);
	assert_true(c->streamed && c->response_whole);
	assert_string_equal(c->response_id, "c1");
	assert_string_equal(c->stop_reason, "tool_calls");
	assert_digest(&c->text, "Hello \xf0\x9f\x98\x80");
	assert_int_equal(c->tool_call_count, 2);
	assert_string_equal(c->tool_calls[0].id, "call_a");
	assert_digest(&c->tool_calls[0].arguments, "{\"a\":1}");
	assert_string_equal(c->tool_calls[1].id, "call_b");
	assert_digest(&c->tool_calls[1].arguments, "{\"b\":2}");
	assert_true(c->tool_calls[1].complete);
	assert_count(&c->usage.input, 7);
	assert_count(&c->usage.total, 10);
	assert_false(c->usage.cache_read.present);
}

static void a_stream_without_usage_has_none(void **state)
{
	stream_call(OPENAI, HI,
		    CHUNK("{\"content\":\"a\"}", "null")
			    CHUNK("{}", "\"stop\"") "data: [DONE]\n\n");
	assert_true(c->response_whole);
	assert_no_usage();
}

static void an_error_in_a_stream_is_no_whole_answer(void **state)
{
	stream_call(OPENAI, HI,
		    CHUNK("{\"content\":\"a\"}",
			  "null") "data: "
				  "{\"error\":{\"message\":\"x\",\"type\":\"server_error\"}}\n\n");
	assert_false(c->response_whole);
	assert_string_equal(c->error_type, "server_error");
}

/* --- Anthropic
 * -------------------------------------------------------------------------------------- */

static void anthropic_json(void **state)
{
	json_call(
		ANTHROPIC,
		"{\"max_tokens\":9,\"system\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":"
		"\"text\",\"text\":\"b\"}],"
		"\"messages\":[{\"role\":\"user\",\"content\":\"first\"},"
		"{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"ok\"},"
		"{\"type\":\"tool_use\",\"id\":\"toolu_1\",\"name\":\"f\",\"input\":{\"a\":1}}]},"
		"{\"role\":\"user\",\"content\":[{\"tool_use_id\":\"toolu_1\",\"type\":\"tool_"
		"result\",\"is_error\":true,"
		"\"content\":[{\"type\":\"text\",\"text\":\"no\"},{\"type\":\"image\",\"source\":{}"
		"}]},"
		"{\"type\":\"tool_result\",\"tool_use_id\":\"toolu_2\",\"content\":\"yes\"},"
		"{\"type\":\"tool_result\",\"tool_use_id\":\"toolu_3\"}]}],\"model\":\"claude-x\"}",
		"{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"claude-"
		"x-1\",\"content\":["
		"{\"type\":\"thinking\",\"thinking\":\"hm\",\"signature\":\"s\"},{\"type\":"
		"\"text\",\"text\":\"one \"},"
		"{\"type\":\"tool_use\",\"id\":\"toolu_4\",\"name\":\"g\",\"input\":{ \"x\": [1, "
		"2] }},"
		"{\"type\":\"server_tool_use\",\"id\":\"srv_1\",\"name\":\"web_search\",\"input\":{"
		"}},"
		"{\"type\":\"text\",\"text\":\"two\"}],\"stop_reason\":\"tool_use\",\"stop_"
		"sequence\":null,"
		"\"usage\":{\"input_tokens\":5,\"cache_creation_input_tokens\":6,\"cache_read_"
		"input_tokens\":7,"
		"\"output_tokens\":8,\"cache_creation\":{\"input_tokens\":99},\"service_tier\":"
		"\"standard\"}}");
	assert_int_equal(c->provider, WW_MODEL_ANTHROPIC_MESSAGES);
	assert_int_equal(c->findings, 0);
	assert_true(c->request_whole && c->response_whole);
	assert_string_equal(c->model_asked, "claude-x");
	assert_string_equal(c->model_served, "claude-x-1");
	assert_string_equal(c->response_id, "msg_1");
	assert_string_equal(c->stop_reason, "tool_use");
	assert_int_equal(c->messages, 3);
	assert_count(&c->usage.input, 5);
	assert_count(&c->usage.output, 8);
	assert_count(&c->usage.cache_read, 7);
	assert_count(&c->usage.cache_write, 6);
	assert_false(c->usage.total.present);
	assert_int_equal(c->tool_call_count, 2);
	assert_string_equal(c->tool_calls[0].id, "toolu_4");
	assert_digest(&c->tool_calls[0].arguments, "{ \"x\": [1, 2] }");
	assert_false(c->tool_calls[0].remote);
	assert_true(c->tool_calls[1].remote);
	assert_digest(&c->tool_calls[1].arguments, "{}");
	assert_digest(&c->text, "one two");
	assert_digest(&c->prompt, "first");
	assert_true(ww_slice_eq_str(ww_buf_slice(&c->prompt_text), "first"));
	assert_digest(&c->system, "a\nb");
	assert_int_equal(c->tool_result_count, 3);
	assert_string_equal(c->tool_results[0].tool_call_id, "toolu_1");
	assert_true(c->tool_results[0].is_error);
	assert_digest(&c->tool_results[0].digest, "no\n{\"type\":\"image\",\"source\":{}}");
	assert_false(c->tool_results[1].is_error);
	assert_digest(&c->tool_results[1].digest, "yes");
	assert_int_equal(c->tool_results[2].bytes, 0);
}

#define EVENT(type, rest) "event: " type "\ndata: {\"type\":\"" type "\"" rest "}\n\n"

static const char anthropic_stream_text[] = EVENT(
	"message_start",
	",\"message\":{\"id\":\"msg_2\",\"type\":\"message\",\"model\":\"claude-x-1\",\"content\":["
	"],"
	"\"stop_reason\":null,\"usage\":{\"input_tokens\":9,\"output_tokens\":1,\"cache_read_input_"
	"tokens\":0}}") EVENT("content_block_start",
			      ",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}")
	EVENT("ping",
	      "") EVENT("content_block_delta",
			",\"index\":0,\"delta\":{\"type\":\"text_"
			"delta\",\"text\":\"Hel\"}") EVENT("content_block_delta",
							   ",\"index\":0,\"delta\":{\"type\":"
							   "\"text_delta\",\"text\":\"lo\"}")
		EVENT("content_block_stop",
		      ",\"index\":0") EVENT("content_block_start",
					    ",\"index\":1,\"content_block\":{\"type\":\"tool_use\","
					    "\"id\":\"toolu_a\",\"name\":\"f\",\"input\":{}}")
			EVENT("content_block_delta", ",\"index\":1,\"delta\":{\"type\":\"input_"
						     "json_delta\",\"partial_json\":\"\"}")
				EVENT("content_block_delta", ",\"index\":1,\"delta\":{\"type\":"
							     "\"input_json_delta\",\"partial_"
							     "json\":\"{\\\"a\\\"\"}")
					EVENT("content_block_delta",
					      ",\"index\":1,\"delta\":{\"type\":"
					      "\"input_json_delta\",\"partial_"
					      "json\":\": 1}\"}") EVENT("content_block_stop",
									",\"index\":1")
						EVENT("content_block_start",
						      ",\"index\":2,\"content_block\":{\"type\":"
						      "\"tool_use\","
						      "\"id\":\"toolu_b\",\"name\":\"g\",\"input\":"
						      "{}}")
							EVENT("content_block_stop", ",\"index\":2")
								EVENT("message_delta",
								      ",\"delta\":{\"stop_reason\":"
								      "\"tool_use\",\"stop_"
								      "sequence\":null},\"usage\":{"
								      "\"output_tokens\":12}")
									EVENT("message_stop", "");

static void anthropic_stream(void **state)
{
	stream_call(ANTHROPIC, HI, anthropic_stream_text);
	assert_int_equal(c->findings, 0);
	assert_true(c->streamed && c->response_whole);
	assert_string_equal(c->response_id, "msg_2");
	assert_string_equal(c->stop_reason, "tool_use");
	assert_digest(&c->text, "Hello");
	assert_int_equal(c->tool_call_count, 2);
	assert_digest(&c->tool_calls[0].arguments, "{\"a\": 1}");
	assert_true(c->tool_calls[0].complete);
	assert_digest(&c->tool_calls[1].arguments, "{}");
	assert_count(&c->usage.input, 9);
	assert_count(&c->usage.output, 12);
	assert_count(&c->usage.cache_read, 0);
	assert_false(c->usage.cache_write.present);
}

static void error_documents(void **state)
{
	exchange(ANTHROPIC, ww_slice_str(HI),
		 WW_SLICE_LIT("{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\","
			      "\"message\":\"x\"},\"request_id\":\"req_b\"}"),
		 "application/json");
	x.status = 529;
	x.request_id[0] = '\0';
	assert_int_equal(decode(), 0);
	assert_string_equal(c->error_type, "overloaded_error");
	assert_string_equal(c->request_id, "req_b");
	assert_no_usage();
	json_call(OPENAI, HI,
		  "{\"error\":{\"message\":\"m\",\"type\":null,\"param\":null,\"code\":\"invalid_"
		  "api_key\"}}");
	assert_string_equal(c->error_type, "invalid_api_key");
	json_call(OPENAI, HI, "{\"error\":{}}");
	assert_string_equal(c->error_type, "unknown");
	stream_call(ANTHROPIC, HI, EVENT("error", ",\"error\":{\"type\":\"api_error\"}"));
	assert_string_equal(c->error_type, "api_error");
	assert_false(c->response_whole);
}

/* --- cut anywhere
 * ------------------------------------------------------------------------------------ */

/* A cut answer has no usage, no complete tool call that is wrong, and never another id than the
 * whole one. */
static void every_cut_of_a_stream(void **state)
{
	static const struct {
		const char *target, *text;
	} s[] = {{OPENAI, openai_stream_text}, {ANTHROPIC, anthropic_stream_text}};

	for (size_t i = 0; i < WW_ARRAY_SIZE(s); i++) {
		size_t all = strlen(s[i].text);

		for (size_t n = 0; n < all; n++) {
			uint8_t *copy = malloc(n ? n : 1);

			memcpy(copy, s[i].text, n);
			exchange(s[i].target, ww_slice_str(HI), ww_slice(copy, n),
				 "text/event-stream");
			x.outcome = WW_X_CUT_SHORT;
			x.resp.whole = false;
			assert_int_equal(decode(), 0);
			assert_int_equal(c->findings, 0);
			if (n < all - 1) {
				assert_false(c->response_whole);
				assert_no_usage();
			}
			for (unsigned k = 0; k < c->tool_call_count; k++)
				if (c->tool_calls[k].complete && i == 1 && k == 0)
					assert_digest(&c->tool_calls[k].arguments, "{\"a\": 1}");
			free(copy);
		}
	}
}

static void every_cut_of_a_request(void **state)
{
	size_t all = strlen(openai_request);

	for (size_t n = 0; n < all; n++) {
		uint8_t *copy = malloc(n ? n : 1);

		memcpy(copy, openai_request, n);
		exchange(OPENAI, ww_slice(copy, n), WW_SLICE_LIT("{\"id\":\"r\",\"choices\":[]}"),
			 "application/json");
		x.req.whole = false;
		assert_int_equal(decode(), 0);
		assert_int_equal(c->findings, 0);
		assert_false(c->request_whole || c->prompt_present || c->parent_present);
		assert_int_equal(c->tool_result_count, 0);
		assert_string_equal(c->response_id, "r");
		free(copy);
	}
}

/* Complete, but changed at one place: nothing breaks, whatever it means then. */
static void every_changed_byte(void **state)
{
	static const char *const text[] = {openai_request, anthropic_stream_text,
					   openai_stream_text};

	for (size_t i = 0; i < WW_ARRAY_SIZE(text); i++) {
		size_t n = strlen(text[i]);
		uint8_t *copy = malloc(n);

		for (size_t at = 0; at < n; at++) {
			memcpy(copy, text[i], n);
			copy[at] = (uint8_t) "\"{}[],:\\0\n"[at % 10];
			exchange(i == 1 ? ANTHROPIC : OPENAI,
				 i ? ww_slice_str(HI) : ww_slice(copy, n),
				 i ? ww_slice(copy, n) : WW_SLICE_LIT("{\"choices\":[]}"),
				 i ? "text/event-stream" : "application/json");
			assert_int_equal(decode(), 0);
		}
		free(copy);
	}
}

/* --- bounds
 * ------------------------------------------------------------------------------------------- */

static void tool_calls_have_a_ceiling(void **state)
{
	struct ww_buf b;
	char one[128];

	ww_buf_init(&b, 1 << 20);
	assert_int_equal(ww_buf_add(&b, "{\"choices\":[{\"message\":{\"tool_calls\":[", 38), 0);
	for (int i = 0; i < 70; i++) {
		snprintf(one, sizeof(one),
			 "%s{\"id\":\"c%d\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}",
			 i ? "," : "", i);
		assert_int_equal(ww_buf_add(&b, one, strlen(one)), 0);
	}
	assert_int_equal(ww_buf_add(&b, "]}}]}", 5), 0);
	exchange(OPENAI, ww_slice_str(HI), ww_buf_slice(&b), "application/json");
	assert_int_equal(decode(), 0);
	assert_int_equal(c->tool_call_count, WW_TOOL_CALLS_MAX);
	assert_int_equal(c->tool_calls_dropped, 6);
	assert_true(c->findings & WW_X_LIMIT);
	ww_buf_clear(&b);
	assert_int_equal(ww_buf_add(&b, "{\"messages\":[", 13), 0);
	for (int i = 0; i < 70; i++) {
		snprintf(one, sizeof(one),
			 "%s{\"role\":\"tool\",\"tool_call_id\":\"c%d\",\"content\":\"x\"}",
			 i ? "," : "", i);
		assert_int_equal(ww_buf_add(&b, one, strlen(one)), 0);
	}
	assert_int_equal(ww_buf_add(&b, "]}", 2), 0);
	exchange(OPENAI, ww_buf_slice(&b), WW_SLICE_NULL, "");
	assert_int_equal(decode(), 0);
	assert_int_equal(c->tool_result_count, WW_TOOL_CALLS_MAX);
	assert_int_equal(c->tool_results_dropped, 6);
	ww_buf_done(&b);
}

static void long_and_odd_names_are_cut(void **state)
{
	char body[1024];

	snprintf(body, sizeof(body),
		 "{\"id\":\"%0300d\",\"model\":\"a\\u0000b\",\"choices\":[{\"finish_reason\":"
		 "\"s\\\"t\"}]}",
		 7);
	json_call(OPENAI, HI, body);
	assert_int_equal(c->findings, WW_X_CUT);
	assert_int_equal(strlen(c->response_id), sizeof(c->response_id) - 1);
	assert_string_equal(c->model_served, "a");
	assert_string_equal(c->stop_reason, "s");
}

static void counts_must_be_counts(void **state)
{
	json_call(OPENAI, HI,
		  "{\"choices\":[],\"usage\":{\"prompt_tokens\":-1,\"completion_tokens\":1.5,"
		  "\"total_tokens\":\"7\"}}");
	assert_no_usage();
	json_call(OPENAI, HI, "{\"choices\":[],\"usage\":{\"prompt_tokens\":0}}");
	assert_count(&c->usage.input, 0);
	assert_false(c->usage.output.present);
}

/* --- conversations
 * ------------------------------------------------------------------------------------ */

static void turns_chain_by_digest(void **state)
{
	static const char *const turn[] = {
		"{\"messages\":[{\"role\":\"system\",\"content\":\"day "
		"1\"},{\"role\":\"user\",\"content\":\"a\"}]}",
		"{\"messages\":[{\"role\":\"system\",\"content\":\"day "
		"2\"},{\"content\":[{\"text\":\"\\u0061\",\"type\":\"text\"}],\"role\":\"user\"},"
		"{\"role\":\"assistant\",\"content\":\"b\"},{\"role\":\"user\",\"content\":\"c\"}]"
		"}",
		"{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\","
		"\"content\":\"b\"},"
		"{\"role\":\"user\",\"content\":\"c\"},{\"role\":\"assistant\",\"content\":\"d\"},{"
		"\"role\":\"user\",\"content\":\"e\"}]}",
	};
	struct ww_sha256 before;

	json_call(OPENAI, turn[0], "{}");
	assert_false(c->parent_present);
	before = c->conversation;
	for (int i = 1; i < 3; i++) {
		json_call(OPENAI, turn[i], "{}");
		assert_true(c->parent_present);
		assert_memory_equal(&c->parent, &before, sizeof(before));
		assert_memory_not_equal(&c->conversation, &before, sizeof(before));
		before = c->conversation;
	}
	/* Another speaker, another split, another order: another conversation. */
	json_call(OPENAI, "{\"messages\":[{\"role\":\"user\",\"content\":\"ab\"}]}", "{}");
	before = c->conversation;
	json_call(OPENAI,
		  "{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"a\"},{\"text\":\"b\"}"
		  "]}]}",
		  "{}");
	assert_memory_not_equal(&c->conversation, &before, sizeof(before));
	json_call(OPENAI, "{\"messages\":[{\"role\":\"tool\",\"content\":\"ab\"}]}", "{}");
	assert_memory_not_equal(&c->conversation, &before, sizeof(before));
}

/* A turn is what follows one user's text: the calls of a loop of tools share it. */
static void calls_of_one_turn_share_it(void **state)
{
	static const char *const loop[] = {
		"{\"messages\":[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\","
		"\"content\":\"refund it\"}]}",
		"{\"messages\":[{\"role\":\"user\",\"content\":\"refund it\"},{\"role\":"
		"\"assistant\",\"tool_calls\":[]},{\"role\":\"tool\",\"tool_call_id\":\"1\","
		"\"content\":\"x\"}]}",
		"{\"messages\":[{\"role\":\"user\",\"content\":\"refund it\"},{\"role\":"
		"\"assistant\",\"content\":\"done\"},{\"role\":\"user\",\"content\":\"refund "
		"it\"}]}",
	};
	static const char *const claude =
		"{\"messages\":[{\"role\":\"user\",\"content\":\"refund it\"},{\"role\":"
		"\"assistant\",\"content\":[{\"type\":\"tool_use\",\"id\":\"1\",\"name\":\"r\","
		"\"input\":{}}]},{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\","
		"\"tool_use_id\":\"1\",\"content\":\"x\"},{\"type\":\"text\",\"text\":"
		"\"a reminder\"}]}]}";
	struct ww_sha256 first;

	json_call(OPENAI, loop[0], "{}");
	assert_true(c->turn_present);
	first = c->turn;
	json_call(OPENAI, loop[1], "{}");
	assert_memory_equal(&c->turn, &first, sizeof(first));
	json_call(ANTHROPIC, claude, "{}");
	assert_memory_equal(&c->turn, &first, sizeof(first));
	json_call(OPENAI, loop[2], "{}");
	assert_memory_not_equal(&c->turn, &first, sizeof(first));
	json_call(OPENAI, "{\"messages\":[{\"role\":\"tool\",\"content\":\"x\"}]}", "{}");
	assert_false(c->turn_present);
}

static struct ww_slice result_text(unsigned i)
{
	return ww_model_result_text(c, &c->tool_results[i]);
}

static void texts_of_new_results_are_kept(void **state)
{
	static char large[WW_TOOL_RESULTS_BYTES + 512];
	int n;

	json_call(OPENAI,
		  "{\"messages\":[{\"role\":\"tool\",\"content\":\"old\"},{\"role\":"
		  "\"assistant\"},{\"role\":\"tool\",\"content\":[{\"type\":\"text\",\"text\":"
		  "\"a\\u0062\"},{\"type\":\"text\",\"text\":\"c\"}]},{\"role\":\"tool\","
		  "\"content\":\"two\"}]}",
		  "{}");
	assert_int_equal(c->tool_result_count, 2);
	assert_true(ww_slice_eq_str(result_text(0), "ab\nc"));
	assert_true(ww_slice_eq_str(result_text(1), "two"));
	json_call(ANTHROPIC,
		  "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\","
		  "\"tool_use_id\":\"1\",\"content\":\"x\"},{\"type\":\"tool_result\","
		  "\"tool_use_id\":\"2\",\"content\":[{\"type\":\"text\",\"text\":\"y\"}]}]}]}",
		  "{}");
	assert_true(ww_slice_eq_str(result_text(0), "x"));
	assert_true(ww_slice_eq_str(result_text(1), "y"));
	/* Over the ceiling it is known by its digest only, the next one as well as before. */
	n = snprintf(large, sizeof(large), "{\"messages\":[{\"role\":\"tool\",\"content\":\"");
	memset(large + n, 'x', WW_TOOL_RESULTS_BYTES + 1);
	snprintf(large + n + WW_TOOL_RESULTS_BYTES + 1, 256,
		 "\"},{\"role\":\"tool\",\"content\":\"two\"}]}");
	json_call(OPENAI, large, "{}");
	assert_false(c->tool_results[0].kept);
	assert_int_equal(c->tool_results[0].bytes, WW_TOOL_RESULTS_BYTES + 1);
	assert_int_equal(result_text(0).n, 0);
	assert_true(ww_slice_eq_str(result_text(1), "two"));
}

#define TEXT(t)  "{\"type\":\"text\",\"text\":\"" t "\"}"
#define USER(p)  "{\"role\":\"user\",\"content\":[" p "]}"
#define ASKS(m)  "{\"model\":\"m\",\"messages\":[" m "]}"
#define RESULT   "{\"type\":\"tool_result\",\"tool_use_id\":\"t\",\"content\":\"r\"}"
#define ANSWERED "{\"role\":\"assistant\",\"content\":\"yes\"}"

static void the_text_of_the_prompt_is_kept(void **state)
{
	static const struct {
		const char *req, *text;
	} asks[] = {
		{ASKS(USER(TEXT("a")) "," ANSWERED "," USER(TEXT("b"))), "b"},
		{ASKS(USER(TEXT("a") "," TEXT("b\\n\\u00e9"))), "a\nb\n\xc3\xa9"},
		/* A message without text is no prompt. */
		{ASKS(USER(TEXT("a")) "," ANSWERED "," USER(RESULT)), "a"},
		{ASKS(USER(TEXT("a")) "," ANSWERED "," USER("")), "a"},
		{ASKS(USER(TEXT("a")) "," ANSWERED "," USER(TEXT(""))), "a"},
		{ASKS(USER(TEXT("a")) "," ANSWERED "," USER(TEXT("") "," TEXT("b"))), "\nb"},
		{ASKS(USER(RESULT "," TEXT("b"))), "b"},
		{ASKS(ANSWERED), ""},
	};
	static char req[WW_PROMPT_BYTES_MAX + 256];
	struct ww_slice kept;

	for (size_t i = 0; i < WW_ARRAY_SIZE(asks); i++) {
		json_call(ANTHROPIC, asks[i].req, "{}");
		kept = ww_buf_slice(&c->prompt_text);
		assert_true(ww_slice_eq_str(kept, asks[i].text));
		assert_int_equal(kept.n, c->prompt_bytes);
	}
	for (unsigned i = 0; i < 3; i++) {
		unsigned n = WW_PROMPT_BYTES_MAX - 1 + i;

		snprintf(req, sizeof(req), ASKS(USER(TEXT("%0*d"))), n, 7);
		json_call(ANTHROPIC, req, "{}");
		assert_int_equal(c->prompt_bytes, n);
		assert_int_equal(c->prompt_text.n, i < 2 ? n : WW_PROMPT_BYTES_MAX);
	}
}

static void only_new_tool_results_are_listed(void **state)
{
	json_call(OPENAI,
		  "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\","
		  "\"tool_calls\":[]},"
		  "{\"role\":\"tool\",\"tool_call_id\":\"old\",\"content\":\"1\"},{\"role\":"
		  "\"assistant\",\"content\":\"b\"},"
		  "{\"role\":\"tool\",\"tool_call_id\":\"new\",\"content\":\"2\"}]}",
		  "{}");
	assert_int_equal(c->tool_result_count, 1);
	assert_string_equal(c->tool_results[0].tool_call_id, "new");
}

/* --- record
 * ------------------------------------------------------------------------------------------- */

static void record_has_no_content(void **state)
{
	static const struct ww_clock_map clock;
	struct ww_jsonw w;
	struct ww_buf out;
	json_t *j, *usage;

	json_call(OPENAI,
		  "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"CONTENT\"},{"
		  "\"role\":\"user\",\"content\":\"CONTENT\"},"
		  "{\"role\":\"tool\",\"tool_call_id\":\"t1\",\"content\":\"CONTENT\"}],\"tools\":["
		  "\"CONTENT\"]}",
		  "{\"id\":\"r1\",\"choices\":[{\"message\":{\"content\":\"CONTENT\",\"tool_"
		  "calls\":[{\"id\":\"t2\",\"function\":{\"name\":\"f\","
		  "\"arguments\":\"CONTENT\"}}]}}],\"usage\":{\"prompt_tokens\":0}}");
	ww_buf_init(&out, WW_RECORD_BYTES_MAX);
	ww_jsonw_init(&w, &out);
	ww_model_write(c, &clock, &w);
	assert_true(ww_jsonw_ok(&w));
	assert_null(memmem(out.p, out.n, "CONTENT", 7));
	j = json_loadb((const char *)out.p, out.n, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(j);
	assert_string_equal(json_string_value(json_object_get(j, "kind")), "model_call");
	assert_string_equal(json_string_value(json_object_get(j, "id")), "m-5-2");
	assert_string_equal(json_string_value(json_object_get(j, "exchange")), "x-5-2");
	assert_string_equal(json_string_value(json_object_get(j, "provider")), "openai.chat");
	usage = json_object_get(j, "usage");
	assert_int_equal(json_object_size(usage), 1);
	assert_int_equal(json_integer_value(json_object_get(usage, "input")), 0);
	assert_int_equal(json_array_size(json_object_get(j, "toolCalls")), 1);
	assert_int_equal(json_array_size(json_object_get(j, "toolResults")), 1);
	json_decref(j);
	ww_buf_done(&out);
}

static void the_largest_record_fits(void **state)
{
	static const struct ww_clock_map clock;
	struct ww_jsonw w;
	struct ww_buf out;

	json_call(OPENAI, HI, "{}");
	c->tool_call_count = c->tool_result_count = WW_TOOL_CALLS_MAX;
	memset(c->tool_calls, 0, sizeof(c->tool_calls));
	memset(c->tool_results, 0, sizeof(c->tool_results));
	c->tool_calls_dropped = c->tool_results_dropped = UINT32_MAX;
	c->findings = ~0u;
	memset(c->model_asked, 'x', sizeof(c->model_asked) - 1);
	memset(c->model_served, 'x', sizeof(c->model_served) - 1);
	for (int i = 0; i < (int)WW_TOOL_CALLS_MAX; i++) {
		memset(c->tool_calls[i].id, 'x', sizeof(c->tool_calls[i].id) - 1);
		memset(c->tool_calls[i].name, 'x', sizeof(c->tool_calls[i].name) - 1);
		memset(c->tool_results[i].tool_call_id, 'x',
		       sizeof(c->tool_results[i].tool_call_id) - 1);
		c->tool_calls[i].argument_bytes = c->tool_results[i].bytes = 1u << 30;
		c->tool_calls[i].remote = c->tool_results[i].is_error = true;
	}
	ww_buf_init(&out, WW_RECORD_BYTES_MAX);
	ww_jsonw_init(&w, &out);
	ww_model_write(c, &clock, &w);
	assert_true(ww_jsonw_ok(&w));
	ww_buf_done(&out);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(must_not_be_a_model_call),
		T(must_find_malformed_bodies),
		T(an_html_error_page_is_no_malformed_json),
		T(no_answer_is_still_a_call),
		T(openai_json),
		T(openai_stream),
		T(a_stream_without_usage_has_none),
		T(an_error_in_a_stream_is_no_whole_answer),
		T(anthropic_json),
		T(anthropic_stream),
		T(error_documents),
		T(every_cut_of_a_stream),
		T(every_cut_of_a_request),
		T(every_changed_byte),
		T(tool_calls_have_a_ceiling),
		T(long_and_odd_names_are_cut),
		T(counts_must_be_counts),
		T(turns_chain_by_digest),
		T(calls_of_one_turn_share_it),
		T(texts_of_new_results_are_kept),
		T(the_text_of_the_prompt_is_kept),
		T(only_new_tool_results_are_listed),
		T(record_has_no_content),
		T(the_largest_record_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
