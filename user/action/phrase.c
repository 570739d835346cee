/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sentence is built byte by byte in the scanner, with the offset in the text of each byte; words
 * set the bits of the topics that know them while they are written. Rules run at a sentence's end,
 * and only those of its topics.
 */
#include "action/phrase.h"

#include <errno.h>
#include <string.h>

#define MATCH_STEPS_MAX 10000u
#define MATCH_DEPTH_MAX 250u
#define MATCH_HEAP_KIB  256u
#define QUOTE_BYTES_MAX 400u  /* what is longer is no quotation */
#define ABOVE_BYTES_MAX 4096u /* of the text before a sentence */
#define MARK_DIGITS_MAX 3u    /* of a list item's number */

struct ww_phrase_scanner {
	const struct ww_phrases *phrases;
	pcre2_match_data *data;
	pcre2_match_context *ctx;
	uint8_t line[WW_SENTENCE_BYTES_MAX];
	uint32_t at[WW_SENTENCE_BYTES_MAX + 1];
};

struct scan {
	struct ww_phrase_scanner *s;
	struct ww_slice text;
	struct ww_phrases_said *said;
	const struct ww_digest_key *key;
	unsigned kinds;
	unsigned matches;
	uint64_t topics;                    /* that the sentence's words know */
	unsigned cues;                      /* kinds that its words' endings allow */
	uint64_t taken[WW_PHRASE_KIND_MAX]; /* topics that have their claim */
	unsigned n;                         /* bytes of the sentence */
	unsigned word;                      /* letters of the word that is being written */
	bool ended;                         /* it ended with a mark */
};

int ww_phrase_scanner_new(const struct ww_phrases *phrases, struct ww_phrase_scanner **ret_scanner)
{
	WW_AUTO(ww_phrase_scanner_free_auto) struct ww_phrase_scanner *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->phrases = phrases;
	s->data = pcre2_match_data_create(1, NULL);
	s->ctx = pcre2_match_context_create(NULL);
	if (!s->data || !s->ctx)
		return -ENOMEM;
	pcre2_set_match_limit(s->ctx, MATCH_STEPS_MAX);
	pcre2_set_depth_limit(s->ctx, MATCH_DEPTH_MAX);
	pcre2_set_heap_limit(s->ctx, MATCH_HEAP_KIB);
	*ret_scanner = WW_TAKE(s);
	return 0;
}

void ww_phrase_scanner_free(struct ww_phrase_scanner *s)
{
	if (!s)
		return;
	pcre2_match_data_free(s->data);
	pcre2_match_context_free(s->ctx);
	free(s);
}

const struct ww_phrases *ww_phrase_scanner_pack(const struct ww_phrase_scanner *s)
{
	return s->phrases;
}

/* --- rules --------------------------------------------------------------------------------------
 */

enum answer { NO, YES, UNKNOWN };

/* Where it matched goes to the scanner's data. */
static enum answer match(struct scan *c, const pcre2_code *code, struct ww_slice in, size_t at)
{
	int r;

	if (c->matches < WW_PHRASE_MATCHES_MAX) {
		c->matches++;
		r = pcre2_match(code, in.p, in.n, at, 0, c->s->data, c->s->ctx);
		if (r >= 0 || r == PCRE2_ERROR_NOMATCH)
			return r >= 0 ? YES : NO;
	}
	c->said->over = true;
	return UNKNOWN;
}

/* What stands before the sentence, its end. */
static struct ww_slice above(const struct scan *c)
{
	size_t n = c->s->at[0], from = n > ABOVE_BYTES_MAX ? n - ABOVE_BYTES_MAX : 0;

	return ww_slice_sub(c->text, from, n - from);
}

