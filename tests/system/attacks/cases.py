#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Programs and a payments service that do what the protocols allow, or almost allow, and what the monitor says of it.

cases.py server CERT KEY LOG       the service: every request is a line of LOG before it is answered
cases.py client TLS CASE...        one case after the other, each claims one refund, done; TLS: the program made of tls.c
cases.py answers | odd | requests | tls
                                   the names of the cases
cases.py table LOG                 reads stream lines; per case "CASE VERDICT[(REASON)]", and "WRONG ..." where the
                                   service's log contradicts it
"""
import gzip
import http.client
import json
import os
import secrets
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse

HOST = "payments.test"
BODY = b'{"order_id":"A17","amount_cents":1900}'
DONE = b'{"id":"r_1","status":"posted"}'
ERRORS = b'{"errors":[{"code":"refused"}]}'


def reply(body, head=b"", status=b"HTTP/1.1 201 Created"):
    return status + b"\r\ncontent-type: application/json\r\n" + head + b"content-length: %d\r\n\r\n%s" % (len(body), body)


def chunks(*parts, ext=b"", trailer=b""):
    body = b"".join(b"%x%s\r\n%s\r\n" % (len(p), ext, p) for p in parts)
    return (b"HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n" + body +
            b"0\r\n" + trailer + b"\r\n")


def packed(data, coding=b"gzip"):
    return reply(data, b"content-encoding: " + coding + b"\r\n")


def until_close(body):
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n" + body


# What the service answers to a refund: the bytes (a list: one write each; None: no answer) and whether it made the refund.
ANSWERS = {
    "plain": (reply(DONE), True),
    "refused": (reply(ERRORS, status=b"HTTP/1.1 200 OK"), False),
    "interim": ([b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" * 5000, reply(DONE)], True),
    "interim_error": ([b"HTTP/1.1 102 Processing\r\n\r\n" * 100, reply(ERRORS, status=b"HTTP/1.1 200 OK")], False),
    "no_content": (b"HTTP/1.1 204 No Content\r\n\r\n", True),
    "no_content_body": (reply(ERRORS, status=b"HTTP/1.1 204 No Content"), True),
    "not_modified": (reply(ERRORS, status=b"HTTP/1.1 304 Not Modified"), False),
    "trailers": (chunks(DONE, trailer=b"x-error: yes\r\ncontent-encoding: gzip\r\nstatus: 500\r\n"), True),
    "extensions": (chunks(DONE, ext=b";" + b"a" * 12000 + b'="b"'), True),
    "chunk_errors": (chunks(*(bytes([c]) for c in ERRORS)), False),
    "chunk_zeros": (chunks(ERRORS).replace(b"\r\n1f\r\n", b"\r\n000000000000001f\r\n"), False),
    "te_and_cl": (chunks(ERRORS).replace(b"\r\n\r\n", b"\r\ncontent-length: 3\r\n\r\n", 1), False),
    "two_cl": (reply(ERRORS, b"content-length: 2\r\n"), False),
    "same_cl": (reply(DONE, b"content-length: %d\r\n" % len(DONE)), True),
    "bare_lf": (reply(DONE).replace(b"\r\n", b"\n"), True),
    "folded": (reply(DONE, b"x-a: b\r\n c\r\n"), True),
    "long_field": (reply(DONE, b"x-a: " + b"b" * 70000 + b"\r\n"), True),
    "many_fields": (reply(DONE, b"x-a: b\r\n" * 10000), True),
    "cut_0": (until_close(b""), False),
    "cut_1": (until_close(b" \n"), False),
    "cut_2": (until_close(ERRORS[:1]), False),
    "cut_9": (until_close(ERRORS[:9]), False),
    "cut_30": (until_close(ERRORS[:-1]), False),
    "uncut": (until_close(DONE), True),
    "short": (reply(ERRORS)[:-len(ERRORS)], False),
    "bomb": (packed(gzip.compress(bytes(64 << 20))), True),
    "gzip": (packed(gzip.compress(DONE)), True),
    "gzip_error": (packed(gzip.compress(ERRORS)), False),
    "gzip_twice": (packed(gzip.compress(gzip.compress(ERRORS)), b"gzip, gzip"), False),
    "gzip_members": (packed(gzip.compress(b"") + gzip.compress(ERRORS)), False),
    "gzip_tail": (packed(gzip.compress(b"{}") + ERRORS), False),
    "gzip_named": (packed(gzip.compress(ERRORS), b"x-gzip"), False),
    "gzip_unsaid": (reply(gzip.compress(ERRORS)), False),
    "gzip_te": (chunks(gzip.compress(ERRORS)).replace(b"chunked", b"gzip, chunked"), False),
    "gzip_identity": (packed(gzip.compress(ERRORS), b"identity\r\ncontent-encoding: gzip"), False),
    "empty_gzip": (packed(b""), True),
    "two_keys": (reply(b'{"errors":null,"errors":[1]}'), False),
    "escaped_key": (reply(rb'{"\u0065rrors":[1]}'), False),
    "bom": (reply(b"\xef\xbb\xbf" + ERRORS), False),
    "utf16": (reply(ERRORS.decode().encode("utf-16")), False),
    "two_documents": (reply(b'{"id":"r_1"}\n' + ERRORS), False),
    "deep": (reply(b'{"a":' + b"[" * 100 + b"]" * 100 + b"," + ERRORS[1:]), False),
    "after_cap": (reply(b'{"pad":"' + b"x" * (3 << 19) + b'",' + ERRORS[1:]), False),
    "before_cap": (reply(ERRORS[:-1] + b',"pad":"' + b"x" * (3 << 19) + b'"}'), False),
    "no_reason": (reply(DONE, status=b"HTTP/1.1 201"), True),
    "old_version": (reply(DONE, status=b"HTTP/1.0 201 Created"), True),
    "two_digits": (reply(DONE, status=b"HTTP/1.1 20 OK"), False),
    "four_digits": (reply(DONE, status=b"HTTP/1.1 2010 OK"), False),
    "status_600": (reply(DONE, status=b"HTTP/1.1 600 OK"), False),
    "long_reason": (reply(DONE, status=b"HTTP/1.1 201 " + b"a" * 30000), True),
    "teapot": (reply(DONE, status=b"HTTP/1.1 418 201 Created"), False),
    "spaces": (reply(DONE, status=b"HTTP/1.1   201 Created"), True),
    "bytewise": ([bytes([c]) for c in reply(ERRORS, status=b"HTTP/1.1 200 OK")], False),
    "mute": (None, True),
    "extra": ([reply(DONE), reply(ERRORS, status=b"HTTP/1.1 500 Sorry")], True),
    "redirect": (b"HTTP/1.1 307 Moved\r\nlocation: /v2/refunds\r\ncontent-length: 0\r\n\r\n", False),
}
REFUND = ANSWERS["plain"]


# --- the service --------------------------------------------------------------------------------

class Service:
    def __init__(self, log):
        self.log, self.lock = open(log, "a", encoding="utf-8"), threading.Lock()

    def note(self, **row):
        with self.lock:
            self.log.write(json.dumps(row) + "\n")
            self.log.flush()

    def request(self, reader):
        """Strict: Content-Length or chunks, nothing else."""
        line = reader.readline().strip(b"\r\n")
        while line == b"" and reader.peek(1):
            line = reader.readline().strip(b"\r\n")
        if not line:
            return None
        method, target = line.decode("latin-1").split(" ")[:2]
        fields = {}
        while (field := reader.readline().strip(b"\r\n")):
            name, _, value = field.partition(b":")
            fields[name.strip().lower().decode("latin-1")] = value.strip().decode("latin-1")
        return method, target, fields

    def body(self, reader, fields):
        if "chunked" not in fields.get("transfer-encoding", ""):
            return reader.read(int(fields.get("content-length", 0)))
        data = b""
        while (size := int(reader.readline().split(b";")[0], 16)):
            data += reader.read(size)
            reader.readline()
        while reader.readline().strip(b"\r\n"):
            pass
        return data

    def answer(self, connection, case, parts):
        for part in parts if isinstance(parts, list) else [parts]:
            connection.sendall(part)

    def serve(self, raw, context):
        try:
            connection = context.wrap_socket(raw, server_side=True)
            reader = connection.makefile("rb")
            while (request := self.request(reader)):
                method, target, fields = request
                case = fields.get("x-case", "")
                early = case.startswith("early") and method == "POST"
                if early:
                    self.reply(connection, case, method, target)
                self.body(reader, fields)
                if not early and not self.reply(connection, case, method, target):
                    break
            # No close_notify: a cut looks like this.
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1)
        except (OSError, ValueError, ssl.SSLError):
            pass
        raw.close()

    def reply(self, connection, case, method, target):
        path = urllib.parse.unquote(target.removeprefix(f"https://{HOST}").partition("?")[0])
        refund = method == "POST" and path == "/v1/refunds"
        if not refund:
            self.note(case=case, method=method, target=target, effect=False, refund=False)
            self.answer(connection, case, reply(b"{}", status=b"HTTP/1.1 200 OK"))
            return True
        parts, effect = ANSWERS.get(case, REFUND)
        if case in ("early_refused", "hidden_reply"):
            parts, effect = ANSWERS["refused"]
        self.note(case=case, method=method, target=target, effect=effect, refund=True, answered=parts is not None)
        if parts is None:
            return True
        self.answer(connection, case, parts)
        return case not in ANSWERS


def server(cert, key, log):
    service = Service(log)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    context.options |= 1 << 8  # SSL_OP_ALLOW_CLIENT_RENEGOTIATION
    listener = socket.create_server(("0.0.0.0", 443), backlog=256)
    print("ready 443", flush=True)
    while True:
        threading.Thread(target=service.serve, args=(listener.accept()[0], context), daemon=True).start()


# --- the program --------------------------------------------------------------------------------

def post(case, target="/v1/refunds", fields="", body=BODY, length=None, method="POST", host=HOST):
    length = len(body) if length is None else length
    return (f"{method} {target} HTTP/1.1\r\nhost: {host}\r\nx-case: {case}\r\n{fields}"
            f"content-length: {length}\r\n\r\n").encode() + body


def connect():
    context = ssl.create_default_context(cafile=os.environ["CA_FILE"])
    context.suppress_ragged_eofs = True
    return context.wrap_socket(socket.create_connection((HOST, 443), 20), server_hostname=HOST)


def drain(s, size=65536):
    try:
        while s.recv(size):
            pass
    except (OSError, ssl.SSLError):
        pass


def one(s, size=65536):
    """One answer with a Content-Length."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += s.recv(size)
    head, _, rest = data.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    while len(rest) < length:
        rest += s.recv(size)
    return head


