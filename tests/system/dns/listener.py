#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Takes connections to one port of all addresses that the test's names have, and closes them."""
import selectors
import socket

ADDRESSES = [f"127.78.0.{i}" for i in range(1, 17)] + [f"127.78.1.{i}" for i in range(1, 32)]
selector, port = selectors.DefaultSelector(), 0
for address in ADDRESSES:
    s = socket.socket()
    s.bind((address, port))
    port = s.getsockname()[1]
    s.listen(16)
    selector.register(s, selectors.EVENT_READ)
six = socket.socket(socket.AF_INET6)
six.bind(("::1", port))
six.listen(16)
selector.register(six, selectors.EVENT_READ)
print("ready", port, flush=True)
while True:
    for key, _ in selector.select():
        key.fileobj.accept()[0].close()
