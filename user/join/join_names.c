/* SPDX-License-Identifier: Apache-2.0 */
#include "join/join.h"

const char *ww_join_by_name(enum ww_join_by by)
{
#define BY_NAME_(n, v, t, d) [v] = (t),
	static const char *const names[WW_JOIN_BY_MAX] = {WW_JOIN_BYS(BY_NAME_)};

	return (unsigned)by < WW_JOIN_BY_MAX ? names[by] : "unknown";
}

const char *ww_join_near_name(enum ww_join_near why)
{
#define NEAR_NAME_(n, v, t, d) [v] = (t),
	static const char *const names[WW_JOIN_NEAR_WHY_MAX] = {WW_JOIN_NEARS(NEAR_NAME_)};

	return (unsigned)why < WW_JOIN_NEAR_WHY_MAX ? names[why] : "unknown";
}
