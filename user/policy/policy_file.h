/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy: the file that says where the bytes of agents may go: where this host is, what areas and
 * regions mean, which agent may send where. One YAML file, read as strictly as contracts
 * (policy/yaml_reader.h): unknown and repeated keys, names that nothing has, and more than the
 * limits below are errors with line and column. docs/examples/policy.yaml shows every key.
 *
 * Read only after parsing; may be shared by threads. Pure: the caller reads the file.
 *
 * Globs: '*' stands for any bytes, also none and also '/'; nothing else is special. Words of tables
 * and claims (regions) compare without regard to ASCII case, paths and cgroups byte by byte.
 */
#pragma once

#include "base/digest.h"
#include "base/json_write.h"
#include "policy/cidr.h"
#include "policy/contract.h"
#include "policy/earth.h"

#define WW_POLICY_FILE_BYTES   (512u << 10)
#define WW_POLICY_PREFIXES_MAX 65536u /* of the lists of the guard, each */
#define WW_POLICY_NAME_MAX     63u    /* bytes of the name of an area, a region, an agent */
#define WW_POLICY_AREAS_MAX    64u    /* sets of them are words of 64 bits */
#define WW_POLICY_REGIONS_MAX  64u
#define WW_POLICY_AGENTS_MAX   256u
#define WW_POLICY_LABELS_MAX   1024u     /* of one region */
#define WW_POLICY_ITEMS_MAX    256u      /* of other lists: programs, homes, regions */
#define WW_POLICY_NONE         UINT8_MAX /* no region */

/* What a name means on the ground. */
struct ww_policy_area {
	unsigned line; /* in the file, as below */
	char name[WW_POLICY_NAME_MAX + 1];
	struct ww_area *area;
};

/* Which words belong to a region. Its own name is one of them. The first region in the file that
 * has a word has it alone. */
struct ww_policy_region {
	unsigned line;
	char name[WW_POLICY_NAME_MAX + 1];
	unsigned label_count;
	struct ww_policy_label {
		unsigned line;
		char *glob;
	} * labels;                        /* at least one */
	const struct ww_policy_area *area; /* NULL: none, light says nothing about its words */
};

/* What becomes of bytes for a peer about which nothing is listed. */
#define WW_POLICY_UNLISTEDS(X)                                                \
	X(FAIL, 0, "fail", "no verdict: nothing is known of the destination") \
	X(WARN, 1, "warn", "a finding only")                                  \
	X(DENY, 2, "deny", "as if it were forbidden")

#define WW_POLICY_UNLISTED_ENUM_(n, v, t, d) WW_POLICY_UNLISTED_##n = (v),
enum ww_policy_unlisted { WW_POLICY_UNLISTEDS(WW_POLICY_UNLISTED_ENUM_) };

struct ww_policy_agent {
	unsigned line;
	char name[WW_POLICY_NAME_MAX + 1];
	char *cgroup; /* glob; NULL: any */
	unsigned program_count;
	char **programs; /* globs; none: any. There is a cgroup or a program */
	bool asks_region;
	uint64_t regions; /* bit i: regions[i] of the policy is allowed */
	bool asks_home;
	unsigned home_count;
	char **homes;
	enum ww_policy_unlisted on_unlisted;
};

/* X(enum suffix, number, text, meaning) */
#define WW_POLICY_GUARDS(X)                                          \
	X(OFF, 0, "off", "nothing is denied")                        \
	X(DRY_RUN, 1, "dry-run", "what would be denied is recorded") \
	X(ENFORCE, 2, "enforce", "forbidden destinations are denied")

#define WW_POLICY_GUARD_ENUM_(n, v, t, d) WW_POLICY_GUARD_##n = (v),
enum ww_policy_guard { WW_POLICY_GUARDS(WW_POLICY_GUARD_ENUM_) };

/* Where this host is, as the file says: an input of every bound, printed with its source. */
struct ww_policy_host {
	unsigned line;          /* 0: not given, no area is ever excluded */
	int32_t lat_e6, lon_e6; /* millionths of a degree */
	uint32_t within_m;
	char *source;
	struct ww_position position; /* the same */
	double within_km;
};

struct ww_policy {
	struct ww_policy_host host;
	unsigned area_count;
	struct ww_policy_area *areas;
	unsigned region_count;
	struct ww_policy_region *regions;
	unsigned agent_count;
	struct ww_policy_agent *agents; /* in the file's order: the first that matches */
	enum ww_policy_guard guard;
	unsigned guard_deny_count,
		guard_allow_count; /* of everybody's, beside what agents' rules say */
	struct ww_cidr *guard_deny, *guard_allow;
	unsigned attester_count; /* whose word about a path is recorded; none: nobody's */
	struct ww_attester *attesters;
	struct ww_slice text;    /* the file, as a tape keeps it */
	struct ww_sha256 digest; /* of its bytes, plain SHA-256 */
};

/* 0; -EINVAL or -EFBIG (over WW_POLICY_FILE_BYTES) with *ret_error filled; -ENOMEM. *ret unchanged
 * on failure; else the caller frees it. */
WW_CHECK int ww_policy_parse(struct ww_slice yaml, struct ww_policy **ret,
			     struct ww_contract_error *ret_error);
void ww_policy_free(struct ww_policy *p);
WW_DEFINE_AUTO(struct ww_policy, ww_policy_free)

struct ww_sha256 ww_policy_digest(const struct ww_policy *p);

/*
 * The rule for a process: by the path of its scope's cgroup below the cgroup2 mount ("/agents/a"),
 * its own executable and that of the root of its tree (NULL or empty: not known). NULL: none, and
 * nothing of it is judged. p may be NULL.
 */
const struct ww_policy_agent *ww_policy_agent(const struct ww_policy *p,
					      struct ww_slice cgroup_path, const char *exe,
					      const char *root_exe);
const struct ww_policy_agent *ww_policy_agent_named(const struct ww_policy *p,
						    struct ww_slice name);

/* The regions whose name or labels match a word of a table or of a claim: bit i for regions[i]. */
uint64_t ww_policy_regions_of(const struct ww_policy *p, struct ww_slice word);
/* The first of them, which has the word: its index, or WW_POLICY_NONE. */
unsigned ww_policy_region_of(const struct ww_policy *p, struct ww_slice word);

/* Whether the home is one of those that the agent allows. */
bool ww_policy_home_allowed(const struct ww_policy_agent *a, struct ww_slice home);

/* "50.11, 8.68 within 5 km"; "unknown" where the file has no host. */
#define WW_POLICY_HOST_TEXT_MAX 96u
void ww_policy_host_text(const struct ww_policy *p, char out[WW_POLICY_HOST_TEXT_MAX]);

/* The member "host", where the file has one. */
void ww_policy_write_host(const struct ww_policy *p, struct ww_jsonw *w);

/* '*' in the glob stands for any bytes; `fold`: ASCII case does not count. */
bool ww_policy_glob(struct ww_slice glob, struct ww_slice text, bool fold);

/* Texts of the numbers above; "unknown" for others. */
const char *ww_policy_unlisted_name(enum ww_policy_unlisted u);
const char *ww_policy_guard_name(enum ww_policy_guard g);
