/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/pruner.h"

#include <errno.h>

#define DAY_NS (86400ull * 1000000000ull)

void ww_pruner_init(struct ww_pruner *p, int ledger_dir, const struct ww_retention *keep)
{
	*p = (struct ww_pruner){.dir = ledger_dir, .keep = *keep};
}

void ww_pruner_done(struct ww_pruner *p)
{
	ww_prune_free(p->run);
	p->run = NULL;
}

/* What is next to do: 1, or 0 for nothing. */
static int choose(struct ww_pruner *p, struct ww_wall now, struct ww_prune_input *ret)
{
	*ret = (struct ww_prune_input){.now = now};
	if (!p->began) {
		p->began = true;
		return 1;
	}
	if (p->asked.kinds) {
		*ret = p->asked;
		ret->now = now;
		p->asked.kinds = 0;
		return 1;
	}
	if (now.ns >= p->day_ends_ns) {
		p->day_ends_ns = now.ns + DAY_NS;
		p->tier = 0;
	}
	for (; p->tier < WW_TIER_MAX; p->tier++) {
		if (p->keep.keep_s[p->tier] == 0)
			continue;
		ret->kinds = ww_retention_tier((enum ww_tier)p->tier);
		ret->older_than_s = p->keep.keep_s[p->tier++];
		ret->by_policy = true;
		return 1;
	}
	return 0;
}

int ww_pruner_next(struct ww_pruner *p, struct ww_wall now)
{
	struct ww_prune_input in;
	int r;

	if (p->run || !choose(p, now, &in))
		return 0;
	r = ww_prune_new(p->dir, &in, p->keep.floor_s, &p->run, &p->why);
	p->error = r;
	return r < 0 ? r : 1;
}

bool ww_pruner_step(void *pruner, struct ww_ledger *ledger)
{
	struct ww_pruner *p = pruner;
	int r = ww_prune_step(p->run, ledger, &p->why);

	if (r == 1)
		return true;
	p->error = r;
	p->ended = true;
	return false;
}

bool ww_pruner_settle(struct ww_pruner *p)
{
	const struct ww_prune_result *res;

	if (!p->ended)
		return false;
	res = ww_prune_result(p->run);
	p->runs++;
	p->records += res->erased;
	p->segments += res->segments;
	if (res->named.records)
		p->last_index = res->index;
	ww_prune_free(p->run);
	p->run = NULL;
	p->ended = false;
	return true;
}

int ww_pruner_ask(struct ww_pruner *p, ww_kinds kinds, uint64_t older_than_s, bool force,
		  struct ww_errtext *why)
{
	if (p->run || p->asked.kinds)
		return ww_errtext_set(why, -EBUSY, "a prune is under way");
	if (older_than_s < p->keep.floor_s && !force)
		return ww_errtext_set(why, -EPERM,
				      "records are to be kept for %llu s at least, %llu s were "
				      "asked for",
				      (unsigned long long)p->keep.floor_s,
				      (unsigned long long)older_than_s);
	p->asked = (struct ww_prune_input){
		.kinds = kinds, .older_than_s = older_than_s, .forced = force};
	return 0;
}

void ww_pruner_status(const struct ww_pruner *p, struct ww_jsonw *w)
{
	ww_jsonw_object(w, "retention");
	ww_jsonw_u64(w, "floorS", p->keep.floor_s);
	ww_jsonw_u64(w, "contentS", p->keep.keep_s[WW_TIER_CONTENT]);
	ww_jsonw_u64(w, "evidenceS", p->keep.keep_s[WW_TIER_EVIDENCE]);
	ww_jsonw_bool(w, "running", p->run || p->asked.kinds);
	ww_jsonw_u64(w, "runs", p->runs);
	ww_jsonw_u64(w, "recordsPruned", p->records);
	ww_jsonw_u64(w, "segmentsRemoved", p->segments);
	ww_jsonw_u64(w, "lastRecord", p->last_index);
	ww_jsonw_cstr(w, "error", !p->run && p->error < 0 ? p->why.text : NULL);
	ww_jsonw_end_object(w);
}
