/* SPDX-License-Identifier: Apache-2.0 */
/* A key held elsewhere, without hardware: a P-256 key in a file, that OpenSSL's own provider reads.
 */
#pragma once

#include "ledger_test.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

/* Makes the key file and writes its name, "default:<path>", to out. */
static inline void make_held(const struct scratch *s, const char *name, const char *curve,
			     char out[PATH_LEN + 16])
{
	EVP_PKEY *pkey = EVP_EC_gen(curve);
	char path[PATH_LEN];
	FILE *f;

	assert_non_null(pkey);
	f = fopen(at(s, name, path), "w");
	assert_non_null(f);
	assert_int_equal(PEM_write_PrivateKey(f, pkey, NULL, NULL, 0, NULL, NULL), 1);
	fclose(f);
	EVP_PKEY_free(pkey);
	assert_int_equal(chmod(path, 0600), 0);
	snprintf(out, PATH_LEN + 16, "default:%s", path);
}
