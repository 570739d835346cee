/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/keychain.h"

#include <errno.h>
#include <inttypes.h>

#include "base/encode.h"
#include "ledger/fields.h"
#include "ledger/leaf.h"
#include "ledger/merkle.h"

static int read_proof(struct ww_slice array, struct ww_merkle_proof *ret)
{
	struct ww_merkle_proof proof = {0};
	struct ww_json_token t;
	struct ww_slice text;
	struct ww_json j;
	int r = ww_fields_array(array, &j);
	size_t n;

	while (r >= 0 && (r = ww_fields_next(&j, &t, &text)) == 1) {
		if (proof.n == WW_MERKLE_PROOF_MAX || t.type != WW_JSON_STRING ||
		    ww_base64_decode(t.raw, false, proof.path[proof.n].b, WW_SHA256_LEN, &n) < 0 ||
		    n != WW_SHA256_LEN)
			return -EINVAL;
		proof.n++;
	}
	if (r == 0)
		*ret = proof;
	return r;
}

/* The hash of the leaf that salt and record give. */
static int leaf_hash(struct ww_slice salt_hex, struct ww_slice record, struct ww_buf *scratch,
		     struct ww_sha256 *ret)
{
	uint8_t salt[WW_LEAF_SALT_LEN];
	char leaf[WW_LEAF_BYTES_MAX];
	struct ww_sha256 digest;
	size_t n;
	int r = ww_hex_decode(salt_hex, salt, sizeof(salt));

	ww_buf_clear(scratch);
	if (r == 0)
		r = ww_buf_add(scratch, salt, sizeof(salt));
	if (r == 0)
		r = ww_buf_add(scratch, record.p, record.n);
	if (r < 0)
		return r;
	ww_sha256(ww_buf_slice(scratch), &digest);
	n = ww_leaf_text(WW_SLICE_LIT(WW_ROTATION_KIND), &digest, leaf);
	ww_merkle_leaf(ww_slice(leaf, n), ret);
	return 0;
}

/* The hand-over checkpoint: both keys, the right size, the leaf in it. */
static int check_handover(const struct ww_rotation *rot, struct ww_slice note,
			  const struct ww_sha256 *leaf, const struct ww_merkle_proof *proof,
			  struct ww_checkpoint *ret_head, struct ww_errtext *why)
{
	struct ww_checkpoint by_old, by_new;
	int r = ww_checkpoint_open(note, &rot->old_key, &by_old);

	if (r == 0)
		r = ww_checkpoint_open(note, &rot->new_key, &by_new);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return ww_errtext_set(why, -EINVAL,
				      "the hand-over at %" PRIu64 " is not signed by both keys",
				      rot->index);
	if (by_new.size != rot->index + 1)
		return ww_errtext_set(why, -EINVAL,
				      "the hand-over at %" PRIu64 " has a checkpoint of %" PRIu64,
				      rot->index, by_new.size);
	if (!ww_merkle_inclusion_check(leaf, rot->index, by_new.size, proof, &by_new.root))
		return ww_errtext_set(why, -EINVAL,
				      "the rotation at %" PRIu64 " is not in the ledger",
				      rot->index);
	*ret_head = by_new;
	return 0;
}

struct scratch {
	struct ww_buf record, salted;
};

static void scratch_done(struct scratch *s)
{
	ww_buf_done(&s->record);
	ww_buf_done(&s->salted);
}

int ww_keychain_step(struct ww_slice line, struct ww_keychain_step *ret, struct ww_errtext *why)
{
	enum { V, INDEX, SALT, RECORD, PROOF, CHECKPOINT, N };
	struct ww_field f[N] = {{.name = "v", .type = WW_JSON_NUMBER},
				{.name = "index", .type = WW_JSON_NUMBER},
				{.name = "salt", .type = WW_JSON_STRING},
				{.name = "record", .type = WW_JSON_STRING},
				{.name = "proof", .type = WW_JSON_ARRAY},
				{.name = "checkpoint", .type = WW_JSON_STRING}};
	WW_AUTO(scratch_done) struct scratch s = {{0}, {0}};
	WW_AUTO_BUF struct ww_buf note = {0};
	struct ww_slice record, signed_note;
	struct ww_checkpoint head;
	struct ww_merkle_proof proof;
	struct ww_sha256 leaf;
	struct ww_rotation rot;
	uint64_t v, index;
	int r = line.n <= WW_KEYCHAIN_LINE_MAX
			? ww_fields_read(line, "a line of the history", f, N, why)
			: ww_errtext_set(why, -EINVAL, "a line of the history is too long");

	if (r < 0)
		return r;
	ww_buf_init(&s.record, WW_KEYCHAIN_LINE_MAX);
	ww_buf_init(&note, WW_NOTE_BYTES_MAX);
	ww_buf_init(&s.salted, WW_KEYCHAIN_LINE_MAX + WW_LEAF_SALT_LEN);
	if (ww_fields_u64(&f[V], &v) < 0 || v != 1)
		return ww_errtext_set(why, -EINVAL, "the history is of another version");
	if (ww_fields_u64(&f[INDEX], &index) < 0 ||
	    ww_fields_text(&f[RECORD].token, &s.record, &record) < 0 ||
	    ww_fields_text(&f[CHECKPOINT].token, &note, &signed_note) < 0 ||
	    read_proof(f[PROOF].text, &proof) < 0 ||
	    leaf_hash(f[SALT].token.raw, record, &s.salted, &leaf) < 0)
		return ww_errtext_set(why, -EINVAL, "a line of the history is malformed");
	r = ww_rotation_record_open(record, &rot, why);
	if (r < 0)
		return r == -ENOMEM ? r : -EINVAL;
	if (rot.index != index)
		return ww_errtext_set(why, -EINVAL,
				      "a rotation made for place %" PRIu64 " stands at %" PRIu64,
				      rot.index, index);
	/* A note has newlines, so its text was unescaped into `note`. */
	r = check_handover(&rot, signed_note, &leaf, &proof, &head, why);
	if (r == 0) {
		*ret = (struct ww_keychain_step){.rotation = rot, .head = head, .note = note};
		note = (struct ww_buf){0};
	}
	return r;
}

