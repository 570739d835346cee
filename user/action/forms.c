/* SPDX-License-Identifier: Apache-2.0 */
#include "action/forms.h"

#include <errno.h>

#include "base/buf.h"
#include "base/encode.h"
#include "base/utf8.h"
#include "proto/coding.h"

#define WINDOWS_BYTES_MAX (8u << 20) /* of brotli and zstd */
#define SAMPLE_BYTES      256u       /* by which text is told from what is none */
#define GUESSED_BYTES_MIN 512u       /* come out of a cut stream that has no magic number */
#define LINE_DIGITS_MIN   32u        /* of base64, before a line break that belongs to it */
#define PROBE_BYTES       32u /* every so many a digit is looked for: half of the shortest run */

#define SAMPLE_STRANGE 8u /* of its bytes may be, and it is text yet */
#define RUN_LOOKED_AT  20u
#define FEED_BYTES     4096u
#define SEALED_BYTES   512u /* a stretch that is no text by a quarter, and holds a text's worth */

/* What is looked for in a text, one kind after the other. */
enum stage {
	STAGE_BEGIN,
	STAGE_GZIP,
	STAGE_ZSTD,
	STAGE_PARTS,
	STAGE_BASE64,
	STAGE_OVER,
};

struct frame {
	struct ww_buf own; /* what was undone; nothing of the body itself */
	struct ww_slice data;
	enum stage stage;
	size_t from; /* behind the stream that it begins with */
	size_t at;   /* looked at so far in this stage */
	bool undone; /* something in it was */
	char packed[WW_FORM_NAME_MAX];
};

struct ww_forms {
	struct ww_inflate *inflate;
	uint64_t held, held_max;
	size_t bytes_left;
	unsigned tries_left;
	bool partial;
	unsigned depth; /* of frame[], 0: none */
	struct frame frame[1 + WW_FORMS_DEPTH_MAX];
};

int ww_forms_new(struct ww_forms **ret_forms)
{
	struct ww_forms *f WW_AUTO(ww_forms_free_auto) = calloc(1, sizeof(*f));
	int r;

	if (!f)
		return -ENOMEM;
	f->held_max = WINDOWS_BYTES_MAX;
	r = ww_inflate_new((struct ww_inflate_room){&f->held, &f->held_max}, &f->inflate);
	if (r < 0)
		return r;
	*ret_forms = WW_TAKE(f);
	return 0;
}

void ww_forms_free(struct ww_forms *f)
{
	if (!f)
		return;
	ww_inflate_free(f->inflate);
	free(f);
}

/* --- what it may be
 * ------------------------------------------------------------------------------- */

/* Control characters, and what is no UTF-8. */
static unsigned strange_bytes(struct ww_slice s)
{
	unsigned strange = 0;

	for (size_t at = 0, n; at < s.n; at += n) {
		uint8_t c = s.p[at];

		n = 1;
		if (c < 0x80)
			strange += c == 0x7f || (c < ' ' && c != '\n' && c != '\r' && c != '\t');
		else
			strange += ww_utf8_next(s, at, &n) == WW_PARSE_BAD;
	}
	return strange;
}

static bool begins_as_text(struct ww_slice s)
{
	return strange_bytes(ww_slice_sub(s, 0, SAMPLE_BYTES)) == 0;
}

/*
 * Whether there is a stretch of which nothing is known: enciphered, or packed in another way. What
 * binary formats have between texts is shorter.
 */
static bool is_sealed(struct ww_slice s)
{
	for (size_t at = 0; at + SEALED_BYTES <= s.n; at += SEALED_BYTES / 2) {
		unsigned not_ascii = 0;

		/* Nearly all of what comes is text: that is told without a look at each letter. */
		for (size_t i = 0; i < SEALED_BYTES; i++)
			not_ascii += (uint8_t)(s.p[at + i] - ' ') >= 0x7f - ' ';
		if (not_ascii >= SEALED_BYTES / 4 &&
		    strange_bytes(ww_slice_sub(s, at, at + SEALED_BYTES)) >= SEALED_BYTES / 4)
			return true;
	}
	return false;
}

