/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/planner.h"

#include <errno.h>

const uint8_t ww_planner_args[6] = {WW_CODE_RDI, WW_CODE_RSI, WW_CODE_RDX,
				    WW_CODE_RCX, WW_CODE_R8,  WW_CODE_R9};

bool ww_planner_holds(const struct ww_code_insn *insn, unsigned reg, unsigned arg)
{
	struct ww_value v = insn->regs[reg];

	return v.kind == WW_VALUE_ARG && v.id == arg && v.a == 0;
}

bool ww_planner_repeats(const struct ww_code *c, size_t i)
{
	bool mark[WW_CODE_INSNS_MAX] = {false};

	ww_code_reach(c, i, SIZE_MAX, mark);
	return mark[i];
}

size_t ww_planner_next_emulated(const struct ww_code *c, size_t i)
{
	for (size_t k = i + 1; k < c->count; k++) {
		if (c->insns[k].at != c->insns[k - 1].at + c->insns[k - 1].bytes)
			break;
		if (c->insns[k].emulated)
			return k;
		if (c->insns[k].op != WW_CODE_OTHER)
			break;
	}
	return SIZE_MAX;
}

/* rsp relative to the function's first instruction; false: not known. */
static bool frame(const struct ww_code_insn *insn, int32_t *ret_bytes)
{
	if (insn->regs[WW_CODE_RSP].kind != WW_VALUE_STACK || insn->regs[WW_CODE_RSP].a > 0)
		return false;
	*ret_bytes = insn->regs[WW_CODE_RSP].a;
	return true;
}

int ww_planner_add_at(const struct ww_planner *p, const char *symbol, enum ww_site_kind kind,
		      enum ww_dir dir, uint64_t vaddr, struct ww_site **ret_site)
{
	struct ww_site *s = &p->plan->sites[p->plan->site_count];

	if (p->plan->site_count == WW_SITES_MAX)
		return -ENOTSUP;
	*s = (struct ww_site){.kind = kind, .dir = dir};
	if (ww_elf_offset(p->elf, vaddr, &s->offset) < 0)
		return -ENOTSUP;
	memccpy(s->symbol, symbol, 0, sizeof(s->symbol) - 1);
	p->plan->site_count++;
	*ret_site = s;
	return 0;
}

int ww_planner_add(const struct ww_planner *p, const char *symbol, enum ww_site_kind kind,
		   enum ww_dir dir, size_t i, struct ww_site **ret_site)
{
	const struct ww_code_insn *insn = &p->code->insns[i];
	int32_t sp = 0;
	int r;

	if (!frame(insn, &sp))
		return -ENOTSUP;
	r = ww_planner_add_at(p, symbol, kind, dir, p->code->vaddr + insn->at, ret_site);
	if (r < 0)
		return r;
	(*ret_site)->sp_bytes = sp;
	(*ret_site)->emulated = insn->emulated;
	return 0;
}

/* The length is an int, of which the low half is as good. */
static bool holds_argument(const struct ww_code_insn *insn, unsigned arg)
{
	struct ww_value v = insn->regs[ww_planner_args[arg]];

	return ww_planner_holds(insn, ww_planner_args[arg], arg) ||
	       (arg == 2 && v.kind == WW_VALUE_ARG32 && v.id == 2);
}

static size_t single_site(const struct ww_code *c, unsigned args)
{
	for (size_t i = 0; i < c->count && !c->insns[i].joined; i++) {
		bool intact = true;

		for (unsigned k = 0; k < WW_ARRAY_SIZE(ww_planner_args); k++)
			if (args & (1u << k))
				intact &= holds_argument(&c->insns[i], k);
		if (!intact)
			break;
		if (c->insns[i].emulated)
			return i;
		if (c->insns[i].op != WW_CODE_OTHER)
			break;
	}
	return 0;
}

int ww_planner_single(const struct ww_planner *p, const char *symbol, enum ww_site_kind kind,
		      unsigned args)
{
	size_t first = single_site(p->code, args);
	struct ww_site *s;
	int r;

	if (ww_planner_repeats(p->code, first))
		return -ENOTSUP;
	r = ww_planner_add(p, symbol, kind, WW_DIR_OUT, first, &s);
	if (r == 0)
		s->len32 = kind == WW_SITE_PREFIX;
	return r;
}

bool ww_planner_has(const struct ww_tls_plan *plan, const char *symbol)
{
	for (unsigned i = 0; i < plan->site_count; i++)
		if (strcmp(plan->sites[i].symbol, symbol) == 0)
			return true;
	return false;
}

int ww_planner_walk_at(struct ww_planner *p, struct ww_elf_symbol fn, bool calls_end)
{
	int r;

	ww_code_free(p->code);
	p->code = NULL;
	r = ww_code_walk(p->elf, fn, calls_end, &p->code);
	return r == -ENOENT ? -ENOTSUP : r;
}

int ww_planner_walk(struct ww_planner *p, const char *name, bool calls_end)
{
	struct ww_elf_symbol fn;
	int r = ww_elf_function(p->elf, name, &fn);

	return r < 0 ? r : ww_planner_walk_at(p, fn, calls_end);
}

void ww_planner_refuse(struct ww_tls_plan *plan, const char *name)
{
	size_t n = strlen(plan->refused);

	if (n + strlen(name) + 2 > sizeof(plan->refused))
		return;
	if (n > 0)
		plan->refused[n++] = ' ';
	memccpy(plan->refused + n, name, 0, sizeof(plan->refused) - n);
}
