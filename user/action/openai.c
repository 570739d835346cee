/* SPDX-License-Identifier: Apache-2.0 */
#include "action/openai.h"

#include "action/rows.h"

/* --- request
 * ---------------------------------------------------------------------------------------- */

/* A content part: {"type":"text","text":...}, or something that is not text. */
struct part {
	struct ww_parts_value type, text;
};

static const struct ww_parts_name part_names[] = {
	WW_PARTS_AT("type", struct part, type),
	WW_PARTS_AT("text", struct part, text),
	{0},
};

static void request_part(struct ww_parts *p, struct ww_json *j)
{
	struct part t = {0};

	if (ww_parts_read(j, part_names, &t) != WW_PARSE_DONE)
		return;
	if (ww_parts_is(&t.text, WW_JSON_STRING))
		ww_parts_message_text(p, ww_parts_decoded(p, &t.text.first));
	else if (t.type.present)
		ww_parts_message_feed(p, 'o', ww_parts_raw(&t.type));
}

static void request_content(struct ww_parts *p, const struct ww_parts_value *content)
{
	struct ww_json j = content->after;

	if (ww_parts_is(content, WW_JSON_STRING))
		ww_parts_message_text(p, ww_parts_decoded(p, &content->first));
	while (ww_parts_is(content, WW_JSON_ARRAY) && ww_parts_object(&j) == WW_PARSE_DONE)
		request_part(p, &j);
}

/* One tool call, of a request's history, a response or a chunk. */
struct call {
	struct ww_parts_value id, index, name, arguments;
};

/* Custom tools call the arguments input. */
static const struct ww_parts_name function_names[] = {
	WW_PARTS_AT("name", struct call, name),
	WW_PARTS_AT("arguments", struct call, arguments),
	WW_PARTS_AT("input", struct call, arguments),
	{0},
};

static enum ww_parse read_call(struct ww_json *j, struct call *c)
{
	struct ww_json_token k, v;
	enum ww_parse r;

	while ((r = ww_parts_member(j, &k, &v)) == WW_PARSE_DONE) {
		struct ww_parts_value *to = NULL;

		if (v.type == WW_JSON_OBJECT &&
		    (ww_json_is(&k, "function") || ww_json_is(&k, "custom"))) {
			r = ww_parts_read(j, function_names, c);
		} else {
			if (ww_json_is(&k, "id"))
				to = &c->id;
			else if (ww_json_is(&k, "index"))
				to = &c->index;
			r = ww_parts_keep(j, &v, to);
		}
		if (r != WW_PARSE_DONE)
			return r;
	}
	return r == WW_PARSE_END ? WW_PARSE_DONE : r;
}

/* Calls that the model made earlier: part of the conversation. */
static void request_calls(struct ww_parts *p, const struct ww_parts_value *calls)
{
	struct ww_json j = calls->after;

	while (ww_parts_is(calls, WW_JSON_ARRAY) && ww_parts_object(&j) == WW_PARSE_DONE) {
		struct call c = {0};

		if (read_call(&j, &c) != WW_PARSE_DONE)
			return;
		ww_parts_asked(p, &c.id, &c.name, &c.arguments);
	}
}

struct message {
	struct ww_parts_value role, content, calls, id;
};

static const struct ww_parts_name message_names[] = {
	WW_PARTS_AT("role", struct message, role),
	WW_PARTS_AT("content", struct message, content),
	WW_PARTS_AT("tool_calls", struct message, calls),
	WW_PARTS_AT("tool_call_id", struct message, id),
	{0},
};

static void request_message(struct ww_parts *p, struct ww_json *j)
{
	struct message m = {0};

	if (ww_parts_read(j, message_names, &m) != WW_PARSE_DONE)
		return;
	ww_parts_message_begin(p, ww_parts_role_of(&m.role));
	if (m.id.present)
		ww_parts_message_feed(p, 'r', ww_parts_raw(&m.id));
	request_content(p, &m.content);
	request_calls(p, &m.calls);
	if (p->role == WW_PARTS_TOOL)
		ww_parts_result(p, &m.id, NULL, &p->message_text, false);
	ww_parts_message_end(p);
}

