"""The trail in a bucket of somebody else's S3, whatever that does, with the unmodified AWS command line."""

import gzip
import json
import re
import subprocess
import threading
import time

import bucket as buckets
import httpx
import pytest
from audit import completed
from moto.server import ThreadedMotoServer
from server import ACCOUNT, REGION, REPOSITORY, aws_command, binary, wait_until

TRAIL = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/keyreeve"
START = "2020-01-01T00:00:00Z"


@pytest.fixture(scope="module")
def moto():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def bucket(moto):
    made = buckets.Bucket(moto).open()
    yield made
    made.close()


@pytest.fixture
def start(make_server, bucket):
    def made(prefix="", more="", name="data", environment=bucket.environment):
        return make_server(name, config=bucket.config(prefix, more), environment=environment).start()

    return made


def use(server, times=3):
    kms = server.client()
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    for _ in range(times):
        kms.encrypt(KeyId=key, Plaintext=b"secret text")
    return key


def delivered(server):
    """The files of the folder, by name."""
    root = server.data_dir / "trail"
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*.json.gz")
        if ".keyreeve" not in path.parts
    }


def arrived(server, bucket, seconds=30):
    """Waits until every event so far is in a digest, and all of that in the bucket."""
    ids = {event["eventID"] for event in completed(server.data_dir / "audit").values()}

    def is_there():
        objects = bucket.objects()
        contents = {key: json.loads(gzip.decompress(content)) for key, (content, _, _) in objects.items()}
        logs = {key: content for key, content in contents.items() if "Records" in content}
        found = {event["eventID"] for content in logs.values() for event in content["Records"]}
        named = {log["s3Object"] for content in contents.values() for log in content.get("logFiles", [])}
        return ids <= found and set(logs) <= named

    wait_until(is_there, "all events are in the bucket", seconds)


def metric(server, name):
    text = httpx.get(f"{server.url}/metrics").text
    found = re.search(rf"^keyreeve_{name}(?:_total)? ([0-9.e+]+)$", text, re.MULTILINE)
    return float(found.group(1)) if found else None


def is_intact(server, bucket):
    """Everything that is in the bucket is what was delivered, was written once, and no digest came before its log files."""
    versions = bucket.versions()
    assert len(versions) == len(set(versions)), "an object was written twice"
    local = delivered(server)
    for key, (content, _, _) in bucket.objects().items():
        assert local[key] == content, key


def validate(server, bucket, profile=None):
    """With both endpoints in the environment, or in a file as a user would have it."""
    environment = server.environment_of_clients(REGION)
    if profile:
        profile.write_text(
            f"[profile trail]\nservices = trail\n\n[services trail]\ncloudtrail =\n  endpoint_url = {server.url}\n"
            f"s3 =\n  endpoint_url = {bucket.url}\n"
        )
        del environment["AWS_ENDPOINT_URL"]
        environment |= {"AWS_CONFIG_FILE": str(profile), "AWS_PROFILE": "trail"}
    else:
        environment |= {"AWS_ENDPOINT_URL_CLOUDTRAIL": server.url, "AWS_ENDPOINT_URL_S3": bucket.url}
    command = ["cloudtrail", "validate-logs", "--trail-arn", TRAIL, "--start-time", START, "--verbose"]
    ended = subprocess.run([*aws_command(), *command], env=environment, capture_output=True, text=True, timeout=120)
    return ended.returncode, ended.stdout + ended.stderr


