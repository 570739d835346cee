/* SPDX-License-Identifier: Apache-2.0 */
/* What was done on this host: the deeds that a verdict lists, held against their records, and those
 * that it should have listed. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/encode.h"
#include "ledger/rederive_exam.h"

#include <wirewitness/event.h>

static const char *const end_names[WW_RUN_END_MAX] = {WW_RUN_ENDS(WW_RD_NAME)};

static const struct {
	uint32_t bit;
	const char *text;
} change_bits[] = {
#define BIT_(n, v, t, d) {v, t},
	WW_CHANGE_BITS(BIT_)};

/* By how much a window is wider than the action's own time, at least (user/judge/judge.c). */
#define MARGIN_NS 60000000ull

/* A deed, as a record or a verdict has it. */
struct deed {
	struct ww_rd_text id, t, root, cgroup, program, file, exe, digest, end, within, next;
	struct ww_slice what, files; /* empty: not there */
	struct ww_rd_number began, since, by, ended, code, signal;
};

/* --- reading -----------------------------------------------------------------------------------
 */

static int read_deed(struct ww_slice json, struct deed *ret, struct ww_errtext *why)
{
	struct deed d = {0};
	struct ww_member_want m[] = {
		WW_MEMBER("id", TEXT, &d.id),
		WW_MEMBER("t", TEXT, &d.t),
		WW_MEMBER("root", TEXT, &d.root),
		WW_MEMBER("cgroup", TEXT, &d.cgroup),
		WW_MEMBER("program", TEXT, &d.program),
		WW_MEMBER("file", TEXT, &d.file),
		WW_MEMBER("exe", TEXT, &d.exe),
		WW_MEMBER("pathDigest", TEXT, &d.digest),
		WW_MEMBER("end", TEXT, &d.end),
		WW_MEMBER("what", MAYBE, &d.what),
		WW_MEMBER("files", MAYBE, &d.files),
		WW_MEMBER("exitCode", NUMBER, &d.code),
		WW_MEMBER("signal", NUMBER, &d.signal),
		WW_MEMBER("beganBootNs", NUMBER, &d.began),
		WW_MEMBER("sinceBootNs", NUMBER, &d.since),
		WW_MEMBER("byBootNs", NUMBER, &d.by),
		WW_MEMBER("endedBootNs", NUMBER, &d.ended),
		WW_MEMBER("within", TEXT, &d.within),
		WW_MEMBER("next", TEXT, &d.next),
	};
	int r = WW_MEMBERS_READ(json, "the deed", m, why);

	if (r == 0)
		*ret = d;
	return r;
}

static bool lists(struct ww_slice array, const char *text)
{
	struct ww_json_token t;
	struct ww_json j;

	ww_json_init(&j, array);
	while (array.n && ww_json_next(&j, &t) == WW_PARSE_DONE) {
		if (t.type == WW_JSON_STRING && ww_json_is(&t, text))
			return true;
	}
	return false;
}

static uint32_t bits_of(struct ww_slice what)
{
	uint32_t bits = 0;

	for (unsigned i = 0; i < WW_ARRAY_SIZE(change_bits); i++) {
		if (lists(what, change_bits[i].text))
			bits |= change_bits[i].bit;
	}
	return bits;
}

static int32_t code_of(const struct deed *d)
{
	uint64_t n = d->signal.there ? d->signal.n : d->code.n;

	n = n < INT32_MAX ? n : INT32_MAX;
	return d->signal.there ? -(int32_t)n : (int32_t)n;
}

/* --- one deed ----------------------------------------------------------------------------------
 */

/* Whether it is as the terms declare; the template that it says is the one. */
static bool is_declared(const struct ww_contract *c, const struct deed *of, const char *template)
{
	const struct ww_local *l = &c->local;
	const char *found;

	if (c->effect == WW_EFFECT_PROCESS) {
		found = of->exe.s.p && !of->exe.escaped ? ww_local_program(l, of->exe.s) : NULL;
		return found && (!template || strcmp(found, template) == 0);
	}
	for (unsigned i = 0; i < l->file_count; i++) {
		if (lists(of->files, l->files[i]) &&
		    (!template || strcmp(l->files[i], template) == 0))
			return true;
	}
	return false;
}

static void same_deed(struct ww_rd_exam *e, const struct ww_rd_record *rec, const struct deed *of,
		      const struct deed *said)
{
	struct ww_rd_text named = said->program.s.p ? said->program : said->file;
	char template[WW_PATH_BYTES_MAX + 1];

	ww_rd_same_text(e, "root", rec, of->root, e->v.root);
	ww_rd_same_text(e, "local.deeds.end", rec, of->end, said->end);
	ww_rd_same_number(e, "local.deeds.endedBootNs", rec, of->ended, said->ended);
	ww_rd_same_number(e, "local.deeds.exitCode", rec, of->code, said->code);
	ww_rd_same_number(e, "local.deeds.signal", rec, of->signal, said->signal);
	if (bits_of(of->what) != bits_of(said->what))
		ww_rd_differ(e, "local.deeds.what", "what its record says", "something else");
	snprintf(template, sizeof(template), "%.*s", (int)named.s.n, (const char *)named.s.p);
	if (named.escaped || !named.s.p || !is_declared(e->contract, of, template))
		ww_rd_differ(e, "local.deeds", "one that the terms declare", "another");
}

