/* SPDX-License-Identifier: Apache-2.0 */
#include "action/anthropic.h"

/* One content block, of a request, a response or a stream. */
struct block {
	struct ww_parts_value type, text, thinking, id, name, input, content, is_error;
};

static const struct ww_parts_name block_names[] = {
	WW_PARTS_AT("type", struct block, type),
	WW_PARTS_AT("text", struct block, text),
	WW_PARTS_AT("thinking", struct block, thinking),
	WW_PARTS_AT("id", struct block, id),
	WW_PARTS_AT("tool_use_id", struct block, id),
	WW_PARTS_AT("name", struct block, name),
	WW_PARTS_AT("input", struct block, input),
	WW_PARTS_AT("content", struct block, content),
	WW_PARTS_AT("is_error", struct block, is_error),
	{0},
};

static bool is_type(const struct ww_parts_value *type, const char *name)
{
	return ww_parts_is(type, WW_JSON_STRING) && ww_json_is(&type->first, name);
}

static bool is_tool_use(const struct block *b, bool *ret_remote)
{
	*ret_remote = is_type(&b->type, "server_tool_use") || is_type(&b->type, "mcp_tool_use");
	return *ret_remote || is_type(&b->type, "tool_use");
}

/* --- request
 * ---------------------------------------------------------------------------------------- */

/* One element of a tool result's content: its text, or the element as written. */
static struct ww_slice result_item(struct ww_parts *p, const struct ww_parts_value *item)
{
	struct block b = {0};

	if (ww_parts_read_in(item, block_names, &b) && ww_parts_is(&b.text, WW_JSON_STRING))
		return ww_parts_decoded(p, &b.text.first);
	return ww_parts_raw(item);
}

static void request_result(struct ww_parts *p, const struct block *b)
{
	struct ww_parts_text text = {0};

	ww_parts_text_keep(p, &text);
	ww_parts_message_feed(p, 'r', ww_parts_raw(&b->id));
	if (ww_parts_is(&b->content, WW_JSON_STRING))
		ww_parts_result_text(p, &text, ww_parts_decoded(p, &b->content.first));
	ww_parts_result_list(p, &text, &b->content, result_item);
	ww_parts_result(p, &b->id, NULL, &text, ww_parts_is(&b->is_error, WW_JSON_TRUE));
}

static void request_block(struct ww_parts *p, const struct block *b)
{
	bool remote;

	if (is_type(&b->type, "text") && ww_parts_is(&b->text, WW_JSON_STRING)) {
		ww_parts_message_text(p, ww_parts_decoded(p, &b->text.first));
	} else if (is_tool_use(b, &remote)) {
		ww_parts_asked(p, &b->id, &b->name, &b->input);
	} else if (is_type(&b->type, "tool_result")) {
		request_result(p, b);
	} else {
		/* Images, documents, thinking: that there is one. */
		ww_parts_message_feed(p, 'o', ww_parts_raw(&b->type));
	}
}

/* "content" of a message, or "system": a string or an array of blocks. */
static void request_content(struct ww_parts *p, const struct ww_parts_value *content)
{
	struct ww_json j = content->after;

	if (ww_parts_is(content, WW_JSON_STRING))
		ww_parts_message_text(p, ww_parts_decoded(p, &content->first));
	while (ww_parts_is(content, WW_JSON_ARRAY) && ww_parts_object(&j) == WW_PARSE_DONE) {
		struct block b = {0};

		if (ww_parts_read(&j, block_names, &b) != WW_PARSE_DONE)
			return;
		request_block(p, &b);
	}
}

void ww_anthropic_request(struct ww_parts *p, const struct ww_parts_request *r)
{
	ww_parts_conversation(p, r, request_content);
}

/* --- response
 * --------------------------------------------------------------------------------------- */

static bool is_empty_object(const struct ww_parts_value *v)
{
	struct ww_json j = v->after;
	struct ww_json_token t;

	return ww_parts_is(v, WW_JSON_OBJECT) && ww_json_next(&j, &t) == WW_PARSE_DONE &&
	       t.type == WW_JSON_END_OBJECT;
}

