/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariants:
 *  1. One table per mapping: a key that is not in it, or comes twice, is an error at its line.
 *  2. No event with an anchor, alias or tag passes next(): the tree read is as large as the file.
 *  3. Depth is fixed by the tables; nothing recurses over input.
 *  4. After the first error every further step fails with the same error.
 */
#include "policy/contract.h"

#include "base/json.h"
#include "policy/cidr.h"

#include <errno.h>
#include <yaml.h>

#define STATUS_SUCCESS_MIN 200
#define STATUS_SUCCESS_MAX 299
#define DEADLINE_S_MAX     (30u * 24 * 3600)

struct reader {
	yaml_parser_t parser;
	struct ww_slice yaml;
	yaml_event_t ev;                /* the current event */
	const struct ww_contracts *all; /* what was read so far, the current contract last */
	int err;
	struct ww_contract_error error;
};

/* Reads the value at r->ev, which is its first event, and leaves its last event there. */
typedef int (*take_fn)(struct reader *r, void *into);

struct field {
	const char *key;
	take_fn take;
	bool required;
};

/* --- events -------------------------------------------------------------------------------------
 */

static unsigned line_of(const struct reader *r)
{
	return (unsigned)r->ev.start_mark.line + 1;
}

static struct ww_slice scalar(const struct reader *r)
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

static void describe(const struct reader *r, char *out, size_t cap)
{
	char text[44];

	switch (r->ev.type) {
	case YAML_SCALAR_EVENT:
		printable(scalar(r), text, sizeof(text));
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

static int fail_at(struct reader *r, unsigned line, const char *expected, const char *found)
{
	if (r->err == 0) {
		r->err = -EINVAL;
		r->error.line = line;
		snprintf(r->error.text, sizeof(r->error.text), "expected %s, found %s", expected,
			 found);
	}
	return r->err;
}

/* The current event is not what it should be. */
static int fail(struct reader *r, const char *expected)
{
	char found[64];

	describe(r, found, sizeof(found));
	return fail_at(r, line_of(r), expected, found);
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

static unsigned line_at(const struct reader *r, size_t offset)
{
	unsigned line = 1;

	for (size_t i = 0; i < offset && i < r->yaml.n; i++)
		line += r->yaml.p[i] == '\n';
	return line;
}

static bool indented_by_tab(const struct reader *r, unsigned line)
{
	size_t at = 0;

	for (; at < r->yaml.n && line > 1; at++)
		line -= r->yaml.p[at] == '\n';
	while (at < r->yaml.n && r->yaml.p[at] == ' ')
		at++;
	return at < r->yaml.n && r->yaml.p[at] == '\t';
}

/* libyaml's own words, but for the mistake that they do not name: a tab as indentation. */
static int fail_yaml(struct reader *r)
{
	const yaml_parser_t *p = &r->parser;
	const char *problem = p->problem ? p->problem : "unreadable text";
	unsigned line = (unsigned)p->problem_mark.line + 1;
	char context[96] = "";

	if (p->error == YAML_READER_ERROR)
		line = line_at(r, p->problem_offset);
	else if (p->context)
		snprintf(context, sizeof(context), ", %s from line %u", p->context,
			 (unsigned)p->context_mark.line + 1);
	if (p->error == YAML_SCANNER_ERROR && indented_by_tab(r, line)) {
		problem = "a tab, which YAML does not take as indentation";
		context[0] = '\0';
	}
	r->err = -EINVAL;
	r->error.line = line;
	snprintf(r->error.text, sizeof(r->error.text), "not YAML: %s%s", problem, context);
	return r->err;
}

static int next(struct reader *r)
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
		return fail_at(r, line_of(r), "plain values", "an anchor, alias or tag");
	return 0;
}

/* --- scalars ------------------------------------------------------------------------------------
 */

static bool is_text(const struct reader *r)
{
	struct ww_slice s;

	if (r->ev.type != YAML_SCALAR_EVENT)
		return false;
	s = scalar(r);
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < 0x20 || s.p[i] == 0x7f)
			return false;
	}
	return s.n > 0 && s.n <= WW_CONTRACT_TEXT_BYTES;
}

