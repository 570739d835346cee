/* SPDX-License-Identifier: Apache-2.0 */
#define ZSTD_STATIC_LINKING_ONLY /* an allocator of our own; the shared library exports it */
#include "proto/coding.h"

#include <brotli/decode.h>
#include <errno.h>
#include <zlib.h>
#include <zstd.h>

#include <wirewitness/limits.h>

#define BLOCK_BYTES (16u << 10)
/* Below this many decoded bytes no ratio is judged: a short run of one letter is no bomb. */
#define RATIO_FLOOR_BYTES (256u << 10)

#define WINDOW_ZLIB 15
#define WINDOW_RAW  (-15)
#define WINDOW_GZIP (15 + 16)
/* RFC 9659 section 3: encoders "MUST NOT produce frames requiring a window size larger than 8 MB".
 */
#define WINDOW_ZSTD_LOG 23

struct ww_inflate {
	z_stream z;
	BrotliDecoderState *br; /* only during a stream of its coding; so is zstd */
	ZSTD_DCtx *zstd;
	struct ww_inflate_room room;
	enum ww_coding coding;
	uint64_t in_bytes;
	uint64_t out_bytes;
	uint64_t out_bytes_max;
	bool messages;                /* a stream of them, and */
	bool in_message;              /* one that is not at its end */
	bool started;                 /* the library is ready for this stream */
	bool at_end;                  /* a member ended exactly here */
	uint64_t ended_in, ended_out; /* in_bytes and out_bytes when the last one ended */
	bool stopped;
	bool bomb;
	bool starved;
	uint8_t held; /* first byte of a deflate stream, kept until the second tells the form */
	bool holding;
	uint8_t block[BLOCK_BYTES];
};

static const char *const names[] = {
	[WW_CODING_IDENTITY] = "identity",
	[WW_CODING_GZIP] = "gzip",
	[WW_CODING_DEFLATE] = "deflate",
	[WW_CODING_OTHER] = "other",
	[WW_CODING_BR] = "br",
	[WW_CODING_ZSTD] = "zstd",
};

enum ww_coding ww_coding_of(struct ww_slice value)
{
	struct ww_slice v = ww_slice_trim(value);

	if (v.n == 0)
		return WW_CODING_IDENTITY;
	if (ww_slice_ieq_str(v, "x-gzip"))
		return WW_CODING_GZIP;
	for (size_t i = 0; i < WW_ARRAY_SIZE(names); i++)
		if (ww_slice_ieq_str(v, names[i]))
			return (enum ww_coding)i;
	return WW_CODING_OTHER;
}

const char *ww_coding_name(enum ww_coding c)
{
	return (unsigned)c < WW_ARRAY_SIZE(names) ? names[c] : "other";
}

/* --- memory -------------------------------------------------------------------------------------
 */

/* Before each piece of a library's memory: its size, for wiping and counting. */
struct piece {
	_Alignas(max_align_t) size_t n;
};

static void *take_piece(void *opaque, size_t n)
{
	struct ww_inflate *z = opaque;
	uint64_t held = *z->room.held, max = *z->room.held_max;
	struct piece *p = NULL;

	if (held <= max && n <= max - held)
		p = malloc(sizeof(*p) + n);
	if (!p) {
		z->starved = true;
		return NULL;
	}
	p->n = n;
	*z->room.held += n;
	return p + 1;
}

static void give_piece(void *opaque, void *address)
{
	struct ww_inflate *z = opaque;
	struct piece *p = address;

	if (!p)
		return;
	p--;
	*z->room.held -= p->n;
	explicit_bzero(p + 1, p->n);
	free(p);
}

static void end_stream(struct ww_inflate *z)
{
	BrotliDecoderDestroyInstance(z->br);
	z->br = NULL;
	ZSTD_freeDCtx(z->zstd); /* fails of static ones only */
	z->zstd = NULL;
	explicit_bzero(z->block, sizeof(z->block));
}

int ww_inflate_new(struct ww_inflate_room room, struct ww_inflate **ret_inflate)
{
	struct ww_inflate *z WW_AUTO(ww_inflate_free_auto) = calloc(1, sizeof(*z));

	if (!z)
		return -ENOMEM;
	z->room = room;
	if (inflateInit2(&z->z, WINDOW_GZIP) != Z_OK)
		return -ENOMEM;
	*ret_inflate = WW_TAKE(z);
	return 0;
}

void ww_inflate_free(struct ww_inflate *z)
{
	if (!z)
		return;
	inflateEnd(&z->z);
	end_stream(z);
	free(z);
}

void ww_inflate_reset(struct ww_inflate *z, enum ww_coding coding, uint64_t decoded_bytes_max)
{
	end_stream(z);
	z->coding = coding;
	z->in_bytes = z->out_bytes = 0;
	z->ended_in = z->ended_out = 0;
	z->out_bytes_max = decoded_bytes_max;
	z->started = z->at_end = z->bomb = z->starved = z->holding = false;
	z->messages = z->in_message = false;
	z->stopped = !ww_coding_known(coding);
}

