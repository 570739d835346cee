/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/attested.h"

#include <errno.h>
#include <stdio.h>

#include "base/encode.h"
#include "judge/ruling.h"
#include "ledger/fields.h"

#define NAME_(n, v, t, d) [v] = (t),
static const char *const verdict_names[WW_VERDICT_MAX] = {WW_VERDICTS(NAME_)};

/* --- reading ------------------------------------------------------------------------------------
 */

static int verdict_by_name(const struct ww_json_token *t, enum ww_verdict *ret)
{
	for (unsigned i = 0; i < WW_VERDICT_MAX; i++) {
		if (verdict_names[i] && ww_json_is(t, verdict_names[i])) {
			*ret = (enum ww_verdict)i;
			return 0;
		}
	}
	return -EINVAL;
}

static int copy(const struct ww_json_token *t, char *out, size_t cap)
{
	if (t->escaped || t->raw.n == 0 || t->raw.n >= cap)
		return -EINVAL;
	memcpy(out, t->raw.p, t->raw.n);
	out[t->raw.n] = '\0';
	return 0;
}

static int read_item(const struct ww_field *f, struct ww_attested_item *it)
{
	int r = copy(&f[0].token, it->id, sizeof(it->id));

	if (r == 0)
		r = copy(&f[1].token, it->attester, sizeof(it->attester));
	if (r == 0)
		r = copy(&f[3].token, it->at, sizeof(it->at));
	if (r < 0)
		return r;
	if (ww_json_is(&f[2].token, ww_attestation_outcome_name(WW_ATTESTATION_ACHIEVED)))
		it->outcome = WW_ATTESTATION_ACHIEVED;
	else if (ww_json_is(&f[2].token, ww_attestation_outcome_name(WW_ATTESTATION_NOT_ACHIEVED)))
		it->outcome = WW_ATTESTATION_NOT_ACHIEVED;
	else
		return -EINVAL;
	return 0;
}

static int read_items(struct ww_slice array, struct ww_attested *ret, struct ww_errtext *why)
{
	struct ww_json_token t;
	struct ww_slice text;
	struct ww_json j;
	int r = ww_fields_array(array, &j);

	while (r >= 0) {
		struct ww_field f[] = {
			{.name = "attestation", .type = WW_JSON_STRING},
			{.name = "attester", .type = WW_JSON_STRING},
			{.name = "outcome", .type = WW_JSON_STRING},
			{.name = "attestedAt", .type = WW_JSON_STRING},
		};

		r = ww_fields_next(&j, &t, &text);
		if (r <= 0)
			return r;
		r = ww_fields_read(text, "an attestation", f, WW_ARRAY_SIZE(f), why);
		if (r < 0)
			return r;
		if (ret->count == WW_ATTESTATION_FOR_MAX ||
		    read_item(f, &ret->items[ret->count]) < 0)
			return ww_errtext_set(why, -EINVAL, "what was attested cannot be read");
		ret->count++;
	}
	return r;
}

static int read_column(struct ww_slice text, struct ww_attested_verdict *v, struct ww_errtext *why)
{
	struct ww_field f[] = {
		{.name = "wireVerdict", .type = WW_JSON_STRING},
		{.name = "wireSummary", .type = WW_JSON_STRING},
		{.name = "attestations", .type = WW_JSON_ARRAY},
	};
	int r = ww_fields_read(text, "what was attested", f, WW_ARRAY_SIZE(f), why);

	if (r == 0 && verdict_by_name(&f[0].token, &v->wire) < 0)
		return ww_errtext_set(why, -EINVAL, "the verdict of the wire is not understood");
	if (r == 0)
		v->summary = f[1].token.raw;
	return r < 0 ? r : read_items(f[2].text, &v->before, why);
}

/* Strings of their own type or null. */
static struct ww_slice text_at(struct ww_slice json, const char *path)
{
	struct ww_json_token t;

	if (ww_json_path(json, path, &t, NULL) != WW_PARSE_DONE || t.type != WW_JSON_STRING)
		return WW_SLICE_NULL;
	return t.raw;
}

