/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What somebody who holds the log's key could record about claims in prose, and about what prose
 * alone speaks of: the auditor's rules find each lie, and name its place. What they have to take
 * from the record is in docs/evidence.md.
 */
#include "lies.h"
#include "says.h"

/* --- what is true -------------------------------------------------------------------------------
 */

/* The text of the turn says "done", or what else; nobody else does. */
static struct scene *prose_of(const char *yaml, struct answer a, const struct call *call)
{
	struct scene *s = scene_open_by(yaml, true);

	a.turn = a.turn ? a.turn : 1;
	if (call)
		exchange(s, *call, NULL);
	says(s, 1200, a);
	tick(s, 14000);
	tick(s, 320000);
	return s;
}

static struct scene *suspected(void)
{
	return prose_of(CONTRACTS, (struct answer){.text = DONE}, NULL);
}

static struct scene *decoyed(void)
{
	const struct call decoy = {
		.method = "GET", .target = "/", .status = 200, .from = 1150, .to = 1160};

	return prose_of(CONTRACTS, (struct answer){.text = DONE}, &decoy);
}

static struct scene *announced(void)
{
	return prose_of(CONTRACTS, (struct answer){.text = WILL}, NULL);
}

static struct scene *torn_turn(void)
{
	return prose_of(CONTRACTS, (struct answer){.text = DONE, .torn = true}, NULL);
}

static struct scene *unseen_call(void)
{
	return prose_of(CONTRACTS, (struct answer){.text = DONE, .asked = "c-unseen"}, NULL);
}

static struct scene *earlier_turn(void)
{
	return prose_of(CONTRACTS, (struct answer){.text = DONE, .earlier = "refund"}, NULL);
}

static struct scene *called(void)
{
	const struct call call = {.status = 201, .from = 1150, .to = 1160};

	return prose_of(CONTRACTS, (struct answer){.text = DONE}, &call);
}

/* The call that it may mean is that of another conversation. */
static struct scene *taken(void)
{
	struct scene *s = scene_open_by(CONTRACTS, true);

	says(s, 1000, (struct answer){.calls = "c1", .turn = 2});
	CALLED(s, .status = 201, .from = 1150, .to = 1160, .idempotency = "c1");
	SAYS(s, 1240, .text = DONE);
	says(s, 1270, (struct answer){.turn = 2, .text = "Good.", .asked = "c1", .shown = "c1"});
	tick(s, 80000);
	return s;
}

static struct scene *prose_lost(void)
{
	struct scene *s = scene_open_by(CONTRACTS, true);

	tick(s, 1000);
	lost(s, 3, 1150);
	SAYS(s, 1200, .text = DONE);
	tick(s, 14000);
	return s;
}

/* Bytes for the declared destination that nothing decodes. */
static struct scene *prose_undecoded(void)
{
	struct scene *s = scene_open_by(CONTRACTS, true);

	flow_open(s, 99, AGENT, PAY, 8443, 1150);
	flow_state(s, 99, WW_EVENT_FLOW_STATE, 1, 0, 0, 0, 0, 1150);
	flow_tls(s, 99, 1150);
	flow_state(s, 99, WW_EVENT_FLOW_CLOSE, 7, WW_CLOSE_FIN_PEER, 4000, 4000, 4000, 1190);
	SAYS(s, 1200, .text = DONE);
	tick(s, 14000);
	return s;
}

static struct scene *any_of_two(void)
{
	const struct call decoy = {
		.method = "GET", .target = "/", .status = 200, .from = 1150, .to = 1160};

	return prose_of(TWO, (struct answer){.text = DONE}, &decoy);
}

static struct scene *only_narrated(void)
{
	struct scene *s = scene_open_by(CONTROLLED, true);

	says(s, 1000, (struct answer){.turn = 1, .thought = CONTROL, .calls = "c1"});
	CALL(.from = 1100, .to = 1150, .status = 201, .idempotency = "c1");
	SAYS(s, 1400, .text = "All good.", .asked = "c1", .shown = "c1");
	tick(s, 30000);
	return s;
}

/* --- what is not --------------------------------------------------------------------------------
 */

/* Who lies well changes the action's record, too. */
static json_t *both_said(json_t *list, json_t *v)
{
	SET(last(list, "action"), "{sO}", "said", in(v, "said"));
	return in(v, "said");
}

/* The record of the model call whose text it is. */
static json_t *model_of(json_t *list, json_t *v)
{
	const char *x = text(first(in(v, "said"), "prose"), "exchange");
	char id[64];

	snprintf(id, sizeof(id), "m%s", x + 1);
	return by_id(list, id);
}

