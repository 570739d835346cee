/* SPDX-License-Identifier: Apache-2.0 */
/* Attacks the invariants of named.h, by number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../lib/events.h"
#include "base/json.h"
#include "base/json_write.h"
#include "dns_messages.h"
#include "proto/named.h"

#define SECOND 1000000000ull

static struct ww_named *named;
static struct ww_flow flow;
static uint64_t serial, born; /* of the connecting process; 0: as who asked */
static char said[16384];      /* the member "dns" of the flow, "" when there is none */

static int begin(void **state)
{
	serial = born = 0;
	flow = (struct ww_flow){0};
	return ww_named_new(&named);
}

static int finish(void **state)
{
	ww_named_release(&flow);
	ww_named_free(named);
	return 0;
}

/* What a process of a scope was answered. */
static void told(uint64_t cgroup, uint32_t pid, uint64_t t, const struct dns_message *m)
{
	static struct ww_dns answer;
	struct ww_lookup l = {.cookie = 1,
			      .serial = serial++,
			      .actor = {.pid = pid, .start_ns = pid},
			      .cgroup = cgroup,
			      .answered = {t},
			      .answer = &answer};
	struct ww_parse_error error;

	assert_int_equal(ww_dns_parse(ww_slice(m->bytes, m->n), m->n, &answer, &error),
			 WW_PARSE_DONE);
	l.name = answer.name;
	l.type = answer.type;
	assert_int_equal(ww_named_answer(named, &l), 0);
}

static void tell(uint64_t cgroup, uint32_t pid, uint64_t t, const char *name, const char *address)
{
	struct dns_message m = dns_make(1, true, name, WW_DNS_A);

	dns_add_a(&m, name, 60, address);
	told(cgroup, pid, t, &m);
}

/* What the flow's record says, in `said`. */
static void read_flow(void)
{
	WW_AUTO_BUF struct ww_buf b = {0};
	struct ww_jsonw w;

	ww_buf_init(&b, sizeof(said) - 1);
	ww_jsonw_init(&w, &b);
	ww_jsonw_object(&w, NULL);
	ww_named_write(&flow, &w);
	ww_jsonw_end_object(&w);
	assert_true(ww_jsonw_ok(&w));
	memcpy(said, b.p, b.n);
	said[b.n] = '\0';
}

static void connect_to(uint64_t cgroup, uint32_t pid, uint64_t t, struct ww_endpoint peer)
{
	flow.owner = (struct ww_actor_key){.pid = pid, .start_ns = born ? born : pid};
	flow.cgroup = cgroup;
	flow.peer = peer;
	assert_int_equal(ww_named_connect(named, &flow, (struct ww_boot){t}), 0);
	read_flow();
}

/* "to: name, name" */
static void must_say(const char *wanted)
{
	char got[2048] = "";
	struct ww_json_token t;
	size_t n = 0;

	if (ww_json_path(ww_slice_str(said), "$.dns.to", &t, NULL) == WW_PARSE_DONE)
		n += (size_t)snprintf(got, sizeof(got), "%.*s:", (int)t.raw.n,
				      (const char *)t.raw.p);
	for (unsigned i = 0; i < 16; i++) {
		char path[48];

		snprintf(path, sizeof(path), "$.dns.names[%u].name", i);
		if (ww_json_path(ww_slice_str(said), path, &t, NULL) == WW_PARSE_DONE)
			n += (size_t)snprintf(got + n, sizeof(got) - n, " %.*s", (int)t.raw.n,
					      (const char *)t.raw.p);
	}
	assert_string_equal(got, wanted);
}

static void must_have(const char *text)
{
	if (!strstr(said, text))
		fail_msg("no %s in %s", text, said);
}

/* --- invariant 1 ---------------------------------------------------------------------------------
 */

static void aliases_lead_to_addresses(void **state)
{
	struct dns_message m = dns_make(1, true, "www.test", WW_DNS_A);

	/* Out of order, with records of nobody's beside them. */
	dns_add_a(&m, "edge.cdn.test", 300, "10.0.0.1");
	dns_add_a(&m, "other.test", 300, "10.0.0.2");
	dns_add_alias(&m, "mid.test", 20, "edge.cdn.test");
	dns_add_alias(&m, "www.test", 40, "mid.test");
	dns_add_a(&m, "www.test", 300, "10.0.0.3"); /* beside an alias: of nobody's */
	told(1, 7, SECOND, &m);
	connect_to(1, 7, 21 * SECOND - 1, ev_endpoint("10.0.0.1", 443));
	must_say("process: www.test");
	must_have("\"ttl\":20,\"expired\":false");
	must_have("\"ageNs\":19999999999");
	connect_to(1, 7, 21 * SECOND, ev_endpoint("10.0.0.1", 443));
	must_have("\"ttl\":20,\"expired\":true");
	connect_to(1, 7, 2 * SECOND, ev_endpoint("10.0.0.2", 443));
	assert_string_equal(said, "{}");
	connect_to(1, 7, 2 * SECOND, ev_endpoint("10.0.0.3", 443));
	assert_string_equal(said, "{}");
}

