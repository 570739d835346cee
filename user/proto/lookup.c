/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/lookup.h"

#include <errno.h>
#include <netinet/in.h>
#include <utlist.h>

#include <wirewitness/limits.h>

#include "base/hash.h"

#define STREAM_BYTES_MAX (2u + 65535u + WW_CHUNK_BYTES_MAX)

struct question {
	struct ww_lookup lookup;
	uint16_t id;
	struct ww_boot sent; /* last */
	struct ww_endpoint server[WW_LOOKUP_SERVERS_MAX];
	unsigned servers;
	struct talk *talk;
	struct question *prev, *next;     /* of its socket */
	struct question *older, *younger; /* of all, by last sending */
};

/* One direction of a TCP connection. */
struct stream {
	uint64_t next; /* offset of the first byte that was not taken */
	bool broken;   /* a byte is missing: where the next message begins is not known */
	struct ww_buf part;
};

struct talk {
	uint64_t cookie, cgroup;
	struct ww_lookup_counts counts;
	struct stream stream[2];
	uint32_t number[2]; /* of the next packet, by enum ww_dir */
	bool late[2];       /* nothing of it is seen yet, and there were packets before */
	struct question *questions;
	struct talk *prev, *next; /* of all, by last packet */
	UT_hash_handle hh;
};

struct ww_lookups {
	struct ww_lookup_ops ops;
	void *ctx;
	struct talk *by_cookie, *talks;
	struct question *questions;
	unsigned question_count;
	uint64_t serial;
	struct ww_dns message; /* the one that is looked at */
};

int ww_lookups_new(const struct ww_lookup_ops *ops, void *ctx, struct ww_lookups **ret_lookups)
{
	struct ww_lookups *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->ops = *ops;
	l->ctx = ctx;
	*ret_lookups = l;
	return 0;
}

static void drop(struct ww_lookups *l, struct question *q)
{
	DL_DELETE2(l->questions, q, older, younger);
	DL_DELETE(q->talk->questions, q);
	l->question_count--;
	free(q);
}

static void talk_free(struct ww_lookups *l, struct talk *t)
{
	while (t->questions)
		drop(l, t->questions);
	ww_buf_done(&t->stream[WW_DIR_OUT].part);
	ww_buf_done(&t->stream[WW_DIR_IN].part);
	HASH_DEL(l->by_cookie, t);
	DL_DELETE(l->talks, t);
	free(t);
}

void ww_lookups_free(struct ww_lookups *l)
{
	if (!l)
		return;
	while (l->talks)
		talk_free(l, l->talks);
	free(l);
}

/* The question is told, and gone. */
static void finish(struct ww_lookups *l, struct question *q, enum ww_lookup_end end)
{
	q->lookup.end = end;
	q->lookup.unmatched = q->talk->counts.unmatched - q->lookup.unmatched;
	q->lookup.unread = q->talk->counts.unread - q->lookup.unread;
	l->ops.done(l->ctx, &q->lookup);
	drop(l, q);
}

static void finish_talk(struct ww_lookups *l, struct talk *t, enum ww_lookup_end end)
{
	while (t->questions)
		finish(l, t->questions, end);
}

/* --- sockets ------------------------------------------------------------------------------------
 */

static struct talk *find(const struct ww_lookups *l, uint64_t cookie)
{
	struct talk *t = NULL;

	HASH_FIND(hh, l->by_cookie, &cookie, sizeof(cookie), t);
	return t;
}

static struct talk *ensure(struct ww_lookups *l, const struct ww_event *ev)
{
	struct talk *t = find(l, ev->cookie);

	if (t) {
		DL_DELETE(l->talks, t);
		DL_APPEND(l->talks, t);
		return t;
	}
	if (HASH_COUNT(l->by_cookie) >= WW_LOOKUP_SOCKETS_MAX) {
		finish_talk(l, l->talks, WW_LOOKUP_UNFOLLOWED);
		talk_free(l, l->talks);
	}
	t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	t->cookie = ev->cookie;
	t->cgroup = ev->cgroup;
	t->late[0] = t->late[1] = ((const struct ww_event_packet *)ev)->number > 0;
	ww_buf_init(&t->stream[WW_DIR_OUT].part, STREAM_BYTES_MAX);
	ww_buf_init(&t->stream[WW_DIR_IN].part, STREAM_BYTES_MAX);
	HASH_ADD(hh, l->by_cookie, cookie, sizeof(t->cookie), t);
	if (!t->hh.tbl) {
		free(t);
		return NULL;
	}
	DL_APPEND(l->talks, t);
	return t;
}

