/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openai: the shape of OpenAI Chat Completions, which Azure, vLLM and many gateways have too. Only
 * the first choice is decoded. Usage of a stream comes in a last chunk without choices, and only
 * when the client asked for it.
 */
#pragma once

#include "action/parts.h"

extern const struct ww_parts_shape ww_openai;
