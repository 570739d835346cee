/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/retention.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/json_write.h"
#include "ledger/fields.h"

/* Append only: a set's bits are places in here. timed: its `t` is the kernel's or the daemon's. */
static const struct {
	const char *kind;
	int tier; /* WW_TIER_MAX: never pruned */
	bool timed;
} table[] = {
	{"exchange", WW_TIER_CONTENT, true},
	{"model_call", WW_TIER_CONTENT, true},
	{"span", WW_TIER_CONTENT, false},
	{"action", WW_TIER_CONTENT, false},
	{"verdict", WW_TIER_EVIDENCE, false},
	{"flow", WW_TIER_EVIDENCE, true},
	{"actor", WW_TIER_EVIDENCE, true},
	{"coverage", WW_TIER_EVIDENCE, true},
	{"loss", WW_TIER_EVIDENCE, true},
	{"finding", WW_TIER_EVIDENCE, false},
	{"life", WW_TIER_MAX, true},
	{"prune", WW_TIER_MAX, true},
	{"key_rotation", WW_TIER_MAX, true},
	{"mcp_call", WW_TIER_CONTENT, true},
	{"run", WW_TIER_EVIDENCE, true},
	{"change", WW_TIER_EVIDENCE, true},
	{"attestation", WW_TIER_EVIDENCE, true},
	{"lookup", WW_TIER_EVIDENCE, true},
	{"path", WW_TIER_EVIDENCE, false},
	{"crossing", WW_TIER_EVIDENCE, true},
	{"guard", WW_TIER_EVIDENCE, true},
};

_Static_assert(WW_ARRAY_SIZE(table) <= 32, "a set has 32 bits");

static const char *const tier_names[] = {
#define TIER_NAME(n, t) t,
	WW_RETENTION_TIERS(TIER_NAME)
#undef TIER_NAME
};

static int find(struct ww_slice kind)
{
	for (size_t i = 0; i < WW_ARRAY_SIZE(table); i++)
		if (ww_slice_eq_str(kind, table[i].kind))
			return (int)i;
	return -1;
}

ww_kinds ww_retention_kind(struct ww_slice kind)
{
	int i = find(kind);

	return i >= 0 && table[i].tier < WW_TIER_MAX ? 1u << i : 0;
}

ww_kinds ww_retention_tier(enum ww_tier tier)
{
	ww_kinds set = 0;

	for (size_t i = 0; i < WW_ARRAY_SIZE(table); i++)
		if (table[i].tier == (int)tier)
			set |= 1u << i;
	return set;
}

int ww_retention_parse_tier(struct ww_slice text, ww_kinds *ret_kinds)
{
	for (int t = 0; t < WW_TIER_MAX; t++)
		if (ww_slice_eq_str(text, tier_names[t])) {
			*ret_kinds = ww_retention_tier((enum ww_tier)t);
			return 0;
		}
	return -EINVAL;
}

int ww_retention_parse_kinds(struct ww_slice text, ww_kinds *ret_kinds)
{
	ww_kinds set = 0;

	for (;;) {
		size_t comma = ww_slice_find(text, 0, ',');
		ww_kinds one = ww_retention_kind(ww_slice_sub(text, 0, comma));

		if (!one)
			return -EINVAL;
		set |= one;
		if (comma == text.n)
			break;
		text = ww_slice_sub(text, comma + 1, text.n);
	}
	*ret_kinds = set;
	return 0;
}

