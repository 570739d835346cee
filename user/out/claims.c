/* SPDX-License-Identifier: Apache-2.0 */
#include "out/claims.h"

#include "ledger/outcome.h"
#include "out/member.h"

/* By the word of "by": which fields of both sides agreed. */
static const struct {
	const char *by;
	const char *agreed[6];
} agreements[] = {
	{"traceparent", {"traceId", "spanId"}},
	{"idempotency-key", {"idempotencyKey"}},
	{"response-id", {"responseId"}},
	{"window", {"processTree", "destination", "method", "path", "window"}},
};

static void write_agreed(struct ww_jsonw *w, const struct ww_json_token *by)
{
	ww_jsonw_array(w, "agreed");
	for (size_t i = 0; ww_member_has(by) && i < WW_ARRAY_SIZE(agreements); i++) {
		if (!ww_json_is(by, agreements[i].by))
			continue;
		for (size_t k = 0; agreements[i].agreed[k]; k++)
			ww_jsonw_cstr(w, NULL, agreements[i].agreed[k]);
	}
	ww_jsonw_end_array(w);
}

static uint64_t count_at(struct ww_slice record, const char *path)
{
	struct ww_member_walk w;
	struct ww_member m;
	uint64_t n = 0;

	ww_member_begin(&w, record);
	while (ww_member_next(&w, &m))
		n += ww_slice_eq_str(m.path, path);
	return n;
}

static void write_evidence(struct ww_jsonw *w, struct ww_slice record, ww_claims_index_fn fn,
			   void *ctx)
{
	struct ww_member_walk walk;
	struct ww_member m;
	uint64_t index;

	ww_jsonw_array(w, "evidenceIndexes");
	ww_member_begin(&walk, record);
	while (ww_member_next(&walk, &m)) {
		if ((ww_slice_eq_str(m.path, "action") || ww_slice_eq_str(m.path, "refs") ||
		     ww_slice_eq_str(m.path, "attested.attestations.attestation")) &&
		    m.value.type == WW_JSON_STRING && fn(ctx, m.value.raw, &index))
			ww_jsonw_u64(w, NULL, index);
	}
	ww_jsonw_end_array(w);
}

/* The column beside the wire's evidence. */
static void write_attested(struct ww_jsonw *w, struct ww_slice record)
{
	struct ww_json_token evidence = ww_member_get(record, "attested.evidence");
	struct ww_json_token wire = ww_member_get(record, "attested.wireVerdict");

	if (!ww_member_has(&evidence))
		return;
	ww_jsonw_object(w, "attested");
	ww_member_write(w, "evidence", &evidence);
	ww_member_write(w, "wireVerdict", &wire);
	ww_jsonw_end_object(w);
}

void ww_claims_write(struct ww_jsonw *w, uint64_t index, struct ww_slice verdict,
		     ww_claims_index_fn fn, void *ctx)
{
	enum {
		ID,
		ACTION,
		VERDICT,
		REASON,
		EVIDENCE,
		CLAIM,
		SPAN,
		STATUS,
		JOIN,
		BY,
		NUMBER,
		NEAR,
		TOOL,
		CALL,
		TRACE,
		FIRST,
		FIRST_RECORD,
		FIRST_CONTRACTS,
		N
	};
	static const struct ww_slice paths[N] = {
		[ID] = WW_SLICE_LIT("id"),
		[ACTION] = WW_SLICE_LIT("action"),
		[VERDICT] = WW_SLICE_LIT("verdict"),
		[REASON] = WW_SLICE_LIT("reason"),
		[EVIDENCE] = WW_SLICE_LIT("evidence"),
		[CLAIM] = WW_SLICE_LIT("said.claim"),
		[SPAN] = WW_SLICE_LIT("span.id"),
		[STATUS] = WW_SLICE_LIT("span.status"),
		[JOIN] = WW_SLICE_LIT("join"),
		[BY] = WW_SLICE_LIT("by"),
		[NUMBER] = WW_SLICE_LIT("n"),
		[NEAR] = WW_SLICE_LIT("wire.nearMissTotal"),
		[TOOL] = WW_SLICE_LIT("tool"),
		[CALL] = WW_SLICE_LIT("toolCallId"),
		[TRACE] = WW_SLICE_LIT("span.traceId"),
		[FIRST] = WW_SLICE_LIT("reevaluates.verdict"),
		[FIRST_RECORD] = WW_SLICE_LIT("reevaluates.record"),
		[FIRST_CONTRACTS] = WW_SLICE_LIT("reevaluates.contracts"),
	};
	struct ww_json_token v[N];

	ww_member_pick(verdict, paths, N, v);
	ww_jsonw_object(w, NULL);
	ww_jsonw_u64(w, "index", index);
	ww_member_write(w, "id", &v[ID]);
	ww_member_write(w, "action", &v[ACTION]);
	ww_jsonw_object(w, "quoted");
	ww_member_write(w, "tool", &v[TOOL]);
	ww_member_write(w, "toolCallId", &v[CALL]);
	ww_member_write(w, "traceId", &v[TRACE]);
	ww_member_write(w, "claim", &v[CLAIM]);
	ww_member_write(w, "spanStatus", &v[STATUS]);
	ww_jsonw_end_object(w);
	ww_member_write(w, "span", &v[SPAN]);
	ww_member_write(w, "verdict", &v[VERDICT]);
	ww_member_write(w, "reason", &v[REASON]);
	if (ww_member_has(&v[FIRST_CONTRACTS])) {
		ww_jsonw_object(w, "reevaluates");
		ww_member_write(w, "verdict", &v[FIRST]);
		ww_member_write(w, "record", &v[FIRST_RECORD]);
		ww_member_write(w, "contracts", &v[FIRST_CONTRACTS]);
		ww_jsonw_end_object(w);
	}
	ww_outcome_write(w, ww_outcome_of(v[VERDICT].raw,
					  ww_member_has(&v[CLAIM]) || ww_member_has(&v[SPAN])));
	ww_member_write(w, "evidence", &v[EVIDENCE]);
	write_attested(w, verdict);
	ww_jsonw_object(w, "match");
	ww_member_write(w, "join", &v[JOIN]);
	ww_member_write(w, "by", &v[BY]);
	write_agreed(w, &v[BY]);
	ww_jsonw_u64(w, "candidates", count_at(verdict, "wire.candidates.exchange"));
	ww_jsonw_u64(w, "rivals", ww_member_u64(&v[NEAR], 0));
	ww_jsonw_u64(w, "ambiguity", ww_member_u64(&v[NUMBER], 0));
	ww_jsonw_end_object(w);
	write_evidence(w, verdict, fn, ctx);
	ww_jsonw_end_object(w);
}
