/* SPDX-License-Identifier: Apache-2.0 */
/* A witness follows a log to its new key by the rotation and by nothing else (witness_state.h). */
#include "ledger/equivocation.h"
#include "ledger/keychain.h"
#include "ledger/rotate.h"
#include "ledger/witness_state.h"
#include "ledger_test.h"

#include "base/encode.h"

#define TIME "2026-11-27T10:00:00.000000000Z"

/* A log of 50 records, a copy of it from before the rotation with the old key in hand, and a
 * witness that has cosigned the 50 and was given the old key. */
struct world {
	char log[PATH_LEN], thief[PATH_LEN], dir[PATH_LEN];
	char logs[WW_NOTE_KEY_TEXT_MAX + 1];
	struct ww_witness_state *s;
	struct ww_buf history, out;
};

static void rotate(const char *dir)
{
	struct ww_tlog_options o = {.dir = dir};
	struct ww_errtext why = {""};
	struct ww_rotation rot;

	if (ww_rotate(&o, TIME, &rot, &why) < 0)
		fail_msg("%s", why.text);
}

static void read_history(const char *dir, struct ww_buf *out)
{
	char path[2 * PATH_LEN];

	snprintf(path, sizeof(path), "%s/keys/history", dir);
	ww_buf_done(out);
	slurp(path, out);
}

/* The n-th line, from 0, with its newline. */
static struct ww_slice line_of(const struct ww_buf *history, size_t n)
{
	struct ww_slice all = ww_buf_slice(history);

	for (; n > 0; n--)
		all = ww_slice_sub(all, ww_slice_find(all, 0, '\n') + 1, all.n);
	return ww_slice_sub(all, 0, ww_slice_find(all, 0, '\n') + 1);
}

static void open_witness(struct world *w, int want)
{
	struct ww_errtext why = {""};
	int r = ww_witness_state_open(w->dir, "witness.test", ww_slice_str(w->logs), &w->s, &why);

	if (r != want)
		fail_msg("%d: %s", r, why.text);
}

static void again(struct world *w)
{
	ww_witness_state_close(w->s);
	open_witness(w, 0);
}

/* Asks for the growth of the log at `dir` from `old` to the head in `note`. */
static unsigned ask(struct world *w, const char *dir, uint64_t old, struct ww_slice note)
{
	WW_AUTO(ww_tile_store_free_auto) struct ww_tile_store *tiles = NULL;
	WW_AUTO_FD int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	WW_AUTO_BUF struct ww_buf body = {0};
	struct ww_witness_answer a = {0};
	struct ww_merkle_proof proof = {0};
	struct ww_slice text, lines;
	struct ww_merkle_reader r;
	struct ww_checkpoint c;

	assert_int_equal(ww_note_split(note, &text, &lines), 0);
	assert_int_equal(ww_checkpoint_parse(text, &c), 0);
	assert_int_equal(ww_tile_store_new(fd, &tiles), 0);
	ww_tile_store_resize(tiles, c.size);
	r = ww_tile_store_reader(tiles);
	if (old > 0 && old < c.size)
		assert_int_equal(ww_merkle_consistency(&r, old, c.size, &proof), 0);
	ww_buf_init(&body, WW_WITNESS_REQUEST_MAX);
	assert_int_equal(ww_witness_request_write(old, &proof, note, &body), 0);
	ww_buf_done(&w->out);
	ww_buf_init(&w->out, 2 * WW_NOTE_BYTES_MAX);
	ww_witness_state_add(w->s, ww_buf_slice(&body), 7, &w->out, &a);
	return a.status;
}

static unsigned ask_head(struct world *w, const char *dir, uint64_t old)
{
	WW_AUTO_BUF struct ww_buf note = {0};
	char path[2 * PATH_LEN];

	snprintf(path, sizeof(path), "%s/checkpoint", dir);
	slurp(path, &note);
	return ask(w, dir, old, ww_buf_slice(&note));
}

/* Asks for the hand-over in a line of a history. */
static unsigned ask_handover(struct world *w, const char *dir, uint64_t old, struct ww_slice line)
{
	struct ww_keychain_step step = {.note = {0}};
	struct ww_errtext why = {""};
	unsigned status;

	assert_int_equal(ww_keychain_step(ww_slice_sub(line, 0, line.n - 1), &step, &why), 0);
	status = ask(w, dir, old, ww_buf_slice(&step.note));
	ww_buf_done(&step.note);
	return status;
}

static unsigned tell(struct world *w, struct ww_slice body)
{
	struct ww_witness_answer a = {0};

	ww_buf_done(&w->out);
	ww_buf_init(&w->out, 2 * WW_NOTE_BYTES_MAX);
	ww_witness_state_rotate(w->s, body, &w->out, &a);
	return a.status;
}

