/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wirewitness run -- CMD: asks the daemon for a watched cgroup, enters it and becomes CMD. No layer
 * stays between the caller and the command: process id, terminal, signals and exit code are its
 * own.
 */
#include <argp.h>
#include <errno.h>
#include <stdio.h>

#include "base/json_write.h"
#include "base/log.h"
#include "client.h"
#include "cmd.h"
#include "launch.h"

struct options {
	const char *socket;
	const char *name;
	char **argv;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 's':
		o->socket = arg;
		return 0;
	case 'N':
		o->name = arg;
		return 0;
	case ARGP_KEY_ARG:
		o->argv = state->argv + state->next - 1;
		state->next = state->argc;
		return 0;
	case ARGP_KEY_END:
		if (!o->argv)
			argp_error(state, "what to run is missing: -- COMMAND");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option argp_options[] = {
	{"socket", 's', "PATH", 0, "control socket of the daemon (default " WW_SOCKET_PATH ")", 0},
	{"name", 'N', "NAME", 0, "name of the cgroup (default run-PID)", 0},
	{0},
};

static const struct argp argp = {argp_options,
				 parse,
				 "-- COMMAND [ARGUMENT...]",
				 "Runs COMMAND in a watched cgroup of its own, from its first "
				 "instruction, as the calling user.",
				 NULL,
				 NULL,
				 NULL};

/* 0 or -errno; what the daemon said against it is told. *ret_path has cap bytes. */
static int ask_scope(struct ww_client *c, const char *name, char *ret_path, size_t cap)
{
	WW_AUTO_BUF struct ww_buf request;
	char fallback[32], error[256] = "";
	struct ww_slice answer, range;
	struct ww_json_token t;
	struct ww_jsonw w;
	int r;

	snprintf(fallback, sizeof(fallback), "run-%d", getpid());
	ww_buf_init(&request, WW_CONTROL_LINE_BYTES_MAX);
	ww_jsonw_init(&w, &request);
	ww_jsonw_object(&w, NULL);
	ww_jsonw_cstr(&w, "op", "scope");
	ww_jsonw_cstr(&w, "name", name ? name : fallback);
	ww_jsonw_end_object(&w);
	if (!ww_jsonw_ok(&w) || ww_buf_add(&request, "", 1) < 0)
		return -ENAMETOOLONG;
	r = ww_client_ask(c, (const char *)request.p, &answer, error, sizeof(error));
	if (r == -EREMOTEIO)
		ww_log(WW_LOG_ERR, "the daemon cannot watch a new cgroup: %s", error);
	if (r < 0)
		return r;
	if (ww_json_path(answer, "$.cgroup", &t, &range) != WW_PARSE_DONE || t.raw.n >= cap)
		return -EPROTO;
	snprintf(ret_path, cap, "%.*s", (int)t.raw.n, (const char *)t.raw.p);
	return 0;
}

int ww_cmd_run(int argc, char **argv)
{
	struct options o = {.socket = WW_SOCKET_PATH};
	struct ww_client c = {.fd = -1};
	char path[4096];
	int r;

	if (argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &o) != 0)
		return WW_EXIT_USAGE;
	r = ww_client_open(o.socket, &c);
	if (r == 0)
		r = ask_scope(&c, o.name, path, sizeof(path));
	if (r < 0) {
		ww_client_explain(o.socket, r);
		ww_client_close(&c);
		return WW_EXIT_UNABLE;
	}
	/* On success this connection closes: the daemon ends the scope when the cgroup is empty. */
	r = ww_launch_become(path, o.argv);
	ww_client_close(&c);
	return r;
}