def simple(case):
    with connect() as s:
        s.sendall(post(case))
        s.settimeout(0.3 if case == "mute" else 20)
        drain(s)


def sent(case, *parts, answers=1):
    with connect() as s:
        for part in parts:
            s.sendall(part)
        for _ in range(answers):
            one(s)


def tail(case):
    """The refund is in the part of one write that is over the cap; its answer is not waited for."""
    s = connect()
    s.sendall(post(case, "/upload", body=bytes(1200 << 10)) + post(case))
    one(s)
    s.close()


def smuggle(case):
    """The head of an upload is over the cap; its content looks like a refund, and gets the upload's answer."""
    fake = post(case)
    with connect() as s:
        s.sendall(post(case, "/upload", body=bytes(1200 << 10)) + post(case, "/upload", body=b"", length=len(fake)))
        one(s)
        s.sendall(fake)
        one(s)


def early_smuggle(case):
    """An upload is answered before it is complete; its rest looks like a refund and its answer."""
    fake = post(case)
    chunk = b"%x\r\n%s\r\n" % (1 << 19, bytes(1 << 19))
    with connect() as s:
        s.sendall(f"POST /upload HTTP/1.1\r\nhost: {HOST}\r\nx-case: {case}\r\ntransfer-encoding: chunked\r\n\r\n".encode() +
                  chunk * 3 + b"%x\r\n" % len(fake))
        one(s)
        s.sendall(fake)
        s.sendall(b"\r\n0\r\n\r\n" + post(case, "/health", body=b"", method="GET"))
        one(s)


