/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file. Parts ({name} in a pattern) are put in when they are read: only those above are known,
 * so that nothing can refer to itself, and a pattern stays below its ceiling.
 */
#include "base/buf.h"
#include "policy/phrases.h"
#include "policy/yaml_reader.h"

#include <errno.h>
#include <stdio.h>

#define NESTING_MAX 32

static struct ww_phrases *pack_of(const struct ww_yaml *r)
{
	return r->ctx;
}

static bool name_like(const char *s)
{
	for (size_t i = 0; s[i]; i++) {
		if (!(s[i] >= 'a' && s[i] <= 'z') &&
		    !(i && ((s[i] >= '0' && s[i] <= '9') || s[i] == '-' || s[i] == '_')))
			return false;
	}
	return s[0] && strlen(s) < WW_PHRASE_NAME_BYTES;
}

static int take_name(struct ww_yaml *r, void *into)
{
	char **ret_name = into;

	if (ww_yaml_text(r, "a name", ret_name) < 0)
		return r->err;
	return name_like(*ret_name)
		       ? 0
		       : ww_yaml_fail(r,
				      "a name of at most 47 lower-case letters, digits, - and _");
}

/* --- patterns -----------------------------------------------------------------------------------
 */

static const struct ww_phrase_part *part_find(const struct ww_phrases *p, struct ww_slice name)
{
	for (unsigned i = 0; i < p->part_count; i++) {
		if (p->parts[i].pattern && ww_slice_eq_str(name, p->parts[i].name))
			return &p->parts[i];
	}
	return NULL;
}

/* The name in "{name}" at `at`, or empty: a count such as {2,3}, or of \x{..}, \p{..}. */
static struct ww_slice part_name(struct ww_slice s, size_t at)
{
	size_t end = ww_slice_find(s, at, '}');

	if (s.p[at] != '{' || end == s.n || end == at + 1 || s.p[at + 1] < 'a' ||
	    s.p[at + 1] > 'z' || (at > 0 && s.p[at - 1] == '\\') ||
	    (at > 1 && s.p[at - 2] == '\\' && memchr("xpPkgoN", s.p[at - 1], 7)))
		return WW_SLICE_NULL;
	return ww_slice_sub(s, at + 1, end - at - 1);
}

/* The scalar with its parts put in, as a text of its own. */
static int take_pattern(struct ww_yaml *r, void *into)
{
	char **ret_pattern = into;
	WW_AUTO_BUF struct ww_buf out = {.max = WW_PHRASE_PATTERN_BYTES};
	struct ww_slice s;
	int err = 0;

	if (!ww_yaml_is_text(r))
		return ww_yaml_fail(r, "a pattern of at most 2,048 bytes on one line");
	s = ww_yaml_scalar(r);
	for (size_t i = 0; i < s.n && err == 0; i++) {
		struct ww_slice name = part_name(s, i);
		const struct ww_phrase_part *part;

		if (name.n == 0) {
			err = ww_buf_add(&out, &s.p[i], 1);
			continue;
		}
		part = part_find(pack_of(r), name);
		if (!part)
			return ww_yaml_fail(r, "only parts that are defined above");
		err = ww_buf_add(&out, "(?:", 3);
		if (err == 0)
			err = ww_buf_add(&out, part->pattern, strlen(part->pattern));
		if (err == 0)
			err = ww_buf_add(&out, ")", 1);
		i += name.n + 1;
	}
	if (err == -EMSGSIZE)
		return ww_yaml_fail(r, "a pattern of at most 16 KiB with its parts");
	*ret_pattern = err ? NULL : strndup((const char *)out.p, out.n);
	return *ret_pattern ? 0 : (r->err = -ENOMEM);
}

static int fail_pattern(struct ww_yaml *r, unsigned line, int code, size_t at)
{
	char why[96] = "", found[136];

	pcre2_get_error_message(code, (PCRE2_UCHAR *)why, sizeof(why));
	snprintf(found, sizeof(found), "%s at byte %zu", why, at);
	return ww_yaml_fail_at(r, line, "a pattern", found);
}

