/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pruning over whole ledgers: what goes and what stays, what readers and reports say of it, and
 * that a run that is killed, torn or loses power at any step takes nothing that is not named, and
 * is ended by the next one. Attacks the invariants of ledger/prune.c.
 */
#include "disk_faults.h"

#include "ledger/prune.h"
#include "ledger/pruned.h"
#include "ledger/report.h"
#include "ledger/report_text.h"
#include "ledger/report_verify.h"

#define DAY       86400ull
#define NOW_S     1795773600ull /* 2026-11-27T10:00:00Z */
#define OLD       200u          /* records of two months ago come first */
#define YOUNG     60u           /* then those of today */
#define STEPS_MAX 600u

static const struct ww_wall now = {NOW_S * 1000000000ull};

/* flow, span and exchange in turn, a life record now and then, all begun `age_s` ago. */
static const char *kind_at(uint64_t index)
{
	static const char *const kinds[] = {"flow", "span", "exchange", "span", "verdict"};

	return index % 50 == 0 ? "life" : kinds[index % WW_ARRAY_SIZE(kinds)];
}

static void append_aged(struct ww_ledger *l, uint64_t count, uint64_t age_s, const char *filler)
{
	char when[WW_RFC3339_MAX];

	ww_wall_rfc3339((struct ww_wall){now.ns - age_s * 1000000000ull}, when);
	for (uint64_t i = 0; i < count; i++) {
		uint64_t index = ww_ledger_size(l) + ww_ledger_pending(l);
		WW_AUTO_BUF struct ww_buf b = {0};
		char head[256];
		int n = snprintf(head, sizeof(head),
				 "{\"kind\":\"%s\",\"id\":\"x-%" PRIx64
				 "\",\"t\":\"%s\",\"secret\":\"%s",
				 kind_at(index), index, when, "SWORDFISH");

		ww_buf_init(&b, WW_RECORD_BYTES_MAX);
		assert_int_equal(ww_buf_add(&b, head, (size_t)n), 0);
		assert_int_equal(ww_buf_add(&b, filler, strlen(filler)), 0);
		assert_int_equal(ww_buf_add(&b, "\"}", 2), 0);
		assert_int_equal(ww_ledger_append(l, kind_at(index), ww_buf_slice(&b), NULL), 0);
	}
}

static void make(const char *dir)
{
	struct ww_ledger *l = must_open(dir);

	append_aged(l, OLD, 60 * DAY, "");
	commit(l);
	append_aged(l, YOUNG, 3600, "");
	commit(l);
	ww_ledger_close(l);
}

static struct ww_prune_input content_30d(void)
{
	return (struct ww_prune_input){
		.kinds = ww_retention_tier(WW_TIER_CONTENT), .older_than_s = 30 * DAY, .now = now};
}

static int prune_open(struct ww_ledger *l, const struct ww_prune_input *in,
		      struct ww_prune_result *ret, struct ww_errtext *why)
{
	WW_AUTO(ww_prune_free_auto) struct ww_prune *p = NULL;
	int r = ww_prune_new(ww_ledger_dir(l), in, DAY, &p, why);

	while (r == 0 && (r = ww_prune_step(p, l, why)) == 1)
		r = 0;
	if (r == 0)
		*ret = *ww_prune_result(p);
	return r;
}

static int prune(const char *dir, const struct ww_prune_input *in, struct ww_prune_result *ret,
		 struct ww_errtext *why)
{
	struct ww_ledger *l = must_open(dir);
	int r = prune_open(l, in, ret, why);

	ww_ledger_close(l);
	return r;
}

static void must_prune(const char *dir, const struct ww_prune_input *in,
		       struct ww_prune_result *ret)
{
	struct ww_errtext why = {""};

	if (prune(dir, in, ret, &why) < 0)
		fail_msg("%s", why.text);
}

static struct ww_ledger_reader *reader_of(const char *dir)
{
	struct ww_ledger_reader *r = NULL;
	struct ww_errtext why = {""};

	if (ww_ledger_reader_open(dir, NULL, &r, &why) < 0)
		fail_msg("%s", why.text);
	return r;
}

