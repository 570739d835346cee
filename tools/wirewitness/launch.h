/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts a command inside a cgroup: what `run` and `record` share.
 *
 * A process that is to be the command enters the cgroup, drops to the user who called sudo
 * (SUDO_UID and SUDO_GID) when it is root, and executes the command. What it inherited stays as it
 * is: terminal, working directory, signal dispositions, descriptors; all but sockets, which were
 * made outside and are out of the monitor's sight.
 */
#pragma once

#include "base/own.h"

/*
 * Becomes the command. Returns only on failure, told on standard error, with the exit code: 127 no
 * such command; 126 it cannot be executed; WW_EXIT_UNABLE: not in this cgroup, or not with this
 * user or these descriptors.
 */
int ww_launch_become(const char *cgroup_path, char **argv);

struct ww_launch {
	int pid;
	int pidfd; /* readable when the command has ended */
};

/*
 * A child becomes the command; where that fails it ends with the exit code above. From now on the
 * signals that ask to end (TERM, HUP, INT, QUIT) are the command's: passed on, unless the terminal
 * has sent them to both. 0 or -errno. One per program.
 */
WW_CHECK int ww_launch(const char *cgroup_path, char **argv, struct ww_launch *ret_launch);

/* Waits; the exit code as a shell would give it (128 + signal). */
int ww_launch_wait(struct ww_launch *l);
