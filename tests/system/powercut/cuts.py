#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""cuts.py BUILD PLACE XMOD SHIM                   a ledger's stories on a disk, cut off at hundreds of moments
cuts.py BUILD PLACE XMOD SHIM daemon LOG DISK   that of a daemon, which began on an empty disk
cuts.py BUILD PLACE XMOD SHIM witness LOG DISK SIZE...   that of a witness, which cosigned these sizes one after the other

A story is the life of one or many writers, told by disk_log.c. After a cut at any moment of it the ledger is opened again on
what the disk may then hold (disk.py), goes on, and golang.org/x/mod looks at it with the newest checkpoint that had been
announced by that moment. What was announced is what the program under test gave away, not what it says it has.

One line per check, "ok ..." or "NOT OK ..."; the seed of everything is SEED (default 1).
"""
from concurrent.futures import ThreadPoolExecutor
import copy
import itertools
import json
import os
from pathlib import Path
import random
import re
import shutil
import subprocess
import sys

from disk import Disk, Fate, KILLED, TELL, entries

NOTE = re.compile(rb"(?:^|\n)([^\n]+\n(\d+)\n[A-Za-z0-9+/]{43}=\n\n(?:\xe2\x80\x94 [^\n]+\n)+)")
FATES = ("lost", "chance", "chance", "kept", "chance")
BUILD, PLACE, XMOD, SHIM = sys.argv[1:5]
PLACE = Path(PLACE)
SYNCS = ("fsync", "folder", "fdatasync", "syncfs")
SEED = int(os.environ.get("SEED", "1"))


def grow(disk, size, batch, kept, *options, **env):
    """Opens the ledger and adds records until it has `size`; the checkpoints that it gives away go to `kept`."""
    kept.mkdir(exist_ok=True)
    return subprocess.run(
        [f"{BUILD}/dev/mkledger", "--batch", str(batch), *options, "--keep", kept, disk / "log", str(size)],
        env={**os.environ, **{k: str(v) for k, v in env.items()}}, capture_output=True, text=True, check=False)


def xmod(log, kept):
    done = subprocess.run([XMOD, log, kept], capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else done.stderr.strip() or "xmod died"


class Announced:
    """What was given away: the newest checkpoint, and lines of the stream."""

    def __init__(self):
        self.size, self.note = -1, b""
        self.stream, self.lines = {}, 0  # all lines of the story, and how many of them by now
        self.unfinished = {}

    def take(self, e):
        for told in NOTE.finditer(e.data):
            if int(told[2]) > self.size:
                self.size, self.note = int(told[2]), told[1]
        *lines, self.unfinished[e.number] = (self.unfinished.get(e.number, b"") + e.data).split(b"\n")
        for line in lines:
            if line.startswith(b'{"v":1,"cursor":'):
                self.stream[json.loads(line)["cursor"]] = line
                self.lines = len(self.stream)

    def missing(self, ledger):
        """How many lines of the stream the ledger does not have, byte for byte."""
        told = list(self.stream.values())[:self.lines]
        if not told:
            return 0
        done = subprocess.run([f"{BUILD}/wirewitness", "ls", "--state", ledger, "-o", "json"], capture_output=True, check=False)
        return len(set(told) - set(done.stdout.splitlines()))


class Story:
    def __init__(self, name, disk=None, announced=None, log=None):
        self.place = PLACE / name
        self.place.mkdir()
        self.disk, self.log, self.announced = self.place / "disk", log or self.place / "story", announced or Announced()
        if disk:
            shutil.move(disk, self.disk)
        else:
            self.disk.mkdir()

    def begin(self, found=True):
        """What is on the disk by now has been there for long. One model for each way to be blind."""
        self.models = {blind: Disk(self.disk, [blind], found) for blind in (None, *SYNCS)}

    def life(self, size, batch, *options, **env):
        return grow(self.disk, size, batch, self.place / "kept", *options, LD_PRELOAD=SHIM, DISK_ROOT=self.disk,
                    DISK_LOG=self.log, **env).returncode

    def cuts(self, count, blind=None):
        """So many disks after a cut: (path, what had been announced)."""
        story = list(entries(self.log))
        chance = random.Random(f"{SEED} {self.place.name}")
        first = next((i for i, e in enumerate(story) if e.op == TELL), 0)
        moments = sorted(chance.randrange(first // 2, len(story) + 1) for _ in range(count - 1)) + [len(story)]
        fates, model, announced, at = itertools.cycle(FATES), copy.deepcopy(self.models[blind]), copy.copy(self.announced), 0
        for n, moment in enumerate(moments):
            for e in story[at:moment]:
                if e.op == TELL:
                    announced.take(e)
                elif e.op != KILLED:
                    model.take(e)
            at = moment
            fate = "lost" if n == count - 1 else next(fates)  # the end: with all that was ever announced
            path = self.place / f"{blind or ''}cut{n}-{moment}-{fate}"
            model.write(path, Fate(fate, f"{SEED} {n}"))
            yield path, copy.copy(announced)

    def recorded(self):
        """The model's end is the real one: no call of the story was missed."""
        model = copy.deepcopy(self.models[None])
        for e in entries(self.log):
            if e.op not in (TELL, KILLED):
                model.take(e)
        return model.same(self.disk)


