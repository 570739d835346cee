/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scene for the judge's tests: real tables of processes, flows and coverage, fed with hand-made
 * events; exchanges, spans and model calls made by hand; records taken apart by another JSON
 * library. Times are milliseconds after BASE_NS. One watched cgroup, an agent (pid AGENT) and, on
 * request, others.
 */
#pragma once

#include "judge/judge.h"

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "base/encode.h"
#include "../../lib/derived.h"

#define BASE_NS    1000000000000ull
#define WALL_NS    1790000000000000000ull
#define CGROUP     77u
#define AGENT      100u
#define STRANGER   200u
#define PAY        "10.77.2.9"
#define PAY_NAME   "payments.example.com"
#define MODEL      "10.77.1.2"
#define MODEL_NAME "api.model.example"

#define RECORDS_MAX 256

/* A contract to go on with. */
#define REFUND_TO                                                                            \
	"version: 1\n"                                                                       \
	"contracts:\n"                                                                       \
	"- tool: refund\n"                                                                   \
	"  effect: network\n"                                                                \
	"  destinations: [{name: payments.example.com, cidr: [10.77.2.0/24], port: 8443}]\n" \
	"  methods: [POST]\n"                                                                \
	"  paths: [/v1/refunds]\n"

/* And that somebody is to be asked first. */
#define ASKED_FIRST                                                             \
	"  controls:\n"                                                         \
	"  - name: refund-policy\n"                                             \
	"    destinations: [{name: authz.example.com, cidr: [10.77.5.0/24]}]\n" \
	"    methods: [POST]\n"                                                 \
	"    paths: [/v1/decisions]\n"

#define CONTRACTS                                         \
	REFUND_TO                                         \
	"  success:\n"                                    \
	"    status: 2xx\n"                               \
	"    body:\n"                                     \
	"    - {path: $.errors, exists: false}\n"         \
	"    - {path: $.result.isError, exists: false}\n" \
	"  id_path: $.id\n"                               \
	"- tool: lookup\n"                                \
	"  effect: network\n"                             \
	"  destinations: [{cidr: [10.77.2.0/24]}]\n"      \
	"  methods: [GET]\n"                              \
	"  paths: [\"/v1/orders/{id}\"]\n"                \
	"- {tool: think, effect: none}\n"                 \
	"- {tool: hosted, effect: remote}\n"

struct scene {
	struct ww_actors *actors;
	struct ww_flows *flows;
	struct ww_coverage *coverage;
	struct ww_contracts *contracts;
	struct ww_phrases *phrases; /* NULL: prose is not read */
	struct ww_phrase_scanner *scanner;
	struct ww_digest_key key;
	struct ww_clock_map clock;
	struct ww_judge *judge;
	uint64_t seq;
	uint64_t next_cookie;
	uint16_t record_index[2048][2]; /* of a connection's next TLS records */
	uint8_t next_span;
	unsigned count;
	json_t *records[RECORDS_MAX];
	struct ww_buf bytes; /* all records of the judge, one per line */
	struct ww_buf all;   /* with those of the evidence */
	uint64_t now_ms;
	bool underivable; /* some verdict rests on what is not recorded */
};

static inline struct ww_boot at_ms(uint64_t ms)
{
	return (struct ww_boot){BASE_NS + ms * 1000000};
}

static inline struct ww_wall wall_ms(uint64_t ms)
{
	return (struct ww_wall){WALL_NS + ms * 1000000};
}

static inline struct ww_actor_key process(uint32_t pid)
{
	return (struct ww_actor_key){.start_ns = 5000 + pid, .pid = pid};
}

static inline struct ww_endpoint endpoint(const char *addr, uint16_t port)
{
	struct ww_endpoint e = {.family = AF_INET, .port = port};

	assert_int_equal(inet_pton(AF_INET, addr, e.addr), 1);
	return e;
}

static inline void scene_keep(struct scene *s, struct ww_slice json)
{
	assert_int_equal(ww_buf_add(&s->all, json.p, json.n), 0);
	assert_int_equal(ww_buf_add(&s->all, "\n", 1), 0);
}

