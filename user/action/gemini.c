/* SPDX-License-Identifier: Apache-2.0 */
#include "action/gemini.h"

#include "action/rows.h"

/* One part of a content, of a request or an answer. */
struct part {
	struct ww_parts_value text, thought, call, result, code, tool;
};

/* A call, {"id","name","args"}, or a result, {"id","name","response"}. */
struct function {
	struct ww_parts_value id, name, content, goes_on;
};

/* The interface takes both spellings in requests. */
static const struct ww_parts_name part_names[] = {
	WW_PARTS_AT("text", struct part, text),
	WW_PARTS_AT("thought", struct part, thought),
	WW_PARTS_AT("functionCall", struct part, call),
	WW_PARTS_AT("function_call", struct part, call),
	WW_PARTS_AT("functionResponse", struct part, result),
	WW_PARTS_AT("function_response", struct part, result),
	WW_PARTS_AT("executableCode", struct part, code),
	WW_PARTS_AT("toolCall", struct part, tool),
	{0},
};

static const struct ww_parts_name function_names[] = {
	WW_PARTS_AT("id", struct function, id),
	WW_PARTS_AT("name", struct function, name),
	WW_PARTS_AT("toolType", struct function, name),
	WW_PARTS_AT("args", struct function, content),
	WW_PARTS_AT("response", struct function, content),
	WW_PARTS_AT("willContinue", struct function, goes_on),
	WW_PARTS_AT("partialArgs", struct function, goes_on),
	{0},
};

static struct function function_of(const struct ww_parts_value *value)
{
	struct function f = {0};

	(void)ww_parts_read_in(value, function_names, &f);
	return f;
}

/* Each part of a content, or of a list of them, to `fn`. */
static void each_part(struct ww_parts *p, const struct ww_parts_value *parts,
		      void (*fn)(struct ww_parts *p, const struct part *t))
{
	struct ww_json j = parts->after;
	struct part one = {0};

	if (ww_parts_read_in(parts, part_names, &one))
		fn(p, &one);
	while (ww_parts_is(parts, WW_JSON_ARRAY) && ww_parts_object(&j) == WW_PARSE_DONE) {
		struct part t = {0};

		if (ww_parts_read(&j, part_names, &t) != WW_PARSE_DONE)
			return;
		fn(p, &t);
	}
}

/* --- request
 * ---------------------------------------------------------------------------------------- */

static void request_result(struct ww_parts *p, const struct part *t)
{
	struct function f = function_of(&t->result);
	struct ww_parts_text text = {0};

	ww_parts_text_keep(p, &text);
	ww_parts_message_feed(p, 'r', ww_parts_raw(&f.id));
	ww_parts_message_feed(p, 'n', ww_parts_raw(&f.name));
	ww_parts_result_text(p, &text, ww_parts_raw(&f.content));
	ww_parts_result(p, &f.id, &f.name, &text, false);
}

static void request_part(struct ww_parts *p, const struct part *t)
{
	if (ww_parts_is(&t->text, WW_JSON_STRING)) {
		if (!ww_parts_is(&t->thought, WW_JSON_TRUE))
			ww_parts_message_text(p, ww_parts_decoded(p, &t->text.first));
	} else if (t->call.present) {
		struct function f = function_of(&t->call);

		ww_parts_asked(p, &f.id, &f.name, &f.content);
	} else if (t->result.present) {
		request_result(p, t);
	} else {
		/* Images, files, code: that there is one. */
		ww_parts_message_feed(p, 'o', WW_SLICE_NULL);
	}
}

struct content {
	struct ww_parts_value role, parts;
};

static const struct ww_parts_name content_names[] = {
	WW_PARTS_AT("role", struct content, role),
	WW_PARTS_AT("parts", struct content, parts),
	{0},
};

/* Without a role it is the user's; results are of "user" or, formerly, of "function". */
static enum ww_parts_role role_of(const struct ww_parts_value *role)
{
	if (!role->present || ww_json_is(&role->first, "user") ||
	    ww_json_is(&role->first, "function"))
		return WW_PARTS_USER;
	return ww_json_is(&role->first, "model") ? WW_PARTS_ASSISTANT : WW_PARTS_OTHER;
}

static void request_system(struct ww_parts *p, const struct ww_parts_value *system)
{
	struct content c = {0};

	if (!ww_parts_read_in(system, content_names, &c))
		return;
	ww_parts_apart_begin(p, WW_PARTS_SYSTEM);
	each_part(p, &c.parts, request_part);
	ww_parts_message_end(p);
}

static void read_request(struct ww_parts *p, const struct ww_parts_request *r)
{
	struct ww_json j = r->messages.after;

	request_system(p, &r->system);
	while (ww_parts_object(&j) == WW_PARSE_DONE) {
		struct content c = {0};

		if (ww_parts_read(&j, content_names, &c) != WW_PARSE_DONE)
			return;
		ww_parts_message_begin(p, role_of(&c.role));
		each_part(p, &c.parts, request_part);
		ww_parts_message_end(p);
	}
}

/* --- answer
 * ----------------------------------------------------------------------------------------- */

