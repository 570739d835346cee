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

/* Appends to out, which is borrowed and whose ceiling bounds the text. */
void ww_jsonw_init(struct ww_jsonw *w, struct ww_buf *out);
/* False after a failed append, and then w->err is why: -EMSGSIZE, -ENOMEM. */
static inline bool ww_jsonw_ok(const struct ww_jsonw *w)
{
	return w->err == 0;
}

/*
 * The name of a member; NULL inside arrays and at top level. Nearly all are literals: the compiler
 * knows their length, and that they are plain words. Others are looked at when they are written,
 * and escaped where they must be.
 */
struct ww_jsonw_name {
	const char *p;
	uint32_t n;
	bool word;
};

static inline struct ww_jsonw_name ww_jsonw_name(const char *key)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
	const char *text = key ? key : "";
	size_t n = strlen(text);
	bool word = strspn(text, letters) == n;

	return (struct ww_jsonw_name){key, (uint32_t)n, __builtin_constant_p(word) && word};
}

/* Their `key` is a C string. A `value` of NULL is written as null. */
#define ww_jsonw_object(w, key)      ww_jsonw_put_object(w, ww_jsonw_name(key))
#define ww_jsonw_array(w, key)       ww_jsonw_put_array(w, ww_jsonw_name(key))
#define ww_jsonw_str(w, key, value)  ww_jsonw_put_str(w, ww_jsonw_name(key), value)
#define ww_jsonw_cstr(w, key, value) ww_jsonw_put_cstr(w, ww_jsonw_name(key), value)
#define ww_jsonw_u64(w, key, value)  ww_jsonw_put_u64(w, ww_jsonw_name(key), value)
#define ww_jsonw_i64(w, key, value)  ww_jsonw_put_i64(w, ww_jsonw_name(key), value)
#define ww_jsonw_bool(w, key, value) ww_jsonw_put_bool(w, ww_jsonw_name(key), value)
#define ww_jsonw_null(w, key)        ww_jsonw_put_null(w, ww_jsonw_name(key))
#define ww_jsonw_hex(w, key, bytes)  ww_jsonw_put_hex(w, ww_jsonw_name(key), bytes)
/* 16 lower-case hex digits: cookies and other ids that are not quantities. */
#define ww_jsonw_id64(w, key, id) ww_jsonw_put_id64(w, ww_jsonw_name(key), id)
/* Trusted JSON text, written as it is. */
#define ww_jsonw_raw(w, key, json) ww_jsonw_put_raw(w, ww_jsonw_name(key), json)
void ww_jsonw_end_object(struct ww_jsonw *w);
void ww_jsonw_end_array(struct ww_jsonw *w);

void ww_jsonw_put_object(struct ww_jsonw *w, struct ww_jsonw_name name);
void ww_jsonw_put_array(struct ww_jsonw *w, struct ww_jsonw_name name);
void ww_jsonw_put_str(struct ww_jsonw *w, struct ww_jsonw_name name, struct ww_slice value);
void ww_jsonw_put_cstr(struct ww_jsonw *w, struct ww_jsonw_name name, const char *value);
void ww_jsonw_put_u64(struct ww_jsonw *w, struct ww_jsonw_name name, uint64_t value);
void ww_jsonw_put_i64(struct ww_jsonw *w, struct ww_jsonw_name name, int64_t value);
void ww_jsonw_put_bool(struct ww_jsonw *w, struct ww_jsonw_name name, bool value);
void ww_jsonw_put_null(struct ww_jsonw *w, struct ww_jsonw_name name);
void ww_jsonw_put_hex(struct ww_jsonw *w, struct ww_jsonw_name name, struct ww_slice bytes);
void ww_jsonw_put_id64(struct ww_jsonw *w, struct ww_jsonw_name name, uint64_t id);
void ww_jsonw_put_raw(struct ww_jsonw *w, struct ww_jsonw_name name, struct ww_slice json);