static size_t find(struct ww_slice s, size_t from, struct ww_slice what)
{
	const uint8_t *p = from < s.n ? memmem(s.p + from, s.n - from, what.p, what.n) : NULL;

	return p ? (size_t)(p - s.p) : s.n;
}

/* RFC 1952 section 2.3.1: the method deflate, and no flags that are reserved. */
static bool is_gzip(struct ww_slice s)
{
	return s.n > 3 && s.p[0] == 0x1f && s.p[1] == 0x8b && s.p[2] == 8 && (s.p[3] & 0xe0) == 0;
}

/* RFC 8878 section 3.1.1. */
static bool is_zstd(struct ww_slice s)
{
	return ww_slice_starts(s, WW_SLICE_LIT("\x28\xb5\x2f\xfd"));
}

/* The next that begins with a magic number. A byte of it that no text has is looked for. */
static size_t find_magic(struct ww_slice s, size_t from, enum ww_coding coding)
{
	bool gzip = coding == WW_CODING_GZIP;
	size_t before = gzip ? 0 : 3, at = from + before;

	while ((at = ww_slice_find(s, at, gzip ? 0x1f : 0xfd)) < s.n) {
		struct ww_slice rest = ww_slice_sub(s, at - before, s.n);

		if (gzip ? is_gzip(rest) : is_zstd(rest))
			return at - before;
		at++;
	}
	return s.n;
}

static bool is_zlib(struct ww_slice s)
{
	return s.n > 2 && (s.p[0] & 0x0f) == 8 && s.p[0] >> 4 <= 7 &&
	       (s.p[0] * 256 + s.p[1]) % 31 == 0;
}

/* --- streams
 * -------------------------------------------------------------------------------------- */

static void add_decoded(void *ctx, struct ww_slice decoded)
{
	struct ww_forms *f = ctx;

	/* The ceiling is beyond what the stream may give; without memory the rest is not seen. */
	if (ww_buf_add(&f->frame[f->depth].own, decoded.p, decoded.n) < 0)
		f->partial = true;
}

static void charge(struct ww_forms *f, size_t bytes)
{
	f->bytes_left -= bytes < f->bytes_left ? bytes : f->bytes_left;
}

/* The frame above the ones in use becomes one of what its buffer holds. */
static void push(struct ww_forms *f, const char *form)
{
	struct frame *below = &f->frame[f->depth - 1], *fr = &f->frame[f->depth++];
	char *end = ww_put_text(fr->packed, below->packed);

	if (end != fr->packed)
		end = ww_put_text(end, "+");
	ww_put_text(end, form);
	fr->data = ww_buf_slice(&fr->own);
	fr->stage = STAGE_BEGIN;
	fr->from = fr->at = 0;
	fr->undone = false;
	below->undone = true;
	charge(f, fr->own.n);
}

static struct ww_buf *prepare(struct ww_forms *f)
{
	struct ww_buf *b = &f->frame[f->depth].own;

	ww_buf_init(b, WW_FORMS_BYTES_MAX + WW_INFLATE_BYTES);
	return b;
}

static bool may_undo(struct ww_forms *f)
{
	if (f->depth <= WW_FORMS_DEPTH_MAX && f->tries_left > 0 && f->bytes_left > 0)
		return true;
	f->partial = true;
	return false;
}

/* What says that a stream begins here. */
enum sign {
	SIGN_MAGIC,
	SIGN_HEADER, /* which one in a thousand has that is none */
	SIGN_NONE,
};

/* Whether a stream that did not come to its end is one after all. */
static bool is_cut(const struct ww_buf *out, enum sign sign, bool unseen, bool wants_more)
{
	if (sign == SIGN_MAGIC)
		return out->n > 0 || unseen || wants_more;
	return (unseen || wants_more) && out->n >= GUESSED_BYTES_MIN &&
	       begins_as_text(ww_buf_slice(out));
}

