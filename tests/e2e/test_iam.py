"""IAM, with boto3: users, groups, roles, policies, access keys, tags, providers, and what is said of each that is refused."""

import concurrent.futures
import json
import re
import urllib.parse

import botocore.exceptions
import pytest

import audit
import server as harness
from server import ACCOUNT

ALLOW_KMS = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]}
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"


def policy(action="kms:*", resource="*", effect="Allow", **more):
    statement = {"Effect": effect, "Action": action, "Resource": resource, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def trust(principal=f"arn:aws:iam::{ACCOUNT}:root"):
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server of this module's own: no other has its names."""
    running = harness.Server(tmp_path_factory.mktemp("iam") / "data").start()
    yield running
    running.kill()


@pytest.fixture(scope="module")
def iam(server):
    return server.client(service="iam")


@pytest.fixture(scope="module")
def any_iam(server):
    """A client that does not check its input."""
    return server.client(service="iam", validate=False)


def refused(call, /, **arguments):
    """(code, message, status) of the error of a call."""
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(**arguments)
    answer = caught.value.response
    return answer["Error"]["Code"], answer["Error"]["Message"], answer["ResponseMetadata"]["HTTPStatusCode"]


def missing(kind, name):
    return "NoSuchEntity", f"The {kind} with name {name} cannot be found.", 404


def conflict(what):
    return "DeleteConflict", f"Cannot delete entity, must {what} first.", 409


def keys_of(iam, name):
    """The credentials of a new access key."""
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return key["AccessKeyId"], key["SecretAccessKey"]


def test_a_users_life(iam):
    made = iam.create_user(UserName="alice", Path="/eng/", Tags=[{"Key": "Team", "Value": "A"}])["User"]
    assert re.fullmatch("AIDA[A-Z2-7]{17}", made["UserId"])
    assert made["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/eng/alice"
    assert iam.get_user(UserName="ALICE")["User"] == made
    listed = iam.list_users(PathPrefix="/eng/")["Users"]
    assert [user["UserName"] for user in listed] == ["alice"]
    assert "Tags" not in listed[0] and "PermissionsBoundary" not in listed[0]
    assert iam.list_users(PathPrefix="/other/")["Users"] == []
    assert refused(iam.create_user, UserName="Alice") == (
        "EntityAlreadyExists", "User with name Alice already exists.", 409
    )  # fmt: skip

    iam.update_user(UserName="alice", NewUserName="Alison", NewPath="/ops/")
    renamed = iam.get_user(UserName="alison")["User"]
    assert (renamed["UserId"], renamed["Arn"]) == (made["UserId"], f"arn:aws:iam::{ACCOUNT}:user/ops/Alison")
    assert refused(iam.get_user, UserName="alice") == missing("user", "alice")

    iam.delete_user(UserName="Alison")
    assert refused(iam.get_user, UserName="Alison") == missing("user", "Alison")
    assert refused(iam.delete_user, UserName="Alison") == missing("user", "Alison")


def test_a_user_is_deleted_once_nothing_hangs_on_it(iam):
    name = "held"
    iam.create_user(UserName=name)
    iam.create_group(GroupName="holding")
    key_id, _ = keys_of(iam, name)
    iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=policy())
    iam.attach_user_policy(UserName=name, PolicyArn=READ_ONLY)
    iam.add_user_to_group(GroupName="holding", UserName=name)
    for what, remove in [
        ("delete access keys", lambda: iam.delete_access_key(UserName=name, AccessKeyId=key_id)),
        ("delete policies", lambda: iam.delete_user_policy(UserName=name, PolicyName="own")),
        ("detach all policies", lambda: iam.detach_user_policy(UserName=name, PolicyArn=READ_ONLY)),
        ("remove users from group", lambda: iam.remove_user_from_group(GroupName="holding", UserName=name)),
    ]:
        assert refused(iam.delete_user, UserName=name) == conflict(what)
        remove()
    iam.delete_user(UserName=name)
    iam.delete_group(GroupName="holding")


def test_a_name_that_a_user_leaves_takes_everything_along(server, iam):
    iam.create_user(UserName="before")
    iam.create_group(GroupName="crew")
    iam.add_user_to_group(GroupName="crew", UserName="before")
    iam.attach_user_policy(UserName="before", PolicyArn=READ_ONLY)
    credentials = keys_of(iam, "before")
    iam.update_user(UserName="before", NewUserName="after")
    identity = server.client(service="sts", credentials=credentials).get_caller_identity()
    assert identity["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/after"
    assert [user["UserName"] for user in iam.get_group(GroupName="crew")["Users"]] == ["after"]
    assert [key["UserName"] for key in iam.list_access_keys(UserName="after")["AccessKeyMetadata"]] == ["after"]
    holders = iam.list_entities_for_policy(PolicyArn=READ_ONLY)["PolicyUsers"]
    assert "after" in [user["UserName"] for user in holders]
    iam.create_user(UserName="before")
    assert iam.list_groups_for_user(UserName="before")["Groups"] == []
    iam.detach_user_policy(UserName="after", PolicyArn=READ_ONLY)
    iam.remove_user_from_group(GroupName="crew", UserName="after")


def test_groups(iam):
    group = iam.create_group(GroupName="Devs", Path="/eng/")["Group"]
    assert re.fullmatch("AGPA[A-Z2-7]{17}", group["GroupId"])
    assert group["Arn"] == f"arn:aws:iam::{ACCOUNT}:group/eng/Devs"
    assert refused(iam.create_group, GroupName="devs")[:2] == (
        "EntityAlreadyExists", "Group with name devs already exists."
    )  # fmt: skip
    for name in ("dev1", "dev2"):
        iam.create_user(UserName=name)
        iam.add_user_to_group(GroupName="devs", UserName=name)
        iam.add_user_to_group(GroupName="devs", UserName=name)
    assert [user["UserName"] for user in iam.get_group(GroupName="devs")["Users"]] == ["dev1", "dev2"]
    assert [found["GroupName"] for found in iam.list_groups_for_user(UserName="dev1")["Groups"]] == ["Devs"]
    assert refused(iam.delete_group, GroupName="devs") == conflict("remove users from group")
    assert refused(iam.add_user_to_group, GroupName="devs", UserName="nobody") == missing("user", "nobody")
    assert refused(iam.add_user_to_group, GroupName="nothing", UserName="dev1") == missing("group", "nothing")

    iam.update_group(GroupName="devs", NewGroupName="makers")
    assert [found["GroupName"] for found in iam.list_groups_for_user(UserName="dev1")["Groups"]] == ["makers"]
    assert len(iam.get_group(GroupName="makers")["Users"]) == 2
    assert refused(iam.get_group, GroupName="devs") == missing("group", "devs")
    for name in ("dev1", "dev2"):
        iam.remove_user_from_group(GroupName="makers", UserName=name)
    iam.remove_user_from_group(GroupName="makers", UserName="dev1")
    assert refused(iam.remove_user_from_group, GroupName="nothing", UserName="nobody") == missing("user", "nobody")
    iam.delete_group(GroupName="makers")


def test_a_user_is_in_ten_groups_at_most(iam):
    iam.create_user(UserName="joiner")
    for number in range(10):
        iam.create_group(GroupName=f"join{number}")
        iam.add_user_to_group(GroupName=f"join{number}", UserName="joiner")
    iam.create_group(GroupName="join10")
    assert refused(iam.add_user_to_group, GroupName="join10", UserName="joiner") == (
        "LimitExceeded", "Cannot exceed quota for GroupsPerUser: 10", 409
    )  # fmt: skip


def test_roles(iam):
    user = iam.create_user(UserName="trusted")["User"]
    role = iam.create_role(
        RoleName="Ops", Path="/p/", AssumeRolePolicyDocument=trust(user["Arn"]), Description="for ops",
        MaxSessionDuration=7200, Tags=[{"Key": "a", "Value": "b"}],
    )["Role"]  # fmt: skip
    assert re.fullmatch("AROA[A-Z2-7]{17}", role["RoleId"])
    assert role["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/p/Ops"
    assert role["AssumeRolePolicyDocument"] == json.loads(trust(user["Arn"]))
    read = iam.get_role(RoleName="ops")["Role"]
    # As AWS answers: who makes a role is not told what it is used for, nor what it is described as.
    assert {**role, "Description": "for ops", "MaxSessionDuration": 7200, "RoleLastUsed": {}} == read
    iam.update_role(RoleName="Ops")
    assert iam.get_role(RoleName="ops")["Role"] == read
    assert [found["RoleName"] for found in iam.list_roles(PathPrefix="/p/")["Roles"]] == ["Ops"]
    assert refused(iam.create_role, RoleName="OPS", AssumeRolePolicyDocument=trust())[:2] == (
        "EntityAlreadyExists", "Role with name OPS already exists."
    )  # fmt: skip
    iam.update_role(RoleName="Ops", Description="other", MaxSessionDuration=3600)
    changed = iam.update_role_description(RoleName="Ops", Description="third")["Role"]
    assert changed["Description"] == "third" and not {"MaxSessionDuration", "RoleLastUsed"} & changed.keys()
    assert iam.get_role(RoleName="Ops")["Role"]["MaxSessionDuration"] == 3600
    role_action = trust().replace("sts:AssumeRole", "sts:InvalidAction")
    assert refused(iam.update_assume_role_policy, RoleName="Ops", PolicyDocument=role_action) == (
        "MalformedPolicyDocument", "AssumeRole policy may only specify STS AssumeRole actions.", 400
    )  # fmt: skip
    iam.update_assume_role_policy(RoleName="Ops", PolicyDocument=trust())
    assert iam.get_role(RoleName="Ops")["Role"]["AssumeRolePolicyDocument"] == json.loads(trust())
    assert iam.list_instance_profiles_for_role(RoleName="Ops")["InstanceProfiles"] == []
    iam.attach_role_policy(RoleName="Ops", PolicyArn=READ_ONLY)
    assert refused(iam.delete_role, RoleName="Ops") == conflict("detach all policies")
    iam.detach_role_policy(RoleName="Ops", PolicyArn=READ_ONLY)
    iam.put_role_policy(RoleName="Ops", PolicyName="p", PolicyDocument=policy())
    assert refused(iam.delete_role, RoleName="Ops") == conflict("delete policies")
    iam.delete_role_policy(RoleName="Ops", PolicyName="p")
    iam.delete_role(RoleName="Ops")
    assert refused(iam.get_role, RoleName="Ops") == missing("role", "Ops")


def test_who_is_gone_stands_in_a_trust_policy_by_his_id(iam):
    user = iam.create_user(UserName="leaver")["User"]
    iam.create_role(RoleName="left", AssumeRolePolicyDocument=trust(user["Arn"]))
    iam.delete_user(UserName="leaver")
    iam.create_user(UserName="leaver")
    document = iam.get_role(RoleName="left")["Role"]["AssumeRolePolicyDocument"]
    assert document["Statement"][0]["Principal"] == {"AWS": user["UserId"]}


def test_a_trust_policy_names_who_is_there(iam):
    arn = f"arn:aws:iam::{ACCOUNT}:user/never"
    assert refused(iam.create_role, RoleName="r", AssumeRolePolicyDocument=trust(arn)) == (
        "MalformedPolicyDocument", f'Invalid principal in policy: "AWS":"{arn}"', 400
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["user", "group", "role"])
def test_inline_policies(iam, kind):
    holder = {f"{kind.title()}Name": f"inline-{kind}"}
    more = {"AssumeRolePolicyDocument": trust()} if kind == "role" else {}
    getattr(iam, f"create_{kind}")(**holder, **more)
    put, get = getattr(iam, f"put_{kind}_policy"), getattr(iam, f"get_{kind}_policy")
    names, delete = getattr(iam, f"list_{kind}_policies"), getattr(iam, f"delete_{kind}_policy")
    text = json.dumps(ALLOW_KMS, indent=2) + " "
    put(**holder, PolicyName="b", PolicyDocument=text)
    put(**holder, PolicyName="a", PolicyDocument=policy("iam:*"))
    put(**holder, PolicyName="A", PolicyDocument=policy("sts:*"))
    found = get(**holder, PolicyName="b")
    assert (found["PolicyName"], found["PolicyDocument"]) == ("b", ALLOW_KMS)
    assert get(**holder, PolicyName="a")["PolicyDocument"]["Statement"][0]["Action"] == "sts:*"
    assert names(**holder)["PolicyNames"] == ["a", "b"]
    assert refused(get, **holder, PolicyName="c") == (
        "NoSuchEntity", f"The {kind} policy with name c cannot be found.", 404
    )  # fmt: skip
    most = {"user": 2048, "group": 5120, "role": 10240}[kind]
    statement = {"Effect": "Allow", "Action": "kms:" + "a" * (most - 300), "Resource": "*"}
    delete(**holder, PolicyName="a")
    assert refused(
        put, **holder, PolicyName="long", PolicyDocument=policy([statement["Action"], "kms:" + "b" * 200])
    ) == (
        "LimitExceeded", f"Maximum policy size of {most} bytes exceeded for {kind} inline-{kind}", 409
    )  # fmt: skip
    delete(**holder, PolicyName="b")
    assert names(**holder)["PolicyNames"] == []
    assert refused(put, **holder, PolicyName="bad", PolicyDocument="{")[::2] == ("MalformedPolicyDocument", 400)


@pytest.mark.parametrize("kind", ["user", "group", "role"])
def test_attached_policies(iam, kind):
    holder = {f"{kind.title()}Name": f"attached-{kind}"}
    more = {"AssumeRolePolicyDocument": trust()} if kind == "role" else {}
    getattr(iam, f"create_{kind}")(**holder, **more)
    attach, detach = getattr(iam, f"attach_{kind}_policy"), getattr(iam, f"detach_{kind}_policy")
    listed = getattr(iam, f"list_attached_{kind}_policies")
    arn = iam.create_policy(PolicyName=f"for-{kind}", Path="/x/", PolicyDocument=policy())["Policy"]["Arn"]
    for policy_arn in (arn, arn, READ_ONLY):
        attach(**holder, PolicyArn=policy_arn)
    assert listed(**holder)["AttachedPolicies"] == [
        {"PolicyName": "ReadOnlyAccess", "PolicyArn": READ_ONLY},
        {"PolicyName": f"for-{kind}", "PolicyArn": arn},
    ]
    assert [found["PolicyArn"] for found in listed(**holder, PathPrefix="/x/")["AttachedPolicies"]] == [arn]
    assert iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 1
    entities = iam.list_entities_for_policy(PolicyArn=arn)
    assert len(entities[f"Policy{kind.title()}s"]) == 1
    assert refused(iam.delete_policy, PolicyArn=arn) == (
        "DeleteConflict", "Cannot delete a policy attached to entities.", 409
    )  # fmt: skip
    gone = f"arn:aws:iam::{ACCOUNT}:policy/gone"
    assert refused(attach, **holder, PolicyArn=gone) == (
        "NoSuchEntity", f"Policy {gone} does not exist or is not attachable.", 404
    )  # fmt: skip
    assert refused(detach, **holder, PolicyArn=gone) == ("NoSuchEntity", f"Policy {gone} was not found.", 404)
    for number in range(8):
        more_arn = iam.create_policy(PolicyName=f"more-{kind}-{number}", PolicyDocument=policy())["Policy"]["Arn"]
        attach(**holder, PolicyArn=more_arn)
    assert refused(attach, **holder, PolicyArn="arn:aws:iam::aws:policy/SecurityAudit") == (
        "LimitExceeded", f"Cannot exceed quota for PoliciesPer{kind.title()}: 10", 409
    )  # fmt: skip
    detach(**holder, PolicyArn=arn)
    iam.delete_policy(PolicyArn=arn)


def test_managed_policies_and_their_versions(iam):
    made = iam.create_policy(
        PolicyName="Versioned", Path="/a/b/", PolicyDocument=policy("kms:Encrypt"), Description="d",
        Tags=[{"Key": "k", "Value": "v"}],
    )["Policy"]  # fmt: skip
    arn = made["Arn"]
    assert arn == f"arn:aws:iam::{ACCOUNT}:policy/a/b/Versioned" and re.fullmatch("ANPA[A-Z2-7]{17}", made["PolicyId"])
    assert refused(iam.create_policy, PolicyName="versioned", PolicyDocument=policy()) == (
        "EntityAlreadyExists", "A policy called versioned already exists. Duplicate names are not allowed.", 409
    )  # fmt: skip
    read = iam.get_policy(PolicyArn=arn)["Policy"]
    assert (read["Description"], read["Tags"], read["DefaultVersionId"]) == ("d", [{"Key": "k", "Value": "v"}], "v1")
    for number in range(2, 6):
        version = iam.create_policy_version(
            PolicyArn=arn, PolicyDocument=policy(f"kms:A{number}"), SetAsDefault=number == 3
        )["PolicyVersion"]  # fmt: skip
        assert (version["VersionId"], version["IsDefaultVersion"]) == (f"v{number}", number == 3)
    assert refused(iam.create_policy_version, PolicyArn=arn, PolicyDocument=policy()) == (
        "LimitExceeded",
        "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.",
        409,
    )
    versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    assert [version["VersionId"] for version in versions] == ["v5", "v4", "v3", "v2", "v1"]
    text = iam.get_policy_version(PolicyArn=arn, VersionId="v3")["PolicyVersion"]["Document"]
    assert text["Statement"][0]["Action"] == "kms:A3"
    assert refused(iam.delete_policy_version, PolicyArn=arn, VersionId="v3") == (
        "DeleteConflict", "Cannot delete the default version of a policy.", 409
    )  # fmt: skip
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
    assert refused(iam.delete_policy, PolicyArn=arn)[0] == "DeleteConflict"
    for number in range(2, 6):
        iam.delete_policy_version(PolicyArn=arn, VersionId=f"v{number}")
    assert iam.create_policy_version(PolicyArn=arn, PolicyDocument=policy())["PolicyVersion"]["VersionId"] == "v6"
    iam.delete_policy_version(PolicyArn=arn, VersionId="v6")
    assert refused(iam.get_policy_version, PolicyArn=arn, VersionId="v9")[0] == "NoSuchEntity"
    iam.delete_policy(PolicyArn=arn)
    assert refused(iam.get_policy, PolicyArn=arn) == ("NoSuchEntity", f"Policy {arn} was not found.", 404)
    wrong_path = arn.replace("/a/b/", "/")
    assert refused(iam.get_policy, PolicyArn=wrong_path)[0] == "NoSuchEntity"
    long = policy(["kms:" + "a" * 6200])
    assert refused(iam.create_policy, PolicyName="long", PolicyDocument=long)[:2] == (
        "LimitExceeded", "Cannot exceed quota for PolicySize: 6144"
    )  # fmt: skip


def test_policies_of_aws_are_read_and_attached_but_not_changed(iam):
    arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    assert iam.get_policy(PolicyArn=arn)["Policy"]["PolicyName"] == "AdministratorAccess"
    document = iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]["Document"]
    assert document["Statement"][0]["Action"] == "*"
    listed = iam.list_policies(Scope="AWS")["Policies"]
    assert arn in [found["Arn"] for found in listed]
    assert not any(found["Arn"].startswith("arn:aws:iam::aws:") for found in iam.list_policies(Scope="Local")["Policies"])
    assert refused(iam.delete_policy, PolicyArn=arn)[::2] == ("AccessDenied", 403)
    assert refused(iam.create_policy_version, PolicyArn=arn, PolicyDocument=policy())[::2] == ("AccessDenied", 403)


def test_access_keys(server, iam):
    iam.create_user(UserName="keys")
    first = iam.create_access_key(UserName="keys")["AccessKey"]
    assert re.fullmatch("AKIA[A-Z2-7]{16}", first["AccessKeyId"]) and len(first["SecretAccessKey"]) == 40
    credentials = (first["AccessKeyId"], first["SecretAccessKey"])
    sts = server.client(service="sts", credentials=credentials)
    user = iam.get_user(UserName="keys")["User"]
    assert sts.get_caller_identity()["UserId"] == user["UserId"]
    assert server.client(service="sts").get_access_key_info(AccessKeyId=first["AccessKeyId"])["Account"] == ACCOUNT
    keys_of(iam, "keys")
    assert refused(iam.create_access_key, UserName="keys") == (
        "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2", 409
    )  # fmt: skip
    listed = iam.list_access_keys(UserName="keys")["AccessKeyMetadata"]
    assert [key["Status"] for key in listed] == ["Active", "Active"]
    assert "SecretAccessKey" not in listed[0]
    iam.update_access_key(UserName="keys", AccessKeyId=first["AccessKeyId"], Status="Inactive")
    assert refused(sts.get_caller_identity) == (
        "InvalidClientTokenId", "The security token included in the request is invalid.", 403
    )  # fmt: skip
    iam.update_access_key(UserName="keys", AccessKeyId=first["AccessKeyId"], Status="Active")
    assert sts.get_caller_identity()["UserId"] == user["UserId"]
    used = iam.get_access_key_last_used(AccessKeyId=first["AccessKeyId"])
    assert (used["UserName"], used["AccessKeyLastUsed"]["ServiceName"]) == ("keys", "sts")
    iam.delete_access_key(UserName="keys", AccessKeyId=first["AccessKeyId"])
    assert refused(sts.get_caller_identity)[0] == "InvalidClientTokenId"
    gone = "NoSuchEntity", f"The Access Key with id {first['AccessKeyId']} cannot be found.", 404
    assert refused(iam.delete_access_key, UserName="keys", AccessKeyId=first["AccessKeyId"]) == gone
    assert refused(iam.get_access_key_last_used, AccessKeyId=first["AccessKeyId"]) == (
        "AccessDenied",
        f"User: arn:aws:iam::{ACCOUNT}:root is not authorized to perform iam:GetAccessKeyLastUsed on resource: "
        f"access key {first['AccessKeyId']}",
        403,
    )


def test_the_root_user_has_access_keys_too(fresh_server):
    fresh_server.start()
    iam = fresh_server.client(service="iam")
    [own] = iam.list_access_keys()["AccessKeyMetadata"]
    assert own["AccessKeyId"] == fresh_server.credentials[0]
    made = iam.create_access_key()["AccessKey"]
    other = fresh_server.client(service="sts", credentials=(made["AccessKeyId"], made["SecretAccessKey"]))
    assert other.get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:root"
    iam.delete_access_key(AccessKeyId=made["AccessKeyId"])
    assert refused(other.get_caller_identity)[0] == "InvalidClientTokenId"


def test_tags(iam):
    iam.create_user(UserName="tagged")
    iam.create_role(RoleName="tagged", AssumeRolePolicyDocument=trust())
    arn = iam.create_policy(PolicyName="tagged", PolicyDocument=policy())["Policy"]["Arn"]
    provider = iam.create_open_id_connect_provider(Url="https://tags.example.com")["OpenIDConnectProviderArn"]
    for kind, target in [
        ("user", {"UserName": "tagged"}),
        ("role", {"RoleName": "tagged"}),
        ("policy", {"PolicyArn": arn}),
        ("open_id_connect_provider", {"OpenIDConnectProviderArn": provider}),
    ]:
        tag, untag = getattr(iam, f"tag_{kind}"), getattr(iam, f"untag_{kind}")
        listed = getattr(iam, f"list_{kind}_tags")
        tag(**target, Tags=[{"Key": "b", "Value": "1"}, {"Key": "a", "Value": ""}])
        tag(**target, Tags=[{"Key": "B", "Value": "2"}])
        exact = kind in ("policy", "open_id_connect_provider")
        if exact:
            # Keys of tags that differ in case are two, and the shorter ones are listed first.
            tag(**target, Tags=[{"Key": "aa", "Value": "3"}])
            assert [held["Key"] for held in listed(**target)["Tags"]] == ["B", "a", "b", "aa"]
            untag(**target, TagKeys=["b", "AA"])
            assert [held["Key"] for held in listed(**target)["Tags"]] == ["B", "a", "aa"]
            untag(**target, TagKeys=["aa"])
        assert listed(**target)["Tags"] == [{"Key": "B", "Value": "2"}, {"Key": "a", "Value": ""}]
        page = listed(**target, MaxItems=1)
        assert (page["IsTruncated"], len(page["Tags"])) == (True, 1)
        assert listed(**target, Marker=page["Marker"])["Tags"] == [{"Key": "a", "Value": ""}]
        twice = [{"Key": "x", "Value": "1"}, {"Key": "x" if exact else "X", "Value": "1"}]
        more = "" if exact else " Please note that Tag keys are case insensitive."
        assert refused(tag, **target, Tags=twice) == ("InvalidInput", f"Duplicate tag keys found.{more}", 400)
        assert refused(tag, **target, Tags=[]) == ("InvalidInput", "Error occurred while validating input. ", 400)
        assert refused(untag, **target, TagKeys=[]) == ("InvalidInput", "Error occurred while validating input. ", 400)
        assert refused(tag, **target, Tags=[{"Key": "aws:x", "Value": "1"}])[0] == "InvalidInput"
        many = [{"Key": f"k{number}", "Value": ""} for number in range(49)]
        assert refused(tag, **target, Tags=many)[0] == "LimitExceeded"
        untag(**target, TagKeys=["a", "B", "nothing"] if exact else ["A", "b", "nothing"])
        assert listed(**target)["Tags"] == []


def test_providers(iam):
    url = "https://token.actions.example.com/path"
    made = iam.create_open_id_connect_provider(Url=url, ClientIDList=["a"], ThumbprintList=["A" * 40])
    arn = made["OpenIDConnectProviderArn"]
    assert arn == f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.example.com/path"
    assert refused(iam.create_open_id_connect_provider, Url=url) == (
        "EntityAlreadyExists", f"Provider with url {url} already exists.", 409
    )  # fmt: skip
    iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="b")
    iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="a")
    iam.update_open_id_connect_provider_thumbprint(OpenIDConnectProviderArn=arn, ThumbprintList=["b" * 40])
    read = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert (read["Url"], read["ClientIDList"], read["ThumbprintList"]) == (url.removeprefix("https://"), ["b"], ["b" * 40])
    assert {"Arn": arn} in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    gone = "NoSuchEntity", f"OpenIDConnect Provider not found for arn {arn}", 404
    assert refused(iam.get_open_id_connect_provider, OpenIDConnectProviderArn=arn) == gone


