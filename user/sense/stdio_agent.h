/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is at the other ends of a process's standard input and output, looked up in /proc: the
 * nearest process above it, in the same scope, that holds the other end of both pipes, or made both
 * socket pairs.
 */
#pragma once

#include <stdint.h>

#include <wirewitness/event.h>

#include "base/own.h"

/* Its pid. scope: the cgroup's path as it stands in /proc/PID/cgroup. -ENOENT: nobody above it in
 * the scope does; -ENXIO: nobody is above it there; -ESRCH: the process is gone. */
WW_CHECK int ww_stdio_agent(const struct ww_event_stdio *ev, const char *scope, uint32_t *ret_pid);
