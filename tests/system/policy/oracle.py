#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""oracle.py FOLDER SEED PROGRAM: makes a policy and tables of random rules and rows, asks PROGRAM (wirewitness) about
addresses and names, and tells every answer that is not what docs/policy.md says, worked out here with ipaddress, fnmatch and
datetime. The last line counts the questions and the kinds of answers."""
import collections
import datetime
import fnmatch
import ipaddress
import json
import math
from pathlib import Path
import random
import re
import subprocess
import sys

folder, seed, program = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
r = random.Random(seed)
TODAY = datetime.date(2026, 11, 28)
WORDS = ["eu-west-1", "eu-west-2", "eu-central-1", "EU", "us-east-1", "us-west-2", "US", "DE", "ap-south-1", "GLOBAL", ""]
OPERATORS = ["alpha", "beta", "gamma", "delta", ""]
HOMES = ["DE", "IE", "US"]
HOST, WITHIN = (50.11, 8.68), 5  # degrees, km


def q(text):
    return json.dumps(text)


def days():
    """None, or days between which a row is valid."""
    at = lambda: (TODAY + datetime.timedelta(days=r.choice((-9, -1, 0, 1, 9)))).isoformat()
    first = at() if r.random() < 0.2 else None
    until = at() if r.random() < 0.25 else None
    return (first, until) if not (first and until and first > until) else (None, until)


def time_keys(d):
    return "".join(f", {k}: {v}" for k, v in zip(("valid_from", "valid_until"), d) if v)


def network():
    if r.random() < 0.2:
        inside = r.choice(["10.0.0.0/8", "fd00::/16"])
    else:
        inside = r.choice(["203.0.0.0/8", "2001:db8::/32"])
    around = ipaddress.ip_network(inside)
    length = r.randint(around.prefixlen, min(around.prefixlen + 6, around.max_prefixlen))
    value = int(around.network_address) | r.getrandbits(around.max_prefixlen - around.prefixlen)
    shift = around.max_prefixlen - length
    return ipaddress.ip_network((value >> shift << shift, length))


def glob():
    labels = [r.choice(["a", "b", "ab", "*", "a*"]) for _ in range(r.randint(1, 3))]
    return ".".join([*labels, r.choice(["example", "test"])])


def table(name):
    rows, operators = [], {}
    for o in r.sample(OPERATORS[:-1], 3):
        operators[o] = (r.choice(HOMES), days())
    for _ in range(14):
        row = {"table": name, "operator": r.choice(OPERATORS[:-1]), "region": r.choice(WORDS), "days": days()}
        kind = r.random()
        row["cidr"] = [network() for _ in range(r.randint(1, 2))] if kind < 0.8 else []
        row["hosts"] = [glob() for _ in range(r.randint(1, 2))] if kind > 0.7 else []
        rows.append(row)
    rows.append({"table": name, "operator": "delta", "region": "US", "days": (None, None), "hosts": [],
                 "cidr": [ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0")]})
    out = ["version: 1", "as_of: 2026-11-01", "operators:"]
    out += [f"- {{name: {o}, home: {h}, basis: contract{time_keys(d)}}}" for o, (h, d) in operators.items()]
    out.append("prefixes:")
    for row in rows:
        line = f"- {{operator: {row['operator']}, basis: contract{time_keys(row['days'])}"
        line += f", region: {q(row['region'])}" if row["region"] else ""
        line += f", cidr: [{', '.join(q(str(n)) for n in row['cidr'])}]" if row["cidr"] else ""
        line += f", hosts: [{', '.join(q(h) for h in row['hosts'])}]" if row["hosts"] else ""
        out.append(line + "}")
    (folder / "tables" / name).write_text("\n".join(out) + "\n")
    return rows, operators


def circle():
    return (round(r.uniform(-80, 80), 3), round(r.uniform(-170, 170), 3), r.choice((1, 50, 800)))


def policy():
    areas = {f"area{i}": circle() for i in range(6)}
    regions = []
    for name in r.sample(["eu", "us", "west", "x"], 3):
        labels = r.sample(["eu-*", "*-west-*", "EU-WEST-2", "us-*", "u*", "DE", "*-1", "us-east-1"], r.randint(1, 3))
        regions.append((name, labels, r.choice([*areas, None])))
    agents = []
    for i in range(4):
        allowed = r.sample([n for n, _, _ in regions], r.randint(1, 2)) if r.random() < 0.8 else None
        homes = r.sample(HOMES, r.randint(1, 2)) if r.random() < 0.7 else None
        agents.append((f"agent{i}", allowed, homes))
    out = ["version: 1", f"host: {{position: [{HOST[0]}, {HOST[1]}], within_km: {WITHIN}, source: made}}", "areas:"]
    out += [f"- {{name: {n}, circle: {{center: [{a[0]}, {a[1]}], km: {a[2]}}}}}" for n, a in areas.items()]
    out.append("regions:")
    out += [f"- {{name: {n}, labels: [{', '.join(q(x) for x in ls)}]{f', area: {a}' if a else ''}}}" for n, ls, a in regions]
    out.append("agents:")
    for n, allowed, homes in agents:
        line = f"- {{name: {n}, cgroup: /{n}"
        line += f", allowed_regions: [{', '.join(allowed)}]" if allowed else ""
        line += f", allowed_homes: [{', '.join(homes)}]" if homes else ""
        out.append(line + "}")
    (folder / "policy.yaml").write_text("\n".join(out) + "\n")
    return areas, regions, agents


# --- what the documents say ---------------------------------------------------------------------


def valid(d):
    today = TODAY.isoformat()
    return not (d[0] and today < d[0]) and not (d[1] and today > d[1])


def regions_of(word):
    return [n for n, labels, _ in REGIONS if word and any(fnmatch.fnmatchcase(word.lower(), x.lower()) for x in [n, *labels])]


def host_match(g, name):
    pattern = "".join("[^.]*" if c == "*" else re.escape(c) for c in (g[2:] if g.startswith("*.") else g))
    return re.fullmatch((r"(?:[^.]+\.)+" if g.startswith("*.") else "") + pattern, name, re.I)


def speaking(candidates):
    """Of (table, how exact, row) those that are the most exact of their table."""
    best = collections.defaultdict(int)
    for name, exact, _ in candidates:
        best[name] = max(best[name], exact)
    return [(exact, row) for name, exact, row in candidates if exact == best[name]]


def apart_km(a, b):
    (f, g), (h, i) = (map(math.radians, a), map(math.radians, b))
    x = math.sin((h - f) / 2) ** 2 + math.cos(f) * math.cos(h) * math.sin((i - g) / 2) ** 2
    return 2 * 6371.0088 * math.asin(math.sqrt(min(1, x)))


def answer(agent, address, names, rtt_us):
    _, allowed, homes = agent
    nearest = {n: max(0, apart_km(HOST, a[:2]) - a[2] - WITHIN) for n, a in AREAS.items()}
    reach = 299792.458 * rtt_us / 2e6 if rtt_us else math.inf
    if any(0.97 * km < reach * 1.001 + 1 and reach < km for km in nearest.values()):
        return None  # between what is certain and what is true: both answers are right
    gone = {n for n, km in nearest.items() if reach < km}
    rows, local = [], False
    if address is not None:
        a = getattr(address, "ipv4_mapped", None) or address
        private = [n for n in map(ipaddress.ip_network, ("10.0.0.0/8", "fc00::/7")) if n.version == a.version and a in n]
        local = bool(private)
        found = [(row["table"], n.prefixlen, (row, str(n))) for row in ROWS for n in row["cidr"] if n.version == a.version and a in n]
        rows = [(row, "address") for exact, (row, _) in speaking(found) if not local or exact >= private[0].prefixlen]
    if local and not rows:
        return {"region": "not-asked", "home": "not-asked", "findings": [], "excluded": gone}
    seen = set()
    for name in names:
        found = [(row["table"], len(h.replace("*", "")), (row, h)) for row in ROWS for h in row["hosts"] if host_match(h, name)]
        for _, (row, h) in speaking(found):
            if (id(row), h) not in seen:
                seen.add((id(row), h))
                rows.append((row, "name"))
    in_of = lambda row: (regions_of(row["region"]) or [None])[0]
    area_of = {n: a for n, _, a in REGIONS}
    live = [(row, by) for row, by in rows if valid(row["days"])]
    impossible = [x for x in live if in_of(x[0]) and area_of[in_of(x[0])] in gone]
    live = [x for x in live if x not in impossible]

    def home_words(operator):
        return {h for ops in LAWS for o, (h, d) in ops.items() if o == operator and valid(d)}

    said = {(row["region"].lower() == "global" and not in_of(row) and "vague") or
            ("yes" if in_of(row) in (allowed or ()) else "no") for row, _ in live if row["region"]}
    region = "mixed" if "vague" in said or len(said) == 2 else {"yes": "allowed", "no": "forbidden"}[said.pop()] if said else "unlisted"
    said, open_ = set(), False
    for row, _ in live:
        words = home_words(row["operator"])
        said |= {h in (homes or ()) for h in words}
        open_ |= not words
    home = ("mixed" if len(said) == 2 else "forbidden" if False in said else "allowed" if True in said and not open_ else "unlisted")
    ambiguous = False
    for i, (x, xby) in enumerate(live):
        ambiguous |= bool(allowed) and x["region"].lower() == "global" and not in_of(x)
        ambiguous |= bool(homes) and len(home_words(x["operator"])) > 1
        for y, yby in live[:i]:
            p, s = x["region"].lower(), y["region"].lower()
            if allowed and p and s and p != s:
                u, v = set(regions_of(p)), set(regions_of(s))
                ambiguous |= not u & v if u and v else x["table"] == y["table"] or x["operator"] == y["operator"]
            if homes and x["table"] == y["table"] and xby == yby:
                ambiguous |= x["operator"] != y["operator"]
    region = region if allowed else "not-asked"
    home = home if homes else "not-asked"
    ambiguous |= "mixed" in (region, home)
    findings = [f for f, yes in (("OUT_OF_REGION", region == "forbidden"), ("OUT_OF_HOME", home == "forbidden"),
                                 ("UNLISTED_DESTINATION", "unlisted" in (region, home)), ("LABEL_AMBIGUOUS", ambiguous),
                                 ("LABEL_IMPOSSIBLE", bool(impossible))) if yes]
    return {"region": region, "home": home, "findings": findings, "excluded": gone}


def ask(agent, address, names, rtt_us):
    command = [program, "policy", "show", str(address) if address is not None else names[0], "--policy", str(folder / "policy.yaml"),
               "--tables", str(folder / "tables"), "--agent", agent[0], "--at", TODAY.isoformat(), "-o", "json"]
    for name in names if address is not None else names[1:]:
        command += ["--name", name]
    command += ["--rtt-us", str(rtt_us)] if rtt_us else []
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        sys.exit(f"{command}: {done.returncode} {done.stderr}")
    got = json.loads(done.stdout)
    if done.returncode != bool(got["findings"]):
        sys.exit(f"{command}: {done.returncode}")
    place = got["place"]
    return {"region": place["region"], "home": place["home"], "findings": got["findings"],
            "excluded": set(place["bounds"].get("tcp", {}).get("excluded", []))}, done.stdout


(folder / "tables").mkdir(parents=True)
ROWS, LAWS = [], []
for each in ("a.yaml", "b.yaml", "c.yaml"):
    more, laws = table(each)
    ROWS += more
    LAWS.append(laws)
AREAS, REGIONS, AGENTS = policy()
kinds, wrong, asked = collections.Counter(), 0, 0
with open(folder / "shown", "w", encoding="utf-8") as shown:
    for _ in range(150):
        net = r.choice([n for row in ROWS for n in row["cidr"]])
        address = ipaddress.ip_address(int(net.network_address) | r.getrandbits(net.max_prefixlen - net.prefixlen)) \
            if net.version == 4 else ipaddress.IPv6Address(int(net.network_address) | r.getrandbits(128 - net.prefixlen))
        if net.version == 4 and r.random() < 0.1:
            address = ipaddress.IPv6Address(0xffff << 32 | int(address))
        if net.prefixlen == 0:  # somewhere in all of it
            address = ipaddress.ip_address("198.51.100.9")
        names = [f"{r.choice(['a', 'AB', 'b.a', 'x'])}.{r.choice(['example', 'test'])}" for _ in range(r.choice((0, 0, 1, 2)))]
        address = None if names and r.random() < 0.2 else address
        rtt_us = r.choice((0, 0, 700, 9000, 40000, 90000))
        agent = r.choice(AGENTS)
        want = answer(agent, address, names, rtt_us)
        got, text = ask(agent, address, names, rtt_us)
        shown.write(text)
        if want is None:
            continue
        asked += 1
        kinds.update([f"region {want['region']}", f"home {want['home']}", *want["findings"]])
        if got != want:
            wrong += 1
            print(f"{address} {names} {rtt_us} us for {agent}:\n  got  {got}\n  want {want}\n  {text}")
print(f"{wrong} wrong of {asked}: " + ", ".join(f"{k} {n}" for k, n in sorted(kinds.items())))
