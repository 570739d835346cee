/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/yaml_reader.h"

#include <errno.h>

/* --- events -------------------------------------------------------------------------------------
 */

unsigned ww_yaml_line(const struct ww_yaml *r)
{
	return (unsigned)r->ev.start_mark.line + 1;
}

unsigned ww_yaml_column(const struct ww_yaml *r)
{
	return (unsigned)r->ev.start_mark.column + 1;
}

struct ww_slice ww_yaml_scalar(const struct ww_yaml *r)
{
	return ww_slice(r->ev.data.scalar.value, r->ev.data.scalar.length);
}

static void printable(struct ww_slice in, char *out, size_t cap)
{
	size_t n = 0;

	for (size_t i = 0; i < in.n && n + 4 < cap; i++)
		out[n++] = in.p[i] >= 0x20 && in.p[i] < 0x7f ? (char)in.p[i] : '?';
	if (in.n > n)
		n += (size_t)snprintf(out + n, cap - n, "...");
	out[n] = '\0';
}

static void describe(const struct ww_yaml *r, char *out, size_t cap)
{
	char text[44];

	switch (r->ev.type) {
	case YAML_SCALAR_EVENT:
		printable(ww_yaml_scalar(r), text, sizeof(text));
		snprintf(out, cap, r->ev.data.scalar.length ? "\"%s\"" : "nothing%s", text);
		break;
	case YAML_SEQUENCE_START_EVENT:
		snprintf(out, cap, "a list");
		break;
	case YAML_MAPPING_START_EVENT:
		snprintf(out, cap, "a mapping");
		break;
	default:
		snprintf(out, cap, "the end");
	}
}

int ww_yaml_fail_place(struct ww_yaml *r, unsigned line, unsigned column, const char *expected,
		       const char *found)
{
	if (r->err == 0) {
		r->err = -EINVAL;
		r->error_line = line;
		r->error_column = column;
		snprintf(r->error_text, sizeof(r->error_text), "expected %s, found %s", expected,
			 found);
	}
	return r->err;
}

int ww_yaml_fail_at(struct ww_yaml *r, unsigned line, const char *expected, const char *found)
{
	return ww_yaml_fail_place(r, line, 0, expected, found);
}

int ww_yaml_fail(struct ww_yaml *r, const char *expected)
{
	char found[64];

	describe(r, found, sizeof(found));
	return ww_yaml_fail_place(r, ww_yaml_line(r), ww_yaml_column(r), expected, found);
}

static bool has_extras(const yaml_event_t *ev)
{
	switch (ev->type) {
	case YAML_ALIAS_EVENT:
		return true;
	case YAML_SCALAR_EVENT:
		return ev->data.scalar.anchor || ev->data.scalar.tag;
	case YAML_SEQUENCE_START_EVENT:
		return ev->data.sequence_start.anchor || ev->data.sequence_start.tag;
	case YAML_MAPPING_START_EVENT:
		return ev->data.mapping_start.anchor || ev->data.mapping_start.tag;
	default:
		return false;
	}
}

static unsigned line_at(const struct ww_yaml *r, size_t offset)
{
	unsigned line = 1;

	for (size_t i = 0; i < offset && i < r->yaml.n; i++)
		line += r->yaml.p[i] == '\n';
	return line;
}

static bool indented_by_tab(const struct ww_yaml *r, unsigned line)
{
	size_t at = 0;

	for (; at < r->yaml.n && line > 1; at++)
		line -= r->yaml.p[at] == '\n';
	while (at < r->yaml.n && r->yaml.p[at] == ' ')
		at++;
	return at < r->yaml.n && r->yaml.p[at] == '\t';
}

