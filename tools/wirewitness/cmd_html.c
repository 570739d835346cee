/* SPDX-License-Identifier: Apache-2.0 */
/* wirewitness html REPORT: the page of a report, made from its file alone, by anybody who has it.
 */
#include <argp.h>
#include <errno.h>
#include <stdio.h>

#include <wirewitness/limits.h>

#include "base/log.h"
#include "cmd.h"
#include "out/report_html.h"
#include "put_file.h"
#include "rt/file.h"

struct page {
	const char *report, *file;
	bool force;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct page *p = state->input;

	switch (key) {
	case 'O':
		p->file = arg;
		return 0;
	case 'x':
		p->force = true;
		return 0;
	case ARGP_KEY_ARG:
		if (p->report)
			argp_usage(state);
		p->report = arg;
		return 0;
	case ARGP_KEY_END:
		if (!p->report)
			argp_usage(state);
		if (!p->file)
			argp_error(state, "-O FILE: where the page goes is missing");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option argp_options[] = {
	{"output", 'O', "FILE", 0, "the page", 0},
	{"force", 'x', NULL, 0, "overwrite an existing file", 0},
	{0},
};

static const struct argp argp = {argp_options,
				 parse,
				 "REPORT -O FILE",
				 "Makes one HTML page of a signed report or bundle, with the "
				 "report in it. The report must be "
				 "whole; who signed it is for wirewitness-verify to say.",
				 NULL,
				 NULL,
				 NULL};

static int write_piece(void *ctx, struct ww_slice piece)
{
	return ww_put_write(ctx, piece);
}

static int write_page(struct ww_slice report, const struct ww_report_result *checked,
		      const char *path, bool force)
{
	struct ww_errtext why = {""};
	struct ww_put out;
	int r = ww_put_begin(&out, path, force);

	if (r < 0)
		return r;
	r = ww_report_html(report, checked, write_piece, &out, &why);
	if (r < 0 && why.text[0])
		ww_log(WW_LOG_ERR, "cannot make %s: %s", path, why.text);
	else if (r < 0)
		ww_log_err_r(r, "cannot make %s", path);
	else
		r = ww_put_end(&out);
	ww_put_drop(&out);
	if (r == 0)
		printf("%s: the page for people, with the report in it\n", path);
	return r;
}

int ww_html_file(struct ww_slice report, const char *path, bool force)
{
	WW_AUTO(ww_report_result_done) struct ww_report_result checked = {0};
	int r = ww_report_verify(report, NULL, &checked);

	if (r < 0)
		return ww_log_err_r(r, "cannot check the report");
	return write_page(report, &checked, path, force);
}

int ww_cmd_html(int argc, char **argv)
{
	WW_AUTO_BUF struct ww_buf report = {0};
	struct page p = {NULL};
	int r;

	if (argp_parse(&argp, argc, argv, 0, NULL, &p) != 0)
		return WW_EXIT_USAGE;
	ww_buf_init(&report, WW_REPORT_BYTES_MAX);
	r = ww_file_read(p.report, &report);
	if (r < 0) {
		ww_log_err_r(r, "cannot read %s", p.report);
		return WW_EXIT_UNABLE;
	}
	r = ww_put_absent(p.file, p.force);
	if (r == 0)
		r = ww_html_file(ww_buf_slice(&report), p.file, p.force);
	if (r == 0)
		return 0;
	return r == -EBADMSG || r == -EEXIST ? WW_EXIT_NO : WW_EXIT_UNABLE;
}