def recovered(path, announced, **env):
    """None, or what is wrong with the ledger after the cut."""
    kept = path / "kept"
    done = grow(path, max(announced.size, 0) + 20, 7, kept, **env)
    if done.returncode != 0:
        return f"{path.name}: refused: {done.stderr.strip()}"
    sizes = [int(k.name) for k in kept.iterdir()]
    if announced.size >= 0:
        if min(sizes) < announced.size:
            return f"{path.name}: {announced.size} records were announced, there are {min(sizes)}"
        last = kept / str(announced.size)
        if last.exists() and last.read_bytes().split(b"\n\n")[0] != announced.note.split(b"\n\n")[0]:
            return f"{path.name}: another head of {announced.size} records was announced before"
        last.write_bytes(announced.note)
    missing = announced.missing(path / "log")
    if missing:
        return f"{path.name}: {missing} lines of the stream are not in the ledger"
    wrong = xmod(path / "log", kept)
    return wrong and f"{path.name}: {wrong}"


def judge(story, count, blind=None, enough=None, check=recovered):
    """Cuts, and what is wrong with each; with `enough`, no more than so many wrong ones are looked for."""
    wrong, done = [], 0

    def one(cut):
        result = check(*cut)
        shutil.rmtree(cut[0])
        return result

    with ThreadPoolExecutor(2) as pool:
        for result in pool.map(one, story.cuts(count, blind)):
            done += 1
            if result:
                wrong.append(result)
            if enough and len(wrong) >= enough:
                break
    return done, wrong


PASSED = FAILED = 0


def ok(name, good, why=""):
    global PASSED, FAILED
    PASSED, FAILED = PASSED + bool(good), FAILED + (not good)
    print(f"{'ok     ' if good else 'NOT OK '} {name}{'' if good else ': ' + why}", flush=True)


def survives(name, story, count, check=recovered):
    ok(f"{name}: the recording is whole", story.recorded(), "a call was missed")
    done, wrong = judge(story, count, check=check)
    ok(f"{name}: {done} cuts", done == count and not wrong, f"{len(wrong)} bad: " + "; ".join(wrong[:3]))


def notices(name, story, blind, count, check=recovered):
    """The check can fail: with one kind of sync doing nothing it does."""
    _, wrong = judge(story, count, blind, 1, check)
    ok(f"{name}: noticed when {blind} does nothing", wrong, "no cut was bad")


def made(story):
    ok(f"{story.place.name}: whole at the end", xmod(story.disk / "log", story.place / "kept") is None)
    return story


def lives():
    """Killed at every step of a life, one after the other, on one disk: what a killed one left unsynced is still unsynced."""
    story, step = Story("lives"), 1
    story.begin()
    while story.life(16 * step, 37 if step % 2 else 64, DISK_KILL=step) == 137:
        step += 1
    ok("lives: killed at every step", 40 < step < 400, f"{step} steps")
    return made(story)


