"""Grants to roles and to their sessions: what cuts them, whose they are, and what becomes of them when the role goes.

The texts are those of recorded answers of AWS, September 2026.
"""

import json

import botocore.exceptions
import pytest

from server import ACCOUNT, key_arn

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}],
    }
)


def policy(effect, action):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": action, "Resource": "*"}]})


def session_arn(role, name):
    return f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name}"


@pytest.fixture(scope="module")
def iam(server):
    return server.client(service="iam")


@pytest.fixture(scope="module")
def root(server):
    return server.client()


@pytest.fixture(scope="module")
def sts(server, iam):
    iam.create_user(UserName="assumes")
    iam.put_user_policy(UserName="assumes", PolicyName="own", PolicyDocument=policy("Allow", "sts:AssumeRole"))
    made = iam.create_access_key(UserName="assumes")["AccessKey"]
    return server.client(service="sts", credentials=(made["AccessKeyId"], made["SecretAccessKey"]))


@pytest.fixture
def key(root):
    return root.create_key()["KeyMetadata"]["KeyId"]


@pytest.fixture
def assume(server, sts):
    def assumed(role, name, **more):
        made = sts.assume_role(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/{role}", RoleSessionName=name, **more)
        made = made["Credentials"]
        return server.client(credentials=(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"]))

    return assumed


def told(call, **request):
    """The code and the text of a refusal; nothing where there is none."""
    try:
        call(**request)
    except botocore.exceptions.ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"]["Message"]
    return None


def test_what_cuts_a_grant_to_a_role_is_what_the_refusal_speaks_of(iam, root, key, assume):
    iam.create_role(RoleName="cut", Path="/probe/", AssumeRolePolicyDocument=TRUST)
    elsewhere = policy("Allow", "sqs:*")
    whole, limited = assume("probe/cut", "target"), assume("probe/cut", "target", Policy=elsewhere)
    request = {"CiphertextBlob": root.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"], "KeyId": key}

    def lacks(layer):
        who = f"User: {session_arn('cut', 'target')} is not authorized to perform: kms:Decrypt on resource: {key_arn(key)}"
        return "AccessDeniedException", f"{who} because no {layer} allows the kms:Decrypt action"

    assert told(limited.decrypt, **request) == lacks("identity-based policy")
    role = {"KeyId": key, "GranteePrincipal": f"arn:aws:iam::{ACCOUNT}:role/probe/cut", "Operations": ["Decrypt"]}
    to_role = root.create_grant(**role)["GrantId"]
    assert told(whole.decrypt, **request) is None
    assert told(limited.decrypt, **request) == lacks("session policy")
    bound = "arn:aws:iam::aws:policy/IAMReadOnlyAccess"
    iam.put_role_permissions_boundary(RoleName="cut", PermissionsBoundary=bound)
    assert told(whole.decrypt, **request) == lacks("permissions boundary")
    # One to the session itself is cut by neither.
    root.create_grant(**{**role, "GranteePrincipal": session_arn("cut", "target")})
    root.revoke_grant(KeyId=key, GrantId=to_role)
    assert [told(one.decrypt, **request) for one in (whole, limited)] == [None, None]


def test_a_session_is_its_roles_and_not_a_names(iam, root, key, assume):
    def make_role():
        return iam.create_role(RoleName="goes", AssumeRolePolicyDocument=TRUST)["Role"]["RoleId"]

    first = make_role()
    arn, unique = session_arn("goes", "future"), f"{first}:future"

    def request(principal):
        named = {"KeyId": key, "Name": "bound", "Operations": ["DescribeKey"]}
        return {**named, "GranteePrincipal": principal, "RetiringPrincipal": principal}

    def shown():
        grant = root.list_grants(KeyId=key, GrantId=bound)["Grants"][0]
        return grant["GranteePrincipal"], grant["RetiringPrincipal"]

    def listed(principal):
        by_key = root.list_grants(KeyId=key, GranteePrincipal=principal)["Grants"]
        retirable = root.list_retirable_grants(RetiringPrincipal=principal)["Grants"]
        return [[grant["GrantId"] for grant in grants] for grants in (by_key, retirable)]

    bound = root.create_grant(**request(arn))["GrantId"]
    assert root.create_grant(**request(unique))["GrantId"] == bound
    assert shown() == (arn, arn)
    assert listed(arn) == listed(unique) == [[bound], [bound]]
    assert told(assume("goes", "future").describe_key, KeyId=key) is None
    assert told(assume("goes", "other").describe_key, KeyId=key)[0] == "AccessDeniedException"

    iam.delete_role(RoleName="goes")
    assert shown() == (unique, unique)
    nobody = ("InvalidArnException", f"ARN does not refer to a valid principal: {arn}")
    by_key, retirable = {"KeyId": key, "GranteePrincipal": arn}, {"RetiringPrincipal": arn}
    assert told(root.create_grant, **request(arn)) == nobody
    assert told(root.list_grants, **by_key) == told(root.list_retirable_grants, **retirable) == nobody
    gone = told(root.list_grants, KeyId=key, GranteePrincipal=unique)
    assert gone == ("InvalidArnException", "Input does not refer to a valid principal")
    gone = told(root.list_retirable_grants, RetiringPrincipal=unique)
    assert gone == ("NotFoundException", f"Retiring principal {unique} could not be found")
    gone = told(root.create_grant, **request(unique))
    assert gone == ("InvalidArnException", "GranteePrincipal does not refer to a valid principal.")
    with_path = session_arn("path/goes", "future")
    assert told(root.create_grant, **request(with_path)) == ("InvalidArnException", f"ARN is not valid: {with_path}")

    make_role()
    another = assume("goes", "future")
    assert told(another.describe_key, KeyId=key)[0] == "AccessDeniedException"
    assert told(another.retire_grant, KeyId=key_arn(key), GrantId=bound)[0] == "AccessDeniedException"
    assert shown() == (unique, unique)
    assert listed(arn) == [[], []]
    anew = root.create_grant(**request(arn))["GrantId"]
    assert anew != bound
    assert told(another.describe_key, KeyId=key) is None
    assert listed(arn) == [[anew], [anew]]


def test_policies_know_the_grantee_by_arn_however_it_is_named(iam, root, key):
    role = iam.create_role(RoleName="named", AssumeRolePolicyDocument=TRUST)["Role"]["RoleId"]
    arn = session_arn("named", "s")
    barred = {
        "Effect": "Deny", "Principal": "*", "Action": "kms:CreateGrant", "Resource": "*",
        "Condition": {"StringEquals": {"kms:GranteePrincipal": arn}},
    }  # fmt: skip
    own = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"}
    root.put_key_policy(KeyId=key, Policy=json.dumps({"Version": "2012-10-17", "Statement": [own, barred]}))
    for principal in (arn, f"{role}:s"):
        request = {"KeyId": key, "GranteePrincipal": principal, "Operations": ["Decrypt"]}
        assert told(root.create_grant, **request)[0] == "AccessDeniedException", principal
