/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
/*
 * What the kernel programs and the loader share besides events: map values, the attach cookie of
 * the TLS probes. Both sides are built together, so nothing here is a persistent format.
 *
 * The file compiles in BPF C (vmlinux.h gives the __u types) and in user space.
 */
#pragma once

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#include <wirewitness/limits.h>

enum ww_ring_id { WW_RING_CONTROL = 0, WW_RING_DATA = 1, WW_RING_MAX = 2 };

/*
 * Map ww_scope: cgroup id -> this. `slot` is the row of the loss counters, 1 to
 * WW_SCOPE_CGROUPS_MAX - 1; row 0 collects what no scope could be named for.
 */
struct ww_scope_entry {
	__u32 slot;
	__u32 _pad;
	__u64 agents; /* bit set: whose rules processes in it may fall under (policy/guard_list.h)
		       */
};

/*
 * The guard's list: two longest-prefix tries over addresses (IPv4 as IPv4-mapped), one of policy
 * and tables, and a small one of commands, which change at any time. Each has ::/0. Both are found
 * in map ww_guard_lists: of two pairs one is in force, the other is changed; the last slot is
 * written to wait until nobody uses what was in force before.
 */
enum ww_guard_slot {
	WW_GUARD_SLOT_BASE = 0, /* plus 2 for the second pair */
	WW_GUARD_SLOT_COMMANDS = 1,
	WW_GUARD_SLOT_WAIT = 4,
	WW_GUARD_SLOTS
};

#define WW_GUARD_ENTRIES_MAX 262144u
#define WW_GUARD_TRIES_MAX   16384u /* processes and peers whose attempts are summed up at a time */
#define WW_GUARD_DROPS_MAX   1024u  /* sockets that are cut off without being closed */

struct ww_guard_key {
	__u32 bits;
	__u8 addr[16];
};

struct ww_guard_value {
	__u64 deny; /* agents that may not send there */
	__u32 generation;
	__u32 mode; /* enum ww_guard_mode */
};

/* Map ww_guard_totals, one row: since it was loaded. Only ever grows. */
struct ww_guard_totals {
	__u64 looked;    /* decisions */
	__u64 forbidden; /* of them, denied or would have been */
};

/* Map ww_losses, one row per scope: [slot].cause[enum ww_loss_cause]. Only ever grows. */
#define WW_LOSS_CAUSES 16

struct ww_loss_row {
	struct {
		__u64 events;
		__u64 bytes;
	} cause[WW_LOSS_CAUSES];
};

/* Map ww_cpus, one row per CPU and a cache line of its own. */
struct ww_cpu_row {
	__u64 seq[WW_RING_MAX];      /* next sequence number */
	__u64 quarters[WW_RING_MAX]; /* of the ring that were waiting when the CPU last looked */
	__u64 _pad[4];
};

/*
 * The attach cookie of a TLS probe: everything its program must know about the site, so that a hit
 * looks nothing up.
 *   0-7 file index · 8 direction · 9 has_done (Go: object at rsp + 8) · 10 done_r8 · 11 len32 ·
 * 12-13 enum ww_random_mode 14-15 enum ww_site_form · 16-31 -sp_bytes · 32-47 random_off1 · 48-63
 * random_off2
 */
#define WW_SITE_COOKIE_FILE(c)    ((__u32)((c)&0xff))
#define WW_SITE_COOKIE_DIR(c)     ((__u32)((c) >> 8 & 1))
#define WW_SITE_COOKIE_DONE(c)    ((c) >> 9 & 1)
#define WW_SITE_COOKIE_DONE_R8(c) ((c) >> 10 & 1)
#define WW_SITE_COOKIE_LEN32(c)   ((c) >> 11 & 1)
#define WW_SITE_COOKIE_RANDOM(c)  ((__u32)((c) >> 12 & 3))
#define WW_SITE_COOKIE_FORM(c)    ((__u32)((c) >> 14 & 3))
#define WW_SITE_COOKIE_SP(c)      ((__u64)((c) >> 16 & 0xffff))
#define WW_SITE_COOKIE_OFF1(c)    ((__u64)((c) >> 32 & 0xffff))
#define WW_SITE_COOKIE_OFF2(c)    ((__u64)((c) >> 48))

#define WW_COOKIE_FORM_QUEUE 2 /* WW_FORM_QUEUE */

/*
 * Map ww_stdio: what a descriptor refers to -> this. Only what the loader has put there is read.
 */
struct ww_stdio_key {
	__u64 inode;
	__u32 dev; /* as stat() shows it */
	__u32 _pad;
};

#define WW_STDIO_DIR_NONE 2

struct ww_stdio_state {
	__u64 cookie;    /* of the channel */
	__u64 offset[2]; /* bytes so far, by enum ww_dir */
	__u8 read_dir;   /* direction of bytes that are read from it; NONE: not captured */
	__u8 write_dir;
	__u8 _pad[6];
};

/*
 * The attach cookie of a stdio probe: the call it sits in, behind whose system call the arguments
 * are still in their registers.
 */
enum ww_stdio_call {
	WW_STDIO_READS = 1,  /* fd, buffer */
	WW_STDIO_WRITES,     /* fd, buffer */
	WW_STDIO_READSV,     /* fd, vector, count */
	WW_STDIO_WRITESV,    /* fd, vector, count */
	WW_STDIO_RECEIVES,   /* fd, buffer, length, flags */
	WW_STDIO_RECEIVES_M, /* fd, message, flags */
	WW_STDIO_SENDS_M,    /* fd, message, flags */
	WW_STDIO_SPLICES,    /* fd from, offset, fd to */
	WW_STDIO_TEES,       /* fd from, fd to */
	WW_STDIO_VMSPLICES,  /* fd: into it, or out of it */
	WW_STDIO_SENDFILES,  /* fd to, fd from */
	WW_STDIO_CALL_MAX
};
