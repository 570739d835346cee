/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wirewitness-witness: a small C2SP tlog-witness, for tests and for those who host their own. HTTP
 * only: put a server that ends TLS in front of it.
 * Exit code: 0 stopped by a signal; 2 wrong usage; 3 cannot start.
 */
#include <argp.h>
#include <errno.h>
#include <microhttpd.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/utsname.h>

#include "base/clock.h"
#include "base/log.h"
#include "ledger/witness_state.h"
#include "rt/address.h"
#include "rt/file.h"

#define CONNECTIONS_MAX 64u
#define SILENCE_MAX_S   10u
#define LOGS_BYTES_MAX  (1u << 20)
#define ANSWER_MAX      (2 * WW_NOTE_BYTES_MAX)
#define EXIT_UNABLE     3

struct options {
	const char *state_dir, *logs, *listen, *name;
};

struct request {
	struct ww_buf body;
	bool rotation;   /* else a checkpoint */
	unsigned status; /* 0: good so far */
};

/* --- HTTP ------------------------------------------------------------------------------------- */

static enum MHD_Result send_answer(struct MHD_Connection *c, unsigned status, const char *type,
				   struct ww_slice body)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(body.n, (void *)body.p, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result sent = MHD_NO;

	if (!response)
		return MHD_NO;
	if (MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type))
		sent = MHD_queue_response(c, status, response);
	MHD_destroy_response(response);
	return sent;
}

static enum MHD_Result answer(struct MHD_Connection *c, struct ww_witness_state *s,
			      struct request *q)
{
	struct ww_witness_answer a = {0};
	WW_AUTO_BUF struct ww_buf out = {0};
	struct ww_clock_map now;

	if (q->status != 0)
		return send_answer(c, q->status, "text/plain", WW_SLICE_LIT("refused\n"));
	ww_buf_init(&out, ANSWER_MAX);
	ww_clock_sample(&now);
	if (q->rotation)
		ww_witness_state_rotate(s, ww_buf_slice(&q->body), &out, &a);
	else
		ww_witness_state_add(s, ww_buf_slice(&q->body), now.wall.ns / 1000000000u, &out,
				     &a);
	if (a.note.text[0])
		ww_log(a.status == WW_WITNESS_COSIGN ? WW_LOG_WARN : WW_LOG_ERR, "%s", a.note.text);
	return send_answer(c, a.status, a.type, ww_buf_slice(&out));
}

static struct request *begin(const char *url, const char *method)
{
	struct request *q = calloc(1, sizeof(*q));

	if (!q)
		return NULL;
	ww_buf_init(&q->body, WW_WITNESS_REQUEST_MAX);
	q->rotation = strcmp(url, WW_WITNESS_ROTATION) == 0;
	if (!q->rotation && strcmp(url, WW_WITNESS_CALL) != 0)
		q->status = MHD_HTTP_NOT_FOUND;
	else if (strcmp(method, MHD_HTTP_METHOD_POST) != 0)
		q->status = MHD_HTTP_METHOD_NOT_ALLOWED;
	return q;
}

/* Called with the head, then with each piece of the body, then without one. */
static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *url,
				  const char *method, const char *version, const char *bytes,
				  size_t *n, void **request)
{
	struct request *q = *request;
	int r;

	if (!q) {
		*request = begin(url, method);
		return *request ? MHD_YES : MHD_NO;
	}
	if (*n == 0)
		return answer(c, ctx, q);
	r = q->status == 0 ? ww_buf_add(&q->body, bytes, *n) : 0;
	*n = 0;
	if (r == -ENOMEM)
		return MHD_NO;
	if (r < 0) {
		q->status = MHD_HTTP_BAD_REQUEST;
		ww_buf_done(&q->body);
	}
	return MHD_YES;
}

static void on_end(void *ctx, struct MHD_Connection *c, void **request,
		   enum MHD_RequestTerminationCode how)
{
	struct request *q = *request;

	if (!q)
		return;
	ww_buf_done(&q->body);
	free(q);
	*request = NULL;
}

