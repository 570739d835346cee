/* SPDX-License-Identifier: Apache-2.0 */
/* Invariants of flow.h, by number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../lib/events.h"
#include "../../lib/quic_seal.h"
#include "flow/channel.h"
#include "flow/flow.h"
#include "flow/quic.h"

struct seen {
	char text[2][4096]; /* by direction; "[n]" marks a gap of n bytes */
	char both[4096];    /* ">" and "<": out and in, with the time */
	unsigned opened, closed;
	uint64_t lost;
	enum ww_loss_cause cause;
	uint64_t cookies[16];
	struct ww_flow last;
	char record[8192]; /* of the last one closed */
};

static void opened(void *ctx, struct ww_flow *f)
{
	((struct seen *)ctx)->opened++;
}

static void bytes(void *ctx, struct ww_flow *f, enum ww_dir dir, uint64_t offset, struct ww_slice b,
		  struct ww_boot t)
{
	struct seen *s = ctx;
	size_t n = strlen(s->text[dir]);

	snprintf(s->text[dir] + n, sizeof(s->text[dir]) - n, "%.*s", (int)b.n, (const char *)b.p);
	n = strlen(s->both);
	snprintf(s->both + n, sizeof(s->both) - n, "%c%.*s@%llu ", dir == WW_DIR_OUT ? '>' : '<',
		 b.n < 8 ? (int)b.n : 8, (const char *)b.p, (unsigned long long)t.ns);
}

static void gap(void *ctx, struct ww_flow *f, enum ww_dir dir, uint64_t offset, uint64_t lost,
		struct ww_boot t)
{
	struct seen *s = ctx;
	size_t n = strlen(s->text[dir]);

	snprintf(s->text[dir] + n, sizeof(s->text[dir]) - n, "[%llu]", (unsigned long long)lost);
}

static void write_record(const struct ww_flow *f, char *out, size_t cap)
{
	const struct ww_clock_map clock = {0};
	WW_AUTO_BUF struct ww_buf b = {0};
	struct ww_jsonw w;

	ww_buf_init(&b, cap - 1);
	ww_jsonw_init(&w, &b);
	ww_flow_write(f, &clock, NULL, &w);
	ww_jsonw_end_object(&w);
	memcpy(out, b.p, b.n);
	out[b.n] = '\0';
}

static void closed(void *ctx, struct ww_flow *f)
{
	struct seen *s = ctx;

	if (s->closed < 16)
		s->cookies[s->closed] = f->cookie;
	s->closed++;
	s->last = *f;
	write_record(f, s->record, sizeof(s->record));
}

static void lost(void *ctx, const struct ww_event_data *ev, enum ww_loss_cause cause)
{
	((struct seen *)ctx)->lost += ev->captured;
	((struct seen *)ctx)->cause = cause;
}

static const struct ww_flow_ops ops = {opened, bytes, gap, closed, lost};

struct world {
	struct ww_actors *actors;
	struct ww_flows *flows;
	struct seen seen;
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	assert_int_equal(ww_actors_new(&w->actors), 0);
	assert_int_equal(ww_flows_new(w->actors, &ops, &w->seen, &w->flows), 0);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	ww_flows_free(w->flows);
	ww_actors_free(w->actors);
	free(w);
	return 0;
}

static void feed(struct world *w, void *ev)
{
	assert_int_equal(ww_actors_feed(w->actors, ev), 0);
	assert_int_equal(ww_flows_feed(w->flows, ev), 0);
	free(ev);
}

static void tick(struct world *w, uint64_t t)
{
	ww_flows_tick(w->flows, (struct ww_boot){t});
}

static unsigned homeless(const struct world *w, uint64_t t)
{
	return ww_flows_homeless(w->flows, EV_CGROUP, (struct ww_boot){t}, (struct ww_boot){t});
}

/* 2: in order, once; what is missing is announced before what follows. */
static void order_once_and_gaps(void **state)
{
	struct world *w = *state;

	feed(w, ev_open(1, 5, 9, ev_endpoint("10.0.0.2", 443)));
	feed(w, ev_data(2, 5, 9, 1, WW_DIR_OUT, 0, "abc"));
	feed(w, ev_data(3, 5, 9, 1, WW_DIR_OUT, 3, "de"));
	feed(w, ev_data(5, 5, 9, 1, WW_DIR_OUT, 15, "tail")); /* ten lost */
	assert_string_equal(w->seen.text[WW_DIR_OUT], "abcde[10]tail");
	assert_int_equal(ww_flows_get(w->flows, 9)->lost_bytes[WW_DIR_OUT], 10);
}

/* 2: a session that the kernel had to forget begins again: its bytes are new, what lies between is
 * not known. */
static void session_forgotten_by_the_kernel(void **state)
{
	struct world *w = *state;

	feed(w, ev_open(1, 5, 9, ev_endpoint("10.0.0.2", 443)));
	feed(w, ev_data(2, 5, 9, 1, WW_DIR_OUT, 0, "before"));
	feed(w, ev_data(3, 5, 9, 1, WW_DIR_OUT, 0, "after"));
	feed(w, ev_data(4, 5, 9, 1, WW_DIR_OUT, 5, "wards"));
	assert_string_equal(w->seen.text[WW_DIR_OUT], "before[1]afterwards");
	feed(w, ev_data(5, 5, 9, 1, WW_DIR_OUT, 7, "twice")); /* its first seven are lost */
	assert_string_equal(w->seen.text[WW_DIR_OUT], "before[1]afterwards[7]twice");
	ww_flow_account(ww_flows_get(w->flows, 9));
	assert_false(ww_flows_get(w->flows, 9)->account[WW_DIR_OUT].checked);
}

static void read_behind(struct world *w, uint64_t t, uint8_t write, uint64_t offset,
			const char *text)
{
	struct ww_event_data *ev = ev_data(t, 5, 9, 1, WW_DIR_IN, offset, text);

	ev->write = write;
	feed(w, ev);
}

