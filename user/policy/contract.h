/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy: tool contracts from one YAML file: what a tool's effect must look like on the wire.
 * Checked on load; a wrong file is refused with file, line and what was expected. The digest of the
 * file's bytes goes into every verdict. Side effect free: the caller reads the file.
 *
 * The file is plain YAML: no anchors, aliases, tags or second documents, so nothing can expand.
 * Unknown and repeated keys are errors. docs/examples/contracts.yaml shows every key.
 *
 * Read only after parsing; may be shared by threads.
 */
#pragma once

#include <wirewitness/event.h>
#include <wirewitness/limits.h>

#include "base/digest.h"
#include "base/own.h"
#include "base/slice.h"
#include "policy/cidr.h"

/* X(enum suffix, number, text in the file, meaning) */
#define WW_EFFECTS(X)                                                            \
	X(NETWORK, 1, "network", "a request to a declared destination")          \
	X(LOCAL, 2, "local", "files or processes of this host, not the network") \
	X(NONE, 3, "none", "no effect outside the process")                      \
	X(REMOTE, 4, "remote", "done by somebody else's host, out of sight")

#define WW_EFFECT_ENUM_(n, v, t, d) WW_EFFECT_##n = (v),
enum ww_effect { WW_EFFECTS(WW_EFFECT_ENUM_) };

#define WW_ANSWER_PATHS_MAX 8u

/* At least one of name and cidrs is given. */
struct ww_destination {
	char *name; /* lower case; exact host or "*.suffix"; NULL: any name */
	unsigned cidr_count;
	struct ww_cidr *cidrs; /* none: any address except loopback */
	uint16_t port;         /* 0: any */
	bool allow_loopback;
};

struct ww_body_rule {
	char *path;   /* "$.a.b" */
	bool exists;  /* true: must be present and not null; false: must be absent, null, false, or
			 empty array/object */
	char *equals; /* NULL, or the scalar's text it must equal (exists is then true) */
};

struct ww_contract {
	char *tool;
	enum ww_effect effect; /* the members below only with NETWORK */
	unsigned destination_count;
	struct ww_destination *destinations; /* at least one */
	unsigned method_count;
	char **methods; /* at least one */
	unsigned path_count;
	char *mcp_tool; /* the call is "tools/call" of this tool by the Model Context Protocol;
			   id_path, answer_paths and rules are of what the tool answers */
	char **paths; /* templates, at least one: "/v1/refunds", "/v1/refunds/{id}" ({} matches one
			 segment), trailing "**" matches any rest */
	uint16_t status_min; /* success: inclusive; default 200 to 299 */
	uint16_t status_max;
	unsigned rule_count;
	struct ww_body_rule *rules; /* all must hold on the response body */
	char *id_path;              /* path of the created id in the response body, NULL: none */
	unsigned answer_path_count; /* members of the answer that the model must be shown as they */
	char **answer_paths;        /* are; none: only the id */
	uint32_t deadline_s;        /* for 202 Accepted, 0: none */
	bool deferred; /* queue, cron, batch: absence proves nothing before the deadline */
};

struct ww_contracts {
	unsigned count;
	struct ww_contract *items; /* in the file's order; tools are distinct */
	struct ww_sha256 digest;   /* of the file's bytes, plain SHA-256 */
};

struct ww_contract_error {
	unsigned line;  /* 1-based, 0 unknown */
	char text[200]; /* what was expected, and what was there; printable, one line */
};

/*
 * Parses a whole file (YAML 1.1 as libyaml reads it, UTF-8). 0; -EINVAL with *ret_error filled;
 * -EFBIG over WW_CONTRACT_FILE_BYTES (*ret_error filled); -ENOMEM. `*ret_contracts` unchanged on
 * failure; else the caller frees it.
 */
WW_CHECK int ww_contracts_parse(struct ww_slice yaml, struct ww_contracts **ret_contracts,
				struct ww_contract_error *ret_error);
void ww_contracts_free(struct ww_contracts *c);
WW_DEFINE_AUTO(struct ww_contracts, ww_contracts_free)

/* NULL: no contract declares the tool. Names compare byte by byte. Borrowed. */
const struct ww_contract *ww_contracts_find(const struct ww_contracts *c, const char *tool);

/*
 * Whether name (SNI, else Host, a port in it ignored; may be empty) and address match one
 * destination. A destination with a name is not matched by an empty name. Loopback only where
 * allow_loopback says so.
 */
bool ww_contract_destination(const struct ww_contract *c, const char *name,
			     const struct ww_endpoint *peer);

/*
 * Whether the address alone could belong to a destination: for flows whose name is unknown. Weaker
 * than ww_contract_destination, never stronger. A destination without CIDRs could be anywhere.
 */
bool ww_contract_address(const struct ww_contract *c, const struct ww_endpoint *peer);

/*
 * The path template that method and target's path match, borrowed from the contract, or NULL. The
 * query is ignored; escaped unreserved characters are decoded before comparing (RFC 3986 section
 * 6.2.2.2). A target with dot segments or a fragment matches nothing: clients remove them, and not
 * every server does.
 */
const char *ww_contract_request(const struct ww_contract *c, const char *method,
				const char *target);

/*
 * Whether a server that is lenient about paths might take the request for a declared one: doubled
 * and trailing slashes, dot segments, parameters after ';', escapes and case do not count. Wider
 * than ww_contract_request, never narrower.
 */
bool ww_contract_request_like(const struct ww_contract *c, const char *method, const char *target);

/* Whether some destination has this name, whatever the address. An empty name is nobody's. */
bool ww_contract_name(const struct ww_contract *c, const char *name);

/* "network", ...; "unknown" for other numbers. */
const char *ww_contract_effect_name(enum ww_effect e);
