#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""copies.py BUILD PART [--seed N] [--pairs N]: one line per check: what, got, wanted, by tabs; measures to standard error.
PART: same, recall, unrelated, hostile."""
import argparse
import base64
import gzip
import json
import os
import random
import re
import sys
import zlib

from draw import Draw, SYSTEM
from forms import forms, multipart
from reference import Hash, MASK, symbols
from tool import KEY, Node, Tool, as_bytes

SHARED_MIN, STRETCH, ENOUGH, GUARANTEED = 6, 20, 16, 39


def is_(what, got, wanted):
    print(what, json.dumps(got), json.dumps(wanted), sep="\t")


def say(text):
    print(text, file=sys.stderr)


# --- the same as the slow reference -----------------------------------------------------------------
NASTY = [b"\\", b"\\\\", b"%", b"%25", b"%2525", b"n", b"u", b"\\n", b"\\\\n", b"\\u00e9", b"\\u00E9", b"\\ud83d\\ude00", b"\\\\ud83d\\\\ude00",
         b"\\ud83d", b"\\ude00", b"\\u005cn", b"\\u005c\\u005cn", b"\\u0022", b"\\u2019", b"\\u00a0", b"\\u12", b"%41", b"%0A", b"%5Cn", b"%e2%80%99",
         b"%C3%A9", b"\xc3\xa9", b"\xe2\x80\x99", b"\xe2\x81\xb0", b"\xe2", b"\xe3\x80\x82", b"\xe3\x81\x82", b"\xef\xbb\xbf", b"\xef\xbf\xbd", b"\xef\xbc\xa1",
         b"\xf0\x9f\x98\x80", b"\xff", b"\x00", b" ", b"\n", b"\r\n", b"\"", b"A", b"z", b"0", b"Hello", b"world", b"1234", b"ab"]


def same(tool, draw, _):
    r, ours = draw.r, Hash(KEY)
    texts = [b"".join(r.choice(NASTY) for _ in range(r.randrange(60))) for _ in range(3000)]
    texts += [bytes(r.randrange(256) for _ in range(r.randrange(300))) for _ in range(300)]
    long = [as_bytes(draw.text(kind, draw.size(30, 3000))) for kind in draw.KINDS for _ in range(6)]
    long += [b"a" * 200, b"ab" * 100, b"abcdef" * 40, b"0" * 30 + b"the quick brown fox jumps over the lazy dog" + b"=" * 90]
    is_("symbols", sum(tool.ask("N", t).strip() != symbols(t).hex() for t in texts + long), 0)
    texts = texts[::10] + long
    chosen = [ours.winnow(symbols(t)) for t in texts]
    is_("hashes that stand for a text", sum([int(h, 16) for h in tool.ask("W", t).split()] != c for t, c in zip(texts, chosen)), 0)
    worst = 0
    for t, c in zip(texts, chosen):
        s = symbols(t)
        if len(s) > GUARANTEED and len(set(s)) > 30:
            at = [i for i, h in enumerate(ours.all(s)) if h in set(c)]
            worst = max([worst] + [b - a for a, b in zip(at, at[1:])])
    is_("no more symbols between two of them than the window has", worst <= 16, True)
    # What is shared, counted from nothing.
    differ = n = 0
    for i in range(60):
        kind = r.choice(draw.KINDS)
        text = as_bytes(draw.text(kind, draw.size(200, 2000)))
        other = as_bytes(draw.text(r.choice(draw.KINDS), 600))
        a, b = sorted((r.randrange(len(text) + 1), r.randrange(len(text) + 1)))
        body = other[:300] + text[a:b] + other[300:]
        own = list(dict.fromkeys(ours.winnow(symbols(text))))
        seen = [h in set(ours.all(symbols(body))) for h in own]
        longest = max((sum(seen[k:k + STRETCH]) for k in range(max(1, len(own) - STRETCH + 1))), default=0)
        need = min(ENOUGH, max(SHARED_MIN, (7 * len(own) + 7) // 8))
        fresh = Tool(sys.argv[1])
        count = fresh.prompt(1, text)
        _, hits = fresh.body(body)
        fresh.end()
        want = {1: (sum(seen), len(own))} if len(own) >= SHARED_MIN and longest >= need else {}
        differ += count != (len(own) if len(own) >= SHARED_MIN else 0) or {k: v[:2] for k, v in hits.items()} != want
        n += bool(want)
    is_("what is shared, of 60 pairs", differ, 0)
    is_("  of which some are copies and some are not", 10 < n < 50, True)
    another = Tool(sys.argv[1], bytes(32))
    text = as_bytes(draw.text("english", 2000))
    is_("another key makes other hashes", len(set(another.ask("W", text).split()) & set(tool.ask("W", text).split())), 0)
    another.end()


# --- copies are found -------------------------------------------------------------------------------
def recall(tool, draw, _):
    node, r, owner, texts = Node(), draw.r, 1, {}
    for kind in draw.KINDS:
        for size in (200, 400, 1000, 3000, 8000, 20000):
            while True:
                text = as_bytes(draw.text(kind, size))
                if tool.prompt(owner, text, owner):
                    break
            texts[owner] = text
            owner += 1
    # Templates and idioms that drawn texts have in common are common by now, as they are in life; counted again.
    of = {o: tool.prompt(o, text, o) for o, text in texts.items()}
    can = [o for o in texts if of[o]]
    say(f"recall: {len(texts)} prompts, {len(can)} of them with pieces of their own")
    for name, (make, named) in forms(node).items():
        found = whole = right = told = 0
        for o in can:
            before, after = as_bytes(draw.english(300)), as_bytes(draw.english(300))
            for text in (texts[o], before + texts[o] + after):
                partial, hits = tool.body(make(text))
                shared, n, form = hits.get(o, (0, of[o], ""))
                found += shared > 0
                whole += shared == n == of[o]
                right += form in named
                told += partial
        n = 2 * len(can)
        is_(f"{name}: found, wholly, by its form, nothing left out", [found, whole, right, told], [n, n, n, 0])
    node.end()
    # A part of a long prompt.
    kinds = {o: draw.KINDS[(o - 1) // 6] for o in can}
    for size, least in ((120, 0), (160, 0), (200, 0), (279, 0.98), (500, 0.98)):
        told = {}
        for kind in draw.KINDS:
            longer = [o for o in can if of[o] > 2 * STRETCH and kinds[o] == kind]
            found = n = 0
            while n < 60:
                o = r.choice(longer)
                a = r.randrange(len(texts[o]))
                b = next((b for b in range(a + size, min(len(texts[o]), a + 3 * size)) if len(symbols(texts[o][a:b])) >= size), None)
                if b is None:
                    continue
                n += 1
                _, hits = tool.body(as_bytes(draw.english(200)) + texts[o][a:b] + as_bytes(draw.english(200)))
                found += o in hits
            told[kind] = found / n
        say(f"recall: parts of {size} symbols: {told}")
        if least:
            is_(f"a part of {size} symbols is found, where the text does not repeat itself", min(told["english"], told["other"]) >= least, True)


# --- what is no copy is not found -------------------------------------------------------------------
def count_pairs(tool, prompts, bodies, wrong):
    """Prompts and bodies as (kind, text)."""
    owners = {i: p for i, p in enumerate(prompts, 1)}
    found = [i for i, (_, text) in owners.items() if tool.prompt(i, text, i)]
    for kind, body in bodies:
        _, hits = tool.body(body)
        for o in hits:
            wrong[f"{owners[o][0]}/{kind}"] = wrong.get(f"{owners[o][0]}/{kind}", 0) + 1
    return len(found) * len(bodies)


def unrelated(_, draw, pairs):
    build = sys.argv[1]
    for what, kinds, group, bodies, low, high in (
            ("all remembered together", draw.KINDS, 150, 150, 150, 20000),
            ("few at a time", [k for k in draw.KINDS if k not in ("chat", "code")], 5, 40, 150, 20000),
            ("short prompts, long bodies", [k for k in draw.KINDS if k not in ("chat", "code")], 7, 20, 80, 400)):
        n, wrong = 0, {}
        while n < pairs:
            tool = Tool(build)
            prompts = [(k, draw.text(k, draw.size(low, high))) for k in (draw.r.choice(kinds) for _ in range(group))]
            sizes = (low, high) if low > 100 else (5000, 60000)
            texts = [(k, draw.text(k, draw.size(*sizes))) for k in (draw.r.choice(kinds) for _ in range(bodies))]
            n += count_pairs(tool, prompts, texts, wrong)
            tool.end()
        found = sum(wrong.values())
        say(f"unrelated, {what}: {found} of {n} pairs {wrong or ''}")
        is_(f"unrelated pairs, {what}: fewer than 1 of 10,000 is taken for a copy", found * 10000 < n, True)


# --- bodies that want to be a burden ----------------------------------------------------------------
def hostile(tool, draw, _):
    r = random.Random(1)
    text = as_bytes(draw.english(3000))
    tool.prompt(1, text)
    bomb = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(bomb.compress(bytes(1 << 20)) for _ in range(300)) + bomb.flush()
    noise = r.randbytes(4 << 20)
    nested = text
    for _ in range(12):
        nested = base64.b64encode(nested)
    cases = {
        "a bomb": (bomb, True), "a bomb in base64": (base64.b64encode(bomb), True), "bombs in a row": (bomb * 3, True),
        "a bomb in a bomb": (gzip.compress(bomb), True),
        "base64 twelve times": (nested, True),
        "noise": (noise, True), "noise in base64": (base64.b64encode(noise), True),
        "a cut stream": (gzip.compress(noise[:1 << 16])[:40000], True),
        "names without end": ((b"\x1f\x8b\x08\x08" + bytes(6) + b"a" * 90) * 20000, True),
        "magic numbers only": (b"\x1f\x8b\x08\0" * 500000, True), "others": (b"\x28\xb5\x2f\xfd" * 500000, True),
        "backslashes": (b"\\" * (4 << 20), False), "percents": (b"%" * (4 << 20), False), "encoded often": (b"%" + b"25" * (2 << 20), False),
        "surrogates": (b"\\ud83d" * 500000, False), "one letter": (b"a" * (4 << 20), True),  # as base64 it is no text
        "empty parts": (b"--x" + b"\r\n\r\n" * 500000, False), "parts of noise": (b"".join(b"--x\r\n\r\n" + noise[i:i + 300] + b"\r\n" for i in range(0, 1 << 19, 300)), None),
        "nothing": (b"", False), "a byte": (b"\x1f", False),
    }
    for name, (body, partial) in cases.items():
        got, hits = tool.body(body)
        is_(f"{name}: no copy", hits, {})
        if partial is not None:
            is_("  and whether all of it was looked at", not got, not partial)
        got, hits = tool.body(body + b"\n" + text)
        is_("  and the copy behind it is", hits.get(1, (0,))[0] > 60, True)
    for keep in (5000, 2000):
        part = gzip.compress(text * 4, 1)
        got, hits = tool.body(part[:len(part) - keep] if keep < len(part) else part[:len(part) // 2])
        is_("a stream that is cut: what it has is found, and that it is cut is said", [got, 1 in hits], [True, True])
    # Memory: many agents, many prompts, each ceiling reached.
    for agent in range(40):
        for i in range(12):
            tool.prompt(1000 * agent + i + 2, draw.english(60000), agent + 2)
            s = tool.stats()
            if s["pieces"] > 65536 or s["owners"] > 4096:
                is_("a ceiling is kept", s, "less")
    s = tool.stats()
    is_("the oldest went, and is counted", s["evicted"] > 200 and s["owners"] + s["evicted"] == 481, True)
    only, peaks = Tool(sys.argv[1]), []
    for agent in range(4):
        peaks.append(only.peak_kib())
        before = only.stats()["evicted"]
        while only.stats()["evicted"] == before:
            only.prompt(r.randrange(1 << 60), draw.english(20000), agent)
        if agent == 0:
            is_("one agent has its share only", 12000 < only.stats()["pieces"] <= 16384, True)
    grown = [b - a for a, b in zip(peaks, peaks[1:])]
    say(f"agents at their ceiling: {grown} KiB each; {tool.peak_kib()} KiB at most with bodies of {4 << 20} bytes")
    is_("  and little memory", max(grown[1:]) < 2048, True)
    is_("memory at its highest is bounded", tool.peak_kib() < 64 << 10, True)
    # Any cut and any changed byte of a packed copy: no crash, and never another's.
    packed = json.dumps({"a": base64.b64encode(gzip.compress(text)).decode()}).encode()
    for i in range(400):
        body = bytearray(packed[:r.randrange(len(packed))] if i % 2 else packed)
        body[r.randrange(len(body)) if body else 0:][:1] = bytes([r.randrange(256)])
        tool.body(bytes(body))
    only.end()


# --- what many texts have ---------------------------------------------------------------------------
def common(_, draw, __):
    tool = Tool(sys.argv[1])
    own = {i: draw.english(900) for i in range(1, 11)}
    made = {i: SYSTEM + text for i, text in own.items()}
    for i in (1, 2):
        tool.prompt(i, made[i], i)
    _, hits = tool.body(json.dumps({"q": made[2]}))
    is_("a prompt is no copy of another of the same template", sorted(hits), [2])
    _, hits = tool.body(json.dumps({"q": own[1]}))
    is_("what is only its own is found", sorted(hits), [1])
    counts = [tool.prompt(i, made[i], i) for i in range(3, 11)]
    is_("what eight texts had counts no more", counts[0] > counts[-1] + 50, True)
    for i in range(1, 11):
        _, hits = tool.body(made[i])
        is_(f"  {i} is found by what is its own", [(o, h[0] == h[1]) for o, h in hits.items()], [(i, True)])
    _, hits = tool.body(SYSTEM * 3)
    is_("  the template alone is no copy", hits, {})
    for i in range(1, 11):
        tool.forget(i)
    is_("forgotten", [tool.stats()[k] for k in ("owners", "texts", "pieces")], [0, 0, 0])
    _, hits = tool.body(made[3])
    is_("  it is not found", hits, {})
    is_("  what is common is so still", tool.prompt(1, SYSTEM, 1), 0)
    tool.end()
    tool = Tool(sys.argv[1])
    text = draw.english(1200)
    for round_ in range(30):
        tool.prompt(round_, text, 1)
        if round_ % 3:
            tool.forget(round_)
    _, hits = tool.body(text)
    is_("the same text again and again is not common", sorted(hits), list(range(0, 30, 3)))
    is_("  but one text", tool.stats()["texts"], 1)
    for i in range(100, 200):
        tool.prompt(i, text, i)
    is_("  whose owners have a ceiling", tool.stats()["owners"], 64)
    _, hits = tool.body(text)
    is_("  the last ones are known", sorted(hits), list(range(136, 200)))
    doc = draw.english(4000)
    for i in range(5):
        tool.prompt(300 + i, doc + draw.english(150), 7)
    _, hits = tool.body(doc)
    is_("what five prompts quote is of each of them", sorted(hits), list(range(300, 305)))
    is_("too short", [tool.prompt(400, t) for t in ("", "hello", "Summarize this text.", "=" * 500, "0" * 500)], [0] * 5)
    tool.end()


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("build")
    p.add_argument("part", choices=("same", "recall", "unrelated", "hostile", "common"))
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--pairs", type=int, default=20000)
    o = p.parse_args()
    tool = Tool(o.build)
    globals()[o.part](tool, Draw(o.seed), o.pairs)
    tool.end()


main()
