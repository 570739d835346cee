#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""compare.py RECORDS LOG CLIENT(true|false): the exchanges of HTTP/2 streams among the records, of that end, against
the server's own log. Prints what is wrong, and at the end how many requests the log has; status 1 when anything is."""
import json
import sys

records, log, client = sys.argv[1], sys.argv[2], sys.argv[3] == "true"
CAP = 1 << 20  # bytes of a body that are kept; the rest is counted
wrong = []
exchanges = [r for r in map(json.loads, open(records)) if r["kind"] == "exchange" and r["client"] == client and "stream" in r]
truth = {r["id"]: r for r in map(json.loads, open(log))}
answered, uploaded = {}, set()
for x in exchanges:
    if "requestId" in x:
        if x["requestId"] in answered:
            wrong.append(f"{x['requestId']} twice")
        answered[x["requestId"]] = x

for id_, t in truth.items():
    x = answered.get(id_)
    if not x:
        if t["status"] and t["outcome"] == "sent":
            wrong.append(f"not seen: {t}")
        continue
    resp, req = x["response"]["body"], x["request"]["body"]
    hit = {"method": x.get("method") == t["method"], "status": x.get("status") == t["status"],
           "stream": x["stream"] == t["stream"], "got": req["wireBytes"] == t["got"]}
    if "parts" in t:
        known = {"purpose", "file", "archive"}
        parts = req.get("parts", [])
        hit["parts"] = req.get("partsWhole") and req["partsTotal"] == len(t["parts"]) and \
            [(p["name"], p["bytes"], "fileNameDigest" in p, p["whole"]) for p in parts] == \
            [(p["name"] if p["name"] in known else "{}", p["bytes"], p["file"], True) for p in t["parts"]]
        uploaded |= {(p["sha256"], q["digest"]) for p, q in zip(t["parts"], parts)}
    if t["outcome"] == "reset":
        hit["reset"] = x["outcome"] == "reset"
    elif x["outcome"] == "complete":
        hit["sent"] = resp["wireBytes"] == t["sent"]
        hit["whole"] = resp["whole"] or resp["decodedBytes"] > CAP
        hit["decoded"] = resp["decodedBytes"] == t["plain"] or t["method"] == "HEAD"
        hit["coding"] = resp["coding"] == (t["path"].split("/")[1] if resp["wireBytes"] != t["plain"] else "identity")
        hit["events"] = x.get("eventStream") == t.get("events")
        hit["counted"] = resp["decodedBytes"] <= CAP or "response-truncated" in x["findings"]
    elif x["outcome"] == "reset":  # by the client
        hit["sent"] = resp["wireBytes"] <= t["sent"]
    else:
        hit["outcome"] = False
    if not all(hit.values()):
        wrong.append(f"{t}: {[k for k, v in hit.items() if not v]}: {x}")
# Digests are keyed: the same content has one, whatever it was coded by, and no other content has it.
pairs = {(truth[id_]["sha256"], x["response"]["body"]["digest"]) for id_, x in answered.items()
         if id_ in truth and x["response"]["body"]["whole"] and x["outcome"] == "complete"}
pairs |= uploaded
if any(len({p[i] for p in pairs}) != len(pairs) for i in (0, 1)):
    wrong.append(f"digests and contents do not pair: {pairs}")
for x in exchanges:
    if x.get("requestId") not in truth and x["outcome"] == "complete":
        wrong.append(f"nobody answered so: {x}")
    if x["outcome"] not in ("complete", "reset") or [f for f in x["findings"] if not f.endswith("-truncated")]:
        wrong.append(f"not decoded: {x}")
resets = sum(x["outcome"] == "reset" and "requestId" not in x for x in exchanges)
if resets != sum(t["outcome"] == "reset" and t["path"] == "/reset" for t in truth.values()):
    wrong.append(f"{resets} resets without an answer")
if client and records.endswith("node.records") and len(uploaded) != 4:
    wrong.append("no upload")
if len(exchanges) != len(truth):
    wrong.append(f"{len(exchanges)} exchanges of {len(truth)} requests")
print("\n".join(wrong[:10] + [str(len(truth))]))
sys.exit(bool(wrong) or not truth)
