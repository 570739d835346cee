/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariants:
 *  1. Nothing is erased that no committed prune record names.
 *  2. A committed prune record that `pruned` calls open is carried out before another is made.
 *  3. What lies behind the last record that is old for certain is not touched.
 */
#include "ledger/prune.h"

#include <errno.h>
#include <inttypes.h>

#include "ledger/payload.h"
#include "ledger/pruned.h"

enum phase { RESUME, SCAN, NAME, ERASE, CLOSE, DONE };

struct ww_prune {
	int dir;
	struct ww_prune_input in;
	char cutoff[WW_RFC3339_MAX];
	enum phase phase;
	struct ww_payload_walk *walk;
	uint64_t at; /* the next segment to look at begins here or later */
	/* Seen since the last record that was old for certain: counted when the next one is. */
	struct ww_prune_record tentative;
	struct ww_prune_record open;     /* being carried out */
	struct ww_withheld_list earlier; /* with it, all that was ever named */
	struct ww_prune_result result;
};

/* --- scan ----------------------------------------------------------------------------------------
 */

static void count(struct ww_prune_record *p, uint64_t index, ww_kinds kind)
{
	if (p->records++ == 0)
		p->first = index;
	p->last = index;
	p->counts[__builtin_ctz(kind)]++;
}

static void settle_tentative(struct ww_prune *p)
{
	struct ww_prune_record *to = &p->result.named, *from = &p->tentative;

	if (from->records > 0) {
		if (to->records == 0)
			to->first = from->first;
		to->last = from->last;
		to->records += from->records;
		for (size_t i = 0; i < WW_ARRAY_SIZE(to->counts); i++)
			to->counts[i] += from->counts[i];
	}
	*from = (struct ww_prune_record){0};
}

/* Walks one segment. 1: there may be more; 0: the border was passed; -errno. */
static int scan_segment(struct ww_prune *p, uint64_t size)
{
	uint64_t index, next;
	int r = ww_payload_walk_enter(p->walk, p->at, &index, &next);

	if (r < 0)
		return r == -ENODATA ? 0 : r;
	for (; index < size; index++) {
		bool damaged, counts, old;
		struct ww_payload rec;
		ww_kinds kind;

		r = ww_payload_walk_next(p->walk, &rec, &damaged);
		if (r == -ENODATA)
			break;
		if (r < 0)
			return r;
		if (damaged || rec.erased)
			continue;
		ww_retention_age(rec.kind, rec.json, p->cutoff, &counts, &old);
		if (counts && !old)
			return 0;
		kind = ww_retention_kind(rec.kind) & p->in.kinds;
		if (kind)
			count(&p->tentative, index, kind);
		if (counts)
			settle_tentative(p);
	}
	p->at = next;
	return next < size;
}

static int scan(struct ww_prune *p, uint64_t size, struct ww_errtext *why)
{
	int r = p->walk ? 0 : ww_payload_walk_new(p->dir, &p->walk);

	if (r == 0)
		r = scan_segment(p, size);
	if (r == -ENODATA)
		return 0;
	return r < 0 ? ww_errtext_errno(why, r, "cannot look through the records") : r;
}

/* --- name ----------------------------------------------------------------------------------------
 */

static void describe(struct ww_prune *p)
{
	struct ww_prune_record *n = &p->result.named;

	ww_wall_rfc3339(p->in.now, n->t);
	memcpy(n->cutoff, p->cutoff, sizeof(n->cutoff));
	n->by_policy = p->in.by_policy;
	n->forced = p->in.forced;
	n->older_than_s = p->in.older_than_s;
	n->kinds = p->in.kinds;
}

