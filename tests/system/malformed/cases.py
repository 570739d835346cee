#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Broken input by both ends of TLS connections, and what the monitor must say of it.

cases.py server CERT KEY              one case per connection, named by its first X-Case; until it is killed
cases.py client HOST TRUTH [CASE...]  every case (or these) in turn; TRUTH gets a line "CASE PORT" each
cases.py compare STREAM TRUTH         reads the ledger's stream; prints "CASE FINDING..." of each case's connection, and
                                      "WRONG ..." where the expected one is missing or a good neighbour was touched
"""
import gzip
import json
import os
import socket
import ssl
import sys
import threading

HEAD = "HTTP/1.1 200 OK\r\nContent-Type: {}\r\n{}\r\n"
CHAT = {"id": "chatcmpl-1", "object": "chat.completion", "model": "m-1",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}]}


def plain(body, kind="application/json", fields=""):
    body = body if isinstance(body, bytes) else body.encode()
    return HEAD.format(kind, f"Content-Length: {len(body)}\r\n" + fields).encode() + body


def chunked(*sizes_and_data, kind="application/json"):
    return HEAD.format(kind, "Transfer-Encoding: chunked\r\n").encode() + b"".join(sizes_and_data)


def sse(text):
    return plain(text, "text/event-stream")


def packed(data, keep=None):
    return plain(gzip.compress(data)[:keep], fields="Content-Encoding: gzip\r\n")


# Case: (the answer, the finding). A finding of None: odd, but no finding is due; the connection must be on record.
ANSWERS = {
    "good": (plain(json.dumps(CHAT)), None),
    "garbage": (b"\0\1\2 this is no answer \xff\r\n\r\n", "malformed-response"),
    "status": (b"HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n", "malformed-response"),
    "version": (b"HTTP/9.9 200 OK\r\nContent-Length: 0\r\n\r\n", "malformed-response"),
    "chunk-letters": (chunked(b"zz\r\nhello\r\n0\r\n\r\n"), "malformed-response"),
    "chunk-huge": (chunked(b"fffffffffffffffff\r\nhello"), "malformed-response"),
    "chunk-long": (chunked(b"5\r\nhello, this is more than was said\r\n0\r\n\r\n"), "malformed-response"),
    "two-lengths": (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", "malformed-response"),
    "length-and-chunks": (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                          "malformed-response"),
    "length-letters": (b"HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\nhello", "malformed-response"),
    "length-enormous": (b"HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\nhello", None),
    "head-bytes": (b"HTTP/1.1 200 OK\r\n" + b"X-Long: " + b"a" * (1 << 20) + b"\r\n\r\n", "limit"),
    "head-fields": (b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: y\r\n" % i for i in range(50000)) + b"\r\n", "limit"),
    "gzip-bomb": (packed(bytes(64 << 20)), "decompression-bomb"),
    "gzip-broken": (plain(b"\x1f\x8b\x08\0\0\0\0\0\0\3 this is no deflate stream", fields="Content-Encoding: gzip\r\n"),
                    "malformed-coding"),
    "gzip-cut": (packed(json.dumps(CHAT).encode(), -9), "malformed-coding"),
    "json-cut": (plain(json.dumps(CHAT)[:-7]), "malformed-body"),
    "json-deep": (plain("[" * 200000), "malformed-body"),
    "json-utf8": (plain(json.dumps(CHAT).encode().replace(b"hi", b"h\xff")), "malformed-body"),
    "sse-json": (sse('data: {"id":"x","choices":[{"delta":\n\ndata: [DONE]\n\n'), "malformed-body"),
    "sse-line": (sse("data: {" + '"a":1,' * (1 << 19) + '"b":2}\n\n'), "response-truncated"),
    "cut-short": (HEAD.format("application/json", "Content-Length: 1000\r\n").encode() + b"{", None),
    "answers-unasked": (plain("{}") * 3, None),
    "silence": (b"", None),
}
# Case: (what is sent after a good head of its own, the finding).
REQUESTS = {
    "request-smuggled": (b"POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nX-Case: good\r\nContent-Length: 4\r\n"
                         b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "malformed-request"),
    "request-folded": (b"POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nX-Case: good\r\nContent Length: 4\r\n\r\n", "malformed-request"),
    "request-binary": (b"\x16\3\1" + os.urandom(300) + b"X-Case: good\r\n\r\n", None),
    "request-endless": (b"POST /v1/" + b"a" * (1 << 20) + b" HTTP/1.1\r\nX-Case: good\r\n\r\n", "limit"),
    "request-json": (b"POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nX-Case: good\r\nContent-Type: application/json\r\n"
                     b"Content-Length: 9\r\n\r\n{\"model\":", "malformed-body"),
}


def serve(conn):
    try:
        data = b""
        while b"X-Case: " not in data or b"\r\n\r\n" not in data:
            part = conn.recv(65536)
            if not part:
                return
            data += part
        conn.sendall(ANSWERS[data.split(b"X-Case: ")[1].split(b"\r\n")[0].decode()][0])
        conn.shutdown(socket.SHUT_WR)
        while conn.recv(65536):
            pass
    except OSError:
        pass
    finally:
        conn.close()


def server(cert, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    listener = socket.create_server(("0.0.0.0", 443), backlog=64)
    print("ready 443", flush=True)
    while True:
        raw = listener.accept()[0]
        threading.Thread(target=lambda: serve(context.wrap_socket(raw, server_side=True)), daemon=True).start()


def request(case):
    if case in REQUESTS:
        return REQUESTS[case][0]
    body = json.dumps({"model": "m", "stream": case.startswith("sse"), "messages": [{"role": "user", "content": "hi"}]}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: models.test\r\nX-Case: {case}\r\nContent-Type: application/json\r\n"
    return head.encode() + f"Content-Length: {len(body)}\r\n\r\n".encode() + body


def client(host, truth, *cases):
    context = ssl.create_default_context(cafile=os.environ["CA_FILE"])
    with open(truth, "a", encoding="ascii") as log:
        for case in cases or [*ANSWERS, *REQUESTS]:
            raw = socket.create_connection((host, 443))
            log.write(f"{case} {raw.getsockname()[1]}\n")
            with context.wrap_socket(raw, server_hostname=host) as conn:
                conn.settimeout(30)
                conn.sendall(request(case))
                try:
                    while conn.recv(65536):
                        pass
                except OSError:
                    pass


def compare(stream, truth):
    records = [json.loads(line)["record"] for line in open(stream, encoding="utf-8")]
    found, ports = {}, {}
    for r in records:
        if r["kind"] == "exchange":
            ports[r["id"]] = port = int(r["local"].rsplit(":", 1)[1])
            # Beyond the cap is no finding of its own: the exchange says so.
            found.setdefault(port, set()).update({"response-truncated"} & set(r["findings"]))
        elif r["kind"] == "finding" and r["id"] in ports:
            found.setdefault(ports[r["id"]], set()).add(r["finding"])
    expected = {case: finding for case, (_, finding) in (ANSWERS | REQUESTS).items()}
    for line in open(truth, encoding="ascii"):
        case, port = line.split()
        got = found.get(int(port), set())
        print(case, *sorted(got))
        wanted = {expected[case]} - {None}
        if not wanted <= got or (case == "good" and got) or int(port) not in ports.values():
            print(f"WRONG {case}: {sorted(got)}, expected {sorted(wanted)}, on record: {int(port) in ports.values()}")


if __name__ == "__main__":
    {"server": server, "client": client, "compare": compare}[sys.argv[1]](*sys.argv[2:])
