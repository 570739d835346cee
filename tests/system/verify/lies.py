#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What somebody who holds the log's key could record. `lies.py list` prints the name of each lie, the exit code of
wirewitness-verify --rederive over it, the field that must be named, and which records it is about; `lies.py NAME RECORDS`
prints the records with that lie in them. The four verdicts of the tape "called": confirmed, answered by an error, not sent,
body rule violated. Of "mute" the third one is what a text alone speaks of."""
import json
import sys

LIES = {}


def lie(code, field, of="called"):
    def note(fn):
        LIES[fn.__name__.replace("_", "-")] = (code, field, of, fn)
        return fn
    return note


class Records(list):
    def of(self, kind):
        return [r for r in self if r["kind"] == kind]

    def verdict(self, word):
        return next(r for r in self.of("verdict") if r["verdict"] == word)

    def action(self, verdict):
        return self[self.index(verdict) - 1]

    def get(self, name):
        return next(r for r in self if r["id"] == name)

    def drop(self, name):
        self[:] = [r for r in self if r["id"] != name]


def both(r, v):
    """A verdict and the action's record before it: whoever lies well changes both."""
    return [v, r.action(v)]


@lie(0, "")
def truth(r):
    pass


@lie(1, "verdict")
def other_verdict(r):
    r.verdict("MASKED_ERROR").update(verdict="ATTEMPTED_FAILED")


@lie(1, "verdict")
def error_confirmed(r):
    r.verdict("MASKED_ERROR").update(verdict="CONFIRMED_T1", tier="T1")


@lie(1, "tier")
def tier_raised(r):
    r.verdict("MASKED_ERROR").update(tier="T1")


@lie(1, "tier")
def tier_lowered(r):
    r.verdict("CONFIRMED_T1").update(tier="T0")


@lie(1, "evidence")
def evidence_raised(r):
    r.verdict("CONFIRMED_T1").update(evidence="E5")


@lie(1, "engine")
def other_engine(r):
    r.verdict("NO_ACTION").update(engine="effect")


@lie(1, "reason")
def reason_given(r):
    r.verdict("NO_ACTION").update(reason="EVENT_LOSS")


# The verdict tells a story of its own, without a seam; the exchange says otherwise.
@lie(1, "wire.attempts.status")
def error_told_as_success(r):
    v = r.verdict("MASKED_ERROR")
    for one in both(r, v):
        one["wire"].update(wire="success", status=201)
        one["wire"].pop("retryAfterS", None)
        one["wire"]["attempts"][0].update(wire="success", status=201)
        one["wire"]["attempts"][0].pop("retryAfterS", None)
    v.update(verdict="CONFIRMED_T1", tier="T1", closedWorld=[])
    for name in "egressTotal", "egress", "refused":
        v.pop(name)


@lie(1, "wire.attempts.status")
def exchange_altered(r):
    r.get(r.verdict("MASKED_ERROR")["wire"]["exchange"]).update(status=201)


@lie(1, "wire.attempts.wire")
def status_altered_everywhere(r):
    v = r.verdict("MASKED_ERROR")
    r.get(v["wire"]["exchange"]).update(status=201)
    for one in both(r, v):
        one["wire"]["status"] = one["wire"]["attempts"][0]["status"] = 201


@lie(1, "grounds.terms")
def terms_bent(r):
    v = r.verdict("MASKED_ERROR")
    v["grounds"]["terms"].update(statusMin=500, statusMax=599)
    for one in both(r, v):
        one["wire"]["wire"] = one["wire"]["attempts"][0]["wire"] = "success"
    v.update(verdict="CONFIRMED_T1", tier="T1", closedWorld=[])


@lie(4, "refs")
def exchange_left_out(r):
    r.drop(r.verdict("CONFIRMED_T1")["wire"]["exchange"])


@lie(4, "span.id")
def span_left_out(r):
    r.drop(r.verdict("CONFIRMED_T1")["span"]["id"])


@lie(4, "coverage")
def coverage_left_out(r):
    r[:] = [x for x in r if x["kind"] != "coverage"]


@lie(1, "wire.attempts.by")
def other_trace(r):
    """The successful call of the first action stands as evidence of the one that was answered with an error."""
    v, good = r.verdict("MASKED_ERROR"), r.verdict("CONFIRMED_T1")
    text = json.dumps(v["refs"]).replace(v["wire"]["exchange"], good["wire"]["exchange"])
    action = r.action(v)
    v.update(verdict="CONFIRMED_T1", tier="T1", closedWorld=[], wire=good["wire"], refs=json.loads(text))
    action["wire"] = good["wire"]
    v["grounds"].update(fromBootNs=good["grounds"]["fromBootNs"])