/* A suspicion, with a checklist that holds. */
static void suspect(json_t *list, json_t *v)
{
	SET(v, "{ss,so,ss,ss,so}", "verdict", "SUSPECT_NO_ACTION", "reason", json_null(),
	    "evidence", "E0", "join", "NONE", "closedWorld", all_pass());
	json_object_del(v, "n");
	SET(in(v, "grounds"), "{s[]}", "notHeld");
}

static void other_rule(json_t *list, json_t *v)
{
	SET(first(both_said(list, v), "prose"), "{ss}", "rule", "refund-done-sent");
}

static void other_topic(json_t *list, json_t *v)
{
	SET(first(both_said(list, v), "prose"), "{ss}", "topic", "order");
}

static void other_kind(json_t *list, json_t *v)
{
	SET(first(both_said(list, v), "prose"), "{ss}", "kind", "will");
}

static void unknown_kind(json_t *list, json_t *v)
{
	SET(first(both_said(list, v), "prose"), "{ss}", "kind", "dreamt");
}

static void other_place(json_t *list, json_t *v)
{
	SET(first(both_said(list, v), "prose"), "{si}", "at", 1);
}

static void other_words(json_t *list, json_t *v)
{
	SET(first(both_said(list, v), "prose"), "{ss}", "digest",
	    "0000000000000000000000000000000000000000000000000000000000000000");
}

static void claim_dropped(json_t *list, json_t *v)
{
	SET(in(model_of(list, v), "prose"), "{s[]}", "claims");
}

static void model_call_left_out(json_t *list, json_t *v)
{
	SET(model_of(list, v), "{ss}", "id", "m-0-0");
}

static void model_call_bent(json_t *list, json_t *v)
{
	SET(model_of(list, v), "{ss}", "requestWhole", "yes");
}

static void model_call_of_another(json_t *list, json_t *v)
{
	SET(model_of(list, v), "{ss}", "exchange", "x-1-1");
}

static void text_of_another_tree(json_t *list, json_t *v)
{
	SET(by_id(list, text(first(in(v, "said"), "prose"), "exchange")), "{ss}", "root", "p1-1");
}

static void prose_is_an_object(json_t *list, json_t *v)
{
	SET(both_said(list, v), "{s{}}", "prose");
}

static void egress_is_an_object(json_t *list, json_t *v)
{
	SET(v, "{s{}}", "egress");
}

static void refs_are_an_object(json_t *list, json_t *v)
{
	SET(v, "{s{}}", "refs");
}

static void findings_are_an_object(json_t *list, json_t *v)
{
	SET(v, "{s{}}", "findings");
}

static void not_by_prose(json_t *list, json_t *v)
{
	json_object_del(both_said(list, v), "proseOnly");
}

static void asked_for(json_t *list, json_t *v)
{
	SET(in(v, "grounds"), "{sb}", "asked", 1);
	SET(last(list, "action"), "{s{}}", "model");
}

static void no_word_of_blind(json_t *list, json_t *v)
{
	json_object_del(both_said(list, v), "blind");
}

static void no_word_of_earlier(json_t *list, json_t *v)
{
	json_object_del(both_said(list, v), "earlier");
}

static void called_blind(json_t *list, json_t *v)
{
	SET(both_said(list, v), "{sb}", "blind", 1);
}

static void not_blind(json_t *list, json_t *v)
{
	SET(both_said(list, v), "{sb}", "blind", 0);
}

static void not_blind_suspected(json_t *list, json_t *v)
{
	not_blind(list, v);
	suspect(list, v);
}

static void history_over(json_t *list, json_t *v)
{
	SET(in(model_of(list, v), "prose"), "{sb}", "historyOver", 1);
}

static void called_earlier(json_t *list, json_t *v)
{
	SET(both_said(list, v), "{sb}", "earlier", 1);
}

static void not_earlier_suspected(json_t *list, json_t *v)
{
	SET(both_said(list, v), "{sb}", "earlier", 0);
	suspect(list, v);
}

static void earlier_not_recorded(json_t *list, json_t *v)
{
	json_object_del(in(model_of(list, v), "prose"), "earlierTools");
}

static void with_partners(json_t *list, json_t *v)
{
	SET(in(v, "grounds"), "{si}", "partners", 2);
}

static void under_way(json_t *list, json_t *v)
{
	SET(in(v, "grounds"), "{sb}", "stillOpen", 1);
}

static void asks_for_the_call(json_t *list, json_t *v)
{
	SET(model_of(list, v), "{s[{ss,ss,si,sb}]}", "toolCalls", "id", "c9", "name", "refund",
	    "argumentBytes", 2, "complete", 1);
}

static void turn_begun_later(json_t *list, json_t *v)
{
	SET(in(v, "grounds"), "{sI}", "fromBootNs", (json_int_t)at_ms(1190).ns);
}

