/* SPDX-License-Identifier: Apache-2.0 */
/* The ways out that need no server: the log record's bytes, the command, the configuration. */
#include "out/publish.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>
#include <ftw.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "ledger/ledger.h"
#include "out/publish_command.h"
#include "out/publish_otlp.h"

/* --- OTLP ------------------------------------------------------------------------------------- */

static const char *attribute(json_t *attributes, const char *key, const char *type)
{
	json_t *a;
	size_t i;

	json_array_foreach(
		attributes, i,
		a) if (strcmp(json_string_value(json_object_get(a, "key")), key) ==
		       0) return json_string_value(json_object_get(json_object_get(a, "value"),
								   type));
	return NULL;
}

static json_t *only(json_t *object, const char *key)
{
	json_t *array = json_object_get(object, key);

	assert_int_equal(json_array_size(array), 1);
	return json_array_get(array, 0);
}

static void test_log_record(void **state)
{
	struct ww_checkpoint head = {.origin = "log \"x\"\xc3\xa4", .size = (1ull << 62) + 1};
	const char *note = "log\n1\nAAA=\n\n\xe2\x80\x94 log AAA=\n";
	WW_AUTO_BUF struct ww_buf b = {0};
	json_t *root, *logs, *scope, *record, *attributes;

	ww_buf_init(&b, 1u << 20);
	assert_int_equal(ww_publish_otlp_body(&head, ww_slice_str(note), "host.test",
					      (struct ww_wall){1764229200123456789u}, &b),
			 0);
	root = json_loadb((const char *)b.p, b.n, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(root);
	logs = only(root, "resourceLogs");
	attributes = json_object_get(json_object_get(logs, "resource"), "attributes");
	assert_string_equal(attribute(attributes, "service.name", "stringValue"), "wirewitness");
	assert_string_equal(attribute(attributes, "host.name", "stringValue"), "host.test");
	scope = only(logs, "scopeLogs");
	record = only(scope, "logRecords");
	assert_string_equal(json_string_value(json_object_get(record, "timeUnixNano")),
			    "1764229200123456789");
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(record, "body"), "stringValue")),
		note);
	attributes = json_object_get(record, "attributes");
	assert_string_equal(attribute(attributes, "wirewitness.checkpoint.origin", "stringValue"),
			    head.origin);
	assert_string_equal(attribute(attributes, "wirewitness.checkpoint.size", "intValue"),
			    "4611686018427387905");
	assert_string_equal(attribute(attributes, "wirewitness.checkpoint.root", "stringValue"),
			    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
	json_decref(root);
}

static int taken(unsigned status, const char *body)
{
	char why[128] = "";
	int r = ww_publish_otlp_taken(status, ww_slice_str(body), why, sizeof(why));

	assert_true((r == 0) == (why[0] == '\0'));
	return r;
}

static void test_collector_answers(void **state)
{
	assert_int_equal(taken(200, ""), 0);
	assert_int_equal(taken(200, "{}"), 0);
	assert_int_equal(taken(200, "{\"partialSuccess\":{}}"), 0);
	assert_int_equal(taken(200, "{\"partialSuccess\":{\"rejectedLogRecords\":\"0\"}}"), 0);
	assert_int_equal(taken(202, "\x0a\x00"), 0);
	assert_int_equal(taken(200, "{\"partialSuccess\":{\"rejectedLogRecords\":\"1\"}}"), -EIO);
	assert_int_equal(taken(200, "{\"partialSuccess\":{\"rejectedLogRecords\":1}}"), -EIO);
	assert_int_equal(taken(503, "{}"), -EIO);
	assert_int_equal(taken(301, ""), -EIO);
	assert_int_equal(taken(100, ""), -EIO);
}

/* --- the command ------------------------------------------------------------------------------ */

static void script(const char *dir, const char *text, char path[128])
{
	FILE *f;

	snprintf(path, 128, "%s/script", dir);
	f = fopen(path, "we");
	assert_non_null(f);
	fprintf(f, "#!/bin/sh\n%s\n", text);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, 0700), 0);
}

