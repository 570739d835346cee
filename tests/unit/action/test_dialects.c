/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tells the dialects apart, and what the conversations of tests/golden/llm do not have: other
 * framings, provider's tools, errors, cuts.
 */
#include "call.h"

#include <errno.h>
#include <jansson.h>

#include "action/bedrock.h"
#include "base/encode.h"

#include "../../lib/aws_message.h"

#define JSON   "application/json"
#define SSE    "text/event-stream"
#define LINES  "application/x-ndjson"
#define AWS    "application/vnd.amazon.eventstream"
#define GEMINI "/v1beta/models/gemini-3-pro"
#define CLAUDE "/model/eu.anthropic.claude-sonnet-5-v1%3A0"

static void set_body(struct ww_body *b, const char *text, const char *type)
{
	*b = (struct ww_body){.data = ww_slice_str(text), .whole = true};
	strncpy(b->content_type, type, sizeof(b->content_type) - 1);
}

static int try(const char *target, const char *req, const char *resp, const char *type)
{
	x = (struct ww_exchange){
		.client = true, .outcome = WW_X_COMPLETE, .method = "POST", .status = 200};
	strncpy(x.target, target, sizeof(x.target) - 1);
	set_body(&x.req, req, JSON);
	set_body(&x.resp, resp, type);
	return decode();
}

static void call(const char *target, const char *req, const char *resp, const char *type)
{
	assert_int_equal(try(target, req, resp, type), 0);
	assert_int_equal(c->findings, 0);
}

static void assert_tool(unsigned i, const char *id, const char *name, const char *arguments)
{
	assert_true(i < c->tool_call_count);
	assert_string_equal(c->tool_calls[i].id, id);
	assert_string_equal(c->tool_calls[i].name, name);
	assert_digest(&c->tool_calls[i].arguments, arguments);
	assert_int_equal(c->tool_calls[i].argument_bytes, strlen(arguments));
}

/* --- which dialect
 * ---------------------------------------------------------------------------------- */

#define CHAT      "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"
#define CHAT_SAID "{\"choices\":[]}"
#define CONTENTS  "{\"contents\":[{\"parts\":[{\"text\":\"hi\"}]}]}"
#define CONTENT                                                                             \
	"{\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[{\"text\":\"ho\"}]}," \
	"\"finishReason\":\"STOP\"}]}"
#define BLOCKS "{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"hi\"}]}]}"
#define CONVERSE \
	"{\"output\":{\"message\":{\"role\":\"assistant\",\"content\":[{\"text\":\"ho\"}]}}}"
#define VENDOR                                                                            \
	"{\"anthropic_version\":\"bedrock-2023-05-31\",\"messages\":[{\"role\":\"user\"," \
	"\"content\":\"hi\"}]}"
#define MESSAGE "{\"type\":\"message\",\"content\":[]}"
#define OLLAMA  "{\"message\":{\"role\":\"assistant\",\"content\":\"ho\"},\"done\":true}"

static void paths_and_shapes_tell_the_dialect(void **state)
{
	static const struct {
		const char *target, *req, *resp, *name, *model;
	} t[] = {
		{"/v1/chat/completions", CHAT, CHAT_SAID, "openai.chat", "m"},
		{"/openai/v1/chat/completions", CHAT, CHAT_SAID, "openai.chat", "m"},
		{"/api/v1/chat/completions", CHAT, CHAT_SAID, "openai.chat", "m"},
		{"/chat/completions", CHAT, CHAT_SAID, "openai.chat", "m"},
		{"/openai/deployments/prod%20a/chat/completions?api-version=1", CHAT, CHAT_SAID,
		 "azure.openai.chat", "prod a"},
		{"/v1/responses", "{\"model\":\"m\",\"input\":\"hi\"}", "{\"object\":\"response\"}",
		 "openai.responses", "m"},
		{"/openai/responses?api-version=1", "{\"model\":\"m\",\"input\":[]}",
		 "{\"object\":\"response\"}", "azure.openai.responses", "m"},
		{GEMINI ":generateContent?key=k", CONTENTS, CONTENT, "gemini.generate_content",
		 "gemini-3-pro"},
		{"/v1/projects/p/locations/eu/publishers/google/models/g:generateContent", CONTENTS,
		 CONTENT, "gemini.generate_content", "g"},
		{CLAUDE "/converse", BLOCKS, CONVERSE, "bedrock.converse",
		 "eu.anthropic.claude-sonnet-5-v1:0"},
		{"/model/a:0/invoke", VENDOR, MESSAGE, "bedrock.anthropic", "a:0"},
		{"/model/arn%3Aaws%3Abedrock%3Aeu%3A1%3Ap%2Fq/invoke", VENDOR, MESSAGE,
		 "bedrock.anthropic", "arn:aws:bedrock:eu:1:p/q"},
		{"/api/chat", CHAT, OLLAMA, "ollama.chat", "m"},
		{"/api/generate", "{\"model\":\"m\",\"prompt\":\"hi\"}",
		 "{\"response\":\"ho\",\"done\":true}", "ollama.generate", "m"},
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(t); i++) {
		if (try(t[i].target, t[i].req, t[i].resp, JSON) < 0)
			fail_msg("not taken: %s", t[i].target);
		assert_string_equal(ww_model_provider_name(c->provider), t[i].name);
		assert_string_equal(c->model_asked, t[i].model);
		assert_int_equal(c->findings, 0);
		assert_true(c->request_whole && c->response_whole);
	}
}

