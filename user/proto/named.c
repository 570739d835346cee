/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/named.h"

#include <errno.h>
#include <netinet/in.h>
#include <utlist.h>

#include "base/hash.h"

/* A name that an answer gave an address, in a scope, to a process. */
struct given {
	unsigned refs; /* the table's, and those of flows */
	struct place *place;
	struct scope *scope;
	struct ww_actor_key actor;
	uint64_t cookie, serial; /* the lookup */
	struct ww_boot answered;
	uint32_t ttl;
	uint16_t type;
	struct given *prev, *next;     /* of its address, by time */
	struct given *older, *younger; /* of its scope, by time */
	uint8_t name_bytes;
	uint8_t name[];
};

/* An address in a scope. */
struct place_key {
	uint64_t cgroup;
	uint8_t address[16];
	uint64_t v6;
};

struct place {
	struct place_key key;
	struct given *given;
	unsigned count;
	UT_hash_handle hh;
};

struct scope {
	uint64_t cgroup;
	struct given *given;
	unsigned count;
	uint64_t forgotten, unread;
	UT_hash_handle hh;
};

struct ww_named {
	struct place *places;
	struct scope *scopes;
	unsigned count;
};

/* What a flow was told when it connected. */
struct told {
	struct given *given;
	uint64_t cookie, serial;
	struct ww_actor_key actor;
	struct ww_boot answered;
	uint32_t ttl;
	uint16_t type;
};

struct names {
	struct ww_boot at;
	bool own; /* they were given to the flow's process */
	unsigned count, more;
	uint64_t forgotten, unread;
	struct told told[WW_NAMED_FLOW_MAX];
};

int ww_named_new(struct ww_named **ret_named)
{
	struct ww_named *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	*ret_named = t;
	return 0;
}

static void unref(struct given *g)
{
	if (--g->refs == 0)
		free(g);
}

static void forget(struct ww_named *t, struct given *g)
{
	struct place *p = g->place;

	DL_DELETE(p->given, g);
	DL_DELETE2(g->scope->given, g, older, younger);
	g->scope->count--;
	t->count--;
	if (--p->count == 0) {
		HASH_DEL(t->places, p);
		free(p);
	}
	g->place = NULL;
	g->scope = NULL;
	unref(g);
}

static void scope_free(struct ww_named *t, struct scope *s)
{
	while (s->given)
		forget(t, s->given);
	HASH_DEL(t->scopes, s);
	free(s);
}

void ww_named_free(struct ww_named *t)
{
	if (!t)
		return;
	while (t->scopes)
		scope_free(t, t->scopes);
	free(t);
}

static struct scope *find_scope(const struct ww_named *t, uint64_t cgroup)
{
	struct scope *s = NULL;

	HASH_FIND(hh, t->scopes, &cgroup, sizeof(cgroup), s);
	return s;
}

static struct scope *ensure_scope(struct ww_named *t, uint64_t cgroup)
{
	struct scope *s = find_scope(t, cgroup);

	if (s)
		return s;
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->cgroup = cgroup;
	HASH_ADD(hh, t->scopes, cgroup, sizeof(s->cgroup), s);
	if (!s->hh.tbl) {
		free(s);
		return NULL;
	}
	return s;
}

static struct place *find_place(const struct ww_named *t, const struct place_key *key)
{
	struct place *p = NULL;

	HASH_FIND(hh, t->places, key, sizeof(*key), p);
	return p;
}

static struct place *ensure_place(struct ww_named *t, const struct place_key *key)
{
	struct place *p = find_place(t, key);

	if (p)
		return p;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->key = *key;
	HASH_ADD(hh, t->places, key, sizeof(p->key), p);
	if (!p->hh.tbl) {
		free(p);
		return NULL;
	}
	return p;
}

static struct place_key key_of(uint64_t cgroup, const struct ww_endpoint *at)
{
	struct ww_endpoint e = ww_endpoint_unmap(at);
	struct place_key key = {.cgroup = cgroup, .v6 = e.family == AF_INET6};

	memcpy(key.address, e.addr, key.v6 ? 16 : 4);
	return key;
}

/* --- what answers give --------------------------------------------------------------------------
 */

static void lose_oldest(struct ww_named *t, struct given *oldest)
{
	oldest->scope->forgotten++;
	forget(t, oldest);
}

/* Room for one more name of an address. When all scopes together have too many, and this one has
 * none, the first that has some gives. */
