/* SPDX-License-Identifier: Apache-2.0 */
/*
 * changes: who changes the files that contracts declare, by fanotify marks on the directories that
 * they can be in. Processes that never touch such a directory pay nothing. What a process outside
 * of the scopes does there is forgotten when it is read; only that somebody did remains
 * (ww_event_change).
 *
 * Numbered invariants:
 *  1. A queued event carries no time. It happened after the queue was last seen empty and before
 *     it was read: both bounds go into the event.
 *  2. Nobody is named before every process event up to the reading was delivered: a writer that
 *     was born and has ended since is known.
 *  3. A template is whole only while every directory that its files can be in has a mark. When one
 *     comes or goes, all are looked for again, and until they have their marks it is not whole.
 *  4. What the kernel dropped (FAN_Q_OVERFLOW) is a loss of every template.
 *  5. A declared file that is a symbolic link, or has more than one name, can be changed by a name
 *     that is not watched: the template is not whole.
 *
 * Not seen: a hard link that is made, written through and removed between two looks
 * (ww_changes_look); writes from other hosts to a network file system. Single-threaded.
 */
#pragma once

#include <wirewitness/event.h>

#include "base/own.h"
#include "policy/contract.h"

/* Directories that are watched, of all templates together, and files in them: each is looked at
 * twice a second for other names, 10 to 20 ms in all. */
#define WW_CHANGES_DIRS_MAX  4096u
#define WW_CHANGES_FILES_MAX 16384u

typedef void (*ww_changes_fn)(void *ctx, const struct ww_event *ev);

struct ww_changes;

/* The templates of `contracts` are borrowed. *ret_changes is NULL where they declare no files. 0 or
 * -ENOMEM: what else is missing is told as a reason by ww_changes_start. */
WW_CHECK int ww_changes_new(const struct ww_contracts *contracts, struct ww_changes **ret_changes);
void ww_changes_free(struct ww_changes *c);
WW_DEFINE_AUTO(struct ww_changes, ww_changes_free)

/* Sets the marks; fn hears of each template whether it is watched (WW_COVERAGE_FILES). */
void ww_changes_start(struct ww_changes *c, ww_changes_fn fn, void *ctx);

/* Any event from the rings or about scopes: it learns which processes are watched, and tells where
 * one sees other folders under a declared path. */
void ww_changes_note(struct ww_changes *c, const struct ww_event *ev, ww_changes_fn fn, void *ctx);

/* Takes what the kernel has queued, without naming anybody. Returns the time up to which all is
 * taken. */
uint64_t ww_changes_read(struct ww_changes *c);

/* When the rings were delivered up to `horizon`: delivers what was read before that. True: nothing
 * is left over. */
bool ww_changes_deliver(struct ww_changes *c, uint64_t horizon, ww_changes_fn fn, void *ctx);

/* From time to time: whether the declared paths still lead to the watched directories, and whether
 * a file in them has another name by now. */
void ww_changes_look(struct ww_changes *c, ww_changes_fn fn, void *ctx);

struct ww_changes_template {
	const char *template; /* borrowed */
	bool whole;
	enum ww_files_why why;
	unsigned dirs;
};

struct ww_changes_stats {
	uint64_t events;  /* read from the kernel */
	uint64_t told;    /* of declared files, by watched processes */
	uint64_t outside; /* of declared files, by others */
	uint64_t overflows;
	unsigned dirs;
};

unsigned ww_changes_templates(const struct ww_changes *c, struct ww_changes_template *ret,
			      unsigned max);
struct ww_changes_stats ww_changes_stats(const struct ww_changes *c);
