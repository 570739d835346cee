/* SPDX-License-Identifier: Apache-2.0 */
#include "join/actions.h"

#include <errno.h>

#include "base/encode.h"

#define TEXT_MAX  400u /* of a key: two ids and numbers */
#define WAITS_MIN 64u
/* Actions that one claim may mean and that are counted. */
#define PARTNERS_MAX 64u

struct list {
	struct ww_action *first, *last;
};

/* The actions of one process tree: thousands of others may be in the table. */
struct tree_key {
	uint64_t start_ns;
	uint64_t pid;
};

struct ww_action_tree {
	struct tree_key key;
	struct list open, judged;
	UT_hash_handle hh;
};

struct ww_actions {
	const struct ww_contracts *contracts;
	const struct ww_digest_key *key;
	const struct ww_clock_map *clock;
	uint64_t skew_ns;
	struct ww_action *by_key; /* the newest of each key */
	struct ww_action *by_number;
	struct ww_action_tree *trees;
	struct list open, judged;
	struct ww_action_wait *waits; /* the open ones, room for all */
	uint32_t wait_count, wait_cap;
	uint32_t unnamed;
	uint32_t prose; /* open ones that prose alone speaks of */
	uint64_t number;
	uint32_t count;
	void (*given)(void *ctx, const struct ww_action *claim, const struct ww_action *into);
	void *given_ctx;
};

int ww_actions_new(const struct ww_contracts *contracts, const struct ww_digest_key *key,
		   const struct ww_clock_map *clock, uint64_t skew_ns,
		   struct ww_actions **ret_actions)
{
	struct ww_actions *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->contracts = contracts;
	t->key = key;
	t->clock = clock;
	t->skew_ns = skew_ns;
	*ret_actions = t;
	return 0;
}

void ww_actions_free(struct ww_actions *t)
{
	if (!t)
		return;
	while (t->open.first)
		ww_actions_drop(t, t->open.first);
	while (t->judged.first)
		ww_actions_drop(t, t->judged.first);
	free(t->waits);
	free(t);
}

/* --- the table --- */

static void append(struct list *l, struct ww_action *a)
{
	a->next = NULL;
	a->prev = l->last;
	if (l->last)
		l->last->next = a;
	else
		l->first = a;
	l->last = a;
}

static void unlink_from(struct list *l, struct ww_action *a)
{
	if (a->prev)
		a->prev->next = a->next;
	else
		l->first = a->next;
	if (a->next)
		a->next->prev = a->prev;
	else
		l->last = a->prev;
}

static struct ww_action_tree *tree_find(const struct ww_actions *t, struct ww_actor_key root)
{
	struct tree_key key = {root.start_ns, root.pid};
	struct ww_action_tree *tree = NULL;

	HASH_FIND(hh, t->trees, &key, sizeof(key), tree);
	return tree;
}

/* 0 or -ENOMEM. An unknown root has none. */
static int tree_ensure(struct ww_actions *t, struct ww_actor_key root,
		       struct ww_action_tree **ret_tree)
{
	struct ww_action_tree *tree = root.pid ? tree_find(t, root) : NULL;

	*ret_tree = tree;
	if (tree || root.pid == 0)
		return 0;
	tree = calloc(1, sizeof(*tree));
	if (!tree)
		return -ENOMEM;
	tree->key = (struct tree_key){root.start_ns, root.pid};
	HASH_ADD(hh, t->trees, key, sizeof(tree->key), tree);
	if (!tree->hh.tbl) {
		free(tree);
		return -ENOMEM;
	}
	*ret_tree = tree;
	return 0;
}

static void tree_append(struct list *l, struct ww_action *a)
{
	a->tree_next = NULL;
	a->tree_prev = l->last;
	if (l->last)
		l->last->tree_next = a;
	else
		l->first = a;
	l->last = a;
}

static void tree_unlink(struct list *l, struct ww_action *a)
{
	if (a->tree_prev)
		a->tree_prev->tree_next = a->tree_next;
	else
		l->first = a->tree_next;
	if (a->tree_next)
		a->tree_next->tree_prev = a->tree_prev;
	else
		l->last = a->tree_prev;
}

