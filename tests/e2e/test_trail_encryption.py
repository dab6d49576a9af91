"""Log files under a KMS key: who opens them, what a key that is gone stops, and what can be proven without it."""

import gzip
import json
import re
import shutil
import subprocess

import botocore.exceptions
import bucket as buckets
import httpx
import pytest
from audit import completed
from moto.server import ThreadedMotoServer
from server import ACCOUNT, REGION, aws_command, binary, wait_until

TRAIL = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/keyreeve"
START = "2020-01-01T00:00:00Z"
CONFIG = """
[audit]
log_seconds = 1
digest_seconds = 2
kms_key = "alias/trail"
"""
# As AWS has it, with the right to open them again for a bucket.
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "Administration",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            "Action": "kms:*",
            "Resource": "*",
        },
        {
            "Sid": "CloudTrail encrypts",
            "Effect": "Allow",
            "Principal": {"Service": "cloudtrail.amazonaws.com"},
            "Action": ["kms:GenerateDataKey*", "kms:Decrypt"],
            "Resource": "*",
            "Condition": {
                "StringEquals": {"aws:SourceArn": TRAIL},
                "StringLike": {"kms:EncryptionContext:aws:cloudtrail:arn": f"arn:aws:cloudtrail:*:{ACCOUNT}:trail/*"},
            },
        },
    ],
}


@pytest.fixture
def server(make_server):
    return make_server(config=CONFIG).start()


def make_key(server, policy=POLICY):
    kms = server.client()
    key = kms.create_key(Policy=json.dumps(policy))["KeyMetadata"]
    kms.create_alias(AliasName="alias/trail", TargetKeyId=key["KeyId"])
    return key["Arn"]


def files(server, kind="CloudTrail"):
    root = server.data_dir / "trail"
    return sorted(str(path.relative_to(root)) for path in (root / "AWSLogs").glob(f"*/{kind}/**/*.json.gz"))


def status(server):
    return server.client(service="cloudtrail").get_trail_status(Name="keyreeve")


def opened(server):
    """The events of all log files, as S3 gives them to whoever may."""
    s3 = server.client(service="s3")
    return [
        event
        for key in files(server)
        for event in json.loads(gzip.decompress(s3.get_object(Bucket="keyreeve-trail", Key=key)["Body"].read()))["Records"]
    ]


def arrived(server):
    ids = {event["eventID"] for event in completed(server.data_dir / "audit").values()}
    wait_until(lambda: ids <= {event["eventID"] for event in opened(server)}, "all events are delivered", 40)


def in_digests(server):
    """The log files that are there, once they are in digests. Each look at them is an event, so that more come."""
    names = set(files(server))
    root = server.data_dir / "trail"

    def are():
        digests = [json.loads(gzip.decompress((root / key).read_bytes())) for key in files(server, "CloudTrail-Digest")]
        return names <= {log["s3Object"] for digest in digests for log in digest["logFiles"]}

    wait_until(are, "all log files are in digests", 40)
    return sorted(names)


def validate(server, s3_url=None):
    environment = server.environment_of_clients(REGION)
    environment["AWS_ENDPOINT_URL_CLOUDTRAIL"] = server.url
    environment["AWS_ENDPOINT_URL_S3"] = s3_url or server.url
    command = ["cloudtrail", "validate-logs", "--trail-arn", TRAIL, "--start-time", START, "--verbose"]
    ended = subprocess.run([*aws_command(), *command], env=environment, capture_output=True, text=True, timeout=120)
    return ended.returncode, ended.stdout + ended.stderr


def verify(server, *more):
    ended = subprocess.run(
        [binary(), "audit", "verify", "--data-dir", str(server.data_dir), *more], capture_output=True, text=True, timeout=60
    )
    return ended.returncode, ended.stdout + ended.stderr


def refused(call, **parameters):
    with pytest.raises(botocore.exceptions.ClientError) as error:
        call(**parameters)
    return error.value.response["Error"]["Code"], error.value.response["Error"].get("Message", "")


