/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Claims in prose over the golden tapes. A turn is made mute: what names the tool call in what it
 * sent and got is renamed, its spans are gone; what is left of it is the answer that says "done".
 * For A31 nothing was sent: SUSPECT_NO_ACTION. Then every event is lost in turn: no turn whose call
 * went out is suspected, and no verdict of another turn is another than without prose. Whatever is
 * said with prose follows from the records, by the auditor's rules.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../lib/derived.h"
#include "variants.h"

#define TAPES WW_ARRAY_SIZE(variant_tapes)

static const char *const orders[TURNS] = {"order A17", "order B23", "order A31", "order C5"};

static struct sim sim;
static struct tape_run with, without;

static bool contains(const struct ww_event_data *d, const char *text)
{
	return d->h.kind == WW_EVENT_DATA && memmem(d->bytes, d->captured, text, strlen(text));
}

static void rename_all(struct ww_event_data *d, const char *from, const char *to)
{
	size_t n = strlen(from);
	uint8_t *at = d->bytes;

	while ((at = memmem(at, d->captured - (size_t)(at - d->bytes), from, n))) {
		memcpy(at, to, n);
		at += n;
	}
}

/* What more of the same answer comes behind `at` becomes blanks; returns how much that is. */
static size_t blank_rest(struct tape *t, unsigned at)
{
	size_t n = 0;

	for (unsigned i = at + 1; i < t->count; i++) {
		struct ww_event_data *d = (struct ww_event_data *)t->ev[i];

		if (d->h.kind != WW_EVENT_DATA || d->h.cookie != t->ev[at]->cookie)
			continue;
		if (d->dir != WW_DIR_IN)
			break;
		memset(d->bytes, ' ', d->captured);
		n += d->captured;
	}
	return n;
}

/* The same number of bytes, but an answer without any content. Compressed ones cannot be renamed.
 */
static bool empty_answer(struct tape *t, unsigned at)
{
	static const char openai[] =
		"{\"id\":\"c\",\"object\":\"chat.completion\",\"choices\":[{\"index\":0,"
		"\"finish_reason\":\"stop\",\"message\":{\"role\":\"assistant\"}}]}";
	static const char anthropic[] = "{\"id\":\"m\",\"type\":\"message\",\"role\":\"assistant\","
					"\"content\":[],\"stop_reason\":\"end_turn\"}";
	struct ww_event_data *d = (struct ww_event_data *)t->ev[at];
	const char *body = contains(d, "openai-version") ? openai : anthropic;
	char head[256];
	int n, pad;

	if (d->h.kind != WW_EVENT_DATA || d->dir != WW_DIR_IN ||
	    !contains(d, "content-encoding: gzip"))
		return false;
	n = snprintf(
		head, sizeof(head),
		"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\nPad: ",
		strlen(body) + blank_rest(t, at));
	pad = (int)d->captured - n - 4 - (int)strlen(body);
	assert_true(pad > 0);
	memcpy(d->bytes, head, (size_t)n);
	memset(d->bytes + n, 'x', (size_t)pad);
	memcpy(d->bytes + n + pad, "\r\n\r\n", 4);
	memcpy(d->bytes + n + pad + 4, body, strlen(body));
	return true;
}

/* From the first event that names the order to the first that names the next one. */
static void mute(struct tape *t, unsigned turn)
{
	unsigned from = 0, to, claims = 0;
	bool emptied = false;

	while (from < t->count &&
	       !contains((const struct ww_event_data *)t->ev[from], orders[turn]))
		from++;
	assert_true(from < t->count);
	for (to = from; to < t->count; to++) {
		struct ww_event_data *d = (struct ww_event_data *)t->ev[to];

		if (turn + 1 < TURNS && contains(d, orders[turn + 1]))
			break;
		if (d->h.kind != WW_EVENT_DATA)
			continue;
		emptied = emptied || empty_answer(t, to);
		rename_all(d, "\"tool_calls\"", "\"xool_calls\"");
		rename_all(d, "\"tool\"", "\"xool\"");
		rename_all(d, "\"tool_use\"", "\"xool_use\"");
		rename_all(d, "\"tool_result\"", "\"xool_result\"");
	}
	for (unsigned i = from; i < to;) {
		if (t->ev[i]->kind != WW_EVENT_CLAIM) {
			i++;
			continue;
		}
		tape_remove(t, i);
		to--;
		claims++;
	}
	assert_true(claims > 0);
}

static struct ww_buf records; /* of the last play with prose, one per line */

static void take(void *ctx, enum ww_record_kind kind, struct ww_slice json)
{
	tape_take(ctx, kind, json);
	assert_int_equal(ww_buf_add(&records, json.p, json.n), 0);
	assert_int_equal(ww_buf_add(&records, "\n", 1), 0);
}

static void play_without(struct tape *t)
{
	t->cfg.prose = false;
	tape_play(t, sim.ev, sim.count, &without);
}

static void play_with(struct tape *t)
{
	memset(&with, 0, sizeof(with));
	ww_buf_init(&records, 8u << 20);
	t->cfg.prose = true;
	tape_feed(t, sim.ev, sim.count, take, &with, &with.stats);
	all_derived(ww_buf_slice(&records), false);
	ww_buf_done(&records);
}

static const struct tape_verdict *suspicion(const struct tape_run *r)
{
	for (unsigned i = 0; i < r->verdict_count; i++) {
		if (strcmp(r->verdicts[i].verdict, "SUSPECT_NO_ACTION") == 0)
			return &r->verdicts[i];
	}
	return NULL;
}