/* Into the list of its tree in which it is now. */
static void tree_enter(struct ww_action *a)
{
	if (a->tree)
		tree_append(a->judged ? &a->tree->judged : &a->tree->open, a);
}

static void tree_leave(struct ww_action *a)
{
	if (a->tree)
		tree_unlink(a->judged ? &a->tree->judged : &a->tree->open, a);
}

static void tree_tidy(struct ww_actions *t, struct ww_action_tree *tree)
{
	if (!tree || tree->open.first || tree->judged.first)
		return;
	HASH_DELETE(hh, t->trees, tree);
	free(tree);
}

struct ww_action *ww_actions_open_of(const struct ww_actions *t, struct ww_actor_key root)
{
	const struct ww_action_tree *tree = tree_find(t, root);

	return tree ? tree->open.first : NULL;
}

struct ww_action *ww_actions_judged_of(const struct ww_actions *t, struct ww_actor_key root)
{
	const struct ww_action_tree *tree = tree_find(t, root);

	return tree ? tree->judged.last : NULL;
}

static struct ww_action *judged_since(struct ww_action *a, struct ww_boot since)
{
	return a && a->judged_at.ns >= since.ns ? a : NULL;
}

struct ww_action *ww_actions_first_of(const struct ww_actions *t, struct ww_actor_key root,
				      struct ww_boot since)
{
	const struct ww_action_tree *tree = tree_find(t, root);

	if (!tree)
		return NULL;
	return tree->open.first ? tree->open.first : judged_since(tree->judged.last, since);
}

struct ww_action *ww_actions_next_of(const struct ww_action *a, struct ww_boot since)
{
	if (a->judged)
		return judged_since(a->tree_prev, since);
	return a->tree_next ? a->tree_next : judged_since(a->tree->judged.last, since);
}

/* Room in the waits for one action more than there are. */
static int reserve_wait(struct ww_actions *t)
{
	uint32_t cap = t->wait_cap ? 2 * t->wait_cap : WAITS_MIN;
	struct ww_action_wait *more;

	if (t->count < t->wait_cap)
		return 0;
	more = realloc(t->waits, cap * sizeof(*more));
	if (!more)
		return -ENOMEM;
	t->waits = more;
	t->wait_cap = cap;
	return 0;
}

static void begin_wait(struct ww_actions *t, struct ww_action *a)
{
	a->wait = t->wait_count;
	t->waits[t->wait_count++] = (struct ww_action_wait){.action = a};
}

/* Takes `a` out of the list it is in. */
static void leave(struct ww_actions *t, struct ww_action *a)
{
	unlink_from(a->judged ? &t->judged : &t->open, a);
	tree_leave(a);
	if (a->judged)
		return;
	t->prose -= a->prose.only;
	t->waits[a->wait] = t->waits[--t->wait_count];
	t->waits[a->wait].action->wait = a->wait;
}

static struct ww_action *newest(const struct ww_actions *t, const uint8_t key[16])
{
	struct ww_action *a = NULL;

	HASH_FIND(hh, t->by_key, key, 16, a);
	return a;
}

/* Makes `a` the newest of its key. 0 or -ENOMEM: then the table is as before. */
static int push_key(struct ww_actions *t, struct ww_action *a)
{
	struct ww_action *old = newest(t, a->key);

	if (old)
		HASH_DELETE(hh, t->by_key, old);
	HASH_ADD(hh, t->by_key, key, sizeof(a->key), a);
	if (!a->hh.tbl) {
		if (old)
			HASH_ADD(hh, t->by_key, key, sizeof(old->key), old);
		return -ENOMEM;
	}
	a->older = old;
	if (old)
		old->newer = a;
	a->nth = old ? old->nth + 1 : 0;
	return 0;
}

static void pull_key(struct ww_actions *t, struct ww_action *a)
{
	if (a->older)
		a->older->newer = a->newer;
	if (a->newer) {
		a->newer->older = a->older;
		return;
	}
	HASH_DELETE(hh, t->by_key, a);
	if (a->older)
		HASH_ADD(hh, t->by_key, key, sizeof(a->key), a->older);
}

