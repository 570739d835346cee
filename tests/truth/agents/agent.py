#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The Python agent of the truth suite, asyncio on the demo agent's own HTTP/1.1 and spans (../../lib/agents/python).

    agent.py PLAN       carries out the groups of runs in that JSON file, see ../kinds.py
    agent.py send FILE  exports spans that another process has left there

From the environment as the demo agent, and: WW_CURL, WW_TOOLS (JSON: host, method, path by tool), WW_VICTIMS (file of traceparents to
forge), WW_SPANS (write spans there instead of exporting them), WW_UNIX and WW_LOOPBACK (an executor's addresses). Prints "stop" and
"go" around runs of the lane "stopped" and waits for a line each time.
"""
import asyncio
import json
import os
import random
import signal
import socket
import sys
import time
import unicodedata

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib/agents/python"))
import agent as demo  # noqa: E402

TOOLS = json.loads(os.environ.get("WW_TOOLS", "{}"))
FAILURES = (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError, EOFError)
idle = {}  # connections by origin
previous = '{"id":"r_000000000000","status":"posted"}'


class Alike(demo.Connection):
    """A connection by one host's name to another's address."""

    def __init__(self, origin, address):
        super().__init__(origin)
        self.address = address

    async def open(self):
        demo.Connection.context = demo.Connection.context or demo.ssl.create_default_context(cafile=os.environ["CA_FILE"])
        self.reader, self.writer = await asyncio.open_connection(
            self.address, self.port, ssl=demo.Connection.context, server_hostname=self.host)


class Call:
    """One request to a service, on a kept-alive connection if one is idle."""

    def __init__(self, run, op):
        host, method, path = TOOLS.get(run["tool"], ["payments.test", "POST", "/v1/refunds"])
        self.method = "GET" if op["do"] == "get" else method
        self.port, self.host, self.path = op.get("port", 443), op.get("host", host), op.get("path", path)
        self.timeout, self.address = op.get("timeout", 10_000) / 1000, op.get("address")
        self.body = b"" if self.method == "GET" else json.dumps({
            "order_id": run["run"], "amount_cents": run["cents"], "customer": op.get("subject", run["customer"]),
            "script": op["script"]}).encode()
        self.headers = {"x-tag": run["run"]} | ({"authorization": "Bearer " + op["token"]} if "token" in op else {})
        if op["trace"] in ("parent", "both"):
            self.headers |= demo.trace_headers()
        if op["trace"] in ("key", "both") and not op.get("aside"):
            self.headers["idempotency-key"] = "call_" + run["run"]

    async def send(self):
        if self.port == 80:
            return await self.plain()
        for _ in range(5):
            origin = f"https://{self.host}:{self.port}"
            free = idle.setdefault(origin, [])
            connection = free.pop() if free else Alike(origin, self.address) if self.address else demo.Connection(origin)
            status, data = await asyncio.wait_for(connection.request(self.method, self.path, self.headers, self.body), self.timeout)
            free.append(connection)
            if status != 307:
                return status, data.decode()
        raise OSError("redirected for ever")

    async def plain(self):
        reader, writer = await asyncio.open_connection(self.host, self.port)
        head = {"host": self.host, "content-length": len(self.body), "connection": "close"} | self.headers
        writer.write("\r\n".join([f"{self.method} {self.path} HTTP/1.1"] + [f"{k}: {v}" for k, v in head.items()]).encode() +
                     b"\r\n\r\n" + self.body)
        reply = (await reader.read()).decode()
        writer.close()
        return int(reply.split()[1]), reply.split("\r\n\r\n", 1)[1]

    async def by_child(self):
        headers = [f"-H{k}: {v}" for k, v in self.headers.items()]
        child = await asyncio.create_subprocess_exec(
            os.environ["WW_CURL"], "-sS", "--cacert", os.environ["CA_FILE"], "-w", "\n%{http_code}", *headers, "-d", self.body.decode(),
            f"https://{self.host}{self.path}", stdout=asyncio.subprocess.PIPE)
        text, status = (await child.communicate())[0].decode().rsplit("\n", 1)
        return int(status), text


async def ask_executor(family, address, run):
    def talk():
        with socket.socket(family) as peer:
            peer.connect(address)
            peer.sendall(f"{run['run']} {run['run']}\n".encode())
            peer.recv(100)

    await asyncio.to_thread(talk)


def ask_outsider(path, name):
    """By a pipe, and is told by another one that it is done."""
    asked = os.environ["WW_OUTSIDER"]
    done = f"{asked}.{name}"
    os.mkfifo(done)
    with open(asked, "w", encoding="ascii") as pipe:
        print(path, name, file=pipe)
    with open(done, encoding="ascii") as pipe:
        pipe.readline()
    os.unlink(done)


async def on_this_host(run, op):
    """The file or folder that carries the run's name, with that in it."""
    root = os.environ["WW_FILES"]
    folder = f"{root}/{op.get('folder') or 'saved'}"
    path = f"{folder}/{run['run']}.txt"
    if op["do"] == "mkdir":
        child = await asyncio.create_subprocess_exec(
            "/usr/bin/mkdir", f"{root}/{'nowhere/deep' if op.get('fails') else 'folders'}/{run['run']}", stderr=asyncio.subprocess.DEVNULL)
        await child.wait()
    elif op["do"] == "outsider":
        await asyncio.to_thread(ask_outsider, f"{root}/outside/{run['run']}.txt", run["run"])
    elif op["do"] == "open":
        os.close(os.open(f"{root}/saved/kept.txt", os.O_RDWR))
    elif op.get("child"):
        child = await asyncio.create_subprocess_exec("/bin/sh", "-c", 'echo "$1" >"$0"', path, run["run"])
        await child.wait()
    else:
        first = path + "~" if op["do"] == "replace" else path
        with open(first, "w", encoding="ascii") as f:
            print(run["run"], file=f)
        if first != path:
            os.rename(first, path)
        if op.get("remove"):
            os.unlink(path)


async def flood():
    """Traffic that a small ring cannot hold, to the model's host."""
    connection = demo.Connection("https://api.provider.test")
    await connection.request("POST", "/flood", {}, bytes(8 << 20))
    await connection.close()


def reparsed(text):
    """As a harness that keeps numbers as doubles and texts decomposed shows it."""
    return unicodedata.normalize("NFD", json.dumps(json.loads(text, parse_int=lambda n: int(float(n))), ensure_ascii=False))


class Turn:
    """One run: what the user asked for, until it is answered."""

    def __init__(self, run):
        self.run, self.id, self.reply, self.after = run, "call_" + run["run"], None, []

    async def op(self, op):
        what = op["do"]
        if what == "wait":
            await asyncio.sleep(op["ms"] / 1000)
        elif what == "later":
            self.after.append((op["ms"], op["op"], demo.active.get()))
        elif what == "unix":
            await ask_executor(socket.AF_UNIX, os.environ["WW_UNIX"], self.run)
        elif what == "loopback":
            await ask_executor(socket.AF_INET, ("127.0.0.1", int(os.environ["WW_LOOPBACK"])), self.run)
        elif what == "flood":
            await flood()
        elif what in ("save", "replace", "open", "mkdir", "outsider"):
            await on_this_host(self.run, op)
        else:
            await self.call(op)

    async def call(self, op):
        if op["do"] == "readback":
            op = op | {"do": "get", "path": "/v1/refunds/" + json.loads(self.reply[1])["id"], "aside": True}
        call = Call(self.run, op)
        try:
            reply = await (call.by_child() if op.get("child") else call.send())
        except FAILURES as error:
            reply = (0, json.dumps({"error": type(error).__name__}))
        if not op.get("aside"):
            self.reply = reply

    async def body(self):
        for op in self.run["ops"]:
            await self.op(op)

    def shown(self):
        global previous
        before, real = previous, self.reply[1] if self.reply else '{"status":"ok"}'
        if self.reply and self.reply[0] in (200, 201):
            previous = real
        if self.run["show"] == "reparsed":
            return reparsed(real)
        return {"real": real, "ok": '{"status":"ok"}', "refused": json.dumps({"id": self.run["run"], "error": "the user did not allow it"}),
                "other": '{"id":"r_%012x","status":"posted"}' % self.run["cents"],
                "previous": before}[self.run["show"]]

    def status(self):
        good = self.run["span"] == "ok" or self.run["span"] == "honest" and self.reply and 200 <= self.reply[0] < 300
        return demo.OK if good else demo.ERROR

    async def tool(self):
        if not self.run["span"]:
            await self.body()
            return
        with demo.span_of("execute_tool " + self.run["tool"], demo.KIND_INTERNAL, {
                "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": self.run["tool"], "gen_ai.tool.type": "function",
                "gen_ai.tool.call.id": self.id}) as span:
            if self.run.get("forge"):
                _, span.body["traceId"], span.body["spanId"], _ = self.run["victim"].split("-")
            await self.body()
            span.status(self.status())

    async def model(self, messages):
        asked = {"model": demo.MODEL, "messages": messages} | (
            {"stream": True, "stream_options": {"include_usage": True}} if self.run["stream"] else {})
        with demo.span_of("chat " + demo.MODEL, demo.KIND_CLIENT, {
                "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": demo.MODEL,
                "server.address": "api.provider.test", "server.port": 443}) as span:
            free = idle.setdefault("model", [])
            connection = free.pop() if free else demo.Connection("https://api.provider.test")
            headers = {"authorization": "Bearer test-key", "x-tag": self.run["run"]} | demo.trace_headers()
            status, data = await connection.request("POST", "/v1/chat/completions", headers, json.dumps(asked).encode())
            free.append(connection)
            if status != 200:
                raise RuntimeError(f"the model answered {status}")
            reply = demo.put_together(data) if self.run["stream"] else json.loads(data)
            span.update({"gen_ai.response.id": reply["id"], "gen_ai.response.model": reply["model"]})
        return reply["choices"][0]["message"]

    async def conversation(self):
        run = self.run
        told = f"Use {run['tool']} with {json.dumps({'order_id': run['run'], 'amount_cents': run['cents']})}, call id {self.id}."
        told += f" Then say: {run['say']}" if "say" in run else ""
        messages = [{"role": "user", "content": told}]
        messages.append(await self.model(messages))
        if run.get("crash"):
            os._exit(0)
        await self.tool()
        messages.append({"role": "tool", "tool_call_id": self.id, "content": self.shown()})
        await self.model(messages)

    async def go(self):
        run = self.run
        with demo.span_of("invoke_agent " + demo.SERVICE, demo.KIND_INTERNAL, {"gen_ai.operation.name": "invoke_agent"}) as root:
            await (self.conversation() if run["model"] else self.tool())
            if run["claim"]:
                root.event("wirewitness.claim", {
                    "claim.id": "claim-" + run["run"], "claim.tool": run["tool"], "claim.tense": "will" if "will" in run else "done"} | (
                        {"claim.tool_call_id": self.id} if run["claim"] == "call" else {}) | (
                            {"claim.deadline": str(int(time.time()) + 1 + run["will"])} if "will" in run else {}))
            root.status(demo.OK)
        for ms, op, span in self.after:
            await asyncio.sleep(ms / 1000)
            demo.active.set(span)
            await self.op(op)
            demo.active.set(None)


async def pause(word):
    print(word, flush=True)
    await asyncio.to_thread(sys.stdin.readline)


async def flush():
    if not os.environ.get("WW_SPANS"):
        await asyncio.to_thread(demo.flush)


def crash(groups):
    """Each in a process of its own that ends; what it knew of its spans ends with it."""
    for group in groups:
        if os.fork() == 0:
            asyncio.run(Turn(group[0]).go())
        os.wait()
        time.sleep(group[0]["gap"] / 1000)
    print("done", flush=True)


async def main(groups):
    victims = open(os.environ["WW_VICTIMS"], encoding="ascii").read().split() if "WW_VICTIMS" in os.environ else []
    rng = random.Random(groups[0][0]["run"])
    left = rng.randint(1, 12)
    for n, group in enumerate(groups):
        for run in group:
            run["victim"] = victims[n % len(victims)] if victims else ""
        if group[0]["lane"] == "stopped":
            await pause("stop")
        await asyncio.gather(*(Turn(run).go() for run in group))
        if group[0]["lane"] == "stopped":
            await pause("go")
        left -= 1
        if left == 0:
            left = rng.randint(1, 12)
            await flush()
        await asyncio.sleep(group[0]["gap"] / 1000)
    await flush()
    if os.environ.get("WW_SPANS"):
        json.dump(demo.ended, open(os.environ["WW_SPANS"], "w", encoding="utf-8"))
    print("done", flush=True)


signal.signal(signal.SIGPIPE, signal.SIG_IGN)
if sys.argv[1] == "send":
    demo.ended.extend(json.load(open(sys.argv[2], encoding="utf-8")))
    demo.flush()
else:
    plan = json.load(open(sys.argv[1], encoding="utf-8"))
    if plan[0][0].get("crash"):
        crash(plan)
    else:
        asyncio.run(main(plan))
