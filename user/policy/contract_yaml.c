/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/contract.h"

#include "base/json.h"
#include "policy/attester_yaml.h"
#include "policy/yaml_reader.h"

#include <errno.h>

#define STATUS_SUCCESS_MIN 200
#define STATUS_SUCCESS_MAX 299
#define SPAN_S_MAX         (30u * 24 * 3600) /* of deadlines and ages */
#define USES_MAX           1000000u

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

static int take_destination_name(struct ww_yaml *r, void *into)
{
	struct ww_destination *d = into;

	if (ww_yaml_text(r, "a host name or *.suffix", &d->name) < 0)
		return r->err;
	for (char *p = d->name; *p; p++) {
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p + ('a' - 'A'));
	}
	return host_like(d->name) ? 0 : ww_yaml_fail(r, "a host name or *.suffix, without a port");
}

static int take_server(struct ww_yaml *r, void *into)
{
	struct ww_destination *d = into;

	if (ww_yaml_text(r, "the path of a program, or *", &d->program) < 0)
		return r->err;
	return d->program[0] == '/' || strcmp(d->program, "*") == 0
		       ? 0
		       : ww_yaml_fail(r, "the whole path of a program, or *");
}

static int take_cidr(struct ww_yaml *r, void *into)
{
	if (!ww_yaml_is_text(r) || ww_cidr_parse(ww_yaml_scalar(r), into) < 0)
		return ww_yaml_fail(
			r, "a network such as 10.1.0.0/16 or 2001:db8::/32, host bits zero");
	return 0;
}

static int take_cidrs(struct ww_yaml *r, void *into)
{
	struct ww_destination *d = into;

	return ww_yaml_list(r, 1, WW_CONTRACT_ITEMS_MAX, (void **)&d->cidrs, &d->cidr_count,
			    sizeof(*d->cidrs), take_cidr);
}

static int take_port(struct ww_yaml *r, void *into)
{
	struct ww_destination *d = into;
	uint64_t v = 0;

	if (ww_yaml_number(r, 1, 65535, "a port, 1 to 65535", &v) < 0)
		return r->err;
	d->port = (uint16_t)v;
	return 0;
}

static int take_flag(struct ww_yaml *r, void *into)
{
	return ww_yaml_bool(r, into);
}

static int take_destination(struct ww_yaml *r, void *into)
{
	static const struct ww_yaml_field fields[] = {
		{"name", take_destination_name, false, 0},
		{"program", take_server, false, 0},
		{"cidr", take_cidrs, false, 0},
		{"port", take_port, false, 0},
		{"allow_loopback", take_flag, false,
		 offsetof(struct ww_destination, allow_loopback)},
	};
	struct ww_destination *d = into;
	unsigned line = d->line = ww_yaml_line(r);

	if (ww_yaml_mapping(r, fields, WW_ARRAY_SIZE(fields), d) < 0)
		return r->err;
	if (d->program && (d->name || d->cidr_count || d->port || d->allow_loopback))
		return ww_yaml_fail_at(r, line, "program alone", "more keys");
	if (!d->program && !d->name && d->cidr_count == 0)
		return ww_yaml_fail_at(r, line, "name, cidr or program",
				       "a destination with none of them");
	for (unsigned i = 0; i < d->cidr_count; i++) {
		if (!d->allow_loopback && ww_cidr_loopback(&d->cidrs[i]))
			return ww_yaml_fail_at(r, line,
					       "allow_loopback: true with a loopback network",
					       "none: it could never match");
	}
	return 0;
}

static int take_destinations(struct ww_yaml *r, void *into)
{
	struct ww_pattern *p = into;

	return ww_yaml_list(r, 1, WW_CONTRACT_ITEMS_MAX, (void **)&p->destinations,
			    &p->destination_count, sizeof(*p->destinations), take_destination);
}

/* --- requests -----------------------------------------------------------------------------------
 */

static int take_method(struct ww_yaml *r, void *into)
{
	char **text = into;

	if (ww_yaml_text(r, "a method such as POST", text) < 0)
		return r->err;
	for (const char *p = *text; *p; p++) {
		if (!(*p >= 'A' && *p <= 'Z') && *p != '-')
			return ww_yaml_fail(r, "a method in capitals such as POST");
	}
	return strlen(*text) < 24 ? 0 : ww_yaml_fail(r, "a method of at most 23 letters");
}

