/* SPDX-License-Identifier: Apache-2.0 */
#include "criteria.h"

#include <errno.h>
#include <stdio.h>

#include "base/log.h"

#define DAY_NS (86400ull * 1000000000ull)

enum { OPT_DAY = 0x100, OPT_TRACE, OPT_AGENT, OPT_VERDICT, OPT_TOOL, OPT_ID };

static const struct argp_option argp_options[] = {
	{"since", 'S', "WHEN", 0, "the period begins after " WW_MOMENT_FORMS, 1},
	{"until", 'U', "WHEN", 0, "the period ends before that time, or with that ledger index", 1},
	{"from", 'F', "INDEX", 0, "the period begins with this ledger index", 1},
	{"to", 'T', "INDEX", 0, "the period ends with this ledger index", 1},
	{"day", OPT_DAY, "DATE", 0, "the period is this day of UTC, e.g. 2026-11-27", 1},
	{"trace", OPT_TRACE, "ID", 0, "only verdicts of this trace (32 hexadecimal digits)", 1},
	{"agent", OPT_AGENT, "NAME", 0,
	 "only verdicts of this agent: its name in the policy, its scope (name, path or id of the "
	 "cgroup), actor id or program",
	 1},
	{"verdict", OPT_VERDICT, "NAMES", 0, "only these verdicts, separated by commas", 1},
	{"tool", OPT_TOOL, "NAMES", 0, "only these tools; a name may end with '*'", 1},
	{"id", OPT_ID, "ID", 0, "this one record, by id or ledger index, and what it cites", 1},
	{"filter", 'f', "TERMS", 0, "only verdicts that fit, e.g. 'wire.status=5*'", 1},
	{0},
};

static void take_index(struct argp_state *state, const char *name, const char *arg, bool from,
		       struct ww_moment *m)
{
	uint64_t index;

	if (m->what != WW_MOMENT_NONE)
		argp_error(state, "--%s: the %s of the period is given twice", name,
			   from ? "begin" : "end");
	if (ww_slice_u64(ww_slice_str(arg), &index) < 0)
		argp_error(state, "--%s: expected a ledger index, got '%s'", name, arg);
	if (from && index == 0)
		m->what = WW_MOMENT_START;
	else
		*m = (struct ww_moment){.what = WW_MOMENT_CURSOR,
					.cursor = from ? index - 1 : index};
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct ww_criteria *c = state->input;

