/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/contract.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "base/buf.h"

#define HEAD "version: 1\ncontracts:\n"
#define GOOD                                                                              \
	HEAD "- tool: t\n"                                                                \
	     "  effect: network\n"                                                        \
	     "  destinations: [{name: api.example.com, cidr: [10.0.0.0/8], port: 443}]\n" \
	     "  methods: [POST]\n"                                                        \
	     "  paths: [/v1/things]\n"

#define CONTROL_NEXT(name) \
	"  - {name: " name ", destinations: [{name: authz}], methods: [POST], paths: [/d]"
#define CONTROL(name) "  controls:\n" CONTROL_NEXT(name)

/* Of keys that were made for this file. */
#define ED25519 "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="
#define P256                                                               \
	"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEKL1RKRq33QxJA3VddjHGmH3jiIpF" \
	"XX6gP1Kx2Y3c2RzhrNwRwz8uwqFJX1sTTdE5C3p0Vnp9tZnGHtpcXaH2Qw=="
#define ATTESTER(name, key) "  - {name: " name ", key: \"" key "\"}\n"

static struct ww_endpoint endpoint(const char *addr, uint16_t port)
{
	struct ww_endpoint e = {.family = strchr(addr, ':') ? AF_INET6 : AF_INET, .port = port};

	assert_int_equal(inet_pton(e.family, addr, e.addr), 1);
	return e;
}

static struct ww_contracts *load(const char *yaml)
{
	struct ww_contract_error e = {0};
	struct ww_contracts *c = NULL;
	int r = ww_contracts_parse(ww_slice_str(yaml), &c, &e);

	if (r < 0)
		print_error("line %u: %s\n", e.line, e.text);
	assert_int_equal(r, 0);
	return c;
}

struct bad {
	const char *yaml;
	unsigned line;
	const char *says; /* part of the message */
};

static void refuse(const struct bad *b)
{
	struct ww_contract_error e = {0};
	struct ww_contracts *c = (void *)1;
	int r = ww_contracts_parse(ww_slice_str(b->yaml), &c, &e);

	if (r != -EINVAL || e.line != b->line || !strstr(e.text, b->says))
		print_error("%s\n-> %d, line %u: %s\n", b->yaml, r, e.line, e.text);
	assert_int_equal(r, -EINVAL);
	assert_ptr_equal(c, (void *)1); /* output unchanged on failure */
	assert_int_equal(e.line, b->line);
	assert_non_null(strstr(e.text, b->says));
	assert_null(strchr(e.text, '\n'));
}

