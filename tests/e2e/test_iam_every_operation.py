"""What holds for every operation of IAM: who may not is refused before anything is told, and each request is in the trail."""

import botocore.exceptions
import botocore.session
import pytest

import audit
import server as harness
from server import ACCOUNT

MODEL = botocore.session.Session().get_service_model("iam")
POLICY = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kms:*","Resource":"*"}]}'
TEXTS = {
    "ActionName": "kms:Encrypt",
    "AssumeRolePolicyDocument": POLICY,
    "ClientID": "client",
    "OpenIDConnectProviderArn": f"arn:aws:iam::{ACCOUNT}:oidc-provider/nothing.example.com",
    "PermissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/nothing",
    "PolicyArn": f"arn:aws:iam::{ACCOUNT}:policy/nothing",
    "PolicyDocument": POLICY,
    "PolicyInputList": POLICY,
    "PolicySourceArn": f"arn:aws:iam::{ACCOUNT}:user/nobody",
    "Status": "Active",
    "ThumbprintList": "a" * 40,
    "Url": "https://nothing.example.com",
    "VersionId": "v1",
    "AccessKeyId": "AKIANOTHING123456789",
}
OPERATIONS = {
    "AddClientIDToOpenIDConnectProvider", "AddUserToGroup", "AttachGroupPolicy", "AttachRolePolicy", "AttachUserPolicy",
    "CreateAccessKey", "CreateGroup", "CreateOpenIDConnectProvider", "CreatePolicy", "CreatePolicyVersion", "CreateRole",
    "CreateUser", "DeleteAccessKey", "DeleteGroup", "DeleteGroupPolicy", "DeleteLoginProfile",
    "DeleteOpenIDConnectProvider", "DeletePolicy", "DeletePolicyVersion", "DeleteRole", "DeleteRolePermissionsBoundary",
    "DeleteRolePolicy", "DeleteUser", "DeleteUserPermissionsBoundary", "DeleteUserPolicy", "DetachGroupPolicy",
    "DetachRolePolicy", "DetachUserPolicy", "GetAccessKeyLastUsed", "GetAccountAuthorizationDetails",
    "GetAccountSummary", "GetContextKeysForCustomPolicy", "GetContextKeysForPrincipalPolicy", "GetGroup",
    "GetGroupPolicy", "GetLoginProfile", "GetOpenIDConnectProvider", "GetPolicy", "GetPolicyVersion", "GetRole",
    "GetRolePolicy", "GetUser", "GetUserPolicy", "ListAccessKeys", "ListAccountAliases", "ListAttachedGroupPolicies",
    "ListAttachedRolePolicies", "ListAttachedUserPolicies", "ListEntitiesForPolicy", "ListGroupPolicies", "ListGroups",
    "ListGroupsForUser", "ListInstanceProfilesForRole", "ListMFADevices", "ListOpenIDConnectProviderTags",
    "ListOpenIDConnectProviders", "ListPolicies", "ListPolicyTags", "ListPolicyVersions", "ListRolePolicies",
    "ListRoleTags", "ListRoles", "ListSSHPublicKeys", "ListServiceSpecificCredentials", "ListSigningCertificates",
    "ListUserPolicies", "ListUserTags", "ListUsers", "ListVirtualMFADevices", "PutGroupPolicy",
    "PutRolePermissionsBoundary", "PutRolePolicy", "PutUserPermissionsBoundary", "PutUserPolicy",
    "RemoveClientIDFromOpenIDConnectProvider", "RemoveUserFromGroup", "SetDefaultPolicyVersion", "SimulateCustomPolicy",
    "SimulatePrincipalPolicy", "TagOpenIDConnectProvider", "TagPolicy", "TagRole", "TagUser",
    "UntagOpenIDConnectProvider", "UntagPolicy", "UntagRole", "UntagUser", "UpdateAccessKey", "UpdateAssumeRolePolicy",
    "UpdateGroup", "UpdateOpenIDConnectProviderThumbprint", "UpdateRole", "UpdateRoleDescription", "UpdateUser",
}  # fmt: skip


def value(name, shape):
    if shape.type_name == "list":
        return [value(TEXTS.get(name) and name or shape.member.name, shape.member)]
    if shape.type_name == "structure":
        return {member: value(member, shape.members[member]) for member in shape.required_members}
    return TEXTS.get(name, "nobody")


def arguments(operation):
    shape = MODEL.operation_model(operation).input_shape
    if shape is None:
        return {}
    texts = {member: value(member, shape.members[member]) for member in shape.required_members}
    return texts | ({"ActionNames": ["kms:Encrypt"]} if "ActionNames" in texts else {})


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = harness.Server(tmp_path_factory.mktemp("iam") / "data").start()
    yield running
    running.kill()


@pytest.fixture(scope="module")
def root(server):
    return server.client(service="iam")


@pytest.fixture(scope="module")
def powerless(server, root):
    root.create_user(UserName="powerless")
    key = root.create_access_key(UserName="powerless")["AccessKey"]
    return server.client(service="iam", credentials=(key["AccessKeyId"], key["SecretAccessKey"]))


def refused(client, operation, **given):
    method = botocore.xform_name(operation)
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        getattr(client, method)(**given)
    answer = caught.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer["Error"]["Message"]


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_a_user_without_a_policy_is_denied(powerless, operation):
    status, code, message = refused(powerless, operation, **arguments(operation))
    assert (status, code) == (403, "AccessDenied"), message
    assert f"is not authorized to perform: iam:{operation} on resource: " in message


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_who_is_not_known_is_refused(server, operation):
    stranger = server.client(service="iam", credentials=("AKIANOTHING123456789", "no secret"))
    assert refused(stranger, operation, **arguments(operation))[:2] == (403, "InvalidClientTokenId")


def test_every_other_operation_of_iam_is_said_not_to_be_there(server):
    client = server.client(service="iam", validate=False)
    for operation in sorted(set(MODEL.operation_names) - OPERATIONS):
        assert refused(client, operation)[1] == "InvalidAction", operation


def test_each_refusal_is_in_the_trail_once_and_nothing_was_changed(server, root, powerless):
    def denied():
        events = audit.events(server.data_dir / "audit")
        return [event["eventName"] for event in events if event.get("errorCode") == "AccessDenied"]

    before = len(denied())
    for operation in sorted(OPERATIONS):
        refused(powerless, operation, **arguments(operation))
    assert denied()[before:] == sorted(OPERATIONS)
    assert [user["UserName"] for user in root.list_users()["Users"]] == ["powerless"]
    assert root.list_roles()["Roles"] == root.list_groups()["Groups"] == []
    assert root.list_policies(Scope="Local")["Policies"] == []
    assert root.list_open_id_connect_providers()["OpenIDConnectProviderList"] == []