def test_boundaries(iam):
    arn = iam.create_policy(PolicyName="bounds", PolicyDocument=policy())["Policy"]["Arn"]
    iam.create_user(UserName="bound", PermissionsBoundary=arn)
    expected = {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn}
    assert iam.get_user(UserName="bound")["User"]["PermissionsBoundary"] == expected
    assert iam.get_policy(PolicyArn=arn)["Policy"]["PermissionsBoundaryUsageCount"] == 1
    assert refused(iam.delete_policy, PolicyArn=arn)[0] == "DeleteConflict"
    iam.put_user_permissions_boundary(UserName="bound", PermissionsBoundary=READ_ONLY)
    assert iam.get_policy(PolicyArn=arn)["Policy"]["PermissionsBoundaryUsageCount"] == 0
    iam.delete_user_permissions_boundary(UserName="bound")
    assert "PermissionsBoundary" not in iam.get_user(UserName="bound")["User"]
    gone = f"arn:aws:iam::{ACCOUNT}:policy/gone"
    assert refused(iam.put_user_permissions_boundary, UserName="bound", PermissionsBoundary=gone) == (
        "NoSuchEntity", f"Scope ARN: {gone} does not exist or is not attachable.", 404
    )  # fmt: skip
    iam.create_role(RoleName="bound", AssumeRolePolicyDocument=trust(), PermissionsBoundary=arn)
    iam.put_role_permissions_boundary(RoleName="bound", PermissionsBoundary=arn)
    iam.delete_role_permissions_boundary(RoleName="bound")
    iam.delete_policy(PolicyArn=arn)


