/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/leaf.h"

#include <errno.h>

#include "base/encode.h"
#include "base/json.h"

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
	char *at = ww_put_text(out, "{\"v\":1,\"kind\":\"");

	memcpy(at, kind.p, kind.n);
	at = ww_put_text(at + kind.n, "\",\"digest\":\"");
	ww_hex_encode(ww_slice(digest->b, sizeof(digest->b)), at);
	return (size_t)(ww_put_text(at + 2 * sizeof(digest->b), "\"}") - out);
}

bool ww_leaf_is_report(struct ww_slice kind)
{
	return ww_slice_eq_str(kind, WW_LEAF_REPORT);
}

bool ww_leaf_is_entry(struct ww_slice leaf)
{
	return ww_slice_starts(leaf, WW_SLICE_LIT("{\"apiVersion\":"));
}

int ww_leaf_entry(struct ww_slice record, struct ww_slice *ret_entry)
{
	struct ww_json_token t;
	struct ww_slice entry;

	if (ww_json_path(record, "$.entry", &t, &entry) != WW_PARSE_DONE ||
	    t.type != WW_JSON_OBJECT || entry.n >= WW_LEAF_BYTES_MAX || !ww_leaf_is_entry(entry))
		return -EINVAL;
	*ret_entry = entry;
	return 0;
}

int ww_leaf_record(struct ww_slice kind, struct ww_slice salted, char out[WW_LEAF_BYTES_MAX],
		   size_t *ret_n)
{
	struct ww_sha256 digest;
	struct ww_slice entry;
	int r;

	if (!ww_leaf_is_report(kind)) {
		ww_sha256(salted, &digest);
		*ret_n = ww_leaf_text(kind, &digest, out);
		return 0;
	}
	r = ww_leaf_entry(ww_slice_sub(salted, WW_LEAF_SALT_LEN, SIZE_MAX), &entry);
	if (r < 0)
		return r;
	memcpy(out, entry.p, entry.n);
	out[entry.n] = '\0';
	*ret_n = entry.n;
	return 0;
}