static void test_refused_with_line_and_expectation(void **state)
{
	static const struct bad bads[] = {
		{"", 1, "a mapping with version and contracts"},
		{"hello", 1, "expected a mapping, found \"hello\""},
		{"version: 2\ncontracts: []\n", 1, "expected version 1, found \"2\""},
		{"version: 1\n", 1, "the key contracts"},
		{"contracts: []\n", 1, "the key version"},
		{"version: 1\ncontracts: []\nextra: 1\n", 3, "one of the keys version, contracts"},
		{"version: 1\nversion: 1\ncontracts: []\n", 2, "every key once"},
		{"version: 1\ncontracts: []\n---\nversion: 1\n", 3, "one document"},
		{"version: 1\ncontracts: {}\n", 2, "expected a list, found a mapping"},
		{"version: 1\ncontracts: [\n", 3, "not YAML: "},
		{"version: 1\ncontracts:\n- tool: \"t\n  effect: none\n", 5,
		 "while scanning a quoted scalar from line 3"},
		{HEAD "- tool: t\n\teffect: none\n", 4, "not YAML: a tab"},
		{HEAD "- tool: t\n  effect: n\xe9\n", 4, "UTF-8"},
		{HEAD "- effect: none\n", 3, "the key tool"},
		{HEAD "- tool: t\n", 3, "the key effect"},
		{HEAD "- tool: t\n  effect: magic\n", 4,
		 "network, read, local, process, file, none or remote"},
		{HEAD "- tool: t\n  effect: network\n", 3, "destinations"},
		{HEAD "- tool: ''\n  effect: none\n", 3, "a tool name, found nothing"},
		{HEAD "- tool: a\n  effect: none\n- tool: a\n  effect: none\n", 5,
		 "no contract yet, found \"a\""},
		{HEAD "- tool: t\n  effect: none\n  methods: [GET]\n", 3, "no keys of a request"},
		{HEAD "- tool: t\n  effect: file\n  programs: [a]\n", 3, "effect is process"},
		{HEAD "- tool: t\n  effect: process\n  files: [/a]\n", 3, "effect is file"},
		{GOOD "  files: [/a]\n", 3, "effect is file"},
		{HEAD "- tool: t\n  effect: process\n  exit: 0\n", 3, "programs beside exit"},
		{HEAD "- tool: t\n  effect: file\n  changes: [written]\n", 3,
		 "files beside changes"},
		{HEAD "- tool: t\n  effect: file\n  files: [a/b]\n", 5, "an absolute path"},
		{HEAD "- tool: t\n  effect: file\n  files: [/a/../b]\n", 5, "an absolute path"},
		{HEAD "- tool: t\n  effect: file\n  files: [/a/]\n", 5, "an absolute path"},
		{HEAD "- tool: t\n  effect: file\n  files: ['/a/**/b']\n", 5, "an absolute path"},
		{HEAD "- tool: t\n  effect: file\n  files: ['/a/*.txt']\n", 5, "an absolute path"},
		{HEAD "- tool: t\n  effect: file\n  files: ['/a/{}']\n", 5, "an absolute path"},
		{HEAD "- tool: t\n  effect: file\n  files: ['/a/{b}{c}']\n", 5, "an absolute path"},
		{HEAD "- tool: t\n  effect: file\n  files: ['/a/b}']\n", 5, "an absolute path"},
		{HEAD "- tool: t\n  effect: file\n  changes: [touched]\n", 5,
		 "written, renamed or removed"},
		{HEAD "- tool: t\n  effect: process\n  programs: [bin/a]\n", 5, "pg_dump"},
		{HEAD "- tool: t\n  effect: process\n  programs: [a]\n  exit: 256\n", 6,
		 "an exit status"},
		{HEAD "- tool: t\n  effect: process\n  programs: [a]\n  exit: 2-1\n", 6,
		 "an exit status"},
		{GOOD "  methods: [GET]\n", 8, "every key once"},
		{GOOD "  id_path: id\n", 8, "$.data.id"},
		{GOOD "  answer_paths: [id]\n", 8, "$.data.id"},
		{GOOD "  readback: {path: '/v1/things/{id}', id_path: $.id}\n", 8,
		 "id_path beside readback, found none"},
		{GOOD "  id_path: $.id\n  readback: {path: /v1/things, id_path: $.id}\n", 9,
		 "one segment {id}"},
		{GOOD "  id_path: $.id\n  readback: {path: '/{id}/{id}', id_path: $.id}\n", 9,
		 "one segment {id}"},
		{GOOD "  id_path: $.id\n  readback: {path: '/{id}/**', id_path: $.id}\n", 9,
		 "one segment {id}"},
		{GOOD "  id_path: $.id\n  readback: {id_path: $.id}\n", 9, "the key path"},
		{GOOD "  id_path: $.id\n  readback: {path: '/{id}'}\n", 9, "the key id_path"},
		{GOOD "  bulk: {items: $.r}\n", 8, "status_path or body"},
		{GOOD "  bulk: {items: $.r, status: 2xx}\n", 8, "status_path beside status"},
		{GOOD "  bulk: {status_path: $.s}\n", 8, "the key items"},
		{HEAD "- tool: t\n  effect: read\n  destinations: [{name: a}]\n  methods: [GET]\n"
		      "  paths: [/]\n  async_deadline: 5s\n",
		 3, "when effect is read"},
		{HEAD "- tool: t\n  effect: process\n  controls: []\n", 5, "at least one entry"},
		{GOOD "  controls:\n  - {name: c}\n", 9, "the key destinations"},
		{GOOD CONTROL("a") ", same: turn}\n", 9, "trace or actor"},
		{GOOD CONTROL("a") ", same: conversation}\n", 9, "trace or actor"},
		{GOOD CONTROL("a") ", order: after}\n", 9, "the order before"},
		{GOOD CONTROL("a") ", subject: [$.a]}\n", 9, "two paths"},
		{GOOD CONTROL("a") ", subject: [$.a, $.b, $.c]}\n", 9, "at most 2 entries"},
		{GOOD CONTROL("a") ", max_age_s: 0}\n", 9, "seconds"},
		{GOOD CONTROL("a") ", max_uses: 0}\n", 9, "a number of actions"},
		{GOOD CONTROL("a") "}\n" CONTROL_NEXT("a") "}\n", 10,
		 "a control that the contract"},
		{GOOD "  attesters: []\n", 8, "at least one entry"},
		{GOOD "  attesters:\n" ATTESTER("a b", ED25519), 9, "letters, digits"},
		{GOOD "  attesters:\n  - {name: a}\n", 9, "the key key"},
		{GOOD "  attesters:\n  - {name: a, key: abcd}\n", 9, "SubjectPublicKeyInfo"},
		{GOOD
		 "  attesters:\n" ATTESTER("a", "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbL"
						"DFw4rXAxZu=="),
		 9, "SubjectPublicKeyInfo"},
		/* X25519: it signs nothing */
		{GOOD
		 "  attesters:\n" ATTESTER("a", "MCowBQYDK2VuAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbL"
						"DFw4rXAxZuE="),
		 9, "SubjectPublicKeyInfo"},
		{GOOD "  attesters:\n" ATTESTER("a", ED25519) ATTESTER("a", P256), 10,
		 "has not yet"},
		{GOOD "  attesters:\n" ATTESTER("a", ED25519) ATTESTER("b", ED25519), 10,
		 "has not yet"},
		{GOOD "  async_deadline: 30\n", 8, "30s, 5m or 2h"},
		{GOOD "  async_deadline: 31d\n", 8, "at most 30d"},
		{GOOD "  async_deadline: 0s\n", 8, "30s"},
		{GOOD "  async_deadline: 99999999999999999999s\n", 8, "30s"},
		{GOOD "  deferred: yes\n", 8, "true or false"},
		{GOOD "  success: {status: 2x}\n", 8, "a status"},
		{GOOD "  success: {status: 299-200}\n", 8, "a status range"},
		{GOOD "  success: {status: 700}\n", 8, "a status"},
		{GOOD "  success:\n    body:\n    - path: $.a\n      path: $.b\n", 11, "every key"},
		{GOOD "  success:\n    body:\n    - exists: true\n", 10, "the key path"},
		{GOOD "  success:\n    body:\n    - {path: $.a, exists: false, equals: x}\n", 10,
		 "exists: false or equals, found both"},
		{GOOD "  success:\n    body:\n    - {path: 'a.b'}\n", 10, "a path such as"},
		{GOOD "  success:\n    body: []\n", 9, "at least one entry"},
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(bads); i++)
		refuse(&bads[i]);
}

