/* SPDX-License-Identifier: Apache-2.0 */
#include "action/ollama.h"

#include "action/rows.h"

struct message {
	struct ww_parts_value role, content, thinking, calls, id, tool, images;
};

static const struct ww_parts_name message_names[] = {
	WW_PARTS_AT("role", struct message, role),
	WW_PARTS_AT("content", struct message, content),
	WW_PARTS_AT("thinking", struct message, thinking),
	WW_PARTS_AT("tool_calls", struct message, calls),
	WW_PARTS_AT("tool_call_id", struct message, id),
	WW_PARTS_AT("tool_name", struct message, tool),
	WW_PARTS_AT("images", struct message, images),
	{0},
};

struct call {
	struct ww_parts_value id, name, arguments;
};

static enum ww_parse read_call(struct ww_json *j, struct call *c)
{
	struct ww_json_token k, v;
	unsigned depth = 0;
	enum ww_parse r;

	/* {"id":...,"function":{"name":...,"arguments":{...}}} */
	while ((r = ww_parts_member(j, &k, &v)) == WW_PARSE_DONE || r == WW_PARSE_END) {
		struct ww_parts_value *to = NULL;

		if (r == WW_PARSE_END) {
			if (depth == 0)
				return WW_PARSE_DONE;
			depth--;
			continue;
		}
		if (depth == 0 && v.type == WW_JSON_OBJECT && ww_json_is(&k, "function")) {
			depth++;
			continue;
		}
		if (depth == 0 && ww_json_is(&k, "id"))
			to = &c->id;
		else if (depth == 1 && ww_json_is(&k, "name"))
			to = &c->name;
		else if (depth == 1 && ww_json_is(&k, "arguments"))
			to = &c->arguments;
		r = ww_parts_keep(j, &v, to);
		if (r != WW_PARSE_DONE)
			return r;
	}
	return r;
}

static void each_call(struct ww_parts *p, const struct ww_parts_value *calls,
		      void (*fn)(struct ww_parts *p, const struct call *c))
{
	struct ww_json j = calls->after;
	struct ww_json_token v;

	while (ww_parts_is(calls, WW_JSON_ARRAY) && ww_parts_element(&j, &v) == WW_PARSE_DONE) {
		struct call c = {0};

		if (v.type != WW_JSON_OBJECT || read_call(&j, &c) != WW_PARSE_DONE)
			return;
		fn(p, &c);
	}
}

/* --- request
 * ---------------------------------------------------------------------------------------- */

static void request_call(struct ww_parts *p, const struct call *c)
{
	ww_parts_asked(p, &c->id, &c->name, &c->arguments);
}

static void request_message(struct ww_parts *p, const struct message *m)
{
	ww_parts_message_begin(p, ww_parts_role_of(&m->role));
	if (m->id.present)
		ww_parts_message_feed(p, 'r', ww_parts_raw(&m->id));
	if (ww_parts_is(&m->content, WW_JSON_STRING))
		ww_parts_message_text(p, ww_parts_decoded(p, &m->content.first));
	if (m->images.present)
		ww_parts_message_feed(p, 'o', WW_SLICE_LIT("images"));
	each_call(p, &m->calls, request_call);
	if (p->role == WW_PARTS_TOOL)
		ww_parts_result(p, &m->id, &m->tool, &p->message_text, false);
	ww_parts_message_end(p);
}

static void chat_request(struct ww_parts *p, const struct ww_parts_request *r)
{
	struct ww_json j = r->messages.after;

	while (ww_parts_object(&j) == WW_PARSE_DONE) {
		struct message m = {0};

		if (ww_parts_read(&j, message_names, &m) != WW_PARSE_DONE)
			return;
		request_message(p, &m);
	}
}