static int take_text(struct reader *r, const char *expected, char **ret_text)
{
	char *text;

	if (!is_text(r))
		return fail(r, expected);
	text = strndup((const char *)r->ev.data.scalar.value, r->ev.data.scalar.length);
	if (!text)
		return r->err = -ENOMEM;
	*ret_text = text;
	return 0;
}

static int take_number(struct reader *r, uint64_t min, uint64_t max, const char *expected,
		       uint64_t *ret_value)
{
	uint64_t v;

	if (!is_text(r) || ww_slice_u64(scalar(r), &v) < 0 || v < min || v > max)
		return fail(r, expected);
	*ret_value = v;
	return 0;
}

static int take_bool(struct reader *r, bool *ret_value)
{
	if (is_text(r) && ww_slice_eq_str(scalar(r), "true"))
		*ret_value = true;
	else if (is_text(r) && ww_slice_eq_str(scalar(r), "false"))
		*ret_value = false;
	else
		return fail(r, "true or false");
	return 0;
}

/* --- mappings and lists -------------------------------------------------------------------------
 */

static const struct field *field_find(const struct field *fields, unsigned count, struct ww_slice s)
{
	for (unsigned i = 0; i < count; i++) {
		if (ww_slice_eq_str(s, fields[i].key))
			return &fields[i];
	}
	return NULL;
}

static int fail_key(struct reader *r, const struct field *fields, unsigned count)
{
	char expected[160] = "one of the keys";
	size_t n = strlen(expected);

	for (unsigned i = 0; i < count && n < sizeof(expected); i++)
		n += (size_t)snprintf(expected + n, sizeof(expected) - n, "%s %s", i ? "," : "",
				      fields[i].key);
	return fail(r, expected);
}

static int check_required(struct reader *r, const struct field *fields, unsigned count,
			  unsigned seen, unsigned line)
{
	char expected[64];

	for (unsigned i = 0; i < count; i++) {
		if (!fields[i].required || (seen & 1u << i))
			continue;
		snprintf(expected, sizeof(expected), "the key %s", fields[i].key);
		return fail_at(r, line, expected, "a mapping without it");
	}
	return 0;
}

static int take_mapping(struct reader *r, const struct field *fields, unsigned count, void *into)
{
	unsigned seen = 0, line = line_of(r);

	if (r->ev.type != YAML_MAPPING_START_EVENT)
		return fail(r, "a mapping");
	while (next(r) == 0 && r->ev.type != YAML_MAPPING_END_EVENT) {
		const struct field *f = is_text(r) ? field_find(fields, count, scalar(r)) : NULL;
		unsigned bit = f ? 1u << (f - fields) : 0;

		if (!f)
			return fail_key(r, fields, count);
		if (seen & bit)
			return fail(r, "every key once");
		seen |= bit;
		if (next(r) < 0 || f->take(r, into) < 0)
			return r->err;
	}
	return r->err ? r->err : check_required(r, fields, count, seen, line);
}

/* Grows *items by one zeroed element of `size` bytes and reads into it. */
static int take_item(struct reader *r, void **items, unsigned *count, size_t size, take_fn take)
{
	uint8_t *more = realloc(*items, (*count + 1) * size);

	if (!more)
		return r->err = -ENOMEM;
	*items = more;
	memset(more + *count * size, 0, size);
	(*count)++; /* the owner frees it, half read or not */
	return take(r, more + (*count - 1) * size);
}

/* A list of 1 (or `min` 0) to `max` elements. */
static int take_list(struct reader *r, unsigned min, unsigned max, void **items, unsigned *count,
		     size_t size, take_fn take)
{
	char expected[48];
	unsigned line = line_of(r);

	if (r->ev.type != YAML_SEQUENCE_START_EVENT)
		return fail(r, "a list");
	while (next(r) == 0 && r->ev.type != YAML_SEQUENCE_END_EVENT) {
		if (*count >= max) {
			snprintf(expected, sizeof(expected), "at most %u entries", max);
			return fail_at(r, line_of(r), expected, "more");
		}
		if (take_item(r, items, count, size, take) < 0)
			return r->err;
	}
	if (r->err == 0 && *count < min)
		return fail_at(r, line, "at least one entry", "an empty list");
	return r->err;
}

