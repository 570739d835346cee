/* SPDX-License-Identifier: Apache-2.0 */
#include "out/filter.h"

#include <errno.h>
#include <stdio.h>

#include <wirewitness/record.h>
#include <wirewitness/verdict.h>

#include "out/paths.h"
#include "out/printable.h"

#define TEXT_OF(n, v, t, d)   t,
#define NUMBER_OF(n, v, t, d) v,
static const char *const kinds[] = {WW_RECORD_KINDS(TEXT_OF)};
static const uint8_t kind_numbers[] = {WW_RECORD_KINDS(NUMBER_OF)};
static const char *const verdicts[] = {WW_VERDICTS(TEXT_OF)};

static const struct {
	const char *key;
	const char *const *words;
	size_t count;
} known[] = {
	{"kind", kinds, WW_ARRAY_SIZE(kinds)},
	{"verdict", verdicts, WW_ARRAY_SIZE(verdicts)},
};

static int refuse_near(char *why, const char *message, struct ww_slice about, const char *near)
{
	WW_AUTO_BUF struct ww_buf text;
	size_t n;

	ww_buf_init(&text, 4 * WW_FILTER_WHY_MAX);
	if (ww_printable_add(&text, ww_slice_sub(about, 0, 24)) < 0)
		ww_buf_clear(&text);
	snprintf(why, WW_FILTER_WHY_MAX, "filter: '%.*s': %s", (int)text.n, (const char *)text.p,
		 message);
	n = strlen(why);
	if (near)
		snprintf(why + n, WW_FILTER_WHY_MAX - n, "; did you mean '%s'?", near);
	return -EINVAL;
}

static int refuse(char *why, const char *message, struct ww_slice about)
{
	return refuse_near(why, message, about, NULL);
}

/* The next of the comma separated values; false after the last. */
static bool next_value(struct ww_slice values, size_t *at, struct ww_slice *ret)
{
	size_t end;

	if (*at > values.n)
		return false;
	end = ww_slice_find(values, *at, ',');
	*ret = ww_slice_sub(values, *at, end - *at);
	*at = end + 1;
	return true;
}

static bool is_word(struct ww_slice value, const char *const *words, size_t count)
{
	struct ww_json_token word = {.type = WW_JSON_STRING};

	for (size_t i = 0; i < count; i++) {
		word.raw = ww_slice_str(words[i]);
		if (ww_member_matches(&word, value))
			return true;
	}
	return false;
}

static int check_values(const struct ww_filter_term *t, char *why)
{
	struct ww_slice value;
	size_t at = 0;

	while (next_value(t->values, &at, &value)) {
		size_t star = ww_slice_find(value, 0, '*');

		if (star + 1 < value.n)
			return refuse(why, "'*' is understood at the end of a value only", value);
		for (size_t i = 0; i < WW_ARRAY_SIZE(known); i++) {
			if (ww_slice_eq_str(t->key, known[i].key) &&
			    !is_word(value, known[i].words, known[i].count))
				return refuse_near(why,
						   i == 0 ? "no record has this kind"
							  : "there is no such verdict",
						   value,
						   ww_path_near_word(value, known[i].words,
								     (unsigned)known[i].count));
		}
	}
	return 0;
}

static int parse_term(struct ww_slice text, struct ww_filter_term *ret, char *why)
{
	size_t eq = ww_slice_find(text, 0, '=');
	struct ww_filter_term t = {.key = ww_slice_sub(text, 0, eq)};

	if (eq == text.n)
		return refuse(why, "expected key=value or key!=value", text);
	t.values = ww_slice_sub(text, eq + 1, text.n);
	if (t.key.n > 0 && t.key.p[t.key.n - 1] == '!') {
		t.not = true;
		t.key.n--;
	}
	if (t.key.n == 0)
		return refuse(why, "a key is missing before '='", text);
	if (ww_slice_find(t.key, 0, '*') < t.key.n)
		return refuse(why, "'*' is understood at the end of a value only", text);
	*ret = t;
	return check_values(&t, why);
}