static int name_it(struct ww_prune *p, struct ww_ledger *l, struct ww_errtext *why)
{
	WW_AUTO(ww_pruned_done) struct ww_pruned list = {0};
	WW_AUTO_BUF struct ww_buf record = {0};
	uint64_t size, index = 0;
	int r = ww_ledger_commit(l, &size); /* so that the record's index is known before it */

	describe(p);
	ww_buf_init(&record, 4096);
	if (r == 0)
		r = ww_prune_record_text(&p->result.named, &record);
	if (r == 0)
		r = ww_pruned_read(p->dir, &list);
	if (r == 0)
		r = ww_pruned_add(&list, size, true);
	if (r == 0)
		r = ww_pruned_write(p->dir, &list);
	if (r == 0)
		r = ww_ledger_append(l, "prune", ww_buf_slice(&record), &index);
	if (r == 0 && index != size)
		r = -EUCLEAN;
	if (r == 0)
		r = ww_ledger_commit(l, NULL);
	if (r < 0)
		return ww_errtext_errno(why, r, "cannot name what is to be removed");
	p->result.index = index;
	p->open = p->result.named;
	return 0;
}

/* --- erase ---------------------------------------------------------------------------------------
 */

/* One segment. 1: there may be more; 0: behind the last named record; -errno. */
static int erase_segment(struct ww_prune *p, uint64_t size)
{
	bool left = false, touched = false, damaged;
	uint64_t first, index, next;
	struct ww_payload rec;
	int r = ww_payload_walk_enter(p->walk, p->at, &first, &next);

	if (r < 0)
		return r == -ENODATA ? 0 : r;
	if (first > p->open.last)
		return 0;
	for (index = first; index < size; index++) {
		r = ww_payload_walk_next(p->walk, &rec, &damaged);
		if (r == -ENODATA)
			break;
		if (r < 0)
			return r;
		if (rec.erased && !damaged) {
			/* Erased by itself: only its frame says that it was, so that must stay. */
			left = left || !ww_withheld_find(&p->earlier, index, rec.kind);
			continue;
		}
		/* An erasure that was torn reads as damaged, with index and kind in place. */
		if (rec.index == index && rec.kind.n > 0 &&
		    ww_prune_record_names(&p->open, index, rec.kind)) {
			r = ww_payload_walk_erase(p->walk);
			if (r < 0)
				return r;
			touched = true;
			p->result.erased++;
		} else {
			left = true;
		}
	}
	if (touched)
		r = ww_payload_walk_sync(p->walk);
	else
		r = 0;
	if (r == 0 && !left && next != UINT64_MAX) {
		r = ww_payload_walk_remove(p->walk);
		p->result.segments += r == 0;
	}
	p->at = next;
	return r < 0 ? r : next <= p->open.last;
}

static int erase(struct ww_prune *p, uint64_t size, struct ww_errtext *why)
{
	int r = p->walk ? 0 : ww_payload_walk_new(p->dir, &p->walk);

	if (r == 0 && p->earlier.n == 0)
		r = ww_withheld_read(p->dir, size, &p->earlier);
	if (r == 0)
		r = erase_segment(p, size);
	return r < 0 ? ww_errtext_errno(why, r, "cannot remove what the prune record names") : r;
}

/* --- resume and end ------------------------------------------------------------------------------
 */

/* The prune record at an index. 1: it is one; 0: it is not, so nothing was taken for it; -errno. */
static int read_open(struct ww_prune *p, uint64_t index, uint64_t size)
{
	WW_AUTO(ww_payload_reader_free_auto) struct ww_payload_reader *reader = NULL;
	struct ww_payload rec;
	int r;

	if (index >= size)
		return 0;
	r = ww_payload_reader_new(p->dir, &reader);
	if (r == 0)
		r = ww_payload_reader_get(reader, index, &rec);
	if (r < 0)
		return r;
	return !rec.erased && ww_slice_eq_str(rec.kind, "prune") &&
	       ww_prune_record_parse(rec.json, &p->open) == 0;
}

