#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""compare.py RECORDS LOG CAPTURE FOLDER: the key holder's time of each flow against the capture, from which it must not be
shorter, and the client's own clock, from which it must not be longer; and what was read of certificates against openssl."""
import json
import re
import subprocess
import sys

flows = {}
for line in open(sys.argv[1]):
    r = json.loads(line)
    if r["kind"] == "flow" and r.get("tls") and r["role"] == "connect":
        flows[int(r["local"].rsplit(":", 1)[1])] = r
log = [json.loads(line) for line in open(sys.argv[2])]
capture = json.load(open(sys.argv[3]))
bad = 0


def check(what, good, detail=""):
    global bad
    if not good:
        bad += 1
        print(f"{what}: wrong {detail}", file=sys.stderr)


def signed(line, flow):
    """From the ClientHello's packet to that with the end of the record that has the signature."""
    peer = flow["peer"].rsplit(":", 1)[1]
    out = capture["records"][f"{line['port']}:{peer}"]
    back = capture["records"][f"{peer}:{line['port']}"]
    if line["version"] == "TLSv1.3":
        # OpenSSL has a record for each message: CertificateVerify, Finished, and then the client answers.
        answer = next(r for r in out if r["type"] == 23)
        flight = [r for r in back if r["type"] == 23 and r["last"] <= answer["first"]]
        verify = flight[-2]
    else:
        # ServerHello, Certificate, ServerKeyExchange, ServerHelloDone.
        verify = back[2]
        check(line["name"], verify["type"] == 22 and back[3]["bytes"] == 9, back)
    return verify["last"] - out[0]["first"]


def printed(name):
    """What openssl says of it."""
    text = subprocess.run(["openssl", "x509", "-in", f"{sys.argv[4]}/{name}.pem", "-noout", "-fingerprint", "-sha256", "-ext", "subjectAltName"],
                          check=True, capture_output=True, text=True).stdout
    names = re.findall(r"DNS:([^,\s]+)", text)
    told = {"sha256": re.search("=(.*)", text).group(1).replace(":", "").lower(), "names": names[:8]}
    return told | {"more": True} if len(names) > 8 else told


certificates = {"old": "ecdsa", "old-large": "large", "old-pieces": "large", "old-rsa": "rsa"}
check("capture", capture["dropped"] == 0, capture["dropped"])
names = [line["name"] for line in log]
check("client", len(names) == len(set(names)) == 18, names)
for line in log:
    name = line["name"]
    if name == "early":
        check(name, line["accepted"])
        # The connection that brought the ticket, and the one that used it.
        of = [f["tls"] for f in flows.values() if int(f["peer"].rsplit(":", 1)[1]) == line["peer"]]
        check(name, len(of) == 2 and {t.get("keyHolderWhy") for t in of} == {None, "resumed"}, of)
        check(name, sum(t["keyHolderUs"] is None for t in of) == 1, of)
        continue
    flow = flows[line["port"]]
    us, why = flow["tls"]["keyHolderUs"], flow["tls"].get("keyHolderWhy")
    check(name, why == line["why"], (us, why, line))
    # In clear, and sent: a session that goes on has none.
    want = printed(certificates[name]) if name in certificates else None
    check(name, flow["tls"].get("certificate") == want, (flow["tls"], want))
    check(name, (us is None) == (line["why"] is not None), (us, why))
    check(name, not line.get("reused") or us is None, us)
    check(name, line.get("failed", False) == (name == "refused"), line)
    if us is None:
        continue
    least = signed(line, flow)
    # The wall clock of the capture may run up to 500 millionths faster (adjtimex).
    check(name, least > 0 and us * 1000 >= least * 0.999, (us, least))
    check(name, (us - 1) * 1000 <= line["lasted"] * 1.001, (us, line["lasted"]))
    print(f"{name:12} {least / 1000:9.1f} <= {us:6} <= {line['lasted'] / 1000:9.1f}")
sys.exit(bad > 0)
