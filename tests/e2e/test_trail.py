"""The trail that auditors read: log files, signed digests and LookupEvents, with the unmodified AWS command line."""

import base64
import datetime
import gzip
import json
import shutil
import subprocess
import threading

import botocore.exceptions
import pytest
from audit import completed, events, is_opened
from server import ACCOUNT, REGION, aws_command, binary, clean_environment, read_credentials, wait_until

TRAIL = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/keyreeve"
START = "2020-01-01T00:00:00Z"
FAST = """
[audit]
log_seconds = 1
digest_seconds = 2
"""


@pytest.fixture
def server(make_server):
    return make_server(config=FAST)


def aws(server, *arguments, region=REGION, credentials=None):
    environment = server.environment_of_clients(region)
    if credentials:
        environment |= dict(zip(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), credentials, strict=True))
    return subprocess.run(
        [*aws_command(), *arguments], env=environment, cwd=server.data_dir.parent, capture_output=True, text=True, timeout=120
    )


def validate(server, start=START):
    return aws(server, "cloudtrail", "validate-logs", "--trail-arn", TRAIL, "--start-time", start, "--verbose")


def files(server, kind, region=REGION):
    root = server.data_dir / "trail" / "AWSLogs" / ACCOUNT / kind / region
    return sorted(path for path in root.rglob("*.json.gz"))


def digests(server, region=REGION):
    return files(server, "CloudTrail-Digest", region)


def delivered_events(server):
    """The events of all log files, in all accounts and Regions."""
    root = server.data_dir / "trail" / "AWSLogs"
    return [
        event
        for path in root.glob("*/CloudTrail/**/*.json.gz")
        for event in json.loads(gzip.decompress(path.read_bytes()))["Records"]
    ]


def delivered(server):
    """The ids of the events of all log files, in all accounts and Regions."""
    return [event["eventID"] for event in delivered_events(server)]


def digested(server):
    """The names of the log files in the digests so far."""
    return [log["s3Object"] for path in digests(server) for log in json.loads(gzip.decompress(path.read_bytes()))["logFiles"]]


def settled(server):
    """Waits until what was done so far is in a digest."""
    ids = {event["eventID"] for event in completed(server.data_dir / "audit").values()}
    wait_until(lambda: ids <= set(delivered(server)), "all events are delivered", 20)
    in_digests(server)


def in_digests(server):
    """Waits until the log files that are there are in digests."""
    names = {str(path.relative_to(server.data_dir / "trail")) for path in files(server, "CloudTrail")}
    wait_until(lambda: names <= set(digested(server)), "all log files are in digests", 20)


def use(server, times=3):
    kms = server.client()
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    for _ in range(times):
        kms.encrypt(KeyId=key, Plaintext=b"secret text", EncryptionContext={"purpose": "test"})
    return key


def test_the_command_line_of_aws_finds_the_trail_valid(server):
    server.start()
    use(server)
    settled(server)
    result = validate(server)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "INVALID" not in result.stdout + result.stderr
    assert "log files valid" in result.stdout
    # A restart goes on with the chain.
    assert server.terminate() == 0
    server.start()
    use(server)
    settled(server)
    result = validate(server)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "INVALID" not in result.stdout + result.stderr


def verify(server, *arguments):
    ended = subprocess.run(
        [binary(), "audit", "verify", "--data-dir", str(server.data_dir), *arguments], capture_output=True, text=True, timeout=60
    )
    return ended.returncode, ended.stdout + ended.stderr


def change_a_log(server):
    path = files(server, "CloudTrail")[0]
    content = gzip.decompress(path.read_bytes())
    assert b"Encrypt" in content or b"CreateKey" in content
    changed = content.replace(b"127.0.0.1", b"127.0.0.2", 1)
    assert changed != content
    path.write_bytes(gzip.compress(changed))
    return path


def remove_a_log(server):
    path = files(server, "CloudTrail")[0]
    path.unlink()
    return path


def remove_a_digest(server):
    path = digests(server)[-2]
    path.unlink()
    return path


