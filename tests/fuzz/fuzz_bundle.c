/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What comes with a report from elsewhere: bundles, time stamp replies, sampling sections, report
 * records, certificates. Nothing is accepted that this run did not make; a sampling section that is
 * accepted is the one that its own lists give.
 */
#include "base/json.h"
#include "ledger/bundle.h"
#include "ledger/leaf.h"
#include "ledger/report_verify.h"
#include "ledger/sampling.h"
#include "ledger/timestamp.h"
#include "out/claims.h"
#include "out/destinations.h"
#include "out/export.h"
#include "out/instrument.h"

#include "../lib/report_over.h"
#include "../lib/whole_json.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t sig[WW_NOTE_SIG_LEN];

static void check_bundle(struct ww_slice in)
{
	struct ww_report_result res;
	struct ww_bundle b = {0};
	struct ww_errtext why;
	int r;

	if (ww_bundle_parse(in, &b, &why) == 0) {
		assert(b.n_stamps <= WW_BUNDLE_STAMPS_MAX && b.memory.n <= b.memory.cap);
		for (size_t i = 0; i < b.n_stamps; i++)
			assert(b.stamps[i].p >= b.memory.p);
		ww_bundle_done(&b);
	}
	r = ww_report_verify(in, NULL, &res);
	assert(r == 0 && !res.verified);
	assert(same_over(in, NULL, &res));
	ww_report_result_done(&res);
}

static void check_stamp(struct ww_slice in)
{
	struct ww_buf der WW_AUTO_BUF = {0};
	struct ww_slice certs[WW_BUNDLE_CERTS_MAX];
	char when[WW_RFC3339_MAX];
	struct ww_errtext why;
	size_t n;

	assert(ww_timestamp_check(in, sig, NULL, NULL, when, &why) < 0);
	ww_buf_init(&der, 1u << 20);
	if (ww_timestamp_certs(in, &der, certs, WW_BUNDLE_CERTS_MAX, &n) == 0)
		assert(n > 0 && n <= WW_BUNDLE_CERTS_MAX);
}

static void check_sampling(struct ww_slice in)
{
	struct ww_sampling_check *c = NULL;
	struct ww_errtext why;
	uint64_t threshold;

	if (ww_sampling_parse(in, &threshold) == 0)
		assert(threshold < 1ull << 56);
	if (ww_sampling_check_begin(in, &c, &why) == 0) {
		ww_sampling_check_record(c, 1, WW_SLICE_LIT("verdict"), in);
		ww_sampling_check_record(c, 0, WW_SLICE_LIT("life"), in);
		assert(ww_sampling_check_end(c, &why) <= 0);
	}
	ww_sampling_check_free(c);
}

static bool nothing(void *ctx, struct ww_slice id, uint64_t *ret_index)
{
	return false;
}

/* Records go through what reports and exports make of them; what is written is whole. */
static void check_record(struct ww_slice in)
{
	struct ww_destinations *d = NULL;
	struct ww_instrument *m = NULL;
	struct ww_buf out WW_AUTO_BUF = {0};
	char leaf[WW_LEAF_BYTES_MAX];
	struct ww_jsonw w;
	size_t n;

	if (ww_leaf_record(WW_SLICE_LIT("report"), in, leaf, &n) == 0)
		assert(n < sizeof(leaf) && leaf[0] == '{');
	ww_buf_init(&out, 64u << 20);
	if (ww_export_row("verdict", 1, in, &out) == 0)
		assert(out.n > 2 && out.p[out.n - 1] == '\n');
	ww_buf_clear(&out);
	ww_jsonw_init(&w, &out);
	ww_jsonw_array(&w, NULL);
	ww_claims_write(&w, 1, in, nothing, NULL);
	if (ww_destinations_new(&d) == 0 && ww_destinations_add(d, in) == 0)
		ww_destinations_write(d, &w);
	if (ww_instrument_new(&m) == 0 && ww_instrument_add(m, 1, in) == 0)
		ww_instrument_write(m, &w);
	ww_jsonw_end_array(&w);
	ww_destinations_free(d);
	ww_instrument_free(m);
	if (ww_jsonw_ok(&w))
		assert(whole_json(ww_buf_slice(&out)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ww_slice in = {data, size};

	check_bundle(in);
	check_stamp(in);
	check_sampling(in);
	check_record(in);
	return 0;
}