static bool guarded(struct scan *c, enum ww_phrase_kind kind, size_t from, size_t to)
{
	const struct ww_phrases *p = c->s->phrases;
	struct ww_slice all = ww_slice(c->s->line, c->n);
	const struct ww_slice places[WW_PHRASE_PLACE_MAX] = {
		[WW_PHRASE_ALL] = all,
		[WW_PHRASE_BEFORE] = ww_slice_sub(all, 0, from),
		[WW_PHRASE_AFTER] = ww_slice_sub(all, to, SIZE_MAX),
		[WW_PHRASE_ABOVE] = above(c),
	};

	for (unsigned i = 0; i < p->guard_count; i++) {
		const struct ww_phrase_guard *g = &p->guards[i];

		/* One that did not get to its end might have matched. */
		if (g->kinds & (1u << kind) && match(c, g->code, places[g->place], 0) != NO)
			return true;
	}
	return false;
}

static void claim(struct scan *c, unsigned rule, size_t from, size_t to)
{
	const struct ww_phrase_rule *r = &c->s->phrases->rules[rule];
	struct ww_phrases_said *said = c->said;
	struct ww_phrase_said *s;

	if (said->count == WW_PHRASES_SAID_MAX) {
		said->over = true;
		return;
	}
	c->taken[r->kind] |= 1ull << r->topic;
	s = &said->items[said->count++];
	s->kind = (uint8_t)r->kind;
	s->topic = (uint8_t)r->topic;
	s->rule = (uint16_t)rule;
	s->from = c->s->at[from];
	s->bytes = c->s->at[to] - s->from;
	ww_digest(c->key, ww_slice_sub(c->text, s->from, s->bytes), &s->digest);
}

/* The first place where the rule's pattern follows its lead; the claim begins with the lead. */
static bool find(struct scan *c, const struct ww_phrase_rule *r, size_t *ret_from, size_t *ret_to)
{
	const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(c->s->data);
	size_t at = 0, from, to;

	while (match(c, r->code, ww_slice(c->s->line, c->n), at) == YES) {
		from = ends[0];
		to = ends[1];
		/* \K can turn them round, and a pattern may match nothing. */
		if (from >= to || from < at)
			return false;
		at = from + 1;
		if (r->lead_code && match(c, r->lead_code, ww_slice(c->s->line, from), 0) != YES)
			continue;
		*ret_from = r->lead_code && ends[0] < from ? ends[0] : from;
		*ret_to = to;
		return true;
	}
	return false;
}

static void apply_rules(struct scan *c)
{
	const struct ww_phrases *p = c->s->phrases;

	for (unsigned i = 0; i < p->rule_count; i++) {
		const struct ww_phrase_rule *r = &p->rules[i];
		uint64_t topic = 1ull << r->topic;
		size_t from, to;

		if (c->topics & topic && c->cues & (1u << r->kind) &&
		    !(c->taken[r->kind] & topic) && find(c, r, &from, &to) &&
		    !guarded(c, r->kind, from, to))
			claim(c, i, from, to);
	}
}

/* --- sentences ----------------------------------------------------------------------------------
 */

/* Topics of the sentence that may still get a claim of a kind that it may make. */
static uint64_t open_topics(const struct scan *c)
{
	uint64_t open = 0;

	for (unsigned k = 0; k < WW_PHRASE_KIND_MAX; k++)
		open |= c->cues & (1u << k) ? c->topics & c->s->phrases->ruled[k] & ~c->taken[k]
					    : 0;
	return open;
}

/* What was written last ends a word, if it is one. */
static void end_word(struct scan *c)
{
	const uint8_t *w = c->s->line + c->n;

	if (c->word >= 2)
		c->cues |= c->s->phrases->endings[w[-2] - 'a'][w[-1] - 'a'];
	c->word = 0;
}

static void end_sentence(struct scan *c, size_t at)
{
	end_word(c);
	c->topics &= c->s->phrases->bound;
	c->cues = (c->cues | ~c->s->phrases->cued) & c->kinds;
	if (c->n && open_topics(c)) {
		c->s->at[c->n] = (uint32_t)at;
		apply_rules(c);
	}
	c->n = 0;
	c->word = 0;
	c->topics = 0;
	c->cues = 0;
	c->ended = false;
}

