/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attestations of anybody: the envelope as it comes, the statement as if an attester had signed it,
 * requests of the control socket, and the record of a verdict or path with its column. What is
 * taken is recorded so that it reads back as the same, and nothing verifies that this run did not
 * sign.
 */
#include "daemon/attest_request.h"
#include "daemon/path_attested.h"
#include "ledger/attested.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A key made for this file; it signs nothing else. */
static const char KEY[] =
	"PRIVATE+KEY+wirewitness.test/xmod+c0c7995f+AUYYjKxC0LHDAz0xgxwtgNiEUWOyCTEidPSS5JqHtnGT";

static struct ww_note_signer signer;
static struct ww_attester attester = {.name = "fuzz", .type = WW_ATTESTER_ED25519, .key_bytes = 44};
static struct ww_digest_key key;
static struct ww_policy *policy;

static void set_up(void)
{
	static const uint8_t head[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
				       0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
	struct ww_contract_error why;
	int r = ww_note_signer_parse(ww_slice_str(KEY), &signer);

	assert(r == 0);
	memcpy(attester.key, head, sizeof(head));
	memcpy(attester.key + sizeof(head), signer.key.pub, 32);
	ww_digest_key_init(&key, attester.key);
	r = ww_policy_parse(WW_SLICE_LIT("version: 1\n"
					 "regions: [{name: eu, labels: [eu-*]}, "
					 "{name: us, labels: [us-*]}]\n"
					 "agents: [{name: support, program: [/x], "
					 "allowed_regions: [eu]}]\n"),
			    &policy, &why);
	assert(r == 0);
}

/* Recorded and read again: the same statement by the same attester. */
static void check_record(const struct ww_attestation *a)
{
	struct ww_buf b WW_AUTO_BUF = {0};
	struct ww_attestation_record rec;
	struct ww_attestation again;
	struct ww_errtext why;
	struct ww_jsonw w;
	int r;

	ww_buf_init(&b, WW_RECORD_BYTES_MAX);
	ww_jsonw_init(&w, &b);
	ww_attestation_write(a, "a-1", a->attested_at, &key, &w);
	assert(ww_jsonw_ok(&w));
	r = ww_attestation_record_read(ww_buf_slice(&b), &rec, &why);
	assert(r == 0);
	r = ww_attestation_parse(rec.envelope, &again, &why);
	assert(r == 0);
	r = ww_attestation_verify(&again, &attester, 1);
	assert(r == 0 && strcmp(again.id, a->id) == 0);
	ww_attestation_done(&again);
}

static void check_statement(struct ww_slice in)
{
	struct ww_buf b WW_AUTO_BUF = {0};
	struct ww_attestation a;
	struct ww_errtext why;
	int r;

	ww_buf_init(&b, 1u << 20);
	r = ww_dsse_sign(&signer, WW_SLICE_LIT(WW_DSSE_INTOTO), in, &b);
	if (r < 0)
		return;
	r = ww_attestation_parse(ww_buf_slice(&b), &a, &why);
	if (r < 0) {
		assert(why.text[0]);
		return;
	}
	if (a.of_path)
		assert(a.place.region[0] || a.place.operator_name[0]);
	else
		assert(a.tool[0]);
	assert(a.subject[0] && a.attested_at.ns);
	r = ww_attestation_verify(&a, &attester, 1);
	assert(r == 0);
	check_record(&a);
	ww_attestation_done(&a);
}

static void check_envelope(struct ww_slice in)
{
	struct ww_attestation a;
	struct ww_errtext why;

	if (ww_attestation_parse(in, &a, &why) < 0)
		return;
	if (ww_attestation_verify(&a, &attester, 1) == 0)
		check_record(&a);
	ww_attestation_done(&a);
}

static void check_verdict(struct ww_slice in)
{
	struct ww_attested all = {.count = 1,
				  .items = {{.id = "o-1",
					     .attester = "fuzz",
					     .outcome = WW_ATTESTATION_ACHIEVED,
					     .at = "2026-09-21T14:13:30.000000000Z"}}};
	struct ww_buf b WW_AUTO_BUF = {0};
	struct ww_attested_verdict v, with;
	struct ww_errtext why;
	int r;

	if (ww_attested_read(in, &v, &why) < 0)
		return;
	ww_buf_init(&b, 2 * WW_RECORD_BYTES_MAX);
	if (ww_attested_write(in, &all, NULL, &b) < 0)
		return;
	r = ww_attested_read(ww_buf_slice(&b), &with, &why);
	/* A record without a wire has no place for the column; ours all have one. */
	assert(r == 0 && (with.before.count == 1 || with.before.count == 0));
	assert(ww_slice_eq(with.action, v.action));
	if (with.before.count)
		assert(with.wire == v.wire && ww_slice_eq(with.summary, v.summary));
}

/* What the record says of itself stays; the column grows by one. */
static void check_path(struct ww_slice in)
{
	static const struct ww_path_said said = {.id = "o-1",
						 .attester = "fuzz",
						 .by = WW_ATTESTATION_BY_RESPONSE,
						 .subject = "r-1",
						 .place = {.region = "us-east-1"}};
	struct ww_buf b WW_AUTO_BUF = {0};
	struct ww_path_record rec, with;
	int r;

	if (ww_path_record_read(in, &rec, NULL) < 0)
		return;
	ww_buf_init(&b, 2 * WW_RECORD_BYTES_MAX);
	if (ww_path_attested_write(in, &said, 1, policy, rec.revision + 1, &b) < 0)
		return;
	r = ww_path_record_read(ww_buf_slice(&b), &with, NULL);
	assert(r == 0 && with.revision == rec.revision + 1);
	assert(ww_slice_eq(with.path, rec.path) && ww_slice_eq(with.legs, rec.legs));
	assert(with.attested.n >= rec.attested.n);
}

static void check_request(struct ww_slice in)
{
	struct ww_attest_request rq = {0}, again = {0};
	struct ww_buf b WW_AUTO_BUF = {0};

	ww_buf_init(&b, 1u << 16);
	if (ww_attest_request_read(in, &rq) == 0) {
		int r = ww_attest_request_write(&rq, &b);

		assert(r == 0);
		r = ww_attest_request_read(ww_buf_slice(&b), &again);
		assert(r == 0 && again.verdict_count == rq.verdict_count);
		assert(ww_slice_eq(ww_buf_slice(&again.envelope), ww_buf_slice(&rq.envelope)));
	}
	ww_buf_done(&rq.envelope);
	ww_buf_done(&again.envelope);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ww_slice in = {data, size};

	if (signer.key.id == 0)
		set_up();
	if (size == 0)
		return 0;
	check_statement(in);
	check_envelope(in);
	check_verdict(in);
	check_path(in);
	check_request(in);
	return 0;
}
