#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""judged.py STEPS LOG VERDICTS: each call's last verdict beside what is wanted, and what must never be said beside what the
agent's log and the files say: WRONG is a false confirmation, a false NO_ACTION or a false MASKED_ERROR."""
import json
import sys

steps = {s["call"]: s for s in map(json.loads, open(sys.argv[1]))}
log = {e["call"]: e for e in map(json.loads, open(sys.argv[2]))}
last = {}
for line in open(sys.argv[3]):
    record = json.loads(line)["record"]
    last[record["toolCallId"]] = record

for call, step in steps.items():
    truth, record = log[call], last.get(call)
    verdict, reason = (record["verdict"], record["reason"]) if record else ("none", None)
    files = step["tool"].startswith(("write", "rename", "remove"))
    changed = truth["before"] != truth["after"]
    if files:
        false = verdict == "CONFIRMED_T1" and not changed and step["do"][0] not in ("many", "run", "child")
        # What is wanted to be NO_ACTION changed other paths, or none.
        false |= verdict == "NO_ACTION" and changed and step["want"] != "NO_ACTION"
    else:
        false = verdict in ("NO_ACTION", "CONFIRMED_T1") and step["want"] not in (verdict, "any")
    false |= verdict == "MASKED_ERROR" and truth["result"] in (0, None)
    want = step["want"]
    other = want != "any" and (verdict, reason) != (tuple(want) if isinstance(want, list) else (want, None))
    print("WRONG" if false else "OTHER" if other else "ok   ", call, step["tool"], verdict, reason or "",
          "" if not other else f"wanted {want}", "" if not other or not record else record["summary"])
