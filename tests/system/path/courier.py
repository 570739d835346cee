#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""An agent that sends prompts the ways there are: each case is a function, one process each.

courier.py CASE [ARGUMENT...]

From the environment: CLIENT_LOG, CA_FILE, AGENT_TAG, SEED, OTEL_EXPORTER_OTLP_ENDPOINT. CLIENT_LOG gets lines of JSON: every
connection that was tried, with both of its ends; every prompt.
"""
import base64
import concurrent.futures
import gzip
import http.client
import ipaddress
import json
import os
import random
import socket
import ssl
import struct
import subprocess
import sys
import threading
import urllib.parse

sys.path.insert(0, os.environ["WW_LIB"] + "/agents/python")
import agent  # noqa: E402  spans, and the way they go out

CASE, ARGUMENTS = sys.argv[1], sys.argv[2:]
drawn = random.Random(f"{os.environ['SEED']} {os.environ['AGENT_TAG']} {CASE}")
lock = threading.Lock()


def note(**row):
    with lock, open(os.environ["CLIENT_LOG"], "a", encoding="utf-8") as log:
        log.write(json.dumps({"case": CASE, "tag": os.environ["AGENT_TAG"], "pid": os.getpid()} | row) + "\n")


def words(size):
    """Text that no other prompt has."""
    text = ""
    while len(text) < size:
        text += "".join(drawn.choices("abcdefghijklmnopqrstuvwxyz", k=drawn.randint(3, 9))) + drawn.choice("    .,\n")
    return text[:size]


def prompt(size=None):
    text = words(size or drawn.randint(700, 20_000))
    note(prompt=text)
    return text


def asked(text, model="gpt-5-mini", **more):
    return json.dumps({"model": model, "messages": [{"role": "system", "content": "Answer in one line."},
                                                    {"role": "user", "content": text}]} | more).encode()


def context():
    return ssl.create_default_context(cafile=os.environ["CA_FILE"])


class Way:
    """A connection. sni: another name than the one that is resolved; None: no TLS."""

    def __init__(self, host, port=443, sni="", raw=None):
        self.host = host
        self.raw = raw or connect(host, port)
        self.s = self.raw if sni is None else context().wrap_socket(self.raw, server_hostname=sni or host)

    def send(self, path, body, headers=None, authority=None):
        head = {"host": authority or self.host, "content-type": "application/json", "authorization": "Bearer test-key",
                "x-tag": os.environ["AGENT_TAG"], "content-length": str(len(body))} | agent.trace_headers() | (headers or {})
        self.s.sendall((f"POST {path} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in head.items()) + "\r\n").encode() + body)

    def answer(self):
        reply = http.client.HTTPResponse(self.s)
        reply.begin()
        return reply.status, reply.headers, reply.read()

    def ask(self, path, body, **more):
        self.send(path, body, **more)
        return self.answer()

    def close(self):
        self.s.close()


def connect(host, port=443, family=0):
    """To the first of its addresses, and no other."""
    kind, _, _, _, address = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)[0]
    raw = socket.socket(kind, socket.SOCK_STREAM)
    try:
        raw.connect(address)
    except OSError as error:
        note(tried=f"{address[0]}:{address[1]}", error=type(error).__name__)
        raise
    note(tried=f"{address[0]}:{address[1]}", local="%s:%d" % raw.getsockname()[:2])
    return raw


CHAT = "/v1/chat/completions"


def chat_span(host, **more):
    return agent.span_of("chat gpt-5-mini", agent.KIND_CLIENT, {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-5-mini",
        "server.address": host, "server.port": 443} | more)


def told(span, body):
    span.update({"gen_ai.response.id": json.loads(body)["id"]})


# --- the cases --------------------------------------------------------------------------------------

def simple(host="api-eu.test", region=None):
    """One request, as the span says: with the region that it claims."""
    with chat_span(host, **({"cloud.region": region} if region else {})) as span:
        way = Way(host)
        told(span, way.ask(CHAT, asked(prompt()))[2])
        way.close()


def rewritten(other, host):
    """One name is resolved by DNS, the one that is used is not."""
    socket.getaddrinfo(other, 443)
    simple(host)


def failover(*hosts):
    """The same body to one host after the other, until there is an answer. A reset or a 5xx is none."""
    body = asked(prompt())
    with chat_span(hosts[0]) as span:
        for host in hosts:
            try:
                way = Way(host)
                status, _, got = way.ask(CHAT, body)
            except OSError:
                continue
            way.close()
            if status == 200:
                told(span, got)
                return
    sys.exit("nobody answered")


def anthropic(*hosts):
    """As failover, in another provider's words."""
    body = json.dumps({"model": "claude-sonnet-5", "max_tokens": 64, "system": "Answer in one line.", "messages": [
        {"role": "user", "content": [{"type": "text", "text": prompt()}]}]}).encode()
    with agent.span_of("chat claude-sonnet-5", agent.KIND_CLIENT, {
            "gen_ai.operation.name": "chat", "gen_ai.provider.name": "anthropic", "server.address": hosts[0]}) as span:
        for host in hosts:
            way = Way(host)
            status, _, got = way.ask("/v1/messages", body, headers={"anthropic-version": "2023-06-01"})
            way.close()
            if status == 200:
                told(span, got)
                return
    sys.exit("nobody answered")


