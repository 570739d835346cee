/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long the content of records is kept, and how the ledger names what is gone. Pure.
 *
 * Kinds fall into tiers. "content": what was called and said (exchange, model_call, mcp_call, span,
 * action); "evidence": what is needed to stand by a verdict (verdict, attestation, flow, actor,
 * coverage, loss, finding, run, change, lookup, path,
 * crossing). life, key_rotation and prune records are the
 * ledger's account of itself: they belong to no tier and are never pruned, nor is a kind that this
 * version does not know.
 *
 * Pruning takes salt and bytes of a record, never its leaf. Before anything is taken, a record of
 * kind prune is committed:
 *   {"kind":"prune","id":"r-<time>","t":<now>,"by":"policy"|"command","forced":<bool>,
 *    "olderThanS":N,"cutoff":<time>,"kinds":[...],"first":A,"last":B,"records":N,
 *    "counts":{"<kind>":N,...}}
 * It names every record of these kinds from A to B, and those are exactly the ones that are taken:
 * a record that is missing and not named is damage. The kind of a record stands in its leaf.
 *
 * Age is told by `t`, when a record's subject began: it is old only behind a record that the kernel
 * timed (not a span, whose time is the application's word), so nothing young is taken because
 * somebody lied about the time. Times are compared as text: RFC 3339 UTC with one number of digits.
 */
#pragma once

#include "base/buf.h"
#include "base/clock.h"
#include "ledger/errtext.h"

#define WW_RETENTION_FLOOR_S   86400u /* unless one is configured */
#define WW_RETENTION_AGE_MAX_S (200ull * 366 * 86400)
#define WW_RETENTION_TEXT_MAX  512u

#define WW_RETENTION_TIERS(X) \
	X(CONTENT, "content") \
	X(EVIDENCE, "evidence")

#define WW_TIER_ENUM_(n, t) WW_TIER_##n,
enum ww_tier { WW_RETENTION_TIERS(WW_TIER_ENUM_) WW_TIER_MAX };

struct ww_retention {
	uint64_t floor_s;             /* nothing younger is pruned, unless forced */
	uint64_t keep_s[WW_TIER_MAX]; /* 0: for ever */
};

/* A set of kinds: bits by their place in one table. */
typedef uint32_t ww_kinds;

/* The bit of a kind that may be pruned, else 0. */
ww_kinds ww_retention_kind(struct ww_slice kind);
ww_kinds ww_retention_tier(enum ww_tier tier);

/* "content" or "evidence"; "span,exchange". 0 or -EINVAL. */
WW_CHECK int ww_retention_parse_tier(struct ww_slice text, ww_kinds *ret_kinds);
WW_CHECK int ww_retention_parse_kinds(struct ww_slice text, ww_kinds *ret_kinds);

/* "30d", "12h", "5m", "90s", "2w": not 0, at most WW_RETENTION_AGE_MAX_S. 0 or -EINVAL. */
WW_CHECK int ww_retention_parse_age(struct ww_slice text, uint64_t *ret_seconds);

/* One setting, "content=30d", "evidence=400d" or "floor=180d". 0 or -EINVAL. */
WW_CHECK int ww_retention_set(struct ww_retention *r, struct ww_slice text);

/* Settings, one a line; what the state directory's file `retention` holds. 0, -EINVAL. */
WW_CHECK int ww_retention_parse(struct ww_slice text, struct ww_retention *ret);
WW_CHECK int ww_retention_text(const struct ww_retention *r, struct ww_buf *out);

/* --- the record ---------------------------------------------------------------------------------
 */

struct ww_prune_record {
	char t[WW_RFC3339_MAX], cutoff[WW_RFC3339_MAX];
	bool by_policy, forced;
	uint64_t older_than_s;
	ww_kinds kinds;
	uint64_t first, last, records;
	uint64_t counts[32]; /* by bit */
};

WW_CHECK int ww_prune_record_text(const struct ww_prune_record *p, struct ww_buf *out);

/* 0 or -EINVAL. Kinds that this version does not prune are -EINVAL: they would not be seen. */
WW_CHECK int ww_prune_record_parse(struct ww_slice json, struct ww_prune_record *ret);

/* Whether the record names a record of this kind at this index. */
bool ww_prune_record_names(const struct ww_prune_record *p, uint64_t index, struct ww_slice kind);

/*
 * What a record says about the age of the log at its place: *ret_counts, that its time is one to go
 * by; *ret_old, that it lies before the cutoff.
 */
void ww_retention_age(struct ww_slice kind, struct ww_slice json, const char *cutoff,
		      bool *ret_counts, bool *ret_old);
