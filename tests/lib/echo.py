#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A watched program and its server, for tests of faults: every answer is checked, so that trouble would be noticed.

echo.py serve CERT KEY [LOG]
                            answers each POST with the SHA-256 of its body; "ready PORT" when it listens on 127.0.0.1;
                            LOG gets the size of each body, before the answer
echo.py work PORT [BYTES]   requests of up to BYTES (4096) one after the other, each 50th on a new connection, until
                            there is something on standard input; then "N right" and exit code 7
echo.py hold PORT COUNT     COUNT connections with one request each, then "holding"; a second request on each when
                            a line comes on standard input
"""
import asyncio
import hashlib
import os
import random
import resource
import select
import socket
import ssl
import sys

PAUSE_S = 0.004  # between two requests of `work`: a steady trickle, not a load


async def answer(reader, writer, log):
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
            digest = hashlib.sha256(await reader.readexactly(length)).hexdigest().encode()
            print(length, file=log, flush=True)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(digest), digest))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
        pass
    finally:
        writer.close()


async def serve(cert, key, log=os.devnull):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    out = open(log, "w", encoding="ascii")  # as long as the server
    server = await asyncio.start_server(lambda r, w: answer(r, w, out), "127.0.0.1", 0, ssl=context, backlog=1024)
    print("ready", server.sockets[0].getsockname()[1], flush=True)
    os.dup2(2, 1)
    await server.serve_forever()


def connect(port):
    context = ssl.create_default_context(cafile=os.environ["CA_FILE"])
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port), 60), server_hostname="localhost")


def exchange(connection, body):
    """Raises what is wrong."""
    connection.sendall(b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
                       b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    wanted = b"\r\n\r\n" + hashlib.sha256(body).hexdigest().encode()
    reply = b""
    while not reply.endswith(wanted):
        more = connection.recv(4096)
        if not more or len(reply) > 4096:
            raise ValueError(f"not the answer to this request: {reply!r}")
        reply += more


def work(port, limit):
    connection, right = None, 0
    while not select.select([sys.stdin], [], [], PAUSE_S)[0]:
        if right % 50 == 0:
            if connection:
                connection.close()
            connection = connect(port)
        exchange(connection, random.randbytes(random.randint(0, limit)))
        right += 1
    print(right, "right")
    sys.exit(7)


def hold(port, count):
    resource.setrlimit(resource.RLIMIT_NOFILE, (count + 64, count + 64))
    connections = []
    for _ in range(count):
        connections.append(connect(port))
        exchange(connections[-1], b"first")
    print("holding", flush=True)
    sys.stdin.readline()
    for connection in connections:
        exchange(connection, b"second")


command, arguments = sys.argv[1], sys.argv[2:]
if command == "serve":
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    asyncio.run(serve(*arguments))
elif command == "work":
    work(int(arguments[0]), int(arguments[1]) if len(arguments) > 1 else 4096)
elif command == "hold":
    hold(int(arguments[0]), int(arguments[1]))
else:
    sys.exit(__doc__)
