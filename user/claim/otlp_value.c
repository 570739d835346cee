/* SPDX-License-Identifier: Apache-2.0 */
#include "claim/otlp_value.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/encode.h"
#include "claim/text.h"

/* One full string with every byte escaped fits: what is cut off is behind WW_ATTR_BYTES_MAX anyway.
 */
#define JSON_BYTES_MAX (7 * WW_ATTR_BYTES_MAX)

#define DOUBLE_TEXT_MAX  32
#define SAFE_INTEGER_MAX ((1ll << 53) - 1) /* RFC 7493 section 2.2: beyond it, a string */

void ww_otlp_value_init(struct ww_otlp_value *v)
{
	*v = (struct ww_otlp_value){0};
	ww_buf_init(&v->json, JSON_BYTES_MAX);
}

void ww_otlp_value_done(struct ww_otlp_value *v)
{
	ww_buf_wipe(&v->json);
}

void ww_otlp_value_reset(struct ww_otlp_value *v)
{
	v->text[0] = '\0';
	v->n = 0;
	v->type = WW_OTLP_NOTHING;
	v->cut = false;
	v->dropped = false;
	v->depth = 0;
}

/* The text of a value that stands alone. */
static void set(struct ww_otlp_value *v, enum ww_otlp_type type, struct ww_slice text)
{
	v->type = type;
	if (!ww_text_copy(v->text, sizeof(v->text), text, &v->n))
		v->cut = true;
}

void ww_otlp_value_nothing(struct ww_otlp_value *v, const char *key)
{
	if (v->depth > 0)
		ww_jsonw_null(&v->writer, key);
	else
		set(v, WW_OTLP_NOTHING, WW_SLICE_NULL);
}

void ww_otlp_value_string(struct ww_otlp_value *v, const char *key, struct ww_slice s)
{
	char text[WW_ATTR_BYTES_MAX + 1];
	size_t n;

	if (v->depth == 0) {
		set(v, WW_OTLP_STRING, s);
		return;
	}
	if (!ww_text_copy(text, sizeof(text), s, &n))
		v->cut = true;
	ww_jsonw_str(&v->writer, key, ww_slice(text, n));
}

void ww_otlp_value_bool(struct ww_otlp_value *v, const char *key, bool b)
{
	if (v->depth > 0)
		ww_jsonw_bool(&v->writer, key, b);
	else
		set(v, WW_OTLP_BOOL, ww_slice_str(b ? "true" : "false"));
}

void ww_otlp_value_int(struct ww_otlp_value *v, const char *key, int64_t i)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRId64, i);
	if (v->depth == 0)
		set(v, WW_OTLP_INT, ww_slice_str(text));
	else if (i > SAFE_INTEGER_MAX || i < -SAFE_INTEGER_MAX)
		ww_jsonw_cstr(&v->writer, key, text);
	else
		ww_jsonw_i64(&v->writer, key, i);
}

/* The fewest digits of 15 to 17 that read back as d; the words of the protobuf JSON mapping for
 * what is no number. */
static void double_text(double d, char out[DOUBLE_TEXT_MAX])
{
	if (!isfinite(d)) {
		(void)snprintf(out, DOUBLE_TEXT_MAX, "%s",
			       isnan(d) ? "NaN"
			       : d > 0  ? "Infinity"
					: "-Infinity");
		return;
	}
	for (int precision = 15; precision <= 17; precision++) {
		(void)snprintf(out, DOUBLE_TEXT_MAX, "%.*g", precision, d);
		if (strtod(out, NULL) == d)
			return;
	}
}

void ww_otlp_value_double(struct ww_otlp_value *v, const char *key, double d)
{
	char text[DOUBLE_TEXT_MAX];

	double_text(d, text);
	if (v->depth == 0)
		set(v, WW_OTLP_DOUBLE, ww_slice_str(text));
	else if (isfinite(d))
		ww_jsonw_raw(&v->writer, key, ww_slice_str(text));
	else
		ww_jsonw_cstr(&v->writer, key, text);
}

void ww_otlp_value_bytes(struct ww_otlp_value *v, const char *key, struct ww_slice bytes, bool cut)
{
	char text[WW_ATTR_BYTES_MAX + 1];

	if (bytes.n > WW_ATTR_BYTES_MAX / 4 * 3) {
		bytes.n = WW_ATTR_BYTES_MAX / 4 * 3;
		cut = true;
	}
	ww_base64_encode(bytes, text);
	v->cut |= cut;
	if (v->depth > 0)
		ww_jsonw_cstr(&v->writer, key, text);
	else
		set(v, WW_OTLP_BYTES, ww_slice_str(text));
}

int ww_otlp_value_open(struct ww_otlp_value *v, const char *key, enum ww_otlp_type type)
{
	if (v->depth >= WW_OTLP_NEST_MAX)
		return -E2BIG;
	if (v->depth == 0) {
		v->type = type;
		ww_buf_clear(&v->json);
		ww_jsonw_init(&v->writer, &v->json);
	}
	v->open[v->depth++] = type;
	if (type == WW_OTLP_ARRAY)
		ww_jsonw_array(&v->writer, key);
	else
		ww_jsonw_object(&v->writer, key);
	return 0;
}

int ww_otlp_value_close(struct ww_otlp_value *v)
{
	if (v->open[--v->depth] == WW_OTLP_ARRAY)
		ww_jsonw_end_array(&v->writer);
	else
		ww_jsonw_end_object(&v->writer);
	if (v->depth > 0)
		return 0;
	if (v->writer.err == -ENOMEM)
		return -ENOMEM;
	if (!ww_jsonw_ok(&v->writer))
		v->cut = true;
	set(v, v->type, ww_buf_slice(&v->json));
	return 0;
}