def pipelined(case):
    sent(case, post(case) + post(case, "/other") + post(case, "/third", method="GET", body=b""), answers=3)


def pipeline_unread(case):
    s = connect()
    s.sendall(post(case, "/other") + post(case))
    one(s, 60)
    s.close()


def tls(case):
    subprocess.run([sys.argv[2], case, HOST, os.environ["CA_FILE"]], check=True)


def later(shift):
    """Times of a span that are not those of the call."""
    def times(case):
        sent(case, post(case))
        return shift(time.time_ns())
    return times


def long_target(case):
    """Cut at the bound it reads like the declared path."""
    sent(case, post(case, "/." * 506 + "/v1/refunds" + "-of-last-year" * 20))


CASES = {
    "nothing": lambda c: None,
    "tail": tail, "smuggle": smuggle, "early_smuggle": early_smuggle, "pipelined": pipelined,
    "pipeline_unread": pipeline_unread, "long_target": long_target,
    "early_done": lambda c: sent(c, post(c)), "early_refused": lambda c: sent(c, post(c)),
    "future": later(lambda now: (now - 10**9, now + 10**11)), "backwards": later(lambda now: (now, now - 10**8)),
    "unset_times": later(lambda now: (0, 0)), "no_time": later(lambda now: (now, now)),
    "dots": lambda c: sent(c, post(c, "/health/../v1/refunds")),
    "escaped": lambda c: sent(c, post(c, "/v1/%72efunds")),
    "absolute": lambda c: sent(c, post(c, f"https://{HOST}/v1/refunds")),
    "absolute_other": lambda c: sent(c, post(c, "https://other.test/v1/refunds")),
    "two_hosts": lambda c: sent(c, post(c, fields="host: other.test\r\n")),
    "query": lambda c: sent(c, post(c, "/v1/refunds?" + "a" * 3000)),
}
TLS_CASES = ("hidden_bio", "hidden_slack", "hidden_reply", "tls12_gcm", "tls12_cbc", "tls12_chacha", "renegotiate", "key_update",
             "retry_hello", "resume", "huge_write", "empty_write", "partial", "nonblock", "peek", "peek_only", "tiny", "half_close",
             "memory_bio", "thread", "fork", "fork_both", "thousands", "free_first", "dup", "killed", "inherit_exec", "reuse_object",
             "ex", "bio_chain", "inner", "passed")