/*
 * Every record is there whole, or erased and named by a prune record that the ledger has. Returns
 * how many are gone.
 */
static uint64_t check_named(const char *dir)
{
	struct ww_ledger_reader *r = reader_of(dir);
	uint64_t gone = 0;

	for (uint64_t i = 0; i < ww_ledger_reader_head(r)->size; i++) {
		const struct ww_withheld *w;
		struct ww_payload p;

		assert_int_equal(ww_ledger_reader_get(r, i, &p), 0);
		if (!p.erased) {
			check_leaf(r, &p);
			continue;
		}
		assert_int_equal(ww_ledger_reader_withheld(r, i, p.kind, &w), 0);
		assert_non_null(w);
		assert_true(w->by > i);
		gone++;
	}
	ww_ledger_reader_close(r);
	return gone;
}

static bool holds_text(const char *dir, const char *what)
{
	char path[2 * PATH_LEN];
	const struct dirent *e;
	bool found = false;
	DIR *d;

	snprintf(path, sizeof(path), "%s/records", dir);
	d = opendir(path);
	assert_non_null(d);
	while ((e = readdir(d))) {
		WW_AUTO_BUF struct ww_buf b = {0};
		char file[3 * PATH_LEN];

		if (e->d_name[0] == '.')
			continue;
		snprintf(file, sizeof(file), "%s/%s", path, e->d_name);
		slurp(file, &b);
		found = found || memmem(b.p, b.n, what, strlen(what));
	}
	closedir(d);
	return found;
}

/* --- what goes ----------------------------------------------------------------------------------
 */

static void test_old_content_goes(void **state)
{
	struct ww_prune_input in = content_30d();
	struct ww_ledger_reader *r;
	struct ww_prune_result res;
	struct ww_payload p;
	char dir[PATH_LEN];

	make(at(*state, "log", dir));
	must_prune(dir, &in, &res);
	/* 200 old ones: 40 of each kind, less those that are life; the last timed one is the
	 * border. */
	assert_true(res.named.records == res.erased && res.erased > 100);
	assert_true(res.index == OLD + YOUNG);
	assert_true(check_named(dir) == res.erased);
	r = reader_of(dir);
	for (uint64_t i = 0; i < OLD + YOUNG; i++) {
		bool content = ww_slice_eq_str(ww_slice_str(kind_at(i)), "span") ||
			       ww_slice_eq_str(ww_slice_str(kind_at(i)), "exchange");

		assert_int_equal(ww_ledger_reader_get(r, i, &p), 0);
		assert_true(p.erased == (content && i <= res.named.last));
		if (i >= OLD)
			assert_false(p.erased);
	}
	ww_ledger_reader_close(r);
	/* Again: nothing is left to do, and nothing is written. */
	must_prune(dir, &in, &res);
	assert_true(res.named.records == 0 && !res.resumed);
	r = reader_of(dir);
	assert_true(ww_ledger_reader_head(r)->size == OLD + YOUNG + 1);
	ww_ledger_reader_close(r);
}

static void test_the_newest_stay(void **state)
{
	struct ww_prune_input in = content_30d();
	struct ww_prune_result res;
	struct ww_errtext why = {""};
	char dir[PATH_LEN];

	make(at(*state, "log", dir));
	in.older_than_s = DAY - 1;
	assert_int_equal(prune(dir, &in, &res, &why), -EPERM);
	in.older_than_s = 0;
	in.forced = true;
	assert_int_equal(prune(dir, &in, &res, &why), -EINVAL);
	assert_true(check_named(dir) == 0);
	/* Forced, below the floor: what is older than two hours, and no more. */
	in.older_than_s = 7200;
	must_prune(dir, &in, &res);
	assert_true(res.named.forced && res.named.last < OLD);
	assert_true(check_named(dir) == res.erased);
}

static void test_life_is_never_pruned(void **state)
{
	struct ww_prune_input in = content_30d();
	struct ww_ledger_reader *r;
	struct ww_prune_result res;
	struct ww_payload p;
	char dir[PATH_LEN];

	make(at(*state, "log", dir));
	in.kinds = ~0u; /* whatever a caller says */
	must_prune(dir, &in, &res);
	r = reader_of(dir);
	for (uint64_t i = 0; i < OLD; i += 50) {
		assert_int_equal(ww_ledger_reader_get(r, i, &p), 0);
		assert_false(p.erased);
	}
	ww_ledger_reader_close(r);
	assert_true(check_named(dir) == res.erased && res.erased > 150);
}

