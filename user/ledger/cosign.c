/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/cosign.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/cursor.h"

#define TIME_LEN 8u

int ww_cosign_key_parse(struct ww_slice text, struct ww_note_key *ret_key)
{
	return ww_note_key_parse_type(text, WW_NOTE_COSIGNATURE, ret_key);
}

int ww_cosign_signer_new(struct ww_slice name, struct ww_note_signer *ret_signer)
{
	return ww_note_signer_new_type(name, WW_NOTE_COSIGNATURE, ret_signer);
}

int ww_cosign_signer_parse(struct ww_slice text, struct ww_note_signer *ret_signer)
{
	return ww_note_signer_parse_type(text, WW_NOTE_COSIGNATURE, ret_signer);
}

static int signed_message(struct ww_slice text, uint64_t time, struct ww_buf *out)
{
	char head[64];
	int n = snprintf(head, sizeof(head), "cosignature/v1\ntime %" PRIu64 "\n", time);
	int r;

	ww_buf_init(out, WW_NOTE_BYTES_MAX + sizeof(head));
	r = ww_buf_add(out, head, (size_t)n);
	return r < 0 ? r : ww_buf_add(out, text.p, text.n);
}

int ww_cosign_line(const struct ww_note_signer *s, struct ww_slice text, uint64_t time,
		   struct ww_buf *out)
{
	WW_AUTO_BUF struct ww_buf message = {0};
	uint8_t sig[TIME_LEN + WW_NOTE_SIG_LEN];
	int r;

	if (s->key.type != WW_NOTE_COSIGNATURE || time > WW_COSIGN_TIME_MAX)
		return -EINVAL;
	for (size_t i = 0; i < TIME_LEN; i++)
		sig[i] = (uint8_t)(time >> (56 - 8 * i));
	r = signed_message(text, time, &message);
	if (r == 0)
		r = ww_note_sign_raw(s, ww_buf_slice(&message), sig + TIME_LEN);
	return r < 0 ? r : ww_note_line_add(&s->key, ww_slice(sig, sizeof(sig)), out);
}

static int check_line(struct ww_slice text, const struct ww_note_line *line,
		      const struct ww_note_key *witness, uint64_t *ret_time)
{
	struct ww_cursor c = ww_cursor(ww_slice(line->sig, line->n));
	uint64_t time = ww_cursor_be64(&c);
	struct ww_slice sig = ww_cursor_take(&c, ww_cursor_left(&c));
	WW_AUTO_BUF struct ww_buf message = {0};
	int r;

	if (!ww_cursor_ok(&c) || time > WW_COSIGN_TIME_MAX)
		return -EBADMSG;
	r = signed_message(text, time, &message);
	if (r == 0)
		r = ww_note_verify_raw(witness, ww_buf_slice(&message), sig);
	if (r == 0)
		*ret_time = time;
	return r;
}

int ww_cosign_check(struct ww_slice text, struct ww_slice lines, const struct ww_note_key *witness,
		    uint64_t *ret_time, struct ww_slice *ret_line)
{
	struct ww_slice before = lines, best_line = WW_SLICE_NULL;
	struct ww_note_line line;
	uint64_t time = 0, best = 0;
	size_t count = 0;
	int r;

	if (witness->type != WW_NOTE_COSIGNATURE)
		return -EINVAL;
	for (; (r = ww_note_line_next(&lines, &line)) == 1; before = lines) {
		if (++count > WW_NOTE_SIGNATURES_MAX)
			return -EINVAL;
		if (!ww_note_line_by(&line, witness))
			continue;
		r = check_line(text, &line, witness, &time);
		if (r < 0)
			return r;
		if (best_line.n > 0 && time <= best)
			continue;
		best = time;
		best_line = ww_slice_sub(before, 0, before.n - lines.n);
	}
	if (r < 0)
		return r;
	if (best_line.n == 0)
		return -ENOKEY;
	*ret_time = best;
	if (ret_line)
		*ret_line = best_line;
	return 0;
}
