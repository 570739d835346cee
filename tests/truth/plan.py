#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""plan.py DIR SEED RUNS [KIND,...]: draws so many runs of the kinds (at least three of each) and writes DIR/plan.json, all of them,
and for every lane DIR/LANE.lane.json, the groups of runs that one agent process carries out in order, a group's at once.

plan.py only PLAN LANE: leaves only that lane's runs in the plan. plan.py contracts HOST=ADDRESS... [ATTESTER:KEY...]: prints the
contract file.
plan.py tools: host, method and path by tool, as JSON.
"""
import json
import random
import sys

import kinds

CLEAN = ["clean_openai", "clean_anthropic", "clean_python_a", "clean_python_b"]
AGENTS = {"clean_openai": "openai", "clean_anthropic": "anthropic", "mcp": "mcp", "stdio": "stdio", "grpc": "grpc", "opaque": "go", "opaque_silent": "go", "opaque_claim": "go"}


def complete(rng, kind, number, seed):
    run = {"run": f"s{seed}n{number}", "kind": kind["name"], "tool": "refund_order", "model": None, "span": "ok",
           "claim": rng.choice(["call", None]), "show": "real", "gap": rng.randint(0, 8), "stream": rng.random() < 0.4,
           "cents": rng.randint(1, 99999), "customer": f"c{number}"} | kind["build"](rng)
    trace = rng.choice(["parent", "parent", "both", "key", "none"])
    run["ops"] = [{"trace": trace} | op for op in run["ops"]]
    if run["claim"] == "call" and not run["span"] and run["model"]:
        run["claim"] = None
    return run


def lane_of(rng, kind, run):
    if kind["lane"] != "clean":
        run["model"] = bool(run["model"])
        return kind["lane"]
    lane = rng.choice(CLEAN[2:] if run["model"] is False else CLEAN)
    run["model"] = run["model"] is True or lane in CLEAN[:2] or (run["model"] is None and rng.random() < 0.5)
    return lane


def drawn(rng, runs, wanted):
    """Kinds in a drawn order, each by its weight."""
    all_kinds = [k for k in kinds.KINDS if not wanted or k["name"] in wanted]
    weight = sum(k["weight"] for k in all_kinds)
    order = [k for k in all_kinds for _ in range(max(3, -(-runs * k["weight"] // weight)))]
    rng.shuffle(order)
    return order


def plan(folder, seed, runs, wanted):
    rng = random.Random(seed)
    lanes, flat = {}, []
    for number, kind in enumerate(drawn(rng, runs, wanted)):
        run = complete(rng, kind, number, seed)
        run["lane"] = lane_of(rng, kind, run)
        flat.append(run)
        groups = lanes.setdefault(run["lane"], [])
        at_once = run.get("together", 1)
        if groups and len(groups[-1]) < groups[-1][0].get("together", 1):
            groups[-1].append(run)
        else:
            groups.append([run | {"together": at_once}])
    for lane, groups in lanes.items():
        with open(f"{folder}/{lane}.lane.json", "w", encoding="utf-8") as out:
            json.dump(groups, out)
        print(lane, AGENTS.get(lane, "python"))
    with open(f"{folder}/plan.json", "w", encoding="utf-8") as out:
        json.dump(flat, out)


def only(path, lane):
    runs = [r for r in json.load(open(path, encoding="utf-8")) if r["lane"] == lane]
    json.dump(runs, open(path, "w", encoding="utf-8"))


if sys.argv[1] == "only":
    only(*sys.argv[2:])
elif sys.argv[1] == "contracts":
    print(kinds.contracts(dict(a.split("=") for a in sys.argv[2:] if ":" not in a), dict(a.split(":") for a in sys.argv[2:] if ":" in a)), end="")
elif sys.argv[1] == "tools":
    print(json.dumps(kinds.TOOLS))
else:
    plan(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4].split(",") if len(sys.argv) > 4 and sys.argv[4] else [])
