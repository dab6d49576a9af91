"""What crosses between accounts is an event of both: one id that they share, and each account sees its own copy alone."""

import gzip
import json
import subprocess

import pytest
from audit import events
from server import ACCOUNT, Server, binary, key_arn, read_credentials, wait_until
from test_two_accounts import OTHER, allow, by, client, policy, refused, user, with_other_account

FAST = """
[audit]
log_seconds = 1
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = with_other_account(Server(tmp_path_factory.mktemp("shared-events") / "data", config=FAST))
    yield server
    server.kill()


@pytest.fixture(scope="module")
def other(server):
    return read_credentials(server.data_dir / "accounts" / OTHER / "credentials")


@pytest.fixture(scope="module")
def own(server):
    return read_credentials(server.data_dir / "credentials")


def looked_up(server, credentials, key, value):
    attribute = [{"AttributeKey": key, "AttributeValue": value}]
    found = client(server, "cloudtrail", credentials).lookup_events(LookupAttributes=attribute)["Events"]
    return [json.loads(event["CloudTrailEvent"]) for event in found]


def logged(server, credentials, pattern):
    found = client(server, "logs", credentials).filter_log_events(logGroupName="CloudTrail/KMS", filterPattern=pattern)
    return [json.loads(event["message"]) for event in found["events"]]


def delivered(server, account):
    root = server.data_dir / "trail" / "AWSLogs" / account / "CloudTrail"
    return [event for path in root.rglob("*.json.gz") for event in json.loads(gzip.decompress(path.read_bytes()))["Records"]]


def searched(server, *arguments):
    command = [binary(), "audit", "search", "--data-dir", str(server.data_dir), "--json", *arguments]
    return [json.loads(line) for line in subprocess.run(command, check=True, capture_output=True, timeout=60).stdout.splitlines()]


def pair_of(server, own, other, arn, name):
    """The events of both accounts, as they are the same wherever one looks."""
    (theirs,) = looked_up(server, other, "ResourceName", arn)
    (mine,) = (event for event in looked_up(server, own, "ResourceName", arn) if "sharedEventID" in event)
    pattern = f'{{ $.sharedEventID = "{mine["sharedEventID"]}" }}'
    assert logged(server, own, pattern) == [mine]
    assert logged(server, other, pattern) == [theirs]
    found = {event["eventID"]: event for event in searched(server, "--event-name", name)}
    assert (found[mine["eventID"]], found[theirs["eventID"]]) == (mine, theirs)
    for account, event in ((ACCOUNT, mine), (OTHER, theirs)):
        wait_until(lambda account=account, event=event: event in delivered(server, account), "the event is delivered", 20)
    return mine, theirs


def check_pair(mine, theirs, own_id):
    assert theirs["sharedEventID"] == mine["sharedEventID"]
    assert len({theirs["sharedEventID"], theirs["eventID"], mine["eventID"]}) == 3
    assert (mine["recipientAccountId"], theirs["recipientAccountId"]) == (ACCOUNT, OTHER)
    # The owner learns which account and principal called, and no name.
    assert mine["userIdentity"] == {"type": "AWSAccount", "principalId": own_id, "accountId": OTHER}
    for member in mine.keys() - {"eventID", "recipientAccountId", "userIdentity"}:
        assert theirs[member] == mine[member], member
    assert theirs.keys() == mine.keys()


def test_a_key_that_is_used_from_another_account_is_in_both_trails(server, own, other):
    root = server.client()
    iam = client(server, "iam", other)
    eve = client(server, "kms", user(iam, "eve", allow("kms:*")))
    key = root.create_key(Policy=policy(by(f"arn:aws:iam::{ACCOUNT}:root"), by(f"arn:aws:iam::{OTHER}:root")))
    arn = key["KeyMetadata"]["Arn"]
    eve.encrypt(KeyId=arn, Plaintext=b"x", EncryptionContext={"a": "b"})
    mine, theirs = pair_of(server, own, other, arn, "Encrypt")
    check_pair(mine, theirs, iam.get_user(UserName="eve")["User"]["UserId"])
    assert theirs["userIdentity"]["userName"] == "eve"
    assert mine["resources"] == [{"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": arn}]
    assert mine["requestParameters"]["encryptionContext"] == {"a": "b"}
    # The owner of the key is told of the event that he can look up.
    assert root.get_key_last_usage(KeyId=arn)["KeyLastUsage"]["CloudTrailEventId"] == mine["eventID"]


def test_a_change_from_another_account_is_in_both_trails(server, own, other):
    root = server.client()
    iam = client(server, "iam", other)
    grace = client(server, "kms", user(iam, "grace", allow("kms:*")))
    key = root.create_key(Policy=policy(by(f"arn:aws:iam::{ACCOUNT}:root"), by(f"arn:aws:iam::{OTHER}:root")))
    arn = key["KeyMetadata"]["Arn"]
    grant = grace.create_grant(KeyId=arn, GranteePrincipal=f"arn:aws:iam::{OTHER}:root", Operations=["Encrypt"])
    mine, theirs = pair_of(server, own, other, arn, "CreateGrant")
    check_pair(mine, theirs, iam.get_user(UserName="grace")["User"]["UserId"])
    assert mine["responseElements"]["grantId"] == grant["GrantId"]
    assert grant["GrantToken"] not in json.dumps([mine, theirs])


def test_what_was_refused_is_in_the_trail_of_the_caller_alone(server, own, other):
    root = server.client()
    iam = client(server, "iam", other)
    mallory = client(server, "kms", user(iam, "mallory", allow("kms:*")))
    key = root.create_key()["KeyMetadata"]["KeyId"]
    assert refused(mallory.encrypt, KeyId=key_arn(key), Plaintext=b"x")[0] == "AccessDeniedException"
    (theirs,) = looked_up(server, other, "ResourceName", key_arn(key))
    assert theirs["errorCode"] == "AccessDeniedException"
    assert "sharedEventID" not in theirs
    mine = looked_up(server, own, "ResourceName", key_arn(key))
    assert [event["eventName"] for event in mine] == ["CreateKey"]


def test_a_role_that_is_assumed_from_another_account_is_in_both_trails(server, own, other):
    iam, far = server.client(service="iam"), client(server, "iam", other)
    role = f"arn:aws:iam::{ACCOUNT}:role/Shared"
    heidi = user(far, "heidi", allow("sts:AssumeRole", role))
    ivan = user(far, "ivan")
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{OTHER}:root"}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName="Shared", AssumeRolePolicyDocument=policy(trust))
    asked = {"RoleArn": role, "RoleSessionName": "far"}
    made = client(server, "sts", heidi).assume_role(**asked)["Credentials"]
    assert refused(client(server, "sts", ivan).assume_role, **asked)[0] == "AccessDenied"
    mine, theirs = pair_of(server, own, other, role, "AssumeRole")
    check_pair(mine, theirs, far.get_user(UserName="heidi")["User"]["UserId"])
    assert mine["resources"] == [{"accountId": ACCOUNT, "type": "AWS::IAM::Role", "ARN": role}]
    assert mine["responseElements"]["credentials"]["accessKeyId"] == made["AccessKeyId"]
    for secret in (made["SecretAccessKey"], made["SessionToken"]):
        assert secret not in json.dumps([mine, theirs])
    (denied,) = (event for event in looked_up(server, other, "Username", "ivan") if event["eventName"] == "AssumeRole")
    assert "sharedEventID" not in denied


def test_a_role_of_the_same_account_shares_nothing(server, own):
    iam = server.client(service="iam")
    near = user(iam, "near", allow("sts:AssumeRole"))
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName="Near", AssumeRolePolicyDocument=policy(trust))
    role = f"arn:aws:iam::{ACCOUNT}:role/Near"
    client(server, "sts", near).assume_role(RoleArn=role, RoleSessionName="near")
    (event,) = looked_up(server, own, "ResourceName", role)
    assert "sharedEventID" not in event
    assert event["resources"] == [{"accountId": ACCOUNT, "type": "AWS::IAM::Role", "ARN": role}]
    # Events of IAM name no resources, as CloudTrail's.
    (created,) = (e for e in looked_up(server, own, "EventName", "CreateRole") if e["requestParameters"]["roleName"] == "Near")
    assert "resources" not in created


def test_what_was_answered_is_in_both_trails_after_a_kill(server, other):
    root = server.client()
    iam = client(server, "iam", other)
    judy = client(server, "kms", user(iam, "judy", allow("kms:*")))
    key = root.create_key(Policy=policy(by(f"arn:aws:iam::{ACCOUNT}:root"), by(f"arn:aws:iam::{OTHER}:root")))
    arn = key["KeyMetadata"]["Arn"]
    answered = [judy.encrypt(KeyId=arn, Plaintext=b"x")["ResponseMetadata"]["RequestId"] for _ in range(20)]
    server.kill()
    server.start()
    found = {(event["requestID"], event["recipientAccountId"]): event for event in events(server.data_dir / "audit")}
    for request in answered:
        assert found[request, ACCOUNT]["sharedEventID"] == found[request, OTHER]["sharedEventID"]
