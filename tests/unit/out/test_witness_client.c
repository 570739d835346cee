/* SPDX-License-Identifier: Apache-2.0 */
/* What a log makes of the answers of a witness that may lie. */
#include "out/witness_client.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>

static struct ww_note_signer log_key, witness, other;
static struct ww_witness_peer peer;
static struct ww_witness_client client;
static struct ww_checkpoint head;
static struct ww_buf note, answer;
static struct ww_slice line;
static struct ww_errtext why;
static uint64_t when;

static void make_note(struct ww_checkpoint *c, uint64_t size, uint8_t root, struct ww_buf *out)
{
	*c = (struct ww_checkpoint){.origin = "log.test", .size = size, .root = {{root}}};
	ww_buf_done(out);
	ww_buf_init(out, WW_NOTE_BYTES_MAX);
	assert_int_equal(ww_checkpoint_sign(c, &log_key, out), 0);
}

static int set_up(void **state)
{
	if (ww_note_signer_new(WW_SLICE_LIT("log.test"), &log_key) ||
	    ww_cosign_signer_new(WW_SLICE_LIT("w"), &witness) ||
	    ww_cosign_signer_new(WW_SLICE_LIT("w"), &other))
		return -1;
	peer.key = witness.key;
	client = (struct ww_witness_client){.peer = &peer};
	ww_buf_init(&answer, WW_NOTE_BYTES_MAX);
	make_note(&head, 100, 1, &note);
	return 0;
}

static int tear_down(void **state)
{
	ww_buf_done(&note);
	ww_buf_done(&answer);
	return 0;
}

static enum ww_witness_reply take(unsigned status, struct ww_slice body)
{
	why.text[0] = '\0';
	return ww_witness_client_take(&client, &log_key.key, ww_buf_slice(&note), &head, status,
				      body, &line, &when, &why);
}

static enum ww_witness_reply take_text(unsigned status, const char *body)
{
	return take(status, ww_slice_str(body));
}

static void cosign(const struct ww_note_signer *s, const struct ww_buf *of)
{
	struct ww_slice text, lines;

	ww_buf_clear(&answer);
	assert_int_equal(ww_note_split(ww_buf_slice(of), &text, &lines), 0);
	assert_int_equal(ww_cosign_line(s, text, 7, &answer), 0);
}

static void said(enum ww_witness_reply got, enum ww_witness_reply want, const char *words)
{
	assert_int_equal(got, want);
	if (!strstr(why.text, words))
		fail_msg("\"%s\" does not say \"%s\"", why.text, words);
}

static void failed(enum ww_witness_reply got, const char *words)
{
	said(got, WW_WITNESS_FAILED, words);
}

static void test_cosigned(void **state)
{
	cosign(&witness, &note);
	assert_int_equal(take(200, ww_buf_slice(&answer)), WW_WITNESS_COSIGNED);
	assert_true(ww_slice_eq(line, ww_buf_slice(&answer)));
	assert_int_equal(when, 7);
	assert_int_equal(client.held, 100);
	assert_int_equal(client.cosigned, 100);
}

