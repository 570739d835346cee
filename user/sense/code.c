/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariants:
 * 1. An instruction is analysed only as part of a path from the function's first byte; two reached
 *    instructions never overlap, or the function is refused.
 * 2. meet() only ever moves a value down (NEVER, then something known, then ANY; FAIL lies between
 *    NEVER and RESULT/COUNT), so the fixed point exists; when it is not found within PASSES_MAX the
 *    function is refused.
 * 3. A register that an instruction writes is ANY after it unless step() names the value.
 */
#include "sense/code.h"

#include <elf.h>
#include <errno.h>
#include <Zydis/Zydis.h>

#define PASSES_MAX 64
#define NONE       UINT16_MAX

struct walk {
	const struct ww_elf *elf;
	ZydisDecoder decoder;
	uint64_t vaddr;
	size_t bytes;
	bool calls_end;
	uint8_t code[WW_CODE_BYTES_MAX];
	uint16_t index[WW_CODE_BYTES_MAX]; /* insn that starts at this byte, or NONE */
	uint16_t todo[WW_CODE_INSNS_MAX];  /* bytes at which reached, not yet decoded code starts */
	size_t todo_count;
	struct ww_code *out;
};

struct decoded {
	ZydisDecodedInstruction in;
	ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
};

static const struct ww_value any = {.kind = WW_VALUE_ANY};

static bool value_eq(struct ww_value x, struct ww_value y)
{
	return x.kind == y.kind && x.id == y.id && x.a == y.a && x.b == y.b;
}

static bool is_outcome(struct ww_value v)
{
	return v.kind == WW_VALUE_RESULT || v.kind == WW_VALUE_COUNT;
}

static bool is_whole(struct ww_value v)
{
	return v.kind == WW_VALUE_ARG && v.a == 0;
}

static struct ww_value meet(struct ww_value x, struct ww_value y)
{
	if (value_eq(x, y) || y.kind == WW_VALUE_NEVER)
		return x;
	if (x.kind == WW_VALUE_NEVER)
		return y;
	if (is_outcome(x) && y.kind == WW_VALUE_FAIL)
		return x;
	if (is_outcome(y) && x.kind == WW_VALUE_FAIL)
		return y;
	if (x.id == y.id && is_whole(x) && y.kind == WW_VALUE_ARG32)
		return y;
	if (x.id == y.id && is_whole(y) && x.kind == WW_VALUE_ARG32)
		return x;
	return any;
}

/* --- decoding ------------------------------------------------------------------------------- */

static bool decode(const struct walk *w, size_t at, struct decoded *ret_d)
{
	return ZYAN_SUCCESS(ZydisDecoderDecodeFull(&w->decoder, w->code + at, w->bytes - at,
						   &ret_d->in, ret_d->op));
}

/*
 * What arch/x86/kernel/uprobes.c emulates in every kernel from 5.10 to 6.18: relative calls and
 * jumps, push of a register, the one-byte nop. Longer nops are stepped, prefixed forms are not
 * worth a case.
 */
static bool is_emulated(const uint8_t *p, size_t n)
{
	switch (n) {
	case 1:
		return (p[0] >= 0x50 && p[0] <= 0x57) || p[0] == 0x90;
	case 2:
		return p[0] == 0xeb || (p[0] >= 0x70 && p[0] <= 0x7f) ||
		       (p[0] == 0x41 && p[1] >= 0x50 && p[1] <= 0x57);
	case 5:
		return p[0] == 0xe8 || p[0] == 0xe9;
	case 6:
		return p[0] == 0x0f && p[1] >= 0x80 && p[1] <= 0x8f;
	default:
		return false;
	}
}

static enum ww_code_op op_of(const ZydisDecodedInstruction *in)
{
	switch (in->meta.category) {
	case ZYDIS_CATEGORY_CALL:
		return WW_CODE_CALL;
	case ZYDIS_CATEGORY_COND_BR:
		return WW_CODE_BRANCH;
	case ZYDIS_CATEGORY_UNCOND_BR:
		return WW_CODE_JUMP;
	case ZYDIS_CATEGORY_RET:
		return WW_CODE_RETURN;
	case ZYDIS_CATEGORY_SYSCALL:
		return in->mnemonic == ZYDIS_MNEMONIC_SYSCALL ? WW_CODE_SYSCALL : WW_CODE_OPAQUE;
	case ZYDIS_CATEGORY_SYSRET:
		return WW_CODE_OPAQUE; /* changes more than its operands say */
	default:
		break;
	}
	switch (in->mnemonic) {
	case ZYDIS_MNEMONIC_UD0:
	case ZYDIS_MNEMONIC_UD1:
	case ZYDIS_MNEMONIC_UD2:
	case ZYDIS_MNEMONIC_INT3:
	case ZYDIS_MNEMONIC_HLT:
		return WW_CODE_TRAP;
	default:
		return WW_CODE_OTHER;
	}
}

