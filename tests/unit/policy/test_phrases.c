/* SPDX-License-Identifier: Apache-2.0 */
/* Packs of phrase rules: what is refused, with its line; which tools a topic is about. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <errno.h>

#include "policy/phrases.h"

#define HEAD  "version: 1\n"
#define TOPIC "topics:\n- {name: parcel, words: [parcel, packet]}\n"
#define RULE  "rules:\n- {id: a, kind: done, topic: parcel, pattern: 'parcel sent'}\n"

static struct ww_contract_error error;

static int parse(const char *users, struct ww_phrases **ret)
{
	memset(&error, 0, sizeof(error));
	return ww_phrases_parse(ww_phrases_default(), ww_slice_str(users), ret, &error);
}

static void refused(const char *users, unsigned line, const char *text)
{
	struct ww_phrases *p = NULL;

	assert_int_equal(parse(users, &p), -EINVAL);
	assert_null(p);
	if (error.line != line || !strstr(error.text, text))
		fail_msg("line %u: %s\nexpected line %u: %s\nof %s", error.line, error.text, line,
			 text, users);
}

static void test_refused(void **state)
{
	refused("version: 2\n", 1, "version 1");
	refused("- a\n", 1, "a mapping");
	refused(HEAD "---\n" HEAD, 2, "one document");
	refused(HEAD "colour: red\n", 2, "one of the keys version, without, parts, topics");
	refused(HEAD "rules: &a []\n", 2, "an anchor");
	refused(HEAD "topics:\n- {name: Parcel, words: [abc]}\n", 3, "lower-case");
	refused(HEAD "topics:\n- {name: parcel}\n", 3, "words of a new topic");
	refused(HEAD "topics:\n- {name: parcel, words: [ab]}\n", 3, "three letters");
	refused(HEAD "topics:\n- {name: parcel, words: [\"a b\"]}\n", 3, "lower-case letters");
	refused(HEAD RULE, 3, "a topic that is defined above");
	refused(HEAD TOPIC "rules:\n- {id: a, kind: did, topic: parcel, pattern: x}\n", 5,
		"done, will or control");
	refused(HEAD TOPIC "rules:\n- {id: a, kind: done, topic: parcel}\n", 5, "the key pattern");
	refused(HEAD TOPIC "rules:\n- {id: refund-done, kind: done, topic: parcel, pattern: x}\n",
		5, "an id that is new");
	refused(HEAD TOPIC "rules:\n\n- {id: a, kind: done, topic: parcel, pattern: '(x'}\n", 6,
		"missing closing parenthesis at byte 2");
	refused(HEAD TOPIC "rules:\n- {id: a, kind: done, topic: parcel, lead: '[', pattern: x}\n",
		5, "missing terminating ]");
	refused(HEAD TOPIC "rules:\n- {id: a, kind: done, topic: parcel, pattern: '{nobody} x'}\n",
		5, "parts that are defined above");
	refused(HEAD TOPIC "rules:\n- {id: a, kind: done, topic: parcel, pattern: '(*UTF)x'}\n", 5,
		"disabled");
	refused(HEAD TOPIC "rules:\n- {id: a, kind: done, topic: parcel, pattern: '\\C'}\n", 5,
		"disabled");
	refused(HEAD "parts:\n- {name: me, pattern: x}\n", 3, "a part that is new");
	refused(HEAD "parts:\n- {name: mine, pattern: '{mine}'}\n", 3, "defined above");
	refused(HEAD "guards:\n- {id: g, kinds: [done], place: under, pattern: x}\n", 3,
		"all, before, after or above");
	refused(HEAD "cues:\n- {kind: done, endings: [ing]}\n", 3, "last two letters");
	refused(HEAD "without: [refund-undone]\n", 2, "the id of a rule or guard");
}

/* A part may not double without end: 2^30 bytes would be asked for. */
static void test_bounded(void **state)
{
	char yaml[8192];
	size_t n = (size_t)snprintf(yaml, sizeof(yaml),
				    HEAD "parts:\n- {name: p0, pattern: abcdefgh}\n");
	struct ww_phrases *p = NULL;

	for (unsigned i = 1; i < 30; i++)
		n += (size_t)snprintf(yaml + n, sizeof(yaml) - n,
				      "- {name: p%u, pattern: '{p%u}{p%u}'}\n", i, i - 1, i - 1);
	refused(yaml, 14, "16 KiB");
	WW_AUTO_FREE char *big = malloc(WW_PHRASE_FILE_BYTES + 2);

	assert_non_null(big);
	memset(big, '#', WW_PHRASE_FILE_BYTES + 1);
	big[WW_PHRASE_FILE_BYTES + 1] = '\0';
	assert_int_equal(parse(big, &p), -EFBIG);
	assert_non_null(strstr(error.text, "256 KiB"));
}

