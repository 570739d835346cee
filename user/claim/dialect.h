/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of attribute names (dialect.c), as far as the record writer needs it. Internal to
 * claim; the normalised view is made by ww_span_normalise() of span.h. Pure.
 */
#pragma once

#include <stdbool.h>

/* Whether the value of this attribute is a name, an id or a number that may stand in a record;
 * content may not. */
bool ww_dialect_keeps(const char *key);
