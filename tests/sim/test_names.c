/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tape of names with one fault in every place where it can be: every event of the kernel lost,
 * told as a count or seen as a hole, or delivered twice. What the client was told, and what it
 * connected to, stands in its own words beside the tape; one of its name servers lies, and the
 * lies are on the tape. Names may be missing; a wrong one never stands there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "faults.h"

#define LINES_MAX 64

/* Many addresses of one name, which getaddrinfo() tries all. */
static const char many[] = "a-rather-long-name-of-many-addresses.test", of_many[] = "127.78.1.";

struct seen {
	unsigned named, wrong; /* names of connections that are in the truth, and that are not */
	unsigned lied;         /* answers that the client did not take */
};

static struct tape tape;
static struct sim sim;
static char *truth[LINES_MAX];
static unsigned truths, names_wanted;

static bool text_at(struct ww_slice json, const char *path, char *out, size_t n)
{
	return tape_member(json, path, out, n);
}

static bool has_name(struct ww_slice line, const char *name)
{
	char path[32], text[128];

	for (unsigned i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "$.names[%u]", i);
		if (text_at(line, path, text, sizeof(text)) && strcmp(text, name) == 0)
			return true;
	}
	return false;
}

/* "127.78.0.1:443" and "[::1]:443" are of these addresses; *ret_port follows. */
static bool is_at(const char *endpoint, const char *address, unsigned long *ret_port)
{
	const char *colon = strrchr(endpoint, ':');
	size_t n = colon ? (size_t)(colon - endpoint) : 0;

	if (!colon)
		return false;
	*ret_port = strtoul(colon + 1, NULL, 10);
	if (*endpoint == '[' && n > 2) {
		endpoint++;
		n -= 2;
	}
	return strlen(address) == n && memcmp(endpoint, address, n) == 0;
}

/* The truth of a connection by both of its ends, else of all to that address. */
static bool allowed(const char *local, const char *peer, const char *name)
{
	char address[64];
	unsigned long port, own;
	bool any = strcmp(name, many) == 0 && strncmp(peer, of_many, strlen(of_many)) == 0;

	for (unsigned i = 0; i < truths; i++) {
		struct ww_slice line = ww_slice_str(truth[i]);
		bool has = has_name(line, name);

		if (!text_at(line, "$.peer", address, sizeof(address)) ||
		    !is_at(peer, address, &port))
			continue;
		if (strrchr(local, ':') &&
		    (own = strtoul(strrchr(local, ':') + 1, NULL, 10)) != 0 &&
		    own == tape_number(line, "$.local"))
			return has;
		any |= has;
	}
	return any;
}

static void take_flow(struct seen *s, struct ww_slice json)
{
	char local[64], peer[64], name[128], path[40];

	if (!text_at(json, "$.local", local, sizeof(local)) ||
	    !text_at(json, "$.peer", peer, sizeof(peer)))
		fail();
	for (unsigned i = 0; i < 8; i++) {
		snprintf(path, sizeof(path), "$.dns.names[%u].name", i);
		if (!text_at(json, path, name, sizeof(name)))
			break;
		if (allowed(local, peer, name)) {
			s->named += tape_number(json, "$.protoNumber") == 6;
			continue;
		}
		fprintf(stderr, "%s -> %s: %s\n", local, peer, name);
		s->wrong++;
	}
}

static void take_lookup(struct seen *s, struct ww_slice json)
{
	char name[128], address[64];

	if (!text_at(json, "$.name", name, sizeof(name)))
		fail();
	if (!text_at(json, "$.answers[0].address", address, sizeof(address)))
		return;
	s->lied += strcmp(address, "127.78.0.10") == 0 || strcmp(name, "silent.test") == 0;
}

static void take(void *ctx, enum ww_record_kind kind, struct ww_slice json)
{
	if (kind == WW_RECORD_FLOW)
		take_flow(ctx, json);
	else if (kind == WW_RECORD_LOOKUP)
		take_lookup(ctx, json);
}

static struct seen play(void)
{
	struct ww_pipeline_stats stats;
	struct seen s = {0};

	sim_build(&sim);
	tape_feed(&tape, sim.ev, sim.count, take, &s, &stats);
	sim_done(&sim);
	return s;
}

static int open_tape(void **state)
{
	FILE *f = fopen("tests/golden/tapes/names.truth", "r");
	char line[1024];

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f)) {
		assert(truths < LINES_MAX);
		for (const char *at = line; (at = strstr(at, ".test")); at++)
			names_wanted += strstr(line, "asked") == NULL;
		truth[truths++] = strdup(line);
	}
	fclose(f);
	tape_load(&tape, "tests/golden/tapes/names.tape");
	return 0;
}

static int close_tape(void **state)
{
	for (unsigned i = 0; i < truths; i++)
		free(truth[i]);
	tape_free(&tape);
	return 0;
}

static void as_it_was(void **state)
{
	struct seen s;

	sim_init(&sim, &tape);
	s = play();
	assert_int_equal(s.wrong + s.lied, 0);
	assert_true(names_wanted >= 12);
	assert_int_equal(s.named, names_wanted);
}

static void each_event_of_the_kernel(void **state)
{
	static const enum fault faults[] = {FAULT_LOST, FAULT_HOLE, FAULT_TWICE};
	unsigned wrong = 0, fewer = 0;

	for (unsigned i = 0; i < tape.count; i++) {
		for (unsigned f = 0; sim_of_kernel(tape.ev[i]) && f < WW_ARRAY_SIZE(faults); f++) {
			struct seen s;

			sim_init(&sim, &tape);
			sim.fault[i] = (uint8_t)faults[f];
			s = play();
			if (s.wrong + s.lied > 0)
				fprintf(stderr, "event %u (kind %u), fault %u\n", i,
					tape.ev[i]->kind, faults[f]);
			wrong += s.wrong + s.lied;
			fewer += s.named < names_wanted;
			assert_true(faults[f] != FAULT_TWICE || s.named == names_wanted);
		}
	}
	assert_int_equal(wrong, 0);
	assert_true(fewer > 20); /* the faults did something */
}

/* Everything behind it is gone, too. */
static void cut_anywhere(void **state)
{
	unsigned wrong = 0;

	for (unsigned i = 0; i < tape.count; i++) {
		struct seen s;

		sim_init(&sim, &tape);
		sim.upto = i;
		s = play();
		wrong += s.wrong + s.lied;
	}
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_it_was),
		cmocka_unit_test(each_event_of_the_kernel),
		cmocka_unit_test(cut_anywhere),
	};

	return cmocka_run_group_tests(tests, open_tape, close_tape);
}