static void written(struct world *w, uint64_t t, uint8_t write, uint64_t offset, const char *text)
{
	struct ww_event_data *ev = ev_data(t, 5, 9, 1, WW_DIR_OUT, offset, text);

	ev->write = write;
	feed(w, ev);
}

/* 2: what was read behind something that goes out comes after it, as it was; what goes out went at
 * the latest then. */
static void answers_wait_for_what_they_answer(void **state)
{
	struct world *w = *state;

	feed(w, ev_open(1, 5, 9, ev_endpoint("10.0.0.2", 443)));
	written(w, 2, 255, 0, "ask");
	read_behind(w, 3, 0, 0, "no");
	read_behind(w, 4, 1, 2, "yes");
	read_behind(w, 5, 0, 5, "!");
	assert_string_equal(w->seen.both, ">ask@2 <no@3 ");
	written(w, 6, 1, 3, "again");
	read_behind(w, 7, 0, 6, "more");
	assert_string_equal(w->seen.both, ">ask@2 <no@3 >again@4 <yes@4 <!@5 <more@7 ");
}

/* What it was behind of may have been told before it. */
static void answers_wait_for_nothing_that_is_here(void **state)
{
	struct world *w = *state;

	feed(w, ev_open(1, 5, 9, ev_endpoint("10.0.0.2", 443)));
	written(w, 2, 255, 0, "ask");
	read_behind(w, 3, 255, 0, "yes");
	assert_string_equal(w->seen.both, ">ask@2 <yes@3 ");
	written(w, 4, 1, 3, "again");
	read_behind(w, 5, 255, 3, "still");
	assert_string_equal(w->seen.both, ">ask@2 <yes@3 >again@4 <still@5 ");
}

/* What it was behind of is lost: the hole is in front of it, what is written later behind it. */
static void answers_whose_question_is_lost(void **state)
{
	struct world *w = *state;

	feed(w, ev_open(1, 5, 9, ev_endpoint("10.0.0.2", 443)));
	read_behind(w, 4, 7, 0, "yes");
	written(w, 6, 8, 3, "again");
	assert_string_equal(w->seen.both, "<yes@4 >again@6 ");
	assert_string_equal(w->seen.text[WW_DIR_OUT], "[3]again");
}

/* It does not come: the answer is a hole in five seconds, for nobody is to take it for another's.
 * At the end there is no other. */
static void answers_do_not_wait_for_ever(void **state)
{
	struct world *w = *state;

	feed(w, ev_open(1, 5, 9, ev_endpoint("10.0.0.2", 443)));
	read_behind(w, 4, 1, 0, "yes");
	tick(w, 4999999999);
	assert_string_equal(w->seen.text[WW_DIR_IN], "");
	assert_int_equal(ww_flows_get(w->flows, 9)->lost_bytes[WW_DIR_IN], 0);
	tick(w, 5000000004);
	assert_string_equal(w->seen.text[WW_DIR_IN], "[3]");
	assert_int_equal(ww_flows_get(w->flows, 9)->lost_bytes[WW_DIR_IN], 3);
	assert_int_equal(w->seen.lost, 3);
	written(w, 5000000005, 1, 0, "late");
	assert_string_equal(w->seen.text[WW_DIR_OUT], "late");
	read_behind(w, 5000000006, 2, 3, "last");
	ww_flows_finish(w->flows, (struct ww_boot){5000000007});
	assert_string_equal(w->seen.text[WW_DIR_IN], "[3]last");
	assert_int_equal(w->seen.last.lost_bytes[WW_DIR_IN], 3);
}

/* The end of the session says how much there was: what waits is not lost. */
static void answers_before_the_end(void **state)
{
	struct ww_event_session *end = ev_make(sizeof(*end), WW_EVENT_SESSION_END, 6, 5, 9);
	struct world *w = *state;

	feed(w, ev_open(1, 5, 9, ev_endpoint("10.0.0.2", 443)));
	read_behind(w, 4, 1, 0, "yes");
	memset(end->session.random, 1, sizeof(end->session.random));
	end->session.object = 0x7001;
	end->session.pid = 5;
	end->bytes_in = 3;
	feed(w, end);
	assert_string_equal(w->seen.text[WW_DIR_IN], "yes");
}

/* More than may be held is lost, all of it. */
static void answers_beyond_the_ceiling(void **state)
{
	static char block[16385];
	struct world *w = *state;
	unsigned fed = 0;

	memset(block, 'b', sizeof(block) - 1);
	feed(w, ev_open(1, 5, 9, ev_endpoint("10.0.0.2", 443)));
	while (!ww_flows_get(w->flows, 9)->lost_bytes[WW_DIR_IN] && fed < 100)
		read_behind(w, 4, 1, 16384 * (uint64_t)fed++, block);
	assert_int_equal(fed, WW_STREAM_HOLD_BYTES / 16384);
	assert_int_equal(ww_flows_get(w->flows, 9)->lost_bytes[WW_DIR_IN], 16384 * fed);
	assert_string_equal(w->seen.both, "");
}

/* Each may hold what it has, all of them together may not. */
static void answers_beyond_the_ceiling_of_all(void **state)
{
	static char block[16385];
	const uint64_t each = WW_STREAM_HOLD_BYTES / 16384 - 1,
		       flows = 2 * WW_HOLD_BYTES_MAX / WW_STREAM_HOLD_BYTES;
	struct world *w = *state;

	memset(block, 'b', sizeof(block) - 1);
	for (uint64_t i = 0; i < flows * each; i++) {
		struct ww_event_data *ev = ev_data(4, 5, 100 + i / each, 1 + i / each, WW_DIR_IN,
						   16384 * (i % each), block);

		ev->write = 1;
		feed(w, ev);
	}
	assert_true(w->seen.lost > 0);
	assert_true(16384 * flows * each - w->seen.lost <= WW_HOLD_BYTES_MAX);
	/* Nothing waits any more: there is room again. */
	tick(w, 5000000004);
	assert_int_equal(w->seen.lost, 16384 * flows * each);
	read_behind(w, 5000000005, 1, 0, "yes");
	assert_int_equal(w->seen.lost, 16384 * flows * each);
}

