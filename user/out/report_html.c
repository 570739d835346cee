/* SPDX-License-Identifier: Apache-2.0 */
#include "out/report_html.h"

#include <errno.h>
#include <stdlib.h>

#include <wirewitness/limits.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/encode.h"
#include "ledger/fields.h"
#include "out/printable.h"
#include "out/report_html_view.h"
#include "out/svg_map.h"

/* --- the listed records -------------------------------------------------------------------------
 */

static int by_index(const void *a, const void *b)
{
	const struct ww_report_entry *x = a, *y = b;

	return x->index < y->index ? -1 : x->index > y->index;
}

static int by_id(const void *a, const void *b)
{
	const struct ww_report_entry *const *x = a, *const *y = b;
	int c = strcmp((*x)->id, (*y)->id);

	/* Of one id (an action that was judged again) the newest is last. */
	return c ? c : by_index(*x, *y);
}

const struct ww_report_entry *ww_report_view_at(const struct ww_report_view *v, uint64_t index)
{
	const struct ww_report_entry key = {.index = index};

	return bsearch(&key, v->entries, v->n, sizeof(*v->entries), by_index);
}

/* The newest record with this id, or NULL. */
static const struct ww_report_entry *find(const struct ww_report_view *v, struct ww_slice id)
{
	size_t low = 0, high = v->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const char *have = v->by_id[mid]->id;
		size_t n = strlen(have), least = n < id.n ? n : id.n;
		int c = least ? memcmp(have, id.p, least) : 0;

		if (c < 0 || (c == 0 && n <= id.n))
			low = mid + 1;
		else
			high = mid;
	}
	return low > 0 && id.n && ww_slice_eq_str(id, v->by_id[low - 1]->id) ? v->by_id[low - 1]
									     : NULL;
}

const struct ww_report_entry *ww_report_view_find(const struct ww_report_view *v,
						  const struct ww_json_token *id)
{
	if (!ww_member_has(id) || id->type != WW_JSON_STRING || id->escaped)
		return NULL;
	return find(v, id->raw);
}

int ww_report_view_read(const struct ww_report_entry *e, struct ww_buf *scratch,
			struct ww_slice *ret_record)
{
	struct ww_statement_record record;
	struct ww_errtext why;
	int r;

	if (e->withheld)
		return -ENOENT;
	r = ww_statement_record_parse(e->text, scratch, &record, &why);
	if (r == 0)
		*ret_record = ww_slice_sub(record.salted, WW_LEAF_SALT_LEN, SIZE_MAX);
	return r;
}

bool ww_report_array(struct ww_slice object, const char *path, struct ww_json *ret)
{
	struct ww_json_token t;
	struct ww_slice array;

	return ww_json_path(object, path, &t, &array) == WW_PARSE_DONE && t.type == WW_JSON_ARRAY &&
	       ww_fields_array(array, ret) == 0;
}

static void copy_id(const struct ww_json_token *id, char out[WW_REPORT_HTML_ID])
{
	if (ww_member_has(id) && id->type == WW_JSON_STRING && !id->escaped &&
	    id->raw.n < WW_REPORT_HTML_ID && !memchr(id->raw.p, 0, id->raw.n))
		memcpy(out, id->raw.p, id->raw.n);
}

static void take_ids(struct ww_report_entry *e, struct ww_slice record)
{
	static const struct ww_slice paths[] = {WW_SLICE_LIT("id"), WW_SLICE_LIT("supersedes")};
	struct ww_json_token m[WW_ARRAY_SIZE(paths)];

	ww_member_pick(record, paths, WW_ARRAY_SIZE(paths), m);
	copy_id(&m[0], e->id);
	copy_id(&m[1], e->supersedes);
}

/* Reads what is needed of every record to find it again. */
static int list_records(struct ww_report_view *v, struct ww_errtext *why)
{
	struct ww_statement_record record;
	struct ww_json_token t;
	struct ww_slice text;
	struct ww_json j;
	int r = ww_fields_array(v->s->records, &j);

	while (r == 0 && (r = ww_fields_next(&j, &t, &text)) == 1) {
		struct ww_report_entry *e = &v->entries[v->n];

		if (v->n == v->s->count)
			return -EINVAL;
		r = ww_statement_record_parse(text, &v->record, &record, why);
		if (r < 0)
			return r;
		*e = (struct ww_report_entry){.index = record.index,
					      .text = text,
					      .kind = record.kind,
					      .withheld = record.withheld};
		/* A finding bears the id of what it is about. */
		if (!record.withheld && !ww_slice_eq_str(record.kind, "finding"))
			take_ids(e, ww_slice_sub(record.salted, WW_LEAF_SALT_LEN, SIZE_MAX));
		v->by_id[v->n++] = e;
	}
	if (r < 0)
		return r;
	qsort(v->by_id, v->n, sizeof(*v->by_id), by_id);
	return 0;
}