/* Adds a checked rotation behind the last one. */
static int append(struct ww_keychain *c, const struct ww_keychain_step *step,
		  struct ww_errtext *why)
{
	const struct ww_rotation *rot = &step->rotation;
	struct ww_keychain_key *old;

	if (c->n == 0) {
		c->keys[c->n++] = (struct ww_keychain_key){.key = rot->old_key};
	} else if (!ww_note_key_equal(&c->keys[c->n - 1].key, &rot->old_key)) {
		return ww_errtext_set(why, -EINVAL,
				      "the rotation at %" PRIu64
				      " does not begin with the key before it",
				      rot->index);
	}
	if (c->n == WW_KEYCHAIN_KEYS_MAX)
		return ww_errtext_set(why, -E2BIG, "the history has over %u keys",
				      WW_KEYCHAIN_KEYS_MAX);
	/* A key that was laid down does not come back, and later means further on. */
	if (ww_keychain_find(c, &rot->new_key) || rot->index + 1 <= c->keys[c->n - 1].first)
		return ww_errtext_set(why, -EINVAL, "the rotation at %" PRIu64 " goes back",
				      rot->index);
	old = &c->keys[c->n - 1];
	old->last = rot->index + 1;
	c->keys[c->n] = (struct ww_keychain_key){
		.key = rot->new_key, .first = rot->index + 1, .root = step->head.root};
	memcpy(c->keys[c->n].since, rot->time, sizeof(rot->time));
	c->n++;
	return 0;
}

int ww_keychain_read(struct ww_slice history, const struct ww_note_key *anchor,
		     struct ww_keychain *ret_chain, struct ww_errtext *why)
{
	WW_AUTO_FREE struct ww_keychain *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return ww_errtext_errno(why, -ENOMEM, "cannot read the history");
	if (history.n > WW_KEYCHAIN_BYTES_MAX)
		return ww_errtext_set(why, -E2BIG, "the history is too long");
	while (history.n > 0) {
		struct ww_keychain_step step = {.note = {0}};
		size_t end = ww_slice_find(history, 0, '\n');

		if (end == history.n)
			return ww_errtext_set(why, -EINVAL, "the history's last line is cut off");
		r = ww_keychain_step(ww_slice_sub(history, 0, end), &step, why);
		if (r == 0)
			r = append(c, &step, why);
		ww_buf_done(&step.note);
		if (r < 0)
			return r;
		history = ww_slice_sub(history, end + 1, history.n);
	}
	if (c->n == 0)
		c->keys[c->n++].key = *anchor;
	c->keys[c->n - 1].last = WW_MERKLE_SIZE_MAX;
	if (!ww_keychain_find(c, anchor))
		return ww_errtext_set(why, -ENOKEY, "the history does not hold the trusted key");
	*ret_chain = *c;
	return 0;
}

const struct ww_keychain_key *ww_keychain_find(const struct ww_keychain *chain,
					       const struct ww_note_key *key)
{
	for (size_t i = 0; i < chain->n; i++)
		if (ww_note_key_equal(&chain->keys[i].key, key))
			return &chain->keys[i];
	return NULL;
}

int ww_keychain_open(const struct ww_keychain *chain, struct ww_slice note,
		     struct ww_checkpoint *ret_checkpoint, const struct ww_keychain_key **ret_key,
		     struct ww_errtext *why)
{
	const struct ww_keychain_key *late = NULL;
	struct ww_checkpoint c;
	int r;

	for (size_t i = chain->n; i-- > 0;) {
		const struct ww_keychain_key *k = &chain->keys[i];

		r = ww_checkpoint_open(note, &k->key, &c);
		if (r == 0 && c.size >= k->first && c.size <= k->last) {
			*ret_checkpoint = c;
			if (ret_key)
				*ret_key = k;
			return 0;
		}
		if (r == 0)
			late = k;
		else if (r != -ENOKEY)
			return ww_errtext_set(why, r, "not a checkpoint of this log");
	}
	if (late)
		return ww_errtext_set(why, -EKEYEXPIRED,
				      "signed only by key %08x, which speaks for %" PRIu64
				      " to %" PRIu64 " records, not for this tree",
				      late->key.id, late->first, late->last);
	return ww_errtext_set(why, -ENOKEY, "not signed by any key of this log");
}
