/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/attestation.h"

#include <errno.h>

#include "attest.h"

static struct attester bank, other, p256;
static char out[16384];

static int set_up(void **state)
{
	bank = attester_new("bank", false);
	other = attester_new("other", false);
	p256 = attester_new("erp", true);
	return 0;
}

static int tear_down(void **state)
{
	attester_done(&bank);
	attester_done(&other);
	attester_done(&p256);
	return 0;
}

static int read_by(struct ww_slice envelope, const struct attester *a, struct ww_attestation *at)
{
	struct ww_errtext why = {""};
	int r = ww_attestation_parse(envelope, at, &why);

	if (r < 0) {
		assert_string_not_equal(why.text, "");
		return r;
	}
	r = ww_attestation_verify(at, &a->pub, 1);
	if (r < 0)
		ww_attestation_done(at);
	return r;
}

static void refused(const char *payload, const char *because)
{
	struct ww_errtext why = {""};
	struct ww_attestation at;

	if (ww_attestation_parse(sign_payload(&bank, payload, out), &at, &why) == 0)
		fail_msg("taken: %s", payload);
	if (!strstr(why.text, because))
		fail_msg("'%s' is not why: %s", because, why.text);
}

static void test_good(void **state)
{
	const struct attester *who[] = {&bank, &p256};
	struct ww_attestation at;

	for (size_t i = 0; i < WW_ARRAY_SIZE(who); i++) {
		char id[WW_ATTESTATION_ID_MAX];

		assert_int_equal(read_by(SAY(who[i], out), who[i], &at), 0);
		assert_string_equal(at.tool, "refund");
		assert_string_equal(at.subject, "c1");
		assert_int_equal(at.by, WW_ATTESTATION_BY_CALL);
		assert_int_equal(at.outcome, WW_ATTESTATION_ACHIEVED);
		assert_int_equal(at.attested_at.ns, ATTESTED_MS * 1000000);
		assert_string_equal(at.attester->name, who[i]->pub.name);
		memcpy(id, at.id, sizeof(id));
		ww_attestation_done(&at);
		/* Signed once more it is the same. */
		assert_int_equal(read_by(SAY(who[i], out), who[i], &at), 0);
		assert_string_equal(at.id, id);
		ww_attestation_done(&at);
	}
	assert_int_equal(read_by(SAY(&bank, out, .more = ",\"unknown\":{\"x\":1}"), &bank, &at), 0);
	ww_attestation_done(&at);
}

static void test_other_keys(void **state)
{
	struct ww_attester both[] = {other.pub, bank.pub};
	struct ww_errtext why;
	struct ww_attestation at;

	assert_int_equal(read_by(SAY(&bank, out), &other, &at), -ENOKEY);
	assert_int_equal(read_by(SAY(&bank, out), &p256, &at), -ENOKEY);
	assert_int_equal(read_by(SAY(&p256, out), &bank, &at), -ENOKEY);
	assert_int_equal(ww_attestation_parse(SAY(&bank, out), &at, &why), 0);
	assert_int_equal(ww_attestation_verify(&at, NULL, 0), -ENOKEY);
	assert_int_equal(ww_attestation_verify(&at, both, 2), 0);
	assert_string_equal(at.attester->name, "bank");
	ww_attestation_done(&at);
}

/* One changed bit anywhere: refused, or the same statement (a bit between values, or of base64 that
 * decodes alike) with the same id. */
static void test_bit_flips(void **state)
{
	const struct attester *who[] = {&bank, &p256};
	struct ww_attestation at, changed;
	static char copy[16384];
	unsigned tried = 0, stood = 0;

	for (size_t k = 0; k < WW_ARRAY_SIZE(who); k++) {
		struct ww_slice e = SAY(who[k], out);

		assert_int_equal(read_by(e, who[k], &at), 0);
		for (size_t i = 0; i < e.n; i++) {
			for (unsigned bit = 0; bit < 8; bit++) {
				memcpy(copy, e.p, e.n);
				copy[i] ^= (char)(1 << bit);
				tried++;
				if (read_by(ww_slice(copy, e.n), who[k], &changed) < 0)
					continue;
				stood++;
				assert_string_equal(changed.id, at.id);
				assert_int_equal(changed.dsse.payload.n, at.dsse.payload.n);
				assert_memory_equal(changed.dsse.payload.p, at.dsse.payload.p,
						    at.dsse.payload.n);
				ww_attestation_done(&changed);
			}
		}
		ww_attestation_done(&at);
	}
	assert_true(tried > 8000);
	assert_true(stood < tried / 50);
}

