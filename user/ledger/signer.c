/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/signer.h"

#include <errno.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/buf.h"

#define PROVIDER_MAX 32u

struct ww_signer {
	enum ww_signer_algorithm algorithm;
	EVP_PKEY *pkey;
	uint8_t pub[WW_SIGNER_PUBLIC_MAX];
	size_t pub_n;
	/* Held keys: freed after the key, the context last. */
	OSSL_PROVIDER *provider, *base;
	OSSL_LIB_CTX *ctx;
	char query[PROVIDER_MAX + 16]; /* property query: this provider where it can */
};

WW_DEFINE_AUTO(EVP_PKEY, EVP_PKEY_free)
WW_DEFINE_AUTO(EVP_PKEY_CTX, EVP_PKEY_CTX_free)
WW_DEFINE_AUTO(EVP_MD_CTX, EVP_MD_CTX_free)

void ww_signer_free(struct ww_signer *s)
{
	if (!s)
		return;
	EVP_PKEY_free(s->pkey);
	if (s->provider)
		OSSL_PROVIDER_unload(s->provider);
	if (s->base)
		OSSL_PROVIDER_unload(s->base);
	OSSL_LIB_CTX_free(s->ctx);
	free(s);
}

/* --- public keys ---------------------------------------------------------------------------------
 */

/* SubjectPublicKeyInfo of a key on P-256, named curve, point not compressed: one form only. */
static int p256_public(EVP_PKEY *pkey, uint8_t out[WW_SIGNER_PUBLIC_MAX])
{
	unsigned char *der = NULL;
	char group[32] = "";
	int n, r = -EINVAL;

	if (!EVP_PKEY_is_a(pkey, "EC") ||
	    EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL) != 1 ||
	    (strcmp(group, "prime256v1") != 0 && strcmp(group, "P-256") != 0))
		return -EINVAL;
	n = i2d_PUBKEY(pkey, &der);
	if (n == (int)WW_SIGNER_PUBLIC_MAX) {
		memcpy(out, der, WW_SIGNER_PUBLIC_MAX);
		r = 0;
	}
	OPENSSL_free(der);
	return r;
}

static EVP_PKEY *p256_parse(struct ww_slice spki)
{
	uint8_t again[WW_SIGNER_PUBLIC_MAX];
	const unsigned char *p = spki.p;
	EVP_PKEY *pkey;

	if (spki.n != WW_SIGNER_PUBLIC_MAX)
		return NULL;
	pkey = d2i_PUBKEY(NULL, &p, (long)spki.n);
	if (pkey && p256_public(pkey, again) == 0 && memcmp(again, spki.p, sizeof(again)) == 0)
		return pkey;
	EVP_PKEY_free(pkey);
	return NULL;
}

/* --- the two implementations ---------------------------------------------------------------------
 */

int ww_signer_software(const uint8_t seed[32], struct ww_signer **ret_signer)
{
	WW_AUTO(ww_signer_free_auto) struct ww_signer *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->algorithm = WW_SIGNER_ED25519;
	s->pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);
	s->pub_n = sizeof(s->pub);
	if (!s->pkey || EVP_PKEY_get_raw_public_key(s->pkey, s->pub, &s->pub_n) != 1)
		return -ENOMEM;
	*ret_signer = WW_TAKE(s);
	return 0;
}

