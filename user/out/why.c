/* SPDX-License-Identifier: Apache-2.0 */
#include "out/why.h"

#include <errno.h>

#include <wirewitness/limits.h>

#include "judge/closed_world.h"
#include "judge/verdict.h"
#include "out/template.h"
#include "out/why_change.h"
#include "out/why_node.h"

/* --- the verdict and the agent ------------------------------------------------------------------
 */

static const char *meaning_of(struct ww_slice verdict, const char *path, unsigned count,
			      const char *(*name)(unsigned), const char *(*meaning)(unsigned))
{
	struct ww_json_token v = ww_member_get(verdict, path);

	for (unsigned i = 0; ww_member_has(&v) && i < count; i++) {
		if (ww_json_is(&v, name(i)))
			return meaning(i);
	}
	return NULL;
}

#define EVIDENCE_MEANING(n, v, t, d) [v] = (d),
static const char *const evidence_meanings[WW_EVIDENCE_MAX] = {WW_EVIDENCE(EVIDENCE_MEANING)};
#define JOIN_MEANING(n, v, t, d) [v] = (d),
static const char *const join_meanings[WW_JOIN_MAX] = {WW_JOINS(JOIN_MEANING)};

static const char *verdict_name(unsigned i)
{
	return ww_verdict_name(i);
}

static const char *verdict_meaning(unsigned i)
{
	return ww_verdict_meaning(i);
}

static const char *reason_name(unsigned i)
{
	return ww_verdict_reason_name(i);
}

static const char *reason_meaning(unsigned i)
{
	return ww_verdict_reason_meaning(i);
}

static const char *evidence_name(unsigned i)
{
	return ww_verdict_evidence_name(i);
}

static const char *evidence_meaning(unsigned i)
{
	return evidence_meanings[i];
}

static const char *join_name(unsigned i)
{
	return ww_verdict_join_name(i);
}

static const char *join_meaning(unsigned i)
{
	return join_meanings[i];
}

static void add_verdict(struct ww_why_job *b)
{
	static const struct ww_why_pick picks[] = {
		{"t", "t"},
		{"verdict", "verdict"},
		{"reason", "reason"},
		{"tool", "tool"},
		{"toolCallId", "toolCallId"},
		{"action", "action"},
		{"engine", "engine"},
		{"contracts", "contracts"},
		{"supersedes", "supersedes"},
		{"deadline", "deadline"},
		{"lateMs", "lateMs"},
		{"k", "k"},
	};
	static const struct ww_why_pick grades[] = {
		{"evidence", "evidence"},
		{"tier", "tier"},
		{"join", "join"},
		{"by", "by"},
		{"n", "n"},
	};
	struct ww_slice v = b->verdict;
	struct ww_json_token id = ww_member_get(v, "id"), summary = ww_member_get(v, "summary");

	ww_why_open(b, WW_WHY_VERDICT);
	ww_member_write(&b->w, "id", &id);
	ww_jsonw_u64(&b->w, "index", b->ask->index);
	WW_WHY_PUT(b, v, picks);
	if (b->ask->superseded_by.n)
		ww_jsonw_str(&b->w, "supersededBy", b->ask->superseded_by);
	ww_why_close(b);
	b->depth = 1;
	if (ww_member_has(&summary)) {
		ww_why_open(b, WW_WHY_SUMMARY);
		ww_member_write(&b->w, "summary", &summary);
		ww_why_close(b);
	}
	ww_why_open(b, WW_WHY_MEANING);
	ww_why_put_meaning(b, "meaning",
			   meaning_of(v, "verdict", WW_VERDICT_MAX, verdict_name, verdict_meaning));
	ww_why_put_meaning(b, "reasonMeaning",
			   meaning_of(v, "reason", WW_REASON_MAX, reason_name, reason_meaning));
	ww_why_close(b);
	ww_why_open(b, WW_WHY_GRADES);
	WW_WHY_PUT(b, v, grades);
	ww_why_put_meaning(
		b, "evidenceMeaning",
		meaning_of(v, "evidence", WW_EVIDENCE_MAX, evidence_name, evidence_meaning));
	ww_why_put_meaning(b, "joinMeaning",
			   meaning_of(v, "join", WW_JOIN_MAX, join_name, join_meaning));
	ww_why_close(b);
}

