#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes refunds for whoever asks: executor.py PATH listens on that unix socket and on a loopback port, prints "ready
PORT"; a line "ORDER TAG" is posted to the payments service, then answered."""
import http.client
import json
import os
import select
import socket
import ssl
import sys

context = ssl.create_default_context(cafile=os.environ["CA_FILE"])
unix, tcp = socket.socket(socket.AF_UNIX), socket.create_server(("127.0.0.1", 0))
unix.bind(sys.argv[1])
unix.listen()
print("ready", tcp.getsockname()[1], flush=True)
while True:
    for listener in select.select([unix, tcp], [], [])[0]:
        peer = listener.accept()[0]
        order, tag = peer.recv(100).decode().split()
        connection = http.client.HTTPSConnection("payments.test", context=context)
        connection.request("POST", "/v1/refunds", json.dumps({"order_id": order, "amount_cents": 100}),
                           {"x-tag": tag})
        connection.getresponse().read()
        connection.close()
        try:
            peer.sendall(b"done\n")
        except OSError:
            pass  # it did not wait
        peer.close()
