/* SPDX-License-Identifier: Apache-2.0 */
/* What is attested of where a request was processed, by the real pipeline: beside the path, before
 * and after its records, and what may never come of it. */
#include "../../lib/path_rig.h"
#include "../ledger/attest.h"
#include "daemon/path_attestations.h"

#define EU "203.0.113.7"
#define US "198.51.100.7"

#define AFTER  "2026-09-21T15:00:00Z" /* the rig begins at 14:13:20 */
#define BEFORE "2026-09-21T13:00:00Z"
#define NOW_NS (RIG_WALL_NS + 7200ull * 1000000000ull)

static struct attester audit, cloud, stranger;
static char policy[4096];

static int set_up(void **state)
{
	audit = attester_new("audit", false);
	cloud = attester_new("cloud", true);
	stranger = attester_new("audit", false);
	snprintf(policy, sizeof(policy),
		 RIG_POLICY
		 "attesters:\n- {name: audit, key: \"%s\"}\n- {name: cloud, key: \"%s\"}\n",
		 audit.base64, cloud.base64);
	return 0;
}

static int tear_down(void **state)
{
	attester_done(&audit);
	attester_done(&cloud);
	attester_done(&stranger);
	return 0;
}

struct word {
	const char *by, *subject, *region, *operator_name, *at, *more, *predicate, *digest_of;
};

static struct ww_slice envelope_of(const struct attester *a, const struct word *w, char *out)
{
	const char *subject = w->subject ? w->subject : "r-1";
	char hex[2 * WW_SHA256_LEN + 1], text[4096], region[256] = "", of[256] = "";
	struct ww_sha256 d;

	ww_sha256(ww_slice_str(w->digest_of ? w->digest_of : subject), &d);
	ww_hex_encode(ww_slice(d.b, sizeof(d.b)), hex);
	if (w->region)
		snprintf(region, sizeof(region), ",\"region\":\"%s\"", w->region);
	if (w->operator_name)
		snprintf(of, sizeof(of), ",\"operator\":\"%s\"", w->operator_name);
	snprintf(text, sizeof(text),
		 "{\"_type\":\"https://in-toto.io/Statement/v1\",\"subject\":[{\"name\":\"x\","
		 "\"digest\":{\"sha256\":\"%s\"}}],\"predicateType\":\"%s\",\"predicate\":{"
		 "\"%s\":\"%s\",\"attestedAt\":\"%s\"%s%s%s}}",
		 hex, w->predicate ? w->predicate : WW_ATTESTATION_OF_PATH,
		 w->by ? w->by : "responseId", subject, w->at ? w->at : AFTER, region, of,
		 w->more ? w->more : "");
	return sign_payload(a, text, out);
}

struct stage {
	struct rig rig;
	struct ww_pipeline *p;
	unsigned next; /* event */
	uint64_t ms;
	struct ww_attest_answer answer;
	struct ww_errtext why;
};

static void go_on(struct stage *g, uint64_t until_ms)
{
	struct rig *r = &g->rig;
	struct ww_contract_error why = {0};

	if (!g->p) {
		rig_sort(r);
		assert_int_equal(ww_pipeline_new(&r->cfg, rig_take, r, &g->p, &why), 0);
	}
	for (; g->ms <= until_ms; g->ms += 100) {
		while (g->next < r->count && r->ev[g->next]->time_ns < rig_ns(g->ms))
			ww_pipeline_feed(g->p, r->ev[g->next++]);
		rig_tick(g->p, g->ms);
	}
}

static void close_stage(struct stage *g)
{
	all_derived(ww_buf_slice(&g->rig.text), true);
	ww_pipeline_free(g->p);
	rig_close(&g->rig);
}

static void ask(struct stage *g, uint64_t ms, uint32_t pid, uint64_t cookie, const char *peer,
		const char *id)
{
	struct rig *r = &g->rig;

	rig_connect(r, ms, pid, cookie, peer, 443, "api.example", RIG_TLS);
	rig_ask(r, ms + 10, cookie, "api.example", NULL, RIG_PROMPT);
	rig_reply(r, ms + 200, cookie, id);
	rig_stat(r, ms + 500, cookie);
	rig_end(r, ms + 600, cookie, WW_CLOSE_FIN_LOCAL);
}

