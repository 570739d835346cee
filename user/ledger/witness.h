/* SPDX-License-Identifier: Apache-2.0 */
/*
 * C2SP tlog-witness, the call `add-checkpoint`: the bytes of a request, and what a witness decides;
 * and `add-rotation`, a call of our own, by which a log's new key becomes known to it.
 * Pure: keeping the state, the clock and the signature are the business of the program around it
 * (tools/wirewitness-witness); a log that asks uses the same bytes (user/out/publish.h).
 *
 * A witness remembers one checkpoint per origin, the last that it cosigned. It cosigns only what
 * extends that one, and only after the new one is on its disk.
 *
 * add-rotation: the body is one line of the log's keys/history (keychain.h). It is followed when
 * its old key is the one that is trusted now, both keys signed rotation and hand-over, and the
 * hand-over is exactly the checkpoint that the witness holds: the log sends that one by
 * add-checkpoint before. From then on the old key speaks for trees up to it, the new one from
 * there on.
 */
#pragma once

#include "ledger/keychain.h"
#include "ledger/merkle.h"

#define WW_WITNESS_PROOF_MAX   63u
#define WW_WITNESS_REQUEST_MAX (WW_NOTE_BYTES_MAX + 4096u)
#define WW_WITNESS_CALL        "/add-checkpoint"
#define WW_WITNESS_ROTATION    "/add-rotation"
#define WW_WITNESS_SIZE_TYPE   "text/x.tlog.size"

struct ww_witness_request {
	uint64_t old; /* size that the log believes the witness holds */
	struct ww_merkle_proof proof;
	struct ww_slice note;       /* borrowed */
	struct ww_checkpoint claim; /* what the note says; not verified */
};

/* Reads a request's body. 0, or -EINVAL: malformed, answered with 400. */
WW_CHECK int ww_witness_request_parse(struct ww_slice body, struct ww_witness_request *ret_request);

/* Appends a request's body. 0, -EINVAL (a proof of more than 63 hashes), -EMSGSIZE, -ENOMEM. */
WW_CHECK int ww_witness_request_write(uint64_t old, const struct ww_merkle_proof *proof,
				      struct ww_slice note, struct ww_buf *out);

/* The numbers are those of HTTP. */
enum ww_witness_status {
	WW_WITNESS_COSIGN = 200, /* keep the checkpoint, then answer with the cosignature */
	WW_WITNESS_BAD = 400,
	WW_WITNESS_FORBIDDEN =
		403,              /* not signed by a key that is trusted for this origin and size */
	WW_WITNESS_UNKNOWN = 404, /* origin */
	WW_WITNESS_CONFLICT = 409,
	WW_WITNESS_UNPROVEN = 422,
	WW_WITNESS_UNABLE = 500, /* no memory; nothing was decided */
};

/* Whom a witness believes: keys that its operator gave, and of one origin those that rotations led
 * to from them (NULL: none). A key of the chain counts for its own sizes only, also when the
 * operator gave it. */
struct ww_witness_trust {
	const struct ww_note_key *logs;
	size_t n;
	const struct ww_keychain *chain;
};

/* Opens a checkpoint of `origin`. 0; -ENOENT: no key of this origin; errors of ww_keychain_open. */
WW_CHECK int ww_witness_open(const struct ww_witness_trust *t, const char *origin,
			     struct ww_slice note, struct ww_checkpoint *ret_head);

/*
 * The first half: whether the checkpoint is signed by a key of its origin. COSIGN: go on to
 * ww_witness_judge with what is held for that origin; else UNKNOWN, FORBIDDEN or UNABLE.
 */
enum ww_witness_status ww_witness_admit(const struct ww_witness_request *q,
					const struct ww_witness_trust *t);

struct ww_witness_ruling {
	enum ww_witness_status status;
	bool resize;       /* CONFLICT: the old size is another than `held`, which is the answer */
	bool equivocation; /* CONFLICT: both checkpoints are signed, for one size, and differ */
	uint64_t held;
};

/*
 * The second half, over an admitted request: `held` is the checkpoint last cosigned for the origin,
 * NULL when there is none. Never COSIGN for anything that does not extend it.
 */
struct ww_witness_ruling ww_witness_judge(const struct ww_witness_request *q,
					  const struct ww_checkpoint *held);
