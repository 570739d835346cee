/* SPDX-License-Identifier: Apache-2.0 */
/* The byte account: must-fail cases first. Numbers are those of TLS 1.3 with AES-256-GCM unless
 * said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../lib/events.h"
#include "flow/account.h"

struct world {
	struct ww_flow flow;
	struct ww_account_dir dirs[2];
	uint64_t now;
	uint16_t index[2]; /* of the next record */
};

static struct world tls13(void)
{
	struct world w = {0};

	w.flow.tls = true;
	w.flow.role = WW_FLOW_CONNECT;
	w.flow.tls_facts.version = 0x0304;
	w.flow.tls_facts.cipher = 0x1302;
	return w;
}

static void record(struct world *w, enum ww_dir dir, uint8_t type, uint32_t bytes)
{
	WW_AUTO_FREE struct ww_event_record *ev = ev_record(++w->now, 1, dir, type, bytes);

	ev->index = w->index[dir]++;
	ww_account_add_record(&w->dirs[dir], ev);
}

/* A client's full handshake: 517 out, the server's flight in, our Finished out. */
static void handshake(struct world *w)
{
	record(w, WW_DIR_OUT, 22, 517);
	record(w, WW_DIR_IN, 22, 127);
	record(w, WW_DIR_IN, 20, 6);
	record(w, WW_DIR_IN, 23, 900);
	record(w, WW_DIR_OUT, 20, 6);
	record(w, WW_DIR_OUT, 23, 74);
}

#define HANDSHAKE_OUT (517 + 6 + 74)
#define HANDSHAKE_IN  (127 + 6 + 900)

static void hidden_kilobyte_shows(void **state)
{
	struct world w = tls13();

	handshake(&w);
	record(&w, WW_DIR_OUT, 23, 500 + 22);
	ww_account_add_call(&w.dirs[WW_DIR_OUT], WW_DIR_OUT, 500, 500);
	w.flow.bytes_sent = HANDSHAKE_OUT + 500 + 22 + 24 + 1024 +
			    22; /* close_notify, and what nobody explained */
	ww_account_close(&w.flow, w.dirs, true);
	assert_true(w.flow.account[WW_DIR_OUT].checked);
	assert_true(w.flow.account[WW_DIR_OUT].remainder >= 1024);
}

/* A private TLS copy that writes before the first visible call cannot pass as handshake. */
static void hidden_before_first_call_shows(void **state)
{
	struct world w = tls13();

	handshake(&w);
	record(&w, WW_DIR_OUT, 23, 1024 + 22);
	record(&w, WW_DIR_OUT, 23, 500 + 22);
	ww_account_add_call(&w.dirs[WW_DIR_OUT], WW_DIR_OUT, 500, 500);
	w.flow.bytes_sent = HANDSHAKE_OUT + 1046 + 522;
	ww_account_close(&w.flow, w.dirs, true);
	assert_true(w.flow.account[WW_DIR_OUT].remainder >= 900);
}

/* A request and a reply of just the size of a Finished record are not taken for it. */
static void sizes_of_the_handshake(void **state)
{
	struct world w = tls13();

	record(&w, WW_DIR_OUT, 22, 517);
	record(&w, WW_DIR_IN, 22, 127);
	record(&w, WW_DIR_IN, 23, 900);
	record(&w, WW_DIR_IN, 23, 74);
	record(&w, WW_DIR_OUT, 20, 6);
	record(&w, WW_DIR_OUT, 23, 74);
	record(&w, WW_DIR_OUT, 23, 52 + 22);
	record(&w, WW_DIR_IN, 23, 255);
	record(&w, WW_DIR_IN, 23, 255);
	record(&w, WW_DIR_IN, 23, 52 + 22);
	ww_account_add_call(&w.dirs[WW_DIR_OUT], WW_DIR_OUT, 52, 52);
	ww_account_add_call(&w.dirs[WW_DIR_IN], WW_DIR_IN, 52, 65536);
	w.flow.bytes_sent = 517 + 6 + 74 + 74;
	w.flow.bytes_received = 127 + 900 + 74 + 2 * 255 + 74;
	ww_account_close(&w.flow, w.dirs, true);
	assert_true(w.flow.account[WW_DIR_OUT].checked && w.flow.account[WW_DIR_IN].checked);
	assert_int_equal(w.flow.account[WW_DIR_OUT].remainder, 0);
	assert_int_equal(w.flow.account[WW_DIR_IN].remainder, 0);
	assert_int_equal(w.flow.account[WW_DIR_IN].tickets, 510);
}