@pytest.mark.parametrize("prefix", ["", "logs/kms"])
def test_the_command_line_of_aws_finds_the_trail_in_the_bucket_valid(bucket, start, prefix, tmp_path):
    server = start(prefix)
    use(server)
    arrived(server, bucket)
    is_intact(server, bucket)
    objects = bucket.objects()
    assert all(key.startswith(f"{prefix}/AWSLogs/{ACCOUNT}/" if prefix else f"AWSLogs/{ACCOUNT}/") for key in objects)
    for key, (_, metadata, answer) in objects.items():
        assert answer["ContentType"] == "application/json"
        assert answer["ContentEncoding"] == "gzip"
        is_digest = "/CloudTrail-Digest/" in key
        assert set(metadata) == ({"signature", "signature-algorithm"} if is_digest else set()), key
    trail = server.client(service="cloudtrail").get_trail(Name="keyreeve")["Trail"]
    assert trail["S3BucketName"] == bucket.name
    assert trail.get("S3KeyPrefix", "") == prefix
    asked = len(bucket.requests)
    code, text = validate(server, bucket)
    assert code == 0, text
    assert "INVALID" not in text, text
    assert re.search(r"[1-9]\d*/\d+ log files valid", text), text
    assert any(method == "GET" for method, _, _ in bucket.requests[asked:]), "it was not the bucket that was read"
    asked = len(bucket.requests)
    code, text = validate(server, bucket, tmp_path / "aws-config")
    assert code == 0, text
    assert any(method == "GET" for method, _, _ in bucket.requests[asked:]), "it was not the bucket that was read"
    # What the service itself serves of the folder is the same.
    code, text = validate(server, server_as_bucket(server))
    assert code == 0, text
    # A restart goes on.
    assert server.terminate() == 0
    server.start()
    use(server)
    arrived(server, bucket)
    is_intact(server, bucket)
    code, text = validate(server, bucket)
    assert code == 0, text
    assert "INVALID" not in text, text


class server_as_bucket:
    def __init__(self, server):
        self.url = server.url


def test_what_was_tampered_with_in_the_bucket_is_reported(bucket, start):
    server = start()
    use(server)
    arrived(server, bucket)
    log = next(key for key in bucket.objects() if "/CloudTrail/" in key)
    content = gzip.decompress(bucket.objects()[log][0]).replace(b"127.0.0.1", b"127.0.0.2", 1)
    bucket.s3.put_object(Bucket=bucket.name, Key=log, Body=gzip.compress(content))
    code, text = validate(server, bucket)
    assert code == 1, text
    assert "INVALID" in text, text


@pytest.mark.parametrize("fault", buckets.FAULTS, ids=[fault.__name__ for fault in buckets.FAULTS])
def test_what_fails_is_put_again_and_nothing_is_put_twice(bucket, start, fault):
    bucket.faults = [fault, None, fault, fault]
    server = start()
    use(server)
    arrived(server, bucket, 60)
    assert bucket.faults == []
    is_intact(server, bucket)
    code, text = validate(server, bucket)
    assert code == 0, text


def test_a_bucket_that_is_away_delays_nothing_and_gets_everything_later(bucket, start):
    bucket.close()
    server = start()
    use(server)
    wait_until(lambda: len(delivered(server)) >= 4, "the folder has its files", 20)
    wait_until(lambda: (metric(server, "trail_bucket_failures") or 0) >= 2, "failures are counted", 20)
    wait_until(lambda: metric(server, "trail_bucket_waiting") >= 4, "they are counted", 20)
    assert metric(server, "trail_bucket_waiting_since_timestamp_seconds") > time.time() - 60
    assert metric(server, "trail_delivery_failures") == 0
    assert httpx.get(f"{server.url}/readyz").status_code == 200
    status = server.client(service="cloudtrail").get_trail_status(Name="keyreeve")
    assert "refused" in status["LatestDeliveryError"], status
    # It is away at a start as well.
    server.kill()
    server.start()
    use(server)
    bucket.open()
    arrived(server, bucket, 60)
    is_intact(server, bucket)
    wait_until(lambda: metric(server, "trail_bucket_failures") == 0, "nothing fails any more", 70)
    status = server.client(service="cloudtrail").get_trail_status(Name="keyreeve")
    assert "LatestDeliveryError" not in status
    code, text = validate(server, bucket)
    assert code == 0, text


def test_a_bucket_that_never_answers_delays_no_request_and_no_stop(bucket, start):
    waits = threading.Event()

    def never(_):
        waits.set()
        time.sleep(30)

    bucket.always = never
    server = start()
    key = use(server)
    assert waits.wait(20)
    kms = server.client()
    begun = time.monotonic()
    for _ in range(20):
        kms.encrypt(KeyId=key, Plaintext=b"x")
    assert time.monotonic() - begun < 4
    files = len(delivered(server))
    wait_until(lambda: len(delivered(server)) > files, "the folder gets more files", 20)
    begun = time.monotonic()
    assert server.terminate() == 0
    assert time.monotonic() - begun < 4