/* Marks the verdicts that a listed one supersedes. */
static void mark_replaced(struct ww_report_view *v)
{
	for (size_t i = 0; i < v->n; i++) {
		const struct ww_report_entry *e = &v->entries[i], *old;

		if (!ww_slice_eq_str(e->kind, "verdict"))
			continue;
		old = find(v, ww_slice_str(e->supersedes));
		if (old && ww_slice_eq_str(old->kind, "verdict"))
			v->entries[old - v->entries].replaced = true;
	}
}

/* --- values -------------------------------------------------------------------------------------
 */

static void dash(struct ww_html *h, const char *element)
{
	ww_html_put(h, element, "none", "\xe2\x80\x93");
}

/* A value's text, decoded, and cut to what is shown. */
static void put_text(struct ww_report_view *v, const struct ww_json_token *value, bool whole)
{
	struct ww_slice text = value->raw, cut;

	ww_buf_clear(&v->text);
	if (value->escaped) {
		if (ww_json_unescape(value, &v->text) < 0)
			v->h.err = -EMSGSIZE;
		text = ww_buf_slice(&v->text);
	}
	cut = whole ? text : ww_printable_cut(text, WW_REPORT_HTML_CUT);
	ww_html_text(&v->h, cut);
	if (cut.n < text.n)
		ww_html_str(&v->h, "\xe2\x80\xa6");
}

/* "2026-11-23 22:52:24.625" of an RFC 3339 text in UTC. */
static void put_time(struct ww_report_view *v, const struct ww_json_token *value)
{
	ww_html_open(&v->h, "time");
	ww_html_attr(&v->h, "datetime", value->raw);
	ww_html_text(&v->h, ww_slice_sub(value->raw, 0, 10));
	ww_html_str(&v->h, " ");
	ww_html_text(&v->h, ww_slice_sub(value->raw, 11, value->raw.n >= 24 ? 12 : 8));
	ww_html_close(&v->h);
}

bool ww_report_wall(const struct ww_json_token *value, uint64_t *ret_ns)
{
	struct ww_wall w;

	if (!ww_member_has(value) || value->type != WW_JSON_STRING || value->escaped ||
	    ww_wall_parse(value->raw, &w) < 0)
		return false;
	*ret_ns = w.ns;
	return true;
}

void ww_report_value(struct ww_report_view *v, const char *element,
		     const struct ww_json_token *value, enum ww_report_how how)
{
	bool yes = value->type == WW_JSON_TRUE;
	uint64_t ns, index = ww_member_u64(value, UINT64_MAX);

	if (!ww_member_has(value) || (value->type == WW_JSON_STRING && value->raw.n == 0)) {
		dash(&v->h, element);
		return;
	}
	ww_html_open(&v->h, element);
	if (how == WW_REPORT_LINK && index != UINT64_MAX) {
		ww_report_link(v, index);
	} else if (how == WW_REPORT_TIME && ww_report_wall(value, &ns)) {
		put_time(v, value);
	} else if (how == WW_REPORT_YES && (yes || value->type == WW_JSON_FALSE)) {
		ww_html_attr_str(&v->h, "class", yes ? "yes" : "no");
		ww_html_str(&v->h, yes ? "yes" : "no");
	} else {
		ww_html_attr_str(&v->h, "class", value->type == WW_JSON_NUMBER ? "v num" : "v");
		put_text(v, value, how == WW_REPORT_WHOLE);
	}
	ww_html_close(&v->h);
}

void ww_report_said(struct ww_report_view *v, const char *before, const struct ww_json_token *value,
		    const char *after)
{
	if (!ww_member_has(value))
		return;
	ww_html_str(&v->h, before);
	ww_report_value(v, "span", value, WW_REPORT_TEXT);
	ww_html_str(&v->h, after);
}