int ww_filter_parse(struct ww_slice text, struct ww_filter *ret_filter, char why[WW_FILTER_WHY_MAX])
{
	struct ww_filter f = {0};
	size_t at = 0;

	while (at < text.n) {
		size_t end = ww_slice_find(text, at, ' ');
		int r;

		if (end > at) {
			if (f.count == WW_FILTER_TERMS_MAX)
				return refuse(why, "more terms than a filter may have",
					      ww_slice_sub(text, at, end - at));
			r = parse_term(ww_slice_sub(text, at, end - at), &f.terms[f.count++], why);
			if (r < 0)
				return r;
		}
		at = end + 1;
	}
	*ret_filter = f;
	return 0;
}

int ww_filter_add(struct ww_filter *f, struct ww_slice key, struct ww_slice values,
		  char why[WW_FILTER_WHY_MAX])
{
	const struct ww_filter_term t = {.key = key, .values = values};
	int r = check_values(&t, why);

	if (r < 0)
		return r;
	if (f->count == WW_FILTER_TERMS_MAX)
		return refuse(why, "more terms than a filter may have", values);
	f->terms[f->count++] = t;
	return 0;
}

/* The kinds that a term on "kind" leaves. */
static ww_path_kinds kinds_of(const struct ww_filter_term *t)
{
	struct ww_json_token word = {.type = WW_JSON_STRING};
	ww_path_kinds set = 0;
	struct ww_slice value;
	size_t at = 0;

	if (!ww_slice_eq_str(t->key, "kind"))
		return WW_PATH_KINDS_ALL;
	while (next_value(t->values, &at, &value)) {
		for (unsigned i = 0; i < WW_ARRAY_SIZE(kinds); i++) {
			word.raw = ww_slice_str(kinds[i]);
			if (ww_member_matches(&word, value))
				set |= WW_PATH_KIND(kind_numbers[i]);
		}
	}
	return t->not ? WW_PATH_KINDS_ALL & ~set : set;
}

int ww_filter_check(const struct ww_filter *f, const char *kind, char why[WW_FILTER_WHY_MAX])
{
	const struct ww_filter_term of = {WW_SLICE_LIT("kind"), ww_slice_str(kind), false};
	ww_path_kinds set = kind ? kinds_of(&of) : WW_PATH_KINDS_ALL;

	for (unsigned i = 0; i < f->count; i++) {
		set &= kinds_of(&f->terms[i]);
		/* Else it would match nothing, and that would look like an answer. */
		if (!set)
			return refuse(why, "none of the records that are looked at has this kind",
				      f->terms[i].values);
	}
	for (unsigned i = 0; i < f->count; i++) {
		struct ww_slice key = f->terms[i].key;
		ww_path_kinds have = ww_path_find(key);

		if (!(have & set))
			return refuse_near(why,
					   have ? "these records have no such member"
						: "no record has such a member",
					   key, ww_path_near(key, set));
	}
	return 0;
}

static bool term_has(const struct ww_filter_term *t, const struct ww_json_token *v)
{
	struct ww_slice value;
	size_t at = 0;

	while (next_value(t->values, &at, &value)) {
		if (ww_member_matches(v, value))
			return true;
	}
	return false;
}

bool ww_filter_match(const struct ww_filter *f, struct ww_slice record)
{
	bool has[WW_FILTER_TERMS_MAX] = {false};
	struct ww_member_walk w;
	struct ww_member m;

	if (f->count == 0)
		return true;
	ww_member_begin(&w, record);
	while (ww_member_next(&w, &m)) {
		for (unsigned i = 0; i < f->count; i++) {
			if (!has[i] && ww_slice_eq(m.path, f->terms[i].key))
				has[i] = term_has(&f->terms[i], &m.value);
		}
	}
	if (!ww_member_ok(&w))
		return false;
	for (unsigned i = 0; i < f->count; i++) {
		if (has[i] == f->terms[i].not )
			return false;
	}
	return true;
}

bool ww_filter_names(const struct ww_filter *f, const char *key)
{
	for (unsigned i = 0; i < f->count; i++) {
		if (ww_slice_eq_str(f->terms[i].key, key))
			return true;
	}
	return false;
}
