/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The map of a path in a report's page: what light allows whoever answered, areas that it excludes,
 * areas that tables list and that somebody claimed. What a name means on the ground stands in the
 * record's `areas`, as the policy had it, or is the code of a country; of other names nothing is
 * drawn, and the legend says so.
 */
#pragma once

#include "out/report_html_view.h"

/* Nothing, where the record has no position of the host. */
void ww_report_html_map(struct ww_report_view *v, uint64_t index, struct ww_slice record);
