#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What is pending, and what it becomes.

pending.py act OTLP     from a watched process: a tool span that has just ended (call "ended"), and a span that claims that
                        something will be done within three seconds (call "promised"); says the deadline and waits for a line
pending.py look DEADLINE    reads the stream with pending lines until both have their verdict; a line per thing looked at
"""
import datetime
import http.client
import json
import sys
import time


def attributes(**texts):
    return [{"key": k.replace("__", "."), "value": {"stringValue": v}} for k, v in texts.items()]


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
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [tool, turn]}]}]}
    connection = http.client.HTTPConnection(otlp, timeout=20)
    connection.request("POST", "/v1/traces", json.dumps(body), {"content-type": "application/json"})
    assert connection.getresponse().status == 200
    connection.close()
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


if sys.argv[1] == "act":
    act(sys.argv[2])
else:
    look(sys.argv[2])