int ww_retention_parse_age(struct ww_slice text, uint64_t *ret_seconds)
{
	static const struct {
		char unit;
		uint64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
	uint64_t n;

	if (text.n < 2 || ww_slice_u64(ww_slice_sub(text, 0, text.n - 1), &n) < 0)
		return -EINVAL;
	for (size_t i = 0; i < WW_ARRAY_SIZE(units); i++)
		if (text.p[text.n - 1] == units[i].unit && n > 0 &&
		    n <= WW_RETENTION_AGE_MAX_S / units[i].seconds) {
			*ret_seconds = n * units[i].seconds;
			return 0;
		}
	return -EINVAL;
}

int ww_retention_set(struct ww_retention *r, struct ww_slice text)
{
	size_t equal = ww_slice_find(text, 0, '=');
	struct ww_slice name = ww_slice_sub(text, 0, equal);
	uint64_t seconds, *to = ww_slice_eq_str(name, "floor") ? &r->floor_s : NULL;

	for (int t = 0; t < WW_TIER_MAX; t++)
		if (ww_slice_eq_str(name, tier_names[t]))
			to = &r->keep_s[t];
	if (!to || ww_retention_parse_age(ww_slice_sub(text, equal + 1, text.n), &seconds) < 0)
		return -EINVAL;
	*to = seconds;
	return 0;
}

int ww_retention_parse(struct ww_slice text, struct ww_retention *ret)
{
	struct ww_retention r = {.floor_s = WW_RETENTION_FLOOR_S};

	if (text.n > WW_RETENTION_TEXT_MAX)
		return -EINVAL;
	while (text.n > 0) {
		size_t end = ww_slice_find(text, 0, '\n');

		if (end == text.n || ww_retention_set(&r, ww_slice_sub(text, 0, end)) < 0)
			return -EINVAL;
		text = ww_slice_sub(text, end + 1, text.n);
	}
	*ret = r;
	return 0;
}

int ww_retention_text(const struct ww_retention *r, struct ww_buf *out)
{
	char line[64];
	int n = snprintf(line, sizeof(line), "floor=%" PRIu64 "s\n", r->floor_s);
	int e = ww_buf_add(out, line, (size_t)n);

	for (int t = 0; t < WW_TIER_MAX && e == 0; t++) {
		if (r->keep_s[t] == 0)
			continue;
		n = snprintf(line, sizeof(line), "%s=%" PRIu64 "s\n", tier_names[t], r->keep_s[t]);
		e = ww_buf_add(out, line, (size_t)n);
	}
	return e;
}

/* --- the record ---------------------------------------------------------------------------------
 */

int ww_prune_record_text(const struct ww_prune_record *p, struct ww_buf *out)
{
	struct ww_jsonw w;
	char id[64];
	int n = snprintf(id, sizeof(id), "r-");

	/* The digits of the time: unique as far as the clock is, and of the form of an id. */
	for (const char *c = p->t; *c && n < 40; c++)
		if (*c >= '0' && *c <= '9')
			id[n++] = *c;
	id[n] = '\0';
	ww_jsonw_init(&w, out);
	ww_jsonw_object(&w, NULL);
	ww_jsonw_cstr(&w, "kind", "prune");
	ww_jsonw_cstr(&w, "id", id);
	ww_jsonw_cstr(&w, "t", p->t);
	ww_jsonw_cstr(&w, "by", p->by_policy ? "policy" : "command");
	ww_jsonw_bool(&w, "forced", p->forced);
	ww_jsonw_u64(&w, "olderThanS", p->older_than_s);
	ww_jsonw_cstr(&w, "cutoff", p->cutoff);
	ww_jsonw_array(&w, "kinds");
	for (size_t i = 0; i < WW_ARRAY_SIZE(table); i++)
		if (p->kinds & 1u << i)
			ww_jsonw_cstr(&w, NULL, table[i].kind);
	ww_jsonw_end_array(&w);
	ww_jsonw_u64(&w, "first", p->first);
	ww_jsonw_u64(&w, "last", p->last);
	ww_jsonw_u64(&w, "records", p->records);
	ww_jsonw_object(&w, "counts");
	for (size_t i = 0; i < WW_ARRAY_SIZE(table); i++)
		if (p->counts[i])
			ww_jsonw_u64(&w, table[i].kind, p->counts[i]);
	ww_jsonw_end_object(&w);
	ww_jsonw_end_object(&w);
	return w.err;
}

/* Digits and the marks of RFC 3339, so that it can be shown and compared as it is. */
static int take_time(const struct ww_field *f, char out[WW_RFC3339_MAX])
{
	struct ww_slice t = f->token.raw;

	if (t.n < 20 || t.n >= WW_RFC3339_MAX)
		return -EINVAL;
	for (size_t i = 0; i < t.n; i++)
		if (!(t.p[i] >= '0' && t.p[i] <= '9') && !strchr("-:.TZ", t.p[i]))
			return -EINVAL;
	memcpy(out, t.p, t.n);
	out[t.n] = '\0';
	return 0;
}

static int take_kinds(struct ww_slice array, ww_kinds *ret)
{
	struct ww_json_token t;
	struct ww_slice text;
	struct ww_json j;
	int r = ww_fields_array(array, &j);
	ww_kinds set = 0;

	while (r >= 0 && (r = ww_fields_next(&j, &t, &text)) == 1) {
		ww_kinds one = t.type == WW_JSON_STRING ? ww_retention_kind(t.raw) : 0;

		if (!one)
			return -EINVAL;
		set |= one;
	}
	if (r == 0)
		*ret = set;
	return r;
}

int ww_prune_record_parse(struct ww_slice json, struct ww_prune_record *ret)
{
	enum { KIND, T, BY, FORCED, AGE, CUTOFF, KINDS, FIRST, LAST, RECORDS, N };
	struct ww_field f[N] = {
		[KIND] = {.name = "kind", .type = WW_JSON_STRING},
		[T] = {.name = "t", .type = WW_JSON_STRING},
		[BY] = {.name = "by", .type = WW_JSON_STRING},
		[FORCED] = {.name = "forced", .type = WW_JSON_TRUE},
		[AGE] = {.name = "olderThanS", .type = WW_JSON_NUMBER},
		[CUTOFF] = {.name = "cutoff", .type = WW_JSON_STRING},
		[KINDS] = {.name = "kinds", .type = WW_JSON_ARRAY},
		[FIRST] = {.name = "first", .type = WW_JSON_NUMBER},
		[LAST] = {.name = "last", .type = WW_JSON_NUMBER},
		[RECORDS] = {.name = "records", .type = WW_JSON_NUMBER},
	};
	struct ww_prune_record p = {.older_than_s = 0};

	if (ww_fields_read(json, "the prune record", f, N, NULL) < 0 ||
	    !ww_slice_eq_str(f[KIND].token.raw, "prune") || take_time(&f[T], p.t) < 0 ||
	    take_time(&f[CUTOFF], p.cutoff) < 0 || take_kinds(f[KINDS].text, &p.kinds) < 0 ||
	    ww_fields_u64(&f[AGE], &p.older_than_s) < 0 || ww_fields_u64(&f[FIRST], &p.first) < 0 ||
	    ww_fields_u64(&f[LAST], &p.last) < 0 || ww_fields_u64(&f[RECORDS], &p.records) < 0 ||
	    p.first > p.last)
		return -EINVAL;
	p.by_policy = ww_slice_eq_str(f[BY].token.raw, "policy");
	p.forced = f[FORCED].token.type == WW_JSON_TRUE;
	*ret = p;
	return 0;
}

bool ww_prune_record_names(const struct ww_prune_record *p, uint64_t index, struct ww_slice kind)
{
	return index >= p->first && index <= p->last && (ww_retention_kind(kind) & p->kinds) != 0;
}

void ww_retention_age(struct ww_slice kind, struct ww_slice json, const char *cutoff,
		      bool *ret_counts, bool *ret_old)
{
	int i = find(kind);
	struct ww_json_token t;
	bool has = ww_json_path(json, "$.t", &t, NULL) == WW_PARSE_DONE &&
		   t.type == WW_JSON_STRING && t.raw.n == strlen(cutoff);

	*ret_counts = has && i >= 0 && table[i].timed;
	*ret_old = has && memcmp(t.raw.p, cutoff, t.raw.n) < 0;
}