static void make_room(struct ww_named *t, struct scope *s, const struct place_key *key)
{
	const struct place *p = find_place(t, key);
	struct scope *other;

	if (p && p->count >= WW_NAMED_ADDRESS_MAX)
		lose_oldest(t, p->given);
	if (s->count >= WW_NAMED_SCOPE_MAX)
		lose_oldest(t, s->given);
	if (t->count < WW_NAMED_MAX)
		return;
	for (other = s->given ? s : t->scopes; other && !other->given; other = other->hh.next)
		;
	if (other)
		lose_oldest(t, other->given);
}

static struct given *find_given(const struct ww_named *t, const struct place_key *key,
				const struct ww_lookup *l)
{
	const struct place *p = find_place(t, key);
	struct given *g;

	if (!p)
		return NULL;
	DL_FOREACH (p->given, g)
		if (ww_actor_key_eq(g->actor, l->actor) && g->name_bytes == l->name.n &&
		    memcmp(g->name, l->name.bytes, l->name.n) == 0)
			return g;
	return NULL;
}

static struct given *new_given(struct ww_named *t, struct scope *s, const struct place_key *key,
			       const struct ww_lookup *l)
{
	struct given *g = calloc(1, sizeof(*g) + l->name.n);

	if (!g)
		return NULL;
	make_room(t, s, key);
	g->place = ensure_place(t, key);
	if (!g->place) {
		free(g);
		return NULL;
	}
	g->refs = 1;
	g->scope = s;
	g->actor = l->actor;
	g->name_bytes = l->name.n;
	memcpy(g->name, l->name.bytes, l->name.n);
	g->place->count++;
	s->count++;
	t->count++;
	return g;
}

static int give(struct ww_named *t, struct scope *s, const struct ww_lookup *l,
		const struct ww_dns_address *a, uint16_t type, uint32_t ttl)
{
	struct ww_endpoint e = {.family = a->v6 ? AF_INET6 : AF_INET};
	struct place_key key;
	struct given *g;

	memcpy(e.addr, a->bytes, sizeof(e.addr));
	key = key_of(l->cgroup, &e);
	g = find_given(t, &key, l);
	if (g) { /* it becomes the youngest */
		DL_DELETE(g->place->given, g);
		DL_DELETE2(s->given, g, older, younger);
	} else {
		g = new_given(t, s, &key, l);
	}
	if (!g) {
		s->forgotten++;
		return -ENOMEM;
	}
	g->cookie = l->cookie;
	g->serial = l->serial;
	g->answered = l->answered;
	g->ttl = ttl;
	g->type = type;
	DL_APPEND(g->place->given, g);
	DL_APPEND2(s->given, g, older, younger);
	return 0;
}

/* The alias record of a name, NULL: it has none. */
static const struct ww_dns_record *alias_of(const struct ww_dns *m, const struct ww_dns_name *name)
{
	for (unsigned i = 0; i < m->records; i++)
		if (m->record[i].type == WW_DNS_CNAME && ww_dns_name_eq(&m->record[i].name, name))
			return &m->record[i];
	return NULL;
}

/* What the question's name is called in the end; *ttl: the shortest of the aliases. NULL: more
 * aliases than are followed, or a circle. */
static const struct ww_dns_name *follow(const struct ww_dns *m, uint32_t *ttl)
{
	const struct ww_dns_name *name = &m->name;

	for (unsigned n = 0; n <= WW_NAMED_ALIASES_MAX; n++) {
		const struct ww_dns_record *alias = alias_of(m, name);

		if (!alias)
			return name;
		if (alias->ttl < *ttl)
			*ttl = alias->ttl;
		name = &alias->target;
	}
	return NULL;
}

int ww_named_answer(struct ww_named *t, const struct ww_lookup *l)
{
	const struct ww_dns *m = l->answer;
	uint32_t ttl = UINT32_MAX;
	const struct ww_dns_name *name = follow(m, &ttl);
	struct scope *s = ensure_scope(t, l->cgroup);
	int r = 0;

	if (!s)
		return -ENOMEM;
	for (unsigned i = 0; name && i < m->records; i++) {
		const struct ww_dns_record *rr = &m->record[i];

		if (rr->type == WW_DNS_CNAME || !ww_dns_name_eq(&rr->name, name))
			continue;
		for (unsigned k = 0; k < rr->addresses; k++)
			if (give(t, s, l, &rr->address[k], rr->type,
				 rr->ttl < ttl ? rr->ttl : ttl) < 0)
				r = -ENOMEM;
	}
	return r;
}

int ww_named_unread(struct ww_named *t, uint64_t cgroup)
{
	struct scope *s = ensure_scope(t, cgroup);

	if (!s)
		return -ENOMEM;
	s->unread++;
	return 0;
}

void ww_named_left(struct ww_named *t, uint64_t cgroup)
{
	struct scope *s = find_scope(t, cgroup);

	if (s)
		scope_free(t, s);
}

