/* SPDX-License-Identifier: Apache-2.0 */
/* A table of Go's functions of any content: what is found by name is what is listed under it. */
#include "sense/pclntab.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LISTED_MAX 4096u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ww_parse_error error;
	struct ww_pclntab_function fn, found;
	struct ww_pclntab t;

	if (ww_pclntab_open(ww_slice(data, size), &t, &error) != WW_PARSE_DONE)
		return 0;
	for (uint64_t i = 0; i < LISTED_MAX; i++) {
		WW_AUTO_FREE char *name = NULL;

		if (ww_pclntab_at(&t, i, &fn, &error) != WW_PARSE_DONE)
			break;
		if (i % 64 != 0)
			continue;
		name = calloc(1, fn.name.n + 1);
		if (fn.name.n > 0)
			memcpy(name, fn.name.p, fn.name.n);
		/* The first of that name; all before it were sound. */
		if (ww_pclntab_find(&t, name, &found, &error) != WW_PARSE_DONE ||
		    !ww_slice_eq(found.name, fn.name))
			abort();
	}
	if (ww_pclntab_find(&t, "crypto/tls.(*Conn).Read", &fn, &error) == WW_PARSE_DONE &&
	    fn.name.n != 23)
		abort();
	return 0;
}
