/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ws_terms: what the answer to an upgrade says of the WebSocket that begins behind it (RFC 6455
 * section 4.2.2, RFC 7692 section 7.1). The server's word is what both ends keep to.
 */
#pragma once

#include "base/slice.h"

enum { WW_WS_CLIENT, WW_WS_SERVER };

struct ww_ws_terms {
	bool agreed;   /* the upgrade is to WebSocket */
	bool deflate;  /* messages may be compressed */
	bool fresh[2]; /* those of WW_WS_CLIENT, _SERVER refer to none before them */
	bool unknown;  /* an extension that is not undone here: what it makes of frames is not known
			*/
};

/* One Sec-WebSocket-Extensions field. */
void ww_ws_terms_take(struct ww_ws_terms *t, struct ww_slice value);
