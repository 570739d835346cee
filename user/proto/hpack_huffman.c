/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The code is canonical: sorted by length, then by symbol, the codes count up. So its lengths say
 * all of it: the first code of each length, and the symbols in that order.
 */
#include "proto/hpack_huffman.h"

#include <errno.h>

/* RFC 7541 section 5.2: "a padding strictly longer than 7 bits MUST be treated as a decoding
 * error". */
#define PADDING_BITS_MAX 7u
#define EOS              256u

struct length {
	uint32_t last; /* of this length, with ones behind it up to 32 bits */
	uint32_t first;
	uint16_t at; /* in `symbols`, of the first */
	uint8_t bits;
};

static const struct length lengths[] = {
	{0x4fffffff, 0x0, 0, 5},           {0xb7ffffff, 0x14, 10, 6},
	{0xf7ffffff, 0x5c, 36, 7},         {0xfdffffff, 0xf8, 68, 8},
	{0xff3fffff, 0x3f8, 74, 10},       {0xff9fffff, 0x7fa, 79, 11},
	{0xffbfffff, 0xffa, 82, 12},       {0xffefffff, 0x1ff8, 84, 13},
	{0xfff7ffff, 0x3ffc, 90, 14},      {0xfffdffff, 0x7ffc, 92, 15},
	{0xfffe5fff, 0x7fff0, 95, 19},     {0xfffedfff, 0xfffe6, 98, 20},
	{0xffff47ff, 0x1fffdc, 106, 21},   {0xffffafff, 0x3fffd2, 119, 22},
	{0xffffe9ff, 0x7fffd8, 145, 23},   {0xfffff5ff, 0xffffea, 174, 24},
	{0xfffff7ff, 0x1ffffec, 186, 25},  {0xfffffbbf, 0x3ffffe0, 190, 26},
	{0xfffffe1f, 0x7ffffde, 205, 27},  {0xffffffef, 0xfffffe2, 224, 28},
	{0xffffffff, 0x3ffffffc, 253, 30},
};

/* EOS would be the last. */
static const uint8_t symbols[EOS] = {
	48,  49,  50,  97,  99,  101, 105, 111, 115, 116, 32,  37,  45,  46,  47,  51,  52,  53,
	54,  55,  56,  57,  61,  65,  95,  98,  100, 102, 103, 104, 108, 109, 110, 112, 114, 117,
	58,  66,  67,  68,  69,  70,  71,  72,  73,  74,  75,  76,  77,  78,  79,  80,  81,  82,
	83,  84,  85,  86,  87,  89,  106, 107, 113, 118, 119, 120, 121, 122, 38,  42,  44,  59,
	88,  90,  33,  34,  40,  41,  63,  39,  43,  124, 35,  62,  0,   36,  64,  91,  93,  126,
	94,  125, 60,  96,  123, 92,  195, 208, 128, 130, 131, 162, 184, 194, 224, 226, 153, 161,
	167, 172, 176, 177, 179, 209, 216, 217, 227, 229, 230, 129, 132, 133, 134, 136, 146, 154,
	156, 160, 163, 164, 169, 170, 173, 178, 181, 185, 186, 187, 189, 190, 196, 198, 228, 232,
	233, 1,   135, 137, 138, 139, 140, 141, 143, 147, 149, 150, 151, 152, 155, 157, 158, 165,
	166, 168, 174, 175, 180, 182, 183, 188, 191, 197, 231, 239, 9,   142, 144, 145, 148, 159,
	171, 206, 215, 225, 236, 237, 199, 207, 234, 235, 192, 193, 200, 201, 202, 205, 210, 213,
	218, 219, 238, 240, 242, 243, 255, 203, 204, 211, 212, 214, 221, 222, 223, 241, 244, 245,
	246, 247, 248, 250, 251, 252, 253, 254, 2,   3,   4,   5,   6,   7,   8,   11,  12,  14,
	15,  16,  17,  18,  19,  20,  21,  23,  24,  25,  26,  27,  28,  29,  30,  31,  127, 220,
	249, 10,  13,  22,
};

/* Of the code at the begin of the window. */
static const struct length *length_of(uint32_t window)
{
	const struct length *l = lengths;

	while (window > l->last)
		l++;
	return l;
}

int ww_hpack_huffman(struct ww_slice in, uint8_t *out, size_t *ret_bytes)
{
	uint64_t held = 0; /* bits not decoded yet, from the top */
	unsigned bits = 0;
	size_t at = 0, n = 0;

	for (;;) {
		const struct length *l;
		uint32_t window, symbol;

		for (; bits <= 56 && at < in.n; bits += 8)
			held |= (uint64_t)in.p[at++] << (56 - bits);
		/* With ones behind the end, which begin no code but the longest. */
		window = (uint32_t)(held >> 32);
		if (bits < 32)
			window |= UINT32_MAX >> bits;
		l = length_of(window);
		if (l->bits > bits)
			break;
		symbol = l->at + (window >> (32 - l->bits)) - l->first;
		/* "containing the EOS symbol MUST be treated as a decoding error" */
		if (symbol == EOS)
			return -EINVAL;
		if (out)
			out[n] = symbols[symbol];
		n++;
		held <<= l->bits;
		bits -= l->bits;
	}
	/* "not corresponding to the most significant bits of the code for the EOS symbol" */
	if (bits > PADDING_BITS_MAX || (bits > 0 && held >> (64 - bits) != (1u << bits) - 1))
		return -EINVAL;
	*ret_bytes = n;
	return 0;
}
