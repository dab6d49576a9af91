"""Who may do what, seen from outside: nobody, users, roles, grants, and that what was taken away is gone at once."""

import json

import botocore.exceptions
import botocore.session
import pytest

import raw
from server import ACCOUNT, key_arn

OPERATIONS = sorted(botocore.session.get_session().get_service_model("kms").operation_names)


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action, resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


ROOT = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"}


@pytest.fixture(scope="module")
def iam(server):
    return server.client(service="iam")


@pytest.fixture
def root(server):
    return server.client()


@pytest.fixture
def key(root):
    return root.create_key()["KeyMetadata"]["KeyId"]


def user(server, iam, name, *statements):
    """A new user with a policy, and its KMS client."""
    iam.create_user(UserName=name)
    if statements:
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=policy(*statements))
    made = iam.create_access_key(UserName=name)["AccessKey"]
    return server.client(credentials=(made["AccessKeyId"], made["SecretAccessKey"]))


def code(call, /, **arguments):
    try:
        call(**arguments)
    except botocore.exceptions.ClientError as error:
        return error.response["Error"]["Code"]
    return "ok"


@pytest.mark.parametrize("operation", OPERATIONS)
def test_nobody_may_do_anything(server, operation):
    headers = {
        "Host": server.host, "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"TrentService.{operation}",
    }  # fmt: skip
    answer = raw.send(server, b"{}", headers)
    assert (answer.status, *answer.error) == (400, "MissingAuthenticationTokenException", "Missing Authentication Token")


def test_the_text_of_a_refusal_says_which_policy_is_missing(server, iam, root, key):
    alice = user(server, iam, "reader", allow("kms:DescribeKey", key_arn(key)))
    who = f"User: arn:aws:iam::{ACCOUNT}:user/reader is not authorized to perform: kms:Encrypt on resource: {key_arn(key)} "
    alice.describe_key(KeyId=key)

    def message():
        with pytest.raises(botocore.exceptions.ClientError) as caught:
            alice.encrypt(KeyId=key, Plaintext=b"x")
        error = caught.value.response
        assert (error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"]) == ("AccessDeniedException", 400)
        return error["Error"]["Message"]

    assert message() == who + "because no identity-based policy allows the kms:Encrypt action"
    by_alice = {**ROOT, "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/reader"}, "Action": "kms:Encrypt"}
    root.put_key_policy(KeyId=key, Policy=policy(ROOT, {**by_alice, "Effect": "Deny"}))
    assert message() == who + "with an explicit deny in a resource-based policy"
    root.put_key_policy(KeyId=key, Policy=policy({**ROOT, "Action": ["kms:Put*", "kms:Describe*"]}))
    assert message() == who + "because no resource-based policy allows the kms:Encrypt action"
    root.put_key_policy(KeyId=key, Policy=policy(ROOT, by_alice))
    alice.encrypt(KeyId=key, Plaintext=b"x")
    iam.put_user_policy(
        UserName="reader", PolicyName="own", PolicyDocument=policy({**allow("kms:Encrypt"), "Effect": "Deny"})
    )
    assert message() == who + "with an explicit deny in an identity-based policy"


