#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""compare.py RECORDS LOG CLIENT(true|false): the messages of WebSockets among the records, of that end, against the server's own
log. Prints what is wrong, and at the end how many messages the log has, and how many of them could not be read (each lost to the
capture's cap, or compressed with what was); status 1 when anything is wrong."""
import collections
import json
import sys

records, log, client = sys.argv[1], sys.argv[2], sys.argv[3] == "true"
CAP = 1 << 20  # bytes of a message that are kept, and of a call that are captured
wrong, pairs, unread = [], set(), 0
exchanges = [r for r in map(json.loads, open(records)) if r["kind"] == "exchange" and r["client"] == client]
paths = {x["id"]: x["path"] for x in exchanges if x["outcome"] == "upgraded"}
seen, truth, ends = collections.defaultdict(list), collections.defaultdict(list), {}
for x in exchanges:
    if "webSocket" in x:
        seen[paths[x["webSocket"]["openedBy"]], x["webSocket"]["from"]].append(x)
    elif x["outcome"] != "upgraded":
        wrong.append(f"not of a WebSocket: {x}")
for t in map(json.loads, open(log)):
    if t["kind"] == "end":
        ends[t["path"]] = t
    else:
        truth[t["path"], "client" if t["kind"] == "in" else "server"].append(t)


def check(x, t, compressed):
    """The message as it was. False: it was not read, and says so."""
    ws = x["webSocket"]
    body, empty = [x[k]["body"] for k in (("request", "response") if ws["from"] == "client" else ("response", "request"))]
    lost = {f for f in x["findings"] if f.startswith("gap-in-") or f == "coding-unknown" or f.endswith("-truncated")}
    hit = {"type": ws["type"] == t["type"], "outcome": x["outcome"] == "message", "findings": set(x["findings"]) == lost,
           "one side": empty["wireBytes"] == 0, "frames": t.get("frames", ws["frames"]) == ws["frames"]}
    if "coding-unknown" in lost:
        hit["unread"] = body["coding"] == "other" and not body["whole"]
    else:
        hit["coding"] = body["coding"] == ("deflate" if compressed else "identity")
        hit["whole"] = body["whole"] == (not lost)
        if not lost or not compressed:
            hit["bytes"] = body["decodedBytes"] == t["bytes"]
        if not compressed:
            hit["wire"] = body["wireBytes"] == t["bytes"]
    if not all(hit.values()):
        wrong.append(f"{t}: {[k for k, v in hit.items() if not v]}: {x}")
    if body["whole"]:
        pairs.add((t["sha256"], body["digest"]))
    elif t["bytes"] <= CAP and "-large" not in t["path"]:
        wrong.append(f"not read: {t}: {x}")
    return body["whole"]


for key in sorted(truth.keys() | seen.keys()):
    path, sender = key
    got, closes = [[x for x in seen[key] if (x["webSocket"]["type"] == "close") == c] for c in (False, True)]
    if len(got) != len(truth[key]) or [x["webSocket"]["number"] for x in seen[key]] != list(range(len(seen[key]))):
        wrong.append(f"{key}: {len(got)} messages of {len(truth[key])}")
    for x, t in zip(got, truth[key]):
        unread += not check(x, t, not path.startswith("/plain"))
    end = ends[path]
    # Who closes without a code is told as 1005, who does not close as 1006. What a server answers a close with is the same code.
    code = end["gotCode"] if sender == "client" else end["sentCode"] or end["gotCode"]
    if [x["webSocket"].get("closeCode", 1005) for x in closes] != [code][: code != 1006]:
        wrong.append(f"{key}: closed with {closes}, not {code}")
    controls = end["gotControls" if sender == "client" else "sentControls"]
    if code != 1006 and sum(x["webSocket"]["controls"] for x in seen[key]) != controls:
        wrong.append(f"{key}: not {controls} pings and pongs")
if any(len({p[i] for p in pairs}) != len(pairs) for i in (0, 1)):
    wrong.append("digests and contents do not pair")
if set(paths.values()) != ends.keys():
    wrong.append(f"connections: {paths}, not {ends.keys()}")
print("\n".join(wrong[:10] + [f"{sum(map(len, truth.values()))} {unread}"]))
sys.exit(bool(wrong) or not truth)
