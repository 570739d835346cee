/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What agents, gateways, models and others do on a host, as events of a tape: connections with TLS
 * 1.3 handshakes, HTTP/1 over them, spans; and what the real pipeline makes of it under a policy
 * and tables. Bytes are counted as a kernel would. Times are milliseconds after RIG_BASE_NS; events
 * are played in order of time, whatever the order in which they were made.
 */
#pragma once

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <jansson.h>
#include <cmocka.h>

#include "daemon/pipeline.h"
#include "policy/tables_read.h"
#include "derived.h"
#include "events.h"

#define RIG_BASE_NS    1000000000000ull
#define RIG_WALL_NS    1790000000000000000ull
#define RIG_EVENTS_MAX 4096
#define RIG_CONNS_MAX  64
#define RIG_RECORDS    512
#define RIG_FRAMING    22u
#define RIG_FINISHED   58u
#define AGENT          100u
#define OTHER          200u
#define GATEWAY        300u

/* 203.0.113.0/24 is eu, 198.51.100.0/24 us, 192.0.2.0/24 sg; 2001:db8:1::/48 contradicts itself. */
#define RIG_TABLE                                                                        \
	"version: 1\nas_of: 2026-01-01\noperators:\n"                                    \
	"- {name: eucloud, home: DE, basis: provider-doc}\n"                             \
	"- {name: uscloud, home: US, basis: provider-doc}\n"                             \
	"prefixes:\n"                                                                    \
	"- {cidr: [203.0.113.0/24], operator: eucloud, region: eu-west-1, "              \
	"basis: provider-doc}\n"                                                         \
	"- {cidr: [198.51.100.0/24], operator: uscloud, region: us-east-1, "             \
	"basis: provider-doc}\n"                                                         \
	"- {cidr: [192.0.2.0/24], operator: uscloud, region: sg, basis: provider-doc}\n" \
	"- {cidr: [198.18.0.0/24], operator: uscloud, region: us-east-1, "               \
	"basis: provider-doc}\n"                                                         \
	"- {cidr: [198.18.0.0/24], operator: uscloud, region: eu-west-1, "               \
	"basis: provider-doc}\n"                                                         \
	"- {cidr: [198.18.1.0/24], operator: eucloud, region: eu-west-1, "               \
	"basis: provider-doc, valid_until: 2026-01-02}\n"                                \
	"- {cidr: [198.18.2.0/24], operator: eucloud, region: eu-west-1, "               \
	"basis: provider-doc, valid_until: 2026-09-21}\n"                                \
	"- {hosts: ['*.eu.example'], operator: eucloud, region: eu-west-1, "             \
	"basis: provider-doc}\n"                                                         \
	"- {hosts: ['*.us.example'], operator: uscloud, region: us-east-1, "             \
	"basis: provider-doc}\n"

#define RIG_REGIONS                                    \
	"version: 1\nregions:\n"                       \
	"- {name: eu, labels: [eu-*]}\n"               \
	"- {name: us, labels: [us-*]}\n"               \
	"- {name: sg, labels: [sg, ap-southeast-*]}\n" \
	"agents:\n"

#define RIG_POLICY RIG_REGIONS "- {name: support, cgroup: \"/agents/*\", allowed_regions: [eu]}\n"

struct rig_conn {
	uint64_t cookie;
	uint32_t pid;
	struct ww_endpoint local, peer;
	uint8_t role;
	bool plain, opaque, bare;
	uint64_t plain_bytes[2]; /* plaintext so far */
	uint64_t wire[2];        /* with the handshake */
	uint16_t records[2];
	uint32_t rtt_us;
};

struct rig {
	struct ww_pipeline_config cfg;
	struct ww_policy *policy;
	struct ww_tables *tables;
	unsigned count;
	struct ww_event *ev[RIG_EVENTS_MAX];
	unsigned conn_count;
	struct rig_conn conns[RIG_CONNS_MAX];
	uint64_t end_ms;
	/* of the last play */
	unsigned record_count;
	json_t *records[RIG_RECORDS];
	struct ww_buf text;
};

static inline uint64_t rig_ns(uint64_t ms)
{
	return RIG_BASE_NS + ms * 1000000;
}

