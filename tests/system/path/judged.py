#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What is said of paths, held against what the servers, the clients and the kernels logged.

judged.py FOLDER RECORDS PLAN [STATED]

PLAN has a line for each run of the agent: its name, then what is wanted of its last path. Output: "NAME<tab>GOT<tab>WANTED" for
each; then a line "WRONG ..." for whatever a log contradicts, wanted or not.
"""
import collections
import glob
import ipaddress
import json
import math
import os
import re
import sys

# Which server is where, by what world.sh gives it to; this is the truth that tables only list.
REGION = {"eu": "eu", "redirect": "eu", "vectors": "eu", "both": None, "us": "us", "reset": "us", "busy": "us", "sg": "sg", "saas": "sg",
          "slow": "sg", "forged": "sg", "moved": "sg", "nowhere": None, "old": None, "near": None, "inside": None, "quic": "sg"}
DELAY_US = {"eu": 1000, "redirect": 1000, "vectors": 1000, "both": 1000, "us": 25000, "reset": 25000, "busy": 25000, "sg": 40000,
            "saas": 40000, "slow": 40000, "forged": 40000, "moved": 40000, "nowhere": 8000, "old": 8000, "near": 0, "inside": 0}
ADDRESS = {"203.0.113.1": "eu", "2001:db8:1::1": "eu", "203.0.113.11": "redirect", "203.0.113.12": "vectors", "198.51.100.1": "us",
           "2001:db8:2::1": "us", "198.51.100.11": "reset", "198.51.100.12": "busy", "198.51.100.13": "both", "198.18.1.1": "sg",
           "2001:db8:3::1": "sg", "198.18.1.11": "saas", "198.18.1.12": "slow", "198.18.1.13": "forged", "198.18.1.14": "moved", "198.18.1.15": "early",
           "198.19.0.1": "nowhere", "198.19.1.1": "old", "203.0.113.101": "near", "10.9.9.9": "inside"}
PLACE = {"eu": (50.1, 8.7, 100), "us": (39.0, -77.5, 100), "sg": (1.35, 103.8, 50)}
HERE = (50.11, 8.68, 5)
LIGHT_KM_US = 0.299792458
NAME = {"api-eu.test": "eu", "api-us.test": "us", "api-sg.test": "sg"}
UNWATCHED = ("unjudged", "unseen", "socks-unseen")  # no policy, or what leaves is another process', which nobody watches
OWN_LOG = ("early",)  # servers with logs of another kind, compared elsewhere
# Findings that a run has exactly, or not at all; others may be there as well.
SHARP = ("OUT_OF_REGION", "OUT_OF_HOME", "FAILOVER_LEG", "DISCLOSED_ON_FAILED_LEG", "DERIVED_COPY", "SIZE_ONLY_COPY",
         "AUTHORITY_SNI_MISMATCH", "UNLISTED_DESTINATION", "LABEL_AMBIGUOUS", "LABEL_IMPOSSIBLE", "PROXIED_HORIZON", "ECH_PRESENT",
         "REGION_CLAIM_DIFFERS")

folder, records_path, plan_path = sys.argv[1:4]


def lines(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def plain(address):
    """As one, whether it is written as mapped or not."""
    host, _, port = address.rpartition(":")
    ip = ipaddress.ip_address(host.strip("[]"))
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return f"{ip}|{port}"


def ends(local, peer):
    """One connection: this end, and the server or the address at the other."""
    peer = plain(peer).partition("|")[0]
    return plain(local), ADDRESS.get(peer, peer)


def ends_of(r):
    return ends(r["local"], r["peer"])


# --- the logs ---------------------------------------------------------------------------------------

Conn = collections.namedtuple("Conn", "server region conn requests")
conns, tag_of, texts, tried = {}, {}, collections.defaultdict(list), collections.defaultdict(list)
for path in glob.glob(f"{folder}/*.ndjson"):
    server = os.path.basename(path).removesuffix(".ndjson")
    if server not in REGION:
        continue
    rows = lines(path)
    for row in rows:
        if row["kind"] == "conn":
            requests = [r for r in rows if r["kind"] == "req" and r["conn"] == row["conn"]]
            conns[plain(f"{row['addr']}:{row['port']}"), server] = Conn(server, REGION[server], row, requests)
for row in lines(f"{folder}/client.ndjson"):
    if "prompt" in row:
        texts[row["tag"]].append(row["prompt"])
    if "local" in row:
        tag_of[ends(row["local"], row["tried"])] = row["tag"]
    if "tried" in row:
        tried[row["tag"]].append(row)
for both, c in conns.items():
    for r in c.requests:
        if r["tag"]:
            tag_of[both] = r["tag"]
forwarded = {}  # the gateway's own port towards the far host -> the agent's port
for path in glob.glob(f"{folder}/gateway*.forwards"):
    for row in lines(path):
        forwarded[plain(row["local"]), NAME[row["to"].removeprefix("https://")]] = row["from"]

records = [r["record"] for r in lines(records_path)]
paths = {}
for r in records:
    if r["kind"] == "path":
        paths[r["path"]] = r
crossings = [r for r in records if r["kind"] == "crossing"]
flows = {r["id"]: r for r in records if r["kind"] == "flow"}

wrong = []


def said_wrong(r, text):
    wrong.append(f"{r['id']} ({r.get('tag')}): {text}")


# --- what must never be said ----------------------------------------------------------------------------

def great_circle_km(a, b):
    la, lb = math.radians(a[0]), math.radians(b[0])
    h = math.sin((lb - la) / 2) ** 2 + math.cos(la) * math.cos(lb) * math.sin(math.radians(b[1] - a[1]) / 2) ** 2
    return 2 * 6371.0 * math.asin(math.sqrt(h))


def nearest_km(area):
    return max(0, great_circle_km(HERE, PLACE[area]) - PLACE[area][2] - HERE[2])


excluded = 0


def check_bounds(r, leg, server):
    global excluded
    bounds = leg["place"].get("bounds", {})
    for kind in ("tcp", "keyHolder"):
        b = bounds.get(kind)
        if not b:
            continue
        if b["rttUs"] < 2 * DELAY_US[server]:
            said_wrong(r, f"a round trip of {b['rttUs']} us to {server}, which is {DELAY_US[server]} us away")
        excluded += bool(b["excluded"])
        if REGION[server] in b["excluded"]:
            said_wrong(r, f"{REGION[server]} is excluded for {server}, which is there")
        for area in PLACE:
            can = b["rttUs"] * LIGHT_KM_US / 2
            if area in b["excluded"] and can >= nearest_km(area):
                said_wrong(r, f"{area} is excluded at {b['rttUs']} us, and light gets there")
            # Shrunk by 1 %, for the sphere.
            if area not in b["excluded"] and can < nearest_km(area) * 0.985 - 1:
                said_wrong(r, f"{area} is not excluded at {b['rttUs']} us")
        if abs(float(b["withinKm"]) - b["rttUs"] * LIGHT_KM_US / 2) > 1:
            said_wrong(r, f"{b['withinKm']} km at {b['rttUs']} us")


def check_leg(r, leg):
    if leg.get("purpose") == "dns" or leg["kind"] != "observed":
        return
    c = conns.get(ends_of(leg)) if leg.get("local") else None
    if leg["purpose"] == "attempt":
        if leg.get("requestBytes") or (c and c.requests):
            said_wrong(r, f"leg {leg['seq']} is an attempt, and {c and c.server} got a request")
        return
    if not c:
        if leg.get("peer", "").startswith(("127.", "[::1]")) or leg.get("proto") == "udp":
            return
        said_wrong(r, f"leg {leg['seq']} to {leg.get('peer')}: no server had that connection")
        return
    if leg.get("requestAckedBytes", 0) > c.conn["app_read"]:
        said_wrong(r, f"leg {leg['seq']}: {leg['requestAckedBytes']} bytes acknowledged, {c.server} read {c.conn['app_read']}")
    if len(c.requests) == 1 and leg.get("requestAcked") == "all" and c.conn["app_read"] != leg["requestAckedBytes"]:
        said_wrong(r, f"leg {leg['seq']}: all {leg['requestAckedBytes']} bytes, {c.server} read {c.conn['app_read']}")
    if leg.get("status") is not None and leg["status"] not in {q["status"] for q in c.requests}:
        said_wrong(r, f"leg {leg['seq']}: status {leg['status']}, {c.server} said {[q['status'] for q in c.requests]}")
    if c.region is not None:
        for label in leg.get("place", {}).get("labels", []):
            if label.get("in") and label["by"] == "address" and label["in"] != c.region and not label["impossible"]:
                said_wrong(r, f"leg {leg['seq']}: {label['in']}, {c.server} is in {c.region}")
    check_bounds(r, leg, c.server)
    check_gateway(r, leg)
    if leg["purpose"] == "derived" and leg["join"] != "AMBIGUOUS":
        check_copy(r, leg, c)


def check_gateway(r, leg):
    """What is said to go on from a request must do so by the gateway's own log."""
    if leg.get("cause") == "gateway" and leg["join"] in ("EXACT", "UNIQUE"):
        before = r["legs"][leg["of"] - 1]
        if forwarded.get(ends_of(leg)) != int(before["local"].rpartition(":")[2]):
            said_wrong(r, f"leg {leg['seq']} goes on from {before['local']}; by the gateway from {forwarded.get(ends_of(leg))}")