static void read_request(struct ww_parts *p, const struct ww_parts_request *r)
{
	struct ww_json j = r->messages.after;
	uint64_t n;

	if (ww_parts_is(&r->n, WW_JSON_NUMBER) && ww_json_u64(&r->n.first, &n) == 0)
		p->call->choices = n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
	while (ww_parts_object(&j) == WW_PARSE_DONE)
		request_message(p, &j);
}

/* --- response
 * --------------------------------------------------------------------------------------- */

/*
 * The slot of a piece of a call. In a chunk each carries its index, and the id only in its first
 * piece. Some gateways leave the index out: then a new id begins a call, and no id goes on with the
 * last one. `at`: its place in the array, which is all that a document has.
 */
static struct ww_parts_slot *slot_of(struct ww_parts *p, const struct call *c, uint64_t at)
{
	struct ww_model_call *call = p->call;
	uint64_t index;

	if (ww_parts_is(&c->index, WW_JSON_NUMBER) && ww_json_u64(&c->index.first, &index) == 0)
		return ww_parts_slot_at(p, index);
	if (!call->streamed || call->tool_call_count == 0)
		return ww_parts_slot_at(p, at);
	if (!ww_parts_is(&c->id, WW_JSON_STRING) || c->id.first.raw.n == 0)
		return &p->slot[call->tool_call_count - 1];
	for (unsigned i = 0; i < call->tool_call_count; i++)
		if (ww_json_is(&c->id.first, call->tool_calls[i].id))
			return &p->slot[i];
	return ww_parts_slot_at(p, WW_PARTS_OWN_INDEX + call->tool_call_count);
}

static void answer_calls(struct ww_parts *p, const struct ww_parts_value *calls)
{
	struct ww_json j = calls->after;
	struct ww_json_token v;

	if (!ww_parts_is(calls, WW_JSON_ARRAY))
		return;
	for (uint64_t at = 0; ww_parts_element(&j, &v) == WW_PARSE_DONE; at++) {
		struct ww_model_tool_call *t;
		struct ww_parts_slot *s;
		struct call c = {0};

		if (v.type != WW_JSON_OBJECT) {
			if (ww_json_skip(&j, &v) != WW_PARSE_DONE)
				return;
			continue;
		}
		if (read_call(&j, &c) != WW_PARSE_DONE)
			return;
		s = slot_of(p, &c, at);
		if (!s) {
			p->call->tool_calls_dropped += c.id.present;
			continue;
		}
		t = ww_parts_slot_call(p, s);
		if (c.id.present && !t->id[0])
			ww_parts_string(p, &c.id.first, t->id, sizeof(t->id));
		if (c.name.present && !t->name[0])
			ww_parts_string(p, &c.name.first, t->name, sizeof(t->name));
		if (c.arguments.present)
			ww_parts_text_add(p, &s->arguments,
					  ww_parts_decoded(p, &c.arguments.first));
	}
}

static const struct ww_parts_name executed_names[] = {
	WW_PARTS_AT("type", struct call, name),
	WW_PARTS_AT("arguments", struct call, arguments),
	{0},
};

/* Tools that the service ran before it answered (Groq): whole, without ids. */
static void executed_tools(struct ww_parts *p, const struct ww_parts_value *tools)
{
	struct ww_json j = tools->after;
	struct ww_json_token v;

	while (ww_parts_element(&j, &v) == WW_PARSE_DONE) {
		struct ww_model_tool_call *t;
		struct call c = {0};

		if (v.type != WW_JSON_OBJECT ||
		    ww_parts_read(&j, executed_names, &c) != WW_PARSE_DONE)
			return;
		t = ww_parts_call_whole(p, &c.id, &c.name, &c.arguments);
		if (t)
			t->remote = true;
	}
}