static inline void rig_put(struct rig *r, void *ev)
{
	assert(r->count < RIG_EVENTS_MAX);
	r->ev[r->count++] = ev;
}

static inline struct ww_actor_key rig_actor(uint32_t pid)
{
	return (struct ww_actor_key){.start_ns = 1000ull * pid, .pid = pid};
}

static inline void rig_process(struct rig *r, uint64_t ms, uint32_t pid, uint32_t parent,
			       const char *exe)
{
	struct ww_event_fork *fork = ev_make(sizeof(*fork), WW_EVENT_PROC_FORK, rig_ns(ms), pid, 0);
	struct ww_event_exec *exec = ev_make(sizeof(*exec), WW_EVENT_PROC_EXEC, rig_ns(ms), pid, 0);

	fork->parent = exec->parent = rig_actor(parent);
	exec->path_bytes = (uint16_t)strlen(exe);
	memcpy(exec->path, exe, strlen(exe));
	snprintf(exec->comm, sizeof(exec->comm), "%.15s", exe);
	rig_put(r, fork);
	rig_put(r, exec);
}

static inline void rig_cover(struct rig *r, uint64_t ms, bool on)
{
	struct ww_event_coverage *c = ev_make(sizeof(*c), WW_EVENT_COVERAGE, rig_ns(ms), 0, 0);

	c->h.cpu = WW_EVENT_CPU_USER;
	c->what = WW_COVERAGE_SOCKETS;
	c->status = on ? WW_PROBE_ATTACHED : WW_PROBE_DETACHED;
	c->detail = 31;
	rig_put(r, c);
}

static inline void rig_gap(struct rig *r, uint64_t ms, uint64_t length_ms)
{
	struct ww_event_coverage *c = ev_make(sizeof(*c), WW_EVENT_COVERAGE, rig_ns(ms), 0, 0);

	c->h.cpu = WW_EVENT_CPU_USER;
	c->what = WW_COVERAGE_GAP;
	c->detail = length_ms * 1000000;
	rig_put(r, c);
}

static inline void rig_lost(struct rig *r, uint64_t ms, enum ww_loss_cause cause)
{
	struct ww_event_loss *l = ev_make(sizeof(*l), WW_EVENT_LOSS, rig_ns(ms), 0, 0);

	l->h.cpu = WW_EVENT_CPU_USER;
	l->cause = cause;
	l->events = 1;
	rig_put(r, l);
}

static inline void rig_unix(struct rig *r, uint64_t ms, uint32_t pid, const char *path)
{
	struct ww_event_unix *u = ev_make(sizeof(*u), WW_EVENT_UNIX_PEER, rig_ns(ms), pid, 0);

	u->path_bytes = (uint32_t)strlen(path);
	memcpy(u->path, path, strlen(path));
	rig_put(r, u);
}

static inline void rig_open(struct rig *r, const char *policy)
{
	struct ww_contract_error why = {0};
	struct ww_tables_error error = {0};
	struct ww_event_scope *scope;
	struct ww_event_clock *clock;

	memset(r, 0, sizeof(*r));
	memcpy(r->cfg.digest_key, "0123456789abcdef0123456789abcdef", 32);
	ww_buf_init(&r->text, 64u << 20);
	if (ww_tables_new(&r->tables) < 0 ||
	    ww_tables_read(r->tables, "rig.yaml", ww_slice_str(RIG_TABLE), &error) < 0 ||
	    ww_tables_seal(r->tables) < 0)
		fail_msg("tables: %s", error.text);
	if (policy && ww_policy_parse(ww_slice_str(policy), &r->policy, &why) < 0)
		fail_msg("policy, line %u: %s", why.line, why.text);
	r->cfg.policy = r->policy;
	r->cfg.tables = r->tables;
	r->cfg.receiver = ev_endpoint("127.0.0.1", 4318);
	clock = ev_make(sizeof(*clock), WW_EVENT_CLOCK, rig_ns(0), 0, 0);
	clock->h.cpu = WW_EVENT_CPU_USER;
	clock->wall_ns = RIG_WALL_NS;
	clock->bound_ns = 1000;
	rig_put(r, clock);
	scope = ev_make(sizeof(*scope), WW_EVENT_SCOPE, rig_ns(0), 0, 0);
	scope->h.cpu = WW_EVENT_CPU_USER;
	scope->entered = 1;
	scope->path_bytes = (uint32_t)strlen("/agents/support");
	memcpy(scope->path, "/agents/support", scope->path_bytes);
	rig_put(r, scope);
	rig_cover(r, 0, true);
	rig_process(r, 1, AGENT, 1, "/usr/bin/agent");
	rig_process(r, 1, OTHER, 1, "/usr/bin/other");
	rig_process(r, 1, GATEWAY, 1, "/usr/bin/gateway");
	r->end_ms = 8000;
}

