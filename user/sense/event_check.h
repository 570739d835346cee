/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether an event is what its header says. Every event passes here before the pipeline sees it,
 * whether it comes from a ring or from a tape: tapes are files, and files are hostile.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <wirewitness/event.h>

#include "base/own.h"

/* Of an event that user space makes. */
static inline struct ww_event ww_event_header(uint16_t kind, size_t size, uint64_t time_ns)
{
	return (struct ww_event){.version = WW_EVENT_VERSION,
				 .kind = kind,
				 .size = (uint32_t)size,
				 .time_ns = time_ns,
				 .cpu = WW_EVENT_CPU_USER};
}

/*
 * `avail` bytes are readable at ev. 0; -EBADMSG: wrong version, size below the kind's struct or
 * above avail, or an inner length that does not fit. Unknown kinds of the same version are 0: the
 * pipeline ignores them.
 */
WW_CHECK int ww_event_check(const struct ww_event *ev, size_t avail);
