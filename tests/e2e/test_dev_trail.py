"""The trail in the test mode: found at once, in memory too, and delivered by a clock that jumps, is set back and is reset."""

import json
import re
import subprocess

import pytest
from botocore.exceptions import ClientError
from server import ACCOUNT, REGION, binary
from test_dev_mode import DAY, DevServer
from test_trail import START, TRAIL, aws, delivered, digests, files, use

GROUP = "CloudTrail/KMS"
HOUR = 3600


@pytest.fixture
def dev(tmp_path):
    made = []

    def make(in_memory=False, **options):
        made.append(DevServer(tmp_path / "data", in_memory=in_memory, **options))
        return made[-1].start()

    yield make
    for server in made:
        server.kill()


def looked_up(server, **by):
    """The events of LookupEvents, the newest first."""
    client = server.client(service="cloudtrail")
    attributes = [{"AttributeKey": key, "AttributeValue": value} for key, value in by.items()]
    pages = client.get_paginator("lookup_events").paginate(LookupAttributes=attributes)
    return [json.loads(event["CloudTrailEvent"]) for page in pages for event in page["Events"]]


def filtered(server, pattern):
    pages = server.client(service="logs").get_paginator("filter_log_events").paginate(logGroupName=GROUP, filterPattern=pattern)
    return [json.loads(event["message"]) for page in pages for event in page["events"]]


def validated(server):
    """What validate-logs says of everything up to the time of the clock, and how much of each it found valid."""
    end = server.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    done = aws(
        server, "cloudtrail", "validate-logs", "--trail-arn", TRAIL, "--start-time", START, "--end-time", end, "--verbose"
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "INVALID" not in said and "Traceback" not in said
    return said


def proven(server):
    done = subprocess.run(
        [binary(), "audit", "verify", "--data-dir", str(server.data_dir)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("in_memory", [True, False])
def test_the_call_of_an_application_is_found_at_once(dev, in_memory):
    server = dev(in_memory)
    key = use(server, 3)
    arn = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{key}"
    with pytest.raises(ClientError):
        server.client().encrypt(KeyId="alias/missing", Plaintext=b"x")
    assert [event["eventName"] for event in looked_up(server, ResourceName=arn)] == ["Encrypt"] * 3 + ["CreateKey"]
    assert [event["eventName"] for event in filtered(server, "{ $.resources[0].ARN = " + arn + " }")] == ["CreateKey"] + ["Encrypt"] * 3
    assert [event["errorCode"] for event in filtered(server, "{ $.errorCode = NotFoundException }")] == ["NotFoundException"]
    logs = server.client(service="logs")
    assert logs.describe_log_groups()["logGroups"][0]["logGroupName"] == GROUP
    stream = logs.describe_log_streams(logGroupName=GROUP)["logStreams"][0]
    assert stream["firstEventTimestamp"] <= stream["lastEventTimestamp"]
    assert logs.get_log_events(logGroupName=GROUP, logStreamName=stream["logStreamName"])["events"]
    trail = server.client(service="cloudtrail")
    assert trail.describe_trails()["trailList"][0]["TrailARN"] == trail.get_trail(Name="keyreeve")["Trail"]["TrailARN"] == TRAIL
    assert trail.get_trail_status(Name="keyreeve")["IsLogging"] is True
    assert len(trail.list_public_keys()["PublicKeyList"]) == (0 if in_memory else 1)
    # Another account sees its own.
    other = server.client(service="cloudtrail", credentials=("111122223333", "test"))
    assert all(event["Username"] == "root" for event in other.lookup_events()["Events"])
    assert not any(key in event["CloudTrailEvent"] for event in other.lookup_events()["Events"])


def test_in_memory_nothing_is_delivered_and_the_status_says_so(dev):
    server = dev(in_memory=True)
    use(server)
    status = server.client(service="cloudtrail").get_trail_status(Name="keyreeve")
    assert status["LatestDeliveryError"] == "Nothing is delivered with --in-memory."
    assert "LatestDeliveryTime" not in status and "LatestDigestDeliveryTime" not in status
    s3 = server.client(service="s3")
    assert s3.list_objects_v2(Bucket="keyreeve-trail")["KeyCount"] == 0
    server.advance(DAY)
    assert s3.list_objects_v2(Bucket="keyreeve-trail")["KeyCount"] == 0


def test_in_memory_the_newest_events_are_kept(dev):
    server = dev(in_memory=True)
    kms = server.client()
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    agent = "x" * 200
    kms = server.client(user_agent_extra=agent * 100)
    for _ in range(2000):
        kms.encrypt(KeyId=key, Plaintext=b"x")
    last = kms.generate_mac
    with pytest.raises(ClientError):
        last(KeyId=key, Message=b"x", MacAlgorithm="HMAC_SHA_256")
    names = {event["eventName"] for event in looked_up(server, EventName="GenerateMac")}
    assert names == {"GenerateMac"}
    assert 0 < len(looked_up(server, EventName="Encrypt")) <= 2000


def test_a_reset_in_memory_forgets_the_events(dev):
    server = dev(in_memory=True)
    use(server)
    server.reset()
    assert looked_up(server, EventName="Encrypt") == []
    assert len(looked_up(server, EventName="Reset")) == 1
    use(server, 1)
    assert len(looked_up(server, EventName="Encrypt")) == 1


def test_what_comes_due_on_the_way_is_found_at_its_time(dev):
    server = dev()
    kms = server.client()
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=90)
    began = server.now()
    server.advance(100 * DAY)
    (rotated,) = looked_up(server, EventName="RotateKey")
    assert rotated["eventTime"].startswith((began.replace(microsecond=0)).date().isoformat()[:2])
    trail = server.client(service="cloudtrail")
    (event,) = trail.lookup_events(LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "RotateKey"}])["Events"]
    assert 89 <= (event["EventTime"] - began).total_seconds() / DAY <= 91
    proven(server)


