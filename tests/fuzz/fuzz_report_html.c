/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A report's page over hostile records: the input becomes a verdict record as it is (when it is
 * JSON), names and texts of another, and sections. Whatever comes out is read again by a small
 * reader of our own: only elements that the page has, values in quotes, no control character, no
 * character that reorders text, valid UTF-8, everything closed in its order.
 */
#include <assert.h>
#include <stdio.h>

#include <wirewitness/limits.h>

#include "base/json.h"
#include "base/utf8.h"
#include "out/report_html.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const elements[] = {
	"!DOCTYPE", "a",       "article", "b",     "body",  "br",    "caption", "code", "dd",
	"desc",     "div",     "dl",      "dt",    "h1",    "h2",    "h3",      "head", "header",
	"html",     "i",       "li",      "main",  "meta",  "nav",   "p",       "path", "pre",
	"rect",     "section", "span",    "style", "svg",   "table", "tbody",   "td",   "template",
	"text",     "th",      "thead",   "time",  "title", "tr",    "ul",
};

struct reader {
	struct ww_slice in;
	size_t at;
	struct ww_slice open[64];
	unsigned depth;
};

static bool known(struct ww_slice name)
{
	for (size_t i = 0; i < WW_ARRAY_SIZE(elements); i++)
		if (ww_slice_eq_str(name, elements[i]))
			return true;
	return false;
}

static bool is_void(struct ww_slice name)
{
	return ww_slice_eq_str(name, "meta") || ww_slice_eq_str(name, "br") ||
	       ww_slice_eq_str(name, "!DOCTYPE");
}

static struct ww_slice name(struct reader *r)
{
	size_t from = r->at;

	while (r->at < r->in.n && strchr(" >=<\"'", r->in.p[r->at]) == NULL)
		r->at++;
	return ww_slice_sub(r->in, from, r->at - from);
}

static void expect(struct reader *r, uint8_t c)
{
	assert(r->at < r->in.n && r->in.p[r->at] == c);
	r->at++;
}

/* At a space: name="value", where the value holds no quote and nothing that opens a tag. */
static void attribute(struct reader *r)
{
	size_t end;

	expect(r, ' ');
	assert(name(r).n > 0);
	expect(r, '=');
	expect(r, '"');
	end = ww_slice_find(r->in, r->at, '"');
	assert(end < r->in.n && ww_slice_find(ww_slice_sub(r->in, 0, end), r->at, '<') == end);
	r->at = end + 1;
}

/* At '<'. */
static void tag(struct reader *r)
{
	bool closes = r->at + 1 < r->in.n && r->in.p[r->at + 1] == '/';
	struct ww_slice n;

	r->at += 1 + closes;
	n = name(r);
	assert(known(n));
	if (closes) {
		assert(r->depth > 0 && ww_slice_eq(r->open[--r->depth], n));
		expect(r, '>');
		return;
	}
	if (ww_slice_eq_str(n, "!DOCTYPE"))
		r->at += strlen(" html");
	while (r->at < r->in.n && r->in.p[r->at] == ' ')
		attribute(r);
	expect(r, '>');
	if (!is_void(n)) {
		assert(r->depth < WW_ARRAY_SIZE(r->open));
		r->open[r->depth++] = n;
	}
}

/* Characters that no part of a page may hold. */
static void check_characters(struct ww_slice in)
{
	for (size_t at = 0; at < in.n;) {
		size_t n = 1;
		const uint8_t *p = in.p + at;

		assert(p[0] >= 0x20 || p[0] == '\n');
		assert(p[0] != 0x7f);
		if (p[0] >= 0x80)
			assert(ww_utf8_next(in, at, &n) == WW_PARSE_DONE);
		if (n == 2)
			assert(!(p[0] == 0xc2 && p[1] < 0xa0) && !(p[0] == 0xd8 && p[1] == 0x9c));
		if (n == 3 && p[0] == 0xe2 && (p[1] == 0x80 || p[1] == 0x81))
			assert(!(p[1] == 0x80 && p[2] >= 0xaa && p[2] <= 0xae) &&
			       !(p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9));
		at += n;
	}
}

static void check_page(struct ww_slice page)
{
	struct reader r = {.in = page};

	check_characters(page);
	while (r.at < page.n) {
		if (page.p[r.at] == '<')
			tag(&r);
		else
			r.at++;
	}
	assert(r.depth == 0);
}

/* --- a report that holds the input --------------------------------------------------------------
 */