void ww_report_index(struct ww_html *h, const char *mark, uint64_t index)
{
	ww_html_open(h, mark ? "a" : "span");
	if (mark)
		ww_html_attr_mark(h, "href", mark, index);
	ww_html_attr_str(h, "class", "v num");
	ww_html_u64(h, index);
	ww_html_close(h);
}

void ww_report_link(struct ww_report_view *v, uint64_t index)
{
	ww_report_index(&v->h, ww_report_view_at(v, index) ? "#r-" : NULL, index);
}

void ww_report_begin_table(struct ww_report_view *v, const char *role, const char *caption,
			   const char *const *titles, size_t n)
{
	struct ww_html *h = &v->h;

	ww_html_open(h, "div");
	ww_html_attr_str(h, "class", "scroll");
	ww_html_attr_str(h, "role", role);
	ww_html_attr_str(h, "tabindex", "0");
	ww_html_attr_str(h, "aria-label", caption);
	ww_html_open(h, "table");
	ww_html_put(h, "caption", NULL, caption);
	ww_html_open(h, "thead");
	ww_html_open(h, "tr");
	for (size_t i = 0; i < n; i++) {
		ww_html_open(h, "th");
		ww_html_attr_str(h, "scope", "col");
		ww_html_str(h, titles[i]);
		ww_html_close(h);
	}
	ww_html_close(h);
	ww_html_close(h);
	ww_html_open(h, "tbody");
}

void ww_report_end_table(struct ww_report_view *v)
{
	for (unsigned i = 0; i < 3; i++)
		ww_html_close(&v->h);
}

/* --- evidence -----------------------------------------------------------------------------------
 */

/* The record with a line break before each of its members, and before each object in an array: the
 * same JSON, readable. Characters that act on a screen become escapes of JSON. */
static int lay_out(struct ww_slice record, struct ww_buf *out)
{
	struct ww_json j;
	struct ww_json_token t;
	size_t copied = 0;
	int r = 0;

	ww_buf_clear(out);
	ww_json_init(&j, record);
	while (r == 0 && ww_json_next(&j, &t) == WW_PARSE_DONE) {
		bool member = t.type == WW_JSON_KEY && t.depth == 1;
		bool element = t.type == WW_JSON_OBJECT && (t.depth == 2 || t.depth == 3) &&
			       t.at > 0 && record.p[t.at - 1] != ':';
		size_t at = member ? t.at - 1 : t.at;

		if (!member && !element)
			continue;
		r = ww_printable_json(out, ww_slice_sub(record, copied, at - copied));
		if (r == 0)
			r = ww_buf_add(out, member ? "\n  " : "\n    ", member ? 3 : 5);
		copied = at;
	}
	return r == 0 ? ww_printable_json(out, ww_slice_sub(record, copied, SIZE_MAX)) : r;
}

/* False: there was no room for its text. */
static bool show_record(struct ww_report_view *v, const struct ww_report_entry *e)
{
	struct ww_slice record;

	if (e->withheld)
		return true;
	if (ww_report_view_read(e, &v->record, &record) < 0) {
		v->h.err = -EINVAL;
		return false;
	}
	if (v->shown + record.n > WW_REPORT_HTML_TEXT_BYTES) {
		ww_html_put(&v->h, "p", "note",
			    "Not shown as text here; the report in this file has it.");
		return false;
	}
	v->shown += record.n;
	if (lay_out(record, &v->other) < 0)
		v->h.err = -ENOMEM;
	ww_html_open(&v->h, "pre");
	ww_html_attr_str(&v->h, "class", "json");
	ww_html_lines(&v->h, ww_buf_slice(&v->other));
	ww_html_close(&v->h);
	return true;
}

static void show_seal(struct ww_report_view *v, const struct ww_report_entry *e)
{
	static const struct ww_slice paths[] = {WW_SLICE_LIT("salt"), WW_SLICE_LIT("digest"),
						WW_SLICE_LIT("prunedAt"), WW_SLICE_LIT("prunedBy")};
	struct ww_json_token m[WW_ARRAY_SIZE(paths)];

	ww_member_pick(e->text, paths, WW_ARRAY_SIZE(paths), m);
	ww_html_open(&v->h, "p");
	ww_html_attr_str(&v->h, "class", "seal");
	ww_report_said(v, "salt ", &m[0], "");
	ww_report_said(v, "withheld; digest ", &m[1], "");
	ww_report_said(v, "; pruned ", &m[2], "");
	if (ww_member_has(&m[3])) {
		ww_html_str(&v->h, ", named by record ");
		ww_report_link(v, ww_member_u64(&m[3], UINT64_MAX));
	}
	ww_html_close(&v->h);
}

