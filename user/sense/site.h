/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where to put probes in a TLS library file, decided by decoding the real code.
 *
 * A uprobe costs 0.7 us on an instruction that the kernel emulates (call rel32, relative jumps, push,
 * nop) and ten times that where it must be single-stepped. The plan therefore prefers, inside each API
 * function, the `call` of the internal function (arguments still in their registers) and the
 * conditional jump that follows it (result still in eax). Every choice is checked: straight-line code from the
 * function's entry, no clobbered argument, not a jump target from elsewhere; where the check fails the plan
 * falls back to the function's entry and its return instructions, found by a control-flow walk. A
 * wrong guess is worse than a slow probe.
 *
 * Pure over the ELF image: no attaching here. x86-64 by Zydis; other machines get -ENOTSUP.
 */
#pragma once

#include <wirewitness/event.h>

#include "base/own.h"
#include "base/slice.h"

#define WW_SITES_MAX 64

enum ww_site_kind {
	WW_SITE_ENTRY,	/* arguments readable: rdi object, rsi buffer, rdx length, rcx &done where has_done */
	WW_SITE_RESULT, /* eax holds the result */
	WW_SITE_PREFIX, /* BIO_write: rsi buffer, rdx length, for the second binding witness */
	WW_SITE_FREE,	/* SSL_free: rdi object */
};

struct ww_site {
	uint64_t offset; /* file offset of the instruction */
	enum ww_site_kind kind;
	enum ww_dir dir;
	bool has_done; /* rcx points at the count of bytes done (_ex calls and the internal functions) */
	bool same_sp;  /* entry and result share the stack pointer: the pair can be checked by it */
	bool emulated; /* the kernel emulates the instruction */
	char symbol[24]; /* API function it belongs to */
};

/* How to find the 32-byte client random from the object's address. */
enum ww_random_mode {
	WW_RANDOM_NONE = 0,
	WW_RANDOM_DIRECT = 1, /* object + off1 */
	WW_RANDOM_DEREF = 2,  /* *(object + off1) + off2 */
};

struct ww_tls_plan {
	enum ww_tls_stack stack;
	enum ww_random_mode random_mode;
	uint32_t random_off1; /* bytes */
	uint32_t random_off2;
	unsigned site_count;
	struct ww_site sites[WW_SITES_MAX];
};

/*
 * Reads the ELF file behind fd and plans its probes. 0; -ENOENT: no TLS API in this file; -ENOTSUP: machine
 * or code shape not understood; -EINVAL: not ELF; -EIO, -ENOMEM. *ret_plan unchanged on error. fd stays the caller's.
 */
WW_CHECK int ww_site_plan(int fd, struct ww_tls_plan *ret_plan);
