/* SPDX-License-Identifier: Apache-2.0 */
#include "out/listing.h"

#include "out/line.h"

#define TIME                           \
	{                              \
		"TIME (UTC)", 0, false \
	}
#define ID                     \
	{                      \
		"ID", 0, false \
	}

static const struct ww_listing listings[] = {
	{"flow",
	 "flows",
	 "flow",
	 {TIME,
	  ID,
	  {"PROTO", 0, false},
	  {"LOCAL", 0, false},
	  {"PEER", 0, false},
	  {"NAME", 32, false},
	  {"OUT", 0, true},
	  {"IN", 0, true},
	  {"UNEXPLAINED", 0, true},
	  {"BINDING", 0, false},
	  {"CLOSE", 0, false}},
	 {"{&t}", "{id}", "{proto}", "{local}", "{peer}", "{tls.sni}", "{account.out.payload}",
	  "{account.in.payload}", "{account.out.remainder}/{account.in.remainder}", "{tls.bind}",
	  "{close}"}},
	{"exchange",
	 "exchanges",
	 "exchange",
	 {TIME,
	  ID,
	  {"METHOD", 0, false},
	  {"PATH", 40, false},
	  {"STATUS", 0, false},
	  {"NAME", 32, false},
	  {"PEER", 0, false},
	  {"TOOK", 0, true},
	  {"OUT", 0, true},
	  {"IN", 0, true},
	  {"FINDINGS", 0, false}},
	 {"{&t}", "{id}", "{method}", "{path}", "{status|outcome}", "{authority|sni}", "{peer}",
	  "{request.firstBootNs~response.lastBootNs}", "{request.bytes}", "{response.bytes}",
	  "[{findings+}]"}},
	{"model_call", "models", "model", {TIME, ID}, {"{&t}", "{id}"}},
	{"span",
	 "spans",
	 "span",
	 {TIME,
	  ID,
	  {"NAME", 40, false},
	  {"ROLE", 0, false},
	  {"STATUS", 0, false},
	  {"TOOL", 32, false},
	  {"CALL", 32, false},
	  {"SERVICE", 24, false},
	  {"SENDER", 0, false}},
	 {"{&t}", "{id}", "{name}", "{role}", "{!status}", "{tool}", "{toolCallId}", "{service}",
	  "{actor}"}},
	{"action",
	 "actions",
	 "action",
	 {TIME,
	  ID,
	  {"TOOL", 32, false},
	  {"CALL", 32, false},
	  {"EFFECT", 0, false},
	  {"SAID", 24, false},
	  {"SPAN", 0, false},
	  {"WIRE", 40, false}},
	 {"{&t}", "{id}", "{tool}", "{toolCallId}", "{effect}", WW_LINE_SAID, WW_LINE_SPAN,
	  WW_LINE_WIRE}},
	{"verdict",
	 "verdicts",
	 "verdict",
	 {TIME,
	  {"VERDICT", 0, false},
	  {"TOOL", 32, false},
	  {"SAID", 24, false},
	  {"SPAN", 0, false},
	  {"WIRE", 40, false},
	  {"DESTINATION", 32, false},
	  {"JOIN", 0, false},
	  {"REASON", 0, false},
	  ID},
	 {"{&t}", "{verdict}", "{tool}", WW_LINE_SAID, WW_LINE_SPAN, WW_LINE_WIRE,
	  "{wire.destination|wire.peer|wire.undecoded.destination|wire.undecoded.peer}",
	  "{join}[ n={n}]", "[{reason}]", "{id}"}},
	{"actor",
	 "actors",
	 "actor",
	 {TIME,
	  ID,
	  {"PID", 0, true},
	  {"COMMAND", 0, false},
	  {"UID", 0, true},
	  {"EXIT", 0, true},
	  {"PARENT", 0, false},
	  {"PROGRAM", 0, false}},
	 {"{&t}", "{id}", "{pid}", "{comm}", "{uid}", "{exitCode}", "{parent}", "{exe}"}},
	{"coverage",
	 "coverage",
	 "coverage",
	 {TIME,
	  ID,
	  {"LOST EVENTS", 0, true},
	  {"LOST BYTES", 0, true},
	  {"BEYOND CAP", 0, true},
	  {"MARKS", 0, true},
	  {"SCOPE", 0, false}},
	 {"{&t}", "{id}", "{lostEvents}", "{lostBytes}", "{beyondCapBytes}", "{marksTotal}",
	  "{path}"}},
	{"loss",
	 "losses",
	 "loss",
	 {TIME,
	  ID,
	  {"EVENTS", 0, true},
	  {"BYTES", 0, true},
	  {"SCOPE", 0, false},
	  {"CAUSE", 0, false}},
	 {"{&t}", "{id}", "{events}", "{bytes}", "{cgroup}", "{cause}"}},
	{"finding",
	 "findings",
	 "finding",
	 {TIME, {"ABOUT", 0, false}, {"FINDING", 0, false}},
	 {"{&t}", "{id}", "{finding}"}},
	{"life",
	 "life",
	 "life",
	 {TIME, ID, {"EVENT", 0, false}, {"TEXT", 0, false}},
	 {"{&t}", "{id}", "{event}", "{text}"}},
};

const struct ww_listing *ww_listing_at(unsigned i)
{
	return i < WW_ARRAY_SIZE(listings) ? &listings[i] : NULL;
}

const struct ww_listing *ww_listing_find(struct ww_slice word)
{
	for (unsigned i = 0; i < WW_ARRAY_SIZE(listings); i++) {
		const struct ww_listing *l = &listings[i];

		if (ww_slice_eq_str(word, l->word) || ww_slice_eq_str(word, l->singular) ||
		    ww_slice_eq_str(word, l->kind))
			return l;
	}
	return NULL;
}
