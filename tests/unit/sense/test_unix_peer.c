/* SPDX-License-Identifier: Apache-2.0 */
/* When a unix socket counts as not there, and when nothing may be said. */
#include "sense/unix_peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[64];
static uint32_t own_mntns;

static struct ww_event_unix event(uint32_t pid, uint32_t mntns, const char *path)
{
	struct ww_event_unix ev = {.h.actor.pid = pid, .mntns = mntns};

	ev.path_bytes = (uint32_t)strlen(path);
	assert_true(ev.path_bytes <= sizeof(ev.path));
	memcpy(ev.path, path, ev.path_bytes);
	return ev;
}

static bool absent(uint32_t pid, uint32_t mntns, const char *name)
{
	char path[108];
	struct ww_event_unix ev;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	ev = event(pid, mntns, path);
	return ww_unix_peer_absent(&ev, NULL);
}

static uint32_t gone_process(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return (uint32_t)pid;
}

static void test_never_absent(void **state)
{
	static const char abstract[] = "\0name";
	struct ww_event_unix ev = event((uint32_t)getpid(), own_mntns, "none/such");

	assert_false(ww_unix_peer_absent(&ev, NULL)); /* relative */
	ev.path_bytes = 0;
	assert_false(ww_unix_peer_absent(&ev, NULL)); /* unnamed */
	memcpy(ev.path, abstract, sizeof(abstract) - 1);
	ev.path_bytes = sizeof(abstract) - 1;
	assert_false(ww_unix_peer_absent(&ev, NULL));
	ev = event((uint32_t)getpid(), own_mntns, "/none");
	ev.path_bytes = sizeof(ev.path) + 1; /* a broken event */
	assert_false(ww_unix_peer_absent(&ev, NULL));
}

static void test_living_process(void **state)
{
	uint32_t pid = (uint32_t)getpid();

	assert_false(absent(pid, own_mntns, "there"));
	assert_false(absent(pid, own_mntns, "link"));
	assert_true(absent(pid, own_mntns, "none"));
	assert_true(absent(pid, own_mntns, "there/below"));
	assert_true(absent(pid, own_mntns, "dangling"));
	assert_true(absent(pid, 0, "none")); /* an older event */
}

static void test_process_that_is_gone(void **state)
{
	uint32_t pid = gone_process();
	struct ww_event_unix ev;

	assert_false(absent(pid, own_mntns, "there"));
	assert_true(absent(pid, own_mntns, "none"));
	assert_false(
		absent(pid, own_mntns + 1, "none")); /* in a root that nobody can look through */
	assert_false(absent(pid, 0, "none"));
	ev = event(pid, own_mntns + 1, "/var/run/nscd/socket");
	assert_true(ww_unix_peer_absent(&ev, NULL));
}

/* The number of the process belongs to another one by now. */
static void test_process_of_another_namespace(void **state)
{
	assert_false(absent((uint32_t)getpid(), own_mntns + 1, "none"));
}

static void test_a_member_stands_in(void **state)
{
	char procs[128], path[108];
	struct ww_event_unix ev;
	FILE *f;

	snprintf(procs, sizeof(procs), "%s/cgroup.procs", folder);
	f = fopen(procs, "we");
	assert_non_null(f);
	fprintf(f, "%u\n%d\n", gone_process(), getpid());
	assert_int_equal(fclose(f), 0);
	snprintf(path, sizeof(path), "%s/none", folder);
	ev = event(gone_process(), own_mntns, path);
	assert_true(ww_unix_peer_absent(&ev, folder));
	ev.mntns++;
	assert_false(ww_unix_peer_absent(&ev, folder));
	assert_int_equal(unlink(procs), 0);
}

static int make_folder(void **state)
{
	char path[128];
	struct stat st;

	snprintf(folder, sizeof(folder), "%s", "/tmp/ww-unix-peer-XXXXXX");
	if (!mkdtemp(folder) || stat("/proc/self/ns/mnt", &st) < 0)
		return -1;
	own_mntns = (uint32_t)st.st_ino;
	snprintf(path, sizeof(path), "%s/there", folder);
	fclose(fopen(path, "we"));
	snprintf(path, sizeof(path), "%s/link", folder);
	if (symlink("there", path) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/dangling", folder);
	return symlink("/none/such", path);
}

static int drop_folder(void **state)
{
	static const char *const names[] = {"there", "link", "dangling"};
	char path[128];

	for (unsigned i = 0; i < WW_ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_never_absent),
		cmocka_unit_test(test_living_process),
		cmocka_unit_test(test_process_that_is_gone),
		cmocka_unit_test(test_process_of_another_namespace),
		cmocka_unit_test(test_a_member_stands_in),
	};

	return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
