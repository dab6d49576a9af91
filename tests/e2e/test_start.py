"""What the program promises to who starts it: files, output, options, exit codes."""

import hashlib
import os
import pathlib
import re
import shutil
import socket
import stat
import subprocess
import time

import botocore.exceptions
import process
import pytest
from raw import call
from server import ACCOUNT, REGION, aws_command, binary, clean_environment, wait_until

PAIR = {
    "KEYREEVE_ROOT_ACCESS_KEY_ID": "AKIACHOSENCHOSENCHOS",
    "KEYREEVE_ROOT_SECRET_ACCESS_KEY": "chosen/secret/chosen/secret/chosen/secret",
}
DEFAULT_ADDRESS = "127.0.0.1:4599"


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


STORE = "store.redb"


def contents(directory):
    """Every file below, with its mode and its content. The store notes that it was opened: its content is left out."""
    return {
        str(path.relative_to(directory)): (
            mode(path),
            None if path.name == STORE else hashlib.sha256(path.read_bytes()).hexdigest(),
        )
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def digest_of_store(server):
    return hashlib.sha256((server.data_dir / STORE).read_bytes()).digest()


class Broken:
    """A directory with a fault: starts fail and change nothing, and it is whole again once the fault is gone."""

    def __init__(self, server, break_it):
        self.server = server
        self.whole = shutil.copytree(server.data_dir, server.data_dir.parent / "whole")
        self.config = server.config
        break_it(server)
        self.before = contents(server.data_dir)

    def fails(self):
        code, text = self.server.fails()
        after = contents(self.server.data_dir)
        changed = {name for name in after.keys() | self.before.keys() if after.get(name) != self.before.get(name)}
        assert not changed, changed
        return code, text

    def repair(self, *, with_store=False):
        for path in self.whole.rglob("*"):
            if path.is_file() and (with_store or path.name != STORE):
                shutil.copy2(path, self.server.data_dir / path.relative_to(self.whole))
        self.server.config = self.config
        assert len(self.server.start().client().list_keys()["Keys"]) == 1


def used(server):
    """Starts, makes a key and stops: a directory as a user would have it."""
    server.start().client().create_key()
    assert server.terminate() == 0
    return server


def refused(kms):
    with pytest.raises(botocore.exceptions.ClientError) as error:
        kms.list_keys()
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


# --- The first start ---


def test_the_first_start_makes_a_directory_for_its_owner_alone(fresh_server):
    server = fresh_server.start()
    assert mode(server.data_dir) == 0o700
    assert mode(server.data_dir / "credentials") == 0o600
    assert mode(server.data_dir / "root.key") == 0o400
    assert (server.data_dir / "root.key").stat().st_size == 32
    for path in server.data_dir.rglob("*"):
        assert mode(path) & 0o077 == 0, path
    first, *_ = (server.data_dir / "credentials").read_text().splitlines()
    assert first == "[default]"
    assert server.client().list_keys()["Keys"] == []


def test_the_environment_chooses_the_root_access_key_and_the_old_one_stops_working(make_server):
    server = make_server().start()
    old = server.credentials
    server.client().create_key()
    server.terminate()
    server.environment = PAIR
    server.start()
    assert server.credentials == tuple(PAIR.values())
    assert mode(server.data_dir / "credentials") == 0o600
    assert len(server.client().list_keys()["Keys"]) == 1
    assert refused(server.client(credentials=old)) == (
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
    )
    # The next start without them keeps what was chosen.
    server.terminate()
    server.environment = {}
    assert server.start().credentials == tuple(PAIR.values())
    assert len(server.client().list_keys()["Keys"]) == 1


@pytest.mark.parametrize(
    ("pair", "told"),
    [
        ({"KEYREEVE_ROOT_ACCESS_KEY_ID": "AKIACHOSENCHOSENCHOS"}, "must be set together"),
        ({**PAIR, "KEYREEVE_ROOT_ACCESS_KEY_ID": "short"}, "KEYREEVE_ROOT_ACCESS_KEY_ID must be"),
        ({**PAIR, "KEYREEVE_ROOT_SECRET_ACCESS_KEY": "with space"}, "KEYREEVE_ROOT_SECRET_ACCESS_KEY must be"),
    ],
    ids=["one without the other", "a short id", "a secret with a space"],
)
def test_a_pair_that_cannot_be_used_is_refused(make_server, pair, told):
    code, text = make_server(environment=pair).fails()
    assert (code, told in text) == (2, True), text
    assert "with space" not in text


def test_standard_output_is_one_line(fresh_server):
    server = fresh_server.start()
    server.client().create_key()
    assert server.output == f"listening on http://127.0.0.1:{server.port}\n"


def test_the_subcommand_and_the_options_have_defaults(tmp_path):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", 4599))
        except OSError:
            pytest.skip("something else listens on the default port")
    for command in ([binary()], [binary(), "serve"]):
        running = subprocess.Popen(
            command, cwd=tmp_path, env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        try:
            assert running.stdout.readline() == f"listening on http://{DEFAULT_ADDRESS}\n"
            assert (tmp_path / "keyreeve-data" / "store.redb").exists()
        finally:
            running.terminate()
            assert running.wait(30) == 0
            assert running.stdout.read() == ""
            running.stdout.close()


def test_what_the_first_start_says_works_when_pasted(fresh_server, tmp_path):
    server = fresh_server.start()
    lines = [line for line in server.log_path.read_text().splitlines() if line.startswith("  ")]
    assert lines[-1].strip().startswith("aws kms create-key")
    directory = pathlib.Path(shutil.which(aws_command()[0])).parent
    pasted = subprocess.run(
        ["bash", "-euc", "\n".join(lines)],
        cwd=tmp_path,
        env={**clean_environment(), "PATH": f"{directory}:{os.environ['PATH']}", "AWS_EC2_METADATA_DISABLED": "true"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert pasted.returncode == 0, pasted.stderr
    assert f"arn:aws:kms:{REGION}:{ACCOUNT}:key/" in pasted.stdout


# --- Options ---


def test_check_tells_of_a_good_directory_and_serves_nothing(make_server):
    server = used(make_server())
    before = contents(server.data_dir)
    checked = subprocess.run([*server.command(), "--check"], env=clean_environment(), capture_output=True, text=True, timeout=30)
    assert checked.returncode == 0, checked.stderr
    assert checked.stdout == "the configuration, the seal, the store and the audit trail are in order\n"
    assert contents(server.data_dir).keys() == before.keys()
    (server.data_dir / "root.key").chmod(0o600)
    (server.data_dir / "root.key").write_bytes(bytes(32))
    server.options = ["--check"]
    assert server.fails()[0] == 6


def test_the_account_is_the_one_that_was_asked_for(make_server):
    server = make_server(options=["--account", "123456789012"]).start()
    made = server.client().create_key()["KeyMetadata"]
    assert (made["AWSAccountId"], made["Arn"].split(":")[4]) == ("123456789012", "123456789012")


@pytest.mark.parametrize("account", ["12345678901", "1234567890123", "12345678901a", ""])
def test_an_account_that_is_none_is_refused(make_server, account):
    assert make_server(options=["--account", account]).fails()[0] == 2


def test_a_list_of_regions_bounds_what_is_answered(make_server):
    server = make_server(options=["--regions", "eu-central-1, us-west-2"]).start()
    for region in ("eu-central-1", "us-west-2"):
        assert server.client(region).create_key()["KeyMetadata"]["Arn"].split(":")[3] == region
    code, message = refused(server.client("us-east-1"))
    assert (code, message) == ("InvalidSignatureException", "Credential should be scoped to a valid region. ")


def test_any_region_has_its_own_keys(make_server):
    server = make_server(options=["--regions", "any"]).start()
    made = server.client("eu-central-1").create_key()["KeyMetadata"]
    assert made["Arn"].split(":")[3] == "eu-central-1"
    assert [key["KeyId"] for key in server.client("eu-central-1").list_keys()["Keys"]] == [made["KeyId"]]
    assert server.client("ap-south-1").list_keys()["Keys"] == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[server]\nlistn = 1\n", "listn"),
        ("[sever]\n", "sever"),
        ("[audit]\nlevel = \"sometimes\"\n", "sometimes"),
        ("[limits]\nconnections = 0\n", "connections"),
        ("[limits]\nconnections = \"many\"\n", "many"),
        ("[seal]\nkind = \"passphrase\"\n", "passphrase_file"),
        ("[tls]\ncertificate = \"/nowhere.crt\"\n", "certificate and key"),
        ("[tls]\ncertificate = \"/nowhere.crt\"\nkey = \"/nowhere.key\"\n", "/nowhere.crt"),
        ("not toml", "expected"),
    ],
)
def test_a_configuration_with_a_fault_is_refused_by_name(make_server, text, told):
    server = make_server(config=text)
    code, message = server.fails()
    assert (code, told in message) == (2, True), message
    assert not server.data_dir.exists()


def test_a_configuration_file_that_is_not_there_is_refused(make_server):
    code, message = make_server(options=["--config", "/nowhere/keyreeve.toml"]).fails()
    assert (code, "/nowhere/keyreeve.toml" in message) == (2, True), message


def test_the_flags_win_over_the_file(make_server, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    config = f'[server]\nlisten = "127.0.0.1:1"\ndata_dir = "{elsewhere}"\naccount = "111111111111"\nregions = "eu-west-1"\n'
    server = make_server(config=config, options=["--account", "222222222222", "--regions", "eu-west-3"]).start()
    arn = server.client("eu-west-3").create_key()["KeyMetadata"]["Arn"]
    assert arn.split(":")[3:5] == ["eu-west-3", "222222222222"]
    assert server.data_dir.exists() and not elsewhere.exists()


def test_the_file_says_what_no_flag_says(make_server):
    server = make_server(config='[server]\naccount = "111111111111"\n').start()
    assert server.client().create_key()["KeyMetadata"]["AWSAccountId"] == "111111111111"


def test_the_printed_configuration_can_be_used(make_server):
    printed = subprocess.run([binary(), "config"], capture_output=True, text=True, check=True, timeout=30).stdout
    make_server(config=printed).start()


def test_plain_http_to_other_machines_must_be_asked_for(make_server):
    server = make_server(options=[])
    listen = [word if word != "127.0.0.1:0" else "0.0.0.0:0" for word in server.command()]
    ended = subprocess.run(listen, env=clean_environment(), capture_output=True, text=True, timeout=30)
    assert ended.returncode == 2
    assert "--allow-plain-http" in ended.stderr and ended.stdout == ""
    assert not server.data_dir.exists()
    running = subprocess.Popen(
        [*listen, "--allow-plain-http"], env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert re.fullmatch(r"listening on http://0\.0\.0\.0:\d+\n", running.stdout.readline())
    finally:
        running.kill()
        running.wait()
        running.stdout.close()


# --- Starts that fail ---


def test_a_port_that_is_taken_is_told_with_3(make_server):
    server = used(make_server())
    before, store = contents(server.data_dir), digest_of_store(server)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        command = [word if word != "127.0.0.1:0" else address for word in server.command()]
        ended = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, timeout=30)
    assert (ended.returncode, ended.stdout) == (3, "")
    assert f"cannot listen on {address}" in ended.stderr and "--listen" in ended.stderr
    assert contents(server.data_dir) == before
    assert digest_of_store(server) == store


@pytest.mark.parametrize("place", ["a file", "below a file", "a file system that takes no files"])
def test_a_directory_that_cannot_be_written_to_is_told_with_4(make_server, place):
    server = make_server()
    if place == "a file":
        server.data_dir.write_text("in the way")
    elif place == "below a file":
        server.data_dir.write_text("in the way")
        server.options = ["--data-dir", str(server.data_dir / "below")]
    else:
        server.options = ["--data-dir", "/proc/self"]
    command = server.command()
    if len(server.options) == 2:
        at = command.index("--data-dir")
        del command[at : at + 2]
    ended = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, timeout=30)
    assert (ended.returncode, ended.stdout) == (4, "")
    assert "cannot write to" in ended.stderr and "--data-dir" in ended.stderr


def test_a_store_in_use_is_told_with_5(make_server):
    server = make_server().start()
    key = server.client().create_key()["KeyMetadata"]["KeyId"]
    second = make_server()
    code, text = second.fails()
    assert code == 5, text
    assert "in use by another process" in text
    # The first one does not notice.
    assert server.client().describe_key(KeyId=key)["KeyMetadata"]["KeyId"] == key


def other_root_key(server):
    path = server.data_dir / "root.key"
    path.chmod(0o600)
    path.write_bytes(bytes(range(32)))


def short_root_key(server):
    path = server.data_dir / "root.key"
    path.chmod(0o600)
    path.write_bytes(bytes(31))


def other_kind(server):
    (server.data_dir.parent / "passphrase").write_text("something\n")
    server.config = f'[seal]\nkind = "passphrase"\npassphrase_file = "{server.data_dir.parent}/passphrase"\n'


def other_deployment(server):
    path = server.data_dir / "seal.toml"
    text = path.read_text()
    path.write_text(re.sub(r'deployment = "[0-9a-f]{32}"', f'deployment = "{"0" * 32}"', text))
    assert path.read_text() != text


@pytest.mark.parametrize(
    ("break_it", "told"),
    [
        (other_root_key, "does not open this store"),
        (short_root_key, "a root key is 32 bytes"),
        (lambda server: (server.data_dir / "root.key").unlink(), "root.key"),
        (lambda server: (server.data_dir / "seal.toml").unlink(), "seal.toml"),
        (lambda server: (server.data_dir / "seal.toml").write_text("kind = 1"), "is not valid"),
        (other_deployment, "does not open this store"),
        (other_kind, 'Set [seal] kind to "file"'),
    ],
    ids=["other root key", "short root key", "no root key", "no seal", "garbled seal", "other deployment", "other kind"],
)
def test_a_seal_that_does_not_open_the_store_is_told_with_6(make_server, break_it, told):
    broken = Broken(used(make_server()), break_it)
    code, text = broken.fails()
    assert (code, told in text) == (6, True), text
    broken.repair()


def test_the_passphrase_seal_opens_with_its_passphrase_alone(make_server):
    server = make_server()
    path = server.data_dir.parent / "passphrase"
    server.config = f'[seal]\nkind = "passphrase"\npassphrase_file = "{path}"\nargon2_memory_kib = 8192\n'
    path.write_text("the right one\n")
    used(server)
    assert not (server.data_dir / "root.key").exists()
    before = contents(server.data_dir)
    for wrong in ("the wrong one\n", "the right one \n", "The right one\n"):
        path.write_text(wrong)
        code, text = server.fails()
        assert (code, "the passphrase is wrong" in text) == (6, True), text
        assert wrong.strip() not in text
    path.write_text("\n")
    assert server.fails()[0] == 6
    path.unlink()
    assert server.fails()[0] == 6
    server.config = ""
    code, text = server.fails()
    assert (code, 'Set [seal] kind to "passphrase"' in text) == (6, True), text
    assert contents(server.data_dir) == before
    # The end of the line is not part of it.
    path.write_text("the right one\r\nand more\n")
    server.config = f'[seal]\nkind = "passphrase"\npassphrase_file = "{path}"\n'
    assert len(server.start().client().list_keys()["Keys"]) == 1


def test_the_passphrase_can_come_on_standard_input(make_server):
    server = make_server(config='[seal]\nkind = "passphrase"\npassphrase_file = "-"\nargon2_memory_kib = 8192\n')
    command = [*server.command(), "--check"]
    for passphrase, code in (("from a pipe\n", 0), ("from a pipe\n", 0), ("another\n", 6)):
        ended = subprocess.run(
            command, env=clean_environment(), input=passphrase, capture_output=True, text=True, timeout=30
        )
        assert ended.returncode == code, ended.stderr


def garble(path):
    data = bytearray(path.read_bytes())
    data[:] = hashlib.shake_256(b"garbled").digest(len(data))
    path.write_bytes(data)


def damage_trail(server):
    segment = max((server.data_dir / "audit").glob("w*.log"), key=lambda path: path.stat().st_size)
    data = bytearray(segment.read_bytes())
    at = data.find(b'"eventName":"CreateKey"')
    assert at > 0
    data[at + 14] ^= 1
    segment.write_bytes(data)


@pytest.mark.parametrize(
    ("break_it", "told"),
    [
        (lambda server: garble(server.data_dir / STORE), "Restore it from a backup"),
        (lambda server: os.truncate(server.data_dir / STORE, 5000), "Restore it from a backup"),
        (damage_trail, "does not continue the chain"),
    ],
    ids=["garbled store", "truncated store", "changed trail"],
)
def test_damage_is_told_with_7(make_server, break_it, told):
    broken = Broken(used(make_server()), break_it)
    is_store = break_it is not damage_trail
    before = digest_of_store(broken.server)
    code, text = broken.fails()
    assert (code, told in text) == (7, True), text
    assert not is_store or digest_of_store(broken.server) == before
    broken.repair(with_store=is_store)


def test_an_option_that_does_not_exist_is_told_with_2(tmp_path):
    ended = subprocess.run([binary(), "serve", "--colour"], capture_output=True, text=True, cwd=tmp_path, timeout=30)
    assert ended.returncode == 2
    assert not list(tmp_path.iterdir())


# --- The next start ---


def test_a_restart_keeps_everything(fresh_server):
    server = fresh_server
    kms = server.start().client()
    keys = [kms.create_key(Tags=[{"TagKey": "number", "TagValue": str(number)}])["KeyMetadata"]["KeyId"] for number in range(5)]
    key = keys[0]
    for name in ("one", "two", "three"):
        kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=key)
    kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=180)
    before_rotation = kms.encrypt(KeyId=key, Plaintext=b"before")["CiphertextBlob"]
    kms.rotate_key_on_demand(KeyId=key)
    kms.update_key_description(KeyId=key, Description="kept")
    policy = kms.get_key_policy(KeyId=key)["Policy"].replace("key-default-1", "kept")
    kms.put_key_policy(KeyId=key, Policy=policy)
    kms.disable_key(KeyId=keys[1])
    kms.schedule_key_deletion(KeyId=keys[2], PendingWindowInDays=9)

    def seen(client):
        return [
            [client.describe_key(KeyId=each)["KeyMetadata"] for each in keys],
            client.list_aliases(KeyId=key)["Aliases"],
            client.get_key_rotation_status(KeyId=key),
            client.list_key_rotations(KeyId=key)["Rotations"],
            client.get_key_policy(KeyId=key)["Policy"],
            [client.list_resource_tags(KeyId=each)["Tags"] for each in keys],
        ]

    def without_metadata(answers):
        for answer in answers:
            if isinstance(answer, dict):
                answer.pop("ResponseMetadata", None)
        return answers

    before = without_metadata(seen(kms))
    first_keys, first_aliases = kms.list_keys(Limit=2), kms.list_aliases(KeyId=key, Limit=1)
    assert server.terminate() == 0

    kms = server.start().client()
    assert without_metadata(seen(kms)) == before
    assert kms.decrypt(CiphertextBlob=before_rotation)["Plaintext"] == b"before"
    # A marker is good for a server that has started anew.
    rest = kms.list_keys(Marker=first_keys["NextMarker"])
    assert sorted(item["KeyId"] for item in first_keys["Keys"] + rest["Keys"]) == sorted(keys)
    rest = kms.list_aliases(KeyId=key, Marker=first_aliases["NextMarker"])
    names = [item["AliasName"] for item in first_aliases["Aliases"] + rest["Aliases"]]
    assert sorted(names) == ["alias/one", "alias/three", "alias/two"]


def test_a_deleted_credentials_file_is_made_anew(fresh_server):
    server = fresh_server.start()
    old = server.credentials
    server.terminate()
    (server.data_dir / "credentials").unlink()
    server.start()
    assert server.credentials != old
    assert server.client().list_keys()["Keys"] == []
    assert refused(server.client(credentials=old))[0] == "UnrecognizedClientException"


def test_it_is_small_and_quick(fresh_server):
    server = used(fresh_server)
    began = time.monotonic()
    server.start()
    wait_until(lambda: call(server, "ListKeys").status == 200, "it answers")
    print(f"\nfrom exec to the first signed answer: {(time.monotonic() - began) * 1000:.0f} ms")
    resident = int(process.status(server.process.pid)["VmRSS"].split()[0])
    print(f"resident when idle: {resident} KiB")
    assert resident < 30 * 1024
