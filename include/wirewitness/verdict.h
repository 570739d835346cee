/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verdicts, reasons, and the grades of evidence and joins: one table each, from which the enum, the
 * text and the documentation come. Append only; never renumber, never rename: they stand in signed
 * records.
 */
#pragma once

/* What a verdict may say. X(enum suffix, number, text, meaning) */
#define WW_VERDICTS(X)                                                                             \
	X(PENDING, 0, "PENDING", "deadline not reached; never recorded as final")                  \
	X(CONFIRMED_T1, 1, "CONFIRMED_T1",                                                         \
	  "the declared call was answered with success on the wire")                               \
	X(MASKED_ERROR, 2, "MASKED_ERROR",                                                         \
	  "the wire answered with an error, claim or span says done")                              \
	X(NO_ACTION, 3, "NO_ACTION",                                                               \
	  "closed world held and no declared call left the process tree")                          \
	X(ACTED_UNDECODED, 4, "ACTED_UNDECODED", "bytes reached the destination, content unseen")  \
	X(ATTEMPTED_FAILED, 5, "ATTEMPTED_FAILED", "the call failed and nothing says done")        \
	X(REPLY_LOST, 6, "REPLY_LOST", "request acknowledged, no reply: effect unknown")           \
	X(ACTED_ELSEWHERE, 7, "ACTED_ELSEWHERE", "a like call went to an undeclared destination")  \
	X(CALL_EMITTED_NOT_EXECUTED, 8, "CALL_EMITTED_NOT_EXECUTED",                               \
	  "the model asked for the call, closed world held, nothing was sent")                     \
	X(ACCEPTED_ASYNC, 9, "ACCEPTED_ASYNC", "accepted for later; the effect is not confirmed")  \
	X(DUPLICATE_EFFECT, 10, "DUPLICATE_EFFECT", "more than one success for one action")        \
	X(POSSIBLE_DUPLICATE, 11, "POSSIBLE_DUPLICATE",                                            \
	  "a lost reply and a success for one action")                                             \
	X(UNVERIFIABLE, 12, "UNVERIFIABLE", "cannot tell; the reason says why")                    \
	X(NOT_APPLICABLE, 13, "NOT_APPLICABLE", "the tool declares no network effect")             \
	X(CONFIRMED_T2, 14, "CONFIRMED_T2",                                                        \
	  "answered with success, and a later read at a declared destination showed it")           \
	X(EFFECT_MISSING, 16, "EFFECT_MISSING",                                                    \
	  "accepted for later; closed world held, and until the deadline no read showed it")       \
	X(PARTIAL_EFFECT, 17, "PARTIAL_EFFECT", "of several items some succeeded, not all")        \
	X(SUSPECT_NO_ACTION, 19, "SUSPECT_NO_ACTION",                                              \
	  "a text says done, closed world held, no declared call left the process tree")           \
	X(ACTED_LATE, 20, "ACTED_LATE", "the declared call was made after it had to be")           \
	X(DEFERRED, 21, "DEFERRED", "announced for later; the watching ended before its deadline") \
	X(RESULT_ALTERED, 22, "RESULT_ALTERED",                                                    \
	  "the model was shown another result than the tool answered")                             \
	X(RESULT_INVENTED, 23, "RESULT_INVENTED",                                                  \
	  "closed world held, nothing was sent, the model was shown a result")                     \
	X(CONTROL_FIRED, 24, "CONTROL_FIRED",                                                      \
	  "the declared control answered \"allowed\" before the action began")                     \
	X(ACTED_DESPITE_DENY, 25, "ACTED_DESPITE_DENY",                                            \
	  "the declared control's last answer before the action was not \"allowed\"")              \
	X(CONTROL_AFTER_ACTION, 26, "CONTROL_AFTER_ACTION",                                        \
	  "the declared control answered after the action had begun")                              \
	X(CONTROL_STALE, 27, "CONTROL_STALE",                                                      \
	  "the declared control's answer was too old, or used up by other actions")                \
	X(SUBJECT_MISMATCH, 28, "SUBJECT_MISMATCH",                                                \
	  "the declared control was asked about another subject")                                  \
	X(CONTROL_ERRORED_OPEN, 29, "CONTROL_ERRORED_OPEN",                                        \
	  "the declared control gave no decision, and the action went on")                         \
	X(CONTROL_MISSING, 30, "CONTROL_MISSING",                                                  \
	  "closed world held and the declared control was not called before the action")           \
	X(NARRATED_ONLY, 31, "NARRATED_ONLY",                                                      \
	  "as CONTROL_MISSING, and a text says that it was done")

