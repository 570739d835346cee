/* SPDX-License-Identifier: Apache-2.0 */
/* The policy file of an option. */
#pragma once

#include "policy/policy_file.h"

/* `arg` a file; NULL or "off": *ret stays NULL. What is wrong is logged, with its place. 0,
 * -EINVAL, -EFBIG, -ENOMEM, -errno of reading. */
WW_CHECK int ww_policy_option(const char *arg, struct ww_policy **ret);

/* "FILE:3:12: text", without what is not known of the place. */
void ww_policy_error_text(const char *file, const char *severity, const struct ww_contract_error *e,
			  char *out, size_t cap);
