# SPDX-License-Identifier: Apache-2.0
"""figures.py BUILD: BUILD/bench/*.json together in BUILD/bench.json, and the figures that are asked for as a table."""
import json
import os
from pathlib import Path
import sys


def machine():
    text = Path("/proc/cpuinfo").read_text()
    model = text.split("model name")[1].split(":", 1)[1].split("\n")[0].strip() if "model name" in text else "unknown"
    memory = int(Path("/proc/meminfo").read_text().split()[1])
    virtual = "hypervisor" in text
    return {"cpu": model, "cpus": os.cpu_count(), "virtual": virtual, "memory_mib": memory // 1024,
            "kernel": os.uname().release, "load_average_at_end": os.getloadavg()}


def figures(p):
    """Name -> (value, unit, bound, whether the bound is a maximum)."""
    product, honest, hidden = p["latency"]["conditions"]["product"], p["account"]["honest"], p["account"]["hidden"]
    ledger, large = p["ledger"], p["ledger"]["large"]
    captured = (product["captured_bytes"] + product["lost_bytes"]) / product["plaintext_bytes"]
    return {
        "cost per request, p50 against no monitor": (product["ratio_p50"], "x", 1.25, True),
        "cost per call over stdio, p50 against no monitor": (p["stdio"]["ratio_p50"]["median"], "x", 3, True),
        "bytes captured or counted": (100 * captured, "%", 100, False),
        "binding on a wrong connection": (p["binding"]["wrong"], "", 0, True),
        "binding exact": (100 * p["binding"]["exact_share"], "%", 99, False),
        "verdict streamed after it was decided, p50": (p["verdicts"]["from_decided"]["median_s"], "s", 1, True),
        "exchanges replayed on one core": (p["replay"]["http"]["per_cpu_s"], "/s", 50000, False),
        "HTTP/2 header fields decoded on one core": (p["decode"]["header_fields_per_s"], "/s", 2000000, False),
        "HTTP/2 DATA decoded on one core": (p["decode"]["data_bytes_per_s"] / 1e9, "GB/s", 1, False),
        "addresses attributed over a million rows on one core": (p["tables"]["lookups_per_s"], "/s", 2000000, False),
        f"exclusion of {p['bounds']['countries']} countries": (p["bounds"]["exclusion_us"] / 1000, "ms", 1, True),
        "body searched for copies, against a look at each byte": (p["shingles"]["ratio"], "x", 10, True),
        "100,000 networks in the guard's list, 64 peers, more per connect than an empty program": (p["guard"]["large"]["added_ns"] / 1000, "us", 1, True),
        "the same, 100,000 peers, each of them cold": (p["guard"]["cold"]["added_ns"] / 1000, "us", 1, True),
        f"verifying {p['verify']['lean']['verdicts']} verdicts": (p["verify"]["lean"]["cpu_s"], "s", 1, True),
        f"{p['actions']['actions']} actions replayed on one core": (p["actions"]["cpu_s"], "s", 20, True),
        f"resident at {p['memory']['flows']} live flows": (p["memory"]["held_kib"] / 1024, "MiB", 64, True),
        "byte account, connections that close": (
            100 * min(honest["payload_equal"], honest["checked"]) / honest["connections"], "%", 100, False),
        "byte account, remainder per connection": (max(honest["remainder_max"], product["remainder_max"]), "B", 64, True),
        "remainder with 1 KB hidden": (
            min(hidden["record_remainder_min"], hidden["socket_remainder_min"]), "B", 1024, False),
        "records appended on one core": (ledger["append"]["per_second"], "/s", 100000, False),
        f"opening a log of {large['records'] // 1000000} million, worst": (large["open_worst_s"], "s", 5, True),
        "proof from it, by the clock": (large["proof"]["clock"]["median_us"] / 1000, "ms", 1, True),
        "proof from it, worst of CPU": (large["proof"]["cpu"]["worst_us"] / 1000, "ms", 1, True),
        f"reindex of {ledger['reindex']['records']} records": (ledger["reindex"]["seconds"], "s", 60, True),
        f"index behind {ledger['behind']['rate']:.0f} records/s, worst": (ledger["behind"]["worst_s"], "s", 1, True)}


def main():
    build = Path(sys.argv[1])
    parts = {path.stem: json.loads(path.read_text()) for path in sorted((build / "bench").glob("*.json"))}
    wanted = figures(parts)
    for part in parts.values():
        part.pop("runs", None)
    missed = [name for name, (value, _, bound, most) in wanted.items() if (value > bound if most else value < bound)]
    table = {name: {"value": value, "unit": unit, "at_most" if most else "at_least": bound, "met": name not in missed}
             for name, (value, unit, bound, most) in wanted.items()}
    result = {"machine": machine(), "figures": table, **parts}
    (build / "bench.json").write_text(json.dumps(result, indent=1) + "\n")
    print("== all")
    for name, f in table.items():
        asked = f"<= {f['at_most']}" if "at_most" in f else f">= {f['at_least']}"
        print(f"{name:42} {f['value']:10.6g} {f['unit']:4} {asked:>9} {'' if f['met'] else 'MISSED'}")
    print(f"figures: {build}/bench.json")
    sys.exit(1 if missed else 0)


main()
