#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""names.py OURS NM: what `sites -g` reads from the table of a stripped program against what `go tool nm -size` says of the
same program with its symbols. Prints how many functions are the same and the differences; status 1 if there are any."""
import re
import sys


def same(ours, theirs):
    """The table leaves the calling convention out, and what generic code was made for; nm writes the dots of local types
    otherwise."""
    plain = ours.replace("\u00b7", ".")
    return plain in (theirs, re.sub(r"\[[^]]*\]", "[...]", re.sub(r"\.abi0$", "", theirs)))


with open(sys.argv[1], encoding="utf-8") as f:
    ours = {int(a, 16): (n, int(s)) for a, s, n in (line.rstrip("\n").split(" ", 2) for line in f)}
theirs = {}
with open(sys.argv[2], encoding="utf-8") as f:
    for line in f:
        words = line.split(None, 3)
        if len(words) == 4 and words[2] in "Tt" and words[3].strip() != "runtime.etext":
            theirs.setdefault(int(words[0], 16), []).append((words[3].strip(), int(words[1])))
wrong = [f"{a:x}: {ours.get(a)} instead of {theirs.get(a)}" for a in sorted(ours.keys() | theirs.keys())
         if a not in ours or not any(same(ours[a][0], name) and 0 <= ours[a][1] - size < 32 for name, size in theirs.get(a, []))]
print(f"{len(ours)} functions, {len(wrong)} wrong", *wrong[:10], sep="\n")
sys.exit(len(ours) < 1000 or bool(wrong))
