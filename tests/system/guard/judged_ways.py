#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""judged_ways.py TAG MODE RECORDS CLIENT PEER: the client's errnos and the peer's log against the guard's records.
MODE enforce: what is denied fails with EPERM and reached nobody; dry-run, off: all of it went."""
import json
import sys

tag, mode, records, client, peer = sys.argv[1:]
HOOKS = {"raw4": "egress", "raw6": "egress", "udp4": "sendmsg", "udp6": "sendmsg", "udp-mapped": "sendmsg"}
reached = {json.loads(line)["text"] for line in open(peer, encoding="ascii")}
wrong = []
expected = {}
for line in open(client, encoding="ascii"):
    way, what, error = line.split()
    denied = what == "denied"
    if int(error) != (1 if denied and mode == "enforce" else 0):
        wrong.append(f"{way} {what}: errno {error}")
    if not way.startswith("raw") and (f"{tag} {way} {what}" in reached) != (not denied or mode != "enforce"):
        wrong.append(f"{way} {what}: reached or not, and should not or should")
    if denied and mode != "off":
        key = (HOOKS.get(way, "connect"), "203.0.113.5" if "6" not in way else "2001:db8:77::5",
               "tcp" if way in ("tcp4", "tcp6", "mapped", "fastopen", "mptcp") else "ip-253" if "raw" in way else "udp")
        expected[key] = expected.get(key, 0) + 1
told = {}
for line in open(records, encoding="ascii"):
    r = json.loads(line)
    if r["kind"] != "guard":
        continue
    if r["mode"] != ("denied" if mode == "enforce" else "would-deny"):
        wrong.append(f"{r['id']}: {r['mode']}")
    if r["prefix"] not in ("203.0.113.0/24", "2001:db8:77::/64") or r["why"] != "policy" or r["list"] is None:
        wrong.append(f"{r['id']}: {r['prefix']} {r['why']} {r['list']}")
    key = (r["hook"], r["peer"].rsplit(":", 1)[0].strip("[]"), r["proto"])
    told[key] = told.get(key, 0) + r["attempts"]
if told != expected:
    wrong.append(f"told {told}, expected {expected}")
print("; ".join(wrong) or "as it was")
