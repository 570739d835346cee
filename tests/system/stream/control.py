#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""control.py SOCKET LEDGER GO: strange, slow and many clients at the daemon's control socket. LEDGER is what `ls -o json` says
of its records by now; writing a line to the fifo GO makes a new one.

Prints one line per check: "ok NAME", or what was found.
"""
import json
import os
import signal
import socket
import struct
import sys
import time

PATH, LEDGER, GO = sys.argv[1:]
CLIENTS = 64
LINE_MAX = 12 << 10
with open(LEDGER, "rb") as file:
    ledger = file.read().splitlines(keepends=True)


def check(name, got, wanted):
    print(f"ok {name}" if got == wanted else f"{name}: got {got!r}, wanted {wanted!r}", flush=True)


class Client:
    def __init__(self):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(PATH)
        self.socket.settimeout(20)
        self.lines = self.socket.makefile("rb")

    def send(self, data):
        self.socket.sendall(data)
        return self

    def end(self):
        self.socket.shutdown(socket.SHUT_WR)
        return self

    def line(self):
        return self.lines.readline()

    def answer(self):
        return json.loads(self.line() or "null")

    def tail(self, start):
        self.send(b'{"op":"tail","from":%d}\n' % start)
        return self.answer()["next"]

    def rest(self):
        """Everything to the end; a reset says the same as an end."""
        got = b""
        try:
            while more := self.lines.readline():
                got += more
        except ConnectionResetError:
            pass
        return got

    def close(self):
        self.lines.close()
        self.socket.close()


def status():
    while True:  # until those before are gone
        client = Client()
        try:
            answer = client.send(b'{"op":"status"}\n').answer()
        except (BrokenPipeError, ConnectionResetError):
            answer = None
        client.close()
        if answer and answer["ok"]:
            return answer["status"]


def refusal(answer):
    return isinstance(answer, dict) and answer.get("ok") is False and len(answer["error"]) > 5


# --- what is no request is answered, and the connection goes on ------------------------------------------------
garbage = [b"", b"x", b"null", b"[]", b"{}", b'{"op":5}', b'{"op":"nope"}', b'{"op":"status"', b'{"op":"status"} {}',
           b'{"op":"tail","op":"status"}', b'{"op":"tail"}', b'{"op":"scope"}', b'{"op":"status"}\0', bytes(range(11, 256)),
           b"\xff" * 100, b"[" * 3000, b'{"op":"' + b"\\u0000" * 500 + b'"}', b"GET / HTTP/1.1\r"]
garbage += [b'{"op":"tail","from":%s}' % n for n in (b"-1", b"1.5", b"1e3", b'"0"', b"null", b"9" * 40, b"01")]
garbage += [b'{"op":"scope","name":%s}' % n for n in
            (b"5", b'""', b'".."', b'"a/b"', b'"a b"', b'"a\\u002fb"', b'"%s"' % (b"a" * 65), '"ä"'.encode())]
client = Client()
wrong = [line for line in garbage if not refusal(client.send(line + b"\n").answer())]
check("garbage: each line is refused", wrong, [])
check("garbage: and the connection goes on", client.send(b'{"op":"status"}\n').answer()["ok"], True)
for byte in b' {"op" : "status"}\n':
    client.send(bytes([byte]))
check("a request in single bytes", client.answer()["ok"], True)
client.send(b'{"op":"status"}' + b" " * (LINE_MAX - 16) + b"\n")
check("a request of full length", client.answer()["ok"], True)
client.send(b'{"op":"status"}\n{"op":"nope"}\n' * 10)
check("twenty requests in one write", [client.answer()["ok"] for _ in range(20)], [True, False] * 10)
client.close()

for name, data in (("just too long", b"x" * LINE_MAX), ("far too long", b"x" * 4_000_000)):
    client = Client()
    try:
        client.send(data)
    except BrokenPipeError:
        pass
    check(f"a request that is {name}: told so", "too long" in client.answer()["error"], True)
    check(f"a request that is {name}: the end", client.rest(), b"")
    client.close()
client = Client().send(b'{"op":"status"}').end()
check("a request without its end: told so", "newline" in client.answer()["error"], True)
check("a request without its end: the end", client.rest(), b"")
client.close()

# --- half-closed ---------------------------------------------------------------------------------------------
client = Client().end()
check("asks nothing: the end", client.rest(), b"")
client.close()
client = Client().send(b'{"op":"status"}\n' * 5).end()
check("asks five times and shuts down: five answers", [json.loads(l)["ok"] for l in client.rest().splitlines()], [True] * 5)
client.close()
client = Client()
client.tail(0)
got = client.end().rest().splitlines(keepends=True)
check("a stream that is shut down: all that is committed", got[:len(ledger)] == ledger, True)
client.close()
client = Client()
client.tail(len(ledger) - 3)
client.send(b'{"op":"status"}\n')
got, cursors = [], []
while "status" not in got or cursors[-1:] < [len(ledger) - 1]:
    line = json.loads(client.line())
    got += line
    cursors += [line["cursor"]] if "cursor" in line else []
check("a question beside the stream: both are answered in whole lines", cursors, list(range(len(ledger) - 3, cursors[-1] + 1)))
client.close()

# --- many ----------------------------------------------------------------------------------------------------
for _ in range(500):  # gone at once, with and without a request, with a reset
    client = Client()
    try:
        client.send(b'{"op":"tail","from":0}\n' if _ % 3 else b"")
    except BrokenPipeError:  # there were too many
        pass
    if _ % 3 == 2:
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
deadline = time.monotonic() + 60
clients = []
while len(clients) < CLIENTS and time.monotonic() < deadline:
    client = Client()
    try:  # turned away until the daemon has seen that those before are gone
        if client.tail(10**15) >= len(ledger):
            clients.append(client)
    except (BrokenPipeError, ConnectionResetError, KeyError, TypeError):
        client.close()
check("64 clients at once", len(clients), CLIENTS)
surplus = Client()
check("one more: told so", "too many" in surplus.answer()["error"], True)
check("one more: the end", surplus.rest(), b"")
surplus.close()
insistent = []
for _ in range(4):  # each tries again at once, for ever
    insistent.append(os.fork())
    while insistent[-1] == 0:
        try:
            Client().rest()
        except OSError:
            pass
for each in clients[:20]:
    each.send(b'{"op":"status"}\n')
check("and again and again: the others are served", [c.answer()["ok"] for c in clients[:20]], [True] * 20)
for each in insistent:
    os.kill(each, signal.SIGKILL)
    os.waitpid(each, 0)
clients.pop().close()
with open(GO, "w", encoding="ascii") as go:
    go.write("go\n")
news = [c.line() for c in clients]
check("one less: there is room, and all get the same news", (len(set(news)), b'"cursor":' in news[0]), (1, True))
for each in clients:
    each.close()

# --- slow ----------------------------------------------------------------------------------------------------
before = status()["rssKiB"]
stalled = [Client() for _ in range(CLIENTS - 2)]
for each in stalled:
    each.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    each.send(b'{"op":"tail","from":0}\n')
after = status()["rssKiB"]
check(f"readers that do not read cost a batch each ({(after - before) / len(stalled):.0f} KiB)", after - before < 160 * len(stalled), True)
check(f"and all together stay in the budget ({after} KiB)", after < 64 << 10, True)
reader = Client()
reader.tail(0)
check("beside them somebody reads it all", [reader.line() for _ in ledger] == ledger, True)
reader.close()
slow = stalled.pop()
check("they lose nothing: the first begins late", slow.answer()["ok"], True)
check("they lose nothing: and reads it all", [slow.line() for _ in ledger] == ledger, True)
slow.close()
for each in stalled:
    each.close()

client = Client()
client.socket.settimeout(None)
try:
    for _ in range(5000):  # asks on and on, takes no answer
        client.send(b'{"op":"status"}\n' * 20)
    check("asks without reading: the end", "none", "an end")
except (BrokenPipeError, ConnectionResetError):
    check("asks without reading: the end", "an end", "an end")
check(f"and not at our cost ({status()['rssKiB']} KiB)", status()["rssKiB"] < 64 << 10, True)
client.close()