static int take_methods(struct ww_yaml *r, void *into)
{
	struct ww_pattern *p = into;

	return ww_yaml_list(r, 1, WW_CONTRACT_ITEMS_MAX, (void **)&p->methods, &p->method_count,
			    sizeof(*p->methods), take_method);
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

static int take_path(struct ww_yaml *r, void *into)
{
	if (ww_yaml_text(r, "a path template", into) < 0)
		return r->err;
	if (!template_good(ww_yaml_scalar(r)))
		return ww_yaml_fail(r, "a path template such as /v1/refunds/{id} or /v1/**");
	return 0;
}

static int take_paths(struct ww_yaml *r, void *into)
{
	struct ww_pattern *p = into;

	return ww_yaml_list(r, 1, WW_CONTRACT_ITEMS_MAX, (void **)&p->paths, &p->path_count,
			    sizeof(*p->paths), take_path);
}

/* --- success ------------------------------------------------------------------------------------
 */

static int take_json_path(struct ww_yaml *r, void *into)
{
	char **ret_text = into;

	if (ww_yaml_text(r, "a path such as $.data.id", ret_text) < 0)
		return r->err;
	if (ww_json_path_check(*ret_text) < 0)
		return ww_yaml_fail(r, "a path such as $.data.id or $.items[0]");
	return 0;
}

static int take_rule_equals(struct ww_yaml *r, void *into)
{
	return ww_yaml_text(r, "a value", &((struct ww_body_rule *)into)->equals);
}

static int take_rule(struct ww_yaml *r, void *into)
{
	static const struct ww_yaml_field fields[] = {
		{"path", take_json_path, true, offsetof(struct ww_body_rule, path)},
		{"exists", take_flag, false, offsetof(struct ww_body_rule, exists)},
		{"equals", take_rule_equals, false, 0},
	};
	struct ww_body_rule *b = into;
	unsigned line = ww_yaml_line(r);

	b->exists = true;
	if (ww_yaml_mapping(r, fields, WW_ARRAY_SIZE(fields), b) < 0)
		return r->err;
	if (b->equals && !b->exists)
		return ww_yaml_fail_at(r, line, "exists: false or equals", "both");
	return 0;
}

static bool status_number(struct ww_slice s, uint64_t *ret_value)
{
	return s.n == 3 && ww_slice_u64(s, ret_value) == 0 && *ret_value >= 100 &&
	       *ret_value <= 599;
}

static int take_status(struct ww_yaml *r, void *into)
{
	struct ww_success *k = into;
	uint64_t min = 0, max = 0;
	struct ww_slice s;

	if (!ww_yaml_is_text(r))
		return ww_yaml_fail(r, "a status: 2xx, 200-299 or 201");
	s = ww_yaml_scalar(r);
	if (s.n == 3 && s.p[1] == 'x' && s.p[2] == 'x' && s.p[0] >= '1' && s.p[0] <= '5') {
		min = (uint64_t)(s.p[0] - '0') * 100;
		max = min + 99;
	} else if (s.n == 7 && s.p[3] == '-') {
		if (!status_number(ww_slice_sub(s, 0, 3), &min) ||
		    !status_number(ww_slice_sub(s, 4, 3), &max) || min > max)
			return ww_yaml_fail(r, "a status range such as 200-299");
	} else if (status_number(s, &min)) {
		max = min;
	} else {
		return ww_yaml_fail(r, "a status: 2xx, 200-299 or 201");
	}
	k->status_min = (uint16_t)min;
	k->status_max = (uint16_t)max;
	return 0;
}

static int take_rules(struct ww_yaml *r, void *into)
{
	struct ww_success *k = into;

	return ww_yaml_list(r, 1, WW_CONTRACT_ITEMS_MAX, (void **)&k->rules, &k->rule_count,
			    sizeof(*k->rules), take_rule);
}

static int take_success(struct ww_yaml *r, void *into)
{
	static const struct ww_yaml_field fields[] = {
		{"status", take_status, false, 0},
		{"body", take_rules, false, 0},
	};

	((struct ww_success *)into)->line = ww_yaml_line(r);
	return ww_yaml_mapping(r, fields, WW_ARRAY_SIZE(fields), into);
}

static void set_default(struct ww_success *k)
{
	if (k->status_min)
		return;
	k->status_min = STATUS_SUCCESS_MIN;
	k->status_max = STATUS_SUCCESS_MAX;
}

/* --- read-back and bulk -------------------------------------------------------------------------
 */

/* Exactly one segment is the created id, and nothing is left open. */
static bool names_id(const char *template)
{
	struct ww_slice s = ww_slice_str(template);
	unsigned ids = 0;

	for (size_t at = 0; at < s.n;) {
		size_t end = ww_slice_find(s, at + 1, '/');
		struct ww_slice seg = ww_slice_sub(s, at + 1, end - at - 1);

		ids += ww_slice_eq_str(seg, "{id}");
		if (ww_slice_eq_str(seg, "**"))
			return false;
		at = end;
	}
	return ids == 1;
}

static int take_readback_path(struct ww_yaml *r, void *into)
{
	char **text = into;

	if (take_path(r, text) < 0)
		return r->err;
	return names_id(*text) ? 0 : ww_yaml_fail(r, "a path template with one segment {id}");
}

static int take_readback(struct ww_yaml *r, void *into)
{
	static const struct ww_yaml_field fields[] = {
		{"method", take_method, false, offsetof(struct ww_readback, method)},
		{"path", take_readback_path, true, offsetof(struct ww_readback, path)},
		{"id_path", take_json_path, true, offsetof(struct ww_readback, id_path)},
		{"status", take_status, false, offsetof(struct ww_readback, success)},
		{"body", take_rules, false, offsetof(struct ww_readback, success)},
	};
	struct ww_readback *b = into;

	b->line = ww_yaml_line(r);
	if (ww_yaml_mapping(r, fields, WW_ARRAY_SIZE(fields), b) < 0)
		return r->err;
	set_default(&b->success);
	if (!b->method && !(b->method = strdup("GET")))
		r->err = -ENOMEM;
	return r->err;
}

static int take_bulk(struct ww_yaml *r, void *into)
{
	static const struct ww_yaml_field fields[] = {
		{"items", take_json_path, true, offsetof(struct ww_bulk, items)},
		{"status_path", take_json_path, false, offsetof(struct ww_bulk, status_path)},
		{"status", take_status, false, offsetof(struct ww_bulk, item)},
		{"body", take_rules, false, offsetof(struct ww_bulk, item)},
	};
	struct ww_bulk *b = into;

	b->line = ww_yaml_line(r);
	if (ww_yaml_mapping(r, fields, WW_ARRAY_SIZE(fields), b) < 0)
		return r->err;
	if (!b->status_path && b->item.status_min)
		return ww_yaml_fail_at(r, b->line, "status_path beside status", "none");
	if (!b->status_path && b->item.rule_count == 0)
		return ww_yaml_fail_at(r, b->line, "status_path or body: what an item's success is",
				       "neither");
	set_default(&b->item);
	return 0;
}

/* --- controls -----------------------------------------------------------------------------------
 */

static int take_name(struct ww_yaml *r, void *into)
{
	return ww_yaml_text(r, "a name", into);
}

static int take_subject(struct ww_yaml *r, void *into)
{
	struct ww_control *k = into;
	unsigned line = ww_yaml_line(r);

	if (ww_yaml_list(r, 1, 2, (void **)&k->subject, &k->subject_count, sizeof(*k->subject),
			 take_json_path) < 0)
		return r->err;
	return k->subject_count == 2
		       ? 0
		       : ww_yaml_fail_at(r, line,
					 "two paths: in the control's request, in the action's",
					 "one");
}

static int take_age(struct ww_yaml *r, void *into)
{
	uint64_t v = 0;

	if (ww_yaml_number(r, 1, SPAN_S_MAX, "a number of seconds, at most 2592000", &v) < 0)
		return r->err;
	((struct ww_control *)into)->max_age_s = (uint32_t)v;
	return 0;
}

static int take_uses(struct ww_yaml *r, void *into)
{
	uint64_t v = 0;

	if (ww_yaml_number(r, 1, USES_MAX, "a number of actions, 1 to 1000000", &v) < 0)
		return r->err;
	((struct ww_control *)into)->max_uses = (uint32_t)v;
	return 0;
}

static int take_same(struct ww_yaml *r, void *into)
{
#define SAME_ROW_(n, v, t, d) {WW_CONTROL_SAME_##n, t},
	static const struct {
		enum ww_control_same same;
		const char *text;
	} rows[] = {WW_CONTROL_SAMES(SAME_ROW_)};

	for (unsigned i = 0; ww_yaml_is_text(r) && i < WW_ARRAY_SIZE(rows); i++) {
		if (ww_slice_eq_str(ww_yaml_scalar(r), rows[i].text)) {
			((struct ww_control *)into)->same = rows[i].same;
			return 0;
		}
	}
	return ww_yaml_fail(r, "what control and action share: trace or actor");
}

/* There is no other order; who writes it down says what is meant. */
static int take_order(struct ww_yaml *r, void *into)
{
	return ww_yaml_is_text(r) && ww_slice_eq_str(ww_yaml_scalar(r), "before")
		       ? 0
		       : ww_yaml_fail(r, "the order before");
}

static int take_control(struct ww_yaml *r, void *into)
{
	static const struct ww_yaml_field fields[] = {
		{"name", take_name, true, offsetof(struct ww_control, name)},
		{"destinations", take_destinations, true, offsetof(struct ww_control, call)},
		{"methods", take_methods, true, offsetof(struct ww_control, call)},
		{"paths", take_paths, true, offsetof(struct ww_control, call)},
		{"allow", take_success, false, offsetof(struct ww_control, allow)},
		{"subject", take_subject, false, 0},
		{"max_age_s", take_age, false, 0},
		{"max_uses", take_uses, false, 0},
		{"same", take_same, false, 0},
		{"order", take_order, false, 0},
	};
	struct ww_control *k = into;

	k->line = ww_yaml_line(r);
	k->same = WW_CONTROL_SAME_ACTOR;
	if (ww_yaml_mapping(r, fields, WW_ARRAY_SIZE(fields), k) < 0)
		return r->err;
	if (ww_pattern_programs(&k->call))
		return ww_yaml_fail_at(r, k->line, "destinations by name or cidr", "a program");
	set_default(&k->allow);
	return 0;
}

static int take_controls(struct ww_yaml *r, void *into)
{
	struct ww_contract *c = into;

	if (ww_yaml_list(r, 1, WW_CONTROLS_MAX, (void **)&c->controls, &c->control_count,
			 sizeof(*c->controls), take_control) < 0)
		return r->err;
	for (unsigned i = 1; i < c->control_count; i++) {
		for (unsigned k = 0; k < i; k++) {
			if (strcmp(c->controls[i].name, c->controls[k].name) == 0)
				return ww_yaml_fail_at(r, c->controls[i].line,
						       "a control that the contract has not yet",
						       "its name again");
		}
	}
	return 0;
}

/* --- effects on this host -----------------------------------------------------------------------
 */

static int take_program(struct ww_yaml *r, void *into)
{
	const char *expected = ww_local_program_template(ww_yaml_scalar(r));

	return expected ? ww_yaml_fail(r, expected) : ww_yaml_text(r, "a program", into);
}

static int take_programs(struct ww_yaml *r, void *into)
{
	struct ww_local *l = into;

	return ww_yaml_list(r, 1, WW_CONTRACT_ITEMS_MAX, (void **)&l->programs, &l->program_count,
			    sizeof(*l->programs), take_program);
}

/* "0", "0-1" */
static int take_exit(struct ww_yaml *r, void *into)
{
	static const char expected[] = "an exit status or a range, 0 or 0-1, at most 255";
	struct ww_local *l = into;
	uint64_t min = 0, max = 0;
	struct ww_slice s;
	size_t dash;

	if (!ww_yaml_is_text(r))
		return ww_yaml_fail(r, expected);
	s = ww_yaml_scalar(r);
	dash = ww_slice_find(s, 0, '-');
	if (ww_slice_u64(ww_slice_sub(s, 0, dash), &min) < 0)
		return ww_yaml_fail(r, expected);
	max = min;
	if (dash < s.n && ww_slice_u64(ww_slice_sub(s, dash + 1, s.n), &max) < 0)
		return ww_yaml_fail(r, expected);
	if (max > UINT8_MAX || min > max)
		return ww_yaml_fail(r, expected);
	l->exit_given = true;
	l->exit_min = (uint8_t)min;
	l->exit_max = (uint8_t)max;
	return 0;
}

static int take_file(struct ww_yaml *r, void *into)
{
	const char *expected = ww_local_file_template(ww_yaml_scalar(r));

	return expected ? ww_yaml_fail(r, expected) : ww_yaml_text(r, "a path", into);
}

static int take_files(struct ww_yaml *r, void *into)
{
	struct ww_local *l = into;

	if (ww_yaml_list(r, 1, WW_CONTRACT_ITEMS_MAX, (void **)&l->files, &l->file_count,
			 sizeof(*l->files), take_file) < 0)
		return r->err;
	if (!l->changes)
		l->changes = WW_FILE_WRITTEN;
	return 0;
}

static int take_change(struct ww_yaml *r, void *into)
{
#define CHANGE_ROW_(n, v, t, d) {WW_FILE_##n, t},
	static const struct {
		uint32_t change;
		const char *text;
	} rows[] = {WW_FILE_EFFECTS(CHANGE_ROW_)};

	for (unsigned i = 0; ww_yaml_is_text(r) && i < WW_ARRAY_SIZE(rows); i++) {
		if (ww_slice_eq_str(ww_yaml_scalar(r), rows[i].text)) {
			*(uint32_t *)into = rows[i].change;
			return 0;
		}
	}
	return ww_yaml_fail(r, "a change: written, renamed or removed");
}

static int take_changes(struct ww_yaml *r, void *into)
{
	WW_AUTO_FREE uint32_t *list = NULL;
	struct ww_local *l = into;
	unsigned count = 0;

	if (ww_yaml_list(r, 1, 3, (void **)&list, &count, sizeof(*list), take_change) < 0)
		return r->err;
	l->changes = 0;
	for (unsigned i = 0; i < count; i++)
		l->changes |= list[i];
	return 0;
}

/* --- contracts ----------------------------------------------------------------------------------
 */

static int take_tool(struct ww_yaml *r, void *into)
{
	char **name = into;

	if (ww_yaml_text(r, "a tool name", name) < 0)
		return r->err;
	return strlen(*name) < 128 ? 0 : ww_yaml_fail(r, "a tool name of at most 127 bytes");
}

static int take_effect(struct ww_yaml *r, void *into)
{
#define EFFECT_ROW_(n, v, t, d) {WW_EFFECT_##n, t},
	static const struct {
		enum ww_effect effect;
		const char *text;
	} rows[] = {WW_EFFECTS(EFFECT_ROW_)};

	for (unsigned i = 0; ww_yaml_is_text(r) && i < WW_ARRAY_SIZE(rows); i++) {
		if (ww_slice_eq_str(ww_yaml_scalar(r), rows[i].text)) {
			((struct ww_contract *)into)->effect = rows[i].effect;
			return 0;
		}
	}
	return ww_yaml_fail(r, "an effect: network, read, local, process, file, none or remote");
}

static int take_answer_paths(struct ww_yaml *r, void *into)
{
	struct ww_contract *c = into;

	return ww_yaml_list(r, 1, WW_ANSWER_PATHS_MAX, (void **)&c->answer_paths,
			    &c->answer_path_count, sizeof(*c->answer_paths), take_json_path);
}

static int take_deadline(struct ww_yaml *r, void *into)
{
	static const char expected[] = "a time such as 30s, 5m or 2h, at most 30d";
	struct ww_contract *c = into;
	uint64_t v, unit;
	struct ww_slice s;

	if (!ww_yaml_is_text(r))
		return ww_yaml_fail(r, expected);
	s = ww_yaml_scalar(r);
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
		return ww_yaml_fail(r, expected);
	}
	if (ww_slice_u64(ww_slice_sub(s, 0, s.n - 1), &v) < 0 || v == 0 || v > SPAN_S_MAX / unit)
		return ww_yaml_fail(r, expected);
	c->deadline_s = (uint32_t)(v * unit);
	return 0;
}

