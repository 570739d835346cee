/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts a command inside a cgroup and waits for it: what `run` and `record` share.
 *
 * The child enters the cgroup before it executes anything, drops to the user who called sudo
 * (SUDO_UID and SUDO_GID) when run as root under it, then executes the command. Signals that ask to
 * end are passed on. The caller's terminal stays the command's.
 */
#pragma once

#include "base/own.h"

struct ww_launch {
	int pid;
	int pidfd; /* readable when the command has ended */
};

/* 0; -errno of fork, or of entering the cgroup, dropping rights or executing (told by the child
 * before exec). */
WW_CHECK int ww_launch(const char *cgroup_path, char **argv, struct ww_launch *ret_launch);

/* Waits; the exit code as a shell would give it (128 + signal). */
int ww_launch_wait(struct ww_launch *l);
