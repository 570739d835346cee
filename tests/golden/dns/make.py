#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""make.py >cases: DNS messages as dnspython writes them, and copies with a few bytes changed or cut off; beside each what the same
library reads of it. One line per message: its bytes in hex, then "bad", or what tests/unit/proto/test_dns.c prints of it. Types that
are not read here are opaque to both. The file beside this one is by dnspython 2.3.0."""
import random

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rdata
import dns.rdatatype
import dns.rdtypes.svcbbase as svcb
import dns.rrset

rng = random.Random(11)
KEPT = (1, 5, 28, 64, 65)
LABELS = ["a", "www", "api", "Example", "x" * 63, "cdn-7", "_443", "_https", "b\\.c", "\\000\\255", "test"]

# Opaque: types and parameters that are only passed over.
known = dns.rdata.get_rdata_class
dns.rdata.get_rdata_class = lambda c, t: known(c, t) if (c, t) in [(1, k) for k in KEPT] or t == 41 else dns.rdata.GenericRdata
svcb._class_for_key = {k: v for k, v in svcb._class_for_key.items() if int(k) in (1, 4, 6)}


def name():
    return ".".join(rng.choice(LABELS) for _ in range(rng.choice([1, 2, 3, 3, 4]))) + "."


def address(six):
    return ":".join(f"{rng.randrange(65536):x}" for _ in range(8)) if six else ".".join(str(rng.randrange(256)) for _ in range(4))


def binding():
    parts = [str(rng.randrange(3)), rng.choice([".", name()])]
    if parts[0] == "0":
        return " ".join(parts)
    if rng.random() < 0.6:
        parts.append(f'alpn="{rng.choice(["h2", "h3", "h2,h3", "http/1.1,h2"])}"')
    if rng.random() < 0.5:
        parts.append("ipv4hint=" + ",".join(address(False) for _ in range(rng.randrange(1, 11))))
    if rng.random() < 0.3:
        parts.append('ech="AAECAw=="')
    if rng.random() < 0.3:
        parts.append("ipv6hint=" + ",".join(address(True) for _ in range(rng.randrange(1, 4))))
    if rng.random() < 0.3:
        parts.append("key667=hello")
    return " ".join(parts)


def record(owner):
    kind = rng.choice(["A", "A", "AAAA", "CNAME", "HTTPS", "SVCB", "TYPE65280"])
    data = {"A": lambda: address(False), "AAAA": lambda: address(True), "CNAME": name, "HTTPS": binding, "SVCB": binding,
            "TYPE65280": lambda: r"\# 3 010203"}[kind]()
    return dns.rrset.from_text(owner, rng.choice([0, 1, 300, 86400, 2**31 - 1]), "IN", kind, data)


def message():
    owner = name()
    m = dns.message.make_query(owner, rng.choice(["A", "AAAA", "HTTPS", "TYPE99"]))
    m.id = rng.randrange(65536)
    if rng.random() < 0.8:
        m = dns.message.make_response(m)
        if rng.random() < 0.1:
            m.flags |= dns.flags.TC
        for _ in range(rng.choice([0, 1, 2, 3, 5, 40])):
            m.answer.append(record(owner))
            owner = rng.choice([owner, name()])
        for _ in range(rng.randrange(2)):
            m.authority.append(record(owner))
        for _ in range(rng.randrange(3)):
            m.additional.append(record(owner))
        m.set_rcode(rng.choice([0, 0, 0, 2, 3, 5]))
    if rng.random() < 0.5:
        m.use_edns(0, payload=rng.choice([512, 1232, 4096]), options=[dns.edns.GenericOption(10, b"cookie..")])
        if m.flags & dns.flags.QR and rng.random() < 0.2:
            m.set_rcode(23)
    return m.to_wire(max_size=65535)


def changed(wire):
    b = bytearray(wire)
    if rng.random() < 0.3:
        return bytes(b[: rng.randrange(len(b))])
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(b)) if rng.random() < 0.5 else rng.randrange(min(len(b), 60))
        b[at] = rng.choice([b[at] ^ 1 << rng.randrange(8), 0xC0, 0xFF, 0, rng.randrange(256)])
    return bytes(b)


def text_of(n):
    lowered = dns.name.Name([label.lower() for label in n.labels]).to_text(omit_final_dot=True)
    return "." if n == dns.name.root else lowered


def data_of(rd, kind):
    if kind in (1, 28):
        return rd.address.lower()
    if kind == 5:
        return text_of(rd.target)
    alpn, hints = "", []
    for key, value in sorted(rd.params.items()):
        if key == 1:
            for one in value.ids:
                if all(0x20 < c < 0x7F for c in one) and len(alpn) + 1 + len(one) < 48:
                    alpn += ("," if alpn else "") + one.decode()
        elif key in (4, 6):
            hints += value.addresses
    return f"{rd.priority} {text_of(rd.target)} [{alpn}] {int(5 in rd.params)} {','.join(hints[:8])}{'+' if len(hints) > 8 else ''}"


def read(wire):
    m = dns.message.from_wire(wire, ignore_trailing=True, one_rr_per_rrset=True)
    q = m.question[0] if m.question else None
    asked = "-" if q is None else f"{text_of(q.name)} {int(q.rdtype)} {int(q.rdclass)}"
    out = [f"{m.id} {int(bool(m.flags & dns.flags.QR))} {int(m.opcode())} {int(m.rcode())} {int(bool(m.flags & dns.flags.TC))}",
           str(m.payload) if m.edns >= 0 else "-", str(len(m.question)), asked]
    kept, others = [], 0
    for rr in m.answer:
        if int(rr.rdtype) in KEPT and rr.rdclass == 1 and len(kept) < 32:
            kept.append(f"{text_of(rr.name)} {int(rr.rdtype)} {rr.ttl} {data_of(rr[0], int(rr.rdtype))}")
        else:
            others += 1
    return "; ".join(out + [str(others)] + kept)


def is_read(wire):
    try:
        return read(wire)
    except Exception:
        return None


def line(wire):
    """None: not of interest: other messages than queries; signatures; what a truncated message may be cut to; an alias with
    parameters, which RFC 9460 has readers ignore; a binding's list of what is mandatory."""
    cut = len(wire) >= 4 and wire[2] & 2
    if len(wire) >= 4 and wire[2] >> 3 & 15:
        return None
    try:
        return f"{wire.hex() or '.'} {read(wire)}"
    except Exception as e:
        if cut or "TSIG" in type(e).__name__ or "AliasMode" in str(e) or "GenericParam" in str(e):
            return None
    # The last two sections are only walked over here: a record's data may be wrong there.
    walked = len(wire) >= 12 and is_read(wire[:8] + bytes(4) + wire[12:]) is not None
    return f"{wire.hex() or '.'} {'either' if walked else 'bad'}"


lines = []
for _ in range(200):
    wire = message()
    # What is beyond the ceiling of 32 is only walked over, too.
    for w in [wire] + [changed(wire) for _ in range(4) if int.from_bytes(wire[6:8], "big") <= 32]:
        text = line(w)
        if text and len(text) < 4000:
            lines.append(text)
print("\n".join(lines))