static int run(const char *path, char *why)
{
	struct ww_publish_command c = {.fd = -1};
	struct pollfd p;
	int r = ww_publish_command_start(&c, path, WW_SLICE_LIT("line\n"));

	if (r < 0)
		return r;
	p = (struct pollfd){.fd = c.fd, .events = POLLIN};
	assert_int_equal(poll(&p, 1, 30000), 1);
	r = ww_publish_command_ended(&c, why, 128);
	assert_int_equal(c.pid, 0);
	assert_int_equal(c.fd, -1);
	return r;
}

static void test_command(void **state)
{
	char dir[] = "/tmp/wwpublish-XXXXXX", path[128], why[128] = "";
	struct ww_publish_command c = {.fd = -1};
	pid_t pid;

	assert_non_null(mkdtemp(dir));
	/* The checkpoint on standard input, nothing else open, nothing of our environment. */
	assert_int_equal(setenv("SECRET", "1", 1), 0);
	assert_int_equal(dup2(STDERR_FILENO, 77), 77); /* not closed on exec */
	script(dir,
	       "read -r a && [ \"$a\" = line ] && ! read -r b && [ -z \"$SECRET\" ] && "
	       "[ ! -e /proc/$$/fd/77 ]",
	       path);
	assert_int_equal(run(path, why), 0);
	script(dir, "exit 3", path);
	assert_int_equal(run(path, why), -ECHILD);
	assert_string_equal(why, "it ends with code 3");
	script(dir, "kill -9 $$", path);
	assert_int_equal(run(path, why), -ECHILD);
	assert_string_equal(why, "signal 9 ended it");
	assert_int_equal(run("/nonexistent/program", why), -ENOENT);
	/* One that does not end: killed with what it started. */
	script(dir, "sleep 1000 & exec sleep 1000", path);
	assert_int_equal(ww_publish_command_start(&c, path, WW_SLICE_LIT("x\n")), 0);
	assert_int_equal(ww_publish_command_ended(&c, why, sizeof(why)), 1);
	pid = c.pid;
	ww_publish_command_kill(&c);
	assert_int_equal(c.pid, 0);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), -1);
	ww_publish_command_kill(&c); /* nothing runs: nothing is done */
	unlink(path);
	rmdir(dir);
}

/* --- configuration ---------------------------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static void test_refused(void **state)
{
	char dir[] = "/tmp/wwpublish-XXXXXX", log[64];
	struct ww_witness_set set = {.n = 1, .quorum = 1};
	struct ww_note_signer witness;
	const struct ww_publish_config bad[] = {
		{.state_dir = "/nonexistent"},
		{.state_dir = log, .otlp = "ftp://collector/v1/logs"},
		{.state_dir = log, .otlp = "https://user:secret@collector/v1/logs"},
		{.state_dir = log, .command = "true"},
		{.state_dir = log, .command = "/nonexistent/program"},
		{.state_dir = log, .witnesses = &set},
	};
	struct ww_errtext why = {""};
	struct ww_ledger *l = NULL;
	struct ww_publish *p = NULL;

	assert_non_null(mkdtemp(dir));
	snprintf(log, sizeof(log), "%s/log", dir);
	assert_int_equal(ww_ledger_open(&(struct ww_tlog_options){.dir = log, .origin = "log.test"},
					&l, &why),
			 0);
	ww_ledger_close(l);
	assert_int_equal(ww_cosign_signer_new(WW_SLICE_LIT("w"), &witness), 0);
	set.peer[0].key = witness.key; /* and no URL: good for an auditor only */
	for (size_t i = 0; i < WW_ARRAY_SIZE(bad); i++) {
		why.text[0] = '\0';
		assert_true(ww_publish_open(&bad[i], &p, &why) < 0);
		assert_null(p);
		assert_true(why.text[0] != '\0');
		assert_null(strstr(why.text, "secret"));
	}
	assert_int_equal(ww_publish_open(&(struct ww_publish_config){.state_dir = log}, &p, &why),
			 0);
	assert_int_equal(ww_publish_count(p), 0);
	assert_true(ww_publish_step(p, true));
	ww_publish_close(p);
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_log_record),
		cmocka_unit_test(test_collector_answers),
		cmocka_unit_test(test_command),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
