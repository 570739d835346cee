/* SPDX-License-Identifier: Apache-2.0 */
/* What others say about place. Host names are those of the operators' own documentation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/own.h"
#include "proto/place_claim.h"

static void expect(const char *what, struct ww_slice got, const char *want)
{
	if (!ww_slice_eq_str(got, want))
		fail_msg("%s: '%.*s', not '%s'", what, (int)got.n, (const char *)got.p, want);
}

static void hosts(void **state)
{
	static const struct {
		const char *host, *region;
	} rows[] = {
		{"bedrock-runtime.eu-west-1.amazonaws.com", "eu-west-1"},
		{"bedrock-runtime.eu-west-1.amazonaws.com:443", "eu-west-1"},
		{"bedrock-runtime.eu-west-1.amazonaws.com.", "eu-west-1"},
		{"bedrock-runtime-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"},
		{"bedrock-mantle.ap-southeast-2.api.aws", "ap-southeast-2"},
		{"vpce-0a1b-2c3d.bedrock-runtime.us-east-1.vpce.amazonaws.com", "us-east-1"},
		{"bedrock-runtime.cn-north-1.amazonaws.com.cn", "cn-north-1"},
		{"europe-west4-aiplatform.googleapis.com", "europe-west4"},
		{"aiplatform.eu.rep.googleapis.com", "eu"},
		{"aiplatform.us-central1.rep.googleapis.com", "us-central1"},
		{"eu.api.openai.com", "eu"},
		{"eu-west-1.api.x.ai", "eu-west-1"},
		{"westeurope.api.cognitive.microsoft.com", "westeurope"},
		{"eastus2.api.cognitive.microsoft.com", "eastus2"},
		{"mine.swedencentral.inference.ml.azure.com", "swedencentral"},
		{"mine.eastus2.models.ai.azure.com", "eastus2"},
		/* No region in it, or a name that is free to choose. */
		{"", ""},
		{":443", ""},
		{".", ""},
		{"api.openai.com", ""},
		{"api.anthropic.com", ""},
		{"eu-west-1.openai.azure.com", ""},
		{"westeurope.services.ai.azure.com", ""},
		{"aiplatform.googleapis.com", ""},
		{"x.eu.api.openai.com", ""},
		{"x.europe-west4-aiplatform.googleapis.com", ""},
		{"x.eu-west-1.api.x.ai", ""},
		{"s3.amazonaws.com", ""},
		{"mine.eu-west-1.elb.amazonaws.com", ""},
		/* Alike, and somebody else's. */
		{"bedrock-runtime.eu-west-1.amazonaws.com.example.net", ""},
		{"bedrock-runtime.eu-west-1.notamazonaws.com", ""},
		{"bedrock-runtime.eu-west-1amazonaws.com", ""},
		{"bedrock-runtime.eu-west-.amazonaws.com", ""},
		{"bedrock-runtime.eu-west-111.amazonaws.com", ""},
		{"bedrock-runtime.eu--1.amazonaws.com", ""},
		{"eu-west-1", ""},
		{".amazonaws.com", ""},
		{"eu1.api.openai.com", ""},
		{"[2001:db8::1]:443", ""},
		{"203.0.113.7", ""},
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(rows); i++)
		expect(rows[i].host, ww_place_of_host(ww_slice_str(rows[i].host)), rows[i].region);
	expect("case", ww_place_of_host(WW_SLICE_LIT("Bedrock-Runtime.EU-WEST-1.AmazonAWS.com")),
	       "EU-WEST-1");
}

static void paths(void **state)
{
	static const struct {
		const char *path, *region;
	} rows[] = {
		{"/v1/projects/p/locations/europe-west4/publishers/google/models/m:generateContent",
		 "europe-west4"},
		{"https://h/v1/projects/p/locations/us/publishers/x", "us"},
		{"/v1/projects/p/locations/global/publishers/x", "global"},
		{"/v1/projects/p/locations/europe-west4", ""},
		{"/v1/projects/p/locations/Elm Street/x", ""},
		{"/v1/projects//locations/europe-west4/x", ""},
		{"/v1/projects/p/locations//x", ""},
		{"/v1/projects/p/places/europe-west4/x", ""},
		{"/locations/europe-west4/x", ""},
		{"/x?y=/projects/p/locations/europe-west4/z", ""},
		{"/projects", ""},
		{"/projects/", ""},
		{"/projects/p/locations", ""},
		{"", ""},
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(rows); i++)
		expect(rows[i].path, ww_place_of_path(ww_slice_str(rows[i].path)), rows[i].region);
}

static void models(void **state)
{
	static const struct {
		const char *model, *geography;
	} rows[] = {
		{"eu.anthropic.claude-sonnet-4-20250514-v1:0", "eu"},
		{"us-gov.anthropic.claude-3-haiku-20240307-v1:0", "us-gov"},
		{"global.anthropic.claude-sonnet-4-20250514-v1:0", "global"},
		{"arn:aws:bedrock:eu-west-1:123456789012:inference-profile/"
		 "apac.amazon.nova-lite-v1:0",
		 "apac"},
		{"anthropic.claude-v2:1", ""},
		{"eu.claude", ""},
		{"de.anthropic.claude-v2", ""},
		{"", ""},
		{".", ""},
		{"eu.", ""},
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(rows); i++)
		expect(rows[i].model, ww_place_of_model(ww_slice_str(rows[i].model)),
		       rows[i].geography);
}