def test_what_is_taken_away_is_gone_for_the_next_request(server, iam, root, key):
    alice = user(server, iam, "leaver")
    arn = f"arn:aws:iam::{ACCOUNT}:user/leaver"
    encrypt = {"KeyId": key, "Plaintext": b"x"}
    policy_arn = iam.create_policy(PolicyName="use", PolicyDocument=policy(allow("kms:Encrypt")))["Policy"]["Arn"]
    iam.create_group(GroupName="users")
    denied = "AccessDeniedException"

    def grant():
        made = root.create_grant(KeyId=key, GranteePrincipal=arn, Operations=["Encrypt"])
        return lambda: root.revoke_grant(KeyId=key, GrantId=made["GrantId"])

    def by_key_policy():
        statement = {**ROOT, "Principal": {"AWS": arn}, "Action": "kms:Encrypt"}
        root.put_key_policy(KeyId=key, Policy=policy(ROOT, statement))
        return lambda: root.put_key_policy(KeyId=key, Policy=policy(ROOT))

    def attached():
        iam.attach_user_policy(UserName="leaver", PolicyArn=policy_arn)
        return lambda: iam.detach_user_policy(UserName="leaver", PolicyArn=policy_arn)

    def version():
        iam.attach_user_policy(UserName="leaver", PolicyArn=policy_arn)

        def take():
            iam.create_policy_version(
                PolicyArn=policy_arn, PolicyDocument=policy(allow("kms:Decrypt")), SetAsDefault=True
            )

        return take

    def inline():
        iam.put_user_policy(UserName="leaver", PolicyName="p", PolicyDocument=policy(allow("kms:*")))
        return lambda: iam.delete_user_policy(UserName="leaver", PolicyName="p")

    def group():
        iam.put_group_policy(GroupName="users", PolicyName="p", PolicyDocument=policy(allow("kms:*")))
        iam.add_user_to_group(GroupName="users", UserName="leaver")
        return lambda: iam.remove_user_from_group(GroupName="users", UserName="leaver")

    for give in (grant, by_key_policy, attached, inline, group, version):
        assert code(alice.encrypt, **encrypt) == denied, give.__name__
        take = give()
        assert code(alice.encrypt, **encrypt) == "ok", give.__name__
        take()
        assert code(alice.encrypt, **encrypt) == denied, give.__name__

    inline()
    assert code(alice.encrypt, **encrypt) == "ok"
    access_key = iam.list_access_keys(UserName="leaver")["AccessKeyMetadata"][0]["AccessKeyId"]
    iam.update_access_key(UserName="leaver", AccessKeyId=access_key, Status="Inactive")
    assert code(alice.encrypt, **encrypt) == "UnrecognizedClientException"
    iam.update_access_key(UserName="leaver", AccessKeyId=access_key, Status="Active")
    assert code(alice.encrypt, **encrypt) == "ok"
    iam.delete_access_key(UserName="leaver", AccessKeyId=access_key)
    assert code(alice.encrypt, **encrypt) == "UnrecognizedClientException"


def test_grants_give_what_they_say_and_are_listed(server, iam, root, key):
    alice = user(server, iam, "grantee")
    arn = f"arn:aws:iam::{ACCOUNT}:user/grantee"
    made = root.create_grant(
        KeyId=key, GranteePrincipal=arn, RetiringPrincipal=arn, Operations=["Encrypt", "Decrypt", "RetireGrant"],
        Constraints={"EncryptionContextSubset": {"team": "red"}}, Name="red",
    )  # fmt: skip
    listed = root.list_grants(KeyId=key)["Grants"]
    assert len(listed) == 1 and listed[0]["GrantId"] == made["GrantId"] and listed[0]["Name"] == "red"
    assert listed[0]["Constraints"] == {"EncryptionContextSubset": {"team": "red"}}
    assert root.list_retirable_grants(RetiringPrincipal=arn)["Grants"] == listed
    nameless = root.create_grant(KeyId=key, GranteePrincipal=arn, Operations=["Decrypt"])["GrantId"]
    assert root.list_grants(KeyId=key, GrantId=nameless)["Grants"][0]["Name"] == ""
    root.revoke_grant(KeyId=key, GrantId=nameless)
    red = {"team": "red", "n": "1"}
    blob = alice.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext=red, GrantTokens=[made["GrantToken"]])
    assert alice.decrypt(CiphertextBlob=blob["CiphertextBlob"], EncryptionContext=red)["Plaintext"] == b"x"
    assert code(alice.encrypt, KeyId=key, Plaintext=b"x") == "AccessDeniedException"
    assert code(alice.describe_key, KeyId=key) == "AccessDeniedException"
    assert code(alice.encrypt, KeyId=key, Plaintext=b"x", GrantTokens=["bm90aGluZw=="]) == "InvalidGrantTokenException"
    assert code(alice.retire_grant, KeyId=key_arn(key), GrantId=made["GrantId"], DryRun=True) == "DryRunOperationException"
    alice.retire_grant(GrantToken=made["GrantToken"])
    assert root.list_grants(KeyId=key)["Grants"] == []
    assert code(alice.encrypt, KeyId=key, Plaintext=b"x", EncryptionContext=red) == "AccessDeniedException"


