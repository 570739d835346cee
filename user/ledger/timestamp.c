/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/timestamp.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ts.h>
#include <stdio.h>
#include <time.h>

#include "base/digest.h"

WW_DEFINE_AUTO(TS_REQ, TS_REQ_free)
WW_DEFINE_AUTO(TS_MSG_IMPRINT, TS_MSG_IMPRINT_free)
WW_DEFINE_AUTO(TS_RESP, TS_RESP_free)
WW_DEFINE_AUTO(TS_VERIFY_CTX, TS_VERIFY_CTX_free)
WW_DEFINE_AUTO(X509_ALGOR, X509_ALGOR_free)
WW_DEFINE_AUTO(X509_STORE, X509_STORE_free)
WW_DEFINE_AUTO(X509, X509_free)
WW_DEFINE_AUTO(BIO, BIO_free_all)
WW_DEFINE_AUTO(ASN1_INTEGER, ASN1_INTEGER_free)

static bool set_imprint(TS_REQ *req, const uint8_t sig[WW_NOTE_SIG_LEN])
{
	WW_AUTO(TS_MSG_IMPRINT_free_auto) TS_MSG_IMPRINT *imprint = TS_MSG_IMPRINT_new();
	WW_AUTO(X509_ALGOR_free_auto) X509_ALGOR *algo = X509_ALGOR_new();
	struct ww_sha256 h;

	ww_sha256(ww_slice(sig, WW_NOTE_SIG_LEN), &h);
	return imprint && algo &&
	       X509_ALGOR_set0(algo, OBJ_nid2obj(NID_sha256), V_ASN1_NULL, NULL) == 1 &&
	       TS_MSG_IMPRINT_set_algo(imprint, algo) == 1 &&
	       TS_MSG_IMPRINT_set_msg(imprint, h.b, sizeof(h.b)) == 1 &&
	       TS_REQ_set_msg_imprint(req, imprint) == 1;
}

static bool set_nonce(TS_REQ *req, uint64_t nonce)
{
	WW_AUTO(ASN1_INTEGER_free_auto) ASN1_INTEGER *n = ASN1_INTEGER_new();

	return n && ASN1_INTEGER_set_uint64(n, nonce) == 1 && TS_REQ_set_nonce(req, n) == 1;
}

static int make_query(const uint8_t sig[WW_NOTE_SIG_LEN], const uint64_t *nonce, TS_REQ **ret_req)
{
	WW_AUTO(TS_REQ_free_auto) TS_REQ *req = TS_REQ_new();

	if (!req || TS_REQ_set_version(req, 1) != 1 || !set_imprint(req, sig) ||
	    (nonce && !set_nonce(req, *nonce)) || TS_REQ_set_cert_req(req, 1) != 1) {
		ERR_clear_error();
		return -ENOMEM;
	}
	*ret_req = WW_TAKE(req);
	return 0;
}

int ww_timestamp_query(const uint8_t sig[WW_NOTE_SIG_LEN], uint64_t nonce, struct ww_buf *out)
{
	WW_AUTO(TS_REQ_free_auto) TS_REQ *req = NULL;
	uint8_t *p;
	int n, r = make_query(sig, &nonce, &req);

	if (r < 0)
		return r;
	n = i2d_TS_REQ(req, NULL);
	if (n <= 0)
		return -ENOMEM;
	r = ww_buf_reserve(out, (size_t)n, &p);
	if (r < 0)
		return r;
	out->n += (size_t)i2d_TS_REQ(req, &p);
	return 0;
}

/* --- certificates -------------------------------------------------------------------------------
 */

static X509 *next_cert(BIO *bio)
{
	X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, (void *)""); /* never ask for a password */

	ERR_clear_error();
	return cert;
}

int ww_timestamp_certs(struct ww_slice pem, struct ww_buf *out, struct ww_slice *ret_certs,
		       size_t max, size_t *ret_count)
{
	WW_AUTO(BIO_free_all_auto) BIO *bio = NULL;
	size_t ends[16], n = 0;

	if (pem.n > INT_MAX || max > WW_ARRAY_SIZE(ends))
		return -EINVAL;
	bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	if (!bio)
		return -ENOMEM;
	for (;;) {
		WW_AUTO(X509_free_auto) X509 *cert = next_cert(bio);
		uint8_t *p;
		int len = cert ? i2d_X509(cert, NULL) : 0, r;

		if (!cert)
			break;
		if (n == max || len <= 0)
			return -EINVAL;
		r = ww_buf_reserve(out, (size_t)len, &p);
		if (r < 0)
			return r;
		out->n += (size_t)i2d_X509(cert, &p);
		ends[n++] = out->n;
	}
	if (n == 0)
		return -EINVAL;
	for (size_t i = 0, from = 0; i < n; from = ends[i++])
		ret_certs[i] = ww_slice(out->p + from, ends[i] - from);
	*ret_count = n;
	return 0;
}