int ww_attested_read(struct ww_slice verdict, struct ww_attested_verdict *ret,
		     struct ww_errtext *why)
{
	enum { KIND, ID, T, ACTION, VERDICT, SUMMARY, CONTROL, ATTESTED, N };
	struct ww_field f[N] = {
		[KIND] = {.name = "kind", .type = WW_JSON_STRING},
		[ID] = {.name = "id", .type = WW_JSON_STRING},
		[T] = {.name = "t", .type = WW_JSON_STRING},
		[ACTION] = {.name = "action", .type = WW_JSON_STRING},
		[VERDICT] = {.name = "verdict", .type = WW_JSON_STRING},
		[SUMMARY] = {.name = "summary", .type = WW_JSON_STRING},
		[CONTROL] = {.name = "control", .type = WW_JSON_OBJECT, .optional = true},
		[ATTESTED] = {.name = "attested", .type = WW_JSON_OBJECT, .optional = true},
	};
	struct ww_attested_verdict v = {0};
	struct ww_json_token terms;
	int r = ww_fields_read(verdict, "the verdict", f, N, why);

	if (r < 0)
		return r;
	if (!ww_json_is(&f[KIND].token, "verdict") || f[CONTROL].found ||
	    verdict_by_name(&f[VERDICT].token, &v.wire) < 0)
		return ww_errtext_set(why, -EINVAL, "it is no verdict on an action");
	v.id = f[ID].token.raw;
	v.t = f[T].token.raw;
	v.action = f[ACTION].token.raw;
	v.summary = f[SUMMARY].token.raw;
	v.tool = text_at(verdict, "$.tool");
	v.tool_call_id = text_at(verdict, "$.toolCallId");
	v.id_digest = text_at(verdict, "$.wire.idDigest");
	if (ww_json_path(verdict, "$.grounds.terms", &terms, &v.terms) != WW_PARSE_DONE)
		v.terms = WW_SLICE_NULL;
	if (f[ATTESTED].found)
		r = read_column(f[ATTESTED].text, &v, why);
	v.pending = v.wire == WW_VERDICT_PENDING;
	if (r == 0)
		*ret = v;
	return r;
}

/* Records escape what JSON must have escaped: compared as it would stand there. */
static bool says(struct ww_slice raw, const char *text)
{
	struct ww_json_token t = {
		.type = WW_JSON_STRING, .raw = raw, .escaped = raw.n && memchr(raw.p, '\\', raw.n)};

	return raw.p && ww_json_is(&t, text);
}

bool ww_attested_fits(const struct ww_attested_verdict *v, const struct ww_attestation *a,
		      const struct ww_digest_key *key)
{
	char hex[2 * WW_SHA256_LEN + 1];
	struct ww_sha256 d;

	if (a->of_path || !says(v->tool, a->tool))
		return false;
	switch (a->by) {
	case WW_ATTESTATION_BY_ACTION:
		return says(v->action, a->subject);
	case WW_ATTESTATION_BY_CALL:
		return says(v->tool_call_id, a->subject);
	default:
		if (!key)
			return v->id_digest.p != NULL;
		ww_digest(key, ww_slice_str(a->subject), &d);
		ww_hex_encode(ww_slice(d.b, sizeof(d.b)), hex);
		return says(v->id_digest, hex);
	}
}

/* --- the column ---------------------------------------------------------------------------------
 */

struct ww_attested_item *ww_attested_find(struct ww_attested *all, const char *id)
{
	for (unsigned i = 0; i < all->count; i++) {
		if (strcmp(all->items[i].id, id) == 0)
			return &all->items[i];
	}
	return NULL;
}

int ww_attested_add(struct ww_attested *all, const struct ww_attestation *a)
{
	struct ww_attested_item *it = &all->items[all->count];

	if (ww_attested_find(all, a->id))
		return 0;
	if (all->count == WW_ATTESTATION_FOR_MAX)
		return -ENOSPC;
	memcpy(it->id, a->id, sizeof(it->id));
	memcpy(it->attester, a->attester->name, sizeof(it->attester));
	it->outcome = a->outcome;
	ww_wall_rfc3339(a->attested_at, it->at);
	all->count++;
	return 0;
}

enum ww_verdict ww_attested_rule(const struct ww_attested *all, enum ww_verdict wire)
{
	unsigned achieved = 0;

	for (unsigned i = 0; i < all->count; i++)
		achieved += all->items[i].outcome == WW_ATTESTATION_ACHIEVED;
	return ww_attest_rule(wire, achieved, all->count - achieved);
}

