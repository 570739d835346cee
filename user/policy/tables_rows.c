/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NAME.rows: a head of "KEY: VALUE" lines, an empty line, and a line per row: prefix, operator,
 * service, region, zone, with a tab between them; what is not said is empty. UTF-8, line feeds.
 *
 *   wirewitness-rows 1
 *   shape: aws
 *   source-sha256: (64 digits) of the published file
 *   as-of: 2026-11-20T03:21:09Z
 *   valid-until: 2027-01-31              where it has an end
 *   rows: 7684
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

#include "base/encode.h"
#include "policy/tables_read.h"

#define MAGIC "wirewitness-rows 1"

/* --- reading ------------------------------------------------------------------------------------
 */

struct reader {
	struct ww_tables *t;
	struct ww_slice rest;
	struct ww_slice line;
	uint32_t number;
	int32_t until;
	uint64_t rows; /* that the head says */
	struct ww_tables_error *error;
};

static int fail(struct reader *r, const char *expected)
{
	return ww_tables_fail(r->error, false, r->number, "expected %s", expected);
}

static bool take_line(struct reader *r)
{
	r->number++;
	return ww_slice_line(&r->rest, &r->line);
}

static int next_line(struct reader *r, const char *expected)
{
	if (!take_line(r))
		return ww_tables_fail(r->error, false, r->number, "expected %s, found the end",
				      expected);
	return 0;
}

/* The value of a head's line "KEY: VALUE"; false: it is another line. */
static bool head(const struct reader *r, const char *key, struct ww_slice *ret_value)
{
	size_t n = strlen(key);

	if (!ww_slice_starts(r->line, ww_slice_str(key)) ||
	    !ww_slice_starts(ww_slice_sub(r->line, n, SIZE_MAX), WW_SLICE_LIT(": ")))
		return false;
	*ret_value = ww_slice_sub(r->line, n + 2, SIZE_MAX);
	return true;
}

static bool take_head(struct reader *r, const char *key, struct ww_slice *ret_value)
{
	return take_line(r) && head(r, key, ret_value);
}

static const char *shape_name(struct ww_slice v)
{
	static const char *const shapes[] = {"aws", "gcp", "azure", "list"};

	for (size_t i = 0; i < WW_ARRAY_SIZE(shapes); i++) {
		if (ww_slice_eq_str(v, shapes[i]))
			return shapes[i];
	}
	return NULL;
}

static int read_head(struct reader *r)
{
	struct ww_tables_file *table = ww_tables_last(r->t);
	struct ww_slice v;

	if (!take_line(r) || !ww_slice_eq_str(r->line, MAGIC))
		return fail(r, "\"" MAGIC "\"");
	if (!take_head(r, "shape", &v) || !(table->shape = shape_name(v)))
		return fail(r, "\"shape: \" with aws, gcp, azure or list");
	if (!take_head(r, "source-sha256", &v) ||
	    ww_hex_decode(v, table->source.b, WW_SHA256_LEN) < 0)
		return fail(r, "\"source-sha256: \" with 64 hexadecimal digits");
	table->published = true;
	if (!take_head(r, "as-of", &v) || ww_tables_as_of_parse(v, table->as_of) < 0)
		return fail(r, "\"as-of: \" with a date or a time in UTC (RFC 3339)");
	if (next_line(r, "rows") < 0)
		return -EINVAL;
	if (head(r, "valid-until", &v)) {
		if (ww_tables_day_parse(v, &r->until) < 0)
			return fail(r, "\"valid-until: \" with a date like 2027-01-31");
		if (next_line(r, "rows") < 0)
			return -EINVAL;
	}
	if (!head(r, "rows", &v) || ww_slice_u64(v, &r->rows) < 0)
		return fail(r, "\"rows: \" with their number");
	if (!take_line(r) || r->line.n)
		return fail(r, "an empty line between head and rows");
	return 0;
}

/* Takes the next field off the line. */
static bool field(struct ww_slice *line, bool last, struct ww_slice *ret)
{
	size_t tab = ww_slice_find(*line, 0, '\t');

	if (last != (tab == line->n))
		return false;
	*ret = ww_slice_sub(*line, 0, tab);
	*line = ww_slice_sub(*line, tab + 1, SIZE_MAX);
	return ww_tables_text_ok(*ret);
}