static void scene_record(void *ctx, enum ww_record_kind kind, struct ww_slice json)
{
	struct scene *s = ctx;
	json_error_t e;
	json_t *r = json_loadb((const char *)json.p, json.n, JSON_REJECT_DUPLICATES, &e);

	if (!r)
		fail_msg("%s at %d: %.*s", e.text, e.position, (int)json.n, (const char *)json.p);
	assert_true(s->count < RECORDS_MAX);
	if (kind == WW_RECORD_RUN || kind == WW_RECORD_CHANGE) { /* evidence, as exchanges are */
		json_decref(r);
		scene_keep(s, json);
		return;
	}
	assert_string_equal(json_string_value(json_object_get(r, "kind")),
			    kind == WW_RECORD_ACTION ? "action" : "verdict");
	s->records[s->count++] = r;
	assert_int_equal(ww_buf_add(&s->bytes, json.p, json.n), 0);
	assert_int_equal(ww_buf_add(&s->bytes, "\n", 1), 0);
	scene_keep(s, json);
}

/* --- events -------------------------------------------------------------------------------------
 */

static inline void feed(struct scene *s, void *event, uint16_t kind, size_t size, uint64_t ms,
			uint32_t pid, uint64_t cookie)
{
	struct ww_event *h = event;

	h->version = WW_EVENT_VERSION;
	h->kind = kind;
	h->size = (uint32_t)size;
	h->time_ns = at_ms(ms).ns;
	h->seq = ++s->seq;
	h->cgroup = CGROUP;
	h->cookie = cookie;
	if (pid)
		h->actor = process(pid);
	assert_int_equal(ww_actors_feed(s->actors, h), 0);
	assert_int_equal(ww_flows_feed(s->flows, h), 0);
	assert_int_equal(ww_coverage_feed(s->coverage, h), 0);
	assert_int_equal(ww_judge_event(s->judge, h), 0);
}

static inline void born(struct scene *s, uint32_t pid, uint32_t parent, uint64_t ms)
{
	struct ww_event_fork ev = {.parent = process(parent)};

	feed(s, &ev, WW_EVENT_PROC_FORK, sizeof(ev), ms, pid, 0);
}

static inline void died(struct scene *s, uint32_t pid, uint64_t ms)
{
	struct ww_event_exit ev = {.code = -9};

	feed(s, &ev, WW_EVENT_PROC_EXIT, sizeof(ev), ms, pid, 0);
}

static inline void lost(struct scene *s, uint64_t events, uint64_t ms)
{
	struct ww_event_loss ev = {.cause = WW_LOSS_RING_DATA, .events = events, .bytes = 9};

	feed(s, &ev, WW_EVENT_LOSS, sizeof(ev), ms, 0, 0);
}

static inline void reached_unix(struct scene *s, const char *path, uint64_t ms)
{
	struct ww_event_unix ev = {.path_bytes = (uint32_t)strlen(path)};

	memcpy(ev.path, path, strlen(path));
	feed(s, &ev, WW_EVENT_UNIX_PEER, sizeof(ev), ms, AGENT, 0);
}

static inline void cover(struct scene *s, uint64_t bits, enum ww_probe_status status, uint64_t ms)
{
	struct ww_event_coverage ev = {
		.detail = bits, .what = WW_COVERAGE_SOCKETS, .status = (uint16_t)status};

	feed(s, &ev, WW_EVENT_COVERAGE, sizeof(ev), ms, 0, 0);
}

static inline void gap(struct scene *s, uint64_t length_ms, uint64_t ms)
{
	struct ww_event_coverage ev = {.detail = length_ms * 1000000, .what = WW_COVERAGE_GAP};

	feed(s, &ev, WW_EVENT_COVERAGE, sizeof(ev), ms, 0, 0);
}

static inline void tick(struct scene *s, uint64_t ms)
{
	struct ww_event ev = {0};

	s->now_ms = ms;
	feed(s, &ev, WW_EVENT_TICK, sizeof(ev), ms, 0, 0);
	ww_flows_tick(s->flows, at_ms(ms));
	ww_judge_tick(s->judge, at_ms(ms));
}

/* --- flows --------------------------------------------------------------------------------------
 */

