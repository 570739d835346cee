/* SPDX-License-Identifier: Apache-2.0 */
#include "learn.h"

#include <errno.h>
#include <stdio.h>

#include "base/encode.h"
#include "base/hash.h"
#include "base/log.h"
#include "out/member.h"

#define SPANS_MAX     65536u /* parents that are followed */
#define TOOL_MAX      16384u
#define GROUPS_MAX    32u
#define PEERS_MAX     16u
#define STATUSES_MAX  16u
#define EVIDENCE_MAX  4u
#define ANCESTORS_MAX 64u

struct span {
	char id[17]; /* 16 hex digits */
	char parent[17];
	bool tool;
	UT_hash_handle hh;
};

struct tool_span {
	char root[48];
	char from[WW_RFC3339_MAX], to[WW_RFC3339_MAX];
};

struct model_call {
	char exchange[48];
	UT_hash_handle hh;
};

/* Calls that are alike: one destination, method and path. */
struct group {
	char name[256]; /* empty: none was said */
	char method[24];
	char path[256];
	unsigned peer_count;
	char peers[PEERS_MAX][64]; /* addresses without ports */
	unsigned port;             /* 0: several */
	unsigned status_count;
	struct {
		unsigned status; /* 0: no answer */
		unsigned calls;
	} statuses[STATUSES_MAX];
	unsigned traced, timed; /* by trace, by time alone */
	unsigned evidence_count;
	char evidence[EVIDENCE_MAX][48];
	bool over; /* more peers or statuses than are kept */
};

struct learn {
	const struct ww_learn_query *q;
	struct span *spans;
	struct model_call *models;
	size_t span_count, tool_count, tool_cap;
	struct tool_span *tools;
	unsigned group_count;
	struct group groups[GROUPS_MAX];
	unsigned left_out; /* calls */
	int error;
};

static void copy(const struct ww_json_token *v, char *out, size_t cap)
{
	size_t n = ww_member_has(v) && v->raw.n < cap ? v->raw.n : 0;

	if (n)
		memcpy(out, v->raw.p, n);
	out[n] = '\0';
}

/* --- spans --------------------------------------------------------------------------------------
 */

enum { S_SPAN, S_PARENT, S_ROLE, S_TOOL, S_ROOT, S_T, S_END, S_COUNT };

static const struct ww_slice span_paths[S_COUNT] = {
	WW_SLICE_LIT("spanId"), WW_SLICE_LIT("parentId"), WW_SLICE_LIT("role"),
	WW_SLICE_LIT("tool"),   WW_SLICE_LIT("root"),     WW_SLICE_LIT("t"),
	WW_SLICE_LIT("end")};

static int add_tool_span(struct learn *l, const struct ww_json_token *v)
{
	struct tool_span *t;

	if (l->tool_count == TOOL_MAX)
		return 0;
	if (l->tool_count == l->tool_cap) {
		size_t cap = l->tool_cap ? 2 * l->tool_cap : 64;
		void *more = realloc(l->tools, cap * sizeof(*l->tools));

		if (!more)
			return -ENOMEM;
		l->tools = more;
		l->tool_cap = cap;
	}
	t = &l->tools[l->tool_count++];
	copy(&v[S_ROOT], t->root, sizeof(t->root));
	copy(&v[S_T], t->from, sizeof(t->from));
	copy(&v[S_END], t->to, sizeof(t->to));
	return 0;
}

static bool take_span(void *ctx, uint64_t index, struct ww_slice json)
{
	struct ww_json_token v[S_COUNT];
	struct learn *l = ctx;
	struct span *s;

	ww_member_pick(json, span_paths, S_COUNT, v);
	/* Of unresolved senders nothing is known. */
	if (!ww_member_has(&v[S_SPAN]) || !ww_member_has(&v[S_ROOT]) || l->span_count == SPANS_MAX)
		return true;
	s = calloc(1, sizeof(*s));
	if (!s) {
		l->error = -ENOMEM;
		return false;
	}
	copy(&v[S_SPAN], s->id, sizeof(s->id));
	copy(&v[S_PARENT], s->parent, sizeof(s->parent));
	s->tool = ww_member_has(&v[S_ROLE]) && ww_json_is(&v[S_ROLE], "tool") &&
		  ww_member_has(&v[S_TOOL]) && ww_json_is(&v[S_TOOL], l->q->tool);
	HASH_ADD_STR(l->spans, id, s);
	if (!s->hh.tbl) {
		free(s);
		l->error = -ENOMEM;
		return false;
	}
	l->span_count++;
	if (s->tool)
		l->error = add_tool_span(l, v);
	return l->error == 0;
}

