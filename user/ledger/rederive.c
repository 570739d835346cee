/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/rederive.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "ledger/attestation.h"
#include "ledger/fields.h"
#include "ledger/outcome.h"
#include "ledger/rederive_case.h"

#define CHUNK_BYTES (1u << 20)
/* Calls of one tree in the window of one verdict that are looked at. */
#define WINDOW_CALLS_MAX 4096u

/* Of a call that had no effect. */
#define WIRES_FAILED (WW_RD_WIRE(FAILED) | WW_RD_WIRE(REDIRECTED) | WW_RD_WIRE(NOT_SENT))

struct chunk {
	struct chunk *next;
	size_t n, cap;
	uint8_t bytes[];
};

struct id {
	struct ww_rd_record *newest;
	UT_hash_handle hh;
};

/* A tool under a contract file: the key is both texts, a zero byte between them. */
struct tool {
	struct ww_slice terms;
	UT_hash_handle hh;
};

/* A start of the monitor, and the contract file that it names. */
struct start {
	uint64_t index;
	struct ww_rd_text contracts;
};

/* Two verdicts have one exchange. */
struct conflict {
	struct ww_rd_record *first, *second, *exchange;
};

struct ww_rederive {
	struct chunk *chunks;
	size_t n, cap, n_exchanges;
	struct ww_rd_record **records;
	struct id *ids[WW_RD_KIND_MAX];
	struct id *turns; /* of model calls; made when somebody asks */
	bool has_turns;
	struct ww_rd_terms *terms;
	struct tool *tools;
	size_t n_starts, cap_starts;
	struct start *starts;            /* ascending */
	struct ww_rd_record **exchanges; /* by tree and begin */
	size_t n_deeds, cap_deeds;
	const struct ww_rd_record **deeds;
	size_t n_absences, cap_absences, n_conflicts, cap_conflicts, cap_findings;
	struct ww_rd_absence *absences;
	struct conflict *conflicts;
	struct ww_rederive_finding *findings;
	struct ww_rederive_result result;
	bool failed; /* memory ran out */
};

/* --- memory -------------------------------------------------------------------------------------
 */

static void *keep(struct ww_rederive *rd, size_t n)
{
	struct chunk *c = rd->chunks;
	void *p;

	n = (n + 15) & ~(size_t)15;
	if (!c || n > c->cap - c->n) {
		size_t cap = n > CHUNK_BYTES ? n : CHUNK_BYTES;

		c = malloc(sizeof(*c) + cap);
		if (!c) {
			rd->failed = true;
			return NULL;
		}
		*c = (struct chunk){.next = rd->chunks, .cap = cap};
		rd->chunks = c;
	}
	p = c->bytes + c->n;
	c->n += n;
	return p;
}

/* Room for one more; NULL: rd->failed. */
static void *grow(struct ww_rederive *rd, void *items, size_t n, size_t *cap, size_t size)
{
	size_t more = *cap ? 2 * *cap : 64;
	void *p;

	if (n < *cap)
		return items;
	p = realloc(items, more * size);
	if (!p) {
		rd->failed = true;
		return NULL;
	}
	*cap = more;
	return p;
}

#define GROW(rd, items, n, cap)                                           \
	({                                                                \
		void *grown_ = grow(rd, items, n, cap, sizeof(*(items))); \
		if (grown_)                                               \
			(items) = grown_;                                 \
		grown_ != NULL;                                           \
	})

int ww_rederive_new(struct ww_rederive **ret)
{
	struct ww_rederive *rd = calloc(1, sizeof(*rd));

	if (!rd)
		return -ENOMEM;
	*ret = rd;
	return 0;
}

static void free_ids(struct id **ids)
{
	struct id *e, *next;

	HASH_ITER (hh, *ids, e, next)
		HASH_DELETE(hh, *ids, e);
}