static inline void rig_drop_records(struct rig *r)
{
	for (unsigned i = 0; i < r->record_count; i++)
		json_decref(r->records[i]);
	r->record_count = 0;
	ww_buf_clear(&r->text);
}

static inline void rig_close(struct rig *r)
{
	rig_drop_records(r);
	for (unsigned i = 0; i < r->count; i++)
		free(r->ev[i]);
	ww_tables_free(r->tables);
	ww_policy_free(r->policy);
	ww_buf_done(&r->text);
}

/* --- connections --------------------------------------------------------------------------------
 */

static inline struct rig_conn *rig_conn(struct rig *r, uint64_t cookie)
{
	for (unsigned i = 0; i < r->conn_count; i++) {
		if (r->conns[i].cookie == cookie)
			return &r->conns[i];
	}
	fail_msg("no connection %llu", (unsigned long long)cookie);
	return NULL;
}

static inline void rig_record(struct rig *r, uint64_t ms, struct rig_conn *c, enum ww_dir dir,
			      uint8_t type, uint32_t bytes)
{
	struct ww_event_record *ev;

	c->wire[dir] += bytes;
	if (c->records[dir] >= WW_RECORDS_WALKED_MAX)
		return;
	ev = ev_record(rig_ns(ms), c->cookie, dir, type, bytes);
	ev->index = c->records[dir]++;
	ev->stream_offset = c->wire[dir] - bytes;
	rig_put(r, ev);
}

static inline size_t rig_client_hello(const char *name, uint8_t random, uint8_t *out)
{
	size_t n = strlen(name), exts = n ? 9 + n : 0, body;
	uint8_t *p = out + 9;

	*p++ = 3, *p++ = 3;
	memset(p, random, 32), p += 32;
	*p++ = 0;
	*p++ = 0, *p++ = 2, *p++ = 0x13, *p++ = 1;
	*p++ = 1, *p++ = 0;
	exts += 7;
	*p++ = (uint8_t)(exts >> 8), *p++ = (uint8_t)exts;
	if (n) {
		*p++ = 0, *p++ = 0;
		*p++ = 0, *p++ = (uint8_t)(n + 5);
		*p++ = 0, *p++ = (uint8_t)(n + 3);
		*p++ = 0, *p++ = 0, *p++ = (uint8_t)n;
		memcpy(p, name, n), p += n;
	}
	*p++ = 0, *p++ = 0x2b, *p++ = 0, *p++ = 3, *p++ = 2, *p++ = 3, *p++ = 4;
	body = (size_t)(p - out) - 9;
	out[0] = 22, out[1] = 3, out[2] = 1;
	out[3] = (uint8_t)((body + 4) >> 8), out[4] = (uint8_t)(body + 4);
	out[5] = 1, out[6] = 0, out[7] = (uint8_t)(body >> 8), out[8] = (uint8_t)body;
	return body + 9;
}

static inline size_t rig_server_hello(uint8_t *out)
{
	static const uint8_t tail[] = {0, 0x13, 1, 0, 0, 6, 0, 0x2b, 0, 2, 3, 4};
	size_t body = 2 + 32 + sizeof(tail);

	out[0] = 22, out[1] = 3, out[2] = 3, out[3] = 0, out[4] = (uint8_t)(body + 4);
	out[5] = 2, out[6] = 0, out[7] = 0, out[8] = (uint8_t)body;
	out[9] = 3, out[10] = 3;
	memset(out + 11, 0x55, 32);
	memcpy(out + 43, tail, sizeof(tail));
	return body + 9;
}

