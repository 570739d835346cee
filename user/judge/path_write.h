/* SPDX-License-Identifier: Apache-2.0 */
/* The records of kind "path" and "crossing". */
#pragma once

#include "judge/path_case.h"

#define WW_PATH_LEGS_TOLD_MAX 48u /* in one record; fewer where they are too long for it */
#define WW_PATH_ID_MAX        40
#define WW_PATH_ROOM          (8u << 10) /* of a record, left for what is attested of it */

/* "y-<id>"; revision 0: the path itself, else that revision. out holds WW_PATH_ID_MAX bytes. */
void ww_path_id(uint64_t id, uint32_t revision, char *out);

/* Writes it to out, which is empty, with as many legs as there is room for. False: no room even for
 * one, or no memory. */
bool ww_path_write(const struct ww_path_world *w, const struct ww_path_case *c, uint32_t revision,
		   struct ww_buf *out);

/* What makes a record of its own worth while: all that it says but how often. */
uint64_t ww_path_gist(const struct ww_path_case *c);

bool ww_crossing_write(const struct ww_path_world *w, const struct ww_leg_flow *f,
		       const struct ww_policy_agent *agent, const struct ww_placement *pl,
		       struct ww_boot now, struct ww_buf *out);
