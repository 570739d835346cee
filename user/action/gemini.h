/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gemini: the shape of Gemini's generateContent and streamGenerateContent, also of Vertex AI. A
 * stream is made of answers, each of the shape of a whole one; counts are cumulative, and only the
 * first candidate is decoded. It has no event for its end: it is whole when the body is and the
 * candidate has a reason for its end.
 *
 * Calls and results have ids only where client and model agree on them. Code that the model runs,
 * calls of Google's tools and searches are carried out by the provider. Thinking is counted beside
 * output, what came from a cache as part of input.
 */
#pragma once

#include "action/parts.h"

extern const struct ww_parts_shape ww_gemini;
