#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A throw-away RFC 3161 authority around `openssl ts -reply`, on a port of 127.0.0.1 that it prints:
authority.py CONFIG. POST /refuse answers with an error, /stale with the reply to another query."""
import http.server
import subprocess
import sys
import tempfile

CONFIG = sys.argv[1]
STALE = None


def reply(query):
    with tempfile.NamedTemporaryFile() as f:
        f.write(query)
        f.flush()
        return subprocess.run(["openssl", "ts", "-reply", "-config", CONFIG, "-queryfile", f.name],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        global STALE
        query = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Content-Type"] != "application/timestamp-query" or self.path == "/refuse":
            self.send_error(503)
            return
        answer = reply(query)
        STALE = STALE or answer
        if self.path == "/stale":
            answer = STALE
        self.send_response(200)
        self.send_header("Content-Type", "application/timestamp-reply")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
