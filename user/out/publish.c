/* SPDX-License-Identifier: Apache-2.0 */
#include "out/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/utsname.h>
#include <time.h>

#include "ledger/durable.h"
#include "ledger/equivocation.h"
#include "ledger/keychain.h"
#include "ledger/ledger_reader.h"
#include "ledger/proof_build.h"
#include "ledger/tile_store.h"
#include "ledger/tlog_check.h"
#include "ledger/witness.h"
#include "out/http_client.h"
#include "out/publish_command.h"
#include "out/publish_otlp.h"
#include "out/witness_client.h"

#define PACE_MS        1000u /* between two rounds of witnesses */
#define BACKOFF_MAX_MS 60000u
#define ANSWER_MS      5000u
#define COMMAND_MS     10000u
#define REST_MS        60000u
#define LINE_MAX_BYTES (WW_NOTE_NAME_MAX + 256u)

struct target {
	struct ww_publish_target pub;
	struct ww_publish *p;
	bool busy, last_begun;
	unsigned failures;  /* in a row */
	uint64_t next_ms;   /* not before: back-off */
	uint64_t due_ms;    /* the schedule */
	struct ww_buf note; /* under way */
	struct ww_checkpoint head;
	/* WITNESS */
	struct ww_witness_client client;
	size_t step; /* the rotation that it is offered, from 1; 0: none, it is asked about the head
		      */
	bool offered;                     /* in this try; once is enough */
	struct ww_keychain_step rotation; /* with step */
	char line[LINE_MAX_BYTES];        /* its cosignature of a head of line_size records */
	size_t line_n;
	uint64_t line_size;
	/* COMMAND */
	struct ww_publish_command command;
	uint64_t deadline_ms;
};

struct ww_publish {
	struct ww_publish_config c; /* strings are borrowed */
	struct ww_witness_set set;
	char host[128];
	int dir;
	struct ww_ledger_reader *reader;
	struct ww_tile_store *tiles;
	struct ww_buf history; /* keys/history: the key does not change beside a running daemon */
	struct ww_http *http;
	uint64_t round_ms; /* no round of witnesses before */
	uint64_t cosigned_size;
	size_t cosigned_count;
	struct ww_errtext forked;
	size_t n;
	struct target targets[WW_PUBLISH_MAX];
};

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000u + (uint64_t)ts.tv_nsec / 1000000u;
}

/* --- how a try ends --------------------------------------------------------------------------- */

static void ended(struct target *t)
{
	t->busy = t->offered = false;
	t->step = 0;
	ww_buf_done(&t->rotation.note);
}

static void arrived(struct target *t, uint64_t at_ns)
{
	struct ww_clock_map now;

	ww_clock_sample(&now);
	ended(t);
	t->failures = 0;
	t->next_ms = 0;
	t->due_ms = now_ms() + (uint64_t)t->p->c.every_s * 1000u;
	t->pub.state = WW_PUBLISH_WORKS;
	t->pub.arrived++;
	t->pub.size = t->head.size;
	t->pub.at.ns = at_ns ? at_ns : now.wall.ns;
}

static void failed(struct target *t, const char *why)
{
	unsigned doublings = t->failures < 6 ? t->failures : 6;
	uint64_t wait = (uint64_t)PACE_MS << doublings;

	ended(t);
	t->failures++;
	t->next_ms = now_ms() + (wait < BACKOFF_MAX_MS ? wait : BACKOFF_MAX_MS);
	t->pub.state = WW_PUBLISH_FAILING;
	t->pub.failed++;
	ww_errtext_set(&t->pub.why, 0, "%.300s", why);
}

static void failed_r(struct target *t, int r, const char *what)
{
	struct ww_errtext why;

	ww_errtext_errno(&why, r, "%s", what);
	failed(t, why.text);
}

/* What is sent is what was the head when the try began. */
static int take_head(struct target *t)
{
	struct ww_slice note = ww_ledger_reader_note(t->p->reader);

	t->head = *ww_ledger_reader_head(t->p->reader);
	ww_buf_clear(&t->note);
	return ww_buf_add(&t->note, note.p, note.n);
}