/* 1: something is open and is to be erased; 0: nothing is; -errno. */
static int resume(struct ww_prune *p, uint64_t size, struct ww_errtext *why)
{
	WW_AUTO(ww_pruned_done) struct ww_pruned list = {0};
	int r = ww_pruned_read(p->dir, &list);

	if (r == 0 && list.n > 0 && list.lines[list.n - 1].open) {
		r = read_open(p, list.lines[list.n - 1].index, size);
		if (r == 0) {
			list.n--;
			r = ww_pruned_write(p->dir, &list);
		}
	}
	p->result.resumed = r == 1;
	return r < 0 ? ww_errtext_errno(why, r, "cannot end an earlier prune") : r;
}

static int close_it(struct ww_prune *p, struct ww_errtext *why)
{
	WW_AUTO(ww_pruned_done) struct ww_pruned list = {0};
	int r = ww_pruned_read(p->dir, &list);

	if (r == 0 && list.n > 0) {
		list.lines[list.n - 1].open = false;
		r = ww_pruned_write(p->dir, &list);
	}
	return r < 0 ? ww_errtext_errno(why, r, "cannot write pruned") : 0;
}

static void go(struct ww_prune *p, enum phase phase)
{
	p->phase = phase;
	ww_withheld_done(&p->earlier);
	p->at = phase == ERASE ? p->open.first : 0;
}

int ww_prune_step(struct ww_prune *p, struct ww_ledger *l, struct ww_errtext *why)
{
	uint64_t size = ww_ledger_size(l);
	int r = 0;

	switch (p->phase) {
	case RESUME:
		r = resume(p, size, why);
		if (r >= 0)
			go(p, r == 1 ? ERASE : p->in.kinds ? SCAN : DONE);
		break;
	case SCAN:
		r = scan(p, size, why);
		if (r == 0)
			go(p, p->result.named.records > 0 ? NAME : DONE);
		break;
	case NAME:
		r = name_it(p, l, why);
		if (r == 0)
			go(p, ERASE);
		break;
	case ERASE:
		r = erase(p, size, why);
		if (r == 0)
			go(p, CLOSE);
		break;
	case CLOSE:
		r = close_it(p, why);
		/* What was ended was an earlier run: now for this one's own. */
		if (r == 0)
			go(p, p->in.kinds && p->result.named.records == 0 ? SCAN : DONE);
		break;
	case DONE:
		break;
	}
	return r < 0 ? r : p->phase != DONE;
}

int ww_prune_look(struct ww_prune *p, uint64_t size, struct ww_errtext *why)
{
	int r = scan(p, size, why);

	describe(p);
	return r;
}

const struct ww_prune_result *ww_prune_result(const struct ww_prune *p)
{
	return &p->result;
}

int ww_prune_new(int ledger_dir, const struct ww_prune_input *in, uint64_t floor_s,
		 struct ww_prune **ret_prune, struct ww_errtext *why)
{
	uint64_t age_ns = in->older_than_s * 1000000000ull;
	struct ww_prune *p;

	if (in->kinds && (in->older_than_s == 0 || in->older_than_s > WW_RETENTION_AGE_MAX_S ||
			  age_ns > in->now.ns))
		return ww_errtext_set(why, -EINVAL, "not an age that a record can have");
	if (in->kinds && in->older_than_s < floor_s && !in->forced)
		return ww_errtext_set(why, -EPERM,
				      "records are to be kept for %" PRIu64 " s at least, %" PRIu64
				      " s were asked for",
				      floor_s, in->older_than_s);
	p = calloc(1, sizeof(*p));
	if (!p)
		return ww_errtext_errno(why, -ENOMEM, "cannot begin");
	p->dir = ledger_dir;
	p->in = *in;
	p->in.kinds &= ww_retention_tier(WW_TIER_CONTENT) | ww_retention_tier(WW_TIER_EVIDENCE);
	ww_wall_rfc3339((struct ww_wall){in->now.ns - age_ns}, p->cutoff);
	*ret_prune = p;
	return 0;
}

void ww_prune_free(struct ww_prune *p)
{
	if (!p)
		return;
	ww_payload_walk_free(p->walk);
	ww_withheld_done(&p->earlier);
	free(p);
}
