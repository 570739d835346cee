/* SPDX-License-Identifier: Apache-2.0 */
/* What is held of a flow that a socket and a channel tell in different ways. */
#pragma once

#include "join/held.h"

/* The server's name, or the program at a channel's other end, which may become another one. 0 or
 * -ENOMEM. */
WW_CHECK int ww_held_name_flow(struct ww_held_flow *e, const struct ww_flow *f);

/* How far a channel is read; nothing for a socket. */
void ww_held_take_channel(struct ww_held_flow *e, const struct ww_flow *f);
