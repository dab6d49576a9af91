"""The AWS SDK for JavaScript, version 3."""

import pathlib
import shutil
import subprocess

import pytest

DIRECTORY = pathlib.Path(__file__).parent / "javascript"


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """The packages of the lock file, installed where they are not yet."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("node and npm are not installed")
    lock, installed = DIRECTORY / "package-lock.json", DIRECTORY / "node_modules" / ".installed.json"
    if not installed.exists() or installed.read_bytes() != lock.read_bytes():
        subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=DIRECTORY, check=True, timeout=300
        )
        installed.write_bytes(lock.read_bytes())


@pytest.mark.xdist_group("javascript")
def test_the_javascript_sdk_walks_through_the_life_of_a_key(server, packages):
    result = subprocess.run(
        ["node", "walkthrough.mjs"],
        cwd=DIRECTORY,
        env=server.environment_of_clients(),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "all of it holds"
