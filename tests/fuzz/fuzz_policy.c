/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policy files: what does not parse names a place in the file; what does holds to its limits, its
 * own text gives it again, and it places peers without a wrong word: what is forbidden is listed,
 * and what the policy has no rule for is not asked.
 */
#include "policy/placement.h"
#include "policy/policy_lint.h"

#include <assert.h>
#include <errno.h>

#include "policy/tables_read.h"

#define AT ((struct ww_wall){1795780800000000000ull})

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char rows[] =
	"version: 1\nas_of: 2026-11-01\n"
	"operators: [{name: a, home: DE, basis: contract}, {name: b, home: US, basis: contract}]\n"
	"prefixes:\n"
	"- {cidr: [192.0.2.0/25], operator: a, region: eu-1, basis: contract}\n"
	"- {cidr: [192.0.2.128/25], operator: b, region: us-1, basis: contract}\n"
	"- {hosts: ['*.example'], operator: a, region: eu-1, basis: contract}\n";

static void warned(void *ctx, unsigned line, const char *text)
{
	assert(text[0] && !strchr(text, '\n'));
}

static void place(const struct ww_policy *p, const struct ww_policy_agent *agent,
		  const struct ww_tables *t, uint8_t last, struct ww_buf *b)
{
	struct ww_placement_ask a = {.policy = p,
				     .agent = agent,
				     .tables = t,
				     .peer = {.addr = {192, 0, 2, last}, .family = 2},
				     .names = {"a.example"},
				     .name_count = last % 3 == 0,
				     .at = AT,
				     .rtt_min_us = 1 + 97u * last,
				     .rtt_counts = true};
	struct ww_placement pl;
	struct ww_jsonw w;

	ww_placement_of(&a, &pl);
	assert(pl.counted <= pl.label_count && pl.label_count <= WW_PLACEMENT_LABELS_MAX);
	assert(agent || (pl.region == WW_STANDING_NOT_ASKED && pl.home == WW_STANDING_NOT_ASKED));
	assert(pl.region != WW_STANDING_FORBIDDEN || (pl.counted && agent->asks_region));
	assert(pl.region != WW_STANDING_ALLOWED || (pl.counted && agent->asks_region));
	assert(!(pl.tcp.excluded >> p->area_count) || p->area_count == WW_POLICY_AREAS_MAX);
	ww_buf_clear(b);
	ww_jsonw_init(&w, b);
	ww_jsonw_object(&w, NULL);
	ww_placement_write(&pl, &w);
	ww_policy_write_host(p, &w);
	ww_jsonw_end_object(&w);
	assert(ww_jsonw_ok(&w));
	(void)ww_policy_compare(p, &pl, WW_SLICE_LIT("us 1"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	WW_AUTO(ww_policy_free_auto) struct ww_policy *p = NULL, *again = NULL;
	WW_AUTO(ww_tables_free_auto) struct ww_tables *t = NULL;
	struct ww_contract_error e = {0};
	struct ww_tables_error te = {0};
	WW_AUTO_BUF struct ww_buf b = {0};
	int r = ww_policy_parse(ww_slice(data, size), &p, &e);

	if (r < 0) {
		assert(!p && (r == -ENOMEM || (e.text[0] && !strchr(e.text, '\n'))));
		return 0;
	}
	assert(p->area_count <= WW_POLICY_AREAS_MAX && p->region_count <= WW_POLICY_REGIONS_MAX &&
	       p->agent_count <= WW_POLICY_AGENTS_MAX);
	assert(ww_policy_parse(p->text, &again, &e) == 0 && again->agent_count == p->agent_count);
	ww_policy_lint(p, warned, NULL);
	if (ww_tables_new(&t) < 0 || ww_tables_read(t, "own.yaml", ww_slice_str(rows), &te) < 0 ||
	    ww_tables_seal(t) < 0)
		return 0;
	(void)!ww_policy_lint_tables(p, t, AT, warned, NULL);
	ww_buf_init(&b, 1u << 20);
	place(p, NULL, t, (uint8_t)size, &b);
	for (unsigned i = 0; i < p->agent_count && i < 8; i++) {
		const struct ww_policy_agent *a = &p->agents[i];

		assert((a->cgroup || a->program_count) && a->asks_region == (a->regions != 0));
		(void)ww_policy_agent(p, ww_slice(data, size), "/usr/bin/node", NULL);
		place(p, a, t, (uint8_t)(size + 31 * i), &b);
	}
	return 0;
}
