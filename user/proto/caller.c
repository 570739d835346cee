/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/caller.h"

/* Words of a field's name. "key" and "user" also stand in names that have nothing to do with who
 * asks: there OTHER stands beside them. */
enum { SURELY, MAYBE, OTHER, KINDS };

#define WORD_BYTES_MAX   14
#define WORDS_PER_LENGTH 10 /* at most one less, so that a row has an end */

struct word {
	char text[WORD_BYTES_MAX + 1];
	uint8_t kind;
};

/* By length: nearly every field of every request is held against them. */
static const struct word words[WORD_BYTES_MAX + 1][WORDS_PER_LENGTH] = {
	/* clang-format off */
	[2] = {{"ch", OTHER}},
	[3] = {{"key", MAYBE}, {"org", MAYBE}},
	[4] = {{"auth", SURELY}, {"cert", SURELY}, {"user", MAYBE}, {"team", MAYBE},
	       {"role", MAYBE}, {"shop", MAYBE}, {"site", MAYBE}, {"span", OTHER}},
	[5] = {{"authn", SURELY}, {"authz", SURELY}, {"token", SURELY}, {"realm", MAYBE},
	       {"store", MAYBE}, {"group", MAYBE}, {"agent", OTHER}, {"trace", OTHER},
	       {"fetch", OTHER}},
	[6] = {{"cookie", SURELY}, {"secret", SURELY}, {"passwd", SURELY}, {"apikey", SURELY},
	       {"userid", MAYBE}, {"tenant", MAYBE}, {"behalf", MAYBE}},
	[7] = {{"session", SURELY}, {"account", MAYBE}, {"project", MAYBE}, {"subject", MAYBE},
	       {"company", MAYBE}, {"request", OTHER}},
	[8] = {{"password", SURELY}, {"username", MAYBE}, {"tenantid", MAYBE},
	       {"customer", MAYBE}, {"identity", MAYBE}, {"merchant", MAYBE}},
	[9] = {{"sessionid", SURELY}, {"signature", SURELY}, {"accountid", MAYBE},
	       {"workspace", MAYBE}, {"principal", MAYBE}, {"websocket", OTHER}},
	[10] = {{"credential", SURELY}},
	[11] = {{"credentials", SURELY}, {"certificate", SURELY}, {"impersonate", MAYBE},
		{"idempotency", OTHER}, {"correlation", OTHER}},
	[12] = {{"organization", MAYBE}, {"organisation", MAYBE}},
	[13] = {{"authorization", SURELY}},
	[14] = {{"authentication", SURELY}},
	/* clang-format on */
};

/* In small letters, as much of it as `out` has room for: WW_CALLER_NAME_MAX bytes. */
static struct ww_slice lower(struct ww_slice in, uint8_t *out)
{
	in = ww_slice_sub(in, 0, WW_CALLER_NAME_MAX);
	for (size_t i = 0; i < in.n; i++)
		out[i] = in.p[i] >= 'A' && in.p[i] <= 'Z' ? in.p[i] | 0x20 : in.p[i];
	return ww_slice(out, in.n);
}

static bool is_separator(uint8_t c)
{
	return c == '-' || c == '_' || c == '.';
}

static void note(struct ww_slice word, bool found[KINDS])
{
	if (word.n > WORD_BYTES_MAX)
		return;
	for (const struct word *w = words[word.n]; w->text[0]; w++)
		if (w->text[0] == word.p[0] && memcmp(w->text, word.p, word.n) == 0)
			found[w->kind] = true;
}

bool ww_caller_field(struct ww_slice name)
{
	uint8_t text[WW_CALLER_NAME_MAX];
	bool found[KINDS] = {false};

	if (name.n >= WW_CALLER_NAME_MAX)
		return true;
	name = lower(name, text);
	for (size_t at = 0, end; at < name.n; at = end + 1) {
		end = at;
		while (end < name.n && !is_separator(name.p[end]))
			end++;
		note(ww_slice_sub(name, at, end - at), found);
	}
	return found[SURELY] || (found[MAYBE] && !found[OTHER]);
}

void ww_caller_begin(struct ww_caller *c, const struct ww_digest_key *k, struct ww_slice name)
{
	uint8_t text[WW_CALLER_NAME_MAX];

	ww_digest_begin(&c->value, k);
	for (size_t at = 0; at < name.n; at += WW_CALLER_NAME_MAX)
		ww_digest_add(&c->value, lower(ww_slice_sub(name, at, name.n), text));
	ww_digest_add(&c->value, WW_SLICE_LIT(":"));
}

void ww_caller_add(struct ww_caller *c, struct ww_slice piece)
{
	ww_digest_add(&c->value, piece);
}

void ww_caller_end(struct ww_caller *c)
{
	struct ww_sha256 d;
	uint64_t n;

	ww_digest_end(&c->value, &d);
	memcpy(&n, d.b, sizeof(n));
	c->sum += n;
}