/* A block of the answer, at its place. In a stream the input comes later, in pieces. */
static void answer_block(struct ww_parts *p, const struct block *b, uint64_t index, bool streamed)
{
	struct ww_model_tool_call *t;
	struct ww_parts_slot *s;
	bool remote;

	if (is_type(&b->type, "text") && ww_parts_is(&b->text, WW_JSON_STRING)) {
		ww_parts_answer_part(p);
		ww_parts_answer_add(p, ww_parts_decoded(p, &b->text.first));
	}
	if (is_type(&b->type, "thinking") && ww_parts_is(&b->thinking, WW_JSON_STRING))
		ww_parts_thought_add(p, ww_parts_decoded(p, &b->thinking.first));
	if (!is_tool_use(b, &remote))
		return;
	s = ww_parts_slot_at(p, index);
	if (!s) {
		p->call->tool_calls_dropped++;
		return;
	}
	t = ww_parts_slot_call(p, s);
	t->remote = remote;
	t->complete = !streamed;
	if (b->id.present)
		ww_parts_string(p, &b->id.first, t->id, sizeof(t->id));
	if (b->name.present)
		ww_parts_string(p, &b->name.first, t->name, sizeof(t->name));
	if (b->input.present && !(streamed && is_empty_object(&b->input)))
		ww_parts_text_add(p, &s->arguments, ww_parts_raw(&b->input));
}

static void answer_content(struct ww_parts *p, const struct ww_parts_value *content)
{
	struct ww_json j = content->after;
	struct ww_json_token v;

	for (uint64_t at = 0; ww_parts_element(&j, &v) == WW_PARSE_DONE; at++) {
		struct block b = {0};

		if (v.type != WW_JSON_OBJECT) {
			if (ww_json_skip(&j, &v) != WW_PARSE_DONE)
				return;
			continue;
		}
		if (ww_parts_read(&j, block_names, &b) != WW_PARSE_DONE)
			return;
		answer_block(p, &b, at, false);
	}
}

static void answer_type(struct ww_parts *p, const struct ww_parts_value *type)
{
	p->answer_seen |= is_type(type, "message");
}

static void usage_geo(struct ww_parts *p, const struct ww_parts_value *v)
{
	ww_place_add(&p->call->places, WW_PLACE_USAGE_GEO, ww_parts_decoded(p, &v->first));
}

/* Counts are cumulative: the last one stands. */
static const struct ww_row usage[] = {
	WW_ROW_READ("inference_geo", WW_JSON_STRING, usage_geo),
	WW_ROW_COUNT("input_tokens", input),
	WW_ROW_COUNT("output_tokens", output),
	WW_ROW_COUNT("cache_read_input_tokens", cache_read),
	WW_ROW_COUNT("cache_creation_input_tokens", cache_write),
	{0},
};

static const struct ww_row error[] = {
	WW_ROW_TEXT("type", error_type),
	{0},
};

/* A message, the "message" of message_start, or an error document. */
const struct ww_row ww_anthropic_answer[] = {
	WW_ROW_TEXT("id", response_id),
	WW_ROW_TEXT("model", model_served),
	WW_ROW_TEXT("stop_reason", stop_reason),
	WW_ROW_TEXT_ONCE("request_id", request_id),
	WW_ROW_READ("type", WW_JSON_STRING, answer_type),
	WW_ROW_READ("content", WW_JSON_ARRAY, answer_content),
	WW_ROW_IN("usage", usage),
	WW_ROW_ERROR("error", error),
	{0},
};

/* --- stream
 * ----------------------------------------------------------------------------------------- */