/* One thread for all connections: one request is answered after the other. */
static struct MHD_Daemon *serve(struct ww_witness_state *s, const struct sockaddr_storage *at)
{
	return MHD_start_daemon(
		MHD_USE_EPOLL_INTERNAL_THREAD | (at->ss_family == AF_INET6 ? MHD_USE_IPv6 : 0), 0,
		NULL, NULL, on_request, s, MHD_OPTION_SOCK_ADDR, (const struct sockaddr *)at,
		MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u, MHD_OPTION_NOTIFY_COMPLETED, on_end, NULL,
		MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
		SILENCE_MAX_S, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
}

/* --- options ---------------------------------------------------------------------------------- */

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'd':
		o->state_dir = arg;
		return 0;
	case 'l':
		o->logs = arg;
		return 0;
	case 'a':
		o->listen = arg;
		return 0;
	case 'N':
		o->name = arg;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument '%s'", arg);
		return 0;
	case ARGP_KEY_END:
		if (!o->logs)
			argp_error(state, "--logs FILE: whose checkpoints to cosign is missing");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option argp_options[] = {
	{"logs", 'l', "FILE", 0, "verifier keys of the logs to witness, one a line", 0},
	{"state", 'd', "DIR", 0,
	 "key, and what was cosigned (default /var/lib/wirewitness-witness)", 0},
	{"listen", 'a', "ADDR:PORT", 0, "HTTP (default 127.0.0.1:7380)", 0},
	{"name", 'N', "NAME", 0,
	 "name of the witness, on first start (default wirewitness-witness/HOSTNAME)", 0},
	{0},
};

static const struct argp argp = {argp_options,
				 parse,
				 NULL,
				 "Cosigns the checkpoints of logs that only ever grow, and keeps "
				 "the proof when one does not.",
				 NULL,
				 NULL,
				 NULL};

/* --- start and stop --------------------------------------------------------------------------- */

static int open_state(const struct options *o, struct ww_witness_state **ret_state)
{
	WW_AUTO_BUF struct ww_buf logs = {0};
	struct ww_errtext why = {""};
	const char *name = o->name;
	struct utsname uts;
	char made[128], key[4096];
	int r;

	ww_buf_init(&logs, LOGS_BYTES_MAX);
	r = ww_file_read(o->logs, &logs);
	if (r < 0)
		return ww_log_err_r(r, "cannot read %s", o->logs);
	uname(&uts);
	snprintf(made, sizeof(made), "wirewitness-witness/%.64s", uts.nodename);
	snprintf(key, sizeof(key), "%s/key", o->state_dir);
	if (!name && access(key, F_OK) < 0)
		name = made;
	r = ww_witness_state_open(o->state_dir, name, ww_buf_slice(&logs), ret_state, &why);
	if (r < 0)
		ww_log(WW_LOG_ERR, "%s (state %s, logs %s)", why.text, o->state_dir, o->logs);
	return r;
}

int main(int argc, char **argv)
{
	struct options o = {.state_dir = "/var/lib/wirewitness-witness",
			    .listen = "127.0.0.1:7380"};
	WW_AUTO(ww_witness_state_close_auto) struct ww_witness_state *state = NULL;
	char vkey[WW_NOTE_KEY_TEXT_MAX];
	struct sockaddr_storage at;
	struct MHD_Daemon *http;
	sigset_t stop;
	int signum;

	argp_program_version = "wirewitness-witness " WW_VERSION;
	argp_err_exit_status = 2;
	if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
		return 2;
	if (ww_address_parse(o.listen, &at) < 0) {
		ww_log(WW_LOG_ERR, "--listen: expected ADDR:PORT, got '%s'", o.listen);
		return 2;
	}
	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	/* Before the server's thread begins, which inherits it. */
	pthread_sigmask(SIG_BLOCK, &stop, NULL);
	signal(SIGPIPE, SIG_IGN);
	if (open_state(&o, &state) < 0)
		return EXIT_UNABLE;
	http = serve(state, &at);
	if (!http) {
		ww_log_err_r(-errno, "cannot listen at %s", o.listen);
		return EXIT_UNABLE;
	}
	ww_note_key_text(ww_witness_state_key(state), vkey);
	ww_log(WW_LOG_INFO, "witness %s listens at %s", vkey, o.listen);
	(void)ww_notify("READY=1"); /* nobody may be listening */
	sigwait(&stop, &signum);
	MHD_stop_daemon(http);
	return 0;
}
