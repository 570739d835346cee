/* SPDX-License-Identifier: Apache-2.0 */
#include "action/responses.h"

#include "action/rows.h"

/* What an item of these kinds is. Content is the member that the arguments or the result are in. */
enum kind { OTHER, MESSAGE, CALL, REMOTE_CALL, RESULT };

static const struct item_kind {
	const char *type;
	enum kind kind;
	const char *content;
} kinds[] = {
	{"message", MESSAGE, "content"},
	{"function_call", CALL, "arguments"},
	{"custom_tool_call", CALL, "input"},
	{"computer_call", CALL, "action"},
	{"local_shell_call", CALL, "action"},
	{"shell_call", CALL, "action"},
	{"apply_patch_call", CALL, "operation"},
	{"web_search_call", REMOTE_CALL, "action"},
	{"file_search_call", REMOTE_CALL, "queries"},
	{"code_interpreter_call", REMOTE_CALL, "code"},
	{"image_generation_call", REMOTE_CALL, "revised_prompt"},
	{"mcp_call", REMOTE_CALL, "arguments"},
	{"function_call_output", RESULT, "output"},
	{"custom_tool_call_output", RESULT, "output"},
	{"computer_call_output", RESULT, "output"},
	{"local_shell_call_output", RESULT, "output"},
	{"shell_call_output", RESULT, "output"},
	{"apply_patch_call_output", RESULT, "output"},
};

struct item {
	const struct item_kind *kind; /* NULL: of none of these */
	struct ww_parts_value type, role, id, call_id, name, content;
};

static const struct ww_parts_name item_names[] = {
	WW_PARTS_AT("type", struct item, type), WW_PARTS_AT("role", struct item, role),
	WW_PARTS_AT("id", struct item, id),     WW_PARTS_AT("call_id", struct item, call_id),
	WW_PARTS_AT("name", struct item, name), {0},
};

/* Of a content: {"type":"input_text","text":...}. */
struct part {
	struct ww_parts_value type, text;
};

static const struct ww_parts_name part_names[] = {
	WW_PARTS_AT("type", struct part, type),
	WW_PARTS_AT("text", struct part, text),
	{0},
};

static const struct item_kind *kind_of(const struct ww_parts_value *type)
{
	for (size_t i = 0; i < WW_ARRAY_SIZE(kinds); i++)
		if (ww_parts_is(type, WW_JSON_STRING) && ww_json_is(&type->first, kinds[i].type))
			return &kinds[i];
	return NULL;
}

static enum kind what(const struct item *t)
{
	return t->kind ? t->kind->kind : OTHER;
}

/* One value of an object whose text stays: the last of that name. */
static struct ww_parts_value member(const struct ww_parts_value *object, const char *name)
{
	struct ww_json j = object->after;
	struct ww_parts_value value = {0};
	struct ww_json_token k, v;

	while (ww_parts_is(object, WW_JSON_OBJECT) &&
	       ww_parts_member(&j, &k, &v) == WW_PARSE_DONE &&
	       ww_parts_keep(&j, &v, ww_json_is(&k, name) ? &value : NULL) == WW_PARSE_DONE)
		;
	return value;
}

static struct item item_of(const struct ww_parts_value *value)
{
	struct item t = {0};

	(void)ww_parts_read_in(value, item_names, &t);
	t.kind = kind_of(&t.type);
	/* A message needs no type. */
	if (!t.type.present && t.role.present)
		t.kind = &kinds[0];
	if (t.kind)
		t.content = member(value, t.kind->content);
	return t;
}

/* --- request
 * ---------------------------------------------------------------------------------------- */

/* The text of one part of a content. */
static struct ww_slice part_text(struct ww_parts *p, const struct ww_parts_value *part)
{
	struct ww_parts_value text = member(part, "text");

	return ww_parts_is(&text, WW_JSON_STRING) ? ww_parts_decoded(p, &text.first)
						  : ww_parts_raw(part);
}

