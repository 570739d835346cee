/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariants:
 *  1. A cosignature leaves only after its checkpoint is on the disk.
 *  2. For one origin, what is on the disk only ever grows by proofs.
 *  3. An error of reading is answered with 500, never as an origin that is new.
 *  4. A key that no operator gave counts only through a chain of rotations from one that was
 *     given, each followed at the very checkpoint that was held.
 */
#include "ledger/witness_state.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/encode.h"
#include "ledger/cosign.h"
#include "ledger/durable.h"
#include "ledger/equivocation.h"

#define ORIGIN_HASH_BYTES 16u
#define TEXT_TYPE         "text/plain; charset=utf-8"

struct ww_witness_state {
	int dir, logs, lock;
	struct ww_note_signer signer;
	struct ww_note_key *keys; /* of logs */
	size_t n_keys;
};

/* --- opening ---------------------------------------------------------------------------------- */

static int put_key(int dir, const char *name, mode_t mode, char text[WW_NOTE_KEY_TEXT_MAX + 1])
{
	size_t n = strlen(text);
	int r;

	text[n++] = '\n';
	r = ww_durable_replace(dir, name, mode, ww_slice(text, n));
	explicit_bzero(text, n);
	return r;
}

static int make_key(struct ww_witness_state *s, const char *name, struct ww_errtext *why)
{
	char text[WW_NOTE_KEY_TEXT_MAX + 1];
	int r;

	/* Who cosigned under a key that is gone must not go on under another. */
	if (!name || faccessat(s->dir, "logs", F_OK, 0) == 0)
		return ww_errtext_set(why, -ENOKEY, "the witness's key is missing");
	r = ww_cosign_signer_new(ww_slice_str(name), &s->signer);
	if (r < 0)
		return ww_errtext_errno(why, r, "cannot make a key called \"%.200s\"", name);
	ww_note_signer_text(&s->signer, text);
	r = put_key(s->dir, "key", 0600, text);
	return r < 0 ? ww_errtext_errno(why, r, "cannot write key") : 0;
}

