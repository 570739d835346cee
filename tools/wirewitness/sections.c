/* SPDX-License-Identifier: Apache-2.0 */
#include "sections.h"

#include <errno.h>
#include <stdio.h>

#include "base/encode.h"
#include "base/log.h"
#include "ledger/outcome.h"
#include "out/claims.h"
#include "out/destinations.h"
#include "out/page.h"

struct job {
	const struct ww_sections_input *in;
	struct ww_sections *out;
	struct ww_destinations *destinations;
	uint64_t withheld; /* of the listed records */
	uint64_t outcomes[WW_OUTCOME_MAX];
	int error;
};

/* --- small ones ---------------------------------------------------------------------------------
 */

static void write_scope(const struct job *j, struct ww_jsonw *w)
{
	const struct ww_criteria *c = j->in->criteria;

	ww_jsonw_object(w, NULL);
	ww_instrument_host(j->in->selection->instrument, w);
	ww_jsonw_cstr(w, "reportVersion", "wirewitness " WW_VERSION);
	ww_jsonw_cstr(w, "requestedBy", j->in->requested_by);
	ww_jsonw_cstr(
		w, "listed",
		j->in->complete
			? "every record of the period"
			: "verdicts and paths with what they rest on; coverage, losses, findings "
			  "and the monitor's own life in the period");
	if (c->filter)
		ww_jsonw_cstr(w, "filter", c->filter);
	ww_jsonw_end_object(w);
}

static void write_bound(struct ww_jsonw *w, const char *key, const struct ww_moment *m, bool begin)
{
	char index[32];

	snprintf(index, sizeof(index), "index %llu",
		 (unsigned long long)(begin ? ww_moment_first(m) : m->cursor));
	ww_jsonw_cstr(w, key,
		      m->what == WW_MOMENT_TIME     ? m->time
		      : m->what == WW_MOMENT_CURSOR ? index
						    : NULL);
}

static void write_period(const struct job *j, struct ww_jsonw *w)
{
	const struct ww_selection *s = j->in->selection;
	uint64_t from_ns, to_ns;

	ww_jsonw_object(w, NULL);
	ww_jsonw_cstr(w, "from", s->from[0] ? s->from : NULL);
	ww_jsonw_cstr(w, "to", s->to[0] ? s->to : NULL);
	if (ww_survey_boot_range(s->survey, &from_ns, &to_ns)) {
		ww_jsonw_u64(w, "fromBootNs", from_ns);
		ww_jsonw_u64(w, "toBootNs", to_ns);
	} else {
		ww_jsonw_null(w, "fromBootNs");
		ww_jsonw_null(w, "toBootNs");
	}
	write_bound(w, "askedFrom", &j->in->criteria->query.since, true);
	write_bound(w, "askedTo", &j->in->criteria->query.until, false);
	ww_jsonw_u64(w, "records", s->seen);
	ww_jsonw_end_object(w);
}

static void write_selection(const struct job *j, struct ww_jsonw *w)
{
	const struct ww_selection *s = j->in->selection;

	ww_jsonw_object(w, NULL);
	ww_criteria_write(j->in->criteria, w);
	ww_jsonw_object(w, "population");
	ww_jsonw_u64(w, "records", s->seen);
	ww_jsonw_u64(w, "verdicts", s->verdicts);
	ww_jsonw_u64(w, "erasedRecords", s->erased);
	ww_jsonw_u64(w, "erasedVerdicts", s->erased_verdicts);
	ww_jsonw_end_object(w);
	ww_jsonw_object(w, "selected");
	ww_jsonw_u64(w, "verdicts", s->matched);
	ww_jsonw_u64(w, "records", s->count);
	ww_jsonw_end_object(w);
	ww_jsonw_u64(w, "withheld", j->withheld);
	ww_jsonw_end_object(w);
}

