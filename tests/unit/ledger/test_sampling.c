/* SPDX-License-Identifier: Apache-2.0 */
/* The expected digests were computed with Python's hmac and hashlib. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>

#include "base/encode.h"
#include "ledger/outcome.h"
#include "ledger/sampling.h"

#define ALL (1ull << 56)

static void test_share(void **state)
{
	static const struct {
		const char *text;
		uint64_t threshold;
	} good[] = {{"1", 0},
		    {"100%", 0},
		    {"0.5", ALL / 2},
		    {"50%", ALL / 2},
		    {"0.25", ALL / 4 * 3},
		    {"12.5%", ALL / 8 * 7},
		    {"0.000000001", ALL - ALL / 1000000000}};
	static const char *const bad[] = {"",    "0",    "0.0",  "1.1", "101%",         "-1",
					  ".5",  "0.5x", "0..5", "1.",  "0.0000000001", "%",
					  "1e-3"};
	uint64_t t;

	for (size_t i = 0; i < WW_ARRAY_SIZE(good); i++) {
		assert_int_equal(ww_sampling_parse(ww_slice_str(good[i].text), &t), 0);
		assert_true(t == good[i].threshold);
	}
	for (size_t i = 0; i < WW_ARRAY_SIZE(bad); i++)
		if (ww_sampling_parse(ww_slice_str(bad[i]), &t) != -EINVAL)
			fail_msg("'%s' was taken", bad[i]);
}

static void check_hex(const uint8_t *p, size_t n, const char *want)
{
	char hex[2 * WW_SHA256_LEN + 1];

	ww_hex_encode(ww_slice(p, n), hex);
	assert_string_equal(hex, want);
}

static const uint8_t key[32] = {1, 2, 3};
static const struct ww_slice epoch = WW_SLICE_LIT("2026-11-23T00:00:00.000000000Z");

static void test_seed(void **state)
{
	uint8_t seed[WW_SAMPLING_SEED_LEN];
	struct ww_sha256 h;

	ww_sampling_seed(key, epoch, seed);
	check_hex(seed, sizeof(seed),
		  "a49ede82034ec9534a540248f22f0ae94a57cb32febb22c7a80e22f1c7145cc9");
	ww_sampling_commitment(seed, &h);
	check_hex(h.b, sizeof(h.b),
		  "5c6e356a9cb83971cd0597851b983cf51b45c329c93e5303a7054f79977cf191");
	/* The first seven bytes of HMAC(seed, "a-1") are 0x0a470be1233aed. */
	assert_true(ww_sampling_drawn(seed, WW_SLICE_LIT("a-1"), 0x0a470be1233aedull));
	assert_false(ww_sampling_drawn(seed, WW_SLICE_LIT("a-1"), 0x0a470be1233aedull + 1));
}

/* --- writing and checking ------------------------------------------------------------------------
 */

#define UNITS 200

struct scene {
	struct ww_sampling s;
	struct ww_sampling_epoch epochs[2];
	struct ww_sampling_unit units[UNITS];
	struct ww_buf section;
};

static struct scene scene;

static void make(void)
{
	struct scene *c = &scene;
	struct ww_jsonw w;

	ww_buf_done(&c->section);
	*c = (struct scene){.s = {.probability = "0.25",
				  .n_epochs = 2,
				  .n_units = UNITS,
				  .epochs = c->epochs,
				  .units = c->units}};
	assert_int_equal(ww_sampling_parse(WW_SLICE_LIT("0.25"), &c->s.threshold), 0);
	for (unsigned i = 0; i < 2; i++) {
		c->epochs[i].index = i * 1000;
		snprintf(c->epochs[i].epoch, sizeof(c->epochs[i].epoch), "day %u", i);
		ww_sampling_seed(key, ww_slice_str(c->epochs[i].epoch), c->epochs[i].seed);
	}
	for (unsigned i = 0; i < UNITS; i++) {
		c->units[i].index = 1 + i * 10;
		snprintf(c->units[i].action, sizeof(c->units[i].action), "a-%x", i);
		c->units[i].outcome = i % 10 == 3 ? WW_OUTCOME_CONTRADICTED
				      : i % 2     ? WW_OUTCOME_CORROBORATED
						  : WW_OUTCOME_UNKNOWN;
	}
	assert_int_equal(ww_sampling_choose(&c->s), 0);
	ww_buf_init(&c->section, 1u << 20);
	ww_jsonw_init(&w, &c->section);
	ww_sampling_write(&c->s, &w);
	assert_true(ww_jsonw_ok(&w));
}

