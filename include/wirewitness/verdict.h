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
	  "the declared call was answered with success on the wire, or the declared run or "       \
	  "change was seen")                                                                       \
	X(MASKED_ERROR, 2, "MASKED_ERROR",                                                         \
	  "the wire answered with an error, or the declared run failed; claim or span says done")  \
	X(NO_ACTION, 3, "NO_ACTION",                                                               \
	  "closed world held and nothing declared was done: no call, run or change")               \
	X(ACTED_UNDECODED, 4, "ACTED_UNDECODED", "bytes reached the destination, content unseen")  \
	X(ATTEMPTED_FAILED, 5, "ATTEMPTED_FAILED", "the call failed and nothing says done")        \
	X(REPLY_LOST, 6, "REPLY_LOST", "request acknowledged, no reply: effect unknown")           \
	X(ACTED_ELSEWHERE, 7, "ACTED_ELSEWHERE", "a like call went to an undeclared destination")  \
	X(CALL_EMITTED_NOT_EXECUTED, 8, "CALL_EMITTED_NOT_EXECUTED",                               \
	  "the model asked for the call, closed world held, nothing declared was done")            \
	X(ACCEPTED_ASYNC, 9, "ACCEPTED_ASYNC", "accepted for later; the effect is not confirmed")  \
	X(DUPLICATE_EFFECT, 10, "DUPLICATE_EFFECT", "more than one success for one action")        \
	X(POSSIBLE_DUPLICATE, 11, "POSSIBLE_DUPLICATE",                                            \
	  "a lost reply and a success for one action")                                             \
	X(UNVERIFIABLE, 12, "UNVERIFIABLE", "cannot tell; the reason says why")                    \
	X(NOT_APPLICABLE, 13, "NOT_APPLICABLE", "the tool declares no effect that can be seen")    \
	X(CONFIRMED_T2, 14, "CONFIRMED_T2",                                                        \
	  "answered with success, and a later read at a declared destination showed it")           \
	X(CONFIRMED_T3, 15, "CONFIRMED_T3",                                                        \
	  "as T1 or T2, and a declared attester signed that the outcome was achieved")             \
	X(EFFECT_MISSING, 16, "EFFECT_MISSING",                                                    \
	  "accepted for later; closed world held, and until the deadline no read showed it")       \
	X(PARTIAL_EFFECT, 17, "PARTIAL_EFFECT", "of several items some succeeded, not all")        \
	X(SUSPECT_NO_ACTION, 19, "SUSPECT_NO_ACTION",                                              \
	  "a text says done, closed world held, no declared call left the process tree")           \
	X(ACTED_LATE, 20, "ACTED_LATE",                                                            \
	  "the declared call, run or change was made after it had to be")                          \
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
	  "as CONTROL_MISSING, and a text says that it was done")                                  \
	X(WITHIN_POLICY_TO_HORIZON, 32, "WITHIN_POLICY_TO_HORIZON",                                \
	  "every leg that was seen went where the policy allows; nothing is said of what is "      \
	  "behind the horizon")                                                                    \
	X(VIOLATION, 33, "VIOLATION",                                                              \
	  "bytes of the prompt were acknowledged where the policy does not allow it")              \
	X(CLAIM_CONTRADICTED, 34, "CLAIM_CONTRADICTED",                                            \
	  "a span names another region than what is listed of the peer")

/* What is announced without a date is waited for so long. */
#define WW_WILL_NS 300000000000ull

/* Why a verdict is UNVERIFIABLE, or what caps it. */
#define WW_REASONS(X)                                                                            \
	X(NONE, 0, "", "")                                                                       \
	X(COVERAGE_GAP, 1, "COVERAGE_GAP",                                                       \
	  "not every socket family or process was covered for the whole window")                 \
	X(EVENT_LOSS, 2, "EVENT_LOSS", "events that touch this actor were lost")                 \
	X(TLS_OPAQUE, 3, "TLS_OPAQUE", "the TLS content could not be read")                      \
	X(PLAINTEXT_INCOMPLETE, 4, "PLAINTEXT_INCOMPLETE",                                       \
	  "the byte account of the connection does not close")                                   \
	X(REMOTE_EXECUTOR, 5, "REMOTE_EXECUTOR", "another process or host could have acted")     \
	X(SHARED_CONNECTION, 6, "SHARED_CONNECTION", "bytes cannot be told apart per request")   \
	X(CLOCK_UNBOUNDED, 7, "CLOCK_UNBOUNDED", "span time and kernel time cannot be compared") \
	X(SPAN_SAMPLED, 8, "SPAN_SAMPLED", "the application did not record the span")            \
	X(ACTOR_UNRESOLVED, 9, "ACTOR_UNRESOLVED",                                               \
	  "the sender of the claim is not a watched process")                                    \
	X(NO_CONTRACT, 10, "NO_CONTRACT", "no contract declares this tool")                      \
	X(TAMPER_SUSPECT, 11, "TAMPER_SUSPECT", "the monitor or its ledger was interfered with") \
	X(AMBIGUOUS_JOIN, 12, "AMBIGUOUS_JOIN", "more than one could be the claimed one")        \
	X(BODY_UNKNOWN, 13, "BODY_UNKNOWN",                                                      \
	  "the success rule needs a body that was not fully seen")                               \
	X(OUTCOME_UNKNOWN, 14, "OUTCOME_UNKNOWN", "how it ended was not seen")                   \
	X(LABEL_AMBIGUOUS, 15, "LABEL_AMBIGUOUS",                                                \
	  "what is listed of a peer contradicts itself, or names no one place")                  \
	X(LABEL_IMPOSSIBLE, 16, "LABEL_IMPOSSIBLE",                                              \
	  "what is listed of a peer is farther away than light allows")                          \
	X(PROSE_ONLY, 20, "PROSE_ONLY", "only prose speaks of it, and prose confirms nothing")