static inline void flow_open(struct scene *s, uint64_t cookie, uint32_t pid, const char *addr,
			     uint16_t port, uint64_t ms)
{
	struct ww_event_flow ev = {.local = endpoint("10.77.0.5", (uint16_t)(40000 + cookie)),
				   .peer = endpoint(addr, port),
				   .proto = 6,
				   .role = WW_FLOW_CONNECT,
				   .type = 1};

	feed(s, &ev, WW_EVENT_FLOW_OPEN, sizeof(ev), ms, pid, cookie);
}

static inline void flow_state(struct scene *s, uint64_t cookie, uint16_t kind, uint8_t state,
			      uint8_t how, uint64_t sent, uint64_t acked, uint64_t received,
			      uint64_t ms)
{
	struct ww_event_counters ev = {.bytes_sent = sent,
				       .bytes_acked = acked,
				       .bytes_received = received,
				       .state_new = state,
				       .how = how,
				       .proto = 6,
				       .records_exact = 1};

	feed(s, &ev, kind, sizeof(ev), ms, 0, cookie);
}

/* A ClientHello that is no hello inside: it marks the flow as TLS, nothing is read from it. */
static inline void flow_tls(struct scene *s, uint64_t cookie, uint64_t ms)
{
	struct ww_event_hello ev = {.dir = WW_DIR_OUT, .client = 1};

	memset(ev.random, (int)cookie | 1, sizeof(ev.random));
	feed(s, &ev, WW_EVENT_TLS_HELLO, sizeof(ev), ms, 0, cookie);
}

static inline void flow_data(struct scene *s, uint64_t cookie, uint32_t pid, enum ww_dir dir,
			     uint64_t offset, uint32_t bytes, uint64_t ms)
{
	WW_AUTO_FREE struct ww_event_data *ev = calloc(1, sizeof(*ev) + bytes);

	assert_non_null(ev);
	ev->offset = offset;
	ev->call_bytes = ev->captured = bytes;
	ev->requested = bytes + 1;
	ev->dir = (uint8_t)dir;
	ev->bind = WW_BIND_RANDOM;
	ev->last = 1;
	memset(ev->session.random, (int)cookie | 1, sizeof(ev->session.random));
	ev->session.pid = pid;
	feed(s, ev, WW_EVENT_DATA, sizeof(*ev) + bytes, ms, pid, cookie);
}

/* As the pipeline does. */
static void scene_opened(void *ctx, struct ww_flow *f)
{
	struct ww_endpoint receiver = endpoint("127.0.0.1", 4318);

	f->receiver = ww_endpoint_eq(&f->peer, &receiver);
}

static void scene_closed(void *ctx, struct ww_flow *f)
{
	WW_AUTO_BUF struct ww_buf b = {0};
	struct scene *s = ctx;
	struct ww_jsonw w;

	if (!s->judge)
		return;
	ww_buf_init(&b, WW_RECORD_BYTES_MAX);
	ww_jsonw_init(&w, &b);
	ww_flow_write(f, &s->clock, NULL, &w);
	ww_jsonw_end_object(&w);
	scene_keep(s, ww_buf_slice(&b));
	ww_judge_flow(s->judge, f);
}

static void scene_lost(void *ctx, const struct ww_event_data *ev, enum ww_loss_cause cause)
{
	struct scene *s = ctx;

	ww_coverage_loss(s->coverage, ev->h.cgroup, (struct ww_boot){ev->h.time_ns}, cause, 1,
			 ev->captured);
}

/* --- exchanges ----------------------------------------------------------------------------------
 */

struct call {
	uint32_t pid;       /* 0: AGENT */
	uint64_t cookie;    /* 0: a connection of its own */
	const char *addr;   /* NULL: PAY */
	uint16_t port;      /* 0: 8443 */
	const char *name;   /* NULL: PAY_NAME */
	const char *host;   /* NULL: name */
	const char *method; /* NULL: POST */
	const char *target; /* NULL: /v1/refunds */
	uint16_t status;    /* 0: by outcome */
	const char *body;   /* NULL: {"id":"r_9"} */
	bool body_cut;
	enum ww_exchange_outcome outcome; /* 0: complete */
	uint64_t from, to;                /* ms */
	uint64_t first;                   /* first byte of the response; 0: at `to` */
	uint16_t retry_after;             /* 0: none */
	const char *idempotency;
	uint64_t caller;              /* as whom it is made */
	bool anybody;                 /* which is not known */
	const struct ww_span *traced; /* its traceparent */
	const char *rpc;              /* body of the request, JSON; NULL: none was kept */
	bool stream;                  /* the response is an event stream */
	bool unacked;                 /* the request was not acknowledged */
	bool stays_open;              /* the connection lives on */
	uint32_t hidden;              /* payload bytes that no hook explains */
	bool unfinished;              /* outcome open */
	bool orphan;                  /* owner not resolved */
	bool decoy; /* of the hello alone: the request did not go over this connection */
};

