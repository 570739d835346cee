/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pieces: what a streamed answer comes in. Four framings: an event stream (proto/sse), one JSON
 * document per line, one array that is written element by element, and the AWS event stream. Which
 * one it is says the body, by its content type or by how it begins; of the last two dialects say
 * that they have them.
 *
 * Works over a body that is alive and borrows from it.
 */
#pragma once

#include "base/json.h"
#include "proto/aws_stream.h"
#include "proto/exchange.h"
#include "proto/sse.h"

enum ww_pieces_kind {
	WW_PIECES_NONE, /* one document */
	WW_PIECES_SSE,
	WW_PIECES_LINES,
	WW_PIECES_ARRAY,
	WW_PIECES_AWS,
};

struct ww_piece {
	struct ww_slice type; /* of an event or its error; empty: the framing or it has none */
	struct ww_slice data;
};

struct ww_pieces {
	enum ww_pieces_kind kind;
	struct ww_slice rest;
	struct ww_sse sse;
	struct ww_aws_stream aws;
	struct ww_json json; /* of an array */
	bool whole;          /* the body is: its last line needs no end */
	bool begun;
	bool ended;     /* the framing itself came to an end */
	bool lost;      /* pieces were lost to a ceiling */
	bool no_memory; /* or for want of it */
};

/* How b is framed. `own`: the dialect's kind beside event streams; asked: for a stream. */
enum ww_pieces_kind ww_pieces_of(const struct ww_body *b, enum ww_pieces_kind own, bool asked);

void ww_pieces_init(struct ww_pieces *s, enum ww_pieces_kind kind, const struct ww_body *b);
void ww_pieces_done(struct ww_pieces *s);

/* The next piece, borrowed until the next call. MORE: there is none; BAD: the framing is broken. */
enum ww_parse ww_pieces_next(struct ww_pieces *s, struct ww_piece *ret_piece);
