/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/path_attested.h"

#include <errno.h>
#include <stdio.h>

#include "base/encode.h"
#include "ledger/fields.h"

#define LEGS_MAX 64u /* of one id: a gateway's way on, and what was sent again */

#define NAME_(n, t, d) WW_PATH_ATTESTED_##n,
enum { WW_PATH_ATTESTED_FINDINGS(NAME_) FINDINGS };
#undef NAME_
#define NAME_(n, t, d) [WW_PATH_ATTESTED_##n] = (t),
static const char *const finding_names[FINDINGS] = {WW_PATH_ATTESTED_FINDINGS(NAME_)};

/* --- reading ------------------------------------------------------------------------------------
 */

int ww_path_record_read(struct ww_slice json, struct ww_path_record *ret, struct ww_errtext *why)
{
	enum { KIND, ID, T, PATH, REVISION, LEGS, ATTESTED, N };
	struct ww_field f[N] = {
		[KIND] = {.name = "kind", .type = WW_JSON_STRING},
		[ID] = {.name = "id", .type = WW_JSON_STRING},
		[T] = {.name = "t", .type = WW_JSON_STRING},
		[PATH] = {.name = "path", .type = WW_JSON_STRING},
		[REVISION] = {.name = "revision", .type = WW_JSON_NUMBER},
		[LEGS] = {.name = "legs", .type = WW_JSON_ARRAY},
		[ATTESTED] = {.name = "attested", .type = WW_JSON_ARRAY},
	};
	struct ww_path_record rec = {0};
	struct ww_json_token agent;
	uint8_t number[8];
	int r;

	if (ww_json_path(json, "$.agent", &agent, NULL) == WW_PARSE_DONE &&
	    agent.type == WW_JSON_STRING)
		rec.agent = agent.raw;
	r = ww_fields_read(json, "the path", f, N, why);
	if (r < 0)
		return r;
	rec.id = f[ID].token.raw;
	rec.t = f[T].token.raw;
	rec.path = f[PATH].token.raw;
	rec.legs = f[LEGS].text;
	rec.attested = f[ATTESTED].text;
	if (!ww_json_is(&f[KIND].token, "path") || rec.path.n != 18 ||
	    ww_hex_decode(ww_slice_sub(rec.path, 2, 18), number, sizeof(number)) < 0 ||
	    ww_fields_u64(&f[REVISION], &rec.revision) < 0 || rec.revision == 0 ||
	    rec.revision >= UINT32_MAX)
		return ww_errtext_set(why, -EINVAL, "it is no record of a path");
	for (unsigned i = 0; i < sizeof(number); i++)
		rec.number = rec.number << 8 | number[i];
	*ret = rec;
	return 0;
}

int ww_path_record_next(struct ww_json *json, struct ww_path_entry *ret)
{
	static const char *const paths[] = {"$.attestation", "$.attester",    "$.by",
					    "$.subject",     "$.says.region", "$.says.operator"};
	struct ww_json_token first, t[WW_ARRAY_SIZE(paths)];
	struct ww_slice text;
	int r = ww_fields_next(json, &first, &text);

	if (r <= 0)
		return r;
	ww_json_pick(text, paths, WW_ARRAY_SIZE(paths), t);
	*ret = (struct ww_path_entry){t[0], t[1], t[2], t[3], t[4], t[5]};
	return 1;
}

/* --- the leg that it is about -------------------------------------------------------------------
 */

struct leg {
	uint64_t seq, of; /* of 0: it continues none */
	struct ww_slice text;
};

static uint64_t number(const struct ww_json_token *t)
{
	uint64_t v;

	return t->raw.p && ww_json_u64(t, &v) == 0 ? v : 0;
}

/* Those that have the id, and are legs of the path for certain. At most LEGS_MAX. */
static unsigned find_legs(struct ww_slice legs, enum ww_attestation_by by, const char *subject,
			  struct leg *ret)
{
	const char *const paths[] = {"$.seq", "$.of", "$.join",
				     by == WW_ATTESTATION_BY_RESPONSE ? "$.responseId"
								      : "$.requestId"};
	struct ww_json_token first, t[WW_ARRAY_SIZE(paths)];
	struct ww_slice text;
	struct ww_json j;
	unsigned n = 0;