static void what_is_not_known_is_no_model_call(void **state)
{
	static const struct {
		const char *target, *req, *resp, *type;
	} no[] = {
		/* Other things under such paths. */
		{"/api/chat", "{\"messages\":[{\"role\":\"user\"}]}", OLLAMA, JSON},
		{"/api/chat", CHAT, "{\"id\":7}", JSON},
		{"/api/chat", CHAT, "{\"message\":{\"role\":\"assistant\",\"content\":\"x\"}}",
		 JSON},
		{"/api/chat", CHAT, "data: {\"type\":\"text-delta\"}\n\ndata: [DONE]\n\n", SSE},
		{"/api/chat", CHAT, "0:\"hello\"\n", "text/plain"},
		{"/api/generate", "{\"model\":\"m\",\"prompt\":\"a cat\"}", "{\"image\":\"...\"}",
		 JSON},
		{"/api/generate", "{\"model\":\"m\",\"prompt\":[]}",
		 "{\"response\":\"\",\"done\":true}", JSON},
		{"/chat/completions", CHAT, "{\"ok\":true}", JSON},
		{"/chat/completions", CHAT, "<html>", "text/html"},
		{"/v1/responses", "{\"input\":\"survey\"}", "{\"id\":\"7\"}", JSON},
		{"/v1/responses", "{\"answers\":[]}", "{\"object\":\"response\"}", JSON},
		/* Other vendors' bodies, other methods of the same services. */
		{"/model/a/invoke", "{\"inputText\":\"hi\"}", "{\"results\":[]}", JSON},
		{"/model/a/invoke", BLOCKS, CONVERSE, JSON},
		{"/model/a/invoke", BLOCKS, MESSAGE, JSON},
		{"/model/a/invoke-async", VENDOR, MESSAGE, JSON},
		{"/model//invoke", VENDOR, MESSAGE, JSON},
		{"/model/a/b/converse", BLOCKS, CONVERSE, JSON},
		{"/models/a/converse", BLOCKS, CONVERSE, JSON},
		{"/model/a/converse", BLOCKS, "{\"message\":\"sent\"}", JSON},
		{GEMINI ":countTokens", CONTENTS, "{\"totalTokens\":1}", JSON},
		{GEMINI ":embedContent", CONTENTS, "{}", JSON},
		{GEMINI ":generateContent", "{\"instances\":[]}", CONTENT, JSON},
		{GEMINI ":generateContent", CONTENTS, "{\"predictions\":[]}", JSON},
		{"/models/:generateContent", CONTENTS, CONTENT, JSON},
		{"/v1/models/a/b:generateContent", CONTENTS, CONTENT, JSON},
		{"/openai/deployments/d/embeddings", CHAT, CHAT_SAID, JSON},
		{"/openai/deployments/d/x/chat/completionsx", CHAT, CHAT_SAID, JSON},
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(no); i++)
		if (try(no[i].target, no[i].req, no[i].resp, no[i].type) != -ENOENT)
			fail_msg("taken as %s: %s %s %s", ww_model_provider_name(c->provider),
				 no[i].target, no[i].req, no[i].resp);
}

/* Where the path alone could be another's, the request must be of the shape, and say so. */
static void without_an_answer_the_request_tells(void **state)
{
	assert_int_equal(try("/api/chat", CHAT, "", ""), 0);
	assert_true(c->request_whole && !c->response_whole && c->stream_asked);
	assert_int_equal(try("/api/chat", "{\"to\":\"alice\"}", "", ""), -ENOENT);
	assert_int_equal(try(CLAUDE "/invoke", BLOCKS, "", ""), -ENOENT);
	/* A refusal has any shape. */
	(void)try(CLAUDE "/converse", BLOCKS, "{\"message\":\"Too many requests\"}", JSON);
	x.status = 429;
	assert_int_equal(decode(), 0);
	assert_int_equal(c->status, 429);
	assert_no_usage();
	/* Of a request that was cut before its mark nothing is known. */
	(void)try(CLAUDE "/invoke", VENDOR, MESSAGE, JSON);
	x.req.data.n = 10;
	x.req.whole = false;
	assert_int_equal(decode(), -ENOENT);
}

/* --- OpenAI's shape elsewhere
 * ----------------------------------------------------------------------- */

#define DELTA(d, finish) \
	"data: {\"choices\":[{\"index\":0,\"delta\":" d ",\"finish_reason\":" finish "}]}\n\n"

static void calls_without_an_index_are_told_by_their_ids(void **state)
{
	call("/v1beta/openai/chat/completions", CHAT,
	     DELTA("{\"tool_calls\":[{\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":"
		   "\"{}\"}}]}",
		   "null") DELTA("{\"tool_calls\":[{\"id\":\"b\",\"function\":{\"name\":\"g\","
				 "\"arguments\":"
				 "\"[\"}}]}",
				 "null")
		     DELTA("{\"tool_calls\":[{\"function\":{\"arguments\":\"]\"}}]}", "null")
			     DELTA("{}", "\"tool_calls\"") "data: [DONE]\n\n",
	     SSE);
	assert_int_equal(c->tool_call_count, 2);
	assert_tool(0, "a", "f", "{}");
	assert_tool(1, "b", "g", "[]");
	assert_true(c->tool_calls[0].complete && c->tool_calls[1].complete);
}

static void comments_of_a_gateway_are_no_events(void **state)
{
	call("/api/v1/chat/completions", CHAT,
	     ": OPENROUTER PROCESSING\n\n" DELTA(
		     "{\"content\":\"ho\"}",
		     "\"stop\"") "data: "
				 "{\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_"
				 "tokens\":1,\"cost\":"
				 "0.1}}\n\ndata: [DONE]\n\n",
	     SSE);
	assert_true(c->response_whole);
	assert_count(&c->usage.input, 3);
	assert_false(c->usage.total.present);
}

