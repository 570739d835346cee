/* SPDX-License-Identifier: Apache-2.0 */
#include "action/bedrock.h"

#include "action/anthropic.h"
#include "base/encode.h"

/* --- Converse: content blocks
 * ----------------------------------------------------------------------- */

/* {"text":...} or {"toolUse":{...}} or {"toolResult":{...}} or {"reasoningContent":{...}} ... */
struct block {
	struct ww_parts_value text, use, result, reasoning, other;
};

/* {"toolUseId","name","input"}, of a result also "content" and "status". */
struct tool {
	struct ww_parts_value id, name, input, content, status, type;
};

static struct ww_parts_value *block_member(struct block *b, const struct ww_json_token *k)
{
	if (ww_json_is(k, "text"))
		return &b->text;
	if (ww_json_is(k, "toolUse"))
		return &b->use;
	if (ww_json_is(k, "toolResult"))
		return &b->result;
	return ww_json_is(k, "reasoningContent") ? &b->reasoning : &b->other;
}

static enum ww_parse read_block(struct ww_json *j, struct block *b)
{
	struct ww_json_token k, v;
	enum ww_parse r;

	while ((r = ww_parts_member(j, &k, &v)) == WW_PARSE_DONE) {
		r = ww_parts_keep(j, &v, block_member(b, &k));
		if (r != WW_PARSE_DONE)
			return r;
	}
	return r == WW_PARSE_END ? WW_PARSE_DONE : r;
}

static const struct ww_parts_name tool_names[] = {
	WW_PARTS_AT("toolUseId", struct tool, id),
	WW_PARTS_AT("name", struct tool, name),
	WW_PARTS_AT("input", struct tool, input),
	WW_PARTS_AT("content", struct tool, content),
	WW_PARTS_AT("status", struct tool, status),
	WW_PARTS_AT("type", struct tool, type),
	{0},
};

static struct tool tool_of(const struct ww_parts_value *value)
{
	struct tool t = {0};

	(void)ww_parts_read_in(value, tool_names, &t);
	return t;
}

static bool says(const struct ww_parts_value *v, const char *text)
{
	return ww_parts_is(v, WW_JSON_STRING) && ww_json_is(&v->first, text);
}

/* Each block of a list. */
static void each_block(struct ww_parts *p, const struct ww_parts_value *list,
		       void (*fn)(struct ww_parts *p, const struct block *b))
{
	struct ww_json j = list->after;
	struct ww_json_token v;

	while (ww_parts_is(list, WW_JSON_ARRAY) && ww_parts_element(&j, &v) == WW_PARSE_DONE) {
		struct block b = {0};

		if (v.type != WW_JSON_OBJECT || read_block(&j, &b) != WW_PARSE_DONE)
			return;
		fn(p, &b);
	}
}

/* --- Converse: request
 * ------------------------------------------------------------------------------ */

/* One element of a result: its text, its JSON, or the element as written. */
static struct ww_slice result_item(struct ww_parts *p, const struct ww_parts_value *item)
{
	struct ww_json j = item->after;
	struct ww_json_token k, v;

	while (ww_parts_is(item, WW_JSON_OBJECT) && ww_parts_member(&j, &k, &v) == WW_PARSE_DONE) {
		struct ww_parts_value value = {0};

		if (ww_parts_keep(&j, &v, &value) != WW_PARSE_DONE)
			break;
		if (ww_json_is(&k, "text") && v.type == WW_JSON_STRING)
			return ww_parts_decoded(p, &v);
		if (ww_json_is(&k, "json"))
			return ww_parts_raw(&value);
	}
	return ww_parts_raw(item);
}

static void request_result(struct ww_parts *p, const struct ww_parts_value *value)
{
	struct tool t = tool_of(value);
	struct ww_parts_text text = {0};

	ww_parts_text_keep(p, &text);
	ww_parts_message_feed(p, 'r', ww_parts_raw(&t.id));
	ww_parts_result_list(p, &text, &t.content, result_item);
	ww_parts_result(p, &t.id, NULL, &text, says(&t.status, "error"));
}

static void request_block(struct ww_parts *p, const struct block *b)
{
	if (ww_parts_is(&b->text, WW_JSON_STRING)) {
		ww_parts_message_text(p, ww_parts_decoded(p, &b->text.first));
	} else if (b->use.present) {
		struct tool t = tool_of(&b->use);

		ww_parts_asked(p, &t.id, &t.name, &t.input);
	} else if (b->result.present) {
		request_result(p, &b->result);
	} else if (b->reasoning.present || b->other.present) {
		/* Images, documents, cache points, reasoning: that there is one. */
		ww_parts_message_feed(p, 'o', WW_SLICE_NULL);
	}
}

