#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""edit.py REPORT CODE: the payload of a report after the Python statement CODE over `s` (the statement), `p` (its
predicate) and `record(kind)` (the records of a kind as their parsed JSON; they cannot be changed)."""
import base64
import json
import sys

envelope = json.load(open(sys.argv[1], encoding="utf-8"))
s = json.loads(base64.b64decode(envelope["payload"]))
p = s["predicate"]


def record(kind):
    return [json.loads(r["record"]) for r in p["records"] if r["kind"] == kind]


exec(sys.argv[2])
sys.stdout.write(json.dumps(s, ensure_ascii=False, separators=(",", ":")))
