/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deeds: what was done on this host that a contract could mean: runs of declared programs and
 * changes of declared files. Beside held.h, for effects that need no network. Everything is copied
 * in; the contracts and the actors outlive the table.
 *
 * Numbered invariants:
 *  1. Only what some contract means is held, and programs that it may mean: called by such a name,
 *     or of a path that is not known. A path through mounts that anybody may make is none.
 *  2. What is dropped moves `blind_until`: a window that begins before it is not known whole.
 *  3. A run ends by the exit of its process, or when that executes another program; a run inside
 *     another one (by a child of its process) names it.
 *  4. That a file did not change is known only for times in which all its directories were
 *     watched; whoever changes it.
 *
 * Bounded by WW_DEEDS_HELD_MAX: the oldest goes first. Pure, not thread safe.
 */
#pragma once

#include <wirewitness/verdict.h>

#include "actor/actor.h"
#include "base/digest.h"
#include "base/hash.h"
#include "base/json_write.h"
#include "policy/contract.h"

#define WW_DEED_ID_MAX 64

struct ww_deed {
	struct ww_deed *prev, *next; /* by arrival */
	uint64_t number;
	bool run;             /* of a program; else a change of a file */
	struct ww_boot since; /* when it happened: not before this, */
	struct ww_boot at;    /* and by then; a run: both are its begin */
	struct ww_actor_key actor, root;
	uint64_t cgroup;
	uint32_t what;       /* a change: bit set of enum ww_change_bit */
	enum ww_run_end end; /* a run: */
	struct ww_boot ended;
	int32_t code;         /* exit status, or -signal */
	uint64_t within;      /* number of the run that it is inside of, 0: none */
	uint64_t replaced_by; /* number of the run that its process went on with, 0: none */
	uint64_t owner;       /* number of the one action that it is of, 0: none; */
	bool late;            /* for which it came too late */
	uint64_t look;        /* the last one (ww_deeds_look) that took it for its action's */
	char id[WW_DEED_ID_MAX];
	struct ww_sha256 digest; /* keyed, of the path */
	size_t path_bytes;       /* 0: not known */
	char called[16];         /* a run: by which name, cut */
	char path[WW_PATH_BYTES_MAX];
	UT_hash_handle hh, hh_open;
	struct ww_deed_actor {
		uint64_t start_ns;
		uint64_t pid;
	} open; /* of a run that did not end */
};

struct ww_deeds;

/* A deed is new, or a run ended. */
typedef void (*ww_deed_fn)(void *ctx, struct ww_deed *d);

/* All borrowed, outlive the table. 0 or -ENOMEM. */
WW_CHECK int ww_deeds_new(const struct ww_contracts *contracts, const struct ww_actors *actors,
			  const struct ww_digest_key *key, struct ww_deeds **ret_deeds);
void ww_deeds_free(struct ww_deeds *t);
WW_DEFINE_AUTO(struct ww_deeds, ww_deeds_free)

/* Takes any event, which the actors had before; fn hears of what came of it. 0 or -ENOMEM. */
WW_CHECK int ww_deeds_feed(struct ww_deeds *t, const struct ww_event *ev, ww_deed_fn fn, void *ctx);

/* The newest; go on with ->prev. NULL: none. */
struct ww_deed *ww_deeds_newest(const struct ww_deeds *t);
struct ww_deed *ww_deeds_get(const struct ww_deeds *t, uint64_t number);

/* It is none of c's programs by its path, and may be one all the same. */
bool ww_deed_may_be(const struct ww_deed *d, const struct ww_contract *c);

/* A number that no look at the table had before. */
uint64_t ww_deeds_look(struct ww_deeds *t);

/* The template of c that it matches, borrowed from c; NULL: none. */
const char *ww_deed_template(const struct ww_deed *d, const struct ww_contract *c);

/* Whether d, a run, is of this process or of an ancestor. */
bool ww_deeds_is_over(const struct ww_deeds *t, const struct ww_deed *d, struct ww_actor_key actor);

/* Whether every change of c's files between from and to was seen, by the processes of this scope
 * as well. Else *ret_why and *ret_lost (it was a queue that was full) say why not. */
bool ww_deeds_saw(const struct ww_deeds *t, const struct ww_contract *c, uint64_t cgroup,
		  struct ww_boot from, struct ww_boot to, const char **ret_why, bool *ret_lost);

/* Whether somebody outside of the scopes changed one of c's files between from and to. */
bool ww_deeds_outside(const struct ww_deeds *t, const struct ww_contract *c, struct ww_boot from,
		      struct ww_boot to);

/* Drops what happened before t, but runs that go on. */
void ww_deeds_expire(struct ww_deeds *t, struct ww_boot before);
struct ww_boot ww_deeds_blind_until(const struct ww_deeds *t);
uint64_t ww_deeds_dropped(const struct ww_deeds *t);

/* The record of kind "run" or "change". */
void ww_deed_write(const struct ww_deeds *t, const struct ww_deed *d,
		   const struct ww_clock_map *clock, struct ww_jsonw *w);

/* As they stand in records: how a run ended; the member "what" of a change; the members that say
 * how a run stands; why a file is not watched. Texts are static. */
const char *ww_deed_end_name(enum ww_run_end end);
void ww_deed_write_what(uint32_t what, struct ww_jsonw *w);
void ww_deed_write_end(const struct ww_deed *d, struct ww_jsonw *w);
const char *ww_deeds_why(uint64_t why);