void ww_rederive_free(struct ww_rederive *rd)
{
	struct ww_rd_terms *t, *next;
	struct tool *tool, *next_tool;
	struct chunk *chunk;

	if (!rd)
		return;
	for (unsigned i = 0; i < WW_RD_KIND_MAX; i++)
		free_ids(&rd->ids[i]);
	free_ids(&rd->turns);
	HASH_ITER (hh, rd->terms, t, next) {
		HASH_DELETE(hh, rd->terms, t);
		ww_contracts_free(t->contracts);
	}
	HASH_ITER (hh, rd->tools, tool, next_tool)
		HASH_DELETE(hh, rd->tools, tool);
	while ((chunk = rd->chunks)) {
		rd->chunks = chunk->next;
		free(chunk);
	}
	free(rd->records);
	free(rd->starts);
	free(rd->exchanges);
	free(rd->deeds);
	free(rd->absences);
	free(rd->conflicts);
	free(rd->findings);
	free(rd);
}

/* --- records ------------------------------------------------------------------------------------
 */

static const char *const kind_names[WW_RD_KIND_MAX] = {
	"exchange", "span",       "flow", "coverage", "action",      "verdict", "life",
	"mcp_call", "model_call", "run",  "change",   "attestation", "path"};

/* Every record begins with its kind and id. Whether one of them is there twice is seen when all of
 * it is read. */
static bool read_id(struct ww_slice json, struct ww_slice kind, struct ww_slice *ret_id)
{
	struct ww_json_token t;
	struct ww_json j;

	ww_json_init(&j, json);
	if (ww_json_next(&j, &t) != WW_PARSE_DONE || t.type != WW_JSON_OBJECT ||
	    ww_json_next(&j, &t) != WW_PARSE_DONE || !ww_json_is(&t, "kind") ||
	    ww_json_next(&j, &t) != WW_PARSE_DONE || t.type != WW_JSON_STRING || t.escaped ||
	    !ww_slice_eq(t.raw, kind) || ww_json_next(&j, &t) != WW_PARSE_DONE ||
	    !ww_json_is(&t, "id") || ww_json_next(&j, &t) != WW_PARSE_DONE ||
	    t.type != WW_JSON_STRING || t.escaped)
		return false;
	*ret_id = t.raw;
	return true;
}

/* Returns the one before under this key. */
static struct ww_rd_record *put_newest(struct ww_rederive *rd, struct id **ids, struct ww_slice key,
				       struct ww_rd_record *rec)
{
	struct ww_rd_record *before;
	struct id *e = NULL;

	HASH_FIND(hh, *ids, key.p, key.n, e);
	if (e) {
		before = e->newest;
		e->newest = rec;
		return before;
	}
	e = keep(rd, sizeof(*e));
	if (!e)
		return NULL;
	memset(e, 0, sizeof(*e));
	e->newest = rec;
	HASH_ADD_KEYPTR(hh, *ids, key.p, key.n, e);
	rd->failed |= !e->hh.tbl;
	return NULL;
}

static void list_start(struct ww_rederive *rd, const struct ww_rd_record *rec)
{
	struct ww_rd_text contracts;

	if (ww_rd_life_read(rec->json, &contracts, NULL) < 0 || !contracts.s.p)
		return;
	if (GROW(rd, rd->starts, rd->n_starts, &rd->cap_starts))
		rd->starts[rd->n_starts++] = (struct start){rec->index, contracts};
}

static void list(struct ww_rederive *rd, struct ww_rd_record *rec)
{
	if (!GROW(rd, rd->records, rd->n, &rd->cap))
		return;
	rd->records[rd->n++] = rec;
	rd->n_exchanges += rec->kind == WW_RD_EXCHANGE;
	if (rec->kind == WW_RD_LIFE)
		list_start(rd, rec);
	if ((rec->kind == WW_RD_RUN || rec->kind == WW_RD_CHANGE) &&
	    GROW(rd, rd->deeds, rd->n_deeds, &rd->cap_deeds))
		rd->deeds[rd->n_deeds++] = rec;
}

/* It is looked for by its scope. One that cannot be read is none. */
static void read_coverage(struct ww_rederive *rd, struct ww_rd_record *rec)
{
	rec->id = WW_SLICE_NULL;
	rec->c = keep(rd, sizeof(*rec->c));
	if (rec->c && ww_rd_coverage_read(rec->json, rec->c, NULL) == 0)
		rec->id = rec->c->cgroup.s;
}

