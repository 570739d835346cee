#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the monitor recorded of tool calls over stdio, beside the servers' own log.

judged.py wait COUNT              reads stream lines until so many actions are judged (status 1: they ended before)
judged.py verdicts LOG            reads stream lines; "TAG-ORDER VERDICT[(REASON)]" for each action, sorted, and "WRONG ..." for
                                  each verdict that the log contradicts
judged.py calls LOG               "TAG calls=N/LOGGED bytes=whole|..." for each run of servers: each call that was logged has its
                                  record, in order, with the bytes of message and answer and the right kind of answer
judged.py moved                   bytes that are counted as moved without being seen
"""
import collections
import json
import sys

ANSWERS = {"iserror": "tool-error", "rpcerror": "rpc-error", "half": "none", "mute": "none", "splice": "none"}


def records():
    for line in sys.stdin:
        record = json.loads(line)["record"]
        if record:
            yield record


def logged(path):
    with open(path, encoding="utf-8") as log:
        return [json.loads(line) for line in log]


def final(rows):
    actions = {}
    for r in rows:
        if r["kind"] == "verdict" and r["verdict"] != "PENDING":
            actions[r["action"]] = r
    return actions


def stands(verdict, calls):
    effects = [c["effect"] for c in calls]
    return {"CONFIRMED_T1": "done" in effects, "MASKED_ERROR": bool(calls) and "done" not in effects,
            "REPLY_LOST": bool(calls), "NO_ACTION": not calls}.get(verdict, verdict == "UNVERIFIABLE")


def verdicts(log):
    by_order = collections.defaultdict(list)
    for call in logged(log):
        by_order[call["order"]].append(call)
    for v in sorted(final(records()).values(), key=lambda v: v["toolCallId"] or ""):
        order = (v["toolCallId"] or "call_?")[5:]
        print(order, v["verdict"] + (f"({v['reason']})" if v["reason"] else ""))
        if not stands(v["verdict"], by_order[order]):
            print("WRONG", order, v["verdict"], [c["effect"] for c in by_order[order]])


def differs(call, exchange, mcp):
    out = exchange["response"]["body"]["wireBytes"]
    wanted = {"half": 0, "mute": 0, "splice": 0}.get(call["mode"], call["out"])
    if exchange["request"]["body"]["wireBytes"] != call["in"]:
        return f"{call['order']}: asked with {exchange['request']['body']['wireBytes']} of {call['in']} bytes"
    if out != wanted:
        return f"{call['order']}: answered with {out} of {wanted} bytes"
    answer = ANSWERS.get(call["mode"], "result")
    return None if mcp["answer"] == answer else f"{call['order']}: {mcp['answer']} instead of {answer}"


def calls(log):
    rows = list(records())
    flows = {r["id"]: r for r in rows if r["kind"] == "flow" and r.get("channel")}
    mcp = {r["exchange"]: r for r in rows if r["kind"] == "mcp_call"}
    seen = collections.defaultdict(list)
    for r in rows:
        if r["kind"] == "exchange" and r["id"] in mcp and r["flow"] in flows:
            seen[int(flows[r["flow"]]["channel"]["server"][1:].split("-")[0])].append(r)
    of = collections.defaultdict(list)
    for call in logged(log):
        of[call["server"]].append(call)
    runs = {}
    for server, wanted in of.items():
        tag = wanted[0]["order"].rsplit("-", 1)[0]
        got = sorted(seen[server], key=lambda x: (x["request"]["offset"], x["index"]))
        wanted.sort(key=lambda c: c["id"])
        wrong = [w for w in (differs(c, x, mcp[x["id"]]) for c, x in zip(wanted, got)) if w]
        n, all_of, before = runs.get(tag, (0, 0, []))
        runs[tag] = (n + len(got), all_of + len(wanted), before + wrong)
    for tag, (n, all_of, wrong) in sorted(runs.items()):
        print(f"{tag} calls={n}/{all_of} bytes={'whole' if not wrong else '; '.join(wrong)}")


def moved():
    print(sum(r["bytes"] for r in records() if r["kind"] == "loss" and r["cause"].startswith("moved")))


def wait(count):
    actions = {}
    for r in records():
        if r["kind"] == "verdict" and r["verdict"] != "PENDING":
            actions[r["action"]] = r
        if len(actions) >= int(count):
            return
    sys.exit(1)


{"wait": wait, "verdicts": verdicts, "calls": calls, "moved": moved}[sys.argv[1]](*sys.argv[2:])