static void tools_that_the_service_ran_are_remote(void **state)
{
	call("/openai/v1/chat/completions", CHAT,
	     "{\"choices\":[{\"index\":0,\"message\":{\"content\":\"ho\",\"executed_tools\":[{"
	     "\"index\":0,\"type\":\"search\",\"arguments\":\"{\\\"q\\\":1}\",\"output\":\"x\"}]},"
	     "\"finish_reason\":\"stop\"}]}",
	     JSON);
	assert_int_equal(c->tool_call_count, 1);
	assert_tool(0, "", "search", "{\"q\":1}");
	assert_true(c->tool_calls[0].remote);
}

static void errors_of_all_kinds(void **state)
{
	static const struct {
		const char *target, *req, *resp, *error;
	} t[] = {
		{"/v1/chat/completions", CHAT,
		 "{\"object\":\"error\",\"message\":\"m\",\"type\":\"BadRequestError\",\"code\":"
		 "400}",
		 "BadRequestError"},
		{"/openai/deployments/d/chat/completions", CHAT,
		 "{\"error\":{\"code\":\"DeploymentNotFound\",\"message\":\"m\"}}",
		 "DeploymentNotFound"},
		{"/api/v1/chat/completions", CHAT, "{\"error\":{\"code\":402,\"message\":\"m\"}}",
		 "unknown"},
		{"/v1/responses", "{\"input\":\"hi\"}",
		 "{\"error\":{\"message\":\"m\",\"type\":\"invalid_request_error\",\"code\":null}}",
		 "invalid_request_error"},
		{GEMINI ":generateContent", CONTENTS,
		 "{\"error\":{\"code\":429,\"message\":\"m\",\"status\":\"RESOURCE_EXHAUSTED\"}}",
		 "RESOURCE_EXHAUSTED"},
		{GEMINI ":streamGenerateContent", CONTENTS,
		 "[{\"error\":{\"code\":503,\"message\":\"m\",\"status\":\"UNAVAILABLE\"}}]",
		 "UNAVAILABLE"},
		{"/api/chat", CHAT, "{\"error\":\"model 'm' not found\"}", "unknown"},
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(t); i++) {
		for (uint16_t status = 200; status <= 400; status += 200) {
			(void)try(t[i].target, t[i].req, t[i].resp, JSON);
			x.status = status;
			assert_int_equal(decode(), 0);
			assert_string_equal(c->error_type, t[i].error);
			assert_no_usage();
		}
	}
}

/* --- Responses
 * -------------------------------------------------------------------------------------- */

static void items_of_one_answer_are_one_message(void **state)
{
	struct ww_sha256 before;

	call("/v1/responses", "{\"model\":\"m\",\"input\":\"hi\"}", "{\"object\":\"response\"}",
	     JSON);
	assert_digest(&c->prompt, "hi");
	before = c->conversation;
	call("/v1/responses",
	     "{\"model\":\"m\",\"input\":[{\"role\":\"user\",\"content\":\"hi\"},"
	     "{\"type\":\"reasoning\",\"id\":\"rs\",\"summary\":[]},"
	     "{\"type\":\"message\",\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\","
	     "\"text\":\"wait\"}]},"
	     "{\"type\":\"function_call\",\"call_id\":\"a\",\"name\":\"f\",\"arguments\":\"{}\"},"
	     "{\"type\":\"function_call\",\"call_id\":\"b\",\"name\":\"g\",\"arguments\":\"{}\"},"
	     "{\"type\":\"function_call_output\",\"call_id\":\"a\",\"output\":\"one\"},"
	     "{\"type\":\"function_call_output\",\"call_id\":\"b\",\"output\":[{\"type\":\"input_"
	     "text\",\"text\":\"two\"}]}]}",
	     "{\"object\":\"response\",\"status\":\"incomplete\",\"incomplete_details\":{"
	     "\"reason\":"
	     "\"max_output_tokens\"}}",
	     JSON);
	assert_memory_equal(&c->parent, &before, sizeof(before));
	assert_string_equal(c->stop_reason, "max_output_tokens");
	assert_int_equal(c->turn_call_count, 2);
	assert_int_equal(c->tool_result_count, 2);
	assert_string_equal(c->tool_results[1].tool_call_id, "b");
	assert_digest(&c->tool_results[0].digest, "one");
	assert_digest(&c->tool_results[1].digest, "two");
	assert_false(c->history_over);
}

/* Two conversations in which "yes" is said are not one, and what came before is not known. */
static void a_kept_conversation_is_told_by_its_name(void **state)
{
	struct ww_sha256 turn;

	call("/v1/responses", "{\"input\":\"yes\",\"previous_response_id\":\"resp_1\"}",
	     "{\"object\":\"response\"}", JSON);
	assert_true(c->turn_present && c->history_over && !c->parent_present);
	assert_int_equal(c->messages, 1);
	turn = c->turn;
	call("/v1/responses", "{\"input\":\"yes\",\"previous_response_id\":\"resp_2\"}",
	     "{\"object\":\"response\"}", JSON);
	assert_memory_not_equal(&c->turn, &turn, sizeof(turn));
	/* Results alone are of no turn that is known here. */
	call("/v1/responses",
	     "{\"previous_response_id\":\"resp_2\",\"input\":[{\"type\":\"function_call_output\","
	     "\"call_id\":\"a\",\"output\":\"x\"}]}",
	     "{\"object\":\"response\"}", JSON);
	assert_false(c->turn_present);
	assert_int_equal(c->tool_result_count, 1);
}

