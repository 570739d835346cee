/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http2: both directions of one HTTP/2 connection (RFC 9113) to exchanges, one per stream, in the
 * same structure as HTTP/1's. Own frame reader and header decompression (hpack.h).
 *
 * The direction whose first bytes are the client's preface carries the requests. A connection that
 * is joined late, or loses its place among the frames, is read on where what the application wrote
 * or read begins with frames (h2_frame.h); requests found so are marked FOUND_AGAIN and prove
 * nothing. Without that it is opaque, and its bytes are counted.
 *
 * At most WW_H2_STREAMS_MAX streams are followed at a time, a header block may have
 * WW_HEAD_BYTES_MAX bytes: what is beyond becomes an UNPARSED exchange with the finding LIMIT.
 */
#pragma once

#include "proto/message.h"

#define WW_H2_STREAMS_MAX 256u

struct ww_http2;

/* `shared` is borrowed and must outlive it. req_dir: who sends the requests. 0 or -ENOMEM. */
WW_CHECK int ww_http2_new(struct ww_messages *shared, enum ww_dir req_dir,
			  struct ww_http2 **ret_http2);

/* As the calls of proto.h. f is the same in all calls. */
void ww_http2_bytes(struct ww_http2 *h, struct ww_flow *f, enum ww_dir dir, uint64_t offset,
		    struct ww_slice bytes, struct ww_boot t);
void ww_http2_gap(struct ww_http2 *h, struct ww_flow *f, enum ww_dir dir, uint64_t offset,
		  uint64_t bytes, struct ww_boot t);

/* Ends what is open by f->how, and frees h. */
void ww_http2_closed(struct ww_http2 *h, struct ww_flow *f);