static void request_content(struct ww_parts *p, const struct ww_parts_value *content)
{
	each_block(p, content, request_block);
}

static void read_request(struct ww_parts *p, const struct ww_parts_request *r)
{
	ww_parts_conversation(p, r, request_content);
}

/* --- Converse: answer
 * ------------------------------------------------------------------------------- */

static void reasoning_text(struct ww_parts *p, const struct ww_parts_value *v)
{
	ww_parts_thought_add(p, ww_parts_decoded(p, &v->first));
}

static const struct ww_row reasoning_in[] = {
	WW_ROW_READ("text", WW_JSON_STRING, reasoning_text),
	{0},
};

/* Whole: {"reasoningText":{"text"}}; in a delta the text itself. */
static const struct ww_row reasoning[] = {
	WW_ROW_IN("reasoningText", reasoning_in),
	WW_ROW_READ("text", WW_JSON_STRING, reasoning_text),
	{0},
};

static void answer_block(struct ww_parts *p, const struct block *b)
{
	if (ww_parts_is(&b->text, WW_JSON_STRING)) {
		ww_parts_answer_part(p);
		ww_parts_answer_add(p, ww_parts_decoded(p, &b->text.first));
	} else if (b->use.present) {
		struct tool t = tool_of(&b->use);
		struct ww_model_tool_call *c = ww_parts_call_whole(p, &t.id, &t.name, &t.input);

		if (c)
			c->remote = says(&t.type, "server_tool_use");
	} else {
		ww_rows_read_in(p, &b->reasoning, reasoning);
	}
}

static void answer_content(struct ww_parts *p, const struct ww_parts_value *content)
{
	each_block(p, content, answer_block);
}

static const struct ww_row message[] = {
	WW_ROW_READ("content", WW_JSON_ARRAY, answer_content),
	{0},
};

static const struct ww_row output[] = {
	{.name = "message", .type = WW_JSON_OBJECT, .in = message, .answer = true},
	{0},
};

static const struct ww_row usage[] = {
	WW_ROW_COUNT("inputTokens", input),
	WW_ROW_COUNT("outputTokens", output),
	WW_ROW_COUNT("totalTokens", total),
	WW_ROW_COUNT("cacheReadInputTokens", cache_read),
	WW_ROW_COUNT("cacheWriteInputTokens", cache_write),
	{0},
};

static const struct ww_row answer[] = {
	WW_ROW_IN("output", output),
	WW_ROW_TEXT("stopReason", stop_reason),
	WW_ROW_IN("usage", usage),
	{0},
};

/* --- Converse: stream
 * ------------------------------------------------------------------------------- */

struct event {
	struct ww_parts_value start, delta, index;
};

static const struct ww_parts_name event_names[] = {
	WW_PARTS_AT("contentBlockIndex", struct event, index),
	WW_PARTS_AT("start", struct event, start),
	WW_PARTS_AT("delta", struct event, delta),
	{0},
};

static void block_start(struct ww_parts *p, const struct event *e, uint64_t index)
{
	struct ww_json j = e->start.after;
	struct ww_model_tool_call *c;
	struct ww_parts_slot *s;
	struct block b = {0};
	struct tool t;

	ww_parts_answer_part(p);
	if (!ww_parts_is(&e->start, WW_JSON_OBJECT) || read_block(&j, &b) != WW_PARSE_DONE ||
	    !b.use.present)
		return;
	t = tool_of(&b.use);
	s = ww_parts_slot_at(p, index);
	if (!s) {
		p->call->tool_calls_dropped++;
		return;
	}
	c = ww_parts_slot_call(p, s);
	c->remote = says(&t.type, "server_tool_use");
	if (t.id.present)
		ww_parts_string(p, &t.id.first, c->id, sizeof(c->id));
	if (t.name.present)
		ww_parts_string(p, &t.name.first, c->name, sizeof(c->name));
}

static void block_delta(struct ww_parts *p, const struct event *e, uint64_t index)
{
	struct ww_parts_slot *s = ww_parts_slot_begun(p, index);
	struct ww_json j = e->delta.after;
	struct block b = {0};

	if (!ww_parts_is(&e->delta, WW_JSON_OBJECT) || read_block(&j, &b) != WW_PARSE_DONE)
		return;
	if (ww_parts_is(&b.text, WW_JSON_STRING))
		ww_parts_answer_add(p, ww_parts_decoded(p, &b.text.first));
	ww_rows_read_in(p, &b.reasoning, reasoning);
	if (b.use.present && s) {
		struct tool t = tool_of(&b.use);

		ww_parts_text_add(p, &s->arguments, ww_parts_decoded(p, &t.input.first));
	}
}