static void evidence(struct ww_report_view *v)
{
	struct ww_html *h = &v->h;

	ww_html_open(h, "section");
	ww_html_attr_str(h, "id", "records");
	ww_html_attr_str(h, "class", "records");
	ww_html_put(h, "h2", NULL, "Records");
	ww_html_put(h, "p", NULL,
		    "Every listed record, by its index in the ledger. A line break stands before "
		    "each member; the exact bytes are those in the report.");
	for (size_t i = 0; i < v->n && h->err == 0; i++) {
		const struct ww_report_entry *e = &v->entries[i];

		ww_html_open(h, "section");
		ww_html_attr_mark(h, "id", "r-", e->index);
		ww_html_attr_str(h, "class", "record");
		ww_html_open(h, "h3");
		ww_report_index(h, NULL, e->index);
		ww_html_str(h, " ");
		ww_html_open(h, "span");
		ww_html_attr_str(h, "class", "v");
		ww_html_text(h, e->kind);
		ww_html_close(h);
		ww_html_close(h);
		if (show_record(v, e))
			show_seal(v, e);
		ww_html_close(h);
	}
	ww_html_close(h);
}

/* --- the frame ----------------------------------------------------------------------------------
 */

static void head(struct ww_report_view *v)
{
	/* Reports without paths have the page that they always had. */
	const char *const styles[] = {ww_report_html_style(),
				      v->s->sections.paths.n ? ww_report_html_path_style() : "",
				      v->s->sections.paths.n ? ww_svg_map_style() : ""};
	char hash[WW_BASE64_LEN(WW_SHA256_LEN) + 1], policy[256];
	struct ww_html *h = &v->h;
	struct ww_sha256_ctx digest;
	struct ww_sha256 sum;

	ww_sha256_begin(&digest);
	for (size_t i = 0; i < WW_ARRAY_SIZE(styles); i++)
		ww_sha256_add(&digest, ww_slice_str(styles[i]));
	ww_sha256_end(&digest, &sum);
	ww_base64_encode(ww_slice(sum.b, sizeof(sum.b)), hash);
	ww_put_text(
		ww_put_text(ww_put_text(policy, "default-src 'none'; style-src 'sha256-"), hash),
		"'; base-uri 'none'; form-action 'none'");
	ww_html_raw(h, "<!DOCTYPE html>\n");
	ww_html_open(h, "html");
	ww_html_attr_str(h, "lang", "en");
	ww_html_open(h, "head");
	ww_html_open(h, "meta");
	ww_html_attr_str(h, "charset", "utf-8");
	ww_html_close(h);
	ww_html_open(h, "meta");
	ww_html_attr_str(h, "http-equiv", "Content-Security-Policy");
	ww_html_attr_str(h, "content", policy);
	ww_html_close(h);
	ww_html_open(h, "meta");
	ww_html_attr_str(h, "name", "viewport");
	ww_html_attr_str(h, "content", "width=device-width, initial-scale=1");
	ww_html_close(h);
	ww_html_open(h, "meta");
	ww_html_attr_str(h, "name", "color-scheme");
	ww_html_attr_str(h, "content", "light dark");
	ww_html_close(h);
	ww_html_open(h, "title");
	ww_html_str(h, "wirewitness report ");
	ww_html_text(h, v->s->created_at);
	ww_html_close(h);
	ww_html_open(h, "style");
	for (size_t i = 0; i < WW_ARRAY_SIZE(styles); i++)
		ww_html_raw(h, styles[i]);
	ww_html_close(h);
	ww_html_close(h);
	ww_html_raw(h, "\n");
}

static void contents(struct ww_report_view *v)
{
	static const struct {
		const char *mark, *title;
	} places[] = {
		{"#completeness", "Completeness"},
		{"#verdicts", "Verdicts"},
		{"#paths", "Where prompts went"},
		{"#verify", "How to check"},
		{"#limits", "Limits"},
		{"#scope", "Scope"},
		{"#actions", "Verdict by verdict"},
		{"#records", "Records"},
	};

	struct ww_html *h = &v->h;

	ww_html_open(h, "nav");
	ww_html_attr_str(h, "aria-label", "Contents");
	ww_html_open(h, "ul");
	for (size_t i = 0; i < WW_ARRAY_SIZE(places); i++) {
		/* Reports of earlier versions have no such section. */
		if (strcmp(places[i].mark, "#paths") == 0 && v->s->sections.paths.n == 0)
			continue;
		ww_html_open(h, "li");
		ww_html_open(h, "a");
		ww_html_attr_str(h, "href", places[i].mark);
		ww_html_str(h, places[i].title);
		ww_html_close(h);
		ww_html_close(h);
	}
	ww_html_close(h);
	ww_html_close(h);
}