/* Editors of other systems put a byte order mark and CR LF. */
static void test_foreign_text(void **state)
{
	WW_AUTO(ww_contracts_free_auto) struct ww_contracts *bom = load("\xef\xbb\xbf" GOOD);
	WW_AUTO(ww_contracts_free_auto)
	struct ww_contracts *crlf =
		load("version: 1\r\ncontracts:\r\n- tool: t\r\n  effect: none\r\n");

	assert_non_null(ww_contracts_find(bom, "t"));
	assert_non_null(ww_contracts_find(crlf, "t"));
}

static void test_refused_destinations(void **state)
{
#define DEST(d)                    \
	HEAD "- tool: t\n"         \
	     "  effect: network\n" \
	     "  methods: [POST]\n" \
	     "  paths: [/x]\n"     \
	     "  destinations:\n"   \
	     "  - " d "\n"
	static const struct bad bads[] = {
		{DEST("{}"), 8, "name, cidr or program"},
		{DEST("{port: 443}"), 8, "name, cidr or program"},
		{DEST("{program: node}"), 8, "the whole path"},
		{DEST("{program: /bin/x, name: a}"), 8, "program alone"},
		{DEST("{program: /bin/x, port: 1}"), 8, "program alone"},
		{DEST("{program: /bin/x}"), 3, "mcp_tool beside"},
		{DEST("{name: '*'}"), 8, "host name"},
		{DEST("{name: 'a..b'}"), 8, "host name"},
		{DEST("{name: 'a.example:443'}"), 8, "without a port"},
		{DEST("{name: 'https://a.example'}"), 8, "host name"},
		{DEST("{name: '*.a.*.b'}"), 8, "host name"},
		{DEST("{cidr: [10.0.0.1/8]}"), 8, "host bits zero"},
		{DEST("{cidr: [10.0.0.0/33]}"), 8, "a network such as"},
		{DEST("{cidr: [10.0.0/8]}"), 8, "a network such as"},
		{DEST("{cidr: ['::ffff:10.0.0.0/104']}"), 8, "a network such as"},
		{DEST("{cidr: [10.0.0.0/8x]}"), 8, "a network such as"},
		{DEST("{cidr: []}"), 8, "at least one entry"},
		{DEST("{cidr: 10.0.0.0/8}"), 8, "expected a list"},
		{DEST("{cidr: [127.0.0.0/8]}"), 8, "allow_loopback: true"},
		{DEST("{cidr: ['::1']}"), 8, "allow_loopback: true"},
		{DEST("{name: a, port: 0}"), 8, "1 to 65535"},
		{DEST("{name: a, port: 65536}"), 8, "1 to 65535"},
		{DEST("{name: a, port: -1}"), 8, "1 to 65535"},
		{DEST("{name: a, host: b}"), 8, "name, program, cidr, port, allow_loopback"},
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(bads); i++)
		refuse(&bads[i]);
}

