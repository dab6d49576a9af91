"""Nothing that was answered is lost when the process dies or is told to stop, and the audit trail tells of all of it."""

import concurrent.futures
import contextlib
import dataclasses
import http.client
import json
import os
import random
import socket
import threading

import audit
import botocore.exceptions
import pytest
from raw import signed_headers
from server import ACCOUNT, wait_until

WORKERS = 4
SEED = int(os.environ.get("KEYREEVE_TEST_SEED", random.SystemRandom().randrange(1 << 32)))
# What a client sees of a server that is gone.
GONE = (botocore.exceptions.BotoCoreError, http.client.HTTPException, OSError)


def policy(text):
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Id": text,
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                    "Action": "kms:*",
                    "Resource": "*",
                }
            ],
        }
    )


@dataclasses.dataclass
class Key:
    """What was acknowledged of a key; `pending` is the change that was asked for and not answered."""

    id: str
    aliases: list = dataclasses.field(default_factory=list)
    rotations: int = 0
    policy: str | None = None
    is_enabled: bool = True
    ciphertexts: list = dataclasses.field(default_factory=list)
    pending: str | None = None


class Worker:
    """One client. It changes its own keys, so that it knows their state."""

    def __init__(self, kms, name, seed):
        self.kms = kms
        self.name = name
        self.random = random.Random(seed)
        self.keys = []
        self.request_ids = []
        self.made = 0

    def run(self):
        """Until the server is gone."""
        with contextlib.suppress(*GONE):
            while True:
                self.step()

    def call(self, operation, **parameters):
        """The answer; the server's refusals are answers too."""
        try:
            answer = getattr(self.kms, operation)(**parameters)
        except botocore.exceptions.ClientError as error:
            self.request_ids.append(error.response["ResponseMetadata"]["RequestId"])
            raise
        self.request_ids.append(answer["ResponseMetadata"]["RequestId"])
        return answer

    def change(self, key, what, operation, **parameters):
        key.pending = what
        answer = self.call(operation, **parameters)
        key.pending = None
        return answer

    def name_of_its_own(self):
        self.made += 1
        return f"{self.name}-{self.made}"

    def step(self):
        enabled = [key for key in self.keys if key.is_enabled]
        if not enabled or self.random.random() < 0.15:
            self.keys.append(Key(self.call("create_key")["KeyMetadata"]["KeyId"]))
            return
        key = self.random.choice(enabled)
        action = self.random.choices(
            [self.alias, self.rotate, self.put_policy, self.disable, self.encrypt, self.data_key, self.refused],
            [3, 2, 3, 1, 6, 4, 1],
        )[0]
        action(key)

    def alias(self, key):
        name = f"alias/{self.name_of_its_own()}"
        self.change(key, name, "create_alias", AliasName=name, TargetKeyId=key.id)
        key.aliases.append(name)

    def rotate(self, key):
        if key.rotations < 25:
            self.change(key, "rotation", "rotate_key_on_demand", KeyId=key.id)
            key.rotations += 1

    def put_policy(self, key):
        name = self.name_of_its_own()
        self.change(key, name, "put_key_policy", KeyId=key.id, Policy=policy(name))
        key.policy = name

    def disable(self, key):
        self.change(key, "disabled", "disable_key", KeyId=key.id)
        key.is_enabled = False

    def encrypt(self, key):
        plaintext, context = self.random.randbytes(32), {"worker": self.name}
        answer = self.call("encrypt", KeyId=key.id, Plaintext=plaintext, EncryptionContext=context)
        key.ciphertexts.append((answer["CiphertextBlob"], plaintext, context))

    def data_key(self, key):
        answer = self.call("generate_data_key", KeyId=key.id, KeySpec="AES_256")
        key.ciphertexts.append((answer["CiphertextBlob"], answer["Plaintext"], {}))

    def refused(self, key):
        with pytest.raises(botocore.exceptions.ClientError):
            self.call("encrypt", KeyId=key.id + "0", Plaintext=b"nothing")


def load(server, name, seed):
    """Workers that have begun: (workers, function that waits until the server's end has ended them all)."""
    kms = server.client(max_pool_connections=WORKERS)
    workers = [Worker(kms, f"{name}-{number}", seed * WORKERS + number) for number in range(WORKERS)]
    pool = concurrent.futures.ThreadPoolExecutor(WORKERS)
    running = [pool.submit(worker.run) for worker in workers]

    def finish():
        for future in running:
            future.result(timeout=60)
        pool.shutdown()
        kms.close()

    return workers, finish


