/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Events into the rings, and what did not fit.
 *
 * Invariants:
 * 1. Every attempt takes a sequence number, whether it gets room or not; an attempt without room
 *    is counted by cause and scope. So admitted == emitted + lost, per ring.
 * 2. The time of an event is taken after its room is reserved: once user space has read the clock
 *    and then the ring's producer position, no event behind that position is older than the clock.
 * 3. Nothing wakes the reader, except when another quarter of the ring has filled.
 */
#pragma once

#include "lib/maps.bpf.h"

static __always_inline void ww_lost(__u32 slot, __u32 cause, __u64 events, __u64 bytes)
{
	struct ww_loss_row *row = bpf_map_lookup_elem(&ww_losses, &slot);

	if (!row || cause >= WW_LOSS_CAUSES)
		return;
	__sync_fetch_and_add(&row->cause[cause].events, events);
	if (bytes) /* adding 0 would become an atomic "or", which 5.10 does not have */
		__sync_fetch_and_add(&row->cause[cause].bytes, bytes);
}

static __always_inline __u64 ww_next_seq(enum ww_ring_id id, __u32 cpu)
{
	struct ww_cpu_row *row = bpf_map_lookup_elem(&ww_cpus, &cpu);
	__u64 seq;

	if (!row)
		return 0;
	if (ww_has_fetch_add)
		return __sync_fetch_and_add(&row->seq[id], 1);
	seq = row->seq[id];
	row->seq[id] = seq + 1;
	return seq;
}

/*
 * Completes what bpf_ringbuf_reserve() gave: sequence number, and the header but for actor and
 * cookie. False when it gave nothing, counted as one event of `content` bytes.
 */
static __always_inline bool ww_admit(struct ww_event *e, enum ww_ring_id id, __u16 kind,
				     __u32 bytes, const struct ww_scope_ref *scope, __u64 content)
{
	__u32 cpu = bpf_get_smp_processor_id();
	__u64 seq = ww_next_seq(id, cpu);

	if (!e) {
		ww_lost(scope->slot, id == WW_RING_DATA ? WW_LOSS_RING_DATA : WW_LOSS_RING_CONTROL,
			1, content);
		return false;
	}
	e->version = WW_EVENT_VERSION;
	e->kind = kind;
	e->size = bytes;
	e->time_ns = bpf_ktime_get_boot_ns();
	e->seq = seq;
	e->cpu = cpu;
	e->_pad = 0;
	e->cgroup = scope->id;
	return true;
}

/* Room for a chunk behind a head of constant size, by size class: what it needs, never the worst
 * case. */
static __always_inline void *ww_reserve_chunk(__u32 head, __u32 bytes)
{
	if (bytes <= 256)
		return bpf_ringbuf_reserve(&ww_data, head + 256, 0);
	if (bytes <= 1024)
		return bpf_ringbuf_reserve(&ww_data, head + 1024, 0);
	if (bytes <= 2048)
		return bpf_ringbuf_reserve(&ww_data, head + 2048, 0);
	if (bytes <= 4096)
		return bpf_ringbuf_reserve(&ww_data, head + 4096, 0);
	return bpf_ringbuf_reserve(&ww_data, head + WW_CHUNK_BYTES_MAX, 0);
}

/* Reserves `bytes`, a constant. NULL: no room. */
static __always_inline void *ww_begin(void *ring, enum ww_ring_id id, __u16 kind, __u64 bytes,
				      const struct ww_scope_ref *scope, __u64 content)
{
	struct ww_event *e = bpf_ringbuf_reserve(ring, bytes, 0);

	return ww_admit(e, id, kind, bytes, scope, content) ? e : NULL;
}

/* How full the ring is costs as much as a small copy: a CPU asks once in this many events. */
#define WW_WAKE_EVERY 8

static __always_inline bool ww_quarter_filled(void *ring, enum ww_ring_id id, __u32 cpu)
{
	struct ww_cpu_row *row = bpf_map_lookup_elem(&ww_cpus, &cpu);
	__u64 quarters = bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) / ww_wake_bytes[id];
	bool more;

	if (!row)
		return false;
	more = quarters > row->quarters[id];
	row->quarters[id] = quarters;
	return more;
}

static __always_inline void ww_end(void *ring, enum ww_ring_id id, void *event)
{
	struct ww_event *e = event;
	__u64 flags = BPF_RB_NO_WAKEUP;

	if (e->seq % WW_WAKE_EVERY == 0 && ww_quarter_filled(ring, id, e->cpu))
		flags = BPF_RB_FORCE_WAKEUP;
	bpf_ringbuf_submit(event, flags);
}

/* A control event of fixed size, zeroed behind the header. */
#define ww_control_begin(type, kind, scope)                                                     \
	({                                                                                      \
		type *ww_e_ = ww_begin(&ww_control, WW_RING_CONTROL, kind, sizeof(type), scope, \
				       sizeof(type));                                           \
		if (ww_e_) {                                                                    \
			__builtin_memset(&ww_e_->h.actor, 0, sizeof(ww_e_->h.actor));           \
			ww_e_->h.cookie = 0;                                                    \
			__builtin_memset((char *)ww_e_ + sizeof(struct ww_event), 0,            \
					 sizeof(type) - sizeof(struct ww_event));               \
		}                                                                               \
		ww_e_;                                                                          \
	})

#define ww_control_end(event) ww_end(&ww_control, WW_RING_CONTROL, event)
