/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariants:
 * 1. A node is of one hash. Its list has a piece of each text that has the hash, one per text.
 * 2. A node without pieces stays, with the count of texts that had it, until its place is needed:
 *    what is common is so for longer than prompts are remembered.
 * 3. The hash of every node with pieces that is not common is in the filter.
 * 4. A text lives as long as it has an owner; so does an agent.
 */
#include "action/shingles.h"

#include <errno.h>
#include <utlist.h>

#include "base/encode.h"
#include "base/hash.h"

#define NODES          (2 * WW_SHINGLES_ALL_MAX)
#define BUCKETS        WW_SHINGLES_ALL_MAX
#define TEXTS_KNOWN    8192u  /* by their digest, also forgotten ones; a place for each */
#define STALE_MAX      32768u /* hashes in the filter that are of no text any more */
#define EXPLAINS_SHARE 8u     /* a text explains what is of another that is there by less */
#define SPACE_LOOKED   4096u

struct node {
	uint64_t hash;
	uint32_t next;  /* in its bucket; 0: the last one */
	uint32_t piece; /* the list's first, 0: none */
	uint32_t texts; /* different ones that had it */
	uint32_t used;  /* since the hand came by */
};

struct piece {
	struct text *text;
	uint32_t node, next, prev;
	uint32_t at; /* which of the text's */
};

struct owner {
	uint64_t id, number; /* the later the higher */
	struct agent *agent;
	struct text *text;
	/* Lists, the oldest first: of all, of its agent, of its text. */
	struct owner *prev, *next, *agent_prev, *agent_next, *text_prev, *text_next;
	UT_hash_handle hh; /* by id, which can be there more than once */
};

struct agent {
	struct {
		uint64_t start_ns, pid;
	} key;
	struct owner *owners;
	uint32_t owner_count, pieces;
	UT_hash_handle hh;
};

struct text {
	uint64_t digest;
	struct owner *owners;
	uint32_t owner_count;
	uint32_t count; /* of piece[] and seen[] */
	bool cut;       /* the rest of it is not remembered */
	UT_hash_handle hh;
	/* Of a search: */
	struct text *next, *next_here; /* found in the body, in what is being read of it */
	uint32_t found, found_here, found_form;
	uint32_t shared, of;
	bool hit;
	char form[WW_FORM_NAME_MAX];
	uint8_t *seen; /* behind piece[] */
	uint32_t piece[];
};

struct ww_shingles {
	struct ww_winnow_key key;
	struct ww_forms *forms;
	struct owner *owners, *by_id;
	struct agent *agents;
	struct text *texts;
	struct ww_shingles_stats stats;
	uint64_t owners_ever;
	uint32_t nodes, hand; /* in use; where the next one to be taken again is looked for */
	uint32_t piece_top, piece_free;
	uint32_t stale;
	/* Of a search: */
	struct text *touched, *here;
	struct text *hits[WW_SHINGLES_ALL_OWNERS_MAX];
	struct ww_winnow_scan scan;
	/* Of a text that is added: */
	uint64_t hash[WW_SHINGLES_TEXT_MAX];
	uint32_t place[2 * WW_SHINGLES_TEXT_MAX];

	struct ww_winnow_filter filter;
	uint64_t known[TEXTS_KNOWN];
	uint32_t bucket[BUCKETS];
	/* Not touched before they are needed. */
	struct node node[NODES + 1];
	struct piece piece[WW_SHINGLES_ALL_MAX + 1];
};

int ww_shingles_new(const uint8_t key[32], struct ww_shingles **ret_shingles)
{
	struct ww_shingles *s WW_AUTO(ww_shingles_free_auto) = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	r = ww_forms_new(&s->forms);
	if (r < 0)
		return r;
	ww_winnow_key_init(&s->key, key);
	*ret_shingles = WW_TAKE(s);
	return 0;
}

/* --- hashes and the texts that have them ------------------------------------------------------ */

static uint32_t node_find(const struct ww_shingles *s, uint64_t hash)
{
	uint32_t n = s->bucket[hash % BUCKETS];

	while (n && s->node[n].hash != hash)
		n = s->node[n].next;
	return n;
}

static void node_leave(struct ww_shingles *s, uint32_t n)
{
	uint32_t *at = &s->bucket[s->node[n].hash % BUCKETS];

	while (*at != n)
		at = &s->node[*at].next;
	*at = s->node[n].next;
}

