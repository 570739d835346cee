#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""swap.py client PORT LOG: eight threads connect to sixteen addresses for as long as somebody reads its standard output, a
byte for every ten attempts; in LOG a line per attempt: when it began, to which, when it was over, its errno. All times
CLOCK_BOOTTIME.

swap.py drive SOCKET SWAPS LOG: changes what is denied SWAPS times, each time after two hundred attempts, which it hears of on
standard input; a line per list: when it was asked for, when it was in force, its generation, the addresses that it denies.

swap.py judge CLIENT DRIVER RECORDS: no attempt that lies between the coming into force of one list and the question for
the next one may have another outcome than that list says; no record may say what its list does not; and all refusals
are told, to the last one."""
import json
import os
import random
import socket
import struct
import sys
import threading
import time

ADDRESSES = [f"203.0.113.{n}" for n in range(1, 17)]


def now():
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def attempts(port, out, over, seed):
    rng = random.Random(seed)
    hard = struct.pack("ii", 1, 0)
    while not over.is_set():
        address = rng.choice(ADDRESSES)
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, hard)
            begin = now()
            error = s.connect_ex((address, port))
            out.append((begin, address, now(), error))
        if len(out) % 10 == 0:
            try:
                os.write(1, b".")
            except BrokenPipeError:
                over.set()


def client(port, log):
    over = threading.Event()
    outs = [[] for _ in range(8)]
    threads = [threading.Thread(target=attempts, args=(int(port), out, over, i)) for i, out in enumerate(outs)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    with open(log, "w", encoding="ascii") as f:
        for out in outs:
            f.writelines(f"{b} {a} {e} {r}\n" for b, a, e, r in out)


def drive(path, swaps, log):
    rng = random.Random(int(swaps))
    s = socket.socket(socket.AF_UNIX)
    s.connect(path)
    answers = s.makefile("r", encoding="ascii")
    denied = set()
    with open(log, "w", encoding="ascii") as f:
        for _ in range(int(swaps)):
            os.set_blocking(0, False)  # what was done while the list changed is not waited for again
            try:
                while os.read(0, 4096):
                    pass
            except BlockingIOError:
                pass
            os.set_blocking(0, True)
            for _ in range(20):
                os.read(0, 1)
            address = rng.choice(ADDRESSES)
            verb = "allow" if address in denied else "deny"
            denied ^= {address}
            asked = now()
            s.sendall((json.dumps({"op": "guard", "do": verb, "prefix": address}) + "\n").encode())
            answer = json.loads(answers.readline())
            assert answer["ok"], answer
            f.write(json.dumps({"asked": asked, "since": now(), "generation": answer["generation"],
                                "denied": sorted(denied)}) + "\n")


def judge(client_log, driver_log, records):
    lists = [json.loads(line) for line in open(driver_log, encoding="ascii")]
    by_generation = {x["generation"]: x for x in lists}
    rows = sorted([int(b), a, int(e), int(r)] for b, a, e, r in (x.split() for x in open(client_log, encoding="ascii")))
    spans = [(x["since"], lists[i + 1]["asked"] if i + 1 < len(lists) else 1 << 63, set(x["denied"]))
             for i, x in enumerate(lists)]
    judged = wrong = refused = 0
    at = 0
    for begin, address, end, error in rows:
        refused += error == 1
        if error not in (0, 1):
            wrong += 1
        while at + 1 < len(spans) and spans[at + 1][0] <= begin:
            at += 1
        since, until, denied = spans[at]
        if begin >= since and end <= until:
            judged += 1
            wrong += error != (1 if address in denied else 0)
    told = false = 0
    for line in open(records, encoding="ascii"):
        r = json.loads(line)
        if r["kind"] == "guard":
            told += r["attempts"]
            false += r["peer"].split(":")[0] not in by_generation[r["generation"]]["denied"]
    enough = judged >= 100 and refused >= 10 and len(rows) > judged
    print(f"wrong {wrong}, false {false}, untold {refused - told}, {'enough' if enough else f'only {judged} {refused}'}")


{"client": client, "drive": drive, "judge": judge}[sys.argv[1]](*sys.argv[2:])
