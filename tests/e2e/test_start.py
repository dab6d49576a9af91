"""What the program promises to who starts it: files, output, options, exit codes."""

import hashlib
import json
import os
import pathlib
import re
import resource
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
                (self.server.data_dir / path.relative_to(self.whole)).parent.mkdir(exist_ok=True)
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


def check(server):
    """(exit code, standard output, standard error) of `--check`."""
    command = [*server.command(), "--check"]
    ended = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, timeout=30)
    return ended.returncode, ended.stdout, ended.stderr


def test_check_of_a_place_where_nothing_is_says_so_and_makes_nothing(make_server):
    server = make_server()
    told = "the configuration is in order; there is nothing in the data directory yet: the first start makes it\n"
    assert check(server)[:2] == (0, told)
    assert not server.data_dir.exists()
    server.data_dir.mkdir(mode=0o755)
    assert check(server)[:2] == (0, told)
    assert (mode(server.data_dir), list(server.data_dir.iterdir())) == (0o755, [])


def test_check_makes_nothing_where_something_is_missing(make_server):
    server = used(make_server())
    server.data_dir.chmod(0o750)
    (server.data_dir / "credentials").unlink()
    shutil.rmtree(server.data_dir / "audit")
    before = contents(server.data_dir)
    assert check(server)[0] == 0
    assert contents(server.data_dir) == before
    assert not (server.data_dir / "audit").exists()
    assert mode(server.data_dir) == 0o750


@pytest.mark.parametrize("left", ["credentials", "audit", "seal.toml", "root.key"])
def test_check_tells_of_a_store_that_is_missing_with_7(make_server, left):
    server = used(make_server())
    for path in server.data_dir.iterdir():
        if path.name != left:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    before = contents(server.data_dir)
    code, out, text = check(server)
    assert (code, out) == (7, ""), text
    assert left == "root.key" or f"`{left}` beside it" in text
    assert contents(server.data_dir) == before


def test_the_account_is_the_one_that_was_asked_for(make_server):
    server = make_server(options=["--account", "123456789012"]).start()
    made = server.client().create_key()["KeyMetadata"]
    assert (made["AWSAccountId"], made["Arn"].split(":")[4]) == ("123456789012", "123456789012")


def test_a_directory_belongs_to_the_account_of_its_first_start(make_server):
    server = make_server(options=["--account", "123456789012"])
    server.start()
    server.terminate()
    before = contents(server.data_dir)
    for options in ([], ["--account", "111111111111"], ["--check"]):
        server.options = options
        code, text = server.fails()
        assert (code, "belongs to account 123456789012" in text) == (2, True), text
    assert contents(server.data_dir) == before
    # A directory from before the account was noted opens for any.
    seal = server.data_dir / "seal.toml"
    seal.write_text(re.sub(r'account = "\d{12}"\n', "", seal.read_text()))
    server.options = ["--account", "111111111111"]
    server.start()


@pytest.mark.parametrize("account", ["12345678901", "1234567890123", "12345678901a", ""])
def test_an_account_that_is_none_is_refused(make_server, account):
    assert make_server(options=["--account", account]).fails()[0] == 2


def test_a_list_of_regions_bounds_what_is_answered(make_server):
    server = make_server(options=["--regions", "eu-central-1, us-west-2"]).start()
    for region in ("eu-central-1", "us-west-2"):
        assert server.client(region).create_key()["KeyMetadata"]["Arn"].split(":")[3] == region
    code, message = refused(server.client("us-east-1"))
    assert (code, message) == ("InvalidSignatureException", "Credential should be scoped to a valid region. ")
    # What is to be pasted names one of them, and what a global service has done is found there.
    assert "export AWS_REGION=eu-central-1 " in server.log_path.read_text()
    server.client(service="iam").create_user(UserName="alice")
    lookup = [{"AttributeKey": "EventName", "AttributeValue": "CreateUser"}]
    (event,) = server.client("eu-central-1", service="cloudtrail").lookup_events(LookupAttributes=lookup)["Events"]
    assert json.loads(event["CloudTrailEvent"])["awsRegion"] == "eu-central-1"


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


