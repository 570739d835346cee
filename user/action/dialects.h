/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dialects: how a model call is recognised, a row per dialect: by the path of its request, and then
 * by the shape that the bodies must have. Host names are not looked at: gateways have any.
 *
 * A path that is customary for other things, too, counts only with an answer of the shape: what is
 * taken for a model call by mistake would hide what it really is.
 */
#pragma once

#include "action/pieces.h"

struct ww_parts_shape;

/* What says that a stream is asked for. */
enum ww_dialect_asked {
	WW_DIALECT_BY_MEMBER, /* "stream": true */
	WW_DIALECT_UNLESS,    /* not "stream": false */
	WW_DIALECT_ALWAYS,    /* the path */
	WW_DIALECT_NEVER,
};

struct ww_dialect {
	uint32_t provider; /* enum ww_model_provider */
	const char *name;  /* in records */
	/* What the request's path ends with; one '*' stands for one or more bytes but '/'. */
	const char *path;
	const struct ww_parts_shape *shape;
	enum ww_dialect_asked asked;
	enum ww_pieces_kind pieces; /* that its streams have beside event streams */
	bool model_in_path;         /* at the '*', whatever the body says */
	bool must_fit;              /* an answer that is there must be of the shape */
};

/* NULL: no dialect has this path. *ret_star: what stood for '*', borrowed from target. */
const struct ww_dialect *ww_dialect_of(const char *target, struct ww_slice *ret_star);

/* By provider; "unknown" for none. */
const char *ww_dialect_name(uint32_t provider);