def test_who_is_gone_stands_in_grants_and_key_policies_by_his_id(server, iam, root, key):
    arn = f"arn:aws:iam::{ACCOUNT}:user/{{}}".format
    made = {name: iam.create_user(UserName=name)["User"]["UserId"] for name in ("quits", "marries")}
    asked = {"KeyId": key, "GranteePrincipal": arn("quits"), "RetiringPrincipal": arn("marries"), "Operations": ["Encrypt"]}
    grant = root.create_grant(**asked)["GrantId"]
    both = {"Effect": "Allow", "Principal": {"AWS": [arn("quits"), arn("marries")]}, "Action": "kms:Sign", "Resource": "*"}
    root.put_key_policy(KeyId=key, Policy=policy(ROOT, both))
    iam.delete_user(UserName="quits")
    iam.create_user(UserName="quits")
    iam.update_user(UserName="marries", NewUserName="married")
    for listed in (
        root.list_grants(KeyId=key),
        root.list_grants(KeyId=key, GrantId=grant),
        root.list_retirable_grants(RetiringPrincipal=arn("married")),
    ):
        assert [(one["GranteePrincipal"], one["RetiringPrincipal"]) for one in listed["Grants"]] == [
            (made["quits"], arn("married"))
        ]
    # Who is gone is no principal to ask for.
    assert code(root.list_grants, KeyId=key, GranteePrincipal=made["quits"]) == "InvalidArnException"
    # Nothing was granted to whoever has the name now.
    assert root.list_grants(KeyId=key, GranteePrincipal=arn("quits"))["Grants"] == []
    assert root.list_grants(KeyId=key, GranteePrincipal=arn("quits"), GrantId=grant)["Grants"] == []
    shown = json.loads(root.get_key_policy(KeyId=key)["Policy"])["Statement"][1]["Principal"]["AWS"]
    assert shown == [made["quits"], arn("married")]


def test_a_grant_gives_more_than_the_right_to_make_or_to_retire_grants(root, key):
    alone = {"KeyId": key, "GranteePrincipal": f"arn:aws:iam::{ACCOUNT}:root"}
    for operation in ("CreateGrant", "RetireGrant"):
        with pytest.raises(botocore.exceptions.ClientError) as caught:
            root.create_grant(**alone, Operations=[operation])
        error = caught.value.response["Error"]
        assert (error["Code"], error["Message"]) == (
            "ValidationException", f"Grants must not contain only the {operation} operation."
        )  # fmt: skip
    for operations in (["CreateGrant", "DescribeKey"], ["RetireGrant", "DescribeKey"]):
        root.create_grant(**alone, Operations=operations)


def test_a_users_policy_names_keys_by_arn_and_alias_by_condition(server, iam, root, key):
    other = root.create_key()["KeyMetadata"]["KeyId"]
    root.create_alias(AliasName="alias/authorization/mine", TargetKeyId=key)
    alice = user(
        server, iam, "aliases",
        allow("kms:Encrypt", Condition={"ForAnyValue:StringLike": {"kms:ResourceAliases": "alias/authorization/*"}}),
        allow("kms:DescribeKey", f"arn:aws:kms:*:{ACCOUNT}:alias/*"),
        allow("kms:CreateAlias", [f"arn:aws:kms:*:{ACCOUNT}:alias/new", key_arn(key)]),
    )  # fmt: skip
    assert code(alice.encrypt, KeyId=key, Plaintext=b"x") == "ok"
    assert code(alice.encrypt, KeyId=other, Plaintext=b"x") == "AccessDeniedException"
    # An alias ARN in a policy gives nothing for a key.
    assert code(alice.describe_key, KeyId="alias/authorization/mine") == "AccessDeniedException"
    assert code(alice.create_alias, AliasName="alias/other", TargetKeyId=key) == "AccessDeniedException"
    assert code(alice.create_alias, AliasName="alias/new", TargetKeyId=other) == "AccessDeniedException"
    assert code(alice.create_alias, AliasName="alias/new", TargetKeyId=key) == "ok"
    root.delete_alias(AliasName="alias/new")
    root.delete_alias(AliasName="alias/authorization/mine")
    assert code(alice.encrypt, KeyId=key, Plaintext=b"x") == "AccessDeniedException"
