/* SPDX-License-Identifier: Apache-2.0 */
#include "action/parts.h"

#include <endian.h>
#include <errno.h>

#include "base/encode.h"

enum ww_parse ww_parts_open(struct ww_json *j, struct ww_slice doc)
{
	struct ww_json_token t;
	enum ww_parse r;

	ww_json_init(j, doc);
	r = ww_json_next(j, &t);
	if (r == WW_PARSE_DONE && t.type != WW_JSON_OBJECT)
		return WW_PARSE_BAD;
	return r;
}

enum ww_parse ww_parts_close(struct ww_json *j)
{
	struct ww_json_token t;
	enum ww_parse r = ww_json_next(j, &t);

	return r == WW_PARSE_END ? WW_PARSE_DONE : WW_PARSE_BAD;
}

enum ww_parse ww_parts_member(struct ww_json *j, struct ww_json_token *ret_key,
			      struct ww_json_token *ret_value)
{
	enum ww_parse r = ww_json_next(j, ret_key);

	if (r != WW_PARSE_DONE)
		return r;
	if (ret_key->type == WW_JSON_END_OBJECT)
		return WW_PARSE_END;
	return ww_json_next(j, ret_value);
}

enum ww_parse ww_parts_element(struct ww_json *j, struct ww_json_token *ret_value)
{
	enum ww_parse r = ww_json_next(j, ret_value);

	if (r != WW_PARSE_DONE)
		return r;
	return ret_value->type == WW_JSON_END_ARRAY ? WW_PARSE_END : WW_PARSE_DONE;
}

enum ww_parse ww_parts_object(struct ww_json *j)
{
	struct ww_json_token v;
	enum ww_parse r;

	while ((r = ww_parts_element(j, &v)) == WW_PARSE_DONE && v.type != WW_JSON_OBJECT) {
		r = ww_json_skip(j, &v);
		if (r != WW_PARSE_DONE)
			break;
	}
	return r;
}

enum ww_parse ww_parts_keep(struct ww_json *j, const struct ww_json_token *first,
			    struct ww_parts_value *value)
{
	bool container = first->type == WW_JSON_OBJECT || first->type == WW_JSON_ARRAY;
	enum ww_parse r;

	/* Only a container is walked later. */
	if (value && container)
		value->after = *j;
	r = ww_json_skip(j, first);
	if (!value || r != WW_PARSE_DONE)
		return r;
	value->present = true;
	value->first = *first;
	value->end = j->at;
	return WW_PARSE_DONE;
}

struct ww_parts_value *ww_parts_place(const struct ww_parts_name *names,
				      const struct ww_json_token *key, void *into)
{
	for (; names->name; names++)
		if (ww_json_is(key, names->name))
			return (struct ww_parts_value *)(void *)((char *)into + names->at);
	return NULL;
}

enum ww_parse ww_parts_read(struct ww_json *j, const struct ww_parts_name *names, void *into)
{
	struct ww_json_token k, v;
	enum ww_parse r;

	while ((r = ww_parts_member(j, &k, &v)) == WW_PARSE_DONE) {
		r = ww_parts_keep(j, &v, ww_parts_place(names, &k, into));
		if (r != WW_PARSE_DONE)
			return r;
	}
	return r == WW_PARSE_END ? WW_PARSE_DONE : r;
}

bool ww_parts_read_in(const struct ww_parts_value *v, const struct ww_parts_name *names, void *into)
{
	struct ww_json j = v->after;

	return ww_parts_is(v, WW_JSON_OBJECT) && ww_parts_read(&j, names, into) == WW_PARSE_DONE;
}

enum ww_parse ww_parts_read_doc(struct ww_slice doc, const struct ww_parts_name *names, void *into)
{
	struct ww_json j;
	enum ww_parse r = ww_parts_open(&j, doc);

	if (r == WW_PARSE_DONE)
		r = ww_parts_read(&j, names, into);
	return r == WW_PARSE_DONE ? ww_parts_close(&j) : r;
}

