/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/phrases.h"

#include <errno.h>

#define KIND_NAME_(n, v, t, d) [v] = (t),
static const char *const kinds[WW_PHRASE_KIND_MAX] = {WW_PHRASE_KINDS(KIND_NAME_)};

const char *ww_phrase_kind_name(enum ww_phrase_kind k)
{
	return (unsigned)k < WW_PHRASE_KIND_MAX ? kinds[k] : "unknown";
}

static void free_texts(char **texts, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		free(texts[i]);
	free(texts);
}

void ww_phrases_free_topic(struct ww_phrase_topic *t)
{
	free_texts(t->words, t->word_count);
	free_texts(t->tools, t->tool_count);
	free_texts(t->names, t->name_count);
	free(t->name);
	memset(t, 0, sizeof(*t));
}

void ww_phrases_free_rule(struct ww_phrase_rule *r)
{
	free(r->id);
	free(r->pattern);
	free(r->lead);
	pcre2_code_free(r->code);
	pcre2_code_free(r->lead_code);
	memset(r, 0, sizeof(*r));
}

void ww_phrases_free_guard(struct ww_phrase_guard *g)
{
	free(g->id);
	free(g->pattern);
	pcre2_code_free(g->code);
	memset(g, 0, sizeof(*g));
}

void ww_phrases_free(struct ww_phrases *p)
{
	if (!p)
		return;
	for (unsigned i = 0; i < p->topic_count; i++)
		ww_phrases_free_topic(&p->topics[i]);
	for (unsigned i = 0; i < p->rule_count; i++)
		ww_phrases_free_rule(&p->rules[i]);
	for (unsigned i = 0; i < p->guard_count; i++)
		ww_phrases_free_guard(&p->guards[i]);
	for (unsigned i = 0; i < p->part_count; i++) {
		free(p->parts[i].name);
		free(p->parts[i].pattern);
	}
	free(p->topics);
	free(p->rules);
	free(p->guards);
	free(p->parts);
	free(p->tool_topics);
	free(p);
}

/* --- which tools a topic is about ---------------------------------------------------------------
 */

static bool letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Whether `tool` has a word that begins with `word`: refund_order, orders.refund, refundOrder. */
static bool has_word(const char *tool, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = tool; *at; at++) {
		bool begin = at == tool || !letter(at[-1]) ||
			     (*at >= 'A' && *at <= 'Z' && at[-1] >= 'a' && at[-1] <= 'z');

		if (begin && strncasecmp(at, word, n) == 0)
			return true;
	}
	return false;
}

static bool listed(char *const *texts, unsigned count, const char *text)
{
	for (unsigned i = 0; i < count; i++) {
		if (strcmp(texts[i], text) == 0)
			return true;
	}
	return false;
}

/* A tool that only asks is what an assistant looked at, not what it did. */
static bool changes(const struct ww_contract *c)
{
	for (unsigned i = 0; c->effect == WW_EFFECT_NETWORK && i < c->call.method_count; i++) {
		const char *m = c->call.methods[i];

		if (strcmp(m, "GET") != 0 && strcmp(m, "HEAD") != 0 && strcmp(m, "OPTIONS") != 0)
			return true;
	}
	return false;
}

/* By its name: the first topic that knows a word of it, or the count of topics. */
static unsigned by_name(const struct ww_phrases *p, const struct ww_contract *c)
{
	for (unsigned i = 0; i < p->topic_count; i++) {
		const struct ww_phrase_topic *t = &p->topics[i];

		for (unsigned k = 0; k < t->name_count; k++) {
			if (has_word(c->tool, t->names[k]))
				return i;
		}
	}
	return p->topic_count;
}

static void bind_tool(struct ww_phrases *p, unsigned tool, const struct ww_contract *c)
{
	unsigned named = c->topics_given || !changes(c) ? p->topic_count : by_name(p, c);

	for (unsigned i = 0; i < p->topic_count; i++) {
		struct ww_phrase_topic *t = &p->topics[i];

		if (i != named && !listed(t->tools, t->tool_count, c->tool) &&
		    !listed(c->topics, c->topic_count, t->name))
			continue;
		t->contracts[tool / 64] |= 1ull << (tool % 64);
		p->tool_topics[tool] |= 1ull << i;
		p->bound |= 1ull << i;
	}
}

static bool is_narrated(const struct ww_phrases *p, unsigned topic)
{
	for (unsigned i = 0; i < p->rule_count; i++) {
		if (p->rules[i].topic == topic && p->rules[i].kind != WW_PHRASE_CONTROL)
			return false;
	}
	return true;
}

int ww_phrases_bind(struct ww_phrases *p, const struct ww_contracts *contracts)
{
	uint64_t *tools = calloc(contracts->count ? contracts->count : 1, sizeof(*tools));

	if (!tools)
		return -ENOMEM;
	free(p->tool_topics);
	p->tool_topics = tools;
	p->contracts = contracts;
	p->bound = 0;
	for (unsigned i = 0; i < p->topic_count; i++)
		memset(p->topics[i].contracts, 0, sizeof(p->topics[i].contracts));
	/* Of other effects nothing is judged. */
	for (unsigned i = 0; i < contracts->count; i++) {
		if (ww_contract_networked(&contracts->items[i]))
			bind_tool(p, i, &contracts->items[i]);
	}
	/* What is said to have been checked is of interest where something can be done. */
	for (unsigned i = 0; i < p->topic_count && contracts->count; i++) {
		if (is_narrated(p, i))
			p->bound |= 1ull << i;
	}
	return 0;
}

uint64_t ww_phrases_topics_of(const struct ww_phrases *p, const char *tool)
{
	const struct ww_contract *c = p->contracts ? ww_contracts_find(p->contracts, tool) : NULL;

	return c ? p->tool_topics[c - p->contracts->items] : 0;
}