/* What came late came after the date, by both clocks, and was over; the watching reached it. */
static void check_overdue(struct ww_rd_exam *e, const struct deed *of,
			  const struct ww_grounds_deed *d)
{
	bool after = d->since_ns > e->g.local.late_after_ns && (!d->run || d->ended_ns);

	for (unsigned i = 0; i < e->v.claim_count; i++) {
		if (e->v.claims[i].deadline.s.p)
			after &= ww_rd_later(of->t, e->v.claims[i].deadline);
	}
	if (!after)
		ww_rd_differ(e, "local.late", "deeds after the announced date", "one that was not");
	if (e->v.to_ns < d->at_ns || e->v.to_ns < d->ended_ns)
		ww_rd_differ(e, "coverage.toBootNs", "all of what came late", "less");
}

static void ground(struct ww_rd_exam *e, const struct deed *of, bool run)
{
	struct ww_grounds_local *l = &e->g.local;
	struct ww_grounds_deed *d = &l->deeds[l->count++];
	int end = run ? ww_rd_by_name(of->end, end_names, WW_RUN_END_MAX) : 0;

	*d = (struct ww_grounds_deed){
		.run = run,
		.since_ns = run ? of->began.n : of->since.n,
		.at_ns = run ? of->began.n : of->by.n,
		.end = end < 0 ? WW_RUN_RUNNING : (enum ww_run_end)end,
		.ended_ns = of->ended.n,
		.code = code_of(of),
		.what = bits_of(of->what),
	};
	if (!run && (of->digest.s.n != 2ul * WW_SHA256_LEN ||
		     ww_hex_decode(ww_slice_sub(of->digest.s, 0, 2 * sizeof(d->path)),
				   (uint8_t *)&d->path, sizeof(d->path)) < 0))
		ww_rd_differ(e, "local.deeds", "a digest of its path", "none");
	if (l->late)
		check_overdue(e, of, d);
	else if (d->at_ns < e->v.grounds.from_ns || d->since_ns > e->v.grounds.to_ns)
		ww_rd_differ(e, "local.deeds", "one of the action's window", "another");
}

static void check_deed(struct ww_rd_exam *e, const struct deed *said)
{
	bool run = e->contract->effect == WW_EFFECT_PROCESS;
	struct ww_errtext why = {""};
	struct ww_rd_record *rec;
	struct deed of;

	if (e->g.local.count == WW_GROUNDS_DEEDS_MAX) {
		ww_rd_open(e, "local.deeds", "at most 32", "more");
		return;
	}
	rec = ww_rd_cited(e, run ? WW_RD_RUN : WW_RD_CHANGE, "local.deeds.id", said->id);
	if (!rec)
		return;
	if (read_deed(rec->json, &of, &why) < 0) {
		ww_rd_unreadable(e, "local.deeds", rec, why.text);
		return;
	}
	same_deed(e, rec, &of, said);
	ground(e, &of, run);
	ww_rd_take(e->rd, rec, e->rec, e->v.action.s);
}

static int take_deed(void *ctx, const struct ww_json_token *t, struct ww_slice text,
		     struct ww_errtext *why)
{
	struct ww_rd_exam *e = ctx;
	struct deed said;
	int r = read_deed(text, &said, why);

	if (r == 0)
		check_deed(e, &said);
	return r;
}

/* --- all of them -------------------------------------------------------------------------------
 */