static void who_carries_a_response_tool_out(void **state)
{
	call("/v1/responses", "{\"input\":\"hi\"}",
	     "{\"object\":\"response\",\"status\":\"completed\",\"output\":["
	     "{\"type\":\"mcp_call\",\"id\":\"mcp_1\",\"name\":\"lookup\",\"server_label\":\"s\","
	     "\"arguments\":\"{}\",\"output\":\"x\"},"
	     "{\"type\":\"local_shell_call\",\"id\":\"i\",\"call_id\":\"c1\",\"action\":{\"type\":"
	     "\"exec\"}},"
	     "{\"type\":\"code_interpreter_call\",\"id\":\"ci_1\",\"code\":\"1+1\"},"
	     "{\"type\":\"quantum_call\",\"id\":\"q\"}]}",
	     JSON);
	assert_int_equal(c->tool_call_count, 3);
	assert_tool(0, "mcp_1", "lookup", "{}");
	assert_tool(1, "c1", "local_shell_call", "{\"type\":\"exec\"}");
	assert_tool(2, "ci_1", "code_interpreter_call", "1+1");
	assert_true(c->tool_calls[0].remote && !c->tool_calls[1].remote && c->tool_calls[2].remote);
}

static void a_cut_response_stream_keeps_the_calls_that_were_done(void **state)
{
	static const char text[] =
		"data: {\"type\":\"response.created\",\"response\":{\"object\":\"response\",\"id\":"
		"\"r1\",\"status\":\"in_progress\"}}\n\n"
		"data: "
		"{\"type\":\"response.output_item.done\",\"item\":{\"type\":\"function_call\","
		"\"call_id\":\"a\",\"name\":\"f\",\"arguments\":\"{}\"}}\n\n"
		"data: {\"type\":\"response.output_text.delta\",\"delta\":\"Hel\"}\n\n";

	call("/v1/responses", "{\"input\":\"hi\",\"stream\":true}", text, SSE);
	assert_true(c->streamed && !c->response_whole);
	assert_string_equal(c->response_id, "r1");
	assert_string_equal(c->stop_reason, "");
	assert_tool(0, "a", "f", "{}");
	assert_true(c->tool_calls[0].complete);
	assert_digest(&c->text, "Hel");
	assert_no_usage();
	call("/v1/responses", "{\"input\":\"hi\",\"stream\":true}",
	     "data: {\"type\":\"response.failed\",\"response\":{\"object\":\"response\",\"status\":"
	     "\"failed\",\"error\":{\"code\":\"server_error\",\"message\":\"m\"}}}\n\n",
	     SSE);
	assert_false(c->response_whole);
	assert_string_equal(c->error_type, "server_error");
}

/* --- Gemini
 * ----------------------------------------------------------------------------------------- */

#define GEMINI_ARRAY                                                                            \
	"[{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Hel\"}],\"role\":\"model\"}}]," \
	"\"usageMetadata\":{\"promptTokenCount\":5}}\n,\r\n{\"candidates\":[{\"content\":{"     \
	"\"parts\":[{\"text\":\"lo\"}]},\"finishReason\":\"MAX_TOKENS\"}],\"usageMetadata\":{"  \
	"\"promptTokenCount\":5,\"candidatesTokenCount\":2,\"totalTokenCount\":7}}\n]"

static void a_stream_can_be_one_array(void **state)
{
	call(GEMINI ":streamGenerateContent", CONTENTS, GEMINI_ARRAY, JSON);
	assert_true(c->streamed && c->stream_asked && c->response_whole);
	assert_digest(&c->text, "Hello");
	assert_string_equal(c->stop_reason, "MAX_TOKENS");
	assert_count(&c->usage.output, 2);
	assert_count(&c->usage.total, 7);
	/* The array's own end counts: the connection may have gone on. */
	x.resp.whole = false;
	assert_int_equal(decode(), 0);
	assert_true(c->response_whole);
	/* Cut off at any byte it is not whole and has no usage; no call is made up. */
	for (size_t n = 1; n < strlen(GEMINI_ARRAY); n++) {
		x.resp.data.n = n;
		if (decode() < 0)
			continue;
		assert_int_equal(c->findings, 0);
		assert_false(c->response_whole);
		assert_no_usage();
	}
	assert_int_equal(try(GEMINI ":streamGenerateContent", CONTENTS, "[7]", JSON), -ENOENT);
	assert_int_equal(try(GEMINI ":streamGenerateContent", CONTENTS, "[" CONTENT ",oops]", JSON),
			 0);
	assert_true(c->findings & WW_X_MALFORMED_BODY);
	assert_false(c->response_whole);
}

static void gemini_calls_with_and_without_ids(void **state)
{
	call(GEMINI ":generateContent",
	     "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"hi\"}]},"
	     "{\"role\":\"model\",\"parts\":[{\"functionCall\":{\"name\":\"f\",\"args\":{}}},"
	     "{\"functionCall\":{\"id\":\"b\",\"name\":\"f\",\"args\":{}}}]},"
	     "{\"role\":\"user\",\"parts\":[{\"functionResponse\":{\"name\":\"f\",\"response\":{"
	     "\"a\":1}}},{\"functionResponse\":{\"id\":\"b\",\"name\":\"f\",\"response\":{}}}]}],"
	     "\"systemInstruction\":{\"parts\":[{\"text\":\"brief\"}]},\"tools\":[1]}",
	     "{\"candidates\":[{\"content\":{\"parts\":[{\"functionCall\":{\"name\":\"f\",\"args\":"
	     "{"
	     " }}},{\"functionCall\":{\"name\":\"f\",\"args\":{ }}},{\"functionCall\":{\"name\":"
	     "\"g\",\"partialArgs\":[{\"jsonPath\":\"$.a\"}],\"willContinue\":true}}]},"
	     "\"finishReason\":\"STOP\"},{\"index\":1,\"content\":{\"parts\":[{\"text\":\"other\"}]"
	     "}"
	     "}]}",
	     JSON);
	assert_int_equal(c->messages, 3);
	assert_digest(&c->system, "brief");
	assert_digest(&c->tools, "[1]");
	assert_int_equal(c->turn_call_count, 2);
	assert_int_equal(c->tool_result_count, 2);
	assert_string_equal(c->tool_results[0].tool_call_id, "");
	assert_string_equal(c->tool_results[0].tool, "f");
	assert_digest(&c->tool_results[0].digest, "{\"a\":1}");
	assert_string_equal(c->tool_results[1].tool_call_id, "b");
	assert_string_equal(c->tool_results[1].tool, "");
	/* Two calls of one name without ids are two. */
	assert_int_equal(c->tool_call_count, 3);
	assert_tool(0, "", "f", "{ }");
	assert_tool(1, "", "f", "{ }");
	assert_int_equal(c->text_bytes, 0);
}