def test_pages_hold_everything_once(iam):
    names = sorted(f"page{number:03}" for number in range(25))
    for name in names:
        iam.create_user(UserName=name, Path="/pages/")
    seen, marker = [], {}
    while True:
        page = iam.list_users(PathPrefix="/pages/", MaxItems=10, **marker)
        seen += [user["UserName"] for user in page["Users"]]
        if not page["IsTruncated"]:
            break
        assert len(page["Users"]) == 10
        marker = {"Marker": page["Marker"]}
    assert seen == names and "Marker" not in page
    assert refused(iam.list_users, Marker="made-up")[0] == "ValidationError"
    assert refused(iam.list_groups, Marker=iam.list_users(MaxItems=1)["Marker"])[0] == "ValidationError"


def test_what_is_not_here_is_said_to_be_absent(iam):
    iam.create_user(UserName="plain")
    assert iam.list_mfa_devices(UserName="plain")["MFADevices"] == []
    assert iam.list_virtual_mfa_devices()["VirtualMFADevices"] == []
    assert iam.list_ssh_public_keys(UserName="plain")["SSHPublicKeys"] == []
    assert iam.list_signing_certificates(UserName="plain")["Certificates"] == []
    assert iam.list_service_specific_credentials(UserName="plain")["ServiceSpecificCredentials"] == []
    assert iam.list_account_aliases()["AccountAliases"] == []
    for call in (iam.get_login_profile, iam.delete_login_profile):
        assert refused(call, UserName="plain") == (
            "NoSuchEntity", "Login Profile for User plain cannot be found.", 404
        )  # fmt: skip
    summary = iam.get_account_summary()["SummaryMap"]
    assert summary["Users"] >= 1 and summary["AccessKeysPerUserQuota"] == 2 and summary["AccountAccessKeysPresent"] == 1


