/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests come from files: what is not exactly one is refused, and leaves the output alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "daemon/manifest.h"

#define KEY  "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define ADDR "7f000001000000000000000000000000"

static int read_text(const char *text, struct ww_buf *memory, struct ww_pipeline_config *ret_cfg)
{
	return ww_manifest_read(ww_slice_str(text), memory, ret_cfg);
}

static void must_refuse(const char *text)
{
	struct ww_pipeline_config cfg, before;
	WW_AUTO_BUF struct ww_buf memory;

	memset(&before, 0xa5, sizeof(before));
	cfg = before;
	ww_buf_init(&memory, 1u << 16);
	if (read_text(text, &memory, &cfg) != -EBADMSG)
		fail_msg("taken: %s", text);
	assert_memory_equal(&cfg, &before, sizeof(cfg));
}

static void round_trip(void **state)
{
	struct ww_pipeline_config in = {.body_bytes_max = UINT64_MAX,
					.grace_ns = (1ull << 53) - 1,
					.skew_ns = 1ull << 53,
					.receiver = {.family = 10, .port = 65535},
					.receiver_netns = UINT32_MAX},
				  out;
	const char yaml[] = "version: 1\n# \"quoted\" \\ \xc3\xa9 \x01\ncontracts: []\n";
	WW_AUTO_BUF struct ww_buf text, memory;
	struct ww_jsonw w;

	for (unsigned i = 0; i < sizeof(in.digest_key); i++)
		in.digest_key[i] = (uint8_t)(255 - i);
	for (unsigned i = 0; i < sizeof(in.receiver.addr); i++)
		in.receiver.addr[i] = (uint8_t)(i * 17);
	in.contracts = ww_slice(yaml, sizeof(yaml) - 1);
	ww_buf_init(&text, 1u << 16);
	ww_buf_init(&memory, 1u << 16);
	ww_jsonw_init(&w, &text);
	ww_manifest_write(&in, "6.1 \"quoted\"", "boot", &w);
	assert_true(ww_jsonw_ok(&w));
	assert_int_equal(ww_manifest_read(ww_buf_slice(&text), &memory, &out), 0);
	assert_memory_equal(out.digest_key, in.digest_key, sizeof(in.digest_key));
	assert_int_equal(out.body_bytes_max, in.body_bytes_max);
	assert_int_equal(out.grace_ns, in.grace_ns);
	assert_int_equal(out.skew_ns, in.skew_ns);
	assert_memory_equal(&out.receiver, &in.receiver, sizeof(in.receiver));
	assert_int_equal(out.receiver_netns, in.receiver_netns);
	assert_true(ww_slice_eq(out.contracts, in.contracts));
	/* every prefix is a file that was cut off */
	for (size_t n = 0; n < text.n; n++) {
		if (ww_manifest_read(ww_slice(text.p, n), &memory, &out) != -EBADMSG)
			fail_msg("taken: %zu of %zu bytes", n, text.n);
	}
}

#define MANIFEST(version, key, body, grace, skew, receiver, contracts)          \
	"{\"version\":" version ",\"digestKey\":" key ",\"bodyBytesMax\":" body \
	",\"graceNs\":" grace ",\"skewNs\":" skew ",\"receiver\":" receiver     \
	",\"contracts\":" contracts "}"
#define RECEIVER(family, port, addr) "{\"family\":" family ",\"port\":" port ",\"addr\":" addr "}"
#define GOOD_RECEIVER                RECEIVER("2", "4318", "\"" ADDR "\"")

static void where_it_is_from(void **state)
{
	struct ww_pipeline_config cfg = {0};
	struct ww_manifest_origin origin;
	WW_AUTO_BUF struct ww_buf text;
	struct ww_jsonw w;

	ww_buf_init(&text, 1u << 16);
	ww_jsonw_init(&w, &text);
	ww_manifest_write(&cfg, "6.1.0-test", "b-1", &w);
	ww_manifest_origin(ww_buf_slice(&text), &origin);
	assert_string_equal(origin.version, WW_VERSION);
	assert_string_equal(origin.kernel, "6.1.0-test");
	assert_string_equal(origin.boot_id, "b-1");
	/* what it does not say, or says at length, is not known */
	ww_manifest_origin(
		WW_SLICE_LIT("{\"wirewitness\":\"0123456789012345678901234567890123456789"
			     "\",\"kernel\":7}"),
		&origin);
	assert_string_equal(origin.version, "");
	assert_string_equal(origin.kernel, "");
	assert_string_equal(origin.boot_id, "");
}

