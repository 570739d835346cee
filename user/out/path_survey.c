/* SPDX-License-Identifier: Apache-2.0 */
#include "out/path_survey.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <wirewitness/limits.h>
#include <wirewitness/verdict.h>

#include "ledger/fields.h"
#include "out/member.h"
#include "out/path_words.h"

#define PATH_ID_MAX  40u
#define FINDINGS_MAX 32u
#define POLICIES_MAX 64u
#define DIGEST_TEXT  65u

/* How many legs have something of an axis. */
struct axes {
	uint64_t legs, listed, bounded, excluding, claimed, declared;
};

struct row {
	uint64_t index, revision;
	bool last;
	uint8_t verdict, reason; /* WW_VERDICT_MAX, WW_REASON_MAX: a word that is not known here */
	uint8_t policy;          /* POLICIES_MAX: none, or one too many */
	uint32_t findings;       /* by their place in the table of path_words.h */
	struct axes axes;
	char path[PATH_ID_MAX];
};

struct ww_path_survey {
	size_t count, cap, last_count;
	struct row *rows;
	uint64_t *last; /* indexes */
	uint64_t crossings, decisions;
	unsigned policy_count;
	char policies[POLICIES_MAX][DIGEST_TEXT];
};

#define TEXT_OF(n, v, t, d) [v] = t,
static const char *const verdict_names[WW_VERDICT_MAX] = {WW_VERDICTS(TEXT_OF)};
static const char *const reason_names[WW_REASON_MAX] = {WW_REASONS(TEXT_OF)};

