#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""capture.py INTERFACE FILE: the TLS records of each TCP connection as they pass an interface, with the kernel's times of the
packets that had their first and last bytes. Writes "ready 0"; on SIGTERM FILE: {"PORT:PORT": [...]} of each direction."""
import json
import select
import signal
import socket
import struct
import sys

SO_TIMESTAMPNS = 35
SOL_PACKET, PACKET_STATISTICS = 263, 6
ETH_P_ALL = 3

interface, out = sys.argv[1:]
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
s.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
s.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
s.bind((interface, ETH_P_ALL))
s.setblocking(False)
wake, woken = socket.socketpair()
signal.signal(signal.SIGTERM, lambda *_: woken.send(b"x"))
print("ready 0", flush=True)
packets = []
ended = False
while True:
    try:
        data, extra, _, _ = s.recvmsg(1 << 17, 256)
    except BlockingIOError:
        if ended:
            break
        ready, _, _ = select.select([s, wake], [], [])
        ended = wake in ready
        continue
    sec, ns = struct.unpack("qq", next(d for level, kind, d in extra if kind == SO_TIMESTAMPNS))
    packets.append((sec * 10**9 + ns, data))
_, dropped = struct.unpack("II", s.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))

streams = {}  # (port, port): first sequence number, bytes, and for each byte when it was first there
for t, p in packets:
    if p[12:14] != b"\x08\x00" or p[23] != 6:
        continue
    head = 14 + (p[14] & 15) * 4
    end = 14 + struct.unpack(">H", p[16:18])[0]
    sport, dport, seq = struct.unpack(">HHI", p[head : head + 8])
    body = p[head + (p[head + 12] >> 4) * 4 : end]
    if p[head + 13] & 2:  # SYN
        streams[sport, dport] = [seq + 1 & 0xFFFFFFFF, bytearray(), []]
    if not body or (sport, dport) not in streams:
        continue
    first, have, times = streams[sport, dport]
    at = seq - first & 0xFFFFFFFF
    assert at <= len(have), "a hole"
    have += body[len(have) - at :] if len(have) > at else body
    times += [t] * (len(have) - len(times))

records = {}
for (sport, dport), (_, have, times) in streams.items():
    if (dport, sport) not in streams:
        continue
    found, at = [], 0
    while at + 5 <= len(have) and 20 <= have[at] <= 24 and have[at + 1] == 3:
        n = 5 + struct.unpack(">H", have[at + 3 : at + 5])[0]
        if at + n > len(have):
            break
        found.append({"type": have[at], "bytes": n, "first": times[at], "last": times[at + n - 1]})
        at += n
    records[f"{sport}:{dport}"] = found
with open(out, "w") as f:
    json.dump({"dropped": dropped, "records": records}, f)