/* --- destinations -------------------------------------------------------------------------------
 */

static bool host_like(const char *s)
{
	size_t n = strlen(s);

	if (strncmp(s, "*.", 2) == 0)
		s += 2;
	if (*s == '\0' || *s == '.' || n > 253)
		return false;
	for (; *s; s++) {
		bool letter = (*s >= 'a' && *s <= 'z') || (*s >= '0' && *s <= '9');

		if (!letter && !strchr("-_.", *s))
			return false;
		if (*s == '.' && (s[1] == '.' || s[1] == '\0'))
			return false;
	}
	return true;
}

static int take_destination_name(struct reader *r, void *into)
{
	struct ww_destination *d = into;

	if (take_text(r, "a host name or *.suffix", &d->name) < 0)
		return r->err;
	for (char *p = d->name; *p; p++) {
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p + ('a' - 'A'));
	}
	return host_like(d->name) ? 0 : fail(r, "a host name or *.suffix, without a port");
}

static int take_cidr(struct reader *r, void *into)
{
	if (!is_text(r) || ww_cidr_parse(scalar(r), into) < 0)
		return fail(r, "a network such as 10.1.0.0/16 or 2001:db8::/32, host bits zero");
	return 0;
}

static int take_cidrs(struct reader *r, void *into)
{
	struct ww_destination *d = into;

	return take_list(r, 1, WW_CONTRACT_ITEMS_MAX, (void **)&d->cidrs, &d->cidr_count,
			 sizeof(*d->cidrs), take_cidr);
}

static int take_port(struct reader *r, void *into)
{
	struct ww_destination *d = into;
	uint64_t v = 0;

	if (take_number(r, 1, 65535, "a port, 1 to 65535", &v) < 0)
		return r->err;
	d->port = (uint16_t)v;
	return 0;
}

static int take_allow_loopback(struct reader *r, void *into)
{
	return take_bool(r, &((struct ww_destination *)into)->allow_loopback);
}

static int take_destination(struct reader *r, void *into)
{
	static const struct field fields[] = {
		{"name", take_destination_name, false},
		{"cidr", take_cidrs, false},
		{"port", take_port, false},
		{"allow_loopback", take_allow_loopback, false},
	};
	struct ww_destination *d = into;
	unsigned line = line_of(r);

	if (take_mapping(r, fields, WW_ARRAY_SIZE(fields), d) < 0)
		return r->err;
	if (!d->name && d->cidr_count == 0)
		return fail_at(r, line, "name or cidr", "a destination with neither");
	for (unsigned i = 0; i < d->cidr_count; i++) {
		if (!d->allow_loopback && ww_cidr_loopback(&d->cidrs[i]))
			return fail_at(r, line, "allow_loopback: true with a loopback network",
				       "none: it could never match");
	}
	return 0;
}

static int take_destinations(struct reader *r, void *into)
{
	struct ww_contract *c = into;

	return take_list(r, 1, WW_CONTRACT_ITEMS_MAX, (void **)&c->destinations,
			 &c->destination_count, sizeof(*c->destinations), take_destination);
}

/* --- requests -----------------------------------------------------------------------------------
 */

static int take_method(struct reader *r, void *into)
{
	char **text = into;

	if (take_text(r, "a method such as POST", text) < 0)
		return r->err;
	for (const char *p = *text; *p; p++) {
		if (!(*p >= 'A' && *p <= 'Z') && *p != '-')
			return fail(r, "a method in capitals such as POST");
	}
	return strlen(*text) < 24 ? 0 : fail(r, "a method of at most 23 letters");
}

static int take_methods(struct reader *r, void *into)
{
	struct ww_contract *c = into;

	return take_list(r, 1, WW_CONTRACT_ITEMS_MAX, (void **)&c->methods, &c->method_count,
			 sizeof(*c->methods), take_method);
}

