/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/wording.h"

#include <errno.h>

#include "base/json.h"

#define WORD_(word, member, meaning) {word, member, meaning},

static const struct word {
	const char *word, *member, *meaning;
} words[] = {WW_WORDING(WORD_)};

#define PROVEN \
	0 /* the first of the table: never allowed without its member, not even in a sentence */

static const char *const limits[] = {
	"Protects recorded evidence against later change by anyone without the ledger's key, and "
	"against everyone once a checkpoint has left the host.",
	"Does not stop root on the host from withholding or inventing events before they are "
	"recorded.",
	"Says nothing about what happened behind the first TLS endpoint.",
	"A missing observation is evidence only where the coverage section says that all was seen.",
	"The set of report files is not authenticated; the index range and the tree size are.",
};

void ww_wording_write(struct ww_jsonw *w)
{
	ww_jsonw_object(w, "wording");
	for (size_t i = 0; i < WW_ARRAY_SIZE(words); i++)
		ww_jsonw_cstr(w, words[i].word, words[i].meaning);
	ww_jsonw_end_object(w);
	ww_jsonw_array(w, "limits");
	for (size_t i = 0; i < WW_ARRAY_SIZE(limits); i++)
		ww_jsonw_cstr(w, NULL, limits[i]);
	ww_jsonw_end_array(w);
}

static bool letter(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Whether the text holds the word, case aside, not as part of a longer one. */
static bool holds_word(struct ww_slice text, const char *word)
{
	size_t n = strlen(word);

	for (size_t at = 0; at + n <= text.n; at++)
		if (ww_slice_ieq_str(ww_slice_sub(text, at, n), word) &&
		    (at == 0 || !letter(text.p[at - 1])) &&
		    (at + n == text.n || !letter(text.p[at + n])))
			return true;
	return false;
}

/* Bits of the words that a string value uses. */
static unsigned words_in(struct ww_slice text)
{
	unsigned used = 0;

	for (size_t i = 0; i < WW_ARRAY_SIZE(words); i++)
		if (words[i].member && (i == PROVEN ? holds_word(text, words[i].word)
						    : ww_slice_ieq_str(text, words[i].word)))
			used |= 1u << i;
	return used;
}

static unsigned backed_by(const struct ww_json_token *key)
{
	unsigned backed = 0;

	for (size_t i = 0; i < WW_ARRAY_SIZE(words); i++)
		if (words[i].member && ww_json_is(key, words[i].member))
			backed |= 1u << i;
	return backed;
}

/* The objects open around the current token. */
struct nest {
	unsigned used[WW_JSON_DEPTH_MAX + 1], backed[WW_JSON_DEPTH_MAX + 1];
	size_t n;
};

/* What others said or named, given as a quotation, is not the report's word. */
static bool is_quoted(const struct ww_json_token *key)
{
	return ww_json_is(key, "quoted") || ww_json_is(key, "path");
}

static int string_value(struct nest *nest, const struct ww_json_token *t, struct ww_buf *scratch)
{
	int r;

	ww_buf_clear(scratch);
	r = ww_json_unescape(t, scratch);
	if (r == 0)
		nest->used[nest->n] |= words_in(ww_buf_slice(scratch));
	return r;
}

static int token(struct nest *nest, const struct ww_json_token *t, struct ww_buf *scratch,
		 const char *what, struct ww_errtext *why)
{
	unsigned bare;

	switch (t->type) {
	case WW_JSON_OBJECT:
		nest->n++;
		nest->used[nest->n] = nest->backed[nest->n] = 0;
		return 0;
	case WW_JSON_KEY:
		nest->backed[nest->n] |= backed_by(t);
		return 0;
	case WW_JSON_STRING:
		return string_value(nest, t, scratch);
	case WW_JSON_END_OBJECT:
		bare = nest->used[nest->n] & ~nest->backed[nest->n];
		nest->n--;
		if (bare)
			return ww_errtext_set(why, -EINVAL, "%s says \"%s\" without \"%s\"", what,
					      words[__builtin_ctz(bare)].word,
					      words[__builtin_ctz(bare)].member);
		return 0;
	default:
		return 0;
	}
}

int ww_wording_check(struct ww_slice json, const char *what, struct ww_errtext *why)
{
	WW_AUTO_BUF struct ww_buf scratch = {0};
	struct nest nest = {0};
	struct ww_json_token t;
	struct ww_json j;
	enum ww_parse got;
	int r = 0;

	ww_buf_init(&scratch, json.n);
	ww_json_init(&j, json);
	while ((got = ww_json_next(&j, &t)) == WW_PARSE_DONE && r == 0) {
		if (t.type == WW_JSON_KEY && is_quoted(&t))
			got = ww_json_skip(&j, &t);
		else
			r = token(&nest, &t, &scratch, what, why);
		if (got != WW_PARSE_DONE)
			break;
	}
	if (r < 0)
		return r;
	if (got != WW_PARSE_END)
		return ww_errtext_set(why, -EINVAL, "%s is not JSON", what);
	if (nest.used[0])
		return ww_errtext_set(why, -EINVAL, "%s uses a word that needs backing", what);
	return 0;
}
