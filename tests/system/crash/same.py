#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""same.py ANNOUNCED LEDGER [LINES]: the stream as a client saw it over many starts, and the whole of it read again at the end.

What was announced must be one run of at least LINES (1000) cursors without a hole or a repetition, each line equal to the ledger's.
"""
import json
import sys

with open(sys.argv[1], "rb") as f:
    announced = f.read().splitlines()
with open(sys.argv[2], "rb") as f:
    ledger = {json.loads(line)["cursor"]: line for line in f.read().splitlines()}
cursors = [json.loads(line)["cursor"] for line in announced]
assert cursors == list(range(cursors[0], cursors[0] + len(cursors))), "a hole or a repetition"
assert len(cursors) >= int((sys.argv[3:] or [1000])[0]), len(cursors)
assert sorted(ledger) == list(range(len(ledger))), "the ledger has holes"
for cursor, line in zip(cursors, announced):
    if ledger.get(cursor) != line:
        sys.exit(f"{cursor} was announced as\n{line.decode()}\nand is\n{ledger.get(cursor)}")
print(len(announced), "lines are the same")
