/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Bytes of channels: what servers read from their standard input and write to their standard
 * output, pipes or unix sockets.
 *
 * The probes sit in the C library's calls, on the conditional jump behind the system call: there
 * the result is known and the kernel has left the arguments in their registers, so that one probe
 * does for both. They are set for single processes: who is not such a process does not have them.
 *
 * Invariants:
 * 1. Nothing of a process outside the scope is read, and of a process in it nothing but what its
 *    descriptor refers to, unless the loader has put that into ww_stdio.
 * 2. Offsets count every byte of every successful call, emitted or not: what is missing shows as a
 *    hole in them, and is counted by cause.
 * 3. Nothing counts before all probes of the process are set: both directions begin together.
 * 4. A byte that is only looked at (MSG_PEEK) is no byte.
 */
#include "lib/actor.bpf.h"
#include "lib/emit.bpf.h"
#include "lib/scope.bpf.h"
#include "lib/stdio.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define MSG_PEEK_ 2

/* Vector elements are at most UIO_MAXIOV; each takes a turn, and each of its chunks. */
#define VECTOR_MAX 1024u
#define TURNS_MAX  (VECTOR_MAX + 2 * WW_CHUNKS_PER_CALL_MAX)

/* One successful call. */
struct transfer {
	struct ww_scope_ref scope;
	struct ww_actor_key actor;
	__u64 cookie;
	__u64 offset; /* of the call's first byte */
	__u64 vector; /* address of the next element */
	__u64 elements;
	__u64 base; /* what is left of this element */
	__u64 left;
	__u32 bytes; /* of the call */
	__u32 at;    /* done */
	__u32 cap;   /* to be done */
	__u8 dir;
	__u8 rings;
};

static __always_inline bool uses_rings(void)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	return bpf_core_field_exists(task->io_uring) && BPF_CORE_READ(task, io_uring) != NULL;
}

static __always_inline void emit_chunk(const struct transfer *x, __u32 bytes)
{
	struct ww_event_stdio_data *e = ww_reserve_chunk(sizeof(*e), bytes);

	if (!ww_admit(&e->h, WW_RING_DATA, WW_EVENT_STDIO_DATA, sizeof(*e) + bytes, &x->scope,
		      bytes))
		return;
	e->h.actor = x->actor;
	e->h.cookie = x->cookie;
	e->offset = x->offset + x->at;
	e->call_bytes = x->bytes;
	e->call_at = x->at;
	e->captured = bytes;
	e->dir = x->dir;
	e->last = x->at + bytes == x->cap;
	e->rings = x->rings;
	e->line = 0;
	if (bpf_probe_read_user(e->bytes, bytes, (void *)x->base) != 0) {
		ww_lost(x->scope.slot, WW_LOSS_USER_READ, 1, bytes);
		e->captured = 0;
		e->h.size = sizeof(*e);
	}
	ww_end(&ww_data, WW_RING_DATA, e);
}

/* The next element of the vector, or the next chunk of this one. */
static long turn(__u32 index, struct transfer *x)
{
	struct {
		__u64 base, bytes;
	} element;
	__u32 bytes;

	if (x->at >= x->cap)
		return 1;
	if (x->left == 0) {
		if (x->elements == 0 ||
		    bpf_probe_read_user(&element, sizeof(element), (void *)x->vector) != 0)
			return 1;
		x->vector += sizeof(element);
		x->elements--;
		x->base = element.base;
		x->left = element.bytes;
		return 0;
	}
	bytes = x->cap - x->at;
	if (x->left < bytes)
		bytes = x->left;
	if (bytes > WW_CHUNK_BYTES_MAX)
		bytes = WW_CHUNK_BYTES_MAX;
	ww_barrier(bytes);
	if (bytes == 0 || bytes > WW_CHUNK_BYTES_MAX)
		return 1;
	emit_chunk(x, bytes);
	x->at += bytes;
	x->base += bytes;
	x->left -= bytes;
	return 0;
}

static __always_inline void emit_call(struct transfer *x)
{
	x->cap = x->bytes < ww_cap_bytes ? x->bytes : ww_cap_bytes;
	bpf_loop(TURNS_MAX, turn, x, 0);
	if (x->at < x->cap)
		ww_lost(x->scope.slot, WW_LOSS_USER_READ, 1, x->cap - x->at);
	if (x->bytes > x->cap)
		ww_lost(x->scope.slot, WW_LOSS_CAP, 1, x->bytes - x->cap);
}

