/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Canonical decomposition (Unicode 14.0, section 3.11, NFD): two texts that are canonically
 * equivalent, as "é" in one code point and in two, have the same. Characters of later versions
 * stay as they are. Pure.
 */
#pragma once

#include "base/buf.h"

/* Appends the decomposition of `in` to out; what is not UTF-8 is appended as it is, whole. 0;
 * -EMSGSIZE: longer than out takes, or than 1,024 characters; -ENOMEM. */
WW_CHECK int ww_nfd(struct ww_slice in, struct ww_buf *out);
