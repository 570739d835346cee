#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""hostile.py SOCKET: requests that are wrong in one way each. Prints those that were not refused, and how many there were."""
import json
import socket
import sys

G = {"op": "guard", "do": "deny"}
WRONG = [
    {"op": "guard"}, {**G}, {**G, "do": "burn"}, {**G, "do": 7}, {**G, "prefix": 7}, {**G, "prefix": ""},
    {**G, "prefix": "203.0.113.1/24"}, {**G, "prefix": "203.0.113.0/33"}, {**G, "prefix": "example.com"},
    {**G, "prefix": "::ffff:203.0.113.0/120"}, {**G, "prefix": "203.0.113.0/24\u0000"}, {**G, "prefix": "9" * 4000},
    {**G, "prefix": "203.0.113.0/24", "region": "eu"}, {**G, "region": "nowhere"}, {**G, "region": "a\nb"},
    {**G, "region": "x" * 97}, {**G, "agent": "nobody"}, {**G, "agent": ""}, {**G, "agent": "a" * 64},
    {**G, "agent": "by-program"}, {**G, "prefix": "203.0.113.0/24", "agent": ["a"]},
    {**G, "prefix": "203.0.113.0/24", "forS": 0}, {**G, "prefix": "203.0.113.0/24", "forS": -1},
    {**G, "prefix": "203.0.113.0/24", "forS": 1.5}, {**G, "prefix": "203.0.113.0/24", "forS": 1 << 63},
    {**G, "prefix": "203.0.113.0/24", "forS": "1h"}, {**G, "prefix": "203.0.113.0/24", "cut": 1},
    {**G, "do": "allow", "prefix": "198.51.100.0/24"}, {**G, "do": "allow", "prefix": "203.0.113.0/24", "cut": True},
    {**G, "do": "cut"}, {**G, "do": "cut", "flow": "f-"}, {**G, "do": "cut", "flow": "f-xyz"},
    {**G, "do": "cut", "flow": "f-" + "1" * 17}, {**G, "do": "cut", "flow": "f-1"}, {**G, "do": "cut", "flow": 1},
]
lines = [json.dumps(x) for x in WRONG] + [
    '{"op":"guard","do":"deny","prefix":"203.0.113.0/24"', '{"op":"guard","do":"deny","prefix":"203.0.113.0/24"}}',
    '{"op":"guard","do":"deny","do":"list","prefix":"203.0.113.0/24"}',
    '{"op":"guard","do":"deny","prefix":"203.0.113.0/24","prefix":"198.51.100.0/24"}',
    '{"op":"guard","do":"deny","prefix":"203.0.113.0/24","forS":1,"forS":2}',
]
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
answers = s.makefile("rb")
taken = []
for line in lines:
    s.sendall(line.encode() + b"\n")
    if json.loads(answers.readline())["ok"] is not False:
        taken.append(line)
print(*taken, f"{len(lines)} refused" if not taken else "")