static int take_topic(struct ww_yaml *r, void *into)
{
	return ww_yaml_text(r, "a topic of the phrase rules", into);
}

static int take_topics(struct ww_yaml *r, void *into)
{
	struct ww_contract *c = into;

	c->topics_given = true;
	return ww_yaml_list(r, 0, WW_CONTRACT_ITEMS_MAX, (void **)&c->topics, &c->topic_count,
			    sizeof(*c->topics), take_topic);
}

/* --- attesters ----------------------------------------------------------------------------------
 */

static int take_attesters(struct ww_yaml *r, void *into)
{
	struct ww_contract *c = into;

	return ww_attesters_take(r, "an attester that the contract has not yet", &c->attesters,
				 &c->attester_count);
}

static const struct ww_yaml_field contract_fields[] = {
	{"tool", take_tool, true, offsetof(struct ww_contract, tool)},
	{"effect", take_effect, true, 0},
	{"destinations", take_destinations, false, offsetof(struct ww_contract, call)},
	{"methods", take_methods, false, offsetof(struct ww_contract, call)},
	{"paths", take_paths, false, offsetof(struct ww_contract, call)},
	{"success", take_success, false, offsetof(struct ww_contract, success)},
	{"id_path", take_json_path, false, offsetof(struct ww_contract, id_path)},
	{"answer_paths", take_answer_paths, false, 0},
	{"mcp_tool", take_tool, false, offsetof(struct ww_contract, mcp_tool)},
	{"readback", take_readback, false, offsetof(struct ww_contract, readback)},
	{"bulk", take_bulk, false, offsetof(struct ww_contract, bulk)},
	{"async_deadline", take_deadline, false, 0},
	{"deferred", take_flag, false, offsetof(struct ww_contract, deferred)},
	{"controls", take_controls, false, 0},
	{"topics", take_topics, false, 0},
	{"programs", take_programs, false, offsetof(struct ww_contract, local)},
	{"exit", take_exit, false, offsetof(struct ww_contract, local)},
	{"files", take_files, false, offsetof(struct ww_contract, local)},
	{"changes", take_changes, false, offsetof(struct ww_contract, local)},
	{"attesters", take_attesters, false, 0},
};