static void put(struct scan *c, uint8_t b, size_t at)
{
	struct ww_phrase_scanner *s = c->s;

	if (c->n == WW_SENTENCE_BYTES_MAX) {
		c->said->over |= c->topics & s->phrases->bound; /* what is cut off would be of it */
		return;
	}
	s->line[c->n] = b;
	s->at[c->n++] = (uint32_t)at;
	if (b < 'a' || b > 'z') {
		c->n--;
		end_word(c);
		c->n++;
		return;
	}
	if (++c->word == 3) {
		const uint8_t *w = &s->line[c->n - 3];

		c->topics |= s->phrases->slots[ww_phrase_slot(w[0], w[1], w[2])];
	}
}

static void put_blank(struct scan *c, size_t at)
{
	if (c->n && c->s->line[c->n - 1] != ' ')
		put(c, ' ', at);
}

/* Whether "." ends an abbreviation, such as "e.g." and "no.". */
static bool abbreviates(const struct scan *c)
{
	static const char *const words[] = {"e.g", "i.e", "no", "mr",  "mrs",   "ms",
					    "dr",  "vs",  "st", "inc", "approx"};
	struct ww_slice s = ww_slice(c->s->line, c->n);
	size_t from = s.n;

	while (from > 0 && s.p[from - 1] != ' ')
		from--;
	s = ww_slice_sub(s, from, SIZE_MAX);
	for (unsigned i = 0; i < WW_ARRAY_SIZE(words); i++) {
		if (ww_slice_eq_str(s, words[i]))
			return true;
	}
	return false;
}

static bool closes(uint8_t b)
{
	return b == '*' || b == '_' || b == ')' || b == '"' || b == '\'';
}

/* A mark ends a sentence before a blank or the line's end; "12.5" and "a.b" go on. */
static void put_mark(struct scan *c, struct ww_slice line, size_t i, size_t base)
{
	uint8_t b = line.p[i];
	size_t next = i + 1;

	put(c, b, base + i);
	while (next < line.n && closes(line.p[next]))
		next++;
	if (next < line.n && line.p[next] != ' ' && line.p[next] != '\t')
		return;
	if (b == '.' && c->n > 0) {
		c->n--; /* the word before it */
		if (abbreviates(c)) {
			c->n++;
			return;
		}
		c->n++;
	}
	c->ended = true;
}

/* The end of a quotation that begins with `open` at i: behind its closing mark, or 0. */
static size_t quoted(struct ww_slice line, size_t i, const char *close)
{
	size_t n = strlen(close),
	       last = line.n < i + QUOTE_BYTES_MAX ? line.n : i + QUOTE_BYTES_MAX;
	const uint8_t *found;

	if (last <= i)
		return 0;
	found = memmem(line.p + i, last - i, close, n);
	return found ? (size_t)(found - line.p) + n : 0;
}