bool ww_signer_uri_ok(struct ww_slice uri)
{
	size_t colon = ww_slice_find(uri, 0, ':');

	if (colon == 0 || colon > PROVIDER_MAX || colon + 1 >= uri.n || uri.n > WW_SIGNER_URI_MAX)
		return false;
	for (size_t i = 0; i < uri.n; i++) {
		uint8_t c = uri.p[i];

		if (i < colon ? !((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
				  c == '_')
			      : c <= ' ' || c > '~')
			return false;
	}
	return true;
}

/* A key in a file: what the TPM wrapped is of no use elsewhere, but nothing else need read it. */
static int check_file(const char *where, struct ww_errtext *why)
{
	struct stat st;

	if (where[0] != '/')
		return 0;
	if (lstat(where, &st) < 0)
		return ww_errtext_errno(why, -ENOKEY, "cannot look at %.200s", where);
	if (!S_ISREG(st.st_mode) || (st.st_mode & 077))
		return ww_errtext_set(why, -EPERM, "%.200s must be a regular file with mode 0600",
				      where);
	return 0;
}

/* Nobody is asked for a password: a daemon has nobody to ask. */
static int no_password(char *buf, int size, int rwflag, void *u)
{
	return -1;
}

/* The first private key that the store yields. */
static EVP_PKEY *load(struct ww_signer *s, const char *where)
{
	UI_METHOD *ui = UI_UTIL_wrap_read_pem_callback(no_password, 0);
	OSSL_STORE_CTX *store =
		OSSL_STORE_open_ex(where, s->ctx, s->query, ui, NULL, NULL, NULL, NULL);
	EVP_PKEY *pkey = NULL;

	while (store && !pkey && !OSSL_STORE_eof(store)) {
		OSSL_STORE_INFO *info = OSSL_STORE_load(store);

		if (!info)
			break;
		if (OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY)
			pkey = OSSL_STORE_INFO_get1_PKEY(info);
		OSSL_STORE_INFO_free(info);
	}
	OSSL_STORE_close(store);
	UI_destroy_method(ui);
	return pkey;
}

int ww_signer_held(const char *uri, struct ww_signer **ret_signer, struct ww_errtext *why)
{
	WW_AUTO(ww_signer_free_auto) struct ww_signer *s = NULL;
	char name[PROVIDER_MAX + 1] = "";
	const char *where;
	int r;

	if (!ww_signer_uri_ok(ww_slice_str(uri)))
		return ww_errtext_set(why, -EINVAL,
				      "a key elsewhere is named PROVIDER:URI, not %.100s", uri);
	where = strchr(uri, ':') + 1;
	memcpy(name, uri, (size_t)(where - uri) - 1);
	r = check_file(where, why);
	if (r < 0)
		return r;
	s = calloc(1, sizeof(*s));
	if (!s)
		return ww_errtext_errno(why, -ENOMEM, "cannot open the key %.200s", uri);
	s->algorithm = WW_SIGNER_ECDSA_P256;
	snprintf(s->query, sizeof(s->query), "?provider=%s", name);
	s->ctx = OSSL_LIB_CTX_new();
	s->base = s->ctx ? OSSL_PROVIDER_load(s->ctx, "default") : NULL;
	s->provider = s->base ? OSSL_PROVIDER_load(s->ctx, name) : NULL;
	if (!s->provider)
		return ww_errtext_set(why, -ENOKEY,
				      "OpenSSL cannot load the provider %s (is its module "
				      "installed, does its device answer?)",
				      name);
	s->pkey = load(s, where);
	if (!s->pkey)
		return ww_errtext_set(why, -ENOKEY, "the provider %s has no private key %.200s",
				      name, where);
	if (p256_public(s->pkey, s->pub) < 0)
		return ww_errtext_set(why, -EINVAL, "%.200s is not a key on the curve P-256", uri);
	s->pub_n = WW_SIGNER_PUBLIC_MAX;
	*ret_signer = WW_TAKE(s);
	return 0;
}

enum ww_signer_algorithm ww_signer_algorithm(const struct ww_signer *s)
{
	return s->algorithm;
}

struct ww_slice ww_signer_public(const struct ww_signer *s)
{
	return ww_slice(s->pub, s->pub_n);
}

/* --- signatures ----------------------------------------------------------------------------------
 */

int ww_signer_sign(struct ww_signer *s, struct ww_slice text, uint8_t ret_sig[WW_SIGNER_SIG_MAX],
		   size_t *ret_n)
{
	const char *digest = s->algorithm == WW_SIGNER_ED25519 ? NULL : "SHA256";
	WW_AUTO(EVP_MD_CTX_free_auto) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t sig[256]; /* a provider may ask for more room than it uses */
	size_t n = sizeof(sig);

	if (!ctx)
		return -ENOMEM;
	if (EVP_DigestSignInit_ex(ctx, NULL, digest, s->ctx, s->query[0] ? s->query : NULL, s->pkey,
				  NULL) != 1 ||
	    EVP_DigestSign(ctx, sig, &n, text.p, text.n) != 1 || n > WW_SIGNER_SIG_MAX)
		return -EIO;
	memcpy(ret_sig, sig, n);
	*ret_n = n;
	return 0;
}

int ww_signer_verify_ecdsa(struct ww_slice spki, struct ww_slice text, struct ww_slice sig)
{
	WW_AUTO(EVP_PKEY_free_auto) EVP_PKEY *pkey = p256_parse(spki);
	WW_AUTO(EVP_MD_CTX_free_auto) EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (!pkey || !ctx || EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, pkey) != 1)
		return -EBADMSG;
	return EVP_DigestVerify(ctx, sig.p, sig.n, text.p, text.n) == 1 ? 0 : -EBADMSG;
}

/* --- shared secrets ------------------------------------------------------------------------------
 */

static int derive(EVP_PKEY_CTX *ctx, EVP_PKEY *peer, uint8_t ret_secret[WW_SIGNER_SECRET_LEN])
{
	uint8_t secret[64];
	size_t n = sizeof(secret);
	int r = -EIO;

	if (ctx && EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_derive_set_peer(ctx, peer) == 1 &&
	    EVP_PKEY_derive(ctx, secret, &n) == 1 && n == WW_SIGNER_SECRET_LEN) {
		memcpy(ret_secret, secret, n);
		r = 0;
	}
	explicit_bzero(secret, sizeof(secret));
	return r;
}

int ww_signer_agree(struct ww_signer *s, struct ww_slice peer_spki,
		    uint8_t ret_secret[WW_SIGNER_SECRET_LEN])
{
	WW_AUTO(EVP_PKEY_free_auto) EVP_PKEY *peer = p256_parse(peer_spki);
	WW_AUTO(EVP_PKEY_CTX_free_auto)
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(s->ctx, s->pkey, s->query);

	return peer ? derive(ctx, peer, ret_secret) : -EINVAL;
}

int ww_signer_agree_once(struct ww_slice peer_spki, uint8_t ret_public[WW_SIGNER_PUBLIC_MAX],
			 uint8_t ret_secret[WW_SIGNER_SECRET_LEN])
{
	WW_AUTO(EVP_PKEY_free_auto) EVP_PKEY *peer = p256_parse(peer_spki);
	WW_AUTO(EVP_PKEY_free_auto) EVP_PKEY *mine = NULL;
	WW_AUTO(EVP_PKEY_CTX_free_auto) EVP_PKEY_CTX *ctx = NULL;
	uint8_t pub[WW_SIGNER_PUBLIC_MAX];
	int r;

	if (!peer)
		return -EINVAL;
	mine = EVP_EC_gen("P-256");
	if (!mine || p256_public(mine, pub) < 0)
		return -EIO;
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, mine, NULL);
	r = derive(ctx, peer, ret_secret);
	if (r == 0)
		memcpy(ret_public, pub, sizeof(pub));
	return r;
}
