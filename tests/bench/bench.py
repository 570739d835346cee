# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks share: a place with private copies of the TLS libraries and a cgroup of its own, nginx, the
load, the daemon and its records. Nothing outside of the place is probed or watched, and nothing outlives it."""
import contextlib
import json
import os
from pathlib import Path
import shutil
import signal
import socket
import subprocess
import sys
import time

DIE_WITH_US = ["setpriv", "--pdeathsig", "TERM"]
WAIT_S = 60  # for anything that must come; it is then an error, not a result

NGINX = """daemon off; worker_processes 1; {cpu} pid {dir}/nginx.pid; error_log {dir}/error.log; user root;
worker_rlimit_nofile 8192; events {{ worker_connections 4096; }}
http {{ access_log off; client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy;
  fastcgi_temp_path {dir}/fcgi; uwsgi_temp_path {dir}/uwsgi; scgi_temp_path {dir}/scgi;
  keepalive_requests 1000000000; keepalive_timeout 1h; sendfile off; default_type application/json;
  server {{ listen 127.0.0.1:{port} ssl backlog=4096; ssl_protocols TLSv1.3; ssl_certificate {dir}/cert.pem;
    ssl_certificate_key {dir}/key.pem; root {dir}/www; location / {{ error_page 405 =200 $uri; }} {locations} }}
  server {{ listen 127.0.0.1:{status_port}; location / {{ stub_status; }} }} }}
"""


def die(text):
    sys.exit(f"{Path(sys.argv[0]).name}: {text}")


def until(what, fn):
    """The first true answer of fn."""
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        answer = fn()
        if answer:
            return answer
        time.sleep(0.02)
    die(f"waited {WAIT_S} s for {what}")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def cgroup2():
    for line in Path("/proc/mounts").read_text().splitlines():
        kind = line.split()
        if kind[2] == "cgroup2":
            return Path(kind[1])
    die("no cgroup v2 mount")


def cpus(pin):
    """The CPU of the client and that of the server; None: the scheduler's choice."""
    have = sorted(os.sched_getaffinity(0))
    if pin == "none":
        return None, None
    return have[-1] if pin == "same" else have[0], have[-1]


class Place(contextlib.ExitStack):
    """BUILD/bench/NAME, emptied: dir, lib (copies of libssl and libcrypto), cgroup."""

    def __init__(self, build, name):
        super().__init__()
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        self.build = Path(build).resolve()
        self.dir = self.build / "bench" / name
        shutil.rmtree(self.dir, ignore_errors=True)
        self.lib = self.dir / "lib"
        self.lib.mkdir(parents=True)
        found = subprocess.run(["ldd", self.build / "dev/tlsload"], check=True, capture_output=True, text=True)
        for line in found.stdout.splitlines():
            word = line.split()
            if word[0].startswith(("libssl.", "libcrypto.")):
                shutil.copy(word[2], self.lib / word[0])
        self.libssl = next(self.lib.glob("libssl.*"))
        self.libcrypto = next(self.lib.glob("libcrypto.*"))
        self.cgroup = cgroup2() / f"ww-bench-{name}-{os.getpid()}"
        self.cgroup.mkdir()
        self.callback(self.cgroup.rmdir)

    def certificate(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                        "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                        "-keyout", self.dir / "key.pem", "-out", self.dir / "cert.pem"],
                       check=True, capture_output=True)

    def spawn(self, command, inside=False, **options):
        """A child that ends with us; inside: in the watched cgroup, with the copied libraries."""
        if inside:
            options["env"] = dict(options.get("env", os.environ), LD_LIBRARY_PATH=str(self.lib))
            options["preexec_fn"] = lambda: (self.cgroup / "cgroup.procs").write_text("0")
        p = subprocess.Popen(DIE_WITH_US + [str(part) for part in command], text=True, **options)
        self.callback(stop, p)
        return p

    def run(self, command, **options):
        """A command in the watched cgroup; its output."""
        p = self.spawn(command, inside=True, stdout=subprocess.PIPE, **options)
        out = p.communicate()[0]
        if p.returncode != 0:
            die(f"{command[0]}: status {p.returncode}")
        return out

    def load(self, port, path, *options):
        """tlsload's figures."""
        return json.loads(self.run([self.build / "dev/tlsload", "-p", port, "-u", path, *options]))


