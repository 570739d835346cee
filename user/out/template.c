/* SPDX-License-Identifier: Apache-2.0 */
#include "out/template.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "out/member.h"
#include "out/printable.h"

struct field {
	unsigned first, count; /* of the paths */
	unsigned pad;
	char mark; /* '@', '&', '!', '?', or 0 */
	bool span; /* {a~b} */
	bool list; /* {path+} */
};

struct job {
	struct ww_slice record;
	struct ww_buf *out;
	bool colour;
	unsigned field_count, path_count;
	struct field fields[WW_TEMPLATE_FIELDS_MAX];
	struct ww_slice paths[WW_TEMPLATE_PATHS_MAX];
	struct ww_json_token values[WW_TEMPLATE_PATHS_MAX];
};

/* Reads one field, p behind the brace; returns the place behind its end. */
static const char *parse_field(struct job *j, const char *p)
{
	struct field *f = &j->fields[j->field_count];
	size_t n;

	assert(j->field_count < WW_TEMPLATE_FIELDS_MAX);
	j->field_count++;
	f->first = j->path_count;
	if (*p == '@' || *p == '&' || *p == '!' || *p == '?')
		f->mark = *p++;
	for (;;) {
		n = strcspn(p, "|~+:}");
		assert(n > 0 && j->path_count < WW_TEMPLATE_PATHS_MAX);
		j->paths[j->path_count++] = ww_slice(p, n);
		p += n;
		if (*p == '~')
			f->span = true;
		else if (*p != '|')
			break;
		p++;
	}
	f->count = j->path_count - f->first;
	if (*p == '+') {
		f->list = true;
		p++;
	}
	if (*p == ':') {
		for (p++; *p >= '0' && *p <= '9'; p++)
			f->pad = f->pad * 10 + (unsigned)(*p - '0');
	}
	assert(*p == '}');
	return p + 1;
}

static void parse(struct job *j, const char *p)
{
	while (*p) {
		if (*p++ == '{')
			p = parse_field(j, p);
	}
	ww_member_pick(j->record, j->paths, j->path_count, j->values);
}

static const struct ww_json_token *value_of(const struct job *j, const struct field *f)
{
	for (unsigned i = f->first; i < f->first + f->count; i++) {
		if (ww_member_has(&j->values[i]))
			return &j->values[i];
	}
	return &j->values[f->first];
}

static bool span_of(const struct job *j, const struct field *f, uint64_t *ret_ns)
{
	uint64_t from = ww_member_u64(&j->values[f->first], 0);
	uint64_t to = ww_member_u64(&j->values[f->first + 1], 0);

	if (from == 0 || to < from)
		return false;
	*ret_ns = to - from;
	return true;
}

static bool value_says(const struct ww_json_token *v)
{
	return ww_member_has(v) && v->raw.n > 0 && v->type != WW_JSON_FALSE &&
	       !(v->type == WW_JSON_NUMBER && ww_slice_eq_str(v->raw, "0"));
}

/* Whether a field says anything: decides about the group it stands in. */
static bool says(const struct job *j, const struct field *f)
{
	uint64_t ns;

	return f->span ? span_of(j, f, &ns) : value_says(value_of(j, f));
}

const char *ww_template_tone(struct ww_slice word)
{
	static const struct {
		const char *word;
		const char *tone;
	} tones[] = {
		{"CONFIRMED_T1", "\033[32m"},
		{"CONFIRMED_T2", "\033[1;32m"},
		{"CONFIRMED_T3", "\033[1;32m"},
		{"PARTIAL_EFFECT", "\033[1;31m"},
		{"EFFECT_MISSING", "\033[31m"},
		{"ACTED_LATE", "\033[31m"},
		{"PENDING", "\033[36m"},
		{"DEFERRED", "\033[36m"},
		{"MASKED_ERROR", "\033[1;31m"},
		{"NO_ACTION", "\033[1;31m"},
		{"ACTED_ELSEWHERE", "\033[1;31m"},
		{"DUPLICATE_EFFECT", "\033[1;31m"},
		{"RESULT_ALTERED", "\033[1;31m"},
		{"RESULT_INVENTED", "\033[1;31m"},
		{"CONTROL_FIRED", "\033[32m"},
		{"ACTED_DESPITE_DENY", "\033[1;31m"},
		{"CONTROL_AFTER_ACTION", "\033[1;31m"},
		{"CONTROL_STALE", "\033[1;31m"},
		{"SUBJECT_MISMATCH", "\033[1;31m"},
		{"CONTROL_ERRORED_OPEN", "\033[1;31m"},
		{"CONTROL_MISSING", "\033[1;31m"},
		{"NARRATED_ONLY", "\033[1;31m"},
		{"VIOLATION", "\033[1;31m"},
		{"CLAIM_CONTRADICTED", "\033[1;31m"},
		{"WITHIN_POLICY_TO_HORIZON", "\033[32m"},
		{"CALL_EMITTED_NOT_EXECUTED", "\033[31m"},
		{"ATTEMPTED_FAILED", "\033[31m"},
		{"SUSPECT_NO_ACTION", "\033[31m"},
		{"UNVERIFIABLE", "\033[33m"},
		{"ACTED_UNDECODED", "\033[33m"},
		{"REPLY_LOST", "\033[33m"},
		{"ACCEPTED_ASYNC", "\033[33m"},
		{"POSSIBLE_DUPLICATE", "\033[33m"},
		{"NOT_APPLICABLE", "\033[2m"},
		{"ERROR", "\033[31m"},
		{"loss", "\033[33m"},
		{"finding", "\033[33m"},
		{"verdict", "\033[1m"},
		{"life", "\033[36m"},
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(tones); i++) {
		if (ww_slice_eq_str(word, tones[i].word))
			return tones[i].tone;
	}
	return "";
}

