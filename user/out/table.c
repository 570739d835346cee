/* SPDX-License-Identifier: Apache-2.0 */
#include "out/table.h"

#include <errno.h>

#include "out/printable.h"
#include "out/template.h"

#define HELD_BYTES_MAX (4u << 20) /* of cells held back: then the widths are what they are */
#define LINE_BYTES_MAX (1u << 20)
#define GAP            2 /* spaces between columns */
#define CUT            "…"

struct cell {
	size_t at; /* offset in the text */
	size_t bytes;
	const char *tone;
};

struct ww_table {
	const struct ww_table_column *columns;
	unsigned count;
	unsigned width;
	void (*write)(void *ctx, struct ww_slice lines);
	void *ctx;
	unsigned widths[WW_TABLE_COLUMNS_MAX];
	bool fixed; /* widths are known, nothing is held back */
	struct ww_buf text;
	struct ww_buf cells; /* of struct cell */
	struct ww_buf line;
	unsigned column; /* of the next cell */
};

int ww_table_new(const struct ww_table_column *columns, unsigned count, unsigned width,
		 void (*write)(void *ctx, struct ww_slice lines), void *ctx,
		 struct ww_table **ret_table)
{
	struct ww_table *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->columns = columns;
	t->count = count;
	t->width = width;
	t->write = write;
	t->ctx = ctx;
	for (unsigned i = 0; i < count; i++)
		t->widths[i] = (unsigned)ww_printable_columns(ww_slice_str(columns[i].title));
	ww_buf_init(&t->text, HELD_BYTES_MAX + LINE_BYTES_MAX);
	ww_buf_init(&t->cells, (WW_TABLE_ROWS_MAX + 1) * count * sizeof(struct cell));
	ww_buf_init(&t->line, LINE_BYTES_MAX);
	*ret_table = t;
	return 0;
}

void ww_table_free(struct ww_table *t)
{
	if (!t)
		return;
	ww_buf_done(&t->text);
	ww_buf_done(&t->cells);
	ww_buf_done(&t->line);
	free(t);
}

/* --- writing ------------------------------------------------------------------------------------
 */

static int add(struct ww_table *t, const void *p, size_t n)
{
	int r = ww_buf_add(&t->line, p, n);

	return r == -EMSGSIZE ? 0 : r; /* a line of a mebibyte is cut without further ado */
}

static int add_spaces(struct ww_table *t, size_t n)
{
	int r = 0;

	for (; r == 0 && n > 0; n--)
		r = add(t, " ", 1);
	return r;
}

/* Adds one cell; *left are the columns that the terminal has left. */
static int add_cell(struct ww_table *t, unsigned column, struct ww_slice text, const char *tone,
		    size_t *left)
{
	size_t columns = ww_printable_columns(text);
	size_t fill = columns < t->widths[column] ? t->widths[column] - columns : 0;
	bool last = column + 1 == t->count;
	int r = 0;

	if (column > 0) {
		r = add_spaces(t, *left < GAP ? *left : GAP);
		*left -= *left < GAP ? *left : GAP;
	}
	if (r == 0 && t->columns[column].right) {
		fill = fill < *left ? fill : *left;
		r = add_spaces(t, fill);
		*left -= fill;
	}
	if (columns > *left)
		text = ww_printable_cut(text, *left);
	if (r == 0 && *tone)
		r = add(t, tone, strlen(tone));
	if (r == 0)
		r = add(t, text.p, text.n);
	if (r == 0 && *tone)
		r = add(t, WW_TEMPLATE_TONE_END, strlen(WW_TEMPLATE_TONE_END));
	*left -= columns < *left ? columns : *left;
	if (r == 0 && !t->columns[column].right && !last) {
		fill = fill < *left ? fill : *left;
		r = add_spaces(t, fill);
		*left -= fill;
	}
	return r;
}

static int end_line(struct ww_table *t)
{
	while (t->line.n > 0 && t->line.p[t->line.n - 1] == ' ')
		t->line.n--;
	if (t->line.n == LINE_BYTES_MAX)
		t->line.n--;
	if (ww_buf_add(&t->line, "\n", 1) < 0)
		return -ENOMEM;
	t->write(t->ctx, ww_buf_slice(&t->line));
	ww_buf_clear(&t->line);
	return 0;
}

