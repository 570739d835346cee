/* SPDX-License-Identifier: Apache-2.0 */
/* The key `attesters` of contracts and of the policy. */
#pragma once

#include "policy/attester.h"
#include "policy/yaml_reader.h"

/* A list of 1 to WW_ATTESTERS_MAX, each name and key once; `once` says so. 0 or r->err; the caller
 * frees *list. */
int ww_attesters_take(struct ww_yaml *r, const char *once, struct ww_attester **list,
		      unsigned *count);
