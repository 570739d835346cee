/* SPDX-License-Identifier: Apache-2.0 */
#include "out/why_tree.h"

#include <errno.h>
#include <stdio.h>

#include "base/json_write.h"
#include "out/printable.h"
#include "out/template.h"

#define LINE_BYTES_MAX (256u << 10)

#define WORD_OF(n, word, pattern) [WW_WHY_##n] = {word, pattern},
static const struct {
	const char *word, *pattern;
} whats[WW_WHY_WHAT_MAX] = {WW_WHY_WHATS(WORD_OF)};

struct node {
	unsigned depth;
	enum ww_why_what what;
	size_t from, bytes; /* of its members */
};

struct ww_why_tree {
	struct node *nodes;
	size_t count, cap;
	uint64_t beyond; /* nodes that there is no room for */
	struct ww_buf members;
};

int ww_why_tree_new(struct ww_why_tree **ret_tree)
{
	struct ww_why_tree *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	ww_buf_init(&t->members, WW_WHY_BYTES_MAX);
	*ret_tree = t;
	return 0;
}

void ww_why_tree_free(struct ww_why_tree *t)
{
	if (!t)
		return;
	ww_buf_done(&t->members);
	free(t->nodes);
	free(t);
}

int ww_why_tree_add(struct ww_why_tree *t, unsigned depth, enum ww_why_what what,
		    struct ww_slice members)
{
	struct node n = {depth, what, t->members.n, members.n};
	int r;

	if (t->count == WW_WHY_NODES_MAX) {
		t->beyond++;
		return 0;
	}
	if (t->count == t->cap) {
		size_t cap = t->cap ? 2 * t->cap : 64;
		struct node *more = realloc(t->nodes, cap * sizeof(*more));

		if (!more)
			return -ENOMEM;
		t->nodes = more;
		t->cap = cap;
	}
	r = ww_buf_add(&t->members, members.p, members.n);
	if (r == 0)
		t->nodes[t->count++] = n;
	return r;
}

static struct ww_slice members_of(const struct ww_why_tree *t, const struct node *n)
{
	return ww_slice_sub(ww_buf_slice(&t->members), n->from, n->bytes);
}

static int add_text(struct ww_buf *out, const char *s)
{
	return ww_buf_add(out, s, strlen(s));
}

/* --- lines --------------------------------------------------------------------------------------
 */

/* Whether another node of this depth follows under the same one. */
static bool has_sibling(const struct ww_why_tree *t, size_t at)
{
	for (size_t i = at + 1; i < t->count && t->nodes[i].depth >= t->nodes[at].depth; i++) {
		if (t->nodes[i].depth == t->nodes[at].depth)
			return true;
	}
	return false;
}

/* Valid UTF-8 (it is printable): what is not ASCII as \u{NNNN}. */
static int add_ascii(struct ww_buf *out, struct ww_slice text)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < text.n;) {
		uint8_t c = text.p[i];
		unsigned more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;
		uint32_t code = c < 0x80 ? c : c & (0x3fu >> more);
		char escape[16];

		for (i++; more > 0 && i < text.n; more--, i++)
			code = code << 6 | (text.p[i] & 0x3f);
		if (c < 0x80) {
			r = ww_buf_add(out, &c, 1);
			continue;
		}
		snprintf(escape, sizeof(escape), "\\u{%04x}", code);
		r = add_text(out, escape);
	}
	return r;
}

static int add_branches(const struct ww_why_tree *t, size_t at, const bool *open, bool ascii,
			struct ww_buf *out)
{
	unsigned depth = t->nodes[at].depth;
	int r = 0;

	for (unsigned d = 1; r == 0 && d < depth; d++)
		r = add_text(out, !open[d] ? "   " : ascii ? "|  " : "│  ");
	if (r < 0 || depth == 0)
		return r;
	if (ascii)
		return add_text(out, open[depth] ? "|- " : "`- ");
	return add_text(out, open[depth] ? "├─ " : "└─ ");
}

int ww_why_tree_text(const struct ww_why_tree *t, unsigned flags, struct ww_buf *out)
{
	bool open[WW_WHY_DEPTH_MAX + 1] = {false};
	WW_AUTO_BUF struct ww_buf line = {0};
	int r = 0;

	ww_buf_init(&line, LINE_BYTES_MAX);
	for (size_t i = 0; r == 0 && i < t->count; i++) {
		const struct node *n = &t->nodes[i];

		open[n->depth] = has_sibling(t, i);
		r = add_branches(t, i, open, flags & WW_WHY_ASCII, out);
		ww_buf_clear(&line);
		if (r == 0)
			r = ww_template_render(whats[n->what].pattern, members_of(t, n),
					       flags & WW_WHY_COLOUR, &line);
		if (r == 0 && (flags & WW_WHY_ASCII))
			r = add_ascii(out, ww_buf_slice(&line));
		else if (r == 0)
			r = ww_buf_add(out, line.p, line.n);
		if (r == 0)
			r = add_text(out, "\n");
	}
	if (r == 0 && t->beyond) {
		char text[64];

		snprintf(text, sizeof(text), "and %llu lines more\n",
			 (unsigned long long)t->beyond);
		r = add_text(out, text);
	}
	return r;
}

/* --- JSON ---------------------------------------------------------------------------------------
 */

/* The members of an object without its braces. */
static struct ww_slice inner(struct ww_slice object)
{
	return object.n < 2 ? WW_SLICE_NULL : ww_slice_sub(object, 1, object.n - 2);
}

static int add_node(const struct ww_why_tree *t, const struct node *n, struct ww_buf *out)
{
	struct ww_slice members = inner(members_of(t, n));
	char head[128];
	int r;

	if (n->depth == 0)
		snprintf(head, sizeof(head), "{\"v\":%d,\"beyond\":%llu,\"what\":\"%s\"",
			 WW_WHY_VERSION, (unsigned long long)t->beyond, whats[n->what].word);
	else
		snprintf(head, sizeof(head), "{\"what\":\"%s\"", whats[n->what].word);
	r = add_text(out, head);
	if (r == 0 && members.n)
		r = add_text(out, ",");
	return r == 0 ? ww_buf_add(out, members.p, members.n) : r;
}

static int add_all(const struct ww_why_tree *t, struct ww_buf *out)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < t->count; i++) {
		unsigned depth = t->nodes[i].depth;
		unsigned next = i + 1 < t->count ? t->nodes[i + 1].depth : 0;

		r = add_node(t, &t->nodes[i], out);
		if (r == 0 && next > depth)
			r = add_text(out, ",\"children\":[");
		else if (r == 0)
			r = add_text(out, "}");
		for (; r == 0 && next < depth; depth--)
			r = add_text(out, "]}");
		if (r == 0 && i + 1 < t->count && next == depth)
			r = add_text(out, ",");
	}
	return r;
}

int ww_why_tree_json(const struct ww_why_tree *t, struct ww_buf *out)
{
	WW_AUTO_BUF struct ww_buf json = {0};
	int r;

	ww_buf_init(&json, 2 * WW_WHY_BYTES_MAX);
	r = add_all(t, &json);
	return r == 0 ? ww_printable_json(out, ww_buf_slice(&json)) : r;
}
