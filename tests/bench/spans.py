#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""spans.py HOST:PORT RATE SECONDS: exports so many spans per second over one connection, a request every 50 ms; says
how many."""
import http.client
import json
import sys
import time

EVERY_S = 0.05

rate, seconds = int(sys.argv[2]), float(sys.argv[3])
connection = http.client.HTTPConnection(sys.argv[1], timeout=20)
connection.connect()
begin, sent = time.monotonic(), 0
while (now := time.monotonic()) < begin + seconds:
    due = int((now - begin) * rate)
    ns = str(time.time_ns())
    spans = [{"traceId": f"{n + 1:032x}", "spanId": f"{n * 0x9e3779b97f4a7c15 % 2**64 or 1:016x}", "name": "noise", "kind": 1,
              "startTimeUnixNano": ns, "endTimeUnixNano": ns} for n in range(sent, due)]
    if spans:
        connection.request("POST", "/v1/traces", json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}),
                           {"content-type": "application/json"})
        answer = connection.getresponse()
        if answer.status != 200:
            sys.exit(f"status {answer.status}")
        answer.read()
    sent = due
    time.sleep(max(0, now + EVERY_S - time.monotonic()))
print(sent)
