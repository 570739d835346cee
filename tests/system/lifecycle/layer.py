#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""layer.py SIGNALS RUN...: what is noticed of a layer around a command (RUN): nothing.

SIGNALS: names of those that a `kill` of it must bring to the command. Prints one line per check: "ok NAME", or what
was found.
"""
import fcntl
import os
import pty
import signal
import socket
import struct
import subprocess
import sys
import termios

SIGNALS = [getattr(signal, "SIG" + name) for name in sys.argv[1].split(",")]
RUN = sys.argv[2:]


def start(*command):
    pid, terminal = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 77, 0, 0))
        os.execvp(RUN[0], RUN + list(command))
    return pid, terminal


def read_until(terminal, text):
    seen = b""
    while text not in seen:
        try:
            more = os.read(terminal, 4096)
        except OSError:  # the other end is gone
            break
        if not more:
            break
        seen += more
    return seen


def end(pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def check(name, got, wanted):
    print(f"ok {name}" if got == wanted else f"{name}: got {got!r}, wanted {wanted!r}", flush=True)


def python(text):
    return (sys.executable, "-c", "import os, signal, sys\n" + text)


def pending(pid, number):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        masks = [int(line.split()[1], 16) for line in status if line.startswith(("SigPnd", "ShdPnd"))]
    return any(mask >> (number - 1) & 1 for mask in masks)


# Says each signal that comes, ends at SIGTERM.
EACH = python("""
wanted = set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD}
signal.pthread_sigmask(signal.SIG_BLOCK, wanted)
print("up", flush=True)
came = []
while signal.SIGTERM not in came:
    came.append(signal.sigwait(wanted))
    print("came", int(came[-1]), flush=True)
print("all", *map(int, came), "all", flush=True)
sys.exit(42)""")

# Where there is nobody to ask, a shell would have left these ignored.
for each in (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGPIPE):
    signal.signal(each, signal.SIG_DFL)

# --- without a terminal
layer = subprocess.Popen(RUN + list(EACH), stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
layer.stdout.readline()
for each in SIGNALS + [signal.SIGTERM]:
    os.kill(layer.pid, each)
    layer.stdout.readline()
check("each signal comes once", layer.stdout.readline().split()[1:-1], [b"%d" % each for each in SIGNALS + [signal.SIGTERM]])
check("exit code after them", layer.wait(), 42)

DESCRIPTORS = [sys.executable, "-c", "import os; print(*sorted(os.listdir('/proc/self/fd'), key=int))"]
with open("/dev/null", "rb") as file, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket(socket.AF_UNIX) as unix:
    passed = {"stdin": subprocess.DEVNULL, "capture_output": True, "check": False}
    without = subprocess.run(DESCRIPTORS, pass_fds=[file.fileno()], **passed)
    within = subprocess.run(RUN + DESCRIPTORS, pass_fds=[file.fileno(), udp.fileno(), unix.fileno()], **passed)
check("descriptors: those that are passed, no other, no socket", within.stdout, without.stdout)
check("that sockets are kept back is said", b"does not get 2 open sockets" in within.stderr, True)
with socket.create_server(("127.0.0.1", 0)) as server:
    refused = subprocess.run(RUN + ["true"], stdin=server, capture_output=True, check=False)
check("a network socket as standard input is refused", (refused.returncode, b"descriptor 0 is a network socket" in refused.stderr), (3, True))

# --- at a terminal
pid, terminal = start("sh", "-c", "test -t 0 && test -t 1 && test -t 2 && stty size && echo done")
check("is a terminal, with its size", read_until(terminal, b"done").split()[:2], [b"33", b"77"])
check("exit code", end(pid), 0)

pid, terminal = start(*EACH)
read_until(terminal, b"up")
for key, number in ((b"\x03", signal.SIGINT), (b"\x1c", signal.SIGQUIT)):
    os.write(terminal, key)
    read_until(terminal, b"came %d" % number)
    while pending(pid, number):
        os.sched_yield()
os.kill(pid, signal.SIGTERM)
check("Ctrl-C, Ctrl-\\ and a kill come once each", read_until(terminal, b"all\r\n").split(b"all")[1].split(), [b"2", b"3", b"15"])
check("and are the command's to answer", end(pid), 42)

pid, terminal = start(*python("signal.signal(signal.SIGINT, signal.SIG_DFL); print('up', flush=True); signal.pause()"))
read_until(terminal, b"up")
os.write(terminal, b"\x03")
check("Ctrl-C ends a command that has no answer", end(pid) in (-signal.SIGINT, 128 + signal.SIGINT), True)

pid, terminal = start("sh", "-c", "read -r line && echo got=$line=")
os.write(terminal, b"typed\n")
check("what is typed arrives", b"got=typed=" in read_until(terminal, b"got=typed="), True)
check("and the end of it", end(pid), 0)

pid, terminal = start(*python("signal.signal(signal.SIGHUP, lambda *_: os._exit(43)); print('up', flush=True); signal.pause()"))
check("nothing is added", read_until(terminal, b"up\r\n"), b"up\r\n")
os.close(terminal)
check("a closed terminal", end(pid), 43)

# A shell with job control: Ctrl-Z stops the job, `fg` continues it.
shell, terminal = pty.fork()
if shell == 0:
    job = os.fork()
    if job == 0:
        os.setpgid(0, 0)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
        os.tcsetpgrp(0, os.getpid())
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTTOU})
        os.execvp(RUN[0], RUN + ["sh", "-c", "echo up; read -r line; echo read=$line=; exit 44"])
    _, status = os.waitpid(job, os.WUNTRACED)
    print("stopped" if os.WIFSTOPPED(status) else f"ended {status}", flush=True)
    os.killpg(job, signal.SIGCONT)
    os._exit(os.waitstatus_to_exitcode(os.waitpid(job, 0)[1]))
read_until(terminal, b"up")
os.write(terminal, b"\x1a")
check("Ctrl-Z stops it", b"stopped" in read_until(terminal, b"ed"), True)
os.write(terminal, b"more\n")
check("it goes on in the foreground", b"read=more=" in read_until(terminal, b"read=more="), True)
check("to its own exit code", end(shell), 44)
