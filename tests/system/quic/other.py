#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""other.py udp LOG: datagrams that are no QUIC, some of which look like it, to a socket that takes them.
other.py tls LOG HOST PORT CA: TCP connections whose ClientHello is made here, and one by openssl s_client."""
import json
import os
import socket
import ssl
import struct
import subprocess
import sys

UDP_SEGMENT = 103  # udp(7)


def put(log, **what):
    log.write(json.dumps(what) + "\n")


def udp(path):
    initial = bytes.fromhex("c000000001088394c8f03e5157080000449e") + os.urandom(1182)  # an Initial that nobody sealed
    version2 = b"\xd3" + (0x6B3343CF).to_bytes(4, "big") + initial[5:]
    cases = {
        "text": [b"hello " * 10] * 5,
        "dns": [bytes.fromhex("a1b201000001000000000000076578616d706c6503636f6d0000010001")] * 3,
        "looks like version 1": [initial] * 4,
        "looks like version 2": [version2] * 3,
        "looks like 0-RTT": [b"\xd3" + initial[1:]] * 3,
        "another version": [b"\xc3\xff\x00\x00\x1d" + initial[5:]] * 2,
        "version negotiation": [b"\xc3\x00\x00\x00\x00" + initial[5:]],
        "short": [b"\xc3\x00\x00\x00\x01"] * 2,
        "empty": [b"", b"x"],
        "many": [b"\xc3" + bytes(100)] * 400,
    }
    sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sink.bind(("127.0.0.1", 0))
    to = sink.getsockname()
    held = []  # a port that is free again may be the next one's: they are told apart by it
    with open(path, "w") as log:
        for connected in (False, True):
            for name, datagrams in cases.items():
                s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                if connected:
                    s.connect(to)
                for d in datagrams:
                    s.send(d) if connected else s.sendto(d, to)
                put(log, name=name, port=s.getsockname()[1], bytes=sum(map(len, datagrams)), datagrams=len(datagrams))
                held.append(s)
        # One call, cut by the kernel in five.
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.sendmsg([initial * 4 + b"rest"], [(socket.SOL_UDP, UDP_SEGMENT, struct.pack("@H", len(initial)))], 0, to)
        put(log, name="cut by the kernel", port=s.getsockname()[1], bytes=4804, datagrams=5)
        held.append(s)
    for s in held:
        s.close()


def openssl_hello(name, alpn):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_alpn_protocols(alpn)
    out = ssl.MemoryBIO()
    try:
        context.wrap_bio(ssl.MemoryBIO(), out, server_hostname=name).do_handshake()
    except ssl.SSLWantReadError:
        pass
    return out.read()


def with_extension(hello, kind, body, last):
    """The hello with one more extension, as the first or last of them."""
    at = 5 + 4 + 2 + 32
    at += 1 + hello[at]
    at += 2 + int.from_bytes(hello[at : at + 2], "big")
    at += 1 + hello[at]
    extra = struct.pack("!HH", kind, len(body)) + body
    extensions = hello[at + 2 :] + extra if last else extra + hello[at + 2 :]
    message = hello[9:at] + len(extensions).to_bytes(2, "big") + extensions
    handshake = b"\x01" + len(message).to_bytes(3, "big") + message
    return hello[:3] + len(handshake).to_bytes(2, "big") + handshake


def tls(path, host, port, ca):
    plain = openssl_hello("name.test", ["h2", "http/1.1"])
    # RFC 9849 section 6.2: outer, HKDF-SHA256 and AES-128-GCM, an ID, a key, a payload: GREASE is no different.
    ech = b"\x00\x00\x01\x00\x01\x2a\x00\x20" + os.urandom(32) + b"\x00\x90" + os.urandom(144)
    whole = dict(sni="name.test", alpn="h2", helloWhole=True)
    cases = [
        ("plain", plain, dict(whole, ech=False)),
        ("ECH first", with_extension(plain, 0xFE0D, ech, False), dict(whole, ech=True)),
        ("ECH last", with_extension(plain, 0xFE0D, ech, True), dict(whole, ech=True)),
        # What lies behind the ceiling of what is looked at is not known, and is not denied.
        ("cut", with_extension(plain, 0xFFA5, bytes(2400), False), dict(sni=None, alpn=None, ech=None, helloWhole=False)),
        ("cut behind", with_extension(with_extension(plain, 0xFFA5, bytes(2400), True), 0xFE0D, ech, True), dict(whole, ech=None, helloWhole=False)),
        ("cut behind ECH", with_extension(with_extension(plain, 0xFFA5, bytes(2400), True), 0xFE0D, ech, False), dict(whole, ech=True, helloWhole=False)),
    ]
    sink = socket.create_server(("127.0.0.1", 0))
    with open(path, "w") as log:
        for name, hello, wanted in cases:
            s = socket.create_connection(sink.getsockname())
            c = sink.accept()[0]
            s.sendall(hello)
            got = b""
            while len(got) < len(hello):
                got += c.recv(65536)
            put(log, name=name, port=s.getsockname()[1], **wanted)
            s.close()
            c.close()
        local = socket.create_server(("", 0))
        local_port = local.getsockname()[1]
        local.close()
        subprocess.run(
            ["openssl", "s_client", "-connect", f"{host}:{port}", "-bind", f"0.0.0.0:{local_port}", "-servername", host]
            + ["-alpn", "http/1.1,h2", "-CAfile", ca, "-verify_return_error", "-brief"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        put(log, name="s_client", port=local_port, sni=host, alpn="http/1.1", ech=False, helloWhole=True)


{"udp": udp, "tls": tls}[sys.argv[1]](*sys.argv[2:])
