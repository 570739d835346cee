/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/leaf.h"

#include <stdio.h>

#include "base/encode.h"

bool ww_leaf_kind_ok(struct ww_slice kind)
{
	for (size_t i = 0; i < kind.n; i++) {
		uint8_t c = kind.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
			return false;
	}
	return kind.n > 0 && kind.n <= WW_LEAF_KIND_MAX;
}

size_t ww_leaf_text(struct ww_slice kind, const struct ww_sha256 *digest,
		    char out[WW_LEAF_BYTES_MAX])
{
	char hex[2 * WW_SHA256_LEN + 1];

	ww_hex_encode(ww_slice(digest->b, sizeof(digest->b)), hex);
	return (size_t)snprintf(out, WW_LEAF_BYTES_MAX,
				"{\"v\":1,\"kind\":\"%.*s\",\"digest\":\"%s\"}", (int)kind.n,
				(const char *)kind.p, hex);
}
