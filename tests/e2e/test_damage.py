"""A data directory that is damaged, moved, copied, half there or of a later release, and a machine that runs out of something:
a clear refusal, never a wrong answer, never a panic."""

import contextlib
import os
import pathlib
import random
import re
import resource
import shutil
import subprocess
import threading

import botocore.exceptions
import pytest
import server as harness
from backup import back_up, command, restore
from server import binary, clean_environment, wait_until

SEED = int(os.environ.get("KEYREEVE_TEST_SEED", random.SystemRandom().randrange(1 << 32)))
STORE = "store.redb"
GONE = (botocore.exceptions.BotoCoreError, OSError)
# What a start may say of damage: the seal, the store or the trail, or a file that it can write or read no longer as it is.
REFUSALS = {2: "credentials", 4: "", 6: "", 7: ""}


class Yesterday:
    """Keys and ciphertexts of a service that was used."""

    def __init__(self, server, keys=12):
        kms = server.start().client()
        self.held = []
        for number in range(keys):
            key = kms.create_key(Description=f"key {number}")["KeyMetadata"]["KeyId"]
            kms.create_alias(AliasName=f"alias/{number}", TargetKeyId=key)
            plaintext = f"the plaintext of {key}".encode()
            self.held.append((key, number, kms.encrypt(KeyId=key, Plaintext=plaintext)["CiphertextBlob"], plaintext))
            if number % 3 == 0:
                kms.rotate_key_on_demand(KeyId=key)
        self.credentials = server.credentials

    def look(self, server, *more):
        """Every answer is right or an error, of `more` codes as well; how many were errors."""
        kms, errors = server.client(credentials=self.credentials), 0
        for key, number, blob, plaintext in self.held:
            try:
                answer = kms.decrypt(CiphertextBlob=blob)
                assert (answer["Plaintext"], answer["KeyId"].split("/")[-1]) == (plaintext, key)
                named = kms.describe_key(KeyId=f"alias/{number}")["KeyMetadata"]
                assert (named["KeyId"], named["Description"]) == (key, f"key {number}")
            except botocore.exceptions.ClientError as error:
                errors += 1
                # An error that is answered says so; the log names the record.
                assert error.response["Error"]["Code"] in ("KMSInternalException", *more), error
        return errors


@pytest.fixture
def yesterday(make_server):
    """A directory that was used, and a stopped service over it."""
    server = make_server("whole")
    held = Yesterday(server)
    assert server.terminate() == 0
    return server, held


def ended(server):
    """Starts it: None where it came up, else (exit code, what it said). It never panics."""
    try:
        server.start()
        return None
    except RuntimeError as error:
        code = subprocess.run(server.command(), capture_output=True, text=True, timeout=60, env=clean_environment())
        text = code.stderr
        assert "panicked" not in str(error) + text, text
        assert code.returncode in REFUSALS, (code.returncode, text)
        assert re.search(r"^keyreeve: .+", text, re.M), f"a refusal says what is wrong: {text}"
        return code.returncode, text


def log_of(server):
    return server.log_path.read_text(errors="replace")


