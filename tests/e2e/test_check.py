"""`keyreeve check` finds what does not open, in a store and in a backup, and finds nothing where nothing is wrong."""

import json
import tarfile

import backup
import botocore.exceptions
import freeze
import pytest
from backup import back_up, command, restore
from test_backup import check, filled, root_key
from test_frozen import ARCHIVES

# Pages are not verified when the store is opened, so a garbled value is found only by the one who unseals it.
UNVERIFIED = "[store]\ncheck_on_open = false\n"
RECORD = b"KW\x01\x01\x03"


def looked(server, *options, code=0):
    return command("check", "--data-dir", server.data_dir, *backup.config(server), *options, code=code)


def garble_a_record(server, path):
    """Changes a byte of the sealed record at `path`, wherever its value stands in the store."""
    store = server.data_dir / "store.redb"
    data = bytearray(store.read_bytes())
    frames = backup.frames(server.taken)
    body = next(body for kind, body in frames if kind == backup.RECORD and body[2 : 2 + len(path)] == path)
    value = body[2 + int.from_bytes(body[:2], "big") + 16 :]
    assert value.startswith(RECORD)
    at, count = data.find(value), 0
    while at >= 0:
        data[at + len(value) // 2] ^= 1
        at, count = data.find(value, at + 1), count + 1
    assert count > 0
    store.write_bytes(data)


@pytest.fixture
def garbled(make_server, tmp_path):
    """A stopped service over a store in which the record of an alias does not open."""
    server = make_server(config=UNVERIFIED)
    server.held = filled(server)
    back_up(server, tmp_path / "whole.krb")
    server.taken = (tmp_path / "whole.krb").read_bytes()
    root_key(server)
    assert server.terminate() == 0
    garble_a_record(server, b"alias/000000000000/us-east-1/alias/one")
    return server


def test_a_store_in_use_is_checked_by_its_backup(make_server, tmp_path):
    server = make_server()
    filled(server)
    assert "keyreeve check --backup" in looked(server, code=5)
    back_up(server, tmp_path / "backup.krb", "--with-root-key")
    text = command("check", "--backup", tmp_path / "backup.krb")
    assert "0 findings" in text and "grant 1" in text
    assert server.terminate() == 0
    assert "0 findings" in looked(server)
    summary = json.loads(looked(server, "--json"))
    assert summary["findings"] == 0 and summary["entries"]["key"] >= 4 and summary["materials"] >= 5


@pytest.mark.parametrize("seal", ["file", "passphrase"])
@pytest.mark.parametrize("archive", ARCHIVES, ids=lambda path: path.name)
def test_what_an_earlier_release_wrote_has_no_findings(archive, seal, tmp_path, make_server):
    with tarfile.open(archive) as packed:
        packed.extractall(tmp_path, filter="data")
    server = make_server(seal, config=freeze.config(seal, tmp_path))
    assert "0 findings" in looked(server)


def test_a_record_that_does_not_open_is_named(garbled):
    path = "alias/000000000000/us-east-1/alias/one"
    assert f"FOUND {path}: it does not open" in looked(garbled, code=1)
    [finding, summary] = [json.loads(line) for line in looked(garbled, "--json", code=1).splitlines()[:2]]
    assert finding == {"path": path, "problem": "unopened", "text": "it does not open"}
    assert summary["findings"] == 1


def test_a_backup_of_what_does_not_open_says_so_and_is_restored_on_demand_alone(garbled, make_server, tmp_path):
    key = root_key(garbled)
    text = back_up(garbled, tmp_path / "stopped.krb", code=1)
    assert "1 of its" in text and "do not open" in text
    kms = garbled.start().client()
    with pytest.raises(botocore.exceptions.ClientError, match="KMSInternalException"):
        kms.describe_key(KeyId="alias/one")
    text = back_up(garbled, tmp_path / "running.krb", code=1)
    assert "1 of its" in text
    assert "a record does not open" in garbled.log_path.read_text()
    for name in ("stopped", "running"):
        assert "FOUND alias/" in command("check", "--backup", tmp_path / f"{name}.krb", "--root-key", key, code=1)
        again = make_server(f"again-{name}")
        text = restore(tmp_path / f"{name}.krb", again, "--root-key", key, code=1)
        assert "--despite-findings" in text and not list(again.data_dir.iterdir())
        restore(tmp_path / f"{name}.krb", again, "--root-key", key, "--despite-findings")
        opened = again.start().client().decrypt(CiphertextBlob=garbled.held["new"])
        assert opened["Plaintext"] == b"today"
    # The backup from before it was garbled has everything.
    before = make_server("before")
    restore(tmp_path / "whole.krb", before, "--root-key", key)
    check(before.start(), garbled.held)
