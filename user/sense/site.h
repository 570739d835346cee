/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where to put probes in a TLS library file, decided by decoding the real code.
 *
 * A uprobe costs 0.7 us on an instruction that the kernel emulates (call rel32, relative jumps,
 * push, nop) and ten times that where it must be single-stepped. The plan therefore prefers, inside
 * each API function, the `call` of the internal function (arguments still in their registers) and
 * the next emulated instruction after it at which eax is still known to be the result. Every choice
 * is proven over all paths through the function (data flow over its control flow graph); where the
 * proof fails the plan falls back to the first emulated instruction on the straight line from the
 * entry, or the entry itself, and to every return instruction. What can be proven neither way gets
 * no probe: a wrong guess is worse than a slow probe, and no probe is worse than neither, so the
 * function is named in `refused`.
 *
 * Pure over the ELF image: no attaching here. x86-64 by Zydis; other machines get -ENOTSUP.
 */
#pragma once

#include <wirewitness/event.h>

#include "base/own.h"
#include "base/slice.h"

#define WW_SITES_MAX 64

enum ww_site_kind {
	WW_SITE_ENTRY,  /* arguments readable, as enum ww_site_form says */
	WW_SITE_RESULT, /* eax holds the result; <= 0: nothing was read or written */
	WW_SITE_PREFIX, /* BIO_write: rsi buffer, edx length, for the second binding witness */
	/* SSL_free, gnutls_deinit: rdi object, maybe NULL, maybe not the last reference. */
	WW_SITE_FREE,
	WW_SITE_PAYLOAD, /* Go: what a record is made of; see site_go.c, as for its other kinds */
	WW_SITE_RECORD,  /* Go: a record on its way out */
};

/* In which registers the arguments are. */
enum ww_site_form {
	WW_FORM_API = 0, /* rdi object, rsi buffer, rdx length */
	/* esi is the record's type: all but 23 (application data) is none of ours. */
	WW_FORM_TYPED = 1, /* rdi object, rdx buffer, rcx length */
	WW_FORM_QUEUE = 2, /* rdi object, r8 buffer, r9 length; see site_gnutls.c */
};

/*
 * The ENTRY of a symbol is passed exactly once before a RESULT of the same symbol is passed, once.
 * A RESULT without ENTRY means that the probe was attached in mid-call, or that the call was
 * refused by the API function before it did anything (then eax <= 0). An ENTRY that another ENTRY
 * of the same thread and frame follows without RESULT did not happen: the thread was unwound out of
 * it.
 */
struct ww_site {
	uint64_t offset; /* file offset of the instruction */
	enum ww_site_kind kind;
	enum ww_dir dir;
	/*
	 * ENTRY: a register points at the size_t that will receive the count of bytes done: rcx, or
	 * r8 where done_r8. RESULT: true: eax > 0 says only that the call succeeded and the count
	 * is in that size_t; false: eax is the count. RESULT of Go: the object is at rsp + 8.
	 */
	bool has_done;
	bool done_r8;
	bool len32; /* ENTRY, PREFIX: the length is an int: only its register's low half counts */
	enum ww_site_form form; /* ENTRY; of RESULT: its ENTRY's */
	bool same_sp;  /* rsp is the same at ENTRY and RESULT: the pair can be checked by it */
	bool emulated; /* the kernel emulates the instruction */
	/*
	 * rsp here minus rsp at the function's first instruction, bytes (<= 0): rsp - sp_bytes
	 * names the call's frame at ENTRY and RESULT alike, whatever same_sp says.
	 */
	int32_t sp_bytes;
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
	char refused[64]; /* API functions present but without sites, separated by spaces; NUL ended
			   */
};

/*
 * Reads the ELF file behind fd and plans its probes: SSL_read, SSL_write and their _ex forms,
 * SSL_free, BIO_write, as far as the file defines them. A libcrypto gives a plan with PREFIX only.
 * Where it has none of them, and is GnuTLS: gnutls_record_send, _send2, _recv, _recv_seq; where it
 * is a Go program: the methods of crypto/tls's *Conn.
 * 0; -ENOENT: no TLS API in this file; -ENOTSUP: machine not supported, or API functions present
 * and none understood; -EINVAL: not ELF, or damaged;
 * -EPROTONOSUPPORT: a Go program whose table of functions is not of a version that is read; -EIO,
 * -ENOMEM. *ret_plan unchanged on error.
 * fd stays the caller's; its file position is not used.
 *
 * SSL_MODE_ASYNC is covered: the sites lie outside the job, a paused call is one that failed (-1)
 * and is made again. 0-RTT calls are covered where they go through SSL_write_ex and SSL_read_ex
 * (shared libraries; not Node, where they are inlined). Not seen: SSL_sendfile,
 * gnutls_record_recv_packet, gnutls_record_send_range. SSL_peek is no read.
 */
WW_CHECK int ww_site_plan(int fd, struct ww_tls_plan *ret_plan);