/* --- witnesses -------------------------------------------------------------------------------- */

/* Invariant 2: each line was verified over the note of its size, which is the one of this head. */
static int write_cosigned(struct ww_publish *p, const struct target *of, size_t count)
{
	WW_AUTO_BUF struct ww_buf b = {0};
	int r;

	ww_buf_init(&b, 2 * WW_NOTE_BYTES_MAX);
	r = ww_buf_add(&b, of->note.p, of->note.n);
	for (size_t i = 0; i < p->n && r == 0; i++)
		if (p->targets[i].line_n > 0 && p->targets[i].line_size == of->head.size)
			r = ww_buf_add(&b, p->targets[i].line, p->targets[i].line_n);
	if (r == 0)
		r = ww_durable_replace(p->dir, WW_COSIGNED_FILE, 0644, ww_buf_slice(&b));
	if (r == 0) {
		p->cosigned_size = of->head.size;
		p->cosigned_count = count;
	}
	return r;
}

/* Counts its line, and stores the head when a quorum is there. 0 or -errno, told as a failure. */
static int count_line(struct target *t, struct ww_slice line)
{
	struct ww_publish *p = t->p;
	size_t count = 0;
	int r = 0;

	if (line.n > sizeof(t->line)) {
		failed(t, "its signature line is too long");
		return -EMSGSIZE;
	}
	memcpy(t->line, line.p, line.n);
	t->line_n = line.n;
	t->line_size = t->head.size;
	for (size_t i = 0; i < p->n; i++)
		count += p->targets[i].line_n > 0 && p->targets[i].line_size == t->head.size;
	if (count >= p->set.quorum && t->head.size >= p->cosigned_size)
		r = write_cosigned(p, t, count);
	if (r < 0)
		failed_r(t, r, "cannot write " WW_COSIGNED_FILE);
	return r;
}

static void on_witness(void *ctx, const struct ww_http_answer *a);

static int ask(struct target *t)
{
	struct ww_publish *p = t->p;
	char url[WW_WITNESS_URL_MAX + sizeof(WW_WITNESS_CALL)];
	WW_AUTO_BUF struct ww_buf body = {0};
	struct ww_merkle_proof proof = {0};
	struct ww_merkle_reader reader;
	int r = 0;

	ww_buf_init(&body, WW_WITNESS_REQUEST_MAX);
	if (t->client.held > 0 && t->client.held < t->head.size) {
		ww_tile_store_resize(p->tiles, t->head.size);
		reader = ww_tile_store_reader(p->tiles);
		r = ww_merkle_consistency(&reader, t->client.held, t->head.size, &proof);
	}
	if (r == 0)
		r = ww_witness_request_write(t->client.held, &proof, ww_buf_slice(&t->note), &body);
	snprintf(url, sizeof(url), "%s%s", t->client.peer->url, WW_WITNESS_CALL);
	if (r == 0)
		r = ww_http_post(p->http, url, "text/plain; charset=utf-8", ww_buf_slice(&body),
				 ANSWER_MS, on_witness, t);
	t->busy = r == 0;
	return r;
}

/* Invariant 3: what the witness holds is signed by the log; do the log's files contradict it? */
static void diverged(struct target *t, const struct ww_note_key *log, struct ww_slice other,
		     const struct ww_errtext *said)
{
	struct ww_errtext why = *said;
	struct ww_checkpoint held;
	int r = ww_checkpoint_open(other, log, &held);

	if (r == 0)
		r = ww_equivocation_find(t->p->dir, ww_buf_slice(&t->note), &t->head, other, &held,
					 &why);
	if (r == 1)
		ww_errtext_set(&t->p->forked, 0,
			       "witness %.200s holds another tree of %" PRIu64
			       " records that this log signed: the %" PRIu64
			       " of this one do not extend it",
			       t->pub.name, held.size, t->head.size);
	failed(t, r == 1 ? t->p->forked.text : why.text);
}

