/* SPDX-License-Identifier: Apache-2.0 */
/* The ring reader on memory laid out as the kernel's. Invariant numbers are those of
 * user/sense/ring.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <linux/bpf.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <time.h>

#include "sense/ring.h"

#define BYTES 65536u

struct fake {
	int fd;
	uint8_t *memory; /* consumer page, producer page, data, data again */
	uint64_t put;
};

static struct fake fakes[WW_RING_MAX];
static struct ww_ring rings[WW_RING_MAX];
static uint64_t delivered[256], malformed;
static unsigned delivered_count;

static int begin(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), all = 2 * page + 2 * BYTES;

	for (unsigned i = 0; i < WW_RING_MAX; i++) {
		struct fake *f = &fakes[i];

		*f = (struct fake){.fd = memfd_create("ring", MFD_CLOEXEC)};
		if (f->fd < 0 || ftruncate(f->fd, (off_t)all) < 0)
			return -1;
		f->memory = mmap(NULL, all, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, 0);
		if (f->memory == MAP_FAILED || ww_ring_open(&rings[i], f->fd, BYTES, 2) < 0)
			return -1;
	}
	delivered_count = 0;
	malformed = 0;
	return 0;
}

static int end(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	for (unsigned i = 0; i < WW_RING_MAX; i++) {
		ww_ring_close(&rings[i]);
		munmap(fakes[i].memory, 2 * page + 2 * BYTES);
		close(fakes[i].fd);
	}
	return 0;
}

static void write_both(struct fake *f, uint64_t at, const void *from, size_t n)
{
	uint8_t *data = f->memory + 2 * (size_t)sysconf(_SC_PAGESIZE);

	for (size_t i = 0; i < n; i++) {
		size_t to = (at + i) & (BYTES - 1);

		data[to] = data[to + BYTES] = ((const uint8_t *)from)[i];
	}
}

/* One record with an event in it; flags go into the record's header. */
static uint64_t put(unsigned ring, uint64_t time_ns, uint64_t seq, uint32_t flags)
{
	struct fake *f = &fakes[ring];
	struct ww_event ev = {.version = WW_EVENT_VERSION,
			      .kind = WW_EVENT_TICK,
			      .size = sizeof(ev),
			      .time_ns = time_ns,
			      .seq = seq};
	uint32_t head[2] = {(uint32_t)sizeof(ev) | flags, 0};
	uint64_t at = f->put;

	write_both(f, at, head, sizeof(head));
	write_both(f, at + sizeof(head), &ev, sizeof(ev));
	f->put += sizeof(head) + sizeof(ev);
	*(uint64_t *)(f->memory + (size_t)sysconf(_SC_PAGESIZE)) = f->put;
	return at;
}

static void commit(unsigned ring, uint64_t at)
{
	uint32_t head[2] = {sizeof(struct ww_event), 0};

	write_both(&fakes[ring], at, head, sizeof(head));
}

static void take(void *ctx, const struct ww_event *ev)
{
	(void)ctx;
	assert_true(delivered_count < 256);
	delivered[delivered_count++] = ev->time_ns;
}

static uint64_t drain(uint64_t horizon)
{
	return ww_ring_drain(rings, take, NULL, horizon, &malformed);
}

static void test_busy_stops_both(void **state)
{
	uint64_t at;

	put(WW_RING_CONTROL, 10, 0, 0);
	at = put(WW_RING_CONTROL, 20, 1, BPF_RINGBUF_BUSY_BIT);
	put(WW_RING_DATA, 15, 0, 0);
	put(WW_RING_DATA, 30, 1, 0);
	assert_int_equal(drain(5), 5); /* invariant 2: no further than before */
	assert_true(delivered_count <= 2);
	commit(WW_RING_CONTROL, at);
	assert_true(drain(5) > 5);
	assert_int_equal(delivered_count, 4);
	for (unsigned i = 1; i < delivered_count; i++)
		assert_true(delivered[i - 1] < delivered[i]);
}

static void test_malformed_is_skipped(void **state)
{
	struct fake *f = &fakes[WW_RING_DATA];
	uint16_t version = 99;
	uint64_t at = put(WW_RING_DATA, 10, 0, 0);

	write_both(f, at + 8, &version, sizeof(version));
	put(WW_RING_DATA, 20, 1, 0);
	drain(0);
	assert_int_equal(malformed, 1);
	assert_int_equal(delivered_count, 1);
}

static void test_merged_by_time(void **state)
{
	for (unsigned i = 0; i < 20; i++)
		put(i % 3 == 0 ? WW_RING_CONTROL : WW_RING_DATA, 100 + i, i, 0);
	drain(0);
	assert_int_equal(delivered_count, 20);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(delivered[i], 100 + i);
}

/* 5 */
static void test_malformed_is_a_hole(void **state)
{
	uint64_t at;
	uint8_t wrong[2] = {0xff, 0xff};

	put(WW_RING_CONTROL, 10, 0, 0);
	at = put(WW_RING_CONTROL, 20, 1, 0);
	write_both(&fakes[WW_RING_CONTROL], at + 8, wrong, sizeof(wrong)); /* the version */
	put(WW_RING_CONTROL, 30, 2, 0);
	drain(0);
	assert_int_equal(delivered_count, 2);
	assert_int_equal(malformed, 1);
	assert_int_equal(rings[WW_RING_CONTROL].holes, 1);
}

static void test_wraps(void **state)
{
	unsigned seen = 0;

	for (unsigned i = 0; i < 3 * BYTES / 72; i++) {
		put(WW_RING_DATA, i, i, 0);
		if (i % 100 == 99) {
			drain(0);
			seen += delivered_count;
			delivered_count = 0;
		}
	}
	drain(0);
	assert_int_equal(seen + delivered_count, 3 * BYTES / 72);
	assert_int_equal(rings[WW_RING_DATA].holes, 0);
}

static void test_discarded(void **state)
{
	put(WW_RING_DATA, 10, 0, BPF_RINGBUF_DISCARD_BIT);
	put(WW_RING_DATA, 20, 0, 0);
	drain(0);
	assert_int_equal(delivered_count, 1);
}

static void test_holes(void **state)
{
	put(WW_RING_DATA, 10, 0, 0);
	put(WW_RING_DATA, 20, 3, 0);
	drain(0);
	assert_int_equal(rings[WW_RING_DATA].holes, 2);
	put(WW_RING_DATA, 30, 2, 0); /* invariant 4: it comes late, it was not lost */
	drain(0);
	assert_int_equal(rings[WW_RING_DATA].holes, 1);
	assert_int_equal(rings[WW_RING_CONTROL].holes, 0);
}

static void test_horizon_is_now(void **state)
{
	struct timespec ts;
	uint64_t before, after;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	before = (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
	after = drain(0);
	assert_true(after >= before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_busy_stops_both, begin, end),
		cmocka_unit_test_setup_teardown(test_malformed_is_skipped, begin, end),
		cmocka_unit_test_setup_teardown(test_merged_by_time, begin, end),
		cmocka_unit_test_setup_teardown(test_malformed_is_a_hole, begin, end),
		cmocka_unit_test_setup_teardown(test_wraps, begin, end),
		cmocka_unit_test_setup_teardown(test_discarded, begin, end),
		cmocka_unit_test_setup_teardown(test_holes, begin, end),
		cmocka_unit_test_setup_teardown(test_horizon_is_now, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