def flips(data, count, seed):
    """Places in `data`: most of a store is empty, so half of them are where something stands."""
    chosen = random.Random(seed)
    used = [at for at, byte in enumerate(data) if byte]
    anywhere = chosen.sample(range(len(data)), min(count // 2 + 1, len(data)))
    return sorted({*anywhere, *chosen.sample(used, min(count // 2, len(used)))})


# --- Bytes ---


@pytest.mark.parametrize("is_verified", [True, False], ids=["verified", "unverified"])
def test_a_flipped_byte_anywhere_in_the_store_is_refused_or_changes_no_answer(yesterday, is_verified, make_server, long):
    used, held = yesterday
    back_up(used, used.data_dir.parent / "backup.krb", "--with-root-key")
    # Most of a store that was used is pages of older states. One that was restored holds little else than the state.
    whole = make_server("dense")
    restore(used.data_dir.parent / "backup.krb", whole)
    data = (whole.data_dir / STORE).read_bytes()
    came_up, refused, errors = 0, 0, 0
    for at in flips(data, 2000 if long else 120, SEED):
        server = make_server("flipped", config=f"[store]\ncheck_on_open = {str(is_verified).lower()}\n")
        shutil.rmtree(server.data_dir, ignore_errors=True)
        shutil.copytree(whole.data_dir, server.data_dir)
        with open(server.data_dir / STORE, "r+b") as file:
            file.seek(at)
            file.write(bytes([data[at] ^ random.Random(at).randrange(1, 256)]))
        told = ended(server)
        if told is None:
            came_up += 1
            # Where nothing verifies the pages, a record whose path is garbled is not found.
            # So nobody is allowed to use its key, either.
            lost = ["NotFoundException", "AccessDeniedException", "UnrecognizedClientException"]
            lost = [] if is_verified else lost
            errors += held.look(server, *lost)
            server.kill()
            assert "panicked" not in log_of(server), at
        else:
            refused += 1
            assert told[0] in (6, 7), (at, told)
    assert errors == 0 or not is_verified, SEED
    assert refused > 0 if is_verified else came_up > 0, SEED
    print(f"seed {SEED}: {came_up} came up, {refused} refused, {errors} answers were errors")


def small_files(directory):
    """Every file but the store, and what only the next start looks at."""
    return [path for path in sorted(directory.rglob("*")) if path.is_file() and path.name not in (STORE, "lock")]


def test_a_flipped_byte_in_any_other_file_is_refused_or_changes_no_answer(yesterday, make_server, long):
    whole, held = yesterday
    cases = [
        (path.relative_to(whole.data_dir), at)
        for path in small_files(whole.data_dir)
        for at in flips(path.read_bytes(), 60 if long else 4, SEED)
    ]
    assert {str(name) for name, _ in cases} >= {"root.key", "seal.toml", "credentials", "audit/control-00000001.log"}
    outcomes = {}
    for name, at in cases:
        server = make_server("flipped")
        shutil.rmtree(server.data_dir, ignore_errors=True)
        shutil.copytree(whole.data_dir, server.data_dir)
        path = server.data_dir / name
        path.chmod(0o600)
        data = bytearray(path.read_bytes())
        data[at] ^= random.Random(at).randrange(1, 256)
        path.write_bytes(data)
        told = ended(server)
        if told is None:
            held.look(server)
            server.kill()
            assert "panicked" not in log_of(server), (name, at)
        outcomes.setdefault(str(name), []).append(told and told[0])
    assert set(outcomes["root.key"]) == {6}
    print(f"seed {SEED}: {outcomes}")


@pytest.mark.parametrize("length", [0, 1, 31, 33])
def test_a_root_key_of_another_length_is_refused(yesterday, length):
    server, _ = yesterday
    key = server.data_dir / "root.key"
    key.chmod(0o600)
    key.write_bytes((key.read_bytes() + b"x")[:length])
    code, text = server.fails()
    assert code == 6 and "32 bytes" in text


def test_a_segment_that_was_changed_is_refused_where_it_is_written_on_and_proven_everywhere(yesterday):
    server, held = yesterday
    server.start().client().list_keys()
    assert server.terminate() == 0
    segments = sorted((server.data_dir / "audit").glob("w0-*.log"))
    assert len(segments) >= 2
    for segment, is_newest in [(segments[-1], True), (segments[0], False)]:
        whole = segment.read_bytes()
        at = len(whole) // 2
        segment.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert "INVALID" in command("audit", "verify", "--data-dir", server.data_dir, code=1)
        if is_newest:
            code, text = server.fails()
            assert code == 7 and "does not continue the chain" in text and "evidence" in text
        else:
            server.start()
            assert held.look(server) == 0
            server.kill()
        segment.write_bytes(whole)


# --- Releases ---


def raised(path, old, new):
    path.chmod(0o600)
    data = path.read_bytes()
    assert old in data, path
    path.write_bytes(data.replace(old, new))


def store_of_a_later_release(directory):
    """The number of the format is raised in every page that has it."""
    path = directory / STORE
    data = bytearray(path.read_bytes())
    at, found = data.find(b"fenceformatrevision"), 0
    while at >= 0:
        value = at + len(b"fenceformatrevision") + 8
        data[value : value + 8] = (2).to_bytes(8, "big")
        found, at = found + 1, data.find(b"fenceformatrevision", at + 1)
    assert found
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("raise_it", "code", "told"),
    [
        (store_of_a_later_release, 7, "format 2 of the store is not supported"),
        (lambda directory: raised(directory / "seal.toml", b"format = 1", b"format = 2"), 6, "not known to this release"),
        (lambda directory: raised(directory / "seal.toml", b"format = 1", b"format = 1\nnew = 1"), 6, "unknown field"),
        (
            lambda directory: raised(max((directory / "audit").glob("w0-*.log")), b'"keyreeveSegment":1', b'"keyreeveSegment":2'),
            7,
            "does not continue the chain",
        ),
        (
            lambda directory: raised(directory / "trail" / ".keyreeve" / "state.json", b'"version":1', b'"version":2'),
            4,
            "version",
        ),
    ],
    ids=["store", "seal", "seal-field", "trail", "delivery"],
)  # fmt: skip
def test_a_directory_of_a_later_release_is_refused_and_left_as_it_is(yesterday, raise_it, code, told):
    server, _ = yesterday
    server.config = "[store]\ncheck_on_open = false\n"
    raise_it(server.data_dir)
    found, text = server.fails()
    assert (found, told in text) == (code, True), (found, text)


# --- Places ---


def test_a_directory_that_was_moved_is_the_same_service(yesterday, make_server):
    server, held = yesterday
    moved = make_server("moved-elsewhere")
    server.data_dir.rename(moved.data_dir)
    assert held.look(moved.start()) == 0


def test_a_directory_that_is_moved_from_under_the_service_costs_no_answer(yesterday, make_server):
    server, held = yesterday
    server.config = "[audit]\nsegment_mib = 1\n"
    server.start()
    moved = make_server("moved")
    server.data_dir.rename(moved.data_dir)
    assert held.look(server) == 0
    kms = server.client(credentials=held.credentials)
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    server.kill()
    assert held.look(moved.start()) == 0
    assert moved.client().describe_key(KeyId=key)["KeyMetadata"]["KeyId"] == key
    moved.kill()
    assert "panicked" not in log_of(server) + log_of(moved)
    assert "INVALID" not in command("audit", "verify", "--data-dir", moved.data_dir)


def test_a_copy_of_a_running_service_starts_or_is_refused_and_answers_nothing_wrong(yesterday, make_server, long):
    server, held = yesterday
    server.start()
    stop = threading.Event()

    def work():
        kms = server.client()
        while not stop.is_set():
            with contextlib.suppress(*GONE):
                key = kms.create_key()["KeyMetadata"]["KeyId"]
                kms.create_alias(AliasName=f"alias/{key}", TargetKeyId=key)

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    outcomes = []
    try:
        for number in range(60 if long else 10):
            copy = make_server(f"copy-{number}")
            # As `cp` and most tools do it: one file after the other, a piece at a time.
            subprocess.run(["cp", "-a", server.data_dir, copy.data_dir], check=True)
            told = ended(copy)
            outcomes.append(told and told[0])
            if told is None:
                assert held.look(copy) == 0
                copy.kill()
                assert "panicked" not in log_of(copy)
            else:
                assert told[0] == 7, told
            shutil.rmtree(copy.data_dir)
    finally:
        stop.set()
        for worker in workers:
            worker.join()
    assert held.look(server) == 0
    print(outcomes)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
def test_a_read_only_file_system_is_refused_with_4(yesterday):
    server, held = yesterday
    mount = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"'
    for arguments in (["serve", "--listen", "127.0.0.1:0"], ["account", "list"], ["check"]):
        said = subprocess.run(
            ["unshare", "--mount", "sh", "-c", mount, "sh", server.data_dir, binary(), *arguments, "--data-dir", server.data_dir],
            capture_output=True, text=True, timeout=60, env=clean_environment(),
        )  # fmt: skip
        if "unshare" in said.stderr or "mount:" in said.stderr:
            pytest.skip(said.stderr)
        assert said.returncode == 4 and "cannot write" in said.stderr, said
        assert "panicked" not in said.stderr
    assert held.look(server.start()) == 0


@pytest.mark.parametrize("lost", ["root.key", "seal.toml", STORE])
def test_a_directory_with_a_file_lost_is_refused_and_nothing_is_made_in_its_place(yesterday, lost):
    server, held = yesterday
    kept = (server.data_dir / lost).read_bytes()
    (server.data_dir / lost).unlink()
    code, text = server.fails()
    assert code == (7 if lost == STORE else 6) and lost in text
    assert not (server.data_dir / lost).exists()
    (server.data_dir / lost).write_bytes(kept)
    assert held.look(server.start()) == 0


def test_the_store_of_another_deployment_is_refused(yesterday, make_server):
    server, _ = yesterday
    other = make_server("other")
    other.start()
    assert other.terminate() == 0
    for name in (STORE, "seal.toml", "root.key"):
        mixed = make_server(f"mixed-{name}")
        shutil.copytree(server.data_dir, mixed.data_dir)
        (mixed.data_dir / name).unlink()
        shutil.copy(other.data_dir / name, mixed.data_dir / name)
        code, text = mixed.fails()
        assert code == 6 and "belongs to another" in text, (name, text)


# --- Exhaustion ---


def limited(server, limits):
    """Runs it under limits of the system: (exit code or None where it came up, what it said)."""

    def lower():
        for name, value in limits.items():
            resource.setrlimit(name, (value, value))

    server.log = open(server.log_path, "wb")
    server.process = subprocess.Popen(
        server.command(), stdout=subprocess.PIPE, stderr=server.log, env=clean_environment(), preexec_fn=lower
    )
    try:
        found = server._wait_for(harness.LISTENING)
        server.port = int(found.group(2))
        return None, log_of(server)
    except RuntimeError as error:
        return "ended", str(error)


@pytest.mark.parametrize("descriptors", [6, 12, 24, 48, 71, 72, 96])
def test_few_descriptors_are_refused_or_enough(yesterday, descriptors):
    server, held = yesterday
    told, text = limited(server, {resource.RLIMIT_NOFILE: descriptors})
    assert "panicked" not in text
    # Either it says so and leaves, or there are enough for what it does.
    assert (told is None) == (descriptors >= 72), text
    if told is None:
        assert held.look(server) == 0
        server.kill()
        assert "panicked" not in log_of(server)
    else:
        assert "the limit of open files" in text
    assert held.look(server.start()) == 0, "and nothing of it stays"


def test_descriptors_that_run_out_under_load_cost_answers_and_nothing_else(yesterday):
    server, held = yesterday
    told, _ = limited(server, {resource.RLIMIT_NOFILE: 80})
    assert told is None
    import socket

    with contextlib.ExitStack() as held_open:
        for _ in range(200):
            connection = held_open.enter_context(socket.socket())
            connection.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                connection.connect(("127.0.0.1", server.port))
    wait_until(lambda: no_error(held, server), "it answers again", timeout=40)
    assert server.process.poll() is None
    server.kill()
    assert "panicked" not in log_of(server)


def no_error(held, server):
    try:
        return held.look(server) == 0
    except GONE:
        return False


@pytest.mark.parametrize("mebibytes", [44, 48, 52, 54, 56, 58, 60, 62, 64, 72, 96, 128, 256])
def test_little_memory_is_refused_or_enough(yesterday, mebibytes):
    server, held = yesterday
    told, text = limited(server, {resource.RLIMIT_AS: mebibytes << 20})
    assert "panicked" not in text, text
    if told is None:
        answers = "all right"
        try:
            answers = f"{held.look(server)} errors"
        except GONE as error:
            answers = type(error).__name__
        server.kill()
        assert "panicked" not in log_of(server)
        print(f"{mebibytes} MiB: up, {answers}")
    else:
        print(f"{mebibytes} MiB: {text.strip().splitlines()[-1]}")
    assert held.look(server.start()) == 0, "and nothing of it stays"


@pytest.mark.parametrize("kibibytes", [0, 4, 64, 1024, 4096])
def test_no_locked_memory_is_refused_or_answered_with_an_error(yesterday, kibibytes):
    server, held = yesterday
    command, root = server.command(), ["setpriv", "--bounding-set", "-ipc_lock", "--inh-caps", "-ipc_lock"]
    # Root may lock as much as it likes, unless it gives that up.
    server.command = lambda: [*(root if os.geteuid() == 0 else []), *command]
    told, text = limited(server, {resource.RLIMIT_MEMLOCK: kibibytes << 10})
    assert told is None or "RLIMIT_MEMLOCK" in text
    del server.command
    assert "panicked" not in text
    if told is None:
        errors = held.look(server)
        server.kill()
        assert "panicked" not in log_of(server)
        print(f"{kibibytes} KiB: up, {errors} errors")
    else:
        print(f"{kibibytes} KiB: {text.strip().splitlines()[-1]}")
    assert held.look(server.start()) == 0


def test_every_file_here_is_looked_at():
    """The layout of a data directory is known to this table: who adds a file adds its faults."""
    layout = (harness.REPOSITORY / "crates" / "server" / "src" / "data_dir.rs").read_text().split("```")[1]
    names = {line.split()[1] for line in layout.splitlines() if re.match(r"//! \w", line)}
    assert pathlib.PurePath(STORE).name in names
    assert names >= {"seal.toml", "root.key", STORE, "credentials", "audit/", "restoring"}