const char *ww_attested_finding(const struct ww_attested_item *it, enum ww_verdict wire)
{
	return ww_attest_finding(wire, it->outcome == WW_ATTESTATION_ACHIEVED);
}

bool ww_attested_finds(struct ww_slice name)
{
	return ww_slice_starts(name, WW_SLICE_LIT("ATTESTED_"));
}

static void write_column(struct ww_jsonw *w, const struct ww_attested_verdict *v,
			 const struct ww_attested *all, struct ww_slice quoted_summary)
{
	ww_jsonw_object(w, "attested");
	ww_jsonw_cstr(w, "evidence", "E7");
	ww_jsonw_cstr(w, "wireVerdict", verdict_names[v->wire]);
	ww_jsonw_raw(w, "wireSummary", quoted_summary);
	ww_jsonw_array(w, "attestations");
	for (unsigned i = 0; i < all->count; i++) {
		const struct ww_attested_item *it = &all->items[i];

		ww_jsonw_object(w, NULL);
		ww_jsonw_cstr(w, "attestation", it->id);
		ww_jsonw_cstr(w, "attester", it->attester);
		ww_jsonw_cstr(w, "outcome", ww_attestation_outcome_name(it->outcome));
		ww_jsonw_cstr(w, "attestedAt", it->at);
		ww_jsonw_end_object(w);
	}
	ww_jsonw_end_array(w);
	ww_jsonw_end_object(w);
}

/* --- the record with it -------------------------------------------------------------------------
 */

struct copy {
	struct ww_jsonw w;
	struct ww_attested_verdict v;
	const struct ww_attested *all;
	enum ww_verdict verdict;
	const char *id;
	struct ww_buf summary; /* that of the wire, quoted */
	bool findings;         /* they were written */
};

static void write_own_findings(struct copy *c)
{
	for (unsigned i = 0; i < c->all->count; i++) {
		const struct ww_attested_item *it = &c->all->items[i];
		const char *finding = ww_attested_finding(it, c->v.wire);

		if (!finding)
			continue;
		ww_jsonw_object(&c->w, NULL);
		ww_jsonw_cstr(&c->w, "finding", finding);
		ww_jsonw_cstr(&c->w, "attestation", it->id);
		ww_jsonw_end_object(&c->w);
	}
}

static bool any_finding(const struct copy *c)
{
	for (unsigned i = 0; i < c->all->count; i++) {
		if (ww_attested_finding(&c->all->items[i], c->v.wire))
			return true;
	}
	return false;
}

/* The others first, as they were; `array` may be empty. */
static int write_findings(struct copy *c, struct ww_slice array)
{
	struct ww_json_token t, name;
	struct ww_slice text;
	bool open = false;
	struct ww_json j;
	int r = array.n ? ww_fields_array(array, &j) : 0;

	c->findings = true;
	while (array.n && r >= 0 && (r = ww_fields_next(&j, &t, &text)) == 1) {
		if (ww_json_path(text, "$.finding", &name, NULL) == WW_PARSE_DONE &&
		    ww_attested_finds(name.raw))
			continue;
		if (!open)
			ww_jsonw_array(&c->w, "findings");
		open = true;
		ww_jsonw_raw(&c->w, NULL, text);
	}
	if (r < 0)
		return r;
	if (!open && !any_finding(c))
		return 0;
	if (!open)
		ww_jsonw_array(&c->w, "findings");
	write_own_findings(c);
	ww_jsonw_end_array(&c->w);
	return 0;
}

static int write_summary(struct copy *c)
{
	WW_AUTO_BUF struct ww_buf b = {0};
	int r;

	ww_buf_init(&b, WW_RECORD_BYTES_MAX);
	r = ww_buf_add(&b, c->summary.p, c->summary.n - 1);
	for (unsigned i = 0; i < c->all->count && r == 0; i++) {
		const struct ww_attested_item *it = &c->all->items[i];
		char text[WW_ATTESTER_NAME_MAX + 48];
		int n = snprintf(text, sizeof(text), "; attested by %s: %s", it->attester,
				 ww_attestation_outcome_name(it->outcome));

		r = ww_buf_add(&b, text, (size_t)n);
	}
	if (r == 0)
		r = ww_buf_add(&b, "\"", 1);
	if (r == 0)
		ww_jsonw_raw(&c->w, "summary", ww_buf_slice(&b));
	return r;
}

