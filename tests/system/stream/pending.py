#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What is pending, and what it becomes.

pending.py act OTLP     from a watched process: a tool span that has just ended (call "ended"), and a span that claims that
                        something will be done within three seconds (call "promised"); says the deadline and waits for a line
pending.py flood OTLP COUNT  from a watched process: so many tool spans in one request; says "sent" and waits for a line
pending.py count SOCKET COUNT  asks for the stream, says "asked"; all that was pending was told or counted as dropped, and
                        all has its verdict
pending.py look DEADLINE    reads the stream with pending lines until both have their verdict; a line per thing looked at
"""
import datetime
import http.client
import json
import socket
import sys
import time


def attributes(**texts):
    return [{"key": k.replace("__", "."), "value": {"stringValue": v}} for k, v in texts.items()]


def post(otlp, spans):
    connection = http.client.HTTPConnection(otlp, timeout=20)
    connection.request("POST", "/v1/traces", json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}),
                       {"content-type": "application/json"})
    assert connection.getresponse().status == 200
    connection.close()


def flood(otlp, count):
    now = str(time.time_ns())
    post(otlp, [{"traceId": "6a" * 16, "spanId": "%016x" % (i + 1), "name": "tool", "kind": 1, "startTimeUnixNano": now,
                 "endTimeUnixNano": now, "attributes": attributes(
                     gen_ai__operation__name="execute_tool", gen_ai__tool__name="nothing", gen_ai__tool__call__id=f"flood-{i}")}
                for i in range(int(count))])
    print("sent", flush=True)
    sys.stdin.readline()


def count(path, wanted):
    stream = socket.socket(socket.AF_UNIX)
    stream.connect(path)
    stream.sendall(b'{"op":"tail","from":%d,"pending":true}\n' % 10**15)
    lines = stream.makefile()
    lines.readline()
    print("asked", flush=True)
    told, dropped, judged = 0, 0, 0
    while judged < int(wanted):
        line = json.loads(lines.readline())
        if "dropped" in line:
            dropped += line["dropped"]
        elif "pending" in line:
            told += line["pending"]["toolCallId"].startswith("flood-")
        elif line["record"]["kind"] == "verdict":
            judged += line["record"]["toolCallId"].startswith("flood-")
    print("told or dropped:", told + dropped, "some of each:", told > 0 and dropped > 0, flush=True)


def act(otlp):
    now = time.time_ns()
    deadline = now + 3_000_000_000
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(deadline // 10**9)) + ".%09dZ" % (deadline % 10**9)
    base = {"traceId": "5a" * 16, "kind": 1, "startTimeUnixNano": str(now - 1000000), "endTimeUnixNano": str(now)}
    tool = base | {"spanId": "5b" * 8, "name": "tool", "attributes": attributes(
        gen_ai__operation__name="execute_tool", gen_ai__tool__name="send_mail", gen_ai__tool__call__id="ended")}
    turn = base | {"spanId": "5c" * 8, "name": "turn", "events": [{
        "name": "wirewitness.claim", "timeUnixNano": str(now), "attributes": attributes(
            claim__id="k", claim__tense="will", claim__tool="send_mail", claim__tool_call_id="promised",
            claim__deadline=text)}]}
    post(otlp, [tool, turn])
    print(text, flush=True)
    sys.stdin.readline()


def seconds(text):
    return datetime.datetime.strptime(text[:26], "%Y-%m-%dT%H:%M:%S.%f").timestamp()


def look(deadline):
    pending, recorded, final, cursors = {}, {}, {}, []
    for line in sys.stdin:
        line = json.loads(line)
        item = line.get("pending")
        if item:
            assert "cursor" not in line and item["verdict"] == "PENDING" and "kind" not in item
            if item["toolCallId"] in ("ended", "promised"):
                pending.setdefault(item["toolCallId"], []).append((item, dict(final)))
            continue
        cursors.append(line["cursor"])
        record = line["record"]
        if record["kind"] == "verdict" and record["toolCallId"] in ("ended", "promised"):
            (recorded if record["verdict"] == "PENDING" else final).setdefault(record["toolCallId"], record)
        if len(final) == 2:
            break
    for call in ("ended", "promised"):
        items = pending.get(call, [])
        print(call, "pending before its verdict:", bool(items) and all(call not in seen for _, seen in items))
        print(call, "the verdict is that action's:", {i["action"] for i, _ in items} == {final[call]["action"]})
        print(call, "as the verdict has it:", all(i[k] == final[call][k] for i, _ in items for k in ("tool", "actor", "root", "cgroup")))
    print("ended waits for:", *{i["waitsFor"] for i, _ in pending["ended"]})
    print("promised waits for:", *{i["waitsFor"] for i, _ in pending["promised"]})
    print("promised is then recorded as pending until:", abs(seconds(recorded["promised"]["deadline"]) - seconds(deadline)) < 0.5)
    print("promised is superseded:", final["promised"]["supersedes"] == recorded["promised"]["id"])
    print("records in order:", cursors == list(range(cursors[0], cursors[0] + len(cursors))))


{"act": act, "flood": flood, "count": count, "look": look}[sys.argv[1]](*sys.argv[2:])
