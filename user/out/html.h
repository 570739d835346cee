/* SPDX-License-Identifier: Apache-2.0 */
/*
 * html: a writer for HTML and the SVG in it, one element after the other. Whatever is written as
 * text or as an attribute's value is escaped: first made printable (out/printable.h: control
 * characters, characters that reorder text, bytes that are not UTF-8), then &, <, > and in values
 * also " and '. The one way around it is ww_html_raw, for markup that we wrote ourselves.
 *
 * Names of elements and attributes are ours, never data. Elements are closed in the order they
 * were opened; the start tag stays open for attributes until content or the end comes. Output goes
 * to `write` in pieces, so a document of any length takes bounded memory. Errors are sticky, as in
 * the JSON writer: after the first one nothing more is written; ask once at the end. Pure.
 */
#pragma once

#include "base/buf.h"

#define WW_HTML_DEPTH_MAX   32u
#define WW_HTML_TEXT_MAX    (1u << 20) /* bytes of one text, after escaping */
#define WW_HTML_PIECE_BYTES (64u << 10)

/* Takes a piece of the document. 0 or -errno, which ends the writing. */
typedef int (*ww_html_write_fn)(void *ctx, struct ww_slice piece);

struct ww_html {
	ww_html_write_fn write;
	void *ctx;
	struct ww_buf out;       /* not yet written */
	struct ww_buf printable; /* of the text at hand */
	const char *open[WW_HTML_DEPTH_MAX];
	unsigned depth;
	bool in_tag;
	int err; /* 0 or -errno, sticky */
};

void ww_html_init(struct ww_html *h, ww_html_write_fn write, void *ctx);
void ww_html_done(struct ww_html *h);

/* Closes what is open and writes the rest. 0 or the first error. */
WW_CHECK int ww_html_end(struct ww_html *h);

void ww_html_open(struct ww_html *h, const char *element);
/* Ends the element that was opened last; one that cannot have content gets no end tag. */
void ww_html_close(struct ww_html *h);

/* Right after ww_html_open, before any content. */
void ww_html_attr(struct ww_html *h, const char *name, struct ww_slice value);
void ww_html_attr_str(struct ww_html *h, const char *name, const char *value);
/* prefix and number, such as an anchor: "r-12" */
void ww_html_attr_mark(struct ww_html *h, const char *name, const char *prefix, uint64_t number);

void ww_html_text(struct ww_html *h, struct ww_slice text);
void ww_html_str(struct ww_html *h, const char *text);
/* The same, but line feeds stay what they are. */
void ww_html_lines(struct ww_html *h, struct ww_slice text);
void ww_html_u64(struct ww_html *h, uint64_t v);

/* An element with a class (may be NULL) and text in it. */
void ww_html_put(struct ww_html *h, const char *element, const char *class, const char *text);

/* Unescaped: never give it anything that was read from a record or a report. */
void ww_html_raw(struct ww_html *h, const char *markup);

/*
 * A whole file as the content of the element at hand, byte for byte, on lines of its own: only text
 * that needs no escaping is taken: no & and <, no control characters but line ends and tabs.
 * Anything else is -EINVAL.
 */
void ww_html_embed(struct ww_html *h, struct ww_slice file);
