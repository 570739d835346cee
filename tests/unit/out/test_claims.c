/* SPDX-License-Identifier: Apache-2.0 */
/* The sections that a report derives from records: claims, destinations, instrument. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>

#include "ledger/wording.h"
#include "out/claims.h"
#include "out/destinations.h"
#include "out/instrument.h"

static bool index_of(void *ctx, struct ww_slice id, uint64_t *ret_index)
{
	if (!ww_slice_eq_str(id, "x-1-0") && !ww_slice_eq_str(id, "a-1"))
		return false;
	*ret_index = id.p[0] == 'x' ? 3 : 4;
	return true;
}

static void is(const struct ww_buf *out, const char *want)
{
	struct ww_errtext why = {""};
	json_error_t error;
	json_t *json = json_loadb((const char *)out->p, out->n, 0, &error);

	if (!json)
		fail_msg("%s: %.*s", error.text, (int)out->n, (const char *)out->p);
	json_decref(json);
	if (ww_wording_check(ww_buf_slice(out), "section", &why) < 0)
		fail_msg("%s", why.text);
	if (want && !ww_slice_eq_str(ww_buf_slice(out), want))
		fail_msg("got    %.*s\nwanted %s", (int)out->n, (const char *)out->p, want);
}

static bool has(const struct ww_buf *out, const char *text)
{
	return memmem(out->p, out->n, text, strlen(text)) != NULL;
}

static void claim(struct ww_slice verdict, const char *want)
{
	WW_AUTO_BUF struct ww_buf out = {0};
	struct ww_jsonw w;

	ww_buf_init(&out, 1u << 16);
	ww_jsonw_init(&w, &out);
	ww_claims_write(&w, 9, verdict, index_of, NULL);
	assert_true(ww_jsonw_ok(&w));
	is(&out, want);
}

static void test_claims(void **state)
{
	claim(WW_SLICE_LIT(
		      "{\"kind\":\"verdict\",\"id\":\"v-1-1\",\"action\":\"a-1\",\"verdict\":"
		      "\"CONFIRMED_T1\",\"reason\":null,\"evidence\":\"E4\",\"join\":\"UNIQUE\","
		      "\"by\":\"window\",\"tool\":\"proven \\\"refund\\\"\",\"toolCallId\":null,"
		      "\"said\":{\"claim\":\"done\"},\"span\":null,\"wire\":{\"nearMissTotal\":2,"
		      "\"nearMiss\":[]},\"refs\":[\"x-1-0\",\"s-gone\"]}"),
	      "{\"index\":9,\"id\":\"v-1-1\",\"action\":\"a-1\",\"quoted\":{\"tool\":\"proven "
	      "\\\"refund\\\"\",\"toolCallId\":null,\"traceId\":null,\"claim\":\"done\","
	      "\"spanStatus\":null},\"span\":null,\"verdict\":\"CONFIRMED_T1\",\"reason\":null,"
	      "\"outcome\":\"corroborated\",\"evidence\":\"E4\",\"match\":{\"join\":\"UNIQUE\","
	      "\"by\":\"window\",\"agreed\":[\"processTree\",\"destination\",\"method\",\"path\","
	      "\"window\"],\"candidates\":0,\"rivals\":2,\"ambiguity\":0},\"evidenceIndexes\":[4,3]"
	      "}");
	/* The strong word comes with what backs it. */
	claim(WW_SLICE_LIT("{\"id\":\"v-2-1\",\"action\":\"a-2\",\"verdict\":"
			   "\"CALL_EMITTED_NOT_EXECUTED\"}"),
	      NULL);
	/* Two candidates, none picked. */
	claim(WW_SLICE_LIT("{\"verdict\":\"UNVERIFIABLE\",\"reason\":\"AMBIGUOUS_JOIN\",\"n\":2,"
			   "\"wire\":{\"candidates\":[{\"exchange\":\"x-1-0\"},{\"exchange\":"
			   "\"x-1-1\"}]}}"),
	      "{\"index\":9,\"id\":null,\"action\":null,\"quoted\":{\"tool\":null,\"toolCallId\":"
	      "null,\"traceId\":null,\"claim\":null,\"spanStatus\":null},\"span\":null,\"verdict\":"
	      "\"UNVERIFIABLE\",\"reason\":\"AMBIGUOUS_JOIN\",\"outcome\":\"unknown\",\"evidence\":"
	      "null,\"match\":{\"join\":null,\"by\":null,\"agreed\":[],\"candidates\":2,\"rivals\":"
	      "0,\"ambiguity\":2},\"evidenceIndexes\":[]}");
}

static void add_flow(struct ww_destinations *d, const char *peer, const char *sni, unsigned sent,
		     const char *t)
{
	char text[512];
	int n = snprintf(text, sizeof(text),
			 "{\"kind\":\"flow\",\"t\":\"%s\",\"proto\":\"tcp\",\"peer\":\"%s\","
			 "\"closeBootNs\":%u,\"kernel\":{\"bytesSent\":%u,\"bytesReceived\":1},"
			 "\"tls\":{\"sni\":%s}}",
			 t, peer, sent, sent, sni);

	assert_int_equal(ww_destinations_add(d, ww_slice(text, (size_t)n)), 0);
}