/* Undoes the stream that begins `in`. True: what came out is a frame; *ret_used is what it took. */
static bool undo(struct ww_forms *f, enum ww_coding coding, enum sign sign, struct ww_slice in,
		 size_t *ret_used)
{
	struct ww_inflate *z = f->inflate;
	enum ww_parse r = WW_PARSE_MORE;
	struct ww_buf *out;
	uint64_t ended;
	bool cut, unseen;
	size_t fed = 0;

	if (!may_undo(f))
		return false;
	f->tries_left--;
	out = prepare(f);
	ww_inflate_reset(z, coding, f->bytes_left);
	for (; fed < in.n && r != WW_PARSE_BAD; fed += FEED_BYTES)
		r = ww_inflate_feed(z, ww_slice_sub(in, fed, FEED_BYTES), add_decoded, f);
	ended = ww_inflate_ended(z);
	unseen = ww_inflate_bomb(z) || ww_inflate_starved(z);
	ww_inflate_reset(z, WW_CODING_IDENTITY, 0);
	cut = ended == 0 && is_cut(out, sign, unseen, r == WW_PARSE_MORE);
	f->partial |= cut || (unseen && sign == SIGN_MAGIC);
	if (sign == SIGN_NONE && ended < in.n)
		ended = 0;
	if (out->n == 0 || (!cut && ended == 0)) {
		/* What is none costs what it made us read. */
		charge(f, out->n + fed);
		ww_buf_wipe(out);
		return false;
	}
	/* Where a stream ends that was not read to its end is not known. */
	*ret_used = cut ? 1 : (size_t)ended;
	push(f, ww_coding_name(coding));
	return true;
}

/* What begins as one stream. */
static bool undo_begin(struct ww_forms *f, struct ww_slice in, size_t *ret_used)
{
	if (is_gzip(in))
		return undo(f, WW_CODING_GZIP, SIGN_MAGIC, in, ret_used);
	if (is_zstd(in))
		return undo(f, WW_CODING_ZSTD, SIGN_MAGIC, in, ret_used);
	if (in.n < 8 || begins_as_text(in))
		return false;
	if (is_zlib(in))
		return undo(f, WW_CODING_DEFLATE, SIGN_HEADER, in, ret_used) ||
		       undo(f, WW_CODING_BR, SIGN_NONE, in, ret_used);
	return undo(f, WW_CODING_DEFLATE, SIGN_NONE, in, ret_used) ||
	       undo(f, WW_CODING_BR, SIGN_NONE, in, ret_used);
}

/* --- base64
 * --------------------------------------------------------------------------------------- */

#define DIGITS_26(v)                                                                              \
	v, v + 1, v + 2, v + 3, v + 4, v + 5, v + 6, v + 7, v + 8, v + 9, v + 10, v + 11, v + 12, \
		v + 13, v + 14, v + 15, v + 16, v + 17, v + 18, v + 19, v + 20, v + 21, v + 22,   \
		v + 23, v + 24, v + 25

/* One more than its value; both alphabets of RFC 4648. 0: no digit. */
static const uint8_t digit_of[256] = {
	['A'] = DIGITS_26(1),
	['a'] = DIGITS_26(27),
	['0'] = 53,
	54,
	55,
	56,
	57,
	58,
	59,
	60,
	61,
	62,
	['+'] = 63,
	['-'] = 63,
	['/'] = 64,
	['_'] = 64,
};

#define DIGIT_BREAK 0xff /* a line break */

/* The digit or break at an offset and what it takes; 0: neither. */
static uint8_t digit_at(struct ww_slice s, size_t at, size_t *ret_n)
{
	size_t end = at + 1;
	uint8_t c = at < s.n ? s.p[at] : 0, b[2];

	if (c == '\\') {
		while (end < s.n && s.p[end] == '\\')
			end++;
		c = end < s.n ? s.p[end++] : 0;
		if (c == 'n' || c == 'r')
			c = '\n';
		else if (c == 'u' && ww_hex_decode(ww_slice_sub(s, end, 4), b, 2) == 0 && !b[0]) {
			c = b[1];
			end += 4;
		} else if (c != '/')
			c = 0;
	} else if (c == '%') {
		while (s.n - end >= 2 && s.p[end] == '2' && s.p[end + 1] == '5')
			end += 2;
		if (ww_hex_decode(ww_slice_sub(s, end, 2), &c, 1) == 0)
			end += 2;
	}
	*ret_n = end - at;
	return c == '\n' || c == '\r' ? DIGIT_BREAK : digit_of[c];
}