/* Columns up to the end of the last text. */
static size_t line_columns(const struct ww_table *t, const size_t *columns)
{
	size_t at = 0, end = 0;

	for (unsigned i = 0; i < t->count; i++) {
		size_t wide = columns[i] > t->widths[i] ? columns[i] : t->widths[i];

		at += i > 0 ? GAP : 0;
		if (columns[i] > 0)
			end = at + (t->columns[i].right ? wide : columns[i]);
		at += wide;
	}
	return end;
}

/* One line of all cells; what does not fit is cut, and a mark in the last column says so. */
static int add_line(struct ww_table *t, const struct ww_slice *texts, const char *const *tones)
{
	size_t columns[WW_TABLE_COLUMNS_MAX];
	size_t left = SIZE_MAX;
	bool cut;
	int r = 0;

	for (unsigned i = 0; i < t->count; i++)
		columns[i] = ww_printable_columns(texts[i]);
	cut = t->width && line_columns(t, columns) > t->width;
	if (cut)
		left = t->width - 1;
	for (unsigned i = 0; r == 0 && i < t->count; i++)
		r = add_cell(t, i, texts[i], tones[i], &left);
	if (r == 0 && cut) {
		r = add_spaces(t, left);
		if (r == 0)
			r = add(t, CUT, strlen(CUT));
	}
	return r == 0 ? end_line(t) : r;
}

static int write_titles(struct ww_table *t)
{
	struct ww_slice texts[WW_TABLE_COLUMNS_MAX];
	const char *tones[WW_TABLE_COLUMNS_MAX];

	for (unsigned i = 0; i < t->count; i++) {
		texts[i] = ww_slice_str(t->columns[i].title);
		tones[i] = "";
	}
	return add_line(t, texts, tones);
}

/* Writes the rows that are complete and forgets them. */
static int write_rows(struct ww_table *t)
{
	const struct cell *cells = (const struct cell *)(const void *)t->cells.p;
	size_t rows = t->cells.n / sizeof(*cells) / t->count;
	int r = 0;

	for (size_t row = 0; r == 0 && row < rows; row++) {
		struct ww_slice texts[WW_TABLE_COLUMNS_MAX];
		const char *tones[WW_TABLE_COLUMNS_MAX];

		for (unsigned i = 0; i < t->count; i++) {
			const struct cell *c = &cells[row * t->count + i];

			texts[i] = ww_slice(t->text.p + c->at, c->bytes);
			tones[i] = c->tone;
		}
		r = add_line(t, texts, tones);
	}
	ww_buf_clear(&t->cells);
	ww_buf_clear(&t->text);
	return r;
}

static int fix(struct ww_table *t)
{
	int r = 0;

	if (!t->fixed)
		r = write_titles(t);
	t->fixed = true;
	return r == 0 ? write_rows(t) : r;
}

/* --- filling ------------------------------------------------------------------------------------
 */

int ww_table_cell(struct ww_table *t, struct ww_slice text, const char *tone)
{
	const struct ww_table_column *column = &t->columns[t->column];
	struct cell c = {t->text.n, 0, tone};
	size_t columns;
	bool full;
	int r;

	text = ww_slice_sub(text, 0, LINE_BYTES_MAX / (2 * WW_TABLE_COLUMNS_MAX));
	columns = ww_printable_columns(text);
	if (column->max && columns > column->max) {
		text = ww_printable_cut(text, column->max - 1);
		columns = column->max;
		r = ww_buf_add(&t->text, text.p, text.n);
		if (r == 0)
			r = ww_buf_add(&t->text, CUT, strlen(CUT));
	} else {
		r = ww_buf_add(&t->text, text.p, text.n);
	}
	c.bytes = t->text.n - c.at;
	if (r == 0)
		r = ww_buf_add(&t->cells, &c, sizeof(c));
	if (r < 0)
		return -ENOMEM;
	if (!t->fixed && columns > t->widths[t->column])
		t->widths[t->column] = (unsigned)columns;
	if (++t->column < t->count)
		return 0;
	t->column = 0;
	full = t->cells.n / sizeof(c) >= (size_t)WW_TABLE_ROWS_MAX * t->count ||
	       t->text.n >= HELD_BYTES_MAX;
	return t->fixed || full ? fix(t) : 0;
}

int ww_table_end(struct ww_table *t)
{
	return fix(t);
}