/* A place for another one: of those without pieces one that was not used for long. There are more
 * places than pieces. */
static uint32_t node_take(struct ww_shingles *s)
{
	if (s->nodes < NODES)
		return ++s->nodes;
	for (;;) {
		struct node *n;

		s->hand = s->hand % NODES + 1;
		n = &s->node[s->hand];
		if (n->piece)
			continue;
		if (!n->used) {
			node_leave(s, s->hand);
			return s->hand;
		}
		n->used = 0;
	}
}

static uint32_t node_of(struct ww_shingles *s, uint64_t hash)
{
	uint32_t *bucket = &s->bucket[hash % BUCKETS];
	uint32_t n = node_find(s, hash);

	if (!n) {
		n = node_take(s);
		s->node[n] = (struct node){.hash = hash, .next = *bucket};
		*bucket = n;
	}
	s->node[n].used = 1;
	return n;
}

static bool is_common(const struct ww_shingles *s, uint32_t n)
{
	return s->node[n].texts >= WW_SHINGLE_COMMON;
}

static void piece_add(struct ww_shingles *s, struct text *t, uint32_t n)
{
	uint32_t i = s->piece_free ? s->piece_free : ++s->piece_top;
	struct piece *p = &s->piece[i];

	if (s->piece_free)
		s->piece_free = p->next;
	*p = (struct piece){.text = t, .node = n, .next = s->node[n].piece, .at = t->count};
	if (p->next)
		s->piece[p->next].prev = i;
	s->node[n].piece = i;
	t->piece[t->count++] = i;
	s->stats.pieces++;
	if (!is_common(s, n))
		ww_winnow_filter_add(&s->filter, s->node[n].hash);
}

static void piece_remove(struct ww_shingles *s, uint32_t i)
{
	struct piece *p = &s->piece[i];

	if (p->next)
		s->piece[p->next].prev = p->prev;
	if (p->prev)
		s->piece[p->prev].next = p->next;
	else
		s->node[p->node].piece = p->next;
	s->stale += !s->node[p->node].piece;
	*p = (struct piece){.next = s->piece_free};
	s->piece_free = i;
	s->stats.pieces--;
}

static void filter_again(struct ww_shingles *s)
{
	memset(&s->filter, 0, sizeof(s->filter));
	for (uint32_t n = 1; n <= s->nodes; n++)
		if (s->node[n].piece && !is_common(s, n))
			ww_winnow_filter_add(&s->filter, s->node[n].hash);
	s->stale = 0;
}

/* --- texts and owners ------------------------------------------------------------------------- */

static void text_free(struct ww_shingles *s, struct text *t)
{
	HASH_DEL(s->texts, t);
	for (uint32_t i = 0; i < t->count; i++)
		piece_remove(s, t->piece[i]);
	if (s->stale > STALE_MAX)
		filter_again(s);
	s->stats.texts--;
	free(t);
}

static void owner_free(struct ww_shingles *s, struct owner *o)
{
	struct agent *a = o->agent;
	struct text *t = o->text;

	HASH_DEL(s->by_id, o);
	DL_DELETE(s->owners, o);
	DL_DELETE2(a->owners, o, agent_prev, agent_next);
	DL_DELETE2(t->owners, o, text_prev, text_next);
	s->stats.owners--;
	a->owner_count--;
	a->pieces -= t->count;
	t->owner_count--;
	if (t->owner_count == 0)
		text_free(s, t);
	if (a->owner_count == 0) {
		HASH_DEL(s->agents, a);
		free(a);
	}
	free(o);
}

void ww_shingles_free(struct ww_shingles *s)
{
	if (!s)
		return;
	while (s->owners)
		owner_free(s, s->owners);
	ww_forms_free(s->forms);
	explicit_bzero(&s->key, sizeof(s->key));
	free(s);
}

static void evict(struct ww_shingles *s, struct owner *o)
{
	s->stats.evicted++;
	owner_free(s, o);
}

static struct agent *agent_find(struct ww_shingles *s, struct ww_actor_key root)
{
	struct agent *a = NULL, key = {.key = {root.start_ns, root.pid}};

	HASH_FIND(hh, s->agents, &key.key, sizeof(key.key), a);
	return a;
}

