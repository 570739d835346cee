/* SPDX-License-Identifier: Apache-2.0 */
/* The scanner of prose: sentences, what is not the writer's own, places and digests, ceilings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "action/phrase.h"

/* One rule that takes any "sent it" of a sentence, and one that cannot come to an end. */
#define PACK                                                                              \
	"version: 1\n"                                                                    \
	"topics:\n- {name: parcel, words: [sent, sen, evil], tools: [ship]}\n"            \
	"guards:\n- {id: no, kinds: [done], place: before, pattern: '\\bnot\\b'}\n"       \
	"- {id: cue, kinds: [done], place: above, pattern: 'DRAFT'}\n"                    \
	"rules:\n"                                                                        \
	"- {id: sent, kind: done, topic: parcel, lead: '\\bi ', pattern: 'sent it\\b'}\n" \
	"- {id: evil, kind: will, topic: parcel, pattern: '(?:e+v*i*l*)+(?:e+v*i*l*)+(?:e+)+x'}\n"

#define CONTRACT                                                   \
	"version: 1\ncontracts:\n- {tool: ship, effect: network, " \
	"destinations: [{name: a.test}], methods: [POST], paths: [/]}\n"

struct rig {
	struct ww_phrases *phrases;
	struct ww_contracts *contracts;
	struct ww_phrase_scanner *scanner;
	struct ww_digest_key key;
};

static int setup(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));
	struct ww_contract_error e = {0};
	uint8_t key[32] = {1};

	assert_non_null(r);
	if (ww_phrases_parse(WW_SLICE_LIT(PACK), WW_SLICE_NULL, &r->phrases, &e) < 0)
		fail_msg("line %u: %s", e.line, e.text);
	assert_int_equal(ww_contracts_parse(WW_SLICE_LIT(CONTRACT), &r->contracts, &e), 0);
	assert_int_equal(ww_phrases_bind(r->phrases, r->contracts), 0);
	assert_int_equal(ww_phrase_scanner_new(r->phrases, &r->scanner), 0);
	ww_digest_key_init(&r->key, key);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct rig *r = *state;

	ww_phrase_scanner_free(r->scanner);
	ww_phrases_free(r->phrases);
	ww_contracts_free(r->contracts);
	free(r);
	return 0;
}

static struct ww_phrases_said scan(struct rig *r, struct ww_slice text, unsigned kinds)
{
	struct ww_phrases_said said = {0};

	ww_phrase_scan(r->scanner, text, kinds, &r->key, &said);
	return said;
}

/* The claim's bytes in the text; "" when it makes none. */
static void expect(struct rig *r, const char *text, const char *span)
{
	struct ww_phrases_said said = scan(r, ww_slice_str(text), 1u << WW_PHRASE_DONE);
	struct ww_sha256 d;
	struct ww_slice got;

	if (said.count != (span[0] != '\0'))
		fail_msg("%u claims in: %s", said.count, text);
	assert_false(said.over);
	if (said.count == 0)
		return;
	got = ww_slice_sub(ww_slice_str(text), said.items[0].from, said.items[0].bytes);
	if (!ww_slice_eq_str(got, span))
		fail_msg("'%.*s', expected '%s'", (int)got.n, (const char *)got.p, span);
	ww_digest(&r->key, got, &d);
	assert_memory_equal(d.b, said.items[0].digest.b, sizeof(d.b));
	assert_string_equal(r->phrases->rules[said.items[0].rule].id, "sent");
}

static void test_places(void **state)
{
	struct rig *r = *state;

	expect(r, "I sent it.", "I sent it");
	expect(r, "Well. i SENT  it!", "i SENT  it");
	expect(r, "**I** `x` and I _sent_ **it**, done", "I _sent_ **it**"); /* marks included */
	expect(r, "\xf0\x9f\x8e\x89 \xe2\x80\x94 I sent\xc2\xa0it\xe2\x80\xa6", "I sent\xc2\xa0it");
	expect(r, "\n\n  - one\n  - I sent it\n", "I sent it");
	expect(r, "First I looked at\nall of it, then I sent\nit away", "I sent\nit");
	expect(r, "1. Look\n2) I sent it", "I sent it");
	expect(r, "- [x] I sent it", "I sent it");
	expect(r, "No. 5: I sent it", "I sent it");
	expect(r, "I sent it", "I sent it");
	expect(r, "I sent it, I sent it. I sent it.", "I sent it"); /* once */
}

