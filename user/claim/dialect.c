/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many names for one thing, one table. Each row says of an attribute name: which member of the
 * normalised view it fills, which generation of OpenTelemetry's GenAI names brought it, and whether
 * its value may stand in a record.
 *
 * Generations: 1 up to 1.26, 2 from 1.27 to 1.36, 3 from 1.37 (provider.name, structured messages),
 * 4 the GenAI repository's own releases. 0: not of OpenTelemetry's GenAI names.
 *
 * Numbered invariants:
 *  1. Rows of one field stand newest generation first, then other dialects: the first row present
 *     wins.
 *  2. A later row that says something else sets the field's conflict bit, unless it is a HINT (a
 *     coarser or a related thing).
 *  3. Attributes are never changed; a value longer than its member is cut in the view only.
 */
#include "claim/dialect.h"

#include <ctype.h>

#include "base/own.h"
#include "claim/span.h"
#include "claim/text.h"

#define NONE WW_SPAN_FIELD_MAX

enum {
	HINT = 1,    /* fills an empty field, never contradicts */
	CONTENT = 2, /* the value may not stand in a record */
	PREFIX = 4,  /* all names that begin with key */
	ONLY = 8,    /* values that the map does not know are no answer */
};

struct word {
	const char *from;
	const char *to;
};

static const struct word providers[] = {
	{"az.ai.openai", "azure.ai.openai"},
	{"az.ai.inference", "azure.ai.inference"},
	{"vertex_ai", "gcp.vertex_ai"},
	{"vertexai", "gcp.vertex_ai"},
	{"gemini", "gcp.gemini"},
	{"xai", "x_ai"},
	{"mistralai", "mistral_ai"},
	{"aws", "aws.bedrock"},
	{0},
};

static const struct word mcp_methods[] = {{"tools/call", "execute_tool"}, {0}};

static const struct word openinference_kinds[] = {
	{"LLM", "chat"},          {"EMBEDDING", "embeddings"}, {"RETRIEVER", "retrieval"},
	{"TOOL", "execute_tool"}, {"AGENT", "invoke_agent"},   {0},
};

static const struct word traceloop_kinds[] = {
	{"tool", "execute_tool"},
	{"agent", "invoke_agent"},
	{"workflow", "invoke_workflow"},
	{0},
};

static const struct word request_types[] = {
	{"chat", "chat"},
	{"completion", "text_completion"},
	{"embedding", "embeddings"},
	{0},
};

struct row {
	const char *key;
	uint8_t key_bytes;
	enum ww_span_field field;
	uint8_t generation;
	uint8_t flags;
	const struct word *map;    /* values in other words */
	const char *implies;       /* the field's value, whatever the attribute's */
	const char *of_operations; /* holds only when the operation is one of these words */
};

/* A name that fills a member of the view, and one that only marks a generation or may be kept. */
#define FILLS(k, g, f, ...)                                                \
	{                                                                  \
		.key = (k), .key_bytes = sizeof(k) - 1, .generation = (g), \
		.field = WW_SPAN_FIELD_##f, __VA_ARGS__                    \
	}
#define MARK(k, g, ...)                                                                   \
	{                                                                                 \
		.key = (k), .key_bytes = sizeof(k) - 1, .generation = (g), .field = NONE, \
		__VA_ARGS__                                                               \
	}

