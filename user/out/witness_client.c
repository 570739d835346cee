/* SPDX-License-Identifier: Apache-2.0 */
#include "out/witness_client.h"

#include <errno.h>
#include <inttypes.h>

#include "ledger/witness.h"

static enum ww_witness_reply cosigned(struct ww_witness_client *c, struct ww_slice note,
				      const struct ww_checkpoint *head, struct ww_slice body,
				      struct ww_slice *ret_line, uint64_t *ret_time,
				      struct ww_errtext *why)
{
	struct ww_slice text, lines;
	int r = ww_note_split(note, &text, &lines);

	if (r == 0)
		r = ww_cosign_check(text, body, &c->peer->key, ret_time, ret_line);
	if (r < 0) {
		ww_errtext_set(why, r, "%s",
			       r == -ENOKEY    ? "it answers without a cosignature of its own"
			       : r == -EBADMSG ? "its cosignature is not good"
			       : r == -ENOMEM  ? "no memory to check its cosignature"
					       : "its answer is not signature lines");
		return WW_WITNESS_FAILED;
	}
	c->held = c->cosigned = head->size;
	c->redirected = 0;
	return WW_WITNESS_COSIGNED;
}

static bool parse_size(struct ww_slice body, uint64_t *ret_size)
{
	struct ww_slice line;

	return ww_slice_line(&body, &line) && body.n == 0 && ww_slice_u64(line, ret_size) == 0;
}

static enum ww_witness_reply conflict(struct ww_witness_client *c, const struct ww_note_key *log,
				      const struct ww_checkpoint *head, struct ww_slice body,
				      struct ww_errtext *why)
{
	struct ww_checkpoint other;
	uint64_t size;

	if (!parse_size(body, &size)) {
		if (ww_checkpoint_open(body, log, &other) == 0 &&
		    ww_checkpoint_conflict(head, &other)) {
			ww_errtext_set(why, -EUCLEAN,
				       "it holds another tree of %" PRIu64
				       " records, signed by this log",
				       head->size);
			return WW_WITNESS_FORKED;
		}
		ww_errtext_set(why, -EINVAL, "it refuses (409) without a size");
		return WW_WITNESS_FAILED;
	}
	if (size < c->cosigned)
		ww_errtext_set(why, -EUCLEAN,
			       "it was rolled back: it cosigned %" PRIu64
			       " records and now holds %" PRIu64,
			       c->cosigned, size);
	else if (size > head->size) {
		ww_errtext_set(why, -EUCLEAN,
			       "it says that it holds %" PRIu64 " records, this log has %" PRIu64,
			       size, head->size);
		c->redirected = 0;
		c->ahead = size;
		return WW_WITNESS_AHEAD;
	} else if (size == c->held || ++c->redirected >= WW_WITNESS_CLIENT_TRIES)
		ww_errtext_set(why, -EINVAL, "it does not accept the size that it names");
	else {
		c->held = size;
		return WW_WITNESS_ASK_AGAIN;
	}
	c->redirected = 0;
	return WW_WITNESS_FAILED;
}

enum ww_witness_reply ww_witness_client_take(struct ww_witness_client *c,
					     const struct ww_note_key *log, struct ww_slice note,
					     const struct ww_checkpoint *head, unsigned status,
					     struct ww_slice body, struct ww_slice *ret_line,
					     uint64_t *ret_time, struct ww_errtext *why)
{
	struct ww_checkpoint other;

	if (status == WW_WITNESS_COSIGN)
		return cosigned(c, note, head, body, ret_line, ret_time, why);
	if (status == WW_WITNESS_CONFLICT)
		return conflict(c, log, head, body, why);
	c->redirected = 0;
	if (status == WW_WITNESS_UNPROVEN && ww_checkpoint_open(body, log, &other) == 0 &&
	    other.size == c->held) {
		ww_errtext_set(why, -EUCLEAN,
			       "it does not accept the proof from the %" PRIu64
			       " records that it holds",
			       other.size);
		return WW_WITNESS_DIVERGED;
	}
	ww_errtext_set(why, -EINVAL, "it answers %u%s", status,
		       status == WW_WITNESS_UNKNOWN     ? ": it does not know this log"
		       : status == WW_WITNESS_FORBIDDEN ? ": it does not accept this log's key"
		       : status == WW_WITNESS_UNPROVEN  ? ": it does not accept the proof"
							: "");
	return WW_WITNESS_FAILED;
}
