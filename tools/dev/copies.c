/* SPDX-License-Identifier: Apache-2.0 */
/*
 * copies: the search for copies of prompts, driven by tests and benchmarks.
 *
 *   copies KEY <COMMANDS   KEY: 64 hexadecimal digits. A command is a letter, the bytes of what
 *                          follows as a decimal number, a line feed, and those bytes:
 *       P  "OWNER ROOT " and a prompt's text, which is remembered: prints its shingles
 *       F  an owner, who is forgotten
 *       B  a body: prints a line "BYTES PARTIAL" and, behind blanks, "OWNER:SHARED:OF:FORM" of each
 * hit W  a text: prints the hashes that stand for it N  a text: prints its symbols in hexadecimal
 *       S  prints owners, texts, pieces, evicted, cut
 *   copies --rate MIB SEED  MIB of drawn bodies searched for 1,000 remembered prompts, in turns
 * with a pass that copies the same bytes: bytes per second of CPU, and what one agent's prompts
 * occupy; JSON
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "action/shingles.h"
#include "base/encode.h"

#define COMMAND_BYTES_MAX (64u << 20)
#define HITS_MAX          512u

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "copies: %s\n", what);
	exit(1);
}

static void need(int r)
{
	if (r < 0)
		die("no memory");
}

/* --- commands --------------------------------------------------------------------------------- */

static struct ww_shingles *shingles;
static struct ww_winnow_key key;

/* A number and the blank behind it. */
static uint64_t take_number(struct ww_slice *s)
{
	size_t n = ww_slice_find(*s, 0, ' ');
	uint64_t v;

	if (ww_slice_u64(ww_slice_sub(*s, 0, n), &v) < 0)
		die("no number");
	*s = ww_slice_sub(*s, n + 1, s->n);
	return v;
}

static void prompt(struct ww_slice s)
{
	uint64_t owner = take_number(&s), root = take_number(&s);
	uint32_t count;

	need(ww_shingles_add(shingles, owner, (struct ww_actor_key){.start_ns = root, .pid = 1}, s,
			     &count));
	printf("%" PRIu32 "\n", count);
}

static void body(struct ww_slice s)
{
	static struct ww_shingle_hit hit[HITS_MAX];
	bool partial;
	unsigned n = ww_shingles_find(shingles, s, hit, HITS_MAX, &partial);

	printf("%zu %d", s.n, partial);
	for (unsigned i = 0; i < n; i++)
		printf(" %" PRIu64 ":%" PRIu32 ":%" PRIu32 ":%s", hit[i].owner, hit[i].shared,
		       hit[i].of, hit[i].form);
	putchar('\n');
}

static void hashes(struct ww_slice s)
{
	size_t count;
	uint64_t *h = calloc(s.n + 1, sizeof(*h));
	bool more;

	need(h ? 0 : -1);
	need(ww_winnow(&key, s, h, s.n + 1, &count, &more));
	for (size_t i = 0; i < count; i++)
		printf(" %016" PRIx64, h[i]);
	putchar('\n');
	free(h);
}

static void symbols(struct ww_slice s)
{
	struct ww_symbols r;
	uint8_t out[64];
	size_t n;

	ww_symbols_init(&r, s);
	while ((n = ww_symbols_next(&r, out, sizeof(out))) > 0)
		for (size_t i = 0; i < n; i++)
			printf("%02x", out[i]);
	putchar('\n');
}

static void stats(void)
{
	struct ww_shingles_stats s;

	ww_shingles_stats(shingles, &s);
	printf("%" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu64 " %" PRIu64 "\n", s.owners, s.texts,
	       s.pieces, s.evicted, s.cut);
}

static void run(char command, struct ww_slice s)
{
	switch (command) {
	case 'P':
		prompt(s);
		return;
	case 'F':
		ww_shingles_forget(shingles, take_number(&s));
		return;
	case 'B':
		body(s);
		return;
	case 'W':
		hashes(s);
		return;
	case 'N':
		symbols(s);
		return;
	case 'S':
		stats();
		return;
	default:
		die("no such command");
	}
}

static void commands(const char *hex)
{
	uint8_t b[32];
	size_t bytes;
	char command;

	if (strlen(hex) != 64 || ww_hex_decode(ww_slice_str(hex), b, sizeof(b)) < 0)
		die("the key is 64 hexadecimal digits");
	need(ww_shingles_new(b, &shingles));
	ww_winnow_key_init(&key, b);
	while (scanf("%c%zu", &command, &bytes) == 2) {
		uint8_t *p = bytes <= COMMAND_BYTES_MAX ? malloc(bytes + 1) : NULL;

		if (!p || getchar() != '\n' || fread(p, 1, bytes, stdin) != bytes)
			die("a command is cut off");
		run(command, ww_slice(p, bytes));
		fflush(stdout);
		free(p);
	}
	ww_shingles_free(shingles);
}

