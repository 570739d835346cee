/* SPDX-License-Identifier: Apache-2.0 */
/* Attestations beside a judge: before, between and after its verdicts, and what may never come of
 * it. */
#include "daemon/attestations.h"

#include "../judge/scene.h"
#include "../ledger/attest.h"
#include "judge/ruling.h"

static struct attester bank, tax, stranger;
static char yaml[4096], out[16384];

static int set_up(void **state)
{
	bank = attester_new("bank", false);
	tax = attester_new("tax", true);
	stranger = attester_new("bank", false);
	snprintf(
		yaml, sizeof(yaml),
		"%s- tool: notify\n  effect: none\n  attesters: [{name: bank, key: \"%s\"}]\n"
		"- tool: pay\n  effect: network\n"
		"  destinations: [{name: payments.example.com, cidr: [10.77.2.0/24], port: 8443}]\n"
		"  methods: [POST]\n  paths: [/v1/refunds]\n  id_path: $.id\n"
		"  readback: {path: \"/v1/refunds/{id}\", id_path: $.id}\n"
		"  attesters:\n  - {name: bank, key: \"%s\"}\n  - {name: tax, key: \"%s\"}\n",
		CONTRACTS, stranger.base64, bank.base64, tax.base64);
	return 0;
}

static int tear_down(void **state)
{
	attester_done(&bank);
	attester_done(&tax);
	attester_done(&stranger);
	return 0;
}

struct stage {
	struct scene *s;
	struct ww_attestations *a;
	struct ww_attest_answer answer;
	struct ww_errtext why;
	unsigned attestations, verdicts; /* that imports emitted */
	struct ww_buf verdict;           /* the last verdict, whoever wrote it */
	size_t read;                     /* of the scene's own records */
};

static void emitted(void *ctx, enum ww_record_kind kind, struct ww_slice json)
{
	struct stage *g = ctx;

	scene_keep(g->s, json);
	g->attestations += kind == WW_RECORD_ATTESTATION;
	if (kind != WW_RECORD_VERDICT)
		return;
	g->verdicts++;
	ww_buf_clear(&g->verdict);
	assert_int_equal(ww_buf_add(&g->verdict, json.p, json.n), 0);
}

static struct stage open_stage(void)
{
	struct stage g = {.s = scene_open_with(yaml)};

	ww_buf_init(&g.verdict, WW_RECORD_BYTES_MAX);
	assert_int_equal(ww_attestations_new(g.s->contracts, &g.s->key, g.s->judge, &g.a), 0);
	return g;
}

static void close_stage(struct stage *g)
{
	ww_attestations_free(g->a);
	ww_buf_done(&g->verdict);
	scene_close(g->s);
}

/* What the judge said since, each verdict with what was attested put in, as the pipeline does it.
 */
static void judge_until(struct stage *g, uint64_t ms)
{
	WW_AUTO_BUF struct ww_buf with = {0};
	struct scene *s = g->s;
	size_t all = s->all.n;
	struct ww_slice lines, line;

	tick(s, ms);
	s->all.n = all; /* written again below */
	ww_buf_init(&with, WW_RECORD_BYTES_MAX);
	lines = ww_slice_sub(ww_buf_slice(&s->bytes), g->read, s->bytes.n);
	g->read = s->bytes.n;
	while (ww_slice_line(&lines, &line)) {
		int r = 0;

		if (ww_slice_eq_str(kind_of(line), "verdict")) {
			r = ww_attestations_verdict(g->a, line, &with);
			assert_in_range(r, 0, 1);
			line = r ? ww_buf_slice(&with) : line;
			ww_buf_clear(&g->verdict);
			assert_int_equal(ww_buf_add(&g->verdict, line.p, line.n), 0);
		}
		scene_keep(s, line);
	}
}

