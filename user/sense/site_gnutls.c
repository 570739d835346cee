/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GnuTLS. The functions of its API pass session, buffer and length on to functions of its record
 * layer, which have no names and take the record's type as second argument:
 *
 *   gnutls_record_send2 -> send(session, type, .., .., data, bytes, ..)    WW_FORM_QUEUE
 *   gnutls_record_recv, _seq -> receive(session, type, data, bytes, ..)    jumped to; in it:
 *                            -> take(session, type, data, bytes, ..)       WW_FORM_TYPED
 *   both, with kernel TLS -> the kernel (session, type, data, bytes)       WW_FORM_TYPED
 *
 * ENTRY is the call of such a function, RESULT the next emulated instruction, or the one behind it.
 * So what is corked is seen when it is sent, early data when the handshake sends it, and
 * gnutls_record_send_file record by record.
 *
 * send() keeps an encrypted record that the socket did not take and says GNUTLS_E_AGAIN; the next
 * call sends that one, whatever it is given, and says its length. The kernel side keeps the bytes
 * as long as the library does (WW_FORM_QUEUE).
 *
 * Invariants:
 * 1. At ENTRY, on all paths, rdi is the session and esi the type 23, or what a caller of receive()
 *    gave as type: the kernel side compares it.
 * 2. A call of the function that has the session, the type and the buffer in any register is an
 *    ENTRY, or nothing of the function is taken. So is every call of a function that is the target
 *    of one, where it has the session.
 * 3. eax at RESULT is what the call returned, or a constant <= 0 on paths around it.
 * 4. No ENTRY can run twice in one call of the function.
 */
#include "sense/planner.h"

#include <errno.h>

#define TYPE_APPLICATION 23
#define HOPS_MAX         3u

/* Where a function of the chain has its arguments; session: argument 0. */
struct chain {
	const char *symbol; /* API function it belongs to */
	enum ww_dir dir;
	uint8_t buffer, length; /* argument numbers */
	bool typed;             /* argument 1 is the type */
};

static const struct chain apis[] = {
	{"gnutls_record_send2", WW_DIR_OUT, 1, 2, false},
	{"gnutls_record_recv", WW_DIR_IN, 1, 2, false},
	{"gnutls_record_recv_seq", WW_DIR_IN, 1, 2, false},
};

static bool holds_type(const struct ww_code_insn *insn, const struct chain *chain)
{
	struct ww_value v = insn->regs[WW_CODE_RSI];

	if (chain->typed)
		return (v.kind == WW_VALUE_ARG && v.id == 1 && v.a == 0) ||
		       (v.kind == WW_VALUE_ARG32 && v.id == 1);
	return v.kind == WW_VALUE_CONST && v.a == TYPE_APPLICATION;
}

static bool holds_length(const struct ww_code_insn *insn, unsigned reg, const struct chain *chain)
{
	struct ww_value v = insn->regs[reg];

	return ww_planner_holds(insn, reg, chain->length) ||
	       (v.kind == WW_VALUE_ARG32 && v.id == chain->length);
}

/* WW_FORM_API: passes nothing on. */
static enum ww_site_form form_of(const struct ww_code_insn *insn, const struct chain *chain)
{
	if (!ww_planner_holds(insn, WW_CODE_RDI, 0) || !holds_type(insn, chain))
		return WW_FORM_API;
	if (ww_planner_holds(insn, WW_CODE_RDX, chain->buffer) &&
	    holds_length(insn, WW_CODE_RCX, chain))
		return WW_FORM_TYPED;
	if (ww_planner_holds(insn, WW_CODE_R8, chain->buffer) &&
	    holds_length(insn, WW_CODE_R9, chain))
		return WW_FORM_QUEUE;
	return WW_FORM_API;
}

/* Invariant 2: it has all that is needed, in registers that are not understood. */
static bool is_doubtful(const struct ww_code_insn *insn, const struct chain *chain)
{
	bool buffer = false;

	for (size_t k = 2; k < WW_ARRAY_SIZE(ww_planner_args); k++)
		buffer |= ww_planner_holds(insn, ww_planner_args[k], chain->buffer);
	return buffer && ww_planner_holds(insn, WW_CODE_RDI, 0) && holds_type(insn, chain);
}

