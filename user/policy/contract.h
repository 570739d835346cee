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
#include "base/buf.h"
#include "base/slice.h"
#include "policy/attester.h"
#include "policy/cidr.h"
#include "policy/local.h"

/* X(enum suffix, number, text in the file, meaning) */
#define WW_EFFECTS(X)                                                                        \
	X(NETWORK, 1, "network", "a request to a declared destination changes something")    \
	X(LOCAL, 2, "local", "files or processes of this host, not the network")             \
	X(NONE, 3, "none", "no effect outside the process")                                  \
	X(REMOTE, 4, "remote", "done by somebody else's host, out of sight")                 \
	X(READ, 5, "read", "a request to a declared destination reads, and changes nothing") \
	X(PROCESS, 6, "process", "a program is run on this host")                            \
	X(FILE, 7, "file", "a file of this host is written, renamed or removed")

#define WW_EFFECT_ENUM_(n, v, t, d) WW_EFFECT_##n = (v),
enum ww_effect { WW_EFFECTS(WW_EFFECT_ENUM_) };

#define WW_ANSWER_PATHS_MAX 8u
#define WW_CONTROLS_MAX     8u

/* At least one of name and cidrs is given, or program and nothing else. */
struct ww_destination {
	unsigned line; /* in the file, as below */
	char *program; /* a server below the agent, over its standard input and output: path of the
			  program that it executes, or "*" */
	char *name;    /* lower case; exact host or "*.suffix"; NULL: any name */
	unsigned cidr_count;
	struct ww_cidr *cidrs; /* none: any address except loopback */
	uint16_t port;         /* 0: any */
	bool allow_loopback;
};

/* Which requests are meant: where to, and what they ask for. */
struct ww_pattern {
	unsigned destination_count;
	struct ww_destination *destinations; /* at least one */
	unsigned method_count;
	char **methods; /* at least one, unless all destinations are programs */
	unsigned path_count;
	char **paths; /* templates, as many: "/v1/refunds", "/v1/refunds/{id}" ({} matches one
			 segment), trailing "**" matches any rest */
};

struct ww_body_rule {
	char *path;   /* "$.a.b" */
	bool exists;  /* true: must be present and not null; false: must be absent, null, false, or
			 empty array/object */
	char *equals; /* NULL, or the scalar's text it must equal (exists is then true) */
};

/* Which answers are meant. */
struct ww_success {
	unsigned line;       /* 0: not given */
	uint16_t status_min; /* inclusive; default 200 to 299 */
	uint16_t status_max;
	unsigned rule_count;
	struct ww_body_rule *rules; /* all must hold on the response body */
};

/* The request that shows a created thing again. */
struct ww_readback {
	unsigned line;
	char *method; /* GET where none is given */
	char *path;   /* template whose one segment "{id}" is the created id; NULL: none declared */
	char *id_path;             /* the id in the answer */
	struct ww_success success; /* what the answer must be besides */
};

/* An answer that speaks of several items, each with an outcome of its own. */
struct ww_bulk {
	unsigned line;
	char *items;            /* path of the array in the response body; NULL: no such answer */
	char *status_path;      /* in an element; NULL: the rules alone decide */
	struct ww_success item; /* of one element; status with status_path only */
};

/* What the control and the action must have in common. X(enum suffix, number, text, meaning) */
#define WW_CONTROL_SAMES(X)                      \
	X(ACTOR, 1, "actor", "the process tree") \
	X(TRACE, 2, "trace", "the trace")

#define WW_CONTROL_SAME_ENUM_(n, v, t, d) WW_CONTROL_SAME_##n = (v),
enum ww_control_same { WW_CONTROL_SAMES(WW_CONTROL_SAME_ENUM_) };

/* A call that must have allowed the action before it begins: a policy service, an approval. */
struct ww_control {
	unsigned line;
	char *name; /* distinct in its contract */
	struct ww_pattern call;
	struct ww_success allow; /* the answers that allow */
	unsigned subject_count;  /* 2, or 0: not compared */
	char **subject;          /* path in the control's request body, path in the action's */
	uint32_t max_age_s;      /* an older answer allows nothing, 0: whatever its age */
	uint32_t max_uses;       /* actions that one answer allows, 0: any number */
	enum ww_control_same same;
	unsigned index; /* its calls are meant by ww_contracts.items[index] */
};

struct ww_contract {
	bool topics_given; /* else its name tells which topics of the phrase rules are about it */
	unsigned topic_count;
	char **topics;
	unsigned line;
	char *tool;
	const struct ww_control *of; /* it means the calls of this control, and has no tool */
	enum ww_effect effect;
	/* Of the effects process and file; what is not declared is not seen. */
	struct ww_local local;
	unsigned attester_count; /* whose word on the outcome is recorded; none: nobody's */
	struct ww_attester *attesters;
	/* The members below only where ww_contract_networked(). */
	struct ww_pattern call;
	struct ww_success success;
	char *mcp_tool; /* the call is "tools/call" of this tool by the Model Context Protocol;
			   rules and paths are of what the tool answers. Where a destination is a
			   program there is one */
	char *id_path;  /* path of the created id in the response body, NULL: none */
	unsigned answer_path_count;  /* members of the answer that the model must be shown as */
	char **answer_paths;         /* they are; none: only the id */
	struct ww_readback readback; /* needs id_path */
	struct ww_bulk bulk;
	uint32_t deadline_s; /* for 202 Accepted, 0: none */
	bool deferred;       /* queue, cron, batch: absence proves nothing before the deadline */
	unsigned control_count;
	struct ww_control *controls;
};

