/* SPDX-License-Identifier: Apache-2.0 */
/* What a verdict says of dates, of what was read back, and of what the model was shown. */
#include <inttypes.h>
#include <stdio.h>

#include "base/encode.h"
#include "ledger/fields.h"
#include "ledger/rederive_exam.h"

#define NS_PER_S 1000000000ull

static const char *const read_names[WW_READ_MAX] = {WW_READS(WW_RD_NAME)};

/* --- dates --------------------------------------------------------------------------------------
 */

/* Until when what was accepted must show: a declared while after the end of such an attempt. */
static void check_shows_until(struct ww_rd_exam *e)
{
	const struct ww_rd_number *said = &e->v.grounds.shows_until;
	const struct ww_contract *c = e->contract;
	bool could = false, right = false;

	for (unsigned i = 0; i < e->g.count && c->readback.path && c->deadline_s; i++) {
		const struct ww_grounds_attempt *at = &e->g.attempts[i];

		if (at->wire != WW_WIRE_ACCEPTED)
			continue;
		could |= e->v.id_digest.s.p != NULL;
		right |= said->n == at->call.ended_ns + c->deadline_s * NS_PER_S;
	}
	e->g.shows_until_ns = said->there ? said->n : 0;
	if (said->there ? !right : could)
		ww_rd_differ(e, "grounds.showsUntilBootNs",
			     "the declared while after what was accepted", "another time");
}

static void check_dates(struct ww_rd_exam *e)
{
	const struct ww_rd_verdict *v = &e->v;
	const struct ww_rd_grounds *g = &v->grounds;
	bool dated = false;

	for (unsigned i = 0; i < v->claim_count; i++)
		dated |= v->claims[i].deadline.s.p != NULL;
	dated &= !e->g.claim_done && !e->g.spanned && !e->g.asked;
	if (g->announced.there != dated)
		ww_rd_differ(e, "grounds.announcedBootNs",
			     dated ? "the last date of what is only announced" : "nothing",
			     dated ? "nothing" : "a date");
	e->g.until_ns = g->announced.there ? g->announced.n : 0;
	check_shows_until(e);
	e->g.now_ns = g->judged.n;
	e->g.finished = g->finished;
	if ((e->g.until_ns || e->g.shows_until_ns) && !g->judged.there)
		ww_rd_open(e, "grounds.judgedBootNs", "when it was judged", "it was not recorded");
}

/* The date that it names is one of those that were announced. */
static void check_deadline(struct ww_rd_exam *e, const struct ww_ruling *r)
{
	const struct ww_rd_verdict *v = &e->v;
	bool right = false;

	if (!r->until_ns != !v->deadline.s.p) {
		ww_rd_differ(e, "deadline", r->until_ns ? "a date" : "nothing",
			     r->until_ns ? "nothing" : "a date");
		return;
	}
	if (!r->until_ns || r->until_ns != e->g.until_ns)
		return;
	for (unsigned i = 0; i < v->claim_count; i++)
		right |= ww_rd_same(v->claims[i].deadline, v->deadline);
	if (!right)
		ww_rd_differ(e, "deadline", "the date of a claim", "another");
}

/* --- read-backs ---------------------------------------------------------------------------------
 */

/* What a read can show by its status; the id in its path and its body are not kept. */
static uint32_t reads_of(const struct ww_success *s, const struct ww_rd_exchange *x)
{
	uint64_t status = x->status.there ? x->status.n : 0;

	if (status < 200)
		return 1u << WW_READ_UNKNOWN;
	if (status < s->status_min || status > s->status_max)
		return 1u << WW_READ_NOT_SHOWN;
	return 1u << WW_READ_SHOWN | 1u << WW_READ_NOT_SHOWN | 1u << WW_READ_UNKNOWN;
}

