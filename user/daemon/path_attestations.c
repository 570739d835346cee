/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/path_attestations.h"

#include <errno.h>
#include <stdio.h>

#include "base/encode.h"
#include "base/hash.h"
#include "judge/path_write.h"
#include "ledger/fields.h"

struct held {
	uint64_t number; /* of the path */
	unsigned count;
	struct ww_path_said said[WW_PATH_ATTESTED_MAX];
	UT_hash_handle hh;
};

struct ww_path_attestations {
	const struct ww_policy *policy;
	const struct ww_digest_key *key;
	struct ww_paths *paths;
	struct held *held; /* by path */
	struct ww_buf record, revised;
};

int ww_path_attestations_new(const struct ww_policy *policy, const struct ww_digest_key *key,
			     struct ww_paths *paths, struct ww_path_attestations **ret)
{
	struct ww_path_attestations *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->policy = policy;
	p->key = key;
	p->paths = paths;
	ww_buf_init(&p->record, WW_RECORD_BYTES_MAX);
	ww_buf_init(&p->revised, WW_RECORD_BYTES_MAX);
	*ret = p;
	return 0;
}

static void drop(struct ww_path_attestations *p, struct held *h)
{
	HASH_DELETE(hh, p->held, h);
	free(h);
}

void ww_path_attestations_free(struct ww_path_attestations *p)
{
	struct held *h, *next;

	if (!p)
		return;
	HASH_ITER (hh, p->held, h, next)
		drop(p, h);
	ww_buf_done(&p->record);
	ww_buf_done(&p->revised);
	free(p);
}

/* --- what is held -------------------------------------------------------------------------------
 */

static struct held *held_of(const struct ww_path_attestations *p, uint64_t number)
{
	struct held *h = NULL;

	HASH_FIND(hh, p->held, &number, sizeof(number), h);
	return h;
}

/* Paths that are forgotten get no further record. */
static void expire(struct ww_path_attestations *p)
{
	struct held *h, *next;

	HASH_ITER (hh, p->held, h, next) {
		if (!ww_paths_get(p->paths, h->number))
			drop(p, h);
	}
}

static int hold(struct ww_path_attestations *p, uint64_t number, const struct ww_path_said *said,
		unsigned count)
{
	struct held *h = held_of(p, number);

	if (!h) {
		expire(p);
		if (HASH_COUNT(p->held) >= WW_PATH_ATTESTATIONS_HELD_MAX)
			return -ENOSPC;
		h = calloc(1, sizeof(*h));
		if (!h)
			return -ENOMEM;
		h->number = number;
		HASH_ADD(hh, p->held, number, sizeof(h->number), h);
		if (!h->hh.tbl) {
			free(h);
			return -ENOMEM;
		}
	}
	memcpy(h->said, said, count * sizeof(*said));
	h->count = count;
	return 0;
}

int ww_path_attestations_record(struct ww_path_attestations *p, struct ww_slice json,
				struct ww_buf *out)
{
	struct ww_path_record rec;
	const struct held *h;
	int r;

	if (!p->held || ww_path_record_read(json, &rec, NULL) < 0)
		return 0;
	h = held_of(p, rec.number);
	if (!h)
		return 0;
	ww_buf_clear(out);
	r = ww_path_attested_write(json, h->said, h->count, p->policy, 0, out);
	return r < 0 ? r : 1;
}

/* --- what it is about ---------------------------------------------------------------------------
 */

struct import {
	struct ww_path_attestations *p;
	const struct ww_attest_ask *ask;
	struct ww_attestation *at;
	char path[WW_PATH_ID_MAX];
	uint64_t number;
	const struct ww_leg_path *held; /* NULL: not any more */
	struct ww_slice record;         /* its newest; empty: none yet */
	struct ww_path_record rec;      /* that, read */
	unsigned count;
	struct ww_path_said said[WW_PATH_ATTESTED_MAX]; /* all that is known of it and that the
							   record may not name */
	unsigned named;                                 /* that the record names */
	bool recorded;                                  /* the attestation has its record */
};