/* libyaml's own words, but for the mistake that they do not name: a tab as indentation. */
static int fail_yaml(struct ww_yaml *r)
{
	const yaml_parser_t *p = &r->parser;
	const char *problem = p->problem ? p->problem : "unreadable text";
	unsigned line = (unsigned)p->problem_mark.line + 1;
	unsigned column = (unsigned)p->problem_mark.column + 1;
	char context[96] = "";

	if (p->error == YAML_READER_ERROR) {
		line = line_at(r, p->problem_offset);
		column = 0;
	} else if (p->context) {
		snprintf(context, sizeof(context), ", %s from line %u", p->context,
			 (unsigned)p->context_mark.line + 1);
	}
	if (p->error == YAML_SCANNER_ERROR && indented_by_tab(r, line)) {
		problem = "a tab, which YAML does not take as indentation";
		context[0] = '\0';
	}
	r->err = -EINVAL;
	r->error_line = line;
	r->error_column = column;
	snprintf(r->error_text, sizeof(r->error_text), "not YAML: %s%s", problem, context);
	return r->err;
}

/* The next event. 0 or r->err. */
static int next(struct ww_yaml *r)
{
	if (r->err)
		return r->err;
	yaml_event_delete(&r->ev);
	if (!yaml_parser_parse(&r->parser, &r->ev)) {
		if (r->parser.error == YAML_MEMORY_ERROR)
			return r->err = -ENOMEM;
		return fail_yaml(r);
	}
	if (has_extras(&r->ev))
		return ww_yaml_fail_place(r, ww_yaml_line(r), ww_yaml_column(r), "plain values",
					  "an anchor, alias or tag");
	return 0;
}

/* --- scalars ------------------------------------------------------------------------------------
 */

bool ww_yaml_is_text(const struct ww_yaml *r)
{
	struct ww_slice s;

	if (r->ev.type != YAML_SCALAR_EVENT)
		return false;
	s = ww_yaml_scalar(r);
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < 0x20 || s.p[i] == 0x7f)
			return false;
	}
	return s.n > 0 && s.n <= r->text_max;
}

int ww_yaml_text(struct ww_yaml *r, const char *expected, char **ret_text)
{
	char *text;

	if (!ww_yaml_is_text(r))
		return ww_yaml_fail(r, expected);
	text = strndup((const char *)r->ev.data.scalar.value, r->ev.data.scalar.length);
	if (!text)
		return r->err = -ENOMEM;
	*ret_text = text;
	return 0;
}

int ww_yaml_number(struct ww_yaml *r, uint64_t min, uint64_t max, const char *expected,
		   uint64_t *ret_value)
{
	uint64_t v;

	if (!ww_yaml_is_text(r) || ww_slice_u64(ww_yaml_scalar(r), &v) < 0 || v < min || v > max)
		return ww_yaml_fail(r, expected);
	*ret_value = v;
	return 0;
}

int ww_yaml_bool(struct ww_yaml *r, bool *ret_value)
{
	if (ww_yaml_is_text(r) && ww_slice_eq_str(ww_yaml_scalar(r), "true"))
		*ret_value = true;
	else if (ww_yaml_is_text(r) && ww_slice_eq_str(ww_yaml_scalar(r), "false"))
		*ret_value = false;
	else
		return ww_yaml_fail(r, "true or false");
	return 0;
}

/* --- mappings and lists -------------------------------------------------------------------------
 */

static const struct ww_yaml_field *field_find(const struct ww_yaml_field *fields, unsigned count,
					      struct ww_slice s)
{
	for (unsigned i = 0; i < count; i++) {
		if (ww_slice_eq_str(s, fields[i].key))
			return &fields[i];
	}
	return NULL;
}

static int fail_key(struct ww_yaml *r, const struct ww_yaml_field *fields, unsigned count)
{
	char expected[160] = "one of the keys";
	size_t n = strlen(expected);

	for (unsigned i = 0; i < count && n < sizeof(expected); i++)
		n += (size_t)snprintf(expected + n, sizeof(expected) - n, "%s %s", i ? "," : "",
				      fields[i].key);
	return ww_yaml_fail(r, expected);
}

static int check_required(struct ww_yaml *r, const struct ww_yaml_field *fields, unsigned count,
			  unsigned seen, unsigned line, unsigned column)
{
	char expected[64];

	for (unsigned i = 0; i < count; i++) {
		if (!fields[i].required || (seen & 1u << i))
			continue;
		snprintf(expected, sizeof(expected), "the key %s", fields[i].key);
		return ww_yaml_fail_place(r, line, column, expected, "a mapping without it");
	}
	return 0;
}

