#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What a watched program can call itself and others, against the terminal of who looks at it.

hostile.py act OTLP PORT DIR    a request with a hostile Host, a span full of hostile texts, two attributes of one name; then
                                "sent", and it becomes a program with a hostile name and path that reads standard input
hostile.py look                 what on standard input would do something to a terminal: prints it; colours are no harm.
                                Then "seen" and how often the text came
"""
import http.client
import json
import os
import re
import shutil
import socket
import ssl
import sys
import time
import unicodedata

EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202eevil\u2028\r\nerror: forged\x7f\x85\ufeff\u2066"
COMM = "\x1b[2J\x9b31mevil"


def span():
    now = str(time.time_ns())
    texts = ("gen_ai.tool.call.id", "gen_ai.agent.name", "gen_ai.request.model", "error.type", "server.address", EVIL)
    pairs = [("gen_ai.operation.name", "execute_tool")] + [("gen_ai.tool.name", EVIL)] * 2 + [(key, EVIL) for key in texts]
    return {"traceId": "ab" * 16, "spanId": "cd" * 8, "name": EVIL, "kind": 1, "startTimeUnixNano": now, "endTimeUnixNano": now,
            "attributes": [{"key": k, "value": {"stringValue": v}} for k, v in pairs]}


def act(otlp, port, folder):
    context = ssl.create_default_context(cafile=os.environ["CA_FILE"])
    with context.wrap_socket(socket.create_connection(("127.0.0.1", int(port))), server_hostname="localhost") as tls:
        tls.sendall(b"POST /echo HTTP/1.1\r\nHost: \xc2\x9b31mevil\r\nContent-Length: 1\r\n\r\nx")
        tls.recv(4096)
    body = {"resourceSpans": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": EVIL}}]},
                               "scopeSpans": [{"scope": {"name": EVIL}, "spans": [span()]}]}]}
    connection = http.client.HTTPConnection(otlp, timeout=20)
    connection.request("POST", "/v1/traces", json.dumps(body), {"content-type": "application/json"})
    assert connection.getresponse().status == 200
    connection.close()
    folder = os.path.join(folder, EVIL.replace("/", ""))
    os.mkdir(folder)
    shutil.copy("/bin/cat", os.path.join(folder, COMM))
    print("sent", flush=True)
    os.execv(os.path.join(folder, COMM), [COMM])


def look():
    text = re.sub(r"\x1b\[[0-9;]*m", "", sys.stdin.buffer.read().decode("utf-8", "backslashreplace").replace("\r\n", "\n"))
    for line in text.split("\n"):
        for character in line:
            if unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp"):
                print(repr(character), "in", repr(line))
        if line.startswith("error: forged"):
            print("a forged line")
    print("seen", text.count("evil") + text.count("owned"))


if sys.argv[1] == "act":
    act(*sys.argv[2:])
else:
    look()