	if (ww_fields_array(legs, &j) < 0)
		return 0;
	while (n < LEGS_MAX && ww_fields_next(&j, &first, &text) == 1) {
		ww_json_pick(text, paths, WW_ARRAY_SIZE(paths), t);
		if (t[3].raw.p && t[3].type == WW_JSON_STRING && ww_json_is(&t[3], subject) &&
		    t[2].raw.p && !ww_json_is(&t[2], "AMBIGUOUS"))
			ret[n++] = (struct leg){number(&t[0]), number(&t[1]), text};
	}
	return n;
}

bool ww_path_record_fits(const struct ww_path_record *r, const struct ww_attestation *a)
{
	struct leg legs[LEGS_MAX];

	if (!a->of_path || (a->place.path[0] && !ww_slice_eq_str(r->path, a->place.path)))
		return false;
	return find_legs(r->legs, a->by, a->subject, legs) > 0;
}

/* The one that no other one of them continues: a gateway hands the id of the answer on to whoever
 * asked it. NULL: they are several, none is picked. */
static const struct leg *last_leg(const struct leg *legs, unsigned count)
{
	const struct leg *last = NULL;

	for (unsigned i = 0; i < count; i++) {
		bool continued = false;

		for (unsigned k = 0; k < count; k++)
			continued |= legs[k].of != 0 && legs[k].of == legs[i].seq;
		if (continued)
			continue;
		if (last)
			return NULL;
		last = &legs[i];
	}
	return last;
}

/* --- what it says beside what is listed ---------------------------------------------------------
 */

static bool true_at(const struct ww_json_token *t)
{
	return t->raw.p && t->type == WW_JSON_TRUE;
}

/* The labels that a leg's record has, those that count. */
static void read_labels(struct ww_slice leg, const struct ww_policy *policy,
			struct ww_placement *ret)
{
	static const char *const paths[] = {"$.region", "$.impossible", "$.early", "$.expired"};
	struct ww_json_token first, t[WW_ARRAY_SIZE(paths)];
	struct ww_slice labels, text;
	struct ww_json j;

	ret->partial = ww_json_path(leg, "$.place.labelsTotal", &first, NULL) == WW_PARSE_DONE;
	if (ww_json_path(leg, "$.place.labels", &first, &labels) != WW_PARSE_DONE ||
	    ww_fields_array(labels, &j) < 0)
		return;
	while (ret->counted < WW_PLACEMENT_LABELS_MAX && ww_fields_next(&j, &first, &text) == 1) {
		ww_json_pick(text, paths, WW_ARRAY_SIZE(paths), t);
		if (!t[0].raw.p || t[0].escaped || true_at(&t[1]) || true_at(&t[2]) ||
		    true_at(&t[3]))
			continue;
		ret->labels[ret->counted++] = (struct ww_placement_label){
			.region = t[0].raw, .regions = ww_policy_regions_of(policy, t[0].raw)};
	}
}

static uint32_t findings_of(const struct ww_path_said *s, const struct leg *leg,
			    const struct ww_policy *policy, const struct ww_policy_agent *agent)
{
	struct ww_slice region = ww_slice_str(s->place.region);
	struct ww_placement pl = {.policy = policy};
	uint32_t findings = 0;

	if (!region.n)
		return 0;
	if (leg)
		read_labels(leg->text, policy, &pl);
	if (ww_policy_compare(policy, &pl, region) == WW_CLAIM_DIFFERENT)
		findings |= 1u << WW_PATH_ATTESTED_ELSEWHERE;
	if (agent && !ww_policy_allows(policy, agent, region))
		findings |= 1u << WW_PATH_ATTESTED_OUT_OF_REGION;
	return findings;
}

