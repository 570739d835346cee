/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy: reads one YAML document into structs by tables of keys, and refuses what does not fit
 * with its line and what was expected there.
 *
 * Invariants:
 *  1. One table per mapping: a key that is not in it, or comes twice, is an error at its line.
 *  2. No event with an anchor, alias or tag passes: the tree read is as large as the file.
 *  3. Depth is fixed by the tables; nothing recurses over input.
 *  4. After the first error every further step fails with the same error.
 */
#pragma once

#include <wirewitness/limits.h>

#include "base/own.h"
#include "base/slice.h"

#include <yaml.h>

struct ww_yaml {
	yaml_parser_t parser;
	struct ww_slice yaml;
	yaml_event_t ev;       /* the current event */
	size_t text_max;       /* bytes of a scalar; WW_CONTRACT_TEXT_BYTES when opened */
	void *ctx;             /* of the takers' */
	int err;               /* 0; -EINVAL: the error below; -ENOMEM */
	unsigned error_line;   /* 1-based */
	unsigned error_column; /* 1-based, in characters; 0: of the whole line */
	char error_text[200];  /* what was expected, and what was there; printable, one line */
};

/* Reads the value at r->ev, which is its first event, and leaves its last event there. */
typedef int (*ww_yaml_fn)(struct ww_yaml *r, void *into);

struct ww_yaml_field {
	const char *key;
	ww_yaml_fn take;
	bool required;
	size_t at; /* of what is read, in the mapping's struct */
};

/* text is borrowed until ww_yaml_close(), which follows whatever came out. */
void ww_yaml_open(struct ww_yaml *r, struct ww_slice text);
void ww_yaml_close(struct ww_yaml *r);

/* All of it: one document, a mapping. 0 or r->err. */
int ww_yaml_document(struct ww_yaml *r, const struct ww_yaml_field *fields, unsigned count,
		     const char *expected, void *into);

/* The value at r->ev is a mapping with these keys, each at most once (32 at most). All below: 0 or
 * r->err. */
int ww_yaml_mapping(struct ww_yaml *r, const struct ww_yaml_field *fields, unsigned count,
		    void *into);

/* A list of `min` to `max` elements of `size` bytes; *items grows, zeroed, and is the caller's
 * whatever comes out. */
int ww_yaml_list(struct ww_yaml *r, unsigned min, unsigned max, void **items, unsigned *count,
		 size_t size, ww_yaml_fn take);

/* The value is a scalar: a text (*ret_text is the caller's), a number, true or false. */
int ww_yaml_text(struct ww_yaml *r, const char *expected, char **ret_text);
int ww_yaml_number(struct ww_yaml *r, uint64_t min, uint64_t max, const char *expected,
		   uint64_t *ret_value);
int ww_yaml_bool(struct ww_yaml *r, bool *ret_value);

/* Of the current event: its line and column, its bytes where it is a scalar, whether it is a
 * printable one. */
unsigned ww_yaml_line(const struct ww_yaml *r);
unsigned ww_yaml_column(const struct ww_yaml *r);
struct ww_slice ww_yaml_scalar(const struct ww_yaml *r);
bool ww_yaml_is_text(const struct ww_yaml *r);

/* The current event, or something at a line, is not what it should be. Returns r->err. */
int ww_yaml_fail(struct ww_yaml *r, const char *expected);
int ww_yaml_fail_at(struct ww_yaml *r, unsigned line, const char *expected, const char *found);
int ww_yaml_fail_place(struct ww_yaml *r, unsigned line, unsigned column, const char *expected,
		       const char *found);
