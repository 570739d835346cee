/* SPDX-License-Identifier: Apache-2.0 */
/*
 * claim: what the application says it did. Spans arrive as OTLP (opentelemetry-proto 1.x), are decoded without
 * allocation surprises, and carry beside their own attributes one normalised GenAI view, whatever generation of names
 * they were written in. The original keys are kept.
 *
 * Decoding is pure; the receiver (otlp_receiver.h) is the only part with sockets. The sender's process is
 * never taken from the span: the pipeline finds it in the flow table by the connection's ends.
 */
#pragma once

#include <wirewitness/event.h>

#include "actor/actor.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/json_write.h"

enum ww_span_role {
	WW_SPAN_OTHER = 0,
	WW_SPAN_MODEL = 1, /* chat, generate_content, text_completion, embeddings */
	WW_SPAN_TOOL = 2,  /* execute_tool, MCP tools/call */
	WW_SPAN_AGENT = 3, /* invoke_agent, invoke_workflow */
	WW_SPAN_HTTP = 4,  /* HTTP client span */
};

enum ww_span_status { WW_SPAN_UNSET = 0, WW_SPAN_OK = 1, WW_SPAN_ERROR = 2 }; /* OTLP numbers */

/* A declared claim: span event "wirewitness.claim" with claim.* attributes. */
struct ww_declared_claim {
	char claim_id[64];
	char action[64];
	char tool[128];
	char tool_call_id[128];
	bool done; /* claim.tense = done; false: will */
	struct ww_wall deadline; /* 0: none */
	struct ww_wall at;
};

#define WW_SPAN_CLAIMS_MAX 8

struct ww_attr {
	const char *key;   /* owned by the span */
	const char *value; /* scalars as text; arrays and kvlists as JSON text; cut at WW_ATTR_BYTES_MAX */
	uint8_t type;	   /* OTLP AnyValue field number: string 1, bool 2, int 3, double 4, array 5, kvlist 6, bytes 7 */
};

struct ww_span {
	uint8_t trace_id[16];
	uint8_t span_id[8];
	uint8_t parent_id[8]; /* zero: root */
	bool trace_sampled_known; /* flags field present */
	bool trace_sampled;
	uint8_t kind; /* OTLP SpanKind number */
	enum ww_span_status status;
	struct ww_wall start;
	struct ww_wall end;
	char name[256];
	char scope_name[128];
	char service_name[128];

	/* who sent it: from the kernel's flow table; zero when not resolved */
	struct ww_actor_key actor;
	struct ww_actor_key root;
	uint64_t cgroup;
	struct ww_boot received;
	uint32_t said_pid; /* process.pid of the resource, 0: absent: a label, never used for identity */

	/* normalised view */
	enum ww_span_role role;
	char operation[48];	/* gen_ai.operation.name */
	char provider[64];	/* gen_ai.provider.name */
	char model_asked[128];
	char model_served[128];
	char response_id[128];
	char tool_name[128];
	char tool_call_id[128];
	char agent_name[128];
	char conversation_id[128];
	char error_type[64];
	char server_address[256];
	uint16_t server_port;
	char peer_address[64]; /* network.peer.address */
	bool usage_in_present, usage_out_present;
	uint64_t usage_in, usage_out;
	uint8_t generation; /* 1..4: the newest generation of names used in it; 0: none */

	unsigned claim_count;
	struct ww_declared_claim claims[WW_SPAN_CLAIMS_MAX];

	unsigned attr_count;
	struct ww_attr *attrs; /* original keys, in order; owned */
	uint32_t attrs_dropped;
	void *memory; /* one block behind attrs; owned */
};

void ww_span_done(struct ww_span *s);

/* The attribute's text or NULL. Borrowed from the span. */
const char *ww_span_attr(const struct ww_span *s, const char *key);

/* Fills the normalised view from attrs (dialect.c). Keeps attrs as they are. */
void ww_span_normalise(struct ww_span *s);

/* "s-<span id hex>"; out holds WW_SPAN_ID_MAX bytes. */
#define WW_SPAN_ID_MAX 24
void ww_span_id(const struct ww_span *s, char *out);

/* Record body of kind "span": names, ids, times, status, normalised view, attribute keys; values only of an allow-list, else keyed digests. */
void ww_span_write(const struct ww_span *s, const struct ww_digest_key *key, struct ww_jsonw *w);
