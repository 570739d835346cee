/* SPDX-License-Identifier: Apache-2.0 */
#include "out/html.h"

#include <assert.h>
#include <errno.h>

#include "base/encode.h"
#include "out/printable.h"

void ww_html_init(struct ww_html *h, ww_html_write_fn write, void *ctx)
{
	*h = (struct ww_html){.write = write, .ctx = ctx};
	ww_buf_init(&h->out, WW_HTML_PIECE_BYTES + WW_HTML_TEXT_MAX);
	ww_buf_init(&h->printable, WW_HTML_TEXT_MAX);
}

void ww_html_done(struct ww_html *h)
{
	ww_buf_done(&h->out);
	ww_buf_done(&h->printable);
}

static void flush(struct ww_html *h)
{
	if (h->err == 0 && h->out.n)
		h->err = h->write(h->ctx, ww_buf_slice(&h->out));
	ww_buf_clear(&h->out);
}

static void put(struct ww_html *h, const void *p, size_t n)
{
	if (h->err == 0 && h->out.n >= WW_HTML_PIECE_BYTES)
		flush(h);
	if (h->err == 0)
		h->err = ww_buf_add(&h->out, p, n);
}

static void put_str(struct ww_html *h, const char *text)
{
	put(h, text, strlen(text));
}

/* --- escaping -----------------------------------------------------------------------------------
 */

/* Quotes end nothing but an attribute's value. */
static const char *entity(uint8_t c, bool in_value)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return in_value ? "&quot;" : NULL;
	case '\'':
		return in_value ? "&#39;" : NULL;
	default:
		return NULL;
	}
}

/* Whether a look at its characters is not needed. */
static bool printable(struct ww_slice text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] < 0x20 || text.p[i] >= 0x7f)
			return false;
	return true;
}

static void put_escaped(struct ww_html *h, struct ww_slice text, bool in_value)
{
	size_t from = 0;

	if (h->err)
		return;
	if (!printable(text)) {
		ww_buf_clear(&h->printable);
		h->err = ww_printable_add(&h->printable, text);
		text = ww_buf_slice(&h->printable);
	}
	for (size_t i = 0; i < text.n; i++) {
		const char *e = entity(text.p[i], in_value);

		if (!e)
			continue;
		put(h, text.p + from, i - from);
		put_str(h, e);
		from = i + 1;
	}
	put(h, text.p + from, text.n - from);
}

/* --- elements -----------------------------------------------------------------------------------
 */

static bool is_void(const char *element)
{
	static const char *const voids[] = {"meta", "br"};

	for (size_t i = 0; i < WW_ARRAY_SIZE(voids); i++)
		if (strcmp(element, voids[i]) == 0)
			return true;
	return false;
}

static void end_tag(struct ww_html *h)
{
	if (h->in_tag)
		put(h, ">", 1);
	h->in_tag = false;
}

void ww_html_open(struct ww_html *h, const char *element)
{
	assert(h->depth < WW_HTML_DEPTH_MAX);
	end_tag(h);
	put(h, "<", 1);
	put_str(h, element);
	h->open[h->depth++] = element;
	h->in_tag = true;
}

void ww_html_close(struct ww_html *h)
{
	const char *element;

	assert(h->depth > 0);
	element = h->open[--h->depth];
	end_tag(h);
	if (is_void(element))
		return;
	put(h, "</", 2);
	put_str(h, element);
	put(h, ">", 1);
}

int ww_html_end(struct ww_html *h)
{
	while (h->depth)
		ww_html_close(h);
	flush(h);
	return h->err;
}

void ww_html_attr(struct ww_html *h, const char *name, struct ww_slice value)
{
	assert(h->in_tag);
	put(h, " ", 1);
	put_str(h, name);
	put(h, "=\"", 2);
	put_escaped(h, value, true);
	put(h, "\"", 1);
}

void ww_html_attr_str(struct ww_html *h, const char *name, const char *value)
{
	ww_html_attr(h, name, ww_slice_str(value));
}

void ww_html_attr_mark(struct ww_html *h, const char *name, const char *prefix, uint64_t number)
{
	char text[64];

	assert(strlen(prefix) < 32);
	ww_put_dec(ww_put_text(text, prefix), number);
	ww_html_attr_str(h, name, text);
}

void ww_html_text(struct ww_html *h, struct ww_slice text)
{
	end_tag(h);
	put_escaped(h, text, false);
}

void ww_html_str(struct ww_html *h, const char *text)
{
	ww_html_text(h, ww_slice_str(text));
}

void ww_html_lines(struct ww_html *h, struct ww_slice text)
{
	end_tag(h);
	for (size_t at = 0; at < text.n && h->err == 0;) {
		size_t end = ww_slice_find(text, at, '\n');

		put_escaped(h, ww_slice_sub(text, at, end - at), false);
		if (end < text.n)
			put(h, "\n", 1);
		at = end + 1;
	}
}

void ww_html_u64(struct ww_html *h, uint64_t v)
{
	char text[24];

	ww_put_dec(text, v);
	ww_html_str(h, text);
}

void ww_html_put(struct ww_html *h, const char *element, const char *class, const char *text)
{
	ww_html_open(h, element);
	if (class)
		ww_html_attr_str(h, "class", class);
	ww_html_str(h, text);
	ww_html_close(h);
}

void ww_html_raw(struct ww_html *h, const char *markup)
{
	end_tag(h);
	put_str(h, markup);
}

void ww_html_embed(struct ww_html *h, struct ww_slice file)
{
	for (size_t i = 0; i < file.n && h->err == 0; i++) {
		uint8_t c = file.p[i];

		if ((c < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7f || c == '&' ||
		    c == '<')
			h->err = -EINVAL;
	}
	end_tag(h);
	put(h, "\n", 1);
	flush(h);
	if (h->err == 0)
		h->err = h->write(h->ctx, file);
	if (file.n == 0 || file.p[file.n - 1] != '\n')
		put(h, "\n", 1);
}
