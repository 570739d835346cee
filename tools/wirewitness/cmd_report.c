/* SPDX-License-Identifier: Apache-2.0 */
/* wirewitness report: a signed report for auditors, and beside it one page for reading. */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "base/encode.h"
#include "base/log.h"
#include "cmd.h"
#include "ledger/keyfile.h"
#include "ledger/report.h"
#include "out/page.h"
#include "rt/file.h"
#include "selection.h"

#define SECTION_BYTES_MAX (1u << 20)

struct report {
	const char *state_dir;
	const char *file;
	const char *filter_text;
	bool force;
	bool complete;
	struct ww_records_query query;
	struct ww_records records;
	struct ww_selection selection;
	char created_at[WW_RFC3339_MAX];
	struct ww_buf scope, period, coverage, summary, made;
};

/* --- options ------------------------------------------------------------------------------------
 */

static void take_index(struct argp_state *state, const char *name, const char *arg, bool from,
		       struct ww_moment *m)
{
	uint64_t index;

	if (m->what != WW_MOMENT_NONE)
		argp_error(state, "--%s: the %s of the period is given twice", name,
			   from ? "begin" : "end");
	if (ww_slice_u64(ww_slice_str(arg), &index) < 0)
		argp_error(state, "--%s: expected a ledger index, got '%s'", name, arg);
	if (from && index == 0)
		m->what = WW_MOMENT_START;
	else
		*m = (struct ww_moment){.what = WW_MOMENT_CURSOR,
					.cursor = from ? index - 1 : index};
}

