/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/control.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <wirewitness/stream.h>

#include "base/encode.h"
#include "base/json.h"

/* Handed to one write of the stream: what a reader that stops costs. */
#define BATCH_BYTES (64u << 10)
/* Beside it, of those who ask, for lines that are not kept: what one tick makes of 500 spans. */
#define PENDING_BYTES (256u << 10)
#define OUT_BYTES_MAX (PENDING_BYTES + BATCH_BYTES + 2 * WW_STREAM_LINE_BYTES_MAX)

struct client {
	uv_pipe_t pipe; /* first: handles and clients are one address */
	struct ww_control *control;
	struct client *prev, *next;
	char line[WW_CONTROL_LINE_BYTES_MAX];
	size_t line_bytes;
	bool tailing;
	bool pending;     /* it wants to hear of what has no verdict yet, too */
	uint64_t dropped; /* of these, since it was told */
	bool writing;
	bool ending; /* asks nothing more: closed when all is sent */
	bool closing;
	uint64_t cursor;        /* next ledger index to send */
	uint64_t scope;         /* cgroup id, 0: none */
	struct ww_buf out;      /* of the write under way */
	struct ww_buf next_out; /* answers that came up meanwhile */
	uv_write_t write;
};

struct ww_control {
	uv_pipe_t listener;
	struct ww_control_ops ops;
	void *ctx;
	struct client *clients;
	unsigned count;
	bool waiting; /* the listener keeps one that there was no memory for, and takes no other */
	bool closing;
	bool listener_gone;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

static void pump(struct client *c);

static void control_unref(struct ww_control *control)
{
	if (control->listener_gone && control->count == 0)
		free(control);
}

static void client_closed(uv_handle_t *h)
{
	struct client *c = (struct client *)h;
	struct ww_control *control = c->control;

	if (c->prev)
		c->prev->next = c->next;
	else
		control->clients = c->next;
	if (c->next)
		c->next->prev = c->prev;
	ww_buf_done(&c->out);
	ww_buf_done(&c->next_out);
	free(c);
	control->count--;
	control_unref(control);
}

static void client_close(struct client *c)
{
	if (c->closing)
		return;
	c->closing = true;
	if (c->scope)
		c->control->ops.scope_end(c->control->ctx, c->scope);
	uv_close((uv_handle_t *)&c->pipe, client_closed);
}

static void written(uv_write_t *req, int status)
{
	struct client *c = req->data;

	c->writing = false;
	if (status < 0) {
		client_close(c);
		return;
	}
	pump(c);
}

static void add_stream_lines(struct client *c)
{
	char head[64];

	while (c->next_out.n < BATCH_BYTES) {
		size_t before = c->next_out.n;
		int n = snprintf(head, sizeof(head),
				 "{\"v\":%d,\"cursor\":%llu,\"record\":", WW_STREAM_VERSION,
				 (unsigned long long)c->cursor);
		int r = ww_buf_add(&c->next_out, head, (size_t)n);

		if (r == 0)
			r = c->control->ops.record(c->control->ctx, c->cursor, &c->next_out);
		if (r == -ENOENT) /* its payload was erased; the leaf stays */
			r = ww_buf_add(&c->next_out, "null", 4);
		if (r == 0)
			r = ww_buf_add(&c->next_out, "}\n", 2);
		if (r < 0) {
			c->next_out.n = before;
			if (r != -ENODATA)
				client_close(c);
			return;
		}
		c->cursor++;
	}
}

static int add_pending_line(struct client *c, struct ww_slice json)
{
	static const char head[] = "{\"v\":1,\"pending\":";
	_Static_assert(WW_STREAM_VERSION == 1, "the text above says so");
	size_t before = c->next_out.n;
	int r = ww_buf_add(&c->next_out, head, sizeof(head) - 1);

	if (r == 0)
		r = ww_buf_add(&c->next_out, json.p, json.n);
	if (r == 0)
		r = ww_buf_add(&c->next_out, "}\n", 2);
	if (r < 0)
		c->next_out.n = before;
	return r;
}

static void tell_dropped(struct client *c)
{
	char line[80];
	int n = snprintf(line, sizeof(line), "{\"v\":%d,\"pending\":null,\"dropped\":%llu}\n",
			 WW_STREAM_VERSION, (unsigned long long)c->dropped);

	if (c->dropped && c->next_out.n < PENDING_BYTES &&
	    ww_buf_add(&c->next_out, line, (size_t)n) == 0)
		c->dropped = 0;
}

static void take_pending(void *to, struct ww_slice json)
{
	struct client *c = to;

	tell_dropped(c);
	if (c->dropped || c->next_out.n >= PENDING_BYTES || add_pending_line(c, json) < 0)
		c->dropped++;
}

void ww_control_pending(struct ww_control *control, struct ww_slice json)
{
	struct client *next;

	for (struct client *c = control ? control->clients : NULL; c; c = next) {
		next = c->next;
		if (!c->pending || c->closing || c->ending)
			continue;
		take_pending(c, json);
		pump(c);
	}
}

static void pump(struct client *c)
{
	uv_buf_t b;
	struct ww_buf swap;

	if (c->closing || c->writing)
		return;
	ww_buf_done(&c->out);
	tell_dropped(c);
	if (c->tailing && c->cursor < c->control->ops.size(c->control->ctx))
		add_stream_lines(c);
	if (c->closing)
		return;
	if (c->next_out.n == 0) {
		if (c->ending)
			client_close(c);
		return;
	}
	swap = c->out;
	c->out = c->next_out;
	c->next_out = swap;
	b = uv_buf_init((char *)c->out.p, (unsigned)c->out.n);
	c->write.data = c;
	c->writing = true;
	if (uv_write(&c->write, (uv_stream_t *)&c->pipe, &b, 1, written) < 0)
		client_close(c);
}

/* --- requests --------------------------------------------------------------------------------- */

static void answer_error(struct client *c, const char *text)
{
	struct ww_jsonw w;

	ww_jsonw_init(&w, &c->next_out);
	ww_jsonw_object(&w, NULL);
	ww_jsonw_bool(&w, "ok", false);
	ww_jsonw_cstr(&w, "error", text);
	ww_jsonw_end_object(&w);
	if (!ww_jsonw_ok(&w) || ww_buf_add(&c->next_out, "\n", 1) < 0)
		client_close(c);
}

static void answer_status(struct client *c)
{
	struct ww_jsonw w;

	ww_jsonw_init(&w, &c->next_out);
	ww_jsonw_object(&w, NULL);
	ww_jsonw_bool(&w, "ok", true);
	ww_jsonw_object(&w, "status");
	c->control->ops.status(c->control->ctx, &w);
	ww_jsonw_end_object(&w);
	ww_jsonw_end_object(&w);
	if (!ww_jsonw_ok(&w) || ww_buf_add(&c->next_out, "\n", 1) < 0)
		client_close(c);
}

/* Letters, digits, '-' and '_': it becomes a directory's name. */
static bool name_ok(const struct ww_json_token *t)
{
	if (t->raw.n == 0 || t->raw.n > 64)
		return false;
	for (size_t i = 0; i < t->raw.n; i++) {
		uint8_t b = t->raw.p[i];

		if (!((b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || (b >= '0' && b <= '9') ||
		      b == '-' || b == '_'))
			return false;
	}
	return true;
}

static const char *scope_error(int r)
{
	if (r == -EEXIST)
		return "a run of this name is there already";
	if (r == -ENOSPC)
		return "too many are watched at once";
	return strerror(-r);
}

static void answer_scope(struct client *c, struct ww_slice line)
{
	char path[WW_CONTROL_PATH_MAX], name[65];
	struct ww_json_token t;
	struct ww_slice range;
	struct ww_jsonw w;
	int r;

	if (c->scope) {
		answer_error(c, "this connection has a scope already");
		return;
	}
	if (ww_json_path(line, "$.name", &t, &range) != WW_PARSE_DONE || t.type != WW_JSON_STRING ||
	    !name_ok(&t)) {
		answer_error(c, "scope: \"name\" must be letters, digits, '-' or '_', at most 64");
		return;
	}
	snprintf(name, sizeof(name), "%.*s", (int)t.raw.n, (const char *)t.raw.p);
	r = c->control->ops.scope_begin(c->control->ctx, name, path, &c->scope);
	if (r < 0) {
		c->scope = 0;
		answer_error(c, scope_error(r));
		return;
	}
	ww_jsonw_init(&w, &c->next_out);
	ww_jsonw_object(&w, NULL);
	ww_jsonw_bool(&w, "ok", true);
	ww_jsonw_cstr(&w, "cgroup", path);
	ww_jsonw_id64(&w, "id", c->scope);
	ww_jsonw_end_object(&w);
	if (!ww_jsonw_ok(&w) || ww_buf_add(&c->next_out, "\n", 1) < 0)
		client_close(c);
}

static void answer_tail(struct client *c, struct ww_slice line)
{
	uint64_t size = c->control->ops.size(c->control->ctx);
	struct ww_json_token t;
	struct ww_slice range;
	struct ww_jsonw w;

	if (ww_json_path(line, "$.from", &t, &range) != WW_PARSE_DONE || t.type != WW_JSON_NUMBER ||
	    ww_json_u64(&t, &c->cursor) < 0) {
		answer_error(c, "tail: \"from\" must be a ledger index");
		return;
	}
	if (c->cursor > size)
		c->cursor = size;
	c->tailing = true;
	ww_jsonw_init(&w, &c->next_out);
	ww_jsonw_object(&w, NULL);
	ww_jsonw_bool(&w, "ok", true);
	ww_jsonw_u64(&w, "next", c->cursor);
	ww_jsonw_end_object(&w);
	if (!ww_jsonw_ok(&w) || ww_buf_add(&c->next_out, "\n", 1) < 0) {
		client_close(c);
		return;
	}
	c->pending = ww_json_path(line, "$.pending", &t, &range) == WW_PARSE_DONE &&
		     t.type == WW_JSON_TRUE;
	if (c->pending)
		c->control->ops.pending(c->control->ctx, take_pending, c);
}

static void answer_prune(struct client *c, struct ww_slice line)
{
	struct ww_json_token kinds, age, force;
	struct ww_errtext why = {""};
	uint64_t older_than_s;
	struct ww_jsonw w;
	ww_kinds set;

	if (ww_json_path(line, "$.kinds", &kinds, NULL) != WW_PARSE_DONE ||
	    kinds.type != WW_JSON_STRING || ww_retention_parse_kinds(kinds.raw, &set) < 0 ||
	    ww_json_path(line, "$.olderThanS", &age, NULL) != WW_PARSE_DONE ||
	    age.type != WW_JSON_NUMBER || ww_json_u64(&age, &older_than_s) < 0 ||
	    ww_json_path(line, "$.force", &force, NULL) != WW_PARSE_DONE ||
	    (force.type != WW_JSON_TRUE && force.type != WW_JSON_FALSE)) {
		answer_error(c, "prune: expected \"kinds\", \"olderThanS\" and \"force\"");
		return;
	}
	if (c->control->ops.prune(c->control->ctx, set, older_than_s, force.type == WW_JSON_TRUE,
				  &why) < 0) {
		answer_error(c, why.text);
		return;
	}
	ww_jsonw_init(&w, &c->next_out);
	ww_jsonw_object(&w, NULL);
	ww_jsonw_bool(&w, "ok", true);
	ww_jsonw_end_object(&w);
	if (!ww_jsonw_ok(&w) || ww_buf_add(&c->next_out, "\n", 1) < 0)
		client_close(c);
}

static bool bytes_at(struct ww_slice line, const char *path, uint8_t *out, size_t n)
{
	struct ww_json_token t;

	return ww_json_path(line, path, &t, NULL) == WW_PARSE_DONE && t.type == WW_JSON_STRING &&
	       ww_hex_decode(t.raw, out, n) == 0;
}

static void answer_publish(struct client *c, struct ww_slice line)
{
	uint8_t sig[WW_NOTE_SIG_LEN];
	struct ww_sha256 payload;
	struct ww_jsonw w;
	int r;

	if (!bytes_at(line, "$.payload", payload.b, sizeof(payload.b)) ||
	    !bytes_at(line, "$.signature", sig, sizeof(sig))) {
		answer_error(c, "publish: \"payload\" and \"signature\" must be a SHA-256 and an "
				"Ed25519 signature in hex");
		return;
	}
	r = c->control->ops.publish(c->control->ctx, &payload, sig);
	if (r < 0) {
		answer_error(c, strerror(-r));
		return;
	}
	ww_jsonw_init(&w, &c->next_out);
	ww_jsonw_object(&w, NULL);
	ww_jsonw_bool(&w, "ok", true);
	ww_jsonw_u64(&w, "next", c->control->ops.size(c->control->ctx));
	ww_jsonw_end_object(&w);
	if (!ww_jsonw_ok(&w) || ww_buf_add(&c->next_out, "\n", 1) < 0)
		client_close(c);
}

static void answer_attest(struct client *c, struct ww_slice line)
{
	uint64_t size = c->control->ops.size(c->control->ctx);
	struct ww_errtext why = {""};
	size_t before = c->next_out.n;
	struct ww_jsonw w;
	int r;

	ww_jsonw_init(&w, &c->next_out);
	ww_jsonw_object(&w, NULL);
	ww_jsonw_bool(&w, "ok", true);
	ww_jsonw_u64(&w, "next", size);
	r = c->control->ops.attest(c->control->ctx, line, &w, &why);
	if (r < 0 && r != -EAGAIN) {
		c->next_out.n = before;
		answer_error(c, why.text[0] ? why.text : strerror(-r));
		return;
	}
	ww_jsonw_bool(&w, "again", r == -EAGAIN);
	ww_jsonw_end_object(&w);
	if (!ww_jsonw_ok(&w) || ww_buf_add(&c->next_out, "\n", 1) < 0)
		client_close(c);
}

static bool peer_of(uv_pipe_t *pipe, struct ucred *ret)
{
	socklen_t n = sizeof(*ret);
	uv_os_fd_t fd;

	return uv_fileno((uv_handle_t *)pipe, &fd) == 0 &&
	       getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ret, &n) == 0;
}

static void answer_guard(struct client *c, struct ww_slice line)
{
	struct ww_errtext why = {""};
	size_t before = c->next_out.n;
	struct ucred who;
	struct ww_jsonw w;
	int r;

	if (!peer_of(&c->pipe, &who)) {
		answer_error(c, "guard: who asks is not known");
		return;
	}
	ww_jsonw_init(&w, &c->next_out);
	ww_jsonw_object(&w, NULL);
	ww_jsonw_bool(&w, "ok", true);
	r = c->control->ops.guard(c->control->ctx, line, who.uid, (uint32_t)who.pid, &w, &why);
	if (r < 0) {
		c->next_out.n = before;
		answer_error(c, why.text[0] ? why.text : strerror(-r));
		return;
	}
	ww_jsonw_end_object(&w);
	if (!ww_jsonw_ok(&w) || ww_buf_add(&c->next_out, "\n", 1) < 0)
		client_close(c);
}

/* A path is found in a cut-off document too: nobody may act on half a request. */
static bool is_whole(struct ww_slice line)
{
	struct ww_json_token t;
	struct ww_json j;
	enum ww_parse r;

	ww_json_init(&j, line);
	while ((r = ww_json_next(&j, &t)) == WW_PARSE_DONE)
		;
	return r == WW_PARSE_END;
}

static void request(struct client *c, struct ww_slice line)
{
	struct ww_json_token t;
	struct ww_slice range;

	if (!is_whole(line) || ww_json_path(line, "$.op", &t, &range) != WW_PARSE_DONE ||
	    t.type != WW_JSON_STRING)
		answer_error(c, "not a request: expected one JSON object with \"op\"");
	else if (ww_json_is(&t, "status"))
		answer_status(c);
	else if (ww_json_is(&t, "scope"))
		answer_scope(c, line);
	else if (ww_json_is(&t, "tail"))
		answer_tail(c, line);
	else if (ww_json_is(&t, "prune"))
		answer_prune(c, line);
	else if (ww_json_is(&t, "publish"))
		answer_publish(c, line);
	else if (ww_json_is(&t, "attest"))
		answer_attest(c, line);
	else if (ww_json_is(&t, "guard"))
		answer_guard(c, line);
	else
		answer_error(c, "no such op");
}

static void alloc_line(uv_handle_t *h, size_t hint, uv_buf_t *buf)
{
	struct client *c = (struct client *)h;

	*buf = uv_buf_init(c->line + c->line_bytes, (unsigned)(sizeof(c->line) - c->line_bytes));
}

/* What was asked so far is answered, a stream goes to its present end. */
static void asked_all(struct client *c, const char *error)
{
	uv_read_stop((uv_stream_t *)&c->pipe);
	if (error)
		answer_error(c, error);
	c->ending = true;
	pump(c);
}

static void got(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
	struct client *c = (struct client *)s;
	char *end;

	if (n == UV_EOF) {
		asked_all(c, c->line_bytes ? "a request ends with a newline" : NULL);
		return;
	}
	if (n == UV_ENOBUFS) {
		asked_all(c, "a request is too long");
		return;
	}
	if (n < 0) {
		client_close(c);
		return;
	}
	c->line_bytes += (size_t)n;
	while (!c->closing && (end = memchr(c->line, '\n', c->line_bytes))) {
		size_t used = (size_t)(end - c->line) + 1;

		request(c, ww_slice(c->line, used - 1));
		memmove(c->line, c->line + used, c->line_bytes - used);
		c->line_bytes -= used;
	}
	pump(c);
}

/* --- connections ------------------------------------------------------------------------------ */

static bool peer_allowed(uv_pipe_t *pipe)
{
	struct ucred cred;

	return peer_of(pipe, &cred) && (cred.uid == 0 || cred.uid == geteuid());
}

/* One line that says why, if the peer takes it at once; then the end. */
static void turn_away(struct client *c, const char *why)
{
	char text[160];
	int n = snprintf(text, sizeof(text), "{\"ok\":false,\"error\":\"%s\"}\n", why);
	uv_buf_t b = uv_buf_init(text, (unsigned)n);

	(void)uv_try_write((uv_stream_t *)&c->pipe, &b, 1); /* it is turned away in any case */
	client_close(c);
}

static void take_client(struct ww_control *control)
{
	uv_stream_t *listener = (uv_stream_t *)&control->listener;
	struct client *c = calloc(1, sizeof(*c));

	control->waiting = !c;
	if (!c)
		return;
	c->control = control;
	ww_buf_init(&c->out, OUT_BYTES_MAX);
	ww_buf_init(&c->next_out, OUT_BYTES_MAX);
	uv_pipe_init(listener->loop, &c->pipe, 0); /* cannot fail */
	c->next = control->clients;
	if (c->next)
		c->next->prev = c;
	control->clients = c;
	control->count++;
	if (uv_accept(listener, (uv_stream_t *)&c->pipe) < 0) {
		client_close(c);
	} else if (!peer_allowed(&c->pipe)) {
		turn_away(c, "only root and the daemon's own user may ask");
	} else if (control->count > WW_CONTROL_CLIENTS_MAX) {
		turn_away(c, "too many clients at once");
	} else if (uv_read_start((uv_stream_t *)&c->pipe, alloc_line, got) < 0) {
		client_close(c);
	}
}

static void connected(uv_stream_t *s, int status)
{
	struct ww_control *control = s->data;

	if (status == 0 && !control->closing)
		take_client(control);
}

/* Whether a daemon answers on the path; the socket file of a dead one is removed, nothing else is.
 */
static int clear_stale(const char *path)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	WW_AUTO_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (lstat(path, &st) == 0 && !S_ISSOCK(st.st_mode))
		return -ENOTSOCK;
	snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 || errno == EAGAIN)
		return -EADDRINUSE;
	if (errno == ECONNREFUSED && unlink(path) < 0 && errno != ENOENT)
		return -errno;
	return 0;
}

