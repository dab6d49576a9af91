"""What is counted of requests, as CloudWatch's API tells it: by account, operation and key, over restarts, kills and years."""

import collections
import datetime

import pytest
from botocore.exceptions import ClientError

from server import ACCOUNT, Server, wait_until
from test_dev_mode import DAY, OTHER, DevServer
from test_import import import_into

REQUESTS = [f"NumberOfRequests{what}" for what in ("Succeeded", "Failed", "Throttled")]


def at(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC)


def points(cloudwatch, name, period=60, since=datetime.timedelta(days=2), now=None, **dimensions):
    now = now or datetime.datetime.now(datetime.UTC)
    return cloudwatch.get_metric_statistics(
        Namespace="AWS/KMS", MetricName=name, Period=period, StartTime=now - since, EndTime=now + datetime.timedelta(minutes=period),
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        Statistics=["Sum", "SampleCount", "Minimum", "Maximum"],
    )["Datapoints"]  # fmt: skip


def total(cloudwatch, name, **more):
    return sum(point["Sum"] for point in points(cloudwatch, name, period=3600, **more))


@pytest.fixture
def dev(tmp_path):
    running = DevServer(tmp_path / "data").start()
    running.to_next_minute()
    yield running
    running.kill()


def test_a_request_counts_for_its_account_its_operation_and_its_key(dev):
    kms, cloudwatch = dev.client(), dev.client(service="cloudwatch")
    one, other = (kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(2))
    blob = kms.encrypt(KeyId=one, Plaintext=b"x")["CiphertextBlob"]
    for _ in range(3):
        kms.decrypt(CiphertextBlob=blob)
    kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=other)
    with pytest.raises(ClientError):
        kms.decrypt(CiphertextBlob=blob, EncryptionContext={"a": "b"})
    with pytest.raises(ClientError):
        kms.describe_key(KeyId="alias/nobody")
    kms.list_keys()
    for name, dimensions, expected in [
        ("NumberOfRequestsSucceeded", {}, 8),
        ("NumberOfRequestsSucceeded", {"Operation": "Decrypt"}, 3),
        ("NumberOfRequestsSucceeded", {"KeyId": one}, 6),
        ("NumberOfRequestsSucceeded", {"KeyId": other}, 2),
        ("NumberOfRequestsSucceeded", {"KeyId": one, "Operation": "ReEncrypt"}, 1),
        ("NumberOfRequestsSucceeded", {"KeyId": other, "Operation": "ReEncrypt"}, 1),
        ("NumberOfRequestsSucceeded", {"Operation": "ReEncrypt"}, 1),
        ("NumberOfRequestsSucceeded", {"KeyId": other, "Operation": "Decrypt"}, 0),
        ("NumberOfRequestsFailed", {}, 2),
        ("NumberOfRequestsFailed", {"KeyId": one}, 1),
        ("NumberOfRequestsFailed", {"Operation": "DescribeKey"}, 1),
        ("NumberOfRequestsThrottled", {}, 0),
        ("KeyUsage", {}, 6),
        ("KeyUsage", {"KeyId": one}, 5),
        ("KeyUsage", {"KeyId": one, "Operation": "CreateKey"}, 0),
        ("KeyUsage", {"Operation": "ReEncrypt"}, 2),
    ]:
        assert total(cloudwatch, name, **dimensions) == expected, (name, dimensions)
    point, = points(cloudwatch, "RequestLatency", period=3600, Operation="Encrypt")
    assert point["SampleCount"] == 1 and 0 < point["Minimum"] == point["Maximum"] == point["Sum"] < 10_000
    listed = {
        (metric["MetricName"], *sorted(dimension["Name"] for dimension in metric["Dimensions"]))
        for metric in cloudwatch.list_metrics(Namespace="AWS/KMS")["Metrics"]
    }
    each = {(), ("KeyId",), ("Operation",), ("KeyId", "Operation")}
    assert listed == {(name, *names) for name in ("NumberOfRequestsSucceeded", "NumberOfRequestsFailed", "KeyUsage") for names in each} | {
        ("RequestLatency",), ("RequestLatency", "Operation"),
    }  # fmt: skip


def test_an_account_sees_its_own_metrics_and_a_denied_stranger_is_none_of_the_key(dev):
    kms, stranger = dev.client(), dev.of(OTHER)
    key = kms.create_key()["KeyMetadata"]
    for call in (stranger.describe_key, lambda KeyId: stranger.encrypt(KeyId=KeyId, Plaintext=b"x")):
        with pytest.raises(ClientError):
            call(KeyId=key["Arn"])
    with pytest.raises(ClientError):
        kms.put_key_policy(KeyId=key["KeyId"], Policy="{}")
    own, others = dev.client(service="cloudwatch"), dev.of(OTHER, service="cloudwatch")
    assert total(own, "NumberOfRequestsFailed", KeyId=key["KeyId"]) == 1
    assert total(own, "NumberOfRequestsFailed") == 1
    assert total(others, "NumberOfRequestsFailed") == 2
    assert total(others, "NumberOfRequestsFailed", KeyId=key["KeyId"]) == 0
    assert total(dev.client("eu-west-1", service="cloudwatch"), "NumberOfRequestsSucceeded") == 0
    dev.reset()
    assert dev.client(service="cloudwatch").list_metrics(Namespace="AWS/KMS")["Metrics"] == []