static void check(const struct report *p, struct argp_state *state)
{
	if (!p->file)
		argp_error(state, "-O FILE: where the report goes is missing");
	if (p->complete && p->query.filter.count)
		argp_error(state, "--complete lists every record: it cannot have a filter");
	if (p->query.until.what == WW_MOMENT_START)
		argp_error(state, "--until start: the period would be empty");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct report *p = state->input;

	switch (key) {
	case 'd':
		p->state_dir = arg;
		return 0;
	case 'O':
		p->file = arg;
		return 0;
	case 'S':
		ww_records_moment_option(state, "since", arg, &p->query.since);
		return 0;
	case 'U':
		ww_records_moment_option(state, "until", arg, &p->query.until);
		return 0;
	case 'F':
		take_index(state, "from", arg, true, &p->query.since);
		return 0;
	case 'T':
		take_index(state, "to", arg, false, &p->query.until);
		return 0;
	case 'f':
		ww_records_filter_option(state, arg, &p->query.filter);
		p->filter_text = arg;
		return 0;
	case 'x':
		p->force = true;
		return 0;
	case 'c':
		p->complete = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_usage(state);
		return 0;
	case ARGP_KEY_END:
		check(p, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option argp_options[] = {
	{"output", 'O', "FILE", 0, "the signed report; FILE.txt is the page for reading", 0},
	{"since", 'S', "WHEN", 0, "the period begins after " WW_MOMENT_FORMS, 0},
	{"until", 'U', "WHEN", 0, "the period ends before that time, or with that ledger index", 0},
	{"from", 'F', "INDEX", 0, "the period begins with this ledger index", 0},
	{"to", 'T', "INDEX", 0, "the period ends with this ledger index", 0},
	{"filter", 'f', "TERMS", 0, "only verdicts that fit, e.g. 'tool=refund*'", 0},
	{"complete", 'c', NULL, 0,
	 "list every record of the period: shows that no verdict was left out", 0},
	{"state", 'd', "DIR", 0, "state directory of the daemon (default " WW_STATE_DIR ")", 0},
	{"force", 'x', NULL, 0, "overwrite existing files", 0},
	{0},
};

static const struct argp argp = {
	argp_options,
	parse,
	"-O FILE",
	"Writes a report that anybody can verify offline: verdicts, the records they rest on, "
	"coverage and losses, each with its proof in the signed ledger.",
	NULL,
	NULL,
	NULL};

/* --- sections -----------------------------------------------------------------------------------
 */

static const char *requester(char *out, size_t cap)
{
	const char *sudo = getenv("SUDO_USER");
	const struct passwd *pw = getpwuid(getuid());

	if (sudo && *sudo && geteuid() == 0)
		snprintf(out, cap, "%s (by sudo)", sudo);
	else
		snprintf(out, cap, "%s", pw ? pw->pw_name : "an unnamed user");
	return out;
}

static void write_scope(const struct report *p, struct ww_jsonw *w)
{
	char boot_id[64] = "", who[128];
	struct utsname uts;

	uname(&uts);
	if (ww_file_line("/proc/sys/kernel/random/boot_id", boot_id, sizeof(boot_id)) < 0)
		boot_id[0] = '\0';
	ww_jsonw_object(w, NULL);
	ww_jsonw_cstr(w, "host", uts.nodename);
	ww_jsonw_cstr(w, "kernel", uts.release);
	ww_jsonw_cstr(w, "machine", uts.machine);
	ww_jsonw_cstr(w, "bootId", boot_id[0] ? boot_id : NULL);
	ww_jsonw_cstr(w, "hostFactsAsOf", "when the report was made");
	ww_jsonw_cstr(w, "monitorVersion", "wirewitness " WW_VERSION);
	ww_jsonw_cstr(w, "requestedBy", requester(who, sizeof(who)));
	ww_jsonw_cstr(w, "listed",
		      p->complete ? "every record of the period"
				  : "verdicts with what they rest on; coverage, losses, findings "
				    "and the monitor's own life in the period");
	if (p->filter_text)
		ww_jsonw_cstr(w, "filter", p->filter_text);
	ww_jsonw_end_object(w);
}

static void write_bound(struct ww_jsonw *w, const char *key, const struct ww_moment *m, bool begin)
{
	char index[32];

	snprintf(index, sizeof(index), "index %llu",
		 (unsigned long long)(begin ? ww_moment_first(m) : m->cursor));
	ww_jsonw_cstr(w, key,
		      m->what == WW_MOMENT_TIME     ? m->time
		      : m->what == WW_MOMENT_CURSOR ? index
						    : NULL);
}

static void write_period(const struct report *p, struct ww_jsonw *w)
{
	ww_jsonw_object(w, NULL);
	ww_jsonw_cstr(w, "from", p->selection.from);
	ww_jsonw_cstr(w, "to", p->selection.to);
	write_bound(w, "askedFrom", &p->query.since, true);
	write_bound(w, "askedTo", &p->query.until, false);
	ww_jsonw_u64(w, "records", p->selection.seen);
	ww_jsonw_end_object(w);
}

static void write_made(const struct report *p, size_t verdicts, struct ww_jsonw *w)
{
	const struct ww_checkpoint *head = ww_ledger_reader_head(p->records.reader);
	const struct ww_selection *s = &p->selection;
	const char *slash = strrchr(p->file, '/');
	char vkey[WW_NOTE_KEY_TEXT_MAX];

	ww_note_key_text(ww_ledger_reader_key(p->records.reader), vkey);
	ww_jsonw_object(w, NULL);
	ww_jsonw_cstr(w, "file", slash ? slash + 1 : p->file);
	ww_jsonw_cstr(w, "createdAt", p->created_at);
	ww_jsonw_cstr(w, "origin", head->origin);
	ww_jsonw_cstr(w, "vkey", vkey);
	ww_jsonw_u64(w, "treeSize", head->size);
	ww_jsonw_hex(w, "rootHash", ww_slice(head->root.b, sizeof(head->root.b)));
	ww_jsonw_cstr(w, "selection",
		      p->complete ? "every one of the range" : "a list, not the whole range");
	ww_jsonw_u64(w, "firstIndex", s->indexes[0]);
	ww_jsonw_u64(w, "lastIndex", s->indexes[s->count - 1]);
	ww_jsonw_u64(w, "recordCount", s->count);
	ww_jsonw_u64(w, "verdictsNotShown",
		     verdicts > WW_PAGE_VERDICTS_MAX ? verdicts - WW_PAGE_VERDICTS_MAX : 0);
	ww_jsonw_u64(w, "findingsNotShown",
		     s->finding_count > WW_PAGE_FINDINGS_MAX
			     ? s->finding_count - WW_PAGE_FINDINGS_MAX
			     : 0);
	ww_jsonw_end_object(w);
}

static int write_sections(struct report *p, size_t verdicts)
{
	struct ww_buf *bufs[] = {&p->scope, &p->period, &p->coverage, &p->summary, &p->made};
	struct ww_jsonw w[WW_ARRAY_SIZE(bufs)];

	for (size_t i = 0; i < WW_ARRAY_SIZE(bufs); i++)
		ww_jsonw_init(&w[i], bufs[i]);
	write_scope(p, &w[0]);
	write_period(p, &w[1]);
	ww_survey_coverage(p->selection.survey, &w[2]);
	ww_survey_summary(p->selection.survey, &w[3]);
	write_made(p, verdicts, &w[4]);
	for (size_t i = 0; i < WW_ARRAY_SIZE(bufs); i++) {
		if (!ww_jsonw_ok(&w[i]))
			return ww_log_err_r(w[i].err, "cannot write the report's sections");
	}
	return 0;
}

/* --- building -----------------------------------------------------------------------------------
 */

static int build(struct report *p, struct ww_buf *out)
{
	const struct ww_selection *s = &p->selection;
	struct ww_report_input in = {.created_at = p->created_at,
				     .scope = ww_buf_slice(&p->scope),
				     .period = ww_buf_slice(&p->period),
				     .coverage = ww_buf_slice(&p->coverage),
				     .summary = ww_buf_slice(&p->summary),
				     .first = s->indexes[0],
				     .last = s->indexes[s->count - 1]};
	WW_AUTO(ww_keyfile_done) struct ww_keyfile keys = {0};
	struct ww_errtext why = {""};
	WW_AUTO_FD int dir = open(p->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (dir < 0)
		return ww_log_err_r(-errno, "cannot open %s", p->state_dir);
	r = ww_keyfile_load(dir, NULL, NULL, false, &keys, &why);
	if (r == 0 && !p->complete) {
		in.indexes = s->indexes;
		in.n_indexes = s->count;
	}
	if (r == 0)
		r = ww_report_build(p->records.reader, &keys.signer, &in, out, &why);
	if (r < 0)
		ww_log(WW_LOG_ERR, "%s", why.text);
	return r;
}

static int page_record(void *ctx, uint64_t index, struct ww_slice *ret_json)
{
	struct report *p = ctx;
	int r = ww_records_get(&p->records, index, ret_json);

	if (r == -ENOENT) {
		*ret_json = WW_SLICE_LIT("{}");
		r = 0;
	}
	return r;
}

static int build_page(struct report *p, const uint64_t *verdicts, size_t verdict_count,
		      struct ww_buf *out)
{
	const struct ww_page_input in = {.scope = ww_buf_slice(&p->scope),
					 .period = ww_buf_slice(&p->period),
					 .coverage = ww_buf_slice(&p->coverage),
					 .summary = ww_buf_slice(&p->summary),
					 .report = ww_buf_slice(&p->made),
					 .verdicts = verdicts,
					 .verdict_count = verdict_count,
					 .findings = p->selection.findings,
					 .finding_count = p->selection.finding_count,
					 .record = page_record,
					 .ctx = p};
	int r = ww_page_add(&in, out);

	return r < 0 ? ww_log_err_r(r, "cannot write the page") : 0;
}

/* --- files --------------------------------------------------------------------------------------
 */

static int write_all(int fd, struct ww_slice content)
{
	while (content.n > 0) {
		ssize_t n = write(fd, content.p, content.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		content = ww_slice_sub(content, (size_t)n, SIZE_MAX);
	}
	return fsync(fd) < 0 ? -errno : 0;
}

/* The whole file or none of it; an existing one stays unless forced. */
static int put_file(const char *path, struct ww_slice content, bool force)
{
	WW_AUTO_FD int fd = -1;
	char part[4096];
	int r;

	if ((size_t)snprintf(part, sizeof(part), "%s.part", path) >= sizeof(part))
		return ww_log_err_r(-ENAMETOOLONG, "cannot write %s", path);
	fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	r = fd < 0 ? -errno : write_all(fd, content);
	if (r == 0 && renameat2(AT_FDCWD, part, AT_FDCWD, path, force ? 0 : RENAME_NOREPLACE) < 0)
		r = -errno;
	if (r == 0)
		return 0;
	if (fd >= 0)
		unlink(part);
	if (r == -EEXIST)
		ww_log(WW_LOG_ERR, "%s exists; --force overwrites it", path);
	else
		ww_log_err_r(r, "cannot write %s", path);
	return r;
}

static int check_absent(const char *path, bool force)
{
	struct stat st;

	if (force || lstat(path, &st) < 0)
		return 0;
	ww_log(WW_LOG_ERR, "%s exists; --force overwrites it", path);
	return -EEXIST;
}

static int write_files(struct report *p, const char *page_path)
{
	WW_AUTO_BUF struct ww_buf report, page;
	const uint64_t *verdicts;
	size_t count = 0;
	int r;

	ww_buf_init(&report, WW_REPORT_BYTES_MAX);
	ww_buf_init(&page, WW_PAGE_BYTES_MAX);
	r = ww_survey_verdicts(p->selection.survey, &verdicts, &count);
	if (r < 0)
		return ww_log_err_r(r, "cannot write the report");
	r = write_sections(p, count);
	if (r == 0)
		r = build(p, &report);
	if (r == 0)
		r = build_page(p, verdicts, count, &page);
	if (r == 0)
		r = put_file(p->file, ww_buf_slice(&report), p->force);
	if (r == 0)
		r = put_file(page_path, ww_buf_slice(&page), p->force);
	if (r == 0)
		printf("%s: %zu records, %zu verdicts, signed\n%s: the page for reading\n", p->file,
		       p->selection.count, count, page_path);
	return r;
}

static int make(struct report *p)
{
	struct ww_clock_map now;
	char page_path[4096];
	int r;

	ww_clock_sample(&now);
	ww_wall_rfc3339(now.wall, p->created_at);
	snprintf(page_path, sizeof(page_path), "%s.txt", p->file);
	r = check_absent(p->file, p->force);
	if (r == 0)
		r = check_absent(page_path, p->force);
	if (r == 0)
		r = ww_records_open(p->state_dir, &p->records);
	if (r == 0)
		r = ww_selection_make(&p->records, &p->query, p->complete, &p->selection);
	if (r == 0 && p->selection.count == 0) {
		ww_log(WW_LOG_ERR, "nothing to report in this period");
		return -ENODATA;
	}
	return r == 0 ? write_files(p, page_path) : r;
}

int ww_cmd_report(int argc, char **argv)
{
	struct report p = {.state_dir = WW_STATE_DIR};
	struct ww_buf *bufs[] = {&p.scope, &p.period, &p.coverage, &p.summary, &p.made};
	int r;

	for (size_t i = 0; i < WW_ARRAY_SIZE(bufs); i++)
		ww_buf_init(bufs[i], SECTION_BYTES_MAX);
	if (argp_parse(&argp, argc, argv, 0, NULL, &p) != 0)
		return WW_EXIT_USAGE;
	r = make(&p);
	ww_selection_done(&p.selection);
	ww_records_close(&p.records);
	for (size_t i = 0; i < WW_ARRAY_SIZE(bufs); i++)
		ww_buf_done(bufs[i]);
	if (r == 0)
		return 0;
	return r == -ENODATA || r == -EEXIST ? WW_EXIT_NO : WW_EXIT_UNABLE;
}
