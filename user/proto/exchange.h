/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange: one request and its response on a flow, or one message of a WebSocket. What the parsers
 * of proto/ produce and all later stages read. On a channel it is a JSON-RPC request: its method is
 * the protocol's, and it has neither target nor status.
 *
 * The struct is plain and copyable; only what the two bodies point to is borrowed, valid during the
 * callback in which the exchange is delivered (copies must clear it). Strings are bounded and
 * NUL-terminated; a longer value is cut and the finding WW_X_CUT set.
 */
#pragma once

#include <wirewitness/event.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/json_write.h"
#include "flow/flow.h"
#include "proto/place_claim.h"

enum ww_exchange_outcome {
	WW_X_OPEN = 0,      /* not finished */
	WW_X_COMPLETE = 1,  /* request and final response decoded to their ends */
	WW_X_NO_REPLY = 2,  /* request sent, connection ended in order, no response byte */
	WW_X_RESET = 3,     /* connection reset or timed out before the response was complete */
	WW_X_CUT_SHORT = 4, /* response began; its end was not reached, or is lost (GAP_RESPONSE) */
	WW_X_REQUEST_CUT = 5, /* the request's own end was not reached, or is lost (GAP_REQUEST) */
	WW_X_UPGRADED = 6, /* 101, or 2xx to CONNECT: what follows is WebSocket, or opaque here */
	WW_X_UNPARSED = 7, /* not HTTP, or broken: bytes counted, nothing decoded */
	WW_X_MESSAGE = 8,  /* one message of a WebSocket, framed to its end */
	WW_X_MESSAGE_CUT = 9, /* its end was not reached, or is lost (GAP_*) */
};

enum ww_coding {
	WW_CODING_IDENTITY = 0,
	WW_CODING_GZIP = 1,
	WW_CODING_DEFLATE = 2,
	WW_CODING_OTHER = 3,
	WW_CODING_BR = 4,
	WW_CODING_ZSTD = 5,
};

/* Findings, a bit set; names in exchange.c's table. */
#define WW_X_MALFORMED_REQUEST  (1u << 0)
#define WW_X_MALFORMED_RESPONSE (1u << 1)
#define WW_X_MALFORMED_CODING   (1u << 2) /* coded stream broken */
#define WW_X_MALFORMED_BODY     (1u << 3) /* JSON or an event stream broken where expected */
#define WW_X_GAP_REQUEST        (1u << 4) /* bytes lost inside */
#define WW_X_GAP_RESPONSE       (1u << 5)
#define WW_X_CUT                (1u << 6) /* a field was longer than its bound */
#define WW_X_TRUNCATED_REQUEST \
	(1u << 7) /* body beyond the cap: counted, digest covers the kept part */
#define WW_X_TRUNCATED_RESPONSE (1u << 8)
#define WW_X_CODING_UNKNOWN     (1u << 9)  /* not undone here: body kept encoded */
#define WW_X_BOMB               (1u << 10) /* inflation ratio over the ceiling */
#define WW_X_RESPONSE_FIRST     (1u << 11) /* response without a known request (joined late) */
#define WW_X_LIMIT              (1u << 12) /* a ceiling of limits.h was reached (heads, headers, pipeline) */
#define WW_X_FOUND_AGAIN \
	(1u << 13) /* after lost request bytes: may be the content of a message begun in them */
#define WW_X_FIELDS_UNKNOWN \
	(1u << 14) /* HTTP/2: fields refer to a header table that was lost to us in part */

struct ww_form;

struct ww_body {
	struct ww_slice data;   /* decoded content kept, borrowed; empty when nothing was kept */
	uint64_t wire_bytes;    /* content as transferred, after chunked framing */
	uint64_t decoded_bytes; /* after content coding; equals wire_bytes for identity */
	bool whole;             /* data is the entire decoded content */
	bool by_close;          /* its end was told by that of the connection alone: maybe a cut */
	enum ww_coding coding;
	struct ww_sha256 digest; /* keyed digest of the kept decoded content */
	char content_type[128];
	const struct ww_form *form; /* of a request, borrowed as data (multipart.h); NULL: none */
};

struct ww_trace_context {
	bool present;
	uint8_t trace_id[16];
	uint8_t span_id[8];
	uint8_t flags;
};

/* What a gRPC server says of the call, at the end of its answer. */
struct ww_grpc_status {
	bool told;  /* there was such a field */
	bool known; /* and it can be read: code */
	uint16_t code;
};

