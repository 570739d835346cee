#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""liar.py NAMESPACE OTHER-NAMESPACE LOG: a DNS server that answers every question several times: with another id, about another
name, from another address (that of the second namespace) and, for names that do not begin with "silent", as it should, and then
once more with another address. Needs Python 3 and dnspython alone."""
import ctypes
import json
import os
import socket
import sys

import dns.message
import dns.rrset

CLONE_NEWNET = 0x40000000
RIGHT, EVIL = "127.78.0.9", "127.78.0.10"


def socket_in(namespace):
    fd = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    if ctypes.CDLL(None, use_errno=True).setns(fd, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
    os.close(fd)
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("0.0.0.0", 53))
    return s


def reply(query, address, name=None, number=None):
    m = dns.message.make_response(query)
    if name:
        m.question = [dns.rrset.from_text(name, 0, "IN", "A")]
        m.question[0] = dns.rrset.RRset(dns.name.from_text(name), m.question[0].rdclass, m.question[0].rdtype)
    if number is not None:
        m.id = number
    m.answer = [dns.rrset.from_text(name or query.question[0].name.to_text(), 300, "IN", "A", address)]
    return m.to_wire()


# On one processor packets keep their order.
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
stranger, own = socket_in(sys.argv[2]), socket_in(sys.argv[1])
print("ready", 53, flush=True)
with open(sys.argv[3], "w", encoding="ascii") as log:
    while True:
        data, peer = own.recvfrom(4096)
        query = dns.message.from_wire(data)
        name = query.question[0].name.to_text()
        own.sendto(reply(query, EVIL, number=query.id ^ 1), peer)
        own.sendto(reply(query, EVIL, name="other.test."), peer)
        stranger.sendto(reply(query, EVIL), peer)
        if not name.startswith("silent"):
            own.sendto(reply(query, RIGHT), peer)
            own.sendto(reply(query, EVIL), peer)
        json.dump({"name": name, "port": peer[1]}, log)
        log.write("\n")
        log.flush()