/* A young time that the kernel vouches for ends the old part; a span's does not, either way. */
static void test_a_lie_about_time(void **state)
{
	struct ww_prune_input in = content_30d();
	struct ww_prune_result res;
	struct ww_ledger *l;
	char dir[PATH_LEN];

	l = must_open(at(*state, "log", dir));
	append_aged(l, 5, 60 * DAY, ""); /* 0 life, 1 span, 2 exchange, 3 span, 4 verdict */
	append_aged(l, 1, 1, "");        /* 5 flow: today */
	append_aged(l, 4, 60 * DAY, ""); /* 6 span... say that they are old */
	append_aged(l, 41, 3600, "");
	commit(l);
	ww_ledger_close(l);
	must_prune(dir, &in, &res);
	assert_true(res.named.first == 1 && res.named.last == 2 && res.named.records == 2);
	/* Nothing timed says that record 3 is old: it is a span behind the last exchange. */
	assert_true(check_named(dir) == 2);
}

static void test_whole_segments_go(void **state)
{
	struct ww_prune_input in = content_30d();
	WW_AUTO_FREE char *filler = malloc(32000);
	struct ww_prune_result res;
	struct ww_ledger_reader *r;
	struct ww_errtext why = {""};
	struct ww_ledger *l;
	struct ww_payload p;
	char dir[PATH_LEN];

	assert_non_null(filler);
	memset(filler, 'x', 31999);
	filler[31999] = '\0';
	l = must_open(at(*state, "log", dir));
	for (int i = 0; i < 30; i++) { /* 30 MB: four segments */
		append_aged(l, 32, 60 * DAY, filler);
		commit(l);
	}
	append_aged(l, 10, 60, "");
	commit(l);
	/* One record is erased by itself: only its frame says so. */
	assert_int_equal(ww_ledger_erase(l, 301), 0);
	ww_ledger_close(l);
	in.kinds = ww_retention_tier(WW_TIER_CONTENT) | ww_retention_tier(WW_TIER_EVIDENCE);
	must_prune(dir, &in, &res);
	assert_true(res.segments == 0); /* life records are among them */
	r = reader_of(dir);
	assert_int_equal(ww_ledger_reader_get(r, 301, &p), 0);
	assert_true(p.erased);
	ww_ledger_reader_close(r);
	remove_tree(dir);

	l = must_open(dir);
	for (int i = 0; i < 40; i++) {
		for (int k = 0; k < 32; k++) {
			WW_AUTO_BUF struct ww_buf b = {0};

			ww_buf_init(&b, WW_RECORD_BYTES_MAX);
			assert_int_equal(
				ww_buf_add(&b, "{\"t\":\"2026-01-01T00:00:00.000000000Z\",\"x\":\"",
					   43),
				0);
			assert_int_equal(ww_buf_add(&b, filler, 31999), 0);
			assert_int_equal(ww_buf_add(&b, "\"}", 2), 0);
			assert_int_equal(ww_ledger_append(l, "flow", ww_buf_slice(&b), NULL), 0);
		}
		commit(l);
	}
	assert_int_equal(ww_ledger_erase(l, 400), 0); /* by itself, in the second segment */
	ww_ledger_close(l);
	must_prune(dir, &in, &res);
	assert_true(res.segments >= 3);
	assert_true(res.erased == 40 * 32 - 1);
	r = reader_of(dir);
	for (uint64_t i = 0; i < 40 * 32; i++) {
		const struct ww_withheld *w;

		if (i == 400)
			continue; /* its segment stays: see above */
		assert_int_equal(ww_ledger_reader_get(r, i, &p), 0);
		assert_true(p.erased && p.index == i && ww_slice_eq_str(p.kind, "flow"));
		assert_int_equal(ww_ledger_reader_withheld(r, i, p.kind, &w), 0);
		assert_non_null(w);
	}
	ww_ledger_reader_close(r);
	/* The writer goes on behind what is gone, and a missing segment that nobody named is
	 * damage. */
	l = must_open(dir);
	append_aged(l, 10, 60, "");
	commit(l);
	ww_ledger_close(l);
	assert_int_equal(prune(dir, &in, &res, &why), 0);
	{
		char path[2 * PATH_LEN];

		snprintf(path, sizeof(path), "%s/pruned", dir);
		assert_int_equal(unlink(path), 0);
		r = reader_of(dir);
		assert_int_equal(ww_ledger_reader_get(r, 5, &p), -ENODATA);
		ww_ledger_reader_close(r);
	}
}