static int read_key(struct ww_witness_state *s, struct ww_errtext *why)
{
	WW_AUTO(ww_buf_wipe) struct ww_buf b = {0};
	struct ww_slice text;
	struct stat st;
	int r;

	if (fstatat(s->dir, "key", &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? -ENOENT
				       : ww_errtext_errno(why, -errno, "cannot look at key");
	if (!S_ISREG(st.st_mode) || (st.st_mode & 077))
		return ww_errtext_set(why, -EPERM, "key must be a regular file with mode 0600");
	ww_buf_init(&b, WW_NOTE_KEY_TEXT_MAX);
	r = ww_durable_read(s->dir, "key", &b);
	if (r < 0)
		return ww_errtext_errno(why, r, "cannot read key");
	text = ww_buf_slice(&b);
	r = ww_cosign_signer_parse(ww_slice_sub(text, 0, ww_slice_find(text, 0, '\n')), &s->signer);
	return r < 0 ? ww_errtext_set(why, r, "key does not hold the key of a witness") : 0;
}

static int load_key(struct ww_witness_state *s, const char *name, struct ww_errtext *why)
{
	char text[WW_NOTE_KEY_TEXT_MAX + 1];
	int r = read_key(s, why);

	if (r == -ENOENT)
		r = make_key(s, name, why);
	if (r < 0)
		return r;
	if (name && strcmp(name, s->signer.key.name) != 0)
		return ww_errtext_set(why, -EINVAL, "this witness is called %.200s",
				      s->signer.key.name);
	ww_note_key_text(&s->signer.key, text);
	r = put_key(s->dir, "vkey", 0644, text);
	return r < 0 ? ww_errtext_errno(why, r, "cannot write vkey") : 0;
}

static int parse_logs(struct ww_witness_state *s, struct ww_slice text, struct ww_errtext *why)
{
	unsigned at = 0;

	s->keys = calloc(WW_WITNESS_LOGS_MAX, sizeof(*s->keys));
	if (!s->keys)
		return ww_errtext_errno(why, -ENOMEM, "cannot read the keys of logs");
	while (text.n > 0) {
		size_t end = ww_slice_find(text, 0, '\n');
		struct ww_slice line = ww_slice_trim(ww_slice_sub(text, 0, end));

		text = ww_slice_sub(text, end + 1, text.n);
		at++;
		if (line.n == 0 || line.p[0] == '#')
			continue;
		if (s->n_keys == WW_WITNESS_LOGS_MAX)
			return ww_errtext_set(why, -EINVAL, "line %u: more than %u logs", at,
					      WW_WITNESS_LOGS_MAX);
		if (ww_note_key_parse(line, &s->keys[s->n_keys]) < 0)
			return ww_errtext_set(
				why, -EINVAL,
				"line %u: expected a log's verifier key, NAME+ID+BASE64", at);
		s->n_keys++;
	}
	return 0;
}

static int open_files(struct ww_witness_state *s, const char *dir, const char *name,
		      struct ww_errtext *why)
{
	int r = ww_durable_open_dir(dir, &s->dir, why);

	if (r == 0)
		r = ww_durable_lock(s->dir, "another witness uses this directory", &s->lock, why);
	if (r == 0)
		r = ww_durable_settle(s->dir, why);
	if (r == 0)
		r = load_key(s, name, why);
	if (r < 0)
		return r;
	if (mkdirat(s->dir, "logs", 0700) < 0 && errno != EEXIST)
		return ww_errtext_errno(why, -errno, "cannot make logs");
	s->logs = openat(s->dir, "logs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = s->logs < 0 ? -errno : ww_durable_sync_dir(s->dir, ".");
	return r < 0 ? ww_errtext_errno(why, r, "cannot open logs") : 0;
}

int ww_witness_state_open(const char *dir, const char *name, struct ww_slice logs,
			  struct ww_witness_state **ret_state, struct ww_errtext *why)
{
	WW_AUTO(ww_witness_state_close_auto) struct ww_witness_state *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return ww_errtext_errno(why, -ENOMEM, "cannot open %s", dir);
	s->dir = s->logs = s->lock = -1;
	r = parse_logs(s, logs, why);
	if (r == 0)
		r = open_files(s, dir, name, why);
	if (r < 0)
		return r;
	*ret_state = WW_TAKE(s);
	return 0;
}

void ww_witness_state_close(struct ww_witness_state *s)
{
	if (!s)
		return;
	ww_note_signer_done(&s->signer);
	ww_own_close(&s->dir);
	ww_own_close(&s->logs);
	ww_own_close(&s->lock);
	free(s->keys);
	free(s);
}

const struct ww_note_key *ww_witness_state_key(const struct ww_witness_state *s)
{
	return &s->signer.key;
}

/* --- answering -------------------------------------------------------------------------------- */

static void say(struct ww_witness_answer *a, struct ww_buf *out, enum ww_witness_status status,
		const char *text)
{
	a->status = status;
	a->type = TEXT_TYPE;
	if (ww_buf_add(out, text, strlen(text)) < 0 || ww_buf_add(out, "\n", 1) < 0)
		ww_buf_clear(out); /* the status says enough */
}

/* The origin's own directory; made, and known to the disk, when it is new. */
static int open_origin(struct ww_witness_state *s, const char *origin, int *ret_fd)
{
	char name[2 * ORIGIN_HASH_BYTES + 1];
	struct ww_sha256 hash;
	WW_AUTO_FD int fd = -1;
	int r = 0;

	ww_sha256(ww_slice_str(origin), &hash);
	ww_hex_encode(ww_slice(hash.b, ORIGIN_HASH_BYTES), name);
	if (mkdirat(s->logs, name, 0700) == 0)
		r = ww_durable_sync_dir(s->logs, ".");
	else if (errno != EEXIST)
		r = -errno;
	if (r < 0)
		return r;
	fd = openat(s->logs, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	*ret_fd = WW_TAKE_FD(fd);
	return 0;
}

/* One origin while a call is answered. */
struct origin {
	int dir;
	struct ww_buf history, note; /* of rotations; what was cosigned last */
	struct ww_keychain *chain;   /* NULL: no rotation was followed */
	struct ww_witness_trust trust;
	bool held; /* there is such a note, and it says `head` */
	struct ww_checkpoint head;
	bool forked;
};

static void origin_done(struct origin *o)
{
	ww_own_close(&o->dir);
	ww_buf_done(&o->history);
	ww_buf_done(&o->note);
	free(o->chain);
}

static bool knows(const struct ww_witness_state *s, const char *origin)
{
	for (size_t i = 0; i < s->n_keys; i++)
		if (strcmp(s->keys[i].name, origin) == 0)
			return true;
	return false;
}

/* Reads a history under whichever of the operator's keys is in it. Errors of ww_keychain_read. */
static int read_chain(const struct ww_witness_state *s, const char *origin, struct ww_slice history,
		      struct ww_keychain *chain, struct ww_errtext *why)
{
	int r = -ENOKEY;

	for (size_t i = 0; i < s->n_keys && r == -ENOKEY; i++)
		if (strcmp(s->keys[i].name, origin) == 0)
			r = ww_keychain_read(history, &s->keys[i], chain, why);
	return r;
}

static int load_chain(const struct ww_witness_state *s, const char *origin, struct origin *o,
		      struct ww_errtext *why)
{
	int r;

	ww_buf_init(&o->history, WW_KEYCHAIN_BYTES_MAX);
	o->trust = (struct ww_witness_trust){.logs = s->keys, .n = s->n_keys};
	r = ww_durable_read(o->dir, "keys", &o->history);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (o->history.n == 0) /* is none, and never written */
		return -EUCLEAN;
	o->chain = calloc(1, sizeof(*o->chain));
	r = o->chain ? read_chain(s, origin, ww_buf_slice(&o->history), o->chain, why) : -ENOMEM;
	o->trust.chain = o->chain;
	return r == -ENOMEM || r == 0 ? r : -EUCLEAN;
}

static int load_held(const char *origin, struct origin *o)
{
	int r;

	ww_buf_init(&o->note, WW_NOTE_BYTES_MAX);
	r = ww_durable_read(o->dir, "checkpoint", &o->note);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = ww_witness_open(&o->trust, origin, ww_buf_slice(&o->note), &o->head);
	o->held = r == 0;
	return r == -ENOMEM || r == 0 ? r : -EUCLEAN;
}

/* Invariant 3. Says what is wrong in the answer. 0 or -errno. */
static int load_origin(struct ww_witness_state *s, const char *origin, struct origin *o,
		       struct ww_buf *out, struct ww_witness_answer *a)
{
	struct ww_errtext why = {""};
	int r = open_origin(s, origin, &o->dir);

	if (r == 0)
		r = load_chain(s, origin, o, &why);
	if (r == 0)
		r = load_held(origin, o);
	if (r == 0)
		r = ww_equivocation_kept(o->dir);
	if (r < 0) {
		ww_errtext_errno(&a->note, r, "the state for %.200s cannot be used", origin);
		say(a, out, WW_WITNESS_UNABLE, "the state for this log cannot be used");
		return r;
	}
	o->forked = r > 0;
	return 0;
}

static void refuse(const struct ww_witness_ruling *ruling, struct ww_slice held_note,
		   struct ww_buf *out, struct ww_witness_answer *a)
{
	char size[32];

	if (ruling->status == WW_WITNESS_CONFLICT && ruling->resize) {
		snprintf(size, sizeof(size), "%" PRIu64, ruling->held);
		say(a, out, ruling->status, size);
		a->type = WW_WITNESS_SIZE_TYPE;
	} else if (ruling->status == WW_WITNESS_CONFLICT ||
		   (ruling->status == WW_WITNESS_UNPROVEN && held_note.n > 0)) {
		a->status = ruling->status;
		a->type = TEXT_TYPE;
		if (ww_buf_add(out, held_note.p, held_note.n) < 0)
			ww_buf_clear(out);
	} else if (ruling->status == WW_WITNESS_BAD) {
		say(a, out, ruling->status, "the old size is larger than the checkpoint");
	} else {
		say(a, out, ruling->status, "the proof does not lead from the old tree to the new");
	}
}

static void cosign(struct ww_witness_state *s, const struct ww_witness_request *q, int dir,
		   bool known, uint64_t now, struct ww_buf *out, struct ww_witness_answer *a)
{
	struct ww_slice text, lines;
	/* The rename of the one that is known may have been cut off from its sync. */
	int r = known ? ww_durable_sync_dir(dir, ".")
		      : ww_durable_replace(dir, "checkpoint", 0600, q->note);

	if (r < 0) {
		ww_errtext_errno(&a->note, r, "cannot keep the checkpoint of %.200s",
				 q->claim.origin);
		say(a, out, WW_WITNESS_UNABLE, "the checkpoint could not be kept");
		return;
	}
	a->status = WW_WITNESS_COSIGN;
	a->type = TEXT_TYPE;
	r = ww_note_split(q->note, &text, &lines);
	if (r == 0)
		r = ww_cosign_line(&s->signer, text, now, out);
	if (r < 0) {
		ww_buf_clear(out);
		say(a, out, WW_WITNESS_UNABLE, "no cosignature could be made");
	}
}

/* Two heads of one size, the held one and `note`: 0; or -errno, which was answered. */
static int keep_fork(const struct origin *o, struct ww_slice note, struct ww_buf *out,
		     struct ww_witness_answer *a)
{
	int r;

	ww_errtext_set(&a->note, 0, "%.200s signed two trees of %" PRIu64 " records",
		       o->head.origin, o->head.size);
	r = ww_equivocation_keep(o->dir, ww_buf_slice(&o->note), note, o->head.size, &a->note);
	if (r < 0)
		say(a, out, WW_WITNESS_UNABLE, "the proof could not be kept");
	return r;
}

static const char FORKED[] = "this log signed two trees of one size: the proof is kept here";

static void add(struct ww_witness_state *s, const struct ww_witness_request *q, struct origin *o,
		uint64_t now, struct ww_buf *out, struct ww_witness_answer *a)
{
	struct ww_witness_ruling ruling = ww_witness_judge(q, o->held ? &o->head : NULL);

	if (ruling.equivocation) {
		if (keep_fork(o, q->note, out, a) < 0)
			return;
	} else if (o->forked) {
		say(a, out, WW_WITNESS_FORBIDDEN, FORKED);
		return;
	}
	if (ruling.status == WW_WITNESS_COSIGN)
		cosign(s, q, o->dir, o->held && o->head.size == q->claim.size, now, out, a);
	else
		refuse(&ruling, ww_buf_slice(&o->note), out, a);
}

void ww_witness_state_add(struct ww_witness_state *s, struct ww_slice body, uint64_t now,
			  struct ww_buf *out, struct ww_witness_answer *ret_answer)
{
	WW_AUTO(origin_done) struct origin o = {.dir = -1};
	struct ww_witness_answer a = {.status = WW_WITNESS_BAD};
	struct ww_witness_request q;

	if (ww_witness_request_parse(body, &q) < 0) {
		say(&a, out, WW_WITNESS_BAD, "malformed request");
	} else if (!knows(s, q.claim.origin)) {
		say(&a, out, WW_WITNESS_UNKNOWN, "this log is not known here");
	} else if (load_origin(s, q.claim.origin, &o, out, &a) == 0) {
		a.status = ww_witness_admit(&q, &o.trust);
		if (a.status == WW_WITNESS_COSIGN)
			add(s, &q, &o, now, out, &a);
		else
			say(&a, out, a.status,
			    a.status == WW_WITNESS_FORBIDDEN
				    ? "not signed by a key of this log that speaks for this size"
				    : "try again");
	}
	*ret_answer = a;
}

/* --- following a log's key -------------------------------------------------------------------- */

/* Whether this very step was followed before. */
static bool followed(const struct ww_keychain *chain, const struct ww_keychain_step *step)
{
	const struct ww_keychain_key *k =
		chain ? ww_keychain_find(chain, &step->rotation.new_key) : NULL;

	return k && k > chain->keys && k->first == step->head.size &&
	       ww_note_key_equal(&k[-1].key, &step->rotation.old_key) &&
	       memcmp(k->root.b, step->head.root.b, sizeof(k->root.b)) == 0;
}

/* The hand-over must be what was cosigned last: no more and no less than that is handed over. */
static bool holds(const struct origin *o, const struct ww_keychain_step *step, struct ww_buf *out,
		  struct ww_witness_answer *a)
{
	struct ww_witness_ruling ruling = {.status = WW_WITNESS_CONFLICT};

	if (o->held && ww_checkpoint_conflict(&o->head, &step->head)) {
		if (keep_fork(o, ww_buf_slice(&step->note), out, a) == 0)
			refuse(&ruling, ww_buf_slice(&o->note), out, a);
		return false;
	}
	ruling.held = o->held ? o->head.size : 0;
	ruling.resize = ruling.held != step->head.size;
	if (ruling.resize)
		refuse(&ruling, WW_SLICE_NULL, out, a);
	return !ruling.resize;
}

static void follow(struct ww_witness_state *s, struct origin *o, struct ww_slice body,
		   const struct ww_keychain_step *step, struct ww_buf *out,
		   struct ww_witness_answer *a)
{
	const struct ww_rotation *rot = &step->rotation;
	WW_AUTO_FREE struct ww_keychain *next = calloc(1, sizeof(*next));
	char vkey[WW_NOTE_KEY_TEXT_MAX];
	struct ww_errtext why = {""};
	int r = next ? ww_buf_add(&o->history, body.p, body.n) : -ENOMEM;

	if (r == 0)
		r = read_chain(s, rot->old_key.name, ww_buf_slice(&o->history), next, &why);
	if (r == -EINVAL || r == -ENOKEY) {
		say(a, out, WW_WITNESS_FORBIDDEN, "not a rotation of the key that is known here");
		return;
	}
	if (r == 0 && !holds(o, step, out, a))
		return;
	if (r == 0)
		r = ww_durable_replace(o->dir, "keys", 0600, ww_buf_slice(&o->history));
	if (r < 0) {
		ww_errtext_errno(&a->note, r, "cannot keep the new key of %.200s",
				 rot->old_key.name);
		say(a, out, WW_WITNESS_UNABLE, "the rotation could not be kept");
		return;
	}
	ww_errtext_set(&a->note, 0,
		       "%.200s has replaced its key %08x by %08x, at %" PRIu64 " records",
		       rot->old_key.name, rot->old_key.id, rot->new_key.id, step->head.size);
	ww_note_key_text(&rot->new_key, vkey);
	say(a, out, WW_WITNESS_COSIGN, vkey);
}

void ww_witness_state_rotate(struct ww_witness_state *s, struct ww_slice body, struct ww_buf *out,
			     struct ww_witness_answer *ret_answer)
{
	WW_AUTO(origin_done) struct origin o = {.dir = -1};
	struct ww_witness_answer a = {.status = WW_WITNESS_BAD};
	struct ww_keychain_step step = {.note = {0}};
	struct ww_slice rest = body, line;
	struct ww_errtext why = {""};
	char vkey[WW_NOTE_KEY_TEXT_MAX];
	int r = -EINVAL;

	if (ww_slice_line(&rest, &line) && rest.n == 0)
		r = ww_keychain_step(line, &step, &why);
	if (r == -ENOMEM) {
		say(&a, out, WW_WITNESS_UNABLE, "try again");
	} else if (r < 0) {
		say(&a, out, WW_WITNESS_BAD, why.text[0] ? why.text : "expected one rotation");
	} else if (!knows(s, step.rotation.old_key.name)) {
		say(&a, out, WW_WITNESS_UNKNOWN, "this log is not known here");
	} else if (load_origin(s, step.rotation.old_key.name, &o, out, &a) < 0) {
		;
	} else if (o.forked) {
		say(&a, out, WW_WITNESS_FORBIDDEN, FORKED);
	} else if (followed(o.chain, &step)) {
		ww_note_key_text(&step.rotation.new_key, vkey);
		say(&a, out, WW_WITNESS_COSIGN, vkey);
	} else {
		follow(s, &o, body, &step, out, &a);
	}
	ww_buf_done(&step.note);
	*ret_answer = a;
}
