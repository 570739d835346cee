#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A SOCKS5 proxy for one connection after the other: prints "ready PORT"; names are resolved here, bytes go on unread."""
import contextlib
import socket
import struct
import threading

listener = socket.create_server(("127.0.0.1", 0))
print(f"ready {listener.getsockname()[1]}", flush=True)


def carry(source, to):
    with contextlib.suppress(OSError):  # hung up
        while data := source.recv(65536):
            to.sendall(data)
        to.shutdown(socket.SHUT_WR)


while True:
    near, _ = listener.accept()
    near.recv(3)
    near.sendall(b"\5\0")
    head = near.recv(262)
    name, port = head[5:5 + head[4]].decode(), struct.unpack("!H", head[-2:])[0]
    far = socket.create_connection((name, port))
    near.sendall(b"\5\0\0\1" + bytes(6))
    back = threading.Thread(target=carry, args=(far, near))
    back.start()
    carry(near, far)
    back.join()
    near.close()
    far.close()
