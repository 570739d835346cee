/* SPDX-License-Identifier: Apache-2.0 */
/* wirewitness policy check|show: is a policy file well formed and does it mean what it says; what
 * would be said of a peer. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>

#include "base/encode.h"
#include "base/log.h"
#include "cmd.h"
#include "daemon/policy_option.h"
#include "daemon/tables_folder.h"
#include "policy/policy_lint.h"
#include "policy_show.h"
#include "records.h"
#include "rt/file.h"

enum verb { NONE, CHECK, SHOW };

struct options {
	enum verb verb;
	const char *argument; /* of the verb */
	const char *policy, *tables;
	bool strict;
	struct ww_policy_show show;
};

static void take_argument(struct options *o, const char *arg, struct argp_state *state)
{
	if (o->verb != NONE && o->argument)
		argp_error(state, "one at a time: unexpected '%s'", arg);
	else if (o->verb != NONE)
		o->argument = arg;
	else if (strcmp(arg, "check") == 0)
		o->verb = CHECK;
	else if (strcmp(arg, "show") == 0)
		o->verb = SHOW;
	else
		argp_error(state, "expected check or show, got '%s'", arg);
}

static void check_options(const struct options *o, struct argp_state *state)
{
	const struct ww_policy_show *s = &o->show;

	if (o->verb == NONE)
		argp_error(state, "check or show is missing");
	if (o->verb == CHECK && !o->argument)
		argp_error(state, "the policy FILE is missing");
	if (o->verb == SHOW && !o->argument)
		argp_error(state, "the ADDRESS or NAME is missing");
	if (o->verb == SHOW && !o->policy)
		argp_error(state, "--policy FILE is missing: by which policy?");
	if (o->verb == SHOW && o->strict)
		argp_error(state, "--strict goes with check");
	if (o->verb == CHECK && (o->policy || s->agent || s->ask.rtt_min_us ||
				 s->ask.key_holder_us || s->ask.name_count || s->json))
		argp_error(state, "--policy, --agent, --name, --rtt-us, --key-holder-us and "
				  "--output go with show");
}

static uint32_t take_us(const char *option, const char *arg, struct argp_state *state)
{
	uint64_t v;

	if (ww_slice_u64(ww_slice_str(arg), &v) < 0 || v < 1 || v > UINT32_MAX)
		argp_error(state, "--%s: expected microseconds, got '%s'", option, arg);
	return (uint32_t)v;
}

