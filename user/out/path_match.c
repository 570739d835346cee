/* SPDX-License-Identifier: Apache-2.0 */
#include "out/path_match.h"

#include <stdio.h>

#include "base/encode.h"
#include "out/member.h"

#define NS_PER_S 1000000000ull

/* The whole text, or what stands behind its last slash. */
static bool is_name(const struct ww_json_token *v, const char *name)
{
	struct ww_slice text = ww_slice_str(name);
	size_t before;

	if (!ww_member_has(v) || v->type != WW_JSON_STRING)
		return false;
	if (v->escaped)
		return ww_json_text_is(v, text);
	if (!ww_slice_ends(v->raw, text))
		return false;
	before = v->raw.n - text.n;
	return before == 0 || v->raw.p[before - 1] == '/';
}

static bool is_agent(const struct ww_path_want *want, struct ww_slice record)
{
	static const struct ww_slice paths[] = {
		WW_SLICE_LIT("agent"), WW_SLICE_LIT("program"), WW_SLICE_LIT("actor"),
		WW_SLICE_LIT("root"),  WW_SLICE_LIT("cgroup"),
	};
	struct ww_json_token v[WW_ARRAY_SIZE(paths)];
	bool any = false;

	ww_member_pick(record, paths, WW_ARRAY_SIZE(paths), v);
	for (size_t i = 0; i < WW_ARRAY_SIZE(paths); i++)
		any |= is_name(&v[i], want->agent);
	return any;
}

static bool is_trace(const struct ww_path_want *want, struct ww_slice record)
{
	struct ww_member_walk w;
	struct ww_member m;

	ww_member_begin(&w, record);
	while (ww_member_next(&w, &m))
		if (ww_slice_eq_str(m.path, "traceIds") && m.value.type == WW_JSON_STRING &&
		    ww_json_is(&m.value, want->trace))
			return true;
	return false;
}

static bool is_prompt(const struct ww_path_want *want, struct ww_slice record)
{
	const struct ww_json_token v = ww_member_get(record, "promptDigest");

	for (unsigned i = 0; ww_member_has(&v) && i < want->digest_count; i++) {
		char hex[2 * WW_SHA256_LEN + 1];

		ww_hex_encode(ww_slice(want->digests[i].b, WW_SHA256_LEN), hex);
		if (ww_json_is(&v, hex))
			return true;
	}
	return false;
}

static bool is_path(const struct ww_path_want *want, struct ww_slice record)
{
	static const struct ww_slice paths[] = {WW_SLICE_LIT("id"), WW_SLICE_LIT("path")};
	struct ww_slice text = ww_slice_str(want->path);
	struct ww_json_token v[2];

	ww_member_pick(record, paths, 2, v);
	return (ww_member_has(&v[0]) && ww_slice_starts(v[0].raw, text)) ||
	       (ww_member_has(&v[1]) && ww_slice_starts(v[1].raw, text));
}

bool ww_path_times(struct ww_slice record, struct ww_wall *ret_from, struct ww_wall *ret_to)
{
	static const char *const times[] = {
		"legs.connectBootNs", "legs.firstRequestBootNs",  "legs.lastRequestBootNs",
		"legs.endBootNs",     "legs.firstResponseBootNs",
	};
	const struct ww_json_token t = ww_member_get(record, "t");
	uint64_t first = UINT64_MAX, last = 0;
	struct ww_member_walk w;
	struct ww_member m;

	if (!ww_member_has(&t) || ww_wall_parse(t.raw, ret_from) < 0)
		return false;
	ww_member_begin(&w, record);
	while (ww_member_next(&w, &m)) {
		for (size_t i = 0; i < WW_ARRAY_SIZE(times); i++) {
			uint64_t at;

			if (!ww_slice_eq_str(m.path, times[i]))
				continue;
			at = ww_member_u64(&m.value, 0);
			if (at > last)
				last = at;
			/* `t` is the first byte of a request. */
			if (i == 1 && at > 0 && at < first)
				first = at;
		}
	}
	*ret_to = *ret_from;
	if (first != UINT64_MAX && last > first &&
	    __builtin_add_overflow(ret_from->ns, last - first, &ret_to->ns))
		ret_to->ns = UINT64_MAX;
	return true;
}

static bool is_time(const struct ww_path_want *want, struct ww_slice record)
{
	struct ww_wall from, to;

	return ww_path_times(record, &from, &to) && from.ns < want->to.ns && to.ns >= want->from.ns;
}

bool ww_path_match(const struct ww_path_want *want, struct ww_slice record)
{
	return (!want->path || is_path(want, record)) && (!want->trace || is_trace(want, record)) &&
	       (!want->agent || is_agent(want, record)) &&
	       (want->digest_count == 0 || is_prompt(want, record)) &&
	       (want->to.ns == 0 || is_time(want, record));
}

uint64_t ww_path_instant(const char *text, char out[WW_PATH_INSTANT_MAX])
{
	static const char minute[] = "dddd-dd-ddTdd:dd";
	size_t n = strlen(text);

	if (n < sizeof(minute) || n > WW_PATH_INSTANT_MAX - 8)
		return 0;
	for (size_t i = 0; i < sizeof(minute) - 1; i++) {
		bool digit = text[i] >= '0' && text[i] <= '9';

		if (minute[i] == 'd'   ? !digit
		    : minute[i] == 'T' ? text[i] != 'T' && text[i] != 't' && text[i] != ' '
				       : text[i] != minute[i])
			return 0;
	}
	if (text[sizeof(minute) - 1] == ':') {
		snprintf(out, WW_PATH_INSTANT_MAX, "%s", text);
		return NS_PER_S;
	}
	snprintf(out, WW_PATH_INSTANT_MAX, "%.16s:00%s", text, text + sizeof(minute) - 1);
	return 60 * NS_PER_S;
}