void ww_actions_drop(struct ww_actions *t, struct ww_action *a)
{
	pull_key(t, a);
	HASH_DELETE(hh_number, t->by_number, a);
	leave(t, a);
	tree_tidy(t, a->tree);
	t->unnamed -= a->unnamed;
	t->count--;
	free(a);
}

void ww_actions_set_judged(struct ww_actions *t, struct ww_action *a, struct ww_boot now)
{
	leave(t, a);
	append(&t->judged, a);
	a->judged = true;
	a->judged_at = now;
	tree_enter(a);
}

/* Keeps the open list by number. */
void ww_actions_reopen(struct ww_actions *t, struct ww_action *a)
{
	struct ww_action *at = t->open.first;

	if (!a->judged) {
		t->waits[a->wait].due_ns = 0;
		return;
	}
	leave(t, a);
	a->judged = false;
	tree_enter(a);
	t->prose += a->prose.only;
	begin_wait(t, a);
	while (at && at->number < a->number)
		at = at->next;
	if (!at) {
		append(&t->open, a);
		return;
	}
	a->next = at;
	a->prev = at->prev;
	if (at->prev)
		at->prev->next = a;
	else
		t->open.first = a;
	at->prev = a;
}

struct ww_action *ww_actions_open(const struct ww_actions *t)
{
	return t->open.first;
}

struct ww_action_wait *ww_actions_waiting(const struct ww_actions *t, uint32_t *ret_count)
{
	*ret_count = t->wait_count;
	return t->waits;
}

struct ww_action *ww_actions_judged_first(const struct ww_actions *t)
{
	return t->judged.first;
}

struct ww_action *ww_actions_get(const struct ww_actions *t, uint64_t number)
{
	struct ww_action *a = NULL;

	HASH_FIND(hh_number, t->by_number, &number, sizeof(number), a);
	return a;
}

uint32_t ww_actions_count(const struct ww_actions *t)
{
	return t->count;
}

static int contract_of(const struct ww_actions *t, const char *tool)
{
	const struct ww_contract *c = ww_contracts_find(t->contracts, tool);

	return c ? (int)(c - t->contracts->items) : -1;
}

/* As much as fits. */
static void copy(char *out, size_t cap, const char *text)
{
	size_t n = strnlen(text, cap - 1);

	memcpy(out, text, n);
	out[n] = '\0';
}

static void set_tool(struct ww_actions *t, struct ww_action *a, const char *tool)
{
	if (a->tool[0] || !tool[0])
		return;
	copy(a->tool, sizeof(a->tool), tool);
	a->contract = contract_of(t, a->tool);
}

static void set_call_id(struct ww_actions *t, struct ww_action *a, const char *call_id)
{
	if (a->tool_call_id[0] || !call_id[0])
		return;
	copy(a->tool_call_id, sizeof(a->tool_call_id), call_id);
	ww_digest(t->key, ww_slice_str(a->tool_call_id), &a->call_digest);
}

/* The id names the key, and which action of that key it is. */
static void name(struct ww_action *a)
{
	char *at = ww_put_text(a->id, "a-");

	ww_hex_encode(ww_slice(a->key, 8), at);
	if (a->nth)
		ww_put_hex(ww_put_text(at + 16, "-"), a->nth & 0xffff);
}

/* By number, by key and by tree. 0 or -ENOMEM: then the table is as before. */
static int index_action(struct ww_actions *t, struct ww_action *a, struct ww_actor_key root)
{
	if (reserve_wait(t) < 0 || tree_ensure(t, root, &a->tree) < 0)
		return -ENOMEM;
	HASH_ADD(hh_number, t->by_number, number, sizeof(a->number), a);
	if (a->hh_number.tbl && push_key(t, a) == 0)
		return 0;
	if (a->hh_number.tbl)
		HASH_DELETE(hh_number, t->by_number, a);
	tree_tidy(t, a->tree);
	return -ENOMEM;
}

