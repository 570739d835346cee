/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy: does a response body hold to a contract's rules? Three answers: a body that was not fully
 * seen, or is not JSON, neither holds nor violates. Pure; the body is borrowed for the call.
 */
#pragma once

#include "base/buf.h"
#include "policy/contract.h"

enum ww_body_answer { WW_BODY_HOLDS, WW_BODY_VIOLATES, WW_BODY_UNKNOWN };

/*
 * All rules over the whole decoded body. `whole` says whether body is all of it. *ret_rule is the
 * index of the first rule that is violated, or else of the first unknown one; unchanged when all
 * hold. An empty whole body has no members.
 */
enum ww_body_answer ww_body_rule_check(const struct ww_success *s, struct ww_slice body, bool whole,
				       unsigned *ret_rule);

/*
 * How many of the items that body speaks of succeeded. HOLDS: all of at least one; VIOLATES: not
 * all of them, *ret_good did; both with *ret_all. UNKNOWN: no such array, an empty one, an element
 * whose outcome cannot be told, or the body is not whole.
 */
enum ww_body_answer ww_body_rule_bulk(const struct ww_bulk *b, struct ww_slice body, bool whole,
				      uint32_t *ret_good, uint32_t *ret_all);

/*
 * The scalar at path as text, appended to out. 0; -ENOENT: no path (NULL), not there, not a scalar,
 * or the body is not whole; -EMSGSIZE, -ENOMEM.
 */
WW_CHECK int ww_body_rule_id(const char *path, struct ww_slice body, bool whole,
			     struct ww_buf *out);
