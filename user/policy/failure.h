/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy: whether a result that a model was shown may tell of a failure. Harnesses report errors of
 * their own, in documents of their own, and nothing marks them: what looks like an error is no
 * result that was invented or altered. English words and customary names only; one too many keeps a
 * verdict back, and confirms nothing. Pure.
 */
#pragma once

#include "base/json.h"

/* JSON, whole. */
bool ww_failure_told(struct ww_slice json);