def test_the_details_of_an_account(iam):
    iam.create_user(UserName="detailed")
    iam.put_user_policy(UserName="detailed", PolicyName="p", PolicyDocument=policy())
    users = iam.get_paginator("get_account_authorization_details").paginate(Filter=["User"])
    found = [user for page in users for user in page["UserDetailList"] if user["UserName"] == "detailed"]
    assert found[0]["UserPolicyList"] == [{"PolicyName": "p", "PolicyDocument": ALLOW_KMS}]


@pytest.mark.parametrize(
    ("operation", "arguments", "expected"),
    [
        (
            "create_user", {"UserName": "a/b"},
            "The specified value for userName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-",
        ),
        (
            "create_user", {"UserName": "a" * 65},
            "1 validation error detected: Value at 'userName' failed to satisfy constraint: Member must have length less than or equal to 64",
        ),
        (
            "create_user", {},
            "1 validation error detected: Value at 'userName' failed to satisfy constraint: Member must not be null",
        ),
        (
            "create_role", {"RoleName": "r", "AssumeRolePolicyDocument": "{}", "MaxSessionDuration": 60},
            "1 validation error detected: Value at 'maxSessionDuration' failed to satisfy constraint: Member must have value greater than or equal to 3600",
        ),
        (
            "update_access_key", {"AccessKeyId": "A" * 16, "Status": "Off"},
            "1 validation error detected: Value at 'status' failed to satisfy constraint: Member must satisfy enum value set: [Active, Inactive, Expired]",
        ),
        (
            "list_users", {"MaxItems": 1001},
            "1 validation error detected: Value at 'maxItems' failed to satisfy constraint: Member must have value less than or equal to 1000",
        ),
    ],
)  # fmt: skip
def test_what_is_outside_its_limits_is_named(any_iam, operation, arguments, expected):
    assert refused(getattr(any_iam, operation), **arguments) == ("ValidationError", expected, 400)


