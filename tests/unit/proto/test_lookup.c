/* SPDX-License-Identifier: Apache-2.0 */
/* Attacks the invariants of lookup.h, by number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../lib/events.h"
#include "base/json_write.h"
#include "dns_messages.h"
#include "proto/lookup.h"

#define UDP 17
#define TCP 6

static struct ww_lookups *lookups;
static struct ww_lookup last;
static struct ww_dns answer;
static unsigned done_count, answered, unread;
static unsigned serials[8192];
static uint32_t numbers[2][16384]; /* of the next datagram, by direction and socket */

static void done(void *ctx, const struct ww_lookup *l)
{
	last = *l;
	if (l->answer)
		answer = *l->answer;
	answered += l->end == WW_LOOKUP_ANSWERED;
	assert_true((l->end == WW_LOOKUP_ANSWERED) == (l->answer != NULL));
	assert_true(l->serial < WW_ARRAY_SIZE(serials));
	assert_int_equal(serials[l->serial]++, 0); /* invariant 3 */
	done_count++;
}

static void not_read(void *ctx, uint64_t cgroup)
{
	assert_int_equal(cgroup, EV_CGROUP);
	unread++;
}

static int begin(void **state)
{
	static const struct ww_lookup_ops ops = {done, not_read};

	done_count = answered = unread = 0;
	memset(serials, 0, sizeof(serials));
	memset(numbers, 0, sizeof(numbers));
	return ww_lookups_new(&ops, NULL, &lookups);
}

static int finish(void **state)
{
	ww_lookups_finish(lookups);
	ww_lookups_free(lookups);
	return 0;
}

static void feed(struct ww_event_packet *ev)
{
	assert_int_equal(ww_lookups_feed(lookups, &ev->h), 0);
	free(ev);
}

static struct ww_event_packet *packet(uint64_t t, uint64_t cookie, enum ww_dir dir,
				      const struct dns_message *m)
{
	struct ww_event_packet *ev = ev_packet(t, 7, cookie, UDP, dir, 0, m->bytes, m->n);

	ev->number = numbers[dir][cookie]++;
	return ev;
}

static void ask(uint64_t t, uint64_t cookie, unsigned id, const char *name)
{
	struct dns_message m = dns_make(id, false, name, WW_DNS_A);

	feed(packet(t, cookie, WW_DIR_OUT, &m));
}

static void reply(uint64_t t, uint64_t cookie, unsigned id, const char *name)
{
	struct dns_message m = dns_make(id, true, name, WW_DNS_A);

	dns_add_a(&m, name, 60, "10.1.2.3");
	feed(packet(t, cookie, WW_DIR_IN, &m));
}

static struct ww_lookup_counts closed(uint64_t cookie)
{
	struct ww_lookup_counts c = {0};

	assert_true(ww_lookups_closed(lookups, cookie, &c));
	return c;
}

/* --- invariant 1 ---------------------------------------------------------------------------------
 */

static void must_match_in_everything(void **state)
{
	struct dns_message m = dns_make(9, true, "api.test", WW_DNS_AAAA);
	struct ww_event_packet *ev;

	ask(1, 5, 9, "api.test");
	ask(1, 6, 9, "api.test");
	reply(2, 5, 8, "api.test");        /* another id */
	reply(2, 5, 9, "api.test.evil");   /* another name */
	feed(packet(2, 5, WW_DIR_IN, &m)); /* another type */
	m = dns_make(9, true, "api.test", WW_DNS_A);
	ev = packet(2, 5, WW_DIR_IN, &m);
	ev->peer.addr[3]++; /* another server */
	feed(ev);
	ev = packet(2, 5, WW_DIR_IN, &m);
	ev->peer.port = 5353; /* another of its ports */
	feed(ev);
	feed(packet(2, 5, WW_DIR_OUT, &m)); /* it goes the wrong way */
	m.bytes[5] = 2;                     /* two questions, of which one is there */
	feed(packet(2, 5, WW_DIR_IN, &m));
	reply(2, 7, 9, "api.test"); /* a socket that asked nothing */
	assert_int_equal(done_count, 0);
	reply(3, 5, 9, "API.Test");
	assert_int_equal(answered, 1);
	assert_int_equal(last.cookie, 5);
	assert_int_equal(last.asked.ns, 1);
	assert_int_equal(last.answered.ns, 3);
	assert_int_equal(last.actor.pid, 7);
	assert_int_equal(last.unmatched, 6);
	assert_int_equal(last.unread, 1);
	/* A second one is late. */
	reply(4, 5, 9, "api.test");
	assert_int_equal(answered, 1);
	assert_int_equal(closed(5).unmatched, 7);
	assert_int_equal(closed(7).unmatched, 1);
	assert_int_equal(done_count, 1);
	assert_int_equal(closed(6).unmatched, 0);
	assert_int_equal(done_count, 2);
	assert_int_equal(last.end, WW_LOOKUP_UNANSWERED);
}