/* What the provider runs itself; its name where it tells one. */
static void provider_call(struct ww_parts *p, const struct ww_parts_value *value, const char *name)
{
	struct function f = function_of(value);
	struct ww_model_tool_call *t =
		ww_parts_call_whole(p, &f.id, &f.name, name ? value : &f.content);

	if (!t)
		return;
	t->remote = true;
	if (name)
		memcpy(t->name, name, strlen(name) + 1);
}

static void answer_part(struct ww_parts *p, const struct part *t)
{
	if (ww_parts_is(&t->text, WW_JSON_STRING)) {
		struct ww_slice s = ww_parts_decoded(p, &t->text.first);

		if (ww_parts_is(&t->thought, WW_JSON_TRUE))
			ww_parts_thought_add(p, s);
		else
			ww_parts_answer_add(p, s);
	} else if (t->call.present) {
		struct function f = function_of(&t->call);
		struct ww_model_tool_call *c;

		/* In pieces it is not put together: asked for, but by what arguments is not known.
		 */
		c = ww_parts_call_whole(p, &f.id, &f.name, &f.content);
		if (c && f.goes_on.present)
			c->complete = false;
	} else if (t->code.present) {
		provider_call(p, &t->code, "executableCode");
	} else if (t->tool.present) {
		provider_call(p, &t->tool, NULL);
	}
}

static void candidate_content(struct ww_parts *p, const struct ww_parts_value *value)
{
	struct content c = {0};

	if (ww_parts_read_in(value, content_names, &c))
		each_part(p, &c.parts, answer_part);
}

/* The searches that an answer rests on; each answer of a stream may repeat them. */
static void searches(struct ww_parts *p, const struct ww_parts_value *value)
{
	struct ww_json j = value->after;
	struct ww_json_token v;

	for (unsigned i = 0; i < p->call->tool_call_count; i++)
		if (p->call->tool_calls[i].remote &&
		    strcmp(p->call->tool_calls[i].name, "googleSearch") == 0)
			return;
	if (ww_parts_element(&j, &v) == WW_PARSE_DONE)
		provider_call(p, value, "googleSearch");
}

static const struct ww_row grounding[] = {
	WW_ROW_READ("webSearchQueries", WW_JSON_ARRAY, searches),
	{0},
};

static const struct ww_row candidate[] = {
	WW_ROW_READ("content", WW_JSON_OBJECT, candidate_content),
	WW_ROW_TEXT("finishReason", stop_reason),
	WW_ROW_IN("groundingMetadata", grounding),
	{0},
};

/* Its index is left out when it is 0. */
static bool is_first(const struct ww_parts_value *value)
{
	struct ww_json j = value->after;
	struct ww_json_token k, v;
	uint64_t n = 0;

	while (ww_parts_member(&j, &k, &v) == WW_PARSE_DONE) {
		if (ww_json_is(&k, "index"))
			return v.type == WW_JSON_NUMBER && ww_json_u64(&v, &n) == 0 && n == 0;
		if (ww_json_skip(&j, &v) != WW_PARSE_DONE)
			break;
	}
	return true;
}

static void candidates(struct ww_parts *p, const struct ww_parts_value *value)
{
	struct ww_json j = value->after;
	struct ww_json_token v;

	while (ww_parts_element(&j, &v) == WW_PARSE_DONE) {
		struct ww_parts_value one = {0};

		if (ww_parts_keep(&j, &v, &one) != WW_PARSE_DONE)
			return;
		if (ww_parts_is(&one, WW_JSON_OBJECT) && is_first(&one))
			ww_rows_read_in(p, &one, candidate);
	}
}

static const struct ww_row usage[] = {
	WW_ROW_COUNT("promptTokenCount", input),
	WW_ROW_COUNT("candidatesTokenCount", output),
	WW_ROW_COUNT("cachedContentTokenCount", cache_read),
	WW_ROW_COUNT("thoughtsTokenCount", reasoning),
	WW_ROW_COUNT("totalTokenCount", total),
	{0},
};

static const struct ww_row error[] = {
	WW_ROW_TEXT("status", error_type),
	{0},
};

/* A prompt that was refused has no candidate. */
static const struct ww_row feedback[] = {
	WW_ROW_TEXT_ONCE("blockReason", stop_reason),
	{0},
};

static const struct ww_row answer[] = {
	WW_ROW_ANSWER("candidates", WW_JSON_ARRAY, candidates),
	{.name = "usageMetadata", .type = WW_JSON_OBJECT, .in = usage, .answer = true},
	{.name = "promptFeedback", .type = WW_JSON_OBJECT, .in = feedback, .answer = true},
	WW_ROW_TEXT("modelVersion", model_served),
	WW_ROW_TEXT("responseId", response_id),
	WW_ROW_ERROR("error", error),
	{0},
};

static const struct ww_parts_name names[] = {
	WW_PARTS_NAME("contents", messages),
	WW_PARTS_NAME("systemInstruction", system),
	WW_PARTS_NAME("system_instruction", system),
	WW_PARTS_NAME("tools", tools),
	{0},
};

const struct ww_parts_shape ww_gemini = {
	.names = names,
	.array = true,
	.request = read_request,
	.answer = answer,
};
