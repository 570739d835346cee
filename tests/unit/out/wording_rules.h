/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must not be said of where prompts went. One sentence (or pattern of out/template.h) at a
 * time; case aside, whole words:
 *   - never: that something is compliant, stayed or remained somewhere, is guaranteed, certified;
 *     that somebody or something is located, hosted or resides somewhere
 *   - "proven", "proves": only beside a proof
 *   - "excluded": only beside the hard bound (or, of deeds, the closed world)
 *   - a place (a region's or home's word, or a field that holds one): only beside how it is known:
 *     listed, claimed, declared, measured
 *   - a bound of TCP's round trip: only with what it rests on, that the peer's TCP is honest
 */
#pragma once

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/own.h"

/* Whether the text holds the word, case aside, not as a part of a longer one; one that ends with
 * '*' may go on. */
static inline bool holds(const char *text, const char *word)
{
	size_t n = strlen(word);
	bool open = word[n - 1] == '*';

	n -= open;
	for (const char *p = text; *p; p++) {
		if (strncasecmp(p, word, n) != 0 || (p > text && isalnum((unsigned char)p[-1])))
			continue;
		if (open || !isalnum((unsigned char)p[n]))
			return true;
	}
	return false;
}

static inline bool holds_any(const char *text, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (holds(text, words[i]))
			return true;
	return false;
}

#define HOLDS_ANY(text, words) holds_any(text, words, WW_ARRAY_SIZE(words))

/* Fields of patterns that hold the word of a place. */
static inline bool has_place_field(const char *text)
{
	static const char *const ends[] = {"region",   "home",          "says",
					   "excluded", "labels.region", "zone"};

	for (const char *p = strchr(text, '{'); p; p = strchr(p + 1, '{')) {
		size_t n = strcspn(p + 1, "}");

		for (const char *at = p + 1; at < p + 1 + n;) {
			size_t part = strcspn(at, "|+:~}");

			for (size_t i = 0; i < WW_ARRAY_SIZE(ends); i++) {
				size_t k = strlen(ends[i]);

				if (part >= k && memcmp(at + part - k, ends[i], k) == 0 &&
				    (part == k || at[part - k - 1] == '.' || strchr("@&!?", at[0])))
					return true;
			}
			at += part + 1;
		}
	}
	return false;
}

/* Words of places that the samples use. */
static inline bool has_place_word(const char *text)
{
	static const char *const places[] = {
		"us-east-1", "us-west-2", "eu-west-1",        "eu-central-1", "ap-southeast-1",
		"FRA",       "SIN",       "Frankfurt",        "Singapore",    "Germany",
		"Ireland",   "the EU",    "North Central US",
	};

	return HOLDS_ANY(text, places);
}

/* What is wrong with the sentence, or NULL. */
static inline const char *wording_breaks(const char *text)
{
	static const char *const never[] = {
		"complian*",    "stayed in", "remained in", "never left",   "guarantee*",
		"certified",    "certifies", "trustworthy", "tamper-proof", "located",
		"is hosted in", "resides",   "residency",   "safely",
	};
	static const char *const proven[] = {"proven", "proves", "prove", "proved"};
	static const char *const proofs[] = {"proof", "proofs", "signature"};
	static const char *const bounds[] = {"hard bound", "closed world", "closed-world",
					     "excludes nothing", "nothing is excluded"};
	static const char *const known[] = {"listed",   "lists",    "list",      "claimed",
					    "claim",    "claims",   "declared",  "declare",
					    "declares", "measured", "hard bound"};

	if (HOLDS_ANY(text, never))
		return "a word that is never said";
	if (HOLDS_ANY(text, proven) && !HOLDS_ANY(text, proofs))
		return "\"proven\" without a proof";
	if ((holds(text, "excluded") || holds(text, "excludes")) && !HOLDS_ANY(text, bounds))
		return "\"excluded\" without the hard bound";
	if ((has_place_field(text) || has_place_word(text)) && !HOLDS_ANY(text, known))
		return "a place without how it is known";
	if (holds(text, "answered TCP") && !holds(text, "unless its TCP"))
		return "a bound of TCP without what it rests on";
	return NULL;
}
