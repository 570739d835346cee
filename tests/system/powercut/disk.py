# SPDX-License-Identifier: Apache-2.0
"""What a disk may hold after a loss of power: a model of files and folders, fed by the log of disk_log.c.

A change is pending until a sync covers it: fsync of a file covers its bytes and its size, never its name; fsync of a folder
covers the names in it, never what they stand for; syncfs covers all. Bytes that were pending when a sync failed are in
doubt for ever: only writing them again helps (names are in a journal, whose errors end all writing). At a cut whatever is not covered is there or not, each for itself, in no
order: half of a write (by sectors), its length without its bytes (zeros), a new name without the old one gone.
"""
import os
import random
import struct

(CREATE, MKDIR, WRITE, TRUNCATE, FSYNC, FDATASYNC, SYNCFS, SYNC_FAILED, RENAME, LINK, UNLINK, MODE, TELL,
 KILLED) = range(1, 15)
ENTRY = struct.Struct("=IIIIQQQ")
SECTOR = 512


class Entry:
    __slots__ = ("op", "number", "parent", "at", "name", "data")

    def __init__(self, fields, name, data):
        self.op, _, _, _, self.number, self.parent, self.at = fields
        self.name, self.data = name, data


def entries(path):
    with open(path, "rb") as f:
        while head := f.read(ENTRY.size):
            fields = ENTRY.unpack(head)
            yield Entry(fields, f.read(fields[1]), f.read(fields[2]))


class Change:
    """to: what is at the name afterwards (None: nothing); a rename has its other half with it."""
    __slots__ = ("durable", "doubtful", "write", "size", "name", "to", "gone")

    def __init__(self, write=None, size=None, name=None, to=None, gone=None):
        self.durable = self.doubtful = False
        self.write, self.size, self.name, self.to, self.gone = write, size, name, to, gone


class Node:
    """A file (bytes) or a folder (names to nodes) and what happened to it since it was last whole on the disk."""

    def __init__(self, folder, mode=0o600):
        self.folder, self.mode = folder, mode
        self.whole = {} if folder else bytearray()
        self.changes = []

    def covered(self):
        for change in self.changes:
            change.durable = change.durable or not change.doubtful
        first = next((i for i, c in enumerate(self.changes) if not c.durable), len(self.changes))
        for change in self.changes[:first]:
            apply(self.whole, change, None)
        del self.changes[:first]

    def doubted(self):
        for change in self.changes:
            change.doubtful = change.doubtful or not (change.durable or self.folder)


def pieces(write, how):
    """The parts of one write that reached the disk."""
    offset, data = write
    if how is None or how.all:
        return [(offset, data)]
    fate = how.random.random()
    if fate < 0.35:
        return []
    if fate < 0.5:
        return [(offset, data)]
    if fate < 0.6:
        return [(offset, bytes(len(data)))]
    first = -offset % SECTOR
    edges = [0, *range(first or SECTOR, len(data), SECTOR), len(data)]
    sectors = [(offset + a, data[a:b]) for a, b in zip(edges, edges[1:])]
    if fate < 0.8:
        return sectors[:how.random.randrange(len(sectors) + 1)]
    return [s for s in sectors if how.random.random() < 0.5]


def apply(state, change, how):
    if change.write:
        for offset, data in pieces(change.write, how):
            if len(state) < offset:
                state.extend(bytes(offset - len(state)))
            state[offset:offset + len(data)] = data
    elif change.size is not None:
        if change.size < len(state):
            del state[change.size:]
        else:
            state.extend(bytes(change.size - len(state)))
    else:
        if change.gone is not None and state.get(change.gone) is change.to:
            del state[change.gone]
        if change.to is None:
            state.pop(change.name, None)
        else:
            state[change.name] = change.to


class Fate:
    """How the uncovered ends: all lost, all there (what kill -9 leaves), or by chance, in a measure that differs."""

    def __init__(self, kind, seed=0):
        self.all, self.none = kind == "kept", kind == "lost"
        self.random = random.Random(seed)
        self.share = self.random.choice((0.15, 0.5, 0.85))

    def takes(self):
        return self.all or (not self.none and self.random.random() < self.share)


class Disk:
    """`root` as it is now; if not `found`, as it was when it was empty. `blind` names syncs that do nothing, to show that the check would notice: fsync, folder, fdatasync, syncfs."""

    def __init__(self, root, blind=(), found=True):
        self.root = Node(True, 0o700)
        self.nodes = {os.stat(root).st_ino: self.root}
        self.blind = blind
        if found:
            self._adopt(self.root, root)

    def _adopt(self, node, path):
        """What is there before the story begins is on the disk."""
        for item in os.scandir(path):
            st = item.stat(follow_symlinks=False)
            child = Node(item.is_dir(), st.st_mode & 0o777)
            self.nodes[st.st_ino] = node.whole[item.name.encode()] = child
            if child.folder:
                self._adopt(child, item.path)
            else:
                with open(item.path, "rb") as f:
                    child.whole = bytearray(f.read())

    def take(self, e):
        node, parent = self.nodes.get(e.number), self.nodes.get(e.parent)
        if e.op in (CREATE, MKDIR):
            node = self.nodes[e.number] = Node(e.op == MKDIR, e.at & 0o777)
            parent.changes.append(Change(name=e.name, to=node))
        elif e.op == WRITE:
            node.changes.append(Change(write=(e.at, e.data)))
        elif e.op == TRUNCATE:
            node.changes.append(Change(size=e.at))
        elif e.op == MODE:
            node.mode = e.at & 0o777
        elif e.op == LINK:
            parent.changes.append(Change(name=e.name, to=node))
        elif e.op == UNLINK:
            parent.changes.append(Change(name=e.name))
        elif e.op == RENAME:
            assert e.at == e.parent, "renamed within its folder"
            parent.changes.append(Change(name=e.data, to=node, gone=e.name))
        elif e.op in (FSYNC, FDATASYNC, SYNCFS):
            self._sync(e, node)
        elif e.op == SYNC_FAILED:
            for each in [node] if node else self.nodes.values():
                each.doubted()

    def _sync(self, e, node):
        what = "syncfs" if e.op == SYNCFS else "fdatasync" if e.op == FDATASYNC else "folder" if node.folder else "fsync"
        if what in self.blind:
            return
        for each in list(self.nodes.values()) if e.op == SYNCFS else [node]:
            each.covered()

    def state(self, node, fate):
        state = dict(node.whole) if node.folder else bytearray(node.whole)
        for change in node.changes:
            if change.durable:
                apply(state, change, None)
            elif fate.takes():
                apply(state, change, fate)
        return state

    def write(self, path, fate, node=None):
        """What is there after the cut."""
        node = node or self.root
        os.mkdir(path, node.mode)
        for name, child in sorted(self.state(node, fate).items()):
            to = os.path.join(path, name.decode())
            if child.folder:
                self.write(to, fate, child)
            else:
                with open(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, child.mode), "wb") as f:
                    f.write(self.state(child, fate))

    def same(self, path, node=None):
        """Whether the real folder holds what the model says: no call was missed."""
        node = node or self.root
        state = self.state(node, Fate("kept"))
        if node.folder:
            names = {n for n in os.listdir(os.fsencode(path)) if not n.startswith(b"index.sqlite")}
            return names == set(state) and all(self.same(os.path.join(path, n.decode()), c) for n, c in state.items())
        with open(path, "rb") as f:
            return f.read() == state
