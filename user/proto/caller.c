/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/caller.h"

/* Words of a field's name. "key" and "user" also stand in names that have nothing to do with who
 * asks: there OTHER stands beside them. */
enum { SURELY, MAYBE, OTHER, KINDS };

static const struct word {
	const char *text;
	uint8_t n, kind;
} words[] = {
#define W(text_, kind_)                             \
	{                                           \
		(text_), sizeof(text_) - 1, (kind_) \
	}
	/* clang-format off */
	W("authorization", SURELY), W("authentication", SURELY), W("auth", SURELY),
	W("authn", SURELY), W("authz", SURELY), W("token", SURELY), W("cookie", SURELY),
	W("secret", SURELY), W("credential", SURELY), W("credentials", SURELY),
	W("password", SURELY), W("passwd", SURELY), W("session", SURELY),
	W("sessionid", SURELY), W("signature", SURELY), W("apikey", SURELY),
	W("certificate", SURELY), W("cert", SURELY),
	W("key", MAYBE), W("user", MAYBE), W("userid", MAYBE), W("username", MAYBE),
	W("account", MAYBE), W("accountid", MAYBE), W("tenant", MAYBE), W("tenantid", MAYBE),
	W("org", MAYBE), W("organization", MAYBE), W("organisation", MAYBE),
	W("project", MAYBE), W("workspace", MAYBE), W("team", MAYBE), W("customer", MAYBE),
	W("subject", MAYBE), W("principal", MAYBE), W("identity", MAYBE), W("role", MAYBE),
	W("impersonate", MAYBE), W("behalf", MAYBE), W("realm", MAYBE), W("shop", MAYBE),
	W("store", MAYBE), W("merchant", MAYBE), W("company", MAYBE), W("site", MAYBE),
	W("group", MAYBE),
	W("idempotency", OTHER), W("agent", OTHER), W("request", OTHER),
	W("correlation", OTHER), W("trace", OTHER), W("span", OTHER), W("websocket", OTHER),
	W("fetch", OTHER), W("ch", OTHER),
	/* clang-format on */
};

static bool is_separator(uint8_t c)
{
	return c == '-' || c == '_' || c == '.';
}

static void note(struct ww_slice word, bool found[KINDS])
{
	for (unsigned i = 0; i < WW_ARRAY_SIZE(words); i++) {
		if (words[i].n == word.n && ww_slice_ieq_str(word, words[i].text))
			found[words[i].kind] = true;
	}
}

bool ww_caller_field(struct ww_slice name)
{
	bool found[KINDS] = {[SURELY] = name.n >= WW_CALLER_NAME_MAX};

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
	ww_digest_begin(&c->value, k);
	for (size_t i = 0; i < name.n; i++) {
		uint8_t lower = name.p[i] >= 'A' && name.p[i] <= 'Z' ? name.p[i] | 0x20 : name.p[i];

		ww_digest_add(&c->value, ww_slice(&lower, 1));
	}
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