static void test_destinations(void **state)
{
	WW_AUTO(ww_destinations_free_auto) struct ww_destinations *d = NULL;
	WW_AUTO_BUF struct ww_buf out = {0};
	struct ww_jsonw w;

	assert_int_equal(ww_destinations_new(&d), 0);
	add_flow(d, "[2001:db8::1]:443", "\"b \\\"excluded\\\"\"", 5, "T2");
	add_flow(d, "10.0.0.1:80", "null", 7, "T1");
	add_flow(d, "[2001:db8::1]:443", "\"b \\\"excluded\\\"\"", 6, "T1");
	ww_buf_init(&out, 1u << 16);
	ww_jsonw_init(&w, &out);
	ww_destinations_write(d, &w);
	is(&out,
	   "{\"basis\":\"the flows that the shown verdicts rest on\",\"certificates\":\"not "
	   "listed: TLS 1.3 encrypts them, one that was sent in clear stands in its flow's record"
	   "\",\"flowsBeyondList\":0,\"list\":[{\"address\":\"10.0.0.1\",\"port\":80,"
	   "\"proto\":\"tcp\",\"quoted\":{\"sni\":null},\"flows\":1,\"bytesSent\":7,"
	   "\"bytesReceived\":1,\"firstOpened\":\"T1\",\"lastOpened\":\"T1\",\"lastCloseBootNs\":7}"
	   ","
	   "{\"address\":\"2001:db8::1\",\"port\":443,\"proto\":\"tcp\",\"quoted\":{\"sni\":\"b "
	   "\\\"excluded\\\"\"},\"flows\":2,\"bytesSent\":11,\"bytesReceived\":2,\"firstOpened\":"
	   "\"T1\",\"lastOpened\":\"T2\",\"lastCloseBootNs\":6}]}");
}

/* Of QUIC the name that all its connections have in common. */
static void test_destinations_quic(void **state)
{
	WW_AUTO(ww_destinations_free_auto) struct ww_destinations *d = NULL;
	WW_AUTO_BUF struct ww_buf out = {0};
	struct ww_jsonw w;

	assert_int_equal(ww_destinations_new(&d), 0);
	assert_int_equal(
		ww_destinations_add(
			d, WW_SLICE_LIT("{\"kind\":\"flow\",\"t\":\"T1\",\"proto\":\"udp\","
					"\"peer\":\"10.0.0.1:443\",\"quic\":{\"sni\":"
					"\"q.example\"}}")),
		0);
	ww_buf_init(&out, 1u << 16);
	ww_jsonw_init(&w, &out);
	ww_destinations_write(d, &w);
	assert_int_equal(ww_buf_add(&out, "", 1), 0);
	assert_non_null(
		strstr((char *)out.p, "\"proto\":\"udp\",\"quoted\":{\"sni\":\"q.example\"}"));
}

static void test_destinations_ceiling(void **state)
{
	WW_AUTO(ww_destinations_free_auto) struct ww_destinations *d = NULL;
	WW_AUTO_BUF struct ww_buf out = {0};
	struct ww_jsonw w;
	char peer[64];

	assert_int_equal(ww_destinations_new(&d), 0);
	for (unsigned i = 0; i < WW_DESTINATIONS_MAX + 3; i++) {
		snprintf(peer, sizeof(peer), "10.%u.%u.%u:1", i * 7 % 256, i / 256, i % 256);
		add_flow(d, peer, "null", 1, "T");
	}
	ww_buf_init(&out, 4u << 20);
	ww_jsonw_init(&w, &out);
	ww_destinations_write(d, &w);
	is(&out, NULL);
	assert_true(has(&out, "\"flowsBeyondList\":3"));
}

static void test_instrument(void **state)
{
	static const struct ww_slice life[] = {
		WW_SLICE_LIT("{\"event\":\"start\",\"t\":\"T1\",\"text\":null,\"version\":\"1\"}"),
		WW_SLICE_LIT("{\"event\":\"probes-failed\",\"t\":\"T2\",\"text\":\"/proven/lib\"}"),
		WW_SLICE_LIT(
			"{\"event\":\"probes-attached\",\"t\":\"T3\",\"text\":\"/proven/lib\"}"),
		WW_SLICE_LIT(
			"{\"event\":\"start\",\"t\":\"T4\",\"version\":\"2\",\"host\":\"h\","
			"\"contracts\":\"c\",\"program\":{\"sha256\":\"p\"},\"bpf\":{\"sha256\":"
			"\"b\",\"programs\":[{\"name\":\"x\",\"tag\":\"t\"}]}}"),
		WW_SLICE_LIT("{}"), /* no event: nothing */
	};
	WW_AUTO(ww_instrument_free_auto) struct ww_instrument *i = NULL;
	WW_AUTO_BUF struct ww_buf out = {0};
	struct ww_jsonw w;

	assert_int_equal(ww_instrument_new(&i), 0);
	for (size_t k = 0; k < WW_ARRAY_SIZE(life); k++)
		assert_int_equal(ww_instrument_add(i, k, life[k]), 0);
	ww_buf_init(&out, 1u << 16);
	ww_jsonw_init(&w, &out);
	ww_instrument_write(i, &w);
	is(&out, NULL);
	assert_true(has(&out, "\"tlsLibraries\":[{\"path\":\"/proven/lib\",\"attached\":true,"
			      "\"index\":2}]"));
	assert_true(has(&out, "\"programSha256\":\"p\",\"bpfSha256\":\"b\","
			      "\"bpfPrograms\":1"));
	ww_buf_clear(&out);
	ww_jsonw_init(&w, &out);
	ww_jsonw_object(&w, NULL);
	ww_instrument_host(i, &w);
	ww_jsonw_end_object(&w);
	is(&out,
	   "{\"host\":\"h\",\"kernel\":null,\"machine\":null,\"bootId\":null,\"policy\":\"c\","
	   "\"monitorVersion\":\"2\",\"hostFactsFrom\":\"the monitor's record of its last start in "
	   "the period\"}");
}