static const struct row rows[] = {
	FILLS("gen_ai.operation.name", 2, OPERATION),
	FILLS("mcp.method.name", 3, OPERATION, .flags = ONLY, .map = mcp_methods),
	FILLS("openinference.span.kind", 0, OPERATION, .flags = HINT | ONLY,
	      .map = openinference_kinds),
	FILLS("traceloop.span.kind", 0, OPERATION, .flags = HINT | ONLY, .map = traceloop_kinds),
	FILLS("llm.request.type", 0, OPERATION, .flags = HINT | ONLY, .map = request_types),

	FILLS("gen_ai.provider.name", 3, PROVIDER, .map = providers),
	FILLS("gen_ai.system", 1, PROVIDER, .map = providers),
	FILLS("llm.provider", 0, PROVIDER, .flags = HINT, .map = providers),
	FILLS("llm.system", 0, PROVIDER, .flags = HINT, .map = providers),
	FILLS("anthropic.", 0, PROVIDER, .flags = HINT | PREFIX | CONTENT, .implies = "anthropic"),

	FILLS("gen_ai.request.model", 1, MODEL_ASKED),
	FILLS("llm.request.model_name", 0, MODEL_ASKED),
	FILLS("embedding.model_name", 0, MODEL_ASKED, .flags = HINT),
	FILLS("llm.model_name", 0, MODEL_ASKED, .flags = HINT),
	FILLS("gen_ai.response.model", 1, MODEL_SERVED),
	FILLS("llm.response.model_name", 0, MODEL_SERVED),
	FILLS("gen_ai.response.id", 1, RESPONSE_ID),
	FILLS("anthropic.request.id", 0, REQUEST_ID),
	FILLS("aws.request_id", 0, REQUEST_ID),

	FILLS("gen_ai.tool.name", 2, TOOL_NAME),
	FILLS("tool.name", 0, TOOL_NAME),
	FILLS("traceloop.entity.name", 0, TOOL_NAME, .flags = HINT,
	      .of_operations = "execute_tool"),
	FILLS("gen_ai.tool.call.id", 2, TOOL_CALL_ID),
	FILLS("tool_call.id", 0, TOOL_CALL_ID),
	FILLS("tool.id", 0, TOOL_CALL_ID, .flags = HINT),

	FILLS("gen_ai.agent.name", 2, AGENT_NAME),
	FILLS("gen_ai.workflow.name", 3, AGENT_NAME, .flags = HINT),
	FILLS("agent.name", 0, AGENT_NAME),
	FILLS("traceloop.entity.name", 0, AGENT_NAME, .flags = HINT,
	      .of_operations = "invoke_agent invoke_workflow"),
	FILLS("gen_ai.conversation.id", 2, CONVERSATION_ID),
	FILLS("session.id", 0, CONVERSATION_ID, .flags = HINT),

	FILLS("error.type", 0, ERROR_TYPE),
	FILLS("server.address", 0, SERVER_ADDRESS),
	FILLS("net.peer.name", 0, SERVER_ADDRESS),
	FILLS("server.port", 0, SERVER_PORT),
	FILLS("net.peer.port", 0, SERVER_PORT),
	FILLS("network.peer.address", 0, PEER_ADDRESS),
	FILLS("net.sock.peer.addr", 0, PEER_ADDRESS),
	FILLS("net.peer.ip", 0, PEER_ADDRESS),
	/* Of a span: where what it calls runs. aws.region is the older name of it. */
	FILLS("cloud.region", 0, REGION),
	FILLS("aws.region", 0, REGION),

	FILLS("gen_ai.usage.input_tokens", 2, USAGE_IN),
	FILLS("gen_ai.usage.prompt_tokens", 1, USAGE_IN),
	FILLS("llm.token_count.prompt", 0, USAGE_IN),
	FILLS("gen_ai.usage.output_tokens", 2, USAGE_OUT),
	FILLS("gen_ai.usage.completion_tokens", 1, USAGE_OUT),
	FILLS("llm.token_count.completion", 0, USAGE_OUT),

	/* Marks of a generation, and names whose values may be kept. */
	MARK("gen_ai.usage.cache_write.input_tokens", 4),
	MARK("gen_ai.retrieval.top_k", 4),
	MARK("gen_ai.prompt.version", 4),
	MARK("gen_ai.request.previous_response.id", 4),
	MARK("gen_ai.conversation.compacted", 4),
	MARK("gen_ai.prompt.name", 3),
	MARK("gen_ai.input.messages", 3, .flags = CONTENT),
	MARK("gen_ai.output.messages", 3, .flags = CONTENT),
	MARK("gen_ai.system_instructions", 3, .flags = CONTENT),
	MARK("gen_ai.tool.definitions", 3, .flags = CONTENT),
	MARK("gen_ai.tool.call.arguments", 3, .flags = CONTENT),
	MARK("gen_ai.tool.call.result", 3, .flags = CONTENT),
	MARK("gen_ai.usage.cache_creation.input_tokens", 3),
	MARK("gen_ai.usage.cache_read.input_tokens", 3),
	MARK("openai.", 3, .flags = PREFIX),
	MARK("mcp.protocol.version", 3),
	MARK("gen_ai.openai.", 2, .flags = PREFIX),
	MARK("gen_ai.output.type", 2),
	MARK("gen_ai.agent.id", 2),
	MARK("gen_ai.tool.type", 2),
	MARK("gen_ai.request.seed", 2),
	MARK("gen_ai.request.choice.count", 2),
	MARK("gen_ai.request.max_tokens", 1),
	MARK("gen_ai.request.temperature", 1),
	MARK("gen_ai.request.top_p", 1),
	MARK("gen_ai.request.top_k", 1),
	MARK("gen_ai.response.finish_reasons", 1),
	MARK("gen_ai.usage.", 1, .flags = PREFIX),
	MARK("gen_ai.", 1, .flags = PREFIX | CONTENT),

	MARK("llm.token_count.", 0, .flags = PREFIX),
	MARK("traceloop.workflow.name", 0),
	MARK("anthropic.organization.id", 0),
	MARK("anthropic.workspace.id", 0),
	MARK("anthropic.message.stop_reason", 0),
	MARK("jsonrpc.request.id", 0),
	MARK("http.request.method", 0),
	MARK("http.request.resend_count", 0),
	MARK("http.response.status_code", 0),
	MARK("http.method", 0),
	MARK("http.status_code", 0),
	MARK("network.peer.port", 0),
	MARK("network.protocol.name", 0),
	MARK("network.protocol.version", 0),
	MARK("network.transport", 0),
	MARK("url.scheme", 0),
};

