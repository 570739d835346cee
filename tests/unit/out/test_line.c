/* SPDX-License-Identifier: Apache-2.0 */
#include "out/line.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include <wirewitness/record.h>

#include "out/listing.h"
#include "samples.h"

static void check(const char *record, const char *want)
{
	WW_AUTO_BUF struct ww_buf out;

	ww_buf_init(&out, WW_LINE_BYTES_MAX + 1);
	assert_int_equal(ww_line_add(ww_slice_str(record), 0, &out), 0);
	assert_int_equal(ww_buf_add(&out, "", 1), 0);
	assert_string_equal((const char *)out.p, want);
}

static void verdicts(void **state)
{
	check(SAMPLE_VERDICT_MASKED,
	      "14:03:22.123  VERDICT     MASKED_ERROR  refund_order  said done · span OK · wire "
	      "503 "
	      "Retry-After 5  payments.test  10.77.2.2:8443  join EXACT  v-00c0ffee-1");
	check(SAMPLE_VERDICT_NO_ACTION,
	      "14:03:22.123  VERDICT     NO_ACTION     refund_order  said text of 34 bytes · span "
	      "OK · wire no declared call found  join NONE  v-00c0ffed-1");
	check(SAMPLE_VERDICT_UNVERIFIABLE,
	      "14:03:22.123  VERDICT     UNVERIFIABLE (TLS_OPAQUE)  refund_order  said - · span - "
	      "· "
	      "wire undecoded, 812 bytes out  payments.test  10.77.2.2:8443  join NONE  "
	      "v-00c0ffec-2");
}

/* The column wire says what there is to say; "no declared call found" only where nothing fits. */
static void wire_column(void **state)
{
#define ACTION(wire) "{\"kind\":\"action\",\"id\":\"a-1\"," T ",\"tool\":\"pay\",\"wire\":" wire "}"
#define LINE(wire)   "14:03:22.123  ACTION      pay  said - · span - · wire " wire "  a-1"
	check(ACTION("{\"candidates\":[{\"exchange\":\"x-1-0\",\"wire\":\"success\"},"
		     "{\"exchange\":\"x-1-1\",\"wire\":\"failed\"}]}"),
	      LINE("one of success, failed"));
	check(ACTION("{\"attempts\":[],\"elsewhere\":{\"exchange\":\"x-1-0\",\"destination\":"
		     "\"other.test\",\"method\":\"POST\"}}"),
	      LINE("elsewhere: POST other.test"));
	check(ACTION("{\"attempts\":[],\"nearMissTotal\":1,\"nearMiss\":[{\"exchange\":"
		     "\"x-1-0\",\"why\":\"request\"}]}"),
	      LINE("no declared call found"));
}

/* Of programs and files it says what was looked for. */
static void wire_column_of_this_host(void **state)
{
#define LOCAL(members)                                                                           \
	"{\"kind\":\"action\",\"id\":\"a-1\"," T ",\"tool\":\"pay\",\"wire\":{\"attempts\":[]}," \
	"\"local\":{" members "}}"
	check(LOCAL("\"sought\":\"run of a declared "
		    "program\",\"total\":0,\"contested\":0,\"deeds\":[]"),
	      LINE("no run of a declared program found"));
	check(LOCAL("\"sought\":\"change of a declared "
		    "file\",\"total\":0,\"contested\":0,\"deeds\":[]"),
	      LINE("no change of a declared file found"));
	check(LOCAL("\"sought\":\"run of a declared "
		    "program\",\"total\":0,\"contested\":2,\"deeds\":[]"),
	      LINE("2 deeds on this host that others may mean as well"));
	check(LOCAL("\"sought\":\"run of a declared "
		    "program\",\"total\":2,\"contested\":1,\"deeds\":["
		    "{\"id\":\"u-1\",\"exitCode\":1},{\"id\":\"u-2\",\"exitCode\":0}]"),
	      LINE("2 deeds on this host, exit 1, 0"));
}

static void dated(void **state)
{
	static const char want[] = "2026-11-23 14:03:22.123  LIFE        start             "
				   "version 0.1.0  d-1";
	WW_AUTO_BUF struct ww_buf out;

	ww_buf_init(&out, WW_LINE_BYTES_MAX);
	assert_int_equal(ww_line_add(WW_SLICE_LIT(SAMPLE_LIFE), WW_LINE_DATED, &out), 0);
	assert_true(ww_slice_eq_str(ww_buf_slice(&out), want));
}

static void other_kinds(void **state)
{
	check(SAMPLE_EXCHANGE, "14:03:22.123  EXCHANGE    POST   /v1/refunds  503 Retry-After 5  "
			       "payments.test:8443 10.77.2.2:8443  12 ms  x-5-1");
	check(SAMPLE_FLOW, "14:03:22.123  FLOW        tcp   10.77.2.1:50000 → 10.77.2.2:8443  "
			   "payments.test  binding random  out 1200 in 3000 bytes  fin-local  f-5");
	check(SAMPLE_SPAN, "14:03:22.123  SPAN        execute_tool refund_order  tool OK  tool "
			   "refund_order  call call_2  service agent  s-02");
	check(SAMPLE_ACTOR,
	      "14:03:22.123  ACTOR       node              /usr/bin/node  uid 1000  p77-1f");
	check(SAMPLE_COVERAGE_BAD, "14:03:22.123  COVERAGE    /other  lost 3 events, 96 bytes  "
				   "marks 2, first: data "
				   "ring full  c-abd-1");
	check(SAMPLE_LOSS, "14:03:22.123  LOSS        data ring full: 3 events, 96 bytes  l-1-2");
	check(SAMPLE_FINDING, "14:03:22.123  FINDING     malformed-body  on x-5-1");
	check(SAMPLE_LIFE, "14:03:22.123  LIFE        start             version 0.1.0  d-1");
}

