"""Two accounts of one server: what crosses between them, and what does not."""

import json
import subprocess

import boto3
import botocore.exceptions
import pytest

from server import ACCOUNT, Server, binary, clean_environment, key_arn, read_credentials

OTHER = "444455556666"


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action, resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def by(principal, action="kms:*"):
    return {**allow(action), "Principal": {"AWS": principal}}


def with_other_account(server):
    """`server`, started, with another account beside its own."""
    server.start()
    server.terminate()
    subprocess.run(
        [binary(), "account", "create", "--account", OTHER, "--data-dir", str(server.data_dir)],
        env=clean_environment(), check=True, capture_output=True, timeout=30,
    )  # fmt: skip
    server.start()
    return server


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = with_other_account(Server(tmp_path_factory.mktemp("two-accounts") / "data"))
    yield server
    server.kill()


@pytest.fixture(scope="module")
def other(server):
    """The credentials of the other account's root user."""
    return read_credentials(server.data_dir / "accounts" / OTHER / "credentials")


def client(server, service, credentials):
    access_key_id, secret, *token = credentials
    return boto3.client(
        service, endpoint_url=server.url, region_name="us-east-1", aws_access_key_id=access_key_id,
        aws_secret_access_key=secret, aws_session_token=token[0] if token else None,
    )  # fmt: skip


def user(iam, name, *statements):
    iam.create_user(UserName=name)
    if statements:
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=policy(*statements))
    made = iam.create_access_key(UserName=name)["AccessKey"]
    return made["AccessKeyId"], made["SecretAccessKey"]


def refused(call, /, **arguments):
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


UNSEEN = (
    "on this resource because the resource does not exist in this Region, no resource-based policies allow access, or a "
    "resource-based policy explicitly denies access"
)


def test_a_key_is_used_from_another_account_where_both_sides_allow_it(server, other):
    root = server.client()
    key = root.create_key()["KeyMetadata"]["KeyId"]
    iam = client(server, "iam", other)
    eve = client(server, "kms", user(iam, "eve", allow("kms:*", key_arn(key))))
    mallory = client(server, "kms", user(iam, "mallory"))
    encrypt = {"KeyId": key_arn(key), "Plaintext": b"x"}
    who = f"User: arn:aws:iam::{OTHER}:user/"
    denied = ("AccessDeniedException", f"{who}eve is not authorized to perform: kms:Encrypt {UNSEEN}")
    assert refused(eve.encrypt, **encrypt) == denied
    # A key that is not there is refused in the same words.
    missing = key_arn("1234abcd-12ab-34cd-56ef-1234567890ab")
    assert refused(eve.encrypt, KeyId=missing, Plaintext=b"x") == denied
    mine = by(f"arn:aws:iam::{ACCOUNT}:root")
    root.put_key_policy(KeyId=key, Policy=policy(mine, by(f"arn:aws:iam::{OTHER}:root")))
    blob = eve.encrypt(**encrypt)["CiphertextBlob"]
    assert eve.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    assert root.decrypt(CiphertextBlob=blob)["KeyId"] == key_arn(key)
    assert refused(mallory.encrypt, **encrypt) == (
        "AccessDeniedException",
        f"{who}mallory is not authorized to perform: kms:Encrypt on resource: {key_arn(key)} because no identity-based "
        "policy allows the kms:Encrypt action",
    )
    assert client(server, "kms", other).encrypt(**encrypt)["KeyId"] == key_arn(key)
    # Some operations are of the key's own account alone, whatever its policy says.
    assert refused(eve.disable_key, KeyId=key_arn(key))[0] == "AccessDeniedException"
    assert refused(eve.get_key_policy, KeyId=key_arn(key))[0] == "AccessDeniedException"
    root.put_key_policy(KeyId=key, Policy=policy(mine))
    assert refused(eve.encrypt, **encrypt) == denied
    assert refused(eve.decrypt, CiphertextBlob=blob)[1].endswith(UNSEEN.removeprefix("on this resource "))


