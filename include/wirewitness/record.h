/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ledger records. A record is one JSON object in the writer's fixed member order
 * (base/json_write.h), without its place in the ledger; it begins with
 *   {"kind":"<text>","id":"<id>","t":"<RFC 3339 UTC, the subject's time>", ...}
 * The pipeline makes records (pure, byte-identical on replay); the ledger gives them an index, a
 * salt and a leaf. Append only.
 */
#pragma once

#define WW_RECORD_KINDS(X)                                                                   \
	X(LIFE, 1, "life",                                                                   \
	  "the daemon's own life: start, stop, attach, configuration, clock steps")          \
	X(ACTOR, 2, "actor", "a process in scope")                                           \
	X(FLOW, 3, "flow", "a socket, closed, with its byte account")                        \
	X(EXCHANGE, 4, "exchange", "a request and its response")                             \
	X(MODEL_CALL, 5, "model_call",                                                       \
	  "an exchange with a model: ids, usage, tool calls, digests")                       \
	X(SPAN, 6, "span", "what the application says it did")                               \
	X(ACTION, 7, "action", "one intended effect with its attempts")                      \
	X(VERDICT, 8, "verdict", "the judged result for one action")                         \
	X(COVERAGE, 9, "coverage", "how completely a scope was seen")                        \
	X(LOSS, 10, "loss", "events or bytes lost, by cause")                                \
	X(FINDING, 11, "finding", "malformed or hostile input on a flow or claim")           \
	X(KEY_ROTATION, 12, "key_rotation",                                                  \
	  "the ledger's signing key was replaced, signed by both")                           \
	X(PRUNE, 13, "prune", "which records' content was removed, and under which policy")  \
	X(REPORT, 14, "report", "a report was signed; its leaf is what others verify")       \
	X(MCP_CALL, 15, "mcp_call", "a tool call by the Model Context Protocol")             \
	X(RUN, 16, "run", "a declared program was run")                                      \
	X(CHANGE, 17, "change", "a declared file changed")                                   \
	X(ATTESTATION, 18, "attestation",                                                    \
	  "what somebody outside signed of an action, or of a path")                         \
	X(LOOKUP, 19, "lookup", "a question to a DNS server, and its answer")                \
	X(PATH, 20, "path", "one prompt of one process tree, and every leg that carried it") \
	X(CROSSING, 21, "crossing",                                                          \
	  "payload was acknowledged by a peer where the policy does not allow it")           \
	X(GUARD, 22, "guard",                                                                \
	  "the guard denied a connection or a datagram, or would have, or cut a flow")

#define WW_RECORD_ENUM_(n, v, t, d) WW_RECORD_##n = (v),
enum ww_record_kind { WW_RECORD_KINDS(WW_RECORD_ENUM_) WW_RECORD_MAX };
