/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/guard_list.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>

#include "policy/where.h"

#define MAPPED_BITS 96u
#define LEVELS      130u /* prefixes that lie in each other, and the one before all */

/* A prefix of the one trie: IPv4 as IPv4-mapped. */
struct place {
	uint8_t addr[16];
	uint8_t bits;
};

struct rule {
	struct place at;
	struct ww_guard_rule rule;
	uint32_t seq;
};

struct ww_guard_list {
	struct rule *rules; /* sealed: in order of their places, then of layers, then as added */
	uint32_t rule_count, rule_cap;
	struct ww_guard_entry *entries;
	uint32_t entry_count;
	char (*texts)[WW_GUARD_TEXT_BYTES + 1];
	uint32_t text_count, text_cap;
	bool sealed;
};

/* What the layers say at a place, by agents. */
struct state {
	uint64_t deny[WW_GUARD_LAYERS];
	uint64_t allow[WW_GUARD_LAYERS];
};

struct level {
	struct place at;
	struct state state;
	uint64_t told; /* of the last entry around it, or its own */
};

int ww_guard_list_new(struct ww_guard_list **ret)
{
	struct ww_guard_list *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	*ret = l;
	return 0;
}

void ww_guard_list_free(struct ww_guard_list *l)
{
	if (!l)
		return;
	free(l->rules);
	free(l->entries);
	free(l->texts);
	free(l);
}

/* --- places ------------------------------------------------------------------------------------
 */

static struct place place_of(const struct ww_cidr *c)
{
	struct place p = {.bits = c->bits};

	if (c->family != AF_INET) {
		memcpy(p.addr, c->addr, 16);
		return p;
	}
	p.addr[10] = p.addr[11] = 0xff;
	memcpy(p.addr + 12, c->addr, 4);
	p.bits = (uint8_t)(c->bits + MAPPED_BITS);
	return p;
}

static struct place place_of_endpoint(const struct ww_endpoint *e)
{
	struct ww_cidr c = {.bits = e->family == AF_INET ? 32 : 128, .family = (uint8_t)e->family};

	memcpy(c.addr, e->addr, e->family == AF_INET ? 4 : 16);
	return place_of(&c);
}

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	return memcmp(a, b, whole) == 0 &&
	       (rest == 0 || ((a[whole] ^ b[whole]) & (uint8_t)(0xff00u >> rest)) == 0);
}

/* Whether `inner` is `outer`, or lies in it. */
static bool lies_in(const struct place *inner, const struct place *outer)
{
	return inner->bits >= outer->bits && same_bits(inner->addr, outer->addr, outer->bits);
}

/* In order of addresses; what is around something comes before it. */
static int compare_places(const struct place *a, const struct place *b)
{
	int r = memcmp(a->addr, b->addr, sizeof(a->addr));

	return r ? r : (int)a->bits - (int)b->bits;
}

/* --- adding ------------------------------------------------------------------------------------
 */

static int grow(void **items, uint32_t count, uint32_t *cap, size_t size)
{
	uint32_t want = *cap ? *cap * 2 : 16;
	void *p;

	if (count < *cap)
		return 0;
	p = reallocarray(*items, want, size);
	if (!p)
		return -ENOMEM;
	*items = p;
	*cap = want;
	return 0;
}

int ww_guard_list_text_add(struct ww_guard_list *l, struct ww_slice text, uint32_t *ret_text)
{
	size_t n = text.n < WW_GUARD_TEXT_BYTES ? text.n : WW_GUARD_TEXT_BYTES;
	int r = grow((void **)&l->texts, l->text_count, &l->text_cap, sizeof(*l->texts));

	if (r < 0)
		return r;
	if (n)
		memcpy(l->texts[l->text_count], text.p, n);
	l->texts[l->text_count][n] = '\0';
	*ret_text = l->text_count++;
	return 0;
}

struct ww_slice ww_guard_list_text(const struct ww_guard_list *l, uint32_t text)
{
	return text < l->text_count ? ww_slice_str(l->texts[text]) : WW_SLICE_NULL;
}

int ww_guard_list_add(struct ww_guard_list *l, const struct ww_guard_rule *rule)
{
	int r;

	assert(!l->sealed);
	if (l->rule_count >= WW_GUARD_RULES_MAX)
		return -E2BIG;
	r = grow((void **)&l->rules, l->rule_count, &l->rule_cap, sizeof(*l->rules));
	if (r < 0)
		return r;
	l->rules[l->rule_count] =
		(struct rule){.at = place_of(&rule->prefix), .rule = *rule, .seq = l->rule_count};
	l->rule_count++;
	return 0;
}

