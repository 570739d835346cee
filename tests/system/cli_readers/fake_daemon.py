#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The control socket's stream over a file of records: fake_daemon.py SOCKET RECORDS [LIMIT [TORN]]
Serves the records of the file. With LIMIT it goes away after that many stream lines on one
connection; with TORN in the middle of the next line."""
import json
import os
import socket
import sys
import threading

path, records = sys.argv[1], sys.argv[2]
limit = int(sys.argv[3]) if len(sys.argv) > 3 else None
torn = len(sys.argv) > 4


def lines():
    with open(records, encoding="utf-8") as f:
        return [line[:-1] for line in f if line.endswith("\n")]


def tail(conn, start):
    all_lines = lines()
    cursor = min(start, len(all_lines))
    conn.sendall(b'{"ok":true,"next":%d}\n' % cursor)
    for sent, record in enumerate(all_lines[cursor:]):
        out = b'{"v":1,"cursor":%d,"record":%s}\n' % (cursor + sent, record.encode())
        if sent == limit:
            conn.sendall(out[:40] if torn else b"")
            os._exit(0)
        conn.sendall(out)
    conn.recv(1)  # until the reader goes away


def serve(conn):
    try:
        request = json.loads(conn.makefile("r").readline())
        if request.get("op") != "tail" or not isinstance(request.get("from"), int):
            conn.sendall(b'{"ok":false,"error":"no such op"}\n')
        else:
            tail(conn, request["from"])
    except (OSError, ValueError):
        pass
    finally:
        conn.close()


if os.path.exists(path):
    os.unlink(path)
listener = socket.socket(socket.AF_UNIX)
listener.bind(path)
listener.listen(16)
print("ready", flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
