/* SPDX-License-Identifier: Apache-2.0 */
/*
 * anthropic: the shape of Anthropic Messages, POST .../v1/messages. Input tokens read from or
 * written to the cache are counted beside input, not in it. Blocks server_tool_use and mcp_tool_use
 * are run by the provider itself.
 */
#pragma once

#include "action/rows.h"

extern const struct ww_parts_shape ww_anthropic;

/* For who carries the same bodies in another way (bedrock.c). */
void ww_anthropic_request(struct ww_parts *p, const struct ww_parts_request *r);
extern const struct ww_row ww_anthropic_answer[];
enum ww_parse ww_anthropic_piece(struct ww_parts *p, const struct ww_piece *piece);
