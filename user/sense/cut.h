/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sense: ends a socket that somebody else has: by the kernel's own request for it (sock_diag(7),
 * SOCK_DESTROY), in the socket's network namespace. TCP's peer is sent a reset; the process gets
 * ECONNABORTED. Nothing of the process is touched.
 */
#pragma once

#include <stdint.h>

#include <wirewitness/event.h>

#include "base/own.h"

struct ww_cut_ask {
	struct ww_endpoint local, peer;
	uint64_t cookie; /* another socket with these ends is left alone */
	uint32_t netns;  /* inode of the namespace that the ends are of */
	uint32_t pid;    /* a process that is in it, if not this one */
	uint8_t proto;   /* 6 or 17 */
};

/*
 * Waits for the kernel's answer, a moment. 0; -ENOENT: there is no such socket (any more); -ESRCH:
 * no way into its namespace; -EOPNOTSUPP: this kernel cannot (CONFIG_INET_DIAG_DESTROY), or not for
 * this protocol; other -errno.
 */
WW_CHECK int ww_cut_socket(const struct ww_cut_ask *a);

/* Whether this kernel can. 0 or as above. Ends nothing. */
WW_CHECK int ww_cut_possible(void);