static void request_content(struct ww_parts *p, const struct ww_parts_value *content)
{
	struct ww_json j = content->after;
	struct ww_json_token v;

	if (ww_parts_is(content, WW_JSON_STRING))
		ww_parts_message_text(p, ww_parts_decoded(p, &content->first));
	while (ww_parts_is(content, WW_JSON_ARRAY) && ww_parts_element(&j, &v) == WW_PARSE_DONE) {
		struct ww_parts_value value = {0};
		struct part t = {0};

		if (ww_parts_keep(&j, &v, &value) != WW_PARSE_DONE)
			return;
		(void)ww_parts_read_in(&value, part_names, &t);
		if (ww_parts_is(&t.text, WW_JSON_STRING))
			ww_parts_message_text(p, ww_parts_decoded(p, &t.text.first));
		else
			ww_parts_message_feed(p, 'o', ww_parts_raw(&t.type));
	}
}

static void request_result(struct ww_parts *p, const struct item *t)
{
	struct ww_parts_text text = {0};

	ww_parts_text_keep(p, &text);
	ww_parts_message_feed(p, 'r', ww_parts_raw(&t->call_id));
	if (ww_parts_is(&t->content, WW_JSON_STRING))
		ww_parts_result_text(p, &text, ww_parts_decoded(p, &t->content.first));
	else if (!ww_parts_is(&t->content, WW_JSON_ARRAY))
		ww_parts_result_text(p, &text, ww_parts_raw(&t->content));
	ww_parts_result_list(p, &text, &t->content, part_text);
	ww_parts_result(p, &t->call_id, NULL, &text, false);
}

static void end_part(struct ww_parts *p)
{
	if (p->part_open)
		ww_parts_message_end(p);
	p->part_open = false;
}

/* The model's items in a row are one message: what one response answered. */
static void begin_assistant(struct ww_parts *p)
{
	if (!p->part_open)
		ww_parts_message_begin(p, WW_PARTS_ASSISTANT);
	p->part_open = true;
}

static void request_call(struct ww_parts *p, const struct item *t)
{
	const struct ww_parts_value *id = t->call_id.present ? &t->call_id : &t->id;
	const struct ww_parts_value *name = t->name.present ? &t->name : &t->type;

	begin_assistant(p);
	ww_parts_asked(p, id, name, &t->content);
}

static void request_message(struct ww_parts *p, const struct item *t)
{
	enum ww_parts_role role = ww_parts_role_of(&t->role);

	if (role == WW_PARTS_ASSISTANT) {
		begin_assistant(p);
		request_content(p, &t->content);
		return;
	}
	end_part(p);
	ww_parts_message_begin(p, role);
	request_content(p, &t->content);
	ww_parts_message_end(p);
}

static void request_item(struct ww_parts *p, const struct ww_parts_value *value)
{
	struct item t = item_of(value);

	switch (what(&t)) {
	case MESSAGE:
		request_message(p, &t);
		break;
	case CALL:
	case REMOTE_CALL:
		request_call(p, &t);
		break;
	case RESULT:
		end_part(p);
		ww_parts_message_begin(p, WW_PARTS_USER);
		request_result(p, &t);
		ww_parts_message_end(p);
		break;
	case OTHER:
		/* Reasoning and references: not always sent back, so they are part of nothing. */
		break;
	}
}

/* What came before is not in the request: all that is known of it is its name. */
static void request_before(struct ww_parts *p, const struct ww_parts_value *before)
{
	if (!ww_parts_is(before, WW_JSON_STRING) && !ww_parts_is(before, WW_JSON_OBJECT))
		return;
	ww_parts_apart_begin(p, WW_PARTS_OTHER);
	ww_parts_message_feed(p, 'p', ww_parts_raw(before));
	ww_parts_message_end(p);
	p->call->history_over = true;
}