/* Nor can so little that one more small handshake message could be of its size. */
static void hidden_request_of_a_few_bytes_shows(void **state)
{
	struct world w = tls13();

	w.flow.tls_facts.cipher = 0x1301;
	record(&w, WW_DIR_OUT, 22, 517);
	record(&w, WW_DIR_IN, 22, 127);
	record(&w, WW_DIR_OUT, 20, 6);
	record(&w, WW_DIR_OUT, 23, 58); /* Finished with SHA-256 */
	record(&w, WW_DIR_OUT, 23, 93 + 22);
	record(&w, WW_DIR_OUT, 23, 100 + 22);
	ww_account_add_call(&w.dirs[WW_DIR_OUT], WW_DIR_OUT, 100, 100);
	w.flow.bytes_sent = 517 + 6 + 58 + 93 + 22 + 100 + 22;
	ww_account_close(&w.flow, w.dirs, true);
	assert_true(w.flow.account[WW_DIR_OUT].checked);
	assert_int_equal(w.flow.account[WW_DIR_OUT].remainder, 93 + 22);
}

/* A reply that no hook saw, before one that was read, is no ticket. */
static void hidden_reply_shows(void **state)
{
	struct world w = tls13();

	handshake(&w);
	record(&w, WW_DIR_OUT, 23, 100 + 22);
	ww_account_add_call(&w.dirs[WW_DIR_OUT], WW_DIR_OUT, 100, 100);
	record(&w, WW_DIR_IN, 23, 255);
	record(&w, WW_DIR_IN, 23, 255);
	record(&w, WW_DIR_IN, 23, 180 + 22);
	record(&w, WW_DIR_IN, 23, 300 + 22);
	ww_account_add_call(&w.dirs[WW_DIR_IN], WW_DIR_IN, 300, 65536);
	w.flow.bytes_sent = HANDSHAKE_OUT + 122;
	w.flow.bytes_received = HANDSHAKE_IN + 2 * 255 + 202 + 322;
	ww_account_close(&w.flow, w.dirs, true);
	assert_true(w.flow.account[WW_DIR_IN].checked);
	assert_int_equal(w.flow.account[WW_DIR_IN].tickets, 510);
	assert_int_equal(w.flow.account[WW_DIR_IN].remainder, 202);
}

/* Nothing was read: two records alike are tickets, one may be a reply, another length is one. */
static void unread_reply_shows(void **state)
{
	static const struct {
		unsigned count;
		uint32_t bytes[3];
		int64_t remainder;
		uint64_t alike;
	} cases[] = {
		{0, {0}, 0, 0},
		{1, {255}, 0, 255},
		{2, {255, 255}, 0, 0},
		{3, {255, 255, 202}, 202, 0},
		{2, {255, 202}, 202, 255},
		{2, {255, 271}, 0, 0}, /* one block apart */
		{3, {271, 255, 271}, 0, 0},
		{2, {255, 270}, 270, 255},
		{2, {255, 287}, 287, 255},
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(cases); i++) {
		struct world w = tls13();

		handshake(&w);
		record(&w, WW_DIR_OUT, 23, 100 + 22);
		ww_account_add_call(&w.dirs[WW_DIR_OUT], WW_DIR_OUT, 100, 100);
		w.flow.bytes_received = HANDSHAKE_IN;
		for (unsigned k = 0; k < cases[i].count; k++) {
			record(&w, WW_DIR_IN, 23, cases[i].bytes[k]);
			w.flow.bytes_received += cases[i].bytes[k];
		}
		ww_account_close(&w.flow, w.dirs, true);
		assert_int_equal(w.flow.account[WW_DIR_IN].remainder, cases[i].remainder);
		assert_int_equal(w.flow.account[WW_DIR_IN].tickets_alike, cases[i].alike);
	}
}

/* A library that is not read: what came after our Finished is no handshake, however often we sent
 * something later. */
static void replies_of_an_unread_library(void **state)
{
	struct world w = tls13();

	handshake(&w);
	record(&w, WW_DIR_OUT, 23, 322);
	record(&w, WW_DIR_IN, 23, 255);
	record(&w, WW_DIR_IN, 23, 255);
	record(&w, WW_DIR_IN, 23, 5000);
	record(&w, WW_DIR_OUT, 23, 24); /* close_notify */
	w.flow.bytes_sent = HANDSHAKE_OUT + 346;
	w.flow.bytes_received = HANDSHAKE_IN + 5510;
	ww_account_close(&w.flow, w.dirs, true);
	assert_int_equal(w.flow.account[WW_DIR_IN].handshake, HANDSHAKE_IN);
	assert_int_equal(w.flow.account[WW_DIR_IN].tickets, 510);
	assert_int_equal(w.flow.account[WW_DIR_IN].remainder, 5000);
}