def check_copy(r, leg, c):
    for q in c.requests:
        if "kept" not in (q.get("note") or {}):
            continue
        if q["tag"].removeprefix("copy-") in ("sealed", "other"):
            said_wrong(r, f"leg {leg['seq']}: a copy, and {c.server} got something else")


def sent_to(tag):
    """Regions whose servers read a request of this run, by their own logs."""
    return {c.region for both, c in conns.items() if tag_of.get(both) == tag and (c.conn["app_read"] or (c.conn["tls"] is None and c.conn["raw_read"]))}


def check_path(r):
    for leg in r["legs"]:
        check_leg(r, leg)
    allowed = ALLOWED.get(r.get("agent"))
    if allowed is None:
        if r["verdict"] != "NOT_APPLICABLE":
            said_wrong(r, f"{r['verdict']} without a policy")
        return
    where = sent_to(r["tag"].removesuffix("-gateway")) - {None}
    if r["tag"] == "copy-other":  # what went elsewhere can be read, and is not the prompt
        where -= {"sg"}
    if r["verdict"] == "WITHIN_POLICY_TO_HORIZON" and (where - allowed or r["tag"] in NEVER_WITHIN):
        said_wrong(r, f"within policy, and {sorted(where - allowed) or 'it cannot be known'}")
    if r["verdict"] == "VIOLATION" and not where - allowed and r.get("agent") not in ("homely", "strict"):
        said_wrong(r, f"a violation, and all of it went to {sorted(where)}")


