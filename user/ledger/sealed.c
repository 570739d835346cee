/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/sealed.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>

#include "base/encode.h"

static const char FIRST_LINE[] = "wirewitness.dev/sealed-key/v1";

#define SEED_LEN 32
#define TAG_LEN  16

WW_DEFINE_AUTO(EVP_CIPHER_CTX, EVP_CIPHER_CTX_free)

bool ww_sealed_is(struct ww_slice text)
{
	return ww_slice_starts(text, WW_SLICE_LIT("wirewitness.dev/sealed-key/"));
}

static bool line(struct ww_slice *rest, struct ww_slice *ret)
{
	size_t end = ww_slice_find(*rest, 0, '\n');

	if (end == rest->n)
		return false;
	*ret = ww_slice_sub(*rest, 0, end);
	*rest = ww_slice_sub(*rest, end + 1, rest->n);
	return true;
}

static int holder_name(struct ww_slice log, char out[WW_NOTE_NAME_MAX + 1])
{
	int n = snprintf(out, WW_NOTE_NAME_MAX + 1, "%.*s/holder", (int)log.n, (const char *)log.p);

	return n <= (int)WW_NOTE_NAME_MAX ? 0 : -EINVAL;
}

int ww_sealed_parse(struct ww_slice text, struct ww_sealed *ret_sealed)
{
	struct ww_slice first, vkey, uri, holder, box, rest = text;
	char name[WW_NOTE_NAME_MAX + 1];
	struct ww_sealed s = {0};
	size_t n;

	if (!line(&rest, &first) || !line(&rest, &vkey) || !line(&rest, &uri) ||
	    !line(&rest, &holder))
		return -EINVAL;
	s.head = ww_slice_sub(text, 0, text.n - rest.n);
	if (!line(&rest, &box) || rest.n != 0 || !ww_slice_eq_str(first, FIRST_LINE) ||
	    !ww_signer_uri_ok(uri) || ww_note_key_parse(vkey, &s.key) < 0 ||
	    ww_note_key_parse_held(holder, &s.holder) < 0 ||
	    holder_name(ww_slice_str(s.key.name), name) < 0 || strcmp(name, s.holder.name) != 0 ||
	    ww_base64_decode(box, false, s.box, sizeof(s.box), &n) < 0 || n != sizeof(s.box))
		return -EINVAL;
	memcpy(s.uri, uri.p, uri.n);
	*ret_sealed = s;
	return 0;
}

int ww_sealed_holder(const char *uri, struct ww_slice log, struct ww_note_signer *ret,
		     struct ww_errtext *why)
{
	WW_AUTO(ww_signer_free_auto) struct ww_signer *held = NULL;
	char name[WW_NOTE_NAME_MAX + 1];
	int r = ww_signer_held(uri, &held, why);

	if (r < 0)
		return r;
	r = holder_name(log, name);
	if (r == 0)
		r = ww_note_signer_hold(ww_slice_str(name), &held, ret);
	return r < 0 ? ww_errtext_set(why, r, "the ledger's name is too long for a holder key") : 0;
}

static void derive(const uint8_t secret[WW_SIGNER_SECRET_LEN], const uint8_t *once,
		   const uint8_t *holder, struct ww_sha256 *ret)
{
	uint8_t in[4 + WW_SIGNER_SECRET_LEN + sizeof(FIRST_LINE) - 1 + 2 * WW_SIGNER_PUBLIC_MAX] = {
		0, 0, 0, 1};
	uint8_t *p = in + 4;

	memcpy(p, secret, WW_SIGNER_SECRET_LEN);
	p += WW_SIGNER_SECRET_LEN;
	memcpy(p, FIRST_LINE, sizeof(FIRST_LINE) - 1);
	p += sizeof(FIRST_LINE) - 1;
	memcpy(p, once, WW_SIGNER_PUBLIC_MAX);
	memcpy(p + WW_SIGNER_PUBLIC_MAX, holder, WW_SIGNER_PUBLIC_MAX);
	ww_sha256(ww_slice(in, sizeof(in)), ret);
	explicit_bzero(in, sizeof(in));
}

/* One direction of the cipher over the seed; *tag is written when sealing, checked when opening. */
static int gcm(bool seal, const struct ww_sha256 *key, struct ww_slice head, const uint8_t *in,
	       uint8_t *out, uint8_t *tag)
{
	WW_AUTO(EVP_CIPHER_CTX_free_auto) EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	static const uint8_t nonce[12];
	int n;

	if (!c)
		return -ENOMEM;
	if (EVP_CipherInit_ex2(c, EVP_aes_256_gcm(), key->b, nonce, seal, NULL) != 1 ||
	    EVP_CipherUpdate(c, NULL, &n, head.p, (int)head.n) != 1 ||
	    EVP_CipherUpdate(c, out, &n, in, SEED_LEN) != 1 || n != SEED_LEN)
		return -EIO;
	if (!seal && EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG_LEN, tag) != 1)
		return -EIO;
	if (EVP_CipherFinal_ex(c, out + SEED_LEN, &n) != 1)
		return -EBADMSG;
	return !seal || EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG_LEN, tag) == 1 ? 0 : -EIO;
}