static bool is_object(struct ww_slice in)
{
	struct ww_json j;
	struct ww_json_token t;
	enum ww_parse got;
	bool object = false, first = true;

	ww_json_init(&j, in);
	while ((got = ww_json_next(&j, &t)) == WW_PARSE_DONE) {
		object = first ? t.type == WW_JSON_OBJECT : object;
		first = false;
	}
	return got == WW_PARSE_END && object;
}

static void add_record(struct ww_jsonw *w, uint64_t index, const char *kind, struct ww_slice text)
{
	WW_AUTO_BUF struct ww_buf salted = {0};
	struct ww_statement_record r = {.index = index, .kind = ww_slice_str(kind)};
	uint8_t salt[WW_LEAF_SALT_LEN] = {0};

	ww_buf_init(&salted, sizeof(salt) + WW_RECORD_BYTES_MAX);
	if (ww_buf_add(&salted, salt, sizeof(salt)) < 0 || ww_buf_add(&salted, text.p, text.n) < 0)
		return;
	r.salted = ww_buf_slice(&salted);
	ww_statement_record_write(w, &r);
}

/* A verdict whose every text is the input. */
static void write_verdict(struct ww_jsonw *w, struct ww_slice in)
{
	static const char *const texts[] = {"verdict", "reason", "tool",   "toolCallId",
					    "summary", "id",     "action", "supersedes",
					    "t",       "by"};
	static const char *const wire[] = {"destination", "path", "method", "rule", "peer"};

	ww_jsonw_object(w, NULL);
	for (size_t i = 0; i < WW_ARRAY_SIZE(texts); i++)
		ww_jsonw_put_str(w, ww_jsonw_name(texts[i]), in);
	ww_jsonw_object(w, "wire");
	for (size_t i = 0; i < WW_ARRAY_SIZE(wire); i++)
		ww_jsonw_put_str(w, ww_jsonw_name(wire[i]), in);
	ww_jsonw_array(w, "attempts");
	ww_jsonw_object(w, NULL);
	ww_jsonw_str(w, "exchange", in);
	ww_jsonw_cstr(w, "t", "2026-11-23T10:00:00Z");
	ww_jsonw_end_object(w);
	ww_jsonw_end_array(w);
	ww_jsonw_end_object(w);
	ww_jsonw_end_object(w);
}

static void write_payload(struct ww_slice in, struct ww_buf *payload)
{
	WW_AUTO_BUF struct ww_buf record = {0}, section = {0};
	struct ww_statement s = {.created_at = WW_SLICE_LIT("2026-11-23T10:00:00Z"),
				 .count = 2,
				 .first = 1,
				 .last = 2,
				 .note = WW_SLICE_LIT("x\n")};
	struct ww_jsonw w;

	ww_buf_init(&record, WW_RECORD_BYTES_MAX);
	ww_buf_init(&section, WW_RECORD_BYTES_MAX);
	ww_jsonw_init(&w, &record);
	write_verdict(&w, in);
	ww_jsonw_init(&w, &section);
	ww_jsonw_object(&w, NULL);
	ww_jsonw_str(&w, "host", in);
	ww_jsonw_str(&w, "basis", in);
	ww_jsonw_end_object(&w);
	for (unsigned i = 0; i < WW_STATEMENT_SECTION_MAX; i++)
		s.sections.each[i] = is_object(in) && i % 2 ? in : ww_buf_slice(&section);
	snprintf(s.head.origin, sizeof(s.head.origin), "fuzz");
	ww_jsonw_init(&w, payload);
	ww_statement_begin(&w, &s);
	add_record(&w, 1, "verdict", ww_buf_slice(&record));
	add_record(&w, 2, "verdict", is_object(in) ? in : WW_SLICE_LIT("{}"));
	ww_statement_end(&w, &s);
}

static int keep(void *ctx, struct ww_slice piece)
{
	return ww_buf_add(ctx, piece.p, piece.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	WW_AUTO_BUF struct ww_buf payload = {0}, page = {0}, scratch = {0};
	struct ww_report_result checked = {.consistent = true, .has_statement = true};
	struct ww_slice in = {data, size > 4000 ? 4000 : size};
	struct ww_errtext why = {""};

	ww_buf_init(&payload, 4u << 20);
	ww_buf_init(&scratch, WW_NOTE_BYTES_MAX);
	ww_buf_init(&page, 16u << 20);
	write_payload(in, &payload);
	if (ww_statement_parse(ww_buf_slice(&payload), &scratch, NULL, &checked.statement, &why) <
	    0)
		return 0;
	checked.payload = ww_buf_slice(&payload);
	if (ww_report_html(WW_SLICE_LIT("{}\n"), &checked, keep, &page, &why) == 0)
		check_page(ww_buf_slice(&page));
	return 0;
}