static void write_verification(const struct job *j, struct ww_jsonw *w)
{
	static const char *const openssl[] = {
		"jq -r .payload REPORT | base64 -d > payload.json",
		"jq -r '.signatures[0].sig' REPORT | base64 -d > sig.bin",
		"(printf 'DSSEv1 28 application/vnd.in-toto+json %s ' $(wc -c < payload.json); "
		"cat payload.json) > signed.bin",
		"(printf '\\060\\052\\060\\005\\006\\003\\053\\145\\160\\003\\041\\000'; "
		"cut -d+ -f3- vkey | base64 -d | tail -c 32) > key.der",
		"openssl pkeyutl -verify -rawin -pubin -keyform DER -inkey key.der -in signed.bin "
		"-sigfile sig.bin",
	};

	ww_jsonw_object(w, NULL);
	ww_jsonw_cstr(w, "key", "take the verifier key from a source you trust, not from here");
	ww_jsonw_cstr(w, "all", "wirewitness-verify --key-file vkey REPORT");
	ww_jsonw_array(w, "signatureWithOpenssl");
	for (size_t i = 0; i < WW_ARRAY_SIZE(openssl); i++)
		ww_jsonw_cstr(w, NULL, openssl[i]);
	ww_jsonw_end_array(w);
	ww_jsonw_cstr(w, "treeWithOthers",
		      "checkpoint is a C2SP signed note, leaves and proofs are those of RFC 6962: "
		      "Go's golang.org/x/mod/sumdb reads both");
	if (j->in->bundle)
		ww_jsonw_cstr(w, "bundleWithOthers",
			      "npm @sigstore/verify with the trust root of the log, certificate "
			      "thresholds 0, one log entry");
	ww_jsonw_cstr(w, "schema", "docs/schema/report-v1.schema.json (JSON Schema 2020-12)");
	ww_jsonw_end_object(w);
}

static void write_sampling(const struct job *j, struct ww_jsonw *w)
{
	const struct ww_sampling *s = &j->in->selection->sampling;

	ww_sampling_write(s->n_units ? s : NULL, w);
}

/* --- what the page needs ------------------------------------------------------------------------
 */

static void write_made(const struct job *j, struct ww_jsonw *w)
{
	const struct ww_checkpoint *head = ww_ledger_reader_head(j->in->records->reader);
	const struct ww_selection *s = j->in->selection;
	const char *slash = strrchr(j->in->file, '/');
	size_t verdicts = j->out->verdict_count;
	char vkey[WW_NOTE_KEY_TEXT_MAX];
	size_t paths;

	ww_path_survey_rows(s->paths, &paths);
	ww_note_key_text(ww_ledger_reader_key(j->in->records->reader), vkey);
	ww_jsonw_object(w, NULL);
	ww_jsonw_cstr(w, "file", slash ? slash + 1 : j->in->file);
	ww_jsonw_cstr(w, "createdAt", j->in->created_at);
	ww_jsonw_cstr(w, "origin", head->origin);
	ww_jsonw_cstr(w, "vkey", vkey);
	ww_jsonw_u64(w, "treeSize", head->size);
	ww_jsonw_hex(w, "rootHash", ww_slice(head->root.b, sizeof(head->root.b)));
	ww_jsonw_cstr(w, "selection",
		      j->in->complete ? "every one of the range" : "a list, not the whole range");
	ww_jsonw_u64(w, "firstIndex", s->indexes[0]);
	ww_jsonw_u64(w, "lastIndex", s->indexes[s->count - 1]);
	ww_jsonw_u64(w, "recordCount", s->count);
	ww_jsonw_u64(w, "verdictsNotShown",
		     verdicts > WW_PAGE_VERDICTS_MAX ? verdicts - WW_PAGE_VERDICTS_MAX : 0);
	ww_jsonw_u64(w, "pathsNotShown", paths > WW_PAGE_PATHS_MAX ? paths - WW_PAGE_PATHS_MAX : 0);
	ww_jsonw_u64(w, "verdictsErased", s->erased_verdicts);
	ww_jsonw_u64(w, "findingsNotShown",
		     s->finding_count > WW_PAGE_FINDINGS_MAX
			     ? s->finding_count - WW_PAGE_FINDINGS_MAX
			     : 0);
	ww_jsonw_end_object(w);
}

/* --- over the records ---------------------------------------------------------------------------
 */

