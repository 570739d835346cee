/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * TLS calls, sessions and their plaintext, for every stack.
 *
 * Invariants:
 * 1. Nothing of a thread outside the scope is read, nor remembered.
 * 2. A call is named by its stack frame: ENTRY opens it, the RESULT of the same frame closes it. A
 *    call inside a call (TLS in TLS) has a frame of its own.
 * 3. Offsets count every byte of every successful call, emitted or not; what is not emitted is
 *    counted in the session (lost_before of its next event) and by cause.
 * 4. A session is bound to the socket that showed its client random and that its own process (or
 *    its parent: sockets are inherited) owns; when both ends fit, or none, it stays unbound.
 */
#pragma once

#include "lib/actor.bpf.h"
#include "lib/emit.bpf.h"
#include "lib/scope.bpf.h"

/* --- the thread and its calls --------------------------------------------------------------- */

static const struct ww_thread no_thread;

static __always_inline struct ww_thread *thread_get(bool create)
{
	struct ww_thread *t;
	__u64 key;

	if (ww_has_task_storage)
		return bpf_task_storage_get(&ww_threads, bpf_get_current_task_btf(), NULL,
					    create ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0);
	key = bpf_get_current_pid_tgid();
	t = bpf_map_lookup_elem(&ww_threads_lru, &key);
	if (t || !create)
		return t;
	bpf_map_update_elem(&ww_threads_lru, &key, &no_thread, BPF_ANY);
	return bpf_map_lookup_elem(&ww_threads_lru, &key);
}

/* NULL when the current thread is not in scope. */
static __always_inline struct ww_thread *thread_in_scope(void)
{
	__u64 cgroup = bpf_get_current_cgroup_id();
	struct ww_thread *t = thread_get(false);
	struct ww_scope_ref scope;

	if (t && t->cgroup == cgroup && t->scope.generation == ww_generation)
		return t->scope.id ? t : NULL;
	if (!ww_scope_current(cgroup, &scope) || bpf_get_current_pid_tgid() >> 32 == ww_own_pid)
		return NULL;
	if (!t)
		t = thread_get(true);
	if (!t) {
		ww_lost(scope.slot, WW_LOSS_MAP_FULL, 1, 0);
		return NULL;
	}
	t->cgroup = cgroup;
	t->scope = scope;
	ww_actor_current(&t->actor);
	return t;
}

static __always_inline __u64 frame_of(struct pt_regs *ctx, __u64 cookie)
{
	return PT_REGS_SP(ctx) + WW_SITE_COOKIE_SP(cookie);
}

/* The slot for a new call: its own frame's, a free one, else the oldest. */
static __always_inline struct ww_call *call_open(struct ww_thread *t, __u64 frame)
{
	__u64 oldest = ~0ull;
	__u32 at = 0;

	for (__u32 i = 0; i < WW_CALL_DEPTH; i++) {
		__u64 have = t->call[i].frame;

		if (have == frame) {
			at = i;
			break;
		}
		if ((have ? t->call[i].serial : 0) < oldest) {
			oldest = have ? t->call[i].serial : 0;
			at = i;
		}
	}
	return &t->call[at & (WW_CALL_DEPTH - 1)];
}

static __always_inline struct ww_call *call_find(struct ww_thread *t, __u64 frame)
{
	for (__u32 i = 0; i < WW_CALL_DEPTH; i++)
		if (t->call[i].frame == frame)
			return &t->call[i & (WW_CALL_DEPTH - 1)];
	return NULL;
}

static __always_inline struct ww_call *call_innermost(struct ww_thread *t)
{
	__u32 at = WW_CALL_DEPTH;
	__u64 newest = 0;

	for (__u32 i = 0; i < WW_CALL_DEPTH; i++)
		if (t->call[i].frame && t->call[i].serial > newest) {
			newest = t->call[i].serial;
			at = i;
		}
	return at < WW_CALL_DEPTH ? &t->call[at & (WW_CALL_DEPTH - 1)] : NULL;
}

/* --- the session ---------------------------------------------------------------------------- */

/* False: the random cannot be read; it stays zero then and the object alone has to do. */
static __always_inline bool read_id(const struct ww_thread *t, __u64 object, __u64 cookie,
				    struct ww_session_id *id)
{
	__u64 at = object + WW_SITE_COOKIE_OFF1(cookie);
	__u32 mode = WW_SITE_COOKIE_RANDOM(cookie);

	id->object = object;
	id->pid = t->actor.pid;
	id->_pad = 0;
	if (mode == 2) {
		if (bpf_probe_read_user(&at, sizeof(at), (void *)at) != 0)
			mode = 0;
		at += WW_SITE_COOKIE_OFF2(cookie);
	}
	if (mode && bpf_probe_read_user(id->random, sizeof(id->random), (void *)at) == 0)
		return true;
	__builtin_memset(id->random, 0, sizeof(id->random));
	return false;
}

static __always_inline bool random_known(const struct ww_session_id *id)
{
	const __u64 *w = (const __u64 *)id->random;

	return w[0] || w[1];
}

