/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/committer.h"

#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>

#include <cmocka.h>

#include <wirewitness/limits.h>

#include "ledger/ledger_reader.h"

struct place {
	char dir[64];
	uv_loop_t loop;
	struct ww_ledger *ledger;
	struct ww_committer *committer;
	unsigned told;
	bool stopped;
	struct ww_committed last;
};

static void committed(void *ctx, const struct ww_committed *c)
{
	struct place *p = ctx;

	p->told++;
	p->stopped = c->stopped != NULL;
	p->last = *c;
}

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	struct ww_tlog_options o = {.dir = p->dir, .origin = "test"};
	struct ww_errtext why;

	snprintf(p->dir, sizeof(p->dir), "%s/ww-committer-XXXXXX", P_tmpdir);
	assert_non_null(mkdtemp(p->dir));
	assert_int_equal(uv_loop_init(&p->loop), 0);
	assert_int_equal(ww_ledger_open(&o, &p->ledger, &why), 0);
	assert_int_equal(ww_committer_open(&p->loop, p->ledger, committed, p, &p->committer), 0);
	*state = p;
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	return remove(path);
}

static int teardown(void **state)
{
	struct place *p = *state;

	ww_committer_close(p->committer);
	uv_run(&p->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&p->loop), 0);
	ww_ledger_close(p->ledger);
	nftw(p->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(p);
	return 0;
}

/* A record that begins with its number, `bytes` long. */
static int stage(struct place *p, unsigned number, size_t bytes)
{
	char text[WW_RECORD_BYTES_MAX + 1];
	int n = snprintf(text, sizeof(text), "%08u", number);

	memset(text + n, 'x', sizeof(text) - (size_t)n);
	return ww_committer_stage(p->committer, WW_RECORD_FINDING, ww_slice(text, bytes));
}

static void check_order(struct place *p, unsigned count)
{
	struct ww_ledger_reader *reader;
	struct ww_payload payload;
	struct ww_errtext why;
	char number[9];

	assert_int_equal(ww_ledger_reader_open(p->dir, NULL, &reader, &why), 0);
	assert_int_equal(ww_ledger_reader_head(reader)->size, count);
	for (unsigned i = 0; i < count; i++) {
		assert_int_equal(ww_ledger_reader_get(reader, i, &payload), 0);
		snprintf(number, sizeof(number), "%08u", i);
		assert_memory_equal(payload.json.p, number, 8);
		assert_true(ww_slice_eq_str(payload.kind, "finding"));
	}
	ww_ledger_reader_close(reader);
}

static void too_large_is_refused(void **state)
{
	struct place *p = *state;

	assert_int_equal(stage(p, 0, WW_RECORD_BYTES_MAX + 1), -EMSGSIZE);
	assert_int_equal(ww_committer_staged(p->committer), 0);
}

struct work {
	unsigned steps, wanted;
	uint64_t size; /* what the ledger had at the last step */
};

static bool step(void *ctx, struct ww_ledger *ledger)
{
	struct work *w = ctx;

	w->size = ww_ledger_size(ledger);
	return ++w->steps < w->wanted;
}

/* One step behind each commit, also when there is nothing else to commit; then it is through. */
static void a_job_goes_step_by_step(void **state)
{
	struct work w = {.wanted = 3};
	struct place *p = *state;

	ww_committer_job(p->committer, step, &w);
	assert_int_equal(stage(p, 0, 100), 0);
	for (unsigned i = 1; i <= 5; i++) {
		ww_committer_begin(p->committer, false);
		ww_committer_wait(p->committer);
		assert_int_equal(w.steps, i < 3 ? i : 3);
	}
	assert_int_equal(w.size, 1);  /* behind the record that was staged with it */
	assert_int_equal(p->told, 3); /* the fourth and fifth had nothing to do */
	check_order(p, 1);
}

static void nothing_to_do(void **state)
{
	struct place *p = *state;

	ww_committer_begin(p->committer, true);
	ww_committer_wait(p->committer);
	assert_int_equal(p->told, 0);
}

static void staged_while_busy_goes_to_the_next(void **state)
{
	struct place *p = *state;

	for (unsigned i = 0; i < 30; i++) {
		assert_int_equal(stage(p, i, 100), 0);
		ww_committer_begin(p->committer, false); /* mostly one is under way */
	}
	ww_committer_wait(p->committer);
	ww_committer_begin(p->committer, false);
	ww_committer_wait(p->committer);
	assert_int_equal(ww_committer_staged(p->committer), 0);
	assert_int_equal(p->last.size, 30);
	check_order(p, 30);
}

static void the_loop_tells_the_end(void **state)
{
	struct place *p = *state;

	assert_int_equal(stage(p, 0, 100), 0);
	ww_committer_begin(p->committer, false);
	while (p->told == 0)
		uv_run(&p->loop, UV_RUN_ONCE);
	assert_int_equal(p->last.size, 1);
	uv_run(&p->loop, UV_RUN_NOWAIT);
	assert_int_equal(p->told, 1);
}

/* Invariant 3, over more bytes than both buffers hold. */
static void a_full_stage_waits(void **state)
{
	struct place *p = *state;
	unsigned count = 5 * WW_LEDGER_STAGED_BYTES / 2 / 60000;

	for (unsigned i = 0; i < count; i++)
		assert_int_equal(stage(p, i, 60000), 0);
	assert_true(p->told >= 1);
	ww_committer_wait(p->committer);
	ww_committer_begin(p->committer, false);
	ww_committer_wait(p->committer);
	assert_int_equal(p->last.refused, 0);
	check_order(p, count);
}

static void a_stopped_ledger_refuses_and_recovers(void **state)
{
	struct rlimit old, none;
	struct place *p = *state;
	uint64_t refused = 0;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	none = (struct rlimit){.rlim_cur = 0, .rlim_max = old.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	for (unsigned i = 0; i < WW_LEDGER_PENDING_MAX + 100; i++) {
		assert_int_equal(stage(p, i, 64), 0);
		if (i % 4096 == 0) {
			ww_committer_wait(p->committer);
			refused += p->last.refused;
			ww_committer_begin(p->committer, false);
		}
	}
	ww_committer_wait(p->committer);
	refused += p->last.refused;
	ww_committer_begin(p->committer, true);
	ww_committer_wait(p->committer);
	refused += p->last.refused;
	assert_true(p->stopped);
	assert_int_equal(refused, 100);
	assert_int_equal(p->last.pending, WW_LEDGER_PENDING_MAX);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	ww_committer_begin(p->committer, false); /* nothing staged: only a retry has work */
	ww_committer_wait(p->committer);
	assert_true(p->stopped);
	ww_committer_begin(p->committer, true);
	ww_committer_wait(p->committer);
	assert_false(p->stopped);
	assert_int_equal(p->last.pending, 0);
	check_order(p, WW_LEDGER_PENDING_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(too_large_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(a_job_goes_step_by_step, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_to_do, setup, teardown),
		cmocka_unit_test_setup_teardown(staged_while_busy_goes_to_the_next, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_loop_tells_the_end, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_stage_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(a_stopped_ledger_refuses_and_recovers, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
