#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""flows.py PORT: a TCP and two UDP connections to 203.0.113.9 that stay; nothing is sent on the third. Reads words on standard input: "send" sends ten
bytes on TCP, and prints "came" when the peer has them; "state" prints the errno with which each ends (what a read
says, waiting for it), or 0 where it works. The flows' ids are printed first."""
import errno
import socket
import sys

SO_COOKIE = 57
to = ("203.0.113.9", int(sys.argv[1]))
tcp = socket.create_connection(to)
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.connect(to)
udp.send(b"udp before")
silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
silent.connect(to)
for s in (tcp, udp, silent):
    cookie = int.from_bytes(s.getsockopt(socket.SOL_SOCKET, SO_COOKIE, 8), "little")
    print(f"f-{cookie:x}", end=" ")
print(flush=True)
for line in sys.stdin:
    word = line.strip()
    if word == "send":
        tcp.sendall(b"123456789?")
        print("came" if tcp.recv(1) == b"!" else "over", flush=True)
    elif word == "ended":
        ends = []
        for s in (tcp, udp, silent):
            try:
                s.settimeout(60)
                ends.append("over" if s.recv(1) == b"" else "more")
            except OSError as e:
                ends.append(errno.errorcode.get(e.errno, str(e)))
        print(*ends, flush=True)
