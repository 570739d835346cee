/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy_lint.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/hash.h"

struct lint {
	const struct ww_policy *policy;
	ww_contract_warn_fn warn;
	void *ctx;
};

static void __attribute__((format(printf, 3, 4)))
say(const struct lint *l, unsigned line, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	l->warn(l->ctx, line, text);
}

/* Whether the first glob matches all that the second does: a '*' of the second is matched by none
 * of the first's bytes but a '*'. Not all cases are seen; those that are, are so. */
static bool covers(const char *a, const char *b, bool fold)
{
	return ww_policy_glob(ww_slice_str(a), ww_slice_str(b), fold);
}

/* --- the file alone -----------------------------------------------------------------------------
 */

static void lint_label(const struct lint *l, unsigned region, const struct ww_policy_label *label)
{
	for (unsigned i = 0; i < region; i++) {
		const struct ww_policy_region *r = &l->policy->regions[i];

		for (unsigned k = 0; k < r->label_count; k++) {
			if (!covers(r->labels[k].glob, label->glob, true))
				continue;
			say(l, label->line,
			    "no word is left for %s: the region %s before it has %s (line %u)",
			    label->glob, r->name, r->labels[k].glob, r->labels[k].line);
			return;
		}
	}
}

static bool programs_cover(const struct ww_policy_agent *a, const struct ww_policy_agent *b)
{
	for (unsigned i = 0; i < b->program_count; i++) {
		bool covered = false;

		for (unsigned k = 0; k < a->program_count && !covered; k++)
			covered = covers(a->programs[k], b->programs[i], false);
		if (!covered)
			return false;
	}
	return b->program_count > 0;
}

/* Whether whoever is b is a as well. */
static bool agent_covers(const struct ww_policy_agent *a, const struct ww_policy_agent *b)
{
	if (a->cgroup && !covers(a->cgroup, b->cgroup ? b->cgroup : "*", false))
		return false;
	return !a->program_count || programs_cover(a, b);
}

static void lint_agent(const struct lint *l, unsigned index)
{
	const struct ww_policy_agent *a = &l->policy->agents[index];

	for (unsigned i = 0; i < index; i++) {
		const struct ww_policy_agent *b = &l->policy->agents[i];

		if (!agent_covers(b, a))
			continue;
		say(l, a->line, "nobody is %s: whoever would be is %s (line %u), which comes first",
		    a->name, b->name, b->line);
		break;
	}
	if (!a->asks_region && !a->asks_home)
		say(l, a->line, "%s may send everywhere: neither allowed_regions nor allowed_homes",
		    a->name);
}

void ww_policy_lint(const struct ww_policy *p, ww_contract_warn_fn warn, void *ctx)
{
	const struct lint l = {p, warn, ctx};

	if (p->area_count && !p->host.line)
		say(&l, p->areas[0].line,
		    "areas without host: where this host is, is not said, so none is ever "
		    "excluded");
	for (unsigned i = 0; i < p->region_count; i++) {
		for (unsigned k = 0; k < p->regions[i].label_count; k++)
			lint_label(&l, i, &p->regions[i].labels[k]);
	}
	for (unsigned i = 0; i < p->agent_count; i++)
		lint_agent(&l, i);
}

/* --- beside tables ------------------------------------------------------------------------------
 */

struct word {
	UT_hash_handle hh;
	size_t n;
	uint8_t bytes[];
};

struct words {
	struct word *all; /* that were looked at */
	unsigned missing;
	int err;
};

struct beside {
	struct lint l;
	const struct ww_tables *tables;
	struct ww_wall at;
	struct words regions, operators;
	bool homes; /* some agent asks for them */
};

/* Whether it is looked at for the first time. */
static bool first(struct words *w, struct ww_slice text)
{
	struct word *known;

	if (!text.n || w->err)
		return false;
	HASH_FIND(hh, w->all, text.p, text.n, known);
	if (known)
		return false;
	known = calloc(1, sizeof(*known) + text.n);
	if (!known) {
		w->err = -ENOMEM;
		return false;
	}
	known->n = text.n;
	memcpy(known->bytes, text.p, text.n);
	HASH_ADD_KEYPTR(hh, w->all, known->bytes, known->n, known);
	if (known->hh.tbl)
		return true;
	free(known);
	w->err = -ENOMEM;
	return false;
}

static void words_done(struct words *w)
{
	struct word *word, *next;

	HASH_ITER (hh, w->all, word, next) {
		HASH_DEL(w->all, word);
		free(word);
	}
}

static bool home_declared(const struct beside *b, struct ww_slice operator_name)
{
	const struct ww_tables_operator *o;
	bool early, expired;
	unsigned i = 0;

	while ((o = ww_tables_operator(b->tables, operator_name, &i)) != NULL) {
		ww_tables_time_at(&o->valid, b->at, &early, &expired);
		if (!early && !expired)
			return true;
	}
	return false;
}

static bool look_at(struct beside *b, const struct ww_tables_file *table,
		    const struct ww_tables_words *w)
{
	if (first(&b->regions, w->region) && !ww_policy_regions_of(b->l.policy, w->region) &&
	    b->regions.missing++ < WW_POLICY_LINT_WORDS)
		say(&b->l, 0, "no region has the word %.*s of %s: nobody is allowed there",
		    (int)w->region.n, w->region.p, table->name);
	if (b->homes && first(&b->operators, w->operator_name) &&
	    !home_declared(b, w->operator_name) && b->operators.missing++ < WW_POLICY_LINT_WORDS)
		say(&b->l, 0, "no home is declared of %.*s, an operator of %s",
		    (int)w->operator_name.n, w->operator_name.p, table->name);
	return !b->regions.err && !b->operators.err;
}

static bool look_at_row(void *ctx, const struct ww_tables_file *table, const struct ww_cidr *prefix,
			const struct ww_tables_words *words, uint32_t line)
{
	return look_at(ctx, table, words);
}

static bool look_at_host(void *ctx, const struct ww_tables_file *table, const char *host,
			 const struct ww_tables_words *words, uint32_t line)
{
	return look_at(ctx, table, words);
}

static void say_rest(const struct beside *b, const struct words *w, const char *what)
{
	if (w->missing > WW_POLICY_LINT_WORDS)
		say(&b->l, 0, "%u more %s", w->missing - WW_POLICY_LINT_WORDS, what);
}

int ww_policy_lint_tables(const struct ww_policy *p, const struct ww_tables *t, struct ww_wall at,
			  ww_contract_warn_fn warn, void *ctx)
{
	struct beside b = {.l = {p, warn, ctx}, .tables = t, .at = at};

	for (unsigned i = 0; i < p->agent_count; i++)
		b.homes |= p->agents[i].asks_home;
	ww_tables_each(t, look_at_row, &b);
	ww_tables_each_host(t, look_at_host, &b);
	say_rest(&b, &b.regions, "words that no region has");
	say_rest(&b, &b.operators, "operators without a declared home");
	words_done(&b.regions);
	words_done(&b.operators);
	return b.regions.err ? b.regions.err : b.operators.err;
}
