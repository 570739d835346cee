/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wirewitness report: a signed report for auditors, beside it one page for reading, and on request
 * the same as a Sigstore bundle, a short result for machines, and the trust root that they need.
 */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>

#include "base/log.h"
#include "cmd.h"
#include "ledger/bundle.h"
#include "ledger/keyfile.h"
#include "ledger/proof_build.h"
#include "ledger/report.h"
#include "ledger/svr.h"
#include "ledger/timestamp.h"
#include "out/page.h"
#include "publish.h"
#include "put_file.h"
#include "rt/file.h"
#include "sections.h"

struct report {
	const char *state_dir, *socket_path;
	const char *file, *html, *bundle, *svr, *trust_root;
	const char *stamp_url, *stamp_command, *stamp_ca;
	const char *created, *requested_by;
	bool force;
	struct ww_criteria criteria;
	struct ww_selection_options options;
	struct ww_records records;
	struct ww_keyfile keys;
	struct ww_selection selection;
	struct ww_sections sections;
	char created_at[WW_RFC3339_MAX];
	char requester[128];
	struct ww_buf ca;                    /* PEM */
	const char *extends[WW_EARLIER_MAX]; /* files with checkpoints that somebody kept */
	size_t n_extends;
	struct ww_checkpoint earlier[WW_EARLIER_MAX];
};

/* --- options ------------------------------------------------------------------------------------
 */

enum {
	OPT_HTML = 0x200,
	OPT_BUNDLE,
	OPT_SVR,
	OPT_TRUST,
	OPT_STAMP,
	OPT_STAMP_COMMAND,
	OPT_STAMP_CA,
	OPT_CREATED,
	OPT_ASKED,
	OPT_SAMPLE,
	OPT_EXTENDS,
	OPT_SOCKET
};

static bool narrows(const struct ww_criteria *c)
{
	return c->query.filter.count || c->trace || c->agent || c->id;
}

/* With --force the later one would replace the earlier one without a word. */
static void check_names(const struct report *p, struct argp_state *state)
{
	const char *const names[] = {p->file, p->html, p->bundle, p->svr, p->trust_root};
	size_t n = p->file ? strlen(p->file) : 0;

	for (size_t i = 1; i < WW_ARRAY_SIZE(names); i++) {
		if (!names[i])
			continue;
		for (size_t k = 0; k < i; k++)
			if (names[k] && strcmp(names[i], names[k]) == 0)
				argp_error(state, "two files are called %s", names[i]);
		if (p->file && strncmp(names[i], p->file, n) == 0 &&
		    strcmp(names[i] + n, ".txt") == 0)
			argp_error(state, "%s is the page beside the report", names[i]);
	}
}

static void check(struct report *p, struct argp_state *state)
{
	uint64_t threshold;

	ww_criteria_check(&p->criteria, state);
	check_names(p, state);
	if (!p->file && (!p->trust_root || p->html || p->bundle || p->svr))
		argp_error(state, "-O FILE: where the report goes is missing");
	if (p->file && strcmp(p->file, "-") == 0)
		argp_error(state, "-O: a report is two files, FILE and FILE.txt: it needs a name");
	if (p->options.complete && (narrows(&p->criteria) || p->options.sample))
		argp_error(state, "--complete lists every record: it cannot have a filter");
	if ((p->stamp_url || p->stamp_command) && !p->bundle)
		argp_error(state, "--timestamp: a time stamp stands in a bundle: give --bundle");
	if (p->stamp_url && p->stamp_command)
		argp_error(state, "--timestamp and --timestamp-command exclude each other");
	if (p->options.sample && ww_sampling_parse(ww_slice_str(p->options.sample), &threshold) < 0)
		argp_error(state, "--sample: expected a share such as 0.1 or 10%%, got '%s'",
			   p->options.sample);
}

