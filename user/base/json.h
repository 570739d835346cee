/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pull tokenizer for JSON (RFC 8259) over one contiguous slice that may be cut off by the capture
 * cap.
 *
 * No allocation, no recursion, depth bounded; every token carries its byte range so that evidence
 * can point at it. Strings come out raw (still escaped) with a flag; ww_json_unescape() decodes
 * into the caller's buffer. Strict: control characters, bad escapes, bad UTF-8, leading zeros,
 * trailing commas are BAD. The end of the slice inside a document (or before one) is MORE: the
 * document was truncated, what was read stands. A number that is the whole document may end with
 * the slice.
 */
#pragma once

#include "base/buf.h"
#include "base/parse.h"

#define WW_JSON_DEPTH_MAX 64

enum ww_json_type {
	WW_JSON_OBJECT,     /* { */
	WW_JSON_END_OBJECT, /* } */
	WW_JSON_ARRAY,      /* [ */
	WW_JSON_END_ARRAY,  /* ] */
	WW_JSON_KEY,
	WW_JSON_STRING,
	WW_JSON_NUMBER,
	WW_JSON_TRUE,
	WW_JSON_FALSE,
	WW_JSON_NULL,
};

struct ww_json_token {
	enum ww_json_type type;
	struct ww_slice raw; /* key/string: between the quotes; number: its text */
	size_t at;           /* offset of raw in the input, bytes */
	uint32_t depth;      /* containers around the token (an open/close: those outside it) */
	bool escaped;        /* raw has backslash escapes */
};

struct ww_json {
	struct ww_slice in;
	size_t at;
	uint32_t depth;
	uint8_t stack[WW_JSON_DEPTH_MAX]; /* '{' or '[' */
	uint8_t expect;                   /* internal state */
	struct ww_parse_error error;
};

void ww_json_init(struct ww_json *j, struct ww_slice in);

/* DONE with a token; WW_PARSE_END after the document; MORE when cut off; BAD with j->error. */
enum ww_parse ww_json_next(struct ww_json *j, struct ww_json_token *ret_token);

/*
 * Skips the value that begins with `first` (a scalar: nothing to do; a KEY: its value). Same
 * answers as ww_json_next.
 */
enum ww_parse ww_json_skip(struct ww_json *j, const struct ww_json_token *first);

/*
 * Decodes a KEY/STRING token into out (appended; all or nothing). 0, -EINVAL (other tokens; a lone
 * surrogate becomes U+FFFD, not an error), -EMSGSIZE, -ENOMEM.
 */
WW_CHECK int ww_json_unescape(const struct ww_json_token *t, struct ww_buf *out);

/* Compares a KEY/STRING token with a text, decoding escapes as needed. */
bool ww_json_text_is(const struct ww_json_token *t, struct ww_slice s);

/* The same with a C string. Inline, because most are literals of another length. */
static inline bool ww_json_is(const struct ww_json_token *t, const char *s)
{
	struct ww_slice text = ww_slice_str(s);

	return (t->escaped || t->raw.n == text.n) && ww_json_text_is(t, text);
}

/* Non-negative integer tokens: 0, -EINVAL (fraction, exponent, sign), -ERANGE. */
WW_CHECK int ww_json_u64(const struct ww_json_token *t, uint64_t *ret_value);

/*
 * Finds one value by a path "$.a.b[0].c" (also "$['a b']"; no wildcards). On DONE *ret_token is its
 * first token and *ret_range (may be NULL) the whole text, a string's quotes included. NOT_FOUND is
 * WW_PARSE_END; a cut-off document in which the path was not reached is MORE: unknown, not absent.
 *
 * BAD: not JSON anywhere in the document, a malformed path, or a member of the path that occurs
 * twice in its object ("duplicate key"): readers disagree which one counts, so neither is evidence.
 * In a cut-off document a duplicate behind the cut cannot be seen; DONE then speaks of the part
 * that was read.
 */
enum ww_parse ww_json_path(struct ww_slice doc, const char *path, struct ww_json_token *ret_token,
			   struct ww_slice *ret_range);

/* The same over a fresh tokenizer of the caller, in whose `error` BAD leaves its place and reason.
 */
enum ww_parse ww_json_find(struct ww_json *j, const char *path, struct ww_json_token *ret_token,
			   struct ww_slice *ret_range);

/*
 * Finds several in one pass: ret_tokens[i] is what ww_json_path gives for paths[i] where that is
 * DONE, else its raw.p is NULL. For paths that are known to be well formed, of at most
 * WW_JSON_PICK_STEPS names and no index; at most WW_JSON_PICK_MAX of them.
 */
#define WW_JSON_PICK_MAX   16u
#define WW_JSON_PICK_STEPS 4u
void ww_json_pick(struct ww_slice doc, const char *const *paths, size_t n,
		  struct ww_json_token *ret_tokens);

/* Whether a path's text is well formed: 0 or -EINVAL. */
WW_CHECK int ww_json_path_check(const char *path);
