#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""ready.py SOCKET CMD...: starts the daemon as systemd would, holds it at the moment of READY=1 and counts the links that
it has in the kernel by then; then asks it to end. Prints "links COUNT", then each message of the daemon.
"""
import os
import signal
import socket
import subprocess
import sys

listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind(sys.argv[1])
daemon = subprocess.Popen(sys.argv[2:], env=dict(os.environ, NOTIFY_SOCKET=sys.argv[1]))
listener.settimeout(30)
told = [listener.recv(256).decode()]
os.kill(daemon.pid, signal.SIGSTOP)
links = 0
for name in os.listdir(f"/proc/{daemon.pid}/fd"):
    link = os.readlink(f"/proc/{daemon.pid}/fd/{name}")
    links += link == "anon_inode:bpf_link" or link.startswith("anon_inode:[perf_event]")
print("links", links)
os.kill(daemon.pid, signal.SIGCONT)
daemon.terminate()
daemon.wait()
listener.setblocking(False)
try:
    while True:
        told.append(listener.recv(256).decode())
except BlockingIOError:
    pass
os.unlink(sys.argv[1])
print("\n".join(told))
sys.exit(daemon.returncode)