/* Evidence grades: which fact of the kernel or of TLS grants each. */
#define WW_EVIDENCE(X)                                                                   \
	X(E0, 0, "E0", "asserted by the application only")                               \
	X(E1, 1, "E1", "endpoint reached: handshake completed from the actor's tree")    \
	X(E2, 2, "E2", "bytes disclosed: request payload acknowledged by the peer")      \
	X(E3, 3, "E3", "reply received: response payload handed to the application")     \
	X(E4, 4, "E4", "outcome decoded from plaintext, or told by the kernel")          \
	X(E5, 5, "E5", "content matched: an id in the exchange equals the claim's")      \
	X(E6, 6, "E6", "effect read back: a separate later read returns the created id") \
	X(E7, 7, "E7",                                                                   \
	  "attested from outside: a signature that was checked, in a column of its own")

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

/* How one exchange stands under one contract. X(enum suffix, number, text, meaning) */
#define WW_WIRES(X)                                                                        \
	X(SUCCESS, 0, "success", "status and body are as the contract declares")           \
	X(FAILED, 1, "failed", "the status is outside the declared success")               \
	X(BODY_FAILED, 2, "body-failed", "the status fits, a body rule is violated")       \
	X(BODY_UNKNOWN, 3, "body-unknown", "the status fits, the body was not fully seen") \
	X(ACCEPTED, 4, "accepted", "202: taken for later")                                 \
	X(REDIRECTED, 5, "redirected", "3xx: the effect, if any, is elsewhere")            \
	X(NO_REPLY, 6, "no-reply", "the request left whole, no status came")               \
	X(NOT_SENT, 7, "not-sent", "the request did not get to its end")                   \
	X(UNDECODED, 8, "undecoded", "bytes went, their meaning was not seen")             \
	X(UNFINISHED, 9, "unfinished", "still under way when the watching ended")          \
	X(PARTIAL, 10, "partial", "of several items some succeeded, not all")              \
	X(UNCHANGED, 11, "unchanged", "304: nothing is other than before")

#define WW_WIRE_ENUM_(n, v, t, d) WW_WIRE_##n = (v),
enum ww_wire { WW_WIRES(WW_WIRE_ENUM_) WW_WIRE_MAX };

/* What a read-back shows of the id in its path. X(enum suffix, number, text, meaning) */
#define WW_READS(X)                                                                      \
	X(NONE, 0, "", "it is no read-back")                                             \
	X(SHOWN, 1, "shown", "the answer is as declared and returns the id")             \
	X(NOT_SHOWN, 2, "not-shown", "the answer is another, or does not return the id") \
	X(UNKNOWN, 3, "unseen", "the answer was not fully seen")

#define WW_READ_ENUM_(n, v, t, d) WW_READ_##n = (v),
enum ww_read { WW_READS(WW_READ_ENUM_) WW_READ_MAX };

/* By what an exchange was joined. X(enum suffix, number, text, meaning) */
#define WW_JOIN_BYS(X)                                                                      \
	X(NOTHING, 0, "", "not joined")                                                     \
	X(TRACEPARENT, 1, "traceparent", "trace context of the tool span on the wire")      \
	X(IDEMPOTENCY_KEY, 2, "idempotency-key", "the tool call id, or the span's own key") \
	X(WINDOW, 3, "window", "process tree, destination, method, path and time")          \
	X(RESPONSE_ID, 4, "response-id", "the model's response id in span and body")

#define WW_JOIN_BY_ENUM_(n, v, t, d) WW_JOIN_BY_##n = (v),
enum ww_join_by { WW_JOIN_BYS(WW_JOIN_BY_ENUM_) WW_JOIN_BY_MAX };