@lie(1, "wire.attempts")
def call_used_twice(r):
    v, good = r.verdict("MASKED_ERROR"), r.verdict("CONFIRMED_T1")
    v["wire"]["attempts"] = good["wire"]["attempts"]
    r.action(v)["wire"]["attempts"] = good["wire"]["attempts"]


@lie(1, "wire.attempts.by")
def trace_altered(r):
    r.get(r.verdict("CONFIRMED_T1")["wire"]["exchange"]).update(traceId="0" * 31 + "1")


@lie(1, "root")
def other_process(r):
    r.get(r.verdict("CONFIRMED_T1")["wire"]["exchange"]).update(root="p1-1")


@lie(1, "wire.attempts")
def other_destination(r):
    r.get(r.verdict("CONFIRMED_T1")["wire"]["exchange"]).update(sni="elsewhere.test", authority="elsewhere.test")


@lie(1, "wire.peer")
def other_address(r):
    v = r.verdict("CONFIRMED_T1")
    for one in both(r, v):
        one["wire"]["peer"] = "10.77.2.3:443"


@lie(1, "wire.attempts")
def other_method(r):
    r.get(r.verdict("CONFIRMED_T1")["wire"]["exchange"]).update(method="GET")


@lie(1, "wire.attempts")
def other_time(r):
    r.get(r.verdict("CONFIRMED_T1")["wire"]["exchange"])["request"].update(firstBootNs=1)


@lie(1, "wire.requestBytes")
def other_bytes(r):
    r.get(r.verdict("CONFIRMED_T1")["wire"]["exchange"])["request"].update(bytes=392)


@lie(1, "wire")
def call_denied(r):
    """The call was made and answered; the verdict says that nothing left."""
    v, none = r.verdict("CONFIRMED_T1"), r.verdict("NO_ACTION")
    for one in both(r, v):
        one["wire"] = none["wire"]
    for name in "engine", "verdict", "reason", "evidence", "tier", "join", "closedWorld", "egressTotal", "egress", "refused":
        v[name] = none[name]
    v.pop("by")
    v["refs"] = [x for x in v["refs"] if not x.startswith("x-14d1")]
    v["grounds"].update(attempts=0, flows=[], worldWhole=True)


@lie(1, "span.status")
def span_status_hidden(r):
    r.get(r.verdict("MASKED_ERROR")["span"]["id"]).update(status="ERROR")


@lie(1, "span.id")
def span_status_twice(r):
    v = r.verdict("MASKED_ERROR")
    r.get(v["span"]["id"])["status"] = Twice("OK", "ERROR")


@lie(1, "said.claims.span")
def claim_span_unreadable(r):
    """The claim stands in a span of its own, which says its status twice."""
    v = r.verdict("MASKED_ERROR")
    own = r.get(v["span"]["id"])
    other = dict(own, id="s-00000000000000f1", spanId="00000000000000f1", status=Twice("OK", "ERROR"))
    r.insert(r.index(own), other)
    for one in both(r, v):
        one["said"]["claims"][0]["span"] = other["id"]


@lie(1, "said.claims")
def claim_made_up(r):
    v = r.verdict("MASKED_ERROR")
    for one in both(r, v):
        one["said"]["claims"][0]["claimId"] = "another"


@lie(1, "said, span, wire")
def action_altered(r):
    r.action(r.verdict("CONFIRMED_T1"))["said"].update(claim=None, claims=[])


@lie(1, "coverage")
def loss_hidden(r):
    v = r.verdict("NO_ACTION")
    for c in r.of("coverage"):
        c.update(marksTotal=1, lostEvents=3, marks=[
            {"what": "loss", "fromBootNs": v["coverage"]["fromBootNs"], "toBootNs": v["coverage"]["toBootNs"], "events": 3,
             "detail": "control ring full"}])


@lie(1, "coverage")
def not_all_covered(r):
    for c in r.of("coverage"):
        c.update(unix=False)


@lie(1, "coverage.lostEvents")
def loss_not_held_against_it(r):
    r.verdict("NO_ACTION")["coverage"].update(lostEvents=2)


@lie(1, "closedWorld")
def item_flipped(r):
    r.verdict("NO_ACTION")["closedWorld"][9]["pass"] = False


@lie(1, "grounds.worldWhole")
def world_not_asked(r):
    r.verdict("NO_ACTION")["grounds"].update(worldWhole=False)


@lie(1, "verdict")
def grounds_say_otherwise(r):
    v = r.verdict("NO_ACTION")
    v["grounds"].update(notHeld=["tls"])
    for item in v["closedWorld"]:
        item["pass"] = item["item"] != "tls"


@lie(1, "grounds.flows")
def counters_altered(r):
    r.verdict("CONFIRMED_T1")["grounds"]["flows"][0].update(bytesSent=1705)