static bool take_model(void *ctx, uint64_t index, struct ww_slice json)
{
	const struct ww_json_token v = ww_member_get(json, "exchange");
	struct learn *l = ctx;
	struct model_call *m;

	m = calloc(1, sizeof(*m));
	if (!m) {
		l->error = -ENOMEM;
		return false;
	}
	copy(&v, m->exchange, sizeof(m->exchange));
	HASH_ADD_STR(l->models, exchange, m);
	if (!m->hh.tbl) {
		free(m);
		l->error = -ENOMEM;
	}
	return l->error == 0;
}

/* --- exchanges ----------------------------------------------------------------------------------
 */

enum {
	X_ID,
	X_CLIENT,
	X_ROOT,
	X_T,
	X_SNI,
	X_HOST,
	X_PEER,
	X_METHOD,
	X_PATH,
	X_STATUS,
	X_SPAN,
	X_COUNT
};

static const struct ww_slice exchange_paths[X_COUNT] = {
	WW_SLICE_LIT("id"),     WW_SLICE_LIT("client"), WW_SLICE_LIT("root"),
	WW_SLICE_LIT("t"),      WW_SLICE_LIT("sni"),    WW_SLICE_LIT("authority"),
	WW_SLICE_LIT("peer"),   WW_SLICE_LIT("method"), WW_SLICE_LIT("path"),
	WW_SLICE_LIT("status"), WW_SLICE_LIT("spanId")};

/* Below a span of the tool, as far as the parents are known. */
static bool is_traced(const struct learn *l, const char *span_id)
{
	struct span *s = NULL;

	HASH_FIND_STR(l->spans, span_id, s);
	for (unsigned i = 0; s && i < ANCESTORS_MAX; i++) {
		const char *parent = s->parent;

		if (s->tool)
			return true;
		s = NULL;
		HASH_FIND_STR(l->spans, parent, s);
	}
	return false;
}

/* By its tree, while a span of the tool ran. Times are texts of one form. */
static bool is_within(const struct learn *l, const char *root, const char *t)
{
	for (size_t i = 0; i < l->tool_count; i++) {
		const struct tool_span *s = &l->tools[i];

		if (strcmp(s->root, root) == 0 && strcmp(t, s->from) >= 0 && strcmp(t, s->to) <= 0)
			return true;
	}
	return false;
}

/* What the file may hold between quotes; host names and path templates hold nothing else. */
static bool writable(const char *s)
{
	for (; *s; s++) {
		if (*s <= ' ' || *s > '~' || strchr("\"\\#", *s))
			return false;
	}
	return true;
}

static struct group *group_of(struct learn *l, const char *name, const char *method,
			      const char *path)
{
	struct group *g;

	for (unsigned i = 0; i < l->group_count; i++) {
		g = &l->groups[i];
		if (strcmp(g->name, name) == 0 && strcmp(g->method, method) == 0 &&
		    strcmp(g->path, path) == 0)
			return g;
	}
	if (l->group_count == GROUPS_MAX || !method[0] || !path[0] || !writable(name) ||
	    !writable(method) || !writable(path))
		return NULL;
	g = &l->groups[l->group_count++];
	snprintf(g->name, sizeof(g->name), "%s", name);
	snprintf(g->method, sizeof(g->method), "%s", method);
	snprintf(g->path, sizeof(g->path), "%s", path);
	return g;
}

/* "10.0.0.1:443", "[2001:db8::1]:443" */
static void add_peer(struct group *g, const char *peer)
{
	const char *colon = strrchr(peer, ':');
	unsigned port = colon ? (unsigned)strtoul(colon + 1, NULL, 10) : 0;
	size_t n = colon ? (size_t)(colon - peer) : 0;
	char addr[64] = "";

	if (n > 2 && peer[0] == '[')
		snprintf(addr, sizeof(addr), "%.*s", (int)(n - 2), peer + 1);
	else
		snprintf(addr, sizeof(addr), "%.*s", (int)n, peer);
	if (g->peer_count == 0)
		g->port = port;
	else if (g->port != port)
		g->port = 0;
	for (unsigned i = 0; i < g->peer_count; i++) {
		if (strcmp(g->peers[i], addr) == 0)
			return;
	}
	if (g->peer_count == PEERS_MAX)
		g->over = true;
	else
		snprintf(g->peers[g->peer_count++], sizeof(g->peers[0]), "%s", addr);
}

