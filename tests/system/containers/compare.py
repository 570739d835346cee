#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""compare.py RECORDS TRUTH BOX...: per box how many of its requests were found on the right socket and how these are bound,
the scope they are counted to, and whether their processes have another number inside."""
import collections
import json
import os
import sys

records = [json.loads(line)["record"] for line in open(sys.argv[1], encoding="utf-8")]
truth = [row for row in map(json.loads, open(sys.argv[2], encoding="utf-8")) if row["kind"] == "req"]
flows = {r["id"]: r for r in records if r["kind"] == "flow"}
scopes = {r["cgroup"]: os.path.basename(r["path"]) for r in records if r["kind"] == "coverage"}
inner = {r["id"]: r["nsPid"] not in (0, r["pid"]) for r in records if r["kind"] == "actor"}
by_local = collections.defaultdict(list)
for r in records:
    if r["kind"] == "exchange":
        by_local[r["local"]].append(r)

for box in sys.argv[3:]:
    mine = [row for row in truth if row["path"].startswith(f"/count/{box}/")]
    n, where, inside = collections.Counter(), set(), set()
    for row in mine:
        on = by_local.get(f"{row['addr']}:{row['port']}", [])
        for x in on:
            n["found"] += 1
            n["wrong"] += x["path"] != row["path"] or x["status"] != row["status"] or len(on) != 1
            n[flows[x["flow"]]["tls"]["bind"]] += 1
            where.add(scopes.get(x["cgroup"]))
            inside.add(inner.get(x["actor"], False))
    print(box, "requests", len(mine), "found", n["found"], "wrong", n["wrong"], "random", n["random"],
          "scope", *where, "inner", "yes" if inside == {True} else "no")
