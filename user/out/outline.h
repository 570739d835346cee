/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outline: a record as an indented tree, a line per member, for one person who wants to see all of
 * it. Text is made harmless for terminals (out/printable.h). Pure.
 */
#pragma once

#include "base/buf.h"

/*
 * Appends the tree to out, each line indented by `indent` spaces and ended by a newline. 0; -EINVAL
 * (not JSON); -EMSGSIZE, -ENOMEM: out then holds a part.
 */
WW_CHECK int ww_outline_add(struct ww_slice record, unsigned indent, struct ww_buf *out);