static bool named(const char *subject)
{
	return strncmp(subject, "a-", 2) != 0;
}

/* Every call that has an id ends as it does without prose. */
static unsigned moved(const struct tape *t, const char *what, unsigned at)
{
	unsigned wrong = 0;

	for (unsigned i = 0; i < without.verdict_count; i++) {
		const char *subject = without.verdicts[i].subject;
		const struct tape_verdict *a = sim_verdict(&without, subject);
		const struct tape_verdict *b = sim_verdict(&with, subject);

		if (b && strcmp(a->verdict, b->verdict) == 0 && strcmp(a->reason, b->reason) == 0)
			continue;
		fprintf(stderr, "MOVED %s: %s at %u: %s is %s(%s), without prose %s(%s)\n", t->path,
			what, at, subject, b ? b->verdict : "gone", b ? b->reason : "", a->verdict,
			a->reason);
		wrong++;
	}
	for (unsigned i = 0; i < with.verdict_count; i++) {
		const struct tape_verdict *v = &with.verdicts[i];

		if (named(v->subject) || sim_verdict(&without, v->subject) ||
		    strcmp(v->verdict, "SUSPECT_NO_ACTION") == 0 ||
		    strcmp(v->verdict, "UNVERIFIABLE") == 0)
			continue;
		fprintf(stderr, "WRONG %s: %s at %u: %s, by prose alone\n", t->path, what, at,
			v->verdict);
		wrong++;
	}
	return wrong;
}

/* Under one fault: may_suspect says whether a suspicion is true. */
static unsigned check(struct tape *t, bool may_suspect, const char *what, unsigned at)
{
	unsigned wrong;

	play_without(t);
	play_with(t);
	wrong = moved(t, what, at);
	if (!may_suspect && suspicion(&with)) {
		fprintf(stderr, "WRONG %s: %s at %u: suspected\n", t->path, what, at);
		wrong++;
	}
	return wrong;
}

/* A turn whose call went out is never suspected, whatever is lost or seen as a hole. */
static unsigned suspect_each(struct tape *t)
{
	unsigned wrong = 0;

	for (unsigned i = 0; i < t->count; i++) {
		for (unsigned hole = 0; hole < 2 && sim_of_kernel(t->ev[i]); hole++) {
			sim_init(&sim, t);
			sim.fault[i] = hole ? FAULT_HOLE : FAULT_LOST;
			sim_build(&sim);
			play_with(t);
			if (suspicion(&with)) {
				fprintf(stderr, "WRONG %s: %s at %u: suspected\n", t->path,
					hole ? "a hole" : "lost", i);
				wrong++;
			}
			sim_done(&sim);
		}
	}
	return wrong;
}

static unsigned lose_each(struct tape *t)
{
	unsigned wrong = 0;

	for (unsigned i = 0; i < t->count; i++) {
		if (!sim_of_kernel(t->ev[i]))
			continue;
		sim_init(&sim, t);
		sim.fault[i] = FAULT_LOST;
		sim_build(&sim);
		wrong += check(t, true, "lost", i);
		sim_done(&sim);
	}
	return wrong;
}

/* All turns as they were: prose says nothing new, and is put to what is there. */
static void test_nothing_moves(void **state)
{
	static struct tape t;
	unsigned wrong = 0;

	for (unsigned i = 0; i < TAPES; i++) {
		tape_load(&t, variant_tapes[i]);
		sim_init(&sim, &t);
		sim_build(&sim);
		wrong += check(&t, false, "whole", 0);
		assert_int_equal(with.verdict_count, without.verdict_count);
		assert_memory_not_equal(with.print.b, without.print.b, sizeof(with.print.b));
		sim_done(&sim);
		tape_free(&t);
	}
	assert_int_equal(wrong, 0);
}

/* One turn mute. Without faults exactly A31 is suspected. */
static void test_mute_turns(void **state)
{
	static struct tape t;
	unsigned wrong = 0;

	for (unsigned i = 0; i < TAPES; i++) {
		for (unsigned turn = 0; turn < TURNS; turn++) {
			bool nothing_sent = turn == 2;
			const struct tape_verdict *v;

			tape_load(&t, variant_tapes[i]);
			mute(&t, turn);
			sim_init(&sim, &t);
			sim_build(&sim);
			wrong += check(&t, nothing_sent, orders[turn], 0);
			v = suspicion(&with);
			if (!!v != nothing_sent) {
				fprintf(stderr, "%s: %s mute:", t.path, orders[turn]);
				for (unsigned n = 0; n < with.verdict_count; n++)
					fprintf(stderr, " %s=%s(%s)", with.verdicts[n].subject,
						with.verdicts[n].verdict, with.verdicts[n].reason);
				fail_msg("%s", v ? "suspected" : "not suspected");
			}
			sim_done(&sim);
			tape_free(&t);
		}
	}
	assert_int_equal(wrong, 0);
}

static void test_lose_each_event(void **state)
{
	static struct tape t;
	unsigned wrong = 0;

	for (unsigned i = 0; i < TAPES; i++) {
		tape_load(&t, variant_tapes[i]);
		mute(&t, 0);
		wrong += suspect_each(&t);
		tape_free(&t);
		tape_load(&t, variant_tapes[i]);
		mute(&t, 2);
		wrong += lose_each(&t);
		tape_free(&t);
	}
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_moves),
		cmocka_unit_test(test_mute_turns),
		cmocka_unit_test(test_lose_each_event),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
