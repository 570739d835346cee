#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""lookalike.py CERT KEY ADDRESS: a TLS server with the payments service's name that answers one request with 201."""
import socket
import ssl
import sys

context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
listener = socket.create_server((sys.argv[3], 0))
print("ready", listener.getsockname()[1], flush=True)
connection = context.wrap_socket(listener.accept()[0], server_side=True)
connection.recv(65536)
connection.sendall(b'HTTP/1.1 201 Created\r\ncontent-length: 10\r\n\r\n{"id":"x"}')
connection.recv(1)