def remove_two_digests(server):
    first, second = digests(server)[-3:-1]
    first.unlink()
    second.unlink()
    return second


def remove_an_event(server):
    """Before its digest was made: the log file is there, one event short."""
    path = files(server, "CloudTrail")[0]
    log = json.loads(gzip.decompress(path.read_bytes()))
    del log["Records"][-1]
    path.write_bytes(gzip.compress(json.dumps(log).encode()))
    return path


def remove_the_newest_digest(server):
    path = digests(server)[-1]
    path.unlink()
    return path


def add_a_log(server):
    path = files(server, "CloudTrail")[0]
    added = path.with_name(path.name.replace("T", "U", 1))
    added.write_bytes(path.read_bytes())
    return added


# What was done, and whether `aws cloudtrail validate-logs` reports it. It sees nothing of what no digest speaks of.
TAMPERING = [
    (change_a_log, True),
    (remove_a_log, True),
    (remove_an_event, True),
    (remove_a_digest, True),
    (remove_two_digests, True),
    (remove_the_newest_digest, False),
    (add_a_log, False),
]


@pytest.mark.parametrize(("tamper", "is_seen_by_aws"), TAMPERING, ids=[tamper.__name__ for tamper, _ in TAMPERING])
def test_what_was_tampered_with_is_reported(server, tamper, is_seen_by_aws):
    server.start()
    use(server)
    settled(server)
    wait_until(lambda: len(digests(server)) >= 4, "four digests", 20)
    code, text = verify(server)
    assert code == 0, text
    # Nothing is delivered any more, so that what is found does not depend on time.
    assert server.terminate() == 0
    path = tamper(server)
    code, text = verify(server)
    assert code == 1, text
    assert path.name in text, text
    # Nor is a digest made that would speak of what is gone.
    server.config = server.config.replace("digest_seconds = 2", "digest_seconds = 86400")
    server.start()
    result = validate(server)
    said = result.stdout + result.stderr
    assert (result.returncode == 1) == is_seen_by_aws, said
    assert ("INVALID" in said) == is_seen_by_aws, said


def test_a_line_that_was_changed_before_it_was_delivered_is_reported(server):
    server.start()
    use(server)
    settled(server)
    assert server.terminate() == 0
    segment = max((server.data_dir / "audit").glob("w*-*.log"), key=lambda path: path.stat().st_size)
    segment.write_bytes(segment.read_bytes().replace(b"127.0.0.1", b"127.0.0.2", 1))
    code, text = verify(server)
    assert code == 1, text
    assert segment.name in text, text


def cut_the_segment(segment):
    lines = segment.read_bytes().splitlines(keepends=True)
    segment.write_bytes(b"".join(lines[:-1]))


def remove_the_segment(segment):
    segment.unlink()


def remove_all_segments(segment):
    shutil.rmtree(segment.parent)


@pytest.mark.parametrize("take_away", [cut_the_segment, remove_the_segment, remove_all_segments])
def test_a_stream_that_ends_before_what_was_delivered_is_reported(server, take_away):
    server.start()
    use(server)
    settled(server)
    assert server.terminate() == 0
    state = json.loads((server.data_dir / "trail/.keyreeve/state.json").read_text())["streams"]
    # The newest segment of a stream of which all was delivered.
    segments = [server.data_dir / "audit" / f"{stream}-{at['segment']:08}.log" for stream, at in state.items() if at["sequence"] > 1]
    segment = max(segments, key=lambda path: path.stat().st_size)
    assert verify(server)[0] == 0
    take_away(segment)
    code, text = verify(server)
    assert code == 1, text
    assert segment.name in text, text


def test_a_trail_that_was_removed_whole_is_missed_at_the_start(server):
    server.start()
    use(server)
    assert server.terminate() == 0
    assert "there is no audit trail beside it" not in server.log_path.read_text()
    for name in "audit", "trail":
        shutil.rmtree(server.data_dir / name)
    server.start()
    assert "there is no audit trail beside it" in server.log_path.read_text()