def test_the_name_of_a_host_is_listened_on(make_server):
    def command(server, address):
        return [word if word != "127.0.0.1:0" else address for word in server.command()]

    server = make_server(options=[])
    named = command(server, "localhost:0")
    running = subprocess.Popen(named, env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert re.fullmatch(r"listening on http://127\.0\.0\.1:\d+\n", running.stdout.readline())
    finally:
        running.kill()
        running.wait()
        running.stdout.close()
    for address, text in [
        ("nowhere.invalid:4599", "the host `nowhere.invalid` cannot be resolved"),
        ("localhost", "has a host and a port, such as 127.0.0.1:4599"),
        ("http://localhost:4599", "has a host and a port"),
    ]:
        ended = subprocess.run(command(server, address), env=clean_environment(), capture_output=True, text=True, timeout=30)
        assert ended.returncode == 2 and ended.stdout == "" and text in ended.stderr, ended.stderr
    filed = make_server("filed", config='[server]\nlisten = "nowhere.invalid:1"\n', options=[])
    without = [word for word in command(filed, "") if word not in ("--listen", "")]
    ended = subprocess.run(without, env=clean_environment(), capture_output=True, text=True, timeout=30)
    assert ended.returncode == 2 and "the host `nowhere.invalid` cannot be resolved" in ended.stderr, ended.stderr


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


@pytest.mark.parametrize("name", ["root.key", "root.key.new"])
def test_a_root_key_elsewhere_is_never_replaced(make_server, tmp_path, name):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    key = elsewhere / name
    key.write_bytes(bytes(range(32)))
    key.chmod(0o400)
    server = make_server(config=f'[seal]\nroot_key_file = "{elsewhere}/root.key"\n')
    server.data_dir.mkdir(mode=0o700)
    assert check(server)[0] == 0
    assert not list(server.data_dir.iterdir())
    for _ in range(2):
        code, text = server.fails()
        assert (code, "was left as it is" in text) == (6, True), text
    assert not (server.data_dir / "seal.toml").exists()
    assert not (server.data_dir / "credentials").exists()
    assert (key.read_bytes(), [path.name for path in elsewhere.iterdir()]) == (bytes(range(32)), [name])


def test_a_link_in_the_directory_to_a_root_key_elsewhere_is_not_adopted(make_server, tmp_path):
    (tmp_path / "other.key").write_bytes(bytes(range(32)))
    server = make_server()
    server.data_dir.mkdir(mode=0o700)
    (server.data_dir / "root.key").symlink_to(tmp_path / "other.key")
    assert server.fails()[0] == 6
    assert (tmp_path / "other.key").read_bytes() == bytes(range(32))


def test_a_root_key_can_be_kept_elsewhere(make_server, tmp_path):
    server = make_server(config=f'[seal]\nroot_key_file = "{tmp_path}/elsewhere.key"\n')
    used(server)
    assert mode(tmp_path / "elsewhere.key") == 0o400
    assert not (server.data_dir / "root.key").exists()
    assert len(server.start().client().list_keys()["Keys"]) == 1


@pytest.mark.parametrize(
    "left",
    [["store.redb.new"], ["root.key.new"], ["root.key"], ["root.key", "seal.toml.new"], ["root.key", "seal.toml"]],
    ids=" ".join,
)
def test_a_first_start_that_was_cut_off_is_completed(make_server, left):
    server = used(make_server())
    for name in left:
        if name.endswith(".new"):
            (server.data_dir / name).write_bytes(b"half")
    key = (server.data_dir / "root.key").read_bytes()
    for path in server.data_dir.iterdir():
        if path.name not in left:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert server.start().client().list_keys()["Keys"] == []
    assert ((server.data_dir / "root.key").read_bytes() == key) == ("root.key" in left)
    assert not list(server.data_dir.glob("*.new"))
    server.terminate()
    server.start()


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
    first = subprocess.Popen(
        server.command(), env=clean_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        first.stdin.write(b"from a pipe\n")
        first.stdin.close()
        assert first.stdout.readline().startswith(b"listening")
    finally:
        first.terminate()
        assert first.wait(30) == 0
        first.stdout.close()
    command = [*server.command(), "--check"]
    for passphrase, code in (("from a pipe\n", 0), ("another\n", 6)):
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


def without_credentials(server):
    (server.data_dir / STORE).unlink()
    (server.data_dir / "credentials").unlink()


def without_trail(server):
    (server.data_dir / STORE).unlink()
    shutil.rmtree(server.data_dir / "audit")


@pytest.mark.parametrize("lose_it", [without_credentials, without_trail])
def test_a_store_that_was_lost_is_told_with_7(make_server, lose_it):
    broken = Broken(used(make_server()), lose_it)
    code, text = broken.fails()
    assert (code, "is missing or empty" in text, "from a backup" in text) == (7, True, True), text
    assert not (broken.server.data_dir / STORE).exists()
    broken.repair(with_store=True)


def test_a_store_that_was_made_anew_is_told_with_7(make_server):
    empty = make_server("empty", config='[seal]\nroot_key_file = "/proc/none/root.key"\n')
    assert empty.fails()[0] == 6

    def empty_it(server):
        shutil.copy2(empty.data_dir / STORE, server.data_dir / STORE)

    broken = Broken(used(make_server()), empty_it)
    code, text = broken.fails()
    assert (code, "is missing or empty" in text) == (7, True), text
    broken.repair(with_store=True)


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


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[other]\naws_access_key_id = AKIAOTHEROTHEROTHERO\naws_secret_access_key = other/secret\n",
        b"[default]\naws_access_key_id = AKIAOTHEROTHEROTHERO\n\n[other]\naws_secret_access_key = other/secret\n",
        b"[default]\naws_access_key_id =\naws_secret_access_key =\n",
        b"\xff\xfe",
    ],
    ids=["empty", "another profile", "half in another profile", "no values", "no text"],
)
def test_a_credentials_file_without_a_pair_is_refused_and_kept(make_server, text):
    server = used(make_server())
    (server.data_dir / "credentials").write_bytes(text)
    before = contents(server.data_dir)
    for options in (["--check"], []):
        server.options = options
        code, told = server.fails()
        assert (code, "no access key under [default]" in told) == (2, True), told
        assert "secret" not in told
    server.options = []
    assert contents(server.data_dir)["credentials"] == before["credentials"]
    server.environment = PAIR
    assert server.start().credentials == tuple(PAIR.values())


