/* SPDX-License-Identifier: Apache-2.0 */
#include "out/filter.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define RECORD                                                                               \
	"{\"kind\":\"verdict\",\"verdict\":\"MASKED_ERROR\",\"tool\":\"refund_order\","      \
	"\"reason\":null,\"n\":503,\"wire\":{\"status\":503,\"peer\":\"10.0.0.1:8443\","     \
	"\"attempts\":[{\"wire\":\"failed\"},{\"wire\":\"no-reply\"}]},\"findings\":[\"a\"," \
	"\"b\"],\"empty\":[],\"attrs\":{\"gen_ai.tool.name\":\"x\"}}"

static void refusals(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{"verdict", "filter: 'verdict': expected key=value or key!=value"},
		{"kind=verdict refund", "filter: 'refund': expected key=value or key!=value"},
		{"=x", "filter: '=x': a key is missing before '='"},
		{"!=x", "filter: '!=x': a key is missing before '='"},
		{"tool=re*fund", "filter: 're*fund': '*' is understood at the end of a value only"},
		{"to*l=x", "filter: 'to*l=x': '*' is understood at the end of a value only"},
		{"tool=a,*b", "filter: '*b': '*' is understood at the end of a value only"},
		{"kind=verdicts",
		 "filter: 'verdicts': no record has this kind; did you mean 'verdict'?"},
		{"kind=verdict,flows",
		 "filter: 'flows': no record has this kind; did you mean 'flow'?"},
		{"kind!=spam", "filter: 'spam': no record has this kind; did you mean 'span'?"},
		{"verdict=NOACTION",
		 "filter: 'NOACTION': there is no such verdict; did you mean 'NO_ACTION'?"},
		{"a\033[31m", "filter: 'a\\x1b[31m': expected key=value or key!=value"},
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(cases); i++) {
		struct ww_filter f = {.count = 99};
		char why[WW_FILTER_WHY_MAX] = "";

		assert_int_equal(ww_filter_parse(ww_slice_str(cases[i].text), &f, why), -EINVAL);
		assert_string_equal(why, cases[i].why);
		assert_int_equal(f.count, 99);
	}
}

static void too_many(void **state)
{
	char text[8 * WW_FILTER_TERMS_MAX], why[WW_FILTER_WHY_MAX];
	struct ww_filter f;

	text[0] = '\0';
	for (unsigned i = 0; i < WW_FILTER_TERMS_MAX; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "a=1 ");
	assert_int_equal(ww_filter_parse(ww_slice_str(text), &f, why), 0);
	assert_int_equal(f.count, WW_FILTER_TERMS_MAX);
	snprintf(text + strlen(text), sizeof(text) - strlen(text), "b=2");
	assert_int_equal(ww_filter_parse(ww_slice_str(text), &f, why), -EINVAL);
	assert_string_equal(why, "filter: 'b=2': more terms than a filter may have");
}

static bool match(const char *text, const char *record)
{
	char why[WW_FILTER_WHY_MAX] = "";
	struct ww_filter f;

	if (ww_filter_parse(ww_slice_str(text), &f, why) < 0)
		fail_msg("%s", why);
	return ww_filter_match(&f, ww_slice_str(record));
}

static void no_match(void **state)
{
	static const char *const texts[] = {
		"tool=refund",
		"tool=refund_order kind=flow",
		"tool!=refund*",
		"wire.status=50",
		"status=503",
		"nothing=*",
		"reason=*",
		"reason=BODY*",
		"wire.attempts.wire=success",
		"findings!=b",
		"empty=*",
		"wire=*",
		"tool=a,b,refund_orde",
		"verdict=NO_ACTION",
		"n!=5*",
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(texts); i++) {
		if (match(texts[i], RECORD))
			fail_msg("'%s' must not match", texts[i]);
	}
	assert_false(match("a!=b", "{\"kind\":\"flow\""));
	assert_false(match("kind=flow", "not json"));
}

static void matching(void **state)
{
	static const char *const texts[] = {
		"",
		"   ",
		"kind=verdict verdict=MASKED_ERROR tool=refund*",
		" tool=refund_order  kind=verdict ",
		"wire.status=503",
		"wire.status=5*",
		"wire.peer=10.0.0.1:8443",
		"wire.attempts.wire=no-reply",
		"findings=b",
		"findings!=c",
		"reason!=*",
		"reason=null",
		"nothing!=*",
		"nothing!=x",
		"tool=*",
		"kind=flow,verdict",
		"kind=ver*",
		"verdict=NO_ACTION,MASKED_ERROR",
		"attrs.gen_ai.tool.name=x",
		"n=503 n=5*",
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(texts); i++) {
		if (!match(texts[i], RECORD))
			fail_msg("'%s' must match", texts[i]);
	}
	assert_true(match("", "not json"));
}

static void names(void **state)
{
	char why[WW_FILTER_WHY_MAX];
	struct ww_filter f;

	assert_int_equal(ww_filter_parse(WW_SLICE_LIT("kind!=flow tool=x"), &f, why), 0);
	assert_true(ww_filter_names(&f, "kind"));
	assert_true(ww_filter_names(&f, "tool"));
	assert_false(ww_filter_names(&f, "verdict"));
}

/* A key that no record has: an error, not an empty answer. */
static void keys(void **state)
{
	static const struct {
		const char *text, *kind, *why;
	} cases[] = {
		{"verdict=NO_ACTION tool=x", NULL, NULL},
		{"attrs.gen_ai.tool.name=x", NULL, NULL},
		{"wire.attempts.wire=no-reply", "verdict", NULL},
		{"kind=flow,exchange status=200", NULL, NULL},
		{"kind!=flow status=200", NULL, NULL},
		{"verdct=x", NULL,
		 "filter: 'verdct': no record has such a member; did you mean 'verdict'?"},
		{"verdct!=x", NULL,
		 "filter: 'verdct': no record has such a member; did you mean 'verdict'?"},
		{"colour=red", NULL, "filter: 'colour': no record has such a member"},
		{"toolcallid=x", "span",
		 "filter: 'toolcallid': no record has such a member; did you mean 'toolCallId'?"},
		{"sni=a", "flow",
		 "filter: 'sni': these records have no such member; did you mean 'tls.sni'?"},
		{"kind=flow sni=a", NULL,
		 "filter: 'sni': these records have no such member; did you mean 'tls.sni'?"},
		{"kind=flow verdict=NO_ACTION", NULL,
		 "filter: 'verdict': these records have no such member"},
		{"kind=exchange", "verdict",
		 "filter: 'exchange': none of the records that are looked at has this kind"},
		{"kind!=verdict", "verdict",
		 "filter: 'verdict': none of the records that are looked at has this kind"},
		{"kind=flow kind=exchange", NULL,
		 "filter: 'exchange': none of the records that are looked at has this kind"},
		{"kind!=exchange", "verdict", NULL},
		{"to\033ol=x", NULL,
		 "filter: 'to\\x1bol': no record has such a member; did you mean 'tool'?"},
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(cases); i++) {
		char why[WW_FILTER_WHY_MAX] = "";
		struct ww_filter f;
		int r = ww_filter_parse(ww_slice_str(cases[i].text), &f, why);

		if (r == 0)
			r = ww_filter_check(&f, cases[i].kind, why);
		assert_string_equal(why, cases[i].why ? cases[i].why : "");
		assert_int_equal(r, cases[i].why ? -EINVAL : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refusals), cmocka_unit_test(too_many), cmocka_unit_test(no_match),
		cmocka_unit_test(matching), cmocka_unit_test(names),    cmocka_unit_test(keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