static void test_refused_requests(void **state)
{
#define REQ(m, p)                            \
	HEAD "- tool: t\n"                   \
	     "  effect: network\n"           \
	     "  destinations: [{name: a}]\n" \
	     "  methods: " m "\n"            \
	     "  paths: " p "\n"
	static const struct bad bads[] = {
		{REQ("[post]", "[/x]"), 6, "capitals"},
		{REQ("[]", "[/x]"), 6, "at least one"},
		{REQ("POST", "[/x]"), 6, "expected a list"},
		{REQ("[POST]", "[x]"), 7, "a path template"},
		{REQ("[POST]", "[/a?b=c]"), 7, "a path template"},
		{REQ("[POST]", "['/a/../b']"), 7, "a path template"},
		{REQ("[POST]", "['/**/b']"), 7, "a path template"},
		{REQ("[POST]", "['/a{id}']"), 7, "a path template"},
		{REQ("[POST]", "['/{}']"), 7, "a path template"},
		{REQ("[POST]", "['//a']"), 7, "a path template"},
		{REQ("[POST]", "['/a b']"), 7, "a path template"},
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(bads); i++)
		refuse(&bads[i]);
}

static void test_bombs_are_refused(void **state)
{
	static const struct bad bads[] = {
		{"a: &a [x]\nb: *a\n", 1, "one of the keys"},
		{"version: &v 1\ncontracts: []\n", 1, "an anchor, alias or tag"},
		{"version: 1\ncontracts: &c []\n", 2, "an anchor, alias or tag"},
		{"version: 1\ncontracts: [*x]\n", 2, "an anchor, alias or tag"},
		{"version: !!int 1\ncontracts: []\n", 1, "an anchor, alias or tag"},
		{"? [a]\n: 1\n", 1, "one of the keys"},
		{"<<: {version: 1}\n", 1, "one of the keys"},
		{HEAD "- tool: \"a\\nb\"\n  effect: none\n", 3, "a tool name"},
		{HEAD "- tool: \"a\\0b\"\n  effect: none\n", 3, "a tool name"},
	};
	struct ww_contract_error e;
	struct ww_contracts *c = NULL;
	char *deep = malloc(200000);

	for (unsigned i = 0; i < WW_ARRAY_SIZE(bads); i++)
		refuse(&bads[i]);
	assert_non_null(deep);
	memset(deep, '[', 200000);
	assert_int_equal(ww_contracts_parse(ww_slice(deep, 200000), &c, &e), -EINVAL);
	memset(deep, 'a', 200000);
	assert_int_equal(ww_contracts_parse(ww_slice(deep, 200000), &c, &e), -EINVAL);
	free(deep);
}