@lie(1, "grounds.flows")
def account_closed_by_hand(r):
    flow = r.get(r.verdict("CONFIRMED_T1")["wire"]["flow"])
    flow["account"]["out"].update(remainder=5000)


@lie(1, "grounds.flows")
def called_live(r):
    v = r.verdict("CONFIRMED_T1")
    flow = r.get(v["wire"]["flow"])
    flow["account"]["out"].update(remainder=5000)
    flow.update(closeBootNs=v["coverage"]["toBootNs"] - 1500000000)
    v["grounds"]["flows"][0].update(closed=False)


@lie(4, "grounds.flows")
def connection_left_out(r):
    r.verdict("CONFIRMED_T1")["grounds"].update(flows=[])


@lie(4, "grounds")
def grounds_left_out(r):
    r.verdict("CONFIRMED_T1").pop("grounds")


@lie(4, "verdict")
def unknown_verdict(r):
    r.verdict("CONFIRMED_T1").update(verdict="CONFIRMED_T9", tier="T0")


@lie(4, "grounds.terms")
def unknown_effect(r):
    r.verdict("CONFIRMED_T1")["grounds"]["terms"].update(effect="magic")


@lie(1, "record")
def unknown_item(r):
    r.verdict("NO_ACTION")["grounds"]["notHeld"] = ["luck"]


@lie(1, "contracts")
def other_contracts(r):
    r.insert(0, {"kind": "life", "id": "d-1-1", "t": "2026-11-23T22:52:00Z", "event": "start", "text": "", "contracts": "0" * 64})


@lie(1, "id")
def other_action(r):
    r.verdict("CONFIRMED_T1").update(id="v-0000000000000001-1")


@lie(1, "action")
def other_action_record(r):
    v = r.verdict("CONFIRMED_T1")
    v.update(id="v-0000000000000001-1", action="a-0000000000000001")


# The same member twice: which one counts?
@lie(1, "record")
def member_twice(r):
    r.verdict("CONFIRMED_T1")["verdict"] = Twice("NO_ACTION", "CONFIRMED_T1")


@lie(1, "wire.attempts.exchange")
def evidence_twice(r):
    x = r.get(r.verdict("CONFIRMED_T1")["wire"]["exchange"])
    x["status"] = Twice(503, 201)


@lie(1, "record")
def huge_number(r):
    r.verdict("CONFIRMED_T1")["grounds"].update(attempts=10**30)


@lie(1, "record")
def fraction(r):
    r.verdict("CONFIRMED_T1")["grounds"].update(attempts=1.5)


@lie(4, "verdict")
def zero_byte(r):
    r.verdict("NO_ACTION").update(verdict="NO_ACTION\0 but", tier="T0")


@lie(1, "egress")
def egress_is_an_object(r):
    r.verdict("NO_ACTION").update(egress={})


@lie(1, "refs")
def refs_are_an_object(r):
    r.verdict("NO_ACTION").update(refs={})


# A text alone says that it was done.
def claim(r):
    return r.verdict("SUSPECT_NO_ACTION")["said"]["prose"][0]


def model_call(r):
    return r.get("m" + claim(r)["exchange"][1:])


def said(r, **members):
    for one in both(r, r.verdict("SUSPECT_NO_ACTION")):
        one["said"].update(members)


@lie(0, "", "mute")
def suspicion(r):
    assert r.verdict("SUSPECT_NO_ACTION")["engine"] == "prose"


@lie(1, "verdict", "mute")
def suspicion_made_certain(r):
    r.verdict("SUSPECT_NO_ACTION").update(verdict="NO_ACTION")


@lie(1, "said.prose", "mute")
def claim_of_another_rule(r):
    said(r, prose=[dict(claim(r), rule="refund-done-issued")])


@lie(1, "said.prose", "mute")
def claim_of_other_words(r):
    said(r, prose=[dict(claim(r), digest="0" * 64)])


@lie(1, "said.prose", "mute")
def claim_of_another_answer(r):
    other = next(m for m in r.of("model_call") if m["id"] != model_call(r)["id"] and "prose" in m)
    said(r, prose=[dict(claim(r), exchange=other["exchange"], at=1)])


@lie(1, "said.prose", "mute")
def claim_that_nobody_made(r):
    model_call(r)["prose"].update(claims=[])


@lie(4, "said.prose", "mute")
def model_call_left_out(r):
    r.drop(model_call(r)["id"])


@lie(1, "said.prose", "mute")
def model_call_member_twice(r):
    model_call(r)["requestWhole"] = Twice(False, True)


@lie(1, "said.prose", "mute")
def prose_is_an_object(r):
    said(r, prose={})


@lie(1, "verdict", "mute")
def turn_called_unseen(r):
    said(r, blind=True)