/* One segment of a template, without its slash. */
static bool segment_good(struct ww_slice s, bool last)
{
	if (ww_slice_eq_str(s, "**"))
		return last;
	if (ww_slice_eq_str(s, ".") || ww_slice_eq_str(s, "..") || (s.n == 0 && !last))
		return false;
	if (s.n > 2 && s.p[0] == '{' && s.p[s.n - 1] == '}')
		s = ww_slice_sub(s, 1, s.n - 2);
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] <= ' ' || strchr("{}*?#%\\", s.p[i]))
			return false;
	}
	return true;
}

static bool template_good(struct ww_slice s)
{
	size_t at = 0;

	if (s.n == 0 || s.p[0] != '/')
		return false;
	while (at < s.n) {
		size_t end = ww_slice_find(s, at + 1, '/');

		if (!segment_good(ww_slice_sub(s, at + 1, end - at - 1), end == s.n))
			return false;
		at = end;
	}
	return true;
}

static int take_path(struct reader *r, void *into)
{
	if (take_text(r, "a path template", into) < 0)
		return r->err;
	if (!template_good(scalar(r)))
		return fail(r, "a path template such as /v1/refunds/{id} or /v1/**");
	return 0;
}

static int take_paths(struct reader *r, void *into)
{
	struct ww_contract *c = into;

	return take_list(r, 1, WW_CONTRACT_ITEMS_MAX, (void **)&c->paths, &c->path_count,
			 sizeof(*c->paths), take_path);
}

/* --- success ------------------------------------------------------------------------------------
 */

static int take_json_path(struct reader *r, char **ret_text)
{
	if (take_text(r, "a path such as $.data.id", ret_text) < 0)
		return r->err;
	if (ww_json_path_check(*ret_text) < 0)
		return fail(r, "a path such as $.data.id or $.items[0]");
	return 0;
}

static int take_rule_path(struct reader *r, void *into)
{
	return take_json_path(r, &((struct ww_body_rule *)into)->path);
}

static int take_rule_exists(struct reader *r, void *into)
{
	return take_bool(r, &((struct ww_body_rule *)into)->exists);
}

static int take_rule_equals(struct reader *r, void *into)
{
	return take_text(r, "a value", &((struct ww_body_rule *)into)->equals);
}

static int take_rule(struct reader *r, void *into)
{
	static const struct field fields[] = {
		{"path", take_rule_path, true},
		{"exists", take_rule_exists, false},
		{"equals", take_rule_equals, false},
	};
	struct ww_body_rule *b = into;
	unsigned line = line_of(r);

	b->exists = true;
	if (take_mapping(r, fields, WW_ARRAY_SIZE(fields), b) < 0)
		return r->err;
	if (b->equals && !b->exists)
		return fail_at(r, line, "exists: false or equals", "both");
	return 0;
}

static bool status_number(struct ww_slice s, uint64_t *ret_value)
{
	return s.n == 3 && ww_slice_u64(s, ret_value) == 0 && *ret_value >= 100 &&
	       *ret_value <= 599;
}

static int take_status(struct reader *r, void *into)
{
	struct ww_contract *c = into;
	uint64_t min = 0, max = 0;
	struct ww_slice s;

	if (!is_text(r))
		return fail(r, "a status: 2xx, 200-299 or 201");
	s = scalar(r);
	if (s.n == 3 && s.p[1] == 'x' && s.p[2] == 'x' && s.p[0] >= '1' && s.p[0] <= '5') {
		min = (uint64_t)(s.p[0] - '0') * 100;
		max = min + 99;
	} else if (s.n == 7 && s.p[3] == '-') {
		if (!status_number(ww_slice_sub(s, 0, 3), &min) ||
		    !status_number(ww_slice_sub(s, 4, 3), &max) || min > max)
			return fail(r, "a status range such as 200-299");
	} else if (status_number(s, &min)) {
		max = min;
	} else {
		return fail(r, "a status: 2xx, 200-299 or 201");
	}
	c->status_min = (uint16_t)min;
	c->status_max = (uint16_t)max;
	return 0;
}