struct run {
	size_t begin, end;
	size_t digits;
};

/* Where the digits around an offset begin, written as they are or escaped; not before `from`. */
static size_t run_begin(struct ww_slice s, size_t from, size_t at)
{
	size_t escape, n;
	uint8_t d;

	for (;;) {
		while (at > from && digit_of[s.p[at - 1]])
			at--;
		escape = at;
		while (escape > from && s.p[escape - 1] == '\\')
			escape--;
		if (escape == at && at > from && s.p[at - 1] == '%')
			escape--;
		if (escape == at)
			return at;
		d = digit_at(s, escape, &n);
		/* What is left of an escape of something else is no digit. */
		if (d == 0 || d == DIGIT_BREAK)
			return escape + n < s.n ? escape + n : s.n;
		at = escape;
	}
}

static void run_measure(struct ww_slice s, struct run *r)
{
	size_t at = r->begin, line = 0, n;
	bool after_break = false;

	r->digits = 0;
	r->end = at;
	while (at < s.n) {
		uint8_t d = digit_at(s, at, &n);

		if (after_break && (s.p[at] == ' ' || s.p[at] == '\t')) {
			at++;
			continue;
		}
		if (d == 0 || (d == DIGIT_BREAK && !after_break && line < LINE_DIGITS_MIN))
			return;
		at += n;
		after_break = d == DIGIT_BREAK;
		if (after_break) {
			line = 0;
			continue;
		}
		line++;
		r->digits++;
		r->end = at;
	}
}

/* Text is mostly digits of base64, too, but has no words as long. */
static bool may_be_run(struct ww_slice s, size_t at)
{
	size_t end = at + RUN_LOOKED_AT;

	while (at < s.n && at < end && digit_of[s.p[at]])
		at++;
	return at == end || at == s.n;
}

/* The next run of digits that is long enough. */
static bool run_next(struct ww_slice s, size_t from, struct run *r)
{
	for (size_t at = from + PROBE_BYTES - 1; at < s.n; at += PROBE_BYTES) {
		if (!may_be_run(s, at))
			continue;
		r->begin = run_begin(s, from, at);
		run_measure(s, r);
		if (r->digits >= WW_FORMS_BASE64_MIN)
			return true;
		if (r->end > at)
			at = r->end - 1;
		from = at;
	}
	return false;
}

/* Decodes up to `max` bytes of a run without its first `skip` digits. False: no memory. */
static bool run_decode(struct ww_slice s, const struct run *r, size_t skip, size_t max,
		       struct ww_buf *out)
{
	size_t want = (r->digits - skip) * 6 / 8, n, i = 0;
	uint32_t word = 0;
	uint8_t *to;

	if (want > max)
		want = max;
	if (ww_buf_reserve(out, want, &to) < 0)
		return false;
	for (size_t at = r->begin, bits = 0; at < r->end && i < want; at += n) {
		uint8_t d = digit_of[s.p[at]];

		n = 1;
		if (!d)
			d = digit_at(s, at, &n);
		if (d == 0 || d == DIGIT_BREAK)
			continue; /* a break, and what indents the line behind it */
		if (skip > 0) {
			skip--;
			continue;
		}
		word = word << 6 | (d - 1u);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			to[i++] = (uint8_t)(word >> bits);
		}
	}
	out->n += i;
	return true;
}

/*
 * A run can begin with what is not of it: a path before it is made of the same characters. How many
 * digits to leave out so that it becomes text, if that makes it text.
 */
static size_t run_skip(struct ww_slice s, const struct run *r)
{
	unsigned strange, least = 0;
	size_t best = 0;

	for (size_t skip = 0; skip < 4; skip++) {
		struct ww_buf b;
		bool known;

		ww_buf_init(&b, SAMPLE_BYTES);
		if (!run_decode(s, r, skip, SAMPLE_BYTES, &b))
			return best;
		strange = strange_bytes(ww_buf_slice(&b));
		known = is_gzip(ww_buf_slice(&b)) || is_zstd(ww_buf_slice(&b));
		ww_buf_wipe(&b);
		if (skip == 0 && (strange <= SAMPLE_STRANGE || known))
			return 0;
		if (skip == 0 || strange < least) {
			least = skip == 0 ? strange / 2 : strange;
			best = skip;
		}
	}
	return best;
}

