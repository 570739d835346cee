/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Named members of a JSON object, for the formats whose reader must be strict: a known member twice
 * is an error (readers disagree which one counts), an unknown one is ignored. Borrowed views, no
 * allocation.
 */
#pragma once

#include "base/json.h"
#include "ledger/errtext.h"

struct ww_field {
	const char *name;
	enum ww_json_type
		type; /* STRING, NUMBER (also a string of digits), OBJECT, ARRAY, TRUE (either) */
	bool optional;
	/* An OBJECT's own members, read in the same pass; NULL: none are. */
	struct ww_field *inner;
	size_t n_inner;
	/* An ARRAY's elements, handed on in the same pass; NULL: none are. The tokenizer stands
	 * behind the element's first token, and behind its last one when 0 is returned; -EINVAL: it
	 * is not JSON. */
	int (*each)(void *ctx, struct ww_json *j, const struct ww_json_token *first);
	void *ctx;
	/* set by ww_fields_read */
	bool found;
	struct ww_json_token token;
	struct ww_slice text; /* the value's whole text, quotes and brackets included */
};

/*
 * Reads the members of `object`, which must be one JSON object and nothing else. 0 or -EINVAL: not
 * JSON, a member missing, twice, or of another type; `what` names the object in `why`.
 */
WW_CHECK int ww_fields_read(struct ww_slice object, const char *what, struct ww_field *fields,
			    size_t n, struct ww_errtext *why);

/*
 * Whether no object in the document, at any depth, has a member twice: for what is handed on to
 * readers who may count the other one. 0, -EINVAL (twice, not JSON, or over WW_FIELDS_OPEN_MAX
 * members in the objects around one place), -ENOMEM.
 */
#define WW_FIELDS_OPEN_MAX 256u
WW_CHECK int ww_fields_unique(struct ww_slice json, const char *what, struct ww_errtext *why);

/* Value of a NUMBER field: 0 or -EINVAL. */
WW_CHECK int ww_fields_u64(const struct ww_field *f, uint64_t *ret_value);

/* A STRING token's text: borrowed from the input, or decoded into scratch (cleared first) when
 * escaped. */
WW_CHECK int ww_fields_text(const struct ww_json_token *t, struct ww_buf *scratch,
			    struct ww_slice *ret_text);

/* Opens an array's text for ww_fields_next. 0 or -EINVAL. */
WW_CHECK int ww_fields_array(struct ww_slice array, struct ww_json *ret_json);

/* As ww_fields_read, from behind an object's opening brace to behind its closing one. */
WW_CHECK int ww_fields_members(struct ww_json *json, const char *what, struct ww_field *fields,
			       size_t n, struct ww_errtext *why);

/* The next element: 1, 0 after the last one, -EINVAL. */
WW_CHECK int ww_fields_next(struct ww_json *json, struct ww_json_token *ret_token,
			    struct ww_slice *ret_text);