/* Relative times count from it, so it is read before the others are looked at. */
static void take_created(struct report *p, struct argp_state *state, const char *arg)
{
	struct ww_moment m;

	if (ww_moment_parse(arg, (struct ww_wall){0}, &m) < 0 || m.what != WW_MOMENT_TIME ||
	    strlen(arg) < 10 || ww_moment_wall(&m, &p->criteria.now) < 0)
		argp_error(state, "--created-at: expected an RFC 3339 time, got '%s'", arg);
	p->created = arg;
	memcpy(p->created_at, m.time, sizeof(p->created_at));
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct report *p = state->input;
	const struct {
		int key;
		const char **to;
	} texts[] = {{'d', &p->state_dir},
		     {'O', &p->file},
		     {OPT_HTML, &p->html},
		     {OPT_BUNDLE, &p->bundle},
		     {OPT_SVR, &p->svr},
		     {OPT_TRUST, &p->trust_root},
		     {OPT_STAMP, &p->stamp_url},
		     {OPT_STAMP_COMMAND, &p->stamp_command},
		     {OPT_STAMP_CA, &p->stamp_ca},
		     {OPT_ASKED, &p->requested_by},
		     {OPT_SAMPLE, &p->options.sample},
		     {OPT_SOCKET, &p->socket_path}};

	for (size_t i = 0; i < WW_ARRAY_SIZE(texts); i++) {
		if (key == texts[i].key) {
			*texts[i].to = arg;
			return 0;
		}
	}
	switch (key) {
	case OPT_CREATED:
		take_created(p, state, arg);
		return 0;
	case OPT_EXTENDS:
		if (p->n_extends == WW_EARLIER_MAX)
			argp_error(state, "--extends: over %u checkpoints", WW_EARLIER_MAX);
		else
			p->extends[p->n_extends++] = arg;
		return 0;
	case 'x':
		p->force = true;
		return 0;
	case 'c':
		p->options.complete = true;
		return 0;
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &p->criteria;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument '%s'", arg);
		return 0;
	case ARGP_KEY_END:
		check(p, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option argp_options[] = {
	{"output", 'O', "FILE", 0, "the signed report; FILE.txt is the page for reading", 2},
	{"complete", 'c', NULL, 0,
	 "list every record of the period: shows that no verdict was left out", 2},
	{"sample", OPT_SAMPLE, "SHARE", 0,
	 "show a share of the actions, drawn by a seed that was committed before", 2},
	{"html", OPT_HTML, "FILE", 0, "the same for people: one page with the report in it", 2},
	{"bundle", OPT_BUNDLE, "FILE", 0,
	 "put the report into the ledger and write a Sigstore bundle", 2},
	{"extends", OPT_EXTENDS, "FILE", 0,
	 "prove that the ledger continues this checkpoint, which somebody kept; may be repeated",
	 2},
	{"svr", OPT_SVR, "FILE", 0, "a short verification result over the same subjects", 2},
	{"trust-root", OPT_TRUST, "FILE", 0, "what verifiers of bundles need, from our keys", 2},
	{"timestamp", OPT_STAMP, "URL", 0, "ask this RFC 3161 authority (http)", 2},
	{"timestamp-command", OPT_STAMP_COMMAND, "COMMAND", 0,
	 "the same through a command: query on its input, reply on its output", 2},
	{"timestamp-ca", OPT_STAMP_CA, "FILE", 0,
	 "the authority's certificates (PEM), the signing one first", 2},
	{"created-at", OPT_CREATED, "TIME", 0,
	 "time of the report (default: that of the ledger's head)", 2},
	{"requested-by", OPT_ASKED, "NAME", 0, "who asked for it (default: the user)", 2},
	{"state", 'd', "DIR", 0, "state directory of the daemon (default " WW_STATE_DIR ")", 2},
	{"socket", OPT_SOCKET, "PATH", 0,
	 "control socket of the daemon, for --bundle (default " WW_SOCKET_PATH ")", 2},
	{"force", 'x', NULL, 0, "overwrite existing files", 2},
	{0},
};

static const struct argp_child argp_children[] = {{&ww_criteria_argp, 0, NULL, 1}, {0}};

static const struct argp argp = {
	argp_options,
	parse,
	"-O FILE",
	"Writes a report that anybody can verify offline: verdicts, the records they rest on, "
	"coverage and losses, each with its proof in the signed ledger.",
	argp_children,
	NULL,
	NULL};

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

/* --- building -----------------------------------------------------------------------------------
 */

static struct ww_report_input report_input(const struct report *p)
{
	const struct ww_selection *s = &p->selection;
	struct ww_report_input in = {.created_at = p->created_at,
				     .sections = ww_sections_slices(&p->sections),
				     .first = s->indexes[0],
				     .last = s->indexes[s->count - 1],
				     .earlier = p->earlier,
				     .n_earlier = p->n_extends};

	if (!p->options.complete) {
		in.indexes = s->indexes;
		in.n_indexes = s->count;
	}
	return in;
}

/*
 * When witnesses have cosigned a tree that holds every record of the report, the proofs lead to
 * that one. Neither is a report cut for it, nor waited: what is newer than it goes without.
 */
static int take_cosigned(struct report *p, struct ww_errtext *why)
{
	WW_AUTO_FD int dir = open(p->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint64_t last = p->selection.indexes[p->selection.count - 1];
	struct ww_ledger_reader *reader = p->records.reader;
	WW_AUTO_BUF struct ww_buf note = {0};
	struct ww_checkpoint head, own;
	int r;

	if (dir < 0)
		return ww_errtext_errno(why, -errno, "cannot open %s", p->state_dir);
	ww_buf_init(&note, WW_NOTE_BYTES_MAX);
	r = ww_cosigned_read(dir, ww_ledger_reader_key(reader), &note, &head, why);
	if (r == -ENOENT) {
		puts("not witnessed: nobody has cosigned this ledger");
		return 0;
	}
	if (r < 0)
		return r;
	if (last >= head.size) {
		printf("not witnessed: witnesses cosigned %" PRIu64
		       " records, the report reaches to record %" PRIu64 "\n",
		       head.size, last);
		return 0;
	}
	/* A report and its tree are signed by one key. */
	r = ww_checkpoint_open(ww_buf_slice(&note), ww_ledger_reader_key(reader), &own);
	if (r == -ENOKEY) {
		puts("not witnessed: witnesses have cosigned nothing since the key was replaced");
		return 0;
	}
	r = ww_ledger_reader_rewind(reader, ww_buf_slice(&note), why);
	if (r == 0)
		printf("witnessed: the proofs lead to a cosigned tree of %" PRIu64 " records\n",
		       head.size);
	return r;
}

static int build(struct report *p, struct ww_buf *out)
{
	struct ww_report_input in = report_input(p);
	struct ww_errtext why = {""};
	int r = take_cosigned(p, &why);

	if (r == 0)
		r = ww_report_build(p->records.reader, &p->keys.signer, &in, out, &why);
	if (r < 0)
		ww_log(WW_LOG_ERR, "%s", why.text);
	return r;
}

static int build_svr(struct report *p, struct ww_buf *out)
{
	struct ww_report_input report = report_input(p);
	struct ww_errtext why = {""};
	struct ww_sha256 records;
	struct ww_svr_input in = {.created_at = p->created_at,
				  .head = ww_ledger_reader_head(p->records.reader),
				  .records = &records,
				  .policies = ww_buf_slice(&p->sections.policies),
				  .properties = ww_buf_slice(&p->sections.properties)};
	int r = ww_report_subject(p->records.reader, &report, &records, &why);

	if (r < 0) {
		ww_log(WW_LOG_ERR, "%s", why.text);
		return r;
	}
	r = ww_svr_build(&in, &p->keys.signer, out);
	return r < 0 ? ww_log_err_r(r, "cannot write the short result") : 0;
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

static int build_page(struct report *p, struct ww_buf *out)
{
	const union ww_statement_sections s = ww_sections_slices(&p->sections);
	size_t path_count;
	const uint64_t *path_rows = ww_path_survey_rows(p->selection.paths, &path_count);
	const struct ww_page_input in = {.scope = s.scope,
					 .period = s.period,
					 .coverage = s.coverage,
					 .summary = s.summary,
					 .paths = s.paths,
					 .destinations = s.destinations,
					 .report = ww_buf_slice(&p->sections.made),
					 .verdicts = p->sections.verdicts,
					 .verdict_count = p->sections.verdict_count,
					 .path_rows = path_rows,
					 .path_count = path_count,
					 .findings = p->selection.findings,
					 .finding_count = p->selection.finding_count,
					 .record = page_record,
					 .ctx = p};
	int r = ww_page_add(&in, out);

	return r < 0 ? ww_log_err_r(r, "cannot write the page") : 0;
}

static int build_trust_root(struct report *p, struct ww_buf *out)
{
	WW_AUTO_FD int dir = open(p->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	WW_AUTO_FREE struct ww_keychain *chain = calloc(1, sizeof(*chain));
	struct ww_slice certs[WW_BUNDLE_CERTS_MAX];
	WW_AUTO_BUF struct ww_buf der = {0};
	struct ww_errtext why = {""};
	size_t n = 0;
	int r;

	if (dir < 0 || !chain)
		return ww_log_err_r(dir < 0 ? -errno : -ENOMEM, "cannot read the log's keys");
	r = ww_keyfile_history(dir, ww_ledger_reader_key(p->records.reader), chain, &why);
	if (r < 0) {
		ww_log(WW_LOG_ERR, "%s", why.text);
		return r;
	}
	ww_buf_init(&der, p->ca.max);
	if (p->ca.n)
		r = ww_timestamp_certs(ww_buf_slice(&p->ca), &der, certs, WW_ARRAY_SIZE(certs), &n);
	if (r < 0)
		return ww_log_err_r(r, "%s does not hold 1 to %u certificates", p->stamp_ca,
				    WW_BUNDLE_CERTS_MAX);
	r = ww_bundle_trust_root(chain, certs, n, out);
	return r < 0 ? ww_log_err_r(r, "cannot write the trust root") : 0;
}

/* --- files --------------------------------------------------------------------------------------
 */

static int check_all_absent(const struct report *p, const char *page_path)
{
	const char *const paths[] = {
		p->file, p->file ? page_path : NULL, p->html, p->bundle, p->svr, p->trust_root};
	int r = 0;

	for (size_t i = 0; i < WW_ARRAY_SIZE(paths) && r == 0; i++)
		if (paths[i])
			r = ww_put_absent(paths[i], p->force);
	return r;
}

static int write_trust_root(struct report *p)
{
	WW_AUTO_BUF struct ww_buf out = {0};
	int r;

	ww_buf_init(&out, 1u << 20);
	r = build_trust_root(p, &out);
	if (r == 0)
		r = ww_put_file(p->trust_root, ww_buf_slice(&out), p->force);
	if (r == 0)
		printf("%s: the trust root\n", p->trust_root);
	return r;
}

static int write_svr(struct report *p)
{
	WW_AUTO_BUF struct ww_buf out = {0};
	int r;

	ww_buf_init(&out, WW_REPORT_BYTES_MAX);
	r = build_svr(p, &out);
	if (r == 0)
		r = ww_put_file(p->svr, ww_buf_slice(&out), p->force);
	if (r == 0)
		printf("%s: the short result, signed\n", p->svr);
	return r;
}

static int write_bundle(struct report *p, struct ww_slice envelope)
{
	const struct ww_publish_input in = {.records = &p->records,
					    .state_dir = p->state_dir,
					    .socket_path = p->socket_path,
					    .envelope = envelope,
					    .created_at = p->created_at,
					    .stamp_url = p->stamp_url,
					    .stamp_command = p->stamp_command,
					    .stamp_ca = ww_buf_slice(&p->ca)};
	WW_AUTO_BUF struct ww_buf out = {0};
	bool stamped = false;
	int r;

	ww_buf_init(&out, WW_REPORT_BYTES_MAX);
	r = ww_publish(&in, &out, &stamped);
	if (r == 0)
		r = ww_put_file(p->bundle, ww_buf_slice(&out), p->force);
	if (r == 0)
		printf("%s: the bundle, %s\n", p->bundle,
		       stamped ? "with a time stamp" : "without a time stamp");
	return r;
}

static int write_files(struct report *p, const char *page_path)
{
	WW_AUTO_BUF struct ww_buf report = {0}, page = {0};
	size_t paths;
	int r;

	ww_buf_init(&report, WW_REPORT_BYTES_MAX);
	ww_buf_init(&page, WW_PAGE_BYTES_MAX);
	r = build(p, &report);
	if (r == 0)
		r = build_page(p, &page);
	if (r == 0)
		r = ww_put_file(p->file, ww_buf_slice(&report), p->force);
	if (r == 0)
		r = ww_put_file(page_path, ww_buf_slice(&page), p->force);
	if (r == 0)
		ww_path_survey_rows(p->selection.paths, &paths);
	if (r == 0)
		printf("%s: %zu records, %zu verdicts, %zu paths, signed\n"
		       "%s: the page for reading\n",
		       p->file, p->selection.count, p->sections.verdict_count, paths, page_path);
	if (r == 0 && p->selection.erased_verdicts)
		printf("%" PRIu64 " verdicts of the period have no content any more\n",
		       p->selection.erased_verdicts);
	if (r == 0 && p->html)
		r = ww_html_file(ww_buf_slice(&report), p->html, p->force);
	if (r == 0 && p->svr)
		r = write_svr(p);
	/* Last: it makes the ledger longer than what the others speak of. */
	if (r == 0 && p->bundle)
		r = write_bundle(p, ww_buf_slice(&report));
	return r;
}

/* --- all of it ----------------------------------------------------------------------------------
 */

static int load_keys(struct report *p)
{
	struct ww_errtext why = {""};
	WW_AUTO_FD int dir = open(p->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (dir < 0)
		return ww_log_err_r(-errno, "cannot open %s", p->state_dir);
	r = ww_keyfile_load(dir, NULL, NULL, false, &p->keys, &why);
	if (r < 0)
		ww_log(WW_LOG_ERR, "%s", why.text);
	p->options.seed_key = p->keys.digest_key;
	return r;
}

static int load_ca(struct report *p)
{
	int r = p->stamp_ca ? ww_file_read(p->stamp_ca, &p->ca) : 0;

	return r < 0 ? ww_log_err_r(r, "cannot read %s", p->stamp_ca) : 0;
}

/* Whose signature they bear is the verifier's business: the proof is of sizes and roots. */
static int load_earlier(struct report *p)
{
	for (size_t i = 0; i < p->n_extends; i++) {
		WW_AUTO_BUF struct ww_buf b;
		struct ww_slice text, lines;
		int r;

		ww_buf_init(&b, WW_NOTE_BYTES_MAX);
		r = ww_file_read(p->extends[i], &b);
		if (r < 0)
			return ww_log_err_r(r, "cannot read %s", p->extends[i]);
		r = ww_note_split(ww_buf_slice(&b), &text, &lines);
		if (r == 0)
			r = ww_checkpoint_parse(text, &p->earlier[i]);
		if (r < 0)
			return ww_log_err_r(r, "not a checkpoint: %s", p->extends[i]);
		if (strcmp(p->earlier[i].origin,
			   ww_ledger_reader_head(p->records.reader)->origin) != 0)
			return ww_log_err_r(-EINVAL, "a checkpoint of another log: %s",
					    p->extends[i]);
	}
	return 0;
}

static int make_report(struct report *p, const char *page_path)
{
	const struct ww_sections_input in = {.records = &p->records,
					     .criteria = &p->criteria,
					     .selection = &p->selection,
					     .file = p->file,
					     .created_at = p->created_at,
					     .requested_by = p->requested_by,
					     .complete = p->options.complete,
					     .bundle = p->bundle != NULL};
	int r = p->created ? 0 : ww_sections_head_time(&p->records, p->created_at);

	if (r == 0)
		r = load_keys(p);
	if (r == 0)
		r = load_earlier(p);
	if (r == 0)
		r = ww_criteria_resolve(&p->criteria, &p->records);
	if (r == 0)
		r = ww_selection_make(&p->records, &p->criteria, &p->options, &p->selection);
	if (r == 0 && (p->selection.seen == 0 || p->selection.count == 0)) {
		ww_log(WW_LOG_ERR, "nothing to report in this period");
		return -ENODATA;
	}
	if (r == 0)
		r = ww_sections_make(&in, &p->sections);
	return r == 0 ? write_files(p, page_path) : r;
}

static int make(struct report *p)
{
	char page_path[4096];
	int r;

	snprintf(page_path, sizeof(page_path), "%s.txt", p->file ? p->file : "");
	if (!p->requested_by)
		p->requested_by = requester(p->requester, sizeof(p->requester));
	r = check_all_absent(p, page_path);
	if (r == 0)
		r = load_ca(p);
	if (r == 0)
		r = ww_records_open(p->state_dir, &p->records);
	if (r == 0 && p->file)
		r = make_report(p, page_path);
	if (r == 0 && p->trust_root)
		r = write_trust_root(p);
	return r;
}

int ww_cmd_report(int argc, char **argv)
{
	struct report p = {.state_dir = WW_STATE_DIR, .socket_path = WW_SOCKET_PATH};
	int r;

	ww_buf_init(&p.ca, 1u << 20);
	if (argp_parse(&argp, argc, argv, 0, NULL, &p) != 0)
		return WW_EXIT_USAGE;
	r = make(&p);
	ww_sections_done(&p.sections);
	ww_selection_done(&p.selection);
	ww_criteria_done(&p.criteria);
	ww_records_close(&p.records);
	ww_keyfile_done(&p.keys);
	ww_buf_done(&p.ca);
	if (r == 0)
		return 0;
	return r == -ENODATA || r == -EEXIST ? WW_EXIT_NO : WW_EXIT_UNABLE;
}