static bool undo_base64(struct ww_forms *f, struct frame *fr)
{
	struct ww_buf *out;
	struct run r;

	if (!run_next(fr->data, fr->at, &r)) {
		fr->at = fr->data.n;
		return false;
	}
	fr->at = r.end;
	if (!may_undo(f)) {
		fr->at = fr->data.n;
		return false;
	}
	out = prepare(f);
	f->partial |= r.digits * 6 / 8 > f->bytes_left;
	if (!run_decode(fr->data, &r, run_skip(fr->data, &r), f->bytes_left, out)) {
		f->partial = true;
		return false;
	}
	push(f, "base64");
	return true;
}

/* --- a body
 * --------------------------------------------------------------------------------------- */

/* The next stream inside that a magic number tells. */
static bool undo_magic(struct ww_forms *f, struct frame *fr, enum ww_coding coding)
{
	size_t used = 0;
	bool found;

	fr->at = find_magic(fr->data, fr->at, coding);
	if (fr->at == fr->data.n)
		return false;
	found = undo(f, coding, SIGN_MAGIC, ww_slice_sub(fr->data, fr->at, fr->data.n), &used);
	fr->at += used > 0 ? used : 1;
	return found;
}

/* RFC 2046 section 5.1.1: an empty line ends a part's header, a line that begins with two hyphens
 * and the boundary the part. */
static bool undo_part(struct ww_forms *f, struct frame *fr)
{
	struct ww_slice part;
	size_t end, used;

	fr->at = find(fr->data, fr->at, WW_SLICE_LIT("\r\n\r\n"));
	if (fr->at == fr->data.n)
		return false;
	fr->at += 4;
	end = find(fr->data, fr->at, WW_SLICE_LIT("\r\n--"));
	part = ww_slice_sub(fr->data, fr->at, end - fr->at);
	fr->at = end;
	/* Those with a magic number were found by that. */
	if (is_gzip(part) || is_zstd(part))
		return false;
	return undo_begin(f, part, &used);
}

static void step(struct ww_forms *f, void (*text)(void *, struct ww_slice, const char *), void *ctx)
{
	struct frame *fr = &f->frame[f->depth - 1];
	size_t used;

	switch (fr->stage) {
	case STAGE_BEGIN:
		fr->stage = STAGE_GZIP;
		if (undo_begin(f, fr->data, &used)) {
			if (used == fr->data.n)
				fr->stage = STAGE_OVER;
			else
				text(ctx, fr->data, fr->packed);
			fr->from = fr->at = used;
			return;
		}
		text(ctx, fr->data, fr->packed);
		return;
	case STAGE_GZIP:
		if (undo_magic(f, fr, WW_CODING_GZIP))
			return;
		break;
	case STAGE_ZSTD:
		if (undo_magic(f, fr, WW_CODING_ZSTD))
			return;
		break;
	case STAGE_PARTS:
		if (!ww_slice_starts(fr->data, WW_SLICE_LIT("--")))
			fr->at = fr->data.n;
		else if (undo_part(f, fr))
			return;
		break;
	case STAGE_BASE64:
		if (undo_base64(f, fr))
			return;
		break;
	case STAGE_OVER:
		if (!fr->undone && !f->partial)
			f->partial = is_sealed(fr->data);
		ww_buf_wipe(&fr->own);
		f->depth--;
		return;
	}
	if (fr->at >= fr->data.n) {
		fr->stage++;
		fr->at = fr->from;
	}
}

bool ww_forms_walk(struct ww_forms *f, struct ww_slice body,
		   void (*text)(void *ctx, struct ww_slice text, const char *packed), void *ctx)
{
	f->bytes_left = WW_FORMS_BYTES_MAX;
	f->tries_left = WW_FORMS_TRIES_MAX;
	f->partial = false;
	f->depth = 1;
	f->frame[0] = (struct frame){.data = body};
	while (f->depth > 0)
		step(f, text, ctx);
	return !f->partial;
}