static inline void trace_of(const struct ww_span *span, struct ww_trace_context *t)
{
	t->present = true;
	memcpy(t->trace_id, span->trace_id, 16);
	memcpy(t->span_id, span->span_id, 8);
}

static inline void fill_exchange(struct scene *s, const struct call *c, uint64_t cookie,
				 struct ww_exchange *x)
{
	const char *body = c->body ? c->body : "{\"id\":\"r_9\"}";
	struct ww_sha256 d;

	memset(x, 0, sizeof(*x));
	x->cookie = cookie;
	x->outcome = c->unfinished ? WW_X_OPEN : c->outcome ? c->outcome : WW_X_COMPLETE;
	x->actor = process(c->pid ? c->pid : AGENT);
	x->root = ww_actors_root(s->actors, x->actor);
	if (c->orphan)
		x->actor = x->root = (struct ww_actor_key){0};
	x->cgroup = CGROUP;
	x->client = true;
	x->peer = endpoint(c->addr ? c->addr : PAY, c->port ? c->port : 8443);
	snprintf(x->sni, sizeof(x->sni), "%s", c->name ? c->name : PAY_NAME);
	snprintf(x->authority, sizeof(x->authority), "%s", c->host ? c->host : x->sni);
	snprintf(x->method, sizeof(x->method), "%s", c->method ? c->method : "POST");
	snprintf(x->target, sizeof(x->target), "%s", c->target ? c->target : "/v1/refunds");
	x->status = c->status;
	x->t_first_req = at_ms(c->from);
	x->t_last_req = at_ms(c->from);
	if (c->status) {
		x->t_first_resp = at_ms(c->first ? c->first : c->to);
		x->t_last_resp = at_ms(c->to);
		x->resp_bytes = 400;
		x->resp.data = ww_slice_str(body);
		x->resp.whole = !c->body_cut;
	}
	x->req_bytes = 300;
	x->caller_known = !c->anybody;
	x->caller = c->caller;
	x->retry_after = c->retry_after != 0;
	x->retry_after_s = c->retry_after;
	if (c->rpc) {
		x->req.data = ww_slice_str(c->rpc);
		x->req.whole = true;
		snprintf(x->req.content_type, sizeof(x->req.content_type), "application/json");
	}
	snprintf(x->resp.content_type, sizeof(x->resp.content_type), "%s",
		 c->stream ? "text/event-stream" : "application/json");
	if (c->traced)
		trace_of(c->traced, &x->trace);
	if (c->idempotency) {
		ww_digest(&s->key, ww_slice_str(c->idempotency), &d);
		ww_hex_encode(ww_slice(d.b, sizeof(d.b)), x->idempotency_key_digest);
	}
}

static inline void flow_record(struct scene *s, uint64_t cookie, enum ww_dir dir, uint8_t type,
			       uint32_t bytes, uint64_t ms)
{
	struct ww_event_record ev = {.dir = dir,
				     .type = type,
				     .bytes = bytes,
				     .index = s->record_index[cookie % 2048][dir]++};

	feed(s, &ev, WW_EVENT_TLS_RECORD, sizeof(ev), ms, 0, cookie);
}

#define HANDSHAKE_OUT 578u
#define HANDSHAKE_IN  900u
#define FINISHED      58u
#define FRAMING       22u /* TLS 1.3 */

