/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the tests of model calls: an exchange, and what was made of it. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "action/model.h"

static struct ww_digest_key key;
static struct ww_exchange x;
static struct ww_model_call *c;

static inline int setup(void **state)
{
	static const uint8_t k[32] = "unit test key";

	ww_digest_key_init(&key, k);
	c = NULL;
	return 0;
}

static inline int teardown(void **state)
{
	ww_model_call_free(c);
	return 0;
}

static inline int decode(void)
{
	ww_model_call_free(c);
	c = NULL;
	return ww_model_decode(&x, &key, &c);
}

static inline void assert_digest(const struct ww_sha256 *got, const char *text)
{
	struct ww_sha256 want;

	ww_digest(&key, ww_slice_str(text), &want);
	assert_memory_equal(got, &want, sizeof(want));
}

static inline void assert_count(const struct ww_model_count *n, uint64_t value)
{
	assert_true(n->present);
	assert_int_equal(n->value, value);
}

static inline void assert_no_usage(void)
{
	const struct ww_model_usage *u = &c->usage;

	assert_false(u->input.present || u->output.present || u->total.present ||
		     u->cache_read.present || u->cache_write.present || u->reasoning.present);
}
