/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include <endian.h>
#include <errno.h>
#include <sys/auxv.h>
#include <sys/random.h>

static uint64_t key[2];

/* Before main, so that no call pays for a check. */
__attribute__((constructor)) static void key_init(void)
{
	ssize_t r;

	do
		r = getrandom(key, sizeof(key), 0);
	while (r < 0 && errno == EINTR);
	if (r != (ssize_t)sizeof(key)) {
		/* getrandom refused (seccomp): the 16 random bytes the kernel gave this process. */
		const void *at = (const void *)getauxval(AT_RANDOM);

		if (at)
			memcpy(key, at, sizeof(key));
	}
}

static inline uint64_t rotl(uint64_t x, int b)
{
	return x << b | x >> (64 - b);
}

static inline void rounds(uint64_t v[4], int n)
{
	for (int i = 0; i < n; i++) {
		v[0] += v[1];
		v[1] = rotl(v[1], 13) ^ v[0];
		v[0] = rotl(v[0], 32);
		v[2] += v[3];
		v[3] = rotl(v[3], 16) ^ v[2];
		v[0] += v[3];
		v[3] = rotl(v[3], 21) ^ v[0];
		v[2] += v[1];
		v[1] = rotl(v[1], 17) ^ v[2];
		v[2] = rotl(v[2], 32);
	}
}

uint64_t ww_siphash_key(const uint64_t k[2], const void *p, size_t n)
{
	uint64_t v[4] = {k[0] ^ 0x736f6d6570736575ull, k[1] ^ 0x646f72616e646f6dull,
			 k[0] ^ 0x6c7967656e657261ull, k[1] ^ 0x7465646279746573ull};
	const uint8_t *in = p;
	uint64_t m = 0;
	size_t i = 0;

	for (; n - i >= 8; i += 8) {
		memcpy(&m, in + i, 8);
		m = le64toh(m);
		v[3] ^= m;
		rounds(v, 2);
		v[0] ^= m;
	}
	m = (uint64_t)n << 56;
	for (int shift = 0; i < n; i++, shift += 8)
		m |= (uint64_t)in[i] << shift;
	v[3] ^= m;
	rounds(v, 2);
	v[0] ^= m;
	v[2] ^= 0xff;
	rounds(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t ww_siphash(const void *p, size_t n)
{
	return ww_siphash_key(key, p, n);
}