/* --- what flows are told ------------------------------------------------------------------------
 */

static bool is_told(const struct names *n, const struct given *g)
{
	for (unsigned i = 0; i < n->count; i++)
		if (n->told[i].given->name_bytes == g->name_bytes &&
		    memcmp(n->told[i].given->name, g->name, g->name_bytes) == 0)
			return true;
	return false;
}

/* From the youngest to the oldest; each name once. */
static void tell(struct names *n, const struct place *p, struct ww_actor_key owner, bool own)
{
	struct given *g = p->given ? p->given->prev : NULL; /* the last one */

	n->own = own;
	for (unsigned i = 0; i < p->count; i++, g = g->prev) {
		if ((own && !ww_actor_key_eq(g->actor, owner)) || is_told(n, g))
			continue;
		if (n->count >= WW_NAMED_FLOW_MAX) {
			n->more++;
			continue;
		}
		g->refs++;
		n->told[n->count++] = (struct told){g,           g->cookie, g->serial, g->actor,
						    g->answered, g->ttl,    g->type};
	}
}

int ww_named_connect(struct ww_named *t, struct ww_flow *f, struct ww_boot now)
{
	struct place_key key = key_of(f->cgroup, &f->peer);
	const struct scope *s = find_scope(t, f->cgroup);
	const struct place *p = find_place(t, &key);
	struct names *n;

	ww_named_release(f);
	if (!s || (!p && !s->forgotten && !s->unread))
		return 0;
	n = calloc(1, sizeof(*n));
	if (!n)
		return -ENOMEM;
	n->at = now;
	n->forgotten = s->forgotten;
	n->unread = s->unread;
	if (p)
		tell(n, p, f->owner, true);
	if (p && n->count == 0)
		tell(n, p, f->owner, false);
	f->named = n;
	return 0;
}

void ww_named_release(struct ww_flow *f)
{
	struct names *n = f->named;

	for (unsigned i = 0; n && i < n->count; i++)
		unref(n->told[i].given);
	free(n);
	f->named = NULL;
}

static void write_told(const struct names *n, const struct told *d, struct ww_jsonw *w)
{
	uint64_t age = n->at.ns > d->answered.ns ? n->at.ns - d->answered.ns : 0;
	char name[WW_DNS_TEXT_MAX], type[WW_DNS_WORD_MAX], id[WW_LOOKUP_ID_MAX];

	ww_jsonw_object(w, NULL);
	ww_dns_name_text(ww_slice(d->given->name, d->given->name_bytes), name);
	ww_jsonw_cstr(w, "name", name);
	ww_dns_type_text(d->type, type);
	ww_jsonw_cstr(w, "type", type);
	ww_lookup_id(d->cookie, d->serial, id);
	ww_jsonw_cstr(w, "lookup", id);
	ww_actor_id(d->actor, id);
	ww_jsonw_cstr(w, "actor", id);
	ww_jsonw_u64(w, "ageNs", age);
	ww_jsonw_u64(w, "ttl", d->ttl);
	ww_jsonw_bool(w, "expired", age / 1000000000u >= d->ttl);
	ww_jsonw_end_object(w);
}

bool ww_named_told(const struct ww_flow *f, struct ww_named_told *ret)
{
	const struct names *n = f->named;

	if (!n)
		return false;
	*ret = (struct ww_named_told){n->own, n->count, n->more + n->forgotten + n->unread};
	return true;
}

void ww_named_at(const struct ww_flow *f, unsigned i, struct ww_named_name *ret)
{
	const struct told *told = &((const struct names *)f->named)->told[i];

	ww_dns_name_text(ww_slice(told->given->name, told->given->name_bytes), ret->text);
	ret->cookie = told->cookie;
	ret->serial = told->serial;
	ret->answered = told->answered;
}

void ww_named_write(const struct ww_flow *f, struct ww_jsonw *w)
{
	const struct names *n = f->named;

	if (!n)
		return;
	ww_jsonw_object(w, "dns");
	if (n->count)
		ww_jsonw_cstr(w, "to", n->own ? "process" : "scope");
	ww_jsonw_array(w, "names");
	for (unsigned i = 0; i < n->count; i++)
		write_told(n, &n->told[i], w);
	ww_jsonw_end_array(w);
	if (n->more)
		ww_jsonw_u64(w, "more", n->more);
	if (n->forgotten)
		ww_jsonw_u64(w, "forgotten", n->forgotten);
	if (n->unread)
		ww_jsonw_u64(w, "unread", n->unread);
	ww_jsonw_end_object(w);
}
