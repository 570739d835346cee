/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/ring.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/mman.h>

#include <linux/bpf.h>

#include "base/clock.h"
#include "sense/event_check.h"

/*
 * The kernel maps the data area twice in a row, so that no event is ever split. Of the second time
 * this much is enough for the longest event; the rest would only count as resident memory again.
 */
#define TAIL_BYTES 32768u

_Static_assert(TAIL_BYTES >= BPF_RINGBUF_HDR_SZ + sizeof(struct ww_event_data) + WW_CHUNK_BYTES_MAX,
	       "the longest event");

#define BUSY_SPINS \
	2000u /* a program commits within microseconds, unless its thread was scheduled away */

int ww_ring_open(struct ww_ring *r, int map_fd, uint64_t bytes, uint32_t cpu_count)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *p;

	*r = (struct ww_ring){.bytes = bytes, .cpu_count = cpu_count};
	r->next_seq = calloc(cpu_count, sizeof(*r->next_seq));
	if (!r->next_seq)
		return -ENOMEM;
	p = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
	if (p == MAP_FAILED) {
		int err = -errno;

		ww_ring_close(r);
		return err;
	}
	r->consumer = p;
	/* The producer's page, then the data. */
	r->mapped = page + bytes + TAIL_BYTES;
	p = mmap(NULL, r->mapped, PROT_READ, MAP_SHARED, map_fd, (off_t)page);
	if (p == MAP_FAILED) {
		int err = -errno;

		ww_ring_close(r);
		return err;
	}
	r->producer = p;
	r->data = (const uint8_t *)p + page;
	return 0;
}

void ww_ring_close(struct ww_ring *r)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (r->consumer)
		munmap(r->consumer, page);
	if (r->producer)
		munmap((void *)r->producer, r->mapped);
	free(r->next_seq);
	*r = (struct ww_ring){0};
}

struct head {
	uint32_t length; /* with BPF_RINGBUF_BUSY_BIT and BPF_RINGBUF_DISCARD_BIT */
	uint32_t page;
};

static uint64_t step(uint32_t length)
{
	return ((uint64_t)(length & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT)) +
		BPF_RINGBUF_HDR_SZ + 7) &
	       ~7ull;
}

/* The next event in front of `limit`; NULL: none, or *ret_busy: still being written. */
static const struct ww_event *peek(struct ww_ring *r, uint64_t limit, uint32_t *ret_length,
				   bool *ret_busy)
{
	uint64_t at = *r->consumer;

	while (at < limit) {
		const struct head *h = (const struct head *)(r->data + (at & (r->bytes - 1)));
		uint32_t length = __atomic_load_n(&h->length, __ATOMIC_ACQUIRE);

		for (unsigned i = 0; (length & BPF_RINGBUF_BUSY_BIT) && i < BUSY_SPINS; i++) {
			__asm__ volatile("" ::: "memory");
			length = __atomic_load_n(&h->length, __ATOMIC_ACQUIRE);
		}
		if (length & BPF_RINGBUF_BUSY_BIT) {
			*ret_busy = true;
			return NULL;
		}
		if (!(length & BPF_RINGBUF_DISCARD_BIT)) {
			*ret_length = length;
			return (const struct ww_event *)(h + 1);
		}
		at += step(length);
		__atomic_store_n(r->consumer, at, __ATOMIC_RELEASE);
	}
	return NULL;
}

static void note_seq(struct ww_ring *r, const struct ww_event *ev)
{
	uint64_t *next;

	if (ev->cpu >= r->cpu_count)
		return;
	next = &r->next_seq[ev->cpu];
	if (ev->seq >= *next) {
		r->holes += (int64_t)(ev->seq - *next);
		*next = ev->seq + 1;
	} else {
		r->holes--;
	}
}

static void take(struct ww_ring *r, const struct ww_event *ev, uint32_t length,
		 void (*fn)(void *ctx, const struct ww_event *ev), void *ctx, uint64_t *malformed)
{
	if (length <= TAIL_BYTES && ww_event_check(ev, length) == 0) {
		note_seq(r, ev);
		fn(ctx, ev);
	} else {
		(*malformed)++;
	}
	__atomic_store_n(r->consumer, *r->consumer + step(length), __ATOMIC_RELEASE);
}

uint64_t ww_ring_drain(struct ww_ring rings[WW_RING_MAX],
		       void (*fn)(void *ctx, const struct ww_event *ev), void *ctx,
		       uint64_t horizon, uint64_t *malformed)
{
	const struct ww_event *head[WW_RING_MAX] = {NULL};
	uint64_t limit[WW_RING_MAX], now;
	uint32_t length[WW_RING_MAX];
	bool busy = false;

	now = ww_boot_now().ns;
	for (unsigned i = 0; i < WW_RING_MAX; i++)
		limit[i] = __atomic_load_n(rings[i].producer, __ATOMIC_ACQUIRE);
	for (;;) {
		unsigned pick = WW_RING_MAX;

		for (unsigned i = 0; i < WW_RING_MAX; i++) {
			if (!head[i])
				head[i] = peek(&rings[i], limit[i], &length[i], &busy);
			if (head[i] &&
			    (pick == WW_RING_MAX || head[i]->time_ns < head[pick]->time_ns))
				pick = i;
		}
		if (busy)
			return horizon;
		if (pick == WW_RING_MAX)
			return now;
		take(&rings[pick], head[pick], length[pick], fn, ctx, malformed);
		head[pick] = NULL;
	}
}