/* Invariant 3. */
static void forked(struct target *t, struct ww_slice other)
{
	struct ww_errtext why = {""};
	int r = ww_equivocation_keep(t->p->dir, ww_buf_slice(&t->note), other, t->head.size, &why);

	ww_errtext_set(&t->p->forked, 0,
		       "witness %.200s holds another tree of %" PRIu64
		       " records that this log signed",
		       t->pub.name, t->head.size);
	failed(t, r < 0 ? why.text : t->p->forked.text);
}

/* --- witnesses that do not know the key yet --------------------------------------------------- */

/* The n-th line of the history, from 1, without its newline. */
static bool history_line(const struct ww_publish *p, size_t n, struct ww_slice *ret_line)
{
	struct ww_slice rest = ww_buf_slice(&p->history);

	while (n > 0 && ww_slice_line(&rest, ret_line))
		n--;
	return n == 0;
}

/*
 * Asks about the hand-over of the next rotation that the witness may not know; after the last one
 * about the log's head again. One that holds more than a hand-over knows what came with it.
 */
static int offer(struct target *t)
{
	struct ww_errtext why = {""};
	struct ww_slice line;
	int r;

	do {
		ww_buf_done(&t->rotation.note);
		if (!history_line(t->p, ++t->step, &line)) {
			t->step = 0;
			r = take_head(t);
			return r < 0 ? r : ask(t);
		}
		r = ww_keychain_step(line, &t->rotation, &why);
		if (r < 0)
			return r;
	} while (t->rotation.head.size < t->client.held);
	t->head = t->rotation.head;
	ww_buf_clear(&t->note);
	r = ww_buf_add(&t->note, t->rotation.note.p, t->rotation.note.n);
	return r < 0 ? r : ask(t);
}

static void offer_next(struct target *t)
{
	int r;

	t->offered = true;
	r = offer(t);
	if (r < 0)
		failed_r(t, r, "cannot offer the log's new key");
}

static void on_rotation(void *ctx, const struct ww_http_answer *a)
{
	struct target *t = ctx;
	char why[160];

	if (a->status == WW_WITNESS_COSIGN) {
		offer_next(t);
		return;
	}
	snprintf(why, sizeof(why), "it does not follow this log to its new key (%u)%s", a->status,
		 a->status == WW_WITNESS_UNKNOWN ? ": give it the key by hand" : "");
	failed(t, a->status ? why : a->why);
}

/* The hand-over is cosigned: now the rotation itself. */
static int send_rotation(struct target *t)
{
	char url[WW_WITNESS_URL_MAX + sizeof(WW_WITNESS_ROTATION)];
	WW_AUTO_BUF struct ww_buf body = {0};
	struct ww_slice line;
	int r = history_line(t->p, t->step, &line) ? 0 : -EINVAL;

	ww_buf_init(&body, WW_KEYCHAIN_LINE_MAX + 1);
	if (r == 0)
		r = ww_buf_add(&body, line.p, line.n);
	if (r == 0)
		r = ww_buf_add(&body, "\n", 1);
	snprintf(url, sizeof(url), "%s%s", t->client.peer->url, WW_WITNESS_ROTATION);
	return r < 0 ? r
		     : ww_http_post(t->p->http, url, "application/json", ww_buf_slice(&body),
				    ANSWER_MS, on_rotation, t);
}

static void cosigned(struct target *t, struct ww_slice line, uint64_t time)
{
	int r = count_line(t, line);

	if (r < 0)
		return;
	if (t->step == 0) {
		arrived(t, time < UINT64_MAX / 1000000000u ? time * 1000000000u : UINT64_MAX);
		return;
	}
	r = send_rotation(t);
	if (r < 0)
		failed_r(t, r, "cannot offer the log's new key");
}

