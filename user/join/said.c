/* SPDX-License-Identifier: Apache-2.0 */
#include "join/said.h"

#include "base/encode.h"

#define NS_PER_S 1000000000ull
/* Actions that a text may mean and that are counted. */
#define PARTNERS_MAX 64u
/* Kind, topic and the turn's digest or the exchange's id. */
#define KEY_MAX (16 + 2 * WW_SHA256_LEN + WW_EXCHANGE_ID_MAX)

struct text {
	struct ww_actions *t;
	const struct ww_exchange *x;
	const struct ww_model_call *call;
};

static struct ww_action_said said_of(const struct text *s, const struct ww_phrase_said *claim)
{
	struct ww_action_said said = {.claim = *claim};

	said.at = s->x->t_last_resp.ns ? s->x->t_last_resp : s->x->t_first_req;
	ww_exchange_id(s->x, said.exchange);
	return said;
}

static const struct ww_phrase_topic *topic_of(const struct text *s,
					      const struct ww_phrase_said *claim)
{
	return &s->call->phrases->topics[claim->topic];
}

/* The i-th call of the turn: those of the history first, then those that come with the text. */
static struct ww_action *call_at(const struct text *s, unsigned i)
{
	const struct ww_model_call *c = s->call;
	const char *id = i < c->turn_call_count ? c->turn_calls[i].id
						: c->tool_calls[i - c->turn_call_count].id;

	return ww_actions_by_call(s->t, s->x->root, id);
}

static unsigned call_count(const struct text *s)
{
	return s->call->turn_call_count + s->call->tool_call_count;
}

/* --- rule 1 -------------------------------------------------------------------------------------
 */

static void put_said(struct ww_actions *t, struct ww_action *a, const struct ww_action_said *said)
{
	for (unsigned i = 0; i < a->said_count; i++) {
		if (strcmp(a->said[i].exchange, said->exchange) == 0 &&
		    a->said[i].claim.rule == said->claim.rule)
			return;
	}
	if (a->said_count == WW_ACTION_PROSE_MAX) {
		a->parts_over++;
		return;
	}
	a->said[a->said_count++] = *said;
	ww_actions_reopen(t, a);
}

static bool give_to_calls(const struct text *s, const struct ww_action_said *said)
{
	bool given = false;

	for (unsigned i = 0; i < call_count(s); i++) {
		struct ww_action *a = call_at(s, i);

		if (!a || !ww_phrase_topic_has(topic_of(s, &said->claim), a->contract))
			continue;
		put_said(s->t, a, said);
		given = true;
	}
	return given;
}

/* --- rule 2 -------------------------------------------------------------------------------------
 */

/* A result of a call that was never seen, whatever the history says. */
static bool shown_unseen(const struct text *s)
{
	for (unsigned i = 0; i < s->call->tool_result_count; i++) {
		if (!ww_actions_by_call(s->t, s->x->root, s->call->tool_results[i].tool_call_id))
			return true;
	}
	return s->call->tool_results_dropped > 0;
}

/* The turn's begin, as its calls tell: nothing of it is older than the first answer. */
static void take_turn(const struct text *s, struct ww_action_prose *p)
{
	const struct ww_model_call *c = s->call;

	p->turn = s->x->t_first_req;
	p->blind = !c->request_whole || !c->turn_present || c->history_over || shown_unseen(s);
	for (unsigned i = 0; i < c->turn_call_count; i++) {
		const struct ww_action *a = call_at(s, i);

		if (!a || !a->model.asked)
			p->blind = true;
		else if (a->model.at.ns < p->turn.ns)
			p->turn = a->model.at;
	}
}

static bool called_earlier(const struct ww_model_call *c, uint64_t topic)
{
	for (unsigned i = 0; i < c->earlier_count; i++) {
		if (ww_phrases_topics_of(c->phrases, c->earlier[i]) & topic)
			return true;
	}
	return false;
}

static void take_tools(const struct text *s, struct ww_action *a,
		       const struct ww_phrase_topic *topic)
{
	int first = -1;

	memcpy(a->prose.tools, topic->contracts, sizeof(a->prose.tools));
	for (int i = 0; i < (int)WW_CONTRACTS_MAX; i++) {
		if (!ww_said_may_mean(&a->prose, i))
			continue;
		first = first < 0 ? i : first;
		a->prose.tool_count++;
	}
	ww_actions_set_contract(s->t, a, first);
}

static struct ww_boot due_of(const struct text *s, const struct ww_action *a,
			     const struct ww_action_said *said)
{
	const struct ww_contract *c = &s->call->phrases->contracts->items[a->contract];
	uint64_t wait = c->deadline_s ? c->deadline_s * NS_PER_S : WW_WILL_NS;

	return (struct ww_boot){said->at.ns + (said->claim.kind == WW_PHRASE_WILL ? wait : 0)};
}