static const char *tier_of(const struct copy *c)
{
	if (c->verdict == WW_VERDICT_CONFIRMED_T3)
		return "T3";
	if (c->v.wire == WW_VERDICT_CONFIRMED_T1)
		return "T1";
	return c->v.wire == WW_VERDICT_CONFIRMED_T2 ? "T2" : NULL;
}

/* One member of the record before, as it was or as it is now. */
static int write_member(struct copy *c, const char *key, struct ww_slice text)
{
	struct ww_jsonw *w = &c->w;
	const char *tier = tier_of(c);
	int r = 0;

	if (strcmp(key, "tool") == 0 && !c->findings)
		r = write_findings(c, WW_SLICE_NULL);
	if (r < 0 || strcmp(key, "attested") == 0 || (c->id && strcmp(key, "supersedes") == 0))
		return r;
	if (strcmp(key, "findings") == 0)
		return write_findings(c, text);
	if (strcmp(key, "summary") == 0)
		return write_summary(c);
	if (strcmp(key, "id") == 0 && c->id)
		ww_jsonw_cstr(w, "id", c->id);
	else if (strcmp(key, "verdict") == 0)
		ww_jsonw_cstr(w, "verdict", verdict_names[c->verdict]);
	else if (strcmp(key, "tier") == 0 && tier)
		ww_jsonw_cstr(w, "tier", tier);
	else
		ww_jsonw_raw(w, key, text);
	if (strcmp(key, "wire") == 0)
		write_column(w, &c->v, c->all, ww_buf_slice(&c->summary));
	return 0;
}

static int write_members(struct copy *c, struct ww_slice verdict)
{
	struct ww_json_token t;
	struct ww_json j;
	int r = 0;

	ww_json_init(&j, verdict);
	if (ww_json_next(&j, &t) != WW_PARSE_DONE || t.type != WW_JSON_OBJECT)
		return -EINVAL;
	while (r == 0 && ww_json_next(&j, &t) == WW_PARSE_DONE && t.type == WW_JSON_KEY) {
		char key[32];
		size_t from;

		r = copy(&t, key, sizeof(key));
		if (r < 0 || ww_json_next(&j, &t) != WW_PARSE_DONE)
			return -EINVAL;
		from = t.type == WW_JSON_STRING ? t.at - 1 : t.at;
		if (ww_json_skip(&j, &t) != WW_PARSE_DONE)
			return -EINVAL;
		r = write_member(c, key, ww_slice_sub(verdict, from, j.at - from));
	}
	return r;
}

static int keep_summary(struct copy *c)
{
	int r = ww_buf_add(&c->summary, "\"", 1);

	if (r == 0)
		r = ww_buf_add(&c->summary, c->v.summary.p, c->v.summary.n);
	return r < 0 ? r : ww_buf_add(&c->summary, "\"", 1);
}

static int write_copy(struct copy *c, struct ww_slice verdict)
{
	char old[64];
	int r = keep_summary(c);

	if (r < 0)
		return r;
	ww_jsonw_object(&c->w, NULL);
	r = write_members(c, verdict);
	if (r == 0 && c->id) {
		if (c->v.id.n >= sizeof(old))
			return -EINVAL;
		memcpy(old, c->v.id.p, c->v.id.n);
		old[c->v.id.n] = '\0';
		ww_jsonw_cstr(&c->w, "supersedes", old);
	}
	ww_jsonw_end_object(&c->w);
	return r < 0 ? r : c->w.err;
}

int ww_attested_write(struct ww_slice verdict, const struct ww_attested *all, const char *id,
		      struct ww_buf *out)
{
	struct copy c = {.all = all, .id = id};
	struct ww_errtext why;
	int r = ww_attested_read(verdict, &c.v, &why);

	if (r < 0)
		return r;
	c.verdict = ww_attested_rule(all, c.v.wire);
	ww_buf_init(&c.summary, WW_RECORD_BYTES_MAX);
	ww_jsonw_init(&c.w, out);
	r = write_copy(&c, verdict);
	ww_buf_done(&c.summary);
	return r;
}