static int bring(struct stage *g, struct ww_slice envelope, bool with_verdict)
{
	struct ww_attest_ask ask = {.envelope = envelope, .now = wall_ms(g->s->now_ms)};
	char *copy = g->verdict.n ? strndup((const char *)g->verdict.p, g->verdict.n) : NULL;
	int r;

	if (with_verdict && g->verdict.n)
		ask.verdicts[ask.verdict_count++] = ww_slice(copy, g->verdict.n);
	g->why.text[0] = '\0';
	r = ww_attestations_import(g->a, &ask, &g->s->clock, emitted, g, &g->answer, &g->why);
	if (r < 0)
		assert_string_not_equal(g->why.text, "");
	free(copy);
	return r;
}

static bool says(const struct stage *g, const char *path, const char *want)
{
	struct ww_json_token t;

	if (ww_json_path(ww_buf_slice(&g->verdict), path, &t, NULL) != WW_PARSE_DONE)
		return want == NULL;
	if (want && ww_json_is(&t, want))
		return true;
	print_error("%s is %.*s\n", path, (int)t.raw.n, (const char *)t.raw.p);
	return false;
}

#define AT(ms_text) "2026-09-21T14:13:" ms_text "Z" /* the scene's begin is 14:13:20 */

/* A refund by span c1, answered as `status`; judged at 5 s. */
static void refund(struct stage *g, uint16_t status)
{
	struct ww_span p = span_of(g->s, WW_SPAN_TOOL, "pay", "c1", WW_SPAN_OK, 1000, 1500);

	exchange(g->s, (struct call){.from = 1100, .to = 1300, .status = status, .traced = &p},
		 NULL);
	tell(g->s, &p);
}

static void test_after(void **state)
{
	struct stage g = open_stage();

	refund(&g, 201);
	judge_until(&g, 6000);
	assert_true(says(&g, "$.verdict", "CONFIRMED_T1"));
	assert_int_equal(bring(&g, SAY(&bank, out, .tool = "pay", .at = AT("25")), true), 0);
	assert_int_equal(g.attestations, 1);
	assert_int_equal(g.verdicts, 1);
	assert_true(says(&g, "$.verdict", "CONFIRMED_T3"));
	assert_true(says(&g, "$.tier", "T3"));
	assert_true(says(&g, "$.evidence", "E4"));
	assert_true(says(&g, "$.attested.evidence", "E7"));
	assert_true(says(&g, "$.attested.wireVerdict", "CONFIRMED_T1"));
	assert_true(says(&g, "$.attested.attestations[0].attester", "bank"));
	assert_true(says(&g, "$.findings", NULL));
	assert_non_null(memmem(g.verdict.p, g.verdict.n, "; attested by bank: achieved\"", 29));
	/* The same again, also signed anew: nothing. */
	assert_int_equal(bring(&g, SAY(&bank, out, .tool = "pay", .at = AT("25")), true), 0);
	assert_true(g.answer.repeated);
	assert_int_equal(g.attestations, 1);
	assert_int_equal(g.verdicts, 1);
	/* Somebody else denies it: no longer T3, and all of it stands. */
	assert_int_equal(
		bring(&g, SAY(&tax, out, .tool = "pay", .outcome = "not-achieved", .at = AT("26")),
		      true),
		0);
	assert_true(says(&g, "$.verdict", "CONFIRMED_T1"));
	assert_true(says(&g, "$.tier", "T1"));
	assert_true(says(&g, "$.findings[0].finding", "ATTESTED_NOT_ACHIEVED"));
	assert_true(says(&g, "$.attested.attestations[1].attester", "tax"));
	close_stage(&g);
}

/* While it is open: the first verdict has it. */
static void test_before(void **state)
{
	struct stage g = open_stage();

	refund(&g, 201);
	g.s->now_ms = 1600;
	assert_int_equal(bring(&g, SAY(&bank, out, .tool = "pay", .at = AT("22")), true), 0);
	assert_int_equal(g.attestations, 1);
	assert_int_equal(g.verdicts, 0);
	assert_string_equal(g.answer.verdict, "");
	assert_int_equal(bring(&g, SAY(&bank, out, .tool = "pay", .at = AT("22")), true), 0);
	assert_true(g.answer.repeated);
	assert_int_equal(g.attestations, 1);
	judge_until(&g, 6000);
	assert_true(says(&g, "$.verdict", "CONFIRMED_T3"));
	assert_true(says(&g, "$.supersedes", NULL));
	close_stage(&g);
}

