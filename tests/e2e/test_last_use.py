"""When access keys and roles were last used, as IAM tells it."""

import datetime
import json

import boto3
import botocore.exceptions
import pytest

from server import ACCOUNT


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def last_use(iam, key_id):
    """(user, service, Region, when) of the last use of an access key."""
    answer = iam.get_access_key_last_used(AccessKeyId=key_id)
    used = answer["AccessKeyLastUsed"]
    return answer["UserName"], used["ServiceName"], used["Region"], used.get("LastUsedDate")


def is_now(at):
    """Whether it is a whole minute, and this or the last one."""
    ago = datetime.datetime.now(datetime.UTC) - at
    return at.second == 0 and at.microsecond == 0 and datetime.timedelta() <= ago < datetime.timedelta(minutes=2)


def client_of(server, service, credentials, region="us-east-1"):
    session = boto3.Session(
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials.get("SessionToken"),
        region_name=region,
    )
    return session.client(service, endpoint_url=server.url)


def make_both(server):
    """A user with an access key, and a role that it may assume."""
    iam = server.client(service="iam")
    user = iam.create_user(UserName="bob")["User"]
    key = iam.create_access_key(UserName="bob")["AccessKey"]
    trust = policy({"Effect": "Allow", "Principal": {"AWS": user["Arn"]}, "Action": "sts:AssumeRole"})
    iam.create_role(RoleName="ops", AssumeRolePolicyDocument=trust)
    return iam, key


def test_the_last_use_is_told_with_service_and_region_and_outlives_a_restart(fresh_server):
    server = fresh_server
    server.start()
    iam, key = make_both(server)
    key_id = key["AccessKeyId"]
    assert last_use(iam, key_id) == ("bob", "N/A", "N/A", None)
    assert iam.get_role(RoleName="ops")["Role"]["RoleLastUsed"] == {}

    # A refused use counts.
    with pytest.raises(botocore.exceptions.ClientError, match="AccessDenied"):
        client_of(server, "kms", key, "eu-west-1").list_keys()
    assert last_use(iam, key_id)[:3] == ("bob", "kms", "eu-west-1")
    sts = client_of(server, "sts", key)
    assumed = sts.assume_role(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/ops", RoleSessionName="someone")["Credentials"]
    name, service, region, at = last_use(iam, key_id)
    assert (name, service, region) == ("bob", "sts", "us-east-1") and is_now(at)
    assert iam.get_role(RoleName="ops")["Role"]["RoleLastUsed"] == {}, "it was assumed, and not used"
    with pytest.raises(botocore.exceptions.ClientError, match="AccessDenied"):
        client_of(server, "kms", assumed, "eu-central-1").list_keys()
    used = iam.get_role(RoleName="ops")["Role"]["RoleLastUsed"]
    assert used["Region"] == "eu-central-1" and is_now(used["LastUsedDate"])
    assert "RoleLastUsed" not in iam.list_roles()["Roles"][0]
    [detail] = iam.get_account_authorization_details(Filter=["Role"])["RoleDetailList"]
    assert detail["RoleLastUsed"] == used

    # A bad signature is no use.
    forged = dict(key, SecretAccessKey="x" * 40)
    with pytest.raises(botocore.exceptions.ClientError):
        client_of(server, "iam", forged, "us-east-1").list_users()
    assert last_use(iam, key_id)[1] == "sts"

    server.terminate()
    server.start()
    iam = server.client(service="iam")
    assert last_use(iam, key_id) == (name, service, region, at)
    assert iam.get_role(RoleName="ops")["Role"]["RoleLastUsed"] == used


def test_a_role_of_the_same_name_was_never_used(fresh_server):
    server = fresh_server
    server.start()
    iam, key = make_both(server)
    role = {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/ops", "RoleSessionName": "someone"}
    assumed = client_of(server, "sts", key).assume_role(**role)["Credentials"]
    client_of(server, "sts", assumed).get_caller_identity()
    first = iam.get_role(RoleName="ops")["Role"]
    assert first["RoleLastUsed"]
    iam.delete_role(RoleName="ops")
    iam.create_role(RoleName="ops", AssumeRolePolicyDocument=json.dumps(first["AssumeRolePolicyDocument"]))
    assert iam.get_role(RoleName="ops")["Role"]["RoleLastUsed"] == {}
