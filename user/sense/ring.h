/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader of the two BPF ring buffers (kernel fact: Documentation/bpf/ringbuf.rst), in place and
 * merged by time.
 *
 * Numbered invariants:
 *  1. A drain reads the clock, then both producer positions; it delivers nothing behind them. Since
 * a program takes an event's time after its room, everything older than the clock is in front of
 * them.
 *  2. Room that is reserved and not yet committed stops both rings: what comes after it in either
 * could be younger. The returned time says how far the drain got.
 *  3. The consumer position moves only after the callback returned: an event is delivered once.
 *  4. Sequence numbers may come swapped (an interrupt between room and number): a hole is open
 * until its number comes, and only holes that stay open and that no counter explains are losses.
 *  5. An event that contradicts itself is not delivered, and leaves the hole of its number open.
 */
#pragma once

#include <stdint.h>

#include <wirewitness/event.h>
#include <wirewitness/kernel.h>

#include "base/own.h"

struct ww_ring {
	uint64_t bytes; /* of the data area, a power of two, at least 32 KiB */
	size_t mapped;  /* bytes at producer */
	uint64_t *consumer;
	const uint64_t *producer;
	const uint8_t *data;
	uint64_t *next_seq; /* per CPU */
	uint32_t cpu_count;
	int64_t holes; /* sequence numbers skipped and not seen since */
};

/* Maps the ring buffer behind map_fd (stays the caller's). 0 or -errno. */
WW_CHECK int ww_ring_open(struct ww_ring *r, int map_fd, uint64_t bytes, uint32_t cpu_count);
void ww_ring_close(struct ww_ring *r);

/*
 * Delivers the events of both rings; returns the time up to which everything was delivered: now, or
 * `horizon`, the last answer, when it met room that is not committed. malformed counts events that
 * contradict themselves. */
uint64_t ww_ring_drain(struct ww_ring rings[WW_RING_MAX],
		       void (*fn)(void *ctx, const struct ww_event *ev), void *ctx,
		       uint64_t horizon, uint64_t *malformed);
