"""The recipes for clients: each page of docs/clients does what it says, against the test mode."""

import fcntl
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys

import httpx
import pytest

import recipes
import server as harness
from test_terraform import plugins

REQUIREMENTS = pathlib.Path(__file__).parent / "requirements-recipes.txt"
ENVIRONMENT = harness.REPOSITORY / "target" / "recipes"
GO_PACKAGES = pathlib.Path("/usr/share/gocode")


@pytest.fixture(scope="module")
def dev(tmp_path_factory):
    """A server in the test mode that keeps nothing: (its address, the `bin` with its binary)."""
    directory = tmp_path_factory.mktemp("recipes")
    (directory / "bin").mkdir()
    (directory / "bin" / "keyreeve").symlink_to(pathlib.Path(harness.binary()).resolve())
    command = [harness.binary(), "serve", "--dev", "--in-memory", "--listen", "127.0.0.1:0"]
    with (
        (directory / "keyreeve.log").open("wb") as log,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, text=True, env=harness.clean_environment()
        ) as process,
    ):
        found = harness.LISTENING.fullmatch(process.stdout.readline())
        assert found, (directory / "keyreeve.log").read_text()
        yield f"127.0.0.1:{found.group(2)}", directory / "bin"
        process.kill()


@pytest.fixture(scope="module")
def heavy(long):
    """The environment of the clients that are large: used where it is, made in the long run."""
    wanted = f"# {ENVIRONMENT}\n{REQUIREMENTS.read_text()}"
    stamp = ENVIRONMENT / ".requirements.txt"

    def installed():
        return stamp.exists() and stamp.read_text() == wanted

    if not (installed() or long):
        pytest.skip("the packages of tests/e2e/requirements-recipes.txt are not installed, and the run is not the long one")
    ENVIRONMENT.parent.mkdir(exist_ok=True)
    with ENVIRONMENT.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not installed():
            subprocess.run([sys.executable, "-m", "venv", "--clear", ENVIRONMENT], check=True)
            pip = [ENVIRONMENT / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-input", "-r", REQUIREMENTS]
            subprocess.run(pip, check=True, timeout=540)
            stamp.write_text(wanted)
    return ENVIRONMENT / "bin"


@pytest.fixture
def recipe(dev, tmp_path):
    """Runs a page on an empty service: `recipe(NAME, *directories of programs, more of the environment)`."""
    address, programs = dev

    def run(page, *path, addresses=None, timeout=420, **environment):
        assert httpx.post(f"http://{address}/_keyreeve/reset").status_code == 200
        path = [programs, *path, pathlib.Path(sys.executable).parent]
        recipes.Page(page, {recipes.ADDRESS: address, **(addresses or {})}).run(
            tmp_path, environment_of_the_start(address, path) | environment, timeout
        )

    return run


def environment_of_the_start(address, path):
    """What the page with the start exports, and nothing of ours that would reach a client."""
    ours = {
        name: value for name, value in harness.clean_environment().items() if not name.startswith(("PYTEST_", "VIRTUAL_ENV"))
    }
    text = (recipes.PAGES / "README.md").read_text().replace(recipes.ADDRESS, address)
    exports = re.findall(r"^export (.*)$", text, re.MULTILINE)
    exported = dict(pair.split("=", 1) for line in exports for pair in line.split())
    assert "AWS_ENDPOINT_URL_KMS" in exported and "AWS_SECRET_ACCESS_KEY" in exported, exported
    return {
        **ours,
        **exported,
        "PATH": os.pathsep.join([*map(str, path), ours["PATH"]]),
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
    }


@pytest.mark.parametrize("page", ["aws-cli", "ci", "python"])
def test_a_recipe_for_what_every_developer_has(recipe, page):
    recipe(page)


@pytest.mark.xdist_group("javascript")
@pytest.mark.parametrize("page", ["encryption-sdk-javascript", "ethereum", "javascript"])
def test_a_recipe_for_node(recipe, javascript, tmp_path, page):
    (tmp_path / "node_modules").symlink_to(javascript / "node_modules")
    recipe(page, NODE_NO_WARNINGS="1")


@pytest.mark.parametrize("page", ["ansible", "encryption-sdk", "sops", "tink"])
def test_a_recipe_for_what_is_large(recipe, heavy, tmp_path, page):
    recipe(page, heavy, ANSIBLE_HOME=str(tmp_path / "ansible"), ANSIBLE_LOCALHOST_WARNING="False")


def test_the_recipe_for_openbao(recipe, heavy):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = f"127.0.0.1:{probe.getsockname()[1]}"
    recipe("openbao", heavy, addresses={"127.0.0.1:8200": free})


def test_the_recipe_for_go(recipe, heavy, tmp_path):
    if not (GO_PACKAGES / "src" / "github.com" / "aws" / "aws-sdk-go-v2").exists():
        pytest.skip("Debian's golang-github-aws-aws-sdk-go-v2-dev is not installed")
    recipe(
        "go",
        heavy,
        GOPATH=f"{tmp_path / 'gopath'}:{GO_PACKAGES}",
        GOCACHE=str(ENVIRONMENT / "go-cache"),
        GO111MODULE="off",
        GOTOOLCHAIN="local",
    )


def test_the_recipe_for_rust(recipe, long, tmp_path):
    if not long:
        pytest.skip("the SDK takes minutes to compile; the run is not the long one")
    client = harness.REPOSITORY / "clients" / "rust-sdk"
    shutil.copy(client / "Cargo.lock", tmp_path)
    recipe("rust", CARGO_TARGET_DIR=str(client / "target"), timeout=1800)


def test_the_recipe_for_terraform(recipe, long, tmp_path):
    if not (shutil.which("terraform") and plugins()):
        pytest.skip("terraform or its AWS provider is not here (KEYREEVE_TERRAFORM_PLUGINS)")
    if not long:
        pytest.skip("terraform takes half a minute; the run is not the long one")
    configuration = tmp_path / "terraform.rc"
    configuration.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{plugins()}"\n  }}\n}}\n')
    recipe("terraform", TF_CLI_CONFIG_FILE=str(configuration), CHECKPOINT_DISABLE="1", TF_IN_AUTOMATION="1")


def test_every_page_is_run_or_says_that_it_is_not():
    run = {"ansible", "aws-cli", "ci", "encryption-sdk", "encryption-sdk-javascript", "ethereum", "go", "javascript"}
    run |= {"openbao", "python", "rust", "sops", "terraform", "tink"}
    for page in recipes.PAGES.glob("*.md"):
        text = page.read_text()
        if page.stem in run:
            assert "tests/e2e/test_recipes.py" in text, f"{page.name} does not say how it was tried"
        else:
            assert page.stem == "README" or "not tried" in text.lower(), f"{page.name} does not say what was not tried"
    assert run <= {page.stem for page in recipes.PAGES.glob("*.md")}
