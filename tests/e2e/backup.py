"""Backups as an operator makes and uses them."""

import hashlib
import subprocess

from server import binary, clean_environment

MAGIC = b"KRBACKUP\x01"
HEADER, STREAM, RECORD, SEAL, FILE, END = range(1, 7)


def command(*arguments, code=0, timeout=60, **options):
    """What a command prints, both outputs together; it must end with `code`."""
    ended = subprocess.run(
        [binary(), *map(str, arguments)],
        env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout, **options,
    )  # fmt: skip
    assert ended.returncode == code, (arguments, ended.returncode, ended.stdout)
    assert "panicked" not in ended.stdout, ended.stdout
    return ended.stdout


def back_up(server, to, *options, code=0):
    return command("backup", "--data-dir", server.data_dir, "--to", to, *config(server), *options, code=code)


def restore(backup, server, *options, code=0):
    return command("restore", "--from", backup, "--data-dir", server.data_dir, *config(server), *options, code=code)


def config(server):
    if server.config is None:
        return []
    path = server.data_dir.parent / f"{server.data_dir.name}.toml"
    path.write_text(server.config)
    return ["--config", path]


def frames(data):
    """The frames of a backup: (kind, body)."""
    assert data.startswith(MAGIC)
    at, found = len(MAGIC), []
    while at < len(data):
        kind, length = data[at], int.from_bytes(data[at + 1 : at + 5], "big")
        found.append((kind, data[at + 5 : at + 5 + length]))
        at += 5 + length
    assert at == len(data)
    return found


def joined(parts):
    """A backup of these frames, which ends as it must: what somebody without a key can forge."""
    data = MAGIC + b"".join(bytes([kind]) + len(body).to_bytes(4, "big") + body for kind, body in parts if kind != END)
    return data + bytes([END]) + (32).to_bytes(4, "big") + hashlib.sha256(data).digest()
