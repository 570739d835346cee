#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""compare.py tls|udp DUMP TRUTH: what the monitor saw against what the server says. Prints one line per kind of
fact and the differences; status 1 if there are any.
compare.py twin DUMP TRUTH: nothing of the truth's processes and ports may be in the dump.
compare.py moved DUMP TRUTH: sockets that were made outside of the scope.
compare.py other DUMP TRUTH: as tls, for a client of its own mind about who closes first.
compare.py corners DUMP TRUTH: the facts of corners.py.
compare.py late DUMP TRUTH: as tls, for a first connection that is older than the monitor."""
import collections
import sys

ZERO = "0"
problems = collections.defaultdict(list)


def rows(path):
    with open(path, encoding="ascii", errors="replace") as f:
        for line in f:
            yield line.split()


def fields(words):
    return dict(w.split("=", 1) for w in words if "=" in w)


class Dump:
    def __init__(self, path):
        self.flows, self.streams, self.pids = {}, {}, set()
        self.closes, self.owners, self.roles = {}, {}, {}
        self.sums, self.prefixes, self.ends = {}, set(), {}
        for w in rows(path):
            if w[0] in ("state", "stat", "close", "owner", "open") and w[1] != ZERO:
                self.flow(w)
            elif w[0] == "stream":
                self.streams[w[1], int(w[2])] = dict(zip(w[3::2], w[4::2]))
            elif w[0] == "pid":
                self.pids.add(w[1])
            elif w[0] == "sums":
                self.sums = dict(zip(w[1::2], map(int, w[2::2])))
            elif w[0] == "prefix":
                self.prefixes.add(w[1])
            elif w[0] == "end":
                self.ends[w[1]] = (int(w[2]), int(w[3]))

    def flow(self, w):
        if w[2] != ZERO and w[3] != ZERO:
            self.flows[int(w[2]), int(w[3])] = w[1]
        f = fields(w)
        if w[0] == "close":
            if w[1] in self.closes:
                problems["closed twice"].append(w)
            self.closes[w[1]] = tuple(map(int, w[4:7])) + (f,)
        elif w[0] in ("owner", "open"):
            self.owners[w[1]], self.roles[w[1]] = f["owner"], f["role"]


def check(name, what, got, wanted):
    if got != wanted:
        problems[name].append(f"{what}: {got} instead of {wanted}")


def check_stream(dump, cookie, direction, nbytes, digest, late):
    s = dump.streams.get((cookie, direction))
    what = f"{cookie} dir {direction}"
    if s is None:
        check("plaintext", what, 0, int(nbytes))
        return 0
    if not late:
        check("plaintext", what, (int(s["bytes"]), s["sha"]), (int(nbytes), digest))
    check("order", what, (s["lost"], s["overlap"]) if not late else (ZERO, s["overlap"]), (ZERO, ZERO))
    check("grade", what, s["grade"], "2" if late else "1")
    return 1


# By mode: how each end's socket must say it was closed (enum ww_close_how).
CLIENT_HOW = {"clean": "1", "reset": "3", "server": "2"}
SERVER_HOW = {"clean": "2", "reset": "4", "server": "1"}


# Who closes first is the program's own affair: the two ends must only agree (or both have sent a FIN first).
AGREED = ({"1", "2"}, {"1"})


def check_agreed(dump, client, server):
    ends = {dump.closes[c][3]["how"] for c in (client, server) if c in dump.closes}
    check("how closed", f"{client} and {server}", ends in AGREED, True)


def check_counters(dump, cookie, sent, received, how, mode):
    close = dump.closes.get(cookie)
    if close is None:
        problems["close"].append(f"{cookie}: no close event")
        return
    if sent is not None:
        check("bytes sent", cookie, close[0], sent)
        if mode != "reset":
            check("bytes acknowledged", cookie, close[1], sent)
    if received is not None:
        check("bytes received", cookie, close[2], received)
    if how is not None:
        check("how closed", f"{cookie} ({mode})", close[3]["how"], how)


def compare_tls(dump, truth, late, other=False):
    server_port, pids = {b for a, b in dump.flows}, set()
    count = streams = 0
    for w in rows(truth):
        if w[0] == "pid":
            pids.add(w[1])
        if w[0] != "tls":
            continue
        port, n_in, h_in, n_out, h_out, raw_in, raw_out, mode = w[1:]
        old = late and count == 0
        count += 1
        client = [c for (a, b), c in dump.flows.items() if a == int(port)]
        server = [c for (a, b), c in dump.flows.items() if b == int(port)]
        if len(client) != 1 or len(server) != 1:
            problems["flows"].append(f"port {port}: {client} {server}")
            continue
        client, server = client[0], server[0]
        streams += check_stream(dump, client, 0, n_in, h_in, old) + check_stream(dump, client, 1, n_out, h_out, old)
        streams += check_stream(dump, server, 1, n_in, h_in, old) + check_stream(dump, server, 0, n_out, h_out, old)
        check_counters(dump, client, int(raw_in), int(raw_out) if mode != "reset" else None, None if other else CLIENT_HOW[mode], mode)
        check_counters(dump, server, int(raw_out), int(raw_in), None if other else SERVER_HOW[mode], mode)
        if other:
            check_agreed(dump, client, server)
        check("owner", f"server's end of {port}", dump.owners.get(server) in pids, True)
        if not old:
            check("owner", f"client's end of {port}", dump.roles.get(client), "1")
            check("exact", port, [dump.closes[c][3]["exact"] for c in (client, server) if c in dump.closes], ["1", "1"])
    check("flows", "all", count > 0, True)
    unbound = sum(int(s["unbound"]) for s in dump.streams.values())
    if not late:
        check("unbound", "bytes", unbound, 0)
    else:
        check("late", "prefix events", len(dump.prefixes) >= 1, True)
    print(f"{count} connections, {streams} streams, {len(server_port)} server ports, {unbound} bytes unbound, {dump.sums}")


def compare_udp(dump, truth):
    for w in rows(truth):
        if w[0] != "udp":
            continue
        client = [c for c in dump.closes if dump.closes[c][3]["proto"] == "17" and dump.roles.get(c) == "3"]
        sums = sorted(dump.closes[c][0:3:2] for c in client)
        check("UDP sums", "both ends", sums, sorted([(int(w[2]), int(w[3])), (int(w[3]), int(w[2]))]))
        check("UDP owner", "both ends", all(dump.owners.get(c) in dump.pids for c in client), True)


def compare_moved(dump, truth):
    pids, count = {w[1] for w in rows(truth) if w[0] == "pid"}, 0
    for w in rows(truth):
        if w[0] != "moved":
            continue
        count += 1
        port, sent, received = map(int, w[1:])
        for mine, pick in (((sent, sent, received), lambda a, b: a == port), ((received, received, sent), lambda a, b: b == port)):
            cookie = [c for (a, b), c in dump.flows.items() if pick(a, b)]
            check("flow", port, len(cookie), 1)
            check("owner", cookie, dump.owners.get(cookie[0]) in pids, True)
            check("counters", cookie, dump.closes.get(cookie[0], ())[0:3], mine)
            check("exact", cookie, dump.closes[cookie[0]][3]["exact"], "0")
    check("moved", "connections", count, 1)


def compare_twin(dump, truth):
    server = 0
    for w in rows(truth):
        if w[0] == "pid":
            check("twin", f"pid {w[1]}", w[1] in dump.pids, False)
        elif w[0] == "server":
            server = int(w[1])
        elif w[0] == "tls":  # a client's port alone may come back in another connection
            check("twin", f"port {w[1]}", [k for k in dump.flows if set(k) == {int(w[1]), server}], [])
    check("twin", "server's port", server != 0, True)


def compare_corners(dump, truth, lines):
    facts, port = {}, {}
    for w in rows(truth):
        if w[0].endswith("-port"):
            port[w[0][:-5]] = [int(n) for n in w[1:]]
        else:
            facts[w[0]] = w[1]

    def has(name, line, wanted=1):
        check(name, line, sum(text.startswith(line) for text in lines), wanted)

    def client_of(name):
        return [c for (a, b), c in dump.flows.items() if a == port[name][0]][0]

    def server_of(name):
        return [c for (a, b), c in dump.flows.items() if b == port[name][0]][0]
    has("exit", f"exit {facts['exit_seven']} code 7")
    has("exit", f"exit {facts['killed']} code -9")
    for pid in facts.values():
        has("fork", f"fork {pid} from")
        has("exit", f"exit {pid} code")
    pid = facts["unix_peers"]
    for path in (f"bytes {len(pid) + 10} ww-corner-{pid}", f"bytes {len(pid) + 15} ww-corner-{pid}.gram",
                 f"bytes {len(pid) + 11} @ww-corner-{pid}"):
        check("unix", path, lines.count(f"unix {pid} {path}"), 1)
    check("raw", "open", any(f"owner={facts['raw_socket']} role=3 proto=1 type=3" in t for t in lines), True)
    check("refused", "close", [c[3]["how"] + " " + c[3]["err"] for k, c in dump.closes.items()
                               if (dump.owners.get(k) == facts["refused"])], ["6 111"])
    check("unreachable", "close", [c[3]["how"] for k, c in dump.closes.items()
                                   if dump.owners.get(k) == facts["unreachable"]], ["6"])
    for name in ("plain6", "handed_down", "behind_connect"):
        c, s = dump.closes[client_of(name)], dump.closes[server_of(name)]
        check("counters", name, (c[0], c[2]), (s[2], s[0]))
        check("exact", name, (c[3]["exact"], s[3]["exact"]), ("1", "1"))
    check("counters", "plain6", dump.closes[client_of("plain6")][0:3], (70000, 70000, 33))
    for name, wanted in (("same_process", [0, 0]), ("behind_connect", port["behind_connect"][1:])):
        for cookie, dirs in ((client_of(name), (0, 1)), (server_of(name), (1, 0))):
            for direction, at in zip(dirs, wanted):
                has("hello", f"hello {cookie} dir={direction} client={int(at == wanted[0] and direction == dirs[0])}")
                has("record", f"record {cookie} dir={direction} index=0 type=22")
                check("hello", cookie, any(t.startswith(f"hello {cookie} dir={direction}") and t.endswith(f"at={at}")
                                           for t in lines), True)
    for cookie, direction in ((client_of("handed_down"), 0), (server_of("handed_down"), 1)):
        s = dump.streams[cookie, direction]
        check("handed down", cookie, (s["bytes"], s["lost"], s["overlap"], s["grade"]), ("11", "0", "0", "1"))
    # Both ends in one process: the random alone must not name either.
    for name in ("same_process", "behind_connect", "big_call"):
        for cookie in (client_of(name), server_of(name)):
            check("no guess", cookie, [k for k in dump.streams if k[0] == cookie], [])
    has("cap", f"loss cause=4 events=1 bytes={5000000 - (4 << 20)} scope=1")


if __name__ == "__main__":
    dumped = Dump(sys.argv[2])
    if sys.argv[1] == "udp":
        compare_udp(dumped, sys.argv[3])
    elif sys.argv[1] == "corners":
        with open(sys.argv[2], encoding="ascii", errors="replace") as dump_file:
            compare_corners(dumped, sys.argv[3], dump_file.read().splitlines())
    elif sys.argv[1] == "moved":
        compare_moved(dumped, sys.argv[3])
    elif sys.argv[1] == "twin":
        compare_twin(dumped, sys.argv[3])
    else:
        compare_tls(dumped, sys.argv[3], sys.argv[1] == "late", sys.argv[1] == "other")
    for kind, lines in problems.items():
        print(f"{kind}: {len(lines)} wrong; {lines[:3]}")
    sys.exit(1 if problems else 0)