/* The judge changes its mind after the attestation: what it says is of the wire, and the column
 * stays. And what was found is too old by then. */
static void test_race(void **state)
{
	struct stage g = open_stage();
	WW_AUTO_BUF struct ww_buf old = {0};

	refund(&g, 201);
	judge_until(&g, 6000);
	ww_buf_init(&old, WW_RECORD_BYTES_MAX);
	assert_int_equal(ww_buf_add(&old, g.verdict.p, g.verdict.n), 0);
	assert_int_equal(bring(&g, SAY(&bank, out, .tool = "pay", .at = AT("25")), true), 0);
	/* The first verdict once more, as an index behind by a commit would find it. */
	ww_buf_clear(&g.verdict);
	assert_int_equal(ww_buf_add(&g.verdict, old.p, old.n), 0);
	assert_int_equal(bring(&g, SAY(&tax, out, .tool = "pay", .at = AT("25")), true), -EAGAIN);
	assert_int_equal(bring(&g, SAY(&tax, out, .tool = "pay", .at = AT("25")), false), -EAGAIN);
	assert_int_equal(g.attestations, 1);
	/* A read-back comes late. */
	exchange(g.s,
		 (struct call){.method = "GET",
			       .target = "/v1/refunds/r_9",
			       .from = 7000,
			       .to = 7100,
			       .status = 200},
		 NULL);
	judge_until(&g, 12000);
	assert_true(says(&g, "$.verdict", "CONFIRMED_T3"));
	assert_true(says(&g, "$.attested.wireVerdict", "CONFIRMED_T2"));
	assert_true(says(&g, "$.evidence", "E6"));
	assert_non_null(
		memmem(g.verdict.p, g.verdict.n, "-2\"}", 4)); /* supersedes the attested one */
	close_stage(&g);
}

/* Beside what the wire denies it is a remark. */
static void test_no_rise(void **state)
{
	struct stage g = open_stage();

	refund(&g, 503);
	judge_until(&g, 6000);
	assert_true(says(&g, "$.verdict", "MASKED_ERROR"));
	assert_int_equal(bring(&g, SAY(&tax, out, .tool = "pay", .at = AT("25")), true), 0);
	assert_true(says(&g, "$.verdict", "MASKED_ERROR"));
	assert_true(says(&g, "$.tier", "T0"));
	assert_true(says(&g, "$.findings[0].finding", "ATTESTED_WITHOUT_WIRE"));
	close_stage(&g);
}

static void expect_refused(struct stage *g, int r, struct ww_slice envelope)
{
	assert_int_equal(bring(g, envelope, true), r);
	assert_int_equal(g->attestations, 0);
	assert_int_equal(g->verdicts, 0);
}

static void test_refused(void **state)
{
	struct stage g = open_stage();

	refund(&g, 201);
	judge_until(&g, 6000);
	/* The key of another tool's attester, under the same name. */
	expect_refused(&g, -ENOKEY, SAY(&stranger, out, .tool = "pay", .at = AT("25")));
	expect_refused(&g, -ENOKEY, SAY(&bank, out, .tool = "notify", .at = AT("25")));
	expect_refused(&g, -ENOKEY, SAY(&bank, out, .tool = "refund", .at = AT("25")));
	expect_refused(&g, -ENOKEY, SAY(&bank, out, .tool = "unknown", .at = AT("25")));
	expect_refused(&g, -ENOENT,
		       SAY(&bank, out, .tool = "pay", .subject = "c2", .at = AT("25")));
	expect_refused(&g, -ENOENT,
		       SAY(&bank, out, .tool = "pay", .by = "action",
			   .subject = "a-0123456789abcdef", .at = AT("25")));
	expect_refused(&g, -ENOENT,
		       SAY(&bank, out, .tool = "pay", .by = "createdId", .subject = "r_8",
			   .at = AT("25")));
	expect_refused(&g, -EINVAL,
		       SAY(&bank, out, .tool = "pay", .at = AT("25"),
			   .more = ",\"log\":\"wirewitness/elsewhere\""));
	expect_refused(&g, -EINVAL, SAY(&bank, out, .tool = "pay", .at = "2026-09-21T14:08:20Z"));
	expect_refused(&g, -EINVAL, SAY(&bank, out, .tool = "pay", .at = "2026-09-21T14:18:30Z"));
	expect_refused(&g, -EINVAL, WW_SLICE_LIT("{}"));
	assert_int_equal(bring(&g,
			       SAY(&bank, out, .tool = "pay", .by = "createdId", .subject = "r_9",
				   .at = AT("25")),
			       true),
			 0);
	assert_true(says(&g, "$.verdict", "CONFIRMED_T3"));
	close_stage(&g);
}

