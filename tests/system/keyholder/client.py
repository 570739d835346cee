#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""client.py ADDRESS PORT EARLY-PORT FOLDER LOG: handshakes of all kinds, and of each a line: the client's port, what is to
come of it, and for how long the call lasted that made the handshake."""
import json
import os
import socket
import ssl
import subprocess
import sys
import time

address, port, early, folder = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
log = open(sys.argv[5], "w")
with socket.create_connection((address, port)) as s:
    ports = json.loads(s.makefile().read())


def note(**line):
    log.write(json.dumps(line) + "\n")


def context(own=False, trusts=True):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    if trusts:
        made.verify_mode = ssl.CERT_NONE
    if own:
        made.load_cert_chain(os.path.join(folder, "client.pem"), os.path.join(folder, "client.key"))
    return made


def shake(name, made, to, why=None, session=None, address=address):
    """One handshake, and a byte there and back. Returns the session."""
    with socket.create_connection((address, to)) as plain:
        local = plain.getsockname()[1]
        begin = time.monotonic_ns()
        s = made.wrap_socket(plain, do_handshake_on_connect=False, server_hostname="server.test", session=session)
        try:
            s.do_handshake()
        except ssl.SSLError:
            note(name=name, port=local, why=why, failed=True)
            return None
        lasted = time.monotonic_ns() - begin
        s.sendall(b"x")
        assert s.recv(1) == b"y"
        note(name=name, port=local, why=why, lasted=lasted, version=s.version(), reused=s.session_reused)
        got = s.session
        s.unwrap().close() if s.version() == "TLSv1.2" else s.close()
        return got


for kind in ("plain", "retry", "large", "pieces", "old", "old-large", "old-pieces"):
    made = context()
    session = shake(kind, made, ports[kind])
    # A session that goes on after a HelloRetryRequest is told by what is not read of it.
    why = "hello-unread" if kind == "retry" else "resumed"
    shake(kind + "-again", made, ports[kind], why, session)
shake("mutual", context(own=True), ports["mutual"])
shake("old-rsa", context(), ports["old-rsa"], "unsigned")
shake("refused", context(trusts=False), ports["plain"], "unfinished")


def s_client(*options):
    return subprocess.Popen(
        ["stdbuf", "-oL", "openssl", "s_client", "-connect", f"{address}:{early}", "-servername", "server.test", *options],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def asked(p, until):
    """What it says up to then and to its end."""
    said = b""
    while until not in said:
        got = p.stdout.read1()
        assert got, said
        said += got
    p.stdin.close()
    said += p.stdout.read()
    p.wait()
    return said


saved = os.path.join(folder, "early.session")
asked(s_client("-sess_out", saved), b"New Session Ticket arrived")
with open(os.path.join(folder, "early.data"), "wb") as f:
    f.write(b"before the handshake is over\n")
said = asked(s_client("-sess_in", saved, "-early_data", f.name), b"Early data was ")
note(name="early", peer=early, accepted=b"Early data was accepted" in said)
log.close()