/* Of a verdict about a control: the run that decides, and the action's begin that it is held to. */
static void add_control(struct ww_why_job *b)
{
	static const struct ww_why_pick picks[] = {
		{"name", "control.name"},         {"same", "control.same"},
		{"narrated", "control.narrated"}, {"action", "control.action"},
		{"says", "control.says"},         {"status", "control.status"},
		{"subject", "control.subject"},   {"gapMs", "control.gapMs"},
		{"runs", "control.runs"},         {"denied", "control.denied"},
		{"uses", "control.uses"},
	};
	struct ww_json_token name = ww_member_get(b->verdict, "control.name");
	struct ww_json_token v = ww_member_get(b->verdict, "control.exchange");
	struct ww_json_token t = ww_member_get(b->verdict, "control.t");
	char id[WW_WHY_ID_MAX];

	if (!ww_member_has(&name))
		return;
	ww_why_open(b, WW_WHY_CONTROL);
	WW_WHY_PUT(b, b->verdict, picks);
	ww_why_put_time(b, "t", &t);
	if (ww_why_copy_id(&v, id))
		(void)ww_why_cite(b, "exchange", ww_slice_str(id)); /* its place is written */
	ww_why_close(b);
}

static void add_agent(struct ww_why_job *b)
{
	static const struct ww_why_pick picks[] = {{"comm", "comm"},     {"exe", "exe"},
						   {"pid", "pid"},       {"uid", "uid"},
						   {"parent", "parent"}, {"t", "t"}};
	static const struct ww_why_pick whose[] = {{"root", "root"}, {"cgroup", "cgroup"}};
	struct ww_json_token actor = ww_member_get(b->verdict, "actor");
	char id[WW_WHY_ID_MAX];

	if (!ww_why_copy_id(&actor, id))
		return;
	ww_why_open(b, WW_WHY_AGENT);
	WW_WHY_PUT(b, ww_why_cite(b, "id", ww_slice_str(id)), picks);
	WW_WHY_PUT(b, b->verdict, whose);
	ww_why_close(b);
}

/* --- what was said ------------------------------------------------------------------------------
 */

static void put_model_call(struct ww_why_job *b, struct ww_slice exchange)
{
	static const struct ww_why_pick picks[] = {
		{"provider", "provider"},     {"model", "modelServed"},
		{"modelAsked", "modelAsked"}, {"responseId", "responseId"},
		{"stopReason", "stopReason"}, {"status", "status"},
	};
	struct ww_slice json = WW_SLICE_NULL;
	struct ww_json_token t;
	char id[WW_WHY_ID_MAX];
	uint64_t index;

	if (!ww_why_also(b, exchange, 'm', id, &index, &json))
		return;
	ww_jsonw_cstr(&b->w, "modelCall", id);
	ww_jsonw_u64(&b->w, "modelCallIndex", index);
	WW_WHY_PUT(b, json, picks);
	t = ww_member_get(json, "t");
	ww_why_put_time(b, "t", &t);
}

static void add_asked(struct ww_why_job *b)
{
	static const struct ww_why_pick picks[] = {
		{"join", "model.join"},
		{"by", "model.by"},
		{"span", "model.span"},
		{"argumentsDigest", "model.argumentsDigest"},
	};
	struct ww_json_token action = ww_member_get(b->verdict, "action"), v;
	char action_id[WW_WHY_ID_MAX], id[WW_WHY_ID_MAX];
	struct ww_slice json;

	ww_why_open(b, WW_WHY_ASKED);
	if (!ww_why_copy_id(&action, action_id))
		action_id[0] = '\0';
	json = ww_why_cite(b, "action", ww_slice_str(action_id));
	v = ww_member_get(json, "model.exchange");
	if (!ww_why_copy_id(&v, id)) {
		b->what = json.n ? WW_WHY_NOT_ASKED : WW_WHY_ASKED_UNKNOWN;
		ww_why_close(b);
		return;
	}
	ww_jsonw_cstr(&b->w, "exchange", id);
	WW_WHY_PUT(b, json, picks);
	put_model_call(b, ww_slice_str(id));
	ww_why_close(b);
}