static inline void rig_hello(struct rig *r, uint64_t ms, struct rig_conn *c, enum ww_dir dir,
			     bool client, const uint8_t *bytes, size_t n)
{
	struct ww_event_hello *ev = ev_hello(rig_ns(ms), c->cookie, dir, (uint8_t)c->cookie);

	ev->client = client;
	ev->captured = (uint16_t)n;
	ev->record_bytes = (uint32_t)n;
	ev->stream_offset = c->wire[dir];
	memcpy(ev->bytes, bytes, n);
	rig_put(r, ev);
	rig_record(r, ms, c, dir, 22, (uint32_t)n);
}

static inline void rig_counters(struct rig *r, uint64_t ms, struct rig_conn *c, uint16_t kind,
				uint64_t acked, uint8_t how)
{
	struct ww_event_counters *ev =
		ev_counters(kind, rig_ns(ms), c->cookie, c->wire[WW_DIR_OUT], c->wire[WW_DIR_IN]);

	ev->local = c->local;
	ev->peer = c->peer;
	ev->bytes_acked = acked;
	ev->rtt_min_us = c->rtt_us;
	ev->how = how;
	rig_put(r, ev);
}

enum rig_kind { RIG_TLS, RIG_OPAQUE, RIG_PLAIN, RIG_REFUSED };

/* A connection, set up within 2 ms. */
static inline struct rig_conn *rig_connect(struct rig *r, uint64_t ms, uint32_t pid,
					   uint64_t cookie, const char *addr, uint16_t port,
					   const char *name, enum rig_kind kind)
{
	struct ww_event_flow *open;
	struct rig_conn *c;
	uint8_t hello[512];
	size_t n;

	assert(r->conn_count < RIG_CONNS_MAX);
	c = &r->conns[r->conn_count++];
	*c = (struct rig_conn){
		.cookie = cookie,
		.pid = pid,
		.local = ev_endpoint(strncmp(addr, "127.", 4) == 0 ? "127.0.0.1" : "10.0.0.1",
				     (uint16_t)(40000 + cookie)),
		.peer = ev_endpoint(addr, port),
		.role = WW_FLOW_CONNECT,
		.opaque = kind == RIG_OPAQUE,
		.plain = kind == RIG_PLAIN};
	open = ev_open(rig_ns(ms), pid, cookie, c->peer);
	open->local = c->local;
	rig_put(r, open);
	if (kind == RIG_REFUSED) {
		rig_counters(r, ms + 1, c, WW_EVENT_FLOW_CLOSE, 0, WW_CLOSE_REFUSED);
		return c;
	}
	rig_counters(r, ms + 1, c, WW_EVENT_FLOW_STATE, 0, 0);
	if (kind == RIG_PLAIN)
		return c;
	n = rig_client_hello(name, (uint8_t)cookie, hello);
	rig_hello(r, ms + 1, c, WW_DIR_OUT, true, hello, n);
	n = rig_server_hello(hello);
	rig_hello(r, ms + 1, c, WW_DIR_IN, false, hello, n);
	rig_record(r, ms + 1, c, WW_DIR_IN, 23, 800);
	rig_record(r, ms + 2, c, WW_DIR_OUT, 23, RIG_FINISHED);
	return c;
}

/* The end of `cookie` at a process of this host. */
static inline struct rig_conn *rig_accept(struct rig *r, uint64_t ms, uint32_t pid, uint64_t own,
					  uint64_t cookie)
{
	struct rig_conn *c, *from = rig_conn(r, cookie);
	struct ww_event_flow *ev;

	assert(r->conn_count < RIG_CONNS_MAX);
	c = &r->conns[r->conn_count++];
	*c = (struct rig_conn){.cookie = own,
			       .pid = pid,
			       .local = from->peer,
			       .peer = from->local,
			       .role = WW_FLOW_ACCEPT};
	ev = ev_open(rig_ns(ms), pid, own, c->peer);
	ev->h.kind = WW_EVENT_FLOW_OWNER;
	ev->role = WW_FLOW_ACCEPT;
	ev->local = c->local;
	rig_put(r, ev);
	return c;
}