static bool answered(const struct world *w, const char *text)
{
	return ww_slice_eq_str(ww_buf_slice(&w->out), text);
}

static void vkey_of(const char *dir, char out[WW_NOTE_KEY_TEXT_MAX + 1])
{
	char path[2 * PATH_LEN];
	WW_AUTO_BUF struct ww_buf b = {0};

	snprintf(path, sizeof(path), "%s/vkey", dir);
	slurp(path, &b);
	assert_true(b.n <= WW_NOTE_KEY_TEXT_MAX);
	memcpy(out, b.p, b.n);
	out[b.n] = '\0';
}

static const char *state_file(struct world *w, const char *name, char path[2 * PATH_LEN])
{
	struct ww_sha256 hash;
	char hex[33];

	ww_sha256(WW_SLICE_LIT(ORIGIN), &hash);
	ww_hex_encode(ww_slice(hash.b, 16), hex);
	snprintf(path, 2 * PATH_LEN, "%.200s/logs/%s/%s", w->dir, hex, name);
	return path;
}

static struct world *begin(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	make_ledger(at(*state, "log", w->log), 50, 50);
	vkey_of(w->log, w->logs);
	at(*state, "w", w->dir);
	open_witness(w, 0);
	assert_int_equal(ask_head(w, w->log, 0), WW_WITNESS_COSIGN);
	copy_tree(w->log, at(*state, "thief", w->thief));
	rotate(w->log);
	grow(w->log, 5);
	read_history(w->log, &w->history);
	return w;
}

static void end(struct world *w)
{
	ww_witness_state_close(w->s);
	ww_buf_done(&w->history);
	ww_buf_done(&w->out);
	free(w);
}

static void follow(struct world *w)
{
	assert_int_equal(ask_handover(w, w->log, 50, line_of(&w->history, 0)), WW_WITNESS_COSIGN);
	assert_int_equal(tell(w, line_of(&w->history, 0)), WW_WITNESS_COSIGN);
}

static void test_follows(void **state)
{
	char vkey[WW_NOTE_KEY_TEXT_MAX + 1];
	struct world *w = begin(state);

	/* Without the rotation: nothing. */
	assert_int_equal(ask_head(w, w->log, 50), WW_WITNESS_FORBIDDEN);
	/* The rotation, but its hand-over was not seen. */
	assert_int_equal(tell(w, line_of(&w->history, 0)), WW_WITNESS_CONFLICT);
	assert_true(answered(w, "50\n"));
	assert_int_equal(ask_head(w, w->log, 50), WW_WITNESS_FORBIDDEN);
	follow(w);
	vkey_of(w->log, vkey);
	assert_true(answered(w, vkey));
	/* Told twice. */
	assert_int_equal(tell(w, line_of(&w->history, 0)), WW_WITNESS_COSIGN);
	again(w);
	assert_int_equal(tell(w, line_of(&w->history, 0)), WW_WITNESS_COSIGN);
	assert_int_equal(ask_head(w, w->log, 51), WW_WITNESS_COSIGN);
	again(w);
	grow(w->log, 4);
	assert_int_equal(ask_head(w, w->log, 56), WW_WITNESS_COSIGN);
	/* And on to a third one. */
	rotate(w->log);
	grow(w->log, 1);
	read_history(w->log, &w->history);
	assert_int_equal(ask_head(w, w->log, 60), WW_WITNESS_FORBIDDEN);
	assert_int_equal(ask_handover(w, w->log, 60, line_of(&w->history, 1)), WW_WITNESS_COSIGN);
	assert_int_equal(tell(w, line_of(&w->history, 1)), WW_WITNESS_COSIGN);
	again(w);
	assert_int_equal(ask_head(w, w->log, 61), WW_WITNESS_COSIGN);
	/* The operator may write down the newest key instead of the first. */
	vkey_of(w->log, w->logs);
	again(w);
	assert_int_equal(ask_head(w, w->log, 62), WW_WITNESS_COSIGN);
	end(w);
}

static void test_old_key_is_over(void **state)
{
	WW_AUTO_BUF struct ww_buf stolen = {0};
	struct world *w = begin(state);

	follow(w);
	/* The thief goes on from before: a longer log, and a rotation of its own. */
	grow(w->thief, 30);
	assert_int_equal(ask_head(w, w->thief, 51), WW_WITNESS_FORBIDDEN);
	rotate(w->thief);
	read_history(w->thief, &stolen);
	assert_int_equal(ask_handover(w, w->thief, 51, line_of(&stolen, 0)), WW_WITNESS_FORBIDDEN);
	assert_int_equal(tell(w, line_of(&stolen, 0)), WW_WITNESS_FORBIDDEN);
	again(w);
	assert_int_equal(ask_head(w, w->log, 51), WW_WITNESS_COSIGN);
	end(w);
}