static void check_read(struct ww_rd_exam *e, unsigned i)
{
	const struct ww_rd_readback *said = &e->v.readbacks[i];
	const struct ww_contract *terms = &e->terms->readback;
	int word = ww_rd_by_name(said->read, read_names, WW_READ_MAX);
	struct ww_grounds_read *to = &e->g.reads[i];
	const struct ww_rd_exchange *x;
	struct ww_rd_record *rec;
	unsigned of = 0;

	while (of < e->v.attempt_count && !ww_rd_same(e->v.attempts[of].exchange, said->of))
		of++;
	if (word <= 0 || of == e->v.attempt_count) {
		ww_rd_differ(e, "wire.readbacks", "reads of what an attempt created", "another");
		return;
	}
	to->read = (enum ww_read)word;
	to->attempt = of;
	to->at_home = !said->away;
	to->same_caller = !said->other_caller;
	x = ww_rd_cited_exchange(e, "wire.readbacks.exchange", said->exchange, &rec);
	if (!x)
		return;
	ww_rd_same_number(e, "wire.readbacks.status", rec, x->status, said->status);
	ww_rd_same_text(e, "wire.readbacks.peer", rec, x->peer, said->peer);
	if (!terms->call.path_count || !ww_rd_fits(terms, x) ||
	    x->req_first_ns < e->g.attempts[of].call.ended_ns)
		ww_rd_differ(e, "wire.readbacks", "the declared read, after the attempt's end",
			     "another call");
	if (!(reads_of(&terms->success, x) & (1u << word)))
		ww_rd_differ(e, "wire.readbacks.read", "what its status gives under the terms",
			     read_names[word]);
	ww_rd_take_call(e, x, &to->call);
}

static void check_reads(struct ww_rd_exam *e)
{
	const struct ww_rd_verdict *v = &e->v;

	e->g.read_total = ww_rd_capped(v->readback_total);
	e->g.reads_over = v->grounds.reads_over;
	if (v->readback_total < v->readback_count)
		ww_rd_differ(e, "wire.readbackTotal", "as many as are listed", "fewer");
	for (unsigned i = 0; i < v->readback_count && !e->open; i++)
		check_read(e, i);
	e->g.read_count = v->readback_count;
}

/* No read that nobody names may have shown what is said to be missing. By its record a read of
 * another thing looks alike. */
static void note_reads(struct ww_rd_exam *e, const struct ww_ruling *r)
{
	struct ww_rd_absence a = {
		.verdict = e->rec,
		.contract = &e->terms->readback,
		.root = e->v.root.s,
		.to_ns = r->until_ns,
		.field = "wire.readbacks",
		.maybe = true,
		.shows = true,
	};

	if (r->verdict != WW_VERDICT_EFFECT_MISSING || !r->deciding)
		return;
	a.from_ns = r->deciding->call.ended_ns;
	ww_rd_absent(e->rd, &a);
}

static void check_confirming(struct ww_rd_exam *e, const struct ww_ruling *r)
{
	struct ww_rd_text none = {WW_SLICE_NULL, false};

	ww_rd_same_text(e, "wire.readback", e->rec,
			r->read ? e->v.readbacks[r->read - e->g.reads].exchange : none,
			e->v.readback);
}

/* --- what the model was shown -------------------------------------------------------------------
 */

static struct ww_answer answer_of(const struct ww_rd_values *v)
{
	struct ww_answer a = {.whole = v->whole, .present = v->has, .large = v->large};

	memcpy(a.digest, v->digest, sizeof(a.digest));
	memcpy(a.rounded, v->rounded, sizeof(a.rounded));
	return a;
}

/* Every call beside the attempts has its answer, or is counted. */
static void check_likes(struct ww_rd_exam *e)
{
	const struct ww_rd_verdict *v = &e->v;
	const struct ww_rd_grounds *g = &v->grounds;
	uint64_t like = 0, reads = 0, listed = 0;

	e->g.beside = ww_rd_capped(g->beside);
	e->g.like_count = g->like_count;
	for (unsigned i = 0; i < g->like_count; i++) {
		e->g.likes[i] = (struct ww_grounds_like){answer_of(&g->likes[i]), g->likes[i].read};
		reads += g->likes[i].read;
	}
	for (unsigned i = 0; i < v->near_count; i++)
		listed += ww_rd_is(v->near[i].why, "early") || ww_rd_is(v->near[i].why, "late") ||
			  ww_rd_is(v->near[i].why, "taken");
	like = g->like_count - reads;
	if (like > listed || reads > v->readback_count || like + g->beside < v->near_total)
		ww_rd_differ(e, "grounds.likeAnswers", "one for each like call that is listed",
			     "another number");
}