def test_a_jump_forward_delivers_its_hours_before_it_is_answered(dev):
    server = dev()
    use(server)
    server.advance(5 * HOUR)
    assert len(digests(server)) == 5
    assert len(delivered(server)) >= 4
    said = validated(server)
    # The first look of the delivery may have come before the last use.
    assert "5/5 digest files valid" in said and re.search(r"\b([12])/\1 log files valid", said), said
    # Those of two days are made one by one, and one more for all that remains.
    server.advance(300 * DAY)
    assert 5 + 48 <= len(digests(server)) <= 5 + 50
    validated(server)
    proven(server)
    status = server.client(service="cloudtrail").get_trail_status(Name="keyreeve")
    assert "LatestDeliveryError" not in status
    assert 0 <= (server.now() - status["LatestDigestDeliveryTime"]).total_seconds() <= HOUR


def test_after_a_step_back_the_delivery_begins_anew(dev):
    server = dev()
    use(server)
    server.advance(40 * DAY)
    use(server, 1)
    server.advance(2 * HOUR)
    ahead = {path.name for path in digests(server)}
    back = server.post("/_keyreeve/clock", {"set": "2025-03-01T10:20:00Z"})
    assert back["now"].startswith("2025-03-01T10:2")
    assert digests(server) == [], "the chain begins anew"
    use(server, 2)
    server.advance(3 * HOUR)
    assert len(digests(server)) == 3 and not ahead & {path.name for path in digests(server)}
    said = validated(server)
    assert "3/3 digest files valid" in said, said
    ids = delivered(server)
    assert len(ids) == len(set(ids)), "everything once"
    proven(server)
    # What is still to come is found by those who say until when; the newest that happened come first.
    names = [event["eventName"] for event in looked_up(server, EventName="Encrypt")]
    assert len(names) == 2
    trail = server.client(service="cloudtrail")
    found = trail.lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "Encrypt"}], EndTime="2100-01-01T00:00:00Z"
    )
    assert len(found["Events"]) == 6


def test_after_a_reset_and_a_restart_the_trail_is_whole(dev):
    server = dev()
    use(server)
    server.advance(30 * DAY)
    server.reset()
    assert digests(server) == []
    use(server, 2)
    server.advance(2 * HOUR)
    assert len(digests(server)) == 2
    validated(server)
    proven(server)
    # The clock is the system's after a restart, and the delivery is ahead of it.
    assert server.terminate() == 0
    server.start()
    use(server, 1)
    server.advance(HOUR)
    assert len(digests(server)) == 1 and files(server, "CloudTrail")
    assert "1/1 digest files valid" in validated(server)
    proven(server)
    assert len(looked_up(server, EventName="Encrypt")) == 6


def test_a_kill_anywhere_in_a_move_leaves_a_trail_that_is_proven(dev):
    server = dev()
    for turn in range(6):
        use(server, 2)
        mover = subprocess.Popen(
            ["curl", "-s", "-d", json.dumps({"advance_seconds": 20 * DAY}), server.url + "/_keyreeve/clock"], stdout=subprocess.DEVNULL
        )
        try:
            mover.wait(timeout=0.02 * (turn + 1))
        except subprocess.TimeoutExpired:
            pass
        server.kill()
        mover.wait()
        proven(server)
        server.start()
    server.advance(HOUR)
    validated(server)
    proven(server)


def test_log_files_under_a_kms_key_follow_the_clock_too(dev, tmp_path):
    seed = tmp_path / "seed.yaml"
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"},
            {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "kms:GenerateDataKey*", "Resource": "*"},
        ],
    }
    key = "1234abcd-12ab-34cd-56ef-1234567890ab"
    seed.write_text(json.dumps({"keys": [{"id": key, "policy": policy}]}))
    server = DevServer(tmp_path / "sealed", seed, in_memory=False, config=f'[audit]\nkms_key = "{key}"\n').start()
    try:
        use(server)
        server.advance(3 * HOUR)
        assert "valid" in validated(server)
        server.reset()
        use(server)
        server.advance(HOUR)
        assert "1/1 digest files valid" in validated(server)
        proven(server)
    finally:
        server.kill()
