/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Load on a ledger, for the benchmark. Each prints one JSON object, or a line per commit.
 *   ledger_load append LEDGER SECONDS     records of 512 bytes as fast as they go, a commit every
 *                                         100 ms
 *   ledger_load pace LEDGER SECONDS RATE  so many a second, a commit every 200 ms as in the daemon;
 *                                         a line "SIZE NANOSECONDS" (boot time) per commit
 *   ledger_load fill LEDGER SIZE          small records; their content is removed on the way, as
 *                                         `prune` does
 *   ledger_load make LEDGER SIZE          records of 512 bytes
 *   ledger_load open LEDGER               how long opening for writing takes
 *   ledger_load prove LEDGER COUNT        proofs of so many records all over the ledger
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "ledger/ledger.h"
#include "ledger/ledger_reader.h"
#include "ledger/payload.h"
#include "wirewitness/limits.h"

#define RECORD_BYTES    512
#define APPEND_EVERY_NS 100000000ull
#define PACE_EVERY_NS   200000000ull
#define TIMES_MAX       100000u

struct times {
	size_t n;
	uint64_t ns[TIMES_MAX];
};

static uint64_t now_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void add_time(struct times *t, uint64_t ns)
{
	if (t->n < TIMES_MAX)
		t->ns[t->n++] = ns;
}

static void print_times(const char *what, struct times *t)
{
	qsort(t->ns, t->n, sizeof(t->ns[0]), compare);
	printf(",\"%s\":{\"median_us\":%.1f,\"p99_us\":%.1f,\"worst_us\":%.1f}", what,
	       t->n ? (double)t->ns[t->n / 2] / 1e3 : 0,
	       t->n ? (double)t->ns[t->n * 99 / 100] / 1e3 : 0,
	       t->n ? (double)t->ns[t->n - 1] / 1e3 : 0);
}

/* Ids as the index likes them least: in no order. */
static uint64_t scatter(uint64_t n)
{
	n *= 0x9e3779b97f4a7c15u;
	return n ^ n >> 29;
}

/* An exchange with its flow, session, connection and process, as long as asked for. */
static size_t make_record(uint64_t index, size_t bytes, char *text)
{
	uint64_t flow = index / 16;
	int n = snprintf(text, bytes,
			 "{\"kind\":\"exchange\",\"id\":\"x-%" PRIx64
			 "\",\"t\":\"2026-11-27T10:00:00.000000000Z\",\"actor\":\"p%" PRIu64
			 "-1f3a9c\",\"flow\":\"f-%" PRIx64 "\",\"session\":\"s-%" PRIx64
			 "\",\"binding\":\"random\",\"method\":\"POST\",\"path\":\"/v1/refunds\","
			 "\"host\":\"payments.test\",\"status\":201,\"note\":\"",
			 scatter(index), 1000 + flow % 64, scatter(flow), scatter(flow + 1));

	while ((size_t)n < bytes - 2)
		text[n] = (char)('a' + (index + (uint64_t)n) % 26), n++;
	memcpy(text + bytes - 2, "\"}", 2);
	return bytes;
}

static int append_one(struct ww_ledger *l, uint64_t index)
{
	char text[RECORD_BYTES];
	struct ww_slice json = ww_slice(text, make_record(index, sizeof(text), text));
	int r = ww_ledger_append(l, "exchange", json, NULL);

	if (r != -ENOBUFS)
		return r;
	r = ww_ledger_commit(l, NULL);
	return r < 0 ? r : ww_ledger_append(l, "exchange", json, NULL);
}

static int load_append(struct ww_ledger *l, uint64_t seconds)
{
	static struct times commits;
	uint64_t from = ww_ledger_size(l), begin = now_ns(CLOCK_MONOTONIC), last = begin;
	uint64_t cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID), size = from, index = from, at = begin;
	int r = 0;

	while (r == 0 && at - begin < seconds * 1000000000u) {
		for (int i = 0; r == 0 && i < 64; i++)
			r = append_one(l, index++);
		at = now_ns(CLOCK_MONOTONIC);
		if (r == 0 && at - last >= APPEND_EVERY_NS) {
			last = at;
			r = ww_ledger_commit(l, &size);
			at = now_ns(CLOCK_MONOTONIC);
			add_time(&commits, at - last);
		}
	}
	if (r < 0)
		return r;
	printf("{\"records\":%" PRIu64 ",\"seconds\":%.3f,\"cpu_seconds\":%.3f,\"commits\":%zu",
	       size - from, (double)(at - begin) / 1e9,
	       (double)(now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu) / 1e9, commits.n);
	print_times("commit", &commits);
	printf("}\n");
	return 0;
}

static void sleep_until(uint64_t ns)
{
	struct timespec ts = {.tv_sec = (time_t)(ns / 1000000000u),
			      .tv_nsec = (long)(ns % 1000000000u)};

	while (clock_nanosleep(CLOCK_BOOTTIME, TIMER_ABSTIME, &ts, NULL) == EINTR)
		continue;
}

static int load_pace(struct ww_ledger *l, uint64_t seconds, uint64_t rate)
{
	uint64_t begin = now_ns(CLOCK_BOOTTIME), index = ww_ledger_size(l), size = index;
	int r = 0;

	for (uint64_t tick = 1; r == 0 && tick <= seconds * 1000000000u / PACE_EVERY_NS; tick++) {
		sleep_until(begin + tick * PACE_EVERY_NS);
		for (uint64_t i = 0; r == 0 && i < rate * PACE_EVERY_NS / 1000000000u; i++)
			r = append_one(l, index++);
		if (r == 0)
			r = ww_ledger_commit(l, &size);
		printf("%" PRIu64 " %" PRIu64 "\n", size, now_ns(CLOCK_BOOTTIME));
		fflush(stdout);
	}
	return r;
}

