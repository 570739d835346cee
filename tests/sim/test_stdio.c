/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The golden tape of a tool server over stdio, with one fault in every place where it can be: an
 * event lost, told as a count or seen as a hole; delivered twice; bytes of a channel that were not
 * taken; the tape cut. A17 was done, B23 answered with isError, A31 never called, C5 answered with
 * an error; all said that they were done.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "variants.h"

#define TAPE "tests/golden/stdio/stdio_refunds.tape"

static void as_it_is(struct tape *t)
{
}

static const struct variant plain = {
	"over stdio", as_it_is, {"CONFIRMED_T1", "MASKED_ERROR", "NO_ACTION", "MASKED_ERROR"}};
static struct scene scene;
static struct sim sim;
static struct tape_run run;

static int open_scene(void **state)
{
	return scene_open(&scene, &plain, TAPE) ? -1 : 0;
}

static int close_scene(void **state)
{
	tape_free(&scene.tape);
	return 0;
}

static unsigned play(unsigned at, const char *fault)
{
	char what[96];
	unsigned wrong;

	snprintf(what, sizeof(what), "event %u, kind %u, %s", at,
		 at < scene.tape.count ? scene.tape.ev[at]->kind : 0, fault);
	wrong = scene_check(&scene, &sim, &run, what);
	sim_done(&sim);
	return wrong;
}

static unsigned play_one(unsigned at, enum fault f, const char *fault)
{
	sim_init(&sim, &scene.tape);
	sim.fault[at] = (uint8_t)f;
	sim_build(&sim);
	return play(at, fault);
}

/* What the daemon says of a channel rests on what the kernel told: it is lost with it. */
static bool may_be_lost(const struct ww_event *ev)
{
	return sim_of_kernel(ev) || ev->kind == WW_EVENT_STDIO;
}

static void test_every_event_lost(void **state)
{
	unsigned wrong = 0;

	for (unsigned i = 0; i < scene.tape.count; i++) {
		if (!may_be_lost(scene.tape.ev[i]))
			continue;
		wrong += play_one(i, FAULT_LOST, "lost");
		if (sim_of_kernel(scene.tape.ev[i]))
			wrong += play_one(i, FAULT_HOLE, "a hole") +
				 play_one(i, FAULT_TWICE, "twice");
	}
	assert_int_equal(wrong, 0);
}

static void test_every_two_lost(void **state)
{
	unsigned wrong = 0;

	for (unsigned i = 0; i + 1 < scene.tape.count; i++) {
		for (unsigned k = i + 1; k < scene.tape.count && k < i + 12; k++) {
			if (!may_be_lost(scene.tape.ev[i]) || !may_be_lost(scene.tape.ev[k]))
				continue;
			sim_init(&sim, &scene.tape);
			sim.fault[i] = sim.fault[k] = FAULT_LOST;
			sim_build(&sim);
			wrong += play(i, "lost with another");
		}
	}
	assert_int_equal(wrong, 0);
}

static void test_cut(void **state)
{
	unsigned wrong = 0;

	for (unsigned i = 1; i < scene.tape.count; i++) {
		sim_init(&sim, &scene.tape);
		sim.upto = i;
		sim_build(&sim);
		wrong += play(i, "cut");
	}
	assert_int_equal(wrong, 0);
}

/* Bytes that were moved, cut off by the cap or not readable: their place shows it, nothing else. */
static void test_bytes_not_taken(void **state)
{
	unsigned wrong = 0;

	for (unsigned i = 0; i < scene.tape.count; i++) {
		struct ww_event_stdio_data *d = (struct ww_event_stdio_data *)scene.tape.ev[i];
		uint32_t captured, size;

		if (d->h.kind != WW_EVENT_STDIO_DATA)
			continue;
		captured = d->captured;
		size = d->h.size;
		for (uint32_t keep = 0; keep < captured; keep += captured / 3 + 1) {
			d->captured = keep;
			d->h.size = (uint32_t)(sizeof(*d) + keep);
			sim_init(&sim, &scene.tape);
			sim_build(&sim);
			wrong += play(i, "not taken");
		}
		d->captured = captured;
		d->h.size = size;
	}
	assert_int_equal(wrong, 0);
}

/* A thread of the server uses io_uring: what it asked and answered that way went unseen. */
static void test_rings(void **state)
{
	unsigned wrong = 0;

	for (unsigned i = 0; i < scene.tape.count; i++) {
		struct ww_event_stdio_data *d = (struct ww_event_stdio_data *)scene.tape.ev[i];

		if (d->h.kind != WW_EVENT_STDIO_DATA)
			continue;
		d->rings = 1;
		sim_init(&sim, &scene.tape);
		sim_build(&sim);
		wrong += play(i, "rings");
		for (unsigned v = 0; v < run.verdict_count; v++)
			wrong += strcmp(run.verdicts[v].verdict, "NO_ACTION") == 0;
		d->rings = 0;
	}
	assert_int_equal(wrong, 0);
}

