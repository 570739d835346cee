/* SPDX-License-Identifier: Apache-2.0 */
/* Scenes whose records are changed, as somebody who holds the log's key could write them. */
#pragma once

#include "scene.h"

/* The records as an array, and in it the last verdict. */
static inline json_t *parsed(const struct scene *s)
{
	struct ww_slice all = ww_buf_slice(&s->all), line;
	json_t *list = json_array();
	json_error_t e;

	while (ww_slice_line(&all, &line))
		json_array_append_new(list, json_loadb((const char *)line.p, line.n, 0, &e));
	return list;
}

static inline json_t *last(json_t *list, const char *kind)
{
	for (size_t i = json_array_size(list); i-- > 0;) {
		json_t *r = json_array_get(list, i);

		if (strcmp(text(r, "kind"), kind) == 0)
			return r;
	}
	return NULL;
}

static inline json_t *by_id(json_t *list, const char *id)
{
	json_t *r;
	size_t i;

	json_array_foreach(list, i, r)
	{
		if (strcmp(text(r, "id"), id) == 0)
			return r;
	}
	fail_msg("no record %s", id);
	return NULL;
}

#define SET(object, ...)                                                \
	do {                                                            \
		json_t *with_ = json_pack(__VA_ARGS__);                 \
		assert_non_null(with_);                                 \
		assert_int_equal(json_object_update(object, with_), 0); \
		json_decref(with_);                                     \
	} while (0)

static inline json_t *in(json_t *object, const char *key)
{
	json_t *v = json_object_get(object, key);

	if (!v)
		fail_msg("no member %s", key);
	return v;
}

static inline json_t *first(json_t *object, const char *key)
{
	return json_array_get(in(object, key), 0);
}

/* Who lies well changes the action's record, too. */
static inline json_t *both_wires(json_t *list, json_t *v)
{
	SET(last(list, "action"), "{sO}", "wire", in(v, "wire"));
	return in(v, "wire");
}

static inline json_t *all_pass(void)
{
#define ITEM_(n, t, r, d) json_array_append_new(list, json_pack("{ss,sb}", "item", t, "pass", 1));
	json_t *list = json_array();

	WW_WORLD_ITEMS(ITEM_)
	return list;
}

struct lie {
	struct scene *(*truth)(void);
	const char *verdict; /* the last one of it */
	void (*lie)(json_t *list, json_t *v);
	const char *field; /* that must be named */
	bool undecided;
};

static inline void write_all(json_t *list, struct ww_buf *out)
{
	json_t *r;
	size_t i;

	ww_buf_init(out, 8u << 20);
	json_array_foreach(list, i, r)
	{
		char *line = json_dumps(r, JSON_COMPACT);

		assert_int_equal(ww_buf_add(out, line, strlen(line)), 0);
		assert_int_equal(ww_buf_add(out, "\n", 1), 0);
		free(line);
	}
}

static inline bool names(const struct ww_rederive_result *r, const char *field, bool undecided)
{
	for (size_t i = 0; i < r->n_findings; i++) {
		if (strcmp(r->findings[i].field, field) == 0 &&
		    r->findings[i].undecided == undecided)
			return true;
	}
	return false;
}

static inline void each_is_found(const struct lie *lies, size_t n_lies)
{
	for (size_t i = 0; i < n_lies; i++) {
		WW_AUTO(ww_rederive_free_auto) struct ww_rederive *rd = NULL;
		struct scene *s = lies[i].truth();
		WW_AUTO_BUF struct ww_buf b = {0};
		const struct ww_rederive_result *r;
		json_t *list;

		scene_cover(s);
		all_derived(ww_buf_slice(&s->all), false);
		list = parsed(s);
		assert_string_equal(text(last(list, "verdict"), "verdict"), lies[i].verdict);
		lies[i].lie(list, last(list, "verdict"));
		write_all(list, &b);
		rd = derive_again(ww_buf_slice(&b));
		r = ww_rederive_result(rd);
		for (size_t n = 0; n < r->n_findings; n++)
			print_message("%zu %s: %s: expected %s, found %s%s\n", i,
				      r->findings[n].verdict, r->findings[n].field,
				      r->findings[n].expected, r->findings[n].found,
				      r->findings[n].undecided ? " (undecided)" : "");
		if (!names(r, lies[i].field, lies[i].undecided) || r->agree == r->verdicts ||
		    (!lies[i].undecided && r->differ == 0))
			fail_msg("lie %zu of %s: %s is not named", i, lies[i].verdict,
				 lies[i].field);
		json_decref(list);
		s->underivable = true;
		scene_close(s);
	}
}