/* What the application writes or reads; of an opaque connection nothing but its size is seen. */
static inline void rig_say(struct rig *r, uint64_t ms, uint64_t cookie, enum ww_dir dir,
			   const char *text)
{
	struct rig_conn *c = rig_conn(r, cookie);
	uint32_t n = (uint32_t)strlen(text);

	if (c->plain) {
		c->wire[dir] += n;
		return;
	}
	if (!c->opaque)
		rig_put(r, ev_data(rig_ns(ms), c->pid, cookie, (uint8_t)cookie, dir,
				   c->plain_bytes[dir], text));
	c->plain_bytes[dir] += n;
	for (uint32_t at = 0; at < n; at += 16384)
		rig_record(r, ms, c, dir, 23, (n - at > 16384 ? 16384 : n - at) + RIG_FRAMING);
}

static inline void rig_stat(struct rig *r, uint64_t ms, uint64_t cookie)
{
	struct rig_conn *c = rig_conn(r, cookie);

	rig_counters(r, ms, c, WW_EVENT_FLOW_STAT, c->wire[WW_DIR_OUT], 0);
}

static inline void rig_end(struct rig *r, uint64_t ms, uint64_t cookie, uint8_t how)
{
	struct rig_conn *c = rig_conn(r, cookie);

	rig_counters(r, ms, c, WW_EVENT_FLOW_CLOSE, c->wire[WW_DIR_OUT], how);
}

/* --- HTTP ---------------------------------------------------------------------------------------
 */

#define RIG_TRACE  "0af7651916cd43dd8448eb211c80319c"
#define RIG_TRACE2 "1bf7651916cd43dd8448eb211c80319c"
#define RIG_PROMPT                                                                       \
	"Please summarise the attached complaint of customer 4711 and say which of the " \
	"three refund rules applies to it, with the paragraph that you rely on."

/* trace: "<trace id>-<span id>", or NULL */
static inline void rig_post(struct rig *r, uint64_t ms, uint64_t cookie, const char *path,
			    const char *host, const char *trace, const char *body)
{
	char text[65536];

	snprintf(text, sizeof(text),
		 "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n"
		 "%s%s%sContent-Length: %zu\r\n\r\n%s",
		 path, host, trace ? "traceparent: 00-" : "", trace ? trace : "",
		 trace ? "-01\r\n" : "", strlen(body), body);
	rig_say(r, ms, cookie, WW_DIR_OUT, text);
}

static inline void rig_answer(struct rig *r, uint64_t ms, uint64_t cookie, unsigned status,
			      const char *body)
{
	char text[65536];

	snprintf(text, sizeof(text),
		 "HTTP/1.1 %u X\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
		 status, strlen(body), body);
	rig_say(r, ms, cookie, WW_DIR_IN, text);
}

static inline void rig_ask(struct rig *r, uint64_t ms, uint64_t cookie, const char *host,
			   const char *trace, const char *prompt)
{
	char body[32768];

	snprintf(body, sizeof(body),
		 "{\"model\":\"gpt-x\",\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}]}",
		 prompt);
	rig_post(r, ms, cookie, "/v1/chat/completions", host, trace, body);
}

static inline void rig_reply(struct rig *r, uint64_t ms, uint64_t cookie, const char *id)
{
	char body[1024];

	snprintf(body, sizeof(body),
		 "{\"id\":\"%s\",\"object\":\"chat.completion\",\"model\":\"gpt-x\",\"choices\":["
		 "{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"ok\"},"
		 "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":9,"
		 "\"completion_tokens\":1,\"total_tokens\":10}}",
		 id);
	rig_answer(r, ms, cookie, 200, body);
}

/* --- spans --------------------------------------------------------------------------------------
 */

