/* SPDX-License-Identifier: Apache-2.0 */
/*
 * live: everything that makes events on a running host, on one libuv loop: the kernel's rings, the
 * search for TLS libraries, scopes, the OTLP receiver, clock samples, ticks. The daemon feeds them
 * to its pipeline, `record` writes them to a tape.
 *
 * Order promise: when a WW_EVENT_TICK of time T is delivered, every kernel event up to T, and every
 * loss found up to T, has been delivered before it.
 */
#pragma once

#include <uv.h>

#include <wirewitness/event.h>

#include "base/json_write.h"
#include "ledger/errtext.h"
#include "policy/contract.h"
#include "sense/sense.h"

struct ww_live;

/* Of whoever makes the guard's lists. */
struct ww_live_guard {
	void *ctx;
	/* Whose rules a scope falls under, by its path below the cgroup mount. */
	uint64_t (*agents)(void *ctx, const char *path);
	/* Fills in what a list knows of its decision. */
	void (*explain)(void *ctx, struct ww_event_guard *ev);
	/* The first list, before anybody is watched. 0, or -errno after the reason was logged. */
	int (*start)(void *ctx, struct ww_live *l);
};

struct ww_live_config {
	const char *otlp;             /* "127.0.0.1:4318", "[::1]:4318"; NULL: no receiver */
	const char *const *libraries; /* TLS files that get probes before first use */
	unsigned library_count;
	bool no_default_libraries; /* do not look for the system's own */
	uint32_t cap_bytes;        /* plaintext per TLS call; 0: default */
	uint32_t ring_bytes;       /* data ring; 0: default */
	const char *owner; /* whose runs are watched again after a restart; NULL: nobody's */
	struct ww_live_guard guard; /* agents NULL: the guard is off */
};

/* One event, valid for the call. */
typedef void (*ww_live_fn)(void *ctx, const struct ww_event *ev);

/* 0; -EPERM, -ENOSYS, ...: *why says in one line what is missing and how to get it. A configured
 * library that is not there is -ENOENT. */
/* cfg is borrowed until the close. */
WW_CHECK int ww_live_open(uv_loop_t *loop, const struct ww_live_config *cfg, ww_live_fn fn,
			  void *ctx, struct ww_live **ret_live, struct ww_errtext *why);

/* Before the begin: the files that these contracts declare are watched, too. They are borrowed
 * until the close. 0 or -ENOMEM. */
WW_CHECK int ww_live_files(struct ww_live *l, const struct ww_contracts *contracts);

/*
 * Begins: the clock, the probes of the configured and default TLS libraries, then the runs that the
 * owner's last daemon left behind: those without processes are removed, the others watched again,
 * with a WW_COVERAGE_GAP for the time in which nobody did. Until now fn was not called. A library
 * or run that cannot be probed or watched is logged, it is no failure. 0 or -ENOMEM.
 */
WW_CHECK int ww_live_start(struct ww_live *l);

/* Detaches everything and closes the handles; memory goes when the loop has run once more. NULL is
 * nothing. */
void ww_live_close(struct ww_live *l);

/* Makes a watched cgroup below <cgroup v2>/wirewitness. path has cap bytes. 0 or -errno. */
WW_CHECK int ww_live_scope_make(struct ww_live *l, const char *name, char *ret_path, size_t cap,
				uint64_t *ret_id);

/* Watches an existing cgroup (absolute path, or relative to the cgroup v2 mount) with everything in
 * it. 0 or -errno. */
WW_CHECK int ww_live_scope_watch(struct ww_live *l, const char *path, uint64_t *ret_id);

/* Ends the scope as soon as no process is left in it, and removes the cgroup when we made it. */
void ww_live_scope_end(struct ww_live *l, uint64_t id);
/* Scopes now, ending ones included. */
unsigned ww_live_scopes(const struct ww_live *l);

/* For what is done to the kernel side by others on the loop's thread, and told as an event. */
struct ww_sense *ww_live_sense(struct ww_live *l);
void ww_live_tell(struct ww_live *l, const struct ww_event *ev);

/* Before the end: the digests of library files that are still being worked out are delivered; what
 * the guard has summed up comes with the next drain. */
void ww_live_settle(struct ww_live *l);

/* Delivers all that is in the rings now, the losses, and a tick. */
void ww_live_drain(struct ww_live *l);

/* Whether the second binding witness is needed (there are unbound sessions). */
void ww_live_want_prefix(struct ww_live *l, bool on);

/* The endpoint of the OTLP receiver (port 0: none). */
struct ww_endpoint ww_live_receiver(const struct ww_live *l);

/* The network namespace it is in, which is ours; 0: not known. */
uint32_t ww_live_netns(void);

/* Writes the member "bpf": the object that was loaded, its programs by the kernel's own hash. */
void ww_live_programs(const struct ww_live *l, struct ww_jsonw *w);

/* Members of the status object: kernel, files with probes, processes with their state. */
void ww_live_status(const struct ww_live *l, struct ww_jsonw *w);
