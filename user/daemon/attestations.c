/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/attestations.h"

#include <errno.h>
#include <stdio.h>

#include "base/encode.h"
#include "base/hash.h"
#include "base/json.h"
#include "daemon/path_attestations.h"
#include "ledger/rederive_read.h"

struct held {
	char action[WW_ACTION_ID_MAX];
	uint64_t number; /* of the action, in the judge's table */
	struct ww_attested attested;
	UT_hash_handle hh;
};

struct ww_attestations {
	const struct ww_contracts *contracts;
	const struct ww_digest_key *key;
	struct ww_judge *judge;
	struct held *held; /* by action */
	struct ww_path_attestations *paths;
	struct ww_buf record, verdict;
};

int ww_attestations_new(const struct ww_contracts *contracts, const struct ww_digest_key *key,
			struct ww_judge *judge, struct ww_attestations **ret)
{
	struct ww_attestations *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	a->contracts = contracts;
	a->key = key;
	a->judge = judge;
	ww_buf_init(&a->record, WW_RECORD_BYTES_MAX);
	ww_buf_init(&a->verdict, WW_RECORD_BYTES_MAX);
	*ret = a;
	return 0;
}

int ww_attestations_of_paths(struct ww_attestations *a, const struct ww_policy *policy,
			     struct ww_paths *paths)
{
	return ww_path_attestations_new(policy, a->key, paths, &a->paths);
}

int ww_attestations_path(struct ww_attestations *a, struct ww_slice json, struct ww_buf *out)
{
	return a->paths ? ww_path_attestations_record(a->paths, json, out) : 0;
}

static void drop(struct ww_attestations *a, struct held *h)
{
	HASH_DELETE(hh, a->held, h);
	free(h);
}

void ww_attestations_free(struct ww_attestations *a)
{
	struct held *h, *next;

	if (!a)
		return;
	HASH_ITER (hh, a->held, h, next)
		drop(a, h);
	ww_path_attestations_free(a->paths);
	ww_buf_done(&a->record);
	ww_buf_done(&a->verdict);
	free(a);
}

/* --- what is held -------------------------------------------------------------------------------
 */

static struct held *held_of(const struct ww_attestations *a, const char *action)
{
	struct held *h = NULL;

	HASH_FIND(hh, a->held, action, strlen(action), h);
	return h;
}

/* Actions that the judge dropped get no further verdict. */
static void expire(struct ww_attestations *a)
{
	struct held *h, *next;

	HASH_ITER (hh, a->held, h, next) {
		if (!ww_actions_get(ww_judge_actions(a->judge), h->number))
			drop(a, h);
	}
}

static int hold(struct ww_attestations *a, const struct ww_action *action,
		const struct ww_attested *attested)
{
	struct held *h = held_of(a, action->id);

	if (!h) {
		expire(a);
		if (HASH_COUNT(a->held) >= WW_ATTESTATIONS_HELD_MAX)
			return -ENOSPC;
		h = calloc(1, sizeof(*h));
		if (!h)
			return -ENOMEM;
		memcpy(h->action, action->id, sizeof(h->action));
		h->number = action->number;
		HASH_ADD(hh, a->held, action, strlen(h->action), h);
		if (!h->hh.tbl) {
			free(h);
			return -ENOMEM;
		}
	}
	h->attested = *attested;
	return 0;
}

int ww_attestations_verdict(struct ww_attestations *a, struct ww_slice json, struct ww_buf *out)
{
	struct ww_attested_verdict v;
	char action[WW_ACTION_ID_MAX];
	const struct held *h;
	struct ww_errtext why;
	int r;

	/* Of its control: not an outcome. */
	if (!a->held || ww_attested_read(json, &v, &why) < 0 || v.pending ||
	    v.action.n >= sizeof(action))
		return 0;
	memcpy(action, v.action.p, v.action.n);
	action[v.action.n] = '\0';
	h = held_of(a, action);
	if (!h)
		return 0;
	ww_buf_clear(out);
	r = ww_attested_write(json, &h->attested, NULL, out);
	return r < 0 ? r : 1;
}

/* --- what it is about ---------------------------------------------------------------------------
 */

