/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Properties over random turns: the order in which parts arrive within the grace time changes no
 * verdict, and a lost event never makes one that accuses or confirms wrongly. Seeds are fixed; a
 * failure prints its own.
 */
#include "scene.h"

#define TURNS      12
#define PARTS_MAX  (TURNS * 7)
#define SEEDS      60
#define BEGIN_MS   1000u
#define TURN_MS    100u /* turns are close, some overlap */
#define HORIZON_MS 90000u

struct random {
	uint64_t state;
};

/* SplitMix64, by its published constants. */
static uint64_t roll(struct random *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static bool chance(struct random *r, unsigned percent)
{
	return roll(r) % 100 < percent;
}

#define READ_BACK                \
	REFUND_TO                \
	"  id_path: $.id\n"      \
	"  async_deadline: 5s\n" \
	"  readback: {path: '/v1/refunds/{id}', id_path: $.id}\n"

enum part_kind { PART_SPAN, PART_CALL, PART_ASK, PART_READ };

struct part {
	enum part_kind kind;
	unsigned turn;
	struct ww_span span;
	struct call call;
	char id[16];
	char body[32];   /* of a call and of its read */
	char target[32]; /* of the read */
	uint64_t ms;
};

/* What really happened in a turn. */
struct truth {
	bool called, succeeded, accepted, traced;
	bool read; /* what it created was read back */
};

struct story {
	unsigned count;
	struct part parts[PARTS_MAX];
	struct truth truths[TURNS];
};

static struct part *add(struct story *st, enum part_kind kind, unsigned turn)
{
	struct part *p = &st->parts[st->count++];

	memset(p, 0, sizeof(*p));
	p->kind = kind;
	p->turn = turn;
	snprintf(p->id, sizeof(p->id), "call-%u", turn);
	return p;
}

static void add_turn(struct scene *s, struct story *st, struct random *r, unsigned turn)
{
	uint64_t from = BEGIN_MS + TURN_MS * turn, to = from + 40 + roll(r) % 120;
	struct truth *t = &st->truths[turn];
	struct part *p;
	struct ww_span span;

	t->called = chance(r, 70);
	t->succeeded = t->called && chance(r, 60);
	t->traced = chance(r, 60);
	p = add(st, PART_SPAN, turn);
	p->span = tool_span(s, p->id, chance(r, 80) ? WW_SPAN_OK : WW_SPAN_ERROR, from, to);
	p->span.received = at_ms(BEGIN_MS + TURN_MS * TURNS + 300);
	span = p->span;
	if (chance(r, 50)) {
		p = add(st, PART_SPAN, turn);
		p->span = span_of(s, WW_SPAN_AGENT, "", "", WW_SPAN_OK, from - 5, to + 5);
		p->span.received = span.received;
		claim_on(&p->span, p->id, "refund", p->id, true, to + 2);
	}
	if (chance(r, 50)) {
		p = add(st, PART_ASK, turn);
		p->ms = from - 4;
	}
	t->accepted = t->called && !t->succeeded && chance(r, 40);
	t->read = (t->succeeded || t->accepted) && chance(r, 50);
	if (t->called) {
		p = add(st, PART_CALL, turn);
		p->call = (struct call){.cookie = 1000 + turn,
					.from = from + 5,
					.to = from + 20,
					.status = t->succeeded  ? 201
						  : t->accepted ? 202
								: 503};
		snprintf(p->body, sizeof(p->body), "{\"id\":\"r-%u\"}", turn);
		p->span = span;
		p->call.idempotency = t->traced && chance(r, 30) ? p->id : NULL;
	}
	if (t->called && (t->read || chance(r, 20))) {
		p = add(st, PART_READ, turn);
		p->call = (struct call){.cookie = 2000 + turn,
					.method = "GET",
					.from = from + 25 + roll(r) % 2000,
					.status = t->read ? 200 : 404};
		p->call.to = p->call.from + 9;
		snprintf(p->body, sizeof(p->body), "{\"id\":\"r-%u\"}", turn);
		snprintf(p->target, sizeof(p->target), "/v1/refunds/r-%u", turn);
	}
}

/* `skip`: a part that is lost; PARTS_MAX: none. */
static void tell_story(struct scene *s, struct story *st, const unsigned *order, unsigned skip)
{
	for (unsigned i = 0; i < st->count; i++) {
		struct part *p = &st->parts[order[i]];

		if (order[i] == skip)
			continue;
		switch (p->kind) {
		case PART_SPAN:
			tell(s, &p->span);
			break;
		case PART_CALL:
			p->call.traced = st->truths[p->turn].traced ? &p->span : NULL;
			if (p->call.idempotency)
				p->call.idempotency = p->id;
			p->call.body = p->body;
			exchange(s, p->call, NULL);
			break;
		case PART_READ:
			p->call.body = p->body;
			p->call.target = p->target;
			exchange(s, p->call, NULL);
			break;
		case PART_ASK:
			model_answers(s, p->ms, p->id, "refund", NULL);
		}
	}
}

static void make_story(struct story *st, uint64_t seed)
{
	struct scene *s = scene_open_with(READ_BACK); /* only for ids */
	struct random r = {seed};

	memset(st, 0, sizeof(*st));
	for (unsigned i = 0; i < TURNS; i++)
		add_turn(s, st, &r, i);
	scene_close(s);
}

/* "call-3 MASKED_ERROR EXACT ..." of every verdict, sorted. */
static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

#define LINE 160

static unsigned outcomes(const struct scene *s, char lines[RECORDS_MAX][LINE])
{
	unsigned n = 0;

	for (unsigned i = 0; i < s->count; i++) {
		json_t *r = s->records[i];

		if (strcmp(text(r, "kind"), "verdict") != 0)
			continue;
		snprintf(lines[n++], LINE, "%s %s %s %s %s %s %s", text(r, "toolCallId"),
			 text(r, "verdict"), text(r, "reason"), text(r, "evidence"),
			 text(r, "join"), text(r, "by"), text(json_object_get(r, "said"), "claim"));
	}
	qsort(lines, n, LINE, by_text);
	return n;
}

static void shuffle(struct random *r, unsigned *order, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		order[i] = i;
	for (unsigned i = n; i > 1; i--) {
		unsigned k = (unsigned)(roll(r) % i), t = order[i - 1];

		order[i - 1] = order[k];
		order[k] = t;
	}
}

static void test_order_of_arrival(void **state)
{
	static char first[RECORDS_MAX][LINE], other[RECORDS_MAX][LINE];
	static struct story st;
	unsigned order[PARTS_MAX];

	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct random r = {seed * 77};
		unsigned n = 0;

		make_story(&st, seed);
		for (unsigned round = 0; round < 4; round++) {
			struct scene *s = scene_open_with(READ_BACK);
			unsigned m;

			s->underivable = true; /* calls that may be for another */
			shuffle(&r, order, st.count);
			tell_story(s, &st, order, PARTS_MAX);
			tick(s, HORIZON_MS);
			m = outcomes(s, round ? other : first);
			assert_int_equal(m, TURNS); /* one verdict per turn */
			if (round == 0)
				n = m;
			for (unsigned i = 0; i < n && round; i++) {
				if (strcmp(first[i], other[i]) != 0)
					fail_msg("seed %llu: %s / %s", (unsigned long long)seed,
						 first[i], other[i]);
			}
			scene_close(s);
		}
	}
}