static void turn_begun_earlier(json_t *list, json_t *v)
{
	SET(in(v, "grounds"), "{sI}", "fromBootNs", (json_int_t)at_ms(900).ns);
}

static void waited_less(json_t *list, json_t *v)
{
	SET(in(v, "grounds"), "{sI}", "toBootNs", (json_int_t)at_ms(2000).ns);
}

static void no_attempt(json_t *list, json_t *v)
{
	SET(both_wires(list, v), "{s[]}", "attempts");
	json_object_del(in(v, "wire"), "retries");
	SET(in(v, "grounds"), "{si,s[]}", "attempts", 0, "flows");
}

static void call_hidden(json_t *list, json_t *v)
{
	no_attempt(list, v);
	suspect(list, v);
}

static void attempts_denied(json_t *list, json_t *v)
{
	no_attempt(list, v);
}

static void near_as(json_t *list, json_t *v, const char *why)
{
	SET(first(both_wires(list, v), "nearMiss"), "{ss}", "why", why);
	suspect(list, v);
}

static void taken_as_a_decoy(json_t *list, json_t *v)
{
	near_as(list, v, "request");
}

static void taken_hidden(json_t *list, json_t *v)
{
	SET(both_wires(list, v), "{s[],si}", "nearMiss", "nearMissTotal", 0);
	suspect(list, v);
}

static void more_near_than_listed(json_t *list, json_t *v)
{
	SET(both_wires(list, v), "{si}", "nearMissTotal", 40);
}

static void decoy_was(json_t *list, json_t *v, const char *path)
{
	json_t *x = by_id(list, text(first(in(v, "wire"), "nearMiss"), "exchange"));

	SET(x, "{ss,ss}", "method", "POST", "path", path);
}

static void decoy_was_the_call(json_t *list, json_t *v)
{
	decoy_was(list, v, "/v1/refunds");
}

static void decoy_was_the_other_tool(json_t *list, json_t *v)
{
	decoy_was(list, v, "/v1/full");
}

static void loss_denied(json_t *list, json_t *v)
{
	suspect(list, v);
}

static void undecoded_denied(json_t *list, json_t *v)
{
	json_object_del(in(v, "grounds"), "undecoded");
}

static void undecoded_by_another(json_t *list, json_t *v)
{
	SET(in(both_wires(list, v), "undecoded"), "{si}", "bytesSent", 9000);
}

static void undecoded_read(json_t *list, json_t *v)
{
	SET(in(in(v, "grounds"), "undecoded"), "{sb}", "opaque", 0);
}

static void one_tool(json_t *list, json_t *v)
{
	SET(both_said(list, v), "{si}", "tools", 1);
}

static void three_tools(json_t *list, json_t *v)
{
	SET(both_said(list, v), "{si}", "tools", 3);
}

static void other_tools_left_out(json_t *list, json_t *v)
{
	json_object_del(in(v, "grounds"), "mayMean");
}

static void other_tools_are_an_object(json_t *list, json_t *v)
{
	SET(in(v, "grounds"), "{s{}}", "mayMean");
}

static void other_terms_left_out(json_t *list, json_t *v)
{
	SET(first(in(v, "grounds"), "mayMean"), "{s{ss}}", "terms", "effect", "network");
}

static void not_narrated(json_t *list, json_t *v)
{
	SET(v, "{ss}", "verdict", "CONTROL_MISSING");
	SET(in(v, "control"), "{sb}", "narrated", 0);
}

static void narration_hidden(json_t *list, json_t *v)
{
	not_narrated(list, v);
	json_object_del(both_said(list, v), "narrated");
}

static void narration_dropped(json_t *list, json_t *v)
{
	char id[64];

	snprintf(id, sizeof(id), "m%s", text(first(in(v, "said"), "narrated"), "exchange") + 1);
	json_object_del(by_id(list, id), "reasoning");
}

static void other_narration(json_t *list, json_t *v)
{
	SET(first(both_said(list, v), "narrated"), "{ss}", "rule", "another");
}

/* --- each is found ------------------------------------------------------------------------------
 */

