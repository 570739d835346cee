/* SPDX-License-Identifier: Apache-2.0 */
/*
 * why_tree: nodes with members, for people a line each, for machines the same as JSON: the line is
 * a pattern over the members, so that neither says more than the other. Pure.
 */
#pragma once

#include "base/buf.h"

#define WW_WHY_VERSION   1
#define WW_WHY_NODES_MAX 2048u /* beyond: counted in the root */
#define WW_WHY_DEPTH_MAX 8u
#define WW_WHY_BYTES_MAX (8u << 20)

/* X(enum suffix, word in JSON, pattern of out/template.h over the node's members) */
#define WW_WHY_WHATS(X)                                                                            \
	X(VERDICT, "verdict",                                                                      \
	  "{!verdict}[ ({reason})]  {tool}[  call {toolCallId}]  {&t}  {id}"                       \
	  "[, until {&deadline}][, late by {lateMs} ms]"                                           \
	  "[, superseded by {supersededBy}][, supersedes {supersedes}]")                           \
	X(SUMMARY, "summary", "{summary}")                                                         \
	X(MEANING, "meaning", "means: {meaning}[; {reasonMeaning}]")                               \
	X(GRADES, "grades",                                                                        \
	  "tier {tier}; evidence {evidence}[: {evidenceMeaning}]; join {join}[ ({n})][ by {by}]"   \
	  "[: {joinMeaning}]")                                                                     \
	X(CONTROL, "control",                                                                      \
	  "control {name}:[ {says}][ {status}][ at {offset}][, {gapMs} ms before the action]"      \
	  "[, subject {subject}]; runs {runs}, denied {denied}, used {uses}, told in a text: "     \
	  "{?narrated}[  {exchange}][, action {action}][ (record missing: {?missing})]")           \
	X(AGENT, "agent",                                                                          \
	  "agent: {comm}[ {exe}][, pid {pid}][, uid {uid}]  {id}[, root {root}][, scope {cgroup}]" \
	  "[ (record missing: {?missing})]")                                                       \
	X(ASKED, "asked",                                                                          \
	  "asked by the model:[ {provider}][ {model}][ at {offset}]  {exchange}"                   \
	  "[, response {responseId}][, model span {span} joined {join} by {by}]")                  \
	X(NOT_ASKED, "asked", "asked by the model: no model call that asked for it was seen")      \
	X(ASKED_UNKNOWN, "asked",                                                                  \
	  "asked by the model: not known, the record of the action {action} cannot be had")        \
	X(SPAN, "span",                                                                            \
	  "span: {status}[ {name}][, error {errorType}][, ended at {offset}]  {id}"                \
	  "[, sent by {sender}][, service {service}][, of {count} spans]"                          \
	  "[ (record missing: {?missing})]")                                                       \
	X(NO_SPAN, "span", "span: no tool span arrived")                                           \
	X(CLAIM, "claim",                                                                          \
	  "claim: {tense}[ at {offset}][, deadline {&deadline}]  {claimId}[, carried by {span}]"   \
	  "[ (record missing: {?missing})]")                                                       \
	X(NO_CLAIM, "claim", "claim: none")                                                        \
	X(ATTEMPTS, "attempts", "attempts on the wire: {count}")                                   \
	X(ATTEMPT, "attempt",                                                                      \
	  "{method} {path}  {wire}[ {status}][ Retry-After {retryAfterS} s][ at {offset}]"         \
	  "[, took {sentBootNs~answeredBootNs}][, waited {waitedMs} ms][, {itemsGood} of {items} " \
	  "items]  {exchange}, "                                                                   \
	  "joined {join} by {by}; {requestBytes} bytes out, {responseBytes} in"                    \
	  "[; findings: {findings+}]"                                                              \
	  "[; MCP tool {mcpTool}, answer {mcpAnswer}][ (record missing: {?missing})]")             \
	X(LEG, "leg",                                                                              \
	  "sent by the server meanwhile: {method} {path}[ {answered}] at "                         \
	  "{name|sni|peer}[ at {offset}]  {exchange}")                                             \
	X(CANDIDATES, "candidates", "calls that could be meant, none was picked: {count}")         \
	X(CANDIDATE, "candidate",                                                                  \
	  "{method} {path}  {wire}[ {status}][ at {offset}][, took {sentBootNs~answeredBootNs}]"   \
	  "  {exchange}; {requestBytes} bytes out, {responseBytes} in[; findings: {findings+}]"    \
	  "[ (record missing: {?missing})]")                                                       \
	X(ELSEWHERE, "elsewhere",                                                                  \
	  "elsewhere, a destination that is not declared: {method} {path}[ {answered}] at "        \
	  "{name|sni|peer}[ at {offset}]  {exchange}[ (record missing: {?missing})]")              \
	X(UNDECODED, "undecoded",                                                                  \
	  "undecoded: bytes to {destination|peer}, content unseen: sent {bytesSent}, acked "       \
	  "{bytesAcked}, received {bytesReceived}")                                                \
	X(FLOW, "flow",                                                                            \
	  "connection {id}[: {proto} {local} to {peer}][ to {program}][ ({sni})]"                  \
	  "[, TLS {tlsVersion}][, QUIC {quicVersion}]"                                             \
	  "[, binding {binding}]; sent {bytesSent}, acked {bytesAcked}, "                          \
	  "received {bytesReceived}, retransmitted {bytesRetransmitted} bytes"                     \
	  "[; plaintext lost out {lostOut}][; plaintext lost in {lostIn}][; {close}]"              \
	  "[ (record missing: {?missing})]")                                                       \
	X(ACCOUNT, "account",                                                                      \
	  "bytes {direction}: {payload} = {handshake} handshake + {tickets} tickets + "            \
	  "{explained} explained + {overhead} overhead + {remainder} remainder; checked: "         \
	  "{?checked}")                                                                            \
	X(DEEDS, "deeds",                                                                          \
	  "done on this host, as declared: {count}[^{count|contested}, no {sought} found]"         \
	  "[; that others may mean as well: {contested}]")                                         \
	X(DEED, "deed",                                                                            \
	  "{program|file}[ {end}][ with {exitCode}][ by signal {signal}][ {what+}][ at {offset}]"  \
	  "[, took {beganBootNs~endedBootNs}][, within {sinceBootNs~byBootNs}]  {deed}"            \
	  "[, by {actor}], decides: {?decides}[ (record missing: {?missing})]")                    \
	X(READBACKS, "readbacks", "later reads of the created id: {count}")                        \
	X(READBACK, "readback",                                                                    \
	  "{method} {path}[ {status}]  {read}[ at {offset}]  {exchange}, of {of}, confirms: "      \
	  "{?confirms}[ (record missing: {?missing})]")                                            \
	X(FINDING, "finding",                                                                      \
	  "remark: {finding}[, Retry-After {retryAfterS} s][, waited {waitedMs} ms][  {exchange}]" \
	  "[  {attestation}][ (record missing: {?missing})]")                                      \
	X(ATTESTATION, "attestation",                                                              \
	  "attested by {attester}: {outcome}, evidence E7[, at {&attestedAt}][, named by {by}]"    \
	  "[, taken in {&importedAt}]  {id}[ (record missing: {?missing})]")                       \
	X(NEAR_MISSES, "nearMisses", "calls that look like it and are not it: {count}")            \
	X(NEAR_MISS, "nearMiss",                                                                   \
	  "{method} {path}[ {status}] at {destination|peer}[ at {offset}]  {exchange}: {why}"      \
	  "[, {meaning}][ (record missing: {?missing})]")                                          \
	X(SHOWN, "shown",                                                                          \
	  "shown to the model: a result[ at {offset}]  {exchange}, error: {?isError}, digest "     \
	  "{digest}[, has {shows+}][, differs in {differs+}]"                                      \
	  "[ (record missing: {?missing})]")                                                       \
	X(NOT_SHOWN, "shown", "shown to the model: no result was seen")                            \
	X(TEXT, "text", "text said: {bytes} bytes, digest {digest}")                               \
	X(NO_TEXT, "text", "text said: none was seen")                                             \
	X(COVERAGE, "coverage",                                                                    \
	  "window of {fromBootNs~toBootNs}: watched {?known}, wholly {?wholeWindow}"               \
	  "[; gaps {gaps}][; unix peers {unixPeers}][; loopback peers {loopbackPeers}]"            \
	  "[; opaque processes {opaqueProcesses}][; raw sockets {rawSockets}]"                     \
	  "[; calls without a connection {unboundCalls}]")                                         \
	X(NO_COVERAGE, "coverage", "window: not part of this verdict")                             \
	X(ITEM, "item", "{item}: holds[: {meaning}]")                                              \
	X(ITEM_FAILED, "item", "{item}: does NOT hold: {detail}[ (holds when: {meaning})]")        \
	X(NO_ITEMS, "items", "closed-world checklist: not part of this verdict")                   \
	X(LOSSES, "losses", "lost in the window: {events} events, {bytes} bytes[, cause {cause}]") \
	X(EGRESS, "egress",                                                                        \
	  "where the tree's bytes went: {count} connections[, {refused} refused at a declared "    \
	  "destination]")                                                                          \
	X(EGRESS_FLOW, "egressFlow",                                                               \
	  "{destination|peer}[ ({peer})]: {bytesSent} bytes, model: {?model}  {flow}"              \
	  "[ (record missing: {?missing})]")                                                       \
	X(CHANGES, "changes", "what would have changed the verdict")                               \
	X(CHANGE, "change", "{change}")                                                            \
	X(CHANGE_ITEM, "change", "{item}, had it held: {meaning}[ (it did not: {detail})]")

