/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where to put probes in a C library to see what goes through pipes and unix sockets, decided by
 * decoding the real code.
 *
 * A site is the conditional jump of
 *
 *     syscall; cmp $-4096, %rax; ja error        (or cmp $-4095; jae)
 *
 * inside a function such as read(). There rax is the result, and rdi, rsi, rdx and r10 still are
 * the call's arguments: the kernel keeps all registers but rax, rcx and r11. The kernel emulates
 * conditional jumps, so a hit costs no single step. A function with a system call that is written
 * in another way makes the file one that cannot be read: a part of the bytes is worse than none.
 *
 * Pure over the ELF image. x86-64; others and musl (whose calls are made elsewhere) get -ENOTSUP.
 */
#pragma once

#include <stdint.h>

#include <wirewitness/kernel.h>

#include "base/own.h"

#define WW_STDIO_SITES_MAX 48

struct ww_stdio_site {
	uint64_t offset; /* in the file */
	enum ww_stdio_call call;
};

struct ww_stdio_plan {
	unsigned count;
	struct ww_stdio_site sites[WW_STDIO_SITES_MAX];
};

/*
 * fd: the library, borrowed. 0; -ENOENT: it is no C library; -ENOTSUP: its code is not understood;
 * -EINVAL: not an ELF file; -EIO, -ENOMEM.
 */
WW_CHECK int ww_stdio_plan(int fd, struct ww_stdio_plan *ret_plan);