/* Why a verdict is UNVERIFIABLE, or what caps it. */
#define WW_REASONS(X)                                                                              \
	X(NONE, 0, "", "")                                                                         \
	X(COVERAGE_GAP, 1, "COVERAGE_GAP",                                                         \
	  "not every socket family or process was covered for the whole window")                   \
	X(EVENT_LOSS, 2, "EVENT_LOSS", "events that touch this actor were lost")                   \
	X(TLS_OPAQUE, 3, "TLS_OPAQUE", "the TLS content could not be read")                        \
	X(PLAINTEXT_INCOMPLETE, 4, "PLAINTEXT_INCOMPLETE",                                         \
	  "the byte account of the connection does not close")                                     \
	X(REMOTE_EXECUTOR, 5, "REMOTE_EXECUTOR", "another process or host could have acted")       \
	X(SHARED_CONNECTION, 6, "SHARED_CONNECTION", "bytes cannot be told apart per request")     \
	X(CLOCK_UNBOUNDED, 7, "CLOCK_UNBOUNDED", "span time and kernel time cannot be compared")   \
	X(SPAN_SAMPLED, 8, "SPAN_SAMPLED", "the application did not record the span")              \
	X(ACTOR_UNRESOLVED, 9, "ACTOR_UNRESOLVED",                                                 \
	  "the sender of the claim is not a watched process")                                      \
	X(NO_CONTRACT, 10, "NO_CONTRACT", "no contract declares this tool")                        \
	X(TAMPER_SUSPECT, 11, "TAMPER_SUSPECT", "the monitor or its ledger was interfered with")   \
	X(AMBIGUOUS_JOIN, 12, "AMBIGUOUS_JOIN", "more than one exchange could be the claimed one") \
	X(BODY_UNKNOWN, 13, "BODY_UNKNOWN",                                                        \
	  "the success rule needs a body that was not fully seen")                                 \
	X(OUTCOME_UNKNOWN, 14, "OUTCOME_UNKNOWN", "the exchange did not end while it was watched") \
	X(PROSE_ONLY, 20, "PROSE_ONLY", "only prose speaks of it, and prose confirms nothing")

/* Evidence grades: which fact of the kernel or of TLS grants each. */
#define WW_EVIDENCE(X)                                                                \
	X(E0, 0, "E0", "asserted by the application only")                            \
	X(E1, 1, "E1", "endpoint reached: handshake completed from the actor's tree") \
	X(E2, 2, "E2", "bytes disclosed: request payload acknowledged by the peer")   \
	X(E3, 3, "E3", "reply received: response payload handed to the application")  \
	X(E4, 4, "E4", "outcome decoded from plaintext")                              \
	X(E5, 5, "E5", "content matched: an id in the exchange equals the claim's")   \
	X(E6, 6, "E6", "effect read back: a separate later read returns the created id")

#define WW_JOINS(X)                                                            \
	X(NONE, 0, "NONE", "no candidate")                                     \
	X(AMBIGUOUS, 1, "AMBIGUOUS", "several candidates, none picked")        \
	X(UNIQUE, 2, "UNIQUE",                                                 \
	  "process, destination and window leave one candidate on both sides") \
	X(EXACT, 3, "EXACT", "shared trace context or unique id")

#define WW_ENUM_(prefix, name, number) prefix##name = (number),
#define WW_VERDICT_ENUM_(n, v, t, d)   WW_ENUM_(WW_VERDICT_, n, v)
#define WW_REASON_ENUM_(n, v, t, d)    WW_ENUM_(WW_REASON_, n, v)
#define WW_EVIDENCE_ENUM_(n, v, t, d)  WW_ENUM_(WW_EVIDENCE_, n, v)
#define WW_JOIN_ENUM_(n, v, t, d)      WW_ENUM_(WW_JOIN_, n, v)

enum ww_verdict { WW_VERDICTS(WW_VERDICT_ENUM_) WW_VERDICT_MAX };
enum ww_reason { WW_REASONS(WW_REASON_ENUM_) WW_REASON_MAX };
enum ww_evidence { WW_EVIDENCE(WW_EVIDENCE_ENUM_) WW_EVIDENCE_MAX };
enum ww_join_grade { WW_JOINS(WW_JOIN_ENUM_) WW_JOIN_MAX };
