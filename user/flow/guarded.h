/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flow: what the guard denied, would have denied or cut, as records. Which list decided is told by
 * its digest, as long as it was one of the last that came into force. Pure; plain values.
 */
#pragma once

#include <wirewitness/event.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/json_write.h"

#define WW_GUARDED_LISTS 4u

/* Zeroed at first. */
struct ww_guarded {
	struct {
		uint32_t generation;
		struct ww_sha256 digest;
	} lists[WW_GUARDED_LISTS]; /* generation 0: none */
	unsigned next;
};

/* A list came into force, or failed to. */
void ww_guarded_list(struct ww_guarded *g, const struct ww_event_guard_list *ev);

/* Writes the record of kind "guard". program: NULL: not known. */
void ww_guarded_write(const struct ww_guarded *g, const struct ww_event_guard *ev,
		      const char *program, struct ww_wall t, struct ww_jsonw *w);

/* The member "guard" of a life record about a list. */
void ww_guarded_list_write(const struct ww_event_guard_list *ev, struct ww_jsonw *w);

/* "off", "connect", "region", ...; "unknown" for other numbers. */
const char *ww_guard_mode_name(unsigned mode);
const char *ww_guard_hook_name(unsigned hook);
const char *ww_guard_why_name(unsigned why);
