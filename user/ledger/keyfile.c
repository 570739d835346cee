/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "ledger/durable.h"

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

static int make_signer(int dir, const char *origin, struct ww_note_signer *ret_signer,
		       struct ww_errtext *why)
{
	char text[WW_NOTE_KEY_TEXT_MAX + 1];
	struct ww_note_signer s;
	size_t n;
	int r = ww_note_signer_new(ww_slice_str(origin), &s);

	if (r < 0)
		return ww_errtext_errno(why, r, "cannot make a signing key for origin \"%s\"",
					origin ? origin : "");
	ww_note_signer_text(&s, text);
	n = strlen(text);
	text[n++] = '\n';
	r = ww_durable_replace(dir, "key", 0600, ww_slice(text, n));
	explicit_bzero(text, sizeof(text));
	if (r == 0)
		*ret_signer = s;
	ww_note_signer_done(&s);
	return r < 0 ? ww_errtext_errno(why, r, "cannot write key") : 0;
}

static int load_signer(int dir, const char *origin, bool create, struct ww_note_signer *ret_signer,
		       struct ww_errtext *why)
{
	WW_AUTO(ww_buf_wipe) struct ww_buf b = {0};
	int r;

	ww_buf_init(&b, WW_NOTE_KEY_TEXT_MAX);
	r = read_secret(dir, "key", &b, why);
	if (r == -ENOENT && create)
		return make_signer(dir, origin, ret_signer, why);
	if (r == -ENOENT)
		return ww_errtext_set(why, -ENOKEY,
				      "the signing key is missing but the log is not empty");
	if (r < 0)
		return r;
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
				      "digest.key is missing but the log is not empty");
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

static int settle_vkey(int dir, const struct ww_note_key *key, struct ww_errtext *why)
{
	char text[WW_NOTE_KEY_TEXT_MAX + 1];
	struct ww_note_key have;
	size_t n;
	int r = ww_keyfile_vkey(dir, &have, why);

	if (r == 0 && ww_note_key_equal(&have, key))
		return 0;
	if (r == 0)
		return ww_errtext_set(why, -EINVAL, "vkey belongs to another key than key");
	if (r != -ENOENT)
		return r;
	ww_note_key_text(key, text);
	n = strlen(text);
	text[n++] = '\n';
	r = ww_durable_replace(dir, "vkey", 0644, ww_slice(text, n));
	return r < 0 ? ww_errtext_errno(why, r, "cannot write vkey") : 0;
}

int ww_keyfile_load(int dir, const char *origin, bool create, struct ww_keyfile *ret_keys,
		    struct ww_errtext *why)
{
	struct ww_keyfile k = {0};
	int r = load_signer(dir, origin, create, &k.signer, why);

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

void ww_keyfile_done(struct ww_keyfile *k)
{
	explicit_bzero(k, sizeof(*k));
}