static void arguments_in_pieces_are_not_complete(void **state)
{
	call(GEMINI ":streamGenerateContent?alt=sse", CONTENTS,
	     "data: {\"candidates\":[{\"content\":{\"parts\":[{\"functionCall\":{\"name\":\"g\","
	     "\"willContinue\":true}}]},\"finishReason\":\"STOP\"}]}\n\n",
	     SSE);
	assert_true(c->streamed && c->response_whole);
	assert_int_equal(c->tool_call_count, 1);
	assert_false(c->tool_calls[0].complete);
}

static void what_google_runs_is_remote(void **state)
{
	call(GEMINI ":generateContent", CONTENTS,
	     "{\"candidates\":[{\"content\":{\"parts\":[{\"executableCode\":{\"language\":"
	     "\"PYTHON\",\"code\":\"1\"}},{\"codeExecutionResult\":{\"outcome\":\"OUTCOME_OK\"}},"
	     "{\"toolCall\":{\"id\":\"t\",\"toolType\":\"GOOGLE_MAPS\",\"args\":{}}},"
	     "{\"text\":\"so\"}]},\"finishReason\":\"STOP\",\"groundingMetadata\":{"
	     "\"webSearchQueries\":[\"q\"]}}]}",
	     JSON);
	assert_int_equal(c->tool_call_count, 3);
	assert_string_equal(c->tool_calls[0].name, "executableCode");
	assert_tool(1, "t", "GOOGLE_MAPS", "{}");
	assert_tool(2, "", "googleSearch", "[\"q\"]");
	for (unsigned i = 0; i < 3; i++)
		assert_true(c->tool_calls[i].remote && c->tool_calls[i].complete);
	assert_digest(&c->text, "so");
}

static void a_refused_prompt_says_why(void **state)
{
	call(GEMINI ":generateContent", CONTENTS,
	     "{\"promptFeedback\":{\"blockReason\":\"SAFETY\"},\"usageMetadata\":{"
	     "\"promptTokenCount\":4}}",
	     JSON);
	assert_string_equal(c->stop_reason, "SAFETY");
	assert_count(&c->usage.input, 4);
	assert_false(c->usage.output.present);
}

/* --- Bedrock
 * ---------------------------------------------------------------------------------------- */

static void converse_parts(void **state)
{
	call(CLAUDE "/converse",
	     "{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"hi\"},{\"cachePoint\":{}}]"
	     "},"
	     "{\"role\":\"assistant\",\"content\":[{\"toolUse\":{\"toolUseId\":\"a\",\"name\":"
	     "\"f\","
	     "\"input\":{}}}]},{\"role\":\"user\",\"content\":[{\"toolResult\":{\"toolUseId\":"
	     "\"a\","
	     "\"content\":[{\"text\":\"no\"},{\"json\":{\"e\":1}}],\"status\":\"error\"}}]}],"
	     "\"system\":[{\"text\":\"brief\"}],\"toolConfig\":{\"tools\":[]}}",
	     "{\"output\":{\"message\":{\"role\":\"assistant\",\"content\":[{\"reasoningContent\":{"
	     "\"reasoningText\":{\"text\":\"hm\",\"signature\":\"s\"}}},{\"text\":\"ho\"},"
	     "{\"toolUse\":{\"toolUseId\":\"b\",\"name\":\"g\",\"input\":{\"x\":1}}},"
	     "{\"toolUse\":{\"toolUseId\":\"w\",\"name\":\"nova_grounding\",\"type\":"
	     "\"server_tool_use\",\"input\":{}}}]}},\"stopReason\":\"tool_use\",\"usage\":{"
	     "\"inputTokens\":3,\"outputTokens\":4,\"totalTokens\":7}}",
	     JSON);
	assert_int_equal(c->messages, 3);
	assert_digest(&c->system, "brief");
	assert_int_equal(c->tool_result_count, 1);
	assert_true(c->tool_results[0].is_error);
	assert_digest(&c->tool_results[0].digest, "no\n{\"e\":1}");
	assert_string_equal(c->stop_reason, "tool_use");
	assert_int_equal(c->tool_call_count, 2);
	assert_tool(0, "b", "g", "{\"x\":1}");
	assert_true(!c->tool_calls[0].remote && c->tool_calls[1].remote);
	assert_digest(&c->text, "ho");
	assert_true(ww_slice_eq_str(ww_buf_slice(&c->thought), "hm"));
	assert_count(&c->usage.input, 3);
	assert_false(c->usage.cache_read.present);
}

/* A message of the AWS event stream with this one header, after the *n bytes in `out`. */
static void put_event(uint8_t *out, size_t *n, const char *header, const char *value,
		      const char *payload)
{
	char headers[128];
	int size = snprintf(headers, sizeof(headers), "%c%s\7%c%c%s", (char)strlen(header), header,
			    0, (char)strlen(value), value);

	assert_true(size > 0 && size < (int)sizeof(headers));
	*n += put_message(out + *n, ww_slice(headers, (size_t)size), ww_slice_str(payload));
}

static int try_aws(const uint8_t *bytes, size_t n)
{
	(void)try(CLAUDE "/converse-stream", BLOCKS, "", AWS);
	x.resp.data = ww_slice(bytes, n);
	return decode();
}