static void test_ceilings(void **state)
{
	struct ww_contract_error e;
	struct ww_contracts *c = NULL;
	struct ww_buf b;
	char line[96];
	unsigned i;

	ww_buf_init(&b, WW_CONTRACT_FILE_BYTES + 1);
	assert_int_equal(ww_buf_add(&b, HEAD, strlen(HEAD)), 0);
	for (i = 0; i <= WW_CONTRACTS_MAX; i++) {
		snprintf(line, sizeof(line), "- {tool: t%u, effect: none}\n", i);
		assert_int_equal(ww_buf_add(&b, line, strlen(line)), 0);
		if (i + 1 == WW_CONTRACTS_MAX) {
			assert_int_equal(ww_contracts_parse(ww_buf_slice(&b), &c, &e), 0);
			assert_int_equal(c->count, WW_CONTRACTS_MAX);
			ww_contracts_free(c);
		}
	}
	assert_int_equal(ww_contracts_parse(ww_buf_slice(&b), &c, &e), -EINVAL);
	assert_int_equal(e.line, 3 + WW_CONTRACTS_MAX);
	while (b.n <= WW_CONTRACT_FILE_BYTES)
		assert_int_equal(ww_buf_add(&b, "#", 1), 0);
	assert_int_equal(ww_contracts_parse(ww_buf_slice(&b), &c, &e), -EFBIG);
	ww_buf_done(&b);
}

static void test_reads_everything(void **state)
{
	struct ww_contracts *c = load(HEAD "- tool: make\n"
					   "  effect: network\n"
					   "  destinations:\n"
					   "  - {name: \"*.Example.COM\", cidr: [10.1.0.0/16, "
					   "\"2001:db8::/32\"], port: 8443}\n"
					   "  - {cidr: [127.0.0.1], allow_loopback: true}\n"
					   "  methods: [POST, PUT]\n"
					   "  paths: [/v1/a, \"/v1/a/{id}/b\"]\n"
					   "  success:\n"
					   "    status: 200-202\n"
					   "    body:\n"
					   "    - {path: $.error, exists: false}\n"
					   "    - {path: \"$['a b'][0]\", equals: \"1\"}\n"
					   "  id_path: $.id\n"
					   "  answer_paths: [$.id, $.a.b]\n"
					   "  async_deadline: 5m\n"
					   "  deferred: true\n"
					   "- {tool: think, effect: none}\n");
	const struct ww_contract *m = ww_contracts_find(c, "make");

	assert_non_null(m);
	assert_null(ww_contracts_find(c, "Make"));
	assert_int_equal(ww_contracts_find(c, "think")->effect, WW_EFFECT_NONE);
	assert_int_equal(m->effect, WW_EFFECT_NETWORK);
	assert_string_equal(m->call.destinations[0].name, "*.example.com");
	assert_int_equal(m->call.destinations[0].cidr_count, 2);
	assert_int_equal(m->call.destinations[0].cidrs[1].bits, 32);
	assert_int_equal(m->call.destinations[0].port, 8443);
	assert_true(m->call.destinations[1].allow_loopback);
	assert_int_equal(m->call.destinations[1].cidrs[0].bits, 32);
	assert_int_equal(m->call.method_count, 2);
	assert_string_equal(m->call.paths[1], "/v1/a/{id}/b");
	assert_int_equal(m->success.status_min, 200);
	assert_int_equal(m->success.status_max, 202);
	assert_false(m->success.rules[0].exists);
	assert_string_equal(m->success.rules[1].equals, "1");
	assert_string_equal(m->id_path, "$.id");
	assert_int_equal(m->answer_path_count, 2);
	assert_string_equal(m->answer_paths[1], "$.a.b");
	assert_int_equal(m->deadline_s, 300);
	assert_true(m->deferred);
	ww_contracts_free(c);
}