static __always_inline __u32 parent_pid(void)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	return BPF_CORE_READ(task, group_leader, real_parent, tgid);
}

/* A session begun before fork() goes on in the child where the parent left it. */
static __always_inline struct ww_session_state *session_new(struct ww_session_id *id)
{
	struct ww_session_state fresh = {}, *inherited;
	__u32 pid = id->pid;

	if (random_known(id)) {
		id->pid = parent_pid();
		inherited = bpf_map_lookup_elem(&ww_sessions, id);
		id->pid = pid;
		if (inherited)
			fresh = *inherited;
		fresh.write_over = fresh.write_begun;
	}
	bpf_map_update_elem(&ww_sessions, id, &fresh, BPF_NOEXIST);
	return bpf_map_lookup_elem(&ww_sessions, id);
}

static __always_inline bool bind_to(const struct ww_random_seen *seen, __u32 pid,
				    struct ww_session_state *s)
{
	bool client = seen->client_cookie && seen->client_pid == pid && !seen->client_twice;
	bool server = seen->server_cookie && seen->server_pid == pid;

	if (client == server)
		return false;
	s->cookie = client ? seen->client_cookie : seen->server_cookie;
	s->grade = WW_BIND_RANDOM;
	return true;
}

static __always_inline void session_bind(struct ww_session_state *s, const struct ww_session_id *id)
{
	struct ww_random_seen *seen;

	if (!random_known(id))
		return;
	seen = bpf_map_lookup_elem(&ww_randoms, id->random);
	if (seen && !bind_to(seen, id->pid, s) && seen->client_pid != id->pid)
		bind_to(seen, parent_pid(), s);
}

static __always_inline struct ww_session_state *session_get(struct ww_session_id *id)
{
	struct ww_session_state *s = bpf_map_lookup_elem(&ww_sessions, id);

	if (!s)
		s = session_new(id);
	if (s && !s->cookie)
		session_bind(s, id);
	return s;
}

static __always_inline void fill_key(struct ww_session_key *key, const struct ww_session_id *id,
				     __u32 file)
{
	__builtin_memcpy(key->random, id->random, sizeof(key->random));
	key->object = id->object;
	key->pid = id->pid;
	key->file = file;
}

/* --- plaintext ------------------------------------------------------------------------------ */

/* One successful call. */
struct transfer {
	struct ww_thread *thread;
	struct ww_session_state *session;
	const struct ww_session_id *id;
	__u64 buffer;
	const __u8 *kept; /* instead of the buffer; see tls_gnutls.bpf.c */
	__u64 offset;     /* of the call's first byte */
	__u32 bytes;      /* of the call */
	__u32 requested;
	__u32 file;
	__u32 dir;
};

static __always_inline bool take_bytes(const struct transfer *x, __u32 at, void *to, __u32 bytes)
{
	if (x->kept)
		return bpf_probe_read_kernel(to, bytes, x->kept + at) == 0;
	return bpf_probe_read_user(to, bytes, (void *)(x->buffer + at)) == 0;
}

/*
 * ww_event_data.write. For a read it is asked before its event has a place in the ring: a write
 * that is told behind that place is on its way then.
 */
static __always_inline __u8 write_number(const struct ww_session_state *s, __u32 dir)
{
	__u8 begun = *(const volatile __u8 *)&s->write_begun;

	if (dir == WW_DIR_IN && begun == *(const volatile __u8 *)&s->write_over)
		return 0;
	return begun;
}

static __always_inline void emit_chunk(const struct transfer *x, __u32 at, __u32 bytes, bool last)
{
	struct ww_session_state *s = x->session;
	__u32 dir = x->dir & 1;
	__u8 write = write_number(s, dir);
	struct ww_event_data *e = ww_reserve_chunk(sizeof(*e), bytes);

	if (!ww_admit(&e->h, WW_RING_DATA, WW_EVENT_DATA, sizeof(*e) + bytes, &x->thread->scope,
		      bytes)) {
		s->lost[dir] += bytes;
		return;
	}
	e->h.actor = x->thread->actor;
	e->h.cookie = s->cookie;
	fill_key(&e->session, x->id, x->file);
	e->offset = x->offset + at;
	e->call_bytes = x->bytes;
	e->call_at = at;
	e->captured = bytes;
	e->requested = x->requested;
	e->lost_before = s->lost[dir];
	e->dir = dir;
	e->bind = s->grade;
	e->last = last;
	e->write = write;
	s->lost[dir] = 0;
	if (!take_bytes(x, at, e->bytes, bytes)) {
		ww_lost(x->thread->scope.slot, WW_LOSS_USER_READ, 1, bytes);
		s->lost[dir] = bytes;
		e->captured = 0;
		e->h.size = sizeof(*e);
	}
	ww_end(&ww_data, WW_RING_DATA, e);
}

/* A whole chunk in front of the call's last one. */
static long emit_full(__u32 index, struct transfer *x)
{
	emit_chunk(x, index * WW_CHUNK_BYTES_MAX, WW_CHUNK_BYTES_MAX, false);
	return 0;
}