static void read_request(struct ww_parts *p, const struct ww_parts_request *r)
{
	struct ww_json j = r->messages.after;
	struct ww_json_token v;

	request_before(p, &r->before);
	if (ww_parts_is(&r->system, WW_JSON_STRING)) {
		ww_parts_apart_begin(p, WW_PARTS_SYSTEM);
		ww_parts_message_text(p, ww_parts_decoded(p, &r->system.first));
		ww_parts_message_end(p);
	}
	if (ww_parts_is(&r->messages, WW_JSON_STRING)) {
		ww_parts_message_begin(p, WW_PARTS_USER);
		ww_parts_message_text(p, ww_parts_decoded(p, &r->messages.first));
		ww_parts_message_end(p);
		return;
	}
	while (ww_parts_element(&j, &v) == WW_PARSE_DONE) {
		struct ww_parts_value item = {0};

		if (ww_parts_keep(&j, &v, &item) != WW_PARSE_DONE)
			break;
		if (ww_parts_is(&item, WW_JSON_OBJECT))
			request_item(p, &item);
	}
	end_part(p);
}

/* --- answer
 * ----------------------------------------------------------------------------------------- */

static void answer_call(struct ww_parts *p, const struct item *t)
{
	struct ww_model_tool_call *c =
		ww_parts_call_whole(p, t->call_id.present ? &t->call_id : &t->id,
				    t->name.present ? &t->name : &t->type, &t->content);

	if (c)
		c->remote = t->kind->kind == REMOTE_CALL;
}

static void each_text(struct ww_parts *p, const struct ww_parts_value *list, const char *type,
		      void (*add)(struct ww_parts *p, struct ww_slice s))
{
	struct ww_json j = list->after;
	struct ww_json_token v;

	while (ww_parts_is(list, WW_JSON_ARRAY) && ww_parts_element(&j, &v) == WW_PARSE_DONE) {
		struct ww_parts_value value = {0};
		struct part t = {0};

		if (ww_parts_keep(&j, &v, &value) != WW_PARSE_DONE)
			return;
		(void)ww_parts_read_in(&value, part_names, &t);
		if (!ww_parts_is(&t.type, WW_JSON_STRING) || !ww_json_is(&t.type.first, type) ||
		    !ww_parts_is(&t.text, WW_JSON_STRING))
			continue;
		if (add == ww_parts_answer_add)
			ww_parts_answer_part(p);
		add(p, ww_parts_decoded(p, &t.text.first));
	}
}

/* An item of the answer, whole. In a stream its texts came before, in pieces. */
static void answer_item(struct ww_parts *p, const struct ww_parts_value *value)
{
	struct item t = item_of(value);

	if (what(&t) == CALL || what(&t) == REMOTE_CALL)
		answer_call(p, &t);
	if (p->call->streamed)
		return;
	if (what(&t) == MESSAGE)
		each_text(p, &t.content, "output_text", ww_parts_answer_add);
	if (ww_parts_is(&t.type, WW_JSON_STRING) && ww_json_is(&t.type.first, "reasoning")) {
		struct ww_parts_value summary = member(value, "summary");

		each_text(p, &summary, "summary_text", ww_parts_thought_add);
	}
}

static void output(struct ww_parts *p, const struct ww_parts_value *value)
{
	struct ww_json j = value->after;
	struct ww_json_token v;

	while (ww_parts_element(&j, &v) == WW_PARSE_DONE) {
		struct ww_parts_value item = {0};

		if (ww_parts_keep(&j, &v, &item) != WW_PARSE_DONE)
			return;
		if (ww_parts_is(&item, WW_JSON_OBJECT))
			answer_item(p, &item);
	}
}

static void answer_object(struct ww_parts *p, const struct ww_parts_value *v)
{
	p->answer_seen |= ww_json_is(&v->first, "response");
}

static const struct ww_row input_details[] = {
	WW_ROW_COUNT("cached_tokens", cache_read),
	WW_ROW_COUNT("cache_write_tokens", cache_write),
	{0},
};

static const struct ww_row usage[] = {
	WW_ROW_COUNT("input_tokens", input),
	WW_ROW_COUNT("output_tokens", output),
	WW_ROW_COUNT("total_tokens", total),
	WW_ROW_IN("input_tokens_details", input_details),
	{0},
};

/* Of an API error the type; of a response that failed its code. */
static const struct ww_row error[] = {
	WW_ROW_TEXT("type", error_type),
	WW_ROW_TEXT_ONCE("code", error_type),
	{0},
};

