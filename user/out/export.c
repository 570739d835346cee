/* SPDX-License-Identifier: Apache-2.0 */
#include "out/export.h"

#include <errno.h>
#include <stdio.h>

#include <wirewitness/limits.h>

#include "out/member.h"

#define HEAD "cursor", "id", "t"

static const struct table {
	const char *kind;
	const char *columns[WW_EXPORT_COLUMNS_MAX + 1];
} tables[] = {
	{"life", {HEAD, "event", "text", "version", "cgroup", "host", "kernel", "bootId"}},
	{"actor",
	 {HEAD, "pid", "nsPid", "parent", "cgroup", "uid", "comm", "exe", "bornInSight", "bootNs",
	  "exitedBootNs", "exitCode"}},
	{"flow",
	 {HEAD,
	  "actor",
	  "cgroup",
	  "proto",
	  "role",
	  "local",
	  "peer",
	  "openBootNs",
	  "closeBootNs",
	  "close",
	  "seenBirth",
	  "kernel.bytesSent",
	  "kernel.bytesAcked",
	  "kernel.bytesReceived",
	  "kernel.datagramsSent",
	  "kernel.datagramsReceived",
	  "tls.version",
	  "tls.sni",
	  "tls.alpn",
	  "tls.ech",
	  "tls.bind",
	  "quic.version",
	  "quic.sni",
	  "quic.alpn",
	  "quic.ech",
	  "account.out.payload",
	  "account.out.explained",
	  "account.out.remainder",
	  "account.out.checked",
	  "account.in.payload",
	  "account.in.explained",
	  "account.in.remainder",
	  "account.in.checked",
	  "lostOut",
	  "lostIn",
	  "exchanges",
	  "where.summary",
	  "where.ambiguous",
	  "carries.protocol",
	  "dns.to",
	  "dns.names.name"}},
	{"lookup", {HEAD,
		    "flow",
		    "actor",
		    "cgroup",
		    "proto",
		    "server",
		    "name",
		    "type",
		    "end",
		    "asks",
		    "askedBootNs",
		    "answeredBootNs",
		    "rcode",
		    "truncated",
		    "answers.name",
		    "answers.type",
		    "answers.address",
		    "answers.target",
		    "unmatched",
		    "unread"}},
	{"guard",
	 {HEAD, "mode", "hook", "actor", "program", "cgroup", "flow", "proto", "peer", "attempts",
	  "agent", "why", "prefix", "rule", "generation", "list"}},
	{"exchange",
	 {HEAD,
	  "flow",
	  "index",
	  "actor",
	  "root",
	  "cgroup",
	  "outcome",
	  "findings",
	  "client",
	  "local",
	  "peer",
	  "sni",
	  "authority",
	  "method",
	  "path",
	  "status",
	  "webSocket.from",
	  "webSocket.type",
	  "traceId",
	  "spanId",
	  "requestId",
	  "retryAfterS",
	  "request.bytes",
	  "request.firstBootNs",
	  "response.bytes",
	  "response.lastBootNs"}},
	{"model_call",
	 {HEAD, "exchange", "actor", "provider", "findings", "streamed", "status", "modelAsked",
	  "modelServed", "responseId", "requestId", "stopReason", "errorType", "messages",
	  "usage.input", "usage.output", "toolCalls.name", "toolCalls.id", "toolResults.id"}},
	{"mcp_call",
	 {HEAD, "exchange", "actor", "tool", "traceId", "spanId", "answer", "streamed", "errorCode",
	  "arguments.bytes", "arguments.digest", "result.bytes", "result.digest"}},
	{"run",
	 {HEAD, "actor", "root", "cgroup", "exe", "end", "exitCode", "signal", "beganBootNs",
	  "endedBootNs"}},
	{"change",
	 {HEAD, "actor", "root", "cgroup", "files", "what", "pathDigest", "sinceBootNs",
	  "byBootNs"}},
	{"attestation",
	 {HEAD, "action", "tool", "by", "outcome", "attester", "attestedAt", "expiresAt",
	  "referenceDigest", "envelope.payload", "envelope.signatures.sig", "path", "subject",
	  "says.region", "says.operator", "says.service", "says.t", "says.basis"}},
	{"path",
	 {HEAD,
	  "path",
	  "revision",
	  "verdict",
	  "reason",
	  "evidence",
	  "join",
	  "agent",
	  "program",
	  "actor",
	  "root",
	  "cgroup",
	  "traceIds",
	  "promptDigest",
	  "promptBytes",
	  "findings.finding",
	  "findings.leg",
	  "legsTotal",
	  "legs.purpose",
	  "legs.cause",
	  "legs.peer",
	  "legs.authority",
	  "legs.requestBytes",
	  "legs.requestAckedBytes",
	  "legs.outcome",
	  "legs.evidence",
	  "legs.place.labels.region",
	  "legs.place.labels.home",
	  "legs.place.labels.table",
	  "legs.place.bounds.tcp.withinKm",
	  "legs.place.bounds.tcp.excluded",
	  "legs.claims.by",
	  "legs.claims.says",
	  "horizon.ends",
	  "opaqueTotal",
	  "policy",
	  "tables",
	  "supersedes",
	  "summary"}},
	{"crossing",
	 {HEAD,
	  "flow",
	  "actor",
	  "root",
	  "cgroup",
	  "agent",
	  "peer",
	  "proto",
	  "names",
	  "handshakeBytes",
	  "payloadBytesAcked",
	  "requestAcked",
	  "evidence",
	  "findings",
	  "place.labels.region",
	  "place.labels.home",
	  "place.labels.table",
	  "place.bounds.tcp.withinKm",
	  "place.bounds.tcp.excluded",
	  "policy",
	  "tables",
	  "summary"}},
	{"span", {HEAD,         "end",        "traceId",    "spanId",   "parentId",   "name",
		  "role",       "status",     "service",    "actor",    "root",       "cgroup",
		  "tool",       "toolCallId", "operation",  "provider", "modelAsked", "modelServed",
		  "responseId", "errorType",  "generation", "conflicts"}},
	{"action",
	 {HEAD,          "tool",           "toolCallId", "actor",        "root",
	  "cgroup",      "effect",         "said.claim", "span.id",      "span.traceId",
	  "span.status", "model.exchange", "wire.wire",  "wire.status",  "wire.destination",
	  "wire.peer",   "wire.method",    "wire.path",  "wire.retries", "wire.exchange",
	  "wire.flow"}},
	{"verdict",
	 {HEAD,
	  "action",
	  "verdict",
	  "reason",
	  "evidence",
	  "tier",
	  "join",
	  "by",
	  "n",
	  "engine",
	  "tool",
	  "toolCallId",
	  "actor",
	  "root",
	  "cgroup",
	  "said.claim",
	  "span.id",
	  "span.traceId",
	  "span.status",
	  "span.start",
	  "span.end",
	  "wire.wire",
	  "wire.status",
	  "wire.destination",
	  "wire.peer",
	  "wire.method",
	  "wire.path",
	  "wire.retries",
	  "wire.exchange",
	  "wire.flow",
	  "attested.wireVerdict",
	  "attested.attestations.attestation",
	  "attested.attestations.attester",
	  "attested.attestations.outcome",
	  "contracts",
	  "refs",
	  "reevaluates.verdict",
	  "reevaluates.contracts",
	  "supersedes",
	  "summary"}},
	{"coverage",
	 {HEAD, "cgroup", "path", "fromBootNs", "toBootNs", "tcp", "udp", "raw", "unix",
	  "processes", "lostEvents", "lostBytes", "beyondCapBytes", "marksTotal"}},
	{"loss", {HEAD, "cgroup", "cause", "events", "bytes"}},
	{"finding", {HEAD, "finding"}},
	{"key_rotation", {HEAD, "index", "oldKey", "newKey"}},
	{"prune",
	 {HEAD, "by", "forced", "olderThanS", "cutoff", "kinds", "first", "last", "records"}},
	{"report", {HEAD, "entry.spec.dsseV002.payloadHash.digest"}},
};

