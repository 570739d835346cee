/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/digester.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "base/encode.h"
#include "daemon/pipeline.h"

#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" /* FIPS 180-4 */

static int scratch(const char *text)
{
	char path[] = "/tmp/ww-digester-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	return fd;
}

static void assert_abc(const struct ww_event_file *ev)
{
	char hex[2 * WW_SHA256_LEN + 1];

	assert_int_equal(ev->status, WW_FILE_DIGESTED);
	ww_hex_encode(ww_slice(ev->sha256, sizeof(ev->sha256)), hex);
	assert_string_equal(hex, ABC);
}

static void assert_nothing(const struct ww_event_file *ev, enum ww_file_status status)
{
	static const uint8_t zeros[32];

	assert_int_equal(ev->status, status);
	assert_int_equal(ev->build_id_bytes, 0);
	assert_memory_equal(ev->sha256, zeros, sizeof(zeros));
	assert_memory_equal(ev->build_id, zeros, sizeof(zeros));
}

/* --- one file -----------------------------------------------------------------------------------
 */

static void as_it_was(void **state)
{
	WW_AUTO_FD int fd = scratch("abc");
	struct ww_event_file ev = {.bytes = 3};
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	ww_digester_read(fd, &st, &ev);
	assert_abc(&ev);
	assert_int_equal(ev.build_id_bytes, 0);
}

/* Written to since: neither the bytes of then nor those of now are what was probed. */
static void changed(void **state)
{
	WW_AUTO_FD int fd = scratch("abd");
	struct timespec old = {0};
	struct ww_event_file ev = {0};
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(pwrite(fd, "abcd", 4, 0), 4);
	ww_digester_read(fd, &st, &ev);
	assert_nothing(&ev, WW_FILE_CHANGED);
	/* of the same size, and its modification time set back: the inode tells */
	assert_int_equal(fstat(fd, &st), 0);
	old = st.st_mtim;
	do { /* until the file system's clock has moved on */
		struct stat now;

		assert_int_equal(pwrite(fd, "abce", 4, 0), 4);
		assert_int_equal(futimens(fd, (struct timespec[]){old, old}), 0);
		assert_int_equal(fstat(fd, &now), 0);
		if (now.st_ctim.tv_sec != st.st_ctim.tv_sec ||
		    now.st_ctim.tv_nsec != st.st_ctim.tv_nsec)
			break;
	} while (true);
	ww_digester_read(fd, &st, &ev);
	assert_nothing(&ev, WW_FILE_CHANGED);
}

static void unreadable(void **state)
{
	WW_AUTO_FD int dir = open("/", O_RDONLY | O_DIRECTORY), fd = scratch("");
	struct ww_event_file ev = {0};
	struct stat st = {0};

	ww_digester_read(-1, &st, &ev);
	assert_nothing(&ev, WW_FILE_UNREADABLE);
	ww_digester_read(dir, &st, &ev);
	assert_nothing(&ev, WW_FILE_UNREADABLE);
	assert_int_equal(ftruncate(fd, (1ll << 30) + 1), 0);
	assert_int_equal(fstat(fd, &st), 0);
	ww_digester_read(fd, &st, &ev);
	assert_nothing(&ev, WW_FILE_TOO_LARGE);
}

/* --- the thread ---------------------------------------------------------------------------------
 */

struct told {
	unsigned count;
	struct ww_event_file ev[8];
};

static void take(void *ctx, const struct ww_event_file *ev)
{
	struct told *t = ctx;

	assert_true(t->count < 8);
	t->ev[t->count++] = *ev;
}

static void add(struct ww_digester *d, uint32_t index, int fd, const char *path)
{
	struct ww_target_file f = {.index = index, .fd = fd, .inode = 7, .dev = 9};

	snprintf(f.path, sizeof(f.path), "%s", path);
	ww_digester_add(d, &f);
}

/* Threads of this process that anybody else goes before. */
static unsigned patient(void)
{
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *e;
	unsigned n = 0;

	assert_non_null(tasks);
	while ((e = readdir(tasks)) != NULL) {
		if (e->d_name[0] != '.')
			n += getpriority(PRIO_PROCESS, (id_t)strtoul(e->d_name, NULL, 10)) > 0;
	}
	closedir(tasks);
	return n;
}

