#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""leaver.py PORT: a TCP and a UDP connection to 203.0.113.9, of a process that then leaves their network namespace: prints
"left", and for a line on standard input what sending on either gives (errno, 0: it went)."""
import ctypes
import socket
import sys

CLONE_NEWNET = 0x40000000
to = ("203.0.113.9", int(sys.argv[1]))
tcp = socket.create_connection(to)
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.connect(to)
for s in (tcp, udp):
    s.send(b"leaver before?")
tcp.recv(1)
if ctypes.CDLL(None).unshare(CLONE_NEWNET) != 0:
    raise AssertionError("unshare")
print("left", flush=True)
sys.stdin.readline()
for s in (tcp, udp):
    try:
        s.send(b"leaver after")
        print(0, end=" ")
    except OSError as e:
        print(e.errno, end=" ")
print("sent", flush=True)
sys.stdin.readline()