/* "message" of a response, "delta" of a chunk. */
static void answer(struct ww_parts *p, const struct ww_parts_value *message)
{
	struct ww_json j = message->after;
	struct ww_json_token k, v;

	if (!ww_parts_is(message, WW_JSON_OBJECT))
		return;
	while (ww_parts_member(&j, &k, &v) == WW_PARSE_DONE) {
		struct ww_parts_value value;

		if (ww_parts_keep(&j, &v, &value) != WW_PARSE_DONE)
			return;
		if (ww_json_is(&k, "content") && v.type == WW_JSON_STRING)
			ww_parts_answer_add(p, ww_parts_decoded(p, &v));
		else if ((ww_json_is(&k, "reasoning_content") || ww_json_is(&k, "reasoning")) &&
			 v.type == WW_JSON_STRING)
			ww_parts_thought_add(p, ww_parts_decoded(p, &v));
		else if (ww_json_is(&k, "tool_calls"))
			answer_calls(p, &value);
		else if (ww_json_is(&k, "executed_tools") && v.type == WW_JSON_ARRAY &&
			 !p->call->streamed)
			executed_tools(p, &value);
	}
}

struct choice {
	struct ww_parts_value message, finish, index;
};

static const struct ww_parts_name choice_names[] = {
	WW_PARTS_AT("message", struct choice, message),
	WW_PARTS_AT("delta", struct choice, message),
	WW_PARTS_AT("finish_reason", struct choice, finish),
	WW_PARTS_AT("index", struct choice, index),
	{0},
};

static void choice(struct ww_parts *p, struct ww_json *j)
{
	struct choice c = {0};
	uint64_t n = 0;

	if (ww_parts_read(j, choice_names, &c) != WW_PARSE_DONE)
		return;
	if (ww_parts_is(&c.index, WW_JSON_NUMBER) && (ww_json_u64(&c.index.first, &n) < 0 || n > 0))
		return;
	answer(p, &c.message);
	if (c.finish.present)
		ww_parts_string(p, &c.finish.first, p->call->stop_reason,
				sizeof(p->call->stop_reason));
}

static void choices(struct ww_parts *p, const struct ww_parts_value *value)
{
	struct ww_json j = value->after;

	while (ww_parts_object(&j) == WW_PARSE_DONE)
		choice(p, &j);
}

static const struct ww_row input_details[] = {
	WW_ROW_COUNT("cached_tokens", cache_read),
	WW_ROW_COUNT("cache_write_tokens", cache_write),
	{0},
};

static const struct ww_row usage[] = {
	WW_ROW_COUNT("prompt_tokens", input),
	WW_ROW_COUNT("completion_tokens", output),
	WW_ROW_COUNT("total_tokens", total),
	WW_ROW_IN("prompt_tokens_details", input_details),
	{0},
};

static const struct ww_row error[] = {
	WW_ROW_TEXT("type", error_type),
	WW_ROW_TEXT_ONCE("code", error_type),
	{0},
};

/* vLLM's errors are an object of their own, not in one. */
static void answer_object(struct ww_parts *p, const struct ww_parts_value *v)
{
	p->error_seen |= ww_json_is(&v->first, "error");
}

static void answer_type(struct ww_parts *p, const struct ww_parts_value *v)
{
	if (p->error_seen && !p->call->error_type[0])
		ww_parts_string(p, &v->first, p->call->error_type, sizeof(p->call->error_type));
}

static const struct ww_row answer_rows[] = {
	WW_ROW_READ("object", WW_JSON_STRING, answer_object),
	WW_ROW_READ("type", WW_JSON_STRING, answer_type),
	WW_ROW_TEXT("id", response_id),
	WW_ROW_TEXT("model", model_served),
	WW_ROW_ANSWER("choices", WW_JSON_ARRAY, choices),
	WW_ROW_IN("usage", usage),
	WW_ROW_ERROR("error", error),
	{0},
};

static enum ww_parse read_piece(struct ww_parts *p, const struct ww_piece *piece)
{
	/* The one event that is no JSON. */
	if (ww_slice_eq_str(piece->data, "[DONE]")) {
		p->terminal = true;
		return WW_PARSE_DONE;
	}
	return ww_rows_read_doc(p, piece->data, answer_rows);
}

static const struct ww_parts_name names[] = {
	WW_PARTS_NAME("model", model),   WW_PARTS_NAME("messages", messages),
	WW_PARTS_NAME("stream", stream), WW_PARTS_NAME("tools", tools),
	WW_PARTS_NAME("n", n),           {0},
};

const struct ww_parts_shape ww_openai = {
	.names = names,
	.array = true,
	.complete = WW_PARTS_AT_STOP,
	.request = read_request,
	.answer = answer_rows,
	.piece = read_piece,
};
