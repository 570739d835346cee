/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the tests of recorded conversations: their files, and the text that is made of them. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/buf.h"

#define FILE_MAX (1u << 20)

/* tests/golden/NAME.SUFFIX, to be freed. */
static inline struct ww_slice load(const char *name, const char *suffix)
{
	char path[128];
	uint8_t *p = malloc(FILE_MAX);
	size_t n;
	FILE *f;

	assert_non_null(p);
	snprintf(path, sizeof(path), "tests/golden/%s.%s", name, suffix);
	f = fopen(path, "re");
	if (!f)
		fail_msg("%s: cannot be read (the tests run in the top folder)", path);
	n = fread(p, 1, FILE_MAX, f);
	fclose(f);
	assert_true(n > 0 && n < FILE_MAX);
	return ww_slice(p, n);
}

static inline void __attribute__((format(printf, 2, 3)))
say(struct ww_buf *text, const char *fmt, ...)
{
	char line[1024];
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	assert_true(n > 0 && n < (int)sizeof(line));
	assert_int_equal(ww_buf_add(text, line, (size_t)n), 0);
}