static void check_truth(json_t *r, const struct truth *t, uint64_t seed)
{
	const char *v = text(r, "verdict"), *id = text(r, "toolCallId");
	bool wrong = (!t->succeeded && strcmp(v, "CONFIRMED_T1") == 0) ||
		     (!t->read && strcmp(v, "CONFIRMED_T2") == 0) ||
		     ((!t->accepted || t->read) && strcmp(v, "EFFECT_MISSING") == 0) ||
		     (!t->accepted && strcmp(v, "ACCEPTED_ASYNC") == 0) ||
		     (t->accepted && strcmp(v, "MASKED_ERROR") == 0) ||
		     (t->called && strcmp(v, "NO_ACTION") == 0) ||
		     (t->succeeded && strcmp(v, "MASKED_ERROR") == 0) ||
		     (t->succeeded && strcmp(v, "ATTEMPTED_FAILED") == 0) ||
		     strcmp(v, "DUPLICATE_EFFECT") == 0 || strcmp(v, "ACTED_ELSEWHERE") == 0;

	if (wrong)
		fail_msg("seed %llu: %s of %s (called %d, succeeded %d)", (unsigned long long)seed,
			 v, id, t->called, t->succeeded);
}

/* Traced turns are decidable; of the others some are not, and none may be wrong. */
static void test_truth(void **state)
{
	static struct story st;
	unsigned order[PARTS_MAX], decided = 0, total = 0, shown = 0, missing = 0;

	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct random r = {seed * 31};
		struct scene *s = scene_open_with(READ_BACK);

		s->underivable = true;
		make_story(&st, seed);
		shuffle(&r, order, st.count);
		tell_story(s, &st, order, PARTS_MAX);
		tick(s, HORIZON_MS);
		for (unsigned i = 0; i < TURNS; i++) {
			json_t *v = verdict(s, i);
			unsigned turn = 0;

			assert_int_equal(sscanf(text(v, "toolCallId"), "call-%u", &turn), 1);
			check_truth(v, &st.truths[turn], seed);
			total++;
			decided += strcmp(text(v, "verdict"), "UNVERIFIABLE") != 0;
			shown += strcmp(text(v, "verdict"), "CONFIRMED_T2") == 0;
			missing += strcmp(text(v, "verdict"), "EFFECT_MISSING") == 0;
		}
		scene_close(s);
	}
	print_message("%u of %u decided\n", decided, total);
	assert_true(decided * 100 >= total * 60);
	assert_true(shown > 50 && missing > 20);
}

