/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy: rules of a contract file that are well formed and yet may not mean what they say: what a
 * careful reader would ask about. Pure.
 */
#pragma once

#include "policy/contract.h"

/* At a line of the file; text is one printable line, borrowed for the call. */
typedef void (*ww_contract_warn_fn)(void *ctx, unsigned line, const char *text);

/* Calls warn for everything that is suspicious, in the file's order of contracts. */
void ww_contract_lint(const struct ww_contracts *all, ww_contract_warn_fn warn, void *ctx);
