/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "ledger/durable.h"
#include "ledger/endorsement.h"

static int read_secret(int dir, const char *name, struct ww_buf *out, struct ww_errtext *why)
{
	struct stat st;
	int r;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno == ENOENT)
			return -ENOENT;
		return ww_errtext_errno(why, -errno, "cannot look at %s", name);
	}
	if (!S_ISREG(st.st_mode) || (st.st_mode & 077))
		return ww_errtext_set(why, -EPERM, "%s must be a regular file with mode 0600",
				      name);
	r = ww_durable_read(dir, name, out);
	return r < 0 ? ww_errtext_errno(why, r, "cannot read %s", name) : 0;
}

/* Lines end with a newline, which is not part of the value. */
static struct ww_slice first_line(const struct ww_buf *b)
{
	struct ww_slice s = ww_buf_slice(b);

	return ww_slice_sub(s, 0, ww_slice_find(s, 0, '\n'));
}

int ww_keyfile_folder(int dir, int *ret_fd)
{
	int r = 0, fd;

	if (mkdirat(dir, "keys", 0755) == 0)
		r = ww_durable_sync_dir(dir, ".");
	else if (errno != EEXIST)
		r = -errno;
	if (r < 0)
		return r;
	fd = openat(dir, "keys", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

static int put_endorsement(int dir, const struct ww_note_key *key,
			   const struct ww_note_signer *holder)
{
	WW_AUTO_BUF struct ww_buf note = {0};
	char name[32], when[WW_RFC3339_MAX];
	WW_AUTO_FD int folder = -1;
	struct ww_clock_map now;
	int r;

	ww_clock_sample(&now);
	ww_wall_rfc3339(now.wall, when);
	ww_buf_init(&note, WW_NOTE_BYTES_MAX);
	snprintf(name, sizeof(name), "endorsed-%08x", key->id);
	r = ww_endorsement_sign(key, when, holder, &note);
	if (r == 0)
		r = ww_keyfile_folder(dir, &folder);
	return r < 0 ? r : ww_durable_replace(folder, name, 0644, ww_buf_slice(&note));
}

static int seal(int dir, const struct ww_note_signer *s, const char *uri, struct ww_buf *out,
		struct ww_errtext *why)
{
	WW_AUTO(ww_note_signer_done) struct ww_note_signer holder = {0};
	int r = ww_sealed_holder(uri, ww_slice_str(s->key.name), &holder, why);

	if (r < 0)
		return r;
	r = ww_sealed_make(s, &holder, uri, out);
	if (r == 0)
		r = put_endorsement(dir, &s->key, &holder);
	return r < 0 ? ww_errtext_errno(why, r, "%.150s cannot hold the signing key", uri) : 0;
}

int ww_keyfile_put(int dir, const char *name, const struct ww_note_signer *s, const char *uri,
		   struct ww_errtext *why)
{
	WW_AUTO(ww_buf_wipe) struct ww_buf b = {0};
	char text[WW_NOTE_KEY_TEXT_MAX];
	int r = 0;

	ww_buf_init(&b, WW_SEALED_BYTES_MAX);
	if (uri) {
		r = seal(dir, s, uri, &b, why);
		if (r < 0)
			return r;
	} else {
		ww_note_signer_text(s, text);
		r = ww_buf_add(&b, text, strlen(text));
		explicit_bzero(text, sizeof(text));
		if (r == 0)
			r = ww_buf_add(&b, "\n", 1);
	}
	if (r == 0)
		r = ww_durable_replace(dir, name, 0600, ww_buf_slice(&b));
	return r < 0 ? ww_errtext_errno(why, r, "cannot write %s", name) : 0;
}

int ww_keyfile_wipe(int dir, const char *name)
{
	static const uint8_t zeros[WW_SEALED_BYTES_MAX];
	WW_AUTO_FD int fd = openat(dir, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	int r;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	for (uint64_t at = 0; at < (uint64_t)st.st_size; at += sizeof(zeros)) {
		uint64_t left = (uint64_t)st.st_size - at;

		r = ww_durable_pwrite(
			fd, ww_slice(zeros, left < sizeof(zeros) ? (size_t)left : sizeof(zeros)),
			at);
		if (r < 0)
			return r;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

int ww_keyfile_destroy(int dir, const char *name)
{
	int r = ww_keyfile_wipe(dir, name);

	if (r < 0)
		return r;
	if (unlinkat(dir, name, 0) < 0)
		return errno == ENOENT ? 0 : -errno;
	return ww_durable_sync_dir(dir, ".");
}

static int make_signer(int dir, const char *origin, const char *uri,
		       struct ww_note_signer *ret_signer, struct ww_errtext *why)
{
	struct ww_note_signer s;
	int r = ww_note_signer_new(ww_slice_str(origin), &s);

	if (r < 0)
		return ww_errtext_errno(why, r, "cannot make a signing key for origin \"%s\"",
					origin ? origin : "");
	r = ww_keyfile_put(dir, "key", &s, uri, why);
	if (r == 0)
		*ret_signer = s;
	ww_note_signer_done(&s);
	return r;
}

/* What a key file's text says of itself. */
static int peek(struct ww_slice text, const char *name, struct ww_note_key *ret_key, char *ret_uri,
		struct ww_errtext *why)
{
	struct ww_note_signer s = {0};
	struct ww_sealed sealed;
	int r;

	if (ww_sealed_is(text)) {
		r = ww_sealed_parse(text, &sealed);
		if (r == 0) {
			*ret_key = sealed.key;
			memcpy(ret_uri, sealed.uri, sizeof(sealed.uri));
		}
	} else {
		r = ww_note_signer_parse(ww_slice_sub(text, 0, ww_slice_find(text, 0, '\n')), &s);
		if (r == 0) {
			*ret_key = s.key;
			*ret_uri = '\0';
		}
		ww_note_signer_done(&s);
	}
	return r < 0 ? ww_errtext_set(why, r, "%s does not hold a signing key", name) : 0;
}

int ww_keyfile_peek(int dir, const char *name, struct ww_note_key *ret_key, char *ret_uri,
		    struct ww_errtext *why)
{
	WW_AUTO(ww_buf_wipe) struct ww_buf b = {0};
	int r;

	ww_buf_init(&b, WW_SEALED_BYTES_MAX);
	r = read_secret(dir, name, &b, why);
	return r < 0 ? r : peek(ww_buf_slice(&b), name, ret_key, ret_uri, why);
}

static int check_uri(struct ww_slice text, const char *uri, struct ww_errtext *why)
{
	char have[WW_SIGNER_URI_MAX + 1];
	struct ww_note_key key;
	int r = peek(text, "key", &key, have, why);

	if (r < 0 || !uri || strcmp(uri, have) == 0)
		return r;
	return ww_errtext_set(why, -EINVAL,
			      "the signing key is %s%.120s, not sealed for %.100s; "
			      "wirewitness key rotate --key makes a new one there",
			      have[0] ? "sealed for " : "in a plain file", have, uri);
}

static int load_signer(int dir, const char *origin, const char *uri, bool create,
		       struct ww_note_signer *ret_signer, struct ww_errtext *why)
{
	WW_AUTO(ww_buf_wipe) struct ww_buf b = {0};
	int r;

	ww_buf_init(&b, WW_SEALED_BYTES_MAX);
	r = read_secret(dir, "key", &b, why);
	if (r == -ENOENT && create)
		return make_signer(dir, origin, uri, ret_signer, why);
	if (r == -ENOENT)
		return ww_errtext_set(why, -ENOKEY,
				      "the signing key is missing but the ledger is not empty");
	if (r == 0)
		r = check_uri(ww_buf_slice(&b), uri, why);
	if (r < 0)
		return r;
	if (ww_sealed_is(ww_buf_slice(&b)))
		return ww_sealed_open(ww_buf_slice(&b), ret_signer, why);
	r = ww_note_signer_parse(first_line(&b), ret_signer);
	return r < 0 ? ww_errtext_set(why, r, "key does not hold a signing key") : 0;
}

static int load_digest_key(int dir, bool create, uint8_t ret_key[32], struct ww_errtext *why)
{
	WW_AUTO(ww_buf_wipe) struct ww_buf b = {0};
	uint8_t *p;
	int r;

	ww_buf_init(&b, 64);
	r = read_secret(dir, "digest.key", &b, why);
	if (r == -ENOENT && create) {
		r = ww_buf_reserve(&b, 32, &p);
		if (r < 0)
			return ww_errtext_errno(why, r, "cannot make digest.key");
		if (getrandom(p, 32, 0) != 32)
			return ww_errtext_set(why, -EIO, "cannot get random bytes");
		b.n = 32;
		r = ww_durable_replace(dir, "digest.key", 0600, ww_buf_slice(&b));
		if (r < 0)
			return ww_errtext_errno(why, r, "cannot write digest.key");
	} else if (r == -ENOENT) {
		return ww_errtext_set(why, -ENOKEY,
				      "digest.key is missing but the ledger is not empty");
	}
	if (r < 0)
		return r;
	if (b.n != 32)
		return ww_errtext_set(why, -EINVAL, "digest.key must hold 32 bytes");
	memcpy(ret_key, b.p, 32);
	return 0;
}

int ww_keyfile_vkey(int dir, struct ww_note_key *ret_key, struct ww_errtext *why)
{
	WW_AUTO_BUF struct ww_buf b = {0};
	int r;

	ww_buf_init(&b, WW_NOTE_KEY_TEXT_MAX);
	r = ww_durable_read(dir, "vkey", &b);
	if (r < 0)
		return ww_errtext_errno(why, r, "cannot read vkey");
	r = ww_note_key_parse(first_line(&b), ret_key);
	return r < 0 ? ww_errtext_set(why, r, "vkey does not hold a verifier key") : 0;
}

int ww_keyfile_put_vkey(int dir, const struct ww_note_key *key, struct ww_errtext *why)
{
	char text[WW_NOTE_KEY_TEXT_MAX + 1];
	size_t n;
	int r;

	ww_note_key_text(key, text);
	n = strlen(text);
	text[n++] = '\n';
	r = ww_durable_replace(dir, "vkey", 0644, ww_slice(text, n));
	return r < 0 ? ww_errtext_errno(why, r, "cannot write vkey") : 0;
}

static int settle_vkey(int dir, const struct ww_note_key *key, struct ww_errtext *why)
{
	struct ww_note_key have;
	int r = ww_keyfile_vkey(dir, &have, why);

	if (r == 0 && ww_note_key_equal(&have, key))
		return 0;
	if (r == 0)
		return ww_errtext_set(why, -EINVAL, "vkey belongs to another key than key");
	if (r != -ENOENT)
		return r;
	return ww_keyfile_put_vkey(dir, key, why);
}

int ww_keyfile_load(int dir, const char *origin, const char *uri, bool create,
		    struct ww_keyfile *ret_keys, struct ww_errtext *why)
{
	struct ww_keyfile k = {0};
	int r = load_signer(dir, origin, uri, create, &k.signer, why);

	if (r == 0)
		r = load_digest_key(dir, create, k.digest_key, why);
	if (r == 0)
		r = settle_vkey(dir, &k.signer.key, why);
	if (r == 0) {
		*ret_keys = k;
		ww_errtext_set(why, 0, "%s", "");
	}
	ww_keyfile_done(&k);
	return r;
}

int ww_keyfile_history(int dir, const struct ww_note_key *key, struct ww_keychain *ret_chain,
		       struct ww_errtext *why)
{
	WW_AUTO_BUF struct ww_buf history = {0};
	int r;

	ww_buf_init(&history, WW_KEYCHAIN_BYTES_MAX);
	r = ww_durable_read(dir, "keys/history", &history);
	if (r < 0 && r != -ENOENT)
		return ww_errtext_errno(why, r, "cannot read keys/history");
	r = ww_keychain_read(ww_buf_slice(&history), key, ret_chain, why);
	return r == 0 || r == -ENOMEM ? r : -EUCLEAN;
}

void ww_keyfile_done(struct ww_keyfile *k)
{
	ww_note_signer_done(&k->signer);
	explicit_bzero(k, sizeof(*k));
}