/* Ascending. */
static void add_status(struct group *g, unsigned status)
{
	unsigned at = 0;

	while (at < g->status_count && g->statuses[at].status < status)
		at++;
	if (at < g->status_count && g->statuses[at].status == status) {
		g->statuses[at].calls++;
		return;
	}
	if (g->status_count == STATUSES_MAX) {
		g->over = true;
		return;
	}
	memmove(&g->statuses[at + 1], &g->statuses[at],
		(g->status_count - at) * sizeof(g->statuses[0]));
	g->statuses[at].status = status;
	g->statuses[at].calls = 1;
	g->status_count++;
}

static bool take_exchange(void *ctx, uint64_t index, struct ww_slice json)
{
	char id[48], root[48], t[WW_RFC3339_MAX], name[256], method[24], path[256], peer[96],
		span[17];
	struct ww_json_token v[X_COUNT];
	struct model_call *model = NULL;
	struct learn *l = ctx;
	struct group *g;
	bool traced;

	ww_member_pick(json, exchange_paths, X_COUNT, v);
	copy(&v[X_ID], id, sizeof(id));
	HASH_FIND_STR(l->models, id, model);
	if (model || !ww_member_has(&v[X_CLIENT]) || v[X_CLIENT].type != WW_JSON_TRUE)
		return true;
	copy(&v[X_ROOT], root, sizeof(root));
	copy(&v[X_T], t, sizeof(t));
	copy(&v[X_SPAN], span, sizeof(span));
	traced = span[0] && is_traced(l, span);
	if (!traced && !is_within(l, root, t))
		return true;
	copy(&v[X_SNI], name, sizeof(name));
	if (!name[0]) {
		copy(&v[X_HOST], name, sizeof(name));
		name[strcspn(name, ":")] = '\0';
	}
	copy(&v[X_METHOD], method, sizeof(method));
	copy(&v[X_PATH], path, sizeof(path));
	copy(&v[X_PEER], peer, sizeof(peer));
	g = group_of(l, name, method, path);
	if (!g) {
		l->left_out++;
		return true;
	}
	g->traced += traced;
	g->timed += !traced;
	add_peer(g, peer);
	add_status(g, (unsigned)ww_member_u64(&v[X_STATUS], 0));
	if (g->evidence_count < EVIDENCE_MAX)
		memcpy(g->evidence[g->evidence_count++], id, sizeof(id));
	return true;
}

/* --- the draft ----------------------------------------------------------------------------------
 */

/* "{}" of a record's template becomes a name: a contract has one for each. */
static void write_path(FILE *out, const char *path)
{
	unsigned n = 0;

	fputc('"', out);
	for (; *path; path++) {
		if (path[0] == '{' && path[1] == '}') {
			fprintf(out, n ? "{id%u}" : "{id}", n + 1);
			n++;
			path++;
		} else {
			fputc(*path, out);
		}
	}
	fputc('"', out);
}

static void write_evidence(FILE *out, const struct group *g)
{
	fprintf(out,
		"    # Seen %u times by the trace of a span, %u times by time alone:", g->traced,
		g->timed);
	for (unsigned i = 0; i < g->evidence_count; i++)
		fprintf(out, " %s", g->evidence[i]);
	fprintf(out, g->traced + g->timed > g->evidence_count ? " ...\n" : "\n");
}

static void write_destination(FILE *out, const struct group *g)
{
	fprintf(out, "    destinations:\n");
	if (g->name[0])
		fprintf(out, "      - name: \"%s\"\n        cidr: [", g->name);
	else
		fprintf(out, "      - cidr: [");
	for (unsigned i = 0; i < g->peer_count; i++)
		fprintf(out, "%s\"%s\"", i ? ", " : "", g->peers[i]);
	fprintf(out, "]    # the addresses that were seen%s: is that all of the service?\n",
		g->over ? ", the first of them" : "");
	if (g->port)
		fprintf(out, "        port: %u\n", g->port);
	if (strncmp(g->peers[0], "127.", 4) == 0 || strcmp(g->peers[0], "::1") == 0)
		fprintf(out, "        allow_loopback: true    # a stub on the host could answer as "
			     "well\n");
}

