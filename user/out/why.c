/* SPDX-License-Identifier: Apache-2.0 */
#include "out/why.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include <wirewitness/limits.h>

#include "base/clock.h"
#include "judge/closed_world.h"
#include "judge/verdict.h"
#include "out/member.h"
#include "out/printable.h"
#include "out/template.h"
#include "out/why_change.h"
#include "out/why_tree.h"

#define ID_MAX 64u

/* A member of a node and where it stands in a record. */
struct pick {
	const char *key, *path;
};

#define PICKS_MAX 24u

struct build {
	struct ww_why_tree *tree;
	const struct ww_why_ask *ask;
	struct ww_slice verdict;
	struct ww_jsonw w; /* of the node at hand */
	struct ww_buf facts;
	struct ww_wall begin; /* of the action; 0: not known */
	unsigned depth;
	enum ww_why_what what;
	int err;
};

/* --- one node -----------------------------------------------------------------------------------
 */

static void open_node(struct build *b, enum ww_why_what what)
{
	ww_buf_clear(&b->facts);
	ww_jsonw_init(&b->w, &b->facts);
	ww_jsonw_object(&b->w, NULL);
	b->what = what;
}

static void close_node(struct build *b)
{
	ww_jsonw_end_object(&b->w);
	if (b->err == 0)
		b->err = b->w.err;
	if (b->err == 0)
		b->err = ww_why_tree_add(b->tree, b->depth, b->what, ww_buf_slice(&b->facts));
}

/* What the source says of it; what it does not say is left out. */
static void put(struct build *b, struct ww_slice source, const struct pick *picks, size_t count)
{
	struct ww_slice paths[PICKS_MAX];
	struct ww_json_token v[PICKS_MAX];

	for (size_t i = 0; i < count && i < PICKS_MAX; i++)
		paths[i] = ww_slice_str(picks[i].path);
	ww_member_pick(source, paths, count, v);
	for (size_t i = 0; i < count && i < PICKS_MAX; i++) {
		if (ww_member_has(&v[i]))
			ww_member_write(&b->w, picks[i].key, &v[i]);
	}
}

#define PUT(b, source, picks) put(b, source, picks, WW_ARRAY_SIZE(picks))

static struct ww_json_token member(struct ww_slice source, const char *path)
{
	struct ww_slice p = ww_slice_str(path);
	struct ww_json_token v;

	ww_member_pick(source, &p, 1, &v);
	return v;
}

/* An array or object of the source, as it stands there. */
static struct ww_slice range_of(struct ww_slice source, const char *path)
{
	struct ww_json_token t;
	struct ww_slice range;

	return ww_json_path(source, path, &t, &range) == WW_PARSE_DONE ? range : WW_SLICE_NULL;
}

static void put_array(struct build *b, struct ww_slice source, const char *key, const char *path)
{
	struct ww_slice array = range_of(source, path);

	if (array.n > 2 && array.p[0] == '[')
		ww_jsonw_put_raw(&b->w, ww_jsonw_name(key), array);
}

static void put_offset(struct build *b, struct ww_wall t)
{
	bool before = t.ns < b->begin.ns;
	uint64_t ns = before ? b->begin.ns - t.ns : t.ns - b->begin.ns;
	uint64_t us = ns / 1000;
	char text[48];

	if (b->begin.ns == 0 || ns > INT64_MAX)
		return;
	ww_jsonw_i64(&b->w, "offsetNs", before ? -(int64_t)ns : (int64_t)ns);
	if (us >= 1000000)
		snprintf(text, sizeof(text), "%c%" PRIu64 ".%03" PRIu64 " s", before ? '-' : '+',
			 us / 1000000, us / 1000 % 1000);
	else
		snprintf(text, sizeof(text), "%c%" PRIu64 ".%" PRIu64 " ms", before ? '-' : '+',
			 us / 1000, us / 100 % 10);
	ww_jsonw_cstr(&b->w, "offset", text);
}