/* Where the kernel has no loop helper, the verifier walks every turn: fewer of them. */
#define TURNS_MAX 64

static __always_inline void emit_full_chunks(struct transfer *x, __u32 count)
{
	if (ww_has_loop) {
		bpf_loop(count, emit_full, x, 0);
		return;
	}
	for (__u32 i = 0; i < TURNS_MAX && i < count; i++)
		emit_full(i, x);
}

static __always_inline void emit_call(struct transfer *x)
{
	__u32 cap = x->bytes, full, last, dir = x->dir & 1;

	if (cap > ww_cap_bytes)
		cap = ww_cap_bytes;
	if (!ww_has_loop && cap > (TURNS_MAX + 1) * WW_CHUNK_BYTES_MAX)
		cap = (TURNS_MAX + 1) * WW_CHUNK_BYTES_MAX;
	full = (cap - 1) / WW_CHUNK_BYTES_MAX;
	last = cap - full * WW_CHUNK_BYTES_MAX;
	if (full)
		emit_full_chunks(x, full);
	ww_barrier(last);
	if (last <= WW_CHUNK_BYTES_MAX)
		emit_chunk(x, full * WW_CHUNK_BYTES_MAX, last, true);
	if (x->bytes > cap) {
		x->session->lost[dir] += x->bytes - cap;
		ww_lost(x->thread->scope.slot, WW_LOSS_CAP, 1, x->bytes - cap);
	}
}

/* Plaintext of the session that is not emitted: its place in the stream stays. */
static __always_inline void lose(const struct ww_thread *t, struct ww_session_state *s, __u32 dir,
				 __u32 cause, __u32 bytes)
{
	s->offset[dir & 1] += bytes;
	s->lost[dir & 1] += bytes;
	ww_lost(t->scope.slot, cause, 1, bytes);
}

/* kept: NULL: the bytes are in the call's buffer. */
static __always_inline void emit_session(struct ww_thread *t, const struct ww_call *c, __u32 bytes,
					 const struct ww_session_id *id, struct ww_session_state *s,
					 const __u8 *kept)
{
	struct transfer x = {
		.thread = t,
		.session = s,
		.id = id,
		.buffer = c->buffer,
		.kept = kept,
		.bytes = bytes,
		.requested = c->length > ~0u ? ~0u : c->length,
		.file = WW_SITE_COOKIE_FILE(c->cookie),
		.dir = WW_SITE_COOKIE_DIR(c->cookie),
	};

	x.offset = s->offset[x.dir & 1];
	s->offset[x.dir & 1] += bytes;
	emit_call(&x);
}

static __always_inline void emit_transfer(struct ww_thread *t, const struct ww_call *c, __u32 bytes)
{
	struct ww_session_id id;
	struct ww_session_state *s;

	read_id(t, c->object, c->cookie, &id);
	s = session_get(&id);
	if (s)
		emit_session(t, c, bytes, &id, s, NULL);
	else
		ww_lost(t->scope.slot, WW_LOSS_MAP_FULL, 1, bytes);
}

/* --- what probes have in common -------------------------------------------------------------- */

/* A result whose ENTRY was not seen: the probes came in mid-call. */
static __always_inline int result_alone(__s32 result, __u64 cookie)
{
	struct ww_thread *t;

	if (result <= 0)
		return 0;
	t = thread_in_scope();
	if (t)
		ww_lost(t->scope.slot, WW_LOSS_ARGS, 1, WW_SITE_COOKIE_DONE(cookie) ? 0 : result);
	return 0;
}

/* What the session carried. */
static __always_inline void tell_totals(struct ww_thread *t, const struct ww_session_id *id,
					const struct ww_session_state *s, __u64 cookie)
{
	struct ww_event_session *e;

	e = ww_begin(&ww_data, WW_RING_DATA, WW_EVENT_SESSION_END, sizeof(*e), &t->scope, 0);
	if (e) {
		e->h.actor = t->actor;
		fill_key(&e->session, id, WW_SITE_COOKIE_FILE(cookie));
		e->h.cookie = s->cookie;
		e->bytes_out = s->offset[WW_DIR_OUT];
		e->bytes_in = s->offset[WW_DIR_IN];
		ww_end(&ww_data, WW_RING_DATA, e);
	}
}

/*
 * The end may be one of several references' end: totals are told, and the state stays where a
 * random makes it impossible to take the next object for this one.
 */
static __always_inline int object_freed(struct pt_regs *ctx)
{
	struct ww_thread *t = thread_in_scope();
	struct ww_session_state *s;
	struct ww_session_id id;
	__u64 cookie;

	if (!t || !PT_REGS_PARM1(ctx))
		return 0;
	cookie = bpf_get_attach_cookie(ctx);
	read_id(t, PT_REGS_PARM1(ctx), cookie, &id);
	s = bpf_map_lookup_elem(&ww_sessions, &id);
	if (!s)
		return 0;
	tell_totals(t, &id, s, cookie);
	if (!random_known(&id))
		bpf_map_delete_elem(&ww_sessions, &id);
	return 0;
}
