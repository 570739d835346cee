/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy: what the effect of a tool on this host must look like: which program is run, or which
 * file changes and how. Templates are paths: "{name}" stands for any bytes of one segment ("{name}"
 * alone, "{name}.pdf", "report-{day}.txt"), a last segment "**" for any rest. As in a shell, what
 * stands for any bytes takes no name that begins with a dot. A program may also be a name without
 * a slash: the last segment of its path, wherever it lies. Pure.
 */
#pragma once

#include <wirewitness/event.h>

#include "base/own.h"
#include "base/slice.h"

/* How a declared file changes. X(enum suffix, bit, text, meaning) */
#define WW_FILE_EFFECTS(X)                                                                        \
	X(WRITTEN, 1, "written", "its content changes and it is closed, or a file is moved here") \
	X(RENAMED, 2, "renamed", "it is moved to or from this path")                              \
	X(REMOVED, 4, "removed", "the path is unlinked")

#define WW_FILE_EFFECT_ENUM_(n, v, t, d) WW_FILE_##n = (v),
enum ww_file_effect { WW_FILE_EFFECTS(WW_FILE_EFFECT_ENUM_) };

struct ww_local {
	unsigned program_count;
	char **programs; /* templates */
	bool exit_given;
	uint8_t exit_min; /* statuses that mean success, inclusive */
	uint8_t exit_max;
	unsigned file_count;
	char **files;     /* templates */
	uint32_t changes; /* bit set of enum ww_file_effect; 0 without files */
};

/* NULL: the template is one. Else what is expected of it, for a message. */
const char *ww_local_file_template(struct ww_slice s);
const char *ww_local_program_template(struct ww_slice s);

/* The template that the path of a program, or of a file, matches, borrowed; NULL: none. */
const char *ww_local_program(const struct ww_local *l, struct ww_slice path);
const char *ww_local_file(const struct ww_local *l, struct ww_slice path);

/* One template with a slash in it: whether a path is as it declares. */
bool ww_local_path(struct ww_slice template, struct ww_slice path);

/* Whether a program that is none of them by its path may be one all the same: it was called by such
 * a name (a script, a link, or a file elsewhere; of `called` the kernel keeps 15 bytes), or is a
 * loader, which runs what its arguments say. An unknown path may be any. */
bool ww_local_program_may_be(const struct ww_local *l, struct ww_slice path,
			     struct ww_slice called);
/* The same of one program that is declared by its whole path. */
bool ww_local_may_be_program(struct ww_slice declared, struct ww_slice path,
			     struct ww_slice called);

/* One segment: whether a name is as the template's segment declares. */
bool ww_local_segment(struct ww_slice template, struct ww_slice name);
/* Whether it stands for more than the one name it is. */
bool ww_local_segment_open(struct ww_slice template);

/* Bits of enum ww_change_bit that the declared changes are made of. */
uint32_t ww_local_bits(const struct ww_local *l);

void ww_local_done(struct ww_local *l);