/* A connection after its handshake. */
static inline void flow_begin(struct scene *s, const struct call *c, uint64_t cookie, uint32_t pid)
{
	struct ww_flow *f;

	flow_open(s, cookie, pid, c->addr ? c->addr : PAY, c->port ? c->port : 8443, c->from);
	flow_state(s, cookie, WW_EVENT_FLOW_STATE, 1, 0, 0, 0, 0, c->from);
	flow_tls(s, cookie, c->from);
	f = ww_flows_get(s->flows, cookie);
	f->tls_facts.version = 0x0304;
	f->tls_facts.cipher = 0x1301;
	f->bytes_sent = HANDSHAKE_OUT;
	f->bytes_received = HANDSHAKE_IN;
	memset(s->record_index[cookie % 2048], 0, sizeof(s->record_index[0]));
	flow_record(s, cookie, WW_DIR_OUT, 22, HANDSHAKE_OUT - FINISHED, c->from);
	flow_record(s, cookie, WW_DIR_OUT, 23, FINISHED, c->from);
	flow_record(s, cookie, WW_DIR_IN, 22, HANDSHAKE_IN, c->from);
}

/* One request of 300 bytes, and 400 of a response that has a status. */
static inline void flow_for(struct scene *s, const struct call *c, uint64_t cookie)
{
	uint32_t pid = c->orphan ? 0 : c->pid ? c->pid : AGENT;
	uint64_t sent, received, end = c->to ? c->to : c->from;
	struct ww_flow *f = ww_flows_get(s->flows, cookie);
	uint32_t n = f ? f->exchanges : 0;

	if (n == 0)
		flow_begin(s, c, cookie, pid);
	f = ww_flows_get(s->flows, cookie);
	sent = c->decoy ? 250 : f->bytes_sent + 300 + FRAMING + c->hidden;
	received = f->bytes_received;
	flow_record(s, cookie, WW_DIR_OUT, 23, 300 + FRAMING, c->from);
	flow_data(s, cookie, pid, WW_DIR_OUT, n * 300ull, 300, c->from);
	if (c->status) {
		received += 400 + FRAMING;
		flow_record(s, cookie, WW_DIR_IN, 23, 400 + FRAMING, end);
		flow_data(s, cookie, pid, WW_DIR_IN, n * 400ull, 400, end);
	}
	f->exchanges = n + 1;
	flow_state(s, cookie, WW_EVENT_FLOW_STAT, 1, 0, sent, c->unacked ? 0 : sent, received, end);
}

static inline void hang_up(struct scene *s, const struct call *c, uint64_t cookie)
{
	struct ww_flow *f = ww_flows_get(s->flows, cookie);
	uint8_t how = c->outcome == WW_X_RESET ? WW_CLOSE_RST_PEER : WW_CLOSE_FIN_PEER;

	flow_state(s, cookie, WW_EVENT_FLOW_CLOSE, 7, how, f->bytes_sent, f->bytes_acked,
		   f->bytes_received, c->to ? c->to : c->from);
}

static inline void scene_keep_model(struct scene *s, const struct ww_exchange *x,
				    const struct ww_model_call *model)
{
	WW_AUTO_FREE struct ww_model_call *m = malloc(sizeof(*m));
	WW_AUTO_BUF struct ww_buf b = {0};
	struct ww_jsonw w;

	assert_non_null(m);
	memcpy(m, model, sizeof(*m));
	m->cookie = x->cookie;
	m->index = x->index;
	m->t = x->t_first_req;
	ww_buf_init(&b, WW_RECORD_BYTES_MAX);
	ww_jsonw_init(&w, &b);
	ww_model_write(m, &s->clock, &w);
	assert_true(ww_jsonw_ok(&w));
	scene_keep(s, ww_buf_slice(&b));
}

/* Records an exchange and hands it over. */
static inline void deliver(struct scene *s, const struct ww_exchange *x,
			   const struct ww_model_call *model)
{
	WW_AUTO(ww_mcp_call_free_auto) struct ww_mcp_call *mcp = NULL;
	WW_AUTO_BUF struct ww_buf b = {0};
	struct ww_jsonw w;
	int r = ww_mcp_decode(x, &s->key, &mcp);

	assert_true(r == 0 || r == -ENOENT || r == -EAGAIN);
	ww_buf_init(&b, WW_RECORD_BYTES_MAX);
	ww_jsonw_init(&w, &b);
	ww_exchange_write(x, &s->clock, &w);
	scene_keep(s, ww_buf_slice(&b));
	if (mcp) {
		ww_buf_clear(&b);
		ww_jsonw_init(&w, &b);
		ww_mcp_write(mcp, x, &s->clock, &w);
		scene_keep(s, ww_buf_slice(&b));
	}
	if (model)
		scene_keep_model(s, x, model);
	assert_int_equal(ww_judge_exchange(s->judge, x, model, mcp), 0);
}