/* Only what was seen, and of that what HTTP calls success. */
static void write_success(FILE *out, const struct group *g)
{
	unsigned min = 0, max = 0;

	fprintf(out, "    # Answers:");
	for (unsigned i = 0; i < g->status_count; i++) {
		unsigned status = g->statuses[i].status;

		if (status >= 200 && status < 300) {
			min = min ? min : status;
			max = status;
		}
		if (status)
			fprintf(out, "%s %u (%u)", i ? "," : "", status, g->statuses[i].calls);
		else
			fprintf(out, "%s none (%u)", i ? "," : "", g->statuses[i].calls);
	}
	fprintf(out, ". What success looks like in the body is not in any record.\n");
	if (min == 0)
		fprintf(out, "    # No success was seen: say which status is one.\n");
	else if (min == max)
		fprintf(out, "    success:\n      status: %u\n", min);
	else
		fprintf(out, "    success:\n      status: %u-%u\n", min, max);
}

static bool is_safe(const char *method)
{
	return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0 ||
	       strcmp(method, "OPTIONS") == 0;
}

/* The tool's name, as a quoted scalar. */
static void write_quoted(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

/* The group that most traced calls are in: the others are beside it, as comments. */
static const struct group *main_group(const struct learn *l)
{
	const struct group *best = &l->groups[0];

	for (unsigned i = 1; i < l->group_count; i++) {
		const struct group *g = &l->groups[i];

		if (g->traced > best->traced ||
		    (g->traced == best->traced && g->timed > best->timed))
			best = g;
	}
	return best;
}

static void write_others(const struct learn *l, const struct group *taken, FILE *out)
{
	for (unsigned i = 0; i < l->group_count; i++) {
		const struct group *g = &l->groups[i];

		if (g == taken)
			continue;
		fprintf(out,
			"    # Also seen (%u by trace, %u by time), not taken: %s %s at %s: %s\n",
			g->traced, g->timed, g->method, g->path, g->name[0] ? g->name : g->peers[0],
			g->evidence[0]);
	}
	if (l->left_out)
		fprintf(out, "    # %u more calls are left out.\n", l->left_out);
}

static void write_draft(const struct learn *l, FILE *out)
{
	const struct group *g = main_group(l);

	fprintf(out,
		"# DRAFT, made from observed calls (%zu spans of the tool) for a person to edit: "
		"what was "
		"seen is not\n# what must be. Remove these lines when you have read all of it; "
		"wirewitness contract check says what is odd.\n",
		l->tool_count);
	fprintf(out, "version: 1\ncontracts:\n  - tool: ");
	write_quoted(out, l->q->tool);
	fprintf(out, "\n    effect: %s    # by its method; does the tool change something?\n",
		is_safe(g->method) ? "read" : "network");
	write_evidence(out, g);
	write_destination(out, g);
	fprintf(out, "    methods: [%s]\n    paths: [", g->method);
	write_path(out, g->path);
	fprintf(out, "]\n");
	write_success(out, g);
	write_others(l, g, out);
}

static void learn_done(struct learn *l)
{
	struct model_call *m, *next_m;
	struct span *s, *next_s;

	HASH_ITER (hh, l->spans, s, next_s) {
		HASH_DEL(l->spans, s);
		free(s);
	}
	HASH_ITER (hh, l->models, m, next_m) {
		HASH_DEL(l->models, m);
		free(m);
	}
	free(l->tools);
}

static int read_records(struct learn *l, struct ww_records *records)
{
	static const struct {
		const char *kind;
		ww_records_fn fn;
	} steps[] = {{"span", take_span}, {"model_call", take_model}, {"exchange", take_exchange}};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(steps); i++) {
		struct ww_records_query q = {
			.kind = steps[i].kind, .since = l->q->since, .until = l->q->until};
		int r = ww_records_each(records, &q, steps[i].fn, l);

		if (r == 0 && l->error)
			r = ww_log_err_r(l->error, "cannot learn");
		if (r < 0)
			return r;
	}
	return 0;
}

int ww_learn(struct ww_records *records, const struct ww_learn_query *q, FILE *out)
{
	struct learn *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return ww_log_err_r(-ENOMEM, "cannot learn");
	l->q = q;
	r = read_records(l, records);
	if (r == 0 && l->tool_count == 0) {
		ww_log(WW_LOG_ERR, "no span of a watched process names this tool");
		r = -ENODATA;
	} else if (r == 0 && l->group_count == 0) {
		ww_log(WW_LOG_ERR, "%zu spans of the tool, and no call by their trace or time",
		       l->tool_count);
		r = -ENODATA;
	}
	if (r == 0)
		write_draft(l, out);
	learn_done(l);
	free(l);
	return r;
}
