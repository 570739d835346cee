/* SPDX-License-Identifier: Apache-2.0 */
/*
 * why_node: what the files of out/why.h share: one node at a time, from members of records. Errors
 * are sticky in `err`. Pure but for the source of records.
 */
#pragma once

#include "base/clock.h"
#include "out/member.h"
#include "out/why.h"

#define WW_WHY_ID_MAX 64u

/* A member of a node and where it stands in a record. */
struct ww_why_pick {
	const char *key, *path;
};

struct ww_why_job {
	struct ww_why_tree *tree;
	const struct ww_why_ask *ask;
	struct ww_slice verdict;
	struct ww_jsonw w; /* of the node at hand */
	struct ww_buf facts;
	struct ww_wall begin; /* of the action; 0: not known */
	unsigned depth;
	enum ww_why_what what;
	int err;
};

/* A node begins; it ends and is added to the tree. Members are written into w between. */
void ww_why_open(struct ww_why_job *b, enum ww_why_what what);
void ww_why_close(struct ww_why_job *b);
/* A node that has nothing but its words. */
void ww_why_plain(struct ww_why_job *b, enum ww_why_what what);

/* What the source says of it; what it does not say is left out. */
void ww_why_put(struct ww_why_job *b, struct ww_slice source, const struct ww_why_pick *picks,
		size_t count);
#define WW_WHY_PUT(b, source, picks) ww_why_put(b, source, picks, WW_ARRAY_SIZE(picks))
void ww_why_put_array(struct ww_why_job *b, struct ww_slice source, const char *key,
		      const char *path);
void ww_why_put_meaning(struct ww_why_job *b, const char *key, const char *meaning);
/* How far an instant is from the action's begin; a time as it stands in a record, and that. */
void ww_why_put_offset(struct ww_why_job *b, struct ww_wall t);
void ww_why_put_time(struct ww_why_job *b, const char *key, const struct ww_json_token *v);

/* The record, empty when it is not there; its place is written beside its id. Borrowed until the
 * next one. */
struct ww_slice ww_why_cite(struct ww_why_job *b, const char *key, struct ww_slice id);
/* What an exchange was besides has its number, and a letter of its own. False: there is none. */
bool ww_why_also(const struct ww_why_job *b, struct ww_slice exchange, char letter,
		 char id[WW_WHY_ID_MAX], uint64_t *ret_index, struct ww_slice *ret_json);

/* An array or object as it stands in a record. */
struct ww_slice ww_why_range(struct ww_slice source, const char *path);
/* Copies an id, which a look-up would overwrite; false: there is none. */
bool ww_why_copy_id(const struct ww_json_token *v, char out[WW_WHY_ID_MAX]);

/* The objects of an array, one after the other; how many there are. */
void ww_why_elements(struct ww_json *j, struct ww_slice array);
bool ww_why_element(struct ww_json *j, struct ww_slice *ret);
uint64_t ww_why_count(struct ww_slice array);

/* The nodes about this host (why_local.c); false: the verdict is about the wire. */
bool ww_why_local(struct ww_why_job *b);
/* The nodes about the wire (why_wire.c). */
void ww_why_wire(struct ww_why_job *b);
