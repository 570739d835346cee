#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""steps.py FOLDER FIFO: what the agent does, a step a line, and which verdict is wanted. Where the design says that it is
not known, that is wanted: (verdict, reason)."""
import json
import os
import sys

f, fifo = sys.argv[1:]
loader = next(p for p in ("/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1") if os.path.exists(p))
UNKNOWN = ("UNVERIFIABLE", "OUTCOME_UNKNOWN")
GAP = ("UNVERIFIABLE", "COVERAGE_GAP")
steps = [
    # call, tool, what is done, wanted; what the span says where it is not OK
    ("write", "write_out", ["write", f"{f}/out/a.txt"], "CONFIRMED_T1"),
    ("over", "write_out", ["write", f"{f}/out/kept.txt"], "CONFIRMED_T1"),
    ("atomic", "write_out", ["atomic", f"{f}/out/kept.txt"], "CONFIRMED_T1"),
    ("child", "write_out", ["child", "write", f"{f}/out/c.txt"], "CONFIRMED_T1"),
    ("shell", "write_out", ["run", "/bin/sh", "-c", f"echo 1 >{f}/out/s.txt"], "CONFIRMED_T1"),
    ("nothing", "write_out", ["nothing"], "NO_ACTION"),
    ("said-error", "write_out", ["nothing"], "ATTEMPTED_FAILED", "ERROR"),
    ("wrong-name", "write_out", ["write", f"{f}/out/a.md"], "NO_ACTION"),
    ("wrong-folder", "write_out", ["write", f"{f}/in/b.txt"], "NO_ACTION"),
    ("hidden", "write_out", ["write", f"{f}/out/.a.txt"], "NO_ACTION"),
    ("only-opened", "write_out", ["open", f"{f}/out/kept.txt"], UNKNOWN),
    ("mapped", "write_out", ["map", f"{f}/out/kept.txt"], UNKNOWN),
    ("linked", "write_out", ["unnamed", f"{f}/out/u.txt"], UNKNOWN),
    ("cut", "write_out", ["truncate", f"{f}/out/kept.txt"], UNKNOWN),
    ("taken-back", "write_out", ["write-remove", f"{f}/out/t.txt"], UNKNOWN),
    ("undone", "write_out", ["undone", f"{f}/out/kept.txt"], UNKNOWN),
    ("unlinked", "write_out", ["unlinked", f"{f}/out/n.txt"], UNKNOWN),
    ("between", "write_out", ["between", f"{f}/out/b.txt"], UNKNOWN),
    ("pipe", "write_out", ["pipe", f"{f}/out/p.txt"], UNKNOWN),
    ("copied", "write_out", ["copy", f"{f}/out/kept.txt", f"{f}/out/d.txt"], "CONFIRMED_T1"),
    ("no-file", "write_out", ["no-file", f"{f}/out/l.txt"], UNKNOWN),
    ("no-file-gone", "note", ["remove", f"{f}/out/l.txt"], "NOT_APPLICABLE"),
    ("outside", "write_out", ["outside", fifo, f"{f}/out/o.txt"], ("UNVERIFIABLE", "REMOTE_EXECUTOR")),
    ("many", "write_out", ["many", f"{f}/out", 2000], "CONFIRMED_T1"),
    ("deep", "write_deep", ["write", f"{f}/deep/mon/a.txt"], "CONFIRMED_T1"),
    ("new-folder", "write_deep", ["mkdir-write", f"{f}/deep/tue/a.txt"], GAP),
    ("then-there", "write_deep", ["write", f"{f}/deep/tue/b.txt"], "CONFIRMED_T1"),
    ("made", "write_new", ["mkdir-write", f"{f}/new/sub/file.txt"], GAP),
    ("made-there", "write_new", ["write", f"{f}/new/sub/file.txt", "more\n"], "CONFIRMED_T1"),
    ("again", "write_again", ["write", f"{f}/old/one.txt"], "CONFIRMED_T1"),
    ("away", "note", ["rename", f"{f}/old", f"{f}/older"], "NOT_APPLICABLE"),
    ("away-then", "write_again", ["mkdir-write", f"{f}/old/two.txt"], GAP),
    ("away-there", "write_again", ["write", f"{f}/old/three.txt"], "CONFIRMED_T1"),
    ("away-old", "write_again", ["write", f"{f}/older/three.txt"], "NO_ACTION"),
    ("renamed", "rename_in", ["rename", f"{f}/in/a", f"{f}/in/z"], "CONFIRMED_T1"),
    ("not-renamed", "rename_in", ["write", f"{f}/in/y"], "NO_ACTION"),
    ("made-again", "remove_lock", ["remove-make", f"{f}/rm/lock"], UNKNOWN),
    ("removed", "remove_lock", ["remove", f"{f}/rm/lock"], "CONFIRMED_T1"),
    ("not-removed", "remove_lock", ["nothing"], "NO_ACTION"),
    ("then-nothing", "write_deep", ["nothing"], "NO_ACTION"),
    ("by-link", "write_link", ["write", f"{f}/link/real.txt"], GAP),
    ("true", "run_program", ["run", "/usr/bin/true"], "CONFIRMED_T1"),
    ("false", "run_program", ["run", "/usr/bin/false"], "MASKED_ERROR"),
    ("false-said", "run_program", ["run", "/usr/bin/false"], "ATTEMPTED_FAILED", "ERROR"),
    ("by-shell", "run_program", ["run", "/bin/sh", "-c", "/usr/bin/true"], "CONFIRMED_T1"),
    ("other", "run_program", ["run", "/usr/bin/sleep", "0"], "NO_ACTION"),
    ("not-run", "run_program", ["nothing"], "NO_ACTION"),
    ("script", "run_tool", ["run", f"{f}/bin/tool"], GAP),
    ("link", "run_tool", ["run", f"{f}/bin/link"], GAP),
    ("folder", "run_link", ["run", "/bin/true"], GAP),
    ("loader", "run_program", ["run", loader, "/usr/bin/true"], GAP),
    ("memory", "run_program", ["anonymous", "/usr/bin/true"], GAP),
    ("sandbox", "run_program", ["run", "unshare", "-Urm", "/usr/bin/true"], "CONFIRMED_T1"),
    ("own-mounts", "run_program", ["own-mounts"], GAP),
    ("borrowed", "run_program", ["borrowed"], GAP),
    ("any", "run_any", ["run", "/usr/bin/false"], "CONFIRMED_T1"),
    ("long-name", "note", ["write", f"{f}/out/{'x' * 240}.txt"], "NOT_APPLICABLE"),
    ("beside-long", "write_deep", ["nothing"], "NO_ACTION"),
    ("hard-link", "note", ["link", f"{f}/out/a.txt", f"{f}/box/other"], "NOT_APPLICABLE"),
    ("by-other-name", "write_out", ["write", f"{f}/box/other"], GAP),
    ("switched", "write_app", ["switch-write", f"{f}/apps/a/current", "r2", "x.txt"], GAP),
    ("switched-there", "write_app", ["write", f"{f}/apps/a/current/y.txt"], "CONFIRMED_T1"),
    ("parent", "note", ["rename", f"{f}/way/x/mid", f"{f}/way/x/was"], "NOT_APPLICABLE"),
    ("parent-then", "write_way", ["mkdir-write", f"{f}/way/x/mid/out/a.txt"], GAP),
]
# These wait for the verdict of the step before: what they do to folders, or what others do, would lie in its window, which
# goes on for the grace; or they need folders that are watched by now.
LATER = {"outside", "many", "new-folder", "then-there", "made", "made-there", "away-there", "long-name", "beside-long", "hard-link",
         "switched-there", "parent", "script", "any"}
before = None
for call, tool, op, want, *says in steps:
    step = {"call": call, "tool": tool, "do": op, "want": want, "says": says[0] if says else "OK"}
    if call in LATER:
        step["after"] = before
    print(json.dumps(step))
    before = call
