/* SPDX-License-Identifier: Apache-2.0 */
#include "join/match_index.h"

#include <errno.h>

#include "join/held.h"

/* Matches that have something in common. It goes with the last of them. */
struct ww_match_chain {
	struct ww_match_key key;
	struct ww_match *newest;
	UT_hash_handle hh;
};

static struct ww_match_chain *chain_find(struct ww_match_chain *head, const struct ww_match_key *k)
{
	struct ww_match_chain *c = NULL;

	HASH_FIND(hh, head, k, sizeof(*k), c);
	return c;
}

/* NULL: no memory. */
static struct ww_match_chain *chain_ensure(struct ww_match_chain **head,
					   const struct ww_match_key *k)
{
	struct ww_match_chain *c = chain_find(*head, k);

	if (c)
		return c;
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->key = *k;
	HASH_ADD(hh, *head, key, sizeof(c->key), c);
	if (c->hh.tbl)
		return c;
	free(c);
	return NULL;
}

static void chain_tidy(struct ww_match_chain **head, struct ww_match_chain *c)
{
	if (!c || c->newest)
		return;
	HASH_DELETE(hh, *head, c);
	free(c);
}

struct ww_match *ww_match_index_same_id(const struct ww_match_index *x, const struct ww_match *m)
{
	const struct ww_match_chain *c = chain_find(x->by_id, &m->id);

	return c ? c->newest : NULL;
}

static struct ww_match_key tree_key(uint32_t contract, struct ww_actor_key root)
{
	struct ww_match_key k = {.contract = contract};
	uint64_t pid = root.pid;

	memcpy(k.of, &root.start_ns, sizeof(root.start_ns));
	memcpy(k.of + sizeof(root.start_ns), &pid, sizeof(pid));
	return k;
}

struct ww_match *ww_match_index_of_tree(const struct ww_match_index *x, uint32_t contract,
					struct ww_actor_key root)
{
	struct ww_match_key key = tree_key(contract, root);
	const struct ww_match_chain *c = chain_find(x->by_tree, &key);

	return c ? c->newest : NULL;
}

int ww_match_index_add(struct ww_match_index *x, struct ww_match *m)
{
	struct ww_match_key key = tree_key(m->contract, m->x->root);

	m->tree = chain_ensure(&x->by_tree, &key);
	m->same = m->tree && m->id_present ? chain_ensure(&x->by_id, &m->id) : NULL;
	if (!m->tree || (m->id_present && !m->same)) {
		chain_tidy(&x->by_tree, m->tree);
		return -ENOMEM;
	}
	m->tree_older = m->tree->newest;
	if (m->tree_older)
		m->tree_older->tree_newer = m;
	m->tree->newest = m;
	if (!m->same)
		return 0;
	m->same_older = m->same->newest;
	if (m->same_older)
		m->same_older->same_newer = m;
	m->same->newest = m;
	return 0;
}

void ww_match_index_remove(struct ww_match_index *x, struct ww_match *m)
{
	if (m->tree_older)
		m->tree_older->tree_newer = m->tree_newer;
	if (m->tree_newer)
		m->tree_newer->tree_older = m->tree_older;
	else
		m->tree->newest = m->tree_older;
	chain_tidy(&x->by_tree, m->tree);
	if (m->same_older)
		m->same_older->same_newer = m->same_newer;
	if (m->same_newer)
		m->same_newer->same_older = m->same_older;
	else if (m->same)
		m->same->newest = m->same_older;
	chain_tidy(&x->by_id, m->same);
}
