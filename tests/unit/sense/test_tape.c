/* SPDX-License-Identifier: Apache-2.0 */
/* Tapes are files, and files are hostile: cut, flipped and forged ones first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <zstd.h>

#include "../../lib/events.h"
#include "sense/event_check.h"
#include "sense/tape.h"

static char dir[] = "/tmp/ww-tape-XXXXXX";
static char path[64];

static int make_dir(void **state)
{
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/t.tape", dir);
	return 0;
}

static int remove_dir(void **state)
{
	unlink(path);
	return rmdir(dir);
}

static void write_tape(unsigned events, bool end)
{
	struct ww_tape_writer *w = NULL;

	unlink(path);
	assert_int_equal(ww_tape_create(path, WW_SLICE_LIT("{\"manifest\":1}"), &w), 0);
	for (unsigned i = 0; i < events; i++) {
		WW_AUTO_FREE struct ww_event_data *ev =
			ev_data(i, 5, 9, 1, WW_DIR_OUT, i * 7ull, "payload" + i % 7);

		assert_int_equal(ww_tape_write(w, &ev->h), 0);
	}
	assert_int_equal(ww_tape_flush(w), 0);
	if (end)
		assert_int_equal(ww_tape_close(w, events), 0);
	/* else: as after a kill; the handle is left to the process's end */
	if (!end) {
		static struct ww_tape_writer *keep[8];
		static unsigned kept;

		keep[kept++ % WW_ARRAY_SIZE(keep)] = w;
		assert_non_null(keep[0]);
	}
}

static int read_all(unsigned *ret_events)
{
	WW_AUTO(ww_tape_reader_free_auto) struct ww_tape_reader *r = NULL;
	const struct ww_event *ev;
	int err = ww_tape_open(path, &r);

	*ret_events = 0;
	if (err < 0)
		return err;
	while ((err = ww_tape_next(r, &ev)) == 0)
		(*ret_events)++;
	return err;
}

static void round_trip(void **state)
{
	unsigned n;

	write_tape(1000, true);
	assert_int_equal(read_all(&n), -ENODATA);
	assert_int_equal(n, 1001); /* and the end mark */
}

static void cut_off_is_said(void **state)
{
	unsigned n;

	write_tape(1000, false);
	assert_int_equal(read_all(&n), -EPIPE);
	assert_int_equal(n, 1000);
}

static void truncated_anywhere(void **state)
{
	struct stat st;

	write_tape(200, true);
	assert_int_equal(stat(path, &st), 0);
	for (off_t size = st.st_size - 1; size >= 0; size -= 3) {
		unsigned n;
		int r;

		assert_int_equal(truncate(path, size), 0);
		r = read_all(&n);
		assert_true(r == -EPIPE || r == -EBADMSG);
		assert_true(n <= 201);
	}
}

static void flipped_bits_never_crash(void **state)
{
	for (unsigned at = 0; at < 400; at++) {
		WW_AUTO_FD int fd = -1;
		uint8_t b;
		unsigned n;

		if (at % 50 == 0)
			write_tape(50, true);
		fd = open(path, O_RDWR);
		if (pread(fd, &b, 1, at) != 1)
			break;
		b ^= 0x10;
		assert_int_equal(pwrite(fd, &b, 1, at), 1);
		(void)read_all(&n); /* whatever it says, it says it */
		b ^= 0x10;
		assert_int_equal(pwrite(fd, &b, 1, at), 1);
	}
}

static void not_a_tape(void **state)
{
	WW_AUTO_FD int fd = -1;
	unsigned n;

	unlink(path);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	assert_int_equal(write(fd, "WWTAPE1\n\xff\xff\xff\xff", 12), 12);
	assert_int_equal(read_all(&n), -EBADMSG);
}