static int open_action(struct ww_actions *t, const uint8_t key[16], struct ww_actor_key actor,
		       struct ww_actor_key root, uint64_t cgroup, struct ww_action **ret_action)
{
	struct ww_action *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	memcpy(a->key, key, sizeof(a->key));
	a->number = t->number + 1;
	if (index_action(t, a, root) < 0) {
		free(a);
		return -ENOMEM;
	}
	t->number++;
	a->actor = actor;
	a->root = root;
	a->cgroup = cgroup;
	a->contract = -1;
	name(a);
	append(&t->open, a);
	tree_enter(a);
	begin_wait(t, a);
	t->count++;
	*ret_action = a;
	return 0;
}

/* Keys of different kinds never meet: the kind is hashed with them. */
static void make_key(const char *kind, struct ww_actor_key root, struct ww_slice id,
		     uint8_t out[16])
{
	char text[TEXT_MAX], *at = ww_put_text(ww_put_text(text, kind), " ");
	struct ww_sha256 d;

	at = ww_put_text(ww_put_hex(at, root.start_ns), " ");
	at = ww_put_text(ww_put_hex(at, root.pid), " ");
	id = ww_slice_sub(id, 0, (size_t)(text + sizeof(text) - at));
	memcpy(at, id.p, id.n);
	ww_sha256(ww_slice(text, (size_t)(at - text) + id.n), &d);
	memcpy(out, d.b, 16);
}

static void call_key(struct ww_actor_key root, const char *call_id, uint8_t out[16])
{
	make_key("call", root, ww_slice_str(call_id), out);
}

static void span_key(const char *kind, const struct ww_span *s, const char *id, uint8_t out[16])
{
	uint8_t text[24 + 64];
	size_t n = strnlen(id, 64);

	memcpy(text, s->trace_id, 16);
	memcpy(text + 16, s->span_id, 8);
	memcpy(text + 24, id, n);
	make_key(kind, s->root, ww_slice(text, 24 + n), out);
}

/* --- times --- */

/* Invariant 4. A span that ends after it was received, or before its tree began, has a clock of its
 * own, and one that began before the clock was set has two; a start of 0 was not set. */
static void take_clock(struct ww_actions *t, struct ww_action *a, const struct ww_span *s)
{
	const struct ww_clock_map *m = t->clock;
	struct ww_boot start = ww_clock_boot(m, s->start), end = ww_clock_boot(m, s->end);
	uint64_t slack = t->skew_ns + m->bound_ns;

	if (s->received.ns > a->received.ns)
		a->received = s->received;
	if (a->told.ns == 0 || s->received.ns < a->told.ns)
		a->told = s->received;
	if (m->bound_ns > a->bound_ns)
		a->bound_ns = m->bound_ns;
	if (!m->valid || m->bound_ns > t->skew_ns || s->start.ns == 0 || s->end.ns < s->start.ns ||
	    start.ns < m->since.ns || end.ns + slack < s->root.start_ns ||
	    end.ns > s->received.ns + slack)
		a->clock_bad = true;
}

/* --- spans --- */

static bool same_trace(const struct ww_action *a, const uint8_t trace_id[16])
{
	return memcmp(a->spans[0].trace_id, trace_id, 16) == 0;
}

/* Invariant 2: may this span be another part of `a`, which has its tool call id? */
static bool span_fits(const struct ww_actions *t, const struct ww_action *a,
		      const struct ww_span *s, struct ww_boot start)
{
	if (a->model.asked && start.ns + t->skew_ns + t->clock->bound_ns < a->model.at.ns)
		return false; /* ran before the model asked: the call of an earlier turn */
	return a->span_count == 0 || same_trace(a, s->trace_id);
}

/* Invariant 1 without an id: a model's call of this tool that no span carries out yet. */
static bool call_fits(const struct ww_actions *t, const struct ww_action *a,
		      const struct ww_span *s, struct ww_boot start)
{
	uint64_t slack = t->skew_ns + t->clock->bound_ns;

	return a->model.asked && a->span_count == 0 && strcmp(a->tool, s->tool_name) == 0 &&
	       a->model.at.ns <= start.ns + slack &&
	       (!a->model.shown || a->model.shown_at.ns + slack >= start.ns);
}

static struct ww_action *only_call(const struct ww_actions *t, const struct ww_span *s,
				   struct ww_boot start)
{
	struct ww_action *found = NULL;
	unsigned n = 0;