/* One request to eu, told. */
static struct stage *told_stage(struct stage *g)
{
	memset(g, 0, sizeof(*g));
	rig_open(&g->rig, policy);
	ask(g, 100, AGENT, 1, EU, "r-1");
	go_on(g, 8000);
	ww_pipeline_finish(g->p);
	assert_int_equal(rig_count(&g->rig, "path"), 1);
	return g;
}

/* The newest records of paths as they came, one each; the caller frees. */
static unsigned newest(const struct stage *g, char **ret, unsigned max)
{
	struct ww_slice lines = ww_buf_slice(&g->rig.text), line;
	unsigned n = 0;

	while (ww_slice_line(&lines, &line)) {
		struct ww_path_record rec, before;
		unsigned i = 0;

		if (ww_path_record_read(line, &rec, NULL) < 0)
			continue;
		for (; i < n; i++) {
			assert_int_equal(ww_path_record_read(ww_slice_str(ret[i]), &before, NULL),
					 0);
			if (before.number == rec.number)
				break;
		}
		assert_true(i < max);
		if (i < n)
			free(ret[i]);
		else
			n++;
		ret[i] = strndup((const char *)line.p, line.n);
	}
	return n;
}

static int bring_with(struct stage *g, struct ww_slice envelope, char **records, unsigned count,
		      const char *log)
{
	struct ww_attest_ask a = {.envelope = envelope, .now = {NOW_NS}, .log = log};
	unsigned records_before = g->rig.record_count;
	int r;

	for (unsigned i = 0; i < count; i++)
		a.verdicts[a.verdict_count++] = ww_slice_str(records[i]);
	g->why.text[0] = '\0';
	r = ww_pipeline_attest(g->p, &a, &g->answer, &g->why);
	if (r < 0) {
		assert_string_not_equal(g->why.text, "");
		assert_int_equal(g->rig.record_count, records_before);
	}
	return r;
}

static int bring_slice(struct stage *g, struct ww_slice envelope)
{
	char *records[WW_ATTEST_FOUND_MAX];
	unsigned n = newest(g, records, WW_ATTEST_FOUND_MAX);
	int r = bring_with(g, envelope, records, n, NULL);

	for (unsigned i = 0; i < n; i++)
		free(records[i]);
	return r;
}

#define BRING(g, a, ...)                                      \
	({                                                    \
		char out_[16384];                             \
		struct word word_ = {__VA_ARGS__};            \
		bring_slice(g, envelope_of(a, &word_, out_)); \
	})

static json_t *last(struct stage *g)
{
	json_t *p = rig_path(&g->rig);

	return p;
}

static json_t *entry(json_t *path, unsigned i)
{
	return json_array_get(json_object_get(path, "attested"), i);
}

/* --- refused ------------------------------------------------------------------------------------
 */

#define NOT_TAKEN(g, want, says, ...)                                         \
	do {                                                                  \
		assert_int_equal(BRING(g, __VA_ARGS__), want);                \
		if (!strstr((g)->why.text, says))                             \
			fail_msg("'%s' is not in '%s'", says, (g)->why.text); \
	} while (0)

