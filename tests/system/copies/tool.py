# SPDX-License-Identifier: Apache-2.0
"""build/dev/copies, spoken to; and node, for brotli."""
import base64
import json
import subprocess

KEY = bytes(range(32))


class Tool:
    def __init__(self, build, key=KEY):
        self.p = subprocess.Popen([f"{build}/dev/copies", key.hex()], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, command, data, answers=True):
        self.p.stdin.write(b"%s%d\n" % (command.encode(), len(data)) + data)
        self.p.stdin.flush()
        return self.p.stdout.readline().decode() if answers else None

    def prompt(self, owner, text, root=1):
        return int(self.ask("P", b"%d %d " % (owner, root) + as_bytes(text)))

    def forget(self, owner):
        self.ask("F", b"%d " % owner, False)

    def body(self, body):
        """Whether it was looked at in part, and owner -> (shared, of, form)."""
        words = self.ask("B", as_bytes(body)).split()
        assert int(words[0]) == len(as_bytes(body))
        hits = [w.split(":") for w in words[2:]]
        return words[1] == "1", {int(h[0]): (int(h[1]), int(h[2]), h[3]) for h in hits}

    def stats(self):
        return dict(zip(("owners", "texts", "pieces", "evicted", "cut"), map(int, self.ask("S", b"").split())))

    def peak_kib(self):
        with open(f"/proc/{self.p.pid}/status", encoding="ascii") as f:
            return int(f.read().split("VmHWM:")[1].split()[0])

    def end(self):
        self.p.stdin.close()
        self.p.stdout.close()
        if self.p.wait() != 0:
            raise RuntimeError("copies failed")


def as_bytes(text):
    return text.encode() if isinstance(text, str) else text


class Node:
    SCRIPT = """const z = require('zlib'), f = {br: z.brotliCompressSync, gzip: z.gzipSync, deflate: z.deflateSync, json: (b) => JSON.stringify(b.toString())};
require('readline').createInterface({input: process.stdin}).on('line', (l) => { const [k, b] = JSON.parse(l);
  console.log(Buffer.from(f[k](Buffer.from(b, 'base64'))).toString('base64')); });"""

    def __init__(self, program="node"):
        self.p = subprocess.Popen([program, "-e", self.SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def make(self, kind, data):
        self.p.stdin.write(json.dumps([kind, base64.b64encode(data).decode()]).encode() + b"\n")
        self.p.stdin.flush()
        return base64.b64decode(self.p.stdout.readline())

    def end(self):
        self.p.stdin.close()
        self.p.stdout.close()
        self.p.wait()