static void test_digest_is_of_the_bytes(void **state)
{
	struct ww_contracts *a = load(GOOD), *b = load(GOOD "#\n");
	struct ww_sha256 want;

	ww_sha256(ww_slice_str(GOOD), &want);
	assert_memory_equal(a->digest.b, want.b, WW_SHA256_LEN);
	assert_memory_not_equal(a->digest.b, b->digest.b, WW_SHA256_LEN);
	ww_contracts_free(a);
	ww_contracts_free(b);
}

static bool reaches(const struct ww_contract *c, const char *name, const char *addr, uint16_t port)
{
	struct ww_endpoint e = endpoint(addr, port);

	return ww_pattern_destination(&c->call, name, &e);
}

static void test_destinations(void **state)
{
	struct ww_contracts *c =
		load(HEAD "- tool: t\n"
			  "  effect: network\n"
			  "  destinations:\n"
			  "  - {name: pay.example.com, cidr: [10.77.2.0/24], port: 8443}\n"
			  "  - {name: \"*.svc.example\"}\n"
			  "  - {cidr: [\"2001:db8:1::/48\"]}\n"
			  "  methods: [POST]\n"
			  "  paths: [/x]\n");
	const struct ww_contract *t = &c->items[0];
	struct ww_endpoint e;

	assert_true(reaches(t, "pay.example.com", "10.77.2.9", 8443));
	assert_true(reaches(t, "PAY.example.com:8443", "10.77.2.9", 8443));
	assert_true(reaches(t, "pay.example.com.", "::ffff:10.77.2.9", 8443));
	/* one of the three wrong */
	assert_false(reaches(t, "pay.example.com", "10.77.3.9", 8443));
	assert_false(reaches(t, "pay.example.com", "10.77.2.9", 443));
	assert_false(reaches(t, "pay.example.com.evil.example", "10.77.2.9", 8443));
	assert_false(reaches(t, "", "10.77.2.9", 8443));
	/* the stub on loopback */
	assert_false(reaches(t, "pay.example.com", "127.0.0.1", 8443));
	assert_false(reaches(t, "a.svc.example", "127.0.0.53", 443));
	assert_false(reaches(t, "a.svc.example", "::1", 443));
	assert_false(reaches(t, "a.svc.example", "::ffff:127.0.0.1", 443));
	/* wildcard: at least one label, not the name itself, not a tail of another */
	assert_true(reaches(t, "a.svc.example", "192.0.2.1", 1));
	assert_true(reaches(t, "a.b.svc.example", "192.0.2.1", 1));
	assert_false(reaches(t, "svc.example", "192.0.2.1", 1));
	assert_false(reaches(t, "asvc.example", "192.0.2.1", 1));
	assert_true(reaches(t, "", "2001:db8:1::5", 9));
	assert_true(reaches(t, "[2001:db8:1::5]:9", "2001:db8:1::5", 9));
	assert_false(reaches(t, "", "2001:db8:2::5", 9));
	/* by address alone: weaker */
	e = endpoint("10.77.2.9", 8443);
	assert_true(ww_pattern_address(&t->call, &e));
	e = endpoint("127.0.0.1", 8443);
	assert_false(ww_pattern_address(&t->call, &e));
	ww_contracts_free(c);
}