#define PROBES(word) "{\"event\":\"probes-" word "\",\"text\":\"/l\"}"
#define DIGEST(sha)                                                               \
	"{\"event\":\"tls-library\",\"text\":\"/l\",\"library\":{\"sha256\":" sha \
	",\"buildId\":null}}"
#define DIGEST_OF_OTHER "{\"event\":\"tls-library\",\"text\":\"/m\",\"library\":{\"sha256\":\"x\"}}"

/* A file's digest is the one that came behind its last probes. */
static void test_libraries(void **state)
{
	static const struct {
		const char *life[4];
		const char *want;
	} cases[] = {
		{{PROBES("attached"), DIGEST("\"a\"")},
		 "true,\"index\":0,\"sha256\":\"a\",\"buildId\":null,\"digestIndex\":1}]"},
		{{PROBES("attached"), DIGEST("\"a\""), PROBES("attached")}, "true,\"index\":2}]"},
		{{PROBES("attached"), DIGEST("\"a\""), PROBES("attached"), DIGEST("\"b\"")},
		 "true,\"index\":2,\"sha256\":\"b\",\"buildId\":null,\"digestIndex\":3}]"},
		{{PROBES("failed"), DIGEST_OF_OTHER, DIGEST("null")},
		 "false,\"index\":0,\"sha256\":null,\"buildId\":null,\"digestIndex\":2}]"},
		{{PROBES("attached"), DIGEST_OF_OTHER}, "true,\"index\":0}]"},
	};

	for (size_t n = 0; n < WW_ARRAY_SIZE(cases); n++) {
		WW_AUTO(ww_instrument_free_auto) struct ww_instrument *i = NULL;
		WW_AUTO_BUF struct ww_buf out = {0};
		struct ww_jsonw w;
		char want[256];

		assert_int_equal(ww_instrument_new(&i), 0);
		for (size_t k = 0; k < 4 && cases[n].life[k]; k++)
			assert_int_equal(ww_instrument_add(i, k, ww_slice_str(cases[n].life[k])),
					 0);
		ww_buf_init(&out, 1u << 16);
		ww_jsonw_init(&w, &out);
		ww_instrument_write(i, &w);
		snprintf(want, sizeof(want), "\"tlsLibraries\":[{\"path\":\"/l\",\"attached\":%s",
			 cases[n].want);
		assert_true(has(&out, want));
	}
}

/* The ledger of a tape: its facts are the tape's, and it says so. */
static void test_tape(void **state)
{
	WW_AUTO(ww_instrument_free_auto) struct ww_instrument *i = NULL;
	WW_AUTO_BUF struct ww_buf out = {0};
	struct ww_jsonw w;

	assert_int_equal(ww_instrument_new(&i), 0);
	assert_int_equal(
		ww_instrument_add(i, 0,
				  WW_SLICE_LIT("{\"event\":\"replay\",\"version\":\"3\","
					       "\"contracts\":\"c\",\"tape\":{\"sha256\":"
					       "\"s\",\"end\":\"cut off\",\"kernel\":\"k\","
					       "\"bootId\":\"b\",\"version\":\"2\"}}")),
		0);
	ww_buf_init(&out, 1u << 16);
	ww_jsonw_init(&w, &out);
	ww_jsonw_object(&w, NULL);
	ww_instrument_host(i, &w);
	ww_jsonw_end_object(&w);
	is(&out,
	   "{\"host\":null,\"kernel\":\"k\",\"machine\":null,\"bootId\":\"b\",\"policy\":\"c\","
	   "\"monitorVersion\":\"3\",\"tape\":\"s\",\"tapeEnd\":\"cut off\",\"hostFactsFrom\":"
	   "\"the tape whose events were replayed\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_claims),
		cmocka_unit_test(test_destinations),
		cmocka_unit_test(test_destinations_quic),
		cmocka_unit_test(test_destinations_ceiling),
		cmocka_unit_test(test_instrument),
		cmocka_unit_test(test_libraries),
		cmocka_unit_test(test_tape),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