# Answers that the monitor does not decode: they weaken what is said of others in the same scope.
ODD = ("te_and_cl", "two_cl", "same_cl", "bare_lf", "long_field", "many_fields", "two_digits", "four_digits", "spaces", "extra",
       "no_content_body", "not_modified")
# Answers of many segments: two that pass each other on the way leave a record's bounds unknown, and weaken in the same way.
LONG = ("extensions", "long_reason")
LISTS = {"answers": [a for a in ANSWERS if a not in ODD + LONG], "odd": ODD, "long": LONG, "requests": tuple(CASES), "tls": TLS_CASES}
CASES |= dict.fromkeys(ANSWERS, simple) | dict.fromkeys(TLS_CASES, tls)


def claim(case, begun, ended):
    attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "refund_order",
                  "gen_ai.tool.type": "function", "gen_ai.tool.call.id": case}
    span = {"traceId": secrets.token_hex(16), "spanId": secrets.token_hex(8), "name": "execute_tool refund_order",
            "kind": 1, "startTimeUnixNano": str(begun), "endTimeUnixNano": str(ended), "status": {"code": 1},
            "attributes": [{"key": k, "value": {"stringValue": v}} for k, v in attributes.items()]}
    connection = http.client.HTTPConnection(os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"].removeprefix("http://"), timeout=20)
    connection.request("POST", "/v1/traces", json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}),
                       {"content-type": "application/json"})
    assert connection.getresponse().status == 200


def client(cases):
    for case in cases:
        begun = time.time_ns()
        times = CASES[case](case)
        claim(case, *(times or (begun, time.time_ns())))


# Answered by the service, but the process was gone when the answer came.
UNDELIVERED = ("killed",)


# --- what it came to ----------------------------------------------------------------------------

def contradicts(verdict, rows):
    made = sum(r["effect"] for r in rows)
    stands = {
        "CONFIRMED_T1": made == 1,
        "DUPLICATE_EFFECT": made > 1,
        "POSSIBLE_DUPLICATE": len(rows) > 1,
        "MASKED_ERROR": rows and not made,
        "ATTEMPTED_FAILED": not made,
        "REPLY_LOST": rows and (not rows[-1]["answered"] or rows[-1]["case"] in UNDELIVERED),
        "ACTED_UNDECODED": bool(rows),
    }.get(verdict, verdict == "UNVERIFIABLE" or not rows)
    return not stands


def table(log):
    with open(log, encoding="utf-8") as lines:
        truth = [json.loads(line) for line in lines]
    verdicts = {}
    for line in sys.stdin:
        record = json.loads(line)["record"]
        if record and record["kind"] == "verdict":
            verdicts[record["toolCallId"]] = record
    for case, v in verdicts.items():
        rows = [r for r in truth if r["case"] == case and r["refund"]]
        said = v["verdict"] + (f"({v['reason']})" if v.get("reason") else "")
        wrong = "WRONG " if contradicts(v["verdict"], rows) else ""
        print(f"{wrong}{case} {said} requests={len(rows)} made={sum(r['effect'] for r in rows)}"
              + (f" # {v['summary']}" if wrong else ""))


if __name__ == "__main__":
    if sys.argv[1] == "server":
        server(*sys.argv[2:])
    elif sys.argv[1] == "client":
        client(sys.argv[3:])
    elif sys.argv[1] in LISTS:
        print("\n".join(LISTS[sys.argv[1]]))
    else:
        table(sys.argv[2])