struct ww_slice ww_parts_raw(const struct ww_parts_value *v)
{
	if (!v->present)
		return WW_SLICE_NULL;
	if (v->first.type == WW_JSON_OBJECT || v->first.type == WW_JSON_ARRAY)
		return ww_slice_sub(v->after.in, v->first.at, v->end - v->first.at);
	return v->first.raw;
}

struct ww_slice ww_parts_decoded(struct ww_parts *p, const struct ww_json_token *t)
{
	if (t->type != WW_JSON_STRING)
		return WW_SLICE_NULL;
	if (!t->escaped)
		return t->raw;
	ww_buf_clear(&p->scratch);
	if (ww_json_unescape(t, &p->scratch) < 0)
		p->no_memory = true; /* the ceiling is above any body */
	return ww_buf_slice(&p->scratch);
}

/*
 * How much of a name can stand in a record as it is. Ids and names of providers have no control
 * characters, quotes or backslashes; whoever sends them anyway must not make a record larger than
 * its bound.
 */
static size_t plain_prefix(struct ww_slice s)
{
	size_t n = 0;

	while (n < s.n && s.p[n] >= 0x20 && s.p[n] != 0x7f && s.p[n] != '"' && s.p[n] != '\\')
		n++;
	return n;
}

static void put_plain(struct ww_parts *p, struct ww_slice s, char *out, size_t cap)
{
	size_t n = plain_prefix(s);

	if (n >= cap)
		n = cap - 1;
	if (n < s.n)
		p->call->findings |= WW_X_CUT;
	if (n > 0)
		memcpy(out, s.p, n);
	memset(out + n, 0, cap - n);
}

void ww_parts_string(struct ww_parts *p, const struct ww_json_token *t, char *out, size_t cap)
{
	if (t->type == WW_JSON_STRING)
		put_plain(p, ww_parts_decoded(p, t), out, cap);
}

void ww_parts_path_text(struct ww_parts *p, struct ww_slice s, char *out, size_t cap)
{
	ww_buf_clear(&p->scratch);
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];

		if (c == '%' && ww_hex_decode(ww_slice_sub(s, i + 1, 2), &c, 1) == 0)
			i += 2;
		if (ww_buf_add(&p->scratch, &c, 1) < 0)
			p->no_memory = true;
	}
	put_plain(p, ww_buf_slice(&p->scratch), out, cap);
}

void ww_parts_count(const struct ww_json_token *t, struct ww_model_count *ret_count)
{
	uint64_t v;

	if (t->type == WW_JSON_NUMBER && ww_json_u64(t, &v) == 0)
		*ret_count = (struct ww_model_count){.present = true, .value = v};
}

/* --- texts
 * ----------------------------------------------------------------------------------------- */

void ww_parts_text_add(struct ww_parts *p, struct ww_parts_text *t, struct ww_slice s)
{
	if (!t->begun)
		ww_digest_begin(&t->digest, p->key);
	t->begun = true;
	ww_digest_add(&t->digest, s);
	t->bytes += s.n;
	if (t->kept) {
		int r = ww_buf_add(&p->call->results, s.p, s.n);

		p->no_memory |= r == -ENOMEM;
		t->kept = r == 0; /* over the ceiling: known by its digest only */
	}
}

/* As much as the ceiling allows. */
static void add_some(struct ww_parts *p, struct ww_buf *b, struct ww_slice s)
{
	s = ww_slice_sub(s, 0, b->max - b->n);
	p->no_memory |= ww_buf_add(b, s.p, s.n) < 0;
}

void ww_parts_answer_add(struct ww_parts *p, struct ww_slice s)
{
	ww_parts_text_add(p, &p->answer, s);
	add_some(p, &p->call->answer, s);
}

void ww_parts_answer_part(struct ww_parts *p)
{
	if (p->call->answer.n)
		add_some(p, &p->call->answer, WW_SLICE_LIT("\n"));
}

void ww_parts_thought_add(struct ww_parts *p, struct ww_slice s)
{
	add_some(p, &p->call->thought, s);
}