static void check_shown(struct ww_rd_exam *e)
{
	const struct ww_rd_verdict *v = &e->v;
	const struct ww_rd_grounds *g = &v->grounds;
	uint8_t shows = 0;

	e->g.shown = v->shown;
	e->g.shown_error = v->shown_error;
	e->g.shown_elsewhere = g->shown_elsewhere;
	e->g.near = ww_rd_capped(v->near_total);
	e->g.almost = ww_rd_capped(g->almost);
	e->g.covered = v->known && v->whole_window && v->lost_events == 0 && v->gaps == 0;
	if (ww_rd_answer_paths(v->shows, e->contract, &shows) < 0) {
		ww_rd_differ(e, "said.toolResult.shows", "declared members of the answer",
			     "another");
		return;
	}
	if (shows != g->shown_values.has) {
		ww_rd_differ(e, "said.toolResult.shows", "the members that grounds.shown has",
			     "others");
		return;
	}
	e->g.shown_answer = answer_of(&g->shown_values);
	e->g.shown_answer.failure = g->shown_failure;
	if (shows)
		check_likes(e);
	if (shows && g->answer_count != e->g.count) {
		ww_rd_differ(e, "grounds.answers", "one for each attempt", "another number");
		return;
	}
	for (unsigned i = 0; i < g->answer_count && i < e->g.count; i++)
		e->g.attempts[i].answer = answer_of(&g->answers[i]);
}

/* The id that the call returned is said twice: as the answer's member, and as the created id.
 * Fractions are written in several ways: then the two cannot be compared. */
static void check_id_digest(struct ww_rd_exam *e, const struct ww_grounds_attempt *deciding)
{
	const struct ww_contract *c = e->contract;
	char path[17];

	if (!deciding || deciding == &e->g.late || !e->g.shown_answer.present || !c->id_path ||
	    !e->v.id_digest.s.p)
		return;
	for (unsigned i = 0; i < WW_ANSWER_PATHS_MAX && ww_answer_path(c, i); i++) {
		if (strcmp(ww_answer_path(c, i), c->id_path) != 0 ||
		    !(deciding->answer.present & (1u << i)))
			continue;
		ww_hex_encode(ww_slice(&deciding->answer.digest[i], sizeof(uint64_t)), path);
		if (!ww_slice_starts(e->v.id_digest.s, ww_slice(path, 16)))
			ww_rd_open(e, "grounds.answers", "the id of wire.idDigest", "another");
	}
}

/* --- both ways ----------------------------------------------------------------------------------
 */

void ww_rd_check_later(struct ww_rd_exam *e)
{
	check_dates(e);
	check_reads(e);
	check_shown(e);
}

static void check_findings(struct ww_rd_exam *e, uint64_t hurried)
{
	struct ww_rd_text exchange;
	struct ww_json j;
	uint64_t said = 0;
	int r = e->v.findings.n ? ww_fields_array(e->v.findings, &j) : 0;

	while (e->v.findings.n && r >= 0 && (r = ww_rd_finding_next(&j, &exchange)) == 1) {
		for (unsigned i = 0; i < e->v.attempt_count; i++) {
			if (ww_rd_same(e->v.attempts[i].exchange, exchange))
				said |= 1ull << i;
		}
	}
	if (r < 0)
		ww_rd_differ(e, "findings", "a list that can be read", "another");
	else if (said != hurried)
		ww_rd_differ(e, "findings", "the retries that came before their time", "others");
}

static void same_count(struct ww_rd_exam *e, const char *field, uint64_t ruled, uint64_t said)
{
	char expected[32], found[32];

	if (ruled == said)
		return;
	snprintf(expected, sizeof(expected), "%" PRIu64, ruled);
	snprintf(found, sizeof(found), "%" PRIu64, said);
	ww_rd_differ(e, field, expected, found);
}

void ww_rd_check_details(struct ww_rd_exam *e, const struct ww_ruling *r)
{
	const struct ww_rd_verdict *v = &e->v;
	uint8_t differs = 0;

	same_count(e, "k", r->verdict == WW_VERDICT_PARTIAL_EFFECT ? r->k : 0, v->k.n);
	same_count(e, "lateMs", r->verdict == WW_VERDICT_ACTED_LATE ? r->late_ns / 1000000 : 0,
		   v->late_ms.n);
	check_deadline(e, r);
	check_findings(e, r->hurried);
	if (!v->grounds.wire)
		return;
	if (ww_rd_answer_paths(v->differs, e->contract, &differs) < 0 || differs != r->answer)
		ww_rd_differ(e, "said.toolResult.differs", "the members that differ", "others");
	check_confirming(e, r);
	check_id_digest(e, r->deciding);
	note_reads(e, r);
}