static void servers_that_were_asked(void **state)
{
	struct dns_message q = dns_make(9, false, "api.test", WW_DNS_A);
	struct dns_message m = dns_make(9, true, "api.test", WW_DNS_A);
	struct ww_event_packet *ev;

	ask(1, 5, 9, "api.test");
	ev = packet(2, 5, WW_DIR_OUT, &q);
	ev->peer = ev_endpoint("10.0.0.54", 53);
	feed(ev);
	ev = packet(3, 5, WW_DIR_IN, &m);
	ev->peer = ev_endpoint("10.0.0.53", 53);
	feed(ev);
	assert_int_equal(answered, 1);
	assert_int_equal(last.asks, 2);
	assert_int_equal(last.asked.ns, 1);
	assert_int_equal(last.server.addr[3], 53);
}

/* --- invariant 2 ---------------------------------------------------------------------------------
 */

static void must_not_read_what_is_cut(void **state)
{
	struct dns_message m = dns_make(9, true, "api.test", WW_DNS_A);
	struct ww_event_packet *ev;

	dns_add_a(&m, "api.test", 60, "10.1.2.3");
	ask(1, 5, 9, "api.test");
	ev = packet(2, 5, WW_DIR_IN, &m);
	ev->captured--;
	ev->h.size--;
	feed(ev);
	m.n--;
	feed(packet(2, 5, WW_DIR_IN, &m));
	assert_int_equal(done_count, 0);
	assert_int_equal(unread, 2);
	assert_int_equal(closed(5).unread, 2);
	assert_int_equal(last.end, WW_LOOKUP_UNANSWERED);
	assert_int_equal(last.unread, 2);
}

/* The event of the answer is lost: what comes after it, for who asked it was too late. */
static void must_not_take_a_later_answer(void **state)
{
	ask(1, 5, 1, "a.test");
	ask(1, 5, 2, "b.test");
	numbers[WW_DIR_IN][5] += 2;
	reply(2, 5, 1, "a.test");
	assert_int_equal(answered, 0);
	assert_int_equal(done_count, 2);
	assert_int_equal(last.end, WW_LOOKUP_UNFOLLOWED);
	assert_int_equal(last.unread, 2);
	assert_int_equal(unread, 1);
	/* What is asked afterwards is answered. */
	ask(3, 5, 3, "a.test");
	reply(4, 5, 3, "a.test");
	assert_int_equal(answered, 1);
	/* A question that was lost is none. */
	numbers[WW_DIR_OUT][5]++;
	ask(5, 5, 5, "a.test");
	reply(6, 5, 5, "a.test");
	assert_int_equal(answered, 2);
	assert_int_equal(closed(5).unread, 3);
}

/* How many went before a socket was followed is not known; how many are missing since then is. */
static void must_count_what_is_lost_since(void **state)
{
	numbers[WW_DIR_OUT][5] = 3;
	ask(1, 5, 1, "a.test");
	numbers[WW_DIR_OUT][5] += 3;
	ask(2, 5, 2, "b.test");
	numbers[WW_DIR_IN][5] = 9;
	reply(3, 5, 2, "b.test");
	numbers[WW_DIR_IN][5] += 2;
	reply(4, 5, 2, "b.test");
	assert_int_equal(closed(5).unread, 1 + 3 + 1 + 2);
}

static void must_take_no_event_twice(void **state)
{
	struct dns_message m = dns_make(1, false, "a.test", WW_DNS_A);
	struct ww_event_packet *ev = packet(1, 5, WW_DIR_OUT, &m);

	assert_int_equal(ww_lookups_feed(lookups, &ev->h), 0);
	feed(ev);
	reply(2, 5, 1, "a.test");
	assert_int_equal(last.asks, 1);
	numbers[WW_DIR_IN][5]--;
	reply(2, 5, 1, "a.test");
	assert_int_equal(closed(5).unmatched, 0);
}

/* --- streams -------------------------------------------------------------------------------------
 */

static struct dns_message framed(const struct dns_message *m)
{
	struct dns_message out = {0};