def stop(p):
    if p.poll() is None:
        p.terminate()
    p.wait()
    for pipe in (p.stdin, p.stdout):
        if pipe:
            pipe.close()


class Nginx:
    """Serves files over TLS 1.3, to a POST too, and answers, whose $request_id is another each time."""

    def __init__(self, place, files, cpu=None, answers=None):
        place.certificate()
        for name, content in files.items():
            path = place.dir / "www" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        self.port, self.status_port = free_port(), free_port()
        mask = "" if cpu is None else f"worker_cpu_affinity {1 << cpu:b};"
        quoted = {path: text.replace("\\", "\\\\").replace("'", "\\'") for path, text in (answers or {}).items()}
        locations = "".join(f"location = {path} {{ return 200 '{text}'; }} " for path, text in quoted.items())
        conf = place.dir / "nginx.conf"
        conf.write_text(NGINX.format(dir=place.dir, port=self.port, status_port=self.status_port, cpu=mask,
                                      locations=locations))
        self.process = place.spawn(["nginx", "-p", place.dir, "-e", place.dir / "error.log", "-c", conf])
        until("nginx", self.listens)

    def listens(self):
        if self.process.poll() is not None:
            die("nginx ended, see error.log in the benchmark's folder")
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def requests(self):
        """Requests it has answered so far, this question not counted."""
        with socket.create_connection(("127.0.0.1", self.status_port)) as s:
            s.sendall(b"GET / HTTP/1.0\r\n\r\n")
            text = s.makefile().read()
        self.asked = getattr(self, "asked", 0) + 1
        return int(text.split("requests\n")[1].split()[2]) - self.asked


class Daemon:
    """wirewitnessd with its ledger, watching the place's cgroup, with probes in the place's libraries."""

    def __init__(self, place, *options, name="daemon"):
        self.dir = place.dir / name
        shutil.rmtree(self.dir, ignore_errors=True)
        self.dir.mkdir()
        command = [place.build / "wirewitnessd", "--state", "state", "--socket", "control", "--cgroup", place.cgroup,
                   "--no-default-libraries", "--tls-library", place.libssl, "--tls-library", place.libcrypto]
        if "--otlp" not in options:
            options += ("--otlp", "off")
        self.log = open(self.dir / "log", "w", encoding="utf-8")
        self.process = place.spawn([*command, *options], stderr=self.log, cwd=self.dir)
        until("the daemon", self.answers)

    def connect(self):
        # The folder's path may be longer than a socket's name.
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(WAIT_S)
        s.connect(f"/proc/{self.process.pid}/cwd/control")
        return s

    def answers(self):
        if self.process.poll() is not None:
            die("the daemon ended: " + (self.dir / "log").read_text())
        try:
            return self.status()
        except OSError:
            return None

    def status(self):
        with self.connect() as s:
            s.sendall(b'{"op":"status"}\n')
            return json.loads(s.makefile().readline())["status"]

    def records(self):
        """All that is in the ledger now."""
        want = self.status()["ledger"]["size"]
        with self.connect() as s:
            s.sendall(b'{"op":"tail","from":0}\n')
            lines = s.makefile()
            lines.readline()
            return [json.loads(lines.readline())["record"] for _ in range(want)]

    def flows(self, ports):
        """The closed flows with these local ports, as soon as they are all in the ledger, and all records."""
        def look():
            records = self.records()
            found = {r["local"]: r for r in records if r["kind"] == "flow"}
            found = [found.get(f"127.0.0.1:{port}") for port in ports]
            return all(found) and (found, records)
        return until("flow records", look)

    def cpu_us(self):
        return self.status()["cpuUs"]

    def memory_kib(self):
        """Resident now, and at its highest."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return [int(text.split(name + ":")[1].split()[0]) for name in ("VmRSS", "VmHWM")]

    def stop(self):
        stop(self.process)
        self.log.close()
        if self.process.returncode != 0:
            die("the daemon failed: " + (self.dir / "log").read_text())


def write_result(folder, result):
    folder.with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n")