def test_a_clock_that_was_ahead_is_told_of_until_its_time_has_come(server):
    server.start()
    use(server)
    settled(server)
    assert server.terminate() == 0
    # As the delivery leaves it where the clock was two days ahead.
    path = server.data_dir / "trail/.keyreeve/state.json"
    state = json.loads(path.read_text())
    for chain in state["chains"].values():
        chain["end"] += 2 * 86_400_000
    path.write_text(json.dumps(state))
    server.start()
    trails = server.client(service="cloudtrail")
    told = lambda: trails.get_trail_status(Name="keyreeve").get("LatestDeliveryError", "")  # noqa: E731
    wait_until(lambda: "the clock was ahead" in told(), "the status tells of it")
    assert "the clock was ahead" in server.log_path.read_text()
    # Events are delivered nevertheless.
    key = use(server)
    wait_until(lambda: any(key in json.dumps(event) for event in delivered_events(server)), "they are delivered", 20)


def test_kills_under_load_lose_and_repeat_nothing(server, long):
    answered = []

    def load(kms):
        try:
            while True:
                key = kms.create_key()
                answered.append(key["ResponseMetadata"]["RequestId"])
                for _ in range(5):
                    answer = kms.encrypt(KeyId=key["KeyMetadata"]["KeyId"], Plaintext=b"x")
                    answered.append(answer["ResponseMetadata"]["RequestId"])
        except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError):
            pass

    pause = threading.Event()
    for turn in range(100 if long else 4):
        server.start()
        threads = [threading.Thread(target=load, args=(server.client(),)) for _ in range(4)]
        for thread in threads:
            thread.start()
        pause.wait(1.0 + 0.29 * (turn % 12))
        server.kill()
        for thread in threads:
            thread.join()
    server.start()
    settled(server)
    ids = delivered(server)
    assert len(ids) == len(set(ids)), "an event was delivered twice"
    trail = events(server.data_dir / "audit")
    done = {event["eventID"] for event in trail if not is_opened(event)}
    opened = {event["eventID"] for event in trail if is_opened(event)}
    # What was announced and not completed is delivered as such.
    wait_until(lambda: set(delivered(server)) >= done | opened, "all events are delivered", 20)
    requests = {event["requestID"] for event in trail if not is_opened(event)}
    assert set(answered) <= requests
    code, text = verify(server)
    assert code == 0, text
    result = validate(server)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "INVALID" not in result.stdout + result.stderr
    assert len(answered) > 100


def test_every_hour_has_its_digest(server):
    server.start()
    wait_until(lambda: len(digests(server)) >= 3, "three digests", 20)
    found = [json.loads(gzip.decompress(path.read_bytes())) for path in digests(server)]
    assert found[0]["previousDigestSignature"] is None
    for before, after in zip(found, found[1:], strict=False):
        assert before["digestEndTime"] == after["digestStartTime"]
        assert before["digestS3Object"] == after["previousDigestS3Object"]


def test_the_files_hold_no_secret(server):
    server.start()
    kms = server.client()
    key = use(server)
    sealed = kms.encrypt(KeyId=key, Plaintext=b"a very secret text")["CiphertextBlob"]
    kms.decrypt(CiphertextBlob=sealed)
    plain = kms.generate_data_key(KeyId=key, KeySpec="AES_256")["Plaintext"]
    made = server.client(service="iam").create_user(UserName="auditor") and server.client(service="iam").create_access_key(
        UserName="auditor"
    )
    secret = made["AccessKey"]["SecretAccessKey"]
    token = server.client(service="sts").get_session_token()["Credentials"]
    settled(server)
    root = server.data_dir / "trail"
    content = b"".join(
        gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes() for path in root.rglob("*") if path.is_file()
    )
    for needle in (
        b"a very secret text",
        base64.b64encode(b"a very secret text"),
        base64.b64encode(plain),
        plain.hex().encode(),
        secret.encode(),
        token["SecretAccessKey"].encode(),
        token["SessionToken"].encode(),
        server.credentials[1].encode(),
    ):
        assert needle not in content