static void listener_closed(uv_handle_t *h)
{
	struct ww_control *control = h->data;

	control->listener_gone = true;
	control_unref(control);
}

int ww_control_open(uv_loop_t *loop, const char *path, const struct ww_control_ops *ops, void *ctx,
		    struct ww_control **ret_control)
{
	struct ww_control *c;
	int r;

	if (strlen(path) >= sizeof(c->path))
		return -ENAMETOOLONG;
	r = clear_stale(path);
	if (r < 0)
		return r;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->ops = *ops;
	c->ctx = ctx;
	memcpy(c->path, path, strlen(path));
	uv_pipe_init(loop, &c->listener, 0); /* cannot fail */
	c->listener.data = c;
	r = uv_pipe_bind(&c->listener, path);
	if (r == 0 && chmod(path, 0600) < 0)
		r = -errno;
	if (r == 0)
		r = uv_listen((uv_stream_t *)&c->listener, WW_CONTROL_CLIENTS_MAX, connected);
	if (r < 0) {
		ww_control_close(c);
		return r;
	}
	*ret_control = c;
	return 0;
}

void ww_control_committed(struct ww_control *c)
{
	if (c->waiting && !c->closing)
		take_client(c);
	for (struct client *k = c->clients; k; k = k->next)
		pump(k);
}

void ww_control_close(struct ww_control *c)
{
	if (!c || c->closing)
		return;
	c->closing = true;
	for (struct client *k = c->clients; k; k = k->next)
		client_close(k);
	uv_close((uv_handle_t *)&c->listener, listener_closed); /* libuv unlinks the bound path */
}