static void aws_streams(void **state)
{
	uint8_t bytes[1024];
	size_t started, stopped, n = 0;

	put_event(bytes, &n, ":event-type", "messageStart", "{\"role\":\"assistant\"}");
	started = n;
	put_event(bytes, &n, ":event-type", "messageStop", "{\"stopReason\":\"end_turn\"}");
	stopped = n;
	put_event(bytes, &n, ":event-type", "metadata", "{\"usage\":{\"inputTokens\":5}}");
	assert_int_equal(try_aws(bytes, n), 0);
	assert_true(c->streamed && c->response_whole && c->findings == 0);
	assert_count(&c->usage.input, 5);
	/* Cut anywhere: what came before counts, and no usage. */
	for (size_t cut = started; cut < n; cut++) {
		assert_int_equal(try_aws(bytes, cut), 0);
		assert_no_usage();
		assert_string_equal(c->stop_reason, cut < stopped ? "" : "end_turn");
		x.resp.whole = false;
		assert_int_equal(decode(), 0);
		assert_false(c->response_whole);
	}
	/* One byte is not as it was written. */
	for (size_t i = started; i < stopped; i++) {
		bytes[i] ^= 1;
		assert_int_equal(try_aws(bytes, n), 0);
		assert_false(c->response_whole);
		assert_int_not_equal(c->findings, 0);
		assert_string_equal(c->stop_reason, "");
		bytes[i] ^= 1;
	}
	n = started;
	put_event(bytes, &n, ":exception-type", "throttlingException", "{\"message\":\"no\"}");
	assert_int_equal(try_aws(bytes, n), 0);
	assert_string_equal(c->error_type, "throttlingException");
	assert_false(c->response_whole);
	/* On a path that others have, too: no answer of the dialect. */
	assert_int_equal(try_aws((const uint8_t *)"\1\2\3\4", 4), -ENOENT);
	n = 0;
	put_event(bytes, &n, ":event-type", "other", "{}");
	assert_int_equal(try_aws(bytes, n), -ENOENT);
}

static struct ww_parts *parts_new(const struct ww_parts_shape *shape)
{
	struct ww_parts *p = calloc(1, sizeof(*p));
	struct ww_model_call *call = calloc(1, sizeof(*call));

	assert_true(p && call);
	p->key = &key;
	p->call = call;
	call->streamed = true;
	ww_buf_init(&p->scratch, 1 << 20);
	ww_buf_init(&p->inner, 1 << 20);
	ww_buf_init(&call->answer, 1 << 20);
	ww_buf_init(&call->thought, 1 << 20);
	return p;
}

static void parts_done(struct ww_parts *p)
{
	ww_buf_done(&p->scratch);
	ww_buf_done(&p->inner);
	ww_model_call_free(p->call);
	free(p);
}

static enum ww_parse piece(struct ww_parts *p, const struct ww_parts_shape *shape, const char *type,
			   const char *data)
{
	struct ww_piece one = {.type = ww_slice_str(type), .data = ww_slice_str(data)};

	return shape->piece(p, &one);
}

static void converse_events(void **state)
{
	static const struct {
		const char *type, *data;
	} e[] = {
		{"messageStart", "{\"role\":\"assistant\",\"p\":\"ab\"}"},
		{"contentBlockDelta",
		 "{\"contentBlockIndex\":0,\"delta\":{\"reasoningContent\":{\"text\":\"hm\"}}}"},
		{"contentBlockStop", "{\"contentBlockIndex\":0}"},
		{"contentBlockDelta", "{\"contentBlockIndex\":1,\"delta\":{\"text\":\"ho\"}}"},
		{"contentBlockStart",
		 "{\"contentBlockIndex\":2,\"start\":{\"toolUse\":{\"toolUseId\":"
		 "\"a\",\"name\":\"f\"}}}"},
		{"contentBlockDelta",
		 "{\"contentBlockIndex\":2,\"delta\":{\"toolUse\":{\"input\":\"{\\\"x\\\"\"}}}"},
		{"contentBlockDelta",
		 "{\"contentBlockIndex\":2,\"delta\":{\"toolUse\":{\"input\":\":1}\"}}}"},
		{"contentBlockStop", "{\"contentBlockIndex\":2}"},
		{"contentBlockStart",
		 "{\"contentBlockIndex\":3,\"start\":{\"toolUse\":{\"toolUseId\":"
		 "\"b\",\"name\":\"g\"}}}"},
		{"contentBlockStop", "{\"contentBlockIndex\":3}"},
		{"contentBlockStart",
		 "{\"contentBlockIndex\":4,\"start\":{\"toolUse\":{\"toolUseId\":"
		 "\"d\",\"name\":\"h\"}}}"},
		{"messageStop", "{\"stopReason\":\"tool_use\"}"},
		{"somethingNew", "{}"},
		{"metadata", "{\"usage\":{\"inputTokens\":3,\"cacheReadInputTokens\":2}}"},
	};
	struct ww_parts *p = parts_new(&ww_bedrock_converse);
	struct ww_sha256 text;
	uint64_t bytes;

	for (size_t i = 0; i < WW_ARRAY_SIZE(e); i++)
		assert_int_equal(piece(p, &ww_bedrock_converse, e[i].type, e[i].data),
				 WW_PARSE_DONE);
	assert_true(p->terminal && p->answer_seen && !p->error_seen);
	ww_parts_slots_end(p);
	ww_parts_text_end(p, &p->answer, &text, &bytes);
	c = p->call;
	assert_digest(&text, "ho");
	assert_tool(0, "a", "f", "{\"x\":1}");
	assert_tool(1, "b", "g", "{}");
	assert_true(c->tool_calls[0].complete && c->tool_calls[1].complete);
	assert_false(c->tool_calls[2].complete);
	assert_string_equal(c->stop_reason, "tool_use");
	assert_count(&c->usage.cache_read, 2);
	c = NULL;
	assert_int_equal(piece(p, &ww_bedrock_converse, "contentBlockStop", "{oops"), WW_PARSE_BAD);
	assert_int_equal(piece(p, &ww_bedrock_converse, "throttlingException", "{}"),
			 WW_PARSE_DONE);
	assert_true(p->error_seen);
	assert_string_equal(p->call->error_type, "throttlingException");
	parts_done(p);
}