/* True: it is another path than the one before. */
static bool is_another(struct import *im, uint64_t number)
{
	if (im->path[0])
		return im->number != number;
	im->number = number;
	ww_path_id(number, 0, im->path);
	return false;
}

static int look_at_held(struct import *im)
{
	bool response = im->at->by == WW_ATTESTATION_BY_RESPONSE;
	const struct ww_leg_path *x = NULL;

	while (im->p->paths &&
	       (x = ww_paths_with(im->p->paths, response, im->at->subject, x)) != NULL) {
		char id[WW_PATH_ID_MAX];

		ww_path_id(x->id, 0, id);
		if (im->at->place.path[0] && strcmp(id, im->at->place.path) != 0)
			continue;
		if (is_another(im, x->id))
			return -ENOTUNIQ;
	}
	return 0;
}

static int look_at_records(struct import *im, struct ww_errtext *why)
{
	for (unsigned i = 0; i < im->ask->verdict_count; i++) {
		struct ww_path_record rec;
		int r = ww_path_record_read(im->ask->verdicts[i], &rec, why);

		if (r < 0)
			return r;
		if (!ww_path_record_fits(&rec, im->at))
			continue;
		if (is_another(im, rec.number))
			return -ENOTUNIQ;
		if (im->record.p)
			return ww_errtext_set(why, -EINVAL, "two records of one path were found");
		im->record = im->ask->verdicts[i];
		im->rec = rec;
	}
	return 0;
}

static int find_path(struct import *im, struct ww_errtext *why)
{
	const char *by = ww_attestation_by_name(im->at->by);
	int r = look_at_held(im);

	if (r == 0)
		r = look_at_records(im, why);
	if (r == -ENOTUNIQ)
		return ww_errtext_set(why, r, "several paths have a leg of this %s", by);
	if (r < 0)
		return r;
	if (!im->path[0])
		return ww_errtext_set(why, -ENOENT, "no path is known by this %s", by);
	im->held = im->p->paths ? ww_paths_get(im->p->paths, im->number) : NULL;
	if (im->held && im->held->revision &&
	    (!im->record.p || im->rec.revision != im->held->revision))
		return ww_errtext_set(why, -EAGAIN, "a newer record of %s is on its way", im->path);
	return 0;
}

/* --- whether it counts --------------------------------------------------------------------------
 */

static int check_who(struct import *im, struct ww_errtext *why)
{
	const struct ww_policy *policy = im->p->policy;
	const char *log = im->ask->log ? im->ask->log : "";
	int r;

	if (!policy || !policy->attester_count)
		return ww_errtext_set(why, -ENOKEY, "no policy names an attester of paths");
	r = ww_attestation_verify(im->at, policy->attesters, policy->attester_count);
	if (r == -ENOKEY)
		return ww_errtext_set(why, r, "it is not signed by an attester of the policy");
	if (r == 0 && im->at->log[0] && strcmp(im->at->log, log) != 0)
		return ww_errtext_set(why, -EINVAL, "it is for the log %.128s", im->at->log);
	return r < 0 ? r : ww_attestation_current(im->at, im->ask->now, why);
}

/* The request must have been sent by then. */
static int check_begin(const struct import *im, const struct ww_clock_map *clock,
		       struct ww_errtext *why)
{
	struct ww_attestation processed = *im->at;
	struct ww_wall begun = {0};
	int r;

	if (im->record.p) {
		if (ww_wall_parse(im->rec.t, &begun) < 0)
			return ww_errtext_set(why, -EINVAL, "its record has no time");
	} else {
		begun = ww_clock_wall(clock, im->held->first);
	}
	r = ww_attestation_begun(im->at, begun, why);
	processed.attested_at = im->at->place.processed_at;
	if (r == 0 && processed.attested_at.ns && ww_attestation_begun(&processed, begun, NULL) < 0)
		r = ww_errtext_set(why, -EINVAL, "it says a time before the path began");
	return r;
}

static int add(struct import *im, const struct ww_attestation *at)
{
	for (unsigned i = 0; i < im->count; i++) {
		if (strcmp(im->said[i].id, at->id) == 0)
			return 0;
	}
	if (im->count + im->named == WW_PATH_ATTESTED_MAX)
		return -ENOSPC;
	ww_path_say(at, &im->said[im->count++]);
	return 0;
}