/* The cap cuts the end of a call: the cut part is a gap at once, not when the next call comes. */
static void cap_is_a_gap(void **state)
{
	struct world *w = *state;
	struct ww_event_data *ev = ev_data(2, 5, 9, 1, WW_DIR_OUT, 0, "abc");

	ev->call_bytes = 1000;
	feed(w, ev);
	feed(w, ev_data(3, 5, 9, 1, WW_DIR_OUT, 1000, "x"));
	assert_string_equal(w->seen.text[WW_DIR_OUT], "abc[997]x");
}

/* 3: an unbound session is held until evidence names its socket. */
static void late_binding_by_random(void **state)
{
	struct world *w = *state;

	feed(w, ev_open(1, 5, 9, ev_endpoint("10.0.0.2", 443)));
	feed(w, ev_open(1, 5, 10, ev_endpoint("10.0.0.2", 443)));
	feed(w, ev_data(2, 5, 0, 7, WW_DIR_OUT, 0, "early"));
	assert_int_equal(homeless(w, 2), 1);
	assert_int_equal(homeless(w, 3), 0);
	assert_string_equal(w->seen.text[WW_DIR_OUT], "");
	assert_int_equal(ww_flows_stats(w->flows).unbound, 1);
	feed(w, ev_hello(3, 10, WW_DIR_OUT, 8)); /* somebody else's */
	assert_string_equal(w->seen.text[WW_DIR_OUT], "");
	feed(w, ev_hello(4, 9, WW_DIR_OUT, 7));
	assert_string_equal(w->seen.text[WW_DIR_OUT], "early");
	feed(w, ev_data(5, 5, 0, 7, WW_DIR_OUT, 5, " more"));
	assert_string_equal(w->seen.text[WW_DIR_OUT], "early more");
	assert_int_equal(ww_flows_get(w->flows, 9)->bind, WW_BIND_RANDOM);
	assert_int_equal(ww_flows_get(w->flows, 10)->bind, WW_BIND_UNBOUND);
	assert_int_equal(ww_flows_stats(w->flows).unbound, 0);
	assert_int_equal(homeless(w, 2), 0);
	assert_int_equal(w->seen.lost, 0);
}

/* 2, 3: the kernel names the socket at a later call: what waits goes first. */
static void late_binding_by_the_kernel(void **state)
{
	struct world *w = *state;

	feed(w, ev_open(1, 5, 9, ev_endpoint("10.0.0.2", 443)));
	feed(w, ev_data(2, 5, 0, 7, WW_DIR_OUT, 0, "first "));
	feed(w, ev_data(3, 5, 9, 7, WW_DIR_OUT, 6, "second"));
	assert_string_equal(w->seen.text[WW_DIR_OUT], "first second");
	assert_int_equal(ww_flows_stats(w->flows).unbound, 0);
}

/* 3: only one end is in sight: the process at the other end shows the same random. */
static void other_end_out_of_sight(void **state)
{
	struct world *w = *state;

	feed(w, ev_open(1, 5, 9, ev_endpoint("10.0.0.2", 443)));
	feed(w, ev_hello(2, 9, WW_DIR_OUT, 7));
	feed(w, ev_data(3, 6, 0, 7, WW_DIR_IN, 0, "the server's"));
	assert_string_equal(w->seen.text[WW_DIR_IN], "");
	assert_int_equal(ww_flows_stats(w->flows).unbound, 1);
	assert_int_equal(homeless(w, 3), 1);
}

/* Who is gone will not be bound any more: told as lost, and the second witness may rest. */
static void nobody_left_to_bind(void **state)
{
	struct world *w = *state;
	struct ww_event_session *end = ev_make(sizeof(*end), WW_EVENT_SESSION_END, 20, 6, 0);

	feed(w, ev_data(2, 5, 0, 7, WW_DIR_OUT, 0, "five"));
	feed(w, ev_data(2, 6, 0, 8, WW_DIR_OUT, 0, "sixsix"));
	feed(w, ev_data(2, 7, 0, 9, WW_DIR_OUT, 0, "seven"));
	feed(w, ev_make(sizeof(struct ww_event_exit), WW_EVENT_PROC_EXIT, 10, 5, 0));
	memset(end->session.random, 8, sizeof(end->session.random));
	end->session.pid = 6;
	feed(w, end);
	tick(w, 300000005);
	assert_int_equal(w->seen.lost, 0);
	tick(w, 300000015);
	assert_int_equal(w->seen.lost, 4);
	tick(w, 1000000000);
	assert_int_equal(w->seen.lost, 10);
	assert_int_equal(w->seen.cause, WW_LOSS_UNBOUND);
	assert_int_equal(ww_flows_stats(w->flows).unbound, 1);
	assert_int_equal(ww_flows_stats(w->flows).lost_bytes, 10);
}

/* An accepted socket shows its owner after the hello came in. */
static void owner_known_late(void **state)
{
	struct world *w = *state;
	struct ww_event_flow *owner = ev_open(4, 6, 20, ev_endpoint("10.0.0.1", 50000));

	owner->h.kind = WW_EVENT_FLOW_OWNER;
	owner->role = WW_FLOW_ACCEPT;
	owner->netns = 77;
	feed(w, ev_hello(2, 20, WW_DIR_IN, 7));
	feed(w, ev_data(3, 6, 0, 7, WW_DIR_IN, 0, "early"));
	assert_string_equal(w->seen.text[WW_DIR_IN], "");
	feed(w, owner);
	assert_int_equal(ww_flows_get(w->flows, 20)->netns, 77);
	assert_string_equal(w->seen.text[WW_DIR_IN], "early");
	assert_int_equal(ww_flows_stats(w->flows).unbound, 0);
}