static void chunk_of(const char *event, char *out, size_t cap)
{
	char text[1024];

	ww_base64_encode(ww_slice_str(event), text);
	snprintf(out, cap, "{\"bytes\":\"%s\",\"p\":\"abc\"}", text);
}

static void invoke_chunks(void **state)
{
	static const char *const e[] = {
		"{\"type\":\"message_start\",\"message\":{\"type\":\"message\",\"id\":\"msg_1\","
		"\"model\":\"claude\",\"usage\":{\"input_tokens\":3,\"output_tokens\":1}}}",
		"{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"tool_"
		"use\","
		"\"id\":\"a\",\"name\":\"f\",\"input\":{}}}",
		"{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"input_json_"
		"delta\","
		"\"partial_json\":\"{}\"}}",
		"{\"type\":\"content_block_stop\",\"index\":0}",
		"{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tool_use\"},\"usage\":{"
		"\"output_tokens\":9}}",
		"{\"type\":\"message_stop\"}",
	};
	struct ww_parts *p = parts_new(&ww_bedrock_anthropic);
	char data[1200];

	for (size_t i = 0; i < WW_ARRAY_SIZE(e); i++) {
		chunk_of(e[i], data, sizeof(data));
		assert_int_equal(piece(p, &ww_bedrock_anthropic, "chunk", data), WW_PARSE_DONE);
	}
	ww_parts_slots_end(p);
	c = p->call;
	assert_true(p->terminal && p->answer_seen);
	assert_string_equal(c->response_id, "msg_1");
	assert_string_equal(c->stop_reason, "tool_use");
	assert_tool(0, "a", "f", "{}");
	assert_true(c->tool_calls[0].complete);
	assert_count(&c->usage.output, 9);
	c = NULL;
	assert_int_equal(piece(p, &ww_bedrock_anthropic, "chunk", "{\"bytes\":\"%%%%\"}"),
			 WW_PARSE_BAD);
	parts_done(p);
}

/* --- Ollama
 * ----------------------------------------------------------------------------------------- */

#define LINE(content, rest) \
	"{\"message\":{\"role\":\"assistant\",\"content\":\"" content "\"},\"done\":" rest "}\n"

static void a_stream_of_lines(void **state)
{
	static const char text[] = LINE("Hel", "false") "\r\n" LINE("lo", "false")
		LINE("", "true,\"done_reason\":\"stop\",\"prompt_eval_count\":4,\"eval_count\":2");

	call("/api/chat", CHAT, text, LINES);
	assert_true(c->streamed && c->stream_asked && c->response_whole);
	assert_digest(&c->text, "Hello");
	assert_count(&c->usage.input, 4);
	assert_count(&c->usage.output, 2);
	assert_false(c->usage.total.present || c->usage.cache_read.present);
	x.resp.whole = false;
	for (size_t n = 1; n < strlen(text); n++) {
		x.resp.data.n = n;
		if (decode() < 0)
			continue;
		assert_int_equal(c->findings, 0);
		assert_false(c->response_whole);
		assert_no_usage();
	}
	/* The body's end is that of its last line, too. */
	(void)try("/api/chat", CHAT, text, LINES);
	x.resp.data.n--;
	assert_int_equal(decode(), 0);
	assert_true(c->response_whole);
	assert_int_equal(try("/api/chat", CHAT, LINE("a", "false") "oops\n", LINES), 0);
	assert_true(c->findings & WW_X_MALFORMED_BODY);
	assert_int_equal(try("/api/chat", CHAT, LINE("a", "false") "{\"error\":\"gone\"}\n", LINES),
			 0);
	assert_false(c->response_whole);
	assert_string_equal(c->error_type, "unknown");
}

static void ollama_ids_where_there_are_some(void **state)
{
	call("/api/chat",
	     "{\"model\":\"m\",\"stream\":false,\"messages\":[{\"role\":\"user\",\"content\":"
	     "\"hi\"},"
	     "{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{\"id\":\"a\",\"function\":{"
	     "\"name\":\"f\",\"arguments\":{}}}]},{\"role\":\"tool\",\"tool_call_id\":\"a\","
	     "\"tool_name\":\"f\",\"content\":\"r\"}]}",
	     "{\"message\":{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{\"id\":\"b\","
	     "\"function\":{\"index\":0,\"name\":\"f\",\"arguments\":{\"x\": 1}}},{\"function\":{"
	     "\"name\":\"g\",\"arguments\":{}}}]},\"done\":true,\"done_reason\":\"stop\"}",
	     JSON);
	assert_false(c->stream_asked || c->streamed);
	assert_string_equal(c->turn_calls[0].id, "a");
	assert_string_equal(c->tool_results[0].tool_call_id, "a");
	assert_string_equal(c->tool_results[0].tool, "");
	assert_tool(0, "b", "f", "{\"x\": 1}");
	assert_tool(1, "", "g", "{}");
}

