"""The objects of the trail as clients of S3 read them: in parts, under conditions, by folders."""

import datetime
import hashlib
import pathlib
import subprocess
import urllib.request

import boto3.s3.transfer
import botocore.exceptions
import pytest
from server import ACCOUNT, REGION, aws_command, wait_until

BUCKET = "keyreeve-trail"
FAST = """
[audit]
log_seconds = 1
digest_seconds = 2
"""


@pytest.fixture
def server(make_server):
    """A server with a delivered log file of some kilobytes, and its name."""
    server = make_server(config=FAST).start()
    kms = server.client()
    for at in range(20):
        kms.create_key(Description=f"{at} {hashlib.sha256(bytes([at])).hexdigest()}")
    wait_until(lambda: any(path.stat().st_size > 1000 for path in files(server, "CloudTrail")), "a log file", 20)
    return server


def files(server, kind):
    return list((server.data_dir / "trail" / "AWSLogs" / ACCOUNT / kind).rglob("*.json.gz"))


def longest(server):
    path = max(files(server, "CloudTrail"), key=lambda path: path.stat().st_size)
    return str(path.relative_to(server.data_dir / "trail")), path.read_bytes()


def test_a_part_of_an_object_is_what_the_range_says(server):
    s3, (key, content) = server.client(service="s3"), longest(server)
    size = len(content)
    for asked, first, last in [
        ("bytes=0-9", 0, 9),
        ("bytes=10-", 10, size - 1),
        ("bytes=-5", size - 5, size - 1),
        (f"bytes=5-{size + 100}", 5, size - 1),
    ]:
        got = s3.get_object(Bucket=BUCKET, Key=key, Range=asked)
        said = (got["ResponseMetadata"]["HTTPStatusCode"], got["ContentRange"], got["ContentLength"], got["AcceptRanges"])
        assert said == (206, f"bytes {first}-{last}/{size}", last - first + 1, "bytes"), asked
        assert got["Body"].read() == content[first : last + 1], asked
        head = s3.head_object(Bucket=BUCKET, Key=key, Range=asked)
        assert (head["ResponseMetadata"]["HTTPStatusCode"], head["ContentLength"]) == (206, last - first + 1), asked
    for whole in ("bytes=0-1,4-5", "lines=1-2"):
        got = s3.get_object(Bucket=BUCKET, Key=key, Range=whole)
        assert (got["ResponseMetadata"]["HTTPStatusCode"], got["Body"].read()) == (200, content), whole
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        s3.get_object(Bucket=BUCKET, Key=key, Range=f"bytes={size}-")
    error = refused.value.response["Error"]
    said = (error["Code"], error["Message"], error["RangeRequested"])
    assert said == ("InvalidRange", "The requested range is not satisfiable", f"bytes={size}-")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 416


def test_a_file_that_is_fetched_in_parts_is_the_file(server, tmp_path):
    s3, (key, content) = server.client(service="s3"), longest(server)
    parts = boto3.s3.transfer.TransferConfig(multipart_threshold=500, multipart_chunksize=300, max_concurrency=4)
    s3.download_file(BUCKET, key, str(tmp_path / "file"), Config=parts)
    assert (tmp_path / "file").read_bytes() == content


def test_conditions_are_kept_as_s3_keeps_them(server):
    s3, (key, content) = server.client(service="s3"), longest(server)
    head = s3.head_object(Bucket=BUCKET, Key=key)
    before, after = (head["LastModified"] + datetime.timedelta(seconds=by) for by in (-60, 60))
    for condition, status in [
        ({"IfMatch": head["ETag"]}, 200),
        ({"IfMatch": '"another"'}, 412),
        ({"IfNoneMatch": head["ETag"]}, 304),
        ({"IfNoneMatch": '"another"'}, 200),
        ({"IfModifiedSince": before}, 200),
        ({"IfModifiedSince": after}, 304),
        ({"IfUnmodifiedSince": before}, 412),
        ({"IfUnmodifiedSince": after}, 200),
    ]:
        try:
            got = s3.get_object(Bucket=BUCKET, Key=key, **condition)
            assert got["Body"].read() == content
        except botocore.exceptions.ClientError as refused:
            got = refused.response
            code = {304: "304", 412: "PreconditionFailed"}
            assert got["Error"]["Code"] == code[got["ResponseMetadata"]["HTTPStatusCode"]], condition
            named = next(iter(condition)).replace("If", "If-").replace("UnmodifiedSince", "Unmodified-Since")
            assert got["Error"].get("Condition") in (None, named), condition
        assert got["ResponseMetadata"]["HTTPStatusCode"] == status, condition