def test_a_user_does_what_his_policies_allow_and_nothing_once_they_are_gone(server, iam):
    iam.create_user(UserName="reader")
    credentials = keys_of(iam, "reader")
    own = server.client(service="iam", credentials=credentials)
    code, message, status = refused(own.list_users)
    assert (code, status) == ("AccessDenied", 403)
    assert message.startswith(
        f"User: arn:aws:iam::{ACCOUNT}:user/reader is not authorized to perform: iam:ListUsers on resource: "
    )
    assert "because no identity-based policy allows the iam:ListUsers action" in message
    # Whether somebody exists is not told to who may not ask.
    for name in ("reader", "no-such-user"):
        assert refused(own.get_user, UserName=name) == (
            "AccessDenied",
            f"User: arn:aws:iam::{ACCOUNT}:user/reader is not authorized to perform: iam:GetUser on resource: user {name} "
            "because no identity-based policy allows the iam:GetUser action",
            403,
        )
    iam.attach_user_policy(UserName="reader", PolicyArn="arn:aws:iam::aws:policy/IAMReadOnlyAccess")
    assert own.list_users(MaxItems=1)["Users"]
    assert own.get_user()["User"]["UserName"] == "reader"
    assert refused(own.create_user, UserName="other")[0] == "AccessDenied"
    iam.put_user_policy(
        UserName="reader", PolicyName="make",
        PolicyDocument=policy("iam:CreateUser", f"arn:aws:iam::{ACCOUNT}:user/made/*"),
    )  # fmt: skip
    own.create_user(UserName="made-by-reader", Path="/made/")
    tags = [{"Key": "a", "Value": "b"}]
    denied = refused(own.create_user, UserName="tagged-by-reader", Path="/made/", Tags=tags)
    assert denied[0] == "AccessDenied" and "iam:TagUser" in denied[1]
    assert refused(own.create_user, UserName="elsewhere")[0] == "AccessDenied"
    iam.detach_user_policy(UserName="reader", PolicyArn="arn:aws:iam::aws:policy/IAMReadOnlyAccess")
    assert refused(own.list_users)[0] == "AccessDenied"
    iam.delete_user_policy(UserName="reader", PolicyName="make")
    assert refused(own.create_user, UserName="again", Path="/made/")[0] == "AccessDenied"