static inline uint64_t exchange(struct scene *s, struct call c, const struct ww_model_call *model)
{
	uint64_t cookie = c.cookie ? c.cookie : ++s->next_cookie;
	struct ww_exchange x;

	flow_for(s, &c, cookie);
	fill_exchange(s, &c, cookie, &x);
	deliver(s, &x, model);
	if (!c.stays_open)
		hang_up(s, &c, cookie);
	return cookie;
}

#define CALL(...) exchange(s, (struct call){__VA_ARGS__}, NULL)

/* --- spans --------------------------------------------------------------------------------------
 */

static inline struct ww_span span_of(struct scene *s, enum ww_span_role role, const char *tool,
				     const char *call_id, enum ww_span_status status, uint64_t from,
				     uint64_t to)
{
	struct ww_span p = {.role = role, .status = status};

	memset(p.trace_id, 0xa1, sizeof(p.trace_id));
	memset(p.span_id, 0x10 + s->next_span++, sizeof(p.span_id));
	p.start = wall_ms(from);
	p.end = wall_ms(to);
	p.actor = process(AGENT);
	p.root = ww_actors_root(s->actors, p.actor);
	p.cgroup = CGROUP;
	p.received = at_ms(to + 5);
	snprintf(p.tool_name, sizeof(p.tool_name), "%s", tool);
	snprintf(p.tool_call_id, sizeof(p.tool_call_id), "%s", call_id);
	return p;
}

static inline struct ww_span tool_span(struct scene *s, const char *call_id,
				       enum ww_span_status status, uint64_t from, uint64_t to)
{
	return span_of(s, WW_SPAN_TOOL, "refund", call_id, status, from, to);
}

static inline void claim_on(struct ww_span *p, const char *id, const char *tool,
			    const char *call_id, bool done, uint64_t ms)
{
	struct ww_declared_claim *c = &p->claims[p->claim_count++];

	snprintf(c->claim_id, sizeof(c->claim_id), "%s", id);
	snprintf(c->action, sizeof(c->action), "refund");
	snprintf(c->tool, sizeof(c->tool), "%s", tool);
	snprintf(c->tool_call_id, sizeof(c->tool_call_id), "%s", call_id);
	c->done = done;
	c->at = wall_ms(ms);
}

/* Hands a copy over: the caller's stays as it is. */
static inline void tell(struct scene *s, const struct ww_span *p)
{
	WW_AUTO_BUF struct ww_buf b = {0};
	struct ww_span copy = *p;
	struct ww_jsonw w;

	ww_buf_init(&b, WW_RECORD_BYTES_MAX);
	ww_jsonw_init(&w, &b);
	ww_span_write(p, &s->key, &w);
	scene_keep(s, ww_buf_slice(&b));
	assert_int_equal(ww_judge_span(s->judge, &copy), 0);
	assert_null(copy.memory);
}

/* --- models -------------------------------------------------------------------------------------
 */

/* The conversation up to the user's last text; 0: not known. */
static inline void of_turn(struct ww_model_call *m, char turn)
{
	m->turn_present = turn != 0;
	memset(m->turn.b, turn, sizeof(m->turn.b));
}

/* Asked 100 ms before `ms`, answered at `ms`. */
static inline struct call model_call(uint64_t ms)
{
	return (struct call){.addr = MODEL,
			     .port = 443,
			     .name = MODEL_NAME,
			     .target = "/v1/chat/completions",
			     .status = 200,
			     .from = ms - 100,
			     .to = ms};
}