/* The same word of the same attester about the same request adds nothing, and takes room. */
static int said_already(const struct import *im, const char *id, struct ww_errtext *why)
{
	return ww_errtext_set(why, -EEXIST, "%s said this of %s already, in %.32s",
			      im->at->attester->name, im->path, id);
}

static bool is_or_absent(const struct ww_json_token *t, const char *text)
{
	if (!text[0])
		return t->raw.p == NULL || t->type == WW_JSON_NULL;
	return t->raw.p && t->type == WW_JSON_STRING && ww_json_is(t, text);
}

/* What the record names already. */
static int look_at_named(struct import *im, bool *ret_repeated, struct ww_errtext *why)
{
	const struct ww_attestation *at = im->at;
	struct ww_path_entry e;
	struct ww_json j;
	int r = ww_fields_array(im->rec.attested, &j);

	while (r >= 0 && (r = ww_path_record_next(&j, &e)) == 1) {
		im->named++;
		if (!e.id.raw.p || !e.attester.raw.p || !e.by.raw.p || !e.subject.raw.p)
			return ww_errtext_set(why, -EINVAL, "what was attested cannot be read");
		if (ww_json_is(&e.id, at->id)) {
			*ret_repeated = true;
		} else if (ww_json_is(&e.attester, at->attester->name) &&
			   ww_json_is(&e.by, ww_attestation_by_name(at->by)) &&
			   ww_json_is(&e.subject, at->subject) &&
			   is_or_absent(&e.region, at->place.region) &&
			   is_or_absent(&e.operator_name, at->place.operator_name)) {
			return said_already(im, "an attestation that its record names", why);
		}
	}
	return r;
}

static int look_at_said(const struct import *im, const struct held *h, bool *ret_repeated,
			struct ww_errtext *why)
{
	const struct ww_attestation *at = im->at;

	for (unsigned i = 0; h && i < h->count; i++) {
		const struct ww_path_said *s = &h->said[i];

		if (strcmp(s->id, at->id) == 0)
			*ret_repeated = true;
		else if (strcmp(s->attester, at->attester->name) == 0 && s->by == at->by &&
			 strcmp(s->subject, at->subject) == 0 &&
			 strcmp(s->place.region, at->place.region) == 0 &&
			 strcmp(s->place.operator_name, at->place.operator_name) == 0)
			return said_already(im, s->id, why);
	}
	return 0;
}

static bool is_named(const struct import *im, struct ww_slice id)
{
	struct ww_path_entry e;
	struct ww_json j;

	if (!im->record.p || ww_fields_array(im->rec.attested, &j) < 0)
		return false;
	while (ww_path_record_next(&j, &e) == 1) {
		if (ww_slice_eq(e.id.raw, id))
			return true;
	}
	return false;
}

/* Recorded, and in no record of the path yet: the daemon was stopped between the two. Who is named
 * by the policy no more speaks no more. */
static int add_recorded(struct import *im, struct ww_slice json, struct ww_errtext *why)
{
	const struct ww_policy *by = im->p->policy;
	struct ww_attestation_record rec;
	struct ww_attestation at;
	int r = ww_attestation_record_read(json, &rec, why);

	if (r == 0 && !ww_slice_eq_str(rec.path, im->path))
		r = ww_errtext_set(why, -EINVAL, "a record is no attestation of %s", im->path);
	if (r < 0 || is_named(im, rec.id))
		return r;
	r = ww_attestation_parse(rec.envelope, &at, why);
	if (r < 0)
		return r;
	r = ww_attestation_verify(&at, by->attesters, by->attester_count);
	if (r == 0 && at.of_path && ww_slice_eq_str(rec.id, at.id)) {
		im->recorded |= strcmp(at.id, im->at->id) == 0;
		r = add(im, &at);
	} else if (r == -ENOKEY) {
		r = 0;
	} else if (r == 0) {
		r = ww_errtext_set(why, -EINVAL, "a record is no attestation of %s", im->path);
	}
	ww_attestation_done(&at);
	return r;
}

