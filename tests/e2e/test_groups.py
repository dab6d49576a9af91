"""Groups that are renamed, with boto3."""

import json

import botocore.exceptions
import pytest

from server import ACCOUNT

READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"


def policy(action="kms:*", effect="Allow"):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": action, "Resource": "*"}]})


def refused(call, /, **arguments):
    """(code, message) of the error of a call."""
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def keys_of(iam, name):
    """The credentials of a new access key."""
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return key["AccessKeyId"], key["SecretAccessKey"]


def test_a_group_of_any_size_is_renamed_and_its_users_stay_in_it(server):
    iam = server.client(service="iam")
    iam.create_group(GroupName="crowd", Path="/c/")
    iam.put_group_policy(GroupName="crowd", PolicyName="own", PolicyDocument=policy("kms:ListKeys"))
    iam.attach_group_policy(GroupName="crowd", PolicyArn=READ_ONLY)
    names = [f"crowd{number:02}" for number in range(45)]
    for name in names:
        iam.create_user(UserName=name)
        iam.add_user_to_group(GroupName="crowd", UserName=name)
    keys = keys_of(iam, "crowd00")
    kms = server.client(credentials=keys)
    kms.list_keys()
    iam.update_group(GroupName="crowd", NewGroupName="Throng")

    def members(group):
        return sorted(user["UserName"] for user in iam.get_group(GroupName=group)["Users"])

    assert members("throng") == names
    assert [group["GroupName"] for group in iam.list_groups_for_user(UserName="crowd07")["Groups"]] == ["Throng"]
    [detail] = [
        user for user in iam.get_account_authorization_details(Filter=["User"], MaxItems=1000)["UserDetailList"]
        if user["UserName"] == "crowd07"
    ]  # fmt: skip
    assert detail["GroupList"] == ["Throng"]
    assert refused(iam.get_group, GroupName="crowd")[0] == "NoSuchEntity"
    kms.list_keys()
    arn = f"arn:aws:iam::{ACCOUNT}:user/crowd00"
    [result] = iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=["kms:ListKeys"])["EvaluationResults"]
    assert result["EvalDecision"] == "allowed"

    # The old name is free, and whoever is in one group is not in the other.
    iam.create_group(GroupName="CROWD")
    iam.put_group_policy(GroupName="crowd", PolicyName="own", PolicyDocument=policy(effect="Deny"))
    assert members("crowd") == []
    kms.list_keys()
    iam.add_user_to_group(GroupName="crowd", UserName="crowd00")
    assert refused(kms.list_keys)[0] == "AccessDeniedException"
    assert members("crowd") == ["crowd00"] and members("Throng") == names
    both = [group["GroupName"] for group in iam.list_groups_for_user(UserName="crowd00")["Groups"]]
    assert both == ["CROWD", "Throng"]
    assert refused(iam.update_group, GroupName="Throng", NewGroupName="crowd")[0] == "EntityAlreadyExists"
    assert refused(iam.delete_group, GroupName="crowd") == (
        "DeleteConflict", "Cannot delete entity, must remove users from group first."
    )  # fmt: skip
    iam.remove_user_from_group(GroupName="Crowd", UserName="crowd00")
    iam.delete_group_policy(GroupName="crowd", PolicyName="own")
    iam.delete_group(GroupName="crowd")

    # Back to the first name, and another takes the second.
    iam.update_group(GroupName="Throng", NewGroupName="crowd")
    iam.create_group(GroupName="throng")
    assert members("crowd") == names and members("throng") == []
    iam.remove_user_from_group(GroupName="crowd", UserName="crowd00")
    assert refused(kms.list_keys)[0] == "AccessDeniedException"
    iam.update_user(UserName="crowd01", NewUserName="first")
    assert members("crowd") == names[2:] + ["first"]
    iam.delete_group(GroupName="throng")
