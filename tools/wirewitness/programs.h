/* SPDX-License-Identifier: Apache-2.0 */
/* The names of the programs that processes ran, by the records of the processes. */
#pragma once

#include "records.h"

/* Zero: empty. Bounded: the names looked up last. */
struct ww_programs {
	struct ww_programs_entry *entries;
};

void ww_programs_done(struct ww_programs *p);

/* The name of the process that a verdict is about; empty: no record says. Borrowed until the next
 * call. Reads another record. */
struct ww_slice ww_programs_of(struct ww_programs *p, struct ww_records *records,
			       struct ww_slice verdict);
