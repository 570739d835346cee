/* SPDX-License-Identifier: Apache-2.0 */
/* What /proc/PID/stat says of a process, by pid: who has it now. */
#pragma once

#include <stdint.h>

#include "base/own.h"

/* Its parent, and its start in nanoseconds of boot time, by the clock tick: coarser than the
 * kernel's own. 0 or -ESRCH. */
WW_CHECK int ww_proc_stat(uint32_t pid, uint32_t *ret_ppid, uint64_t *ret_start_ns);