/* Nothing in a record can act on the terminal, and the line stays one line. */
static void hostile(void **state)
{
	check("{\"kind\":\"loss\",\"id\":\"l-1\\n\"," T ",\"cause\":\"\\u001b[2J\\u009b\\u202e\","
	      "\"events\":1,\"bytes\":\"\\r\"}",
	      "14:03:22.123  LOSS        \\x1b[2J\\u{009b}\\u{202e}: 1 events, \\x0d bytes  "
	      "l-1\\x0a");
	check("{\"kind\":\"\\u001b[2J\",\"id\":\"i\"}", "-             \\x1b[2J  i");
	check("{\"kind\":\"new_kind\",\"id\":\"i\"," T "}", "14:03:22.123  new_kind  i");
	check("{\"kind\":\"flow\"", "unreadable record");
	check("null", "-             -  -");
	check("", "unreadable record");
}

static void cut(void **state)
{
	static char record[2 * WW_LINE_BYTES_MAX];
	WW_AUTO_BUF struct ww_buf out;
	size_t n = (size_t)snprintf(record, sizeof(record), "{\"kind\":\"life\",\"event\":\"");

	memset(record + n, 'x', WW_LINE_BYTES_MAX);
	snprintf(record + n + WW_LINE_BYTES_MAX, sizeof(record) - n - WW_LINE_BYTES_MAX, "\"}");
	ww_buf_init(&out, WW_LINE_BYTES_MAX);
	assert_int_equal(ww_line_add(ww_slice_str(record), WW_LINE_COLOUR, &out), 0);
	assert_true(out.n <= WW_LINE_BYTES_MAX);
	assert_memory_equal(out.p + out.n - 7, "\033[0m…", 7);
	ww_buf_done(&out);
	ww_buf_init(&out, 16);
	assert_int_equal(ww_line_add(WW_SLICE_LIT(SAMPLE_FLOW), 0, &out), -EMSGSIZE);
}

static void colour(void **state)
{
	WW_AUTO_BUF struct ww_buf out;

	ww_buf_init(&out, WW_LINE_BYTES_MAX);
	assert_int_equal(ww_line_add(WW_SLICE_LIT(SAMPLE_VERDICT_MASKED), WW_LINE_COLOUR, &out), 0);
	assert_non_null(memmem(out.p, out.n, "\033[1mVERDICT\033[0m     ", 20));
	assert_non_null(memmem(out.p, out.n, "\033[1;31mMASKED_ERROR\033[0m  ", 25));
}

/* Every kind has a line and a listing, and a new kind cannot be forgotten. */
static void complete(void **state)
{
#define CHECK_KIND(n, v, text, d)                              \
	assert_non_null(ww_line_template(WW_SLICE_LIT(text))); \
	assert_non_null(ww_listing_find(WW_SLICE_LIT(text)));
	WW_RECORD_KINDS(CHECK_KIND)
	assert_null(ww_line_template(WW_SLICE_LIT("none")));
	assert_null(ww_listing_find(WW_SLICE_LIT("")));
	assert_ptr_equal(ww_listing_find(WW_SLICE_LIT("verdicts")),
			 ww_listing_find(WW_SLICE_LIT("verdict")));
	assert_true(ww_line_quiet(WW_SLICE_LIT("flow")));
	assert_false(ww_line_quiet(WW_SLICE_LIT("verdict")));
	assert_false(ww_line_quiet(WW_SLICE_LIT("none")));
}

/* What the stream says of an action without a verdict: harmless, too. */
static void pending(void **state)
{
	WW_AUTO_BUF struct ww_buf out = {0};

	ww_buf_init(&out, WW_LINE_BYTES_MAX);
	assert_int_equal(
		ww_line_pending(WW_SLICE_LIT("{\"verdict\":\"PENDING\",\"action\":\"a-1\","
					     "\"t\":\"2026-11-23T14:03:22.123456789Z\","
					     "\"tool\":\"re\\u001bfund\",\"said\":{\"claim\":"
					     "\"will\"},\"span\":null,\"deadline\":"
					     "\"2026-11-23T14:03:30.000000000Z\","
					     "\"waitsFor\":\"claim\"}"),
				0, &out),
		0);
	assert_true(ww_slice_eq_str(ww_buf_slice(&out),
				    "14:03:22.123  PENDING     re\\x1bfund  said will · span -  "
				    "until 14:03:30.000 (claim)  a-1"));
	ww_buf_clear(&out);
	assert_int_equal(ww_line_pending(WW_SLICE_LIT("{\"action\":\"a-1\",\"tool\":\"x\","
						      "\"partOf\":\"a-2\"}"),
					 0, &out),
			 0);
	assert_true(
		ww_slice_eq_str(ww_buf_slice(&out),
				"-             PENDING     x  said - · span -  part of a-2  a-1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pending),     cmocka_unit_test(verdicts),
		cmocka_unit_test(wire_column), cmocka_unit_test(wire_column_of_this_host),
		cmocka_unit_test(other_kinds), cmocka_unit_test(dated),
		cmocka_unit_test(hostile),     cmocka_unit_test(cut),
		cmocka_unit_test(colour),      cmocka_unit_test(complete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