/* What says how a change shows. */
static bool any_of_change(const struct ww_contract *c)
{
	return c->readback.path || c->bulk.items || c->deadline_s || c->deferred;
}

static bool any_of_network(const struct ww_contract *c)
{
	return c->call.destination_count || c->call.method_count || c->call.path_count ||
	       c->success.line || c->id_path || c->answer_path_count || c->mcp_tool ||
	       c->control_count || c->topics_given || any_of_change(c);
}

static int check_local(struct ww_yaml *r, const struct ww_contract *c)
{
	const struct ww_local *l = &c->local;

	if ((l->program_count || l->exit_given) && c->effect != WW_EFFECT_PROCESS)
		return ww_yaml_fail_at(r, c->line, "programs and exit only when effect is process",
				       "them");
	if ((l->file_count || l->changes) && c->effect != WW_EFFECT_FILE)
		return ww_yaml_fail_at(r, c->line, "files and changes only when effect is file",
				       "them");
	if (l->exit_given && !l->program_count)
		return ww_yaml_fail_at(r, c->line, "programs beside exit", "none");
	if (l->changes && !l->file_count)
		return ww_yaml_fail_at(r, c->line, "files beside changes", "none");
	return 0;
}

/* How a request looks matters where it goes over the network. */
static int check_request(struct ww_yaml *r, const struct ww_contract *c)
{
	unsigned programs = 0;

	for (unsigned i = 0; i < c->call.destination_count; i++)
		programs += c->call.destinations[i].program != NULL;
	if (programs && !c->mcp_tool)
		return ww_yaml_fail_at(r, c->line, "mcp_tool beside a destination program", "none");
	if (programs == c->call.destination_count)
		return c->call.method_count || c->call.path_count
			       ? ww_yaml_fail_at(r, c->line,
						 "no methods and paths with programs alone", "some")
			       : 0;
	if (c->call.method_count == 0)
		return ww_yaml_fail_at(r, c->line, "methods for a network effect", "none");
	if (c->call.path_count == 0)
		return ww_yaml_fail_at(r, c->line, "paths for a network effect", "none");
	return 0;
}

