/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bedrock: the shapes of Amazon Bedrock's Converse, and of InvokeModel where the model's own bodies
 * are Anthropic's; those of other vendors are not read. The model is in the path, a response has no
 * id but the one in its head. What was read from or written to the cache is counted beside input.
 *
 * Streams come as an AWS event stream (pieces.h), a message per piece, named in its head.
 */
#pragma once

#include "action/parts.h"

extern const struct ww_parts_shape ww_bedrock_converse;
extern const struct ww_parts_shape ww_bedrock_anthropic;