@lie(1, "said.blind", "mute")
def suspicion_dissolved(r):
    said(r, blind=True)
    r.verdict("SUSPECT_NO_ACTION").update(verdict="UNVERIFIABLE", reason="REMOTE_EXECUTOR")


@lie(1, "wire.nearMissTotal", "mute")
def near_misses_untold(r):
    v = r.verdict("SUSPECT_NO_ACTION")
    for one in both(r, v):
        one["wire"].update(nearMissTotal=3)
    v.update(verdict="UNVERIFIABLE", reason="AMBIGUOUS_JOIN", join="AMBIGUOUS")


@lie(1, "said.blind", "mute")
def turn_called_seen(r):
    model_call(r).update(requestWhole=False)


@lie(1, "said.earlier", "mute")
def earlier_call_made_up(r):
    said(r, earlier=True)


@lie(1, "said.earlier", "mute")
def earlier_call_hidden(r):
    model_call(r)["prose"].update(earlierTools=[r.verdict("SUSPECT_NO_ACTION")["tool"]])


@lie(1, "verdict", "mute")
def meant_by_several(r):
    r.verdict("SUSPECT_NO_ACTION")["grounds"].update(partners=2)


@lie(1, "verdict", "mute")
def call_under_way(r):
    r.verdict("SUSPECT_NO_ACTION")["grounds"].update(stillOpen=True)


@lie(1, "verdict", "mute")
def world_not_closed(r):
    v = r.verdict("SUSPECT_NO_ACTION")
    v["grounds"].update(notHeld=["tls"])
    for item in v["closedWorld"]:
        item["pass"] = item["item"] != "tls"


@lie(1, "grounds.fromBootNs", "mute")
def turn_cut(r):
    r.verdict("SUSPECT_NO_ACTION")["grounds"]["fromBootNs"] += 1


@lie(1, "grounds.toBootNs", "mute")
def wait_cut(r):
    r.verdict("SUSPECT_NO_ACTION")["grounds"]["toBootNs"] -= 1


@lie(4, "said.proseOnly", "mute")
def suspicion_made_up(r):
    """Of the text behind the call that was confirmed, with a turn that begins behind that call."""
    good, model = r.verdict("SUSPECT_NO_ACTION"), r.verdict("CONFIRMED_T1")
    old, new = r.get(claim(r)["exchange"]), r.get(model["said"]["prose"][0]["exchange"])
    at = r.index(good) - 1
    for one in both(r, good):
        text = json.dumps(one).replace(old["id"], new["id"])
        for path in ("request", "firstBootNs"), ("response", "lastBootNs"):
            text = text.replace(str(old[path[0]][path[1]]), str(new[path[0]][path[1]]))
        text = text.replace(good["action"][2:], model["action"][2:])
        r.insert(at, json.loads(text))
    r[at + 1]["coverage"]["toBootNs"] -= old["response"]["lastBootNs"] - new["response"]["lastBootNs"]
    r.remove(r.action(model))
    r.remove(model)


@lie(1, "wire", "mute")
def call_of_the_turn(r):
    """The call that another turn made lies in this one."""
    v, x = r.verdict("SUSPECT_NO_ACTION"), r.get(r.verdict("CONFIRMED_T1")["wire"]["exchange"])
    copy = json.loads(json.dumps(x))
    copy.update(id="x-f-0", flow="f-f")
    copy["request"].update(firstBootNs=v["grounds"]["toBootNs"])
    r.insert(r.index(x), copy)


@lie(1, "said.proseOnly", "mute")
def asked_for_as_well(r):
    v = r.verdict("SUSPECT_NO_ACTION")
    v["grounds"].update(asked=True)
    r.action(v).update(model={})


@lie(1, "verdict", "mute")
def not_by_prose_alone(r):
    for one in both(r, r.verdict("SUSPECT_NO_ACTION")):
        one["said"].pop("proseOnly")


@lie(1, "record", "mute")
def nothing_said_of_the_turn(r):
    for one in both(r, r.verdict("SUSPECT_NO_ACTION")):
        one["said"].pop("blind")


class Twice:
    def __init__(self, first, second):
        self.both = first, second


def text(record):
    """One line; a member that is Twice stands there twice."""
    members = []
    for key, value in record.items():
        for one in value.both if isinstance(value, Twice) else [value]:
            members.append(json.dumps(key) + ":" + json.dumps(one, ensure_ascii=False, separators=(",", ":")))
    return "{" + ",".join(members) + "}"


def main():
    if sys.argv[1] == "list":
        for name, (code, field, of, _) in LIES.items():
            print(name, code, field or "-", of, sep="\t")
        return
    with open(sys.argv[2], encoding="utf-8") as f:
        records = Records(json.loads(line) for line in f)
    LIES[sys.argv[1]][3](records)
    print("\n".join(text(r) for r in records))


main()