static void refused(void **state)
{
	static char longer[WW_ATTESTATION_WORD_MAX + 2];
	struct stage at, *g = told_stage(&at);

	memset(longer, 'x', sizeof(longer) - 1);
	NOT_TAKEN(g, -ENOKEY, "not signed by", &stranger, .region = "eu-west-1");
	NOT_TAKEN(g, -EINVAL, "predicate is not", &audit, .region = "eu-west-1",
		  .predicate = "https://wirewitness.dev/path-attestation/v2");
	NOT_TAKEN(g, -EINVAL, "tool", &audit, .region = "eu-west-1",
		  .predicate = WW_ATTESTATION_PREDICATE);
	NOT_TAKEN(g, -ENOENT, "no path is known by this responseId", &audit, .subject = "r-2",
		  .region = "eu-west-1");
	NOT_TAKEN(g, -ENOENT, "no path is known by this requestId", &audit, .by = "requestId",
		  .region = "eu-west-1");
	NOT_TAKEN(g, -EINVAL, "not exactly one", &audit, .by = "traceId", .region = "eu-west-1");
	NOT_TAKEN(g, -EINVAL, "not exactly one", &audit, .region = "eu-west-1",
		  .more = ",\"requestId\":\"q\"");
	NOT_TAKEN(g, -EINVAL, "neither region nor operator", &audit, .more = ",\"service\":\"s\"");
	NOT_TAKEN(g, -EINVAL, "region is not a text", &audit, .region = longer);
	NOT_TAKEN(g, -EINVAL, "control characters", &audit, .region = "eu\\u0007");
	NOT_TAKEN(g, -EINVAL, "not that of the id", &audit, .region = "eu-west-1",
		  .digest_of = "r-2");
	NOT_TAKEN(g, -EINVAL, "before the path began", &audit, .region = "eu-west-1", .at = BEFORE);
	NOT_TAKEN(g, -EINVAL, "a time before the path began", &audit, .region = "eu-west-1",
		  .more = ",\"processedAt\":\"" BEFORE "\"");
	NOT_TAKEN(g, -EINVAL, "in the future", &audit, .region = "eu-west-1",
		  .at = "2026-09-22T15:00:00Z");
	NOT_TAKEN(g, -EINVAL, "has expired", &audit, .region = "eu-west-1",
		  .more = ",\"expiresAt\":\"2026-09-21T15:00:01Z\"");
	NOT_TAKEN(g, -EINVAL, "for the log", &audit, .region = "eu-west-1",
		  .more = ",\"log\":\"elsewhere\"");
	NOT_TAKEN(g, -EINVAL, "not the id of a path", &audit, .region = "eu-west-1",
		  .more = ",\"path\":\"y-1\"");
	NOT_TAKEN(g, -ENOENT, "no path is known", &audit, .region = "eu-west-1",
		  .more = ",\"path\":\"y-0000000000000000\"");
	NOT_TAKEN(g, -EINVAL, "twice", &audit, .region = "eu-west-1",
		  .more = ",\"region\":\"us-east-1\"");
	assert_int_equal(rig_count(&g->rig, "path"), 1);
	close_stage(g);
}

static void nobody_may(void **state)
{
	struct stage at = {0}, *g = &at;

	rig_open(&g->rig, RIG_POLICY);
	ask(g, 100, AGENT, 1, EU, "r-1");
	go_on(g, 8000);
	NOT_TAKEN(g, -ENOKEY, "no policy names", &audit, .region = "eu-west-1");
	close_stage(g);
}

static void several_paths(void **state)
{
	struct stage at = {0}, *g = &at;
	char more[64];

	rig_open(&g->rig, policy);
	ask(g, 100, AGENT, 1, EU, "r-1");
	ask(g, 120, OTHER, 2, EU, "r-1");
	go_on(g, 8000);
	assert_int_equal(rig_count(&g->rig, "path"), 2);
	NOT_TAKEN(g, -ENOTUNIQ, "several paths", &audit, .region = "eu-west-1");
	snprintf(more, sizeof(more), ",\"path\":\"%s\"", rig_text(last(g), "path"));
	assert_int_equal(BRING(g, &audit, .region = "eu-west-1", .more = more), 0);
	assert_string_equal(g->answer.action, rig_text(last(g), "path"));
	assert_int_equal(json_array_size(json_object_get(last(g), "attested")), 1);
	assert_int_equal(
		json_array_size(json_object_get(rig_path_of(&g->rig, OTHER, 0), "attested")), 0);
	close_stage(g);
}

static void stale(void **state)
{
	struct stage at, *g = told_stage(&at);
	struct word w = {.region = "eu-west-1"};
	char out[16384], *old[1];

	assert_int_equal(newest(g, old, 1), 1);
	assert_int_equal(BRING(g, &cloud, .region = "eu-west-1"), 0);
	assert_int_equal(bring_with(g, envelope_of(&audit, &w, out), old, 1, NULL), -EAGAIN);
	assert_int_equal(bring_with(g, envelope_of(&audit, &w, out), NULL, 0, NULL), -EAGAIN);
	free(old[0]);
	close_stage(g);
}

/* --- taken --------------------------------------------------------------------------------------
 */