static void fields(void **state)
{
	static const struct {
		enum ww_place_from from;
		const char *value, *says;
	} rows[] = {
		{WW_PLACE_CF_RAY, "8f2c6d1e0a1b2c3d-FRA", "FRA"},
		{WW_PLACE_CF_RAY, "8f2c6d1e0a1b2c3d", ""},
		{WW_PLACE_CF_RAY, "-FRA", ""},
		{WW_PLACE_CF_RAY, "8f2c-fra", ""},
		{WW_PLACE_CF_RAY, "8f2c-FRAN", ""},
		{WW_PLACE_CF_RAY, "FRA", ""},
		{WW_PLACE_AMZ_CF_POP, "FRA56-P1", "FRA56-P1"},
		{WW_PLACE_AMZ_CF_POP, "FRA", ""},
		{WW_PLACE_AMZ_CF_POP, "FRA56 and more", ""},
		{WW_PLACE_AMZ_CF_POP, "fra56-P1", ""},
		{WW_PLACE_MS_REGION, "North Central US", "North Central US"},
		{WW_PLACE_MS_REGION, "", ""},
		{WW_PLACE_MS_REGION, "a\tb", ""},
		{WW_PLACE_MS_REGION, "caf\xc3\xa9", ""},
		{WW_PLACE_AZURE_REF, "20261128T010203Z-1a2b3c4d5e", "20261128T010203Z-1a2b3c4d5e"},
		{WW_PLACE_VIA, "1.1 google", "1.1 google"},
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		struct ww_place_claims c = {0};

		ww_place_field(&c, rows[i].from, ww_slice_str(rows[i].value), false);
		assert_false(c.more);
		assert_int_equal(c.count, rows[i].says[0] ? 1 : 0);
		if (c.count) {
			assert_string_equal(c.item[0].says, rows[i].says);
			assert_int_equal(c.item[0].from, rows[i].from);
		}
	}
}

static void bounds(void **state)
{
	struct ww_place_claims c = {0};
	char text[WW_PLACE_WORD_MAX + 1] = {0};

	/* A word that is cut would be another word. */
	memset(text, 'x', WW_PLACE_WORD_MAX);
	ww_place_add(&c, WW_PLACE_VIA, ww_slice_str(text));
	assert_int_equal(c.count, 0);
	assert_true(c.more);
	text[WW_PLACE_WORD_MAX - 1] = '\0';
	c.more = false;
	ww_place_add(&c, WW_PLACE_VIA, ww_slice_str(text));
	assert_int_equal(c.count, 1);
	assert_string_equal(c.item[0].says, text);
	ww_place_field(&c, WW_PLACE_VIA, WW_SLICE_LIT("cut off"), true);
	assert_true(c.more);
	assert_int_equal(c.count, 1);
	c.more = false;
	for (unsigned i = 0; i < 2 * WW_PLACE_CLAIMS_MAX; i++) {
		text[0] = (char)('a' + i);
		ww_place_add(&c, WW_PLACE_VIA, ww_slice_str(text));
		ww_place_add(&c, WW_PLACE_VIA, ww_slice_str(text));
		assert_int_equal(c.more, i + 2 > WW_PLACE_CLAIMS_MAX);
	}
	assert_int_equal(c.count, WW_PLACE_CLAIMS_MAX);
}

static void record(void **state)
{
	struct ww_place_claims c = {0};
	WW_AUTO_BUF struct ww_buf b = {0};
	struct ww_jsonw w;

	ww_buf_init(&b, 4096);
	ww_jsonw_init(&w, &b);
	ww_jsonw_object(&w, NULL);
	ww_place_write(&c, &w);
	ww_place_field(&c, WW_PLACE_CF_RAY, WW_SLICE_LIT("8f2c6d1e0a1b2c3d-FRA"), false);
	ww_place_called(&c, "bedrock-runtime.eu-west-1.amazonaws.com",
			"bedrock-runtime.us-east-1.amazonaws.com", "/x");
	ww_place_called(&c, "eu.api.openai.com", "eu.api.openai.com", "/v1/chat/completions");
	ww_place_write(&c, &w);
	ww_jsonw_end_object(&w);
	assert_true(ww_slice_eq_str(
		ww_buf_slice(&b),
		"{\"placeClaims\":[{\"by\":\"peer\",\"from\":\"cf-ray\",\"about\":\"edge\","
		"\"says\":"
		"\"FRA\"},{\"by\":\"host\",\"from\":\"authority\",\"about\":\"endpoint\",\"says\":"
		"\"eu-west-1\"},{\"by\":\"host\",\"from\":\"sni\",\"about\":\"endpoint\",\"says\":"
		"\"us-east-1\"},{\"by\":\"host\",\"from\":\"authority\",\"about\":\"endpoint\","
		"\"says\":\"eu\"}]}"));
}

static void names(void **state)
{
	for (unsigned i = 1; i < WW_PLACE_FROM_MAX; i++) {
		enum ww_place_from from = (enum ww_place_from)i;

		assert_string_not_equal(ww_place_from_name(from), "unknown");
		assert_string_not_equal(ww_place_by_name(ww_place_by(from)), "unknown");
		assert_string_not_equal(ww_place_about_name(ww_place_about(from)), "unknown");
	}
	assert_string_equal(ww_place_from_name((enum ww_place_from)0), "unknown");
	assert_string_equal(ww_place_from_name(WW_PLACE_FROM_MAX), "unknown");
	assert_string_equal(ww_place_by_name(ww_place_by(WW_PLACE_FROM_MAX)), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts),  cmocka_unit_test(paths),  cmocka_unit_test(models),
		cmocka_unit_test(fields), cmocka_unit_test(bounds), cmocka_unit_test(record),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
