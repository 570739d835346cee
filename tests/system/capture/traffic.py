#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Traffic whose server keeps the truth.

traffic.py tls-server CERT KEY TRUTH COUNT               memory BIOs: TLS apart from the socket, as in asyncio
traffic.py tls-client PORT COUNT SEED [WAITFILE]         blocking sockets; with WAITFILE the first connection does one
                                                         exchange, then waits until the file is there
traffic.py request FILE SEED                             writes what a client may send, for openssl s_client
traffic.py moved FILE TRUTH                              both ends of a plain connection; waits between two exchanges
traffic.py udp-server TRUTH COUNT                        echoes COUNT datagrams
traffic.py udp-client PORT COUNT SEED
traffic.py udp-late PATH TRUTH                         both ends; some of it before the monitor

A server says its port on standard output.

Truth, one line per connection: tls PORT IN-BYTES IN-SHA256 OUT-BYTES OUT-SHA256 RAW-IN RAW-OUT MODE
(PORT: the client's; RAW: bytes of the socket), and: pid PID."""
import hashlib
import os
import random
import socket
import ssl
import struct
import sys
import threading

MODES = ["clean", "reset", "server"]  # who ends the connection, and how


def context(cert=None, key=None):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if cert else ssl.PROTOCOL_TLS_CLIENT)
    if cert:
        c.load_cert_chain(cert, key)
    else:
        c.check_hostname = False
        c.verify_mode = ssl.CERT_NONE
    return c


class Side:
    """The server's end of one connection: SSL over memory BIOs, every byte counted."""

    def __init__(self, ctx, conn):
        self.conn, self.inc, self.out = conn, ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = ctx.wrap_bio(self.inc, self.out, server_side=True)
        self.raw_in = self.raw_out = self.n_in = self.n_out = 0
        self.h_in, self.h_out = hashlib.sha256(), hashlib.sha256()

    def flush(self):
        data = self.out.read()
        if data:
            self.conn.sendall(data)
            self.raw_out += len(data)

    def feed(self):
        data = self.conn.recv(65536)
        self.raw_in += len(data)
        if data:
            self.inc.write(data)
        else:
            self.inc.write_eof()
        return bool(data)

    def drive(self, fn, *args):
        while True:
            try:
                result = fn(*args)
                self.flush()
                return result
            except ssl.SSLWantReadError:
                self.flush()
                if not self.feed():
                    return b""

    def read(self, n):
        data = b""
        while len(data) < n:
            part = self.drive(self.tls.read, n - len(data))
            if not part:
                break
            data += part
            self.h_in.update(part)
        self.n_in += len(data)
        return data

    def say_bye(self):
        try:
            self.tls.unwrap()
        except (ssl.SSLError, ValueError):
            pass
        self.flush()

    def write(self, data):
        view = memoryview(data)
        while view:
            n = self.drive(self.tls.write, view)
            view = view[n:]
        self.n_out += len(data)
        self.h_out.update(data)


def serve_one(ctx, conn, port, note):
    side, mode = Side(ctx, conn), "clean"
    try:
        side.drive(side.tls.do_handshake)
        while True:
            head = side.read(12)
            if len(head) < 12:
                break
            n, m, how = struct.unpack(">III", head)
            mode = MODES[how & 3]
            side.read(n)
            side.write(random.Random(m).randbytes(m) if m else b"")
            if mode == "server" and how & 4:
                break
        if mode == "server":
            side.say_bye()
            conn.shutdown(socket.SHUT_WR)
        while side.feed():
            pass
        if mode == "clean":
            side.say_bye()
    except (ConnectionResetError, BrokenPipeError):
        pass
    conn.close()
    note(f"tls {port} {side.n_in} {side.h_in.hexdigest()} {side.n_out} {side.h_out.hexdigest()} "
         f"{side.raw_in} {side.raw_out} {mode}")


def publish(path, text):
    with open(path + ".new", "w", encoding="ascii") as f:
        f.write(text)
    os.rename(path + ".new", path)


def notes(path):
    f, lock = open(path, "a", encoding="ascii", buffering=1), threading.Lock()

    def note(line):
        with lock:
            f.write(line + "\n")
    note(f"pid {os.getpid()}")
    return note