static const struct table *find(const char *kind)
{
	for (size_t i = 0; i < WW_ARRAY_SIZE(tables); i++)
		if (strcmp(kind, tables[i].kind) == 0)
			return &tables[i];
	return NULL;
}

bool ww_export_kind_ok(const char *kind)
{
	return find(kind) != NULL;
}

const char *ww_export_column(const char *kind, unsigned i)
{
	const struct table *t = find(kind);

	return t && i <= WW_EXPORT_COLUMNS_MAX ? t->columns[i] : NULL;
}

/* --- cells --------------------------------------------------------------------------------------
 */

static bool is_formula(struct ww_slice text)
{
	return text.n > 0 && text.p[0] != '\0' && strchr("=+-@\t\r\n", text.p[0]) != NULL;
}

static int add_quoted(struct ww_slice text, struct ww_buf *out)
{
	int r = ww_buf_add(out, "\"", 1);

	for (size_t i = 0; i < text.n && r == 0; i++) {
		if (text.p[i] == '"')
			r = ww_buf_add(out, "\"", 1);
		if (r == 0)
			r = ww_buf_add(out, &text.p[i], 1);
	}
	return r == 0 ? ww_buf_add(out, "\"", 1) : r;
}

static int add_cell(struct ww_slice text, bool number, struct ww_buf *out)
{
	WW_AUTO_BUF struct ww_buf safe = {0};
	int r = 0;

	if (!number && is_formula(text)) {
		ww_buf_init(&safe, text.n + 1);
		r = ww_buf_add(&safe, "'", 1);
		if (r == 0)
			r = ww_buf_add(&safe, text.p, text.n);
		text = ww_buf_slice(&safe);
	}
	for (size_t i = 0; i < text.n && r == 0; i++)
		if (text.p[i] == ',' || text.p[i] == '"' || text.p[i] == '\r' || text.p[i] == '\n')
			return add_quoted(text, out);
	return r == 0 ? ww_buf_add(out, text.p, text.n) : r;
}

