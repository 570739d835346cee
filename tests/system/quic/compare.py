#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""compare.py quic RECORDS CLIENT-LOG SERVER-LOG [retried] [part]: what the monitor says of QUIC sockets, by the peers' own logs.
compare.py chromium RECORDS NET-LOG: the same of Chromium, by its own log.
compare.py none RECORDS LOG: no flow is called QUIC; every datagram is counted.
compare.py tls RECORDS LOG: server name, ALPN and ECH of TCP connections, as they were sent."""
import json
import sys

wrong = 0


def check(what, got, wanted):
    global wrong
    if got != wanted:
        wrong += 1
        print(f"WRONG {what}: got {got!r}, wanted {wanted!r}")


def lines(path):
    with open(path) as f:
        return [json.loads(x) for x in f]


def port(text):
    return int(text.rsplit(":", 1)[1])


def flows(path, proto):
    return {port(r["local"]): r for r in lines(path) if r["kind"] == "flow" and r["proto"] == proto}


def same(values):
    return values[0] if len(set(values)) == 1 else None


def quic(path, client_log, server_log, *words):
    udp = flows(path, "udp")
    (client,) = lines(client_log)
    *hellos, server = lines(server_log)
    sides = [("client", client, server), ("server", server, client)]
    seen = [s for s in sides if port(s[1]["local"]) in udp]
    check("which of them is in the scope", [s[0] for s in seen], ["client", "server"] if "both" in words else ["client"])
    for side, own, other in seen:
        flow = udp[port(own["local"])]
        kernel, q = flow["kernel"], flow.get("quic")
        check(f"{side} sent", (kernel["bytesSent"], kernel["datagramsSent"]), (own["bytesOut"], own["datagramsOut"]))
        got = (kernel["bytesReceived"], kernel["datagramsReceived"])
        if side == "server":  # it ends with its last connection: what comes after that finds no socket
            least = (own["bytesIn"], own["datagramsIn"])
            check(f"{side} received", least <= got <= (other["bytesOut"], other["datagramsOut"]), True)
        else:
            check(f"{side} received", got, (other["bytesOut"], other["datagramsOut"]))
        if not q:
            check(f"{side} is called QUIC", q, True)
            continue
        told = [h for h in hellos][: len(q["connections"])]
        if "part" in words:
            check(f"{side}: there is more", (q["more"], len(told) < len(hellos)), (True, True))
        else:
            check(f"{side}: nothing more", (q["more"], q["unread"], len(q["connections"])), (False, 0, len(hellos)))
        check(f"{side} is the client", q["client"], side == "client")
        check(f"{side} version", q["version"], "0x00000001")
        check(f"{side} common name", (q["sni"], q["ech"], q["helloWhole"]), (same([h["sni"] for h in told]), False, True))
        for got, h in zip(q["connections"], told):
            readable = [a for a in h["alpn"] if len(a) < 32]  # longer ones are not kept
            check(f"{side} {h['sni']}", (got["sni"], got["alpn"], got["alpnOffered"]), (h["sni"], readable[0], len(h["alpn"])))
            check(f"{side} {h['sni']} whole", (got["helloWhole"], got["ech"], got.get("why"), got["version"]), (True, False, None, "0x00000001"))
            check(f"{side} {h['sni']} retried", got["retried"], "retried" in words)
            check(f"{side} {h['sni']} peer", got["peer"], h["peer"] if side == "server" else server["local"])
        check(f"{side} explained", [flow["account"][d]["explained"] for d in ("out", "in")], [0, 0])


def chromium(path, log):
    udp = flows(path, "udp")
    with open(log) as f:
        net = json.load(f)
    name = {v: k for k, v in net["constants"]["logEventTypes"].items()}
    sockets, hosts, split = {}, set(), False
    for e in net["events"]:
        kind, source, p = name[e["type"]], e["source"]["id"], e.get("params", {})
        if kind == "UDP_LOCAL_ADDRESS":
            sockets.setdefault(source, {"port": port(p["address"]), "sizes": []})
        elif kind == "UDP_BYTES_SENT":
            sockets[source]["sizes"].append(p["byte_count"])
        elif kind == "QUIC_SESSION" and "host" in p:
            hosts.add(p["host"])
        elif kind == "QUIC_SESSION_CRYPTO_FRAME_SENT":
            split |= p["offset"] > 0
    used = [s for s in sockets.values() if s["sizes"] and udp[s["port"]]["peer"].startswith("127.0.0.1:")]
    check("there is one, and its hello is in pieces", (len(used) > 0, split, hosts), (True, True, {"server.test"}))
    for s in used:
        flow = udp[s["port"]]
        kernel, q = flow["kernel"], flow.get("quic", {})
        check("sent", (kernel["bytesSent"], kernel["datagramsSent"]), (sum(s["sizes"]), len(s["sizes"])))
        check("version, forced by option", q.get("version"), "0x6b3343cf")
        # Chromium sends encrypted_client_hello to everybody, as GREASE where it has no key.
        check("hello", [q.get(k) for k in ("client", "sni", "alpn", "ech", "helloWhole", "unread")], [True, "server.test", "h3", True, True, 0])


def none(path, log):
    udp = flows(path, "udp")
    for case in lines(log):
        flow = udp[case["port"]]
        kernel = flow["kernel"]
        check(case["name"], "quic" in flow, False)
        check(f"{case['name']} sent", (kernel["bytesSent"], kernel["datagramsSent"]), (case["bytes"], case["datagrams"]))


def tls(path, log):
    tcp = flows(path, "tcp")
    for case in lines(log):
        t = tcp[case["port"]]["tls"]
        for key in ("sni", "alpn", "ech", "helloWhole"):
            check(f"{case['name']} {key}", t[key], case[key])


{"quic": quic, "chromium": chromium, "none": none, "tls": tls}[sys.argv[1]](*sys.argv[2:])
sys.exit(wrong > 0)