static int gather(struct import *im, bool *ret_repeated, struct ww_errtext *why)
{
	const struct held *h = held_of(im->p, im->number);
	int r = 0;

	*ret_repeated = false;
	if (im->record.p)
		r = look_at_named(im, ret_repeated, why);
	if (r == 0)
		r = look_at_said(im, h, ret_repeated, why);
	if (r < 0 || *ret_repeated)
		return r;
	for (unsigned i = 0; h && i < h->count; i++) {
		if (!is_named(im, ww_slice_str(h->said[i].id)))
			im->said[im->count++] = h->said[i];
	}
	for (unsigned i = 0; i < im->ask->recorded_count && r == 0; i++)
		r = add_recorded(im, im->ask->recorded[i], why);
	if (r == 0)
		r = add(im, im->at);
	if (r == -ENOSPC)
		return ww_errtext_set(why, r, "%s has %u attestations: no more are taken", im->path,
				      WW_PATH_ATTESTED_MAX);
	return r;
}

/* --- what comes of it ---------------------------------------------------------------------------
 */

static int make_record(struct import *im)
{
	struct ww_jsonw w;

	ww_buf_clear(&im->p->record);
	ww_jsonw_init(&w, &im->p->record);
	ww_attestation_write(im->at, im->path, im->ask->now, im->p->key, &w);
	return w.err;
}

static int make_revision(struct import *im, struct ww_attest_answer *ret)
{
	ww_path_id(im->number, (uint32_t)im->rec.revision + 1, ret->verdict);
	ww_buf_clear(&im->p->revised);
	return ww_path_attested_write(im->record, im->said, im->count, im->p->policy,
				      im->rec.revision + 1, &im->p->revised);
}

/* What its later records have to name: all, also what the one before names. */
static int keep(struct import *im)
{
	struct held *h = held_of(im->p, im->number);
	struct ww_path_said all[WW_PATH_ATTESTED_MAX];
	unsigned n = 0;

	for (unsigned i = 0; h && i < h->count; i++)
		all[n++] = h->said[i];
	for (unsigned i = 0; i < im->count; i++) {
		unsigned k = 0;

		while (k < n && strcmp(all[k].id, im->said[i].id) != 0)
			k++;
		if (k == n && n < WW_PATH_ATTESTED_MAX)
			all[n++] = im->said[i];
	}
	return hold(im->p, im->number, all, n);
}

static int take(struct import *im, const struct ww_clock_map *clock, ww_record_fn emit, void *ctx,
		struct ww_attest_answer *ret, struct ww_errtext *why)
{
	int r = check_begin(im, clock, why);

	if (r == 0)
		r = gather(im, &ret->repeated, why);
	if (r < 0 || ret->repeated)
		return r;
	r = make_record(im);
	if (r == 0 && im->record.p)
		r = make_revision(im, ret);
	if (r == 0 && im->held)
		r = keep(im);
	if (r < 0)
		return ww_errtext_set(why, r, "it cannot be recorded");
	if (!im->recorded)
		emit(ctx, WW_RECORD_ATTESTATION, ww_buf_slice(&im->p->record));
	if (!im->record.p) /* its first record names it */
		return 0;
	if (im->held)
		ww_paths_revised(im->p->paths, im->number);
	emit(ctx, WW_RECORD_PATH, ww_buf_slice(&im->p->revised));
	return 0;
}

int ww_path_attestations_import(struct ww_path_attestations *p, struct ww_attestation *at,
				const struct ww_attest_ask *ask, const struct ww_clock_map *clock,
				ww_record_fn emit, void *ctx, struct ww_attest_answer *ret,
				struct ww_errtext *why)
{
	struct import im = {.p = p, .ask = ask, .at = at};
	struct ww_attest_answer answer = {0};
	int r = check_who(&im, why);

	if (r == 0)
		r = find_path(&im, why);
	if (r == 0)
		r = take(&im, clock, emit, ctx, &answer, why);
	if (r < 0)
		return r;
	memcpy(answer.id, at->id, sizeof(answer.id));
	memcpy(answer.attester, at->attester->name, sizeof(answer.attester));
	snprintf(answer.action, sizeof(answer.action), "%s", im.path);
	*ret = answer;
	return 0;
}