/* A time as it stands, and how far it is from the action's begin. */
static void put_time(struct build *b, const char *key, const struct ww_json_token *v)
{
	struct ww_wall t;

	if (!ww_member_has(v))
		return;
	ww_member_write(&b->w, key, v);
	if (!v->escaped && ww_wall_parse(v->raw, &t) == 0)
		put_offset(b, t);
}

/* The record, empty when it is not there; its place is written beside its id. */
static struct ww_slice cite(struct build *b, const char *key, struct ww_slice id)
{
	struct ww_slice json = WW_SLICE_NULL;
	uint64_t index = 0;
	int r = b->err < 0 ? b->err : b->ask->get(b->ask->ctx, id, &index, &json);

	ww_jsonw_put_str(&b->w, ww_jsonw_name(key), id);
	if (r == 0)
		ww_jsonw_u64(&b->w, "index", index);
	else if (r == -ENOENT)
		ww_jsonw_bool(&b->w, "missing", true);
	else
		b->err = r;
	return r == 0 ? json : WW_SLICE_NULL;
}

/* Copies an id, which a look-up would overwrite; false: there is none. */
static bool copy_id(const struct ww_json_token *v, char out[ID_MAX])
{
	if (!ww_member_has(v) || v->type != WW_JSON_STRING || v->escaped || v->raw.n == 0 ||
	    v->raw.n >= ID_MAX)
		return false;
	memcpy(out, v->raw.p, v->raw.n);
	out[v->raw.n] = '\0';
	return true;
}

/* The next object of an array that was opened with begin_elements. */
static bool next_element(struct ww_json *j, struct ww_slice *ret)
{
	struct ww_json_token t;
	size_t at;

	if (ww_json_next(j, &t) != WW_PARSE_DONE || t.type != WW_JSON_OBJECT)
		return false;
	at = t.at;
	if (ww_json_skip(j, &t) != WW_PARSE_DONE)
		return false;
	*ret = ww_slice_sub(j->in, at, j->at - at);
	return true;
}

static void begin_elements(struct ww_json *j, struct ww_slice array)
{
	struct ww_json_token t;

	ww_json_init(j, array);
	if (ww_json_next(j, &t) != WW_PARSE_DONE || t.type != WW_JSON_ARRAY)
		ww_json_init(j, WW_SLICE_NULL); /* yields nothing */
}

/* A node that has nothing but its words. */
static void add_plain(struct build *b, enum ww_why_what what)
{
	open_node(b, what);
	close_node(b);
}

/* --- the verdict and the agent ------------------------------------------------------------------
 */

