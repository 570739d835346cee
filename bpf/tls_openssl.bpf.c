/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Plaintext of SSL_read and SSL_write, taken when the call has succeeded. */
#include "lib/tls.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("uprobe")
int ww_ssl_entry(struct pt_regs *ctx)
{
	struct ww_thread *t = thread_in_scope();
	__u64 fourth = PT_REGS_PARM4(ctx), fifth = PT_REGS_PARM5(ctx);
	struct ww_call *c;
	__u64 cookie;

	if (!t)
		return 0;
	ww_barrier(fourth); /* the verifier wants registers read by constant offset */
	ww_barrier(fifth);
	cookie = bpf_get_attach_cookie(ctx);
	c = call_open(t, frame_of(ctx, cookie));
	c->frame = frame_of(ctx, cookie);
	c->object = PT_REGS_PARM1(ctx);
	c->buffer = PT_REGS_PARM2(ctx);
	c->length = PT_REGS_PARM3(ctx);
	if (WW_SITE_COOKIE_LEN32(cookie))
		c->length = (__u32)c->length;
	c->done = WW_SITE_COOKIE_DONE_R8(cookie) ? fifth : fourth;
	c->cookie = cookie;
	c->serial = ++t->serial;
	return 0;
}

/* Only ENTRY opens calls, and only of threads in scope: finding one is the scope check. */
SEC("uprobe")
int ww_ssl_result(struct pt_regs *ctx)
{
	struct ww_thread *t = thread_get(false);
	__s32 result = PT_REGS_RC(ctx);
	__u64 cookie, bytes;
	struct ww_call *c;

	cookie = bpf_get_attach_cookie(ctx);
	c = t ? call_find(t, frame_of(ctx, cookie)) : NULL;
	if (!c)
		return result_alone(result, cookie);
	c->frame = 0;
	if (result <= 0)
		return 0;
	bytes = result;
	if (WW_SITE_COOKIE_DONE(cookie) &&
	    bpf_probe_read_user(&bytes, sizeof(bytes), (void *)c->done) != 0) {
		ww_lost(t->scope.slot, WW_LOSS_USER_READ, 1, 0);
		return 0;
	}
	if (bytes > c->length || bytes > 0x7fffffff) {
		ww_lost(t->scope.slot, WW_LOSS_ARGS, 1, 0);
		return 0;
	}
	if (bytes)
		emit_transfer(t, c, bytes);
	return 0;
}

/* BIO_write: what the call in progress hands down is its session's ciphertext. */
SEC("uprobe")
int ww_ssl_prefix(struct pt_regs *ctx)
{
	struct ww_thread *t = thread_in_scope();
	struct ww_session_state *s;
	struct ww_session_key key;
	struct ww_session_id id;
	struct ww_call *c;
	struct {
		__u8 pad[3]; /* aligns the body */
		__u8 head[5];
		struct ww_half_random body;
	} record;

	if (!t)
		return 0;
	c = call_innermost(t);
	if (!c || (__s32)PT_REGS_PARM3(ctx) < 21)
		return 0;
	read_id(t, c->object, c->cookie, &id);
	s = session_get(&id);
	if (!s || s->cookie)
		return 0;
	if (bpf_probe_read_user(record.head, 21, (void *)PT_REGS_PARM2(ctx)) != 0)
		return 0;
	if (record.head[0] != 23 || record.head[1] != 3)
		return 0;
	fill_key(&key, &id, WW_SITE_COOKIE_FILE(c->cookie));
	if (bpf_map_update_elem(&ww_prefixes, &record.body, &key, BPF_ANY) != 0)
		ww_lost(t->scope.slot, WW_LOSS_MAP_FULL, 1, 0);
	return 0;
}

SEC("uprobe")
int ww_ssl_free(struct pt_regs *ctx)
{
	return object_freed(ctx);
}
