/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/ws_terms.h"

/* The text before the next ';', which is taken from *rest. */
static struct ww_slice next_part(struct ww_slice *rest)
{
	size_t end = ww_slice_find(*rest, 0, ';');
	struct ww_slice part = ww_slice_trim(ww_slice_sub(*rest, 0, end));

	*rest = ww_slice_sub(*rest, end + 1, rest->n);
	return part;
}

/* RFC 7692 section 7.1.2: "a decimal integer value without leading zeroes between 8 to 15". */
static bool is_window(struct ww_slice v)
{
	uint64_t bits;

	if (v.n >= 2 && v.p[0] == '"' && v.p[v.n - 1] == '"')
		v = ww_slice_sub(v, 1, v.n - 2);
	return v.n > 0 && v.p[0] != '0' && ww_slice_u64(v, &bits) == 0 && bits >= 8 && bits <= 15;
}

/* A parameter of permessage-deflate. False: it may not stand there. */
static bool take_parameter(struct ww_ws_terms *t, struct ww_slice part)
{
	size_t equals = ww_slice_find(part, 0, '=');
	struct ww_slice name = ww_slice_trim(ww_slice_sub(part, 0, equals));
	struct ww_slice value = ww_slice_trim(ww_slice_sub(part, equals + 1, part.n));
	bool valued = equals < part.n;

	if (ww_slice_ieq_str(name, "server_no_context_takeover") ||
	    ww_slice_ieq_str(name, "client_no_context_takeover")) {
		bool *fresh = &t->fresh[name.p[0] == 's' || name.p[0] == 'S' ? WW_WS_SERVER
									     : WW_WS_CLIENT];

		if (valued || *fresh)
			return false;
		*fresh = true;
		return true;
	}
	/* How wide they are does not matter: the widest one decodes all. */
	return (ww_slice_ieq_str(name, "server_max_window_bits") ||
		ww_slice_ieq_str(name, "client_max_window_bits")) &&
	       valued && is_window(value);
}

void ww_ws_terms_take(struct ww_ws_terms *t, struct ww_slice value)
{
	struct ww_slice rest = ww_slice_trim(value);

	if (rest.n == 0)
		return;
	/* A second one, or a list, is more than one extension. */
	if (t->deflate || !ww_slice_ieq_str(next_part(&rest), "permessage-deflate"))
		t->unknown = true;
	t->deflate = true;
	while (rest.n > 0 && !t->unknown)
		t->unknown = !take_parameter(t, next_part(&rest));
}