static const struct ww_phrase_topic *topic(const struct ww_phrases *p, const char *name)
{
	for (unsigned i = 0; i < p->topic_count; i++) {
		if (strcmp(p->topics[i].name, name) == 0)
			return &p->topics[i];
	}
	fail_msg("no topic %s", name);
	return NULL;
}

static unsigned rules_of(const struct ww_phrases *p, const char *id)
{
	unsigned n = 0;

	for (unsigned i = 0; i < p->rule_count; i++)
		n += strcmp(p->rules[i].id, id) == 0;
	return n;
}

static void test_users(void **state)
{
	struct ww_phrases *p = NULL, *bare = NULL;

	assert_int_equal(parse("", &bare), 0);
	assert_int_equal(parse(HEAD "without: [refund-done, question]\n" TOPIC
				    "rules:\n- {id: refund-done, kind: will, topic: parcel, "
				    "lead: '{me}', pattern: 'x{2,3}\\x{41}'}\n",
			       &p),
			 0);
	assert_int_equal(rules_of(p, "refund-done"), 1);
	assert_int_equal(p->rule_count, bare->rule_count);
	assert_int_equal(p->guard_count, bare->guard_count - 1);
	assert_int_equal(p->topic_count, bare->topic_count + 1);
	assert_string_equal(p->rules[p->rule_count - 1].pattern, "x{2,3}\\x{41}");
	assert_memory_not_equal(p->digest.b, bare->digest.b, sizeof(p->digest.b));
	ww_phrases_free(p);
	/* A topic that is there gets more. */
	assert_int_equal(
		parse(HEAD "topics:\n- {name: refund, tools: [giveback], words: [giv]}\n", &p), 0);
	assert_int_equal(p->topic_count, bare->topic_count);
	assert_int_equal(topic(p, "refund")->tool_count, 1);
	assert_int_equal(topic(p, "refund")->word_count, topic(bare, "refund")->word_count + 1);
	ww_phrases_free(p);
	ww_phrases_free(bare);
}

#define NETWORK "effect: network, destinations: [{name: a.test}], paths: [/]"

static void test_tools(void **state)
{
	static const char yaml[] =
		HEAD "contracts:\n"
		     "- {tool: refund_order, " NETWORK ", methods: [POST]}\n"
		     "- {tool: ordersRefund, " NETWORK ", methods: [POST]}\n"
		     "- {tool: refund_status, " NETWORK ", methods: [GET]}\n"
		     "- {tool: cancel_refund, " NETWORK ", methods: [POST], topics: [cancel]}\n"
		     "- {tool: refund_never, " NETWORK ", methods: [POST], topics: []}\n"
		     "- {tool: giveback, " NETWORK ", methods: [GET]}\n"
		     "- {tool: prerefund, " NETWORK ", methods: [POST]}\n"
		     "- {tool: refund_local, effect: local}\n";
	struct ww_contracts *c = NULL;
	struct ww_phrases *p = NULL;

	assert_int_equal(ww_contracts_parse(ww_slice_str(yaml), &c, &error), 0);
	assert_int_equal(parse(HEAD "topics:\n- {name: refund, tools: [giveback]}\n", &p), 0);
	assert_int_equal(p->bound, 0);
	assert_int_equal(ww_phrases_bind(p, c), 0);
	assert_int_equal(topic(p, "refund")->contracts[0], 1 | 2 | 32);
	assert_int_equal(topic(p, "order")->contracts[0], 0);
	assert_int_equal(topic(p, "cancel")->contracts[0], 8);
	assert_int_equal(ww_phrases_topics_of(p, "giveback"), 1);
	assert_int_equal(ww_phrases_topics_of(p, "refund_status"), 0);
	assert_int_equal(ww_phrases_topics_of(p, "nobody"), 0);
	assert_int_equal(__builtin_popcountll(p->bound), 3); /* and control */
	ww_phrases_free(p);
	ww_contracts_free(c);
}

static void test_example(void **state)
{
	WW_AUTO_FREE char *text = calloc(1, 65536);
	FILE *f = fopen("docs/examples/phrases.yaml", "r");
	struct ww_phrases *p = NULL;

	assert_non_null(text);
	assert_non_null(f);
	assert_true(fread(text, 1, 65535, f) > 0);
	fclose(f);
	if (parse(text, &p) < 0)
		fail_msg("line %u: %s", error.line, error.text);
	ww_phrases_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused), cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_users),   cmocka_unit_test(test_tools),
		cmocka_unit_test(test_example),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
