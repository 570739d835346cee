/* SPDX-License-Identifier: Apache-2.0 */
/* Of `wirewitness policy`: what would be said of one peer. */
#pragma once

#include "policy/placement.h"

struct ww_policy_show {
	struct ww_placement_ask ask; /* without the peer */
	const char *agent;           /* NULL: none */
	bool json;
};

/* `what`: an address or a name. Prints the answer, or says on standard error what is wrong. An exit
 * code: WW_EXIT_NO when there is a finding. */
int ww_policy_show(struct ww_policy_show *s, const char *what);