static const char *meaning_of(struct ww_slice verdict, const char *path, unsigned count,
			      const char *(*name)(unsigned), const char *(*meaning)(unsigned))
{
	struct ww_json_token v = member(verdict, path);

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

static void put_meaning(struct build *b, const char *key, const char *meaning)
{
	if (meaning && meaning[0])
		ww_jsonw_put_cstr(&b->w, ww_jsonw_name(key), meaning);
}

static void add_verdict(struct build *b)
{
	static const struct pick picks[] = {
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
	static const struct pick grades[] = {
		{"evidence", "evidence"},
		{"tier", "tier"},
		{"join", "join"},
		{"by", "by"},
		{"n", "n"},
	};
	struct ww_slice v = b->verdict;
	struct ww_json_token id = member(v, "id"), summary = member(v, "summary");

	open_node(b, WW_WHY_VERDICT);
	ww_member_write(&b->w, "id", &id);
	ww_jsonw_u64(&b->w, "index", b->ask->index);
	PUT(b, v, picks);
	if (b->ask->superseded_by.n)
		ww_jsonw_str(&b->w, "supersededBy", b->ask->superseded_by);
	close_node(b);
	b->depth = 1;
	if (ww_member_has(&summary)) {
		open_node(b, WW_WHY_SUMMARY);
		ww_member_write(&b->w, "summary", &summary);
		close_node(b);
	}
	open_node(b, WW_WHY_MEANING);
	put_meaning(b, "meaning",
		    meaning_of(v, "verdict", WW_VERDICT_MAX, verdict_name, verdict_meaning));
	put_meaning(b, "reasonMeaning",
		    meaning_of(v, "reason", WW_REASON_MAX, reason_name, reason_meaning));
	close_node(b);
	open_node(b, WW_WHY_GRADES);
	PUT(b, v, grades);
	put_meaning(b, "evidenceMeaning",
		    meaning_of(v, "evidence", WW_EVIDENCE_MAX, evidence_name, evidence_meaning));
	put_meaning(b, "joinMeaning", meaning_of(v, "join", WW_JOIN_MAX, join_name, join_meaning));
	close_node(b);
}

static void add_agent(struct build *b)
{
	static const struct pick picks[] = {{"comm", "comm"}, {"exe", "exe"},       {"pid", "pid"},
					    {"uid", "uid"},   {"parent", "parent"}, {"t", "t"}};
	static const struct pick whose[] = {{"root", "root"}, {"cgroup", "cgroup"}};
	struct ww_json_token actor = member(b->verdict, "actor");
	char id[ID_MAX];

	if (!copy_id(&actor, id))
		return;
	open_node(b, WW_WHY_AGENT);
	PUT(b, cite(b, "id", ww_slice_str(id)), picks);
	PUT(b, b->verdict, whose);
	close_node(b);
}

/* --- what was said ------------------------------------------------------------------------------
 */

/* What an exchange was besides has its number, and a letter of its own. False: there is none. */
static bool also(const struct build *b, struct ww_slice exchange, char letter, char id[ID_MAX],
		 uint64_t *ret_index, struct ww_slice *ret_json)
{
	if (exchange.n < 2 || exchange.n >= ID_MAX || exchange.p[0] != 'x' || b->err < 0)
		return false;
	memcpy(id, exchange.p, exchange.n);
	id[0] = letter;
	id[exchange.n] = '\0';
	return b->ask->get(b->ask->ctx, ww_slice_str(id), ret_index, ret_json) == 0;
}

static void put_model_call(struct build *b, struct ww_slice exchange)
{
	static const struct pick picks[] = {
		{"provider", "provider"},     {"model", "modelServed"},
		{"modelAsked", "modelAsked"}, {"responseId", "responseId"},
		{"stopReason", "stopReason"}, {"status", "status"},
	};
	struct ww_slice json = WW_SLICE_NULL;
	struct ww_json_token t;
	char id[ID_MAX];
	uint64_t index;

	if (!also(b, exchange, 'm', id, &index, &json))
		return;
	ww_jsonw_cstr(&b->w, "modelCall", id);
	ww_jsonw_u64(&b->w, "modelCallIndex", index);
	PUT(b, json, picks);
	t = member(json, "t");
	put_time(b, "t", &t);
}

static void add_asked(struct build *b)
{
	static const struct pick picks[] = {
		{"join", "model.join"},
		{"by", "model.by"},
		{"span", "model.span"},
		{"argumentsDigest", "model.argumentsDigest"},
	};
	struct ww_json_token action = member(b->verdict, "action"), v;
	char action_id[ID_MAX], id[ID_MAX];
	struct ww_slice json;

	open_node(b, WW_WHY_ASKED);
	if (!copy_id(&action, action_id))
		action_id[0] = '\0';
	json = cite(b, "action", ww_slice_str(action_id));
	v = member(json, "model.exchange");
	if (!copy_id(&v, id)) {
		b->what = json.n ? WW_WHY_NOT_ASKED : WW_WHY_ASKED_UNKNOWN;
		close_node(b);
		return;
	}
	ww_jsonw_cstr(&b->w, "exchange", id);
	PUT(b, json, picks);
	put_model_call(b, ww_slice_str(id));
	close_node(b);
}

static void add_span(struct build *b)
{
	static const struct pick said[] = {
		{"traceId", "span.traceId"},     {"status", "span.status"},
		{"start", "span.start"},         {"end", "span.end"},
		{"errorType", "span.errorType"}, {"count", "span.count"},
	};
	static const struct pick sent[] = {
		{"name", "name"},
		{"service", "service"},
		{"sender", "actor"},
		{"agent", "agent"},
		{"conversation", "conversation"},
		{"receivedBootNs", "receivedBootNs"},
	};
	struct ww_json_token v = member(b->verdict, "span.id"),
			     end = member(b->verdict, "span.end");
	struct ww_wall t;
	char id[ID_MAX];

	if (!copy_id(&v, id)) {
		add_plain(b, WW_WHY_NO_SPAN);
		return;
	}
	open_node(b, WW_WHY_SPAN);
	PUT(b, cite(b, "id", ww_slice_str(id)), sent);
	PUT(b, b->verdict, said);
	if (ww_member_has(&end) && !end.escaped && ww_wall_parse(end.raw, &t) == 0)
		put_offset(b, t);
	close_node(b);
}

static void add_claims(struct build *b)
{
	static const struct pick picks[] = {
		{"claimId", "claimId"}, {"tense", "tense"}, {"deadline", "deadline"}};
	struct ww_slice claim;
	struct ww_json j;
	bool any = false;

	begin_elements(&j, range_of(b->verdict, "$.said.claims"));
	while (next_element(&j, &claim)) {
		struct ww_json_token span = member(claim, "span"), t = member(claim, "t");
		char id[ID_MAX];

		any = true;
		open_node(b, WW_WHY_CLAIM);
		PUT(b, claim, picks);
		put_time(b, "t", &t);
		if (copy_id(&span, id))
			(void)cite(b, "span", ww_slice_str(id)); /* its place is written */
		close_node(b);
	}
	if (!any)
		add_plain(b, WW_WHY_NO_CLAIM);
}

static void add_shown(struct build *b)
{
	static const struct pick picks[] = {{"isError", "said.toolResult.isError"},
					    {"digest", "said.toolResult.digest"}};
	static const struct pick text[] = {{"bytes", "said.text.bytes"},
					   {"digest", "said.text.digest"}};
	struct ww_json_token v = member(b->verdict, "said.toolResult.exchange"), t;
	struct ww_json_token bytes = member(b->verdict, "said.text.bytes");
	char id[ID_MAX];

	if (copy_id(&v, id)) {
		open_node(b, WW_WHY_SHOWN);
		t = member(cite(b, "exchange", ww_slice_str(id)), "t");
		put_time(b, "t", &t);
		PUT(b, b->verdict, picks);
		put_array(b, b->verdict, "shows", "$.said.toolResult.shows");
		put_array(b, b->verdict, "differs", "$.said.toolResult.differs");
		close_node(b);
	} else {
		add_plain(b, WW_WHY_NOT_SHOWN);
	}
	if (ww_member_has(&bytes)) {
		open_node(b, WW_WHY_TEXT);
		PUT(b, b->verdict, text);
		close_node(b);
	} else {
		add_plain(b, WW_WHY_NO_TEXT);
	}
}

/* --- the wire -----------------------------------------------------------------------------------
 */

static void add_account(struct build *b, struct ww_slice flow, const char *dir)
{
	static const char *const names[] = {"payload",  "handshake", "tickets",  "explained",
					    "overhead", "remainder", "captured", "checked"};
	struct ww_slice paths[WW_ARRAY_SIZE(names)];
	struct ww_json_token v[WW_ARRAY_SIZE(names)];
	char text[WW_ARRAY_SIZE(names)][40];

	for (size_t i = 0; i < WW_ARRAY_SIZE(names); i++) {
		int n = snprintf(text[i], sizeof(text[i]), "account.%s.%s", dir, names[i]);

		paths[i] = ww_slice(text[i], (size_t)n);
	}
	ww_member_pick(flow, paths, WW_ARRAY_SIZE(names), v);
	if (!ww_member_has(&v[0]))
		return;
	open_node(b, WW_WHY_ACCOUNT);
	ww_jsonw_cstr(&b->w, "direction", dir);
	for (size_t i = 0; i < WW_ARRAY_SIZE(names); i++) {
		if (ww_member_has(&v[i]))
			ww_member_write(&b->w, names[i], &v[i]);
	}
	close_node(b);
}

static void add_flow(struct build *b, const char *id)
{
	static const struct pick picks[] = {
		{"t", "t"},
		{"actor", "actor"},
		{"proto", "proto"},
		{"role", "role"},
		{"local", "local"},
		{"peer", "peer"},
		{"sni", "tls.sni"},
		{"tlsVersion", "tls.version"},
		{"binding", "tls.bind"},
		{"bytesSent", "kernel.bytesSent"},
		{"bytesAcked", "kernel.bytesAcked"},
		{"bytesReceived", "kernel.bytesReceived"},
		{"bytesRetransmitted", "kernel.bytesRetransmitted"},
		{"seenBirth", "seenBirth"},
		{"ownerChanges", "ownerChanges"},
		{"lostOut", "lostOut"},
		{"lostIn", "lostIn"},
		{"close", "close"},
	};
	WW_AUTO_BUF struct ww_buf copy = {0};
	struct ww_slice json;

	ww_buf_init(&copy, WW_RECORD_BYTES_MAX);
	open_node(b, WW_WHY_FLOW);
	json = cite(b, "id", ww_slice_str(id));
	PUT(b, json, picks);
	close_node(b);
	if (b->err == 0)
		b->err = ww_buf_add(&copy, json.p, json.n);
	b->depth++;
	add_account(b, ww_buf_slice(&copy), "out");
	add_account(b, ww_buf_slice(&copy), "in");
	b->depth--;
}

/* What an exchange's own record says; its flow's id is left in `flow` (empty: none). */
static void put_exchange(struct build *b, const char *id, char flow[ID_MAX])
{
	static const struct pick picks[] = {
		{"method", "method"},
		{"path", "path"},
		{"answered", "status"},
		{"outcome", "outcome"},
		{"name", "authority"},
		{"sni", "sni"},
		{"peer", "peer"},
		{"traceId", "traceId"},
		{"requestBytes", "request.bytes"},
		{"responseBytes", "response.bytes"},
		{"sentBootNs", "request.firstBootNs"},
		{"answeredBootNs", "response.lastBootNs"},
	};
	static const struct pick mcp[] = {{"mcpTool", "tool"},
					  {"mcpAnswer", "answer"},
					  {"mcpErrorCode", "errorCode"},
					  {"mcpResultDigest", "result.digest"}};
	struct ww_slice json = cite(b, "exchange", ww_slice_str(id));
	struct ww_json_token v = member(json, "flow"), t = member(json, "t");
	char call[ID_MAX];
	uint64_t index;

	PUT(b, json, picks);
	put_array(b, json, "findings", "$.findings");
	put_time(b, "t", &t);
	if (!copy_id(&v, flow))
		flow[0] = '\0';
	if (!also(b, ww_slice_str(id), 't', call, &index, &json))
		return;
	ww_jsonw_cstr(&b->w, "mcpCall", call);
	ww_jsonw_u64(&b->w, "mcpCallIndex", index);
	PUT(b, json, mcp);
}

static void add_attempt(struct build *b, struct ww_slice attempt, enum ww_why_what what)
{
	static const struct pick picks[] = {
		{"join", "join"},
		{"by", "by"},
		{"wire", "wire"},
		{"status", "status"},
		{"retryAfterS", "retryAfterS"},
		{"waitedMs", "waitedMs"},
		{"items", "items"},
		{"itemsGood", "itemsGood"},
		{"idKnown", "idKnown"},
	};
	struct ww_json_token v = member(attempt, "exchange");
	char id[ID_MAX], flow[ID_MAX];

	if (!copy_id(&v, id))
		return;
	open_node(b, what);
	PUT(b, attempt, picks);
	put_exchange(b, id, flow);
	close_node(b);
	b->depth++;
	if (flow[0])
		add_flow(b, flow);
	b->depth--;
}

static uint64_t count_elements(struct ww_slice array)
{
	struct ww_slice element;
	uint64_t n = 0;
	struct ww_json j;

	begin_elements(&j, array);
	while (next_element(&j, &element))
		n++;
	return n;
}

/* A group, and what is in it one deeper. */
static void add_group(struct build *b, enum ww_why_what group, const char *path,
		      enum ww_why_what what)
{
	struct ww_slice array = range_of(b->verdict, path), element;
	struct ww_json j;

	open_node(b, group);
	ww_jsonw_u64(&b->w, "count", count_elements(array));
	close_node(b);
	b->depth++;
	begin_elements(&j, array);
	while (next_element(&j, &element))
		add_attempt(b, element, what);
	b->depth--;
}

/* Later reads of the created id. */
static void add_readbacks(struct build *b)
{
	static const struct pick group[] = {{"count", "wire.readbackTotal"}};
	static const struct pick picks[] = {{"of", "of"}, {"read", "read"}, {"status", "status"}};
	struct ww_json_token total = member(b->verdict, "wire.readbackTotal");
	struct ww_json_token confirms = member(b->verdict, "wire.readback");
	struct ww_slice read;
	struct ww_json j;

	if (!ww_member_has(&total))
		return;
	open_node(b, WW_WHY_READBACKS);
	PUT(b, b->verdict, group);
	close_node(b);
	begin_elements(&j, range_of(b->verdict, "$.wire.readbacks"));
	while (next_element(&j, &read)) {
		struct ww_json_token v = member(read, "exchange");
		char id[ID_MAX], flow[ID_MAX];

		if (!copy_id(&v, id))
			continue;
		b->depth++;
		open_node(b, WW_WHY_READBACK);
		PUT(b, read, picks);
		ww_jsonw_bool(&b->w, "confirms",
			      ww_member_has(&confirms) && ww_json_is(&confirms, id));
		put_exchange(b, id, flow);
		close_node(b);
		b->depth++;
		if (flow[0])
			add_flow(b, flow);
		b->depth -= 2;
	}
}

/* Remarks, which judge nothing. */
static void add_findings(struct build *b)
{
	static const struct pick picks[] = {
		{"finding", "finding"}, {"retryAfterS", "retryAfterS"}, {"waitedMs", "waitedMs"}};
	struct ww_slice finding;
	struct ww_json j;

	begin_elements(&j, range_of(b->verdict, "$.findings"));
	while (next_element(&j, &finding)) {
		struct ww_json_token v = member(finding, "exchange");
		char id[ID_MAX];

		open_node(b, WW_WHY_FINDING);
		PUT(b, finding, picks);
		if (copy_id(&v, id))
			(void)cite(b, "exchange", ww_slice_str(id)); /* its place is written */
		close_node(b);
	}
}

static void add_undecoded(struct build *b)
{
	static const struct pick picks[] = {
		{"destination", "wire.undecoded.destination"},
		{"peer", "wire.undecoded.peer"},
		{"tls", "wire.undecoded.tls"},
		{"bytesSent", "wire.undecoded.bytesSent"},
		{"bytesAcked", "wire.undecoded.bytesAcked"},
		{"bytesReceived", "wire.undecoded.bytesReceived"},
	};
	struct ww_json_token v = member(b->verdict, "wire.undecoded.flow");
	char id[ID_MAX];

	if (!copy_id(&v, id))
		return;
	open_node(b, WW_WHY_UNDECODED);
	PUT(b, b->verdict, picks);
	close_node(b);
	b->depth++;
	add_flow(b, id);
	b->depth--;
}

static const char *near_meaning(const struct ww_json_token *why)
{
	static const struct {
		const char *why, *meaning;
	} known[] = {
		{"request", "the declared destination, another method or path"},
		{"destination", "the declared call, another destination"},
		{"early", "it began before the window"},
		{"late", "it began after the window"},
		{"taken", "it is another action's"},
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(known); i++) {
		if (ww_json_is(why, known[i].why))
			return known[i].meaning;
	}
	return NULL;
}

static void add_near_misses(struct build *b)
{
	static const struct pick total[] = {{"count", "wire.nearMissTotal"}};
	static const struct pick picks[] = {
		{"why", "why"},   {"status", "status"}, {"destination", "destination"},
		{"peer", "peer"}, {"method", "method"}, {"path", "path"},
	};
	struct ww_slice near;
	struct ww_json j;

	open_node(b, WW_WHY_NEAR_MISSES);
	PUT(b, b->verdict, total);
	close_node(b);
	b->depth++;
	begin_elements(&j, range_of(b->verdict, "$.wire.nearMiss"));
	while (next_element(&j, &near)) {
		struct ww_json_token v = member(near, "exchange"), why = member(near, "why"), t;
		char id[ID_MAX];

		if (!copy_id(&v, id))
			continue;
		open_node(b, WW_WHY_NEAR_MISS);
		t = member(cite(b, "exchange", ww_slice_str(id)), "t");
		put_time(b, "t", &t);
		PUT(b, near, picks);
		if (ww_member_has(&why))
			put_meaning(b, "meaning", near_meaning(&why));
		close_node(b);
	}
	b->depth--;
}

static void add_wire(struct build *b)
{
	struct ww_json_token elsewhere = member(b->verdict, "wire.elsewhere.exchange");

	if (range_of(b->verdict, "$.wire.candidates").n)
		add_group(b, WW_WHY_CANDIDATES, "$.wire.candidates", WW_WHY_CANDIDATE);
	else
		add_group(b, WW_WHY_ATTEMPTS, "$.wire.attempts", WW_WHY_ATTEMPT);
	if (ww_member_has(&elsewhere))
		add_attempt(b, range_of(b->verdict, "$.wire.elsewhere"), WW_WHY_ELSEWHERE);
	add_undecoded(b);
	add_readbacks(b);
	add_findings(b);
	add_near_misses(b);
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

/* The items of the checklist; `failed`: only those that did not hold, as what would have changed
 * the verdict. */
static void add_items(struct build *b, enum ww_why_what what, bool failed)
{
	static const struct pick picks[] = {
		{"item", "item"}, {"pass", "pass"}, {"detail", "detail"}};
	struct ww_slice item;
	struct ww_json j;

	begin_elements(&j, range_of(b->verdict, "$.closedWorld"));
	while (next_element(&j, &item)) {
		struct ww_json_token name = member(item, "item"), pass = member(item, "pass");

		if (failed && pass.type != WW_JSON_FALSE)
			continue;
		open_node(b, pass.type == WW_JSON_FALSE && what == WW_WHY_ITEM ? WW_WHY_ITEM_FAILED
									       : what);
		PUT(b, item, picks);
		put_meaning(b, "meaning", item_meaning(&name));
		close_node(b);
	}
}

static void add_coverage(struct build *b)
{
	static const struct pick window[] = {
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
	static const struct pick losses[] = {
		{"events", "coverage.lostEvents"},
		{"bytes", "coverage.lostBytes"},
		{"cause", "coverage.lostCause"},
	};
	struct ww_json_token known = member(b->verdict, "coverage.known");

	if (!ww_member_has(&known)) {
		add_plain(b, WW_WHY_NO_COVERAGE);
		return;
	}
	open_node(b, WW_WHY_COVERAGE);
	PUT(b, b->verdict, window);
	close_node(b);
	b->depth++;
	if (count_elements(range_of(b->verdict, "$.closedWorld")))
		add_items(b, WW_WHY_ITEM, false);
	else
		add_plain(b, WW_WHY_NO_ITEMS);
	b->depth--;
	open_node(b, WW_WHY_LOSSES);
	PUT(b, b->verdict, losses);
	close_node(b);
}

static void add_egress(struct build *b)
{
	static const struct pick group[] = {{"count", "egressTotal"}, {"refused", "refused"}};
	static const struct pick picks[] = {{"destination", "destination"},
					    {"peer", "peer"},
					    {"model", "model"},
					    {"bytesSent", "bytesSent"}};
	struct ww_json_token total = member(b->verdict, "egressTotal");
	struct ww_slice flow;
	struct ww_json j;

	if (!ww_member_has(&total))
		return;
	open_node(b, WW_WHY_EGRESS);
	PUT(b, b->verdict, group);
	close_node(b);
	b->depth++;
	begin_elements(&j, range_of(b->verdict, "$.egress"));
	while (next_element(&j, &flow)) {
		struct ww_json_token v = member(flow, "flow");
		char id[ID_MAX];

		if (!copy_id(&v, id))
			continue;
		open_node(b, WW_WHY_EGRESS_FLOW);
		(void)cite(b, "flow", ww_slice_str(id)); /* its place is written */
		PUT(b, flow, picks);
		close_node(b);
	}
	b->depth--;
}

/* --- what would have changed it -----------------------------------------------------------------
 */

static unsigned circumstances(const struct build *b)
{
	struct ww_json_token join = member(b->verdict, "join");
	struct ww_json_token called = member(b->verdict, "wire.exchange");
	unsigned when = ww_member_has(&called) ? WW_WHY_CALLED : WW_WHY_NOT_CALLED;

	if (ww_member_has(&join) && ww_json_is(&join, ww_verdict_join_name(WW_JOIN_EXACT)))
		when |= WW_WHY_EXACT;
	if (ww_member_has(&join) && ww_json_is(&join, ww_verdict_join_name(WW_JOIN_UNIQUE)))
		when |= WW_WHY_UNIQUE;
	return when;
}

static void add_changes(struct build *b, const char *path,
			const struct ww_why_change *(*at)(unsigned), const char *(*name)(unsigned))
{
	struct ww_json_token v = member(b->verdict, path);
	unsigned when = circumstances(b);
	const struct ww_why_change *c;

	for (unsigned i = 0; ww_member_has(&v) && (c = at(i)) != NULL; i++) {
		WW_AUTO_BUF struct ww_buf text = {0};

		if (!ww_json_is(&v, name(c->about)) || (c->when & ~when))
			continue;
		ww_buf_init(&text, WW_RECORD_BYTES_MAX);
		if (ww_template_render(c->text, b->verdict, false, &text) == -ENOMEM)
			b->err = -ENOMEM;
		open_node(b, WW_WHY_CHANGE);
		ww_jsonw_str(&b->w, "change", ww_buf_slice(&text));
		close_node(b);
	}
}

static void add_what_would_change(struct build *b)
{
	add_plain(b, WW_WHY_CHANGES);
	b->depth++;
	add_changes(b, "reason", ww_why_change_reason, reason_name);
	add_items(b, WW_WHY_CHANGE_ITEM, true);
	add_changes(b, "verdict", ww_why_change_verdict, verdict_name);
	b->depth--;
}

/* --- all of it ----------------------------------------------------------------------------------
 */

static int build(const struct ww_why_ask *ask, struct ww_slice verdict, struct ww_why_tree *tree)
{
	struct build b = {.tree = tree, .ask = ask, .verdict = verdict};
	struct ww_json_token t = member(verdict, "t");

	ww_buf_init(&b.facts, 4 * WW_RECORD_BYTES_MAX);
	if (!ww_member_has(&t) || t.escaped || ww_wall_parse(t.raw, &b.begin) < 0)
		b.begin.ns = 0;
	add_verdict(&b);
	add_agent(&b);
	add_asked(&b);
	add_span(&b);
	add_claims(&b);
	add_wire(&b);
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