def test_policies_may_ask_for_what_a_request_says(server, iam):
    bounds = iam.create_policy(PolicyName="asked", PolicyDocument=policy())["Policy"]["Arn"]
    iam.create_user(UserName="delegate")
    iam.create_user(UserName="owned", Tags=[{"Key": "Team", "Value": "a"}])
    statements = [
        ("iam:AttachUserPolicy", {"ArnEquals": {"iam:PolicyARN": READ_ONLY}}),
        ("iam:CreateUser", {"StringEquals": {"iam:PermissionsBoundary": bounds}}),
        ("iam:TagUser", {"StringEquals": {"aws:RequestTag/Team": "b"}, "ForAllValues:StringEquals": {"aws:TagKeys": ["Team"]}}),
        ("iam:UntagUser", {"ForAllValues:StringEquals": {"aws:TagKeys": ["Team"]}}),
        ("iam:DeleteUser", {"StringEquals": {"aws:ResourceTag/Team": "a"}}),
    ]  # fmt: skip
    document = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": action, "Resource": "*", "Condition": condition}
            for action, condition in statements
        ],
    }
    iam.put_user_policy(UserName="delegate", PolicyName="p", PolicyDocument=json.dumps(document))
    own = server.client(service="iam", credentials=keys_of(iam, "delegate"))
    name = {"UserName": "owned"}
    for call, arguments, refusing in [
        (own.attach_user_policy, {**name, "PolicyArn": READ_ONLY}, {**name, "PolicyArn": bounds}),
        (
            own.create_user,
            {"UserName": "bounded1", "PermissionsBoundary": bounds},
            {"UserName": "bounded2", "PermissionsBoundary": READ_ONLY},
        ),
        (
            own.tag_user,
            {**name, "Tags": [{"Key": "Team", "Value": "b"}]},
            {**name, "Tags": [{"Key": "Team", "Value": "b"}, {"Key": "Other", "Value": "b"}]},
        ),
        (own.untag_user, {**name, "TagKeys": ["Team"]}, {**name, "TagKeys": ["Team", "Other"]}),
    ]:
        assert refused(call, **refusing)[::2] == ("AccessDenied", 403)
        call(**arguments)
    iam.detach_user_policy(UserName="owned", PolicyArn=READ_ONLY)
    assert refused(own.delete_user, **name)[0] == "AccessDenied"
    iam.tag_user(**name, Tags=[{"Key": "Team", "Value": "a"}])
    own.delete_user(**name)


@pytest.mark.parametrize("kind", ["user", "group"])
def test_who_renames_or_moves_must_be_allowed_to_with_what_comes_of_it(server, iam, kind):
    create, get, update = (getattr(iam, f"{verb}_{kind}") for verb in ("create", "get", "update"))
    noun, mover = kind.capitalize(), f"mover-of-{kind}"
    at = f"arn:aws:iam::{ACCOUNT}:{kind}"
    create(**{f"{noun}Name": "low", "Path": "/dev/"})
    create(**{f"{noun}Name": "high", "Path": "/admin/"})
    iam.create_user(UserName=mover)
    document = policy(f"iam:Update{noun}", [f"{at}/dev/*", f"{at}/high"])
    iam.put_user_policy(UserName=mover, PolicyName="p", PolicyDocument=document)
    own = getattr(server.client(service="iam", credentials=keys_of(iam, mover)), f"update_{kind}")
    name, new_name = f"{noun}Name", f"New{noun}Name"
    for arguments, becomes in [
        ({"NewPath": "/admin/"}, f"{at}/admin/low"),
        ({"NewPath": "/admin/", new_name: "boss"}, f"{at}/admin/boss"),
        # Whether that is taken is not told.
        ({"NewPath": "/", new_name: "LOW"}, f"{at}/LOW"),
    ]:
        code, message, _ = refused(own, **{name: "low", **arguments})
        assert code == "AccessDenied", arguments
        assert f"iam:Update{noun} on resource: {kind} {becomes.rsplit('/')[-1]} " in message, message
    assert get(**{name: "low"})[noun]["Arn"] == f"{at}/dev/low"
    own(**{name: "low", "NewPath": "/dev/deep/", new_name: "lower"})
    assert get(**{name: "lower"})[noun]["Arn"] == f"{at}/dev/deep/lower"
    own(**{name: "lower", new_name: "lowest"})
    update(**{name: "lowest", "NewPath": "/"})


def test_the_boundary_of_a_user_is_told_where_it_is_asked_for_alone(server, iam):
    bounds = iam.create_policy(PolicyName="told", PolicyDocument=policy())["Policy"]["Arn"]
    iam.create_user(UserName="told", PermissionsBoundary=bounds)
    iam.create_user(UserName="asks")
    document = policy("iam:*", Condition={"StringEquals": {"iam:PermissionsBoundary": bounds}})
    iam.put_user_policy(UserName="asks", PolicyName="p", PolicyDocument=document)
    own = server.client(service="iam", credentials=keys_of(iam, "asks"))
    own.put_user_policy(UserName="told", PolicyName="p", PolicyDocument=policy())
    own.delete_user_policy(UserName="told", PolicyName="p")
    own.attach_user_policy(UserName="told", PolicyArn=READ_ONLY)
    own.detach_user_policy(UserName="told", PolicyArn=READ_ONLY)
    own.put_user_permissions_boundary(UserName="told", PermissionsBoundary=bounds)
    own.create_user(UserName="told2", PermissionsBoundary=bounds)
    tagged = {"UserName": "told3", "PermissionsBoundary": bounds, "Tags": [{"Key": "a", "Value": "b"}]}
    for call, arguments in [
        (own.get_user, {}),
        (own.create_access_key, {}),
        (own.delete_user, {}),
        (own.tag_user, {"Tags": [{"Key": "a", "Value": "b"}]}),
        (own.create_user, tagged),
    ]:
        assert refused(call, **{"UserName": "told", **arguments})[0] == "AccessDenied", arguments


def test_the_last_use_of_a_key_is_told_to_whom_may_ask_of_its_user(server, iam):
    iam.create_user(UserName="pathed", Path="/eng/")
    iam.create_user(UserName="curious")
    id, _ = keys_of(iam, "pathed")
    document = policy("iam:GetAccessKeyLastUsed", f"arn:aws:iam::{ACCOUNT}:user/eng/*")
    iam.put_user_policy(UserName="curious", PolicyName="p", PolicyDocument=document)
    mine = keys_of(iam, "curious")
    own = server.client(service="iam", credentials=mine)
    assert own.get_access_key_last_used(AccessKeyId=id)["UserName"] == "pathed"
    assert refused(own.get_access_key_last_used, AccessKeyId=mine[0])[0] == "AccessDenied"


