/* SPDX-License-Identifier: Apache-2.0 */
#include "path_anycast.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>

#include <wirewitness/limits.h>

#include "base/log.h"
#include "cmd.h"
#include "ledger/fields.h"
#include "ledger/report_verify.h"
#include "out/anycast.h"
#include "rt/file.h"

#define TEXT_BYTES_MAX (4u << 20)

struct files {
	unsigned count;
	const char *each[WW_ANYCAST_HOSTS_MAX];
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct files *f = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		if (f->count == WW_ANYCAST_HOSTS_MAX)
			argp_error(state, "at most %u files", WW_ANYCAST_HOSTS_MAX);
		f->each[f->count++] = arg;
		return 0;
	case ARGP_KEY_END:
		if (f->count < 2)
			argp_error(state, "files of at least two hosts are needed");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	NULL,
	parse,
	"FILE FILE...",
	"Each FILE is of one host: its report, or its export (wirewitness export --format jsonl). "
	"For "
	"every address that two hosts measured: whether light allows one machine to have answered "
	"both. Of a report the checks must pass; who signed it is for wirewitness verify to say.",
	NULL,
	NULL,
	NULL};

/* Lines of the stream. What is cut off or comes out of order is no export of one ledger. */
static int take_export(struct ww_anycast *a, const char *name, struct ww_slice text,
		       struct ww_errtext *why)
{
	unsigned long number = 0;
	uint64_t last = 0, cursor;
	struct ww_slice line;
	int r = 0;

	while (r == 0 && ww_slice_line(&text, &line)) {
		struct ww_field in[] = {
			{.name = "v", .type = WW_JSON_NUMBER},
			{.name = "cursor", .type = WW_JSON_NUMBER},
			{.name = "record", .type = WW_JSON_OBJECT, .optional = true}};
		uint64_t version;

		number++;
		r = ww_fields_read(line, "the line", in, WW_ARRAY_SIZE(in), why);
		if (r == 0 && (ww_fields_u64(&in[0], &version) < 0 || version != 1 ||
			       ww_fields_u64(&in[1], &cursor) < 0))
			r = ww_errtext_set(why, -EINVAL, "no line of the stream");
		if (r == 0 && number > 1 && cursor <= last)
			r = ww_errtext_set(why, -EINVAL,
					   "its cursor does not come after the one before: several "
					   "exports in one file?");
		if (r < 0) {
			ww_log(WW_LOG_ERR, "%s:%lu: %s", name, number, why->text);
			why->text[0] = '\0';
			return r;
		}
		last = cursor;
		if (in[2].found)
			r = ww_anycast_add(a, in[2].text, why);
	}
	if (r == 0 && text.n)
		r = ww_errtext_set(why, -EINVAL, "%s: its last line is cut off", name);
	return r;
}

static int take_records(struct ww_anycast *a, const struct ww_statement *s, struct ww_errtext *why)
{
	WW_AUTO_BUF struct ww_buf scratch = {0};
	struct ww_statement_record record;
	struct ww_json_token t;
	struct ww_slice text;
	struct ww_json j;
	int r = ww_fields_array(s->records, &j);

	ww_buf_init(&scratch, WW_LEAF_SALT_LEN + WW_RECORD_BYTES_MAX);
	while (r == 0 && (r = ww_fields_next(&j, &t, &text)) == 1) {
		r = ww_statement_record_parse(text, &scratch, &record, why);
		if (r == 0 && !record.withheld)
			r = ww_anycast_add(
				a, ww_slice_sub(record.salted, WW_LEAF_SALT_LEN, SIZE_MAX), why);
	}
	return r;
}

static int take_report(struct ww_anycast *a, const char *name, struct ww_slice file,
		       struct ww_errtext *why)
{
	WW_AUTO(ww_report_result_done) struct ww_report_result checked = {0};
	int r = ww_report_verify(file, NULL, &checked);

	if (r < 0)
		return r;
	if (!checked.consistent || !checked.has_statement)
		return ww_errtext_set(why, -EBADMSG,
				      "%s: a report that does not pass its checks: wirewitness "
				      "verify says which",
				      name);
	return take_records(a, &checked.statement, why);
}

static bool is_report(struct ww_slice file)
{
	struct ww_slice line = ww_slice_sub(file, 0, ww_slice_find(file, 0, '\n'));
	struct ww_json_token t;

	return ww_json_path(line, "$.cursor", &t, NULL) != WW_PARSE_DONE;
}

static int take_file(struct ww_anycast *a, const char *name)
{
	WW_AUTO_BUF struct ww_buf file = {0};
	struct ww_errtext why = {""};
	int r;

	ww_buf_init(&file, WW_REPORT_BYTES_MAX);
	r = ww_file_read(name, &file);
	if (r < 0)
		return ww_log_err_r(r, "cannot read %s", name);
	r = ww_anycast_host(a, name, &why);
	if (r == 0)
		r = is_report(ww_buf_slice(&file))
			    ? take_report(a, name, ww_buf_slice(&file), &why)
			    : take_export(a, name, ww_buf_slice(&file), &why);
	if (r < 0 && why.text[0])
		ww_log(WW_LOG_ERR, "%s", why.text);
	else if (r == -ENOMEM)
		ww_log_err_r(r, "cannot take %s", name);
	return r;
}

static int tell(struct ww_anycast *a)
{
	WW_AUTO_BUF struct ww_buf out = {0};
	struct ww_errtext why = {""};
	uint64_t count, several;
	int r = ww_anycast_end(a, &why);

	if (r < 0 && why.text[0])
		ww_log(WW_LOG_ERR, "%s", why.text);
	if (r < 0)
		return r == -ENODATA ? WW_EXIT_NO : WW_EXIT_UNABLE;
	ww_buf_init(&out, TEXT_BYTES_MAX);
	r = ww_anycast_text(a, &out, &count, &several);
	if (r < 0) {
		ww_log_err_r(r, "cannot tell");
		return WW_EXIT_UNABLE;
	}
	fwrite(out.p, 1, out.n, stdout);
	if (count == 0)
		ww_log(WW_LOG_INFO, "no address was measured by two of the hosts");
	else
		printf("%llu addresses were measured by two hosts; several machines answer for "
		       "%llu of them\n",
		       (unsigned long long)count, (unsigned long long)several);
	return count ? 0 : WW_EXIT_NO;
}

int ww_path_anycast_run(int argc, char **argv)
{
	WW_AUTO(ww_anycast_free_auto) struct ww_anycast *a = NULL;
	char title[] = "wirewitness path anycast";
	struct files f = {0};
	int r;

	argv[0] = title;
	if (argp_parse(&argp, argc, argv, 0, NULL, &f) != 0)
		return WW_EXIT_USAGE;
	r = ww_anycast_new(&a);
	for (unsigned i = 0; r == 0 && i < f.count; i++)
		r = take_file(a, f.each[i]);
	return r < 0 ? WW_EXIT_UNABLE : tell(a);
}
