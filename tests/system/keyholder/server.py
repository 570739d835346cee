#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""server.py ADDRESS FOLDER: TLS servers of many kinds, each answers one byte with one. Writes "ready PORT" of the one that
tells the ports of all, a line of JSON."""
import json
import os
import socket
import ssl
import sys
import threading

address, folder = sys.argv[1:]


def context(certificate, **options):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(os.path.join(folder, certificate + ".pem"), os.path.join(folder, certificate + ".key"))
    if "version" in options:
        made.maximum_version = options["version"]
    if "ciphers" in options:
        made.set_ciphers(options["ciphers"])
    if "curve" in options:
        made.set_ecdh_curve(options["curve"])
    if options.get("mutual"):
        made.verify_mode = ssl.CERT_REQUIRED
        made.load_verify_locations(os.path.join(folder, "client.pem"))
    return made


def listen(serve):
    s = socket.socket()
    s.bind((address, 0))
    s.listen(64)

    def accept():
        while True:
            c, _ = s.accept()
            threading.Thread(target=serve, args=(c,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return s.getsockname()[1]


def answering(made):
    def serve(c):
        try:
            with made.wrap_socket(c, server_side=True) as s:
                while s.recv(1):
                    s.sendall(b"y")
        except (ssl.SSLError, OSError):
            c.close()

    return serve


def copy(a, b, piece):
    try:
        while True:
            data = a.recv(65536)
            if not data:
                break
            for at in range(0, len(data), piece):
                b.sendall(data[at : at + piece])
        b.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def in_pieces(port, piece):
    """In front of another one: what that sends comes in small segments, of which the first has the hello."""

    def serve(c):
        b = socket.create_connection((address, port))
        for s in (b, c):
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        there = threading.Thread(target=copy, args=(c, b, 65536), daemon=True)
        there.start()
        copy(b, c, piece)
        there.join()
        b.close()
        c.close()

    return serve


V12 = ssl.TLSVersion.TLSv1_2
ports = {
    "plain": listen(answering(context("ecdsa"))),
    "retry": listen(answering(context("ecdsa", curve="secp384r1"))),
    "mutual": listen(answering(context("ecdsa", mutual=True))),
    "large": listen(answering(context("large"))),
    "old": listen(answering(context("ecdsa", version=V12))),
    "old-large": listen(answering(context("large", version=V12))),
    "old-rsa": listen(answering(context("rsa", version=V12, ciphers="AES128-GCM-SHA256"))),
}
ports["pieces"] = listen(in_pieces(ports["large"], 211))
ports["old-pieces"] = listen(in_pieces(ports["old-large"], 211))
told = json.dumps(ports).encode() + b"\n"


def tell(c):
    c.sendall(told)
    c.close()


print("ready", listen(tell), flush=True)
threading.Event().wait()
