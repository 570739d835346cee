/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a unix socket path led anywhere: the C library tries some paths by habit, and a connect
 * to a socket that does not exist reaches nobody.
 *
 * The path is looked up as the process saw it: in its root, absolute links included. A process that
 * is gone is stood in for by another one of its mount namespace: ourselves, or a member of its
 * cgroup. Where the whole namespace is gone nothing is said, but for the name cache's socket that
 * the C library tries in every short-lived program. Reads /proc and the cgroup; no state.
 */
#pragma once

#include <stdbool.h>

#include <wirewitness/event.h>

#include "base/own.h"

/*
 * True only when no such socket exists. cgroup_path: folder of the cgroup whose members may stand
 * in, NULL: unknown. Unnamed, abstract and relative paths are never absent.
 */
bool ww_unix_peer_absent(const struct ww_event_unix *ev, const char *cgroup_path);
