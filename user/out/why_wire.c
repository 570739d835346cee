/* SPDX-License-Identifier: Apache-2.0 */
/* why: what was on the wire: attempts, their connections, reads, and what was looked at besides. */
#include <stdio.h>

#include <wirewitness/limits.h>

#include "out/why_node.h"

static void add_account(struct ww_why_job *b, struct ww_slice flow, const char *dir)
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
	ww_why_open(b, WW_WHY_ACCOUNT);
	ww_jsonw_cstr(&b->w, "direction", dir);
	for (size_t i = 0; i < WW_ARRAY_SIZE(names); i++) {
		if (ww_member_has(&v[i]))
			ww_member_write(&b->w, names[i], &v[i]);
	}
	ww_why_close(b);
}

static void add_flow(struct ww_why_job *b, const char *id)
{
	static const struct ww_why_pick picks[] = {
		{"t", "t"},
		{"actor", "actor"},
		{"proto", "proto"},
		{"role", "role"},
		{"local", "local"},
		{"peer", "peer"},
		{"sni", "tls.sni"},
		{"sni", "quic.sni"},
		{"quicVersion", "quic.version"},
		{"program", "channel.program"},
		{"server", "channel.server"},
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
	ww_why_open(b, WW_WHY_FLOW);
	json = ww_why_cite(b, "id", ww_slice_str(id));
	WW_WHY_PUT(b, json, picks);
	ww_why_close(b);
	if (b->err == 0)
		b->err = ww_buf_add(&copy, json.p, json.n);
	b->depth++;
	add_account(b, ww_buf_slice(&copy), "out");
	add_account(b, ww_buf_slice(&copy), "in");
	b->depth--;
}

/* What an exchange's own record says; its flow's id is left in `flow` (empty: none). */
static void put_exchange(struct ww_why_job *b, const char *id, char flow[WW_WHY_ID_MAX])
{
	static const struct ww_why_pick picks[] = {
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
	static const struct ww_why_pick mcp[] = {{"mcpTool", "tool"},
						 {"mcpAnswer", "answer"},
						 {"mcpErrorCode", "errorCode"},
						 {"mcpResultDigest", "result.digest"}};
	struct ww_slice json = ww_why_cite(b, "exchange", ww_slice_str(id));
	struct ww_json_token v = ww_member_get(json, "flow"), t = ww_member_get(json, "t");
	char call[WW_WHY_ID_MAX];
	uint64_t index;

	WW_WHY_PUT(b, json, picks);
	ww_why_put_array(b, json, "findings", "$.findings");
	ww_why_put_time(b, "t", &t);
	if (!ww_why_copy_id(&v, flow))
		flow[0] = '\0';
	if (!ww_why_also(b, ww_slice_str(id), 't', call, &index, &json))
		return;
	ww_jsonw_cstr(&b->w, "mcpCall", call);
	ww_jsonw_u64(&b->w, "mcpCallIndex", index);
	WW_WHY_PUT(b, json, mcp);
}

/* --- legs ---------------------------------------------------------------------------------------
 */

#define LEGS_MAX 16u

struct legs {
	struct ww_why_job *b;
	char server[WW_WHY_ID_MAX];
	uint64_t from_ns, to_ns;
	unsigned count;
};

static uint64_t number_at(struct ww_slice json, const char *path)
{
	struct ww_json_token v = ww_member_get(json, path);

	return ww_member_u64(&v, 0);
}

static bool is_at(struct ww_slice json, const char *path, const char *wanted)
{
	struct ww_json_token v = ww_member_get(json, path);

	return ww_member_has(&v) && ww_json_is(&v, wanted);
}

static bool take_leg(void *ctx, uint64_t index, struct ww_slice json)
{
	static const struct ww_why_pick picks[] = {
		{"exchange", "id"},
		{"method", "method"},
		{"path", "path"},
		{"answered", "status"},
		{"outcome", "outcome"},
		{"name", "authority"},
		{"sni", "sni"},
		{"peer", "peer"},
		{"requestBytes", "request.bytes"},
		{"responseBytes", "response.bytes"},
	};
	struct legs *l = ctx;
	uint64_t sent = number_at(json, "request.firstBootNs");
	struct ww_json_token t = ww_member_get(json, "t");

	if (!is_at(json, "kind", "exchange") || !is_at(json, "actor", l->server) ||
	    sent < l->from_ns || sent > l->to_ns)
		return true;
	ww_why_open(l->b, WW_WHY_LEG);
	ww_jsonw_u64(&l->b->w, "index", index);
	WW_WHY_PUT(l->b, json, picks);
	ww_why_put_time(l->b, "t", &t);
	ww_why_close(l->b);
	return ++l->count < LEGS_MAX;
}

/* What the server of a channel sent while it was asked. */
static void add_legs(struct ww_why_job *b, const char *exchange, const char *flow)
{
	struct legs l = {.b = b};
	struct ww_slice json;
	struct ww_json_token v;
	uint64_t index;
	int r;

	if (!b->ask->mentions || b->ask->get(b->ask->ctx, ww_slice_str(flow), &index, &json) < 0)
		return;
	v = ww_member_get(json, "channel.server");
	if (!ww_why_copy_id(&v, l.server) ||
	    b->ask->get(b->ask->ctx, ww_slice_str(exchange), &index, &json) < 0)
		return;
	l.from_ns = number_at(json, "request.firstBootNs");
	l.to_ns = number_at(json, "response.lastBootNs");
	r = b->ask->mentions(b->ask->ctx, ww_slice_str(l.server), take_leg, &l);
	if (r < 0 && b->err == 0)
		b->err = r;
}

static void add_attempt(struct ww_why_job *b, struct ww_slice attempt, enum ww_why_what what)
{
	static const struct ww_why_pick picks[] = {
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
	struct ww_json_token v = ww_member_get(attempt, "exchange");
	char id[WW_WHY_ID_MAX], flow[WW_WHY_ID_MAX];

	if (!ww_why_copy_id(&v, id))
		return;
	ww_why_open(b, what);
	WW_WHY_PUT(b, attempt, picks);
	put_exchange(b, id, flow);
	ww_why_close(b);
	b->depth++;
	if (flow[0]) {
		add_flow(b, flow);
		add_legs(b, id, flow);
	}
	b->depth--;
}

/* A group, and what is in it one deeper. */
static void add_group(struct ww_why_job *b, enum ww_why_what group, const char *path,
		      enum ww_why_what what)
{
	struct ww_slice array = ww_why_range(b->verdict, path), element;
	struct ww_json j;

	ww_why_open(b, group);
	ww_jsonw_u64(&b->w, "count", ww_why_count(array));
	ww_why_close(b);
	b->depth++;
	ww_why_elements(&j, array);
	while (ww_why_element(&j, &element))
		add_attempt(b, element, what);
	b->depth--;
}

/* Later reads of the created id. */
static void add_readbacks(struct ww_why_job *b)
{
	static const struct ww_why_pick group[] = {{"count", "wire.readbackTotal"}};
	static const struct ww_why_pick picks[] = {
		{"of", "of"}, {"read", "read"}, {"status", "status"}};
	struct ww_json_token total = ww_member_get(b->verdict, "wire.readbackTotal");
	struct ww_json_token confirms = ww_member_get(b->verdict, "wire.readback");
	struct ww_slice read;
	struct ww_json j;

	if (!ww_member_has(&total))
		return;
	ww_why_open(b, WW_WHY_READBACKS);
	WW_WHY_PUT(b, b->verdict, group);
	ww_why_close(b);
	ww_why_elements(&j, ww_why_range(b->verdict, "$.wire.readbacks"));
	while (ww_why_element(&j, &read)) {
		struct ww_json_token v = ww_member_get(read, "exchange");
		char id[WW_WHY_ID_MAX], flow[WW_WHY_ID_MAX];

		if (!ww_why_copy_id(&v, id))
			continue;
		b->depth++;
		ww_why_open(b, WW_WHY_READBACK);
		WW_WHY_PUT(b, read, picks);
		ww_jsonw_bool(&b->w, "confirms",
			      ww_member_has(&confirms) && ww_json_is(&confirms, id));
		put_exchange(b, id, flow);
		ww_why_close(b);
		b->depth++;
		if (flow[0])
			add_flow(b, flow);
		b->depth -= 2;
	}
}

/* Remarks, which judge nothing. */
static void add_findings(struct ww_why_job *b)
{
	static const struct ww_why_pick picks[] = {{"finding", "finding"},
						   {"retryAfterS", "retryAfterS"},
						   {"waitedMs", "waitedMs"},
						   {"attestation", "attestation"}};
	struct ww_slice finding;
	struct ww_json j;

	ww_why_elements(&j, ww_why_range(b->verdict, "$.findings"));
	while (ww_why_element(&j, &finding)) {
		struct ww_json_token v = ww_member_get(finding, "exchange");
		char id[WW_WHY_ID_MAX];

		ww_why_open(b, WW_WHY_FINDING);
		WW_WHY_PUT(b, finding, picks);
		if (ww_why_copy_id(&v, id))
			(void)ww_why_cite(b, "exchange",
					  ww_slice_str(id)); /* its place is written */
		ww_why_close(b);
	}
}

/* What somebody outside attested: beside the wire, never part of it. */
static void add_attested(struct ww_why_job *b)
{
	static const struct ww_why_pick picks[] = {
		{"attester", "attester"}, {"outcome", "outcome"}, {"attestedAt", "attestedAt"}};
	static const struct ww_why_pick record[] = {{"by", "by"}, {"importedAt", "t"}};
	struct ww_slice item;
	struct ww_json j;

	ww_why_elements(&j, ww_why_range(b->verdict, "$.attested.attestations"));
	while (ww_why_element(&j, &item)) {
		struct ww_json_token v = ww_member_get(item, "attestation");
		char id[WW_WHY_ID_MAX];

		if (!ww_why_copy_id(&v, id))
			continue;
		ww_why_open(b, WW_WHY_ATTESTATION);
		WW_WHY_PUT(b, item, picks);
		WW_WHY_PUT(b, ww_why_cite(b, "id", ww_slice_str(id)), record);
		ww_why_close(b);
	}
}

static void add_undecoded(struct ww_why_job *b)
{
	static const struct ww_why_pick picks[] = {
		{"destination", "wire.undecoded.destination"},
		{"peer", "wire.undecoded.peer"},
		{"tls", "wire.undecoded.tls"},
		{"bytesSent", "wire.undecoded.bytesSent"},
		{"bytesAcked", "wire.undecoded.bytesAcked"},
		{"bytesReceived", "wire.undecoded.bytesReceived"},
	};
	struct ww_json_token v = ww_member_get(b->verdict, "wire.undecoded.flow");
	char id[WW_WHY_ID_MAX];

	if (!ww_why_copy_id(&v, id))
		return;
	ww_why_open(b, WW_WHY_UNDECODED);
	WW_WHY_PUT(b, b->verdict, picks);
	ww_why_close(b);
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

static void add_near_misses(struct ww_why_job *b)
{
	static const struct ww_why_pick total[] = {{"count", "wire.nearMissTotal"}};
	static const struct ww_why_pick picks[] = {
		{"why", "why"},   {"status", "status"}, {"destination", "destination"},
		{"peer", "peer"}, {"method", "method"}, {"path", "path"},
	};
	struct ww_slice near;
	struct ww_json j;

	ww_why_open(b, WW_WHY_NEAR_MISSES);
	WW_WHY_PUT(b, b->verdict, total);
	ww_why_close(b);
	b->depth++;
	ww_why_elements(&j, ww_why_range(b->verdict, "$.wire.nearMiss"));
	while (ww_why_element(&j, &near)) {
		struct ww_json_token v = ww_member_get(near, "exchange"),
				     why = ww_member_get(near, "why"), t;
		char id[WW_WHY_ID_MAX];

		if (!ww_why_copy_id(&v, id))
			continue;
		ww_why_open(b, WW_WHY_NEAR_MISS);
		t = ww_member_get(ww_why_cite(b, "exchange", ww_slice_str(id)), "t");
		ww_why_put_time(b, "t", &t);
		WW_WHY_PUT(b, near, picks);
		if (ww_member_has(&why))
			ww_why_put_meaning(b, "meaning", near_meaning(&why));
		ww_why_close(b);
	}
	b->depth--;
}

void ww_why_wire(struct ww_why_job *b)
{
	struct ww_json_token elsewhere = ww_member_get(b->verdict, "wire.elsewhere.exchange");

	if (ww_why_range(b->verdict, "$.wire.candidates").n)
		add_group(b, WW_WHY_CANDIDATES, "$.wire.candidates", WW_WHY_CANDIDATE);
	else
		add_group(b, WW_WHY_ATTEMPTS, "$.wire.attempts", WW_WHY_ATTEMPT);
	if (ww_member_has(&elsewhere))
		add_attempt(b, ww_why_range(b->verdict, "$.wire.elsewhere"), WW_WHY_ELSEWHERE);
	add_undecoded(b);
	add_readbacks(b);
	add_findings(b);
	add_near_misses(b);
	add_attested(b);
}