/* Every call of a direction was lost: only the totals tell that there were any. */
static void silent_direction(void **state)
{
	struct world *w = *state;
	struct ww_event_session *end = ev_make(sizeof(*end), WW_EVENT_SESSION_END, 4, 5, 9);

	feed(w, ev_data(2, 5, 9, 1, WW_DIR_OUT, 0, "ask"));
	memset(end->session.random, 1, sizeof(end->session.random));
	end->session.pid = 5;
	end->bytes_out = 3;
	end->bytes_in = 7;
	feed(w, end);
	assert_string_equal(w->seen.text[WW_DIR_OUT], "ask");
	assert_string_equal(w->seen.text[WW_DIR_IN], "[7]");
}

/* The end of a session that only its random binds tells its tail as well. */
static void end_of_a_late_bound_session(void **state)
{
	struct world *w = *state;
	struct ww_event_session *end = ev_make(sizeof(*end), WW_EVENT_SESSION_END, 4, 5, 0);

	feed(w, ev_open(1, 5, 9, ev_endpoint("10.0.0.2", 443)));
	feed(w, ev_hello(2, 9, WW_DIR_OUT, 7));
	feed(w, ev_data(3, 5, 0, 7, WW_DIR_OUT, 0, "early"));
	memset(end->session.random, 7, sizeof(end->session.random));
	end->session.pid = 5;
	end->bytes_out = 9;
	feed(w, end);
	assert_string_equal(w->seen.text[WW_DIR_OUT], "early[4]");
}

/* A socket that shows one hello after the other stands for the last one, and fills no table. */
static void hello_after_hello(void **state)
{
	struct world *w = *state;

	feed(w, ev_open(1, 5, 9, ev_endpoint("10.0.0.2", 443)));
	for (uint32_t i = 0; i < WW_FLOWS_MAX + 2; i++) {
		struct ww_event_hello *ev = ev_hello(2, 9, WW_DIR_OUT, 7);

		memcpy(ev->random, &i, sizeof(i));
		feed(w, ev);
	}
	feed(w, ev_hello(3, 9, WW_DIR_OUT, 8));
	feed(w, ev_data(4, 5, 0, 8, WW_DIR_OUT, 0, "last"));
	assert_string_equal(w->seen.text[WW_DIR_OUT], "last");
}

/* 3: both ends watched: the owner's process decides; a stranger's session is not bound at all. */
static void one_random_two_sockets(void **state)
{
	struct world *w = *state;
	struct ww_event_flow *server = ev_open(1, 6, 20, ev_endpoint("10.0.0.1", 50000));

	server->role = WW_FLOW_ACCEPT;
	feed(w, ev_open(1, 5, 9, ev_endpoint("10.0.0.2", 443)));
	feed(w, server);
	feed(w, ev_hello(2, 9, WW_DIR_OUT, 7));
	feed(w, ev_hello(2, 20, WW_DIR_IN, 7));
	feed(w, ev_data(3, 5, 0, 7, WW_DIR_OUT, 0, "client"));
	feed(w, ev_data(3, 6, 0, 7, WW_DIR_IN, 0, "server"));
	feed(w, ev_data(3, 8, 0, 7, WW_DIR_OUT, 0, "stranger"));
	assert_string_equal(w->seen.text[WW_DIR_OUT], "client");
	assert_string_equal(w->seen.text[WW_DIR_IN], "server");
	assert_int_equal(ww_flows_stats(w->flows).unbound, 1);
}

/* 3: the same hello on two sockets: the one that it was copied to must not be taken for the other.
 */
static void one_hello_sent_twice(void **state)
{
	struct world *w = *state;

	feed(w, ev_open(1, 5, 9, ev_endpoint("10.0.0.2", 443)));
	feed(w, ev_open(1, 5, 10, ev_endpoint("10.0.0.3", 443)));
	feed(w, ev_hello(2, 9, WW_DIR_OUT, 7));
	feed(w, ev_hello(3, 10, WW_DIR_OUT, 7));
	feed(w, ev_data(4, 5, 0, 7, WW_DIR_OUT, 0, "whose"));
	assert_string_equal(w->seen.text[WW_DIR_OUT], "");
	assert_int_equal(ww_flows_get(w->flows, 9)->bind, WW_BIND_UNBOUND);
	assert_int_equal(ww_flows_get(w->flows, 10)->bind, WW_BIND_UNBOUND);
	assert_int_equal(ww_flows_stats(w->flows).unbound, 1);
}

static void binding_by_prefix(void **state)
{
	struct world *w = *state;
	struct ww_event_bind *bind = ev_make(sizeof(*bind), WW_EVENT_BIND_PREFIX, 3, 0, 9);

	feed(w, ev_data(2, 5, 0, 0, WW_DIR_OUT, 0, "mid"));
	bind->session.object = 0x7000;
	bind->session.pid = 5;
	feed(w, bind);
	assert_string_equal(w->seen.text[WW_DIR_OUT], "mid");
	assert_int_equal(ww_flows_get(w->flows, 9)->bind, WW_BIND_RECORD);
}

/* The same object address in a forked worker is another session. */
static void bare_pointer_means_nothing(void **state)
{
	struct world *w = *state;
	struct ww_event_bind *bind = ev_make(sizeof(*bind), WW_EVENT_BIND_PREFIX, 3, 0, 9);

	bind->session.object = 0x7000;
	bind->session.pid = 5;
	feed(w, bind);
	feed(w, ev_data(4, 6, 0, 0, WW_DIR_OUT, 0, "worker"));
	assert_string_equal(w->seen.text[WW_DIR_OUT], "");
}

