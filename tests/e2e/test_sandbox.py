"""The service gives up what it does not need, and does without it everything that it is there for."""

import os
import pathlib
import signal
import ssl

import certificate
import process
import pytest
from backup import back_up
from server import wait_until

FOLLOWED = "the identities are as the identity file says"
READ_AGAIN = "the certificate was read again"
POLICY = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}}'


def threads(server):
    """The status of every thread."""
    return [process.status(f"{server.process.pid}/task/{task}") for task in os.listdir(f"/proc/{server.process.pid}/task")]


def hang_up(server, told):
    before = server.log_path.read_text().count(told)
    os.kill(server.process.pid, signal.SIGHUP)
    wait_until(lambda: server.log_path.read_text().count(told) > before, told)


def has_landlock(server):
    return "the kernel has no Landlock" not in server.log_path.read_text()


def test_every_thread_is_filtered_and_gets_no_new_privileges(fresh_server):
    server = fresh_server.start()
    server.client().create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    found = threads(server)
    assert len(found) > 2
    for status in found:
        assert (status["Seccomp"], status["NoNewPrivs"]) == ("2", "1"), status["Name"]
    log = server.log_path.read_text()
    assert "the service can make the system calls alone that it needs" in log
    assert "the service can reach its own files alone" in log or not has_landlock(server)


def test_the_sandbox_can_be_turned_off_and_the_log_says_so(make_server):
    server = make_server(config="[sandbox]\nfiles = false\nsystem_calls = false\n").start()
    server.client().create_key()
    assert {status["Seccomp"] for status in threads(server)} == {"0"}
    assert {status["NoNewPrivs"] for status in threads(server)} == {"1"}
    log = server.log_path.read_text()
    assert "[sandbox] files is off" in log and "[sandbox] system_calls is off" in log


def test_another_file_of_the_user_cannot_be_read(make_server, tmp_path):
    """The identity file makes the service read what it names: here, a file in a place that the configuration does not name."""
    near, far = tmp_path / "near", tmp_path / "far"
    near.mkdir()
    far.mkdir()
    (far / "policy.json").write_text(POLICY)
    (near / "identity.toml").write_text(identities(policy=far / "policy.json"))
    config = f'[identity]\nfile = "{near}/identity.toml"\n'
    server = make_server("denied", config=config)
    code, text = server.fails()
    if not "Permission denied" in text and "no Landlock" in text:
        pytest.skip("the kernel has no Landlock")
    assert code == 2 and "Permission denied" in text
    for name, more in [("off", "files = false"), ("named", f'read = ["{far}"]')]:
        make_server(name, config=f"{config}[sandbox]\n{more}\n").start()


def identities(*, policy, user="alice"):
    return f"""
[[account]]
id = "000000000000"
[[account.user]]
name = "{user}"
policies = {{ all = {{ file = "{policy}" }} }}
"""


def test_a_service_whose_files_lie_everywhere_works_whole(make_server, tmp_path):
    places = {name: tmp_path / name for name in ("tls", "identity", "root", "delivered", "counted")}
    for name in ("tls", "identity", "root"):
        places[name].mkdir()

    def publish(version):
        """As Kubernetes replaces a secret: the names are links into a directory beside them that is a link itself."""
        made = places["tls"] / f"..{version}"
        made.mkdir()
        certificate.write(made)
        link = places["tls"] / "..data.new"
        link.symlink_to(made.name)
        link.rename(places["tls"] / "..data")

    publish("first")
    for name in ("server.crt", "server.key"):
        (places["tls"] / name).symlink_to(pathlib.Path("..data") / name)
    (places["identity"] / "policy.json").write_text(POLICY)
    (places["identity"] / "identity.toml").write_text(identities(policy="policy.json"))
    server = make_server(
        config=f"""
[tls]
certificate = "{places["tls"]}/server.crt"
key = "{places["tls"]}/server.key"
[seal]
root_key_file = "{places["root"]}/root.key"
[identity]
file = "{places["identity"]}/identity.toml"
[audit]
folder = "{places["delivered"]}"
log_seconds = 1
digest_seconds = 2
segment_mib = 1
[metrics]
folder = "{places["counted"]}"
""",
        ca=places["tls"] / "server.crt",
    )
    for _ in range(2):
        server.start()
        kms = server.client()
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        kms.generate_data_key_pair(KeyId=key, KeyPairSpec="RSA_3072")
        blob = kms.encrypt(KeyId=key, Plaintext=b"p")["CiphertextBlob"]
        # Segments are followed by others, delivered and digested.
        for _ in range(40):
            kms.encrypt(KeyId=key, Plaintext=b"p" * 4096, EncryptionContext={"a": "b" * 4000})
        wait_until(lambda: list(places["delivered"].rglob("*CloudTrail-Digest*/**/*.json.gz")), "a digest", 20)
        assert server.client(service="iam").get_user(UserName="alice")["User"]["UserName"] == "alice"
        if not (places["tls"] / "..second").exists():
            publish("second")
        hang_up(server, READ_AGAIN)
        seen = ssl.get_server_certificate(("127.0.0.1", server.port))
        assert seen == (places["tls"] / "server.crt").read_text()
        replacement = places["identity"] / "identity.toml.new"
        replacement.write_text(identities(policy="policy.json"))
        replacement.rename(places["identity"] / "identity.toml")
        hang_up(server, FOLLOWED)
        back_up(server, tmp_path / f"{key}.krb")
        assert server.client().decrypt(CiphertextBlob=blob)["Plaintext"] == b"p"
        assert server.terminate() == 0
        log = server.log_path.read_text()
        assert "panicked" not in log and "Permission denied" not in log and "not implemented" not in log, log
    assert list(places["counted"].iterdir())