#define WW_WHY_ENUM_(n, word, pattern) WW_WHY_##n,
enum ww_why_what { WW_WHY_WHATS(WW_WHY_ENUM_) WW_WHY_WHAT_MAX };

struct ww_why_tree;

WW_CHECK int ww_why_tree_new(struct ww_why_tree **ret_tree);
void ww_why_tree_free(struct ww_why_tree *t);
WW_DEFINE_AUTO(struct ww_why_tree, ww_why_tree_free)

/* The next node in the order of the lines; `members` is a JSON object and copied. The first one has
 * depth 0, and no other. 0 (also when it is only counted), -EMSGSIZE, -ENOMEM. */
WW_CHECK int ww_why_tree_add(struct ww_why_tree *t, unsigned depth, enum ww_why_what what,
			     struct ww_slice members);

#define WW_WHY_ASCII  1u /* no other characters, also in what the wire said */
#define WW_WHY_COLOUR 2u

/* Append the tree, a line per node, harmless for terminals; and the same as one JSON object without
 * newline (docs/schema/why-v1.schema.json). 0, -EMSGSIZE, -ENOMEM. */
WW_CHECK int ww_why_tree_text(const struct ww_why_tree *t, unsigned flags, struct ww_buf *out);
WW_CHECK int ww_why_tree_json(const struct ww_why_tree *t, struct ww_buf *out);