static void test_lies(void **state)
{
	struct ww_checkpoint earlier;
	WW_AUTO_BUF struct ww_buf old = {0};

	failed(take_text(200, ""), "without a cosignature");
	failed(take_text(200, "<html>\n"), "not signature lines");
	cosign(&other, &note);
	failed(take(200, ww_buf_slice(&answer)), "without a cosignature");
	/* A cosignature that it gave before, for another head. */
	make_note(&earlier, 90, 1, &old);
	cosign(&witness, &old);
	failed(take(200, ww_buf_slice(&answer)), "not good");
	/* Every bit of a good one. */
	cosign(&witness, &note);
	for (size_t i = 0; i < answer.n * 8; i++) {
		answer.p[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_int_equal(take(200, ww_buf_slice(&answer)), WW_WITNESS_FAILED);
		answer.p[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	failed(take_text(500, "x"), "answers 500");
	failed(take_text(404, "x"), "does not know this log");
	failed(take_text(0, ""), "answers 0");
	assert_int_equal(client.held, 0);
	assert_int_equal(client.cosigned, 0);
}

static void test_sizes(void **state)
{
	assert_int_equal(take_text(409, "60\n"), WW_WITNESS_ASK_AGAIN);
	assert_int_equal(client.held, 60);
	failed(take_text(409, "60\n"), "does not accept the size that it names");
	said(take_text(409, "101\n"), WW_WITNESS_AHEAD, "holds 101 records, this log has 100");
	assert_int_equal(client.ahead, 101);
	assert_int_equal(client.held, 60);
	failed(take_text(409, "60"), "without a size");
	failed(take_text(409, "60\n\n"), "without a size");
	failed(take_text(409, "99999999999999999999\n"), "without a size");
	failed(take_text(409, ""), "without a size");
	/* It may be corrected by another sender of the log, but not for ever. */
	assert_int_equal(take_text(409, "61\n"), WW_WITNESS_ASK_AGAIN);
	assert_int_equal(take_text(409, "62\n"), WW_WITNESS_ASK_AGAIN);
	failed(take_text(409, "63\n"), "does not accept");
	assert_int_equal(take_text(409, "64\n"), WW_WITNESS_ASK_AGAIN);
}

static void test_rolled_back(void **state)
{
	cosign(&witness, &note);
	assert_int_equal(take(200, ww_buf_slice(&answer)), WW_WITNESS_COSIGNED);
	make_note(&head, 110, 1, &note);
	failed(take_text(409, "99\n"), "rolled back: it cosigned 100 records and now holds 99");
	failed(take_text(409, "0\n"), "rolled back");
	assert_int_equal(client.held, 100);
	/* More than it was heard to cosign is what a lost answer leaves. */
	assert_int_equal(take_text(409, "105\n"), WW_WITNESS_ASK_AGAIN);
	cosign(&witness, &note);
	assert_int_equal(take(200, ww_buf_slice(&answer)), WW_WITNESS_COSIGNED);
}

static void test_fork(void **state)
{
	WW_AUTO_BUF struct ww_buf b = {0};
	struct ww_note_signer forger;
	struct ww_checkpoint c;

	make_note(&c, 100, 2, &b);
	assert_int_equal(take(409, ww_buf_slice(&b)), WW_WITNESS_FORKED);
	/* The same tree, another size, another signer: no proof of anything. */
	failed(take(409, ww_buf_slice(&note)), "without a size");
	make_note(&c, 99, 2, &b);
	failed(take(409, ww_buf_slice(&b)), "without a size");
	assert_int_equal(ww_note_signer_new(WW_SLICE_LIT("log.test"), &forger), 0);
	c = (struct ww_checkpoint){.origin = "log.test", .size = 100, .root = {{2}}};
	ww_buf_clear(&b);
	assert_int_equal(ww_checkpoint_sign(&c, &forger, &b), 0);
	failed(take(409, ww_buf_slice(&b)), "without a size");
}

static void test_diverged(void **state)
{
	WW_AUTO_BUF struct ww_buf b = {0};
	struct ww_checkpoint c;

	assert_int_equal(take_text(409, "60\n"), WW_WITNESS_ASK_AGAIN);
	failed(take_text(422, "no"), "does not accept the proof");
	make_note(&c, 60, 2, &b);
	said(take(422, ww_buf_slice(&b)), WW_WITNESS_DIVERGED, "from the 60 records");
	/* Of a size that was not asked from, with a bit changed: words. */
	b.p[b.n - 6] ^= 1;
	failed(take(422, ww_buf_slice(&b)), "does not accept the proof");
	make_note(&c, 61, 2, &b);
	failed(take(422, ww_buf_slice(&b)), "does not accept the proof");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_cosigned, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_lies, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_diverged, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_sizes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rolled_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_fork, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