static void must_not_follow_circles(void **state)
{
	struct dns_message m = dns_make(1, true, "a.test", WW_DNS_A);
	char name[32] = "a0.test", next[32];

	dns_add_alias(&m, "a.test", 60, "b.test");
	dns_add_alias(&m, "b.test", 60, "a.test");
	dns_add_a(&m, "a.test", 60, "10.0.0.1");
	told(1, 7, 1, &m);
	connect_to(1, 7, 2, ev_endpoint("10.0.0.1", 443));
	assert_string_equal(said, "{}");
	for (unsigned n = WW_NAMED_ALIASES_MAX; n < WW_NAMED_ALIASES_MAX + 2; n++) {
		m = dns_make(1, true, "a0.test", WW_DNS_A);
		for (unsigned i = 0; i < n; i++) {
			snprintf(name, sizeof(name), "a%u.test", i);
			snprintf(next, sizeof(next), "a%u.test", i + 1);
			dns_add_alias(&m, name, 60, next);
		}
		dns_add_a(&m, next, 60, n == WW_NAMED_ALIASES_MAX ? "10.0.0.4" : "10.0.0.5");
		told(1, 7, 1, &m);
	}
	connect_to(1, 7, 2, ev_endpoint("10.0.0.4", 443));
	must_say("process: a0.test");
	connect_to(1, 7, 2, ev_endpoint("10.0.0.5", 443));
	assert_string_equal(said, "{}");
}

static void families_and_hints(void **state)
{
	static const uint8_t six[16] = {0xfd, [15] = 1};
	static const uint8_t mapped[16] = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 9};
	struct dns_message m = dns_make(1, true, "six.test", WW_DNS_AAAA);
	struct ww_endpoint e = {.family = 10, .port = 443};

	dns_add(&m, "six.test", WW_DNS_AAAA, 60, six, 16);
	dns_add(&m, "six.test", WW_DNS_AAAA, 60, mapped, 16);
	told(1, 7, 1, &m);
	m = dns_make(1, true, "svc.test", WW_DNS_HTTPS);
	dns_add(&m, "svc.test", WW_DNS_HTTPS, 60, "\0\1\0\0\4\0\4\12\0\0\7", 11);
	told(1, 7, 1, &m);
	memcpy(e.addr, six, 16);
	connect_to(1, 7, 2, e);
	must_say("process: six.test");
	/* The first four bytes of another family. */
	connect_to(1, 7, 2, ev_endpoint("253.0.0.0", 443));
	assert_string_equal(said, "{}");
	connect_to(1, 7, 2, ev_endpoint("10.0.0.9", 443));
	must_say("process: six.test");
	memcpy(e.addr, mapped, 16);
	e.addr[15] = 7;
	connect_to(1, 7, 2, e);
	must_say("process: svc.test");
	must_have("\"type\":\"HTTPS\"");
}

/* --- invariant 2 ---------------------------------------------------------------------------------
 */

static void own_names_go_first(void **state)
{
	tell(1, 7, 1, "mine.test", "10.0.0.1");
	tell(1, 8, 2, "theirs.test", "10.0.0.1");
	tell(1, 7, 3, "too.test", "10.0.0.1");
	tell(1, 9, 4, "theirs.test", "10.0.0.1");
	connect_to(1, 7, 5, ev_endpoint("10.0.0.1", 443));
	must_say("process: too.test mine.test");
	connect_to(1, 6, 5, ev_endpoint("10.0.0.1", 443));
	must_say("scope: theirs.test too.test mine.test");
	must_have("\"actor\":\"p9-9\"");
	/* Another scope was told nothing. */
	connect_to(2, 7, 5, ev_endpoint("10.0.0.1", 443));
	assert_string_equal(said, "{}");
	/* The same process number, born later, is another process. */
	born = 70;
	connect_to(1, 7, 5, ev_endpoint("10.0.0.1", 443));
	must_say("scope: theirs.test too.test mine.test");
}

static void the_answer_of_then_stands(void **state)
{
	char then[sizeof(said)];

	tell(1, 7, 10, "api.test", "10.0.0.1");
	connect_to(1, 7, 15, ev_endpoint("10.0.0.1", 443));
	must_have("\"lookup\":\"n-1-0\"");
	memcpy(then, said, sizeof(then));
	/* Asked again, and even forgotten: the connection was made before. */
	tell(1, 7, 20, "api.test", "10.0.0.1");
	tell(1, 7, 21, "new.test", "10.0.0.1");
	ww_named_left(named, 1);
	read_flow();
	assert_string_equal(said, then);
	/* Connected again, to somebody else. */
	connect_to(1, 7, 30, ev_endpoint("10.0.0.9", 443));
	assert_string_equal(said, "{}");
}

