/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger record of a model call. Absent counts and texts are absent members, never zero. */
#include "action/model.h"

static void write_text(struct ww_jsonw *w, const char *key, const char *value)
{
	if (value[0])
		ww_jsonw_cstr(w, key, value);
}

static void write_digest(struct ww_jsonw *w, const char *key, const struct ww_sha256 *d)
{
	ww_jsonw_hex(w, key, ww_slice(d->b, sizeof(d->b)));
}

static void write_sized(struct ww_jsonw *w, const char *key, const struct ww_sha256 *d,
			uint64_t bytes)
{
	if (bytes == 0)
		return;
	ww_jsonw_object(w, key);
	ww_jsonw_u64(w, "bytes", bytes);
	write_digest(w, "digest", d);
	ww_jsonw_end_object(w);
}

static void write_count(struct ww_jsonw *w, const char *key, const struct ww_model_count *n)
{
	if (n->present)
		ww_jsonw_u64(w, key, n->value);
}

static void write_usage(const struct ww_model_usage *u, struct ww_jsonw *w)
{
	ww_jsonw_object(w, "usage");
	write_count(w, "input", &u->input);
	write_count(w, "output", &u->output);
	write_count(w, "cacheRead", &u->cache_read);
	write_count(w, "cacheWrite", &u->cache_write);
	write_count(w, "reasoning", &u->reasoning);
	write_count(w, "total", &u->total);
	ww_jsonw_end_object(w);
}

static void write_tools(const struct ww_model_call *c, struct ww_jsonw *w)
{
	ww_jsonw_array(w, "toolCalls");
	for (unsigned i = 0; i < c->tool_call_count; i++) {
		const struct ww_model_tool_call *t = &c->tool_calls[i];

		ww_jsonw_object(w, NULL);
		ww_jsonw_cstr(w, "id", t->id);
		ww_jsonw_cstr(w, "name", t->name);
		ww_jsonw_u64(w, "argumentBytes", t->argument_bytes);
		write_digest(w, "arguments", &t->arguments);
		ww_jsonw_bool(w, "complete", t->complete);
		if (t->remote)
			ww_jsonw_bool(w, "remote", true);
		ww_jsonw_end_object(w);
	}
	ww_jsonw_end_array(w);
	if (c->tool_calls_dropped)
		ww_jsonw_u64(w, "toolCallsDropped", c->tool_calls_dropped);
	ww_jsonw_array(w, "toolResults");
	for (unsigned i = 0; i < c->tool_result_count; i++) {
		const struct ww_model_tool_result *t = &c->tool_results[i];

		ww_jsonw_object(w, NULL);
		ww_jsonw_cstr(w, "id", t->tool_call_id);
		write_text(w, "tool", t->tool);
		ww_jsonw_u64(w, "bytes", t->bytes);
		write_digest(w, "digest", &t->digest);
		if (t->is_error)
			ww_jsonw_bool(w, "isError", true);
		ww_jsonw_end_object(w);
	}
	ww_jsonw_end_array(w);
	if (c->tool_results_dropped)
		ww_jsonw_u64(w, "toolResultsDropped", c->tool_results_dropped);
}

/* What tells, beside the claims, which calls they may mean. */
static void write_history(const struct ww_model_call *c, struct ww_jsonw *w)
{
	ww_jsonw_u64(w, "turnCalls", c->turn_call_count);
	ww_jsonw_array(w, "earlierTools");
	for (unsigned i = 0; i < c->earlier_count; i++)
		ww_jsonw_cstr(w, NULL, c->earlier[i]);
	ww_jsonw_end_array(w);
	if (c->history_over)
		ww_jsonw_bool(w, "historyOver", true);
}

static void write_claims(const struct ww_model_call *c, const char *key,
			 const struct ww_phrases_said *said, struct ww_jsonw *w)
{
	if (said->count == 0 && !said->over)
		return;
	ww_jsonw_object(w, key);
	ww_jsonw_bool(w, "whole", !said->over);
	ww_jsonw_array(w, "claims");
	for (unsigned i = 0; i < said->count; i++)
		ww_phrase_said_write(c->phrases, &said->items[i], NULL, w);
	ww_jsonw_end_array(w);
	if (said == &c->said)
		write_history(c, w);
	ww_jsonw_end_object(w);
}

static void write_conversation(const struct ww_model_call *c, struct ww_jsonw *w)
{
	write_sized(w, "text", &c->text, c->text_bytes);
	if (c->prompt_present)
		write_sized(w, "prompt", &c->prompt, c->prompt_bytes);
	write_sized(w, "system", &c->system, c->system_bytes);
	write_sized(w, "tools", &c->tools, c->tools_bytes);
	if (c->request_whole)
		write_digest(w, "conversation", &c->conversation);
	if (c->parent_present)
		write_digest(w, "parent", &c->parent);
	if (c->turn_present)
		write_digest(w, "turn", &c->turn);
}

void ww_model_write(const struct ww_model_call *c, const struct ww_clock_map *clock,
		    struct ww_jsonw *w)
{
	struct ww_exchange x = {.cookie = c->cookie, .index = c->index};
	char text[WW_ACTOR_ID_MAX > WW_EXCHANGE_ID_MAX ? WW_ACTOR_ID_MAX : WW_EXCHANGE_ID_MAX];

	_Static_assert(sizeof(text) >= WW_RFC3339_MAX, "time");
	ww_jsonw_object(w, NULL);
	ww_jsonw_cstr(w, "kind", "model_call");
	ww_model_id(c, text);
	ww_jsonw_cstr(w, "id", text);
	ww_wall_rfc3339(ww_clock_wall(clock, c->t), text);
	ww_jsonw_cstr(w, "t", text);
	ww_exchange_id(&x, text);
	ww_jsonw_cstr(w, "exchange", text);
	ww_actor_id(c->actor, text);
	ww_jsonw_cstr(w, "actor", text);
	ww_jsonw_cstr(w, "provider", ww_model_provider_name(c->provider));
	ww_jsonw_array(w, "findings");
	for (uint32_t bit = 1; bit; bit <<= 1)
		if ((c->findings & bit) && ww_exchange_finding_name(bit))
			ww_jsonw_cstr(w, NULL, ww_exchange_finding_name(bit));
	ww_jsonw_end_array(w);
	ww_jsonw_bool(w, "requestWhole", c->request_whole);
	ww_jsonw_bool(w, "responseWhole", c->response_whole);
	ww_jsonw_bool(w, "streamAsked", c->stream_asked);
	ww_jsonw_bool(w, "streamed", c->streamed);
	if (c->status)
		ww_jsonw_u64(w, "status", c->status);
	write_text(w, "modelAsked", c->model_asked);
	write_text(w, "modelServed", c->model_served);
	write_text(w, "responseId", c->response_id);
	write_text(w, "requestId", c->request_id);
	write_text(w, "stopReason", c->stop_reason);
	write_text(w, "errorType", c->error_type);
	ww_jsonw_u64(w, "messages", c->messages);
	if (c->choices != 1)
		ww_jsonw_u64(w, "choices", c->choices);
	write_usage(&c->usage, w);
	ww_place_write(&c->places, w);
	write_tools(c, w);
	write_conversation(c, w);
	if (c->phrases) {
		write_claims(c, "prose", &c->said, w);
		write_claims(c, "reasoning", &c->thoughts, w);
	}
	ww_jsonw_end_object(w);
}
