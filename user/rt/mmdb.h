/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rt: a database in the MaxMind DB format, by libmaxminddb. The file's bytes are copied into sealed
 * memory: what was digested and checked is what is asked, whatever becomes of the file. Checked
 * whole on opening: every node of the tree, and every entry's words. Read only afterwards; may be
 * shared by threads.
 */
#pragma once

#include <stdint.h>

#include "base/own.h"
#include "base/slice.h"

struct ww_mmdb;

/* What an entry says, of the members that MaxMind's databases have; empty: nothing. */
struct ww_mmdb_words {
	struct ww_slice country;      /* country.iso_code */
	struct ww_slice subdivision;  /* subdivisions[0].iso_code */
	struct ww_slice organization; /* autonomous_system_organization */
};

#define WW_MMDB_WHY_MAX 160u

/* Checks a word of an entry. */
typedef bool (*ww_mmdb_word_fn)(struct ww_slice word);

/* 0; -EINVAL: why says what is wrong with it; -ENOMEM or -errno of making the memory. */
WW_CHECK int ww_mmdb_open(struct ww_slice file, ww_mmdb_word_fn ok, struct ww_mmdb **ret,
			  char why[WW_MMDB_WHY_MAX]);
void ww_mmdb_close(struct ww_mmdb *db);

/* Seconds since 1970 when it was built; nodes of its tree. */
uint64_t ww_mmdb_built_s(const struct ww_mmdb *db);
uint64_t ww_mmdb_nodes(const struct ww_mmdb *db);

/* Whether it has an entry for the address (4 or 16 bytes), and then of how many leading bits. */
bool ww_mmdb_find(const struct ww_mmdb *db, const uint8_t *address, bool v6,
		  struct ww_mmdb_words *ret_words, uint8_t *ret_bits);
