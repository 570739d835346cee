/* SPDX-License-Identifier: Apache-2.0 */
#include <argp.h>
#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "cmd.h"
#include "terminal.h"

static const struct command {
	const char *name;
	ww_cmd_fn fn;
	const char *help;
} commands[] = {
	{"run", ww_cmd_run, "run a command in its own watched cgroup, from its first instruction"},
	{"tail", ww_cmd_tail, "follow the records as they are made"},
	{"ls", ww_cmd_ls, "list verdicts, exchanges, flows and all other records"},
	{"actions", ww_cmd_actions,
	 "what was said, what the span says, what the wire shows: per action"},
	{"why", ww_cmd_why, "the whole chain of evidence behind a verdict"},
	{"path", ww_cmd_path, "where one prompt went, as far as this host can see"},
	{"show", ww_cmd_show, "one record with what it cites and what cites it"},
	{"report", ww_cmd_report, "write a signed report for auditors"},
	{"html", ww_cmd_html, "a report as one page for people"},
	{"proof", ww_cmd_proof, "write one record with its proof as a tlog-proof file"},
	{"verify", ww_cmd_verify, "check a report or a proof offline"},
	{"contract", ww_cmd_contract, "check a contract file; draft one from what was seen"},
	{"tables", ww_cmd_tables,
	 "address tables: check, show what is listed of an address, import"},
	{"policy", ww_cmd_policy,
	 "where bytes may go: check the file, show what it says of a peer"},
	{"guard", ww_cmd_guard,
	 "the kill switch: deny a network, a region or an agent; cut a connection"},
	{"attest", ww_cmd_attest,
	 "take in what somebody outside signed of an action, or of a path"},
	{"key", ww_cmd_key, "the ledger's signing key: show, rotate, history, verify"},
	{"prune", ww_cmd_prune, "remove old records' content; their leaves and proofs stay"},
	{"reindex", ww_cmd_reindex, "build the index of ls and show anew"},
	{"export", ww_cmd_export, "the same selection as JSON Lines or CSV, unsigned"},
	{"record", ww_cmd_record, "run a command and write all its events to a tape"},
	{"replay", ww_cmd_replay, "derive the records of a tape again, without privileges"},
	{"doctor", ww_cmd_doctor, "what this kernel and host allow, and what is attached to what"},
	{"version", ww_cmd_version, "versions of the program and of the libraries it runs with"},
};

static int usage(FILE *f, int code)
{
	fputs("usage: wirewitness COMMAND [OPTIONS]\n\n", f);
	for (size_t i = 0; i < WW_ARRAY_SIZE(commands); i++)
		fprintf(f, "  %-9s %s\n", commands[i].name, commands[i].help);
	fputs("\nwirewitness COMMAND --help lists a command's options.\n", f);
	return code;
}

static int run(const struct command *c, int argc, char **argv)
{
	char title[32];

	snprintf(title, sizeof(title), "wirewitness %s", c->name);
	argv[0] = title; /* what messages and --help show */
	return c->fn(argc, argv);
}

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < WW_ARRAY_SIZE(commands); i++) {
		if (strcmp(name, commands[i].name) == 0)
			return &commands[i];
	}
	return NULL;
}

static int dispatch(int argc, char **argv)
{
	char *help[] = {NULL, "--help", NULL};
	const struct command *c;

	if (argc < 2)
		return usage(stderr, WW_EXIT_USAGE);
	if (strcmp(argv[1], "--version") == 0)
		return ww_cmd_version(argc - 1, argv + 1);
	if (strcmp(argv[1], "help") == 0 && argc > 2 && (c = find(argv[2])) != NULL)
		return run(c, 2, help);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    (strcmp(argv[1], "help") == 0 && argc == 2))
		return usage(stdout, 0);
	c = find(argv[1]);
	if (c)
		return run(c, argc - 1, argv + 1);
	fprintf(stderr, "wirewitness: no command '%s'\n",
		argv[strcmp(argv[1], "help") == 0 ? 2 : 1]);
	return usage(stderr, WW_EXIT_USAGE);
}

int main(int argc, char **argv)
{
	argp_err_exit_status = WW_EXIT_USAGE;
	return ww_terminal_close(dispatch(argc, argv));
}
