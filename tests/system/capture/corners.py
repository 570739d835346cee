#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""corners.py CERT KEY TRUTH: one process after the other does what is rare. TRUTH gets a line per fact."""
import os
import signal
import socket
import ssl
import sys
import threading

CERT, KEY, TRUTH = sys.argv[1:]


def note(*words):
    with open(TRUTH, "a", encoding="ascii") as f:
        f.write(" ".join(str(w) for w in words) + "\n")


def in_child(fn):
    """A process of its own for each corner."""
    pid = os.fork()
    if pid == 0:
        status = fn()
        os._exit(status or 0)
    os.waitpid(pid, 0)
    note(fn.__name__, pid)


def exit_seven():
    return 7


def killed():
    os.kill(os.getpid(), signal.SIGKILL)


def unix_peers():
    path = f"ww-corner-{os.getpid()}"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    socket.socket(socket.AF_UNIX).connect(path)
    gram = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    gram.bind(path + ".gram")
    abstract = socket.socket(socket.AF_UNIX)
    abstract.bind(f"\0ww-corner-{os.getpid()}")
    abstract.listen()
    socket.socket(socket.AF_UNIX).connect(f"\0ww-corner-{os.getpid()}")
    sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    for _ in range(3):
        sender.sendto(b"x", path + ".gram")
    os.unlink(path)
    os.unlink(path + ".gram")


def raw_socket():
    socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)


def refused():
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    port = s.getsockname()[1]
    s.close()
    try:
        socket.create_connection(("127.0.0.1", port))
    except ConnectionRefusedError:
        note("refused-port", port)


def unreachable():
    """connect() fails before the socket has any state."""
    s = socket.socket()
    try:
        s.connect(("255.255.255.255", 9))
    except OSError:
        s.close()


def plain6():
    listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    c = socket.create_connection(listener.getsockname()[:2])
    s, peer = listener.accept()
    c.sendall(b"a" * 70000)
    left = 70000
    while left:
        left -= len(s.recv(left))
    s.sendall(b"b" * 33)
    c.recv(33, socket.MSG_WAITALL)
    c.close()
    s.recv(1)
    s.close()
    note("plain6-port", peer[1], 70000, 33)


def tls_pair(before=b""):
    """Both ends in this process, over memory BIOs and a real connection."""
    sctx, cctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    sctx.load_cert_chain(CERT, KEY)
    cctx.check_hostname, cctx.verify_mode = False, ssl.CERT_NONE
    listener = socket.create_server(("127.0.0.1", 0))
    out = {}

    def server():
        conn, peer = listener.accept()
        out["port"] = peer[1]
        if before:
            conn.recv(len(before), socket.MSG_WAITALL)
            conn.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        out["tls"] = sctx.wrap_socket(conn, server_side=True)
    t = threading.Thread(target=server)
    t.start()
    raw = socket.create_connection(listener.getsockname())
    if before:
        raw.sendall(before)
        raw.recv(19, socket.MSG_WAITALL)
    client = cctx.wrap_socket(raw)
    t.join()
    return client, out["tls"], out["port"]


def same_process():
    client, server, port = tls_pair()
    client.sendall(b"c" * 1000)
    server.recv(1000)
    server.sendall(b"s" * 2000)
    client.recv(2000)
    note("same_process-port", port)


def behind_connect():
    client, server, port = tls_pair(b"CONNECT api.test:443 HTTP/1.1\r\n\r\n")
    client.sendall(b"c" * 500)
    server.recv(500)
    note("behind_connect-port", port, 33, 19)


def handed_down():
    """The child of fork() goes on with a session that its parent began."""
    sctx, cctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    sctx.load_cert_chain(CERT, KEY)
    cctx.check_hostname, cctx.verify_mode = False, ssl.CERT_NONE
    listener = socket.create_server(("127.0.0.1", 0))
    if os.fork() == 0:
        conn, peer = listener.accept()
        tls = sctx.wrap_socket(conn, server_side=True)
        while tls.recv(100):
            pass
        note("handed_down-port", peer[1], 11)
        os._exit(0)
    client = cctx.wrap_socket(socket.create_connection(listener.getsockname()))
    client.sendall(b"parent")
    if os.fork() == 0:
        client.sendall(b"child")
        client.unwrap()
        os._exit(0)
    client.close()
    os.wait()
    os.wait()


def big_call():
    client, server, port = tls_pair()
    t = threading.Thread(target=lambda: [server.recv(65536) for _ in range(400)])
    t.daemon = True
    t.start()
    client.sendall(b"x" * 5000000)
    note("big_call-port", port)


for corner in (exit_seven, killed, unix_peers, raw_socket, refused, unreachable, plain6, same_process, behind_connect,
               handed_down, big_call):
    in_child(corner)