/* Segments that are complete, as far as they go. */
static int drop_content(struct ww_ledger *l)
{
	WW_AUTO(ww_payload_walk_free_auto) struct ww_payload_walk *w = NULL;
	uint64_t first, next;
	int r = ww_payload_walk_new(ww_ledger_dir(l), &w);

	while (r == 0) {
		r = ww_payload_walk_enter(w, 0, &first, &next);
		if (r == 0)
			r = ww_payload_walk_remove(w);
	}
	return r == -EBUSY || r == -ENODATA ? 0 : r;
}

static int load_fill(struct ww_ledger *l, uint64_t target, bool small)
{
	uint64_t size = ww_ledger_size(l);
	char text[32];
	int r = 0;

	while (r == 0 && size < target) {
		for (uint64_t i = 0; r == 0 && i < WW_LEDGER_PENDING_MAX && size + i < target;
		     i++) {
			int n = snprintf(text, sizeof(text), "{\"n\":%" PRIu64 "}", size + i);

			r = small ? ww_ledger_append(l, "span", ww_slice(text, (size_t)n), NULL)
				  : append_one(l, size + i);
		}
		if (r == 0)
			r = ww_ledger_commit(l, &size);
		if (r == 0 && small)
			r = drop_content(l);
	}
	return r;
}

static int load_open(const struct ww_tlog_options *o, struct ww_errtext *why)
{
	WW_AUTO(ww_ledger_close_auto) struct ww_ledger *l = NULL;
	uint64_t begin = now_ns(CLOCK_MONOTONIC);
	int r = ww_ledger_open(o, &l, why);

	if (r == 0)
		printf("{\"records\":%" PRIu64 ",\"seconds\":%.4f}\n", ww_ledger_size(l),
		       (double)(now_ns(CLOCK_MONOTONIC) - begin) / 1e9);
	return r;
}

/* Each proof is of another place, so that no tile but the topmost is at hand from the one before.
 */
static int load_prove(const char *dir, uint64_t count, struct ww_errtext *why)
{
	WW_AUTO(ww_ledger_reader_close_auto) struct ww_ledger_reader *reader = NULL;
	static struct times clock, cpu; /* by the clock others on the machine count, too */
	struct ww_merkle_proof proof;
	struct ww_slice leaf;
	uint64_t size, index = 0, chance = 1;
	int r = ww_ledger_reader_open(dir, NULL, &reader, why);

	if (r < 0)
		return r;
	size = ww_ledger_reader_head(reader)->size;
	for (uint64_t i = 0; r == 0 && i < count; i++) {
		uint64_t begin = now_ns(CLOCK_MONOTONIC);
		uint64_t used = now_ns(CLOCK_THREAD_CPUTIME_ID);

		chance = chance * 6364136223846793005u + 1442695040888963407u;
		index = (chance >> 16) % size;
		r = ww_ledger_reader_leaf(reader, index, &leaf);
		if (r == 0)
			r = ww_ledger_reader_prove(reader, index, leaf, &proof);
		add_time(&clock, now_ns(CLOCK_MONOTONIC) - begin);
		add_time(&cpu, now_ns(CLOCK_THREAD_CPUTIME_ID) - used);
	}
	if (r < 0)
		return ww_errtext_errno(why, r, "cannot prove record %" PRIu64, index);
	printf("{\"records\":%" PRIu64 ",\"proofs\":%zu", size, clock.n);
	print_times("clock", &clock);
	print_times("cpu", &cpu);
	printf("}\n");
	return 0;
}

static int number(const char *text, uint64_t *ret)
{
	return ww_slice_u64(ww_slice_str(text), ret);
}

static int write_load(const char *what, const struct ww_tlog_options *o, uint64_t a, uint64_t b,
		      struct ww_errtext *why)
{
	WW_AUTO(ww_ledger_close_auto) struct ww_ledger *l = NULL;
	int r = ww_ledger_open(o, &l, why);

	if (r < 0)
		return r;
	if (strcmp(what, "append") == 0)
		r = load_append(l, a);
	else if (strcmp(what, "pace") == 0)
		r = load_pace(l, a, b);
	else
		r = load_fill(l, a, strcmp(what, "fill") == 0);
	return r < 0 ? ww_errtext_errno(why, r, "%s",
					ww_ledger_stopped(l) ? ww_ledger_stopped(l) : what)
		     : 0;
}

int main(int argc, char **argv)
{
	struct ww_tlog_options o = {.origin = "wirewitness.test/load"};
	struct ww_errtext why = {""};
	uint64_t a = 0, b = 5000;
	int r;

	if (argc < 3 || (argc > 3 && number(argv[3], &a) < 0) ||
	    (argc > 4 && number(argv[4], &b) < 0)) {
		fputs("usage: ledger_load append|pace|fill|make|open|prove LEDGER [NUMBER...]\n",
		      stderr);
		return 2;
	}
	o.dir = argv[2];
	if (strcmp(argv[1], "open") == 0)
		r = load_open(&o, &why);
	else if (strcmp(argv[1], "prove") == 0)
		r = load_prove(o.dir, a, &why);
	else
		r = write_load(argv[1], &o, a, b, &why);
	if (r < 0)
		fprintf(stderr, "ledger_load: %s\n", why.text);
	return r < 0;
}
