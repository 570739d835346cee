/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Phrase rules and prose. Up to the first NUL: a user's pack beside the product's; behind it: a
 * text, which is scanned by it, or by the product's pack alone when it was refused. Claims lie in
 * the text, their digests are those of their bytes, and two scans say the same.
 */
#include "action/phrase.h"

#include <assert.h>
#include <errno.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char contracts[] = "version: 1\ncontracts:\n"
				"- {tool: refund_order, effect: network, destinations: [{name: "
				"a.test}], methods: [POST], paths: [/]}\n"
				"- {tool: send_mail, effect: network, destinations: [{name: "
				"a.test}], methods: [POST], paths: [/]}\n";

static void check(const struct ww_phrases *p, const struct ww_digest_key *key, struct ww_slice text,
		  const struct ww_phrases_said *said)
{
	assert(said->count <= WW_PHRASES_SAID_MAX);
	for (unsigned i = 0; i < said->count; i++) {
		const struct ww_phrase_said *s = &said->items[i];
		struct ww_sha256 d;

		assert(s->rule < p->rule_count && p->rules[s->rule].kind == s->kind &&
		       p->rules[s->rule].topic == s->topic);
		assert(s->bytes > 0 && s->from + s->bytes <= text.n &&
		       s->from + s->bytes <= WW_PROSE_BYTES_MAX);
		ww_digest(key, ww_slice_sub(text, s->from, s->bytes), &d);
		assert(memcmp(d.b, s->digest.b, sizeof(d.b)) == 0);
	}
}

static void scan(struct ww_phrases *p, struct ww_slice text)
{
	static const uint8_t secret[32] = {3};
	WW_AUTO(ww_contracts_free_auto) struct ww_contracts *c = NULL;
	WW_AUTO(ww_phrase_scanner_free_auto) struct ww_phrase_scanner *s = NULL;
	struct ww_phrases_said said = {0}, again = {0};
	struct ww_contract_error e = {0};
	struct ww_digest_key key;

	ww_digest_key_init(&key, secret);
	if (ww_contracts_parse(WW_SLICE_LIT(contracts), &c, &e) < 0 || ww_phrases_bind(p, c) < 0 ||
	    ww_phrase_scanner_new(p, &s) < 0)
		return;
	ww_phrase_scan(s, text, ~0u, &key, &said);
	check(p, &key, text, &said);
	ww_phrase_scan(s, text, ~0u, &key, &again);
	assert(memcmp(&said, &again, sizeof(said)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ww_slice in = ww_slice(data, size);
	size_t end = ww_slice_find(in, 0, '\0');
	WW_AUTO(ww_phrases_free_auto) struct ww_phrases *p = NULL;
	static struct ww_phrases *own; /* compiling it takes longer than all else */
	struct ww_contract_error e = {0};
	int r = -EINVAL;

	if (!own && ww_phrases_parse(ww_phrases_default(), WW_SLICE_NULL, &own, &e) < 0)
		return 0;
	if (end > 0) {
		r = ww_phrases_parse(ww_phrases_default(), ww_slice_sub(in, 0, end), &p, &e);
		assert(r == 0 || (!p && (r == -ENOMEM || e.text[0])));
	}
	scan(r == 0 ? p : own, ww_slice_sub(in, end + 1, SIZE_MAX));
	return 0;
}
