#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A watched agent whose tools write files and run programs. Standard library only, and of that
nothing that loads a TLS library.

JUDGED=PIPE agent.py LOG STEP...
                        each STEP is JSON: {"call": id, "tool": name, "do": [op, argument...], "says": "OK" or "ERROR"}.
                        For each it begins a span, does what is to be done, ends the span and exports it; what it did,
                        and how the files stand then, goes into LOG: a JSON object a line. It begins so late that it does not
                        lie in the window of the one before; "after": when the verdict about that call is given, which
                        somebody who is not watched says by the pipe JUDGED; "gap": so many seconds later. "announced": it
                        says first that it will do it within so many seconds, does it so many "later", and has no span for it.
"""
import ctypes
import json
import mmap
import os
import socket
import subprocess
import sys
import time
import zlib


def write(path, text="done\n"):
    with open(path, "w") as f:
        f.write(text)


def atomic(path):
    write(path + ".tmp~", "whole\n")
    os.rename(path + ".tmp~", path)


def mapped(path):
    with open(path, "r+b") as f:
        with mmap.mmap(f.fileno(), 0) as m:
            m[0:4] = b"MAP!"


def unnamed(path):
    fd = os.open(os.path.dirname(path), os.O_TMPFILE | os.O_WRONLY, 0o644)
    os.write(fd, b"linked\n")
    at_fdcwd, at_symlink_follow = -100, 0x400
    assert ctypes.CDLL(None).linkat(at_fdcwd, f"/proc/self/fd/{fd}".encode(), at_fdcwd, path.encode(), at_symlink_follow) == 0
    os.close(fd)


def opened(path):
    os.close(os.open(path, os.O_RDWR))


def kept_open(path):
    fd = os.open(path, os.O_WRONLY | os.O_CREAT)
    os.write(fd, b"half")
    os.set_inheritable(fd, False)
    globals().setdefault("kept", []).append(fd)


def make_and_write(path):
    os.makedirs(os.path.dirname(path))
    write(path)


def undone(path):
    """Moved away and back, so far apart that the kernel tells of it twice."""
    os.rename(path, path + "~")
    time.sleep(0.05)
    os.rename(path + "~", path)


def remove_and_make(path):
    os.unlink(path)
    time.sleep(0.05)
    write(path, "before\n")


def unlinked(path):
    """What is written when the name is gone is in no file of that name."""
    with open(path, "w") as f:
        os.unlink(path)
        time.sleep(0.05)
        f.write("nowhere\n")


def between(path):
    """Two processes take turns, faster than the queue is read: its order is not theirs."""
    write(path)
    os.unlink(path)
    by_child("write", path)
    os.unlink(path)


def no_file(path):
    os.symlink("/nonexistent", path + "~")
    os.rename(path + "~", path)


def pipe(path):
    os.mkfifo(path)
    os.close(os.open(path, os.O_RDWR))


def switch_write(link, to, name):
    os.symlink(to, link + "~")
    os.rename(link + "~", link)
    write(f"{link}/{name}")


def copied(source, path):
    with open(source, "rb") as a, open(path, "wb") as b:
        assert os.copy_file_range(a.fileno(), b.fileno(), 100) > 0


def anonymous(program):
    """The program's bytes, run from memory."""
    fd = os.memfd_create("x")
    with open(program, "rb") as f:
        os.sendfile(fd, f.fileno(), 0, os.fstat(f.fileno()).st_size)
    pid = os.fork()
    if pid == 0:
        os.execve(fd, ["x"], {})
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


OWN_TRUE = "mount --bind /usr/bin/sleep /usr/bin/true"


def own_mounts():
    """Another program at the declared path, as anybody can have it."""
    return run("unshare", "-Urm", "sh", "-c", OWN_TRUE + "; /usr/bin/true 0")