struct import {
	struct ww_attestations *a;
	const struct ww_attest_ask *ask;
	const struct ww_clock_map *clock;
	struct ww_attestation at;
	const struct ww_contract *contract; /* in force */
	struct ww_contract terms;           /* of the verdict: its attesters, nothing else */
	char action[WW_ACTION_ID_MAX];
	struct ww_action *held;       /* NULL: the judge has it no more */
	struct ww_slice verdict;      /* its newest; empty: none yet */
	struct ww_attested_verdict v; /* that, read */
	struct ww_attested attested;  /* all that is known of it */
	bool recorded;                /* the attestation has its record */
};

/* True: it is another action than the one before. */
static bool is_another(struct import *im, const char *action)
{
	if (im->action[0])
		return strcmp(im->action, action) != 0;
	snprintf(im->action, sizeof(im->action), "%s", action);
	return false;
}

static bool held_fits(const struct import *im, const struct ww_action *x)
{
	if (strcmp(x->tool, im->at.tool) != 0)
		return false;
	if (im->at.by == WW_ATTESTATION_BY_ACTION)
		return strcmp(x->id, im->at.subject) == 0;
	return im->at.by == WW_ATTESTATION_BY_CALL && strcmp(x->tool_call_id, im->at.subject) == 0;
}

static int look_at_list(struct import *im, struct ww_action *list)
{
	for (struct ww_action *x = list; x; x = x->next) {
		if (!held_fits(im, x))
			continue;
		if (is_another(im, x->id))
			return -ENOTUNIQ;
		im->held = x;
	}
	return 0;
}

static int look_at_held(struct import *im)
{
	const struct ww_actions *all = im->a->judge ? ww_judge_actions(im->a->judge) : NULL;
	int r = all ? look_at_list(im, ww_actions_open(all)) : 0;

	return r == 0 && all ? look_at_list(im, ww_actions_judged_first(all)) : r;
}

/* The one held under this id, whatever named it. */
static struct ww_action *held_by_id(const struct ww_actions *all, const char *id)
{
	struct ww_action *lists[] = {ww_actions_open(all), ww_actions_judged_first(all)};

	for (size_t i = 0; i < WW_ARRAY_SIZE(lists); i++) {
		for (struct ww_action *x = lists[i]; x; x = x->next) {
			if (strcmp(x->id, id) == 0)
				return x;
		}
	}
	return NULL;
}

static int look_at_verdicts(struct import *im, struct ww_errtext *why)
{
	for (unsigned i = 0; i < im->ask->verdict_count; i++) {
		struct ww_attested_verdict v;
		char action[WW_ACTION_ID_MAX];
		int r = ww_attested_read(im->ask->verdicts[i], &v, why);

		if (r < 0)
			return r;
		if (!ww_attested_fits(&v, &im->at, im->a->key) || v.action.n >= sizeof(action))
			continue;
		snprintf(action, sizeof(action), "%.*s", (int)v.action.n, (const char *)v.action.p);
		if (is_another(im, action))
			return -ENOTUNIQ;
		if (im->verdict.p)
			return ww_errtext_set(why, -EINVAL,
					      "two verdicts of one action were found");
		im->verdict = im->ask->verdicts[i];
		im->v = v;
	}
	return 0;
}

/* "v-<action>-<revision>": its last part. */
static uint32_t revision_of(struct ww_slice id)
{
	size_t at = id.n;
	uint64_t n;

	while (at > 0 && id.p[at - 1] != '-')
		at--;
	return ww_slice_u64(ww_slice_sub(id, at, id.n), &n) < 0 || n >= UINT32_MAX ? 0
										   : (uint32_t)n;
}

/* The judge's newest verdict must be the one that was found. */
static int check_newest(struct import *im, struct ww_errtext *why)
{
	struct ww_action *x = im->held;

	if (!x && im->a->judge && im->action[0])
		x = im->held = held_by_id(ww_judge_actions(im->a->judge), im->action);
	if (!x || x->revision == 0)
		return 0;
	if (!im->verdict.p || revision_of(im->v.id) != x->revision)
		return ww_errtext_set(why, -EAGAIN, "a newer verdict on %s is on its way",
				      im->action);
	return 0;
}

static int find_action(struct import *im, struct ww_errtext *why)
{
	int r = look_at_held(im);

	if (r == 0)
		r = look_at_verdicts(im, why);
	if (r == -ENOTUNIQ)
		return ww_errtext_set(why, r, "several actions of tool %.64s are meant by this %s",
				      im->at.tool, ww_attestation_by_name(im->at.by));
	if (r < 0)
		return r;
	if (!im->action[0])
		return ww_errtext_set(why, -ENOENT, "no action of tool %.64s is known by this %s",
				      im->at.tool, ww_attestation_by_name(im->at.by));
	return check_newest(im, why);
}