struct ww_contracts {
	unsigned count;
	struct ww_contract *items; /* in the file's order; tools are distinct */
	unsigned all; /* with those behind them that mean the calls of controls: they have no tool,
			 and success is what allows */
	struct ww_sha256 digest; /* of the file's bytes, plain SHA-256 */
};

struct ww_contract_error {
	unsigned line;   /* 1-based, 0 unknown */
	unsigned column; /* 1-based, 0: not said */
	char text[200];  /* what was expected, and what was there; printable, one line */
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

/* Whether its effect is a request: one that changes something, or one that reads. */
static inline bool ww_contract_networked(const struct ww_contract *c)
{
	return c->effect == WW_EFFECT_NETWORK || c->effect == WW_EFFECT_READ;
}

/* Whether its effect is a program that is run or a file that changes, and it says which. */
static inline bool ww_contract_local(const struct ww_contract *c)
{
	return (c->effect == WW_EFFECT_PROCESS && c->local.program_count) ||
	       (c->effect == WW_EFFECT_FILE && c->local.file_count);
}

/*
 * Whether name (SNI, else Host, a port in it ignored; may be empty) and address match one
 * destination. A destination with a name is not matched by an empty name. Loopback only where
 * allow_loopback says so.
 */
bool ww_pattern_destination(const struct ww_pattern *p, const char *name,
			    const struct ww_endpoint *peer);

/*
 * Whether the address alone could belong to a destination: for flows whose name is unknown. Weaker
 * than ww_pattern_destination, never stronger. A destination without CIDRs could be anywhere.
 */
bool ww_pattern_address(const struct ww_pattern *p, const struct ww_endpoint *peer);

/*
 * The path template that method and target's path match, borrowed from the pattern, or NULL. The
 * query is ignored; escaped unreserved characters are decoded before comparing (RFC 3986 section
 * 6.2.2.2). A target with dot segments or a fragment matches nothing: clients remove them, and not
 * every server does.
 */
const char *ww_pattern_request(const struct ww_pattern *p, const char *method, const char *target);

/*
 * Whether a server that is lenient about paths might take the request for a declared one: doubled
 * and trailing slashes, dot segments, parameters after ';', escapes and case do not count. Wider
 * than ww_pattern_request, never narrower.
 */
bool ww_pattern_request_like(const struct ww_pattern *p, const char *method, const char *target);

/* Whether some destination is the program with this path; empty: it is not known, and none but "*"
 * is.
 */
bool ww_pattern_program(const struct ww_pattern *p, const char *path);

/* Whether a program that is none of them by its path may be one all the same: see
 * ww_local_program_may_be(). */
bool ww_pattern_program_may_be(const struct ww_pattern *p, const char *path, const char *called);

/* Whether some destination is a program. */
bool ww_pattern_programs(const struct ww_pattern *p);

/* Whether some destination has this name, whatever the address. An empty name is nobody's. */
bool ww_pattern_name(const struct ww_pattern *p, const char *name);

/* The same, but in full: not by "*.suffix". */
bool ww_pattern_name_in_full(const struct ww_pattern *p, const char *name);

/*
 * Whether the request reads back: method and path as declared, by the rules of
 * ww_pattern_request(). The id in its path, all escapes undone, is then written to out; *ret_bytes
 * is its length.
 */
#define WW_READBACK_ID_MAX 256u
bool ww_readback_request(const struct ww_readback *b, const char *method, const char *target,
			 uint8_t out[WW_READBACK_ID_MAX], size_t *ret_bytes);

/* What target has for the parameters of b's path beside {id}, such as a tenant's name, appended to
 * out: `template` is the one that its path matches. 0; -ENOENT: it has not all of them; -EMSGSIZE,
 * -ENOMEM. */
WW_CHECK int ww_readback_place(const struct ww_readback *b, const char *template,
			       const char *target, struct ww_buf *out);

/* As long as an effect may take to show, at most. */
uint64_t ww_contracts_shown_s(const struct ww_contracts *all);

/* "network", ...; "unknown" for other numbers. */
const char *ww_contract_effect_name(enum ww_effect e);
/* What is looked for on this host: "run of a declared program", "change of a declared file". */
const char *ww_contract_sought(const struct ww_contract *c);

/* "trace", ...; "unknown" for other numbers. */
const char *ww_control_same_name(enum ww_control_same s);
