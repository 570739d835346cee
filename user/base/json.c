/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariants:
 * 1. The tokenizer moves (at, depth, expect) only when it returns DONE; MORE may be asked again.
 * 2. BAD is final: every later call gives BAD with the same error.
 * 3. A prefix of a valid document never gives BAD; only a top-level number may end with the slice.
 * 4. A token's raw slice lies in the input and, for keys and strings, is valid UTF-8 with valid
 *    escapes.
 * 5. A path never chooses between two members of one name: that is BAD.
 */
#include "base/json.h"

#include "base/quoted.h"
#include "base/utf8.h"

#include <errno.h>

enum {
	EXPECT_VALUE,        /* at the start, after ',' in an array */
	EXPECT_VALUE_OR_END, /* after '[' */
	EXPECT_KEY,          /* after ',' in an object */
	EXPECT_KEY_OR_END,   /* after '{' */
	EXPECT_COLON,        /* after a key */
	EXPECT_COMMA_OR_END, /* after a value in a container */
	EXPECT_NOTHING,      /* after the document */
	FAILED,
};

void ww_json_init(struct ww_json *j, struct ww_slice in)
{
	*j = (struct ww_json){.in = in, .expect = EXPECT_VALUE};
}

static enum ww_parse fail(struct ww_json *j, size_t at, const char *reason)
{
	j->error = (struct ww_parse_error){at, reason};
	j->expect = FAILED;
	return WW_PARSE_BAD;
}

/* --- the tokenizer ------------------------------------------------------------------------------
 */

static inline size_t skip_space(struct ww_slice in, size_t at)
{
	while (at < in.n && in.p[at] <= ' ' &&
	       (in.p[at] == ' ' || in.p[at] == '\n' || in.p[at] == '\r' || in.p[at] == '\t'))
		at++;
	return at;
}