/* What a stream asks of the reader's memory is bounded before it is given. */
static void greedy_stream(void **state)
{
	static uint8_t out[1 << 16];
	WW_AUTO_FREE struct ww_event *tick = ev_tick(1);
	ZSTD_CCtx *z = ZSTD_createCCtx();
	ZSTD_inBuffer in = {tick, sizeof(*tick), 0};
	ZSTD_outBuffer to = {out, sizeof(out), 0};
	WW_AUTO_FD int fd = -1;
	unsigned n;

	assert_non_null(z);
	assert_false(ZSTD_isError(ZSTD_CCtx_setParameter(z, ZSTD_c_windowLog, 27)));
	assert_false(ZSTD_isError(ZSTD_compressStream2(z, &to, &in, ZSTD_e_flush)));
	ZSTD_freeCCtx(z);
	unlink(path);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	assert_int_equal(write(fd, "WWTAPE1\n\0\0\0\0", 12), 12);
	assert_int_equal(write(fd, out, to.pos), (ssize_t)to.pos);
	assert_int_equal(read_all(&n), -EBADMSG);
	assert_int_equal(n, 0);
}

static void private_and_never_overwritten(void **state)
{
	struct ww_tape_writer *w = NULL;
	struct stat st;

	write_tape(1, true);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(ww_tape_create(path, WW_SLICE_NULL, &w), -EEXIST);
}

static void forged_events(void **state)
{
	WW_AUTO_FREE struct ww_event_data *d = ev_data(1, 5, 9, 1, WW_DIR_OUT, 0, "payload");
	WW_AUTO_FREE struct ww_event *tick = ev_tick(1);
	WW_AUTO_FREE struct ww_event_data *big = NULL;
	WW_AUTO_FREE struct ww_event_file *file = NULL;
	WW_AUTO_FREE struct ww_event_exec *exec =
		ev_make(sizeof(*exec), WW_EVENT_PROC_EXEC, 1, 5, 9);

	assert_int_equal(ww_event_check(&exec->h, exec->h.size), 0);
	exec->h.actor.pid = 0; /* of nobody */
	assert_int_equal(ww_event_check(&exec->h, exec->h.size), -EBADMSG);
	assert_int_equal(ww_event_check(&d->h, d->h.size), 0);
	assert_int_equal(ww_event_check(&d->h, d->h.size - 1), -EBADMSG);
	d->captured++;
	assert_int_equal(ww_event_check(&d->h, d->h.size), -EBADMSG);
	d->captured--;
	d->dir = 2;
	assert_int_equal(ww_event_check(&d->h, d->h.size), -EBADMSG);
	d->dir = 0;
	d->call_at = d->call_bytes + 1;
	assert_int_equal(ww_event_check(&d->h, d->h.size), -EBADMSG);
	d->call_at = 0;
	d->h.version++;
	assert_int_equal(ww_event_check(&d->h, d->h.size), -EBADMSG);
	big = ev_make(sizeof(*big) + WW_CHUNK_BYTES_MAX + 1, WW_EVENT_DATA, 1, 5, 9);
	big->captured = big->call_bytes = WW_CHUNK_BYTES_MAX;
	assert_int_equal(ww_event_check(&big->h, big->h.size), 0);
	big->captured = ++big->call_bytes; /* no program copies that much at once */
	assert_int_equal(ww_event_check(&big->h, big->h.size), -EBADMSG);
	file = ev_make(sizeof(*file), WW_EVENT_FILE, 1, 5, 9);
	file->path_bytes = sizeof(file->path);
	file->build_id_bytes = sizeof(file->build_id);
	assert_int_equal(ww_event_check(&file->h, file->h.size), 0);
	file->path_bytes++;
	assert_int_equal(ww_event_check(&file->h, file->h.size), -EBADMSG);
	file->path_bytes--;
	file->build_id_bytes++;
	assert_int_equal(ww_event_check(&file->h, file->h.size), -EBADMSG);
	tick->kind = WW_EVENT_CLAIM; /* too short for its kind */
	assert_int_equal(ww_event_check(tick, sizeof(*tick)), -EBADMSG);
	tick->kind = 9999; /* a later version's kind: ignored, not refused */
	assert_int_equal(ww_event_check(tick, sizeof(*tick)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(truncated_anywhere),
		cmocka_unit_test(flipped_bits_never_crash),
		cmocka_unit_test(forged_events),
		cmocka_unit_test(not_a_tape),
		cmocka_unit_test(greedy_stream),
		cmocka_unit_test(cut_off_is_said),
		cmocka_unit_test(round_trip),
		cmocka_unit_test(private_and_never_overwritten),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