/* --- one call of a library ----------------------------------------------------------------------
 */

struct step {
	size_t used, made;
	bool end; /* of a member */
	bool broken;
};

static struct step step_zlib(struct ww_inflate *z, struct ww_slice in)
{
	struct step s = {0};
	int r;

	z->z.next_in = (Bytef *)(uintptr_t)in.p; /* zlib never writes to it */
	z->z.avail_in = in.n > UINT32_MAX / 2 ? UINT32_MAX / 2 : (uInt)in.n;
	z->z.next_out = z->block;
	z->z.avail_out = BLOCK_BYTES;
	r = inflate(&z->z, Z_NO_FLUSH);
	s.used = (size_t)(z->z.next_in - in.p);
	s.made = BLOCK_BYTES - z->z.avail_out;
	s.end = r == Z_STREAM_END;
	/* Z_BUF_ERROR: neither input nor pending output, as at the end of a full block. */
	s.broken = r != Z_OK && r != Z_STREAM_END && r != Z_BUF_ERROR;
	return s;
}

static struct step step_br(struct ww_inflate *z, struct ww_slice in)
{
	size_t left = in.n, room = BLOCK_BYTES;
	const uint8_t *next = in.p;
	uint8_t *out = z->block;
	BrotliDecoderResult r =
		BrotliDecoderDecompressStream(z->br, &left, &next, &room, &out, NULL);

	return (struct step){
		.used = in.n - left,
		.made = BLOCK_BYTES - room,
		.end = r == BROTLI_DECODER_RESULT_SUCCESS,
		.broken = r == BROTLI_DECODER_RESULT_ERROR,
	};
}

/*
 * RFC 8878 section 3.1: a frame's magic number begins with 28, that of one to skip with 50 to 5f.
 * The library would also take the formats from before it was standardised.
 */
static bool is_zstd_begin(uint8_t first)
{
	return first == 0x28 || (first & 0xf0) == 0x50;
}

static struct step step_zstd(struct ww_inflate *z, struct ww_slice in)
{
	ZSTD_inBuffer from = {in.p, in.n, 0};
	ZSTD_outBuffer to = {z->block, BLOCK_BYTES, 0};
	size_t r = ZSTD_decompressStream(z->zstd, &to, &from);

	return (struct step){
		.used = from.pos,
		.made = to.pos,
		.end = r == 0,
		.broken = ZSTD_isError(r),
	};
}

static struct step step(struct ww_inflate *z, struct ww_slice in)
{
	if (z->coding == WW_CODING_BR)
		return step_br(z, in);
	return z->coding == WW_CODING_ZSTD ? step_zstd(z, in) : step_zlib(z, in);
}

/* --- a stream -----------------------------------------------------------------------------------
 */

/* A message may hold a deflate stream's end (RFC 7692 section 7.2.3.4); what was before it is still
 * referred to. */
static bool keep_window(struct ww_inflate *z)
{
	uint8_t *window = malloc(1 << WINDOW_ZLIB);
	uInt n = 0;
	bool ok;

	z->starved |= !window;
	ok = window && inflateGetDictionary(&z->z, window, &n) == Z_OK &&
	     inflateReset(&z->z) == Z_OK && inflateSetDictionary(&z->z, window, n) == Z_OK;
	if (window)
		explicit_bzero(window, 1 << WINDOW_ZLIB);
	free(window);
	return ok;
}

/* Behind the end of a member: whether another one may begin so. */
static bool next_member(struct ww_inflate *z, uint8_t first)
{
	if (z->messages)
		return keep_window(z);
	/* RFC 1952 section 2.2: members "simply appear one after another in the file". */
	if (z->coding == WW_CODING_GZIP)
		return inflateReset(&z->z) == Z_OK;
	return z->coding == WW_CODING_ZSTD && is_zstd_begin(first);
}

static bool over_ceiling(const struct ww_inflate *z)
{
	return z->out_bytes > z->out_bytes_max ||
	       (z->out_bytes > RATIO_FLOOR_BYTES &&
		z->out_bytes / WW_INFLATE_RATIO_MAX > z->in_bytes);
}

/* Decodes a run, which is not empty. False: broken or over a ceiling. */
static bool run(struct ww_inflate *z, struct ww_slice in,
		void (*sink)(void *ctx, struct ww_slice decoded), void *ctx)
{
	size_t at = 0;

	for (;;) {
		struct step s;

		if (z->at_end && !next_member(z, in.p[at]))
			break;
		z->at_end = false;
		s = step(z, ww_slice_sub(in, at, in.n));
		at += s.used;
		z->in_bytes += s.used;
		z->out_bytes += s.made;
		if (s.made > 0)
			sink(ctx, ww_slice(z->block, s.made));
		if (over_ceiling(z)) {
			z->bomb = true;
			break;
		}
		if (s.broken)
			break;
		z->at_end = s.end;
		if (s.end) {
			z->ended_in = z->in_bytes;
			z->ended_out = z->out_bytes;
		}
		if (at == in.n && (s.made < BLOCK_BYTES || z->at_end))
			return true;
	}
	z->stopped = true;
	return false;
}