static int take_rules(struct reader *r, void *into)
{
	struct ww_contract *c = into;

	return take_list(r, 1, WW_CONTRACT_ITEMS_MAX, (void **)&c->rules, &c->rule_count,
			 sizeof(*c->rules), take_rule);
}

static int take_success(struct reader *r, void *into)
{
	static const struct field fields[] = {
		{"status", take_status, false},
		{"body", take_rules, false},
	};

	return take_mapping(r, fields, WW_ARRAY_SIZE(fields), into);
}

/* --- contracts ----------------------------------------------------------------------------------
 */

static int take_tool(struct reader *r, void *into)
{
	struct ww_contract *c = into;

	if (take_text(r, "a tool name", &c->tool) < 0)
		return r->err;
	if (strlen(c->tool) >= 128)
		return fail(r, "a tool name of at most 127 bytes");
	for (unsigned i = 0; i + 1 < r->all->count; i++) {
		if (strcmp(r->all->items[i].tool, c->tool) == 0)
			return fail(r, "a tool that has no contract yet");
	}
	return 0;
}

static int take_effect(struct reader *r, void *into)
{
#define EFFECT_ROW_(n, v, t, d) {WW_EFFECT_##n, t},
	static const struct {
		enum ww_effect effect;
		const char *text;
	} rows[] = {WW_EFFECTS(EFFECT_ROW_)};

	for (unsigned i = 0; is_text(r) && i < WW_ARRAY_SIZE(rows); i++) {
		if (ww_slice_eq_str(scalar(r), rows[i].text)) {
			((struct ww_contract *)into)->effect = rows[i].effect;
			return 0;
		}
	}
	return fail(r, "an effect: network, local, none or remote");
}

static int take_id_path(struct reader *r, void *into)
{
	return take_json_path(r, &((struct ww_contract *)into)->id_path);
}

static int take_mcp_tool(struct reader *r, void *into)
{
	struct ww_contract *c = into;

	if (take_text(r, "a tool name", &c->mcp_tool) < 0)
		return r->err;
	return strlen(c->mcp_tool) < 128 ? 0 : fail(r, "a tool name of at most 127 bytes");
}

static int take_answer_path(struct reader *r, void *into)
{
	return take_json_path(r, into);
}

static int take_answer_paths(struct reader *r, void *into)
{
	struct ww_contract *c = into;

	return take_list(r, 1, WW_ANSWER_PATHS_MAX, (void **)&c->answer_paths,
			 &c->answer_path_count, sizeof(*c->answer_paths), take_answer_path);
}

static int take_deadline(struct reader *r, void *into)
{
	static const char expected[] = "a time such as 30s, 5m or 2h, at most 30d";
	struct ww_contract *c = into;
	uint64_t v, unit;
	struct ww_slice s;

	if (!is_text(r))
		return fail(r, expected);
	s = scalar(r);
	switch (s.p[s.n - 1]) {
	case 's':
		unit = 1;
		break;
	case 'm':
		unit = 60;
		break;
	case 'h':
		unit = 3600;
		break;
	case 'd':
		unit = 24 * 3600;
		break;
	default:
		return fail(r, expected);
	}
	if (ww_slice_u64(ww_slice_sub(s, 0, s.n - 1), &v) < 0 || v == 0 ||
	    v > DEADLINE_S_MAX / unit)
		return fail(r, expected);
	c->deadline_s = (uint32_t)(v * unit);
	return 0;
}

static int take_deferred(struct reader *r, void *into)
{
	return take_bool(r, &((struct ww_contract *)into)->deferred);
}

static const struct field contract_fields[] = {
	{"tool", take_tool, true},
	{"effect", take_effect, true},
	{"destinations", take_destinations, false},
	{"methods", take_methods, false},
	{"paths", take_paths, false},
	{"success", take_success, false},
	{"id_path", take_id_path, false},
	{"answer_paths", take_answer_paths, false},
	{"mcp_tool", take_mcp_tool, false},
	{"async_deadline", take_deadline, false},
	{"deferred", take_deferred, false},
};