static void add_span(struct ww_why_job *b)
{
	static const struct ww_why_pick said[] = {
		{"traceId", "span.traceId"},     {"status", "span.status"},
		{"start", "span.start"},         {"end", "span.end"},
		{"errorType", "span.errorType"}, {"count", "span.count"},
	};
	static const struct ww_why_pick sent[] = {
		{"name", "name"},
		{"service", "service"},
		{"sender", "actor"},
		{"agent", "agent"},
		{"conversation", "conversation"},
		{"receivedBootNs", "receivedBootNs"},
	};
	struct ww_json_token v = ww_member_get(b->verdict, "span.id"),
			     end = ww_member_get(b->verdict, "span.end");
	struct ww_wall t;
	char id[WW_WHY_ID_MAX];

	if (!ww_why_copy_id(&v, id)) {
		ww_why_plain(b, WW_WHY_NO_SPAN);
		return;
	}
	ww_why_open(b, WW_WHY_SPAN);
	WW_WHY_PUT(b, ww_why_cite(b, "id", ww_slice_str(id)), sent);
	WW_WHY_PUT(b, b->verdict, said);
	if (ww_member_has(&end) && !end.escaped && ww_wall_parse(end.raw, &t) == 0)
		ww_why_put_offset(b, t);
	ww_why_close(b);
}

static void add_claims(struct ww_why_job *b)
{
	static const struct ww_why_pick picks[] = {
		{"claimId", "claimId"}, {"tense", "tense"}, {"deadline", "deadline"}};
	struct ww_slice claim;
	struct ww_json j;
	bool any = false;

	ww_why_elements(&j, ww_why_range(b->verdict, "$.said.claims"));
	while (ww_why_element(&j, &claim)) {
		struct ww_json_token span = ww_member_get(claim, "span"),
				     t = ww_member_get(claim, "t");
		char id[WW_WHY_ID_MAX];

		any = true;
		ww_why_open(b, WW_WHY_CLAIM);
		WW_WHY_PUT(b, claim, picks);
		ww_why_put_time(b, "t", &t);
		if (ww_why_copy_id(&span, id))
			(void)ww_why_cite(b, "span", ww_slice_str(id)); /* its place is written */
		ww_why_close(b);
	}
	if (!any)
		ww_why_plain(b, WW_WHY_NO_CLAIM);
}

static void add_shown(struct ww_why_job *b)
{
	static const struct ww_why_pick picks[] = {{"isError", "said.toolResult.isError"},
						   {"digest", "said.toolResult.digest"}};
	static const struct ww_why_pick text[] = {{"bytes", "said.text.bytes"},
						  {"digest", "said.text.digest"}};
	struct ww_json_token v = ww_member_get(b->verdict, "said.toolResult.exchange"), t;
	struct ww_json_token bytes = ww_member_get(b->verdict, "said.text.bytes");
	char id[WW_WHY_ID_MAX];

	if (ww_why_copy_id(&v, id)) {
		ww_why_open(b, WW_WHY_SHOWN);
		t = ww_member_get(ww_why_cite(b, "exchange", ww_slice_str(id)), "t");
		ww_why_put_time(b, "t", &t);
		WW_WHY_PUT(b, b->verdict, picks);
		ww_why_put_array(b, b->verdict, "shows", "$.said.toolResult.shows");
		ww_why_put_array(b, b->verdict, "differs", "$.said.toolResult.differs");
		ww_why_close(b);
	} else {
		ww_why_plain(b, WW_WHY_NOT_SHOWN);
	}
	if (ww_member_has(&bytes)) {
		ww_why_open(b, WW_WHY_TEXT);
		WW_WHY_PUT(b, b->verdict, text);
		ww_why_close(b);
	} else {
		ww_why_plain(b, WW_WHY_NO_TEXT);
	}
}

/* --- how completely it was seen ------------------------------------------------------------------
 */

static const char *const item_meanings[WW_WORLD_ITEM_MAX] = {
#define ITEM_MEANING(n, t, r, d) [WW_WORLD_##n] = (d),
	WW_WORLD_ITEMS(ITEM_MEANING)
#undef ITEM_MEANING
};

static const char *item_meaning(const struct ww_json_token *item)
{
	for (unsigned i = 0; ww_member_has(item) && i < WW_WORLD_ITEM_MAX; i++) {
		if (ww_json_is(item, ww_closed_world_item_name(i)))
			return item_meanings[i];
	}
	return NULL;
}

static const enum ww_reason item_reasons[WW_WORLD_ITEM_MAX] = {
#define ITEM_REASON(n, t, r, d) [WW_WORLD_##n] = WW_REASON_##r,
	WW_WORLD_ITEMS(ITEM_REASON)
#undef ITEM_REASON
};

