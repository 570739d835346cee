/* SPDX-License-Identifier: Apache-2.0 */
/* Denials by command: what is asked for, the set of them, and the file that keeps them, also torn
 * or made up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/warden_commands.h"
#include "ledger/durable.h"

#define NOW ((struct ww_wall){1795780800000000000ull})

static struct ww_warden_commands set, got;
static char dir[64];

static void make_dir(void)
{
	snprintf(dir, sizeof(dir), "/tmp/ww-commands-XXXXXX");
	assert_non_null(mkdtemp(dir));
}

static void remove_dir(void)
{
	char path[80];

	snprintf(path, sizeof(path), "%s/guard", dir);
	(void)unlink(path);
	snprintf(path, sizeof(path), "%s/guard.tmp", dir); /* what a failed writer left */
	(void)unlink(path);
	assert_int_equal(rmdir(dir), 0);
}

static void write_file(const char *text, size_t n)
{
	WW_AUTO_FD int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ww_durable_replace(fd, "guard", 0600, ww_slice(text, n)), 0);
}

static struct ww_warden_command asked(const char *request)
{
	struct ww_warden_command c;
	struct ww_errtext why;
	bool cut;

	if (ww_warden_command_read(ww_slice_str(request), true, NOW, &c, &cut, &why) < 0)
		fail_msg("%s: %s", request, why.text);
	return c;
}

static void add(const char *request)
{
	struct ww_warden_command c = asked(request);

	assert_int_equal(ww_warden_commands_add(&set, &c, NULL), 0);
}

/* --- requests ------------------------------------------------------------------------------- */

static void texts(void **state)
{
	static const struct {
		const char *request, *text;
	} cases[] = {
		{"{\"prefix\":\"203.0.113.7\"}", "203.0.113.7/32"},
		{"{\"prefix\":\"2001:DB8::/32\",\"agent\":\"a\"}", "2001:db8::/32 --agent a"},
		{"{\"region\":\"eu\",\"agent\":null}", "--region eu"},
		{"{\"agent\":\"a\",\"forS\":60}", "--agent a until 2026-11-27T12:01:00.000000000Z"},
	};
	char text[WW_WARDEN_TEXT_MAX];

	for (size_t i = 0; i < WW_ARRAY_SIZE(cases); i++) {
		struct ww_warden_command c = asked(cases[i].request);

		ww_warden_command_text(&c, text);
		assert_string_equal(text, cases[i].text);
	}
}

/* The longest of everything: no text is cut off, none runs over. */
static void longest(void **state)
{
	char request[1024], text[WW_WARDEN_TEXT_MAX], region[WW_TABLES_TEXT_MAX + 1],
		agent[WW_POLICY_NAME_MAX + 1];
	struct ww_warden_command c;

	memset(region, '"', sizeof(region));
	memset(agent, 'a', sizeof(agent));
	region[sizeof(region) - 1] = agent[sizeof(agent) - 1] = '\0';
	for (size_t i = 0; i < sizeof(region) - 1; i++)
		region[i] = i % 2 ? '"' : '\\';
	snprintf(request, sizeof(request), "{\"region\":\"%s\",\"agent\":\"%s\",\"forS\":31622400}",
		 region, agent);
	c = asked(request);
	assert_int_equal(strlen(c.region), WW_TABLES_TEXT_MAX / 2);
	memset(c.region, '"', WW_TABLES_TEXT_MAX);
	ww_warden_command_text(&c, text);
	assert_int_equal(text[strlen(text) - 1], 'Z');
	set.count = 0;
	for (unsigned i = 0; i < WW_WARDEN_COMMANDS_MAX; i++) {
		c.region[0] = (char)('A' + i % 16);
		c.region[1] = (char)('A' + i / 16);
		assert_int_equal(ww_warden_commands_add(&set, &c, NULL), 0);
	}
	make_dir();
	assert_int_equal(ww_warden_commands_save(&set, dir), 0);
	assert_int_equal(ww_warden_commands_load(&got, dir, NULL), 0);
	assert_int_equal(got.count, WW_WARDEN_COMMANDS_MAX);
	assert_memory_equal(got.at, set.at, sizeof(set.at));
	remove_dir();
}

