/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Plaintext of GnuTLS, where its record layer takes it from the API and hands it back.
 *
 * A record that the socket did not take stays in the library (GNUTLS_E_AGAIN), and the next call
 * sends that one: what the caller gives it then does not count, it may be nothing at all. So its
 * plaintext is kept here from the first call on, and told when a call says that it was sent.
 */
#include "lib/tls.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define TYPE_APPLICATION 23

#define GNUTLS_E_AGAIN       -28
#define GNUTLS_E_INTERRUPTED -52

SEC("uprobe")
int ww_gtls_entry(struct pt_regs *ctx)
{
	struct ww_thread *t = thread_in_scope();
	__u64 third = PT_REGS_PARM3(ctx), fourth = PT_REGS_PARM4(ctx);
	__u64 fifth = PT_REGS_PARM5(ctx), sixth = ctx->r9 /* libbpf 1.1 has no PT_REGS_PARM6 */;
	struct ww_call *c;
	__u64 cookie;
	bool queue;

	if (!t)
		return 0;
	ww_barrier(third); /* the verifier wants registers read by constant offset */
	ww_barrier(fourth);
	ww_barrier(fifth);
	ww_barrier(sixth);
	cookie = bpf_get_attach_cookie(ctx);
	queue = WW_SITE_COOKIE_FORM(cookie) == WW_COOKIE_FORM_QUEUE;
	c = call_open(t, frame_of(ctx, cookie));
	c->frame = frame_of(ctx, cookie);
	/* A call without object is one of the handshake: its RESULT finds it, and no more. */
	c->object = (__u32)PT_REGS_PARM2(ctx) == TYPE_APPLICATION ? PT_REGS_PARM1(ctx) : 0;
	c->buffer = queue ? fifth : third;
	c->length = queue ? sixth : fourth;
	if (WW_SITE_COOKIE_LEN32(cookie))
		c->length = (__u32)c->length;
	c->done = 0;
	c->cookie = cookie;
	c->serial = ++t->serial;
	return 0;
}

/* The library keeps the first record of what it was given. */
static __always_inline void keep(const struct ww_thread *t, const struct ww_call *c,
				 const struct ww_session_id *id, struct ww_session_state *s)
{
	__u32 zero = 0, bytes = c->length > WW_KEPT_BYTES_MAX ? WW_KEPT_BYTES_MAX : c->length;
	struct ww_kept *k = bpf_map_lookup_elem(&ww_kept_none, &zero);

	if (s->keeps || !bytes || !k)
		return;
	s->keeps = 1;
	if (bpf_map_update_elem(&ww_kept, id, k, BPF_ANY) != 0)
		return;
	k = bpf_map_lookup_elem(&ww_kept, id);
	ww_barrier(bytes);
	if (k && bytes <= WW_KEPT_BYTES_MAX &&
	    bpf_probe_read_user(k->bytes, bytes, (void *)c->buffer) == 0)
		k->count = bytes;
}

static __always_inline int sent(struct ww_thread *t, const struct ww_call *c, __s32 result)
{
	struct ww_session_id id;
	struct ww_session_state *s;
	struct ww_kept *k = NULL;

	read_id(t, c->object, c->cookie, &id);
	s = session_get(&id);
	if (!s) {
		ww_lost(t->scope.slot, WW_LOSS_MAP_FULL, 1, result > 0 ? result : 0);
		return 0;
	}
	if (result == GNUTLS_E_AGAIN || result == GNUTLS_E_INTERRUPTED) {
		keep(t, c, &id, s);
		return 0;
	}
	if (s->keeps)
		k = bpf_map_lookup_elem(&ww_kept, &id);
	if (result > 0) {
		if (k && (__u32)result <= k->count)
			emit_session(t, c, result, &id, s, k->bytes);
		else if (!s->keeps && (__u64)result <= c->length)
			emit_session(t, c, result, &id, s, NULL);
		else
			lose(t, s, WW_DIR_OUT, s->keeps ? WW_LOSS_MAP_FULL : WW_LOSS_ARGS, result);
	}
	s->keeps = 0;
	if (k)
		bpf_map_delete_elem(&ww_kept, &id);
	return 0;
}

SEC("uprobe")
int ww_gtls_result(struct pt_regs *ctx)
{
	struct ww_thread *t = thread_get(false);
	__s32 result = PT_REGS_RC(ctx);
	struct ww_call *c;
	__u64 cookie;

	cookie = bpf_get_attach_cookie(ctx);
	c = t ? call_find(t, frame_of(ctx, cookie)) : NULL;
	if (!c)
		return result_alone(result, cookie);
	c->frame = 0;
	if (!c->object)
		return 0;
	if (WW_SITE_COOKIE_FORM(cookie) == WW_COOKIE_FORM_QUEUE)
		return sent(t, c, result);
	if (result <= 0)
		return 0;
	if ((__u64)result > c->length)
		ww_lost(t->scope.slot, WW_LOSS_ARGS, 1, 0);
	else
		emit_transfer(t, c, result);
	return 0;
}

SEC("uprobe")
int ww_gtls_free(struct pt_regs *ctx)
{
	return object_freed(ctx);
}
