#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The demo agent as a third-party runtime would have it: asyncio and ssl of the standard library, HTTP/1.1 by hand.

    agent.py '[{"order":"A17","mode":"real"}]'

Turns and modes (real, masked, skip) are those of ../node/refund_tool.mjs, the model speaks the OpenAI shape. Spans go
out as OTLP/HTTP JSON at the end of each turn. From the environment: OPENAI_BASE_URL, PAYMENTS_URL, CA_FILE,
OTEL_EXPORTER_OTLP_ENDPOINT, TOOL_TIMEOUT_MS, AGENT_STREAM=1, AGENT_TAG, AGENT_TRACEPARENT=0.
"""
import asyncio
import contextlib
import contextvars
import json
import os
import secrets
import ssl
import sys
import time
import urllib.parse
import urllib.request

SERVICE = "refund-agent-py"
MODEL = "gpt-5-mini"
BASE_URL = os.environ.get("OPENAI_BASE_URL", "https://api.provider.test/v1")
PAYMENTS_URL = os.environ.get("PAYMENTS_URL", "https://payments.test")
OTLP_URL = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318") + "/v1/traces"
TIMEOUT_S = int(os.environ.get("TOOL_TIMEOUT_MS", "10000")) / 1000
STREAM = os.environ.get("AGENT_STREAM") == "1"
KIND_INTERNAL, KIND_CLIENT = 1, 3
OK, ERROR = 1, 2

TOOLS = [{"type": "function", "function": {
    "name": "refund_order", "description": "Refund an order.",
    "parameters": {"type": "object", "required": ["order_id", "amount_cents"], "properties": {
        "order_id": {"type": "string"}, "amount_cents": {"type": "integer"}}}}}]


# --- spans ---------------------------------------------------------------------------------------

active = contextvars.ContextVar("active", default=None)
ended = []


def attribute(key, value):
    if isinstance(value, bool):
        return {"key": key, "value": {"boolValue": value}}
    if isinstance(value, int):
        return {"key": key, "value": {"intValue": str(value)}}
    if isinstance(value, list):
        return {"key": key, "value": {"arrayValue": {"values": [{"stringValue": v} for v in value]}}}
    return {"key": key, "value": {"stringValue": value}}


class Span:
    def __init__(self, name, kind, parent):
        self.parent = parent
        self.body = {
            "traceId": parent.body["traceId"] if parent else secrets.token_hex(16),
            "spanId": secrets.token_hex(8), "name": name, "kind": kind,
            "startTimeUnixNano": str(time.time_ns()), "attributes": [], "events": [], "status": {}, "flags": 1,
        }
        if parent:
            self.body["parentSpanId"] = parent.body["spanId"]

    def update(self, attributes):
        self.body["attributes"] += [attribute(k, v) for k, v in attributes.items()]

    def event(self, name, attributes):
        self.body["events"].append({"name": name, "timeUnixNano": str(time.time_ns()),
                                    "attributes": [attribute(k, v) for k, v in attributes.items()]})

    def status(self, code, message=None):
        self.body["status"] = {"code": code} | ({"message": message} if message else {})


@contextlib.contextmanager
def span_of(name, kind, attributes):
    span = Span(name, kind, active.get())
    span.update(attributes)
    token = active.set(span)
    try:
        yield span
    finally:
        active.reset(token)
        span.body["endTimeUnixNano"] = str(time.time_ns())
        ended.append(span.body)


def trace_headers():
    span = active.get()
    if not span or os.environ.get("AGENT_TRACEPARENT") == "0":
        return {}
    return {"traceparent": f"00-{span.body['traceId']}-{span.body['spanId']}-01"}


def flush():
    body = {"resourceSpans": [{
        "resource": {"attributes": [attribute("service.name", SERVICE), attribute("process.pid", os.getpid())]},
        "scopeSpans": [{"scope": {"name": SERVICE}, "spans": ended[:]}]}]}
    ended.clear()
    request = urllib.request.Request(OTLP_URL, json.dumps(body).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as reply:
        reply.read()


# --- HTTP/1.1 ------------------------------------------------------------------------------------

class Connection:
    """One kept-alive connection to one origin; opened when first used, and again after it was lost."""

    context = None

    def __init__(self, origin):
        url = urllib.parse.urlsplit(origin)
        self.host, self.port = url.hostname, url.port or 443
        self.reader = self.writer = None

    async def open(self):
        if not Connection.context:
            Connection.context = ssl.create_default_context(cafile=os.environ.get("CA_FILE"))
        self.reader, self.writer = await asyncio.open_connection(self.host, self.port, ssl=Connection.context)

    async def request(self, method, path, headers, body):
        """Returns (status, body), the body read in full."""
        if not self.writer:
            await self.open()
        head = {"host": self.host, "content-type": "application/json", "content-length": str(len(body))} | headers
        lines = [f"{method} {path} HTTP/1.1"] + [f"{k}: {v}" for k, v in head.items()]
        self.writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        try:
            await self.writer.drain()
            return await self.response()
        except BaseException:
            self.writer.transport.abort()
            self.reader = self.writer = None
            raise

    async def response(self):
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        status = int(head[0].split()[1])
        if fields.get("transfer-encoding") != "chunked":
            return status, await self.reader.readexactly(int(fields.get("content-length", "0")))
        body = b""
        while True:
            size = int(await self.reader.readuntil(b"\r\n"), 16)
            chunk = await self.reader.readexactly(size + 2)
            if size == 0:
                return status, body
            body += chunk[:-2]

    async def close(self):
        if self.writer:
            self.writer.close()
            with contextlib.suppress(OSError, ssl.SSLError):
                await self.writer.wait_closed()


# --- the agent -----------------------------------------------------------------------------------

def tag_headers(turn, what):
    tag = os.environ.get("AGENT_TAG")
    return {"x-tag": f"{tag}-{turn['order']}-{what}"} if tag else {}


def put_together(body):
    """The whole answer from the chunks of a streamed one."""
    whole = {}
    message = {"role": "assistant", "content": None}
    for line in body.decode().split("\n"):
        if not line.startswith("data: ") or line == "data: [DONE]":
            continue
        chunk = json.loads(line[6:])
        whole |= {k: chunk[k] for k in ("id", "model")} | ({"usage": chunk["usage"]} if chunk.get("usage") else {})
        for choice in chunk["choices"]:
            delta = choice["delta"]
            if delta.get("content"):
                message["content"] = (message["content"] or "") + delta["content"]
            for piece in delta.get("tool_calls", []):
                calls = message.setdefault("tool_calls", [])
                if piece["index"] == len(calls):
                    calls.append({"id": piece["id"], "type": "function",
                                  "function": {"name": piece["function"]["name"], "arguments": ""}})
                calls[piece["index"]]["function"]["arguments"] += piece["function"]["arguments"]
            if choice["finish_reason"]:
                whole["choices"] = [{"message": message, "finish_reason": choice["finish_reason"]}]
    return whole


async def chat(model, turn, messages):
    base = urllib.parse.urlsplit(BASE_URL)
    with span_of(f"chat {MODEL}", KIND_CLIENT, {
            "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": MODEL,
            "gen_ai.conversation.id": turn["conversation"],
            "server.address": base.hostname, "server.port": base.port or 443}) as span:
        asked = {"model": MODEL, "messages": messages, "tools": TOOLS}
        if STREAM:
            asked |= {"stream": True, "stream_options": {"include_usage": True}}
        headers = {"authorization": "Bearer test-key"} | trace_headers() | tag_headers(turn, "model")
        status, body = await model.request("POST", base.path + "/chat/completions", headers, json.dumps(asked).encode())
        if status != 200:
            raise RuntimeError(f"the model answered {status}")
        reply = put_together(body) if STREAM else json.loads(body)
        span.update({
            "gen_ai.response.id": reply["id"], "gen_ai.response.model": reply["model"],
            "gen_ai.response.finish_reasons": [c["finish_reason"] for c in reply["choices"]],
            "gen_ai.usage.input_tokens": reply["usage"]["prompt_tokens"],
            "gen_ai.usage.output_tokens": reply["usage"]["completion_tokens"]})
        return reply["choices"][0]["message"]


async def post_refund(payments, turn, arguments):
    headers = trace_headers() | tag_headers(turn, "tool")
    post = payments.request("POST", "/v1/refunds", headers, arguments.encode())
    try:
        status, body = await asyncio.wait_for(post, TIMEOUT_S)
    except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError) as error:
        return {"error": type(error).__name__, "status": 0}
    reply = json.loads(body)
    if status >= 300:
        return {"error": reply.get("error", {}).get("code", "failed"), "status": status}
    return {"status": "ok", "id": reply.get("id")}


async def refund_order(payments, root, turn, call):
    with span_of("execute_tool refund_order", KIND_INTERNAL, {
            "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "refund_order", "gen_ai.tool.type": "function",
            "gen_ai.tool.call.id": call["id"], "gen_ai.conversation.id": turn["conversation"]}) as span:
        result = {"status": "ok"}
        if turn["mode"] != "skip":
            real = await post_refund(payments, turn, call["function"]["arguments"])
            if turn["mode"] == "real":
                result = real
        if "error" in result:
            span.update({"error.type": str(result["status"] or result["error"])})
            span.status(ERROR, result["error"])
        else:
            span.status(OK)
            root.event("wirewitness.claim", {
                "claim.id": f"claim-{call['id']}", "claim.action": "refund", "claim.tool": "refund_order",
                "claim.tool_call_id": call["id"], "claim.tense": "done"})
        return json.dumps(result)


async def run_turn(model, payments, turn, question):
    with span_of(f"invoke_agent {SERVICE}", KIND_INTERNAL, {
            "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": SERVICE,
            "gen_ai.conversation.id": turn["conversation"]}) as root:
        messages = [{"role": "system", "content": "You handle refunds for an online shop."},
                    {"role": "user", "content": question}]
        while True:
            message = await chat(model, turn, messages)
            if not message.get("tool_calls"):
                root.status(OK)
                return message["content"]
            messages.append(message)
            for call in message["tool_calls"]:
                content = await refund_order(payments, root, turn, call)
                messages.append({"role": "tool", "tool_call_id": call["id"], "content": content})


async def main():
    turns = json.loads(sys.argv[1] if len(sys.argv) > 1 else '[{"order":"A17","mode":"real"}]')
    model, payments = Connection(BASE_URL), Connection(PAYMENTS_URL)
    for index, turn in enumerate(turns):
        turn["conversation"] = f"conv-{os.getpid()}-{index + 1}"
        question = f"Please refund order {turn['order']}, {turn.get('cents', 2500)} cents."
        print(f"asked: {question}", flush=True)
        print(f"said: {await run_turn(model, payments, turn, question)}", flush=True)
        await asyncio.to_thread(flush)
    await model.close()
    await payments.close()


if __name__ == "__main__":
    asyncio.run(main())
