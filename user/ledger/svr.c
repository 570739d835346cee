/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/svr.h"

#include "ledger/statement.h"
#include "wirewitness/limits.h"

int ww_svr_build(const struct ww_svr_input *in, const struct ww_note_signer *s, struct ww_buf *out)
{
	WW_AUTO_BUF struct ww_buf payload = {0};
	struct ww_jsonw w;

	ww_buf_init(&payload, WW_REPORT_BYTES_MAX / 4 * 3);
	ww_jsonw_init(&w, &payload);
	ww_jsonw_object(&w, NULL);
	ww_jsonw_cstr(&w, "_type", WW_STATEMENT_TYPE);
	ww_statement_subject_write(&w, in->head, in->records);
	ww_jsonw_cstr(&w, "predicateType", WW_SVR_PREDICATE);
	ww_jsonw_object(&w, "predicate");
	ww_jsonw_object(&w, "verifier");
	ww_jsonw_cstr(&w, "id", WW_SVR_VERIFIER);
	ww_jsonw_raw(&w, "policies", in->policies);
	ww_jsonw_end_object(&w);
	ww_jsonw_cstr(&w, "timeCreated", in->created_at);
	ww_jsonw_raw(&w, "properties", in->properties);
	ww_jsonw_end_object(&w);
	ww_jsonw_end_object(&w);
	if (!ww_jsonw_ok(&w))
		return w.err;
	return ww_dsse_sign(s, WW_SLICE_LIT(WW_DSSE_INTOTO), ww_buf_slice(&payload), out);
}
