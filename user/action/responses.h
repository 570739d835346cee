/* SPDX-License-Identifier: Apache-2.0 */
/*
 * responses: the shape of OpenAI Responses. What a conversation consists of are items, so that one
 * message of the model may be several in a row. A request can go on with a response that the
 * provider keeps: then the earlier conversation is not in it, and the digests begin with that one's
 * id.
 *
 * A call's id is its call_id, which its output repeats; the item's own id is another. Searches,
 * code and MCP calls of the hosted kind are run by the provider; computer, shell and patch calls
 * are carried out by the client. Items of a kind that is not known are no calls here.
 */
#pragma once

#include "action/parts.h"

extern const struct ww_parts_shape ww_responses;
