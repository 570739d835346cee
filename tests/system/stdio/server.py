#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A tool server over standard input and output, by hand. Its log is the ground truth: a line per call that came in,

    {"server": PID, "id": .., "tool": .., "order": .., "mode": .., "in": bytes of the message, "out": bytes of its answer,
     "effect": "done" | "none"}

    server.py LOG [URL]
    server.py LOG fork                 after the opening a process that it forks, and that executes nothing, goes on
    server.py LOG child                after the opening it runs a program that has its standard input
    server.py LOG vector               reads and writes by preadv2 and pwritev2 only

One JSON-RPC message per line, or a batch of them. `mode` of the call's arguments says what is done:
    ok, iserror, rpcerror      answered so
    big                        200 KB of text, by writev of several pieces
    drip                       the answer goes out in pieces of some bytes
    hold                       answered after the next call was
    half                       the first half of the answer, then the process kills itself
    mute                       no answer, and it goes on
    note                       the call has no id, and is carried out without an answer
    noise                      a line that is no message before the answer
    fan                        POSTs to URL/v1/refunds, and answers what came back
    splice                     the answer goes through a pipe of its own and splice()
"""
import json
import os
import signal
import ssl
import subprocess
import sys
import urllib.request

log = open(sys.argv[1], "a", encoding="utf-8", buffering=1)
url = sys.argv[2] if len(sys.argv) > 2 else None
held = []


def write_all(pieces):
    while pieces:
        n = os.pwritev(1, pieces[:16], -1) if url == "vector" else os.writev(1, pieces[:16])
        while pieces and n >= len(pieces[0]):
            n -= len(pieces[0])
            pieces = pieces[1:]
        if pieces and n:
            pieces = [pieces[0][n:]] + pieces[1:]


def fan_out(order):
    body = json.dumps({"order_id": order.rsplit("-")[-1], "amount_cents": 700}).encode()
    request = urllib.request.Request(url + "/v1/refunds", body, {"content-type": "application/json", "x-tag": f"fan-{order}"})
    context = ssl.create_default_context(cafile=os.environ["CA_FILE"])
    with urllib.request.urlopen(request, context=context, timeout=10) as reply:
        return reply.read().decode()


def text(value, **more):
    return {"result": {"content": [{"type": "text", "text": value}]} | more}


def answer(order, mode):
    if mode == "iserror":
        return text("not refundable", isError=True), "none"
    if mode == "rpcerror":
        return {"error": {"code": -32000, "message": "out of order"}}, "none"
    if mode == "big":
        return text(json.dumps({"id": f"r_{order}", "filler": "x" * 200_000})), "done"
    if mode == "fan":
        return text(fan_out(order)), "done"
    return text(json.dumps({"id": f"r_{order}"})), "done"


def send(line, mode):
    if mode == "big":
        write_all([line[at:at + 60_000] for at in range(0, len(line), 60_000)])
    elif mode == "drip":
        for at in range(0, len(line), 7):
            os.write(1, line[at:at + 7])
    elif mode == "noise":
        write_all([b"refunding ", b"...\n", line])
    elif mode == "splice":
        read, write = os.pipe()
        os.write(write, line)
        assert os.splice(read, 1, len(line)) == len(line)
        os.close(read)
        os.close(write)
    elif mode not in ("mute", "note"):
        write_all([line])


def call(message, size):
    arguments = message["params"]["arguments"]
    order, mode = arguments["order"], arguments["mode"]
    body, effect = answer(order, mode)
    reply = {"jsonrpc": "2.0", "id": message.get("id", 0)} | body
    line = json.dumps(reply).encode() + b"\n"
    log.write(json.dumps({"server": os.getpid(), "id": reply["id"], "tool": message["params"]["name"], "order": order,
                          "mode": mode, "in": size, "out": len(line) - 1, "effect": effect}) + "\n")
    if mode == "half":
        os.write(1, line[:len(line) // 2])
        os.kill(os.getpid(), signal.SIGKILL)
    return reply, line, mode


def handle(line):
    message = json.loads(line)
    if isinstance(message, list):
        replies = [call(m, len(json.dumps(m)))[0] for m in message]
        write_all([json.dumps(replies).encode() + b"\n"])
        return
    if "method" not in message or ("id" not in message and message["method"] != "tools/call"):
        return
    if message["method"] == "initialize":
        result = {"protocolVersion": message["params"]["protocolVersion"], "capabilities": {"tools": {}},
                  "serverInfo": {"name": "refunds", "version": "1"}}
        write_all([json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}).encode() + b"\n"])
        if url == "fork" and os.fork():
            os.close(0)
            os.wait()
            sys.exit()
        if url == "child":
            subprocess.run(["true"], stdout=subprocess.PIPE, check=True)
    elif message["method"] == "tools/call":
        note = {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "called"}}
        write_all([json.dumps(note).encode() + b"\n"])
        _, out, mode = call(message, len(line) - 1)
        if mode == "hold":
            held.append(out)
            return
        send(out, mode)
        while held:
            write_all([held.pop()])
    else:
        error = {"error": {"code": -32601, "message": "no such method"}}
        write_all([json.dumps({"jsonrpc": "2.0", "id": message["id"]} | error).encode() + b"\n"])


rest = b""
while True:
    if url == "vector":
        room = bytearray(65536)
        data = bytes(room[:os.preadv(0, [room], -1)])
    else:
        data = os.read(0, 65536)
    if not data:
        break
    *lines, rest = (rest + data).split(b"\n")
    for one in lines:
        handle(one + b"\n")