void ww_rd_check_local(struct ww_rd_exam *e)
{
	struct ww_grounds_local *l = &e->g.local;
	struct ww_errtext why = {""};
	uint64_t total = 0, contested = 0;
	struct ww_rd_text sought;
	bool late = false;
	struct ww_slice deeds;
	struct ww_member_want m[] = {
		WW_MEMBER("sought", TEXT, &sought), WW_MEMBER("decides", TEXT, &e->decides),
		WW_MEMBER("total", U64, &total),    WW_MEMBER("contested", U64, &contested),
		WW_MEMBER("deeds", RAW, &deeds),    WW_MEMBER("late", FLAG, &late),
	};

	*l = (struct ww_grounds_local){
		.there = true,
		.exit_given = e->contract->local.exit_given,
		.exit_min = e->contract->local.exit_min,
		.exit_max = e->contract->local.exit_max,
		.changes = e->contract->local.changes,
	};
	if (WW_MEMBERS_READ(e->v.local, "local", m, &why) < 0) {
		ww_rd_unreadable(e, "local", e->rec, why.text);
		return;
	}
	l->late = late;
	l->late_after_ns = late ? e->v.grounds.to_ns : 0;
	if (late && !e->g.until_ns)
		ww_rd_differ(e, "local.late", "a date that was announced", "none");
	if (ww_members_each(deeds, "the deeds", take_deed, e, &why) < 0) {
		ww_rd_unreadable(e, "local", e->rec, why.text);
		return;
	}
	l->total = ww_rd_capped(total);
	l->contested = ww_rd_capped(contested);
	if (!e->open &&
	    (l->total < l->count || (l->total > l->count && l->count < WW_GROUNDS_DEEDS_MAX)))
		ww_rd_differ(e, "local.total", "as many deeds as it lists", "another number");
	if (sought.s.p && !ww_slice_eq_str(sought.s, ww_contract_sought(e->contract)))
		ww_rd_differ(e, "local.sought", "what the terms declare", "something else");
}

/* A part of another run that fits the terms: that one counts. */
static bool is_part(const struct ww_rederive *rd, const struct ww_contract *c, struct ww_rd_text id)
{
	for (unsigned i = 0; id.s.p && i < WW_RD_SAME_MAX; i++) {
		const struct ww_rd_record *rec = ww_rd_newest(rd, WW_RD_RUN, id.s);
		struct deed up;

		if (!rec || read_deed(rec->json, &up, NULL) < 0)
			return true; /* not known: said of nobody */
		if (is_declared(c, &up, NULL))
			return true;
		id = up.within;
	}
	return false;
}

/* Within the action's own time: what lies in the margin may be a neighbour's. */
static bool is_inside(const struct ww_rd_absence *a, const struct ww_rd_record *rec,
		      const struct deed *of)
{
	uint64_t since = rec->kind == WW_RD_RUN ? of->began.n : of->since.n;
	uint64_t by = rec->kind == WW_RD_RUN ? of->began.n : of->by.n;

	return since >= a->from_ns + MARGIN_NS && by + MARGIN_NS <= a->to_ns;
}

/* A deed of the window that fits the terms, is nobody's and is not told of. */
static void check_absent(struct ww_rederive *rd, const struct ww_rd_absence *a,
			 const struct ww_rd_record *rec)
{
	const struct ww_contract *c = a->contract;
	struct deed of;
	char found[128];

	if (rec->index > a->verdict->index || rec->taken_in ||
	    (rec->kind == WW_RD_RUN) != (c->effect == WW_EFFECT_PROCESS) ||
	    read_deed(rec->json, &of, NULL) < 0 || !ww_slice_eq(of.root.s, a->root) ||
	    !is_inside(a, rec, &of) || !is_declared(c, &of, NULL) || is_part(rd, c, of.within) ||
	    is_part(rd, c, of.next))
		return;
	/* A change of another kind than the declared one may be there. */
	if (rec->kind == WW_RD_CHANGE && !(bits_of(of.what) & ww_local_bits(&c->local)))
		return;
	snprintf(found, sizeof(found), "%.*s (record %" PRIu64 ")",
		 (int)(rec->id.n < 64 ? rec->id.n : 64), (const char *)rec->id.p, rec->index);
	ww_rd_say(rd, a->verdict, false, a->field, "no deed in its window that fits the terms",
		  found);
}

void ww_rd_absent_deeds(struct ww_rederive *rd, const struct ww_rd_absence *a)
{
	const struct ww_rd_record *rec;

	for (size_t i = 0; (rec = ww_rd_deed_at(rd, i)); i++)
		check_absent(rd, a, rec);
}

void ww_rd_check_deed(struct ww_rd_exam *e, const struct ww_ruling *r, bool rests_on_all)
{
	struct ww_rd_absence a = {
		.verdict = e->rec,
		.contract = e->contract,
		.root = e->v.root.s,
		.from_ns = e->v.grounds.from_ns,
		.to_ns = e->v.grounds.to_ns,
		.field = "local",
	};
	struct ww_rd_text id = {WW_SLICE_NULL, false};
	char text[96];

	if (r->deed) {
		struct ww_json_token t;
		char path[48];

		snprintf(path, sizeof(path), "$.deeds[%u].id",
			 (unsigned)(r->deed - e->g.local.deeds));
		if (ww_json_path(e->v.local, path, &t, NULL) == WW_PARSE_DONE)
			id = (struct ww_rd_text){t.raw, t.escaped};
	}
	if (!ww_rd_same(id, e->decides))
		ww_rd_differ(e, "local.decides", "the deed that the rules name",
			     ww_rd_shown(e->decides, text));
	/* What came late counts where nothing came in time. */
	if (rests_on_all && (!r->deed || r->verdict == WW_VERDICT_ACTED_LATE))
		ww_rd_absent(e->rd, &a);
}
