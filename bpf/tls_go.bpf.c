/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Plaintext of Go's crypto/tls: records that went to the socket, reads that brought something.
 *
 * Invariants, besides those of lib/tls.bpf.h:
 * 1. A call is named by its goroutine and by how far its frame lies below the upper end of the
 *    goroutine's stack: neither changes when the goroutine goes on in another thread, or when its
 *    stack is copied to another place.
 * 2. A buffer that lies on that stack is remembered by the same distance: it moves along.
 * 3. Reading and writing have locks of their own: an answer may be read, and told, before the
 *    write of its request has come back. So writes are numbered, and a read names the one that
 *    was on its way.
 * 4. A *Conn is told from the next one at its address by the random of the hello that it sent: its
 *    own in both roles. Only a client's binds it; others are bound by their ciphertext.
 */
#include "lib/tls.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define RECORD_HANDSHAKE   22
#define RECORD_APPLICATION 23
#define CLIENT_HELLO       1
#define SERVER_HELLO       2
#define HELLO_RANDOM_AT    11 /* record header 5, handshake header 4, version 2 */

/* runtime.g begins with the bounds of its stack. */
struct go_stack {
	__u64 lo, hi;
};

static __always_inline bool read_stack(struct pt_regs *ctx, struct go_stack *s)
{
	return bpf_probe_read_user(s, sizeof(*s), (void *)ctx->r14) == 0 && s->lo < ctx->sp &&
	       ctx->sp < s->hi;
}

static __always_inline struct ww_go_frame frame_at(struct pt_regs *ctx, const struct go_stack *s)
{
	return (struct ww_go_frame){.goroutine = ctx->r14,
				    .depth = s->hi - ctx->sp,
				    .pid = bpf_get_current_pid_tgid() >> 32};
}

/* Invariant 2. */
static __always_inline void set_buffer(struct ww_go_call *call, __u64 buffer,
				       const struct go_stack *s)
{
	call->on_stack = buffer >= s->lo && buffer < s->hi;
	call->buffer = call->on_stack ? s->hi - buffer : buffer;
}

static __always_inline void go_id(const struct ww_thread *t, __u64 conn, struct ww_session_id *id)
{
	struct ww_go_key key = {.address = conn, .pid = t->actor.pid};
	struct ww_half_random *random = bpf_map_lookup_elem(&ww_go_hellos, &key);

	__builtin_memset(id, 0, sizeof(*id));
	id->object = conn;
	id->pid = t->actor.pid;
	if (random)
		__builtin_memcpy(id->random, random, sizeof(id->random));
}

static __always_inline void open_call(const struct ww_thread *t, const struct ww_go_frame *frame,
				      const struct ww_go_call *call)
{
	if (bpf_map_update_elem(&ww_go_calls, frame, call, BPF_ANY) != 0)
		ww_lost(t->scope.slot, WW_LOSS_MAP_FULL, 1, call->length);
}

/* --- read ----------------------------------------------------------------------------------- */

SEC("uprobe")
int ww_go_entry(struct pt_regs *ctx)
{
	struct ww_thread *t = thread_in_scope();
	struct ww_go_call call = {};
	struct ww_go_frame frame;
	struct go_stack stack;

	if (!t)
		return 0;
	if (!read_stack(ctx, &stack)) {
		ww_lost(t->scope.slot, WW_LOSS_ARGS, 1, 0);
		return 0;
	}
	frame = frame_at(ctx, &stack);
	set_buffer(&call, ctx->bx, &stack);
	call.conn = ctx->ax;
	call.length = ctx->cx;
	call.cookie = bpf_get_attach_cookie(ctx);
	open_call(t, &frame, &call);
	return 0;
}

/* --- what comes back ------------------------------------------------------------------------ */

static __always_inline bool is_out(struct pt_regs *ctx)
{
	return WW_SITE_COOKIE_DIR(bpf_get_attach_cookie(ctx)) == WW_DIR_OUT;
}

/* A read that was under way before there were probes: that its bytes are missing is told at once.
 */