static void note_unread(struct ww_lookups *l, struct talk *t)
{
	t->counts.unread++;
	l->ops.unread(l->ctx, t->cgroup);
}

/* --- questions and answers ----------------------------------------------------------------------
 */

static bool was_asked(const struct question *q, const struct ww_endpoint *server)
{
	for (unsigned i = 0; i < q->servers; i++)
		if (ww_endpoint_eq(&q->server[i], server))
			return true;
	return false;
}

static bool is_about(const struct question *q, const struct ww_dns *m)
{
	return q->id == m->id && q->lookup.type == m->type &&
	       ww_dns_name_eq(&q->lookup.name, &m->name);
}

static struct question *find_question(const struct talk *t, const struct ww_dns *m)
{
	struct question *q;

	DL_FOREACH (t->questions, q)
		if (is_about(q, m))
			return q;
	return NULL;
}

static struct question *new_question(struct ww_lookups *l, struct talk *t,
				     const struct ww_event_packet *ev)
{
	struct question *q = calloc(1, sizeof(*q));

	if (!q)
		return NULL;
	q->talk = t;
	q->id = l->message.id;
	q->lookup = (struct ww_lookup){.cookie = t->cookie,
				       .serial = l->serial++,
				       .actor = ev->h.actor,
				       .cgroup = ev->h.cgroup,
				       .proto = ev->proto,
				       .name = l->message.name,
				       .type = l->message.type,
				       .asked = {ev->h.time_ns},
				       .unmatched = t->counts.unmatched,
				       .unread = t->counts.unread};
	q->lookup.actor.tid = 0;
	DL_APPEND(t->questions, q);
	DL_APPEND2(l->questions, q, older, younger);
	l->question_count++;
	return q;
}

static int ask(struct ww_lookups *l, struct talk *t, const struct ww_event_packet *ev)
{
	struct question *q;

	t->counts.queries++;
	if (l->message.opcode != 0 || l->message.questions != 1 ||
	    l->message.class != WW_DNS_CLASS_IN)
		return 0;
	q = find_question(t, &l->message);
	if (!q) {
		if (l->question_count >= WW_LOOKUPS_MAX)
			finish(l, l->questions, WW_LOOKUP_UNFOLLOWED);
		q = new_question(l, t, ev);
	}
	if (!q)
		return -ENOMEM;
	q->sent.ns = ev->h.time_ns;
	q->lookup.asks++;
	q->lookup.server = ev->peer;
	if (!was_asked(q, &ev->peer) && q->servers < WW_LOOKUP_SERVERS_MAX)
		q->server[q->servers++] = ev->peer;
	DL_DELETE2(l->questions, q, older, younger);
	DL_APPEND2(l->questions, q, older, younger);
	return 0;
}

static void answer(struct ww_lookups *l, struct talk *t, const struct ww_event_packet *ev)
{
	const struct ww_dns *m = &l->message;
	struct question *q = NULL;

	if (m->opcode == 0 && m->questions == 1 && m->class == WW_DNS_CLASS_IN)
		q = find_question(t, m);
	if (!q || (ev->proto != IPPROTO_TCP && !was_asked(q, &ev->peer))) {
		t->counts.unmatched++;
		return;
	}
	t->counts.answers++;
	q->lookup.answered.ns = ev->h.time_ns;
	q->lookup.server = ev->peer;
	q->lookup.answer = m;
	finish(l, q, WW_LOOKUP_ANSWERED);
}

static int take_message(struct ww_lookups *l, struct talk *t, const struct ww_event_packet *ev,
			struct ww_slice bytes, size_t whole)
{
	struct ww_parse_error error;

	if (ww_dns_parse(bytes, whole, &l->message, &error) != WW_PARSE_DONE) {
		note_unread(l, t);
		return 0;
	}
	if (ev->dir == WW_DIR_OUT && !l->message.response)
		return ask(l, t, ev);
	if (ev->dir == WW_DIR_IN && l->message.response)
		answer(l, t, ev);
	else
		t->counts.unmatched++;
	return 0;
}

