/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Go's crypto/tls, found by the symbol table or, in a stripped program, by the table that its
 * runtime needs.
 *
 *   (*halfConn).encrypt(record, payload []byte, ..)   PAYLOAD: what a record is made of, and its
 * type
 *   (*Conn).write(record []byte)   RECORD: that record on its way out. A hello names the session,
 *                                  ciphertext is the other witness of its socket. RESULT at every
 *                                  return: rbx 0: the socket took it
 *   (*Conn).Read(b []byte)         ENTRY: rax conn, rbx data, rcx length; RESULT at every return:
 *                                  rax the count
 *   (*Conn).Close()                FREE: rax conn
 *
 * All but RESULT sit on the jump of the stack check. What is sent is taken record by record: Go
 * cuts what it is given into records of growing length, and the byte account wants to know them.
 *
 * A goroutine moves between threads while a call waits, and its stack may be moved to another
 * place: a call is named by its goroutine (r14) and by how far below the stack's upper end its
 * frame lies. For the same reason a return address must never be replaced in such a program.
 *
 * When the stack is too small, the function asks for a larger one and begins again, so that a site
 * on the check can be passed twice; the second time counts.
 */
#include "sense/pclntab.h"
#include "sense/planner.h"

#include <errno.h>

struct method {
	const char *name; /* behind "crypto/tls." */
	enum ww_site_kind kind;
	enum ww_dir dir;
	bool returns;
};

#define PACKAGE "crypto/tls."

static const struct method methods[] = {
	{"(*halfConn).encrypt", WW_SITE_PAYLOAD, WW_DIR_OUT, false},
	{"(*Conn).write", WW_SITE_RECORD, WW_DIR_OUT, true},
	{"(*Conn).Read", WW_SITE_ENTRY, WW_DIR_IN, true},
	{"(*Conn).Close", WW_SITE_FREE, WW_DIR_OUT, false},
};

struct go_program {
	struct ww_planner *p;
	uint8_t *bytes; /* of the table; owned */
	struct ww_pclntab table;
	int open; /* 0: the table can be asked; else why it cannot */
};

static int open_table(struct go_program *g)
{
	static const char *const sections[] = {".gopclntab", ".data.rel.ro.gopclntab"};
	struct ww_parse_error error;
	size_t n = 0;
	int r = -ENOENT;

	for (size_t i = 0; i < WW_ARRAY_SIZE(sections) && r == -ENOENT; i++)
		r = ww_elf_section(g->p->elf, sections[i], &g->bytes, &n);
	if (r < 0)
		return r == -ENOENT ? -ENOTSUP : r;
	switch (ww_pclntab_open(ww_slice(g->bytes, n), &g->table, &error)) {
	case WW_PARSE_DONE:
		return 0;
	case WW_PARSE_GAP:
	case WW_PARSE_BAD:
		return -EPROTONOSUPPORT;
	default:
		return -ENOTSUP;
	}
}

/* 0; -ENOENT: the program does not have it; -ENOTSUP, -EPROTONOSUPPORT: cannot be told. */
static int find_method(const struct go_program *g, const char *name, struct ww_elf_symbol *ret_fn)
{
	struct ww_pclntab_function fn;
	struct ww_parse_error error;
	int r = ww_elf_function(g->p->elf, name, ret_fn);

	if (r != -ENOENT)
		return r;
	if (g->open < 0)
		return g->open;
	switch (ww_pclntab_find(&g->table, name, &fn, &error)) {
	case WW_PARSE_DONE:
		*ret_fn = (struct ww_elf_symbol){fn.vaddr, fn.size};
		return 0;
	case WW_PARSE_END:
		return -ENOENT;
	default:
		return -ENOTSUP;
	}
}

/*
 * A Read may wait since before there were probes. Its return must say whose bytes are missing, or
 * the answer would be taken for that of the next request.
 */
static int plan_returns(const struct go_program *g, const struct method *m, uint64_t vaddr,
			const struct ww_sweep *s)
{
	int r = m->dir == WW_DIR_IN && !s->spills_rax ? -ENOTSUP : 0;
	struct ww_site *site;

	for (unsigned i = 0; r == 0 && i < s->return_count; i++) {
		r = ww_planner_add_at(g->p, m->name, WW_SITE_RESULT, m->dir, vaddr + s->returns[i],
				      &site);
		if (r == 0) {
			site->same_sp = true;
			site->has_done = s->spills_rax;
		}
	}
	return r;
}

static int plan_method(const struct go_program *g, const struct method *m)
{
	char name[64] = PACKAGE;
	struct ww_elf_symbol fn;
	struct ww_site *site;
	struct ww_sweep s;
	int r;

	memccpy(name + strlen(PACKAGE), m->name, 0, sizeof(name) - sizeof(PACKAGE));
	r = find_method(g, name, &fn);
	if (r < 0)
		return r;
	r = ww_code_sweep(g->p->elf, fn, &s);
	if (r == 0)
		r = ww_planner_add_at(g->p, m->name, m->kind, m->dir, fn.vaddr + s.entry, &site);
	if (r == 0)
		site->same_sp = site->emulated = true;
	if (r == 0 && m->returns)
		r = plan_returns(g, m, fn.vaddr, &s);
	return r == -ENOENT ? -ENOTSUP : r;
}

/* All of them or none: without one of them the others tell half of it. */
static int plan_methods(const struct go_program *g)
{
	unsigned missing = 0;

	for (size_t i = 0; i < WW_ARRAY_SIZE(methods); i++) {
		int r = plan_method(g, &methods[i]);

		if (r == -ENOENT)
			missing++;
		else if (r < 0)
			return r;
	}
	if (missing == 0)
		return 0;
	return missing == WW_ARRAY_SIZE(methods) ? -ENOENT : -ENOTSUP;
}

int ww_site_plan_go(struct ww_planner *p)
{
	struct go_program g = {.p = p};
	int r;

	if (!ww_elf_has_section(p->elf, ".go.buildinfo"))
		return -ENOENT;
	p->plan->stack = WW_TLS_GO;
	p->plan->site_count = 0;
	g.open = open_table(&g);
	r = g.open == -EIO || g.open == -ENOMEM ? g.open : plan_methods(&g);
	free(g.bytes);
	return r;
}