def tls_server(cert, key, truth, count):
    ctx, note, listener = context(cert, key), notes(truth), socket.create_server(("127.0.0.1", 0), backlog=64)
    print(listener.getsockname()[1], flush=True)
    note(f"server {listener.getsockname()[1]}")
    threads = []
    for _ in range(int(count)):
        conn, peer = listener.accept()
        threads.append(threading.Thread(target=serve_one, args=(ctx, conn, peer[1], note)))
        threads[-1].start()
    for t in threads:
        t.join()


def exchange(tls, rng, n, m, how):
    body = rng.randbytes(n)
    tls.sendall(struct.pack(">III", n, m, how) + body)
    left = m
    while left:
        part = tls.recv(min(left, 40000))
        if not part:
            raise SystemExit("short answer")
        left -= len(part)


def close_client(tls, mode):
    """The side that MODES names sends the first FIN, the other only after it."""
    if mode == "reset":
        tls.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    elif mode == "server":
        while tls.recv(4096):
            pass
        raw = tls.unwrap()
        while raw.recv(4096):
            pass
        raw.close()
        return
    else:
        tls.shutdown(socket.SHUT_WR)
        raw = socket.socket(fileno=tls.detach())
        while raw.recv(4096):
            pass
        raw.close()
        return
    tls.close()


def await_go(path):
    """Says that it is time for the monitor, and waits until that is there and has opened the pipe at path."""
    os.mkfifo(path)
    publish(path + ".ready", "1")
    with open(path, "rb") as pipe:
        pipe.read()


def tls_client(port, count, seed, wait=None):
    ctx = context()
    for i in range(int(count)):
        rng = random.Random(int(seed) * 1000 + i)
        raw = socket.create_connection(("127.0.0.1", int(port)))
        tls, mode = ctx.wrap_socket(raw), i % 3
        requests = rng.randrange(1, 8)
        if wait and i == 0:
            exchange(tls, rng, 100, 200, mode)
            await_go(wait)
        for r in range(requests):
            n = rng.choice([0, 1, 200, 1000, 1500, 4000, 16384, 16385, 70000, 300000])
            m = rng.choice([0, 1, 255, 1200, 5000, 16384, 100000, 400000])
            last = r == requests - 1
            exchange(tls, rng, n, max(m, last), mode | (4 if last else 0))  # its answer: all was read
        close_client(tls, MODES[mode])


def request(path, seed):
    rng = random.Random(int(seed))
    with open(path, "wb") as f:
        for last in [False] * 4 + [True]:
            n = rng.randrange(30000)
            f.write(struct.pack(">III", n, rng.randrange(1, 60000), 2 | (4 if last else 0)) + rng.randbytes(n))


def moved(path, truth):
    listener = socket.create_server(("127.0.0.1", 0))
    c = socket.create_connection(listener.getsockname())
    s, peer = listener.accept()
    note, total = notes(truth), 0
    for n in (1000, 5000):
        c.sendall(b"c" * n)
        s.recv(n, socket.MSG_WAITALL)
        s.sendall(b"s" * (2 * n))
        c.recv(2 * n, socket.MSG_WAITALL)
        total += n
        if total == n:
            await_go(path)
    c.close()
    s.recv(1)
    s.close()
    note(f"moved {peer[1]} {total} {2 * total}")


def udp_server(truth, count):
    s, note, n_in, n_out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), notes(truth), 0, 0
    s.bind(("127.0.0.1", 0))
    print(s.getsockname()[1], flush=True)
    for _ in range(int(count)):
        data, peer = s.recvfrom(65536)
        n_in += len(data)
        n_out += s.sendto(data[: len(data) // 2], peer)
    note(f"udp {peer[1]} {n_in} {n_out}")


def udp_client(port, count, seed):
    rng, s = random.Random(int(seed)), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for _ in range(int(count)):
        s.sendto(rng.randbytes(rng.randrange(0, 8000)), ("127.0.0.1", int(port)))
        s.recv(65536)


def udp_late(path, truth):
    server, client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    note = notes(truth)
    server.bind(("127.0.0.1", 0))
    for n in (1000, 300):
        client.sendto(b"c" * n, server.getsockname())
        _, peer = server.recvfrom(65536)
        server.sendto(b"s" * (2 * n), peer)
        client.recv(65536)
        if n == 1000:
            await_go(path)
    note(f"udp {peer[1]} 300 600")


if __name__ == "__main__":
    {"tls-server": tls_server, "tls-client": tls_client, "udp-server": udp_server,
     "udp-client": udp_client, "udp-late": udp_late, "request": request, "moved": moved}[sys.argv[1]](*sys.argv[2:])