static void test_requests(void **state)
{
	struct ww_contracts *c =
		load(HEAD "- tool: t\n"
			  "  effect: network\n"
			  "  destinations: [{name: a}]\n"
			  "  methods: [POST, PATCH]\n"
			  "  paths: [/v1/refunds, \"/v1/r/{id}/x\", \"/w/**\", /]\n");
	const struct ww_contract *t = &c->items[0];
	static const char *const good[] = {
		"/v1/refunds",
		"/v1/refunds?a=/../b",
		"/v1/%72efunds",
		"https://a:8443/v1/refunds?q",
		"/v1/r/9/x",
		"/v1/r/..%2f/x",
		"/w/",
		"/w/a/b/c",
		"/",
	};
	/* What a server may take for it, or for another one. */
	static const char *const like[] = {
		"/v1/x/../refunds", "/v1/./refunds",        "/../v1/refunds",
		"/w/a/../b",        "/v1/refunds#fragment", "/v1/%2e/refunds",
	};
	static const char *const wrong[] = {
		"/v1/refunds/",
		"/v1/refunds/..",
		"/v1/refund",
		"/v1/Refunds",
		"/w",
		"/v1/r//x",
		"/v1/r/9/y",
		"/v1/r/9/x/z",
		"",
		"*",
		"a:443",
		"/w/../health",
		"/v1/%2frefunds",
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(good); i++) {
		if (!ww_pattern_request(&t->call, "POST", good[i]))
			fail_msg("should match: %s", good[i]);
	}
	for (unsigned i = 0; i < WW_ARRAY_SIZE(wrong); i++) {
		if (ww_pattern_request(&t->call, "POST", wrong[i]))
			fail_msg("should not match: %s", wrong[i]);
	}
	for (unsigned i = 0; i < WW_ARRAY_SIZE(good); i++)
		assert_true(ww_pattern_request_like(&t->call, "POST", good[i]));
	for (unsigned i = 0; i < WW_ARRAY_SIZE(like); i++) {
		if (ww_pattern_request(&t->call, "POST", like[i]) ||
		    !ww_pattern_request_like(&t->call, "POST", like[i]))
			fail_msg("should be only like it: %s", like[i]);
	}
	assert_true(ww_pattern_request_like(&t->call, "POST", "//v1//Refunds;a=b/"));
	assert_false(ww_pattern_request_like(&t->call, "POST", "/v1/refunds/x/y/z"));
	assert_false(ww_pattern_request_like(&t->call, "GET", "/v1/refunds"));
	assert_string_equal(ww_pattern_request(&t->call, "PATCH", "/"), "/");
	assert_string_equal(ww_pattern_request(&t->call, "POST", "/v1/r/alice/x"), "/v1/r/{id}/x");
	assert_null(ww_pattern_request(&t->call, "GET", "/v1/refunds"));
	assert_null(ww_pattern_request(&t->call, "post", "/v1/refunds"));
	ww_contracts_free(c);
}

/* The file that users copy must stay right. */
static void test_example_file(void **state)
{
	WW_AUTO_FREE char *text = malloc(65536);
	FILE *f = fopen("docs/examples/contracts.yaml", "r");
	struct ww_contracts *c;
	size_t n;

	if (!f)
		skip(); /* started outside the source tree */
	assert_non_null(text);
	n = fread(text, 1, 65535, f);
	fclose(f);
	text[n] = '\0';
	c = load(text);
	assert_non_null(ww_contracts_find(c, "refund_payment"));
	ww_contracts_free(c);
}

static void test_read_back(void **state)
{
	WW_AUTO(ww_contracts_free_auto)
	struct ww_contracts *all = load(
		GOOD "  id_path: $.id\n  readback: {path: '/v1/{kind}/{id}/full', id_path: $.x.id, "
		     "status: 200, body: [{path: $.x.s, equals: done}]}\n");
	const struct ww_readback *b = &all->items[0].readback;
	static const struct {
		const char *method, *target, *id;
	} rows[] = {
		{"GET", "/v1/things/r_9/full", "r_9"},
		{"GET", "https://api.example.com/v1/things/r_9/full?x=1", "r_9"},
		{"GET", "/v1/things/a%20b%2Fc/full", "a b/c"},
		{"GET", "/v1/things/%72_9/full", "r_9"},
		{"GET", "/v1/things/100%/full", "100%"},
		{"POST", "/v1/things/r_9/full", NULL},
		{"GET", "/v1/things/r_9", NULL},
		{"GET", "/v1/things//full", NULL},
		{"GET", "/v1/things/../things/r_9/full", NULL},
		{"GET", "/v1/things/r_9/full/x", NULL},
	};

	assert_string_equal(b->method, "GET");
	assert_int_equal(b->success.status_min, 200);
	assert_int_equal(b->success.status_max, 200);
	assert_int_equal(b->success.rule_count, 1);
	for (unsigned i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		uint8_t id[WW_READBACK_ID_MAX];
		size_t n = 0;

		assert_int_equal(ww_readback_request(b, rows[i].method, rows[i].target, id, &n),
				 rows[i].id != NULL);
		if (rows[i].id)
			assert_true(ww_slice_eq_str(ww_slice(id, n), rows[i].id));
	}
}