static void not_checked_when_unknown(void **state)
{
	struct world w = tls13();

	handshake(&w);
	ww_account_add_call(&w.dirs[WW_DIR_OUT], WW_DIR_OUT, 500,
			    500); /* no record of that size was seen */
	w.flow.bytes_sent = 5000;
	ww_account_close(&w.flow, w.dirs, true);
	assert_false(w.flow.account[WW_DIR_OUT].checked);

	w = tls13();
	handshake(&w);
	record(&w, WW_DIR_OUT, 23, 522);
	ww_account_add_call(&w.dirs[WW_DIR_OUT], WW_DIR_OUT, 500, 500);
	ww_account_close(&w.flow, w.dirs, false); /* the walk lost its place */
	assert_false(w.flow.account[WW_DIR_OUT].checked);
	w.dirs[WW_DIR_OUT].calls_lost = true;
	ww_account_close(&w.flow, w.dirs, true);
	assert_false(w.flow.account[WW_DIR_OUT].checked);
	w.dirs[WW_DIR_OUT].calls_lost = false;
	w.flow.tls_facts.cipher = 0x1234; /* TLS 1.2 suite that is not in the table */
	w.flow.tls_facts.version = 0x0303;
	ww_account_close(&w.flow, w.dirs, true);
	assert_false(w.flow.account[WW_DIR_OUT].checked);
}

/* The record of the first call was lost: the next one must not pass for it, with that one among the
 * tickets. The same record twice is one. */
static void lost_record_shows(void **state)
{
	struct world w = tls13();
	const struct ww_account *in = &w.flow.account[WW_DIR_IN];

	handshake(&w);
	record(&w, WW_DIR_OUT, 23, 522);
	ww_account_add_call(&w.dirs[WW_DIR_OUT], WW_DIR_OUT, 500, 500);
	record(&w, WW_DIR_IN, 23, 900 + 22); /* nobody's */
	w.index[WW_DIR_IN]--;
	record(&w, WW_DIR_IN, 23, 900 + 22);
	w.flow.bytes_sent = HANDSHAKE_OUT + 522;
	w.flow.bytes_received = HANDSHAKE_IN + 922 + 422 + 422;
	for (unsigned i = 0; i < 2; i++)
		ww_account_add_call(&w.dirs[WW_DIR_IN], WW_DIR_IN, 400, 65536);
	w.index[WW_DIR_IN]++; /* lost: 400 + 22 */
	record(&w, WW_DIR_IN, 23, 400 + 22);
	ww_account_close(&w.flow, w.dirs, true);
	assert_int_equal(in->tickets, 922);
	assert_false(in->checked);
	assert_true(w.flow.account[WW_DIR_OUT].checked);
}

static void closes_to_zero(void **state)
{
	struct world w = tls13();
	const struct ww_account *out = &w.flow.account[WW_DIR_OUT],
				*in = &w.flow.account[WW_DIR_IN];

	handshake(&w);
	record(&w, WW_DIR_OUT, 23, 700 + 22);
	record(&w, WW_DIR_IN, 23, 255); /* two tickets after our Finished */
	record(&w, WW_DIR_IN, 23, 255);
	record(&w, WW_DIR_IN, 23, 1400 + 22);
	for (unsigned i = 0; i < 100; i++) {
		ww_account_add_call(&w.dirs[WW_DIR_OUT], WW_DIR_OUT, 700, 700);
		ww_account_add_call(&w.dirs[WW_DIR_IN], WW_DIR_IN, 1400, 65536);
	}
	ww_account_add_call(&w.dirs[WW_DIR_OUT], WW_DIR_OUT, 40000, 40000); /* three records */
	w.flow.bytes_sent = HANDSHAKE_OUT + 100 * 722 + 40000 + 3 * 22;
	w.flow.bytes_received = HANDSHAKE_IN + 2 * 255 + 100 * 1422;
	ww_account_close(&w.flow, w.dirs, true);
	assert_true(out->checked && in->checked);
	assert_int_equal(out->remainder, 0);
	assert_int_equal(in->remainder, 0);
	assert_int_equal(out->handshake, HANDSHAKE_OUT);
	assert_int_equal(in->handshake, HANDSHAKE_IN);
	assert_int_equal(in->tickets, 510);
	assert_int_equal(in->overhead, in->overhead_max);
}