def retry(host):
    """A 503 is tried again on the same connection, then given up."""
    body = asked(prompt())
    with chat_span(host):
        way = Way(host)
        note(statuses=[way.ask(CHAT, body)[0] for _ in range(2)])
        way.close()


def pool(host, count="3"):
    """Several conversations over one connection."""
    way = Way(host)
    for _ in range(int(count)):
        with chat_span(host) as span:
            told(span, way.ask(CHAT, asked(prompt(2000)))[2])
    way.close()


def turns(host, elsewhere):
    """One conversation of two turns, the second one to another host."""
    messages = [{"role": "user", "content": prompt(1500)}]
    for where in (host, elsewhere):
        with chat_span(where) as span:
            way = Way(where)
            got = way.ask(CHAT, json.dumps({"model": "gpt-5-mini", "messages": messages}).encode())[2]
            way.close()
            told(span, got)
            messages += [json.loads(got)["choices"][0]["message"], {"role": "user", "content": "And then?"}]


def eyeballs(*addresses, host="api-eu.test"):
    """Connections are raced; the prompt goes over the last one alone."""
    for address in addresses[:-1]:
        raw = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        raw.settimeout(0.25)  # as RFC 8305 has it; nothing is waited for behind it
        try:
            raw.connect((address, 443))
            note(tried=f"{address}:443", local="%s:%d" % raw.getsockname()[:2])
        except OSError as error:
            note(tried=f"{address}:443", error=type(error).__name__)
        raw.close()
    address = addresses[-1]
    with chat_span(host) as span:
        raw = connect(address)
        way = Way(host, raw=raw)
        told(span, way.ask(CHAT, asked(prompt()))[2])
        way.close()


def raced(name, host):
    """As a resolver and RFC 8305 have it: all addresses of a name, IPv6 first; the prompt goes over the last one alone."""
    addresses = {a[4][0] for a in socket.getaddrinfo(name, 443, type=socket.SOCK_STREAM)}
    eyeballs(*sorted(addresses, key=lambda a: (":" not in a, a)), host=host)


def redirect(host):
    """A 307 is followed: the body goes again to where it says."""
    body = asked(prompt())
    with chat_span(host) as span:
        way = Way(host)
        status, headers, _ = way.ask(CHAT, body)
        way.close()
        note(status=status, location=headers["location"])
        way = Way(urllib.parse.urlsplit(headers["location"]).hostname)
        told(span, way.ask(CHAT, body)[2])
        way.close()


def hedge(*hosts):
    """The same request to all of them at once; whoever is first wins, the others are hung up on."""
    body = asked(prompt())
    with chat_span(hosts[0]) as span:
        ways = [Way(host) for host in hosts]
        for way in ways:
            way.send(CHAT, body)
        told(span, ways[0].answer()[2])
        for way in ways:
            way.close()


def fronting(host, hidden):
    """The name of one in the hello, that of another in the request."""
    with chat_span(host) as span:
        way = Way(host)
        told(span, way.ask(CHAT, asked(prompt()), authority=hidden)[2])
        way.close()


def mapped(address):
    """IPv4 over a socket of IPv6."""
    with chat_span("api-sg.test") as span:
        raw = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
        raw.connect((f"::ffff:{address}", 443))
        note(tried=f"{address}:443", local="%s:%d" % (ipaddress.ip_address(raw.getsockname()[0]).ipv4_mapped, raw.getsockname()[1]))
        way = Way("api-sg.test", raw=raw)
        told(span, way.ask(CHAT, asked(prompt()))[2])
        way.close()


def gateway(port, *to, plain=False, same=None):
    """Through a gateway of this host; several at once, each in a thread and a trace of its own."""
    def one(host):
        with chat_span("localhost") as span:
            way = Way("localhost", int(port), sni=None if plain else "")
            told(span, way.ask(CHAT, asked(same or prompt(4000)), headers={"x-to": f"https://{host}"})[2])
            way.close()
    with concurrent.futures.ThreadPoolExecutor(len(to)) as threads:
        list(threads.map(one, to))


def gateway_plain(port, *to):
    gateway(port, *to, plain=True)


def gateway_same(port, *to):
    """The same prompt in all of them."""
    gateway(port, *to, same=prompt(4000))