static bool start_br(struct ww_inflate *z)
{
	z->br = BrotliDecoderCreateInstance(take_piece, give_piece, z);
	return z->br;
}

static bool start_zstd(struct ww_inflate *z, uint8_t first)
{
	ZSTD_customMem memory = {take_piece, give_piece, z};

	if (!is_zstd_begin(first))
		return false;
	z->zstd = ZSTD_createDCtx_advanced(memory);
	return z->zstd &&
	       !ZSTD_isError(ZSTD_DCtx_setParameter(z->zstd, ZSTD_d_windowLogMax, WINDOW_ZSTD_LOG));
}

/* RFC 1950 section 2.2: method 8, and the first two bytes a multiple of 31. */
static bool is_zlib_header(uint8_t cmf, uint8_t flg)
{
	return (cmf & 0x0f) == 8 && (cmf * 256 + flg) % 31 == 0;
}

/*
 * Begins the stream with the first bytes. False: the library refused. A deflate stream of which one
 * byte is known waits for the second.
 */
static bool start(struct ww_inflate *z, struct ww_slice in, bool *ret_wait)
{
	bool zlib;

	*ret_wait = z->coding == WW_CODING_DEFLATE && !z->holding && in.n == 1;
	if (*ret_wait) {
		z->holding = true;
		z->held = in.p[0];
		return true;
	}
	z->started = true;
	if (z->coding == WW_CODING_BR)
		return start_br(z);
	if (z->coding == WW_CODING_ZSTD)
		return start_zstd(z, in.p[0]);
	if (z->coding == WW_CODING_GZIP)
		return inflateReset2(&z->z, WINDOW_GZIP) == Z_OK;
	/* RFC 9110 section 8.4.1.2 notes the senders without the zlib wrapper. */
	zlib = z->holding ? is_zlib_header(z->held, in.p[0]) : is_zlib_header(in.p[0], in.p[1]);
	return inflateReset2(&z->z, zlib ? WINDOW_ZLIB : WINDOW_RAW) == Z_OK;
}

enum ww_parse ww_inflate_feed(struct ww_inflate *z, struct ww_slice in,
			      void (*sink)(void *ctx, struct ww_slice decoded), void *ctx)
{
	bool wait = false;

	if (z->stopped)
		return WW_PARSE_BAD;
	if (in.n == 0)
		return z->at_end ? WW_PARSE_DONE : WW_PARSE_MORE;
	if (!z->started && !start(z, in, &wait))
		z->stopped = true;
	if (wait)
		return WW_PARSE_MORE;
	if (!z->stopped && z->holding) {
		z->holding = false;
		z->stopped = !run(z, ww_slice(&z->held, 1), sink, ctx);
	}
	if (z->stopped || !run(z, in, sink, ctx))
		return WW_PARSE_BAD;
	return z->at_end ? WW_PARSE_DONE : WW_PARSE_MORE;
}

void ww_inflate_messages(struct ww_inflate *z)
{
	ww_inflate_reset(z, WW_CODING_DEFLATE, 0);
	z->messages = true;
}

bool ww_inflate_message(struct ww_inflate *z, bool fresh, uint64_t decoded_bytes_max)
{
	if (!z->started || fresh) {
		z->started = true;
		z->at_end = z->bomb = z->starved = z->in_message = false;
		/* A narrower window that was agreed on is part of the widest. */
		z->stopped = inflateReset2(&z->z, WINDOW_RAW) != Z_OK;
	}
	if (z->stopped || z->in_message) {
		z->stopped = true;
		return false;
	}
	z->in_message = true;
	z->in_bytes = z->out_bytes = 0;
	z->out_bytes_max = decoded_bytes_max;
	return true;
}

enum ww_parse ww_inflate_message_end(struct ww_inflate *z,
				     void (*sink)(void *ctx, struct ww_slice decoded), void *ctx)
{
	/* RFC 7692 section 7.2.2: "Append 4 octets of 0x00 0x00 0xff 0xff to the tail end". */
	static const uint8_t tail[] = {0x00, 0x00, 0xff, 0xff};

	z->in_message = false;
	if (ww_inflate_feed(z, ww_slice(tail, sizeof(tail)), sink, ctx) == WW_PARSE_BAD)
		return WW_PARSE_BAD;
	/* They end a block, unless the message ended in the midst of one. */
	z->stopped = !(z->z.data_type & 128);
	return z->stopped ? WW_PARSE_BAD : WW_PARSE_DONE;
}

uint64_t ww_inflate_ended(const struct ww_inflate *z)
{
	return z->out_bytes == z->ended_out ? z->ended_in : 0;
}

bool ww_inflate_bomb(const struct ww_inflate *z)
{
	return z->bomb;
}

bool ww_inflate_starved(const struct ww_inflate *z)
{
	return z->starved;
}