/* It refused, or holds more than it was asked about. */
static void not_taken(struct target *t, const struct ww_http_answer *a, bool ahead,
		      const struct ww_errtext *why)
{
	uint64_t size = ww_ledger_reader_head(t->p->reader)->size;

	if (t->step > 0 && ahead && t->client.ahead <= size) {
		t->client.held = t->client.ahead;
		offer_next(t);
	} else if (a->status == WW_WITNESS_FORBIDDEN && t->p->history.n > 0 &&
		   (t->step > 0 || !t->offered)) {
		offer_next(t);
	} else {
		failed(t, why->text);
	}
}

static void on_witness(void *ctx, const struct ww_http_answer *a)
{
	struct target *t = ctx;
	const struct ww_note_key *log =
		t->step > 0 ? &t->rotation.rotation.old_key : ww_ledger_reader_key(t->p->reader);
	enum ww_witness_reply reply;
	struct ww_errtext why = {""};
	struct ww_slice line;
	uint64_t time;
	int r;

	if (a->status == 0) {
		t->client.redirected = 0;
		failed(t, a->why);
		return;
	}
	reply = ww_witness_client_take(&t->client, log, ww_buf_slice(&t->note), &t->head, a->status,
				       a->body, &line, &time, &why);
	switch (reply) {
	case WW_WITNESS_COSIGNED:
		cosigned(t, line, time);
		return;
	case WW_WITNESS_ASK_AGAIN:
		r = ask(t);
		if (r < 0)
			failed_r(t, r, "cannot ask");
		return;
	case WW_WITNESS_FORKED:
		forked(t, a->body);
		return;
	case WW_WITNESS_DIVERGED:
		diverged(t, log, a->body, &why);
		return;
	case WW_WITNESS_AHEAD:
	case WW_WITNESS_FAILED:
		not_taken(t, a, reply == WW_WITNESS_AHEAD, &why);
		return;
	}
}

/* --- the others ------------------------------------------------------------------------------- */

static int replace_file(const char *path, struct ww_slice content)
{
	const char *slash = strrchr(path, '/');
	WW_AUTO_FREE char *parent = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	WW_AUTO_FD int dir = -1;

	if (!parent)
		return -ENOMEM;
	dir = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	return ww_durable_replace(dir, slash ? slash + 1 : path, 0644, content);
}

static void on_collector(void *ctx, const struct ww_http_answer *a)
{
	struct target *t = ctx;
	char why[128];

	if (a->status == 0)
		failed(t, a->why);
	else if (ww_publish_otlp_taken(a->status, a->body, why, sizeof(why)) < 0)
		failed(t, why);
	else
		arrived(t, 0);
}

static int send_log(struct target *t)
{
	WW_AUTO_BUF struct ww_buf body = {0};
	struct ww_clock_map now;
	int r;

	ww_clock_sample(&now);
	ww_buf_init(&body, 8 * WW_NOTE_BYTES_MAX);
	r = ww_publish_otlp_body(&t->head, ww_buf_slice(&t->note), t->p->host, now.wall, &body);
	if (r == 0)
		r = ww_http_post(t->p->http, t->p->c.otlp, "application/json", ww_buf_slice(&body),
				 ANSWER_MS, on_collector, t);
	t->busy = r == 0;
	return r;
}

static int start_command(struct target *t)
{
	int r = ww_publish_command_start(&t->command, t->p->c.command, ww_buf_slice(&t->note));

	t->busy = r == 0;
	t->deadline_ms = now_ms() + COMMAND_MS;
	return r;
}

static void look_at_command(struct target *t)
{
	char why[128] = "";
	int r = ww_publish_command_ended(&t->command, why, sizeof(why));

	if (r == 0) {
		arrived(t, 0);
	} else if (r < 0) {
		failed(t, why);
	} else if (now_ms() >= t->deadline_ms) {
		ww_publish_command_kill(&t->command);
		failed(t, "it did not end in time and was killed");
	}
}

/* --- when ------------------------------------------------------------------------------------- */