static void find_target(const struct walk *w, const struct decoded *d, struct ww_code_insn *insn)
{
	const ZydisDecodedOperand *o = &d->op[0];
	ZyanU64 to = 0;

	if (d->in.operand_count == 0 ||
	    !ZYAN_SUCCESS(ZydisCalcAbsoluteAddress(&d->in, o, w->vaddr + insn->at, &to)))
		return;
	if (o->type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
		insn->target = to;
	else if (o->type == ZYDIS_OPERAND_TYPE_MEMORY && o->mem.base == ZYDIS_REGISTER_RIP)
		insn->slot = to;
}

/* Notes that control may pass to byte `at`. */
static int want(struct walk *w, size_t at)
{
	if (at >= w->bytes)
		return -ENOTSUP;
	if (w->index[at] != NONE)
		return 0;
	if (w->out->count + w->todo_count >= WW_CODE_INSNS_MAX)
		return -ENOTSUP;
	w->index[at] = 0; /* numbered when sorted */
	w->todo[w->todo_count++] = (uint16_t)at;
	return 0;
}

/* The decoded instruction right before byte `at`; false: none, or none that is known yet. */
static bool decode_before(const struct walk *w, size_t *at, struct decoded *ret_d)
{
	for (size_t back = 1; back <= ZYDIS_MAX_INSTRUCTION_LENGTH && back <= *at; back++) {
		if (w->index[*at - back] == NONE || !decode(w, *at - back, ret_d) ||
		    ret_d->in.length != back)
			continue;
		*at -= back;
		return true;
	}
	return false;
}

static bool is_gpr(const ZydisDecodedOperand *o, ZydisRegister reg)
{
	return o->type == ZYDIS_OPERAND_TYPE_REGISTER && o->reg.value == reg;
}

/*
 * The table behind `jmp *%a`, when the three instructions before it are `lea table(%rip),%b`,
 * `movslq (%b,index,4),%a`, `add %b,%a`. 0: it is none of these.
 */
static uint64_t find_table(const struct walk *w, size_t at, const struct decoded *jump)
{
	struct decoded add, load, lea;
	ZydisRegister a = jump->op[0].reg.value, b;
	ZyanU64 table = 0;

	if (jump->in.operand_count == 0 || jump->op[0].type != ZYDIS_OPERAND_TYPE_REGISTER ||
	    !decode_before(w, &at, &add) || add.in.mnemonic != ZYDIS_MNEMONIC_ADD ||
	    !is_gpr(&add.op[0], a) || add.op[1].type != ZYDIS_OPERAND_TYPE_REGISTER)
		return 0;
	b = add.op[1].reg.value;
	if (a == b || !decode_before(w, &at, &load) || load.in.mnemonic != ZYDIS_MNEMONIC_MOVSXD ||
	    !is_gpr(&load.op[0], a) || load.op[1].type != ZYDIS_OPERAND_TYPE_MEMORY ||
	    load.op[1].size != 32 || load.op[1].mem.base != b || load.op[1].mem.scale != 4 ||
	    load.op[1].mem.disp.has_displacement)
		return 0;
	if (!decode_before(w, &at, &lea) || lea.in.mnemonic != ZYDIS_MNEMONIC_LEA ||
	    !is_gpr(&lea.op[0], b) || lea.op[1].mem.base != ZYDIS_REGISTER_RIP ||
	    !ZYAN_SUCCESS(ZydisCalcAbsoluteAddress(&lea.in, &lea.op[1], w->vaddr + at, &table)))
		return 0;
	return table;
}

static bool inside(const struct walk *w, uint64_t target)
{
	return target >= w->vaddr && target - w->vaddr < w->bytes;
}

/* Fills in the targets of a switch. Without any the jump stays opaque. */
static int read_table(struct walk *w, struct ww_code_insn *insn, uint64_t table)
{
	struct ww_code *c = w->out;

	insn->first_target = (uint16_t)c->target_count;
	for (uint64_t i = 0;; i++) {
		int32_t entry;
		uint64_t to;
		int r = ww_elf_data(w->elf, table + 4 * i, &entry, sizeof(entry));

		if (r < 0 && r != -ENOENT)
			return r;
		to = table + (uint64_t)(int64_t)entry;
		if (r < 0 || !inside(w, to))
			break;
		if (c->target_count == WW_CODE_TARGETS_MAX)
			return -ENOTSUP;
		c->targets[c->target_count++] = (uint32_t)(to - w->vaddr);
		insn->targets++;
	}
	insn->op = insn->targets > 0 ? WW_CODE_SWITCH : WW_CODE_OPAQUE;
	return 0;
}

static int want_targets(struct walk *w, const struct ww_code_insn *insn)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < insn->targets; i++)
		r = want(w, w->out->targets[insn->first_target + i]);
	return r;
}