static void masthead(struct ww_report_view *v)
{
	const struct ww_json_token made = {.type = WW_JSON_STRING, .raw = v->s->created_at};
	struct ww_html *h = &v->h;

	ww_html_open(h, "header");
	ww_html_put(h, "p", "kind", "Signed report of what agents did on the wire");
	ww_html_put(h, "h1", NULL, "wirewitness report");
	ww_html_open(h, "p");
	ww_report_value(v, "span", &made, WW_REPORT_TIME);
	ww_html_str(h, " UTC \xc2\xb7 ");
	ww_html_put(h, "span", "v", v->s->head.origin);
	ww_html_close(h);
	ww_html_put(h, "p", "note",
		    "A view of the signed report that this file carries. The report is the record: "
		    "check that, not this page.");
	ww_html_close(h);
	contents(v);
}

static void document(struct ww_report_view *v, struct ww_slice file)
{
	struct ww_html *h = &v->h;

	head(v);
	ww_html_open(h, "body");
	masthead(v);
	ww_html_open(h, "main");
	ww_report_html_before(v);
	ww_report_html_verdicts(v);
	ww_report_html_paths(v);
	ww_report_html_after(v);
	ww_report_html_articles(v);
	evidence(v);
	ww_html_close(h);
	ww_html_raw(h, "\n");
	ww_html_open(h, "template");
	ww_html_attr_str(h, "id", "report");
	ww_html_embed(h, file);
	ww_html_close(h);
	ww_html_raw(h, "\n");
}

static int read_predicate(struct ww_report_view *v, struct ww_slice payload, struct ww_errtext *why)
{
	struct ww_field top[] = {{.name = "predicate", .type = WW_JSON_OBJECT}};
	struct ww_field in[] = {{.name = "wording", .type = WW_JSON_OBJECT},
				{.name = "limits", .type = WW_JSON_ARRAY},
				{.name = "ledger", .type = WW_JSON_OBJECT}};
	int r = ww_fields_read(payload, "the statement", top, WW_ARRAY_SIZE(top), why);

	if (r == 0)
		r = ww_fields_read(top[0].text, "the predicate", in, WW_ARRAY_SIZE(in), why);
	if (r < 0)
		return r;
	v->wording = in[0].text;
	v->limits = in[1].text;
	v->ledger = in[2].text;
	return 0;
}

int ww_report_html(struct ww_slice file, const struct ww_report_result *checked,
		   ww_html_write_fn write, void *ctx, struct ww_errtext *why)
{
	struct ww_report_view v = {.s = &checked->statement};
	int r;

	if (!checked->consistent || !checked->has_statement)
		return ww_errtext_set(why, -EBADMSG,
				      "the report does not pass its checks: wirewitness "
				      "verify says which");
	ww_buf_init(&v.record, WW_LEAF_SALT_LEN + WW_RECORD_BYTES_MAX);
	ww_buf_init(&v.other, 4 * WW_RECORD_BYTES_MAX);
	ww_buf_init(&v.text, WW_HTML_TEXT_MAX);
	ww_html_init(&v.h, write, ctx);
	v.entries = calloc(v.s->count + 1, sizeof(*v.entries));
	v.by_id = calloc(v.s->count + 1, sizeof(*v.by_id));
	r = v.entries && v.by_id ? read_predicate(&v, checked->payload, why) : -ENOMEM;
	if (r == 0)
		r = list_records(&v, why);
	if (r == 0)
		r = ww_report_html_claims(&v);
	if (r == 0) {
		mark_replaced(&v);
		document(&v, file);
		r = ww_html_end(&v.h);
	}
	ww_html_done(&v.h);
	ww_buf_done(&v.record);
	ww_buf_done(&v.other);
	ww_buf_done(&v.text);
	free(v.entries);
	free(v.by_id);
	free(v.claims);
	return r;
}