void ww_path_say(const struct ww_attestation *a, struct ww_path_said *ret)
{
	*ret = (struct ww_path_said){.by = a->by, .place = a->place, .at = a->attested_at};
	memcpy(ret->id, a->id, sizeof(ret->id));
	memcpy(ret->attester, a->attester->name, sizeof(ret->attester));
	memcpy(ret->subject, a->subject, sizeof(ret->subject));
}

/* --- the record with it -------------------------------------------------------------------------
 */

/* One that is put in. */
struct added {
	const struct ww_path_said *said;
	uint64_t leg; /* 0: of none for certain */
	uint32_t findings;
};

struct copy {
	struct ww_jsonw w;
	struct ww_path_record r;
	const struct ww_policy *policy;
	uint64_t revision; /* 0: as it was */
	unsigned count;
	struct added added[WW_PATH_ATTESTED_MAX];
};

static int is_there(const struct ww_path_record *r, const char *id, bool *ret)
{
	struct ww_path_entry e;
	struct ww_json j;
	int n = ww_fields_array(r->attested, &j);

	*ret = false;
	while (n >= 0 && (n = ww_path_record_next(&j, &e)) == 1)
		*ret |= ww_json_is(&e.id, id);
	return n;
}

static int choose(struct copy *c, const struct ww_path_said *said, unsigned count)
{
	const struct ww_policy_agent *agent =
		c->r.agent.n ? ww_policy_agent_named(c->policy, c->r.agent) : NULL;

	for (unsigned i = 0; i < count; i++) {
		struct leg legs[LEGS_MAX];
		const struct leg *leg;
		bool there;
		int r = is_there(&c->r, said[i].id, &there);

		if (r < 0 || there || c->count == WW_PATH_ATTESTED_MAX) {
			if (r < 0 || !there)
				return r < 0 ? r : -ENOSPC;
			continue;
		}
		leg = last_leg(legs, find_legs(c->r.legs, said[i].by, said[i].subject, legs));
		c->added[c->count++] = (struct added){&said[i], leg ? leg->seq : 0,
						      findings_of(&said[i], leg, c->policy, agent)};
	}
	return 0;
}

static int write_old(struct ww_jsonw *w, const char *key, struct ww_slice array)
{
	struct ww_json_token first;
	struct ww_slice text;
	struct ww_json j;
	int r = ww_fields_array(array, &j);

	ww_jsonw_array(w, key);
	while (r >= 0 && (r = ww_fields_next(&j, &first, &text)) == 1)
		ww_jsonw_raw(w, NULL, text);
	return r;
}

static void write_leg(struct ww_jsonw *w, uint64_t leg)
{
	if (leg)
		ww_jsonw_u64(w, "leg", leg);
}

static int write_findings(struct copy *c, struct ww_slice array)
{
	int r = write_old(&c->w, "findings", array);

	for (unsigned i = 0; i < c->count; i++) {
		const struct added *a = &c->added[i];

		for (unsigned k = 0; k < FINDINGS; k++) {
			if (!(a->findings & 1u << k))
				continue;
			ww_jsonw_object(&c->w, NULL);
			ww_jsonw_cstr(&c->w, "finding", finding_names[k]);
			write_leg(&c->w, a->leg);
			ww_jsonw_cstr(&c->w, "attestation", a->said->id);
			ww_jsonw_cstr(&c->w, "attestedRegion", a->said->place.region);
			ww_jsonw_end_object(&c->w);
		}
	}
	ww_jsonw_end_array(&c->w);
	return r;
}