static void refused_leaves_alone(void **state)
{
	static const char *const wrong[] = {
		"",
		"{}",
		"[]",
		"{\"prefix\":\"203.0.113.1/24\"}",
		"{\"prefix\":\"::ffff:1.2.3.4\"}",
		"{\"prefix\":\"203.0.113.0/24\",\"forS\":31622401}",
		"{\"prefix\":\"203.0.113.0/24\",\"forS\":1e2}",
		"{\"prefix\":\"203.0.113.0/24\",\"region\":\"eu\"}",
		"{\"region\":\"\\u0000\"}",
		"{\"agent\":\"a\\u001b[2J\"}",
		"{\"agent\":\"a\",\"agent\":\"b\"}",
	};
	struct ww_warden_command c, before;
	struct ww_errtext why;
	bool cut;

	memset(&c, 0xa5, sizeof(c));
	before = c;
	for (size_t i = 0; i < WW_ARRAY_SIZE(wrong); i++) {
		if (ww_warden_command_read(ww_slice_str(wrong[i]), true, NOW, &c, &cut, &why) !=
		    -EINVAL)
			fail_msg("taken: %s", wrong[i]);
		assert_memory_equal(&c, &before, sizeof(c));
	}
}

/* --- the set -------------------------------------------------------------------------------- */

static void same_words(void **state)
{
	struct ww_warden_command c = asked("{\"prefix\":\"203.0.113.0/24\"}");
	struct ww_warden_command other = asked("{\"prefix\":\"203.0.113.0/24\",\"agent\":\"a\"}");

	set.count = 0;
	add("{\"prefix\":\"203.0.113.0/24\",\"forS\":60}");
	add("{\"prefix\":\"203.0.113.0/24\"}"); /* the new end: none */
	assert_int_equal(set.count, 1);
	assert_int_equal(set.at[0].until.ns, 0);
	assert_int_equal(ww_warden_commands_remove(&set, &other, NULL), -ENOENT);
	assert_int_equal(ww_warden_commands_remove(&set, &c, NULL), 0);
	assert_int_equal(ww_warden_commands_remove(&set, &c, NULL), -ENOENT);
}

static void full(void **state)
{
	struct ww_warden_command c = asked("{\"agent\":\"a\"}");
	char request[64];

	set.count = 0;
	for (unsigned i = 0; i < WW_WARDEN_COMMANDS_MAX; i++) {
		snprintf(request, sizeof(request), "{\"prefix\":\"198.51.%u.%u\"}", i / 128,
			 i % 128);
		add(request);
	}
	assert_int_equal(ww_warden_commands_add(&set, &c, NULL), -ENOSPC);
	add("{\"prefix\":\"198.51.1.1\",\"forS\":5}"); /* is there already */
	assert_int_equal(set.count, WW_WARDEN_COMMANDS_MAX);
}

static void over(void **state)
{
	struct ww_wall at = NOW;
	char text[WW_PATH_BYTES_MAX];

	set.count = 0;
	add("{\"prefix\":\"203.0.113.1\",\"forS\":2}");
	add("{\"prefix\":\"203.0.113.2\"}");
	add("{\"prefix\":\"203.0.113.3\",\"forS\":2}");
	add("{\"prefix\":\"203.0.113.4\",\"forS\":3}");
	at.ns += 1999999999u;
	assert_false(ww_warden_commands_expire(&set, at, text));
	at.ns++;
	assert_true(ww_warden_commands_expire(&set, at, text));
	assert_string_equal(text, "over: deny 203.0.113.1/32 until 2026-11-27T12:00:02.000000000Z");
	assert_int_equal(set.count, 2);
	assert_int_equal(set.at[0].prefix.addr[3], 2);
	assert_int_equal(set.at[1].prefix.addr[3], 4);
}

/* --- the file ------------------------------------------------------------------------------- */

