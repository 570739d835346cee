/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filter: which records a person wants to see. Terms separated by spaces, all must hold:
 *   key=value      some member at this path has this text      verdict=NO_ACTION
 *   key=value*     ... begins with it                          tool=refund*
 *   key=a,b        ... is one of these                         kind=verdict,exchange
 *   key!=value     no member at this path has it (also when there is none)
 *   key=*  key!=*  there is such a member; there is none
 * Keys are member names, nested ones joined by dots (tls.sni, account.out.remainder). Values cannot
 * hold spaces: use `*`. Known values of `kind` and `verdict` are checked when a filter is parsed,
 * keys by ww_filter_check, so that a misspelled filter is an error and not an empty answer. Pure.
 */
#pragma once

#include "out/member.h"

#define WW_FILTER_TERMS_MAX 16u
#define WW_FILTER_WHY_MAX   200u

struct ww_filter_term {
	struct ww_slice key;
	struct ww_slice values; /* comma separated patterns of ww_member_matches */
	bool not ;
};

struct ww_filter {
	unsigned count; /* 0: everything matches */
	struct ww_filter_term terms[WW_FILTER_TERMS_MAX];
};

/*
 * Parses `text`, which must outlive the filter. 0, or -EINVAL with the reason in why (one printable
 * line); *ret_filter unchanged on failure.
 */
WW_CHECK int ww_filter_parse(struct ww_slice text, struct ww_filter *ret_filter,
			     char why[WW_FILTER_WHY_MAX]);

/* Adds the term key=values. Errors and lifetimes as above. */
WW_CHECK int ww_filter_add(struct ww_filter *f, struct ww_slice key, struct ww_slice values,
			   char why[WW_FILTER_WHY_MAX]);

/*
 * Whether every key is a member that records of this kind (NULL: any) may have, and of the kinds
 * that the filter itself names. 0, or -EINVAL with the reason and what was probably meant in why.
 */
WW_CHECK int ww_filter_check(const struct ww_filter *f, const char *kind,
			     char why[WW_FILTER_WHY_MAX]);

/* A record that is not JSON matches only the empty filter. */
bool ww_filter_match(const struct ww_filter *f, struct ww_slice record);

/* Whether some term is about this key. */
bool ww_filter_names(const struct ww_filter *f, const char *key);