static void block_delta(struct ww_parts *p, uint64_t index, const struct ww_parts_value *delta)
{
	struct ww_parts_slot *s = ww_parts_slot_begun(p, index);
	struct ww_json j = delta->after;
	struct ww_json_token k, v;

	while (ww_parts_is(delta, WW_JSON_OBJECT) && ww_parts_member(&j, &k, &v) == WW_PARSE_DONE) {
		if (ww_json_is(&k, "text") && v.type == WW_JSON_STRING)
			ww_parts_answer_add(p, ww_parts_decoded(p, &v));
		else if (ww_json_is(&k, "thinking") && v.type == WW_JSON_STRING)
			ww_parts_thought_add(p, ww_parts_decoded(p, &v));
		else if (ww_json_is(&k, "partial_json") && v.type == WW_JSON_STRING && s)
			ww_parts_text_add(p, &s->arguments, ww_parts_decoded(p, &v));
		if (ww_json_skip(&j, &v) != WW_PARSE_DONE)
			return;
	}
}

static void block_start(struct ww_parts *p, uint64_t index, const struct ww_parts_value *block)
{
	struct block b = {0};

	if (ww_parts_read_in(block, block_names, &b))
		answer_block(p, &b, index, true);
}

struct event {
	struct ww_parts_value type, index, message, block, delta, usage, error, request_id;
};

static const struct ww_parts_name event_names[] = {
	WW_PARTS_AT("type", struct event, type),
	WW_PARTS_AT("index", struct event, index),
	WW_PARTS_AT("message", struct event, message),
	WW_PARTS_AT("content_block", struct event, block),
	WW_PARTS_AT("delta", struct event, delta),
	WW_PARTS_AT("usage", struct event, usage),
	WW_PARTS_AT("error", struct event, error),
	WW_PARTS_AT("request_id", struct event, request_id),
	{0},
};

static const struct ww_row message_delta[] = {
	WW_ROW_TEXT("stop_reason", stop_reason),
	{0},
};

static void read_error(struct ww_parts *p, const struct event *e)
{
	p->error_seen |= ww_parts_is(&e->error, WW_JSON_OBJECT);
	ww_rows_read_in(p, &e->error, error);
}

static void read_event(struct ww_parts *p, const struct event *e, uint64_t index)
{
	if (is_type(&e->type, "message_start")) {
		ww_rows_read_in(p, &e->message, ww_anthropic_answer);
	} else if (is_type(&e->type, "content_block_start")) {
		block_start(p, index, &e->block);
	} else if (is_type(&e->type, "content_block_delta")) {
		block_delta(p, index, &e->delta);
	} else if (is_type(&e->type, "content_block_stop")) {
		ww_parts_slot_stop(p, index);
	} else if (is_type(&e->type, "message_delta")) {
		ww_rows_read_in(p, &e->delta, message_delta);
		ww_rows_read_in(p, &e->usage, usage);
	} else if (is_type(&e->type, "message_stop")) {
		p->terminal = true;
	} else if (is_type(&e->type, "error")) {
		read_error(p, e);
	}
	if (e->request_id.present && !p->call->request_id[0])
		ww_parts_string(p, &e->request_id.first, p->call->request_id,
				sizeof(p->call->request_id));
}

enum ww_parse ww_anthropic_piece(struct ww_parts *p, const struct ww_piece *piece)
{
	struct event e = {0};
	uint64_t index = 0;
	enum ww_parse r = ww_parts_read_doc(piece->data, event_names, &e);

	if (r != WW_PARSE_DONE)
		return r;
	if (!ww_parts_is(&e.index, WW_JSON_NUMBER) || ww_json_u64(&e.index.first, &index) == 0)
		read_event(p, &e, index);
	return WW_PARSE_DONE;
}

static const struct ww_parts_name names[] = {
	WW_PARTS_NAME("model", model),
	WW_PARTS_NAME("messages", messages),
	WW_PARTS_NAME("stream", stream),
	WW_PARTS_NAME("tools", tools),
	WW_PARTS_NAME("system", system),
	WW_PARTS_NAME("inference_geo", geo),
	{0},
};

const struct ww_parts_shape ww_anthropic = {
	.names = names,
	.array = true,
	.request = ww_anthropic_request,
	.answer = ww_anthropic_answer,
	.piece = ww_anthropic_piece,
};
