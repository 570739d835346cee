/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/report_text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/encode.h"
#include "base/json_write.h"

static const char *outcome(const struct ww_report_result *r)
{
	if (r->verified)
		return "VERIFIED";
	if (r->open)
		return "NOT SHOWN";
	return r->consistent ? "WHOLE, BUT NOT UNDER A TRUSTED KEY" : "NOT VERIFIED";
}

/* Prints into out; the first error stays in *err. */
__attribute__((format(printf, 3, 4))) static void say(struct ww_buf *out, int *err, const char *fmt,
						      ...)
{
	char line[2048];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (*err == 0)
		*err = ww_buf_add(out, line,
				  (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
}

static void say_statement(const struct ww_report_result *r, struct ww_buf *out, int *err)
{
	const struct ww_statement *s = &r->statement;
	char root[2 * WW_SHA256_LEN + 1];

	ww_hex_encode(ww_slice(s->head.root.b, sizeof(s->head.root.b)), root);
	say(out, err, "  ledger    %s\n", s->vkey);
	say(out, err, "  tree      %" PRIu64 " records, root %s\n", s->head.size, root);
	say(out, err,
	    "  covers    %s %" PRIu64 " to %" PRIu64 ": %" PRIu64 " records, %" PRIu64
	    " withheld\n",
	    s->list ? "chosen records from" : "every record from", s->first, s->last, s->count,
	    s->withheld);
	if (r->pruned)
		say(out, err,
		    "  withheld  %" PRIu64 " pruned by policy, as the ledger's record %" PRIu64
		    " says%s\n",
		    r->pruned, r->pruned_by, r->pruned < s->withheld ? "; others erased" : "");
	say(out, err, "  created   %.*s\n", (int)(s->created_at.n < 64 ? s->created_at.n : 64),
	    (const char *)s->created_at.p);
	say(out, err, "  kinds    ");
	for (size_t i = 0; i < r->n_kinds; i++)
		say(out, err, " %s %" PRIu64 "%s", r->kinds[i].kind, r->kinds[i].count,
		    i + 1 < r->n_kinds ? "," : "");
	say(out, err, "\n");
}

/* Nothing in a report may steer the reader's terminal: C0 and C1 controls and DEL become '?'. */
static void tame(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if ((p[i] < 0x20 && p[i] != '\n') || p[i] == 0x7f)
			p[i] = '?';
		if (i + 1 < n && p[i] == 0xc2 && p[i + 1] >= 0x80 && p[i + 1] <= 0x9f)
			p[i] = p[i + 1] = '?';
	}
}

/* Verdict by verdict, what does not follow. */
static void say_rederived(const struct ww_rederive_result *found, struct ww_buf *out, int *err)
{
	for (size_t i = 0; i < found->n_findings; i++) {
		const struct ww_rederive_finding *f = &found->findings[i];

		say(out, err, "  %-4s  record %" PRIu64 ", %s: %s: expected %s, found %s\n",
		    f->undecided ? "open" : "FAIL", f->index, f->verdict, f->field, f->expected,
		    f->found);
	}
	if (found->unlisted)
		say(out, err, "  and %" PRIu64 " more\n", found->unlisted);
}

int ww_report_text(const struct ww_report_result *r, const char *file, struct ww_buf *out)
{
	static const char *const mark[] = {[WW_REPORT_SKIPPED] = "-",
					   [WW_REPORT_PASSED] = "ok",
					   [WW_REPORT_FAILED] = "FAIL",
					   [WW_REPORT_ABSENT] = "none",
					   [WW_REPORT_OPEN] = "open"};
	size_t before = out->n;
	int err = 0;

	say(out, &err, "%.512s: %s\n", file, outcome(r));
	if (r->has_statement)
		say_statement(r, out, &err);
	for (int i = 0; i < WW_REPORT_CHECK_MAX; i++)
		say(out, &err, "  %-4s  %-11s  %s\n", mark[r->checks[i].state],
		    ww_report_check_name((enum ww_report_check_id)i), r->checks[i].text.text);
	if (ww_report_rederived(r))
		say_rederived(ww_report_rederived(r), out, &err);
	tame(out->p + before, out->n - before);
	return err;
}

static void write_statement(struct ww_jsonw *w, const struct ww_report_result *r)
{
	const struct ww_statement *s = &r->statement;

	ww_jsonw_str(w, "createdAt", s->created_at);
	ww_jsonw_raw(w, "scope", s->sections.scope);
	ww_jsonw_raw(w, "period", s->sections.period);
	if (s->sections.selection.n)
		ww_jsonw_raw(w, "selection", s->sections.selection);
	ww_jsonw_raw(w, "coverage", s->sections.coverage);
	ww_jsonw_raw(w, "summary", s->sections.summary);
	ww_jsonw_object(w, "ledger");
	ww_jsonw_cstr(w, "origin", s->head.origin);
	ww_jsonw_u64(w, "treeSize", s->head.size);
	ww_jsonw_hex(w, "rootHash", ww_slice(s->head.root.b, sizeof(s->head.root.b)));
	ww_jsonw_cstr(w, "selection", s->list ? "list" : "range");
	ww_jsonw_u64(w, "firstIndex", s->first);
	ww_jsonw_u64(w, "lastIndex", s->last);
	ww_jsonw_u64(w, "recordCount", s->count);
	ww_jsonw_u64(w, "withheldCount", s->withheld);
	ww_jsonw_u64(w, "prunedCount", r->pruned);
	ww_jsonw_end_object(w);
	ww_jsonw_object(w, "kinds");
	for (size_t i = 0; i < r->n_kinds; i++)
		ww_jsonw_u64(w, r->kinds[i].kind, r->kinds[i].count);
	ww_jsonw_end_object(w);
}

static void write_rederived(struct ww_jsonw *w, const struct ww_rederive_result *found)
{
	ww_jsonw_object(w, "rederived");
	ww_jsonw_u64(w, "verdicts", found->verdicts);
	ww_jsonw_u64(w, "agree", found->agree);
	ww_jsonw_u64(w, "differ", found->differ);
	ww_jsonw_u64(w, "undecided", found->undecided);
	if (found->paths) {
		ww_jsonw_object(w, "paths");
		ww_jsonw_u64(w, "verdicts", found->paths);
		ww_jsonw_u64(w, "differ", found->paths_differ);
		ww_jsonw_u64(w, "undecided", found->paths_undecided);
		ww_jsonw_end_object(w);
	}
	ww_jsonw_u64(w, "sections", found->sections);
	ww_jsonw_u64(w, "findingsNotListed", found->unlisted);
	ww_jsonw_array(w, "findings");
	for (size_t i = 0; i < found->n_findings; i++) {
		const struct ww_rederive_finding *f = &found->findings[i];

		ww_jsonw_object(w, NULL);
		ww_jsonw_u64(w, "index", f->index);
		ww_jsonw_cstr(w, "verdict", f->verdict);
		ww_jsonw_cstr(w, "outcome", f->undecided ? "undecided" : "differs");
		ww_jsonw_cstr(w, "field", f->field);
		ww_jsonw_cstr(w, "expected", f->expected);
		ww_jsonw_cstr(w, "found", f->found);
		ww_jsonw_end_object(w);
	}
	ww_jsonw_end_array(w);
	ww_jsonw_end_object(w);
}

int ww_report_text_json(const struct ww_report_result *r, const char *file, struct ww_buf *out)
{
	static const char *const state[] = {[WW_REPORT_SKIPPED] = "skipped",
					    [WW_REPORT_PASSED] = "passed",
					    [WW_REPORT_FAILED] = "failed",
					    [WW_REPORT_ABSENT] = "absent",
					    [WW_REPORT_OPEN] = "open"};
	char vkey[WW_NOTE_KEY_TEXT_MAX] = "";
	struct ww_jsonw w;

	if (r->has_key)
		ww_note_key_text(&r->key, vkey);
	ww_jsonw_init(&w, out);
	ww_jsonw_object(&w, NULL);
	ww_jsonw_cstr(&w, "file", file);
	ww_jsonw_bool(&w, "verified", r->verified);
	ww_jsonw_bool(&w, "consistent", r->consistent);
	ww_jsonw_bool(&w, "open", r->open);
	ww_jsonw_cstr(&w, "key", r->has_key ? vkey : NULL);
	ww_jsonw_array(&w, "checks");
	for (int i = 0; i < WW_REPORT_CHECK_MAX; i++) {
		ww_jsonw_object(&w, NULL);
		ww_jsonw_cstr(&w, "name", ww_report_check_name((enum ww_report_check_id)i));
		ww_jsonw_cstr(&w, "state", state[r->checks[i].state]);
		ww_jsonw_cstr(&w, "text", r->checks[i].text.text);
		ww_jsonw_end_object(&w);
	}
	ww_jsonw_end_array(&w);
	if (ww_report_rederived(r))
		write_rederived(&w, ww_report_rederived(r));
	if (r->has_statement)
		write_statement(&w, r);
	ww_jsonw_end_object(&w);
	return ww_jsonw_ok(&w) ? ww_buf_add(out, "\n", 1) : w.err;
}