static bool is_letter(uint8_t b)
{
	return (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z');
}

/* 'quoted', and not the apostrophe of "it's". */
static size_t single_quoted(const struct scan *c, struct ww_slice line, size_t i)
{
	if (c->n && c->s->line[c->n - 1] != ' ' && c->s->line[c->n - 1] != '(')
		return 0;
	for (size_t k = i + 1; k < line.n && k < i + QUOTE_BYTES_MAX; k++) {
		if (line.p[k] == '\'' && k > i + 1 &&
		    (k + 1 == line.n || !is_letter(line.p[k + 1])))
			return k + 1;
	}
	return 0;
}

struct glyph {
	const char *utf8;
	uint8_t as;        /* written as; 0: nothing */
	const char *close; /* of a quotation, NULL: none */
};

static const struct glyph glyphs[] = {
	{"\xe2\x80\x98", '\'', "\xe2\x80\x99"}, /* single quotation marks */
	{"\xe2\x80\x99", '\'', NULL},           /* also the apostrophe */
	{"\xe2\x80\x9c", 0, "\xe2\x80\x9d"},    /* double */
	{"\xe2\x80\x9e", 0, "\xe2\x80\x9c"},
	{"\xc2\xab", 0, "\xc2\xbb"}, /* angle */
	{"\xe2\x80\x93", '-', NULL},
	{"\xe2\x80\x94", '-', NULL},
	{"\xe2\x80\xa6", '.', NULL}, /* ellipsis */
	{"\xc2\xa0", ' ', NULL},     /* blanks that do not break, or have no width */
	{"\xe2\x80\xaf", ' ', NULL},
	{"\xe2\x80\x8b", 0, NULL},
	{"\xef\xb8\x8f", 0, NULL}, /* variation selector of an emoji */
};

static size_t utf8_length(uint8_t b)
{
	return b >= 0xf0 ? 4 : b >= 0xe0 ? 3 : b >= 0xc0 ? 2 : 1;
}

/* Pictures: the supplementary planes and the symbols U+2600 to U+27BF. */
static bool picture(struct ww_slice s)
{
	return s.p[0] >= 0xf0 || (s.n == 3 && s.p[0] == 0xe2 && s.p[1] >= 0x98 && s.p[1] <= 0x9e);
}

/* A character that is not ASCII; returns where the next one begins. */
static size_t put_wide(struct scan *c, struct ww_slice line, size_t i, size_t base)
{
	struct ww_slice s = ww_slice_sub(line, i, utf8_length(line.p[i]));

	for (unsigned k = 0; k < WW_ARRAY_SIZE(glyphs); k++) {
		const struct glyph *g = &glyphs[k];
		size_t end;

		if (!ww_slice_eq_str(s, g->utf8))
			continue;
		end = g->close ? quoted(line, i + s.n, g->close) : 0;
		/* A single mark that is followed by a letter is an apostrophe, no end. */
		if (end && !(g->as && end < line.n && is_letter(line.p[end]))) {
			put(c, '#', base + i);
			return end;
		}
		if (g->as == ' ')
			put_blank(c, base + i);
		else if (g->as)
			put(c, g->as, base + i);
		return i + s.n;
	}
	if (picture(s))
		return i + s.n;
	for (size_t k = 0; k < s.n; k++)
		put(c, s.p[k], base + i + k);
	return i + s.n;
}

/* What is not a plain letter or digit; returns where the next character begins. */
static size_t put_special(struct scan *c, struct ww_slice line, size_t i, size_t base)
{
	uint8_t b = line.p[i];
	size_t end = 0;

	switch (b) {
	case '.':
	case '!':
	case '?':
	case ';':
		put_mark(c, line, i, base);
		return i + 1;
	case '*':
		return i + 1;
	case '_':
		/* Emphasis stands at a word's edge, snake_case does not. */
		if (i > 0 && i + 1 < line.n && is_letter(line.p[i - 1]) && is_letter(line.p[i + 1]))
			put(c, b, base + i);
		return i + 1;
	case '`':
		end = quoted(line, i + 1, "`");
		break;
	case '"':
		end = quoted(line, i + 1, "\"");
		break;
	case '\'':
		end = single_quoted(c, line, i);
		break;
	case ' ':
	case '\t':
	case '\r':
		put_blank(c, base + i);
		return i + 1;
	default:
		break;
	}
	put(c, end ? '#' : b, base + i);
	return end ? end : i + 1;
}

/* The letters that begin at i: most of a text. Returns where they end. */
static size_t put_word(struct scan *c, struct ww_slice line, size_t i, size_t base)
{
	struct ww_phrase_scanner *s = c->s;
	size_t room = WW_SENTENCE_BYTES_MAX - c->n, end = line.n - i > room ? i + room : line.n;
	unsigned n = c->n, word = c->word;

	if (i == end) {
		put(c, line.p[i] | 0x20, base + i); /* full */
		return i + 1;
	}
	for (; i < end && is_letter(line.p[i]); i++, n++, word++) {
		s->line[n] = line.p[i] | 0x20;
		s->at[n] = (uint32_t)(base + i);
	}
	if (word >= 3 && c->word < 3) {
		const uint8_t *w = &s->line[n - word];

		c->topics |= s->phrases->slots[ww_phrase_slot(w[0], w[1], w[2])];
	}
	c->n = n;
	c->word = word;
	return i;
}

static void put_line(struct scan *c, struct ww_slice line, size_t base)
{
	size_t i = 0;

	while (i < line.n) {
		uint8_t b = line.p[i];

		if (c->ended)
			end_sentence(c, base + i);
		if (is_letter(b))
			i = put_word(c, line, i, base);
		else if (b >= 0x80)
			i = put_wide(c, line, i, base);
		else
			i = put_special(c, line, i, base);
	}
	if (c->ended)
		end_sentence(c, base + i);
	else
		put_blank(c, base + i);
}

/* --- lines --------------------------------------------------------------------------------------
 */

/* How long the mark of a list item is, with its blank: "- ", "12. ". 0: none. */
static size_t item_mark(struct ww_slice s)
{
	size_t n = 0;

	if (s.n > 1 && (s.p[0] == '-' || s.p[0] == '*' || s.p[0] == '+') && s.p[1] == ' ')
		return 2;
	while (n < s.n && n < MARK_DIGITS_MAX && s.p[n] >= '0' && s.p[n] <= '9')
		n++;
	if (n > 0 && n + 1 < s.n && (s.p[n] == '.' || s.p[n] == ')') && s.p[n + 1] == ' ')
		return n + 2;
	return 0;
}

static size_t indent(struct ww_slice s)
{
	size_t n = 0;

	while (n < s.n && (s.p[n] == ' ' || s.p[n] == '\t'))
		n++;
	return n;
}

static void take_line(struct scan *c, struct ww_slice line, size_t base, bool *fenced)
{
	size_t skip = indent(line), mark;
	struct ww_slice s = ww_slice_sub(line, skip, SIZE_MAX);
	bool fence =
		ww_slice_starts(s, WW_SLICE_LIT("```")) || ww_slice_starts(s, WW_SLICE_LIT("~~~"));

	*fenced ^= fence;
	if (fence || *fenced || s.n == 0 || s.p[0] == '>' || s.p[0] == '|' || s.p[0] == '#') {
		end_sentence(c, base);
		return;
	}
	mark = item_mark(s);
	/* A line that begins in lower case goes on with a sentence that has not ended. */
	if (mark || s.p[0] < 'a' || s.p[0] > 'z')
		end_sentence(c, base);
	s = ww_slice_sub(s, mark, SIZE_MAX);
	skip += mark;
	if (mark && ww_slice_starts(s, WW_SLICE_LIT("[ ]")))
		return;
	if (mark && (ww_slice_starts(s, WW_SLICE_LIT("[x] ")) ||
		     ww_slice_starts(s, WW_SLICE_LIT("[X] ")))) {
		s = ww_slice_sub(s, 4, SIZE_MAX);
		skip += 4;
	}
	put_line(c, s, base + skip);
}

void ww_phrase_scan(struct ww_phrase_scanner *s, struct ww_slice text, unsigned kinds,
		    const struct ww_digest_key *key, struct ww_phrases_said *said)
{
	struct scan c = {.s = s, .said = said, .key = key, .kinds = kinds};
	bool fenced = false;
	size_t at = 0;

	if (s->phrases->bound == 0)
		return;
	said->over |= text.n > WW_PROSE_BYTES_MAX;
	c.text = ww_slice_sub(text, 0, WW_PROSE_BYTES_MAX);
	while (at < c.text.n) {
		size_t end = ww_slice_find(c.text, at, '\n');

		take_line(&c, ww_slice_sub(c.text, at, end - at), at, &fenced);
		at = end + 1;
	}
	end_sentence(&c, c.text.n);
	explicit_bzero(s->line, sizeof(s->line));
}

void ww_phrase_said_write(const struct ww_phrases *p, const struct ww_phrase_said *s,
			  const char *exchange, struct ww_jsonw *w)
{
	ww_jsonw_object(w, NULL);
	ww_jsonw_cstr(w, "kind", ww_phrase_kind_name((enum ww_phrase_kind)s->kind));
	ww_jsonw_cstr(w, "topic", p->topics[s->topic].name);
	ww_jsonw_cstr(w, "rule", p->rules[s->rule].id);
	if (exchange)
		ww_jsonw_cstr(w, "exchange", exchange);
	ww_jsonw_u64(w, "at", s->from);
	ww_jsonw_u64(w, "bytes", s->bytes);
	ww_jsonw_hex(w, "digest", ww_slice(s->digest.b, sizeof(s->digest.b)));
	ww_jsonw_end_object(w);
}