def copy(host, saas, form):
    """Asks inside the policy, and then ships the prompt elsewhere: a trace exporter, a vector store, a log."""
    text = prompt()
    with chat_span(host) as span:
        way = Way(host)
        told(span, way.ask(CHAT, asked(text))[2])
        way.close()
    otlp = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [{
        "traceId": "0" * 31 + "1", "spanId": "0" * 15 + "1", "name": "chat", "attributes": [
            {"key": "gen_ai.input.messages", "value": {"stringValue": json.dumps([{"role": "user", "parts": [
                {"type": "text", "content": text}]}])}}]}]}]}]}).encode()
    body, headers = {
        "otlp": lambda: (otlp, {}),
        "otlp-gzip": lambda: (gzip.compress(otlp), {"content-encoding": "gzip"}),
        "vector": lambda: (json.dumps({"vectors": [{"id": "1", "values": [0.5] * 8, "metadata": {"text": text}}]}).encode(), {}),
        "base64": lambda: (json.dumps({"log": base64.b64encode(text.encode()).decode()}).encode(), {}),
        "zstd": lambda: (subprocess.run(["zstd", "-qc"], input=otlp, stdout=subprocess.PIPE, check=True).stdout, {"content-encoding": "zstd"}),
        "base64-gzip": lambda: (json.dumps({"log": base64.b64encode(gzip.compress(text.encode())).decode()}).encode(), {}),
        "half": lambda: (json.dumps({"text": text[len(text) // 3:]}).encode(), {}),
        "plain": lambda: (text.encode(), {"content-type": "text/plain"}),
        # What cannot be read: a stream cipher's output of the same size.
        "sealed": lambda: (bytes(a ^ b for a, b in zip(text.encode(), drawn.randbytes(len(text)))), {"content-type": "application/octet-stream"}),
        # Something else of the same size.
        "other": lambda: (words(len(text)).encode(), {"content-type": "text/plain"}),
    }[form]()
    way = Way(saas)
    way.ask("/v1/traces", body, headers=headers)
    way.close()


def forged_trace(host, trace, parent):
    """Somebody else's trace context in the request."""
    way = Way(host)
    way.ask(CHAT, asked(prompt()), headers={"traceparent": f"00-{trace}-{parent}-01"})
    way.close()


def show_trace(host, file):
    """Asks, and says in FILE by which trace context."""
    with chat_span(host) as span:
        with open(file, "w", encoding="utf-8") as out:
            out.write(f"{span.body['traceId']} {span.body['spanId']}\n")
        way = Way(host)
        told(span, way.ask(CHAT, asked(prompt()))[2])
        way.close()


def socks(port, host):
    """Through a proxy process: TLS to the far host, TCP to the proxy."""
    with chat_span(host) as span:
        raw = connect("127.0.0.1", int(port))
        raw.sendall(b"\5\1\0")
        assert raw.recv(2) == b"\5\0"
        raw.sendall(b"\5\1\0\3" + bytes([len(host)]) + host.encode() + struct.pack("!H", 443))
        assert raw.recv(10)[:2] == b"\5\0"
        way = Way(host, raw=raw)
        told(span, way.ask(CHAT, asked(prompt()))[2])
        way.close()


def pass_on(path, host):
    """Opens the connection; a helper gets it through a unix socket and writes to it."""
    raw = connect(host)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as helper:
        helper.connect(path)
        socket.send_fds(helper, [host.encode()], [raw.fileno()])
        raw.close()
        assert helper.recv(4) == b"done"


def helper(path):
    """The other end of pass_on."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(path)
        listener.listen()
        print("ready 0", flush=True)
        s, _ = listener.accept()
        host, fds, _, _ = socket.recv_fds(s, 256, 1)
        way = Way(host.decode(), raw=socket.socket(fileno=fds[0]))
        way.ask(CHAT, asked(prompt()))
        way.close()
        s.sendall(b"done")


def between(host, *command):
    """A prompt, then a program that does something, then the prompt once more."""
    body = asked(prompt(1000))
    with chat_span(host) as span:
        for command in (command, None):
            way = Way(host)
            told(span, way.ask(CHAT, body)[2])
            way.close()
            if command:
                subprocess.run(command, check=True)


def opaque(host):
    """Something that is no protocol that anybody reads. It fits one segment: a server that closes before it has read all of it resets."""
    raw = connect(host)
    raw.sendall(b"SSH-2.0-courier\r\n" + drawn.randbytes(1300))
    while raw.recv(4096):
        pass
    raw.close()


def stream(host):
    """A streamed answer, to its end."""
    with chat_span(host):
        way = Way(host)
        way.ask(CHAT, asked(prompt(), stream=True))
        way.close()


CASES = {f.__name__.replace("_", "-"): f for f in (
    simple, rewritten, failover, anthropic, retry, pool, turns, eyeballs, raced, redirect, hedge, fronting, mapped, gateway, gateway_plain, gateway_same, copy, forged_trace,
    show_trace, socks, pass_on, helper, between, opaque, stream)}
CASES[CASE.partition(".")[0]](*ARGUMENTS)
if agent.ended:
    agent.flush()