static int trust(struct ww_slice pem, X509_STORE **ret_store)
{
	WW_AUTO(X509_STORE_free_auto) X509_STORE *store = X509_STORE_new();
	WW_AUTO(BIO_free_all_auto) BIO *bio = NULL;
	size_t n = 0;

	if (pem.n > INT_MAX)
		return -EINVAL;
	bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	if (!store || !bio)
		return -ENOMEM;
	for (;; n++) {
		WW_AUTO(X509_free_auto) X509 *cert = next_cert(bio);

		if (!cert)
			break;
		if (X509_STORE_add_cert(store, cert) != 1)
			return -ENOMEM;
	}
	if (n == 0)
		return -EINVAL;
	*ret_store = WW_TAKE(store);
	return 0;
}

/* --- the reply ----------------------------------------------------------------------------------
 */

static int read_time(TS_TST_INFO *info, char out[WW_RFC3339_MAX])
{
	const ASN1_GENERALIZEDTIME *at = TS_TST_INFO_get_time(info);
	struct ww_wall wall;
	struct tm tm;
	time_t t;

	if (!at || ASN1_TIME_to_tm(at, &tm) != 1)
		return -EINVAL;
	t = timegm(&tm);
	if (t < 0 || (uint64_t)t > UINT64_MAX / 1000000000u)
		return -EINVAL;
	wall.ns = (uint64_t)t * 1000000000u;
	ww_wall_rfc3339(wall, out);
	return 0;
}

/* The last thing that libcrypto complained about. */
static int refuse(struct ww_errtext *why)
{
	const char *text = ERR_reason_error_string(ERR_peek_last_error());

	ww_errtext_set(why, -EINVAL, "the time stamp is not good: %s",
		       text ? text : "no reason given");
	ERR_clear_error();
	return -EINVAL;
}

/* Signed by the certificate that it carries: nothing was changed, whoever that is. */
static bool is_whole(TS_RESP *resp)
{
	WW_AUTO(BIO_free_all_auto) BIO *sink = BIO_new(BIO_s_null());
	PKCS7 *token = TS_RESP_get_token(resp);

	return sink && token &&
	       PKCS7_verify(token, NULL, NULL, NULL, sink, PKCS7_NOVERIFY | PKCS7_BINARY) == 1;
}

int ww_timestamp_check(struct ww_slice reply, const uint8_t sig[WW_NOTE_SIG_LEN],
		       const uint64_t *nonce, const struct ww_slice *ca,
		       char ret_time[WW_RFC3339_MAX], struct ww_errtext *why)
{
	WW_AUTO(TS_REQ_free_auto) TS_REQ *req = NULL;
	WW_AUTO(TS_RESP_free_auto) TS_RESP *resp = NULL;
	WW_AUTO(TS_VERIFY_CTX_free_auto) TS_VERIFY_CTX *ctx = NULL;
	X509_STORE *store = NULL;
	const uint8_t *p = reply.p;
	char when[WW_RFC3339_MAX];
	int r = make_query(sig, nonce, &req);

	if (r < 0)
		return ww_errtext_errno(why, r, "cannot check the time stamp");
	if (reply.n <= LONG_MAX)
		resp = d2i_TS_RESP(NULL, &p, (long)reply.n);
	if (!resp || p != reply.p + reply.n) {
		ERR_clear_error();
		return ww_errtext_set(why, -EINVAL, "the time stamp is not an RFC 3161 reply");
	}
	/* Version and imprint, the nonce when there is one; no signature yet. */
	ctx = TS_REQ_to_TS_VERIFY_CTX(req, NULL);
	if (!ctx)
		return ww_errtext_errno(why, -ENOMEM, "cannot check the time stamp");
	if (ca) {
		r = trust(*ca, &store);
		if (r < 0)
			return ww_errtext_errno(why, r, "cannot read the authority's certificates");
		TS_VERIFY_CTX_set_store(ctx, store); /* ctx owns it now */
		TS_VERIFY_CTX_add_flags(ctx, TS_VFY_SIGNATURE);
	}
	if (TS_RESP_verify_response(ctx, resp) != 1 || (!ca && !is_whole(resp)))
		return refuse(why);
	r = read_time(TS_RESP_get_tst_info(resp), when);
	if (r < 0)
		return ww_errtext_set(why, r, "the time stamp names no time");
	if (ret_time)
		memcpy(ret_time, when, sizeof(when));
	return 0;
}