/* --- members of the view ------------------------------------------------------------------------
 */

/* Numbers come after texts in WW_SPAN_FIELDS. */
#define FIRST_NUMBER WW_SPAN_FIELD_SERVER_PORT

struct place {
	size_t at;
	size_t size;
};

static const struct place places[] = {
#define PLACE(n, member, text) \
	[WW_SPAN_FIELD_##      \
		n] = {offsetof(struct ww_span, member), sizeof(((struct ww_span *)0)->member)},
	WW_SPAN_FIELDS(PLACE)
#undef PLACE
};

/* Holds the text of any member. */
#define TEXT_MAX 257

static char *member_text(struct ww_span *s, enum ww_span_field field)
{
	return (char *)s + places[field].at;
}

static bool number_get(const struct ww_span *s, enum ww_span_field field, uint64_t *ret_value)
{
	switch (field) {
	case WW_SPAN_FIELD_SERVER_PORT:
		*ret_value = s->server_port;
		return s->server_port != 0;
	case WW_SPAN_FIELD_USAGE_IN:
		*ret_value = s->usage_in;
		return s->usage_in_present;
	default:
		*ret_value = s->usage_out;
		return s->usage_out_present;
	}
}

static void number_set(struct ww_span *s, enum ww_span_field field, uint64_t value)
{
	switch (field) {
	case WW_SPAN_FIELD_SERVER_PORT:
		s->server_port = value <= UINT16_MAX ? (uint16_t)value : 0;
		break;
	case WW_SPAN_FIELD_USAGE_IN:
		s->usage_in = value;
		s->usage_in_present = true;
		break;
	default:
		s->usage_out = value;
		s->usage_out_present = true;
		break;
	}
}

static void take_number(struct ww_span *s, const struct row *row, const char *text)
{
	uint64_t value, before;

	if (ww_slice_u64(ww_slice_str(text), &value) < 0)
		return;
	if (!number_get(s, row->field, &before))
		number_set(s, row->field, value);
	else if (before != value && !(row->flags & HINT))
		s->conflicts |= 1u << row->field;
}

/* The value in the view's words; NULL: no answer. */
static const char *translate(const struct row *row, char *text)
{
	if (row->field == WW_SPAN_FIELD_PROVIDER) {
		for (char *c = text; *c; c++)
			*c = (char)tolower((unsigned char)*c);
	}
	for (const struct word *w = row->map; w && w->from; w++) {
		if (strcmp(w->from, text) == 0)
			return w->to;
	}
	return row->flags & ONLY ? NULL : text;
}

static void take_text(struct ww_span *s, const struct row *row, const char *value)
{
	char text[TEXT_MAX], cut[TEXT_MAX];
	size_t size = places[row->field].size;
	char *member = member_text(s, row->field);

	(void)ww_text_copy(text, sizeof(text), ww_slice_str(value), NULL);
	value = row->implies ? row->implies : translate(row, text);
	if (!value || value[0] == '\0')
		return;
	if (member[0] == '\0') {
		(void)ww_text_copy(member, size, ww_slice_str(value), NULL);
		return;
	}
	(void)ww_text_copy(cut, size, ww_slice_str(value), NULL);
	if (!(row->flags & HINT) && strcmp(member, cut) != 0)
		s->conflicts |= 1u << row->field;
}