/* It is looked for by its action, likewise. */
static void read_attestation(struct ww_rd_record *rec)
{
	struct ww_attestation_record a;

	rec->id = ww_attestation_record_read(rec->json, &a, NULL) < 0 ? WW_SLICE_NULL : a.action;
}

int ww_rederive_add(struct ww_rederive *rd, uint64_t index, struct ww_slice kind,
		    struct ww_slice json)
{
	enum ww_rd_kind k = 0;
	struct ww_rd_record *rec;
	uint8_t *copy;

	while (k < WW_RD_KIND_MAX && !ww_slice_eq_str(kind, kind_names[k]))
		k++;
	/* Out of order: the caller's to say, and no evidence. */
	if (k == WW_RD_KIND_MAX || (rd->n && index <= rd->records[rd->n - 1]->index))
		return 0;
	rec = keep(rd, sizeof(*rec));
	copy = keep(rd, json.n);
	if (!rec || !copy)
		return -ENOMEM;
	memcpy(copy, json.p, json.n);
	*rec = (struct ww_rd_record){.index = index, .kind = k, .json = ww_slice(copy, json.n)};
	if (read_id(rec->json, kind, &rec->id) && k == WW_RD_COVERAGE)
		read_coverage(rd, rec);
	if (k == WW_RD_ATTESTATION)
		read_attestation(rec);
	if (rec->id.p)
		rec->same = put_newest(rd, &rd->ids[k], rec->id, rec);
	list(rd, rec);
	return rd->failed ? -ENOMEM : 0;
}

struct ww_rd_record *ww_rd_newest(const struct ww_rederive *rd, enum ww_rd_kind kind,
				  struct ww_slice id)
{
	struct id *e = NULL;

	if (id.n)
		HASH_FIND(hh, rd->ids[kind], id.p, id.n, e);
	return e ? e->newest : NULL;
}

struct ww_rd_record *ww_rd_turn(struct ww_rederive *rd, struct ww_slice turn)
{
	struct id *e = NULL;

	for (size_t i = 0; i < rd->n && !rd->has_turns; i++) {
		struct ww_rd_record *rec = rd->records[i];
		struct ww_json_token t;

		if (rec->kind == WW_RD_MODEL && rec->id.n &&
		    ww_json_path(rec->json, "$.turn", &t, NULL) == WW_PARSE_DONE &&
		    t.type == WW_JSON_STRING && t.raw.n)
			rec->turn = put_newest(rd, &rd->turns, t.raw, rec);
	}
	rd->has_turns = true;
	if (turn.n)
		HASH_FIND(hh, rd->turns, turn.p, turn.n, e);
	return e ? e->newest : NULL;
}

struct ww_rd_record *ww_rd_before(const struct ww_rederive *rd, enum ww_rd_kind kind,
				  struct ww_slice id, uint64_t index)
{
	struct ww_rd_record *rec = ww_rd_newest(rd, kind, id);
	unsigned looked = 0;

	while (rec && rec->index >= index && looked++ < WW_RD_SAME_MAX)
		rec = rec->same;
	return rec && rec->index < index ? rec : NULL;
}

static int by_index(const void *key, const void *item)
{
	uint64_t x = *(const uint64_t *)key;
	uint64_t y = (*(struct ww_rd_record *const *)item)->index;

	return x < y ? -1 : x > y;
}

static struct ww_rd_record **at_index(const struct ww_rederive *rd, uint64_t index)
{
	return rd->n ? bsearch(&index, rd->records, rd->n, sizeof(*rd->records), by_index) : NULL;
}

const struct ww_rd_record *ww_rd_neighbour(const struct ww_rederive *rd,
					   const struct ww_rd_record *rec)
{
	struct ww_rd_record **at = rec->index ? at_index(rd, rec->index - 1) : NULL;

	return at ? *at : NULL;
}

const struct ww_rd_record *ww_rd_deed_at(const struct ww_rederive *rd, size_t i)
{
	return i < rd->n_deeds ? rd->deeds[i] : NULL;
}

