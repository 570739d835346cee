/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy: what of a policy file is well formed and yet may not mean what it says: what a careful
 * reader would ask about. Pure.
 */
#pragma once

#include "policy/contract_lint.h"
#include "policy/policy_file.h"
#include "policy/tables.h"

/* Calls warn for everything that is suspicious in the file alone. */
void ww_policy_lint(const struct ww_policy *p, ww_contract_warn_fn warn, void *ctx);

/* For what the file does not say of the tables that it is to be used with at that time; line 0. Of
 * one kind at most WW_POLICY_LINT_WORDS are named, the rest is counted. 0 or -ENOMEM. */
#define WW_POLICY_LINT_WORDS 20u
WW_CHECK int ww_policy_lint_tables(const struct ww_policy *p, const struct ww_tables *t,
				   struct ww_wall at, ww_contract_warn_fn warn, void *ctx);
