"""RSA keys take seconds to make: who waits for one, and who does not."""

import concurrent.futures
import http.client
import json
import pathlib
import select
import time

import botocore.exceptions

import raw
import server as harness

RSA_4096 = {"KeySpec": "RSA_4096", "KeyUsage": "SIGN_VERIFY"}
ONE_WORKER = "[server]\nworkers = 1\n[crypto]\nready_rsa_keys = 0\n"


def outcome(call, **request):
    """The error code, or none."""
    try:
        call(**request)
        return None
    except botocore.exceptions.ClientError as error:
        return error.response["Error"]["Code"]


def test_nobody_waits_for_the_rsa_key_of_another(make_server):
    kms = make_server(config=ONE_WORKER + "key_wait_seconds = 15\n").start().client(max_pool_connections=16)
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        making = [pool.submit(outcome, kms.create_key, **RSA_4096) for _ in range(4)]
        meanwhile, slowest = 0, 0.0
        while not all(made.done() for made in making):
            begun = time.monotonic()
            kms.encrypt(KeyId=key, Plaintext=b"x")
            slowest = max(slowest, time.monotonic() - begun)
            meanwhile += 1
    # Where the machine is busy with other tests, too, the last ones may wait in vain.
    assert {made.result() for made in making} <= {None, "DependencyTimeoutException"}
    # One worker answers all of it; a key of this size takes it longer than all these together.
    assert meanwhile > 50, (meanwhile, slowest)


def test_the_wait_for_an_rsa_key_is_bounded(make_server):
    config = ONE_WORKER + "key_wait_seconds = 1\n"
    kms = make_server(config=config).start().client(max_pool_connections=32)
    begun = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        made = [pool.submit(outcome, kms.create_key, **RSA_4096) for _ in range(24)]
        codes = {one.result() for one in made}
    assert codes <= {None, "DependencyTimeoutException"} and "DependencyTimeoutException" in codes
    assert time.monotonic() - begun < 10
    # Nobody's quota was charged for a key that was not made.
    assert len(kms.list_keys(Limit=1000)["Keys"]) == sum(one.result() is None for one in made)


def test_more_waiting_than_there_is_room_for_is_throttled(make_server):
    kms = make_server(config=ONE_WORKER + "key_wait_seconds = 2\n").start().client(max_pool_connections=96)
    with concurrent.futures.ThreadPoolExecutor(80) as pool:
        made = [pool.submit(outcome, kms.create_key, **RSA_4096) for _ in range(80)]
        codes = {one.result() for one in made}
    assert codes <= {None, "DependencyTimeoutException", "ThrottlingException"}
    assert "ThrottlingException" in codes


def test_some_keys_are_ready_after_the_first(make_server):
    server = make_server(config="[crypto]\nready_rsa_keys = 2\n").start()
    kms = server.client()
    assert is_idle(server), "nothing is made before somebody asks"
    assert outcome(kms.create_key, **RSA_4096) is None
    harness.wait_until(lambda: is_idle(server), "the thread that makes keys is idle", timeout=60)
    for _ in range(2):
        begun = time.monotonic()
        assert outcome(kms.create_key, **RSA_4096) is None
        assert time.monotonic() - begun < 0.25


def test_whoever_hangs_up_leaves_the_queue_to_others(make_server):
    server = make_server(config=ONE_WORKER + "key_wait_seconds = 60\n").start()
    body = json.dumps(RSA_4096).encode()
    gone = []
    for _ in range(80):
        headers = raw.signed_headers(server, body, "CreateKey")
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        connection.request("POST", "/", body, headers)
        gone.append(connection)
    # One answer comes at once: there was no room for all.
    harness.wait_until(lambda: select.select([one.sock for one in gone], [], [], 0)[0], "somebody is answered")
    for connection in gone:
        connection.close()
    kms = server.client()
    harness.wait_until(lambda: outcome(kms.create_key, **RSA_4096) is None, "there is room again", timeout=60)
    # Those that were in hand, at most; nobody waits for the others.
    assert len(kms.list_keys(Limit=1000)["Keys"]) < 20


def is_idle(server):
    """Whether the thread that makes RSA keys sleeps, twice in a row."""

    def sleeps(task):
        name, state = (task / "stat").read_text().split("(")[1].split(") ")
        return name.startswith("rsa-") and state.startswith("S")

    tasks = list(pathlib.Path(f"/proc/{server.process.pid}/task").iterdir())
    return all(any(sleeps(task) for task in tasks) for _ in range(2))