static void test_dry_run_changes_nothing(void **state)
{
	WW_AUTO(ww_prune_free_auto) struct ww_prune *p = NULL;
	struct ww_prune_input in = content_30d();
	struct ww_prune_result res;
	struct ww_errtext why = {""};
	char dir[PATH_LEN];
	uint64_t would;
	int fd, r;

	make(at(*state, "log", dir));
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(ww_prune_new(fd, &in, DAY, &p, &why), 0);
	while ((r = ww_prune_look(p, OLD + YOUNG, &why)) == 1)
		;
	assert_int_equal(r, 0);
	would = ww_prune_result(p)->named.records;
	close(fd);
	assert_true(check_named(dir) == 0);
	must_prune(dir, &in, &res);
	assert_true(res.named.records == would && would > 0);
}

/* --- reports ------------------------------------------------------------------------------------
 */

static void test_report_over_pruned_records(void **state)
{
	WW_AUTO(ww_report_result_done) struct ww_report_result res = {0};
	struct ww_report_input ri = {
		.created_at = "2026-11-27T10:00:00Z", .first = 0, .last = OLD - 1};
	WW_AUTO_BUF struct ww_buf file = {0}, out = {0};
	struct ww_prune_input in = content_30d();
	struct ww_prune_result pr;
	struct ww_errtext why = {""};
	struct ww_ledger_reader *r;
	struct ww_ledger *l;
	char dir[PATH_LEN];

	make(at(*state, "log", dir));
	must_prune(dir, &in, &pr);
	l = must_open(dir);
	r = reader_of(dir);
	ww_buf_init(&file, WW_REPORT_BYTES_MAX);
	ww_buf_init(&out, WW_REPORT_BYTES_MAX);
	if (ww_report_build(r, &ww_ledger_keys(l)->signer, &ri, &file, &why) < 0)
		fail_msg("%s", why.text);
	assert_int_equal(ww_report_verify(ww_buf_slice(&file), ww_ledger_reader_key(r), &res), 0);
	assert_true(res.verified);
	assert_true(res.statement.withheld == pr.erased && res.pruned == pr.erased);
	assert_true(res.pruned_by == pr.index);
	assert_int_equal(ww_report_text(&res, "report", &out), 0);
	assert_non_null(memmem(out.p, out.n, "pruned by policy", 16));
	ww_ledger_reader_close(r);
	ww_ledger_close(l);
}

/* --- at every step ------------------------------------------------------------------------------
 */

static bool die(const char *dir, enum fault_kind kind, unsigned step)
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct ww_ledger *l = must_open(dir);
		struct ww_prune_input in = content_30d();
		struct ww_prune_result res;
		struct ww_errtext why = {""};
		int r;

		fault = (struct fault){.kind = kind, .at = step, .shadow = fault.shadow};
		r = prune_open(l, &in, &res, &why);
		fault.kind = FAULT_NONE;
		if (r < 0)
			print_error("%s\n", why.text);
		_exit(r == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != FAULT_EXIT)
		fail_msg("step %u: the run failed", step);
	return WEXITSTATUS(status) == FAULT_EXIT;
}