/* One span of `pid`, by a connection of its own (`cookie`) to the receiver. */
static inline void rig_span(struct rig *r, uint64_t ms, uint32_t pid, uint64_t cookie,
			    const char *trace, const char *span, const char *region,
			    const char *response)
{
	struct rig_conn *c = rig_connect(r, ms, pid, cookie, "127.0.0.1", 4318, "", RIG_PLAIN);
	struct ww_event_claim *ev;
	char body[2048];

	snprintf(body, sizeof(body),
		 "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"traceId\":\"%s\","
		 "\"spanId\":\"%s\",\"name\":\"chat gpt-x\",\"kind\":3,"
		 "\"startTimeUnixNano\":\"%llu\",\"endTimeUnixNano\":\"%llu\",\"attributes\":["
		 "{\"key\":\"gen_ai.operation.name\",\"value\":{\"stringValue\":\"chat\"}},"
		 "{\"key\":\"cloud.region\",\"value\":{\"stringValue\":\"%s\"}},"
		 "{\"key\":\"gen_ai.response.id\",\"value\":{\"stringValue\":\"%s\"}}]}]}]}]}",
		 trace, span, (unsigned long long)RIG_WALL_NS + 100 * 1000000ull,
		 (unsigned long long)RIG_WALL_NS + 900 * 1000000ull, region, response);
	ev = ev_make(sizeof(*ev) + strlen(body), WW_EVENT_CLAIM, rig_ns(ms + 3), 0, 0);
	ev->h.cpu = WW_EVENT_CPU_USER;
	ev->from = c->local;
	ev->to = c->peer;
	ev->encoding = WW_CLAIM_OTLP_JSON;
	ev->bytes = (uint32_t)strlen(body);
	memcpy(ev->body, body, ev->bytes);
	rig_put(r, ev);
}

/* --- play ---------------------------------------------------------------------------------------
 */

static inline void rig_take(void *ctx, enum ww_record_kind kind, struct ww_slice json)
{
	struct rig *r = ctx;
	json_error_t e;

	assert_int_equal(ww_buf_add(&r->text, json.p, json.n), 0);
	assert_int_equal(ww_buf_add(&r->text, "\n", 1), 0);
	if (kind != WW_RECORD_PATH && kind != WW_RECORD_CROSSING)
		return;
	assert(r->record_count < RIG_RECORDS);
	r->records[r->record_count] =
		json_loadb((const char *)json.p, json.n, JSON_REJECT_DUPLICATES, &e);
	if (!r->records[r->record_count])
		fail_msg("%s: %.*s", e.text, (int)json.n, (const char *)json.p);
	r->record_count++;
}

/* Stable. */
static inline void rig_sort(struct rig *r)
{
	for (unsigned i = 1; i < r->count; i++) {
		struct ww_event *ev = r->ev[i];
		unsigned k = i;

		while (k > 0 && r->ev[k - 1]->time_ns > ev->time_ns) {
			r->ev[k] = r->ev[k - 1];
			k--;
		}
		r->ev[k] = ev;
	}
}

static inline void rig_tick(struct ww_pipeline *p, uint64_t ms)
{
	struct ww_event *ev = ev_tick(rig_ns(ms));

	ev->cpu = WW_EVENT_CPU_USER;
	ww_pipeline_feed(p, ev);
	free(ev);
}

static inline bool rig_in_data_ring(const struct ww_event *ev)
{
	return ev->kind >= WW_EVENT_DATA;
}

#define RIG_ALL UINT32_MAX

/* The ring had no room for the event at `lost`: the count is told before the next tick. */
static inline void rig_play_without(struct rig *r, unsigned lost)
{
	WW_AUTO(ww_pipeline_free_auto) struct ww_pipeline *p = NULL;
	struct ww_contract_error why = {0};
	struct ww_event_loss loss = {0};
	uint64_t ms = 0;

	rig_drop_records(r);
	rig_sort(r);
	assert_int_equal(ww_pipeline_new(&r->cfg, rig_take, r, &p, &why), 0);
	for (unsigned i = 0; i <= r->count; i++) {
		while (ms <= r->end_ms && (i == r->count || rig_ns(ms) <= r->ev[i]->time_ns)) {
			if (loss.events) {
				loss.h.time_ns = rig_ns(ms) - 1;
				ww_pipeline_feed(p, &loss.h);
				loss.events = 0;
			}
			rig_tick(p, ms);
			ms += 100;
		}
		if (i < r->count && i != lost) {
			ww_pipeline_feed(p, r->ev[i]);
		} else if (i < r->count) {
			loss.h = (struct ww_event){.version = WW_EVENT_VERSION,
						   .kind = WW_EVENT_LOSS,
						   .size = sizeof(loss),
						   .cpu = WW_EVENT_CPU_USER,
						   .cgroup = r->ev[i]->cgroup};
			loss.cause = rig_in_data_ring(r->ev[i]) ? WW_LOSS_RING_DATA
								: WW_LOSS_RING_CONTROL;
			loss.events = 1;
		}
	}
	ww_pipeline_finish(p);
	all_derived(ww_buf_slice(&r->text), true);
}

