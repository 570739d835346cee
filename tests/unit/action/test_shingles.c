/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "action/shingles.h"

static struct ww_shingles *s;
static char text[1 << 20];
static struct ww_shingle_hit hits[WW_SHINGLES_ALL_OWNERS_MAX];
static bool partial;

static int setup(void **state)
{
	static const uint8_t key[32] = "unit test key";

	return ww_shingles_new(key, &s);
}

static int teardown(void **state)
{
	ww_shingles_free(s);
	return 0;
}

/* Words that no other seed has. */
static struct ww_slice words(uint64_t seed, size_t n)
{
	size_t at = 0;

	while (at + 32 < n) {
		uint64_t z = seed += 0x9e3779b97f4a7c15ull;

		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
		z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
		for (unsigned letters = 3 + z % 7; letters > 0; letters--, z /= 26)
			text[at++] = (char)('a' + z % 26);
		text[at++] = ' ';
	}
	return ww_slice(text, at);
}

static uint32_t add(uint64_t owner, uint32_t agent, struct ww_slice prompt)
{
	uint32_t count = UINT32_MAX;

	assert_int_equal(
		ww_shingles_add(s, owner, (struct ww_actor_key){.pid = agent}, prompt, &count), 0);
	return count;
}

static unsigned find(struct ww_slice body)
{
	return ww_shingles_find(s, body, hits, WW_SHINGLES_ALL_OWNERS_MAX, &partial);
}

static struct ww_shingles_stats stats(void)
{
	struct ww_shingles_stats now;

	ww_shingles_stats(s, &now);
	return now;
}

static void a_copy_is_found_until_it_is_forgotten(void **state)
{
	uint32_t n = add(7, 1, words(1, 500));

	assert_true(n > 30 && n < 60);
	assert_int_equal(add(7, 1, words(1, 500)), n);
	assert_int_equal(stats().owners, 1);
	assert_int_equal(find(words(1, 500)), 1);
	assert_int_equal(hits[0].owner, 7);
	assert_int_equal(hits[0].shared, n);
	assert_int_equal(hits[0].of, n);
	assert_string_equal(hits[0].form, "plain");
	assert_false(partial);
	assert_int_equal(find(words(2, 500)), 0);
	/* One search leaves nothing to the next. */
	assert_int_equal(find(words(1, 200)), 0);
	assert_int_equal(find(ww_slice_sub(words(1, 500), 200, 500)), 1);
	assert_true(hits[0].shared < n);
	ww_shingles_forget(s, 8);
	assert_int_equal(find(words(1, 500)), 1);
	ww_shingles_forget(s, 7);
	assert_int_equal(find(words(1, 500)), 0);
	assert_int_equal(stats().owners + stats().texts + stats().pieces, 0);
}

static void one_owner_can_have_several_texts(void **state)
{
	add(7, 1, words(1, 500));
	add(7, 1, words(2, 500));
	add(8, 1, words(2, 500));
	assert_int_equal(stats().texts, 2);
	assert_int_equal(find(words(2, 500)), 2);
	assert_int_equal(hits[0].owner, 8); /* the last first */
	assert_int_equal(hits[1].owner, 7);
	assert_int_equal(ww_shingles_find(s, words(2, 500), hits, 1, &partial), 1);
	assert_int_equal(hits[0].owner, 8);
	assert_int_equal(ww_shingles_find(s, words(2, 500), hits, 0, &partial), 0);
	ww_shingles_forget(s, 7);
	assert_int_equal(find(words(1, 500)), 0);
	assert_int_equal(find(words(2, 500)), 1);
}

static void too_short_is_told(void **state)
{
	assert_int_equal(add(7, 1, WW_SLICE_NULL), 0);
	assert_int_equal(add(7, 1, WW_SLICE_LIT("What is the weather like in Paris?")), 0);
	assert_int_equal(stats().texts, 0);
	assert_true(add(7, 1, words(1, 200)) >= WW_SHINGLE_SHARED_MIN);
}