static int check_contract(struct ww_yaml *r, const struct ww_contract *c)
{
	if (check_local(r, c) < 0)
		return r->err;
	if (!ww_contract_networked(c))
		return any_of_network(c)
			       ? ww_yaml_fail_at(
					 r, c->line,
					 "no keys of a request when effect is not network or read",
					 "some")
			       : 0;
	if (c->call.destination_count == 0)
		return ww_yaml_fail_at(r, c->line, "destinations for a network effect", "none");
	if (check_request(r, c) < 0)
		return r->err;
	if (c->effect == WW_EFFECT_READ && any_of_change(c))
		return ww_yaml_fail_at(
			r, c->line,
			"no readback, bulk, async_deadline or deferred when effect is read", "one");
	if (c->readback.path && !c->id_path)
		return ww_yaml_fail_at(r, c->readback.line, "id_path beside readback", "none");
	return 0;
}

static int take_contract(struct ww_yaml *r, void *into)
{
	struct ww_contract *c = into;

	c->line = ww_yaml_line(r);
	if (ww_yaml_mapping(r, contract_fields, WW_ARRAY_SIZE(contract_fields), c) < 0 ||
	    check_contract(r, c) < 0)
		return r->err;
	set_default(&c->success);
	return 0;
}

static int take_version(struct ww_yaml *r, void *into)
{
	uint64_t v = 0;

	return ww_yaml_number(r, 1, 1, "version 1", &v);
}

