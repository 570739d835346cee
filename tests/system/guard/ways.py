#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""ways.py PORT TAG OUT: every way to send something to an address, each once, to one that is denied and to one in the same
network that is not. A line per attempt: the way, to where, and the errno (0: it went)."""
import socket
import sys

PORT, TAG = int(sys.argv[1]), sys.argv[2]
out = open(sys.argv[3], "w", encoding="ascii")
FOUR = {"denied": "203.0.113.5", "allowed": "203.0.113.7"}
SIX = {"denied": "2001:db8:77::5", "allowed": "2001:db8:77::7"}
MAPPED = {k: "::ffff:" + v for k, v in FOUR.items()}
MSG_FASTOPEN, IPPROTO_MPTCP = 0x20000000, 262


def stream(family, address, text, proto=0):
    with socket.socket(family, socket.SOCK_STREAM, proto) as s:
        s.connect((address, PORT))
        s.sendall(text)


def first_send(family, address, text):
    with socket.socket(family, socket.SOCK_STREAM) as s:
        s.sendto(text, MSG_FASTOPEN, (address, PORT))


def datagram(family, address, text):
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        s.sendto(text, (address, PORT))


def connected(family, address, text):
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        s.connect((address, PORT))
        s.send(text)


def raw(family, address, text):
    with socket.socket(family, socket.SOCK_RAW, 253) as s:
        s.sendto(text, (address, 0))


WAYS = [
    ("tcp4", stream, socket.AF_INET, FOUR),
    ("tcp6", stream, socket.AF_INET6, SIX),
    ("mapped", stream, socket.AF_INET6, MAPPED),
    ("fastopen", first_send, socket.AF_INET, FOUR),
    ("udp4", datagram, socket.AF_INET, FOUR),
    ("udp6", datagram, socket.AF_INET6, SIX),
    ("udp-mapped", datagram, socket.AF_INET6, MAPPED),
    ("udp4-connected", connected, socket.AF_INET, FOUR),
    ("udp6-connected", connected, socket.AF_INET6, SIX),
    ("raw4", raw, socket.AF_INET, FOUR),
    ("raw6", raw, socket.AF_INET6, SIX),
]
try:
    socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP).close()
    WAYS.append(("mptcp", lambda f, a, t: stream(f, a, t, IPPROTO_MPTCP), socket.AF_INET, FOUR))
except OSError:
    pass  # this kernel has none
for way, fn, family, addresses in WAYS:
    for what, address in addresses.items():
        error = 0
        try:
            fn(family, address, f"{TAG} {way} {what}".encode())
        except OSError as e:
            error = e.errno
        print(way, what, error, file=out)