def check_crossing(r):
    flow = flows.get(r["flow"])
    c = conns.get(ends_of(flow)) if flow else None
    if flow and ends_of(flow)[1] in OWN_LOG:
        return
    if r["proto"] == "udp" or r.get("agent") in ("homely", "strict"):
        return
    if not c or c.region is None or c.region in ALLOWED[r["agent"]]:
        said_wrong(r, f"a crossing to {r['peer']}: {c and c.server}")
        return
    if r["payloadBytesAcked"] > c.conn["raw_read"]:
        said_wrong(r, f"{r['payloadBytesAcked']} bytes of payload acknowledged, {c.server} read {c.conn['raw_read']} in all")
    if not c.conn["app_read"] and c.conn["tls"]:
        said_wrong(r, f"a crossing, and {c.server} got no payload")


# --- what is wanted ---------------------------------------------------------------------------------------

ALLOWED = {"support": {"eu", "us"}, "homely": {"eu"}, "warned": {"eu", "us"}, "strict": {"eu", "us"}, "last": {"eu", "us"}}
NEVER_WITHIN = set()


def check_reset(r):
    """A server that resets when all has been acknowledged: every byte is told, by the connection's counters as well."""
    for leg in r["legs"]:
        c = conns.get(ends_of(leg)) if leg.get("local") else None
        if c and c.server == "reset" and leg["purpose"] == "inference":
            acked = flows[leg["flow"]]["kernel"]["bytesAcked"]
            got = f"{leg['requestAckedBytes']} of {acked}, {leg['requestAcked']}"
            print(f"{r['tag']}: acknowledged before the reset\t{got}\t{c.conn['app_read']} of {c.conn['raw_read']}, all")


