"""A server whose power is cut: it is killed, and then what it had not forced to the disk is taken away.

`power/unsynced.c`, loaded into the process, writes down what is changed and what is synced. A cut takes away a part of what was not
synced, as disks do: pages of a file come to the disk in any order or not at all, and names in the order in which they were made.
"""

import os
import pathlib
import shutil
import struct
import subprocess

from server import REPOSITORY, Server

HEAD = struct.Struct("<6Q")
PAGE = 4096
# Whoever looks at the data needs files that the sandbox would keep from the process.
CONFIG = "[sandbox]\nfiles = false\nsystem_calls = false\n"


def library(directory):
    """The library to load, compiled once for all tests of a run."""
    made = pathlib.Path(directory) / "unsynced.so"
    if not made.exists():
        source = REPOSITORY / "tests/e2e/power/unsynced.c"
        subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", made, source, "-ldl"], check=True, timeout=60)
    return made


class PowerCutServer(Server):
    def __init__(self, directory, config="", **options):
        self.log_of_changes = directory / "changes"
        self.kept = directory / "kept"
        self.library = library(directory)
        self.taken = {"pages": 0, "names": 0}
        super().__init__(directory / "data", config=config + CONFIG, **options)

    def start(self):
        self.log_of_changes.unlink(missing_ok=True)
        shutil.rmtree(self.kept, ignore_errors=True)
        self.kept.mkdir()
        self.environment |= {
            "LD_PRELOAD": str(self.library), "POWER_LOG": str(self.log_of_changes), "POWER_KEPT": str(self.kept)
        }  # fmt: skip
        return super().start()

    def cut(self, choose):
        """Ends the process and takes away what `choose` says of what was not synced."""
        self.kill()
        if self.log_of_changes.exists():
            changes = read(self.log_of_changes.read_bytes())
            self.taken["pages"] += take_content(changes, paths(self.data_dir, self.kept), choose)
            self.taken["names"] += take_names(changes, self.kept, choose)


def read(log):
    """The changes, in order: (kind, inode or directory, offset, size, before, after)."""
    found, at = [], 0
    while at + HEAD.size <= len(log):
        kind, inode, offset, size, before_len, after_len = HEAD.unpack_from(log, at)
        at += HEAD.size
        before, after = log[at : at + before_len], log[at + before_len : at + before_len + after_len]
        at += before_len + after_len
        if at > len(log):
            break
        # A change of a name that the system refused.
        if chr(kind) == "!":
            found.pop()
        else:
            found.append((chr(kind), inode, offset, size, before, after))
    return found


def paths(*directories):
    """Where each file is, by its inode."""
    return {
        os.lstat(path).st_ino: path
        for directory in directories
        for parent, _, names in os.walk(directory)
        for path in (os.path.join(parent, name) for name in names)
    }


def synced(changes):
    """For each file and directory, how many of the changes had been made when its last sync began that came to its end."""
    begun, ended = {}, {}
    for at, (kind, inode, number, *_) in enumerate(changes):
        if kind == "B":
            begun[number] = at
        elif kind == "S":
            ended[inode] = max(ended.get(inode, 0), begun[number])
    return ended


def take_content(changes, paths, choose):
    """Brings each file to what was synced, and some of the later pages; how many were taken away."""
    later, taken, safe = {}, 0, synced(changes)
    for at, change in enumerate(changes):
        if change[0] in "WT" and at >= safe.get(change[1], 0):
            later.setdefault(change[1], []).append(change)
    for inode, unsynced in later.items():
        if inode not in paths:
            continue
        with open(paths[inode], "r+b") as file:
            for kind, _, offset, size, before, _ in reversed(unsynced):
                file.truncate(max(size, offset) if kind == "T" else size)
                file.seek(offset)
                file.write(before)
                file.truncate(size)
            # Nothing came to the disk, everything, or each page as it happened.
            share = choose.choice([0.0, 0.5, 0.9, 1.0])
            for kind, _, offset, _, _, after in unsynced:
                if kind == "T" and choose.random() < share:
                    file.truncate(offset)
                at = 0
                while at < len(after):
                    length = PAGE - (offset + at) % PAGE
                    if choose.random() < share:
                        file.seek(offset + at)
                        file.write(after[at : at + length])
                    else:
                        taken += 1
                    at += length
    return taken


def take_names(changes, kept, choose):
    """Undoes the last of the names that were made, moved and removed since a directory was synced; how many."""
    names, certain, safe = [], 0, synced(changes)
    for at, change in enumerate(changes):
        if change[0] in "CRUM":
            names.append(change)
            # Names come to the disk in order: with one of a directory, all before it.
            if at < max(safe.get(change[1], 0), safe.get(change[3], 0)):
                certain = len(names)
    stays = choose.randint(certain, len(names))
    for kind, _, saved, _, path, other in reversed(names[stays:]):
        path, other = path.decode(), other.decode()
        match kind:
            case "C":
                pathlib.Path(path).unlink(missing_ok=True)
            case "M":
                shutil.rmtree(path, ignore_errors=True)
            case "U" if saved and not os.path.lexists(path):
                os.link(kept / str(saved), path)
            case "R":
                if os.path.lexists(other):
                    os.rename(other, path)
                if saved:
                    os.link(kept / str(saved), other)
    return len(names) - stays
