/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a state directory beside its daemon or without one, and the options of commands that
 * read. Readers that need no proofs can have the same from the daemon itself, over its socket.
 * The ledger is only read; the index beside it is brought up to date when it can be written, and
 * made anew in memory when it cannot.
 */
#pragma once

#include <argp.h>

#include "actor/actor.h"
#include "moment.h"
#include "out/filter.h"
#include "store/record_index.h"

struct ww_records {
	struct ww_ledger_reader *reader; /* NULL: they come from the daemon, in `spool` */
	struct ww_spool *spool;
	struct ww_record_index *index;
	uint64_t withheld, withheld_at; /* passed over by ww_records_each; the last one's index */
};

/* Opens both; says on standard error what is wrong. 0 or -errno. Release with ww_records_close. */
WW_CHECK int ww_records_open(const char *state_dir, struct ww_records *ret_records);
void ww_records_close(struct ww_records *r);

/* Its two halves, for `reindex`: the ledger (says what is wrong; 0 or -errno), and where the index
 * lies. */
#define WW_RECORDS_PATH_MAX 4096u
WW_CHECK int ww_records_reader(const char *state_dir, struct ww_ledger_reader **ret_reader);
void ww_records_index_path(const char *state_dir, char ret_path[WW_RECORDS_PATH_MAX]);

/* As ww_records_open, over the control socket at socket_path, where that is not NULL; state_dir
 * NULL: the default. */
WW_CHECK int ww_records_open_from(const char *state_dir, const char *socket_path,
				  struct ww_records *ret_records);

uint64_t ww_records_size(const struct ww_records *r);

/* What is asked for; zero: everything. */
struct ww_records_query {
	const char *kind; /* as in records, NULL: any */
	struct ww_moment since, until;
	struct ww_filter filter;
	uint64_t newest; /* only so many, the last ones; 0: all */
};

/* One record; `json` is borrowed for the call. False ends the walk. */
typedef bool (*ww_records_fn)(void *ctx, uint64_t index, struct ww_slice json);

/* Calls fn for every record that is asked for, oldest first; withheld ones are counted and passed
 * over. 0 or -errno, told on standard error. */
WW_CHECK int ww_records_each(struct ww_records *r, const struct ww_records_query *q,
			     ww_records_fn fn, void *ctx);

/* The record at an index. 0; -ENOENT (erased, or its segment is gone); -errno. */
WW_CHECK int ww_records_get(struct ww_records *r, uint64_t index, struct ww_slice *ret_json);

/* Why a record has no content, in words for a person: "withheld: pruned by policy at ...". 0,
 * -EMSGSIZE, -ENOMEM. */
WW_CHECK int ww_records_withheld(struct ww_records *r, uint64_t index, struct ww_buf *out);

/* The index that a person means: a number, an id, or the beginning of only one. 0, -ENOENT,
 * -ENOTUNIQ, -EIO. A number is not looked up. */
WW_CHECK int ww_records_find(struct ww_records *r, const char *what, uint64_t *ret_index);

/* Whether a later record supersedes this verdict: one that `until` (NULL: none) takes in. */
bool ww_records_superseded(struct ww_records *r, struct ww_slice verdict,
			   const struct ww_moment *until);

/* Appends the id of the newest verdict that supersedes this one; nothing when none does. 0,
 * -EMSGSIZE, -ENOMEM. */
WW_CHECK int ww_records_newest(struct ww_records *r, struct ww_slice verdict, struct ww_buf *out);

/* Says on standard error why the record could not be read. Returns r. */
int ww_records_explain(uint64_t index, int r);

/* Appends {"v":1,"cursor":index,"record":json}, the form of the stream. 0, -EMSGSIZE, -ENOMEM. */
WW_CHECK int ww_records_stream_line(uint64_t index, struct ww_slice json, struct ww_buf *out);

/*
 * Calls fn with each id that the record mentions, once per place, until it returns false: its own
 * id is none of them. Borrowed from the record.
 */
void ww_records_mentioned(struct ww_slice json, bool (*fn)(void *ctx, struct ww_slice id),
			  void *ctx);

/* A record that cites others: its index, and the tree that it is about; empty: none. */
struct ww_records_citer {
	uint64_t index;
	char root[WW_ACTOR_ID_MAX];
};
void ww_records_citer(uint64_t index, struct ww_slice json, struct ww_records_citer *ret);

/*
 * Calls fn with the record that has this id, until it returns false. Whoever exports spans chooses
 * their ids, also one that another's span has: of a span every one that was there before and is of
 * the same tree, newest first, else the newest that was there. Reads records. 0, -ENOENT, -errno.
 */
WW_CHECK int ww_records_cited(struct ww_records *r, const struct ww_records_citer *by,
			      struct ww_slice id, bool (*fn)(void *ctx, uint64_t index), void *ctx);

/* Option parsers that end the program with a message when the text is wrong. */
void ww_records_moment_option(struct argp_state *state, const char *name, const char *text,
			      struct ww_moment *ret);
void ww_records_filter_option(struct argp_state *state, const char *text, struct ww_filter *ret);
/* When all options are read; kind: NULL, any. */
void ww_records_filter_check(struct argp_state *state, const struct ww_filter *f, const char *kind);
bool ww_records_json_option(struct argp_state *state, const char *text);
