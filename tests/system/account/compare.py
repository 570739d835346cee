#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""compare.py RECORDS TRUTH PCAP...: per connection three counts of the same bytes: the flow record's (the kernel),
the server's, and libpcap's; and whether the byte account closes. Prints "KIND COUNT" lines, and a line for each
difference; nothing is compared by time."""
import collections
import json
import sys

TOLERATED = 64
ALERT = 24  # the server's farewell, after our end was closed: nobody received it
seen, problems = collections.Counter(), []


def lines(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f if line.startswith("{")]


def check(name, what, got, wanted):
    seen[name] += 1
    if got != wanted:
        problems.append(f"{name}: {what}: {got} instead of {wanted}")


def port(endpoint):
    return int(endpoint.rsplit(":", 1)[1])


flows = {r["local"]: r for r in lines(sys.argv[1])
         if r["kind"] == "flow" and r["proto"] == "tcp" and r["role"] == "connect" and port(r["peer"]) == 443}
# An address too: the namespaces give out ports each on its own.
conns = {f"{r['addr']}:{r['port']}": r for r in lines(sys.argv[2]) if r["kind"] == "conn"}
wire = {}
for path in sys.argv[3:]:
    for row in lines(path):
        if "dropped" in row:
            check("capture", path, (row["dropped"], row["unknown"]), (0, 0))
        else:
            check("whole", row["from"], row["whole"], True)
            wire[row["from"], row["to"]] = row["payload"]

check("connections", "the server's and ours", sorted(flows), sorted(conns))
for p in flows.keys() & conns.keys():
    flow, conn, kernel = flows[p], conns[p], flows[p]["kernel"]
    check("sent", p, (kernel["bytesSent"], kernel["bytesAcked"]), (conn["raw_read"], conn["raw_read"]))
    check("sent on the wire", p, kernel["bytesSent"], wire.get((p, flow["peer"])))
    check("received on the wire", p, wire.get((flow["peer"], p), 0) - kernel["bytesReceived"] in (0, ALERT), True)
    if conn["tls"] is None:
        check("in clear", p, flow["account"]["out"]["remainder"], conn["raw_read"])
        seen[f"hidden socket of {conn['raw_read']}"] += 1
        continue
    check("version", p, (conn["tls"], flow["tls"]["version"], flow["tls"]["bind"]), ("TLSv1.3", "0x0304", "random"))
    out, back = flow["account"]["out"], flow["account"]["in"]
    check("judged", p, (out["checked"], back["checked"]), (True, True))
    check("plaintext out", p, out["explained"], conn["app_read"])
    # A read that filled a small buffer may have ended a record or not: the account says between which bounds.
    unsure = back.get("overheadMax", back["overhead"]) - back["overhead"]
    check("remainder in" + (" within bounds" if unsure else ""), p,
          -TOLERATED <= back["remainder"] <= TOLERATED + unsure, True)
    if "overheadMax" not in out and abs(out["remainder"]) <= TOLERATED:
        seen["remainder out"] += 1
        check("plaintext in", p, back["explained"], conn["app_written"])
    else:
        seen[f"hidden record of {out['remainder']}"] += 1
for name, count in sorted(seen.items()):
    print(name, count)
for problem in problems:
    print("WRONG", problem)
