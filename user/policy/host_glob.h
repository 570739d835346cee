/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy: globs over host names, label by label. '*' stands for any bytes of one label; "*." at the
 * beginning for one label or more, as in contracts. ASCII case does not count. Names are compared
 * as they are on the wire: an international one in its ASCII form (RFC 5890). Pure.
 */
#pragma once

#include "base/slice.h"

/* Whether it can be one: at most 253 bytes of letters, digits, '-', '_', '.' and '*', no label
 * empty, the last one without '*'. */
bool ww_host_glob_ok(struct ww_slice glob);

/* Whether the host matches; an empty one matches nothing. */
bool ww_host_glob(const char *glob, struct ww_slice host);

/* How many of its bytes are not '*'. */
unsigned ww_host_glob_exact(const char *glob);

/* The host of "host", "host:port" and "[v6]:port", without a root dot. name may be NULL. */
struct ww_slice ww_host_of(const char *name);
