#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""compare.py RECORDS TRUTH QUERIES: one line per check: what, got, wanted, by tabs. TRUTH is what the clients wrote down, QUERIES
the log of dnsmasq: "SERIAL CLIENT/PORT query[A] NAME from CLIENT", "SERIAL CLIENT/PORT config NAME is ADDRESS"."""
import json
import re
import sys

records = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
truth = [json.loads(line) for line in open(sys.argv[2], encoding="ascii")]
flows = [r for r in records if r["kind"] == "flow"]
lookups = [r for r in records if r["kind"] == "lookup"]
by_id = {f["id"]: f for f in flows}
LIED = ("spoof.test", "silent.test")
PORT = "53"
TTLS = {"zero.test": 0, "svc.test": 0, "www.test": 60}  # of the others: 300


def is_(what, got, wanted):
    text = [json.dumps(v, sort_keys=True) for v in (got, wanted)]
    print(what, *text, sep="\t")


def port_of(endpoint):
    return int(endpoint.rsplit(":", 1)[1])


def address_of(endpoint):
    return endpoint.rsplit(":", 1)[0].strip("[]")


# --- every question, and what it was answered -------------------------------------------------------
asked, given = {}, {}
for line in open(sys.argv[3], encoding="utf-8"):
    m = re.search(r": (\d+) \S+/(\d+) query\[(\S+)\] (\S+) from", line)
    if m:
        asked[m[1]] = (int(m[2]), m[4], {"type=65": "HTTPS"}.get(m[3], m[3]))
    m = re.search(r": (\d+) \S+/\d+ (?:config|cached) (\S+) is (\S+)$", line)
    if m and re.fullmatch(r"[0-9.]+|[0-9a-f:]*:[0-9a-f:]*", m[3]):
        given.setdefault(m[1], []).append(m[3])
seen = sorted((port_of(by_id[l["flow"]]["local"]), l["name"], l["type"]) for l in lookups if l["name"] not in LIED)
is_("every question is there, no other", seen, sorted(asked.values()))
is_("each was answered", sorted({l["end"] for l in lookups if l["name"] not in LIED}), ["answered"])
wanted = sorted([*asked[s], *sorted(a)] for s, a in given.items())
got = sorted([port_of(by_id[l["flow"]]["local"]), l["name"], l["type"], *sorted(a["address"] for a in l["answers"] if "address" in a)]
             for l in lookups if l["name"] not in LIED and not l["truncated"] and any("address" in a for a in l["answers"]))
is_("addresses are those that the server gave", [g for g in got if g not in wanted], [])
is_("and all of them but for what was cut", [w for w in wanted if w not in got and len(w) < 30], [])

# --- one by one ------------------------------------------------------------------------------------
def only(name, **how):
    return [l for l in lookups if l["name"] == name and all(l[k] == v for k, v in how.items())]


is_("a name that is none", [l["rcode"] for l in only("gone.test", type="A")], ["NXDOMAIN"])
is_("the alias is told", [[(a["type"], a.get("target")) for a in l["answers"]] for l in only("www.test", type="A")],
    [[("CNAME", "real.test"), ("A", None)]])
many = "a-rather-long-name-of-many-addresses.test"
is_("cut over UDP, whole over TCP", sorted((l["proto"], l["truncated"], len(l["answers"]) == 31) for l in only(many)),
    [("tcp", False, True), ("udp", True, False)])
is_("over TCP", [(l["proto"], l["ednsBytes"] > 0) for l in only("tcp.test")], [("tcp", True)])
is_("service binding", [[(a["type"], a["alpn"], a["ech"], a["hints"]) for a in l["answers"]] for l in only("svc.test")],
    [[("HTTPS", "h2,h3", True, ["127.78.0.13"])]])
for t in truth:
    if "asked" not in t:
        continue
    l = only(t["asked"])
    is_(f"{t['asked']}: one question", len(l), 1)
    f = by_id[l[0]["flow"]]
    is_(f"{t['asked']}: by its socket", [port_of(f["local"]), int(l[0]["actor"][1:].split("-")[0])], [t["port"], t["pid"]])
    is_(f"{t['asked']}: answered", [a["address"] for a in l[0]["answers"]] if "answers" in l[0] else None, t["answers"])
    is_(f"{t['asked']}: what does not match", f["carries"]["unmatched"], t["unmatched"] + (t["answers"] is not None))
is_("flows to name servers are named so", sorted({f.get("carries", {}).get("protocol") for f in flows if f["peer"].endswith(":" + PORT)
                                                  and f["kernel"]["bytesSent"]}), ["dns"])
is_("no other is", [f["peer"] for f in flows if "carries" in f and not f["peer"].endswith(":" + PORT)], [])

# --- what was connected to ---------------------------------------------------------------------------
for t in truth:
    if "asked" in t:
        continue
    f = [f for f in flows if f["proto"] == "tcp" and f["role"] == "connect" and port_of(f["local"]) == t["local"]
         and address_of(f["peer"]) == t["peer"]]
    what = f"{t['peer']} {t['names']}"
    is_(f"{what}: one connection", len(f), 1)
    d = f[0].get("dns", {"names": [], "to": None})
    is_(f"{what}: named", [sorted(n["name"] for n in d["names"]), d.get("to")], [sorted(t["names"]), t["to"]])
    for n in d["names"]:
        l = [l for l in lookups if l["id"] == n["lookup"]][0]
        is_(f"{what}: by a lookup of that name", [l["name"], l["actor"]], [n["name"], n["actor"]])
        is_(f"{what}: its age", n["ageNs"], f[0]["openBootNs"] - l["answeredBootNs"])
        ttl = TTLS.get(n["name"], 300)
        is_(f"{what}: its time", [n["ttl"], n["expired"]], [ttl, ttl == 0])

# --- never wrong --------------------------------------------------------------------------------------
addresses = {}
for serial, found in given.items():
    for a in found:
        addresses.setdefault(a, set()).add(asked[serial][1])
addresses.update({"127.78.0.9": {"spoof.test"}, "127.78.0.13": {"svc.test"}})
is_("no name that nobody gave the address", [[f["peer"], n["name"]] for f in flows for n in f.get("dns", {"names": []})["names"]
                                             if n["name"] not in addresses.get(address_of(f["peer"]), ())], [])
