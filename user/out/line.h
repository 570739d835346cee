/* SPDX-License-Identifier: Apache-2.0 */
/*
 * line: a record as one line for a person, aligned by kind:
 *   14:03:22.123  VERDICT   MASKED_ERROR  refund_payment  said done · span OK · wire 503 ...
 * Times are UTC, as in the record. What comes from the record is made harmless for terminals
 * (out/printable.h). Pure.
 */
#pragma once

#include "base/buf.h"

#define WW_LINE_BYTES_MAX 4096u /* a longer line is cut */

#define WW_LINE_COLOUR 1u /* with terminal colours */
#define WW_LINE_DATED                                                              \
	2u /* the date before the time of day: where lines of many days are listed \
	    */

/*
 * Appends the line, at most WW_LINE_BYTES_MAX bytes and no newline, to out. `flags`: WW_LINE_*. A
 * record that cannot be read gets a line that says so. 0, -EMSGSIZE (no room in out), -ENOMEM.
 */
WW_CHECK int ww_line_add(struct ww_slice record, unsigned flags, struct ww_buf *out);

/* The same for an action that has no verdict yet, as the stream says it (judge/pending.h). */
WW_CHECK int ww_line_pending(struct ww_slice pending, unsigned flags, struct ww_buf *out);

/* The three columns of a verdict or action, as patterns of out/template.h. */
#define WW_LINE_SAID                                                   \
	"[{said.claim}][^{said.claim}text of {said.text.bytes} bytes]" \
	"[^{said.claim|said.text.bytes}-]"
#define WW_LINE_SPAN "{!span.status}"
#define WW_LINE_WIRE                                                                             \
	"[{wire.status|wire.wire}][ Retry-After {wire.retryAfterS}][ {wire.wire} {wire.rule}]"   \
	"[ retries {wire.retries}][undecoded, {wire.undecoded.bytesSent} bytes out]"             \
	"[one of {wire.candidates.wire+}]"                                                       \
	"[elsewhere: {wire.elsewhere.method} {wire.elsewhere.destination|wire.elsewhere.peer}]"  \
	"[{local.total} deeds on this host][, exit {local.deeds.exitCode+}]"                     \
	"[^{local.total}{local.contested} deeds on this host that others may mean as well]"      \
	"[^{local.total|local.contested}no {local.sought} found]"                                \
	"[^{wire.status|wire.wire|wire.undecoded.bytesSent|wire.candidates.wire|wire.elsewhere." \
	"method|local.sought}"                                                                   \
	"no declared call found]"

/* The column beside them, of a verdict; for a place in brackets. */
#define WW_LINE_ATTESTED "{attested.attestations.outcome+} by {attested.attestations.attester+}"

/* The pattern of a kind's line (out/template.h), or NULL for an unknown kind. */
const char *ww_line_template(struct ww_slice kind);

/* Kinds that a live view leaves out unless asked for: they come in numbers and say little alone. */
bool ww_line_quiet(struct ww_slice kind);
