/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariants:
 *  1. charged is what this body contributes to shared->held_bytes, beside what its decoder counts
 * there itself; recycle and free take exactly that back.
 *  2. data is a prefix of the decoded content: after a gap, a refusal or a broken coding nothing is
 * added.
 *  3. wire_bytes counts every content byte of the message, kept or not, lost ones included.
 */
#include "proto/body.h"

#include <errno.h>

#include <wirewitness/limits.h>

/* A buffer up to this size stays with its owner for the next body. */
#define KEEP_BYTES_MAX (16u << 10)

void ww_bodies_init(struct ww_bodies *b, const struct ww_digest_key *key, uint64_t body_bytes_max)
{
	*b = (struct ww_bodies){
		.key = key,
		.body_bytes_max = body_bytes_max ? body_bytes_max : WW_MESSAGE_BYTES_DEFAULT,
		.held_bytes_max = WW_BODIES_BYTES_MAX,
	};
}

void ww_bodies_done(struct ww_bodies *b)
{
	while (b->spares > 0)
		ww_inflate_free(b->spare[--b->spares]);
}

/* What the common ceiling still allows; growth by doubling may have passed it by less than one
 * body. */
static uint64_t room(const struct ww_bodies *s)
{
	return s->held_bytes < s->held_bytes_max ? s->held_bytes_max - s->held_bytes : 0;
}

static bool charge(struct ww_body_keep *k, uint64_t bytes)
{
	struct ww_bodies *s = k->shared;

	if (bytes > room(s))
		return false;
	s->held_bytes += bytes;
	k->charged += bytes;
	return true;
}

static void refuse(struct ww_body_keep *k)
{
	if (!k->closed)
		k->shared->refused++;
	k->closed = k->truncated = true;
}

static void give_back_inflate(struct ww_body_keep *k)
{
	struct ww_bodies *s = k->shared;

	if (!k->inflate)
		return;
	if (s->spares < WW_BODIES_SPARE_INFLATES) {
		ww_inflate_reset(k->inflate, WW_CODING_IDENTITY, 0);
		s->spare[s->spares++] = k->inflate;
	} else {
		ww_inflate_free(k->inflate);
	}
	k->inflate = NULL;
}

void ww_body_recycle(struct ww_body_keep *k)
{
	struct ww_buf buf = k->buf;

	ww_multipart_free(k->form);
	if (k->shared) {
		give_back_inflate(k);
		k->shared->held_bytes -= k->charged;
	}
	if (buf.cap > KEEP_BYTES_MAX) {
		ww_buf_wipe(&buf);
	} else if (buf.n > 0) {
		explicit_bzero(buf.p, buf.n);
		ww_buf_clear(&buf);
	}
	*k = (struct ww_body_keep){.buf = buf};
}

void ww_body_free(struct ww_body_keep *k)
{
	ww_body_recycle(k);
	ww_buf_wipe(&k->buf);
}

void ww_body_begin(struct ww_body_keep *k, struct ww_bodies *shared, enum ww_coding coding)
{
	ww_body_recycle(k);
	k->shared = shared;
	k->coding = coding;
	k->buf.max = shared->body_bytes_max;
}

void ww_body_form(struct ww_body_keep *k, const char *content_type)
{
	struct ww_multipart *m = NULL;
	int r = ww_multipart_new(content_type, k->shared->key, &m);

	if (r == 0 && charge(k, ww_multipart_bytes())) {
		k->form = m;
		return;
	}
	ww_multipart_free(m);
	k->shared->refused += r != -ENOENT;
}

/* A stream for this body, at its first byte. False: none to be had. */
static bool take_inflate(struct ww_body_keep *k)
{
	struct ww_bodies *s = k->shared;

	if (!charge(k, WW_INFLATE_BYTES))
		return false;
	if (s->spares > 0)
		k->inflate = s->spare[--s->spares];
	else if (ww_inflate_new((struct ww_inflate_room){&s->held_bytes, &s->held_bytes_max},
				&k->inflate) < 0)
		return false;
	ww_inflate_reset(k->inflate, k->coding, s->body_bytes_max * WW_BODY_DECODED_CAPS_MAX);
	return true;
}