/* Whatever is gone is named now; and the next run leaves what an undisturbed one would. */
static void check_after(const char *dir, uint64_t want)
{
	struct ww_prune_input none = {.now = now}, in = content_30d();
	struct ww_prune_result res;
	struct ww_ledger *l = must_open(dir);
	struct ww_ledger_reader *r;
	uint64_t size;

	append_aged(l, 7, 10, "");
	commit(l);
	ww_ledger_close(l);
	/* A torn frame reads as damaged until it is erased again: so first the run that ends it. */
	must_prune(dir, &none, &res);
	(void)check_named(dir);
	must_prune(dir, &in, &res);
	assert_true(check_named(dir) == want);
	r = reader_of(dir);
	size = ww_ledger_reader_head(r)->size;
	assert_true(size == OLD + YOUNG + 7 + 1);
	ww_ledger_reader_close(r);
}

static uint64_t undisturbed(struct scratch *s)
{
	struct ww_prune_input in = content_30d();
	struct ww_prune_result res;
	char dir[PATH_LEN];

	make(at(s, "once", dir));
	must_prune(dir, &in, &res);
	return check_named(dir);
}

static void deaths(struct scratch *s, enum fault_kind kind)
{
	char model[PATH_LEN], dir[PATH_LEN];
	uint64_t want = undisturbed(s);
	unsigned step = 1;

	make(at(s, "model", model));
	for (bool hit = true; hit; step += step > 40 && step < 130 ? 7 : 1) {
		assert_true(step < STEPS_MAX);
		copy_tree(model, at(s, "log", dir));
		hit = die(dir, kind, step);
		check_after(dir, want);
		remove_tree(dir);
	}
	assert_true(step > 130);
}

static void test_killed(void **state)
{
	deaths(*state, FAULT_KILL);
}

static void test_torn(void **state)
{
	deaths(*state, FAULT_TEAR);
}

static void test_power_lost(void **state)
{
	char model[PATH_LEN], dir[PATH_LEN], next[PATH_LEN], shadow[PATH_LEN];
	uint64_t want = undisturbed(*state);
	unsigned step = 1;

	make(at(*state, "model", model));
	for (bool hit = true; hit; step += step > 40 && step < 130 ? 7 : 1) {
		struct stat st;

		copy_tree(model, at(*state, "log", dir));
		assert_int_equal(mkdir(at(*state, "shadow", shadow), 0700), 0);
		fault.shadow = shadow;
		disk_snapshot(dir);
		hit = die(dir, FAULT_POWER, step);
		assert_int_equal(stat(dir, &st), 0);
		disk_rebuild(st.st_ino, at(*state, "next", next));
		fault.shadow = NULL;
		remove_tree(shadow);
		check_after(next, want);
		remove_tree(dir);
		remove_tree(next);
	}
}

static void test_bytes_are_gone(void **state)
{
	struct ww_prune_input in = content_30d();
	struct ww_prune_result res;
	struct ww_ledger *l;
	char dir[PATH_LEN];

	l = must_open(at(*state, "log", dir));
	append_aged(l, 4, 60 * DAY, ""); /* life, span, exchange, span */
	append_aged(l, 1, 60 * DAY, "");
	append_aged(l, 1, 60 * DAY, "");
	commit(l);
	ww_ledger_close(l);
	assert_true(holds_text(dir, "SWORDFISH"));
	in.kinds |= ww_retention_tier(WW_TIER_EVIDENCE);
	must_prune(dir, &in, &res);
	l = must_open(dir);
	ww_ledger_close(l);
	assert_true(res.erased == 5);
	/* Only the life record's is left. */
	assert_true(holds_text(dir, "\"id\":\"x-0\""));
	for (unsigned i = 1; i < 6; i++) {
		char id[32];

		snprintf(id, sizeof(id), "\"id\":\"x-%x\"", i);
		assert_false(holds_text(dir, id));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(test_old_content_goes),
		SCRATCH_TEST(test_the_newest_stay),
		SCRATCH_TEST(test_life_is_never_pruned),
		SCRATCH_TEST(test_a_lie_about_time),
		SCRATCH_TEST(test_whole_segments_go),
		SCRATCH_TEST(test_dry_run_changes_nothing),
		SCRATCH_TEST(test_report_over_pruned_records),
		SCRATCH_TEST(test_killed),
		SCRATCH_TEST(test_torn),
		SCRATCH_TEST(test_power_lost),
		SCRATCH_TEST(test_bytes_are_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