static void begin(struct target *t)
{
	int r = take_head(t);

	if (r == 0 && t->pub.kind == WW_PUBLISH_WITNESS)
		r = ask(t);
	else if (r == 0 && t->pub.kind == WW_PUBLISH_COMMAND)
		r = start_command(t);
	else if (r == 0 && t->pub.kind == WW_PUBLISH_OTLP)
		r = send_log(t);
	else if (r == 0) {
		r = replace_file(t->p->c.file, ww_buf_slice(&t->note));
		if (r == 0)
			arrived(t, 0);
	}
	if (r < 0)
		failed_r(t, r, "cannot send");
}

/* The time from which on a target that is not busy has something to do. */
static uint64_t wanted_ms(const struct target *t)
{
	uint64_t size = ww_ledger_reader_head(t->p->reader)->size, at = t->due_ms;

	if (t->pub.kind == WW_PUBLISH_WITNESS) {
		if (size != t->client.cosigned)
			at = 0;
		if (at < t->p->round_ms)
			at = t->p->round_ms;
	}
	return at > t->next_ms ? at : t->next_ms;
}

/*
 * All witnesses that work are asked about the same head: a round begins when the one before has
 * ended. Those that fail are not waited for.
 */
static bool round_open(const struct ww_publish *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->targets[i].pub.kind == WW_PUBLISH_WITNESS && p->targets[i].busy &&
		    p->targets[i].failures == 0)
			return true;
	return false;
}

static bool is_due(const struct target *t, uint64_t now, bool open, bool last)
{
	bool witness = t->pub.kind == WW_PUBLISH_WITNESS;

	if (t->busy)
		return false;
	if (last)
		return !t->last_begun &&
		       !(witness &&
			 t->client.cosigned == ww_ledger_reader_head(t->p->reader)->size);
	return wanted_ms(t) <= now && !(witness && open);
}

static void begin_due(struct ww_publish *p, bool last)
{
	uint64_t now = now_ms();
	bool open = round_open(p), asked = false;

	for (size_t i = 0; i < p->n; i++) {
		struct target *t = &p->targets[i];

		if (!is_due(t, now, open, last))
			continue;
		begin(t);
		t->last_begun = last;
		asked = asked || t->pub.kind == WW_PUBLISH_WITNESS;
	}
	if (asked)
		p->round_ms = now + PACE_MS;
}

/* The head that is on the disk at the start is the first that witnesses are asked about: when it is
 * not the one that they know, that shows before this run has signed anything. */
static void begin_witnesses(struct ww_publish *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->targets[i].pub.kind == WW_PUBLISH_WITNESS)
			begin(&p->targets[i]);
	p->round_ms = now_ms() + PACE_MS;
}

static unsigned rest_ms(const struct ww_publish *p)
{
	uint64_t now = now_ms(), until = now + REST_MS;
	bool open = round_open(p);

	for (size_t i = 0; i < p->n; i++) {
		const struct target *t = &p->targets[i];
		uint64_t at = t->deadline_ms;

		if (t->busy && t->pub.kind != WW_PUBLISH_COMMAND)
			continue; /* its answer ends the rest */
		if (!t->busy && t->pub.kind == WW_PUBLISH_WITNESS && open)
			continue;
		if (!t->busy)
			at = wanted_ms(t);
		if (at < until)
			until = at;
	}
	return until > now ? (unsigned)(until - now) : 0;
}

static struct target *running_command(struct ww_publish *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->targets[i].pub.kind == WW_PUBLISH_COMMAND && p->targets[i].busy)
			return &p->targets[i];
	return NULL;
}

bool ww_publish_step(struct ww_publish *p, bool last)
{
	struct ww_errtext why;
	struct target *command;
	bool busy = false;

	/* When it cannot be read, the head that is known is still worth sending. */
	(void)!ww_ledger_reader_refresh(p->reader, NULL, &why);
	begin_due(p, last);
	command = running_command(p);
	for (size_t i = 0; i < p->n; i++)
		busy = busy || p->targets[i].busy;
	if (last && !busy)
		return true;
	ww_http_run(p->http, command ? command->command.fd : -1, last ? 100 : rest_ms(p));
	if (command)
		look_at_command(command);
	return false;
}