/* The form in which any call of the function gives this target its arguments. */
static enum ww_site_form target_form(const struct ww_code *c, uint64_t target,
				     const struct chain *chain)
{
	for (size_t i = 0; target != 0 && i < c->count; i++) {
		enum ww_site_form form = form_of(&c->insns[i], chain);

		if (c->insns[i].op == WW_CODE_CALL && c->insns[i].target == target &&
		    form != WW_FORM_API)
			return form;
	}
	return WW_FORM_API;
}

static bool holds_result(const struct ww_code *c, size_t i, size_t call)
{
	struct ww_value eax = c->insns[i].regs[WW_CODE_RAX];

	return eax.kind == WW_VALUE_RESULT && eax.a == (int32_t)c->insns[call].at;
}

/*
 * The instruction that follows the call in a straight line and has its result in eax: an emulated
 * one, or else the one behind it. SIZE_MAX: none.
 */
static size_t find_result(const struct ww_code *c, size_t call)
{
	size_t at = ww_planner_next_emulated(c, call);

	if (at != SIZE_MAX && holds_result(c, at, call))
		return at;
	at = call + 1;
	return at < c->count && c->insns[at].at == c->insns[call].at + c->insns[call].bytes &&
			       holds_result(c, at, call)
		       ? at
		       : SIZE_MAX;
}

static int plan_call(const struct ww_planner *p, const struct chain *chain, size_t call,
		     enum ww_site_form form)
{
	const struct ww_code *c = p->code;
	const struct ww_code_insn *insn = &c->insns[call];
	enum ww_site_form own = form_of(insn, chain);
	size_t at = find_result(c, call);
	struct ww_site *entry, *result;
	unsigned length;
	int r;

	if (!insn->emulated || !ww_planner_holds(insn, WW_CODE_RDI, 0) || at == SIZE_MAX ||
	    (own != WW_FORM_API && own != form) || ww_planner_repeats(c, call))
		return -ENOTSUP;
	r = ww_planner_add(p, chain->symbol, WW_SITE_ENTRY, chain->dir, call, &entry);
	if (r == 0)
		r = ww_planner_add(p, chain->symbol, WW_SITE_RESULT, chain->dir, at, &result);
	if (r < 0)
		return r;
	length = form == WW_FORM_QUEUE ? WW_CODE_R9 : WW_CODE_RCX;
	entry->form = result->form = form;
	entry->len32 = insn->regs[length].kind == WW_VALUE_ARG32;
	entry->same_sp = result->same_sp = entry->sp_bytes == result->sp_bytes;
	return 0;
}

static int plan_calls(const struct ww_planner *p, const struct chain *chain)
{
	const struct ww_code *c = p->code;

	for (size_t i = 0; i < c->count; i++) {
		enum ww_site_form form;
		int r = 0;

		if (c->insns[i].op != WW_CODE_CALL)
			continue;
		form = target_form(c, c->insns[i].target, chain);
		if (form != WW_FORM_API)
			r = plan_call(p, chain, i, form);
		else if (is_doubtful(&c->insns[i], chain))
			r = -ENOTSUP;
		if (r < 0)
			return r;
	}
	return 0;
}

/* Where the function goes on with its own arguments, by jumps that leave it. *ret_next: 0: none. */
static int find_next(const struct ww_code *c, const struct chain *chain, uint64_t *ret_next)
{
	uint64_t next = 0;

	for (size_t i = 0; i < c->count; i++) {
		const struct ww_code_insn *insn = &c->insns[i];
		struct ww_value sp = insn->regs[WW_CODE_RSP];

		if (insn->op == WW_CODE_SYSCALL)
			return -ENOTSUP;
		if (insn->op != WW_CODE_OPAQUE)
			continue;
		if (insn->target == 0 || (next != 0 && insn->target != next) ||
		    form_of(insn, chain) != WW_FORM_TYPED || sp.kind != WW_VALUE_STACK || sp.a != 0)
			return -ENOTSUP;
		next = insn->target;
	}
	*ret_next = next;
	return 0;
}

