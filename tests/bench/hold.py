# SPDX-License-Identifier: Apache-2.0
"""hold.py PORT COUNT REQUESTS: opens COUNT TLS connections to 127.0.0.1, sends REQUESTS on each, prints "held", and
keeps them open until its standard input ends."""
import resource
import socket
import ssl
import sys

BODY = b"q" * 512
REQUEST = b"POST /reply HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)


def exchange(tls):
    tls.sendall(REQUEST)
    got = b""
    while b"\r\n\r\n" not in got:
        part = tls.recv(65536)
        if not part:
            sys.exit("hold: a connection ended")
        got += part
    head, _, rest = got.partition(b"\r\n\r\n")
    want = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    while len(rest) < want:
        rest += tls.recv(65536)


port, count, requests = map(int, sys.argv[1:])
most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
held = [context.wrap_socket(socket.create_connection(("127.0.0.1", port))) for _ in range(count)]
for _ in range(requests):
    for each in held:
        exchange(each)
print("held", flush=True)
sys.stdin.read()
