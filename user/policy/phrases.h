/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy: phrase rules: by which words an assistant's text claims that something was done, will be
 * done, or was checked. A pack is one YAML file; the product has one for English, a user's file
 * adds to it. docs/agents.md says how to write rules.
 *
 * A rule belongs to a topic ("refund"). Topics are about tools: those that the pack lists, those
 * whose contract lists the topic, and, where a contract lists none, a tool that changes something
 * is of the first topic that knows a word of its name. Rules of a topic without a tool are not run.
 *
 * Patterns are PCRE2's, matched byte by byte over one sentence as the scanner of action/phrase.h
 * makes it: lower case, straight quotes, single blanks. They are compiled on load without JIT (the
 * daemon may not make memory executable, and its limits count otherwise).
 *
 * Read only after binding; may be shared by threads.
 */
#pragma once

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "policy/contract.h"

#define WW_PHRASE_TOPICS_MAX     64u /* a bit of a mask each */
#define WW_PHRASE_WORDS_MAX      64u /* of one topic */
#define WW_PHRASE_RULES_MAX      512u
#define WW_PHRASE_GUARDS_MAX     64u
#define WW_PHRASE_PARTS_MAX      64u
#define WW_PHRASE_TEXT_BYTES     2048u  /* one value in the file */
#define WW_PHRASE_PATTERN_BYTES  16384u /* one pattern with its parts put in */
#define WW_PHRASE_NAME_BYTES     48u    /* an id or a topic's name, with its end */
#define WW_PHRASE_FILE_BYTES     (256u << 10)
#define WW_PHRASE_WORD_SLOTS     1024u /* of the table by which words find their topics */
#define WW_PHRASE_CONTRACT_WORDS (WW_CONTRACTS_MAX / 64)

/* X(enum suffix, number, text in the file, meaning) */
#define WW_PHRASE_KINDS(X)                                          \
	X(DONE, 0, "done", "the writer says that it was done")      \
	X(WILL, 1, "will", "the writer says that it is to be done") \
	X(CONTROL, 2, "control", "the writer says that it was checked")

#define WW_PHRASE_KIND_ENUM_(n, v, t, d) WW_PHRASE_##n = (v),
enum ww_phrase_kind { WW_PHRASE_KINDS(WW_PHRASE_KIND_ENUM_) WW_PHRASE_KIND_MAX };

/* What a guard looks at. X as above */
#define WW_PHRASE_PLACES(X)                                    \
	X(ALL, 0, "all", "the whole sentence")                 \
	X(BEFORE, 1, "before", "what stands before the claim") \
	X(AFTER, 2, "after", "what stands after it")           \
	X(ABOVE, 3, "above", "the text before the sentence, as it is written")

#define WW_PHRASE_PLACE_ENUM_(n, v, t, d) WW_PHRASE_##n = (v),
enum ww_phrase_place { WW_PHRASE_PLACES(WW_PHRASE_PLACE_ENUM_) WW_PHRASE_PLACE_MAX };

struct ww_phrase_topic {
	char *name;
	unsigned word_count;
	char **words; /* a sentence without a word that begins like one of these is not matched */
	unsigned name_count;
	char **names; /* begins of words in names of tools */
	unsigned tool_count;
	char **tools;
	uint64_t contracts[WW_PHRASE_CONTRACT_WORDS]; /* its tools, by index of the contract */
};

struct ww_phrase_rule {
	char *id;
	enum ww_phrase_kind kind;
	unsigned topic;
	char *pattern;
	char *lead; /* what must stand before it, NULL: anything */
	pcre2_code *code;
	pcre2_code *lead_code;
};

/* A claim in a sentence that a guard of its kind matches is none. */
struct ww_phrase_guard {
	char *id;
	unsigned kinds; /* bit set */
	enum ww_phrase_place place;
	char *pattern;
	pcre2_code *code;
};

struct ww_phrase_part {
	char *name;
	char *pattern;
};

struct ww_phrases {
	unsigned topic_count;
	struct ww_phrase_topic *topics;
	unsigned rule_count;
	struct ww_phrase_rule *rules; /* by topic, then in the files' order */
	unsigned guard_count;
	struct ww_phrase_guard *guards;
	unsigned part_count;
	struct ww_phrase_part *parts;
	struct ww_sha256 digest; /* plain, of the file's bytes; with a user's of both digests */
	uint64_t bound;          /* mask of topics whose rules are run */
	uint64_t ruled[WW_PHRASE_KIND_MAX];   /* mask of topics that have rules of the kind */
	const struct ww_contracts *contracts; /* it is bound to */
	uint64_t *tool_topics;                /* mask of topics per contract */
	uint64_t slots[WW_PHRASE_WORD_SLOTS]; /* topics by the hash of a word's begin */
	uint8_t endings[26][26];              /* bit set of kinds by a word's last two letters */
	unsigned cued;                        /* kinds with cues: others need none */
};

/* The product's pack, as in user/policy/phrases.yaml. */
struct ww_slice ww_phrases_default(void);

/*
 * Parses a pack, and a user's beside it (empty: none). *ret_error is of the user's file when it was
 * given, else of the first. 0; -EINVAL or -EFBIG with *ret_error filled; -ENOMEM. *ret_phrases is
 * unchanged on failure; else the caller frees it.
 */
WW_CHECK int ww_phrases_parse(struct ww_slice pack, struct ww_slice users,
			      struct ww_phrases **ret_phrases, struct ww_contract_error *ret_error);
void ww_phrases_free(struct ww_phrases *p);
/* What one element owns; it is zero then. */
void ww_phrases_free_topic(struct ww_phrase_topic *t);
void ww_phrases_free_rule(struct ww_phrase_rule *r);
void ww_phrases_free_guard(struct ww_phrase_guard *g);
WW_DEFINE_AUTO(struct ww_phrases, ww_phrases_free)

/* Finds the tools of every topic; the contracts outlive the pack. Until then no rule is run. 0 or
 * -ENOMEM. */
WW_CHECK int ww_phrases_bind(struct ww_phrases *p, const struct ww_contracts *contracts);

/* The topics of a tool; 0 for one that no contract declares. */
uint64_t ww_phrases_topics_of(const struct ww_phrases *p, const char *tool);

/* Whether the tool of contract `index` is one of the topic's. */
static inline bool ww_phrase_topic_has(const struct ww_phrase_topic *t, int index)
{
	return index >= 0 && index < (int)WW_CONTRACTS_MAX &&
	       t->contracts[index / 64] & (1ull << (index % 64));
}

/* The slot of a word that begins with these three lower-case letters. */
static inline unsigned ww_phrase_slot(uint8_t a, uint8_t b, uint8_t c)
{
	return (a * 289u ^ b * 17u ^ c * 97u) % WW_PHRASE_WORD_SLOTS;
}

/* "done", ...; "unknown" for other numbers. */
const char *ww_phrase_kind_name(enum ww_phrase_kind k);