static int take_contracts(struct ww_yaml *r, void *into)
{
	struct ww_contracts *all = into;

	if (ww_yaml_list(r, 0, WW_CONTRACTS_MAX, (void **)&all->items, &all->count,
			 sizeof(*all->items), take_contract) < 0)
		return r->err;
	for (unsigned i = 1; i < all->count; i++) {
		const struct ww_contract *c = &all->items[i];
		char found[64];

		if (ww_contracts_find(all, c->tool) == c)
			continue;
		snprintf(found, sizeof(found), "\"%.40s\"", c->tool);
		return ww_yaml_fail_at(r, c->line, "a tool that has no contract yet", found);
	}
	return 0;
}

/* The calls of controls are looked for as those of tools are. Their parts stay the control's. */
static int add_controls(struct ww_contracts *all)
{
	struct ww_contract *items;
	unsigned n = all->count;

	for (unsigned i = 0; i < all->count; i++)
		n += all->items[i].control_count;
	all->all = all->count;
	if (n == all->count)
		return 0;
	if (n > WW_CONTRACTS_MAX)
		return -E2BIG;
	items = reallocarray(all->items, n, sizeof(*items));
	if (!items)
		return -ENOMEM;
	all->items = items;
	for (unsigned i = 0; i < all->count; i++) {
		for (unsigned k = 0; k < items[i].control_count; k++) {
			struct ww_control *control = &items[i].controls[k];

			control->index = all->all;
			items[all->all++] = (struct ww_contract){
				.line = control->line,
				.of = control,
				.effect = WW_EFFECT_READ,
				.call = control->call,
				.success = control->allow,
			};
		}
	}
	return 0;
}