	for (struct ww_action *a = ww_actions_first_of(t, s->root, start); a;
	     a = ww_actions_next_of(a, start)) {
		if (call_fits(t, a, s, start) && ++n)
			found = a;
	}
	return n == 1 ? found : NULL;
}

static struct ww_action *partner_of(const struct ww_actions *t, const struct ww_span *s,
				    const uint8_t key[16], struct ww_boot start)
{
	if (s->root.pid == 0)
		return NULL;
	if (!s->tool_call_id[0])
		return only_call(t, s, start);
	for (struct ww_action *a = newest(t, key); a; a = a->older) {
		if (span_fits(t, a, s, start))
			return a;
	}
	return NULL;
}

static void take_idempotency(struct ww_actions *t, struct ww_action *a, const struct ww_span *s)
{
	static const char *const keys[] = {"http.request.header.idempotency-key", "idempotency.key",
					   "idempotency_key"};
	const char *value = NULL;
	struct ww_slice text;

	for (unsigned i = 0; i < WW_ARRAY_SIZE(keys) && !value; i++)
		value = ww_span_attr(s, keys[i]);
	if (!value)
		return;
	text = ww_slice_str(value);
	/* Captured headers are lists: ["value"]. */
	if (text.n > 4 && memcmp(text.p, "[\"", 2) == 0 &&
	    memcmp(text.p + text.n - 2, "\"]", 2) == 0)
		text = ww_slice_sub(text, 2, text.n - 4);
	ww_digest(t->key, text, &a->said_key);
	a->key_said = true;
}

static void put_span(struct ww_actions *t, struct ww_action *a, const struct ww_span *s)
{
	struct ww_boot start = ww_clock_boot(t->clock, s->start);
	struct ww_boot end = ww_clock_boot(t->clock, s->end);
	struct ww_action_span *e;

	take_clock(t, a, s);
	set_tool(t, a, s->tool_name);
	set_call_id(t, a, s->tool_call_id);
	take_idempotency(t, a, s);
	if (a->span_count == 0 || start.ns < a->begun.ns)
		a->begun = start;
	if (end.ns > a->ended.ns)
		a->ended = end;
	if (s->start.ns % WW_ACTION_COARSE_NS == 0)
		a->coarse_ns = WW_ACTION_COARSE_NS;
	if (a->span_count == WW_ACTION_SPANS_MAX) {
		a->parts_over++;
		return;
	}
	e = &a->spans[a->span_count++];
	memcpy(e->trace_id, s->trace_id, sizeof(e->trace_id));
	memcpy(e->span_id, s->span_id, sizeof(e->span_id));
	e->status = s->status;
	e->start = start;
	e->end = end;
	e->said_start = s->start;
	e->said_end = s->end;
	copy(e->error_type, sizeof(e->error_type), s->error_type);
}

static int add_tool_span(struct ww_actions *t, const struct ww_span *s,
			 struct ww_action **ret_action)
{
	struct ww_boot start = ww_clock_boot(t->clock, s->start);
	struct ww_action *a;
	uint8_t key[16];
	int r;

	if (s->tool_call_id[0] && s->root.pid)
		call_key(s->root, s->tool_call_id, key);
	else
		span_key("span", s, "", key);
	a = partner_of(t, s, key, start);
	if (!a) {
		r = open_action(t, key, s->actor, s->root, s->cgroup, &a);
		if (r < 0)
			return r;
	}
	put_span(t, a, s);
	ww_actions_reopen(t, a);
	*ret_action = a;
	return 0;
}

/* --- claims --- */

/* An announcement without a date has the contract's; 0: it has none either. */
static struct ww_boot declared_deadline(const struct ww_contract *c, struct ww_boot at)
{
	return (struct ww_boot){c->deadline_s ? at.ns + c->deadline_s * 1000000000ull : 0};
}

/* A claim is said while its span runs, and was said when it is received. */
static bool claim_time_sane(const struct ww_actions *t, const struct ww_span *s,
			    const struct ww_declared_claim *c)
{
	uint64_t slack = t->skew_ns + t->clock->bound_ns;

	return c->at.ns == 0 || (c->at.ns + slack >= s->start.ns &&
				 ww_clock_boot(t->clock, c->at).ns <= s->received.ns + slack);
}

