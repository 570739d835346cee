#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""documented.py DOCS < STREAM: every member of every record is named in docs/records.md, in the part about its kind.

Prints what is not, as "KIND MEMBER", then "KINDS" and the kinds that were there. A line that is not JSON, or has two
members of one name, ends it.
"""
import json
import re
import sys

GENERAL = {"kind", "id", "t"}
# A verdict repeats the action's columns; what stands in free keys is data, not a member.
ALSO = {"verdict": {"action"}}
FREE = {"attrs"}


def words(text):
    return {part for code in re.findall(r"`([^`]+)`", text) for part in re.split(r"[^A-Za-z0-9_]+", code)}


def named(path):
    """Words in code type, by kind, from the headings and the paragraphs that begin with a kind in bold."""
    found, kinds = {}, []
    with open(path, encoding="utf-8") as docs:
        for line in docs:
            if line.startswith("## "):
                kinds = re.split(r",\s*", line[3:].strip())
            bold = re.match(r"- \*\*([a-z_]+)\*\*: ", line)
            if bold:
                kinds = [bold[1]]
            for kind in kinds:
                found.setdefault(kind, set()).update(words(line))
    return found


def members(value):
    if isinstance(value, list):
        for each in value:
            yield from members(each)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            if key not in FREE:
                yield from members(inner)


def once(pairs):
    keys = [key for key, _ in pairs]
    assert len(keys) == len(set(keys)), f"twice: {keys}"
    return dict(pairs)


docs, seen = named(sys.argv[1]), {}
for line in sys.stdin:
    line = json.loads(line, object_pairs_hook=once)
    assert list(line) == ["v", "cursor", "record"] and line["v"] == 1, line
    record = line["record"]
    assert list(record)[:3] == ["kind", "id", "t"], record
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", record["t"]), record
    seen.setdefault(record["kind"], set()).update(members(record))
for kind, used in sorted(seen.items()):
    allowed = GENERAL.union(*(docs.get(k, set()) for k in {kind} | ALSO.get(kind, set())))
    for member in sorted(used - allowed):
        print(kind, member)
print("KINDS", *sorted(seen))