/* Bytes, not characters: what a pattern may match stays bounded by what it looks at. */
static int compile(struct ww_yaml *r, unsigned line, const char *pattern, uint32_t options,
		   pcre2_code **ret_code)
{
	pcre2_compile_context *ctx = pcre2_compile_context_create(NULL);
	PCRE2_SIZE at = 0;
	int code = 0;

	if (!ctx)
		return r->err = -ENOMEM;
	pcre2_set_parens_nest_limit(ctx, NESTING_MAX);
	*ret_code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
				  options | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP |
					  PCRE2_NEVER_BACKSLASH_C | PCRE2_NO_AUTO_CAPTURE |
					  PCRE2_DOLLAR_ENDONLY,
				  &code, &at, ctx);
	pcre2_compile_context_free(ctx);
	if (*ret_code)
		return 0;
	if (code == PCRE2_ERROR_NOMEMORY || code == PCRE2_ERROR_HEAP_FAILED)
		return r->err = -ENOMEM;
	return fail_pattern(r, line, code, at);
}

/* --- parts --------------------------------------------------------------------------------------
 */

static int take_part_name(struct ww_yaml *r, void *into)
{
	struct ww_phrase_part *part = into;
	const struct ww_phrases *p = pack_of(r);

	if (take_name(r, &part->name) < 0)
		return r->err;
	return part_find(p, ww_slice_str(part->name)) ? ww_yaml_fail(r, "a part that is new") : 0;
}

/* Alone it must be a pattern: then it is one wherever it is put in. */
static int take_part(struct ww_yaml *r, void *into)
{
	static const struct ww_yaml_field fields[] = {
		{"name", take_part_name, true, 0},
		{"pattern", take_pattern, true, offsetof(struct ww_phrase_part, pattern)},
	};
	struct ww_phrase_part *part = into;
	unsigned line = ww_yaml_line(r);
	pcre2_code *code = NULL;

	if (ww_yaml_mapping(r, fields, WW_ARRAY_SIZE(fields), part) < 0 ||
	    compile(r, line, part->pattern, 0, &code) < 0)
		return r->err;
	pcre2_code_free(code);
	return 0;
}

/* --- topics -------------------------------------------------------------------------------------
 */

static int take_word(struct ww_yaml *r, void *into)
{
	char **word = into;

	if (ww_yaml_text(r, "the begin of a word", word) < 0)
		return r->err;
	for (size_t i = 0; i < strlen(*word); i++) {
		if ((*word)[i] < 'a' || (*word)[i] > 'z')
			return ww_yaml_fail(r, "the begin of a word in lower-case letters");
	}
	return strlen(*word) >= 3 ? 0 : ww_yaml_fail(r, "at least three letters of a word");
}

static int take_tool(struct ww_yaml *r, void *into)
{
	return ww_yaml_text(r, "a tool name", into);
}

static int take_words(struct ww_yaml *r, void *into)
{
	struct ww_phrase_topic *t = into;

	return ww_yaml_list(r, 1, WW_PHRASE_WORDS_MAX, (void **)&t->words, &t->word_count,
			    sizeof(*t->words), take_word);
}

static int take_tools(struct ww_yaml *r, void *into)
{
	struct ww_phrase_topic *t = into;

	return ww_yaml_list(r, 1, WW_CONTRACT_ITEMS_MAX, (void **)&t->tools, &t->tool_count,
			    sizeof(*t->tools), take_tool);
}

static int append(struct ww_yaml *r, char ***texts, unsigned *count, char ***from, unsigned n)
{
	char **more = n ? realloc(*texts, (*count + n) * sizeof(*more)) : *texts;

	if (n && !more)
		return r->err = -ENOMEM;
	for (unsigned i = 0; i < n; i++)
		more[*count + i] = WW_TAKE((*from)[i]);
	*texts = more;
	*count += n;
	return 0;
}

/* A topic that is there already gets more words and tools; `t`, the last one, is none of its own.
 */
static int extend(struct ww_yaml *r, struct ww_phrase_topic *there, struct ww_phrase_topic *t)
{
	if (there->word_count + t->word_count > WW_PHRASE_WORDS_MAX ||
	    there->name_count + t->name_count > WW_PHRASE_WORDS_MAX ||
	    there->tool_count + t->tool_count > WW_CONTRACT_ITEMS_MAX)
		return ww_yaml_fail(r, "at most 64 words, names and tools of a topic");
	if (append(r, &there->words, &there->word_count, &t->words, t->word_count) < 0 ||
	    append(r, &there->names, &there->name_count, &t->names, t->name_count) < 0 ||
	    append(r, &there->tools, &there->tool_count, &t->tools, t->tool_count) < 0)
		return r->err;
	ww_phrases_free_topic(t);
	pack_of(r)->topic_count--;
	return 0;
}