/* How a run of a declared program stands. X(enum suffix, number, text, meaning) */
#define WW_RUN_ENDS(X)                                                     \
	X(RUNNING, 0, "running", "it did not end while it was watched")    \
	X(EXITED, 1, "exited", "with a status, or by a signal")            \
	X(REPLACED, 2, "replaced", "the process executed another program") \
	X(LEFT, 3, "left", "the process went out of the scope, and out of sight")

#define WW_RUN_END_ENUM_(n, v, t, d) WW_RUN_##n = (v),
enum ww_run_end { WW_RUN_ENDS(WW_RUN_END_ENUM_) WW_RUN_END_MAX };

/* What a run says. X(enum suffix, number, text, meaning) */
#define WW_CONTROL_SAYS(X)                                                             \
	X(ALLOW, 0, "allow", "the answer is as the contract declares for \"allowed\"") \
	X(DENY, 1, "deny", "403, or a body that is not as declared")                   \
	X(ERROR, 2, "error", "another status, or no answer")                           \
	X(UNKNOWN, 3, "unknown", "the answer was not fully seen, or is for later")

#define WW_CONTROL_SAYS_ENUM_(n, v, t, d) WW_CONTROL_##n = (v),
enum ww_control_says { WW_CONTROL_SAYS(WW_CONTROL_SAYS_ENUM_) WW_CONTROL_SAYS_MAX };

/* Whether a run is about what the action is about. X(enum suffix, number, text, meaning) */
#define WW_CONTROL_SUBJECTS(X)                                                       \
	X(UNASKED, 0, "not-declared", "the contract names no subject")               \
	X(EQUAL, 1, "equal", "the action's subject is the control's, or among them") \
	X(DIFFERS, 2, "differs", "it is another")                                    \
	X(UNKNOWN, 3, "unknown", "one of both could not be read")

#define WW_CONTROL_SUBJECT_ENUM_(n, v, t, d) WW_CONTROL_SUBJECT_##n = (v),
enum ww_control_subject { WW_CONTROL_SUBJECTS(WW_CONTROL_SUBJECT_ENUM_) WW_CONTROL_SUBJECT_MAX };

/* The closed-world checklist (user/judge/closed_world.h), in order of precedence. X(enum suffix,
 * text, reason when it fails, meaning) */
#define WW_WORLD_ITEMS(X)                                                                        \
	X(CLOCK, "clock", CLOCK_UNBOUNDED, "span times map to kernel times within the skew")     \
	X(DEFERRAL, "deferral", REMOTE_EXECUTOR, "no declared deferral that is still running")   \
	X(COVERED, "coverage", COVERAGE_GAP,                                                     \
	  "sockets of all families and processes were covered for the whole window")             \
	X(LOSSES, "losses", EVENT_LOSS, "no event that touches the scope was lost")              \
	X(KEPT, "kept", EVENT_LOSS, "no evidence of the window was dropped by a ceiling")        \
	X(OWNERS, "owners", ACTOR_UNRESOLVED, "every flow of the scope has a known owner")       \
	X(PEERS, "peers", REMOTE_EXECUTOR, "no unix or loopback peer outside the scope")         \
	X(RAW, "raw", PLAINTEXT_INCOMPLETE, "no raw or packet socket")                           \
	X(OTHERS, "others", REMOTE_EXECUTOR, "no other process tree made a like or unread call") \
	X(LATE, "late", AMBIGUOUS_JOIN,                                                          \
	  "no like call after the window, none almost like it in it")                            \
	X(EARLY, "early", AMBIGUOUS_JOIN,                                                        \
	  "no like call shortly before the window, left by others")                              \
	X(TLS, "tls", TLS_OPAQUE,                                                                \
	  "the TLS content of every flow was read, but to model endpoints")                      \
	X(PLAIN, "plain", PLAINTEXT_INCOMPLETE, "no bytes went that nothing decodes")            \
	X(ACCOUNT, "account", PLAINTEXT_INCOMPLETE,                                              \
	  "the byte account of every flow closes, all plaintext has a flow")

#define WW_WORLD_ENUM_(n, t, r, d) WW_WORLD_##n,
enum ww_world_item { WW_WORLD_ITEMS(WW_WORLD_ENUM_) WW_WORLD_ITEM_MAX };

#define WW_WORLD_BIT(item) (1u << WW_WORLD_##item)
/* What must hold before a failure on the wire may be called the last word: no unseen retry. The
 * attempts that were seen say that the window is the right one. */
#define WW_WORLD_NO_RETRY_UNSEEN (~(WW_WORLD_BIT(DEFERRAL) | WW_WORLD_BIT(EARLY)))

/* Surplus per direction that an alert or a key update explains (24, 27; in TLS 1.2 31): less than
 * the record of the shortest message takes. That is HTTP/2's: a frame header of 9 bytes, a status
 * as one byte, or method, scheme and path as three, and 22 bytes of framing. */
#define WW_WORLD_REMAINDER_BYTES 31u
