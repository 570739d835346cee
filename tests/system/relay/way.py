#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A way between two hosts, by the kernels' own counters at its ends.

way.py server ADDRESS...            echoes TCP and UDP at port 7 of every address; prints "ready 7"
way.py client DELAY-US ADDRESS...   goes there; of each check a line "NAME<tab>GOT<tab>WANTED"
"""
import os
import select
import socket
import struct
import sys
import threading
import time

TCP_INFO_MIN_RTT = 148  # tcpi_min_rtt in struct tcp_info, linux/tcp.h
SO_RCVBUFFORCE = 33  # socket(7)
COUNT = 500


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def min_rtt(connection):
    return struct.unpack_from("I", connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256), TCP_INFO_MIN_RTT)[0]


def echo(connection):
    with connection:
        while data := connection.recv(65536):
            connection.sendall(data)
        connection.sendall(b"%d" % min_rtt(connection))


def accept(listener):
    while True:
        threading.Thread(target=echo, args=(listener.accept()[0],), daemon=True).start()


def server(addresses):
    datagrams = []
    for address in addresses:
        listener = socket.create_server((address, 7), family=family(address))
        threading.Thread(target=accept, args=(listener,), daemon=True).start()
        datagrams.append(socket.socket(family(address), socket.SOCK_DGRAM))
        datagrams[-1].setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 4 << 20)
        datagrams[-1].bind((address, 7))
    print("ready 7", flush=True)
    while True:
        for ready in select.select(datagrams, [], [])[0]:
            data, peer = ready.recvfrom(2048)
            ready.sendto(data, peer)


def tcp(address, delay):
    with socket.create_connection((address, 7)) as connection:
        sent = os.urandom(300_000)
        threading.Thread(target=lambda: (connection.sendall(sent), connection.shutdown(socket.SHUT_WR)), daemon=True).start()
        got = b""
        while data := connection.recv(65536):
            got += data
        yield "what was sent came back", got[:len(sent)] == sent
        yield "this end has no round trip below twice the delay", min_rtt(connection) >= 2 * delay
        yield "the other end neither", int(got[len(sent):]) >= 2 * delay


def udp(address, delay):
    with socket.socket(family(address), socket.SOCK_DGRAM) as s:
        s.connect((address, 7))
        s.settimeout(30)
        s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 4 << 20)
        first = time.monotonic_ns()
        for i in range(COUNT):
            s.send(struct.pack("!I", i) + bytes(i))
        got = [s.recv(2048)]
        took = time.monotonic_ns() - first
        got += [s.recv(2048) for _ in range(COUNT - 1)]
        yield "datagrams keep their order", [struct.unpack("!I", g[:4])[0] for g in got] == list(range(COUNT))
        yield "the first one is no earlier than twice the delay", took >= 2000 * delay


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def icmp(address, delay):
    six = ":" in address
    with socket.socket(family(address), socket.SOCK_RAW, socket.IPPROTO_ICMPV6 if six else socket.IPPROTO_ICMP) as s:
        s.settimeout(30)
        asked, answered, rest = (128, 129, b"way!") if six else (8, 0, b"way!")
        head = struct.pack("!BBHHH", asked, 0, 0, os.getpid() & 0xffff, 1) + rest
        if not six:
            head = head[:2] + struct.pack("!H", checksum(head)) + head[4:]
        first = time.monotonic_ns()
        s.sendto(head, (address, 0))
        while True:
            data, peer = s.recvfrom(2048)
            data = data if six else data[20:]
            if data[0] == answered and data[4:] == head[4:]:
                break
        yield "an answer to a ping is no earlier than twice the delay", time.monotonic_ns() - first >= 2000 * delay
        yield "and from there", peer[0] == address


if sys.argv[1] == "server":
    server(sys.argv[2:])
for where in sys.argv[3:]:
    for of in (tcp, udp, icmp):
        for name, good in of(where, int(sys.argv[2])):
            print(f"{sys.argv[2]} us, IPv{6 if ':' in where else 4}, {of.__name__}: {name}\t{good}\tTrue")