def test_log_files_are_encrypted_and_validated_by_whoever_may_decrypt(server):
    # Until there is a key, nothing is delivered, and nothing else is held up.
    server.client().generate_random(NumberOfBytes=8)
    wait_until(lambda: "NotFoundException" in status(server).get("LatestDeliveryError", ""), "it is told", 20)
    assert files(server) == []
    arn = make_key(server)
    arrived(server)
    in_digests(server)
    assert "LatestDeliveryError" not in status(server)
    root = server.data_dir / "trail"
    for key in files(server):
        content = (root / key).read_bytes()
        assert content.startswith(b"KRTRAIL\x01"), key
        assert b"eventName" not in content
    assert all((root / key).read_bytes().startswith(b"\x1f\x8b") for key in files(server, "CloudTrail-Digest"))
    trail = server.client(service="cloudtrail").get_trail(Name="keyreeve")["Trail"]
    assert trail["KmsKeyId"] == f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/trail"
    # Each call of the service is in the trail, in a later file than the one that it was for.
    def calls(name):
        return [event for event in opened(server) if event["eventName"] == name and "errorCode" not in event]

    wait_until(lambda: calls("GenerateDataKey") and calls("Decrypt"), "the calls are delivered", 40)
    good = calls("GenerateDataKey")
    assert all(event["userIdentity"]["invokedBy"] == "cloudtrail.amazonaws.com" for event in good)
    context = good[0]["requestParameters"]["encryptionContext"]
    assert context["aws:cloudtrail:arn"] == TRAIL
    assert context["aws:s3:arn"].startswith("arn:aws:s3:::keyreeve-trail/AWSLogs/")
    assert {event["userIdentity"]["invokedBy"] for event in calls("Decrypt")} == {"s3.amazonaws.com"}
    # What S3 says of an object.
    s3 = server.client(service="s3")
    for key in files(server):
        head = s3.head_object(Bucket="keyreeve-trail", Key=key)
        body = s3.get_object(Bucket="keyreeve-trail", Key=key)
        listed = s3.list_objects_v2(Bucket="keyreeve-trail", Prefix=key)["Contents"][0]
        assert head["ServerSideEncryption"] == body["ServerSideEncryption"] == "aws:kms"
        assert head["SSEKMSKeyId"] == body["SSEKMSKeyId"] == arn
        content = body["Body"].read()
        assert head["ContentLength"] == body["ContentLength"] == listed["Size"] == len(content)
        part = s3.get_object(Bucket="keyreeve-trail", Key=key, Range="bytes=5-20")
        assert part["Body"].read() == content[5:21]
    code, text = validate(server)
    assert code == 0, text
    assert "INVALID" not in text, text
    assert re.search(r"[1-9]\d*/\d+ log files valid", text), text
    # Without any key, the files are proven to be those of the signed digests.
    code, text = verify(server)
    assert code == 0, text
    assert re.search(r"encrypted: [1-9]", text), text


