"""A backup is taken beside the service or without it, and what it restores is what there was: nothing less, nothing else."""

import base64
import concurrent.futures
import hashlib
import json
import os
import pathlib
import shutil
import signal
import socket
import stat
import subprocess
import sys

import audit
import backup
import botocore.exceptions
import freeze
import pytest
import server as harness
from backup import back_up, command, restore
from server import binary, wait_until

FROZEN = harness.REPOSITORY / "tests" / "frozen" / "backup-v1"


def filled(server):
    """Starts, uses every kind of thing, and says what must be found again."""
    kms = server.start().client()
    iam = server.client(service="iam", region="us-east-1")
    key = kms.create_key(Description="a key", Tags=[{"TagKey": "a", "TagValue": "b"}])["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/one", TargetKeyId=key)
    old = kms.encrypt(KeyId=key, Plaintext=b"yesterday", EncryptionContext={"a": "b"})["CiphertextBlob"]
    kms.rotate_key_on_demand(KeyId=key)
    new = kms.encrypt(KeyId="alias/one", Plaintext=b"today")["CiphertextBlob"]
    user = iam.create_user(UserName="alice")["User"]["Arn"]
    pair = iam.create_access_key(UserName="alice")["AccessKey"]
    granted = kms.create_grant(KeyId=key, GranteePrincipal=user, Operations=["Decrypt"])["GrantId"]
    signing = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    signature = kms.sign(KeyId=signing, Message=b"m", SigningAlgorithm="ECDSA_SHA_256")["Signature"]
    related = kms.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
    kms.replicate_key(KeyId=related, ReplicaRegion="eu-west-1")
    return {
        "key": key, "old": old, "new": new, "grant": granted, "signing": signing, "signature": signature,
        "user": (pair["AccessKeyId"], pair["SecretAccessKey"]), "related": related, "root": server.credentials,
    }  # fmt: skip


def check(server, held):
    """What `filled` made is there, for the access keys that there were."""
    assert server.credentials == held["root"]
    kms = server.client()
    opened = kms.decrypt(CiphertextBlob=held["old"], EncryptionContext={"a": "b"})
    assert (opened["Plaintext"], opened["KeyId"].split("/")[-1]) == (b"yesterday", held["key"])
    assert kms.decrypt(CiphertextBlob=held["new"])["Plaintext"] == b"today"
    assert kms.describe_key(KeyId="alias/one")["KeyMetadata"]["KeyId"] == held["key"]
    assert kms.list_resource_tags(KeyId=held["key"])["Tags"] == [{"TagKey": "a", "TagValue": "b"}]
    assert [grant["GrantId"] for grant in kms.list_grants(KeyId=held["key"])["Grants"]] == [held["grant"]]
    alice = server.client(credentials=held["user"])
    assert alice.decrypt(CiphertextBlob=held["new"])["Plaintext"] == b"today"
    verified = {"KeyId": held["signing"], "Message": b"m", "SigningAlgorithm": "ECDSA_SHA_256"}
    assert kms.verify(Signature=held["signature"], **verified)["SignatureValid"]
    replica = server.client(region="eu-west-1").describe_key(KeyId=held["related"])["KeyMetadata"]
    assert replica["MultiRegionConfiguration"]["MultiRegionKeyType"] == "REPLICA"


def root_key(server):
    """A copy of the root key, kept apart."""
    apart = server.data_dir.parent / "kept-apart.key"
    if not apart.exists():
        shutil.copy(server.data_dir / "root.key", apart)
    return apart


def events(server, name):
    """The details of the events of this name in the trail."""
    found = [event for event in audit.events(server.data_dir / "audit") if event["eventName"] == name]
    return [event["serviceEventDetails"] for event in found]


# --- The drill ---


@pytest.mark.parametrize("is_running", [True, False], ids=["running", "stopped"])
def test_a_restore_on_an_empty_machine_decrypts_the_ciphertexts_of_yesterday(is_running, make_server, tmp_path):
    server = make_server()
    held = filled(server)
    kept = root_key(server)
    if not is_running:
        assert server.terminate() == 0
    text = back_up(server, tmp_path / "backup.krb")
    assert "THE ROOT KEY IS NOT IN IT" in text
    server.kill()
    shutil.rmtree(server.data_dir)

    again = make_server("another-machine")
    text = restore(tmp_path / "backup.krb", again, "--root-key", kept)
    assert "THIS IS THE STATE OF" in text and "grants that were revoked or retired" in text
    check(again.start(), held)
    assert again.terminate() == 0
    # And once more, from a backup of what was restored.
    back_up(again, tmp_path / "second.krb", "--with-root-key")
    third = make_server("third")
    restore(tmp_path / "second.krb", third)
    check(third.start(), held)