def borrowed():
    """The same, by the root of another process."""
    with subprocess.Popen(["unshare", "-Urm", "sh", "-c", OWN_TRUE + "; echo; read x"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        return run(f"/proc/{other.pid}/root/usr/bin/true", "0")


def by_child(*op):
    pid = os.fork()
    if pid == 0:
        do(*op)
        os._exit(0)
    os.waitpid(pid, 0)


def ask_outside(path, answer):
    """A process that is not watched does it: it reads this pipe, and says by another one that it is done."""
    with open(path, "w") as pipe:
        pipe.write(answer + "\n")
    with open(path + ".done") as pipe:
        pipe.readline()


def many(folder, count):
    for i in range(int(count)):
        write(f"{folder}/f{i}.txt")


def run(*argv):
    return subprocess.run(argv, stdout=subprocess.DEVNULL).returncode


def wait(path):
    with open(path) as pipe:
        pipe.readline()


def wait_flood(path, name, count):
    """As many names as the count, of one file, when the pipe says so."""
    write(name + "-0.txt")
    wait(path)
    for i in range(int(count)):
        os.rename(f"{name}-{i}.txt", f"{name}-{i + 1}.txt")


OPS = {"wait": wait, "wait-flood": wait_flood, "write": write, "atomic": atomic, "map": mapped, "unnamed": unnamed, "open": opened, "half": kept_open,
       "truncate": lambda p: os.truncate(p, 1), "remove": os.unlink, "rename": os.rename, "link": os.link,
       "undone": undone, "remove-make": remove_and_make, "unlinked": unlinked, "between": between, "no-file": no_file,
       "pipe": pipe, "copy": copied, "own-mounts": own_mounts, "borrowed": borrowed, "switch-write": switch_write, "anonymous": anonymous,
       "mkdir-write": make_and_write, "child": by_child, "outside": ask_outside, "many": many, "run": run,
       "nothing": lambda: None, "write-remove": lambda p: (write(p), os.unlink(p))}


def do(op, *arguments):
    return OPS[op](*arguments)


def state(path):
    """How a file stands, by itself."""
    if os.path.exists(path) and not os.path.isfile(path):
        return "no file"
    try:
        with open(path, "rb") as f:
            return zlib.crc32(f.read())
    except OSError as e:
        return e.strerror


def texts(attributes):
    return [{"key": k, "value": {"stringValue": v}} for k, v in attributes.items()]


def send(name, begun, ended, attributes, **more):
    span = {"traceId": os.urandom(16).hex(), "spanId": os.urandom(8).hex(), "name": name, "kind": 1,
            "startTimeUnixNano": str(begun), "endTimeUnixNano": str(ended), "attributes": texts(attributes)} | more
    body = {"resourceSpans": [{"resource": {"attributes": []}, "scopeSpans": [{"scope": {"name": "local"}, "spans": [span]}]}]}
    data = json.dumps(body).encode()
    host, port = os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"].removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(f"POST /v1/traces HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n"
                           f"content-length: {len(data)}\r\nconnection: close\r\n\r\n".encode() + data)
        assert connection.recv(4096).split()[1] == b"200"


def export(step, begun, ended):
    send("execute_tool " + step["tool"], begun, ended,
         {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": step["tool"], "gen_ai.tool.type": "function",
          "gen_ai.tool.call.id": step["call"]}, status={"code": 2 if step.get("says") == "ERROR" else 1})


def announce(step):
    now = time.time_ns()
    date = now + step["announced"] * 1_000_000_000
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(date // 1_000_000_000)) + f".{date % 1_000_000_000:09d}Z"
    claim = {"claim.id": "claim-" + step["call"], "claim.action": "do", "claim.tool": step["tool"],
             "claim.tool_call_id": step["call"], "claim.tense": "will", "claim.deadline": text}
    send("invoke_agent", now - 1000, now + 1000, {"gen_ai.operation.name": "invoke_agent"}, status={"code": 1},
         events=[{"timeUnixNano": str(now), "name": "wirewitness.claim", "attributes": texts(claim)}])


with open(sys.argv[1], "a") as log:
    for text in sys.argv[2:]:
        step = json.loads(text)
        time.sleep(step.get("gap", 0.2))
        if "after" in step:
            ask_outside(os.environ["JUDGED"], step["after"])
        paths = [a for a in step["do"] if str(a).startswith("/")]
        before = {p: state(p) for p in paths}
        if "announced" in step:
            announce(step)
            time.sleep(step["later"])
        begun = time.time_ns()
        result = do(*step["do"])
        ended = time.time_ns()
        print(json.dumps({"call": step["call"], "result": result, "before": before,
                          "after": {p: state(p) for p in paths}}), file=log, flush=True)
        if "announced" not in step:
            export(step, begun, ended)