static void take_at(struct options *o, const char *arg, struct argp_state *state)
{
	char text[48];

	snprintf(text, sizeof(text), strlen(arg) == 10 ? "%sT00:00:00Z" : "%.40s", arg);
	if (ww_wall_parse(ww_slice_str(text), &o->show.ask.at) < 0 || !o->show.ask.at.ns)
		argp_error(state, "--at: expected a date or a time in UTC, got '%s'", arg);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	struct ww_placement_ask *ask = &o->show.ask;

	switch (key) {
	case 's':
		o->strict = true;
		return 0;
	case 'P':
		o->policy = arg;
		return 0;
	case 'x':
		o->tables = arg;
		return 0;
	case 'a':
		o->show.agent = arg;
		return 0;
	case 'n':
		if (ask->name_count == WW_PLACEMENT_NAMES_MAX)
			argp_error(state, "more than %u names", WW_PLACEMENT_NAMES_MAX);
		ask->names[ask->name_count++] = arg;
		return 0;
	case 'r':
		ask->rtt_min_us = take_us("rtt-us", arg, state);
		return 0;
	case 'k':
		ask->key_holder_us = take_us("key-holder-us", arg, state);
		return 0;
	case 't':
		take_at(o, arg, state);
		return 0;
	case 'o':
		o->show.json = ww_records_json_option(state, arg);
		return 0;
	case ARGP_KEY_ARG:
		take_argument(o, arg, state);
		return 0;
	case ARGP_KEY_END:
		check_options(o, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option argp_options[] = {
	{"tables", 'x', "DIR", 0, "address tables: what is listed of peers", 1},
	{"at", 't', "WHEN", 0, "what is valid then, a date or a time in UTC (default now)", 1},
	{"strict", 's', NULL, 0, "check: a warning is an error, too", 2},
	{"policy", 'P', "FILE", 0, "show: the policy file", 3},
	{"agent", 'a', "NAME", 0, "show: for this agent of the file; without: labels and bounds",
	 3},
	{"name", 'n', "NAME", 0, "show: a client called the address so (repeatable)", 3},
	{"rtt-us", 'r', "N", 0, "show: the TCP connection's shortest round trip, microseconds", 3},
	{"key-holder-us", 'k', "N", 0,
	 "show: the time of the certificate's key holder in a full TLS 1.3 handshake, microseconds",
	 3},
	{"output", 'o', "FORMAT", 0, "show: text (default) or json", 3},
	{0},
};

static const struct argp argp = {
	argp_options,
	parse,
	"check FILE\nshow ADDRESS|NAME --policy FILE",
	"check reads a policy file as the daemon does and says what is wrong and what is "
	"suspicious; with --tables also which of their words it does not know. show says what "
	"would be said of a peer: labels, standing, bounds.",
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
	if (line)
		printf("%s:%u: warning: %s\n", c->file, line, text);
	else
		printf("%s: warning: %s\n", c->file, text);
}

static void tell(const struct options *o, const struct ww_policy *p)
{
	char hex[2 * WW_SHA256_LEN + 1];

	ww_hex_encode(ww_slice(p->digest.b, WW_SHA256_LEN), hex);
	printf("%s: %u areas, %u regions, %u agents, guard %s, sha256 %s\n", o->argument,
	       p->area_count, p->region_count, p->agent_count, ww_policy_guard_name(p->guard), hex);
}

static int read_file(const struct options *o, struct ww_policy **ret)
{
	struct ww_contract_error error = {0};
	WW_AUTO_BUF struct ww_buf yaml;
	char text[4608];
	int r;

	ww_buf_init(&yaml, WW_POLICY_FILE_BYTES + 1);
	r = ww_file_read(o->argument, &yaml);
	if (r == 0)
		r = ww_policy_parse(ww_buf_slice(&yaml), ret, &error);
	if (r == 0)
		return 0;
	if (error.text[0]) {
		ww_policy_error_text(o->argument, "error: ", &error, text, sizeof(text));
		printf("%s\n", text);
		return WW_EXIT_NO;
	}
	ww_log_err_r(r, "cannot read %s", o->argument);
	return WW_EXIT_UNABLE;
}

static int check(const struct options *o, const struct ww_tables *t)
{
	WW_AUTO(ww_policy_free_auto) struct ww_policy *p = NULL;
	struct checked checked = {.file = o->argument};
	int code = read_file(o, &p), r = 0;

	if (code)
		return code;
	ww_policy_lint(p, print_warning, &checked);
	if (t)
		r = ww_policy_lint_tables(p, t, o->show.ask.at, print_warning, &checked);
	if (r < 0) {
		ww_log_err_r(r, "cannot compare it with the tables");
		return WW_EXIT_UNABLE;
	}
	tell(o, p);
	return o->strict && checked.warnings ? WW_EXIT_NO : 0;
}

/* --- show ---------------------------------------------------------------------------------------
 */

static int show(struct options *o, const struct ww_tables *t)
{
	WW_AUTO(ww_policy_free_auto) struct ww_policy *p = NULL;

	if (ww_policy_option(o->policy, &p) < 0)
		return WW_EXIT_UNABLE;
	if (!p) {
		ww_log(WW_LOG_ERR, "--policy: a file, please");
		return WW_EXIT_USAGE;
	}
	o->show.ask.policy = p;
	o->show.ask.tables = t;
	return ww_policy_show(&o->show, o->argument);
}

int ww_cmd_policy(int argc, char **argv)
{
	WW_AUTO(ww_tables_free_auto) struct ww_tables *t = NULL;
	struct options o = {.verb = NONE};
	struct ww_clock_map now;

	if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
		return WW_EXIT_USAGE;
	ww_clock_sample(&now);
	if (!o.show.ask.at.ns)
		o.show.ask.at = now.wall;
	if (ww_tables_option(o.tables, NULL, &t) < 0)
		return WW_EXIT_UNABLE;
	return o.verb == CHECK ? check(&o, t) : show(&o, t);
}