int ww_yaml_mapping(struct ww_yaml *r, const struct ww_yaml_field *fields, unsigned count,
		    void *into)
{
	unsigned seen = 0, line = ww_yaml_line(r), column = ww_yaml_column(r);

	if (r->ev.type != YAML_MAPPING_START_EVENT)
		return ww_yaml_fail(r, "a mapping");
	while (next(r) == 0 && r->ev.type != YAML_MAPPING_END_EVENT) {
		const struct ww_yaml_field *f =
			ww_yaml_is_text(r) ? field_find(fields, count, ww_yaml_scalar(r)) : NULL;
		unsigned bit = f ? 1u << (f - fields) : 0;

		if (!f)
			return fail_key(r, fields, count);
		if (seen & bit)
			return ww_yaml_fail(r, "every key once");
		seen |= bit;
		if (next(r) < 0 || f->take(r, (char *)into + f->at) < 0)
			return r->err;
	}
	return r->err ? r->err : check_required(r, fields, count, seen, line, column);
}

/* Grows *items by one zeroed element of `size` bytes and reads into it. */
static int take_item(struct ww_yaml *r, void **items, unsigned *count, size_t size, ww_yaml_fn take)
{
	uint8_t *more = realloc(*items, (*count + 1) * size);

	if (!more)
		return r->err = -ENOMEM;
	*items = more;
	memset(more + *count * size, 0, size);
	(*count)++; /* the owner frees it, half read or not */
	return take(r, more + (*count - 1) * size);
}

int ww_yaml_list(struct ww_yaml *r, unsigned min, unsigned max, void **items, unsigned *count,
		 size_t size, ww_yaml_fn take)
{
	char expected[48];
	unsigned line = ww_yaml_line(r), column = ww_yaml_column(r);

	if (r->ev.type != YAML_SEQUENCE_START_EVENT)
		return ww_yaml_fail(r, "a list");
	while (next(r) == 0 && r->ev.type != YAML_SEQUENCE_END_EVENT) {
		if (*count >= max) {
			snprintf(expected, sizeof(expected), "at most %u entries", max);
			return ww_yaml_fail_place(r, ww_yaml_line(r), ww_yaml_column(r), expected,
						  "more");
		}
		if (take_item(r, items, count, size, take) < 0)
			return r->err;
	}
	if (r->err == 0 && *count < min)
		return ww_yaml_fail_place(r, line, column, "at least one entry", "an empty list");
	return r->err;
}

void ww_yaml_open(struct ww_yaml *r, struct ww_slice text)
{
	memset(r, 0, sizeof(*r));
	r->text_max = WW_CONTRACT_TEXT_BYTES;
	if (!yaml_parser_initialize(&r->parser)) {
		r->err = -ENOMEM;
		return;
	}
	/* libyaml takes a byte order mark for a part of the first key where the encoding is set. */
	r->yaml = ww_slice_sub(text, ww_slice_starts(text, WW_SLICE_LIT("\xef\xbb\xbf")) ? 3 : 0,
			       SIZE_MAX);
	yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r->parser, r->yaml.p ? r->yaml.p : (const uint8_t *)"",
				     r->yaml.n);
}

void ww_yaml_close(struct ww_yaml *r)
{
	yaml_event_delete(&r->ev);
	yaml_parser_delete(&r->parser);
}

int ww_yaml_document(struct ww_yaml *r, const struct ww_yaml_field *fields, unsigned count,
		     const char *expected, void *into)
{
	if (next(r) < 0 || next(r) < 0) /* stream start, document start */
		return r->err;
	if (r->ev.type != YAML_DOCUMENT_START_EVENT)
		return ww_yaml_fail(r, expected);
	if (next(r) < 0 || ww_yaml_mapping(r, fields, count, into) < 0 || next(r) < 0 ||
	    next(r) < 0) /* document end, stream end */
		return r->err;
	if (r->ev.type != YAML_STREAM_END_EVENT)
		return ww_yaml_fail_place(r, ww_yaml_line(r), ww_yaml_column(r), "one document",
					  "a second one");
	return 0;
}
