/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ollama: the shapes of Ollama's /api/chat and /api/generate. A stream is a JSON document per line,
 * the last of which says "done", and is what comes unless the request says otherwise. No response
 * has an id; calls have one since 2025, before that they are known by their place alone. Arguments
 * are an object, whole. What a cache saved is not counted: the input then lacks it or is absent.
 */
#pragma once

#include "action/parts.h"

extern const struct ww_parts_shape ww_ollama_chat;
extern const struct ww_parts_shape ww_ollama_generate;