/* Whether the function has sites already: two API functions go on with the same one. */
static bool is_planned(const struct ww_planner *p, uint64_t vaddr, uint64_t bytes)
{
	uint64_t at;

	if (ww_elf_offset(p->elf, vaddr, &at) < 0)
		return false;
	for (unsigned i = 0; i < p->plan->site_count; i++)
		if (p->plan->sites[i].offset - at < bytes)
			return true;
	return false;
}

/* Takes the function that was walked, and those that it goes on with. */
static int plan_chain(struct ww_planner *p, struct chain chain)
{
	unsigned begin = p->plan->site_count;

	for (unsigned hop = 0; hop < HOPS_MAX; hop++) {
		struct ww_elf_symbol fn = {0};
		int r = plan_calls(p, &chain);

		if (r == 0)
			r = find_next(p->code, &chain, &fn.vaddr);
		if (r < 0)
			return r;
		if (fn.vaddr == 0)
			return p->plan->site_count > begin ? 0 : -ENOTSUP;
		fn.size = ww_elf_room(p->elf, fn.vaddr);
		if (fn.size > WW_CODE_BYTES_MAX)
			fn.size = WW_CODE_BYTES_MAX;
		if (is_planned(p, fn.vaddr, fn.size))
			return 0;
		r = ww_planner_walk_at(p, fn, false);
		if (r < 0)
			return r;
		chain = (struct chain){chain.symbol, chain.dir, 2, 3, true};
	}
	return -ENOTSUP;
}

/*
 * gnutls_session_get_random(session, client, server) stores the addresses of two neighbouring
 * 32-byte fields of the session.
 */
static void plan_random(struct ww_planner *p)
{
	int64_t field[3] = {-1, -1, -1};

	if (ww_planner_walk(p, "gnutls_session_get_random", true) < 0)
		return;
	for (size_t i = 0; i < p->code->count; i++) {
		const struct ww_code_insn *insn = &p->code->insns[i];
		struct ww_value v;

		if (insn->stored < 0 || insn->mem.kind != WW_VALUE_ARG || insn->mem.a != 0 ||
		    insn->mem.id < 1 || insn->mem.id > 2)
			continue;
		v = insn->regs[insn->stored];
		if (v.kind != WW_VALUE_ARG || v.id != 0 || v.a < 0 || field[insn->mem.id] >= 0)
			return;
		field[insn->mem.id] = v.a;
	}
	if (field[1] < 0 || field[2] < 0 ||
	    (field[2] - field[1] != 32 && field[1] - field[2] != 32))
		return;
	p->plan->random_mode = WW_RANDOM_DIRECT;
	p->plan->random_off1 = (uint32_t)field[1];
}

int ww_site_plan_gnutls(struct ww_planner *p)
{
	unsigned present = 0;
	int r;

	p->plan->stack = WW_TLS_GNUTLS;
	for (size_t i = 0; i < WW_ARRAY_SIZE(apis); i++) {
		unsigned count = p->plan->site_count;

		r = ww_planner_walk(p, apis[i].symbol, false);
		if (r == -ENOENT)
			continue;
		present++;
		if (r == 0)
			r = plan_chain(p, apis[i]);
		if (r < 0)
			p->plan->site_count = count;
		if (r == -ENOTSUP)
			ww_planner_refuse(p->plan, apis[i].symbol);
		else if (r < 0)
			return r;
	}
	if (present == 0)
		return -ENOENT;
	r = ww_planner_walk(p, "gnutls_deinit", false);
	if (r == 0)
		r = ww_planner_single(p, "gnutls_deinit", WW_SITE_FREE, 1);
	if (r < 0 && r != -ENOENT && r != -ENOTSUP)
		return r;
	plan_random(p);
	return p->plan->site_count > 0 ? 0 : -ENOTSUP;
}
