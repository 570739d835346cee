/* SPDX-License-Identifier: Apache-2.0 */
/* Memory runs out at every allocation of a ledger's life: each call answers, nothing is torn, and
 * it goes on. */
#include "ledger_test.h"

#include "ledger/report.h"
#include "ledger/report_verify.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
/* The sanitizer owns the allocator. */
int main(void)
{
	puts("the allocator cannot be replaced under this sanitizer");
	return 77;
}
#else

extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t n);

static unsigned long allocations, fail_at; /* 0: never */

static bool refused(void)
{
	if (!fail_at || ++allocations != fail_at)
		return false;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t n)
{
	return refused() ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	return refused() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	return refused() ? NULL : __libc_realloc(p, n);
}

static int report(const char *dir, struct ww_ledger *l)
{
	WW_AUTO(ww_ledger_reader_close_auto) struct ww_ledger_reader *r = NULL;
	struct ww_report_input in = {.created_at = "2026-11-23T10:00:00Z", .last = 9};
	struct ww_report_result result;
	struct ww_errtext why = {""};
	WW_AUTO_BUF struct ww_buf out = {0};
	int e;

	ww_buf_init(&out, 1u << 20);
	e = ww_ledger_reader_open(dir, NULL, &r, &why);
	if (e == 0)
		e = ww_report_build(r, &ww_ledger_keys(l)->signer, &in, &out, &why);
	if (e == 0)
		e = ww_report_verify(ww_buf_slice(&out), &ww_ledger_keys(l)->signer.key, &result);
	if (e == 0) {
		/* Short of memory libcrypto may call a good signature bad; never the other way
		 * round. */
		e = result.verified ? 0 : -EBADMSG;
		ww_report_result_done(&result);
	}
	return e;
}

/* Open, append, commit, report: 0, or the first error. */
static int life(const char *dir, uint64_t *announced)
{
	WW_AUTO(ww_ledger_close_auto) struct ww_ledger *l = NULL;
	struct ww_errtext why = {""};
	int e = try_open(dir, NULL, &l, &why);

	for (int i = 0; i < 40 && e == 0; i++) {
		char text[64];
		size_t n = record_text(ww_ledger_size(l) + ww_ledger_pending(l), text);

		e = ww_ledger_append(l, "flow", ww_slice(text, n), NULL);
	}
	if (e == 0)
		e = ww_ledger_commit(l, announced);
	return e < 0 ? e : report(dir, l);
}

static void test_every_allocation(void **state)
{
	uint64_t announced = 0;
	char dir[PATH_LEN];
	unsigned long n = 1;
	int e;

	/* Once in peace: what libcrypto sets up for the whole process is not the subject. */
	assert_int_equal(life(at(*state, "log", dir), &announced), 0);
	do {
		allocations = 0;
		fail_at = n;
		e = life(dir, &announced);
		fail_at = 0;
		check_ledger(dir, announced);
		n += n < 60 ? 1 : 1 + n / 16;
	} while (e < 0 || allocations >= n);
	assert_true(n > 60);
	assert_int_equal(life(dir, &announced), 0);
	check_ledger(dir, announced);
}

int main(void)
{
	const struct CMUnitTest tests[] = {SCRATCH_TEST(test_every_allocation)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
#endif