def test_kills_lose_and_repeat_nothing(bucket, start, long):
    bucket.faults = [None, buckets.answer_lost, None, None, buckets.answer_cut_off] * 10
    server = start()
    for turn in range(20 if long else 4):
        use(server, 5)
        wait_until(lambda: bucket.requests, "a request to the bucket", 20)
        bucket.requests.clear()
        time.sleep(0.13 * (turn % 7))
        server.kill()
        server.start()
    bucket.faults = []
    arrived(server, bucket, 60)
    is_intact(server, bucket)
    code, text = validate(server, bucket)
    assert code == 0, text


def test_what_somebody_else_put_under_a_name_is_left_and_told_of(bucket, start):
    bucket.close()
    server = start()
    use(server)
    wait_until(lambda: any("Digest" in key for key in delivered(server)), "a digest", 20)
    taken = min(key for key in delivered(server) if "Digest" in key)
    bucket.s3.put_object(Bucket=bucket.name, Key=taken, Body=b"not ours")
    bucket.open()
    others = set(delivered(server)) - {taken}
    wait_until(lambda: others <= set(bucket.versions()), "all other files are there", 60)
    trail = server.client(service="cloudtrail")
    wait_until(
        lambda: taken in trail.get_trail_status(Name="keyreeve").get("LatestDeliveryError", ""), "it is told of", 60
    )
    assert bucket.versions().count(taken) == 1
    assert bucket.objects()[taken][0] == b"not ours"


def test_a_file_that_was_removed_before_it_was_put_is_told_of_and_keeps_no_other(bucket, start):
    bucket.close()
    server = start()
    use(server)
    wait_until(lambda: len(delivered(server)) >= 3, "files", 20)
    gone = max(key for key in delivered(server) if "/CloudTrail/" in key)
    (server.data_dir / "trail" / gone).unlink()
    bucket.open()
    others = set(delivered(server))
    wait_until(lambda: others <= set(bucket.versions()), "all other files are there", 60)
    trail = server.client(service="cloudtrail")
    wait_until(
        lambda: gone in trail.get_trail_status(Name="keyreeve").get("LatestDeliveryError", ""), "it is told of", 60
    )


def test_a_key_that_is_replaced_in_its_file_is_used_from_then_on(bucket, start, tmp_path):
    def of_the_new_key(handler):
        if "AKIANEW" in handler.headers["Authorization"]:
            handler.answer(*handler.forward())
        else:
            buckets.denied(handler)

    bucket.always = of_the_new_key
    path = tmp_path / "bucket" / "credentials"
    path.parent.mkdir()
    path.write_text("[trail]\naws_access_key_id = AKIAOLD\naws_secret_access_key = old-secret-of-the-bucket\n")
    server = start(more=f'credentials_file = "{path}"\nprofile = "trail"\n', environment={})
    use(server)
    trail = server.client(service="cloudtrail")
    wait_until(
        lambda: "AccessDenied" in trail.get_trail_status(Name="keyreeve").get("LatestDeliveryError", ""), "it is told", 20
    )
    path.write_text("[trail]\naws_access_key_id = AKIANEW\naws_secret_access_key = new-secret-of-the-bucket\n")
    arrived(server, bucket, 60)
    log = server.log_path.read_text()
    assert "AccessDenied" in log
    assert "secret-of-the-bucket" not in log + httpx.get(f"{server.url}/metrics").text


def test_a_service_without_conditional_writes_is_asked_first(bucket, start):
    def without(handler):
        if "If-None-Match" in handler.headers:
            handler.answer(501, buckets.NOT_IMPLEMENTED)
        else:
            handler.answer(*handler.forward())

    bucket.always = without
    server = start(more="if_none_match = false\n")
    use(server)
    arrived(server, bucket)
    is_intact(server, bucket)


