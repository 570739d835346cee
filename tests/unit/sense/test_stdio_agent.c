/* SPDX-License-Identifier: Apache-2.0 */
/* Who is at the other ends of a process's standard input and output, on real processes. */
#include "sense/stdio_agent.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/slice.h"

/* Of whatever cgroup. */
#define SCOPE "/"

struct server {
	struct ww_event_stdio ev;
	pid_t pid;
	int in, out; /* our ends */
};

/* A child between two pipes, of that name; it ends with its input. */
static void start(struct server *s, const char *name)
{
	int in[2], out[2], ready[2];
	struct stat st;
	char c = 0;

	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	assert_int_equal(pipe(ready), 0);
	s->pid = fork();
	if (s->pid == 0) {
		close(in[1]);
		close(out[0]);
		if (prctl(PR_SET_NAME, name) < 0 || write(ready[1], "r", 1) != 1)
			_exit(1);
		_exit(read(in[0], &c, 1) != 0);
	}
	assert_true(s->pid > 0);
	close(in[0]);
	close(out[1]);
	close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	s->in = in[1];
	s->out = out[0];
	s->ev = (struct ww_event_stdio){.h.actor.pid = (uint32_t)s->pid};
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(fstat(i ? s->out : s->in, &st), 0);
		s->ev.end[i].inode = st.st_ino;
		s->ev.end[i].dev = (uint32_t)st.st_dev;
		s->ev.end[i].kind = WW_STDIO_PIPE;
	}
}

static void stop(struct server *s)
{
	int status = 0;

	close(s->in);
	close(s->out);
	assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
	assert_int_equal(status, 0);
}

static void test_whoever_it_is_called(void **state)
{
	static const char *const names[] = {"server", "a) S 1 (b", ") S 1", "x) S 1\n", "a\nb"};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(names); i++) {
		struct server s;
		uint32_t agent = 0;

		start(&s, names[i]);
		assert_int_equal(ww_stdio_agent(&s.ev, SCOPE, &agent), 0);
		assert_int_equal(agent, getpid());
		stop(&s);
	}
}

/* We have but one of the ends. */
static void test_half(void **state)
{
	struct server s;
	uint32_t agent = 0;

	start(&s, "server");
	s.ev.end[1].inode++;
	assert_int_equal(ww_stdio_agent(&s.ev, SCOPE, &agent), -ENOENT);
	assert_int_equal(ww_stdio_agent(&s.ev, "/no/such/scope", &agent), -ENXIO);
	assert_int_equal(agent, 0);
	stop(&s);
	assert_int_equal(ww_stdio_agent(&s.ev, SCOPE, &agent), -ESRCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whoever_it_is_called),
		cmocka_unit_test(test_half),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