/* What an answer that is a stream of framed events (aws_stream.h) says by them. */
struct ww_event_facts {
	bool present;
	bool whole;     /* read to its end, and it ended behind a message */
	uint32_t count; /* events, those counted below included */
	uint32_t failures;
	char failure[64]; /* name of the first; empty: none, or no name */
};

enum ww_ws_type {
	WW_WS_NONE = 0, /* no message of a WebSocket */
	WW_WS_TEXT = 1, /* the opcodes of RFC 6455 */
	WW_WS_BINARY = 2,
	WW_WS_CLOSE = 8,
};

/* Of a message of a WebSocket. It stands in the request where the client sent it, else in the
 * response; the other one is empty. */
struct ww_ws_message {
	uint8_t type;        /* enum ww_ws_type */
	uint16_t close_code; /* of CLOSE; 0: none */
	uint32_t opened_by;  /* index of the exchange that was upgraded */
	uint32_t number;     /* 0-based among those of its sender */
	uint32_t frames;
	uint32_t controls; /* pings and pongs of the sender since the message before it */
};

struct ww_exchange {
	uint64_t cookie; /* the flow */
	uint32_t index;  /* 0-based on the flow */
	enum ww_exchange_outcome outcome;
	uint32_t findings;         /* WW_X_* bits */
	struct ww_actor_key actor; /* owner of the flow */
	struct ww_actor_key root;
	uint64_t cgroup;
	bool client; /* the watched process sent the request */
	struct ww_endpoint peer;
	struct ww_endpoint local;
	char sni[256];                   /* TLS name, empty: absent */
	char authority[256];             /* Host */
	bool channel;                    /* the flow is a channel, */
	char program[WW_PATH_BYTES_MAX]; /* and this was asked; empty: not known */
	char called[17];                 /* by which name it was executed, cut */
	char method[24];
	char target[1024]; /* request target as sent (path and query) */
	uint16_t status;   /* 0: none */
	uint32_t stream;   /* of HTTP/2; 0: HTTP/1 */
	struct ww_grpc_status grpc;
	struct ww_event_facts events;
	struct ww_ws_message ws;
	struct ww_boot t_first_req; /* 0: not reached */
	struct ww_boot t_last_req;
	struct ww_boot t_first_resp;
	struct ww_boot t_last_resp;
	/* Byte range in the flow's plaintext, by direction of the request: head and body as on the
	 * wire. HTTP/2: from the first to the last byte, with what other streams sent in between.
	 */
	uint64_t req_offset;
	uint64_t req_bytes;
	uint64_t resp_offset;
	uint64_t resp_bytes;
	struct ww_trace_context trace; /* traceparent of the request (W3C Trace Context) */
	/* Response: x-request-id, request-id, else apim-request-id or x-amzn-requestid. */
	char request_id[128];
	/* The longest value of the request's fields, those left out that say who asks: with few
	 * exceptions they are not kept. Never recorded. */
	uint32_t field_bytes;
	bool caller_known; /* all fields of the request were seen; */
	uint64_t caller;   /* keyed digest of those that say who asks, 0: none. Never recorded */
	char idempotency_key_digest[65]; /* hex keyed digest, empty: no such header */
	uint32_t retry_after_s; /* seconds; 0: absent (dates give 0 and stay in no field) */
	bool retry_after;
	struct ww_place_claims places; /* of fields, host names and the path; see place_claim.h */
	struct ww_body req;
	struct ww_body resp;
};

/* "x-<cookie hex>-<index>"; out holds WW_EXCHANGE_ID_MAX bytes. */
#define WW_EXCHANGE_ID_MAX 40
void ww_exchange_id(const struct ww_exchange *x, char *out);

/* Whether it is a gRPC call (content type application/grpc, also with a suffix or parameters). */
bool ww_exchange_is_grpc(const struct ww_exchange *x);

/* "text", "binary", "close"; static text, "unknown" for others. */
const char *ww_ws_type_name(enum ww_ws_type t);

/* As it stands in records; static text, "unknown" for other numbers. */
const char *ww_exchange_outcome_name(enum ww_exchange_outcome o);

/* "malformed-request" ...: the name of one WW_X_* bit, NULL for no such bit. */
const char *ww_exchange_finding_name(uint32_t bit);

/* Target without query, numbers and ids replaced by "{}" so that no content leaks: out has 256
 * bytes. */
void ww_exchange_path_template(const char *target, char *out);

/* Writes the record body of kind "exchange" as an object. Never content: sizes, digests, template,
 * names. */
void ww_exchange_write(const struct ww_exchange *x, const struct ww_clock_map *clock,
		       struct ww_jsonw *w);