static int take_names(struct ww_yaml *r, void *into)
{
	struct ww_phrase_topic *t = into;

	return ww_yaml_list(r, 1, WW_PHRASE_WORDS_MAX, (void **)&t->names, &t->name_count,
			    sizeof(*t->names), take_word);
}

static int take_topic(struct ww_yaml *r, void *into)
{
	static const struct ww_yaml_field fields[] = {
		{"name", take_name, true, offsetof(struct ww_phrase_topic, name)},
		{"names", take_names, false, 0},
		{"words", take_words, false, 0},
		{"tools", take_tools, false, 0},
	};
	struct ww_phrases *p = pack_of(r);
	struct ww_phrase_topic *t = into;
	unsigned line = ww_yaml_line(r);

	if (ww_yaml_mapping(r, fields, WW_ARRAY_SIZE(fields), t) < 0)
		return r->err;
	for (unsigned i = 0; i + 1 < p->topic_count; i++) {
		if (strcmp(p->topics[i].name, t->name) == 0)
			return extend(r, &p->topics[i], t);
	}
	return t->word_count ? 0 : ww_yaml_fail_at(r, line, "words of a new topic", "none");
}

/* --- rules and guards ---------------------------------------------------------------------------
 */

/* Rules and guards have one space of names. */
static int take_id(struct ww_yaml *r, void *into)
{
	const struct ww_phrases *p = pack_of(r);

	for (unsigned i = 0; ww_yaml_is_text(r) && i < p->rule_count; i++) {
		if (p->rules[i].id && ww_slice_eq_str(ww_yaml_scalar(r), p->rules[i].id))
			return ww_yaml_fail(r, "an id that is new");
	}
	for (unsigned i = 0; ww_yaml_is_text(r) && i < p->guard_count; i++) {
		if (p->guards[i].id && ww_slice_eq_str(ww_yaml_scalar(r), p->guards[i].id))
			return ww_yaml_fail(r, "an id that is new");
	}
	return take_name(r, into);
}

static int take_kind_number(struct ww_yaml *r, void *into)
{
	unsigned *ret_kind = into;

	for (unsigned i = 0; ww_yaml_is_text(r) && i < WW_PHRASE_KIND_MAX; i++) {
		if (ww_slice_eq_str(ww_yaml_scalar(r), ww_phrase_kind_name(i))) {
			*ret_kind = i;
			return 0;
		}
	}
	return ww_yaml_fail(r, "a kind: done, will or control");
}

static int take_rule_kind(struct ww_yaml *r, void *into)
{
	unsigned kind = 0;

	if (take_kind_number(r, &kind) < 0)
		return r->err;
	((struct ww_phrase_rule *)into)->kind = (enum ww_phrase_kind)kind;
	return 0;
}

static int take_rule_topic(struct ww_yaml *r, void *into)
{
	const struct ww_phrases *p = pack_of(r);

	for (unsigned i = 0; ww_yaml_is_text(r) && i < p->topic_count; i++) {
		if (ww_slice_eq_str(ww_yaml_scalar(r), p->topics[i].name)) {
			((struct ww_phrase_rule *)into)->topic = i;
			return 0;
		}
	}
	return ww_yaml_fail(r, "a topic that is defined above");
}

static int take_rule(struct ww_yaml *r, void *into)
{
	static const struct ww_yaml_field fields[] = {
		{"id", take_id, true, offsetof(struct ww_phrase_rule, id)},
		{"kind", take_rule_kind, true, 0},
		{"topic", take_rule_topic, true, 0},
		{"lead", take_pattern, false, offsetof(struct ww_phrase_rule, lead)},
		{"pattern", take_pattern, true, offsetof(struct ww_phrase_rule, pattern)},
	};
	struct ww_phrase_rule *rule = into;
	unsigned line = ww_yaml_line(r);

	if (ww_yaml_mapping(r, fields, WW_ARRAY_SIZE(fields), rule) < 0)
		return r->err;
	if (rule->lead && compile(r, line, rule->lead, PCRE2_ENDANCHORED, &rule->lead_code) < 0)
		return r->err;
	return compile(r, line, rule->pattern, 0, &rule->code);
}

static int take_guard_kinds(struct ww_yaml *r, void *into)
{
	WW_AUTO_FREE void *list = NULL;
	struct ww_phrase_guard *g = into;
	unsigned count = 0;
	int err = ww_yaml_list(r, 1, WW_PHRASE_KIND_MAX, &list, &count, sizeof(unsigned),
			       take_kind_number);

	for (unsigned i = 0; err == 0 && i < count; i++)
		g->kinds |= 1u << ((unsigned *)list)[i];
	return err;
}

