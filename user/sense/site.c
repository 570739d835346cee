/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two shapes are accepted for a function that transfers data, tried in this order.
 *
 * A. The function calls an internal one with its own arguments: exactly one direct call at which,
 * on all paths, rdi and rsi are the arguments, rdx is the length, and rcx or r8 points at the count
 *    of bytes done; and the first emulated instruction after it, in a straight line, still has the
 *    call's outcome in eax. ENTRY is the call, RESULT that instruction.
 * B. ENTRY is the first emulated instruction in a straight line from the entry with the arguments
 * in place, or the entry itself; RESULT is every return instruction.
 *
 * Invariants, for either shape:
 * 1. No jump leads to ENTRY and it cannot run twice in one call of the function; nor can RESULT.
 * 2. Every path through ENTRY passes one RESULT (or leaves by a call that does not return). A path
 * to RESULT around ENTRY makes no call that could transfer data: it is handed no object, or is one
 *    of the error reporting functions.
 * 3. eax at RESULT is what the site says on every path.
 * A function in which these cannot be shown gets no sites and is named in `refused`.
 *
 * A function that only passes its call on to another API function (SSL_write_ex to SSL_write_ex2 in
 * OpenSSL 3.2 and later) gets no sites of its own: the other's are passed.
 */
#include "sense/site.h"

#include "sense/planner.h"

#include <errno.h>

#define RETURNS_MAX 12u

/* A function that reads or writes plaintext. */
struct api {
	const char *name;
	enum ww_dir dir;
	uint8_t done_arg; /* argument that points at the count of bytes done; 0: the result is the
			     count */
};

static const struct api apis[] = {
	{"SSL_write_ex2", WW_DIR_OUT, 4}, {"SSL_write_ex", WW_DIR_OUT, 3},
	{"SSL_write", WW_DIR_OUT, 0},     {"SSL_read_ex", WW_DIR_IN, 3},
	{"SSL_read", WW_DIR_IN, 0},
};

/* Those of a call that may point at the count are rcx and r8. */
#define arg_reg ww_planner_args

struct planner {
	struct ww_planner w;
	const struct api *api;
};

/* --- statements about one instruction ------------------------------------------------------- */

static bool holds_arg(const struct ww_code_insn *insn, unsigned arg)
{
	struct ww_value v = insn->regs[arg_reg[arg]];

	return v.kind == WW_VALUE_ARG && v.id == arg && v.a == 0;
}

/* The length is an int in the plain functions, where its extension is as good. */
static bool holds_length(const struct ww_code_insn *insn, const struct api *api)
{
	struct ww_value v = insn->regs[WW_CODE_RDX];

	return holds_arg(insn, 2) || (api->done_arg == 0 && v.kind == WW_VALUE_ARG32 && v.id == 2);
}

