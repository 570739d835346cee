/* SPDX-License-Identifier: Apache-2.0 */
/*
 * claim: what the application says it did. Spans arrive as OTLP (opentelemetry-proto 1.x), are
 * decoded without allocation surprises, and carry beside their own attributes one normalised GenAI
 * view, whatever generation of names they were written in. The original keys are kept.
 *
 * Decoding is pure; the receiver (otlp_receiver.h) is the only part with sockets. The sender's
 * process is never taken from the span: the pipeline finds it in the flow table by the connection's
 * ends.
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

/* As it stands in records; static text. */
const char *ww_span_status_name(enum ww_span_status s);

/* A declared claim: span event "wirewitness.claim" with claim.* attributes. */
struct ww_declared_claim {
	char claim_id[64];
	char action[64];
	char tool[128];
	char tool_call_id[128];
	bool done;               /* claim.tense = done; false: will */
	struct ww_wall deadline; /* 0: none */
	struct ww_wall at;
};

#define WW_SPAN_CLAIMS_MAX 8

struct ww_attr {
	const char *key;   /* owned by the span */
	const char *value; /* scalars as text; arrays and kvlists as JSON text; cut at
			      WW_ATTR_BYTES_MAX */
	uint8_t type; /* OTLP AnyValue field number: string 1, bool 2, int 3, double 4, array 5,
			 kvlist 6, bytes 7; 0: no value */
	bool cut;     /* value is only the beginning */
};

/*
 * The normalised view, one row per member: X(enum suffix, member, name in records).
 * ww_span.conflicts has the bit of a row whose sources disagree.
 */
#define WW_SPAN_TEXTS(X)                                    \
	X(OPERATION, operation, "operation")                \
	X(PROVIDER, provider, "provider")                   \
	X(MODEL_ASKED, model_asked, "modelAsked")           \
	X(MODEL_SERVED, model_served, "modelServed")        \
	X(RESPONSE_ID, response_id, "responseId")           \
	X(REQUEST_ID, request_id, "requestId")              \
	X(TOOL_NAME, tool_name, "tool")                     \
	X(TOOL_CALL_ID, tool_call_id, "toolCallId")         \
	X(AGENT_NAME, agent_name, "agent")                  \
	X(CONVERSATION_ID, conversation_id, "conversation") \
	X(ERROR_TYPE, error_type, "errorType")              \
	X(SERVER_ADDRESS, server_address, "serverAddress")  \
	X(PEER_ADDRESS, peer_address, "peerAddress")        \
	X(REGION, region, "region")
#define WW_SPAN_NUMBERS(X)                        \
	X(SERVER_PORT, server_port, "serverPort") \
	X(USAGE_IN, usage_in, "usageIn")          \
	X(USAGE_OUT, usage_out, "usageOut")
#define WW_SPAN_FIELDS(X) WW_SPAN_TEXTS(X) WW_SPAN_NUMBERS(X)

#define WW_SPAN_FIELD_ENUM_(n, m, t) WW_SPAN_FIELD_##n,
enum ww_span_field { WW_SPAN_FIELDS(WW_SPAN_FIELD_ENUM_) WW_SPAN_FIELD_MAX };

struct ww_span {
	uint8_t trace_id[16];
	uint8_t span_id[8];
	uint8_t parent_id[8];     /* zero: root */
	bool trace_sampled_known; /* flags field present */
	bool trace_sampled;
	uint8_t kind; /* OTLP SpanKind number */
	enum ww_span_status status;
	struct ww_wall start;
	struct ww_wall end;
	char name[256];
	char scope_name[128];
	char service_name[128];
	char sender_region[64]; /* cloud.region of the resource: where the sender says it runs
				   itself, not where it calls */

	/* who sent it: from the kernel's flow table; zero when not resolved */
	struct ww_actor_key actor;
	struct ww_actor_key root;
	uint64_t cgroup;
	struct ww_boot received;
	uint32_t said_pid; /* process.pid of the resource, 0: absent: a label, never used for
			      identity */

	/* normalised view */
	enum ww_span_role role;
	char operation[48]; /* gen_ai.operation.name */
	char provider[64];  /* gen_ai.provider.name */
	char model_asked[128];
	char model_served[128];
	char response_id[128];
	char request_id[128]; /* the provider's id of the HTTP request (anthropic.request.id,
				 aws.request_id) */
	char tool_name[128];
	char tool_call_id[128];
	char agent_name[128];
	char conversation_id[128];
	char error_type[64];
	char server_address[256];
	uint16_t server_port;
	char peer_address[64]; /* network.peer.address */
	char region[64];       /* cloud.region of the span: of what it calls */
	bool usage_in_present, usage_out_present;
	uint64_t usage_in, usage_out;
	uint8_t generation; /* 1..4: the newest generation of names used in it; 0: none */
	uint32_t conflicts; /* bits 1u << enum ww_span_field: sources disagreed, the newest
			       generation was taken */

	unsigned claim_count;
	struct ww_declared_claim claims[WW_SPAN_CLAIMS_MAX];
	uint32_t claims_dropped; /* over the ceiling, or malformed */
	uint32_t events_dropped; /* not looked at: over WW_SPAN_EVENTS_MAX */

	unsigned attr_count;
	struct ww_attr *attrs;  /* original keys, in order; owned through memory */
	uint32_t attrs_dropped; /* over a ceiling */
	void *memory;           /* the one block that holds attrs, keys and values; owned */
};

/* Releases the memory and leaves a span without attributes. */
void ww_span_done(struct ww_span *s);

/* The text of the first attribute with this key, or NULL. Borrowed from the span. */
const char *ww_span_attr(const struct ww_span *s, const char *key);

/*
 * Fills the normalised view from attrs (dialect.c), which stay as they are; view and conflicts are
 * made anew. ww_otlp_decode() has already called it.
 */
void ww_span_normalise(struct ww_span *s);

/* "s-<span id hex>"; out holds WW_SPAN_ID_MAX bytes. */
#define WW_SPAN_ID_MAX 24
void ww_span_id(const struct ww_span *s, char *out);

/*
 * Record of kind "span", one object from {"kind":"span","id":...,"t":start} on: names, ids, times,
 * status, normalised view, claims, attribute keys; values only of the keys that dialect.c knows as
 * names and numbers, of all others the keyed digest and the length of what was kept. Fits in
 * WW_RECORD_BYTES_MAX.
 */
void ww_span_write(const struct ww_span *s, const struct ww_digest_key *key, struct ww_jsonw *w);