	dns_put16(&out, (unsigned)m->n);
	memcpy(out.bytes + 2, m->bytes, m->n);
	out.n += m->n;
	return out;
}

static void segment(enum ww_dir dir, uint64_t offset, const uint8_t *bytes, size_t n)
{
	feed(ev_packet(1, 7, 5, TCP, dir, offset, bytes, n));
}

/* Two questions, then their answers in the other order, in such pieces; every second piece twice.
 */
static void in_pieces(size_t step)
{
	struct dns_message q[2] = {dns_make(1, false, "a.test", WW_DNS_A),
				   dns_make(2, false, "b.test", WW_DNS_A)};
	struct dns_message m[2] = {dns_make(2, true, "b.test", WW_DNS_A),
				   dns_make(1, true, "a.test", WW_DNS_A)};
	struct dns_message out = framed(&q[0]), in = framed(&m[0]), more = framed(&q[1]);

	memcpy(out.bytes + out.n, more.bytes, more.n);
	out.n += more.n;
	more = framed(&m[1]);
	memcpy(in.bytes + in.n, more.bytes, more.n);
	in.n += more.n;
	for (size_t at = 0; at < out.n; at += step)
		segment(WW_DIR_OUT, at, out.bytes + at, step < out.n - at ? step : out.n - at);
	for (size_t at = 0; at < in.n; at += step) {
		size_t n = step < in.n - at ? step : in.n - at;

		segment(WW_DIR_IN, at, in.bytes + at, n);
		if (at / step % 2)
			segment(WW_DIR_IN, at - step, in.bytes + at - step, n + step);
	}
}

static void frames_in_any_pieces(void **state)
{
	for (size_t step = 1; step < 80; step++) {
		finish(NULL);
		begin(NULL);
		in_pieces(step);
		assert_int_equal(answered, 2);
		assert_int_equal(unread, 0);
		assert_int_equal(closed(5).answers, 2);
	}
}

static void must_not_go_on_behind_a_hole(void **state)
{
	struct dns_message q = dns_make(1, false, "a.test", WW_DNS_A);
	struct dns_message m = dns_make(1, true, "a.test", WW_DNS_A), in = framed(&m);
	struct dns_message out = framed(&q);

	segment(WW_DIR_OUT, 0, out.bytes, out.n);
	segment(WW_DIR_IN, 1, in.bytes + 1, in.n - 1);
	segment(WW_DIR_IN, 0, in.bytes, in.n); /* too late */
	assert_int_equal(done_count, 0);
	assert_int_equal(closed(5).unread, 1);
	assert_int_equal(last.end, WW_LOOKUP_UNANSWERED);
	assert_int_equal(last.unread, 1);
}

static void must_not_go_on_behind_a_cap(void **state)
{
	struct dns_message q = dns_make(1, false, "a.test", WW_DNS_A), out = framed(&q);
	struct dns_message m = dns_make(1, true, "a.test", WW_DNS_A), in = framed(&m);
	struct ww_event_packet *ev = ev_packet(1, 7, 5, TCP, WW_DIR_IN, 0, in.bytes, in.n);

	segment(WW_DIR_OUT, 0, out.bytes, out.n);
	ev->payload_bytes += 10; /* the message is whole, what follows is not */
	feed(ev);
	assert_int_equal(answered, 1);
	segment(WW_DIR_OUT, out.n, out.bytes, out.n);
	segment(WW_DIR_IN, in.n + 10, in.bytes, in.n);
	assert_int_equal(answered, 1);
	assert_int_equal(closed(5).unread, 1);
}

/* --- ceilings and time ---------------------------------------------------------------------------
 */

static void must_end_what_waits(void **state)
{
	ask(1, 5, 1, "a.test");
	ask(2, 5, 2, "b.test");
	ask(3, 5, 1, "a.test"); /* again: its time begins anew */
	ww_lookups_tick(lookups, (struct ww_boot){1 + WW_LOOKUP_WAIT_NS});
	assert_int_equal(done_count, 0);
	ww_lookups_tick(lookups, (struct ww_boot){2 + WW_LOOKUP_WAIT_NS});
	assert_int_equal(done_count, 1);
	assert_int_equal(last.serial, 1);
	reply(3 + WW_LOOKUP_WAIT_NS, 5, 2, "b.test");
	assert_int_equal(answered, 0);
	ww_lookups_tick(lookups, (struct ww_boot){3 + WW_LOOKUP_WAIT_NS});
	assert_int_equal(done_count, 2);
	assert_int_equal(last.end, WW_LOOKUP_UNANSWERED);
	assert_int_equal(last.unmatched, 1);
}