static void test_controls(void **state)
{
	WW_AUTO(ww_contracts_free_auto)
	struct ww_contracts *all =
		load(GOOD CONTROL("policy") ", allow: {status: 200, body: [{path: $.allow, equals: "
					    "true}]}, subject: [$.a, '$.b[0]'], "
					    "max_age_s: 60, max_uses: 3, same: trace, "
					    "order: before}\n" CONTROL_NEXT("approval") "}\n");
	const struct ww_contract *c = &all->items[0];
	const struct ww_control *k = &c->controls[0];

	assert_int_equal(c->control_count, 2);
	assert_string_equal(k->name, "policy");
	assert_int_equal(k->allow.status_max, 200);
	assert_string_equal(k->allow.rules[0].equals, "true");
	assert_int_equal(k->subject_count, 2);
	assert_string_equal(k->subject[1], "$.b[0]");
	assert_int_equal(k->max_age_s, 60);
	assert_int_equal(k->max_uses, 3);
	assert_int_equal(k->same, WW_CONTROL_SAME_TRACE);
	assert_string_equal(ww_control_same_name(k->same), "trace");
	assert_string_equal(ww_pattern_request(&k->call, "POST", "/d"), "/d");
	assert_int_equal(k->line, 9);
	k++;
	assert_int_equal(k->line, 10);
	assert_int_equal(k->same, WW_CONTROL_SAME_ACTOR);
	assert_int_equal(k->allow.status_min, 200);
	assert_int_equal(k->subject_count + k->max_age_s + k->max_uses, 0);
}

static void test_attesters(void **state)
{
	WW_AUTO(ww_contracts_free_auto)
	struct ww_contracts *all = load(GOOD "  attesters:\n" ATTESTER("bank-1", ED25519) ATTESTER(
		"erp", P256) "- tool: u\n  effect: file\n  attesters:\n" ATTESTER("erp", P256));
	const struct ww_contract *c = &all->items[0];
	char text[WW_ATTESTER_BASE64_MAX + 1];

	assert_int_equal(c->attester_count, 2);
	assert_string_equal(c->attesters[0].name, "bank-1");
	assert_int_equal(c->attesters[0].type, WW_ATTESTER_ED25519);
	assert_int_equal(ww_attester_raw(&c->attesters[0]).n, 32);
	ww_attester_key_text(&c->attesters[0], text);
	assert_string_equal(text, ED25519);
	assert_int_equal(c->attesters[1].type, WW_ATTESTER_P256);
	ww_attester_key_text(&c->attesters[1], text);
	assert_string_equal(text, P256);
	assert_true(ww_attester_same_key(&c->attesters[1], &all->items[1].attesters[0]));
	assert_false(ww_attester_same_key(&c->attesters[0], &c->attesters[1]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attesters),
		cmocka_unit_test(test_refused_with_line_and_expectation),
		cmocka_unit_test(test_foreign_text),
		cmocka_unit_test(test_refused_destinations),
		cmocka_unit_test(test_read_back),
		cmocka_unit_test(test_controls),
		cmocka_unit_test(test_refused_requests),
		cmocka_unit_test(test_bombs_are_refused),
		cmocka_unit_test(test_ceilings),
		cmocka_unit_test(test_reads_everything),
		cmocka_unit_test(test_digest_is_of_the_bytes),
		cmocka_unit_test(test_destinations),
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_example_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
