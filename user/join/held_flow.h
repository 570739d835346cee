/* SPDX-License-Identifier: Apache-2.0 */
/* What is held of a flow: by its account, and where a socket and a channel tell it in different
 * ways. */
#pragma once

#include "join/held.h"

/* The server's name, or the program at a channel's other end, which may become another one. 0 or
 * -ENOMEM. */
WW_CHECK int ww_held_name_flow(struct ww_held_flow *e, const struct ww_flow *f);

/* How far a channel is read; nothing for a socket. */
void ww_held_take_channel(struct ww_held_flow *e, const struct ww_flow *f);

/* What no hook explains, beyond the part that reads of unknown record ends leave open. */
uint64_t ww_held_unexplained(const struct ww_account *a);
/* The most that may be of a reply which no hook read. */
uint64_t ww_held_unread(const struct ww_account *a);