static int take_guard_place(struct ww_yaml *r, void *into)
{
#define PLACE_NAME_(n, v, t, d) [v] = (t),
	static const char *const places[WW_PHRASE_PLACE_MAX] = {WW_PHRASE_PLACES(PLACE_NAME_)};

	for (unsigned i = 0; ww_yaml_is_text(r) && i < WW_PHRASE_PLACE_MAX; i++) {
		if (ww_slice_eq_str(ww_yaml_scalar(r), places[i])) {
			((struct ww_phrase_guard *)into)->place = (enum ww_phrase_place)i;
			return 0;
		}
	}
	return ww_yaml_fail(r, "a place: all, before, after or above");
}

static int take_guard(struct ww_yaml *r, void *into)
{
	static const struct ww_yaml_field fields[] = {
		{"id", take_id, true, offsetof(struct ww_phrase_guard, id)},
		{"kinds", take_guard_kinds, true, 0},
		{"place", take_guard_place, true, 0},
		{"pattern", take_pattern, true, offsetof(struct ww_phrase_guard, pattern)},
	};
	struct ww_phrase_guard *g = into;
	unsigned line = ww_yaml_line(r);

	if (ww_yaml_mapping(r, fields, WW_ARRAY_SIZE(fields), g) < 0)
		return r->err;
	return compile(r, line, g->pattern, 0, &g->code);
}

/* --- the file -----------------------------------------------------------------------------------
 */

struct cue {
	unsigned kind;
	unsigned count;
	char (*endings)[2];
};

static int take_ending(struct ww_yaml *r, void *into)
{
	struct ww_slice s;

	if (!ww_yaml_is_text(r))
		return ww_yaml_fail(r, "the last two letters of a word");
	s = ww_yaml_scalar(r);
	if (s.n != 2 || s.p[0] < 'a' || s.p[0] > 'z' || s.p[1] < 'a' || s.p[1] > 'z')
		return ww_yaml_fail(r, "the last two letters of a word");
	memcpy(into, s.p, 2);
	return 0;
}

static int take_endings(struct ww_yaml *r, void *into)
{
	struct cue *c = into;

	return ww_yaml_list(r, 1, WW_PHRASE_WORDS_MAX, (void **)&c->endings, &c->count, 2,
			    take_ending);
}

static int take_cue(struct ww_yaml *r, void *into)
{
	static const struct ww_yaml_field fields[] = {
		{"kind", take_kind_number, true, offsetof(struct cue, kind)},
		{"endings", take_endings, true, 0},
	};
	struct ww_phrases *p = pack_of(r);
	struct cue c = {0};
	int err = ww_yaml_mapping(r, fields, WW_ARRAY_SIZE(fields), &c);

	for (unsigned i = 0; err == 0 && i < c.count; i++)
		p->endings[c.endings[i][0] - 'a'][c.endings[i][1] - 'a'] |= (uint8_t)(1u << c.kind);
	if (err == 0)
		p->cued |= 1u << c.kind;
	free(c.endings);
	return err;
}

/* Only for ww_yaml_list, which keeps elements: a cue leaves none. */
static int take_cues(struct ww_yaml *r, void *into)
{
	WW_AUTO_FREE void *none = NULL;
	unsigned count = 0;

	return ww_yaml_list(r, 0, WW_PHRASE_WORDS_MAX, &none, &count, 1, take_cue);
}

static int take_version(struct ww_yaml *r, void *into)
{
	uint64_t v = 0;

	return ww_yaml_number(r, 1, 1, "version 1", &v);
}

static int take_parts(struct ww_yaml *r, void *into)
{
	struct ww_phrases *p = into;

	return ww_yaml_list(r, 0, WW_PHRASE_PARTS_MAX, (void **)&p->parts, &p->part_count,
			    sizeof(*p->parts), take_part);
}

static int take_topics(struct ww_yaml *r, void *into)
{
	struct ww_phrases *p = into;

	return ww_yaml_list(r, 0, WW_PHRASE_TOPICS_MAX, (void **)&p->topics, &p->topic_count,
			    sizeof(*p->topics), take_topic);
}