static void a_context_is_an_earlier_conversation(void **state)
{
	static const char said[] = "{\"response\":\"ho\",\"done\":true}";
	struct ww_sha256 turn;

	call("/api/generate", "{\"model\":\"m\",\"prompt\":\"yes\",\"context\":[1]}", said, JSON);
	assert_digest(&c->prompt, "yes");
	assert_true(c->history_over);
	turn = c->turn;
	call("/api/generate", "{\"model\":\"m\",\"prompt\":\"yes\",\"context\":[2]}", said, JSON);
	assert_memory_not_equal(&c->turn, &turn, sizeof(turn));
}

/* --- the record
 * -------------------------------------------------------------------------------------- */

static void the_record_says_what_has_no_id(void **state)
{
	static const struct ww_clock_map clock;
	struct ww_jsonw w;
	struct ww_buf out;
	json_t *j, *one;

	call(GEMINI ":generateContent",
	     "{\"contents\":[{\"parts\":[{\"functionResponse\":{\"name\":\"f\",\"response\":{}}}]}]"
	     "}",
	     "{\"candidates\":[{\"content\":{\"parts\":[{\"functionCall\":{\"name\":\"f\"}}]},"
	     "\"finishReason\":\"STOP\"}],\"usageMetadata\":{\"thoughtsTokenCount\":9}}",
	     JSON);
	ww_buf_init(&out, WW_RECORD_BYTES_MAX);
	ww_jsonw_init(&w, &out);
	ww_model_write(c, &clock, &w);
	assert_true(ww_jsonw_ok(&w));
	j = json_loadb((const char *)out.p, out.n, 0, NULL);
	assert_non_null(j);
	assert_string_equal(json_string_value(json_object_get(j, "provider")),
			    "gemini.generate_content");
	one = json_array_get(json_object_get(j, "toolCalls"), 0);
	assert_string_equal(json_string_value(json_object_get(one, "id")), "");
	one = json_array_get(json_object_get(j, "toolResults"), 0);
	assert_string_equal(json_string_value(json_object_get(one, "id")), "");
	assert_string_equal(json_string_value(json_object_get(one, "tool")), "f");
	one = json_object_get(json_object_get(j, "usage"), "reasoning");
	assert_int_equal(json_integer_value(one), 9);
	json_decref(j);
	ww_buf_done(&out);
}

static void assert_place(unsigned i, enum ww_place_from from, const char *says)
{
	assert_true(i < c->places.count);
	assert_int_equal(c->places.item[i].from, from);
	assert_string_equal(c->places.item[i].says, says);
}

static void claims_about_place(void **state)
{
	static const char asks[] = "{\"model\":\"m\",\"inference_geo\":\"us\",\"messages\":[{"
				   "\"role\":\"user\",\"content\":\"hi\"}]}";

	call("/v1/messages", asks,
	     "{\"type\":\"message\",\"content\":[],\"usage\":{\"input_tokens\":3,"
	     "\"inference_geo\":\"us\"}}",
	     JSON);
	assert_int_equal(c->places.count, 2);
	assert_place(0, WW_PLACE_REQUEST_GEO, "us");
	assert_place(1, WW_PLACE_USAGE_GEO, "us");
	/* In a stream it comes with every count; what is said twice stands once. */
	call("/v1/messages",
	     "{\"model\":\"m\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":"
	     "\"hi\"}]}",
	     "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"type\":"
	     "\"message\",\"usage\":{\"input_tokens\":3,\"inference_geo\":\"global\"}}}\n\n"
	     "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":"
	     "\"end_turn\"},\"usage\":{\"output_tokens\":9,\"inference_geo\":\"global\"}}\n\n"
	     "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
	     SSE);
	assert_int_equal(c->places.count, 1);
	assert_place(0, WW_PLACE_USAGE_GEO, "global");
	/* No word: neither a number, nor null, nor a text with a line end in it. */
	call("/v1/messages", asks,
	     "{\"type\":\"message\",\"content\":[],\"usage\":{\"inference_geo\":7}}", JSON);
	assert_int_equal(c->places.count, 1);
	call("/v1/messages", asks,
	     "{\"type\":\"message\",\"content\":[],\"usage\":{\"inference_geo\":\"u\\ns\"}}", JSON);
	assert_int_equal(c->places.count, 1);
	/* The geography of an inference profile; a model's own name has none. */
	call(CLAUDE "/converse", BLOCKS, CONVERSE, JSON);
	assert_int_equal(c->places.count, 1);
	assert_place(0, WW_PLACE_PROFILE, "eu");
	call("/model/anthropic.claude-v2/converse", BLOCKS, CONVERSE, JSON);
	assert_int_equal(c->places.count, 0);
	/* What another dialect calls by that name says nothing here. */
	call("/v1/chat/completions", "{\"model\":\"m\",\"inference_geo\":\"us\",\"messages\":[]}",
	     CHAT_SAID, JSON);
	assert_int_equal(c->places.count, 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(paths_and_shapes_tell_the_dialect),
		T(what_is_not_known_is_no_model_call),
		T(without_an_answer_the_request_tells),
		T(calls_without_an_index_are_told_by_their_ids),
		T(comments_of_a_gateway_are_no_events),
		T(tools_that_the_service_ran_are_remote),
		T(errors_of_all_kinds),
		T(items_of_one_answer_are_one_message),
		T(a_kept_conversation_is_told_by_its_name),
		T(who_carries_a_response_tool_out),
		T(a_cut_response_stream_keeps_the_calls_that_were_done),
		T(a_stream_can_be_one_array),
		T(gemini_calls_with_and_without_ids),
		T(arguments_in_pieces_are_not_complete),
		T(what_google_runs_is_remote),
		T(a_refused_prompt_says_why),
		T(converse_parts),
		T(aws_streams),
		T(converse_events),
		T(invoke_chunks),
		T(a_stream_of_lines),
		T(ollama_ids_where_there_are_some),
		T(a_context_is_an_earlier_conversation),
		T(the_record_says_what_has_no_id),
		T(claims_about_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
