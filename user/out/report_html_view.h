/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of report_html.c share: the statement, its records by index and by id, and how
 * values from it are written. Nothing else includes it.
 */
#pragma once

#include "ledger/statement.h"
#include "out/html.h"
#include "out/member.h"
#include "out/svg.h"

#define WW_REPORT_HTML_CUT 240u /* characters of a value that are shown */
#define WW_REPORT_HTML_ID  48u  /* longer ids are not looked up */

/* A listed record. */
struct ww_report_entry {
	uint64_t index;
	struct ww_slice text; /* its element of the array `records` */
	struct ww_slice kind;
	bool withheld, replaced; /* replaced: a verdict that a listed one supersedes */
	char id[WW_REPORT_HTML_ID], supersedes[WW_REPORT_HTML_ID]; /* empty: none */
};

/* An entry of the section "claims", beside its record. */
struct ww_report_claim {
	uint64_t index;
	struct ww_slice text;
};

struct ww_report_view {
	struct ww_html h;
	const struct ww_statement *s;
	struct ww_slice wording, limits, ledger; /* of the predicate */
	size_t n, n_claims;
	struct ww_report_claim *claims;       /* by index */
	struct ww_report_entry *entries;      /* by index */
	const struct ww_report_entry **by_id; /* n of them */
	struct ww_buf record, other, text;    /* scratch: a record, one it rests on, a value */
	uint64_t shown;                       /* bytes of record text so far */
};

const struct ww_report_entry *ww_report_view_at(const struct ww_report_view *v, uint64_t index);
/* By a string token; NULL: not listed, or not a string. */
const struct ww_report_entry *ww_report_view_find(const struct ww_report_view *v,
						  const struct ww_json_token *id);

/* The record's bytes, in `scratch`. 0, -ENOENT (withheld), -EINVAL, -ENOMEM. */
WW_CHECK int ww_report_view_read(const struct ww_report_entry *e, struct ww_buf *scratch,
				 struct ww_slice *ret_record);

/* Opens an array of the object for ww_fields_next; false: there is none. */
bool ww_report_array(struct ww_slice object, const char *path, struct ww_json *ret);

/* --- values: an element of class "v" with the text, or a dash when there is none ------------- */

enum ww_report_how {
	WW_REPORT_TEXT,
	WW_REPORT_WHOLE, /* text, however long */
	WW_REPORT_TIME,  /* date and time of day, the exact one in the attribute */
	WW_REPORT_YES,   /* true: yes; false: no */
	WW_REPORT_LINK,  /* a ledger index: leads to the record */
};

/* Whether it is an instant in the form of RFC 3339. */
bool ww_report_wall(const struct ww_json_token *value, uint64_t *ret_ns);
void ww_report_value(struct ww_report_view *v, const char *element,
		     const struct ww_json_token *value, enum ww_report_how how);
/* Only when it is there: our words, then the value. */
void ww_report_said(struct ww_report_view *v, const char *before, const struct ww_json_token *value,
		    const char *after);
/* An index; mark: of the place that it leads to, "#r-" or "#v-"; NULL: it leads nowhere. */
void ww_report_index(struct ww_html *h, const char *mark, uint64_t index);
/* A link to the record's place, if it is listed; else the index alone. */
void ww_report_link(struct ww_report_view *v, uint64_t index);

/* --- parts -------------------------------------------------------------------------------------
 */

const char *ww_report_html_style(void);

/* A table with its titles, which scrolls where it is too wide; then its rows, and its end. `role`:
 * "region" where its caption is the only one of its name on the page, else "group". */
void ww_report_begin_table(struct ww_report_view *v, const char *role, const char *caption,
			   const char *const *titles, size_t n);
void ww_report_end_table(struct ww_report_view *v);

/* Begins a section of the page. */
void ww_report_section(struct ww_report_view *v, const char *mark, const char *title);
/* Counts of verdicts, reasons, findings. */
void ww_report_html_summary(struct ww_report_view *v);

/* What stands before the verdicts, and after them. */
void ww_report_html_before(struct ww_report_view *v);
void ww_report_html_after(struct ww_report_view *v);

/* Lists the claims that a listed record can have; the caller frees v->claims. 0 or -ENOMEM. */
WW_CHECK int ww_report_html_claims(struct ww_report_view *v);
/* The table of verdicts; one article for each. */
void ww_report_html_verdicts(struct ww_report_view *v);
void ww_report_html_articles(struct ww_report_view *v);

/* Where prompts went: counts, and an article for each path. */
void ww_report_html_paths(struct ww_report_view *v);
void ww_report_html_path_summary(struct ww_report_view *v);
/* What that needs beside the page's style sheet. */
const char *ww_report_html_path_style(void);

/* In the table's column of what was seen: what was done on this host. False: the verdict is not on
 * that. */
bool ww_report_html_local(struct ww_report_view *v, struct ww_slice verdict);
/* A row for each deed that the verdict lists, with a link to its record. */
void ww_report_html_deeds(struct ww_report_view *v, struct ww_slice verdict);

/* The times of a verdict as legs, at most WW_SVG_LEGS_MAX; ids borrow from `verdict`. */
unsigned ww_report_html_legs(struct ww_report_view *v, struct ww_slice verdict,
			     struct ww_svg_leg legs[WW_SVG_LEGS_MAX]);
