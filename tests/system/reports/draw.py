#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws the sample of a report's payload (standard input) again, from the revealed seeds, by the published rule."""
import hashlib
import hmac
import json
import math
import sys

predicate = json.load(sys.stdin)["predicate"]
s = predicate["sampling"]
records = {r["index"]: json.loads(r["record"]) for r in predicate["records"]}
p = float(s["probability"])
threshold = int(s["threshold"])
assert abs((2**56 - threshold) / 2**56 - p) < 1e-12
for e in s["epochs"]:
    assert hashlib.sha256(bytes.fromhex(e["seed"])).hexdigest() == e["commitment"] == records[e["index"]]["commitment"]
units = sorted([(u, True) for u in s["chosen"]] + [(u, False) for u in s["notChosen"]], key=lambda x: x[0]["index"])
assert len(units) == s["population"]
shown = {}
for unit, chosen in units:
    seed = [e["seed"] for e in s["epochs"] if e["index"] < unit["index"]][-1]
    draw = int.from_bytes(hmac.new(bytes.fromhex(seed), unit["action"].encode(), hashlib.sha256).digest()[:7], "big")
    always = chosen and unit["outcome"] == "contradicted"
    assert chosen == (always or draw >= threshold), unit
    if chosen:
        assert records[unit["index"]]["action"] == unit["action"]
        shown.setdefault(unit["outcome"], [0, 0])[always] += 1
for e in s["estimates"]:
    drawn, always = shown.pop(e["outcome"])
    assert abs(float(e["estimate"]) - (always + drawn / p)) < 0.01, e
    assert abs(float(e["standardError"]) - math.sqrt(drawn * (1 - p)) / p) < 0.01, e
assert not shown
listed = {r["action"] for r in records.values() if r["kind"] == "verdict"}
assert listed == {u["action"] for u in s["chosen"]}
print("as drawn")
