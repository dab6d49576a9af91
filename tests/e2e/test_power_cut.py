"""Nothing that was answered is lost when the power is cut: what was not forced to the disk is gone, in any part."""

import concurrent.futures
import random
import subprocess
import threading

import audit
import pytest
import server as harness
from power_cut import PowerCutServer
from server import wait_until
from test_crash import SEED, check, load
from test_crash_life import REGIONS, Imported, Related, together


@pytest.fixture
def powered(tmp_path):
    """Makes a server whose power can be cut."""
    made = []

    def make(config=""):
        # What is made at the first start is made before anybody relies on it.
        server = harness.Server(tmp_path / "data").start()
        server.terminate()
        made.append(PowerCutServer(tmp_path, config))
        return made[-1]

    yield make
    for server in made:
        server.kill()


def cut_while_it_starts(server, choose):
    """The power fails again while the service comes up."""
    pause = threading.Event()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        starting = pool.submit(server.start)
        pause.wait(choose.uniform(0.0, 0.1))
        wait_until(lambda: server.process is not None or starting.done(), "the process began")
        if server.process is not None:
            server.process.kill()
        starting.exception(timeout=60)
    server.cut(choose)


@pytest.mark.parametrize("durability", ["write", "sync"])
def test_a_power_cut_under_load_loses_nothing_that_was_answered(powered, long, durability):
    print(f"KEYREEVE_TEST_SEED={SEED}")
    choose, pause = random.Random(SEED), threading.Event()
    server, keys, answered = powered(f'[audit]\ndurability = "{durability}"\nlog_seconds = 1\n'), [], set()
    for turn in range(50 if long else 4):
        if turn % 4 == 3:
            cut_while_it_starts(server, choose)
        server.start()
        kms = server.client()
        for key in keys if turn % 5 == 4 else keys[-8:]:
            check(kms, key)
        kms.close()
        workers, finish = load(server, f"turn{turn}", SEED + turn)
        wait_until(lambda: all(len(worker.request_ids) > 5 for worker in workers), "every client was answered")
        pause.wait(choose.uniform(0.0, 0.3))
        server.cut(choose)
        finish()
        keys.extend(key for worker in workers for key in worker.keys)
        # What was only written is gone with the power; what was forced to the disk before its answer is there.
        if durability == "sync":
            completed = audit.completed(server.data_dir / "audit")
            answered |= {request_id for worker in workers for request_id in worker.request_ids}
            assert answered <= completed.keys(), answered - completed.keys()
        together(server)
    server.start()
    kms = server.client()
    for key in keys:
        check(kms, key)
    server.terminate()
    print(f"taken away: {server.taken}")
    verified = subprocess.run(
        [harness.binary(), "audit", "verify", "--data-dir", server.data_dir], capture_output=True, text=True, timeout=120
    )
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_imports_rotations_and_related_keys_survive_power_cuts(powered, long):
    print(f"KEYREEVE_TEST_SEED={SEED}")
    choose, pause = random.Random(SEED), threading.Event()
    server = powered()
    lives = [kind(random.Random(SEED + number)) for number in range(3) for kind in (Imported, Related)]
    for turn in range(100 if long else 4):
        if turn % 4 == 3:
            cut_while_it_starts(server, choose)
        server.start()
        clients = [server.client(region, max_pool_connections=len(lives)) for region in REGIONS]
        for life in lives:
            life.check(clients)
        with concurrent.futures.ThreadPoolExecutor(len(lives)) as pool:
            running = [pool.submit(life.run, clients) for life in lives]
            pause.wait(choose.uniform(0.2, 1.0))
            server.cut(choose)
            for future in running:
                future.result(timeout=60)
        together(server)
    server.start()
    clients = [server.client(region) for region in REGIONS]
    for life in lives:
        life.check(clients, everything=True)
    assert any(life.ciphertexts for life in lives)
    print(f"taken away: {server.taken}")
