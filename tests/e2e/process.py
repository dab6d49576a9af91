"""What the kernel tells of a running process."""

import dataclasses
import os
import pathlib
import re


PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclasses.dataclass(frozen=True)
class Mapping:
    start: int
    end: int
    name: str
    flags: frozenset

    @property
    def is_protected(self):
        """Locked into memory and left out of core dumps."""
        return {"lo", "dd"} <= self.flags or "secretmem" in self.name


def mappings(pid):
    """The readable mappings of the process."""
    found, head = [], None
    for line in pathlib.Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if match := re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+ *(.*)", line):
            head = match.groups()
        elif line.startswith("VmFlags:"):
            start, end, permissions, name = head
            if permissions.startswith("r") and not name.startswith(("[vvar", "[vsyscall")):
                flags = frozenset(line.split()[1:])
                found.append(Mapping(int(start, 16), int(end, 16), name or "anonymous", flags))
    return found


def memory(pid):
    """(mapping, address, bytes) of all that can be read; secret memory cannot."""
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as file:
        for mapping in mappings(pid):
            at = mapping.start
            while at < mapping.end:
                try:
                    data = os.pread(file.fileno(), mapping.end - at, at)
                except OSError:
                    data = b""
                if data:
                    yield mapping, at, data
                # A read ends before a page that cannot be read.
                at += len(data) or PAGE


def status(pid):
    """/proc/PID/status as a mapping."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict((name, value.strip()) for name, value in (line.split(":", 1) for line in lines))


def limit(pid, name):
    """(soft, hard) of a limit as /proc/PID/limits names it."""
    for line in pathlib.Path(f"/proc/{pid}/limits").read_text().splitlines():
        if line.startswith(name):
            return tuple(line[len(name) :].split()[:2])
    raise KeyError(name)


def descriptors(pid):
    """What the open descriptors of the process are."""
    found = []
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            found.append(os.readlink(f"/proc/{pid}/fd/{name}"))
        except FileNotFoundError:
            continue
    return found


def sockets(pid):
    return [target for target in descriptors(pid) if target.startswith("socket:")]