static void put_claim(struct ww_actions *t, struct ww_action *a, const struct ww_span *s,
		      const struct ww_declared_claim *c)
{
	struct ww_action_claim *e;

	take_clock(t, a, s);
	if (!claim_time_sane(t, s, c))
		a->clock_bad = true;
	set_tool(t, a, c->tool);
	set_call_id(t, a, c->tool_call_id);
	if (a->claim_count == WW_ACTION_CLAIMS_MAX) {
		a->parts_over++;
		return;
	}
	e = &a->claims[a->claim_count++];
	copy(e->claim_id, sizeof(e->claim_id), c->claim_id);
	e->done = c->done;
	e->at = ww_clock_boot(t->clock, c->at.ns ? c->at : s->end);
	e->turn = ww_clock_boot(t->clock, s->start);
	if (c->deadline.ns)
		e->deadline = ww_clock_boot(t->clock, c->deadline);
	else if (!c->done && a->contract >= 0)
		e->deadline = declared_deadline(&t->contracts->items[a->contract], e->at);
	memcpy(e->trace_id, s->trace_id, sizeof(e->trace_id));
	memcpy(e->span_id, s->span_id, sizeof(e->span_id));
}

/* The action a claim speaks of by name, or NULL. */
static struct ww_action *claimed(const struct ww_actions *t, const struct ww_span *s,
				 const struct ww_declared_claim *c, struct ww_action *own)
{
	uint8_t key[16];

	if (c->tool_call_id[0] && s->root.pid) {
		call_key(s->root, c->tool_call_id, key);
		return newest(t, key);
	}
	if (own && (!c->tool[0] || strcmp(c->tool, own->tool) == 0))
		return own;
	return NULL;
}

static int add_claim(struct ww_actions *t, const struct ww_span *s,
		     const struct ww_declared_claim *c, struct ww_action *own)
{
	struct ww_action *a = claimed(t, s, c, own);
	uint8_t key[16];
	int r;

	if (!a) {
		if (c->tool_call_id[0] && s->root.pid)
			call_key(s->root, c->tool_call_id, key);
		else
			span_key("claim", s, c->claim_id, key);
		r = open_action(t, key, s->actor, s->root, s->cgroup, &a);
		if (r < 0)
			return r;
		a->unnamed = !c->tool_call_id[0];
		t->unnamed += a->unnamed;
	}
	put_claim(t, a, s, c);
	ww_actions_reopen(t, a);
	return 0;
}

int ww_actions_add_span(struct ww_actions *t, const struct ww_span *s,
			struct ww_action **ret_action)
{
	struct ww_action *own = NULL;
	int r = 0;

	if (s->role == WW_SPAN_TOOL)
		r = add_tool_span(t, s, &own);
	for (unsigned i = 0; i < s->claim_count && r == 0; i++)
		r = add_claim(t, s, &s->claims[i], own);
	if (r == 0)
		*ret_action = own;
	return r;
}

/* A claim that names no tool call, and nothing else of its action is known. */
static bool is_loose(const struct ww_action *a)
{
	return ww_action_claim_only(a) && !a->tool_call_id[0] && a->claim_count == 1 && a->root.pid;
}

/* Whether loose claim `c` may mean `a`, of its tree: same tool and trace, begun in its turn before
 * it was said. */
static bool may_mean(const struct ww_actions *t, const struct ww_action *c,
		     const struct ww_action *a)
{
	uint64_t slack = t->skew_ns + c->bound_ns;
	const struct ww_action_claim *k = &c->claims[0];
	struct ww_boot begun = ww_action_begun(a);

	return !ww_action_claim_only(a) && a->claim_count == 0 && strcmp(a->tool, c->tool) == 0 &&
	       (a->span_count == 0 || same_trace(a, k->trace_id)) &&
	       begun.ns + slack >= k->turn.ns && begun.ns <= k->at.ns + slack;
}

