/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/endorsement.h"

#include <errno.h>
#include <stdio.h>

static const char FIRST_LINE[] = "wirewitness.dev/key-endorsement/v1";

int ww_endorsement_sign(const struct ww_note_key *key, const char *time,
			const struct ww_note_signer *holder, struct ww_buf *out)
{
	char vkey[WW_NOTE_KEY_TEXT_MAX], text[WW_NOTE_KEY_TEXT_MAX + 128];
	int n;

	ww_note_key_text(key, vkey);
	n = snprintf(text, sizeof(text), "%s\n%s\n%s\n", FIRST_LINE, vkey, time);
	return ww_note_sign(holder, ww_slice(text, (size_t)n), out);
}

int ww_endorsement_open(struct ww_slice note, const struct ww_note_key *holder,
			struct ww_endorsement *ret)
{
	struct ww_slice text, line[3];
	struct ww_endorsement e = {0};
	int r = ww_note_open(note, holder, &text);

	if (r < 0)
		return r;
	for (size_t i = 0; i < 3; i++) {
		size_t end = ww_slice_find(text, 0, '\n');

		line[i] = ww_slice_sub(text, 0, end);
		text = ww_slice_sub(text, end + 1, text.n);
	}
	if (text.n != 0 || !ww_slice_eq_str(line[0], FIRST_LINE) ||
	    ww_note_key_parse(line[1], &e.key) < 0 || line[2].n == 0 || line[2].n >= sizeof(e.time))
		return -EINVAL;
	memcpy(e.time, line[2].p, line[2].n);
	*ret = e;
	return 0;
}
