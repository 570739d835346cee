/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parts: what the shapes share. Walking JSON without a tree, bounded strings, joined
 * texts, tool call slots of a stream, and the rolling digest over a conversation (see model.h).
 *
 * Members of an object may come in any order: a value whose meaning depends on a later member is
 * kept (ww_parts_value) and walked when the object is over. Values borrow from the body. Walkers
 * answer as the tokenizer does: DONE, MORE (cut off), BAD.
 */
#pragma once

#include "action/dialects.h"
#include "action/model.h"
#include "action/pieces.h"
#include "base/json.h"

enum ww_parts_role {
	WW_PARTS_OTHER,
	WW_PARTS_SYSTEM, /* also developer */
	WW_PARTS_USER,
	WW_PARTS_ASSISTANT,
	WW_PARTS_TOOL,
};

/* Text that comes in pieces, digested as it comes. */
struct ww_parts_text {
	struct ww_digest_ctx digest;
	uint64_t bytes;
	bool begun;
	bool kept; /* a tool result: its text goes to call->results, from `at` */
	size_t at;
};

/* Arguments of one streamed tool call; the index is the provider's, or one beyond any of those. */
#define WW_PARTS_OWN_INDEX (1ull << 32)
struct ww_parts_slot {
	uint64_t index;
	struct ww_parts_text arguments;
};

struct ww_row;

struct ww_parts_value {
	bool present;
	struct ww_json_token first;
	struct ww_json after; /* of a container: the tokenizer behind `first` */
	size_t end;           /* offset behind the value */
};

struct ww_parts {
	const struct ww_exchange *x;
	const struct ww_digest_key *key;
	struct ww_model_call *call;
	const struct ww_dialect *dialect;
	struct ww_buf scratch; /* a decoded string */
	struct ww_buf inner;   /* a document that another one carries encoded */
	bool inner_bad;        /* it cannot be decoded */
	struct ww_sha256 rolling;
	struct ww_digest_ctx message; /* being reduced */
	enum ww_parts_role role;      /* of it */
	struct ww_parts_text message_text;
	bool message_results; /* it brings tool results */
	struct ww_parts_text system;
	struct ww_parts_text answer;
	bool messages_seen; /* the request has the shape of a model call */
	bool answer_seen;   /* the response has */
	bool error_seen;    /* it says that the call failed */
	bool part_open;     /* the shape's own: a message that goes on over several items */
	bool terminal;      /* the stream's own last event was seen */
	bool no_memory;
	/* Parallel to call->tool_calls; last, and undefined beyond their count. */
	struct ww_parts_slot slot[WW_TOOL_CALLS_MAX];
};

/* The members of a request that the shapes have. */
struct ww_parts_request {
	struct ww_parts_value model;
	struct ww_parts_value stream;
	struct ww_parts_value n;
	struct ww_parts_value messages;
	struct ww_parts_value system;
	struct ww_parts_value tools;
	struct ww_parts_value before; /* an earlier conversation that it goes on with */
	struct ww_parts_value geo;    /* where it wishes the work to be done */
};

/* Where a member of an object goes: to a struct ww_parts_value in what is filled. */
struct ww_parts_name {
	const char *name;
	size_t at;
};

#define WW_PARTS_AT(NAME, STRUCT, MEMBER)        \
	{                                        \
		(NAME), offsetof(STRUCT, MEMBER) \
	}
#define WW_PARTS_NAME(NAME, MEMBER) WW_PARTS_AT(NAME, struct ww_parts_request, MEMBER)

/* When a tool call of a stream has its arguments to their end. */
enum ww_parts_complete {
	WW_PARTS_AT_ITS_END, /* the shape says so of each call */
	WW_PARTS_AT_STOP,    /* when the answer has a stop reason */
};

/* What the bodies of a dialect look like. Several dialects can be of one shape. */
struct ww_parts_shape {
	const struct ww_parts_name *names; /* of struct ww_parts_request */
	bool array, text;                  /* which of these `messages` may be */
	const char *needs;                 /* a text that a request must have, or NULL */
	enum ww_parts_complete complete;
	/* The conversation of a whole request. */
	void (*request)(struct ww_parts *p, const struct ww_parts_request *r);
	const struct ww_row *answer; /* a response or error document */
	/* A piece of a stream; NULL: each piece is an answer of its own. */
	enum ww_parse (*piece)(struct ww_parts *p, const struct ww_piece *piece);
};

/* --- JSON --- */

/* The next member of the object being walked. END: the object is over. */
enum ww_parse ww_parts_member(struct ww_json *j, struct ww_json_token *ret_key,
			      struct ww_json_token *ret_value);
/* The next element of the array being walked. END: the array is over. */
enum ww_parse ww_parts_element(struct ww_json *j, struct ww_json_token *ret_value);
/* The next element that is an object, in which j then stands; others are passed over. */
enum ww_parse ww_parts_object(struct ww_json *j);

/* Keeps the value that begins with `first` (NULL: does not) and moves j behind it. */
enum ww_parse ww_parts_keep(struct ww_json *j, const struct ww_json_token *first,
			    struct ww_parts_value *value);
/* The place in *into that a table, which ends with an empty row, has for a member; NULL: none. */
struct ww_parts_value *ww_parts_place(const struct ww_parts_name *names,
				      const struct ww_json_token *key, void *into);
/* Keeps what a table names of the object that j stands in, to its end: DONE, MORE (cut off), BAD.
 * Of two members for one place the last one stands. */
enum ww_parse ww_parts_read(struct ww_json *j, const struct ww_parts_name *names, void *into);
/* The same of a kept value. False: it is no object. */
bool ww_parts_read_in(const struct ww_parts_value *v, const struct ww_parts_name *names,
		      void *into);
