/* SPDX-License-Identifier: Apache-2.0 */
/* area_write: what the names of a policy's areas mean on the ground, for records. Pure. */
#pragma once

#include "base/json_write.h"
#include "policy/policy_file.h"

#define WW_AREAS_BYTES_MAX 8192u /* what goes beyond it is left out, area by area */

/* The member "areas": of each {name, and countries[], polygon[[north, east]...] or circle{center,
 * km}}, as the file has it. Nothing where the policy has none. */
void ww_policy_write_areas(const struct ww_policy *p, struct ww_jsonw *w);
