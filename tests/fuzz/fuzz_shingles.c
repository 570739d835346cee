/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies of prompts. The input is a prompt and a body, parted by its first two bytes. Neither may
 * break what its reader promises; a prompt that can be found is found whole where it is told twice;
 * what comes out of a body is bounded; and a search leaves nothing to the next one.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "action/shingles.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HITS_MAX 8u

static size_t given;

static void count(void *ctx, struct ww_slice text, const char *packed)
{
	assert(strlen(packed) < WW_FORM_NAME_MAX);
	assert(text.n == 0 || text.p);
	given += text.n;
	(void)ctx;
}

static void check_symbols(struct ww_slice text)
{
	static uint8_t few[WW_SYMBOLS_ROOM], many[1 << 16];
	struct ww_symbols a, b;
	size_t n = 0, m;

	ww_symbols_init(&a, text);
	ww_symbols_init(&b, text);
	while ((m = ww_symbols_next(&a, many + n, sizeof(many) - n)) > 0)
		n += m;
	assert(n <= text.n);
	for (size_t at = 0; (m = ww_symbols_next(&b, few, sizeof(few))) > 0 || at < n; at += m)
		assert(m > 0 && at + m <= n && memcmp(many + at, few, m) == 0);
	for (size_t i = 0; i < n; i++)
		assert(many[i] >= 0x80 || (many[i] >= '0' && many[i] <= '9') ||
		       (many[i] >= 'a' && many[i] <= 'z'));
}

static unsigned find(struct ww_shingles *s, struct ww_slice body, struct ww_shingle_hit *hits,
		     bool *partial)
{
	unsigned n = ww_shingles_find(s, body, hits, HITS_MAX, partial);

	assert(n <= HITS_MAX);
	for (unsigned i = 0; i < n; i++) {
		assert(hits[i].shared >= WW_SHINGLE_SHARED_MIN && hits[i].shared <= hits[i].of);
		assert(hits[i].form[0] && memchr(hits[i].form, 0, sizeof(hits[i].form)));
	}
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ww_shingle_hit hits[HITS_MAX], again[HITS_MAX];
	static struct ww_shingles *s;
	static struct ww_forms *forms;
	struct ww_actor_key root = {.pid = 1};
	struct ww_slice prompt, body;
	bool partial, partial_again;
	uint32_t shingles;
	unsigned n;

	if (size < 2 || size > 60000)
		return 0;
	if (!s && (ww_shingles_new((const uint8_t[32]){7}, &s) < 0 || ww_forms_new(&forms) < 0))
		abort();
	n = (unsigned)(data[0] | data[1] << 8);
	prompt = ww_slice_sub(ww_slice(data + 2, size - 2), 0, n);
	body = ww_slice_sub(ww_slice(data + 2, size - 2), prompt.n, size);
	check_symbols(prompt);
	check_symbols(body);
	given = 0;
	partial = !ww_forms_walk(forms, body, count, NULL);
	assert(given <= body.n + 2 * WW_FORMS_BYTES_MAX);

	if (ww_shingles_add(s, 1, root, prompt, &shingles) < 0)
		abort();
	n = find(s, body, hits, &partial_again);
	assert(!shingles || partial == partial_again);
	assert(n == find(s, body, again, &partial_again));
	assert(memcmp(hits, again, n * sizeof(hits[0])) == 0);
	/* Itself; where it is but a packed stream, what it holds is looked at instead. */
	if (shingles && find(s, prompt, hits, &partial) > 0)
		assert(hits[0].owner == 1 && hits[0].of >= shingles);
	ww_shingles_forget(s, 1);
	assert(find(s, prompt, hits, &partial) == 0);
	return 0;
}