void ww_parts_text_keep(struct ww_parts *p, struct ww_parts_text *t)
{
	t->kept = true;
	t->at = p->call->results.n;
}

void ww_parts_text_join(struct ww_parts *p, struct ww_parts_text *t, struct ww_slice s)
{
	if (t->begun)
		ww_parts_text_add(p, t, WW_SLICE_LIT("\n"));
	ww_parts_text_add(p, t, s);
}

void ww_parts_text_end(struct ww_parts *p, struct ww_parts_text *t, struct ww_sha256 *ret_digest,
		       uint64_t *ret_bytes)
{
	if (!t->begun)
		ww_digest_begin(&t->digest, p->key);
	ww_digest_end(&t->digest, ret_digest);
	*ret_bytes = t->bytes;
	*t = (struct ww_parts_text){0};
}

/* --- the conversation of a request ---------------------------------------------------------------
 */

enum ww_parts_role ww_parts_role_of(const struct ww_parts_value *v)
{
	static const struct {
		const char *name;
		enum ww_parts_role role;
	} roles[] = {
		{"user", WW_PARTS_USER},        {"assistant", WW_PARTS_ASSISTANT},
		{"tool", WW_PARTS_TOOL},        {"system", WW_PARTS_SYSTEM},
		{"developer", WW_PARTS_SYSTEM},
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(roles); i++)
		if (ww_parts_is(v, WW_JSON_STRING) && ww_json_is(&v->first, roles[i].name))
			return roles[i].role;
	return WW_PARTS_OTHER;
}

void ww_parts_message_begin(struct ww_parts *p, enum ww_parts_role role)
{
	uint8_t tag = (uint8_t)role;

	p->role = role;
	p->message_text = (struct ww_parts_text){0};
	p->call->messages++;
	if (role == WW_PARTS_SYSTEM)
		return;
	if (role == WW_PARTS_ASSISTANT) {
		p->call->parent = p->rolling;
		p->call->parent_present = true;
		/* What came before was the business of the call that it answered. */
		p->call->tool_result_count = 0;
		p->call->tool_results_dropped = 0;
		ww_buf_clear(&p->call->results);
	}
	p->message_results = role == WW_PARTS_TOOL;
	if (role == WW_PARTS_TOOL)
		ww_parts_text_keep(p, &p->message_text);
	ww_digest_begin(&p->message, p->key);
	ww_digest_add(&p->message, ww_slice(p->rolling.b, sizeof(p->rolling.b)));
	ww_digest_add(&p->message, ww_slice(&tag, 1));
}

void ww_parts_apart_begin(struct ww_parts *p, enum ww_parts_role role)
{
	ww_parts_message_begin(p, role);
	p->call->messages--;
}

void ww_parts_message_feed(struct ww_parts *p, char kind, struct ww_slice bytes)
{
	uint64_t n = htole64(bytes.n);

	if (p->role == WW_PARTS_SYSTEM)
		return;
	ww_digest_add(&p->message, ww_slice(&kind, 1));
	ww_digest_add(&p->message, ww_slice(&n, sizeof(n)));
	ww_digest_add(&p->message, bytes);
}

/* What the message's text is becoming takes the place of the user message's before it. */
static void keep_prompt(struct ww_parts *p, bool joined, struct ww_slice text)
{
	struct ww_buf *kept = &p->call->prompt_text;

	if (p->message_text.bytes == text.n + joined)
		ww_buf_clear(kept);
	if (joined)
		add_some(p, kept, WW_SLICE_LIT("\n"));
	add_some(p, kept, text);
}

void ww_parts_message_text(struct ww_parts *p, struct ww_slice text)
{
	bool joined = p->message_text.begun;

	ww_parts_message_feed(p, 't', text);
	ww_parts_text_join(p, p->role == WW_PARTS_SYSTEM ? &p->system : &p->message_text, text);
	/* Only a message that has text is a prompt. */
	if (p->role == WW_PARTS_USER && p->message_text.bytes > 0)
		keep_prompt(p, joined, text);
}

