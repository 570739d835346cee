/* SPDX-License-Identifier: Apache-2.0 */
#include "out/why_change.h"

#include <stddef.h>

#include "base/own.h"

#define V(name) WW_VERDICT_##name
#define R(name) WW_REASON_##name

#define CALLED     WW_WHY_CALLED
#define NOT_CALLED WW_WHY_NOT_CALLED
#define ON_WIRE    WW_WHY_WIRE
#define LOCAL      WW_WHY_LOCAL

/* What else could have been seen, and which verdict it would have given. */
static const struct ww_why_change verdicts[] = {
	{V(PENDING), ON_WIRE | NOT_CALLED,
	 "the announced call, answered with success before the deadline[ ({&deadline})]: "
	 "CONFIRMED_T1; "
	 "the deadline without it: NO_ACTION in a closed world, else UNVERIFIABLE"},
	{V(PENDING), ON_WIRE | CALLED,
	 "a later read at a declared destination that returns the created id: CONFIRMED_T2; the "
	 "deadline[ ({&deadline})] without one: EFFECT_MISSING where none can have gone unseen, "
	 "else "
	 "ACCEPTED_ASYNC"},
	{V(PENDING), ON_WIRE, "the deadline: until then nothing is final"},

	{V(CONFIRMED_T1), ON_WIRE,
	 "a second success of a method that is not idempotent, without one idempotency key: "
	 "DUPLICATE_EFFECT; an attempt of unknown end beside the success: POSSIBLE_DUPLICATE"},
	{V(CONFIRMED_T1), ON_WIRE,
	 "fewer bytes on the connection than the request takes, or bytes left unexplained when it "
	 "closed: UNVERIFIABLE(PLAINTEXT_INCOMPLETE)"},
	{V(CONFIRMED_T1), ON_WIRE | WW_WHY_UNIQUE,
	 "another action of the tree that could mean this call: UNVERIFIABLE(AMBIGUOUS_JOIN); a "
	 "lost "
	 "event that could have told of one: UNVERIFIABLE(EVENT_LOSS). An id in the request (trace "
	 "context, idempotency key) would have made the join EXACT, which needs neither"},

	{V(CONFIRMED_T1), ON_WIRE,
	 "a read-back that the contract declares, by another, later exchange with a declared "
	 "destination "
	 "that returns an id which was new: CONFIRMED_T2"},
	{V(CONFIRMED_T1), ON_WIRE,
	 "a shown result that differs, in a member that the contract declares, from every answer: "
	 "RESULT_ALTERED"},

	{V(CONFIRMED_T2), 0,
	 "no read that returned the created id, an id that was known before, or bytes left "
	 "unexplained "
	 "on the connection of the read: CONFIRMED_T1, or, where the call was accepted for later, "
	 "one of "
	 "PENDING, ACCEPTED_ASYNC, EFFECT_MISSING"},
	{V(CONFIRMED_T2), 0,
	 "a second success of a method that is not idempotent, without one idempotency key: "
	 "DUPLICATE_EFFECT; an attempt of unknown end beside the success: POSSIBLE_DUPLICATE"},

	{V(CONFIRMED_T3), 0,
	 "no attestation, or one beside it by which it is not achieved: the verdict that the wire "
	 "gives[, {attested.wireVerdict}]"},
	{V(CONFIRMED_T3), 0,
	 "another verdict of the wire than CONFIRMED_T1 or CONFIRMED_T2: that one, and the "
	 "attestation as a finding"},

	{V(MASKED_ERROR), ON_WIRE,
	 "a success of the declared call in the window, by a retry: CONFIRMED_T1"},
	{V(MASKED_ERROR), ON_WIRE,
	 "a tool span that ends in ERROR, and no claim of done: ATTEMPTED_FAILED"},
	{V(MASKED_ERROR), ON_WIRE,
	 "one item of the checklist that does not hold (deferral and early aside): UNVERIFIABLE "
	 "with "
	 "its reason, because a retry could have gone unseen"},

	{V(NO_ACTION), ON_WIRE,
	 "a declared call of this process tree in the window: the answer to it would have been "
	 "judged"},
	{V(NO_ACTION), ON_WIRE,
	 "bytes to a declared destination that nothing decodes: ACTED_UNDECODED or UNVERIFIABLE, "
	 "never "
	 "NO_ACTION"},
	{V(NO_ACTION), ON_WIRE,
	 "one item of the checklist that does not hold: UNVERIFIABLE with its reason"},
	{V(NO_ACTION), ON_WIRE,
	 "a tool span that ends in ERROR, and no claim of done: ATTEMPTED_FAILED"},

	{V(ACTED_UNDECODED), 0,
	 "the plaintext of the connection: the call and the answer to it would have been judged"},
	{V(ACTED_UNDECODED), NOT_CALLED,
	 "no bytes to a declared destination: whether nothing happened would have been tested"},

	{V(ATTEMPTED_FAILED), ON_WIRE | CALLED,
	 "a claim of done, or a tool span that does not end in ERROR: MASKED_ERROR"},
	{V(ATTEMPTED_FAILED), ON_WIRE | NOT_CALLED,
	 "a claim of done, or a tool span that does not end in ERROR: NO_ACTION"},
	{V(ATTEMPTED_FAILED), ON_WIRE,
	 "a success of the declared call in the window: CONFIRMED_T1"},

	{V(REPLY_LOST), 0, "an answer on this connection: its status would have decided"},
	{V(REPLY_LOST), 0,
	 "a retry with a success: CONFIRMED_T1 where one idempotency key or the method makes the "
	 "attempts one, else POSSIBLE_DUPLICATE"},

	{V(ACTED_ELSEWHERE), 0,
	 "this destination in the contract, or the same call to one that is declared: its answer "
	 "would "
	 "have been judged"},

	{V(CALL_EMITTED_NOT_EXECUTED), ON_WIRE,
	 "a claim of done, or a tool span that does not end in ERROR: NO_ACTION"},
	{V(CALL_EMITTED_NOT_EXECUTED), ON_WIRE,
	 "a declared call of this process tree in the window: the answer to it would have been "
	 "judged"},

	{V(ACCEPTED_ASYNC), 0,
	 "a success of the declared call in the window: CONFIRMED_T1. What became of the accepted "
	 "work "
	 "is not in this answer"},

	{V(ACCEPTED_ASYNC), 0,
	 "a read-back that the contract declares, with the created id: CONFIRMED_T2; none of it "
	 "until "
	 "the deadline, where none can have gone unseen: EFFECT_MISSING"},

	{V(EFFECT_MISSING), 0,
	 "a read at a declared destination that returned the created id[ before {&deadline}]: "
	 "CONFIRMED_T2"},
	{V(EFFECT_MISSING), 0,
	 "one item of the checklist that does not hold (deferral and early aside), or a read that "
	 "was "
	 "not fully seen: ACCEPTED_ASYNC, because a read could have gone unseen"},

	{V(PARTIAL_EFFECT), 0,
	 "all [{n} ]items of the answer with success, or a retry with success: CONFIRMED_T1"},
	{V(PARTIAL_EFFECT), 0,
	 "one item of the checklist that does not hold (deferral and early aside): UNVERIFIABLE "
	 "with its "
	 "reason, because a retry could have gone unseen"},

	{V(ACTED_LATE), 0, "the same in time[, {lateMs} ms earlier]: CONFIRMED_T1"},
	{V(ACTED_LATE), 0,
	 "another action that could mean what came late: UNVERIFIABLE(AMBIGUOUS_JOIN)"},

	{V(DEFERRED), ON_WIRE,
	 "watching until the deadline[ ({&deadline})]: the call would have been judged, or that "
	 "there "
	 "was none"},

	{V(DUPLICATE_EFFECT), 0,
	 "one idempotency key on all [{n} ]attempts, or an idempotent method: CONFIRMED_T1"},

	{V(POSSIBLE_DUPLICATE), 0,
	 "one idempotency key on all [{n} ]attempts, or an idempotent method: CONFIRMED_T1"},
	{V(POSSIBLE_DUPLICATE), 0,
	 "the end of the attempts of unknown end: failed, CONFIRMED_T1; succeeded, "
	 "DUPLICATE_EFFECT"},

	{V(UNVERIFIABLE), 0, "what the reason names: without it the evidence could have decided"},

	{V(NOT_APPLICABLE), 0,
	 "a contract that declares a network effect[ of {tool}]: it would have been judged by what "
	 "was "
	 "on the wire"},

	/* Of paths, which `wirewitness path` tells. */
	{V(WITHIN_POLICY_TO_HORIZON), 0,
	 "one leg to where the policy does not allow it: VIOLATION; anything that could not be "
	 "looked into: UNVERIFIABLE with its reason"},
	{V(VIOLATION), 0,
	 "the same leg to a peer that the policy allows, or not one byte of it acknowledged"},
	{V(CLAIM_CONTRADICTED), 0,
	 "a span that names the region that is listed of the peer, or none"},

	{V(RESULT_ALTERED), 0,
	 "the value that the answer had, in the result that the model was shown: the call would "
	 "have "
	 "been judged by its answer alone"},
	{V(RESULT_ALTERED), 0,
	 "an answer that was not seen whole, a lost event, or another call of the tree to the "
	 "declared "
	 "destination: the value could have come from there, and it would not have been called "
	 "altered"},

	{V(RESULT_INVENTED), 0,
	 "a declared call of this process tree in the window: the answer to it would have been "
	 "judged, "
	 "and the shown result compared with it"},
	{V(RESULT_INVENTED), 0,
	 "another service that was asked in the window, or an earlier answer with the same "
	 "members: "
	 "CALL_EMITTED_NOT_EXECUTED"},
	{V(RESULT_INVENTED), 0,
	 "a shown result without members of the declared answer: CALL_EMITTED_NOT_EXECUTED"},
	{V(RESULT_INVENTED), 0,
	 "one item of the checklist that does not hold: UNVERIFIABLE with its reason"},

	{V(CONTROL_FIRED), 0,
	 "another last answer of the control before the action began: ACTED_DESPITE_DENY, or "
	 "CONTROL_ERRORED_OPEN where it gave no decision; an older one, or one that others had "
	 "used up: "
	 "CONTROL_STALE"},
	{V(CONTROL_FIRED), 0,
	 "a lost event: a later answer could have been another, and nothing would have been said"},

	{V(ACTED_DESPITE_DENY), 0,
	 "an answer that allows, as the last one about the subject before the action began: "
	 "CONTROL_FIRED"},
	{V(ACTED_DESPITE_DENY), 0,
	 "one item of the checklist that does not hold for the control's calls: UNVERIFIABLE with "
	 "its "
	 "reason"},

	{V(CONTROL_AFTER_ACTION), 0,
	 "an answer that allows before the action's first byte: CONTROL_FIRED; no run at all: "
	 "CONTROL_MISSING"},

	{V(CONTROL_STALE), 0,
	 "a younger answer that allows, not used up by other actions: CONTROL_FIRED"},

	{V(SUBJECT_MISMATCH), 0,
	 "a run about the action's own subject that allowed it before: CONTROL_FIRED"},

	{V(CONTROL_ERRORED_OPEN), 0,
	 "a decision before the action began: CONTROL_FIRED where it allows, else "
	 "ACTED_DESPITE_DENY"},

	{V(CONTROL_MISSING), 0,
	 "a run of the control before the action began: its answer would have been judged"},
	{V(CONTROL_MISSING), 0,
	 "one item of the checklist that does not hold for the control's calls: UNVERIFIABLE with "
	 "its "
	 "reason, because the run could have gone unseen"},
	{V(CONTROL_MISSING), 0, "a text that says that it was done: NARRATED_ONLY"},

	{V(SUSPECT_NO_ACTION), 0,
	 "a declared call of the turn's process tree: UNVERIFIABLE(PROSE_ONLY), because prose "
	 "alone "
	 "never confirms"},
	{V(SUSPECT_NO_ACTION), 0,
	 "a tool span or a declared claim of the same: NO_ACTION, which prose alone never is"},
	{V(SUSPECT_NO_ACTION), 0,
	 "one item of the checklist that does not hold: UNVERIFIABLE with its reason"},

	{V(NARRATED_ONLY), 0,
	 "a run of the control before the action began: its answer would have been judged; the "
	 "text is "
	 "no evidence of one"},
	{V(NARRATED_ONLY), 0,
	 "one item of the checklist that does not hold for the control's calls: UNVERIFIABLE with "
	 "its "
	 "reason, because the run could have gone unseen"},

	/* On this host. */
	{V(PENDING), LOCAL,
	 "what is declared, done before the deadline[ ({&deadline})]: CONFIRMED_T1; the deadline "
	 "without it: NO_ACTION in a closed world, else UNVERIFIABLE"},
	{V(CONFIRMED_T1), LOCAL,
	 "another action of the tree that could mean it as well: UNVERIFIABLE(AMBIGUOUS_JOIN); a "
	 "lost event that could have told of one: UNVERIFIABLE(EVENT_LOSS)"},
	{V(CONFIRMED_T1), LOCAL,
	 "a program that ended otherwise than declared, or a file that was taken away again: "
	 "MASKED_ERROR, ATTEMPTED_FAILED or UNVERIFIABLE(OUTCOME_UNKNOWN)"},
	{V(MASKED_ERROR), LOCAL,
	 "a run that ends as declared, begun after the failed ones: CONFIRMED_T1"},
	{V(MASKED_ERROR), LOCAL,
	 "a tool span that ends in ERROR, and no claim of done: ATTEMPTED_FAILED"},
	{V(MASKED_ERROR), LOCAL,
	 "one item of the checklist that does not hold (deferral and early aside): UNVERIFIABLE "
	 "with its reason, because a run could have gone unseen"},
	{V(NO_ACTION), LOCAL,
	 "a declared program that this process tree runs, or a declared file that it changes, in "
	 "the window: that would have been judged"},
	{V(NO_ACTION), LOCAL,
	 "one item of the checklist that does not hold: UNVERIFIABLE with its reason"},
	{V(NO_ACTION), LOCAL,
	 "a tool span that ends in ERROR, and no claim of done: ATTEMPTED_FAILED"},
	{V(ATTEMPTED_FAILED), LOCAL | CALLED,
	 "a claim of done, or a tool span that does not end in ERROR: MASKED_ERROR"},
	{V(ATTEMPTED_FAILED), LOCAL | NOT_CALLED,
	 "a claim of done, or a tool span that does not end in ERROR: NO_ACTION"},
	{V(ATTEMPTED_FAILED), LOCAL, "what is declared, done in the window: CONFIRMED_T1"},
	{V(CALL_EMITTED_NOT_EXECUTED), LOCAL,
	 "a claim of done, or a tool span that does not end in ERROR: NO_ACTION"},
	{V(CALL_EMITTED_NOT_EXECUTED), LOCAL,
	 "what is declared, done by this process tree in the window: that would have been judged"},
	{V(DEFERRED), LOCAL, "a watching that lasts until the announced deadline"},
};

