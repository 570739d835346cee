/* SPDX-License-Identifier: Apache-2.0 */
#include "judge/path_recent.h"

#include <errno.h>
#include <utlist.h>

#define SECOND_NS  1000000000ull
#define LOOKED_MAX (2u << 20) /* in a second */

struct ww_path_recents {
	struct ww_path_recent *list;
	unsigned count;
	size_t bytes;
	struct ww_boot lost;
	struct ww_boot since; /* of what was looked through: bytes in this second */
	size_t looked;
};

int ww_path_recents_new(struct ww_path_recents **ret)
{
	struct ww_path_recents *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	*ret = r;
	return 0;
}

static void drop_first(struct ww_path_recents *r)
{
	struct ww_path_recent *e = r->list;

	DL_DELETE(r->list, e);
	r->count--;
	r->bytes -= e->x.req.data.n;
	explicit_bzero(e->body, e->x.req.data.n);
	free(e);
}

void ww_path_recents_free(struct ww_path_recents *r)
{
	while (r && r->list)
		drop_first(r);
	free(r);
}

int ww_path_recents_add(struct ww_path_recents *r, const struct ww_exchange *x, bool model,
			struct ww_boot now)
{
	size_t n = x->req.data.n;
	struct ww_path_recent *e;

	if (n > WW_PATH_RECENT_BODY_MAX)
		return -EFBIG;
	e = malloc(sizeof(*e) + n);
	if (!e)
		return -ENOMEM;
	e->x = *x;
	e->at = now;
	e->model = model;
	if (n)
		memcpy(e->body, x->req.data.p, n);
	e->x.req.data = ww_slice(e->body, n);
	e->x.req.form = NULL;
	e->x.resp.data = (struct ww_slice){0};
	e->x.resp.form = NULL;
	DL_APPEND(r->list, e);
	r->count++;
	r->bytes += n;
	while (r->count > WW_PATH_RECENTS_MAX || r->bytes > WW_PATH_RECENT_BYTES_MAX) {
		r->lost = r->list->at;
		drop_first(r);
	}
	return 0;
}

void ww_path_recents_expire(struct ww_path_recents *r, struct ww_boot before)
{
	while (r->list && r->list->at.ns < before.ns)
		drop_first(r);
}

bool ww_path_recents_afford(struct ww_path_recents *r, size_t bytes, struct ww_boot now)
{
	if (now.ns >= r->since.ns + SECOND_NS) {
		r->since = now;
		r->looked = 0;
	}
	if (r->looked + bytes > LOOKED_MAX)
		return false;
	r->looked += bytes;
	return true;
}

const struct ww_path_recent *ww_path_recents(const struct ww_path_recents *r)
{
	return r->list;
}

struct ww_boot ww_path_recents_lost(const struct ww_path_recents *r)
{
	return r->lost;
}