def test_a_credentials_file_that_cannot_be_read_is_told_with_4(make_server):
    server = used(make_server())
    (server.data_dir / "credentials").unlink()
    (server.data_dir / "credentials").mkdir()
    code, told = server.fails()
    assert (code, "cannot read" in told) == (4, True), told


def test_the_default_profile_is_read_wherever_it_stands(make_server):
    server = used(make_server())
    path = server.data_dir / "credentials"
    kept = path.read_text()
    other = "aws_access_key_id = AKIAOTHEROTHEROTHERO\naws_secret_access_key = other/secret\n"
    path.write_text(f"[before]\n{other}\n# a comment\n{kept}\n[after]\n{other}")
    access_key_id, secret = (line.split(" = ")[1] for line in kept.splitlines()[1:])
    server.start()
    assert len(server.client(credentials=(access_key_id, secret)).list_keys()["Keys"]) == 1


@pytest.mark.parametrize("cost", ["argon2_memory_kib = 31", "argon2_passes = 0", "argon2_lanes = 0", "argon2_lanes = 40000"])
def test_a_cost_that_argon2id_does_not_take_is_an_error_of_the_configuration(make_server, tmp_path, cost):
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("words\n")
    server = make_server(config=f'[seal]\nkind = "passphrase"\npassphrase_file = "{passphrase}"\n{cost}\n')
    code, text = server.fails()
    assert (code, all(name in text for name in ("argon2_memory_kib", "argon2_passes", "argon2_lanes"))) == (2, True), text
    assert not (server.data_dir / "seal.toml").exists()


def test_a_directory_that_others_can_enter_is_taken_from_them(make_server):
    server = used(make_server())
    server.data_dir.chmod(0o755)
    (server.data_dir / "root.key").chmod(0o444)
    (server.data_dir / "credentials").chmod(0o644)
    server.start()
    assert mode(server.data_dir) == 0o700
    log = re.sub("\x1b\\[[0-9;]*m", "", server.log_path.read_text())
    assert "others could enter the data directory" in log
    warned = [line for line in log.splitlines() if "others than its owner may read this file" in line]
    assert sorted(line.rsplit("/", 1)[1].split()[0].strip('"') for line in warned) == ["credentials", "root.key"], warned
    assert mode(server.data_dir / "root.key") == 0o444


def test_connections_are_bounded_by_the_descriptors(make_server):
    server = make_server()
    command = ["bash", "-c", 'ulimit -n 128 && exec "$@"', "bash", *server.command()]
    server.command = lambda: command
    server.start()
    assert "connections=64" in re.sub("\x1b\\[[0-9;]*m", "", server.log_path.read_text())
    held = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(100)]
    for connection in held:
        connection.close()
    assert call(server, "ListKeys").status == 200


def test_a_lack_of_descriptors_is_waited_out_without_a_busy_loop(fresh_server):
    server = fresh_server.start()
    soft, hard = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (3, hard))
    told = "connections cannot be accepted"
    with socket.create_connection(("127.0.0.1", server.port)):
        wait_until(lambda: server.log_path.read_text().count(told) == 2, "it says so a second time", 10)
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (soft, hard))
        assert call(server, "ListKeys").status == 200
    assert server.log_path.read_text().count(told) <= 3
    spent = pathlib.Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    assert (int(spent[11]) + int(spent[12])) / os.sysconf("SC_CLK_TCK") < 0.8


def test_it_is_small_and_quick(fresh_server):
    server = used(fresh_server)
    began = time.monotonic()
    server.start()
    wait_until(lambda: call(server, "ListKeys").status == 200, "it answers")
    print(f"\nfrom exec to the first signed answer: {(time.monotonic() - began) * 1000:.0f} ms")
    resident = int(process.status(server.process.pid)["VmRSS"].split()[0])
    print(f"resident when idle: {resident} KiB")
    assert resident < 30 * 1024