/* 4: late events within the linger period still count; closing happens once. */
static void linger(void **state)
{
	struct world *w = *state;

	feed(w, ev_open(1, 5, 9, ev_endpoint("10.0.0.2", 443)));
	feed(w, ev_counters(WW_EVENT_FLOW_CLOSE, 100, 9, 50, 60));
	feed(w, ev_counters(WW_EVENT_FLOW_CLOSE, 101, 9, 1, 1)); /* ignored */
	tick(w, 200);
	assert_int_equal(w->seen.closed, 0);
	feed(w, ev_data(99, 5, 9, 1, WW_DIR_IN, 0, "late"));
	tick(w, 1000000000);
	assert_int_equal(w->seen.closed, 1);
	assert_string_equal(w->seen.text[WW_DIR_IN], "late");
	assert_int_equal(w->seen.last.bytes_sent, 50);
	assert_int_equal(w->seen.last.how, WW_CLOSE_FIN_LOCAL);
	assert_null(ww_flows_get(w->flows, 9));
}

/* 5: the end of a tape closes in order of cookie. */
static void finish_in_order(void **state)
{
	struct world *w = *state;

	feed(w, ev_open(1, 5, 30, ev_endpoint("10.0.0.2", 443)));
	feed(w, ev_open(1, 5, 10, ev_endpoint("10.0.0.2", 443)));
	feed(w, ev_open(1, 5, 20, ev_endpoint("10.0.0.2", 443)));
	ww_flows_finish(w->flows, (struct ww_boot){5});
	assert_int_equal(w->seen.closed, 3);
	assert_int_equal(w->seen.cookies[0], 10);
	assert_int_equal(w->seen.cookies[1], 20);
	assert_int_equal(w->seen.cookies[2], 30);
}

static void owner_and_ends(void **state)
{
	struct world *w = *state;
	struct ww_event_counters *est = ev_counters(WW_EVENT_FLOW_STATE, 2, 9, 0, 0);
	struct ww_endpoint local = ev_endpoint("10.0.0.1", 40000),
			   peer = ev_endpoint("10.0.0.2", 443);
	const struct ww_flow *f;

	feed(w, ev_open(1, 5, 9, peer));
	est->local = local;
	est->peer = peer;
	feed(w, est);
	f = ww_flows_by_ends(w->flows, &local, &peer);
	assert_non_null(f);
	assert_int_equal(f->cookie, 9);
	assert_true(f->established);
	assert_int_equal(f->owner.pid, 5);
	feed(w, ev_data(3, 6, 9, 1, WW_DIR_OUT, 0, "x")); /* the socket went to another process */
	assert_int_equal(f->owner.pid, 6);
	assert_int_equal(f->owner_changes, 1);
	assert_null(ww_flows_by_ends(w->flows, &peer, &local));
}

