#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A watched program that only claims: spans of tool calls of which nothing ever leaves the process.

claims.py OTLP-ENDPOINT     reads commands, one a line, and answers each with "ok": "begin ID" and "end ID" take the
                            times of the call of that id, "send ID" exports its span, "flood N" that many spans that mean
                            nothing, "unix PATH" connects to a unix socket and keeps the connection. Ends at "quit" or
                            with standard input.
"""
import http.client
import json
import secrets
import socket
import sys
import time

begun, ended, kept = {}, {}, []


def span(identity):
    attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "refund_order",
                  "gen_ai.tool.type": "function", "gen_ai.tool.call.id": identity}
    return {"traceId": secrets.token_hex(16), "spanId": secrets.token_hex(8), "name": "execute_tool refund_order",
            "kind": 1, "startTimeUnixNano": str(begun[identity]), "endTimeUnixNano": str(ended[identity]),
            "status": {"code": 1},
            "attributes": [{"key": k, "value": {"stringValue": v}} for k, v in attributes.items()]}


def send(spans):
    body = {"resourceSpans": [{"resource": {"attributes": [
        {"key": "service.name", "value": {"stringValue": "claims"}}]},
        "scopeSpans": [{"scope": {"name": "claims"}, "spans": spans}]}]}
    host, port = sys.argv[1].removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=20)
    connection.request("POST", "/v1/traces", json.dumps(body), {"content-type": "application/json"})
    assert connection.getresponse().status == 200
    connection.close()


def noise():
    now = str(time.time_ns())
    return {"traceId": secrets.token_hex(16), "spanId": secrets.token_hex(8), "name": "noise", "kind": 1,
            "startTimeUnixNano": now, "endTimeUnixNano": now}


for line in sys.stdin:
    command, _, argument = line.strip().partition(" ")
    if command == "quit":
        break
    if command == "begin":
        begun[argument] = time.time_ns()
    elif command == "end":
        ended[argument] = time.time_ns()
    elif command == "send":
        send([span(argument)])
    elif command == "flood":
        send([noise() for _ in range(int(argument))])
    elif command == "unix":
        kept.append(socket.socket(socket.AF_UNIX))
        kept[-1].connect(argument)
    print("ok", flush=True)
