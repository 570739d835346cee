/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariant: a block begins where no escape is open. An escape that begins in its last byte is left
 * to the next one.
 */
#include "base/quoted.h"

#ifdef __SSE2__
#include <emmintrin.h>

#define BLOCK 64u
/* Copies are made in pieces of this size: so much behind the block is read, and written. */
#define PIECE 32u

/* One bit for each byte of a block. */
struct block {
	uint64_t quotes, slashes;
	uint64_t others; /* control characters, and bytes above 0x7f */
};

static inline uint64_t bits(__m128i x)
{
	return (unsigned)_mm_movemask_epi8(x);
}

static inline struct block look(const uint8_t *p)
{
	struct block b = {0, 0, 0};

	for (unsigned i = 0; i < 4; i++) {
		__m128i x = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));

		b.quotes |= bits(_mm_cmpeq_epi8(x, _mm_set1_epi8('"'))) << 16 * i;
		b.slashes |= bits(_mm_cmpeq_epi8(x, _mm_set1_epi8('\\'))) << 16 * i;
		/* Signed: bytes above 0x7f are negative. */
		b.others |= bits(_mm_cmplt_epi8(x, _mm_set1_epi8(0x20))) << 16 * i;
	}
	return b;
}

/*
 * The bytes behind a backslash that begins an escape: of a run of backslashes every second one, and
 * what follows the run when its length is odd. The addition carries through each run that begins at
 * an odd place, so that the two kinds of runs are told apart without a loop.
 */
static inline uint64_t escaped_bytes(uint64_t slashes)
{
	const uint64_t even = 0x5555555555555555u;
	uint64_t behind = slashes << 1;
	uint64_t odd_begins = slashes & ~even & ~behind;

	return (even ^ ((odd_begins + slashes) << 1)) & behind;
}

/* What an escape other than \" and \\ escapes. */
static inline uint64_t rare(const struct block *b, uint64_t escaped)
{
	return escaped & ~(b->quotes | b->slashes);
}

static inline uint64_t below(unsigned bit)
{
	return ((uint64_t)1 << bit) - 1;
}

size_t ww_quoted_skip(struct ww_slice in, size_t at, bool *escaped)
{
	while (at < in.n && in.n - at >= BLOCK) {
		struct block b = look(in.p + at);
		uint64_t esc = escaped_bytes(b.slashes), begins = b.slashes & ~esc;
		uint64_t other = rare(&b, esc), stop = (b.quotes & ~esc) | b.others | other;

		if (stop) {
			unsigned n = (unsigned)__builtin_ctzll(stop);

			n -= other >> n & 1; /* before its backslash */
			*escaped |= (begins & below(n)) != 0;
			return at + n;
		}
		*escaped |= (begins & below(BLOCK - 1)) != 0;
		at += BLOCK - (begins >> (BLOCK - 1));
	}
	return at;
}

static inline void copy_piece(const uint8_t *from, uint8_t *to)
{
	for (unsigned i = 0; i < PIECE; i += 16)
		_mm_storeu_si128((__m128i *)(void *)(to + i),
				 _mm_loadu_si128((const __m128i *)(const void *)(from + i)));
}

/* n bytes of a block without the marked ones; returns how many that are. */
static inline size_t copy_block(const uint8_t *from, size_t n, uint64_t without, uint8_t *to)
{
	size_t at = 0, done = 0;

	without &= n < BLOCK ? below((unsigned)n) : UINT64_MAX;
	for (;;) {
		size_t end = without ? (size_t)__builtin_ctzll(without) : n;

		for (size_t i = at; i == at || i < end; i += PIECE)
			copy_piece(from + i, to + done + i - at);
		done += end - at;
		if (!without)
			return done;
		at = end + 1;
		without &= without - 1;
	}
}

void ww_quoted_copy(struct ww_slice raw, size_t *at, uint8_t *out, size_t room, size_t *done)
{
	while (raw.n - *at >= BLOCK + PIECE && room - *done >= BLOCK + PIECE) {
		struct block b = look(raw.p + *at);
		uint64_t esc = escaped_bytes(b.slashes), begins = b.slashes & ~esc;
		uint64_t other = rare(&b, esc);
		size_t n = BLOCK - (begins >> (BLOCK - 1));

		if (other)
			n = (size_t)__builtin_ctzll(other) - 1;
		*done += copy_block(raw.p + *at, n, begins, out + *done);
		*at += n;
		if (other)
			return;
	}
}
#else
size_t ww_quoted_skip(struct ww_slice in, size_t at, bool *escaped)
{
	return at;
}

void ww_quoted_copy(struct ww_slice raw, size_t *at, uint8_t *out, size_t room, size_t *done)
{
}
#endif
