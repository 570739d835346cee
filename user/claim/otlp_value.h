/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An OTLP AnyValue as text: what both decoders feed, whatever the encoding was. Scalars as they
 * are, arrays and key-value lists as JSON text; bytes as base64. Bounded: WW_ATTR_BYTES_MAX of text
 * (`cut` tells), nesting WW_OTLP_NEST_MAX.
 *
 * Invariants:
 *  1. The same calls give the same text: equal requests in protobuf and JSON give equal spans.
 *  2. `key` is NULL at the top and inside arrays.
 */
#pragma once

#include <wirewitness/limits.h>

#include "base/json_write.h"
#include "base/own.h"

/* Arrays and lists inside each other. In OTLP's JSON twelve lists are as deep as the tokenizer
 * goes. */
#define WW_OTLP_NEST_MAX 12

enum ww_otlp_type { /* AnyValue's field numbers */
		    WW_OTLP_NOTHING = 0,
		    WW_OTLP_STRING = 1,
		    WW_OTLP_BOOL = 2,
		    WW_OTLP_INT = 3,
		    WW_OTLP_DOUBLE = 4,
		    WW_OTLP_ARRAY = 5,
		    WW_OTLP_KVLIST = 6,
		    WW_OTLP_BYTES = 7,
};

struct ww_otlp_value {
	char text[WW_ATTR_BYTES_MAX + 1];
	size_t n;
	uint8_t type; /* enum ww_otlp_type */
	bool cut;
	bool dropped; /* set by the decoder: it cannot be held (nested too deep, a number out of
			 range) */

	/* the array or list in the making */
	uint8_t open[WW_OTLP_NEST_MAX];
	uint32_t depth;
	struct ww_buf json; /* owned */
	struct ww_jsonw writer;
};

void ww_otlp_value_init(struct ww_otlp_value *v);
void ww_otlp_value_done(struct ww_otlp_value *v);

/* Before each value: nothing, no text. */
void ww_otlp_value_reset(struct ww_otlp_value *v);

void ww_otlp_value_nothing(struct ww_otlp_value *v, const char *key);
void ww_otlp_value_string(struct ww_otlp_value *v, const char *key, struct ww_slice s);
void ww_otlp_value_bool(struct ww_otlp_value *v, const char *key, bool b);
void ww_otlp_value_int(struct ww_otlp_value *v, const char *key, int64_t i);
void ww_otlp_value_double(struct ww_otlp_value *v, const char *key, double d);
/* `cut`: the bytes given are not all. */
void ww_otlp_value_bytes(struct ww_otlp_value *v, const char *key, struct ww_slice bytes, bool cut);

/* type ARRAY or KVLIST. 0 or -E2BIG (nested too deep). Each is closed in its turn. */
WW_CHECK int ww_otlp_value_open(struct ww_otlp_value *v, const char *key, enum ww_otlp_type type);
/* 0 or -ENOMEM. */
WW_CHECK int ww_otlp_value_close(struct ww_otlp_value *v);

static inline struct ww_slice ww_otlp_value_slice(const struct ww_otlp_value *v)
{
	return ww_slice(v->text, v->n);
}
