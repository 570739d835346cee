# SPDX-License-Identifier: Apache-2.0
"""The same again, slow and from the description alone (user/action/symbols.h, winnow.h): symbols by regular expressions,
every hash from nothing, every window searched."""
import hashlib
import hmac
import re
import struct

SYMBOLS, WINDOW, DISTINCT = 24, 16, 6
MASK = (1 << 64) - 1
PERCENT = re.compile(rb"%(?:25)*(?:(?P<hex>[0-9a-fA-F]{2})|)")
UNIT = rb"u([0-9a-fA-F]{4})"
LEFT_OUT = re.compile(rb"\xc2[\x80-\xbf]|\xe2\x80[\x80-\xbf]|\xe2\x81[\x80-\xaf]|\xe3\x80[\x80-\xbf]|\xef\xbb\xbf|\xef\xbf\xbd")
ESCAPED = re.compile(rb"\\+(?:u005[cC]\\*)*(?:[nrtbf]|u[dD][89abAB][0-9a-fA-F]{2}\\+u[dD][c-fC-F][0-9a-fA-F]{2}|" + UNIT + rb"|)")


def percent(m):
    return bytes([int(m["hex"], 16)]) if m["hex"] else b"%"


def escaped(m):
    units = [int(u, 16) for u in re.findall(UNIT, m[0]) if u.lower() != b"005c"]
    if not units:
        return b" "
    data = b"".join(struct.pack(">H", u) for u in units)
    return data.decode("utf-16-be", "ignore").encode("utf-8")


def symbols(text):
    text = PERCENT.sub(percent, text)
    text = ESCAPED.sub(escaped, text)
    text = LEFT_OUT.sub(b" ", text)
    text = re.sub(rb"[\xe0\xe1][\x80-\xbf]([\x80-\xbf])", rb"\1", text)
    return re.sub(rb"[^0-9a-z\x80-\xff]+|[\xc0-\xdf\xe0\xe1\xe3]", b"", text.lower())


class Hash:
    def __init__(self, key):
        digests = [hmac.digest(key, b"wirewitness shingles" + bytes([i]), hashlib.sha256) for i in range(64)]
        self.word = struct.unpack("<256Q", b"".join(digests))

    def of(self, run):
        h = 0
        for symbol in run:
            h = (h << 1 & MASK | h >> 63) ^ self.word[symbol]
        return h

    def all(self, s):
        return [self.of(s[i:i + SYMBOLS]) for i in range(len(s) - SYMBOLS + 1)]

    def winnow(self, s):
        hashes = [h if len(set(s[i:i + SYMBOLS])) >= DISTINCT else MASK for i, h in enumerate(self.all(s))]
        chosen = []
        for at in range(max(1, len(hashes) - WINDOW + 1) if hashes else 0):
            window = range(at, min(at + WINDOW, len(hashes)))
            least = min(hashes[i] for i in window)
            if chosen and chosen[-1] in window and hashes[chosen[-1]] == least:
                continue
            chosen.append(max(i for i in window if hashes[i] == least))
        return [hashes[i] for i in chosen if hashes[i] != MASK]