/* More than `most` are not told apart. */
static struct ww_action *only_partner(const struct ww_actions *t, const struct ww_action *c,
				      unsigned most, unsigned *ret_partners)
{
	struct ww_boot turn = c->claims[0].turn;
	struct ww_action *found = NULL;
	unsigned n = 0;

	for (struct ww_action *a = ww_actions_first_of(t, c->root, turn); a && n <= most;
	     a = ww_actions_next_of(a, turn)) {
		if (may_mean(t, c, a) && ++n)
			found = a;
	}
	*ret_partners = n;
	return n == 1 ? found : NULL;
}

static void give(struct ww_actions *t, struct ww_action *c, struct ww_action *a)
{
	a->claims[a->claim_count++] = c->claims[0];
	if (c->received.ns > a->received.ns)
		a->received = c->received;
	if (c->bound_ns > a->bound_ns)
		a->bound_ns = c->bound_ns;
	a->clock_bad |= c->clock_bad;
	if (t->given)
		t->given(t->given_ctx, c, a);
	ww_actions_drop(t, c);
	ww_actions_reopen(t, a);
}

void ww_actions_on_given(struct ww_actions *t,
			 void (*fn)(void *ctx, const struct ww_action *claim,
				    const struct ww_action *into),
			 void *ctx)
{
	t->given = fn;
	t->given_ctx = ctx;
}

bool ww_actions_give_claim(struct ww_actions *t, struct ww_action *claim, unsigned *ret_partners)
{
	struct ww_action *a =
		is_loose(claim) ? only_partner(t, claim, PARTNERS_MAX, ret_partners) : NULL;

	if (!is_loose(claim))
		*ret_partners = 0;
	/* Two loose claims that mean one action: the first keeps it, the second finds no partner.
	 */
	if (!a)
		return false;
	give(t, claim, a);
	return true;
}

bool ww_actions_any_loose(const struct ww_actions *t)
{
	const struct ww_action *a = t->unnamed ? t->open.first : NULL;

	while (a && !is_loose(a))
		a = a->next;
	return a != NULL;
}

void ww_actions_take_claims(struct ww_actions *t, struct ww_action *a)
{
	struct ww_action *next;
	unsigned n;

	for (struct ww_action *c = ww_actions_open_of(t, a->root); c && a->claim_count == 0;
	     c = next) {
		next = c->tree_next;
		if (c != a && is_loose(c) && may_mean(t, c, a) && only_partner(t, c, 1, &n) == a)
			give(t, c, a);
	}
}

/* --- prose --- */

struct ww_action *ww_actions_by_call(const struct ww_actions *t, struct ww_actor_key root,
				     const char *call_id)
{
	uint8_t key[16];

	if (!call_id[0] || root.pid == 0)
		return NULL;
	call_key(root, call_id, key);
	return newest(t, key);
}

int ww_actions_open_prose(struct ww_actions *t, const struct ww_exchange *x, struct ww_slice id,
			  struct ww_action **ret_action)
{
	uint8_t key[16];
	int r;

	make_key("prose", x->root, id, key);
	*ret_action = NULL;
	if (newest(t, key))
		return 0;
	r = open_action(t, key, x->actor, x->root, x->cgroup, ret_action);
	if (r == 0) {
		(*ret_action)->prose.only = true;
		t->prose++;
	}
	return r;
}

bool ww_actions_any_prose(const struct ww_actions *t)
{
	return t->prose > 0;
}

void ww_actions_set_contract(struct ww_actions *t, struct ww_action *a, int contract)
{
	a->contract = contract;
	copy(a->tool, sizeof(a->tool), t->contracts->items[contract].tool);
}

/* --- the model's side --- */

/* Invariant 2: a call id that has a model's call already, or was carried out before it, is another.
 */
static struct ww_action *call_partner(const struct ww_actions *t, const uint8_t key[16],
				      const struct ww_exchange *x)
{
	uint64_t slack = t->skew_ns + t->clock->bound_ns;

	for (struct ww_action *a = newest(t, key); a; a = a->older) {
		if (a->model.asked)
			return NULL;
		if (a->span_count == 0 || a->spans[0].start.ns + slack >= x->t_first_req.ns)
			return a;
	}
	return NULL;
}

