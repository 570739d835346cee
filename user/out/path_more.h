/* SPDX-License-Identifier: Apache-2.0 */
/* path_more: what would tell more than a path record does: a sentence each, once. Pure. */
#pragma once

#include "base/slice.h"

/* Calls fn for each. Returns how many. */
unsigned ww_path_more(struct ww_slice record, void (*fn)(void *ctx, const char *text), void *ctx);