/* A read that filled a small buffer may or may not have ended its record: both bounds are kept. */
static void small_buffers_have_bounds(void **state)
{
	struct world w = tls13();

	handshake(&w);
	record(&w, WW_DIR_IN, 23, 3000 + 22);
	ww_account_add_call(&w.dirs[WW_DIR_IN], WW_DIR_IN, 1000, 1000);
	ww_account_add_call(&w.dirs[WW_DIR_IN], WW_DIR_IN, 1000, 1000);
	ww_account_add_call(&w.dirs[WW_DIR_IN], WW_DIR_IN, 1000, 4000);
	w.flow.bytes_received = HANDSHAKE_IN + 3022;
	ww_account_close(&w.flow, w.dirs, true);
	assert_true(w.flow.account[WW_DIR_IN].checked);
	assert_int_equal(w.flow.account[WW_DIR_IN].overhead, 22);
	assert_int_equal(w.flow.account[WW_DIR_IN].overhead_max, 66);
	assert_int_equal(w.flow.account[WW_DIR_IN].remainder, 0);
}

/* Reads of exactly 2^14 bytes are whole records: Node reads that way. */
static void full_records(void **state)
{
	struct world w = tls13();

	handshake(&w);
	record(&w, WW_DIR_IN, 23, 16384 + 22);
	for (unsigned i = 0; i < 4; i++)
		ww_account_add_call(&w.dirs[WW_DIR_IN], WW_DIR_IN, 16384, 16384);
	w.flow.bytes_received = HANDSHAKE_IN + 4 * 16406;
	ww_account_close(&w.flow, w.dirs, true);
	assert_int_equal(w.flow.account[WW_DIR_IN].overhead, 88);
	assert_int_equal(w.flow.account[WW_DIR_IN].overhead_max, 88);
	assert_int_equal(w.flow.account[WW_DIR_IN].remainder, 0);
}

static void tls12(void **state)
{
	struct world w = tls13();

	w.flow.tls_facts.version = 0x0303;
	w.flow.tls_facts.cipher = 0xc02f;
	record(&w, WW_DIR_OUT, 22, 200);
	record(&w, WW_DIR_OUT, 22, 75);
	record(&w, WW_DIR_OUT, 20, 6);
	record(&w, WW_DIR_OUT, 22, 45);
	record(&w, WW_DIR_OUT, 23, 100 + 29);
	ww_account_add_call(&w.dirs[WW_DIR_OUT], WW_DIR_OUT, 100, 100);
	w.flow.bytes_sent = 326 + 129;
	ww_account_close(&w.flow, w.dirs, true);
	assert_true(w.flow.account[WW_DIR_OUT].checked);
	assert_int_equal(w.flow.account[WW_DIR_OUT].remainder, 0);
}

/* Tickets are handshake records there: application data that nobody read is a reply. */
static void tls12_unread_reply_shows(void **state)
{
	struct world w = tls13();

	w.flow.tls_facts.version = 0x0303;
	w.flow.tls_facts.cipher = 0xc02f;
	record(&w, WW_DIR_OUT, 22, 200);
	record(&w, WW_DIR_IN, 22, 3000);
	record(&w, WW_DIR_OUT, 23, 100 + 29);
	record(&w, WW_DIR_IN, 23, 180 + 29);
	ww_account_add_call(&w.dirs[WW_DIR_OUT], WW_DIR_OUT, 100, 100);
	w.flow.bytes_received = 3000 + 209;
	ww_account_close(&w.flow, w.dirs, true);
	assert_int_equal(w.flow.account[WW_DIR_IN].remainder, 209);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hidden_kilobyte_shows),
		cmocka_unit_test(hidden_before_first_call_shows),
		cmocka_unit_test(sizes_of_the_handshake),
		cmocka_unit_test(hidden_request_of_a_few_bytes_shows),
		cmocka_unit_test(hidden_reply_shows),
		cmocka_unit_test(unread_reply_shows),
		cmocka_unit_test(replies_of_an_unread_library),
		cmocka_unit_test(not_checked_when_unknown),
		cmocka_unit_test(lost_record_shows),
		cmocka_unit_test(closes_to_zero),
		cmocka_unit_test(small_buffers_have_bounds),
		cmocka_unit_test(full_records),
		cmocka_unit_test(tls12),
		cmocka_unit_test(tls12_unread_reply_shows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
