#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""evasions.py PORT: what might get around a denial of 203.0.113.5; 203.0.113.7 is allowed. A line per way: its name and the errno of
what goes to the denied address (0: it went; "none": this kernel has no such way). Then "listens PORT": a socket that was
connected to the allowed address before, and listens at it now; a line from standard input ends that: "accepted" or "nobody".
For each further line one datagram to the denied address: "sent" and its errno."""
import ctypes
import mmap
import os
import socket
import struct
import sys

PORT, DENIED, ALLOWED = int(sys.argv[1]), "203.0.113.5", "203.0.113.7"
MSG_MORE, TCP_FASTOPEN_CONNECT, IPPROTO_UDPLITE = 0x8000, 30, 136
SYS_IO_URING_SETUP, SYS_IO_URING_ENTER, IORING_OP_CONNECT, IORING_ENTER_GETEVENTS = 425, 426, 16, 1
libc = ctypes.CDLL(None, use_errno=True)


class IoVec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_char_p), ("len", ctypes.c_size_t)]


class MsgHdr(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("namelen", ctypes.c_uint), ("iov", ctypes.POINTER(IoVec)), ("iovlen", ctypes.c_size_t),
                ("control", ctypes.c_void_p), ("controllen", ctypes.c_size_t), ("flags", ctypes.c_int)]


class MMsgHdr(ctypes.Structure):
    _fields_ = [("hdr", MsgHdr), ("len", ctypes.c_uint)]


def address(ip):
    return struct.pack("=H", socket.AF_INET) + struct.pack(">H", PORT) + socket.inet_aton(ip) + bytes(8)


def unconnect(s):
    if libc.connect(s.fileno(), bytes(16), 16) < 0:  # AF_UNSPEC
        raise AssertionError("AF_UNSPEC")


def tcp_again():
    with socket.socket() as s:
        s.connect((ALLOWED, PORT))
        unconnect(s)
        s.connect((DENIED, PORT))


def udp_again():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect((ALLOWED, PORT))
        unconnect(s)
        s.connect((DENIED, PORT))


def udp_elsewhere():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for _ in range(3):
            s.sendto(b"evasion allowed", (ALLOWED, PORT))
        s.connect((ALLOWED, PORT))
        s.sendto(b"evasion denied", (DENIED, PORT))


def sendmmsg():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        m = (MMsgHdr * 2)()
        for one, ip in zip(m, (ALLOWED, DENIED)):
            vec = IoVec(b"evasion mmsg", 12)
            one.hdr = MsgHdr(address(ip), 16, ctypes.pointer(vec), 1, None, 0, 0)
        if libc.sendmmsg(s.fileno(), m, 2, 0) != 1:
            raise AssertionError("not one of two")
        if libc.sendmmsg(s.fileno(), ctypes.byref(m, ctypes.sizeof(MMsgHdr)), 1, 0) < 0:
            raise OSError(ctypes.get_errno(), "sendmmsg")


def fastopen_connect():
    with socket.socket() as s:
        s.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1)
        s.connect((DENIED, PORT))
        s.sendall(b"evasion denied")


def udp_packet(text):
    return struct.pack(">HHHH", 9, PORT, 8 + len(text), 0) + text


def raw_bound():
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP) as s:
        s.bind((ALLOWED, 0))
        s.connect((DENIED, 0))
        s.send(udp_packet(b"evasion denied"))


def raw_header():  # routed to the one, addressed to the other
    packet = udp_packet(b"evasion denied")
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 0, 1, 0, 64, 17, 0, socket.inet_aton(ALLOWED), socket.inet_aton(DENIED))
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as s:
        s.sendto(head + packet, (ALLOWED, 0))


def udplite():
    try:
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, IPPROTO_UDPLITE)
    except OSError:
        return "none"
    with s:
        s.connect((DENIED, PORT))
        s.send(b"evasion denied")
    return 0


def io_uring():
    params = ctypes.create_string_buffer(120)
    ring = libc.syscall(SYS_IO_URING_SETUP, 4, params)
    if ring < 0:
        return "none"
    entries, cq_entries = struct.unpack_from("=2I", params, 0)
    sq = struct.unpack_from("=10I", params, 40)
    cq = struct.unpack_from("=10I", params, 80)
    sq_map = mmap.mmap(ring, sq[6] + entries * 4, offset=0)
    cq_map = mmap.mmap(ring, cq[5] + cq_entries * 16, offset=0x8000000)
    sqes = mmap.mmap(ring, entries * 64, offset=0x10000000)
    with socket.socket() as s:
        to = ctypes.create_string_buffer(address(DENIED), 16)
        sqes[0:64] = struct.pack("=BBHiQQIIQ24x", IORING_OP_CONNECT, 0, 0, s.fileno(), 16, ctypes.addressof(to), 0, 0, 0)
        struct.pack_into("=I", sq_map, sq[6], 0)
        struct.pack_into("=I", sq_map, sq[1], struct.unpack_from("=I", sq_map, sq[1])[0] + 1)
        if libc.syscall(SYS_IO_URING_ENTER, ring, 1, 1, IORING_ENTER_GETEVENTS, None, 0) != 1:
            raise AssertionError("io_uring_enter")
        result = struct.unpack_from("=Qi", cq_map, cq[5])[1]
    os.close(ring)
    return -result


def outcome(fn):
    try:
        return fn() or 0
    except OSError as e:
        return e.errno


def datagram():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(b"evasion denied", (DENIED, PORT))


for way in (tcp_again, udp_again, udp_elsewhere, sendmmsg, fastopen_connect, raw_bound, raw_header, udplite, io_uring):
    print(way.__name__, outcome(way), flush=True)
with socket.socket() as s:
    s.connect((ALLOWED, PORT))
    unconnect(s)
    s.bind((ALLOWED, 0))
    s.listen()
    print("listens", s.getsockname()[1], flush=True)
    sys.stdin.readline()
    s.setblocking(False)
    print("nobody" if outcome(lambda: s.accept() and 0) else "accepted", flush=True)
for _ in sys.stdin:
    print("sent", outcome(datagram), flush=True)
