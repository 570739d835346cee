/* SPDX-License-Identifier: Apache-2.0 */
/* wirewitness guard deny|allow|cut|list: the kill switch, through the daemon. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>

#include "base/json_write.h"
#include "base/log.h"
#include "client.h"
#include "cmd.h"
#include "ledger/retention.h"

struct options {
	const char *verb, *target; /* a network or address; of cut a flow; NULL: none */
	const char *socket, *region, *agent;
	uint64_t for_s; /* 0: until it is lifted */
	bool cut, json;
};

static bool is(const char *verb, const char *text)
{
	return verb && strcmp(verb, text) == 0;
}

/* "90s" and "15m" too: what is denied for a while is denied for less than a day. */
static bool parse_duration(const char *text, uint64_t *ret_s)
{
	size_t n = strlen(text);
	uint64_t v;

	if (n > 1 && (text[n - 1] == 's' || text[n - 1] == 'm') &&
	    ww_slice_u64(ww_slice(text, n - 1), &v) == 0 && v > 0 && v <= UINT32_MAX) {
		*ret_s = text[n - 1] == 'm' ? v * 60 : v;
		return true;
	}
	return ww_retention_parse_age(ww_slice_str(text), ret_s) == 0;
}

static void check(const struct options *o, struct argp_state *state)
{
	bool deny = is(o->verb, "deny"), change = deny || is(o->verb, "allow");

	if (!change && !is(o->verb, "cut") && !is(o->verb, "list"))
		argp_error(state, "expected deny, allow, cut or list");
	if (change && !o->target && !o->region && !o->agent)
		argp_error(state, "%s what? A network or an address, --region or --agent", o->verb);
	if (change && o->target && o->region)
		argp_error(state, "a network or --region, not both");
	if (is(o->verb, "cut") && !o->target)
		argp_error(state, "cut which flow?");
	if (is(o->verb, "list") && o->target)
		argp_error(state, "unexpected argument '%s'", o->target);
	if (!change && (o->region || o->agent))
		argp_error(state, "--region and --agent go with deny and allow");
	if (!deny && (o->for_s || o->cut))
		argp_error(state, "--for and --cut go with deny");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 's':
		o->socket = arg;
		return 0;
	case 'r':
		o->region = arg;
		return 0;
	case 'a':
		o->agent = arg;
		return 0;
	case 'f':
		if (!parse_duration(arg, &o->for_s))
			argp_error(state, "--for: expected a time such as 15m, 12h or 7d, got '%s'",
				   arg);
		return 0;
	case 'c':
		o->cut = true;
		return 0;
	case 'o':
		if (strcmp(arg, "json") != 0 && strcmp(arg, "text") != 0)
			argp_error(state, "--output: expected text or json, got '%s'", arg);
		o->json = strcmp(arg, "json") == 0;
		return 0;
	case ARGP_KEY_ARG:
		if (!o->verb)
			o->verb = arg;
		else if (!o->target)
			o->target = arg;
		else
			argp_error(state, "unexpected argument '%s'", arg);
		return 0;
	case ARGP_KEY_END:
		check(o, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option argp_options[] = {
	{"region", 'r', "WORD", 0,
	 "every network that a table lists there: a region of the policy, or a word of the tables",
	 0},
	{"agent", 'a', "NAME", 0,
	 "only for this agent of the policy; alone: all that it may send, but to loopback", 0},
	{"for", 'f', "TIME", 0, "for so long: 90s, 15m, 12h, 7d (default: until it is lifted)", 0},
	{"cut", 'c', NULL, 0, "end the connections that are there, too", 0},
	{"socket", 's', "PATH", 0, "control socket (default " WW_SOCKET_PATH ")", 0},
	{"output", 'o', "FORMAT", 0, "text (default) or json", 0},
	{0},
};

static const struct argp argp = {
	argp_options,
	parse,
	"deny [NETWORK|ADDRESS]\nallow [NETWORK|ADDRESS]\ncut FLOW\nlist",
	"Denies what watched processes may send to, lifts that again, ends a connection that leads "
	"to where it may not, or lists what is denied. The daemon's policy must have its guard on; "
	"in dry-run nothing is denied, what would be is recorded.",
	NULL,
	NULL,
	NULL};

static int write_request(const struct options *o, struct ww_buf *out)
{
	struct ww_jsonw w;

	ww_jsonw_init(&w, out);
	ww_jsonw_object(&w, NULL);
	ww_jsonw_cstr(&w, "op", "guard");
	ww_jsonw_cstr(&w, "do", o->verb);
	if (o->target)
		ww_jsonw_put_cstr(&w, ww_jsonw_name(is(o->verb, "cut") ? "flow" : "prefix"),
				  o->target);
	if (o->region)
		ww_jsonw_cstr(&w, "region", o->region);
	if (o->agent)
		ww_jsonw_cstr(&w, "agent", o->agent);
	if (o->for_s)
		ww_jsonw_u64(&w, "forS", o->for_s);
	if (o->cut)
		ww_jsonw_bool(&w, "cut", true);
	ww_jsonw_end_object(&w);
	return ww_jsonw_ok(&w) ? ww_buf_add(out, "", 1) : w.err;
}

static uint64_t number(struct ww_slice answer, const char *path)
{
	struct ww_json_token t;
	uint64_t v = 0;

	if (ww_json_path(answer, path, &t, NULL) == WW_PARSE_DONE)
		(void)!ww_json_u64(&t, &v); /* or 0 */
	return v;
}

static struct ww_slice text(struct ww_slice answer, const char *path)
{
	struct ww_json_token t;

	return ww_json_path(answer, path, &t, NULL) == WW_PARSE_DONE && t.type == WW_JSON_STRING
		       ? t.raw
		       : WW_SLICE_NULL;
}

static bool is_false(struct ww_slice answer, const char *path)
{
	struct ww_json_token t;

	return ww_json_path(answer, path, &t, NULL) == WW_PARSE_DONE && t.type == WW_JSON_FALSE;
}

/* Names come from the policy and from whoever denied: printed as JSON has them, escaped. */
static void print_denied(struct ww_slice answer, unsigned i)
{
	static const char *const members[] = {"prefix", "region", "agent"};
	static const char *const before[] = {"", "--region ", "--agent "};
	char path[64];
	struct ww_slice until;

	printf("  deny");
	for (unsigned k = 0; k < WW_ARRAY_SIZE(members); k++) {
		struct ww_slice s;

		snprintf(path, sizeof(path), "$.denied[%u].%s", i, members[k]);
		s = text(answer, path);
		if (s.n)
			printf(" %s%.*s", before[k], (int)s.n, (const char *)s.p);
	}
	snprintf(path, sizeof(path), "$.denied[%u].until", i);
	until = text(answer, path);
	snprintf(path, sizeof(path), "$.denied[%u].uid", i);
	printf("%s%.*s, by uid %llu", until.n ? " until " : "", (int)until.n, (const char *)until.p,
	       (unsigned long long)number(answer, path));
	snprintf(path, sizeof(path), "$.denied[%u].inForce", i);
	printf("%s\n",
	       is_false(answer, path) ? "; NOT in force: the policy has no such agent" : "");
}

static void print_list(struct ww_slice answer)
{
	struct ww_json_token t;
	char path[32];

	printf("by command:\n");
	for (unsigned i = 0;; i++) {
		snprintf(path, sizeof(path), "$.denied[%u]", i);
		if (ww_json_path(answer, path, &t, NULL) != WW_PARSE_DONE)
			break;
		print_denied(answer, i);
	}
	if (ww_json_path(answer, "$.denied[0]", &t, NULL) != WW_PARSE_DONE)
		printf("  nothing\n");
	printf("by the policy's lists: %llu denied, %llu allowed\n"
	       "by the agents' regions and homes: %llu rules\n",
	       (unsigned long long)number(answer, "$.policyDeny"),
	       (unsigned long long)number(answer, "$.policyAllow"),
	       (unsigned long long)number(answer, "$.derived"));
}

static void print_answer(const struct options *o, struct ww_slice answer)
{
	struct ww_slice mode = text(answer, "$.mode"), list = text(answer, "$.list");
	struct ww_json_token t;

	printf("%.*s, list %llu with %llu networks, %.16s\n", (int)mode.n, (const char *)mode.p,
	       (unsigned long long)number(answer, "$.generation"),
	       (unsigned long long)number(answer, "$.prefixes"),
	       list.n >= 16 ? (const char *)list.p : "");
	if (is(o->verb, "list"))
		print_list(answer);
	if (ww_json_path(answer, "$.cut", &t, NULL) == WW_PARSE_DONE)
		printf("%llu connections %s, %llu could not be\n",
		       (unsigned long long)number(answer, "$.cut"),
		       ww_slice_eq_str(mode, "enforce") ? "are cut" : "would be cut",
		       (unsigned long long)number(answer, "$.notCut"));
	if (is_false(answer, "$.kept"))
		fprintf(stderr,
			"warning: it holds, and could not be written down: a restart of the daemon "
			"will not know it\n");
}

int ww_cmd_guard(int argc, char **argv)
{
	WW_AUTO(ww_client_close) struct ww_client c = {.fd = -1};
	struct options o = {.socket = WW_SOCKET_PATH};
	WW_AUTO_BUF struct ww_buf request;
	struct ww_slice answer;
	char error[320] = "";
	int r;

	ww_buf_init(&request, WW_CONTROL_LINE_BYTES_MAX);
	if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
		return WW_EXIT_USAGE;
	r = write_request(&o, &request);
	if (r < 0) {
		ww_log_err_r(r, "cannot ask that");
		return WW_EXIT_USAGE;
	}
	r = ww_client_open(o.socket, &c);
	if (r == 0)
		r = ww_client_ask(&c, (const char *)request.p, &answer, error, sizeof(error));
	if (r == -EREMOTEIO) {
		ww_log(WW_LOG_ERR, "%s", error);
		return WW_EXIT_NO;
	}
	if (r < 0) {
		ww_client_explain(o.socket, r);
		return WW_EXIT_UNABLE;
	}
	if (o.json)
		printf("%.*s\n", (int)answer.n, (const char *)answer.p);
	else
		print_answer(&o, answer);
	return 0;
}