/* Two trees with one call id: nobody guesses. */
static void test_several(void **state)
{
	struct stage g = open_stage();
	struct ww_span p = span_of(g.s, WW_SPAN_TOOL, "pay", "c1", WW_SPAN_OK, 1000, 1500);
	struct ww_span q = span_of(g.s, WW_SPAN_TOOL, "pay", "c1", WW_SPAN_OK, 1000, 1500);

	q.actor = q.root = process(STRANGER);
	memset(q.trace_id, 0xb1, sizeof(q.trace_id));
	exchange(g.s, (struct call){.from = 1100, .to = 1300, .status = 201, .traced = &p}, NULL);
	tell(g.s, &p);
	tell(g.s, &q);
	expect_refused(&g, -ENOTUNIQ, SAY(&bank, out, .tool = "pay", .at = AT("22")));
	judge_until(&g, 14000);
	expect_refused(&g, -ENOTUNIQ, SAY(&bank, out, .tool = "pay", .at = AT("25")));
	close_stage(&g);
}

/* Of every verdict and every set of attestations: only T1 and T2 rise, a denial keeps T3 away, and
 * with fewer attestations nothing that is no confirmation becomes one. */
static void test_monotonic(void **state)
{
#define CASE_(n, v, t, d) WW_VERDICT_##n,
	static const enum ww_verdict all[] = {WW_VERDICTS(CASE_)};

	for (size_t i = 0; i < WW_ARRAY_SIZE(all); i++) {
		bool confirmed =
			all[i] == WW_VERDICT_CONFIRMED_T1 || all[i] == WW_VERDICT_CONFIRMED_T2;

		for (unsigned yes = 0; yes < 3; yes++) {
			for (unsigned no = 0; no < 3; no++) {
				enum ww_verdict v = ww_attest_rule(all[i], yes, no);

				assert_int_equal(v, confirmed && yes && !no
							    ? WW_VERDICT_CONFIRMED_T3
							    : all[i]);
			}
		}
		assert_string_equal(ww_attest_finding(all[i], false), "ATTESTED_NOT_ACHIEVED");
		assert_int_equal(ww_attest_finding(all[i], true) == NULL, confirmed);
	}
}

