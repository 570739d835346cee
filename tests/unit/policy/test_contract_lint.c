/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/contract_lint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define HEAD "version: 1\ncontracts:\n"
#define TO   "  destinations: [{name: api.test, cidr: [10.0.0.0/8]}]\n"
#define POST HEAD "- tool: t\n  effect: network\n" TO "  methods: [POST]\n  paths: [/v1/things]\n"

struct warned {
	unsigned count;
	unsigned line;
	char text[4096];
};

static void warn(void *ctx, unsigned line, const char *text)
{
	struct warned *w = ctx;
	size_t n = strlen(w->text);

	if (w->count++ == 0)
		w->line = line;
	snprintf(w->text + n, sizeof(w->text) - n, "%u: %s\n", line, text);
}

static struct warned lint(const char *yaml)
{
	WW_AUTO(ww_contracts_free_auto) struct ww_contracts *c = NULL;
	struct ww_contract_error e = {0};
	struct warned w = {0};

	if (ww_contracts_parse(ww_slice_str(yaml), &c, &e) < 0)
		fail_msg("line %u: %s", e.line, e.text);
	ww_contract_lint(c, warn, &w);
	return w;
}

static void test_nothing_to_ask(void **state)
{
	static const char *const rows[] = {
		POST,
		HEAD "- {tool: a, effect: none}\n- {tool: b, effect: process, programs: [/bin/b], "
		     "exit: 0}\n- {tool: c, effect: file, files: [/srv/c]}\n",
		POST "  success: {status: 204}\n",
		POST "  id_path: $.id\n  async_deadline: 5s\n  readback: {path: '/v1/things/{id}', "
		     "id_path: $.id, body: [{path: $.s, equals: done}]}\n",
		POST "- tool: u\n  effect: read\n" TO "  methods: [GET]\n  paths: [/v1/things]\n",
		POST "- tool: u\n  effect: network\n" TO
		     "  methods: [POST]\n  paths: [/v1/others]\n",
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		struct warned w = lint(rows[i]);

		if (w.count)
			fail_msg("%s\n%s", rows[i], w.text);
	}
}

static void test_suspicious(void **state)
{
	static const struct {
		const char *yaml;
		unsigned line;
		const char *says;
	} rows[] = {
		{HEAD "- tool: t\n  effect: network\n  destinations:\n  - name: api.test\n"
		      "  methods: [POST]\n  paths: [/x]\n",
		 6, "no cidr"},
		{HEAD "- tool: t\n  effect: network\n  destinations: [{cidr: [0.0.0.0/0]}]\n"
		      "  methods: [POST]\n  paths: [/x]\n",
		 5, "every address"},
		{HEAD "- tool: t\n  effect: network\n  destinations: [{cidr: [127.0.0.1], "
		      "allow_loopback: true}]\n  methods: [POST]\n  paths: [/x]\n",
		 5, "a stub on the same host"},
		{HEAD "- tool: t\n  effect: network\n" TO "  methods: [POST]\n  paths: [/**]\n", 3,
		 "every request"},
		{HEAD "- tool: t\n  effect: network\n" TO "  methods: [GET]\n  paths: [/x]\n", 3,
		 "effect read?"},
		{HEAD "- tool: t\n  effect: read\n" TO "  methods: [DELETE]\n  paths: [/x]\n", 3,
		 "effect network?"},
		{HEAD "- tool: t\n  effect: process\n", 3, "NOT_APPLICABLE is all"},
		{HEAD "- tool: t\n  effect: file\n", 3, "NOT_APPLICABLE is all"},
		{HEAD "- tool: t\n  effect: process\n  programs: [/bin/a]\n", 3, "no exit"},
		{HEAD "- tool: t\n  effect: process\n  programs: [a]\n  exit: 0\n", 3,
		 "without its path"},
		{HEAD "- tool: t\n  effect: file\n  files: [/**]\n", 3, "the root directory"},
		{POST "  success: {status: 204, body: [{path: $.a}]}\n", 8,
		 "has no body: the body"},
		{POST "  success:\n    status: 204\n  id_path: $.id\n", 9, "no id_path in it"},
		{POST "  success: {status: 4xx}\n", 8, "errors"},
		{POST "  success: {status: 200-399}\n", 8, "a redirect"},
		{POST "  async_deadline: 5s\n", 3, "the last word"},
		{POST "  success: {status: 202}\n  deferred: true\n  async_deadline: 5s\n", 8,
		 "for later"},
		{POST "  deferred: true\n", 3, "absence never"},
		{POST
		 "  id_path: $.id\n  async_deadline: 5s\n  readback: {path: '/v1/things/{id}', "
		 "id_path: $.id}\n",
		 10, "still pending"},
		{POST
		 "  id_path: $.id\n  readback: {method: POST, path: '/v1/{id}', id_path: $.id}\n"
		 "- tool: u\n  effect: network\n" TO "  methods: [POST]\n  paths: ['/v1/{x}']\n",
		 10, "the call of tool t (line 3), too"},
		{HEAD
		 "- tool: t\n  effect: network\n" TO "  methods: [PUT]\n  paths: ['/v1/{x}']\n"
		 "  id_path: $.id\n  readback: {method: PUT, path: '/v1/{id}', id_path: $.id}\n",
		 9, "looks like the call"},
		{HEAD "- tool: t\n  effect: network\n" TO
		      "  methods: [POST]\n  paths: [/graphql]\n",
		 3, "$.errors"},
		{POST
		 "  controls:\n  - {name: c, destinations: [{cidr: [10.0.0.1]}], methods: [POST], "
		 "paths: [/d], subject: [$.a, $.b]}\n",
		 9, "answers \"deny\" with 200"},
		{POST
		 "  controls:\n  - {name: c, destinations: [{cidr: [10.0.0.1]}], methods: [POST], "
		 "paths: [/d], allow: {body: [{path: $.allow, equals: 'true'}]}}\n",
		 9, "no subject"},
		{HEAD "- tool: t\n  effect: local\n  attesters: [{name: a, key: "
		      "\"MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\"}]\n",
		 5, "raises no verdict"},
		{POST "  attesters: [{name: t, key: "
		      "\"MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\"}]\n",
		 8, "an agent's word about itself"},
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(rows); i++) {
		struct warned w = lint(rows[i].yaml);

		if (w.count != 1 || w.line != rows[i].line || !strstr(w.text, rows[i].says))
			fail_msg("%s\nwanted one at %u, \"%s\":\n%s", rows[i].yaml, rows[i].line,
				 rows[i].says, w.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_to_ask),
		cmocka_unit_test(test_suspicious),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