/* Where control goes from a decoded instruction. */
static int want_next(struct walk *w, struct ww_code_insn *insn, const struct decoded *d)
{
	size_t next = insn->at + insn->bytes;
	uint64_t table;
	int r = 0;

	if (insn->op == WW_CODE_JUMP && insn->target == 0) {
		table = find_table(w, insn->at, d);
		r = table ? read_table(w, insn, table) : 0;
		if (r < 0)
			return r;
	}
	if ((insn->op == WW_CODE_JUMP || insn->op == WW_CODE_BRANCH) && !inside(w, insn->target))
		insn->op = WW_CODE_OPAQUE;
	switch ((enum ww_code_op)insn->op) {
	case WW_CODE_SWITCH:
		return want_targets(w, insn);
	case WW_CODE_RETURN:
	case WW_CODE_TRAP:
	case WW_CODE_OPAQUE:
		return 0;
	case WW_CODE_CALL:
		/* A call at the very end does not return (__stack_chk_fail). */
		return w->calls_end || next == w->bytes ? 0 : want(w, next);
	case WW_CODE_JUMP:
		return want(w, (size_t)(insn->target - w->vaddr));
	case WW_CODE_BRANCH:
		r = want(w, (size_t)(insn->target - w->vaddr));
		break;
	case WW_CODE_SYSCALL:
	case WW_CODE_OTHER:
		break;
	}
	return r < 0 ? r : want(w, next);
}

static int discover(struct walk *w)
{
	int r = want(w, 0);

	while (r == 0 && w->todo_count > 0) {
		struct ww_code_insn *insn = &w->out->insns[w->out->count];
		size_t at = w->todo[--w->todo_count];
		struct decoded d;

		if (!decode(w, at, &d))
			return -ENOTSUP;
		w->out->count++;
		insn->at = (uint32_t)at;
		insn->bytes = d.in.length;
		insn->op = (uint8_t)op_of(&d.in);
		insn->emulated = is_emulated(w->code + at, d.in.length);
		find_target(w, &d, insn);
		r = want_next(w, insn, &d);
	}
	return r;
}

static int by_address(const void *a, const void *b)
{
	const struct ww_code_insn *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

/* Sorts, numbers, refuses overlaps, marks the targets of jumps. */
static int arrange(struct walk *w)
{
	struct ww_code *c = w->out;

	qsort(c->insns, c->count, sizeof(c->insns[0]), by_address);
	for (size_t i = 0; i < c->count; i++) {
		if (i > 0 && c->insns[i - 1].at + c->insns[i - 1].bytes > c->insns[i].at)
			return -ENOTSUP;
		w->index[c->insns[i].at] = (uint16_t)i;
	}
	for (size_t i = 0; i < c->count; i++) {
		const struct ww_code_insn *insn = &c->insns[i];

		if (insn->op == WW_CODE_JUMP || insn->op == WW_CODE_BRANCH)
			c->insns[w->index[insn->target - w->vaddr]].joined = true;
		for (size_t k = 0; k < insn->targets; k++)
			c->insns[w->index[c->targets[insn->first_target + k]]].joined = true;
	}
	return 0;
}

/* --- values --------------------------------------------------------------------------------- */

/* Index of the general register that holds r, or -1. */
static int reg_index(ZydisRegister r)
{
	ZydisRegister whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, r);

	if (ZydisRegisterGetClass(whole) != ZYDIS_REGCLASS_GPR64)
		return -1;
	return ZydisRegisterGetId(whole);
}

static bool is_reg(const ZydisDecodedOperand *o, int bits)
{
	return o->type == ZYDIS_OPERAND_TYPE_REGISTER && o->size == bits &&
	       reg_index(o->reg.value) >= 0;
}

static bool fits(int64_t v)
{
	return v > -(1 << 20) && v < (1 << 20);
}

static struct ww_value moved(struct ww_value v, int64_t by)
{
	int64_t to;

	switch (v.kind) {
	case WW_VALUE_ARG:
	case WW_VALUE_STACK:
		to = v.a + by;
		v.a = (int32_t)to;
		break;
	case WW_VALUE_LOADED:
		to = v.b + by;
		v.b = (int32_t)to;
		break;
	default:
		return any;
	}
	return fits(by) && fits(to) ? v : any;
}