/* But for the members that say so, the record is the one before, byte by byte. */
static void test_a_copy(void **state)
{
	static const char *const own[] = {"id",       "verdict", "tier",
					  "attested", "summary", "supersedes"};
	struct stage g = open_stage();
	json_t *before, *after;

	refund(&g, 201);
	judge_until(&g, 6000);
	before = json_loadb((const char *)g.verdict.p, g.verdict.n, 0, NULL);
	assert_int_equal(bring(&g, SAY(&bank, out, .tool = "pay", .at = AT("25")), true), 0);
	after = json_loadb((const char *)g.verdict.p, g.verdict.n, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(before);
	assert_non_null(after);
	for (size_t i = 0; i < WW_ARRAY_SIZE(own); i++) {
		json_object_del(before, own[i]);
		json_object_del(after, own[i]);
	}
	assert_true(json_equal(before, after));
	json_decref(before);
	json_decref(after);
	close_stage(&g);
}

/* Who says the same again and again leaves room for who denies it. */
static void test_many(void **state)
{
	struct stage g = open_stage();
	char at[32];

	refund(&g, 201);
	judge_until(&g, 6000);
	for (unsigned i = 0; i <= WW_ATTESTATION_FOR_MAX; i++) {
		snprintf(at, sizeof(at), AT("2%u"), i);
		assert_int_equal(bring(&g, SAY(&bank, out, .tool = "pay", .at = at), true),
				 i ? -EEXIST : 0);
	}
	assert_int_equal(g.attestations, 1);
	assert_int_equal(
		bring(&g, SAY(&tax, out, .tool = "pay", .outcome = "not-achieved", .at = AT("26")),
		      true),
		0);
	assert_true(says(&g, "$.verdict", "CONFIRMED_T1"));
	close_stage(&g);
}

/* --- who holds the log's key and lies about it --------------------------------------------------
 */

enum found { AGREES, DIFFERS, OPEN };

static enum found derived(struct ww_slice records)
{
	WW_AUTO(ww_rederive_free_auto) struct ww_rederive *rd = derive_again(records);
	const struct ww_rederive_result *r = ww_rederive_result(rd);

	return r->differ ? DIFFERS : r->undecided ? OPEN : AGREES;
}

/* The verdicts of the log with `from`, wherever it stands in its records of `kind` (NULL: all),
 * said as `to`; to NULL: without the records that have it. */
static enum found lie(const struct stage *g, const char *kind, const char *from, const char *to)
{
	WW_AUTO_BUF struct ww_buf b = {0};
	struct ww_slice all = ww_buf_slice(&g->s->all), line;
	unsigned changed = 0;

	ww_buf_init(&b, 32u << 20);
	while (ww_slice_line(&all, &line)) {
		bool meant = !kind || ww_slice_eq_str(kind_of(line), kind);
		const uint8_t *at = meant ? memmem(line.p, line.n, from, strlen(from)) : NULL;

		if (at && !to) {
			changed++;
			continue;
		}
		while (at) {
			changed++;
			assert_int_equal(ww_buf_add(&b, line.p, (size_t)(at - line.p)), 0);
			assert_int_equal(ww_buf_add(&b, to, strlen(to)), 0);
			line = ww_slice_sub(line, (size_t)(at - line.p) + strlen(from), line.n);
			at = memmem(line.p, line.n, from, strlen(from));
		}
		assert_int_equal(ww_buf_add(&b, line.p, line.n), 0);
		assert_int_equal(ww_buf_add(&b, "\n", 1), 0);
	}
	if (!changed)
		fail_msg("nothing says %s", from);
	return derived(ww_buf_slice(&b));
}

static void add_line(struct ww_buf *b, struct ww_slice line)
{
	assert_int_equal(ww_buf_add(b, line.p, line.n), 0);
	assert_int_equal(ww_buf_add(b, "\n", 1), 0);
}

/* A denial that the verdict does not name, behind more records than are looked at. */
static void test_flood(void **state)
{
	struct stage g = open_stage();
	WW_AUTO_BUF struct ww_buf b = {0}, denial = {0};
	struct ww_slice all, line;

	refund(&g, 201);
	judge_until(&g, 6000);
	assert_int_equal(
		bring(&g, SAY(&tax, out, .tool = "pay", .outcome = "not-achieved", .at = AT("25")),
		      true),
		0);
	scene_cover(g.s);
	ww_buf_init(&b, 32u << 20);
	ww_buf_init(&denial, WW_RECORD_BYTES_MAX);
	for (all = ww_buf_slice(&g.s->all); ww_slice_line(&all, &line);) {
		if (ww_slice_eq_str(kind_of(line), "attestation"))
			add_line(&denial, line);
	}
	assert_true(denial.n > 0);
	/* The denial stands before the verdict of the wire, and the one that names it is gone. */
	add_line(&b, ww_slice(denial.p, denial.n - 1));
	for (all = ww_buf_slice(&g.s->all); ww_slice_line(&all, &line);) {
		if (!memmem(line.p, line.n, "\"attested\"", 10) &&
		    !ww_slice_eq_str(kind_of(line), "attestation"))
			add_line(&b, line);
	}
	assert_int_equal(derived(ww_buf_slice(&b)), DIFFERS);
	for (unsigned i = 0; i < 1100; i++)
		add_line(&b, ww_slice(denial.p, denial.n - 1));
	assert_int_equal(derived(ww_buf_slice(&b)), OPEN);
	close_stage(&g);
}

static void test_lies(void **state)
{
	struct stage g = open_stage();
	char signature[96], id[WW_ATTESTATION_ID_MAX];
	const char *sig;

	refund(&g, 201);
	judge_until(&g, 6000);
	assert_int_equal(bring(&g, SAY(&bank, out, .tool = "pay", .at = AT("25")), true), 0);
	memcpy(id, g.answer.id, sizeof(id));
	sig = memmem(g.s->all.p, g.s->all.n, "\"sig\":\"", 7);
	assert_non_null(sig);
	snprintf(signature, sizeof(signature), "%.60s", sig + 7);
	scene_cover(g.s);

	assert_int_equal(lie(&g, NULL, "measured", "measured"), AGREES);
	/* A signature, key, name, outcome or time that is not what was signed. */
	assert_int_equal(lie(&g, "attestation", signature,
			     "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
			 DIFFERS);
	assert_int_equal(lie(&g, "verdict", bank.base64, stranger.base64), DIFFERS);
	assert_int_equal(lie(&g, NULL, "\"attester\":\"bank\"", "\"attester\":\"tax\""), DIFFERS);
	assert_int_equal(lie(&g, "verdict", "\"attester\":\"bank\"", "\"attester\":\"tax\""),
			 DIFFERS);
	assert_int_equal(lie(&g, "attestation", "\"achieved\"", "\"not-achieved\""), DIFFERS);
	assert_int_equal(lie(&g, "verdict", "\"achieved\"", "\"not-achieved\""), DIFFERS);
	assert_int_equal(lie(&g, "verdict", ":25.000000000Z\"}]", ":24.000000000Z\"}]"), DIFFERS);
	assert_int_equal(
		lie(&g, "attestation", "\"t\":\"2026-09-21T14:13", "\"t\":\"2026-09-21T14:07"),
		DIFFERS);
	/* The tier without what it takes, and the other way round. */
	assert_int_equal(lie(&g, "verdict", "CONFIRMED_T3", "CONFIRMED_T2"), DIFFERS);
	assert_int_equal(lie(&g, "verdict", "\"tier\":\"T3\"", "\"tier\":\"T1\""), DIFFERS);
	assert_int_equal(lie(&g, "verdict", "\"wireVerdict\":\"CONFIRMED_T1\"",
			     "\"wireVerdict\":\"CONFIRMED_T2\""),
			 DIFFERS);
	assert_int_equal(lie(&g, "verdict", "\"evidence\":\"E7\"", "\"evidence\":\"E6\""), DIFFERS);
	assert_int_equal(
		lie(&g, "verdict", "\"verdict\":\"CONFIRMED_T1\"", "\"verdict\":\"CONFIRMED_T3\""),
		DIFFERS);
	/* Withheld, or of another action: not shown. */
	assert_int_equal(lie(&g, "attestation", id, NULL), OPEN);
	assert_int_equal(lie(&g, "attestation", "\"action\":\"a-", "\"action\":\"a-f"), OPEN);
	close_stage(&g);
}

/* A record of an attestation that the log has. */
static struct ww_slice attestation_of(const struct stage *g)
{
	struct ww_slice all = ww_buf_slice(&g->s->all), line;

	while (ww_slice_line(&all, &line)) {
		if (ww_slice_eq_str(kind_of(line), "attestation"))
			return line;
	}
	fail_msg("nothing was attested");
	return WW_SLICE_NULL;
}

static char *text_of(struct ww_slice s)
{
	char *text = strndup((const char *)s.p, s.n);

	assert_non_null(text);
	return text;
}

/* `tax` denies what `bank` said, in a daemon of later whose contract names these: the ledger has
 * all that it knows. */
static void deny_later(struct stage *g, const char *verdict, const char *attesters)
{
	WW_AUTO(ww_contracts_free_auto) struct ww_contracts *contracts = NULL;
	WW_AUTO(ww_attestations_free_auto) struct ww_attestations *later = NULL;
	struct ww_contract_error error = {0};
	WW_AUTO_FREE char *record = text_of(attestation_of(g));
	struct ww_attest_ask ask = {.now = wall_ms(g->s->now_ms),
				    .verdict_count = 1,
				    .verdicts = {ww_slice_str(verdict)},
				    .recorded_count = 1,
				    .recorded = {ww_slice_str(record)}};
	char text[1024];

	snprintf(text, sizeof(text),
		 "version: 1\ncontracts:\n- tool: pay\n  effect: none\n  attesters: [%s]\n",
		 attesters);
	assert_int_equal(ww_contracts_parse(ww_slice_str(text), &contracts, &error), 0);
	assert_int_equal(ww_attestations_new(contracts, &g->s->key, NULL, &later), 0);
	ask.envelope = SAY(&tax, out, .tool = "pay", .outcome = "not-achieved", .at = AT("26"));
	assert_int_equal(
		ww_attestations_import(later, &ask, &g->s->clock, emitted, g, &g->answer, &g->why),
		0);
	scene_cover(g->s);
	assert_true(says(g, "$.verdict", "CONFIRMED_T1"));
	assert_true(says(g, "$.attested.attestations[0].attester", "bank"));
	assert_true(says(g, "$.attested.attestations[1].attester", "tax"));
	assert_int_equal(derived(ww_buf_slice(&g->s->all)), AGREES);
}

/* An attester who was removed, or has another name now: what was said before is of then, and keeps
 * nobody from denying it. */
static void test_contract_of_later(void **state)
{
	for (unsigned i = 0; i < 4; i++) {
		bool renamed = i & 1, killed = i & 2; /* before the verdict that names it */
		WW_AUTO_FREE char *before = NULL, *after = NULL;
		struct stage g = open_stage();
		char attesters[512];
		int n;

		refund(&g, 201);
		judge_until(&g, 6000);
		before = text_of(ww_buf_slice(&g.verdict));
		assert_int_equal(bring(&g, SAY(&bank, out, .tool = "pay", .at = AT("25")), true),
				 0);
		after = text_of(ww_buf_slice(&g.verdict));
		if (killed)
			g.s->all.n -= g.verdict.n + 1;
		n = snprintf(attesters, sizeof(attesters), "{name: tax, key: \"%s\"}", tax.base64);
		if (renamed)
			snprintf(attesters + n, sizeof(attesters) - (size_t)n,
				 ", {name: till, key: \"%s\"}", bank.base64);
		deny_later(&g, killed ? before : after, attesters);
		close_stage(&g);
	}
}

/* A denial that the verdict leaves out, and one whose remark it leaves out. */
static void test_denial_left_out(void **state)
{
	struct stage g = open_stage();
	char item[256];
	const char *at;

	refund(&g, 201);
	judge_until(&g, 6000);
	assert_int_equal(bring(&g, SAY(&bank, out, .tool = "pay", .at = AT("25")), true), 0);
	assert_int_equal(
		bring(&g, SAY(&tax, out, .tool = "pay", .outcome = "not-achieved", .at = AT("26")),
		      true),
		0);
	scene_cover(g.s);
	at = memmem(g.verdict.p, g.verdict.n, ",{\"attestation\":", 16);
	assert_non_null(at);
	snprintf(item, sizeof(item), "%.*s", (int)((const char *)memchr(at, '}', 200) + 1 - at),
		 at);
	assert_int_equal(lie(&g, "verdict", item, ""), DIFFERS);
	assert_int_equal(lie(&g, "verdict", "ATTESTED_NOT_ACHIEVED", "ATTESTED_WITHOUT_WIRE"),
			 DIFFERS);
	assert_int_equal(lie(&g, "verdict", "ATTESTED_NOT_ACHIEVED", "RETRY"), DIFFERS);
	close_stage(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_after),
		cmocka_unit_test(test_before),
		cmocka_unit_test(test_race),
		cmocka_unit_test(test_no_rise),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_monotonic),
		cmocka_unit_test(test_a_copy),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_denial_left_out),
		cmocka_unit_test(test_contract_of_later),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
