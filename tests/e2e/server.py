"""A running Keyreeve, and the clients that talk to it."""

import base64
import configparser
import os
import pathlib
import re
import selectors
import subprocess
import sys
import threading
import time

import boto3
import botocore.config

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
ACCOUNT = "000000000000"
REGION = "us-east-1"
START_TIMEOUT = 30.0
LISTENING = re.compile(r"listening on (https?)://127\.0\.0\.1:(\d+)\n")


def binary():
    return os.environ.get("KEYREEVE_BIN", str(REPOSITORY / "target" / "release" / "keyreeve"))


class Server:
    """One process over one data directory. Stop it and start it again: the data stays, the port may change."""

    def __init__(self, data_dir, options=(), environment=None, config=None, ca=None):
        """`config` is the text of a configuration file; `ca` the certificate that TLS clients trust."""
        self.data_dir = pathlib.Path(data_dir)
        self.options = list(options)
        self.environment = environment or {}
        self.config = config
        self.ca = ca
        self.process = None
        self.scheme = "http"
        self.port = None

    def start(self):
        self.log = open(self.log_path, "ab")
        self.process = subprocess.Popen(
            self.command(), stdout=subprocess.PIPE, stderr=self.log, env={**clean_environment(), **self.environment}
        )
        found = self._wait_for(LISTENING)
        self.scheme, self.port = found.group(1), int(found.group(2))
        return self

    def command(self):
        config = []
        if self.config is not None:
            path = self.data_dir.parent / f"{self.data_dir.name}.toml"
            path.write_text(self.config)
            config = ["--config", str(path)]
        return [
            binary(), "serve", "--data-dir", str(self.data_dir), "--listen", "127.0.0.1:0", *config, *self.options
        ]  # fmt: skip

    def fails(self, *, input=None):
        """Starts it, expecting that it ends by itself: (exit code, what it says)."""
        ended = subprocess.run(
            self.command(),
            env={**clean_environment(), **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            input=input,
            timeout=START_TIMEOUT,
        )
        assert ended.stdout == "", ended.stdout
        return ended.returncode, ended.stderr

    @property
    def log_path(self):
        return self.data_dir.parent / f"{self.data_dir.name}.log"

    def _wait_for(self, pattern):
        """The first match in the output; fails when the process ends or takes too long."""
        output, deadline = b"", time.monotonic() + START_TIMEOUT
        os.set_blocking(self.process.stdout.fileno(), False)
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while (left := deadline - time.monotonic()) > 0:
                if not selector.select(left):
                    break
                chunk = self.process.stdout.read()
                output += chunk or b""
                match = pattern.search(output.decode(errors="replace"))
                if match:
                    self.output = output.decode(errors="replace")
                    # Nobody reads what follows, but the pipe must not fill up.
                    os.set_blocking(self.process.stdout.fileno(), True)
                    threading.Thread(target=drain, args=(self.process.stdout,), daemon=True).start()
                    return match
                if chunk == b"":
                    break
        self.kill()
        log = self.log_path.read_text(errors="replace")
        raise RuntimeError(f"the server did not come up\n{output.decode(errors='replace')}\n{log}")

    def kill(self):
        """As a power cut would, but for the kernel's buffers."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.log.close()
            self.process = None

    def terminate(self, timeout=30):
        """As an init system would; returns the exit code."""
        self.process.terminate()
        code = self.process.wait(timeout)
        self.log.close()
        self.process = None
        return code

    @property
    def url(self):
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def host(self):
        return f"127.0.0.1:{self.port}"

    @property
    def credentials(self):
        """(access key id, secret access key) of the root user."""
        return read_credentials(self.data_dir / "credentials")

    def client(self, region=REGION, *, service="kms", validate=True, credentials=None, attempts=1, **config):
        """A boto3 client, of KMS unless told; `credentials` are two of a key, or three of a session. Without `validate`, botocore sends what
        it is given."""
        access_key_id, secret, *token = credentials or self.credentials
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=region,
            aws_access_key_id=access_key_id,
            aws_secret_access_key=secret,
            aws_session_token=token[0] if token else None,
            verify=str(self.ca) if self.ca else None,
            config=botocore.config.Config(
                parameter_validation=validate, retries={"mode": "standard", "total_max_attempts": attempts}, read_timeout=30, **config
            ),
        )

    def environment_of_clients(self, region=REGION):
        access_key_id, secret = self.credentials
        return {
            **clean_environment(),
            **({"AWS_CA_BUNDLE": str(self.ca)} if self.ca else {}),
            "AWS_ACCESS_KEY_ID": access_key_id,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_PAGER": "",
            "AWS_MAX_ATTEMPTS": "1",
        }


def read_credentials(path):
    """(access key id, secret access key) of the first profile of a file."""
    file = configparser.ConfigParser()
    assert file.read(path), path
    profile = file[file.sections()[0]] if file.sections() else file["DEFAULT"]
    return profile["aws_access_key_id"], profile["aws_secret_access_key"]


def aws_command():
    """The `aws` beside this Python, else the one on the path."""
    script = pathlib.Path(sys.executable).parent / "aws"
    return [str(script)] if script.exists() else ["aws"]


def wait_until(condition, what, timeout=10.0):
    """Asks `condition` again and again until it holds."""
    deadline = time.monotonic() + timeout
    pause = threading.Event()
    while not (held := condition()):
        assert time.monotonic() < deadline, f"still not: {what}"
        pause.wait(0.01)
    return held


def drain(stream):
    while stream.read(65536):
        pass
    stream.close()


def clean_environment():
    """Ours without anything that would point a client elsewhere or put a proxy in between."""
    dropped = ("AWS_", "KEYREEVE_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
    return {name: value for name, value in os.environ.items() if not name.upper().startswith(dropped)}


def key_arn(key_id, region=REGION):
    return f"arn:aws:kms:{region}:{ACCOUNT}:key/{key_id}"


def alias_arn(name, region=REGION):
    return f"arn:aws:kms:{region}:{ACCOUNT}:{name}"


def b64(data):
    return base64.b64encode(data).decode()