int ww_actions_add_call(struct ww_actions *t, const struct ww_exchange *x,
			const struct ww_model_call *m, unsigned index)
{
	const struct ww_model_tool_call *call = &m->tool_calls[index];
	char text[WW_EXCHANGE_ID_MAX + 16], id[WW_EXCHANGE_ID_MAX];
	struct ww_action *a = NULL;
	uint8_t key[16];
	int r;

	ww_exchange_id(x, id);
	if (call->id[0]) {
		call_key(x->root, call->id, key);
		a = call_partner(t, key, x);
	} else {
		ww_put_dec(ww_put_text(ww_put_text(text, id), " "), index);
		make_key("asked", x->root, ww_slice_str(text), key);
	}
	if (!a) {
		r = open_action(t, key, x->actor, x->root, x->cgroup, &a);
		if (r < 0)
			return r;
	}
	set_tool(t, a, call->name);
	set_call_id(t, a, call->id);
	a->model.asked = true;
	a->model.remote = call->remote;
	memcpy(a->model.exchange, id, sizeof(id));
	copy(a->model.response_id, sizeof(a->model.response_id), m->response_id);
	a->model.turn_known = m->turn_present;
	a->model.turn = m->turn;
	a->model.trace = x->trace;
	a->model.at = x->t_first_resp.ns ? x->t_first_resp : x->t_first_req;
	a->model.arguments = call->arguments;
	ww_actions_reopen(t, a);
	return 0;
}

/* A harness puts results into an envelope of its own, with the id of the call. */
static void drop_call_id(struct ww_action *a)
{
	struct ww_answer *answer = &a->model.answer;

	for (unsigned i = 0; i < WW_ANSWER_PATHS_MAX; i++) {
		if (memcmp(&answer->digest[i], a->call_digest.b, sizeof(answer->digest[i])) == 0)
			answer->present &= (uint8_t) ~(1u << i);
	}
}

/* Of the calls with one id, that of this conversation. NULL: of none of them. */
static struct ww_action *call_of(struct ww_action *newest, const struct ww_model_call *m)
{
	bool told = newest && newest->older && m->turn_present;

	for (struct ww_action *a = newest; a && told; a = a->older) {
		if (a->model.turn_known &&
		    memcmp(a->model.turn.b, m->turn.b, sizeof(m->turn.b)) == 0)
			return a;
	}
	return told && newest->model.turn_known ? NULL : newest;
}

int ww_actions_add_result(struct ww_actions *t, const struct ww_exchange *x,
			  const struct ww_model_call *m, unsigned index)
{
	const struct ww_model_tool_result *result = &m->tool_results[index];
	struct ww_answer answer = {0};
	struct ww_action *a;
	uint8_t key[16];
	int r = 0;

	if (!result->tool_call_id[0] || x->root.pid == 0)
		return 0;
	call_key(x->root, result->tool_call_id, key);
	a = call_of(newest(t, key), m);
	/* Requests are sent again and histories repeated: the first sight counts. */
	if (!a || a->model.shown || x->t_first_req.ns < a->model.at.ns)
		return 0;
	if (a->contract >= 0)
		r = ww_answer_read(&t->contracts->items[a->contract], t->key,
				   ww_model_result_text(m, result), result->kept, true, &answer);
	a->model.shown = true;
	a->model.answer = answer;
	drop_call_id(a);
	ww_exchange_id(x, a->model.shown_exchange);
	a->model.shown_at = x->t_first_req;
	a->model.shown_error = result->is_error;
	a->model.result = result->digest;
	if (!a->judged)
		ww_actions_reopen(t, a); /* it may be due earlier now */
	return r;
}

void ww_actions_add_text(struct ww_actions *t, const struct ww_exchange *x, const char *call_id,
			 const struct ww_sha256 *text, uint64_t bytes)
{
	char id[WW_EXCHANGE_ID_MAX];
	struct ww_action *a;
	uint8_t key[16];

	if (!call_id[0] || x->root.pid == 0)
		return;
	call_key(x->root, call_id, key);
	ww_exchange_id(x, id);
	a = newest(t, key);
	while (a && (!a->model.shown || strcmp(a->model.shown_exchange, id) != 0))
		a = a->older;
	if (!a)
		return;
	a->model.said = true;
	a->model.said_bytes = bytes;
	a->model.text = *text;
}