static void make_room(struct ww_shingles *s, struct ww_actor_key root, size_t pieces)
{
	struct agent *a;

	while ((a = agent_find(s, root)) && (a->owner_count == WW_SHINGLES_AGENT_OWNERS_MAX ||
					     a->pieces + pieces > WW_SHINGLES_AGENT_MAX))
		evict(s, a->owners);
	while (s->stats.owners == WW_SHINGLES_ALL_OWNERS_MAX ||
	       s->stats.pieces + pieces > WW_SHINGLES_ALL_MAX)
		evict(s, s->owners);
}

static struct agent *agent_of(struct ww_shingles *s, struct ww_actor_key root)
{
	struct agent *a = agent_find(s, root), *added = NULL;

	if (a)
		return a;
	a = calloc(1, sizeof(*a));
	if (!a)
		return NULL;
	a->key.start_ns = root.start_ns;
	a->key.pid = root.pid;
	HASH_ADD(hh, s->agents, key, sizeof(a->key), a);
	HASH_FIND(hh, s->agents, &a->key, sizeof(a->key), added);
	if (!added) {
		free(a);
		return NULL;
	}
	return a;
}

/* Whether no text with this digest came before, for all that is known. */
static bool is_new(struct ww_shingles *s, uint64_t digest)
{
	uint64_t *known = &s->known[digest % TEXTS_KNOWN];
	bool same = *known == digest;

	*known = digest;
	return !same;
}

/* Of s->hash. */
static struct text *text_new(struct ww_shingles *s, uint64_t digest, size_t count)
{
	size_t bytes = sizeof(struct text) + count * sizeof(uint32_t);
	struct text *t = calloc(1, bytes + (count + 7) / 8), *added = NULL;
	bool fresh;

	if (!t)
		return NULL;
	t->digest = digest;
	t->seen = (uint8_t *)t + bytes;
	HASH_ADD(hh, s->texts, digest, sizeof(t->digest), t);
	HASH_FIND(hh, s->texts, &digest, sizeof(digest), added);
	if (!added) {
		free(t);
		return NULL;
	}
	s->stats.texts++;
	fresh = is_new(s, digest);
	for (size_t i = 0; i < count; i++) {
		uint32_t n = node_of(s, s->hash[i]);

		if (s->node[n].texts == 0 || (fresh && s->node[n].texts < WW_SHINGLE_COMMON))
			s->node[n].texts++;
		piece_add(s, t, n);
	}
	return t;
}

static int owner_add(struct ww_shingles *s, uint64_t id, struct ww_actor_key root, struct text *t)
{
	struct owner *o = calloc(1, sizeof(*o)), *before = NULL, *added = NULL;
	struct agent *a = o ? agent_of(s, root) : NULL;

	if (!a) {
		free(o);
		return -ENOMEM;
	}
	o->id = id;
	o->number = ++s->owners_ever;
	o->agent = a;
	o->text = t;
	HASH_FIND(hh, s->by_id, &id, sizeof(id), before);
	HASH_ADD(hh, s->by_id, id, sizeof(o->id), o);
	HASH_FIND(hh, s->by_id, &id, sizeof(id), added);
	if (added == before) {
		if (a->owner_count == 0) {
			HASH_DEL(s->agents, a);
			free(a);
		}
		free(o);
		return -ENOMEM;
	}
	DL_APPEND(s->owners, o);
	DL_APPEND2(a->owners, o, agent_prev, agent_next);
	DL_APPEND2(t->owners, o, text_prev, text_next);
	s->stats.owners++;
	a->owner_count++;
	a->pieces += t->count;
	t->owner_count++;
	return 0;
}

/* The first of equal hashes stay, in their order; returns how many. */
static size_t distinct(struct ww_shingles *s, size_t count)
{
	size_t places = 4, n = 0;

	while (places < 2 * count)
		places *= 2;
	memset(s->place, 0, places * sizeof(s->place[0]));
	for (size_t i = 0; i < count; i++) {
		size_t at = s->hash[i] % places;

		while (s->place[at] && s->hash[s->place[at] - 1] != s->hash[i])
			at = (at + 1) % places;
		if (s->place[at])
			continue;
		s->hash[n++] = s->hash[i];
		s->place[at] = (uint32_t)n;
	}
	return n;
}

/* The shingles by which it is found, 0: too few. */
static uint32_t own_pieces(const struct ww_shingles *s, const struct text *t)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->count; i++)
		n += !is_common(s, s->piece[t->piece[i]].node);
	return n < WW_SHINGLE_SHARED_MIN ? 0 : n;
}

