/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mcp: a tool call by the Model Context Protocol: one JSON-RPC 2.0 request "tools/call". Over HTTP
 * (Streamable HTTP transport, revisions 2025-03-26 and later) in a POST, answered by one JSON
 * document or by an event stream in which the answer stands between notifications; over stdio by
 * itself on a channel.
 *
 * A call fails in two ways: a JSON-RPC error, and a result with isError true; a result without
 * isError is a success. A result that asks for input is neither: the call goes on in another
 * request. A batch, and an answer that comes over another connection (the older transport with two
 * endpoints), is not read.
 *
 * Pure, not thread safe.
 */
#pragma once

#include "base/buf.h"
#include "base/digest.h"
#include "base/json_write.h"
#include "proto/exchange.h"

/* X(enum suffix, number, text, meaning) */
#define WW_MCP_ANSWERS(X)                                                              \
	X(NONE, 0, "none", "no answer was seen whole, or it is not of the protocol")   \
	X(RESULT, 1, "result", "a result without isError")                             \
	X(TOOL_ERROR, 2, "tool-error", "a result with isError: the tool failed")       \
	X(RPC_ERROR, 3, "rpc-error", "a JSON-RPC error: the call was not carried out") \
	X(INPUT_REQUIRED, 4, "input-required", "the server asks for more: not done yet")

#define WW_MCP_ANSWER_ENUM_(n, v, t, d) WW_MCP_##n = (v),
enum ww_mcp_answer { WW_MCP_ANSWERS(WW_MCP_ANSWER_ENUM_) WW_MCP_ANSWER_MAX };
/* As it stands in records; static text, "unknown" for other numbers. */
const char *ww_mcp_answer_name(enum ww_mcp_answer a);

#define WW_MCP_CALL_METHOD "tools/call"

struct ww_mcp_call {
	char tool[128];                /* params.name */
	struct ww_trace_context trace; /* params._meta.traceparent, apart from the header's */
	uint64_t argument_bytes;
	struct ww_sha256 arguments; /* keyed, of the JSON text as sent; valid if bytes > 0 */
	enum ww_mcp_answer answer;
	bool streamed; /* the answer came in an event stream */
	bool code_present;
	int64_t code; /* of a JSON-RPC error */
	/*
	 * What the tool answered, of a result or a tool error: its text parts joined by LF, as a
	 * model is shown them (ww_model_tool_result has the same digest of the same text). Empty
	 * when it has other parts.
	 */
	struct ww_buf text;
	struct ww_sha256 digest;  /* keyed, of text; valid if text.n > 0 */
	struct ww_buf structured; /* the JSON of structuredContent; empty: none */
};

/* The answer as a document to look for members in: structured, else the text. Borrowed. */
static inline struct ww_slice ww_mcp_document(const struct ww_mcp_call *c)
{
	return ww_buf_slice(c->structured.n ? &c->structured : &c->text);
}

/*
 * Decodes x, whose bodies are alive. 0 with *ret_call (caller frees);
 * -ENOENT: not a tool call by this protocol, as far as is known; -EAGAIN: it may be one, the
 * request was not seen whole or is a batch; -ENOMEM.
 */
WW_CHECK int ww_mcp_decode(const struct ww_exchange *x, const struct ww_digest_key *key,
			   struct ww_mcp_call **ret_call);
/* Whether the request is known to be another message of the protocol: no batch, no tool call. */
bool ww_mcp_is_other(const struct ww_exchange *x);
void ww_mcp_call_free(struct ww_mcp_call *c);
WW_DEFINE_AUTO(struct ww_mcp_call, ww_mcp_call_free)

/* Writes the record body of kind "mcp_call" as an object; its id is "t-<cookie hex>-<index>". */
void ww_mcp_write(const struct ww_mcp_call *c, const struct ww_exchange *x,
		  const struct ww_clock_map *clock, struct ww_jsonw *w);
