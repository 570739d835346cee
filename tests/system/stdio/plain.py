#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Two processes with pipes between them that speak lines of text, for a second.

    plain.py WORDS          says them to a child of its own, again and again, and hears them back
"""
import subprocess
import sys
import time

if len(sys.argv) == 1:
    for line in sys.stdin:
        print(line, end="", flush=True)
    sys.exit()
child = subprocess.Popen([sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
for _ in range(200):
    child.stdin.write(sys.argv[1] + "\n")
    child.stdin.flush()
    assert child.stdout.readline() == sys.argv[1] + "\n"
    time.sleep(0.005)
child.stdin.close()
child.wait()
