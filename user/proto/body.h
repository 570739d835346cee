/* SPDX-License-Identifier: Apache-2.0 */
/*
 * body: keeps the content of one message, decoded, up to the cap, and counts the rest.
 *
 * All bodies of a daemon share one struct ww_bodies: the ceiling WW_BODIES_BYTES_MAX over what they
 * hold, and spare inflate streams. A body past the ceiling is counted and not kept (further).
 * Memory that held content is wiped before it is used again or freed. A digest is taken over the
 * kept decoded content.
 */
#pragma once

#include "base/buf.h"
#include "proto/coding.h"
#include "proto/exchange.h"
#include "proto/multipart.h"

#define WW_BODIES_SPARE_INFLATES 4
/* Decoded content may be this many times the cap before the stream is treated as a bomb. */
#define WW_BODY_DECODED_CAPS_MAX 16u

struct ww_bodies {
	const struct ww_digest_key *key; /* borrowed */
	uint64_t body_bytes_max;         /* kept per body */
	uint64_t held_bytes;
	uint64_t held_bytes_max;
	uint64_t refused; /* bodies not kept (whole) because of the common ceiling or memory */
	struct ww_inflate *spare[WW_BODIES_SPARE_INFLATES];
	unsigned spares;
};

/* One body being received. All zero is a valid state for ww_body_recycle(). */
struct ww_body_keep {
	struct ww_buf buf;
	struct ww_inflate *inflate; /* NULL: content is kept as it comes */
	struct ww_multipart *form;  /* NULL: no form */
	struct ww_bodies *shared;
	uint64_t charged; /* of shared->held_bytes */
	uint64_t wire_bytes;
	uint64_t decoded_bytes;
	enum ww_coding coding;
	bool gap;       /* bytes lost: nothing behind them is kept */
	bool closed;    /* keeps no more: cap, ceiling, broken coding */
	bool truncated; /* content beyond what is kept */
	bool broken;    /* coding malformed */
	bool bomb;
	bool coding_end; /* the coding's own end was reached */
};

/* `key` borrowed; body_bytes_max 0: the default cap. */
void ww_bodies_init(struct ww_bodies *b, const struct ww_digest_key *key, uint64_t body_bytes_max);
void ww_bodies_done(struct ww_bodies *b);

/* Begins a new body. Memory that `k` has from the body before is used again. */
void ww_body_begin(struct ww_body_keep *k, struct ww_bodies *shared, enum ww_coding coding);

/* Behind ww_body_begin(): reads the parts where the content type is that of a form. */
void ww_body_form(struct ww_body_keep *k, const char *content_type);

/* Content as transferred, in order. */
void ww_body_add(struct ww_body_keep *k, struct ww_slice wire);

/* `bytes` of content as transferred were lost here. */
void ww_body_gap(struct ww_body_keep *k, uint64_t bytes);

/*
 * Fills *ret_body (except content_type): its data and form are borrowed from `k` until
 * ww_body_begin or ww_body_recycle. `complete`: the message got to its end. Returns findings of the
 * WW_X_ set; `truncated_bit` is the one for this direction.
 */
uint32_t ww_body_end(struct ww_body_keep *k, bool complete, uint32_t truncated_bit,
		     struct ww_body *ret_body);

/* Wipes and gives back what `k` holds, except a small buffer kept for the next body. */
void ww_body_recycle(struct ww_body_keep *k);

/* As ww_body_recycle, everything. */
void ww_body_free(struct ww_body_keep *k);