def lookup(server, *arguments, **options):
    result = aws(server, "cloudtrail", "lookup-events", *arguments, **options)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)["Events"]


def test_events_are_looked_up_at_once_and_by_every_attribute(make_server):
    # Nothing is delivered while this runs.
    server = make_server().start()
    key = use(server, 2)
    arn = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{key}"
    found = lookup(server, "--lookup-attributes", "AttributeKey=EventName,AttributeValue=Encrypt")
    assert len(found) == 2
    event = json.loads(found[0]["CloudTrailEvent"])
    assert found[0]["EventId"] == event["eventID"]
    assert found[0]["Username"] == "root"
    assert found[0]["ReadOnly"] == "true"
    assert found[0]["EventSource"] == "kms.amazonaws.com"
    assert found[0]["Resources"] == [{"ResourceType": "AWS::KMS::Key", "ResourceName": arn}]
    for name, value, count in [
        ("EventId", event["eventID"], 1),
        ("EventName", "CreateKey", 1),
        ("EventName", "Decrypt", 0),
        ("ResourceName", arn, 3),
        ("ResourceName", key, 3),
        ("ResourceName", f"mrk-{'0' * 32}", 0),
        ("ResourceType", "AWS::KMS::Key", 3),
        ("EventSource", "kms.amazonaws.com", 3),
        ("AccessKeyId", "AKIAIOSFODNN7EXAMPLE", 0),
    ]:
        found = lookup(server, "--lookup-attributes", f"AttributeKey={name},AttributeValue={value}")
        assert len(found) == count, (name, value, found)
    for name, value in [("ReadOnly", "false"), ("Username", "root"), ("AccessKeyId", server.credentials[0])]:
        assert lookup(server, "--lookup-attributes", f"AttributeKey={name},AttributeValue={value}"), name
    times = [event["EventTime"] for event in lookup(server)]
    assert times == sorted(times, reverse=True)
    assert lookup(server, region="eu-west-1") == []


def test_a_lookup_has_pages_and_the_errors_of_aws(make_server):
    server = make_server().start()
    use(server, 5)
    client = server.client(service="cloudtrail")
    wanted = {"LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "Encrypt"}]}
    pages = client.get_paginator("lookup_events").paginate(**wanted, PaginationConfig={"PageSize": 2})
    ids = [[event["EventId"] for event in page["Events"]] for page in pages]
    assert [len(page) for page in ids] == [2, 2, 1]
    assert len({event for page in ids for event in page}) == 5
    token = client.lookup_events(**wanted, MaxResults=2)["NextToken"]
    unchecked = server.client(service="cloudtrail", validate=False)
    now = datetime.datetime.now(datetime.UTC)
    for parameters, code in [
        ({"NextToken": "AAAA"}, "InvalidNextTokenException"),
        ({"NextToken": token}, "InvalidNextTokenException"),
        ({"MaxResults": 0}, "InvalidMaxResultsException"),
        ({"MaxResults": 51}, "InvalidMaxResultsException"),
        ({"StartTime": now, "EndTime": now - datetime.timedelta(hours=1)}, "InvalidTimeRangeException"),
        (
            {"LookupAttributes": [{"AttributeKey": "Colour", "AttributeValue": "red"}]},
            "InvalidLookupAttributesException",
        ),
        (
            {"LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "a"}] * 2},
            "InvalidLookupAttributesException",
        ),
        (
            {"LookupAttributes": [{"AttributeKey": "ReadOnly", "AttributeValue": "True"}]},
            "InvalidLookupAttributesException",
        ),
        ({"StartTime": now + datetime.timedelta(hours=1)}, "InvalidTimeRangeException"),
        ({"EventCategory": "other"}, "InvalidEventCategoryException"),
    ]:
        with pytest.raises(botocore.exceptions.ClientError) as refused:
            unchecked.lookup_events(**parameters)
        assert refused.value.response["Error"]["Code"] == code, parameters
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        client.get_trail(Name="another")
    error = refused.value.response["Error"]
    assert (error["Code"], error["Message"]) == ("TrailNotFoundException", f"Unknown trail: another for the user: {ACCOUNT}")
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        client.get_trail_status(Name="another")
    arn = TRAIL.replace("keyreeve", "another")
    assert refused.value.response["Error"]["Message"] == f"Unknown trail: {arn} for the user: {ACCOUNT}"
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        client.get_trail(Name="ab")
    assert refused.value.response["Error"]["Code"] == "InvalidTrailNameException"
    assert client.get_trail(Name=TRAIL)["Trail"]["LogFileValidationEnabled"] is True
    status = client.get_trail_status(Name="keyreeve")
    assert status["IsLogging"] is True
    words = {name: text for name, text in status.items() if isinstance(text, str)}
    assert words.pop("TimeLoggingStarted") == status["StartLoggingTime"].astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert words.pop("LatestDeliveryAttemptTime") == words.pop("LatestDeliveryAttemptSucceeded")
    nothing = ("LatestNotificationAttemptTime", "LatestNotificationAttemptSucceeded", "TimeLoggingStopped")
    assert words == dict.fromkeys(nothing, "")
    assert client.list_trails()["Trails"][0]["TrailARN"] == TRAIL
    assert len(client.list_public_keys()["PublicKeyList"]) == 1
    assert len(client.list_public_keys(NextToken="whatever")["PublicKeyList"]) == 1, "a token is not read"
    asked = datetime.datetime(2026, 9, 1, 12, 5, 9, 500_000, datetime.UTC)
    client.lookup_events(StartTime=asked, MaxResults=1)
    (event,) = client.lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "LookupEvents"}], MaxResults=1
    )["Events"]
    assert json.loads(event["CloudTrailEvent"])["requestParameters"] == {"startTime": "2026-09-01T12:05:09Z", "maxResults": 1}