static void test_refused(void **state)
{
	char s[4096];

#define REFUSED(because, ...)                             \
	do {                                              \
		struct saying saying_ = {__VA_ARGS__};    \
		refused(statement(&saying_, s), because); \
	} while (0)
	REFUSED("not https://wirewitness.dev/attestation/v1",
		.predicate = "https://wirewitness.dev/attestation/v2");
	REFUSED("sha256", .digest_of = "c2");
	REFUSED("neither achieved", .outcome = "maybe");
	REFUSED("RFC 3339", .at = "yesterday");
	REFUSED("RFC 3339", .at = "2026-09-21T14:13:30+02:00");
	REFUSED("exactly one", .more = ",\"action\":\"a-1\"");
	REFUSED("exactly one", .by = "nothing");
	REFUSED("twice", .more = ",\"outcome\":\"not-achieved\"");
	REFUSED("expires before", .more = ",\"expiresAt\":\"2026-09-21T14:13:29Z\"");
	REFUSED("control characters", .subject = "c1\\n", .digest_of = "c1\n");
	REFUSED("1 to 255", .more = ",\"reference\":\"\"");
	REFUSED("wrong type", .more = ",\"log\":7");
	refused("{}", "_type");
	refused("", "");
	refused("{\"_type\":\"https://in-toto.io/Statement/v0.1\",\"subject\":[],"
		"\"predicateType\":\"\",\"predicate\":{}}",
		"no in-toto Statement v1");
}

/* Two subjects: which one is meant? None: nothing is. */
static void test_subjects(void **state)
{
	char s[4096], two[4400];
	struct saying say = {NULL};
	char *at, *end;

	statement(&say, s);
	at = strstr(s, "\"subject\":[") + strlen("\"subject\":[");
	end = strstr(s, "],\"predicateType\"");
	snprintf(two, sizeof(two), "%.*s%.*s,%s", (int)(at - s), s, (int)(end - at), at, at);
	refused(two, "subject");
	snprintf(two, sizeof(two), "%.*s%s", (int)(at - s), s, end);
	refused(two, "sha256");
}

static void test_times(void **state)
{
	const uint64_t s = 1000000000ull;
	struct ww_attestation at;
	struct ww_errtext why;
	struct ww_wall made = {ATTESTED_MS * 1000000};

	assert_int_equal(read_by(SAY(&bank, out, .more = ",\"expiresAt\":\"2026-09-21T14:14:30Z\""),
				 &bank, &at),
			 0);
	assert_int_equal(ww_attestation_current(&at, made, &why), 0);
	assert_int_equal(ww_attestation_current(&at, (struct ww_wall){made.ns + 59 * s}, &why), 0);
	assert_int_equal(ww_attestation_current(&at, (struct ww_wall){made.ns + 60 * s}, &why),
			 -EINVAL);
	assert_int_equal(ww_attestation_current(&at, (struct ww_wall){made.ns - 300 * s}, &why), 0);
	assert_int_equal(ww_attestation_current(&at, (struct ww_wall){made.ns - 301 * s}, &why),
			 -EINVAL);
	assert_int_equal(ww_attestation_begun(&at, (struct ww_wall){made.ns + 300 * s}, &why), 0);
	assert_int_equal(ww_attestation_begun(&at, (struct ww_wall){made.ns + 301 * s}, &why),
			 -EINVAL);
	ww_attestation_done(&at);
}

/* What is recorded verifies by itself, and the free text stands only where it was signed. */
static void test_record(void **state)
{
	WW_AUTO_BUF struct ww_buf b = {0};
	struct ww_attestation_record rec;
	struct ww_attestation at, again;
	struct ww_digest_key key;
	struct ww_errtext why;
	struct ww_jsonw w;

	ww_digest_key_init(&key, (const uint8_t *)"0123456789abcdef0123456789abcdef");
	ww_buf_init(&b, WW_RECORD_BYTES_MAX);
	ww_jsonw_init(&w, &b);
	assert_int_equal(
		read_by(SAY(&p256, out, .more = ",\"reference\":\"booking 77\""), &p256, &at), 0);
	ww_attestation_write(&at, "a-1", at.attested_at, &key, &w);
	assert_true(ww_jsonw_ok(&w));
	assert_null(memmem(b.p, b.n, "booking", 7));
	assert_int_equal(ww_attestation_record_read(ww_buf_slice(&b), &rec, &why), 0);
	assert_true(ww_slice_eq_str(rec.action, "a-1"));
	assert_int_equal(read_by(rec.envelope, &p256, &again), 0);
	assert_string_equal(again.id, at.id);
	assert_string_equal(again.reference, "booking 77");
	ww_attestation_done(&again);
	ww_attestation_done(&at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),      cmocka_unit_test(test_other_keys),
		cmocka_unit_test(test_bit_flips), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_subjects),  cmocka_unit_test(test_times),
		cmocka_unit_test(test_record),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
