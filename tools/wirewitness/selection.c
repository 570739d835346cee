/* SPDX-License-Identifier: Apache-2.0 */
#include "selection.h"

#include <errno.h>

#include "base/log.h"

struct job {
	struct ww_records *records;
	const struct ww_records_query *q;
	bool complete;
	struct ww_selection *s;
	uint64_t size;   /* of the ledger */
	uint8_t *chosen; /* a bit per record */
	size_t count, cap, next;
	uint64_t *queue; /* chosen, in order of choice; from `next` on not followed yet */
	int error;
};

static bool choose(struct job *j, uint64_t index)
{
	uint8_t bit = (uint8_t)(1u << (index % 8));

	if (index >= j->size || (j->chosen[index / 8] & bit))
		return true;
	if (j->count == WW_REPORT_RECORDS_MAX) {
		ww_log(WW_LOG_ERR, "over %u records: choose a shorter period or a filter",
		       WW_REPORT_RECORDS_MAX);
		j->error = -E2BIG;
		return false;
	}
	if (j->count == j->cap) {
		size_t cap = j->cap ? 2 * j->cap : 256;
		uint64_t *more = realloc(j->queue, cap * sizeof(*more));

		if (!more) {
			j->error = ww_log_err_r(-ENOMEM, "cannot select records");
			return false;
		}
		j->queue = more;
		j->cap = cap;
	}
	j->chosen[index / 8] |= bit;
	j->queue[j->count++] = index;
	return true;
}

static bool kind_is(const struct ww_json_token *kind, const char *text)
{
	return kind->raw.p && ww_slice_eq_str(kind->raw, text);
}

/* --- the period ---------------------------------------------------------------------------------
 */

static void take_time(struct ww_selection *s, const struct ww_json_token *t)
{
	if (!t->raw.p || t->raw.n >= WW_RFC3339_MAX || t->escaped)
		return;
	if (s->from[0] == '\0' || memcmp(t->raw.p, s->from, t->raw.n) < 0) {
		memcpy(s->from, t->raw.p, t->raw.n);
		s->from[t->raw.n] = '\0';
	}
	if (s->to[0] == '\0' || memcmp(t->raw.p, s->to, t->raw.n) > 0) {
		memcpy(s->to, t->raw.p, t->raw.n);
		s->to[t->raw.n] = '\0';
	}
}

static bool listed_by_itself(struct job *j, const struct ww_json_token *kind, struct ww_slice json)
{
	if (j->complete || kind_is(kind, "loss") || kind_is(kind, "finding") ||
	    kind_is(kind, "life"))
		return true;
	return kind_is(kind, "verdict") && ww_filter_match(&j->q->filter, json);
}

static bool take_period(void *ctx, uint64_t index, struct ww_slice json)
{
	static const struct ww_slice paths[] = {WW_SLICE_LIT("kind"), WW_SLICE_LIT("t")};
	struct ww_json_token v[2];
	struct job *j = ctx;

	ww_member_pick(json, paths, 2, v);
	take_time(j->s, &v[1]);
	j->s->seen++;
	if (!kind_is(&v[0], "verdict"))
		j->error = ww_survey_add(j->s->survey, index, json);
	if (j->error == -EINVAL) { /* counted as nothing, listed if complete */
		ww_log(WW_LOG_WARN, "record %llu cannot be read", (unsigned long long)index);
		j->error = 0;
	}
	if (j->error < 0) {
		ww_log_err_r(j->error, "cannot survey record %llu", (unsigned long long)index);
		return false;
	}
	return !listed_by_itself(j, &v[0], json) || choose(j, index);
}

static int choose_coverage(struct job *j)
{
	const uint64_t *indexes;
	size_t count;
	int r = ww_survey_scopes(j->s->survey, &indexes, &count);

	if (r < 0)
		return ww_log_err_r(r, "cannot select records");
	for (size_t i = 0; i < count && j->error == 0; i++)
		choose(j, indexes[i]);
	return j->error;
}

/* --- what it rests on ---------------------------------------------------------------------------
 */

static bool follow_id(void *ctx, struct ww_slice id)
{
	struct job *j = ctx;
	uint64_t index;
	int r = ww_record_index_get(j->records->index, id, &index);

	if (r == -ENOENT) /* not written yet, or never will be */
		return true;
	if (r < 0) {
		j->error = ww_log_err_r(r, "cannot read the index");
		return false;
	}
	return choose(j, index);
}

static bool follow_mention(void *ctx, uint64_t index)
{
	return choose(ctx, index);
}

