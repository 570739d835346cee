/* SPDX-License-Identifier: Apache-2.0 */
#include "sight.h"

#include <errno.h>
#include <stdio.h>

#include "base/log.h"
#include "out/survey.h"

struct sight {
	struct ww_survey *survey;
	const struct ww_records_query *q;
	uint64_t scopes, lost_events;
	bool gone; /* content of the period is withheld */
	int error;
};

/* A coverage record is of the time at which it was written, and tells of the time before it. */
static bool overlaps(const struct ww_records_query *q, struct ww_slice json)
{
	const struct ww_slice paths[] = {WW_SLICE_LIT("t"), WW_SLICE_LIT("fromBootNs"),
					 WW_SLICE_LIT("toBootNs")};
	char text[WW_RFC3339_MAX];
	struct ww_json_token v[3];
	uint64_t from, to;
	struct ww_wall t;

	ww_member_pick(json, paths, 3, v);
	if (!ww_moment_reached(&q->since, v[0].raw))
		return false;
	from = ww_member_u64(&v[1], 0);
	to = ww_member_u64(&v[2], 0);
	if (q->until.what != WW_MOMENT_TIME || to < from || ww_wall_parse(v[0].raw, &t) < 0 ||
	    t.ns < to - from)
		return true;
	ww_wall_rfc3339((struct ww_wall){t.ns - (to - from)}, text);
	return !ww_moment_reached(&q->until, ww_slice_str(text));
}

static bool take_coverage(void *ctx, uint64_t index, struct ww_slice json)
{
	struct sight *s = ctx;

	if (!overlaps(s->q, json))
		return true;
	s->scopes++;
	s->error = ww_survey_add(s->survey, index, json);
	return s->error == 0;
}

static bool take_loss(void *ctx, uint64_t index, struct ww_slice json)
{
	const struct ww_json_token v = ww_member_get(json, "events");
	struct sight *s = ctx;

	s->lost_events += ww_member_u64(&v, 1);
	return true;
}

static int look(struct sight *s, struct ww_records *r)
{
	/* By index the period ends where it ends; by time a later record may tell of it. */
	struct ww_records_query q = {.kind = "coverage", .since = s->q->since};
	int e;

	if (s->q->until.what == WW_MOMENT_CURSOR)
		q.until = s->q->until;
	r->withheld = 0;
	e = ww_records_each(r, &q, take_coverage, s);
	q.until = s->q->until;
	q.kind = "loss";
	if (e == 0)
		e = ww_records_each(r, &q, take_loss, s);
	s->gone = r->withheld > 0;
	return e < 0 ? e : s->error;
}

int ww_sight_tell(struct ww_records *r, const struct ww_records_query *q, const char *what,
		  uint64_t found)
{
	WW_AUTO(ww_survey_free_auto) struct ww_survey *survey = NULL;
	struct sight s = {.q = q};
	uint64_t withheld = r->withheld; /* of what is listed: content is gone */
	char lost[64] = "";
	int e = ww_survey_new(&survey);

	s.survey = survey;
	if (e == 0)
		e = look(&s, r);
	if (e < 0)
		return ww_log_err_r(e, "cannot tell how completely was seen");
	if (withheld)
		ww_log(WW_LOG_INFO, "%llu more without content (pruned or erased)",
		       (unsigned long long)withheld);
	if (s.lost_events)
		snprintf(lost, sizeof(lost), ", %llu events were lost",
			 (unsigned long long)s.lost_events);
	if (s.scopes == 0 && found == 0)
		ww_log(WW_LOG_INFO,
		       "no record says that anything was watched then%s: nothing is "
		       "known about this period",
		       lost);
	else if (s.scopes > 0 && (!ww_survey_complete(survey) || s.lost_events || s.gone))
		ww_log(WW_LOG_INFO,
		       "not all was seen then%s: %s may be missing; see "
		       "wirewitness ls coverage, and ls losses",
		       lost, what);
	else if (found == 0)
		ww_log(WW_LOG_INFO, "what was watched then was seen completely");
	return 0;
}
