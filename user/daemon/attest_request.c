/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/attest_request.h"

#include <errno.h>
#include <inttypes.h>

#include "base/encode.h"
#include "ledger/fields.h"

#define ENVELOPE_BASE64 WW_BASE64_LEN(WW_ATTESTATION_BYTES_MAX)

static void write_indexes(struct ww_jsonw *w, const char *key, const uint64_t *indexes,
			  unsigned count)
{
	ww_jsonw_array(w, key);
	for (unsigned i = 0; i < count; i++)
		ww_jsonw_u64(w, NULL, indexes[i]);
	ww_jsonw_end_array(w);
}

int ww_attest_request_write(const struct ww_attest_request *rq, struct ww_buf *out)
{
	char text[ENVELOPE_BASE64 + 1];
	struct ww_jsonw w;

	if (rq->envelope.n > WW_ATTESTATION_BYTES_MAX)
		return -EMSGSIZE;
	ww_base64_encode(ww_buf_slice(&rq->envelope), text);
	ww_jsonw_init(&w, out);
	ww_jsonw_object(&w, NULL);
	ww_jsonw_cstr(&w, "op", "attest");
	ww_jsonw_cstr(&w, "envelope", text);
	ww_jsonw_u64(&w, "size", rq->size);
	write_indexes(&w, "verdicts", rq->verdicts, rq->verdict_count);
	write_indexes(&w, "recorded", rq->recorded, rq->recorded_count);
	ww_jsonw_end_object(&w);
	return w.err;
}

static int read_indexes(struct ww_slice array, uint64_t *ret, unsigned *ret_count)
{
	struct ww_json_token t;
	struct ww_slice text;
	struct ww_json j;
	unsigned n = 0;
	int r = ww_fields_array(array, &j);

	while (r >= 0 && (r = ww_fields_next(&j, &t, &text)) == 1) {
		if (n == WW_ATTEST_FOUND_MAX || t.type != WW_JSON_NUMBER ||
		    ww_json_u64(&t, &ret[n++]) < 0)
			return -EINVAL;
	}
	*ret_count = n;
	return r;
}

int ww_attest_request_read(struct ww_slice line, struct ww_attest_request *ret)
{
	enum { ENVELOPE, SIZE, VERDICTS, RECORDED, N };
	struct ww_field f[N] = {
		[ENVELOPE] = {.name = "envelope", .type = WW_JSON_STRING},
		[SIZE] = {.name = "size", .type = WW_JSON_NUMBER},
		[VERDICTS] = {.name = "verdicts", .type = WW_JSON_ARRAY},
		[RECORDED] = {.name = "recorded", .type = WW_JSON_ARRAY},
	};
	uint8_t *p;
	size_t n;
	int r;

	ww_buf_init(&ret->envelope, WW_ATTESTATION_BYTES_MAX);
	r = ww_fields_read(line, "the request", f, N, NULL);
	if (r == 0)
		r = ww_json_u64(&f[SIZE].token, &ret->size);
	if (r == 0)
		r = read_indexes(f[VERDICTS].text, ret->verdicts, &ret->verdict_count);
	if (r == 0)
		r = read_indexes(f[RECORDED].text, ret->recorded, &ret->recorded_count);
	if (r == 0)
		r = ww_buf_reserve(&ret->envelope, WW_ATTESTATION_BYTES_MAX, &p);
	if (r == 0)
		r = ww_base64_decode(f[ENVELOPE].token.raw, false, p, WW_ATTESTATION_BYTES_MAX, &n);
	if (r == 0)
		ret->envelope.n = n;
	return r;
}

/* other: of the same right, or NULL. */
static int load(struct ww_ledger_reader *reader, uint64_t index, const char *kind,
		const char *other, struct ww_buf *memory, struct ww_errtext *why)
{
	struct ww_payload p;
	int r = ww_ledger_reader_get(reader, index, &p);

	if (r == -ERANGE || (r == 0 && (p.erased || !(ww_slice_eq_str(p.kind, kind) ||
						      (other && ww_slice_eq_str(p.kind, other))))))
		return ww_errtext_set(why, -EINVAL, "there is no %s at %" PRIu64, kind, index);
	if (r < 0)
		return ww_errtext_errno(why, r, "cannot read record %" PRIu64, index);
	return ww_buf_add(memory, p.json.p, p.json.n);
}

int ww_attest_request_load(const struct ww_attest_request *rq, struct ww_ledger_reader *reader,
			   struct ww_wall now, struct ww_buf *memory, struct ww_attest_ask *ret_ask,
			   struct ww_errtext *why)
{
	struct ww_attest_ask ask = {.envelope = ww_buf_slice(&rq->envelope),
				    .now = now,
				    .log = ww_ledger_reader_head(reader)->origin,
				    .verdict_count = rq->verdict_count,
				    .recorded_count = rq->recorded_count};
	size_t ends[2 * WW_ATTEST_FOUND_MAX];
	unsigned n = rq->verdict_count + rq->recorded_count;
	int r = 0;

	for (unsigned i = 0; i < n && r == 0; i++) {
		bool verdict = i < rq->verdict_count;

		r = load(reader, verdict ? rq->verdicts[i] : rq->recorded[i - rq->verdict_count],
			 verdict ? "verdict" : "attestation", verdict ? "path" : NULL, memory, why);
		ends[i] = memory->n;
	}
	for (unsigned i = 0; i < n && r == 0; i++) {
		size_t from = i ? ends[i - 1] : 0;
		struct ww_slice text = ww_slice_sub(ww_buf_slice(memory), from, ends[i] - from);

		if (i < rq->verdict_count)
			ask.verdicts[i] = text;
		else
			ask.recorded[i - rq->verdict_count] = text;
	}
	if (r == 0)
		*ret_ask = ask;
	return r;
}

void ww_attest_answer_write(const struct ww_attest_answer *answer, struct ww_jsonw *w)
{
	ww_jsonw_cstr(w, "attestation", answer->id);
	ww_jsonw_cstr(w, "attester", answer->attester);
	ww_jsonw_cstr(w, "action", answer->action);
	ww_jsonw_cstr(w, "verdict", answer->verdict[0] ? answer->verdict : NULL);
	ww_jsonw_bool(w, "repeated", answer->repeated);
}