static void must_let_the_oldest_go(void **state)
{
	for (unsigned i = 0; i < WW_LOOKUPS_MAX; i++)
		ask(i, 5 + i % 2, i, "a.test");
	assert_int_equal(done_count, 0);
	ask(WW_LOOKUPS_MAX, 5, WW_LOOKUPS_MAX, "a.test");
	assert_int_equal(done_count, 1);
	assert_int_equal(last.serial, 0);
	assert_int_equal(last.end, WW_LOOKUP_UNFOLLOWED);
}

static void must_let_the_oldest_socket_go(void **state)
{
	struct ww_lookup_counts c;

	for (unsigned i = 0; i < WW_LOOKUP_SOCKETS_MAX; i++)
		reply(i, 100 + i, 1, "a.test");
	ask(5000, 100, 1, "a.test"); /* no longer the oldest */
	ask(5001, 101, 1, "a.test");
	for (unsigned i = 0; i < WW_LOOKUP_SOCKETS_MAX - 1; i++)
		reply(6000 + i, 10000 + i, 1, "a.test");
	assert_int_equal(done_count, 1);
	assert_int_equal(last.cookie, 100);
	assert_int_equal(last.end, WW_LOOKUP_UNFOLLOWED);
	assert_false(ww_lookups_closed(lookups, 100, &c));
	assert_true(ww_lookups_closed(lookups, 101, &c));
}

/* Names as long as they can be, all characters escaped twice: the record must keep its ceiling. */
static void must_fit_a_record(void **state)
{
	WW_AUTO_BUF struct ww_buf b = {0};
	struct ww_dns_address hint = {.v6 = true};
	struct ww_clock_map clock = {0};
	struct ww_jsonw w;

	memset(hint.bytes, 0xfe, sizeof(hint.bytes));
	memset(&last, 0, sizeof(last));
	answer.records = WW_DNS_RECORDS_MAX;
	answer.more = false;
	for (unsigned i = 0; i < WW_DNS_RECORDS_MAX; i++) {
		struct ww_dns_record *rr = &answer.record[i];

		*rr = (struct ww_dns_record){.type = WW_DNS_HTTPS, .addresses = WW_DNS_HINTS_MAX};
		for (unsigned k = 0; k < 4; k++) {
			unsigned n = k < 3 ? 63 : 61;

			rr->name.bytes[rr->name.n] = (uint8_t)n;
			memset(rr->name.bytes + rr->name.n + 1, 0xff, n);
			rr->name.n += n + 1;
		}
		rr->name.bytes[rr->name.n++] = 0;
		assert_int_equal(rr->name.n, WW_DNS_NAME_BYTES);
		rr->target = rr->name;
		for (unsigned k = 0; k < WW_DNS_HINTS_MAX; k++)
			rr->address[k] = hint;
	}
	last.name = answer.record[0].name;
	last.answer = &answer;
	ww_buf_init(&b, WW_RECORD_BYTES_MAX);
	ww_jsonw_init(&w, &b);
	ww_lookup_write(&last, &clock, &w);
	assert_true(ww_jsonw_ok(&w));
	assert_int_equal(ww_buf_add(&b, "", 1), 0);
	assert_non_null(strstr((char *)b.p, "\"more\":true"));
	assert_true(b.n < WW_RECORD_BYTES_MAX * 3 / 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(must_match_in_everything, begin, finish),
		cmocka_unit_test_setup_teardown(servers_that_were_asked, begin, finish),
		cmocka_unit_test_setup_teardown(must_not_read_what_is_cut, begin, finish),
		cmocka_unit_test_setup_teardown(must_not_take_a_later_answer, begin, finish),
		cmocka_unit_test_setup_teardown(must_count_what_is_lost_since, begin, finish),
		cmocka_unit_test_setup_teardown(must_take_no_event_twice, begin, finish),
		cmocka_unit_test_setup_teardown(frames_in_any_pieces, begin, finish),
		cmocka_unit_test_setup_teardown(must_not_go_on_behind_a_hole, begin, finish),
		cmocka_unit_test_setup_teardown(must_not_go_on_behind_a_cap, begin, finish),
		cmocka_unit_test_setup_teardown(must_end_what_waits, begin, finish),
		cmocka_unit_test_setup_teardown(must_let_the_oldest_go, begin, finish),
		cmocka_unit_test_setup_teardown(must_let_the_oldest_socket_go, begin, finish),
		cmocka_unit_test(must_fit_a_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