/* The policy file is on the tape as it was. */
static void with_policy(void **state)
{
	const char yaml[] = "version: 1\n# \"quoted\" \xc3\xa9\nagents: []\n";
	struct ww_pipeline_config cfg = {0}, out;
	struct ww_contract_error error = {0};
	WW_AUTO(ww_policy_free_auto) struct ww_policy *p = NULL;
	WW_AUTO_BUF struct ww_buf text, memory;
	struct ww_slice policy;
	struct ww_jsonw w;

	assert_int_equal(ww_policy_parse(ww_slice_str(yaml), &p, &error), 0);
	cfg.policy = p;
	ww_buf_init(&text, 1u << 16);
	ww_buf_init(&memory, 1u << 16);
	ww_jsonw_init(&w, &text);
	ww_manifest_write(&cfg, "k", "b", &w);
	assert_int_equal(ww_manifest_read(ww_buf_slice(&text), &memory, &out), 0);
	assert_null(out.policy); /* whoever reads it parses it */
	assert_int_equal(ww_manifest_policy(ww_buf_slice(&text), &memory, &policy), 0);
	assert_true(ww_slice_eq_str(policy, yaml));
	assert_int_equal(out.contracts.n, 0);
	assert_int_equal(ww_manifest_policy(WW_SLICE_LIT("{\"policy\":7}"), &memory, &policy),
			 -EBADMSG);
	assert_int_equal(ww_manifest_policy(WW_SLICE_LIT("{\"contracts\":\"\"}"), &memory, &policy),
			 0);
	assert_int_equal(policy.n, 0);
}

static void tapes_of_before(void **state)
{
	struct ww_pipeline_config cfg;
	WW_AUTO_BUF struct ww_buf memory;

	ww_buf_init(&memory, 1u << 16);
	assert_int_equal(
		read_text(MANIFEST("1", "\"" KEY "\"", "0", "0", "0", GOOD_RECEIVER, "\"\""),
			  &memory, &cfg),
		0);
	assert_int_equal(cfg.receiver_netns, 0);
	assert_int_equal(cfg.receiver.port, 4318);
	assert_int_equal(cfg.receiver.addr[0], 127);
	assert_int_equal(cfg.digest_key[31], 0x1f);
	assert_int_equal(cfg.contracts.n, 0);
}

static void must_refuse_others(void **state)
{
	static const char *const texts[] = {
		"",
		"{}",
		"[]",
		"null",
		"\"version\"",
		MANIFEST("2", "\"" KEY "\"", "0", "0", "0", GOOD_RECEIVER, "\"\""),
		MANIFEST("0", "\"" KEY "\"", "0", "0", "0", GOOD_RECEIVER, "\"\""),
		MANIFEST("1.0", "\"" KEY "\"", "0", "0", "0", GOOD_RECEIVER, "\"\""),
		MANIFEST("true", "\"" KEY "\"", "0", "0", "0", GOOD_RECEIVER, "\"\""),
		MANIFEST("1", "\"" KEY "00\"", "0", "0", "0", GOOD_RECEIVER, "\"\""),
		MANIFEST("1", "\"00\"", "0", "0", "0", GOOD_RECEIVER, "\"\""),
		MANIFEST("1", "\"\"", "0", "0", "0", GOOD_RECEIVER, "\"\""),
		MANIFEST("1", "7", "0", "0", "0", GOOD_RECEIVER, "\"\""),
		MANIFEST("1", "\"" KEY "\"", "-1", "0", "0", GOOD_RECEIVER, "\"\""),
		MANIFEST("1", "\"" KEY "\"", "0", "1e3", "0", GOOD_RECEIVER, "\"\""),
		MANIFEST("1", "\"" KEY "\"", "0", "0", "18446744073709551616", GOOD_RECEIVER,
			 "\"\""),
		MANIFEST("1", "\"" KEY "\"", "0", "0", "\"x\"", GOOD_RECEIVER, "\"\""),
		MANIFEST("1", "\"" KEY "\"", "0", "0", "null", GOOD_RECEIVER, "\"\""),
		MANIFEST("1", "\"" KEY "\"", "0", "0", "0", "null", "\"\""),
		MANIFEST("1", "\"" KEY "\"", "0", "0", "0", "[]", "\"\""),
		MANIFEST("1", "\"" KEY "\"", "0", "0", "0", RECEIVER("65536", "1", "\"" ADDR "\""),
			 "\"\""),
		MANIFEST("1", "\"" KEY "\"", "0", "0", "0", RECEIVER("2", "65536", "\"" ADDR "\""),
			 "\"\""),
		MANIFEST("1", "\"" KEY "\"", "0", "0", "0", RECEIVER("2", "1", "\"127.0.0.1\""),
			 "\"\""),
		MANIFEST("1", "\"" KEY "\"", "0", "0", "0", GOOD_RECEIVER, "null"),
		MANIFEST("1", "\"" KEY "\"", "0", "0", "0", GOOD_RECEIVER, "{}"),
		MANIFEST("1", "\"" KEY "\"", "0", "0", "0", GOOD_RECEIVER, "\"\\x\""),
		MANIFEST("1", "\"" KEY "\"", "0", "0", "0", GOOD_RECEIVER, "\"\xff\""),
		MANIFEST("1", "\"" KEY "\"", "0", "0", "0", GOOD_RECEIVER, "\"\"") "x",
		MANIFEST("1,\"version\":1", "\"" KEY "\"", "0", "0", "0", GOOD_RECEIVER, "\"\""),
		MANIFEST("1", "\"" KEY "\",\"digestKey\":\"" KEY "\"", "0", "0", "0", GOOD_RECEIVER,
			 "\"\""),
		MANIFEST("1", "\"" KEY "\"", "0", "0", "0",
			 RECEIVER("2", "1", "\"" ADDR "\",\"netns\":4294967296"), "\"\""),
		MANIFEST("1", "\"" KEY "\"", "0", "0", "0",
			 RECEIVER("2", "1", "\"" ADDR "\",\"netns\":null"), "\"\""),
		MANIFEST("1", "\"" KEY "\"", "0", "0", "0",
			 RECEIVER("2", "1", "\"" ADDR "\",\"netns\":5,\"netns\":6"), "\"\""),
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(texts); i++)
		must_refuse(texts[i]);
}