/* --- rate ------------------------------------------------------------------------------------- */

#define PROMPTS    1000u
#define WORDS      4096u
#define BODY_BYTES (256u << 10)

static uint64_t state;

/* splitmix64 */
static uint64_t draw(void)
{
	uint64_t z = (state += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Words of a drawn vocabulary, frequent ones short and often, as JSON strings of some sentences. */
static size_t text(char *out, size_t n, bool json)
{
	static char word[WORDS][14];
	size_t at = 0, in_line = 0;

	for (unsigned i = 0; i < WORDS && !word[WORDS - 1][0]; i++)
		for (unsigned k = 0, letters = 2 + (unsigned)(draw() % (3 + i / 512)); k < letters;
		     k++)
			word[i][k] = (char)('a' + draw() % 26);
	while (at + 32 < n) {
		const char *w = word[(draw() % WORDS) * (draw() % WORDS) / WORDS];
		size_t letters = strlen(w);

		memcpy(out + at, w, letters);
		at += letters;
		if (json && ++in_line % 40 == 0) {
			memcpy(out + at, "\\n\", \"text\": \"", 13);
			at += 13;
		} else {
			out[at++] = ' ';
		}
	}
	return at;
}

static double search(const char *body_text, size_t n, uint64_t rounds, bool *ret_partial)
{
	double begin = seconds();
	struct ww_shingle_hit hit[8];
	unsigned hits = 0;

	*ret_partial = false;
	for (uint64_t i = 0; i < rounds; i++) {
		bool partial;

		hits += ww_shingles_find(shingles, ww_slice(body_text, n), hit, 8, &partial);
		*ret_partial |= partial;
	}
	if (hits)
		die("a drawn body has a copy");
	return seconds() - begin;
}

/* What one look at each byte through a table costs. */
static double look(const char *body_text, size_t n, uint64_t rounds)
{
	static uint8_t table[256], to[BODY_BYTES];
	double begin = seconds();

	for (uint64_t i = 0; i < rounds; i++) {
		for (size_t k = 0; k < n; k++)
			to[k] = table[(uint8_t)body_text[k]];
		__asm__ volatile("" ::"r"(to) : "memory");
	}
	return seconds() - begin;
}

static void rate(uint64_t mib, uint64_t seed)
{
	static char body_text[BODY_BYTES], prompt_text[1500];
	uint64_t rounds = (mib << 20) / BODY_BYTES;
	double searched = 0, looked = 0;
	struct ww_shingles_stats s;
	size_t bytes = 0;
	const uint8_t b[32] = {1};
	uint32_t count;
	bool partial;

	state = seed;
	need(ww_shingles_new(b, &shingles));
	for (unsigned i = 0; i < PROMPTS; i++)
		need(ww_shingles_add(
			shingles, i, (struct ww_actor_key){.pid = 1 + i / 100},
			ww_slice(prompt_text, text(prompt_text, sizeof(prompt_text), false)),
			&count));
	ww_shingles_stats(shingles, &s);
	for (uint64_t i = 0; i < rounds; i += 16) {
		size_t n = text(body_text, sizeof(body_text), true);

		searched += search(body_text, n, 16, &partial);
		looked += look(body_text, n, 16);
		bytes += 16 * n;
		if (partial)
			die("a body was not looked at wholly");
	}
	printf("{\"searched_bytes_per_s\": %.0f, \"looked_bytes_per_s\": %.0f, \"prompts\": "
	       "%" PRIu32 ", \"pieces\": %" PRIu32 "}\n",
	       (double)bytes / searched, (double)bytes / looked, s.owners, s.pieces);
	ww_shingles_free(shingles);
}

int main(int argc, char **argv)
{
	uint64_t mib, seed;

	if (argc == 2)
		commands(argv[1]);
	else if (argc == 4 && strcmp(argv[1], "--rate") == 0 &&
		 ww_slice_u64(ww_slice_str(argv[2]), &mib) == 0 &&
		 ww_slice_u64(ww_slice_str(argv[3]), &seed) == 0)
		rate(mib, seed);
	else
		die("usage: copies KEY <COMMANDS | copies --rate MIB SEED");
	return 0;
}