void ww_publish_wake(struct ww_publish *p)
{
	ww_http_wake(p->http);
}

/* --- open and close --------------------------------------------------------------------------- */

static struct target *add(struct ww_publish *p, enum ww_publish_kind kind, const char *name)
{
	struct target *t = &p->targets[p->n++];

	t->p = p;
	t->pub.kind = kind;
	snprintf(t->pub.name, sizeof(t->pub.name), "%s", name);
	t->command.fd = -1;
	ww_buf_init(&t->note, WW_NOTE_BYTES_MAX);
	return t;
}

/* A URL goes into records and on the screen: it must not hold a password. */
static bool url_ok(const char *url)
{
	struct ww_slice s = ww_slice_str(url);
	size_t from = ww_slice_starts(s, WW_SLICE_LIT("https://"))  ? 8
		      : ww_slice_starts(s, WW_SLICE_LIT("http://")) ? 7
								    : 0;

	return from && s.n < WW_PUBLISH_NAME &&
	       ww_slice_find(s, from, '@') >= ww_slice_find(s, from, '/');
}

static int add_targets(struct ww_publish *p, struct ww_errtext *why)
{
	const struct ww_publish_config *c = &p->c;

	for (size_t i = 0; i < p->set.n; i++) {
		const struct ww_witness_peer *peer = &p->set.peer[i];

		if (!url_ok(peer->url))
			return ww_errtext_set(why, -EINVAL,
					      "witness %.200s: expected an http or https URL "
					      "without a password",
					      peer->key.name);
		add(p, WW_PUBLISH_WITNESS, peer->key.name)->client.peer = peer;
	}
	if (c->otlp && !url_ok(c->otlp))
		return ww_errtext_set(why, -EINVAL,
				      "the collector: expected an http or https URL without a "
				      "password");
	if (c->command && (c->command[0] != '/' || access(c->command, X_OK) < 0))
		return ww_errtext_set(why, -EINVAL,
				      "the command: expected the absolute path of a program, got "
				      "%.200s",
				      c->command);
	if (c->otlp)
		(void)add(p, WW_PUBLISH_OTLP, c->otlp);
	if (c->file)
		(void)add(p, WW_PUBLISH_FILE, c->file);
	if (c->command)
		(void)add(p, WW_PUBLISH_COMMAND, c->command);
	return 0;
}

/* What a witness cosigned before this start. */
static void remember(struct ww_publish *p, struct ww_slice note, uint64_t size)
{
	struct ww_slice text, lines, line;
	uint64_t time;

	if (ww_note_split(note, &text, &lines) < 0)
		return;
	for (size_t i = 0; i < p->n; i++) {
		struct target *t = &p->targets[i];

		if (t->pub.kind != WW_PUBLISH_WITNESS ||
		    ww_cosign_check(text, lines, &t->client.peer->key, &time, &line) < 0 ||
		    line.n > sizeof(t->line))
			continue;
		memcpy(t->line, line.p, line.n);
		t->line_n = line.n;
		t->line_size = t->client.held = t->client.cosigned = size;
		p->cosigned_count++;
	}
	p->cosigned_size = size;
}