/* The contracts may take as much as the caller gives, and no more. */
static void must_refuse_too_much(void **state)
{
	struct ww_pipeline_config cfg;
	WW_AUTO_BUF struct ww_buf memory;

	ww_buf_init(&memory, 7);
	assert_int_equal(read_text(MANIFEST("1", "\"" KEY "\"", "0", "0", "0", GOOD_RECEIVER,
					    "\"8 bytes.\""),
				   &memory, &cfg),
			 -EBADMSG);
	assert_int_equal(read_text(MANIFEST("1", "\"" KEY "\"", "0", "0", "0", GOOD_RECEIVER,
					    "\"7\\u0020bytes\""),
				   &memory, &cfg),
			 0);
	assert_true(ww_slice_eq_str(cfg.contracts, "7 bytes"));
}

/* No single changed byte is taken for another number of what is there. */
static void flipped_bytes(void **state)
{
	char text[] = MANIFEST("1", "\"" KEY "\"", "12", "34", "56", GOOD_RECEIVER, "\"text\"");
	WW_AUTO_BUF struct ww_buf memory;
	unsigned taken = 0;

	ww_buf_init(&memory, 1u << 16);
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			struct ww_pipeline_config cfg;
			int r;

			text[i] ^= (char)(1 << bit);
			r = ww_manifest_read(ww_slice(text, sizeof(text) - 1), &memory, &cfg);
			assert_true(r == 0 || r == -EBADMSG);
			taken += r == 0;
			text[i] ^= (char)(1 << bit);
		}
	}
	/* values that are other values of the same kind, and one name nobody asks for */
	assert_in_range(taken, 1, (sizeof(text) - 1) * 4);
}

/* Tables are named, not held. */
static void names_tables(void **state)
{
	WW_AUTO(ww_tables_free_auto) struct ww_tables *t = NULL;
	struct ww_pipeline_config in = {0}, out;
	WW_AUTO_BUF struct ww_buf text, memory;
	struct ww_sha256 named = {{0}}, digest;
	struct ww_jsonw w;

	assert_int_equal(ww_tables_new(&t), 0);
	assert_int_equal(ww_tables_seal(t), 0);
	ww_buf_init(&text, 1u << 16);
	ww_buf_init(&memory, 1u << 16);
	ww_jsonw_init(&w, &text);
	ww_manifest_write(&in, "", "", &w);
	assert_false(ww_manifest_tables(ww_buf_slice(&text), &named));
	ww_buf_clear(&text);
	ww_jsonw_init(&w, &text);
	in.tables = t;
	ww_manifest_write(&in, "", "", &w);
	assert_true(ww_jsonw_ok(&w));
	assert_true(ww_manifest_tables(ww_buf_slice(&text), &named));
	digest = ww_tables_digest(t);
	assert_memory_equal(&named, &digest, sizeof(named));
	assert_int_equal(ww_manifest_read(ww_buf_slice(&text), &memory, &out), 0);
	assert_null(out.tables);
	/* Something else in its place is no manifest. */
	text.p[text.n - 4] = 'x';
	assert_int_equal(ww_manifest_read(ww_buf_slice(&text), &memory, &out), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(where_it_is_from),   cmocka_unit_test(round_trip),
		cmocka_unit_test(with_policy),        cmocka_unit_test(tapes_of_before),
		cmocka_unit_test(must_refuse_others), cmocka_unit_test(must_refuse_too_much),
		cmocka_unit_test(flipped_bytes),      cmocka_unit_test(names_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