static __always_inline void tell_hole(struct ww_thread *t, struct pt_regs *ctx, __u64 cookie,
				      __u32 bytes)
{
	struct ww_session_state *s;
	struct ww_event_data *e;
	struct ww_session_id id;
	__u64 conn = 0;
	__u8 write;

	ww_lost(t->scope.slot, WW_LOSS_ARGS, 1, bytes);
	if (!WW_SITE_COOKIE_DONE(cookie) ||
	    bpf_probe_read_user(&conn, sizeof(conn), (void *)(ctx->sp + 8)) != 0)
		return;
	go_id(t, conn, &id);
	s = bpf_map_lookup_elem(&ww_sessions, &id);
	if (!s)
		return; /* nothing was sent since: no answer is expected */
	write = write_number(s, WW_DIR_IN);
	e = ww_begin(&ww_data, WW_RING_DATA, WW_EVENT_DATA, sizeof(*e), &t->scope, 0);
	if (e) {
		e->h.actor = t->actor;
		e->h.cookie = s->cookie;
		fill_key(&e->session, &id, WW_SITE_COOKIE_FILE(cookie));
		e->offset = s->offset[WW_DIR_IN];
		e->call_bytes = bytes;
		e->call_at = e->captured = 0;
		e->requested = bytes;
		e->lost_before = s->lost[WW_DIR_IN];
		e->dir = WW_DIR_IN;
		e->bind = s->grade;
		e->last = 1;
		e->write = write;
		ww_end(&ww_data, WW_RING_DATA, e);
		s->lost[WW_DIR_IN] = 0;
	}
	s->offset[WW_DIR_IN] += bytes;
	s->lost[WW_DIR_IN] += bytes;
}

/* The call's begin was not seen. How much of what is written is plaintext is not known. */
static __always_inline int go_result_alone(struct ww_thread *t, struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx);
	__s64 result = ctx->ax;

	if (result <= 0 || result > 0x7fffffff)
		return 0;
	if (is_out(ctx))
		ww_lost(t->scope.slot, WW_LOSS_ARGS, 1, 0);
	else
		tell_hole(t, ctx, cookie, result);
	return 0;
}

static __always_inline void go_emit(struct ww_thread *t, const struct ww_call *call,
				    const struct ww_session_id *id, __u32 bytes)
{
	struct ww_session_id copy = *id; /* session_get() takes turns with it */
	struct ww_session_state *s = session_get(&copy);

	if (s)
		emit_session(t, call, bytes, &copy, s, NULL);
	else
		ww_lost(t->scope.slot, WW_LOSS_MAP_FULL, 1, bytes);
}

/* The count is one of ciphertext: the record went out, or it did not. */
static __always_inline void record_gone(struct ww_thread *t, const struct ww_call *call,
					const struct ww_session_id *id, __u64 error)
{
	struct ww_session_state *s;

	if (!call->length)
		return; /* not of application data */
	if (!error && call->length <= 0x7fffffff)
		go_emit(t, call, id, call->length);
	s = bpf_map_lookup_elem(&ww_sessions, id);
	if (s)
		s->write_over = s->write_begun; /* only now that it is told */
}

SEC("uprobe")
int ww_go_result(struct pt_regs *ctx)
{
	__u64 error = ctx->bx;
	__s64 result = ctx->ax;
	struct ww_go_call *open;
	struct ww_session_id id;
	struct ww_go_frame frame;
	struct ww_call call = {};
	struct go_stack stack;
	struct ww_thread *t = thread_in_scope(); /* not always the one that made the call */

	ww_barrier(error); /* the verifier wants registers read by constant offset */
	if (!t)
		return 0;
	if (!read_stack(ctx, &stack))
		return go_result_alone(t, ctx);
	frame = frame_at(ctx, &stack);
	open = bpf_map_lookup_elem(&ww_go_calls, &frame);
	if (!open)
		return go_result_alone(t, ctx);
	call.object = open->conn;
	call.buffer = open->on_stack ? stack.hi - open->buffer : open->buffer;
	call.length = open->length;
	call.cookie = open->cookie;
	bpf_map_delete_elem(&ww_go_calls, &frame);
	go_id(t, call.object, &id);
	if (is_out(ctx))
		record_gone(t, &call, &id, error);
	else if (result > 0 && (__u64)result <= call.length && result <= 0x7fffffff)
		go_emit(t, &call, &id, result);
	else if (result > 0)
		ww_lost(t->scope.slot, WW_LOSS_ARGS, 1, 0);
	return 0;
}

/* --- records on their way out --------------------------------------------------------------- */