static void write_added(struct copy *c, const struct added *a)
{
	struct ww_sha256 policy = ww_policy_digest(c->policy);
	char at[WW_RFC3339_MAX];
	struct ww_jsonw *w = &c->w;

	ww_jsonw_object(w, NULL);
	ww_jsonw_cstr(w, "attestation", a->said->id);
	ww_jsonw_cstr(w, "evidence", "E7");
	ww_jsonw_cstr(w, "attester", a->said->attester);
	ww_jsonw_cstr(w, "by", ww_attestation_by_name(a->said->by));
	ww_jsonw_cstr(w, "subject", a->said->subject);
	ww_attestation_write_place(&a->said->place, w);
	ww_wall_rfc3339(a->said->at, at);
	ww_jsonw_cstr(w, "attestedAt", at);
	if (a->leg)
		ww_jsonw_u64(w, "leg", a->leg);
	else
		ww_jsonw_null(w, "leg");
	ww_jsonw_array(w, "findings");
	for (unsigned k = 0; k < FINDINGS; k++) {
		if (a->findings & 1u << k)
			ww_jsonw_cstr(w, NULL, finding_names[k]);
	}
	ww_jsonw_end_array(w);
	ww_jsonw_hex(w, "policy", ww_slice(policy.b, sizeof(policy.b)));
	ww_jsonw_end_object(w);
}

static int write_attested(struct copy *c, struct ww_slice array)
{
	int r = write_old(&c->w, "attested", array);

	for (unsigned i = 0; i < c->count; i++)
		write_added(c, &c->added[i]);
	ww_jsonw_end_array(&c->w);
	return r;
}

static void record_id(const struct copy *c, uint64_t revision, char *out)
{
	char *p = out;

	memcpy(p, c->r.path.p, c->r.path.n);
	p = ww_put_text(p + c->r.path.n, "-");
	ww_put_dec(p, revision);
}

/* One member of the record before, as it was or as it is now. */
static int write_member(struct copy *c, struct ww_slice key, struct ww_slice text)
{
	char name[32], id[48];

	if (key.n >= sizeof(name))
		return -EINVAL;
	memcpy(name, key.p, key.n);
	name[key.n] = '\0';
	if (strcmp(name, "findings") == 0)
		return write_findings(c, text);
	if (strcmp(name, "attested") == 0)
		return write_attested(c, text);
	if (c->revision && strcmp(name, "supersedes") == 0)
		return 0;
	if (c->revision && strcmp(name, "id") == 0) {
		record_id(c, c->revision, id);
		ww_jsonw_cstr(&c->w, "id", id);
	} else if (c->revision && strcmp(name, "revision") == 0) {
		ww_jsonw_u64(&c->w, "revision", c->revision);
	} else {
		ww_jsonw_raw(&c->w, name, text);
	}
	return 0;
}

static int write_members(struct copy *c, struct ww_slice json)
{
	struct ww_json_token t;
	struct ww_json j;
	int r = 0;

	ww_json_init(&j, json);
	if (ww_json_next(&j, &t) != WW_PARSE_DONE || t.type != WW_JSON_OBJECT)
		return -EINVAL;
	while (r == 0 && ww_json_next(&j, &t) == WW_PARSE_DONE && t.type == WW_JSON_KEY) {
		struct ww_slice key = t.raw;
		size_t from;

		if (t.escaped || ww_json_next(&j, &t) != WW_PARSE_DONE)
			return -EINVAL;
		from = t.type == WW_JSON_STRING ? t.at - 1 : t.at;
		if (ww_json_skip(&j, &t) != WW_PARSE_DONE)
			return -EINVAL;
		r = write_member(c, key, ww_slice_sub(json, from, j.at - from));
	}
	return r;
}

int ww_path_attested_write(struct ww_slice json, const struct ww_path_said *said, unsigned count,
			   const struct ww_policy *policy, uint64_t revision, struct ww_buf *out)
{
	struct copy c = {.policy = policy, .revision = revision};
	char id[48];
	int r = ww_path_record_read(json, &c.r, NULL);

	if (r == 0)
		r = choose(&c, said, count);
	if (r < 0)
		return r;
	ww_jsonw_init(&c.w, out);
	ww_jsonw_object(&c.w, NULL);
	r = write_members(&c, json);
	if (revision) {
		record_id(&c, c.r.revision, id);
		ww_jsonw_cstr(&c.w, "supersedes", id);
	}
	ww_jsonw_end_object(&c.w);
	return r < 0 ? r : c.w.err;
}
