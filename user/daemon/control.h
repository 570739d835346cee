/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control socket of the daemon: protocol of include/wirewitness/stream.h over libuv, on the
 * loop's thread.
 *
 * Peers are taken by the kernel's word (SO_PEERCRED): root and the daemon's own user, nobody else.
 * A slow reader of the stream falls behind on disk, not in memory: each client has one cursor and
 * at most one write under way. Bounded by WW_CONTROL_CLIENTS_MAX and WW_CONTROL_LINE_BYTES_MAX.
 */
#pragma once

#include <uv.h>

#include "base/json_write.h"
#include "ledger/note.h"
#include "ledger/retention.h"

struct ww_control_ops {
	/* Writes the members of the status object. */
	void (*status)(void *ctx, struct ww_jsonw *w);
	/* Makes a watched cgroup. path has WW_CONTROL_PATH_MAX bytes. 0 or -errno. */
	int (*scope_begin)(void *ctx, const char *name, char *ret_path, uint64_t *ret_id);
	/* The client that asked for it is gone: end the scope once it is empty. */
	void (*scope_end)(void *ctx, uint64_t id);
	/* Appends the committed record's JSON. 0; -ENODATA: not committed yet; -ENOENT: erased;
	 * other -errno. */
	int (*record)(void *ctx, uint64_t index, struct ww_buf *out);
	uint64_t (*size)(void *ctx); /* committed records */
	/* Calls fn for each action that is pending now. */
	void (*pending)(void *ctx, void (*fn)(void *to, struct ww_slice json), void *to);
	/* Begins to prune. 0, or -errno with why. */
	int (*prune)(void *ctx, ww_kinds kinds, uint64_t older_than_s, bool force,
		     struct ww_errtext *why);
	/* Puts a signed report into the ledger: its payload's digest and its signature. 0 or
	 * -errno. */
	int (*publish)(void *ctx, const struct ww_sha256 *payload,
		       const uint8_t sig[WW_NOTE_SIG_LEN]);
	/* Takes in an attestation (attest_request.h) and writes the members of the answer. 0;
	 * -EAGAIN: look again; or -errno with why. */
	int (*attest)(void *ctx, struct ww_slice request, struct ww_jsonw *w,
		      struct ww_errtext *why);
	/* What the guard is asked for (warden.h), by whom. 0; or -errno with why. */
	int (*guard)(void *ctx, struct ww_slice request, uint32_t uid, uint32_t pid,
		     struct ww_jsonw *w, struct ww_errtext *why);
};

#define WW_CONTROL_PATH_MAX 512

struct ww_control;

/*
 * Binds and listens. A socket file that nobody answers on is replaced. 0; -EADDRINUSE: another
 * daemon answers there; -ENOTSOCK: the path is something else, which stays; other -errno.
 */
WW_CHECK int ww_control_open(uv_loop_t *loop, const char *path, const struct ww_control_ops *ops,
			     void *ctx, struct ww_control **ret_control);

/* The ledger grew: wake the stream's readers. */
void ww_control_committed(struct ww_control *c);

/* An action is pending: for the readers that asked for it. NULL control is nothing. */
void ww_control_pending(struct ww_control *c, struct ww_slice json);

/* Closes all handles, removes the socket file; memory goes when the loop has run once more. */
void ww_control_close(struct ww_control *c);