	switch (key) {
	case 'S':
		c->since = arg;
		return 0;
	case 'U':
		c->until = arg;
		return 0;
	case 'F':
		take_index(state, "from", arg, true, &c->query.since);
		c->ledger_index = true;
		return 0;
	case 'T':
		take_index(state, "to", arg, false, &c->query.until);
		c->ledger_index = true;
		return 0;
	case OPT_DAY:
		c->day = arg;
		return 0;
	case OPT_TRACE:
		c->trace = arg;
		return 0;
	case OPT_AGENT:
		c->agent = arg;
		return 0;
	case OPT_VERDICT:
		c->verdicts = arg;
		return 0;
	case OPT_TOOL:
		c->tool = arg;
		return 0;
	case OPT_ID:
		c->id = arg;
		return 0;
	case 'f':
		ww_records_filter_option(state, arg, &c->query.filter);
		c->filter = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp ww_criteria_argp = {argp_options, parse, NULL, NULL, NULL, NULL, NULL};

/* --- combining ----------------------------------------------------------------------------------
 */

static void take_moment(const struct ww_criteria *c, struct argp_state *state, const char *name,
			const char *text, struct ww_moment *m)
{
	struct ww_clock_map now = {.wall = c->now};

	if (!text)
		return;
	if (m->what != WW_MOMENT_NONE)
		argp_error(state, "--%s: the %s of the period is given twice", name,
			   name[0] == 's' ? "begin" : "end");
	if (now.wall.ns == 0)
		ww_clock_sample(&now);
	if (ww_moment_parse(text, now.wall, m) < 0)
		argp_error(state, "--%s: expected " WW_MOMENT_FORMS ", got '%s'", name, text);
}

/* A day of UTC: both ends of the period. */
static void take_day(struct ww_criteria *c, struct argp_state *state)
{
	struct ww_moment *from = &c->query.since, *to = &c->query.until;
	char text[64];
	struct ww_wall t;

	if (!c->day)
		return;
	if (from->what != WW_MOMENT_NONE || to->what != WW_MOMENT_NONE)
		argp_error(state, "--day is the whole period: no other begin or end");
	snprintf(text, sizeof(text), "%.32sT00:00:00Z", c->day);
	if (strlen(c->day) != 10 || ww_moment_parse(text, (struct ww_wall){0}, from) < 0 ||
	    from->what != WW_MOMENT_TIME || ww_moment_wall(from, &t) < 0)
		argp_error(state, "--day: expected a date such as 2026-11-27, got '%s'", c->day);
	to->what = WW_MOMENT_TIME;
	ww_wall_rfc3339((struct ww_wall){t.ns + DAY_NS}, to->time);
}

static void add_term(struct ww_criteria *c, struct argp_state *state, const char *key,
		     const char *values)
{
	struct ww_filter *f = &c->query.filter;
	char why[WW_FILTER_WHY_MAX];

	if (values && ww_filter_add(f, ww_slice_str(key), ww_slice_str(values), why) < 0)
		argp_error(state, "--%s: %s", key, why);
}

static bool is_hex(const char *s, size_t n)
{
	return strlen(s) == n && strspn(s, "0123456789abcdef") == n;
}

void ww_criteria_check(struct ww_criteria *c, struct argp_state *state)
{
	take_moment(c, state, "since", c->since, &c->query.since);
	take_moment(c, state, "until", c->until, &c->query.until);
	take_day(c, state);
	if (c->query.until.what == WW_MOMENT_START)
		argp_error(state, "--until start: the period would be empty");
	if (c->trace && !is_hex(c->trace, 32))
		argp_error(state, "--trace: expected 32 hexadecimal digits in lower case, got '%s'",
			   c->trace);
	add_term(c, state, "verdict", c->verdicts);
	add_term(c, state, "tool", c->tool);
	ww_records_filter_check(state, &c->query.filter, "verdict");
}

/* --- looking up ---------------------------------------------------------------------------------
 */

struct look {
	struct ww_criteria *c;
	int error;
};

static bool add_id(struct look *l, const struct ww_json_token *id)
{
	struct ww_criteria *c = l->c;

	if (!id->raw.p || id->raw.n >= sizeof(c->ids[0]))
		return true;
	if (c->id_count == c->id_cap) {
		size_t cap = c->id_cap ? 2 * c->id_cap : 64;
		void *more = realloc(c->ids, cap * sizeof(c->ids[0]));

		if (!more) {
			l->error = ww_log_err_r(-ENOMEM, "cannot select records");
			return false;
		}
		c->ids = more;
		c->id_cap = cap;
	}
	memcpy(c->ids[c->id_count], id->raw.p, id->raw.n);
	c->ids[c->id_count++][id->raw.n] = '\0';
	return true;
}

static bool of_trace(void *ctx, uint64_t index, struct ww_slice json)
{
	static const struct ww_slice paths[] = {WW_SLICE_LIT("id"), WW_SLICE_LIT("traceId")};
	struct look *l = ctx;
	struct ww_json_token v[2];

	ww_member_pick(json, paths, 2, v);
	if (!ww_member_has(&v[1]) || !ww_json_is(&v[1], l->c->trace))
		return true;
	return add_id(l, &v[0]);
}

/* The whole text, or what stands behind its last slash. */
static bool is_name(const struct ww_json_token *v, const char *name)
{
	size_t n = strlen(name);

	if (!ww_member_has(v) || v->escaped || v->raw.n < n)
		return false;
	if (!ww_slice_eq_str(ww_slice_sub(v->raw, v->raw.n - n, n), name))
		return false;
	return v->raw.n == n || v->raw.p[v->raw.n - n - 1] == '/';
}

static bool of_actor(void *ctx, uint64_t index, struct ww_slice json)
{
	static const struct ww_slice paths[] = {WW_SLICE_LIT("id"), WW_SLICE_LIT("exe")};
	struct look *l = ctx;
	struct ww_json_token v[2];

	ww_member_pick(json, paths, 2, v);
	return !is_name(&v[0], l->c->agent) && !is_name(&v[1], l->c->agent) ? true
									    : add_id(l, &v[0]);
}

static bool of_scope(void *ctx, uint64_t index, struct ww_slice json)
{
	static const struct ww_slice paths[] = {WW_SLICE_LIT("cgroup"), WW_SLICE_LIT("path")};
	struct look *l = ctx;
	struct ww_json_token v[2];

	ww_member_pick(json, paths, 2, v);
	return !is_name(&v[0], l->c->agent) && !is_name(&v[1], l->c->agent) ? true
									    : add_id(l, &v[0]);
}

/* The policy's name for it stands in paths and crossings alone; verdicts are of their process
 * trees. */
static bool of_policy(void *ctx, uint64_t index, struct ww_slice json)
{
	static const struct ww_slice paths[] = {WW_SLICE_LIT("agent"), WW_SLICE_LIT("root")};
	struct look *l = ctx;
	struct ww_json_token v[2];

	ww_member_pick(json, paths, 2, v);
	if (!ww_member_has(&v[0]) || !ww_json_is(&v[0], l->c->agent))
		return true;
	l->c->agent_in_policy = true;
	return add_id(l, &v[1]);
}

static int look(struct look *l, struct ww_records *records, const char *kind, ww_records_fn fn)
{
	const struct ww_records_query q = {.kind = kind};
	int r = ww_records_each(records, &q, fn, l);

	return r < 0 ? r : l->error;
}

static int look_up_root(struct ww_criteria *c, struct ww_records *records)
{
	struct ww_slice id = ww_slice_str(c->id);
	int r = 0;

	if (ww_slice_u64(id, &c->root) < 0)
		r = ww_record_index_find(records->index, id, &c->root);
	else if (c->root >= ww_records_size(records))
		r = -ENOENT;
	if (r == -ENOTUNIQ)
		ww_log(WW_LOG_ERR, "several records have an id that begins with '%s'", c->id);
	else if (r == -ENOENT)
		ww_log(WW_LOG_ERR, "no record has the id or index '%s'", c->id);
	else if (r < 0)
		ww_log_err_r(r, "cannot read the index");
	c->has_root = r == 0;
	return r == -ENOTUNIQ || r == -ENOENT ? -ENODATA : r;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

int ww_criteria_resolve(struct ww_criteria *c, struct ww_records *records)
{
	struct look l = {.c = c};
	int r = c->id ? look_up_root(c, records) : 0;

	if (r == 0 && c->agent)
		r = look(&l, records, "actor", of_actor);
	if (r == 0 && c->agent)
		r = look(&l, records, "coverage", of_scope);
	if (r == 0 && c->agent)
		r = look(&l, records, "path", of_policy);
	if (r == 0 && c->agent)
		r = look(&l, records, "crossing", of_policy);
	if (r == 0 && c->agent && c->id_count == 0 && !c->agent_in_policy) {
		ww_log(WW_LOG_ERR, "no agent of a path, scope, actor or program is called '%s'",
		       c->agent);
		return -ENODATA;
	}
	if (r == 0 && c->trace)
		r = look(&l, records, "span", of_trace);
	if (r == 0 && c->trace)
		r = look(&l, records, "exchange", of_trace);
	if (c->id_count)
		qsort(c->ids, c->id_count, sizeof(c->ids[0]), by_text);
	return r;
}

void ww_criteria_done(struct ww_criteria *c)
{
	free(c->ids);
	c->ids = NULL;
	c->id_count = c->id_cap = 0;
}

/* --- asking -------------------------------------------------------------------------------------
 */

static bool is_found(const struct ww_criteria *c, const struct ww_json_token *id)
{
	char text[sizeof(c->ids[0])];

	if (!ww_member_has(id) || id->raw.n >= sizeof(text) || c->id_count == 0)
		return false;
	memcpy(text, id->raw.p, id->raw.n);
	text[id->raw.n] = '\0';
	return bsearch(text, c->ids, c->id_count, sizeof(c->ids[0]), by_text) != NULL;
}

static bool is_agent(const struct ww_criteria *c, struct ww_slice verdict)
{
	static const struct ww_slice paths[] = {WW_SLICE_LIT("actor"), WW_SLICE_LIT("root"),
						WW_SLICE_LIT("cgroup"), WW_SLICE_LIT("agent")};
	struct ww_json_token v[4];

	ww_member_pick(verdict, paths, 4, v);
	if (c->agent_in_policy && ww_member_has(&v[3]) && v[3].type == WW_JSON_STRING)
		return ww_json_is(&v[3], c->agent);
	return is_found(c, &v[0]) || is_found(c, &v[1]) || is_found(c, &v[2]);
}

/* Its tool span is of the trace, one of its requests, or one of the records that it rests on. */
static bool is_trace(const struct ww_criteria *c, struct ww_slice verdict)
{
	struct ww_member_walk w;
	struct ww_member m;

	ww_member_begin(&w, verdict);
	while (ww_member_next(&w, &m)) {
		if ((ww_slice_eq_str(m.path, "span.traceId") ||
		     ww_slice_eq_str(m.path, "traceIds")) &&
		    ww_json_is(&m.value, c->trace))
			return true;
		if (ww_slice_eq_str(m.path, "refs") && is_found(c, &m.value))
			return true;
	}
	return false;
}

bool ww_criteria_match(const struct ww_criteria *c, uint64_t index, struct ww_slice verdict)
{
	return (!c->has_root || index == c->root) && ww_filter_match(&c->query.filter, verdict) &&
	       (!c->agent || is_agent(c, verdict)) && (!c->trace || is_trace(c, verdict));
}

void ww_criteria_write(const struct ww_criteria *c, struct ww_jsonw *w)
{
	const struct {
		const char *key, *text;
	} given[] = {{"day", c->day},          {"trace", c->trace}, {"agent", c->agent},
		     {"verdict", c->verdicts}, {"tool", c->tool},   {"id", c->id},
		     {"filter", c->filter}};

	/* The words of whoever asked: they are no statement of the report. */
	ww_jsonw_object(w, "quoted");
	for (size_t i = 0; i < WW_ARRAY_SIZE(given); i++)
		if (given[i].text)
			ww_jsonw_cstr(w, given[i].key, given[i].text);
	ww_jsonw_end_object(w);
}
