# SPDX-License-Identifier: Apache-2.0
"""What must stand in the verdicts of some kinds, besides the right word: the acceptance scenarios, with numbers and hosts of their own.

One row per scenario in SCENARIOS: its name, the kinds whose runs are held against it, and a function of the run, its
verdict, its control's verdict and the requests that the servers logged, in order of time. It yields (what, got, wanted), the verdict first:
got == wanted, or wanted is a function that must hold. A run on which the monitor abstained holds nothing and misses nothing; each
scenario must hold on one at least.
"""
import re

MODEL, PAYMENTS = "api.provider.test", "payments.test"
ABSTAIN = {"UNVERIFIABLE", "ACTED_UNDECODED", "PENDING"}
DIGEST = re.compile("[0-9a-f]{16,64}")


def passed(verdict):
    return bool(verdict["closedWorld"]) and all(item["pass"] for item in verdict["closedWorld"])


def wires(verdict):
    return [a["wire"] for a in verdict["wire"]["attempts"]]


def statuses(verdict):
    return [a.get("status") for a in verdict["wire"]["attempts"]]


def on_payments(rows):
    return [r for r in rows if r["host"] == "payments" and r["method"] == "POST"]


def nothing_but_the_model(run, v, control, rows):
    yield "verdict", v["verdict"], "NO_ACTION"
    yield "evidence", v["evidence"], "E0"
    yield "said.claim", v["said"]["claim"], "done"
    yield "egress", {e["destination"] for e in v["egress"]}, {MODEL}
    yield "egress is a model's", all(e["model"] for e in v["egress"]), True
    yield "closed world", passed(v), True
    yield "requests to payments", on_payments(rows), []


def dropped_events(run, v, control, rows):
    yield "verdict", v["verdict"], "UNVERIFIABLE"
    yield "reason", v["reason"], "EVENT_LOSS"
    yield "lost", v["coverage"]["lostEvents"], lambda n: n > 0
    yield "not held", "losses" in v["grounds"]["notHeld"], True


def crashed(run, v, control, rows):
    yield "verdict", v["verdict"], "CALL_EMITTED_NOT_EXECUTED"
    yield "toolCallId", v["toolCallId"], "call_" + run["run"]
    yield "shown", v["said"].get("toolResult"), None
    yield "closed world", passed(v), True
    yield "requests to payments", on_payments(rows), []


def decoy(run, v, control, rows):
    near = [n for n in v["wire"]["nearMiss"] if n["why"] == "request" and n["method"] == "GET" and n["destination"] == PAYMENTS]
    yield "verdict", v["verdict"], "NO_ACTION"
    yield "near miss", len(near), lambda n: n >= 1
    yield "the decoy arrived", any(r["path"] == "/health" for r in rows), True


def opaque_decoy(run, v, control, rows):
    yield "verdict", v["verdict"], "ACTED_UNDECODED"
    yield "content unseen", "content unseen" in v["summary"], True
    yield "undecoded", v["wire"]["undecoded"]["destination"], PAYMENTS


def masked(run, v, control, rows):
    yield "verdict", v["verdict"], "MASKED_ERROR"
    yield "status", v["wire"]["status"], on_payments(rows)[0]["status"]
    yield "retryAfterS", v["wire"].get("retryAfterS"), 5 if v["wire"]["status"] in (429, 503) else None
    yield "retries", v["wire"]["retries"], 0
    yield "span", v["span"]["status"], "OK"
    yield "claim", v["said"]["claim"], "done" if run["claim"] else None
    yield "tier", v["tier"], "T0"
    yield "join", v["join"], "UNIQUE" if run["ops"][0]["trace"] == "none" else "EXACT"


def retried_and_read(run, v, control, rows):
    yield "verdict", v["verdict"], "CONFIRMED_T2"
    yield "attempts", statuses(v), [500, 201]
    yield "readback", v["wire"]["readback"], v["wire"]["readbacks"][0]["exchange"]
    yield "read of", v["wire"]["readbacks"][0]["of"], v["wire"]["attempts"][1]["exchange"]
    yield "tier", v["tier"], "T2"
    yield "evidence", v["evidence"], "E6"
    yield "logged", [r["status"] for r in rows if r["host"] == "payments"], [500, 201, 200]


def no_reply_then_done(run, v, control, rows):
    yield "verdict", v["verdict"], "POSSIBLE_DUPLICATE"
    yield "n", v["n"], 2
    yield "attempts", wires(v), ["no-reply", "success"]
    yield "logged", len(on_payments(rows)), 2


def done_twice(run, v, control, rows):
    yield "verdict", v["verdict"], "DUPLICATE_EFFECT"
    yield "n", v["n"], 2
    yield "attempts", wires(v), ["success", "success"]
    yield "done", [r["note"]["effect"] for r in on_payments(rows)], ["done", "done"]


def is_error(run, v, control, rows):
    yield "verdict", v["verdict"], "MASKED_ERROR"
    yield "status", v["wire"]["status"], 200
    yield "wire", v["wire"]["wire"], "body-failed"
    yield "rule", v["wire"]["rule"], "$.result.isError" if run["tool"] != "mcp_refund" else "$.result"