/* One answer may be asked for twice: the turn names it, not the exchange. */
static struct ww_slice key_of(const struct text *s, const struct ww_phrase_said *claim, char *out)
{
	char *at = ww_put_dec(ww_put_text(ww_put_dec(out, claim->kind), " "), claim->topic);

	at = ww_put_text(at, " ");
	if (s->call->turn_present) {
		ww_hex_encode(ww_slice(s->call->turn.b, WW_SHA256_LEN), at);
		at += 2 * WW_SHA256_LEN;
	} else {
		ww_exchange_id(s->x, at);
		at += strlen(at);
	}
	return ww_slice(out, (size_t)(at - out));
}

static int open_own(const struct text *s, const struct ww_action_said *said)
{
	char key[KEY_MAX];
	struct ww_action *a;
	int r = ww_actions_open_prose(s->t, s->x, key_of(s, &said->claim, key), &a);

	if (r < 0 || !a)
		return r;
	take_turn(s, &a->prose);
	take_tools(s, a, topic_of(s, &said->claim));
	a->prose.earlier = called_earlier(s->call, 1ull << said->claim.topic);
	a->prose.due = due_of(s, a, said);
	a->said[a->said_count++] = *said;
	a->received = said->at;
	a->model.turn_known = s->call->turn_present;
	a->model.turn = s->call->turn;
	return 0;
}

/* --- rule 3 -------------------------------------------------------------------------------------
 */

static const struct ww_phrase_said *narration(const struct ww_phrases_said *said)
{
	for (unsigned i = 0; i < said->count; i++) {
		if (said->items[i].kind == WW_PHRASE_CONTROL)
			return &said->items[i];
	}
	return NULL;
}

static void narrate(const struct text *s, struct ww_action *a, const struct ww_action_said *said)
{
	if (a->narrated)
		return;
	a->narrated = true;
	a->narration = *said;
	ww_actions_reopen(s->t, a);
}

static void add_narration(const struct text *s)
{
	const struct ww_phrase_said *claim = narration(&s->call->said);
	struct ww_action_said said = {0};
	bool any;

	if (!claim)
		claim = narration(&s->call->thoughts);
	any = claim != NULL;
	if (!any && s->call->turn_call_count == 0)
		return; /* nothing came before in the turn */
	if (any)
		said = said_of(s, claim);
	/* What an earlier answer of the turn narrated goes for the calls of this one, too. */
	for (unsigned i = 0; i < call_count(s); i++) {
		struct ww_action *a = call_at(s, i);

		if (a && a->narrated && !any) {
			said = a->narration;
			any = true;
		} else if (a && any) {
			narrate(s, a, &said);
		}
	}
}

int ww_said_add(struct ww_actions *t, const struct ww_exchange *x, const struct ww_model_call *call)
{
	struct text s = {t, x, call};

	if (!call->phrases)
		return 0;
	for (unsigned i = 0; i < call->said.count; i++) {
		struct ww_action_said said = said_of(&s, &call->said.items[i]);
		int r = 0;

		if (said.claim.kind != WW_PHRASE_CONTROL && !give_to_calls(&s, &said))
			r = open_own(&s, &said);
		if (r < 0)
			return r;
	}
	add_narration(&s);
	return 0;
}

/* --- rule 2, later ------------------------------------------------------------------------------
 */

static bool same_turn(const struct ww_action *a, const struct ww_action *b)
{
	return a->model.turn_known && b->model.turn_known &&
	       memcmp(a->model.turn.b, b->model.turn.b, WW_SHA256_LEN) == 0;
}

/* When a structured claim was made, or a span or call began. */
static struct ww_boot when(const struct ww_action *b)
{
	return ww_action_claim_only(b) && b->claim_count ? b->claims[0].at : ww_action_begun(b);
}

static bool may_mean(const struct ww_action *a, const struct ww_action *b, uint64_t skew_ns)
{
	uint64_t slack = skew_ns + b->bound_ns;
	struct ww_boot t = when(b);

	if (b->prose.only || !ww_said_may_mean(&a->prose, b->contract))
		return false;
	if (b->model.asked && b->model.turn_known)
		return same_turn(a, b);
	return t.ns + slack >= a->prose.turn.ns && t.ns <= a->prose.due.ns + slack;
}

bool ww_said_give(struct ww_actions *t, struct ww_action *a, uint64_t skew_ns,
		  unsigned *ret_partners)
{
	struct ww_action *found = NULL;
	unsigned n = 0;

	for (struct ww_action *b = ww_actions_first_of(t, a->root, a->prose.turn);
	     b && n < PARTNERS_MAX; b = ww_actions_next_of(b, a->prose.turn)) {
		if (may_mean(a, b, skew_ns) && ++n)
			found = b;
	}
	*ret_partners = n;
	if (n != 1)
		return false;
	put_said(t, found, &a->said[0]);
	ww_actions_drop(t, a);
	return true;
}