static int take_guards(struct ww_yaml *r, void *into)
{
	struct ww_phrases *p = into;

	return ww_yaml_list(r, 0, WW_PHRASE_GUARDS_MAX, (void **)&p->guards, &p->guard_count,
			    sizeof(*p->guards), take_guard);
}

static int take_rules(struct ww_yaml *r, void *into)
{
	struct ww_phrases *p = into;

	return ww_yaml_list(r, 0, WW_PHRASE_RULES_MAX, (void **)&p->rules, &p->rule_count,
			    sizeof(*p->rules), take_rule);
}

/* A rule or guard of the product's pack that is not wanted. */
static int take_left_out(struct ww_yaml *r, void *into)
{
	struct ww_phrases *p = pack_of(r);
	char **id = into;

	if (ww_yaml_text(r, "an id", id) < 0)
		return r->err;
	for (unsigned i = 0; i < p->rule_count; i++) {
		if (strcmp(p->rules[i].id, *id) != 0)
			continue;
		ww_phrases_free_rule(&p->rules[i]);
		p->rules[i] = p->rules[--p->rule_count];
		return 0;
	}
	for (unsigned i = 0; i < p->guard_count; i++) {
		if (strcmp(p->guards[i].id, *id) != 0)
			continue;
		ww_phrases_free_guard(&p->guards[i]);
		p->guards[i] = p->guards[--p->guard_count];
		return 0;
	}
	return ww_yaml_fail(r, "the id of a rule or guard of the product's pack");
}

static int take_without(struct ww_yaml *r, void *into)
{
	unsigned count = 0;
	char **ids = NULL;

	(void)ww_yaml_list(r, 1, WW_PHRASE_RULES_MAX, (void **)&ids, &count, sizeof(*ids),
			   take_left_out);
	for (unsigned i = 0; i < count; i++)
		free(ids[i]);
	free(ids);
	return r->err;
}

static int take_pack(struct ww_phrases *p, struct ww_slice yaml,
		     struct ww_contract_error *ret_error)
{
	static const struct ww_yaml_field fields[] = {
		{"version", take_version, true, 0}, {"without", take_without, false, 0},
		{"parts", take_parts, false, 0},    {"topics", take_topics, false, 0},
		{"cues", take_cues, false, 0},      {"guards", take_guards, false, 0},
		{"rules", take_rules, false, 0},
	};

	struct ww_yaml r;
	int err;

	if (yaml.n > WW_PHRASE_FILE_BYTES) {
		*ret_error = (struct ww_contract_error){
			.text = "expected a file of at most 256 KiB, found a larger one"};
		return -EFBIG;
	}
	ww_yaml_open(&r, yaml);
	r.text_max = WW_PHRASE_TEXT_BYTES;
	r.ctx = p;
	err = ww_yaml_document(&r, fields, WW_ARRAY_SIZE(fields),
			       "a mapping with version and rules", p);
	if (err == -EINVAL) {
		ret_error->line = r.error_line;
		memcpy(ret_error->text, r.error_text, sizeof(ret_error->text));
	}
	ww_yaml_close(&r);
	return err;
}

static void fill_slots(struct ww_phrases *p)
{
	for (unsigned i = 0; i < p->topic_count; i++) {
		const struct ww_phrase_topic *t = &p->topics[i];

		for (unsigned w = 0; w < t->word_count; w++) {
			const uint8_t *word = (const uint8_t *)t->words[w];

			p->slots[ww_phrase_slot(word[0], word[1], word[2])] |= 1ull << i;
		}
	}
}

int ww_phrases_parse(struct ww_slice pack, struct ww_slice users, struct ww_phrases **ret_phrases,
		     struct ww_contract_error *ret_error)
{
	WW_AUTO(ww_phrases_free_auto) struct ww_phrases *p = calloc(1, sizeof(*p));
	struct ww_sha256 digests[2];
	int r;

	if (!p)
		return -ENOMEM;
	r = take_pack(p, pack, ret_error);
	if (r == 0 && users.n)
		r = take_pack(p, users, ret_error);
	if (r < 0)
		return r;
	fill_slots(p);
	for (unsigned i = 0; i < p->rule_count; i++)
		p->ruled[p->rules[i].kind] |= 1ull << p->rules[i].topic;
	ww_sha256(pack, &digests[0]);
	ww_sha256(users, &digests[1]);
	if (users.n)
		ww_sha256(ww_slice(digests, sizeof(digests)), &p->digest);
	else
		p->digest = digests[0];
	*ret_phrases = WW_TAKE(p);
	return 0;
}
