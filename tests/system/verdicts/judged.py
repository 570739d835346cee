#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Verdicts of watched runs, beside what the payments service really saw.

judged.py wait RUN=COUNT...           reads stream lines until every run has that many judged actions (status 1: they
                                      ended before)
judged.py table TRUTH RUN=ORDER,...   reads stream lines; prints "RUN ORDER VERDICT[(REASON)] JOIN [by]" per action in
                                      order of time, and "WRONG ..." for each verdict that the truth contradicts;
                                      for RUN=*COUNT, whose tags are the tool call ids, "RUN decided N of COUNT", or
                                      "nine of ten" for that many and more

A run is its cgroup's name without the process id; "outside" is whoever was not watched.
"""
import json
import os
import sys


class Judged:
    def __init__(self):
        self.names, self.actions = {"0" * 16: "outside"}, {}

    def take(self, line):
        record = json.loads(line)["record"]
        if not record:
            return
        if record["kind"] == "coverage":
            self.names[record["cgroup"]] = os.path.basename(record["path"]).rsplit("-", 1)[0]
        elif record["kind"] == "verdict" and record["verdict"] != "PENDING":
            self.actions[record["action"]] = record  # a later one supersedes

    def of(self, run):
        found = [v for v in self.actions.values() if self.names.get(v["cgroup"]) == run]
        return sorted(found, key=lambda v: (v["t"], v["action"]))


def truth_of(path):
    seen = {}
    with open(path, encoding="utf-8") as log:
        for row in map(json.loads, log):
            if row["kind"] == "req" and row["tag"] and row["path"] == "/v1/refunds":
                seen.setdefault(row["tag"], []).append(row)
    return seen


def contradicts(verdict, rows, wire):
    """What a verdict asserts about the world, against the world. None: it stands."""
    what, status = verdict["verdict"], [r["status"] for r in rows]
    refused = [r for r in rows if r["note"]["order"][0] in "CG" or (r["status"] or 0) >= 400]
    stands = {
        "CONFIRMED_T1": status and status[-1] in (200, 201) and not refused,
        "CONFIRMED_T2": status and status[-1] in (200, 201) and not refused,
        "EFFECT_MISSING": status == [202],  # the service never posts what it took for later
        "ACTED_LATE": status == [201],
        "MASKED_ERROR": bool(rows) and len(refused) == len(rows),
        "ATTEMPTED_FAILED": len(refused) == len(rows),
        "ACCEPTED_ASYNC": status == [202],
        "REPLY_LOST": bool(rows) and status[-1] is None,
        "ACTED_UNDECODED": bool(rows),
        "DUPLICATE_EFFECT": len(rows) > 1,
        "POSSIBLE_DUPLICATE": len(rows) > 1,
    }.get(what, what == "UNVERIFIABLE" or not rows)  # NO_ACTION and its kin: nothing arrived
    if not stands:
        return f"{what} over {status}"
    if "status" in wire and rows and wire["status"] not in status:
        return f"status {wire['status']} instead of {status}"
    return None


def many(truth, run, verdicts, count):
    decided = sum(v["verdict"] != "UNVERIFIABLE" for v in verdicts)
    print(run, "decided", "nine of ten" if decided * 10 >= count * 9 else f"{decided} of {count}")
    if len({v["toolCallId"] for v in verdicts}) != count:
        print(f"WRONG {run}: {len(verdicts)} actions instead of {count}")
    for v in verdicts:
        why = contradicts(v, truth.get(v["toolCallId"], []), v["wire"])
        if why:
            print(f"WRONG {run} {v['toolCallId']}: {why}: {v['summary']}")


def table(truth, plans):
    judged = Judged()
    for line in sys.stdin:
        judged.take(line)
    for run, orders in plans:
        verdicts = judged.of(run)
        if orders[0][0] == "*":
            many(truth, run, verdicts, int(orders[0][1:]))
            continue
        if len(verdicts) != len(orders):
            print(f"WRONG {run}: {len(verdicts)} actions instead of {len(orders)}")
        for order, v in zip(orders, verdicts):
            reason = f"({v['reason']})" if v["reason"] else ""
            reason += "".join(" " + f["finding"] for f in v.get("findings", []))
            print(run, order, v["verdict"] + reason, v["join"], v.get("by", ""))
            why = contradicts(v, truth.get(f"{run}-{order}-tool", []), v["wire"])
            if why and run != "outside":
                print(f"WRONG {run} {order}: {why}: {v['summary']}")


def wait(counts):
    judged = Judged()
    for line in sys.stdin:
        judged.take(line)
        if all(len(judged.of(run)) >= int(n) for run, n in counts):
            return
    for run, n in counts:
        print(f"{run}: {len(judged.of(run))} of {n} judged")
    sys.exit(1)


if sys.argv[1] == "wait":
    wait([a.split("=") for a in sys.argv[2:]])
else:
    table(truth_of(sys.argv[2]), [(r, o.split(",")) for r, o in (a.split("=") for a in sys.argv[3:])])