/* The value's low 32 bits, extended either way. */
static struct ww_value narrowed(struct ww_value v)
{
	switch (v.kind) {
	case WW_VALUE_ARG:
		if (v.a != 0)
			return any;
		v.kind = WW_VALUE_ARG32;
		return v;
	case WW_VALUE_ARG32:
	case WW_VALUE_SLOT:
	case WW_VALUE_FAIL:
	case WW_VALUE_CONST:
	case WW_VALUE_RESULT:
	case WW_VALUE_COUNT:
		return v;
	default:
		return any;
	}
}

static struct ww_value address_of(const ZydisDecodedOperand *o, const struct ww_value *regs)
{
	int base;

	if (o->type != ZYDIS_OPERAND_TYPE_MEMORY || o->mem.index != ZYDIS_REGISTER_NONE ||
	    ZydisRegisterGetClass(o->mem.base) != ZYDIS_REGCLASS_GPR64 ||
	    o->mem.segment == ZYDIS_REGISTER_FS || o->mem.segment == ZYDIS_REGISTER_GS)
		return any;
	base = reg_index(o->mem.base);
	return moved(regs[base], o->mem.disp.has_displacement ? o->mem.disp.value : 0);
}

static struct ww_value loaded(const ZydisDecodedOperand *o, const struct ww_value *regs)
{
	struct ww_value at = address_of(o, regs);

	if (at.kind == WW_VALUE_ARG && o->size == 64)
		return (struct ww_value){WW_VALUE_LOADED, at.id, at.a, 0};
	if (at.kind == WW_VALUE_STACK && o->size == 32)
		return (struct ww_value){WW_VALUE_SLOT, 0, at.a, 0};
	return any;
}

static struct ww_value source(const ZydisDecodedOperand *o, const struct ww_value *regs)
{
	if (is_reg(o, 64))
		return regs[reg_index(o->reg.value)];
	if (is_reg(o, 32))
		return narrowed(regs[reg_index(o->reg.value)]);
	if (o->type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
		int32_t a = (int32_t)o->imm.value.u;

		return a > 0 ? (struct ww_value){WW_VALUE_CONST, 0, a, 0}
			     : (struct ww_value){.kind = WW_VALUE_FAIL};
	}
	return loaded(o, regs);
}

/* dst = flags say (result > 0) ? yes : no, where one side is the result and the other the slot. */
static struct ww_value chosen(struct ww_value flags, struct ww_value yes, struct ww_value no)
{
	if (flags.kind != WW_VALUE_RESULT || !value_eq(flags, no) || yes.kind != WW_VALUE_SLOT)
		return any;
	return (struct ww_value){WW_VALUE_COUNT, 0, no.a, yes.a};
}

/* Value of the first operand after the instruction, for the few forms that are followed. */
static struct ww_value computed(const struct decoded *d, const struct ww_value *regs)
{
	const ZydisDecodedOperand *o = d->op;
	struct ww_value dst = source(&o[0], regs);

	switch (d->in.mnemonic) {
	case ZYDIS_MNEMONIC_MOV:
	case ZYDIS_MNEMONIC_MOVSXD:
		return source(&o[1], regs);
	case ZYDIS_MNEMONIC_LEA:
		return o[0].size == 64 ? address_of(&o[1], regs) : any;
	case ZYDIS_MNEMONIC_ADD:
	case ZYDIS_MNEMONIC_SUB:
		if (o[0].size != 64 || o[1].type != ZYDIS_OPERAND_TYPE_IMMEDIATE ||
		    !fits(o[1].imm.value.s))
			return any;
		return moved(dst, d->in.mnemonic == ZYDIS_MNEMONIC_ADD ? o[1].imm.value.s
								       : -o[1].imm.value.s);
	case ZYDIS_MNEMONIC_XOR:
		if (is_reg(&o[1], o[0].size) && o[0].reg.value == o[1].reg.value)
			return (struct ww_value){.kind = WW_VALUE_FAIL};
		return any;
	case ZYDIS_MNEMONIC_CMOVNLE:
		return chosen(regs[WW_CODE_FLAGS], source(&o[1], regs), dst);
	case ZYDIS_MNEMONIC_CMOVLE:
		return chosen(regs[WW_CODE_FLAGS], dst, source(&o[1], regs));
	default:
		return any;
	}
}