/* All but what the column may change is the same. */
static void same_but_column(json_t *before, json_t *after)
{
	static const char *const free_to[] = {"id", "revision", "supersedes", "attested",
					      "findings"};
	json_t *a = json_copy(before), *b = json_copy(after);

	for (size_t i = 0; i < WW_ARRAY_SIZE(free_to); i++) {
		json_object_del(a, free_to[i]);
		json_object_del(b, free_to[i]);
	}
	assert_true(json_equal(a, b));
	json_decref(a);
	json_decref(b);
}

static void beside(void **state)
{
	struct stage at, *g = told_stage(&at);
	json_t *before = last(g), *e;

	assert_int_equal(BRING(g, &audit, .region = "eu-central-1", .operator_name = "eucloud",
			       .more = ",\"basis\":\"audit log\",\"service\":\"models\","
				       "\"processedAt\":\"2026-09-21T14:13:21Z\""),
			 0);
	assert_string_equal(g->answer.verdict, rig_text(last(g), "id"));
	assert_string_equal(rig_text(last(g), "supersedes"), rig_text(before, "id"));
	assert_int_equal(json_integer_value(json_object_get(last(g), "revision")), 2);
	same_but_column(before, last(g));
	assert_true(json_equal(json_object_get(before, "findings"),
			       json_object_get(last(g), "findings")));
	e = entry(last(g), 0);
	assert_string_equal(rig_text(e, "attestation"), g->answer.id);
	assert_string_equal(rig_text(e, "attester"), "audit");
	assert_string_equal(rig_text(e, "evidence"), "E7");
	assert_string_equal(rig_text(e, "subject"), "r-1");
	assert_string_equal(rig_text(json_object_get(e, "says"), "region"), "eu-central-1");
	assert_string_equal(rig_text(json_object_get(e, "says"), "operator"), "eucloud");
	assert_string_equal(rig_text(json_object_get(e, "says"), "basis"), "audit log");
	assert_int_equal(json_integer_value(json_object_get(e, "leg")), 1);
	assert_int_equal(json_array_size(json_object_get(e, "findings")), 0);
	close_stage(g);
}

/* Said again it is one; the same in other words is refused; another region is news. */
static void again(void **state)
{
	struct stage at, *g = told_stage(&at);

	assert_int_equal(BRING(g, &audit, .region = "eu-west-1"), 0);
	assert_int_equal(BRING(g, &audit, .region = "eu-west-1"), 0);
	assert_true(g->answer.repeated);
	assert_int_equal(rig_count(&g->rig, "path"), 2);
	NOT_TAKEN(g, -EEXIST, "said this", &audit, .region = "eu-west-1",
		  .more = ",\"reference\":\"once more\"");
	assert_int_equal(BRING(g, &cloud, .region = "eu-west-1"), 0);
	assert_int_equal(BRING(g, &audit, .region = "us-east-1"), 0);
	assert_int_equal(json_array_size(json_object_get(last(g), "attested")), 3);
	close_stage(g);
}

/* What is attested elsewhere is a finding of the path; the verdict and the legs stay. */
static void elsewhere(void **state)
{
	struct stage at, *g = told_stage(&at);
	json_t *before = last(g), *f;

	assert_int_equal(BRING(g, &cloud, .region = "us-east-1"), 0);
	same_but_column(before, last(g));
	f = rig_finding(last(g), "ATTESTED_ELSEWHERE", 1);
	assert_non_null(f);
	assert_string_equal(rig_text(f, "attestation"), g->answer.id);
	assert_string_equal(rig_text(f, "attestedRegion"), "us-east-1");
	assert_non_null(rig_finding(last(g), "ATTESTED_OUT_OF_REGION", 1));
	assert_string_equal(rig_text(last(g), "verdict"), rig_text(before, "verdict"));
	/* A word that no region has contradicts nothing, and is not allowed. */
	assert_int_equal(BRING(g, &audit, .region = "mars-1"), 0);
	assert_int_equal(json_array_size(json_object_get(entry(last(g), 1), "findings")), 1);
	/* Who says no region says nothing that can be compared. */
	assert_int_equal(BRING(g, &audit, .operator_name = "uscloud"), 0);
	assert_int_equal(json_array_size(json_object_get(entry(last(g), 2), "findings")), 0);
	close_stage(g);
}

