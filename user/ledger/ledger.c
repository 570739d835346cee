/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariants:
 *  1. `frames` holds the payload frames of exactly the entries that the tree has pending, in order.
 *  2. Frames reach the disk before the tree that covers them.
 *  3. The payload's end advances only over records that the tree reports as committed.
 */
#include "ledger/ledger.h"

#include <endian.h>
#include <errno.h>
#include <sys/random.h>

#include "base/utf8.h"
#include "ledger/leaf.h"
#include "ledger/payload.h"
#include "wirewitness/limits.h"

#define SALTS 128u /* taken from the kernel at once */

struct ww_ledger {
	struct ww_tlog *log;
	struct ww_payload_writer payload;
	struct ww_buf frames;
	uint64_t size; /* committed, as far as `frames` and `payload` know */
	int stopped;
	struct ww_errtext why;
	bool derived; /* salts are, of this key */
	struct ww_digest_key salt_key;
	struct ww_sha256 salt;
	size_t salts_left;
	uint8_t salts[SALTS][WW_LEAF_SALT_LEN];
};

int ww_ledger_open(const struct ww_tlog_options *o, struct ww_ledger **ret_ledger,
		   struct ww_errtext *why)
{
	WW_AUTO(ww_ledger_close_auto) struct ww_ledger *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return ww_errtext_errno(why, -ENOMEM, "cannot open the ledger");
	l->payload.dir = l->payload.fd = -1;
	ww_buf_init(&l->frames, WW_LEDGER_PENDING_BYTES);
	r = ww_tlog_open(o, &l->log, why);
	if (r < 0)
		return r;
	l->size = ww_tlog_size(l->log);
	r = ww_payload_writer_open(ww_tlog_dir(l->log), l->size, &l->payload, why);
	if (r < 0)
		return r;
	*ret_ledger = WW_TAKE(l);
	return 0;
}

void ww_ledger_close(struct ww_ledger *l)
{
	if (!l)
		return;
	ww_tlog_close(l->log);
	ww_payload_writer_done(&l->payload);
	ww_buf_wipe(&l->frames);
	explicit_bzero(l, sizeof(*l));
	free(l);
}

void ww_ledger_derive_salts(struct ww_ledger *l, const uint8_t key[32])
{
	l->derived = true;
	ww_digest_key_init(&l->salt_key, key);
}

static int take_salt(struct ww_ledger *l, uint64_t index, struct ww_slice *ret_salt)
{
	if (l->derived) {
		const uint64_t be = htobe64(index);

		_Static_assert(sizeof(l->salt) == WW_LEAF_SALT_LEN, "a digest is a salt");
		ww_digest(&l->salt_key, ww_slice(&be, sizeof(be)), &l->salt);
		*ret_salt = ww_slice(l->salt.b, sizeof(l->salt.b));
		return 0;
	}
	if (l->salts_left == 0) {
		uint8_t *p = l->salts[0];
		size_t n = sizeof(l->salts);

		while (n > 0) {
			ssize_t got = getrandom(p, n, 0);

			if (got < 0 && errno == EINTR)
				continue;
			if (got <= 0)
				return -EIO;
			p += got;
			n -= (size_t)got;
		}
		l->salts_left = SALTS;
	}
	*ret_salt = ww_slice(l->salts[--l->salts_left], WW_LEAF_SALT_LEN);
	return 0;
}

static bool is_utf8(struct ww_slice s)
{
	size_t n;

	for (size_t at = 0; at < s.n; at += n) {
		n = 1;
		if (s.p[at] >= 0x80 && ww_utf8_next(s, at, &n) != WW_PARSE_DONE)
			return false;
	}
	return true;
}