/* What was asked for before belongs to earlier turns. */
static void begin_turn(struct ww_parts *p)
{
	struct ww_model_call *c = p->call;

	c->turn_present = true;
	c->turn = p->rolling;
	for (unsigned i = 0; i < c->turn_call_count; i++) {
		unsigned k = 0;

		while (k < c->earlier_count && strcmp(c->earlier[k], c->turn_calls[i].name) != 0)
			k++;
		if (k < c->earlier_count)
			continue;
		if (k == WW_MODEL_EARLIER_MAX) {
			c->history_over = true;
			break;
		}
		memcpy(c->earlier[c->earlier_count++], c->turn_calls[i].name,
		       sizeof(c->earlier[0]));
	}
	c->turn_call_count = 0;
}

void ww_parts_asked(struct ww_parts *p, const struct ww_parts_value *id,
		    const struct ww_parts_value *name, const struct ww_parts_value *arguments)
{
	struct ww_model_call *c = p->call;
	struct ww_model_asked *a;

	ww_parts_message_feed(p, 'i', ww_parts_raw(id));
	ww_parts_message_feed(p, 'n', ww_parts_raw(name));
	ww_parts_message_feed(p, 'a', ww_parts_raw(arguments));
	if (p->role != WW_PARTS_ASSISTANT)
		return;
	if (c->turn_call_count == WW_TOOL_CALLS_MAX) {
		c->history_over = true;
		return;
	}
	a = &c->turn_calls[c->turn_call_count++];
	a->id[0] = '\0';
	a->name[0] = '\0';
	if (id->present)
		ww_parts_string(p, &id->first, a->id, sizeof(a->id));
	if (name->present)
		ww_parts_string(p, &name->first, a->name, sizeof(a->name));
}

void ww_parts_message_end(struct ww_parts *p)
{
	if (p->role != WW_PARTS_SYSTEM)
		ww_digest_end(&p->message, &p->rolling);
	if (p->role == WW_PARTS_USER && p->message_text.bytes > 0) {
		p->call->prompt_present = true;
		ww_parts_text_end(p, &p->message_text, &p->call->prompt, &p->call->prompt_bytes);
		if (!p->message_results)
			begin_turn(p);
	}
}

void ww_parts_result_text(struct ww_parts *p, struct ww_parts_text *text, struct ww_slice s)
{
	ww_parts_message_feed(p, 't', s);
	ww_parts_text_join(p, text, s);
}

void ww_parts_result_list(struct ww_parts *p, struct ww_parts_text *text,
			  const struct ww_parts_value *list,
			  struct ww_slice (*item)(struct ww_parts *p,
						  const struct ww_parts_value *v))
{
	struct ww_json j = list->after;
	struct ww_json_token v;

	while (ww_parts_is(list, WW_JSON_ARRAY) && ww_parts_element(&j, &v) == WW_PARSE_DONE) {
		struct ww_parts_value value = {0};

		if (ww_parts_keep(&j, &v, &value) != WW_PARSE_DONE)
			return;
		ww_parts_result_text(p, text, item(p, &value));
	}
}

void ww_parts_result(struct ww_parts *p, const struct ww_parts_value *id,
		     const struct ww_parts_value *tool, struct ww_parts_text *text, bool is_error)
{
	struct ww_model_call *c = p->call;
	struct ww_model_tool_result *t;

	p->message_results = true;
	if (c->tool_result_count >= WW_TOOL_CALLS_MAX) {
		c->tool_results_dropped++;
		c->findings |= WW_X_LIMIT;
		return;
	}
	t = &c->tool_results[c->tool_result_count++];
	*t = (struct ww_model_tool_result){
		.is_error = is_error, .kept = text->kept, .at = text->at};
	if (id->present)
		ww_parts_string(p, &id->first, t->tool_call_id, sizeof(t->tool_call_id));
	if (tool && tool->present && !t->tool_call_id[0])
		ww_parts_string(p, &tool->first, t->tool, sizeof(t->tool));
	ww_parts_text_end(p, text, &t->digest, &t->bytes);
}