/* A model's answer at `ms`: calls `tool` with id, or says something. */
static inline void model_answers_in_turn(struct scene *s, uint64_t ms, const char *call_id,
					 const char *tool, const char *shown_id, char turn)
{
	WW_AUTO_FREE struct ww_model_call *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	of_turn(m, turn);
	snprintf(m->response_id, sizeof(m->response_id), "resp-%llu", (unsigned long long)ms);
	if (call_id) {
		m->tool_call_count = 1;
		m->tool_calls[0].complete = true;
		snprintf(m->tool_calls[0].id, sizeof(m->tool_calls[0].id), "%s", call_id);
		snprintf(m->tool_calls[0].name, sizeof(m->tool_calls[0].name), "%s", tool);
	} else {
		m->text_bytes = 42;
	}
	if (shown_id) {
		m->tool_result_count = 1;
		snprintf(m->tool_results[0].tool_call_id, sizeof(m->tool_results[0].tool_call_id),
			 "%s", shown_id);
	}
	exchange(s, model_call(ms), m);
}

static inline void model_answers(struct scene *s, uint64_t ms, const char *call_id,
				 const char *tool, const char *shown_id)
{
	model_answers_in_turn(s, ms, call_id, tool, shown_id, 0);
}

/* A model's answer at `ms` to a request that shows it this result of the call. */
static inline void model_is_shown_in_turn(struct scene *s, uint64_t ms, const char *call_id,
					  const char *result, bool is_error, char turn)
{
	WW_AUTO(ww_model_call_free_auto) struct ww_model_call *m = calloc(1, sizeof(*m));
	struct ww_model_tool_result *t;

	assert_non_null(m);
	t = &m->tool_results[0];
	of_turn(m, turn);
	m->text_bytes = 42;
	m->tool_result_count = 1;
	snprintf(t->tool_call_id, sizeof(t->tool_call_id), "%s", call_id);
	t->is_error = is_error;
	t->kept = true;
	t->bytes = strlen(result);
	ww_buf_init(&m->results, 4096);
	assert_int_equal(ww_buf_add(&m->results, result, t->bytes), 0);
	exchange(s, model_call(ms), m);
}

static inline void model_is_shown(struct scene *s, uint64_t ms, const char *call_id,
				  const char *result, bool is_error)
{
	model_is_shown_in_turn(s, ms, call_id, result, is_error, 0);
}

/* --- the scene ----------------------------------------------------------------------------------
 */

static inline struct scene *scene_open_by(const char *yaml, bool prose)
{
	static const struct ww_flow_ops ops = {
		.opened = scene_opened, .closed = scene_closed, .lost = scene_lost};
	struct scene *s = calloc(1, sizeof(*s));
	struct ww_contract_error e = {0};
	struct ww_judge_config cfg = {0};
	struct ww_event_scope scope = {.entered = 1};
	struct ww_judge_deps deps;

	assert_non_null(s);
	ww_buf_init(&s->bytes, 8u << 20);
	ww_buf_init(&s->all, 32u << 20);
	assert_int_equal(ww_actors_new(&s->actors), 0);
	assert_int_equal(ww_flows_new(s->actors, &ops, s, &s->flows), 0);
	assert_int_equal(ww_coverage_new(&s->coverage), 0);
	if (ww_contracts_parse(ww_slice_str(yaml), &s->contracts, &e) < 0)
		fail_msg("line %u: %s", e.line, e.text);
	if (prose) {
		assert_int_equal(
			ww_phrases_parse(ww_phrases_default(), WW_SLICE_NULL, &s->phrases, &e), 0);
		assert_int_equal(ww_phrases_bind(s->phrases, s->contracts), 0);
		assert_int_equal(ww_phrase_scanner_new(s->phrases, &s->scanner), 0);
	}
	ww_digest_key_init(&s->key, (const uint8_t *)"0123456789abcdef0123456789abcdef");
	s->clock = (struct ww_clock_map){
		.boot = {BASE_NS}, .wall = {WALL_NS}, .bound_ns = 1000, .valid = true};
	deps = (struct ww_judge_deps){.actors = s->actors,
				      .flows = s->flows,
				      .coverage = s->coverage,
				      .contracts = s->contracts,
				      .key = &s->key,
				      .clock = &s->clock,
				      .phrases = s->phrases};
	assert_int_equal(ww_judge_new(&cfg, &deps, scene_record, s, &s->judge), 0);
	feed(s, &scope, WW_EVENT_SCOPE, sizeof(scope), 0, 0, 0);
	cover(s, 31, WW_PROBE_ATTACHED, 0);
	born(s, AGENT, 1, 1);
	born(s, STRANGER, 1, 1);
	return s;
}

