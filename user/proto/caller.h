/* SPDX-License-Identifier: Apache-2.0 */
/*
 * caller: as whom a request is made, as far as its header fields say: credentials, and names of the
 * tenant that they are used for. Values are digested piece by piece and never copied or kept; what
 * is left is one keyed number, which tells two callers apart and nothing else. Pure.
 */
#pragma once

#include "base/digest.h"

/* A name as long as this may go on, and is taken for one that says so: what is not known must not
 * make two callers one. */
#define WW_CALLER_NAME_MAX 48u

/* Whether a request field of this name may say who asks. */
bool ww_caller_field(struct ww_slice name);

struct ww_caller {
	uint64_t sum; /* of its fields, in any order; 0: none said so */
	struct ww_digest_ctx value;
};

/* One field: begin, any number of add, one end. */
void ww_caller_begin(struct ww_caller *c, const struct ww_digest_key *k, struct ww_slice name);
void ww_caller_add(struct ww_caller *c, struct ww_slice piece);
void ww_caller_end(struct ww_caller *c);
