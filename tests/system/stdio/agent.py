#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""An agent that starts a tool server and calls it, by hand; each call under a span that says OK.

    agent.py STEPS COMMAND...

STEPS is a JSON array; a step is done before the next one begins:
    {"order": "A1", "mode": "ok"}      a call; mode "skip": the span alone, "note": without an id; "pieces": true: written in pieces
    [step, ...]                        several calls in flight, with trace context in _meta
    {"batch": [step, ...]}             the same in one message
    {"wait": PATH}                     until that pipe says the endpoint for spans from then on
Environment: AGENT_PAIRS=1 (socket pairs instead of pipes), AGENT_TWINS=1 (two servers that share their input), OTEL_EXPORTER_OTLP_ENDPOINT (empty: no spans), AGENT_TAG.
"""
import http.client
import json
import os
import secrets
import select
import socket
import subprocess
import sys
import time

TAG = os.environ.get("AGENT_TAG", "agent")
spans = []
count = 0


def start(command):
    if os.environ.get("AGENT_PAIRS") != "1":
        read, write = os.pipe()
        started = [subprocess.Popen(command, stdin=read, stdout=subprocess.PIPE, bufsize=0)
                   for _ in range(2 if os.environ.get("AGENT_TWINS") == "1" else 1)]
        os.close(read)
        return started, write, [child.stdout.fileno() for child in started]
    pairs = [socket.socketpair(), socket.socketpair()]
    child = subprocess.Popen(command, stdin=pairs[0][1], stdout=pairs[1][1])
    pairs[0][1].close()
    pairs[1][1].close()
    return [child], pairs[0][0].detach(), [pairs[1][0].detach()]


servers, to_server, from_servers = start(sys.argv[2:])
pending = {fd: b"" for fd in from_servers}


def write(data, pieces=False):
    view = memoryview(data)
    while view:
        view = view[os.write(to_server, view[:5] if pieces else view):]


def lines():
    """The server's next messages; None at its end."""
    while not (whole := [fd for fd in pending if b"\n" in pending[fd]]):
        for fd in select.select(list(pending), [], [])[0]:
            data = os.read(fd, 1 << 16)
            if not data:
                return None
            pending[fd] += data
    line, pending[whole[0]] = pending[whole[0]].split(b"\n", 1)
    try:
        message = json.loads(line)
    except ValueError:
        return []
    return message if isinstance(message, list) else [message]


def replies(ids, deadline=None):
    """Waits for the answers to these ids; those that did not come are missing."""
    got = {}
    while set(ids) - set(got):
        messages = lines()
        if messages is None:
            break
        got |= {m["id"]: m for m in messages if "id" in m}
    return got


class Span:
    def __init__(self, step):
        self.call = f"call_{TAG}-{step['order']}"
        self.body = {"traceId": secrets.token_hex(16), "spanId": secrets.token_hex(8), "kind": 1, "status": {"code": 1},
                     "name": "execute_tool refund_order", "startTimeUnixNano": str(time.time_ns())}

    def end(self):
        words = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "refund_order", "gen_ai.tool.call.id": self.call}
        self.body["endTimeUnixNano"] = str(time.time_ns())
        self.body["attributes"] = [{"key": k, "value": {"stringValue": v}} for k, v in words.items()]
        spans.append(self.body)

    def meta(self):
        return {"_meta": {"traceparent": f"00-{self.body['traceId']}-{self.body['spanId']}-01"}}


def request(method, params):
    global count
    count += 1
    return {"jsonrpc": "2.0", "id": count, "method": method, "params": params}


def call_of(step, span, traced):
    arguments = {"order": f"{TAG}-{step['order']}", "mode": step["mode"]}
    return request("tools/call", {"name": "refund_order", "arguments": arguments} | (span.meta() if traced else {}))


def encode(message):
    return json.dumps(message).encode() + b"\n"


def one(step):
    span = Span(step)
    if step["mode"] != "skip":
        message = call_of(step, span, step.get("traced", False))
        if step["mode"] == "note":
            del message["id"]
        write(encode(message), step.get("pieces", False))
        if step["mode"] not in ("mute", "note"):
            replies([message["id"]])
    else:
        time.sleep(0.02)  # a span has a length
    span.end()


def many(steps, batch):
    of = [(Span(s), s) for s in steps]
    messages = [call_of(s, span, True) for span, s in of]
    if batch:
        write(encode(messages))
    else:
        write(b"".join(map(encode, messages)))
    replies([m["id"] for m in messages])
    for span, _ in of:
        span.end()


def export():
    endpoint = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    if not endpoint or not spans:
        return
    words = [{"key": "service.name", "value": {"stringValue": "stdio-agent"}}]
    body = {"resourceSpans": [{"resource": {"attributes": words}, "scopeSpans": [{"scope": {"name": "agent"}, "spans": spans}]}]}
    host, port = endpoint.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=20)
    connection.request("POST", "/v1/traces", json.dumps(body), {"content-type": "application/json"})
    assert connection.getresponse().status == 200


opening = request("initialize", {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "agent", "version": "1"}})
write(encode(opening))
replies([opening["id"]])
write(encode({"jsonrpc": "2.0", "method": "notifications/initialized"}))
for step in json.loads(sys.argv[1]):
    if isinstance(step, list):
        many(step, False)
    elif "batch" in step:
        many(step["batch"], True)
    elif "wait" in step:
        with open(step["wait"], encoding="utf-8") as pipe:
            os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = pipe.read()
        spans.clear()
    else:
        one(step)
    time.sleep(0.15)  # windows of neighbours do not touch
export()
os.close(to_server)
for child in servers:
    child.wait()
print("done")