static inline struct scene *scene_open_with(const char *yaml)
{
	return scene_open_by(yaml, false);
}

static inline struct scene *scene_open(void)
{
	return scene_open_with(CONTRACTS);
}

/* The record of the scope that stands behind all others. */
static inline void scene_cover(struct scene *s)
{
	WW_AUTO_BUF struct ww_buf b = {0};
	struct ww_jsonw w;

	ww_buf_init(&b, WW_RECORD_BYTES_MAX);
	ww_jsonw_init(&w, &b);
	ww_coverage_write(s->coverage, CGROUP, at_ms(s->now_ms), wall_ms(s->now_ms), &w);
	scene_keep(s, ww_buf_slice(&b));
}

static inline void scene_close(struct scene *s)
{
	scene_cover(s);
	all_derived(ww_buf_slice(&s->all), s->underivable);
	for (unsigned i = 0; i < s->count; i++)
		json_decref(s->records[i]);
	ww_judge_free(s->judge);
	ww_phrase_scanner_free(s->scanner);
	ww_phrases_free(s->phrases);
	ww_contracts_free(s->contracts);
	ww_coverage_free(s->coverage);
	ww_flows_free(s->flows);
	ww_actors_free(s->actors);
	ww_buf_done(&s->bytes);
	ww_buf_done(&s->all);
	free(s);
}

static inline unsigned count_kind(const struct scene *s, const char *kind)
{
	unsigned n = 0;

	for (unsigned i = 0; i < s->count; i++)
		n += strcmp(json_string_value(json_object_get(s->records[i], "kind")), kind) == 0;
	return n;
}

/* The nth verdict record, or a failure. */
static inline json_t *verdict(const struct scene *s, unsigned nth)
{
	for (unsigned i = 0; i < s->count; i++) {
		if (strcmp(json_string_value(json_object_get(s->records[i], "kind")), "verdict") ==
			    0 &&
		    nth-- == 0)
			return s->records[i];
	}
	fail_msg("no such verdict among %u records", s->count);
	return NULL;
}

static inline const char *text(json_t *r, const char *key)
{
	const char *t = json_string_value(json_object_get(r, key));

	return t ? t : "";
}

static inline json_int_t number(json_t *r, const char *key)
{
	return json_integer_value(json_object_get(r, key));
}

static inline json_t *wire(json_t *r)
{
	return json_object_get(r, "wire");
}

/* The item of the checklist: 1 passed, 0 failed, -1 not asked. */
static inline int world_item(json_t *r, const char *name)
{
	json_t *items = json_object_get(r, "closedWorld");

	for (size_t i = 0; i < json_array_size(items); i++) {
		json_t *e = json_array_get(items, i);

		if (strcmp(text(e, "item"), name) == 0)
			return json_is_true(json_object_get(e, "pass"));
	}
	return -1;
}

/* verdict, reason, evidence, join of the only verdict (nth of several) */
static inline json_t *expect_nth(const struct scene *s, unsigned nth, const char *v,
				 const char *reason, const char *evidence, const char *join)
{
	json_t *r = verdict(s, nth);
	bool good = strcmp(text(r, "verdict"), v) == 0 && strcmp(text(r, "reason"), reason) == 0 &&
		    strcmp(text(r, "evidence"), evidence) == 0 &&
		    strcmp(text(r, "join"), join) == 0;

	if (!good) {
		json_t *world = json_object_get(r, "closedWorld");
		char *dump = json_dumps(world, JSON_COMPACT);

		print_error("%s(%s) %s %s: %s\n%s\n", text(r, "verdict"), text(r, "reason"),
			    text(r, "evidence"), text(r, "join"), text(r, "summary"), dump);
		free(dump);
		fail_msg("expected %s(%s) %s %s", v, reason, evidence, join);
	}
	assert_string_not_equal(text(r, "summary"), "");
	assert_null(strstr(text(r, "summary"), "proven"));
	return r;
}

static inline json_t *expect(const struct scene *s, const char *v, const char *reason,
			     const char *evidence, const char *join)
{
	assert_int_equal(count_kind(s, "verdict"), 1);
	assert_int_equal(count_kind(s, "action"), 1);
	return expect_nth(s, 0, v, reason, evidence, join);
}
