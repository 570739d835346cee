/* SPDX-License-Identifier: Apache-2.0 */
/* wirewitness tables check|show|import: are address tables well formed; what they list of an
 * address; take in a published one. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/log.h"
#include "cmd.h"
#include "records.h"
#include "tables_check.h"
#include "tables_import.h"
#include "tables_show.h"

enum verb { NONE, CHECK, SHOW, IMPORT };

#define ARGUMENTS_MAX 64u

struct options {
	enum verb verb;
	const char *arguments[ARGUMENTS_MAX];
	unsigned count;
	const char *state_dir, *tables_dir, *name;
	bool strict, json;
	struct ww_wall at; /* zero: now */
	struct ww_tables_import how;
};

static void add_argument(struct options *o, const char *arg, struct argp_state *state)
{
	static const char *const verbs[] = {
		[CHECK] = "check", [SHOW] = "show", [IMPORT] = "import"};

	if (o->verb != NONE) {
		if (o->count == ARGUMENTS_MAX)
			argp_error(state, "more than %u at a time", ARGUMENTS_MAX);
		o->arguments[o->count++] = arg;
		return;
	}
	for (unsigned i = CHECK; i <= IMPORT; i++) {
		if (strcmp(arg, verbs[i]) == 0)
			o->verb = i;
	}
	if (o->verb == NONE)
		argp_error(state, "expected check, show or import, got '%s'", arg);
}

static void check_options(const struct options *o, struct argp_state *state)
{
	bool published = o->how.operator_name.n || o->how.as_of[0] || o->how.until != INT32_MAX;

	if (o->verb == NONE)
		argp_error(state, "check, show or import is missing");
	if (o->verb == CHECK && !o->count)
		argp_error(state, "what is to be checked is missing");
	if (o->verb == SHOW && o->count != 1)
		argp_error(state, "one ADDRESS or NAME, please");
	if (o->verb == IMPORT && o->count != 1)
		argp_error(state, "one FILE, please");
	if (o->verb == IMPORT && !o->name)
		argp_error(state, "--as NAME is missing: what is the table to be called?");
	if (o->verb != IMPORT && o->name)
		argp_error(state, "--as goes with import");
	if (o->verb != CHECK && o->strict)
		argp_error(state, "--strict goes with check");
	if (o->verb != SHOW && (o->json || o->at.ns))
		argp_error(state, "--output and --at go with show");
	if (o->verb == SHOW && published)
		argp_error(state, "--operator, --as-of and --valid-until go with import and check");
}

static void take_operator(struct options *o, const char *arg, struct argp_state *state)
{
	o->how.operator_name = ww_slice_str(arg);
	if (!arg[0] || !ww_tables_text_ok(o->how.operator_name))
		argp_error(state, "--operator: expected a text of 1 to 96 bytes");
}

static void take_at(struct options *o, const char *arg, struct argp_state *state)
{
	char text[48];

	snprintf(text, sizeof(text), strlen(arg) == 10 ? "%sT00:00:00Z" : "%.40s", arg);
	if (ww_wall_parse(ww_slice_str(text), &o->at) < 0 || !o->at.ns)
		argp_error(state, "--at: expected a date or a time in UTC, got '%s'", arg);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 's':
		o->strict = true;
		return 0;
	case 'd':
		o->state_dir = arg;
		return 0;
	case 'x':
		o->tables_dir = arg;
		return 0;
	case 'n':
		o->name = arg;
		if (!ww_tables_name_ok(ww_slice_str(arg)))
			argp_error(state,
				   "--as: expected up to 64 letters, digits, '.', '_' and "
				   "'-', got '%s'",
				   arg);
		return 0;
	case 'p':
		take_operator(o, arg, state);
		return 0;
	case 'D':
		if (ww_tables_as_of_parse(ww_slice_str(arg), o->how.as_of) < 0)
			argp_error(state, "--as-of: expected a date or a time in UTC, got '%s'",
				   arg);
		return 0;
	case 'u':
		if (ww_tables_day_parse(ww_slice_str(arg), &o->how.until) < 0)
			argp_error(state,
				   "--valid-until: expected a date like 2026-12-31, got '%s'", arg);
		return 0;
	case 't':
		take_at(o, arg, state);
		return 0;
	case 'o':
		o->json = ww_records_json_option(state, arg);
		return 0;
	case ARGP_KEY_ARG:
		add_argument(o, arg, state);
		return 0;
	case ARGP_KEY_END:
		check_options(o, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option argp_options[] = {
	{"state", 'd', "DIR", 0,
	 "state directory of the daemon, whose 'tables' is meant (default " WW_STATE_DIR ")", 1},
	{"tables", 'x', "DIR", 0, "the folder of tables, instead", 1},
	{"strict", 's', NULL, 0, "check: a warning is an error, too", 2},
	{"output", 'o', "FORMAT", 0, "show: text (default) or json", 3},
	{"at", 't', "WHEN", 0, "show: what was valid then, a date or a time in UTC (default now)",
	 3},
	{"as", 'n', "NAME", 0, "import: the table is called so; one of this name is replaced", 4},
	{"operator", 'p', "NAME", 0, "import, check: whose networks a bare list has", 4},
	{"as-of", 'D', "WHEN", 0,
	 "import, check: of when the file is, where it does not say so itself", 4},
	{"valid-until", 'u', "DATE", 0, "import, check: the last day on which its rows are valid",
	 4},
	{0},
};

static const struct argp argp = {
	argp_options,
	parse,
	"check FILE|DIR...\nshow ADDRESS|NAME\nimport FILE --as NAME",
	"check reads tables, or files as clouds publish them, and says what is wrong and what is "
	"suspicious. show lists all rows that match an address, or a name that clients use. import "
	"takes a published file "
	"(AWS, GCP, Azure, a list of networks), a YAML table or a MaxMind-format database into "
	"the folder of tables.",
	NULL,
	NULL,
	NULL};

int ww_cmd_tables(int argc, char **argv)
{
	struct options o = {.state_dir = WW_STATE_DIR, .how.until = INT32_MAX};
	char dir[4096];
	int code = 0;

	if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
		return WW_EXIT_USAGE;
	if (o.tables_dir)
		snprintf(dir, sizeof(dir), "%s", o.tables_dir);
	else
		snprintf(dir, sizeof(dir), "%s/tables", o.state_dir);
	if (o.verb == SHOW)
		return ww_tables_show(dir, o.arguments[0], o.at, o.json);
	/* Before the first start of a daemon, which makes it so, too. */
	if (o.verb == IMPORT && !o.tables_dir && mkdir(o.state_dir, 0700) < 0 && errno != EEXIST) {
		ww_log_err_r(-errno, "cannot make %s", o.state_dir);
		return WW_EXIT_UNABLE;
	}
	if (o.verb == IMPORT)
		return ww_tables_import_file(dir, o.arguments[0], o.name, &o.how);
	for (unsigned i = 0; i < o.count; i++) {
		int one = ww_tables_check(o.arguments[i], &o.how, o.strict);

		code = one > code ? one : code;
	}
	return code;
}
