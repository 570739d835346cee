#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Servers that a log may meet, on 127.0.0.1; "ready PORT" on standard output.

fake.py collector LOG CERT KEY   an OTLP/HTTPS collector: every body becomes a line of LOG; 503 while LOG.down exists
fake.py hang LOG             a witness that takes the request and never answers
fake.py garbage LOG          a witness that answers 200 with a page
fake.py ahead LOG            a witness that says it holds far more than the log has
fake.py replay LOG URL       a witness that asks the one at URL once, and answers with that for ever
"""
import http.server
import json
import os
import ssl
import sys
import threading
import urllib.error
import urllib.request

mode, log = sys.argv[1:3]
lock = threading.Lock()
first = None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def reply(self, status, body, kind="text/plain"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def note(self, entry):
        with lock, open(log, "a", encoding="utf-8") as out:
            out.write(json.dumps(entry) + "\n")

    def forward(self, body):
        global first
        with lock:
            if first is None:
                request = urllib.request.Request(sys.argv[3] + self.path, body)
                try:
                    answer = urllib.request.urlopen(request)
                    first = answer.read()
                    return 200, first
                except urllib.error.HTTPError as error:
                    return error.code, error.read()
            return 200, first

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if mode == "collector":
            if os.path.exists(log + ".down"):
                self.note({"down": True})
                self.reply(503, b"{}", "application/json")
                return
            self.note({"path": self.path, "type": self.headers["Content-Type"], "body": json.loads(body)})
            self.reply(200, b'{"partialSuccess":{}}', "application/json")
            return
        self.note({"path": self.path})
        if mode == "hang":
            threading.Event().wait()
        elif mode == "garbage":
            self.reply(200, b"<html>It works!</html>\n" * 20, "text/html")
        elif mode == "ahead":
            self.reply(409, b"4611686018427387904\n", "text/x.tlog.size")
        else:
            self.reply(*self.forward(body))


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
if mode == "collector":
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(*sys.argv[3:5])
    server.socket = tls.wrap_socket(server.socket, server_side=True)
print("ready", server.server_port, flush=True)
os.dup2(2, 1)
server.serve_forever()
