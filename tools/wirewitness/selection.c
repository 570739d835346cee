/* SPDX-License-Identifier: Apache-2.0 */
#include "selection.h"

#include <errno.h>
#include <stdio.h>

#include "base/encode.h"
#include "base/log.h"
#include "ledger/outcome.h"

struct job {
	struct ww_records *records;
	const struct ww_criteria *c;
	const struct ww_selection_options *o;
	struct ww_selection *s;
	uint64_t period_first, period_last; /* indexes */
	uint64_t erased_last;
	struct ww_sampling_epoch *epochs;
	struct ww_sampling_unit *units;
	size_t unit_count, unit_cap, epoch_cap;
	uint64_t epoch_end; /* index of the last record that ends an epoch */
	bool has_epoch_end;
	uint64_t size;   /* of the ledger */
	uint8_t *chosen; /* a bit per record */
	size_t count, cap, next;
	uint64_t *queue; /* chosen, in order of choice; from `next` on not followed yet */
	struct ww_records_citer followed; /* the record that is followed, */
	struct ww_buf copy;               /* and its text: others are read meanwhile */
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

/* A verdict that fits: chosen, or when there is a sample, kept until all are known. */
static bool take_match(struct job *j, uint64_t index, struct ww_slice json)
{
	struct ww_sampling_unit u = {.index = index, .outcome = ww_outcome_read(json)};
	struct ww_json_token action;

	j->s->matched++;
	if (!j->o->sample)
		return choose(j, index);
	action = ww_member_get(json, "action");
	if (!ww_member_has(&action) || action.raw.n >= sizeof(u.action)) {
		j->error = ww_log_err_r(-EINVAL, "verdict %llu names no action",
					(unsigned long long)index);
		return false;
	}
	if (j->unit_count == WW_REPORT_RECORDS_MAX) {
		j->error = ww_log_err_r(-E2BIG, "too many verdicts: choose a shorter period");
		return false;
	}
	memcpy(u.action, action.raw.p, action.raw.n);
	if (j->unit_count == j->unit_cap) {
		size_t cap = j->unit_cap ? 2 * j->unit_cap : 256;
		void *more = realloc(j->units, cap * sizeof(u));

		if (!more) {
			j->error = ww_log_err_r(-ENOMEM, "cannot select records");
			return false;
		}
		j->units = more;
		j->unit_cap = cap;
	}
	j->units[j->unit_count++] = u;
	return true;
}

static bool take_listed(struct job *j, uint64_t index, const struct ww_json_token *kind,
			struct ww_slice json)
{
	if (kind_is(kind, "verdict")) {
		j->s->verdicts++;
		if (ww_criteria_match(j->c, index, json) && !take_match(j, index, json))
			return false;
		return !j->o->complete || choose(j, index);
	}
	/* No sample is drawn of them. */
	if ((kind_is(kind, "path") || kind_is(kind, "crossing")) &&
	    ww_criteria_match(j->c, index, json))
		return choose(j, index);
	/* What is said of the watching and of the ledger itself stands in every report. */
	if (j->o->complete || kind_is(kind, "loss") || kind_is(kind, "finding") ||
	    kind_is(kind, "life") || kind_is(kind, "prune") || kind_is(kind, "key_rotation") ||
	    kind_is(kind, "guard"))
		return choose(j, index);
	return true;
}

static bool take_period(void *ctx, uint64_t index, struct ww_slice json)
{
	static const struct ww_slice paths[] = {WW_SLICE_LIT("kind"), WW_SLICE_LIT("t")};
	struct ww_json_token v[2];
	struct job *j = ctx;

	ww_member_pick(json, paths, 2, v);
	take_time(j->s, &v[1]);
	if (j->s->seen++ == 0)
		j->period_first = index;
	j->period_last = index;
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
	return take_listed(j, index, &v[0], json);
}

/* --- the monitor's life -------------------------------------------------------------------------
 */

struct life {
	struct job *j;
	uint64_t start; /* of the run that the period begins in */
	bool has_start;
};

static bool event_is(struct ww_slice json, const char *event)
{
	const struct ww_json_token v = ww_member_get(json, "event");

	return ww_member_has(&v) && ww_json_is(&v, event);
}

static bool find_start(void *ctx, uint64_t index, struct ww_slice json)
{
	struct life *l = ctx;

	if (index > l->j->period_first)
		return false;
	if (event_is(json, "start")) {
		l->start = index;
		l->has_start = true;
	}
	return true;
}

static bool take_life(void *ctx, uint64_t index, struct ww_slice json)
{
	struct life *l = ctx;
	struct job *j = l->j;

	if (index > j->period_last)
		return false;
	if (index < (l->has_start ? l->start : j->period_first))
		return true;
	j->error = ww_instrument_add(j->s->instrument, index, json);
	if (j->error < 0) {
		ww_log_err_r(j->error, "cannot select records");
		return false;
	}
	return j->o->complete || choose(j, index);
}

static int each_life(struct job *j, ww_records_fn fn, void *ctx)
{
	const struct ww_records_query q = {.kind = "life"};
	int r = ww_records_each(j->records, &q, fn, ctx);

	return r < 0 ? r : j->error;
}

static int choose_life(struct job *j)
{
	struct life l = {.j = j};
	int r = ww_instrument_new(&j->s->instrument);

	if (r < 0)
		return ww_log_err_r(r, "cannot select records");
	if (j->s->seen == 0)
		return 0;
	r = each_life(j, find_start, &l);
	return r < 0 ? r : each_life(j, take_life, &l);
}

/* --- what is gone -------------------------------------------------------------------------------
 */

static bool count_erased(void *ctx, uint64_t index)
{
	struct job *j = ctx;
	struct ww_payload p;
	int r;

	if (index > j->erased_last)
		return false;
	r = ww_ledger_reader_get(j->records->reader, index, &p);
	if (r == 0 && !p.erased)
		return true;
	if (r < 0 && r != -ENODATA) {
		j->error = ww_log_err_r(r, "cannot read record %llu", (unsigned long long)index);
		return false;
	}
	j->s->erased++;
	if (r == 0 && ww_slice_eq_str(p.kind, "verdict"))
		j->s->erased_verdicts++;
	return r < 0 || !j->o->complete || choose(j, index);
}

/* They have no time any more: where the period has one, between its first and last record. */
static int look_for_erased(struct job *j)
{
	const struct ww_moment *since = &j->c->query.since, *until = &j->c->query.until;
	uint64_t first = since->what == WW_MOMENT_TIME ? j->period_first : ww_moment_first(since);
	int r = 0;

	j->erased_last = until->what == WW_MOMENT_TIME     ? j->period_last
			 : until->what == WW_MOMENT_CURSOR ? until->cursor
							   : UINT64_MAX;
	if (j->s->seen)
		r = ww_record_index_each(j->records->index, NULL, first, count_erased, j);
	if (r < 0)
		return ww_log_err_r(r, "cannot read the index");
	return j->error;
}

/* --- the sample ---------------------------------------------------------------------------------
 */

static bool take_epoch(void *ctx, uint64_t index, struct ww_slice json)
{
	static const struct ww_slice paths[] = {WW_SLICE_LIT("epoch"), WW_SLICE_LIT("commitment")};
	struct ww_sampling_epoch e = {.index = index};
	struct ww_json_token v[2];
	char hex[2 * WW_SHA256_LEN + 1];
	struct job *j = ctx;
	struct ww_sha256 h;

	if (event_is(json, "stop") || event_is(json, WW_SAMPLING_EVENT)) {
		j->epoch_end = index;
		j->has_epoch_end = true;
	}
	if (!event_is(json, WW_SAMPLING_EVENT))
		return true;
	ww_member_pick(json, paths, 2, v);
	if (!ww_member_has(&v[0]) || !ww_member_has(&v[1]) || v[0].raw.n >= sizeof(e.epoch))
		return true;
	memcpy(e.epoch, v[0].raw.p, v[0].raw.n);
	ww_sampling_seed(j->o->seed_key, v[0].raw, e.seed);
	ww_sampling_commitment(e.seed, &h);
	ww_hex_encode(ww_slice(h.b, sizeof(h.b)), hex);
	if (!ww_json_is(&v[1], hex)) {
		j->error = ww_log_err_r(-EINVAL, "record %llu commits to a seed of another key",
					(unsigned long long)index);
		return false;
	}
	if (j->s->sampling.n_epochs == j->epoch_cap) {
		size_t cap = j->epoch_cap ? 2 * j->epoch_cap : 16;
		void *more = realloc(j->epochs, cap * sizeof(e));

		if (!more) {
			j->error = ww_log_err_r(-ENOMEM, "cannot select records");
			return false;
		}
		j->epochs = more;
		j->epoch_cap = cap;
	}
	j->epochs[j->s->sampling.n_epochs++] = e;
	return true;
}

/* The newest fitting verdict speaks for its action: the last one of equals, then in order again. */
static int by_action(const void *a, const void *b)
{
	const struct ww_sampling_unit *x = a, *y = b;
	int r = strcmp(x->action, y->action);

	return r ? r : x->index < y->index ? -1 : x->index > y->index;
}

static int by_unit_index(const void *a, const void *b)
{
	const struct ww_sampling_unit *x = a, *y = b;

	return x->index < y->index ? -1 : x->index > y->index;
}

static void one_per_action(struct job *j)
{
	size_t n = 0;

	qsort(j->units, j->unit_count, sizeof(*j->units), by_action);
	for (size_t i = 0; i < j->unit_count; i++)
		if (i + 1 == j->unit_count ||
		    strcmp(j->units[i].action, j->units[i + 1].action) != 0)
			j->units[n++] = j->units[i];
	j->unit_count = n;
	qsort(j->units, n, sizeof(*j->units), by_unit_index);
}

/* Only the epochs that decide something, and none that is not over: its seed would tell what comes.
 */
static int keep_epochs(struct job *j)
{
	struct ww_sampling *s = &j->s->sampling;
	uint64_t first = j->units[0].index, last = j->units[j->unit_count - 1].index;
	size_t from = 0, n = 0;

	for (size_t i = 0; i < s->n_epochs; i++)
		if (j->epochs[i].index < first)
			from = i;
	for (size_t i = from; i < s->n_epochs && j->epochs[i].index < last; i++)
		j->epochs[n++] = j->epochs[i];
	s->n_epochs = n;
	s->epochs = j->epochs;
	if (n == 0 || j->epochs[0].index > first) {
		ww_log(WW_LOG_ERR, "no seed was committed before record %llu",
		       (unsigned long long)first);
		return -ENODATA;
	}
	if (!j->has_epoch_end || j->epoch_end < last) {
		ww_log(WW_LOG_ERR,
		       "the seed of %s is not revealed before its day is over: end the period "
		       "with record %llu",
		       j->epochs[n - 1].epoch, (unsigned long long)j->epochs[n - 1].index);
		return -EPERM;
	}
	return 0;
}

static int choose_sample(struct job *j)
{
	struct ww_sampling *s = &j->s->sampling;
	int r = 0;

	if (!j->o->sample || j->unit_count == 0)
		return 0;
	s->probability = j->o->sample;
	if (ww_sampling_parse(ww_slice_str(s->probability), &s->threshold) < 0)
		return ww_log_err_r(-EINVAL, "--sample: not a share: %s", s->probability);
	r = each_life(j, take_epoch, j);
	if (r < 0)
		return r;
	one_per_action(j);
	r = keep_epochs(j);
	if (r < 0)
		return r;
	s->units = j->units;
	s->n_units = j->unit_count;
	r = ww_sampling_choose(s);
	for (size_t i = 0; r == 0 && i < s->n_epochs; i++)
		if (!choose(j, s->epochs[i].index))
			r = j->error;
	for (size_t i = 0; r == 0 && i < s->n_units; i++)
		if (s->units[i].chosen && !choose(j, s->units[i].index))
			r = j->error;
	return r;
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

static bool choose_mentioned(void *ctx, uint64_t index)
{
	return choose(ctx, index);
}

static bool follow_id(void *ctx, struct ww_slice id)
{
	struct job *j = ctx;
	int r = ww_records_cited(j->records, &j->followed, id, choose_mentioned, j);

	if (r < 0 && r != -ENOENT) /* not written yet, or never will be */
		j->error = ww_log_err_r(r, "cannot read the index");
	return j->error == 0;
}

/* The record of the model call or tool call that an exchange is: 'm' or 't'. */
static void follow_call(struct job *j, struct ww_slice exchange, char kind)
{
	char id[64];

	snprintf(id, sizeof(id), "%c%.*s", kind, (int)(exchange.n < 40 ? exchange.n - 1 : 0),
		 (const char *)exchange.p + 1);
	follow_id(j, ww_slice_str(id));
}

/* Where the texts are found whose claims a verdict names. */
static void follow_texts(struct job *j, struct ww_slice verdict)
{
	struct ww_member_walk w;
	struct ww_member m;

	ww_member_begin(&w, verdict);
	while (j->error == 0 && ww_member_next(&w, &m)) {
		if ((ww_slice_eq_str(m.path, "said.prose.exchange") ||
		     ww_slice_eq_str(m.path, "said.narrated.exchange")) &&
		    m.value.type == WW_JSON_STRING && ww_record_index_is_id(m.value.raw))
			follow_call(j, m.value.raw, 'm');
	}
}

/* Processes, flows and scopes end the way: they mention what has nothing to do with the verdict. */
static bool is_followed(const struct ww_json_token *kind)
{
	static const char *const kinds[] = {"verdict",    "action",   "exchange", "span",
					    "model_call", "mcp_call", "finding",  "run",
					    "change",     "path",     "crossing"};

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
		return ww_records_explain(index, r);
	ww_buf_clear(&j->copy);
	r = ww_buf_add(&j->copy, json.p, json.n);
	if (r < 0)
		return ww_log_err_r(r, "cannot select records");
	json = ww_buf_slice(&j->copy);
	ww_records_citer(index, json, &j->followed);
	ww_member_pick(json, paths, 2, v);
	if (!is_followed(&v[0]) && !(j->c->has_root && index == j->c->root))
		return 0;
	ww_records_mentioned(json, follow_id, j);
	if (j->error == 0 && kind_is(&v[0], "verdict"))
		follow_texts(j, json);
	if (j->error == 0 && kind_is(&v[0], "exchange") && v[1].raw.p &&
	    ww_record_index_is_id(v[1].raw))
		follow_call(j, v[1].raw, 't');
	if (j->error == 0 && kind_is(&v[0], "finding") && v[1].raw.p &&
	    ww_record_index_is_id(v[1].raw))
		follow_id(j, v[1].raw);
	/* A verdict is mentioned by those that supersede it, by nothing else. */
	if (j->error == 0 && kind_is(&v[0], "verdict") && v[1].raw.p)
		r = ww_record_index_mentions(j->records->index, v[1].raw, choose_mentioned, j);
	return j->error < 0 ? j->error : r;
}

static bool is_chosen(const struct job *j, uint64_t index)
{
	return index < j->size && (j->chosen[index / 8] & (1u << (index % 8)));
}

/* What was attested of an action goes with it, also what its verdict may have left out. */
static bool take_attestation(void *ctx, uint64_t index, struct ww_slice json)
{
	struct job *j = ctx;
	struct ww_json_token action = ww_member_get(json, "action");
	uint64_t of;

	if (!ww_member_has(&action) ||
	    ww_record_index_get(j->records->index, action.raw, &of) < 0 || !is_chosen(j, of))
		return true;
	return choose(j, index);
}

static int choose_attestations(struct job *j)
{
	const struct ww_records_query q = {.kind = "attestation"};
	int r = ww_records_each(j->records, &q, take_attestation, j);

	return r < 0 ? r : j->error;
}

/* --- the result ---------------------------------------------------------------------------------
 */

/* Verdicts into the survey, findings into their list. */
static int read_chosen(struct job *j)
{
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
			kind = ww_member_get(json, "kind");
		if (r == 0 && kind_is(&kind, "finding"))
			j->s->findings[j->s->finding_count++] = j->queue[i];
		if (r == 0 && kind_is(&kind, "verdict"))
			r = ww_survey_add(j->s->survey, j->queue[i], json);
		if (r == 0)
			r = ww_path_survey_add(j->s->paths, j->queue[i], json);
		if (r < 0)
			return ww_records_explain(j->queue[i], r);
	}
	return ww_path_survey_end(j->s->paths);
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
	struct ww_records_query period = {.since = j->c->query.since, .until = j->c->query.until};
	int r = ww_survey_new(&j->s->survey);

	if (r == 0)
		r = ww_path_survey_new(&j->s->paths);
	if (r < 0)
		return ww_log_err_r(r, "cannot select records");
	r = ww_records_each(j->records, &period, take_period, j);
	if (r == 0)
		r = j->error;
	if (r == 0)
		r = choose_life(j);
	if (r == 0)
		r = look_for_erased(j);
	if (r == 0)
		r = choose_sample(j);
	if (r == 0)
		r = choose_coverage(j);
	if (r == 0 && j->c->has_root && !j->o->complete && !choose(j, j->c->root))
		r = j->error;
	if (r == 0 && !j->o->complete)
		r = follow_all(j);
	if (r == 0 && !j->o->complete)
		r = choose_attestations(j);
	if (r < 0)
		return r;
	if (j->count)
		qsort(j->queue, j->count, sizeof(*j->queue), by_index);
	return read_chosen(j);
}

int ww_selection_make(struct ww_records *records, const struct ww_criteria *c,
		      const struct ww_selection_options *o, struct ww_selection *ret_selection)
{
	struct job j = {.records = records,
			.c = c,
			.o = o,
			.s = ret_selection,
			.size = ww_ledger_reader_head(records->reader)->size};
	int r;

	*ret_selection = (struct ww_selection){0};
	ww_buf_init(&j.copy, WW_RECORD_BYTES_MAX);
	j.chosen = calloc(1, j.size / 8 + 1);
	r = j.chosen ? make(&j) : ww_log_err_r(-ENOMEM, "cannot select records");
	free(j.chosen);
	ww_buf_done(&j.copy);
	ret_selection->indexes = j.queue;
	ret_selection->count = j.count;
	ret_selection->sampling.epochs = j.epochs;
	ret_selection->sampling.units = j.units;
	return r;
}

void ww_selection_done(struct ww_selection *s)
{
	ww_survey_free(s->survey);
	ww_instrument_free(s->instrument);
	ww_path_survey_free(s->paths);
	if (s->sampling.epochs)
		explicit_bzero((void *)s->sampling.epochs,
			       s->sampling.n_epochs * sizeof(*s->sampling.epochs));
	free((void *)s->sampling.epochs);
	free(s->sampling.units);
	free(s->indexes);
	free(s->findings);
	*s = (struct ww_selection){0};
}
