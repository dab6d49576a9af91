"""STS, with boto3 and the aws command line: sessions of roles, users and federated users, and what they may do."""

import json
import subprocess

import boto3
import botocore.exceptions
import pytest

import audit
from server import ACCOUNT, aws_command

KEY_POLICY_ADMIN = {
    "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*",
}  # fmt: skip


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action, resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def trust(principal, action="sts:AssumeRole", **more):
    return policy({"Effect": "Allow", "Principal": principal, "Action": action, **more})


@pytest.fixture(scope="module")
def iam(server):
    return server.client(service="iam")


@pytest.fixture(scope="module")
def key(server):
    return server.client().create_key()["KeyMetadata"]["KeyId"]


def refused(call, /, **arguments):
    """(code, message) of the error of a call."""
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def user(iam, name, *statements):
    """A new user with a policy, and its credentials."""
    iam.create_user(UserName=name)
    if statements:
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=policy(*statements))
    made = iam.create_access_key(UserName=name)["AccessKey"]
    return {"aws_access_key_id": made["AccessKeyId"], "aws_secret_access_key": made["SecretAccessKey"]}


def client(server, service, credentials):
    """A client with these credentials."""
    session = boto3.Session(region_name="us-east-1", **credentials)
    return session.client(service, endpoint_url=server.url)


def session_of(answer):
    made = answer["Credentials"]
    return {
        "aws_access_key_id": made["AccessKeyId"],
        "aws_secret_access_key": made["SecretAccessKey"],
        "aws_session_token": made["SessionToken"],
    }


