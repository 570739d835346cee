/* SPDX-License-Identifier: Apache-2.0 */
#include "claim/otlp.h"

#include <errno.h>
#include <stdio.h>

#include "claim/otlp_build.h"

/* What the sender should know although no span was rejected. */
static void warn_of_drops(struct ww_otlp_build *b)
{
	if (b->result.message[0] != '\0' || b->attrs_dropped + b->claims_dropped == 0)
		return;
	(void)snprintf(b->result.message, sizeof(b->result.message),
		       "not kept: %u attributes over a limit, %u claim events malformed or over "
		       "the limit",
		       b->attrs_dropped, b->claims_dropped);
}

int ww_otlp_decode(enum ww_claim_encoding encoding, struct ww_slice body,
		   void (*fn)(void *ctx, struct ww_span *span), void *ctx,
		   struct ww_otlp_result *ret_result)
{
	struct ww_otlp_build b WW_AUTO(ww_otlp_build_done);
	int r;

	ww_otlp_build_init(&b, fn, ctx);
	switch (encoding) {
	case WW_CLAIM_OTLP_PROTOBUF:
		r = ww_otlp_pb_decode(&b, body);
		break;
	case WW_CLAIM_OTLP_JSON:
		r = ww_otlp_json_decode(&b, body);
		break;
	default:
		r = ww_otlp_build_bad(&b, -EBADMSG, "unknown encoding");
		break;
	}
	if (r == -EBADMSG)
		(void)snprintf(b.result.message, sizeof(b.result.message), "malformed request: %s",
			       b.why);
	warn_of_drops(&b);
	*ret_result = b.result;
	return r;
}