def test_throttled_requests_are_counted_apart(tmp_path):
    config = '[quotas]\nrequest_rates = { DescribeKey = 2 }\n'
    server = Server(tmp_path / "data", config=config).start()
    try:
        kms = server.client()
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        answers = collections.Counter()
        for _ in range(10):
            try:
                kms.describe_key(KeyId=key)
                answers["NumberOfRequestsSucceeded"] += 1
            except ClientError as error:
                assert error.response["Error"]["Code"] == "ThrottlingException"
                answers["NumberOfRequestsThrottled"] += 1
        assert len(answers) == 2
        cloudwatch = server.client(service="cloudwatch")
        for name in REQUESTS:
            assert total(cloudwatch, name, Operation="DescribeKey") == answers[name], name
    finally:
        server.kill()


def test_seconds_until_imported_material_expires_are_told_each_minute(dev):
    kms, cloudwatch = dev.client(), dev.client(service="cloudwatch")
    key = kms.create_key(Origin="EXTERNAL")["KeyMetadata"]["KeyId"]
    import_into(kms, key, b"k" * 32, ValidTo=dev.now() + datetime.timedelta(days=1))
    now = at(0)

    def told():
        hour = datetime.timedelta(hours=1)
        found = points(cloudwatch, "SecondsUntilKeyMaterialExpiration", since=hour, now=now, KeyId=key)
        return [point["Minimum"] for point in sorted(found, key=lambda point: point["Timestamp"])]

    for minutes in (1, 2, 3):
        moved = dev.advance(60)["now"]
        now = datetime.datetime.fromisoformat(moved)
        wait_until(lambda: len(told()) >= minutes, "a point of this minute", 5)
        last = told()[-1]
        assert DAY - 60 * minutes - 30 < last <= DAY - 60 * minutes + 1
    assert told() == sorted(told(), reverse=True)
    dev.advance(DAY)
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingImport"


@pytest.mark.parametrize("in_memory", [True, False])
def test_points_grow_coarser_with_age_and_go_after_fifteen_months(tmp_path, in_memory):
    dev = DevServer(tmp_path / "data", in_memory=in_memory).start()
    try:
        kms, cloudwatch = dev.client(), dev.client(service="cloudwatch")
        began = datetime.datetime.now(datetime.UTC)
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        age = 0
        for days, periods in [(1, (60, 300, 3600)), (17, (300, 3600)), (73, (3600,)), (470, ())]:
            dev.advance((days - age) * DAY)
            age = days
            if not in_memory and days == 73:
                # The thread that keeps metrics looks once a second.
                wait_until(lambda: list((dev.data_dir / "metrics").glob("points-2-*")), "a file of hours", 5)
                dev.kill()
                dev.start()
                dev.advance(days * DAY)
                kms, cloudwatch = dev.client(), dev.client(service="cloudwatch")
            expected = [int(period in periods) for period in (60, 300, 3600)]

            def told():
                hour = datetime.timedelta(hours=1)
                start = began.replace(minute=0, second=0, microsecond=0) - hour
                return [
                    sum(point["Sum"] for point in cloudwatch.get_metric_statistics(
                        Namespace="AWS/KMS", MetricName="NumberOfRequestsSucceeded", Period=period, StartTime=start,
                        EndTime=start + 4 * hour, Dimensions=[{"Name": "KeyId", "Value": key}], Statistics=["Sum"],
                    )["Datapoints"])
                    for period in (60, 300, 3600)
                ]  # fmt: skip

            wait_until(lambda: told() == expected, f"{expected} after {days} days", 5)
    finally:
        dev.kill()


def test_a_stop_loses_nothing_and_a_kill_the_minute_that_runs(tmp_path):
    server = DevServer(tmp_path / "data", in_memory=False).start()
    try:
        key = server.client().create_key()["KeyMetadata"]["KeyId"]
        server.terminate()
        server.start()
        assert total(server.client(service="cloudwatch"), "NumberOfRequestsSucceeded", KeyId=key) == 1
        server.client().describe_key(KeyId=key)
        journal = server.data_dir / "metrics/journal.krm"
        before = journal.stat().st_size
        server.advance(60)
        wait_until(lambda: journal.stat().st_size > before, "the minute in the journal", 5)
        server.client().describe_key(KeyId=key)
        server.kill()
        torn = journal.read_bytes()[:-3] + b"\0\0\0" + b"torn"
        server.start()
        assert total(server.client(service="cloudwatch"), "NumberOfRequestsSucceeded", KeyId=key) in (2, 3)
        server.kill()
        journal.write_bytes(torn)
        server.start()
        assert total(server.client(service="cloudwatch"), "NumberOfRequestsSucceeded", KeyId=key) in (1, 2)
        assert "is dropped" in server.log_path.read_text()
    finally:
        server.kill()


def test_nothing_is_counted_where_metrics_are_off(tmp_path):
    server = Server(tmp_path / "data", config="[metrics]\nkeep = false\n").start()
    try:
        server.client().create_key()
        assert not (server.data_dir / "metrics").exists()
        assert total(server.client(service="cloudwatch"), "NumberOfRequestsSucceeded") == 0
    finally:
        server.kill()


def test_the_files_are_for_their_owner_alone(fresh_server):
    server = fresh_server.start()
    server.client().create_key()
    server.terminate()
    for path in [server.data_dir / "metrics", *(server.data_dir / "metrics").iterdir()]:
        assert path.stat().st_mode & 0o077 == 0, path
    assert ACCOUNT.encode() in (server.data_dir / "metrics/journal.krm").read_bytes()