/* 0.0.0.0 and :: lead to this host as well. */
static bool is_own(const struct ww_cidr *c)
{
	return c->family == AF_INET ? c->addr[0] == 0 || c->addr[0] == 127 : c->bits == 127;
}

int ww_guard_list_add_all(struct ww_guard_list *l, const struct ww_guard_rule *rule)
{
	struct ww_guard_rule one = *rule;
	const struct ww_cidr *c;
	int r = 0;

	for (unsigned i = 0; r == 0 && (c = ww_where_apart_at(i)); i++) {
		one.prefix = *c;
		if (!is_own(c))
			r = ww_guard_list_add(l, &one);
	}
	one.prefix = (struct ww_cidr){.family = AF_INET};
	if (r == 0)
		r = ww_guard_list_add(l, &one);
	one.prefix.family = AF_INET6;
	return r < 0 ? r : ww_guard_list_add(l, &one);
}

uint32_t ww_guard_list_rules(const struct ww_guard_list *l)
{
	return l->rule_count;
}

/* --- sealing -----------------------------------------------------------------------------------
 */

static int by_place(const void *va, const void *vb)
{
	const struct rule *a = va, *b = vb;
	int r = compare_places(&a->at, &b->at);

	if (r == 0)
		r = (int)a->rule.layer - (int)b->rule.layer;
	if (r == 0)
		r = a->seq < b->seq ? -1 : 1;
	return r;
}

static int by_address(const void *a, const void *b)
{
	return compare_places(a, b);
}

static void apply(struct state *s, const struct ww_guard_rule *r)
{
	if (r->deny) {
		s->deny[r->layer] |= r->agents;
		s->allow[r->layer] &= ~r->agents;
	} else {
		s->allow[r->layer] |= r->agents;
		s->deny[r->layer] &= ~r->agents;
	}
}

static uint64_t denied(const struct state *s)
{
	uint64_t deny = 0, decided = 0;

	for (unsigned i = WW_GUARD_LAYERS; i-- > 0;) {
		deny |= s->deny[i] & ~decided;
		decided |= s->deny[i] | s->allow[i];
	}
	return deny;
}

/* Places at which what is around them does not count as before, in order: all, IPv4, the local
 * networks. */
struct borders {
	struct place at[32];
	unsigned count;
};

static void find_borders(struct borders *b)
{
	static const struct ww_cidr four = {.family = AF_INET};
	const struct ww_cidr *c;

	b->at[0] = (struct place){.bits = 0};
	b->at[1] = place_of(&four);
	for (b->count = 2; (c = ww_where_apart_at(b->count - 2)); b->count++) {
		assert(b->count < WW_ARRAY_SIZE(b->at));
		b->at[b->count] = place_of(c);
	}
	qsort(b->at, b->count, sizeof(b->at[0]), by_address);
}

static bool is_four(const struct place *p)
{
	static const struct ww_cidr four = {.family = AF_INET};
	struct place all = place_of(&four);

	return compare_places(p, &all) == 0;
}

/* Invariant 2, and: a rule about IPv6 networks says nothing of IPv4. */
static void cross_border(struct state *s, const struct place *at)
{
	if (is_four(at))
		*s = (struct state){.deny = {0}};
	memset(s->deny, 0, sizeof(s->deny));
}

struct walk {
	struct ww_guard_list *list;
	struct level levels[LEVELS];
	unsigned depth;
	uint32_t cap;
};

static int put_entry(struct walk *w, const struct place *at, uint64_t deny)
{
	struct ww_guard_list *l = w->list;
	int r;

	if (l->entry_count >= WW_GUARD_PREFIXES_MAX)
		return -E2BIG;
	r = grow((void **)&l->entries, l->entry_count, &w->cap, sizeof(*l->entries));
	if (r < 0)
		return r;
	l->entries[l->entry_count] = (struct ww_guard_entry){.bits = at->bits, .deny = deny};
	memcpy(l->entries[l->entry_count].addr, at->addr, sizeof(at->addr));
	l->entry_count++;
	return 0;
}

/* The next place, with the rules at it: [from, to). */
static int visit(struct walk *w, const struct place *at, bool border, uint32_t from, uint32_t to)
{
	struct level *l;
	uint64_t deny;

	while (w->depth > 0 && !lies_in(at, &w->levels[w->depth - 1].at))
		w->depth--;
	assert(w->depth < LEVELS);
	l = &w->levels[w->depth];
	*l = w->depth ? w->levels[w->depth - 1] : (struct level){.told = 0};
	l->at = *at;
	w->depth++;
	if (border)
		cross_border(&l->state, at);
	for (uint32_t i = from; i < to; i++)
		apply(&l->state, &w->list->rules[i].rule);
	deny = denied(&l->state);
	if (w->depth > 1 && deny == l->told)
		return 0;
	l->told = deny;
	return put_entry(w, at, deny);
}