def test_everybody_learns_who_he_is(server, iam):
    root = server.client(service="sts").get_caller_identity()
    assert (root["Account"], root["Arn"]) == (ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root")
    credentials = user(iam, "who")
    found = client(server, "sts", credentials).get_caller_identity()
    assert found["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/who"
    assert found["UserId"] == iam.get_user(UserName="who")["User"]["UserId"]
    info = client(server, "sts", credentials)
    assert refused(info.get_access_key_info, AccessKeyId=credentials["aws_access_key_id"])[0] == "AccessDenied"


def test_a_role_is_assumed_by_whom_it_trusts(server, iam, key):
    alice = user(iam, "assumer", allow("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/StsOps"))
    nobody = user(iam, "nobody")
    role = iam.create_role(
        RoleName="StsOps", AssumeRolePolicyDocument=trust({"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
    )["Role"]  # fmt: skip
    iam.put_role_policy(RoleName="StsOps", PolicyName="p", PolicyDocument=policy(allow(["kms:Encrypt", "kms:Decrypt"])))
    arn = role["Arn"]
    text = f"User: arn:aws:iam::{ACCOUNT}:user/nobody is not authorized to perform: sts:AssumeRole on resource: {arn}"
    assert refused(
        client(server, "sts", nobody).assume_role, RoleArn=arn, RoleSessionName="it"
    ) == ("AccessDenied", text)  # fmt: skip
    sts = client(server, "sts", alice)
    answer = sts.assume_role(RoleArn=arn, RoleSessionName="work")
    assert answer["AssumedRoleUser"] == {
        "AssumedRoleId": f"{role['RoleId']}:work", "Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/StsOps/work",
    }  # fmt: skip
    session = session_of(answer)
    assert session["aws_access_key_id"].startswith("ASIA")
    identity = client(server, "sts", session).get_caller_identity()
    assert identity["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/StsOps/work"
    kms = client(server, "kms", session)
    kms.encrypt(KeyId=key, Plaintext=b"x")
    code, message = refused(kms.describe_key, KeyId=key)
    assert code == "AccessDeniedException"
    assert message.startswith(f"User: arn:aws:sts::{ACCOUNT}:assumed-role/StsOps/work is not authorized to perform: kms:DescribeKey")

    # A session policy cuts it down.
    small = session_of(
        sts.assume_role(RoleArn=arn, RoleSessionName="small", Policy=policy(allow("kms:Decrypt")), DurationSeconds=900)
    )
    code, message = refused(client(server, "kms", small).encrypt, KeyId=key, Plaintext=b"x")
    assert code == "AccessDeniedException" and "because no session policy allows the kms:Encrypt action" in message

    # What the role loses, its sessions lose at once.
    iam.delete_role_policy(RoleName="StsOps", PolicyName="p")
    assert refused(kms.encrypt, KeyId=key, Plaintext=b"x")[0] == "AccessDeniedException"
    iam.delete_role(RoleName="StsOps")
    assert refused(kms.encrypt, KeyId=key, Plaintext=b"x")[0] == "UnrecognizedClientException"

    assert refused(
        server.client(service="sts").assume_role, RoleArn=arn, RoleSessionName="it"
    ) == ("AccessDenied", "Roles may not be assumed by root accounts.")  # fmt: skip


def test_conditions_of_a_trust_policy_hold(server, iam, key):
    alice = user(iam, "external", allow("sts:*"))
    made = iam.create_role(
        RoleName="External",
        AssumeRolePolicyDocument=trust(
            {"AWS": f"arn:aws:iam::{ACCOUNT}:user/external"},
            action=["sts:AssumeRole", "sts:TagSession"],
            Condition={"StringEquals": {"sts:ExternalId": "shared"}},
        ),
        MaxSessionDuration=7200,
    )["Role"]
    iam.put_role_policy(
        RoleName="External",
        PolicyName="p",
        PolicyDocument=policy(
            allow("kms:Encrypt", Condition={"StringEquals": {"aws:PrincipalTag/team": "red"}}),
        ),
    )
    sts = client(server, "sts", alice)
    asked = {"RoleArn": made["Arn"], "RoleSessionName": "it"}
    assert refused(sts.assume_role, **asked)[0] == "AccessDenied"
    assert refused(sts.assume_role, ExternalId="other", **asked)[0] == "AccessDenied"
    assert refused(sts.assume_role, ExternalId="shared", DurationSeconds=7201, **asked) == (
        "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
    )  # fmt: skip
    plain = session_of(sts.assume_role(ExternalId="shared", **asked))
    assert refused(client(server, "kms", plain).encrypt, KeyId=key, Plaintext=b"x")[0] == "AccessDeniedException"
    tagged = session_of(sts.assume_role(ExternalId="shared", Tags=[{"Key": "team", "Value": "red"}], **asked))
    client(server, "kms", tagged).encrypt(KeyId=key, Plaintext=b"x")
    assert refused(sts.assume_role, ExternalId="shared", SourceIdentity="alice", **asked)[0] == "AccessDenied"


def test_a_session_is_nothing_without_its_own_token(server, iam):
    alice = user(iam, "tokens", allow("kms:*"))
    one = session_of(client(server, "sts", alice).get_session_token())
    other = session_of(client(server, "sts", alice).get_session_token())
    client(server, "kms", one).list_keys()
    for wrong in (
        {**one, "aws_session_token": other["aws_session_token"]},
        {**one, "aws_session_token": one["aws_session_token"][:-8] + "AAAAAAA="},
        {**one, "aws_session_token": None},
        {**alice, "aws_session_token": one["aws_session_token"]},
    ):
        assert refused(client(server, "kms", wrong).list_keys)[0] == "UnrecognizedClientException", wrong
        assert refused(client(server, "sts", wrong).get_caller_identity)[0] == "InvalidClientTokenId", wrong
    identity = client(server, "sts", one).get_caller_identity()
    assert identity["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/tokens"
    assert refused(client(server, "sts", one).get_session_token)[0] == "AccessDenied"
    assert refused(client(server, "iam", one).list_users)[0] == "InvalidClientTokenId"
    iam.put_user_policy(UserName="tokens", PolicyName="own", PolicyDocument=policy({**allow("kms:*"), "Effect": "Deny"}))
    assert refused(client(server, "kms", one).list_keys)[0] == "AccessDeniedException"


def test_a_federated_user_may_do_what_both_policies_allow(server, iam, key):
    alice = user(iam, "broker", allow(["sts:GetFederationToken", "kms:Encrypt", "kms:ListKeys"]))
    sts = client(server, "sts", alice)
    answer = sts.get_federation_token(Name="bob", Policy=policy(allow(["kms:Encrypt", "kms:DescribeKey"])))
    assert answer["FederatedUser"]["Arn"] == f"arn:aws:sts::{ACCOUNT}:federated-user/bob"
    kms = client(server, "kms", session_of(answer))
    kms.encrypt(KeyId=key, Plaintext=b"x")
    assert refused(kms.describe_key, KeyId=key)[0] == "AccessDeniedException"
    assert refused(kms.list_keys)[0] == "AccessDeniedException"
    bare = session_of(sts.get_federation_token(Name="bare"))
    assert refused(client(server, "kms", bare).encrypt, KeyId=key, Plaintext=b"x")[0] == "AccessDeniedException"


def test_a_role_is_assumed_with_the_session_of_another(server, iam):
    alice = user(iam, "chainer", allow("sts:AssumeRole"))
    for name, trusted in (("First", f"arn:aws:iam::{ACCOUNT}:root"), ("Second", f"arn:aws:iam::{ACCOUNT}:role/First")):
        iam.create_role(
            RoleName=name,
            AssumeRolePolicyDocument=trust({"AWS": trusted}, action=["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]),
            MaxSessionDuration=14400,
        )
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy(allow("sts:*")))
    arn = f"arn:aws:iam::{ACCOUNT}:role/"
    iam.put_user_policy(UserName="chainer", PolicyName="more", PolicyDocument=policy(allow("sts:*")))
    first = client(server, "sts", alice).assume_role(
        RoleArn=arn + "First", RoleSessionName="one", SourceIdentity="chainer",
        Tags=[{"Key": "team", "Value": "red"}], TransitiveTagKeys=["team"],
    )  # fmt: skip
    assert first["SourceIdentity"] == "chainer"
    sts = client(server, "sts", session_of(first))
    second = sts.assume_role(RoleArn=arn + "Second", RoleSessionName="two")
    assert second["SourceIdentity"] == "chainer"
    assert refused(sts.assume_role, RoleArn=arn + "Second", RoleSessionName="two", DurationSeconds=3601)[0] == "ValidationError"
    asked = client(server, "sts", session_of(second)).get_caller_identity()
    id = asked["ResponseMetadata"]["RequestId"]
    identity = audit.completed(server.data_dir / "audit")[id]["userIdentity"]
    assert identity["type"] == "AssumedRole"
    context = identity["sessionContext"]
    assert context["sourceIdentity"] == "chainer" and context["sessionIssuer"]["userName"] == "Second"


def test_an_inherited_source_identity_is_asked_for_again(server, iam):
    alice = user(iam, "sourced", allow("sts:*"))
    anybody = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    both = ["sts:AssumeRole", "sts:SetSourceIdentity"]
    only = {"StringEquals": {"sts:SourceIdentity": "sourced"}}
    for name, document in [
        ("Source1", trust(anybody, action=both)),
        ("SourceNo", trust(anybody)),
        ("SourceIf", trust(anybody, action=both, Condition=only)),
    ]:
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy(allow("sts:*")))
    arn = f"arn:aws:iam::{ACCOUNT}:role/"

    def chained(source):
        first = client(server, "sts", alice).assume_role(
            RoleArn=arn + "Source1", RoleSessionName="one", SourceIdentity=source
        )
        return client(server, "sts", session_of(first))

    code, message = refused(chained("sourced").assume_role, RoleArn=arn + "SourceNo", RoleSessionName="two")
    assert code == "AccessDenied" and "sts:SetSourceIdentity" in message, message
    again = chained("sourced").assume_role(RoleArn=arn + "SourceIf", RoleSessionName="two")
    assert again["SourceIdentity"] == "sourced"
    assert refused(chained("other").assume_role, RoleArn=arn + "SourceIf", RoleSessionName="two")[0] == "AccessDenied"


def test_inherited_tags_count_as_those_of_the_session(server, iam):
    alice = user(iam, "tagger", allow("sts:*"))
    document = trust({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, action=["sts:AssumeRole", "sts:TagSession"])
    iam.create_role(RoleName="Tagged", AssumeRolePolicyDocument=document)
    iam.put_role_policy(RoleName="Tagged", PolicyName="p", PolicyDocument=policy(allow("sts:*")))
    role = {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/Tagged", "RoleSessionName": "it"}

    def tags(start, count):
        return [{"Key": f"k{number}", "Value": "v" * 20} for number in range(start, start + count)]

    keys = [tag["Key"] for tag in tags(0, 40)]
    first = client(server, "sts", alice).assume_role(**role, Tags=tags(0, 40), TransitiveTagKeys=keys)
    chained = client(server, "sts", session_of(first))
    assert chained.assume_role(**role, Tags=tags(40, 10))["PackedPolicySize"] > first["PackedPolicySize"]
    assert chained.assume_role(**role)["PackedPolicySize"] == first["PackedPolicySize"]
    assert refused(chained.assume_role, **role, Tags=tags(40, 11))[0] == "InvalidParameterValue"
    large = policy(allow("kms:" + "x" * 1400))
    client(server, "sts", alice).assume_role(**role, Policy=large)
    assert refused(chained.assume_role, **role, Policy=policy(allow("kms:" + "x" * 1700)))[0] == "PackedPolicyTooLarge"


def test_a_session_whose_passed_policy_is_gone_may_do_nothing(server, iam):
    alice = user(iam, "passer", allow("sts:*"))
    made = iam.create_policy(PolicyName="passed", PolicyDocument=policy(allow("kms:*")))["Policy"]["Arn"]
    iam.create_role(
        RoleName="Passing", AssumeRolePolicyDocument=trust({"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
    )  # fmt: skip
    iam.put_role_policy(RoleName="Passing", PolicyName="p", PolicyDocument=policy(allow("kms:*")))
    answer = client(server, "sts", alice).assume_role(
        RoleArn=f"arn:aws:iam::{ACCOUNT}:role/Passing", RoleSessionName="it", PolicyArns=[{"arn": made}]
    )
    kms = client(server, "kms", session_of(answer))
    kms.list_keys()
    iam.delete_policy(PolicyArn=made)
    assert refused(kms.list_keys)[0] == "AccessDeniedException"
    assert client(server, "sts", session_of(answer)).get_caller_identity()["Account"] == ACCOUNT


def test_the_command_line_assumes_a_role_from_its_profile(server, iam, key, tmp_path):
    alice = user(iam, "cli-user", allow("sts:AssumeRole"))
    iam.create_role(RoleName="Cli", AssumeRolePolicyDocument=trust({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}))
    iam.put_role_policy(RoleName="Cli", PolicyName="p", PolicyDocument=policy(allow("kms:DescribeKey")))
    config = tmp_path / "config"
    config.write_text(
        f"""[profile base]
aws_access_key_id = {alice["aws_access_key_id"]}
aws_secret_access_key = {alice["aws_secret_access_key"]}
[profile ops]
role_arn = arn:aws:iam::{ACCOUNT}:role/Cli
source_profile = base
"""
    )
    environment = {
        **server.environment_of_clients(),
        "HOME": str(tmp_path),
        "AWS_CONFIG_FILE": str(config),
    }
    del environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"]
    aws = [*aws_command(), "--profile", "ops"]
    asked = subprocess.run(
        [*aws, "sts", "get-caller-identity"], env=environment, capture_output=True, text=True, timeout=60
    )
    assert asked.returncode == 0, asked.stderr
    assert json.loads(asked.stdout)["Arn"].startswith(f"arn:aws:sts::{ACCOUNT}:assumed-role/Cli/botocore-session-")
    described = subprocess.run(
        [*aws, "kms", "describe-key", "--key-id", key], env=environment, capture_output=True, text=True, timeout=60
    )
    assert described.returncode == 0, described.stderr

