#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What a collector got, read as OTLP says and by no code of ours.

collected.py LOG NOTE        the newest log record: its body goes to NOTE; prints service and origin
collected.py LOG --same N    waits until N records in a row have one size, at most 60 s
"""
import json
import subprocess
import sys


def value(attributes, key):
    return next(a["value"] for a in attributes if a["key"] == key)


def records(line):
    entry = json.loads(line)
    if "body" not in entry:
        return
    assert entry["path"] == "/v1/logs" and entry["type"] == "application/json", entry
    for resource in entry["body"]["resourceLogs"]:
        for scope in resource["scopeLogs"]:
            for record in scope["logRecords"]:
                origin, size, root = record["body"]["stringValue"].split("\n")[:3]
                attributes = record["attributes"]
                assert int(record["timeUnixNano"]) > 10**18
                assert value(attributes, "wirewitness.checkpoint.origin") == {"stringValue": origin}
                assert value(attributes, "wirewitness.checkpoint.size") == {"intValue": size}
                assert value(attributes, "wirewitness.checkpoint.root") == {"stringValue": root}
                service = value(resource["resource"]["attributes"], "service.name")["stringValue"]
                yield service, origin, size, record["body"]["stringValue"]


log, what = sys.argv[1:3]
if what != "--same":
    with open(log, encoding="utf-8") as lines:
        service, origin, _, note = [r for line in lines for r in records(line)][-1]
    with open(what, "w", encoding="utf-8") as out:
        out.write(note)
    print(service, origin)
    sys.exit(0)

follow = subprocess.Popen(["timeout", "60", "tail", "-n", "+1", "-F", log], stdout=subprocess.PIPE, text=True)
last, run = None, 0
for line in follow.stdout:
    for _, _, size, _ in records(line):
        run = run + 1 if size == last else 1
        last = size
    if run >= int(sys.argv[3]):
        follow.kill()
        sys.exit(0)
sys.exit(1)
