/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/earlier.h"

#include <errno.h>
#include <inttypes.h>

#include "ledger/fields.h"
#include "ledger/statement.h"

static bool root_eq(const struct ww_checkpoint *a, const struct ww_sha256 *root)
{
	return memcmp(a->root.b, root->b, sizeof(root->b)) == 0;
}

/* By the proof that the report carries for this size. 1: there is one; 0: none; -EINVAL. */
static int embedded(const struct ww_checkpoint *head, const struct ww_checkpoint *kept,
		    struct ww_slice array, bool *ret_good, struct ww_errtext *why)
{
	struct ww_merkle_proof proof;
	struct ww_json j;
	uint64_t size;
	int r;

	if (array.n == 0)
		return 0;
	r = ww_fields_array(array, &j);
	if (r < 0)
		return r;
	while ((r = ww_statement_consistency_next(&j, &size, &proof, why)) == 1) {
		if (size == kept->size) {
			*ret_good = ww_merkle_consistency_check(kept->size, &kept->root, head->size,
								&head->root, &proof);
			return 1;
		}
	}
	return r;
}

/* By tile files, which are as good as what they add up to. */
static int by_tiles(const struct ww_checkpoint *old, const struct ww_checkpoint *head,
		    struct ww_tile_store *tiles, enum ww_earlier *ret, struct ww_errtext *why)
{
	struct ww_merkle_reader reader = ww_tile_store_reader(tiles);
	struct ww_merkle_proof proof;
	struct ww_sha256 root;
	int r;

	ww_tile_store_resize(tiles, head->size);
	r = ww_merkle_root(&reader, head->size, &root);
	if (r == 0)
		r = ww_merkle_consistency(&reader, old->size, head->size, &proof);
	if (r < 0) {
		(void)ww_errtext_errno(why, r, "cannot read the log's tiles up to %" PRIu64,
				       head->size);
		return r == -ENOMEM ? r : 0;
	}
	if (ww_merkle_consistency_check(old->size, &old->root, head->size, &head->root, &proof))
		*ret = WW_EARLIER_CONTINUED;
	else if (root_eq(head, &root))
		*ret = WW_EARLIER_BROKEN;
	else
		ww_errtext_set(why, 0, "the log's tiles are not those of the tree of %" PRIu64,
			       head->size);
	return 0;
}

static int decide(const struct ww_checkpoint *head, const struct ww_checkpoint *kept,
		  const struct ww_earlier_proofs *proofs, enum ww_earlier *ret,
		  struct ww_errtext *why)
{
	bool later = kept->size > head->size, good = false;
	int r;

	if (kept->size == head->size) {
		*ret = root_eq(head, &kept->root) ? WW_EARLIER_CONTINUED : WW_EARLIER_EQUIVOCATION;
		return 0;
	}
	if (kept->size == 0) { /* of an empty tree every other is the continuation */
		struct ww_sha256 empty;

		ww_merkle_empty(&empty);
		*ret = root_eq(kept, &empty) ? WW_EARLIER_CONTINUED : WW_EARLIER_BROKEN;
		return 0;
	}
	r = later ? 0 : embedded(head, kept, proofs->consistency, &good, why);
	if (r < 0) {
		*ret = WW_EARLIER_BROKEN;
		return 0;
	}
	if (r == 1) {
		*ret = good ? WW_EARLIER_CONTINUED : WW_EARLIER_BROKEN;
		return 0;
	}
	ww_errtext_set(why, 0,
		       "nothing here shows whether the trees of %" PRIu64 " and %" PRIu64
		       " records are one: no proof in the report, no tiles",
		       kept->size, head->size);
	if (!proofs->tiles)
		return 0;
	return later ? by_tiles(head, kept, proofs->tiles, ret, why)
		     : by_tiles(kept, head, proofs->tiles, ret, why);
}

int ww_earlier_check(const struct ww_checkpoint *head, const struct ww_checkpoint *kept,
		     const struct ww_earlier_proofs *proofs, enum ww_earlier *ret,
		     struct ww_errtext *why)
{
	enum ww_earlier e = WW_EARLIER_OPEN;
	int r = decide(head, kept, proofs, &e, why);

	if (r < 0)
		return r;
	if (e == WW_EARLIER_BROKEN)
		ww_errtext_set(why, 0,
			       "the trees of %" PRIu64 " and %" PRIu64
			       " records are not one: the log's past was rewritten",
			       kept->size, head->size);
	if (e == WW_EARLIER_EQUIVOCATION)
		ww_errtext_set(why, 0,
			       "the log signed two heads of %" PRIu64
			       " records with different roots",
			       head->size);
	*ret = e;
	return 0;
}
