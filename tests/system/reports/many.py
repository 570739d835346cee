#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""many.py KEYFILE COUNT: records of COUNT refunds, half on each of two days, then a third day begins; each day's sampling
seed is committed to at its begin, made from the ledger's digest key as docs/evidence describes it."""
import hashlib
import hmac
import json
import sys

key = open(sys.argv[1], "rb").read()
count = int(sys.argv[2])
OUT = ["CONFIRMED_T1"] * 8 + ["MASKED_ERROR", "UNVERIFIABLE"]


def put(**record):
    print(json.dumps(record, separators=(",", ":")))


def commit(day):
    t = "2026-11-%02dT00:00:01.000000000Z" % day
    seed = hmac.new(key, b"wirewitness sampling seed v1\n" + t.encode(), hashlib.sha256).digest()
    put(kind="life", id="d-%x" % day, t=t, event="sampling-commitment", text=None, version="0.1.0", epoch=t,
        commitment=hashlib.sha256(seed).hexdigest())


def refund(i, day):
    t = "2026-11-%02dT%02d:%02d:%02d.%09dZ" % (day, 1 + i // 3600 % 22, i // 60 % 60, i % 60, i)
    verdict = OUT[i * 7 % len(OUT)]
    action, span, exchange = "a-%016x" % (i + 1), "s-%016x" % (i + 1), "x-%x-0" % (i + 1)
    who = dict(tool="refund_order", toolCallId="call_%d" % i, actor="p77-1f", root="p77-1f", cgroup="0000000000000abc")
    said = {"claim": "done", "claims": [{"claimId": "c%d" % i, "tense": "done", "t": t, "span": span}]}
    part = {"id": span, "traceId": "%032x" % (i + 1), "status": "OK", "start": t, "end": t, "count": 1}
    wire = {"exchange": exchange, "flow": "f-%x" % (i + 1), "wire": "success", "status": 201, "peer": "10.77.2.2:443",
            "method": "POST", "path": "/v1/refunds", "retries": 0, "attempts": [], "nearMissTotal": 0, "nearMiss": []}
    body = {"wireBytes": 0, "decodedBytes": 0, "keptBytes": 0, "whole": True, "coding": "identity", "digest": "00" * 32}
    side = {"offset": 0, "bytes": 10, "firstBootNs": 1, "lastBootNs": 2, "body": body}
    put(kind="exchange", id=exchange, t=t, flow="f-%x" % (i + 1), index=0, actor="p77-1f", root="p77-1f",
        cgroup="0000000000000abc", outcome="complete", findings=[], client=True, local="10.77.2.1:1", peer="10.77.2.2:443",
        method="POST", path="/v1/refunds", status=201, request=side, response=side)
    put(kind="span", id=span, t=t, end=t, traceId="%032x" % (i + 1), spanId="%016x" % (i + 1), name="execute_tool", spanKind=1,
        status="OK", receivedBootNs=1, role="tool", tool="refund_order", generation=4, attrs={})
    put(kind="action", id=action, t=t, **who, effect="network", said=said, span=part, model=None, wire=wire)
    put(kind="verdict", id="v-%016x-1" % (i + 1), t=t, action=action, engine="effect", verdict=verdict,
        reason="COVERAGE_GAP" if verdict == "UNVERIFIABLE" else None, evidence="E4", tier="T0", join="EXACT", by="traceparent",
        **who, said=said, span=part, wire=wire, closedWorld=[], contracts="ab" * 32, refs=[span, exchange], summary="refund")


for day in (23, 24):
    commit(day)
    for n in range(count // 2):
        refund(n + (day - 23) * (count // 2), day)
commit(25)
refund(count, 25)
put(kind="coverage", id="c-abc-1", t="2026-11-25T02:00:00.000000000Z", cgroup="0000000000000abc", path="/sys/fs/cgroup/x",
    fromBootNs=1, toBootNs=2, tcp=True, udp=True, raw=True, unix=True, processes=True, lostEvents=0, lostBytes=0,
    beyondCapBytes=0, marksTotal=0, marks=[])