static inline void rig_play(struct rig *r)
{
	rig_play_without(r, RIG_ALL);
}

/* --- what came out ------------------------------------------------------------------------------
 */

static inline const char *rig_text(const json_t *o, const char *key)
{
	const char *t = json_string_value(json_object_get(o, key));

	return t ? t : "";
}

static inline bool rig_is_path_of(const json_t *r, uint32_t pid)
{
	char actor[32];

	snprintf(actor, sizeof(actor), "p%u-", pid);
	return strcmp(rig_text(r, "kind"), "path") == 0 &&
	       strncmp(rig_text(r, "actor"), actor, strlen(actor)) == 0;
}

/* The last revision of the nth path of this process, by the time of its first leg; NULL: none. */
static inline json_t *rig_path_of(const struct rig *r, uint32_t pid, unsigned nth)
{
	for (unsigned i = r->record_count; i > 0; i--) {
		json_t *p = r->records[i - 1];
		unsigned before = 0;
		bool last = true;

		for (unsigned k = 0; k < r->record_count; k++) {
			json_t *q = r->records[k];
			bool same = strcmp(rig_text(q, "path"), rig_text(p, "path")) == 0;

			last = last && !(same && k >= i);
			before += rig_is_path_of(q, pid) && !same &&
				  json_integer_value(json_object_get(q, "revision")) == 1 &&
				  strcmp(rig_text(q, "t"), rig_text(p, "t")) < 0;
		}
		if (rig_is_path_of(p, pid) && last && before == nth)
			return p;
	}
	return NULL;
}

static inline json_t *rig_path(const struct rig *r)
{
	json_t *p = rig_path_of(r, AGENT, 0);

	assert_non_null(p);
	return p;
}

static inline unsigned rig_count(const struct rig *r, const char *kind)
{
	unsigned n = 0;

	for (unsigned i = 0; i < r->record_count; i++)
		n += strcmp(rig_text(r->records[i], "kind"), kind) == 0;
	return n;
}

static inline json_t *rig_crossing(const struct rig *r, uint64_t cookie)
{
	char id[32];

	snprintf(id, sizeof(id), "g-%llx", (unsigned long long)cookie);
	for (unsigned i = 0; i < r->record_count; i++) {
		if (strcmp(rig_text(r->records[i], "id"), id) == 0)
			return r->records[i];
	}
	return NULL;
}

/* The leg with this number. */
static inline json_t *rig_leg(json_t *path, unsigned seq)
{
	json_t *l = json_array_get(json_object_get(path, "legs"), seq - 1);

	assert_non_null(l);
	return l;
}

/* The nth leg with that purpose; NULL: none. */
static inline json_t *rig_leg_for(json_t *path, const char *purpose, unsigned nth)
{
	json_t *l;
	size_t i;

	json_array_foreach(json_object_get(path, "legs"), i, l)
	{
		if (strcmp(rig_text(l, "purpose"), purpose) == 0 && nth-- == 0)
			return l;
	}
	return NULL;
}

static inline json_t *rig_finding(json_t *path, const char *finding, unsigned leg)
{
	json_t *f;
	size_t i;

	json_array_foreach(json_object_get(path, "findings"), i, f)
	{
		if (strcmp(rig_text(f, "finding"), finding) == 0 &&
		    (leg == 0 || json_integer_value(json_object_get(f, "leg")) == (json_int_t)leg))
			return f;
	}
	return NULL;
}

/* Whether the reason is among those that are open. */
static inline bool rig_open_reason(json_t *path, const char *reason)
{
	json_t *o;
	size_t i;

	json_array_foreach(json_object_get(path, "open"), i, o)
	{
		if (strcmp(json_string_value(o), reason) == 0)
			return true;
	}
	return false;
}

static inline void rig_expect(json_t *path, const char *verdict, const char *reason,
			      const char *join)
{
	if (strcmp(rig_text(path, "verdict"), verdict) == 0 &&
	    strcmp(rig_text(path, "reason"), reason) == 0 &&
	    (!join || strcmp(rig_text(path, "join"), join) == 0))
		return;
	fprintf(stderr, "%s\n", json_dumps(path, JSON_INDENT(1)));
	fail_msg("expected %s(%s) %s", verdict, reason, join ? join : "");
}
