/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses to listen at, as people write them. */
#pragma once

#include <sys/socket.h>

#include "base/own.h"

/* ADDR:PORT or [ADDR]:PORT, numbers only. 0 or -EINVAL. */
WW_CHECK int ww_address_parse(const char *text, struct sockaddr_storage *ret_address);
