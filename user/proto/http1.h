/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http1: both directions of one connection, HTTP/1.0 and 1.1 (RFC 9110, RFC 9112), over llhttp in
 * strict mode.
 *
 * The direction whose first bytes are a request line carries the requests; the flow's role plays no
 * part. A connection that does not begin with HTTP/1 is opaque: its bytes are counted in one
 * UNPARSED exchange. After a framing error the rest of that direction is not decoded: no guess is
 * made where the next message begins. About 1 KiB per connection; messages under way come from
 * struct ww_messages.
 *
 * Known to be refused although legal (llhttp 8.1): a chunk extension behind another one with an
 * unquoted value (";a=b;c=d").
 */
#pragma once

#include "proto/message.h"

struct ww_http1;

/* `shared` is borrowed and must outlive it. 0 or -ENOMEM. */
WW_CHECK int ww_http1_new(struct ww_messages *shared, struct ww_http1 **ret_http1);

/* As the calls of proto.h. f is the same in all calls. */
void ww_http1_bytes(struct ww_http1 *h, struct ww_flow *f, enum ww_dir dir, uint64_t offset,
		    struct ww_slice bytes, struct ww_boot t);
void ww_http1_gap(struct ww_http1 *h, struct ww_flow *f, enum ww_dir dir, uint64_t offset,
		  uint64_t bytes, struct ww_boot t);

/* Ends what is open by f->how, and frees h. */
void ww_http1_closed(struct ww_http1 *h, struct ww_flow *f);