/* A comparison of a 32-bit value with zero, after which jle/jg and cmovle/cmovg mean its sign. */
static struct ww_value compared(const struct decoded *d, const struct ww_value *regs)
{
	const ZydisDecodedOperand *o = d->op;

	if (!is_reg(&o[0], 32))
		return any;
	if (d->in.mnemonic == ZYDIS_MNEMONIC_TEST && is_reg(&o[1], 32) &&
	    o[0].reg.value == o[1].reg.value)
		return source(&o[0], regs);
	if (d->in.mnemonic == ZYDIS_MNEMONIC_CMP && o[1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE &&
	    o[1].imm.value.u == 0)
		return source(&o[0], regs);
	return any;
}

static void step_call(const struct ww_code_insn *insn, struct ww_value *regs)
{
	static const uint8_t lost[] = {WW_CODE_RCX, WW_CODE_RDX, WW_CODE_RSI,
				       WW_CODE_RDI, WW_CODE_R8,  WW_CODE_R9,
				       10,          11,          WW_CODE_FLAGS};

	for (size_t i = 0; i < sizeof(lost); i++)
		regs[lost[i]] = any;
	regs[WW_CODE_RAX] = (struct ww_value){WW_VALUE_RESULT, 0, (int32_t)insn->at, 0};
}

/* regs: in, the values before the instruction; out, those after it. */
static void step(const struct decoded *d, const struct ww_code_insn *insn, struct ww_value *regs)
{
	const ZydisAccessedFlags *f = d->in.cpu_flags;
	struct ww_value rsp = regs[WW_CODE_RSP];
	struct ww_value rbp = regs[WW_CODE_RBP];
	struct ww_value rax = regs[WW_CODE_RAX];
	struct ww_value dst = any, flags = any;
	int to = -1;

	if (insn->op == WW_CODE_CALL) {
		step_call(insn, regs);
		return;
	}
	if (insn->op == WW_CODE_SYSCALL) {
		regs[WW_CODE_RAX] = regs[WW_CODE_RCX] = regs[11] = regs[WW_CODE_FLAGS] = any;
		return;
	}
	if (d->in.operand_count_visible >= 1 && (is_reg(&d->op[0], 64) || is_reg(&d->op[0], 32))) {
		to = reg_index(d->op[0].reg.value);
		if (d->in.operand_count_visible >= 2) {
			dst = computed(d, regs);
			flags = compared(d, regs);
		}
	}
	for (size_t i = 0; i < d->in.operand_count; i++) {
		const ZydisDecodedOperand *o = &d->op[i];
		int reg = -1;

		if (o->type == ZYDIS_OPERAND_TYPE_REGISTER &&
		    (o->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE))
			reg = reg_index(o->reg.value);
		if (reg >= 0)
			regs[reg] = reg == to && i == 0 ? dst : any;
	}
	if (f && (f->modified | f->set_0 | f->set_1 | f->undefined))
		regs[WW_CODE_FLAGS] = flags;
	if (d->in.mnemonic == ZYDIS_MNEMONIC_PUSH && d->in.operand_width == 64)
		regs[WW_CODE_RSP] = moved(rsp, -8);
	else if (d->in.mnemonic == ZYDIS_MNEMONIC_POP && to != WW_CODE_RSP)
		regs[WW_CODE_RSP] = moved(rsp, 8);
	else if (d->in.mnemonic == ZYDIS_MNEMONIC_LEAVE)
		regs[WW_CODE_RSP] = moved(rbp, 8);
	else if (d->in.mnemonic == ZYDIS_MNEMONIC_CDQE)
		regs[WW_CODE_RAX] = narrowed(rax);
}

/* Merges into the instruction that starts at byte `at`. Returns whether anything changed. */
static bool merge(const struct walk *w, size_t at, const struct ww_value *regs)
{
	struct ww_code_insn *insn = &w->out->insns[w->index[at]];
	bool changed = false;

	for (size_t i = 0; i < WW_CODE_REGS; i++) {
		struct ww_value v = meet(insn->regs[i], regs[i]);

		changed |= !value_eq(v, insn->regs[i]);
		insn->regs[i] = v;
	}
	return changed;
}

static bool is_reached(const struct ww_code_insn *insn)
{
	return insn->regs[WW_CODE_RSP].kind != WW_VALUE_NEVER;
}

/* One instruction's effect on its successors. */
static bool flow(const struct walk *w, struct ww_code_insn *insn, const struct decoded *d)
{
	struct ww_value regs[WW_CODE_REGS];
	size_t next = insn->at + insn->bytes;
	bool changed = false;

	memcpy(regs, insn->regs, sizeof(regs));
	step(d, insn, regs);
	if (insn->op == WW_CODE_JUMP || insn->op == WW_CODE_BRANCH)
		changed |= merge(w, (size_t)(insn->target - w->vaddr), regs);
	for (size_t i = 0; i < insn->targets; i++)
		changed |= merge(w, w->out->targets[insn->first_target + i], regs);
	if (insn->op == WW_CODE_OTHER || insn->op == WW_CODE_BRANCH ||
	    insn->op == WW_CODE_SYSCALL ||
	    (insn->op == WW_CODE_CALL && !w->calls_end && next < w->bytes))
		changed |= merge(w, next, regs);
	return changed;
}

static int8_t stored_reg(const struct decoded *d)
{
	bool is = d->in.mnemonic == ZYDIS_MNEMONIC_MOV && d->in.operand_count_visible == 2 &&
		  d->op[0].type == ZYDIS_OPERAND_TYPE_MEMORY && is_reg(&d->op[1], 64);

	return is ? (int8_t)reg_index(d->op[1].reg.value) : -1;
}

static int solve(struct walk *w)
{
	static const uint8_t args[] = {WW_CODE_RDI, WW_CODE_RSI, WW_CODE_RDX,
				       WW_CODE_RCX, WW_CODE_R8,  WW_CODE_R9};
	struct ww_code *c = w->out;
	bool changed = true;

	for (size_t i = 0; i < WW_CODE_REGS; i++)
		c->insns[0].regs[i] = any;
	for (size_t i = 0; i < sizeof(args); i++)
		c->insns[0].regs[args[i]] = (struct ww_value){WW_VALUE_ARG, (uint8_t)i, 0, 0};
	c->insns[0].regs[WW_CODE_RSP] = (struct ww_value){.kind = WW_VALUE_STACK};
	for (int pass = 0; changed; pass++) {
		changed = false;
		if (pass == PASSES_MAX)
			return -ENOTSUP;
		for (size_t i = 0; i < c->count; i++) {
			struct decoded d;

			if (!is_reached(&c->insns[i]))
				continue;
			if (!decode(w, c->insns[i].at, &d))
				return -ENOTSUP;
			changed |= flow(w, &c->insns[i], &d);
			c->insns[i].stored = stored_reg(&d);
			c->insns[i].mem = any;
			for (size_t k = 0; k < d.in.operand_count_visible; k++)
				if (d.op[k].type == ZYDIS_OPERAND_TYPE_MEMORY)
					c->insns[i].mem = address_of(&d.op[k], c->insns[i].regs);
		}
	}
	return 0;
}

/* The function's bytes, ready to be decoded. */
static int begin(const struct ww_elf *e, struct ww_elf_symbol fn, struct walk *w)
{
	size_t got = 0;
	int r;

	if (fn.size == 0 || fn.size > WW_CODE_BYTES_MAX || ww_elf_machine(e) != EM_X86_64)
		return -ENOTSUP;
	r = ww_elf_code(e, fn.vaddr, w->code, (size_t)fn.size, &got);
	if (r < 0)
		return r;
	w->elf = e;
	w->vaddr = fn.vaddr;
	w->bytes = got;
	memset(w->index, 0xff, sizeof(w->index));
	return ZYAN_SUCCESS(ZydisDecoderInit(&w->decoder, ZYDIS_MACHINE_MODE_LONG_64,
					     ZYDIS_STACK_WIDTH_64))
		       ? 0
		       : -ENOTSUP;
}

int ww_code_walk(const struct ww_elf *e, struct ww_elf_symbol fn, bool calls_end,
		 struct ww_code **ret_code)
{
	WW_AUTO_FREE struct walk *w = calloc(1, sizeof(*w));
	WW_AUTO(ww_code_free_auto) struct ww_code *code = NULL;
	int r;