static void kept(void **state)
{
	struct stat st;
	char path[80];

	make_dir();
	assert_int_equal(ww_warden_commands_load(&got, dir, NULL), 0); /* not there: none */
	set.count = 0;
	add("{\"prefix\":\"2001:db8::/32\",\"forS\":7}");
	add("{\"region\":\"eu-\\u00e9\\\"\\\\\",\"agent\":\"a\"}");
	add("{\"agent\":\"a\"}");
	set.at[1].uid = UINT32_MAX;
	assert_int_equal(ww_warden_commands_save(&set, dir), 0);
	snprintf(path, sizeof(path), "%s/guard", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(ww_warden_commands_load(&got, dir, NULL), 0);
	assert_int_equal(got.count, 3);
	assert_memory_equal(got.at, set.at, 3 * sizeof(set.at[0]));
	set.count = 0;
	assert_int_equal(ww_warden_commands_save(&set, dir), 0);
	assert_int_equal(ww_warden_commands_load(&got, dir, NULL), 0);
	assert_int_equal(got.count, 0);
	remove_dir();
}

#define LINE(rest) "{\"prefix\":\"203.0.113.5/32\"," rest "}\n"
#define GOOD       LINE("\"agent\":null,\"until\":null,\"uid\":0")

static void torn(void **state)
{
	struct ww_warden_commands before;
	unsigned line = 0;

	memset(&got, 0xa5, sizeof(got));
	before = got;
	for (size_t n = 1; n < 2 * strlen(GOOD); n++) {
		if (n == strlen(GOOD))
			continue;
		if (ww_warden_commands_read(ww_slice(GOOD GOOD, n), &got, &line) != -EINVAL)
			fail_msg("taken: %zu bytes", n);
		assert_int_equal(line, 1 + (n > strlen(GOOD)));
		assert_memory_equal(&got, &before, sizeof(got));
	}
}

static void made_up(void **state)
{
	static const char *const wrong[] = {
		"\n",
		GOOD "\n",
		GOOD "x\n",
		"{\"agent\":null,\"until\":null,\"uid\":0}\n",
		LINE("\"until\":null"),
		LINE("\"uid\":-1"),
		LINE("\"uid\":4294967296"),
		LINE("\"uid\":0,\"uid\":0"),
		LINE("\"uid\":0,\"until\":7"),
		LINE("\"uid\":0,\"until\":\"\""),
		LINE("\"uid\":0,\"until\":\"soon\""),
		LINE("\"uid\":0,\"until\":\"1970-01-01T00:00:00Z\""), /* would be for ever */
		LINE("\"uid\":0,\"until\":\"2026-13-01T00:00:00Z\""),
		LINE("\"uid\":0,\"region\":\"eu\""),
		LINE("\"uid\":0,\"prefix\":\"203.0.113.6/32\""),
		LINE("\"uid\":0}}"),
		"{\"prefix\":\"203.0.113.5/24\",\"uid\":0}\n",
		"{\"region\":\"a\\nb\",\"uid\":0}\n",
	};
	unsigned line;

	for (size_t i = 0; i < WW_ARRAY_SIZE(wrong); i++) {
		size_t n = strlen(wrong[i]);

		if (ww_warden_commands_read(ww_slice(wrong[i], n), &got, &line) != -EINVAL)
			fail_msg("taken: %s", wrong[i]);
	}
	assert_int_equal(
		ww_warden_commands_read(ww_slice(GOOD "\0\n", strlen(GOOD) + 2), &got, &line),
		-EINVAL);
	/* As often as one likes it is one. */
	assert_int_equal(ww_warden_commands_read(ww_slice_str(GOOD GOOD), &got, &line), 0);
	assert_int_equal(got.count, 1);
}

static void hostile(void **state)
{
	WW_AUTO_BUF struct ww_buf b;
	char line[96], path[80];
	struct ww_errtext why;

	make_dir();
	ww_buf_init(&b, 1u << 24);
	for (unsigned i = 0; i <= WW_WARDEN_COMMANDS_MAX; i++) {
		int n = snprintf(line, sizeof(line), "{\"prefix\":\"198.51.%u.%u\",\"uid\":0}\n",
				 i / 128, i % 128);

		assert_int_equal(ww_buf_add(&b, line, (size_t)n), 0);
	}
	write_file((const char *)b.p, b.n);
	assert_int_equal(ww_warden_commands_load(&got, dir, &why), -EINVAL); /* one too many */
	assert_non_null(strstr(why.text, "/guard:257:"));
	while (b.n < 1u << 20)
		assert_int_equal(ww_buf_add(&b, GOOD, strlen(GOOD)), 0);
	write_file((const char *)b.p, b.n);
	assert_int_equal(ww_warden_commands_load(&got, dir, &why), -EMSGSIZE);
	snprintf(path, sizeof(path), "%s/guard", dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_true(ww_warden_commands_load(&got, dir, &why) < 0);
	assert_true(ww_warden_commands_save(&set, dir) < 0);
	assert_int_equal(rmdir(path), 0);
	remove_dir();
}

static void flows(void **state)
{
	static const char *const wrong[] = {"{}", "{\"flow\":\"f-\"}", "{\"flow\":\"f-1A\"}",
					    "{\"flow\":\"f-11111111111111111\"}",
					    "{\"flow\":\"f-1 \"}"};
	struct ww_errtext why;
	uint64_t cookie = 7;

	for (size_t i = 0; i < WW_ARRAY_SIZE(wrong); i++)
		assert_int_equal(ww_warden_flow_read(ww_slice_str(wrong[i]), &cookie, &why),
				 -EINVAL);
	assert_int_equal(cookie, 7);
	assert_int_equal(ww_warden_flow_read(WW_SLICE_LIT("{\"flow\":\"f-ffffffffffffffff\"}"),
					     &cookie, &why),
			 0);
	assert_true(cookie == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts),
		cmocka_unit_test(longest),
		cmocka_unit_test(refused_leaves_alone),
		cmocka_unit_test(same_words),
		cmocka_unit_test(full),
		cmocka_unit_test(over),
		cmocka_unit_test(kept),
		cmocka_unit_test(torn),
		cmocka_unit_test(made_up),
		cmocka_unit_test(hostile),
		cmocka_unit_test(flows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