@pytest.mark.parametrize("is_running", [True, False], ids=["running", "stopped"])
def test_paths_may_be_bare_names_in_the_directory_of_whoever_calls(is_running, make_server, tmp_path):
    server = make_server()
    held = filled(server)
    if not is_running:
        assert server.terminate() == 0

    def call(*arguments):
        done = subprocess.run([binary(), *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr

    call("backup", "--data-dir", server.data_dir.name, "--to", "bare.krb", "--with-root-key")
    server.kill()
    call("restore", "--from", "bare.krb", "--data-dir", "bare")
    check(make_server("bare").start(), held)


def test_what_was_acknowledged_before_a_backup_under_load_is_in_it(make_server, tmp_path):
    server = make_server().start()
    kms = server.client()
    done, stop = [], []

    def work():
        client = server.client()
        while not stop:
            key = client.create_key()["KeyMetadata"]["KeyId"]
            blob = client.encrypt(KeyId=key, Plaintext=key.encode())["CiphertextBlob"]
            client.create_alias(AliasName=f"alias/{key}", TargetKeyId=key)
            done.append((key, blob))

    with concurrent.futures.ThreadPoolExecutor() as pool:
        workers = [pool.submit(work) for _ in range(4)]
        try:
            for number in range(4):
                wait_until(lambda number=number: len(done) > 30 * (number + 1), "keys are made")
                before = list(done)
                back_up(server, tmp_path / f"{number}.krb")
                after = len(done)
        finally:
            stop.append(True)
        for worker in workers:
            worker.result()
    assert after >= len(before)
    assert len(kms.list_keys()["Keys"]) > 0
    again = make_server("again")
    text = restore(tmp_path / "3.krb", again, "--root-key", root_key(server))
    assert "0 findings" in text
    restored = again.start().client()
    for key, blob in before:
        assert restored.decrypt(CiphertextBlob=blob)["Plaintext"] == key.encode()
        assert restored.describe_key(KeyId=f"alias/{key}")["KeyMetadata"]["KeyId"] == key


def test_a_passphrase_seal_is_restored_with_the_seal_file_that_was_kept_apart(make_server, tmp_path):
    server = make_server(config=freeze.config("passphrase", tmp_path))
    held = filled(server)
    back_up(server, tmp_path / "without.krb")
    back_up(server, tmp_path / "with.krb", "--with-root-key")
    kept = shutil.copy(server.data_dir / "seal.toml", tmp_path / "kept.toml")
    server.kill()
    for name, options in [("without", ["--root-key", kept]), ("with", [])]:
        again = make_server(name, config=server.config)
        if options:
            assert "seal.toml" in restore(tmp_path / f"{name}.krb", again, code=6)
        restore(tmp_path / f"{name}.krb", again, *options)
        check(again.start(), held)
        again.kill()


def test_a_root_key_that_lies_elsewhere_needs_not_be_named(make_server, tmp_path):
    place = tmp_path / "elsewhere.key"
    server = make_server(config=f'[seal]\nroot_key_file = "{place}"\n')
    held = filled(server)
    back_up(server, tmp_path / "backup.krb")
    server.kill()
    again = make_server("again", config=server.config)
    restore(tmp_path / "backup.krb", again, "--dry-run")
    restore(tmp_path / "backup.krb", again)
    assert not (again.data_dir / "root.key").exists()
    assert (again.data_dir / "keyreeve.toml").read_text() == server.config
    check(again.start(), held)


# --- What a backup is ---


def test_a_backup_is_for_its_owner_alone_and_holds_no_secret(make_server, tmp_path):
    server = make_server()
    held = filled(server)
    to = tmp_path / "backup.krb"
    back_up(server, to)
    assert stat.S_IMODE(to.stat().st_mode) == 0o600
    data, key = to.read_bytes(), (server.data_dir / "root.key").read_bytes()
    for secret in [key, key.hex().encode(), held["root"][1].encode(), held["user"][1].encode()]:
        assert secret not in data
    assert [body[1 : 1 + body[0]] for kind, body in backup.frames(data) if kind == backup.FILE] == [b"seal.toml"]
    text = back_up(server, tmp_path / "with.krb", "--with-root-key")
    assert "THE ROOT KEY IS IN IT" in text
    assert key in (tmp_path / "with.krb").read_bytes()


def test_a_file_that_is_there_is_not_replaced_and_a_backup_can_go_to_standard_output(make_server, tmp_path):
    server = make_server()
    filled(server)
    (tmp_path / "there").write_text("something else")
    assert "is there already" in back_up(server, tmp_path / "there", code=2)
    assert (tmp_path / "there").read_text() == "something else"
    assert "cannot be written" in back_up(server, tmp_path / "no" / "such" / "place", code=4)
    out = subprocess.run(
        [binary(), "backup", "--data-dir", server.data_dir, "--to", "-"], capture_output=True, check=True
    ).stdout
    (tmp_path / "piped").write_bytes(out)
    again = make_server("again")
    restore(tmp_path / "piped", again, "--root-key", server.data_dir / "root.key", "--dry-run")
    assert not again.data_dir.exists()


def test_a_backup_is_on_record_before_it_leaves(make_server, tmp_path):
    server = make_server()
    filled(server)
    text = back_up(server, tmp_path / "one.krb")
    server.terminate()
    text += back_up(server, tmp_path / "two.krb")
    found = events(server, "CreateBackup")
    assert len(found) == 2
    assert found[0]["by"] == f"keyreeve backup, user {os.geteuid()}" and found[1]["by"] == "keyreeve backup"
    for details in found:
        assert f"backup {details['backupId']} of revision {details['revision']}" in text


def test_the_frozen_backup_is_restored(make_server):
    server = make_server()
    restore(FROZEN.with_suffix(".krb"), server)
    expected = json.loads(FROZEN.with_suffix(".json").read_text())
    check(server.start(), {name: thawed(value) for name, value in expected.items()})


def thawed(value):
    """What was frozen, from JSON."""
    if isinstance(value, list):
        return tuple(value)
    return base64.b64decode(value["base64"]) if isinstance(value, dict) else value


def freeze_a_backup(directory):
    """Run by hand, once for each version: `python -c 'import test_backup; test_backup.freeze_a_backup("/tmp/d")'`."""
    server = harness.Server(pathlib.Path(directory) / "data")
    held = filled(server)
    back_up(server, FROZEN.with_suffix(".krb"), "--with-root-key")
    frozen = {name: {"base64": freeze.text(value)} if isinstance(value, bytes) else value for name, value in held.items()}
    FROZEN.with_suffix(".json").write_text(json.dumps(frozen, indent=1) + "\n")
    server.kill()


# --- What is refused ---


def test_a_backup_that_was_changed_or_cut_off_is_refused_and_leaves_nothing(make_server, tmp_path):
    server = make_server()
    filled(server)
    to = tmp_path / "backup.krb"
    back_up(server, to)
    server.kill()
    data = to.read_bytes()
    parts = backup.frames(data)
    records = [at for at, (kind, _) in enumerate(parts) if kind == backup.RECORD]
    kind, body = parts[records[3]]

    def changed(at, part):
        return backup.joined([part if here == at else held for here, held in enumerate(parts)])

    without_last = [part for at, part in enumerate(parts) if at != records[-1]]
    seal = next(at for at, (kind, _) in enumerate(without_last) if kind == backup.SEAL)
    counted = (len(records) - 1).to_bytes(8, "big") + without_last[seal][1][8:]
    without_last[seal] = (backup.SEAL, counted)
    for case, forged, why in [
        ("cut off", data[:-1], "ends early"),
        ("cut in the middle", data[: len(data) // 2], "ends early"),
        ("empty", b"", "no backup"),
        ("something else", b"PK" + data[2:], "no backup"),
        ("a later version", data[:8] + b"\x02" + data[9:], "not known to this release"),
        ("a flipped byte", data[:500] + bytes([data[500] ^ 1]) + data[501:], "damaged"),
        ("one byte more", data + b"\0", "damaged"),
        ("a record changed, ended anew", changed(records[3], (kind, body[:-1] + bytes([body[-1] ^ 1]))), "changed since"),
        ("a record left out, ended anew", backup.joined(without_last), "changed since"),
    ]:
        forged_file = tmp_path / "forged.krb"
        forged_file.write_bytes(forged)
        again = make_server("again")
        text = restore(forged_file, again, "--root-key", root_key(server), code=7)
        assert why in text, (case, text)
        assert not again.data_dir.exists() or not list(again.data_dir.iterdir()), case


def test_a_wrong_a_short_and_no_root_key_are_refused_and_leave_nothing(make_server, tmp_path):
    server = make_server()
    filled(server)
    back_up(server, tmp_path / "backup.krb")
    key = (server.data_dir / "root.key").read_bytes()
    for case, given, why in [
        ("none", None, "has no root key"),
        ("another", bytes(32), "does not open this store"),
        ("a flipped bit", bytes([key[0] ^ 1]) + key[1:], "does not open this store"),
        ("short", key[:31], "32 bytes"),
        ("long", key + b"\n", "32 bytes"),
    ]:
        options = []
        if given is not None:
            (tmp_path / "given.key").write_bytes(given)
            options = ["--root-key", tmp_path / "given.key"]
        for dry in ([], ["--dry-run"]):
            again = make_server("again")
            assert why in restore(tmp_path / "backup.krb", again, *options, *dry, code=6), case
            assert not again.data_dir.exists() or not list(again.data_dir.iterdir()), case


def test_nothing_is_restored_over_what_is_there(make_server, tmp_path):
    server = make_server()
    held = filled(server)
    back_up(server, tmp_path / "backup.krb", "--with-root-key")
    assert "is not empty" in restore(tmp_path / "backup.krb", server, code=2)
    check(server, held)
    other = make_server("other")
    other.data_dir.mkdir()
    (other.data_dir / "a-file").touch()
    assert "is not empty" in restore(tmp_path / "backup.krb", other, code=2)
    # A folder of another trail would be read on as if it were this one's.
    folder = tmp_path / "delivered"
    folder.mkdir()
    (folder / "AWSLogs").mkdir()
    third = make_server("third", config=f'[audit]\nfolder = "{folder}"\n')
    assert "is not empty" in restore(tmp_path / "backup.krb", third, code=2)


def test_a_directory_that_is_half_restored_is_served_by_nobody(make_server, tmp_path):
    server = make_server()
    filled(server)
    back_up(server, tmp_path / "backup.krb", "--with-root-key")
    again = make_server("again")
    restore(tmp_path / "backup.krb", again)
    # As a restore leaves it that was killed before its end.
    (again.data_dir / "restoring").touch()
    for arguments in (["serve"], ["serve", "--check"], ["account", "list"], ["backup", "--to", tmp_path / "no.krb"]):
        text = command(*arguments, "--data-dir", again.data_dir, code=7)
        assert "did not come to its end" in text, arguments
    assert "did not come to its end" in restore(tmp_path / "backup.krb", again, code=7)
    assert not (tmp_path / "no.krb").exists()


def test_a_restore_that_is_killed_anywhere_is_whole_or_served_by_nobody(make_server, tmp_path):
    server = make_server()
    held = filled(server)
    kms = server.client()
    for _ in range(100):
        kms.create_key()
    back_up(server, tmp_path / "backup.krb", "--with-root-key")
    seen = set()
    for pause in [0, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2, 0.4, 2.0]:
        again = make_server(f"again-{pause}")
        started = subprocess.Popen(
            [binary(), "restore", "--from", tmp_path / "backup.krb", "--data-dir", again.data_dir],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            started.wait(pause)
        except subprocess.TimeoutExpired:
            started.send_signal(signal.SIGKILL)
            started.wait()
        if (again.data_dir / "restoring").exists():
            assert started.returncode != 0
            seen.add("half")
            code, text = again.fails()
            assert code == 7 and "did not come to its end" in text
        elif again.data_dir.exists() and list(again.data_dir.iterdir()):
            seen.add("whole")
            check(again.start(), held)
            again.kill()
    assert "whole" in seen


# --- Rolling back ---


def test_a_grant_that_was_revoked_since_is_back_and_the_service_says_so(make_server, tmp_path):
    server = make_server()
    held = filled(server)
    back_up(server, tmp_path / "backup.krb")
    server.client().revoke_grant(KeyId=held["key"], GrantId=held["grant"])
    alice = server.client(credentials=held["user"])
    with pytest.raises(botocore.exceptions.ClientError):
        alice.decrypt(CiphertextBlob=held["new"])
    server.terminate()
    again = make_server("again")
    text = restore(tmp_path / "backup.krb", again, "--root-key", server.data_dir / "root.key")
    assert "What was taken away since is back: grants that were revoked" in text
    check(again.start(), held)
    [details] = events(again, "RestoreBackup")
    assert details["backupSha256"] == hashlib.sha256((tmp_path / "backup.krb").read_bytes()).hexdigest()
    assert details["backupId"] == events(server, "CreateBackup")[0]["backupId"]
    assert f"THIS IS THE STATE OF {details['backupTime']}" in text


def test_the_new_trail_says_which_one_it_goes_on_from_and_that_one_bears_it_out(make_server, tmp_path):
    server = make_server()
    filled(server)
    back_up(server, tmp_path / "backup.krb")
    server.client().create_key()
    server.terminate()
    again = make_server("again")
    restore(tmp_path / "backup.krb", again, "--root-key", server.data_dir / "root.key")
    again.start().client().create_key()
    again.terminate()
    verify = ["audit", "verify", "--data-dir", again.data_dir]
    text = command(*verify)
    assert "RESTORED: this trail begins with the restore of backup" in text and "--before" in text
    assert "INVALID" not in command(*verify, "--before", server.data_dir)
    # A trail that was cut off before the backup does not bear it out, nor does another one.
    shorter = shutil.copytree(server.data_dir, tmp_path / "shorter")
    for segment in (shorter / "audit").glob("control-*.log"):
        segment.write_bytes(segment.read_bytes().split(b"\n")[0] + b"\n")
    for other in (shorter, again.data_dir):
        assert "the line that this trail goes on from is not in it" in command(*verify, "--before", other, code=1)
    assert "was restored" in command("audit", "verify", "--data-dir", server.data_dir, "--before", again.data_dir, code=1)


# --- The socket ---


def test_the_socket_is_its_owners_alone_and_goes_with_the_service(make_server, tmp_path):
    server = make_server()
    filled(server)
    place = server.data_dir / "control.sock"
    assert stat.S_ISSOCK(place.stat().st_mode) and stat.S_IMODE(place.stat().st_mode) == 0o600
    server.kill()
    assert place.exists(), "what a killed process leaves"
    back_up(server, tmp_path / "stopped.krb")
    server.start()
    back_up(server, tmp_path / "running.krb")
    assert server.terminate() == 0
    assert not place.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_another_user_who_reaches_the_socket_is_refused(make_server):
    server = make_server()
    filled(server)
    place = server.data_dir / "control.sock"
    os.chmod(place, 0o666)
    for path in place.parents:
        os.chmod(path, stat.S_IMODE(path.stat().st_mode) | 0o011)
    program = (
        "import os, socket, sys; os.setgid(65534); os.setuid(65534); os.chdir(sys.argv[1]);"
        "s = socket.socket(socket.AF_UNIX); s.connect('control.sock'); s.sendall(b'KRCTL\\x01B'); print(s.makefile('rb').read())"
    )
    said = subprocess.run([sys.executable, "-c", program, server.data_dir], capture_output=True, text=True)
    assert "it is for the user that the service runs as" in said.stdout, said
    assert events(server, "CreateBackup") == []


def test_what_is_no_request_is_refused_and_hurts_nobody(make_server, tmp_path):
    server = make_server()
    held = filled(server)
    for request in [b"", b"GET / HTTP/1.1\r\n\r\n", b"KRCTL\x02B", b"KRCTL\x01", os.urandom(4096)]:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(10)
            here = os.getcwd()
            os.chdir(server.data_dir)
            client.connect("control.sock")
            os.chdir(here)
            client.sendall(request)
            client.shutdown(socket.SHUT_WR)
            try:
                answer = client.makefile("rb").read()
            except ConnectionResetError:
                answer = b""
            assert answer == b"" or answer.startswith(b"\x01"), request
    back_up(server, tmp_path / "backup.krb")
    check(server, held)


def test_a_directory_of_a_long_name_has_a_socket_too(make_server, tmp_path):
    server = make_server("long-" + "x" * 120)
    held = filled(server)
    back_up(server, tmp_path / "backup.krb", "--with-root-key")
    assert len(events(server, "CreateBackup")) == 1
    again = make_server("again")
    restore(tmp_path / "backup.krb", again)
    check(again.start(), held)