def test_a_user_reads_what_his_policies_allow(server):
    server.start()
    use(server)
    settled(server)
    iam = server.client(service="iam")
    iam.create_user(UserName="auditor")
    made = iam.create_access_key(UserName="auditor")["AccessKey"]
    pair = (made["AccessKeyId"], made["SecretAccessKey"])
    trail, s3 = (server.client(service=service, credentials=pair) for service in ("cloudtrail", "s3"))
    key = str(digests(server)[0].relative_to(server.data_dir / "trail"))
    calls = {
        "cloudtrail:LookupEvents": trail.lookup_events,
        "cloudtrail:DescribeTrails": trail.describe_trails,
        "cloudtrail:ListPublicKeys": trail.list_public_keys,
        "s3:GetObject": lambda: s3.get_object(Bucket="keyreeve-trail", Key=key),
        "s3:ListBucket": lambda: s3.list_objects_v2(Bucket="keyreeve-trail"),
        "s3:GetBucketLocation": lambda: s3.get_bucket_location(Bucket="keyreeve-trail"),
        "s3:ListAllMyBuckets": s3.list_buckets,
    }
    for action, call in calls.items():
        with pytest.raises(botocore.exceptions.ClientError) as refused:
            call()
        code = "AccessDenied" if action.startswith("s3:") else "AccessDeniedException"
        assert refused.value.response["Error"]["Code"] == code, action
        statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName="auditor", PolicyName="one", PolicyDocument=policy)
        call()
        iam.delete_user_policy(UserName="auditor", PolicyName="one")


