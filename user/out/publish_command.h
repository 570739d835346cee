/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A checkpoint for a program of the user's: on its standard input, without a shell, with a minimal
 * environment, in a process group of its own that is killed when the time is over.
 */
#pragma once

#include <sys/types.h>

#include "base/buf.h"

struct ww_publish_command {
	pid_t pid; /* 0: none is running */
	int fd;    /* pidfd, readable when it ended; -1 */
};

/* Starts `path`. Its output goes to our standard error. 0 or -errno. */
WW_CHECK int ww_publish_command_start(struct ww_publish_command *c, const char *path,
				      struct ww_slice note);

/* 1: still running; 0: ended with code 0; -ECHILD with the reason. Does not wait. */
WW_CHECK int ww_publish_command_ended(struct ww_publish_command *c, char *why, size_t cap);

/* Kills what runs, and waits for it. */
void ww_publish_command_kill(struct ww_publish_command *c);