static void no_more_than(void **state)
{
	struct stage at, *g = told_stage(&at);
	char region[32];

	for (unsigned i = 0; i < WW_PATH_ATTESTED_MAX; i++) {
		snprintf(region, sizeof(region), "eu-%u", i);
		assert_int_equal(BRING(g, &audit, .region = region), 0);
	}
	NOT_TAKEN(g, -ENOSPC, "no more are taken", &audit, .region = "eu-west-1");
	close_stage(g);
}

/* Before the path's first record, and between its revisions: whatever comes later names it. */
static void before_and_between(void **state)
{
	struct stage at = {0}, *g = &at;

	rig_open(&g->rig, policy);
	ask(g, 100, AGENT, 1, EU, "r-1");
	ask(g, 10000, AGENT, 2, US, "r-2");
	go_on(g, 1000);
	assert_int_equal(rig_count(&g->rig, "path"), 0);
	assert_int_equal(BRING(g, &audit, .region = "eu-west-1"), 0);
	assert_string_equal(g->answer.verdict, "");
	assert_int_equal(BRING(g, &audit, .region = "eu-west-1"), 0);
	assert_true(g->answer.repeated);
	go_on(g, 9000);
	assert_int_equal(rig_count(&g->rig, "path"), 1);
	assert_int_equal(json_array_size(json_object_get(last(g), "attested")), 1);
	assert_int_equal(json_integer_value(json_object_get(last(g), "revision")), 1);
	assert_int_equal(BRING(g, &cloud, .region = "us-east-1"), 0);
	assert_int_equal(json_integer_value(json_object_get(last(g), "revision")), 2);
	assert_int_equal(json_array_size(json_object_get(last(g), "attested")), 2);
	go_on(g, 20000);
	ww_pipeline_finish(g->p);
	/* It went to us as well: told anew, with both, each of its own leg. */
	rig_expect(last(g), "VIOLATION", "", NULL);
	assert_true(json_integer_value(json_object_get(last(g), "revision")) > 2);
	assert_int_equal(json_array_size(json_object_get(last(g), "attested")), 2);
	assert_non_null(rig_finding(last(g), "ATTESTED_ELSEWHERE", 1));
	assert_int_equal(BRING(g, &cloud, .subject = "r-2", .region = "us-east-1"), 0);
	assert_int_equal(json_integer_value(json_object_get(entry(last(g), 2), "leg")), 2);
	assert_int_equal(json_array_size(json_object_get(entry(last(g), 2), "findings")), 1);
	close_stage(g);
}

/* The gateway hands the id of the answer on: the attested leg is the one that went out, and the
 * gateway's own path of the same prompt needs to be told apart. */
static void through_a_gateway(void **state)
{
	struct stage at = {0}, *g = &at;
	struct rig *r = &g->rig;
	char more[64];

	rig_open(r, policy);
	rig_connect(r, 100, AGENT, 1, "127.0.0.1", 8443, "gateway.local", RIG_TLS);
	rig_accept(r, 101, GATEWAY, 1001, 1);
	rig_ask(r, 110, 1, "gateway.local", RIG_TRACE "-00f067aa0ba902b7", RIG_PROMPT);
	rig_connect(r, 112, GATEWAY, 2, US, 443, "api-us.example", RIG_TLS);
	rig_ask(r, 120, 2, "api-us.example", RIG_TRACE "-02f067aa0ba902b7", RIG_PROMPT);
	rig_reply(r, 400, 2, "r-up");
	rig_reply(r, 410, 1, "r-up");
	rig_stat(r, 500, 1);
	rig_stat(r, 500, 2);
	go_on(g, 8000);
	ww_pipeline_finish(g->p);
	assert_int_equal(json_array_size(json_object_get(last(g), "legs")), 2);
	NOT_TAKEN(g, -ENOTUNIQ, "several paths", &audit, .subject = "r-up", .region = "eu-west-1");
	snprintf(more, sizeof(more), ",\"path\":\"%s\"", rig_text(last(g), "path"));
	assert_int_equal(BRING(g, &audit, .subject = "r-up", .region = "eu-west-1", .more = more),
			 0);
	assert_int_equal(json_integer_value(json_object_get(entry(last(g), 0), "leg")), 2);
	/* Of us, where that leg is listed; nothing is listed of the gateway. */
	assert_non_null(rig_finding(last(g), "ATTESTED_ELSEWHERE", 2));
	close_stage(g);
}