/* Appends a value as text; nothing for null. */
static int add_value(const struct ww_json_token *v, struct ww_buf *text)
{
	switch (v->type) {
	case WW_JSON_STRING:
		return ww_json_unescape(v, text);
	case WW_JSON_NUMBER:
		return ww_buf_add(text, v->raw.p, v->raw.n);
	case WW_JSON_TRUE:
		return ww_buf_add(text, "true", 4);
	case WW_JSON_FALSE:
		return ww_buf_add(text, "false", 5);
	default:
		return 0;
	}
}

struct cell {
	struct ww_buf text;
	bool text_like; /* not numbers alone */
};

/* One walk over the record fills the cells. */
static int fill(const struct table *t, struct ww_slice record, struct cell *cells)
{
	struct ww_member_walk w;
	struct ww_member m;
	int r = 0;

	ww_member_begin(&w, record);
	while (r == 0 && ww_member_next(&w, &m)) {
		unsigned i = 1;

		while (t->columns[i] && !ww_slice_eq_str(m.path, t->columns[i]))
			i++;
		if (!t->columns[i])
			continue;
		if (cells[i].text.n)
			r = ww_buf_add(&cells[i].text, " ", 1);
		cells[i].text_like |= m.value.type != WW_JSON_NUMBER;
		if (r == 0)
			r = add_value(&m.value, &cells[i].text);
	}
	return r == 0 && !ww_member_ok(&w) ? -EINVAL : r;
}

static int write_row(const struct table *t, uint64_t index, const struct cell *cells,
		     struct ww_buf *out)
{
	char number[24];
	int n = snprintf(number, sizeof(number), "%llu", (unsigned long long)index);
	int r = ww_buf_add(out, number, (size_t)n);

	for (unsigned i = 1; r == 0 && t->columns[i]; i++) {
		r = ww_buf_add(out, ",", 1);
		if (r == 0)
			r = add_cell(ww_buf_slice(&cells[i].text), !cells[i].text_like, out);
	}
	return r == 0 ? ww_buf_add(out, "\r\n", 2) : r;
}

int ww_export_titles(const char *kind, struct ww_buf *out)
{
	const struct table *t = find(kind);
	int r = t ? 0 : -EINVAL;

	for (unsigned i = 0; r == 0 && t->columns[i]; i++) {
		if (i)
			r = ww_buf_add(out, ",", 1);
		if (r == 0)
			r = ww_buf_add(out, t->columns[i], strlen(t->columns[i]));
	}
	return r == 0 ? ww_buf_add(out, "\r\n", 2) : r;
}

int ww_export_row(const char *kind, uint64_t index, struct ww_slice record, struct ww_buf *out)
{
	struct cell cells[WW_EXPORT_COLUMNS_MAX + 1] = {0};
	const struct table *t = find(kind);
	int r;

	if (!t)
		return -EINVAL;
	for (unsigned i = 0; i < WW_ARRAY_SIZE(cells); i++)
		ww_buf_init(&cells[i].text, 2 * WW_RECORD_BYTES_MAX);
	r = fill(t, record, cells);
	if (r == 0)
		r = write_row(t, index, cells, out);
	for (unsigned i = 0; i < WW_ARRAY_SIZE(cells); i++)
		ww_buf_done(&cells[i].text);
	return r;
}
