/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lookups: address tables asked many times.
 *
 *   lookups DIR <ADDRESSES      what the tables of DIR list of each address (a line each), valid or
 *                               not: address, then a tab and "PREFIX operator service region zone"
 *                               with commas between, per row
 *   lookups --rate ROWS SEED    how often per second of CPU a set of ROWS rows answers, half of
 *                               them IPv4, and how much memory it holds; JSON
 */
#include <arpa/inet.h>
#include <malloc.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

#include "base/buf.h"
#include "daemon/tables_folder.h"

#define QUESTIONS (1u << 20)

static uint64_t state;

/* splitmix64 */
static uint64_t draw(void)
{
	uint64_t z = (state += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static double seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Prefixes as clouds have them: one in eight is a block, the others are pieces of the last one. */
static struct ww_cidr draw_prefix(bool v6)
{
	static struct ww_cidr blocks[2];
	struct ww_cidr c = {.family = v6 ? AF_INET6 : AF_INET};
	unsigned all = v6 ? 128 : 32;
	bool block = draw() % 8 == 0 || blocks[v6].bits == 0;

	for (unsigned i = 0; i < all / 8; i++)
		c.addr[i] = (uint8_t)draw();
	if (v6)
		c.addr[0] = 0x2a;
	c.bits = (uint8_t)(v6 ? (block ? 29 + draw() % 12 : 41 + draw() % 24)
			      : (block ? 16 + draw() % 5 : 21 + draw() % 8));
	for (unsigned bit = 0; bit < blocks[v6].bits && !block; bit++) {
		c.addr[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
		c.addr[bit / 8] |= blocks[v6].addr[bit / 8] & 0x80u >> bit % 8;
	}
	for (unsigned bit = c.bits; bit < all; bit++)
		c.addr[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
	if (block)
		blocks[v6] = c;
	return c;
}

static int build(unsigned long rows, struct ww_endpoint *questions, struct ww_tables **ret)
{
	struct ww_tables_file meta = {.name = "drawn.rows", .shape = "list"};
	char region[16];
	int r = ww_tables_new(ret);

	if (r == 0)
		r = ww_tables_add(*ret, &meta);
	for (unsigned long i = 0; r == 0 && i < rows; i++) {
		struct ww_cidr c = draw_prefix(i & 1);
		struct ww_tables_words w = {
			.operator_name = ww_slice_str("cloud"),
			.service = ww_slice_str(draw() % 2 ? "compute" : "storage"),
			.valid = WW_TABLES_ALWAYS};
		struct ww_endpoint *q = &questions[i % QUESTIONS];

		snprintf(region, sizeof(region), "region-%u", (unsigned)(draw() % 60));
		w.region = ww_slice_str(region);
		r = ww_tables_add_row(*ret, &c, &w, 0);
		q->family = c.family;
		memcpy(q->addr, c.addr, 16);
		for (unsigned b = c.bits; b < (i & 1 ? 128u : 32u); b++)
			q->addr[b / 8] |= (uint8_t)(draw() & 0x80u >> b % 8);
		if (draw() % 4 == 0) /* one that is likely listed nowhere */
			q->addr[1] ^= (uint8_t)draw();
	}
	return r < 0 ? r : ww_tables_seal(*ret);
}

static void mix(struct ww_endpoint *q, unsigned count)
{
	for (unsigned i = count - 1; i > 0; i--) {
		unsigned k = (unsigned)(draw() % (i + 1));
		struct ww_endpoint e = q[i];

		q[i] = q[k];
		q[k] = e;
	}
}

static size_t held(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

static int rate(unsigned long rows)
{
	unsigned count = rows < QUESTIONS ? (unsigned)rows : QUESTIONS; /* one of each row */
	WW_AUTO_FREE struct ww_endpoint *questions = calloc(QUESTIONS, sizeof(*questions));
	WW_AUTO(ww_tables_free_auto) struct ww_tables *t = NULL;
	static struct ww_tables_answer a;
	uint64_t matches = 0, listed = 0, asked = 0;
	double began, took, built;
	struct rusage usage;
	size_t before;

	if (!questions || rows < QUESTIONS / 2)
		return 1;
	before = held();
	began = seconds(CLOCK_PROCESS_CPUTIME_ID);
	if (build(rows, questions, &t) < 0)
		return 1;
	built = seconds(CLOCK_PROCESS_CPUTIME_ID) - began;
	before = held() - before;
	mix(questions, count);
	began = seconds(CLOCK_PROCESS_CPUTIME_ID);
	do {
		for (unsigned i = 0; i < count; i++) {
			ww_tables_find(t, &questions[i], (struct ww_wall){1}, &a);
			matches += a.total;
			listed += a.count > 0;
		}
		asked += count;
		took = seconds(CLOCK_PROCESS_CPUTIME_ID) - began;
	} while (took < 2);
	getrusage(RUSAGE_SELF, &usage);
	printf("{\"rows\":%llu,\"lookups_per_s\":%.0f,\"listed_share\":%.3f,"
	       "\"rows_per_answer\":%.2f,\"build_s\":%.2f,\"held_bytes\":%zu,\"peak_kib\":%ld}\n",
	       (unsigned long long)ww_tables_at(t, 0)->rows, (double)asked / took,
	       (double)listed / (double)asked, (double)matches / (double)asked, built, before,
	       usage.ru_maxrss);
	return 0;
}

static void print_word(const char *before, struct ww_slice s)
{
	printf("%s%.*s", before, (int)s.n, s.n ? (const char *)s.p : "");
}

static int answer(const char *dir)
{
	WW_AUTO(ww_tables_free_auto) struct ww_tables *t = NULL;
	char line[128], prefix[WW_CIDR_TEXT_MAX], why[WW_TABLES_WHY_MAX];
	static struct ww_tables_answer a;

	if (ww_tables_folder(dir, &t, why) < 0) {
		fprintf(stderr, "%s\n", why);
		return 1;
	}
	while (fgets(line, sizeof(line), stdin)) {
		struct ww_endpoint e = {0};
		struct ww_cidr c;

		line[strcspn(line, "\n")] = '\0';
		if (ww_cidr_parse(ww_slice_str(line), &c) < 0)
			return 1;
		e.family = c.family;
		memcpy(e.addr, c.addr, 16);
		ww_tables_find(t, &e, (struct ww_wall){0}, &a);
		printf("%s", line);
		for (unsigned i = 0; i < a.count; i++) {
			ww_cidr_text(&a.rows[i].prefix, prefix);
			printf("\t%s", prefix);
			print_word(",", a.rows[i].words->operator_name);
			print_word(",", a.rows[i].words->service);
			print_word(",", a.rows[i].words->region);
			print_word(",", a.rows[i].words->zone);
		}
		printf("\n");
	}
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t rows;

	if (argc == 4 && strcmp(argv[1], "--rate") == 0 &&
	    ww_slice_u64(ww_slice_str(argv[2]), &rows) == 0 &&
	    ww_slice_u64(ww_slice_str(argv[3]), &state) == 0)
		return rate(rows);
	if (argc == 2)
		return answer(argv[1]);
	fprintf(stderr, "usage: lookups DIR | lookups --rate ROWS SEED\n");
	return 2;
}