static void give(struct ww_sampling_check *c, const struct ww_sampling_unit *skip)
{
	char text[512], hex[65];
	struct ww_sha256 h;

	for (unsigned i = 0; i < 2; i++) {
		int n;

		ww_sampling_commitment(scene.epochs[i].seed, &h);
		ww_hex_encode(ww_slice(h.b, 32), hex);
		n = snprintf(text, sizeof(text),
			     "{\"event\":\"" WW_SAMPLING_EVENT "\",\"epoch\":\"%s\","
			     "\"commitment\":\"%s\"}",
			     scene.epochs[i].epoch, hex);
		ww_sampling_check_record(c, scene.epochs[i].index, WW_SLICE_LIT("life"),
					 ww_slice(text, (size_t)n));
	}
	for (unsigned i = 0; i < UNITS; i++) {
		static const char *const verdicts[WW_OUTCOME_MAX] = {
			[WW_OUTCOME_CONTRADICTED] = "MASKED_ERROR",
			[WW_OUTCOME_CORROBORATED] = "CONFIRMED_T1",
			[WW_OUTCOME_UNKNOWN] = "UNVERIFIABLE"};
		const struct ww_sampling_unit *u = &scene.units[i];
		int n = snprintf(text, sizeof(text),
				 "{\"action\":\"%s\",\"verdict\":\"%s\",\"said\":{\"claim\":"
				 "\"done\"},\"span\":null}",
				 u->action, verdicts[u->outcome]);

		if (u->chosen && u != skip)
			ww_sampling_check_record(c, u->index, WW_SLICE_LIT("verdict"),
						 ww_slice(text, (size_t)n));
	}
}

static int judge(struct ww_slice section, const struct ww_sampling_unit *skip,
		 struct ww_errtext *why)
{
	WW_AUTO(ww_sampling_check_free_auto) struct ww_sampling_check *c = NULL;
	int r = ww_sampling_check_begin(section, &c, why);

	if (r != 0)
		return r;
	give(c, skip);
	return ww_sampling_check_end(c, why);
}

static void test_truth(void **state)
{
	struct ww_errtext why = {""};
	unsigned chosen = 0;

	make();
	if (judge(ww_buf_slice(&scene.section), NULL, &why) != 0)
		fail_msg("%s", why.text);
	for (unsigned i = 0; i < UNITS; i++)
		chosen += scene.units[i].chosen;
	assert_in_range(chosen, 30, 110); /* a quarter, and the tenth that always is */
	assert_int_equal(judge(WW_SLICE_LIT("{\"used\":false}"), NULL, &why), 1);
}

static void test_left_out(void **state)
{
	struct ww_errtext why = {""};

	make();
	for (unsigned i = 0; i < UNITS; i++)
		if (scene.units[i].chosen)
			assert_int_equal(judge(ww_buf_slice(&scene.section), &scene.units[i], &why),
					 -EINVAL);
}

/* One bit of every byte of the section: refused. Of what was not chosen the report lists no record,
 * so its name may become that of another action that is not drawn either, at another place. */
static void test_flipped(void **state)
{
	WW_AUTO_BUF struct ww_buf copy = {0};
	struct ww_errtext why;
	size_t backed;

	make();
	backed = (size_t)((uint8_t *)memmem(scene.section.p, scene.section.n, "\"notChosen\"", 11) -
			  scene.section.p);
	ww_buf_init(&copy, scene.section.n);
	assert_int_equal(ww_buf_add(&copy, scene.section.p, scene.section.n), 0);
	for (size_t i = 0; i < copy.n; i++) {
		copy.p[i] ^= (uint8_t)(1 << i % 7);
		if (judge(ww_buf_slice(&copy), NULL, &why) == 0 && i < backed)
			fail_msg("byte %zu may be changed", i);
		copy.p[i] ^= (uint8_t)(1 << i % 7);
	}
}

static void test_before_the_first_seed(void **state)
{
	make();
	scene.epochs[0].index = 5;
	assert_int_equal(ww_sampling_choose(&scene.s), -ENOENT);
}

static void test_outcomes(void **state)
{
	assert_int_equal(ww_outcome_of(WW_SLICE_LIT("CONFIRMED_T1"), true),
			 WW_OUTCOME_CORROBORATED);
	assert_int_equal(ww_outcome_of(WW_SLICE_LIT("CONFIRMED_T1"), false),
			 WW_OUTCOME_OBSERVED_ONLY);
	assert_int_equal(ww_outcome_of(WW_SLICE_LIT("NO_ACTION"), true), WW_OUTCOME_CONTRADICTED);
	assert_int_equal(ww_outcome_of(WW_SLICE_LIT("CALL_EMITTED_NOT_EXECUTED"), false),
			 WW_OUTCOME_EXCLUDED);
	assert_int_equal(ww_outcome_of(WW_SLICE_LIT("UNVERIFIABLE"), true), WW_OUTCOME_UNKNOWN);
	assert_int_equal(ww_outcome_of(WW_SLICE_LIT("of a later version"), true),
			 WW_OUTCOME_UNKNOWN);
	assert_int_equal(ww_outcome_read(WW_SLICE_LIT("{\"verdict\":\"NOT_APPLICABLE\",\"said\":{"
						      "\"claim\":null},\"span\":{\"id\":1}}")),
			 WW_OUTCOME_CLAIMED_ONLY);
	assert_int_equal(ww_outcome_read(WW_SLICE_LIT("{\"verdict\":\"NOT_APPLICABLE\"}")),
			 WW_OUTCOME_UNKNOWN);
	assert_int_equal(ww_outcome_read(WW_SLICE_LIT("no JSON")), WW_OUTCOME_UNKNOWN);
}

static int done(void **state)
{
	ww_buf_done(&scene.section);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_share),    cmocka_unit_test(test_seed),
		cmocka_unit_test(test_truth),    cmocka_unit_test(test_left_out),
		cmocka_unit_test(test_flipped),  cmocka_unit_test(test_before_the_first_seed),
		cmocka_unit_test(test_outcomes),
	};

	return cmocka_run_group_tests(tests, NULL, done);
}
