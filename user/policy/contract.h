/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy: tool contracts from one YAML file: what a tool's effect must look like on the wire. Checked on load; a
 * wrong file is refused with file, line and what was expected. The digest of the file's bytes goes into every verdict.
 * Side effect free: the caller reads the file.
 */
#pragma once

#include <wirewitness/event.h>
#include <wirewitness/limits.h>

#include "base/digest.h"
#include "base/own.h"
#include "base/slice.h"

enum ww_effect { WW_EFFECT_NETWORK = 1, WW_EFFECT_LOCAL = 2, WW_EFFECT_NONE = 3, WW_EFFECT_REMOTE = 4 };

struct ww_cidr {
	uint8_t addr[16];
	uint8_t bits;
	uint8_t family; /* AF_INET 2 or AF_INET6 10 */
};

struct ww_destination {
	char *name; /* exact host or "*.suffix"; NULL: any name */
	unsigned cidr_count;
	struct ww_cidr *cidrs; /* none: any address except loopback */
	uint16_t port;	       /* 0: any */
	bool allow_loopback;
};

struct ww_body_rule {
	char *path; /* "$.a.b" */
	bool exists; /* true: must be present and not null; false: must be absent, null, false, or empty array/object */
	char *equals; /* NULL, or the scalar's text it must equal */
};

struct ww_contract {
	char *tool;
	enum ww_effect effect;
	unsigned destination_count;
	struct ww_destination *destinations;
	unsigned method_count;
	char **methods;
	unsigned path_count;
	char **paths; /* templates: "/v1/refunds", "/v1/refunds/{id}" ({} matches one segment), trailing "**" allowed */
	uint16_t status_min; /* success: inclusive */
	uint16_t status_max;
	unsigned rule_count;
	struct ww_body_rule *rules; /* all must hold on the response body */
	char *id_path;		    /* path of the created id in the response body, NULL: none */
	uint32_t deadline_s;	    /* for 202 Accepted, 0: none */
	bool deferred;		    /* queue, cron, batch: absence proves nothing before the deadline */
};

struct ww_contracts {
	unsigned count;
	struct ww_contract *items;
	struct ww_sha256 digest; /* of the file's bytes */
};

struct ww_contract_error {
	unsigned line; /* 1-based, 0 unknown */
	char text[200]; /* what was expected, and what was there */
};

/* 0; -EINVAL with *ret_error filled; -ENOMEM; -EFBIG. `*ret_contracts` unchanged on failure. */
WW_CHECK int ww_contracts_parse(struct ww_slice yaml, struct ww_contracts **ret_contracts,
				struct ww_contract_error *ret_error);
void ww_contracts_free(struct ww_contracts *c);
WW_DEFINE_AUTO(struct ww_contracts, ww_contracts_free)

const struct ww_contract *ww_contracts_find(const struct ww_contracts *c, const char *tool);

/* Whether name (SNI, else Host; may be empty) and address match one destination. */
bool ww_contract_destination(const struct ww_contract *c, const char *name, const struct ww_endpoint *peer);

/* Whether method and target's path (query ignored) match. */
bool ww_contract_request(const struct ww_contract *c, const char *method, const char *target);