/*
 * Each part in turn is lost. Kernel events are lost with a count; a tool span without one, but then
 * the model's call on the wire still says that there was an action.
 */
static bool may_lose(const struct story *st, const struct part *p)
{
	for (unsigned i = 0; i < st->count && p->kind == PART_SPAN; i++) {
		if (st->parts[i].kind == PART_ASK && st->parts[i].turn == p->turn)
			return true;
	}
	return p->kind != PART_SPAN;
}

static void test_one_loss_accuses_nobody(void **state)
{
	static struct story st;
	unsigned order[PARTS_MAX];

	for (uint64_t seed = 1; seed <= SEEDS / 6; seed++) {
		make_story(&st, seed);
		for (unsigned i = 0; i < st.count; i++)
			order[i] = i;
		for (unsigned skip = 0; skip < st.count; skip++) {
			const struct part *p = &st.parts[skip];
			struct scene *s;

			if (!may_lose(&st, p))
				continue;
			s = scene_open_with(READ_BACK);
			s->underivable = true;

			if (p->kind == PART_CALL || p->kind == PART_READ)
				lost(s, 1, p->call.from);
			tell_story(s, &st, order, skip);
			tick(s, HORIZON_MS);
			for (unsigned i = 0; i < count_kind(s, "verdict"); i++) {
				json_t *v = verdict(s, i);
				unsigned turn = 0;

				assert_int_equal(sscanf(text(v, "toolCallId"), "call-%u", &turn),
						 1);
				check_truth(v, &st.truths[turn], seed);
			}
			scene_close(s);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_of_arrival),
		cmocka_unit_test(test_truth),
		cmocka_unit_test(test_one_loss_accuses_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