/* Held bytes are bounded; what goes is counted. */
static void hold_ceiling(void **state)
{
	struct world *w = *state;
	char big[60001];

	memset(big, 'q', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	for (unsigned i = 0; i < 10; i++)
		feed(w, ev_data(2, 5, 0, 7, WW_DIR_OUT, i * 60000ull, big));
	assert_int_equal(ww_flows_stats(w->flows).lost_bytes, 6 * 60000);
	assert_int_equal(w->seen.lost, 6 * 60000);
	assert_int_equal(w->seen.cause, WW_LOSS_HOLD);
	for (unsigned i = 0; i < 200; i++) /* as many sessions as do not fit together */
		feed(w, ev_data(3, 100 + i, 0, 7, WW_DIR_OUT, 0, big));
	assert_in_range(204 * 60000 - (w->seen.lost - 6 * 60000), WW_HOLD_BYTES_MAX - 120000,
			WW_HOLD_BYTES_MAX);
}

static void endpoint_text(void **state)
{
	static const struct {
		struct ww_endpoint e;
		const char *text;
	} cases[] = {
		{{.family = 2, .addr = {10, 77, 1, 255}, .port = 8443}, "10.77.1.255:8443"},
		{{.family = 2}, "0.0.0.0:0"},
		{{.family = 10, .addr = {[15] = 1}, .port = 443}, "[::1]:443"},
		{{.family = 10, .addr = {[10] = 255, 255, 192, 0, 2, 7}, .port = 1}, "192.0.2.7:1"},
		{{.family = 10, .addr = {32, 1, 13, 184, [15] = 10}, .port = 65535},
		 "[2001:db8::a]:65535"},
		{{.family = 1, .port = 9}, "?:9"},
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(cases); i++) {
		char out[WW_ENDPOINT_TEXT_MAX];

		ww_endpoint_text(&cases[i].e, out);
		assert_string_equal(out, cases[i].text);
	}
}

/* --- channels ------------------------------------------------------------------------------- */

#define CHANNEL (1ull << 63 | 5)

static struct ww_event_stdio *ev_stdio(uint64_t t, uint32_t server, uint32_t agent, uint32_t born,
				       enum ww_stdio_status status)
{
	struct ww_event_stdio *ev = ev_make(sizeof(*ev), WW_EVENT_STDIO, t, server, CHANNEL);

	ev->agent = agent;
	ev->born = born;
	ev->status = status;
	return ev;
}

static struct ww_event_stdio_data *ev_piece(uint64_t t, enum ww_dir dir, uint64_t offset,
					    const char *text)
{
	struct ww_event_stdio_data *ev =
		ev_make(sizeof(*ev) + strlen(text), WW_EVENT_STDIO_DATA, t, 22, CHANNEL);

	ev->offset = offset;
	ev->call_bytes = ev->captured = (uint32_t)strlen(text);
	ev->dir = (uint8_t)dir;
	ev->last = 1;
	memcpy(ev->bytes, text, strlen(text));
	return ev;
}

/* Whose it is, every hole with its place, and its end with the server. */
static void channel(void **state)
{
	struct world *w = *state;

	feed(w, ev_make(sizeof(struct ww_event_exec), WW_EVENT_PROC_EXEC, 100000, 11, 0));
	feed(w, ev_make(sizeof(struct ww_event_exec), WW_EVENT_PROC_EXEC, 100000, 22, 0));
	feed(w, ev_stdio(200000, 22, 11, 1, WW_STDIO_READ));
	assert_int_equal(w->seen.opened, 1);
	feed(w, ev_piece(210000, WW_DIR_OUT, 0, "ask"));
	feed(w, ev_piece(220000, WW_DIR_IN, 0, "tell"));
	feed(w, ev_piece(230000, WW_DIR_OUT, 10, "more"));
	feed(w, ev_make(sizeof(struct ww_event_exit), WW_EVENT_PROC_EXIT, 240000, 22, 0));
	tick(w, 900000000);
	assert_string_equal(w->seen.text[WW_DIR_OUT], "ask[7]more");
	assert_string_equal(w->seen.text[WW_DIR_IN], "tell");
	assert_int_equal(w->seen.closed, 1);
	assert_int_equal(w->seen.last.owner.pid, 11);
	assert_int_equal(w->seen.last.bytes_sent, 14);
	assert_int_equal(w->seen.last.lost_bytes[WW_DIR_OUT], 7);
	assert_int_equal(w->seen.last.how, WW_CLOSE_FIN_PEER);
	assert_true(w->seen.last.seen_birth);
}

/* A shell and what it runs have the same channel: it ends with the last of them, or the agent. */
static void channel_of_several(void **state)
{
	struct world *w = *state;

	for (uint32_t pid = 11; pid <= 33; pid += 11)
		feed(w, ev_make(sizeof(struct ww_event_exec), WW_EVENT_PROC_EXEC, 100000, pid, 0));
	feed(w, ev_stdio(200000, 22, 11, 1, WW_STDIO_READ));
	feed(w, ev_stdio(210000, 33, 11, 1, WW_STDIO_READ));
	feed(w, ev_make(sizeof(struct ww_event_exit), WW_EVENT_PROC_EXIT, 240000, 22, 0));
	tick(w, 900000000);
	assert_int_equal(w->seen.closed, 0);
	feed(w, ev_make(sizeof(struct ww_event_exit), WW_EVENT_PROC_EXIT, 900000001, 11, 0));
	tick(w, 1900000000);
	assert_int_equal(w->seen.closed, 1);
	assert_int_equal(w->seen.last.how, WW_CLOSE_FIN_LOCAL);
}

static void fork_of(struct world *w, uint64_t t, uint32_t parent, uint32_t child)
{
	struct ww_event_fork *ev = ev_make(sizeof(*ev), WW_EVENT_PROC_FORK, t, child, 0);

	ev->parent = (struct ww_actor_key){.pid = parent, .start_ns = 1000ull * parent};
	feed(w, ev);
}

static void look(void *ctx, struct ww_flow *f)
{
	*(bool *)ctx = f->channel->forked;
}

static void count_forked(void *ctx, struct ww_flow *f)
{
	((struct seen *)ctx)->lost += f->channel->forked;
}

static bool is_forked(struct world *w)
{
	bool forked = false;

	ww_flows_each(w->flows, look, &forked);
	return forked;
}

/* A process that the server forked has the channel and no probes, until it executes a program. */
static void channel_forked(void **state)
{
	struct world *w = *state;

	feed(w, ev_stdio(200000, 22, 11, 1, WW_STDIO_READ));
	fork_of(w, 210000, 11, 44); /* of the agent: another one */
	assert_false(is_forked(w));
	fork_of(w, 210000, 22, 33);
	assert_true(is_forked(w));
	feed(w, ev_make(sizeof(struct ww_event_exec), WW_EVENT_PROC_EXEC, 220000, 33, 0));
	assert_false(is_forked(w));
	fork_of(w, 230000, 22, 55);
	fork_of(w, 230000, 55, 66);
	feed(w, ev_make(sizeof(struct ww_event_exec), WW_EVENT_PROC_EXEC, 240000, 55, 0));
	assert_true(is_forked(w)); /* 66 is there still */
	feed(w, ev_make(sizeof(struct ww_event_exit), WW_EVENT_PROC_EXIT, 250000, 66, 0));
	assert_true(is_forked(w)); /* and what it read was not seen */
	feed(w, ev_make(sizeof(struct ww_event_exit), WW_EVENT_PROC_EXIT, 260000, 22, 0));
	tick(w, 900000000);
	assert_int_equal(w->seen.closed, 1);
}

/* It was forked before it was told that the server is one. */
static void channel_forked_before(void **state)
{
	struct world *w = *state;

	feed(w, ev_make(sizeof(struct ww_event_exec), WW_EVENT_PROC_EXEC, 100000, 22, 0));
	fork_of(w, 150000, 22, 33);
	fork_of(w, 160000, 22, 44);
	feed(w, ev_make(sizeof(struct ww_event_exec), WW_EVENT_PROC_EXEC, 170000, 44, 0));
	feed(w, ev_stdio(200000, 22, 11, 1, WW_STDIO_READ));
	feed(w, ev_stdio(210000, 22, 11, 1, WW_STDIO_READ));
	assert_true(is_forked(w));
	feed(w, ev_make(sizeof(struct ww_event_exec), WW_EVENT_PROC_EXEC, 220000, 33, 0));
	assert_false(is_forked(w));
}

/* The server forks and leaves; what it forked has the channel still, under nobody who is watched.
 */
static void channel_orphaned(void **state)
{
	struct world *w = *state;

	for (uint32_t pid = 11; pid <= 22; pid += 11)
		feed(w, ev_make(sizeof(struct ww_event_exec), WW_EVENT_PROC_EXEC, 100000, pid, 0));
	feed(w, ev_stdio(200000, 11, 0, 1, WW_STDIO_OUTSIDE)); /* the tree's root: no channel */
	assert_int_equal(w->seen.opened, 0);
	feed(w, ev_stdio(200000, 22, 11, 1, WW_STDIO_READ));
	fork_of(w, 210000, 22, 33);
	feed(w, ev_make(sizeof(struct ww_event_exit), WW_EVENT_PROC_EXIT, 220000, 22, 0));
	tick(w, 900000000);
	assert_int_equal(w->seen.closed, 0);
	feed(w, ev_make(sizeof(struct ww_event_exec), WW_EVENT_PROC_EXEC, 900000001, 33, 0));
	feed(w, ev_stdio(900000002, 33, 0, 1, WW_STDIO_OUTSIDE));
	assert_true(ww_flows_get(w->flows, CHANNEL)->channel->opaque);
	assert_int_equal(ww_flows_get(w->flows, CHANNEL)->owner.pid, 11);
	feed(w, ev_make(sizeof(struct ww_event_exit), WW_EVENT_PROC_EXIT, 900000003, 33, 0));
	tick(w, 1900000000);
	assert_int_equal(w->seen.closed, 1);
}

/* Of more channels than are remembered nobody knows who has them. */
static void channels_beyond(void **state)
{
	struct world *w = *state;

	for (uint64_t i = 1; i <= WW_CHANNELS_MAX; i++) {
		struct ww_event_stdio *ev = ev_stdio(200000, 44, 11, 1, WW_STDIO_OPAQUE);

		ev->h.cookie = CHANNEL + i;
		feed(w, ev);
	}
	feed(w, ev_stdio(200000, 22, 11, 1, WW_STDIO_READ));
	ww_flows_each(w->flows, count_forked, &w->seen);
	assert_int_equal(w->seen.lost, 1);
}

/* Its begin was not seen: what may stand before is a gap. Bytes that were not taken are one, too.
 */
static void channel_joined_late(void **state)
{
	struct ww_event_stdio_data *bare = ev_piece(210000, WW_DIR_OUT, 0, "unseen\n");
	struct world *w = *state;

	bare->captured = 0;
	bare->h.size = sizeof(*bare);
	bare->line = 1;
	feed(w, ev_stdio(200000, 22, 11, 0, WW_STDIO_READ));
	feed(w, bare);
	feed(w, ev_piece(230000, WW_DIR_OUT, 7, "seen"));
	assert_string_equal(w->seen.text[WW_DIR_OUT], "[1][7]seen");
	assert_int_equal(ww_flows_get(w->flows, CHANNEL)->channel->line[WW_DIR_OUT], 8);
	assert_int_equal(ww_flows_get(w->flows, CHANNEL)->owner.pid,
			 0); /* nobody knows the agent */
}

/* --- QUIC --------------------------------------------------------------------------------------
 */

#define QUIC_SOCKET 900

/* A client's datagram with an Initial: the first `n` bytes of a hello with this name. */
static void *ev_quic(enum ww_dir dir, uint32_t number, const char *dcid, const char *name, size_t n)
{
	struct quic_seal s = {.version = WW_QUIC_V1, .dcid = ww_slice_str(dcid)};
	WW_AUTO_BUF struct ww_buf frames = {0}, out = {0};
	struct ww_event_packet *ev;
	uint8_t hello[256];
	size_t whole = quic_hello(name, (uint8_t)name[0], 0, hello, sizeof(hello));

	ww_buf_init(&frames, 2048);
	ww_buf_init(&out, 2048);
	quic_crypto(&frames, 0, ww_slice_sub(ww_slice(hello, whole), 0, n));
	quic_seal(&out, &s, ww_buf_slice(&frames));
	ev = ev_make(sizeof(*ev) + out.n, WW_EVENT_PACKET, 1000, 10, QUIC_SOCKET);
	ev->peer = ev_endpoint("192.0.2.1", 443);
	ev->payload_bytes = ev->captured = (uint32_t)out.n;
	ev->number = number;
	ev->dir = (uint8_t)dir;
	ev->what = WW_PACKET_QUIC;
	ev->proto = 17;
	memcpy(ev->bytes, out.p, out.n);
	return ev;
}

static void close_quic(struct world *w, uint32_t sent, uint32_t received)
{
	struct ww_event_counters *c = ev_counters(WW_EVENT_FLOW_CLOSE, 2000, QUIC_SOCKET, 7, 8);

	c->proto = 17;
	c->segs_out = sent;
	c->segs_in = received;
	feed(w, c);
	tick(w, 1000000000);
}

static void quic_is_named(void **state)
{
	struct world *w = *state;

	feed(w, ev_quic(WW_DIR_OUT, 0, "12345678", "one.example", 200));
	close_quic(w, 3, 4);
	assert_non_null(strstr(w->seen.record, "\"proto\":\"udp\",\"protoNumber\":17"));
	assert_non_null(strstr(w->seen.record, "\"datagramsSent\":3,\"datagramsReceived\":4}"));
	assert_non_null(strstr(
		w->seen.record,
		"\"quic\":{\"client\":true,\"version\":\"0x00000001\",\"sni\":\"one.example\","
		"\"alpn\":\"h3\",\"ech\":false,\"helloWhole\":true,\"connections\":[{"
		"\"peer\":\"192.0.2.1:443\",\"version\":\"0x00000001\",\"sni\":\"one.example\","
		"\"alpn\":\"h3\",\"ech\":false,\"helloWhole\":true,\"alpnOffered\":1,"
		"\"retried\":false,\"earlyPackets\":0}],\"unread\":0,\"more\":false}"));
}

/* A name is given only where it is that of all; of what was not read nothing is denied. */
static void quic_names_only_what_all_have_in_common(void **state)
{
	struct world *w = *state;

	feed(w, ev_quic(WW_DIR_IN, 0, "12345678", "one.example", 200));
	feed(w, ev_quic(WW_DIR_IN, 1, "87654321", "two.example", 200));
	feed(w, ev_quic(WW_DIR_IN, 2, "cut-off!", "cut.example", 55));
	close_quic(w, 3, WW_QUIC_LOOKED_MAX + 1);
	assert_non_null(strstr(w->seen.record,
			       "\"quic\":{\"client\":false,\"version\":\"0x00000001\",\"sni\":"
			       "null,\"alpn\":null,\"ech\":null,\"helloWhole\":false,"));
	assert_non_null(strstr(w->seen.record, "\"sni\":\"two.example\",\"alpn\":\"h3\","
					       "\"ech\":false,\"helloWhole\":true"));
	assert_non_null(strstr(w->seen.record,
			       "\"sni\":null,\"alpn\":null,\"ech\":null,\"helloWhole\":false"));
	assert_non_null(strstr(w->seen.record, "\"more\":true}"));
}

static void what_does_not_open_is_not_called_quic(void **state)
{
	struct ww_event_packet *ev = ev_quic(WW_DIR_OUT, 0, "12345678", "one.example", 200);
	struct world *w = *state;

	ev->bytes[ev->captured - 1] ^= 1;
	feed(w, ev);
	assert_non_null(ww_flows_get(w->flows, QUIC_SOCKET)->quic);
	close_quic(w, 1, 0);
	assert_non_null(strstr(w->seen.record, "\"proto\":\"udp\""));
	assert_null(strstr(w->seen.record, "quic"));
}

/* As many as the kernel side tells of one socket, or one whose event was lost: there may be more.
 */
static void quic_beyond_what_is_told(void **state)
{
	struct world *w = *state;
	const struct ww_quic *q;

	for (uint32_t i = 0; i < WW_QUIC_TOLD_MAX; i++) {
		feed(w, ev_quic(WW_DIR_OUT, i, "12345678", "one.example", 200));
		q = ww_flows_get(w->flows, QUIC_SOCKET)->quic;
		assert_int_equal(q->more, i == WW_QUIC_TOLD_MAX - 1);
	}
	close_quic(w, WW_QUIC_TOLD_MAX, 0);
	assert_non_null(strstr(w->seen.record, "\"unread\":0,\"more\":true}"));
}

static void quic_with_a_hole(void **state)
{
	struct world *w = *state;

	feed(w, ev_quic(WW_DIR_OUT, 0, "12345678", "one.example", 200));
	feed(w, ev_quic(WW_DIR_OUT, 2, "12345678", "one.example", 200));
	close_quic(w, 3, 0);
	assert_non_null(strstr(w->seen.record, "\"unread\":0,\"more\":true}"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(order_once_and_gaps, setup, teardown),
		cmocka_unit_test_setup_teardown(session_forgotten_by_the_kernel, setup, teardown),
		cmocka_unit_test_setup_teardown(late_binding_by_the_kernel, setup, teardown),
		cmocka_unit_test_setup_teardown(other_end_out_of_sight, setup, teardown),
		cmocka_unit_test_setup_teardown(nobody_left_to_bind, setup, teardown),
		cmocka_unit_test_setup_teardown(cap_is_a_gap, setup, teardown),
		cmocka_unit_test_setup_teardown(late_binding_by_random, setup, teardown),
		cmocka_unit_test_setup_teardown(one_random_two_sockets, setup, teardown),
		cmocka_unit_test_setup_teardown(owner_known_late, setup, teardown),
		cmocka_unit_test_setup_teardown(silent_direction, setup, teardown),
		cmocka_unit_test_setup_teardown(end_of_a_late_bound_session, setup, teardown),
		cmocka_unit_test_setup_teardown(hello_after_hello, setup, teardown),
		cmocka_unit_test_setup_teardown(one_hello_sent_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(binding_by_prefix, setup, teardown),
		cmocka_unit_test_setup_teardown(bare_pointer_means_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(answers_wait_for_what_they_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(answers_wait_for_nothing_that_is_here, setup,
						teardown),
		cmocka_unit_test_setup_teardown(answers_whose_question_is_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(answers_do_not_wait_for_ever, setup, teardown),
		cmocka_unit_test_setup_teardown(answers_before_the_end, setup, teardown),
		cmocka_unit_test_setup_teardown(answers_beyond_the_ceiling, setup, teardown),
		cmocka_unit_test_setup_teardown(answers_beyond_the_ceiling_of_all, setup, teardown),
		cmocka_unit_test_setup_teardown(linger, setup, teardown),
		cmocka_unit_test_setup_teardown(finish_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(owner_and_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(hold_ceiling, setup, teardown),
		cmocka_unit_test_setup_teardown(channel, setup, teardown),
		cmocka_unit_test_setup_teardown(channel_of_several, setup, teardown),
		cmocka_unit_test_setup_teardown(channel_forked, setup, teardown),
		cmocka_unit_test_setup_teardown(channel_joined_late, setup, teardown),
		cmocka_unit_test_setup_teardown(channel_forked_before, setup, teardown),
		cmocka_unit_test_setup_teardown(channel_orphaned, setup, teardown),
		cmocka_unit_test_setup_teardown(channels_beyond, setup, teardown),
		cmocka_unit_test_setup_teardown(quic_is_named, setup, teardown),
		cmocka_unit_test_setup_teardown(quic_names_only_what_all_have_in_common, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_does_not_open_is_not_called_quic, setup,
						teardown),
		cmocka_unit_test_setup_teardown(quic_beyond_what_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(quic_with_a_hole, setup, teardown),
		cmocka_unit_test(endpoint_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