int ww_path_survey_new(struct ww_path_survey **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

void ww_path_survey_free(struct ww_path_survey *s)
{
	if (!s)
		return;
	free(s->rows);
	free(s->last);
	free(s);
}

/* --- reading ------------------------------------------------------------------------------------
 */

static uint8_t word_at(const char *const *names, unsigned count, const struct ww_json_token *v)
{
	for (unsigned i = 0; ww_member_has(v) && i < count; i++)
		if (names[i] && ww_json_is(v, names[i]))
			return (uint8_t)i;
	return (uint8_t)count;
}

static uint8_t policy_of(struct ww_path_survey *s, const struct ww_json_token *v)
{
	unsigned i = 0;

	if (!ww_member_has(v) || v->escaped || v->raw.n >= DIGEST_TEXT)
		return POLICIES_MAX;
	while (i < s->policy_count && !ww_slice_eq_str(v->raw, s->policies[i]))
		i++;
	if (i == POLICIES_MAX)
		return POLICIES_MAX;
	if (i == s->policy_count) {
		memcpy(s->policies[i], v->raw.p, v->raw.n);
		s->policies[i][v->raw.n] = '\0';
		s->policy_count++;
	}
	return (uint8_t)i;
}

/* Other claims are about where TLS ended, or no place. */
static bool claims_processing(struct ww_slice leg)
{
	struct ww_member_walk w;
	struct ww_member m;

	ww_member_begin(&w, leg);
	while (ww_member_next(&w, &m))
		if (ww_slice_eq_str(m.path, "claims.about") && m.value.type == WW_JSON_STRING &&
		    ww_json_is(&m.value, "processing"))
			return true;
	return false;
}

static void take_leg(struct axes *a, struct ww_slice leg)
{
	static const struct ww_slice paths[] = {
		WW_SLICE_LIT("place.labels.region"),
		WW_SLICE_LIT("place.bounds.tcp.withinKm"),
		WW_SLICE_LIT("place.bounds.keyHolder.withinKm"),
		WW_SLICE_LIT("place.bounds.tcp.excluded"),
		WW_SLICE_LIT("place.bounds.keyHolder.excluded"),
		WW_SLICE_LIT("place.labels.home"),
	};
	struct ww_json_token v[WW_ARRAY_SIZE(paths)];

	ww_member_pick(leg, paths, WW_ARRAY_SIZE(paths), v);
	a->legs++;
	a->listed += ww_member_has(&v[0]);
	a->bounded += ww_member_has(&v[1]) || ww_member_has(&v[2]);
	a->excluding += ww_member_has(&v[3]) || ww_member_has(&v[4]);
	a->claimed += claims_processing(leg);
	a->declared += ww_member_has(&v[5]);
}

static void take_legs(struct row *r, struct ww_slice record)
{
	struct ww_json_token t;
	struct ww_slice array, leg;
	struct ww_json j;

	if (ww_json_path(record, "$.legs", &t, &array) != WW_PARSE_DONE ||
	    t.type != WW_JSON_ARRAY || ww_fields_array(array, &j) < 0)
		return;
	while (ww_fields_next(&j, &t, &leg) == 1)
		if (t.type == WW_JSON_OBJECT)
			take_leg(&r->axes, leg);
}

static void take_findings(struct row *r, struct ww_slice record)
{
	struct ww_member_walk w;
	struct ww_member m;

	ww_member_begin(&w, record);
	while (ww_member_next(&w, &m)) {
		if (!ww_slice_eq_str(m.path, "findings.finding"))
			continue;
		for (unsigned i = 0; i < FINDINGS_MAX && ww_path_word_at(WW_PATH_FINDING, i); i++)
			if (m.value.type == WW_JSON_STRING &&
			    ww_json_is(&m.value, ww_path_word_at(WW_PATH_FINDING, i)->word))
				r->findings |= 1u << i;
	}
}

static int room(struct ww_path_survey *s)
{
	size_t cap = s->cap ? 2 * s->cap : 64;
	struct row *more;

	if (s->count < s->cap)
		return 0;
	if (s->count >= WW_REPORT_RECORDS_MAX)
		return -E2BIG;
	more = realloc(s->rows, cap * sizeof(*more));
	if (!more)
		return -ENOMEM;
	s->rows = more;
	s->cap = cap;
	return 0;
}

static int take_path(struct ww_path_survey *s, uint64_t index, struct ww_slice record)
{
	enum { PATH, ID, REVISION, VERDICT, REASON, POLICY, N };
	static const struct ww_slice paths[N] = {
		[PATH] = WW_SLICE_LIT("path"),         [ID] = WW_SLICE_LIT("id"),
		[REVISION] = WW_SLICE_LIT("revision"), [VERDICT] = WW_SLICE_LIT("verdict"),
		[REASON] = WW_SLICE_LIT("reason"),     [POLICY] = WW_SLICE_LIT("policy"),
	};
	const struct ww_json_token *name;
	struct ww_json_token v[N];
	struct row *row;
	int r = room(s);

	if (r < 0)
		return r;
	ww_member_pick(record, paths, N, v);
	name = ww_member_has(&v[PATH]) ? &v[PATH] : &v[ID];
	row = &s->rows[s->count++];
	*row = (struct row){.index = index, .revision = ww_member_u64(&v[REVISION], 0)};
	if (ww_member_has(name) && name->raw.n < sizeof(row->path))
		memcpy(row->path, name->raw.p, name->raw.n);
	row->verdict = word_at(verdict_names, WW_VERDICT_MAX, &v[VERDICT]);
	row->reason = word_at(reason_names, WW_REASON_MAX, &v[REASON]);
	row->policy = policy_of(s, &v[POLICY]);
	take_findings(row, record);
	take_legs(row, record);
	return 0;
}

int ww_path_survey_add(struct ww_path_survey *s, uint64_t index, struct ww_slice record)
{
	const struct ww_json_token kind = ww_member_get(record, "kind");

	if (!ww_member_has(&kind))
		return 0;
	if (ww_json_is(&kind, "path"))
		return take_path(s, index, record);
	s->crossings += ww_json_is(&kind, "crossing");
	s->decisions += ww_json_is(&kind, "guard");
	return 0;
}

static int by_path(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int r = strcmp(x->path, y->path);

	if (r == 0)
		r = x->revision < y->revision ? -1 : x->revision > y->revision;
	return r ? r : x->index < y->index ? -1 : x->index > y->index;
}

static int by_index(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return x->index < y->index ? -1 : x->index > y->index;
}

int ww_path_survey_end(struct ww_path_survey *s)
{
	s->last = calloc(s->count + 1, sizeof(*s->last));
	if (!s->last)
		return -ENOMEM;
	if (s->count)
		qsort(s->rows, s->count, sizeof(*s->rows), by_path);
	/* Without a name it stands for itself. */
	for (size_t i = 0; i < s->count; i++)
		s->rows[i].last = i + 1 == s->count || s->rows[i].path[0] == '\0' ||
				  strcmp(s->rows[i].path, s->rows[i + 1].path) != 0;
	if (s->count)
		qsort(s->rows, s->count, sizeof(*s->rows), by_index);
	for (size_t i = 0; i < s->count; i++)
		if (s->rows[i].last)
			s->last[s->last_count++] = s->rows[i].index;
	return 0;
}

const uint64_t *ww_path_survey_rows(const struct ww_path_survey *s, size_t *ret_count)
{
	*ret_count = s->last_count;
	return s->last;
}

/* --- writing ------------------------------------------------------------------------------------
 */

/* One more slot for words that are not known here. */
struct spread {
	uint64_t verdicts[WW_VERDICT_MAX + 1], reasons[WW_REASON_MAX + 1];
	uint64_t findings[FINDINGS_MAX], policies[POLICIES_MAX + 1];
	struct axes axes;
};

static struct spread spread_of(const struct ww_path_survey *s)
{
	struct spread d = {0};

	for (size_t i = 0; i < s->count; i++) {
		const struct row *r = &s->rows[i];

		if (!r->last)
			continue;
		d.verdicts[r->verdict]++;
		if (r->verdict == WW_VERDICT_UNVERIFIABLE)
			d.reasons[r->reason]++;
		for (unsigned f = 0; f < FINDINGS_MAX; f++)
			d.findings[f] += r->findings >> f & 1;
		d.policies[r->policy]++;
		d.axes.legs += r->axes.legs;
		d.axes.listed += r->axes.listed;
		d.axes.bounded += r->axes.bounded;
		d.axes.excluding += r->axes.excluding;
		d.axes.claimed += r->axes.claimed;
		d.axes.declared += r->axes.declared;
	}
	return d;
}

static const char *meaning_of(enum ww_path_set set, const char *word)
{
	const struct ww_json_token t = {.type = WW_JSON_STRING, .raw = ww_slice_str(word)};
	const struct ww_path_word *w = ww_path_word(set, &t);

	return w ? w->meaning : NULL;
}

static void write_count(struct ww_jsonw *w, const char *key, const char *word, const char *meaning,
			uint64_t count)
{
	ww_jsonw_object(w, NULL);
	ww_jsonw_put_cstr(w, ww_jsonw_name(key), word);
	ww_jsonw_u64(w, "count", count);
	if (meaning)
		ww_jsonw_cstr(w, "meaning", meaning);
	ww_jsonw_end_object(w);
}

static void write_share(const struct spread *d, uint64_t total, struct ww_jsonw *w)
{
	uint64_t n = d->verdicts[WW_VERDICT_UNVERIFIABLE];
	uint64_t permille = total ? (1000 * n + total / 2) / total : 0;
	char share[32];

	snprintf(share, sizeof(share), "%" PRIu64 ".%" PRIu64 " %%", permille / 10, permille % 10);
	ww_jsonw_object(w, "unverifiable");
	ww_jsonw_u64(w, "count", n);
	ww_jsonw_cstr(w, "share", total ? share : NULL);
	ww_jsonw_array(w, "reasons");
	for (unsigned i = 0; i <= WW_REASON_MAX; i++) {
		const char *word = i < WW_REASON_MAX ? reason_names[i] : NULL;

		if (d->reasons[i])
			write_count(w, "reason", word && word[0] ? word : "not given",
				    word ? meaning_of(WW_PATH_REASON, word) : NULL, d->reasons[i]);
	}
	ww_jsonw_end_array(w);
	ww_jsonw_end_object(w);
}

static void write_lists(const struct ww_path_survey *s, const struct spread *d, struct ww_jsonw *w)
{
	ww_jsonw_array(w, "byVerdict");
	for (unsigned i = 0; i <= WW_VERDICT_MAX; i++) {
		const char *word = i < WW_VERDICT_MAX ? verdict_names[i] : "other";

		if (d->verdicts[i])
			write_count(w, "verdict", word, meaning_of(WW_PATH_VERDICT, word),
				    d->verdicts[i]);
	}
	ww_jsonw_end_array(w);
	ww_jsonw_array(w, "findings");
	for (unsigned i = 0; i < FINDINGS_MAX && ww_path_word_at(WW_PATH_FINDING, i); i++)
		if (d->findings[i])
			write_count(w, "finding", ww_path_word_at(WW_PATH_FINDING, i)->word,
				    ww_path_word_at(WW_PATH_FINDING, i)->meaning, d->findings[i]);
	ww_jsonw_end_array(w);
	ww_jsonw_array(w, "policies");
	for (unsigned i = 0; i < s->policy_count; i++)
		if (d->policies[i])
			write_count(w, "digest", s->policies[i], NULL, d->policies[i]);
	ww_jsonw_end_array(w);
}

void ww_path_survey_write(const struct ww_path_survey *s, struct ww_jsonw *w)
{
	const struct spread d = spread_of(s);

	ww_jsonw_object(w, NULL);
	ww_jsonw_u64(w, "paths", s->last_count);
	write_share(&d, s->last_count, w);
	write_lists(s, &d, w);
	ww_jsonw_u64(w, "superseded", s->count - s->last_count);
	ww_jsonw_object(w, "legs");
	ww_jsonw_u64(w, "count", d.axes.legs);
	ww_jsonw_u64(w, "listedRegion", d.axes.listed);
	ww_jsonw_u64(w, "distanceBounded", d.axes.bounded);
	ww_jsonw_u64(w, "areasExcluded", d.axes.excluding);
	ww_jsonw_u64(w, "processingClaimed", d.axes.claimed);
	ww_jsonw_u64(w, "homeDeclared", d.axes.declared);
	ww_jsonw_end_object(w);
	ww_jsonw_u64(w, "crossings", s->crossings);
	ww_jsonw_u64(w, "guardDecisions", s->decisions);
	ww_jsonw_array(w, "list");
	for (size_t i = 0; i < s->last_count; i++)
		ww_jsonw_u64(w, NULL, s->last[i]);
	ww_jsonw_end_array(w);
	ww_jsonw_end_object(w);
}

static void write_axis(struct ww_jsonw *w, const char *axis, const char *word, uint64_t legs,
		       uint64_t of, const char *how, const char *why)
{
	char text[96];

	ww_jsonw_put_object(w, ww_jsonw_name(axis));
	ww_jsonw_cstr(w, "word", legs ? word : "unknown");
	if (legs) {
		snprintf(text, sizeof(text), "%s, for %" PRIu64 " of %" PRIu64 " legs", how, legs,
			 of);
		ww_jsonw_put_cstr(
			w, ww_jsonw_name(strcmp(word, "claimed") == 0 ? "claimedBy" : "basis"),
			text);
	}
	ww_jsonw_cstr(w, "why", why);
	ww_jsonw_end_object(w);
}

/* Place never implies law, and no list measures a place. */
void ww_path_survey_jurisdiction(const struct ww_path_survey *s, struct ww_jsonw *w)
{
	const struct axes a = spread_of(s).axes;

	ww_jsonw_object(w, NULL);
	write_axis(w, "whereTlsEnded", "measured", a.bounded, a.legs,
		   "round trips to whoever answered",
		   a.bounded  ? "a round trip bounds how far whoever answered can be, never where; "
				"what tables list is a claim of theirs"
		   : a.listed ? "tables list regions, and a list is no measurement; no distance "
				"was bounded"
			      : "no distance was bounded and no table lists a region");
	write_axis(w, "whereDataWasProcessed", "claimed", a.claimed, a.legs,
		   "the peers and requests that each leg names",
		   a.claimed ? "nobody here saw behind the peer that ended TLS"
			     : "nobody claimed anything, and nobody here saw behind the peer that "
			       "ended TLS");
	write_axis(w, "whoseLawReachesIt", "declared", a.declared, a.legs,
		   "the home of the listed operators",
		   a.declared ? "the monitor's owner declares it; no register was asked"
			      : "no operator's home is declared");
	ww_jsonw_end_object(w);
}