int ww_shingles_add(struct ww_shingles *s, uint64_t owner, struct ww_actor_key root,
		    struct ww_slice text, uint32_t *ret_count)
{
	struct text *t = NULL;
	struct owner *o;
	uint64_t digest;
	size_t count;
	bool more;
	int r;

	r = ww_winnow(&s->key, text, s->hash, WW_SHINGLES_TEXT_MAX, &count, &more);
	if (r < 0)
		return r;
	count = distinct(s, count);
	if (count < WW_SHINGLE_SHARED_MIN) {
		*ret_count = 0;
		return 0;
	}
	digest = ww_siphash_key(s->key.in, s->hash, count * sizeof(s->hash[0]));
	HASH_FIND(hh, s->texts, &digest, sizeof(digest), t);
	if (t) {
		DL_FOREACH2(t->owners, o, text_next)
		if (o->id == owner) {
			*ret_count = own_pieces(s, t);
			return 0;
		}
		if (t->owner_count == WW_SHINGLES_TEXT_OWNERS_MAX)
			evict(s, t->owners);
	}
	make_room(s, root, count);
	HASH_FIND(hh, s->texts, &digest, sizeof(digest), t);
	if (!t) {
		s->stats.cut += more;
		t = text_new(s, digest, count);
		if (t)
			t->cut = more;
	}
	if (!t)
		return -ENOMEM;
	r = owner_add(s, owner, root, t);
	if (r < 0) {
		if (t->owner_count == 0)
			text_free(s, t);
		return r;
	}
	*ret_count = own_pieces(s, t);
	return 0;
}

void ww_shingles_forget(struct ww_shingles *s, uint64_t owner)
{
	struct owner *o;

	for (;;) {
		HASH_FIND(hh, s->by_id, &owner, sizeof(owner), o);
		if (!o)
			return;
		owner_free(s, o);
	}
}

bool ww_shingles_whole(const struct ww_shingles *s, uint64_t owner)
{
	const struct owner *o = NULL;

	HASH_FIND(hh, s->by_id, &owner, sizeof(owner), o);
	return o && !o->text->cut && own_pieces(s, o->text) > 0;
}

void ww_shingles_stats(const struct ww_shingles *s, struct ww_shingles_stats *ret_stats)
{
	*ret_stats = s->stats;
}

/* --- search ----------------------------------------------------------------------------------- */

static bool is_seen(const struct text *t, uint32_t at)
{
	return t->seen[at / 8] >> at % 8 & 1;
}

static void see(struct ww_shingles *s, const struct piece *p)
{
	struct text *t = p->text;

	if (is_seen(t, p->at))
		return;
	t->seen[p->at / 8] |= (uint8_t)(1u << p->at % 8);
	if (t->found++ == 0)
		LL_PREPEND(s->touched, t);
	if (t->found_here++ == 0)
		LL_PREPEND2(s->here, t, next_here);
}

static const char *form_of(struct ww_slice text, const struct ww_symbols *read)
{
	struct ww_slice begin = ww_slice_sub(text, 0, SPACE_LOOKED);
	size_t at = 0;

	while (at < begin.n && (begin.p[at] == ' ' || (begin.p[at] >= '\t' && begin.p[at] <= '\r')))
		at++;
	if (at < begin.n && (begin.p[at] == '{' || begin.p[at] == '[' || begin.p[at] == '"'))
		return "json";
	/* What is percent-encoded has no spaces. */
	return read->percent && ww_slice_find(begin, 0, ' ') == begin.n ? "percent" : "plain";
}

static void find_in(void *ctx, struct ww_slice text, const char *packed)
{
	struct ww_shingles *s = ctx;
	uint64_t last = 0;
	struct text *t;
	size_t n;

	ww_winnow_scan_begin(&s->scan, &s->key, text);
	while (ww_winnow_scan_next(&s->scan, &s->filter, &n))
		for (size_t i = 0; i < n; i++) {
			uint64_t hash = s->scan.found[i];
			uint32_t node;

			if (hash == last)
				continue;
			last = hash;
			node = node_find(s, hash);
			if (!node || is_common(s, node))
				continue;
			for (uint32_t p = s->node[node].piece; p; p = s->piece[p].next)
				see(s, &s->piece[p]);
		}
	LL_FOREACH2(s->here, t, next_here)
	{
		if (t->found_here > t->found_form) {
			t->found_form = t->found_here;
			ww_put_text(t->form, *packed ? packed : form_of(text, &s->scan.symbols));
		}
		t->found_here = 0;
	}
	s->here = NULL;
}

