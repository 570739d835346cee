#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""attest.py DIR LANE,... IMPORT...: what the plan wants attested of the runs of these lanes, signed by DIR/ATTESTER.key (openssl) and
taken in by the command IMPORT, which must refuse the stranger's and nothing else."""
import base64
import datetime
import hashlib
import json
import subprocess
import sys

folder, lanes, command = sys.argv[1], sys.argv[2].split(","), sys.argv[3:]
TYPE = "application/vnd.in-toto+json"
NOW = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")  # of all: who says the same again says it in the same bytes


def signed(attester, tool, call, outcome):
    statement = json.dumps({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": call, "digest": {"sha256": hashlib.sha256(call.encode()).hexdigest()}}],
        "predicateType": "https://wirewitness.dev/attestation/v1",
        "predicate": {"tool": tool, "toolCallId": call, "outcome": outcome, "attestedAt": NOW}})
    with open(f"{folder}/pae", "w", encoding="utf-8") as out:
        out.write(f"DSSEv1 {len(TYPE)} {TYPE} {len(statement)} {statement}")
    sig = subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", f"{folder}/{attester}.key", "-in", f"{folder}/pae"],
                         check=True, stdout=subprocess.PIPE).stdout
    return {"payload": base64.b64encode(statement.encode()).decode(), "payloadType": TYPE,
            "signatures": [{"sig": base64.b64encode(sig).decode()}]}


bad = 0
for run in json.load(open(f"{folder}/plan.json", encoding="utf-8")):
    for attester, outcome in run.get("attest", []) if run["lane"] in lanes else []:
        with open(f"{folder}/attestation.json", "w", encoding="utf-8") as out:
            json.dump(signed(attester, run["tool"], "call_" + run["run"], outcome), out)
        done = subprocess.run(command + [f"{folder}/attestation.json"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != (attester == "stranger"):
            bad += 1
            print(run["kind"], run["run"], attester, done.returncode, done.stdout.strip())
sys.exit(bad > 0)
