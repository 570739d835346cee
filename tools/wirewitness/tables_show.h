/* SPDX-License-Identifier: Apache-2.0 */
/* Of `wirewitness tables`: all that the tables of a folder say of an address. */
#pragma once

#include "base/clock.h"

/* at zero: now. Returns an exit code: 1 where nothing is listed. */
int ww_tables_show(const char *dir, const char *address, struct ww_wall at, bool json);