def test_simulation(iam):
    def decisions(answer):
        return [(found["EvalActionName"], found["EvalDecision"]) for found in answer["EvaluationResults"]]

    both = [policy("kms:*"), policy("kms:Decrypt", effect="Deny")]
    key = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    answer = iam.simulate_custom_policy(
        PolicyInputList=both, ActionNames=["kms:Encrypt", "kms:Decrypt", "iam:GetUser"], ResourceArns=[key]
    )
    assert decisions(answer) == [
        ("kms:Encrypt", "allowed"), ("kms:Decrypt", "explicitDeny"), ("iam:GetUser", "implicitDeny")
    ]  # fmt: skip
    matched = [
        [found["SourcePolicyId"] for found in result["MatchedStatements"]] for result in answer["EvaluationResults"]
    ]
    assert matched == [["PolicyInputList.1"], ["PolicyInputList.2"], []]
    for result in answer["EvaluationResults"]:
        (one,) = result["ResourceSpecificResults"]
        assert (one["EvalResourceName"], one["EvalResourceDecision"]) == (key, result["EvalDecision"])
        assert one.get("MatchedStatements", []) == result["MatchedStatements"]
        assert one.keys() <= {"EvalResourceName", "EvalResourceDecision", "MatchedStatements"}
        assert result["EvalDecisionDetails"] == {}
    assert [result["EvalResourceName"] for result in answer["EvaluationResults"]] == [key] * 3

    # The most restrictive decision is that of the action, and the statements are those that decided for any of the resources.
    mixed = [
        f'{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"kms:*","Resource":"{key}"}}]}}',
        '{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"kms:*","Resource":"*:alias/x"}}',
    ]
    other = key.replace("1234abcd", "2234abcd")
    alias = f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/x"
    for resources, decision in [([key], "allowed"), ([key, other], "implicitDeny"), ([key, other, alias], "explicitDeny")]:
        (result,) = iam.simulate_custom_policy(
            PolicyInputList=mixed, ActionNames=["kms:Encrypt"], ResourceArns=resources
        )["EvaluationResults"]
        assert result["EvalDecision"] == decision
        template = "arn:${Partition}:kms:${Region}:${Account}:key/${KeyId}"
        assert result["EvalResourceName"] == (key if resources == [key] else template)
        assert [one["EvalResourceDecision"] for one in result["ResourceSpecificResults"]] == [
            "allowed", "implicitDeny", "explicitDeny"
        ][: len(resources)]  # fmt: skip
        assert [one["SourcePolicyId"] for one in result["MatchedStatements"]] == [
            "PolicyInputList.1", "PolicyInputList.2"
        ][: 2 if decision == "explicitDeny" else 1]  # fmt: skip
    assert result["MatchedStatements"][1:] == [
        {
            "SourcePolicyId": "PolicyInputList.2", "SourcePolicyType": "IAM Policy",
            "StartPosition": {"Line": 1, "Column": 38}, "EndPosition": {"Line": 1, "Column": len(mixed[1])},
        }
    ]  # fmt: skip
    allowed = result["ResourceSpecificResults"][0]["MatchedStatements"][0]
    assert (allowed["StartPosition"]["Column"], allowed["EndPosition"]["Column"]) == (38, len(mixed[0]) - 1)
    anything = iam.simulate_custom_policy(PolicyInputList=both, ActionNames=["kms:Encrypt"])["EvaluationResults"][0]
    assert "ResourceSpecificResults" not in anything and "EvalDecisionDetails" not in anything
    far = iam.simulate_custom_policy(
        PolicyInputList=both, ActionNames=["kms:Encrypt"], ResourceArns=[key.replace(ACCOUNT, "999999999999")]
    )["EvaluationResults"][0]
    assert far["EvalDecision"] == "implicitDeny"
    assert far["EvalDecisionDetails"] == {"IAM Policy": "allowed", "Resource Policy": "implicitDeny"}

    condition = policy("kms:Encrypt", Condition={"StringEquals": {"aws:username": "${aws:PrincipalTag/who}"}})
    keys = iam.get_context_keys_for_custom_policy(PolicyInputList=[condition])["ContextKeyNames"]
    assert sorted(keys) == ["aws:PrincipalTag/who", "aws:username"]
    arguments = {"PolicyInputList": [condition], "ActionNames": ["kms:Encrypt"]}
    answer = iam.simulate_custom_policy(**arguments)
    assert sorted(answer["EvaluationResults"][0]["MissingContextValues"]) == sorted(keys)
    entries = [
        {"ContextKeyName": name, "ContextKeyValues": ["x"], "ContextKeyType": "string"} for name in keys
    ]
    assert decisions(iam.simulate_custom_policy(**arguments, ContextEntries=entries)) == [("kms:Encrypt", "allowed")]

    # What is not given is missing where a condition on it does not hold.
    for operator, decision, missing in [
        ("StringEquals", "implicitDeny", ["aws:PrincipalTag/a"]),
        ("StringNotEquals", "allowed", []),
        ("StringEqualsIfExists", "allowed", []),
        ("ForAllValues:StringEquals", "allowed", []),
    ]:
        condition = policy("kms:Encrypt", Condition={operator: {"aws:PrincipalTag/a": "b"}})
        (result,) = iam.simulate_custom_policy(PolicyInputList=[condition], ActionNames=["kms:Encrypt"])["EvaluationResults"]
        assert (result["EvalDecision"], result["MissingContextValues"]) == (decision, missing)

    # Nobody has a user id of his own, and a caller his ARN.
    stub, arn = "STUB_PRINCIPAL_FOR_POLICY_SIMULATOR", f"arn:aws:iam::{ACCOUNT}:user/simulated"
    given = {"ContextEntries": [{"ContextKeyName": "aws:userid", "ContextKeyValues": ["x"], "ContextKeyType": "string"}]}
    for more, user_id in [({}, stub), ({"CallerArn": arn}, arn), (given, "x"), ({"CallerArn": arn, **given}, "x")]:
        for wanted in [stub, arn, "x"]:
            condition = policy("kms:Encrypt", Condition={"StringEquals": {"aws:UserId": wanted}})
            (result,) = iam.simulate_custom_policy(PolicyInputList=[condition], ActionNames=["kms:Encrypt"], **more)[
                "EvaluationResults"
            ]
            missing = [] if wanted == user_id or "ContextEntries" in more else ["aws:UserId"]
            allowed = "allowed" if wanted == user_id else "implicitDeny"
            assert (result["EvalDecision"], result["MissingContextValues"]) == (allowed, missing)

    user = iam.create_user(UserName="simulated", PermissionsBoundary=READ_ONLY)["User"]
    iam.create_group(GroupName="simulated")
    iam.add_user_to_group(GroupName="simulated", UserName="simulated")
    iam.put_group_policy(GroupName="simulated", PolicyName="all", PolicyDocument=policy("*"))
    answer = iam.simulate_principal_policy(
        PolicySourceArn=user["Arn"], ActionNames=["kms:ListKeys", "kms:CreateKey"]
    )
    assert decisions(answer) == [("kms:ListKeys", "allowed"), ("kms:CreateKey", "implicitDeny")]
    assert [
        found["PermissionsBoundaryDecisionDetail"]["AllowedByPermissionsBoundary"]
        for found in answer["EvaluationResults"]
    ] == [True, False]
    source = answer["EvaluationResults"][0]["MatchedStatements"][0]
    assert (source["SourcePolicyId"], source["SourcePolicyType"]) == ("group_simulated_all", "IAM Policy")

    # The policy of a resource is about somebody, who must be named where he is not the source.
    about = policy("kms:Encrypt", Principal={"AWS": user["Arn"]})
    group = iam.get_group(GroupName="simulated")["Group"]["Arn"]
    arguments = {"ActionNames": ["kms:Encrypt"], "ResourceArns": [key], "ResourcePolicy": about}
    for call, more in [
        (iam.simulate_custom_policy, {"PolicyInputList": []}),
        (iam.simulate_principal_policy, {"PolicySourceArn": group}),
    ]:
        assert refused(call, **arguments, **more)[0] == "InvalidInput"
        assert decisions(call(**arguments, **more, CallerArn=user["Arn"])) == [("kms:Encrypt", "allowed")]
    assert decisions(iam.simulate_principal_policy(**arguments, PolicySourceArn=user["Arn"])) == [("kms:Encrypt", "allowed")]


