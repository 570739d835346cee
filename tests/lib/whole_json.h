/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/json.h"

/* Whether it is one JSON value, and nothing else. */
static inline bool whole_json(struct ww_slice text)
{
	struct ww_json_token t;
	struct ww_json j;
	enum ww_parse r;

	ww_json_init(&j, text);
	while ((r = ww_json_next(&j, &t)) == WW_PARSE_DONE)
		;
	return r == WW_PARSE_END;
}
