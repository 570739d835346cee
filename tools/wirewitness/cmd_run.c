/* SPDX-License-Identifier: Apache-2.0 */
/* wirewitness run -- CMD: a watched cgroup of its own, the exit code passed through. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>

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
	case 'n':
		o->name = arg;
		return 0;
	case ARGP_KEY_ARG:
		o->argv = state->argv + state->next - 1;
		state->next = state->argc;
		return 0;
	case ARGP_KEY_END:
		if (!o->argv)
			argp_usage(state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option argp_options[] = {
	{"socket", 's', "PATH", 0, "control socket of the daemon (default " WW_SOCKET_PATH ")", 0},
	{"name", 'n', "NAME", 0, "name of the cgroup (default run-PID)", 0},
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

int ww_cmd_run(int argc, char **argv)
{
	struct options o = {.socket = WW_SOCKET_PATH};
	struct ww_client c = {.fd = -1};
	struct ww_launch l;
	struct ww_slice answer, range;
	struct ww_json_token t;
	char request[256], name[96], path[4096], error[256] = "";
	int r;

	if (argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &o) != 0)
		return WW_EXIT_USAGE;
	r = ww_client_open(o.socket, &c);
	if (r < 0) {
		ww_client_explain(o.socket, r);
		return WW_EXIT_UNABLE;
	}
	snprintf(name, sizeof(name), "run-%d", getpid());
	snprintf(request, sizeof(request), "{\"op\":\"scope\",\"name\":\"%s\"}",
		 o.name ? o.name : name);
	r = ww_client_ask(&c, request, &answer, error, sizeof(error));
	if (r == 0 && (ww_json_path(answer, "$.cgroup", &t, &range) != WW_PARSE_DONE ||
		       t.raw.n >= sizeof(path)))
		r = -EPROTO;
	if (r < 0) {
		if (r == -EREMOTEIO)
			ww_log(WW_LOG_ERR, "the daemon cannot watch a new cgroup: %s", error);
		else
			ww_client_explain(o.socket, r);
		ww_client_close(&c);
		return WW_EXIT_UNABLE;
	}
	snprintf(path, sizeof(path), "%.*s", (int)t.raw.n, (const char *)t.raw.p);
	r = ww_launch(path, o.argv, &l);
	if (r < 0) {
		ww_log_err_r(r, "cannot run %s", o.argv[0]);
		r = r == -ENOENT ? 127 : 126;
	} else {
		r = ww_launch_wait(&l);
	}
	ww_client_close(&c); /* the daemon ends the scope when the cgroup is empty */
	return r;
}