int ww_ledger_append(struct ww_ledger *l, const char *kind, struct ww_slice json,
		     uint64_t *ret_index)
{
	static const uint8_t no_salt[WW_LEAF_SALT_LEN];
	struct ww_payload p = {.kind = ww_slice_str(kind),
			       .salt = ww_slice(no_salt, sizeof(no_salt)),
			       .json = json};
	size_t before = l->frames.n;
	char leaf[WW_LEAF_BYTES_MAX];
	struct ww_slice salted;
	uint64_t index;
	size_t n;
	int r;

	if (!ww_leaf_kind_ok(p.kind) || json.n == 0)
		return -EINVAL;
	if (json.n > WW_RECORD_BYTES_MAX)
		return -EMSGSIZE;
	if (!is_utf8(json))
		return -EINVAL;
	p.index = ww_tlog_size(l->log) + ww_tlog_pending(l->log);
	r = ww_leaf_is_report(p.kind) ? 0 : take_salt(l, p.index, &p.salt);
	if (r < 0)
		return r;
	r = ww_payload_encode(&p, &l->frames, &salted);
	if (r < 0)
		return r == -EMSGSIZE ? -ENOBUFS : r;
	r = ww_leaf_record(p.kind, salted, leaf, &n);
	if (r == 0)
		r = ww_tlog_append(l->log, ww_slice(leaf, n), &index);
	if (r < 0) {
		l->frames.n = before;
		return r;
	}
	if (ret_index)
		*ret_index = index;
	return 0;
}

/* Invariant 2: records first, and none of them unless the tree may follow. */
static int write_pending(struct ww_ledger *l, uint64_t *ret_size, struct ww_errtext *why)
{
	int r = ww_tlog_ready(l->log);

	if (r < 0)
		return ww_errtext_set(why, r, "%s", ww_tlog_stopped(l->log));
	r = ww_payload_writer_kept(&l->payload, why);
	if (r < 0)
		return r;
	r = ww_payload_writer_put(&l->payload, l->size, ww_buf_slice(&l->frames));
	if (r < 0)
		return ww_errtext_errno(why, r, "cannot write the records");
	r = ww_tlog_commit(l->log, ret_size);
	return r < 0 ? ww_errtext_set(why, r, "%s", ww_tlog_stopped(l->log)) : 0;
}

int ww_ledger_commit(struct ww_ledger *l, uint64_t *ret_size)
{
	uint64_t size;
	int r;

	if (l->stopped)
		return l->stopped;
	if (l->frames.n > 0) {
		r = write_pending(l, &size, &l->why);
		if (r < 0) {
			l->stopped = r;
			return r;
		}
		ww_payload_writer_advance(&l->payload, l->frames.n);
		ww_buf_clear(&l->frames);
		l->size = size;
	}
	if (ret_size)
		*ret_size = l->size;
	return 0;
}

/* Moves frames whose entries turned out to be committed behind the payload's end (invariant 3). */
static void settle(struct ww_ledger *l, uint64_t size)
{
	struct ww_cursor c = ww_cursor(ww_buf_slice(&l->frames));
	struct ww_payload p;

	for (; l->size < size; l->size++)
		(void)ww_payload_next(&c, &p); /* framed by ww_ledger_append */
	ww_payload_writer_advance(&l->payload, c.at);
	ww_buf_consume(&l->frames, c.at);
}

int ww_ledger_retry(struct ww_ledger *l)
{
	int r;

	if (!l->stopped)
		return 0;
	r = ww_tlog_retry(l->log);
	if (r < 0)
		return ww_errtext_set(&l->why, r, "%s", ww_tlog_stopped(l->log));
	settle(l, ww_tlog_size(l->log));
	r = ww_payload_writer_rewind(&l->payload);
	if (r < 0)
		return ww_errtext_errno(&l->why, r, "cannot cut off unfinished records");
	l->stopped = 0;
	return 0;
}

const char *ww_ledger_stopped(const struct ww_ledger *l)
{
	return l->stopped ? l->why.text : NULL;
}

int ww_ledger_erase(struct ww_ledger *l, uint64_t index)
{
	if (index >= l->size)
		return -ERANGE;
	return ww_payload_writer_erase(&l->payload, index);
}

void ww_ledger_hand_over(struct ww_ledger *l, const struct ww_note_signer *next)
{
	ww_tlog_hand_over(l->log, next);
}

int ww_ledger_dir(const struct ww_ledger *l)
{
	return ww_tlog_dir(l->log);
}

uint64_t ww_ledger_size(const struct ww_ledger *l)
{
	return l->size;
}

uint64_t ww_ledger_pending(const struct ww_ledger *l)
{
	return ww_tlog_pending(l->log);
}

const struct ww_checkpoint *ww_ledger_head(const struct ww_ledger *l)
{
	return ww_tlog_head(l->log);
}

const struct ww_keyfile *ww_ledger_keys(const struct ww_ledger *l)
{
	return ww_tlog_keys(l->log);
}
