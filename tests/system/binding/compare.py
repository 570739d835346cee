#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""compare.py RECORDS TRUTH: prints, per client, "NAME REQUESTS FOUND WRONG MISSED GRADE=COUNT...": how many of the requests
that the server saw have an exchange, how many of these stand on another connection than the server's, occur twice or
are answered otherwise, how many are missing behind one that was found on the same connection, and by which witness
the connections are bound. An exchange that says of itself that its answer is not all there counts as not found, if the
coverage has the loss; what it does say must be right. RECORDS may be a ledger's stream."""
import collections
import json
import sys

flows, exchanges, lost = {}, {}, 0
with open(sys.argv[1], encoding="utf-8") as f:
    for line in f:
        record = json.loads(line)
        record = record.get("record", record)
        if record["kind"] == "flow":
            flows[record["id"]] = record
        elif record["kind"] == "coverage":
            lost += record["lostEvents"]
        elif record["kind"] == "exchange" and record.get("path", "").startswith("/t/"):
            exchanges.setdefault(record["path"], []).append(record)

names, wrong, known = {}, [], set()
with open(sys.argv[2], encoding="utf-8") as f:
    truth = [row for row in map(json.loads, f) if row["kind"] == "req"]
for row in truth:
    n = names.setdefault(row["path"].split("/")[2].rsplit("-", 1)[0], collections.Counter())
    n["requests"] += 1
    found = exchanges.pop(row["path"], [])
    if not found:
        n["missed"] += row["conn"] in known
        continue
    x = found[0]
    cut = lost and "gap-in-response" in x["findings"] and not x["response"]["body"]["whole"]
    known.update([] if cut else [row["conn"]])
    n["found"] += not cut
    flow = flows.get(x["flow"], {"local": "none:0", "tls": {"bind": "none"}})
    here = (len(found), int(x["local"].rsplit(":", 1)[1]), int(flow["local"].rsplit(":", 1)[1]), x.get("status"),
            x["method"], x["request"]["body"]["wireBytes"], x["response"]["body"]["decodedBytes"])
    there = (1, row["port"], row["port"], row["status"], row["method"], row["body_bytes"], row["reply_bytes"])
    if cut:
        here, there = here[:3] + here[4:6], there[:3] + there[4:6]
    if here != there:
        n["wrong"] += 1
        wrong.append(f"WRONG {row['path']}: {here} instead of {there}")
    n[flow["tls"]["bind"]] += not cut
for path in exchanges:
    wrong.append(f"WRONG {path}: the server never saw it")
for name, n in sorted(names.items()):
    grades = [f"{g}={n[g]}" for g in ("random", "record", "unbound", "none") if n[g]]
    print(name, n["requests"], n["found"], n["wrong"], n["missed"], *grades)
print(*wrong[:20], sep="\n")