/* --- without a daemon ---------------------------------------------------------------------------
 */

struct ledger {
	struct ww_buf path, attestation;
	unsigned paths, attestations;
};

static void append(void *ctx, enum ww_record_kind kind, struct ww_slice json)
{
	struct ledger *l = ctx;
	struct ww_buf *b = kind == WW_RECORD_PATH ? &l->path : &l->attestation;

	assert_true(kind == WW_RECORD_PATH || kind == WW_RECORD_ATTESTATION);
	l->paths += kind == WW_RECORD_PATH;
	l->attestations += kind == WW_RECORD_ATTESTATION;
	ww_buf_clear(b);
	assert_int_equal(ww_buf_add(b, json.p, json.n), 0);
}

/* Weeks later, of the ledger alone; and where it was killed between the two records. */
static void of_the_ledger(void **state)
{
	struct stage at, *g = told_stage(&at);
	struct ww_attestations *a;
	struct ww_digest_key key;
	struct ledger l = {0};
	struct ww_attest_answer answer;
	struct ww_clock_map clock = {0};
	struct ww_errtext why;
	struct word w = {.region = "us-east-1"}, x = {.region = "eu-west-1"};
	char one[16384], two[16384], *old[1], *kept;
	struct ww_attest_ask ask = {.now = {NOW_NS}, .verdict_count = 1};

	assert_int_equal(newest(g, old, 1), 1);
	ww_buf_init(&l.path, WW_RECORD_BYTES_MAX);
	ww_buf_init(&l.attestation, WW_RECORD_BYTES_MAX);
	ww_digest_key_init(&key, g->rig.cfg.digest_key);
	ask.verdicts[0] = ww_slice_str(old[0]);
	ask.envelope = envelope_of(&audit, &w, one);
	assert_int_equal(ww_attestations_new(NULL, &key, NULL, &a), 0);
	assert_int_equal(ww_attestations_import(a, &ask, &clock, append, &l, &answer, &why),
			 -ENOKEY);
	assert_int_equal(ww_attestations_of_paths(a, g->rig.policy, NULL), 0);
	assert_int_equal(ww_attestations_import(a, &ask, &clock, append, &l, &answer, &why), 0);
	assert_int_equal(l.paths + l.attestations, 2);
	/* The record of the attestation is there, that of the path is not. */
	kept = strndup((const char *)l.attestation.p, l.attestation.n);
	ask.recorded[0] = ww_slice_str(kept);
	ask.recorded_count = 1;
	ask.envelope = envelope_of(&audit, &x, two);
	assert_int_equal(ww_attestations_import(a, &ask, &clock, append, &l, &answer, &why), 0);
	assert_non_null(memmem(l.path.p, l.path.n, "ATTESTED_ELSEWHERE", 18));
	assert_non_null(memmem(l.path.p, l.path.n, answer.id, strlen(answer.id)));
	ask.envelope = envelope_of(&audit, &w, one);
	assert_int_equal(ww_attestations_import(a, &ask, &clock, append, &l, &answer, &why), 0);
	assert_false(answer.repeated);
	assert_int_equal(l.attestations, 2); /* none for the third */
	/* One of another path, as such, is brought by nobody honest. */
	memset(strstr(kept, "\"path\":\"y-") + 10, '0', 16);
	ask.envelope = envelope_of(&audit, &x, two);
	assert_int_equal(ww_attestations_import(a, &ask, &clock, append, &l, &answer, &why),
			 -EINVAL);
	assert_non_null(strstr(why.text, "no attestation of y-"));
	free(kept);
	free(old[0]);
	ww_buf_done(&l.path);
	ww_buf_done(&l.attestation);
	ww_attestations_free(a);
	close_stage(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused),
		cmocka_unit_test(nobody_may),
		cmocka_unit_test(several_paths),
		cmocka_unit_test(stale),
		cmocka_unit_test(beside),
		cmocka_unit_test(again),
		cmocka_unit_test(elsewhere),
		cmocka_unit_test(no_more_than),
		cmocka_unit_test(before_and_between),
		cmocka_unit_test(of_the_ledger),
		cmocka_unit_test(through_a_gateway),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
