/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The legs of a verdict: its span, every attempt's request and reply with the wait between them,
 * what was undecoded, when a result was shown to the model, when the claims were made, what was run
 * and changed on this host.
 *
 * Two clocks meet here. Spans and claims carry wall times of the application; exchanges, flows and
 * runs carry times since boot, and the wall time of their begin: that pair places their other
 * times. Of a change it is that of its end.
 */
#include <stdio.h>

#include "ledger/fields.h"
#include "out/report_html_view.h"

struct legs {
	struct ww_report_view *view;
	struct ww_slice verdict;
	struct ww_svg_leg *legs;
	unsigned count, lanes;
};

static struct ww_svg_leg *add(struct legs *l, enum ww_svg_leg_kind kind, const char *label,
			      uint64_t from, uint64_t to)
{
	struct ww_svg_leg *leg;

	if (l->count == WW_SVG_LEGS_MAX || to < from)
		return NULL;
	leg = &l->legs[l->count++];
	*leg = (struct ww_svg_leg){.kind = kind, .lane = l->lanes, .from_ns = from, .to_ns = to};
	snprintf(leg->label, sizeof(leg->label), "%s", label);
	return leg;
}

/* leg may be NULL: there was no room for it. */
static void name(struct ww_svg_leg *leg, struct ww_slice id)
{
	if (leg)
		leg->id = ww_slice_sub(id, 0, WW_REPORT_HTML_ID);
}

/* The wall time of an instant since boot, given one instant by both clocks. */
static bool place(uint64_t wall, uint64_t boot, const struct ww_json_token *t, uint64_t *ret_ns)
{
	uint64_t at = ww_member_u64(t, UINT64_MAX);

	if (at == UINT64_MAX || at < boot)
		return false;
	return !__builtin_add_overflow(wall, at - boot, ret_ns);
}

/* --- exchanges and flows ------------------------------------------------------------------------
 */

static void exchange_legs(struct legs *l, const char *label, struct ww_slice id,
			  struct ww_slice record)
{
	enum { T, SENT, SENT_ALL, CAME, CAME_ALL, N };
	static const struct ww_slice paths[N] = {
		[T] = WW_SLICE_LIT("t"),
		[SENT] = WW_SLICE_LIT("request.firstBootNs"),
		[SENT_ALL] = WW_SLICE_LIT("request.lastBootNs"),
		[CAME] = WW_SLICE_LIT("response.firstBootNs"),
		[CAME_ALL] = WW_SLICE_LIT("response.lastBootNs"),
	};
	struct ww_json_token m[N];
	uint64_t begin, boot, sent, came, whole;
	struct ww_svg_leg *leg;

	ww_member_pick(record, paths, N, m);
	boot = ww_member_u64(&m[SENT], UINT64_MAX);
	if (!ww_report_wall(&m[T], &begin))
		return;
	if (boot == UINT64_MAX || !place(begin, boot, &m[SENT_ALL], &sent))
		sent = begin;
	leg = add(l, WW_SVG_LEG_REQUEST, label, begin, sent);
	name(leg, id);
	if (boot == UINT64_MAX || !place(begin, boot, &m[CAME], &came))
		return;
	if (!place(begin, boot, &m[CAME_ALL], &whole))
		whole = came;
	(void)add(l, WW_SVG_LEG_WAIT, label, sent, came); /* no room: nothing more to draw */
	(void)add(l, WW_SVG_LEG_REPLY, label, came, whole);
}

/* What has a begin and maybe an end: a connection, a run. */
static void lasting_leg(struct legs *l, enum ww_svg_leg_kind kind, const char *label,
			struct ww_slice id, struct ww_slice record)
{
	enum { T, OPEN, CLOSE, N };
	static const struct ww_slice flow[N] = {
		[T] = WW_SLICE_LIT("t"),
		[OPEN] = WW_SLICE_LIT("openBootNs"),
		[CLOSE] = WW_SLICE_LIT("closeBootNs"),
	};
	static const struct ww_slice run[N] = {
		[T] = WW_SLICE_LIT("t"),
		[OPEN] = WW_SLICE_LIT("beganBootNs"),
		[CLOSE] = WW_SLICE_LIT("endedBootNs"),
	};
	struct ww_json_token m[N];
	uint64_t begin, end, boot;
	struct ww_svg_leg *leg;

	ww_member_pick(record, kind == WW_SVG_LEG_RUN ? run : flow, N, m);
	boot = ww_member_u64(&m[OPEN], UINT64_MAX);
	if (!ww_report_wall(&m[T], &begin))
		return;
	if (boot == UINT64_MAX || !place(begin, boot, &m[CLOSE], &end))
		end = begin;
	leg = add(l, kind, label, begin, end);
	name(leg, id);
}

/* Its record has the time by which it had happened. */
static void change_leg(struct legs *l, const char *label, struct ww_slice id,
		       struct ww_slice record)
{
	enum { T, SINCE, BY, N };
	static const struct ww_slice paths[N] = {
		[T] = WW_SLICE_LIT("t"),
		[SINCE] = WW_SLICE_LIT("sinceBootNs"),
		[BY] = WW_SLICE_LIT("byBootNs"),
	};
	struct ww_json_token m[N];
	uint64_t end, begin, since, by;
	struct ww_svg_leg *leg;

	ww_member_pick(record, paths, N, m);
	if (!ww_report_wall(&m[T], &end))
		return;
	by = ww_member_u64(&m[BY], 0);
	since = ww_member_u64(&m[SINCE], by);
	if (since > by || __builtin_sub_overflow(end, by - since, &begin))
		begin = end;
	leg = add(l, WW_SVG_LEG_CHANGE, label, begin, end);
	name(leg, id);
}

