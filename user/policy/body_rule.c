/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/body_rule.h"

#include "base/json.h"
#include "policy/scalar.h"

#include <errno.h>

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool blank(struct ww_slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!is_space(s.p[i]))
			return false;
	}
	return true;
}

/* Whether a container's whole text has nothing between its brackets. */
static bool container_empty(struct ww_slice range)
{
	return range.n >= 2 && blank(ww_slice_sub(range, 1, range.n - 2));
}

/* What `exists: false` also accepts: no error said in so many words. */
static bool says_nothing(const struct ww_json_token *t, struct ww_slice range)
{
	switch (t->type) {
	case WW_JSON_NULL:
	case WW_JSON_FALSE:
		return true;
	case WW_JSON_OBJECT:
	case WW_JSON_ARRAY:
		return container_empty(range);
	default:
		return false;
	}
}

static bool scalar_is(const struct ww_json_token *t, const char *text)
{
	switch (t->type) {
	case WW_JSON_STRING:
		return ww_json_is(t, text);
	case WW_JSON_NUMBER:
	case WW_JSON_TRUE:
	case WW_JSON_FALSE:
	case WW_JSON_NULL:
		return ww_slice_eq_str(t->raw, text);
	default:
		return false;
	}
}

static bool holds(const struct ww_body_rule *rule, const struct ww_json_token *t,
		  struct ww_slice range)
{
	if (rule->equals)
		return scalar_is(t, rule->equals);
	if (rule->exists)
		return t->type != WW_JSON_NULL;
	return says_nothing(t, range);
}

static enum ww_body_answer check_one(const struct ww_body_rule *rule, struct ww_slice body)
{
	struct ww_json_token t;
	struct ww_slice range;

	if (blank(body))
		return rule->exists ? WW_BODY_VIOLATES : WW_BODY_HOLDS;
	switch (ww_json_path(body, rule->path, &t, &range)) {
	case WW_PARSE_DONE:
		return holds(rule, &t, range) ? WW_BODY_HOLDS : WW_BODY_VIOLATES;
	case WW_PARSE_END:
		return rule->exists ? WW_BODY_VIOLATES : WW_BODY_HOLDS;
	default:
		return WW_BODY_UNKNOWN;
	}
}

enum ww_body_answer ww_body_rule_check(const struct ww_success *s, struct ww_slice body, bool whole,
				       unsigned *ret_rule)
{
	enum ww_body_answer answer = WW_BODY_HOLDS;

	for (unsigned i = 0; i < s->rule_count; i++) {
		enum ww_body_answer a = whole ? check_one(&s->rules[i], body) : WW_BODY_UNKNOWN;

		if (a == WW_BODY_VIOLATES) {
			*ret_rule = i;
			return a;
		}
		if (a == WW_BODY_UNKNOWN && answer == WW_BODY_HOLDS) {
			*ret_rule = i;
			answer = a;
		}
	}
	return answer;
}

static enum ww_body_answer check_item_status(const struct ww_bulk *b, struct ww_slice item)
{
	struct ww_json_token t;
	struct ww_slice range;
	uint64_t status;

	if (!b->status_path)
		return WW_BODY_HOLDS;
	if (ww_json_path(item, b->status_path, &t, &range) != WW_PARSE_DONE)
		return WW_BODY_UNKNOWN;
	/* Written as a number or as its text; a status line is neither. */
	if ((t.type != WW_JSON_NUMBER && t.type != WW_JSON_STRING) ||
	    ww_slice_u64(t.raw, &status) < 0)
		return WW_BODY_UNKNOWN;
	return status >= b->item.status_min && status <= b->item.status_max ? WW_BODY_HOLDS
									    : WW_BODY_VIOLATES;
}

static enum ww_body_answer check_item(const struct ww_bulk *b, struct ww_slice item)
{
	enum ww_body_answer answer = check_item_status(b, item);
	unsigned rule;

	return answer == WW_BODY_HOLDS ? ww_body_rule_check(&b->item, item, true, &rule) : answer;
}

enum ww_body_answer ww_body_rule_bulk(const struct ww_bulk *b, struct ww_slice body, bool whole,
				      uint32_t *ret_good, uint32_t *ret_all)
{
	uint32_t good = 0, all = 0;
	struct ww_json_token t;
	struct ww_slice array;
	struct ww_json j;

	if (!whole || ww_json_path(body, b->items, &t, &array) != WW_PARSE_DONE ||
	    t.type != WW_JSON_ARRAY)
		return WW_BODY_UNKNOWN;
	ww_json_init(&j, array);
	(void)ww_json_next(&j, &t); /* its bracket */
	while (ww_json_next(&j, &t) == WW_PARSE_DONE && t.type != WW_JSON_END_ARRAY) {
		size_t from = t.type == WW_JSON_STRING ? t.at - 1 : t.at;

		if (ww_json_skip(&j, &t) != WW_PARSE_DONE)
			return WW_BODY_UNKNOWN;
		switch (check_item(b, ww_slice_sub(array, from, j.at - from))) {
		case WW_BODY_HOLDS:
			good++;
			break;
		case WW_BODY_VIOLATES:
			break;
		default:
			return WW_BODY_UNKNOWN;
		}
		all++;
	}
	if (all == 0)
		return WW_BODY_UNKNOWN;
	*ret_good = good;
	*ret_all = all;
	return good == all ? WW_BODY_HOLDS : WW_BODY_VIOLATES;
}

int ww_body_rule_id(const char *path, struct ww_slice body, bool whole, struct ww_buf *out)
{
	struct ww_json_token t;

	if (!path || !whole || ww_json_path(body, path, &t, NULL) != WW_PARSE_DONE)
		return -ENOENT;
	if (t.type == WW_JSON_STRING)
		return ww_scalar_text(&t, out);
	if (t.type != WW_JSON_NUMBER)
		return -ENOENT;
	return ww_buf_add(out, t.raw.p, t.raw.n);
}