/* What was missing. */
static const struct ww_why_change reasons[] = {
	{R(NONE), 0, ""},

	{R(COVERAGE_GAP), 0,
	 "sockets of all families and processes watched from the begin of the window to its end: "
	 "whether anything went unseen could have been tested[ (gaps: {coverage.gaps})]"},

	{R(EVENT_LOSS), 0,
	 "[without the {coverage.lostEvents} lost events (cause: {coverage.lostCause}) the "
	 "evidence "
	 "would have been complete enough to decide]"
	 "[^{coverage.lostEvents}with the evidence that fell to a ceiling, or the begin of a "
	 "connection "
	 "that was not seen, it could have been decided]"},

	{R(TLS_OPAQUE), 0,
	 "a TLS library that can be read in this process: the content would have shown whether a "
	 "declared call was in it, and its answer"},

	{R(PLAINTEXT_INCOMPLETE), 0,
	 "a byte account that closes: every byte of the connections explained by plaintext that "
	 "was "
	 "read"},

	{R(REMOTE_EXECUTOR), 0,
	 "everybody who could have acted within the scope that is watched: what was handed to a "
	 "process "
	 "or host outside of it cannot be told from nothing"},

	{R(SHARED_CONNECTION), 0,
	 "a connection that only this action used: its bytes could have been told from those of "
	 "others"},

	{R(CLOCK_UNBOUNDED), 0,
	 "span times that map to the kernel's clock: the window of the action could have been "
	 "looked at"},

	{R(SPAN_SAMPLED), 0,
	 "the tool's span, or a claim: the failed call could have been compared with what the "
	 "application says of it"},

	{R(ACTOR_UNRESOLVED), 0,
	 "a sender that is a watched process: what it says could have been compared with what it "
	 "did"},

	{R(NO_CONTRACT), 0,
	 "a contract for this tool: it says which call on the wire, run or file would be its "
	 "effect"},

	{R(TAMPER_SUSPECT), 0, "a monitor and a ledger that nobody interfered with"},

	{R(AMBIGUOUS_JOIN), LOCAL,
	 "one alone[ of the {n}] that could be meant, within the action's own time alone, and no "
	 "other action of the tree in it"},
	{R(AMBIGUOUS_JOIN), ON_WIRE,
	 "an id that the request shares with the action (trace context, idempotency key): the join "
	 "would "
	 "have been EXACT, and one of the [{n} ]that could be meant would have been picked"},

	{R(LABEL_AMBIGUOUS), 0, "tables that name one place of the peer"},
	{R(LABEL_IMPOSSIBLE), 0,
	 "tables that light does not contradict, or a host position that is right"},

	{R(PROSE_ONLY), 0,
	 "a tool span, a declared claim or a model's tool call that the call belongs to: it would "
	 "have been judged"},

	{R(BODY_UNKNOWN), 0,
	 "the whole body of the answer, as JSON: the rule[ {wire.rule}] could have been decided"},

	{R(OUTCOME_UNKNOWN), LOCAL,
	 "the end of the run while it was watched, or a file that is seen to change, closed after "
	 "that and left where it is"},
	{R(OUTCOME_UNKNOWN), ON_WIRE,
	 "the end of the exchange while it was watched, or an answer that says whether the effect "
	 "took "
	 "place"},
};

const struct ww_why_change *ww_why_change_verdict(unsigned i)
{
	return i < WW_ARRAY_SIZE(verdicts) ? &verdicts[i] : NULL;
}

const struct ww_why_change *ww_why_change_reason(unsigned i)
{
	return i < WW_ARRAY_SIZE(reasons) ? &reasons[i] : NULL;
}
