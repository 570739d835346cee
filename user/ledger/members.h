/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Members of JSON objects straight into variables, for readers of many records: one pass, and what
 * is wrong with one is wrong with the record. A known member twice is an error (readers disagree
 * which one counts), an unknown one is ignored. Borrowed views, no allocation. Pure.
 */
#pragma once

#include "base/json.h"
#include "base/own.h"
#include "ledger/errtext.h"

/* A text as it stands between its quotes; s.p NULL: not there, or null. */
struct ww_rd_text {
	struct ww_slice s;
	bool escaped; /* it is not what it looks like */
};

struct ww_rd_number {
	uint64_t n;
	bool there;
};

/* What a member's value is read into, and how. */
enum ww_take {
	WW_TAKE_TEXT,   /* struct ww_rd_text: a string, or null */
	WW_TAKE_NUMBER, /* struct ww_rd_number */
	WW_TAKE_U64,    /* uint64_t, demanded */
	WW_TAKE_I64,    /* int64_t, demanded */
	WW_TAKE_BOOL,   /* bool, demanded */
	WW_TAKE_FLAG,   /* bool, false when not there */
	WW_TAKE_RAW,    /* struct ww_slice: the whole value of an object or array, demanded */
	WW_TAKE_MAYBE,  /* the same, empty when not there or null */
};

struct ww_member_want {
	const char *name;
	size_t name_n;
	enum ww_take take;
	void *to;
	bool found;
};

#define WW_MEMBER(text, how, target)                                                              \
	{                                                                                         \
		.name = (text), .name_n = sizeof(text) - 1, .take = WW_TAKE_##how, .to = (target) \
	}

/*
 * Reads the members of `object`, which must be one JSON object and nothing else. 0 or -EINVAL: not
 * JSON, a member missing, twice, or of another type; `what` names the object in `why`.
 */
WW_CHECK int ww_members_read(struct ww_slice object, const char *what,
			     struct ww_member_want *members, size_t n, struct ww_errtext *why);

#define WW_MEMBERS_READ(object, what, members, why) \
	ww_members_read(object, what, members, WW_ARRAY_SIZE(members), why)

/* Of an array's elements each with its first token and its text; an error ends the walk. */
typedef int (*ww_members_fn)(void *ctx, const struct ww_json_token *t, struct ww_slice text,
			     struct ww_errtext *why);
WW_CHECK int ww_members_each(struct ww_slice array, const char *what, ww_members_fn fn, void *ctx,
			     struct ww_errtext *why);
