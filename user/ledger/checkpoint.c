/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/checkpoint.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/encode.h"
#include "ledger/merkle.h"

int ww_checkpoint_text(const struct ww_checkpoint *c, struct ww_buf *out)
{
	char text[WW_NOTE_NAME_MAX + 96], root[WW_BASE64_LEN(WW_SHA256_LEN) + 1];
	int n;

	ww_base64_encode(ww_slice(c->root.b, sizeof(c->root.b)), root);
	n = snprintf(text, sizeof(text), "%s\n%" PRIu64 "\n%s\n", c->origin, c->size, root);
	return ww_buf_add(out, text, (size_t)n);
}

int ww_checkpoint_parse(struct ww_slice text, struct ww_checkpoint *ret_checkpoint)
{
	struct ww_slice origin, size, root;
	struct ww_checkpoint c = {0};
	size_t n;

	if (!ww_slice_line(&text, &origin) || !ww_slice_line(&text, &size) ||
	    !ww_slice_line(&text, &root))
		return -EINVAL;
	if (origin.n == 0 || origin.n > WW_NOTE_NAME_MAX || memchr(origin.p, '\0', origin.n) ||
	    ww_slice_u64(size, &c.size) < 0 || c.size > WW_MERKLE_SIZE_MAX ||
	    (size.n > 1 && size.p[0] == '0') ||
	    ww_base64_decode(root, false, c.root.b, sizeof(c.root.b), &n) < 0 ||
	    n != sizeof(c.root.b))
		return -EINVAL;
	memcpy(c.origin, origin.p, origin.n);
	*ret_checkpoint = c;
	return 0;
}

int ww_checkpoint_sign(const struct ww_checkpoint *c, const struct ww_note_signer *s,
		       struct ww_buf *out)
{
	WW_AUTO_BUF struct ww_buf text = {0};
	int r;

	ww_buf_init(&text, WW_NOTE_BYTES_MAX);
	r = ww_checkpoint_text(c, &text);
	return r < 0 ? r : ww_note_sign(s, ww_buf_slice(&text), out);
}

int ww_checkpoint_open(struct ww_slice note, const struct ww_note_key *key,
		       struct ww_checkpoint *ret_checkpoint)
{
	struct ww_checkpoint c;
	struct ww_slice text;
	int r = ww_note_open(note, key, &text);

	if (r == 0)
		r = ww_checkpoint_parse(text, &c);
	if (r < 0)
		return r;
	if (strcmp(c.origin, key->name) != 0)
		return -EINVAL;
	*ret_checkpoint = c;
	return 0;
}

bool ww_checkpoint_conflict(const struct ww_checkpoint *a, const struct ww_checkpoint *b)
{
	return strcmp(a->origin, b->origin) == 0 && a->size == b->size &&
	       memcmp(a->root.b, b->root.b, sizeof(a->root.b)) != 0;
}
