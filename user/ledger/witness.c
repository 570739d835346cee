/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/witness.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/encode.h"

static int parse_old(struct ww_slice line, uint64_t *ret_old)
{
	struct ww_slice prefix = WW_SLICE_LIT("old "), size = ww_slice_sub(line, 4, line.n);

	/* "no leading zeroes (unless the size is zero)" */
	if (!ww_slice_starts(line, prefix) || (size.n > 1 && size.p[0] == '0') ||
	    ww_slice_u64(size, ret_old) < 0 || *ret_old > WW_MERKLE_SIZE_MAX)
		return -EINVAL;
	return 0;
}

int ww_witness_request_parse(struct ww_slice body, struct ww_witness_request *ret_request)
{
	struct ww_slice rest = body, line, text, lines;
	struct ww_witness_request q = {0};
	size_t n;

	if (!ww_slice_line(&rest, &line) || parse_old(line, &q.old) < 0)
		return -EINVAL;
	for (;;) {
		struct ww_sha256 *hash = &q.proof.path[q.proof.n];

		if (!ww_slice_line(&rest, &line))
			return -EINVAL;
		if (line.n == 0)
			break;
		if (q.proof.n == WW_WITNESS_PROOF_MAX ||
		    ww_base64_decode(line, false, hash->b, sizeof(hash->b), &n) < 0 ||
		    n != sizeof(hash->b))
			return -EINVAL;
		q.proof.n++;
	}
	q.note = rest;
	if (ww_note_split(q.note, &text, &lines) < 0 || ww_checkpoint_parse(text, &q.claim) < 0)
		return -EINVAL;
	*ret_request = q;
	return 0;
}

int ww_witness_request_write(uint64_t old, const struct ww_merkle_proof *proof,
			     struct ww_slice note, struct ww_buf *out)
{
	char line[WW_BASE64_LEN(WW_SHA256_LEN) + 2];
	int n = snprintf(line, sizeof(line), "old %" PRIu64 "\n", old);
	int r = proof->n > WW_WITNESS_PROOF_MAX ? -EINVAL : ww_buf_add(out, line, (size_t)n);

	for (size_t i = 0; i < proof->n && r == 0; i++) {
		ww_base64_encode(ww_slice(proof->path[i].b, WW_SHA256_LEN), line);
		line[WW_BASE64_LEN(WW_SHA256_LEN)] = '\n';
		r = ww_buf_add(out, line, WW_BASE64_LEN(WW_SHA256_LEN) + 1);
	}
	if (r == 0)
		r = ww_buf_add(out, "\n", 1);
	return r < 0 ? r : ww_buf_add(out, note.p, note.n);
}

int ww_witness_open(const struct ww_witness_trust *t, const char *origin, struct ww_slice note,
		    struct ww_checkpoint *ret_head)
{
	const struct ww_keychain *chain = t->chain;
	struct ww_errtext why;
	int r = -ENOENT;

	if (chain && strcmp(chain->keys[0].key.name, origin) == 0)
		r = ww_keychain_open(chain, note, ret_head, NULL, &why);
	for (size_t i = 0; i < t->n && (r == -ENOENT || r == -ENOKEY); i++)
		if (strcmp(t->logs[i].name, origin) == 0 &&
		    !(chain && ww_keychain_find(chain, &t->logs[i])))
			r = ww_checkpoint_open(note, &t->logs[i], ret_head);
	return r;
}

enum ww_witness_status ww_witness_admit(const struct ww_witness_request *q,
					const struct ww_witness_trust *t)
{
	struct ww_checkpoint head;

	switch (ww_witness_open(t, q->claim.origin, q->note, &head)) {
	case 0:
		return WW_WITNESS_COSIGN;
	case -ENOENT:
		return WW_WITNESS_UNKNOWN;
	case -ENOMEM:
		return WW_WITNESS_UNABLE;
	default:
		return WW_WITNESS_FORBIDDEN;
	}
}

struct ww_witness_ruling ww_witness_judge(const struct ww_witness_request *q,
					  const struct ww_checkpoint *held)
{
	struct ww_checkpoint none = {0};
	struct ww_witness_ruling ruling = {.status = WW_WITNESS_COSIGN};

	ww_merkle_empty(&none.root);
	ruling.held = held ? held->size : 0;
	/* Whatever else is wrong with the request: this is proof, and must not be lost. */
	ruling.equivocation = held && ww_checkpoint_conflict(held, &q->claim);
	if (!held)
		held = &none;
	if (q->old > q->claim.size) {
		ruling.status = WW_WITNESS_BAD;
	} else if (q->old != held->size) {
		ruling.status = WW_WITNESS_CONFLICT;
		ruling.resize = true;
	} else if (ruling.equivocation) {
		ruling.status = WW_WITNESS_CONFLICT;
	} else if (!ww_merkle_consistency_check(q->old, &held->root, q->claim.size, &q->claim.root,
						&q->proof)) {
		ruling.status = WW_WITNESS_UNPROVEN;
	}
	return ruling;
}
