/* SPDX-License-Identifier: Apache-2.0 */
/* wirewitness contract check|learn: is a contract file well formed and does it mean what it says; a
 * first draft of one. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>

#include "base/log.h"
#include "cmd.h"
#include "learn.h"
#include "policy/contract_lint.h"
#include "rt/file.h"

enum verb { NONE, CHECK, LEARN };

struct options {
	enum verb verb;
	const char *file;
	bool strict;
	const char *state_dir;
	struct ww_learn_query query;
};

static void parse_verb(struct options *o, const char *arg, struct argp_state *state)
{
	if (strcmp(arg, "check") == 0)
		o->verb = CHECK;
	else if (strcmp(arg, "learn") == 0)
		o->verb = LEARN;
	else
		argp_error(state, "expected check or learn, got '%s'", arg);
}

static void take_tool(struct options *o, const char *arg, struct argp_state *state)
{
	for (const char *p = arg; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			argp_error(state, "--tool: a name without control characters");
	}
	if (!arg[0] || strlen(arg) >= 128)
		argp_error(state, "--tool: a name of 1 to 127 bytes");
	o->query.tool = arg;
}

static void check_options(const struct options *o, struct argp_state *state)
{
	if (o->verb == NONE)
		argp_error(state, "check or learn is missing");
	if (o->verb == CHECK && !o->file)
		argp_error(state, "the contract FILE is missing");
	if (o->verb == LEARN && o->file)
		argp_error(state, "unexpected argument '%s'", o->file);
	if (o->verb == LEARN && !o->query.tool)
		argp_error(state, "--tool is missing: whose contract?");
	if (o->verb == CHECK && (o->query.tool || o->query.since.what || o->query.until.what))
		argp_error(state, "--tool, --since and --until go with learn");
	if (o->verb == LEARN && o->strict)
		argp_error(state, "--strict goes with check");
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
	case 't':
		take_tool(o, arg, state);
		return 0;
	case 'S':
		ww_records_moment_option(state, "since", arg, &o->query.since);
		return 0;
	case 'U':
		ww_records_moment_option(state, "until", arg, &o->query.until);
		return 0;
	case ARGP_KEY_ARG:
		if (o->verb == NONE)
			parse_verb(o, arg, state);
		else if (!o->file)
			o->file = arg;
		else
			argp_error(state, "one file at a time: unexpected '%s'", arg);
		return 0;
	case ARGP_KEY_END:
		check_options(o, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option argp_options[] = {
	{"strict", 's', NULL, 0, "check: a warning is an error, too", 1},
	{"tool", 't', "NAME", 0, "learn: the tool, as its spans name it", 2},
	{"since", 'S', "WHEN", 0, "learn: from " WW_MOMENT_FORMS, 2},
	{"until", 'U', "WHEN", 0, "learn: up to such a time", 2},
	{"state", 'd', "DIR", 0, "learn: state directory of the daemon (default " WW_STATE_DIR ")",
	 2},
	{0},
};

static const struct argp argp = {
	argp_options,
	parse,
	"check FILE\nlearn --tool NAME",
	"check reads a contract file as the daemon does and says, line by line, what is wrong and "
	"what is suspicious. learn drafts a contract from the calls that were seen of a tool.",
	NULL,
	NULL,
	NULL};

/* --- check --------------------------------------------------------------------------------------
 */

struct checked {
	const char *file;
	unsigned warnings;
};

static void print_warning(void *ctx, unsigned line, const char *text)
{
	struct checked *c = ctx;

	c->warnings++;
	printf("%s:%u: warning: %s\n", c->file, line, text);
}

static int check(const struct options *o)
{
	WW_AUTO(ww_contracts_free_auto) struct ww_contracts *all = NULL;
	struct ww_contract_error error = {0};
	struct checked checked = {.file = o->file};
	WW_AUTO_BUF struct ww_buf yaml;
	int r;

	ww_buf_init(&yaml, WW_CONTRACT_FILE_BYTES + 1);
	r = ww_file_read(o->file, &yaml);
	if (r == 0)
		r = ww_contracts_parse(ww_buf_slice(&yaml), &all, &error);
	if (r == -EINVAL || r == -EFBIG) {
		printf("%s:%u: error: %s\n", o->file, error.line, error.text);
		return WW_EXIT_NO;
	}
	if (r < 0) {
		ww_log_err_r(r, "cannot read %s", o->file);
		return WW_EXIT_UNABLE;
	}
	ww_contract_lint(all, print_warning, &checked);
	return o->strict && checked.warnings ? WW_EXIT_NO : 0;
}

/* --- learn --------------------------------------------------------------------------------------
 */

static int learn(const struct options *o)
{
	struct ww_records records = {0};
	int r = ww_records_open(o->state_dir, &records);

	if (r == 0)
		r = ww_learn(&records, &o->query, stdout);
	ww_records_close(&records);
	if (r == -ENODATA)
		return WW_EXIT_NO;
	return r < 0 ? WW_EXIT_UNABLE : 0;
}

int ww_cmd_contract(int argc, char **argv)
{
	struct options o = {.state_dir = WW_STATE_DIR};

	if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
		return WW_EXIT_USAGE;
	return o.verb == CHECK ? check(&o) : learn(&o);
}