const struct ww_rd_record *ww_rd_coverage(const struct ww_rederive *rd, struct ww_slice cgroup)
{
	return ww_rd_newest(rd, WW_RD_COVERAGE, cgroup);
}

/* The record of the tool call that an exchange is: "t-" where that has "x-". */
static int take_mcp(const struct ww_rederive *rd, struct ww_rd_exchange *x)
{
	struct ww_rd_record *rec;
	char id[72];

	if (x->id.s.n < 2 || x->id.s.n >= sizeof(id))
		return 0;
	snprintf(id, sizeof(id), "t%.*s", (int)x->id.s.n - 1, (const char *)x->id.s.p + 1);
	rec = ww_rd_newest(rd, WW_RD_MCP, ww_slice_str(id));
	return rec ? ww_rd_mcp_read(rec->json, x, NULL) : 0;
}

const struct ww_rd_exchange *ww_rd_exchange_of(struct ww_rederive *rd, struct ww_rd_record *rec)
{
	if (rec->state == 0) {
		rec->x = keep(rd, sizeof(*rec->x));
		if (!rec->x)
			return NULL;
		rec->state =
			ww_rd_exchange_read(rec->json, rec->x, NULL) < 0 || take_mcp(rd, rec->x) < 0
				? -1
				: 1;
	}
	return rec->state == 1 ? rec->x : NULL;
}

/* The calls that stand beside the action's own. */
static void set_beside(struct ww_rd_terms *t)
{
	struct ww_contract *c = &t->contracts->items[0];

	for (unsigned i = 0; i < c->control_count; i++) {
		t->controls[i].call = c->controls[i].call;
		t->controls[i].success = c->controls[i].allow;
	}
	if (!c->readback.path)
		return;
	t->readback.call = c->call;
	t->readback.call.method_count = t->readback.call.path_count = 1;
	t->readback.call.methods = &c->readback.method;
	t->readback.call.paths = &c->readback.path;
	t->readback.success = c->readback.success;
}

const struct ww_rd_terms *ww_rd_terms_of(struct ww_rederive *rd, struct ww_slice text)
{
	struct ww_rd_terms *t = NULL;

	HASH_FIND(hh, rd->terms, text.p, text.n, t);
	if (t)
		return t;
	t = keep(rd, sizeof(*t));
	if (!t)
		return NULL;
	*t = (struct ww_rd_terms){.text = text};
	if (ww_rd_terms_read(text, &t->contracts, &t->whole, NULL) == -ENOMEM)
		rd->failed = true;
	if (t->contracts)
		set_beside(t);
	HASH_ADD_KEYPTR(hh, rd->terms, t->text.p, t->text.n, t);
	if (!t->hh.tbl) {
		rd->failed = true;
		ww_contracts_free(t->contracts);
		return NULL;
	}
	return t;
}

struct ww_slice ww_rd_terms_before(struct ww_rederive *rd, struct ww_slice tool,
				   struct ww_slice contracts, struct ww_slice text)
{
	size_t n = tool.n + 1 + contracts.n;
	struct tool *e = NULL;
	uint8_t *key = keep(rd, n);

	if (!key)
		return WW_SLICE_NULL;
	memset(key, 0, n);
	if (tool.n)
		memcpy(key, tool.p, tool.n);
	if (contracts.n)
		memcpy(key + tool.n + 1, contracts.p, contracts.n);
	HASH_FIND(hh, rd->tools, key, n, e);
	if (e)
		return e->terms;
	e = keep(rd, sizeof(*e));
	if (!e)
		return WW_SLICE_NULL;
	*e = (struct tool){.terms = text};
	HASH_ADD_KEYPTR(hh, rd->tools, key, n, e);
	rd->failed |= !e->hh.tbl;
	return text;
}

struct ww_rd_text ww_rd_contracts_at(struct ww_rederive *rd, uint64_t index)
{
	size_t i = rd->n_starts;

	while (i > 0 && rd->starts[i - 1].index >= index)
		i--;
	return i ? rd->starts[i - 1].contracts : (struct ww_rd_text){0};
}

/* --- findings -----------------------------------------------------------------------------------
 */

