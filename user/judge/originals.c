/* SPDX-License-Identifier: Apache-2.0 */
#include "judge/originals.h"

#include <errno.h>

#include <wirewitness/limits.h>

#include "base/hash.h"
#include "base/json.h"

struct entry {
	UT_hash_handle hh;
	struct ww_sha256 key; /* of what was judged */
	struct ww_original original;
};

struct ww_originals {
	struct ww_sha256 contracts;
	struct entry *by_key;
};

int ww_originals_new(const struct ww_sha256 *contracts, struct ww_originals **ret)
{
	struct ww_originals *o = calloc(1, sizeof(*o));

	if (!o)
		return -ENOMEM;
	o->contracts = *contracts;
	*ret = o;
	return 0;
}

void ww_originals_free(struct ww_originals *o)
{
	struct entry *e, *next;

	if (!o)
		return;
	HASH_ITER (hh, o->by_key, e, next) {
		HASH_DEL(o->by_key, e);
		free(e);
	}
	free(o);
}

/* Action and control as one key; ids hold no NUL. control: null of the action itself. */
static struct ww_sha256 key_of(const char *action, struct ww_slice control)
{
	struct ww_sha256_ctx c;
	struct ww_sha256 key;

	ww_sha256_begin(&c);
	ww_sha256_add(&c, ww_slice(action, strlen(action) + 1));
	if (control.p)
		ww_sha256_add(&c, WW_SLICE_LIT("control\n"));
	ww_sha256_add(&c, control);
	ww_sha256_end(&c, &key);
	return key;
}

static struct entry *find(const struct ww_originals *o, const struct ww_sha256 *key)
{
	struct entry *e;

	HASH_FIND(hh, o->by_key, key, sizeof(*key), e);
	return e;
}

/* The name of the control that a verdict is about, in `name`; null: about the action. */
static int get_control(struct ww_slice verdict, struct ww_buf *name, struct ww_slice *ret)
{
	struct ww_json_token t;
	int r;

	*ret = WW_SLICE_NULL;
	if (ww_json_path(verdict, "$.control", &t, NULL) != WW_PARSE_DONE)
		return 0;
	if (ww_json_path(verdict, "$.control.name", &t, NULL) != WW_PARSE_DONE ||
	    t.type != WW_JSON_STRING)
		return -EINVAL;
	r = ww_json_unescape(&t, name);
	if (r == 0)
		r = ww_buf_add(name, "", 1); /* not null when it is empty */
	*ret = ww_slice(name->p, name->n ? name->n - 1 : 0);
	return r == -ENOMEM ? r : r < 0 ? -EINVAL : 0;
}

static int get_text(struct ww_slice record, const char *path, char *out, size_t cap)
{
	struct ww_json_token t;

	if (ww_json_path(record, path, &t, NULL) != WW_PARSE_DONE || t.type != WW_JSON_STRING ||
	    t.escaped || t.raw.n == 0 || t.raw.n >= cap)
		return -EINVAL;
	memcpy(out, t.raw.p, t.raw.n);
	out[t.raw.n] = '\0';
	return 0;
}

int ww_originals_add(struct ww_originals *o, struct ww_slice verdict)
{
	char action[WW_ACTION_ID_MAX];
	WW_AUTO_BUF struct ww_buf name = {0};
	struct ww_original original;
	struct ww_slice control;
	struct ww_sha256 key;
	struct entry *e;
	int r;

	ww_buf_init(&name, WW_RECORD_BYTES_MAX);
	if (get_text(verdict, "$.action", action, sizeof(action)) < 0 ||
	    get_text(verdict, "$.id", original.verdict, sizeof(original.verdict)) < 0)
		return -EINVAL;
	r = get_control(verdict, &name, &control);
	if (r < 0)
		return r;
	ww_sha256(verdict, &original.record);
	key = key_of(action, control);
	e = find(o, &key);
	if (e) {
		e->original = original;
		return 0;
	}
	if (HASH_COUNT(o->by_key) >= WW_ORIGINALS_MAX)
		return -E2BIG;
	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	e->key = key;
	e->original = original;
	HASH_ADD(hh, o->by_key, key, sizeof(e->key), e);
	if (!e->hh.tbl) {
		free(e);
		return -ENOMEM;
	}
	return 0;
}

const struct ww_original *ww_originals_find(const struct ww_originals *o, const char *action,
					    const char *control)
{
	const struct ww_sha256 key =
		key_of(action, control ? ww_slice_str(control) : WW_SLICE_NULL);
	const struct entry *e = find(o, &key);

	return e ? &e->original : NULL;
}

void ww_originals_write(const struct ww_originals *o, const char *action, const char *control,
			struct ww_jsonw *w)
{
	const struct ww_original *v = ww_originals_find(o, action, control);

	ww_jsonw_object(w, "reevaluates");
	ww_jsonw_cstr(w, "verdict", v ? v->verdict : NULL);
	if (v)
		ww_jsonw_hex(w, "record", ww_slice(v->record.b, sizeof(v->record.b)));
	else
		ww_jsonw_null(w, "record");
	ww_jsonw_hex(w, "contracts", ww_slice(o->contracts.b, sizeof(o->contracts.b)));
	ww_jsonw_end_object(w);
}
