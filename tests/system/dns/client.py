#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""client.py PORT SERVER LIAR TRUTH: asks for names in several ways, connects to what it was told, and writes down, a line each:
{"pid", "local", "peer", "names", "to"}: the connection's ends, and which names this address had been given by."""
import json
import os
import socket
import subprocess
import sys

import dns.message
import dns.query
import dns.rdatatype

PORT, SERVER, LIAR, TRUTH = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
CHILD = "import socket, sys; s = socket.create_connection((sys.argv[1], int(sys.argv[2]))); print(s.getsockname()[1])"


def note(**what):
    with open(TRUTH, "a", encoding="ascii") as f:
        f.write(json.dumps({"pid": os.getpid(), **what}) + "\n")


def connect(address, names, to="process"):
    with socket.create_connection((address, PORT)) as s:
        local = s.getsockname()[1]
    note(local=local, peer=address, names=names, to=to if names else None)


def resolve(name, family=socket.AF_INET):
    return [a[4][0] for a in socket.getaddrinfo(name, PORT, family, socket.SOCK_STREAM)]


def ask(query, answers, timeout=30):
    """The datagrams that come to an unconnected socket."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(timeout)
        s.sendto(query.to_wire(), (LIAR, 53))
        local = s.getsockname()[1]
        got = [s.recvfrom(4096)[0] for _ in range(answers)]
    return local, [dns.message.from_wire(m) for m in got]


connect("127.78.0.14", [])
connect(resolve("api.test")[0], ["api.test"])
connect(resolve("www.test")[0], ["www.test"])
connect(resolve("one.test")[0], ["one.test"])
connect(resolve("two.test")[0], ["one.test", "two.test"])
connect(resolve("zero.test")[0], ["zero.test"])
connect(resolve("six.test", socket.AF_INET6)[0], ["six.test"])
many = "a-rather-long-name-of-many-addresses.test"
connect(resolve(many)[0], [many])  # too long for a datagram: glibc asks again, over TCP
try:
    resolve("gone.test")
except socket.gaierror:
    pass

# Who connects is not who asked.
address = resolve("child.test")[0]
child = subprocess.Popen([sys.executable, "-c", CHILD, address, str(PORT)], stdout=subprocess.PIPE)
local = int(child.communicate()[0])
note(pid=child.pid, local=local, peer=address, names=["child.test"], to="scope")

answer = dns.query.tcp(dns.message.make_query("tcp.test", "A", use_edns=0), SERVER, timeout=30)
connect(answer.answer[0][0].to_text(), ["tcp.test"])
answer = dns.query.udp(dns.message.make_query("svc.test", "HTTPS"), SERVER, timeout=30)
connect(answer.answer[0][0].params[4].addresses[0], ["svc.test"])

port, messages = ask(dns.message.make_query("spoof.test", "A"), 5)
note(asked="spoof.test", port=port, unmatched=3, answers=["127.78.0.9"])
port, messages = ask(dns.message.make_query("silent.test", "A"), 3)
note(asked="silent.test", port=port, unmatched=3, answers=None)
connect("127.78.0.9", ["spoof.test"])
connect("127.78.0.10", [])
