# SPDX-License-Identifier: Apache-2.0
"""clients.py hold PORT COUNT REQUESTS       opens COUNT TLS connections, sends REQUESTS on each, prints "held", and
                                          keeps them open until its standard input ends
clients.py blocking|asyncio HOST PORT CA CONNECTIONS REQUESTS PREFIX
                                          tagged requests on keep-alive connections; tags are PREFIX-connection-request
"""
import asyncio
import http.client
import resource
import socket
import ssl
import sys


def exchange(tls, head, body):
    tls.sendall(head + body)
    got = b""
    while b"\r\n\r\n" not in got:
        part = tls.recv(65536)
        if not part:
            raise SystemExit("connection ended")
        got += part
    answer, _, rest = got.partition(b"\r\n\r\n")
    want = int(answer.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    while len(rest) < want:
        rest += tls.recv(65536)


def hold(port, count, requests):
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    body = b"q" * 512
    head = b"POST /reply HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body)
    held = [context.wrap_socket(socket.create_connection(("127.0.0.1", int(port)))) for _ in range(int(count))]
    for _ in range(int(requests)):
        for tls in held:
            exchange(tls, head, body)
    print("held", flush=True)
    sys.stdin.read()


def blocking(host, port, ca, connections, requests, prefix):
    context = ssl.create_default_context(cafile=ca)
    held = [http.client.HTTPSConnection(host, int(port), context=context) for _ in range(int(connections))]
    for j in range(int(requests)):
        for i, connection in enumerate(held):
            connection.request("POST", "/echo", f"body of {i}-{j}", {"x-tag": f"{prefix}-{i}-{j}"})
            connection.getresponse().read()
    for connection in held:
        connection.close()


async def speak(host, port, context, i, requests, prefix):
    reader, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=host)
    for j in range(requests):
        body = f"body of {i}-{j}"
        writer.write(f"POST /echo HTTP/1.1\r\nHost: {host}\r\nx-tag: {prefix}-{i}-{j}\r\n"
                     f"Content-Length: {len(body)}\r\n\r\n{body}".encode())
        await writer.drain()
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0]))
    writer.close()
    await writer.wait_closed()


async def concurrent(host, port, ca, connections, requests, prefix):
    context = ssl.create_default_context(cafile=ca)
    await asyncio.gather(*(speak(host, int(port), context, i, int(requests), prefix)
                           for i in range(int(connections))))


if __name__ == "__main__":
    if sys.argv[1] == "asyncio":
        asyncio.run(concurrent(*sys.argv[2:]))
    else:
        {"hold": hold, "blocking": blocking}[sys.argv[1]](*sys.argv[2:])