/* Whether the reason comes from the checklist: then every item that failed stood in the way. */
static bool failed_items_decided(const struct ww_why_job *b)
{
	struct ww_json_token reason = ww_member_get(b->verdict, "reason");
	struct ww_slice item;
	struct ww_json j;

	ww_why_elements(&j, ww_why_range(b->verdict, "$.closedWorld"));
	while (ww_member_has(&reason) && ww_why_element(&j, &item)) {
		struct ww_json_token name = ww_member_get(item, "item"),
				     pass = ww_member_get(item, "pass");

		for (unsigned i = 0; pass.type == WW_JSON_FALSE && i < WW_WORLD_ITEM_MAX; i++) {
			if (ww_json_is(&name, ww_closed_world_item_name(i)) &&
			    ww_json_is(&reason, ww_verdict_reason_name(item_reasons[i])))
				return true;
		}
	}
	return false;
}

/* The items of the checklist; `failed`: only those that did not hold, as what would have changed
 * the verdict. */
static void add_items(struct ww_why_job *b, enum ww_why_what what, bool failed)
{
	static const struct ww_why_pick picks[] = {
		{"item", "item"}, {"pass", "pass"}, {"detail", "detail"}};
	struct ww_slice item;
	struct ww_json j;

	ww_why_elements(&j, ww_why_range(b->verdict, "$.closedWorld"));
	while (ww_why_element(&j, &item)) {
		struct ww_json_token name = ww_member_get(item, "item"),
				     pass = ww_member_get(item, "pass");

		if (failed && pass.type != WW_JSON_FALSE)
			continue;
		ww_why_open(b, pass.type == WW_JSON_FALSE && what == WW_WHY_ITEM
				       ? WW_WHY_ITEM_FAILED
				       : what);
		WW_WHY_PUT(b, item, picks);
		ww_why_put_meaning(b, "meaning", item_meaning(&name));
		ww_why_close(b);
	}
}

static void add_coverage(struct ww_why_job *b)
{
	static const struct ww_why_pick window[] = {
		{"fromBootNs", "coverage.fromBootNs"},
		{"toBootNs", "coverage.toBootNs"},
		{"known", "coverage.known"},
		{"wholeWindow", "coverage.wholeWindow"},
		{"gaps", "coverage.gaps"},
		{"unixPeers", "coverage.unixPeers"},
		{"loopbackPeers", "coverage.loopbackPeers"},
		{"opaqueProcesses", "coverage.opaqueProcesses"},
		{"rawSockets", "coverage.rawSockets"},
		{"unboundCalls", "coverage.unboundCalls"},
	};
	static const struct ww_why_pick losses[] = {
		{"events", "coverage.lostEvents"},
		{"bytes", "coverage.lostBytes"},
		{"cause", "coverage.lostCause"},
	};
	struct ww_json_token known = ww_member_get(b->verdict, "coverage.known");

	if (!ww_member_has(&known)) {
		ww_why_plain(b, WW_WHY_NO_COVERAGE);
		return;
	}
	ww_why_open(b, WW_WHY_COVERAGE);
	WW_WHY_PUT(b, b->verdict, window);
	ww_why_close(b);
	b->depth++;
	if (ww_why_count(ww_why_range(b->verdict, "$.closedWorld")))
		add_items(b, WW_WHY_ITEM, false);
	else
		ww_why_plain(b, WW_WHY_NO_ITEMS);
	b->depth--;
	ww_why_open(b, WW_WHY_LOSSES);
	WW_WHY_PUT(b, b->verdict, losses);
	ww_why_close(b);
}

static void add_egress(struct ww_why_job *b)
{
	static const struct ww_why_pick group[] = {{"count", "egressTotal"},
						   {"refused", "refused"}};
	static const struct ww_why_pick picks[] = {{"destination", "destination"},
						   {"peer", "peer"},
						   {"model", "model"},
						   {"bytesSent", "bytesSent"}};
	struct ww_json_token total = ww_member_get(b->verdict, "egressTotal");
	struct ww_slice flow;
	struct ww_json j;

	if (!ww_member_has(&total))
		return;
	ww_why_open(b, WW_WHY_EGRESS);
	WW_WHY_PUT(b, b->verdict, group);
	ww_why_close(b);
	b->depth++;
	ww_why_elements(&j, ww_why_range(b->verdict, "$.egress"));
	while (ww_why_element(&j, &flow)) {
		struct ww_json_token v = ww_member_get(flow, "flow");
		char id[WW_WHY_ID_MAX];

		if (!ww_why_copy_id(&v, id))
			continue;
		ww_why_open(b, WW_WHY_EGRESS_FLOW);
		(void)ww_why_cite(b, "flow", ww_slice_str(id)); /* its place is written */
		WW_WHY_PUT(b, flow, picks);
		ww_why_close(b);
	}
	b->depth--;
}

