#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""hostile.py SITES PROGRAM FILE: writes damaged copies of a Go program to FILE, one after the other, and has each planned:
cut at many lengths, its sections and the table of its functions overwritten, with a seed. Every plan ends by itself, well
or with a reason, within seconds; prints how many there were."""
import random
import struct
import subprocess
import sys

sites, program, path = sys.argv[1:]
with open(program, "rb") as f:
    whole = f.read()
shoff, = struct.unpack_from("<Q", whole, 40)
shnum, = struct.unpack_from("<H", whole, 60)
table = whole.index(b"\xf0\xff\xff\xff\x00\x00\x01\x08")
rng, count = random.Random(1), 0


def plan(data, what):
    global count
    with open(path, "wb") as out:
        out.write(data)
    for option in ([], ["-g"]):
        r = subprocess.run([sites, *option, path], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=20)
        if r.returncode not in (0, 1) or (r.returncode == 1 and not r.stderr):
            sys.exit(f"{what}: status {r.returncode}, {r.stderr[-300:]}")
    count += 1


def damaged(places):
    data = bytearray(whole)
    for at, value in places:
        data[at:at + len(value)] = value
    return data


NASTY = [b"\x00" * 8, b"\xff" * 8, struct.pack("<Q", 1 << 63), struct.pack("<Q", len(whole)), struct.pack("<Q", 0x7fffffff)]
for n in sorted(rng.randrange(len(whole)) for _ in range(30)):
    plan(whole[:n], f"cut at {n}")
for at in range(table + 8, table + 72, 8):
    for value in NASTY:
        plan(damaged([(at, value)]), f"head of the table at {at - table}: {value}")
for i in range(shnum):
    for field in (16, 24, 32):  # address, offset, size
        plan(damaged([(shoff + 64 * i + field, rng.choice(NASTY))]), f"section {i} at {field}")
for i in range(40):
    places = [(table + rng.randrange(1 << 20), rng.randbytes(rng.choice([1, 4, 64]))) for _ in range(200)]
    plan(damaged(places), f"table, {i}")
print(count)