/* --- streams ------------------------------------------------------------------------------------
 */

static void break_stream(struct ww_lookups *l, struct talk *t, struct stream *s)
{
	s->broken = true;
	ww_buf_done(&s->part);
	note_unread(l, t);
}

static int take_frames(struct ww_lookups *l, struct talk *t, struct stream *s,
		       const struct ww_event_packet *ev)
{
	size_t at = 0;
	int r = 0;

	for (;;) {
		struct ww_slice rest = ww_slice_sub(ww_buf_slice(&s->part), at, s->part.n), m;

		if (ww_dns_frame(rest, &m) != WW_PARSE_DONE)
			break;
		if (take_message(l, t, ev, m, m.n) < 0)
			r = -ENOMEM;
		at += 2 + m.n;
	}
	ww_buf_consume(&s->part, at);
	return r;
}

/* Segments may come twice; one that comes before another is a hole, whatever fills it later. */
static int take_segment(struct ww_lookups *l, struct talk *t, const struct ww_event_packet *ev)
{
	struct stream *s = &t->stream[ev->dir];
	uint64_t seen = ev->offset + ev->captured, end = ev->offset + ev->payload_bytes;
	struct ww_slice fresh;
	int r;

	if (s->broken || end <= s->next)
		return 0;
	if (ev->offset > s->next) {
		break_stream(l, t, s);
		return 0;
	}
	fresh = ww_slice_sub(ww_slice(ev->bytes, ev->captured), s->next - ev->offset, ev->captured);
	r = ww_buf_add(&s->part, fresh.p, fresh.n);
	if (r == 0) {
		s->next = seen > s->next ? seen : s->next;
		r = take_frames(l, t, s, ev);
	}
	if (r < 0 || seen < end) /* the rest was not told */
		break_stream(l, t, s);
	return r == -EMSGSIZE ? 0 : r;
}

/* --- datagrams ----------------------------------------------------------------------------------
 */

/*
 * What was lost may have been the answer that counted: a later one must not take its place. Where
 * the socket was not followed from its begin on, how many were lost is not known: one is counted.
 */
static void note_hole(struct ww_lookups *l, struct talk *t, const struct ww_event_packet *ev)
{
	t->counts.unread += t->late[ev->dir] ? 0 : ev->number - t->number[ev->dir] - 1;
	note_unread(l, t);
	if (ev->dir == WW_DIR_IN)
		finish_talk(l, t, WW_LOOKUP_UNFOLLOWED);
}

static int take_datagram(struct ww_lookups *l, struct talk *t, const struct ww_event_packet *ev)
{
	uint32_t wanted = t->number[ev->dir];

	if (ev->number < wanted) /* it was there already */
		return 0;
	if (ev->number > wanted)
		note_hole(l, t, ev);
	t->number[ev->dir] = ev->number + 1;
	t->late[ev->dir] = false;
	return take_message(l, t, ev, ww_slice(ev->bytes, ev->captured), ev->payload_bytes);
}

/* --- events -------------------------------------------------------------------------------------
 */

int ww_lookups_feed(struct ww_lookups *l, const struct ww_event *event)
{
	const struct ww_event_packet *ev = (const struct ww_event_packet *)event;
	struct talk *t;

	if (event->kind != WW_EVENT_PACKET || ev->what != WW_PACKET_DNS)
		return 0;
	t = ensure(l, event);
	if (!t)
		return -ENOMEM;
	return ev->proto == IPPROTO_TCP ? take_segment(l, t, ev) : take_datagram(l, t, ev);
}

void ww_lookups_tick(struct ww_lookups *l, struct ww_boot now)
{
	while (l->questions && l->questions->sent.ns + WW_LOOKUP_WAIT_NS <= now.ns)
		finish(l, l->questions, WW_LOOKUP_UNANSWERED);
}

bool ww_lookups_closed(struct ww_lookups *l, uint64_t cookie, struct ww_lookup_counts *ret_counts)
{
	struct talk *t = find(l, cookie);

	if (!t)
		return false;
	finish_talk(l, t, WW_LOOKUP_UNANSWERED);
	*ret_counts = t->counts;
	talk_free(l, t);
	return true;
}

void ww_lookups_finish(struct ww_lookups *l)
{
	while (l->questions)
		finish(l, l->questions, WW_LOOKUP_UNANSWERED);
}