static int check_contract(struct reader *r, const struct ww_contract *c, unsigned line)
{
	bool any = c->destination_count || c->method_count || c->path_count || c->status_min ||
		   c->rule_count || c->id_path || c->answer_path_count || c->mcp_tool ||
		   c->deadline_s || c->deferred;

	if (c->effect != WW_EFFECT_NETWORK)
		return any ? fail_at(r, line, "only tool and effect when effect is not network",
				     "more keys")
			   : 0;
	if (c->destination_count == 0)
		return fail_at(r, line, "destinations for a network effect", "none");
	if (c->method_count == 0)
		return fail_at(r, line, "methods for a network effect", "none");
	if (c->path_count == 0)
		return fail_at(r, line, "paths for a network effect", "none");
	return 0;
}

static int take_contract(struct reader *r, void *into)
{
	struct ww_contract *c = into;
	unsigned line = line_of(r);

	if (take_mapping(r, contract_fields, WW_ARRAY_SIZE(contract_fields), c) < 0 ||
	    check_contract(r, c, line) < 0)
		return r->err;
	if (c->status_min == 0) {
		c->status_min = STATUS_SUCCESS_MIN;
		c->status_max = STATUS_SUCCESS_MAX;
	}
	return 0;
}

static int take_version(struct reader *r, void *into)
{
	uint64_t v = 0;

	return take_number(r, 1, 1, "version 1", &v);
}

static int take_contracts(struct reader *r, void *into)
{
	struct ww_contracts *all = into;

	return take_list(r, 0, WW_CONTRACTS_MAX, (void **)&all->items, &all->count,
			 sizeof(*all->items), take_contract);
}

static int take_file(struct reader *r, struct ww_contracts *all)
{
	static const struct field fields[] = {
		{"version", take_version, true},
		{"contracts", take_contracts, true},
	};

	if (next(r) < 0 || next(r) < 0) /* stream start, document start */
		return r->err;
	if (r->ev.type != YAML_DOCUMENT_START_EVENT)
		return fail(r, "a mapping with version and contracts");
	if (next(r) < 0 || take_mapping(r, fields, WW_ARRAY_SIZE(fields), all) < 0 || next(r) < 0 ||
	    next(r) < 0) /* document end, stream end */
		return r->err;
	if (r->ev.type != YAML_STREAM_END_EVENT)
		return fail_at(r, line_of(r), "one document", "a second one");
	return 0;
}

int ww_contracts_parse(struct ww_slice yaml, struct ww_contracts **ret_contracts,
		       struct ww_contract_error *ret_error)
{
	WW_AUTO(ww_contracts_free_auto) struct ww_contracts *all = NULL;
	struct reader r = {.err = 0};

	if (yaml.n > WW_CONTRACT_FILE_BYTES) {
		fail_at(&r, 0, "a file of at most 1 MiB", "a larger one");
		*ret_error = r.error;
		return -EFBIG;
	}
	all = calloc(1, sizeof(*all));
	if (!all || !yaml_parser_initialize(&r.parser))
		return -ENOMEM;
	r.all = all;
	/* libyaml takes a byte order mark for a part of the first key where the encoding is set. */
	r.yaml = ww_slice_sub(yaml, ww_slice_starts(yaml, WW_SLICE_LIT("\xef\xbb\xbf")) ? 3 : 0,
			      SIZE_MAX);
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.parser, r.yaml.p ? r.yaml.p : (const uint8_t *)"",
				     r.yaml.n);
	(void)take_file(&r, all); /* r.err keeps the answer */
	yaml_event_delete(&r.ev);
	yaml_parser_delete(&r.parser);
	if (r.err < 0) {
		if (r.err == -EINVAL)
			*ret_error = r.error;
		return r.err;
	}
	ww_sha256(yaml, &all->digest);
	*ret_contracts = WW_TAKE(all);
	return 0;
}
