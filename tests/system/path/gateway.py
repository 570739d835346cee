#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A model gateway on the agent's own host: what comes is sent on to where its x-to header says.

gateway.py LOG CERT KEY [strip] [plain] [together=N] [addr=A]

Prints "ready PORT". strip: without the trace context; plain: no TLS towards the agent; together: requests wait until N are
here, and then all go on; so do their answers. Of each request LOG gets a line: from (the client's port), local (of the way on, "address:port"), to,
tag, status.
"""
import http.client
import json
import os
import socket
import ssl
import sys
import threading
import urllib.parse

log_path, cert, key, *words = sys.argv[1:]
options = dict(w.partition("=")[::2] for w in words)
together = threading.Barrier(int(options.get("together", "1")))
client = ssl.create_default_context(cafile=os.environ["CA_FILE"])
log = open(log_path, "a", buffering=1, encoding="utf-8")


def read(stream):
    """A request's or a response's first line, its header fields, its body."""
    first = stream.readline()
    fields = http.client.parse_headers(stream)
    return first.decode().split(), fields, stream.read(int(fields.get("content-length", "0")))


def serve(raw, peer):
    server = None if "plain" in options else ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if server:
        server.load_cert_chain(cert, key)
    with server.wrap_socket(raw, server_side=True) if server else raw as s:
        stream = s.makefile("rb")
        while stream.peek(1):
            (method, path, _), fields, body = read(stream)
            together.wait(60)
            to = urllib.parse.urlsplit(fields["x-to"])
            onward = http.client.HTTPSConnection(to.hostname, to.port or 443, context=client)
            onward.connect()
            local = "%s:%d" % onward.sock.getsockname()[:2]
            kept = {k: v for k, v in fields.items() if k.lower() not in ("host", "x-to", "content-length", "connection") and
                    not ("strip" in options and k.lower() in ("traceparent", "tracestate"))}
            onward.request(method, path, body, kept)
            answer = onward.getresponse()
            got = answer.read()
            log.write(json.dumps({"from": peer[1], "local": local, "to": fields["x-to"], "tag": fields.get("x-tag"),
                                  "status": answer.status}) + "\n")
            together.wait(60)
            s.sendall(b"HTTP/1.1 %d OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" %
                      (answer.status, len(got), got))
            onward.close()


listener = socket.create_server((options.get("addr", "127.0.0.1"), 0))
print(f"ready {listener.getsockname()[1]}", flush=True)
while True:
    threading.Thread(target=serve, args=listener.accept(), daemon=True).start()