/* --- what would have changed it -----------------------------------------------------------------
 */

static unsigned circumstances(const struct ww_why_job *b)
{
	struct ww_json_token join = ww_member_get(b->verdict, "join");
	struct ww_json_token called = ww_member_get(b->verdict, "wire.exchange");
	struct ww_json_token local = ww_member_get(b->verdict, "local.total");
	struct ww_json_token decides = ww_member_get(b->verdict, "local.decides");
	unsigned when = ww_member_has(&called) || ww_member_has(&decides) ? WW_WHY_CALLED
									  : WW_WHY_NOT_CALLED;

	if (ww_member_has(&local))
		when |= WW_WHY_LOCAL;
	else
		when |= WW_WHY_WIRE;
	if (ww_member_has(&join) && ww_json_is(&join, ww_verdict_join_name(WW_JOIN_UNIQUE)))
		when |= WW_WHY_UNIQUE;
	return when;
}

static void add_changes(struct ww_why_job *b, const char *path,
			const struct ww_why_change *(*at)(unsigned), const char *(*name)(unsigned))
{
	struct ww_json_token v = ww_member_get(b->verdict, path);
	unsigned when = circumstances(b);
	const struct ww_why_change *c;

	for (unsigned i = 0; ww_member_has(&v) && (c = at(i)) != NULL; i++) {
		WW_AUTO_BUF struct ww_buf text = {0};

		if (!ww_json_is(&v, name(c->about)) || (c->when & ~when))
			continue;
		ww_buf_init(&text, WW_RECORD_BYTES_MAX);
		if (ww_template_render(c->text, b->verdict, false, &text) == -ENOMEM)
			b->err = -ENOMEM;
		ww_why_open(b, WW_WHY_CHANGE);
		ww_jsonw_str(&b->w, "change", ww_buf_slice(&text));
		ww_why_close(b);
	}
}

static void add_what_would_change(struct ww_why_job *b)
{
	ww_why_plain(b, WW_WHY_CHANGES);
	b->depth++;
	add_changes(b, "reason", ww_why_change_reason, reason_name);
	if (failed_items_decided(b))
		add_items(b, WW_WHY_CHANGE_ITEM, true);
	add_changes(b, "verdict", ww_why_change_verdict, verdict_name);
	b->depth--;
}

/* --- all of it ----------------------------------------------------------------------------------
 */

static int build(const struct ww_why_ask *ask, struct ww_slice verdict, struct ww_why_tree *tree)
{
	struct ww_why_job b = {.tree = tree, .ask = ask, .verdict = verdict};
	struct ww_json_token t = ww_member_get(verdict, "t");

	ww_buf_init(&b.facts, 4 * WW_RECORD_BYTES_MAX);
	if (!ww_member_has(&t) || t.escaped || ww_wall_parse(t.raw, &b.begin) < 0)
		b.begin.ns = 0;
	add_verdict(&b);
	add_control(&b);
	add_agent(&b);
	add_asked(&b);
	add_span(&b);
	add_claims(&b);
	if (!ww_why_local(&b))
		ww_why_wire(&b);
	add_shown(&b);
	add_coverage(&b);
	add_egress(&b);
	add_what_would_change(&b);
	ww_buf_done(&b.facts);
	return b.err;
}

int ww_why_build(const struct ww_why_ask *ask, struct ww_why_tree **ret_tree)
{
	WW_AUTO(ww_why_tree_free_auto) struct ww_why_tree *tree = NULL;
	struct ww_json_token kind = {.raw = WW_SLICE_NULL};
	const struct ww_slice path = WW_SLICE_LIT("kind");
	WW_AUTO_BUF struct ww_buf copy = {0}; /* looking others up overwrites it */
	int r;

	ww_buf_init(&copy, WW_RECORD_BYTES_MAX);
	r = ww_buf_add(&copy, ask->verdict.p, ask->verdict.n);
	if (r == 0 && (!ww_member_pick(ww_buf_slice(&copy), &path, 1, &kind) ||
		       !ww_member_has(&kind) || !ww_json_is(&kind, "verdict")))
		r = -EINVAL;
	if (r == 0)
		r = ww_why_tree_new(&tree);
	if (r == 0)
		r = build(ask, ww_buf_slice(&copy), tree);
	if (r == 0)
		*ret_tree = WW_TAKE(tree);
	return r;
}
