/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether probes really work on this machine, tried on a function of our own: they fire, they bring
 * their cookie, they may read user memory (lockdown=confidentiality forbids it), and what one hit
 * costs. For `doctor`; a virtual machine or a hardened kernel differs from what BTF promises.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/own.h"

struct ww_firing {
	bool fires;
	bool cookie;
	bool reads_user;
	uint32_t hit_ns; /* median, on an instruction that the kernel emulates */
};

/*
 * multi, cookie: this kernel has uprobe_multi links and attach cookies (ww_calib_run). Takes a
 * tenth of a second. 0; -EPERM; other -errno of loading and attaching.
 */
WW_CHECK int ww_firing_try(bool multi, bool cookie, struct ww_firing *ret_firing);
