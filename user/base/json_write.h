/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deterministic JSON writer: members in call order, no white space, integers only, strings escaped
 * to valid UTF-8 (bad bytes become U+FFFD). Two equal call sequences give equal bytes, which is
 * what records, signatures and replay need.
 *
 * Errors are sticky: after the first failed append (ceiling, memory) all calls do nothing and
 * ww_jsonw_ok() is false; check once at the end. Unsigned 64-bit values above 2^53 - 1 are written
 * as strings by ww_jsonw_u64 (protobuf JSON mapping does the same), so that no reader loses digits.
 */
#pragma once

#include "base/buf.h"

#define WW_JSONW_DEPTH_MAX 32

struct ww_jsonw {
	struct ww_buf *out; /* borrowed */
	uint32_t depth;
	bool comma; /* next member needs one */
	int err;    /* 0 or -errno, sticky */
};

void ww_jsonw_init(struct ww_jsonw *w, struct ww_buf *out);
static inline bool ww_jsonw_ok(const struct ww_jsonw *w)
{
	return w->err == 0;
}

/* `key` is NULL inside arrays and at top level. */
void ww_jsonw_object(struct ww_jsonw *w, const char *key);
void ww_jsonw_array(struct ww_jsonw *w, const char *key);
void ww_jsonw_end_object(struct ww_jsonw *w);
void ww_jsonw_end_array(struct ww_jsonw *w);
void ww_jsonw_str(struct ww_jsonw *w, const char *key, struct ww_slice value);
void ww_jsonw_cstr(struct ww_jsonw *w, const char *key, const char *value); /* NULL: null */
void ww_jsonw_u64(struct ww_jsonw *w, const char *key, uint64_t value);
void ww_jsonw_i64(struct ww_jsonw *w, const char *key, int64_t value);
void ww_jsonw_bool(struct ww_jsonw *w, const char *key, bool value);
void ww_jsonw_null(struct ww_jsonw *w, const char *key);
void ww_jsonw_hex(struct ww_jsonw *w, const char *key, struct ww_slice bytes);
/* 16 lower-case hex digits: cookies and other ids that are not quantities. */
void ww_jsonw_id64(struct ww_jsonw *w, const char *key, uint64_t id);
/* Trusted JSON text, written as it is. */
void ww_jsonw_raw(struct ww_jsonw *w, const char *key, struct ww_slice json);