static int add_text(struct ww_buf *out, const char *s)
{
	return ww_buf_add(out, s, strlen(s));
}

static int put_span(struct ww_buf *out, uint64_t ns)
{
	uint64_t us = ns / 1000;
	char text[32];

	if (us >= 10000000)
		snprintf(text, sizeof(text), "%" PRIu64 " s", us / 1000000);
	else if (us >= 1000000)
		snprintf(text, sizeof(text), "%" PRIu64 ".%" PRIu64 " s", us / 1000000,
			 us / 100000 % 10);
	else if (us >= 10000)
		snprintf(text, sizeof(text), "%" PRIu64 " ms", us / 1000);
	else
		snprintf(text, sizeof(text), "%" PRIu64 ".%" PRIu64 " ms", us / 1000,
			 us / 100 % 10);
	return add_text(out, text);
}

/* "2026-11-23T10:00:00.123456789Z": what is not of this form is shown as it is. */
static int put_time(struct ww_buf *out, const struct ww_json_token *v, bool date)
{
	int r = 0;

	if (v->escaped || v->raw.n < 24 || v->raw.p[10] != 'T' || v->raw.p[19] != '.')
		return ww_printable_value(out, v);
	if (date)
		r = ww_printable_add(out, ww_slice_sub(v->raw, 0, 10));
	if (r == 0 && date)
		r = ww_buf_add(out, " ", 1);
	return r == 0 ? ww_printable_add(out, ww_slice_sub(v->raw, 11, 12)) : r;
}

static int put_list(const struct job *j, const struct field *f)
{
	struct ww_member_walk w;
	struct ww_member m;
	bool first = true;
	int r = 0;

	ww_member_begin(&w, j->record);
	while (r == 0 && ww_member_next(&w, &m)) {
		if (!ww_slice_eq(m.path, j->paths[f->first]))
			continue;
		if (!first)
			r = add_text(j->out, ", ");
		if (r == 0)
			r = ww_printable_value(j->out, &m.value);
		first = false;
	}
	return r == 0 && first ? add_text(j->out, "-") : r;
}

static int put_value(const struct job *j, const struct field *f)
{
	const struct ww_json_token *v = value_of(j, f);
	uint64_t ns;

	if (f->span)
		return span_of(j, f, &ns) ? put_span(j->out, ns) : add_text(j->out, "-");
	if (f->list)
		return put_list(j, f);
	if (f->mark == '?')
		return add_text(j->out, value_says(v) ? "yes" : "no");
	if (!ww_member_has(v))
		return add_text(j->out, "-");
	if (f->mark == '@' || f->mark == '&')
		return put_time(j->out, v, f->mark == '&');
	return ww_printable_value(j->out, v);
}

static int put_field(const struct job *j, const struct field *f)
{
	const char *tone = j->colour && f->mark == '!' ? ww_template_tone(value_of(j, f)->raw) : "";
	size_t begin, columns;
	int r = add_text(j->out, tone);

	begin = j->out->n;
	if (r == 0)
		r = put_value(j, f);
	columns = ww_printable_columns(ww_slice_sub(ww_buf_slice(j->out), begin, SIZE_MAX));
	if (r == 0 && *tone)
		r = add_text(j->out, WW_TEMPLATE_TONE_END);
	for (; r == 0 && columns < f->pad; columns++)
		r = ww_buf_add(j->out, " ", 1);
	return r;
}

/* Whether none of the paths of a field says anything. */
static bool all_silent(const struct job *j, const struct field *f)
{
	bool silent = true;

	for (unsigned i = f->first; i < f->first + f->count; i++)
		silent &= !value_says(&j->values[i]);
	return silent;
}

/* Whether the group that begins at p is to be shown; *ret_fields counts its fields. */
static bool group_says(const struct job *j, unsigned field, const char *p, unsigned *ret_fields)
{
	bool negative = *p == '^'; /* about its first field only */
	bool all = true;
	unsigned n = 0;

	for (; *p != ']'; p++) {
		assert(*p != '\0');
		if (*p != '{')
			continue;
		all &= negative ? all_silent(j, &j->fields[field + n])
				: says(j, &j->fields[field + n]);
		n++;
		negative = false;
	}
	*ret_fields = n;
	return all;
}

static int render(const struct job *j, const char *p)
{
	unsigned field = 0, fields = 0;
	bool asked = false; /* the field that follows is only asked, not shown */
	int r = 0;

	while (r == 0 && *p) {
		size_t n = strcspn(p, "{[]");

		r = ww_buf_add(j->out, p, n);
		p += n;
		if (*p == '{') {
			if (r == 0 && !asked)
				r = put_field(j, &j->fields[field]);
			asked = false;
			field++;
			p = strchr(p, '}') + 1;
		} else if (*p == '[' && !group_says(j, field, p + 1, &fields)) {
			field += fields;
			p = strchr(p, ']') + 1;
		} else if (*p) {
			asked = *p == '[' && p[1] == '^';
			p += asked ? 2 : 1;
		}
	}
	return r;
}

int ww_template_render(const char *template, struct ww_slice record, bool colour,
		       struct ww_buf *out)
{
	struct job j = {.record = record, .out = out, .colour = colour};

	parse(&j, template);
	return render(&j, template);
}
