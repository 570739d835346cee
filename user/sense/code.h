/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a machine code function does with its arguments and with the results of its calls: a control
 * flow walk plus a small data flow analysis, enough to prove at an instruction that a register
 * still holds an argument, or a call's result. Used by site planning only. x86-64 System V, by
 * Zydis.
 *
 * A value stated here holds on *every* path from the function's first instruction. What the
 * analysis does not follow (memory other than named below, vector registers) is WW_VALUE_ANY. Calls
 * are taken to keep the callee-saved registers and the stack pointer, as the ABI demands.
 *
 * A switch is followed where the table of its relative targets is plain to see (as compilers for
 * position independent code write it); the table is read from the file and taken to be as long as
 * its entries lead into the function. That may be too long, and only adds paths.
 *
 * Limits: WW_CODE_BYTES_MAX per function, WW_CODE_INSNS_MAX instructions, WW_CODE_TARGETS_MAX
 * entries of all tables; beyond it, -ENOTSUP.
 */
#pragma once

#include "sense/elf.h"

#define WW_CODE_BYTES_MAX   8192u
#define WW_CODE_INSNS_MAX   2048u
#define WW_CODE_TARGETS_MAX 256u

enum ww_value_kind {
	WW_VALUE_NEVER = 0, /* no path leads here yet; not seen in results */
	WW_VALUE_ARG,       /* argument `id` + a, all 64 bits */
	WW_VALUE_ARG32,     /* low 32 bits: those of argument `id`; the rest zero or sign */
	WW_VALUE_LOADED,    /* *(argument `id` + a) + b */
	WW_VALUE_STACK,     /* rsp at the function's first instruction + a */
	WW_VALUE_SLOT,      /* low 32 bits: loaded from the stack at that rsp + a */
	WW_VALUE_FAIL,      /* low 32 bits: a constant <= 0 */
	WW_VALUE_CONST,     /* low 32 bits: the constant a > 0 */
	/* The last two: or a constant <= 0, on paths that do not make the call. */
	WW_VALUE_RESULT, /* low 32 bits: what the call at offset a returned */
	WW_VALUE_COUNT,  /* the same while <= 0, else the low word of the stack slot at b */
	WW_VALUE_ANY,
};

struct ww_value {
	uint8_t kind; /* enum ww_value_kind */
	uint8_t id;   /* argument 0 to 5 */
	int32_t a;    /* bytes */
	int32_t b;
};

enum ww_code_reg {
	WW_CODE_RAX,
	WW_CODE_RCX,
	WW_CODE_RDX,
	WW_CODE_RBX,
	WW_CODE_RSP,
	WW_CODE_RBP,
	WW_CODE_RSI,
	WW_CODE_RDI,
	WW_CODE_R8,
	WW_CODE_R9,
	WW_CODE_FLAGS = 16, /* not a register: the value that was last compared with zero */
	WW_CODE_REGS = 17,
};

enum ww_code_op {
	WW_CODE_OTHER, /* goes on with the next instruction */
	WW_CODE_CALL,
	WW_CODE_JUMP,
	WW_CODE_BRANCH, /* conditional */
	WW_CODE_RETURN,
	WW_CODE_TRAP,    /* ud2, int3, hlt: ends the path */
	WW_CODE_SYSCALL, /* by the instruction of that name: the kernel may change any memory */
	WW_CODE_OPAQUE,  /* computed jump, or one that leaves the function: unknown code follows */
	WW_CODE_SWITCH,  /* computed jump to one of the targets of a table */
};

struct ww_code_insn {
	uint32_t at; /* bytes from the function's first instruction */
	uint8_t bytes;
	uint8_t op;      /* enum ww_code_op */
	bool emulated;   /* a uprobe here needs no single step, on kernels 5.10 and later */
	bool joined;     /* a jump leads here */
	uint64_t target; /* CALL, JUMP, BRANCH, OPAQUE: address; 0: computed */
	uint64_t slot; /* address of the pointer that a computed call or jump loads; 0: not known */
	uint16_t first_target, targets; /* SWITCH: of ww_code.targets */
	int8_t stored;       /* enum ww_code_reg that is moved to memory whole; -1: none */
	struct ww_value mem; /* address of the memory operand, ANY: none or unknown */
	struct ww_value regs[WW_CODE_REGS]; /* before the instruction */
};

struct ww_code {
	uint64_t vaddr;
	size_t target_count;
	uint32_t targets[WW_CODE_TARGETS_MAX]; /* bytes from the function's first instruction */
	size_t count;
	struct ww_code_insn insns[]; /* by ascending `at`, only what can be reached */
};

/*
 * Walks the function. calls_end: a call ends its path, for looking only at code that is reached
 * without calls. 0; -ENOTSUP: size not recorded, over a limit, undecodable, instructions that
 * overlap, or a path that runs off the end; -ENOENT: not in an executable segment; -EIO, -ENOMEM.
 */
WW_CHECK int ww_code_walk(const struct ww_elf *e, struct ww_elf_symbol fn, bool calls_end,
			  struct ww_code **ret_code);

/* Accepts NULL. */
void ww_code_free(struct ww_code *c);
WW_DEFINE_AUTO(struct ww_code, ww_code_free)

/*
 * Sets mark[i] (count entries, all false before) for every instruction that can run after
 * insns[from] without running insns[avoid] in between; `from` itself only if it can run again.
 * avoid: an index, or SIZE_MAX.
 */
void ww_code_reach(const struct ww_code *c, size_t from, size_t avoid, bool *mark);

/*
 * Name of the function that a call or jump leads to: a symbol of the file or, through a PLT stub or
 * a GOT slot, one that it imports. NULL: not known. Borrowed from e.
 */
const char *ww_code_callee(struct ww_elf *e, const struct ww_code_insn *insn);

#define WW_SWEEP_RETURNS_MAX 24u

/* A function as Go's compiler writes it. Offsets are bytes from its first instruction. */
struct ww_sweep {
	uint32_t entry; /* the jump of the stack check: arguments in place, rsp as at the begin */
	/* rax as it was is in the first word above the return address, before anything is called.
	 */
	bool spills_rax;
	unsigned return_count;
	uint32_t returns[WW_SWEEP_RETURNS_MAX];
};

/*
 * Decodes the function from its first to its last byte (Go puts nothing but code into a function).
 * It must begin by comparing the stack with the limit of the goroutine in r14, which only code of
 * the register calling convention does (since Go 1.17), and leave by nothing but returns. 0;
 * -ENOTSUP: it is otherwise, or over a limit; -ENOENT: not in an executable segment; -EIO, -ENOMEM.
 */
WW_CHECK int ww_code_sweep(const struct ww_elf *e, struct ww_elf_symbol fn,
			   struct ww_sweep *ret_sweep);