static void the_oldest_of_an_agent_goes_first(void **state)
{
	add(1, 1, words(1, 500)); /* another agent's */
	for (uint64_t i = 0; i < WW_SHINGLES_AGENT_OWNERS_MAX + 2; i++)
		add(100 + i, 2, words(1000 + i, 300));
	assert_int_equal(stats().owners, 1 + WW_SHINGLES_AGENT_OWNERS_MAX);
	assert_int_equal(stats().evicted, 2);
	assert_int_equal(find(words(1, 500)), 1);
	assert_int_equal(find(words(1000, 300)), 0);
	assert_int_equal(find(words(1001, 300)), 0);
	assert_int_equal(find(words(1002, 300)), 1);
	/* By how many shingles it has as well. */
	for (uint64_t i = 0; i < 12; i++)
		add(600 + i, 3, words(2000 + i, 20000));
	assert_true(stats().pieces <= WW_SHINGLES_ALL_MAX);
	assert_int_equal(find(words(2000, 20000)), 0);
	assert_int_equal(find(words(2011, 20000)), 1);
	assert_int_equal(find(words(1, 500)), 1);
}

static void all_have_ceilings(void **state)
{
	for (uint64_t i = 0; i < WW_SHINGLES_ALL_OWNERS_MAX + 50; i++) {
		add(i, (uint32_t)i / 100, words(i, 100 + i % 100));
		assert_true(stats().owners <= WW_SHINGLES_ALL_OWNERS_MAX);
	}
	assert_true(stats().owners > WW_SHINGLES_ALL_OWNERS_MAX / 2);
	for (uint64_t i = 0; i < 60; i++) {
		add(10000 + i, (uint32_t)i, words(10000 + i, 60000));
		assert_true(stats().pieces <= WW_SHINGLES_ALL_MAX);
	}
	assert_int_equal(find(words(10059, 60000)), 1);
	assert_int_equal(hits[0].shared, hits[0].of);
	/* Of one text. */
	assert_int_equal(stats().cut, 0);
	assert_int_equal(add(1 << 20, 1, words(5, sizeof(text))), WW_SHINGLES_TEXT_MAX);
	assert_int_equal(stats().cut, 1);
	assert_int_equal(find(words(5, 60000)), 1);
}

/* Every place of a hash was taken again several times by then. */
static void nothing_is_lost_in_the_long_run(void **state)
{
	for (uint64_t i = 0; i < 400; i++) {
		uint32_t n = add(i, (uint32_t)(i % 5), words(i, 12000));

		if (i % 16 == 0) {
			assert_int_equal(find(words(i, 12000)), 1);
			assert_int_equal(hits[0].shared, n);
			assert_int_equal(hits[0].of, n);
		}
		if (i % 3 == 0)
			ww_shingles_forget(s, i / 2);
	}
	for (uint64_t i = 0; i < 400; i++)
		ww_shingles_forget(s, i);
	assert_int_equal(stats().owners + stats().texts + stats().pieces, 0);
	assert_int_equal(find(words(399, 12000)), 0);
}

/* Nothing that a hit has is of the text: two texts of one shape give the same hit. */
static void a_hit_has_no_content(void **state)
{
	static const uint8_t other[32] = "another key";
	struct ww_shingle_hit first;
	uint32_t count;

	add(7, 1, words(1, 500));
	assert_int_equal(find(words(1, 500)), 1);
	first = hits[0];
	for (size_t i = sizeof("plain"); i < sizeof(first.form); i++)
		assert_int_equal(first.form[i], 0);
	/* Under another key other runs stand for it, often not even as many. */
	ww_shingles_free(s);
	assert_int_equal(ww_shingles_new(other, &s), 0);
	count = add(7, 1, words(1, 500));
	assert_int_equal(find(words(1, 500)), 1);
	assert_int_equal(hits[0].shared, count);
	assert_int_not_equal(count, first.of);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_copy_is_found_until_it_is_forgotten),
		T(one_owner_can_have_several_texts),
		T(too_short_is_told),
		T(the_oldest_of_an_agent_goes_first),
		T(all_have_ceilings),
		T(nothing_is_lost_in_the_long_run),
		T(a_hit_has_no_content),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
