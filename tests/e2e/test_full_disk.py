"""A disk that fills up: a warning, a reserve, refusals that are clear, and all of it over once there is room again."""

import os
import subprocess

import audit
import httpx
import pytest
from botocore.exceptions import ClientError

from server import wait_until
from test_dev_mode import DevServer
from test_metric_series import total
from test_metrics import scrape

MIB = 1 << 20
CONFIG = "[audit]\nwarn_mib = 16\nreserve_mib = 8\n[store]\nreserve_mib = 2\n"


@pytest.fixture
def disk(tmp_path):
    """A small disk."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", place], capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def free(disk):
    room = os.statvfs(disk)
    return room.f_bavail * room.f_frsize


def fill(disk, leave):
    """Fills the disk but for so many bytes."""
    with open(disk / f"fill-{leave}", "wb", buffering=0) as file:
        try:
            while free(disk) > leave:
                file.write(b"\0" * min(MIB, max(4096, free(disk) - leave)))
        except OSError:
            assert leave == 0


def test_a_disk_that_fills_up_is_warned_of_met_with_a_reserve_and_survived(disk):
    server = DevServer(disk / "data", in_memory=False, config=CONFIG).start()
    try:
        kms = server.client()
        key = kms.create_key()["KeyMetadata"]["KeyId"]

        def told(name):
            return scrape(server)[f"keyreeve_{name}", frozenset()]

        def is_so(**expected):
            wait_until(lambda: all(told(name) == value for name, value in expected.items()), f"{expected}", 5)

        is_so(audit_space_low=0, audit_reserve_bytes=8 * MIB)
        fill(disk, 12 * MIB)
        is_so(audit_space_low=1, audit_reserve_bytes=8 * MIB)
        fill(disk, 3 * MIB)
        is_so(audit_space_low=1, audit_reserve_bytes=0)
        assert free(disk) > 8 * MIB
        answered = 0
        for _ in range(3):
            kms.encrypt(KeyId=key, Plaintext=b"x")
            answered += 1
        fill(disk, 0)
        refused = 0
        # The trail fills its last page first.
        for _ in range(20):
            try:
                kms.encrypt(KeyId=key, Plaintext=b"x")
                answered += 1
            except ClientError as error:
                assert error.response["Error"]["Code"] == "KMSInternalException"
                refused += 1
        assert refused > 10 and told("audit_write_failures_total") > 0
        for path in disk.glob("fill-*"):
            path.unlink()
        is_so(audit_space_low=0, audit_reserve_bytes=8 * MIB)
        kms.encrypt(KeyId=key, Plaintext=b"x")
        answered += 1
        cloudwatch = server.client(service="cloudwatch")
        assert total(cloudwatch, "KeyUsage", KeyId=key) == answered
        assert total(cloudwatch, "NumberOfRequestsFailed", KeyId=key) == refused
        server.terminate()
        server.start()
        assert total(server.client(service="cloudwatch"), "KeyUsage", KeyId=key) == answered
    finally:
        server.kill()


def test_a_disk_that_is_full_at_once_costs_no_answer_and_readiness_follows_the_trail(disk):
    server = DevServer(disk / "data", in_memory=False, config=CONFIG).start()
    try:
        kms = server.client()
        key = kms.create_key()["KeyMetadata"]["KeyId"]

        def ready():
            answer = httpx.get(f"{server.url}/readyz")
            return answer.status_code, answer.text

        wait_until(lambda: scrape(server)["keyreeve_audit_reserve_bytes", frozenset()] == 8 * MIB, "the reserve is held", 5)
        fill(disk, 0)
        # Far more than the last pages of the trail take; the write that finds the disk full gives up the reserve.
        for _ in range(200):
            kms.encrypt(KeyId=key, Plaintext=b"x")
        assert scrape(server)["keyreeve_audit_reserve_bytes", frozenset()] == 0
        assert ready() == (200, "ok\n")
        fill(disk, 1)
        fill(disk, 0)
        refused = 0
        while refused < 20:
            try:
                kms.encrypt(KeyId=key, Plaintext=b"x" * 4000)
            except ClientError as error:
                assert error.response["Error"]["Code"] == "KMSInternalException"
                refused += 1
        wait_until(lambda: ready() == (503, "the audit trail cannot be written\n"), "it says that it is not ready", 5)
        assert httpx.get(f"{server.url}/livez").status_code == 200
        for path in disk.glob("fill-*"):
            path.unlink()
        # Nobody calls a service that is not ready: it finds out by itself.
        wait_until(lambda: ready() == (200, "ok\n"), "it is ready again", 5)
        kms.encrypt(KeyId=key, Plaintext=b"x")
        names = [event["eventName"] for event in audit.events(server.data_dir / "audit")]
        assert "ResumeAuditTrail" in names
    finally:
        server.kill()