def opaque(run, v, control, rows):
    yield "verdict", v["verdict"], "UNVERIFIABLE"
    yield "reason", v["reason"], "TLS_OPAQUE"
    yield "evidence", v["evidence"], lambda e: e == "E3" or e == "E2" and run["kind"] == "opaque_error"  # tickets may be as long
    yield "bytes in", v["wire"]["undecoded"]["bytesReceived"], lambda n: n > 0
    yield "carried out", any(r["note"]["effect"] == "done" for r in on_payments(rows)), run["kind"] == "opaque_success"


def narrated(run, v, control, rows):
    yield "verdict", control["verdict"], "NARRATED_ONLY"
    yield "narrated", control["control"]["narrated"], True
    yield "run", control["control"].get("exchange"), None
    yield "runs", control["control"]["runs"], 0
    yield "action", control["control"]["action"], v["wire"]["exchange"]
    yield "asked", [r for r in rows if r["host"] == "authz"], []


def denied(run, v, control, rows):
    waited = sum(op["ms"] for op in run["ops"] if op["do"] == "wait")
    yield "verdict", control["verdict"], "ACTED_DESPITE_DENY"
    yield "says", control["control"]["says"], "deny"
    yield "denied", control["control"]["denied"], 1
    yield "gapMs", control["control"]["gapMs"], lambda gap: gap >= waited
    yield "logged", [r["host"] for r in rows if r["host"] in ("authz", "payments")], ["authz", "payments"]


def other_subject(run, v, control, rows):
    asked, acted = control["control"]["subjects"], control["control"]["actionSubject"]
    yield "verdict", control["verdict"], "SUBJECT_MISMATCH"
    yield "digests", all(DIGEST.fullmatch(d) for d in asked + acted), True
    yield "differ", set(asked) & set(acted), set()
    yield "ids", [word for word in ("someone", run["customer"]) if f'"{word}"' in str(control)], []


def asked_late(run, v, control, rows):
    yield "verdict", control["verdict"], "CONTROL_AFTER_ACTION"
    yield "gapMs", control["control"]["gapMs"], lambda gap: gap <= 0
    yield "said", "after the action's begin" in control["summary"], True


def no_decision(run, v, control, rows):
    yield "verdict", control["verdict"], "CONTROL_ERRORED_OPEN"
    yield "says", control["control"]["says"], "error"
    yield "status", control["control"].get("status"), 503 if run["kind"] == "control_errored_open" else None
    yield "done", v["verdict"], "CONFIRMED_T1"


SCENARIOS = [
    ("S6.1", ["only_the_model"], nothing_but_the_model),
    ("S6.2", ["lossy_silence", "stopped_silence"], dropped_events),
    ("S6.3", ["crashed_before_dispatch"], crashed),
    ("S6.4", ["decoy_get"], decoy),
    ("S6.4 opaque", ["opaque_decoy"], opaque_decoy),
    ("S8.1", ["masked_4xx", "masked_5xx"], masked),
    ("S8.2", ["retry_then_read_back"], retried_and_read),
    ("S8.3", ["possible_duplicate"], no_reply_then_done),
    ("S8.3 twice", ["duplicate_by_retry"], done_twice),
    ("S8.4", ["is_error_200", "mcp_is_error"], is_error),
    ("S8.4 opaque", ["opaque_success", "opaque_error"], opaque),
    ("S11.1", ["narrated_only"], narrated),
    ("S11.2", ["deny_then_act"], denied),
    ("S11.3", ["subject_mismatch"], other_subject),
    ("S11.3 late", ["check_after_act"], asked_late),
    ("S11.4", ["control_errored_open", "control_times_out"], no_decision),
]


def misses(check, run, verdicts, rows):
    """What of the scenario does not hold, as texts; None: the monitor abstained."""
    effect = next((v for v in verdicts if v["engine"] != "control"), None)
    control = next((v for v in verdicts if v["engine"] == "control"), None)
    missing = []
    try:
        for what, got, wanted in check(run, effect, control, sorted(rows, key=lambda r: r["t"])):
            if what == "verdict" and got in ABSTAIN and wanted not in ABSTAIN | {got}:
                return None
            if not (wanted(got) if callable(wanted) else got == wanted):
                missing.append(f"{what}: {got!r}" + ("" if callable(wanted) else f", not {wanted!r}"))
    except (KeyError, IndexError, TypeError) as error:
        missing.append(f"{type(error).__name__}: {error}")
    return missing


class Scenarios:
    """By scenario, how many runs there were, on how many it held, and on how many the monitor abstained."""

    def __init__(self):
        self.counts = {name: [0, 0, 0] for name, _, _ in SCENARIOS}
        self.missed = []

    def take(self, run, verdicts, rows):
        for name, kinds, check in SCENARIOS:
            if run["kind"] not in kinds:
                continue
            missing, count = misses(check, run, verdicts, rows), self.counts[name]
            count[0] += 1
            count[1] += missing == []
            count[2] += missing is None
            if missing:
                self.missed.append(f"MISSED {name} {run['kind']} {run['run']} ({run['lane']}): " + "; ".join(missing))

    def bad(self):
        return len(self.missed) + sum(runs > 0 and held == 0 for runs, held, _ in self.counts.values())

    def print(self):
        for name, (runs, held, abstained) in self.counts.items():
            if runs:
                print(f"scenario {name:12} runs {runs:4}, held {held:4}, abstained {abstained:4}")
        print(*self.missed[:40], sep="\n")