def test_a_bucket_is_reached_over_tls_by_whom_its_certificate_convinces(make_server, moto):
    issuer = REPOSITORY / "crates" / "server" / "tests" / "issuer"
    bucket = buckets.Bucket(moto, certificate=(issuer / "server.crt", issuer / "server.key")).open()
    try:
        server = make_server(config=bucket.config(), environment=bucket.environment).start()
        trail = server.client(service="cloudtrail")
        wait_until(
            lambda: "certificate" in trail.get_trail_status(Name="keyreeve").get("LatestDeliveryError", ""), "it is told", 20
        )
        assert bucket.versions() == []
        assert server.terminate() == 0
        server.config = bucket.config(more=f'bucket_ca = "{issuer / "ca.crt"}"\n')
        server.start()
        use(server)
        arrived(server, bucket)
        is_intact(server, bucket)
    finally:
        bucket.close()


def test_the_bucket_is_asked_to_encrypt_under_a_kms_key(bucket, start):
    arn = "arn:aws:kms:us-east-1:111122223333:key/11112222-3333-4444-5555-666677778888"
    server = start(more=f'sse_kms_key = "{arn}"\n')
    use(server)
    arrived(server, bucket)
    for method, _, headers in bucket.requests:
        if method == "PUT":
            assert headers["x-amz-server-side-encryption"] == "aws:kms"
            assert headers["x-amz-server-side-encryption-aws-kms-key-id"] == arn
    for _, _, answer in bucket.objects().values():
        assert answer["ServerSideEncryption"] == "aws:kms"
        assert answer["SSEKMSKeyId"] == arn
    trail = server.client(service="cloudtrail").describe_trails()["trailList"][0]
    assert trail["KmsKeyId"] == arn


def test_another_bucket_gets_all_that_is_in_the_folder(bucket, start, moto):
    server = start()
    use(server)
    arrived(server, bucket)
    assert server.terminate() == 0
    other = buckets.Bucket(moto, name=f"other-{bucket.name}").open()
    try:
        server.config = other.config()
        server.start()
        use(server)
        wait_until(lambda: set(delivered(server)) <= set(other.versions()), "all of it is there", 30)
        is_intact(server, other)
    finally:
        other.close()


@pytest.mark.parametrize(
    ("section", "environment", "said"),
    [
        ('endpoint = "http://s3.example.com"', True, "plain HTTP"),
        ('endpoint = "s3.example.com"', True, "not a URL"),
        ('endpoint = "https://s3.example.com"', False, "KEYREEVE_BUCKET_ACCESS_KEY_ID"),
        ('endpoint = "https://s3.example.com"\ncredentials_file = "/nowhere/credentials"', True, "/nowhere/credentials"),
        ('endpoint = "https://s3.example.com"\nbucket_ca = "/nowhere/ca"', True, "/nowhere/ca"),
    ],
)
def test_a_bucket_that_cannot_be_is_refused_at_the_start(make_server, section, environment, said):
    server = make_server(
        config=f"[bucket]\n{section}\n", environment=buckets.Bucket.environment if environment else {}
    )
    code, text = server.fails()
    assert code == 2, text
    assert said in text, text
    assert "secret-of-the-bucket" not in text


def verify(folder, keys, *arguments):
    ended = subprocess.run(
        [binary(), "audit", "verify", "--folder", str(folder), "--public-keys", str(keys), *arguments],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    return ended.returncode, ended.stdout + ended.stderr


@pytest.mark.parametrize("prefix", ["", "logs/kms"])
def test_a_copy_of_the_bucket_is_proven_offline(bucket, start, tmp_path, prefix):
    server = start(prefix)
    use(server)
    arrived(server, bucket)
    environment = server.environment_of_clients(REGION)
    listed = subprocess.run(
        [*aws_command(), "cloudtrail", "list-public-keys", "--start-time", START],
        env=environment, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    keys = tmp_path / "keys.json"
    keys.write_text(listed.stdout)
    assert server.terminate() == 0
    copy = bucket.download(tmp_path / "copy")
    for found in (keys, server.data_dir / "trail" / ".keyreeve" / "public-keys.json"):
        code, text = verify(copy, found)
        assert code == 0, text
        assert re.search(r"delivered: [1-9]\d* digests, [1-9]\d* log files", text), text
    log = next(path for path in sorted(copy.rglob("*.json.gz")) if "CloudTrail" in path.parts)
    log.write_bytes(gzip.compress(gzip.decompress(log.read_bytes()).replace(b"127.0.0.1", b"127.0.0.2", 1)))
    code, text = verify(copy, keys)
    assert code == 1, text
    assert log.name in text, text