def test_the_bucket_is_read_as_one_of_s3(server):
    server.start()
    use(server)
    settled(server)
    s3 = server.client(service="s3")
    names = sorted(
        str(path.relative_to(server.data_dir / "trail")) for path in [*files(server, "CloudTrail"), *digests(server)]
    )
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket="keyreeve-trail", Prefix="AWSLogs/", PaginationConfig={"PageSize": 2}
    )
    found = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    assert set(names) <= set(found)
    assert found == sorted(found)
    digest = str(digests(server)[0].relative_to(server.data_dir / "trail"))
    head = s3.head_object(Bucket="keyreeve-trail", Key=digest)
    body = s3.get_object(Bucket="keyreeve-trail", Key=digest)
    assert head["Metadata"] == body["Metadata"]
    assert body["Metadata"]["signature-algorithm"] == "SHA256withRSA"
    assert head["ContentLength"] == body["ContentLength"] == len(body["Body"].read())
    for call, parameters, code in [
        ("get_object", {"Bucket": "keyreeve-trail", "Key": f"AWSLogs/{ACCOUNT}/nothing"}, "NoSuchKey"),
        ("get_object", {"Bucket": "keyreeve-trail", "Key": "AWSLogs/111122223333/x"}, "AccessDenied"),
        ("get_object", {"Bucket": "keyreeve-trail", "Key": f"AWSLogs/{ACCOUNT}/../../.keyreeve/state.json"}, "NoSuchKey"),
        ("get_object", {"Bucket": "another", "Key": "x"}, "NoSuchBucket"),
        ("list_objects", {"Bucket": "another"}, "NoSuchBucket"),
        ("head_object", {"Bucket": "keyreeve-trail", "Key": f"AWSLogs/{ACCOUNT}/nothing"}, "404"),
        ("put_object", {"Bucket": "keyreeve-trail", "Key": "x", "Body": b""}, "NotImplemented"),
        ("delete_object", {"Bucket": "keyreeve-trail", "Key": digest}, "NotImplemented"),
    ]:
        with pytest.raises(botocore.exceptions.ClientError) as refused:
            getattr(s3, call)(**parameters)
        assert refused.value.response["Error"]["Code"] == code, (call, parameters)