def test_the_command_line_walks_through_the_folders(server, tmp_path):
    key, _ = longest(server)

    def aws(*arguments):
        return subprocess.run(
            [*aws_command(), "s3", *arguments], env=server.environment_of_clients(REGION), cwd=tmp_path,
            capture_output=True, text=True, timeout=60, check=True,
        ).stdout  # fmt: skip

    assert aws("ls").split()[-1] == BUCKET
    folder = f"s3://{BUCKET}/"
    for part in key.split("/")[:-1]:
        assert f"PRE {part}/" in aws("ls", folder)
        folder += f"{part}/"
    assert f" {pathlib.Path(key).name}\n" in aws("ls", folder)
    aws("sync", f"s3://{BUCKET}", "copy", "--exclude", "*", "--include", key)
    assert (tmp_path / "copy" / key).read_bytes() == (server.data_dir / "trail" / key).read_bytes()


def test_folders_are_listed_in_pages(server):
    s3 = server.client(service="s3")
    prefix = f"AWSLogs/{ACCOUNT}/"
    wait_until(lambda: files(server, "CloudTrail-Digest"), "a digest", 20)
    for call, token in (("list_objects_v2", "NextContinuationToken"), ("list_objects", "NextMarker")):
        pages = list(
            s3.get_paginator(call).paginate(
                Bucket=BUCKET, Prefix=prefix, Delimiter="/", PaginationConfig={"PageSize": 1}
            )
        )
        found = [common["Prefix"] for page in pages for common in page.get("CommonPrefixes", [])]
        assert found == [f"{prefix}CloudTrail-Digest/", f"{prefix}CloudTrail/"], call
        assert pages[0]["Delimiter"] == "/" and pages[0][token], call


def test_what_is_not_served_is_said_to_be_so(server):
    s3, (key, content) = server.client(service="s3"), longest(server)
    asked = {"Bucket": BUCKET, "Key": key}
    for call, code in [
        (lambda: s3.get_object_attributes(**asked, ObjectAttributes=["ETag"]), "NotImplemented"),
        (lambda: s3.get_object(**asked, VersionId="1"), "NotImplemented"),
        (lambda: s3.get_object(**asked, ResponseContentType="text/html"), "NotImplemented"),
        (lambda: s3.get_object(**asked, PartNumber=2), "InvalidPartNumber"),
        (lambda: s3.list_buckets(Prefix="x"), "NotImplemented"),
    ]:
        with pytest.raises(botocore.exceptions.ClientError) as refused:
            call()
        assert refused.value.response["Error"]["Code"] == code
    # An object that was put at once is its one part.
    part = s3.get_object(**asked, PartNumber=1)
    assert (part["ResponseMetadata"]["HTTPStatusCode"], part["Body"].read()) == (206, content)
    # As `aws s3 presign` signs for the first Region where nothing is configured.
    old = f"{server.url}/{BUCKET}/{key}?AWSAccessKeyId=AKIAEXAMPLE&Signature=c2lnbmF0dXJl&Expires=2000000000"
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(old, timeout=10)
    body = refused.value.read().decode()
    assert (refused.value.code, "<Code>InvalidRequest</Code>" in body) == (400, True), body
    assert "Please use AWS4-HMAC-SHA256." in body