/* What the record that this goroutine writes next is made of; nothing where it is not ours. */
SEC("uprobe")
int ww_go_payload(struct pt_regs *ctx)
{
	struct ww_thread *t = thread_in_scope();
	__u64 payload = ctx->si, length = ctx->r8;
	struct ww_go_call call = {};
	struct ww_go_key key = {};
	struct go_stack stack;
	__u8 type;

	if (!t)
		return 0;
	if (!read_stack(ctx, &stack) || bpf_probe_read_user(&type, 1, (void *)ctx->bx) != 0) {
		ww_lost(t->scope.slot, WW_LOSS_ARGS, 1, 0);
		return 0;
	}
	key.address = ctx->r14;
	key.pid = t->actor.pid;
	if (type == RECORD_APPLICATION) {
		set_buffer(&call, payload, &stack);
		call.length = length;
	}
	if (bpf_map_update_elem(&ww_go_payloads, &key, &call, BPF_ANY) != 0)
		ww_lost(t->scope.slot, WW_LOSS_MAP_FULL, 1, call.length);
	return 0;
}

/* The call gets what was made for it. */
static __always_inline void take_payload(struct ww_thread *t, struct pt_regs *ctx)
{
	struct ww_go_key key = {.address = ctx->r14, .pid = t->actor.pid};
	struct ww_go_call *made = bpf_map_lookup_elem(&ww_go_payloads, &key), call;
	struct ww_session_state *s;
	struct ww_session_id id;
	struct ww_go_frame frame;
	struct go_stack stack;

	if (!made || !read_stack(ctx, &stack)) {
		ww_lost(t->scope.slot, WW_LOSS_ARGS, 1, 0);
		return;
	}
	call = *made;
	frame = frame_at(ctx, &stack);
	call.conn = ctx->ax;
	call.cookie = bpf_get_attach_cookie(ctx);
	open_call(t, &frame, &call);
	if (!call.length)
		return;
	go_id(t, call.conn, &id);
	s = session_get(&id);
	if (s)
		s->write_begun = s->write_begun == 255 ? 1 : s->write_begun + 1;
}

/* The random of a hello that goes out: from now on it names the session. */
static __always_inline void note_hello(struct ww_thread *t, __u64 conn, __u64 record)
{
	struct ww_go_key key = {.address = conn, .pid = t->actor.pid};
	struct ww_half_random random;

	if (bpf_probe_read_user(&random, sizeof(random), (void *)(record + HELLO_RANDOM_AT)) == 0 &&
	    bpf_map_update_elem(&ww_go_hellos, &key, &random, BPF_ANY) != 0)
		ww_lost(t->scope.slot, WW_LOSS_MAP_FULL, 1, 0);
}

static __always_inline void note_prefix(struct ww_thread *t, __u64 conn, __u64 record, __u64 cookie)
{
	struct ww_session_state *s;
	struct ww_half_random body;
	struct ww_session_key key;
	struct ww_session_id id;

	if (!ww_prefix_on)
		return;
	go_id(t, conn, &id);
	s = session_get(&id);
	if (!s || s->cookie || bpf_probe_read_user(&body, sizeof(body), (void *)(record + 5)) != 0)
		return;
	fill_key(&key, &id, WW_SITE_COOKIE_FILE(cookie));
	if (bpf_map_update_elem(&ww_prefixes, &body, &key, BPF_ANY) != 0)
		ww_lost(t->scope.slot, WW_LOSS_MAP_FULL, 1, 0);
}

/* One record, whole, before it goes to the socket. */
SEC("uprobe")
int ww_go_record(struct pt_regs *ctx)
{
	struct ww_thread *t = thread_in_scope();
	__u64 conn = ctx->ax, record = ctx->bx;
	__u8 head[6];

	if (!t)
		return 0;
	take_payload(t, ctx);
	if (ctx->cx < 21 || bpf_probe_read_user(head, sizeof(head), (void *)record) != 0 ||
	    head[1] != 3)
		return 0;
	if (head[0] == RECORD_HANDSHAKE && (head[5] == CLIENT_HELLO || head[5] == SERVER_HELLO))
		note_hello(t, conn, record);
	else if (head[0] == RECORD_APPLICATION)
		note_prefix(t, conn, record, bpf_get_attach_cookie(ctx));
	return 0;
}

/*
 * Another goroutine may close what this one still writes to: then these are not the totals. The
 * state stays in any case: the next *Conn at this address begins with a hello.
 */
SEC("uprobe")
int ww_go_close(struct pt_regs *ctx)
{
	struct ww_thread *t = thread_in_scope();
	struct ww_session_state *s;
	struct ww_session_id id;

	if (!t)
		return 0;
	go_id(t, ctx->ax, &id);
	s = bpf_map_lookup_elem(&ww_sessions, &id);
	if (s && s->write_begun == s->write_over)
		tell_totals(t, &id, s, bpf_get_attach_cookie(ctx));
	return 0;
}