/* The log must be the one that witnesses have seen. */
static int check_cosigned(struct ww_publish *p, struct ww_errtext *why)
{
	const struct ww_checkpoint *head = ww_ledger_reader_head(p->reader);
	WW_AUTO_BUF struct ww_buf note = {0};
	struct ww_checkpoint kept;
	int r;

	ww_buf_init(&note, WW_NOTE_BYTES_MAX);
	r = ww_cosigned_read(p->dir, ww_ledger_reader_key(p->reader), &note, &kept, why);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (ww_checkpoint_conflict(head, &kept)) {
		r = ww_equivocation_keep(p->dir, ww_ledger_reader_note(p->reader),
					 ww_buf_slice(&note), head->size, why);
		return r < 0 ? r
			     : ww_errtext_set(why, -EUCLEAN,
					      "this log signed two trees of %" PRIu64
					      " records: witnesses cosigned the other one",
					      head->size);
	}
	if (kept.size > head->size)
		return ww_errtext_set(why, -EUCLEAN,
				      "rolled back: witnesses cosigned %" PRIu64
				      " records, the log has %" PRIu64,
				      kept.size, head->size);
	r = ww_tlog_check_extends(p->dir, head, &kept, why);
	if (r == -EUCLEAN) {
		struct ww_errtext more;
		int found = ww_equivocation_find(p->dir, ww_ledger_reader_note(p->reader), head,
						 ww_buf_slice(&note), &kept, &more);

		if (found == 1)
			ww_errtext_set(why, r,
				       "this log signed two histories: the tree of %" PRIu64
				       " records does not extend the %" PRIu64
				       " that witnesses cosigned",
				       head->size, kept.size);
	}
	if (r == 0)
		remember(p, ww_buf_slice(&note), kept.size);
	return r;
}

int ww_publish_open(const struct ww_publish_config *c, struct ww_publish **ret_publish,
		    struct ww_errtext *why)
{
	WW_AUTO(ww_publish_close_auto) struct ww_publish *p = calloc(1, sizeof(*p));
	struct utsname uts;
	int r;

	if (!p)
		return ww_errtext_errno(why, -ENOMEM, "cannot publish checkpoints");
	p->c = *c;
	if (c->witnesses)
		p->set = *c->witnesses;
	if (p->c.every_s == 0)
		p->c.every_s = WW_PUBLISH_EVERY_S;
	uname(&uts);
	snprintf(p->host, sizeof(p->host), "%.100s", uts.nodename);
	p->dir = open(c->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->dir < 0)
		return ww_errtext_errno(why, -errno, "cannot open %s", c->state_dir);
	r = ww_ledger_reader_open(c->state_dir, NULL, &p->reader, why);
	if (r == 0)
		r = add_targets(p, why);
	if (r == 0)
		r = check_cosigned(p, why);
	if (r < 0)
		return r;
	ww_buf_init(&p->history, WW_KEYCHAIN_BYTES_MAX);
	r = ww_durable_read(p->dir, "keys/history", &p->history);
	if (r < 0 && r != -ENOENT)
		return ww_errtext_errno(why, r, "cannot read keys/history");
	r = ww_tile_store_new(p->dir, &p->tiles);
	if (r == 0)
		r = ww_http_open(c->ca_file, &p->http);
	if (r < 0)
		return ww_errtext_errno(why, r, "cannot publish checkpoints");
	begin_witnesses(p);
	*ret_publish = WW_TAKE(p);
	return 0;
}

void ww_publish_close(struct ww_publish *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n; i++) {
		ww_publish_command_kill(&p->targets[i].command);
		ww_buf_done(&p->targets[i].note);
		ww_buf_done(&p->targets[i].rotation.note);
	}
	ww_buf_done(&p->history);
	ww_http_close(p->http);
	ww_tile_store_free(p->tiles);
	ww_ledger_reader_close(p->reader);
	ww_own_close(&p->dir);
	free(p);
}

size_t ww_publish_count(const struct ww_publish *p)
{
	return p->n;
}

const struct ww_publish_target *ww_publish_target(const struct ww_publish *p, size_t i)
{
	return &p->targets[i].pub;
}

uint64_t ww_publish_cosigned(const struct ww_publish *p, size_t *ret_count)
{
	*ret_count = p->cosigned_count;
	return p->cosigned_size;
}

const char *ww_publish_forked(const struct ww_publish *p)
{
	return p->forked.text;
}

const char *ww_publish_kind_name(enum ww_publish_kind kind)
{
	static const char *const names[] = {
#define NAME(n, text) [WW_PUBLISH_##n] = text,
		WW_PUBLISH_KINDS(NAME)
#undef NAME
	};

	return names[kind];
}