static void test_not_the_writers(void **state)
{
	struct rig *r = *state;

	expect(r, "", "");
	expect(r, "You said \"I sent it\" twice", "");
	expect(r, "You said \xe2\x80\x9cI sent it\xe2\x80\x9d twice", "");
	expect(r, "You said \xc2\xabI sent it\xc2\xbb twice", "");
	expect(r, "You said 'I sent it' twice", "");
	expect(r, "Run `I sent it` now", "");
	expect(r, "> I sent it", "");
	expect(r, "# I sent it", "");
	expect(r, "| I sent it | x |", "");
	expect(r, "- [ ] I sent it", "");
	expect(r, "```\nI sent it\n```\n", "");
	expect(r, "~~~\nI sent it", "");
	/* A guard looks at its own sentence only. */
	expect(r, "It is not so that I sent it.", "");
	expect(r, "Do not worry. I sent it.", "I sent it");
	expect(r, "Do not worry; I sent it.", "I sent it");
	expect(r, "Not so\nI sent it", "I sent it");
	/* But one that looks above it at the text as it is. */
	expect(r, "A DRAFT: I sent it.", "I sent it");
	expect(r, "A DRAFT: Hello. I sent it.", "");
	expect(r, "# DRAFT\n\nHello.\n\nI sent it", "");
	expect(r, "A draft. I sent it. DRAFT.", "I sent it");
	/* No sentence runs over its end, and what is after a quotation counts. */
	expect(r, "I. sent it", "");
	expect(r, "\"Fine\", he said. I sent it", "I sent it");
	expect(r, "it's 5\" wide, I sent it", "I sent it"); /* no quotation */
	expect(r, "\xe2\x80\x98", "");
	expect(r, "\xe2\x80", "");
}

/* Text, sentences and claims that are longer than what is looked at are told, not guessed. */
static void test_ceilings(void **state)
{
	const size_t n = WW_PROSE_BYTES_MAX + 100;
	WW_AUTO_FREE char *text = malloc(n + 1);
	struct rig *r = *state;
	struct ww_phrases_said said;

	assert_non_null(text);
	memset(text, 'a', n);
	said = scan(r, ww_slice(text, n), ~0u);
	assert_true(said.over);
	memcpy(text + n - 50, ". I sent it", 11);
	said = scan(r, ww_slice(text, n), ~0u);
	assert_true(said.over && said.count == 0);
	memcpy(text + 1000, ". I sent it. ", 13);
	said = scan(r, ww_slice(text, n), ~0u);
	assert_true(said.over && said.count == 1);
	/* A sentence: its begin is looked at. */
	memset(text, 'a', n);
	memcpy(text, "I sent it ", 10);
	said = scan(r, ww_slice(text, 2000), ~0u);
	assert_true(said.over && said.count == 1);
}

/* Rules that backtrack without end stop, and a text full of them, too. */
static void test_steps(void **state)
{
	struct rig *r = *state;
	WW_AUTO_FREE char *text = malloc(WW_PROSE_BYTES_MAX);
	struct ww_phrases_said said;
	size_t n = 0;

	assert_non_null(text);
	while (n + 64 < WW_PROSE_BYTES_MAX) {
		memset(text + n, 'e', 63);
		memcpy(text + n, "evil ", 5);
		text[n + 63] = '\n';
		n += 64;
	}
	said = scan(r, ww_slice(text, n), ~0u);
	assert_true(said.over);
	assert_int_equal(said.count, 0);
	/* It took nothing from what comes after. */
	said = scan(r, WW_SLICE_LIT("I sent it"), ~0u);
	assert_true(!said.over && said.count == 1);
}

/* Where nothing is bound nothing is read. */
static void test_unbound(void **state)
{
	struct rig *r = *state;
	static const struct ww_contracts none;
	struct ww_phrases_said said;

	assert_int_equal(ww_phrases_bind(r->phrases, &none), 0);
	said = scan(r, WW_SLICE_LIT("I sent it"), ~0u);
	assert_true(said.count == 0 && !said.over);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_places, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_the_writers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ceilings, setup, teardown),
		cmocka_unit_test_setup_teardown(test_steps, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unbound, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