/* a is there more completely than b. */
static bool explains(const struct text *a, const struct text *b)
{
	uint64_t of_a = (uint64_t)a->shared * b->of, of_b = (uint64_t)b->shared * a->of;

	return of_a > of_b && EXPLAINS_SHARE * (of_a - of_b) >= (uint64_t)a->of * b->of;
}

/* Whether a piece is of another text that is a hit, more than of this one. */
static bool is_explained(const struct ww_shingles *s, const struct text *t, uint32_t node)
{
	for (uint32_t p = s->node[node].piece; p; p = s->piece[p].next) {
		const struct text *other = s->piece[p].text;

		if (other->hit && explains(other, t))
			return true;
	}
	return false;
}

/* Whether enough of a text was found, with `own` of what no other explains. */
static bool is_enough(const struct ww_shingles *s, struct text *t, bool own)
{
	uint32_t stretch = 0, best = 0, of = 0, shared = 0, need;

	for (uint32_t i = 0; i < t->count; i++) {
		uint32_t node = s->piece[t->piece[i]].node;
		bool seen = is_seen(t, i);

		if (is_common(s, node))
			continue;
		seen = seen && !(own && is_explained(s, t, node));
		stretch = (stretch << 1 | seen) & ((1u << WW_SHINGLE_STRETCH) - 1);
		if (best < (uint32_t)__builtin_popcount(stretch))
			best = (uint32_t)__builtin_popcount(stretch);
		shared += seen;
		of++;
	}
	if (!own) {
		t->shared = shared;
		t->of = of;
	}
	need = (7 * of + 7) / 8;
	if (need < WW_SHINGLE_SHARED_MIN)
		need = WW_SHINGLE_SHARED_MIN;
	return best >= (need < WW_SHINGLE_ENOUGH ? need : WW_SHINGLE_ENOUGH);
}

static int by_completeness(const void *x, const void *y)
{
	const struct text *a = *(struct text *const *)x, *b = *(struct text *const *)y;
	uint64_t of_a = (uint64_t)a->shared * b->of, of_b = (uint64_t)b->shared * a->of;
	/* The last of the list is the first one's predecessor. */
	uint64_t late_a = a->owners->text_prev->number, late_b = b->owners->text_prev->number;

	if (of_a != of_b)
		return of_a > of_b ? -1 : 1;
	if (a->shared != b->shared)
		return a->shared > b->shared ? -1 : 1;
	return late_a > late_b ? -1 : 1;
}

static unsigned give(const struct text *t, struct ww_shingle_hit *hits, unsigned max)
{
	const struct owner *o = t->owners->text_prev;
	unsigned n = 0;

	for (; n < max; o = o->text_prev) {
		hits[n] = (struct ww_shingle_hit){.owner = o->id, .shared = t->shared, .of = t->of};
		memcpy(hits[n++].form, t->form, sizeof(t->form));
		if (o == t->owners)
			break;
	}
	return n;
}

static void end_search(struct ww_shingles *s)
{
	struct text *t, *next;

	LL_FOREACH_SAFE(s->touched, t, next)
	{
		memset(t->seen, 0, (t->count + 7) / 8);
		t->found = t->found_form = 0;
		t->hit = false;
	}
	s->touched = NULL;
	ww_winnow_scan_end(&s->scan);
}

unsigned ww_shingles_find(struct ww_shingles *s, struct ww_slice body, struct ww_shingle_hit *hits,
			  unsigned max, bool *ret_partial)
{
	unsigned count = 0, n = 0;
	struct text *t;

	*ret_partial = false;
	if (!s->texts)
		return 0;
	*ret_partial = !ww_forms_walk(s->forms, body, find_in, s);
	LL_FOREACH (s->touched, t)
		if (is_enough(s, t, false))
			s->hits[count++] = t;
	qsort(s->hits, count, sizeof(s->hits[0]), by_completeness);
	for (unsigned i = 0; i < count && n < max; i++) {
		t = s->hits[i];
		t->hit = is_enough(s, t, true);
		if (t->hit)
			n += give(t, hits + n, max - n);
	}
	end_search(s);
	return n;
}