static bool starts_with(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* Functions that get a stale argument register but do nothing with it. */
static bool is_harmless(const char *name)
{
	return name && (starts_with(name, "ERR_") || strcmp(name, "__stack_chk_fail") == 0);
}

/* A call that may act on the object: invariant 2. */
static bool may_transfer(const struct planner *p, const struct ww_code_insn *insn)
{
	bool passed = false;

	if (insn->op != WW_CODE_CALL)
		return false;
	for (size_t k = 0; k < WW_ARRAY_SIZE(arg_reg); k++) {
		struct ww_value v = insn->regs[arg_reg[k]];

		passed |= v.kind == WW_VALUE_ARG && v.id == 0;
	}
	return passed && !is_harmless(ww_code_callee(p->w.elf, insn));
}

/* --- shape A -------------------------------------------------------------------------------- */

/* Register that points at the count of bytes done at a call: WW_CODE_RCX, WW_CODE_R8, or -1. */
static int counter_reg(const struct ww_code_insn *insn, const struct api *api)
{
	static const uint8_t where[] = {WW_CODE_RCX, WW_CODE_R8};
	int found = -1;

	for (size_t k = 0; k < sizeof(where); k++) {
		struct ww_value v = insn->regs[where[k]];
		bool is = api->done_arg == 0
				  ? v.kind == WW_VALUE_STACK && v.a < 0
				  : v.kind == WW_VALUE_ARG && v.id == api->done_arg && v.a == 0;

		if (is && found >= 0)
			return -1;
		if (is)
			found = where[k];
	}
	return found;
}

static bool is_internal_call(const struct planner *p, size_t i)
{
	const struct ww_code_insn *insn = &p->w.code->insns[i];

	return insn->op == WW_CODE_CALL && insn->emulated && holds_arg(insn, 0) &&
	       holds_arg(insn, 1) && holds_length(insn, p->api) && counter_reg(insn, p->api) >= 0 &&
	       !is_harmless(ww_code_callee(p->w.elf, insn));
}

/* The one call of the internal function, or SIZE_MAX. */
static size_t find_internal_call(const struct planner *p)
{
	size_t found = SIZE_MAX;

	for (size_t i = 0; i < p->w.code->count; i++) {
		if (!is_internal_call(p, i))
			continue;
		if (found != SIZE_MAX)
			return SIZE_MAX;
		found = i;
	}
	return found;
}

/* Whether a path that does not pass `entry` calls something that may transfer data. */
static bool transfers_around(const struct planner *p, size_t entry)
{
	bool mark[WW_CODE_INSNS_MAX] = {false};

	mark[0] = entry != 0;
	if (entry != 0)
		ww_code_reach(p->w.code, 0, entry, mark);
	for (size_t i = 0; i < p->w.code->count; i++)
		if (mark[i] && may_transfer(p, &p->w.code->insns[i]))
			return true;
	return false;
}

static int plan_call(const struct planner *p)
{
	const struct ww_code *c = p->w.code;
	struct ww_site *entry, *result;
	struct ww_value eax, counter;
	size_t call, jump;
	int reg, r;

	call = find_internal_call(p);
	if (call == SIZE_MAX || c->insns[call].joined || ww_planner_repeats(c, call) ||
	    transfers_around(p, call))
		return -ENOTSUP;
	jump = ww_planner_next_emulated(c, call);
	if (jump == SIZE_MAX || c->insns[jump].joined || ww_planner_repeats(c, jump))
		return -ENOTSUP;
	reg = counter_reg(&c->insns[call], p->api);
	counter = c->insns[call].regs[reg];
	eax = c->insns[jump].regs[WW_CODE_RAX];
	if (eax.kind != WW_VALUE_RESULT && eax.kind != WW_VALUE_COUNT)
		return -ENOTSUP;
	if (eax.a != (int32_t)c->insns[call].at)
		return -ENOTSUP;
	if (eax.kind == WW_VALUE_COUNT && (counter.kind != WW_VALUE_STACK || counter.a != eax.b))
		return -ENOTSUP;
	r = ww_planner_add(&p->w, p->api->name, WW_SITE_ENTRY, p->api->dir, call, &entry);
	if (r == 0)
		r = ww_planner_add(&p->w, p->api->name, WW_SITE_RESULT, p->api->dir, jump, &result);
	if (r < 0)
		return r;
	entry->has_done = true;
	entry->done_r8 = reg == WW_CODE_R8;
	entry->len32 = p->api->done_arg == 0;
	result->has_done = eax.kind == WW_VALUE_RESULT;
	entry->same_sp = result->same_sp = entry->sp_bytes == result->sp_bytes;
	return 0;
}

/* --- shape B -------------------------------------------------------------------------------- */

/*
 * The first emulated instruction from the entry on, in a straight line, at which the arguments of
 * the mask are in place; the entry itself when there is none.
 */
static size_t first_site(const struct ww_code *c, unsigned args, const struct api *api)
{
	for (size_t i = 0; i < c->count && !c->insns[i].joined; i++) {
		const struct ww_code_insn *insn = &c->insns[i];
		bool intact = true;

		for (unsigned k = 0; k < WW_ARRAY_SIZE(arg_reg); k++)
			if (args & (1u << k))
				intact &= k == 2 ? holds_length(insn, api) : holds_arg(insn, k);
		if (!intact)
			break;
		if (insn->emulated)
			return i;
		if (insn->op != WW_CODE_OTHER)
			break;
	}
	return 0;
}

static int plan_returns(const struct planner *p)
{
	const struct ww_code *c = p->w.code;
	const struct api *api = p->api;
	unsigned args = 7u | (api->done_arg ? 1u << api->done_arg : 0);
	struct ww_site *entry, *result;
	size_t first = first_site(c, args, api);
	unsigned returns = 0;
	bool same_sp = true;
	int r;

	if (ww_planner_repeats(c, first))
		return -ENOTSUP;
	r = ww_planner_add(&p->w, api->name, WW_SITE_ENTRY, api->dir, first, &entry);
	if (r < 0)
		return r;
	entry->has_done = api->done_arg != 0;
	entry->done_r8 = api->done_arg == 4;
	entry->len32 = api->done_arg == 0;
	for (size_t i = 0; i < c->count; i++) {
		if (c->insns[i].op == WW_CODE_OPAQUE || c->insns[i].op == WW_CODE_SYSCALL)
			return -ENOTSUP;
		if (c->insns[i].op != WW_CODE_RETURN)
			continue;
		if (++returns > RETURNS_MAX)
			return -ENOTSUP;
		r = ww_planner_add(&p->w, api->name, WW_SITE_RESULT, api->dir, i, &result);
		if (r < 0)
			return r;
		if (result->sp_bytes != 0)
			return -ENOTSUP;
		result->has_done = entry->has_done;
		result->same_sp = result->sp_bytes == entry->sp_bytes;
		same_sp = result->same_sp;
	}
	entry->same_sp = same_sp;
	return returns > 0 ? 0 : -ENOTSUP;
}

/* --- one function --------------------------------------------------------------------------- */

/* The other API function that this one calls or jumps to, or NULL. */
static const struct api *passes_on(const struct planner *p)
{
	for (size_t i = 0; i < p->w.code->count; i++) {
		const struct ww_code_insn *insn = &p->w.code->insns[i];
		const char *name = NULL;

		if (insn->op == WW_CODE_CALL || insn->op == WW_CODE_OPAQUE ||
		    insn->op == WW_CODE_SYSCALL)
			name = ww_code_callee(p->w.elf, insn);
		for (size_t k = 0; name && k < WW_ARRAY_SIZE(apis); k++)
			if (&apis[k] != p->api && strcmp(name, apis[k].name) == 0)
				return &apis[k];
	}
	return NULL;
}

/* Sites of a failed attempt are taken back, so that a function has all of its sites or none. */
static int attempt(const struct planner *p, int (*shape)(const struct planner *p))
{
	unsigned count = p->w.plan->site_count;
	int r = shape(p);

	if (r < 0)
		p->w.plan->site_count = count;
	return r;
}

/* apis[] lists a function after the one it may pass its calls on to. */
static int plan_api(const struct planner *p)
{
	const struct api *other = passes_on(p);

	if (other)
		return other->dir == p->api->dir && ww_planner_has(p->w.plan, other->name)
			       ? 0
			       : -ENOTSUP;
	return attempt(p, plan_call) == 0 ? 0 : attempt(p, plan_returns);
}

/* --- client random -------------------------------------------------------------------------- */

#define PLACES_MAX 64

/* Memory that a function looks at through its first argument. */
struct places {
	size_t count;
	struct ww_value at[PLACES_MAX]; /* ARG or LOADED */
};

static bool same_place(struct ww_value x, struct ww_value y)
{
	return x.kind == y.kind && x.a == y.a && x.b == y.b;
}

static bool has_place(const struct places *s, struct ww_value v)
{
	for (size_t i = 0; i < s->count; i++)
		if (same_place(s->at[i], v))
			return true;
	return false;
}

static int find_places(struct planner *p, const char *name, struct places *s)
{
	int r = ww_planner_walk(&p->w, name, true);

	s->count = 0;
	for (size_t i = 0; r == 0 && i < p->w.code->count; i++) {
		struct ww_value v = p->w.code->insns[i].mem;
		bool is = (v.kind == WW_VALUE_ARG || v.kind == WW_VALUE_LOADED) && v.id == 0;

		if (!is || has_place(s, v))
			continue;
		if (s->count == PLACES_MAX)
			return -ENOTSUP;
		s->at[s->count++] = v;
	}
	return r;
}

static bool same_base(struct ww_value x, struct ww_value y)
{
	return x.kind == y.kind && (x.kind == WW_VALUE_ARG || x.a == y.a);
}

static int32_t distance(struct ww_value x, struct ww_value base)
{
	return x.kind == WW_VALUE_ARG ? x.a - base.a : x.b - base.b;
}

/* The lowest place of the list with v's base that the other list does not have. */
static struct ww_value lowest(const struct places *s, const struct places *not_in,
			      struct ww_value v)
{
	for (size_t i = 0; i < s->count; i++)
		if (same_base(s->at[i], v) && !has_place(not_in, s->at[i]) &&
		    distance(s->at[i], v) < 0)
			v = s->at[i];
	return v;
}

/*
 * SSL_get_client_random and SSL_get_server_random are the same code over two neighbouring 32-byte
 * fields. What both look at is not a random; of the rest, the lowest places of the two must lie 32
 * bytes apart behind the same base, and only one base may give such a pair.
 */
static void plan_random(struct planner *p)
{
	struct places client, server;
	struct ww_value found = {.kind = WW_VALUE_ANY};

	if (find_places(p, "SSL_get_client_random", &client) < 0 ||
	    find_places(p, "SSL_get_server_random", &server) < 0)
		return;
	for (size_t i = 0; i < client.count; i++) {
		struct ww_value c = client.at[i];

		if (has_place(&server, c) || !same_place(lowest(&client, &server, c), c))
			continue;
		for (size_t k = 0; k < server.count; k++) {
			struct ww_value s = server.at[k];

			if (!same_base(s, c) || has_place(&client, s) ||
			    !same_place(lowest(&server, &client, s), s))
				continue;
			if (distance(c, s) != 32 && distance(s, c) != 32)
				continue;
			if (found.kind != WW_VALUE_ANY)
				return;
			found = c;
		}
	}
	if (found.kind == WW_VALUE_ANY || found.a < 0 || found.b < 0)
		return;
	p->w.plan->random_mode = found.kind == WW_VALUE_ARG ? WW_RANDOM_DIRECT : WW_RANDOM_DEREF;
	p->w.plan->random_off1 = (uint32_t)found.a;
	p->w.plan->random_off2 = (uint32_t)found.b;
}

/* --- the file ------------------------------------------------------------------------------- */

static int plan_file(struct planner *p)
{
	unsigned present = 0;
	int r;

	for (size_t i = 0; i < WW_ARRAY_SIZE(apis); i++) {
		p->api = &apis[i];
		r = ww_planner_walk(&p->w, p->api->name, false);
		if (r == -ENOENT)
			continue;
		present++;
		if (r == 0)
			r = plan_api(p);
		if (r == -ENOTSUP)
			ww_planner_refuse(p->w.plan, p->api->name);
		else if (r < 0)
			return r;
	}
	r = ww_planner_walk(&p->w, "BIO_write", false);
	if (r != -ENOENT)
		present++;
	if (r == 0)
		r = ww_planner_single(&p->w, "BIO_write", WW_SITE_PREFIX, 6);
	if (r < 0 && r != -ENOENT && r != -ENOTSUP)
		return r;
	if (present == 0)
		return -ENOENT;
	r = ww_planner_walk(&p->w, "SSL_free", false);
	if (r == 0)
		r = ww_planner_single(&p->w, "SSL_free", WW_SITE_FREE, 1);
	if (r < 0 && r != -ENOENT && r != -ENOTSUP)
		return r;
	plan_random(p);
	return p->w.plan->site_count > 0 ? 0 : -ENOTSUP;
}

int ww_site_plan(int fd, struct ww_tls_plan *ret_plan)
{
	WW_AUTO(ww_elf_free_auto) struct ww_elf *elf = NULL;
	struct ww_tls_plan plan = {.stack = WW_TLS_OPENSSL};
	struct planner p = {.w.plan = &plan};
	int r;

	r = ww_elf_open(fd, &elf);
	if (r < 0)
		return r;
	p.w.elf = elf;
	r = plan_file(&p);
	if (r == -ENOENT)
		r = ww_site_plan_gnutls(&p.w);
	if (r == -ENOENT)
		r = ww_site_plan_go(&p.w);
	ww_code_free(p.w.code);
	if (r < 0)
		return r;
	*ret_plan = plan;
	return 0;
}