/* Processes, flows and scopes end the way: they mention what has nothing to do with the verdict. */
static bool is_followed(const struct ww_json_token *kind)
{
	static const char *const kinds[] = {"verdict", "action",     "exchange",
					    "span",    "model_call", "finding"};

	for (size_t i = 0; i < WW_ARRAY_SIZE(kinds); i++) {
		if (kind_is(kind, kinds[i]))
			return true;
	}
	return false;
}

static int follow(struct job *j, uint64_t index)
{
	static const struct ww_slice paths[] = {WW_SLICE_LIT("kind"), WW_SLICE_LIT("id")};
	struct ww_json_token v[2];
	struct ww_slice json;
	int r = ww_records_get(j->records, index, &json);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return ww_log_err_r(r, "cannot read record %llu", (unsigned long long)index);
	ww_member_pick(json, paths, 2, v);
	if (!is_followed(&v[0]))
		return 0;
	ww_records_mentioned(json, follow_id, j);
	if (j->error == 0 && kind_is(&v[0], "finding") && v[1].raw.p &&
	    ww_record_index_is_id(v[1].raw))
		follow_id(j, v[1].raw);
	/* A verdict is mentioned by those that supersede it, by nothing else. */
	if (j->error == 0 && kind_is(&v[0], "verdict") && v[1].raw.p)
		r = ww_record_index_mentions(j->records->index, v[1].raw, follow_mention, j);
	return j->error < 0 ? j->error : r;
}

/* --- the result ---------------------------------------------------------------------------------
 */

/* Verdicts into the survey, findings into their list. */
static int read_chosen(struct job *j)
{
	const struct ww_slice path = WW_SLICE_LIT("kind");
	struct ww_json_token kind;
	struct ww_slice json;

	j->s->findings = calloc(j->count + 1, sizeof(*j->s->findings));
	if (!j->s->findings)
		return ww_log_err_r(-ENOMEM, "cannot select records");
	for (size_t i = 0; i < j->count; i++) {
		int r = ww_records_get(j->records, j->queue[i], &json);

		if (r == -ENOENT)
			continue;
		if (r == 0)
			ww_member_pick(json, &path, 1, &kind);
		if (r == 0 && kind_is(&kind, "finding"))
			j->s->findings[j->s->finding_count++] = j->queue[i];
		if (r == 0 && kind_is(&kind, "verdict"))
			r = ww_survey_add(j->s->survey, j->queue[i], json);
		if (r < 0)
			return ww_log_err_r(r, "cannot read record %llu",
					    (unsigned long long)j->queue[i]);
	}
	return 0;
}

static int by_index(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* In waves, each in the ledger's order: reading forward is what the ledger does fast. */
static int follow_all(struct job *j)
{
	while (j->next < j->count) {
		size_t end = j->count;
		int r = 0;

		qsort(j->queue + j->next, end - j->next, sizeof(*j->queue), by_index);
		while (r == 0 && j->next < end)
			r = follow(j, j->queue[j->next++]);
		if (r < 0)
			return r;
	}
	return 0;
}

static int make(struct job *j)
{
	struct ww_records_query period = {.since = j->q->since, .until = j->q->until};
	int r = ww_survey_new(&j->s->survey);

	if (r < 0)
		return ww_log_err_r(r, "cannot select records");
	r = ww_records_each(j->records, &period, take_period, j);
	if (r == 0)
		r = j->error;
	if (r == 0)
		r = choose_coverage(j);
	if (r == 0 && !j->complete)
		r = follow_all(j);
	if (r < 0)
		return r;
	if (j->count)
		qsort(j->queue, j->count, sizeof(*j->queue), by_index);
	return read_chosen(j);
}

int ww_selection_make(struct ww_records *records, const struct ww_records_query *q, bool complete,
		      struct ww_selection *ret_selection)
{
	struct job j = {.records = records,
			.q = q,
			.complete = complete,
			.s = ret_selection,
			.size = ww_ledger_reader_head(records->reader)->size};
	int r;

	*ret_selection = (struct ww_selection){0};
	j.chosen = calloc(1, j.size / 8 + 1);
	r = j.chosen ? make(&j) : ww_log_err_r(-ENOMEM, "cannot select records");
	free(j.chosen);
	ret_selection->indexes = j.queue;
	ret_selection->count = j.count;
	return r;
}

void ww_selection_done(struct ww_selection *s)
{
	ww_survey_free(s->survey);
	free(s->indexes);
	free(s->findings);
	*s = (struct ww_selection){0};
}