/* One message of the user's, behind what `context` stands for. */
static void generate_request(struct ww_parts *p, const struct ww_parts_request *r)
{
	if (ww_parts_is(&r->system, WW_JSON_STRING)) {
		ww_parts_apart_begin(p, WW_PARTS_SYSTEM);
		ww_parts_message_text(p, ww_parts_decoded(p, &r->system.first));
		ww_parts_message_end(p);
	}
	ww_parts_message_begin(p, WW_PARTS_USER);
	if (ww_parts_is(&r->before, WW_JSON_ARRAY)) {
		ww_parts_message_feed(p, 'o', ww_parts_raw(&r->before));
		p->call->history_over = true;
	}
	ww_parts_message_text(p, ww_parts_decoded(p, &r->messages.first));
	ww_parts_message_end(p);
}

/* --- answer
 * ----------------------------------------------------------------------------------------- */

static void answer_call(struct ww_parts *p, const struct call *c)
{
	(void)ww_parts_call_whole(p, &c->id, &c->name, &c->arguments);
}

static void answer_message(struct ww_parts *p, const struct ww_parts_value *value)
{
	struct message m = {0};

	if (!ww_parts_read_in(value, message_names, &m))
		return;
	if (ww_parts_is(&m.content, WW_JSON_STRING))
		ww_parts_answer_add(p, ww_parts_decoded(p, &m.content.first));
	if (ww_parts_is(&m.thinking, WW_JSON_STRING))
		ww_parts_thought_add(p, ww_parts_decoded(p, &m.thinking.first));
	each_call(p, &m.calls, answer_call);
}

static void answer_text(struct ww_parts *p, const struct ww_parts_value *v)
{
	ww_parts_answer_add(p, ww_parts_decoded(p, &v->first));
}

static void answer_thought(struct ww_parts *p, const struct ww_parts_value *v)
{
	ww_parts_thought_add(p, ww_parts_decoded(p, &v->first));
}

static void answer_done(struct ww_parts *p, const struct ww_parts_value *v)
{
	p->terminal |= ww_parts_is(v, WW_JSON_TRUE);
}

/* The message is for people; there is no name for the kind of error. */
static void answer_error(struct ww_parts *p, const struct ww_parts_value *v)
{
	p->error_seen = true;
}

/* Other services under these paths have messages and responses; what is done they do not say. */
#define EVERY_ANSWER                                                                          \
	WW_ROW_TEXT("model", model_served), WW_ROW_TEXT("done_reason", stop_reason),          \
		WW_ROW_ANSWER("done", WW_JSON_TRUE, answer_done),                             \
		WW_ROW_COUNT("prompt_eval_count", input), WW_ROW_COUNT("eval_count", output), \
		WW_ROW_READ("error", WW_JSON_STRING, answer_error)

static const struct ww_row chat_answer[] = {
	WW_ROW_READ("message", WW_JSON_OBJECT, answer_message),
	EVERY_ANSWER,
	{0},
};

static const struct ww_row generate_answer[] = {
	WW_ROW_READ("response", WW_JSON_STRING, answer_text),
	WW_ROW_READ("thinking", WW_JSON_STRING, answer_thought),
	EVERY_ANSWER,
	{0},
};

static const struct ww_parts_name chat_names[] = {
	WW_PARTS_NAME("model", model),
	WW_PARTS_NAME("messages", messages),
	WW_PARTS_NAME("stream", stream),
	WW_PARTS_NAME("tools", tools),
	{0},
};

static const struct ww_parts_name generate_names[] = {
	WW_PARTS_NAME("model", model),    WW_PARTS_NAME("prompt", messages),
	WW_PARTS_NAME("stream", stream),  WW_PARTS_NAME("system", system),
	WW_PARTS_NAME("context", before), {0},
};

const struct ww_parts_shape ww_ollama_chat = {
	.names = chat_names,
	.array = true,
	.needs = "model",
	.request = chat_request,
	.answer = chat_answer,
};

const struct ww_parts_shape ww_ollama_generate = {
	.names = generate_names,
	.text = true,
	.needs = "model",
	.request = generate_request,
	.answer = generate_answer,
};