static int read_row(struct reader *r)
{
	struct ww_tables_words w = {.basis = WW_TABLES_PUBLISHED, .valid = WW_TABLES_ALWAYS};
	struct ww_slice line = r->line, prefix;
	struct ww_cidr cidr;

	w.valid.until = r->until;
	if (!field(&line, false, &prefix) || !field(&line, false, &w.operator_name) ||
	    !field(&line, false, &w.service) || !field(&line, false, &w.region) ||
	    !field(&line, true, &w.zone))
		return fail(r, "prefix, operator, service, region and zone with tabs between them");
	if (ww_cidr_parse_network(prefix, &cidr) < 0)
		return fail(r, "a network like 203.0.113.0/24, without host bits");
	return ww_tables_fail_add(r->error, false, r->number,
				  ww_tables_add_row(r->t, &cidr, &w, r->number));
}

int ww_tables_rows_read(struct ww_tables *t, struct ww_slice file,
			struct ww_tables_error *ret_error)
{
	struct reader r = {.t = t, .rest = file, .until = INT32_MAX, .error = ret_error};
	int err = read_head(&r);

	for (uint64_t i = 0; err == 0 && i < r.rows; i++) {
		err = next_line(&r, "as many rows as the head says");
		if (err == 0)
			err = read_row(&r);
	}
	if (err == 0 && r.rest.n)
		err = ww_tables_fail(ret_error, false, r.number + 1ull,
				     "expected the end: the head says %llu rows",
				     (unsigned long long)r.rows);
	return err;
}

/* --- writing ------------------------------------------------------------------------------------
 */

struct writer {
	struct ww_buf *out;
	int err;
};

static void put(struct writer *w, const char *key, struct ww_slice value, const char *end)
{
	if (w->err == 0)
		w->err = ww_buf_add(w->out, key, strlen(key));
	if (w->err == 0)
		w->err = ww_buf_add(w->out, value.p, value.n);
	if (w->err == 0)
		w->err = ww_buf_add(w->out, end, strlen(end));
}

static bool put_row(void *ctx, const struct ww_tables_file *table, const struct ww_cidr *prefix,
		    const struct ww_tables_words *words, uint32_t line)
{
	struct writer *w = ctx;
	char text[WW_CIDR_TEXT_MAX];

	ww_cidr_text(prefix, text);
	put(w, "", ww_slice_str(text), "\t");
	put(w, "", words->operator_name, "\t");
	put(w, "", words->service, "\t");
	put(w, "", words->region, "\t");
	put(w, "", words->zone, "\n");
	return w->err == 0;
}

static bool take_until(void *ctx, const struct ww_tables_file *table, const struct ww_cidr *prefix,
		       const struct ww_tables_words *words, uint32_t line)
{
	*(int32_t *)ctx = words->valid.until;
	return false; /* all rows of a published file have the same */
}

int ww_tables_rows_write(const struct ww_tables *t, struct ww_buf *out)
{
	const struct ww_tables_file *table = ww_tables_at(t, 0);
	char hex[2 * WW_SHA256_LEN + 1], day[WW_TABLES_DATE_MAX], rows[24];
	int32_t until = INT32_MAX;
	struct writer w = {out, 0};

	ww_tables_each(t, take_until, &until);
	ww_hex_encode(ww_slice(table->source.b, WW_SHA256_LEN), hex);
	put(&w, MAGIC "\nshape: ", ww_slice_str(table->shape), "\n");
	put(&w, "source-sha256: ", ww_slice_str(hex), "\n");
	put(&w, "as-of: ", ww_slice_str(table->as_of), "\n");
	if (until != INT32_MAX) {
		ww_tables_day_text(until, day);
		put(&w, "valid-until: ", ww_slice_str(day), "\n");
	}
	ww_put_dec(rows, table->rows);
	put(&w, "rows: ", ww_slice_str(rows), "\n\n");
	ww_tables_each(t, put_row, &w);
	return w.err;
}