int ww_sealed_make(const struct ww_note_signer *s, const struct ww_note_signer *holder,
		   const char *uri, struct ww_buf *out)
{
	char vkey[WW_NOTE_KEY_TEXT_MAX], holder_key[WW_NOTE_KEY_TEXT_MAX],
		text[WW_SEALED_BYTES_MAX],
		b64[WW_BASE64_LEN(sizeof(((struct ww_sealed *)0)->box)) + 1];
	struct ww_slice holder_pub = ww_slice(holder->key.pub, WW_SIGNER_PUBLIC_MAX);
	uint8_t box[sizeof(((struct ww_sealed *)0)->box)], secret[WW_SIGNER_SECRET_LEN];
	struct ww_sha256 key;
	int n, r;

	if (s->held || !ww_signer_uri_ok(ww_slice_str(uri)))
		return -EINVAL;
	r = ww_signer_agree_once(holder_pub, box, secret);
	if (r < 0)
		return r;
	ww_note_key_text(&s->key, vkey);
	ww_note_key_text(&holder->key, holder_key);
	n = snprintf(text, sizeof(text), "%s\n%s\n%s\n%s\n", FIRST_LINE, vkey, uri, holder_key);
	derive(secret, box, holder_pub.p, &key);
	explicit_bzero(secret, sizeof(secret));
	r = gcm(true, &key, ww_slice(text, (size_t)n), s->seed, box + WW_SIGNER_PUBLIC_MAX,
		box + WW_SIGNER_PUBLIC_MAX + SEED_LEN);
	explicit_bzero(&key, sizeof(key));
	if (r < 0)
		return r;
	ww_base64_encode(ww_slice(box, sizeof(box)), b64);
	r = ww_buf_add(out, text, (size_t)n);
	if (r == 0)
		r = ww_buf_add(out, b64, sizeof(b64) - 1);
	return r < 0 ? r : ww_buf_add(out, "\n", 1);
}

static int unseal(struct ww_sealed *s, const struct ww_note_signer *holder, uint8_t ret_seed[32])
{
	uint8_t secret[WW_SIGNER_SECRET_LEN], seed[SEED_LEN + TAG_LEN];
	struct ww_sha256 key;
	int r = ww_signer_agree(holder->held, ww_slice(s->box, WW_SIGNER_PUBLIC_MAX), secret);

	if (r < 0)
		return r == -EINVAL ? -EBADMSG : r;
	derive(secret, s->box, s->holder.pub, &key);
	r = gcm(false, &key, s->head, s->box + WW_SIGNER_PUBLIC_MAX, seed,
		s->box + WW_SIGNER_PUBLIC_MAX + SEED_LEN);
	if (r == 0)
		memcpy(ret_seed, seed, SEED_LEN);
	explicit_bzero(&key, sizeof(key));
	explicit_bzero(secret, sizeof(secret));
	explicit_bzero(seed, sizeof(seed));
	return r;
}

int ww_sealed_open(struct ww_slice text, struct ww_note_signer *ret_signer, struct ww_errtext *why)
{
	WW_AUTO(ww_note_signer_done) struct ww_note_signer holder = {0};
	WW_AUTO(ww_note_signer_done) struct ww_note_signer s = {0};
	struct ww_sealed sealed;
	uint8_t seed[32];
	int r = ww_sealed_parse(text, &sealed);

	if (r < 0)
		return ww_errtext_set(why, r, "not a sealed signing key");
	r = ww_sealed_holder(sealed.uri, ww_slice_str(sealed.key.name), &holder, why);
	if (r < 0)
		return r;
	if (!ww_note_key_equal(&holder.key, &sealed.holder))
		return ww_errtext_set(why, -ENOKEY,
				      "the signing key is sealed for another key than the one "
				      "that is now at %.150s",
				      sealed.uri);
	r = unseal(&sealed, &holder, seed);
	if (r == 0)
		r = ww_note_signer_seed(ww_slice_str(sealed.key.name), seed, &s);
	explicit_bzero(seed, sizeof(seed));
	if (r < 0)
		return ww_errtext_errno(why, r, "%.150s cannot open the sealed signing key",
					sealed.uri);
	if (!ww_note_key_equal(&s.key, &sealed.key))
		return ww_errtext_set(why, -EBADMSG, "the sealed signing key is not the named one");
	*ret_signer = s;
	s = (struct ww_note_signer){0};
	return 0;
}
