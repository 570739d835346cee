/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shingles: finds copies of prompts in what leaves later, without keeping a word of them.
 *
 * Of a prompt's normal form (action/symbols) the hashes of some runs of symbols are kept, chosen by
 * winnowing (action/winnow; Schleimer, Wilkerson and Aiken, SIGMOD 2003): its shingles. Of a body
 * every hash is looked up, also of what it holds packed (action/forms). So whatever a prompt and a
 * body have in common over WW_SHINGLE_GUARANTEED symbols holds a shingle, and of a copy of the
 * whole prompt every one is found.
 *
 * The hash is keyed: who has no key cannot make the shingles of a guessed text. They live in memory
 * only; what can be recorded of them are two counts and the name of a form.
 *
 * What many texts had stands for none of them: a shingle of WW_SHINGLE_COMMON different texts is
 * common, and counts no more. Of two prompts that have shingles in common, those that are found
 * count only for the one that is there more completely, by an eighth at least: a prompt is no copy
 * of another that came to the same template.
 *
 * A hit needs WW_SHINGLE_ENOUGH of any WW_SHINGLE_STRETCH shingles that follow each other in the
 * prompt, common ones left out; of a short prompt seven eighths of all, WW_SHINGLE_SHARED_MIN at
 * least. So a part of a long prompt is found, and phrases that two long texts have here and there
 * are no copy.
 *
 * Bounded per agent and in all: the oldest goes first, counted. Not thread safe. Pure.
 */
#pragma once

#include <wirewitness/event.h>

#include "action/forms.h"
#include "action/winnow.h"

#define WW_SHINGLE_GUARANTEED (WW_WINNOW_SYMBOLS + WW_WINNOW_WINDOW - 1)
#define WW_SHINGLE_SHARED_MIN 6u
#define WW_SHINGLE_STRETCH    20u
#define WW_SHINGLE_ENOUGH     16u
#define WW_SHINGLE_COMMON     8u

/* Remembered: shingles of one text, of one agent (the root of a process tree), of all. */
#define WW_SHINGLES_TEXT_MAX  8192u
#define WW_SHINGLES_AGENT_MAX 16384u
#define WW_SHINGLES_ALL_MAX   65536u
/* And owners: of one text, of one agent, of all. */
#define WW_SHINGLES_TEXT_OWNERS_MAX  64u
#define WW_SHINGLES_AGENT_OWNERS_MAX 256u
#define WW_SHINGLES_ALL_OWNERS_MAX   4096u

struct ww_shingles;

/* From the 32 bytes of the install's key, which are not kept. 0 or -ENOMEM. */
WW_CHECK int ww_shingles_new(const uint8_t key[32], struct ww_shingles **ret_shingles);
void ww_shingles_free(struct ww_shingles *s);
WW_DEFINE_AUTO(struct ww_shingles, ww_shingles_free)

/*
 * Remembers a prompt for `owner`. The same text again for the same owner changes nothing; an owner
 * may have several texts, a text several owners. *ret_count: its shingles that are not common; 0:
 * it cannot be found again, for there are too few. 0 or -ENOMEM.
 */
WW_CHECK int ww_shingles_add(struct ww_shingles *s, uint64_t owner, struct ww_actor_key root,
			     struct ww_slice text, uint32_t *ret_count);

/* Forgets all that is only its. */
void ww_shingles_forget(struct ww_shingles *s, uint64_t owner);

struct ww_shingle_hit {
	uint64_t owner;
	uint32_t shared, of; /* of the shingles that are not common */
	/*
	 * The form in which most of it is there: "plain", "json", "percent"; or what it is packed
	 * in, the outermost first: "base64", "gzip", "base64+gzip" ...
	 */
	char form[WW_FORM_NAME_MAX];
};

/*
 * Looks for what is remembered in a body, HTTP's content coding already undone. Fills up to `max`
 * hits, the most complete first and of one text the owner remembered last, and returns how many.
 * *ret_partial: not all of it could be looked at: packed too deep or too large, cut off or broken
 * within, no memory.
 */
unsigned ww_shingles_find(struct ww_shingles *s, struct ww_slice body, struct ww_shingle_hit *hits,
			  unsigned max, bool *ret_partial);

/* Whether a text of the owner is remembered, all of it, and would be found now: it was then since
 * it was added. */
bool ww_shingles_whole(const struct ww_shingles *s, uint64_t owner);

struct ww_shingles_stats {
	uint32_t owners, texts, pieces; /* remembered now; a piece is a shingle of a text */
	uint64_t evicted; /* owners whose text went for that of another, by any ceiling */
	uint64_t cut;     /* texts of which only the first WW_SHINGLES_TEXT_MAX are remembered */
};

void ww_shingles_stats(const struct ww_shingles *s, struct ww_shingles_stats *ret_stats);
