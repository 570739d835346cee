/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forms: what a body holds packed, undone, so that text in it can be looked at.
 *
 * Undone, in each other up to WW_FORMS_DEPTH_MAX:
 * - base64 and base64url anywhere: WW_FORMS_BASE64_MIN digits in a row at least, through line
 * breaks and through the escapes of JSON and of forms;
 * - gzip and zstd anywhere, by their magic numbers;
 * - zlib, raw deflate and brotli as the whole of a body, of a part of a multipart body or of what
 *   was undone before. The last two have no magic number: only where what begins is no text, and
 *   what comes out ends where the input does, or begins as text.
 * Escapes of text are not undone here: see action/symbols.h.
 *
 * Bounded, of one body: WW_FORMS_BYTES_MAX come out in all, WW_FORMS_TRIES_MAX streams are begun,
 * the ratio ceiling and the windows of proto/coding. What is beyond is not looked at, and said so;
 * so is a stretch in which nothing is undone and that is no text: what it holds is not known.
 * Not thread safe; what came out is wiped. Pure.
 */
#pragma once

#include "base/own.h"
#include "base/slice.h"

#define WW_FORMS_DEPTH_MAX  4u
#define WW_FORMS_BYTES_MAX  (8u << 20)
#define WW_FORMS_TRIES_MAX  1024u
#define WW_FORMS_BASE64_MIN 64u
#define WW_FORM_NAME_MAX    40u

struct ww_forms;

WW_CHECK int ww_forms_new(struct ww_forms **ret_forms);
void ww_forms_free(struct ww_forms *f);
WW_DEFINE_AUTO(struct ww_forms, ww_forms_free)

/*
 * Gives the body and all that is packed in it to `text`, borrowed for the call, each with what it
 * was packed in, the outermost first: "", "gzip", "base64+gzip" ... What is but a packed stream is
 * given undone only. False: not all of it could be looked at.
 */
bool ww_forms_walk(struct ww_forms *f, struct ww_slice body,
		   void (*text)(void *ctx, struct ww_slice text, const char *packed), void *ctx);
