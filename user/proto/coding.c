/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/coding.h"

#include <errno.h>
#include <zlib.h>

#define BLOCK_BYTES (16u << 10)
/* Below this many decoded bytes no ratio is judged: a short run of one letter is no bomb. */
#define RATIO_FLOOR_BYTES (256u << 10)

#define WINDOW_ZLIB 15
#define WINDOW_RAW  (-15)
#define WINDOW_GZIP (15 + 16)

struct ww_inflate {
	z_stream z;
	enum ww_coding coding;
	uint64_t in_bytes;
	uint64_t out_bytes;
	uint64_t out_bytes_max;
	bool started; /* z is initialised for this stream */
	bool at_end;  /* a member ended exactly here */
	bool stopped;
	bool bomb;
	uint8_t held; /* first byte of a deflate stream, kept until the second tells the form */
	bool holding;
	uint8_t block[BLOCK_BYTES];
};

enum ww_coding ww_coding_of(struct ww_slice value)
{
	struct ww_slice v = ww_slice_trim(value);

	if (v.n == 0 || ww_slice_ieq_str(v, "identity"))
		return WW_CODING_IDENTITY;
	if (ww_slice_ieq_str(v, "gzip") || ww_slice_ieq_str(v, "x-gzip"))
		return WW_CODING_GZIP;
	if (ww_slice_ieq_str(v, "deflate"))
		return WW_CODING_DEFLATE;
	return WW_CODING_OTHER;
}

const char *ww_coding_name(enum ww_coding c)
{
	static const char *const names[] = {
		[WW_CODING_IDENTITY] = "identity",
		[WW_CODING_GZIP] = "gzip",
		[WW_CODING_DEFLATE] = "deflate",
		[WW_CODING_OTHER] = "other",
	};

	return (unsigned)c < WW_ARRAY_SIZE(names) ? names[c] : "other";
}

int ww_inflate_new(struct ww_inflate **ret_inflate)
{
	struct ww_inflate *z WW_AUTO(ww_inflate_free_auto) = calloc(1, sizeof(*z));

	if (!z)
		return -ENOMEM;
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
	explicit_bzero(z->block, sizeof(z->block));
	free(z);
}

void ww_inflate_reset(struct ww_inflate *z, enum ww_coding coding, uint64_t decoded_bytes_max)
{
	explicit_bzero(z->block, sizeof(z->block));
	z->coding = coding;
	z->in_bytes = z->out_bytes = 0;
	z->out_bytes_max = decoded_bytes_max;
	z->started = z->at_end = z->bomb = z->holding = false;
	z->stopped = coding != WW_CODING_GZIP && coding != WW_CODING_DEFLATE;
}

/* RFC 1950 section 2.2: method 8, and the first two bytes a multiple of 31. */
static bool is_zlib_header(uint8_t cmf, uint8_t flg)
{
	return (cmf & 0x0f) == 8 && (cmf * 256 + flg) % 31 == 0;
}

static bool over_ceiling(const struct ww_inflate *z)
{
	return z->out_bytes > z->out_bytes_max ||
	       (z->out_bytes > RATIO_FLOOR_BYTES &&
		z->out_bytes / WW_INFLATE_RATIO_MAX > z->in_bytes);
}

/* Inflates a run. False: broken or over a ceiling. */
static bool run(struct ww_inflate *z, struct ww_slice in,
		void (*sink)(void *ctx, struct ww_slice decoded), void *ctx)
{
	size_t at = 0;
	int r;

	for (;;) {
		/* RFC 1952 section 2.2: members "simply appear one after another in the file". */
		if (z->at_end && (z->coding != WW_CODING_GZIP || inflateReset(&z->z) != Z_OK))
			break;
		z->at_end = false;
		z->z.next_in = (Bytef *)(uintptr_t)(in.p + at); /* zlib never writes to it */
		z->z.avail_in = in.n - at > UINT32_MAX / 2 ? UINT32_MAX / 2 : (uInt)(in.n - at);
		z->z.next_out = z->block;
		z->z.avail_out = BLOCK_BYTES;
		r = inflate(&z->z, Z_NO_FLUSH);
		z->in_bytes += (uint64_t)(z->z.next_in - (in.p + at));
		at = (size_t)(z->z.next_in - in.p);
		z->out_bytes += BLOCK_BYTES - z->z.avail_out;
		if (z->z.avail_out < BLOCK_BYTES)
			sink(ctx, ww_slice(z->block, BLOCK_BYTES - z->z.avail_out));
		if (over_ceiling(z)) {
			z->bomb = true;
			break;
		}
		/* Z_BUF_ERROR: neither input nor pending output, as at the end of a full block. */
		if (r != Z_OK && r != Z_STREAM_END && r != Z_BUF_ERROR)
			break;
		z->at_end = r == Z_STREAM_END;
		if (at == in.n && (z->z.avail_out > 0 || z->at_end))
			return true;
	}
	z->stopped = true;
	return false;
}

/*
 * Begins the zlib stream with the first bytes. False: zlib refused. A deflate stream of which one
 * byte is known waits for the second.
 */
static bool start(struct ww_inflate *z, struct ww_slice in, bool *ret_wait)
{
	bool zlib;

	*ret_wait = false;
	if (z->coding == WW_CODING_GZIP) {
		z->started = true;
		return inflateReset2(&z->z, WINDOW_GZIP) == Z_OK;
	}
	if (!z->holding && in.n == 1) {
		z->holding = *ret_wait = true;
		z->held = in.p[0];
		return true;
	}
	/* RFC 9110 section 8.4.1.2 notes the senders without the zlib wrapper. */
	zlib = z->holding ? is_zlib_header(z->held, in.p[0]) : is_zlib_header(in.p[0], in.p[1]);
	z->started = true;
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

bool ww_inflate_bomb(const struct ww_inflate *z)
{
	return z->bomb;
}
