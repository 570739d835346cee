/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SipHash-2-4 with a per-process random key: hash tables keyed from outside cannot be flooded. The
 * iteration order of such tables is never visible in records (they are only looked up, or sorted
 * before output). Include this header, not <uthash.h>: it sets uthash's hash function and makes
 * out-of-memory an answer.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Under this process's random key: good within the process only. */
uint64_t ww_siphash(const void *p, size_t n);

/* The same under a given key; k[0] is the first eight key bytes, little endian. */
uint64_t ww_siphash_key(const uint64_t k[2], const void *p, size_t n);

#define HASH_FUNCTION(keyptr, keylen, hashv) ((hashv) = (unsigned)ww_siphash((keyptr), (keylen)))
#define HASH_NONFATAL_OOM                    1
#include <uthash.h>