static enum ww_parse read_block_event(struct ww_parts *p, const struct ww_piece *piece)
{
	struct event e = {0};
	uint64_t index = 0;
	enum ww_parse r = ww_parts_read_doc(piece->data, event_names, &e);

	if (r != WW_PARSE_DONE)
		return r;
	if (ww_parts_is(&e.index, WW_JSON_NUMBER) && ww_json_u64(&e.index.first, &index) < 0)
		return WW_PARSE_DONE;
	if (ww_slice_eq_str(piece->type, "contentBlockStart"))
		block_start(p, &e, index);
	else if (ww_slice_eq_str(piece->type, "contentBlockDelta"))
		block_delta(p, &e, index);
	else
		ww_parts_slot_stop(p, index);
	return WW_PARSE_DONE;
}

static const struct ww_row metadata[] = {
	WW_ROW_IN("usage", usage),
	{0},
};

static const struct ww_row message_stop[] = {
	WW_ROW_TEXT("stopReason", stop_reason),
	{0},
};

/* An exception, by its name; of other events that may come nothing is needed. */
static void exception(struct ww_parts *p, struct ww_slice type)
{
	static const char end[] = "Exception";
	size_t n = sizeof(end) - 1, at = type.n - n;

	if (type.n <= n || type.n >= sizeof(p->call->error_type) ||
	    !ww_slice_eq_str(ww_slice_sub(type, at, n), end))
		return;
	p->error_seen = true;
	ww_parts_path_text(p, type, p->call->error_type, sizeof(p->call->error_type));
}

static enum ww_parse read_piece(struct ww_parts *p, const struct ww_piece *piece)
{
	enum ww_parse r = WW_PARSE_DONE;

	if (ww_slice_eq_str(piece->type, "messageStart")) {
		p->answer_seen = true;
	} else if (ww_slice_starts(piece->type, WW_SLICE_LIT("contentBlock"))) {
		r = read_block_event(p, piece);
	} else if (ww_slice_eq_str(piece->type, "messageStop")) {
		r = ww_rows_read_doc(p, piece->data, message_stop);
	} else if (ww_slice_eq_str(piece->type, "metadata")) {
		/* The last event. */
		r = ww_rows_read_doc(p, piece->data, metadata);
		p->terminal = r == WW_PARSE_DONE;
	} else {
		exception(p, piece->type);
	}
	return r;
}

static const struct ww_parts_name names[] = {
	WW_PARTS_NAME("messages", messages),
	WW_PARTS_NAME("system", system),
	WW_PARTS_NAME("toolConfig", tools),
	{0},
};

const struct ww_parts_shape ww_bedrock_converse = {
	.names = names,
	.array = true,
	.request = read_request,
	.answer = answer,
	.piece = read_piece,
};

/* --- InvokeModel with Anthropic's bodies
 * ------------------------------------------------------------ */

/* {"bytes": base64 of an event of the vendor's}. */
static void chunk_bytes(struct ww_parts *p, const struct ww_parts_value *v)
{
	struct ww_slice text = ww_parts_decoded(p, &v->first);
	uint8_t *out;
	size_t n;

	ww_buf_clear(&p->inner);
	if (ww_buf_reserve(&p->inner, text.n, &out) < 0) {
		p->no_memory = true;
		return;
	}
	if (ww_base64_decode(text, false, out, text.n, &n) < 0)
		p->inner_bad = true;
	else
		p->inner.n = n;
}

static const struct ww_row chunk[] = {
	WW_ROW_READ("bytes", WW_JSON_STRING, chunk_bytes),
	{0},
};

static enum ww_parse read_chunk(struct ww_parts *p, const struct ww_piece *piece)
{
	enum ww_parse r;

	if (!ww_slice_eq_str(piece->type, "chunk")) {
		exception(p, piece->type);
		return WW_PARSE_DONE;
	}
	ww_buf_clear(&p->inner);
	r = ww_rows_read_doc(p, piece->data, chunk);
	if (r != WW_PARSE_DONE || p->inner_bad)
		return WW_PARSE_BAD;
	return ww_anthropic_piece(p, &(struct ww_piece){.data = ww_buf_slice(&p->inner)});
}

static const struct ww_parts_name anthropic_names[] = {
	WW_PARTS_NAME("messages", messages),
	WW_PARTS_NAME("system", system),
	WW_PARTS_NAME("tools", tools),
	{0},
};

const struct ww_parts_shape ww_bedrock_anthropic = {
	.names = anthropic_names,
	.array = true,
	.needs = "anthropic_version",
	.request = ww_anthropic_request,
	.answer = ww_anthropic_answer,
	.piece = read_chunk,
};