/* Each once, in order, told at the wait or by the loop; the caller's descriptor may go at once. */
static void in_order(void **state)
{
	struct told told = {0};
	struct ww_digester *d = NULL;
	uv_loop_t loop;
	int fd;

	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(ww_digester_open(&loop, take, &told, &d), 0);
	ww_digester_wait(d);
	assert_int_equal(told.count, 0);
	fd = scratch("abc");
	add(d, 1, fd, "/a");
	add(d, 2, -1, "/b");
	close(fd);
	fd = scratch("abc");
	add(d, 3, fd, "/c");
	close(fd);
	ww_digester_wait(d);
	assert_int_equal(told.count, 3);
	if (geteuid() == 0) /* who waits does not wait for a busy host to be idle */
		assert_int_equal(patient(), 0);
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(told.ev[i].h.kind, WW_EVENT_FILE);
		assert_int_equal(told.ev[i].h.size, sizeof(told.ev[i]));
		assert_true(told.ev[i].h.time_ns > 0);
		assert_int_equal(told.ev[i].file, i + 1);
		assert_int_equal(told.ev[i].path_bytes, 2);
	}
	assert_abc(&told.ev[0]);
	assert_int_equal(told.ev[0].bytes, 3);
	assert_nothing(&told.ev[1], WW_FILE_UNREADABLE);
	assert_abc(&told.ev[2]);
	fd = scratch("abc");
	add(d, 4, fd, "/d");
	while (told.count < 4)
		uv_run(&loop, UV_RUN_ONCE);
	assert_abc(&told.ev[3]);
	for (unsigned i = 0; i < 5; i++) /* under way or waiting: given up without a word */
		add(d, 5, fd, "/e");
	close(fd);
	ww_digester_close(d);
	ww_digester_close(NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	assert_int_equal(told.count, 4);
}

/* --- its record ---------------------------------------------------------------------------------
 */

static void keep(void *ctx, enum ww_record_kind kind, struct ww_slice json)
{
	struct ww_buf *b = ctx;

	assert_int_equal(kind, WW_RECORD_LIFE);
	assert_int_equal(ww_buf_add(b, json.p, json.n), 0);
}

static void assert_record(struct ww_event_file ev, const char *want)
{
	struct ww_pipeline_config cfg = {.grace_ns = 1};
	struct ww_contract_error error;
	struct ww_pipeline *p = NULL;
	WW_AUTO_BUF struct ww_buf b;

	ww_buf_init(&b, 4096);
	ev.h = (struct ww_event){.version = WW_EVENT_VERSION,
				 .kind = WW_EVENT_FILE,
				 .size = sizeof(ev),
				 .time_ns = 0x10,
				 .cpu = WW_EVENT_CPU_USER};
	memcpy(ev.path, "/lib/x", 6);
	ev.path_bytes = 6;
	assert_int_equal(ww_pipeline_new(&cfg, keep, &b, &p, &error), 0);
	ww_pipeline_feed(p, &ev.h);
	ww_pipeline_free(p);
	assert_int_equal(ww_buf_add(&b, "", 1), 0);
	assert_string_equal((const char *)b.p, want);
}

#define HEAD                                                                              \
	"{\"kind\":\"life\",\"id\":\"d-10-6d\",\"t\":\"1970-01-01T00:00:00.000000000Z\"," \
	"\"event\":\"tls-library\",\"text\":\"/lib/x\",\"library\":{\"bytes\":3,"
#define ZEROS "00000000000000000000000000000000000000000000000000000000000000"

static void record(void **state)
{
	struct ww_event_file ev = {.bytes = 3, .status = WW_FILE_DIGESTED};

	ev.sha256[0] = 0xab;
	assert_record(ev, HEAD "\"buildId\":null,\"sha256\":\"ab" ZEROS "\"}}");
	ev.build_id_bytes = 3;
	ev.build_id[2] = 0xcd;
	assert_record(ev, HEAD "\"buildId\":\"0000cd\",\"sha256\":\"ab" ZEROS "\"}}");
	ev.build_id_bytes = 0;
	ev.status = WW_FILE_CHANGED; /* whatever else it holds */
	assert_record(ev, HEAD "\"buildId\":null,\"sha256\":null,\"why\":\"changed\"}}");
	ev.status = WW_FILE_TOO_LARGE;
	assert_record(ev, HEAD "\"buildId\":null,\"sha256\":null,\"why\":\"too large\"}}");
	ev.status = WW_FILE_UNREADABLE;
	assert_record(ev, HEAD "\"buildId\":null,\"sha256\":null,\"why\":\"unreadable\"}}");
	ev.status = 0;
	assert_record(ev, HEAD "\"buildId\":null,\"sha256\":null,\"why\":\"unknown\"}}");
	ev.status = 5;
	assert_record(ev, HEAD "\"buildId\":null,\"sha256\":null,\"why\":\"unknown\"}}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_it_was),  cmocka_unit_test(changed),
		cmocka_unit_test(unreadable), cmocka_unit_test(in_order),
		cmocka_unit_test(record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