/* The same of a document. */
enum ww_parse ww_parts_read_doc(struct ww_slice doc, const struct ww_parts_name *names, void *into);
/* The text of a kept value as it stands in the body; strings without quotes. */
struct ww_slice ww_parts_raw(const struct ww_parts_value *v);
static inline bool ww_parts_is(const struct ww_parts_value *v, enum ww_json_type type)
{
	return v->present && v->first.type == type;
}

/* Decoded content of a string; empty for other types. Borrowed until the next call. */
struct ww_slice ww_parts_decoded(struct ww_parts *p, const struct ww_json_token *t);
/* Bounded copy of the plain part of a string token; cut: finding. Other types leave out alone. */
void ww_parts_string(struct ww_parts *p, const struct ww_json_token *t, char *out, size_t cap);
/* The same of a piece of a path, percent-decoded (RFC 3986, section 2.1). */
void ww_parts_path_text(struct ww_parts *p, struct ww_slice s, char *out, size_t cap);
/* Begins a document that must be an object. BAD: it is something else. */
enum ww_parse ww_parts_open(struct ww_json *j, struct ww_slice doc);
/* The document must be over: DONE. */
enum ww_parse ww_parts_close(struct ww_json *j);
/* A count of tokens; only a non-negative integer is taken. */
void ww_parts_count(const struct ww_json_token *t, struct ww_model_count *ret_count);

/* --- texts --- */

void ww_parts_text_add(struct ww_parts *p, struct ww_parts_text *t, struct ww_slice s);
/* A piece of the answer's text. */
void ww_parts_answer_add(struct ww_parts *p, struct ww_slice s);
/* Another part of it begins: sentences do not run from one into the other. */
void ww_parts_answer_part(struct ww_parts *p);
/* A piece of what the model shows of its reasoning; part of no digest. */
void ww_parts_thought_add(struct ww_parts *p, struct ww_slice s);
/* As ww_parts_text_add, with an LF before it unless it is the first. */
void ww_parts_text_join(struct ww_parts *p, struct ww_parts_text *t, struct ww_slice s);
/* Keeps what is added to an empty text, as long as there is room for it. */
void ww_parts_text_keep(struct ww_parts *p, struct ww_parts_text *t);
/* Ends a text (of no piece: the digest of nothing). *t is then empty. */
void ww_parts_text_end(struct ww_parts *p, struct ww_parts_text *t, struct ww_sha256 *ret_digest,
		       uint64_t *ret_bytes);

/* --- the conversation of a request --- */

enum ww_parts_role ww_parts_role_of(const struct ww_parts_value *v);
void ww_parts_message_begin(struct ww_parts *p, enum ww_parts_role role);
/* The same of what is a member of its own in the request: it does not count as a message. */
void ww_parts_apart_begin(struct ww_parts *p, enum ww_parts_role role);
/* A text part. */
void ww_parts_message_text(struct ww_parts *p, struct ww_slice text);
/* Another part or a piece of it: `kind` tells kinds apart in the digest. */
void ww_parts_message_feed(struct ww_parts *p, char kind, struct ww_slice bytes);
void ww_parts_message_end(struct ww_parts *p);
/* A tool call of the history, a part of the current message. */
void ww_parts_asked(struct ww_parts *p, const struct ww_parts_value *id,
		    const struct ww_parts_value *name, const struct ww_parts_value *arguments);
/* A piece of a tool's result, a part of the current message; LF between pieces of a text. */
void ww_parts_result_text(struct ww_parts *p, struct ww_parts_text *text, struct ww_slice s);
/* Pieces of it: the elements of a list, if it is one, as `item` has them. */
void ww_parts_result_list(struct ww_parts *p, struct ww_parts_text *text,
			  const struct ww_parts_value *list,
			  struct ww_slice (*item)(struct ww_parts *p,
						  const struct ww_parts_value *v));
/* A result of a tool within the current message. `tool`: its name, only taken when it has no id. */
void ww_parts_result(struct ww_parts *p, const struct ww_parts_value *id,
		     const struct ww_parts_value *tool, struct ww_parts_text *text, bool is_error);
/* A request whose messages have a role and a content, and whose system text stands apart, if there
 * is one. `content` gives parts to the current message. */
void ww_parts_conversation(struct ww_parts *p, const struct ww_parts_request *r,
			   void (*content)(struct ww_parts *p, const struct ww_parts_value *v));

/* --- tool calls of a response --- */

/* The slot of the provider's index, made when unknown. NULL over the ceiling. */
struct ww_parts_slot *ww_parts_slot_at(struct ww_parts *p, uint64_t index);
/* The slot of the provider's index, or NULL. */
struct ww_parts_slot *ww_parts_slot_begun(struct ww_parts *p, uint64_t index);
/* Its arguments are all there. Of a tool without parameters no piece came: they are "{}". */
void ww_parts_slot_stop(struct ww_parts *p, uint64_t index);
/* The entry of call->tool_calls that belongs to a slot. */
struct ww_model_tool_call *ww_parts_slot_call(struct ww_parts *p, const struct ww_parts_slot *s);
/*
 * A tool call that comes as a whole, in a slot of its own. An object's arguments are digested as
 * they are written, a string's decoded. Returns it, or NULL over the ceiling, which is counted.
 */
struct ww_model_tool_call *ww_parts_call_whole(struct ww_parts *p, const struct ww_parts_value *id,
					       const struct ww_parts_value *name,
					       const struct ww_parts_value *arguments);
/* Ends the arguments of all slots. */
void ww_parts_slots_end(struct ww_parts *p);
