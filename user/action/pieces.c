/* SPDX-License-Identifier: Apache-2.0 */
#include "action/pieces.h"

#include <wirewitness/limits.h>

static bool type_is(const struct ww_body *b, const char *name)
{
	struct ww_slice type = ww_slice_str(b->content_type);

	return ww_slice_ieq_str(ww_slice_trim(ww_slice_sub(type, 0, ww_slice_find(type, 0, ';'))),
				name);
}

/* The first byte that is no white space of JSON's, 0: none. */
static uint8_t first_byte(struct ww_slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != ' ' && s.p[i] != '\t' && s.p[i] != '\r' && s.p[i] != '\n')
			return s.p[i];
	return 0;
}

enum ww_pieces_kind ww_pieces_of(const struct ww_body *b, enum ww_pieces_kind own, bool asked)
{
	if (type_is(b, "text/event-stream"))
		return WW_PIECES_SSE;
	if (type_is(b, "application/vnd.amazon.eventstream"))
		return WW_PIECES_AWS;
	if (!b->content_type[0] && (ww_slice_starts(b->data, WW_SLICE_LIT("data:")) ||
				    ww_slice_starts(b->data, WW_SLICE_LIT("event:"))))
		return WW_PIECES_SSE;
	if (own == WW_PIECES_LINES &&
	    (type_is(b, "application/x-ndjson") || (!b->content_type[0] && asked)))
		return WW_PIECES_LINES;
	if (own == WW_PIECES_ARRAY && first_byte(b->data) == '[')
		return WW_PIECES_ARRAY;
	return WW_PIECES_NONE;
}

void ww_pieces_init(struct ww_pieces *s, enum ww_pieces_kind kind, const struct ww_body *b)
{
	*s = (struct ww_pieces){.kind = kind, .rest = b->data, .whole = b->whole};
	if (kind == WW_PIECES_SSE)
		ww_sse_init(&s->sse, WW_SSE_LINE_BYTES_MAX);
	if (kind == WW_PIECES_AWS)
		ww_aws_stream_init(&s->aws, WW_SSE_LINE_BYTES_MAX);
	if (kind == WW_PIECES_ARRAY)
		ww_json_init(&s->json, b->data);
}

void ww_pieces_done(struct ww_pieces *s)
{
	if (s->kind == WW_PIECES_SSE)
		ww_sse_done(&s->sse);
	if (s->kind == WW_PIECES_AWS)
		ww_aws_stream_done(&s->aws);
}

static enum ww_parse next_event(struct ww_pieces *s, struct ww_piece *ret_piece)
{
	struct ww_sse_event e;
	enum ww_parse r = ww_sse_next(&s->sse, &s->rest, &e);

	s->lost = s->sse.lost > 0;
	s->no_memory = s->sse.no_memory;
	if (r == WW_PARSE_DONE)
		*ret_piece = (struct ww_piece){.type = e.type, .data = e.data};
	return r;
}

static enum ww_parse next_message(struct ww_pieces *s, struct ww_piece *ret_piece)
{
	struct ww_aws_event e;
	enum ww_parse r = ww_aws_stream_next(&s->aws, &s->rest, &e);

	s->lost = s->aws.lost > 0;
	s->no_memory = s->aws.no_memory;
	if (r != WW_PARSE_DONE)
		return r;
	*ret_piece = (struct ww_piece){.type = e.event_type, .data = e.payload};
	if (e.exception_type.n)
		ret_piece->type = e.exception_type;
	else if (e.error_code.n)
		ret_piece->type = e.error_code;
	return r;
}

/* A line that was cut off is no piece; empty ones are none either. */
static enum ww_parse next_line(struct ww_pieces *s, struct ww_piece *ret_piece)
{
	while (s->rest.n) {
		size_t n = ww_slice_find(s->rest, 0, '\n');
		struct ww_slice line = ww_slice_sub(s->rest, 0, n);

		if (n == s->rest.n && !s->whole)
			return WW_PARSE_MORE;
		s->rest = ww_slice_sub(s->rest, n + 1, s->rest.n);
		if (!first_byte(line))
			continue;
		*ret_piece = (struct ww_piece){.data = line};
		return WW_PARSE_DONE;
	}
	s->ended = true;
	return WW_PARSE_MORE;
}

static enum ww_parse next_element(struct ww_pieces *s, struct ww_piece *ret_piece)
{
	struct ww_json_token t;
	enum ww_parse r;

	if (s->ended)
		return WW_PARSE_MORE;
	r = ww_json_next(&s->json, &t);
	if (r == WW_PARSE_DONE && !s->begun) {
		s->begun = true;
		r = t.type == WW_JSON_ARRAY ? ww_json_next(&s->json, &t) : WW_PARSE_BAD;
	}
	if (r != WW_PARSE_DONE)
		return r;
	if (t.type == WW_JSON_END_ARRAY) {
		s->ended = true;
		return ww_json_next(&s->json, &t) == WW_PARSE_END ? WW_PARSE_MORE : WW_PARSE_BAD;
	}
	if (t.type != WW_JSON_OBJECT)
		return WW_PARSE_BAD;
	r = ww_json_skip(&s->json, &t);
	if (r == WW_PARSE_DONE)
		*ret_piece =
			(struct ww_piece){.data = ww_slice_sub(s->rest, t.at, s->json.at - t.at)};
	return r;
}

enum ww_parse ww_pieces_next(struct ww_pieces *s, struct ww_piece *ret_piece)
{
	switch (s->kind) {
	case WW_PIECES_SSE:
		return next_event(s, ret_piece);
	case WW_PIECES_LINES:
		return next_line(s, ret_piece);
	case WW_PIECES_ARRAY:
		return next_element(s, ret_piece);
	case WW_PIECES_AWS:
		return next_message(s, ret_piece);
	case WW_PIECES_NONE:
		break;
	}
	return WW_PARSE_MORE;
}