def test_a_simulation_comes_in_pages_and_has_an_end(iam):
    actions = [f"kms:Do{number}" for number in range(7)]
    resources = [f"arn:aws:kms:us-east-1:{ACCOUNT}:key/{number}" for number in range(3)]
    arguments = {"PolicyInputList": [policy()], "ActionNames": actions, "ResourceArns": resources}
    found, marker = [], {}
    while True:
        page = iam.simulate_custom_policy(**arguments, MaxItems=4, **marker)
        assert len(page["EvaluationResults"]) <= 4
        found += [
            (one["EvalActionName"], each["EvalResourceName"])
            for one in page["EvaluationResults"]
            for each in one["ResourceSpecificResults"]
        ]
        if not page["IsTruncated"]:
            break
        marker = {"Marker": page["Marker"]}
    assert found == [(action, resource) for action in actions for resource in resources]
    many = {"ActionNames": [f"kms:A{n}" for n in range(101)], "ResourceArns": [f"arn:aws:s3:::{n}" for n in range(100)]}
    assert refused(iam.simulate_custom_policy, PolicyInputList=[policy()], **many)[0] == "InvalidInput"


def test_a_change_is_in_the_trail_without_its_secret(fresh_server):
    fresh_server.start()
    iam = fresh_server.client(service="iam", region="us-west-2")
    iam.create_user(UserName="traced", Tags=[{"Key": "k", "Value": "v"}])
    key = iam.create_access_key(UserName="traced")["AccessKey"]
    refused(iam.create_user, UserName="traced")
    fresh_server.client(service="sts", region="us-west-2").get_caller_identity()
    directory = fresh_server.data_dir / "audit"
    events = [event for event in audit.events(directory) if "additionalEventData" not in event]
    by_name = {event["eventName"]: event for event in events if not event.get("errorCode")}
    made = by_name["CreateUser"]
    assert (made["eventSource"], made["awsRegion"], made["readOnly"]) == ("iam.amazonaws.com", "us-east-1", False)
    assert made["requestParameters"] == {"userName": "traced", "tags": [{"key": "k", "value": "v"}]}
    user = made["responseElements"]["user"]
    assert user["arn"] == f"arn:aws:iam::{ACCOUNT}:user/traced"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", user["createDate"])
    elements = by_name["CreateAccessKey"]["responseElements"]["accessKey"]
    assert elements.keys() == {"userName", "accessKeyId", "status", "createDate"}
    asked = by_name["GetCallerIdentity"]
    assert (asked["eventSource"], asked["awsRegion"], asked["readOnly"]) == ("sts.amazonaws.com", "us-west-2", True)
    [failed] = [event for event in events if event.get("errorCode")]
    assert failed["errorCode"] == "EntityAlreadyExistsException"
    assert failed["errorMessage"] == "User with name traced already exists."
    everything = b"".join(path.read_bytes() for path in fresh_server.data_dir.rglob("*.log"))
    assert key["SecretAccessKey"].encode() not in everything
    assert urllib.parse.quote(key["SecretAccessKey"], safe="").encode() not in everything


def run_together(*calls):
    """What each call that was made at the same time came to: its answer, or the code of its error."""

    def outcome(call):
        try:
            return call()
        except botocore.exceptions.ClientError as error:
            return error.response["Error"]["Code"]

    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(outcome, calls))


def test_nothing_that_is_gone_is_left_attached(iam):
    iam.create_user(UserName="racer")
    for number in range(20):
        arn = iam.create_policy(PolicyName=f"race{number}", PolicyDocument=policy())["Policy"]["Arn"]
        run_together(
            lambda: iam.attach_user_policy(UserName="racer", PolicyArn=arn), lambda: iam.delete_policy(PolicyArn=arn)
        )
        attached = [found["PolicyArn"] for found in iam.list_attached_user_policies(UserName="racer")["AttachedPolicies"]]
        left = [found["Arn"] for found in iam.list_policies(Scope="Local")["Policies"]]
        assert (arn in attached) == (arn in left)
        if attached:
            iam.detach_user_policy(UserName="racer", PolicyArn=arn)


def test_no_user_is_in_a_group_that_is_gone(iam):
    iam.create_user(UserName="grouped")
    for number in range(20):
        name = f"race{number}"
        iam.create_group(GroupName=name)
        run_together(
            lambda: iam.add_user_to_group(GroupName=name, UserName="grouped"), lambda: iam.delete_group(GroupName=name)
        )
        groups = [found["GroupName"] for found in iam.list_groups_for_user(UserName="grouped")["Groups"]]
        left = [found["GroupName"] for found in iam.list_groups()["Groups"]]
        assert (name in groups) == (name in left)
        if groups:
            iam.remove_user_from_group(GroupName=name, UserName="grouped")


def test_quotas_hold_for_requests_at_the_same_time(iam):
    iam.create_user(UserName="hasty")
    outcomes = run_together(*[lambda: iam.create_access_key(UserName="hasty")] * 6)
    assert outcomes.count("LimitExceeded") == 4
    assert len(iam.list_access_keys(UserName="hasty")["AccessKeyMetadata"]) == 2
    outcomes = run_together(*[lambda: iam.create_user(UserName="one")] * 6)
    assert outcomes.count("EntityAlreadyExists") == 5


def test_an_account_has_so_many_groups_and_providers(fresh_server):
    iam = fresh_server.start().client(service="iam")
    for number in range(300):
        iam.create_group(GroupName=f"group{number}")
    assert refused(iam.create_group, GroupName="more") == (
        "LimitExceeded", "Cannot exceed quota for GroupsPerAccount: 300", 409
    )  # fmt: skip
    iam.delete_group(GroupName="group7")
    iam.create_group(GroupName="more")
    for number in range(100):
        iam.create_open_id_connect_provider(Url=f"https://idp{number}.example")
    assert refused(iam.create_open_id_connect_provider, Url="https://more.example") == (
        "LimitExceeded", "Cannot exceed quota for OpenIdConnectProvidersPerAccount: 100", 409
    )  # fmt: skip


def test_identities_outlive_the_process(fresh_server):
    fresh_server.start()
    iam = fresh_server.client(service="iam")
    iam.create_user(UserName="stays")
    iam.put_user_policy(UserName="stays", PolicyName="p", PolicyDocument=policy())
    credentials = keys_of(iam, "stays")
    fresh_server.kill()
    fresh_server.start()
    arn = fresh_server.client(service="sts", credentials=credentials).get_caller_identity()["Arn"]
    assert arn == f"arn:aws:iam::{ACCOUNT}:user/stays"
    assert fresh_server.client(service="iam").list_user_policies(UserName="stays")["PolicyNames"] == ["p"]