def test_a_bare_id_is_of_the_callers_account_unless_a_ciphertext_names_it(server, other):
    root = server.client()
    key = root.create_key()["KeyMetadata"]["KeyId"]
    blob = root.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    far = client(server, "kms", other)
    theirs = far.create_key()["KeyMetadata"]["KeyId"]
    own = far.encrypt(KeyId=theirs, Plaintext=b"x")["CiphertextBlob"]
    missing = "NotFoundException", f"Key 'arn:aws:kms:us-east-1:{OTHER}:key/{key}' does not exist"
    opens = {
        "decrypt": lambda blob: far.decrypt(KeyId=key, CiphertextBlob=blob)["KeyId"],
        "re_encrypt": lambda blob: far.re_encrypt(SourceKeyId=key, DestinationKeyId=theirs, CiphertextBlob=blob)["SourceKeyId"],
    }
    for call in opens.values():
        assert refused(call, blob=blob) == missing
        assert refused(call, blob=own) == missing
        assert refused(call, blob=b"nothing") == missing
    mine = by(f"arn:aws:iam::{ACCOUNT}:root")
    root.put_key_policy(KeyId=key, Policy=policy(mine, by(f"arn:aws:iam::{OTHER}:root")))
    for call in opens.values():
        assert call(blob) == key_arn(key)
        assert refused(call, blob=own) == missing
    mallory = client(server, "kms", user(client(server, "iam", other), "marvin"))
    assert refused(mallory.decrypt, KeyId=key, CiphertextBlob=blob)[1].endswith(
        f"kms:Decrypt on resource: {key_arn(key)} because no identity-based policy allows the kms:Decrypt action"
    )
    # Every other operation looks for the id in the account of the caller.
    for call, arguments in (
        (far.encrypt, {"KeyId": key, "Plaintext": b"x"}),
        (far.re_encrypt, {"DestinationKeyId": key, "CiphertextBlob": own}),
        (far.generate_data_key, {"KeyId": key, "KeySpec": "AES_256"}),
        (far.describe_key, {"KeyId": key}),
        (far.create_grant, {"KeyId": key, "GranteePrincipal": f"arn:aws:iam::{OTHER}:root", "Operations": ["Encrypt"]}),
        (far.list_grants, {"KeyId": key}),
        (far.retire_grant, {"KeyId": key, "GrantId": "0" * 64}),
        (far.get_key_rotation_status, {"KeyId": key}),
        (far.disable_key, {"KeyId": key}),
    ):
        assert refused(call, **arguments) == missing, call


def test_a_grant_to_somebody_of_another_account_is_enough(server, other):
    root = server.client()
    key = root.create_key()["KeyMetadata"]["KeyId"]
    iam = client(server, "iam", other)
    frank = client(server, "kms", user(iam, "frank"))
    made = root.create_grant(
        KeyId=key, GranteePrincipal=f"arn:aws:iam::{OTHER}:user/frank", Operations=["Encrypt", "RetireGrant"]
    )
    frank.encrypt(KeyId=key_arn(key), Plaintext=b"x")
    frank.retire_grant(GrantToken=made["GrantToken"])
    assert refused(frank.encrypt, KeyId=key_arn(key), Plaintext=b"x")[0] == "AccessDeniedException"


def test_a_role_is_assumed_from_another_account(server, other):
    iam, far = server.client(service="iam"), client(server, "iam", other)
    heidi = user(far, "heidi", allow("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/Shared"))
    ivan = user(far, "ivan")
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{OTHER}:root"}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName="Shared", AssumeRolePolicyDocument=policy(trust))
    iam.put_role_policy(RoleName="Shared", PolicyName="p", PolicyDocument=policy(allow("kms:ListKeys")))
    asked = {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/Shared", "RoleSessionName": "far"}
    made = client(server, "sts", heidi).assume_role(**asked)["Credentials"]
    session = (made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])
    client(server, "kms", session).list_keys()
    assert client(server, "sts", session).get_caller_identity()["Account"] == ACCOUNT
    assert refused(client(server, "sts", ivan).assume_role, **asked)[0] == "AccessDenied"


def test_each_account_has_its_own_users_and_keys(server, other):
    near, far = server.client(service="iam"), client(server, "iam", other)
    near.create_user(UserName="same")
    far.create_user(UserName="same")
    arns = {iam.get_user(UserName="same")["User"]["Arn"] for iam in (near, far)}
    assert arns == {f"arn:aws:iam::{ACCOUNT}:user/same", f"arn:aws:iam::{OTHER}:user/same"}
    theirs = client(server, "kms", other).create_key()["KeyMetadata"]["KeyId"]
    assert theirs not in [key["KeyId"] for key in server.client().list_keys()["Keys"]]
    assert refused(server.client().describe_key, KeyId=theirs)[0] == "NotFoundException"
