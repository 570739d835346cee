/* SPDX-License-Identifier: Apache-2.0 */
/* What the plans of the TLS stacks share: one function under examination, and adding its sites. */
#pragma once

#include "sense/code.h"
#include "sense/site.h"

struct ww_planner {
	struct ww_elf *elf;
	struct ww_tls_plan *plan;
	struct ww_code *code; /* of the function walked last; owned */
};

/*
 * Walks a function. 0; -ENOENT: no function of that name; -ENOTSUP for whatever keeps it from being
 * understood; other errors are the machine's.
 */
WW_CHECK int ww_planner_walk(struct ww_planner *p, const char *name, bool calls_end);
WW_CHECK int ww_planner_walk_at(struct ww_planner *p, struct ww_elf_symbol fn, bool calls_end);

/* Adds a site on instruction i. 0, -ENOTSUP: no room, or no known frame. */
WW_CHECK int ww_planner_add(const struct ww_planner *p, const char *symbol, enum ww_site_kind kind,
			    enum ww_dir dir, size_t i, struct ww_site **ret_site);

/* The same on an address, whose frame and instruction are the caller's business. */
WW_CHECK int ww_planner_add_at(const struct ww_planner *p, const char *symbol,
			       enum ww_site_kind kind, enum ww_dir dir, uint64_t vaddr,
			       struct ww_site **ret_site);

/*
 * A single ENTRY-like site (BIO_write, SSL_free): the first emulated instruction on the straight
 * line from the entry with the arguments of the mask in place, or the entry.
 */
WW_CHECK int ww_planner_single(const struct ww_planner *p, const char *symbol,
			       enum ww_site_kind kind, unsigned args);

bool ww_planner_has(const struct ww_tls_plan *plan, const char *symbol);

/* Names a function that is present and gets no sites. */
void ww_planner_refuse(struct ww_tls_plan *plan, const char *name);

/* --- statements about the function that was walked --- */

/* By argument number. */
extern const uint8_t ww_planner_args[6];

bool ww_planner_holds(const struct ww_code_insn *insn, unsigned reg, unsigned arg);

/* Whether the instruction can run a second time in one call of the function. */
bool ww_planner_repeats(const struct ww_code *c, size_t i);

/* The first emulated instruction in a straight line after insns[i], or SIZE_MAX. */
size_t ww_planner_next_emulated(const struct ww_code *c, size_t i);

/* --- the stacks --- */

/* As ww_site_plan, into p->plan. */
WW_CHECK int ww_site_plan_gnutls(struct ww_planner *p);
WW_CHECK int ww_site_plan_go(struct ww_planner *p);