/* Cut to what fits, as it stands: report_text.c sees to it that it steers no terminal. */
static void copy_text(char *out, size_t cap, struct ww_slice s)
{
	size_t n = s.n < cap - 1 ? s.n : cap - 1;

	if (n)
		memcpy(out, s.p, n);
	out[n] = '\0';
}

void ww_rd_say(struct ww_rederive *rd, struct ww_rd_record *verdict, bool undecided,
	       const char *field, const char *expected, const char *found)
{
	struct ww_rederive_finding *f;

	if (undecided)
		verdict->open = true;
	else
		verdict->differs = true;
	if (rd->result.n_findings == WW_REDERIVE_FINDINGS_MAX) {
		rd->result.unlisted++;
		return;
	}
	if (!GROW(rd, rd->findings, rd->result.n_findings, &rd->cap_findings))
		return;
	f = &rd->findings[rd->result.n_findings++];
	*f = (struct ww_rederive_finding){.index = verdict->index, .undecided = undecided};
	copy_text(f->verdict, sizeof(f->verdict), verdict->id);
	copy_text(f->field, sizeof(f->field), ww_slice_str(field));
	copy_text(f->expected, sizeof(f->expected), ww_slice_str(expected));
	copy_text(f->found, sizeof(f->found), ww_slice_str(found));
}

/* --- what is known only when all verdicts are ----------------------------------------------------
 */

void ww_rd_take(struct ww_rederive *rd, struct ww_rd_record *x, struct ww_rd_record *verdict,
		struct ww_slice action)
{
	if (x->taken_in && !ww_slice_eq(x->taken_by, action)) {
		if (GROW(rd, rd->conflicts, rd->n_conflicts, &rd->cap_conflicts))
			rd->conflicts[rd->n_conflicts++] =
				(struct conflict){x->taken_in, verdict, x};
	}
	x->taken_by = action;
	x->taken_in = verdict;
}

void ww_rd_absent(struct ww_rederive *rd, const struct ww_rd_absence *a)
{
	if (GROW(rd, rd->absences, rd->n_absences, &rd->cap_absences))
		rd->absences[rd->n_absences++] = *a;
}

void ww_rd_no_memory(struct ww_rederive *rd)
{
	rd->failed = true;
}

void ww_rd_supersede(struct ww_rederive *rd, const struct ww_rd_record *verdict, struct ww_slice id)
{
	struct ww_rd_record *old = ww_rd_before(rd, WW_RD_VERDICT, id, verdict->index);

	if (old)
		old->superseded = true;
}

static int by_begin(const void *a, const void *b)
{
	const struct ww_rd_record *x = *(struct ww_rd_record *const *)a;
	const struct ww_rd_record *y = *(struct ww_rd_record *const *)b;
	size_t n = x->x->root.s.n < y->x->root.s.n ? x->x->root.s.n : y->x->root.s.n;
	int r = n ? memcmp(x->x->root.s.p, y->x->root.s.p, n) : 0;

	if (r == 0 && x->x->root.s.n != y->x->root.s.n)
		r = x->x->root.s.n < y->x->root.s.n ? -1 : 1;
	if (r)
		return r;
	return x->x->req_first_ns < y->x->req_first_ns   ? -1
	       : x->x->req_first_ns > y->x->req_first_ns ? 1
							 : 0;
}

static void sort_exchanges(struct ww_rederive *rd)
{
	size_t n = 0;

	rd->exchanges = calloc(rd->n_exchanges + 1, sizeof(*rd->exchanges));
	if (!rd->exchanges) {
		rd->failed = true;
		return;
	}
	for (size_t i = 0; i < rd->n; i++) {
		struct ww_rd_record *rec = rd->records[i];

		if (rec->kind == WW_RD_EXCHANGE && rec->id.n && ww_rd_exchange_of(rd, rec))
			rd->exchanges[n++] = rec;
	}
	rd->n_exchanges = n;
	qsort(rd->exchanges, n, sizeof(*rd->exchanges), by_begin);
}

