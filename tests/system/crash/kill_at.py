#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Kills the daemon at one moment, without mercy, and looks for what it left in the kernel.

kill_at.py PID SOCKET STATE now                 at once
kill_at.py PID SOCKET STATE line N              when N more records were announced on the stream
kill_at.py PID SOCKET STATE file NAME N [GATE]  at the N-th event (made, written, opened, renamed) of a file of the
                                                ledger whose path begins with NAME; opens the fifo GATE, on which
                                                PID waits before it becomes the daemon, when it is looking

Exit 0: the process is gone, and with it every BPF program, link and map that it had, within ten seconds.
"""
import ctypes
import json
import os
import platform
import select
import signal
import socket
import struct
import sys
import time

libc = ctypes.CDLL(None, use_errno=True)
SYS_BPF = {"x86_64": 321, "aarch64": 280}[platform.machine()]
GET_FD = {"prog_id": 13, "map_id": 14, "link_id": 30}  # BPF_*_GET_FD_BY_ID
IN_EVENTS = 0x2 | 0x20 | 0x80 | 0x100  # MODIFY, OPEN, MOVED_TO, CREATE


def bpf_objects(pid):
    found = set()
    for name in os.listdir(f"/proc/{pid}/fdinfo"):
        try:
            with open(f"/proc/{pid}/fdinfo/{name}", encoding="ascii") as info:
                for line in info:
                    key, _, value = line.partition(":")
                    if key in GET_FD:
                        found.add((key, int(value)))
        except FileNotFoundError:
            pass
    return found


def exists(kind, number):
    attribute = ctypes.create_string_buffer(struct.pack("II", number, 0) + bytes(120))
    fd = libc.syscall(SYS_BPF, GET_FD[kind], attribute, 128)
    if fd >= 0:
        os.close(fd)
    return fd >= 0


class Records:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.lines = self.socket.makefile("rw", encoding="utf-8")
        self.lines.write('{"op":"tail","from":9007199254740991}\n')
        self.lines.flush()
        assert json.loads(self.lines.readline())["ok"]

    def wait(self, count):
        for _ in range(count):
            assert self.lines.readline()


class Files:
    """Names of the state folder's files, in order of their events."""

    def __init__(self, state, gate=None):
        self.fd = libc.inotify_init1(os.O_CLOEXEC)
        self.folders = {}
        for folder, _, _ in os.walk(state):
            watch = libc.inotify_add_watch(self.fd, folder.encode(), IN_EVENTS)
            self.folders[watch] = os.path.relpath(folder, state) + "/"
        if gate:
            with open(gate, "w", encoding="ascii") as g:
                g.write("go\n")

    def wait(self, prefix, count):
        poll = select.poll()
        poll.register(self.fd, select.POLLIN)
        while True:
            assert poll.poll(20_000), f"no event of {prefix}"
            data, at = os.read(self.fd, 65536), 0
            while at < len(data):
                watch, _, _, size = struct.unpack_from("iIII", data, at)
                name = data[at + 16:at + 16 + size].rstrip(b"\0").decode()
                at += 16 + size
                if (self.folders[watch] + name).removeprefix("./").startswith(prefix):
                    count -= 1
                    if count == 0:
                        return


pid, control, state, moment = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4:]
process = os.pidfd_open(pid)
if moment[0] == "line":
    Records(control).wait(int(moment[1]))
elif moment[0] == "file":
    Files(state, *moment[3:]).wait(moment[1], int(moment[2]))
os.kill(pid, signal.SIGSTOP)  # holds the moment
objects = bpf_objects(pid)
os.kill(pid, signal.SIGKILL)
select.select([process], [], [])

# The kernel frees programs in its own time, and tells nobody.
deadline = time.monotonic() + 10
left = {o for o in objects if exists(*o)}
while left and time.monotonic() < deadline:
    left = {o for o in left if exists(*o)}
assert len(objects) > 20 or len(moment) > 3, f"found only {objects}"
if left:
    sys.exit(f"still in the kernel: {sorted(left)}")