/* --- others on the channel ----------------------------------------------------------------------
 */

#define SERVER "/usr/bin/python3.11"
#define OTHER  "/tmp/other"

/* The contract names a program instead of any. */
static void name_program(struct tape *t, const char *program)
{
	struct ww_slice yaml = ww_buf_slice(&t->contracts);
	const uint8_t *at = memmem(yaml.p, yaml.n, "\"*\"", 3);
	char text[1024];
	int n;

	assert(at);
	n = snprintf(text, sizeof(text), "%.*s%s%.*s", (int)(at - yaml.p), (const char *)yaml.p,
		     program, (int)(yaml.p + yaml.n - at - 3), (const char *)at + 3);
	ww_buf_clear(&t->contracts);
	if (ww_buf_add(&t->contracts, text, (size_t)n) < 0)
		abort();
	t->cfg.contracts = ww_buf_slice(&t->contracts);
}

static const struct ww_event_stdio *told(const struct tape *t, unsigned *ret_at)
{
	unsigned at = tape_find(t, 0, WW_EVENT_STDIO);

	while (((struct ww_event_stdio *)t->ev[at])->status != WW_STDIO_READ)
		at = tape_find(t, at + 1, WW_EVENT_STDIO);
	if (ret_at)
		*ret_at = at;
	return (struct ww_event_stdio *)t->ev[at];
}

static const struct ww_actor_key other = {.pid = 99, .tid = 99, .start_ns = 9900};

/* A process of the server that executes another program, and what is told of it; at: the place. */
static void add_other(struct tape *t, unsigned at, enum ww_stdio_status status)
{
	struct ww_event_stdio *s = tape_copy(told(t, NULL), sizeof(*s));
	struct ww_event_fork *fork = calloc(1, sizeof(*fork));
	struct ww_event_exec *exec = calloc(1, sizeof(*exec));

	if (!fork || !exec)
		abort();
	s->h.time_ns = t->ev[at]->time_ns;
	fork->parent = s->h.actor;
	s->h.actor = other;
	s->status = status;
	s->agent = status == WW_STDIO_READ ? s->agent : 0;
	fork->h = exec->h = s->h;
	fork->h.kind = WW_EVENT_PROC_FORK;
	fork->h.size = sizeof(*fork);
	exec->h.kind = WW_EVENT_PROC_EXEC;
	exec->h.size = sizeof(*exec);
	fork->h.cookie = exec->h.cookie = 0;
	exec->parent = fork->parent;
	exec->path_bytes = sizeof(OTHER) - 1;
	memcpy(exec->path, OTHER, sizeof(OTHER) - 1);
	tape_insert(t, at, s);
	tape_insert(t, at, exec);
	tape_insert(t, at, fork);
}

/* What it runs has its standard input, as `git status` has of many a server. */
static void child_with_input(struct tape *t)
{
	add_other(t, tape_find(t, 0, WW_EVENT_STDIO_DATA) + 2, WW_STDIO_OPAQUE);
}

/* And its standard output. */
static void child_with_both(struct tape *t)
{
	add_other(t, tape_find(t, 0, WW_EVENT_STDIO_DATA) + 2, WW_STDIO_READ);
}

/* Another one has the channel from the begin on, and makes the calls of a direction. */
static void made_by_other(struct tape *t, enum ww_dir dir)
{
	unsigned at;

	told(t, &at);
	add_other(t, at + 1, WW_STDIO_READ);
	for (unsigned i = at; i < t->count; i++) {
		struct ww_event_stdio_data *d = (struct ww_event_stdio_data *)t->ev[i];

		if (d->h.kind == WW_EVENT_STDIO_DATA && d->dir == dir)
			d->h.actor = other;
	}
}

static void other_answers(struct tape *t)
{
	made_by_other(t, WW_DIR_IN);
}

static void other_reads(struct tape *t)
{
	made_by_other(t, WW_DIR_OUT);
}

static void other_serves(struct tape *t)
{
	other_reads(t);
	other_answers(t);
}

/* A path that the kernel side could not tell, such as one that is too deep. */
static void no_path(struct tape *t)
{
	struct ww_actor_key server = told(t, NULL)->h.actor;

	for (unsigned i = 0; i < t->count; i++) {
		struct ww_event_exec *e = (struct ww_event_exec *)t->ev[i];

		if (e->h.kind == WW_EVENT_PROC_EXEC && e->h.actor.pid == server.pid)
			e->path_bytes = 0;
	}
}

