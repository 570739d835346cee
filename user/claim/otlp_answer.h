/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bodies that an OTLP receiver answers with, in the request's encoding: the export response of
 * any signal, and google.rpc.Status. Internal to claim. Pure.
 */
#pragma once

#include <wirewitness/event.h>

#include "base/buf.h"

/* google.rpc.Code */
enum ww_otlp_code {
	WW_OTLP_INVALID_ARGUMENT = 3,
	WW_OTLP_NOT_FOUND = 5,
	WW_OTLP_RESOURCE_EXHAUSTED = 8,
	WW_OTLP_UNIMPLEMENTED = 12,
	WW_OTLP_INTERNAL = 13,
	WW_OTLP_UNAVAILABLE = 14,
};

/*
 * ExportTraceServiceResponse; without rejected items also that of metrics and logs, whose fields
 * have the same numbers. Nothing rejected and no message: the empty response (partial success
 * unset). Appends; 0, -EMSGSIZE, -ENOMEM.
 */
WW_CHECK int ww_otlp_answer_export(enum ww_claim_encoding encoding, uint64_t rejected_spans,
				   const char *message, struct ww_buf *out);

/* google.rpc.Status. Appends; 0, -EMSGSIZE, -ENOMEM. */
WW_CHECK int ww_otlp_answer_status(enum ww_claim_encoding encoding, enum ww_otlp_code code,
				   const char *message, struct ww_buf *out);