/* --- whether it counts --------------------------------------------------------------------------
 */

static int check_who(struct import *im, struct ww_errtext *why)
{
	const char *log = im->ask->log ? im->ask->log : "";
	int r;

	im->contract = ww_contracts_find(im->a->contracts, im->at.tool);
	if (!im->contract || !im->contract->attester_count)
		return ww_errtext_set(why, -ENOKEY, "no contract names an attester of tool %.64s",
				      im->at.tool);
	r = ww_attestation_verify(&im->at, im->contract->attesters, im->contract->attester_count);
	if (r == -ENOKEY)
		return ww_errtext_set(why, r, "it is not signed by an attester of tool %.64s",
				      im->at.tool);
	if (r == 0 && im->at.log[0] && strcmp(im->at.log, log) != 0)
		return ww_errtext_set(why, -EINVAL, "it is for the log %.128s", im->at.log);
	return r < 0 ? r : ww_attestation_current(&im->at, im->ask->now, why);
}

/* The terms that the verdict was given under must know the key, too: what is recorded with it is
 * what it is checked by. */
static int check_terms(struct import *im, struct ww_errtext *why)
{
	const struct ww_contract *terms = &im->terms;
	bool known = false;
	int r = 0;

	if (im->v.terms.n && !ww_slice_eq_str(im->v.terms, "null"))
		r = ww_rd_attesters_read(im->v.terms, &im->terms, why);
	for (unsigned i = 0; r == 0 && i < terms->attester_count; i++)
		known |= ww_attester_same_key(&terms->attesters[i], im->at.attester) &&
			 strcmp(terms->attesters[i].name, im->at.attester->name) == 0;
	if (r == 0 && !known)
		return ww_errtext_set(why, -ENOKEY,
				      "%s was judged under a contract that does not "
				      "name attester %s with this key",
				      im->action, im->at.attester->name);
	return r;
}

/* It must have begun by then. */
static int check_begin(const struct import *im, struct ww_errtext *why)
{
	struct ww_wall begun = {0};

	if (im->verdict.p) {
		if (ww_wall_parse(im->v.t, &begun) < 0)
			return ww_errtext_set(why, -EINVAL, "its verdict has no time");
	} else if (im->held) {
		begun = ww_clock_wall(im->clock, ww_action_begun(im->held));
	}
	return ww_attestation_begun(&im->at, begun, why);
}

/* Recorded, and maybe in no verdict yet: the daemon was stopped between the two. It was said under
 * the verdict's terms, whoever the contract in force names. */
static int add_recorded(struct import *im, struct ww_slice json, struct ww_errtext *why)
{
	const struct ww_contract *by = im->verdict.p ? &im->terms : im->contract;
	struct ww_attestation_record rec;
	struct ww_attestation at;
	int r = ww_attestation_record_read(json, &rec, why);

	if (r == 0)
		r = ww_attestation_parse(rec.envelope, &at, why);
	if (r < 0)
		return r;
	r = ww_attestation_verify(&at, by->attesters, by->attester_count);
	if (r == 0 && ww_slice_eq_str(rec.action, im->action) && ww_slice_eq_str(rec.id, at.id)) {
		im->recorded |= strcmp(at.id, im->at.id) == 0;
		r = ww_attested_add(&im->attested, &at);
	} else if (r == 0 || r == -ENOKEY) {
		r = ww_errtext_set(why, -EINVAL, "a record is no attestation of %s", im->action);
	}
	ww_attestation_done(&at);
	return r;
}

/* The same word of the same attester in another statement adds nothing, and takes room. */
static int check_news(const struct import *im, struct ww_errtext *why)
{
	for (unsigned i = 0; i < im->attested.count; i++) {
		const struct ww_attested_item *it = &im->attested.items[i];

		if (strcmp(it->id, im->at.id) != 0 && it->outcome == im->at.outcome &&
		    strcmp(it->attester, im->at.attester->name) == 0)
			return ww_errtext_set(
				why, -EEXIST, "%s said %s of %s already, in %s", it->attester,
				ww_attestation_outcome_name(it->outcome), im->action, it->id);
	}
	return 0;
}