def failing():
    """Every sync of a life fails once, and the writer goes on, as the daemon does; when it cannot, the next one does."""
    story, step, codes = Story("failing"), 1, []
    story.begin()
    while step < 60:
        codes.append(story.life(30 * step, 40, "--retry", DISK_SYNC=step))
        step += 1
    ok("failing: some went on, some were refused", 0 in codes and 1 in codes and not set(codes) - {0, 1}, str(codes))
    return made(story)


def large():
    """Commits of more files than are synced one by one."""
    story = Story("large")
    grow(story.disk, 100, 100, story.place / "old")
    story.begin()
    story.life(7100, 7000)
    return made(story)


def segment():
    """A new segment of records begins in the middle."""
    story = Story("segment")
    grow(story.disk, 115, 115, story.place / "old", "--bytes", "60000")
    story.begin()
    story.life(145, 3, "--bytes", "60000")
    ok("segment: there are two", len(list((story.disk / "log/records").iterdir())) == 2)
    return made(story)


def twice(first):
    """What a cut left is opened, and power is cut again: while it recovers, or right after it."""
    for n, (path, announced) in enumerate(first.cuts(5)):
        story = Story(f"again{n}", path, announced)
        story.begin()
        code = story.life(max(announced.size, 0) + 50, 25)
        ok(f"again{n}: it recovers", code == 0, f"exit code {code}")
        survives(f"again{n}", story, 10)
        shutil.rmtree(story.place)


def made_elsewhere(name, log, disk):
    story = Story(name, log=Path(log))
    story.disk = Path(disk)
    story.begin(found=False)
    return story


def daemon(log, disk):
    story = made_elsewhere("daemon", log, disk)
    told = Announced()
    for e in entries(story.log):
        if e.op == TELL:
            told.take(e)
    ok("daemon: it gave away checkpoints and records", told.size > 100 and told.lines > 100, f"{told.size}, {told.lines}")
    survives("daemon", story, 40)
    for blind in SYNCS[:3]:
        notices("daemon", story, blind, 60)


def witness(log, disk, sizes):
    """A cosignature that left: what it covers is never forgotten, nor the key that made it."""
    story = made_elsewhere("witness", log, disk)
    key = (Path(disk) / "w/key").read_bytes()

    class Cosigned(Announced):
        def take(self, e):
            if b"HTTP/1.1 200" in e.data:
                self.lines += 1

    def kept(path, announced):
        if announced.lines == 0:
            return None
        cosigned = int(sizes[announced.lines - 1])
        notes = [NOTE.search(f.read_bytes()) for f in path.glob("w/logs/*/checkpoint")]
        if max([int(n[2]) for n in notes if n], default=-1) < cosigned or not (path / "w/key").exists():
            return f"{path.name}: {cosigned} records were cosigned, and it is forgotten"
        return None if (path / "w/key").read_bytes() == key else f"{path.name}: another key"

    story.announced = Cosigned()
    survives("witness", story, 60, kept)
    for blind in SYNCS[:2]:
        notices("witness", story, blind, 100, kept)


def ledgers():
    story = lives()
    survives("lives", story, 150)
    for blind in SYNCS[:3]:
        notices("lives", story, blind, 100)
    twice(story)
    survives("failing", failing(), 40)
    story = large()
    survives("large", story, 16)
    notices("large", story, "syncfs", 24)
    survives("segment", segment(), 24)


def main():
    if len(sys.argv) == 5:
        ledgers()
    elif sys.argv[5] == "daemon":
        daemon(*sys.argv[6:])
    else:
        witness(*sys.argv[6:8], sys.argv[8:])
    if "WW_RESULTS" in os.environ:
        with open(os.environ["WW_RESULTS"], "a", encoding="ascii") as f:
            f.write(f"{PASSED} {FAILED}\n")
    return FAILED > 0


if __name__ == "__main__":
    sys.exit(main())