/* --- the walk -----------------------------------------------------------------------------------
 */

static bool matches(const struct row *row, const char *key, size_t key_bytes)
{
	size_t n = row->key_bytes;

	return (row->flags & PREFIX ? key_bytes > n : key_bytes == n) &&
	       memcmp(row->key, key, n) == 0;
}

/* Whether `word` is one of the words of `list`, which are separated by spaces. */
static bool listed(const char *list, const char *word)
{
	struct ww_slice all = ww_slice_str(list);

	for (size_t at = 0; at < all.n;) {
		size_t end = ww_slice_find(all, at, ' ');

		if (ww_slice_eq_str(ww_slice_sub(all, at, end - at), word))
			return true;
		at = end + 1;
	}
	return false;
}

static void take(struct ww_span *s, const struct row *row, const char *value)
{
	if (row->generation > s->generation)
		s->generation = row->generation;
	if (row->field == NONE || (row->of_operations && !listed(row->of_operations, s->operation)))
		return;
	if (row->field < FIRST_NUMBER)
		take_text(s, row, value);
	else
		take_number(s, row, value);
}

static enum ww_span_role role_of(const struct ww_span *s)
{
	static const struct {
		const char *operations;
		enum ww_span_role role;
	} roles[] = {
		{"chat generate_content text_completion embeddings", WW_SPAN_MODEL},
		{"execute_tool", WW_SPAN_TOOL},
		{"invoke_agent invoke_workflow", WW_SPAN_AGENT},
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(roles); i++) {
		if (listed(roles[i].operations, s->operation))
			return roles[i].role;
	}
	if (s->operation[0] != '\0')
		return WW_SPAN_OTHER;
	/* The first generation had no operation name. */
	if (s->model_asked[0] != '\0' || s->response_id[0] != '\0')
		return WW_SPAN_MODEL;
	if (s->tool_name[0] != '\0')
		return WW_SPAN_TOOL;
	if (s->kind == 3 /* CLIENT */ &&
	    (ww_span_attr(s, "http.request.method") || ww_span_attr(s, "http.method")))
		return WW_SPAN_HTTP;
	return WW_SPAN_OTHER;
}

void ww_span_normalise(struct ww_span *s)
{
	size_t key_bytes[WW_SPAN_ATTRS_MAX];
	uint64_t lengths = 0; /* of the keys, a bit for each, modulo 64 */

	for (int field = 0; field < WW_SPAN_FIELD_MAX; field++)
		memset(member_text(s, (enum ww_span_field)field), 0, places[field].size);
	s->usage_in_present = s->usage_out_present = false;
	s->generation = 0;
	s->conflicts = 0;
	for (unsigned i = 0; i < s->attr_count && i < WW_SPAN_ATTRS_MAX; i++) {
		key_bytes[i] = strlen(s->attrs[i].key);
		lengths |= 1ull << (key_bytes[i] & 63);
	}
	for (size_t r = 0; r < WW_ARRAY_SIZE(rows); r++) {
		if (!(rows[r].flags & PREFIX) && !(lengths >> (rows[r].key_bytes & 63) & 1))
			continue;
		for (unsigned i = 0; i < s->attr_count && i < WW_SPAN_ATTRS_MAX; i++) {
			if (!matches(&rows[r], s->attrs[i].key, key_bytes[i]))
				continue;
			take(s, &rows[r], s->attrs[i].value);
			/* Of a repeated key the first one counts, as in ww_span_attr(). */
			if (!(rows[r].flags & PREFIX))
				break;
		}
	}
	s->role = role_of(s);
}

bool ww_dialect_keeps(const char *key)
{
	size_t key_bytes = strlen(key);
	bool keeps = false;

	for (size_t r = 0; r < WW_ARRAY_SIZE(rows); r++) {
		if (!matches(&rows[r], key, key_bytes))
			continue;
		if (!(rows[r].flags & PREFIX))
			return !(rows[r].flags & CONTENT);
		keeps |= !(rows[r].flags & CONTENT);
	}
	return keeps;
}