def leg_text(leg):
    c = conns.get(ends_of(leg)) if leg.get("local") else None
    to = c.server if c else leg.get("peer", "?").rpartition(":")[0]
    join = "" if leg.get("join") in ("EXACT", "UNIQUE") else f"?{len(leg.get('candidates') or [])}"
    return f"{to}:{leg['purpose']}:{leg.get('cause')}{join}"


def copied(f):
    """Of a copy: how it was packed, and whether all of the prompt is there."""
    return f"={f['form']},{'all' if f['shared'] == f['of'] else 'part'}" if f["finding"] == "DERIVED_COPY" else ""


def told(r):
    named = r["tag"].startswith(("dns", "moved"))  # where names matter
    findings = sorted({f"{f['finding']}{'@' + str(f['leg']) if f.get('leg') else ''}{copied(f)}" for f in r["findings"] 
                       if f["finding"] in SHARP or (named and f["finding"] == "CONNECT_BY_IP")})
    reason = f"({r['reason']})" if r.get("reason") else ""
    legs = [leg_text(leg) for leg in r["legs"] if leg["purpose"] != "dns" or named]
    return f"{r['verdict']}{reason} {' '.join(legs)} {' '.join(findings)}".strip()


def of_run(tag):
    return [r for r in paths.values() if r["tag"] == tag]


def main():
    for r in list(paths.values()):
        if ends_of(r["legs"][0])[1] in OWN_LOG:
            del paths[r["path"]]
            continue
        tags = {tag_of.get(ends_of(leg)) for leg in r["legs"] if leg.get("local") and leg["kind"] == "observed"} - {None}
        r["tag"] = min(tags) if len(tags) == 1 else None
        if r["tag"] and ends_of(r["legs"][0]) in forwarded:
            r["tag"] += "-gateway"  # the gateway's own
        if len(tags) != 1:
            said_wrong(r, f"legs of several runs, or of none: {sorted(tags)}")
    plan = []
    with open(plan_path, encoding="utf-8") as f:
        for line in f:
            name, _, want = line.strip().partition("\t")
            if name and not name.startswith("#"):
                plan.append((name, want))
                if not re.match(r"~?WITHIN|\*$", want):
                    NEVER_WITHIN.add(name)
    for r in paths.values():
        if r["tag"]:
            check_path(r)
    for r in crossings:
        r["tag"] = tag_of.get(ends_of(flows[r["flow"]])) if r["flow"] in flows else None
        check_crossing(r)
    for name, want in plan:
        got = " | ".join(sorted(told(r) for r in of_run(name))) or "no path"
        if want.startswith("*"):
            continue
        if want.startswith("~") and re.fullmatch(want[1:], got):
            want = got
        print(f"{name}\t{got}\t{want}")
    print(f"an area was excluded\t{excluded > 0}\tTrue")
    # Every connection that carried payload to where the policy does not allow it, once.
    for r in paths.values():
        check_reset(r)
    planned = {name for name, _ in plan}
    forbidden = [both for both, c in conns.items() if c.region == "sg" and c.conn["app_read"] and tag_of.get(both) in planned and
                 tag_of[both] not in UNWATCHED]
    crossed = [ends_of(flows[r["flow"]]) for r in crossings if r["flow"] in flows and r["proto"] == "tcp"]
    missed = sorted(tag_of[both] for both in forbidden if both not in crossed)
    print(f"crossings that were missed\t{' '.join(missed)}\t")
    print(f"flows that crossed twice\t{len(crossed) - len(set(crossed))}\t0")
    for text in wrong:
        print(f"WRONG {text}")


main()