static void keep(void *ctx, struct ww_slice decoded)
{
	struct ww_body_keep *k = ctx;
	size_t n = decoded.n, cap = k->buf.cap;
	uint8_t *to;

	k->decoded_bytes += n;
	if (k->form)
		ww_multipart_add(k->form, decoded);
	if (k->closed) {
		k->truncated = true;
		return;
	}
	if (n > k->buf.max - k->buf.n) {
		n = k->buf.max - k->buf.n;
		k->truncated = true;
	}
	/* charged is the capacity in use: a buffer left from the body before counts from here on.
	 */
	if ((k->buf.n == 0 && n > 0 && !charge(k, cap)) ||
	    (n > cap - k->buf.n && n > room(k->shared)) || ww_buf_reserve(&k->buf, n, &to) < 0) {
		refuse(k);
		return;
	}
	if (n > 0)
		memcpy(to, decoded.p, n);
	k->buf.n += n;
	k->shared->held_bytes += k->buf.cap - cap;
	k->charged += k->buf.cap - cap;
	if (k->truncated)
		k->closed = true;
}

void ww_body_add(struct ww_body_keep *k, struct ww_slice wire)
{
	k->wire_bytes += wire.n;
	if (!ww_coding_known(k->coding)) {
		if (k->gap)
			k->decoded_bytes += wire.n;
		else
			keep(k, wire);
		return;
	}
	if (wire.n == 0 || k->gap || k->broken || k->bomb)
		return;
	if (!k->inflate && (k->closed || !take_inflate(k))) {
		refuse(k);
		return;
	}
	switch (ww_inflate_feed(k->inflate, wire, keep, k)) {
	case WW_PARSE_DONE:
		k->coding_end = true;
		break;
	case WW_PARSE_MORE:
		k->coding_end = false;
		break;
	default:
		k->coding_end = false;
		k->bomb = ww_inflate_bomb(k->inflate);
		if (ww_inflate_starved(k->inflate))
			refuse(k);
		else
			k->broken = !k->bomb;
		break;
	}
}

void ww_body_gap(struct ww_body_keep *k, uint64_t bytes)
{
	k->wire_bytes += bytes;
	k->gap = true;
	if (k->form)
		ww_multipart_gap(k->form);
	if (!ww_coding_known(k->coding))
		k->decoded_bytes += bytes;
}

uint32_t ww_body_end(struct ww_body_keep *k, bool complete, uint32_t truncated_bit,
		     struct ww_body *ret_body)
{
	uint32_t findings = 0;

	if (ww_coding_known(k->coding) && complete && !k->gap && !k->bomb && !k->coding_end &&
	    !k->closed && k->wire_bytes > 0)
		k->broken = true;
	if (k->broken)
		findings |= WW_X_MALFORMED_CODING;
	if (k->bomb)
		findings |= WW_X_BOMB;
	if (k->coding == WW_CODING_OTHER)
		findings |= WW_X_CODING_UNKNOWN;
	if (k->truncated || k->bomb)
		findings |= truncated_bit;
	ret_body->data = ww_buf_slice(&k->buf);
	ret_body->wire_bytes = k->wire_bytes;
	ret_body->decoded_bytes = k->decoded_bytes;
	ret_body->coding = k->coding;
	ret_body->whole = complete && !findings && !k->gap;
	if (k->form) {
		ret_body->form = ww_multipart_end(k->form, complete && !k->broken && !k->bomb);
		findings |= ret_body->form->malformed ? WW_X_MALFORMED_BODY : 0;
	}
	if (k->buf.n == 0)
		ret_body->digest = k->shared->key->empty;
	else
		ww_digest(k->shared->key, ww_buf_slice(&k->buf), &ret_body->digest);
	return findings;
}