struct message {
	struct ww_parts_value role, content;
};

static const struct ww_parts_name message_names[] = {
	WW_PARTS_AT("role", struct message, role),
	WW_PARTS_AT("content", struct message, content),
	{0},
};

void ww_parts_conversation(struct ww_parts *p, const struct ww_parts_request *r,
			   void (*content)(struct ww_parts *p, const struct ww_parts_value *v))
{
	struct ww_json j = r->messages.after;

	if (r->system.present) {
		ww_parts_apart_begin(p, WW_PARTS_SYSTEM);
		content(p, &r->system);
		ww_parts_message_end(p);
	}
	while (ww_parts_object(&j) == WW_PARSE_DONE) {
		struct message m = {0};

		if (ww_parts_read(&j, message_names, &m) != WW_PARSE_DONE)
			return;
		ww_parts_message_begin(p, ww_parts_role_of(&m.role));
		content(p, &m.content);
		ww_parts_message_end(p);
	}
}

/* --- tool calls of a response
 * --------------------------------------------------------------------- */

static struct ww_parts_slot *add_slot(struct ww_parts *p, uint64_t index)
{
	struct ww_model_call *c = p->call;
	struct ww_parts_slot *s;

	if (c->tool_call_count >= WW_TOOL_CALLS_MAX) {
		c->findings |= WW_X_LIMIT;
		return NULL;
	}
	c->tool_calls[c->tool_call_count] = (struct ww_model_tool_call){0};
	s = &p->slot[c->tool_call_count++];
	*s = (struct ww_parts_slot){.index = index};
	return s;
}

struct ww_parts_slot *ww_parts_slot_at(struct ww_parts *p, uint64_t index)
{
	struct ww_parts_slot *s = ww_parts_slot_begun(p, index);

	return s ? s : add_slot(p, index);
}

struct ww_parts_slot *ww_parts_slot_begun(struct ww_parts *p, uint64_t index)
{
	for (unsigned i = 0; i < p->call->tool_call_count; i++)
		if (p->slot[i].index == index)
			return &p->slot[i];
	return NULL;
}

void ww_parts_slot_stop(struct ww_parts *p, uint64_t index)
{
	struct ww_parts_slot *s = ww_parts_slot_begun(p, index);

	if (!s)
		return;
	ww_parts_slot_call(p, s)->complete = true;
	if (s->arguments.bytes == 0)
		ww_parts_text_add(p, &s->arguments, WW_SLICE_LIT("{}"));
}

struct ww_model_tool_call *ww_parts_call_whole(struct ww_parts *p, const struct ww_parts_value *id,
					       const struct ww_parts_value *name,
					       const struct ww_parts_value *arguments)
{
	struct ww_parts_slot *s = add_slot(p, WW_PARTS_OWN_INDEX + p->call->tool_call_count);
	struct ww_model_tool_call *t;

	if (!s) {
		p->call->tool_calls_dropped++;
		return NULL;
	}
	t = ww_parts_slot_call(p, s);
	if (id->present)
		ww_parts_string(p, &id->first, t->id, sizeof(t->id));
	if (name->present)
		ww_parts_string(p, &name->first, t->name, sizeof(t->name));
	ww_parts_text_add(p, &s->arguments,
			  ww_parts_is(arguments, WW_JSON_STRING)
				  ? ww_parts_decoded(p, &arguments->first)
				  : ww_parts_raw(arguments));
	t->complete = true;
	return t;
}

struct ww_model_tool_call *ww_parts_slot_call(struct ww_parts *p, const struct ww_parts_slot *s)
{
	return &p->call->tool_calls[s - p->slot];
}

void ww_parts_slots_end(struct ww_parts *p)
{
	for (unsigned i = 0; i < p->call->tool_call_count; i++) {
		struct ww_model_tool_call *t = &p->call->tool_calls[i];

		ww_parts_text_end(p, &p->slot[i].arguments, &t->arguments, &t->argument_bytes);
	}
}