/* The channel end behind fd; NULL: not one that is read. */
static __always_inline struct ww_stdio_state *state_of(__u32 fd)
{
	struct file *file = ww_file_of((struct task_struct *)bpf_get_current_task(), fd);
	struct ww_stdio_key key;

	if (!file || !ww_stdio_key_of(file, &key))
		return NULL;
	return bpf_map_lookup_elem(&ww_stdio, &key);
}

/* Bytes that went by without a call that has them in memory. */
static __always_inline void moved(__u32 fd, bool in, __u64 bytes, const struct ww_scope_ref *scope)
{
	struct ww_stdio_state *s = state_of(fd);
	__u8 dir = s ? (in ? s->read_dir : s->write_dir) : WW_STDIO_DIR_NONE;

	if (!s || dir >= WW_STDIO_DIR_NONE)
		return;
	__sync_fetch_and_add(&s->offset[dir & 1], bytes);
	ww_lost(scope->slot, WW_LOSS_MOVED, 1, bytes);
}

static __always_inline void transfer(struct pt_regs *ctx, __u64 call, __u64 bytes,
				     const struct ww_scope_ref *scope)
{
	bool in = call == WW_STDIO_READS || call == WW_STDIO_READSV || call == WW_STDIO_RECEIVES ||
		  call == WW_STDIO_RECEIVES_M;
	struct ww_stdio_state *s = state_of(PT_REGS_PARM1(ctx));
	struct transfer x = {.scope = *scope, .bytes = bytes};
	__u64 second = PT_REGS_PARM2(ctx), third = PT_REGS_PARM3(ctx);
	struct {
		__u64 name, name_bytes, vector, count;
	} message;

	x.dir = s ? (in ? s->read_dir : s->write_dir) : WW_STDIO_DIR_NONE;
	if (!s || x.dir >= WW_STDIO_DIR_NONE)
		return;
	if ((call == WW_STDIO_RECEIVES && PT_REGS_PARM4_SYSCALL(ctx) & MSG_PEEK_) ||
	    (call == WW_STDIO_RECEIVES_M && third & MSG_PEEK_))
		return;
	switch (call) {
	case WW_STDIO_READSV:
	case WW_STDIO_WRITESV:
		x.vector = second;
		x.elements = third;
		break;
	case WW_STDIO_RECEIVES_M:
	case WW_STDIO_SENDS_M:
		if (bpf_probe_read_user(&message, sizeof(message), (void *)second) == 0) {
			x.vector = message.vector;
			x.elements = message.count;
		}
		break;
	default:
		x.base = second;
		x.left = bytes;
	}
	x.cookie = s->cookie;
	x.offset = __sync_fetch_and_add(&s->offset[x.dir & 1], bytes);
	x.rings = uses_rings();
	ww_actor_current(&x.actor);
	emit_call(&x);
}

SEC("uprobe")
int ww_stdio_done(struct pt_regs *ctx)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32;
	__s64 bytes = PT_REGS_RC(ctx);
	struct ww_scope_ref scope;
	__u64 call;

	if (bytes <= 0 || !ww_scope_current(bpf_get_current_cgroup_id(), &scope) ||
	    !bpf_map_lookup_elem(&ww_stdio_ready, &pid))
		return 0;
	call = bpf_get_attach_cookie(ctx);
	switch (call) {
	case WW_STDIO_SPLICES:
		moved(PT_REGS_PARM1(ctx), true, bytes, &scope);
		moved(PT_REGS_PARM3(ctx), false, bytes, &scope);
		break;
	case WW_STDIO_TEES: /* what is copied stays to be read */
		moved(PT_REGS_PARM2(ctx), false, bytes, &scope);
		break;
	case WW_STDIO_VMSPLICES: /* into a pipe, or out of it */
		moved(PT_REGS_PARM1(ctx), true, bytes, &scope);
		moved(PT_REGS_PARM1(ctx), false, bytes, &scope);
		break;
	case WW_STDIO_SENDFILES:
		moved(PT_REGS_PARM1(ctx), false, bytes, &scope);
		moved(PT_REGS_PARM2(ctx), true, bytes, &scope);
		break;
	default:
		transfer(ctx, call, bytes, &scope);
	}
	return 0;
}
