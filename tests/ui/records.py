#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""records.py RECORDS...: a small run from the golden records, and beside each verdict others of every shape that a page
has to draw: hostile names, a verdict that was superseded, retries, candidates, undecoded bytes, an excluded call."""
import copy
import json
import os
import sys

HOSTILE = "</td><script>alert(1)</script>&amp;\"'`\u202eevil\u2066\u0000\u001b[2J\n" + "long " * 100 + "\u00fc\U0001f642"


def put(record):
    print(json.dumps(record, separators=(",", ":"), ensure_ascii=False).replace("\u0000", "\\u0000"))


def renamed(record, n):
    r = copy.deepcopy(record)
    r["id"] = "v-%016x-1" % n
    r["action"] = "a-%016x" % n
    return r




def read(path, day):
    """As of that day: what is old enough to be pruned must not depend on when the tape was made."""
    lines = open(path).readlines()
    return [json.loads(line.replace(json.loads(lines[0])["t"][:11], day)) for line in lines]


records = [r for path in sys.argv[1:] for r in read(path, "2026-11-23T")]
put({"kind": "life", "id": "d-1", "t": records[0]["t"], "event": "replay", "text": HOSTILE, "version": "0.1.0", "contracts": "aa" * 32,
     "tape": {"sha256": "ee" * 32, "end": "cut off", "version": "0.1.0", "kernel": HOSTILE, "bootId": None, "contracts": "aa" * 32}})
for r in records:
    put(r)
put({"kind": "life", "id": "d-2", "t": records[0]["t"], "event": "tls-library", "text": records[0]["text"],
     "library": {"bytes": 1, "buildId": "00ff", "sha256": "ab" * 32}})
verdicts = [r for r in records if r["kind"] == "verdict"]
masked = next(r for r in verdicts if r["verdict"] == "MASKED_ERROR" and r["wire"].get("status") == 503)
confirmed = next(r for r in verdicts if r["verdict"] == "CONFIRMED_T1")
nothing = next(r for r in verdicts if r["verdict"] == "NO_ACTION")
other = confirmed["wire"]["attempts"][0]

r = renamed(masked, 1)  # whatever the wire said
r.update(tool=HOSTILE, toolCallId="<b>\"'&", summary=HOSTILE + " answered 503 (measured)")
r["wire"].update(destination=HOSTILE, path="/<svg/onload=alert(1)>", rule="$['<']", method="P\u200bOST")
r["said"]["claim"] = "done<img src=x onerror=alert(1)>"
r["span"]["traceId"] = "]]>--><!--" + "\u2028"
put(r)
r = renamed(confirmed, 2)  # tried again
r["wire"]["attempts"] = [dict(masked["wire"]["attempts"][0]), dict(other), {
    "exchange": "x-not-listed", "t": "2026-11-23T22:52:25.300000000Z", "join": "UNIQUE", "by": "window", "wire": "no-reply"}]
r["wire"]["retries"] = 2
r["refs"] += masked["refs"]
put(r)
r = renamed(nothing, 3)  # late evidence came
put(r)
late = dict(renamed(confirmed, 3), id="v-%016x-2" % 3, supersedes=r["id"])
put(late)
r = renamed(confirmed, 4)
r.update(verdict="UNVERIFIABLE", reason="AMBIGUOUS_JOIN", join="AMBIGUOUS", n=2, evidence="E0", tier="T0")
r["wire"] = {"retries": 0, "attempts": [], "candidates": [{"exchange": confirmed["wire"]["exchange"]}, {"exchange": masked["wire"]["exchange"]}],
             "nearMissTotal": 0, "nearMiss": []}
r["refs"] += masked["refs"]
put(r)
r = renamed(nothing, 5)
r.update(verdict="CALL_EMITTED_NOT_EXECUTED", span=None)
r["said"] = {"claim": None, "claims": [], "text": {"bytes": 34, "digest": "bb" * 32}}
put(r)
flow = next(x for x in records if x["kind"] == "flow")
r = renamed(nothing, 6)
r.update(verdict="ACTED_UNDECODED", reason="TLS_OPAQUE", evidence="E1")
r["wire"] = {"retries": 0, "attempts": [], "undecoded": {"flow": flow["id"], "destination": "payments.test", "peer": flow["peer"], "tls": True,
             "bytesSent": "18446744073709551615", "bytesAcked": 1, "bytesReceived": 0}, "nearMissTotal": 0, "nearMiss": []}
r["refs"] = [flow["id"]]
put(r)
put(renamed(confirmed, 7))  # erased later
again = renamed(masked, 8)  # judged again under other contracts
again.update(id="e-%016x-cccccccc-1" % 8, contracts="cc" * 32, summary="judged again under other contracts; " + masked["summary"],
             reevaluates={"verdict": "v-%016x-1" % 8, "record": "dd" * 32, "contracts": masked["contracts"]})
put(again)
ran = next(r for r in verdicts if r["verdict"] == "CONFIRMED_T1" and r.get("local", {}).get("deeds", [{}])[0].get("program"))
r = renamed(ran, 9)  # more runs than there is room to draw, and what a name can hold
one = ran["local"]["deeds"][0]
r["local"] = {"sought": "run of a declared program", "decides": one["id"], "total": 77, "contested": 3, "deeds": [
    dict(one, id="u-1-1-%x" % i, t="2026-11-27T15:00:%02d.000000000Z" % i, program=HOSTILE) for i in range(31)] + [one]}
r["local"]["deeds"][3] = {"id": "u-1-1-3", "t": "2026-11-27T15:00:03.500000000Z", "program": "/usr/bin/x", "end": "exited", "signal": 9}
put(r)
r = renamed(ran, 10)  # nobody knows whose
r.update(verdict="UNVERIFIABLE", reason="AMBIGUOUS_JOIN", join="AMBIGUOUS", n=2)
r["local"] = {"sought": "change of a declared file", "total": 0, "contested": 2, "deeds": []}
put(r)
r = renamed(confirmed, 11)
r.update(verdict="ACTED_ELSEWHERE", reason=None)
r["wire"] = {"retries": 0, "attempts": [], "elsewhere": {"exchange": confirmed["wire"]["exchange"], "destination": "other.test", "peer": "10.77.2.9:443",
             "method": "POST", "path": "/v1/refunds", "status": 201}, "nearMissTotal": 0, "nearMiss": []}
put(r)
put({"kind": "loss", "id": "l-1-x", "t": "2026-11-23T22:52:26.000000000Z", "cgroup": flow["cgroup"], "cause": "<i>ring full", "events": 3, "bytes": 96})
put({"kind": "finding", "id": confirmed["wire"]["exchange"], "t": "2026-11-23T22:52:26.000000000Z", "finding": "malformed-body"})

# Paths of every shape that a page has to show: failovers, a copy, a gateway, contradictions, hostile names, a later version's words.
folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../golden/paths")
for name in sorted(os.listdir(folder)):
    if name.endswith(".json"):
        put(dict(json.load(open(os.path.join(folder, name))), t="2026-11-23T22:52:26.000000000Z"))