/* The first exchange of the tree that begins at or after from_ns. */
static size_t first_from(const struct ww_rederive *rd, const struct ww_rd_absence *a)
{
	struct ww_rd_exchange key = {.root = {a->root, false}, .req_first_ns = a->from_ns};
	struct ww_rd_record rec = {.x = &key};
	const struct ww_rd_record *p = &rec;
	size_t lo = 0, hi = rd->n_exchanges;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (by_begin(&rd->exchanges[mid], &p) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Of a call that fits by its record: whether it may be a miss all the same. A path with values is
 * not kept. */
static bool may_miss(const struct ww_rd_near *n, const struct ww_rd_exchange *x)
{
	return (!ww_rd_is(n->why, "request") && !ww_rd_is(n->why, "destination")) ||
	       ww_slice_find(x->path.s, 0, '{') < x->path.s.n;
}

/* Whether the verdict says of this call what it is: then that was held against it. */
static bool is_told(const struct ww_rd_verdict *v, const struct ww_rd_record *rec)
{
	struct ww_slice id = rec->id;
	const struct ww_rd_ground_control *c = &v->grounds.control;

	for (unsigned i = 0; i < v->attempt_count; i++) {
		if (ww_slice_eq(v->attempts[i].exchange.s, id))
			return true;
	}
	for (unsigned i = 0; i < v->readback_count; i++) {
		if (ww_slice_eq(v->readbacks[i].exchange.s, id))
			return true;
	}
	for (unsigned i = 0; i < c->run_count; i++) {
		if (ww_slice_eq(c->runs[i].exchange.s, id))
			return true;
	}
	if (v->grounds.late && ww_slice_eq(v->grounds.late_call.exchange.s, id))
		return true;
	for (unsigned i = 0; i < v->near_count; i++) {
		if (ww_slice_eq(v->near[i].exchange.s, id))
			return may_miss(&v->near[i], rec->x);
	}
	return v->near_total > v->near_count && !v->controlled;
}

/* Of a call that fits by its record: whether it counts, as far as that tells. */
static bool may_concern(const struct ww_rd_absence *a, const struct ww_rd_record *rec)
{
	const struct ww_success *s = &a->contract->success;
	const struct ww_rd_exchange *x = rec->x;

	if (rec->index > a->verdict->index ||
	    (rec->taken_in && !a->control && !a->shows && !a->any) || !ww_rd_fits(a->contract, x))
		return false;
	/* What is no tool call of the protocol has no record of one. */
	if (a->contract->mcp_tool && !x->mcp_tool.s.p)
		return false;
	if (a->succeeds && !(ww_rd_wires(a->contract, x) & ~WIRES_FAILED))
		return false;
	return !a->shows ||
	       (x->status.there && x->status.n >= s->status_min && x->status.n <= s->status_max);
}

/* By its verdict, or as a call of another trace than the control's. */
static bool is_explained(const struct ww_rd_absence *a, const struct ww_rd_record *rec,
			 const struct ww_rd_verdict *v)
{
	struct ww_rd_text trace = rec->x->trace_id;

	return is_told(v, rec) || (a->control && a->control->same == WW_CONTROL_SAME_TRACE &&
				   trace.s.p && v->spanned && !ww_rd_same(trace, v->span_trace));
}

/* A call that fits, in the window, that nothing explains. */
static void check_absence(struct ww_rederive *rd, const struct ww_rd_absence *a,
			  struct ww_rd_verdict *scratch)
{
	size_t first = first_from(rd, a);
	bool read = false;

	if (ww_contract_local(a->contract)) {
		ww_rd_absent_deeds(rd, a);
		return;
	}
	for (size_t i = first; i < rd->n_exchanges; i++) {
		struct ww_rd_record *rec = rd->exchanges[i];
		char found[160];

		if (!ww_slice_eq(rec->x->root.s, a->root) || rec->x->req_first_ns > a->to_ns)
			return;
		if (i - first == WINDOW_CALLS_MAX) {
			ww_rd_say(rd, a->verdict, true, a->field,
				  "a window whose calls can be looked at", "more calls than that");
			return;
		}
		if (!may_concern(a, rec))
			continue;
		if (!read && ww_rd_verdict_read(a->verdict->json, scratch, NULL) < 0)
			return;
		read = true;
		if (is_explained(a, rec, scratch))
			continue;
		snprintf(found, sizeof(found), "%.*s (record %" PRIu64 ")%s",
			 (int)(rec->id.n < 64 ? rec->id.n : 64), (const char *)rec->id.p,
			 rec->index, a->maybe ? ", which may be for another" : "");
		ww_rd_say(rd, a->verdict, a->maybe, a->field,
			  "no other call in its window that fits the terms", found);
	}
}

/* --- the report's own sections ------------------------------------------------------------------
 */

static bool text_is(const struct ww_json_token *t, struct ww_slice s)
{
	return t->type == WW_JSON_STRING && !t->escaped && ww_slice_eq(t->raw, s);
}

static void compare_claim(struct ww_rederive *rd, struct ww_rd_record *rec, struct ww_slice entry)
{
	enum { N = 9 };
	static const char *const paths[N + 1] = {
		"$.id",          "$.action",       "$.verdict",
		"$.reason",      "$.evidence",     "$.match.join",
		"$.quoted.tool", "$.quoted.claim", "$.quoted.spanStatus",
		"$.outcome"};
	static const char *const in_record[N] = {"$.id",     "$.action",     "$.verdict",
						 "$.reason", "$.evidence",   "$.join",
						 "$.tool",   "$.said.claim", "$.span.status"};
	struct ww_slice outcome = ww_slice_str(ww_outcome_name(ww_outcome_read(rec->json)));
	struct ww_json_token t[N + 1], u[N];

	ww_json_pick(entry, paths, N + 1, t);
	ww_json_pick(rec->json, in_record, N, u);
	for (size_t i = 0; i < N; i++) {
		bool here = t[i].type != WW_JSON_NULL, there = u[i].type != WW_JSON_NULL;
		char field[48], expected[160], found[160];

		if (here == there && (!here || ww_slice_eq(t[i].raw, u[i].raw)))
			continue;
		snprintf(field, sizeof(field), "report: claims%s", paths[i] + 1);
		copy_text(expected, sizeof(expected), there ? u[i].raw : WW_SLICE_LIT("nothing"));
		copy_text(found, sizeof(found), here ? t[i].raw : WW_SLICE_LIT("nothing"));
		ww_rd_say(rd, rec, false, field, expected, found);
	}
	if (!text_is(&t[N], outcome))
		ww_rd_say(rd, rec, false, "report: claims.outcome", (const char *)outcome.p,
			  "another word");
}

/* A finding on no verdict: on the report. */
static void say_report(struct ww_rederive *rd, const char *field, const char *expected,
		       const char *found)
{
	struct ww_rd_record report = {.id = WW_SLICE_LIT("report")};

	ww_rd_say(rd, &report, false, field, expected, found);
	rd->result.sections++;
}

static struct ww_rd_record *claimed_record(struct ww_rederive *rd, struct ww_slice entry)
{
	struct ww_rd_record **at;
	struct ww_json_token t;
	uint64_t index;

	if (ww_json_path(entry, "$.index", &t, NULL) != WW_PARSE_DONE ||
	    ww_slice_u64(t.raw, &index) < 0)
		return NULL;
	at = at_index(rd, index);
	return at && (*at)->kind == WW_RD_VERDICT ? *at : NULL;
}

static void check_claims(struct ww_rederive *rd, struct ww_slice claims)
{
	struct ww_json_token t;
	struct ww_slice list, entry;
	struct ww_json j;

	if (ww_json_path(claims, "$.list", &t, &list) != WW_PARSE_DONE ||
	    ww_fields_array(list, &j) < 0) {
		say_report(rd, "claims.list", "a list", "none");
		return;
	}
	while (ww_fields_next(&j, &t, &entry) == 1) {
		struct ww_rd_record *rec = claimed_record(rd, entry);

		if (!rec || rec->claimed) {
			say_report(rd, "claims.list", "one entry per listed verdict",
				   rec ? "two of one" : "one of no listed verdict");
			continue;
		}
		rec->claimed = true;
		compare_claim(rd, rec, entry);
	}
}

static uint64_t number_at(struct ww_slice doc, const char *path, uint64_t without)
{
	struct ww_json_token t;
	uint64_t n;

	if (ww_json_path(doc, path, &t, NULL) != WW_PARSE_DONE || ww_slice_u64(t.raw, &n) < 0)
		return without;
	return n;
}

static void check_sections(struct ww_rederive *rd, struct ww_slice claims, struct ww_slice summary)
{
	uint64_t current = 0;
	char expected[32], found[32];

	if (claims.n)
		check_claims(rd, claims);
	for (size_t i = 0; i < rd->n; i++) {
		const struct ww_rd_record *rec = rd->records[i];

		if (rec->kind != WW_RD_VERDICT || rec->superseded)
			continue;
		current++;
		if (claims.n && !rec->claimed)
			say_report(rd, "claims.list", "one entry per listed verdict",
				   "a verdict without one");
	}
	if (!claims.n || number_at(summary, "$.verdicts", current) == current)
		return;
	snprintf(expected, sizeof(expected), "%" PRIu64, current);
	snprintf(found, sizeof(found), "%" PRIu64, number_at(summary, "$.verdicts", 0));
	say_report(rd, "summary.verdicts", expected, found);
}

/* --- all of it ----------------------------------------------------------------------------------
 */

static void check_verdicts(struct ww_rederive *rd)
{
	for (size_t i = 0; i < rd->n && !rd->failed; i++) {
		if (rd->records[i]->kind == WW_RD_VERDICT)
			ww_rd_check(rd, rd->records[i]);
		else if (rd->records[i]->kind == WW_RD_PATH)
			ww_rd_path(rd, rd->records[i]);
	}
}

static void check_together(struct ww_rederive *rd, struct ww_rd_verdict *scratch)
{
	for (size_t i = 0; i < rd->n_conflicts; i++) {
		const struct conflict *c = &rd->conflicts[i];
		char found[96];

		if (c->first->superseded || c->second->superseded)
			continue;
		snprintf(found, sizeof(found), "record %" PRIu64 " has it, too: %.*s",
			 c->first->index, (int)(c->exchange->id.n < 64 ? c->exchange->id.n : 64),
			 (const char *)c->exchange->id.p);
		ww_rd_say(rd, c->second, false, "wire.attempts", "calls that are no other action's",
			  found);
	}
	for (size_t i = 0; i < rd->n_absences; i++)
		check_absence(rd, &rd->absences[i], scratch);
}

static void count(struct ww_rederive *rd)
{
	for (size_t i = 0; i < rd->n; i++) {
		const struct ww_rd_record *rec = rd->records[i];

		if (rec->kind == WW_RD_PATH) {
			rd->result.paths++;
			rd->result.paths_differ += rec->differs;
			rd->result.paths_undecided += rec->open && !rec->differs;
		}
		if (rec->kind != WW_RD_VERDICT)
			continue;
		rd->result.verdicts++;
		if (rec->differs)
			rd->result.differ++;
		else if (rec->open)
			rd->result.undecided++;
		else
			rd->result.agree++;
	}
}

static int compare_findings(const void *a, const void *b)
{
	const struct ww_rederive_finding *x = a, *y = b;

	if (x->index != y->index)
		return x->index < y->index ? -1 : 1;
	return strcmp(x->field, y->field);
}

int ww_rederive_run(struct ww_rederive *rd, struct ww_slice claims, struct ww_slice summary)
{
	WW_AUTO_FREE struct ww_rd_verdict *scratch = calloc(1, sizeof(*scratch));

	if (!scratch || rd->failed)
		return -ENOMEM;
	sort_exchanges(rd);
	if (!rd->failed)
		check_verdicts(rd);
	if (!rd->failed)
		check_together(rd, scratch);
	if (rd->failed)
		return -ENOMEM;
	check_sections(rd, claims, summary);
	if (rd->failed)
		return -ENOMEM;
	count(rd);
	if (rd->result.n_findings)
		qsort(rd->findings, rd->result.n_findings, sizeof(*rd->findings), compare_findings);
	rd->result.findings = rd->findings;
	return 0;
}

const struct ww_rederive_result *ww_rederive_result(const struct ww_rederive *rd)
{
	return &rd->result;
}