static const struct lie lies[] = {
	{suspected, "SUSPECT_NO_ACTION", other_rule, "said.prose", false},
	{suspected, "SUSPECT_NO_ACTION", other_topic, "said.prose", false},
	{suspected, "SUSPECT_NO_ACTION", other_kind, "said.prose", false},
	{suspected, "SUSPECT_NO_ACTION", unknown_kind, "said.prose", true},
	{suspected, "SUSPECT_NO_ACTION", other_place, "said.prose", false},
	{suspected, "SUSPECT_NO_ACTION", other_words, "said.prose", false},
	{suspected, "SUSPECT_NO_ACTION", claim_dropped, "said.prose", false},
	{suspected, "SUSPECT_NO_ACTION", model_call_left_out, "said.prose", true},
	{suspected, "SUSPECT_NO_ACTION", model_call_bent, "said.prose", false},
	{suspected, "SUSPECT_NO_ACTION", model_call_of_another, "said.prose", false},
	{suspected, "SUSPECT_NO_ACTION", text_of_another_tree, "root", false},
	{suspected, "SUSPECT_NO_ACTION", prose_is_an_object, "said.prose", false},
	{suspected, "SUSPECT_NO_ACTION", egress_is_an_object, "egress", false},
	{suspected, "SUSPECT_NO_ACTION", refs_are_an_object, "refs", false},
	{suspected, "SUSPECT_NO_ACTION", findings_are_an_object, "findings", false},
	{suspected, "SUSPECT_NO_ACTION", not_by_prose, "verdict", false},
	{suspected, "SUSPECT_NO_ACTION", asked_for, "said.proseOnly", false},
	{suspected, "SUSPECT_NO_ACTION", no_word_of_blind, "record", false},
	{suspected, "SUSPECT_NO_ACTION", no_word_of_earlier, "record", false},
	{suspected, "SUSPECT_NO_ACTION", called_blind, "verdict", false},
	{suspected, "SUSPECT_NO_ACTION", history_over, "said.blind", false},
	{suspected, "SUSPECT_NO_ACTION", called_earlier, "said.earlier", false},
	{suspected, "SUSPECT_NO_ACTION", earlier_not_recorded, "said.earlier", true},
	{suspected, "SUSPECT_NO_ACTION", with_partners, "verdict", false},
	{suspected, "SUSPECT_NO_ACTION", under_way, "verdict", false},
	{suspected, "SUSPECT_NO_ACTION", asks_for_the_call, "said.proseOnly", true},
	{suspected, "SUSPECT_NO_ACTION", turn_begun_later, "grounds.fromBootNs", false},
	{suspected, "SUSPECT_NO_ACTION", turn_begun_earlier, "grounds.fromBootNs", false},
	{suspected, "SUSPECT_NO_ACTION", waited_less, "grounds.toBootNs", false},
	{suspected, "SUSPECT_NO_ACTION", three_tools, "grounds.mayMean", true},
	{decoyed, "SUSPECT_NO_ACTION", decoy_was_the_call, "wire", false},
	{decoyed, "SUSPECT_NO_ACTION", more_near_than_listed, "verdict", false},
	{announced, "SUSPECT_NO_ACTION", waited_less, "grounds.toBootNs", false},
	{torn_turn, "UNVERIFIABLE", not_blind, "verdict", false},
	{torn_turn, "UNVERIFIABLE", not_blind_suspected, "said.blind", false},
	{unseen_call, "UNVERIFIABLE", not_blind, "verdict", false},
	{earlier_turn, "UNVERIFIABLE", not_earlier_suspected, "said.earlier", false},
	{called, "UNVERIFIABLE", attempts_denied, "verdict", false},
	{called, "UNVERIFIABLE", call_hidden, "wire", false},
	{taken, "UNVERIFIABLE", taken_as_a_decoy, "wire", false},
	{taken, "UNVERIFIABLE", taken_hidden, "wire", false},
	{prose_lost, "UNVERIFIABLE", loss_denied, "coverage.lostEvents", false},
	{prose_undecoded, "UNVERIFIABLE", undecoded_denied, "wire.undecoded", false},
	{prose_undecoded, "UNVERIFIABLE", undecoded_by_another, "wire.undecoded", false},
	{prose_undecoded, "UNVERIFIABLE", undecoded_read, "reason", false},
	{any_of_two, "SUSPECT_NO_ACTION", decoy_was_the_other_tool, "wire", false},
	{any_of_two, "SUSPECT_NO_ACTION", one_tool, "said.tools", false},
	{any_of_two, "SUSPECT_NO_ACTION", three_tools, "said.tools", false},
	{any_of_two, "SUSPECT_NO_ACTION", other_tools_left_out, "grounds.mayMean", true},
	{any_of_two, "SUSPECT_NO_ACTION", other_tools_are_an_object, "grounds.mayMean", false},
	{any_of_two, "SUSPECT_NO_ACTION", other_terms_left_out, "grounds.mayMean", true},
	{only_narrated, "NARRATED_ONLY", not_narrated, "control.narrated", false},
	{only_narrated, "NARRATED_ONLY", narration_hidden, "said.narrated", false},
	{only_narrated, "NARRATED_ONLY", narration_dropped, "said.narrated", false},
	{only_narrated, "NARRATED_ONLY", other_narration, "said.narrated", false},
};

static void test_each_is_found(void **state)
{
	each_is_found(lies, WW_ARRAY_SIZE(lies));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
