/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rows: where a dialect has what. A table names the members of a JSON object and says where each
 * goes: a text or a count of the call, a table for the object that it is, or a function for what
 * takes more than copying. What no row names is passed over; so is a member of another type.
 *
 * Tables end with an empty row and lie at most WW_ROWS_DEPTH_MAX deep in each other.
 */
#pragma once

#include "action/parts.h"

#define WW_ROWS_DEPTH_MAX 4u

struct ww_row {
	const char *name;
	size_t at;   /* in struct ww_model_call: of a text, of a count */
	size_t cap;  /* of a text, 0: it is a count */
	bool once;   /* the text stays what it is when it is there already */
	bool error;  /* an object: that there is one says that the call failed */
	bool answer; /* that it is there says that the document is an answer of this dialect */
	enum ww_json_type type;  /* of an object, or of what `walk` takes; TRUE: also FALSE */
	const struct ww_row *in; /* the object's own table */
	void (*walk)(struct ww_parts *p, const struct ww_parts_value *v);
};

#define WW_ROW_TEXT(NAME, MEMBER)                                             \
	{                                                                     \
		.name = (NAME), .at = offsetof(struct ww_model_call, MEMBER), \
		.cap = sizeof(((struct ww_model_call *)NULL)->MEMBER),        \
	}
#define WW_ROW_TEXT_ONCE(NAME, MEMBER)                                               \
	{                                                                            \
		.name = (NAME), .at = offsetof(struct ww_model_call, MEMBER),        \
		.cap = sizeof(((struct ww_model_call *)NULL)->MEMBER), .once = true, \
	}
#define WW_ROW_COUNT(NAME, MEMBER)                                                 \
	{                                                                          \
		.name = (NAME), .at = offsetof(struct ww_model_call, usage.MEMBER) \
	}
#define WW_ROW_IN(NAME, TABLE)                                        \
	{                                                             \
		.name = (NAME), .type = WW_JSON_OBJECT, .in = (TABLE) \
	}
#define WW_ROW_ERROR(NAME, TABLE)                                                    \
	{                                                                            \
		.name = (NAME), .type = WW_JSON_OBJECT, .in = (TABLE), .error = true \
	}
#define WW_ROW_READ(NAME, TYPE, FN)                          \
	{                                                    \
		.name = (NAME), .type = (TYPE), .walk = (FN) \
	}
/* The member that makes it an answer. */
#define WW_ROW_ANSWER(NAME, TYPE, FN)                                        \
	{                                                                    \
		.name = (NAME), .type = (TYPE), .walk = (FN), .answer = true \
	}

/* Reads the object that j stands in by a table, to its end: DONE, MORE (cut off), BAD. */
enum ww_parse ww_rows_read(struct ww_parts *p, struct ww_json *j, const struct ww_row *table);
/* The same of a kept value, if it is an object. */
void ww_rows_read_in(struct ww_parts *p, const struct ww_parts_value *v,
		     const struct ww_row *table);
/* The same of a document. */
enum ww_parse ww_rows_read_doc(struct ww_parts *p, struct ww_slice doc, const struct ww_row *table);
