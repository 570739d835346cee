/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of functions that every Go program carries for its own runtime (.gopclntab), also when
 * it was stripped: names and addresses. Versions 1.16 (Go 1.16 and 1.17), 1.18 (to 1.19) and 1.20
 * (since Go 1.20) of the format are read, of little-endian 64-bit programs.
 *
 * The bytes are hostile. They are only read through bounds; nothing is allocated, no loop is longer
 * than the count of functions that fits into the bytes.
 */
#pragma once

#include "base/own.h"
#include "base/parse.h"
#include "base/slice.h"

struct ww_pclntab {
	struct ww_slice in; /* borrowed */
	uint32_t magic;
	bool wide;           /* entries hold addresses, not distances from the text's start */
	uint64_t count;      /* of functions */
	uint64_t text_start; /* address of the text; where wide, not used */
	uint64_t names;      /* where the names begin, bytes */
	uint64_t entries;    /* where the entries begin; functions are told relative to it */
};

struct ww_pclntab_function {
	struct ww_slice name;
	uint64_t vaddr;
	uint64_t size; /* to the next function */
};

/*
 * Reads the header. DONE; MORE: the table goes on behind the bytes; GAP: it does not say where the
 * text starts (left to the loader: position independent programs, Go 1.26 and later); BAD: not
 * such a table, or not of a known version.
 */
WW_CHECK enum ww_parse ww_pclntab_open(struct ww_slice in, struct ww_pclntab *ret_table,
				       struct ww_parse_error *error);

/* The i-th function, by ascending address. DONE; END: there are only so many; MORE, BAD. */
WW_CHECK enum ww_parse ww_pclntab_at(const struct ww_pclntab *t, uint64_t i,
				     struct ww_pclntab_function *ret_fn,
				     struct ww_parse_error *error);

/* The first function of that name. DONE; END: none; MORE, BAD: the table is damaged before it. */
WW_CHECK enum ww_parse ww_pclntab_find(const struct ww_pclntab *t, const char *name,
				       struct ww_pclntab_function *ret_fn,
				       struct ww_parse_error *error);
