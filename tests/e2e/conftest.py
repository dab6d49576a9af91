"""The server that the tests of one process share, and what they make on it."""

import json
import os
import pathlib
import shutil
import subprocess

import pytest

import server as harness


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    # An RSA key of 4096 bits takes its time on a machine that does other things too.
    config = "[crypto]\nkey_wait_seconds = 50\n"
    running = harness.Server(tmp_path_factory.mktemp("keyreeve") / "data", config=config).start()
    yield running
    running.kill()
    # Whatever the tests have done to it, the store holds together.
    checked = subprocess.run(
        [harness.binary(), "check", "--data-dir", running.data_dir], capture_output=True, text=True, timeout=60
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.fixture
def fresh_server(tmp_path):
    """A server of the test's own, which it may kill and start again."""
    running = harness.Server(tmp_path / "data")
    yield running
    running.kill()


@pytest.fixture
def make_server(tmp_path):
    """Makes servers of the test's own, not started yet, each with its own data directory unless told."""
    made = []

    def make(name="data", **options):
        made.append(harness.Server(tmp_path / name, **options))
        return made[-1]

    yield make
    for server in made:
        server.kill()


@pytest.fixture(scope="session")
def long():
    """Whether there is time for the long forms."""
    return os.environ.get("KEYREEVE_TEST_LONG") == "1"


@pytest.fixture(scope="session")
def kms(server):
    return server.client()


@pytest.fixture(scope="session")
def unchecked(server):
    """A client that does not check its input."""
    return server.client(validate=False)


@pytest.fixture
def key(kms):
    """The id of a new symmetric key."""
    return kms.create_key()["KeyMetadata"]["KeyId"]


@pytest.fixture(scope="session")
def shared_key(kms):
    """The id of a symmetric key that no test changes."""
    return kms.create_key(Description="shared")["KeyMetadata"]["KeyId"]


@pytest.fixture(scope="session")
def aws(server, tmp_path_factory):
    """Runs the `aws` command line as a user would and returns what it prints: JSON read, text as it is."""
    command = harness.aws_command()
    directory = tmp_path_factory.mktemp("aws")

    def run(*arguments, fails=None, region=harness.REGION):
        result = subprocess.run(
            [*command, *arguments],
            env=server.environment_of_clients(region),
            cwd=directory,
            capture_output=True,
            text=True,
            timeout=60,
        )
        if fails:
            assert result.returncode != 0, result.stdout
            assert fails in result.stderr, result.stderr
            return None
        assert result.returncode == 0, result.stderr
        try:
            return json.loads(result.stdout)
        except ValueError:
            return result.stdout.strip()

    run.directory = directory
    return run


@pytest.fixture(scope="session")
def javascript():
    """The directory with the packages of its lock file, installed where they are not yet."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("node and npm are not installed")
    directory = pathlib.Path(__file__).parent / "javascript"
    lock, installed = directory / "package-lock.json", directory / "node_modules" / ".installed.json"
    if not installed.exists() or installed.read_bytes() != lock.read_bytes():
        subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=directory, check=True, timeout=300
        )
        installed.write_bytes(lock.read_bytes())
    return directory
