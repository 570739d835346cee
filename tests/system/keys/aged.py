#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""aged.py COUNT AGE [BYTES]: records begun AGE seconds ago, for ledger_append; every fifth kind in turn, a commit every hundred."""
import json
import sys
import time

KINDS = ["flow", "span", "exchange", "model_call", "verdict"]
count, age = int(sys.argv[1]), int(sys.argv[2])
filler = "x" * (int(sys.argv[3]) if len(sys.argv) > 3 else 10)
when = time.strftime("%Y-%m-%dT%H:%M:%S.000000000Z", time.gmtime(time.time() - age))
for i in range(count):
    kind = KINDS[i % len(KINDS)]
    print(json.dumps({"kind": kind, "id": f"x-{age:x}-{i:x}", "t": when, "note": "SWORDFISH" + filler},
                     separators=(",", ":")))
    if i % 100 == 99:
        print()
