/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checkpoints leave the host: to witnesses, whose cosignatures come back, to a file, to a command,
 * and as log records to a collector. One engine, driven by one thread (user/daemon/publisher.h).
 *
 *  - Witnesses are asked when the log has grown, at most once a second and for the latest head
 * only.
 *  - Every destination gets the latest head at least every `every_s` seconds, also when nothing was
 *    appended. So a silent stop shows from outside: the next checkpoint is late.
 *  - A destination that fails is tried again after 1, 2, 4, ... 60 seconds with what is then the
 *    latest head, and keeps no other waiting. Failures are counted, never fatal.
 *  - A witness that does not accept the log's key is offered the rotations that led to it
 *    (ledger/witness.h), one after the other, each with its hand-over before.
 *  - When a quorum of witnesses has cosigned one head, it is stored in checkpoint.cosigned
 *    (proof_build.h).
 *
 * Numbered invariants:
 *  1. Nothing is sent that is not a checkpoint which is on the disk, signed by the log's own key.
 *  2. checkpoint.cosigned only ever holds cosignatures that were verified over its own text.
 *  3. A head that the log signed and that contradicts its tree, wherever it is met, is kept as
 *     proof (equivocation.h) before anything else happens.
 */
#pragma once

#include "base/clock.h"
#include "ledger/errtext.h"
#include "ledger/witness_set.h"

#define WW_PUBLISH_EVERY_S 60u
#define WW_PUBLISH_MAX     (WW_WITNESS_SET_MAX + 3u)
#define WW_PUBLISH_NAME    512u

struct ww_publish_config {
	const char *state_dir;
	const struct ww_witness_set *witnesses; /* NULL: none; copied; every one has a URL */
	const char *file;                       /* NULL: none */
	const char *command;                    /* NULL: none; an absolute path */
	const char *otlp;                       /* NULL: none; the whole URL */
	const char *ca_file;                    /* NULL: the system's certificates */
	unsigned every_s;
};

#define WW_PUBLISH_KINDS(X)   \
	X(WITNESS, "witness") \
	X(FILE, "file")       \
	X(COMMAND, "command") \
	X(OTLP, "otlp")

#define WW_PUBLISH_ENUM_(n, text) WW_PUBLISH_##n,
enum ww_publish_kind { WW_PUBLISH_KINDS(WW_PUBLISH_ENUM_) WW_PUBLISH_KIND_MAX };

enum ww_publish_state {
	WW_PUBLISH_NEW, /* nothing arrived yet, nothing failed */
	WW_PUBLISH_WORKS,
	WW_PUBLISH_FAILING,
};

/* What is known of one destination. A plain value. */
struct ww_publish_target {
	enum ww_publish_kind kind;
	char name[WW_PUBLISH_NAME]; /* of the witness; path or URL of the others */
	enum ww_publish_state state;
	uint64_t arrived, failed; /* tries since the start */
	uint64_t size;            /* of the last checkpoint that arrived */
	struct ww_wall at;        /* when; of a witness its own time */
	struct ww_errtext why;    /* FAILING */
};

struct ww_publish;

/*
 * Opens the ledger at state_dir for reading, checks checkpoint.cosigned against it, and begins to
 * ask the witnesses about its head. 0; -EUCLEAN: the log is shorter than what witnesses cosigned,
 * or another one; -EINVAL (a target that cannot be); -ENOMEM; -EIO; or an errno.
 */
WW_CHECK int ww_publish_open(const struct ww_publish_config *c, struct ww_publish **ret_publish,
			     struct ww_errtext *why);
void ww_publish_close(struct ww_publish *p);
WW_DEFINE_AUTO(struct ww_publish, ww_publish_close)

/*
 * Does what is due and waits for the next thing: an answer, a time, ww_publish_wake; at most a
 * minute. With `last` set everything is due once more; true when all of that has ended.
 */
bool ww_publish_step(struct ww_publish *p, bool last);

/* Ends the wait, from any thread. */
void ww_publish_wake(struct ww_publish *p);

size_t ww_publish_count(const struct ww_publish *p);
const struct ww_publish_target *ww_publish_target(const struct ww_publish *p, size_t i);

/* The size in checkpoint.cosigned and how many witnesses stand under it; 0 and 0: none. */
uint64_t ww_publish_cosigned(const struct ww_publish *p, size_t *ret_count);

/* Empty, or what was found when the log turned out to have signed two trees of one size. */
const char *ww_publish_forked(const struct ww_publish *p);

const char *ww_publish_kind_name(enum ww_publish_kind kind);