	code = calloc(1, sizeof(*code) + WW_CODE_INSNS_MAX * sizeof(code->insns[0]));
	if (!w || !code)
		return -ENOMEM;
	r = begin(e, fn, w);
	if (r < 0)
		return r;
	w->calls_end = calls_end;
	w->out = code;
	code->vaddr = fn.vaddr;
	r = discover(w);
	if (r == 0)
		r = arrange(w);
	if (r == 0)
		r = solve(w);
	if (r < 0)
		return r;
	*ret_code = WW_TAKE(code);
	return 0;
}

void ww_code_free(struct ww_code *c)
{
	free(c);
}

/* --- Go's functions ------------------------------------------------------------------------- */

/* Registers with arguments, the stack pointer and the goroutine. */
static bool is_argument(int reg)
{
	return reg == WW_CODE_RAX || reg == WW_CODE_RBX || reg == WW_CODE_RCX ||
	       reg == WW_CODE_RSP || reg == 14;
}

static bool keeps_arguments(const struct decoded *d)
{
	for (size_t i = 0; i < d->in.operand_count; i++)
		if (d->op[i].type == ZYDIS_OPERAND_TYPE_REGISTER &&
		    (d->op[i].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) &&
		    is_argument(reg_index(d->op[i].reg.value)))
			return false;
	return op_of(&d->in) == WW_CODE_OTHER;
}

/* cmp 0x10(%r14),%reg: runtime.g.stackguard0. */
static bool is_stack_check(const struct decoded *d)
{
	const ZydisDecodedOperand *o = &d->op[1];

	return d->in.mnemonic == ZYDIS_MNEMONIC_CMP && is_reg(&d->op[0], 64) &&
	       o->type == ZYDIS_OPERAND_TYPE_MEMORY && o->mem.base == ZYDIS_REGISTER_R14 &&
	       o->mem.index == ZYDIS_REGISTER_NONE && o->mem.disp.value == 0x10;
}

#define CHECK_INSNS_MAX 4u

static int find_stack_check(const struct walk *w, uint32_t *ret_at)
{
	size_t at = 0;

	for (unsigned i = 0; i < CHECK_INSNS_MAX; i++) {
		struct decoded d;
		bool check;

		if (!decode(w, at, &d) || !keeps_arguments(&d))
			return -ENOTSUP;
		at += d.in.length;
		check = is_stack_check(&d);
		if (!check)
			continue;
		if (!decode(w, at, &d) || d.in.mnemonic != ZYDIS_MNEMONIC_JBE ||
		    !is_emulated(w->code + at, d.in.length))
			return -ENOTSUP;
		*ret_at = (uint32_t)at;
		return 0;
	}
	return -ENOTSUP;
}

/* By how much an instruction of a prologue moves the stack pointer down; false: not known. */
static bool moves_stack(const struct decoded *d, int64_t *depth)
{
	const ZydisDecodedOperand *o = d->op;
	bool is_rsp = d->in.operand_count_visible >= 1 && is_gpr(&o[0], ZYDIS_REGISTER_RSP);

	if (d->in.mnemonic == ZYDIS_MNEMONIC_PUSH && d->in.operand_width == 64)
		*depth += 8;
	else if (is_rsp && d->in.mnemonic == ZYDIS_MNEMONIC_SUB &&
		 o[1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE && fits(o[1].imm.value.s))
		*depth += o[1].imm.value.s;
	else if (is_rsp && d->in.mnemonic == ZYDIS_MNEMONIC_ADD &&
		 o[1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE && fits(o[1].imm.value.s))
		*depth -= o[1].imm.value.s;
	else
		return !is_rsp || !(o[0].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE);
	return true;
}

/* Go keeps room for register arguments above the return address, rax first. */
static bool spills_rax(const struct walk *w, size_t at)
{
	struct decoded d;
	int64_t depth = 0;

	if (!decode(w, at, &d)) /* the jump of the check */
		return false;
	for (at += d.in.length; decode(w, at, &d); at += d.in.length) {
		const ZydisDecodedOperand *o = d.op;

		if (op_of(&d.in) != WW_CODE_OTHER || !moves_stack(&d, &depth))
			return false;
		if (d.in.mnemonic == ZYDIS_MNEMONIC_MOV && stored_reg(&d) == WW_CODE_RAX &&
		    o[0].mem.base == ZYDIS_REGISTER_RSP && o[0].mem.index == ZYDIS_REGISTER_NONE &&
		    o[0].mem.disp.value == depth + 8)
			return true;
		if (d.in.operand_count_visible >= 1 &&
		    (o[0].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) &&
		    o[0].type == ZYDIS_OPERAND_TYPE_REGISTER &&
		    reg_index(o[0].reg.value) == WW_CODE_RAX)
			return false;
	}
	return false;
}

/* Decodes everything; notes where instructions begin, and the returns. */
static int sweep_insns(struct walk *w, struct ww_sweep *s)
{
	struct decoded d;

	for (size_t at = 0; at < w->bytes; at += d.in.length) {
		if (!decode(w, at, &d))
			return -ENOTSUP;
		w->index[at] = 0;
		if (op_of(&d.in) != WW_CODE_RETURN)
			continue;
		if (s->return_count == WW_SWEEP_RETURNS_MAX)
			return -ENOTSUP;
		s->returns[s->return_count++] = (uint32_t)at;
	}
	return s->return_count > 0 ? 0 : -ENOTSUP;
}

/* Every jump leads to an instruction of the function. */
static int sweep_jumps(const struct walk *w)
{
	struct decoded d;

	for (size_t at = 0; at < w->bytes; at += d.in.length) {
		struct ww_code_insn insn = {.at = (uint32_t)at};
		enum ww_code_op op;

		if (!decode(w, at, &d))
			return -ENOTSUP;
		op = op_of(&d.in);
		if (op != WW_CODE_JUMP && op != WW_CODE_BRANCH)
			continue;
		find_target(w, &d, &insn);
		if (!inside(w, insn.target) || w->index[insn.target - w->vaddr] == NONE)
			return -ENOTSUP;
	}
	return 0;
}

int ww_code_sweep(const struct ww_elf *e, struct ww_elf_symbol fn, struct ww_sweep *ret_sweep)
{
	WW_AUTO_FREE struct walk *w = calloc(1, sizeof(*w));
	struct ww_sweep s = {0};
	int r;

	if (!w)
		return -ENOMEM;
	r = begin(e, fn, w);
	if (r == 0)
		r = find_stack_check(w, &s.entry);
	if (r == 0)
		r = sweep_insns(w, &s);
	if (r == 0)
		r = sweep_jumps(w);
	if (r < 0)
		return r;
	s.spills_rax = spills_rax(w, s.entry);
	*ret_sweep = s;
	return 0;
}

/* --- questions ------------------------------------------------------------------------------ */

static size_t index_at(const struct ww_code *c, uint64_t at)
{
	size_t lo = 0, hi = c->count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (c->insns[mid].at < at)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < c->count && c->insns[lo].at == at ? lo : SIZE_MAX;
}

/* Of all instructions but switches. */
static size_t successors(const struct ww_code *c, size_t i, size_t ret_next[2])
{
	const struct ww_code_insn *insn = &c->insns[i];
	size_t n = 0;

	if (insn->op == WW_CODE_JUMP || insn->op == WW_CODE_BRANCH)
		ret_next[n++] = index_at(c, insn->target - c->vaddr);
	if (insn->op == WW_CODE_OTHER || insn->op == WW_CODE_BRANCH || insn->op == WW_CODE_CALL ||
	    insn->op == WW_CODE_SYSCALL)
		ret_next[n++] = index_at(c, (uint64_t)insn->at + insn->bytes);
	return n;
}

struct reach {
	size_t avoid;
	bool *mark;
	uint16_t todo[WW_CODE_INSNS_MAX];
	size_t count;
};

static void reach_to(struct reach *r, size_t next)
{
	if (next == SIZE_MAX || next == r->avoid || r->mark[next])
		return;
	r->mark[next] = true;
	r->todo[r->count++] = (uint16_t)next;
}

void ww_code_reach(const struct ww_code *c, size_t from, size_t avoid, bool *mark)
{
	struct reach r = {.avoid = avoid, .mark = mark};
	size_t i = from;

	for (;;) {
		const struct ww_code_insn *insn = &c->insns[i];
		size_t next[2];
		size_t n = successors(c, i, next);

		for (size_t k = 0; k < n; k++)
			reach_to(&r, next[k]);
		for (size_t k = 0; k < insn->targets; k++)
			reach_to(&r, index_at(c, c->targets[insn->first_target + k]));
		if (r.count == 0)
			return;
		i = r.todo[--r.count];
	}
}

/* Address of the pointer that a PLT stub jumps through; 0: not a stub. */
static uint64_t stub_slot(const struct ww_elf *e, uint64_t vaddr)
{
	static const uint8_t endbr64[] = {0xf3, 0x0f, 0x1e, 0xfa};
	uint8_t code[16];
	size_t n = 0, at = 0;
	int32_t disp;

	if (ww_elf_code(e, vaddr, code, sizeof(code), &n) < 0 || n < sizeof(code))
		return 0;
	if (memcmp(code, endbr64, sizeof(endbr64)) == 0)
		at = sizeof(endbr64);
	if (code[at] == 0xf2) /* bnd */
		at++;
	if (code[at] != 0xff || code[at + 1] != 0x25)
		return 0;
	memcpy(&disp, code + at + 2, sizeof(disp));
	return vaddr + at + 6 + (uint64_t)(int64_t)disp;
}

const char *ww_code_callee(struct ww_elf *e, const struct ww_code_insn *insn)
{
	uint64_t slot = insn->slot;

	if (insn->target != 0) {
		const char *name = ww_elf_name_at(e, insn->target);

		if (name)
			return name;
		slot = stub_slot(e, insn->target);
	}
	return slot != 0 ? ww_elf_import_at(e, slot) : NULL;
}
