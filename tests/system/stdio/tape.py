#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""tape.py FILE: the events of a tape as they are, behind its manifest."""
import struct
import subprocess
import sys

with open(sys.argv[1], "rb") as tape:
    head = tape.read(12)
    tape.seek(12 + struct.unpack("<I", head[8:])[0])
    subprocess.run(["zstd", "-dc"], input=tape.read(), check=True)