/* A lane for the record with this id; `t` (may be NULL): when it began, if it is not listed. */
static void record_lane(struct legs *l, enum ww_svg_leg_kind kind, const char *label,
			const struct ww_json_token *id, const struct ww_json_token *t)
{
	const struct ww_report_entry *e = ww_report_view_find(l->view, id);
	unsigned before = l->count;
	struct ww_slice record;
	uint64_t at;

	if (e && ww_report_view_read(e, &l->view->other, &record) == 0) {
		if (ww_slice_eq_str(e->kind, "exchange"))
			exchange_legs(l, label, id->raw, record);
		else if (ww_slice_eq_str(e->kind, "flow"))
			lasting_leg(l, WW_SVG_LEG_FLOW, label, id->raw, record);
		else if (ww_slice_eq_str(e->kind, "run"))
			lasting_leg(l, WW_SVG_LEG_RUN, label, id->raw, record);
		else if (ww_slice_eq_str(e->kind, "change"))
			change_leg(l, label, id->raw, record);
	} else if (t && ww_report_wall(t, &at)) {
		struct ww_svg_leg *leg = add(l, kind, label, at, at);

		name(leg, id->raw);
	}
	l->lanes += l->count > before;
}

/* --- the verdict's own parts --------------------------------------------------------------------
 */

/* Calls fn for every object in an array of the verdict. */
static void each(struct legs *l, const char *path,
		 void (*fn)(struct legs *l, unsigned n, struct ww_slice element))
{
	struct ww_json_token t;
	struct ww_slice element;
	struct ww_json j;
	unsigned n = 0;

	if (!ww_report_array(l->verdict, path, &j))
		return;
	while (l->count < WW_SVG_LEGS_MAX && ww_fields_next(&j, &t, &element) == 1)
		fn(l, ++n, element);
}

static void numbered(struct legs *l, const char *word, unsigned n, struct ww_slice element)
{
	static const struct ww_slice paths[] = {WW_SLICE_LIT("exchange"), WW_SLICE_LIT("t")};
	struct ww_json_token m[WW_ARRAY_SIZE(paths)];
	char label[WW_SVG_LABEL_MAX];

	ww_member_pick(element, paths, WW_ARRAY_SIZE(paths), m);
	snprintf(label, sizeof(label), "%s %u", word, n);
	record_lane(l, WW_SVG_LEG_REQUEST, label, &m[0], &m[1]);
}

static void attempt(struct legs *l, unsigned n, struct ww_slice element)
{
	numbered(l, "attempt", n, element);
}

static void candidate(struct legs *l, unsigned n, struct ww_slice element)
{
	numbered(l, "candidate", n, element);
}

static void claim(struct legs *l, unsigned n, struct ww_slice element)
{
	const struct ww_json_token t = ww_member_get(element, "t");
	uint64_t at;

	if (ww_report_wall(&t, &at))
		(void)add(l, WW_SVG_LEG_CLAIM, "claim", at, at); /* no room: not drawn */
}

static void deed(struct legs *l, unsigned n, struct ww_slice element)
{
	enum { ID, T, PROGRAM, N };
	static const struct ww_slice paths[N] = {
		[ID] = WW_SLICE_LIT("id"),
		[T] = WW_SLICE_LIT("t"),
		[PROGRAM] = WW_SLICE_LIT("program"),
	};
	struct ww_json_token m[N];
	char label[WW_SVG_LABEL_MAX];
	bool run;

	ww_member_pick(element, paths, N, m);
	run = ww_member_has(&m[PROGRAM]);
	snprintf(label, sizeof(label), "%s %u", run ? "run" : "change", n);
	record_lane(l, run ? WW_SVG_LEG_RUN : WW_SVG_LEG_CHANGE, label, &m[ID], &m[T]);
}

unsigned ww_report_html_legs(struct ww_report_view *v, struct ww_slice verdict,
			     struct ww_svg_leg legs[WW_SVG_LEGS_MAX])
{
	enum { START, END, ID, ELSEWHERE, UNDECODED, RESULT, N };
	static const struct ww_slice paths[N] = {
		[START] = WW_SLICE_LIT("span.start"),
		[END] = WW_SLICE_LIT("span.end"),
		[ID] = WW_SLICE_LIT("span.id"),
		[ELSEWHERE] = WW_SLICE_LIT("wire.elsewhere.exchange"),
		[UNDECODED] = WW_SLICE_LIT("wire.undecoded.flow"),
		[RESULT] = WW_SLICE_LIT("said.toolResult.exchange"),
	};
	struct legs l = {.view = v, .verdict = verdict, .legs = legs};
	struct ww_json_token m[N];
	uint64_t from, to;

	ww_member_pick(verdict, paths, N, m);
	if (ww_report_wall(&m[START], &from)) {
		struct ww_svg_leg *leg;

		if (!ww_report_wall(&m[END], &to) || to < from)
			to = from;
		leg = add(&l, WW_SVG_LEG_SPAN, "span", from, to);
		name(leg, m[ID].raw);
		l.lanes++;
	}
	each(&l, "$.wire.attempts", attempt);
	each(&l, "$.wire.candidates", candidate);
	record_lane(&l, WW_SVG_LEG_REQUEST, "elsewhere", &m[ELSEWHERE], NULL);
	record_lane(&l, WW_SVG_LEG_FLOW, "not decoded", &m[UNDECODED], NULL);
	if (ww_member_has(&m[RESULT]))
		record_lane(&l, WW_SVG_LEG_REQUEST, "result to model", &m[RESULT], NULL);
	each(&l, "$.said.claims", claim);
	l.lanes++;
	/* Last: there may be more of them than there is room for, and the table has all. */
	each(&l, "$.local.deeds", deed);
	return l.count;
}