static void test_forged(void **state)
{
	char foreign[PATH_LEN], vkey[WW_NOTE_KEY_TEXT_MAX + 1];
	WW_AUTO_BUF struct ww_buf other = {0}, line = {0};
	struct world *w = begin(state);
	struct ww_slice first;

	assert_int_equal(ask_handover(w, w->log, 50, line_of(&w->history, 0)), WW_WITNESS_COSIGN);
	/* A log of the same name and other keys. */
	make_ledger(at(*state, "foreign", foreign), 50, 50);
	rotate(foreign);
	read_history(foreign, &other);
	assert_int_equal(tell(w, line_of(&other, 0)), WW_WITNESS_FORBIDDEN);
	/* The second step before the first, both at once, none, a part. */
	rotate(w->log);
	read_history(w->log, &other);
	assert_int_equal(tell(w, line_of(&other, 1)), WW_WITNESS_FORBIDDEN);
	assert_int_equal(tell(w, ww_buf_slice(&other)), WW_WITNESS_BAD);
	assert_int_equal(tell(w, WW_SLICE_NULL), WW_WITNESS_BAD);
	first = line_of(&w->history, 0);
	assert_int_equal(tell(w, ww_slice_sub(first, 0, first.n - 1)), WW_WITNESS_BAD);
	/* No bit may change. */
	ww_buf_init(&line, WW_KEYCHAIN_LINE_MAX);
	assert_int_equal(ww_buf_add(&line, first.p, first.n), 0);
	for (size_t i = 0; i < line.n - 1; i++) {
		line.p[i] ^= 1;
		assert_int_not_equal(tell(w, ww_buf_slice(&line)), WW_WITNESS_COSIGN);
		line.p[i] ^= 1;
	}
	assert_int_equal(ask_head(w, w->log, 51), WW_WITNESS_FORBIDDEN);
	assert_int_equal(tell(w, ww_buf_slice(&line)), WW_WITNESS_COSIGN);
	/* A log that the operator does not know. */
	snprintf(w->logs, sizeof(w->logs), "# none\n");
	again(w);
	assert_int_equal(tell(w, first), WW_WITNESS_UNKNOWN);
	/* One that it knows by this name, with keys that lead nowhere near: nothing is believed. */
	vkey_of(foreign, vkey);
	snprintf(w->logs, sizeof(w->logs), "%s", vkey);
	again(w);
	assert_int_equal(ask_head(w, w->log, 51), WW_WITNESS_UNABLE);
	end(w);
}

/* The hand-over that was cosigned is not the one of the rotation. */
static void test_another_handover(void **state)
{
	struct world *w = begin(state);
	char path[2 * PATH_LEN];
	WW_AUTO_FD int dir = -1;

	/* The thief was first: one more record, the size of the hand-over. */
	grow(w->thief, 1);
	assert_int_equal(ask_head(w, w->thief, 50), WW_WITNESS_COSIGN);
	assert_int_equal(tell(w, line_of(&w->history, 0)), WW_WITNESS_CONFLICT);
	assert_int_equal(access(state_file(w, "keys", path), F_OK), -1);
	/* Two heads of one size under one key: that is kept, and ends it. */
	dir = open(state_file(w, "", path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(ww_equivocation_kept(dir), 1);
	assert_int_equal(tell(w, line_of(&w->history, 0)), WW_WITNESS_FORBIDDEN);
	end(w);
}

static void test_damaged_keys(void **state)
{
	WW_AUTO_BUF struct ww_buf keys = {0};
	struct world *w = begin(state);
	char path[2 * PATH_LEN];

	follow(w);
	slurp(state_file(w, "keys", path), &keys);
	for (size_t n = 0; n < keys.n; n += 97) {
		spill(path, ww_slice(keys.p, n));
		assert_int_equal(ask_head(w, w->log, 51), WW_WITNESS_UNABLE);
		assert_int_equal(tell(w, line_of(&w->history, 0)), WW_WITNESS_UNABLE);
	}
	/* Not the bit of a letter's case: hexadecimal digits mean the same in both. */
	for (size_t i = 0; i < keys.n - 1; i += 7) {
		spill(path, ww_buf_slice(&keys));
		flip(path, 8 * i);
		assert_int_equal(ask_head(w, w->log, 51), WW_WITNESS_UNABLE);
	}
	spill(path, ww_buf_slice(&keys));
	assert_int_equal(ask_head(w, w->log, 51), WW_WITNESS_COSIGN);
	end(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(test_follows),      SCRATCH_TEST(test_old_key_is_over),
		SCRATCH_TEST(test_forged),       SCRATCH_TEST(test_another_handover),
		SCRATCH_TEST(test_damaged_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