static struct ww_event_exec *server_exec(struct tape *t)
{
	struct ww_actor_key server = told(t, NULL)->h.actor;
	unsigned at = tape_find(t, 0, WW_EVENT_PROC_EXEC);

	while (t->ev[at]->actor.pid != server.pid)
		at = tape_find(t, at + 1, WW_EVENT_PROC_EXEC);
	return (struct ww_event_exec *)t->ev[at];
}

/* Anybody may put any file at that path, in mounts of their own. */
static void own_mounts(struct tape *t)
{
	server_exec(t)->own_mounts = 1;
}

static void through_loader(struct tape *t)
{
	static const char path[] = "/lib64/ld-linux-x86-64.so.2";
	struct ww_event_exec *e = server_exec(t);

	e->path_bytes = sizeof(path) - 1;
	memcpy(e->path, path, sizeof(path) - 1);
}

/* A script of the declared name: its program is the interpreter. */
static void script(struct tape *t)
{
	snprintf(server_exec(t)->comm, sizeof(server_exec(t)->comm), "refund-server-o");
}

static void opaque_script(struct tape *t)
{
	unsigned at;

	script(t);
	told(t, &at);
	((struct ww_event_stdio *)t->ev[at])->status = WW_STDIO_OPAQUE;
	for (unsigned i = t->count; i-- > at;) {
		if (t->ev[i]->kind == WW_EVENT_STDIO_DATA)
			tape_remove(t, i);
	}
}

/* It has the pipe's end by another way than its standard output. */
static void stranger_answers(struct tape *t)
{
	unsigned at;

	other_answers(t);
	told(t, &at);
	at = tape_find(t, at + 1, WW_EVENT_STDIO);
	assert(t->ev[at]->actor.pid == other.pid);
	tape_remove(t, at);
}

#define GOLDEN_OVER_STDIO                                                   \
	{                                                                   \
		"CONFIRMED_T1", "MASKED_ERROR", "NO_ACTION", "MASKED_ERROR" \
	}
#define ANSWER_UNKNOWN                                                      \
	{                                                                   \
		FAILED_OR_MORE, FAILED_OR_MORE, "NO_ACTION", FAILED_OR_MORE \
	}
#define UNKNOWN                                                             \
	{                                                                   \
		ABSENT_OR_MORE, ABSENT_OR_MORE, "NO_ACTION", ABSENT_OR_MORE \
	}

#define ALL_UNKNOWN                                                            \
	{                                                                      \
		ABSENT_OR_MORE, ABSENT_OR_MORE, ABSENT_OR_MORE, ABSENT_OR_MORE \
	}
#define NOTHING                                                    \
	{                                                          \
		"NO_ACTION", "NO_ACTION", "NO_ACTION", "NO_ACTION" \
	}

static const struct {
	struct variant v;
	const char *program; /* the declared one */
} others[] = {
	{{"a child with its input", child_with_input, GOLDEN_OVER_STDIO}, SERVER},
	{{"a child with both", child_with_both, GOLDEN_OVER_STDIO}, SERVER},
	{{"the declared one is such a child", child_with_input, UNKNOWN}, OTHER},
	{{"another answers", other_answers, ANSWER_UNKNOWN}, SERVER},
	{{"a stranger answers", stranger_answers, ANSWER_UNKNOWN}, SERVER},
	{{"another reads", other_reads, UNKNOWN}, SERVER},
	{{"another serves", other_serves, NOTHING}, SERVER},
	{{"the declared one serves", other_serves, GOLDEN_OVER_STDIO}, OTHER},
	{{"no path", no_path, UNKNOWN}, SERVER},
	{{"own mounts", own_mounts, UNKNOWN}, SERVER},
	{{"through a loader", through_loader, UNKNOWN}, SERVER},
	{{"a script", script, UNKNOWN}, "/opt/refund-server-of-ours"},
	{{"an opaque script", opaque_script, ALL_UNKNOWN}, "/opt/refund-server-of-ours"},
};

static void test_others(void **state)
{
	unsigned wrong = 0;

	for (unsigned i = 0; i < WW_ARRAY_SIZE(others); i++) {
		struct scene changed = scene;

		changed.v = &others[i].v;
		tape_load(&changed.tape, TAPE);
		name_program(&changed.tape, others[i].program);
		changed.v->change(&changed.tape);
		sim_init(&sim, &changed.tape);
		sim_build(&sim);
		wrong += scene_check(&changed, &sim, &run, "others");
		assert_true(run.verdict_count >= TURNS);
		sim_done(&sim);
		tape_free(&changed.tape);
	}
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_event_lost),
		cmocka_unit_test(test_every_two_lost),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_bytes_not_taken),
		cmocka_unit_test(test_rings),
		cmocka_unit_test(test_others),
	};

	return cmocka_run_group_tests(tests, open_scene, close_scene);
}