/* Why it is incomplete says more than that it is. */
static const struct ww_row incomplete[] = {
	WW_ROW_TEXT("reason", stop_reason),
	{0},
};

#define HEAD                                                                \
	WW_ROW_TEXT("id", response_id), WW_ROW_TEXT("model", model_served), \
		WW_ROW_READ("object", WW_JSON_STRING, answer_object)

#define TAIL                                                                                  \
	WW_ROW_TEXT_ONCE("status", stop_reason), WW_ROW_IN("incomplete_details", incomplete), \
		WW_ROW_IN("usage", usage), WW_ROW_ERROR("error", error)

static const struct ww_row answer[] = {
	HEAD,
	TAIL,
	WW_ROW_READ("output", WW_JSON_ARRAY, output),
	{0},
};

static const struct ww_row begun[] = {HEAD, {0}};
/* Its items came as they were done. */
static const struct ww_row ended[] = {HEAD, TAIL, {0}};

static const struct ww_row error_event[] = {
	WW_ROW_TEXT("code", error_type),
	{0},
};

static bool ends(const char *type)
{
	return strcmp(type, "response.completed") == 0 ||
	       strcmp(type, "response.incomplete") == 0 || strcmp(type, "response.failed") == 0;
}

static void read_event(struct ww_parts *p, const char *type, const struct ww_parts_value *event)
{
	struct ww_parts_value value;

	if (strcmp(type, "response.created") == 0 || ends(type)) {
		value = member(event, "response");
		ww_rows_read_in(p, &value, ends(type) ? ended : begun);
		p->terminal |= ends(type);
	} else if (strcmp(type, "response.output_item.done") == 0) {
		value = member(event, "item");
		if (ww_parts_is(&value, WW_JSON_OBJECT))
			answer_item(p, &value);
	} else if (strcmp(type, "response.content_part.added") == 0) {
		ww_parts_answer_part(p);
	} else if (strcmp(type, "response.output_text.delta") == 0) {
		value = member(event, "delta");
		ww_parts_answer_add(p, ww_parts_decoded(p, &value.first));
	} else if (strcmp(type, "response.reasoning_summary_text.delta") == 0 ||
		   strcmp(type, "response.reasoning_text.delta") == 0) {
		value = member(event, "delta");
		ww_parts_thought_add(p, ww_parts_decoded(p, &value.first));
	} else if (strcmp(type, "error") == 0) {
		p->error_seen = true;
		ww_rows_read_in(p, event, error_event);
	}
}

static enum ww_parse read_piece(struct ww_parts *p, const struct ww_piece *piece)
{
	struct ww_parts_value event = {0}, type;
	struct ww_json_token t;
	char name[64] = "";
	struct ww_json j;
	enum ww_parse r;

	ww_json_init(&j, piece->data);
	r = ww_json_next(&j, &t);
	if (r == WW_PARSE_DONE && t.type != WW_JSON_OBJECT)
		return WW_PARSE_BAD;
	if (r == WW_PARSE_DONE)
		r = ww_parts_keep(&j, &t, &event);
	if (r == WW_PARSE_DONE)
		r = ww_parts_close(&j);
	if (r != WW_PARSE_DONE)
		return r;
	type = member(&event, "type");
	if (ww_parts_is(&type, WW_JSON_STRING) && type.first.raw.n < sizeof(name))
		memcpy(name, type.first.raw.p, type.first.raw.n);
	read_event(p, name, &event);
	return WW_PARSE_DONE;
}

static const struct ww_parts_name names[] = {
	WW_PARTS_NAME("model", model),
	WW_PARTS_NAME("input", messages),
	WW_PARTS_NAME("stream", stream),
	WW_PARTS_NAME("tools", tools),
	WW_PARTS_NAME("instructions", system),
	WW_PARTS_NAME("previous_response_id", before),
	{0},
};

const struct ww_parts_shape ww_responses = {
	.names = names,
	.array = true,
	.text = true,
	.request = read_request,
	.answer = answer,
	.piece = read_piece,
};
