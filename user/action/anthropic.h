/* SPDX-License-Identifier: Apache-2.0 */
/*
 * anthropic: the dialect of Anthropic Messages, POST .../v1/messages. Input tokens read from or
 * written to the cache are counted beside input, not in it. Blocks server_tool_use and mcp_tool_use
 * are run by the provider itself.
 */
#pragma once

#include "action/parts.h"

extern const struct ww_parts_dialect ww_anthropic;
