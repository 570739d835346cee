/* SPDX-License-Identifier: Apache-2.0 */
/*
 * phrase: claims in prose. Finds by the rules of a pack (policy/phrases.h) what an assistant's text
 * says was done, will be done or was checked.
 *
 * The text is cut into sentences: at full stops, question and exclamation marks, semicolons and
 * line ends that end a paragraph, a list item or a sentence. A sentence is lower case, its quotes
 * and dashes are ASCII, marks of emphasis are gone, blanks are single. What the writer does not
 * say itself is left out: code, block quotes, headings, table rows, open items of a list of tasks;
 * quoted text is replaced by one '#'.
 *
 * A claim is no understanding of prose: it is a rule that matched and no guard that did. Words
 * leave this module as rule, offsets and keyed digest only.
 *
 * Bounded: WW_PROSE_BYTES_MAX of text, WW_SENTENCE_BYTES_MAX of a sentence, and per text
 * WW_PHRASE_MATCHES_MAX matches with a limit of steps, depth and heap each. What is beyond is not
 * looked at, and the result says so. Time and memory are linear in the text.
 *
 * Pure, not thread safe.
 */
#pragma once

#include "base/digest.h"
#include "base/json_write.h"
#include "policy/phrases.h"

#define WW_PROSE_BYTES_MAX    (64u << 10) /* of one answer: more than models write at once */
#define WW_SENTENCE_BYTES_MAX 512u
#define WW_PHRASE_MATCHES_MAX 1024u
#define WW_PHRASES_SAID_MAX   16u /* of one text */

struct ww_phrase_said {
	uint8_t kind; /* enum ww_phrase_kind */
	uint8_t topic;
	uint16_t rule; /* index in the pack */
	uint32_t from; /* bytes of the text, as decoded */
	uint32_t bytes;
	struct ww_sha256 digest; /* keyed, of these bytes */
};

/* The first claim of every kind and topic, in the text's order. */
struct ww_phrases_said {
	unsigned count;
	bool over; /* text, sentences or matches beyond a ceiling: there may be more */
	struct ww_phrase_said items[WW_PHRASES_SAID_MAX];
};

struct ww_phrase_scanner;

/* `phrases` is bound, borrowed, outlives the scanner. 0 or -ENOMEM. */
WW_CHECK int ww_phrase_scanner_new(const struct ww_phrases *phrases,
				   struct ww_phrase_scanner **ret_scanner);
void ww_phrase_scanner_free(struct ww_phrase_scanner *s);
WW_DEFINE_AUTO(struct ww_phrase_scanner, ww_phrase_scanner_free)

const struct ww_phrases *ww_phrase_scanner_pack(const struct ww_phrase_scanner *s);

/*
 * Adds what `text` claims to *said, which begins zeroed; `kinds` is the bit set of kinds that are
 * looked for.
 */
void ww_phrase_scan(struct ww_phrase_scanner *s, struct ww_slice text, unsigned kinds,
		    const struct ww_digest_key *key, struct ww_phrases_said *said);

/* As an object of a record: rule, kind, topic, place and digest, no words; `exchange` is the
 * text's, NULL where the record says it. */
void ww_phrase_said_write(const struct ww_phrases *p, const struct ww_phrase_said *s,
			  const char *exchange, struct ww_jsonw *w);