/* --- invariant 4: ceilings -----------------------------------------------------------------------
 */

static void many_names_of_one_address(void **state)
{
	char name[32];

	for (unsigned i = 0; i < WW_NAMED_ADDRESS_MAX; i++) {
		snprintf(name, sizeof(name), "n%u.test", i);
		tell(1, 7, i, name, "10.0.0.1");
	}
	connect_to(1, 7, 100, ev_endpoint("10.0.0.1", 443));
	must_say(
		"process: n63.test n62.test n61.test n60.test n59.test n58.test n57.test n56.test");
	must_have("\"more\":56");
	assert_null(strstr(said, "forgotten"));
	tell(1, 7, 64, "one.more.test", "10.0.0.1");
	connect_to(1, 7, 100, ev_endpoint("10.0.0.1", 443));
	must_have("\"more\":56,\"forgotten\":1");
	/* Told of all others in the scope, too. */
	connect_to(1, 7, 100, ev_endpoint("10.9.9.9", 443));
	assert_string_equal(said, "{\"dns\":{\"names\":[],\"forgotten\":1}}");
}

static void many_addresses_of_a_scope(void **state)
{
	char address[32];

	tell(2, 7, 0, "other.test", "10.0.0.1");
	for (unsigned i = 0; i <= WW_NAMED_SCOPE_MAX; i++) {
		snprintf(address, sizeof(address), "10.1.%u.%u", i / 256, i % 256);
		tell(1, 7, i + 1, "api.test", address);
	}
	connect_to(1, 7, 9999, ev_endpoint("10.1.0.0", 443));
	assert_string_equal(said, "{\"dns\":{\"names\":[],\"forgotten\":1}}");
	connect_to(1, 7, 9999, ev_endpoint("10.1.0.1", 443));
	must_say("process: api.test");
	connect_to(2, 7, 9999, ev_endpoint("10.0.0.1", 443));
	must_say("process: other.test");
	assert_null(strstr(said, "forgotten"));
}

static void many_scopes(void **state)
{
	char address[32];
	unsigned each = WW_NAMED_SCOPE_MAX / 2, scopes = WW_NAMED_MAX / each;

	for (unsigned s = 0; s < scopes; s++)
		for (unsigned i = 0; i < each; i++) {
			snprintf(address, sizeof(address), "10.1.%u.%u", i / 256, i % 256);
			tell(1 + s, 7, i + 1, "api.test", address);
		}
	/* Who has something gives of his own, who has nothing takes of the first. */
	tell(scopes, 7, 5000, "new.test", "10.2.0.1");
	connect_to(scopes, 7, 9999, ev_endpoint("10.1.0.0", 443));
	must_have("\"forgotten\":1");
	connect_to(1, 7, 9999, ev_endpoint("10.1.0.0", 443));
	must_say("process: api.test");
	tell(99, 7, 5000, "new.test", "10.2.0.1");
	connect_to(1, 7, 9999, ev_endpoint("10.1.0.0", 443));
	assert_string_equal(said, "{\"dns\":{\"names\":[],\"forgotten\":1}}");
	connect_to(99, 7, 9999, ev_endpoint("10.2.0.1", 443));
	must_say("process: new.test");
}

static void what_could_not_be_read(void **state)
{
	assert_int_equal(ww_named_unread(named, 1), 0);
	assert_int_equal(ww_named_unread(named, 1), 0);
	connect_to(1, 7, 1, ev_endpoint("10.0.0.1", 443));
	assert_string_equal(said, "{\"dns\":{\"names\":[],\"unread\":2}}");
	tell(1, 7, 0, "api.test", "10.0.0.1");
	connect_to(1, 7, 1, ev_endpoint("10.0.0.1", 443));
	must_say("process: api.test");
	must_have("\"unread\":2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(aliases_lead_to_addresses, begin, finish),
		cmocka_unit_test_setup_teardown(must_not_follow_circles, begin, finish),
		cmocka_unit_test_setup_teardown(families_and_hints, begin, finish),
		cmocka_unit_test_setup_teardown(own_names_go_first, begin, finish),
		cmocka_unit_test_setup_teardown(the_answer_of_then_stands, begin, finish),
		cmocka_unit_test_setup_teardown(many_names_of_one_address, begin, finish),
		cmocka_unit_test_setup_teardown(many_addresses_of_a_scope, begin, finish),
		cmocka_unit_test_setup_teardown(many_scopes, begin, finish),
		cmocka_unit_test_setup_teardown(what_could_not_be_read, begin, finish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
