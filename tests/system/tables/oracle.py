#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""oracle.py make FOLDER SEED COUNT: random prefixes as an AWS file and a list, and addresses to ask for.
oracle.py answer FOLDER: what Python's ipaddress says of these addresses, as tools/dev/lookups prints it: every prefix is
tried at every length."""
import ipaddress
import json
from pathlib import Path
import random
import sys


def draw(r, version):
    bits = 32 if version == 4 else 128
    length = r.randint(0, bits) if r.random() < 0.001 else r.randint(12, 28) if version == 4 else r.randint(20, 64)
    value = r.getrandbits(bits) if version == 4 else (0x2a << 120) | r.getrandbits(r.choice((120, 104, 100)))
    return ipaddress.ip_network((value >> (bits - length) << (bits - length), length))


def make(folder, seed, count):
    r = random.Random(seed)
    rows, some = [], []
    for i in range(count):
        version = r.choice((4, 6))
        net = draw(r, version)
        if some and r.random() < 0.5:  # nested, or the same again
            around = r.choice(some)
            version, length = around.version, r.randint(around.prefixlen, around.max_prefixlen)
            inside = int(around.network_address) | r.getrandbits(around.max_prefixlen - around.prefixlen)
            net = ipaddress.ip_network((inside >> (around.max_prefixlen - length) << (around.max_prefixlen - length), length)
                                       if version == 4 or inside >> 32 else (int(around.network_address), around.prefixlen))
        some.append(net)
        rows.append((net, f"s{r.randrange(9)}", f"r{r.randrange(30)}"))
    aws = {"syncToken": "1", "createDate": "2026-11-20-03-21-09", "prefixes": [], "ipv6_prefixes": []}
    for net, service, region in rows:
        of = ("prefixes", "ip_prefix") if net.version == 4 else ("ipv6_prefixes", "ipv6_prefix")
        aws[of[0]].append({of[1]: str(net), "region": region, "service": service, "network_border_group": region})
    (folder / "aws.json").write_text(json.dumps(aws))
    (folder / "list.txt").write_text("".join(f"{net}\n" for net in r.sample(some, count // 10)))
    asked = []
    for net in r.sample(some, 2000):
        size = net.max_prefixlen - net.prefixlen
        first = int(net.network_address)
        for value in (first, first + 2**size - 1, first | r.getrandbits(size), first - 1, first + 2**size):
            if 0 <= value < 2**net.max_prefixlen:
                asked.append(ipaddress.ip_address(value) if net.version == 4 else ipaddress.IPv6Address(value))
    (folder / "asked").write_text("".join(f"{a}\n" for a in asked))


def answer(folder):
    by = {}
    aws = json.loads((folder / "aws.json").read_text())
    for e in aws["prefixes"] + aws["ipv6_prefixes"]:
        net = ipaddress.ip_network(e.get("ip_prefix") or e["ipv6_prefix"])
        by.setdefault((net.version, net.prefixlen, int(net.network_address)), set()).add(
            (0, f"{net},aws,{e['service']},{e['region']},"))
    for line in (folder / "list.txt").read_text().split():
        net = ipaddress.ip_network(line)
        by.setdefault((net.version, net.prefixlen, int(net.network_address)), set()).add((1, f"{net},cdn,,,"))
    for line in (folder / "asked").read_text().split():
        a = ipaddress.ip_address(line)
        version, value = a.version, int(a)
        if version == 6 and a.ipv4_mapped:
            version, value = 4, int(a.ipv4_mapped)
        bits = 32 if version == 4 else 128
        found = [text for length in range(bits, -1, -1)
                 for _, text in sorted(by.get((version, length, value >> (bits - length) << (bits - length)), ()))]
        print("\t".join([line, *found[:64]]))


if sys.argv[1] == "make":
    make(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
else:
    answer(Path(sys.argv[2]))