static inline bool digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* The value of a hexadecimal digit, or -1. */
static int hex_value(uint8_t c)
{
	if (digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* in.p[at] is a backslash; *ret_n is the length of the escape. */
static enum ww_parse scan_escape(struct ww_slice in, size_t at, size_t *ret_n)
{
	if (at + 1 >= in.n)
		return WW_PARSE_MORE;
	switch (in.p[at + 1]) {
	case '"':
	case '\\':
	case '/':
	case 'b':
	case 'f':
	case 'n':
	case 'r':
	case 't':
		*ret_n = 2;
		return WW_PARSE_DONE;
	case 'u':
		for (size_t i = at + 2; i < at + 6; i++) {
			if (i >= in.n)
				return WW_PARSE_MORE;
			if (hex_value(in.p[i]) < 0)
				return WW_PARSE_BAD;
		}
		*ret_n = 6;
		return WW_PARSE_DONE;
	default:
		return WW_PARSE_BAD;
	}
}

/* At least one digit; moves *at over them. */
static enum ww_parse scan_digits(struct ww_json *j, size_t *at)
{
	if (*at >= j->in.n)
		return WW_PARSE_MORE;
	if (!digit(j->in.p[*at]))
		return fail(j, *at, "digit expected");
	while (*at < j->in.n && digit(j->in.p[*at]))
		(*at)++;
	return WW_PARSE_DONE;
}

static inline bool byte_is(struct ww_slice in, size_t at, uint8_t c)
{
	return at < in.n && in.p[at] == c;
}

/* RFC 8259 section 6: number = [ minus ] int [ frac ] [ exp ] */
static enum ww_parse scan_number(struct ww_json *j, size_t from, size_t *ret_end)
{
	size_t at = from;
	enum ww_parse r;
	bool zero;

	if (j->in.p[at] == '-')
		at++;
	zero = byte_is(j->in, at, '0');
	r = scan_digits(j, &at);
	if (r != WW_PARSE_DONE)
		return r;
	if (zero && at - from > (j->in.p[from] == '-' ? 2u : 1u))
		return fail(j, from, "leading zero");
	if (byte_is(j->in, at, '.')) {
		at++;
		r = scan_digits(j, &at);
		if (r != WW_PARSE_DONE)
			return r;
	}
	if (byte_is(j->in, at, 'e') || byte_is(j->in, at, 'E')) {
		at++;
		if (byte_is(j->in, at, '+') || byte_is(j->in, at, '-'))
			at++;
		r = scan_digits(j, &at);
		if (r != WW_PARSE_DONE)
			return r;
	}
	/* Inside a container the next digit may be the one that was cut off. */
	if (at == j->in.n && j->depth > 0)
		return WW_PARSE_MORE;
	*ret_end = at;
	return WW_PARSE_DONE;
}

static enum ww_parse scan_word(struct ww_json *j, size_t at, struct ww_slice word, size_t *ret_end)
{
	struct ww_slice seen = ww_slice_sub(j->in, at, word.n);

	if (!ww_slice_starts(word, seen))
		return fail(j, at, "value expected");
	*ret_end = at + word.n;
	return seen.n == word.n ? WW_PARSE_DONE : WW_PARSE_MORE;
}

/*
 * The token in.p[from..end), inside as many containers as are open; goes on at `next`. Invariant 1:
 * the one place where the tokenizer moves. The token is put together where it goes, because the
 * copy of a struct waits for the stores into it.
 */
static inline enum ww_parse emit(struct ww_json *j, enum ww_json_type type, size_t from, size_t end,
				 bool escaped, size_t next, uint8_t expect,
				 struct ww_json_token *ret_token)
{
	j->at = next;
	j->expect = expect;
	ret_token->type = type;
	ret_token->raw = ww_slice(j->in.p + from, end - from);
	ret_token->at = from;
	ret_token->depth = j->depth;
	ret_token->escaped = escaped;
	return WW_PARSE_DONE;
}

static inline uint8_t after_value(const struct ww_json *j)
{
	return j->depth > 0 ? EXPECT_COMMA_OR_END : EXPECT_NOTHING;
}

static enum ww_parse open_container(struct ww_json *j, size_t at, struct ww_json_token *ret_token)
{
	bool object = j->in.p[at] == '{';

	if (j->depth >= WW_JSON_DEPTH_MAX)
		return fail(j, at, "nesting too deep");
	(void)emit(j, object ? WW_JSON_OBJECT : WW_JSON_ARRAY, at, at + 1, false, at + 1,
		   object ? EXPECT_KEY_OR_END : EXPECT_VALUE_OR_END, ret_token);
	j->stack[j->depth++] = j->in.p[at];
	return WW_PARSE_DONE;
}

static enum ww_parse close_container(struct ww_json *j, size_t at, struct ww_json_token *ret_token)
{
	bool object = j->stack[--j->depth] == '{';

	return emit(j, object ? WW_JSON_END_OBJECT : WW_JSON_END_ARRAY, at, at + 1, false, at + 1,
		    after_value(j), ret_token);
}

/* A string from `from`, plain up to `at`, where something else than its end stands. */
static enum ww_parse scan_string(struct ww_json *j, enum ww_json_type type, size_t from, size_t at,
				 uint8_t expect, struct ww_json_token *ret_token)
{
	struct ww_slice in = j->in;
	bool escaped = false;

	for (;;) {
		enum ww_parse r;
		size_t n;

		at = ww_utf8_plain(in, ww_quoted_skip(in, at, &escaped));
		if (at >= in.n)
			return WW_PARSE_MORE;
		if (in.p[at] == '"')
			break;
		if (in.p[at] < 0x20)
			return fail(j, at, "control character in a string");
		if (in.p[at] == '\\') {
			r = scan_escape(in, at, &n);
			if (r == WW_PARSE_BAD)
				return fail(j, at, "bad escape");
			escaped = true;
		} else {
			r = ww_utf8_next(in, at, &n);
			if (r == WW_PARSE_BAD)
				return fail(j, at, "bad UTF-8");
		}
		if (r != WW_PARSE_DONE)
			return r;
		at += n;
	}
	return emit(j, type, from, at, escaped, at + 1, expect, ret_token);
}

/* in.p[at] is the opening quote. */
static inline enum ww_parse next_string(struct ww_json *j, enum ww_json_type type, size_t at,
					uint8_t expect, struct ww_json_token *ret_token)
{
	size_t end = ww_utf8_plain(j->in, at + 1);

	if (!byte_is(j->in, end, '"'))
		return scan_string(j, type, at + 1, end, expect, ret_token);
	return emit(j, type, at + 1, end, false, end + 1, expect, ret_token);
}

static enum ww_parse next_value(struct ww_json *j, size_t at, struct ww_json_token *ret_token)
{
	uint8_t c = j->in.p[at];
	enum ww_json_type type;
	enum ww_parse r;
	size_t end;

	switch (c) {
	case '{':
	case '[':
		return open_container(j, at, ret_token);
	case '"':
		return next_string(j, WW_JSON_STRING, at, after_value(j), ret_token);
	case 't':
		type = WW_JSON_TRUE;
		r = scan_word(j, at, WW_SLICE_LIT("true"), &end);
		break;
	case 'f':
		type = WW_JSON_FALSE;
		r = scan_word(j, at, WW_SLICE_LIT("false"), &end);
		break;
	case 'n':
		type = WW_JSON_NULL;
		r = scan_word(j, at, WW_SLICE_LIT("null"), &end);
		break;
	default:
		if (c != '-' && !digit(c))
			return fail(j, at, "value expected");
		type = WW_JSON_NUMBER;
		r = scan_number(j, at, &end);
		break;
	}
	if (r != WW_PARSE_DONE)
		return r;
	return emit(j, type, at, end, false, end, after_value(j), ret_token);
}

static enum ww_parse next_key(struct ww_json *j, size_t at, struct ww_json_token *ret_token)
{
	if (j->in.p[at] != '"')
		return fail(j, at, "key expected");
	return next_string(j, WW_JSON_KEY, at, EXPECT_COLON, ret_token);
}

/* What follows a value inside a container: its end, or a comma and the next member. */
static enum ww_parse next_member(struct ww_json *j, size_t at, struct ww_json_token *ret_token)
{
	bool object = j->stack[j->depth - 1] == '{';

	if (j->in.p[at] == (object ? '}' : ']'))
		return close_container(j, at, ret_token);
	if (j->in.p[at] != ',')
		return fail(j, at, "comma or end of container expected");
	at = skip_space(j->in, at + 1);
	if (at == j->in.n)
		return WW_PARSE_MORE;
	return object ? next_key(j, at, ret_token) : next_value(j, at, ret_token);
}

enum ww_parse ww_json_next(struct ww_json *j, struct ww_json_token *ret_token)
{
	size_t at = skip_space(j->in, j->at);

	if (j->expect == FAILED)
		return WW_PARSE_BAD;
	if (at == j->in.n)
		return j->expect == EXPECT_NOTHING ? WW_PARSE_END : WW_PARSE_MORE;
	switch (j->expect) {
	case EXPECT_VALUE_OR_END:
		if (j->in.p[at] == ']')
			return close_container(j, at, ret_token);
		return next_value(j, at, ret_token);
	case EXPECT_KEY_OR_END:
		if (j->in.p[at] == '}')
			return close_container(j, at, ret_token);
		return next_key(j, at, ret_token);
	case EXPECT_COLON:
		if (j->in.p[at] != ':')
			return fail(j, at, "colon expected");
		at = skip_space(j->in, at + 1);
		if (at == j->in.n)
			return WW_PARSE_MORE;
		return next_value(j, at, ret_token);
	case EXPECT_COMMA_OR_END:
		return next_member(j, at, ret_token);
	case EXPECT_KEY:
		return next_key(j, at, ret_token);
	case EXPECT_VALUE:
		return next_value(j, at, ret_token);
	default:
		return fail(j, at, "text after the document");
	}
}

static bool opens(const struct ww_json_token *t)
{
	return t->type == WW_JSON_OBJECT || t->type == WW_JSON_ARRAY;
}

static bool closes(const struct ww_json_token *t)
{
	return t->type == WW_JSON_END_OBJECT || t->type == WW_JSON_END_ARRAY;
}

enum ww_parse ww_json_skip(struct ww_json *j, const struct ww_json_token *first)
{
	struct ww_json_token t = *first;
	uint32_t depth = first->depth;
	enum ww_parse r;

	if (t.type == WW_JSON_KEY) {
		r = ww_json_next(j, &t);
		if (r != WW_PARSE_DONE)
			return r;
	}
	if (!opens(&t))
		return WW_PARSE_DONE;
	do {
		r = ww_json_next(j, &t);
		if (r != WW_PARSE_DONE)
			return r;
	} while (!closes(&t) || t.depth != depth);
	return WW_PARSE_DONE;
}

/* --- values -------------------------------------------------------------------------------------
 */

static uint32_t hex4(struct ww_slice in, size_t at)
{
	uint32_t v = 0;

	for (size_t i = at; i < at + 4; i++)
		v = v << 4 | (uint32_t)hex_value(in.p[i]);
	return v;
}

/*
 * The escape at raw.p[at] as UTF-8 in out; *ret_out_n its bytes. Returns the bytes of raw it took,
 * 0 when it is not an escape. A pair of surrogates (RFC 8259 section 7) is taken together.
 */
static size_t decode_escape(struct ww_slice raw, size_t at, uint8_t out[4], size_t *ret_out_n)
{
	static const char plain_for[] = {['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
					 ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t'};
	uint32_t code, low;
	size_t n, low_n;

	if (scan_escape(raw, at, &n) != WW_PARSE_DONE)
		return 0;
	if (n == 2) {
		out[0] = (uint8_t)plain_for[raw.p[at + 1]];
		*ret_out_n = 1;
		return 2;
	}
	code = hex4(raw, at + 2);
	if (code >= 0xd800 && code <= 0xdbff && byte_is(raw, at + 6, '\\') &&
	    scan_escape(raw, at + 6, &low_n) == WW_PARSE_DONE && low_n == 6) {
		low = hex4(raw, at + 8);
		if (low >= 0xdc00 && low <= 0xdfff) {
			code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
			n = 12;
		}
	}
	*ret_out_n = ww_utf8_put(code, out);
	return n;
}

static bool is_text(const struct ww_json_token *t)
{
	return t->type == WW_JSON_KEY || t->type == WW_JSON_STRING;
}

/* Decoded text is never longer than its escapes. */
static int unescape(struct ww_slice raw, struct ww_buf *out)
{
	size_t room = raw.n < out->max - out->n ? raw.n : out->max - out->n;
	size_t at = 0, done = 0;
	bool blocks = true; /* what stopped ww_quoted_copy is behind */
	uint8_t *p;
	int r = ww_buf_reserve(out, room, &p);

	if (r < 0)
		return r;
	for (;;) {
		if (blocks)
			ww_quoted_copy(raw, &at, p, room, &done);
		blocks = false;
		if (at == raw.n)
			break;
		uint8_t text[4] = {raw.p[at]};
		size_t n = 1, out_n = 1;

		if (text[0] == '\\') {
			n = decode_escape(raw, at, text, &out_n);
			blocks = true;
		}
		if (n == 0)
			return -EINVAL;
		if (out_n > room - done)
			return -EMSGSIZE;
		p[done] = text[0];
		for (size_t i = 1; i < out_n; i++)
			p[done + i] = text[i];
		done += out_n;
		at += n;
	}
	out->n += done;
	return 0;
}

int ww_json_unescape(const struct ww_json_token *t, struct ww_buf *out)
{
	size_t before = out->n;
	int r;

	if (!is_text(t))
		return -EINVAL;
	r = t->escaped ? unescape(t->raw, out) : ww_buf_add(out, t->raw.p, t->raw.n);
	if (r < 0)
		out->n = before;
	return r;
}

bool ww_json_text_is(const struct ww_json_token *t, struct ww_slice s)
{
	struct ww_slice raw = t->raw;
	size_t at = 0, done = 0;

	if (!is_text(t))
		return false;
	if (!t->escaped)
		return ww_slice_eq(raw, s);
	while (at < raw.n) {
		uint8_t text[4] = {raw.p[at]};
		size_t n = 1, out_n = 1;

		if (raw.p[at] == '\\')
			n = decode_escape(raw, at, text, &out_n);
		if (n == 0 || out_n > s.n - done || memcmp(text, s.p + done, out_n) != 0)
			return false;
		at += n;
		done += out_n;
	}
	return done == s.n;
}

int ww_json_u64(const struct ww_json_token *t, uint64_t *ret_value)
{
	if (t->type != WW_JSON_NUMBER)
		return -EINVAL;
	return ww_slice_u64(t->raw, ret_value);
}

/* --- paths --------------------------------------------------------------------------------------
 */

struct step {
	struct ww_slice name; /* p is NULL for an index step */
	uint64_t index;
	uint64_t elements; /* seen so far in the array this step chooses from */
	bool matched;      /* the name was seen in the object this step chooses from */
};

struct walk {
	struct step steps[WW_JSON_DEPTH_MAX];
	uint32_t n;
	uint32_t open; /* containers on the path that are open: steps[open - 1] chooses now */
	bool found;
	struct ww_json_token token;
	struct ww_slice range;
};

static bool name_byte(uint8_t c)
{
	return c > 0x20 && c != 0x7f && !strchr(".[]'\"*", c);
}

/* ".name", "['name']" or "[n]" at path.p[at]. Returns its length, 0 when malformed. */
static size_t step_parse(struct ww_slice path, size_t at, struct step *ret_step)
{
	struct step s = {0};
	size_t from, end;

	if (path.p[at] == '.') {
		from = end = at + 1;
		while (end < path.n && name_byte(path.p[end]))
			end++;
		s.name = ww_slice_sub(path, from, end - from);
		if (s.name.n == 0)
			return 0;
	} else if (byte_is(path, at, '[') && byte_is(path, at + 1, '\'')) {
		from = at + 2;
		end = ww_slice_find(path, from, '\'');
		s.name = ww_slice_sub(path, from, end - from);
		/* A backslash would be an escape in RFC 9535; not supported, so not misread. */
		if (ww_slice_find(s.name, 0, '\\') < s.name.n || !byte_is(path, end + 1, ']'))
			return 0;
		end += 2;
	} else if (byte_is(path, at, '[')) {
		from = at + 1;
		end = ww_slice_find(path, from, ']');
		if (end == path.n || (byte_is(path, from, '0') && end - from > 1) ||
		    ww_slice_u64(ww_slice_sub(path, from, end - from), &s.index) < 0)
			return 0;
		end++;
	} else {
		return 0;
	}
	*ret_step = s;
	return end - at;
}

static int steps_parse(const char *text, struct step steps[WW_JSON_DEPTH_MAX], uint32_t *ret_n)
{
	struct ww_slice path = ww_slice_str(text);
	uint32_t n = 0;

	if (!byte_is(path, 0, '$'))
		return -EINVAL;
	for (size_t at = 1; at < path.n; n++) {
		size_t took = n < WW_JSON_DEPTH_MAX ? step_parse(path, at, &steps[n]) : 0;

		if (took == 0)
			return -EINVAL;
		at += took;
	}
	*ret_n = n;
	return 0;
}

int ww_json_path_check(const char *path)
{
	struct step steps[WW_JSON_DEPTH_MAX];
	uint32_t n;

	return steps_parse(path, steps, &n);
}

/* *t is a value that the first w->open steps lead to. */
static enum ww_parse walk_into(struct ww_json *j, struct walk *w, const struct ww_json_token *t)
{
	size_t from = t->type == WW_JSON_STRING ? t->at - 1 : t->at;
	enum ww_parse r;

	if (w->open < w->n) {
		if (t->type == (w->steps[w->open].name.p ? WW_JSON_OBJECT : WW_JSON_ARRAY)) {
			w->open++;
			return WW_PARSE_DONE;
		}
		return ww_json_skip(j, t);
	}
	r = ww_json_skip(j, t);
	if (r != WW_PARSE_DONE)
		return r;
	w->found = true;
	w->token = *t;
	w->range = ww_slice_sub(j->in, from, j->at - from);
	return WW_PARSE_DONE;
}

/* *t is a child, or the end, of the innermost open container of the path. */
static enum ww_parse walk_token(struct ww_json *j, struct walk *w, struct ww_json_token *t)
{
	struct step *s;
	enum ww_parse r;

	if (w->open == 0)
		return walk_into(j, w, t);
	s = &w->steps[w->open - 1];
	if (closes(t)) {
		w->open--;
		return WW_PARSE_DONE;
	}
	if (t->type != WW_JSON_KEY) {
		if (s->elements++ != s->index)
			return ww_json_skip(j, t);
		return walk_into(j, w, t);
	}
	if (!ww_json_text_is(t, s->name))
		return ww_json_skip(j, t);
	if (s->matched)
		return fail(j, t->at, "duplicate key");
	s->matched = true;
	r = ww_json_next(j, t);
	return r == WW_PARSE_DONE ? walk_into(j, w, t) : r;
}

enum ww_parse ww_json_find(struct ww_json *j, const char *path, struct ww_json_token *ret_token,
			   struct ww_slice *ret_range)
{
	struct walk w = {0};
	struct ww_json_token t;
	enum ww_parse r;

	if (steps_parse(path, w.steps, &w.n) < 0)
		return fail(j, 0, "malformed path");
	/* To the end of the document, also when found: for invariant 5, and it must be JSON. */
	do {
		r = ww_json_next(j, &t);
		if (r == WW_PARSE_DONE)
			r = walk_token(j, &w, &t);
	} while (r == WW_PARSE_DONE);
	if (r == WW_PARSE_BAD || !w.found)
		return r;
	*ret_token = w.token;
	if (ret_range)
		*ret_range = w.range;
	return WW_PARSE_DONE;
}

enum ww_parse ww_json_path(struct ww_slice doc, const char *path, struct ww_json_token *ret_token,
			   struct ww_slice *ret_range)
{
	struct ww_json j;

	ww_json_init(&j, doc);
	return ww_json_find(&j, path, ret_token, ret_range);
}

/* --- several paths at once ----------------------------------------------------------------------
 */

struct pick {
	struct ww_slice names[WW_JSON_PICK_STEPS];
	uint32_t n, open;                 /* as in struct walk */
	bool matched[WW_JSON_PICK_STEPS]; /* the name was seen in its object */
	bool next;                        /* the token behind its key is the value */
	bool cut;                         /* the value's end has not been seen */
	bool bad;                         /* a name was there twice */
};

static void pick_parse(const char *path, struct pick *ret)
{
	*ret = (struct pick){.next = true};
	for (const char *at = path + 1; *at && ret->n < WW_JSON_PICK_STEPS;) {
		size_t n = strcspn(++at, ".");

		ret->names[ret->n++] = ww_slice(at, n);
		at += n;
	}
}

static void pick_token(struct pick *p, const struct ww_json_token *t, struct ww_json_token *ret)
{
	if (t->type == WW_JSON_KEY) {
		if (p->open == 0 || t->depth != p->open ||
		    !ww_json_text_is(t, p->names[p->open - 1]))
			return;
		p->bad |= p->matched[p->open - 1];
		p->matched[p->open - 1] = p->next = true;
	} else if (closes(t)) {
		if (p->open > 0 && t->depth == p->open - 1)
			p->open--;
		if (t->depth == p->n)
			p->cut = false;
	} else if (p->next) {
		p->next = false;
		if (p->open == p->n) {
			*ret = *t;
			p->cut = opens(t);
		} else if (t->type == WW_JSON_OBJECT) {
			p->open++;
		}
	}
}

void ww_json_pick(struct ww_slice doc, const char *const *paths, size_t n,
		  struct ww_json_token *ret_tokens)
{
	struct pick picks[WW_JSON_PICK_MAX];
	struct ww_json_token t;
	enum ww_parse r;
	struct ww_json j;

	n = n < WW_JSON_PICK_MAX ? n : WW_JSON_PICK_MAX;
	for (size_t i = 0; i < n; i++) {
		pick_parse(paths[i], &picks[i]);
		ret_tokens[i] = (struct ww_json_token){.type = WW_JSON_NULL};
	}
	ww_json_init(&j, doc);
	while ((r = ww_json_next(&j, &t)) == WW_PARSE_DONE) {
		for (size_t i = 0; i < n; i++)
			pick_token(&picks[i], &t, &ret_tokens[i]);
	}
	for (size_t i = 0; i < n; i++) {
		if (r == WW_PARSE_BAD || picks[i].bad || picks[i].cut)
			ret_tokens[i] = (struct ww_json_token){.type = WW_JSON_NULL};
	}
}
