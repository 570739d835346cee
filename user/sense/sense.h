/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sense: the kernel side, loaded. Probes, scopes, rings, losses; the only module that talks to BPF.
 *
 * Nothing is pinned: when the process ends, however it ends, every program is gone.
 * Single-threaded. Events are delivered in place from the rings, valid for the callback only.
 */
#pragma once

#include <wirewitness/event.h>
#include <wirewitness/kernel.h>

#include "base/digest.h"
#include "base/own.h"
#include "sense/site.h"
#include "sense/stdio_site.h"

struct ww_sense_config {
	uint32_t cap_bytes;  /* plaintext captured per TLS call, at most WW_CHUNKS_PER_CALL_MAX
				chunks of  it; 0: WW_MESSAGE_BYTES_DEFAULT */
	uint32_t ring_bytes; /* data ring, a power of two; 0: WW_RING_DATA_BYTES */
	bool guard;          /* enforcement: its programs are loaded, with nothing forbidden */
};

#define WW_SENSE_WHY_MAX 320

struct ww_sense;

typedef void (*ww_sense_fn)(void *ctx, const struct ww_event *ev);

/*
 * Calibrates, loads and attaches the host-wide tracepoints. On failure why (WW_SENSE_WHY_MAX bytes)
 * says in one line what is missing and how to get it. 0; -EPERM (no BPF rights); -ENOENT (no BTF);
 * -ENOTSUP (cgroup v1 only, or a needed hook is missing); -ENOMEM; other -errno.
 */
WW_CHECK int ww_sense_open(const struct ww_sense_config *cfg, struct ww_sense **ret_sense,
			   char *why);
void ww_sense_close(struct ww_sense *s);
WW_DEFINE_AUTO(struct ww_sense, ww_sense_close)

/* Where cgroup v2 is mounted. Borrowed. */
const char *ww_sense_cgroup_mount(const struct ww_sense *s);

/*
 * Puts the cgroup at this absolute path, with all below it, in scope: socket hooks attached first,
 * then the id goes into the scope map. agents: bit set, whose rules the guard goes by there.
 * *ret_covers: WW_COVERS_* bits that are really attached. 0; -EEXIST; -ENOSPC; -errno.
 */
WW_CHECK int ww_sense_scope_add(struct ww_sense *s, const char *path, uint64_t agents,
				uint64_t *ret_id, uint32_t *ret_covers);
/* An id that is not in scope is no error. */
void ww_sense_scope_remove(struct ww_sense *s, uint64_t id);

/*
 * Delivers WW_EVENT_PROC_INFO for every process now in the cgroup at path or below it. The internet
 * sockets that they hold, wherever those were made, come with the next drain (WW_EVENT_FLOW_OWNER,
 * then FLOW_STAT and FLOW_CLOSE like any other). 0 or -errno.
 */
WW_CHECK int ww_sense_scope_members(struct ww_sense *s, const char *path, uint64_t id,
				    ww_sense_fn fn, void *ctx);

/*
 * Sets the planned probes in the library file behind fd (stays the caller's); file is its index in
 * events. PREFIX sites only while ww_sense_prefix() is on. 0; -EEXIST; -ENOTSUP
 * (no attach cookies: Linux before 5.15); -errno.
 */
WW_CHECK int ww_sense_attach(struct ww_sense *s, int fd, uint32_t file,
			     const struct ww_tls_plan *plan);
/* Takes the file's probes away; a file without any is no error. */
void ww_sense_detach(struct ww_sense *s, uint32_t file);

/*
 * Sets the probes of plan in the C library behind fd, for one process alone: others that map the
 * file do not have them. Closing *ret_link takes them away, which takes the kernel some
 * milliseconds; ww_sense_stdio_unset() comes before. Bytes are told once all are set. 0; -ENOSYS
 * (no such probes: Linux before 6.6); -errno.
 */
WW_CHECK int ww_sense_stdio_set(struct ww_sense *s, uint32_t pid, int fd,
				const struct ww_stdio_plan *plan, int *ret_link);
/* The process's probes are about to go: nothing of it is told from now on. */
void ww_sense_stdio_unset(struct ww_sense *s, uint32_t pid);
/* From now on bytes of this end are taken. One that is taken already stays as it is. 0 or -errno.
 */
WW_CHECK int ww_sense_stdio_take(struct ww_sense *s, const struct ww_stdio_key *key,
				 const struct ww_stdio_state *state);
/* No longer; one that is not taken is no error. */
void ww_sense_stdio_leave(struct ww_sense *s, const struct ww_stdio_key *key);

/* Switches the second binding witness. 0 or -errno. */
WW_CHECK int ww_sense_prefix(struct ww_sense *s, bool on);

/* Readable when a ring is filling; poll by timer as well (there are no wake-ups per event). */
int ww_sense_fd(const struct ww_sense *s);

/*
 * Delivers what both rings hold up to now, merged by time. fn must not call into sense, except for
 * ww_sense_attach and ww_sense_stdio_*. Returns the time up to which everything was delivered: now,
 * or earlier when a probe is still writing an event on another processor.
 */
uint64_t ww_sense_drain(struct ww_sense *s, ww_sense_fn fn, void *ctx);

/*
 * Delivers WW_EVENT_LOSS for what the counters gained since the last call, per scope and cause, and
 * holes in the event sequence that the counters do not explain (WW_LOSS_SEQUENCE, no scope named).
 */
void ww_sense_losses(struct ww_sense *s, ww_sense_fn fn, void *ctx);

/* Asks the kernel for WW_EVENT_FLOW_STAT of every live socket in scope: they come with the next
 * drain. */
void ww_sense_flow_stats(struct ww_sense *s);

/* Since open, per ring (enum ww_ring_id): admitted == delivered + lost, once everything is drained.
 */
struct ww_sense_stats {
	uint64_t admitted[WW_RING_MAX]; /* events that programs wanted to emit */
	uint64_t lost[WW_RING_MAX]; /* of them, for lack of room; also reported as WW_EVENT_LOSS */
	uint64_t malformed;         /* delivered to nobody: they contradict themselves */
};
void ww_sense_stats(const struct ww_sense *s, struct ww_sense_stats *ret_stats);

/* NULL: the guard is off. */
struct ww_guard_bpf *ww_sense_guard(const struct ww_sense *s);

/* What is running, for reports: SHA-256 of the BPF object that was loaded. */
void ww_sense_object(struct ww_sha256 *ret);

struct ww_sense_program {
	char name[16];
	uint8_t tag[8]; /* the kernel's hash of the instructions that it took */
};

/* The programs that were loaded, at most max. */
unsigned ww_sense_programs(const struct ww_sense *s, struct ww_sense_program *ret, unsigned max);

/* Per-file counters for `doctor`. */
struct ww_sense_file_stats {
	uint32_t file;
	unsigned sites;    /* probes attached */
	unsigned emulated; /* of them on instructions that the kernel emulates */
};
/* At most max of them; how many. */
unsigned ww_sense_files(const struct ww_sense *s, struct ww_sense_file_stats *ret, unsigned max);
