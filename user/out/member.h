/* SPDX-License-Identifier: Apache-2.0 */
/*
 * member: the scalar members of a record, by dotted path ("account.out.remainder"). What filters,
 * lines, tables and trees read records through.
 *
 * Array elements have the path of their array; empty containers have no members. A key that itself
 * holds dots ("attrs.gen_ai.tool.name") needs no quoting: paths are compared as text. Members whose
 * path is longer than WW_MEMBER_PATH_MAX are passed over. Everything is borrowed from the record.
 * Pure, no allocation.
 */
#pragma once

#include "base/json.h"
#include "base/json_write.h"

#define WW_MEMBER_PATH_MAX 384u

struct ww_member {
	struct ww_slice path;       /* borrowed from the walk, until the next call */
	struct ww_json_token value; /* string, number, true, false or null */
};

struct ww_member_walk {
	struct ww_json json;
	size_t n;                             /* bytes of path in use */
	bool after_key;                       /* path names the value that comes next */
	enum ww_parse last;                   /* how the walk ended, for ww_member_ok */
	uint16_t base[WW_JSON_DEPTH_MAX + 1]; /* by depth: bytes of path of the container there */
	uint8_t path[WW_MEMBER_PATH_MAX];
};

/* The record is borrowed until the walk has ended. */
void ww_member_begin(struct ww_member_walk *w, struct ww_slice record);

/* The next scalar member; false at the end, or where the record is no JSON. */
bool ww_member_next(struct ww_member_walk *w, struct ww_member *ret);

/* After the last: whether the record was well formed to its end. */
static inline bool ww_member_ok(const struct ww_member_walk *w)
{
	return w->last == WW_PARSE_END;
}

/*
 * Looks up several members in one pass: values[i] is the first member at paths[i], or has
 * raw.p == NULL when there is none. Whether the record was well formed.
 */
bool ww_member_pick(struct ww_slice record, const struct ww_slice *paths, size_t count,
		    struct ww_json_token *ret_values);

/* The one member at a path; raw.p == NULL when there is none. */
struct ww_json_token ww_member_get(struct ww_slice record, const char *path);

/* Whether a value is there and is not null. */
static inline bool ww_member_has(const struct ww_json_token *v)
{
	return v->raw.p != NULL && v->type != WW_JSON_NULL;
}

/* A non-negative integer, written as a number or (above 2^53 - 1) as a string; else `absent`. */
uint64_t ww_member_u64(const struct ww_json_token *v, uint64_t absent);

/* Writes a picked value under a key as it stands in the record; null when there is none. */
void ww_member_write(struct ww_jsonw *w, const char *key, const struct ww_json_token *v);

/*
 * Compares a value's text with a pattern: "x" equal, "x*" begins with x (null never does). Strings
 * are decoded; numbers, true, false and null compare by their text.
 */
bool ww_member_matches(const struct ww_json_token *v, struct ww_slice pattern);