static int by_index(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

struct citation {
	const struct ww_sections_input *in;
	struct ww_records_citer by;
	uint64_t index;
	bool listed;
};

static bool take_listed(void *ctx, uint64_t index)
{
	struct citation *c = ctx;
	const struct ww_selection *s = c->in->selection;

	c->index = index;
	c->listed = bsearch(&index, s->indexes, s->count, sizeof(*s->indexes), by_index) != NULL;
	return !c->listed;
}

static bool listed_index(void *ctx, struct ww_slice id, uint64_t *ret_index)
{
	struct citation *c = ctx;

	c->listed = false;
	if (ww_records_cited(c->in->records, &c->by, id, take_listed, c) < 0 || !c->listed)
		return false;
	*ret_index = c->index;
	return true;
}

static void write_property(struct ww_jsonw *w, struct ww_slice verdict)
{
	const struct ww_json_token id = ww_member_get(verdict, "id");
	enum ww_outcome o = ww_outcome_read(verdict);
	char text[128];

	if (!ww_member_has(&id) || id.raw.n > 64)
		return;
	snprintf(text, sizeof(text), "WIREWITNESS_OUTCOME_%s:%.*s", ww_outcome_name(o),
		 (int)id.raw.n, (const char *)id.raw.p);
	ww_jsonw_cstr(w, NULL, text);
}

/* `verdict` is overwritten when others are read. */
static void write_claim(struct job *j, uint64_t index, struct ww_slice verdict, struct ww_jsonw *w,
			struct ww_jsonw *properties)
{
	struct citation c = {.in = j->in};
	WW_AUTO_BUF struct ww_buf copy;

	ww_buf_init(&copy, WW_RECORD_BYTES_MAX);
	if (ww_buf_add(&copy, verdict.p, verdict.n) < 0) {
		j->error = ww_log_err_r(-ENOMEM, "cannot make the report's sections");
		return;
	}
	verdict = ww_buf_slice(&copy);
	ww_records_citer(index, verdict, &c.by);
	j->outcomes[ww_outcome_read(verdict)]++;
	ww_claims_write(w, index, verdict, listed_index, &c);
	write_property(properties, verdict);
}

static void write_claims(struct job *j, struct ww_jsonw *w, struct ww_jsonw *properties)
{
	ww_jsonw_object(w, NULL);
	ww_jsonw_object(w, "outcomes");
	for (unsigned i = 0; i < WW_OUTCOME_MAX; i++)
		ww_jsonw_cstr(w, ww_outcome_name((enum ww_outcome)i),
			      ww_outcome_meaning((enum ww_outcome)i));
	ww_jsonw_end_object(w);
	ww_jsonw_array(w, "list");
	for (size_t i = 0; i < j->out->verdict_count && j->error == 0; i++) {
		uint64_t index = j->out->verdicts[i];
		struct ww_slice json;
		int r = ww_records_get(j->in->records, index, &json);

		if (r == -ENOENT)
			continue;
		if (r < 0) {
			j->error = ww_log_err_r(r, "cannot read record %llu",
						(unsigned long long)index);
			break;
		}
		write_claim(j, index, json, w, properties);
	}
	ww_jsonw_end_array(w);
	ww_jsonw_end_object(w);
}

/* Flows into the destinations, and how many records are withheld. */
static int walk_listed(struct job *j)
{
	const struct ww_selection *s = j->in->selection;
	int r = ww_destinations_new(&j->destinations);

	if (r < 0)
		return ww_log_err_r(r, "cannot make the report's sections");
	for (size_t i = 0; i < s->count; i++) {
		struct ww_payload p;

		r = ww_ledger_reader_get(j->in->records->reader, s->indexes[i], &p);
		if (r == 0 && !p.erased && ww_slice_eq_str(p.kind, "flow"))
			r = ww_destinations_add(j->destinations, p.json);
		if (r < 0)
			return ww_log_err_r(r, "cannot read record %llu",
					    (unsigned long long)s->indexes[i]);
		j->withheld += p.erased;
	}
	return 0;
}

/* What holds for the report as a whole stands before the verdicts. */
static void begin_properties(const struct job *j, struct ww_jsonw *w)
{
	char text[64];

	ww_jsonw_array(w, NULL);
	if (ww_survey_complete(j->in->selection->survey))
		ww_jsonw_cstr(w, NULL, "WIREWITNESS_COVERAGE_COMPLETE");
	if (j->in->complete)
		ww_jsonw_cstr(w, NULL, "WIREWITNESS_EVERY_RECORD_LISTED");
	if (ww_survey_reevaluated(j->in->selection->survey)) {
		snprintf(text, sizeof(text), "WIREWITNESS_REEVALUATED:%llu",
			 (unsigned long long)ww_survey_reevaluated(j->in->selection->survey));
		ww_jsonw_cstr(w, NULL, text);
	}
	snprintf(text, sizeof(text), "WIREWITNESS_VERDICTS:%zu", j->out->verdict_count);
	ww_jsonw_cstr(w, NULL, text);
}

static int write_all(struct job *j)
{
	struct ww_sections *s = j->out;
	struct ww_jsonw w[WW_STATEMENT_SECTION_MAX], made, properties, policies;
	enum {
		SCOPE,
		INSTRUMENT,
		PERIOD,
		SELECTION,
		COVERAGE,
		DESTINATIONS,
		SUMMARY,
		CLAIMS,
		PATHS,
		JURISDICTION,
		SAMPLING,
		VERIFICATION
	};

	_Static_assert(VERIFICATION + 1 == WW_STATEMENT_SECTION_MAX, "one writer per section");
	for (unsigned i = 0; i < WW_STATEMENT_SECTION_MAX; i++)
		ww_jsonw_init(&w[i], &s->each[i]);
	ww_jsonw_init(&made, &s->made);
	ww_jsonw_init(&properties, &s->properties);
	ww_jsonw_init(&policies, &s->policies);
	write_scope(j, &w[SCOPE]);
	ww_instrument_write(j->in->selection->instrument, &w[INSTRUMENT]);
	write_period(j, &w[PERIOD]);
	write_selection(j, &w[SELECTION]);
	ww_survey_coverage(j->in->selection->survey, &w[COVERAGE]);
	ww_destinations_write(j->destinations, &w[DESTINATIONS]);
	ww_survey_summary(j->in->selection->survey, &w[SUMMARY]);
	begin_properties(j, &properties);
	write_claims(j, &w[CLAIMS], &properties);
	ww_jsonw_end_array(&properties);
	ww_path_survey_write(j->in->selection->paths, &w[PATHS]);
	ww_path_survey_jurisdiction(j->in->selection->paths, &w[JURISDICTION]);
	write_sampling(j, &w[SAMPLING]);
	write_verification(j, &w[VERIFICATION]);
	write_made(j, &made);
	ww_survey_policies(j->in->selection->survey, &policies);
	for (unsigned i = 0; i < WW_STATEMENT_SECTION_MAX && j->error == 0; i++)
		j->error = w[i].err;
	if (j->error == 0)
		j->error = made.err ? made.err : properties.err ? properties.err : policies.err;
	return j->error < 0 ? ww_log_err_r(j->error, "cannot write the report's sections") : 0;
}

int ww_sections_make(const struct ww_sections_input *in, struct ww_sections *ret)
{
	struct job j = {.in = in, .out = ret};
	int r;

	*ret = (struct ww_sections){0};
	for (unsigned i = 0; i < WW_STATEMENT_SECTION_MAX; i++)
		ww_buf_init(&ret->each[i], WW_SECTION_BYTES_MAX);
	ww_buf_init(&ret->made, WW_SECTION_BYTES_MAX);
	ww_buf_init(&ret->properties, WW_SECTION_BYTES_MAX);
	ww_buf_init(&ret->policies, WW_SECTION_BYTES_MAX);
	r = ww_survey_verdicts(in->selection->survey, &ret->verdicts, &ret->verdict_count);
	if (r < 0)
		return ww_log_err_r(r, "cannot make the report's sections");
	r = walk_listed(&j);
	if (r == 0)
		r = write_all(&j);
	ww_destinations_free(j.destinations);
	return r;
}

void ww_sections_done(struct ww_sections *s)
{
	for (unsigned i = 0; i < WW_STATEMENT_SECTION_MAX; i++)
		ww_buf_done(&s->each[i]);
	ww_buf_done(&s->made);
	ww_buf_done(&s->properties);
	ww_buf_done(&s->policies);
}

union ww_statement_sections ww_sections_slices(const struct ww_sections *s)
{
	union ww_statement_sections u;

	for (unsigned i = 0; i < WW_STATEMENT_SECTION_MAX; i++)
		u.each[i] = ww_buf_slice(&s->each[i]);
	return u;
}

/* --- the head's time ----------------------------------------------------------------------------
 */

static bool take_time(void *ctx, uint64_t index, struct ww_slice json)
{
	const struct ww_json_token t = ww_member_get(json, "t");
	char *out = ctx;

	if (ww_member_has(&t) && !t.escaped && t.raw.n < WW_RFC3339_MAX) {
		char text[WW_RFC3339_MAX] = "";

		memcpy(text, t.raw.p, t.raw.n);
		if (strcmp(text, out) > 0)
			memcpy(out, text, sizeof(text));
	}
	return true;
}

int ww_sections_head_time(struct ww_records *records, char out[WW_RFC3339_MAX])
{
	static const char *const kinds[] = {"life", "coverage"};
	int r = 0;

	out[0] = '\0';
	for (size_t i = 0; i < WW_ARRAY_SIZE(kinds) && r == 0; i++) {
		const struct ww_records_query q = {.kind = kinds[i]};

		r = ww_records_each(records, &q, take_time, out);
	}
	if (r == 0 && out[0] == '\0') {
		const struct ww_records_query q = {.newest = 1};

		r = ww_records_each(records, &q, take_time, out);
	}
	if (r == 0 && out[0] == '\0')
		ww_wall_rfc3339((struct ww_wall){0}, out);
	return r;
}