def test_the_trail_is_searched_from_the_shell(make_server):
    server = make_server().start()
    key = use(server, 2)

    def search(*arguments):
        ended = subprocess.run(
            [binary(), "audit", "search", "--data-dir", str(server.data_dir), "--json", *arguments],
            capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        return [json.loads(line) for line in ended.stdout.splitlines()]

    assert len(search("--event-name", "Encrypt")) == 2
    assert len(search("--key", key)) == 3
    assert len(search("--key", key, "--event-name", "Encrypt", "--limit", "1")) == 1
    assert search("--principal", f"arn:aws:iam::{ACCOUNT}:root", "--key", key)
    assert search("--principal", "nobody") == []
    assert search("--to", "2020-01-01T00:00:00Z") == []


def test_segments_are_removed_once_they_are_delivered(make_server):
    server = make_server(config=FAST + "segment_mib = 1\nkeep_mib = 1\n", options=["--regions", "any"]).start()
    kms = server.client()
    key = use(server, 0)
    first = kms.encrypt(KeyId=key, Plaintext=b"x")["ResponseMetadata"]["RequestId"]
    text = {f"name {number}": "x" * 1000 for number in range(8)}

    def fill():
        client = server.client()
        for _ in range(150):
            client.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext=text)

    threads = [threading.Thread(target=fill) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    def encrypted():
        return sum(event["eventName"] == "Encrypt" for event in delivered_events(server))

    # Segments may be gone already, so the log files alone say what was done.
    wait_until(lambda: encrypted() == 601, "all events are delivered", 20)
    in_digests(server)
    audit = server.data_dir / "audit"
    wait_until(lambda: sum(path.stat().st_size for path in audit.glob("*.log")) < 3 << 20, "segments are removed", 20)
    assert not (audit / "w0-00000001.log").exists() or not (audit / "w1-00000001.log").exists()
    code, text = verify(server)
    assert code == 0, text
    assert first in "".join(gzip.decompress(path.read_bytes()).decode() for path in files(server, "CloudTrail"))
    ids = delivered(server)
    assert len(ids) == len(set(ids))
    assert len(lookup(server, "--lookup-attributes", "AttributeKey=EventName,AttributeValue=Encrypt", "--max-items", "70")) == 70
    # The rest is as before, across a restart too.
    server.kill()
    server.start()
    use(server)
    code, text = verify(server)
    assert code == 0, text
    segment = min(audit.glob("w*.log"))
    segment.unlink()
    code, text = verify(server)
    assert code == 1, text


def test_an_account_sees_its_own_events_and_files_alone(server):
    other = "444455556666"
    server.start()
    assert server.terminate() == 0
    subprocess.run(
        [binary(), "account", "create", "--account", other, "--data-dir", str(server.data_dir)],
        env=clean_environment(), check=True, capture_output=True, timeout=30,
    )  # fmt: skip
    server.start()
    use(server)
    settled(server)
    pair = read_credentials(server.data_dir / "accounts" / other / "credentials")
    server.client(credentials=pair).create_key()
    found = lookup(server, credentials=pair)
    assert {json.loads(event["CloudTrailEvent"])["recipientAccountId"] for event in found} == {other}
    assert {json.loads(event["CloudTrailEvent"])["recipientAccountId"] for event in lookup(server)} == {ACCOUNT}
    s3 = server.client(service="s3", credentials=pair)
    mine = str(digests(server)[0].relative_to(server.data_dir / "trail"))
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        s3.get_object(Bucket="keyreeve-trail", Key=mine)
    assert refused.value.response["Error"]["Code"] == "AccessDenied"
    for prefix in ("", "AWSLogs/", f"AWSLogs/{ACCOUNT}/"):
        listed = s3.list_objects_v2(Bucket="keyreeve-trail", Prefix=prefix).get("Contents", [])
        assert all(entry["Key"].startswith(f"AWSLogs/{other}/") for entry in listed), prefix
    arn = f"arn:aws:cloudtrail:{REGION}:{other}:trail/keyreeve"
    root = server.data_dir / "trail" / "AWSLogs" / other / "CloudTrail-Digest"
    wait_until(lambda: len(list(root.rglob("*.gz"))) >= 2, "two digests of the other account", 20)
    result = aws(server, "cloudtrail", "validate-logs", "--trail-arn", arn, "--start-time", START, credentials=pair)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "INVALID" not in result.stdout + result.stderr
    assert "digest files valid" in result.stdout


def test_each_region_is_proven_from_its_first_event_on(make_server):
    server = make_server(config=FAST, options=["--regions", "any"]).start()
    use(server)
    settled(server)
    wait_until(lambda: len(digests(server)) > 2, "the home Region has some digests", 20)
    late = "eu-west-1"
    server.client(region=late).create_key()

    def in_digest(region):
        """The log files that digests of the Region name. Whoever looks at them there makes more, which none names yet."""
        named = [json.loads(gzip.decompress(path.read_bytes()))["logFiles"] for path in digests(server, region)]
        return [log["s3Object"] for logs in named for log in logs]

    wait_until(lambda: in_digest(late), "the new Region has a digest", 20)
    # It has digests from then on, whether anything happens in it or not.
    begun = len(digests(server, late))
    wait_until(lambda: len(digests(server, late)) > begun + 1, "further digests", 20)
    for region in (REGION, late):
        asked = ["cloudtrail", "validate-logs", "--trail-arn", TRAIL, "--start-time", START, "--region", region, "--verbose"]
        result = aws(server, *asked, region=region)
        assert result.returncode == 0 and "INVALID" not in result.stdout + result.stderr, result.stdout + result.stderr
        assert f"CloudTrail-Digest/{region}/" in result.stdout, result.stdout
    code, said = verify(server)
    assert code == 0, said
    assert all(f"chain {ACCOUNT}/{region}: its newest digest ends at" in said for region in (REGION, late)), said
    # What is taken out of one Region is missed there.
    (server.data_dir / "trail" / in_digest(late)[0]).unlink()
    asked = ["cloudtrail", "validate-logs", "--trail-arn", TRAIL, "--start-time", START, "--region"]
    assert "INVALID: not found" in aws(server, *asked, late, region=late).stderr
    result = aws(server, *asked, REGION)
    assert result.returncode == 0 and "INVALID" not in result.stdout + result.stderr
    code, said = verify(server)
    assert code == 1 and "the log file is missing" in said, said
