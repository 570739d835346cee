#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""compare.py CGROUP SERVER-LOG < STREAM: the sizes of the bodies that a server got (echo.py), and those of the exchanges in the
stream that one scope has made. Prints their number when they are the same, else what differs."""
import collections
import json
import sys

with open(sys.argv[2], encoding="ascii") as log:
    truth = collections.Counter(int(line) for line in log)
seen = collections.Counter()
for line in sys.stdin:
    record = json.loads(line)["record"]
    if record["kind"] == "exchange" and record["cgroup"] == sys.argv[1]:
        assert record["outcome"] == "complete" and record["status"] == 200 and record["client"], record
        seen[record["request"]["body"]["wireBytes"]] += 1
print(truth.total() if truth == seen else f"only at the server: {truth - seen}, only in the stream: {seen - truth}")
