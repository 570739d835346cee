#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Records as the pipeline writes them, as NDJSON: story.py [COUNT] prints COUNT refunds, each with its
process, flow, exchange, span, action and verdict, after the monitor's start. Times are one second apart
from 2026-11-23T10:00:00Z on, but those of flows, which began an hour before."""
import json
import sys

COUNT = int(sys.argv[1]) if len(sys.argv) > 1 else 3
VERDICTS = ["CONFIRMED_T1", "MASKED_ERROR", "NO_ACTION", "UNVERIFIABLE"]
clock = 0


def t(hour=10):
    return "2026-11-23T%02d:%02d:%02d.%09dZ" % (hour, clock // 60 % 60, clock % 60, 500)


def put(kind, ident, when=None, **members):
    record = {"kind": kind, "id": ident, "t": when or t()}
    record.update(members)
    print(json.dumps(record, separators=(",", ":"), ensure_ascii=True))


def flow(i):
    side = {"payload": 1000, "handshake": 400, "tickets": 0, "explained": 578, "captured": 578, "overhead": 22,
            "remainder": 0, "checked": True}
    put("flow", "f-%x" % (0x50 + i), t(9), actor="p77-1f", proto="tcp", local="10.77.2.1:50000", peer="10.77.2.2:8443",
        close="fin-local", tls={"version": "0x0304", "sni": "payments.test", "bind": "random"},
        account={"out": side, "in": side}, lostOut=0, lostIn=0, exchanges=1)


def refund(i):
    global clock
    clock += 1
    verdict = VERDICTS[i % len(VERDICTS)]
    x, f, s, a = "x-%x-1" % (0x50 + i), "f-%x" % (0x50 + i), "s-%016x" % (i + 1), "a-%08x" % (i + 1)
    span = {"id": s, "traceId": "%032x" % (i + 1), "status": "OK", "count": 1}
    said = {"claim": "done", "claims": [{"claimId": "c%d" % i, "tense": "done", "t": t(), "span": s}]}
    wire = {"attempts": [], "nearMissTotal": 0, "nearMiss": []}
    status = {"CONFIRMED_T1": 201, "MASKED_ERROR": 503}.get(verdict)
    refs = [s]
    put("span", s, name="execute_tool refund_order", status="OK", service="agent", actor="p77-1f", role="tool",
        tool="refund_order", toolCallId="call_%d" % i, attrs={"gen_ai.tool.name": "refund_order"})
    if status:
        put("exchange", x, flow=f, index=1, actor="p77-1f", outcome="complete", findings=[], client=True,
            peer="10.77.2.2:8443", authority="payments.test", method="POST", path="/v1/refunds", status=status,
            request={"bytes": 300, "firstBootNs": 1000000000}, response={"bytes": 120, "lastBootNs": 1012300000})
        wire.update({"exchange": x, "flow": f, "wire": "success" if status == 201 else "failed", "status": status,
                     "destination": "payments.test", "peer": "10.77.2.2:8443", "method": "POST", "path": "/v1/refunds",
                     "retries": 0, "attempts": [{"exchange": x, "join": "EXACT", "status": status}]})
        refs.append(x)
    if status == 503:
        wire["retryAfterS"] = 5
    put("action", a, tool="refund_order", toolCallId="call_%d" % i, effect="network", said=said, span=span, model=None,
        wire=wire)
    put("verdict", "v-%08x-1" % (i + 1), action=a, engine="effect" if status else "commit", verdict=verdict,
        reason="COVERAGE_GAP" if verdict == "UNVERIFIABLE" else None, evidence="E4" if status else "E0", tier="T0",
        join="EXACT" if status else "NONE", tool="refund_order", toolCallId="call_%d" % i, actor="p77-1f", said=said,
        span=span, wire=wire, closedWorld=[], contracts="ab" * 32, refs=refs, summary="refund_order")
    if status:
        flow(i)


put("life", "d-1", event="start", text=None, version="0.1.0")
put("actor", "p77-1f", pid=77, parent="p1-2", uid=1000, comm="node\u001b[31m", exe="/usr/bin/node")
for n in range(COUNT):
    refund(n)
put("exchange", "x-99-1", flow="f-99", actor="p77-1f", outcome="complete", findings=["malformed-body"], method="GET",
    path="/other", status=200, peer="10.77.2.9:80", request={"bytes": 10}, response={"bytes": 20})
put("finding", "x-99-1", finding="malformed-body")
put("coverage", "c-abc-1", cgroup="0000000000000abc", path="/sys/fs/cgroup/wirewitness/run-1", fromBootNs=1, toBootNs=2,
    tcp=True, udp=True, raw=True, unix=True, processes=True, lostEvents=0, lostBytes=0, beyondCapBytes=0, marksTotal=0,
    marks=[])