static int make_entries(struct ww_guard_list *l)
{
	WW_AUTO_FREE struct walk *w = calloc(1, sizeof(*w));
	struct borders borders;
	uint32_t rule = 0;
	unsigned border = 0;
	int r = 0;

	if (!w)
		return -ENOMEM;
	w->list = l;
	find_borders(&borders);
	while (r == 0 && (rule < l->rule_count || border < borders.count)) {
		int order = rule >= l->rule_count ? 1
			    : border >= borders.count
				    ? -1
				    : compare_places(&l->rules[rule].at, &borders.at[border]);
		struct place at = order > 0 ? borders.at[border] : l->rules[rule].at;
		uint32_t from = rule;

		while (order <= 0 && rule < l->rule_count &&
		       compare_places(&l->rules[rule].at, &at) == 0)
			rule++;
		border += order >= 0;
		r = visit(w, &at, order >= 0, from, rule);
	}
	return r;
}

int ww_guard_list_seal(struct ww_guard_list *l)
{
	assert(!l->sealed);
	l->sealed = true;
	if (l->rule_count)
		qsort(l->rules, l->rule_count, sizeof(*l->rules), by_place);
	return make_entries(l);
}

/* --- asking ------------------------------------------------------------------------------------
 */

const struct ww_guard_entry *ww_guard_list_entries(const struct ww_guard_list *l,
						   uint32_t *ret_count)
{
	*ret_count = l->entry_count;
	return l->entries;
}

struct ww_sha256 ww_guard_list_digest(const struct ww_guard_list *l)
{
	struct ww_sha256_ctx c;
	struct ww_sha256 h;

	ww_sha256_begin(&c);
	for (uint32_t i = 0; i < l->entry_count; i++) {
		const struct ww_guard_entry *e = &l->entries[i];
		uint8_t line[25];

		memcpy(line, e->addr, sizeof(e->addr));
		line[16] = e->bits;
		for (unsigned k = 0; k < 8; k++)
			line[17 + k] = (uint8_t)(e->deny >> (56 - 8 * k));
		ww_sha256_add(&c, ww_slice(line, sizeof(line)));
	}
	ww_sha256_end(&c, &h);
	return h;
}

static void cut(struct place *p, unsigned bits)
{
	unsigned whole = bits / 8;

	p->bits = (uint8_t)bits;
	if (bits % 8) {
		p->addr[whole] &= (uint8_t)(0xff00u >> bits % 8);
		whole++;
	}
	memset(p->addr + whole, 0, sizeof(p->addr) - whole);
}

/* The rules at exactly this place: [*ret_from, return). */
static uint32_t rules_at(const struct ww_guard_list *l, const struct place *at, uint32_t *ret_from)
{
	uint32_t low = 0, high = l->rule_count;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (compare_places(&l->rules[mid].at, at) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	*ret_from = low;
	while (low < l->rule_count && compare_places(&l->rules[low].at, at) == 0)
		low++;
	return low;
}

/* Bits that a denial's prefix has at least to reach the address. */
static unsigned local_bits(const struct ww_endpoint *to)
{
	const struct ww_cidr *c = ww_where_apart(to);

	return c ? place_of(c).bits : 0;
}

/* The rule of this layer that decides for one agent; NULL: none. */
static const struct ww_guard_rule *decides(const struct ww_guard_list *l, unsigned layer,
					   uint64_t agent, const struct ww_endpoint *to)
{
	static const struct ww_cidr four = {.family = AF_INET};
	struct place all = place_of(&four), at = place_of_endpoint(to);
	unsigned least = lies_in(&at, &all) ? MAPPED_BITS : 0, local = local_bits(to);

	for (unsigned bits = 129; bits-- > least;) {
		uint32_t from, i;

		cut(&at, bits);
		i = rules_at(l, &at, &from);
		while (i-- > from) {
			const struct ww_guard_rule *r = &l->rules[i].rule;

			if (r->layer == layer && (r->agents & agent))
				return r->deny && bits < local ? NULL : r;
		}
	}
	return NULL;
}

const struct ww_guard_rule *ww_guard_list_why(const struct ww_guard_list *l, uint64_t agents,
					      const struct ww_endpoint *to, unsigned *ret_agent)
{
	unsigned agent = agents ? (unsigned)__builtin_ctzll(agents) : 0;
	const struct ww_guard_rule *r = NULL;

	for (unsigned layer = WW_GUARD_LAYERS; agents && !r && layer-- > 0;)
		r = decides(l, layer, 1ull << agent, to);
	if (!r || !r->deny)
		return NULL;
	*ret_agent = agent;
	return r;
}