def check(kms, key):
    """Everything acknowledged is there, and at most the one pending change besides."""
    told = f"{key}"
    aliases = [alias["AliasName"] for alias in pages(kms, "list_aliases", "Aliases", KeyId=key.id)]
    assert set(key.aliases) <= set(aliases) <= {*key.aliases, key.pending}, told
    rotations = pages(kms, "list_key_rotations", "Rotations", KeyId=key.id)
    assert len(rotations) - key.rotations in ({0, 1} if key.pending == "rotation" else {0}), told
    shown = json.loads(kms.get_key_policy(KeyId=key.id)["Policy"])["Id"]
    allowed = {key.policy or "key-default-1"} | ({key.pending} if key.pending else set())
    assert shown in allowed, (shown, told)
    is_enabled = kms.describe_key(KeyId=key.id)["KeyMetadata"]["Enabled"]
    assert is_enabled == key.is_enabled or (not is_enabled and key.pending == "disabled"), told
    if not is_enabled:
        kms.enable_key(KeyId=key.id)
    for blob, plaintext, context in key.ciphertexts:
        assert kms.decrypt(CiphertextBlob=blob, EncryptionContext=context)["Plaintext"] == plaintext, told
    # What the checks themselves have changed.
    key.aliases, key.rotations, key.policy, key.is_enabled, key.pending = aliases, len(rotations), shown, True, None


def pages(kms, operation, member, **parameters):
    return [item for page in kms.get_paginator(operation).paginate(**parameters) for item in page[member]]


def check_trail(server, workers, answered_before):
    """Each answered request was completed in the trail, once, before its answer left."""
    completed = audit.completed(server.data_dir / "audit")
    answered = {request_id for worker in workers for request_id in worker.request_ids}
    missing = answered - completed.keys()
    assert not missing, missing
    assert answered_before <= completed.keys()
    return answered_before | answered


def test_kill_9_under_load_loses_nothing_that_was_answered(fresh_server, long):
    print(f"KEYREEVE_TEST_SEED={SEED}")
    choose = random.Random(SEED)
    pause = threading.Event()
    server, keys, answered = fresh_server.start(), [], set()
    for turn in range(50 if long else 5):
        opened_before = audit.opened(server.data_dir / "audit")
        workers, finish = load(server, f"turn{turn}", SEED + turn)
        wait_until(lambda: all(len(worker.request_ids) > 5 for worker in workers), "every client was answered")
        pause.wait(choose.uniform(0.0, 0.3))
        server.kill()
        finish()

        # Before the next start touches anything.
        answered = check_trail(server, workers, answered)
        trail = server.data_dir / "audit"
        unfinished = audit.opened(trail) - opened_before - audit.completed(trail).keys()
        assert len(unfinished) <= WORKERS

        server.start()
        kms = server.client()
        made = [key for worker in workers for key in worker.keys]
        keys.extend(made)
        for key in made if turn % 5 < 4 else keys:
            check(kms, key)
        kms.close()
    kms = server.client()
    for key in keys:
        check(kms, key)
    check_trail(server, [], answered)


def test_sigterm_under_load_answers_everything_that_was_begun(fresh_server):
    print(f"KEYREEVE_TEST_SEED={SEED}")
    server = fresh_server.start()
    workers, finish = load(server, "term", SEED)
    wait_until(lambda: all(len(worker.request_ids) > 10 for worker in workers), "every client was answered")
    assert server.terminate() == 0
    finish()
    # What is in the trail was answered, and what was answered is in the trail: no request was cut off.
    answered = {request_id for worker in workers for request_id in worker.request_ids}
    trail = server.data_dir / "audit"
    assert audit.completed(trail).keys() == answered
    assert audit.opened(trail) <= answered
    kms = server.start().client()
    for worker in workers:
        for key in worker.keys:
            check(kms, key)


def test_sigterm_lets_a_request_that_is_still_arriving_finish(fresh_server):
    server = fresh_server.start()
    body = json.dumps({"Description": "late"}).encode()
    head = {**signed_headers(server, body, "CreateKey"), "Content-Length": str(len(body)), "Expect": "100-continue"}
    text = "POST / HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in head.items()) + "\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(text.encode())
        # The server reads the body now: the request is in its hands.
        assert connection.recv(100).startswith(b"HTTP/1.1 100")
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            ended = pool.submit(server.terminate)
            wait_until(lambda: "stopping" in server.log_path.read_text(), "it stops")
            connection.sendall(body)
            response = http.client.HTTPResponse(connection)
            response.begin()
            made = json.loads(response.read())["KeyMetadata"]
            assert (response.status, response.getheader("Connection")) == (200, "close")
            assert ended.result(timeout=30) == 0
    found = server.start().client().describe_key(KeyId=made["KeyId"])["KeyMetadata"]
    assert found["Description"] == "late"


def test_sigint_stops_it_too(fresh_server):
    server = fresh_server.start()
    server.process.send_signal(2)
    assert server.process.wait(30) == 0
