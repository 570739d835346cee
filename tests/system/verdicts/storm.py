#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""storm.py SEED CALLS AT-ONCE TRACED: many tool calls at a time in one process, drawn by SEED: what the service will answer,
whether the call is made at all, whether the tool tells the truth about it, and (TRACED of 100) whether the trace context
goes along. Connections are kept alive and shared. The x-tag of a call is its tool call id; spans go out in batches.
Environment as the agents."""
import asyncio
import json
import os
import random
import ssl
import sys
import time
import urllib.request

seed, calls, at_once, traced = map(int, sys.argv[1:])
rng = random.Random(seed)
context = ssl.create_default_context(cafile=os.environ["CA_FILE"])
idle, spans = [], []


async def post(order, headers):
    reader, writer = idle.pop() if idle else await asyncio.open_connection("payments.test", 443, ssl=context)
    body = json.dumps({"order_id": order, "amount_cents": 100}).encode()
    head = {"host": "payments.test", "content-type": "application/json", "content-length": len(body)} | headers
    writer.write(b"POST /v1/refunds HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in head.items()).encode() + b"\r\n")
    if rng.random() < 0.3:
        await writer.drain()
    writer.write(body)
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        await reader.readexactly(int(head.split("content-length: ")[1].split("\r")[0]))
    except (OSError, asyncio.IncompleteReadError):
        writer.close()
        return 0
    idle.append((reader, writer))
    return int(head.split()[1])


def flush(batch):
    body = {"resourceSpans": [{"scopeSpans": [{"spans": batch}]}]}
    request = urllib.request.Request(os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] + "/v1/traces", json.dumps(body).encode(),
                                     {"content-type": "application/json"})
    urllib.request.urlopen(request, timeout=30).read()


async def call(number, gate):
    async with gate:
        call_id = f"{os.environ['AGENT_TAG']}-{seed}-{number}"
        order = rng.choice("AAAABBCDFG") + str(number)
        trace, span = rng.randbytes(16).hex(), rng.randbytes(8).hex()
        headers = {"x-tag": call_id} | ({"traceparent": f"00-{trace}-{span}-01"} if rng.random() * 100 < traced else {})
        begun, status, lie = time.time_ns(), 0, rng.random() < 0.7
        if rng.random() < 0.75:
            status = await post(order, headers)
        code = 1 if lie or 200 <= status < 300 else 2
        attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "refund_order", "gen_ai.tool.call.id": call_id}
        spans.append({"traceId": trace, "spanId": span, "name": "execute_tool", "kind": 1, "status": {"code": code},
                      "startTimeUnixNano": str(begun), "endTimeUnixNano": str(time.time_ns()),
                      "attributes": [{"key": k, "value": {"stringValue": v}} for k, v in attributes.items()]})
        if len(spans) >= 25:
            batch = spans[:]
            spans.clear()
            await asyncio.to_thread(flush, batch)


async def main():
    gate = asyncio.Semaphore(at_once)
    await asyncio.gather(*(call(n, gate) for n in range(calls)))
    flush(spans)


asyncio.run(main())