def test_a_reader_needs_the_right_to_decrypt(server):
    arn = make_key(server)
    arrived(server)
    iam = server.client(service="iam")
    iam.create_user(UserName="auditor")
    made = iam.create_access_key(UserName="auditor")["AccessKey"]
    pair = (made["AccessKeyId"], made["SecretAccessKey"])
    s3 = server.client(service="s3", credentials=pair)
    key = files(server)[0]

    def allow(*statements):
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement} for statement in statements]}
        iam.put_user_policy(UserName="auditor", PolicyName="one", PolicyDocument=json.dumps(policy))

    read = {"Action": "s3:GetObject", "Resource": "*"}
    allow(read)
    code, text = refused(s3.get_object, Bucket="keyreeve-trail", Key=key)
    assert code == "AccessDenied"
    assert "kms:Decrypt" in text
    s3.head_object(Bucket="keyreeve-trail", Key=key)
    via = {"StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}}
    allow(read, {"Action": "kms:Decrypt", "Resource": arn, "Condition": via})
    body = s3.get_object(Bucket="keyreeve-trail", Key=key)["Body"].read()
    assert json.loads(gzip.decompress(body))["Records"]
    server.client().disable_key(KeyId=arn)
    assert refused(s3.get_object, Bucket="keyreeve-trail", Key=key)[0] == "KMS.DisabledException"


def test_a_key_that_is_disabled_stops_the_delivery_and_loses_nothing(server):
    arn = make_key(server)
    arrived(server)
    kms = server.client()
    kms.disable_key(KeyId=arn)
    wait_until(lambda: "DisabledException" in status(server).get("LatestDeliveryError", ""), "it is told", 20)
    before, digests = files(server), len(files(server, "CloudTrail-Digest"))
    for _ in range(5):
        kms.generate_random(NumberOfBytes=8)
    found = re.search(r"^keyreeve_trail_delivery_failures ([0-9.]+)", httpx.get(f"{server.url}/metrics").text, re.MULTILINE)
    assert float(found.group(1)) >= 1
    wait_until(lambda: len(files(server, "CloudTrail-Digest")) > digests, "digests are still made", 40)
    assert files(server) == before
    # Over a kill as well.
    server.kill()
    server.start()
    wait_until(lambda: "DisabledException" in status(server).get("LatestDeliveryError", ""), "it is told", 20)
    server.client().enable_key(KeyId=arn)
    arrived(server)
    ids = [event["eventID"] for event in opened(server)]
    assert len(ids) == len(set(ids)), "an event was delivered twice"
    code, text = verify(server)
    assert code == 0, text


def test_a_policy_that_does_not_let_the_service_in_stops_the_delivery(server):
    make_key(server, {**POLICY, "Statement": POLICY["Statement"][:1]})
    wait_until(lambda: "AccessDenied" in status(server).get("LatestDeliveryError", ""), "it is told", 20)
    assert files(server) == []


@pytest.mark.parametrize("change", ["flip", "swap", "replace"])
def test_what_was_done_to_an_encrypted_file_is_found_without_its_key(server, change):
    make_key(server)
    arrived(server)
    wait_until(lambda: len(files(server)) >= 2, "two log files", 20)
    key, other = in_digests(server)[:2]
    assert server.terminate() == 0
    root = server.data_dir / "trail"
    content = bytearray((root / key).read_bytes())
    if change == "flip":
        content[-1] ^= 1
    elif change == "swap":
        content = (root / other).read_bytes()
    else:
        content = gzip.compress(b'{"Records":[]}')
    (root / key).write_bytes(content)
    code, text = verify(server)
    assert code == 1, text
    assert key in text, text
    server.start()
    s3 = server.client(service="s3")
    if change != "replace":
        assert refused(s3.get_object, Bucket="keyreeve-trail", Key=key)[0] == "InternalFailure"
    code, text = validate(server)
    assert code != 0, text


def numbers(text):
    """How many log files and events were read, and how many log files opened and not."""
    found = re.search(r"delivered: \d+ digests, (\d+) log files with (\d+) events", text)
    opened = re.search(r"encrypted: (\d+) of them, which were opened", text)
    closed = re.search(r"encrypted: (\d+) of them, as their digests say", text)
    return int(found.group(1)), int(found.group(2)), *(int(each.group(1)) if each else 0 for each in (opened, closed))


def test_with_the_data_directory_their_events_are_proven_as_plain_ones(server, tmp_path):
    make_key(server)
    kms = server.client()
    for _ in range(3):
        kms.generate_random(NumberOfBytes=8)
    arrived(server)
    in_digests(server)
    # The store of a service that runs is not to be had: what can be proven is, and what cannot is named.
    code, text = verify(server, "--decrypt")
    assert code == 8 and "the audit trail is whole" not in text, text
    assert "NOT PROVEN: the events of" in text and "in use" in text, text
    assert server.terminate() == 0
    logs, events, opened, closed = numbers(verify(server)[1])
    assert (events, opened, closed) == (0, 0, logs) and logs > 0
    before = len(completed(server.data_dir / "audit"))
    code, text = verify(server, "--decrypt")
    assert code == 0 and "NOT PROVEN" not in text, text
    proven, events, opened, closed = numbers(text)
    assert (proven, opened, closed) == (logs, logs, 0) and events > 3
    # Each use of the key is on record.
    calls = [event for event in completed(server.data_dir / "audit").values() if event["userAgent"] == "keyreeve audit verify"]
    assert [call["eventName"] for call in calls] == ["Decrypt"] * logs
    assert len(completed(server.data_dir / "audit")) == before + logs
    # A copy of the folder is opened with the data directory beside it, and not without the option.
    copy = tmp_path / "copy"
    shutil.copytree(server.data_dir / "trail", copy, ignore=shutil.ignore_patterns(".keyreeve"))
    of_copy = ["--folder", str(copy), "--public-keys", str(server.data_dir / "trail/.keyreeve/public-keys.json")]
    code, text = verify(server, *of_copy, "--decrypt")
    assert code == 0, text
    assert numbers(text)[2:] == (numbers(text)[0], 0) and numbers(text)[1] > 0, text
    code, text = verify(server, *of_copy)
    assert code == 2 and "--decrypt" in text, text
    # An event that stands in no log file is found, as with plain ones: here the state says that one more was read.
    state = json.loads((server.data_dir / "trail/.keyreeve/state.json").read_text())
    newest = max((server.data_dir / "audit").glob("control-*.log"))
    sequence, line_hash = newest.read_bytes().splitlines()[-1].split(b" ")[:2]
    state["streams"]["control"] |= {
        "segment": int(newest.stem.split("-")[1]), "offset": newest.stat().st_size, "sequence": int(sequence), "hash": line_hash.decode()
    }  # fmt: skip
    (server.data_dir / "trail/.keyreeve/state.json").write_text(json.dumps(state))
    assert verify(server)[0] == 0
    code, text = verify(server, "--decrypt")
    assert code == 1 and "the event stands in no log file" in text, text


def test_a_key_that_does_not_open_them_is_named_with_what_is_not_proven(server):
    arn = make_key(server)
    wait_until(lambda: files(server), "a log file", 20)
    in_digests(server)
    server.client().disable_key(KeyId=arn)
    assert server.terminate() == 0
    code, text = verify(server, "--decrypt")
    assert code == 8 and "the audit trail is whole" not in text, text
    logs, events, opened, closed = numbers(text)
    assert (events, opened, closed) == (0, 0, logs)
    assert f"NOT PROVEN: the events of {logs} encrypted log files, which do not open ({arn}: DisabledException" in text, text


def test_a_bucket_gets_them_in_the_clear_and_encrypts_by_itself(make_server):
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    bucket = buckets.Bucket("http://{}:{}".format(*moto.get_host_and_port())).open()
    try:
        config = bucket.config(more='sse_kms_key = "alias/elsewhere"\n')
        config = config.replace("[audit]", '[audit]\nkms_key = "alias/trail"')
        server = make_server(config=config, environment=bucket.environment).start()
        make_key(server)
        wait_until(lambda: files(server), "log files", 30)
        in_digests(server)
        names = set(files(server)) | set(files(server, "CloudTrail-Digest"))
        wait_until(lambda: names <= set(bucket.versions()), "all of it is in the bucket", 40)
        for content, _, answer in bucket.objects().values():
            gzip.decompress(content)
            assert answer["ServerSideEncryption"] == "aws:kms"
        code, text = validate(server, bucket.url)
        assert code == 0, text
        assert "INVALID" not in text, text
    finally:
        bucket.close()
        moto.stop()