int ww_contracts_parse(struct ww_slice yaml, struct ww_contracts **ret_contracts,
		       struct ww_contract_error *ret_error)
{
	static const struct ww_yaml_field fields[] = {
		{"version", take_version, true, 0},
		{"contracts", take_contracts, true, 0},
	};
	WW_AUTO(ww_contracts_free_auto) struct ww_contracts *all = NULL;
	struct ww_yaml r;

	if (yaml.n > WW_CONTRACT_FILE_BYTES) {
		*ret_error = (struct ww_contract_error){
			.text = "expected a file of at most 1 MiB, found a larger one"};
		return -EFBIG;
	}
	all = calloc(1, sizeof(*all));
	if (!all)
		return -ENOMEM;
	ww_yaml_open(&r, yaml);
	(void)ww_yaml_document(&r, fields, WW_ARRAY_SIZE(fields),
			       "a mapping with version and contracts", all);
	ww_yaml_close(&r); /* r.err keeps the answer */
	if (r.err < 0) {
		if (r.err == -EINVAL) {
			ret_error->line = r.error_line;
			memcpy(ret_error->text, r.error_text, sizeof(ret_error->text));
		}
		return r.err;
	}
	switch (add_controls(all)) {
	case 0:
		break;
	case -E2BIG:
		*ret_error = (struct ww_contract_error){
			.text = "expected at most 256 tools and controls together, found more"};
		return -EINVAL;
	default:
		return -ENOMEM;
	}
	ww_sha256(yaml, &all->digest);
	*ret_contracts = WW_TAKE(all);
	return 0;
}
