/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of a report whose verdicts are derived again: a line each, and the sections "claims" and
 * "summary" behind a line that begins with '#' each. Every verdict ends in one of three ways, a
 * finding tells why for each that does not agree, and a second run over the same says the same.
 */
#include "base/json.h"
#include "ledger/earlier.h"
#include "ledger/fields.h"
#include "ledger/rederive.h"
#include "ledger/statement.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ww_slice kind_of(struct ww_slice record)
{
	struct ww_json_token t;

	return ww_json_path(record, "$.kind", &t, NULL) == WW_PARSE_DONE && t.type == WW_JSON_STRING
		       ? t.raw
		       : WW_SLICE_LIT("verdict");
}

static struct ww_rederive *derive(struct ww_slice in)
{
	struct ww_slice sections[2] = {WW_SLICE_NULL, WW_SLICE_NULL}, line;
	struct ww_rederive *rd = NULL;
	uint64_t index = 0;
	size_t n = 0;

	assert(ww_rederive_new(&rd) == 0);
	while (ww_slice_line(&in, &line)) {
		if (line.n && line.p[0] == '#' && n < 2)
			sections[n++] = ww_slice_sub(line, 1, line.n);
		else
			assert(ww_rederive_add(rd, index++, kind_of(line), line) == 0);
	}
	assert(ww_rederive_run(rd, sections[0], sections[1]) == 0);
	return rd;
}

static void check_consistency(struct ww_slice in)
{
	struct ww_merkle_proof proof;
	struct ww_errtext why;
	struct ww_json j;
	uint64_t size;

	if (ww_fields_array(in, &j) < 0)
		return;
	while (ww_statement_consistency_next(&j, &size, &proof, &why) == 1)
		assert(proof.n <= WW_MERKLE_PROOF_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ww_rederive *first = derive(ww_slice(data, size)),
			   *second = derive(ww_slice(data, size));
	const struct ww_rederive_result *a = ww_rederive_result(first);
	const struct ww_rederive_result *b = ww_rederive_result(second);

	assert(a->verdicts == a->agree + a->differ + a->undecided);
	assert(a->n_findings <= WW_REDERIVE_FINDINGS_MAX);
	assert(a->n_findings + a->unlisted >= a->differ + a->undecided + (a->sections > 0));
	assert(a->n_findings == b->n_findings && a->agree == b->agree && a->differ == b->differ);
	for (size_t i = 0; i < a->n_findings; i++) {
		assert(a->findings[i].field[0] && a->findings[i].expected[0]);
		assert(memcmp(&a->findings[i], &b->findings[i], sizeof(a->findings[i])) == 0);
	}
	ww_rederive_free(first);
	ww_rederive_free(second);
	check_consistency(ww_slice(data, size));
	return 0;
}
