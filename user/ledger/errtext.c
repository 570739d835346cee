/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/errtext.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int ww_errtext_set(struct ww_errtext *why, int r, const char *fmt, ...)
{
	va_list ap;

	if (!why)
		return r;
	va_start(ap, fmt);
	vsnprintf(why->text, sizeof(why->text), fmt, ap);
	va_end(ap);
	return r;
}

int ww_errtext_errno(struct ww_errtext *why, int r, const char *fmt, ...)
{
	const char *name = strerrordesc_np(-r);
	va_list ap;
	size_t n;

	if (!why)
		return r;
	va_start(ap, fmt);
	vsnprintf(why->text, sizeof(why->text), fmt, ap);
	va_end(ap);
	n = strlen(why->text);
	snprintf(why->text + n, sizeof(why->text) - n, ": %s", name ? name : "unknown error");
	return r;
}