static int gather(struct import *im, bool *ret_repeated, struct ww_errtext *why)
{
	const struct held *h = held_of(im->a, im->action);
	int r = 0;

	if (h)
		im->attested = h->attested;
	for (unsigned i = 0; i < im->v.before.count && !h; i++)
		im->attested.items[im->attested.count++] = im->v.before.items[i];
	*ret_repeated = ww_attested_find(h ? &im->attested : &im->v.before, im->at.id) != NULL;
	im->recorded = *ret_repeated;
	for (unsigned i = 0; i < im->ask->recorded_count && r == 0; i++)
		r = add_recorded(im, im->ask->recorded[i], why);
	if (r == 0)
		r = check_news(im, why);
	if (r == 0)
		r = ww_attested_add(&im->attested, &im->at);
	if (r == -ENOSPC)
		return ww_errtext_set(why, r, "%s has %u attestations: no more are taken",
				      im->action, WW_ATTESTATION_FOR_MAX);
	return r;
}

/* --- what comes of it ---------------------------------------------------------------------------
 */

static int make_record(struct import *im)
{
	struct ww_jsonw w;

	ww_buf_clear(&im->a->record);
	ww_jsonw_init(&w, &im->a->record);
	ww_attestation_write(&im->at, im->action, im->ask->now, im->a->key, &w);
	return w.err;
}

static int make_verdict(struct import *im, struct ww_attest_answer *ret)
{
	uint32_t revision = revision_of(im->v.id);
	char *out = ret->verdict;

	if (revision == 0 || im->v.id.n > sizeof(ret->verdict) - 16)
		return -EINVAL;
	/* All but the revision stays. */
	memcpy(out, im->v.id.p, im->v.id.n);
	out[im->v.id.n] = '\0';
	ww_put_dec(strrchr(out, '-') + 1, revision + 1ull);
	ww_buf_clear(&im->a->verdict);
	return ww_attested_write(im->verdict, &im->attested, out, &im->a->verdict);
}

static int take(struct import *im, ww_record_fn emit, void *ctx, struct ww_attest_answer *ret,
		struct ww_errtext *why)
{
	/* What is open gets it with its verdict; a recorded PENDING is superseded by that. */
	bool waits = im->held && (!im->verdict.p || im->v.pending);
	int r;

	if (im->verdict.p)
		r = check_terms(im, why);
	else
		r = 0;
	if (r == 0)
		r = check_begin(im, why);
	if (r == 0)
		r = gather(im, &ret->repeated, why);
	if (r < 0 || ret->repeated)
		return r;
	r = make_record(im);
	if (r == 0 && !waits)
		r = make_verdict(im, ret);
	if (r == 0 && im->held)
		r = hold(im->a, im->held, &im->attested);
	if (r < 0)
		return ww_errtext_set(why, r, "it cannot be recorded");
	if (!im->recorded)
		emit(ctx, WW_RECORD_ATTESTATION, ww_buf_slice(&im->a->record));
	if (waits)
		return 0;
	if (im->held)
		im->held->revision++;
	emit(ctx, WW_RECORD_VERDICT, ww_buf_slice(&im->a->verdict));
	return 0;
}

static int import_of_action(struct import *im, ww_record_fn emit, void *ctx,
			    struct ww_attest_answer *ret, struct ww_errtext *why)
{
	struct ww_attest_answer answer = {0};
	int r = check_who(im, why);

	if (r == 0)
		r = find_action(im, why);
	if (r == 0)
		r = take(im, emit, ctx, &answer, why);
	free(im->terms.attesters);
	if (r < 0)
		return r;
	memcpy(answer.id, im->at.id, sizeof(answer.id));
	memcpy(answer.action, im->action, sizeof(answer.action));
	memcpy(answer.attester, im->at.attester->name, sizeof(answer.attester));
	*ret = answer;
	return 0;
}

int ww_attestations_import(struct ww_attestations *a, const struct ww_attest_ask *ask,
			   const struct ww_clock_map *clock, ww_record_fn emit, void *ctx,
			   struct ww_attest_answer *ret, struct ww_errtext *why)
{
	struct import im = {.a = a, .ask = ask, .clock = clock};
	int r = ww_attestation_parse(ask->envelope, &im.at, why);

	if (r < 0)
		return r;
	if (!im.at.of_path)
		r = import_of_action(&im, emit, ctx, ret, why);
	else if (a->paths)
		r = ww_path_attestations_import(a->paths, &im.at, ask, clock, emit, ctx, ret, why);
	else
		r = ww_errtext_set(why, -ENOKEY, "no policy names an attester of paths");
	ww_attestation_done(&im.at);
	return r;
}
